//! The clients' end of CTAPHID by the packet (CTAP 2.3, section 11.2), written from the standard.

use std::collections::BTreeMap;

pub(super) const MSG: u8 = 0x03;
pub(super) const INIT: u8 = 0x06;
pub(super) const CBOR: u8 = 0x10;
pub(super) const CANCEL: u8 = 0x11;
pub(super) const KEEPALIVE: u8 = 0x3B;
pub(super) const ERROR: u8 = 0x3F;
pub(super) const BROADCAST: u32 = 0xFFFF_FFFF;

pub(super) type Report = [u8; 64];

/// A message as the packets that carry it.
pub(super) fn packets(channel: u32, command: u8, message: &[u8]) -> Vec<Report> {
    let length = u16::try_from(message.len()).unwrap();
    assert!(length <= 7_609, "CTAPHID carries 7609 bytes, not {length}");
    let (first, rest) = message.split_at(message.len().min(57));
    let opening =
        [&channel.to_be_bytes(), [0x80 | command].as_slice(), &length.to_be_bytes(), first]
            .concat();
    let continuations = rest
        .chunks(59)
        .zip(0_u8..)
        .map(|(data, sequence)| [&channel.to_be_bytes(), [sequence].as_slice(), data].concat());
    std::iter::once(opening).chain(continuations).map(|packet| padded(&packet)).collect()
}

fn padded(packet: &[u8]) -> Report {
    let mut report = [0; 64];
    report[..packet.len()].copy_from_slice(packet);
    report
}

/// A whole message from the key.
pub(super) struct Heard {
    pub(super) channel: u32,
    pub(super) command: u8,
    pub(super) bytes: Vec<u8>,
}

/// Puts the key's packets together again, channel by channel.
#[derive(Default)]
pub(super) struct Assembly(BTreeMap<u32, Partial>);

struct Partial {
    command: u8,
    length: usize,
    sequence: u8,
    bytes: Vec<u8>,
}

impl Assembly {
    /// Takes a packet; gives the message it completes. The test fails if packets do not fit together or if the
    /// padding is not zero.
    pub(super) fn take(&mut self, report: &Report) -> Option<Heard> {
        let channel = u32::from_be_bytes(report[..4].try_into().unwrap());
        let (partial, data) = if report[4] & 0x80 == 0 {
            let partial = self.0.get_mut(&channel).expect("a continuation of something");
            assert_eq!(report[4], partial.sequence, "continuations are numbered without a gap");
            partial.sequence += 1;
            (partial, &report[5..])
        } else {
            let length = usize::from(u16::from_be_bytes(report[5..7].try_into().unwrap()));
            let command = report[4] & 0x7F;
            let fresh = Partial { command, length, sequence: 0, bytes: Vec::new() };
            assert!(self.0.insert(channel, fresh).is_none(), "a message begins within another one");
            (self.0.get_mut(&channel).unwrap(), &report[7..])
        };
        let (data, padding) = data.split_at(data.len().min(partial.length - partial.bytes.len()));
        assert!(padding.iter().all(|byte| *byte == 0), "padding is zero");
        partial.bytes.extend(data);
        if partial.bytes.len() < partial.length {
            return None;
        }
        let done = self.0.remove(&channel)?;
        Some(Heard { channel, command: done.command, bytes: done.bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// HID-13: what is taken apart is put together, at every length where a packet fills up.
    #[test]
    fn messages_survive_their_packets() {
        for length in [0, 1, 57, 58, 116, 117, 1_024, 7_609] {
            let message: Vec<u8> = (0..length).map(|i| u8::try_from(i % 251).unwrap()).collect();
            let mut assembly = Assembly::default();
            let packets = packets(7, CBOR, &message);
            let (last, before) = packets.split_last().unwrap();
            assert!(before.iter().all(|packet| assembly.take(packet).is_none()));
            let heard = assembly.take(last).unwrap();
            assert_eq!((heard.channel, heard.command, heard.bytes), (7, CBOR, message));
        }
    }
}
