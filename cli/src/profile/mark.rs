//! The mark of a vault that was made with a profile: a file beside it, so that what one profile means never meets
//! what another one wrote. The user's own vault has none: it belongs to the default.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::{Profile, is_built_in};
use crate::error::{CliError, Exit};
use crate::vault::VaultPaths;

/// The first line; the rest of the file is the profile.
const HEAD: &str = "# The profile of the vault beside this file: ";

/// Where the mark of a vault is.
#[derive(Debug)]
pub struct Mark {
    path: PathBuf,
    vault: PathBuf,
    header: PathBuf,
}

impl Mark {
    /// The mark of this vault.
    #[must_use]
    pub fn of(vault: &VaultPaths) -> Self {
        let mut path = vault.database.as_os_str().to_owned();
        path.push(".profile");
        Self { path: path.into(), vault: vault.database.clone(), header: vault.header.clone() }
    }

    /// Checks that the vault, if there is one, belongs to this profile; a vault that is not there yet is marked. The mark
    /// comes first: one that no vault follows is written anew by the next that comes, while a vault without one would
    /// pass for one of the default profile.
    ///
    /// # Errors
    ///
    /// [`Exit::Vault`] if it belongs to another one, or if the mark cannot be read or written. Nothing was changed.
    pub fn check(&self, profile: &Profile) -> Result<(), CliError> {
        // A vault whose database is missing for a while is no new one.
        if !self.vault.exists() && !self.header.exists() {
            return self.write(profile).map_err(|error| self.unusable(&error));
        }
        let owner = match fs::read_to_string(&self.path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(self.unusable(&error)),
        };
        let Some(text) = owner else {
            let ours = profile.is_default();
            return if ours { Ok(()) } else { Err(self.foreign("the default profile")) };
        };
        let name = text.lines().next().and_then(|line| line.strip_prefix(HEAD)).unwrap_or("?");
        let same = Profile::parse(name, &text).is_ok_and(|made| made.config == profile.config);
        // What a built-in name means may grow with the program.
        let built_in = is_built_in(name) && name == profile.name;
        if same || built_in { Ok(()) } else { Err(self.foreign(&format!("the profile {name}"))) }
    }

    fn write(&self, profile: &Profile) -> io::Result<()> {
        if profile.is_default() {
            return match fs::remove_file(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        }
        let name = profile.name.replace(['\n', '\r'], "?");
        fs::write(&self.path, format!("{HEAD}{name}\n{}", profile.text))
    }

    fn foreign(&self, owner: &str) -> CliError {
        let what = format!("The vault {} was made with {owner}.", self.vault.display());
        let try_this = "give that --profile, or --vault with a new file, or --ephemeral";
        CliError::new(Exit::Vault, what, try_this)
    }

    fn unusable(&self, error: &io::Error) -> CliError {
        let what = format!("The profile's mark {} cannot be used: {error}.", self.path.display());
        CliError::new(Exit::Vault, what, "choose another --vault file, or --ephemeral")
    }
}
