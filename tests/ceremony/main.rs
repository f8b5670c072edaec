//! Ceremonies: the client against the authenticator over CTAPHID in memory, on a clock that jumps. Types speak
//! here; what goes over the wire is judged by the conformance suite.
#![cfg(test)]

mod accounts;
mod pin;
mod public_key;
mod touch;
mod u2f;
mod world;
