//! `softkey serve`: servers for the tests of others, until they are stopped.
#![allow(
    clippy::doc_markdown,
    reason = "some of these comments are the text of --help, where backticks are noise"
)]

mod idp;
mod lines;
mod root;

use clap::{Args, Subcommand};

use crate::error::{CliError, Exit};

pub use idp::IdpArgs;

/// The arguments of `softkey serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// What to serve.
    #[command(subcommand)]
    server: ServerKind,
}

#[derive(Debug, Subcommand)]
enum ServerKind {
    /// An identity provider and a relying party for FedCM, which misbehave on demand
    ///
    /// Prints where it is, and then a line for each request: what was asked, what came of it, and what was wrong with
    /// it; lines that nobody reads are left out and counted. Lead the client there by --resolve of softkey get, or
    /// --host-resolver-rules of Chromium, and let it trust the root of --write-root. While it runs, PUT
    /// https://localhost:PORT/control/faults with a JSON list of faults replaces those that are on; GET /control/log
    /// gives the requests.
    Idp(IdpArgs),
}

impl ServeArgs {
    /// Are lines to be JSON?
    #[must_use]
    pub const fn json(&self) -> bool {
        match &self.server {
            ServerKind::Idp(args) => args.json,
        }
    }
}

/// Serves.
///
/// # Errors
///
/// Why it does not start.
pub fn perform(args: &ServeArgs) -> Result<Exit, CliError> {
    match &args.server {
        ServerKind::Idp(args) => idp::perform(args),
    }
}
