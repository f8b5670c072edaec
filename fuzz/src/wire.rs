//! CTAPHID packets by the byte, written from the standard (CTAP 2.3, section 11.2).

use softkey_ctap_hid::Report;

pub(crate) const PING: u8 = 0x81;
pub(crate) const MSG: u8 = 0x83;
pub(crate) const LOCK: u8 = 0x84;
pub(crate) const INIT: u8 = 0x86;
pub(crate) const WINK: u8 = 0x88;
pub(crate) const CBOR: u8 = 0x90;
pub(crate) const CANCEL: u8 = 0x91;
pub(crate) const KEEPALIVE: u8 = 0xBB;
pub(crate) const ERROR: u8 = 0xBF;
pub(crate) const BROADCAST: u32 = u32::MAX;

/// The longest message, in bytes.
pub(crate) const LONGEST: usize = 7609;

/// A packet: channel, then command or sequence number, then what follows, cut or filled up to 64 bytes.
pub(crate) fn packet(channel: u32, kind: u8, rest: &[u8]) -> Report {
    let mut report = [0; 64];
    report[..4].copy_from_slice(&channel.to_be_bytes());
    report[4] = kind;
    let length = rest.len().min(59);
    report[5..5 + length].copy_from_slice(&rest[..length]);
    report
}

/// A message as its packets.
pub(crate) fn message(channel: u32, command: u8, payload: &[u8]) -> Vec<Report> {
    let (first, rest) = payload.split_at(payload.len().min(57));
    let length = u16::try_from(payload.len()).unwrap();
    let opening = [&length.to_be_bytes(), first].concat();
    let continuations = rest.chunks(59).zip(0..0x80);
    std::iter::once(packet(channel, command, &opening))
        .chain(continuations.map(|(data, sequence)| packet(channel, sequence, data)))
        .collect()
}

pub(crate) fn channel(report: &Report) -> u32 {
    u32::from_be_bytes([report[0], report[1], report[2], report[3]])
}

/// Does the packet begin a message?
pub(crate) fn opens(report: &Report) -> bool {
    report[4] & 0x80 != 0
}

/// The length that an opening packet announces.
pub(crate) fn announced(report: &Report) -> usize {
    usize::from(u16::from_be_bytes([report[5], report[6]]))
}

/// The message in exactly these packets of one channel: an opening one, and as many continuations as it needs,
/// numbered from zero.
pub(crate) fn assembled(reports: &[Report]) -> Option<(u8, Vec<u8>)> {
    let (first, rest) = reports.split_first().filter(|(first, _)| opens(first))?;
    let length = announced(first);
    let needed = length.saturating_sub(57).div_ceil(59);
    let numbered = rest.iter().zip(0_u8..).all(|(report, sequence)| report[4] == sequence);
    if length > LONGEST || rest.len() != needed || !numbered {
        return None;
    }
    let mut bytes = first[7..].to_vec();
    for report in rest {
        bytes.extend(&report[5..]);
    }
    bytes.truncate(length);
    Some((first[4], bytes))
}

/// What reads a stream of reports from one end: each message of each channel, and that its packets fit
/// together and are padded with zeros.
#[derive(Default)]
pub(crate) struct Listener(std::collections::BTreeMap<u32, Vec<Report>>);

impl Listener {
    /// Takes the next report; the message it completes. A message may be broken off only by INIT.
    pub(crate) fn hear(&mut self, report: &Report) -> Option<(u32, u8, Vec<u8>)> {
        let channel = channel(report);
        let begun = self.0.entry(channel).or_default();
        if opens(report) {
            let alone = begun.is_empty() || report[4] == INIT;
            assert!(alone, "a message begins within another one");
            begun.clear();
        } else {
            assert!(!begun.is_empty(), "a continuation of nothing");
        }
        begun.push(*report);
        let length = announced(&begun[0]);
        let (head, room) = if opens(report) { (7, 57) } else { (5, 59) };
        let before = if begun.len() == 1 { 0 } else { 57 + 59 * (begun.len() - 2) };
        if before + room >= length {
            let used = head + length - before;
            assert!(report[used..].iter().all(|byte| *byte == 0), "padding is zero");
            let packets = std::mem::take(begun);
            let (command, bytes) = assembled(&packets).expect("packets that fit together");
            return Some((channel, command, bytes));
        }
        None
    }
}
