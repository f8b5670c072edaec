//! How a command opens a vault: by the passphrase from a file, from the environment or from a prompt, or by the key file.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use getrandom::SysRng;
use zeroize::Zeroizing;

use crate::environment::variable;
use crate::error::{CliError, Exit};
use crate::tty;
use crate::vault::{Passphrase, Protection, Reserved, Unlock, Vault, VaultError, VaultPaths};

/// The environment variable a passphrase may come from.
const PASSPHRASE_VARIABLE: &str = "SOFTKEY_PASSPHRASE";
/// How often a person may mistype the passphrase.
const TRIES: usize = 3;
/// How far apart a vault is tried that another process has open.
const APART: Duration = Duration::from_millis(50);

/// Where a passphrase comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The first line of this file.
    File(PathBuf),
    /// The environment, else a person at the terminal; where neither has one, there is a key file.
    Surroundings,
    /// From nowhere: there is a key file.
    Nowhere,
}

impl From<Option<PathBuf>> for Source {
    fn from(file: Option<PathBuf>) -> Self {
        file.map_or(Self::Surroundings, Self::File)
    }
}

/// What there is to open a vault with. It is read once: what comes out of a pipe comes no second time.
pub struct Means {
    /// From a file or from the environment.
    given: Option<Unlock>,
    /// Is there a person who can be asked?
    may_ask: bool,
}

impl Means {
    /// Reads the passphrase, if there is one to read.
    ///
    /// # Errors
    ///
    /// [`Exit::BadInput`] if it cannot be read, or is empty.
    pub fn read(source: &Source) -> Result<Self, CliError> {
        let given = given(source)?.map(Unlock::Passphrase);
        Ok(Self { given, may_ask: may_ask(source) })
    }
}

/// Opens the vault; nothing if there is none. While another process has the vault, it is tried so many times more, 50 ms apart.
///
/// # Errors
///
/// [`Exit::Vault`] if it cannot be opened, [`Exit::BadInput`] if the person's passphrase cannot be read.
pub fn open(paths: &VaultPaths, means: &Means, tries: u32) -> Result<Option<Vault>, CliError> {
    let opened = match (Vault::protection(paths), &means.given) {
        (Ok(Protection::KeyFile), None) => patiently(paths, &Unlock::KeyFile, tries),
        (Ok(_), Some(unlock)) => patiently(paths, unlock, tries),
        (Ok(Protection::Passphrase(_)), None) if means.may_ask => {
            return ask_and_open(paths, tries).map(Some);
        }
        (Ok(Protection::Passphrase(_)), None) => {
            Err(VaultError::NeedsPassphrase(paths.database.clone()))
        }
        (Err(VaultError::NotFound(_)), _) => return Ok(None),
        (Err(error), _) => Err(error),
    };
    opened.map(Some).map_err(|error| told(&error))
}

/// Makes the vault, and says what opens it: the passphrase that is given, else what a person at the terminal chooses, else
/// a key file.
///
/// # Errors
///
/// As [`open`].
pub fn create(paths: &VaultPaths, means: Means) -> Result<(Vault, Unlock), CliError> {
    let unlock = chosen(means)?;
    let vault = Vault::create(paths, &unlock, &mut SysRng).map_err(|error| told(&error))?;
    Ok((vault, unlock))
}

/// The same where its place is held already.
///
/// # Errors
///
/// As [`open`].
pub fn create_reserved(reserved: Reserved, means: Means) -> Result<(Vault, Unlock), CliError> {
    let unlock = chosen(means)?;
    let vault = reserved.create(&unlock, &mut SysRng).map_err(|error| told(&error))?;
    Ok((vault, unlock))
}

/// Holds the place of a vault that is not there yet; nothing if somebody has made it meanwhile. Whoever else holds it is waited
/// for as by [`open`].
///
/// # Errors
///
/// [`Exit::Vault`] if it cannot be held.
pub fn reserve(paths: &VaultPaths, tries: u32) -> Result<Option<Reserved>, CliError> {
    match patient(tries, || Vault::reserve(paths)) {
        Err(VaultError::AlreadyThere(_)) => Ok(None),
        reserved => reserved.map(Some).map_err(|error| told(&error)),
    }
}

/// What is to open a new vault.
fn chosen(means: Means) -> Result<Unlock, CliError> {
    let chosen = match means.given {
        // Who does not see what a command says must not find later that they chose something for good.
        None if means.may_ask && io::stderr().is_terminal() => {
            choose_passphrase("Passphrase for the new vault (empty: a key file): ")?
                .map(Unlock::Passphrase)
        }
        given => given,
    };
    Ok(chosen.unwrap_or(Unlock::KeyFile))
}

/// What opens the vault that is there. A person at the terminal is asked for its passphrase.
///
/// # Errors
///
/// [`Exit::Vault`] if there is none, or nothing to open it with; [`Exit::BadInput`] if the passphrase cannot be read.
pub fn key_to(paths: &VaultPaths, means: &Means) -> Result<Unlock, CliError> {
    let protection = Vault::protection(paths).map_err(|error| told(&error))?;
    let unlock = match (protection, &means.given) {
        (_, Some(unlock)) => Some(unlock.clone()),
        (Protection::KeyFile, None) => Some(Unlock::KeyFile),
        (Protection::Passphrase(_), None) if means.may_ask => {
            let passphrase = prompt_for(&passphrase_of(paths))?;
            // No vault has an empty one.
            let wrong = || told(&VaultError::WrongPassphrase(paths.database.clone()));
            Some(Unlock::Passphrase(passphrase.ok_or_else(wrong)?))
        }
        (Protection::Passphrase(_), None) => None,
    };
    unlock.ok_or_else(|| told(&VaultError::NeedsPassphrase(paths.database.clone())))
}

/// What a vault that is there is to be opened with: the passphrase from this file, else what a person at the terminal chooses.
///
/// # Errors
///
/// [`Exit::Usage`] if nobody can choose, [`Exit::BadInput`] if the passphrase cannot be read.
pub fn choose(file: Option<&PathBuf>) -> Result<Unlock, CliError> {
    if let Some(file) = file {
        let passphrase = given(&Source::File(file.clone()))?;
        return Ok(passphrase.map_or(Unlock::KeyFile, Unlock::Passphrase));
    }
    if !tty::is_at_hand() {
        return Err(CliError::new(
            Exit::Usage,
            "Nobody is at a terminal to choose a new passphrase.",
            "--new-passphrase-file FILE, or --key-file",
        ));
    }
    let passphrase = choose_passphrase("New passphrase (empty: a key file): ")?;
    Ok(passphrase.map_or(Unlock::KeyFile, Unlock::Passphrase))
}

fn passphrase_of(paths: &VaultPaths) -> String {
    format!("Passphrase of {}: ", paths.database.display())
}

/// Opens the vault, and waits for it so many times.
fn patiently(paths: &VaultPaths, unlock: &Unlock, tries: u32) -> Result<Vault, VaultError> {
    patient(tries, || Vault::open(paths, unlock))
}

/// Tries so many times more while another process has the vault.
fn patient<T>(tries: u32, attempt: impl Fn() -> Result<T, VaultError>) -> Result<T, VaultError> {
    for _ in 0..tries {
        match attempt() {
            Err(VaultError::InUse(..)) => thread::sleep(APART),
            other => return other,
        }
    }
    attempt()
}

/// The passphrase from a file or from the environment.
fn given(source: &Source) -> Result<Option<Passphrase>, CliError> {
    let (text, place) = match source {
        Source::File(file) => {
            let text = fs::read_to_string(file).map_err(|error| {
                CliError::new(
                    Exit::BadInput,
                    format!("The passphrase file {} cannot be read: {error}.", file.display()),
                    "check its name and who may read it",
                )
            })?;
            (Zeroizing::new(text), file.display().to_string())
        }
        Source::Surroundings => match variable(PASSPHRASE_VARIABLE)? {
            Some(text) => (text, PASSPHRASE_VARIABLE.to_owned()),
            None => return Ok(None),
        },
        Source::Nowhere => return Ok(None),
    };
    let line = text.lines().next().unwrap_or_default();
    let passphrase = Passphrase::new(line.to_owned()).ok_or_else(|| {
        CliError::new(
            Exit::BadInput,
            format!("The passphrase in {place} is empty."),
            "put the passphrase into its first line, or leave it out for a key file",
        )
    })?;
    Ok(Some(passphrase))
}

/// Asks for the passphrase of a vault until it opens, three times at most.
fn ask_and_open(paths: &VaultPaths, patience: u32) -> Result<Vault, CliError> {
    let mut prompt = passphrase_of(paths);
    let mut tries = 0;
    loop {
        tries += 1;
        let opened = match prompt_for(&prompt)? {
            Some(passphrase) => patiently(paths, &Unlock::Passphrase(passphrase), patience),
            None => Err(VaultError::WrongPassphrase(paths.database.clone())),
        };
        match opened {
            Err(VaultError::WrongPassphrase(_)) if tries == 1 => {
                prompt.insert_str(0, "That is not the passphrase.\n");
            }
            Err(VaultError::WrongPassphrase(_)) if tries < TRIES => {}
            other => return other.map_err(|error| told(&error)),
        }
    }
}

/// Asks for a new passphrase twice; `None` if a key file is wanted.
fn choose_passphrase(prompt: &str) -> Result<Option<Passphrase>, CliError> {
    for _ in 0..TRIES {
        let first = prompt_secret(prompt)?;
        if first.is_empty() {
            return Ok(None);
        }
        let second = prompt_secret("The same again: ")?;
        if *first == *second {
            return Ok(Passphrase::new(first.to_string()));
        }
        eprintln!("These were two different passphrases.");
    }
    Err(CliError::new(
        Exit::BadInput,
        "No passphrase was chosen.",
        "start again, or leave it empty for a key file",
    ))
}

fn prompt_for(prompt: &str) -> Result<Option<Passphrase>, CliError> {
    Ok(Passphrase::new(prompt_secret(prompt)?.to_string()))
}

fn prompt_secret(prompt: &str) -> Result<Zeroizing<String>, CliError> {
    tty::ask(prompt).map_err(|error| {
        CliError::new(
            Exit::BadInput,
            format!("The passphrase cannot be read from the terminal: {error}."),
            format!("give --passphrase-file or {PASSPHRASE_VARIABLE}"),
        )
    })
}

fn may_ask(source: &Source) -> bool {
    *source == Source::Surroundings && tty::is_at_hand()
}

/// A vault's error for the person at the terminal.
#[must_use]
pub fn told(error: &VaultError) -> CliError {
    let what = error.what();
    let mut chars = what.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    let what: String = first.into_iter().chain(chars).chain(['.']).collect();
    CliError::new(Exit::Vault, what, error.try_this())
}
