//! Each step that a call for public keys takes, and each failure that has a name: what the page sees, and the private
//! cause beside it. `client/STEPS.md` lists them with the test that shows each, here or elsewhere; `table.rs` holds the
//! list to what it says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop"
)]

mod answers;
mod create;
mod get;
mod key;
mod options;
mod sign_in_attestation;
mod table;
mod waiting;
