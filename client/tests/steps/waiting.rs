//! What can happen while keys are waited for (WebAuthn Level 3 sections 5.1.3 step 13 and 5.1.4 step 18): the signal, the
//! user, the timer, keys that come and go; in create and in get.

use serde_json::json;
use softkey_client::{
    AbortController, AbortReason, Cause, CredentialRequestOptions, Entropy, Input, KeyId, Need,
    Output, Reach, Request, RequestOptions,
};
use softkey_ctap::{Instant, Secret};

use crate::key::{KEY, NOW, RP, auth_data, create, create_with, get, page, settled, signed};

const OTHER: KeyId = KeyId(1);
const CTAP2: Reach = Reach { ctap2: true, u2f: false };

fn about() -> Vec<u8> {
    use ciborium::Value::{Array, Bytes, Map};
    crate::key::ok(&[
        (1, Array(vec!["FIDO_2_0".into()])),
        (3, Bytes(vec![0xaa; 16])),
        (4, Map(vec![])),
    ])
}

/// Brings a key up to its real request, which it then has in work.
fn at_work(request: &mut Request, key: KeyId) {
    request.add_key(NOW, key, CTAP2);
    asked(request, key);
    request.handle_input(NOW, key, Input::Response(about()));
    asked(request, key);
}

fn asked(request: &mut Request, key: KeyId) {
    match request.poll_output(NOW) {
        Some(Output::Needs { key: of, need: Need::Cbor(_) }) if of == key => {}
        other => panic!("{other:?} instead of a message for {key:?}"),
    }
}

/// Both keys are cancelled, and then the promise is settled.
fn cancelled(request: &mut Request) -> (&'static str, Cause) {
    for key in [KEY, OTHER] {
        assert_eq!(request.poll_output(NOW), Some(Output::Cancel { key }));
    }
    let failure = settled(request).unwrap_err();
    assert!(!request.is_finished(), "both are heard out");
    for key in [KEY, OTHER] {
        request.handle_input(NOW, key, Input::Response(vec![0x2d]));
    }
    assert!(request.is_finished());
    failure
}

/// create and get with two keys at work.
fn both() -> [Request; 2] {
    let mut page = page();
    let created = create(&mut page, &json!({}));
    let mut requests = [created, get(&mut crate::key::page(), &json!({}))];
    for request in &mut requests {
        at_work(request, KEY);
        at_work(request, OTHER);
        request.no_more_keys(NOW);
    }
    requests
}

#[test]
fn the_timer_cancels_every_key() {
    for mut request in both() {
        let end = request.poll_timeout().unwrap();
        request.handle_timeout(end);
        assert_eq!(cancelled(&mut request), ("NotAllowedError", Cause::Timeout));
    }
}

#[test]
fn the_user_who_gives_up_cancels_every_key() {
    for mut request in both() {
        request.give_up(NOW);
        assert_eq!(cancelled(&mut request), ("NotAllowedError", Cause::Cancelled));
    }
}

/// The signal's own reason, in both ceremonies; and what comes after it changes nothing.
#[test]
fn a_signal_cancels_every_key() {
    let controller = AbortController::new();
    let options =
        RequestOptions::from_json(r#"{"challenge": "", "userVerification": "discouraged"}"#);
    let options =
        CredentialRequestOptions { signal: Some(controller.signal()), ..options.unwrap().into() };
    let mut page = page();
    let mut request =
        page.credentials().get(NOW, options, Entropy::from_seed(&Secret::new([7; 32])));
    at_work(&mut request, KEY);
    at_work(&mut request, OTHER);
    controller.abort();
    let aborted = ("AbortError", Cause::Aborted(AbortReason::Abort));
    assert_eq!(cancelled(&mut request), aborted);
    request.give_up(NOW);
    request.handle_timeout(Instant::from_millis(10_000_000));
    assert_eq!(request.poll_output(NOW), None, "settled once");
}

/// create step 4 of the container, and step 10 of the type.
#[test]
fn a_signal_that_is_aborted_already_creates_nothing() {
    let options = json!({
        "signal": {"aborted": true, "reason": "gone"},
        "publicKey": {
            "rp": {"name": "Example"}, "user": {"id": "AQ", "name": "ada", "displayName": ""},
            "challenge": "AAEC", "pubKeyCredParams": [],
        },
    });
    let failure = settled(&mut create_with(&mut page(), &options)).unwrap_err();
    let reason = AbortReason::Value(json!("gone"));
    assert_eq!(failure, ("AbortError", Cause::Aborted(reason)));
}

/// A signal ends a lookup of related origins too.
#[test]
fn a_signal_ends_a_lookup() {
    let controller = AbortController::new();
    let options = RequestOptions::from_json(r#"{"challenge": "", "rpId": "example.com"}"#);
    let options =
        CredentialRequestOptions { signal: Some(controller.signal()), ..options.unwrap().into() };
    let mut page = page();
    let mut request =
        page.credentials().get(NOW, options, Entropy::from_seed(&Secret::new([7; 32])));
    assert!(matches!(request.poll_output(NOW), Some(Output::Fetch { .. })));
    controller.abort();
    let aborted = ("AbortError", Cause::Aborted(AbortReason::Abort));
    assert_eq!(settled(&mut request).unwrap_err(), aborted);
    assert!(request.is_finished());
}

/// A key that goes away is dropped; the last one ends the call. Without any there is nothing to wait for.
#[test]
fn keys_that_go_away_are_dropped() {
    for mut request in both() {
        request.remove_key(NOW, KEY);
        assert_eq!(request.poll_output(NOW), None);
        request.remove_key(NOW, OTHER);
        assert_eq!(settled(&mut request).unwrap_err(), ("NotAllowedError", Cause::KeyGone));
    }
    let mut page = page();
    let mut request = get(&mut page, &json!({}));
    request.no_more_keys(NOW);
    assert_eq!(settled(&mut request).unwrap_err(), ("NotAllowedError", Cause::NoKey));
}

/// Refused by the user at one key: create is over, get goes on with the other.
#[test]
fn a_refusal_ends_create_and_only_drops_the_key_in_get() {
    let [mut created, mut got] = both();
    created.handle_input(NOW, KEY, Input::Response(vec![0x27]));
    assert_eq!(created.poll_output(NOW), Some(Output::Cancel { key: OTHER }));
    let denied = Cause::Refused(softkey_ctap::StatusCode::OPERATION_DENIED);
    assert_eq!(settled(&mut created).unwrap_err(), ("NotAllowedError", denied));
    got.handle_input(NOW, KEY, Input::Response(vec![0x27]));
    assert_eq!(got.poll_output(NOW), None);
    let answer = signed(Some(5), auth_data(RP, 1, &[]), true);
    got.handle_input(NOW, OTHER, Input::Response(answer));
    assert_eq!(settled(&mut got).unwrap().unwrap().id(), "BQ");
}

/// Excluded at one key, after its touch: create is over.
#[test]
fn an_excluded_credential_ends_create() {
    let [mut created, _] = both();
    created.handle_input(NOW, KEY, Input::Response(vec![0x19]));
    assert_eq!(created.poll_output(NOW), Some(Output::Cancel { key: OTHER }));
    assert_eq!(settled(&mut created).unwrap_err(), ("InvalidStateError", Cause::Excluded));
}

/// When every key has dropped out, the page hears what all have in common, else nothing in particular.
#[test]
fn keys_that_differ_are_not_told_apart() {
    let [mut created, _] = both();
    created.handle_input(NOW, KEY, Input::Response(vec![0x26]));
    created.handle_input(NOW, OTHER, Input::Response(vec![0x28]));
    assert_eq!(settled(&mut created).unwrap_err(), ("NotAllowedError", Cause::KeysDiffer));
}

/// get step 1: in a conditional get the list is a filter; what is outside is passed over, and the call goes on.
#[test]
fn what_is_outside_the_filter_is_passed_over() {
    let options = json!({"challenge": "", "userVerification": "discouraged",
        "allowCredentials": crate::key::list(&["BQ"])});
    let options = RequestOptions::from_value(options).unwrap();
    let controller = AbortController::new();
    let options = CredentialRequestOptions {
        mediation: softkey_client::Mediation::Conditional,
        signal: Some(controller.signal()),
        ..options.into()
    };
    let mut page = page();
    let mut request =
        page.credentials().get(NOW, options, Entropy::from_seed(&Secret::new([7; 32])));
    assert_eq!(request.timeout().effective, None, "it waits without end");
    at_work(&mut request, KEY);
    request.no_more_keys(NOW);
    let answer = signed(Some(6), auth_data(RP, 1, &[]), true);
    request.handle_input(NOW, KEY, Input::Response(answer));
    assert_eq!(request.poll_output(NOW), None);
    assert!(request.is_stalled());
    controller.abort();
    let Some(Output::Settled(Err(rejection))) = request.poll_output(NOW) else {
        panic!("an aborted call is settled");
    };
    assert_eq!(rejection.exception.name(), "AbortError");
    assert_eq!(rejection.keys, [(KEY, Cause::OutsideFilter)]);
}
