//! The last entries: bounded in number and in bytes, so that whoever asks for much cannot fill the memory.

use std::collections::VecDeque;

use crate::entry::Entry;

/// How many entries are kept.
const MOST_ENTRIES: usize = 10_000;
/// How many bytes they may take together.
const MOST_BYTES: usize = 64 << 20;

/// The log of a provider.
#[derive(Debug, Default)]
pub(crate) struct Log {
    entries: VecDeque<Entry>,
    bytes: usize,
}

impl Log {
    /// Adds an entry; the oldest ones make room for it.
    pub(crate) fn push(&mut self, entry: Entry) {
        self.bytes += entry.bytes();
        self.entries.push_back(entry);
        while self.entries.len() > MOST_ENTRIES || self.bytes > MOST_BYTES {
            let Some(oldest) = self.entries.pop_front() else { return };
            self.bytes = self.bytes.saturating_sub(oldest.bytes());
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// The newest.
    pub(crate) fn last(&self) -> Option<&Entry> {
        self.entries.back()
    }
}
