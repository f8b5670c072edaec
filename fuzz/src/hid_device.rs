//! Streams of reports against the device's end of CTAPHID, with a virtual clock.
//!
//! Claim: a request handed out is exactly the message that an independent reading finds in the packets of its
//! channel, none of them more than 500 ms late; there is one request at a time; everything that leaves is whole,
//! in order and of a device; a PING comes back as it went in and an answer as it was given; a keepalive is never
//! more than 100 ms away; tables are bounded; and afterwards the device still works. Planted: a device that does
//! not look at sequence numbers.

use std::collections::BTreeMap;
use std::time::Duration;

use softkey_ctap::Instant;
use softkey_ctap_hid::{Device, DeviceConfig, Event, Job, JobKind, Report, Status};

use crate::wire::{self, BROADCAST, CANCEL, CBOR, ERROR, INIT, KEEPALIVE, LOCK, MSG, PING, WINK};
use crate::{Subject, Tape};

const CHANNELS: usize = 4;
const NONCE: [u8; 8] = *b"fuzzing!";

/// A tape of what hosts and the application do.
pub fn run(data: &[u8], subject: Subject) {
    let mut tape = Tape::new(data);
    let mut bench = Bench::new(subject);
    bench.init(BROADCAST);
    bench.look();
    let mut steps = 0;
    while !tape.is_empty() && steps < 400 {
        steps += 1;
        bench.step(&mut tape);
        bench.look();
    }
    bench.still_works();
}

struct Bench {
    device: Device,
    subject: Subject,
    now: Instant,
    /// Channels that INIT gave, newest last.
    channels: Vec<u32>,
    /// The packets of each channel since the last one that began something, and when they came.
    heard: BTreeMap<u32, Vec<(Instant, Report)>>,
    /// The nonces of all INITs.
    nonces: Vec<[u8; 8]>,
    /// Whole PINGs of each channel.
    pings: BTreeMap<u32, Vec<Vec<u8>>>,
    job: Option<Job>,
    answer: Option<(u32, Vec<u8>)>,
    listener: wire::Listener,
    /// How many reports the host reads after each step.
    appetite: usize,
}

impl Bench {
    fn new(subject: Subject) -> Self {
        let config = DeviceConfig { max_channels: CHANNELS, ..DeviceConfig::default() };
        Self {
            device: Device::new(config, 0x5EED),
            subject,
            now: Instant::from_millis(1_000),
            channels: Vec::new(),
            heard: BTreeMap::new(),
            nonces: Vec::new(),
            pings: BTreeMap::new(),
            job: None,
            answer: None,
            listener: wire::Listener::default(),
            appetite: usize::MAX,
        }
    }

    fn step(&mut self, tape: &mut Tape<'_>) {
        match tape.below(16) {
            0..=3 => self.message(tape),
            4 => self.init(BROADCAST),
            5 | 6 => {
                let channel = self.channel(tape);
                let sequence = tape.byte() & 0x7F;
                let data = tape.piece();
                self.send(wire::packet(channel, sequence, data));
            }
            7 => {
                let channel = self.channel(tape);
                self.init(channel);
            }
            8 => {
                let channel = self.channel(tape);
                self.send(wire::packet(channel, CANCEL, &[]));
            }
            9 => self.send(tape.array()),
            10 => self.pass(tape.short().into()),
            11 => self.now += Duration::from_millis(tape.byte().into()),
            12 => self.reply(usize::from(tape.short()) % 7_700),
            13 => {
                let status = tape.pick(&[Status::Processing, Status::UserNeeded]);
                self.device.status(self.now, status);
            }
            14 => self.appetite = tape.pick(&[usize::MAX, 0, 1, 3]),
            _ => self.refuse_or_unplug(tape),
        }
    }

    fn refuse_or_unplug(&mut self, tape: &mut Tape<'_>) {
        if tape.below(4) == 0 {
            self.device.disconnect();
            self.heard.clear();
            self.listener = wire::Listener::default();
        } else if let Some(job) = self.job.take() {
            self.device.busy(self.now, job.id);
        }
    }

    fn channel(&self, tape: &mut Tape<'_>) -> u32 {
        match tape.below(8) {
            0 => BROADCAST,
            1 => 0,
            2 => u32::from_be_bytes(tape.array()),
            back => *self.channels.iter().rev().nth(back - 3).unwrap_or(&7),
        }
    }

    /// A whole message or its beginning.
    fn message(&mut self, tape: &mut Tape<'_>) {
        let channel = self.channel(tape);
        let command = tape.pick(&[PING, CBOR, MSG, WINK, LOCK, INIT, CANCEL, KEEPALIVE, 0xC0]);
        let length = match tape.below(4) {
            0 => usize::from(tape.byte() & 1),
            1 => usize::from(tape.byte()),
            _ => usize::from(tape.short()) % (wire::LONGEST + 1),
        };
        let seed = tape.byte() % 251;
        let payload: Vec<u8> = (seed..=250).cycle().take(length).collect();
        let mut packets = wire::message(channel, command, &payload);
        match tape.below(4) {
            0 => packets.truncate(tape.below(packets.len().min(255) + 1)),
            1 => packets[0][5..7].copy_from_slice(&tape.array::<2>()),
            _ => {}
        }
        for packet in packets {
            self.send(packet);
        }
    }

    fn init(&mut self, channel: u32) {
        let length_and_nonce = [&[0, 8][..], &NONCE].concat();
        self.send(wire::packet(channel, INIT, &length_and_nonce));
    }

    /// A report reaches the device; what it completes by an independent reading is noted.
    fn send(&mut self, report: Report) {
        let channel = wire::channel(&report);
        let heard = self.heard.entry(channel).or_default();
        let mut delivered = report;
        if report[4] == INIT {
            self.nonces.push(report[7..15].try_into().unwrap());
        }
        // CANCEL disturbs nothing that is being sent.
        if wire::opens(&report) && report[4] != CANCEL {
            heard.clear();
        }
        if report[4] != CANCEL {
            if self.subject == Subject::Planted && !wire::opens(&report) {
                delivered[4] = u8::try_from(heard.len().saturating_sub(1) & 0x7F).unwrap();
            }
            heard.push((self.now, report));
        }
        if let Some((PING, bytes)) = whole(heard) {
            self.pings.entry(channel).or_default().push(bytes);
        }
        self.device.receive(self.now, &delivered);
        self.take_job();
    }

    fn take_job(&mut self) {
        while let Some(event) = self.device.poll_event() {
            match event {
                Event::Aborted(id, _) => {
                    let aborted = self.job.take().map(|job| job.id);
                    assert_eq!(aborted, Some(id), "only the request in work can be aborted");
                }
                Event::Cancelled(id, channel) => {
                    let job = self.job.as_ref().expect("only a request in work can be cancelled");
                    assert_eq!((job.id, job.channel, job.kind), (id, channel, JobKind::Cbor));
                }
                Event::SessionEnded(_) | Event::Wink => {}
            }
        }
        let Some(job) = self.device.poll_job() else { return };
        assert!(self.job.is_none(), "one request at a time");
        let command = if job.kind == JobKind::Cbor { CBOR } else { MSG };
        let heard = self.heard.get(&job.channel.as_u32()).map_or(&[][..], Vec::as_slice);
        assert_eq!(whole(heard), Some((command, job.bytes.clone())), "the message that was sent");
        let in_time = |pair: &[(Instant, Report)]| {
            pair[1].0.duration_since(pair[0].0) < Duration::from_millis(500)
        };
        assert!(heard.windows(2).all(in_time), "a packet came too late");
        self.job = Some(job);
    }

    fn reply(&mut self, length: usize) {
        let Some(job) = self.job.take() else { return };
        let answer = vec![0xA5; length];
        self.device.answer(self.now, job.id, &answer);
        self.answer = (length <= wire::LONGEST).then(|| (job.channel.as_u32(), answer));
    }

    /// Lets time pass, waking the device exactly when it asks.
    fn pass(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis % 20_000);
        let mut wakes = 0;
        while let Some(wake) = self.device.poll_timeout().filter(|wake| *wake <= end) {
            self.now = self.now.max(wake);
            self.device.handle_timeout(self.now);
            self.look();
            wakes += 1;
            assert!(wakes < 1_000, "a deadline that was served must move on");
        }
        self.now = end;
    }

    /// What leaves, and what must hold at any time.
    fn look(&mut self) {
        self.device.handle_timeout(self.now);
        self.take_job();
        for _ in 0..self.appetite.min(200) {
            let Some(outgoing) = self.device.poll_report() else { break };
            if let Some((channel, command, bytes)) = self.listener.hear(&outgoing.report) {
                self.arrived(channel, command, &bytes);
            }
        }
        assert!(self.device.channel_count() <= CHANNELS, "more channels than agreed");
        let wake = self.device.poll_timeout().map(|wake| wake.duration_since(self.now));
        if self.job.as_ref().is_some_and(|job| job.kind == JobKind::Cbor) {
            let soon = wake.is_some_and(|wake| wake <= Duration::from_millis(100));
            assert!(soon, "a keepalive is due within 100 ms");
        }
        assert!(wake.is_none_or(|wake| wake <= Duration::from_millis(500)), "a late deadline");
    }

    fn arrived(&mut self, channel: u32, command: u8, bytes: &[u8]) {
        match command {
            INIT => {
                assert_eq!(bytes.len(), 17, "the answer to INIT");
                assert!(
                    self.nonces.iter().any(|nonce| nonce == &bytes[..8]),
                    "a nonce that was sent"
                );
                let given = u32::from_be_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]);
                assert!(given != 0 && given != BROADCAST, "a channel that can be used");
                self.channels.retain(|known| *known != given);
                self.channels.push(given);
            }
            PING => {
                let sent = self.pings.get(&channel);
                assert!(sent.is_some_and(|sent| sent.iter().any(|ping| ping == bytes)), "an echo");
            }
            CBOR | MSG => {
                let given = self.answer.as_ref().map(|(to, answer)| (*to, answer.as_slice()));
                assert_eq!(given, Some((channel, bytes)), "the answer that was given");
            }
            WINK | LOCK => assert_eq!(bytes, [0_u8; 0], "an empty answer"),
            KEEPALIVE => assert!(matches!(bytes, [1 | 2]), "a known status"),
            ERROR => assert!(matches!(bytes, [1..=6 | 0x0B | 0x7F]), "a known error"),
            other => panic!("a device does not send command {other:#04x}"),
        }
    }

    /// Whatever happened: once all is quiet, a new client gets a channel, an echo and its request worked on.
    fn still_works(&mut self) {
        self.appetite = usize::MAX;
        self.reply(1);
        self.look();
        self.pass(11_000);
        self.reply(1);
        self.look();
        self.init(BROADCAST);
        self.look();
        let channel = *self.channels.last().expect("a channel");
        for packet in wire::message(channel, PING, b"alive?") {
            self.send(packet);
        }
        let mut echoed = false;
        while let Some(outgoing) = self.device.poll_report() {
            echoed |=
                self.listener.hear(&outgoing.report) == Some((channel, PING, b"alive?".to_vec()));
        }
        assert!(echoed, "a PING comes back");
        for packet in wire::message(channel, CBOR, &[4; 100]) {
            self.send(packet);
        }
        assert!(self.job.is_some(), "a request is handed out");
        self.reply(300);
        self.look();
    }
}

fn whole(heard: &[(Instant, Report)]) -> Option<(u8, Vec<u8>)> {
    let reports: Vec<Report> = heard.iter().map(|(_, report)| *report).collect();
    wire::assembled(&reports)
}
