//! The library of the program `softkey`: what its commands stand on and what tests and other programs may
//! use without the command line.
//!
//! - [`error`]: how a command fails, in two parts, and the table of exit codes;
//! - [`output`]: plain lines or one JSON object a line;
//! - [`vault`]: what a security key keeps, on a disk: durable, and refused rather than guessed at when damaged.

pub mod error;
pub mod output;
pub mod vault;
