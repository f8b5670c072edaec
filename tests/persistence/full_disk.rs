//! A disk that is full or fails, at every single write. ST-02.

use std::io::ErrorKind;

use softkey::vault::{RecordsError, RedbStore};
use softkey_authenticator::{Change, Store, StoreError};
use softkey_tests::persistence::contract::{Records, apply, key, records};
use softkey_tests::persistence::disk::{Disk, Fault, Refused};

use crate::{BOOT, IDENTITY, NEXT_BOOT, new_store, open_store};

/// A store with something in it, and its records.
fn filled() -> (Disk, RedbStore, Records) {
    let disk = Disk::default();
    let mut store = new_store(&disk);
    for number in 0..40 {
        store.commit(&[Change::Put(key(&[number]), &[number; 300])]).unwrap();
    }
    let model = records(&store).unwrap();
    (disk, store, model)
}

const VALUE: [u8; 4096] = [0x5A; 4096];

/// A batch that makes the file grow.
fn batch() -> Vec<Change<'static>> {
    (0..16)
        .map(
            |at| {
                if at == 3 {
                    Change::Delete(key(&[at]))
                } else {
                    Change::Put(key(&[at, at]), &VALUE)
                }
            },
        )
        .collect()
}

/// Strikes at every change in turn, until one commit meets no fault. At each: the error, the records as
/// before, also for who opens the file then, and the same commit again once the disk is mended.
fn strike_everywhere(fault: Fault, expected: impl Fn(&RecordsError) -> bool) -> usize {
    for after in 0.. {
        let (disk, mut store, mut model) = filled();
        disk.set_fault(Some(Fault { after, ..fault }));
        let outcome = store.commit(&batch());
        if disk.faults() == 0 {
            outcome.unwrap();
            return after;
        }
        let error = outcome.expect_err("a change was refused");
        assert!(expected(&error), "{after}: {error:?}");
        assert!(records(&store).unwrap() == model, "{after}: as before");
        if !fault.once {
            store.commit(&batch()).expect_err("the disk still refuses");
            assert!(records(&store).unwrap() == model, "{after}: as before, again");
        }
        disk.set_fault(None);
        for boot in [BOOT, NEXT_BOOT] {
            let other = RedbStore::open(Disk::holding(disk.bytes()), &IDENTITY, boot).unwrap();
            assert!(records(&other).unwrap() == model, "{after}: as before for the next process");
        }
        store
            .commit(&batch())
            .unwrap_or_else(|error| panic!("{after}: the disk is mended, {error:?}"));
        apply(&mut model, &batch());
        assert!(records(&store).unwrap() == model, "{after}: written");
        drop(store);
        assert!(records(&open_store(&disk)).unwrap() == model, "{after}: kept");
    }
    panic!("a commit has an end")
}

/// ST-02. A disk that fills up and stays full.
#[test]
fn a_full_disk_refuses_the_commit_and_spoils_nothing() {
    let fault = Fault { after: 0, once: false, of: Refused::Writes, kind: ErrorKind::StorageFull };
    assert!(strike_everywhere(fault, StoreError::is_full) > 10);
}

/// ST-02. A disk that is full for one moment.
#[test]
fn a_disk_full_for_a_moment_refuses_the_commit_and_spoils_nothing() {
    let fault = Fault { after: 0, once: true, of: Refused::Writes, kind: ErrorKind::QuotaExceeded };
    assert!(strike_everywhere(fault, StoreError::is_full) > 10);
}

/// ST-02. Errors that are not about room say so.
#[test]
fn a_failing_disk_is_not_a_full_one() {
    let fault = Fault { after: 0, once: false, of: Refused::Writes, kind: ErrorKind::Other };
    assert!(
        strike_everywhere(fault, |error| matches!(error, RecordsError::Io(_)) && !error.is_full())
            > 10
    );
}

/// ST-02. A sync that fails leaves it open what is on the disk; the store goes back to what it was.
#[test]
fn a_failed_sync_undoes_the_commit() {
    for once in [false, true] {
        let fault = Fault { after: 0, once, of: Refused::Syncs, kind: ErrorKind::Other };
        assert!(strike_everywhere(fault, |error| matches!(error, RecordsError::Io(_))) > 0);
    }
}

/// ST-02. The same for a value that is longer than any record of a key: the former one stays.
#[test]
fn a_full_disk_leaves_the_former_long_value() {
    let long = |number: u8| vec![number; 20_000];
    let mut faults = 0;
    for after in 0.. {
        let (disk, mut store, mut model) = filled();
        store.put_long(&key(b"long"), &long(1)).unwrap();
        model.insert(b"long".to_vec(), long(1));
        let (once, of, kind) = (false, Refused::Writes, ErrorKind::StorageFull);
        disk.set_fault(Some(Fault { after, once, of, kind }));
        let outcome = store.put_long(&key(b"long"), &long(2));
        if disk.faults() == 0 {
            outcome.unwrap();
            break;
        }
        faults += 1;
        assert!(outcome.expect_err("a change was refused").is_full());
        disk.set_fault(None);
        let other = RedbStore::open(Disk::holding(disk.bytes()), &IDENTITY, BOOT).unwrap();
        assert!(records(&other).unwrap() == model, "{after}: as before");
        store.put_long(&key(b"long"), &long(2)).unwrap();
        model.insert(b"long".to_vec(), long(2));
        assert!(records(&store).unwrap() == model, "{after}: written");
    }
    assert!(faults > 3, "only {faults}");
}

/// A vault opens on a full disk: what is there can be used.
#[test]
fn a_store_opens_on_a_full_disk() {
    let (disk, store, model) = filled();
    drop(store);
    // The header is written in place, which needs no room.
    disk.set_fault(Some(Fault {
        after: 1,
        once: false,
        of: Refused::Writes,
        kind: ErrorKind::StorageFull,
    }));
    let mut store = RedbStore::open(disk.clone(), &IDENTITY, NEXT_BOOT).unwrap();
    assert!(records(&store).unwrap() == model);
    assert!(store.commit(&batch()).expect_err("the disk is full").is_full());
    disk.set_fault(None);
    store.commit(&batch()).unwrap();
}
