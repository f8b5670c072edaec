//! `softkey wink`: have the key show itself.

use clap::Args;
use softkey_client::driver::DriveError;
use softkey_ctap_hid::{ConnectionError, HidError, HostError};

use super::device::{DeviceArgs, open};
use super::failure::explain;
use crate::error::{CliError, Exit};
use crate::output::{Form, Output};

/// The arguments of `softkey wink`.
#[derive(Clone, Debug, Default, Args)]
pub struct WinkArgs {
    #[command(flatten)]
    /// Which key.
    pub device: DeviceArgs,
}

/// Carries `softkey wink` out.
///
/// # Errors
///
/// [`Exit::NoKey`] if it cannot be reached, [`Exit::Failed`] if it cannot wink.
pub fn run(args: &WinkArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let (mut key, name) = open(&args.device)?;
    match key.wink() {
        Ok(()) if output.form() == Form::Json => {
            output.object(&serde_json::json!({"device": name, "winked": true}))
        }
        Ok(()) => Ok(()),
        Err(ConnectionError::Host(HostError::Device(HidError::INVALID_CMD))) => Err(CliError::new(
            Exit::Failed,
            "The key cannot wink.",
            "softkey select, which waits for a touch",
        )),
        Err(error) => Err(explain(DriveError::Connection(error))),
    }
}
