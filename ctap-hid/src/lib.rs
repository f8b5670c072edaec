#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod device;
mod message;
mod packet;
mod wire;

pub use device::{Device, DeviceConfig, Event, Job, JobId, JobKind, Outgoing, Peer};
pub use packet::{MAX_MESSAGE_LEN, Packet, REPORT_LEN, Report};
pub use wire::{Capabilities, ChannelId, Command, HidError, Status};
