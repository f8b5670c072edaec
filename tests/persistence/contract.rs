//! Every store held to the one contract.

use softkey_authenticator::MemoryStore;
use softkey_tests::persistence::contract::Shelf;

struct Memory;

impl Shelf for Memory {
    type Store = MemoryStore;

    fn fresh(&mut self) -> MemoryStore {
        MemoryStore::default()
    }

    fn restarted(&mut self, store: MemoryStore) -> MemoryStore {
        store
    }
}

mod memory {
    softkey_tests::store_contract!(super::Memory);
}

mod flash {
    use softkey_authenticator::{Change, Store};
    use softkey_flash_store::ram::RamFlash;
    use softkey_flash_store::{Error, FlashStore, Page};
    use softkey_tests::persistence::contract::{Shelf, key, records};

    /// The most that the contract's batches leave lies in 1 MiB.
    const REGION: std::ops::Range<u32> = 0..256 * Page::LEN;

    struct Chip;

    impl Shelf for Chip {
        type Store = FlashStore<RamFlash>;

        fn fresh(&mut self) -> Self::Store {
            FlashStore::open(RamFlash::new(256), REGION).unwrap()
        }

        fn restarted(&mut self, store: Self::Store) -> Self::Store {
            FlashStore::open(store.into_flash(), REGION).unwrap()
        }
    }

    softkey_tests::store_contract!(Chip);

    /// What the contract does not allow is refused by name, and nothing is written.
    #[test]
    fn batches_beyond_the_contract_are_refused() {
        let mut store = Chip.fresh();
        let keys: Vec<_> = (0..17).map(|number| key(&[number])).collect();
        let seventeen: Vec<_> = keys.iter().map(|key| Change::Put(*key, b"")).collect();
        assert!(matches!(store.commit(&seventeen), Err(Error::TooManyChanges(17))));
        let doubled = [Change::Put(keys[0], b""), Change::Delete(keys[0])];
        assert!(matches!(store.commit(&doubled), Err(Error::Unordered)));
        let descending = [Change::Delete(keys[1]), Change::Delete(keys[0])];
        assert!(matches!(store.commit(&descending), Err(Error::Unordered)));
        let long = [Change::Put(keys[0], &[0; 4097])];
        assert!(matches!(store.commit(&long), Err(Error::TooLong(4097))));
        assert!(records(&store).unwrap().is_empty());
        assert!(store.into_flash() == Chip.fresh().into_flash());
    }
}

mod redb {
    use softkey::vault::{RecordsError, RedbStore};
    use softkey_authenticator::{Change, Store};
    use softkey_tests::persistence::contract::{Shelf, key, records};
    use softkey_tests::persistence::disk::Disk;

    use crate::{new_store, open_store};

    #[derive(Default)]
    struct OnDisk(Disk);

    impl Shelf for OnDisk {
        type Store = RedbStore;

        fn fresh(&mut self) -> RedbStore {
            self.0 = Disk::default();
            new_store(&self.0)
        }

        fn restarted(&mut self, store: RedbStore) -> RedbStore {
            drop(store);
            open_store(&self.0)
        }
    }

    softkey_tests::store_contract!(OnDisk::default());

    /// What the contract does not allow is refused by name, and nothing is written.
    #[test]
    fn batches_beyond_the_contract_are_refused() {
        let disk = Disk::default();
        let mut store = new_store(&disk);
        let before = disk.bytes();
        let keys: Vec<_> = (0..17).map(|number| key(&[number])).collect();
        let seventeen: Vec<_> = keys.iter().map(|key| Change::Put(*key, b"")).collect();
        assert!(matches!(store.commit(&seventeen), Err(RecordsError::TooManyChanges(17))));
        let doubled = [Change::Put(keys[0], b""), Change::Delete(keys[0])];
        assert!(matches!(store.commit(&doubled), Err(RecordsError::Unordered)));
        let descending = [Change::Delete(keys[1]), Change::Delete(keys[0])];
        assert!(matches!(store.commit(&descending), Err(RecordsError::Unordered)));
        let long = [Change::Put(keys[0], &[0; 4097])];
        assert!(matches!(store.commit(&long), Err(RecordsError::TooLong(4097))));
        assert_eq!(disk.bytes(), before);
        assert!(records(&store).unwrap().is_empty());
    }

    /// One commit is one sync, and one more where the file has to grow first; reading writes nothing.
    #[test]
    fn a_commit_costs_one_sync() {
        use softkey_tests::persistence::disk::Event;

        let disk = Disk::default();
        let mut store = new_store(&disk);
        let mut growths = 0;
        for number in 0..50 {
            let before = disk.event_count();
            let len = disk.bytes().len();
            store.commit(&[Change::Put(key(&[number]), &[number; 300])]).unwrap();
            let events = disk.events().split_off(before);
            let grown = usize::from(disk.bytes().len() > len);
            let syncs = events.iter().filter(|event| **event == Event::Sync).count();
            assert_eq!(syncs, 1 + grown, "commit {number}");
            growths += grown;
        }
        assert!(growths <= 3, "the file grew {growths} times");
        let before = disk.event_count();
        records(&store).unwrap();
        assert_eq!(disk.event_count(), before);
    }
}
