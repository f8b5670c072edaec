//! The simulated world and every cross-crate suite.
