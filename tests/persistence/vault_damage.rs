//! Vaults whose files were damaged, exchanged or are something else: which error, and nothing changed. ST-03.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use softkey::vault::{Unlock, Vault, VaultError, VaultPaths};

use crate::snapshot;
use crate::vault::vault;

/// Puts bytes in the place of a file, tries to open the vault, and sees that no file has changed.
fn open_with(paths: &VaultPaths, file: &std::path::Path, bytes: &[u8]) -> Result<(), VaultError> {
    let original = fs::read(file).unwrap();
    fs::write(file, bytes).unwrap();
    let before = snapshot(paths);
    let opened = Vault::open(paths, &Unlock::KeyFile).map(drop);
    assert!(opened.is_ok() || snapshot(paths) == before, "refused and changed");
    fs::write(file, original).unwrap();
    opened
}

/// ST-03. Each byte of the header, changed in two ways: foreign, newer or damaged, and never opened.
#[test]
fn every_changed_byte_of_a_header_is_found() {
    let (_folder, paths) = vault(&Unlock::KeyFile);
    let header = fs::read(&paths.header).unwrap();
    assert_eq!(header.len(), 182);
    for at in 0..header.len() {
        for flip in [0x01, 0x80] {
            let mut changed = header.clone();
            changed[at] ^= flip;
            let error = open_with(&paths, &paths.header, &changed).expect_err("a changed header");
            let named = match (at, &error) {
                (0..16, VaultError::NotAVault(path)) | (17.., VaultError::Damaged(path, _)) => {
                    path == &paths.header
                }
                // Version 0 is no version; 129 may be one some day.
                (16, VaultError::Damaged(..)) => flip == 0x01,
                (16, VaultError::Newer(_, version)) => *version == 0x81,
                _ => false,
            };
            assert!(named, "byte {at}: {error:?}");
        }
    }
    Vault::open(&paths, &Unlock::KeyFile).unwrap();
}

/// ST-03. A header cut at each length, one with more behind it, and other files in its place.
#[test]
fn cut_and_foreign_headers_are_told_apart() {
    let (_folder, paths) = vault(&Unlock::KeyFile);
    let header = fs::read(&paths.header).unwrap();
    for len in 0..header.len() {
        let error = open_with(&paths, &paths.header, &header[..len]).expect_err("a cut header");
        assert!(matches!(error, VaultError::Truncated(path) if path == paths.header), "{len}");
    }
    let longer = [&header[..], b"\n"].concat();
    assert!(matches!(open_with(&paths, &paths.header, &longer), Err(VaultError::Damaged(..))));
    for foreign in
        [&b"hello"[..], &[0; 182], b"-----BEGIN OPENSSH PRIVATE KEY-----", &vec![b'x'; 100_000]]
    {
        assert!(
            matches!(open_with(&paths, &paths.header, foreign), Err(VaultError::NotAVault(path)) if path == paths.header)
        );
    }
    // A version to come may be of any length and content.
    let newer = [&header[..16], &[2], b"something else"].concat();
    assert!(
        matches!(open_with(&paths, &paths.header, &newer), Err(VaultError::Newer(path, 2)) if path == paths.header)
    );
}

/// ST-03. The same for the database, by the name of its file.
#[test]
fn cut_and_foreign_databases_are_told_apart() {
    let (_folder, paths) = vault(&Unlock::KeyFile);
    let database = fs::read(&paths.database).unwrap();
    for len in [
        0,
        1,
        8,
        9,
        320,
        4095,
        4096,
        8192,
        8193,
        database.len() / 2,
        database.len() - 4096,
        database.len() - 1,
    ] {
        let error =
            open_with(&paths, &paths.database, &database[..len]).expect_err("a cut database");
        let named = match &error {
            VaultError::Truncated(path) => path == &paths.database,
            VaultError::NotAVault(path) => path == &paths.database && (1..9).contains(&len),
            _ => false,
        };
        assert!(named, "{len}: {error:?}");
    }
    for foreign in [&b"hello"[..], &[0; 8192], b"SQLite format 3\0 and so on"] {
        assert!(
            matches!(open_with(&paths, &paths.database, foreign), Err(VaultError::NotAVault(path)) if path == paths.database)
        );
    }
    let mut changed = database.clone();
    for page in changed.chunks_mut(4096).skip(1) {
        page[100] ^= 1;
    }
    assert!(
        matches!(open_with(&paths, &paths.database, &changed), Err(VaultError::Damaged(path, _)) if path == paths.database)
    );
    Vault::open(&paths, &Unlock::KeyFile).unwrap();
}

/// The header of one vault beside the database of another.
#[test]
fn parts_of_two_vaults_are_no_vault() {
    let (_folder, paths) = vault(&Unlock::KeyFile);
    let (_other, other) = vault(&Unlock::KeyFile);
    let foreign = fs::read(&other.database).unwrap();
    assert!(
        matches!(open_with(&paths, &paths.database, &foreign), Err(VaultError::Mismatched(path)) if path == paths.header)
    );
    let foreign = fs::read(&other.header).unwrap();
    assert!(matches!(open_with(&paths, &paths.header, &foreign), Err(VaultError::WrongKeyFile(_))));
    let checked = Vault::check(&paths, &Unlock::KeyFile).unwrap();
    assert_eq!(checked, 1);
}

/// Folders and pipes where files should be.
#[test]
fn folders_are_no_vaults() {
    let folder = tempfile::tempdir().unwrap();
    let paths = VaultPaths::at(&folder.path().join("vault"));
    fs::create_dir(&paths.database).unwrap();
    let opened = Vault::open(&paths, &Unlock::KeyFile).map(drop);
    assert!(matches!(opened, Err(VaultError::NotAVault(path)) if path == paths.database));

    let (_folder, paths) = vault(&Unlock::KeyFile);
    fs::remove_file(&paths.header).unwrap();
    fs::create_dir(&paths.header).unwrap();
    let opened = Vault::open(&paths, &Unlock::KeyFile).map(drop);
    assert!(matches!(opened, Err(VaultError::NotAVault(path)) if path == paths.header));
}

/// A file that the owner may not read himself; root may, so there the vault opens.
#[test]
fn what_cannot_be_read_is_named() {
    let (_folder, paths) = vault(&Unlock::KeyFile);
    for file in [&paths.header, &paths.database, &paths.key_file] {
        fs::set_permissions(file, fs::Permissions::from_mode(0o000)).unwrap();
        let readable = fs::File::open(file).is_ok();
        match Vault::open(&paths, &Unlock::KeyFile).map(drop) {
            Ok(()) => assert!(readable),
            Err(VaultError::Io(path, error)) => {
                assert!(
                    !readable
                        && &path == file
                        && error.kind() == std::io::ErrorKind::PermissionDenied
                );
            }
            Err(other) => panic!("{other:?}"),
        }
        fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// Every error has two parts: what happened, with the file's name, and what to try.
#[test]
fn errors_say_what_happened_and_what_to_try() {
    let path = || "/some/vault".into();
    let error = || std::io::Error::from(std::io::ErrorKind::PermissionDenied);
    let errors = [
        VaultError::NotFound(path()),
        VaultError::AlreadyThere(path()),
        VaultError::NoFolder(path()),
        VaultError::HeaderMissing(path()),
        VaultError::DatabaseMissing(path()),
        VaultError::KeyFileMissing(path()),
        VaultError::KeyFileDamaged(path()),
        VaultError::WrongKeyFile(path()),
        VaultError::NeedsPassphrase(path()),
        VaultError::NeedsKeyFile(path()),
        VaultError::WrongPassphrase(path()),
        VaultError::NotAVault(path()),
        VaultError::Truncated(path()),
        VaultError::Damaged(path(), "why".into()),
        VaultError::Mismatched(path()),
        VaultError::Newer(path(), 7),
        VaultError::HoldsKey(path()),
        VaultError::HoldsProfile(path()),
        VaultError::OpenToOthers(path(), 0o644),
        VaultError::FolderOpenToAll(path(), 0o777),
        VaultError::InUse(path(), Some(1)),
        VaultError::InUse(path(), None),
        VaultError::Full(path()),
        VaultError::Io(path(), error()),
    ];
    let mut sentences = std::collections::BTreeSet::new();
    for error in errors {
        let (what, try_this) = (error.what(), error.try_this());
        assert!(what.contains("/some/vault"), "{what}");
        assert!(!try_this.is_empty() && !what.ends_with('.') && !try_this.ends_with('.'));
        assert_eq!(error.to_string(), format!("{what}; {try_this}"));
        assert!(sentences.insert(what), "two errors say the same");
    }
    assert_eq!(
        VaultError::OpenToOthers("/some/vault".into(), 0o644).to_string(),
        "others can read or change /some/vault (mode 644); make it yours alone with `chmod 600 /some/vault`"
    );
    assert_eq!(
        VaultError::Newer("/some/vault.header".into(), 2).to_string(),
        "/some/vault.header has the format 2, which this version does not know; \
         use the newer version of softkey; nothing was changed"
    );
}
