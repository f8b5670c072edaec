//! The files of test vectors.

use serde_json::Value as Json;

/// The file of this name under `tests/vectors`.
pub(crate) fn file(name: &str) -> Json {
    let text = match name {
        "cbor-rfc8949-appendix-a.json" => {
            include_str!("../../../tests/vectors/cbor-rfc8949-appendix-a.json")
        }
        "ctap-pin-protocol.json" => include_str!("../../../tests/vectors/ctap-pin-protocol.json"),
        "webauthn-l3.json" => include_str!("../../../tests/vectors/webauthn-l3.json"),
        _ => panic!("no vectors {name}"),
    };
    serde_json::from_str(text).expect("the file is JSON")
}

/// The bytes of a hexadecimal string.
pub(crate) fn unhex(hex: &str) -> Vec<u8> {
    assert_eq!(hex.len() % 2, 0, "whole bytes");
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// The bytes of a hexadecimal member.
pub(crate) fn bytes(json: &Json) -> Vec<u8> {
    unhex(json.as_str().expect("a string of hexadecimal digits"))
}

/// The bytes of a hexadecimal member of known length.
pub(crate) fn array<const N: usize>(json: &Json) -> [u8; N] {
    bytes(json).try_into().expect("the length that the standard says")
}
