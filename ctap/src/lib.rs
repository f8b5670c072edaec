#![doc = include_str!("../README.md")]
#![no_std]
extern crate alloc;
// What `derive(Arbitrary)` writes names std; firmware never has the feature.
#[cfg(feature = "arbitrary")]
extern crate std;

pub mod attestation;
pub mod auth_data;
pub mod bio_enrollment;
pub mod cbor;
pub mod client_pin;
pub mod config;
pub mod cose;
pub mod credential_management;
pub mod entities;
pub mod extensions;
pub mod get_assertion;
pub mod get_info;
pub mod large_blobs;
pub mod make_credential;
#[cfg(feature = "pin-uv")]
pub mod pin_uv;
pub mod u2f;

mod codes;
mod command;
mod secret;
mod status;
mod time;

pub use command::Command;
pub use secret::Secret;
pub use status::StatusCode;
pub use time::Instant;
