//! A FIDO2 authenticator as a pure state machine.
#![no_std]
extern crate alloc;

mod step;
mod store;

pub use step::{Answer, Ask, AskId, Decision, Operation, Question, Session, Step, Transport, Via};
pub use store::{Change, Key, KeyTooLong, MemoryStore, Store, StoreError};
