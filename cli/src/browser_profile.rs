//! A browser profile on the disk, for the commands that play a page: where it is, that nobody else reads it, that two
//! commands do not lose each other's changes, and that it is replaced in one step. It is a file, or sealed in a vault.
#![allow(
    clippy::doc_markdown,
    reason = "some of these comments are the text of --help, where backticks are noise"
)]

mod carry;
#[cfg(test)]
mod tests;
mod vault;

use std::env;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use clap::Args;
use softkey_client::{Profile, Settings};
use zeroize::Zeroizing;

use crate::error::{CliError, Exit};
use crate::text::quoted;
use crate::unlock::Source;
use crate::vault::files;
use crate::vault::{VaultError, VaultPaths};
use vault::Sealed;

pub use carry::Carried;

/// The longest file that is read, in bytes: thousands of passwords are a tenth of it.
const LONGEST: usize = 16 << 20;
/// How often, and how far apart, a profile that another command has in use is tried.
const TRIES: u32 = 100;
const APART: Duration = Duration::from_millis(50);

/// Where a browser profile is.
#[derive(Clone, Debug, Default, Args)]
pub struct BrowserProfileArgs {
    /// What the browser remembers, passwords and cookies above all; made if it is not there [default:
    /// $XDG_DATA_HOME/softkey/browser-profile.json]
    ///
    /// A JSON file that only you may read, not sealed. Whoever can read your files can read the passwords in it, learn
    /// which accounts of identity providers are connected with which sites, and go on with your sessions there by
    /// the cookies. --browser-vault seals them.
    #[arg(long, value_name = "FILE", global = true)]
    pub browser_profile: Option<PathBuf>,

    /// The same, sealed in a vault as a key's credentials are; made when something is first kept
    ///
    /// A passphrase opens it, or FILE.key if there is none; whoever can read both files can read the passwords.
    #[arg(long, value_name = "FILE", global = true)]
    pub browser_vault: Option<PathBuf>,

    /// Read the passphrase of the browser vault from the first line of this file
    ///
    /// Without it the passphrase comes from the environment variable SOFTKEY_PASSPHRASE or from a prompt.
    #[arg(long, value_name = "FILE", global = true)]
    pub passphrase_file: Option<PathBuf>,
}

/// A browser profile that is open: nobody else changes it until this is saved or dropped.
pub struct BrowserProfile {
    profile: Profile,
    /// As the file has them; a command may change them for itself.
    settings: Settings,
    /// As it was there; nothing if it is not there yet.
    text: Option<Zeroizing<String>>,
    /// A member of it that this version does not know.
    unknown: Option<String>,
    place: Place,
}

/// Where it is.
enum Place {
    Memory,
    File(ProfileFile),
    Vault(Box<Sealed>),
}

/// The file behind it.
struct ProfileFile {
    path: PathBuf,
    _lock: File,
}

impl BrowserProfileArgs {
    /// Opens the profile, a new one if there is none.
    ///
    /// # Errors
    ///
    /// [`Exit::BadInput`] if it cannot be read or is none, if others may read it, or if another command has it in use;
    /// [`Exit::Vault`] for a vault of which that is true; [`Exit::Usage`] for arguments that contradict each other.
    pub fn open(&self) -> Result<BrowserProfile, CliError> {
        self.check()?;
        match &self.browser_vault {
            Some(file) => {
                let passphrase = self.passphrase_file.clone().into();
                BrowserProfile::open_vault(VaultPaths::at(file), &passphrase)
            }
            None => BrowserProfile::open(self.place()?),
        }
    }

    /// The same if it is named; else one that is forgotten at the end.
    ///
    /// # Errors
    ///
    /// Likewise.
    pub fn open_if_named(&self) -> Result<BrowserProfile, CliError> {
        self.check()?;
        let named = self.browser_profile.is_some() || self.browser_vault.is_some();
        if named { self.open() } else { Ok(BrowserProfile::in_memory()) }
    }

    /// What clap cannot say of arguments that may stand before and behind a subcommand.
    fn check(&self) -> Result<(), CliError> {
        let (what, try_this) = match self {
            Self { browser_profile: Some(_), browser_vault: Some(_), .. } => (
                "A browser profile is in a file or in a vault.",
                "--browser-profile or --browser-vault alone",
            ),
            Self { browser_vault: None, passphrase_file: Some(_), .. } => (
                "The passphrase is for a browser vault, and none is named.",
                "--browser-vault with its file",
            ),
            _ => return Ok(()),
        };
        Err(CliError::new(Exit::Usage, what, try_this))
    }

    fn place(&self) -> Result<PathBuf, CliError> {
        if let Some(path) = &self.browser_profile {
            return Ok(path.clone());
        }
        // The base directory specification ignores what is not absolute.
        let set = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let data = set("XDG_DATA_HOME").or_else(|| Some(set("HOME")?.join(".local/share")));
        let folder = data.map(|data| data.join("softkey")).ok_or_else(|| {
            CliError::new(
                Exit::BadInput,
                "Neither XDG_DATA_HOME nor HOME says where the browser profile is.",
                "set HOME, or name a file with --browser-profile",
            )
        })?;
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.map_err(|error| unusable(&folder, &error))?;
        Ok(folder.join("browser-profile.json"))
    }
}

impl BrowserProfile {
    /// One that is forgotten at the end.
    #[must_use]
    pub fn in_memory() -> Self {
        Self {
            profile: Profile::new(),
            settings: Settings::default(),
            text: None,
            unknown: None,
            place: Place::Memory,
        }
    }

    /// The profile in this file, a new one if it is not there.
    ///
    /// # Errors
    ///
    /// As [`BrowserProfileArgs::open`].
    pub fn open(path: PathBuf) -> Result<Self, CliError> {
        // Looked at first: what is none of ours gets no lock file beside it.
        check(&path)?;
        let path = resolved(path)?;
        let lock = lock(&path)?;
        let text = if check(&path)? { Some(read(&path)?) } else { None };
        let place = path.clone();
        Self::of(text, &place, Place::File(ProfileFile { path, _lock: lock }))
    }

    /// The profile in the vault of these paths, a new one if there is none.
    ///
    /// # Errors
    ///
    /// As [`BrowserProfileArgs::open`].
    pub fn open_vault(paths: VaultPaths, passphrase: &Source) -> Result<Self, CliError> {
        let path = paths.database.clone();
        let (sealed, text) = Sealed::open(paths, passphrase)?;
        Self::of(text, &path, Place::Vault(Box::new(sealed)))
    }

    fn of(text: Option<Zeroizing<String>>, path: &Path, place: Place) -> Result<Self, CliError> {
        let mut unknown = None;
        let profile = match &text {
            Some(text) => Profile::from_json_noting(text, |member| {
                unknown.get_or_insert(member);
            })
            .map_err(|error| no_profile(path, &error))?,
            None => Profile::new(),
        };
        let settings = profile.settings();
        Ok(Self { profile, settings, text, unknown, place })
    }

    /// The profile. Its settings may be changed; the changes end with the command.
    #[must_use]
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Keeps what has changed, if something has.
    ///
    /// # Errors
    ///
    /// [`Exit::Failed`] if it cannot be written, [`Exit::Vault`] if a vault cannot be made, [`Exit::BadInput`] if something
    /// would be lost that this version does not know; then what was there is there.
    pub fn save(self) -> Result<(), CliError> {
        self.profile.set(|settings| settings.clone_from(&self.settings));
        let text = self.profile.to_text();
        let empty = || Profile::new().to_text();
        if *text == **self.text.as_ref().unwrap_or(&empty()) {
            return Ok(());
        }
        if let Some(member) = &self.unknown {
            return Err(would_lose(member));
        }
        if text.len() > LONGEST {
            let what = "The browser profile was not saved: it has grown too long.";
            return Err(CliError::new(Exit::Failed, what, "softkey passwords remove"));
        }
        match self.place {
            Place::Memory => Ok(()),
            Place::File(ProfileFile { path, .. }) => {
                files::replace(&path, text.as_bytes()).map_err(|error| unsaved(&error))
            }
            Place::Vault(sealed) => sealed.save(&text).map(drop),
        }
    }
}

fn unsaved(error: &VaultError) -> CliError {
    CliError::new(
        Exit::Failed,
        format!("The browser profile was not saved: {}.", error.what()),
        error.try_this(),
    )
}

/// The path behind links: there lies what is replaced, and there is the lock of whoever comes by another name.
fn resolved(path: PathBuf) -> Result<PathBuf, CliError> {
    if !fs::symlink_metadata(&path).is_ok_and(|about| about.is_symlink()) {
        return Ok(path);
    }
    files::check_folder(&path).map_err(|error| refused(&error))?;
    fs::canonicalize(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => unusable(&path, &"it is a link to nothing"),
        _ => unusable(&path, &error),
    })
}

/// What a newer version has written, or what is another program's file after all.
fn would_lose(member: &str) -> CliError {
    let what = format!(
        "The browser profile was not saved: it has {}, which this version does not know and would lose.",
        quoted(member)
    );
    let try_this = "the version of softkey that wrote it, or another file; nothing was changed";
    CliError::new(Exit::BadInput, what, try_this)
}

/// Is there a file that is the owner's alone? Anything else than such a file or nothing is refused.
fn check(path: &Path) -> Result<bool, CliError> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(unusable(path, &error)),
        Ok(about) if !about.is_file() => Err(unusable(path, &"it is no file")),
        Ok(about) if about.permissions().mode() & 0o077 != 0 => {
            let mode = about.permissions().mode() & 0o7777;
            Err(refused(&VaultError::OpenToOthers(path.to_owned(), mode)))
        }
        Ok(about) if about.len() > u64::try_from(LONGEST).unwrap_or(u64::MAX) => {
            Err(unusable(path, &"it is too long"))
        }
        Ok(_) => Ok(true),
    }
}

/// The text of the file.
fn read(path: &Path) -> Result<Zeroizing<String>, CliError> {
    let mut bytes = files::read_private(path, LONGEST).map_err(|error| refused(&error))?;
    text(&mut bytes).ok_or_else(|| unusable(path, &"it is no text"))
}

/// Bytes as a text, without a copy of them.
fn text(bytes: &mut Vec<u8>) -> Option<Zeroizing<String>> {
    let text = String::from_utf8(std::mem::take(bytes));
    text.map(Zeroizing::new).map_err(|error| drop(Zeroizing::new(error.into_bytes()))).ok()
}

/// Waits until no other command has the profile.
fn lock(path: &Path) -> Result<File, CliError> {
    files::check_folder(path).map_err(|error| refused(&error))?;
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(&name).map_err(|error| unusable(&name, &error))?;
    for _ in 0..TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => thread::sleep(APART),
            Err(TryLockError::Error(error)) => return Err(unusable(&name, &error)),
        }
    }
    Err(CliError::new(
        Exit::BadInput,
        format!("Another command has the browser profile {} in use.", path.display()),
        "again when it is done, or another --browser-profile",
    ))
}

/// The file is no profile. What JSON says about it may quote a password, so only its place is told.
fn no_profile(path: &Path, error: &serde_json::Error) -> CliError {
    let place = format!("line {}, column {}", error.line(), error.column());
    unusable(path, &format!("it is no browser profile from {place} on"))
}

fn unusable(path: &Path, why: &dyn std::fmt::Display) -> CliError {
    CliError::new(
        Exit::BadInput,
        format!("The browser profile cannot be used: {}: {why}.", path.display()),
        "another file; nothing was changed",
    )
}

fn refused(error: &VaultError) -> CliError {
    let what = format!("The browser profile cannot be used: {}.", error.what());
    CliError::new(Exit::BadInput, what, error.try_this())
}
