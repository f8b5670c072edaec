#![doc = include_str!("../README.md")]
#![no_std]
extern crate alloc;

mod collect;
mod commit;
mod entry;
mod error;
mod medium;
mod page;
pub mod ram;
mod recover;
mod state;

use alloc::vec::Vec;
use core::ops::{ControlFlow, Range};

use embedded_storage::nor_flash::NorFlash;
use softkey_authenticator::{Change, Key, Store};

pub use error::Error;
pub use page::Page;

use medium::Medium;
use state::State;

/// The most changes of a batch.
const MAX_CHANGES: usize = 16;
/// The longest value, in bytes.
const MAX_VALUE: usize = 4096;

/// Records in a region of a NOR flash.
///
/// Three pages of the region are the store's own: a batch that would leave less for collecting is refused; see
/// [`FlashStore::capacity`]. Opening reads the whole region, and finishes what a loss of power
/// interrupted.
pub struct FlashStore<F> {
    medium: Medium<F>,
    state: State,
    /// A commit, or the levelling behind one, failed half-way: what it left must be cleared away before the next.
    failed: bool,
}

impl<F: NorFlash> FlashStore<F> {
    /// Opens the store in these bytes of the flash; they must be 6 to 8192 whole pages. A region that holds no
    /// store becomes an empty one.
    ///
    /// # Errors
    ///
    /// [`Error::Region`], [`Error::Damaged`], or what the flash says.
    pub fn open(flash: F, region: Range<u32>) -> Result<Self, Error<F::Error>> {
        let medium = Medium::new(flash, region)?;
        let (mut state, rest) = State::read(&medium, None)?;
        state.finish(&medium, &rest)?;
        Ok(Self { medium, state, failed: false })
    }

    /// The flash, as it lies there.
    pub fn into_flash(self) -> F {
        self.medium.into_flash()
    }

    /// The bytes that records may take in all: of each its key, its value, 16 bytes and at most
    /// 3 more, and a sixteenth if it is long.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.state.capacity()
    }

    /// The bytes that records take now.
    #[must_use]
    pub fn used(&self) -> u32 {
        self.state.live()
    }

    /// How often each page was erased, in the order of the region.
    pub fn erases(&self) -> impl Iterator<Item = u32> {
        self.state.pages.iter().map(|page| page.erases)
    }
}

impl<F: NorFlash> Store for FlashStore<F> {
    type Error = Error<F::Error>;

    fn load(&self, key: &Key, into: &mut Vec<u8>) -> Result<bool, Self::Error> {
        into.clear();
        let Ok(at) = self.state.find(&self.medium, key, 0)? else { return Ok(false) };
        self.state.value(&self.medium, at, into)?;
        Ok(true)
    }

    fn each(
        &self,
        keys: Range<&Key>,
        visit: &mut dyn FnMut(&Key, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), Self::Error> {
        let mut at = match self.state.find(&self.medium, keys.start, 0)? {
            Ok(at) | Err(at) => at,
        };
        let mut value = Vec::new();
        while let Some(slot) = self.state.index.get(at) {
            let record = self.medium.record(*slot)?;
            if record.key >= *keys.end {
                break;
            }
            value.clear();
            at = self.state.value(&self.medium, at, &mut value)?;
            if visit(&record.key, &value).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn commit(&mut self, changes: &[Change<'_>]) -> Result<(), Self::Error> {
        check(changes)?;
        if self.failed {
            let failed = self.state.next_batch;
            // Taken over before anything is moved: if the flash fails again, reading goes by what lies there.
            let (state, rest) = State::read(&self.medium, Some(failed))?;
            self.state = state;
            self.state.finish(&self.medium, &rest)?;
            self.failed = false;
        }
        let committed = commit::commit(&self.medium, &mut self.state, changes);
        self.failed = matches!(committed, Err(Error::Flash(_)));
        committed?;
        if self.state.quiet > 0 {
            // The batch is durable, whatever becomes of this.
            self.failed = collect::level(&self.medium, &mut self.state).is_err();
        }
        Ok(())
    }
}

/// Refuses what the contract of [`Store`] does not allow.
fn check<E>(changes: &[Change<'_>]) -> Result<(), Error<E>> {
    if changes.len() > MAX_CHANGES {
        return Err(Error::TooManyChanges(changes.len()));
    }
    if !changes.is_sorted_by(|one, next| one.key() < next.key()) {
        return Err(Error::Unordered);
    }
    let long = changes.iter().find_map(|change| match change {
        Change::Put(_, value) if value.len() > MAX_VALUE => Some(value.len()),
        Change::Put(..) | Change::Delete(_) => None,
    });
    long.map_or(Ok(()), |len| Err(Error::TooLong(len)))
}
