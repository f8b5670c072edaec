//! `IdentityCredential` through the container, as a page uses it, against providers that answer by a table. The clock
//! is virtual and nothing sleeps.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop"
)]

mod automatic;
mod delay;
mod dialogs;
mod disconnect;
mod entry;
mod examples;
mod failures;
mod flow;
mod judge;
mod memory;
mod seam;
mod secrets;
mod shown;
mod statics;
mod world;
