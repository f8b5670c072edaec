//! RFC 8949 appendix A: what CTAP2 takes of CBOR and what it refuses, one test per item.

use ciborium::Value;
use serde_json::Value as Json;
use softkey_ctap::cbor::{DecodeError, check};

use crate::oracle::{canonical, write};
use crate::vectors::{file, unhex};

/// One test per item of the file, named for it, and the list of all items named.
macro_rules! items {
    ($($name:ident: $hex:literal, $verdict:ident;)*) => {
        $(
            #[test]
            fn $name() {
                $verdict($hex);
            }
        )*

        const NAMED: &[&str] = &[$($hex),*];
    };
}

// Floats, tags (bignums among them), undefined, unassigned simple values and indefinite lengths are refused
// (CB-05, CB-10); the rest is in canonical form already and is taken.
items! {
    unsigned_0: "00", accepted;
    unsigned_1: "01", accepted;
    unsigned_10: "0a", accepted;
    unsigned_23: "17", accepted;
    unsigned_24: "1818", accepted;
    unsigned_25: "1819", accepted;
    unsigned_100: "1864", accepted;
    unsigned_1000: "1903e8", accepted;
    unsigned_1000000: "1a000f4240", accepted;
    unsigned_1000000000000: "1b000000e8d4a51000", accepted;
    unsigned_greatest: "1bffffffffffffffff", accepted;
    bignum_2_to_the_64: "c249010000000000000000", refused;
    negative_least: "3bffffffffffffffff", accepted;
    negative_bignum: "c349010000000000000000", refused;
    negative_1: "20", accepted;
    negative_10: "29", accepted;
    negative_100: "3863", accepted;
    negative_1000: "3903e7", accepted;
    half_zero: "f90000", refused;
    half_negative_zero: "f98000", refused;
    half_one: "f93c00", refused;
    double_1_1: "fb3ff199999999999a", refused;
    half_1_5: "f93e00", refused;
    half_greatest: "f97bff", refused;
    single_100000: "fa47c35000", refused;
    single_greatest: "fa7f7fffff", refused;
    double_1e300: "fb7e37e43c8800759c", refused;
    half_least_subnormal: "f90001", refused;
    half_least_normal: "f90400", refused;
    half_minus_4: "f9c400", refused;
    double_minus_4_1: "fbc010666666666666", refused;
    half_infinity: "f97c00", refused;
    half_nan: "f97e00", refused;
    half_minus_infinity: "f9fc00", refused;
    single_infinity: "fa7f800000", refused;
    single_nan: "fa7fc00000", refused;
    single_minus_infinity: "faff800000", refused;
    double_infinity: "fb7ff0000000000000", refused;
    double_nan: "fb7ff8000000000000", refused;
    double_minus_infinity: "fbfff0000000000000", refused;
    boolean_false: "f4", accepted;
    boolean_true: "f5", accepted;
    null: "f6", accepted;
    undefined: "f7", refused;
    simple_16: "f0", refused;
    simple_24: "f818", refused;
    simple_255: "f8ff", refused;
    tag_date_text: "c074323031332d30332d32315432303a30343a30305a", refused;
    tag_epoch_integer: "c11a514b67b0", refused;
    tag_epoch_float: "c1fb41d452d9ec200000", refused;
    tag_base16: "d74401020304", refused;
    tag_encoded_cbor: "d818456449455446", refused;
    tag_uri: "d82076687474703a2f2f7777772e6578616d706c652e636f6d", refused;
    bytes_empty: "40", accepted;
    bytes_four: "4401020304", accepted;
    text_empty: "60", accepted;
    text_one_letter: "6161", accepted;
    text_four_letters: "6449455446", accepted;
    text_quote_and_backslash: "62225c", accepted;
    text_two_byte_character: "62c3bc", accepted;
    text_three_byte_character: "63e6b0b4", accepted;
    text_four_byte_character: "64f0908591", accepted;
    array_empty: "80", accepted;
    array_three: "83010203", accepted;
    array_of_arrays: "8301820203820405", accepted;
    array_twenty_five: "98190102030405060708090a0b0c0d0e0f101112131415161718181819", accepted;
    map_empty: "a0", accepted;
    map_integer_keys: "a201020304", accepted;
    map_text_keys: "a26161016162820203", accepted;
    array_with_a_map: "826161a161626163", accepted;
    map_five_entries: "a56161614161626142616361436164614461656145", accepted;
    indefinite_bytes: "5f42010243030405ff", refused;
    indefinite_text: "7f657374726561646d696e67ff", refused;
    indefinite_array_empty: "9fff", refused;
    indefinite_arrays_both: "9f018202039f0405ffff", refused;
    indefinite_array_outside: "9f01820203820405ff", refused;
    indefinite_array_last: "83018202039f0405ff", refused;
    indefinite_array_middle: "83019f0203ff820405", refused;
    indefinite_array_twenty_five: "9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff", refused;
    indefinite_map_with_array: "bf61610161629f0203ffff", refused;
    indefinite_map_in_array: "826161bf61626163ff", refused;
    indefinite_map_with_boolean: "bf6346756ef563416d7421ff", refused;
}

#[test]
fn each_item_of_the_file_has_a_test() {
    let file = file("cbor-rfc8949-appendix-a.json");
    let items: Vec<&str> = file["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| case["hex"].as_str().unwrap())
        .collect();
    assert_eq!(items, NAMED);
}

fn refused(hex: &str) {
    assert_eq!(check(&unhex(hex)), Err(DecodeError::Malformed));
}

fn accepted(hex: &str) {
    let bytes = unhex(hex);
    assert_eq!(check(&bytes), Ok(()));
    let value: Value = ciborium::from_reader(&bytes[..]).unwrap();
    let expected = expected(hex);
    assert_eq!(value, expected);
    assert_eq!(write(&expected), bytes, "our own writer");
    assert_eq!(canonical(&expected), Some(bytes), "the independent writer");
}

/// The value that the file gives for the item. JSON has no byte strings and no integer keys, so the three items
/// with these are in diagnostic form.
fn expected(hex: &str) -> Value {
    let file = file("cbor-rfc8949-appendix-a.json");
    let cases = file["cases"].as_array().unwrap();
    let case = cases.iter().find(|case| case["hex"] == hex).expect("an item of the file");
    match case.get("diagnostic").map(|text| text.as_str().unwrap()) {
        None => from_json(&case["decoded"]),
        Some("h''") => Value::Bytes(vec![]),
        Some("h'01020304'") => Value::Bytes(vec![1, 2, 3, 4]),
        Some("{1: 2, 3: 4}") => Value::Map(vec![(1.into(), 2.into()), (3.into(), 4.into())]),
        Some(other) => panic!("{other} is not taken by CTAP2"),
    }
}

fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(value), _) => value.into(),
            (None, Some(value)) => value.into(),
            // serde_json reads -2^64 as a float, which holds it exactly.
            (None, None) => {
                assert_eq!(number.as_f64(), Some(-18_446_744_073_709_551_616.0));
                Value::Integer((-(1_i128 << 64)).try_into().unwrap())
            }
        },
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(items) => Value::Array(items.iter().map(from_json).collect()),
        Json::Object(entries) => Value::Map(
            entries.iter().map(|(key, value)| (key.as_str().into(), from_json(value))).collect(),
        ),
    }
}
