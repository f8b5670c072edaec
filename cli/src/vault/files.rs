//! The files of a vault: where they are, who may read them, how one is replaced, and the lock.

use std::env;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};

use redb::StorageBackend;
use redb::backends::FileBackend;

use super::error::VaultError;

/// Where a vault's files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultPaths {
    /// The credentials, sealed: a redb database.
    pub database: PathBuf,
    /// The wrapped root key.
    pub header: PathBuf,
    /// 32 random bytes, for a vault without a passphrase.
    pub key_file: PathBuf,
    /// Empty but for the number of the process that has the vault open.
    pub lock: PathBuf,
    /// Are missing folders made?
    make_folders: bool,
}

impl VaultPaths {
    /// The vault of the user: `$XDG_DATA_HOME/softkey/vault`, with its key file in `$XDG_CONFIG_HOME/softkey`.
    ///
    /// # Errors
    ///
    /// [`VaultError::NoHome`] if the environment has neither these nor `HOME`.
    pub fn default_for_user() -> Result<Self, VaultError> {
        let folder = |name: &str, below_home: &str| {
            // The base directory specification ignores what is not absolute.
            let set = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
            set(name).or_else(|| Some(set("HOME")?.join(below_home))).ok_or(VaultError::NoHome)
        };
        Ok(Self::in_folders(
            &folder("XDG_DATA_HOME", ".local/share")?,
            &folder("XDG_CONFIG_HOME", ".config")?,
        ))
    }

    /// The vault of a user whose data and configuration are kept in these folders.
    #[must_use]
    pub fn in_folders(data: &Path, config: &Path) -> Self {
        Self {
            key_file: config.join("softkey/vault.key"),
            make_folders: true,
            ..Self::at(&data.join("softkey/vault"))
        }
    }

    /// The vault in this file, with its other files beside it: `FILE.header`, `FILE.key`, `FILE.lock`.
    #[must_use]
    pub fn at(file: &Path) -> Self {
        let beside = |ending| {
            let mut name = file.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        };
        Self {
            database: file.to_owned(),
            header: beside(".header"),
            key_file: beside(".key"),
            lock: beside(".lock"),
            make_folders: false,
        }
    }

    /// Where the owner's attestation root lies, if there is one: `FILE.attestation`.
    #[must_use]
    pub fn attestation(&self) -> PathBuf {
        let mut name = self.database.as_os_str().to_owned();
        name.push(".attestation");
        PathBuf::from(name)
    }

    /// Makes the folders, for the owner alone, if this vault's are to be made.
    pub(crate) fn make_folders(&self) -> Result<(), VaultError> {
        for folder in [folder_of(&self.database), folder_of(&self.key_file)] {
            if !self.make_folders && !folder.exists() {
                return Err(VaultError::NoFolder(folder.to_owned()));
            }
            let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.map_err(|error| VaultError::io(folder, error))?;
        }
        Ok(())
    }
}

/// The folder that a file is in.
fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Is anything there?
pub(crate) fn exists(path: &Path) -> Result<bool, VaultError> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(VaultError::io(path, error)),
    }
}

/// Is there a file without a byte?
pub(super) fn is_empty(path: &Path) -> Result<bool, VaultError> {
    let about = fs::metadata(path).map_err(|error| VaultError::io(path, error))?;
    Ok(about.is_file() && about.len() == 0)
}

/// Refuses a folder in which others can put another file in the place of one of ours.
pub(crate) fn check_folder(file: &Path) -> Result<(), VaultError> {
    let folder = folder_of(file);
    let about = fs::metadata(folder).map_err(|error| VaultError::io(folder, error))?;
    if is_open_to_others(&about) {
        return Err(VaultError::FolderOpenToAll(folder.to_owned(), about.mode() & 0o7777));
    }
    Ok(())
}

/// Can others than its owner replace files in this folder? Who may write in it can put a header and a key of their own in the
/// place of ours, be it by their group: from then on what is kept is sealed with a key that they know.
pub(crate) fn is_open_to_others(folder: &Metadata) -> bool {
    is_open(folder.mode(), folder.uid(), folder.gid())
}

fn is_open(mode: u32, uid: u32, gid: u32) -> bool {
    const WRITABLE_BY_GROUP: u32 = 0o020;
    const WRITABLE_BY_ALL: u32 = 0o002;
    // Where a user has a private group, its number is the user's, and folders are writable by it as they are made.
    let by_group = mode & WRITABLE_BY_GROUP != 0 && gid != uid;
    (by_group || mode & WRITABLE_BY_ALL != 0) && !is_sticky(mode)
}

/// Can files in such a folder be replaced by their own owners only, and by that of the folder?
pub(crate) const fn is_sticky(mode: u32) -> bool {
    const STICKY: u32 = 0o1000;
    mode & STICKY != 0
}

/// Opens a file that must be the owner's alone.
fn open_private(path: &Path, options: &OpenOptions) -> Result<File, VaultError> {
    // Asked first: to open a pipe is to wait for its other end.
    let about = fs::metadata(path).map_err(|error| VaultError::io(path, error))?;
    if !about.is_file() {
        return Err(VaultError::NotAVault(path.to_owned()));
    }
    let mode = about.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(VaultError::OpenToOthers(path.to_owned(), mode));
    }
    options.open(path).map_err(|error| VaultError::io(path, error))
}

/// Reads a small file that must be the owner's alone. Of a longer one, one byte more than `most`.
pub(crate) fn read_private(
    path: &Path,
    most: usize,
) -> Result<zeroize::Zeroizing<Vec<u8>>, VaultError> {
    let file = open_private(path, OpenOptions::new().read(true))?;
    // As long as it may get, so that it is not moved and left behind in memory.
    let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(most + 1));
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    file.take(limit).read_to_end(&mut bytes).map_err(|error| VaultError::io(path, error))?;
    Ok(bytes)
}

/// Makes a file for the owner alone, durably. Whatever was there is replaced in one step, or not at all.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), VaultError> {
    let new = being_written(path);
    let written = || {
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        // A leftover of an interrupted run may have another mode.
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    written().map_err(|error| VaultError::io(path, error))?;
    publish(&new, path)
}

/// The name of a file while it is being written.
pub(super) fn being_written(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// Gives a file that is written and synced its real name, durably.
pub(super) fn publish(new: &Path, path: &Path) -> Result<(), VaultError> {
    let folder = folder_of(path);
    fs::rename(new, path)
        .and_then(|()| File::open(folder)?.sync_all())
        .map_err(|error| VaultError::io(path, error))
}

/// Removes a file if it is there.
pub(crate) fn remove(path: &Path) -> Result<(), VaultError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(VaultError::io(path, error)),
        _ => Ok(()),
    }
}

/// Removes a file that [`replace`] may have written, durably, and what an interrupted run of that left beside it.
pub(crate) fn remove_whole(path: &Path) -> Result<(), VaultError> {
    remove(&being_written(path))?;
    remove(path)?;
    let synced = File::open(folder_of(path)).and_then(|folder| folder.sync_all());
    synced.map_err(|error| VaultError::io(path, error))
}

/// Says that this process has the vault open, until it is dropped or the process ends.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // A process that is just being started from this one may still hold the file, too.
        let _ = self.0.unlock();
    }
}

impl Lock {
    pub(super) fn take(paths: &VaultPaths) -> Result<Self, VaultError> {
        let path = &paths.lock;
        let failed = |error| VaultError::io(path, error);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = loop {
            let file = options.open(path).map_err(failed)?;
            match file.try_lock() {
                // Who held it may have removed it between the two: then this is the lock of nothing.
                Ok(()) if is_at(&file, path).map_err(failed)? => break file,
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let mut holder = String::new();
                    // Only to name it.
                    let _ = file.take(16).read_to_string(&mut holder);
                    let holder = holder.trim().parse().ok();
                    return Err(VaultError::InUse(paths.database.clone(), holder));
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        };
        let mut name = || {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())
        };
        // Only to be named; on a full disk the vault can still be used.
        let _ = name();
        Ok(Self(file))
    }

    /// Gives the place up, and removes the lock's file with it.
    pub(super) fn leave_nothing(self, paths: &VaultPaths) {
        // A file that stays does no harm.
        let _ = fs::remove_file(&paths.lock);
        drop(self);
    }
}

/// Is this file still the one of this name?
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let ours = file.metadata()?;
    match fs::metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (ours.dev(), ours.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The database's file, and the lock that goes with it.
#[derive(Debug)]
pub(super) struct LockedFile {
    file: FileBackend,
    _lock: Option<Lock>,
}

impl LockedFile {
    /// Opens the file for redb. Without a lock only while the caller holds one.
    pub(super) fn open(path: &Path, lock: Option<Lock>) -> Result<Self, VaultError> {
        let file = open_private(path, OpenOptions::new().read(true).write(true))?;
        Self::of(path, file, lock)
    }

    /// Makes the file anew.
    pub(super) fn create(path: &Path) -> Result<Self, VaultError> {
        remove(path)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600);
        let file = options.open(path).map_err(|error| VaultError::io(path, error))?;
        Self::of(path, file, None)
    }

    fn of(path: &Path, file: File, lock: Option<Lock>) -> Result<Self, VaultError> {
        let file = FileBackend::new(file)
            .map_err(|error| VaultError::Damaged(path.to_owned(), error.to_string()))?;
        Ok(Self { file, _lock: lock })
    }
}

impl StorageBackend for LockedFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write(offset, data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who may write in a folder may replace every file in it, unless it is sticky. A group of one's own is nobody else.
    #[test]
    fn a_folder_is_open_to_whoever_can_replace_files_in_it() {
        for (mode, uid, gid, open) in [
            (0o700, 1000, 1000, false),
            (0o755, 1000, 100, false),
            (0o775, 1000, 1000, false),
            (0o775, 1000, 100, true),
            (0o2770, 1000, 990, true),
            (0o1775, 1000, 100, false),
            (0o777, 1000, 1000, true),
            (0o707, 1000, 1000, true),
            (0o1777, 0, 0, false),
        ] {
            assert_eq!(is_open(mode, uid, gid), open, "{mode:o} {uid} {gid}");
        }
    }
}
