//! `softkey profiles`: which there are, and what they say.

use std::fmt;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::Profile;
use crate::error::CliError;
use crate::output::Output;

/// The arguments of `softkey profiles`.
#[derive(Debug, Args)]
pub struct ProfilesArgs {
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the built-in profiles
    List {
        /// Print one JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Print a profile as TOML, to begin an own one with; default has every key
    Show {
        /// A built-in name, or a file to be checked
        #[arg(value_name = "NAME|FILE", default_value = "default")]
        name: String,
    },
}

impl ProfilesArgs {
    /// Are results to be JSON?
    #[must_use]
    pub const fn json(&self) -> bool {
        matches!(self.command, Command::List { json: true })
    }
}

/// One line of the list.
#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    summary: &'a str,
}

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<17} {}", self.name, self.summary)
    }
}

/// Carries `softkey profiles` out.
///
/// # Errors
///
/// As [`Profile::find`].
pub fn run(args: &ProfilesArgs, output: &mut Output) -> Result<(), CliError> {
    match &args.command {
        Command::List { .. } => {
            for Profile { name, summary, .. } in &Profile::built_in()? {
                output.record(&Listed { name, summary })?;
            }
            Ok(())
        }
        Command::Show { name } => {
            let profile = Profile::find(name)?;
            output.line(profile.text.trim_end_matches('\n'))
        }
    }
}
