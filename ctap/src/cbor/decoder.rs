//! The second pass: typed reading in place.

use super::{DecodeError, MAX_DEPTH};

/// A type that can be read from CBOR, borrowing from the message for as long as `'b`. Maps and arrays are read
/// through [`Decoder::entries`] and [`Decoder::elements`], which prove the message's form on the way.
pub trait Decode<'b>: Sized {
    /// Reads one item.
    ///
    /// # Errors
    ///
    /// What the item has that this type has not, see [`DecodeError`].
    fn decode(from: &mut Decoder<'b>) -> Result<Self, DecodeError>;
}

/// A key of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key<'b> {
    /// An integer.
    Int(i64),
    /// A text string.
    Text(&'b str),
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

/// A key of a map, as it was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label<'b> {
    /// An integer. One beyond the range of `i64` comes as the end of that range.
    Int(i64),
    /// A text string, whose bytes are judged only if nobody knows them.
    Text(&'b [u8]),
    /// Anything else: no message defines such keys.
    Other,
}

/// The head of an item: its major type and its number (a value, a length or a count).
pub(super) struct Head {
    pub(super) major: u8,
    pub(super) value: u64,
}

/// A cursor over CBOR bytes. On bytes that were not checked it gives errors, never a panic.
///
/// Heads in shortest form, definite lengths, UTF-8, known types and at most [`MAX_DEPTH`] levels are asked for
/// wherever it passes, and that no key of a map stands twice. The order of keys is asked for by [`super::decode`] only:
/// there are authenticators that sort badly, and who wants to read those can.
#[derive(Clone, Debug)]
pub struct Decoder<'b> {
    rest: &'b [u8],
    /// Arrays and maps that are open.
    depth: u8,
    /// How many may be open.
    levels: u8,
    keys: Keys,
}

/// What is asked of the keys of a map.
#[derive(Clone, Copy, Debug)]
enum Keys {
    /// Canonical order, and with it that none stands twice.
    Ordered,
    /// That none stands twice.
    Distinct,
    /// Nothing: these bytes were passed before. Judging them again for each key that comes later would take longer with
    /// each level by another factor of all keys.
    Judged,
}

impl<'b> Decoder<'b> {
    /// A cursor at the start of `bytes`, to which keys in any order are right.
    #[must_use]
    pub const fn new(bytes: &'b [u8]) -> Self {
        Self::within(bytes, MAX_DEPTH)
    }

    /// The same, which lets so many levels be open.
    pub(super) const fn within(bytes: &'b [u8], levels: u8) -> Self {
        Self { rest: bytes, depth: 0, levels, keys: Keys::Distinct }
    }

    /// A cursor at the start of `bytes` that wants keys in canonical order, and lets so many levels be open.
    pub(super) const fn strict(bytes: &'b [u8], levels: u8) -> Self {
        Self { rest: bytes, depth: 0, levels, keys: Keys::Ordered }
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
        self.expect(0)
    }

    /// An integer of either sign. One beyond the range of `i64` comes as the end of that range: no message
    /// gives such a number a meaning.
    ///
    /// # Errors
    ///
    /// [`DecodeError::UnexpectedType`] for anything else.
    #[inline]
    pub fn integer(&mut self) -> Result<i64, DecodeError> {
        if let Some((first @ 0..=0x17, rest)) = self.rest.split_first() {
            self.rest = rest;
            return Ok(i64::from(*first));
        }
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
        let len = self.expect(2)?;
        self.take(len)
    }

    /// A text string.
    ///
    /// # Errors
    ///
    /// [`DecodeError::UnexpectedType`] for anything else.
    pub fn text(&mut self) -> Result<&'b str, DecodeError> {
        let len = self.expect(3)?;
        self.take(len).and_then(utf_8)
    }

    /// `false` or `true`.
    ///
    /// # Errors
    ///
    /// [`DecodeError::UnexpectedType`] for anything else.
    pub fn boolean(&mut self) -> Result<bool, DecodeError> {
        match self.head()? {
            Head { major: 7, value: 20 } => Ok(false),
            Head { major: 7, value: 21 } => Ok(true),
            _ => Err(DecodeError::UnexpectedType),
        }
    }

    /// An array: `element` reads one element, and is called for each. Gives their number.
    ///
    /// # Errors
    ///
    /// [`DecodeError::UnexpectedType`] for anything else, [`DecodeError::Malformed`] beyond [`MAX_DEPTH`], and
    /// what `element` gives.
    pub fn elements(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), DecodeError>,
    ) -> Result<u64, DecodeError> {
        let count = self.expect(4)?;
        self.open()?;
        for _ in 0..count {
            // A count beyond the message ends at the first missing byte: each element takes at least one.
            element(self)?;
        }
        self.close();
        Ok(count)
    }

    /// A map: `known` is called with the label of each entry and either reads its value and gives `true`, or
    /// reads nothing and gives `false`; then the value is passed over.
    ///
    /// # Errors
    ///
    /// [`DecodeError::UnexpectedType`] for anything else, [`DecodeError::Malformed`] beyond [`MAX_DEPTH`] and
    /// for keys out of order, and what `known` gives.
    pub fn entries(
        &mut self,
        mut known: impl FnMut(Label<'b>, &mut Self) -> Result<bool, DecodeError>,
    ) -> Result<(), DecodeError> {
        let count = self.expect(5)?;
        self.open()?;
        let (map, mut highest) = (self.rest, &[][..]);
        for _ in 0..count {
            let start = self.rest;
            let label = self.label()?;
            highest = self.follow(map, highest, start)?;
            if !known(label, self)? {
                if let Label::Text(text) = label {
                    utf_8(text)?;
                }
                self.skip()?;
            }
        }
        self.close();
        Ok(())
    }

    /// Judges the key just read, which stands at `start` in the entries at `map`, by the highest key before it (no bytes:
    /// there is none). Gives the highest now.
    #[inline]
    pub(super) fn follow(
        &self,
        map: &'b [u8],
        highest: &'b [u8],
        start: &'b [u8],
    ) -> Result<&'b [u8], DecodeError> {
        let key = self.since(start);
        if in_order(highest, key) {
            return Ok(key);
        }
        match self.keys {
            Keys::Ordered => return Err(DecodeError::Malformed),
            Keys::Distinct => {}
            Keys::Judged => return Ok(highest),
        }
        // Lower than another, so it may be any of those before.
        let mut before = Self { rest: map, keys: Keys::Judged, ..self.clone() };
        while before.rest.len() > start.len() {
            if before.raw()? == key {
                return Err(DecodeError::Malformed);
            }
            before.skip()?;
        }
        Ok(highest)
    }

    #[expect(clippy::inline_always, reason = "a sixth of the instructions of a whole message")]
    #[inline(always)]
    fn label(&mut self) -> Result<Label<'b>, DecodeError> {
        match self.rest.first() {
            Some(0..=0x3b) => self.integer().map(Label::Int),
            Some(0x60..=0x7b) => {
                let len = self.expect(3)?;
                self.take(len).map(Label::Text)
            }
            _ => self.skip().map(|()| Label::Other),
        }
    }

    /// Passes over one item, whatever it is.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Malformed`] for what [`check`](super::check) refuses.
    pub fn skip(&mut self) -> Result<(), DecodeError> {
        super::check::item(self)
    }

    /// Arrays and maps that are open.
    #[cfg(test)]
    pub(super) const fn depth(&self) -> u8 {
        self.depth
    }

    /// Goes one level down.
    pub(super) fn open(&mut self) -> Result<(), DecodeError> {
        if self.depth >= self.levels {
            return Err(DecodeError::Malformed);
        }
        self.depth = self.depth.saturating_add(1);
        Ok(())
    }

    /// Comes back one level.
    pub(super) fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// The bytes of one item, whatever it is.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Malformed`] for what [`check`](super::check) refuses.
    pub fn raw(&mut self) -> Result<&'b [u8], DecodeError> {
        let start = self.rest;
        self.skip()?;
        Ok(self.since(start))
    }

    /// The bytes read since the cursor stood at `start`.
    pub(super) fn since(&self, start: &'b [u8]) -> &'b [u8] {
        start.get(..start.len().saturating_sub(self.rest.len())).unwrap_or(&[])
    }

    #[inline]
    pub(super) fn take(&mut self, len: u64) -> Result<&'b [u8], DecodeError> {
        let len = usize::try_from(len).map_err(|_| DecodeError::Malformed)?;
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(DecodeError::Malformed)?;
        self.rest = rest;
        Ok(taken)
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

    /// The number in a head of this major type. Most have it in their first byte.
    #[expect(clippy::inline_always, reason = "most heads are one byte")]
    #[inline(always)]
    fn expect(&mut self, major: u8) -> Result<u64, DecodeError> {
        match self.rest.split_first() {
            Some((first, rest)) if first.wrapping_sub(major << 5) < 24 => {
                self.rest = rest;
                Ok(u64::from(first & 0x1f))
            }
            _ => self.expect_longer(major),
        }
    }

    #[inline(never)]
    fn expect_longer(&mut self, major: u8) -> Result<u64, DecodeError> {
        let head = self.head()?;
        if head.major == major { Ok(head.value) } else { Err(DecodeError::UnexpectedType) }
    }
}

/// The text in these bytes.
pub(super) fn utf_8(bytes: &[u8]) -> Result<&str, DecodeError> {
    core::str::from_utf8(bytes).map_err(|_| DecodeError::Malformed)
}

/// Does the key `next` come after the key `last` (no bytes: there is none) in canonical order: lower major type
/// first, then shorter, then bytewise?
#[inline]
fn in_order(last: &[u8], next: &[u8]) -> bool {
    let (Some(a), Some(b)) = (last.first(), next.first()) else {
        return true;
    };
    // Of integers and strings the first byte gives the major type, then what grows with the length.
    if *a < 0x80 && a != b {
        return a < b;
    }
    (a >> 5, last.len(), last) < (b >> 5, next.len(), next)
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
