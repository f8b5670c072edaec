//! The machine over several keys, each answered by hand with bytes.

use ciborium::Value;
use serde_json::json;
use softkey_ctap::{Instant, StatusCode};

use super::*;
use crate::call::CredentialRequestOptions;
use crate::cause::DomException;
use crate::options::{CreationOptions, RequestOptions};
use crate::page::Page;
use crate::profile::Profile;
use crate::script::{CTAP2, U2F, attested, auth_data, entropy, ok, texts};

const NOW: Instant = Instant::from_millis(0);
const A: KeyId = KeyId(0);
const B: KeyId = KeyId(1);
const C: KeyId = KeyId(2);

fn page() -> Page {
    Page::new(&Profile::new(), "https://example.org")
}

fn create(extra: &[(&str, serde_json::Value)]) -> Request {
    let mut options = json!({
        "rp": {"name": "Example"}, "user": {"id": "AQ", "name": "ada", "displayName": ""},
        "challenge": "AAEC", "pubKeyCredParams": [],
        "authenticatorSelection": {"userVerification": "discouraged"},
    });
    for (member, value) in extra {
        options[*member] = value.clone();
    }
    let options = CreationOptions::from_value(options).unwrap();
    page().credentials().create(NOW, options.into(), entropy())
}

fn get(extra: &[(&str, serde_json::Value)]) -> Request {
    let mut options = json!({"challenge": "AAEC", "userVerification": "discouraged"});
    for (member, value) in extra {
        options[*member] = value.clone();
    }
    let options = RequestOptions::from_value(options).unwrap();
    page().credentials().get(NOW, options.into(), entropy())
}

fn required() -> [(&'static str, serde_json::Value); 1] {
    [("authenticatorSelection", json!({"userVerification": "required"}))]
}

/// The next output, which must ask for a message; its command byte.
fn asked(request: &mut Request, of: KeyId) -> u8 {
    match request.poll_output(NOW) {
        Some(Output::Needs { key, need: Need::Cbor(message) }) if key == of => message[0],
        other => panic!("{other:?} instead of a message for {of:?}"),
    }
}

fn answer(request: &mut Request, key: KeyId, bytes: Vec<u8>) {
    request.handle_input(NOW, key, Input::Response(bytes));
}

/// Adds keys with these options and brings them up to their first real request.
fn with_keys(request: &mut Request, keys: &[(KeyId, &[(&str, bool)])]) {
    for (key, _) in keys {
        request.add_key(NOW, *key, CTAP2);
        assert_eq!(asked(request, *key), 0x04);
    }
    for (key, options) in keys {
        answer(request, *key, about(options));
    }
    request.no_more_keys(NOW);
}

/// getInfo of a key with these options that knows PIN/UV auth protocol one, and selection.
fn about(options: &[(&str, bool)]) -> Vec<u8> {
    let options: Vec<_> = options.iter().map(|(key, value)| (*key, Value::from(*value))).collect();
    ok(vec![
        (1, Value::Array(vec!["FIDO_2_0".into(), "FIDO_2_1".into()])),
        (3, Value::Bytes(vec![0xaa; 16])),
        (4, texts(&options)),
        (6, Value::Array(vec![1.into()])),
    ])
}

const PIN: Need = Need::Pin(crate::PinNeed { wrong: false, tries_left: None });

fn made(id: u8) -> Vec<u8> {
    let data = auth_data("example.org", 0x41, &attested(0, &[id]));
    ok(vec![(1, "none".into()), (2, Value::Bytes(data)), (3, Value::Map(vec![]))])
}

fn cancelled(request: &mut Request, key: KeyId) {
    assert_eq!(request.poll_output(NOW), Some(Output::Cancel { key }));
}

fn settled(request: &mut Request) -> Result<Option<Credential>, Rejection> {
    match request.poll_output(NOW) {
        Some(Output::Settled(result)) => result,
        other => panic!("{other:?} instead of an end"),
    }
}

/// Step 12 and the end of it: the first success wins, the others are cancelled, and each is heard out.
#[test]
fn the_first_touched_key_wins() {
    let mut request = create(&[]);
    with_keys(&mut request, &[(A, &[]), (B, &[])]);
    assert_eq!([asked(&mut request, A), asked(&mut request, B)], [1, 1]);
    assert_eq!(request.poll_output(NOW), None);
    answer(&mut request, B, made(2));
    cancelled(&mut request, A);
    let credential = settled(&mut request).unwrap().unwrap();
    assert_eq!(credential.id(), "Ag");
    assert!(request.is_settled() && !request.is_finished());
    answer(&mut request, A, vec![0x2d]);
    assert!(request.is_finished());
    assert_eq!(request.poll_output(NOW), None);
}

/// A key that was quicker than the cancelling has made a credential: the owner learns of it.
#[test]
fn a_late_success_is_told() {
    let mut request = create(&[]);
    with_keys(&mut request, &[(A, &[]), (B, &[])]);
    asked(&mut request, A);
    asked(&mut request, B);
    answer(&mut request, A, made(1));
    cancelled(&mut request, B);
    settled(&mut request).unwrap();
    answer(&mut request, B, made(2));
    let Some(Output::Late { key: B, credential }) = request.poll_output(NOW) else {
        panic!("the second credential is lost");
    };
    assert_eq!(credential.id(), "Ag");
    assert!(request.is_finished());
}

#[test]
fn a_key_that_goes_away_changes_nothing_for_the_rest() {
    let mut request = create(&[]);
    with_keys(&mut request, &[(A, &[]), (B, &[])]);
    asked(&mut request, A);
    asked(&mut request, B);
    request.remove_key(NOW, A);
    assert_eq!(request.poll_output(NOW), None);
    answer(&mut request, B, made(2));
    assert!(settled(&mut request).is_ok());
    assert!(request.is_finished());
}

/// The last key that goes away ends the call, and the cause of each is kept.
#[test]
fn when_the_last_key_goes_away_nothing_is_allowed() {
    let mut request = create(&[]);
    with_keys(&mut request, &[(A, &[])]);
    asked(&mut request, A);
    request.remove_key(NOW, A);
    let rejection = settled(&mut request).unwrap_err();
    assert_eq!(rejection.exception, DomException::NotAllowedError);
    assert_eq!(rejection.keys, [(A, Cause::KeyGone)]);
}

/// Step 13: an error of one key drops that key only.
#[test]
fn an_error_of_one_key_leaves_the_others() {
    let mut request = create(&[]);
    with_keys(&mut request, &[(A, &[]), (B, &[])]);
    asked(&mut request, A);
    asked(&mut request, B);
    answer(&mut request, A, vec![0x2f]);
    assert_eq!(request.poll_output(NOW), None);
    answer(&mut request, B, made(2));
    assert!(settled(&mut request).is_ok());
}

/// Step 13: refused by the user at one key, the whole call is over.
#[test]
fn a_refusal_at_one_key_ends_a_create() {
    let mut request = create(&[]);
    with_keys(&mut request, &[(A, &[]), (B, &[])]);
    asked(&mut request, A);
    asked(&mut request, B);
    answer(&mut request, A, vec![0x27]);
    cancelled(&mut request, B);
    let rejection = settled(&mut request).unwrap_err();
    assert_eq!(rejection.cause, Cause::Refused(StatusCode::OPERATION_DENIED));
    assert_eq!(rejection.exception, DomException::NotAllowedError);
}

/// Step 13: so it is with an excluded credential, which the user has touched its key for.
#[test]
fn an_excluded_credential_at_one_key_ends_a_create() {
    let mut request = create(&[]);
    with_keys(&mut request, &[(A, &[]), (B, &[])]);
    asked(&mut request, A);
    asked(&mut request, B);
    answer(&mut request, B, vec![0x19]);
    cancelled(&mut request, A);
    let rejection = settled(&mut request).unwrap_err();
    assert_eq!(rejection.exception, DomException::InvalidStateError);
}

/// Step 13: what all keys have in common is told, what differs is not.
#[test]
fn the_page_hears_what_all_keys_have_in_common() {
    let end = |answers: [u8; 2]| {
        let mut request = create(&[]);
        with_keys(&mut request, &[(A, &[]), (B, &[])]);
        asked(&mut request, A);
        asked(&mut request, B);
        answer(&mut request, A, vec![answers[0]]);
        answer(&mut request, B, vec![answers[1]]);
        settled(&mut request).unwrap_err()
    };
    assert_eq!(end([0x28, 0x2b]).exception, DomException::ConstraintError);
    assert_eq!(end([0x26, 0x26]).exception, DomException::NotSupportedError);
    assert_eq!(end([0x28, 0x2f]).exception, DomException::NotAllowedError);
    let differ = end([0x26, 0x28]);
    assert_eq!(differ.exception, DomException::NotAllowedError);
    assert_eq!(differ.cause, Cause::KeysDiffer);
    assert_eq!(differ.keys.len(), 2);
}

/// Step 12 d: keys that cannot verify are skipped; if all are, the constraint is named.
#[test]
fn keys_that_cannot_serve_are_skipped() {
    let mut request = create(&required());
    with_keys(&mut request, &[(A, &[]), (B, &[("clientPin", true)])]);
    // The first has dropped out, so nobody has to select the second.
    assert_eq!(request.poll_output(NOW), Some(Output::Needs { key: B, need: PIN }));
    let mut request = create(&required());
    with_keys(&mut request, &[(A, &[]), (B, &[])]);
    let rejection = settled(&mut request).unwrap_err();
    assert_eq!(rejection.exception, DomException::ConstraintError);
    assert_eq!(rejection.cause, Cause::NoUserVerification);
}

/// CTAP section 16 step 7: with several keys a touch says which one's PIN is meant.
#[test]
fn a_pin_among_several_keys_needs_a_touch_first() {
    let mut request = create(&required());
    let pin: &[(&str, bool)] = &[("clientPin", true)];
    with_keys(&mut request, &[(A, pin), (B, pin)]);
    for key in [A, B] {
        // Selection, which begins with getInfo.
        assert_eq!(asked(&mut request, key), 0x04);
    }
    answer(&mut request, A, about(pin));
    answer(&mut request, B, about(pin));
    assert_eq!([asked(&mut request, A), asked(&mut request, B)], [0x0b, 0x0b]);
    answer(&mut request, B, vec![0]);
    cancelled(&mut request, A);
    assert_eq!(request.poll_output(NOW), Some(Output::Needs { key: B, need: PIN }));
    answer(&mut request, A, vec![0x2d]);
    request.handle_input(NOW, B, Input::Cancel);
    let rejection = settled(&mut request).unwrap_err();
    assert_eq!(rejection.cause, Cause::PinNotGiven);
    assert!(request.is_finished());
}

/// A key without a message in work has nothing to be heard out about.
#[test]
fn a_ctap1_key_between_two_polls_is_forgotten_at_once() {
    let mut request = create(&[]);
    request.add_key(NOW, C, U2F);
    with_keys(&mut request, &[]);
    let Some(Output::Needs { key: C, need: Need::Msg(_) }) = request.poll_output(NOW) else {
        panic!("REGISTER");
    };
    answer(&mut request, C, vec![0x69, 0x85]);
    let Some(Output::Needs { key: C, need: Need::Touch(_) }) = request.poll_output(NOW) else {
        panic!("a pause");
    };
    request.give_up(NOW);
    cancelled(&mut request, C);
    assert_eq!(settled(&mut request).unwrap_err().cause, Cause::Cancelled);
    assert!(request.is_finished());
}

/// What was never sent needs no cancelling.
#[test]
fn a_need_that_nobody_took_is_withdrawn() {
    let mut request = create(&[]);
    request.add_key(NOW, A, CTAP2);
    request.give_up(NOW);
    assert_eq!(settled(&mut request).unwrap_err().cause, Cause::Cancelled);
    assert!(request.is_finished());
}

/// The timer, and a key that came while it ran.
#[test]
fn the_timer_ends_the_call_and_cancels_the_keys() {
    let mut request = create(&[]);
    with_keys(&mut request, &[(A, &[])]);
    asked(&mut request, A);
    let end = request.poll_timeout().unwrap();
    request.handle_timeout(end);
    cancelled(&mut request, A);
    assert_eq!(settled(&mut request).unwrap_err().cause, Cause::Timeout);
    request.add_key(end, B, CTAP2);
    assert_eq!(request.poll_output(end), None, "too late");
    answer(&mut request, A, vec![0x2d]);
    assert!(request.is_finished());
}

/// Section 5.1.4 step 1: in a conditional get the list is a filter, and what is not in it is not taken.
#[test]
fn a_conditional_get_filters_what_the_key_gives() {
    let options = json!({"challenge": "AAEC", "userVerification": "discouraged",
        "allowCredentials": [{"type": "public-key", "id": "BQ"}]});
    let options = RequestOptions::from_value(options).unwrap();
    let mediation = crate::call::Mediation::Conditional;
    let options = CredentialRequestOptions { mediation, ..options.into() };
    let signed = |id: u8| {
        let credential = texts(&[("id", Value::Bytes(vec![id])), ("type", "public-key".into())]);
        let data = Value::Bytes(auth_data("example.org", 1, &[]));
        let user = texts(&[("id", Value::Bytes(vec![9]))]);
        ok(vec![(1, credential), (2, data), (3, Value::Bytes(vec![1])), (4, user)])
    };
    let mut page = page();
    let mut request = page.credentials().get(NOW, options, entropy());
    with_keys(&mut request, &[(A, &[]), (B, &[])]);
    assert_eq!([asked(&mut request, A), asked(&mut request, B)], [2, 2]);
    answer(&mut request, A, signed(6));
    assert!(!request.is_settled());
    answer(&mut request, B, signed(5));
    assert_eq!(settled(&mut request).unwrap().unwrap().id(), "BQ");
}

const PLATFORM: &[(&str, bool)] = &[("plat", true)];

/// Section 5.8.7, in create and get alike: the keys that a hint is about are asked alone, the others once none of them is
/// left.
#[test]
fn a_hint_says_which_keys_are_asked_first() {
    type Call = fn(&[(&str, serde_json::Value)]) -> Request;
    let calls: [(Call, u8); 2] = [(create, 1), (get, 2)];
    for (call, command) in calls {
        for (hint, first, second) in
            [("client-device", B, A), ("security-key", A, B), ("hybrid", A, B)]
        {
            let mut request = call(&[("hints", json!([hint]))]);
            with_keys(&mut request, &[(A, &[]), (B, PLATFORM)]);
            assert_eq!(asked(&mut request, first), command, "{hint}");
            assert_eq!(request.poll_output(NOW), None, "the other one waits");
            answer(&mut request, first, vec![0x2e]);
            // From its beginning.
            assert_eq!(asked(&mut request, second), 0x04);
            answer(&mut request, second, about(if second == B { PLATFORM } else { &[] }));
            assert_eq!(asked(&mut request, second), command, "{hint}");
            answer(&mut request, second, vec![0x2e]);
            let rejection = settled(&mut request).unwrap_err();
            let of: Vec<_> = rejection.keys.iter().map(|(key, _)| *key).collect();
            assert_eq!(of, [first, second], "each is told of once");
            assert!(request.is_finished());
        }
    }
}

/// A hint is no requirement: a key that it is not about serves as well if it is the only one, also one of CTAP1, which
/// tells nothing of itself.
#[test]
fn a_hint_about_nobody_is_forgotten() {
    let mut request = create(&[("hints", json!(["client-device"]))]);
    with_keys(&mut request, &[(A, &[])]);
    assert_eq!(asked(&mut request, A), 0x04);
    answer(&mut request, A, about(&[]));
    assert_eq!(asked(&mut request, A), 1);
    answer(&mut request, A, made(1));
    assert_eq!(settled(&mut request).unwrap().unwrap().id(), "AQ");

    let mut request = create(&[("hints", json!(["client-device"]))]);
    request.add_key(NOW, C, U2F);
    request.no_more_keys(NOW);
    let Some(Output::Needs { key: C, need: Need::Msg(_) }) = request.poll_output(NOW) else {
        panic!("REGISTER");
    };
}

/// A touch at a key that the hint is about leaves those aside where they are, and one that is pulled out is missed there too.
#[test]
fn keys_aside_are_not_asked_after_a_success_nor_when_they_are_gone() {
    let mut request = create(&[("hints", json!(["client-device"]))]);
    with_keys(&mut request, &[(A, &[]), (B, PLATFORM)]);
    asked(&mut request, B);
    answer(&mut request, B, made(2));
    assert_eq!(settled(&mut request).unwrap().unwrap().id(), "Ag");
    assert!(request.is_finished());
    assert_eq!(request.poll_output(NOW), None);

    let mut request = create(&[("hints", json!(["client-device"]))]);
    with_keys(&mut request, &[(A, &[]), (B, PLATFORM)]);
    asked(&mut request, B);
    request.remove_key(NOW, A);
    assert_eq!(request.poll_output(NOW), None);
    request.remove_key(NOW, B);
    let rejection = settled(&mut request).unwrap_err();
    assert_eq!(rejection.keys, [(A, Cause::KeyGone), (B, Cause::KeyGone)]);
}

/// Where the page insists on an attachment, the others are refused however long the call waits.
#[test]
fn a_hint_beside_an_attachment_is_a_requirement() {
    let selection =
        json!({"authenticatorAttachment": "cross-platform", "userVerification": "discouraged"});
    let mut request =
        create(&[("hints", json!(["client-device"])), ("authenticatorSelection", selection)]);
    with_keys(&mut request, &[(A, &[])]);
    assert_eq!(asked(&mut request, A), 0x04);
    answer(&mut request, A, about(&[]));
    let rejection = settled(&mut request).unwrap_err();
    assert_eq!(rejection.keys, [(A, Cause::AttachmentMismatch)]);
}
