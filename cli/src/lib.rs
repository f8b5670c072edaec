//! The library of the program `softkey`: what its commands stand on and what tests and other programs may
//! use without the command line.
//!
//! - [`vault`]: what a security key keeps, on a disk: durable, and refused rather than guessed at when damaged.

pub mod vault;
