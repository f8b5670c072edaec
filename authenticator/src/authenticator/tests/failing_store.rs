//! A store that fails now and then: what the owner hears of it, and that nothing is taken for done. ST-03.

use alloc::rc::Rc;
use core::cell::Cell;
use core::ops::{ControlFlow, Range};

use super::*;
use crate::store::{Change, Key, StoreError};

/// What fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Weakness {
    #[default]
    Nothing,
    /// Every scan, at its end.
    Scans,
    /// The next commit.
    NextCommit,
}

/// Why it failed: while it had this weakness.
#[derive(Debug, PartialEq, Eq)]
struct Weak(Weakness);

impl StoreError for Weak {
    fn is_full(&self) -> bool {
        false
    }
}

/// A store with a weakness that the test sets.
#[derive(Clone, Default)]
struct Unsteady {
    records: MemoryStore,
    weakness: Rc<Cell<Weakness>>,
}

impl Store for Unsteady {
    type Error = Weak;

    fn load(&self, key: &Key, into: &mut Vec<u8>) -> Result<bool, Weak> {
        self.records.load(key, into).map_err(|never| match never {})
    }

    fn each(
        &self,
        keys: Range<&Key>,
        visit: &mut dyn FnMut(&Key, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), Weak> {
        match self.weakness.get() {
            Weakness::Scans => Err(Weak(Weakness::Scans)),
            _ => self.records.each(keys, visit).map_err(|never| match never {}),
        }
    }

    fn commit(&mut self, changes: &[Change<'_>]) -> Result<(), Weak> {
        if self.weakness.get() == Weakness::NextCommit {
            self.weakness.set(Weakness::Nothing);
            return Err(Weak(Weakness::NextCommit));
        }
        self.records.commit(changes).map_err(|never| match never {})
    }
}

fn open(store: Unsteady) -> Result<Authenticator<Unsteady, ChaCha20Rng>, OpenError<Weak>> {
    let (root_key, rng) = (RootKey::new([1; 32]), ChaCha20Rng::from_seed([7; 32]));
    Authenticator::open(store, root_key, rng, Config::default(), NOW)
}

/// A store that cannot be looked through may hold a former key: no new one is made in it.
#[test]
fn no_key_is_made_in_a_store_that_cannot_be_looked_through() {
    let store = Unsteady::default();
    store.weakness.set(Weakness::Scans);
    let opened = open(store.clone());
    assert_eq!(opened.err(), Some(OpenError::Store(Some(Weak(Weakness::Scans)))));
    store.weakness.set(Weakness::NextCommit);
    assert_eq!(open(store).err(), Some(OpenError::Store(Some(Weak(Weakness::NextCommit)))));
}

/// The owner hears once what the store said.
#[test]
fn the_stores_own_words_are_kept_for_the_owner() {
    let store = Unsteady::default();
    let weakness = Rc::clone(&store.weakness);
    let mut key = open(store).ok().unwrap();
    weakness.set(Weakness::NextCommit);
    assert_eq!(key.block_user_verification(), Err(Refusal::Store));
    assert_eq!(key.take_store_error(), Some(Weak(Weakness::NextCommit)));
    assert_eq!(key.take_store_error(), None);
}

/// Housekeeping that fails, whether it cannot look or cannot write, is not done: it goes on once the store is well again,
/// and then nothing of before the reset is left.
#[test]
fn housekeeping_that_fails_is_not_done() {
    for weakness in [Weakness::Scans, Weakness::NextCommit] {
        let store = Unsteady::default();
        let weak = Rc::clone(&store.weakness);
        let mut key = open(store).ok().unwrap();
        let factory = key.store().records.records().count();
        answered(&mut key, &discoverable());
        answered(&mut key, &[Command::RESET.0]);
        assert!(key.store().records.records().count() > factory);
        weak.set(weakness);
        assert!(!key.sweep());
        if weakness == Weakness::Scans {
            assert!(!key.sweep(), "it cannot look again");
            weak.set(Weakness::Nothing);
        }
        assert!((0..10).any(|_| key.sweep()), "there is an end");
        assert_eq!(key.store().records.records().count(), factory);
    }
}

/// authenticatorMakeCredential for a discoverable credential.
fn discoverable() -> Vec<u8> {
    let parts: [&[u8]; 6] = [
        b"\x01\xa5\x01\x58\x20",
        &[0xCD; 32],
        b"\x02\xa1\x62id\x67example",
        b"\x03\xa1\x62id\x41\x01",
        b"\x04\x81\xa2\x63alg\x26\x64type\x6apublic-key",
        b"\x07\xa1\x62rk\xf5",
    ];
    parts.concat()
}

/// A request that the user approves succeeds.
fn answered(key: &mut Authenticator<Unsteady, ChaCha20Rng>, request: &[u8]) {
    assert!(matches!(key.begin(NOW, VIA, request), Step::Asking(_)));
    let ask = key.asking().unwrap().id;
    assert_eq!(status(key.resume(NOW, Decision { ask, answer: Answer::Yes })), Some(0));
}
