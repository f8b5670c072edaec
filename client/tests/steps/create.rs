//! create (WebAuthn Level 3 section 5.1.3, steps 12 to 15): which key serves, what it is asked, how it can fail.

#![allow(clippy::needless_pass_by_value, reason = "`json!` stands at the call")]

use ciborium::Value as Cbor;
use serde_json::{Value, json};
use softkey_client::cause::NotWithU2f;
use softkey_client::{Cause, Reach, WrongResponse};
use softkey_ctap::StatusCode;
use softkey_ctap::cbor::DecodeError;
use softkey_ctap::u2f::StatusWord;

use crate::key::{
    Key, RP, attested, auth_data, create, create_fails, create_with, find, get, good, list, made,
    member, ok, page, settle, signed, texts,
};

fn select(selection: Value) -> Value {
    let mut options = json!({ "authenticatorSelection": selection });
    let verification = &mut options["authenticatorSelection"]["userVerification"];
    if verification.is_null() {
        *verification = json!("discouraged");
    }
    options
}

/// The makeCredential that a key with these options is sent.
fn sent(extra: &Value, members: &[(i64, Cbor)], options: &[(&str, bool)]) -> Cbor {
    let mut key = Key::with(members, options, &[good()]);
    settle(create(&mut page(), extra), &mut key).unwrap();
    let (command, request) = key.sent.pop().unwrap();
    assert_eq!((command, key.sent.len()), (0x01, 0));
    request
}

/// Step 12 a: it must keep large blobs.
#[test]
fn a_key_without_required_large_blobs_is_skipped() {
    let asked = json!({"extensions": {"largeBlob": {"support": "required"}}});
    let failure = create_fails(&asked, Key::new(&[], &[]));
    assert_eq!(failure, ("NotAllowedError", Cause::NoLargeBlobs));
}

/// Step 12 b.
#[test]
fn a_key_of_another_attachment_is_skipped() {
    let platform = select(json!({"authenticatorAttachment": "platform"}));
    let failure = create_fails(&platform, Key::new(&[], &[]));
    assert_eq!(failure, ("NotAllowedError", Cause::AttachmentMismatch));
    let roaming = select(json!({"authenticatorAttachment": "cross-platform"}));
    let failure = create_fails(&roaming, Key::new(&[("plat", true)], &[]));
    assert_eq!(failure, ("NotAllowedError", Cause::AttachmentMismatch));
}

/// Step 12 c: by `residentKey`, and by the older member where that is absent.
#[test]
fn a_key_without_discoverable_credentials_is_skipped_where_they_are_required() {
    for required in [json!({"residentKey": "required"}), json!({"requireResidentKey": true})] {
        let failure = create_fails(&select(required), Key::new(&[("rk", false)], &[]));
        assert_eq!(failure, ("ConstraintError", Cause::NoDiscoverableCredentials));
    }
}

/// Step 12 d.
#[test]
fn a_key_that_verifies_nobody_is_skipped_where_it_must() {
    let required = select(json!({"userVerification": "required"}));
    let failure = create_fails(&required, Key::new(&[("clientPin", false)], &[]));
    assert_eq!(failure, ("ConstraintError", Cause::NoUserVerification));
}

/// Step 12 d and f: so it is in a conditional create, which may not ask for verification by itself.
#[test]
fn a_conditional_create_cannot_verify_either() {
    let mut page = page();
    page.profile().set(|settings| settings.creation_consent = true);
    let mut key = Key::new(&[], &[signed(Some(5), auth_data(RP, 1, &[]), false)]);
    settle(get(&mut page, &json!({"allowCredentials": list(&["BQ"])})), &mut key).unwrap();
    let options = json!({"mediation": "conditional", "publicKey": {
        "rp": {"name": "Example"}, "user": {"id": "AQ", "name": "ada", "displayName": ""},
        "challenge": "AAEC", "pubKeyCredParams": [],
        "authenticatorSelection": {"userVerification": "required"},
    }});
    let request = create_with(&mut page, &options);
    let failure = settle(request, &mut Key::new(&[], &[])).unwrap_err();
    assert_eq!(failure, ("ConstraintError", Cause::NoUserVerification));
}

/// Step 12 e: what becomes of each requirement with a key that can, and with one that cannot.
#[test]
fn the_resident_key_is_asked_for_as_the_page_wants_it() {
    let rk = |selection: Value, capable: bool| {
        let request = sent(&select(selection), &[], &[("rk", capable), ("makeCredUvNotRqd", true)]);
        find(&request, 7).is_some_and(|options| *options == texts(&[("rk", true.into())]))
    };
    assert!(rk(json!({"residentKey": "required"}), true));
    assert!(rk(json!({"residentKey": "preferred"}), true));
    assert!(!rk(json!({"residentKey": "preferred"}), false));
    assert!(!rk(json!({"residentKey": "discouraged", "requireResidentKey": true}), true));
    assert!(rk(json!({"requireResidentKey": true}), true));
    assert!(!rk(json!({}), true));
}

/// Step 12 f: what becomes of each requirement with a key that verifies by itself, and with one that cannot.
#[test]
fn verification_is_asked_for_as_the_page_wants_it() {
    let uv = |wanted: &str, options: &[(&str, bool)]| {
        let flags = if options.contains(&("uv", true)) { 0x45 } else { 0x41 };
        let answer = made(auth_data(RP, flags, &attested(b"id")));
        let mut key = Key::new(&[options, &[("makeCredUvNotRqd", true)]].concat(), &[answer]);
        let request = create(&mut page(), &select(json!({"userVerification": wanted})));
        settle(request, &mut key).unwrap();
        find(&key.sent[0].1, 7).is_some_and(|options| *options == texts(&[("uv", true.into())]))
    };
    assert!(uv("required", &[("uv", true)]));
    assert!(uv("preferred", &[("uv", true)]));
    assert!(!uv("preferred", &[]));
    assert!(!uv("discouraged", &[("uv", true)]));
}

/// Step 12 g: the page must ask, the profile must allow this relying party, and the key must be able to.
#[test]
fn enterprise_attestation_is_for_those_who_may() {
    let asks = |attestation: &str, allowed: &str, capable: bool| {
        let mut page = page();
        page.profile().set(|settings| settings.enterprise = [allowed.to_owned()].into());
        let mut key = Key::new(&[("ep", capable)], &[good()]);
        let request = create(&mut page, &json!({ "attestation": attestation }));
        settle(request, &mut key).unwrap();
        find(&key.sent[0].1, 10).cloned()
    };
    assert_eq!(asks("enterprise", RP, true), Some(2.into()));
    assert_eq!(asks("direct", RP, true), None);
    assert_eq!(asks("enterprise", "example.com", true), None);
    assert_eq!(asks("enterprise", RP, false), None);
}

/// Step 12 h: the formats go to a key that chooses among formats; without attestation it is `none`.
#[test]
fn formats_are_told_to_a_key_that_has_them() {
    let formats = |extra: Value, listed: bool| {
        let formats = Cbor::Array(vec!["packed".into(), "tpm".into()]);
        let members = if listed { vec![(0x16, formats)] } else { vec![] };
        find(&sent(&extra, &members, &[]), 11).cloned()
    };
    let wanted = json!({"attestation": "direct", "attestationFormats": ["tpm", "packed"]});
    let both = Cbor::Array(vec!["tpm".into(), "packed".into()]);
    assert_eq!(formats(wanted.clone(), true), Some(both));
    assert_eq!(formats(wanted, false), None);
    let nothing = json!({"attestation": "none", "attestationFormats": ["tpm"]});
    assert_eq!(formats(nothing, true), Some(Cbor::Array(vec!["none".into()])));
}

/// Step 12 i: an entry whose transports do not name the key's may be dropped; here it is kept.
#[test]
fn an_excluded_credential_of_another_transport_is_kept() {
    let excluded = json!([{"type": "public-key", "id": "AQ", "transports": ["ble"]}]);
    let request = sent(&json!({ "excludeCredentials": excluded }), &[], &[]);
    let descriptor = texts(&[("id", Cbor::Bytes(vec![1])), ("type", "public-key".into())]);
    assert_eq!(member(&request, 5), &Cbor::Array(vec![descriptor]));
}

/// Step 13: a status that ends the call, or drops the key, which is the only one.
#[test]
fn a_key_that_refuses_has_its_status_as_the_cause() {
    let failure = |status: u8| create_fails(&json!({}), Key::new(&[], &[vec![status]]));
    assert_eq!(failure(0x19), ("InvalidStateError", Cause::Excluded));
    let refused = Cause::Refused;
    assert_eq!(failure(0x26), ("NotSupportedError", refused(StatusCode::UNSUPPORTED_ALGORITHM)));
    assert_eq!(failure(0x28), ("ConstraintError", refused(StatusCode::KEY_STORE_FULL)));
    assert_eq!(failure(0x2b), ("ConstraintError", refused(StatusCode::UNSUPPORTED_OPTION)));
    for status in [
        StatusCode::OPERATION_DENIED,
        StatusCode::KEEPALIVE_CANCEL,
        StatusCode::USER_ACTION_TIMEOUT,
        StatusCode::ACTION_TIMEOUT,
        StatusCode::UP_REQUIRED,
        StatusCode(0x7f),
    ] {
        assert_eq!(failure(status.0), ("NotAllowedError", refused(status)));
    }
}

/// Step 13: what the key gives and cannot be taken drops it too.
#[test]
fn an_answer_that_cannot_be_taken_has_its_fault_as_the_cause() {
    let failure = |answer: Vec<u8>| create_fails(&json!({}), Key::new(&[], &[answer]));
    assert_eq!(failure(vec![]), ("NotAllowedError", Cause::EmptyResponse));
    let malformed = Cause::BadResponse(DecodeError::Malformed);
    assert_eq!(failure(vec![0, 0xff]), ("NotAllowedError", malformed));
    let wrong = |fault: WrongResponse| ("NotAllowedError", Cause::WrongResponse(fault));
    let foreign = made(auth_data("example.com", 0x41, &attested(b"id")));
    assert_eq!(failure(foreign), wrong(WrongResponse::RpIdHash));
    let absent = made(auth_data(RP, 0x40, &attested(b"id")));
    assert_eq!(failure(absent), wrong(WrongResponse::NotPresent));
    assert_eq!(failure(made(auth_data(RP, 0x01, &[]))), wrong(WrongResponse::Attested));
    let only = json!({"pubKeyCredParams": [{"type": "public-key", "alg": -8}]});
    let failure = create_fails(&only, Key::new(&[], &[good()]));
    assert_eq!(failure, wrong(WrongResponse::Algorithm));
    let required = select(json!({"userVerification": "required"}));
    let failure = create_fails(&required, Key::new(&[("uv", true)], &[good()]));
    assert_eq!(failure, wrong(WrongResponse::NotVerified));
}

/// What extensions ask of an answer, and of a key.
#[test]
fn an_extension_that_the_page_insists_on_must_be_there() {
    let level = "userVerificationRequired";
    let enforced = json!({"extensions": {
        "credentialProtectionPolicy": level, "enforceCredentialProtectionPolicy": true}});
    let failure = create_fails(&enforced, Key::new(&[], &[]));
    assert_eq!(failure, ("NotAllowedError", Cause::NoCredProtect));
    let listed = |name: &str| Key::with(&[(2, Cbor::Array(vec![name.into()]))], &[], &[good()]);
    let asked = json!({"extensions": {"credentialProtectionPolicy": level}});
    let weaker = {
        let mut rest = attested(b"id");
        ciborium::into_writer(&texts(&[("credProtect", 2.into())]), &mut rest).unwrap();
        made(auth_data(RP, 0xc1, &rest))
    };
    let key = Key::with(&[(2, Cbor::Array(vec!["credProtect".into()]))], &[], &[weaker]);
    let failure = create_fails(&asked, key);
    let wrong = Cause::WrongResponse(WrongResponse::Protection);
    assert_eq!(failure, ("NotAllowedError", wrong));
    let blobs = json!({"extensions": {"largeBlob": {"support": "required"}}});
    let failure = create_fails(&blobs, listed("largeBlob"));
    let wrong = Cause::WrongResponse(WrongResponse::LargeBlob);
    assert_eq!(failure, ("NotAllowedError", wrong));
}

/// CTAP 2.3 section 16: what keeps the client from asking at all.
#[test]
fn a_key_that_cannot_be_asked_has_its_cause() {
    let neither = Reach { ctap2: false, u2f: false };
    let failure = create_fails(&json!({}), Key::speaking(neither, &[]));
    assert_eq!(failure, ("NotAllowedError", Cause::SpeaksNeither));
    let long = json!({"rp": {"name": "x".repeat(1200)}});
    let failure = create_fails(&long, Key::new(&[], &[]));
    assert_eq!(failure, ("NotAllowedError", Cause::RequestTooLarge));
    let required = select(json!({"userVerification": "required"}));
    let protected: &[(&str, bool)] = &[("clientPin", true), ("pinUvAuthToken", true)];
    let unknown = Key::with(&[(6, Cbor::Array(vec![9.into()]))], protected, &[]);
    let failure = create_fails(&required, unknown);
    assert_eq!(failure, ("NotAllowedError", Cause::NoCommonProtocol));
    let stale = Key::with(&[(12, true.into())], protected, &[]);
    let failure = create_fails(&required, stale);
    assert_eq!(failure, ("NotAllowedError", Cause::PinChangeRequired));
}

/// A PIN that is not given, is wrong, or is blocked.
#[test]
fn each_trouble_with_a_pin_has_its_cause() {
    let required = select(json!({"userVerification": "required"}));
    let failure = |pins: &[&'static str], tokens: &[u8]| {
        create_fails(&required, Key::protected(pins, tokens))
    };
    assert_eq!(failure(&[], &[]), ("NotAllowedError", Cause::PinNotGiven));
    assert_eq!(failure(&["0000"], &[0x31]), ("NotAllowedError", Cause::PinWrong(Some(7))));
    assert_eq!(failure(&["0000"], &[0x34]), ("NotAllowedError", Cause::PinAuthBlocked));
    assert_eq!(failure(&["0000"], &[0x32]), ("NotAllowedError", Cause::PinBlocked));
    assert_eq!(failure(&["0000"], &[0x37]), ("NotAllowedError", Cause::PinChangeRequired));
}

/// CTAP1 keys: what they cannot do, and what they refuse.
#[test]
fn a_ctap1_key_has_its_causes() {
    let u2f = |answers: &[Vec<u8>]| Key::speaking(Reach { ctap2: false, u2f: true }, answers);
    let other = json!({"pubKeyCredParams": [{"type": "public-key", "alg": -8}]});
    let cause = Cause::NotWithU2f;
    assert_eq!(create_fails(&other, u2f(&[])), ("NotSupportedError", cause(NotWithU2f::Algorithm)));
    let discoverable = select(json!({"residentKey": "required"}));
    assert_eq!(
        create_fails(&discoverable, u2f(&[])),
        ("ConstraintError", cause(NotWithU2f::DiscoverableCredential))
    );
    let verified = select(json!({"userVerification": "required"}));
    assert_eq!(
        create_fails(&verified, u2f(&[])),
        ("ConstraintError", cause(NotWithU2f::UserVerification))
    );
    let refused = Cause::RefusedU2f(StatusWord::COMMAND_NOT_ALLOWED);
    assert_eq!(create_fails(&json!({}), u2f(&[vec![0x69, 0x86]])), ("NotAllowedError", refused));
}

/// Step 14: the statement by the page's wish. `indirect` may be passed on as it is, and is.
#[test]
fn attestation_is_conveyed_as_the_page_wants_it() {
    let object = |attestation: &str| {
        let mut key = Key::new(&[], &[good()]);
        let request = create(&mut page(), &json!({ "attestation": attestation }));
        let made = settle(request, &mut key).unwrap().registration().unwrap();
        made.response.attestation_object.0
    };
    let none = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData";
    let packed = b"\xa3\x63fmt\x66packed\x67attStmt\xa2\x63alg\x26\x63sig";
    assert!(object("none").starts_with(none));
    assert!(object("telepathic").starts_with(none));
    for as_it_is in ["indirect", "direct", "enterprise"] {
        assert!(object(as_it_is).starts_with(packed), "{as_it_is}");
    }
}

/// Step 15: transports of getInfo, each once and sorted, unknown ones kept.
#[test]
fn transports_are_sorted_and_each_once() {
    let listed = Cbor::Array(vec!["usb".into(), "nfc".into(), "usb".into(), "drum".into()]);
    let mut key = Key::with(&[(9, listed)], &[], &[good()]);
    let made = settle(create(&mut page(), &json!({})), &mut key).unwrap();
    let json = made.to_json();
    assert_eq!(json["response"]["transports"], json!(["drum", "nfc", "usb"]));
    assert_eq!(json["authenticatorAttachment"], "cross-platform");
    let mut key = Key::new(&[("plat", true)], &[good()]);
    let made = settle(create(&mut page(), &json!({})), &mut key).unwrap();
    assert_eq!(made.to_json()["authenticatorAttachment"], "platform");
}

/// Step 13: with the status for "once more with verification" the key is asked again, once.
#[test]
fn a_key_that_wants_verification_after_all_is_asked_once_more() {
    let mut key = Key::new(
        &[("uv", true), ("makeCredUvNotRqd", true)],
        &[vec![0x36], made(auth_data(RP, 0x45, &attested(b"id")))],
    );
    settle(create(&mut page(), &json!({})), &mut key).unwrap();
    assert_eq!(find(&key.sent[1].1, 7), Some(&texts(&[("uv", true.into())])));
    let twice = Key::new(&[("uv", true), ("makeCredUvNotRqd", true)], &[vec![0x36], vec![0x36]]);
    let failure = create_fails(&json!({}), twice);
    assert_eq!(failure, ("NotAllowedError", Cause::Refused(StatusCode::PUAT_REQUIRED)));
}

/// What the key gives for key agreement, and for a token.
#[test]
fn what_breaks_the_pin_uv_auth_protocol_has_its_cause() {
    let required = select(json!({"userVerification": "required"}));
    let failure = create_fails(&required, Key::protected(&["0000"], &[]).without_a_point());
    let wrong = |fault: WrongResponse| ("NotAllowedError", Cause::WrongResponse(fault));
    assert_eq!(failure, wrong(WrongResponse::KeyAgreement));
    let token = |bytes: usize| ok(&[(2, Cbor::Bytes(vec![7; bytes]))]);
    // Protocol one encrypts in blocks of 16 bytes, and a token is one or two of them.
    for bytes in [15, 48] {
        let failure = create_fails(&required, Key::giving(&["0000"], [token(bytes)]));
        assert_eq!(failure, wrong(WrongResponse::Token), "{bytes}");
    }
    let failure = create_fails(&required, Key::giving(&["0000"], [ok(&[])]));
    assert_eq!(failure, wrong(WrongResponse::MissingMember));
}
