//! The manager for any FIDO key: one file a command. The commands speak to a key through
//! [`device`], to the person through [`person`], and say what went wrong through [`failure`].

pub mod blobs;
mod branding;
pub mod config;
pub mod consent;
pub mod create;
pub mod credentials;
pub mod device;
pub mod disconnect;
pub mod failure;
pub mod fingers;
pub mod get;
pub mod info;
pub mod list;
pub mod login_status;
pub mod network;
mod origins;
pub mod otp;
pub mod pages;
pub mod passwords;
pub mod person;
pub mod pin;
pub mod provider_call;
pub mod reset;
pub mod select;
pub mod store;
pub mod user_info;
mod visit;
pub mod wink;
mod wrong;

use softkey_client::{Ceremony, Entropy};

use crate::error::{CliError, Exit};
use device::Key;
use person::Person;

/// Runs a ceremony with a key and the person at the terminal.
///
/// # Errors
///
/// What [`failure::explain`] makes of the ceremony's failure.
pub fn perform<T>(
    ceremony: Ceremony<T>,
    key: &mut Key,
    person: &mut Person<'_, '_>,
) -> Result<T, CliError> {
    softkey_client::driver::drive(ceremony, key, person).map_err(failure::explain)
}

/// Random numbers for one ceremony.
///
/// # Errors
///
/// [`Exit::Failed`] if the operating system gives none.
pub fn entropy() -> Result<Entropy, CliError> {
    Entropy::from_system().map_err(|error| {
        CliError::new(
            Exit::Failed,
            format!("The operating system gives no random numbers: {error}."),
            "again once the machine has finished starting",
        )
    })
}
