//! Conformance by the byte: what the standard demands of an authenticator, one test per behaviour, each with
//! its id from the checklist. These tests import the world and its CBOR helper only; they know nothing of the
//! message types of the code under test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a test reports"
)]

mod algorithms;
mod attestation;
mod bio_enrollment;
mod built_in_uv;
mod cbor;
mod client_pin;
mod config;
mod cred_blob;
mod cred_protect;
mod credential_management;
mod enterprise;
mod extension_outputs;
mod get_assertion;
mod get_info;
mod get_next_assertion;
mod hmac_secret;
mod hmac_secret_mc;
mod large_blob;
mod large_blob_key;
mod large_blobs;
mod make_credential;
mod order;
mod planted_decisions;
mod planted_faults;
mod profiles;
mod reset;
mod selection;
mod storage;
mod third_party_payment;
mod tool_cases;
mod types;
mod u2f;
mod uvm;
