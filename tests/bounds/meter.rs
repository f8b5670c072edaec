//! A key whose authenticator's memory is measured.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

use peak_alloc::PeakAlloc;
use softkey_tests::Key;
use softkey_tests::key::Edge;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The bound, in bytes.
pub(crate) const LIMIT: usize = 24 * 1024;

/// A key, and the most memory that its authenticator took for one command.
pub(crate) struct Metered {
    key: Key,
    most: Rc<Cell<usize>>,
}

impl Metered {
    /// A factory-fresh key.
    pub(crate) fn fresh() -> Self {
        let mut key = Key::fresh();
        let most = Rc::new(Cell::new(0));
        key.watch(watcher(Rc::clone(&most)));
        Self { key, most }
    }

    /// The most that a command took, in bytes, since this was asked last.
    pub(crate) fn most(&mut self) -> usize {
        self.most.take()
    }

    /// Sends a request and says what it took, and the status.
    pub(crate) fn spend(&mut self, request: &[u8]) -> (usize, u8) {
        self.most();
        let answer = self.key.send(request);
        (self.most(), answer[0])
    }
}

impl Deref for Metered {
    type Target = Key;

    fn deref(&self) -> &Key {
        &self.key
    }
}

impl DerefMut for Metered {
    fn deref_mut(&mut self) -> &mut Key {
        &mut self.key
    }
}

/// Follows the calls of the authenticator. What it keeps from one call to the next counts as that command's.
fn watcher(most: Rc<Cell<usize>>) -> impl FnMut(Edge) {
    let (mut kept, mut before) = (0, 0);
    move |edge| match edge {
        Edge::Begins => {
            (kept, before) = (0, ALLOCATOR.current_usage());
            ALLOCATOR.reset_peak_usage();
        }
        Edge::GoesOn => {
            before = ALLOCATOR.current_usage().saturating_sub(kept);
            ALLOCATOR.reset_peak_usage();
        }
        Edge::Returns => {
            kept = ALLOCATOR.current_usage().saturating_sub(before);
            most.set(most.get().max(ALLOCATOR.peak_usage().saturating_sub(before)));
        }
    }
}

/// The most memory that this takes, in bytes.
pub(crate) fn taken_by(work: impl FnOnce()) -> usize {
    let most = Rc::new(Cell::new(0));
    let mut watch = watcher(Rc::clone(&most));
    watch(Edge::Begins);
    work();
    watch(Edge::Returns);
    most.take()
}
