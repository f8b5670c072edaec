//! The folders and files in which credentials are kept.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{Finding, Machine};
use crate::vault::{VaultPaths, files};

/// What is advised where the place of a vault that was named is not the user's.
const ELSEWHERE: &str = "choose a folder of your own for --vault FILE";

/// Does the vault belong to this user alone?
pub(super) fn folder(machine: &Machine, vault: Option<&Path>) -> Finding {
    let Some(paths) = vault.map_or_else(|| default(machine), |file| Some(named(file))) else {
        return Finding::mend(
            "vault",
            "There is no place for the vault: neither HOME nor XDG_DATA_HOME is set.",
            "give softkey run --vault FILE",
        );
    };
    let user = User { machine, named: vault.is_some() };
    let (folder, key_folder) = (folder_of(&paths.database), folder_of(&paths.key_file));
    let wrong = user
        .folder_wrong(folder)
        .or_else(|| user.folder_wrong(key_folder))
        .or_else(|| user.file_wrong(&paths.database))
        .or_else(|| user.file_wrong(&paths.header))
        .or_else(|| user.file_wrong(&paths.key_file));
    wrong.unwrap_or_else(|| user.well(folder))
}

/// The user, and whether the vault's place was their choice.
struct User<'m> {
    machine: &'m Machine,
    named: bool,
}

impl User<'_> {
    /// What is wrong with a folder that is there.
    fn folder_wrong(&self, folder: &Path) -> Option<Finding> {
        let meta = fs::metadata(self.machine.path(folder)).ok()?;
        let shown = folder.display();
        if self.is_foreign(&meta) && !is_shared(&meta) {
            let mend = self.mend_foreign(folder);
            return Some(Finding::mend("vault", format!("{shown} belongs to another user."), mend));
        }
        // Others may look into a folder that was chosen, as long as they cannot replace what is in it.
        if files::is_open_to_others(&meta) {
            let what = format!("Others can write in {shown}, and so replace the vault.");
            return Some(Finding::mend("vault", what, format!("chmod go-w {}", quoted(folder))));
        }
        None
    }

    /// What is wrong with a file that is there.
    fn file_wrong(&self, file: &Path) -> Option<Finding> {
        let meta = fs::metadata(self.machine.path(file)).ok()?;
        let shown = file.display();
        if self.is_foreign(&meta) {
            let mend = self.mend_foreign(file);
            return Some(Finding::mend("vault", format!("{shown} belongs to another user."), mend));
        }
        (meta.mode() & 0o077 != 0).then(|| {
            let mend = format!("chmod 600 {}", quoted(file));
            Finding::mend("vault", format!("Others can read {shown}."), mend)
        })
    }

    fn is_foreign(&self, meta: &fs::Metadata) -> bool {
        meta.uid() != self.machine.user.uid && self.machine.user.uid != 0
    }

    /// What softkey made by itself may be taken back; what else there is may be somebody's.
    fn mend_foreign(&self, path: &Path) -> String {
        if self.named {
            return ELSEWHERE.to_owned();
        }
        format!("sudo chown {} {}", self.machine.user.name, quoted(path))
    }

    fn well(&self, folder: &Path) -> Finding {
        let shown = folder.display();
        match fs::metadata(self.machine.path(folder)) {
            Ok(meta) if is_shared(&meta) => Finding::well(
                "vault",
                format!("Others can write in {shown}, but not replace what is in it."),
            ),
            Ok(_) => Finding::well("vault", format!("{shown} is yours.")),
            Err(_) if self.named => Finding::mend(
                "vault",
                format!("There is no folder {shown}."),
                format!("mkdir -p -m 700 {}", quoted(folder)),
            ),
            Err(_) => Finding::well("vault", format!("{shown} will be made at the first run.")),
        }
    }
}

/// Is it a folder for everybody, in which nobody can replace what is another's?
fn is_shared(meta: &fs::Metadata) -> bool {
    meta.mode() & 0o022 != 0 && files::is_sticky(meta.mode())
}

/// A path as a word of the shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

fn folder_of(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new("/"))
}

/// The vault in this file.
fn named(file: &Path) -> VaultPaths {
    VaultPaths::at(&std::path::absolute(file).unwrap_or_else(|_| file.to_owned()))
}

/// Where the vault is unless told otherwise.
fn default(machine: &Machine) -> Option<VaultPaths> {
    let user = &machine.user;
    let place = |set: &Option<PathBuf>, below_home: &str| {
        let absolute = set.clone().filter(|path| path.is_absolute());
        absolute.or_else(|| user.home.as_ref().map(|home| home.join(below_home)))
    };
    let data = place(&user.data_home, ".local/share")?;
    // Where only this is not to be had, there is no key file to look at.
    let config = place(&user.config_home, ".config").unwrap_or_else(|| data.clone());
    Some(VaultPaths::in_folders(&data, &config))
}
