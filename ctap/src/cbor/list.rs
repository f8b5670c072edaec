//! Items that are read in place and decoded when they are looked at.

use alloc::vec::Vec;

use super::{Decode, DecodeError, Decoder, Encode, Encoder};

/// One item of any type, as its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw<'b>(pub &'b [u8]);

impl<'b> Decode<'b> for Raw<'b> {
    fn decode(from: &mut Decoder<'b>) -> Result<Self, DecodeError> {
        from.raw().map(Self)
    }
}

impl Encode for Raw<'_> {
    fn encode(&self, into: &mut Encoder) {
        into.raw(self.0);
    }
}

/// One map with any content, as its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawMap<'b>(pub &'b [u8]);

/// Anything but a map is [`DecodeError::UnexpectedType`].
impl<'b> Decode<'b> for RawMap<'b> {
    fn decode(from: &mut Decoder<'b>) -> Result<Self, DecodeError> {
        match from.rest().first() {
            Some(head) if head >> 5 != 5 => Err(DecodeError::UnexpectedType),
            _ => from.raw().map(Self),
        }
    }
}

impl Encode for RawMap<'_> {
    fn encode(&self, into: &mut Encoder) {
        into.raw(self.0);
    }
}

/// Borrowed bytes cannot be made on the spot, so this is one of a few maps.
#[cfg(feature = "arbitrary")]
impl<'b> arbitrary::Arbitrary<'b> for RawMap<'b> {
    fn arbitrary(from: &mut arbitrary::Unstructured<'b>) -> arbitrary::Result<Self> {
        from.choose(&[&[0xa0][..], &[0xa1, 0x01, 0x02], &[0xa1, 0x61, 0x61, 0xf5]])
            .copied()
            .map(Self)
    }
}

/// Borrowed bytes cannot be made on the spot, so this is one of a few items.
#[cfg(feature = "arbitrary")]
impl<'b> arbitrary::Arbitrary<'b> for Raw<'b> {
    fn arbitrary(from: &mut arbitrary::Unstructured<'b>) -> arbitrary::Result<Self> {
        from.choose(&[&[0xa0][..], &[0x80], &[0x00], &[0xf6], &[0xa1, 0x01, 0x02]])
            .copied()
            .map(Self)
    }
}

/// An item together with the bytes it was read from: what a pinUvAuthParam covers is the bytes received, not
/// what we would have written. Two are equal if their items are.
#[derive(Clone, Debug)]
pub struct Received<'b, T> {
    /// The item's bytes as they came; empty in a message that was made here and is still to be written.
    pub bytes: &'b [u8],
    /// The item.
    pub value: T,
}

impl<'b, T: Decode<'b>> Decode<'b> for Received<'b, T> {
    fn decode(from: &mut Decoder<'b>) -> Result<Self, DecodeError> {
        let start = from.rest();
        let value = T::decode(from)?;
        Ok(Self { bytes: from.since(start), value })
    }
}

impl<T: Encode> Encode for Received<'_, T> {
    fn encode(&self, into: &mut Encoder) {
        self.value.encode(into);
    }
}

impl<T: PartialEq> PartialEq for Received<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Received<'_, T> {}

#[cfg(feature = "arbitrary")]
impl<'b, T: arbitrary::Arbitrary<'b>> arbitrary::Arbitrary<'b> for Received<'b, T> {
    fn arbitrary(from: &mut arbitrary::Unstructured<'b>) -> arbitrary::Result<Self> {
        T::arbitrary(from).map(|value| Self { bytes: &[], value })
    }
}

/// An item whose type is looked at only when somebody wants it: the input of an extension, which an
/// authenticator without that extension must ignore whatever it is. Two are equal if their values are, or if
/// both are the same bytes of no value.
#[derive(Clone, Debug)]
pub enum Lazy<'b, T> {
    /// As received.
    Raw(&'b [u8]),
    /// To be written.
    Value(T),
}

impl<'b, T: Decode<'b> + Clone> Lazy<'b, T> {
    /// The item.
    ///
    /// # Errors
    ///
    /// What the item has that the type has not.
    pub fn value(&self) -> Result<T, DecodeError> {
        match self {
            Self::Raw(bytes) => T::decode(&mut Decoder::new(bytes)),
            Self::Value(value) => Ok(value.clone()),
        }
    }
}

impl<'b, T: Decode<'b> + Clone + PartialEq> PartialEq for Lazy<'b, T> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Raw(a), Self::Raw(b)) if a == b => true,
            _ => match (self.value(), other.value()) {
                (Ok(a), Ok(b)) => a == b,
                _ => false,
            },
        }
    }
}

impl<'b, T: Decode<'b> + Clone + Eq> Eq for Lazy<'b, T> {}

impl<'b, T> Decode<'b> for Lazy<'b, T> {
    fn decode(from: &mut Decoder<'b>) -> Result<Self, DecodeError> {
        from.raw().map(Self::Raw)
    }
}

impl<T: Encode> Encode for Lazy<'_, T> {
    fn encode(&self, into: &mut Encoder) {
        match self {
            Self::Raw(bytes) => into.raw(bytes),
            Self::Value(value) => value.encode(into),
        }
    }
}

#[cfg(feature = "arbitrary")]
impl<'b, T: arbitrary::Arbitrary<'b>> arbitrary::Arbitrary<'b> for Lazy<'b, T> {
    fn arbitrary(from: &mut arbitrary::Unstructured<'b>) -> arbitrary::Result<Self> {
        T::arbitrary(from).map(Self::Value)
    }
}

/// An array whose elements have one type. A received one is read in place, again at each look, and never
/// collected; its elements were all decoded once when the message was, so none is left out later. Two lists are
/// equal if their elements are, received or made.
#[derive(Clone, Debug)]
pub struct List<'b, T>(Elements<'b, T>);

#[derive(Clone, Debug)]
enum Elements<'b, T> {
    Raw { elements: &'b [u8], count: usize },
    Made(Vec<T>),
}

impl<'b, T: Decode<'b> + Clone> List<'b, T> {
    /// The elements in order.
    pub fn iter(&self) -> impl Iterator<Item = T> {
        let (raw, made) = match &self.0 {
            Elements::Raw { elements, .. } => (*elements, [].as_slice()),
            Elements::Made(made) => (&[][..], made.as_slice()),
        };
        let mut decoder = Decoder::new(raw);
        let received = core::iter::from_fn(move || {
            if decoder.rest().is_empty() { None } else { T::decode(&mut decoder).ok() }
        });
        received.chain(made.iter().cloned())
    }
}

impl<T> List<'_, T> {
    /// The number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Elements::Raw { count, .. } => *count,
            Elements::Made(made) => made.len(),
        }
    }

    /// Has it no elements?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<'b, T: Decode<'b> + Clone + PartialEq> PartialEq for List<'b, T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<'b, T: Decode<'b> + Clone + Eq> Eq for List<'b, T> {}

impl<T> From<Vec<T>> for List<'_, T> {
    fn from(made: Vec<T>) -> Self {
        Self(Elements::Made(made))
    }
}

impl<T> FromIterator<T> for List<'_, T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        Self(Elements::Made(elements.into_iter().collect()))
    }
}

impl<'b, T: Decode<'b>> Decode<'b> for List<'b, T> {
    fn decode(from: &mut Decoder<'b>) -> Result<Self, DecodeError> {
        let mut start = None;
        let count = from.elements(|from| {
            start.get_or_insert(from.rest());
            T::decode(from).map(drop)
        })?;
        let count = usize::try_from(count).map_err(|_| DecodeError::Malformed)?;
        let elements = start.map_or(&[][..], |start| from.since(start));
        Ok(Self(Elements::Raw { elements, count }))
    }
}

impl<T: Encode> Encode for List<'_, T> {
    fn encode(&self, into: &mut Encoder) {
        into.array(self.len());
        match &self.0 {
            Elements::Raw { elements, .. } => into.raw(elements),
            Elements::Made(made) => made.iter().for_each(|element| element.encode(into)),
        }
    }
}

#[cfg(feature = "arbitrary")]
impl<'b, T: arbitrary::Arbitrary<'b>> arbitrary::Arbitrary<'b> for List<'b, T> {
    fn arbitrary(from: &mut arbitrary::Unstructured<'b>) -> arbitrary::Result<Self> {
        Vec::arbitrary(from).map(Self::from)
    }
}
