//! One-time codes out of the text messages of `ModemManager`: a scripted service on a real bus. Needs Debian's package
//! dbus-daemon, so these tests are a step of `cargo xtask ci`.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::{Builder as RuntimeBuilder, Handle};
use zbus::connection::Builder;
use zbus::export::futures_core::Stream as _;
use zbus::message::{Message, Type};
use zbus::{Connection, MessageStream, ObjectPath, Variant};

use crate::harness::{softkey, softkey_piped};

/// `MMSmsState`.
const STORED: u32 = 1;
const RECEIVING: u32 = 2;
const RECEIVED: u32 = 3;
const SENT: u32 = 5;

const NAME: &str = "org.freedesktop.ModemManager1";
const MODEM: &str = "/org/freedesktop/ModemManager1/Modem/0";
const MESSAGING: &str = "org.freedesktop.ModemManager1.Modem.Messaging";
const SMS: &str = "org.freedesktop.ModemManager1.Sms";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// As long as a loaded machine may need.
const PATIENCE: Duration = Duration::from_mins(1);

/// The bus's own rules: everyone may do everything, as far as it matters here.
const RULES: &str = r#"<busconfig><type>custom</type><listen>unix:path=@</listen><auth>EXTERNAL</auth>
<policy context="default"><allow own="*"/><allow send_destination="*"/><allow send_type="signal"/>
<allow receive_sender="*"/></policy></busconfig>"#;

/// A bus of its own.
struct Bus {
    folder: TempDir,
    daemon: Child,
}

impl Bus {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let rules = folder.path().join("rules");
        let socket = folder.path().join("bus");
        fs::write(&rules, RULES.replace('@', socket.to_str().unwrap())).unwrap();
        let mut daemon = Command::new("dbus-daemon");
        // That it cannot raise its limits is nothing here.
        daemon
            .stderr(Stdio::null())
            .arg("--nofork")
            .arg("--print-address")
            .arg("--config-file")
            .arg(rules);
        let daemon = daemon.stdout(Stdio::piped()).spawn();
        let mut daemon = daemon.unwrap_or_else(|error| {
            panic!(
                "dbus-daemon cannot be started: {error} (on Debian: apt-get install dbus-daemon)"
            )
        });
        let mut address = String::new();
        BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut address).unwrap();
        assert!(address.starts_with("unix:"), "the bus has no address");
        Self { folder, daemon }
    }

    fn address(&self) -> String {
        format!("unix:path={}", self.folder.path().join("bus").display())
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// A text message.
#[derive(Clone)]
struct Sms {
    state: u32,
    text: String,
    number: &'static str,
    time: &'static str,
}

/// A message that is whole.
fn sms(text: &str, time: &'static str) -> Sms {
    Sms { state: RECEIVED, text: text.to_owned(), number: "+491701234567", time }
}

fn code(code: &str) -> String {
    format!("Your code is {code}.\n\n@example.com #{code}")
}

#[derive(Default)]
struct State {
    messages: BTreeMap<String, Sms>,
    /// Who asked last.
    asker: String,
}

/// Something on the bus that plays `ModemManager`, or whoever else.
struct Service {
    state: Arc<Mutex<State>>,
    connection: Connection,
    runtime: Handle,
}

impl Service {
    fn start(bus: &Bus) -> Self {
        let (send, started) = channel();
        let (address, state) = (bus.address(), Arc::<Mutex<State>>::default());
        let answered = Arc::clone(&state);
        thread::spawn(move || {
            let runtime = RuntimeBuilder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let connection = Builder::address(address.as_str()).build().await.unwrap();
                let mut calls = MessageStream::from(&connection);
                send.send((connection.clone(), Handle::current())).unwrap();
                loop {
                    let call = std::future::poll_fn(|context| {
                        std::pin::Pin::new(&mut calls).poll_next(context)
                    });
                    let Some(Ok(call)) = call.await else { return };
                    if call.message_type() == Type::MethodCall {
                        answer(&connection, &call, &answered).await;
                    }
                }
            });
        });
        let (connection, runtime) = started.recv().unwrap();
        Self { state, connection, runtime }
    }

    /// Takes the name of `ModemManager`.
    fn named(self) -> Self {
        self.runtime.block_on(self.connection.request_name(NAME)).unwrap();
        self
    }

    fn unnamed(&self) {
        assert!(self.runtime.block_on(self.connection.release_name(NAME)).unwrap());
    }

    fn put(&self, number: u32, sms: Sms) {
        self.state.lock().unwrap().messages.insert(path(number), sms);
    }

    /// A message has come, or been made.
    fn added(&self, number: u32, sms: Sms) {
        let received = sms.state == RECEIVED;
        self.put(number, sms);
        self.says_added(None, number, received);
    }

    fn says_added(&self, to: Option<&str>, number: u32, received: bool) {
        let path = path(number);
        let body = (ObjectPath::try_from(path.as_str()).unwrap(), received);
        let signal = self.connection.emit_signal(to, MODEM, MESSAGING, "Added", &body);
        self.runtime.block_on(signal).unwrap();
    }

    /// A message has changed.
    fn changed(&self, number: u32, sms: Sms) {
        let state = sms.state;
        self.put(number, sms);
        let changes = HashMap::from([("State", Variant::from(state))]);
        let body = (SMS, changes, Vec::<&str>::new());
        let place = path(number);
        let signal = self.connection.emit_signal(
            None::<&str>,
            place.as_str(),
            PROPERTIES,
            "PropertiesChanged",
            &body,
        );
        self.runtime.block_on(signal).unwrap();
    }
}

fn path(number: u32) -> String {
    format!("/org/freedesktop/ModemManager1/SMS/{number}")
}

/// Answers what `ModemManager` is asked.
async fn answer(connection: &Connection, call: &Message, state: &Mutex<State>) {
    let header = call.header();
    let member = header.member().unwrap().to_string();
    let (asked, messages) = {
        let mut state = state.lock().unwrap();
        state.asker = header.sender().unwrap().to_string();
        (header.path().unwrap().to_string(), state.messages.clone())
    };
    let replied = match (member.as_str(), messages.get(&asked)) {
        ("GetManagedObjects", _) => {
            let paths: Vec<_> =
                messages.keys().map(|path| ObjectPath::try_from(path.as_str()).unwrap()).collect();
            let messaging = HashMap::from([("Messages", Variant::from(paths))]);
            let modem = HashMap::from([("State", Variant::from(8_i32))]);
            let interfaces = HashMap::from([
                ("org.freedesktop.ModemManager1.Modem", modem),
                (MESSAGING, messaging),
            ]);
            let objects = HashMap::from([(ObjectPath::try_from(MODEM).unwrap(), interfaces)]);
            connection.reply(&header, &objects).await
        }
        ("GetAll", Some(sms)) => {
            let properties = HashMap::from([
                ("State", Variant::from(sms.state)),
                ("PduType", Variant::from(1_u32)),
                ("Text", Variant::from(sms.text.as_str())),
                ("Number", Variant::from(sms.number)),
                ("Timestamp", Variant::from(sms.time)),
            ]);
            connection.reply(&header, &properties).await
        }
        _ => {
            let error = "org.freedesktop.DBus.Error.UnknownObject";
            connection.reply_error(&header, error, &"nothing is there").await
        }
    };
    replied.unwrap();
}

/// A command that listens to the bus.
struct Listener {
    child: Child,
    out: BufReader<ChildStdout>,
    notes: Receiver<String>,
}

impl Listener {
    fn start(bus: &Bus, words: &[&str], input: &str) -> Self {
        let mut command = softkey_piped();
        command.args(words).args(["--inbox", "modemmanager"]);
        command.env("DBUS_SYSTEM_BUS_ADDRESS", bus.address());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command may end before it has read that; what it says is judged.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (send, notes) = channel();
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| send.send(line)));
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out, notes }
    }

    fn watch(bus: &Bus) -> Self {
        let listener = Self::start(bus, &["otp", "watch", "--json", "--show-codes"], "");
        listener.hears("Messages come from ModemManager. Modems: 1.");
        listener
    }

    /// Waits for this line on standard error.
    fn hears(&self, line: &str) {
        loop {
            let heard = self.notes.recv_timeout(PATIENCE);
            let heard = heard.unwrap_or_else(|_| panic!("it never said: {line}"));
            if heard.contains(line) {
                return;
            }
        }
    }

    /// The next line on standard output.
    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"))
    }

    /// The code of the next message.
    fn code(&mut self) -> String {
        self.line()["code"].as_str().unwrap().to_owned()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A page's call is answered by a message that comes after it, and not by one that was there.
#[test]
#[ignore = "needs Debian's dbus-daemon: cargo xtask ci --only modem"]
fn a_message_that_comes_answers_the_page() {
    let bus = Bus::start();
    let modem = Service::start(&bus).named();
    modem.put(1, sms(&code("111111"), "2026-11-27T08:00:00+00"));
    let words = ["get", "--origin", "https://example.com", "--yes"];
    let asked = json!({"otp": {"transport": ["sms"]}}).to_string();
    let mut listener = Listener::start(&bus, &words, &asked);
    listener.hears("Messages come from ModemManager. Modems: 1.");
    modem.added(2, sms("No code at all.", "2026-11-27T09:00:00+00"));
    modem.added(3, sms(&code("333333"), "2026-11-27T09:00:01+00"));
    assert_eq!(listener.line(), json!({"id": "", "type": "otp", "code": "333333"}));
}

/// Each message once, with its number: the parts of a long one when all are there, and nothing that was sent or stored here.
#[test]
#[ignore = "needs Debian's dbus-daemon: cargo xtask ci --only modem"]
fn only_whole_messages_that_were_received_count() {
    let bus = Bus::start();
    let modem = Service::start(&bus).named();
    let part = |text: &str| Sms { state: RECEIVING, ..sms(text, "2026-11-27T09:00:00+00") };
    modem.put(1, part(""));
    let mut listener = Listener::watch(&bus);
    let own = |state, code_| Sms { state, ..sms(&code(code_), "2026-11-27T09:00:00+00") };
    modem.added(2, own(STORED, "222222"));
    modem.added(3, own(SENT, "333333"));
    modem.added(4, part("Your"));
    modem.changed(4, part("Your code"));
    modem.changed(4, sms(&code("444444"), "2026-11-27T09:00:00+00"));
    let expected = json!({"host": "example.com", "embedded": null, "code": "444444", "sender": "+491701234567"});
    assert_eq!(listener.line(), expected);
    // It is told again, and one that is gone is told.
    modem.says_added(None, 4, true);
    modem.changed(4, sms(&code("444444"), "2026-11-27T09:00:00+00"));
    modem.says_added(None, 99, true);
    // A part of it was there before, the rest was not.
    modem.changed(1, sms(&code("111111"), "2026-11-27T08:59:00+00"));
    assert_eq!(listener.code(), "111111");
    // Without a time and a number, twice the same text is two messages.
    for number in [5, 6] {
        modem.added(number, Sms { number: "", time: "", ..sms(&code("555555"), "") });
        assert_eq!(
            listener.line(),
            json!({"host": "example.com", "embedded": null, "code": "555555"})
        );
    }
}

/// Whoever is not `ModemManager` can point at an old message, but cannot have it taken for a new one; nor bring a message
/// of its own.
#[test]
#[ignore = "needs Debian's dbus-daemon: cargo xtask ci --only modem"]
fn a_strangers_signal_is_nothing() {
    let bus = Bus::start();
    let modem = Service::start(&bus).named();
    let stranger = Service::start(&bus);
    let mut listener = Listener::watch(&bus);
    // It came silently, so only a signal would have it read.
    modem.put(1, sms(&code("111111"), "2026-11-27T09:00:00+00"));
    stranger.put(2, sms(&code("222222"), "2026-11-27T09:00:00+00"));
    let softkey = modem.state.lock().unwrap().asker.clone();
    for number in [1, 2] {
        stranger.says_added(Some(&softkey), number, true);
        stranger.says_added(None, number, true);
    }
    modem.added(3, sms(&code("333333"), "2026-11-27T09:00:00+00"));
    assert_eq!(listener.code(), "333333");
    // A flood of it takes nothing away either.
    for _ in 0..2000 {
        stranger.says_added(Some(&softkey), 1, true);
    }
    modem.added(4, sms(&code("444444"), "2026-11-27T09:00:00+00"));
    assert_eq!(listener.code(), "444444");
}

/// A service that starts anew announces all that the modem has; what was known is not new by that, what came meanwhile is.
#[test]
#[ignore = "needs Debian's dbus-daemon: cargo xtask ci --only modem"]
fn a_restart_brings_nothing_old() {
    let bus = Bus::start();
    let modem = Service::start(&bus).named();
    let old = sms(&code("111111"), "2026-11-27T08:00:00+00");
    modem.put(1, old.clone());
    let mut listener = Listener::watch(&bus);
    modem.unnamed();
    let modem = Service::start(&bus).named();
    modem.added(7, old.clone());
    modem.added(8, sms(&code("888888"), "2026-11-27T09:00:00+00"));
    assert_eq!(listener.code(), "888888");
}

/// A service that is not there, and a bus that goes away, are told.
#[test]
#[ignore = "needs Debian's dbus-daemon: cargo xtask ci --only modem"]
fn what_is_missing_is_told() {
    let bus = Bus::start();
    let mut listener = Listener::start(&bus, &["otp", "watch"], "");
    listener.hears("Messages cannot come from ModemManager");
    assert_eq!(listener.child.wait().unwrap().code(), Some(3));
    let _modem = Service::start(&bus).named();
    let mut listener = Listener::watch(&bus);
    drop(bus);
    listener.hears("No more messages can come");
    assert_eq!(listener.child.wait().unwrap().code(), Some(1));
}

/// Without a bus at all.
#[test]
fn without_a_bus_no_message_can_come() {
    let mut command = softkey();
    command.args(["otp", "watch", "--inbox", "modemmanager"]);
    let nowhere = Path::new("/no such folder/bus").display().to_string();
    command.env("DBUS_SYSTEM_BUS_ADDRESS", format!("unix:path={nowhere}"));
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("Messages cannot come from ModemManager"), "{told}");
}
