//! Vaults of former releases open. ST-04.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use softkey::vault::{Protection, Unlock, Vault, VaultPaths};
use softkey_tests::persistence::contract::records;

use crate::vault::passphrase;

/// The files of a vault as they are kept: a name with a length, and under it what is not zero, by offset: bytes, or one
/// byte and how often it is there.
fn files(text: &str) -> BTreeMap<&str, Vec<u8>> {
    let mut files: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    let mut current = "";
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (word, number) = line.split_once(' ').unwrap();
        if let Some(name) = word.strip_suffix(':') {
            current = name;
            files.insert(name, vec![0; number.parse().unwrap()]);
            continue;
        }
        let (digits, times) = match number.split_once('*') {
            Some((byte, times)) => (byte, times.parse().unwrap()),
            None => (number, 1),
        };
        let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
        let bytes: Vec<u8> = (0..digits.len()).step_by(2).map(byte).collect();
        let bytes = bytes.repeat(times);
        let start: usize = word.parse().unwrap();
        files.get_mut(current).unwrap()[start..start + bytes.len()].copy_from_slice(&bytes);
    }
    files
}

/// ST-04. The vault that version 0.1.0 made, by its key file and by a passphrase.
#[test]
fn the_vault_of_0_1_0_opens() {
    let files = files(include_str!("../vectors/vault-0.1.0.txt"));
    for (header, unlock) in [
        ("key.header", Unlock::KeyFile),
        ("passphrase.header", passphrase("correct horse battery staple")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let paths = VaultPaths::at(&folder.path().join("vault"));
        for (path, name) in
            [(&paths.database, "database"), (&paths.header, header), (&paths.key_file, "key")]
        {
            fs::write(path, &files[name]).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        let by_passphrase = matches!(Vault::protection(&paths).unwrap(), Protection::Passphrase(_));
        assert_eq!(by_passphrase, matches!(unlock, Unlock::Passphrase(_)));
        let vault = Vault::open(&paths, &unlock).unwrap();
        assert_eq!(vault.root_key.expose()[..], files["root"]);
        let expected =
            (0..8_u8).map(|number| (vec![b'c', number], vec![number; usize::from(number) * 20]));
        assert_eq!(records(&vault.store).unwrap(), expected.collect());
    }
}
