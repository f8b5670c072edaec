//! A vault that holds one document instead of a security key's records: the text of a browser profile.
//!
//! It is one record, sealed under the vault's root key as a key's records are, and replaced by one commit of the database:
//! whatever happens meanwhile, the former text is there or the new one.

use std::ops::ControlFlow;
use std::path::PathBuf;

use getrandom::SysRng;
use softkey_authenticator::{Key, RootKey, Sealer, Store as _};
use zeroize::Zeroizing;

use super::store::{OpenError, RecordsError, RedbStore};
use super::{Vault, VaultError, VaultPaths};

/// What it is called under the root key.
const NAME: &str = "browser profile";
/// The record that it is in. No key of an authenticator begins so.
const RECORD: Key = Key::from_array(b"d browser profile");
/// The form of the record: this byte, and behind it what the [`Sealer`] makes.
const VERSION: u8 = 1;

/// A vault with a document, open: nobody else can open it until this is dropped.
pub struct Document {
    store: RedbStore,
    sealer: Sealer,
    path: PathBuf,
}

impl Vault {
    /// Takes the open vault of these paths as one for a document.
    ///
    /// # Errors
    ///
    /// [`VaultError::HoldsKey`] if a security key has kept anything in it.
    pub fn into_document(self, paths: &VaultPaths) -> Result<Document, VaultError> {
        let path = paths.database.clone();
        let failed = |error| VaultError::database(&path, OpenError::Records(error));
        if !self.store.has_document().map_err(failed)? && self.store.has_any().map_err(failed)? {
            return Err(VaultError::HoldsKey(path));
        }
        let sealer = RootKey::new(*self.root_key.expose()).sealer(NAME);
        Ok(Document { store: self.store, sealer, path })
    }

    /// Makes sure that the open vault of these paths is not a document's.
    ///
    /// # Errors
    ///
    /// [`VaultError::HoldsProfile`] if it is.
    pub fn refuse_document(&self, paths: &VaultPaths) -> Result<(), VaultError> {
        let path = &paths.database;
        match self.store.has_document() {
            Ok(false) => Ok(()),
            Ok(true) => Err(VaultError::HoldsProfile(path.clone())),
            Err(error) => Err(VaultError::database(path, OpenError::Records(error))),
        }
    }
}

impl Document {
    /// The text; nothing if none was saved yet.
    ///
    /// # Errors
    ///
    /// [`VaultError::Damaged`] or [`VaultError::Newer`] if it cannot be read.
    pub fn load(&self) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        let mut record = Vec::new();
        if !self.store.load(&RECORD, &mut record).map_err(|error| self.failed(error))? {
            return Ok(None);
        }
        let (version, sealed) = record.split_first().unwrap_or((&0, &[]));
        if *version > VERSION {
            return Err(VaultError::Newer(self.path.clone(), *version));
        }
        let text = self.sealer.open(&[&[*version], RECORD.as_bytes()], sealed);
        let unreadable = || {
            let how = "the browser profile in it does not open with its key".into();
            VaultError::Damaged(self.path.clone(), how)
        };
        text.map(Some).ok_or_else(unreadable)
    }

    /// Replaces the text, durably.
    ///
    /// # Errors
    ///
    /// What keeps it from being written; the former text is there then.
    pub fn save(&mut self, text: &[u8]) -> Result<(), VaultError> {
        let mut record = vec![VERSION];
        let bound: [&[u8]; 2] = [&[VERSION], RECORD.as_bytes()];
        // Once it is sealed in place, nothing of the text is left in it.
        let sealed = self.sealer.seal(&mut SysRng, &bound, text, &mut record);
        sealed.map_err(|_| VaultError::Entropy)?;
        self.store.put_long(&RECORD, &record).map_err(|error| self.failed(error))
    }

    fn failed(&self, error: RecordsError) -> VaultError {
        VaultError::database(&self.path, OpenError::Records(error))
    }
}

impl RedbStore {
    fn has_document(&self) -> Result<bool, RecordsError> {
        self.load(&RECORD, &mut Vec::new())
    }

    fn has_any(&self) -> Result<bool, RecordsError> {
        let mut any = false;
        let all = Key::from_array(&[])..Key::from_array(&[0xff; Key::MAX]);
        self.each(&all.start..&all.end, &mut |_, _| {
            any = true;
            ControlFlow::Break(())
        })?;
        Ok(any)
    }
}
