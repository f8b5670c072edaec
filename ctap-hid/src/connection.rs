//! The blocking driver of a [`Host`]: one call, one answer, over any [`Transport`].

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::ops::ControlFlow;
use core::time::Duration;

use softkey_ctap::Instant;

use crate::host::{DeviceInfo, Host, HostConfig, HostError, HostEvent};
use crate::packet::Report;
use crate::wire::{Command, Status};

/// Stale reports read at most before a channel is opened; other programs' traffic may never end.
const MAX_STALE_REPORTS: usize = 256;

/// What a blocking host needs of the world: a wire, a clock and chance.
pub trait Transport {
    /// How the wire fails.
    type Error;

    /// The clock, from a start of its own choice.
    fn now(&self) -> Instant;

    /// Eight bytes for an INIT, different from any other program's.
    ///
    /// # Errors
    /// If there is no randomness to be had.
    fn nonce(&mut self) -> Result<[u8; 8], Self::Error>;

    /// Sends one report.
    ///
    /// # Errors
    /// If the wire is broken.
    fn send(&mut self, report: &Report) -> Result<(), Self::Error>;

    /// The next report, waiting for it no longer than `timeout`; zero only looks.
    ///
    /// # Errors
    /// If the wire is broken.
    fn receive(&mut self, timeout: Duration) -> Result<Option<Report>, Self::Error>;
}

impl<T: Transport + ?Sized> Transport for Box<T> {
    type Error = T::Error;

    fn now(&self) -> Instant {
        (**self).now()
    }

    fn nonce(&mut self) -> Result<[u8; 8], Self::Error> {
        (**self).nonce()
    }

    fn send(&mut self, report: &Report) -> Result<(), Self::Error> {
        (**self).send(report)
    }

    fn receive(&mut self, timeout: Duration) -> Result<Option<Report>, Self::Error> {
        (**self).receive(timeout)
    }
}

/// Why a call on a [`Connection`] failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionError<E> {
    /// The device or the protocol.
    Host(HostError),
    /// The wire.
    Transport(E),
}

impl<E: fmt::Display> fmt::Display for ConnectionError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(error) => error.fmt(f),
            Self::Transport(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for ConnectionError<E> {}

impl<E> From<HostError> for ConnectionError<E> {
    fn from(error: HostError) -> Self {
        Self::Host(error)
    }
}

/// An open channel to a device. Each call sends a request and blocks until its answer; busy devices are
/// retried, and a channel that a failure left out of step is resynchronised before the next request.
pub struct Connection<T> {
    host: Host,
    transport: T,
}

impl<T: Transport> Connection<T> {
    /// Opens a channel with the default timeouts.
    ///
    /// # Errors
    /// [`HostError::Timeout`], [`HostError::Busy`], [`HostError::MalformedInit`],
    /// [`HostError::Device`], or the wire's.
    pub fn open(transport: T) -> Result<Self, ConnectionError<T::Error>> {
        Self::open_with(transport, HostConfig::default())
    }

    /// Opens a channel: drops stale reports, then INIT on broadcast.
    ///
    /// # Errors
    /// As [`Connection::open`].
    pub fn open_with(
        mut transport: T,
        config: HostConfig,
    ) -> Result<Self, ConnectionError<T::Error>> {
        for _ in 0..MAX_STALE_REPORTS {
            if transport.receive(Duration::ZERO).map_err(ConnectionError::Transport)?.is_none() {
                break;
            }
        }
        let mut connection = Self { host: Host::new(config), transport };
        connection.reopen()?;
        Ok(connection)
    }

    /// What the device said of itself; `None` after the channel was lost.
    #[must_use]
    pub const fn device(&self) -> Option<&DeviceInfo> {
        self.host.device()
    }

    /// The wire.
    pub const fn transport_mut(&mut self) -> &mut T {
        &mut self.transport
    }

    /// Closes the connection; CTAPHID has no message for that.
    pub fn into_transport(self) -> T {
        self.transport
    }

    /// Asks for a new channel, after the device was replugged or has given the old one up.
    ///
    /// # Errors
    /// As [`Connection::open`].
    pub fn reopen(&mut self) -> Result<(), ConnectionError<T::Error>> {
        let nonce = self.transport.nonce().map_err(ConnectionError::Transport)?;
        self.host.open(self.transport.now(), nonce);
        self.finish(&mut |_| ControlFlow::Continue(())).map(drop)
    }

    /// INIT on the own channel: the device drops what it does for it and ends its session.
    ///
    /// # Errors
    /// As [`Connection::open`], and [`HostError::NotOpen`].
    pub fn resynchronise(&mut self) -> Result<(), ConnectionError<T::Error>> {
        let nonce = self.transport.nonce().map_err(ConnectionError::Transport)?;
        self.host.resynchronise(self.transport.now(), nonce)?;
        self.finish(&mut |_| ControlFlow::Continue(())).map(drop)
    }

    /// A CTAP2 request, command byte and CBOR; the answer is status byte and CBOR. `on_keepalive` hears
    /// of each keepalive, at least every 100 ms as the standard has it; once it answers `Break`, CANCEL is
    /// sent, and the answer (0x2D, or a success that came first) is awaited all the same.
    ///
    /// # Errors
    /// Any [`HostError`] but [`HostError::InProgress`] and [`HostError::NotARequest`], or the wire's.
    pub fn cbor(
        &mut self,
        request: &[u8],
        on_keepalive: &mut dyn FnMut(Status) -> ControlFlow<()>,
    ) -> Result<Vec<u8>, ConnectionError<T::Error>> {
        self.call(Command::CBOR, request, on_keepalive)
    }

    /// A CTAP1/U2F APDU; the answer is data, SW1 and SW2.
    ///
    /// # Errors
    /// As [`Connection::cbor`].
    pub fn msg(&mut self, apdu: &[u8]) -> Result<Vec<u8>, ConnectionError<T::Error>> {
        self.request(Command::MSG, apdu)
    }

    /// An echo of 0 to 7609 bytes.
    ///
    /// # Errors
    /// As [`Connection::cbor`].
    pub fn ping(&mut self, payload: &[u8]) -> Result<Vec<u8>, ConnectionError<T::Error>> {
        self.request(Command::PING, payload)
    }

    /// Has the device show itself.
    ///
    /// # Errors
    /// As [`Connection::cbor`].
    pub fn wink(&mut self) -> Result<(), ConnectionError<T::Error>> {
        self.request(Command::WINK, &[]).map(drop)
    }

    /// Takes the device for this channel alone for 1 to 10 seconds; 0 releases it.
    ///
    /// # Errors
    /// As [`Connection::cbor`].
    pub fn lock(&mut self, seconds: u8) -> Result<(), ConnectionError<T::Error>> {
        self.request(Command::LOCK, &[seconds]).map(drop)
    }

    /// Any request, a vendor's too, without interest in keepalives.
    ///
    /// # Errors
    /// Any [`HostError`] but [`HostError::InProgress`], or the wire's.
    pub fn request(
        &mut self,
        command: Command,
        message: &[u8],
    ) -> Result<Vec<u8>, ConnectionError<T::Error>> {
        self.call(command, message, &mut |_| ControlFlow::Continue(()))
    }

    /// Sends a request and returns; [`Connection::poll`] gives what comes of it. For owners of several
    /// connections.
    ///
    /// # Errors
    /// As [`Connection::request`].
    pub fn begin(
        &mut self,
        command: Command,
        message: &[u8],
    ) -> Result<(), ConnectionError<T::Error>> {
        if !self.host.is_in_step() {
            self.resynchronise()?;
        }
        self.host.request(self.transport.now(), command, message)?;
        self.flush()
    }

    /// The next event of the request that [`Connection::begin`] sent, waiting for one report no longer than
    /// `timeout`. Without a request it only lets the time pass.
    ///
    /// # Errors
    /// The wire's; what the device does wrong is [`HostEvent::Failed`].
    pub fn poll(
        &mut self,
        timeout: Duration,
    ) -> Result<Option<HostEvent>, ConnectionError<T::Error>> {
        if let Some(event) = self.host.poll_event() {
            return Ok(Some(event));
        }
        self.wait_no_longer(timeout)?;
        self.flush()?;
        Ok(self.host.poll_event())
    }

    /// Cancels the CBOR request in work, if there is one; its answer still comes ([`Host::cancel`]).
    ///
    /// # Errors
    /// The wire's.
    pub fn cancel(&mut self) -> Result<(), ConnectionError<T::Error>> {
        self.host.cancel();
        self.flush()
    }

    fn call(
        &mut self,
        command: Command,
        message: &[u8],
        on_keepalive: &mut dyn FnMut(Status) -> ControlFlow<()>,
    ) -> Result<Vec<u8>, ConnectionError<T::Error>> {
        self.begin(command, message)?;
        self.finish(on_keepalive)
    }

    /// Drives the host until its command ends; the answer, empty for INIT.
    fn finish(
        &mut self,
        on_keepalive: &mut dyn FnMut(Status) -> ControlFlow<()>,
    ) -> Result<Vec<u8>, ConnectionError<T::Error>> {
        loop {
            self.flush()?;
            match self.host.poll_event() {
                Some(HostEvent::Opened(_)) => return Ok(Vec::new()),
                Some(HostEvent::Answer(answer)) => return Ok(answer),
                Some(HostEvent::Failed(error)) => return Err(error.into()),
                Some(HostEvent::Keepalive(status)) => {
                    if on_keepalive(status).is_break() {
                        self.host.cancel();
                    }
                }
                None => self.wait()?,
            }
        }
    }

    fn flush(&mut self) -> Result<(), ConnectionError<T::Error>> {
        while let Some(report) = self.host.poll_report() {
            self.transport.send(&report).map_err(ConnectionError::Transport)?;
        }
        Ok(())
    }

    /// Waits for a report or the host's next deadline.
    fn wait(&mut self) -> Result<(), ConnectionError<T::Error>> {
        let idle = self.host.poll_timeout().is_none();
        self.wait_no_longer(if idle { Duration::ZERO } else { Duration::MAX })
    }

    fn wait_no_longer(&mut self, timeout: Duration) -> Result<(), ConnectionError<T::Error>> {
        let now = self.transport.now();
        let wake = self.host.poll_timeout().map(|wake| wake.duration_since(now));
        let timeout = wake.unwrap_or(timeout).min(timeout);
        let report = self.transport.receive(timeout).map_err(ConnectionError::Transport)?;
        let now = self.transport.now();
        if let Some(report) = report {
            self.host.handle_report(now, &report);
        }
        self.host.handle_timeout(now);
        Ok(())
    }
}
