//! `softkey get`: `navigator.credentials.get()` with JSON in and JSON out.

use softkey_client::{Cause, CredentialRequestOptions, Operation, RequestOptions};
use softkey_ctap::Instant;

use super::create::{CeremonyArgs, conduct, is_wrapped, named, read_options};
use super::wrong;
use crate::error::CliError;
use crate::output::Output;

/// Carries `softkey get` out: prints an `AuthenticationResponseJSON`.
///
/// # Errors
///
/// As [`create`](super::create::run).
pub fn run(args: &CeremonyArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let text = read_options(&args.options)?;
    let options = if is_wrapped(&text) {
        CredentialRequestOptions::from_json(&text)
    } else {
        RequestOptions::from_json(&text).map(Into::into)
    };
    let operation = Operation::Get;
    let mut options = options.map_err(|cause| named(cause, operation))?;
    if let Some(way) = &args.wrong {
        let options = options.public_key.take();
        let options = options.ok_or_else(|| named(Cause::NoType, operation))?;
        return wrong::get(way, args, &options, output);
    }
    conduct(args, output, operation, |container, entropy| {
        container.get(Instant::default(), options, entropy)
    })
}
