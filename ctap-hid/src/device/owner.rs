//! What passes between a [`Device`](super::Device) and its owner: configuration, jobs, events, reports
//! with their addressee.

use alloc::vec::Vec;

use crate::packet::Report;
use crate::wire::{Capabilities, ChannelId};

/// What a device announces and how much it remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceConfig {
    /// Device version in the INIT answer: major, minor, build.
    pub version: [u8; 3],
    /// WINK is offered: its capability bit is set and [`Event::Wink`] comes.
    pub wink: bool,
    /// CBOR is offered: its capability bit is set. Without it the device is one of U2F alone.
    pub ctap2: bool,
    /// MSG is offered (the capability bit NMSG is clear).
    pub u2f: bool,
    /// Channels remembered at most; zero counts as one. A channel costs 16 bytes. When one more is
    /// wanted, the least recently used idle one is given up.
    pub max_channels: usize,
}

impl Default for DeviceConfig {
    /// Version 0.0.0, WINK, CBOR and MSG offered, 1024 channels.
    fn default() -> Self {
        Self { version: [0; 3], wink: true, ctap2: true, u2f: true, max_channels: 1024 }
    }
}

impl DeviceConfig {
    /// The capability byte. The historic bit of LOCK stays clear though LOCK works.
    #[must_use]
    pub const fn capabilities(&self) -> Capabilities {
        Capabilities::new(self.wink, self.ctap2, self.u2f)
    }
}

/// Where a report came from and where its answer goes: a number of the owner's choice. The device
/// compares nothing and hands it back with each [`Outgoing`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Peer(pub u64);

/// A report that must leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Who opened the transaction this report belongs to.
    pub to: Peer,
    /// The report.
    pub report: Report,
}

/// Names one job; never used twice by one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct JobId(pub(super) u64);

/// What the bytes of a job are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobKind {
    /// A CTAP2 command byte and its CBOR; to be answered with a status byte and CBOR.
    Cbor,
    /// A CTAP1/U2F APDU; to be answered with data and SW1 SW2.
    Msg,
}

/// A request for the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// To be repeated with the answer.
    pub id: JobId,
    /// The channel that asks.
    pub channel: ChannelId,
    /// What the bytes are.
    pub kind: JobKind,
    /// The message, 1 to 7609 bytes.
    pub bytes: Vec<u8>,
}

/// What the application must hear about beside jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The client asked to end this job: answer it soon, with the status `KEEPALIVE_CANCEL` unless it
    /// has succeeded meanwhile. Comes at most once for a job and never before the job.
    Cancelled(JobId, ChannelId),
    /// The client has given this job up, or is gone: stop it. Its answer will be ignored.
    Aborted(JobId, ChannelId),
    /// What belongs to this channel's session (enumerations, `getNextAssertion`) ends: the channel was
    /// resynchronised, given up for another, or freed. Comes after the `Aborted` of the same channel.
    SessionEnded(ChannelId),
    /// Show yourself: blink, beep, print.
    Wink,
}
