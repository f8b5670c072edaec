//! Keepalives and INIT on the wall clock while a key operation takes two seconds. These are the tests that are
//! about real time; they have a process of their own so that no other test takes theirs.
#![cfg(test)]

use std::io;
use std::net::UdpSocket;
use std::ops::{ControlFlow, Range};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use softkey::error::CliError;
use softkey::output::Form;
use softkey::profile::Profile;
use softkey::run::Mode;
use softkey::run::memory::{Entropy, power_up};
use softkey::run::slot::Place;
use softkey::run::start::{Settings, serve};
use softkey_authenticator::{Change, Config, Key, MemoryStore, Store};
use softkey_ctap::Secret;

/// One test at a time.
static CLOCK: Mutex<()> = Mutex::new(());

/// A store whose next commit takes two seconds once it is armed.
struct Slow {
    inner: MemoryStore,
    armed: Arc<AtomicBool>,
}

impl Store for Slow {
    type Error = <MemoryStore as Store>::Error;

    fn load(&self, key: &Key, into: &mut Vec<u8>) -> Result<bool, Self::Error> {
        self.inner.load(key, into)
    }

    fn each(
        &self,
        keys: Range<&Key>,
        visit: &mut dyn FnMut(&Key, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), Self::Error> {
        self.inner.each(keys, visit)
    }

    fn commit(&mut self, changes: &[Change<'_>]) -> Result<(), Self::Error> {
        if self.armed.swap(false, Ordering::SeqCst) {
            thread::sleep(Duration::from_secs(2));
        }
        self.inner.commit(changes)
    }
}

/// A key in this process on one or more UDP ports.
struct Running {
    armed: Arc<AtomicBool>,
    addresses: Vec<String>,
    stop: Option<UnixStream>,
    thread: Option<JoinHandle<Result<(), CliError>>>,
}

/// Hands the first lines over.
struct Lines(Sender<String>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.0.send(String::from_utf8_lossy(bytes).into_owned());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn start(devices: usize) -> Running {
    let armed = Arc::new(AtomicBool::new(false));
    let store = Slow { inner: MemoryStore::default(), armed: Arc::clone(&armed) };
    let (stop, stopped) = UnixStream::pair().unwrap();
    let (lines, printed) = channel();
    let root_key = Secret::new([7; 32]);
    let settings = Settings {
        places: vec![Place::Udp("127.0.0.1:0".parse().unwrap()); devices],
        power_up: power_up(store, root_key, Entropy::System, Config::default(), "memory".into()),
        memory: "memory".into(),
        mode: Mode::Auto,
        auto_allowed: true,
        profile: Profile::default(),
        sensor: None,
        terminal: None,
        control: None,
        form: Form::Json,
        channel_seed: 1,
        clock: None,
        faults: Vec::new(),
        notices: Vec::new(),
    };
    let thread = thread::spawn(move || serve(settings, stopped, Lines(lines), io::sink()));
    let ready: serde_json::Value = loop {
        let line = serde_json::from_str(&printed.recv().unwrap()).unwrap_or_default();
        match line {
            serde_json::Value::Object(ref event) if event["event"] == "ready" => break line,
            _ => {}
        }
    };
    let devices = ready["devices"].as_array().unwrap().iter();
    let address = |device: &serde_json::Value| {
        device.as_str().unwrap().strip_prefix("udp ").unwrap().to_owned()
    };
    let addresses = devices.map(address).collect();
    Running { armed, addresses, stop: Some(stop), thread: Some(thread) }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().unwrap().join();
        if !thread::panicking() {
            ended.unwrap().unwrap();
        }
    }
}

/// A host that speaks reports.
struct Host {
    socket: UdpSocket,
    channel: [u8; 4],
}

impl Host {
    fn open(address: &str) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut host = Self { socket, channel: [0xff; 4] };
        host.channel = host.init();
        host
    }

    /// INIT on broadcast; the new channel's number.
    fn init(&self) -> [u8; 4] {
        let mut report = [0; 64];
        report[..7].copy_from_slice(&[0xff, 0xff, 0xff, 0xff, 0x86, 0, 8]);
        self.socket.send(&report).unwrap();
        let answer = self.receive();
        assert_eq!(answer[..7], [0xff, 0xff, 0xff, 0xff, 0x86, 0, 17]);
        answer[15..19].try_into().unwrap()
    }

    fn send(&self, message: &[u8]) {
        let (first, rest) = message.split_at(message.len().min(57));
        let mut report = [0; 64];
        report[..4].copy_from_slice(&self.channel);
        report[4] = 0x90;
        report[5..7].copy_from_slice(&u16::try_from(message.len()).unwrap().to_be_bytes());
        report[7..7 + first.len()].copy_from_slice(first);
        self.socket.send(&report).unwrap();
        for (sequence, piece) in (0..).zip(rest.chunks(59)) {
            let mut report = [0; 64];
            report[..4].copy_from_slice(&self.channel);
            report[4] = sequence;
            report[5..5 + piece.len()].copy_from_slice(piece);
            self.socket.send(&report).unwrap();
        }
    }

    fn receive(&self) -> [u8; 64] {
        let mut report = [0; 64];
        assert_eq!(self.socket.recv(&mut report).unwrap(), 64);
        report
    }

    /// The keepalives' gaps until the answer begins, and the answer's first report.
    fn wait(&self) -> (Vec<Duration>, [u8; 64]) {
        let (mut last, mut gaps) = (Instant::now(), Vec::new());
        loop {
            let report = self.receive();
            gaps.push(last.elapsed());
            last = Instant::now();
            if report[4] != 0xbb {
                return (gaps, report);
            }
        }
    }
}

/// A registration of a discoverable credential, which writes.
fn make_credential() -> Vec<u8> {
    let mut request = vec![0x01, 0xa5, 1, 0x58, 32];
    request.extend([0x11; 32]);
    request.extend(b"\x02\xa1\x62id\x6bexample.com\x03\xa1\x62id\x41\x01");
    request.extend(b"\x04\x81\xa2\x63alg\x26\x64type\x6apublic-key\x07\xa1\x62rk\xf5");
    request
}

/// Measures up to four times: a busy machine may hold the process up once or twice, a loop that blocks is late
/// every time.
fn in_time(measure: impl Fn() -> Result<(), String>) {
    let mut late = Vec::new();
    for _ in 0..4 {
        match measure() {
            Ok(()) => return,
            Err(why) => late.push(why),
        }
    }
    panic!("late every time: {late:?}");
}

/// `what` took at most `limit`.
fn at_most(what: &str, took: Duration, limit: Duration) -> Result<(), String> {
    println!("{what}: {took:?}");
    if took <= limit { Ok(()) } else { Err(format!("{what}: {took:?}")) }
}

/// HID-30, the owner's part: with a key operation of two seconds a keepalive leaves at least every 150 ms, and
/// an INIT is answered within 50 ms all through it.
#[test]
fn a_slow_operation_delays_neither_keepalives_nor_init() {
    let _alone = CLOCK.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    in_time(slow_operation);
}

fn slow_operation() -> Result<(), String> {
    let key = start(1);
    let host = Host::open(&key.addresses[0]);
    key.armed.store(true, Ordering::SeqCst);
    let begun = Instant::now();
    host.send(&make_credential());
    let address = key.addresses[0].clone();
    let visitor = thread::spawn(move || {
        let mut slowest = Duration::ZERO;
        while begun.elapsed() < Duration::from_millis(1900) {
            let sent = Instant::now();
            Host::open(&address);
            slowest = slowest.max(sent.elapsed());
            thread::sleep(Duration::from_millis(20));
        }
        slowest
    });
    let (gaps, answer) = host.wait();
    assert!(begun.elapsed() >= Duration::from_secs(2), "the operation was not slow");
    assert_eq!((answer[4], answer[7]), (0x90, 0));
    let slowest = visitor.join().unwrap();
    at_most("longest gap", *gaps.iter().max().unwrap(), Duration::from_millis(150))?;
    at_most("slowest INIT", slowest, Duration::from_millis(50))
}

/// Another device's request waits up to half a second with keepalives; then it is refused as busy. When the
/// first is done, it is the other's turn, and both are requests to one authenticator.
#[test]
fn a_second_device_waits_half_a_second_for_its_turn() {
    let _alone = CLOCK.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    in_time(second_device);
}

fn second_device() -> Result<(), String> {
    let key = start(2);
    let hosts = [Host::open(&key.addresses[0]), Host::open(&key.addresses[1])];
    key.armed.store(true, Ordering::SeqCst);
    hosts[0].send(&make_credential());
    // The first request must have reached the worker before the second is sent.
    while key.armed.load(Ordering::SeqCst) {
        thread::yield_now();
    }
    let sent = Instant::now();
    hosts[1].send(&[0x04]);
    let (gaps, refused) = hosts[1].wait();
    assert_eq!((refused[4], refused[7]), (0xbf, 0x06), "ERR_CHANNEL_BUSY");
    let waited = sent.elapsed();
    assert!(waited >= Duration::from_millis(490), "{waited:?}");
    assert!(gaps.len() > 4, "keepalives while waiting");
    assert_eq!(hosts[0].wait().1[7], 0);
    // The counter of the credential made on one device goes on, on the other.
    let mut request = vec![0x02, 0xa2, 1, 0x6b];
    request.extend(b"example.com");
    request.extend([2, 0x58, 32]);
    request.extend([0x22; 32]);
    hosts[1].send(&request);
    assert_eq!(hosts[1].wait().1[7], 0, "the other device has the same credential");
    at_most("the other device's wait", waited, Duration::from_millis(700))
}

/// A request that waits for its turn can be cancelled, with the answer that says so, or given up by INIT, with
/// none; either way it never reaches the authenticator.
#[test]
fn a_request_that_waits_for_its_turn_can_be_cancelled() {
    let _alone = CLOCK.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    in_time(cancelled_device);
}

fn cancelled_device() -> Result<(), String> {
    let key = start(2);
    let hosts = [Host::open(&key.addresses[0]), Host::open(&key.addresses[1])];
    key.armed.store(true, Ordering::SeqCst);
    let begun = Instant::now();
    hosts[0].send(&make_credential());
    while key.armed.load(Ordering::SeqCst) {
        thread::yield_now();
    }
    // The two seconds must last for the rest.
    at_most("the first request's beginning", begun.elapsed(), Duration::from_secs(1))?;
    let mut cancel = [0; 64];
    cancel[..4].copy_from_slice(&hosts[1].channel);
    cancel[4] = 0x91;
    let begun = Instant::now();
    hosts[1].send(&[0x0b]);
    hosts[1].socket.send(&cancel).unwrap();
    let (_, answer) = hosts[1].wait();
    // Who is held up for half a second is too late to cancel: the request was refused as busy.
    at_most("the cancelled request's answer", begun.elapsed(), Duration::from_millis(400))?;
    assert_eq!((answer[4], answer[7]), (0x90, 0x2d));
    let begun = Instant::now();
    hosts[1].send(&[0x0b]);
    let mut init = [0; 64];
    init[..4].copy_from_slice(&hosts[1].channel);
    init[4..7].copy_from_slice(&[0x86, 0, 8]);
    hosts[1].socket.send(&init).unwrap();
    let (_, answer) = hosts[1].wait();
    at_most("the answer to INIT", begun.elapsed(), Duration::from_millis(400))?;
    assert_eq!((answer[4], answer[6]), (0x86, 17), "only INIT is answered");
    // The key is free for its device again, and for the other one afterwards.
    assert_eq!(hosts[0].wait().1[7], 0);
    hosts[1].send(&[0x04]);
    assert_eq!(hosts[1].wait().1[7], 0);
    Ok(())
}

/// From nothing to the first answered INIT, well under a second.
#[test]
fn the_first_init_is_answered_soon() {
    let _alone = CLOCK.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    in_time(first_init);
}

fn first_init() -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_softkey"))
        .args(["run", "--transport", "udp", "--listen", "127.0.0.1:0", "--json", "--vault"])
        .arg(folder.path().join("vault"))
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = io::BufRead::lines(io::BufReader::new(child.stdout.take().unwrap()));
    let ready: serde_json::Value = loop {
        let event: serde_json::Value =
            serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        if event["event"] == "ready" {
            break event;
        }
    };
    let address = ready["devices"][0].as_str().unwrap().strip_prefix("udp ").unwrap();
    Host::open(address);
    let took = begun.elapsed();
    child.kill().unwrap();
    child.wait().unwrap();
    at_most("first INIT", took, Duration::from_secs(1))
}
