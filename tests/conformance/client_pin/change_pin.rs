//! changePIN.

use softkey_tests::checks::refused;
use softkey_tests::pin::{Protocol, padded};
use softkey_tests::platform::{change_pin_request, permission};
use softkey_tests::request::cp;
use softkey_tests::status::{
    INVALID_PARAMETER, MISSING_PARAMETER, PIN_AUTH_INVALID, PIN_INVALID, PIN_NOT_SET,
    PIN_POLICY_VIOLATION, SUCCESS,
};
use softkey_tests::{Key, Request};

fn with_pin() -> Key {
    let mut key = Key::fresh();
    key.set_pin("1234");
    key
}

/// CP-19: each member it needs; without a PIN there is nothing to change.
#[test]
fn missing_member_or_missing_pin_is_refused() {
    for (mut key, status) in [(with_pin(), None), (Key::fresh(), Some(PIN_NOT_SET))] {
        let shared = key.agree(Protocol::Two);
        let good = change_pin_request(&shared, "1234", &padded("4321"));
        for member in
            [cp::PROTOCOL, cp::KEY_AGREEMENT, cp::PARAM, cp::NEW_PIN_ENC, cp::PIN_HASH_ENC]
        {
            refused(&mut key, &good.clone().without(member), MISSING_PARAMETER);
        }
        match status {
            Some(status) => refused(&mut key, &good, status),
            None => assert_eq!(key.status(&good), SUCCESS),
        }
    }
}

/// CP-20: with the right old PIN the new one holds and the old one no more, over power cycles too.
/// CT-CP-change.
#[test]
fn right_old_pin_changes_it() {
    for protocol in Protocol::BOTH {
        let mut key = with_pin();
        let shared = key.agree(protocol);
        let request = change_pin_request(&shared, "1234", &padded("new one"));
        assert_eq!(key.send(&request.bytes()), [SUCCESS]);
        assert_eq!(key.pin_token(protocol, "1234"), Err(PIN_INVALID));
        key.pin_token(protocol, "new one").unwrap();
        key.power_cycle();
        key.pin_token(protocol, "new one").unwrap();
    }
}

/// CP-21: a wrong old PIN costs a try and the key agreement key; the PIN stays.
#[test]
fn wrong_old_pin_costs_a_try() {
    for protocol in Protocol::BOTH {
        let mut key = with_pin();
        let before = key.key_agreement(protocol);
        let shared = key.agree(protocol);
        let request = change_pin_request(&shared, "9999", &padded("4321"));
        assert_eq!(key.send(&request.bytes()), [PIN_INVALID]);
        assert_eq!(key.retries(), 7);
        assert_ne!(key.key_agreement(protocol), before);
        key.pin_token(protocol, "1234").unwrap();
    }
}

/// CP-22: a wrong param costs no try, even with a wrong old PIN.
#[test]
fn wrong_param_costs_no_try() {
    for protocol in Protocol::BOTH {
        let mut key = with_pin();
        let shared = key.agree(protocol);
        for old in ["1234", "9999"] {
            let good = change_pin_request(&shared, old, &padded("4321"));
            let new_only = shared.authenticate(good.member(cp::NEW_PIN_ENC).bytes());
            let mut flipped = good.member(cp::PARAM).bytes().to_vec();
            flipped[3] ^= 4;
            for bad in [flipped, new_only, vec![0; 16], vec![0; 32], vec![]] {
                refused(&mut key, &good.clone().with(cp::PARAM, bad), PIN_AUTH_INVALID);
            }
        }
        assert_eq!(key.retries(), 8);
    }
}

/// CP-23: a new PIN against the rules changes nothing, and the right old PIN it came with costs nothing.
#[test]
fn new_pin_against_the_rules_is_refused() {
    let cases = [
        (padded("123"), PIN_POLICY_VIOLATION),
        (padded("\u{20AC}\u{20AC}\u{20AC}"), PIN_POLICY_VIOLATION),
        (vec![0; 64], PIN_POLICY_VIOLATION),
        (vec![b'1'; 64], PIN_POLICY_VIOLATION),
        (vec![b'1'; 80], PIN_POLICY_VIOLATION),
        (padded("1234")[..48].to_vec(), INVALID_PARAMETER),
    ];
    for protocol in Protocol::BOTH {
        let mut key = with_pin();
        for (plaintext, status) in &cases {
            let shared = key.agree(protocol);
            let request = change_pin_request(&shared, "1234", plaintext);
            assert_eq!(key.send(&request.bytes()), [*status]);
            assert_eq!(key.retries(), 8);
            key.pin_token(protocol, "1234").unwrap();
        }
    }
}

/// CP-23: a new PIN against the rules with the right old PIN restores the retries, for the old PIN was right.
#[test]
fn right_old_pin_restores_the_retries_whatever_the_new_one() {
    let mut key = with_pin();
    assert_eq!(key.change_pin("9999", "4321"), PIN_INVALID);
    assert_eq!(key.retries(), 7);
    assert_eq!(key.change_pin("1234", "1"), PIN_POLICY_VIOLATION);
    assert_eq!(key.retries(), 8);
}

/// CP-24: a change voids the tokens.
#[test]
fn change_voids_tokens() {
    let mut key = with_pin();
    let token = key.token(Protocol::Two, "1234", permission::MC, Some("example.com")).unwrap();
    let request = Request::make_credential().authorized(&token);
    assert_eq!(key.change_pin("1234", "1234567"), SUCCESS);
    refused(&mut key, &request, PIN_AUTH_INVALID);
}

/// CP-25: without a forced change the same PIN is allowed.
#[test]
fn same_pin_is_allowed() {
    let mut key = with_pin();
    assert_eq!(key.change_pin("1234", "1234"), SUCCESS);
    key.pin_token(Protocol::One, "1234").unwrap();
}

/// CP-20: credentials made before a change stay.
#[test]
fn credentials_survive_a_change() {
    let mut key = with_pin();
    let made = key.make(&Request::make_credential());
    assert_eq!(key.change_pin("1234", "4321"), SUCCESS);
    key.assertion_by(&made, &made.get());
}
