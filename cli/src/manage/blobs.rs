//! `softkey blobs`: data that programs keep on a key beside its credentials.
#![allow(
    clippy::doc_markdown,
    reason = "some of these comments are the text of --help, where backticks are noise"
)]

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;
use softkey_client::base64url;
use softkey_client::blobs::{self, Blobs};
use softkey_client::stored::Stored;

use super::credentials::{OwnerArgs, beginning, owned};
use super::person::account;
use crate::error::{CliError, Exit};
use crate::output::{Form, Output};
use crate::text::rp_id;

/// More than any key has room for, compressed: what is longer is not even read.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// The arguments of `softkey blobs`.
#[derive(Clone, Debug, Args)]
pub struct BlobsArgs {
    /// What to do.
    #[command(subcommand)]
    pub order: BlobsOrder,
}

/// What can be done with large blobs.
#[derive(Clone, Debug, Subcommand)]
pub enum BlobsOrder {
    /// List the credentials that can have a blob, and what room is used
    List(OwnerArgs),
    /// Write a credential's blob to standard output, or to a file
    Get(GetArgs),
    /// Keep a file's content as a credential's blob, instead of the one that it has
    Set(SetArgs),
    /// Delete a credential's blob
    Delete(DeleteArgs),
}

/// The arguments of `softkey blobs get`.
#[derive(Clone, Debug, Args)]
pub struct GetArgs {
    /// The credential's identifier as softkey credentials list prints it, or a beginning that no other has
    pub id: String,
    #[command(flatten)]
    /// Which key and PIN.
    pub owner: OwnerArgs,

    /// Write to this file, which must not exist yet
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// The arguments of `softkey blobs set`.
#[derive(Clone, Debug, Args)]
pub struct SetArgs {
    /// The credential's identifier as softkey credentials list prints it, or a beginning that no other has
    pub id: String,
    /// The file, or - for standard input
    pub file: PathBuf,
    #[command(flatten)]
    /// Which key and PIN.
    pub owner: OwnerArgs,
}

/// The arguments of `softkey blobs delete`.
#[derive(Clone, Debug, Args)]
pub struct DeleteArgs {
    /// The credential's identifier as softkey credentials list prints it, or a beginning that no other has
    pub id: String,
    #[command(flatten)]
    /// Which key and PIN.
    pub owner: OwnerArgs,
}

impl BlobsArgs {
    /// Are results to be JSON?
    #[must_use]
    pub const fn json(&self) -> bool {
        match &self.order {
            BlobsOrder::List(owner) => owner.device.json,
            BlobsOrder::Get(args) => args.owner.device.json,
            BlobsOrder::Set(args) => args.owner.device.json,
            BlobsOrder::Delete(args) => args.owner.device.json,
        }
    }
}

/// Carries `softkey blobs` out.
///
/// # Errors
///
/// [`Exit::BadInput`] if a file cannot be read or is there already, [`Exit::Refused`] if the credential can have no
/// blob, has none, or there is no room; and as the key answers.
pub fn run(args: &BlobsArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    match &args.order {
        BlobsOrder::List(owner) => list(owner, output),
        BlobsOrder::Get(args) => get(args, output),
        BlobsOrder::Set(args) => set(args, output),
        BlobsOrder::Delete(args) => delete(args, output),
    }
}

fn list(owner: &OwnerArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let Blobs { credentials, others, used, capacity } = owned(owner, output, blobs::list)?;
    for (stored, length) in &credentials {
        let (id, party) = (base64url::encode(&stored.id), &stored.party.id);
        match output.form() {
            Form::Json => output.object(&json!({"rpId": party, "id": id, "length": length}))?,
            Form::Plain => {
                let has = length.map_or_else(|| String::from("none"), |it| format!("{it} bytes"));
                output.line(format!("{}  {}: {has}", rp_id(party), known_as(stored)))?;
                output.line(format!("    {id}"))?;
            }
        }
    }
    match output.form() {
        Form::Json => output.object(&json!({"used": used, "capacity": capacity, "others": others})),
        Form::Plain => {
            let of = capacity.map(|capacity| format!(" of {capacity}")).unwrap_or_default();
            output.line(format!("{used}{of} bytes used, {others} entries of no credential here"))
        }
    }
}

fn get(args: &GetArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let id = beginning(&args.id)?;
    if let Some(path) = args.out.as_ref().filter(|path| path.exists()) {
        let what = format!("{} is there already.", path.display());
        return Err(CliError::new(Exit::BadInput, what, "another name for --out"));
    }
    let data = owned(&args.owner, output, |reach, entropy| blobs::get(id, reach, entropy))?;
    match (&args.out, output.form()) {
        (Some(path), Form::Plain) => write(path, &data),
        (Some(path), Form::Json) => {
            write(path, &data)?;
            output.object(&json!({"file": path, "length": data.len()}))
        }
        (None, Form::Plain) => output.bytes(&data),
        (None, Form::Json) => output.object(&json!({"blob": base64url::encode(&data)})),
    }
}

fn set(args: &SetArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let (id, data) = (beginning(&args.id)?, content(&args.file)?);
    let length = data.len();
    let change = |reach, entropy| blobs::set(id, data, reach, entropy);
    let stored = owned(&args.owner, output, change)?;
    told(&stored, Some(length), output)
}

fn delete(args: &DeleteArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let id = beginning(&args.id)?;
    let stored = owned(&args.owner, output, |reach, entropy| blobs::delete(id, reach, entropy))?;
    told(&stored, None, output)
}

/// What a credential's blob is now.
fn told(stored: &Stored, length: Option<usize>, output: &mut Output<'_>) -> Result<(), CliError> {
    let party = &stored.party.id;
    match output.form() {
        Form::Json => output
            .object(&json!({"rpId": party, "id": base64url::encode(&stored.id), "length": length})),
        Form::Plain => {
            let has = length.map_or_else(|| String::from("no blob"), |it| format!("{it} bytes"));
            output.line(format!("{}  {}: {has}", rp_id(party), known_as(stored)))
        }
    }
}

fn known_as(stored: &Stored) -> String {
    account(&stored.user_id, stored.name.as_deref(), stored.display_name.as_deref())
}

fn content(path: &Path) -> Result<Vec<u8>, CliError> {
    let mut data = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().lock().take(MAX_FILE).read_to_end(&mut data)
    } else {
        fs::File::open(path).and_then(|file| file.take(MAX_FILE).read_to_end(&mut data))
    };
    read.map_err(|error| {
        let what = format!("The data cannot be read from {}: {error}.", path.display());
        CliError::new(Exit::BadInput, what, "a file that you may read, or - for standard input")
    })?;
    Ok(data)
}

/// A new file, for its owner only: what is kept under a credential's key may be a secret. It is there whole or not at all.
fn write(path: &Path, data: &[u8]) -> Result<(), CliError> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let file = fs::File::options().write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| {
        file.write_all(data).inspect_err(|_| {
            let _ = fs::remove_file(path);
        })
    });
    written.map_err(|error| {
        let what = format!("{} cannot be written: {error}.", path.display());
        CliError::new(Exit::Failed, what, "another place for --out")
    })
}
