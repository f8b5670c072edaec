//! Recordings of `softkey run --record`: what they hold and what they must not, and that `softkey replay` finds the same
//! again, whatever time has passed.
//!
//! The key is the program's own, as its arguments make it, with the recorder around it; the clock is the test's.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests too"
)]

mod session;
mod story;

mod clock;
mod secrets;
