//! `clientdata-serialization.json`: the bytes of client data (WebAuthn Level 3 section 5.8.1).

use serde_json::Value;
use softkey_client::client_data::{ClientData, hash};

use crate::vectors::{cases, parse, unhex};

pub(crate) fn file() -> Value {
    parse(include_str!("../../../tests/vectors/clientdata-serialization.json"))
}

pub(crate) fn check(case: &Value) {
    let extra = case["extra"].as_object().map(|extra| serde_json::to_string(extra).unwrap());
    let client_data = ClientData {
        kind: case["type"].as_str().unwrap(),
        challenge: &unhex(&case["challenge_hex"]),
        origin: case["origin"].as_str().unwrap(),
        cross_origin: case["crossOrigin"].as_bool().unwrap_or(false),
        top_origin: case["topOrigin"].as_str(),
        extra: extra.as_deref(),
    };
    let json = client_data.to_json();
    let expected = unhex(&case["json_hex"]);
    assert_eq!(String::from_utf8_lossy(&json), String::from_utf8_lossy(&expected));
    assert_eq!(hash(&json).as_slice(), unhex(&case["sha256"]));
}

cases! { file, check:
    plain_create = 0,
    plain_get_with_cross_origin_false = 1,
    cross_origin_without_top_origin = 2,
    cross_origin_with_top_origin = 3,
    a_port_is_kept = 4,
    the_base64url_alphabet_without_padding = 5,
    an_empty_challenge = 6,
    quote_and_backslash_are_escaped = 7,
    control_characters_have_the_long_escape = 8,
    what_is_not_ascii_is_utf_8 = 9,
    further_members_keep_their_order = 10,
}
