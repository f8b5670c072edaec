//! The helper against RFC 8949's examples, and one case per flaw.

use super::*;
use crate::parts::unhex;

fn appendix_a() -> Vec<serde_json::Value> {
    let file = include_str!("../../vectors/cbor-rfc8949-appendix-a.json");
    let file: serde_json::Value = serde_json::from_str(file).unwrap();
    file["cases"].as_array().unwrap().clone()
}

/// Is this within what CTAP2 leaves of CBOR: no tags, floats, undefined, other simple values (seen from the
/// head in these examples) and no indefinite lengths (which never survive a round trip)?
fn allowed_by_ctap(case: &serde_json::Value, bytes: &[u8]) -> bool {
    let major = bytes[0] >> 5;
    case["roundtrip"] == true && major != 6 && (major != 7 || matches!(bytes[0], 0xF4..=0xF6))
}

#[test]
fn walker_agrees_with_rfc8949_appendix_a() {
    let mut read = 0;
    for case in appendix_a() {
        let bytes = unhex(case["hex"].as_str().unwrap());
        let walked = walk(&bytes);
        assert_eq!(walked.is_ok(), allowed_by_ctap(&case, &bytes), "{walked:?} of {case}");
        if let Ok(value) = walked {
            assert_eq!(value.encode(), bytes, "{case}");
            if let Some(decoded) = case.get("decoded") {
                assert_eq!(json(&value), *decoded, "{case}");
            }
            read += 1;
        }
    }
    assert_eq!(read, 37, "examples within CTAP2's share of CBOR");
}

/// The vectors' decoded form of a value, where JSON can say it.
fn json(value: &Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        Value::Uint(n) => (*n).into(),
        Value::Nint(n) => {
            serde_json::from_str(&(-1 - i128::from(*n)).to_string()).unwrap_or(Json::Null)
        }
        Value::Text(text) => text.as_str().into(),
        Value::Array(items) => Json::Array(items.iter().map(json).collect()),
        Value::Map(entries) => {
            Json::Object(entries.iter().map(|(k, v)| (k.text().to_owned(), json(v))).collect())
        }
        Value::Bool(value) => (*value).into(),
        Value::Null => Json::Null,
        Value::Bytes(_) | Value::Raw(_) => panic!("no JSON form"),
    }
}

#[test]
fn each_flaw_is_named() {
    let cases: &[(&str, Flaw)] = &[
        ("", Flaw::Truncated),
        ("18", Flaw::Truncated),
        ("42aa", Flaw::Truncated),
        ("8201", Flaw::Truncated),
        ("a101", Flaw::Truncated),
        ("5bffffffffffffffff", Flaw::Truncated),
        ("9bffffffffffffffff", Flaw::Truncated),
        ("bbffffffffffffffff", Flaw::Truncated),
        ("0000", Flaw::Trailing),
        ("1817", Flaw::NotShortest),
        ("1900ff", Flaw::NotShortest),
        ("1a0000ffff", Flaw::NotShortest),
        ("1b00000000ffffffff", Flaw::NotShortest),
        ("5817", Flaw::NotShortest),
        ("bf01ff", Flaw::Indefinite),
        ("9fff", Flaw::Indefinite),
        ("5f40ff", Flaw::Indefinite),
        ("ff", Flaw::Indefinite),
        ("1c", Flaw::Reserved),
        ("c000", Flaw::Tag),
        ("f90000", Flaw::Simple),
        ("f7", Flaw::Simple),
        ("e0", Flaw::Simple),
        ("f8ff", Flaw::Simple),
        ("62c328", Flaw::NotUtf8),
        ("a2020001 00", Flaw::Disordered),
        ("a220000100", Flaw::Disordered),
        ("a2626262006163 00", Flaw::Disordered),
        ("a201000100", Flaw::Doubled),
        ("8181818180", Flaw::TooDeep),
        ("a101a101a101a101a0", Flaw::TooDeep),
    ];
    for (hex, flaw) in cases {
        let bytes = unhex(&hex.replace(' ', ""));
        assert_eq!(walk(&bytes), Err(*flaw), "{hex}");
    }
}

/// Of answers those with a `compound` statement alone have a fifth level.
#[test]
fn a_fifth_level_is_compounds() {
    let answer = |fmt: &str, levels: usize| {
        let statement = Value::Raw([vec![0x81; levels - 2], vec![0x80]].concat());
        map([(1, Value::from(fmt)), (3, statement)]).encode()
    };
    assert!(walk_answer(&answer("packed", 4)).is_ok());
    assert_eq!(walk_answer(&answer("packed", 5)), Err(Flaw::TooDeep));
    assert!(walk_answer(&answer("compound", 5)).is_ok());
    assert_eq!(walk_answer(&answer("compound", 6)), Err(Flaw::TooDeep));
    assert_eq!(walk_answer(&[answer("compound", 5), vec![0]].concat()), Err(Flaw::Trailing));
}

#[test]
fn four_levels_and_canonical_key_order_are_read() {
    assert!(walk(&unhex("81818180")).is_ok());
    let mixed = map([
        (Value::from("b"), 0),
        (Value::from("aa"), 0),
        (Value::from(-1), 0),
        (Value::from(300), 0),
        (bytes(&[7]), 0),
        (Value::from(2), 0),
    ]);
    assert_eq!(mixed.encode(), unhex("a6020019012c00200041070061620062616100"));
    assert!(walk(&mixed.encode()).is_ok());
}
