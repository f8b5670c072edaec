//! DER, as far as certificates need it written (ITU-T X.690). Contents are under 64 KiB: whatever an owner gives, names
//! and serial numbers, has a limit far below.

use alloc::vec::Vec;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OID: u8 = 0x06;
pub(super) const ENUMERATED: u8 = 0x0a;
pub(super) const UTF8_STRING: u8 = 0x0c;
pub(super) const PRINTABLE_STRING: u8 = 0x13;
pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

pub(super) const TRUE: [u8; 3] = [0x01, 0x01, 0xff];
pub(super) const NULL: [u8; 2] = [0x05, 0x00];

/// The tag `[number]` around other values; `number` is below 31.
pub(super) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// One value: its tag, its length, and what is in it, given in pieces.
pub(super) fn value(tag: u8, content: &[&[u8]]) -> Vec<u8> {
    long_tag(&[tag], content)
}

/// The same with a tag of several bytes.
pub(super) fn long_tag(tag: &[u8], content: &[&[u8]]) -> Vec<u8> {
    let length: usize = content.iter().map(|piece| piece.len()).sum();
    let [.., high, low] = length.to_be_bytes();
    let mut out = Vec::with_capacity(tag.len() + 3 + length);
    out.extend_from_slice(tag);
    match (high, low) {
        (0, low @ 0..=0x7f) => out.push(low),
        (0, low) => out.extend_from_slice(&[0x81, low]),
        (high, low) => out.extend_from_slice(&[0x82, high, low]),
    }
    for piece in content {
        out.extend_from_slice(piece);
    }
    out
}

pub(super) fn sequence(content: &[&[u8]]) -> Vec<u8> {
    value(SEQUENCE, content)
}

/// A number that is not negative, big-endian.
pub(super) fn unsigned(number: &[u8]) -> Vec<u8> {
    let first = number.iter().position(|byte| *byte != 0);
    let number = first.and_then(|first| number.get(first..)).unwrap_or(&[0]);
    let sign: &[u8] = if number.first().is_some_and(|byte| *byte >= 0x80) { &[0] } else { &[] };
    value(INTEGER, &[sign, number])
}

/// Whole bytes of bits.
pub(super) fn bits(bytes: &[u8]) -> Vec<u8> {
    value(BIT_STRING, &[&[0], bytes])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lengths take one, two or three bytes, the fewest that hold them.
    #[test]
    fn lengths_are_minimal() {
        let head = |length: usize| value(SEQUENCE, &[&alloc::vec![7; length]]);
        assert_eq!(head(0), [0x30, 0]);
        assert_eq!(head(127).get(..3).unwrap(), [0x30, 127, 7]);
        assert_eq!(head(128).get(..4).unwrap(), [0x30, 0x81, 128, 7]);
        assert_eq!(head(255).get(..4).unwrap(), [0x30, 0x81, 255, 7]);
        assert_eq!(head(256).get(..5).unwrap(), [0x30, 0x82, 1, 0, 7]);
    }

    /// Numbers are minimal and never negative.
    #[test]
    fn numbers_are_minimal_and_positive() {
        assert_eq!(unsigned(&[0, 0]), [2, 1, 0]);
        assert_eq!(unsigned(&[]), [2, 1, 0]);
        assert_eq!(unsigned(&[0, 0x7f]), [2, 1, 0x7f]);
        assert_eq!(unsigned(&[0x80]), [2, 2, 0, 0x80]);
        assert_eq!(unsigned(&[1, 0, 1]), [2, 3, 1, 0, 1]);
    }
}
