#![doc = include_str!("../README.md")]
#![no_std]
extern crate alloc;

mod algorithm;
mod attestation;
mod authenticator;
mod authorization;
mod bio_enrollment;
mod client_pin;
mod config;
mod config_command;
mod counter;
mod credential;
mod credential_management;
mod discoverable;
mod enterprise;
mod extensions;
#[cfg(feature = "faults")]
mod faults;
mod fingers;
mod generation;
mod get_assertion;
mod get_info;
#[cfg(feature = "hid")]
pub mod hid;
mod kept_keys;
mod key_pair;
mod keys;
mod large_blobs;
mod make_credential;
mod pin;
mod pin_complexity;
mod records;
mod refusal;
mod reset;
mod seal;
mod settings;
mod state;
mod step;
mod store;
mod token;
mod tries;
mod u2f;
mod user_verification;
mod versions;
mod walk;

pub use algorithm::{Algorithm, Algorithms};
#[cfg(feature = "attestation-formats")]
pub use attestation::{AttestationFormat, AttestationRoot, RootError, RootName, RootValidity};
pub use attestation::{BATCH_CERTIFICATE, BATCH_ROOT_CERTIFICATE};
pub use authenticator::{Authenticator, MAX_MSG_SIZE, OpenError, TOUCH_TIMEOUT};
pub use config::{
    AAGUID, Attestation, AuthenticatorTransport, Backup, CERTIFICATIONS, Config, Extensions,
    FingerprintKind, FingerprintSensor, LargeBlobs, SignatureCounter, UserVerification,
};
pub use enterprise::Enterprise;
#[cfg(feature = "faults")]
pub use faults::Fault;
pub use generation::Generation;
pub use keys::RootKey;
pub use refusal::Refusal;
pub use seal::Sealer;
pub use step::{
    Answer, Ask, AskId, Decision, Finger, Operation, Question, Sample, Session, Step, Transport,
    Via,
};
pub use store::{Change, Key, KeyTooLong, MemoryStore, Store, StoreError};
