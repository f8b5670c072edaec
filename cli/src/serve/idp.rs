//! `softkey serve idp`: the scripted identity provider as a process, for tests in any language.

use std::fmt::Write;
use std::fs;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::UNIX_EPOCH;

use clap::Args;
use serde_json::{Value, json};
use softkey_idp::{Fault, KINDS, Server, Setup, StartError};

use super::lines::Lines;
use super::root;
use crate::error::{CliError, Exit};
use crate::output::Form;
use crate::run::start::stop_at_signals;
use crate::text::json_line;

/// The arguments of `softkey serve idp`.
#[derive(Debug, Args)]
#[command(after_long_help = kinds())]
pub struct IdpArgs {
    /// Where to listen, ADDRESS:PORT; port 0 is any that is free
    ///
    /// Whoever reaches it can sign in there as anybody, so let it be an address of this machine.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8443")]
    listen: SocketAddr,

    /// Who there is: a file in TOML or JSON with origin, accounts, clients and documents
    ///
    /// Without it, https://login.idp.example with the accounts 1, Ada, and 2, Bob, and the client rp at
    /// https://rp.example.
    #[allow(rustdoc::bare_urls, reason = "the text is the help of the command line")]
    #[arg(long, value_name = "FILE")]
    setup: Option<PathBuf>,

    /// Misbehave in this way from the start; may be given more than once
    #[arg(long, value_name = "ENDPOINT:KIND[=ARG]")]
    fault: Vec<Fault>,

    /// Write the certificate of its root here, in PEM, for --root-certificate of softkey get
    ///
    /// The root is a new one each time. A file that is there is replaced if it holds such a root and nothing else.
    #[arg(long, value_name = "FILE")]
    write_root: Option<PathBuf>,

    /// Print one JSON object a line
    #[arg(long)]
    pub(super) json: bool,
}

/// What goes wrong on demand, for `--help`.
fn kinds() -> String {
    let endpoints = softkey_idp::Endpoint::ALL.map(softkey_idp::Endpoint::as_str).join(", ");
    let mut text = format!("Endpoints: {endpoints}\n\nKinds of faults:\n");
    for (form, what) in KINDS {
        let _ = writeln!(text, "  {form:<23} {what}");
    }
    text
}

/// Serves until a signal comes or nobody reads any more.
pub(super) fn perform(args: &IdpArgs) -> Result<Exit, CliError> {
    let form = if args.json { Form::Json } else { Form::Plain };
    let setup = args.setup.as_deref().map_or_else(|| Ok(Setup::default()), read)?;
    let mut stop = stop_at_signals()?;
    let names = setup.names().map_err(|error| wrong_setup(args, &error.to_string()))?;
    let clock = || UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_secs());
    let server = Server::start_at(args.listen, setup, Arc::new(clock));
    let server = server.map_err(|error| not_started(args, &error))?;
    server.set_faults(args.fault.clone());
    if let Some(path) = &args.write_root {
        root::write(path, server.root_pem())?;
    }

    let (ended, end) = channel();
    let gone = ended.clone();
    let lines = Lines::start(form, io::stdout(), move || {
        let _ = gone.send(());
    });
    let (lines, writer) = lines.map_err(|error| no_thread(&error))?;
    for line in ready(args, form, &server, &names) {
        lines.line(line);
    }
    server.on_entry(move |entry| {
        lines.line(match form {
            Form::Plain => entry.to_string(),
            Form::Json => {
                json_line(&json!({"event": "request", "request": entry})).unwrap_or_default()
            }
        });
    });
    thread::spawn(move || {
        let _ = stop.read(&mut [0]);
        let _ = ended.send(());
    });
    if !args.listen.ip().is_loopback() {
        eprintln!("{} may be reached by others: anybody can sign in there", args.listen);
    }
    let _ = end.recv();
    // With it go the lines: what waits is written yet.
    drop(server);
    writer.finish().map(|()| Exit::Success)
}

/// The first lines.
fn ready(args: &IdpArgs, form: Form, server: &Server, names: &[String]) -> Vec<String> {
    let (address, config) = (server.address(), server.provider().config_url());
    let faults: Vec<String> = args.fault.iter().map(ToString::to_string).collect();
    if form == Form::Json {
        let root: Value = server.root_pem().into();
        let ready = json!({"event": "ready", "address": address.to_string(),
            "config_url": config, "names": names, "faults": faults, "root": root});
        return json_line(&ready).into_iter().collect();
    }
    let mut lines = vec![format!("{config} is at {address}, and so are {}", names.join(", "))];
    lines.extend(args.write_root.iter().map(|path| format!("its root is in {}", path.display())));
    lines.extend(faults.iter().map(|fault| format!("fault {fault}")));
    lines
}

fn no_thread(error: &io::Error) -> CliError {
    CliError::new(
        Exit::Failed,
        format!("The system has no room for another thread: {error}."),
        "raise the limits on processes, see: ulimit -u",
    )
}

fn read(path: &Path) -> Result<Setup, CliError> {
    let wrong = |why: &str| {
        CliError::new(
            Exit::BadInput,
            format!("The setup cannot be read from {}: {why}.", path.display()),
            "a file such as the README of softkey-idp shows",
        )
    };
    let text = fs::read_to_string(path).map_err(|error| wrong(&error.to_string()))?;
    Setup::read(&text).map_err(|error| wrong(&error.to_string()))
}

fn wrong_setup(args: &IdpArgs, why: &str) -> CliError {
    let place = args.setup.as_deref().unwrap_or_else(|| Path::new("--setup"));
    CliError::new(
        Exit::BadInput,
        format!("The setup in {} makes no provider: {why}.", place.display()),
        "mend the file",
    )
}

fn not_started(args: &IdpArgs, error: &StartError) -> CliError {
    match error {
        StartError::Provider(error) => wrong_setup(args, &error.to_string()),
        StartError::Certificate(why) => wrong_setup(args, why),
        StartError::Socket(error) => CliError::new(
            Exit::Failed,
            format!("{} cannot be listened on: {error}.", args.listen),
            "--listen 127.0.0.1:0 for any port that is free",
        ),
    }
}
