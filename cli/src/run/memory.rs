//! Where a key keeps what must outlive a power cycle, and what its randomness is: the vault or this process,
//! the system or a seed. Opens the vault, or makes it, before the key appears anywhere.

use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};

use chacha20::ChaCha20Rng;
use getrandom::SysRng;
use rand_core::{Rng, SeedableRng, TryCryptoRng, TryRng};
use softkey_authenticator::{
    Algorithms, Ask, Authenticator, Config, Decision, Fault, FingerprintKind, FingerprintSensor,
    MemoryStore, OpenError, Refusal, RootKey, Session, Step, Store, UserVerification, Via,
};
use softkey_ctap::{Instant, Secret};

use super::event::Event;
use super::record;
use super::worker::{Engine, PowerUp};
use crate::args::{MemoryArgs, RunArgs, Verifier};
use crate::attestation::Attester;
use crate::error::{CliError, Exit};
use crate::profile::{Mark, Profile};
use crate::replay::transcript::Header;
use crate::unlock::{self, Means};
use crate::vault::{Unlock, Vault, VaultPaths};

/// An open memory.
pub struct Memory {
    /// Makes the authenticator from it, at each power-up.
    pub power_up: PowerUp,
    /// What it is, for people: the vault's path, or `memory`.
    pub name: String,
    /// What the owner should know of it.
    pub notices: Vec<Event>,
}

/// The longest request that fits into what the kernel keeps of it until we read: 32 reports for a uhid device, of
/// which two stay free for other clients. What comes beyond that while a busy machine does not let us read, the
/// kernel throws away. In bytes: 57 in the first report, 59 in each other.
pub const UHID_MAX_MSG_SIZE: u16 = 57 + 29 * 59;

/// Opens the memory that the arguments name, for a key of this profile that is shown over uhid or not.
///
/// # Errors
///
/// [`Exit::Vault`] if the vault cannot be opened or made, or belongs to another profile; [`Exit::Usage`] if the user's own
/// vault would be opened with a profile, [`Exit::BadInput`] if the passphrase or the attestation root cannot be read.
pub fn open(args: &RunArgs, profile: &Profile, over_uhid: bool) -> Result<Memory, CliError> {
    args.record.as_deref().map_or(Ok(()), record::expect_new)?;
    let algorithms = args.algorithms.as_ref();
    let attester = Attester::wanted(args)?;
    let attester = attester.as_ref();
    let setup = Setup { profile, uv: args.uv, algorithms, attester, over_uhid };
    let mut memory = unrecorded(args, &setup)?;
    memory.notices.extend(attester.map(|attester| Event::Notice { what: attester.notice() }));
    if let Some(file) = &args.record {
        let header = Header::new(&setup, args);
        memory.power_up = record::record(file, &header, memory.power_up)?;
    }
    Ok(memory)
}

fn unrecorded(args: &RunArgs, setup: &Setup<'_>) -> Result<Memory, CliError> {
    let (config, profile) = (setup.config(), setup.profile);
    let entropy = args.seed.map_or(Entropy::System, Entropy::seeded);
    if args.memory.ephemeral {
        let (name, notices) = ("memory".to_owned(), Vec::new());
        return Ok(Memory { power_up: in_memory(entropy, config)?, name, notices });
    }
    let paths = match &args.memory.vault {
        Some(file) => VaultPaths::at(file),
        None if !profile.is_default() => return Err(own_vault(profile)),
        None => VaultPaths::default_for_user().map_err(|error| unlock::told(&error))?,
    };
    Mark::of(&paths).check(profile)?;
    let (vault, notices) = open_vault(&args.memory, &paths)?;
    let name = paths.database.display().to_string();
    let power_up = power_up(vault.store, vault.root_key, entropy, config, name.clone());
    Ok(Memory { power_up, name, notices })
}

/// An authenticator that forgets everything at the end of the process.
///
/// # Errors
///
/// [`Exit::Vault`] if the system gives no entropy.
pub fn in_memory(mut entropy: Entropy, config: Config) -> Result<PowerUp, CliError> {
    let root_key = Secret::try_make(|bytes| entropy.try_fill_bytes(bytes));
    let root_key = root_key.map_err(|_| cannot_open("memory", "the system gave no entropy"))?;
    Ok(power_up(MemoryStore::default(), root_key, entropy, config, "memory".to_owned()))
}

/// What the owner makes of a key, beside where it keeps things.
pub struct Setup<'a> {
    /// What it is.
    pub profile: &'a Profile,
    /// How it verifies its user.
    pub uv: Verifier,
    /// What new credentials sign with, if not what the profile says.
    pub algorithms: Option<&'a Algorithms>,
    /// What attests new credentials, if not what the profile says.
    pub attester: Option<&'a Attester>,
    /// Is it shown over uhid?
    pub over_uhid: bool,
}

impl Setup<'_> {
    /// The authenticator's configuration.
    #[must_use]
    pub fn config(&self) -> Config {
        let mut config = self.profile.config.clone();
        if self.over_uhid {
            config.max_msg_size = config.max_msg_size.min(UHID_MAX_MSG_SIZE);
        }
        match self.uv {
            Verifier::None => {}
            Verifier::Simulated => config.user_verification = Some(SIMULATED_SENSOR),
            Verifier::Fingerprint => {
                config.user_verification = Some(FINGERPRINT_SENSOR);
                // libfido2 knew nothing else until version 1.15.
                config.bio_enrollment_preview = true;
            }
        }
        if let Some(algorithms) = self.algorithms {
            config.algorithms = algorithms.clone();
        }
        if let Some(attester) = self.attester {
            attester.configure(&mut config);
        }
        config
    }
}

/// The refusal to let a profile into the user's own vault.
fn own_vault(profile: &Profile) -> CliError {
    let name = &profile.name;
    let what = format!("Your own vault is for the default profile, and not for {name}.");
    CliError::new(Exit::Usage, what, "give the profile a --vault FILE of its own, or --ephemeral")
}

/// The authenticator on this store, made anew at each power-up. The store waits in `home` meanwhile.
#[must_use]
pub fn power_up<S: Store + Send + 'static>(
    store: S,
    root_key: Secret<32>,
    entropy: Entropy,
    config: Config,
    name: String,
) -> PowerUp {
    let home = Home(Arc::new(Mutex::new(Some(store))));
    Box::new(move |now| {
        let store = home.take().ok_or_else(|| cannot_open(&name, "an earlier start failed"))?;
        let key = RootKey::new(*root_key.expose());
        let opened = Authenticator::open(store, key, entropy.clone(), config.clone(), now);
        let authenticator = opened.map_err(|error| match error {
            OpenError::Store(why) => cannot_open(&name, format!("the store failed: {why:?}")),
            OpenError::WrongKeyOrDamaged => damaged(&name, "a record does not open with its key"),
            OpenError::Incomplete => damaged(&name, "records are missing"),
            OpenError::Entropy => cannot_open(&name, "the system gave no entropy"),
        })?;
        Ok(Box::new(Powered { authenticator: Some(authenticator), home: home.clone() }))
    })
}

/// A pretended sensor: a fingerprint, in the FIDO registry's bits, of a finger that is enrolled already.
pub const SIMULATED_SENSOR: UserVerification =
    UserVerification { modality: 2, max_retries: 5, tries_per_request: 3, enrollment: None };

/// The same on which fingers are enrolled.
pub const FINGERPRINT_SENSOR: UserVerification = UserVerification {
    enrollment: Some(FingerprintSensor {
        kind: FingerprintKind::Touch,
        samples: 4,
        max_fingers: 5,
        by_verification: false,
    }),
    ..SIMULATED_SENSOR
};

/// Where the store is while no authenticator has it.
struct Home<S>(Arc<Mutex<Option<S>>>);

impl<S> Clone for Home<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S> Home<S> {
    fn take(&self) -> Option<S> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, store: S) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(store);
    }
}

/// An authenticator that has power; dropping it takes the power away and saves its store.
struct Powered<S: Store> {
    /// Always there until the drop.
    authenticator: Option<Authenticator<S, Entropy>>,
    home: Home<S>,
}

impl<S: Store> Drop for Powered<S> {
    fn drop(&mut self) {
        if let Some(authenticator) = self.authenticator.take() {
            self.home.put(authenticator.into_store());
        }
    }
}

impl<S: Store> Engine for Powered<S> {
    fn begin(&mut self, now: Instant, via: Via, request: &[u8]) -> Step {
        let authenticator = self.authenticator.as_mut();
        authenticator.map_or_else(|| Step::Reply(Vec::new()), |it| it.begin(now, via, request))
    }

    fn begin_u2f(&mut self, now: Instant, via: Via, apdu: &[u8]) -> Vec<u8> {
        self.authenticator.as_mut().map(|it| it.begin_u2f(now, via, apdu)).unwrap_or_default()
    }

    fn asking(&self) -> Option<&Ask> {
        self.authenticator.as_ref()?.asking()
    }

    fn resume(&mut self, now: Instant, decision: Decision) -> Option<Step> {
        self.authenticator.as_mut()?.resume(now, decision)
    }

    fn cancel(&mut self, via: Via) -> Option<Step> {
        self.authenticator.as_mut()?.cancel(via)
    }

    fn session_ended(&mut self, session: Session) {
        if let Some(authenticator) = &mut self.authenticator {
            authenticator.session_ended(session);
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.authenticator.as_ref()?.poll_timeout()
    }

    fn handle_timeout(&mut self, now: Instant) -> Option<Step> {
        self.authenticator.as_mut()?.handle_timeout(now)
    }

    fn refusal(&self) -> Option<Refusal> {
        self.authenticator.as_ref()?.refusal()
    }

    fn take_store_error(&mut self) -> Option<String> {
        let error = self.authenticator.as_mut()?.take_store_error()?;
        Some(format!("{error:?}"))
    }

    fn block_user_verification(&mut self) {
        if let Some(authenticator) = &mut self.authenticator {
            // The store's own word for a failure is taken by the worker.
            let _ = authenticator.block_user_verification();
        }
    }

    fn set_faults(&mut self, faults: &[Fault]) {
        if let Some(authenticator) = &mut self.authenticator {
            authenticator.set_faults(faults);
        }
    }

    fn take_done(&mut self) -> Vec<Fault> {
        self.authenticator.as_mut().map(Authenticator::take_done).unwrap_or_default()
    }

    fn sweep(&mut self) -> bool {
        self.authenticator.as_mut().is_none_or(Authenticator::sweep)
    }
}

/// Where randomness comes from.
#[derive(Clone)]
pub enum Entropy {
    /// The operating system.
    System,
    /// A seed: every run draws the same, and a power cycle goes on where the last one stopped.
    Seeded(Arc<Mutex<ChaCha20Rng>>),
}

impl Entropy {
    /// The randomness that follows from this number.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Arc::new(Mutex::new(ChaCha20Rng::seed_from_u64(seed))))
    }

    fn fill(&self, bytes: &mut [u8]) -> Result<(), getrandom::Error> {
        match self {
            Self::System => SysRng.try_fill_bytes(bytes),
            Self::Seeded(rng) => {
                rng.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
                Ok(())
            }
        }
    }
}

impl TryRng for Entropy {
    type Error = getrandom::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.fill(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        self.fill(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.fill(bytes)
    }
}

impl TryCryptoRng for Entropy {}

/// Opens the vault, or makes one where there is none.
fn open_vault(args: &MemoryArgs, paths: &VaultPaths) -> Result<(Vault, Vec<Event>), CliError> {
    let means = Means::read(&args.passphrase_file.clone().into())?;
    if let Some(vault) = unlock::open(paths, &means, 0)? {
        vault.refuse_document(paths).map_err(|error| unlock::told(&error))?;
        return Ok((vault, Vec::new()));
    }
    let (vault, unlock) = unlock::create(paths, means)?;
    Ok((vault, vec![new_vault(paths, &unlock)]))
}

/// What the owner should know of a vault that has just been made.
fn new_vault(paths: &VaultPaths, unlock: &Unlock) -> Event {
    let vault = paths.database.display();
    let what = match unlock {
        Unlock::Passphrase(_) => format!("new vault {vault}, opened by your passphrase"),
        Unlock::KeyFile => format!(
            "new vault {vault}, opened by {}: whoever can read your files can copy your keys",
            paths.key_file.display()
        ),
    };
    Event::Notice { what }
}

fn cannot_open(name: &str, why: impl Display) -> CliError {
    CliError::new(Exit::Vault, format!("The key has no power: {name}: {why}."), "try again")
}

fn damaged(name: &str, why: &str) -> CliError {
    CliError::new(
        Exit::Vault,
        format!("{name} is damaged: {why}."),
        "put the vault's files back from a backup, all of them from the same one; nothing was changed",
    )
}
