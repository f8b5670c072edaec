//! `softkey config`: what the owner sets on a key for good.
#![allow(
    clippy::doc_markdown,
    reason = "some of these comments are the text of --help, where backticks are noise"
)]

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use softkey_client::settings::{self, Setting};

use super::credentials::{OwnerArgs, owned};
use crate::error::CliError;
use crate::output::{Form, Output};

/// The arguments of `softkey config`.
#[derive(Clone, Debug, Args)]
pub struct ConfigArgs {
    /// What to change.
    #[command(subcommand)]
    pub order: ConfigOrder,
}

/// What can be changed.
#[derive(Clone, Debug, Subcommand)]
pub enum ConfigOrder {
    /// Have the key verify its user for everything, U2F being off meanwhile
    AlwaysUv(AlwaysUvArgs),
    /// Have a reset want a long touch, until that reset
    LongTouchForReset(OwnerArgs),
    /// Let the key identify itself to the relying parties that its vendor lists, until a reset
    EnterpriseAttestation(OwnerArgs),
}

/// The arguments of `softkey config always-uv`.
#[derive(Clone, Debug, Args)]
pub struct AlwaysUvArgs {
    /// On or off
    pub state: Switch,
    #[command(flatten)]
    /// Which key and PIN.
    pub owner: OwnerArgs,
}

/// A state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// Switched on
    On,
    /// Switched off
    Off,
}

impl ConfigArgs {
    /// Are results to be JSON?
    #[must_use]
    pub const fn json(&self) -> bool {
        match &self.order {
            ConfigOrder::AlwaysUv(args) => args.owner.device.json,
            ConfigOrder::LongTouchForReset(owner) | ConfigOrder::EnterpriseAttestation(owner) => {
                owner.device.json
            }
        }
    }
}

/// Carries `softkey config` out.
///
/// # Errors
///
/// As [`apply`].
pub fn run(args: &ConfigArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    match &args.order {
        ConfigOrder::AlwaysUv(args) => {
            apply(&args.owner, Setting::AlwaysUv(args.state == Switch::On), output)
        }
        ConfigOrder::LongTouchForReset(owner) => apply(owner, Setting::LongTouchForReset, output),
        ConfigOrder::EnterpriseAttestation(owner) => {
            apply(owner, Setting::EnterpriseAttestation, output)
        }
    }
}

/// Changes a setting and says so.
///
/// # Errors
///
/// [`Exit::Pin`](crate::error::Exit::Pin) for everything about the PIN, and as the key answers.
pub fn apply(owner: &OwnerArgs, setting: Setting, output: &mut Output<'_>) -> Result<(), CliError> {
    let (name, plain, value) = match &setting {
        Setting::AlwaysUv(true) => ("alwaysUv", "The key always verifies its user.", json!(true)),
        Setting::AlwaysUv(false) => {
            ("alwaysUv", "The key verifies its user where it is asked to.", json!(false))
        }
        Setting::EnterpriseAttestation => {
            ("ep", "The key identifies itself where its vendor lists it.", json!(true))
        }
        Setting::LongTouchForReset => {
            ("longTouchForReset", "A reset wants a long touch.", json!(true))
        }
        Setting::ForceChangePin => {
            ("forcePINChange", "The PIN must be changed before it is used again.", json!(true))
        }
        Setting::MinPinLength { length, .. } => {
            ("minPINLength", "New PINs have at least that many characters.", json!(length))
        }
    };
    owned(owner, output, |reach, entropy| settings::set(setting, reach, entropy))?;
    match output.form() {
        Form::Plain => output.line(plain),
        Form::Json => output.object(&json!({name: value})),
    }
}
