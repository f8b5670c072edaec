//! The strict CBOR reader against two other opinions.
//!
//! Claim: the reader takes bytes if and only if they are what an independent writer makes of the value that
//! ciborium reads in them, if and only if the walker of the test world takes them; and what is taken, our own
//! writer writes again. Planted: a reader that does not mind the order of keys.

use softkey_ctap::cbor::{Decoder, Encoder, MAX_DEPTH, check};
use softkey_tests::cbor::{Value, walk};

use crate::Subject;

/// One item, or none.
pub fn run(data: &[u8], subject: Subject) {
    let taken = match subject {
        Subject::Real => check(data).is_ok(),
        Subject::Planted => {
            let mut decoder = Decoder::new(data);
            decoder.skip().is_ok() && decoder.rest().is_empty()
        }
    };
    let value = canonical(data);
    assert_eq!(taken, value.is_some(), "the reader and ciborium differ");
    assert_eq!(value, walk(data).ok(), "ciborium and the walker differ");
    if let Some(value) = value {
        let mut encoder = Encoder::new();
        write(&value, &mut encoder);
        assert_eq!(encoder.into_bytes(), data, "the writer writes something else");
    }
}

/// The value in these bytes by ciborium's reading, if writing it in canonical form gives the same bytes.
fn canonical(data: &[u8]) -> Option<Value> {
    let mut rest = data;
    let read: ciborium::Value = ciborium::from_reader(&mut rest).ok()?;
    let value = known(&read, 0)?;
    (rest.is_empty() && value.encode() == data).then_some(value)
}

/// The same value in the test world's type; nothing for what CTAP2 has not: floats, tags, other simple values,
/// more levels, two equal keys.
fn known(value: &ciborium::Value, level: u8) -> Option<Value> {
    Some(match value {
        ciborium::Value::Integer(number) => match i128::from(*number) {
            number @ 0.. => Value::Uint(u64::try_from(number).ok()?),
            number => Value::Nint(u64::try_from(-1 - number).ok()?),
        },
        ciborium::Value::Bytes(bytes) => Value::Bytes(bytes.clone()),
        ciborium::Value::Text(text) => Value::Text(text.clone()),
        ciborium::Value::Bool(value) => Value::Bool(*value),
        ciborium::Value::Null => Value::Null,
        ciborium::Value::Array(items) if level < MAX_DEPTH => {
            Value::Array(items.iter().map(|item| known(item, level + 1)).collect::<Option<_>>()?)
        }
        ciborium::Value::Map(entries) if level < MAX_DEPTH => {
            let entry =
                |(key, value): &(_, _)| Some((known(key, level + 1)?, known(value, level + 1)?));
            let entries: Vec<_> = entries.iter().map(entry).collect::<Option<_>>()?;
            let doubled = |(at, (key, _)): (usize, &(Value, Value))| {
                entries[..at].iter().any(|(earlier, _)| earlier == key)
            };
            if entries.iter().enumerate().any(doubled) {
                return None;
            }
            Value::Map(entries)
        }
        _ => return None,
    })
}

fn write(value: &Value, into: &mut Encoder) {
    match value {
        Value::Uint(number) => into.unsigned(*number),
        Value::Nint(number) => match i64::try_from(*number) {
            Ok(number) => into.integer(-1 - number),
            // Our writer has no negative numbers beyond i64: no message does.
            Err(_) => into.raw(&value.encode()),
        },
        Value::Bytes(bytes) => into.bytes(bytes),
        Value::Text(text) => into.text(text),
        Value::Bool(value) => into.boolean(*value),
        Value::Array(items) => {
            into.array(items.len());
            for item in items {
                write(item, into);
            }
        }
        Value::Map(entries) => {
            into.map(entries.len());
            for (key, value) in entries {
                write(key, into);
                write(value, into);
            }
        }
        Value::Null | Value::Raw(_) => into.raw(&value.encode()),
    }
}
