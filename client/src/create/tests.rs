//! Create against a scripted key: what is sent, byte for byte or member for member, and what comes of answers.
#![allow(clippy::needless_pass_by_value, reason = "`json!` stands at the call")]

use ciborium::Value;
use serde_json::json;
use softkey_ctap::StatusCode;

use super::*;
use crate::cause::{DomException, Operation};
use crate::ceremony::{Input, Need};
use crate::script::{CTAP2, Sent, attested, auth_data, entropy, info, ok, play, run, texts};

const RP: &str = "example.org";

fn options(extra: serde_json::Value) -> CreationOptions {
    let mut options = json!({
        "rp": {"id": RP, "name": "Example"},
        "user": {"id": "AQID", "name": "ada", "displayName": ""},
        "challenge": "AAEC",
        "pubKeyCredParams": [{"type": "public-key", "alg": -8}, {"type": "public-key", "alg": -7}],
        "authenticatorSelection": {"userVerification": "discouraged"},
    });
    for (key, value) in extra.as_object().unwrap() {
        options[key] = value.clone();
    }
    CreationOptions::from_json(&options.to_string()).unwrap()
}

fn start(extra: serde_json::Value) -> Ceremony<RegistrationResponse> {
    let origin = Origin::parse("https://login.example.org").unwrap();
    create(options(extra), origin, CTAP2, entropy())
}

fn made(fmt: &str, statement: Value, data: Vec<u8>) -> Vec<u8> {
    ok(vec![(1, fmt.into()), (2, Value::Bytes(data)), (3, statement)])
}

fn packed() -> Value {
    texts(&[("alg", (-7).into()), ("sig", Value::Bytes(vec![9; 70]))])
}

fn good() -> Vec<u8> {
    made("packed", packed(), auth_data(RP, 0x41, &attested(5, b"id")))
}

/// WebAuthn 8.9: the statement is a list, and with certificates has a level more than other answers; it goes to the page
/// as it came. A sixth level is refused.
#[test]
fn a_compound_statement_goes_to_the_page() {
    let element = |x5c: Value| {
        let statement =
            texts(&[("alg", (-7).into()), ("sig", Value::Bytes(vec![9])), ("x5c", x5c)]);
        texts(&[("fmt", "packed".into()), ("attStmt", statement)])
    };
    let answer = |x5c: Value| {
        let list = Value::Array(vec![element(x5c), element(Value::Array(vec![]))]);
        (made("compound", list.clone(), auth_data(RP, 0x41, &attested(5, b"id"))), list)
    };
    let direct = json!({"attestation": "direct"});
    let (five, list) = answer(Value::Array(vec![Value::Bytes(vec![0x30])]));
    let response = play(start(direct.clone()), &[info(&[]), five]).0.unwrap();
    let object: Value = ciborium::from_reader(&*response.response.attestation_object.0).unwrap();
    assert_eq!(object.as_map().unwrap()[0].1, "compound".into());
    assert_eq!(object.as_map().unwrap()[1].1, list);
    let (six, _) = answer(Value::Array(vec![Value::Array(vec![])]));
    let malformed = Cause::BadResponse(cbor::DecodeError::Malformed);
    assert_eq!(cause(direct, &[info(&[]), six]), malformed);
}

fn cause(extra: serde_json::Value, answers: &[Vec<u8>]) -> Cause {
    play(start(extra), answers).0.unwrap_err()
}

#[test]
fn the_request_has_what_the_options_say_and_the_response_what_the_key_made() {
    let (result, sent) =
        play(start(json!({"extensions": {"credProps": true}})), &[info(&[("rk", true)]), good()]);
    assert_eq!(sent[0], Sent { command: 4, map: vec![] });
    let request = &sent[1];
    assert_eq!(request.command, 1);
    let expected = r#"{"type":"webauthn.create","challenge":"AAEC","origin":"https://login.example.org","crossOrigin":false}"#;
    let hash = client_data::hash(expected.as_bytes());
    assert_eq!(request.get(1), Some(&Value::Bytes(hash.to_vec())));
    assert_eq!(request.get(2), Some(&texts(&[("id", RP.into()), ("name", "Example".into())])));
    let user = texts(&[("id", Value::Bytes(vec![1, 2, 3])), ("name", "ada".into())]);
    assert_eq!(request.get(3), Some(&user));
    let keys: Vec<_> = request.map.iter().map(|(key, _)| key.clone()).collect();
    assert_eq!(keys, [1, 2, 3, 4].map(Value::from), "nothing beyond what was asked for");

    let response = result.unwrap();
    assert_eq!(response.id, "aWQ");
    assert_eq!(response.response.client_data_json.0, expected.as_bytes());
    assert_eq!(response.response.transports, ["usb"]);
    assert_eq!(response.response.public_key_algorithm, -7);
    assert_eq!(
        response.client_extension_results.cred_props,
        Some(CredentialProperties { rk: false })
    );
    let json = serde_json::to_value(&response).unwrap();
    assert_eq!(json["type"], "public-key");
    assert_eq!(json["authenticatorAttachment"], "cross-platform");
}

#[test]
fn without_wish_for_attestation_the_statement_is_replaced_and_the_model_stays() {
    let (result, _) = play(start(json!({})), &[info(&[]), good()]);
    let object = result.unwrap().response.attestation_object.0;
    let data = auth_data(RP, 0x41, &attested(5, b"id"));
    let mut expected = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
    expected.push(u8::try_from(data.len()).unwrap());
    expected.extend(data);
    assert_eq!(object, expected);
}

#[test]
fn self_attestation_without_a_model_and_direct_attestation_stay() {
    for (extra, aaguid) in [(json!({}), 0), (json!({"attestation": "direct"}), 5)] {
        let answer = made("packed", packed(), auth_data(RP, 0x41, &attested(aaguid, b"id")));
        let (result, _) = play(start(extra), &[info(&[]), answer]);
        let object = result.unwrap().response.attestation_object.0;
        assert!(
            object.starts_with(b"\xa3\x63fmt\x66packed\x67attStmt\xa2\x63alg\x26"),
            "{object:x?}"
        );
    }
}

#[test]
fn a_long_exclude_list_is_narrowed_by_silent_requests() {
    let ids = json!([
        {"type": "public-key", "id": "AQ"}, {"type": "public-key", "id": "Ag"},
        {"type": "public-key", "id": crate::base64url::encode(&[9; 65])},
        {"type": "public-key", "id": "Aw"},
    ]);
    let found = ok(vec![
        (1, texts(&[("id", Value::Bytes(vec![3])), ("type", "public-key".into())])),
        (2, Value::Bytes(auth_data(RP, 0, &[]))),
        (3, Value::Bytes(vec![1])),
    ]);
    let answers = [info(&[]), vec![0x2e], found, vec![0x19]];
    let (result, sent) = play(start(json!({"excludeCredentials": ids})), &answers);
    let descriptor = |id| texts(&[("id", Value::Bytes(vec![id])), ("type", "public-key".into())]);
    assert_eq!(sent[1].get(3), Some(&Value::Array(vec![descriptor(1), descriptor(2)])));
    assert_eq!(sent[1].get(5), Some(&texts(&[("up", false.into())])));
    assert_eq!(sent[2].get(3), Some(&Value::Array(vec![descriptor(3)])));
    assert_eq!(sent[3].get(5), Some(&Value::Array(vec![descriptor(3)])));
    assert_eq!(result, Err(Cause::Excluded));
    assert_eq!(Cause::Excluded.exception(Operation::Create), DomException::InvalidStateError);
}

#[test]
fn a_list_that_is_too_long_for_the_key_is_halved() {
    let ids = json!([{"type": "public-key", "id": "AQ"}, {"type": "public-key", "id": "Ag"}]);
    let answers = [info(&[]), vec![0x15], vec![0x2e], vec![0x2e], good()];
    let (result, sent) = play(start(json!({"excludeCredentials": ids})), &answers);
    assert!(result.is_ok());
    assert_eq!(sent[4].get(5), None, "none is there, none is named");
}

#[test]
fn what_the_key_cannot_do_is_found_before_anything_is_asked_of_it() {
    let select = |selection| json!({"authenticatorSelection": selection});
    let cause = |selection, options: &[_]| cause(select(selection), &[info(options)]);
    assert_eq!(
        cause(json!({"residentKey": "required"}), &[("rk", false)]),
        Cause::NoDiscoverableCredentials
    );
    assert_eq!(
        cause(json!({"userVerification": "required"}), &[("clientPin", false)]),
        Cause::NoUserVerification
    );
    assert_eq!(
        cause(json!({"authenticatorAttachment": "platform"}), &[]),
        Cause::AttachmentMismatch
    );
    assert_eq!(cause(json!({}), &[("alwaysUv", true)]), Cause::NoUserVerification);
}

#[test]
fn a_preferred_resident_key_is_made_where_it_can_be() {
    let preferred = json!({"authenticatorSelection":
        {"residentKey": "preferred", "userVerification": "discouraged"}});
    let (_, sent) = play(start(preferred.clone()), &[info(&[("rk", true)]), good()]);
    assert_eq!(sent[1].get(7), Some(&texts(&[("rk", true.into())])));
    let (_, sent) = play(start(preferred), &[info(&[("rk", false)]), good()]);
    assert_eq!(sent[1].get(7), None);
}

#[test]
fn built_in_verification_without_tokens_goes_by_option_and_must_show() {
    let required = json!({"authenticatorSelection": {"userVerification": "required"}});
    let uv = info(&[("uv", true)]);
    let (result, sent) = play(start(required.clone()), &[uv.clone(), good()]);
    assert_eq!(sent[1].get(7), Some(&texts(&[("uv", true.into())])));
    assert_eq!(result, Err(WrongResponse::NotVerified.into()));
    let verified = made("packed", packed(), auth_data(RP, 0x45, &attested(5, b"id")));
    assert!(play(start(required), &[uv, verified]).0.is_ok());
}

#[test]
fn each_wrong_answer_has_its_cause() {
    let cause = |answer| cause(json!({}), &[info(&[]), answer]);
    let with = |data| made("packed", packed(), data);
    assert_eq!(
        cause(with(auth_data("example.com", 0x41, &attested(5, b"id")))),
        WrongResponse::RpIdHash.into()
    );
    assert_eq!(
        cause(with(auth_data(RP, 0x40, &attested(5, b"id")))),
        WrongResponse::NotPresent.into()
    );
    assert_eq!(cause(with(auth_data(RP, 0x01, &[]))), WrongResponse::Attested.into());
    assert_eq!(cause(vec![0, 0xa0]), Cause::BadResponse(cbor::DecodeError::Missing));
    assert_eq!(cause(vec![0, 0xbf, 0xff]), Cause::BadResponse(cbor::DecodeError::Malformed));
    assert_eq!(cause(vec![]), Cause::EmptyResponse);
    assert_eq!(cause(vec![0x28]), Cause::Refused(StatusCode::KEY_STORE_FULL));
}

#[test]
fn an_algorithm_that_nobody_asked_for_is_refused() {
    let only = json!({"pubKeyCredParams": [{"type": "public-key", "alg": -8}]});
    assert_eq!(cause(only, &[info(&[]), good()]), WrongResponse::Algorithm.into());
    let unknown = json!({"pubKeyCredParams": [{"type": "other", "alg": -7}]});
    assert_eq!(cause(unknown, &[]), Cause::NoKnownParameters);
}

#[test]
fn an_identifier_of_another_domain_sends_nothing() {
    let foreign = json!({"rp": {"id": "example.com", "name": ""}});
    assert_eq!(cause(foreign, &[]), Cause::RpIdMismatch);
}

#[test]
fn a_request_over_the_limit_of_the_key_is_not_sent() {
    let long = json!({"rp": {"id": RP, "name": "x".repeat(1200)}});
    assert_eq!(cause(long, &[info(&[])]), Cause::RequestTooLarge);
}

#[test]
fn a_key_that_speaks_nothing_is_no_key() {
    let origin = Origin::parse("https://example.org").unwrap();
    let reach = Reach { ctap2: false, u2f: false };
    let (result, _) = play(create(options(json!({})), origin, reach, entropy()), &[]);
    assert_eq!(result, Err(Cause::SpeaksNeither));
}

#[test]
fn statuses_have_the_names_that_a_page_sees() {
    let name = |status| Cause::Refused(status).exception(Operation::Create);
    assert_eq!(name(StatusCode::UNSUPPORTED_ALGORITHM), DomException::NotSupportedError);
    assert_eq!(name(StatusCode::KEY_STORE_FULL), DomException::ConstraintError);
    assert_eq!(name(StatusCode::OPERATION_DENIED), DomException::NotAllowedError);
    let get = Cause::Refused(StatusCode::KEY_STORE_FULL).exception(Operation::Get);
    assert_eq!(get, DomException::NotAllowedError);
}

/// CTAP 2.3 section 16 step 4: such a key gives no token by PIN, so nobody is asked for one.
#[test]
fn a_pin_that_must_be_changed_is_not_asked_for() {
    let info = ok(vec![
        (1, Value::Array(vec!["FIDO_2_1".into()])),
        (3, Value::Bytes(vec![0; 16])),
        (4, texts(&[("clientPin", true.into()), ("pinUvAuthToken", true.into())])),
        (6, Value::Array(vec![1.into()])),
        (12, true.into()),
    ]);
    assert_eq!(cause(json!({}), &[info]), Cause::PinChangeRequired);
}

#[test]
fn a_key_without_a_known_pin_protocol_cannot_verify() {
    let protected = info(&[("clientPin", true), ("pinUvAuthToken", true)]);
    let origin = Origin::parse("https://example.org").unwrap();
    let mut answers = vec![protected];
    let result = run(create(options(json!({})), origin, CTAP2, entropy()), |need| match need {
        Need::Cbor(_) => Input::Response(answers.pop().unwrap()),
        need => panic!("{need:?}"),
    });
    assert_eq!(result, Err(Cause::NoCommonProtocol));
}
