//! `softkey credentials`: what is stored on a key, listed, counted, renamed, deleted.
#![allow(
    clippy::doc_markdown,
    reason = "some of these comments are the text of --help, where backticks are noise"
)]

use clap::{Args, Subcommand};
use serde_json::json;
use softkey_client::driver::reach;
use softkey_client::stored::{self, Names, Stored};
use softkey_client::{Ceremony, Entropy, Reach, base64url};
use softkey_ctap::cose;

use super::device::{DeviceArgs, open};
use super::person::{Person, PinArgs, account};
use super::{entropy, perform};
use crate::error::{CliError, Exit};
use crate::output::{Form, Output};
use crate::text::{quoted, rp_id};

/// The arguments of `softkey credentials`.
#[derive(Clone, Debug, Args)]
pub struct CredentialsArgs {
    /// What to do.
    #[command(subcommand)]
    pub order: CredentialsOrder,
}

/// What can be done with discoverable credentials.
#[derive(Clone, Debug, Subcommand)]
pub enum CredentialsOrder {
    /// List them, with the relying party and the account of each
    List(CredentialsListArgs),
    /// Say how many there are, and for how many more there is room
    Count(OwnerArgs),
    /// Change the names of an account on the key; the relying party's own records stay
    Rename(RenameArgs),
    /// Delete one for good
    Delete(DeleteArgs),
}

/// Which key, and the PIN of its owner.
#[derive(Clone, Debug, Default, Args)]
pub struct OwnerArgs {
    #[command(flatten)]
    /// Which key.
    pub device: DeviceArgs,
    #[command(flatten)]
    /// The PIN.
    pub pin: PinArgs,
}

/// The arguments of `softkey credentials list`.
#[derive(Clone, Debug, Default, Args)]
pub struct CredentialsListArgs {
    #[command(flatten)]
    /// Which key and PIN.
    pub owner: OwnerArgs,

    /// Only those of this relying party
    #[arg(long, value_name = "DOMAIN")]
    pub rp_id: Option<String>,
}

/// The arguments of `softkey credentials rename`.
#[derive(Clone, Debug, Args)]
pub struct RenameArgs {
    /// The credential's identifier as softkey credentials list prints it, or a beginning that no other has
    pub id: String,
    #[command(flatten)]
    /// Which key and PIN.
    pub owner: OwnerArgs,

    /// The account's name; an empty one removes it
    #[arg(long, value_name = "TEXT", required_unless_present = "display_name")]
    pub name: Option<String>,

    /// The person's name; an empty one removes it
    #[arg(long, value_name = "TEXT")]
    pub display_name: Option<String>,
}

/// The arguments of `softkey credentials delete`.
#[derive(Clone, Debug, Args)]
pub struct DeleteArgs {
    /// The credential's identifier as softkey credentials list prints it, or a beginning that no other has
    pub id: String,
    #[command(flatten)]
    /// Which key and PIN.
    pub owner: OwnerArgs,
}

impl CredentialsArgs {
    /// Are results to be JSON?
    #[must_use]
    pub const fn json(&self) -> bool {
        match &self.order {
            CredentialsOrder::List(args) => args.owner.device.json,
            CredentialsOrder::Count(args) => args.device.json,
            CredentialsOrder::Rename(args) => args.owner.device.json,
            CredentialsOrder::Delete(args) => args.owner.device.json,
        }
    }
}

/// Carries `softkey credentials` out.
///
/// # Errors
///
/// [`Exit::Pin`] for everything about the PIN, [`Exit::BadInput`] if an identifier fits several credentials or
/// none can begin so, and as the key answers.
pub fn run(args: &CredentialsArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    match &args.order {
        CredentialsOrder::List(args) => list(args, output),
        CredentialsOrder::Count(args) => count(args, output),
        CredentialsOrder::Rename(args) => rename(args, output),
        CredentialsOrder::Delete(args) => delete(args, output),
    }
}

fn list(args: &CredentialsListArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let rp_id = args.rp_id.clone();
    let all = owned(&args.owner, output, |reach, entropy| stored::list(rp_id, reach, entropy))?;
    if all.is_empty() {
        output.note("No discoverable credentials.");
    }
    all.iter().try_for_each(|stored| show(stored, output))
}

fn count(args: &OwnerArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let room = owned(args, output, stored::count)?;
    match output.form() {
        Form::Plain => output.line(format!("{} stored, room for {} more", room.stored, room.free)),
        Form::Json => output.object(&json!({"stored": room.stored, "free": room.free})),
    }
}

fn rename(args: &RenameArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let id = beginning(&args.id)?;
    let names = Names { name: args.name.clone(), display_name: args.display_name.clone() };
    let change = |reach, entropy| stored::rename(id, names, reach, entropy);
    let stored = owned(&args.owner, output, change)?;
    show(&stored, output)
}

fn delete(args: &DeleteArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let id = beginning(&args.id)?;
    let gone = owned(&args.owner, output, |reach, entropy| stored::delete(id, reach, entropy))?;
    output.note("Deleted:");
    show(&gone, output)
}

/// Runs a ceremony that needs the key's owner.
pub(super) fn owned<T>(
    args: &OwnerArgs,
    output: &mut Output<'_>,
    ceremony: impl FnOnce(Reach, Entropy) -> Ceremony<T>,
) -> Result<T, CliError> {
    let pin = args.pin.given()?;
    let (mut key, _) = open(&args.device)?;
    let ceremony = ceremony(reach(&key), entropy()?);
    perform(ceremony, &mut key, &mut Person::new(output, pin))
}

/// Base64url that is not empty: else every credential would be meant.
pub(super) fn beginning(id: &str) -> Result<String, CliError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !id.is_empty() && id.chars().all(fits) {
        return Ok(id.to_owned());
    }
    Err(CliError::new(
        Exit::BadInput,
        format!("{} is no credential's identifier.", quoted(id)),
        "one as softkey credentials list prints it",
    ))
}

fn show(stored: &Stored, output: &mut Output<'_>) -> Result<(), CliError> {
    let id = base64url::encode(&stored.id);
    let user = base64url::encode(&stored.user_id);
    if output.form() == Form::Json {
        return output.object(&json!({
            "rpId": stored.party.id,
            "rpName": stored.party.name,
            "userId": user,
            "name": stored.name,
            "displayName": stored.display_name,
            "algorithm": stored.algorithm,
            "credProtect": stored.protection,
            "thirdPartyPayment": stored.third_party_payment,
            "id": id,
        }));
    }
    let account = account(&stored.user_id, stored.name.as_deref(), stored.display_name.as_deref());
    output.line(format!("{}  {account}", rp_id(&stored.party.id)))?;
    let algorithm = stored.algorithm.map(algorithm_name);
    let protection = stored.protection.filter(|level| *level > 1).map(protection_name);
    let payment = stored.third_party_payment.then(|| String::from("for payment"));
    let traits: Vec<_> = [algorithm, protection, payment].into_iter().flatten().collect();
    if !traits.is_empty() {
        output.line(format!("    {}", traits.join(", ")))?;
    }
    output.line(format!("    {id}"))
}

fn algorithm_name(alg: i64) -> String {
    cose::algorithm::name(alg).map_or_else(|| format!("algorithm {alg}"), str::to_owned)
}

fn protection_name(level: u64) -> String {
    match level {
        2 => String::from("found without verification only by its identifier"),
        3 => String::from("used with verification only"),
        other => format!("credProtect {other}"),
    }
}
