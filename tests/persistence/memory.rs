//! How much memory a process needs that has a full vault open.

use std::process::Command;

use softkey::vault::{Unlock, Vault, VaultPaths};
use softkey_authenticator::{Change, Store};
use softkey_tests::persistence::contract::key;

/// `run` may take 30 MiB with 10 000 credentials; the vault leaves at least half of it to the rest.
const MOST_KIB: u64 = 15 << 10;

/// A process that opens a vault of 10 000 records of 300 bytes, reads all of it and commits to it.
#[test]
fn a_vault_of_ten_thousand_records_needs_little_memory() {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let paths = VaultPaths::at(&folder.path().join("vault"));
    let mut vault = Vault::create(&paths, &Unlock::KeyFile, &mut getrandom::SysRng).unwrap();
    for high in 0..625_u32 {
        let keys: Vec<_> = (0..16).map(|low| key(&(high * 16 + low).to_be_bytes())).collect();
        let batch: Vec<_> = keys.iter().map(|key| Change::Put(*key, &[0x5A; 300])).collect();
        vault.store.commit(&batch).unwrap();
    }
    drop(vault);

    let mut reader = Command::new(env!("CARGO_BIN_EXE_softkey-test-committer"));
    let output = reader.arg(&paths.database).arg("peak").output().unwrap();
    let line = String::from_utf8(output.stdout).unwrap();
    let (found, kib) = line.trim().split_once(' ').unwrap();
    assert_eq!(found, "10000");
    let kib: u64 = kib.parse().unwrap();
    println!("{kib} KiB at the most");
    assert!(kib < MOST_KIB, "{kib} KiB");
}
