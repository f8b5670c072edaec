//! `softkey passwords`: what a browser profile keeps, listed and removed. Passwords themselves are printed only on
//! request.
#![allow(
    clippy::doc_markdown,
    rustdoc::bare_urls,
    reason = "some of these comments are the text of --help, where backticks are noise"
)]

mod seal;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use softkey_client::{
    Credential, CredentialType, FederatedCredential, PasswordCredential, Profile,
};

use super::origins;
use crate::browser_profile::{BrowserProfile, BrowserProfileArgs};
use crate::error::{CliError, Exit};
use crate::output::{Form, Output};
use crate::text::{quoted, rp_id};

/// The arguments of `softkey passwords`.
#[derive(Clone, Debug, Args)]
pub struct PasswordsArgs {
    /// What to do.
    #[command(subcommand)]
    pub order: PasswordsOrder,
    #[command(flatten)]
    /// Where they are.
    pub browser_profile: BrowserProfileArgs,

    /// Print one JSON object a line
    #[arg(long, global = true)]
    pub json: bool,
}

/// What can be done with what a profile keeps.
#[derive(Clone, Debug, Subcommand)]
pub enum PasswordsOrder {
    /// List passwords and federated credentials, the newest last
    List {
        /// Only those of this origin, such as `https://example.org`
        #[arg(long, value_name = "URL")]
        origin: Option<String>,
        /// Print the passwords too
        #[arg(long)]
        show_passwords: bool,
    },
    /// Remove the password, and the federated credentials, of one account
    Remove {
        /// The origin, such as https://example.org.
        origin: String,
        /// The account's id.
        id: String,
    },
    /// List the sites that sign in without asking, and those that must not ask to keep anything
    Sites,
    /// Forget what was decided for a site, its cookies and its accounts at identity providers: from then on it asks
    ClearSite {
        /// The origin, such as https://example.org.
        origin: String,
    },
    /// Seal a browser profile that is a JSON file in a vault: from --browser-profile into --browser-vault
    ///
    /// All that is in the file is in the vault then, in one step; the vault is made if it is not there, and refused if it
    /// holds another browser profile. The file stays unless --remove-file is given. Whoever is interrupted starts again.
    Seal {
        /// Remove the file once the vault has been read back
        ///
        /// It is not overwritten: what a disk keeps of removed files, or a backup, still holds the passwords.
        #[arg(long)]
        remove_file: bool,
    },
}

/// Carries `softkey passwords` out.
///
/// # Errors
///
/// [`Exit::BadInput`] if the profile cannot be used, or has nothing of the kind that is to be removed.
pub fn run(args: &PasswordsArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let place = &args.browser_profile;
    match &args.order {
        PasswordsOrder::List { origin, show_passwords } => {
            list(place.open()?.profile(), origin.as_deref(), *show_passwords, output)
        }
        PasswordsOrder::Remove { origin, id } => remove(place.open()?, origin, id, output),
        PasswordsOrder::Sites => sites(place.open()?.profile(), output),
        PasswordsOrder::ClearSite { origin } => clear_site(place.open()?, origin, output),
        PasswordsOrder::Seal { remove_file } => seal::run(place, *remove_file, output),
    }
}

fn list(
    profile: &Profile,
    origin: Option<&str>,
    secrets: bool,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let all = kept(profile);
    let origin = origin.map(|origin| origins::typed(origin, origins_of(&all))).transpose()?;
    let mut all = all.iter().filter(|it| origin.is_none() || it.origin() == origin.as_deref());
    let first = all.next();
    if first.is_none() {
        output.note("Nothing is kept.");
    }
    first.into_iter().chain(all).try_for_each(|credential| show(credential, secrets, output))
}

fn remove(
    open: BrowserProfile,
    origin: &str,
    id: &str,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let profile = open.profile();
    let all = kept(profile);
    let origin = &origins::typed(origin, origins_of(&all))?;
    let is_meant = |it: &Credential| it.origin() == Some(origin) && it.id() == id;
    let gone: Vec<_> = all.into_iter().filter(is_meant).collect();
    if gone.is_empty() {
        let what = format!("Nothing is kept of {} for {}.", quoted(id), rp_id(origin));
        return Err(CliError::new(Exit::BadInput, what, "softkey passwords list"));
    }
    profile.remove(CredentialType::Password, origin, id);
    profile.remove(CredentialType::Federated, origin, id);
    open.save()?;
    output.note("Removed:");
    gone.iter().try_for_each(|credential| show(credential, false, output))
}

fn sites(profile: &Profile, output: &mut Output<'_>) -> Result<(), CliError> {
    let (silent, never) = (profile.silent_origins(), profile.never_keeping_origins());
    if silent.is_empty() && never.is_empty() {
        output.note("Every site asks.");
    }
    for origin in silent {
        match output.form() {
            Form::Json => output.object(&json!({"origin": origin, "silentAccess": true}))?,
            Form::Plain => output.line(format!("{}  signs in without asking", rp_id(&origin)))?,
        }
    }
    for origin in never {
        match output.form() {
            Form::Json => output.object(&json!({"origin": origin, "never": true}))?,
            Form::Plain => output.line(format!("{}  never keeps anything", rp_id(&origin)))?,
        }
    }
    Ok(())
}

fn clear_site(open: BrowserProfile, origin: &str, output: &mut Output<'_>) -> Result<(), CliError> {
    let profile = open.profile();
    let named = [profile.silent_origins(), profile.never_keeping_origins()].concat();
    let origin = &origins::typed(origin, named.iter().map(String::as_str))?;
    let before = profile.to_text();
    profile.clear_site(origin);
    profile.set_never_keeps(origin, false);
    if *profile.to_text() == *before {
        let what = format!("Nothing is remembered of {}.", rp_id(origin));
        return Err(CliError::new(Exit::BadInput, what, "softkey passwords sites"));
    }
    open.save()?;
    match output.form() {
        Form::Json => output.object(&json!({"origin": origin, "cleared": true})),
        Form::Plain => output.line(format!("{} asks from now on.", rp_id(origin))),
    }
}

fn origins_of(credentials: &[Credential]) -> impl Iterator<Item = &str> {
    credentials.iter().filter_map(Credential::origin)
}

fn kept(profile: &Profile) -> Vec<Credential> {
    let passwords = profile.passwords().into_iter().map(Credential::Password);
    passwords.chain(profile.federated().into_iter().map(Credential::Federated)).collect()
}

fn show(credential: &Credential, secrets: bool, output: &mut Output<'_>) -> Result<(), CliError> {
    match (output.form(), credential) {
        (Form::Plain, Credential::Password(password)) => show_password(password, secrets, output),
        (Form::Plain, Credential::Federated(federated)) => show_federated(federated, output),
        _ => {
            let mut value = credential.to_json();
            if let Some(members) = value.as_object_mut() {
                members
                    .insert("origin".into(), credential.origin().map_or(Value::Null, Value::from));
                if !secrets {
                    members.remove("password");
                }
            }
            output.object(&value)
        }
    }
}

fn show_password(
    password: &PasswordCredential,
    secrets: bool,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    output.line(format!(
        "{}  {}",
        rp_id(password.origin()),
        known_as(password.id(), password.name())
    ))?;
    if secrets {
        output.line(format!("    {}", quoted(password.password().expose())))
    } else {
        Ok(())
    }
}

fn show_federated(
    federated: &FederatedCredential,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let (origin, provider) = (rp_id(federated.origin()), rp_id(federated.provider()));
    let protocol = federated.protocol().map(|it| format!(", {}", rp_id(it))).unwrap_or_default();
    let account = known_as(federated.id(), &federated.init().name);
    output.line(format!("{origin}  {account} at {provider}{protocol}"))
}

fn known_as(id: &str, name: &str) -> String {
    if name.is_empty() { quoted(id) } else { format!("{} ({})", quoted(id), quoted(name)) }
}
