//! Writing in canonical form: shortest heads and definite lengths here, the order of keys in the tables.

use alloc::vec::Vec;

/// A type that can be written as CBOR.
pub trait Encode {
    /// Writes one item.
    fn encode(&self, into: &mut Encoder);
}

/// A writer that owns its output.
#[derive(Clone, Debug, Default)]
pub struct Encoder {
    out: Vec<u8>,
}

impl Encoder {
    /// A writer with nothing written.
    #[must_use]
    pub const fn new() -> Self {
        Self { out: Vec::new() }
    }

    /// A writer that goes on behind `out`: behind a status byte, for instance.
    #[must_use]
    pub const fn behind(out: Vec<u8>) -> Self {
        Self { out }
    }

    /// What was written.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// An unsigned integer.
    pub fn unsigned(&mut self, value: u64) {
        self.head(0, value);
    }

    /// An integer of either sign.
    pub fn integer(&mut self, value: i64) {
        // !value is -1 - value, and never negative here.
        let (major, value) = if value < 0 { (1, !value) } else { (0, value) };
        self.head(major, value.unsigned_abs());
    }

    /// A byte string.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.head(2, len(bytes.len()));
        self.out.extend_from_slice(bytes);
    }

    /// A text string.
    pub fn text(&mut self, text: &str) {
        self.head(3, len(text.len()));
        self.out.extend_from_slice(text.as_bytes());
    }

    /// `false` or `true`.
    pub fn boolean(&mut self, value: bool) {
        self.out.push(if value { 0xf5 } else { 0xf4 });
    }

    /// The head of an array of `count` elements, which the caller writes next.
    pub fn array(&mut self, count: usize) {
        self.head(4, len(count));
    }

    /// The head of a map of `count` entries, which the caller writes next, in canonical order.
    pub fn map(&mut self, count: usize) {
        self.head(5, len(count));
    }

    /// One item that is encoded already.
    pub fn raw(&mut self, item: &[u8]) {
        self.out.extend_from_slice(item);
    }

    fn head(&mut self, major: u8, value: u64) {
        let bytes = value.to_be_bytes();
        // The shortest of the forms 0, 1, 2, 4 and 8 bytes.
        let (info, skip) = match value {
            0..=23 => (bytes[7], 8),
            24..=0xff => (24, 7),
            0x100..=0xffff => (25, 6),
            0x1_0000..=0xffff_ffff => (26, 4),
            _ => (27, 0),
        };
        self.out.push((major << 5) | info);
        self.out.extend(bytes.iter().skip(skip));
    }
}

fn len(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

impl Encode for u64 {
    fn encode(&self, into: &mut Encoder) {
        into.unsigned(*self);
    }
}

impl Encode for i64 {
    fn encode(&self, into: &mut Encoder) {
        into.integer(*self);
    }
}

impl Encode for bool {
    fn encode(&self, into: &mut Encoder) {
        into.boolean(*self);
    }
}

impl Encode for &str {
    fn encode(&self, into: &mut Encoder) {
        into.text(self);
    }
}

impl Encode for &[u8] {
    fn encode(&self, into: &mut Encoder) {
        into.bytes(self);
    }
}

impl<const N: usize> Encode for [u8; N] {
    fn encode(&self, into: &mut Encoder) {
        into.bytes(self);
    }
}
