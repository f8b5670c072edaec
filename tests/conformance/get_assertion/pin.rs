//! getAssertion on a key with a PIN, and pinUvAuthParam.

use softkey_tests::auth_data::{UP, UV};
use softkey_tests::checks::{refused, refused_and_token_kept};
use softkey_tests::pin::Protocol;
use softkey_tests::platform::Made;
use softkey_tests::platform::permission::{GA, MC};
use softkey_tests::request::ga;
use softkey_tests::status::{
    INVALID_PARAMETER, MISSING_PARAMETER, OPERATION_DENIED, PIN_AUTH_INVALID, PIN_NOT_SET,
};
use softkey_tests::{Key, Request, User};

const PIN: &str = "1234";
const RP: &str = "example.com";

fn with_pin_and_credential() -> (Key, Made) {
    let mut key = Key::fresh();
    let made = key.make(&Request::make_credential().discoverable());
    key.set_pin(PIN);
    (key, made)
}

/// GA-18: a PIN that is set does not keep an assertion from being made by touch.
#[test]
fn works_without_param_though_a_pin_is_set() {
    let (mut key, made) = with_pin_and_credential();
    for request in [made.get(), Request::get_assertion(RP)] {
        assert_eq!(key.assertion_by(&made, &request).auth_data.flags, UP);
    }
}

/// GA-21: a param that is not empty on a key without PIN, before any touch and before the look-up.
#[test]
fn param_without_pin_is_refused_untouched() {
    let mut key = Key::fresh();
    let made = key.make(&Request::make_credential().discoverable());
    for (length, protocol) in [(16, 1), (32, 2), (1, 1), (64, 2)] {
        refused(&mut key, &made.get().with_param(&vec![7; length], protocol), PIN_NOT_SET);
        let nobody =
            Request::get_assertion("nobody.example").with_param(&vec![7; length], protocol);
        refused(&mut key, &nobody, PIN_NOT_SET);
    }
}

/// GA-22: a param needs a protocol, and one that exists.
#[test]
fn param_without_known_protocol_is_refused() {
    let (mut key, made) = with_pin_and_credential();
    refused(&mut key, &made.get().with(ga::PARAM, [1; 32]), MISSING_PARAMETER);
    for protocol in [0, 3, 1 << 40] {
        refused(&mut key, &made.get().with_param(&[1; 32], protocol), INVALID_PARAMETER);
    }
}

/// GA-22: a param that is wrong, cut or extended, or over another hash.
#[test]
fn wrong_param_is_refused() {
    for protocol in Protocol::BOTH {
        let (mut key, made) = with_pin_and_credential();
        let token = key.token(protocol, PIN, GA, Some(RP)).unwrap();
        let good = token.authenticate(made.get().client_data_hash());
        let mut flipped = good.clone();
        flipped[0] ^= 1;
        for param in
            [flipped, good[1..].to_vec(), [&good, [0].as_slice()].concat(), vec![0; good.len()]]
        {
            refused_and_token_kept(
                &mut key,
                &made.get().with_param(&param, protocol.number()),
                PIN_AUTH_INVALID,
            );
        }
        let other = made.get().authorized(&token).with(ga::CLIENT_DATA_HASH, [1; 32]);
        refused_and_token_kept(&mut key, &other, PIN_AUTH_INVALID);
        let nobody =
            Request::get_assertion("nobody.example").with_param(&[0; 32], protocol.number());
        refused_and_token_kept(&mut key, &nobody, PIN_AUTH_INVALID);
        key.assertion_by(&made, &made.get().authorized(&token));
    }
}

/// GA-23: a token without ga, and one for another party.
#[test]
fn token_without_ga_or_for_another_party_is_refused() {
    let (mut key, made) = with_pin_and_credential();
    let mc_only = key.token(Protocol::Two, PIN, MC, Some(RP)).unwrap();
    refused_and_token_kept(&mut key, &made.get().authorized(&mc_only), PIN_AUTH_INVALID);
    let elsewhere = key.token(Protocol::Two, PIN, GA, Some("other.example")).unwrap();
    refused_and_token_kept(&mut key, &made.get().authorized(&elsewhere), PIN_AUTH_INVALID);
}

/// GA-24: a valid param sets UV; the token is then spent for mc and ga.
#[test]
fn valid_param_sets_uv_and_is_spent() {
    for protocol in Protocol::BOTH {
        let (mut key, made) = with_pin_and_credential();
        let token = key.token(protocol, PIN, MC | GA, Some(RP)).unwrap();
        let prompts = key.prompts();
        let assertion = key.assertion_by(&made, &made.get().authorized(&token));
        assert_eq!((assertion.auth_data.flags, key.prompts()), (UP | UV, prompts + 1));
        refused_and_token_kept(&mut key, &made.get().authorized(&token), PIN_AUTH_INVALID);
        refused_and_token_kept(
            &mut key,
            &Request::make_credential().authorized(&token),
            PIN_AUTH_INVALID,
        );
    }
}

/// GA-24, MC-50: a refusal does not spend the token, and neither does a party without credentials.
#[test]
fn failure_up_to_the_touch_does_not_spend_the_token() {
    let (mut key, made) = with_pin_and_credential();
    let token = key.token(Protocol::Two, PIN, GA, Some(RP)).unwrap();
    key.user(User::Refuses);
    assert_eq!(key.status(&made.get().authorized(&token)), OPERATION_DENIED);
    let unknown = Request::get_assertion(RP).listing(&[&[1; 32]]).authorized(&token);
    assert_eq!(key.status(&unknown), softkey_tests::status::NO_CREDENTIALS);
    key.user(User::Approves);
    assert!(key.assertion_by(&made, &made.get().authorized(&token)).auth_data.has(UV));
}

/// GA-23, MC-47: an unbound token is bound by its first use here too, a silent one included.
#[test]
fn unbound_token_is_bound_by_its_first_use() {
    let (mut key, made) = with_pin_and_credential();
    let token = key.pin_token(Protocol::Two, PIN).unwrap();
    let silent = made.get().option("up", false).authorized(&token);
    key.assertion_by(&made, &silent);
    let there = Request::make_credential_for("other.example", &[1]).authorized(&token);
    refused_and_token_kept(&mut key, &there, PIN_AUTH_INVALID);
    key.assertion_by(&made, &made.get().authorized(&token));
}
