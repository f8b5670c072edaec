//! The first pass: is this exactly one item of CTAP2 canonical CBOR?

use core::cmp::Ordering;

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
    let mut decoder = Decoder::new(bytes);
    item(&mut decoder, 0)?;
    if decoder.rest().is_empty() { Ok(()) } else { Err(DecodeError::Malformed) }
}

fn item(decoder: &mut Decoder<'_>, depth: u8) -> Result<(), DecodeError> {
    let head = decoder.head()?;
    match head.major {
        0 | 1 | 7 => Ok(()),
        2 => decoder.take(head.value).map(drop),
        3 => decoder.take_text(head.value).map(drop),
        4 => {
            let depth = deeper(depth)?;
            // A count beyond the message ends at the first missing byte: each item takes at least one.
            (0..head.value).try_for_each(|_| item(decoder, depth))
        }
        5 => entries(decoder, head.value, deeper(depth)?),
        _ => Err(DecodeError::Malformed),
    }
}

fn deeper(depth: u8) -> Result<u8, DecodeError> {
    if depth < MAX_DEPTH { Ok(depth.saturating_add(1)) } else { Err(DecodeError::Malformed) }
}

fn entries(decoder: &mut Decoder<'_>, count: u64, depth: u8) -> Result<(), DecodeError> {
    let mut last: &[u8] = &[];
    for _ in 0..count {
        let start = decoder.rest();
        item(decoder, depth)?;
        let key = decoder.since(start);
        if !last.is_empty() && order(last, key) != Ordering::Less {
            return Err(DecodeError::Malformed);
        }
        last = key;
        item(decoder, depth)?;
    }
    Ok(())
}

/// The canonical order of encoded keys: lower major type first, then shorter, then bytewise.
fn order(a: &[u8], b: &[u8]) -> Ordering {
    let major = |key: &[u8]| key.first().map(|first| first >> 5);
    major(a).cmp(&major(b)).then(a.len().cmp(&b.len())).then_with(|| a.cmp(b))
}
