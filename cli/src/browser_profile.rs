//! A browser profile on the disk, for the commands that play a page: where it is, that nobody else reads it, that two
//! commands do not lose each other's changes, and that it is replaced in one step.
#![allow(
    clippy::doc_markdown,
    reason = "some of these comments are the text of --help, where backticks are noise"
)]

#[cfg(test)]
mod tests;

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
use crate::vault::VaultError;
use crate::vault::files;

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
    /// the cookies.
    #[arg(long, value_name = "FILE", global = true)]
    pub browser_profile: Option<PathBuf>,
}

/// A browser profile that is open: nobody else changes it until this is saved or dropped.
pub struct BrowserProfile {
    profile: Profile,
    /// As the file has them; a command may change them for itself.
    settings: Settings,
    file: Option<ProfileFile>,
}

/// The file behind it.
struct ProfileFile {
    path: PathBuf,
    /// What it holds; nothing if it is not there yet.
    text: Option<Zeroizing<String>>,
    _lock: File,
}

impl BrowserProfileArgs {
    /// Opens the profile, a new one if there is none.
    ///
    /// # Errors
    ///
    /// [`Exit::BadInput`] if it cannot be read or is none, if others may read it, or if another command has it in use.
    pub fn open(&self) -> Result<BrowserProfile, CliError> {
        BrowserProfile::open(self.place()?)
    }

    /// The same if it is named; else one that is forgotten at the end.
    ///
    /// # Errors
    ///
    /// Likewise.
    pub fn open_if_named(&self) -> Result<BrowserProfile, CliError> {
        if self.browser_profile.is_some() { self.open() } else { Ok(BrowserProfile::in_memory()) }
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
        Self { profile: Profile::new(), settings: Settings::default(), file: None }
    }

    /// The profile in this file, a new one if it is not there.
    ///
    /// # Errors
    ///
    /// As [`BrowserProfileArgs::open`].
    pub fn open(path: PathBuf) -> Result<Self, CliError> {
        // Looked at first: what is none of ours gets no lock file beside it.
        check(&path)?;
        let lock = lock(&path)?;
        let text = if check(&path)? { Some(read(&path)?) } else { None };
        let profile = match &text {
            Some(text) => Profile::from_json(text).map_err(|error| no_profile(&path, &error))?,
            None => Profile::new(),
        };
        let settings = profile.settings();
        Ok(Self { profile, settings, file: Some(ProfileFile { path, text, _lock: lock }) })
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
    /// [`Exit::Failed`] if it cannot be written; then the file is as it was.
    pub fn save(self) -> Result<(), CliError> {
        let Some(ProfileFile { path, text: before, .. }) = &self.file else { return Ok(()) };
        self.profile.set(|settings| settings.clone_from(&self.settings));
        let text = self.profile.to_text();
        let empty = || Profile::new().to_text();
        if *text == **before.as_ref().unwrap_or(&empty()) {
            return Ok(());
        }
        files::replace(path, text.as_bytes()).map_err(|error| {
            CliError::new(
                Exit::Failed,
                format!("The browser profile was not saved: {}.", error.what()),
                error.try_this(),
            )
        })
    }
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
    let text = String::from_utf8(std::mem::take(&mut *bytes));
    text.map(Zeroizing::new).map_err(|error| {
        drop(Zeroizing::new(error.into_bytes()));
        unusable(path, &"it is no text")
    })
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
        "another --browser-profile; nothing was changed",
    )
}

fn refused(error: &VaultError) -> CliError {
    let what = format!("The browser profile cannot be used: {}.", error.what());
    CliError::new(Exit::BadInput, what, error.try_this())
}
