//! The vocabulary of CTAP.
#![no_std]
extern crate alloc;

mod time;

pub use time::Instant;
