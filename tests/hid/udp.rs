//! The UDP adapters on loopback sockets. The clock is virtual except in the last two tests, which are
//! about the wall clock.

use std::io::ErrorKind;
use std::net::UdpSocket;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{self, Duration};

use softkey_ctap::Instant;
use softkey_ctap_hid::{
    Connection, ConnectionError, Device, DeviceConfig, HostConfig, HostError, Port, Status,
    UdpPort, UdpTransport, WallClock,
};

use crate::wire::{
    self, BROADCAST, CBOR, CHANNEL_BUSY, Channel, INIT, PING, Report, keepalive, message,
};

/// A key on a loopback socket, pumped by hand.
struct Key {
    device: Device,
    port: UdpPort,
    now: Instant,
}

impl Key {
    fn new() -> Self {
        Self {
            device: Device::new(DeviceConfig::default(), 1),
            port: UdpPort::bind("127.0.0.1:0").unwrap(),
            now: Instant::from_millis(0),
        }
    }

    fn pump(&mut self) {
        self.port.pump(self.now, &mut self.device).unwrap();
    }

    fn pass(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
        self.device.handle_timeout(self.now);
        self.port.flush(&mut self.device).unwrap();
    }

    fn client(&self) -> Client {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(self.port.local_address().unwrap()).unwrap();
        socket.set_nonblocking(true).unwrap();
        Client(socket)
    }
}

struct Client(UdpSocket);

impl Client {
    fn send(&self, datagrams: &[impl AsRef<[u8]>]) {
        for datagram in datagrams {
            self.0.send(datagram.as_ref()).unwrap();
        }
    }

    fn received(&self) -> Vec<Report> {
        let mut reports = Vec::new();
        let mut datagram = [0; 100];
        loop {
            match self.0.recv(&mut datagram) {
                Ok(length) => reports.push(datagram[..length].try_into().expect("64 bytes")),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    return reports;
                }
            }
        }
    }

    fn open(&self, key: &mut Key, nonce: [u8; 8]) -> Channel {
        self.send(&message(BROADCAST, INIT, &nonce));
        key.pump();
        let answer = wire::read(&self.received(), BROADCAST, INIT).unwrap();
        assert_eq!(answer[..8], nonce);
        answer[8..12].try_into().unwrap()
    }
}

/// Two clients, one answer each; what is busy for one is told to that one.
#[test]
fn every_client_gets_its_own_answers_and_nobody_elses() {
    let mut key = Key::new();
    let [one, two] = [key.client(), key.client()];
    one.send(&message(BROADCAST, INIT, &[1; 8]));
    two.send(&message(BROADCAST, INIT, &[2; 8]));
    key.pump();
    let first = wire::read(&one.received(), BROADCAST, INIT).unwrap();
    let second = wire::read(&two.received(), BROADCAST, INIT).unwrap();
    assert_eq!((&first[..8], &second[..8]), (&[1; 8][..], &[2; 8][..]));
    let [first, second] = [first, second].map(|answer| Channel::try_from(&answer[8..12]).unwrap());

    one.send(&message(first, CBOR, &[4]));
    key.pump();
    let job = key.device.poll_job().unwrap();
    two.send(&message(second, PING, b"x"));
    key.pump();
    assert_eq!(two.received(), [wire::error(second, CHANNEL_BUSY)]);
    key.pass(100);
    key.device.status(key.now, Status::UserNeeded);
    key.pass(0);
    assert_eq!(one.received(), [keepalive(first, 1), keepalive(first, 2)]);
    key.device.answer(key.now, job.id, &[0; 7_609]);
    key.pass(0);
    assert_eq!(wire::read(&one.received(), first, CBOR), Ok(vec![0; 7_609]));
    assert_eq!(two.received(), [[0; 64]; 0]);
}

/// A datagram of any other size is dropped, also one whose first 64 bytes are a report.
#[test]
fn only_datagrams_of_64_bytes_count() {
    let mut key = Key::new();
    let client = key.client();
    let init = message(BROADCAST, INIT, &[1; 8])[0];
    let long = [&init[..], &[0]].concat();
    client.send(&[&init[..0], &init[..1], &init[..63], &long, &[0; 1000]]);
    key.pump();
    assert_eq!(client.received(), [[0; 64]; 0]);
    let channel = client.open(&mut key, [2; 8]);
    client.send(&message(channel, PING, b"x"));
    key.pump();
    assert_eq!(wire::read(&client.received(), channel, PING), Ok(b"x".to_vec()));
}

/// A client that closed its socket in the middle of its request costs nobody anything.
#[test]
fn a_client_that_vanished_does_not_stop_the_port() {
    let mut key = Key::new();
    let gone = key.client();
    let channel = gone.open(&mut key, [1; 8]);
    gone.send(&message(channel, CBOR, &[4]));
    key.pump();
    let job = key.device.poll_job().unwrap();
    drop(gone);
    for _ in 0..5 {
        key.pass(100);
        key.pump();
    }
    key.device.answer(key.now, job.id, &[0; 500]);
    key.pass(0);
    let next = key.client();
    let channel = next.open(&mut key, [2; 8]);
    next.send(&message(channel, PING, b"x"));
    key.pump();
    assert_eq!(wire::read(&next.received(), channel, PING), Ok(b"x".to_vec()));
}

/// Hundreds of strangers calling do not make the port forget whose request is in work.
#[test]
fn strangers_do_not_displace_the_client_whose_request_is_in_work() {
    let mut key = Key::new();
    let client = key.client();
    let channel = client.open(&mut key, [1; 8]);
    client.send(&message(channel, CBOR, &[4]));
    key.pump();
    let job = key.device.poll_job().unwrap();
    for _ in 0..200 {
        key.client().send(&message(BROADCAST, INIT, &[3; 8]));
        key.pump();
    }
    key.device.answer(key.now, job.id, &[7; 100]);
    key.pass(0);
    assert_eq!(wire::read(&client.received(), channel, CBOR), Ok(vec![7; 100]));
}

/// Runs a key that answers each CBOR request with 0 after a keepalive, as long as `client` takes.
fn served<R>(client: impl FnOnce(std::net::SocketAddr) -> R) -> R {
    let mut port = UdpPort::bind("127.0.0.1:0").unwrap();
    let address = port.local_address().unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut device = Device::new(DeviceConfig::default(), 1);
            let clock = WallClock::start();
            while !done.load(Ordering::Relaxed) {
                device.handle_timeout(clock.now());
                port.pump(clock.now(), &mut device).unwrap();
                while device.poll_event().is_some() {}
                if let Some(job) = device.poll_job() {
                    device.status(clock.now(), Status::UserNeeded);
                    port.flush(&mut device).unwrap();
                    device.answer(clock.now(), job.id, &[0]);
                }
                port.flush(&mut device).unwrap();
                thread::yield_now();
            }
        });
        let result = client(address);
        done.store(true, Ordering::Relaxed);
        result
    })
}

/// HID-16, and the host's adapter against the device's. About the wall clock: the limit is the
/// checklist's, some hundred times what it takes.
#[test]
fn a_ping_of_a_thousand_bytes_takes_well_under_half_a_second() {
    let (ping, cbor, took) = served(|address| {
        let mut key = Connection::open(UdpTransport::connect(address).unwrap()).unwrap();
        let start = time::Instant::now();
        let ping = key.ping(&[5; 1_000]).unwrap();
        let took = start.elapsed();
        let mut seen = Vec::new();
        let answer = key.cbor(&[4], &mut |status| {
            seen.push(status);
            ControlFlow::Continue(())
        });
        (ping, (answer.unwrap(), seen), took)
    });
    assert_eq!(ping, [5; 1_000]);
    assert_eq!(cbor, (vec![0], vec![Status::UserNeeded]));
    assert!(took < Duration::from_millis(500), "{took:?}");
}

/// About the wall clock: a silent address is given up after the time set, not before and not never.
#[test]
fn a_host_gives_up_on_an_address_that_never_answers() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let transport = UdpTransport::connect(silent.local_addr().unwrap()).unwrap();
    let config = HostConfig { init_timeout: Duration::from_millis(20), ..HostConfig::default() };
    let start = time::Instant::now();
    let error = Connection::open_with(transport, config).err();
    assert!(matches!(error, Some(ConnectionError::Host(HostError::Timeout))), "{error:?}");
    assert!(start.elapsed() >= Duration::from_millis(20));
}

/// Nobody listens at all: the system says so.
#[test]
fn a_host_hears_that_nobody_listens() {
    // The port stays taken, by a socket that hears nobody but itself.
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    taken.connect(address).unwrap();
    match Connection::open(UdpTransport::connect(address).unwrap()).err() {
        Some(ConnectionError::Transport(error)) => {
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        }
        other => panic!("{other:?}"),
    }
}
