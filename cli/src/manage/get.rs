//! `softkey get`: `navigator.credentials.get()` with JSON in and JSON out.

use softkey_client::driver::reach;
use softkey_client::{Operation, Origin, RequestOptions};

use super::create::{CeremonyArgs, conduct, named, read_options};
use super::entropy;
use crate::error::CliError;
use crate::output::Output;

/// Carries `softkey get` out: prints an `AuthenticationResponseJSON`.
///
/// # Errors
///
/// As [`create`](super::create::run).
pub fn run(args: &CeremonyArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let text = read_options(&args.options)?;
    let named = |cause| named(cause, Operation::Get);
    let options = RequestOptions::from_json(&text).map_err(named)?;
    let origin = Origin::parse(&args.origin).map_err(named)?;
    let timeout = options.timeout;
    conduct(args, output, (Operation::Get, timeout), |key| {
        Ok(softkey_client::get(options, origin, reach(key), entropy()?))
    })
}
