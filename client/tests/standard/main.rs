//! The client against the published numbers: one test for each vector.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop"
)]

mod client_data;
mod one_time_codes;
mod plants;
mod public_suffix;
mod related_origins;
mod rp_id;
mod signer;
mod vectors;
mod webauthn;
