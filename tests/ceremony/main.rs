//! Ceremonies: the client against the authenticator over CTAPHID in memory, on a clock that jumps. Types speak
//! here; what goes over the wire is judged by the conformance suite.
#![cfg(test)]

mod accounts;
mod attestation;
mod blobs;
mod extensions;
mod faults;
mod fingers;
mod large_blob;
mod page;
mod pin;
mod prf;
mod profiles;
mod public_key;
mod secrets;
mod settings;
mod several;
mod signal;
mod stored;
mod touch;
mod u2f;
mod world;
