//! Databases that were cut off, scratched or never were any. ST-03.

use softkey::vault::{OpenError, RecordsError, RedbStore};
use softkey_authenticator::{Change, Store};
use softkey_tests::persistence::contract::{Records, key, records};
use softkey_tests::persistence::disk::Disk;

use crate::{BOOT, IDENTITY, NEXT_BOOT, new_store, open_store};

/// Files of one content: closed in order, left by a killed process, and left by one whose first commit since
/// the opening was its last.
fn files() -> ([(&'static str, Vec<u8>); 3], Records) {
    let disk = Disk::default();
    let mut store = new_store(&disk);
    for number in 0..60 {
        store.commit(&[Change::Put(key(&[number, 1]), &[number; 300])]).unwrap();
    }
    let killed = disk.bytes();
    let model = records(&store).unwrap();
    drop(store);
    let closed = disk.bytes();
    let mut store = open_store(&disk);
    store.commit(&[Change::Put(key(&[0, 1]), &[0; 300])]).unwrap();
    ([("closed", closed), ("killed", killed), ("killed early", disk.bytes())], model)
}

/// Opens a changed file: an error that leaves it alone, or all records. True for the error.
fn refused(what: &str, file: &[u8], model: &Records) -> bool {
    let disk = Disk::holding(file.to_vec());
    match RedbStore::open(disk.clone(), &IDENTITY, BOOT) {
        Ok(store) => {
            assert!(&records(&store).unwrap() == model, "{what}: opened, and other records");
            false
        }
        Err(error) => {
            let damage = matches!(
                error,
                OpenError::Empty
                    | OpenError::Truncated
                    | OpenError::Foreign
                    | OpenError::Format(_)
                    | OpenError::Records(RecordsError::Damaged(_))
            );
            assert!(damage, "{what}: {error:?}");
            assert!(disk.bytes() == file, "{what}: refused, and changed");
            true
        }
    }
}

/// ST-03. Whatever single byte of a database changes, it opens with all records or is refused untouched, also
/// where redb would go back to an earlier state.
#[test]
fn no_changed_byte_changes_a_record() {
    let (files, model) = files();
    for (name, file) in files {
        let mut refusals = 0;
        let in_header = (0..320).flat_map(|at| [(at, 0x01), (at, 0xFF)]);
        let elsewhere = (320..file.len()).step_by(97).map(|at| (at, 0x10));
        let used = |at: &usize| file[at / 4096 * 4096..][..4096].iter().any(|byte| *byte != 0);
        for (at, flip) in in_header.chain(elsewhere).filter(|(at, _)| used(at)) {
            let mut changed = file.clone();
            changed[at] ^= flip;
            refusals +=
                usize::from(refused(&format!("{name}, byte {at} by {flip:#x}"), &changed, &model));
        }
        assert!(refusals > 100, "{name}: only {refusals} refused");
    }
}

/// ST-03. A page full of one byte, or an older page in the place of another.
#[test]
fn no_changed_page_changes_a_record() {
    let (files, model) = files();
    for (name, file) in files {
        let pages = file.len() / 4096;
        let mut refusals = 0;
        for page in
            (0..pages).filter(|page| file[page * 4096..][..4096].iter().any(|byte| *byte != 0))
        {
            for other in [None, Some((page ^ 1) % pages), Some((page + 2) % pages)] {
                let mut changed = file.clone();
                match other {
                    None => changed[page * 4096..][..4096].fill(0xFF),
                    Some(other) => {
                        changed.copy_within(other * 4096..(other + 1) * 4096, page * 4096);
                    }
                }
                refusals += usize::from(refused(
                    &format!("{name}, page {page} by {other:?}"),
                    &changed,
                    &model,
                ));
            }
        }
        assert!(refusals > 5, "{name}: only {refusals} refused");
    }
}

/// ST-03. A file that ends early, at every page and beside it.
#[test]
fn no_cut_changes_a_record() {
    let (files, model) = files();
    for (name, file) in files {
        let mut refusals = 0;
        let pages = (0..file.len())
            .step_by(4096)
            .flat_map(|page| [page, page + 1, page + 2048, page + 4095]);
        for len in (0..330).chain(pages) {
            refusals +=
                usize::from(refused(&format!("{name}, cut to {len}"), &file[..len], &model));
        }
        assert!(refusals > 300, "{name}: only {refusals} refused");
    }
}

/// ST-03. Other people's files, by name of what is wrong.
#[test]
fn foreign_files_are_told_apart() {
    let open =
        |bytes: &[u8]| RedbStore::open(Disk::holding(bytes.to_vec()), &IDENTITY, BOOT).map(drop);
    assert!(matches!(open(b""), Err(OpenError::Empty)));
    assert!(matches!(open(b"hello"), Err(OpenError::Foreign)));
    assert!(matches!(open(&[b'x'; 10_000]), Err(OpenError::Foreign)));
    let (files, _) = files();
    for (name, file) in files {
        assert!(matches!(open(&file[..5000]), Err(OpenError::Truncated)), "{name}");
    }

    // Another program's redb database.
    let disk = Disk::default();
    let database = redb::Builder::new().create_with_backend(disk.clone()).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction
        .open_table(redb::TableDefinition::<u64, u64>::new("records"))
        .unwrap()
        .insert(1, 2)
        .unwrap();
    transaction.commit().unwrap();
    drop(database);
    assert!(matches!(open(&disk.bytes()), Err(OpenError::Records(RecordsError::Damaged(_)))));

    let disk = Disk::default();
    drop(new_store(&disk));
    let other = RedbStore::open(disk.clone(), &[0; 16], BOOT).map(drop);
    assert!(matches!(other, Err(OpenError::Stranger)));
    let again = RedbStore::create(disk, &[0; 16], BOOT).map(drop);
    assert!(matches!(again, Err(OpenError::NotEmpty)));
}

/// What a loss of power explains is put right, and only when there was one: half a last commit.
#[test]
fn half_a_commit_is_damage_unless_the_power_went() {
    let disk = Disk::default();
    let mut store = new_store(&disk);
    store.commit(&[Change::Put(key(b"one"), b"1")]).unwrap();
    let model = records(&store).unwrap();
    let before = disk.bytes();
    store.commit(&[Change::Put(key(b"two"), b"2")]).unwrap();
    let after = disk.bytes();
    // The header of the second commit over the pages of the first.
    let mut torn = before.clone();
    torn[..4096].copy_from_slice(&after[..4096]);

    assert!(refused("in the same boot", &torn, &model));
    let store = RedbStore::open(Disk::holding(torn.clone()), &IDENTITY, NEXT_BOOT).unwrap();
    assert!(records(&store).unwrap() == model);
    let store = RedbStore::open(Disk::holding(torn), &IDENTITY, None).unwrap();
    assert!(records(&store).unwrap() == model);
}
