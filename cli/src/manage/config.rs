//! `softkey config`: what the owner sets on a key for good.
#![allow(
    clippy::doc_markdown,
    reason = "some of these comments are the text of --help, where backticks are noise"
)]

use ciborium::Value;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use softkey_client::settings::{self, Setting};
use softkey_ctap::cbor::{self, RawMap};

use super::credentials::{OwnerArgs, owned};
use crate::decode;
use crate::error::{CliError, Exit};
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
    /// Carry out a command of the key's vendor; softkey info tells which there are
    Vendor(VendorArgs),
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

/// The arguments of `softkey config vendor`.
#[derive(Clone, Debug, Args)]
pub struct VendorArgs {
    /// The command's number, decimal or with 0x in front
    #[arg(value_parser = number)]
    pub command: u64,
    /// A CBOR map in hexadecimal: what stands beside the number, which is the member 1
    #[arg(long, value_name = "HEX", value_parser = members)]
    pub parameters: Option<Members>,
    #[command(flatten)]
    /// Which key and PIN.
    pub owner: OwnerArgs,
}

/// Members of a map.
#[derive(Clone, Debug)]
pub struct Members(Vec<(Value, Value)>);

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
            ConfigOrder::Vendor(args) => args.owner.device.json,
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
        ConfigOrder::Vendor(args) => {
            let params = params(args.command, args.parameters.as_ref())?;
            apply(&args.owner, Setting::Vendor { command: args.command, params }, output)
        }
    }
}

fn number(text: &str) -> Result<u64, String> {
    let number = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    let plain = number.ok().filter(|_| !text.contains('+'));
    plain.ok_or_else(|| "a number such as 7 or 0xf00d".into())
}

/// One map and nothing else, in the form that keys take, without a member 1.
fn members(text: &str) -> Result<Members, String> {
    let bytes = decode::hex(text).ok_or("this is not hexadecimal")?;
    cbor::decode::<RawMap<'_>>(&bytes).map_err(|_| "this is no map of canonical CBOR")?;
    let Ok(Value::Map(members)) = ciborium::from_reader(bytes.as_slice()) else {
        return Err("this is no map of CBOR".into());
    };
    if members.iter().any(|(key, _)| *key == 1.into()) {
        return Err("the member 1 is the command's number".into());
    }
    Ok(Members(members))
}

/// All members in canonical order: by type, then the shorter key first, then by its bytes.
fn params(command: u64, further: Option<&Members>) -> Result<Vec<u8>, CliError> {
    let further = further.map_or(&[][..], |members| &members.0);
    let own = (Value::from(1), Value::from(command));
    let mut members: Vec<_> = further.iter().chain([&own]).collect();
    members.sort_by_cached_key(|(key, _)| {
        let key = encoded(key).unwrap_or_default();
        (key.first().map(|head| head >> 5), key.len(), key)
    });
    encoded(&Value::Map(members.into_iter().cloned().collect()))
}

fn encoded(value: &Value) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).map_err(|error| {
        let what = format!("The parameters cannot be encoded: {error}.");
        CliError::new(Exit::BadInput, what, "other parameters")
    })?;
    Ok(bytes)
}

/// Changes a setting and says so.
///
/// # Errors
///
/// [`Exit::Pin`] for everything about the PIN, and as the key answers.
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
        Setting::PinComplexityPolicy => {
            ("pinComplexityPolicy", "New PINs are held to more than their length.", json!(true))
        }
        Setting::Vendor { command, .. } => {
            ("vendorCommandId", "The key has carried out its vendor's command.", json!(command))
        }
    };
    owned(owner, output, |reach, entropy| settings::set(setting, reach, entropy))?;
    match output.form() {
        Form::Plain => output.line(plain),
        Form::Json => output.object(&json!({name: value})),
    }
}
