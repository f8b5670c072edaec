//! `IdentityCredential` at the scripted provider, over real sockets and TLS: what is a sign-in there, and what the page
//! sees and the log says of each fault.
//!
//! The clock of the calls stands still; only the two faults about late answers are about the wall clock, for a second at
//! most each.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may stop")]

mod faults;
mod signs;
mod world;
