//! `softkey reset`: back to the factory state, with every credential and the PIN erased.
#![allow(
    clippy::doc_markdown,
    reason = "some of these comments are the text of --help, where backticks are noise"
)]

use std::io::{self, BufRead, IsTerminal, Write};

use clap::Args;
use softkey_client::driver::reach;
use softkey_client::manage;

use super::device::{DeviceArgs, open};
use super::person::Person;
use super::{entropy, perform};
use crate::error::{CliError, Exit};
use crate::output::{Form, Output};

/// The arguments of `softkey reset`.
#[derive(Clone, Debug, Default, Args)]
pub struct ResetArgs {
    #[command(flatten)]
    /// Which key.
    pub device: DeviceArgs,

    /// Do not ask whether every credential is really to be erased
    #[arg(long)]
    pub yes: bool,
}

/// Carries `softkey reset` out.
///
/// # Errors
///
/// [`Exit::Usage`] without `--yes` where nobody can be asked, [`Exit::Interrupted`] if the person says no, and
/// as the key answers: many allow it only within ten seconds of being plugged in.
pub fn run(args: &ResetArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let (mut key, name) = open(&args.device)?;
    if !args.yes {
        confirm(&name)?;
    }
    let ceremony = manage::reset(reach(&key), entropy()?);
    perform(ceremony, &mut key, &mut Person::new(output, None))?;
    match output.form() {
        Form::Plain => output.line(format!("{name} is as new.")),
        Form::Json => output.object(&serde_json::json!({"device": name, "reset": true})),
    }
}

fn confirm(name: &str) -> Result<(), CliError> {
    if !io::stdin().is_terminal() {
        return Err(CliError::new(
            Exit::Usage,
            "A reset erases every credential, and nobody is there to confirm it.",
            "--yes if that is what you want",
        ));
    }
    let _ = write!(io::stderr(), "Erase every credential and the PIN on {name}? Type yes: ");
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line) {
        Ok(_) if line.trim() == "yes" => Ok(()),
        _ => Err(CliError::new(Exit::Refused, "Nothing was erased.", "")),
    }
}
