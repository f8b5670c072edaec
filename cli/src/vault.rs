//! The vault: what a security key keeps, on a disk.
//!
//! [`RedbStore`] keeps the authenticator's records. It sees sealed bytes only.

mod medium;
mod store;

pub use store::{Boot, Identity, OpenError, RecordsError, RedbStore};
