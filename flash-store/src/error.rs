//! Why records could not be read or written.

use core::fmt::Debug;

use softkey_authenticator::StoreError;

/// What can go wrong with a store in flash; `E` is the flash's own error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error<E> {
    /// The flash refused to read, write or erase.
    Flash(E),
    /// The region is not made of 6 to 8192 whole pages of the flash, or the flash cannot be used for a store.
    Region,
    /// There is no room for what is to be written.
    Full,
    /// What lies at this address of the flash was changed by something else than a store or a loss of power.
    Damaged(u32),
    /// A batch of more than 16 changes: this many.
    TooManyChanges(usize),
    /// A batch whose keys do not ascend.
    Unordered,
    /// A value of more than 4096 bytes: this many.
    TooLong(usize),
}

impl<E: Debug> StoreError for Error<E> {
    fn is_full(&self) -> bool {
        matches!(self, Self::Full)
    }
}
