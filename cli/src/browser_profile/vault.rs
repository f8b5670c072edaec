//! A browser profile in a vault: opened before anything else is done, and made when something is kept for the first time. Until
//! then its place is held, so that nobody else makes it meanwhile.

use zeroize::Zeroizing;

use super::{TRIES, text, unsaved};
use crate::error::CliError;
use crate::unlock::{self, Means, Source, told};
use crate::vault::{Document, Reserved, Unlock, VaultError, VaultPaths};

/// The vault behind a profile.
pub(super) struct Sealed {
    paths: VaultPaths,
    state: State,
}

enum State {
    Open(Document),
    /// There is no vault yet; it is made with these means.
    Reserved(Reserved, Means),
}

impl Sealed {
    /// Opens the vault, if it is there, and reads the profile in it.
    pub(super) fn open(
        paths: VaultPaths,
        passphrase: &Source,
    ) -> Result<(Self, Option<Zeroizing<String>>), CliError> {
        let means = Means::read(passphrase)?;
        let vault = match unlock::open(&paths, &means, TRIES)? {
            Some(vault) => vault,
            None => match unlock::reserve(&paths, TRIES)? {
                Some(reserved) => {
                    return Ok((Self { paths, state: State::Reserved(reserved, means) }, None));
                }
                // Somebody has made it meanwhile.
                None => unlock::open(&paths, &means, TRIES)?
                    .ok_or_else(|| told(&VaultError::NotFound(paths.database.clone())))?,
            },
        };
        let open = vault.into_document(&paths).map_err(|error| told(&error))?;
        let bytes = open.load().map_err(|error| told(&error))?;
        let text = bytes.map(|mut bytes| {
            text(&mut bytes).ok_or_else(|| {
                let how = "the browser profile in it is no text".to_owned();
                told(&VaultError::Damaged(paths.database.clone(), how))
            })
        });
        let text = text.transpose()?;
        Ok((Self { paths, state: State::Open(open) }, text))
    }

    /// Replaces the profile in it, and gives the vault back.
    pub(super) fn save(self, text: &str) -> Result<Document, CliError> {
        let mut open = match self.state {
            State::Open(open) => open,
            State::Reserved(reserved, means) => make(&self.paths, reserved, means)?,
        };
        open.save(text.as_bytes()).map_err(|error| unsaved(&error))?;
        Ok(open)
    }
}

fn make(paths: &VaultPaths, reserved: Reserved, means: Means) -> Result<Document, CliError> {
    let (vault, unlock) = unlock::create_reserved(reserved, means)?;
    if matches!(unlock, Unlock::KeyFile) {
        eprintln!(
            "New vault {}, opened by {}: whoever can read both can read the passwords.",
            paths.database.display(),
            paths.key_file.display()
        );
    }
    vault.into_document(paths).map_err(|error| told(&error))
}
