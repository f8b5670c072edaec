//! `softkey vault`: whether a vault is whole, and what opens it.
#![allow(
    clippy::doc_markdown,
    reason = "some of these comments are the text of --help, where backticks are noise"
)]

use std::path::PathBuf;

use clap::{Args, Subcommand};
use getrandom::SysRng;
use serde_json::json;

use crate::error::CliError;
use crate::output::{Form, Output};
use crate::unlock::{self, Means};
use crate::vault::{Unlock, Vault, VaultPaths};

/// The arguments of `softkey vault`.
#[derive(Clone, Debug, Args)]
pub struct VaultArgs {
    /// What to do.
    #[command(subcommand)]
    pub order: VaultOrder,

    /// The vault, of a key or of a browser profile [default: $XDG_DATA_HOME/softkey/vault]
    #[arg(long, value_name = "FILE", global = true)]
    pub vault: Option<PathBuf>,

    /// Read the vault's passphrase from the first line of this file
    ///
    /// Without it the passphrase comes from the environment variable SOFTKEY_PASSPHRASE or from a prompt.
    #[arg(long, value_name = "FILE", global = true)]
    pub passphrase_file: Option<PathBuf>,

    /// Print one JSON object
    #[arg(long, global = true)]
    pub json: bool,
}

/// What can be done with a vault.
#[derive(Clone, Debug, Subcommand)]
pub enum VaultOrder {
    /// Check that the vault is whole, and change nothing
    Check,
    /// Have another passphrase open the vault, or a key file
    ///
    /// The new one is asked for twice at the terminal. It opens the same root key: against those who have copied the
    /// vault and know the old passphrase, or have the old key file, only a new vault helps.
    Passphrase {
        /// Read the new passphrase from the first line of this file
        #[arg(long, value_name = "FILE")]
        new_passphrase_file: Option<PathBuf>,
        /// From now on a key file opens it: whoever can read your files can copy your keys
        #[arg(long, conflicts_with = "new_passphrase_file")]
        key_file: bool,
    },
}

/// Carries `softkey vault` out.
///
/// # Errors
///
/// [`Exit::Vault`](crate::error::Exit::Vault) if there is none, if it is damaged or in use, or for a wrong passphrase;
/// [`Exit::BadInput`](crate::error::Exit::BadInput) if a passphrase cannot be read, [`Exit::Usage`](crate::error::Exit::Usage)
/// if nobody can choose a new one. The vault is then as it was.
pub fn run(args: &VaultArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let paths = match &args.vault {
        Some(file) => VaultPaths::at(file),
        None => VaultPaths::default_for_user().map_err(|error| unlock::told(&error))?,
    };
    let means = Means::read(&args.passphrase_file.clone().into())?;
    let old = unlock::key_to(&paths, &means)?;
    match &args.order {
        VaultOrder::Check => check(&paths, &old, output),
        VaultOrder::Passphrase { new_passphrase_file, key_file } => {
            let new = if *key_file {
                Unlock::KeyFile
            } else {
                unlock::choose(new_passphrase_file.as_ref())?
            };
            let changed = Vault::change_protection(&paths, &old, &new, &mut SysRng);
            changed.map_err(|error| unlock::told(&error))?;
            say(&paths, &new, None, output)
        }
    }
}

fn check(paths: &VaultPaths, unlock: &Unlock, output: &mut Output<'_>) -> Result<(), CliError> {
    let records = Vault::check(paths, unlock).map_err(|error| unlock::told(&error))?;
    say(paths, unlock, Some(records), output)
}

/// What opens the vault, and how many records it was found to hold.
fn say(
    paths: &VaultPaths,
    unlock: &Unlock,
    records: Option<u64>,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let vault = paths.database.display();
    match output.form() {
        Form::Json => {
            let by = match unlock {
                Unlock::KeyFile => "keyFile",
                Unlock::Passphrase(_) => "passphrase",
            };
            output.object(&match records {
                Some(records) => {
                    json!({"vault": paths.database, "openedBy": by, "records": records})
                }
                None => json!({"vault": paths.database, "openedBy": by}),
            })
        }
        Form::Plain => {
            let whole = records.map(|records| format!(" is whole, with {records} records, and"));
            let whole = whole.unwrap_or_default();
            output.line(match unlock {
                Unlock::KeyFile => {
                    format!("{vault}{whole} is opened by {}", paths.key_file.display())
                }
                Unlock::Passphrase(_) => format!("{vault}{whole} is opened by its passphrase"),
            })
        }
    }
}
