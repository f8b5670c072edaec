//! Get against a scripted key.
#![allow(clippy::needless_pass_by_value, reason = "`json!` stands at the call")]

use ciborium::Value;
use serde_json::json;

use super::*;
use crate::ceremony::{Input, Need};
use crate::script::{self, CTAP2, auth_data, entropy, info, ok, play, texts};

const RP: &str = "example.org";

fn start(extra: serde_json::Value) -> Ceremony<AuthenticationResponse> {
    let mut options = json!({"challenge": "AAEC", "userVerification": "discouraged"});
    for (key, value) in extra.as_object().unwrap() {
        options[key] = value.clone();
    }
    let options = RequestOptions::from_json(&options.to_string()).unwrap();
    get(options, Origin::parse("https://example.org").unwrap(), CTAP2, entropy())
}

fn allow(ids: &[&str]) -> serde_json::Value {
    let ids: Vec<_> = ids.iter().map(|id| json!({"type": "public-key", "id": id})).collect();
    json!({ "allowCredentials": ids })
}

fn descriptor(id: u8) -> Value {
    texts(&[("id", Value::Bytes(vec![id])), ("type", "public-key".into())])
}

fn answer(id: Option<u8>, flags: u8, user: Option<(u8, &str)>, count: Option<u64>) -> Vec<u8> {
    let mut members = Vec::new();
    members.extend(id.map(|id| (1, descriptor(id))));
    members.push((2, Value::Bytes(auth_data(RP, flags, &[]))));
    members.push((3, Value::Bytes(vec![id.unwrap_or(0)])));
    members.extend(
        user.map(|(id, name)| (4, texts(&[("id", Value::Bytes(vec![id])), ("name", name.into())]))),
    );
    members.extend(count.map(|count| (5, count.into())));
    ok(members)
}

#[test]
fn the_one_allowed_credential_may_be_left_out_of_the_answer() {
    let (result, sent) = play(start(allow(&["BQ"])), &[info(&[]), answer(None, 1, None, None)]);
    assert_eq!(sent[1].command, 2);
    assert_eq!(sent[1].get(1), Some(&RP.into()));
    assert_eq!(sent[1].get(3), Some(&Value::Array(vec![descriptor(5)])));
    assert_eq!(sent[1].map.len(), 3, "no options, no extensions");
    let response = result.unwrap();
    assert_eq!(response.raw_id.0, [5]);
    assert_eq!(response.response.user_handle, None);
    let expected = r#"{"type":"webauthn.get","challenge":"AAEC","origin":"https://example.org","crossOrigin":false}"#;
    assert_eq!(response.response.client_data_json.0, expected.as_bytes());
    let json = serde_json::to_string(&response).unwrap();
    assert!(!json.contains("userHandle"), "absent members are left out: {json}");
}

#[test]
fn a_longer_list_is_narrowed_and_a_list_without_a_hit_asks_for_no_touch() {
    let answers = [info(&[]), answer(Some(2), 0, None, None), answer(Some(2), 1, None, None)];
    let (result, sent) = play(start(allow(&["AQ", "Ag"])), &answers);
    assert_eq!(sent[2].get(3), Some(&Value::Array(vec![descriptor(2)])));
    assert_eq!(result.unwrap().raw_id.0, [2]);

    let (result, _) = play(start(allow(&["AQ", "Ag"])), &[info(&[]), vec![0x2e]]);
    assert_eq!(result, Err(Cause::NoCredentials));
    let (result, _) = play(start(json!({})), &[info(&[]), vec![0x2e]]);
    assert_eq!(result, Err(Cause::NoCredentials));
}

#[test]
fn several_accounts_are_collected_and_the_user_chooses() {
    let mut answers = vec![
        answer(Some(2), 1, Some((7, "bea")), None),
        answer(Some(1), 1, Some((6, "ada")), Some(2)),
        info(&[]),
    ];
    let mut commands = Vec::new();
    let result = script::run(start(json!({})), |need| match need {
        Need::Cbor(request) => {
            commands.push(request[0]);
            Input::Response(answers.pop().unwrap())
        }
        Need::Account(accounts) => {
            let names: Vec<_> = accounts.iter().map(|account| account.name.clone()).collect();
            assert_eq!(names, [Some("ada".into()), Some("bea".into())]);
            Input::Account(1)
        }
        need => panic!("{need:?}"),
    });
    assert_eq!(commands, [4, 2, 8]);
    let response = result.unwrap();
    assert_eq!(response.raw_id.0, [2]);
    assert_eq!(response.response.signature.0, [2]);
    assert_eq!(response.response.user_handle, Some(Bytes(vec![7])));
}

#[test]
fn one_account_asks_nothing() {
    let answers = [info(&[]), answer(Some(1), 1, Some((6, "ada")), Some(1))];
    assert_eq!(play(start(json!({})), &answers).0.unwrap().raw_id.0, [1]);
}

#[test]
fn each_wrong_answer_has_its_cause() {
    let cause = |extra, answer| play(start(extra), &[info(&[]), answer]).0.unwrap_err();
    assert_eq!(
        cause(allow(&["BQ"]), answer(Some(6), 1, None, None)),
        WrongResponse::Credential.into()
    );
    assert_eq!(
        cause(allow(&["BQ"]), answer(None, 0, None, None)),
        WrongResponse::NotPresent.into()
    );
    assert_eq!(cause(json!({}), answer(Some(1), 1, None, None)), WrongResponse::NoUser.into());
    assert_eq!(
        cause(json!({}), answer(None, 1, Some((6, "ada")), None)),
        WrongResponse::MissingMember.into()
    );
    let foreign =
        ok(vec![(2, Value::Bytes(auth_data("example.com", 1, &[]))), (3, Value::Bytes(vec![1]))]);
    assert_eq!(cause(allow(&["BQ"]), foreign), WrongResponse::RpIdHash.into());
}

/// An earlier text of level 3 had `attestation` and `attestationFormats` at sign-in. They change nothing of the request,
/// and what a key gives without being asked (epAtt, attStmt of drafts of CTAP 2.2) is passed over.
#[test]
fn attestation_at_sign_in_is_neither_asked_for_nor_passed_on() {
    let plain = play(start(allow(&["BQ"])), &[info(&[]), answer(None, 1, None, None)]);
    let mut wishes = allow(&["BQ"]);
    wishes["attestation"] = json!("direct");
    wishes["attestationFormats"] = json!(["packed"]);
    let statement = texts(&[("alg", (-7).into()), ("sig", Value::Bytes(vec![9; 70]))]);
    let attested = ok(vec![
        (2, Value::Bytes(auth_data(RP, 1, &[]))),
        (3, Value::Bytes(vec![0])),
        (9, true.into()),
        (10, statement),
    ]);
    let (result, sent) = play(start(wishes), &[info(&[]), attested]);
    assert_eq!(sent, plain.1);
    assert_eq!(result, plain.0);
    assert!(result.is_ok());
}

/// passkey-authenticator, for one, writes `type` before `id`.
#[test]
fn an_unsorted_answer_is_read() {
    let credential = Value::Map(vec![
        ("type".into(), "public-key".into()),
        ("id".into(), Value::Bytes(vec![5])),
    ]);
    let unsorted = ok(vec![
        (3, Value::Bytes(vec![1])),
        (2, Value::Bytes(auth_data(RP, 1, &[]))),
        (1, credential),
    ]);
    let (result, _) = play(start(allow(&["BQ"])), &[info(&[]), unsorted]);
    assert_eq!(result.unwrap().raw_id.0, [5]);
}

#[test]
fn verification_that_is_required_must_be_possible() {
    let (result, _) = play(start(json!({"userVerification": "required"})), &[info(&[])]);
    assert_eq!(result, Err(Cause::NoUserVerification));
}
