//! What the request must hold, and what it may.

use softkey_tests::auth_data::{ED, UP, UV};
use softkey_tests::cbor::{Value, array, map};
use softkey_tests::checks::refused;
use softkey_tests::request::ga;
use softkey_tests::status::{INVALID_LENGTH, INVALID_PARAMETER, MISSING_PARAMETER, NO_CREDENTIALS};
use softkey_tests::{Key, Request};

/// GA-01, GA-02, GA-03: credential, authenticator data of 37 bytes, a signature that verifies.
/// CT-GA-Req-1-valid, CT-GA-Resp-1-members, CT-GA-Resp-1-data.
#[test]
fn minimal_request_gets_an_assertion() {
    let mut key = Key::fresh();
    let made = key.make(&Request::make_credential());
    let assertion = key.assertion_by(&made, &made.get());
    assert_eq!(assertion.answer.keys(), [Value::from(1), 2.into(), 3.into()]);
    assert_eq!(assertion.auth_data.bytes.len(), 37);
    assert_eq!(assertion.auth_data.flags, UP);
}

/// GA-03: the signature covers the client data hash of this very request.
/// CT-GA-Resp-1-signature.
#[test]
fn signature_covers_the_client_data_hash() {
    let mut key = Key::fresh();
    let made = key.make(&Request::make_credential());
    for byte in [0, 1, 0xFF] {
        let request = made.get().with(ga::CLIENT_DATA_HASH, [byte; 32]);
        key.assertion_by(&made, &request);
    }
}

/// GA-04: rpId or clientDataHash is missing.
/// CT-GA-Req-1-rp-missing, CT-GA-Req-1-hash-missing.
#[test]
fn missing_parameters_are_refused() {
    let mut key = Key::fresh();
    let good = Request::get_assertion("example.com");
    refused(&mut key, &good.clone().without(ga::RP_ID), MISSING_PARAMETER);
    refused(&mut key, &good.without(ga::CLIENT_DATA_HASH), MISSING_PARAMETER);
    refused(&mut key, &Request::with_body(ga::COMMAND, Value::Map(Vec::new())), MISSING_PARAMETER);
}

/// GA-04: an empty rpId; a client data hash that is not of 32 bytes.
#[test]
fn empty_rp_id_and_hash_of_other_length_are_refused() {
    let mut key = Key::fresh();
    refused(&mut key, &Request::get_assertion(""), INVALID_PARAMETER);
    for length in [0, 1, 16, 31, 33, 64] {
        let request =
            Request::get_assertion("example.com").with(ga::CLIENT_DATA_HASH, vec![0; length]);
        refused(&mut key, &request, INVALID_LENGTH);
    }
}

/// GA-12: a key without credentials.
#[test]
fn no_credential_at_all() {
    let mut key = Key::fresh();
    refused(&mut key, &Request::get_assertion("example.com"), NO_CREDENTIALS);
    refused(&mut key, &Request::get_assertion("example.com").option("up", false), NO_CREDENTIALS);
}

/// GA-17: an extension nobody knows is ignored whatever it holds, and so is one that belongs to
/// makeCredential; ED stays clear.
#[test]
fn unknown_extensions_are_ignored() {
    let mut key = Key::fresh();
    let made = key.make(&Request::make_credential());
    let inputs = [
        1.into(),
        "x".into(),
        true.into(),
        Value::Null,
        array([1]),
        map([("a", array([1]))]),
        [1, 2].into(),
    ];
    for input in inputs {
        let assertion = key.assertion_by(&made, &made.get().extension("softkey-unknown", input));
        assert!(!assertion.auth_data.has(ED));
    }
    let empty = made.get().with(ga::EXTENSIONS, Value::Map(Vec::new()));
    assert!(!key.assertion_by(&made, &empty).auth_data.has(ED));
    let misplaced = made.get().extension("credProtect", 3).extension("minPinLength", true);
    assert!(!key.assertion_by(&made, &misplaced).auth_data.has(ED));
}

/// GA-04: the members 0x08 and 0x09 of drafts are unknown members here, whatever they are.
#[test]
fn members_of_drafts_are_ignored() {
    let mut key = Key::fresh();
    let made = key.make(&Request::make_credential());
    for (enterprise, formats) in [
        (Value::from(2), array(["packed"])),
        (3.into(), array(["none"])),
        ("2".into(), true.into()),
    ] {
        let request = made.get().with(8, enterprise).with(9, formats);
        let assertion = key.assertion_by(&made, &request);
        assert_eq!(assertion.answer.keys(), [Value::from(1), 2.into(), 3.into()]);
        assert!(!assertion.auth_data.has(UV));
    }
}

/// GA-32, GA-33: the credential member holds id and type exactly (`assertion` checks it), and userSelected is
/// for keys with a display.
/// CT-GA-Resp-1-members.
#[test]
fn credential_is_always_named_and_nothing_is_user_selected() {
    let mut key = Key::fresh();
    let made = key.make(&Request::make_credential().discoverable());
    key.make(&Request::make_credential_for("example.com", &[2]).discoverable());
    for request in [made.get(), Request::get_assertion("example.com")] {
        let assertion = key.assertion(&request);
        assert_eq!(assertion.answer.at(6), None);
        assert_eq!(assertion.answer.at(7), None, "no largeBlobKey unasked");
        assert_eq!(assertion.answer.at(8), None, "no unsigned outputs unasked");
    }
}
