//! A browser without windows, and a security key in the same process: what the test of a site needs. Nothing waits on a
//! clock; time passes only where somebody would wait.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use softkey_authenticator::hid::Attendant;
use softkey_authenticator::{
    Answer, Ask, AskId, Authenticator, Config, Finger, MemoryStore, Question, RootKey, Sample,
};
use softkey_client::driver::{Act, DriveError, Keys, Script, Settlement, drive};
use softkey_client::manage::{self, About};
use softkey_client::stored::Stored;
use softkey_client::{
    AuthenticationResponse, Cause, CreationOptions, Credential, CredentialCreationOptions,
    CredentialRequestOptions, Entropy, Info, KeyId, Operation, Page, Profile, RegistrationResponse,
    Rejection, Request, RequestOptions, SignalOptions, pin,
};
use softkey_ctap::{Instant, Secret};
use softkey_ctap_hid::{Connection, Device, DeviceConfig, Loopback, Report, Transport};

use crate::run::memory::Entropy as KeyEntropy;

/// A page, a key, and a user who does what a script says.
///
/// ```
/// use softkey::browser::Browser;
///
/// let mut browser = Browser::open("https://example.org")?;
/// let options = r#"{"rp": {"name": "Example"}, "user": {"id": "AQ", "name": "ada", "displayName": "Ada"},
///     "challenge": "AAECAwQF", "pubKeyCredParams": [{"type": "public-key", "alg": -7}]}"#;
/// let made = browser.create(options)?;
/// let options = format!(r#"{{"challenge": "BQQDAgEA", "allowCredentials": [{{"type": "public-key", "id": "{}"}}]}}"#, made.id);
/// assert_eq!(browser.get(&options)?.id, made.id);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Browser {
    page: Page,
    keys: Keys<Cable>,
    user: Script,
    entropy: Entropy,
}

/// Why there is no browser.
#[derive(Debug)]
pub enum BrowserError {
    /// The operating system gave no random numbers.
    Entropy(getrandom::Error),
    /// The key has no power.
    Key(String),
    /// The key did not take the PIN.
    Pin(Cause),
    /// The key does not answer.
    Silent,
}

impl fmt::Display for BrowserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entropy(error) => write!(f, "The system gives no random numbers: {error}."),
            Self::Key(error) => write!(f, "The key has no power: {error}."),
            Self::Pin(cause) => cause.fmt(f),
            Self::Silent => f.write_str("The key does not answer."),
        }
    }
}

impl std::error::Error for BrowserError {}

impl Browser {
    /// A page of this origin, with a factory-fresh key, and a user who consents to everything.
    ///
    /// # Errors
    ///
    /// [`BrowserError::Entropy`].
    pub fn open(origin: &str) -> Result<Self, BrowserError> {
        Self::with(Page::new(&Profile::new(), origin), Config::default(), Script::new())
    }

    /// This page, a key of this configuration, and this user.
    ///
    /// # Errors
    ///
    /// [`BrowserError::Entropy`], and [`BrowserError::Key`] for a configuration that makes no sense.
    pub fn with(page: Page, config: Config, user: Script) -> Result<Self, BrowserError> {
        let root = Secret::try_make(|key| getrandom::fill(key)).map_err(BrowserError::Entropy)?;
        let entropy = Entropy::from_system().map_err(BrowserError::Entropy)?;
        let (store, now) = (MemoryStore::default(), Instant::from_millis(0));
        let root = RootKey::new(*root.expose());
        let key = Authenticator::open(store, root, KeyEntropy::System, config, now);
        let key = key.map_err(|error| BrowserError::Key(format!("{error:?}")))?;
        let hand = Hand { script: user.clone(), asked: None, act: Act::Consent };
        let device = Device::new(DeviceConfig::default(), 1);
        let cable = Cable { loopback: Loopback::new(device, Attendant::new(key, hand), now) };
        let connection = Connection::open(cable).map_err(|_| BrowserError::Silent)?;
        Ok(Self { page, keys: Keys::new([connection]), user, entropy })
    }

    /// Sets the key's first PIN, which the user knows from now on.
    ///
    /// # Errors
    ///
    /// [`BrowserError::Pin`] if it breaks a rule.
    pub fn set_pin(&mut self, pin: &str) -> Result<(), BrowserError> {
        let entropy = self.entropy.fork();
        let reach = self.keys.reach(KEY).ok_or(BrowserError::Silent)?;
        let connection = self.keys.connection_mut(KEY).ok_or(BrowserError::Silent)?;
        let set = pin::set(pin::Pin::new(pin), reach, entropy);
        match drive(set, connection, &mut self.user) {
            Ok(()) => {
                self.user = self.user.clone().pin(pin);
                Ok(())
            }
            Err(DriveError::Cause(cause)) => Err(BrowserError::Pin(cause)),
            Err(DriveError::Connection(_)) => Err(BrowserError::Silent),
        }
    }

    /// Puts a key back that the user pulled out. It kept its power, as one with a battery does.
    ///
    /// # Errors
    ///
    /// [`BrowserError::Silent`].
    pub fn plug_in(&mut self) -> Result<(), BrowserError> {
        let connection = self.keys.connection_mut(KEY).ok_or(BrowserError::Silent)?;
        let cable = connection.transport_mut();
        cable.loopback.application_mut().user_mut().act = Act::Consent;
        cable.loopback.disconnect();
        connection.reopen().map_err(|_| BrowserError::Silent)
    }

    /// The page, to click on it or to change its profile.
    pub const fn page(&mut self) -> &mut Page {
        &mut self.page
    }

    /// The keys, to give them a way to fetch lists of related origins.
    pub const fn keys(&mut self) -> &mut Keys<Cable> {
        &mut self.keys
    }

    /// `navigator.credentials.create()`. The options are those of public keys in the JSON form of browsers, or what a page
    /// writes around them: an object that has them as its member `publicKey`, and maybe a `mediation`.
    ///
    /// # Errors
    ///
    /// The rejection: the exception that a page sees, and the private cause beside it. Where the promise resolves with
    /// null, or stays pending, there is no credential either, and the cause is [`Cause::NoKey`]; a [`Settlement`] tells
    /// these apart.
    pub fn create(&mut self, options: &str) -> Result<RegistrationResponse, Rejection> {
        let options = if is_whole(options) {
            CredentialCreationOptions::from_json(options)
        } else {
            CreationOptions::from_json(options).map(Into::into)
        };
        let options = options.map_err(|cause| Rejection::new(cause, Operation::Create))?;
        let settlement = self.create_with(options);
        let made = settlement.into_result()?.and_then(Credential::registration);
        made.ok_or_else(|| Rejection::new(Cause::NoKey, Operation::Create))
    }

    /// `navigator.credentials.get()`, likewise.
    ///
    /// # Errors
    ///
    /// As [`Browser::create`].
    pub fn get(&mut self, options: &str) -> Result<AuthenticationResponse, Rejection> {
        let options = if is_whole(options) {
            CredentialRequestOptions::from_json(options)
        } else {
            RequestOptions::from_json(options).map(Into::into)
        };
        let options = options.map_err(|cause| Rejection::new(cause, Operation::Get))?;
        let settlement = self.get_with(options);
        let signed = settlement.into_result()?.and_then(Credential::authentication);
        signed.ok_or_else(|| Rejection::new(Cause::NoKey, Operation::Get))
    }

    /// `PublicKeyCredential.getClientCapabilities()`, with this key at hand.
    ///
    /// # Errors
    ///
    /// The rejection where the profile has no public keys.
    pub fn client_capabilities(&mut self) -> Result<BTreeMap<&'static str, bool>, Rejection> {
        let keys: Vec<_> = self.key_info().into_iter().collect();
        self.page.client_capabilities(&keys)
    }

    /// One of the signal methods of `PublicKeyCredential`, and what the key deleted or renamed for it, of which a page learns
    /// nothing. A key that cannot heed it, as one without a PIN, or that is pulled out, changes nothing.
    ///
    /// # Errors
    ///
    /// The rejection: as [`Page::signal`], and `SecurityError` where a list of related origins does not help.
    pub fn signal(&mut self, options: SignalOptions) -> Result<Vec<Stored>, Rejection> {
        let mut sending = self.page.signal(options)?;
        while let Some(url) = sending.url() {
            let fetched = self.keys.fetch(&url);
            sending.handle_fetched(fetched.as_ref())?;
        }
        let (entropy, reach) = (self.entropy.fork(), self.keys.reach(KEY));
        let heeded = reach.zip(self.keys.connection_mut(KEY)).map(|(reach, connection)| {
            drive(sending.ceremony(reach, entropy), connection, &mut self.user)
        });
        Ok(heeded.and_then(Result::ok).unwrap_or_default())
    }

    /// create with everything that the container takes.
    pub fn create_with(&mut self, options: CredentialCreationOptions) -> Settlement {
        let (now, entropy) = (self.keys.now(), self.entropy.fork());
        let request = self.page.credentials().create(now, options, entropy);
        self.settle(request)
    }

    /// get with everything that the container takes.
    pub fn get_with(&mut self, options: CredentialRequestOptions) -> Settlement {
        let (now, entropy) = (self.keys.now(), self.entropy.fork());
        let request = self.page.credentials().get(now, options, entropy);
        self.settle(request)
    }

    /// What the key says about itself; nothing if it is pulled out, or speaks CTAP1 only.
    fn key_info(&mut self) -> Option<Info> {
        let (entropy, reach) = (self.entropy.fork(), self.keys.reach(KEY)?);
        let connection = self.keys.connection_mut(KEY)?;
        match drive(manage::about(reach, entropy), connection, &mut self.user) {
            Ok(About::Ctap2(info)) => Some(*info),
            Ok(About::U2f(_)) | Err(_) => None,
        }
    }

    fn settle(&mut self, request: Request) -> Settlement {
        self.keys.settle(request, &mut self.user)
    }
}

/// Is this the argument of create or get, and not only the options of public keys?
fn is_whole(options: &str) -> bool {
    // Where the word does not stand, nothing has to be parsed for it.
    options.contains("publicKey")
        && serde_json::from_str::<serde_json::Value>(options)
            .is_ok_and(|options| options.get("publicKey").is_some())
}

/// The only key.
const KEY: KeyId = KeyId(0);

/// The finger that the user puts on a sensor, always the same.
const FINGER: Finger = Finger(1);

/// The user's hand at the key.
struct Hand {
    script: Script,
    /// The question that was last put, and what the user did.
    asked: Option<AskId>,
    act: Act,
}

impl softkey_authenticator::hid::User for Hand {
    fn answer(&mut self, _: Instant, ask: &Ask) -> Option<Answer> {
        if self.asked != Some(ask.id) {
            self.asked = Some(ask.id);
            self.act = self.script.touch();
        }
        match (self.act, &ask.question) {
            (Act::Ignore | Act::Unplug, _) => None,
            (Act::Consent, Question::Verify { .. }) => {
                Some(Answer::Verified { shows_presence: true })
            }
            (Act::Consent, Question::CaptureSample { .. }) => {
                Some(Answer::Sample(Sample::Good(FINGER)))
            }
            (Act::Refuse, Question::Verify { .. }) => Some(Answer::NotVerified),
            (Act::Consent, _) => Some(Answer::Yes),
            (Act::Refuse, _) => Some(Answer::No),
        }
    }
}

type Key = Attendant<MemoryStore, KeyEntropy, Hand>;

/// The wire to the key, which the user can pull.
pub struct Cable {
    loopback: Loopback<Key>,
}

/// The key was pulled out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unplugged;

impl fmt::Display for Unplugged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("The key was pulled out.")
    }
}

impl std::error::Error for Unplugged {}

impl Cable {
    fn intact(&mut self) -> Result<(), Unplugged> {
        let hand = self.loopback.application_mut().user_mut();
        if hand.act == Act::Unplug { Err(Unplugged) } else { Ok(()) }
    }
}

impl Transport for Cable {
    type Error = Unplugged;

    fn now(&self) -> Instant {
        self.loopback.now()
    }

    fn nonce(&mut self) -> Result<[u8; 8], Unplugged> {
        let Ok(nonce) = self.loopback.nonce();
        Ok(nonce)
    }

    fn send(&mut self, report: &Report) -> Result<(), Unplugged> {
        self.intact()?;
        let Ok(()) = self.loopback.send(report);
        Ok(())
    }

    fn receive(&mut self, timeout: Duration) -> Result<Option<Report>, Unplugged> {
        self.intact()?;
        let Ok(report) = self.loopback.receive(timeout);
        Ok(report)
    }
}
