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
use serde_json::{Map, Value, json};
use softkey_client::driver::DriveError;
use softkey_client::{
    Cause, CreationOptions, CredentialCreationOptions, CredentialType, Operation, Rejection,
};
use softkey_ctap::Instant;

use super::consent::Consent;
use super::device::KeysArgs;
use super::failure::explain;
use super::network::NetworkArgs;
use super::person::PinArgs;
use super::visit::Visit;
use super::wrong;
use crate::browser_profile::BrowserProfile;
use crate::error::{CliError, Exit};
use crate::output::Output;

/// The arguments of `softkey create` and `softkey get`.
#[derive(Clone, Debug, Default, Args)]
pub struct CeremonyArgs {
    /// The origin of the page that asks, such as `https://example.org`
    #[arg(long, value_name = "URL")]
    pub origin: String,

    /// The options in the JSON form of browsers; - for standard input
    ///
    /// Those of public keys alone, or with members as a page writes them. create takes publicKey, password or federated; a
    /// form has no JSON form in browsers, here it is {"password": {"elements": [{"name": .., "autocomplete": .., "value":
    /// ..}]}}. get takes publicKey; password and federated; {"identity": {"providers": [{"configURL": .., "clientId":
    /// ..}]}}, with providers that the browser profile is signed in at, or to sign in at with --forms; or otp, with sms as
    /// its only transport.
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub options: PathBuf,

    /// Answer in a key's place, and wrong in one way, such as origin; a way that there is not lists them
    ///
    /// The signature is valid, over what a relying party must refuse; "nothing" is right. Anyone can sign for such a credential, so never
    /// let it into an account that matters.
    #[arg(long, value_name = "WAY")]
    pub wrong: Option<String>,

    #[command(flatten)]
    /// Which keys.
    pub keys: KeysArgs,
    #[command(flatten)]
    /// The PIN, if it is needed.
    pub pin: PinArgs,
    #[command(flatten)]
    /// Where servers are.
    pub network: NetworkArgs,
}

/// Carries `softkey create` out: prints the credential, of public keys a `RegistrationResponseJSON`.
///
/// # Errors
///
/// [`Exit::BadInput`] for options that cannot be read, and as the ceremony ends; the message begins with the
/// name of the exception that a page would see.
pub fn run(args: &CeremonyArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let text = read_options(&args.options)?;
    let operation = Operation::Create;
    let mut options = options(&text).map_err(|cause| named(cause, operation))?;
    if let Some(way) = &args.wrong {
        let options = options.public_key.take();
        let options = options.ok_or_else(|| named(Cause::NoType, operation))?;
        return wrong::create(way, args, &options, output);
    }
    let mut visit = Visit::begin(&args.origin, operation, BrowserProfile::in_memory());
    let request =
        visit.call(|container, entropy| container.create(Instant::default(), options, entropy))?;
    let credential = visit.settle(request, args, Consent::unknown(), output)?;
    output.object(&credential)
}

/// Reads the options of create in either form.
pub(super) fn options(text: &str) -> Result<CredentialCreationOptions, Cause> {
    if is_bare(text) {
        CreationOptions::from_json(text).map(Into::into)
    } else {
        CredentialCreationOptions::from_json(text)
    }
}

/// Are these the options of public keys alone, instead of the container's `{"publicKey": ...}`?
pub(super) fn is_bare(text: &str) -> bool {
    let value = serde_json::from_str::<Value>(text).unwrap_or_default();
    let has = |member: &str| value.get(member).is_some();
    has("challenge") && !CredentialType::ALL.iter().any(|kind| has(kind.member()))
}

/// A cause with the name of its exception in front, and with what a page sees of it for programs.
pub(crate) fn named(cause: Cause, operation: Operation) -> CliError {
    let rejection = Rejection::new(cause, operation);
    let name = rejection.exception.name();
    let seen = seen(&rejection);
    let error = explain(DriveError::Cause(rejection.cause));
    CliError::new(error.exit(), format!("{name}: {}", error.what()), error.try_this()).seen_as(seen)
}

/// What a page sees of a rejection.
fn seen(rejection: &Rejection) -> Map<String, Value> {
    let seen = match (rejection.reason(), rejection.identity_error()) {
        (Some(reason), _) => json!({ "reason": reason }),
        (None, Some(error)) => json!(error),
        (None, None) => json!({"name": rejection.exception.name()}),
    };
    seen.as_object().cloned().unwrap_or_default()
}

/// The text of the options.
pub(crate) fn read_options(path: &PathBuf) -> Result<String, CliError> {
    read_text(path, "The options", "--options with a text file that you may read")
}

/// A text from a file or, for `-`, from standard input: `what` it is, and what to try if it cannot be read.
pub(crate) fn read_text(path: &PathBuf, what: &str, try_this: &str) -> Result<String, CliError> {
    let text = if path.as_os_str() == "-" {
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(path)
    };
    text.map_err(|error| {
        CliError::new(
            Exit::BadInput,
            format!("{what} cannot be read from {}: {error}.", path.display()),
            try_this,
        )
    })
}
