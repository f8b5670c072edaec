//! The vault: what a security key keeps, on a disk.
//!
//! A vault is a *database* of sealed records ([`RedbStore`]) and a *header* with the root key, which is
//! wrapped by a passphrase or by a *key file* ([`VaultPaths`] says where each lies). The database never sees
//! the root key, and the header never changes but for a new passphrase; it is then replaced in one step.
//!
//! What must not happen here: that a file which cannot be read is changed, that a vault is used by two
//! processes, or that anyone but its owner can read it.
//!
//! Instead of a security key's records a vault may hold one [`Document`].
//!
//! A vault is made in an order that leaves nothing half: the key file, the database under another name, its
//! real name, and last the header. A database without records and without a header is the leftover of a
//! making that was interrupted, and is made again.
//!
//! ```
//! use softkey::vault::{Unlock, Vault, VaultError, VaultPaths};
//! # fn main() -> Result<(), VaultError> {
//! # let folder = tempfile::tempdir().map_err(|error| VaultError::Io("".into(), error))?;
//! let paths = VaultPaths::at(&folder.path().join("vault"));
//! let vault = match Vault::open(&paths, &Unlock::KeyFile) {
//!     Err(VaultError::NotFound(_)) => Vault::create(&paths, &Unlock::KeyFile, &mut getrandom::SysRng)?,
//!     other => other?,
//! };
//! # drop(vault);
//! # Ok(())
//! # }
//! ```

mod document;
mod error;
pub(crate) mod files;
mod header;
mod medium;
mod store;

use std::path::Path;

use rand_core::TryCryptoRng;
use softkey_ctap::Secret;

pub use document::Document;
pub use error::VaultError;
pub use files::VaultPaths;
pub use header::{Effort, Passphrase, Protection};
pub use store::{Boot, Findings, Identity, OpenError, RecordsError, RedbStore};

use files::{Lock, LockedFile};
use header::{Flaw, Header, Opener, WrapError};

/// What a vault is opened with.
#[derive(Clone)]
pub enum Unlock {
    /// Its key file.
    KeyFile,
    /// This passphrase.
    Passphrase(Passphrase),
}

/// An open vault: nobody else can open it until the store is dropped.
pub struct Vault {
    /// The records.
    pub store: RedbStore,
    /// What they are sealed with.
    pub root_key: Secret<32>,
}

impl Vault {
    /// What opens the vault that is there, without opening it.
    ///
    /// # Errors
    ///
    /// [`VaultError::NotFound`] if there is none or a half-made one; what is wrong with its header.
    pub fn protection(paths: &VaultPaths) -> Result<Protection, VaultError> {
        require(paths)?;
        Ok(read_header(&paths.header)?.protection)
    }

    /// Makes a vault with a new root key and opens it. A key file that is there already is used.
    ///
    /// # Errors
    ///
    /// [`VaultError::AlreadyThere`], or whatever keeps the files from being written. What is there by then is
    /// made again the next time.
    pub fn create<R: TryCryptoRng>(
        paths: &VaultPaths,
        unlock: &Unlock,
        rng: &mut R,
    ) -> Result<Self, VaultError> {
        Self::reserve(paths)?.create(unlock, rng)
    }

    /// Holds the place of a vault that is to be made, so that nobody else makes one there.
    ///
    /// # Errors
    ///
    /// [`VaultError::AlreadyThere`], [`VaultError::InUse`] if another process has or holds it, or whatever keeps the lock
    /// from being taken.
    pub fn reserve(paths: &VaultPaths) -> Result<Reserved, VaultError> {
        paths.make_folders()?;
        let lock = lock(paths)?;
        if find(paths)? == Found::Vault {
            return Err(VaultError::AlreadyThere(paths.database.clone()));
        }
        Ok(Reserved { paths: paths.clone(), lock: Some(lock) })
    }

    fn make<R: TryCryptoRng>(
        paths: &VaultPaths,
        lock: Lock,
        unlock: &Unlock,
        rng: &mut R,
    ) -> Result<Self, VaultError> {
        let mut identity = Identity::default();
        rng.try_fill_bytes(&mut identity).map_err(|_| VaultError::Entropy)?;
        let root_key = random(rng)?;
        let header = wrap(paths, &root_key, identity, unlock, rng)?;

        let new = files::being_written(&paths.database);
        let database = RedbStore::create(LockedFile::create(&new)?, &identity, Boot::current());
        drop(database.map_err(|error| VaultError::database(&paths.database, error))?);
        files::publish(&new, &paths.database)?;
        files::replace(&paths.header, &header.encode())?;
        Ok(Self { store: open_store(paths, &identity, lock)?, root_key })
    }

    /// Opens the vault.
    ///
    /// # Errors
    ///
    /// [`VaultError::NotFound`] if there is none or a half-made one, which [`create`](Self::create) makes; else
    /// what is wrong. The files are then as they were.
    pub fn open(paths: &VaultPaths, unlock: &Unlock) -> Result<Self, VaultError> {
        require(paths)?;
        let lock = lock(paths)?;
        let header = read_header(&paths.header)?;
        let root_key = unwrap(paths, &header, unlock)?;
        Ok(Self { store: open_store(paths, &header.identity, lock)?, root_key })
    }

    /// Does all that [`open`](Self::open) does, but writes nothing. Returns the number of records.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub fn check(paths: &VaultPaths, unlock: &Unlock) -> Result<u64, VaultError> {
        require(paths)?;
        let lock = lock(paths)?;
        let header = read_header(&paths.header)?;
        unwrap(paths, &header, unlock)?;
        let file = LockedFile::open(&paths.database, Some(lock))?;
        let found = RedbStore::examine(file, Boot::current());
        match found.map_err(|error| VaultError::database(&paths.database, error))? {
            Findings { identity, records } if identity == header.identity => Ok(records),
            _ => Err(VaultError::Mismatched(paths.header.clone())),
        }
    }

    /// Wraps the root key anew: from then on the vault is opened by `new`. Replaces the header in one step and
    /// touches no record. A key file that no longer opens the vault is removed.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open), or whatever keeps the header from being written; the vault is then opened
    /// as before.
    pub fn change_protection<R: TryCryptoRng>(
        paths: &VaultPaths,
        old: &Unlock,
        new: &Unlock,
        rng: &mut R,
    ) -> Result<(), VaultError> {
        require(paths)?;
        let _lock = lock(paths)?;
        let header = read_header(&paths.header)?;
        let root_key = unwrap(paths, &header, old)?;
        let header = wrap(paths, &root_key, header.identity, new, rng)?;
        files::replace(&paths.header, &header.encode())?;
        match (old, new) {
            (Unlock::KeyFile, Unlock::Passphrase(_)) => files::remove(&paths.key_file),
            _ => Ok(()),
        }
    }
}

/// The place of a vault that is not there yet, held for whoever has this. Given up without one it is as empty as it was.
#[derive(Debug)]
pub struct Reserved {
    paths: VaultPaths,
    lock: Option<Lock>,
}

impl Reserved {
    /// Makes the vault, as [`Vault::create`] does.
    ///
    /// # Errors
    ///
    /// Whatever keeps the files from being written. What is there by then is made again the next time.
    pub fn create<R: TryCryptoRng>(
        mut self,
        unlock: &Unlock,
        rng: &mut R,
    ) -> Result<Vault, VaultError> {
        let paths = &self.paths;
        let held = self.lock.take();
        let lock = held.ok_or_else(|| VaultError::InUse(paths.database.clone(), None))?;
        Vault::make(paths, lock, unlock, rng)
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if let Some(lock) = self.lock.take() {
            lock.leave_nothing(&self.paths);
        }
    }
}

/// What is at a vault's place.
#[derive(PartialEq, Eq)]
enum Found {
    Nothing,
    /// What an interrupted making leaves.
    HalfMade,
    Vault,
}

fn find(paths: &VaultPaths) -> Result<Found, VaultError> {
    match (files::exists(&paths.header)?, files::exists(&paths.database)?) {
        (true, true) => Ok(Found::Vault),
        (true, false) => Err(VaultError::DatabaseMissing(paths.database.clone())),
        (false, false) => Ok(Found::Nothing),
        (false, true) if files::is_empty(&paths.database)? => Ok(Found::HalfMade),
        (false, true) => {
            let found = RedbStore::examine(LockedFile::open(&paths.database, None)?, None);
            match found.map_err(|error| VaultError::database(&paths.database, error))?.records {
                0 => Ok(Found::HalfMade),
                _ => Err(VaultError::HeaderMissing(paths.header.clone())),
            }
        }
    }
}

fn require(paths: &VaultPaths) -> Result<(), VaultError> {
    match find(paths)? {
        Found::Vault => Ok(()),
        Found::Nothing | Found::HalfMade => Err(VaultError::NotFound(paths.database.clone())),
    }
}

fn lock(paths: &VaultPaths) -> Result<Lock, VaultError> {
    files::check_folder(&paths.database)?;
    Lock::take(paths)
}

fn open_store(
    paths: &VaultPaths,
    identity: &Identity,
    lock: Lock,
) -> Result<RedbStore, VaultError> {
    let file = LockedFile::open(&paths.database, Some(lock))?;
    RedbStore::open(file, identity, Boot::current()).map_err(|error| match error {
        OpenError::Stranger => VaultError::Mismatched(paths.header.clone()),
        other => VaultError::database(&paths.database, other),
    })
}

fn read_header(path: &Path) -> Result<Header, VaultError> {
    let bytes = files::read_private(path, header::LEN)?;
    Header::decode(&bytes).map_err(|flaw| match flaw {
        Flaw::Foreign => VaultError::NotAVault(path.to_owned()),
        Flaw::Truncated => VaultError::Truncated(path.to_owned()),
        Flaw::Damaged => VaultError::Damaged(path.to_owned(), "its sum is wrong".into()),
        Flaw::Newer(version) => VaultError::Newer(path.to_owned(), version),
    })
}

fn read_key_file(path: &Path) -> Result<Secret<32>, VaultError> {
    if !files::exists(path)? {
        return Err(VaultError::KeyFileMissing(path.to_owned()));
    }
    files::check_folder(path)?;
    let bytes = files::read_private(path, 32)?;
    Secret::from_slice(&bytes).ok_or_else(|| VaultError::KeyFileDamaged(path.to_owned()))
}

fn unwrap(paths: &VaultPaths, header: &Header, unlock: &Unlock) -> Result<Secret<32>, VaultError> {
    match (unlock, header.protection) {
        (Unlock::KeyFile, Protection::KeyFile) => {
            let key = read_key_file(&paths.key_file)?;
            header.unwrap(&Opener::KeyFile(&key)).map_err(|error| refused(&error, paths, unlock))
        }
        (Unlock::Passphrase(passphrase), Protection::Passphrase(_)) => header
            .unwrap(&Opener::Passphrase(passphrase))
            .map_err(|error| refused(&error, paths, unlock)),
        (Unlock::KeyFile, Protection::Passphrase(_)) => {
            Err(VaultError::NeedsPassphrase(paths.database.clone()))
        }
        (Unlock::Passphrase(_), Protection::KeyFile) => {
            Err(VaultError::NeedsKeyFile(paths.database.clone()))
        }
    }
}

/// A header for this root key. A missing key file is made.
fn wrap<R: TryCryptoRng>(
    paths: &VaultPaths,
    root_key: &Secret<32>,
    identity: Identity,
    unlock: &Unlock,
    rng: &mut R,
) -> Result<Header, VaultError> {
    let wrapped = match unlock {
        Unlock::Passphrase(passphrase) => {
            Header::wrap(root_key, identity, &Opener::Passphrase(passphrase), rng)
        }
        Unlock::KeyFile => {
            let key = match read_key_file(&paths.key_file) {
                Err(VaultError::KeyFileMissing(path)) => {
                    let key = random(rng)?;
                    files::check_folder(&path)?;
                    files::replace(&path, key.expose())?;
                    key
                }
                other => other?,
            };
            Header::wrap(root_key, identity, &Opener::KeyFile(&key), rng)
        }
    };
    wrapped.map_err(|error| refused(&error, paths, unlock))
}

fn refused(error: &WrapError, paths: &VaultPaths, unlock: &Unlock) -> VaultError {
    match (error, unlock) {
        (WrapError::WrongKey, Unlock::KeyFile) => VaultError::WrongKeyFile(paths.key_file.clone()),
        (WrapError::WrongKey, Unlock::Passphrase(_)) => {
            VaultError::WrongPassphrase(paths.database.clone())
        }
        (WrapError::Derivation, _) => VaultError::Derivation,
        (WrapError::Entropy, _) => VaultError::Entropy,
    }
}

fn random<R: TryCryptoRng>(rng: &mut R) -> Result<Secret<32>, VaultError> {
    Secret::try_make(|bytes| rng.try_fill_bytes(bytes)).map_err(|_| VaultError::Entropy)
}
