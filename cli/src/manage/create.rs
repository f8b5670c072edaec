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
use softkey_client::driver::{DriveError, Keys};
use softkey_client::fetch::related_origins;
use softkey_client::profile::TimeoutRange;
use softkey_client::{
    Cause, CreationOptions, Credential, CredentialCreationOptions, CredentialsContainer, Entropy,
    KeyId, Operation, Output as RequestOutput, Page, Profile, Rejection, Request,
};
use softkey_ctap::Instant;

use super::device::{DeviceArgs, open};
use super::entropy;
use super::failure::explain;
use super::network::NetworkArgs;
use super::person::{Person, PinArgs};
use super::wrong;
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

    /// Answer in a key's place, and wrong in one way, such as origin; a way that there is not lists them
    ///
    /// The signature is valid, over what a relying party must refuse; "nothing" is right. Anyone can sign for such a credential, so never
    /// let it into an account that matters.
    #[arg(long, value_name = "WAY")]
    pub wrong: Option<String>,

    #[command(flatten)]
    /// Which key.
    pub device: DeviceArgs,
    #[command(flatten)]
    /// The PIN, if it is needed.
    pub pin: PinArgs,
    #[command(flatten)]
    /// Where servers are.
    pub network: NetworkArgs,
}

/// Carries `softkey create` out: prints a `RegistrationResponseJSON`.
///
/// # Errors
///
/// [`Exit::BadInput`] for options that cannot be read, and as the ceremony ends; the message begins with the
/// name of the exception that a page would see.
pub fn run(args: &CeremonyArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let text = read_options(&args.options)?;
    let options = if is_wrapped(&text) {
        CredentialCreationOptions::from_json(&text)
    } else {
        CreationOptions::from_json(&text).map(Into::into)
    };
    let operation = Operation::Create;
    let mut options = options.map_err(|cause| named(cause, operation))?;
    if let Some(way) = &args.wrong {
        let options = options.public_key.take();
        let options = options.ok_or_else(|| named(Cause::NoType, operation))?;
        return wrong::create(way, args, &options, output);
    }
    conduct(args, output, operation, |container, entropy| {
        container.create(Instant::default(), options, entropy)
    })
}

/// Do the options have the container's form, `{"publicKey": ...}`? Else they are those of public keys alone.
pub(super) fn is_wrapped(text: &str) -> bool {
    let value = serde_json::from_str::<serde_json::Value>(text);
    value.is_ok_and(|value| value.get("publicKey").is_some())
}

/// Has a page of the origin make its call, lets the key serve it, and prints the credential.
pub(super) fn conduct(
    args: &CeremonyArgs,
    output: &mut Output<'_>,
    operation: Operation,
    call: impl FnOnce(&mut CredentialsContainer<'_>, Entropy) -> Request,
) -> Result<(), CliError> {
    let given = args.pin.given()?;
    let mut http = args.network.http()?;
    let profile = Profile::new();
    // Who sets a time on a command line means it.
    profile.set(|settings| {
        settings.timeout = TimeoutRange::literal();
        // A command line is no page, so hmac-secret is open to it as to other native programs.
        settings.hmac_secret = true;
    });
    let mut page = Page::new(&profile, &args.origin);
    let mut request = call(&mut page.credentials(), entropy()?);
    if request.is_settled() {
        // What is wrong with the call needs no key.
        let result = match request.poll_output(Instant::default()) {
            Some(RequestOutput::Settled(result)) => result,
            _ => Ok(None),
        };
        return print(result, operation, output);
    }
    let (key, _) = open(&args.device)?;
    let mut keys = Keys::new([key]);
    keys.set_fetch(move |url| related_origins(&mut http, url).ok());
    let settlement = keys.settle(request, &mut Person::new(output, given));
    if let Some(error) = keys.take_failure(KeyId(0)) {
        return Err(explain(DriveError::Connection(error)));
    }
    let pending = || {
        CliError::new(
            Exit::Refused,
            "The promise stays pending: the key gives nothing that a conditional request takes.",
            "without \"mediation\": \"conditional\"",
        )
    };
    print(settlement.promise.ok_or_else(pending)?, operation, output)
}

fn print(
    result: Result<Option<Credential>, Rejection>,
    operation: Operation,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    match result {
        Ok(credential) => output.object(&credential),
        Err(rejection) => Err(named(rejection.cause, operation)),
    }
}

/// A cause with the name of its exception in front.
pub(crate) fn named(cause: Cause, operation: Operation) -> CliError {
    let name = cause.exception(operation).name();
    let error = explain(DriveError::Cause(cause));
    CliError::new(error.exit(), format!("{name}: {}", error.what()), error.try_this())
}

/// The text of the options.
pub(crate) fn read_options(path: &PathBuf) -> Result<String, CliError> {
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
