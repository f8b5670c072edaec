//! Which key a command means, and the way to it: a HID path, `udp:HOST:PORT`, or the only key present; for create and get
//! any number of them.
#![allow(
    clippy::doc_markdown,
    reason = "some of these comments are the text of --help, where backticks are noise"
)]

use std::ffi::CString;
use std::io;
use std::time::Duration;

use clap::Args;
use softkey_ctap::Instant;
use softkey_ctap_hid::{
    Connection, ConnectionError, HidTransport, HostError, KeyInfo, Report, Transport, UdpTransport,
    list_keys,
};

use crate::environment::variable;
use crate::error::{CliError, Exit};
use crate::output::Output;
use crate::text::quoted;

/// Which key.
#[derive(Clone, Debug, Default, Args)]
pub struct DeviceArgs {
    /// The key: a HID path as softkey list prints it, or udp:HOST:PORT [default: the only one present]
    #[arg(value_name = "DEVICE")]
    pub place: Option<String>,

    /// The same as DEVICE; without either, what the environment variable SOFTKEY_DEVICE says
    #[arg(long, value_name = "DEVICE", conflicts_with = "place")]
    pub device: Option<String>,

    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// Which keys: all that are present, or those that are named.
#[derive(Clone, Debug, Default, Args)]
pub struct KeysArgs {
    /// A key: a HID path as softkey list prints it, or udp:HOST:PORT [default: all that are present]
    ///
    /// May be given more than once. Of several keys the one that is touched first serves.
    #[arg(value_name = "DEVICE")]
    pub places: Vec<String>,

    /// The same as DEVICE; without either, what the environment variable SOFTKEY_DEVICE says
    #[arg(long, value_name = "DEVICE", conflicts_with = "places")]
    pub device: Vec<String>,

    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// An open channel to a key.
pub type Key = Connection<Wire>;

/// The way to a key.
pub enum Wire {
    /// A real key, or a virtual one of this machine.
    Hid(HidTransport),
    /// A key that listens on UDP.
    Udp(UdpTransport),
}

impl Transport for Wire {
    type Error = io::Error;

    fn now(&self) -> Instant {
        match self {
            Self::Hid(wire) => wire.now(),
            Self::Udp(wire) => wire.now(),
        }
    }

    fn nonce(&mut self) -> io::Result<[u8; 8]> {
        match self {
            Self::Hid(wire) => wire.nonce(),
            Self::Udp(wire) => wire.nonce(),
        }
    }

    fn send(&mut self, report: &Report) -> io::Result<()> {
        match self {
            Self::Hid(wire) => wire.send(report),
            Self::Udp(wire) => wire.send(report),
        }
    }

    fn receive(&mut self, timeout: Duration) -> io::Result<Option<Report>> {
        match self {
            Self::Hid(wire) => wire.receive(timeout),
            Self::Udp(wire) => wire.receive(timeout),
        }
    }
}

/// Opens the key that the arguments mean. Gives its name too, as it was typed or listed.
///
/// # Errors
///
/// [`Exit::NoKey`] if there is none, if there are several and none was named, or if it cannot be reached;
/// [`Exit::BadInput`] for a name that can be none.
pub fn open(args: &DeviceArgs) -> Result<(Key, String), CliError> {
    let name = match args.place.as_ref().or(args.device.as_ref()) {
        Some(name) => name.clone(),
        None => match surrounding()? {
            Some(name) => name,
            None => only_one(&keys()?)?,
        },
    };
    Ok((open_named(&name)?, name))
}

/// The key that the environment names. An argument goes before it, and two arguments are not weighed against each other:
/// the command may erase the key.
fn surrounding() -> Result<Option<String>, CliError> {
    Ok(variable("SOFTKEY_DEVICE")?.map(|name| (*name).clone()))
}

/// Opens the keys that the arguments mean, of which each that is named must be there; of those that are merely present
/// one is enough, and the others are told to the person. There is at least one.
///
/// # Errors
///
/// As [`open`], if there is none.
pub fn open_several(
    args: &KeysArgs,
    output: &mut Output<'_>,
) -> Result<Vec<(Key, String)>, CliError> {
    let mut given: Vec<String> = args.places.iter().chain(&args.device).cloned().collect();
    if given.is_empty() {
        given.extend(surrounding()?);
    }
    if !given.is_empty() {
        let mut names = Vec::new();
        for name in given {
            // A key that is asked twice at once is busy.
            if !names.contains(&name) {
                names.push(name);
            }
        }
        return names.into_iter().map(|name| Ok((open_named(&name)?, name))).collect();
    }
    let (mut open, mut shut) = (Vec::new(), Vec::new());
    for key in keys()? {
        let name = key.path.to_string_lossy().into_owned();
        match open_named(&name) {
            Ok(key) => open.push((key, name)),
            Err(error) => shut.push(error),
        }
    }
    if open.is_empty() {
        return Err(shut.into_iter().next().unwrap_or_else(no_key));
    }
    for error in shut {
        output.note(error.what());
    }
    Ok(open)
}

fn open_named(name: &str) -> Result<Key, CliError> {
    let wire = if let Some(address) = name.strip_prefix("udp:") {
        UdpTransport::connect(address).map(Wire::Udp)
    } else {
        let path = CString::new(name).map_err(|_| no_name(name))?;
        HidTransport::open(&path).map(Wire::Hid)
    };
    let wire = wire.map_err(|error| unreachable_key(name, &error))?;
    Connection::open(wire).map_err(|error| match error {
        ConnectionError::Transport(error) => unreachable_key(name, &error),
        ConnectionError::Host(HostError::Timeout) => silent(name),
        ConnectionError::Host(error) => {
            CliError::new(Exit::NoKey, format!("{} cannot be used: {error}.", quoted(name)), RETRY)
        }
    })
}

const RETRY: &str = "again, or plug the key out and in";

/// The keys on this machine's USB ports.
///
/// # Errors
///
/// [`Exit::NoKey`] if the system cannot list them.
pub fn keys() -> Result<Vec<KeyInfo>, CliError> {
    list_keys().map_err(|error| {
        CliError::new(
            Exit::NoKey,
            format!("The USB keys of this machine cannot be listed: {error}."),
            "--device udp:HOST:PORT for a key that listens on UDP",
        )
    })
}

fn only_one(keys: &[KeyInfo]) -> Result<String, CliError> {
    match keys {
        [key] => Ok(key.path.to_string_lossy().into_owned()),
        [] => Err(no_key()),
        several => {
            let paths: Vec<_> = several.iter().map(|key| key.path.to_string_lossy()).collect();
            Err(CliError::new(
                Exit::NoKey,
                format!("There are {} keys: {}.", paths.len(), paths.join(", ")),
                "--device with one of them",
            ))
        }
    }
}

fn no_key() -> CliError {
    CliError::new(
        Exit::NoKey,
        "No key was found.",
        "plug one in, softkey doctor, or --device udp:HOST:PORT",
    )
}

fn no_name(name: &str) -> CliError {
    CliError::new(
        Exit::BadInput,
        format!("{} cannot be the name of a key.", quoted(name)),
        "softkey list",
    )
}

fn silent(name: &str) -> CliError {
    let try_this = if name.starts_with("udp:") {
        "softkey run --transport udp, or the right address"
    } else {
        RETRY
    };
    CliError::new(Exit::NoKey, format!("Nothing answers at {}.", quoted(name)), try_this)
}

fn unreachable_key(name: &str, error: &io::Error) -> CliError {
    let try_this = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "softkey doctor, which names the udev rule that is missing"
        }
        io::ErrorKind::NotFound => "softkey list",
        io::ErrorKind::ConnectionRefused => "softkey run --transport udp, or the right address",
        io::ErrorKind::InvalidInput if name.starts_with("udp:") => {
            "udp:HOST:PORT, as in udp:127.0.0.1:8111"
        }
        _ => RETRY,
    };
    let what = format!("{} cannot be reached: {error}.", quoted(name));
    CliError::new(Exit::NoKey, what, try_this)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(path: &str) -> KeyInfo {
        KeyInfo {
            path: CString::new(path).unwrap(),
            vendor: 1,
            product: 2,
            manufacturer: None,
            name: None,
        }
    }

    #[test]
    fn the_only_key_is_meant_and_several_are_listed() {
        assert_eq!(only_one(&[info("/a")]), Ok(String::from("/a")));
        let error = only_one(&[info("/a"), info("/b")]).unwrap_err();
        assert_eq!(error.exit(), Exit::NoKey);
        assert_eq!(error.what(), "There are 2 keys: /a, /b.");
        assert_eq!(only_one(&[]).unwrap_err().what(), "No key was found.");
    }
}
