//! The half of the key that must never be late: CTAPHID, the light, and the way to the other half.

use alloc::vec::Vec;

use softkey_authenticator::{Session, Transport, Via};
use softkey_ctap::Instant;
use softkey_ctap_hid::{ChannelId, Device, DeviceConfig, Event, JobId, JobKind, Report, Status};

use crate::light::{Light, Signal};

/// What the front wants of the back. Orders are carried out in the order of their coming.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Begin this request; there is none in work.
    Begin {
        /// To be repeated with the answer.
        job: JobId,
        /// Who asks.
        via: Via,
        /// What the bytes are.
        kind: JobKind,
        /// The request.
        bytes: Vec<u8>,
    },
    /// The request in work is no longer wanted.
    Cancel(Via),
    /// The request in work is given up, and its answer is not wanted either.
    Abort(JobId, Via),
    /// Nobody talks in this session any more.
    SessionEnded(Session),
}

/// What the back has to tell the front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The request in work waits for the user from now on, or goes on.
    Status(Status),
    /// What the light shows from now on.
    Signal(Signal),
    /// The whole answer to a request.
    Answer(JobId, Vec<u8>),
}

/// A [`Device`], the light, and what is under way to the [`Back`](crate::Back).
///
/// Everything here takes microseconds. Reports and readings of the clock go in, reports and orders come out; it is called
/// from one place, at the latest when [`Front::poll_timeout`] says.
pub struct Front {
    device: Device,
    light: Light,
}

impl Front {
    /// Channels that are remembered, in 16 bytes each.
    const CHANNELS: usize = 32;

    /// A front that nobody has spoken to. Channel numbers start from `channel_seed`, which is drawn at random.
    #[must_use]
    pub fn new(version: [u8; 3], channel_seed: u32) -> Self {
        let config =
            DeviceConfig { version, max_channels: Self::CHANNELS, ..DeviceConfig::default() };
        Self { device: Device::new(config, channel_seed), light: Light::new() }
    }

    /// A report has come.
    pub fn receive(&mut self, now: Instant, report: &Report) {
        self.device.receive(now, report);
    }

    /// The bus was reset, or the cable is out: every channel is freed.
    pub fn disconnect(&mut self) {
        self.device.disconnect();
    }

    /// The back has something to tell.
    pub fn hear(&mut self, now: Instant, notice: Notice) {
        match notice {
            Notice::Status(status) => self.device.status(now, status),
            Notice::Signal(signal) => self.light.show(signal),
            Notice::Answer(job, bytes) => self.device.answer(now, job, &bytes),
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.device.handle_timeout(now);
    }

    /// When [`Front::handle_timeout`] must be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.device.poll_timeout()
    }

    /// The next report that must leave.
    pub fn poll_report(&mut self) -> Option<Report> {
        self.device.poll_report().map(|outgoing| outgoing.report)
    }

    /// The next order for the back. To be called only while there is room for it on its way.
    pub fn poll_order(&mut self, now: Instant) -> Option<Order> {
        while let Some(event) = self.device.poll_event() {
            return Some(match event {
                Event::Cancelled(_, channel) => Order::Cancel(via(channel)),
                Event::Aborted(job, channel) => Order::Abort(job, via(channel)),
                Event::SessionEnded(channel) => Order::SessionEnded(via(channel).session),
                Event::Wink => {
                    self.light.wink(now);
                    continue;
                }
            });
        }
        let job = self.device.poll_job()?;
        self.light.show(Signal::Working);
        Some(Order::Begin { job: job.id, via: via(job.channel), kind: job.kind, bytes: job.bytes })
    }

    /// Is the lamp on?
    #[must_use]
    pub fn is_lit(&self, now: Instant) -> bool {
        self.light.is_on(now)
    }
}

const fn via(channel: ChannelId) -> Via {
    Via { transport: Transport::Usb, session: Session(channel.as_u32() as u64) }
}
