//! What a loss of power leaves, at every sync and between any two. ST-01.

use softkey::vault::{RecordsError, RedbStore};
use softkey_authenticator::{Change, Store};
use softkey_tests::persistence::contract::{Records, apply, key, records};
use softkey_tests::persistence::disk::{Disk, replay};
use softkey_tests::persistence::power::{Commit, Recording, check};

use crate::{BOOT, IDENTITY, NEXT_BOOT, new_store, open_store};

/// Batches that grow, overwrite and delete: what registrations, counters and resets do.
fn batch(number: u8) -> Vec<(u8, Option<Vec<u8>>)> {
    match number % 4 {
        0 => (0..16).map(|at| (at * 16 + number % 16, Some(vec![number; 300]))).collect(),
        1 => vec![(number, Some(vec![number; 40])), (0xF0, Some(vec![number; 4096]))],
        2 => (0..8).map(|at| (at * 16 + (number - 2) % 16, None)).collect(),
        _ => vec![(0xF1, Some(vec![number; 9]))],
    }
}

fn record(disk: &Disk, commits: u8) -> Recording {
    let mut store = new_store(disk);
    let mut model = Records::new();
    let mut recorded =
        vec![Commit { began: 0, acknowledged: disk.event_count(), records: model.clone() }];
    for number in 0..commits {
        let batch = batch(number);
        let changes: Vec<_> = batch
            .iter()
            .map(|(name, value)| match value {
                Some(value) => Change::Put(key(&[*name]), value),
                None => Change::Delete(key(&[*name])),
            })
            .collect();
        let began = disk.event_count();
        store.commit(&changes).unwrap();
        apply(&mut model, &changes);
        recorded.push(Commit { began, acknowledged: disk.event_count(), records: model.clone() });
        if number % 5 == 4 {
            // What is no key's record, and longer than any.
            let (long, began) = (vec![number; 9000 + usize::from(number)], disk.event_count());
            store.put_long(&key(&[0xF2]), &long).unwrap();
            model.insert(vec![0xF2], long);
            recorded.push(Commit {
                began,
                acknowledged: disk.event_count(),
                records: model.clone(),
            });
        }
        if number % 7 == 6 {
            drop(store);
            store = open_store(disk);
        }
    }
    drop(store);
    Recording { events: disk.events(), commits: recorded }
}

fn reopened(bytes: Vec<u8>) -> Result<Records, String> {
    let store = RedbStore::open(Disk::holding(bytes), &IDENTITY, NEXT_BOOT)
        .map_err(|error| error.to_string())?;
    records(&store).map_err(|error: RecordsError| error.to_string())
}

/// ST-01. Every file that a loss of power can leave opens with the last acknowledged commit, or with the one
/// in work.
#[test]
fn no_loss_of_power_tears_or_loses_a_commit() {
    let recording = record(&Disk::default(), 24);
    let looked_at = check(&recording, reopened).unwrap_or_else(|torn| panic!("{torn:?}"));
    assert!(looked_at > 2000, "only {looked_at} files");
}

/// The check above finds a disk whose syncs do nothing.
#[test]
fn a_store_without_sync_is_found_out() {
    let torn = check(&record(&Disk::lying(None), 3), reopened).expect_err("nothing was synced");
    assert_eq!(torn.synced, 0);
}

/// The check above finds a disk on which every second sync does nothing.
#[test]
fn a_store_with_half_its_syncs_is_found_out() {
    let torn = check(&record(&Disk::lying(Some(2)), 6), reopened).expect_err("half was not synced");
    assert!(torn.synced > 0);
}

/// ST-01. A process that is killed leaves what it wrote so far, and that needs no rolling back: it opens in
/// the same boot, where a state that is not whole counts as damage.
#[test]
fn a_killed_process_never_leaves_half_a_commit() {
    let recording = record(&Disk::default(), 24);
    let same_boot = |bytes| {
        let store = RedbStore::open(Disk::holding(bytes), &IDENTITY, BOOT)
            .map_err(|error| error.to_string())?;
        records(&store).map_err(|error| error.to_string())
    };
    let mut file = Vec::new();
    let mut looked_at = 0;
    for (at, event) in recording.events.iter().enumerate() {
        replay(&mut file, event);
        let Some(allowed) = recording.allowed(at + 1) else { continue };
        looked_at += 1;
        let found = same_boot(file.clone()).unwrap_or_else(|error| panic!("after {at} {error}"));
        assert!(allowed.contains(&&found), "after {at}");
    }
    assert!(looked_at >= 24, "{looked_at} places of {}", recording.events.len());
}
