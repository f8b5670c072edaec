//! Faults of packets: an adapter between a device and the port it speaks through. The device knows nothing of it.

use std::collections::VecDeque;
use std::time::Duration;

use softkey_ctap::Instant;
use softkey_ctap_hid::{Command, Device, Outgoing, Packet, Peer, REPORT_LEN, Report, Reports};

/// What is done to the packets of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketFault {
    /// They leave later.
    Delay {
        /// By so much.
        millis: u32,
    },
    /// They never leave.
    Silence,
    /// One is missing.
    Drop {
        /// Which, the first being 0; the last without it.
        number: Option<usize>,
    },
    /// Each leaves twice.
    Double,
    /// They leave in the opposite order.
    Reorder,
    /// They are on another channel.
    WrongChannel,
    /// Continuations are numbered from one.
    WrongSequence,
    /// A byte more is announced than there is.
    WrongLength,
    /// The command is PING.
    WrongCommand,
    /// Keepalives come first.
    KeepaliveStorm {
        /// So many.
        count: u32,
    },
    /// An error comes instead.
    Error {
        /// Its code.
        code: u8,
    },
}

/// Where the byte with the command or the sequence number stands.
const KIND: usize = 4;

/// What stands between one device and its port.
#[derive(Debug, Default)]
pub struct Wire {
    now: Option<Instant>,
    /// What is to be done to the next answer.
    next: Vec<PacketFault>,
    /// An answer whose packets come in, and how many are missing.
    gathering: Option<(Vec<Outgoing>, usize)>,
    ready: VecDeque<Outgoing>,
    later: VecDeque<(Instant, Outgoing)>,
}

impl Wire {
    /// These faults change the next answer.
    pub fn arm(&mut self, faults: Vec<PacketFault>) {
        self.next = faults;
    }

    /// The key has lost its power, and what was on its way.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Lets go what was held back until now.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = Some(now);
        while let Some((_, outgoing)) = self.later.pop_front_if(|(due, _)| *due <= now) {
            self.ready.push_back(outgoing);
        }
    }

    /// When [`Wire::handle_timeout`] must be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.later.front().map(|(due, _)| *due)
    }

    /// The device as the port sees it.
    pub fn around<'a>(&'a mut self, device: &'a mut Device) -> Around<'a> {
        Around { device, wire: self }
    }

    /// The next report that leaves.
    fn poll_report(&mut self, device: &mut Device) -> Option<Outgoing> {
        while self.ready.is_empty() {
            let outgoing = device.poll_report()?;
            self.pass(outgoing);
        }
        self.ready.pop_front()
    }

    fn pass(&mut self, outgoing: Outgoing) {
        if let Some((packets, missing)) = &mut self.gathering {
            let own = packets
                .first()
                .is_some_and(|first| channel(&first.report) == channel(&outgoing.report));
            if own && outgoing.report[KIND] & 0x80 == 0 {
                packets.push(outgoing);
                *missing = missing.saturating_sub(1);
            } else {
                return self.ready.push_back(outgoing);
            }
        } else if let Some(missing) =
            answer_packets(&outgoing.report).filter(|_| !self.next.is_empty())
        {
            self.gathering = Some((vec![outgoing], missing));
        } else {
            return self.ready.push_back(outgoing);
        }
        if let Some((packets, _)) = self.gathering.take_if(|(_, missing)| *missing == 0) {
            self.release(packets);
        }
    }

    /// All packets of an answer are there.
    fn release(&mut self, mut packets: Vec<Outgoing>) {
        let mut delay = None;
        for fault in std::mem::take(&mut self.next) {
            match fault {
                PacketFault::Delay { millis } => delay = Some(Duration::from_millis(millis.into())),
                other => other.change(&mut packets),
            }
        }
        match (delay, self.now) {
            (Some(delay), Some(now)) => {
                self.later.extend(packets.into_iter().map(|packet| (now + delay, packet)));
            }
            _ => self.ready.extend(packets),
        }
    }
}

impl PacketFault {
    fn change(self, packets: &mut Vec<Outgoing>) {
        match self {
            Self::Delay { .. } => {}
            Self::Silence => packets.clear(),
            Self::Drop { number } => {
                let number = number.unwrap_or(packets.len().saturating_sub(1));
                if number < packets.len() {
                    packets.remove(number);
                }
            }
            Self::Double => {
                *packets = packets.iter().flat_map(|packet| [*packet, *packet]).collect();
            }
            Self::Reorder => packets.reverse(),
            Self::WrongChannel => {
                for packet in packets {
                    packet.report[0] ^= 0x55;
                }
            }
            Self::WrongSequence => {
                for packet in packets.iter_mut().filter(|packet| packet.report[KIND] & 0x80 == 0) {
                    packet.report[KIND] = packet.report[KIND].wrapping_add(1) & 0x7F;
                }
            }
            Self::WrongLength => {
                if let Some(first) = packets.first_mut() {
                    let length = u16::from_be_bytes([first.report[5], first.report[6]]);
                    let length = length.wrapping_add(1);
                    [first.report[5], first.report[6]] = length.to_be_bytes();
                }
            }
            Self::WrongCommand => {
                if let Some(first) = packets.first_mut() {
                    first.report[KIND] = 0x80 | Command::PING.as_u8();
                }
            }
            Self::KeepaliveStorm { count } => {
                if let Some(first) = packets.first().copied() {
                    let keepalive = short(&first, Command::KEEPALIVE, 1);
                    let storm = (0..count).map(|_| keepalive);
                    packets.splice(0..0, storm);
                }
            }
            Self::Error { code } => {
                if let Some(first) = packets.first().copied() {
                    *packets = vec![short(&first, Command::ERROR, code)];
                }
            }
        }
    }
}

/// A message of one byte on the channel, and to the host, of this packet.
fn short(of: &Outgoing, command: Command, byte: u8) -> Outgoing {
    let mut packet = *of;
    let mut report: Report = [0; REPORT_LEN];
    for (to, from) in report.iter_mut().zip(of.report.iter().take(KIND)) {
        *to = *from;
    }
    report[KIND] = 0x80 | command.as_u8();
    (report[6], report[7]) = (1, byte);
    packet.report = report;
    packet
}

fn channel(report: &Report) -> u32 {
    Packet::parse(report).channel().as_u32()
}

/// How many packets follow this one, if an answer to a request begins with it.
fn answer_packets(report: &Report) -> Option<usize> {
    match Packet::parse(report) {
        Packet::Initialization { command, length, .. }
            if command == Command::CBOR || command == Command::MSG =>
        {
            Some(usize::from(length).saturating_sub(REPORT_LEN - 7).div_ceil(REPORT_LEN - 5))
        }
        _ => None,
    }
}

/// A device with the faults of its packets.
pub struct Around<'a> {
    device: &'a mut Device,
    wire: &'a mut Wire,
}

impl Reports for Around<'_> {
    fn receive_from(&mut self, now: Instant, from: Peer, report: &Report) {
        self.device.receive_from(now, from, report);
    }

    fn disconnect(&mut self) {
        self.device.disconnect();
    }

    fn transaction_peer(&self) -> Option<Peer> {
        self.device.transaction_peer()
    }

    fn poll_report(&mut self) -> Option<Outgoing> {
        self.wire.poll_report(self.device)
    }
}
