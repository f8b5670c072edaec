//! `--wrong` of `softkey create` and `get`: the deliberately wrong client answers in the key's place.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand_core::TryRng;
use softkey_client::wrong::{AUTHENTICATION, Deviations, REGISTRATION, Variant, WrongClient};
use softkey_client::{Cause, CreationOptions, Operation, Origin, RequestOptions};

use super::create::{CeremonyArgs, named};
use crate::error::{CliError, Exit};
use crate::output::Output;

/// The name of no variant: the response is right.
const NOTHING: &str = "nothing";

/// Answers create.
///
/// # Errors
///
/// [`Exit::Usage`] for a name that no variant has, [`Exit::BadInput`] for an origin that is none.
pub(super) fn create(
    name: &str,
    args: &CeremonyArgs,
    options: &CreationOptions,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let deviations = find(name, REGISTRATION)?;
    let origin = origin(args, Operation::Create)?;
    let mut seed = [0; 32];
    let Ok(()) = super::entropy()?.try_fill_bytes(&mut seed);
    output.object(&WrongClient::new(1).create(options, &origin, &seed, &deviations))
}

/// Answers get, with the first of the allowed credentials.
///
/// # Errors
///
/// As [`create`], and [`Exit::BadInput`] without such a credential.
pub(super) fn get(
    name: &str,
    args: &CeremonyArgs,
    options: &RequestOptions,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let deviations = find(name, AUTHENTICATION)?;
    let origin = origin(args, Operation::Get)?;
    let credential = options.allow.first().ok_or_else(|| {
        CliError::new(
            Exit::BadInput,
            "The wrong client keeps no credentials, so it needs one named.",
            "allowCredentials with what softkey create --wrong made",
        )
    })?;
    let mut client = WrongClient::new(counter());
    output.object(&client.get(options, &origin, &credential.id, &deviations))
}

fn origin(args: &CeremonyArgs, operation: Operation) -> Result<Origin, CliError> {
    Origin::parse(&args.origin).map_err(|cause: Cause| named(cause, operation))
}

fn find(name: &str, variants: &[Variant]) -> Result<Deviations, CliError> {
    if name == NOTHING {
        return Ok(Deviations::default());
    }
    let found = variants.iter().find(|variant| variant.name == name);
    found.map(Variant::deviations).ok_or_else(|| {
        let names: Vec<_> = variants.iter().map(|variant| variant.name).collect();
        CliError::new(
            Exit::Usage,
            format!("There is no way to be wrong that is called {name}."),
            format!("{NOTHING}, {}", names.join(", ")),
        )
    })
}

/// A counter that grows from one run to the next: tenths of a second since 2025.
fn counter() -> u32 {
    let start = UNIX_EPOCH + Duration::from_hours(482_136);
    let passed = SystemTime::now().duration_since(start).unwrap_or_default();
    u32::try_from(passed.as_millis() / 100).unwrap_or(u32::MAX)
}
