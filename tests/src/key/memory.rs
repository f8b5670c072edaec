//! A store in memory that survives the authenticator, counts its writes and breaks when told to.

use std::cell::{Cell, RefCell};
use std::ops::{ControlFlow, Range};
use std::rc::Rc;

use softkey_authenticator::{Change, Key, MemoryStore, Store, StoreError};

/// A handle on the store; clones share it.
#[derive(Clone, Default)]
pub struct Memory(Rc<RefCell<State>>);

#[derive(Default)]
struct State {
    records: MemoryStore,
    commits: u64,
    reads: Cell<u64>,
    cut: Option<Cut>,
    dead: bool,
    room: Option<usize>,
    /// After how many reads in all the medium cannot be read any more.
    legible: Option<u64>,
}

/// Where the power is cut: at the write with this number, counted from the next one as 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Nothing of that write reaches the medium.
    Before(u64),
    /// That write is on the medium, but nobody hears of it.
    After(u64),
}

/// Why the store failed.
#[derive(Debug)]
pub enum Failure {
    /// There is no room.
    Full,
    /// The power is gone.
    Dead,
    /// The medium cannot be read.
    Illegible,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Full => "no room",
            Self::Dead => "no power",
            Self::Illegible => "cannot be read",
        })
    }
}

impl std::error::Error for Failure {}

impl StoreError for Failure {
    fn is_full(&self) -> bool {
        matches!(self, Self::Full)
    }
}

impl Memory {
    /// How many writes have succeeded.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.0.borrow().commits
    }

    /// How often a record was to be read, found or not.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.0.borrow().reads.get()
    }

    /// Cuts the power at a coming write.
    pub fn cut_power(&self, cut: Cut) {
        self.0.borrow_mut().cut = Some(cut);
    }

    /// Has the power been cut?
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.0.borrow().dead
    }

    /// Brings the power back; no cut is planned any more.
    pub fn power_up(&self) {
        let mut state = self.0.borrow_mut();
        state.dead = false;
        state.cut = None;
    }

    /// From now on no write may make the records take more bytes than they do now; false lifts that.
    pub fn full(&self, full: bool) {
        let mut state = self.0.borrow_mut();
        state.room = full.then(|| size(&state.records));
    }

    /// The next reads succeed, so many, and then none does, in the middle of a scan too; `None` lifts that.
    pub fn fail_reads_after(&self, reads: Option<u64>) {
        let mut state = self.0.borrow_mut();
        state.legible = reads.map(|reads| state.reads.get() + reads);
    }

    /// A copy of all records.
    #[must_use]
    pub fn copy(&self) -> MemoryStore {
        self.0.borrow().records.clone()
    }

    /// Puts records back in the place of those that are there.
    pub fn put_back(&self, copy: MemoryStore) {
        self.0.borrow_mut().records = copy;
    }

    /// All records, keys and values, one after the other.
    #[must_use]
    pub fn dump(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let state = self.0.borrow();
        state
            .records
            .records()
            .map(|(key, value)| (key.as_bytes().to_vec(), value.to_vec()))
            .collect()
    }
}

impl Store for Memory {
    type Error = Failure;

    fn load(&self, key: &Key, into: &mut Vec<u8>) -> Result<bool, Failure> {
        let state = self.0.borrow();
        state.alive()?;
        state.read()?;
        state.records.load(key, into).map_err(|never| match never {})
    }

    fn each(
        &self,
        keys: Range<&Key>,
        visit: &mut dyn FnMut(&Key, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), Failure> {
        let state = self.0.borrow();
        state.alive()?;
        let mut failed = Ok(());
        let mut counted = |key: &Key, value: &[u8]| {
            failed = state.read();
            if failed.is_ok() { visit(key, value) } else { ControlFlow::Break(()) }
        };
        state.records.each(keys, &mut counted).map_err(|never| match never {})?;
        failed
    }

    fn commit(&mut self, changes: &[Change<'_>]) -> Result<(), Failure> {
        assert!(changes.len() <= 16, "{} changes in one batch", changes.len());
        assert!(changes.is_sorted_by(|a, b| a.key() < b.key()), "changes out of order");
        let mut state = self.0.borrow_mut();
        state.alive()?;
        if let Some(room) = state.room {
            let mut records = state.records.clone();
            records.commit(changes).map_err(|never| match never {})?;
            if size(&records) > room {
                return Err(Failure::Full);
            }
        }
        let cut = state.cut;
        state.cut = match cut {
            Some(Cut::Before(0) | Cut::After(0)) => {
                state.dead = true;
                None
            }
            Some(Cut::Before(n)) => Some(Cut::Before(n - 1)),
            Some(Cut::After(n)) => Some(Cut::After(n - 1)),
            None => None,
        };
        if !matches!(cut, Some(Cut::Before(0))) {
            state.records.commit(changes).map_err(|never| match never {})?;
            state.commits += 1;
        }
        state.alive()
    }
}

impl State {
    fn read(&self) -> Result<(), Failure> {
        let before = self.reads.replace(self.reads.get() + 1);
        let legible = self.legible.is_none_or(|legible| before < legible);
        if legible { Ok(()) } else { Err(Failure::Illegible) }
    }

    fn alive(&self) -> Result<(), Failure> {
        if self.dead { Err(Failure::Dead) } else { Ok(()) }
    }
}

fn size(records: &MemoryStore) -> usize {
    records.records().map(|(key, value)| key.as_bytes().len() + value.len()).sum()
}
