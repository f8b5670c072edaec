//! Messages cut into packets and put together again; both ends use the same two types. Neither knows
//! what a command means or how long a host may take.

use alloc::vec::Vec;

use crate::packet::{
    self, CONTINUATION_DATA_LEN, INITIALIZATION_DATA_LEN, MAX_MESSAGE_LEN, Report,
};
use crate::wire::{ChannelId, Command};

/// A message on its way out, cut on demand: the packets are never stored.
pub(crate) struct Fragments {
    channel: ChannelId,
    command: Command,
    bytes: Vec<u8>,
    length: u16,
    /// Bytes that have left; `None` until the initialization packet has.
    sent: Option<usize>,
    sequence: u8,
}

impl Fragments {
    /// `None` if the message has more than 7609 bytes.
    pub(crate) fn new(channel: ChannelId, command: Command, bytes: Vec<u8>) -> Option<Self> {
        if bytes.len() > MAX_MESSAGE_LEN {
            return None;
        }
        let length = u16::try_from(bytes.len()).ok()?;
        Some(Self { channel, command, bytes, length, sent: None, sequence: 0 })
    }

    pub(crate) const fn channel(&self) -> ChannelId {
        self.channel
    }

    pub(crate) const fn command(&self) -> Command {
        self.command
    }

    /// Nothing has left yet.
    pub(crate) const fn is_untouched(&self) -> bool {
        self.sent.is_none()
    }

    /// Everything has left.
    pub(crate) fn is_done(&self) -> bool {
        self.sent.is_some_and(|sent| sent >= self.bytes.len())
    }

    /// Starts again at the first packet.
    pub(crate) const fn rewind(&mut self) {
        self.sent = None;
        self.sequence = 0;
    }

    /// The next packet; `None` when all have left.
    pub(crate) fn next_report(&mut self) -> Option<Report> {
        let Some(sent) = self.sent else {
            self.sent = Some(self.bytes.len().min(INITIALIZATION_DATA_LEN));
            return Some(packet::initialization(
                self.channel,
                self.command,
                self.length,
                &self.bytes,
            ));
        };
        let rest = self.bytes.get(sent..).filter(|rest| !rest.is_empty())?;
        let report = packet::continuation(self.channel, self.sequence, rest);
        self.sent = Some(sent + rest.len().min(CONTINUATION_DATA_LEN));
        self.sequence += 1;
        Some(report)
    }
}

/// A continuation packet came that was not the next one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct WrongSequence;

/// A message on its way in.
pub(crate) struct Assembly {
    channel: ChannelId,
    command: Command,
    length: usize,
    bytes: Vec<u8>,
    sequence: u8,
}

impl Assembly {
    /// From the fields of an initialization packet; `None` if it announces more than 7609 bytes.
    /// What follows the announced length is padding and dropped.
    pub(crate) fn new(
        channel: ChannelId,
        command: Command,
        length: u16,
        data: &[u8],
    ) -> Option<Self> {
        let length = usize::from(length);
        if length > MAX_MESSAGE_LEN {
            return None;
        }
        let mut message =
            Self { channel, command, length, bytes: Vec::with_capacity(length), sequence: 0 };
        message.append(data);
        Some(message)
    }

    /// Takes the data of a continuation packet.
    pub(crate) fn push(&mut self, sequence: u8, data: &[u8]) -> Result<(), WrongSequence> {
        if sequence != self.sequence {
            return Err(WrongSequence);
        }
        self.sequence += 1;
        self.append(data);
        Ok(())
    }

    pub(crate) const fn channel(&self) -> ChannelId {
        self.channel
    }

    pub(crate) const fn command(&self) -> Command {
        self.command
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.bytes.len() >= self.length
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn append(&mut self, data: &[u8]) {
        let missing = self.length.saturating_sub(self.bytes.len());
        self.bytes.extend(data.iter().take(missing));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Packet;

    const CHANNEL: ChannelId = ChannelId::from_u32(7);

    fn carry(bytes: &[u8]) -> (usize, Vec<u8>) {
        let mut fragments = Fragments::new(CHANNEL, Command::PING, bytes.to_vec()).unwrap();
        let first = fragments.next_report().unwrap();
        let Packet::Initialization { channel, command, length, data } = Packet::parse(&first)
        else {
            panic!("a message opens with an initialization packet");
        };
        let mut message = Assembly::new(channel, command, length, data).unwrap();
        let mut reports = 1;
        while let Some(report) = fragments.next_report() {
            let Packet::Continuation { sequence, data, .. } = Packet::parse(&report) else {
                panic!("a message goes on with continuation packets");
            };
            message.push(sequence, data).unwrap();
            reports += 1;
        }
        assert!(fragments.is_done() && message.is_complete());
        (reports, message.into_bytes())
    }

    /// HID-13, HID-42: the lengths at which a packet more is needed, and the longest.
    #[test]
    fn every_length_survives_with_the_fewest_packets() {
        for (length, packets) in
            [(0, 1), (1, 1), (57, 1), (58, 2), (116, 2), (117, 3), (7608, 129), (7609, 129)]
        {
            let bytes: Vec<u8> = (0..=250).cycle().take(length).collect();
            assert_eq!(carry(&bytes), (packets, bytes), "{length} bytes");
        }
    }

    #[test]
    fn one_byte_too_many_is_refused_on_both_ways() {
        assert!(Fragments::new(CHANNEL, Command::PING, alloc::vec![0; 7610]).is_none());
        assert!(Assembly::new(CHANNEL, Command::PING, 7610, &[0; 57]).is_none());
        assert!(Assembly::new(CHANNEL, Command::PING, u16::MAX, &[0; 57]).is_none());
    }

    #[test]
    fn a_skipped_and_a_repeated_number_are_refused() {
        let mut message = Assembly::new(CHANNEL, Command::PING, 300, &[0; 57]).unwrap();
        assert_eq!(message.push(1, &[0; 59]), Err(WrongSequence));
        assert_eq!(message.push(0, &[0; 59]), Ok(()));
        assert_eq!(message.push(0, &[0; 59]), Err(WrongSequence));
    }

    #[test]
    fn a_rewound_message_leaves_again_from_its_start() {
        let mut fragments = Fragments::new(CHANNEL, Command::PING, alloc::vec![3; 200]).unwrap();
        let first = fragments.next_report();
        fragments.next_report();
        fragments.rewind();
        assert!(fragments.is_untouched());
        assert_eq!(fragments.next_report(), first);
    }
}
