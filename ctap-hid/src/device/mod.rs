//! The device side: every rule of CTAPHID from the arriving report to the leaving one (section 11.2).
//! This file owns the order of checks and the life of a transaction; it never looks into a CBOR or MSG
//! message.

mod channels;
mod control;
mod owner;
mod transaction;

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use softkey_ctap::Instant;

pub use self::owner::{DeviceConfig, Event, Job, JobId, JobKind, Outgoing, Peer};

use self::channels::Channels;
use self::transaction::{Receiving, Responding, State, Work};
use crate::message::{Assembly, Fragments};
use crate::packet::{self, INITIALIZATION_DATA_LEN, MAX_MESSAGE_LEN, Packet, Report};
use crate::wire::{ChannelId, Command, HidError, Status};

/// A half-sent message dies this long after its last packet.
const MESSAGE_TIMEOUT: Duration = Duration::from_millis(500);
/// Time between two keepalives. The standard wants one at least every 100 ms; the rest is for the
/// owner's wake-up and the bus.
const KEEPALIVE_INTERVAL: Duration = Duration::from_millis(80);
/// INIT answers and errors kept for a host that does not read; [`gives_way`] says which go first.
const MAX_WAITING: usize = 16;
/// Events kept for an owner that does not poll; with more, arriving reports are dropped.
const MAX_EVENTS: usize = 32;

/// The device end of CTAPHID: one transaction at a time, INIT and CANCEL heard at any time.
///
/// It holds no clock and never calls the application. One loop owns it and may keep the work elsewhere
/// (a worker thread, thread mode under a USB interrupt). Its methods form four families:
///
/// - getters: [`config`](Self::config), [`channel_count`](Self::channel_count),
///   [`transaction_peer`](Self::transaction_peer);
/// - what arrives: [`receive`](Self::receive), [`receive_from`](Self::receive_from),
///   [`handle_timeout`](Self::handle_timeout);
/// - the owner's commands: [`answer`](Self::answer), [`busy`](Self::busy), [`status`](Self::status),
///   [`disconnect`](Self::disconnect);
/// - what must leave, and when to wake: [`poll_report`](Self::poll_report),
///   [`poll_job`](Self::poll_job), [`poll_event`](Self::poll_event),
///   [`poll_timeout`](Self::poll_timeout).
///
/// After each call of the second or third family, poll reports, jobs and events until they are `None`;
/// then sleep until a report arrives, the application has news, or the instant of `poll_timeout`.
/// Readings of the clock must not run backwards.
///
/// Memory is bounded whatever a host does: one message in work (at most 7609 bytes, and as many for
/// its answer), 16 reports of INIT answers and errors, `max_channels` channels, and as many events
/// and 34. A keepalive that has not left yet is replaced by the next one.
pub struct Device {
    config: DeviceConfig,
    channels: Channels,
    lock: Option<Lock>,
    state: State,
    last_job: u64,
    /// INIT answers and errors; they overtake a long answer to another channel.
    waiting: VecDeque<Outgoing>,
    events: VecDeque<Event>,
}

/// Exclusive use of the device by one channel.
struct Lock {
    channel: ChannelId,
    until: Instant,
}

/// Where a packet came from: its sender and its channel.
#[derive(Clone, Copy)]
struct Origin {
    peer: Peer,
    channel: ChannelId,
}

/// The fields of an initialization packet after its channel.
struct Opening<'a> {
    command: Command,
    length: u16,
    data: &'a [u8; INITIALIZATION_DATA_LEN],
}

impl Device {
    /// A device without channels. Channel numbers follow from `channel_seed` alone; they are names,
    /// not secrets.
    #[must_use]
    pub fn new(config: DeviceConfig, channel_seed: u32) -> Self {
        Self {
            channels: Channels::new(config.max_channels, channel_seed),
            config,
            lock: None,
            state: State::Idle,
            last_job: 0,
            waiting: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// What the device was made with.
    #[must_use]
    pub const fn config(&self) -> &DeviceConfig {
        &self.config
    }

    /// Channels allocated now.
    #[must_use]
    pub fn channel_count(&self) -> usize {
        self.channels.len()
    }

    /// Who opened the transaction in work, if there is one: an adapter with a table of peers must not
    /// forget this one.
    #[must_use]
    pub const fn transaction_peer(&self) -> Option<Peer> {
        self.state.peer()
    }

    /// Takes a report from a transport with only one other end; see [`Device::receive_from`].
    pub fn receive(&mut self, now: Instant, report: &Report) {
        self.receive_from(now, Peer::default(), report);
    }

    /// Takes a report. What answers it, and the whole answer of a message it opens, goes to `from`;
    /// apart from that a message may be sent by several peers, since only its channel counts.
    ///
    /// Deadlines that have passed are honoured first, so a late [`Device::handle_timeout`] changes
    /// nothing that a host can see. With more than 32 events waiting the report is dropped, as if the
    /// wire had lost it, because an event must not be.
    pub fn receive_from(&mut self, now: Instant, from: Peer, report: &Report) {
        self.handle_timeout(now);
        if self.events.len() > MAX_EVENTS {
            return;
        }
        let packet = Packet::parse(report);
        let origin = Origin { peer: from, channel: packet.channel() };
        match packet {
            Packet::Initialization { command, length, data, .. } => {
                self.open_message(now, origin, &Opening { command, length, data });
            }
            Packet::Continuation { sequence, data, .. } => {
                self.continue_message(now, origin, sequence, data);
            }
        }
    }

    /// Does what is due: ends a half-sent message, makes a keepalive, lets a lock go.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.lock.as_ref().is_some_and(|lock| now >= lock.until) {
            self.lock = None;
        }
        match &mut self.state {
            State::Receiving(message) if now >= message.deadline => {
                let origin = message.origin();
                self.state = State::Idle;
                self.refuse(origin, HidError::MSG_TIMEOUT);
            }
            State::Working(work) if work.next_keepalive.is_some_and(|due| now >= due) => {
                work.keep_alive(now);
            }
            _ => {}
        }
    }

    /// Answers a job: status byte and CBOR, or data and SW1 SW2. Ignored if the job is not in work any
    /// more. An answer over 7609 bytes, which CTAPHID cannot carry, becomes ERROR `ERR_OTHER`.
    pub fn answer(&mut self, now: Instant, job: JobId, bytes: &[u8]) {
        self.handle_timeout(now);
        if let Some(work) = self.state.take_work(job) {
            let answer = if bytes.len() > MAX_MESSAGE_LEN { None } else { Some(Vec::from(bytes)) };
            self.respond(work.origin, work.command(), answer);
        }
    }

    /// Refuses a job that the owner cannot take now: ERROR `ERR_CHANNEL_BUSY`, and the client will try
    /// again. Ignored if the job is not in work any more.
    pub fn busy(&mut self, now: Instant, job: JobId) {
        self.handle_timeout(now);
        if let Some(work) = self.state.take_work(job) {
            self.refuse(work.origin, HidError::CHANNEL_BUSY);
        }
    }

    /// Says what the job in work waits for. A job begins as [`Status::Processing`]; a change is told
    /// to the client at once, and each 80 ms a keepalive repeats it. MSG jobs send none.
    pub fn status(&mut self, now: Instant, status: Status) {
        self.handle_timeout(now);
        if let State::Working(work) = &mut self.state
            && work.status != status
        {
            work.status = status;
            if work.next_keepalive.is_some() {
                work.keep_alive(now);
            }
        }
    }

    /// The last reader is gone, or the bus was reset: the job in work is aborted, what waits to leave is
    /// dropped, the lock ends, every channel is freed and its session ends.
    pub fn disconnect(&mut self) {
        self.abort();
        self.waiting.clear();
        self.lock = None;
        self.events.extend(self.channels.drain().map(Event::SessionEnded));
    }

    /// The next report that must leave. INIT answers and errors first, then a keepalive, then the
    /// answer to the request in work; when its last report is taken, the device is idle again.
    pub fn poll_report(&mut self) -> Option<Outgoing> {
        if let Some(outgoing) = self.waiting.pop_front() {
            return Some(outgoing);
        }
        match &mut self.state {
            State::Working(work) => work.poll_keepalive(),
            State::Responding(answer) => {
                let to = answer.origin.peer;
                let report = answer.fragments.next_report();
                if answer.fragments.is_done() {
                    self.finish_response();
                }
                report.map(|report| Outgoing { to, report })
            }
            State::Idle | State::Receiving(_) => None,
        }
    }

    /// The request that has arrived, once. At most one is in work until [`Device::answer`],
    /// [`Device::busy`] or [`Event::Aborted`].
    pub fn poll_job(&mut self) -> Option<Job> {
        match &mut self.state {
            State::Working(work) => work.hand_out(),
            _ => None,
        }
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        if let Some(event) = self.events.pop_front() {
            return Some(event);
        }
        match &mut self.state {
            State::Working(work) => work.poll_cancelled(),
            _ => None,
        }
    }

    /// When [`Device::handle_timeout`] must be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Receiving(message) => Some(message.deadline),
            State::Working(work) => work.next_keepalive,
            State::Idle | State::Responding(_) => None,
        }
    }

    /// An initialization packet: channel first, then sequence, then command and length.
    fn open_message(&mut self, now: Instant, origin: Origin, opening: &Opening<'_>) {
        let Origin { channel, .. } = origin;
        let for_all = channel == ChannelId::BROADCAST && opening.command == Command::INIT;
        if !channel.is_allocatable() && !for_all {
            return self.refuse(origin, HidError::INVALID_CHANNEL);
        }
        if opening.command == Command::INIT {
            return self.init(origin, opening);
        }
        if !self.channels.touch(channel) {
            return self.refuse(origin, HidError::INVALID_CHANNEL);
        }
        if opening.command == Command::CANCEL {
            return self.cancel(channel, opening.length);
        }
        if self.is_locked_against(channel) {
            return self.refuse(origin, HidError::CHANNEL_BUSY);
        }
        match &mut self.state {
            State::Idle => self.begin(now, origin, opening),
            State::Receiving(message) if message.channel() == channel => {
                self.state = State::Idle;
                self.refuse(origin, HidError::INVALID_SEQ);
            }
            _ => self.refuse_behind_answer(origin, HidError::CHANNEL_BUSY),
        }
    }

    /// A continuation packet: the next piece of the message in reception, or nothing.
    fn continue_message(&mut self, now: Instant, origin: Origin, sequence: u8, data: &[u8]) {
        if !origin.channel.is_allocatable() {
            return self.refuse(origin, HidError::INVALID_CHANNEL);
        }
        self.channels.touch(origin.channel);
        let State::Receiving(message) = &mut self.state else { return };
        if message.channel() != origin.channel {
            return;
        }
        if message.assembly.push(sequence, data).is_err() {
            let origin = message.origin();
            self.state = State::Idle;
            return self.refuse(origin, HidError::INVALID_SEQ);
        }
        message.deadline = now + MESSAGE_TIMEOUT;
        self.dispatch_if_complete(now);
    }

    /// A new message on an idle device.
    fn begin(&mut self, now: Instant, origin: Origin, opening: &Opening<'_>) {
        let Opening { command, length, data } = opening;
        if let Err(error) = self.check(*command, usize::from(*length)) {
            return self.refuse(origin, error);
        }
        let Some(assembly) = Assembly::new(origin.channel, *command, *length, *data) else {
            return self.refuse(origin, HidError::INVALID_LEN);
        };
        self.state = State::Receiving(Receiving {
            peer: origin.peer,
            assembly,
            deadline: now + MESSAGE_TIMEOUT,
        });
        self.dispatch_if_complete(now);
    }

    /// Is the command offered, and may it have this length?
    fn check(&self, command: Command, length: usize) -> Result<(), HidError> {
        let lengths = match command {
            Command::PING => 0..=MAX_MESSAGE_LEN,
            Command::CBOR if self.config.ctap2 => 1..=MAX_MESSAGE_LEN,
            Command::MSG if self.config.u2f => 1..=MAX_MESSAGE_LEN,
            Command::WINK if self.config.wink => 0..=0,
            Command::LOCK => 1..=1,
            _ => return Err(HidError::INVALID_CMD),
        };
        if lengths.contains(&length) { Ok(()) } else { Err(HidError::INVALID_LEN) }
    }

    fn dispatch_if_complete(&mut self, now: Instant) {
        let Some(message) = self.state.take_complete_message() else { return };
        let origin = message.origin();
        let command = message.assembly.command();
        let bytes = message.assembly.into_bytes();
        match command {
            Command::CBOR => self.start_work(now, origin, JobKind::Cbor, bytes),
            Command::MSG => self.start_work(now, origin, JobKind::Msg, bytes),
            Command::WINK => {
                self.events.push_back(Event::Wink);
                self.respond(origin, command, Some(bytes));
            }
            Command::LOCK => self.lock(now, origin, bytes.first().copied().unwrap_or_default()),
            // Only PING is left of what `check` lets through.
            _ => self.respond(origin, command, Some(bytes)),
        }
    }

    fn start_work(&mut self, now: Instant, origin: Origin, kind: JobKind, bytes: Vec<u8>) {
        self.last_job += 1;
        let next_keepalive = match kind {
            JobKind::Cbor => Some(now + KEEPALIVE_INTERVAL),
            JobKind::Msg => None,
        };
        self.state =
            State::Working(Work::new(JobId(self.last_job), origin, kind, bytes, next_keepalive));
    }

    /// Begins the answer of the transaction; `None` is one that cannot be carried.
    fn respond(&mut self, origin: Origin, command: Command, bytes: Option<Vec<u8>>) {
        match bytes.and_then(|bytes| Fragments::new(origin.channel, command, bytes)) {
            Some(fragments) => {
                self.state = State::Responding(Responding { origin, fragments, then_refuse: None });
            }
            None => self.refuse(origin, HidError::OTHER),
        }
    }

    fn finish_response(&mut self) {
        if let State::Responding(Responding { then_refuse: Some((origin, error)), .. }) =
            core::mem::replace(&mut self.state, State::Idle)
        {
            self.refuse(origin, error);
        }
    }

    /// An error in the middle of this channel's own answer would spoil it.
    fn refuse_behind_answer(&mut self, origin: Origin, error: HidError) {
        match &mut self.state {
            State::Responding(answer) if answer.origin.channel == origin.channel => {
                answer.then_refuse = Some((origin, error));
            }
            _ => self.refuse(origin, error),
        }
    }

    fn refuse(&mut self, origin: Origin, error: HidError) {
        self.send_short(origin, Command::ERROR, &[error.as_u8()]);
    }

    /// Queues a message of one report outside the transaction.
    fn send_short(&mut self, origin: Origin, command: Command, payload: &[u8]) {
        self.waiting.push_back(Outgoing {
            to: origin.peer,
            report: short(origin.channel, command, payload),
        });
        if self.waiting.len() > MAX_WAITING {
            let first = self.waiting.iter().enumerate().min_by_key(|(_, waits)| gives_way(waits));
            let first = first.map(|(place, _)| place);
            first.and_then(|place| self.waiting.remove(place));
        }
    }
}

/// What is dropped first where too much waits, the least first and of equals the oldest: errors, then answers to
/// INIT on the broadcast channel. The answer to INIT on a channel is the last to go, for it alone tells the client
/// that what it was sent before is broken off. So no other program can flood it away with faulty packets.
const fn gives_way(outgoing: &Outgoing) -> u8 {
    match Packet::parse(&outgoing.report) {
        Packet::Initialization { command: Command::ERROR, .. } => 0,
        Packet::Initialization { channel: ChannelId::BROADCAST, .. } => 1,
        _ => 2,
    }
}

/// A message of one report; `payload` has at most 57 bytes.
fn short(channel: ChannelId, command: Command, payload: &[u8]) -> Report {
    let length = u16::try_from(payload.len()).unwrap_or_default();
    packet::initialization(channel, command, length, payload)
}
