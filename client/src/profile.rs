//! What a browser profile is: settings, and what is remembered of each site. Pages of one profile share it;
//! two profiles share nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use softkey_ctap::Instant;
use zeroize::Zeroizing;

use crate::capabilities::Capability;
use crate::credential::Credential;
use crate::fedcm::memory::Memory;
use crate::fedcm::settings::FedCmSettings;
use crate::federated::FederatedCredential;
use crate::kept::Kept;
use crate::origin::serialized;
use crate::otp::Inbox;
use crate::password::PasswordCredential;
use crate::registry::CredentialType;

/// A browser profile. Clones are the same profile.
#[derive(Clone, Default)]
pub struct Profile(Arc<Mutex<State>>);

/// What a user, an administrator or a tester sets.
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// Types whose interface is missing, as in a browser that does not have it; their members are passed over.
    pub absent: BTreeSet<CredentialType>,
    /// What the client cannot do though others can, for a site's way without it.
    pub lacks: BTreeSet<Capability>,
    /// The bounds of a page's timeout.
    pub timeout: TimeoutRange,
    /// Calls inside frames resolve without effect, as it was in 2016.
    pub frames_without_effect: bool,
    /// The AAGUID is replaced by zeros where no attestation is conveyed, as level 2 had it.
    pub zero_aaguid: bool,
    /// Has the user agreed to credentials that are made without asking (conditional create)?
    pub creation_consent: bool,
    /// For how long after a sign-in a conditional create is possible, in milliseconds.
    pub recent_sign_in: u64,
    /// Relying parties that may ask for enterprise attestation.
    pub enterprise: BTreeSet<String>,
    /// Are keys asked for attestation at sign-in where a page wants it, as a draft of level 3 had it?
    pub attestation_at_sign_in: bool,
    /// Of how many registrable labels a list of related origins is read; the standard has at least 5.
    pub related_origin_labels: usize,
    /// May pages use hmac-secret with salts of their own (`hmacCreateSecret`, `hmacGetSecret`), as native programs do?
    pub hmac_secret: bool,
    /// Does the client play the payment handler, so that `payment` at sign-in is open to its pages?
    pub payment_handler: bool,
    /// Are passwords and federated credentials of sibling origins offered in the chooser, as browsers do?
    pub offer_siblings: bool,
    /// For how long a call waits for a one-time code, in milliseconds; nothing: without end.
    pub otp_limit: Option<u64>,
    /// `FedCM`.
    pub fed_cm: FedCmSettings,
    /// Further members of the client data, as some browsers add one so that nobody relies on there being none.
    pub client_data_extra: Option<serde_json::Map<String, serde_json::Value>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            absent: BTreeSet::new(),
            lacks: BTreeSet::new(),
            timeout: TimeoutRange::default(),
            frames_without_effect: false,
            zero_aaguid: false,
            creation_consent: false,
            recent_sign_in: 300_000,
            enterprise: BTreeSet::new(),
            attestation_at_sign_in: false,
            related_origin_labels: 5,
            hmac_secret: false,
            payment_handler: false,
            offer_siblings: true,
            otp_limit: None,
            fed_cm: FedCmSettings::default(),
            client_data_extra: None,
        }
    }
}

/// The bounds of a page's timeout, in milliseconds. The defaults are those that WebAuthn Level 3 section 5.1.3
/// step 4 recommends: 5 to 10 minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TimeoutRange {
    /// The shortest.
    pub shortest: u64,
    /// The longest; nothing below `shortest` has an effect.
    pub longest: u64,
    /// For a page that gives none.
    pub absent: u64,
}

impl Default for TimeoutRange {
    fn default() -> Self {
        Self { shortest: 300_000, longest: 600_000, absent: 300_000 }
    }
}

impl TimeoutRange {
    /// Takes the time of the page as it is, up to the longest.
    #[must_use]
    pub const fn literal() -> Self {
        Self { shortest: 0, longest: 600_000, absent: 300_000 }
    }

    /// The time that a call has, for what the page asks.
    #[must_use]
    pub fn effective(&self, asked: Option<u64>) -> Duration {
        let millis = asked.map_or(self.absent, |asked| asked.min(self.longest).max(self.shortest));
        Duration::from_millis(millis)
    }
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct State {
    settings: Settings,
    /// Origins that may sign in without asking. All others have the flag "prevent silent access".
    silent_access: BTreeSet<String>,
    /// The credential store.
    kept: Kept,
    /// Who is signed in where, and with which pages.
    fed_cm: Memory,
    #[serde(skip)]
    inbox: Inbox,
    /// What a wall clock said when the calls' clock began, in milliseconds since 1970.
    #[serde(skip)]
    epoch: u64,
    /// When the client last mediated a sign-in, on its own clock.
    #[serde(skip)]
    sign_ins: BTreeMap<String, Instant>,
}

impl Profile {
    /// A fresh profile with the default settings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A profile as [`Profile::to_json`] saved it. Unknown members are passed over.
    ///
    /// # Errors
    ///
    /// What is wrong with the JSON.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        Self::from_json_noting(text, |_| {})
    }

    /// The same, and `unknown` is told the path of each member that is passed over, such as `kept.passwords.0.note`. To save
    /// the profile over this text would lose them.
    ///
    /// # Errors
    ///
    /// Likewise.
    pub fn from_json_noting(
        text: &str,
        mut unknown: impl FnMut(String),
    ) -> Result<Self, serde_json::Error> {
        let mut json = serde_json::Deserializer::from_str(text);
        let mut state: State =
            serde_ignored::deserialize(&mut json, |path| unknown(path.to_string()))?;
        json.end()?;
        let silent = std::mem::take(&mut state.silent_access);
        state.silent_access = silent.iter().map(|origin| serialized(origin)).collect();
        state.kept.serialize_origins();
        state.fed_cm.serialize_origins();
        Ok(Self(Arc::new(Mutex::new(state))))
    }

    /// The profile as JSON, for a file that nobody else may read: passwords and cookies are in it. When sign-ins were is
    /// not kept, nor are messages.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        // Nothing in it can fail to be JSON: the keys of its maps are texts.
        self.with(|state| serde_json::to_value(&*state)).unwrap_or_default()
    }

    /// The same as a text. It leaves no copy of the passwords behind when it is dropped.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        self.with(|state| {
            let mut length = Length(0);
            // Nothing in it can fail to be JSON, and neither writer fails.
            let _ = serde_json::to_writer(&mut length, &*state);
            // As long as it gets, so that it is not moved and left behind in memory.
            let mut text = Zeroizing::new(Vec::with_capacity(length.0));
            let _ = serde_json::to_writer(&mut *text, &*state);
            Zeroizing::new(String::from_utf8(std::mem::take(&mut *text)).unwrap_or_default())
        })
    }

    /// Origins that may sign in without asking, in the order of the alphabet.
    #[must_use]
    pub fn silent_origins(&self) -> Vec<String> {
        self.with(|state| state.silent_access.iter().cloned().collect())
    }

    /// Origins that must not ask to have credentials kept, likewise.
    #[must_use]
    pub fn never_keeping_origins(&self) -> Vec<String> {
        self.with(|state| state.kept.never_origins())
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.with(|state| state.settings.clone())
    }

    /// Changes settings.
    pub fn set(&self, change: impl FnOnce(&mut Settings)) {
        self.with(|state| change(&mut state.settings));
    }

    /// Must the user be involved in every sign-in to this origin? True until the user decides otherwise.
    #[must_use]
    pub fn prevents_silent_access(&self, origin: &str) -> bool {
        self.with(|state| !state.silent_access.contains(&serialized(origin)))
    }

    /// The user's decision: "stay signed in", or not any more.
    pub fn set_prevent_silent_access(&self, origin: &str, prevent: bool) {
        let origin = serialized(origin);
        self.with(|state| {
            if prevent {
                state.silent_access.remove(&origin);
            } else {
                state.silent_access.insert(origin);
            }
        });
    }

    /// Forgets what is remembered of a site, as a browser does when the user clears its data. With its cookies goes the
    /// login status of every origin that they could have been sent to.
    pub fn clear_site(&self, origin: &str) {
        let origin = serialized(origin);
        self.with(|state| {
            state.silent_access.remove(&origin);
            state.sign_ins.remove(&origin);
            state.fed_cm.clear_site(&origin);
        });
    }

    /// The passwords, for their owner to look through.
    #[must_use]
    pub fn passwords(&self) -> Vec<PasswordCredential> {
        self.with(|state| state.kept.passwords())
    }

    /// The federated credentials, likewise.
    #[must_use]
    pub fn federated(&self) -> Vec<FederatedCredential> {
        self.with(|state| state.kept.federated())
    }

    /// Keeps a password or a federated credential without asking, in the place of the same account's. Other types are
    /// not kept.
    pub fn keep(&self, credential: &Credential) {
        self.with(|state| state.kept.keep(credential));
    }

    /// Removes the passwords or federated credentials of this origin and account; how many were there?
    #[allow(clippy::must_use_candidate, reason = "who removes need not count")]
    pub fn remove(&self, kind: CredentialType, origin: &str, id: &str) -> usize {
        self.with(|state| state.kept.remove(kind, origin, id))
    }

    /// Did the user say that this origin must not ask to have credentials kept?
    #[must_use]
    pub fn never_keeps(&self, origin: &str) -> bool {
        self.with(|state| state.kept.never(&serialized(origin)))
    }

    /// The user's word on that.
    pub fn set_never_keeps(&self, origin: &str, never: bool) {
        self.with(|state| state.kept.set_never(serialized(origin), never));
    }

    /// Where messages with one-time codes arrive.
    #[must_use]
    pub fn inbox(&self) -> Inbox {
        self.with(|state| state.inbox.clone())
    }

    /// Notes that a sign-in was mediated.
    pub(crate) fn note_sign_in(&self, origin: &str, now: Instant) {
        self.with(|state| {
            state.sign_ins.insert(origin.to_owned(), now);
        });
    }

    /// May a credential be made without asking (WebAuthn Level 3 section 5.1.3, conditional mediation)?
    pub(crate) fn allows_conditional_create(&self, origin: &str, now: Instant) -> bool {
        self.with(|state| {
            let recent = Duration::from_millis(state.settings.recent_sign_in);
            let signed_in = state.sign_ins.get(origin);
            state.settings.creation_consent
                && signed_in.is_some_and(|then| now.duration_since(*then) <= recent)
        })
    }

    /// What `FedCM` remembers.
    pub(crate) fn fedcm<T>(&self, work: impl FnOnce(&mut Memory) -> T) -> T {
        self.with(|state| work(&mut state.fed_cm))
    }

    pub(crate) fn set_epoch(&self, millis: u64) {
        self.with(|state| state.epoch = millis);
    }

    /// What a wall clock says at this instant, in milliseconds since 1970.
    pub(crate) fn wall(&self, now: Instant) -> u64 {
        self.with(|state| state.epoch.saturating_add(now.as_millis()))
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        // What is in it stays whole at every step, so a panic elsewhere did no harm.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A writer that only counts.
struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_profile_comes_back_and_shares_nothing() {
        let profile = Profile::new();
        profile.set(|settings| {
            settings.absent.insert(CredentialType::PublicKey);
            settings.timeout = TimeoutRange::literal();
        });
        profile.set_prevent_silent_access("https://example.org", false);
        let saved = profile.to_json();
        assert_eq!(saved["settings"]["absent"], serde_json::json!(["public-key"]));
        let text: serde_json::Value = serde_json::from_str(&profile.to_text()).unwrap();
        assert_eq!(text, saved);
        let loaded = Profile::from_json(&saved.to_string()).unwrap();
        assert_eq!(loaded.settings(), profile.settings());
        profile.clear_site("https://example.org");
        assert!(profile.prevents_silent_access("https://example.org"));
        assert!(!loaded.prevents_silent_access("https://example.org"));
        assert!(Profile::from_json(r#"{"surprise": 1}"#).is_ok());
        assert!(Profile::from_json("{} {}").is_err());
    }

    /// Whoever saves a profile over a file can know what would be lost, at every depth.
    #[test]
    fn what_is_passed_over_is_told() {
        let mut unknown = Vec::new();
        let text = r#"{"surprise": {"a": 1}, "settings": {"fedCm": {"on": true}}, "kept": {"passwords":
            [{"id": "a", "origin": "https://a.example", "password": "p", "note": 1}]}}"#;
        let profile = Profile::from_json_noting(text, |path| unknown.push(path)).unwrap();
        assert_eq!(unknown, ["surprise", "settings.fedCm.on", "kept.passwords.0.note"]);
        assert_eq!(profile.passwords().len(), 1);
        let saved = profile.to_text();
        Profile::from_json_noting(&saved, |path| panic!("{path} is its own")).unwrap();
    }

    /// WebAuthn Level 3 section 5.1.3 step 4: what is outside the range becomes its nearest end.
    #[test]
    fn a_timeout_is_brought_into_the_range() {
        let seconds = |asked| TimeoutRange::default().effective(asked).as_secs();
        assert_eq!(seconds(None), 300);
        assert_eq!(seconds(Some(1)), 300);
        assert_eq!(seconds(Some(400_000)), 400);
        assert_eq!(seconds(Some(u64::MAX)), 600);
        assert_eq!(TimeoutRange::literal().effective(Some(1000)).as_secs(), 1);
    }
}
