//! makeCredential on a key with a PIN, and pinUvAuthParam.

use std::time::Duration;

use softkey_tests::auth_data::UV;
use softkey_tests::checks::{
    refused, refused_after_prompt_and_unharmed, refused_and_token_kept, succeeds,
};
use softkey_tests::pin::{Protocol, Token};
use softkey_tests::platform::permission::{GA, MC};
use softkey_tests::request::mc;
use softkey_tests::status::{
    INVALID_PARAMETER, KEEPALIVE_CANCEL, KEY_STORE_FULL, MISSING_PARAMETER, OPERATION_DENIED,
    PIN_AUTH_INVALID, PIN_INVALID, PIN_NOT_SET, PUAT_REQUIRED, UNSUPPORTED_ALGORITHM,
    USER_ACTION_TIMEOUT,
};
use softkey_tests::{Key, Request, User};

const PIN: &str = "1234";
const RP: &str = "example.com";

fn with_pin() -> Key {
    let mut key = Key::fresh();
    key.set_pin(PIN);
    key
}

fn token(key: &mut Key, permissions: i64) -> Token {
    key.token(Protocol::Two, PIN, permissions, Some(RP)).unwrap()
}

/// MC-38: discoverable, with a PIN set and no param.
#[test]
fn discoverable_needs_the_pin_that_is_set() {
    refused(&mut with_pin(), &Request::make_credential().discoverable(), PUAT_REQUIRED);
}

/// MC-39: not discoverable, with a PIN set and no param: as makeCredUvNotRqd says.
#[test]
fn non_discoverable_needs_the_pin_unless_told_otherwise() {
    let mut key = with_pin();
    if key.info().option("makeCredUvNotRqd") == Some(true) {
        let made = key.make(&Request::make_credential());
        assert!(!made.auth_data.has(UV));
    } else {
        refused(&mut key, &Request::make_credential(), PUAT_REQUIRED);
    }
}

/// MC-41: a zero-length param on a key without PIN: touch, then 0x35.
#[test]
fn empty_param_without_pin_asks_for_touch() {
    let mut key = Key::fresh();
    for request in [
        Request::make_credential().with(mc::PARAM, []),
        Request::make_credential().with_param(&[], 1),
    ] {
        refused_after_prompt_and_unharmed(&mut key, &request, PIN_NOT_SET);
    }
}

/// MC-42: a zero-length param on a key with a PIN: touch, then 0x31; the retries stay.
#[test]
fn empty_param_with_pin_asks_for_touch() {
    let mut key = with_pin();
    for protocol in [1, 2, 77] {
        let request = Request::make_credential().discoverable().with_param(&[], protocol);
        refused_after_prompt_and_unharmed(&mut key, &request, PIN_INVALID);
    }
}

/// MC-41, MC-42: behind a zero-length param nothing but the decoding is looked at; refusal, timeout and cancel
/// are answered as everywhere.
#[test]
fn empty_param_comes_before_all_other_checks() {
    let mut key = with_pin();
    let request = Request::make_credential()
        .with(mc::PUB_KEY_CRED_PARAMS, softkey_tests::cbor::Value::Array(Vec::new()))
        .option("up", false)
        .with(mc::PARAM, []);
    refused_after_prompt_and_unharmed(&mut key, &request, PIN_INVALID);
    key.user(User::Refuses);
    refused_after_prompt_and_unharmed(&mut key, &request, OPERATION_DENIED);
    key.user(User::StaysAway);
    refused_after_prompt_and_unharmed(&mut key, &request, USER_ACTION_TIMEOUT);
    key.post(&request.bytes());
    assert_eq!(key.cancel(), Some(vec![KEEPALIVE_CANCEL]));
}

/// MC-43: a param needs a protocol, and one that exists, PIN or no PIN.
#[test]
fn param_without_known_protocol_is_refused() {
    for mut key in [Key::fresh(), with_pin()] {
        let request = Request::make_credential().with(mc::PARAM, [1; 32]);
        refused(&mut key, &request, MISSING_PARAMETER);
        for protocol in [0, 3, 77, 1 << 40] {
            let request = Request::make_credential().with_param(&[1; 32], protocol);
            refused(&mut key, &request, INVALID_PARAMETER);
        }
    }
}

/// MC-44: a param that is wrong, cut, extended, all zeros or without a token behind it.
#[test]
fn wrong_param_is_refused() {
    for protocol in Protocol::BOTH {
        let mut key = with_pin();
        let zeros = Request::make_credential().with_param(&[0; 32], protocol.number());
        refused_and_token_kept(&mut key, &zeros, PIN_AUTH_INVALID);
        let token = key.token(protocol, PIN, MC, Some(RP)).unwrap();
        let request = Request::make_credential().discoverable();
        let good = token.authenticate(request.client_data_hash());
        let mut flipped = good.clone();
        flipped[0] ^= 0x80;
        let mut last = good.clone();
        *last.last_mut().unwrap() ^= 1;
        let cut = good[..good.len() - 1].to_vec();
        let half = good[..good.len() / 2].to_vec();
        let extended = [good.as_slice(), &[0]].concat();
        let zeros = vec![0; good.len()];
        let one = vec![good[0]];
        for param in [flipped, last, cut, half, extended, zeros, one] {
            let request = request.clone().with_param(&param, protocol.number());
            refused_and_token_kept(&mut key, &request, PIN_AUTH_INVALID);
        }
        assert!(key.make(&request.with_param(&good, protocol.number())).auth_data.has(UV));
    }
}

/// MC-45: a param over another client data hash.
#[test]
fn param_over_another_hash_is_refused() {
    let mut key = with_pin();
    let token = token(&mut key, MC);
    let request =
        Request::make_credential().authorized(&token).with(mc::CLIENT_DATA_HASH, [0xCE; 32]);
    refused_and_token_kept(&mut key, &request, PIN_AUTH_INVALID);
}

/// MC-46: a token without mc, and one that is bound to another party.
#[test]
fn token_without_mc_or_for_another_party_is_refused() {
    let mut key = with_pin();
    let ga_only = token(&mut key, GA);
    refused_and_token_kept(
        &mut key,
        &Request::make_credential().authorized(&ga_only),
        PIN_AUTH_INVALID,
    );
    let elsewhere = key.token(Protocol::Two, PIN, MC, Some("other.example")).unwrap();
    refused_and_token_kept(
        &mut key,
        &Request::make_credential().authorized(&elsewhere),
        PIN_AUTH_INVALID,
    );
    let there = Request::make_credential_for("other.example", &[1]).authorized(&elsewhere);
    succeeds(&mut key, &there);
}

/// MC-47: the first use binds an unbound token to its party, though that use is refused by the user.
#[test]
fn unbound_token_is_bound_by_its_first_use() {
    let mut key = with_pin();
    let token = key.pin_token(Protocol::Two, PIN).unwrap();
    key.user(User::Refuses);
    let here = Request::make_credential().authorized(&token);
    assert_eq!(key.status(&here), OPERATION_DENIED);
    key.user(User::Approves);
    let there = Request::make_credential_for("other.example", &[1]).authorized(&token);
    refused_and_token_kept(&mut key, &there, PIN_AUTH_INVALID);
    succeeds(&mut key, &here);
}

/// MC-48, MC-31: a valid param sets UV with one touch; the option uv is ignored then.
#[test]
fn valid_param_sets_uv_with_one_touch() {
    for protocol in Protocol::BOTH {
        for uv in [None, Some(false), Some(true)] {
            let mut key = with_pin();
            let token = key.token(protocol, PIN, MC, Some(RP)).unwrap();
            let request = Request::make_credential().discoverable();
            let request = uv.map_or(request.clone(), |uv| request.option("uv", uv));
            let prompts = key.prompts();
            assert!(key.make(&request.authorized(&token)).auth_data.has(UV));
            assert_eq!(key.prompts(), prompts + 1);
        }
    }
}

/// MC-49: after a success the token is spent for mc and ga.
#[test]
fn success_spends_the_token() {
    let mut key = with_pin();
    let token = token(&mut key, MC | GA);
    let made = key.make(&Request::make_credential().authorized(&token));
    refused_and_token_kept(
        &mut key,
        &Request::make_credential().authorized(&token),
        PIN_AUTH_INVALID,
    );
    refused_and_token_kept(&mut key, &made.get().authorized(&token), PIN_AUTH_INVALID);
    let silent = made.get().option("up", false).authorized(&token);
    refused_and_token_kept(&mut key, &silent, PIN_AUTH_INVALID);
}

/// MC-49: so does a success without the token, for the standard clears the token in use whoever asked.
#[test]
fn success_without_a_param_spends_the_token_too() {
    let mut key = with_pin();
    let token = token(&mut key, MC);
    key.make(&Request::make_credential());
    refused(&mut key, &Request::make_credential().authorized(&token), PIN_AUTH_INVALID);
}

/// MC-50: an error, a refusal, a timeout and a cancel before or at the touch leave the token usable.
#[test]
fn failure_up_to_the_touch_does_not_spend_the_token() {
    let mut key = with_pin();
    let token = token(&mut key, MC);
    let good = || Request::make_credential().discoverable().authorized(&token);
    let unsupported =
        good().with(mc::PUB_KEY_CRED_PARAMS, softkey_tests::request::algorithms(&[-1]));
    assert_eq!(key.status(&unsupported), UNSUPPORTED_ALGORITHM);
    key.user(User::Refuses);
    assert_eq!(key.status(&good()), OPERATION_DENIED);
    key.user(User::StaysAway);
    assert_eq!(key.status(&good()), USER_ACTION_TIMEOUT);
    key.post(&good().bytes());
    key.advance(Duration::from_secs(1));
    assert_eq!(key.cancel(), Some(vec![KEEPALIVE_CANCEL]));
    key.user(User::Approves);
    assert!(key.make(&good()).auth_data.has(UV));
}

/// MC-50: a request that fails after the touch spends the token.
#[test]
fn failure_after_the_touch_spends_the_token() {
    let mut key = with_pin();
    succeeds(&mut key, &Request::make_credential());
    let token = token(&mut key, MC);
    let request = Request::make_credential().discoverable().authorized(&token);
    key.memory().full(true);
    assert_eq!(key.status(&request), KEY_STORE_FULL);
    key.memory().full(false);
    refused(&mut key, &request, PIN_AUTH_INVALID);
}

/// MC-65: a param that is not empty on a key without PIN is refused before any touch, and before all further
/// checks.
#[test]
fn param_without_pin_is_refused_untouched() {
    let mut key = Key::fresh();
    for length in [1, 16, 32, 64] {
        for protocol in [1, 2] {
            let request =
                Request::make_credential().discoverable().with_param(&vec![7; length], protocol);
            refused(&mut key, &request, PIN_NOT_SET);
            refused(&mut key, &request.option("up", false), PIN_NOT_SET);
        }
    }
    softkey_tests::checks::no_account(&mut key, RP);
}
