//! Which function carries a command out; and the two commands about the command line itself.

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::args::{Args, Command};
use crate::attestation;
use crate::bridge;
use crate::control;
use crate::decode;
use crate::demo;
use crate::doctor;
use crate::error::{CliError, Exit};
use crate::faults;
use crate::manage;
use crate::metadata;
use crate::output::{Form, Output};
use crate::profile;
use crate::protection;
use crate::replay;
use crate::run;
use crate::serve;
use crate::verify;

/// Carries a command out.
///
/// # Errors
///
/// What the command's own function gives.
pub fn perform(args: Args) -> Result<Exit, CliError> {
    let form = if args.json() { Form::Json } else { Form::Plain };
    let mut output = Output::stdout(form);
    match args.command {
        Command::Demo(args) => demo::perform(&args),
        Command::List(args) => manage::list::run(&args, &mut output).map(|()| Exit::Success),
        Command::Info(args) => manage::info::run(&args, &mut output).map(|()| Exit::Success),
        Command::Wink(args) => manage::wink::run(&args, &mut output).map(|()| Exit::Success),
        Command::Select(args) => manage::select::run(&args, &mut output).map(|()| Exit::Success),
        Command::Pin(args) => manage::pin::run(&args, &mut output).map(|()| Exit::Success),
        Command::Credentials(args) => {
            manage::credentials::run(&args, &mut output).map(|()| Exit::Success)
        }
        Command::Blobs(args) => manage::blobs::run(&args, &mut output).map(|()| Exit::Success),
        Command::Fingers(args) => manage::fingers::run(&args, &mut output).map(|()| Exit::Success),
        Command::Config(args) => manage::config::run(&args, &mut output).map(|()| Exit::Success),
        Command::Reset(args) => manage::reset::run(&args, &mut output).map(|()| Exit::Success),
        Command::Create(args) => manage::create::run(&args, &mut output).map(|()| Exit::Success),
        Command::Get(args) => manage::get::run(&args, &mut output).map(|()| Exit::Success),
        Command::Store(args) => manage::store::run(&args, &mut output).map(|()| Exit::Success),
        Command::Otp(args) => manage::otp::run(&args, &mut output).map(|()| Exit::Success),
        Command::PreventSilentAccess(args) => {
            manage::store::prevent(&args, &mut output).map(|()| Exit::Success)
        }
        Command::Disconnect(args) => {
            manage::disconnect::run(&args, &mut output).map(|()| Exit::Success)
        }
        Command::GetUserInfo(args) => {
            manage::user_info::run(&args, &mut output).map(|()| Exit::Success)
        }
        Command::SetLoginStatus(args) => {
            manage::login_status::run(&args, &mut output).map(|()| Exit::Success)
        }
        Command::Passwords(args) => {
            manage::passwords::run(&args, &mut output).map(|()| Exit::Success)
        }
        Command::Verify(args) => verify::run(&args, &mut output).map(|()| Exit::Success),
        Command::Decode(args) => decode::run(&args, &mut output).map(|()| Exit::Success),
        Command::Attestation(args) => attestation::run(&args, &mut output).map(|()| Exit::Success),
        Command::Metadata(args) => metadata::run(&args, &mut output).map(|()| Exit::Success),
        Command::Vault(args) => protection::run(&args, &mut output).map(|()| Exit::Success),
        Command::Control(args) => control::perform(&args),
        Command::Faults(_) => faults::list(&mut output).map(|()| Exit::Success),
        Command::Profiles(args) => profile::run(&args, &mut output).map(|()| Exit::Success),
        Command::Replay(args) => replay::run(&args, &mut output),
        Command::Serve(args) => serve::perform(&args),
        Command::Run(args) => run::perform(&args),
        Command::Bridge(args) => bridge::run(&args),
        Command::Doctor(args) => doctor::perform(&args),
        Command::Completions { shell } => completions(shell),
        Command::Man { command } => man(&command),
    }
}

fn completions(shell: Shell) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "softkey", &mut script);
    document(&script)
}

/// The page of the program, or of one of its commands.
fn man(path: &[String]) -> Result<Exit, CliError> {
    let mut command = Args::command();
    command.build();
    for name in path {
        let found = command.find_subcommand(name).cloned();
        command = found.ok_or_else(|| {
            CliError::new(
                Exit::Usage,
                format!("There is no command {}.", path.join(" ")),
                "softkey --help lists them",
            )
        })?;
    }
    let mut page = Vec::new();
    Man::new(command)
        .render(&mut page)
        .map_err(|error| CliError::new(Exit::Failed, error.to_string(), ""))?;
    document(&page)
}

fn document(bytes: &[u8]) -> Result<Exit, CliError> {
    let text = String::from_utf8_lossy(bytes);
    Output::stdout(Form::Plain).line(text.trim_end_matches('\n'))?;
    Ok(Exit::Success)
}
