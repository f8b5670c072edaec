//! The host side: opens a channel, sends requests, reads answers, and knows what to make of everything
//! else a device may send (section 11.2, and the rules clients live by). It never looks into a CBOR or
//! MSG message.

mod error;
mod exchange;

use alloc::vec::Vec;
use core::time::Duration;

use softkey_ctap::Instant;

pub use self::error::HostError;

use self::exchange::{Exchange, Handshake, Pace};
use crate::message::Fragments;
use crate::packet::{Packet, Report};
use crate::wire::{Capabilities, ChannelId, Command, HidError, Status};

/// How long a host waits for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostConfig {
    /// For the answer to INIT.
    pub init_timeout: Duration,
    /// For the next packet of any other answer; each keepalive starts it again.
    pub silence_timeout: Duration,
    /// After `ERR_CHANNEL_BUSY`, before the next try.
    pub busy_pause: Duration,
    /// From the first `ERR_CHANNEL_BUSY` to giving up.
    pub busy_patience: Duration,
}

impl Default for HostConfig {
    /// 1 s, 3 s, 100 ms, 5 s.
    fn default() -> Self {
        Self {
            init_timeout: Duration::from_secs(1),
            silence_timeout: Duration::from_secs(3),
            busy_pause: Duration::from_millis(100),
            busy_patience: Duration::from_secs(5),
        }
    }
}

/// What a device says of itself in its INIT answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
    /// The channel this host has.
    pub channel: ChannelId,
    /// `CTAPHID` protocol version; 2 today.
    pub protocol_version: u8,
    /// Device version: major, minor, build.
    pub version: [u8; 3],
    /// What the device can do.
    pub capabilities: Capabilities,
}

/// What came of a command, or happens meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostEvent {
    /// The channel is open, or in step again.
    Opened(DeviceInfo),
    /// The request is in work. Several that were not polled are one, the latest.
    Keepalive(Status),
    /// The request's whole answer, 0 to 7609 bytes, without padding.
    Answer(Vec<u8>),
    /// The command failed.
    Failed(HostError),
}

/// The host end of CTAPHID: one channel, one command at a time.
///
/// It holds no clock and does no input or output. Its methods form four families:
///
/// - getters: [`device`](Self::device), [`is_in_step`](Self::is_in_step);
/// - what arrives: [`handle_report`](Self::handle_report), [`handle_timeout`](Self::handle_timeout);
/// - the owner's commands: [`open`](Self::open), [`resynchronise`](Self::resynchronise),
///   [`request`](Self::request), [`cancel`](Self::cancel);
/// - what must leave, and when to wake: [`poll_report`](Self::poll_report),
///   [`poll_event`](Self::poll_event), [`poll_timeout`](Self::poll_timeout).
///
/// Each command ends in exactly one of [`HostEvent::Opened`], [`HostEvent::Answer`],
/// [`HostEvent::Failed`], unless another `open` or `resynchronise` replaces it. After each call of the
/// second or third family, send what `poll_report` gives and look at `poll_event`; then sleep until a
/// report arrives or the instant of `poll_timeout`. `ERR_CHANNEL_BUSY` is retried silently.
pub struct Host {
    config: HostConfig,
    device: Option<DeviceInfo>,
    state: State,
    keepalive: Option<Status>,
    outcome: Option<HostEvent>,
}

enum State {
    /// Nothing in progress.
    Idle,
    /// Something went wrong on our channel and late packets may come: only INIT helps.
    OutOfStep,
    Opening(Handshake),
    Requesting(Exchange),
}

impl Host {
    /// A host without a channel.
    #[must_use]
    pub const fn new(config: HostConfig) -> Self {
        Self { config, device: None, state: State::Idle, keepalive: None, outcome: None }
    }

    /// The device, once a channel is open.
    #[must_use]
    pub const fn device(&self) -> Option<&DeviceInfo> {
        self.device.as_ref()
    }

    /// False if [`Host::resynchronise`] is needed before the next request.
    #[must_use]
    pub const fn is_in_step(&self) -> bool {
        !matches!(self.state, State::OutOfStep)
    }

    /// Asks for a channel: INIT on broadcast. `nonce` must differ from that of every other program that
    /// uses the device: take it from a random source. What was in progress is forgotten.
    pub fn open(&mut self, now: Instant, nonce: [u8; 8]) {
        self.device = None;
        self.shake_hands(now, ChannelId::BROADCAST, nonce);
    }

    /// INIT on the own channel: the device drops what it does for it, and both ends are in step again.
    ///
    /// # Errors
    /// [`HostError::NotOpen`] without a channel.
    pub fn resynchronise(&mut self, now: Instant, nonce: [u8; 8]) -> Result<(), HostError> {
        let channel = self.device.ok_or(HostError::NotOpen)?.channel;
        self.shake_hands(now, channel, nonce);
        Ok(())
    }

    /// Sends a request: CBOR, MSG, PING, WINK, LOCK or one of a vendor, `message` of 0 to 7609 bytes.
    ///
    /// # Errors
    /// [`HostError::InProgress`], [`HostError::NotOpen`], [`HostError::OutOfStep`],
    /// [`HostError::NotARequest`], [`HostError::RequestTooLong`]; nothing was sent.
    pub fn request(
        &mut self,
        now: Instant,
        command: Command,
        message: &[u8],
    ) -> Result<(), HostError> {
        match self.state {
            State::Idle => {}
            State::OutOfStep => return Err(HostError::OutOfStep),
            State::Opening(_) | State::Requesting(_) => return Err(HostError::InProgress),
        }
        let channel = self.device.ok_or(HostError::NotOpen)?.channel;
        if matches!(command, Command::INIT | Command::CANCEL | Command::KEEPALIVE | Command::ERROR)
        {
            return Err(HostError::NotARequest);
        }
        let fragments = Fragments::new(channel, command, Vec::from(message))
            .ok_or(HostError::RequestTooLong)?;
        let pace = Pace::begin(now, self.config.silence_timeout);
        self.begin(State::Requesting(Exchange::new(fragments, pace)));
        Ok(())
    }

    /// Asks the device to end the CBOR request in progress. Its answer still comes: the single byte 0x2D,
    /// or a success that came first and must not be lost. If the device has not seen the request yet it
    /// never will, and [`HostError::Cancelled`] comes. Without a CBOR request nothing happens.
    pub fn cancel(&mut self) {
        if let State::Requesting(exchange) = &mut self.state
            && exchange.command() == Command::CBOR
            && !exchange.cancel()
        {
            self.fail(HostError::Cancelled, State::Idle);
        }
    }

    /// Takes a report. Reports of other channels are dropped: the device may serve other programs.
    pub fn handle_report(&mut self, now: Instant, report: &Report) {
        let packet = Packet::parse(report);
        match &self.state {
            State::Opening(handshake) if handshake.channel == packet.channel() => {
                self.handle_handshake(now, &packet);
            }
            State::Requesting(exchange) if exchange.channel() == packet.channel() => {
                self.handle_exchange(now, &packet);
            }
            _ => {}
        }
    }

    /// Does what is due: a further try, or giving up.
    pub fn handle_timeout(&mut self, now: Instant) {
        match &mut self.state {
            State::Opening(handshake) => {
                if let Err(error) = handshake.handle_timeout(now, self.config.init_timeout) {
                    self.finish_handshake(Err(error));
                }
            }
            State::Requesting(exchange) => {
                if let Err(error) = exchange.handle_timeout(now, self.config.silence_timeout) {
                    self.fail(error, State::OutOfStep);
                }
            }
            State::Idle | State::OutOfStep => {}
        }
    }

    /// The next report that must leave.
    pub fn poll_report(&mut self) -> Option<Report> {
        match &mut self.state {
            State::Opening(handshake) => handshake.poll_report(),
            State::Requesting(exchange) => exchange.poll_report(),
            State::Idle | State::OutOfStep => None,
        }
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<HostEvent> {
        self.keepalive.take().map(HostEvent::Keepalive).or_else(|| self.outcome.take())
    }

    /// When [`Host::handle_timeout`] must be called next.
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Opening(handshake) => Some(handshake.pace.wake()),
            State::Requesting(exchange) => Some(exchange.pace.wake()),
            State::Idle | State::OutOfStep => None,
        }
    }

    fn shake_hands(&mut self, now: Instant, channel: ChannelId, nonce: [u8; 8]) {
        let pace = Pace::begin(now, self.config.init_timeout);
        self.begin(State::Opening(Handshake::new(channel, nonce, pace)));
    }

    fn begin(&mut self, state: State) {
        self.state = state;
        self.keepalive = None;
        self.outcome = None;
    }

    fn handle_handshake(&mut self, now: Instant, packet: &Packet<'_>) {
        let State::Opening(handshake) = &mut self.state else { return };
        let Packet::Initialization { command, length, data, .. } = packet else { return };
        match *command {
            Command::INIT if handshake.is_answered_by(*data) => {
                let device = handshake.read_answer(*length, *data);
                self.finish_handshake(device.ok_or(HostError::MalformedInit));
            }
            Command::ERROR => {
                let error = HidError(data.first().copied().unwrap_or_default());
                if let Err(error) = handshake.handle_error(now, error, &self.config) {
                    self.finish_handshake(Err(error));
                }
            }
            _ => {}
        }
    }

    fn finish_handshake(&mut self, device: Result<DeviceInfo, HostError>) {
        match device {
            Ok(device) => {
                self.device = Some(device);
                self.end(HostEvent::Opened(device), State::Idle);
            }
            // Without a channel, or still out of step on the one we have.
            Err(error) if self.device.is_some() => self.fail(error, State::OutOfStep),
            Err(error) => self.fail(error, State::Idle),
        }
    }

    fn handle_exchange(&mut self, now: Instant, packet: &Packet<'_>) {
        let State::Requesting(exchange) = &mut self.state else { return };
        let whole = match *packet {
            Packet::Initialization { command: Command::ERROR, data, .. } => {
                return self.handle_error(now, HidError(data.first().copied().unwrap_or_default()));
            }
            Packet::Initialization { command: Command::KEEPALIVE, data, .. }
                if !exchange.has_answer_begun() =>
            {
                self.keepalive = Some(Status::from_u8(data.first().copied().unwrap_or_default()));
                exchange.pace.restart(now, self.config.silence_timeout);
                return;
            }
            Packet::Initialization { command, length, data, .. } => {
                exchange.begin_answer(command, length, data)
            }
            Packet::Continuation { sequence, data, .. } => exchange.continue_answer(sequence, data),
        };
        match whole {
            Ok(Some(answer)) => self.end(HostEvent::Answer(answer), State::Idle),
            Ok(None) => exchange.pace.restart(now, self.config.silence_timeout),
            Err(error) => self.fail(error, State::OutOfStep),
        }
    }

    /// ERROR on our channel: the transaction is dead.
    fn handle_error(&mut self, now: Instant, error: HidError) {
        let State::Requesting(exchange) = &mut self.state else { return };
        match error {
            HidError::CHANNEL_BUSY if exchange.is_cancelled() => {
                self.fail(HostError::Cancelled, State::Idle);
            }
            HidError::CHANNEL_BUSY => {
                if !exchange.pause(now, &self.config) {
                    self.fail(HostError::Busy, State::Idle);
                }
            }
            HidError::INVALID_CHANNEL => {
                self.device = None;
                self.fail(HostError::Device(error), State::Idle);
            }
            _ => self.fail(HostError::Device(error), State::Idle),
        }
    }

    fn fail(&mut self, error: HostError, state: State) {
        self.end(HostEvent::Failed(error), state);
    }

    fn end(&mut self, outcome: HostEvent, state: State) {
        self.state = state;
        self.outcome = Some(outcome);
    }
}
