//! `softkey select`: wait for a touch, to tell one key from another.

use clap::Args;
use softkey_client::driver::reach;
use softkey_client::manage;

use super::device::{DeviceArgs, open};
use super::person::Person;
use super::{entropy, perform};
use crate::error::CliError;
use crate::output::{Form, Output};

/// The arguments of `softkey select`.
#[derive(Clone, Debug, Default, Args)]
pub struct SelectArgs {
    #[command(flatten)]
    /// Which key.
    pub device: DeviceArgs,
}

/// Carries `softkey select` out.
///
/// # Errors
///
/// As the key answers: [`Exit::Refused`](crate::error::Exit::Refused) without a touch.
pub fn run(args: &SelectArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let (mut key, name) = open(&args.device)?;
    let ceremony = manage::select(reach(&key), entropy()?);
    perform(ceremony, &mut key, &mut Person::new(output, None))?;
    match output.form() {
        Form::Plain => output.line(format!("{name} was touched.")),
        Form::Json => output.object(&serde_json::json!({"device": name, "touched": true})),
    }
}
