//! The second pass: typed reading in place.

use super::DecodeError;

/// A type that can be read from CBOR, borrowing from the message for as long as `'b`.
pub trait Decode<'b>: Sized {
    /// Reads one item.
    ///
    /// # Errors
    ///
    /// What the item has that this type has not, see [`DecodeError`].
    fn decode(from: &mut Decoder<'b>) -> Result<Self, DecodeError>;
}

/// A key of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key<'b> {
    /// An integer.
    Int(i64),
    /// A text string.
    Text(&'b str),
    /// Anything else: no message defines such keys.
    Other,
}

impl Key<'_> {
    /// Does this key stand before `other` in canonical order?
    pub(crate) const fn precedes(&self, other: &Self) -> bool {
        match (self, other) {
            (Key::Int(a), Key::Int(b)) if *a >= 0 && *b >= 0 => *a < *b,
            (Key::Int(a), Key::Int(b)) if *a < 0 && *b < 0 => *a > *b,
            (Key::Int(a), Key::Int(_)) => *a >= 0,
            (Key::Int(_), Key::Text(_)) => true,
            (Key::Text(a), Key::Text(b)) => {
                text_precedes(a.as_bytes(), b.as_bytes(), a.len() < b.len(), a.len() == b.len())
            }
            _ => false,
        }
    }
}

const fn text_precedes(mut a: &[u8], mut b: &[u8], shorter: bool, equally_long: bool) -> bool {
    if !equally_long {
        return shorter;
    }
    while let ([x, rest_a @ ..], [y, rest_b @ ..]) = (a, b) {
        if *x != *y {
            return *x < *y;
        }
        a = rest_a;
        b = rest_b;
    }
    false
}

/// The head of an item: its major type and its number (a value, a length or a count).
pub(super) struct Head {
    pub(super) major: u8,
    pub(super) value: u64,
}

/// A cursor over CBOR bytes. On bytes that were not checked it gives errors, never a panic.
#[derive(Clone, Debug)]
pub struct Decoder<'b> {
    rest: &'b [u8],
}

impl<'b> Decoder<'b> {
    /// A cursor at the start of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What has not been read yet.
    #[must_use]
    pub const fn rest(&self) -> &'b [u8] {
        self.rest
    }

    /// An unsigned integer.
    ///
    /// # Errors
    ///
    /// [`DecodeError::UnexpectedType`] for anything else.
    pub fn unsigned(&mut self) -> Result<u64, DecodeError> {
        Ok(self.expect(0)?.value)
    }

    /// An integer of either sign. One beyond the range of `i64` comes as the end of that range: no message
    /// gives such a number a meaning.
    ///
    /// # Errors
    ///
    /// [`DecodeError::UnexpectedType`] for anything else.
    pub fn integer(&mut self) -> Result<i64, DecodeError> {
        let Head { major, value } = self.head()?;
        match (major, i64::try_from(value)) {
            (0, Ok(value)) => Ok(value),
            (0, Err(_)) => Ok(i64::MAX),
            (1, Ok(value)) => Ok(-1 - value),
            (1, Err(_)) => Ok(i64::MIN),
            _ => Err(DecodeError::UnexpectedType),
        }
    }

    /// A byte string.
    ///
    /// # Errors
    ///
    /// [`DecodeError::UnexpectedType`] for anything else.
    pub fn bytes(&mut self) -> Result<&'b [u8], DecodeError> {
        let len = self.expect(2)?.value;
        self.take(len)
    }

    /// A text string.
    ///
    /// # Errors
    ///
    /// [`DecodeError::UnexpectedType`] for anything else.
    pub fn text(&mut self) -> Result<&'b str, DecodeError> {
        let len = self.expect(3)?.value;
        self.take_text(len)
    }

    /// `false` or `true`.
    ///
    /// # Errors
    ///
    /// [`DecodeError::UnexpectedType`] for anything else.
    pub fn boolean(&mut self) -> Result<bool, DecodeError> {
        match self.expect(7)?.value {
            20 => Ok(false),
            21 => Ok(true),
            _ => Err(DecodeError::UnexpectedType),
        }
    }

    /// The head of an array; its elements follow. Gives their number.
    ///
    /// # Errors
    ///
    /// [`DecodeError::UnexpectedType`] for anything else.
    pub fn array(&mut self) -> Result<u64, DecodeError> {
        Ok(self.expect(4)?.value)
    }

    /// The head of a map; its entries, each a key and a value, follow. Gives their number.
    ///
    /// # Errors
    ///
    /// [`DecodeError::UnexpectedType`] for anything else.
    pub fn map(&mut self) -> Result<u64, DecodeError> {
        Ok(self.expect(5)?.value)
    }

    /// The key of a map's entry.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Malformed`] on bytes that were not checked.
    pub fn key(&mut self) -> Result<Key<'b>, DecodeError> {
        match self.rest.first().map(|first| first >> 5) {
            Some(0 | 1) => self.integer().map(Key::Int),
            Some(3) => self.text().map(Key::Text),
            _ => self.skip().map(|()| Key::Other),
        }
    }

    /// Passes over one item, whatever it is.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Malformed`] on bytes that were not checked.
    pub fn skip(&mut self) -> Result<(), DecodeError> {
        // Counts items instead of recursing, so that unchecked bytes cannot exhaust the stack.
        let mut wanted: u64 = 1;
        while wanted > 0 {
            let Head { major, value } = self.head()?;
            wanted = wanted.saturating_sub(1);
            match major {
                2 | 3 => drop(self.take(value)?),
                4 => wanted = wanted.saturating_add(value),
                5 => wanted = wanted.saturating_add(value).saturating_add(value),
                _ => {}
            }
        }
        Ok(())
    }

    /// The bytes of one item, whatever it is.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Malformed`] on bytes that were not checked.
    pub fn raw(&mut self) -> Result<&'b [u8], DecodeError> {
        let start = self.rest;
        self.skip()?;
        Ok(self.since(start))
    }

    /// The bytes read since the cursor stood at `start`.
    pub(super) fn since(&self, start: &'b [u8]) -> &'b [u8] {
        start.get(..start.len().saturating_sub(self.rest.len())).unwrap_or(&[])
    }

    pub(super) fn take(&mut self, len: u64) -> Result<&'b [u8], DecodeError> {
        let len = usize::try_from(len).map_err(|_| DecodeError::Malformed)?;
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(DecodeError::Malformed)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn take_text(&mut self, len: u64) -> Result<&'b str, DecodeError> {
        core::str::from_utf8(self.take(len)?).map_err(|_| DecodeError::Malformed)
    }

    /// The next head, which must be in shortest form and of a kind that CTAP2 uses.
    pub(super) fn head(&mut self) -> Result<Head, DecodeError> {
        let (&first, rest) = self.rest.split_first().ok_or(DecodeError::Malformed)?;
        self.rest = rest;
        let (major, info) = (first >> 5, first & 0x1f);
        let value = match info {
            0..=23 => u64::from(info),
            _ if major > 5 => return Err(DecodeError::Malformed),
            24 => self.number::<1>(24)?,
            25 => self.number::<2>(1 << 8)?,
            26 => self.number::<4>(1 << 16)?,
            27 => self.number::<8>(1 << 32)?,
            _ => return Err(DecodeError::Malformed),
        };
        if major == 6 || (major == 7 && !matches!(value, 20..=22)) {
            return Err(DecodeError::Malformed);
        }
        Ok(Head { major, value })
    }

    /// A big-endian number of `N` bytes that would not fit a shorter form.
    fn number<const N: usize>(&mut self, least: u64) -> Result<u64, DecodeError> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>().ok_or(DecodeError::Malformed)?;
        self.rest = rest;
        let value = bytes.iter().fold(0, |value, byte| (value << 8) | u64::from(*byte));
        if value < least { Err(DecodeError::Malformed) } else { Ok(value) }
    }

    fn expect(&mut self, major: u8) -> Result<Head, DecodeError> {
        let head = self.head()?;
        if head.major == major { Ok(head) } else { Err(DecodeError::UnexpectedType) }
    }
}

impl<'b> Decode<'b> for u64 {
    fn decode(from: &mut Decoder<'b>) -> Result<Self, DecodeError> {
        from.unsigned()
    }
}

impl<'b> Decode<'b> for i64 {
    fn decode(from: &mut Decoder<'b>) -> Result<Self, DecodeError> {
        from.integer()
    }
}

impl<'b> Decode<'b> for bool {
    fn decode(from: &mut Decoder<'b>) -> Result<Self, DecodeError> {
        from.boolean()
    }
}

impl<'b> Decode<'b> for &'b str {
    fn decode(from: &mut Decoder<'b>) -> Result<Self, DecodeError> {
        from.text()
    }
}

impl<'b> Decode<'b> for &'b [u8] {
    fn decode(from: &mut Decoder<'b>) -> Result<Self, DecodeError> {
        from.bytes()
    }
}

/// A byte string of exactly `N` bytes; another length is [`DecodeError::Length`].
impl<'b, const N: usize> Decode<'b> for [u8; N] {
    fn decode(from: &mut Decoder<'b>) -> Result<Self, DecodeError> {
        from.bytes()?.try_into().map_err(|_| DecodeError::Length)
    }
}
