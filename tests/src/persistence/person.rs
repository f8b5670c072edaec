//! A person who keeps passwords in a browser profile, and what must be found there afterwards.

use std::io::Write;

use softkey::browser_profile::BrowserProfile;
use softkey::error::CliError;
use softkey::unlock::Source;
use softkey::vault::VaultPaths;
use softkey_client::password::PasswordData;
use softkey_client::{Credential, CredentialType, PasswordCredential, Profile, SecretText};

/// The account of this number: its type, origin, id and password.
#[must_use]
pub fn account(number: u32) -> (CredentialType, String, String, String) {
    let origin = format!("https://site-{number}.example");
    (CredentialType::Password, origin, format!("person {number}"), format!("secret of {number}"))
}

/// Keeps the password of this account.
pub fn keep(profile: &Profile, number: u32) {
    let (_, origin, id, password) = account(number);
    let (name, icon_url, password) = (String::new(), String::new(), SecretText::new(&password));
    let data = PasswordData { id, name, icon_url, origin, password };
    let credential = PasswordCredential::new(data).expect("a valid password");
    profile.keep(&Credential::Password(credential));
}

/// How many accounts the profile has: all from the first on, each with its password; nothing if it is otherwise.
#[must_use]
pub fn number_kept(profile: &Profile) -> Option<u32> {
    let kept = profile.passwords();
    let is_account = |(kept, number): (&PasswordCredential, u32)| {
        let (_, origin, id, password) = account(number);
        kept.origin() == origin && kept.id() == id && kept.password().expose() == password
    };
    let right = kept.iter().zip(1..).all(is_account);
    right.then(|| u32::try_from(kept.len()).ok()).flatten()
}

/// Keeps one password more, each in an opening of its own, and writes its number once it is kept, as a line. Ends with an
/// error or when nobody listens any more.
///
/// # Errors
///
/// The profile's.
pub fn keep_forever(paths: &VaultPaths, mut out: impl Write) -> Result<(), CliError> {
    loop {
        let open = BrowserProfile::open_vault(paths.clone(), &Source::Nowhere)?;
        let number = number_kept(open.profile()).map_or(1, |kept| kept + 1);
        keep(open.profile(), number);
        open.save()?;
        if writeln!(out, "{number}").and_then(|()| out.flush()).is_err() {
            return Ok(());
        }
    }
}
