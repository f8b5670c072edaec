//! A crate like any other that forgot `#![no_std]`.

/// A word from the standard library.
#[must_use]
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
