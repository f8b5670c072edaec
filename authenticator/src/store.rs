//! The seam to storage: ordered byte-string keys, atomic batches.
//!
//! A store sees bytes only. Everything the authenticator keeps is sealed before it comes here.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt::Debug;
use core::ops::{ControlFlow, Range};

/// The key of a record: 1 to [`Key::MAX`] bytes, ordered bytewise, a prefix before what it begins.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    bytes: [u8; Self::MAX],
    len: u8,
}

impl Key {
    /// The longest key, in bytes.
    pub const MAX: usize = 40;

    /// A key of these bytes.
    ///
    /// # Errors
    ///
    /// [`KeyTooLong`] above [`Key::MAX`] bytes.
    pub fn new(bytes: &[u8]) -> Result<Self, KeyTooLong> {
        let len = u8::try_from(bytes.len()).map_err(|_| KeyTooLong)?;
        let mut padded = [0; Self::MAX];
        padded.get_mut(..bytes.len()).ok_or(KeyTooLong)?.copy_from_slice(bytes);
        Ok(Self { bytes: padded, len })
    }

    /// A key of these bytes, whose number is known to fit when the program is compiled.
    #[must_use]
    pub const fn from_array<const N: usize>(bytes: &[u8; N]) -> Self {
        const { assert!(N <= Self::MAX) };
        let mut padded = [0; Self::MAX];
        let mut len = 0;
        let (mut to, mut from): (&mut [u8], &[u8]) = (&mut padded, bytes);
        while let ([slot, to_rest @ ..], [byte, from_rest @ ..]) = (to, from) {
            *slot = *byte;
            len += 1;
            (to, from) = (to_rest, from_rest);
        }
        Self { bytes: padded, len }
    }

    /// The key's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&[])
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Debug for Key {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for byte in self.as_bytes() {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// A key of more than [`Key::MAX`] bytes was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyTooLong;

/// One change of a batch.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// Write this value, replacing what is there.
    Put(Key, &'a [u8]),
    /// Remove the record, if there is one.
    Delete(Key),
}

impl Change<'_> {
    /// The key this change is about.
    #[must_use]
    pub fn key(&self) -> &Key {
        match self {
            Self::Put(key, _) | Self::Delete(key) => key,
        }
    }
}

/// What the authenticator must know of a storage failure.
pub trait StoreError: Debug {
    /// Is there merely no room? Then the status is `KEY_STORE_FULL`, else `OTHER`.
    fn is_full(&self) -> bool;
}

/// Ordered records with atomic batches: redb on a PC, a flash log on a chip, a map in a test.
///
/// The contract, which one suite in `tests/` holds every implementation to:
///
/// - keys are ordered bytewise; a value is at most 4096 bytes;
/// - `commit` takes at most 16 changes with ascending keys, each key once; all of them happen or none,
///   whatever fails, power included, and on return they are durable;
/// - after a failed `commit` the store answers as before it.
pub trait Store {
    /// What can go wrong.
    type Error: StoreError;

    /// Replaces `into` by the value at `key`; false, with `into` empty, if there is none.
    ///
    /// # Errors
    ///
    /// Whatever keeps the medium from being read.
    fn load(&self, key: &Key, into: &mut Vec<u8>) -> Result<bool, Self::Error>;

    /// Visits the records with `keys.start <= key < keys.end` in ascending order until told to stop.
    ///
    /// # Errors
    ///
    /// Whatever keeps the medium from being read.
    fn each(
        &self,
        keys: Range<&Key>,
        visit: &mut dyn FnMut(&Key, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), Self::Error>;

    /// Makes all changes or none; durable on return.
    ///
    /// # Errors
    ///
    /// Whatever keeps the medium from being written; nothing has changed then.
    fn commit(&mut self, changes: &[Change<'_>]) -> Result<(), Self::Error>;
}

/// A store that forgets: for tests and for `--ephemeral`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryStore {
    records: BTreeMap<Key, Vec<u8>>,
}

impl MemoryStore {
    /// The records as they lie in the store, in order.
    pub fn records(&self) -> impl Iterator<Item = (&Key, &[u8])> {
        self.records.iter().map(|(key, value)| (key, value.as_slice()))
    }
}

impl StoreError for core::convert::Infallible {
    fn is_full(&self) -> bool {
        match *self {}
    }
}

impl Store for MemoryStore {
    type Error = core::convert::Infallible;

    fn load(&self, key: &Key, into: &mut Vec<u8>) -> Result<bool, Self::Error> {
        into.clear();
        let found = self.records.get(key);
        into.extend(found.into_iter().flatten());
        Ok(found.is_some())
    }

    fn each(
        &self,
        keys: Range<&Key>,
        visit: &mut dyn FnMut(&Key, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), Self::Error> {
        if keys.start < keys.end {
            for (key, value) in self.records.range(*keys.start..*keys.end) {
                if visit(key, value).is_break() {
                    break;
                }
            }
        }
        Ok(())
    }

    fn commit(&mut self, changes: &[Change<'_>]) -> Result<(), Self::Error> {
        for change in changes {
            match *change {
                Change::Put(key, value) => self.records.insert(key, value.to_vec()),
                Change::Delete(key) => self.records.remove(&key),
            };
        }
        Ok(())
    }
}
