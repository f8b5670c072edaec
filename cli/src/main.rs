//! A FIDO2 security key made of software, and a manager for any FIDO key.

use std::io;
use std::process::ExitCode;

use clap::Parser;
use softkey::args::Args;
use softkey::command;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
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
