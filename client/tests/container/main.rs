//! Passwords, federated credentials and one-time codes through the container, as a page uses it, and all types at once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop"
)]

mod absent;
#[path = "../steps/answers.rs"]
mod answers;
mod examples;
mod federated;
mod interleavings;
mod lint;
mod order;
mod otp;
mod password;
mod rules;
mod world;
