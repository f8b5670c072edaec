//! The vault's files: making, opening, locking, permissions, a new passphrase, and what a crash leaves.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rand_core::{TryCryptoRng, TryRng};
use softkey::vault::{Effort, Passphrase, Protection, Unlock, Vault, VaultError, VaultPaths};
use softkey_authenticator::{Change, Store};
use softkey_tests::persistence::contract::{key, records};
use tempfile::TempDir;

use crate::snapshot;

pub(crate) fn rng() -> getrandom::SysRng {
    getrandom::SysRng
}

pub(crate) fn passphrase(text: &str) -> Unlock {
    Unlock::Passphrase(Passphrase::new(text.into()).unwrap())
}

/// A vault with a record in it, closed.
pub(crate) fn vault(unlock: &Unlock) -> (TempDir, VaultPaths) {
    let folder = tempfile::tempdir().unwrap();
    let paths = VaultPaths::at(&folder.path().join("vault"));
    let mut vault = Vault::create(&paths, unlock, &mut rng()).unwrap();
    vault.store.commit(&[Change::Put(key(b"name"), b"value")]).unwrap();
    (folder, paths)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// Made, closed and opened again, a vault gives the same root key and records.
#[test]
fn a_vault_opens_as_it_was_closed() {
    for unlock in [Unlock::KeyFile, passphrase("correct horse")] {
        let folder = tempfile::tempdir().unwrap();
        let paths = VaultPaths::at(&folder.path().join("vault"));
        let mut vault = Vault::create(&paths, &unlock, &mut rng()).unwrap();
        vault.store.commit(&[Change::Put(key(b"name"), b"value")]).unwrap();
        let (root_key, kept) = (vault.root_key.clone(), records(&vault.store).unwrap());
        drop(vault);
        for _ in 0..2 {
            let vault = Vault::open(&paths, &unlock).unwrap();
            assert!(vault.root_key == root_key);
            assert_eq!(records(&vault.store).unwrap(), kept);
        }
        assert_eq!(Vault::check(&paths, &unlock).unwrap(), 1);
    }
}

/// Two vaults share no key, and the root key is in no file.
#[test]
fn root_keys_are_fresh_and_wrapped() {
    let mut root_keys = Vec::new();
    for unlock in [Unlock::KeyFile, Unlock::KeyFile, passphrase("one"), passphrase("one")] {
        let (_folder, paths) = vault(&unlock);
        let root_key = Vault::open(&paths, &unlock).unwrap().root_key;
        for (name, bytes) in snapshot(&paths) {
            assert!(
                bytes.windows(32).all(|bytes| bytes != root_key.expose()),
                "{}",
                name.display()
            );
        }
        root_keys.push(*root_key.expose());
    }
    root_keys.sort_unstable();
    root_keys.dedup();
    assert_eq!(root_keys.len(), 4);
}

/// Every file is the owner's alone, and so are the folders that are made for the default vault.
#[test]
fn files_and_folders_are_the_owners_alone() {
    let home = tempfile::tempdir().unwrap();
    let paths = VaultPaths::in_folders(&home.path().join("data"), &home.path().join("config"));
    drop(Vault::create(&paths, &Unlock::KeyFile, &mut rng()).unwrap());
    assert_eq!(paths.database, home.path().join("data/softkey/vault"));
    assert_eq!(paths.key_file, home.path().join("config/softkey/vault.key"));
    for folder in ["data", "data/softkey", "config", "config/softkey"] {
        assert_eq!(mode(&home.path().join(folder)), 0o700, "{folder}");
    }
    for file in [&paths.database, &paths.header, &paths.key_file, &paths.lock] {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
    assert_eq!(fs::read(&paths.key_file).unwrap().len(), 32);
}

/// An explicit vault's folder is not made for it.
#[test]
fn a_missing_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let made = Vault::create(&VaultPaths::at(&missing.join("vault")), &Unlock::KeyFile, &mut rng());
    assert!(matches!(made.map(drop), Err(VaultError::NoFolder(path)) if path == missing));
}

/// What others may read or change is refused, whichever file it is, and stays as it is.
#[test]
fn what_others_can_read_is_refused() {
    let (folder, paths) = vault(&Unlock::KeyFile);
    for file in [&paths.database, &paths.header, &paths.key_file] {
        for open in [0o640, 0o604, 0o660, 0o602] {
            fs::set_permissions(file, fs::Permissions::from_mode(open)).unwrap();
            let before = snapshot(&paths);
            let opened = Vault::open(&paths, &Unlock::KeyFile).map(drop);
            let named = matches!(&opened, Err(VaultError::OpenToOthers(path, mode)) if path == file && *mode == open);
            assert!(named, "{} {open:o}: {opened:?}", file.display());
            assert!(snapshot(&paths) == before);
        }
        fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    }
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o707)).unwrap();
    let opened = Vault::open(&paths, &Unlock::KeyFile).map(drop);
    assert!(
        matches!(opened, Err(VaultError::FolderOpenToAll(path, 0o707)) if path == folder.path())
    );
    // Where nobody can replace another's files, as in /tmp, all may write.
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    Vault::open(&paths, &Unlock::KeyFile).unwrap();
}

/// One vault, one process: the second is told which the first is.
#[test]
fn a_vault_in_use_is_refused() {
    let (_folder, paths) = vault(&Unlock::KeyFile);
    let mut vault = Vault::open(&paths, &Unlock::KeyFile).unwrap();
    let ours = Some(std::process::id());
    let in_use = |error: VaultError| matches!(error, VaultError::InUse(path, by) if path == paths.database && by == ours);
    assert!(in_use(Vault::open(&paths, &Unlock::KeyFile).map(drop).unwrap_err()));
    assert!(in_use(Vault::check(&paths, &Unlock::KeyFile).unwrap_err()));
    assert!(in_use(Vault::create(&paths, &Unlock::KeyFile, &mut rng()).map(drop).unwrap_err()));
    let new = passphrase("new");
    assert!(in_use(
        Vault::change_protection(&paths, &Unlock::KeyFile, &new, &mut rng()).unwrap_err()
    ));
    vault.store.commit(&[Change::Delete(key(b"name"))]).unwrap();
    drop(vault);
    assert_eq!(Vault::check(&paths, &Unlock::KeyFile).unwrap(), 0);
}

/// The wrong passphrase, the wrong key file, and the wrong kind of either.
#[test]
fn the_wrong_key_is_refused_by_name() {
    let (_folder, paths) = vault(&passphrase("right"));
    let before = snapshot(&paths);
    let open = |paths: &VaultPaths, unlock: &Unlock| Vault::open(paths, unlock).map(drop);
    assert!(
        matches!(open(&paths, &passphrase("wrong")), Err(VaultError::WrongPassphrase(path)) if path == paths.database)
    );
    assert!(
        matches!(open(&paths, &Unlock::KeyFile), Err(VaultError::NeedsPassphrase(path)) if path == paths.database)
    );
    assert!(snapshot(&paths) == before);
    let default = Effort { memory: 65_536, passes: 3, lanes: 1 };
    assert_eq!(Vault::protection(&paths).unwrap(), Protection::Passphrase(default));

    let (_folder, paths) = vault(&Unlock::KeyFile);
    assert_eq!(Vault::protection(&paths).unwrap(), Protection::KeyFile);
    assert!(
        matches!(open(&paths, &passphrase("any")), Err(VaultError::NeedsKeyFile(path)) if path == paths.database)
    );
    let right = fs::read(&paths.key_file).unwrap();
    fs::write(&paths.key_file, [7; 32]).unwrap();
    assert!(
        matches!(open(&paths, &Unlock::KeyFile), Err(VaultError::WrongKeyFile(path)) if path == paths.key_file)
    );
    for len in [0, 31, 33] {
        fs::write(&paths.key_file, vec![7; len]).unwrap();
        assert!(
            matches!(open(&paths, &Unlock::KeyFile), Err(VaultError::KeyFileDamaged(path)) if path == paths.key_file)
        );
    }
    fs::remove_file(&paths.key_file).unwrap();
    assert!(
        matches!(open(&paths, &Unlock::KeyFile), Err(VaultError::KeyFileMissing(path)) if path == paths.key_file)
    );
    fs::write(&paths.key_file, right).unwrap();
    fs::set_permissions(&paths.key_file, fs::Permissions::from_mode(0o600)).unwrap();
    open(&paths, &Unlock::KeyFile).unwrap();
}

/// A new passphrase changes the header and nothing else; the old way is closed.
#[test]
fn a_new_passphrase_rewraps_the_same_key() {
    let (_folder, paths) = vault(&Unlock::KeyFile);
    let root_key = Vault::open(&paths, &Unlock::KeyFile).unwrap().root_key;
    let database = fs::read(&paths.database).unwrap();
    let ways = [Unlock::KeyFile, passphrase("first"), passphrase("second"), Unlock::KeyFile];
    for step in ways.windows(2) {
        let before = snapshot(&paths);
        let wrong = Vault::change_protection(&paths, &passphrase("wrong"), &step[1], &mut rng());
        assert!(
            matches!(wrong, Err(VaultError::WrongPassphrase(_) | VaultError::NeedsKeyFile(_))),
            "{wrong:?}"
        );
        assert!(snapshot(&paths) == before);

        Vault::change_protection(&paths, &step[0], &step[1], &mut rng()).unwrap();
        assert!(fs::read(&paths.database).unwrap() == database);
        assert_eq!(paths.key_file.exists(), matches!(step[1], Unlock::KeyFile));
        assert_eq!(mode(&paths.header), 0o600);
        assert_eq!(Vault::check(&paths, &step[1]).unwrap(), 1);
        let by_old = Vault::check(&paths, &step[0]);
        assert!(matches!(
            by_old,
            Err(VaultError::WrongPassphrase(_)
                | VaultError::NeedsPassphrase(_)
                | VaultError::NeedsKeyFile(_))
        ));
    }
    assert!(Vault::open(&paths, &Unlock::KeyFile).unwrap().root_key == root_key);
}

/// A making that was interrupted anywhere is made again; nothing else is ever taken for one.
#[test]
fn a_half_made_vault_is_made_again() {
    let (_folder, whole) = vault(&Unlock::KeyFile);
    let (_other, empty) = {
        let folder = tempfile::tempdir().unwrap();
        let paths = VaultPaths::at(&folder.path().join("vault"));
        drop(Vault::create(&paths, &Unlock::KeyFile, &mut rng()).unwrap());
        (folder, paths)
    };
    let key_file = fs::read(&empty.key_file).unwrap();
    let database = fs::read(&empty.database).unwrap();
    let leftovers: [&[(&str, &[u8])]; 7] = [
        &[("vault", b"")],
        &[("vault.key.new", &key_file[..9])],
        &[("vault.key", &key_file)],
        &[("vault.key", &key_file), ("vault.new", &database[..7000])],
        &[("vault.key", &key_file), ("vault", &database)],
        &[("vault.key", &key_file), ("vault", &database), ("vault.header.new", b"softkey-vau")],
        &[("vault", &database), ("vault.lock", b"4711\n")],
    ];
    for files in leftovers {
        let folder = tempfile::tempdir().unwrap();
        let paths = VaultPaths::at(&folder.path().join("vault"));
        for (name, bytes) in files {
            fs::write(folder.path().join(name), bytes).unwrap();
            fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(0o600))
                .unwrap();
        }
        let names: Vec<_> = files.iter().map(|(name, _)| name).collect();
        let opened = Vault::open(&paths, &Unlock::KeyFile).map(drop);
        assert!(
            matches!(&opened, Err(VaultError::NotFound(path)) if *path == paths.database),
            "{names:?}: {opened:?}"
        );
        drop(Vault::create(&paths, &Unlock::KeyFile, &mut rng()).unwrap());
        assert_eq!(Vault::check(&paths, &Unlock::KeyFile).unwrap(), 0, "{names:?}");
        let files = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path());
        let files: Vec<_> = files.collect();
        let half_made = files.iter().any(|file| file.extension().is_some_and(|end| end == "new"));
        assert!(!files.is_empty() && !half_made, "{files:?}");
    }

    // A header that is gone is no half-made vault, if there is one record.
    fs::remove_file(&whole.header).unwrap();
    let before = fs::read(&whole.database).unwrap();
    for opened in
        [Vault::open(&whole, &Unlock::KeyFile), Vault::create(&whole, &Unlock::KeyFile, &mut rng())]
    {
        assert!(
            matches!(opened.map(drop), Err(VaultError::HeaderMissing(path)) if path == whole.header)
        );
    }
    assert!(fs::read(&whole.database).unwrap() == before);
}

/// A vault is never made over another, nor from what is missing of one.
#[test]
fn what_is_there_is_not_made_again() {
    let (_folder, paths) = vault(&Unlock::KeyFile);
    let before = snapshot(&paths);
    let made = Vault::create(&paths, &Unlock::KeyFile, &mut rng()).map(drop);
    assert!(matches!(made, Err(VaultError::AlreadyThere(path)) if path == paths.database));
    assert!(snapshot(&paths) == before);

    fs::remove_file(&paths.database).unwrap();
    for opened in
        [Vault::open(&paths, &Unlock::KeyFile), Vault::create(&paths, &Unlock::KeyFile, &mut rng())]
    {
        assert!(
            matches!(opened.map(drop), Err(VaultError::DatabaseMissing(path)) if path == paths.database)
        );
    }
    assert!(!paths.database.exists());
}

/// A key file that is there may open another vault: it is used, never replaced.
#[test]
fn a_key_file_that_is_there_is_kept() {
    let (folder, paths) = vault(&Unlock::KeyFile);
    let key_file = fs::read(&paths.key_file).unwrap();
    fs::remove_file(&paths.database).unwrap();
    fs::remove_file(&paths.header).unwrap();
    drop(Vault::create(&paths, &Unlock::KeyFile, &mut rng()).unwrap());
    assert_eq!(fs::read(&paths.key_file).unwrap(), key_file);
    drop(folder);
}

/// ST-08. Without randomness no vault is made, and nothing is left behind that stands in the way.
#[test]
fn a_vault_is_not_made_without_randomness() {
    let folder = tempfile::tempdir().unwrap();
    let paths = VaultPaths::at(&folder.path().join("vault"));
    for draws in 0..5 {
        let made = Vault::create(&paths, &Unlock::KeyFile, &mut Drying(draws)).map(drop);
        // The key file is the only thing that lasts: it is made before the vault is.
        assert!(matches!(made, Err(VaultError::Entropy)), "{draws} draws");
        assert!(!paths.database.exists() && !paths.header.exists());
        fs::remove_file(&paths.key_file).unwrap_or_default();
    }
    drop(Vault::create(&paths, &Unlock::KeyFile, &mut rng()).unwrap());
}

/// Randomness that ends after so many draws.
struct Drying(u32);

/// It has ended.
#[derive(Debug)]
struct Dry;

impl std::fmt::Display for Dry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "dry")
    }
}

impl std::error::Error for Dry {}

impl TryRng for Drying {
    type Error = Dry;

    fn try_next_u32(&mut self) -> Result<u32, Dry> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Dry> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_be_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Dry> {
        self.0 = self.0.checked_sub(1).ok_or(Dry)?;
        bytes.fill(0x55);
        Ok(())
    }
}

impl TryCryptoRng for Drying {}
