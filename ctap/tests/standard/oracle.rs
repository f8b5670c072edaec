//! An independent opinion on canonical CBOR: ciborium reads, and the writer here, which shares no code with the
//! crate, writes. Bytes are canonical if both together give them back.

use ciborium::Value;
use softkey_ctap::cbor::Encoder;

/// CTAP2 allows four levels of arrays and maps.
const LEVELS: usize = 4;

/// The canonical form of a value, or nothing if CTAP2 has none for it: tags, floats, two equal keys, too many
/// levels. Entries may stand in any order.
pub(crate) fn canonical(value: &Value) -> Option<Vec<u8>> {
    at_level(value, 0)
}

fn at_level(value: &Value, level: usize) -> Option<Vec<u8>> {
    match value {
        Value::Integer(integer) => {
            let integer = i128::from(*integer);
            Some(if integer < 0 { head(1, -1 - integer) } else { head(0, integer) })
        }
        Value::Bytes(bytes) => Some([head(2, wide(bytes.len())), bytes.clone()].concat()),
        Value::Text(text) => Some([head(3, wide(text.len())), text.clone().into_bytes()].concat()),
        Value::Bool(value) => Some(vec![0xf4 + u8::from(*value)]),
        Value::Null => Some(vec![0xf6]),
        Value::Array(items) if level < LEVELS => {
            let mut out = head(4, wide(items.len()));
            for item in items {
                out.extend(at_level(item, level + 1)?);
            }
            Some(out)
        }
        Value::Map(entries) if level < LEVELS => {
            let mut encoded = Vec::new();
            for (key, value) in entries {
                encoded.push((at_level(key, level + 1)?, at_level(value, level + 1)?));
            }
            encoded.sort_by_key(|(key, _)| (key[0] / 32, key.len(), key.clone()));
            if encoded.windows(2).any(|pair| pair[0].0 == pair[1].0) {
                return None;
            }
            let mut out = head(5, wide(entries.len()));
            for (key, value) in encoded {
                out.extend([key, value].concat());
            }
            Some(out)
        }
        _ => None,
    }
}

fn wide(len: usize) -> i128 {
    i128::try_from(len).unwrap()
}

fn head(major: u8, value: i128) -> Vec<u8> {
    let first = major * 32;
    if value < 24 {
        return vec![first + u8::try_from(value).unwrap()];
    }
    if let Ok(value) = u8::try_from(value) {
        return vec![first + 24, value];
    }
    if let Ok(value) = u16::try_from(value) {
        return [&[first + 25][..], &value.to_be_bytes()].concat();
    }
    if let Ok(value) = u32::try_from(value) {
        return [&[first + 26][..], &value.to_be_bytes()].concat();
    }
    [&[first + 27][..], &u64::try_from(value).unwrap().to_be_bytes()].concat()
}

/// Are these bytes exactly one item in canonical form?
pub(crate) fn is_canonical(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    let Ok(value) = ciborium::from_reader::<Value, _>(&mut rest) else {
        return false;
    };
    rest.is_empty() && canonical(&value).is_some_and(|wanted| wanted == bytes)
}

/// What the crate's own [`Encoder`] writes for a value whose entries stand in canonical order.
pub(crate) fn write(value: &Value) -> Vec<u8> {
    let mut encoder = Encoder::new();
    write_into(value, &mut encoder);
    encoder.into_bytes()
}

fn write_into(value: &Value, into: &mut Encoder) {
    match value {
        Value::Integer(integer) => match (u64::try_from(*integer), i64::try_from(*integer)) {
            (Ok(value), _) => into.unsigned(value),
            (_, Ok(value)) => into.integer(value),
            // Our writer has no negative numbers beyond i64: no message does.
            _ => into.raw(&canonical(value).unwrap()),
        },
        Value::Bytes(bytes) => into.bytes(bytes),
        Value::Text(text) => into.text(text),
        Value::Bool(value) => into.boolean(*value),
        Value::Array(items) => {
            into.array(items.len());
            for item in items {
                write_into(item, into);
            }
        }
        Value::Map(entries) => {
            into.map(entries.len());
            for (key, value) in entries {
                write_into(key, into);
                write_into(value, into);
            }
        }
        _ => into.raw(&canonical(value).expect("a value that CTAP2 has")),
    }
}
