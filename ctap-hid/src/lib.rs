#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod connection;
mod device;
mod host;
mod loopback;
mod message;
mod packet;
mod readers;
mod wire;

pub use connection::{Connection, ConnectionError, Transport};
pub use device::{Device, DeviceConfig, Event, Job, JobId, JobKind, Outgoing, Peer};
pub use host::{DeviceInfo, Host, HostConfig, HostError, HostEvent};
pub use loopback::{Answering, Application, Loopback};
pub use packet::{MAX_MESSAGE_LEN, Packet, REPORT_LEN, Report};
pub use readers::Readers;
pub use wire::{Capabilities, ChannelId, Command, HidError, Status};
