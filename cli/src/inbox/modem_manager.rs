//! The text messages that `ModemManager` gets, over D-Bus: those that come while somebody waits.
//!
//! Signals only say where to look; what counts is what `ModemManager` then answers, since any program on the bus can send us a
//! signal. What was there at the beginning is remembered, so that a restart of the service, which announces all anew,
//! brings none of it; a modem that is plugged in later may.

use std::collections::{HashMap, HashSet, VecDeque};
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::mpsc::SyncSender;
use std::task::Poll;
use std::time::Duration;

use sha2::{Digest, Sha256};
use zbus::connection::Builder;
use zbus::export::futures_core::Stream as _;
use zbus::message::Message;
use zbus::names::OwnedInterfaceName;
use zbus::{Connection, MessageStream, OwnedObjectPath, OwnedVariant};
use zeroize::Zeroizing;

use super::{Arrival, LONGEST, Text, spawn};

const SERVICE: &str = "org.freedesktop.ModemManager1";
const ROOT: &str = "/org/freedesktop/ModemManager1";
const MESSAGING: &str = "org.freedesktop.ModemManager1.Modem.Messaging";
const SMS: &str = "org.freedesktop.ModemManager1.Sms";
const OBJECT_MANAGER: &str = "org.freedesktop.DBus.ObjectManager";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
const BUS: &str = "org.freedesktop.DBus";

/// `MMSmsState`: not all parts are there, and all are.
const RECEIVING: u32 = 2;
const RECEIVED: u32 = 3;

/// How long an answer may take. The service may have to be started first.
const PATIENCE: Duration = Duration::from_secs(25);
/// Signals that wait while an answer is waited for, and messages of which parts are missing; more are passed over.
const MOST: usize = 256;

/// The interfaces of an object with their properties.
type Interfaces = HashMap<OwnedInterfaceName, HashMap<String, OwnedVariant>>;

/// Begins to listen; gives the number of modems that get messages.
pub(super) fn open(send: SyncSender<Arrival>) -> io::Result<usize> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut watch, modems) = runtime.block_on(Watch::begin()).map_err(io::Error::other)?;
    spawn(send, move |send| {
        runtime.block_on(async {
            while let Some(text) = watch.next().await.map_err(io::Error::other)? {
                if send.send(Arrival::Message(text, None)).is_err() {
                    return Ok(());
                }
            }
            Err(io::Error::other("the connection to D-Bus has ended"))
        })
    })?;
    Ok(modems)
}

struct Watch {
    connection: Connection,
    signals: MessageStream,
    /// What signals told that came while an answer was waited for.
    waiting: VecDeque<OwnedObjectPath>,
    /// Who `ModemManager` is at present, by the bus's own name; empty if nobody is.
    owner: String,
    /// Messages that are known, by what they say.
    known: HashSet<[u8; 32]>,
    /// Messages of which parts are missing.
    unfinished: HashSet<OwnedObjectPath>,
}

impl Watch {
    /// Listens first and looks around then, so that nothing falls between.
    async fn begin() -> zbus::Result<(Self, usize)> {
        let connection = Builder::system().method_timeout(PATIENCE).build().await?;
        // One stream, so that who ModemManager is and what it says stay in order.
        let signals = MessageStream::from(&connection);
        let mut watch = Self {
            connection,
            signals,
            waiting: VecDeque::new(),
            owner: String::new(),
            known: HashSet::new(),
            unfinished: HashSet::new(),
        };
        for rule in [
            format!("type='signal',sender='{BUS}',member='NameOwnerChanged',arg0='{SERVICE}'"),
            format!("type='signal',sender='{SERVICE}',path_namespace='{ROOT}'"),
        ] {
            watch.call(BUS, "/org/freedesktop/DBus", BUS, "AddMatch", &rule).await?;
        }
        let objects = watch.call(SERVICE, ROOT, OBJECT_MANAGER, "GetManagedObjects", &()).await?;
        let sender = objects.header().sender().map(|sender| sender.as_str().to_owned());
        watch.owner = sender.unwrap_or_default();
        let objects: HashMap<OwnedObjectPath, Interfaces> = objects.body().deserialize()?;
        let mut modems = 0;
        for (_, mut interfaces) in objects {
            let messaging = interfaces.iter_mut().find(|(name, _)| name.as_str() == MESSAGING);
            let Some((_, properties)) = messaging else { continue };
            modems += 1;
            let messages = properties.remove("Messages");
            let messages = messages.and_then(|it| Vec::<OwnedObjectPath>::try_from(it).ok());
            for message in messages.unwrap_or_default() {
                watch.read(&message).await?;
            }
        }
        Ok((watch, modems))
    }

    /// The next message that is new; nothing when the bus is gone.
    async fn next(&mut self) -> zbus::Result<Option<Text>> {
        while let Some(message) = self.told().await? {
            if let Some(text) = self.read(&message).await? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    /// The message that the next signal is about; nothing when the bus is gone.
    async fn told(&mut self) -> zbus::Result<Option<OwnedObjectPath>> {
        if let Some(message) = self.waiting.pop_front() {
            return Ok(Some(message));
        }
        loop {
            let next = poll_fn(|context| Pin::new(&mut self.signals).poll_next(context)).await;
            let Some(signal) = next.transpose()? else { return Ok(None) };
            if let Some(message) = self.sift(&signal) {
                return Ok(Some(message));
            }
        }
    }

    /// The message that a signal of `ModemManager` is about, if it may have become whole. The bus lets everyone send to us,
    /// but says truly who did, and who `ModemManager` is.
    fn sift(&mut self, signal: &Message) -> Option<OwnedObjectPath> {
        let header = signal.header();
        let sender = header.sender()?.as_str();
        match (header.interface()?.as_str(), header.member()?.as_str()) {
            (BUS, "NameOwnerChanged") if sender == BUS => {
                let (name, _, owner): (String, String, String) =
                    signal.body().deserialize().ok()?;
                if name == SERVICE {
                    self.owner = owner;
                }
                None
            }
            (MESSAGING, "Added") if sender == self.owner => {
                let (path, _): (OwnedObjectPath, bool) = signal.body().deserialize().ok()?;
                Some(path)
            }
            (PROPERTIES, "PropertiesChanged") if sender == self.owner => {
                let path = OwnedObjectPath::from(header.path()?.to_owned());
                self.unfinished.contains(&path).then_some(path)
            }
            _ => None,
        }
    }

    /// Reads a message; gives its text if it is whole and was not known.
    async fn read(&mut self, path: &OwnedObjectPath) -> zbus::Result<Option<Text>> {
        let properties = self.call(SERVICE, path.as_str(), PROPERTIES, "GetAll", &SMS).await;
        let properties =
            properties.and_then(|it| it.body().deserialize::<HashMap<String, OwnedVariant>>());
        // It may be deleted by now.
        let Some(mut properties) = present(properties)? else { return Ok(None) };
        let mut text = |name| {
            let value = properties.remove(name).and_then(|it| String::try_from(it).ok());
            Zeroizing::new(value.unwrap_or_default())
        };
        let (content, number, time) = (text("Text"), text("Number"), text("Timestamp"));
        let state = properties.remove("State").and_then(|it| u32::try_from(it).ok());
        self.unfinished.remove(path);
        if state == Some(RECEIVING) && self.unfinished.len() < MOST {
            self.unfinished.insert(path.clone());
        }
        // Without a time a message is what lies at its place.
        let time = if time.is_empty() { path.as_str() } else { &time };
        let whole = state == Some(RECEIVED) && !content.is_empty() && content.len() <= LONGEST;
        if !whole || !self.known.insert(identity([time, &number, &content])) {
            return Ok(None);
        }
        let sender = Some(number.to_string()).filter(|number| !number.is_empty());
        Ok(Some(Text { content, sender }))
    }

    /// Calls a method. Signals that come meanwhile are kept: the bus gives us nothing more while they are not taken.
    async fn call<B>(
        &mut self,
        service: &str,
        path: &str,
        interface: &str,
        method: &str,
        body: &B,
    ) -> zbus::Result<Message>
    where
        B: serde::Serialize + zbus::DynamicType,
    {
        let connection = self.connection.clone();
        let call = connection.call_method(Some(service), path, Some(interface), method, body);
        let mut call = pin!(call);
        poll_fn(|context| {
            while let Poll::Ready(Some(Ok(signal))) = Pin::new(&mut self.signals).poll_next(context)
            {
                let told = self.sift(&signal).filter(|_| self.waiting.len() < MOST);
                self.waiting.extend(told);
            }
            call.as_mut().poll(context)
        })
        .await
    }
}

/// What was answered; nothing if the service has nothing of the kind.
fn present<T>(answer: zbus::Result<T>) -> zbus::Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(zbus::Error::MethodError(..) | zbus::Error::FDO(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn identity(parts: [&str; 3]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}
