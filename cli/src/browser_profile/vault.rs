//! A browser profile in a vault: opened before anything else is done, and made when something is kept for the first time.

use zeroize::Zeroizing;

use super::{TRIES, text, unsaved};
use crate::error::CliError;
use crate::unlock::{self, Means, Source, told};
use crate::vault::{Document, Unlock, VaultError, VaultPaths};

/// The vault behind a profile.
pub(super) struct Sealed {
    paths: VaultPaths,
    means: Means,
    /// Nothing if there is no vault yet.
    open: Option<Document>,
}

impl Sealed {
    /// Opens the vault, if it is there, and reads the profile in it.
    pub(super) fn open(
        paths: VaultPaths,
        passphrase: &Source,
    ) -> Result<(Self, Option<Zeroizing<String>>), CliError> {
        let means = Means::read(passphrase)?;
        let vault = unlock::open(&paths, &means, TRIES)?;
        let open = vault.map(|vault| vault.into_document(&paths)).transpose();
        let open = open.map_err(|error| told(&error))?;
        let bytes = open.as_ref().map(Document::load).transpose().map_err(|error| told(&error))?;
        let text = bytes.flatten().map(|mut bytes| {
            text(&mut bytes).ok_or_else(|| {
                let how = "the browser profile in it is no text".to_owned();
                told(&VaultError::Damaged(paths.database.clone(), how))
            })
        });
        Ok((Self { paths, means, open }, text.transpose()?))
    }

    /// Replaces the profile in it, and gives the vault back.
    pub(super) fn save(self, text: &str) -> Result<Document, CliError> {
        let mut open = match self.open {
            Some(open) => open,
            None => make(&self.paths, self.means)?,
        };
        open.save(text.as_bytes()).map_err(|error| unsaved(&error))?;
        Ok(open)
    }
}

fn make(paths: &VaultPaths, means: Means) -> Result<Document, CliError> {
    let (vault, unlock) = unlock::create(paths, means)?;
    if matches!(unlock, Unlock::KeyFile) {
        eprintln!(
            "New vault {}, opened by {}: whoever can read both can read the passwords.",
            paths.database.display(),
            paths.key_file.display()
        );
    }
    vault.into_document(paths).map_err(|error| told(&error))
}
