//! One way to show the key, and the CTAPHID device behind it.

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;

use softkey_authenticator::{Config, Session, Transport, Via};
use softkey_ctap::Instant;
use softkey_ctap_hid::{
    ChannelId, Device, DeviceConfig, Identity, JobId, JobKind, Port, UdpPort, UhidPort,
};

use super::broker::PortId;
use super::event::Answered;
use crate::faults::wire::{PacketFault, Wire};

/// Where a key is plugged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The kernel's virtual USB.
    Uhid,
    /// A UDP socket at this address; port 0 lets the system choose.
    Udp(SocketAddr),
}

/// A device and the way to it.
pub struct Slot {
    /// Which device this is.
    pub id: PortId,
    place: Place,
    port: Option<Box<dyn Port>>,
    /// The key's end of CTAPHID; new at each power-up.
    pub device: Device,
    /// What is wrong with its packets.
    pub wire: Wire,
    /// The request that has no answer yet.
    pub job: Option<Request>,
    /// Channels of which the authenticator may remember something.
    talked: HashSet<ChannelId>,
    seed: u32,
}

/// A request of one device.
#[derive(Debug)]
pub struct Request {
    /// The device's name for it.
    pub id: JobId,
    /// What its bytes are.
    pub kind: JobKind,
    /// Who asks.
    pub via: Via,
    /// The request, until the worker has it.
    pub bytes: Option<Vec<u8>>,
    /// When it had arrived.
    pub since: Instant,
    /// What will be printed about it.
    pub line: Answered,
    /// What is to be done to the packets of its answer, and the names of these faults.
    pub packets: (Vec<PacketFault>, Vec<String>),
}

impl Slot {
    /// A device that is not plugged in yet, of a key that is set up so. Channel numbers follow from `seed`.
    #[must_use]
    pub fn new(id: PortId, place: Place, seed: u32, key: &Config) -> Self {
        let device = Device::new(device_config(key), seed);
        let wire = Wire::default();
        Self { id, place, port: None, device, wire, job: None, talked: HashSet::new(), seed }
    }

    /// The place, as it is told to people and programs.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.place {
            Place::Uhid => "uhid".into(),
            Place::Udp(address) => format!("udp {address}"),
        }
    }

    /// Shows the key, with no memory of the time before.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn plug(&mut self) -> io::Result<()> {
        self.seed = self.seed.wrapping_add(1);
        self.device = Device::new(*self.device.config(), self.seed);
        if self.port.is_none() {
            self.port = Some(match &mut self.place {
                Place::Uhid => Box::new(UhidPort::open(&Identity::default())?),
                Place::Udp(address) => {
                    let port = UdpPort::bind(*address)?;
                    *address = port.local_address()?;
                    Box::new(port)
                }
            });
        }
        Ok(())
    }

    /// Takes the key away. A UDP socket stays open, so that nobody else gets its port meanwhile; what arrives
    /// there waits for the next [`Slot::plug`].
    pub fn unplug(&mut self) {
        self.job = None;
        self.wire.reset();
        self.talked.clear();
        match self.place {
            Place::Uhid => self.port = None,
            Place::Udp(_) => {}
        }
    }

    /// What to wait for: the descriptor, and whether it must also become writable.
    #[must_use]
    pub fn descriptor(&self) -> Option<(BorrowedFd<'_>, bool)> {
        self.port.as_ref().map(|port| (port.descriptor(), port.is_stalled()))
    }

    /// Takes what has arrived and does what is due.
    ///
    /// # Errors
    ///
    /// If the way to the host is broken for good.
    pub fn pump(&mut self, now: Instant) -> io::Result<()> {
        self.device.handle_timeout(now);
        self.wire.handle_timeout(now);
        match &mut self.port {
            Some(port) => port.pump(now, &mut self.wire.around(&mut self.device)),
            None => Ok(()),
        }
    }

    /// Sends what must leave.
    ///
    /// # Errors
    ///
    /// As [`Slot::pump`].
    pub fn flush(&mut self) -> io::Result<()> {
        match &mut self.port {
            Some(port) => port.flush(&mut self.wire.around(&mut self.device)),
            None => Ok(()),
        }
    }

    /// Who has sent the request in work, where the transport knows.
    #[must_use]
    pub fn requester(&self) -> Option<String> {
        let peer = self.device.transaction_peer()?;
        self.port.as_ref()?.address(peer).map(|address| address.to_string())
    }

    /// When [`Slot::pump`] must be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let port = self.port.as_ref().and_then(|port| port.poll_timeout());
        let own = self.device.poll_timeout().into_iter().chain(self.wire.poll_timeout());
        own.chain(port).min()
    }

    /// Who talks on this channel of this device, and for the authenticator nobody else.
    #[must_use]
    pub fn via(&self, channel: ChannelId) -> Via {
        let session = u64::from(self.id.0) << 32 | u64::from(channel.as_u32());
        Via { transport: Transport::Usb, session: Session(session) }
    }

    /// The authenticator hears from this channel.
    pub fn note_talk(&mut self, channel: ChannelId) {
        self.talked.insert(channel);
    }

    /// The channel's session is over: must the authenticator be told? Only of sessions it knows; so a host that
    /// opens channels without end costs it nothing.
    pub fn end_session(&mut self, channel: ChannelId) -> bool {
        self.talked.remove(&channel)
    }
}

/// May this process make virtual USB devices?
///
/// # Errors
///
/// What the system says to opening the node; nothing is made.
pub fn probe_uhid() -> io::Result<()> {
    std::fs::OpenOptions::new().read(true).write(true).open("/dev/uhid").map(drop)
}

/// What the key says of itself in an INIT answer.
pub(crate) fn device_config(key: &Config) -> DeviceConfig {
    let part = |text: &str| text.parse().unwrap_or_default();
    DeviceConfig {
        version: [
            part(env!("CARGO_PKG_VERSION_MAJOR")),
            part(env!("CARGO_PKG_VERSION_MINOR")),
            part(env!("CARGO_PKG_VERSION_PATCH")),
        ],
        ctap2: key.generation.speaks_ctap2(),
        u2f: key.u2f,
        ..DeviceConfig::default()
    }
}
