//! What the device-side adapters have in common, and what they take from the operating system: the wall
//! clock and chance. Nothing else in the crate reads a clock.

use std::io;
use std::net::SocketAddr;
use std::time;

use softkey_ctap::Instant;

use crate::device::{Device, Outgoing, Peer};
use crate::packet::Report;

/// Reports taken at once: a flood of them must leave the owner time for events and jobs.
#[cfg(any(feature = "udp", all(feature = "uhid", target_os = "linux")))]
pub(crate) const REPORTS_PER_PUMP: usize = 16;

/// What a [`Port`] needs of the device behind it. Beside [`Device`], whatever stands around one to change what it
/// says is this.
pub trait Reports {
    /// As [`Device::receive_from`].
    fn receive_from(&mut self, now: Instant, from: Peer, report: &Report);

    /// As [`Device::disconnect`].
    fn disconnect(&mut self);

    /// As [`Device::transaction_peer`].
    fn transaction_peer(&self) -> Option<Peer>;

    /// As [`Device::poll_report`].
    fn poll_report(&mut self) -> Option<Outgoing>;
}

impl Reports for Device {
    fn receive_from(&mut self, now: Instant, from: Peer, report: &Report) {
        Self::receive_from(self, now, from, report);
    }

    fn disconnect(&mut self) {
        Self::disconnect(self);
    }

    fn transaction_peer(&self) -> Option<Peer> {
        Self::transaction_peer(self)
    }

    fn poll_report(&mut self) -> Option<Outgoing> {
        Self::poll_report(self)
    }
}

/// One way from the outside to a [`Device`]. Its owner loops: sleep until the descriptor is readable or
/// one of the deadlines (the device's and the port's) has come; [`Device::handle_timeout`];
/// [`Port::pump`]; take jobs and events; give answers; [`Port::flush`].
pub trait Port {
    /// Feeds the device what has arrived, at most 16 reports, without blocking, and sends what the device
    /// has to say to each. Poll the device's events before the next call.
    ///
    /// # Errors
    /// If the port is broken for good; a host that vanished is no error.
    fn pump(&mut self, now: Instant, device: &mut dyn Reports) -> io::Result<()>;

    /// Sends everything the device wants to send now.
    ///
    /// # Errors
    /// As [`Port::pump`].
    fn flush(&mut self, device: &mut dyn Reports) -> io::Result<()>;

    /// True if [`Port::flush`] stopped because the system could not take more: call it again when the
    /// descriptor is writable.
    fn is_stalled(&self) -> bool {
        false
    }

    /// When [`Port::pump`] must be called next even if nothing arrives.
    fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// The address of a peer, if this port has several and still knows this one.
    fn address(&self, peer: Peer) -> Option<SocketAddr> {
        let _ = peer;
        None
    }

    /// The descriptor to wait for; it becomes readable when a report arrives.
    #[cfg(unix)]
    fn descriptor(&self) -> std::os::fd::BorrowedFd<'_>;
}

/// The wall clock, in milliseconds since it was made.
#[derive(Clone, Copy, Debug)]
pub struct WallClock(time::Instant);

impl WallClock {
    /// A clock that reads zero now.
    #[must_use]
    pub fn start() -> Self {
        Self(time::Instant::now())
    }

    /// The reading now; it never runs backwards.
    #[must_use]
    pub fn now(&self) -> Instant {
        Instant::from_millis(u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX))
    }
}

/// A nonce for INIT from the operating system.
#[cfg(any(feature = "udp", feature = "hidapi"))]
pub(crate) fn random_nonce() -> io::Result<[u8; 8]> {
    let mut nonce = [0; 8];
    getrandom::fill(&mut nonce).map_err(io::Error::other)?;
    Ok(nonce)
}
