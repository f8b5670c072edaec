//! `softkey-ctap` against the standards: other people's vectors, an independent CBOR reader and writer, and
//! every message table written a second time from the standard.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "all of this is test code, helpers too"
)]

mod auth_data;
mod canonical;
mod cbor_vectors;
mod messages;
mod numbers;
mod oracle;
mod pin_protocol;
mod pin_vectors;
mod samples;
mod tables;
mod vectors;
mod webauthn_vectors;
