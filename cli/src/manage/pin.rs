//! `softkey pin`: set, change, count, and the rules for new ones.
#![allow(
    clippy::doc_markdown,
    reason = "some of these comments are the text of --help, where backticks are noise"
)]

use std::path::PathBuf;

use clap::{Args, Subcommand};
use softkey_client::driver::reach;
use softkey_client::pin::{self, Pin};
use softkey_client::settings::Setting;
use zeroize::Zeroizing;

use super::config::apply;
use super::credentials::OwnerArgs;
use super::device::{DeviceArgs, open};
use super::person::{Person, PinArgs, first_line, prompt};
use super::{entropy, perform};
use crate::environment::variable;
use crate::error::{CliError, Exit};
use crate::output::{Form, Output};

/// The arguments of `softkey pin`.
#[derive(Clone, Debug, Args)]
pub struct PinCommandArgs {
    /// What to do.
    #[command(subcommand)]
    pub order: PinOrder,
}

/// What can be done with a PIN.
#[derive(Clone, Debug, Subcommand)]
pub enum PinOrder {
    /// Set the first PIN
    Set(SetArgs),
    /// Change the PIN
    Change(ChangeArgs),
    /// Say how many wrong PINs are left
    Retries(RetriesArgs),
    /// Have the key refuse the PIN until it is changed
    ForceChange(OwnerArgs),
    /// Raise the least number of characters of a PIN; only a reset lowers it again
    MinLength(MinLengthArgs),
    /// Hold new PINs to more than their length, by rules of the key's vendor, until a reset
    Complexity(OwnerArgs),
}

impl PinCommandArgs {
    /// Are results to be JSON?
    #[must_use]
    pub const fn json(&self) -> bool {
        match &self.order {
            PinOrder::Set(args) => args.device.json,
            PinOrder::Change(args) => args.device.json,
            PinOrder::Retries(args) => args.device.json,
            PinOrder::ForceChange(args) | PinOrder::Complexity(args) => args.device.json,
            PinOrder::MinLength(args) => args.owner.device.json,
        }
    }
}

/// The arguments of `softkey pin set`.
#[derive(Clone, Debug, Default, Args)]
pub struct SetArgs {
    #[command(flatten)]
    /// Which key.
    pub device: DeviceArgs,
    #[command(flatten)]
    /// The new PIN.
    pub pin: PinArgs,
}

/// The arguments of `softkey pin change`.
#[derive(Clone, Debug, Default, Args)]
pub struct ChangeArgs {
    #[command(flatten)]
    /// Which key.
    pub device: DeviceArgs,
    #[command(flatten)]
    /// The present PIN.
    pub pin: PinArgs,

    /// Read the new PIN from the first line of this file
    ///
    /// Without it the new PIN comes from the environment variable SOFTKEY_NEW_PIN or from a prompt.
    #[arg(long, value_name = "FILE")]
    pub new_pin_file: Option<PathBuf>,
}

/// The arguments of `softkey pin retries`.
#[derive(Clone, Debug, Default, Args)]
pub struct RetriesArgs {
    #[command(flatten)]
    /// Which key.
    pub device: DeviceArgs,
}

/// The arguments of `softkey pin min-length`.
#[derive(Clone, Debug, Args)]
pub struct MinLengthArgs {
    /// The least number of characters, 4 to 63
    #[arg(value_parser = clap::value_parser!(u64).range(4..=63))]
    pub length: u64,
    #[command(flatten)]
    /// Which key and PIN.
    pub owner: OwnerArgs,

    /// A relying party that may learn the number; may be given more than once
    #[arg(long, value_name = "DOMAIN")]
    pub rp_id: Vec<String>,
}

/// Carries `softkey pin` out.
///
/// # Errors
///
/// [`Exit::Pin`] for everything about PINs.
pub fn run(args: &PinCommandArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    match &args.order {
        PinOrder::Set(args) => set(args, output),
        PinOrder::Change(args) => change(args, output),
        PinOrder::Retries(args) => retries(args, output),
        PinOrder::ForceChange(args) => apply(args, Setting::ForceChangePin, output),
        PinOrder::Complexity(args) => apply(args, Setting::PinComplexityPolicy, output),
        PinOrder::MinLength(args) => {
            let (length, rp_ids) = (Some(args.length), args.rp_id.clone());
            apply(&args.owner, Setting::MinPinLength { length, rp_ids }, output)
        }
    }
}

fn set(args: &SetArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let new = args.pin.given()?;
    let (mut key, name) = open(&args.device)?;
    let new = new_pin(new)?;
    let ceremony = pin::set(new, reach(&key), entropy()?);
    perform(ceremony, &mut key, &mut Person::new(output, None))?;
    done(output, &name, "set")
}

fn change(args: &ChangeArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let old = args.pin.given()?;
    let new = match &args.new_pin_file {
        Some(path) => Some(first_line(path)?),
        None => variable("SOFTKEY_NEW_PIN")?,
    };
    let (mut key, name) = open(&args.device)?;
    let old = old.or_else(|| prompt("Present PIN")).ok_or_else(no_pin)?;
    let ceremony = pin::change(Pin::new(&old), new_pin(new)?, reach(&key), entropy()?);
    perform(ceremony, &mut key, &mut Person::new(output, None))?;
    done(output, &name, "changed")
}

fn retries(args: &RetriesArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let (mut key, name) = open(&args.device)?;
    let ceremony = pin::retries(reach(&key), entropy()?);
    let retries = perform(ceremony, &mut key, &mut Person::new(output, None))?;
    if output.form() == Form::Json {
        return output.object(&serde_json::json!({
            "device": name,
            "pinRetries": retries.pin,
            "powerCycleState": retries.power_cycle,
            "uvRetries": retries.uv,
        }));
    }
    let left =
        |count: Option<u64>| count.map_or_else(|| String::from("unknown"), |n| n.to_string());
    output.line(format!("PIN tries left: {}", left(retries.pin)))?;
    if retries.power_cycle {
        output.line("Plug the key out and in before the next try.")?;
    }
    match retries.uv {
        Some(_) => output.line(format!("Built-in verification tries left: {}", left(retries.uv))),
        None => Ok(()),
    }
}

/// A new PIN: as given, or asked for twice.
fn new_pin(given: Option<Zeroizing<String>>) -> Result<Pin, CliError> {
    if let Some(given) = given {
        return Ok(Pin::new(&given));
    }
    let new = prompt("New PIN").ok_or_else(no_pin)?;
    let again = prompt("New PIN again").ok_or_else(no_pin)?;
    if new == again {
        return Ok(Pin::new(&new));
    }
    Err(CliError::new(Exit::Pin, "The two PINs are not the same.", "again"))
}

fn no_pin() -> CliError {
    CliError::new(Exit::Pin, "No PIN was given.", "a terminal, --pin-file or SOFTKEY_PIN")
}

fn done(output: &mut Output<'_>, name: &str, what: &str) -> Result<(), CliError> {
    match output.form() {
        Form::Plain => output.line(format!("The PIN of {name} is {what}.")),
        Form::Json => output.object(&serde_json::json!({"device": name, "pin": what})),
    }
}
