//! Where messages with one-time codes come from: sources, each in a thread of its own, that hand texts to one reader.
#![allow(
    clippy::doc_markdown,
    reason = "some of these comments are the text of --help, where backticks are noise"
)]

mod file;
mod http;
mod modem_manager;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use clap::Args;
use tokio::sync::OwnedSemaphorePermit;
use zeroize::Zeroizing;

use crate::error::{CliError, Exit};
use crate::output::Output;

/// The longest message that is taken, in bytes: longer than any text that phones put together of parts.
const LONGEST: usize = 64 << 10;
/// Messages of one source that wait for the reader; more are refused, or have to wait.
const WAITING: usize = 64;
/// The name of that source.
const MODEM_MANAGER: &str = "modemmanager";

/// Sources of messages.
#[derive(Clone, Debug, Default, Args)]
pub struct InboxArgs {
    /// Where messages with one-time codes come from; may be given more than once
    ///
    /// file:PATH is a file whose content, whenever it changes, is a new message; to write it under another name and to
    /// rename it is safest. http:127.0.0.1:PORT takes a message as the body of a POST to /, from programs of this machine
    /// and never from pages; port 0 is any that is free. modemmanager is the text messages that ModemManager gets from now on
    /// through the modems of this machine, over the system's D-Bus.
    #[arg(long, value_name = "SOURCE")]
    pub inbox: Vec<Source>,
}

/// A source of messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file that changes.
    File(PathBuf),
    /// A server on this loopback address.
    Http(SocketAddr),
    /// `ModemManager`, over D-Bus.
    ModemManager,
}

impl FromStr for Source {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = "not file:PATH, http:127.0.0.1:PORT or modemmanager";
        if text == MODEM_MANAGER {
            return Ok(Self::ModemManager);
        }
        match text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            Some(("http", address)) => {
                let address: SocketAddr = address.parse().map_err(|_| form)?;
                let own = address.ip().is_loopback();
                own.then_some(Self::Http(address)).ok_or("not an address of this machine alone")
            }
            _ => Err(form),
        }
    }
}

/// A message that came.
pub struct Text {
    /// What stands in it.
    pub content: Zeroizing<String>,
    /// The number that it came from, as the network says; nothing if its source knows none.
    pub sender: Option<String>,
}

impl From<Zeroizing<String>> for Text {
    fn from(content: Zeroizing<String>) -> Self {
        Self { content, sender: None }
    }
}

/// What a source hands over.
enum Arrival {
    /// A message, and the room that it takes while it waits.
    Message(Text, Option<OwnedSemaphorePermit>),
    /// The source is gone, for this reason.
    Broken(String),
}

/// The reader's end of open sources.
pub struct Inbox(Receiver<Arrival>);

impl InboxArgs {
    /// Opens the sources; nothing if none is named. What is in a file by then is no new message.
    ///
    /// # Errors
    ///
    /// [`Exit::BadInput`] if a source cannot be had.
    pub fn open(&self, output: &mut Output<'_>) -> Result<Option<Inbox>, CliError> {
        if self.inbox.is_empty() {
            return Ok(None);
        }
        let (send, arrivals) = sync_channel(2 * WAITING);
        for source in &self.inbox {
            let opened = match source {
                Source::File(path) => file::open(path.clone(), send.clone()),
                Source::Http(address) => http::open(*address, send.clone()).map(|address| {
                    output.note(format!("POST messages to http://{address}/"));
                }),
                Source::ModemManager => modem_manager::open(send.clone()).map(|modems| {
                    output.note(match modems {
                        0 => "ModemManager has no modem that gets messages yet.".to_owned(),
                        _ => format!("Messages come from ModemManager. Modems: {modems}."),
                    });
                }),
            };
            opened.map_err(|error| {
                let what = format!("Messages cannot come from {}: {error}.", named(source));
                CliError::new(Exit::BadInput, what, "another --inbox")
            })?;
        }
        Ok(Some(Inbox(arrivals)))
    }
}

impl Inbox {
    /// Waits for a message for so long.
    ///
    /// # Errors
    ///
    /// [`Exit::Failed`] if a source broke.
    pub fn wait(&self, time: Duration) -> Result<Option<Text>, CliError> {
        let broken = |why: &str| {
            let what = format!("No more messages can come: {why}.");
            CliError::new(Exit::Failed, what, "again, or another --inbox")
        };
        match self.0.recv_timeout(time) {
            Ok(Arrival::Message(text, room)) => {
                drop(room);
                Ok(Some(text))
            }
            Ok(Arrival::Broken(why)) => Err(broken(&why)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(broken("their sources are gone")),
        }
    }
}

fn named(source: &Source) -> String {
    match source {
        Source::File(path) => path.display().to_string(),
        Source::Http(address) => address.to_string(),
        Source::ModemManager => "ModemManager".to_owned(),
    }
}

/// Has a source work in a thread of its own until nobody reads any more.
fn spawn(
    send: SyncSender<Arrival>,
    work: impl FnOnce(&SyncSender<Arrival>) -> std::io::Result<()> + Send + 'static,
) -> std::io::Result<()> {
    let source = move || {
        if let Err(error) = work(&send) {
            let _ = send.send(Arrival::Broken(error.to_string()));
        }
    };
    thread::Builder::new().name("inbox".to_owned()).spawn(source).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_a_file_or_of_this_machine() {
        assert_eq!("file:a:b".parse(), Ok(Source::File("a:b".into())));
        assert_eq!("http:[::1]:80".parse(), Ok(Source::Http("[::1]:80".parse().unwrap())));
        assert_eq!("modemmanager".parse(), Ok(Source::ModemManager));
        for wrong in ["", "file:", "a", "http:", "http:127.0.0.1", "sms:1", "modemmanager:1"] {
            let form = "not file:PATH, http:127.0.0.1:PORT or modemmanager";
            assert_eq!(wrong.parse::<Source>(), Err(form));
        }
        for others in ["http:0.0.0.0:80", "http:192.0.2.1:80"] {
            assert_eq!(others.parse::<Source>(), Err("not an address of this machine alone"));
        }
    }
}
