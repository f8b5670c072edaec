#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod connection;
mod descriptor;
mod device;
mod host;
#[cfg(feature = "hidapi")]
mod keys;
mod loopback;
mod message;
mod packet;
#[cfg(feature = "std")]
mod port;
mod readers;
#[cfg(feature = "udp")]
mod udp;
#[cfg(all(feature = "uhid", target_os = "linux"))]
mod uhid;
mod wire;

pub use connection::{Connection, ConnectionError, Transport};
pub use descriptor::REPORT_DESCRIPTOR;
pub use device::{Device, DeviceConfig, Event, Job, JobId, JobKind, Outgoing, Peer};
pub use host::{DeviceInfo, Host, HostConfig, HostError, HostEvent};
#[cfg(feature = "hidapi")]
pub use keys::{HidTransport, KeyInfo, list_keys};
pub use loopback::{Answering, Application, Loopback};
pub use packet::{MAX_MESSAGE_LEN, Packet, REPORT_LEN, Report};
#[cfg(feature = "std")]
pub use port::{Port, Reports, WallClock};
pub use readers::Readers;
#[cfg(feature = "udp")]
pub use udp::{UdpPort, UdpTransport};
#[cfg(all(feature = "uhid", target_os = "linux"))]
pub use uhid::{Identity, UhidPort};
pub use wire::{Capabilities, ChannelId, Command, HidError, Status};
