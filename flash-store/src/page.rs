//! Pages: the head of each, and what is known of it while the store is open.
//!
//! ```text
//! 0   "SKF1" | erases | check of both | 0xFFFFFFFF     written right after the page was erased
//! 16  sequence | its complement                        written when the page is taken into use
//! 24  parts of entries (see entry.rs), then 0xFF
//! ```

use crate::entry::checksum;

const MAGIC: [u8; 4] = *b"SKF1";

/// A page, the unit of erasing.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// How often it was erased.
    pub(crate) erases: u32,
    /// Its place in the order of use; none while it is blank.
    pub(crate) sequence: Option<u32>,
    /// Where its entries end, from its start.
    pub(crate) end: u32,
    /// The bytes of what lives in it.
    pub(crate) live: u32,
}

/// What the head of a page says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// Nothing that can be read: never used, or an erasing was interrupted.
    Unknown,
    /// Erased so many times, and blank if the rest of it is.
    Blank(u32),
    /// Erased so many times, and in use under this sequence.
    Used(u32, u32),
    /// Erased so many times; taking it into use was interrupted.
    Torn(u32),
}

impl Page {
    /// The length of a page, in bytes.
    pub const LEN: u32 = 4096;

    /// The length of its head.
    pub(crate) const HEAD: u32 = 24;
    /// What is left for entries.
    pub(crate) const ROOM: u32 = Self::LEN - Self::HEAD;
    /// Where the second part of the head begins.
    pub(crate) const USE: u32 = 16;

    /// A page that is blank behind its head.
    pub(crate) const fn blank(erases: u32) -> Self {
        Self { erases, sequence: None, end: Self::HEAD, live: 0 }
    }
}

impl Head {
    pub(crate) fn parse(bytes: &[u8; 24]) -> Self {
        let words = bytes.as_chunks::<4>().0;
        let [magic, erases, check, _, sequence, complement] = words else { return Self::Unknown };
        if *magic != MAGIC || checksum(&[magic, erases]) != u32::from_le_bytes(*check) {
            return Self::Unknown;
        }
        let erases = u32::from_le_bytes(*erases);
        let (sequence, complement) =
            (u32::from_le_bytes(*sequence), u32::from_le_bytes(*complement));
        if (sequence, complement) == (u32::MAX, u32::MAX) {
            Self::Blank(erases)
        } else if sequence == !complement {
            Self::Used(erases, sequence)
        } else {
            Self::Torn(erases)
        }
    }

    /// The first part of a head.
    pub(crate) fn erased(erases: u32) -> [u8; 16] {
        let erases = erases.to_le_bytes();
        let check = checksum(&[&MAGIC, &erases]).to_le_bytes();
        let mut bytes = [0xff; 16];
        for (to, from) in bytes.iter_mut().zip(MAGIC.iter().chain(&erases).chain(&check)) {
            *to = *from;
        }
        bytes
    }

    /// The second part of a head.
    pub(crate) fn in_use(sequence: u32) -> [u8; 8] {
        (u64::from(sequence) | u64::from(!sequence) << 32).to_le_bytes()
    }
}
