//! The simulated world and every cross-crate suite.
//!
//! - [`persistence`]: the contract of a store, and disks that fail.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a library of checks speaks through panics; nothing of it ships"
)]

pub mod persistence;
