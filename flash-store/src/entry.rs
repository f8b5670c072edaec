//! Entries: how a batch lies in the flash.
//!
//! A batch is an entry of one or more parts, each within a page:
//!
//! ```text
//! part    length (2) | flags (1) | check of the others (1) | batch (4) | records | padding | mark (4)
//! record  a word (4) | key | piece of a value
//! ```
//!
//! The mark is a checksum over all before it and is written last, by itself. A batch is there when the mark of its last
//! part is. Values over [`PIECE`] bytes are cut into pieces, each a record. Keys of a part share what they have in
//! common behind their first byte with the first key of the part.

use alloc::vec::Vec;

use crc::{CRC_32_ISCSI, Crc, Digest, Table};
use softkey_authenticator::Key;

/// The longest piece of a value.
pub(crate) const PIECE: usize = 1024;
/// Bytes before the records of a part.
pub(crate) const PART: u32 = 8;
/// Bytes of a mark.
pub(crate) const MARK: u32 = 4;
/// Bytes before the key of a record.
pub(crate) const RECORD: u32 = 4;
/// A part is one of a batch of at most 16 values, of which at most three pieces more fit a page.
pub(crate) const MAX_RECORDS: u32 = 32;

/// This part is the first of its batch.
pub(crate) const FIRST: u8 = 1;
/// This part is the last of its batch.
pub(crate) const LAST: u8 = 2;
/// No batch: what lived in the page whose sequence stands in the body was copied, and the page is as good as erased.
pub(crate) const DROP: u8 = 4;

static CRC: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISCSI);

/// A checksum under way.
pub(crate) fn digest() -> Digest<'static, u32, Table<1>> {
    CRC.digest()
}

/// The checksum of all these bytes.
pub(crate) fn checksum(bytes: &[&[u8]]) -> u32 {
    let mut digest = digest();
    for bytes in bytes {
        digest.update(bytes);
    }
    digest.finalize()
}

/// The head of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// The length of the records, in bytes.
    pub(crate) len: u16,
    pub(crate) flags: u8,
    pub(crate) batch: u32,
}

impl Part {
    pub(crate) fn encode(self) -> [u8; 8] {
        let mut word =
            u64::from(self.len) | u64::from(self.flags) << 16 | u64::from(self.batch) << 32;
        word |= u64::from(checksum(&[&word.to_le_bytes()]) & 0xff) << 24;
        word.to_le_bytes()
    }

    pub(crate) fn parse(bytes: [u8; 8]) -> Option<Self> {
        let ([len, flags], batch) = (u16s(bytes), u64::from_le_bytes(bytes) >> 32);
        let flags = flags.to_le_bytes().first().copied()?;
        let part = Self { len, flags, batch: u32::try_from(batch).ok()? };
        (part.encode() == bytes).then_some(part)
    }

    /// Where its mark lies, from its start.
    pub(crate) fn mark(self) -> u32 {
        PART + u32::from(self.len).next_multiple_of(4)
    }

    /// Its length with all that belongs to it.
    pub(crate) fn total(self) -> u32 {
        self.mark() + MARK
    }
}

/// The first two numbers of a head.
const fn u16s([a, b, c, d, ..]: [u8; 8]) -> [u16; 2] {
    [u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])]
}

/// The word before a record's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// Does it put the value, or delete the record?
    pub(crate) put: bool,
    /// Which piece of the value this is.
    pub(crate) piece: u8,
    /// Does another piece follow?
    pub(crate) more: bool,
    /// The length of the key.
    pub(crate) key: u8,
    /// How many bytes behind the first the key shares with the first key of the part.
    pub(crate) shared: u8,
    /// The length of the piece.
    pub(crate) value: u16,
}

impl Word {
    pub(crate) fn encode(self) -> [u8; 4] {
        let flags = u8::from(self.put) | u8::from(self.more) << 1 | self.piece << 2;
        let [low, high] = self.value.to_le_bytes();
        [flags | (high & 0x0f) << 4, self.key, self.shared, low]
    }

    pub(crate) fn parse([flags, key, shared, low]: [u8; 4]) -> Self {
        Self {
            put: flags & 1 != 0,
            more: flags & 2 != 0,
            piece: flags >> 2 & 3,
            key,
            shared,
            value: u16::from_le_bytes([low, flags >> 4]),
        }
    }

    /// The bytes of the key that follow the word.
    pub(crate) fn key_len(self) -> u32 {
        u32::from(self.key.saturating_sub(self.shared))
    }

    /// The length of the record.
    pub(crate) fn total(self) -> u32 {
        RECORD + self.key_len() + u32::from(self.value)
    }
}

/// One record as it is written: a piece of a value, or a deletion.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece<'a> {
    pub(crate) key: &'a Key,
    pub(crate) number: u8,
    pub(crate) more: bool,
    /// None deletes.
    pub(crate) value: Option<&'a [u8]>,
}

/// A part as it is put together.
#[derive(Default)]
pub(crate) struct Body {
    base: Option<Key>,
    bytes: Vec<u8>,
    records: u32,
}

impl Body {
    /// The word of a record, were it the next.
    pub(crate) fn word(&self, piece: &Piece<'_>) -> Word {
        let key = piece.key.as_bytes();
        let rest = |key: &[u8]| key.iter().skip(1).copied().collect::<Vec<u8>>();
        let shared = self.base.as_ref().map_or(0, |base| {
            rest(base.as_bytes()).iter().zip(rest(key)).take_while(|(a, b)| **a == *b).count()
        });
        let narrow = |len: usize| u8::try_from(len).unwrap_or(u8::MAX);
        Word {
            put: piece.value.is_some(),
            piece: piece.number,
            more: piece.more,
            key: narrow(key.len()),
            shared: narrow(shared),
            value: u16::try_from(piece.value.map_or(0, <[u8]>::len)).unwrap_or(u16::MAX),
        }
    }

    /// The length of the part with this record in it.
    pub(crate) fn total_with(&self, piece: &Piece<'_>) -> u32 {
        let len = u32::from(self.len()) + self.word(piece).total();
        PART + len.next_multiple_of(4) + MARK
    }

    /// The length of the part as it is.
    pub(crate) fn total(&self) -> u32 {
        PART + u32::from(self.len()).next_multiple_of(4) + MARK
    }

    /// How many records are in it.
    pub(crate) const fn records(&self) -> u32 {
        self.records
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn len(&self) -> u16 {
        u16::try_from(self.bytes.len()).unwrap_or(u16::MAX)
    }

    /// Appends a record.
    pub(crate) fn push(&mut self, piece: &Piece<'_>) {
        let word = self.word(piece);
        self.bytes.extend_from_slice(&word.encode());
        let key = piece.key.as_bytes();
        self.bytes.extend(key.iter().take(1));
        self.bytes.extend(key.iter().skip(1 + usize::from(word.shared)));
        self.bytes.extend_from_slice(piece.value.unwrap_or_default());
        self.base.get_or_insert(*piece.key);
        self.records += 1;
    }

    /// The part without its mark, and the mark.
    pub(crate) fn finish(self, flags: u8, batch: u32) -> (Vec<u8>, [u8; 4]) {
        sealed(&self.bytes, flags, batch)
    }
}

/// A part with this body, without its mark, and the mark.
pub(crate) fn sealed(body: &[u8], flags: u8, batch: u32) -> (Vec<u8>, [u8; 4]) {
    let len = u16::try_from(body.len()).unwrap_or(u16::MAX);
    let head = Part { len, flags, batch }.encode();
    let mut bytes = Vec::with_capacity(head.len() + body.len() + 4);
    bytes.extend_from_slice(&head);
    bytes.extend_from_slice(body);
    bytes.resize(bytes.len().next_multiple_of(4), 0xff);
    let mark = checksum(&[&bytes]).to_le_bytes();
    (bytes, mark)
}
