//! `softkey create`: `navigator.credentials.create()` with JSON in and JSON out; and what `get` shares with it.
#![allow(
    clippy::doc_markdown,
    rustdoc::bare_urls,
    reason = "some of these comments are the text of --help, where backticks are noise"
)]

use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use softkey_client::driver::{DriveError, drive, reach};
use softkey_client::{Cause, Ceremony, CreationOptions, Operation, Origin};
use softkey_ctap::StatusCode;

use super::device::{DeviceArgs, Key, open};
use super::entropy;
use super::failure::explain;
use super::person::{Person, PinArgs};
use crate::error::{CliError, Exit};
use crate::output::Output;

/// The arguments of `softkey create` and `softkey get`.
#[derive(Clone, Debug, Default, Args)]
pub struct CeremonyArgs {
    /// The origin of the page that asks, such as `https://example.org`
    #[arg(long, value_name = "URL")]
    pub origin: String,

    /// The options in the JSON form of browsers; - for standard input
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub options: PathBuf,

    #[command(flatten)]
    /// Which key.
    pub device: DeviceArgs,
    #[command(flatten)]
    /// The PIN, if it is needed.
    pub pin: PinArgs,
}

/// Carries `softkey create` out: prints a `RegistrationResponseJSON`.
///
/// # Errors
///
/// [`Exit::BadInput`] for options that cannot be read, and as the ceremony ends; the message begins with the
/// name of the exception that a page would see.
pub fn run(args: &CeremonyArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let text = read_options(&args.options)?;
    let named = |cause| named(cause, Operation::Create);
    let options = CreationOptions::from_json(&text).map_err(named)?;
    let origin = Origin::parse(&args.origin).map_err(named)?;
    let timeout = options.timeout;
    conduct(args, output, (Operation::Create, timeout), |key| {
        Ok(softkey_client::create(options, origin, reach(key), entropy()?))
    })
}

/// Opens the key, runs the ceremony that `make` gives within the page's time, prints its result.
pub(super) fn conduct<T: Serialize>(
    args: &CeremonyArgs,
    output: &mut Output<'_>,
    (operation, timeout): (Operation, Option<u64>),
    make: impl FnOnce(&Key) -> Result<Ceremony<T>, CliError>,
) -> Result<(), CliError> {
    let given = args.pin.given()?;
    let (mut key, _) = open(&args.device)?;
    let ceremony = make(&key)?;
    let mut person = Person::new(output, given).with_timeout(timeout);
    let result = drive(ceremony, &mut key, &mut person);
    let late = person.is_late();
    let response = result.map_err(|error| match error {
        DriveError::Cause(Cause::Cancelled | Cause::Refused(StatusCode::KEEPALIVE_CANCEL))
            if late =>
        {
            named(Cause::Timeout, operation)
        }
        DriveError::Cause(cause) => named(cause, operation),
        other @ DriveError::Connection(_) => explain(other),
    })?;
    output.object(&response)
}

/// A cause with the name of its exception in front.
pub(super) fn named(cause: Cause, operation: Operation) -> CliError {
    let name = cause.exception(operation).name();
    let error = explain(DriveError::Cause(cause));
    CliError::new(error.exit(), format!("{name}: {}", error.what()), error.try_this())
}

/// The text of the options.
pub(super) fn read_options(path: &PathBuf) -> Result<String, CliError> {
    let text = if path.as_os_str() == "-" {
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(path)
    };
    text.map_err(|error| {
        CliError::new(
            Exit::BadInput,
            format!("The options cannot be read from {}: {error}.", path.display()),
            "--options with a text file that you may read",
        )
    })
}
