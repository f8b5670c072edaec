//! get (WebAuthn Level 3 section 5.1.4, steps 17 to 21): what each key is asked, what is taken, how it can fail.

use ciborium::Value as Cbor;
use serde_json::json;
use softkey_client::cause::NotWithU2f;
use softkey_client::{Cause, Reach, WrongResponse};
use softkey_ctap::StatusCode;
use softkey_ctap::cbor::DecodeError;

use crate::key::{
    Key, RP, attested, auth_data, find, get, get_fails, list, member, page, settle, signed, texts,
};

fn good(id: u8) -> Vec<u8> {
    signed(Some(id), auth_data(RP, 1, &[]), true)
}

/// Step 5: none of the listed credentials is on the key, or none at all is there.
#[test]
fn a_key_without_the_credential_is_not_allowed() {
    let nothing = |questions: usize| Key::new(&[], &vec![vec![0x2e]; questions]);
    let failure = get_fails(&json!({}), nothing(1));
    assert_eq!(failure, ("NotAllowedError", Cause::NoCredentials));
    let failure = get_fails(&json!({"allowCredentials": list(&["BQ"])}), nothing(1));
    assert_eq!(failure, ("NotAllowedError", Cause::NoCredentials));
    let failure = get_fails(&json!({"allowCredentials": list(&["BQ", "Bg"])}), nothing(2));
    assert_eq!(failure, ("NotAllowedError", Cause::NoCredentials));
}

/// Section 5.8.3: a list of unknown types only is none that stands for every credential.
#[test]
fn a_list_of_unknown_types_allows_nothing() {
    let unknown = json!({"allowCredentials": [{"type": "password", "id": "BQ"}]});
    let failure = get_fails(&unknown, Key::new(&[], &[]));
    assert_eq!(failure, ("NotAllowedError", Cause::NoKnownDescriptors));
}

/// Step 5: any status drops the key, and none has a name of its own here.
#[test]
fn a_key_that_refuses_has_its_status_as_the_cause() {
    for status in [
        StatusCode::OPERATION_DENIED,
        StatusCode::KEY_STORE_FULL,
        StatusCode::UNSUPPORTED_OPTION,
        StatusCode::UNSUPPORTED_ALGORITHM,
        StatusCode::USER_ACTION_TIMEOUT,
        StatusCode(0x7f),
    ] {
        let failure = get_fails(&json!({}), Key::new(&[], &[vec![status.0]]));
        assert_eq!(failure, ("NotAllowedError", Cause::Refused(status)));
    }
}

/// Step 5: what the key gives and cannot be taken drops it.
#[test]
fn an_answer_that_cannot_be_taken_has_its_fault_as_the_cause() {
    let listed = json!({"allowCredentials": list(&["BQ"])});
    let failure = |answer: Vec<u8>| get_fails(&listed, Key::new(&[], &[answer]));
    assert_eq!(failure(vec![]), ("NotAllowedError", Cause::EmptyResponse));
    let missing = Cause::BadResponse(DecodeError::Missing);
    assert_eq!(failure(vec![0, 0xa0]), ("NotAllowedError", missing));
    let wrong = |fault: WrongResponse| ("NotAllowedError", Cause::WrongResponse(fault));
    let with =
        |rp_id: &str, flags, rest: &[u8]| signed(Some(5), auth_data(rp_id, flags, rest), true);
    assert_eq!(failure(with("example.com", 1, &[])), wrong(WrongResponse::RpIdHash));
    assert_eq!(failure(with(RP, 0, &[])), wrong(WrongResponse::NotPresent));
    assert_eq!(failure(with(RP, 0x41, &attested(b"id"))), wrong(WrongResponse::Attested));
    assert_eq!(failure(good(6)), wrong(WrongResponse::Credential));
    let required = json!({"userVerification": "required"});
    let failure = get_fails(&required, Key::new(&[("uv", true)], &[good(5)]));
    assert_eq!(failure, wrong(WrongResponse::NotVerified));
    let nameless = signed(None, auth_data(RP, 1, &[]), true);
    let failure = get_fails(&json!({}), Key::new(&[], &[nameless]));
    assert_eq!(failure, wrong(WrongResponse::MissingMember));
}

/// Step 5: what was found without a list must say whose it is; with a list it need not.
#[test]
fn a_discovered_credential_has_a_user() {
    let nobody = signed(Some(5), auth_data(RP, 1, &[]), false);
    let failure = get_fails(&json!({}), Key::new(&[], std::slice::from_ref(&nobody)));
    let wrong = Cause::WrongResponse(WrongResponse::NoUser);
    assert_eq!(failure, ("NotAllowedError", wrong));
    let mut key = Key::new(&[], &[nobody]);
    let request = get(&mut page(), &json!({"allowCredentials": list(&["BQ"])}));
    let signed = settle(request, &mut key).unwrap().authentication().unwrap();
    assert_eq!(signed.response.user_handle, None);
}

/// Step 6: verification that is required and cannot be had is not asked for; otherwise as the page wants it.
#[test]
fn verification_is_asked_for_as_the_page_wants_it() {
    let required = json!({"userVerification": "required"});
    let failure = get_fails(&required, Key::new(&[], &[]));
    assert_eq!(failure, ("NotAllowedError", Cause::NoUserVerification));
    let uv = |wanted: &str, capable: bool| {
        let answer = signed(Some(5), auth_data(RP, if capable { 5 } else { 1 }, &[]), true);
        let mut key = Key::new(&[("uv", capable)], &[answer]);
        settle(get(&mut page(), &json!({ "userVerification": wanted })), &mut key).unwrap();
        find(&key.sent[0].1, 5) == Some(&texts(&[("uv", true.into())]))
    };
    assert!(uv("required", true));
    assert!(uv("preferred", true));
    assert!(!uv("preferred", false));
    assert!(!uv("discouraged", true));
}

/// Steps 6 and 7: the one credential of the list that is there is asked for by name, and need not be named back.
#[test]
fn a_list_is_narrowed_to_what_is_there() {
    let there = signed(Some(6), auth_data(RP, 0, &[]), false);
    let real = signed(None, auth_data(RP, 1, &[]), false);
    let mut key = Key::new(&[], &[vec![0x2e], there, real]);
    let request = get(&mut page(), &json!({"allowCredentials": list(&["BQ", "Bg"])}));
    let credential = settle(request, &mut key).unwrap();
    assert_eq!(credential.id(), "Bg");
    let descriptor = texts(&[("id", Cbor::Bytes(vec![6])), ("type", "public-key".into())]);
    assert_eq!(member(&key.sent[2].1, 3), &Cbor::Array(vec![descriptor]));
    assert_eq!(find(&key.sent[0].1, 5), Some(&texts(&[("up", false.into())])), "a silent question");
}

/// Keys of CTAP1, and one that speaks nothing.
#[test]
fn a_key_of_less_has_its_causes() {
    let u2f = Reach { ctap2: false, u2f: true };
    let failure = get_fails(&json!({}), Key::speaking(u2f, &[]));
    assert_eq!(failure, ("NotAllowedError", Cause::NotWithU2f(NotWithU2f::NoAllowList)));
    let verified = json!({"allowCredentials": list(&["BQ"]), "userVerification": "required"});
    let failure = get_fails(&verified, Key::speaking(u2f, &[]));
    assert_eq!(failure, ("NotAllowedError", Cause::NotWithU2f(NotWithU2f::UserVerification)));
    let neither = Reach { ctap2: false, u2f: false };
    let failure = get_fails(&json!({}), Key::speaking(neither, &[]));
    assert_eq!(failure, ("NotAllowedError", Cause::SpeaksNeither));
}

/// A PIN that is not given, is wrong, or is blocked.
#[test]
fn each_trouble_with_a_pin_has_its_cause() {
    let required = json!({"userVerification": "required"});
    let failure =
        |pins: &[&'static str], tokens: &[u8]| get_fails(&required, Key::protected(pins, tokens));
    assert_eq!(failure(&[], &[]), ("NotAllowedError", Cause::PinNotGiven));
    assert_eq!(failure(&["0000"], &[0x31]), ("NotAllowedError", Cause::PinWrong(Some(7))));
    assert_eq!(failure(&["0000"], &[0x34]), ("NotAllowedError", Cause::PinAuthBlocked));
    assert_eq!(failure(&["0000"], &[0x32]), ("NotAllowedError", Cause::PinBlocked));
}

/// Section 10.1.4: what hmac-secret gives back must be one or two secrets, as many as salts were sent.
#[test]
fn secrets_that_cannot_be_decrypted_are_a_wrong_response() {
    let asked = json!({"extensions": {"prf": {"eval": {"first": "AQ"}}}});
    for bytes in [31, 64] {
        let outputs = texts(&[("hmac-secret", Cbor::Bytes(vec![7; bytes]))]);
        let mut rest = Vec::new();
        ciborium::into_writer(&outputs, &mut rest).unwrap();
        let answer = signed(Some(5), auth_data(RP, 0x85, &rest), true);
        let listed = Cbor::Array(vec!["hmac-secret".into()]);
        let failure = get_fails(&asked, Key::with(&[(2, listed)], &[("uv", true)], &[answer]));
        let wrong = Cause::WrongResponse(WrongResponse::HmacSecret);
        assert_eq!(failure, ("NotAllowedError", wrong), "{bytes}");
    }
}
