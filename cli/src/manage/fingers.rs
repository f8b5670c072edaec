//! `softkey fingers`: the fingers that a key's own sensor knows, enrolled, listed, renamed, removed.
#![allow(
    clippy::doc_markdown,
    reason = "some of these comments are the text of --help, where backticks are noise"
)]

use clap::{Args, Subcommand};
use serde_json::json;
use softkey_client::fingers::{self, Finger};

use super::credentials::{OwnerArgs, owned};
use crate::error::CliError;
use crate::output::{Form, Output};
use crate::text::quoted;

/// The arguments of `softkey fingers`.
#[derive(Clone, Debug, Args)]
pub struct FingersArgs {
    /// What to do.
    #[command(subcommand)]
    pub order: FingersOrder,
}

/// What can be done with fingers.
#[derive(Clone, Debug, Subcommand)]
pub enum FingersOrder {
    /// List them, with their names
    List(OwnerArgs),
    /// Enroll another finger: touch the sensor with it until the key has seen enough
    Add(AddArgs),
    /// Give a finger another name
    Rename(FingerRenameArgs),
    /// Remove a finger; the key knows it no more
    Remove(RemoveArgs),
}

/// The arguments of `softkey fingers add`.
#[derive(Clone, Debug, Args)]
pub struct AddArgs {
    #[command(flatten)]
    /// Which key and PIN.
    pub owner: OwnerArgs,

    /// The finger's name
    #[arg(long, value_name = "TEXT")]
    pub name: Option<String>,
}

/// The arguments of `softkey fingers rename`.
#[derive(Clone, Debug, Args)]
pub struct FingerRenameArgs {
    /// The finger's name, or its identifier as softkey fingers list prints it, or a beginning that no other has
    pub finger: String,

    /// The new name; an empty one removes it
    pub name: String,

    #[command(flatten)]
    /// Which key and PIN.
    pub owner: OwnerArgs,
}

/// The arguments of `softkey fingers remove`.
#[derive(Clone, Debug, Args)]
pub struct RemoveArgs {
    /// The finger's name, or its identifier as softkey fingers list prints it, or a beginning that no other has
    pub finger: String,

    #[command(flatten)]
    /// Which key and PIN.
    pub owner: OwnerArgs,
}

impl FingersArgs {
    /// Are results to be JSON?
    #[must_use]
    pub const fn json(&self) -> bool {
        match &self.order {
            FingersOrder::List(args) => args.device.json,
            FingersOrder::Add(args) => args.owner.device.json,
            FingersOrder::Rename(args) => args.owner.device.json,
            FingersOrder::Remove(args) => args.owner.device.json,
        }
    }
}

/// Carries `softkey fingers` out.
///
/// # Errors
///
/// [`Exit::Pin`](crate::error::Exit::Pin) for everything about the PIN,
/// [`Exit::BadInput`](crate::error::Exit::BadInput) if several fingers are called so, and as the key answers.
pub fn run(args: &FingersArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    match &args.order {
        FingersOrder::List(args) => list(args, output),
        FingersOrder::Add(args) => {
            let name = args.name.clone();
            let add = |reach, entropy| fingers::add(name, reach, entropy);
            let finger = owned(&args.owner, output, add)?;
            output.note("Enrolled:");
            show(&finger, output)
        }
        FingersOrder::Rename(args) => {
            let (finger, name) = (args.finger.clone(), args.name.clone());
            let rename = |reach, entropy| fingers::rename(finger, name, reach, entropy);
            let finger = owned(&args.owner, output, rename)?;
            show(&finger, output)
        }
        FingersOrder::Remove(args) => {
            let finger = args.finger.clone();
            let remove = |reach, entropy| fingers::remove(finger, reach, entropy);
            let finger = owned(&args.owner, output, remove)?;
            output.note("Removed:");
            show(&finger, output)
        }
    }
}

fn list(args: &OwnerArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let all = owned(args, output, fingers::list)?;
    if all.is_empty() {
        output.note("No fingers are enrolled.");
    }
    all.iter().try_for_each(|finger| show(finger, output))
}

fn show(finger: &Finger, output: &mut Output<'_>) -> Result<(), CliError> {
    let id = finger.hex_id();
    match (output.form(), &finger.name) {
        (Form::Json, name) => output.object(&json!({"id": id, "name": name})),
        (Form::Plain, Some(name)) => output.line(format!("{id}  {}", quoted(name))),
        (Form::Plain, None) => output.line(id),
    }
}
