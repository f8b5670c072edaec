//! [`VaultError`]: what keeps a vault from being opened or made, in two parts: what happened, what to try.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::store::{OpenError, RecordsError};

/// Why a vault could not be opened, made or changed. Whatever it is, the vault's files are as they were.
///
/// [`what`](Self::what) says what happened and names the file, [`try_this`](Self::try_this) what to do;
/// `Display` is both.
#[derive(Debug)]
#[non_exhaustive]
pub enum VaultError {
    /// The environment names no home folder, so there is no default place.
    NoHome,
    /// There is no vault here.
    NotFound(PathBuf),
    /// A vault was to be made, and there is one.
    AlreadyThere(PathBuf),
    /// The folder that a vault was to be made in is missing.
    NoFolder(PathBuf),
    /// The database is there, and its header is gone.
    HeaderMissing(PathBuf),
    /// The header is there, and its database is gone.
    DatabaseMissing(PathBuf),
    /// The vault is opened by this key file, and it is gone.
    KeyFileMissing(PathBuf),
    /// The key file does not hold 32 bytes.
    KeyFileDamaged(PathBuf),
    /// The key file is another one than the vault was made with.
    WrongKeyFile(PathBuf),
    /// The vault is opened by a passphrase, and none was given.
    NeedsPassphrase(PathBuf),
    /// The vault is opened by a key file, and a passphrase was given.
    NeedsKeyFile(PathBuf),
    /// The passphrase is not the one that the vault was made with.
    WrongPassphrase(PathBuf),
    /// The file is something else.
    NotAVault(PathBuf),
    /// The file ends too early.
    Truncated(PathBuf),
    /// The file contradicts itself, in these words.
    Damaged(PathBuf, String),
    /// The header belongs to another database.
    Mismatched(PathBuf),
    /// The file was written by a newer version of this program, in the format of this number.
    Newer(PathBuf, u8),
    /// The vault is a security key's, and no browser profile.
    HoldsKey(PathBuf),
    /// The vault is a browser profile, and no security key's.
    HoldsProfile(PathBuf),
    /// Others than the owner may read or write the file; its mode.
    OpenToOthers(PathBuf, u32),
    /// Others may replace files in this folder; its mode.
    FolderOpenToAll(PathBuf, u32),
    /// Another process has the vault open; its number, if known.
    InUse(PathBuf, Option<u32>),
    /// The disk is full.
    Full(PathBuf),
    /// The system refused.
    Io(PathBuf, io::Error),
    /// The passphrase could not be worked on, most likely for want of memory.
    Derivation,
    /// The source of randomness failed.
    Entropy,
}

impl VaultError {
    /// What happened, naming the file: a sentence without a stop.
    #[must_use]
    pub fn what(&self) -> String {
        match self {
            Self::NoHome => "neither XDG_DATA_HOME nor HOME says where the vault is".into(),
            Self::NotFound(path) => format!("there is no vault at {}", path.display()),
            Self::AlreadyThere(path) => format!("there is a vault at {} already", path.display()),
            Self::NoFolder(path) => format!("there is no folder {}", path.display()),
            Self::HeaderMissing(path) => {
                format!("{}, without which its vault cannot be read, is missing", path.display())
            }
            Self::DatabaseMissing(path) => {
                format!(
                    "{}, which holds the credentials, is missing, and its header is not",
                    path.display()
                )
            }
            Self::KeyFileMissing(path) => {
                format!("the key file {}, which opens the vault, is missing", path.display())
            }
            Self::KeyFileDamaged(path) => {
                format!("the key file {} does not hold 32 bytes", path.display())
            }
            Self::WrongKeyFile(path) => {
                format!("the key file {} belongs to another vault", path.display())
            }
            Self::NeedsPassphrase(path) => {
                format!(
                    "the vault {} is protected by a passphrase, and none was given",
                    path.display()
                )
            }
            Self::NeedsKeyFile(path) => {
                format!(
                    "the vault {} is opened by its key file, not by a passphrase",
                    path.display()
                )
            }
            Self::WrongPassphrase(path) => {
                format!("this is not the passphrase of the vault {}", path.display())
            }
            Self::NotAVault(path) => format!("{} is not a file of a softkey vault", path.display()),
            Self::Truncated(path) => format!("{} ends too early", path.display()),
            Self::Damaged(path, how) => format!("{} is damaged: {how}", path.display()),
            Self::Mismatched(path) => {
                format!("{} is the header of another vault than the one beside it", path.display())
            }
            Self::Newer(path, version) => {
                format!(
                    "{} has the format {version}, which this version does not know",
                    path.display()
                )
            }
            Self::HoldsKey(path) => {
                format!("the vault {} is a security key's, and no browser profile", path.display())
            }
            Self::HoldsProfile(path) => {
                format!("the vault {} is a browser profile, and no security key's", path.display())
            }
            Self::OpenToOthers(path, mode) => {
                format!("others can read or change {} (mode {mode:03o})", path.display())
            }
            Self::FolderOpenToAll(path, mode) => {
                format!(
                    "others can replace files in the folder {} (mode {mode:03o})",
                    path.display()
                )
            }
            Self::InUse(path, Some(process)) => {
                format!("the vault {} is in use by process {process}", path.display())
            }
            Self::InUse(path, None) => format!("the vault {} is in use", path.display()),
            Self::Full(path) => format!("there is no room on the disk for {}", path.display()),
            Self::Io(path, error) => format!("{}: {error}", path.display()),
            Self::Derivation => "the passphrase could not be checked".into(),
            Self::Entropy => "the system gave no random numbers".into(),
        }
    }

    /// What to try: a sentence without a stop.
    #[must_use]
    pub fn try_this(&self) -> String {
        match self {
            Self::NoHome => "set HOME, or name a file with --vault".into(),
            Self::NotFound(_) => {
                "check the name, or let `softkey run` make a new vault there".into()
            }
            Self::AlreadyThere(_) => "open it, or choose another name".into(),
            Self::NoFolder(path) => format!("make it with `mkdir -m 700 {}`", path.display()),
            Self::HeaderMissing(_) | Self::DatabaseMissing(_) => {
                "put it back from a backup; nothing was changed".into()
            }
            Self::KeyFileMissing(_) | Self::KeyFileDamaged(_) | Self::WrongKeyFile(_) => {
                "put the vault's own key file back from a backup; nothing was changed".into()
            }
            Self::NeedsPassphrase(_) => {
                "run in the foreground of a terminal, or give it by --passphrase-file or \
                 SOFTKEY_PASSPHRASE"
                    .into()
            }
            Self::NeedsKeyFile(_) => "leave the passphrase out".into(),
            Self::WrongPassphrase(_) => "try again; nothing was changed".into(),
            Self::NotAVault(_) | Self::HoldsKey(_) | Self::HoldsProfile(_) => {
                "choose another name; nothing was changed".into()
            }
            Self::Truncated(_) | Self::Damaged(..) | Self::Mismatched(_) => {
                "put the vault's files back from a backup, all of them from the same one, or move \
                 them away to begin a new vault; nothing was changed"
                    .into()
            }
            Self::Newer(..) => "use the newer version of softkey; nothing was changed".into(),
            Self::OpenToOthers(path, _) => {
                format!("make it yours alone with `chmod 600 {}`", path.display())
            }
            Self::FolderOpenToAll(path, _) => {
                format!(
                    "make it yours alone with `chmod go-w {}`, or use another folder",
                    path.display()
                )
            }
            Self::InUse(..) => "wait until that process is done, or choose another name".into(),
            Self::Full(_) => "make room and try again; nothing was changed".into(),
            Self::Io(_, error) => match error.kind() {
                io::ErrorKind::PermissionDenied => "check who owns the file and its folder".into(),
                _ => "check the disk and the file's permissions; nothing was changed".into(),
            },
            Self::Derivation => {
                "free some memory (64 MiB are needed for a moment) and try again".into()
            }
            Self::Entropy => "try again; see the system's log if it stays so".into(),
        }
    }

    /// The system's word on a file.
    pub(super) fn io(path: &Path, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::Full(path.to_owned())
            }
            _ => Self::Io(path.to_owned(), error),
        }
    }

    /// The store's word on the database.
    pub(super) fn database(path: &Path, error: OpenError) -> Self {
        let path = path.to_owned();
        match error {
            OpenError::Empty | OpenError::Truncated => Self::Truncated(path),
            OpenError::NotEmpty => Self::AlreadyThere(path),
            OpenError::Foreign => Self::NotAVault(path),
            OpenError::Stranger => Self::Mismatched(path),
            OpenError::Format(number) => Self::Newer(path, number),
            OpenError::Records(RecordsError::Full(_)) => Self::Full(path),
            OpenError::Records(RecordsError::Io(error)) => Self::Io(path, error),
            OpenError::Records(other) => Self::Damaged(path, other.to_string()),
        }
    }
}

impl fmt::Display for VaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what(), self.try_this())
    }
}

impl std::error::Error for VaultError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(_, error) => Some(error),
            _ => None,
        }
    }
}
