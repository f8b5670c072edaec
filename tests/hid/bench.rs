//! A `Device` on the bench: one clock, one wire, and the application's side in the test's own hands.

use std::time::Duration;

use softkey_ctap::Instant;
use softkey_ctap_hid::{Device, DeviceConfig, Event, Job, JobId, Peer, Status};

use crate::wire::{self, BROADCAST, Channel, INIT, Report};

pub(crate) const NONCE: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

pub(crate) struct Bench {
    pub(crate) device: Device,
    now: Instant,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(DeviceConfig::default())
    }

    pub(crate) fn with(config: DeviceConfig) -> Self {
        Self { device: Device::new(config, 0x5EED), now: Instant::from_millis(1_000_000) }
    }

    /// A bench with one channel opened.
    pub(crate) fn opened() -> (Self, Channel) {
        let mut bench = Self::new();
        let channel = bench.open();
        (bench, channel)
    }

    /// A bench on which the application has a CBOR request of `channel` in work.
    pub(crate) fn working() -> (Self, Channel, Job) {
        let (mut bench, channel) = Self::opened();
        let job = bench.start_job(channel, wire::CBOR, &[0x01, 0xA0]);
        (bench, channel, job)
    }

    /// INIT on broadcast; the channel it gives.
    pub(crate) fn open(&mut self) -> Channel {
        let answer = self.exchange(BROADCAST, INIT, &NONCE);
        assert_eq!(answer[..8], NONCE);
        answer[8..12].try_into().expect("four bytes")
    }

    pub(crate) fn now(&self) -> Instant {
        self.now
    }

    /// Puts reports on the wire and takes what comes back at once.
    pub(crate) fn send(&mut self, reports: &[Report]) -> Vec<Report> {
        for report in reports {
            self.device.receive(self.now, report);
        }
        self.sent()
    }

    pub(crate) fn send_from(&mut self, peer: u64, reports: &[Report]) {
        for report in reports {
            self.device.receive_from(self.now, Peer(peer), report);
        }
    }

    /// What leaves the device now.
    pub(crate) fn sent(&mut self) -> Vec<Report> {
        self.sent_to().into_iter().map(|(_, report)| report).collect()
    }

    /// What leaves the device now, with its addressee.
    pub(crate) fn sent_to(&mut self) -> Vec<(u64, Report)> {
        std::iter::from_fn(|| self.device.poll_report()).map(|out| (out.to.0, out.report)).collect()
    }

    /// One request that the device answers by itself; the answer's payload.
    pub(crate) fn exchange(&mut self, channel: Channel, command: u8, payload: &[u8]) -> Vec<u8> {
        let answer = self.send(&wire::message(channel, command, payload));
        wire::read(&answer, channel, command).expect("a well-formed answer")
    }

    /// The request is refused with exactly this one error.
    pub(crate) fn refused(&mut self, reports: &[Report], channel: Channel, code: u8) {
        assert_eq!(self.send(reports), [wire::error(channel, code)]);
    }

    /// The whole device works: a PING on this channel comes back.
    pub(crate) fn alive(&mut self, channel: Channel) {
        assert_eq!(self.exchange(channel, wire::PING, b"alive?"), b"alive?");
    }

    pub(crate) fn start_job(&mut self, channel: Channel, command: u8, payload: &[u8]) -> Job {
        assert_eq!(self.send(&wire::message(channel, command, payload)), [[0; 64]; 0]);
        let job = self.device.poll_job().expect("a request for the application");
        assert_eq!(job.bytes, payload);
        assert_eq!(self.device.poll_job(), None);
        job
    }

    /// The application answers; the payload that leaves.
    pub(crate) fn answer(
        &mut self,
        channel: Channel,
        command: u8,
        job: JobId,
        payload: &[u8],
    ) -> Vec<u8> {
        self.device.answer(self.now, job, payload);
        wire::read(&self.sent(), channel, command).expect("a well-formed answer")
    }

    pub(crate) fn status(&mut self, status: Status) -> Vec<Report> {
        self.device.status(self.now, status);
        self.sent()
    }

    pub(crate) fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.device.poll_event()).collect()
    }

    /// Lets time pass, waking the device exactly when it asks; what leaves, with milliseconds from now.
    pub(crate) fn pass(&mut self, millis: u64) -> Vec<(u64, Report)> {
        let begin = self.now;
        let end = begin + Duration::from_millis(millis);
        let mut seen = Vec::new();
        let mut wakes = 0;
        loop {
            let wake = self.device.poll_timeout().filter(|wake| *wake <= end);
            assert!(wakes <= millis + 1, "a deadline that was served must move on");
            wakes += 1;
            self.now = wake.unwrap_or(end);
            self.device.handle_timeout(self.now);
            let at = self.now.as_millis() - begin.as_millis();
            seen.extend(self.sent().into_iter().map(|report| (at, report)));
            if wake.is_none() {
                return seen;
            }
        }
    }

    /// Lets time pass without waking the device.
    pub(crate) fn oversleep(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
    }
}
