//! The uhid port against a stand-in for the kernel: the other end of a socket pair that keeps the
//! boundaries of events. Offsets are those of the kernel's `struct uhid_event`, written out here again.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use softkey_ctap::Instant;
use softkey_ctap_hid::{Device, DeviceConfig, Event, Identity, JobId, Port, UhidPort};

use crate::wire::{self, BROADCAST, CBOR, Channel, INIT, PING, Report, message};

const DESTROY: u32 = 1;
const START: u32 = 2;
const STOP: u32 = 3;
const OPEN: u32 = 4;
const CLOSE: u32 = 5;
const OUTPUT: u32 = 6;
const GET_REPORT: u32 = 9;
const GET_REPORT_REPLY: u32 = 10;
const CREATE2: u32 = 11;
const INPUT2: u32 = 12;
const SET_REPORT: u32 = 13;
const SET_REPORT_REPLY: u32 = 14;

struct Bench {
    kernel: UnixDatagram,
    port: UhidPort,
    device: Device,
    now: Instant,
}

impl Bench {
    fn new() -> Self {
        let (kernel, node) = UnixDatagram::pair().unwrap();
        kernel.set_nonblocking(true).unwrap();
        node.set_nonblocking(true).unwrap();
        let port =
            UhidPort::with_node(File::from(OwnedFd::from(node)), &Identity::default()).unwrap();
        let device = Device::new(DeviceConfig::default(), 1);
        Self { kernel, port, device, now: Instant::from_millis(10_000) }
    }

    /// A bench whose device a reader has open, with a channel.
    fn opened() -> (Self, Channel) {
        let mut bench = Self::new();
        bench.written();
        bench.say(START, &[]);
        bench.say(OPEN, &[]);
        let channel = bench.open_channel();
        (bench, channel)
    }

    fn open_channel(&mut self) -> Channel {
        let answer = self.exchange(BROADCAST, INIT, &[1; 8]);
        answer[8..12].try_into().unwrap()
    }

    /// The kernel writes a whole event, and the port is pumped.
    fn say(&mut self, kind: u32, fields: &[(usize, &[u8])]) {
        let mut event = [0; 4380];
        event[..4].copy_from_slice(&kind.to_ne_bytes());
        for (offset, bytes) in fields {
            event[4 + offset..][..bytes.len()].copy_from_slice(bytes);
        }
        self.kernel.send(&event).unwrap();
        self.pump();
    }

    /// A report written to hidraw: with its number in front, 65 bytes.
    fn output(&mut self, report: &Report) {
        let numbered = [&[0], &report[..]].concat();
        self.say(OUTPUT, &[(0, &numbered), (4096, &65_u16.to_ne_bytes()), (4098, &[1])]);
    }

    fn pump(&mut self) {
        self.device.handle_timeout(self.now);
        self.port.pump(self.now, &mut self.device).unwrap();
    }

    /// What the port has written, each event's type and union.
    fn written(&mut self) -> Vec<(u32, Vec<u8>)> {
        let mut events = Vec::new();
        let mut event = [0; 4380];
        while let Ok(length) = self.kernel.recv(&mut event) {
            events.push((
                u32::from_ne_bytes(event[..4].try_into().unwrap()),
                event[4..length].to_vec(),
            ));
        }
        events
    }

    /// The input reports written, and nothing else.
    fn input(&mut self) -> Vec<Report> {
        let events = self.written().into_iter();
        events
            .map(|(kind, union)| {
                assert_eq!((kind, &union[..2]), (INPUT2, &64_u16.to_ne_bytes()[..]));
                union[2..].try_into().expect("64 bytes")
            })
            .collect()
    }

    fn exchange(&mut self, channel: Channel, command: u8, payload: &[u8]) -> Vec<u8> {
        for report in message(channel, command, payload) {
            self.output(&report);
        }
        wire::read(&self.input(), channel, command).unwrap()
    }

    fn start_job(&mut self, channel: Channel) -> JobId {
        self.output(&message(channel, CBOR, &[1])[0]);
        self.device.poll_job().unwrap().id
    }

    fn pass(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
        self.pump();
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.device.poll_event()).collect()
    }
}

/// The identity every installation shares, and the descriptor by which hosts know a key.
#[test]
fn the_device_is_made_with_the_shared_identity() {
    let mut bench = Bench::new();
    let events = bench.written();
    let [(CREATE2, union)] = events.as_slice() else { panic!("one CREATE2, not {events:?}") };
    assert_eq!(union[..8], *b"softkey\0");
    assert!(union[8..256].iter().all(|byte| *byte == 0));
    assert_eq!(union[258..260], 3_u16.to_ne_bytes());
    assert_eq!(union[260..264], 0x1209_u32.to_ne_bytes());
    assert_eq!(union[264..268], 1_u32.to_ne_bytes());
    let size = usize::from(u16::from_ne_bytes([union[256], union[257]]));
    assert_eq!(union[276..].len(), size);
    assert_eq!(union[276..283], [0x06, 0xD0, 0xF1, 0x09, 0x01, 0xA1, 0x01]);
    assert_eq!(bench.port.poll_timeout(), None);
}

#[test]
fn messages_of_every_length_pass_both_ways() {
    let (mut bench, channel) = Bench::opened();
    for length in [0, 57, 58, 1_024] {
        let payload: Vec<u8> = (0..=255).cycle().take(length).collect();
        assert_eq!(bench.exchange(channel, PING, &payload), payload);
    }
}

/// Whoever asks over the control pipe would wait five seconds for a reply that never comes.
#[test]
fn control_transfers_are_answered_with_an_error_at_once() {
    let (mut bench, channel) = Bench::opened();
    let id = 0xA1B2_C3D4_u32.to_ne_bytes();
    bench.say(GET_REPORT, &[(0, &id), (4, &[0, 1])]);
    let eio = 5_u16.to_ne_bytes();
    assert_eq!(bench.written(), [(GET_REPORT_REPLY, [&id[..], &eio, &[0, 0]].concat())]);
    bench.say(SET_REPORT, &[(0, &id), (4, &[0, 1]), (6, &64_u16.to_ne_bytes())]);
    assert_eq!(bench.written(), [(SET_REPORT_REPLY, [&id[..], &eio].concat())]);
    assert_eq!(bench.exchange(channel, PING, b"x"), b"x");
}

/// A second after the last reader's close what it left behind is cancelled and its channels are freed.
#[test]
fn the_last_readers_close_ends_everything_after_a_second() {
    let (mut bench, channel) = Bench::opened();
    let job = bench.start_job(channel);
    bench.say(CLOSE, &[]);
    assert_eq!(bench.port.poll_timeout(), Some(bench.now + Duration::from_secs(1)));
    bench.pass(999);
    assert_eq!(bench.events(), []);
    bench.pass(1);
    let id = softkey_ctap_hid::ChannelId::from_u32(u32::from_be_bytes(channel));
    assert_eq!(bench.events(), [Event::Aborted(job, id), Event::SessionEnded(id)]);
    assert_eq!(bench.device.channel_count(), 0);
    assert_eq!(bench.port.poll_timeout(), None);
}

/// Clients open and close a device to list it: a request in work is not disturbed by it.
#[test]
fn a_listing_in_between_disturbs_nothing() {
    let (mut bench, channel) = Bench::opened();
    let job = bench.start_job(channel);
    for _ in 0..5 {
        bench.say(CLOSE, &[]);
        bench.pass(900);
        bench.say(OPEN, &[]);
        bench.pass(5_000);
    }
    assert_eq!(bench.events(), []);
    bench.written();
    bench.device.answer(bench.now, job, &[0]);
    bench.port.flush(&mut bench.device).unwrap();
    assert_eq!(wire::read(&bench.input(), channel, CBOR), Ok(vec![0]));
}

/// An open that waits to be read when the owner wakes late still counts.
#[test]
fn an_open_in_time_counts_even_if_the_owner_overslept() {
    let (mut bench, _) = Bench::opened();
    bench.say(CLOSE, &[]);
    bench.now += Duration::from_mins(1);
    bench.say(OPEN, &[]);
    assert_eq!(bench.device.channel_count(), 1);
}

/// The kernel takes the device away: nobody is left to wait for.
#[test]
fn a_stop_ends_everything_at_once() {
    let (mut bench, channel) = Bench::opened();
    bench.start_job(channel);
    bench.say(STOP, &[]);
    assert_eq!(bench.device.channel_count(), 0);
    assert_eq!(bench.events().len(), 2);
}

/// Events from later kernels and outputs of odd sizes.
#[test]
fn what_the_port_does_not_know_is_ignored() {
    let (mut bench, channel) = Bench::opened();
    for kind in [0, 7, 8, 15, 99, u32::MAX] {
        bench.say(kind, &[(0, &[0xFF; 64])]);
    }
    let report = message(channel, PING, b"x")[0];
    for size in [0_u16, 63, 66, 4096] {
        bench.say(OUTPUT, &[(0, &report), (4096, &size.to_ne_bytes()), (4098, &[1])]);
    }
    assert_eq!(bench.written(), []);
    bench.say(OUTPUT, &[(0, &report), (4096, &64_u16.to_ne_bytes()), (4098, &[1])]);
    assert_eq!(wire::read(&bench.input(), channel, PING), Ok(b"x".to_vec()));
}

#[test]
fn pulling_the_key_out_says_so_to_the_kernel() {
    let (bench, _) = Bench::opened();
    let Bench { kernel, port, .. } = bench;
    port.destroy().unwrap();
    let mut event = [0; 4380];
    let length = kernel.recv(&mut event).unwrap();
    assert_eq!(event[..length], DESTROY.to_ne_bytes());
}
