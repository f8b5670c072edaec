//! The simulated world and every cross-crate suite.
//!
//! - [`Key`] is one security key on a virtual desk, with a clock that jumps, a user who does as told and a
//!   store that can break. [`cbor`] writes good and bad CBOR byte by byte and reads answers with a strictness
//!   of its own; [`pin`] is the platform's half of the PIN/UV protocols; [`verify`] checks signatures and
//!   certificates. None of it uses the authenticator's own message types, so that a mistake made alike in
//!   reading and writing cannot hide.
//! - [`persistence`]: the contract of a store, and disks that fail.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a library of checks speaks through panics; nothing of it ships"
)]

pub mod attestation;
pub mod auth_data;
pub mod cbor;
pub mod checks;
pub mod key;
pub mod parts;
pub mod persistence;
pub mod pin;
pub mod platform;
pub mod request;
pub mod status;
pub mod u2f;
pub mod verify;

pub use cbor::Value;
pub use key::{Channel, Key, User};
pub use request::Request;
