//! A FIDO2 security key made of software, and a manager for any FIDO key.

use std::env;
use std::io;
use std::process::ExitCode;

use clap::Parser;
use softkey::args::Args;
use softkey::command;
use softkey::error::{CliError, Exit};

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) if error.use_stderr() && env::args_os().any(|word| word == "--json") => {
            let error = usage(&error);
            let _ = error.report(&mut io::stderr().lock(), true);
            return error.exit().into();
        }
        Err(error) => {
            // Help and version go to standard output with success; a closed pipe is nobody's fault.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(2).into();
        }
    };
    let json = args.json();
    match command::perform(args) {
        Ok(exit) => exit.into(),
        Err(error) => {
            let _ = error.report(&mut io::stderr().lock(), json);
            error.exit().into()
        }
    }
}

/// What is wrong with the arguments, for programs: clap's first paragraph.
fn usage(error: &clap::Error) -> CliError {
    let text = error.to_string();
    let words = text.split("\n\n").next().unwrap_or_default().split_whitespace();
    let what = words.skip_while(|word| *word == "error:").collect::<Vec<_>>().join(" ");
    CliError::new(Exit::Usage, what, "--help")
}
