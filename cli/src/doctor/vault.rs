//! The folder in which credentials are kept.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{Finding, Machine};

/// Does the vault's folder belong to this user alone?
pub(super) fn folder(machine: &Machine, vault: Option<&Path>) -> Finding {
    let Some(vault) = vault.map(Path::to_owned).or_else(|| default(machine)) else {
        return Finding::mend(
            "vault",
            "There is no place for the vault: neither HOME nor XDG_DATA_HOME is set.",
            "give softkey run --vault FILE",
        );
    };
    let absolute = std::path::absolute(&vault).unwrap_or(vault);
    let folder = absolute.parent().unwrap_or(Path::new("/")).to_owned();
    let (file, folder_shown) = (absolute.display(), folder.display());
    let Ok(meta) = fs::metadata(machine.path(&folder)) else {
        return Finding::well("vault", format!("{folder_shown} will be made at the first run."));
    };
    if meta.uid() != machine.user.uid && machine.user.uid != 0 {
        return Finding::mend(
            "vault",
            format!("{folder_shown} belongs to another user."),
            format!("sudo chown -R {} '{folder_shown}'", machine.user.name),
        );
    }
    if fs::metadata(machine.path(&absolute)).is_ok_and(|meta| meta.mode() & 0o077 != 0) {
        let mend = format!("chmod 600 '{file}'");
        return Finding::mend("vault", format!("Others can read {file}."), mend);
    }
    // Others may look into a folder that was chosen, as long as they cannot replace what is in it.
    if meta.mode() & 0o022 != 0 {
        return Finding::mend(
            "vault",
            format!("Others can write in {folder_shown}, and so replace the vault."),
            format!("chmod go-w '{folder_shown}'"),
        );
    }
    Finding::well("vault", format!("{folder_shown} is yours."))
}

/// Where the vault is unless told otherwise.
fn default(machine: &Machine) -> Option<PathBuf> {
    let user = &machine.user;
    let absolute = user.data_home.clone().filter(|path| path.is_absolute());
    let data = absolute.or_else(|| user.home.as_ref().map(|home| home.join(".local/share")))?;
    Some(data.join("softkey/vault"))
}
