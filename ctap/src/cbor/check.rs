//! Untyped reading: is this exactly one item of CTAP2 canonical CBOR?

use super::decoder::{Head, utf_8};
use super::{DecodeError, Decoder};

/// Levels of arrays and maps a message may have, counting the outermost.
pub const MAX_DEPTH: u8 = 4;

/// Proves that `bytes` are exactly one well-formed item in CTAP2 canonical form: shortest heads, definite
/// lengths, sorted and distinct map keys, valid UTF-8, no tags, no floats, no simple values but `false`, `true`
/// and `null`, at most [`MAX_DEPTH`] levels, nothing behind it.
///
/// # Errors
///
/// [`DecodeError::Malformed`] for everything else.
pub fn check(bytes: &[u8]) -> Result<(), DecodeError> {
    check_within(bytes, MAX_DEPTH)
}

/// The same with another number of levels.
///
/// # Errors
///
/// As [`check`].
pub fn check_within(bytes: &[u8], levels: u8) -> Result<(), DecodeError> {
    whole(Decoder::strict(bytes, levels))
}

/// Is what this decoder has before it exactly one item, by its own strictness?
pub(super) fn whole(mut decoder: Decoder<'_>) -> Result<(), DecodeError> {
    item(&mut decoder)?;
    if decoder.rest().is_empty() { Ok(()) } else { Err(DecodeError::Malformed) }
}

/// Passes over one item. Recursion ends at the number of levels.
pub(super) fn item(decoder: &mut Decoder<'_>) -> Result<(), DecodeError> {
    let Head { major, value } = decoder.head()?;
    match major {
        0 | 1 | 7 => Ok(()),
        2 => decoder.take(value).map(drop),
        3 => decoder.take(value).and_then(utf_8).map(drop),
        4 => {
            decoder.open()?;
            // A count beyond the message ends at the first missing byte: each item takes at least one.
            (0..value).try_for_each(|_| item(decoder))?;
            decoder.close();
            Ok(())
        }
        5 => {
            decoder.open()?;
            entries(decoder, value)?;
            decoder.close();
            Ok(())
        }
        _ => Err(DecodeError::Malformed),
    }
}

fn entries(decoder: &mut Decoder<'_>, count: u64) -> Result<(), DecodeError> {
    let (map, mut highest) = (decoder.rest(), &[][..]);
    for _ in 0..count {
        let start = decoder.rest();
        item(decoder)?;
        highest = decoder.follow(map, highest, start)?;
        item(decoder)?;
    }
    Ok(())
}
