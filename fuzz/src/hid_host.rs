//! Streams of reports against the platform's end of CTAPHID, with a virtual clock.
//!
//! Claim: what the host sends is its request, whole and in order; an answer is exactly the message that an
//! independent reading finds in the packets of its channel since the request; each command ends in exactly one
//! outcome, and within a bound of time if the device falls silent. Planted: a host that does not look at sequence
//! numbers.

use std::time::Duration;

use softkey_ctap::Instant;
use softkey_ctap_hid::{Command, Host, HostConfig, HostEvent, Report};

use crate::wire::{self, BROADCAST, CANCEL, CBOR, ERROR, INIT, KEEPALIVE, MSG, PING};
use crate::{Subject, Tape};

const OWN: u32 = 0x0102_0304;

/// A tape of what the owner and the device do.
pub fn run(data: &[u8], subject: Subject) {
    let mut tape = Tape::new(data);
    let mut bench = Bench::new(subject);
    bench.open();
    let mut steps = 0;
    while !tape.is_empty() && steps < 400 {
        steps += 1;
        bench.step(&mut tape);
        bench.look();
    }
    bench.ends();
}

/// What the host is in the middle of.
enum Doing {
    /// INIT with this nonce.
    Init([u8; 8]),
    /// A request, and what arrived on its channel since.
    Request { command: u8, message: Vec<u8>, cancelled: bool },
}

struct Bench {
    host: Host,
    subject: Subject,
    now: Instant,
    nonces: u64,
    under_way: Option<Doing>,
    /// Packets on the host's channel since the command began.
    heard: Vec<Report>,
    listener: wire::Listener,
}

impl Bench {
    fn new(subject: Subject) -> Self {
        Self {
            host: Host::new(HostConfig::default()),
            subject,
            now: Instant::from_millis(1_000),
            nonces: 0,
            under_way: None,
            heard: Vec::new(),
            listener: wire::Listener::default(),
        }
    }

    fn nonce(&mut self) -> [u8; 8] {
        self.nonces += 1;
        self.nonces.to_be_bytes()
    }

    fn begin(&mut self, under_way: Doing) {
        self.under_way = Some(under_way);
        self.heard.clear();
        self.listener = wire::Listener::default();
    }

    /// A channel is asked for and given.
    fn open(&mut self) {
        let nonce = self.nonce();
        self.host.open(self.now, nonce);
        self.begin(Doing::Init(nonce));
        self.look();
        self.answer_init(BROADCAST, nonce, OWN);
        self.look();
        assert!(self.host.device().is_some(), "the channel is open");
    }

    fn step(&mut self, tape: &mut Tape<'_>) {
        match tape.below(12) {
            0..=2 => self.request(tape),
            3 => {
                self.host.cancel();
                if let Some(Doing::Request { cancelled, .. }) = &mut self.under_way {
                    *cancelled = true;
                }
            }
            4 => {
                let nonce = self.nonce();
                if self.host.resynchronise(self.now, nonce).is_ok() {
                    self.begin(Doing::Init(nonce));
                }
            }
            5 if tape.below(4) == 0 => self.open(),
            5 | 6 => self.answer(tape),
            7 => {
                let (sequence, data) = (tape.byte() & 0x7F, tape.piece());
                self.receive(wire::packet(OWN, sequence, data));
            }
            8 => {
                let status = tape.byte();
                self.receive(wire::packet(OWN, KEEPALIVE, &[0, 1, status]));
            }
            9 => {
                let code = tape.pick(&[6, 6, 4, 11, 1, 0x7F]);
                self.receive(wire::packet(OWN, ERROR, &[0, 1, code]));
            }
            10 => self.receive(tape.array()),
            _ => self.pass(tape.short().into()),
        }
    }

    fn request(&mut self, tape: &mut Tape<'_>) {
        let command = tape.pick(&[CBOR, MSG, PING]);
        let length = usize::from(tape.short()) % 400;
        let message = vec![tape.byte(); length];
        let asked = Command::from_u8(command & 0x7F);
        if self.host.request(self.now, asked, &message).is_ok() {
            assert!(self.under_way.is_none(), "one command at a time");
            self.begin(Doing::Request { command, message, cancelled: false });
        }
    }

    /// A device's answer to what is under way, whole or in part.
    fn answer(&mut self, tape: &mut Tape<'_>) {
        let length = usize::from(tape.short()) % 400;
        let parts = tape.below(9);
        match &self.under_way {
            Some(Doing::Request { command, .. }) => {
                let packets = wire::message(OWN, *command, &vec![tape.byte(); length]);
                packets.into_iter().take(parts).for_each(|packet| self.receive(packet));
            }
            Some(Doing::Init(nonce)) => {
                let (nonce, given) = (*nonce, if parts == 0 { tape.short().into() } else { OWN });
                self.answer_init(OWN, nonce, given);
            }
            None => {}
        }
    }

    fn answer_init(&mut self, channel: u32, nonce: [u8; 8], given: u32) {
        let answer = [&[0, 17][..], &nonce, &given.to_be_bytes(), &[2, 0, 0, 0, 0x05]].concat();
        self.receive(wire::packet(channel, INIT, &answer));
    }

    fn receive(&mut self, report: Report) {
        let mut delivered = report;
        if wire::channel(&report) == OWN {
            if self.subject == Subject::Planted && !wire::opens(&report) {
                let begun = self.heard.iter().rposition(wire::opens);
                let sequence = begun.map_or(0, |at| self.heard.len() - at - 1);
                delivered[4] = u8::try_from(sequence & 0x7F).unwrap();
            }
            self.heard.push(report);
        }
        self.host.handle_report(self.now, &delivered);
        self.look();
    }

    fn pass(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis % 10_000);
        self.wake_until(end);
        self.now = end;
    }

    fn wake_until(&mut self, end: Instant) {
        let mut wakes = 0;
        while let Some(wake) = self.host.poll_timeout().filter(|wake| *wake <= end) {
            self.now = self.now.max(wake);
            self.host.handle_timeout(self.now);
            self.look();
            wakes += 1;
            assert!(wakes < 1_000, "a deadline that was served must move on");
        }
    }

    /// What leaves, and what came of it.
    fn look(&mut self) {
        while let Some(report) = self.host.poll_report() {
            self.leaves(&report);
        }
        while let Some(event) = self.host.poll_event() {
            if !matches!(event, HostEvent::Keepalive(_)) {
                self.ended(&event);
            }
        }
    }

    fn leaves(&mut self, report: &Report) {
        let Some((channel, command, bytes)) = self.listener.hear(report) else { return };
        match self.under_way.as_ref().expect("nothing leaves without a command") {
            Doing::Init(nonce) => assert_eq!((command, &bytes[..]), (INIT, &nonce[..])),
            Doing::Request { cancelled: true, .. } if command == CANCEL => {
                assert_eq!((channel, bytes), (OWN, vec![]));
            }
            Doing::Request { command: asked, message, .. } => {
                assert_eq!((channel, command), (OWN, *asked));
                assert!(&bytes == message, "another request than was asked for");
            }
        }
    }

    fn ended(&mut self, event: &HostEvent) {
        let under_way = self.under_way.take().expect("one outcome for one command");
        match (event, under_way) {
            (HostEvent::Opened(device), Doing::Init(_)) => {
                assert_eq!(device.channel.as_u32(), OWN, "no other channel was ever given");
            }
            (HostEvent::Answer(answer), Doing::Request { command, .. }) => {
                let begun = self.heard.iter().rposition(wire::opens).unwrap_or(0);
                let read = wire::assembled(&self.heard[begun..]);
                assert_eq!(read, Some((command, answer.clone())), "the answer that was sent");
            }
            (HostEvent::Failed(_), _) => {}
            (event, _) => panic!("{event:?} is no outcome of this command"),
        }
    }

    /// A device that falls silent is given up in time, and a new channel can be had.
    fn ends(&mut self) {
        let patience = self.now + Duration::from_secs(30);
        self.wake_until(patience);
        assert_eq!(self.host.poll_timeout(), None, "a host does not wait for ever");
        assert!(self.under_way.is_none(), "a command without an outcome");
        self.now = patience;
        self.open();
    }
}
