//! From a JSON file into a vault. The text is carried over as it is, so nothing is lost that this version does not know; it is
//! read back out of the vault before anything is said or the file is touched; and whoever is killed on the way starts again.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use softkey_client::Profile;

use super::{BrowserProfile, BrowserProfileArgs, Place, unsaved, unusable};
use crate::error::{CliError, Exit};
use crate::unlock::told;
use crate::vault::files;
use crate::vault::{VaultError, VaultPaths};

/// What was carried over.
pub struct Carried {
    /// The profile, which the vault has now.
    pub profile: Profile,
    /// Where it was.
    pub file: PathBuf,
    /// Where it is.
    pub vault: PathBuf,
    /// Did the vault have it before?
    pub was_there: bool,
    /// Was the file removed?
    pub removed: bool,
}

impl BrowserProfileArgs {
    /// Seals the profile of the file in the vault, which is made if it is not there, and removes the file if that is asked.
    /// No other command has either of them meanwhile.
    ///
    /// # Errors
    ///
    /// [`Exit::Usage`] if no vault is named; [`Exit::BadInput`] if there is no file, if it cannot be used, or if the vault holds
    /// another profile; [`Exit::Vault`] if the vault cannot be used. Then the file is as it was.
    pub fn seal(&self, remove_file: bool) -> Result<Carried, CliError> {
        let Some(vault) = &self.browser_vault else {
            let what = "No vault is named to seal the browser profile in.";
            return Err(CliError::new(Exit::Usage, what, "--browser-vault with its file"));
        };
        let file = self.place()?;
        if remove_file {
            refuse_other_names(&file)?;
        }
        let open = BrowserProfile::open(file.clone())?;
        let Some(text) = &open.text else { return Err(unusable(&file, &"there is none")) };
        let passphrase = self.passphrase_file.clone().into();
        let sealed = BrowserProfile::open_vault(VaultPaths::at(vault), &passphrase)?;
        let was_there = open.carry_into(text, sealed, vault)?;
        if remove_file {
            files::remove_whole(&file).map_err(|error| left(&file, &error))?;
        }
        let (vault, profile) = (vault.clone(), open.profile);
        Ok(Carried { profile, file, vault, was_there, removed: remove_file })
    }
}

impl BrowserProfile {
    /// Makes sure that the vault has what this file has, which is `text`. Had it before?
    fn carry_into(&self, text: &str, vault: Self, path: &Path) -> Result<bool, CliError> {
        match &vault.text {
            Some(there) if **there == *text => return Ok(true),
            Some(there) if !is_empty(there) && !vault.has_same(self) => return Err(another(path)),
            _ => {}
        }
        let Place::Vault(sealed) = vault.place else {
            return Err(unusable(path, &"it is no vault"));
        };
        let document = sealed.save(text)?;
        let back = document.load().map_err(|error| told(&error))?;
        if back.is_some_and(|back| *back == text.as_bytes()) {
            return Ok(false);
        }
        let how = "the browser profile in it is not what was written".to_owned();
        Err(unsaved(&VaultError::Damaged(path.to_owned(), how)))
    }

    /// Does this version see the same in both, and would nothing be lost if `other` stood in place of this? What this version
    /// does not know may be in either.
    fn has_same(&self, other: &Self) -> bool {
        let seen = self.profile.to_text();
        let all = |open: &Self| open.text.as_ref().and_then(|text| parsed(text));
        *seen == *other.profile.to_text() && (all(self) == parsed(&seen) || all(self) == all(other))
    }
}

fn parsed(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

fn is_empty(text: &str) -> bool {
    *text == **Profile::new().to_text()
}

/// Who wants the file gone means what is in it: under another name it would stay.
fn refuse_other_names(file: &Path) -> Result<(), CliError> {
    let Ok(about) = fs::symlink_metadata(file) else { return Ok(()) };
    if about.is_symlink() || about.nlink() > 1 {
        let what = format!(
            "{} was not removed, and nothing was sealed: it is also under another name.",
            file.display()
        );
        let try_this = "without --remove-file; then remove each of its names";
        return Err(CliError::new(Exit::BadInput, what, try_this));
    }
    Ok(())
}

fn another(vault: &Path) -> CliError {
    let what = format!(
        "The vault {} holds another browser profile, which was not touched.",
        vault.display()
    );
    CliError::new(Exit::BadInput, what, "another --browser-vault, which is made if it is not there")
}

fn left(file: &Path, error: &VaultError) -> CliError {
    let what = format!(
        "The browser profile is sealed, but {} could not be removed for good: {}.",
        file.display(),
        error.what()
    );
    CliError::new(Exit::Failed, what, error.try_this())
}
