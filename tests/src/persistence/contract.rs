//! The contract of [`Store`], as checks that any implementation can be given to.
//!
//! A [`Shelf`] makes stores and starts them again. Each check is a function of its own, so that a failure
//! names what is broken; [`store_contract!`](crate::store_contract) makes a test of each.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use proptest::prelude::*;
use softkey_authenticator::{Change, Key, Store};

/// Makes stores of one kind.
pub trait Shelf {
    /// What is made.
    type Store: Store;

    /// A store with nothing in it.
    fn fresh(&mut self) -> Self::Store;

    /// The same store after a power cycle.
    fn restarted(&mut self, store: Self::Store) -> Self::Store;
}

/// Every check of this module as a test, for the shelf that an expression makes.
#[macro_export]
macro_rules! store_contract {
    ($shelf:expr) => {
        $crate::store_contract!($shelf;
            keys_ascend_bytewise_and_a_prefix_comes_first
            a_range_holds_its_start_and_not_its_end
            a_range_without_keys_visits_nothing
            a_visit_ends_when_told
            a_load_replaces_what_the_buffer_held
            values_are_kept_to_the_byte
            sixteen_changes_are_one_batch
            a_batch_replaces_and_deletes
            an_empty_batch_changes_nothing
            a_store_agrees_with_a_map
        );
    };
    ($shelf:expr; $($check:ident)+) => {
        $(
            /// One clause of the contract of [`softkey_authenticator::Store`].
            #[test]
            fn $check() {
                $crate::persistence::contract::$check(&mut $shelf);
            }
        )+
    };
}

/// All records of a store.
pub type Records = BTreeMap<Vec<u8>, Vec<u8>>;

/// A key of these bytes.
#[must_use]
pub fn key(bytes: &[u8]) -> Key {
    Key::new(bytes).expect("a key of at most 40 bytes")
}

/// All records of a store but one under a key of 40 bytes 0xFF.
///
/// # Errors
///
/// Those of [`Store::each`].
pub fn records<S: Store>(store: &S) -> Result<Records, S::Error> {
    let mut found = Records::new();
    store.each(&key(&[])..&key(&[0xFF; Key::MAX]), &mut |key, value| {
        found.insert(key.as_bytes().to_vec(), value.to_vec());
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// What a batch does to the records.
pub fn apply(records: &mut Records, changes: &[Change<'_>]) {
    for change in changes {
        match *change {
            Change::Put(key, value) => records.insert(key.as_bytes().to_vec(), value.to_vec()),
            Change::Delete(key) => records.remove(key.as_bytes()),
        };
    }
}

fn filled<H: Shelf>(shelf: &mut H, keys: &[&[u8]]) -> H::Store {
    let mut store = shelf.fresh();
    for bytes in keys {
        store.commit(&[Change::Put(key(bytes), bytes)]).expect("a record is written");
    }
    store
}

fn visited<S: Store>(store: &S, from: &[u8], to: &[u8]) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    let visit = &mut |key: &Key, value: &[u8]| {
        assert_eq!(value, key.as_bytes(), "each record holds its own key here");
        keys.push(key.as_bytes().to_vec());
        ControlFlow::Continue(())
    };
    store.each(&key(from)..&key(to), visit).expect("a range is read");
    keys
}

/// Order is that of the bytes, whatever order they were written in.
pub fn keys_ascend_bytewise_and_a_prefix_comes_first(shelf: &mut impl Shelf) {
    let long = [b'c'; Key::MAX];
    let store = filled(
        shelf,
        &[b"b", &long, &[0xFE], b"a", &long[..39], b"ab", b"a\0", &[0], b"a\xFF", &[0x80]],
    );
    let expected: [&[u8]; 10] =
        [&[0], b"a", b"a\0", b"ab", b"a\xFF", b"b", &long[..39], &long, &[0x80], &[0xFE]];
    assert_eq!(visited(&store, &[], &[0xFF]), expected);
    let store = shelf.restarted(store);
    assert_eq!(visited(&store, &[], &[0xFF]), expected);
}

/// `start <= key < end`, with borders that are keys and borders that are not.
pub fn a_range_holds_its_start_and_not_its_end(shelf: &mut impl Shelf) {
    let store = filled(shelf, &[b"a", b"b", b"b\0", b"c", b"d"]);
    assert_eq!(visited(&store, b"b", b"d"), [&b"b"[..], b"b\0", b"c"]);
    assert_eq!(visited(&store, b"aa", b"b\0"), [b"b"]);
    assert_eq!(visited(&store, b"b", b"b\0"), [b"b"]);
    assert_eq!(visited(&store, b"c\0", b"z"), [b"d"]);
}

/// Empty and inverted ranges, and ranges of an empty store.
pub fn a_range_without_keys_visits_nothing(shelf: &mut impl Shelf) {
    let none: [&[u8]; 0] = [];
    let store = shelf.fresh();
    assert_eq!(visited(&store, &[], &[0xFF; Key::MAX]), none);
    let store = filled(shelf, &[b"a", b"b", b"c"]);
    assert_eq!(visited(&store, b"b", b"b"), none);
    assert_eq!(visited(&store, b"c", b"a"), none);
    assert_eq!(visited(&store, b"bb", b"c"), none);
}

/// A visitor that breaks sees no further record.
pub fn a_visit_ends_when_told(shelf: &mut impl Shelf) {
    let store = filled(shelf, &[b"a", b"b", b"c"]);
    let mut seen = 0;
    let visit = &mut |_: &Key, _: &[u8]| {
        seen += 1;
        if seen == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    store.each(&key(b"a")..&key(b"z"), visit).expect("a range is read");
    assert_eq!(seen, 2);
}

/// Found or not, nothing of the buffer's former content is left.
pub fn a_load_replaces_what_the_buffer_held(shelf: &mut impl Shelf) {
    let store = filled(shelf, &[b"key"]);
    let mut buffer = b"something longer".to_vec();
    assert!(store.load(&key(b"key"), &mut buffer).expect("a record is read"));
    assert_eq!(buffer, b"key");
    for missing in [&b"ke"[..], b"key\0", b"kez"] {
        buffer = b"something".to_vec();
        assert!(!store.load(&key(missing), &mut buffer).expect("a record is looked for"));
        assert_eq!(buffer, b"");
    }
}

/// Lengths from nothing to the most that is allowed, on both sides of powers of two.
pub fn values_are_kept_to_the_byte(shelf: &mut impl Shelf) {
    let mut store = shelf.fresh();
    let lengths = [0, 1, 255, 256, 511, 512, 2047, 2048, 4095, 4096];
    let value = |len: usize| {
        (0..len).map(|at| u8::try_from(at % 251).expect("below 251")).collect::<Vec<_>>()
    };
    for (number, len) in (0_u8..).zip(lengths) {
        store.commit(&[Change::Put(key(&[number]), &value(len))]).expect("a record is written");
    }
    let store = shelf.restarted(store);
    let mut buffer = Vec::new();
    for (number, len) in (0_u8..).zip(lengths) {
        assert!(store.load(&key(&[number]), &mut buffer).expect("a record is read"), "{len} bytes");
        assert_eq!(buffer, value(len), "{len} bytes");
    }
}

/// The largest batch: 16 changes of the longest keys and values.
pub fn sixteen_changes_are_one_batch(shelf: &mut impl Shelf) {
    let mut store = shelf.fresh();
    let value = [0xA5; 4096];
    let keys: Vec<Key> = (0..16).map(|number| key(&[number; Key::MAX])).collect();
    let batch: Vec<Change<'_>> = keys.iter().map(|key| Change::Put(*key, &value)).collect();
    store.commit(&batch).expect("sixteen changes are allowed");
    let store = shelf.restarted(store);
    let found = records(&store).expect("all is read");
    assert_eq!(found.len(), 16);
    assert!(found.values().all(|found| found == &value));
}

/// Puts over what is there, deletes of what is there and of what is not.
pub fn a_batch_replaces_and_deletes(shelf: &mut impl Shelf) {
    let mut store = filled(shelf, &[b"a", b"b", b"c"]);
    let batch = [
        Change::Put(key(b"a"), b"new"),
        Change::Delete(key(b"b")),
        Change::Delete(key(b"nothing")),
        Change::Put(key(b"z"), b""),
    ];
    store.commit(&batch).expect("a batch is written");
    let expected: Records =
        [("a", "new"), ("c", "c"), ("z", "")].map(|(key, value)| (key.into(), value.into())).into();
    assert_eq!(records(&store).expect("all is read"), expected);
    let store = shelf.restarted(store);
    assert_eq!(records(&store).expect("all is read"), expected);
}

/// No change is a batch too.
pub fn an_empty_batch_changes_nothing(shelf: &mut impl Shelf) {
    let mut store = filled(shelf, &[b"a"]);
    store.commit(&[]).expect("no change is allowed");
    assert_eq!(
        records(&store).expect("all is read"),
        Records::from([(b"a".to_vec(), b"a".to_vec())])
    );
}

/// Any batches, with power cycles between them, leave what they leave in a map.
pub fn a_store_agrees_with_a_map(shelf: &mut impl Shelf) {
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 48,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let shelf = std::cell::RefCell::new(shelf);
    let outcome = runner.run(&prop::collection::vec(step(), 1..40), |steps| {
        let mut store = shelf.borrow_mut().fresh();
        let mut model = Records::new();
        for step in steps {
            store = match step {
                Step::Restart => shelf.borrow_mut().restarted(store),
                Step::Commit(batch) => {
                    let changes = changes(&batch);
                    store.commit(&changes).expect("a batch is written");
                    apply(&mut model, &changes);
                    store
                }
            };
            prop_assert_eq!(&records(&store).expect("all is read"), &model);
        }
        Ok(())
    });
    outcome.expect("store and map agree");
}

/// A batch as a map: its keys ascend and are there once; no value means delete.
pub type Batch = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// The changes of a batch.
#[must_use]
pub fn changes(batch: &Batch) -> Vec<Change<'_>> {
    batch
        .iter()
        .map(|(bytes, value)| match value {
            Some(value) => Change::Put(key(bytes), value),
            None => Change::Delete(key(bytes)),
        })
        .collect()
}

#[derive(Clone, Debug)]
enum Step {
    Commit(Batch),
    Restart,
}

/// Few and short keys, so that batches meet each other's records; some long ones.
fn step() -> impl Strategy<Value = Step> {
    let key = prop_oneof![
        8 => prop::collection::vec(prop_oneof![Just(0_u8), Just(1), Just(0x7F), Just(0xFE)], 1..4),
        1 => prop::collection::vec(0..0xFF_u8, 1..=Key::MAX),
    ];
    let value = prop_oneof![
        6 => prop::collection::vec(any::<u8>(), 0..64),
        1 => prop::collection::vec(any::<u8>(), 4000..=4096),
    ];
    let batch = prop::collection::btree_map(key, prop::option::weighted(0.7, value), 0..=16);
    prop_oneof![9 => batch.prop_map(Step::Commit), 1 => Just(Step::Restart)]
}
