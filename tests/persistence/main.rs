//! Stores and vaults: what they keep, and what no crash, no full disk and no damage may do to it.
//! Checklist section 14 (ST).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests too"
)]

mod browser_profile;
mod contract;
mod damage;
mod flash;
mod flash_damage;
mod flash_room;
mod former;
mod full_disk;
mod kill;
mod memory;
mod power;
mod secrecy;
mod syncs;
mod vault;
mod vault_damage;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use softkey::vault::{Boot, RedbStore, VaultPaths};
use softkey_tests::persistence::disk::Disk;

/// The identity of every database here.
const IDENTITY: [u8; 16] = *b"0123456789abcdef";
/// The run of the system in which stores are used, and the one after a loss of power.
const BOOT: Option<Boot> = Some(Boot([1; 16]));
const NEXT_BOOT: Option<Boot> = Some(Boot([2; 16]));

fn new_store(disk: &Disk) -> RedbStore {
    RedbStore::create(disk.clone(), &IDENTITY, BOOT).expect("a database is made")
}

fn open_store(disk: &Disk) -> RedbStore {
    RedbStore::open(disk.clone(), &IDENTITY, BOOT).expect("a database opens")
}

/// The bytes of a vault's files, but for the lock, which says nothing of what is kept.
fn snapshot(paths: &VaultPaths) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = [&paths.database, &paths.header, &paths.key_file];
    files.into_iter().filter_map(|path| Some((path.clone(), fs::read(path).ok()?))).collect()
}
