//! A `Device` on the bench: one clock, one wire, and the application's side in the test's own hands. With
//! `SOFTKEY_TEST_BOARD` a board lies there instead, of which the wire and the clock alone are in reach.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use softkey_ctap::Instant;
use softkey_ctap_hid::{Device, DeviceConfig, Event, Job, JobId, Peer, Status};
use softkey_tests::key::Bare;

use crate::wire::{self, BROADCAST, Channel, INIT, Report};

pub(crate) const NONCE: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

/// authenticatorSelection, with which every key waits for a touch.
const SELECTION: u8 = 0x0B;
const INVALID_COMMAND: u8 = 0x01;
const KEEPALIVE_CANCEL: u8 = 0x2D;

pub(crate) struct Bench {
    pub(crate) device: Side,
    board: Option<Bare>,
    now: Instant,
    /// The request that waits for the user, where the test is the application.
    asking: Option<JobId>,
}

/// The side of the device that its owner sees, which a board does not show.
pub(crate) struct Side(Option<Device>);

impl Deref for Side {
    type Target = Device;

    fn deref(&self) -> &Device {
        self.0.as_ref().unwrap_or_else(|| Bare::lacks("a view of the device from its owner's side"))
    }
}

impl DerefMut for Side {
    fn deref_mut(&mut self) -> &mut Device {
        self.0.as_mut().unwrap_or_else(|| Bare::lacks("a view of the device from its owner's side"))
    }
}

impl Bench {
    /// The default device, or the board that this run of the tests is about.
    pub(crate) fn new() -> Self {
        let now = Instant::from_millis(1_000_000);
        match Bare::of_this_run(now) {
            Some(board) => Self { device: Side(None), board: Some(board), now, asking: None },
            None => Self::inside(DeviceConfig::default(), now),
        }
    }

    /// A device of this configuration, which no board has.
    pub(crate) fn with(config: DeviceConfig) -> Self {
        softkey_tests::key::beyond_a_board("another configuration");
        Self::inside(config, Instant::from_millis(1_000_000))
    }

    fn inside(config: DeviceConfig, now: Instant) -> Self {
        let device = Side(Some(Device::new(config, 0x5EED)));
        Self { device, board: None, now, asking: None }
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

    /// A bench on which a request of `channel` waits for the user, who stays away.
    pub(crate) fn asking() -> (Self, Channel) {
        let (mut bench, channel) = Self::opened();
        bench.ask(channel);
        (bench, channel)
    }

    /// A request that waits for the user, told so at once.
    pub(crate) fn ask(&mut self, channel: Channel) {
        let mut told = self.send(&wire::message(channel, wire::CBOR, &[SELECTION]));
        if self.board.is_none() {
            self.asking = self.device.poll_job().map(|job| job.id);
            told.extend(self.status(Status::UserNeeded));
        }
        assert_eq!(told, [wire::keepalive(channel, 2)]);
    }

    /// Puts reports on the wire and takes what comes back at once from a whole key. Where the test is the application it
    /// hears a CANCEL, and knows no other request.
    pub(crate) fn send_to_key(&mut self, reports: &[Report]) -> Vec<Report> {
        let mut sent = self.send(reports);
        if self.board.is_none() {
            let now = self.now;
            while let Some(job) = self.device.poll_job() {
                self.device.answer(now, job.id, &[INVALID_COMMAND]);
            }
            for event in self.events() {
                if let Event::Cancelled(job, _) = event
                    && self.asking == Some(job)
                {
                    self.device.answer(now, job, &[KEEPALIVE_CANCEL]);
                }
            }
            sent.extend(self.sent());
        }
        sent
    }

    /// The bytes of a board's heap that were in use at its fullest. None in process, whose heap is that of all tests.
    pub(crate) fn heap_peak(&mut self) -> Option<u32> {
        self.board.as_mut().map(Bare::heap_peak)
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
            match &mut self.board {
                Some(board) => board.receive(self.now, report),
                None => self.device.receive(self.now, report),
            }
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
        if let Some(board) = &mut self.board {
            return std::iter::from_fn(|| board.poll_report(self.now)).collect();
        }
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

    /// Goes on only where the test is the application, not a whole key.
    pub(crate) fn is_application(&self) {
        let _ = self.device.channel_count();
    }

    /// The application is told of nothing. What a board's is told cannot be seen.
    pub(crate) fn tells_nothing(&mut self) {
        if self.board.is_none() {
            assert_eq!(self.events(), []);
        }
    }

    /// There is no request for the application. What a board's is given shows in what the board sends.
    pub(crate) fn has_no_job(&mut self) {
        if self.board.is_none() {
            assert_eq!(self.device.poll_job(), None);
        }
    }

    pub(crate) fn start_job(&mut self, channel: Channel, command: u8, payload: &[u8]) -> Job {
        self.is_application();
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
        let now = self.now;
        self.device.answer(now, job, payload);
        wire::read(&self.sent(), channel, command).expect("a well-formed answer")
    }

    pub(crate) fn status(&mut self, status: Status) -> Vec<Report> {
        let now = self.now;
        self.device.status(now, status);
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
            let wake = match &self.board {
                Some(board) => board.poll_timeout(),
                None => self.device.poll_timeout(),
            };
            let wake = wake.filter(|wake| *wake <= end);
            assert!(wakes <= millis + 1, "a deadline that was served must move on");
            wakes += 1;
            self.now = wake.unwrap_or(end);
            match &mut self.board {
                Some(board) => board.handle_timeout(),
                None => self.device.handle_timeout(self.now),
            }
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
