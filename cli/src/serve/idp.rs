//! `softkey serve idp`: the scripted identity provider as a process, for tests in any language.

use std::fmt::Write;
use std::fs;
use std::io::{ErrorKind, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::UNIX_EPOCH;

use clap::Args;
use serde_json::{Value, json};
use softkey_idp::{Entry, Fault, KINDS, Server, Setup, StartError};

use crate::error::{CliError, Exit};
use crate::output::{Form, Output};
use crate::run::start::stop_at_signals;

/// Lines that wait for a reader; later ones are lost.
const WAITING: usize = 1024;
/// How a certificate in PEM begins.
const PEM: &[u8] = b"-----BEGIN CERTIFICATE-----";

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
    /// The root is a new one each time. A file that is there is replaced if it holds such a certificate.
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

enum Event {
    Asked(Box<Entry>),
    Stop,
}

/// Serves until a signal comes or nobody reads any more.
pub(super) fn perform(args: &IdpArgs) -> Result<Exit, CliError> {
    let form = if args.json { Form::Json } else { Form::Plain };
    let mut output = Output::stdout(form);
    let setup = args.setup.as_deref().map_or_else(|| Ok(Setup::default()), read)?;
    let mut stop = stop_at_signals()?;
    let names = setup.names().map_err(|error| wrong_setup(args, &error.to_string()))?;
    let clock = || UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_secs());
    let server = Server::start_at(args.listen, setup, Arc::new(clock));
    let server = server.map_err(|error| not_started(args, &error))?;
    server.set_faults(args.fault.clone());
    if let Some(path) = &args.write_root {
        write_root(path, server.root_pem())?;
    }

    let (send, events) = sync_channel(WAITING);
    let ring = send.clone();
    server.on_entry(move |entry| drop(send.try_send(Event::Asked(Box::new(entry.clone())))));
    thread::spawn(move || {
        let _ = stop.read(&mut [0]);
        let _ = ring.send(Event::Stop);
    });
    if !args.listen.ip().is_loopback() {
        output.note(format!("{} may be reached by others: anybody can sign in there", args.listen));
    }
    ready(args, &server, &names, &mut output)?;
    while let Ok(Event::Asked(entry)) = events.recv() {
        match output.form() {
            Form::Plain => output.line(&entry)?,
            Form::Json => output.object(&json!({"event": "request", "request": entry}))?,
        }
    }
    Ok(Exit::Success)
}

fn ready(
    args: &IdpArgs,
    server: &Server,
    names: &[String],
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let (address, config) = (server.address(), server.provider().config_url());
    let faults: Vec<String> = args.fault.iter().map(ToString::to_string).collect();
    if output.form() == Form::Json {
        let root: Value = server.root_pem().into();
        return output.object(&json!({"event": "ready", "address": address.to_string(),
            "config_url": config, "names": names, "faults": faults, "root": root}));
    }
    output.line(format!("{config} is at {address}, and so are {}", names.join(", ")))?;
    if let Some(path) = &args.write_root {
        output.line(format!("its root is in {}", path.display()))?;
    }
    for fault in faults {
        output.line(format!("fault {fault}"))?;
    }
    Ok(())
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

/// Nothing but an older root is replaced.
fn write_root(path: &Path, pem: &str) -> Result<(), CliError> {
    let failed = |why: &str| {
        CliError::new(
            Exit::Failed,
            format!("The root cannot be written to {}: {why}.", path.display()),
            "--write-root with a new file",
        )
    };
    match fs::read(path) {
        Ok(old) if !old.starts_with(PEM) => return Err(failed("it holds something else")),
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(failed(&error.to_string()));
        }
        _ => {}
    }
    fs::write(path, pem).map_err(|error| failed(&error.to_string()))
}
