//! How much memory a process needs that has a full vault open, or finds that it cannot.

use std::fs;
use std::process::Command;

use softkey::vault::{Unlock, Vault, VaultPaths};
use softkey_authenticator::{Change, Store};
use softkey_tests::persistence::contract::key;

/// `run` may take 30 MiB with 10 000 credentials; the vault leaves at least half of it to the rest.
const MOST_KIB: u64 = 15 << 10;

/// redb's pages; in the first one the two slots of a state, and in each where the roots of its tables are: page numbers,
/// whose topmost five bits are the power of two of pages (redb's design document, *Commit slot*).
const PAGE: usize = 4096;
const SLOTS: [usize; 2] = [64, 192];
const ROOTS: [usize; 2] = [8, 32];

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

    let (found, kib) = read_by_another(&paths);
    assert_eq!(found, "10000");
    println!("{kib} KiB at the most");
    assert!(kib < MOST_KIB, "{kib} KiB");
}

/// ST-03. The state before the newest one has page numbers of 128 MiB, and its sum says that they are wrong; so nobody sets
/// memory aside for them, whichever page of the newest state is damaged.
#[test]
fn a_damaged_page_number_asks_for_no_memory() {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let paths = VaultPaths::at(&folder.path().join("vault"));
    let mut vault = Vault::create(&paths, &Unlock::KeyFile, &mut getrandom::SysRng).unwrap();
    for number in 0..12 {
        vault.store.commit(&[Change::Put(key(&[number]), &[number; 200])]).unwrap();
    }
    // As a process that is killed leaves it.
    let killed = fs::read(&paths.database).unwrap();
    drop(vault);
    let used = |page: &usize| killed[*page..*page + PAGE].iter().any(|byte| *byte != 0);
    let mut refusals = 0;
    for page in (1..killed.len() / PAGE).map(|page| page * PAGE).filter(used) {
        for slot in SLOTS {
            let mut damaged = killed.clone();
            damaged[page] ^= 0x80;
            for root in ROOTS {
                damaged[slot + root..slot + root + 8]
                    .copy_from_slice(&(15_u64 << 59).to_le_bytes());
            }
            fs::write(&paths.database, &damaged).unwrap();
            let (found, kib) = read_by_another(&paths);
            refusals += usize::from(found == "refused");
            assert!(kib < MOST_KIB, "page at {page}, slot at {slot}: {found} with {kib} KiB");
        }
    }
    assert!(refusals > 12, "only {refusals} refused");
}

/// What another process finds in a vault, and the most memory that it needed, in KiB.
fn read_by_another(paths: &VaultPaths) -> (String, u64) {
    let mut reader = Command::new(env!("CARGO_BIN_EXE_softkey-test-committer"));
    let output = reader.arg(&paths.database).arg("peak").output().unwrap();
    let line = String::from_utf8(output.stdout).unwrap();
    let (found, kib) = line.trim().split_once(' ').unwrap();
    (found.to_owned(), kib.parse().unwrap())
}
