//! CTAP2 canonical CBOR, strict in both directions (`CTAP` 2.3, message encoding).
//!
//! A message is read in place on the borrowed bytes, in one pass that proves on its way that they are exactly
//! one well-formed, canonical item. What is not is [`DecodeError::Malformed`]; other faults are wrong types,
//! missing members, wrong lengths and impossible values. A message that has such a fault is walked again by
//! [`check`], so that one that is malformed as well is always refused as malformed, wherever the faults stand.

mod check;
mod decoder;
mod encoder;
mod list;
mod message;

#[cfg(test)]
mod tests;

pub use check::{MAX_DEPTH, check, check_within};
pub use decoder::{Decode, Decoder, Key, Label};
pub use encoder::{Encode, Encoder};
pub use list::{Lazy, List, Raw, RawMap, Received};

use alloc::vec::Vec;

/// Why a message could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DecodeError {
    /// Not exactly one well-formed item of CTAP2 canonical CBOR, or nested too deeply.
    Malformed,
    /// An item has another type than its place asks for.
    UnexpectedType,
    /// A required member is missing.
    Missing,
    /// A string is shorter or longer than its place allows.
    Length,
    /// A value that its place can never take, such as an empty relying party identifier.
    Value,
}

/// Reads one whole message, strictly.
///
/// # Errors
///
/// [`DecodeError::Malformed`] if [`check`] refuses the bytes, else what the type's own reading finds.
pub fn decode<'b, T: Decode<'b>>(bytes: &'b [u8]) -> Result<T, DecodeError> {
    decode_within(bytes, MAX_DEPTH)
}

/// The same for what may have other levels of arrays and maps than CTAP's [`MAX_DEPTH`], as attestation objects have
/// ([`OBJECT_LEVELS`](crate::attestation::OBJECT_LEVELS)).
///
/// # Errors
///
/// As [`decode`].
pub fn decode_within<'b, T: Decode<'b>>(bytes: &'b [u8], levels: u8) -> Result<T, DecodeError> {
    decode_by(Decoder::strict(bytes, levels))
}

/// Reads one whole message whose maps need not be sorted, as some authenticators answer; everything else is as strict.
///
/// # Errors
///
/// As [`decode`].
pub fn decode_unsorted<'b, T: Decode<'b>>(bytes: &'b [u8]) -> Result<T, DecodeError> {
    decode_unsorted_within(bytes, MAX_DEPTH)
}

/// The same for what may have other levels of arrays and maps.
///
/// # Errors
///
/// As [`decode`].
pub fn decode_unsorted_within<'b, T: Decode<'b>>(
    bytes: &'b [u8],
    levels: u8,
) -> Result<T, DecodeError> {
    decode_by(Decoder::within(bytes, levels))
}

/// Reads one whole message as strictly as this decoder is.
fn decode_by<'b, T: Decode<'b>>(mut decoder: Decoder<'b>) -> Result<T, DecodeError> {
    let whole = decoder.clone();
    match T::decode(&mut decoder) {
        Ok(value) if decoder.rest().is_empty() => Ok(value),
        Ok(_) => Err(DecodeError::Malformed),
        Err(fault) => check::whole(whole).and(Err(fault)),
    }
}

/// Writes one message.
pub fn encode<T: Encode + ?Sized>(value: &T) -> Vec<u8> {
    let mut encoder = Encoder::new();
    value.encode(&mut encoder);
    encoder.into_bytes()
}

/// Are the keys of a table in canonical order? [`message!`](crate::message) checks it at compile time.
#[must_use]
pub const fn canonical(keys: &[Key<'_>]) -> bool {
    let mut rest = keys;
    while let [a, tail @ ..] = rest {
        if let [b, ..] = tail
            && !a.precedes(b)
        {
            return false;
        }
        rest = tail;
    }
    true
}
