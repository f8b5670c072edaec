//! One report read and written: initialization and continuation packets (section 11.2.4). Nothing here
//! knows what came before.

use crate::wire::{ChannelId, Command};

/// Bytes in a report, either way, without a report number.
pub const REPORT_LEN: usize = 64;
/// Payload bytes in an initialization packet.
pub(crate) const INITIALIZATION_DATA_LEN: usize = REPORT_LEN - 7;
/// Payload bytes in a continuation packet.
pub(crate) const CONTINUATION_DATA_LEN: usize = REPORT_LEN - 5;
/// Payload bytes in the longest message: one initialization packet and 128 continuations, 7609.
pub const MAX_MESSAGE_LEN: usize = INITIALIZATION_DATA_LEN + 128 * CONTINUATION_DATA_LEN;

/// One report as it crosses the wire.
pub type Report = [u8; REPORT_LEN];

/// A report's fields. Every 64 bytes are some packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// Opens a message.
    Initialization {
        /// The channel.
        channel: ChannelId,
        /// The command.
        command: Command,
        /// Length of the whole message in bytes, as announced: 0 to 65535.
        length: u16,
        /// The first bytes of the message; padding after its end.
        data: &'a [u8; INITIALIZATION_DATA_LEN],
    },
    /// Carries a message on.
    Continuation {
        /// The channel.
        channel: ChannelId,
        /// The packet's number inside the message, 0 to 127.
        sequence: u8,
        /// More bytes of the message; padding after its end.
        data: &'a [u8; CONTINUATION_DATA_LEN],
    },
}

impl<'a> Packet<'a> {
    /// Reads a report.
    #[must_use]
    pub const fn parse(report: &'a Report) -> Self {
        let [c0, c1, c2, c3, kind, continuation @ ..] = report;
        let channel = ChannelId::from_u32(u32::from_be_bytes([*c0, *c1, *c2, *c3]));
        if *kind & 0x80 == 0 {
            return Self::Continuation { channel, sequence: *kind, data: continuation };
        }
        let [high, low, data @ ..] = continuation;
        let length = u16::from_be_bytes([*high, *low]);
        Self::Initialization { channel, command: Command::from_u8(*kind), length, data }
    }

    /// The channel, which both kinds carry.
    #[must_use]
    pub const fn channel(&self) -> ChannelId {
        match self {
            Self::Initialization { channel, .. } | Self::Continuation { channel, .. } => *channel,
        }
    }
}

/// An initialization packet with the first 57 bytes of `payload` at most; zeros after it.
pub(crate) fn initialization(
    channel: ChannelId,
    command: Command,
    length: u16,
    payload: &[u8],
) -> Report {
    let [high, low] = length.to_be_bytes();
    assemble(
        channel,
        command.as_u8() | 0x80,
        [high, low].into_iter().chain(payload.iter().copied()),
    )
}

/// A continuation packet with the first 59 bytes of `payload` at most; zeros after it.
pub(crate) fn continuation(channel: ChannelId, sequence: u8, payload: &[u8]) -> Report {
    assemble(channel, sequence & 0x7F, payload.iter().copied())
}

fn assemble(channel: ChannelId, kind: u8, rest: impl Iterator<Item = u8>) -> Report {
    let mut report = [0; REPORT_LEN];
    let bytes = channel.as_u32().to_be_bytes().into_iter().chain([kind]).chain(rest);
    for (to, from) in report.iter_mut().zip(bytes) {
        *to = from;
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANNEL: ChannelId = ChannelId::from_u32(0x0102_0304);

    /// Section 11.2.4: the layout of both packets, offset by offset.
    #[test]
    fn both_packets_have_the_standards_layout() {
        let report = initialization(CHANNEL, Command::PING, 0x1DB9, &[7; 80]);
        assert_eq!(report[..7], [1, 2, 3, 4, 0x81, 0x1D, 0xB9]);
        assert_eq!(report[7..], [7; 57]);
        let report = continuation(CHANNEL, 0x7F, &[9; 3]);
        assert_eq!(report[..8], [1, 2, 3, 4, 0x7F, 9, 9, 9]);
        assert_eq!(report[8..], [0; 56]);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let report = initialization(CHANNEL, Command::CBOR, 300, &[7; 57]);
        let expected = Packet::Initialization {
            channel: CHANNEL,
            command: Command::CBOR,
            length: 300,
            data: &[7; 57],
        };
        assert_eq!(Packet::parse(&report), expected);
        let report = continuation(CHANNEL, 5, &[8; 59]);
        let expected = Packet::Continuation { channel: CHANNEL, sequence: 5, data: &[8; 59] };
        assert_eq!(Packet::parse(&report), expected);
        assert_eq!(Packet::parse(&report).channel(), CHANNEL);
    }

    #[test]
    fn the_longest_message_has_7609_bytes() {
        assert_eq!(MAX_MESSAGE_LEN, 7609);
    }
}
