//! How wrong PINs are counted, blocked and forgiven.

use softkey_tests::checks::{refused, still_works};
use softkey_tests::key::Cut;
use softkey_tests::pin::{Protocol, padded};
use softkey_tests::platform::{
    change_pin_request, permission, pin_token_request, set_pin_request, token_request,
};
use softkey_tests::request::{command, cp};
use softkey_tests::status::{
    PIN_AUTH_BLOCKED, PIN_AUTH_INVALID, PIN_BLOCKED, PIN_INVALID, SUCCESS,
};
use softkey_tests::{Key, Request};

const WRONG: &str = "9999";

fn with_pin() -> Key {
    let mut key = Key::fresh();
    key.set_pin("1234");
    key
}

fn power_cycle_needed(key: &mut Key) -> bool {
    key.ok(&Request::client_pin(cp::GET_PIN_RETRIES)).at(4).is_some_and(softkey_tests::Value::bool)
}

/// Sends a PIN by each of the three subcommands that take one and gives the statuses.
fn by_all(key: &mut Key, protocol: Protocol, pin: &str) -> [u8; 3] {
    let shared = key.agree(protocol);
    let change = change_pin_request(&shared, pin, &padded("4321"));
    let token = token_request(&shared, pin, permission::GA, Some("example.com"));
    let legacy = pin_token_request(&shared, pin);
    [change, token, legacy].map(|request| key.status(&request))
}

/// Wrong PINs, three to a power cycle, until the counter stands at zero.
fn exhausted() -> Key {
    let mut key = with_pin();
    for left in (0..8).rev() {
        let expected = match left {
            0 => PIN_BLOCKED,
            5 | 2 => PIN_AUTH_BLOCKED,
            _ => PIN_INVALID,
        };
        assert_eq!(key.pin_token(Protocol::Two, WRONG), Err(expected), "{left} left");
        assert_eq!(key.retries(), left);
        if expected == PIN_AUTH_BLOCKED {
            key.power_cycle();
        }
    }
    key
}

/// CP-26: a wrong PIN costs a try by every subcommand and protocol; the right one restores all.
/// CT-CP-retries-fall.
#[test]
fn wrong_pin_costs_a_try_and_the_right_one_restores_all() {
    for protocol in Protocol::BOTH {
        let mut key = with_pin();
        let shared = key.agree(protocol);
        let change = change_pin_request(&shared, WRONG, &padded("4321"));
        let requests = [change, pin_token_request(&shared, WRONG)];
        assert_eq!(key.send(&requests[0].bytes()), [PIN_INVALID]);
        assert_eq!(key.retries(), 7);
        let answer = key.token(protocol, WRONG, permission::GA, Some("example.com"));
        assert_eq!(answer, Err(PIN_INVALID));
        assert_eq!(key.retries(), 6);
        key.pin_token(protocol, "1234").unwrap();
        assert_eq!(key.retries(), 8);
        assert_eq!(key.pin_token(protocol, WRONG), Err(PIN_INVALID));
        assert_eq!(key.retries(), 7);
        key.token(protocol, "1234", permission::GA, Some("example.com")).unwrap();
        assert_eq!(key.retries(), 8);
        assert_eq!(key.pin_token(protocol, WRONG), Err(PIN_INVALID));
        assert_eq!(key.change_pin("1234", "4321"), SUCCESS);
        assert_eq!(key.retries(), 8);
    }
}

/// CP-26, CP-28: the right PIN forgets the wrong ones in a row, so two and two do not block.
#[test]
fn right_pin_restarts_the_row() {
    let mut key = with_pin();
    for _ in 0..3 {
        for _ in 0..2 {
            assert_eq!(key.pin_token(Protocol::Two, WRONG), Err(PIN_INVALID));
        }
        key.pin_token(Protocol::Two, "1234").unwrap();
    }
}

/// CP-27: the counter is written before the PIN is compared, so a power cut at that write or behind it costs a
/// try, with the right PIN too.
#[test]
fn power_cut_in_the_comparison_costs_a_try() {
    for pin in [WRONG, "1234"] {
        let mut key = with_pin();
        let shared = key.agree(Protocol::Two);
        key.memory().cut_power(Cut::After(0));
        key.send(&pin_token_request(&shared, pin).bytes());
        assert!(key.memory().is_dead(), "the counter is written");
        key.power_cycle();
        assert_eq!(key.retries(), 7, "{pin}");
        key.pin_token(Protocol::Two, "1234").unwrap();
        assert_eq!(key.retries(), 8);
    }
}

/// CP-27: where the write itself does not happen, no comparison happens either.
#[test]
fn no_comparison_without_the_write() {
    let mut key = with_pin();
    let shared = key.agree(Protocol::Two);
    key.memory().cut_power(Cut::Before(0));
    let answer = key.send(&pin_token_request(&shared, "1234").bytes());
    assert_eq!(answer, [softkey_tests::status::OTHER], "no token without the write");
    key.power_cycle();
    assert_eq!(key.retries(), 8);
}

/// CP-28: the third wrong PIN in a row blocks until a power cycle, and getPINRetries says so.
/// CT-CP-retries-block.
#[test]
fn third_wrong_pin_in_a_row_blocks() {
    for protocol in Protocol::BOTH {
        let mut key = with_pin();
        assert_eq!(key.pin_token(protocol, WRONG), Err(PIN_INVALID));
        assert_eq!(key.change_pin(WRONG, "4321"), PIN_INVALID);
        assert!(!power_cycle_needed(&mut key));
        let third = key.token(protocol, WRONG, permission::GA, Some("example.com"));
        assert_eq!(third, Err(PIN_AUTH_BLOCKED));
        assert!(power_cycle_needed(&mut key));
        assert_eq!(key.retries(), 5);
    }
}

/// Three wrong PINs in a row.
#[track_caller]
fn block(key: &mut Key) {
    for status in [PIN_INVALID, PIN_INVALID, PIN_AUTH_BLOCKED] {
        assert_eq!(key.pin_token(Protocol::Two, WRONG), Err(status));
    }
}

/// CP-29, CP-30: while blocked, right and wrong PIN give 0x34 by all three subcommands and both protocols and
/// the counter rests; setPIN, getPINRetries and getKeyAgreement go on as before, and so does the rest.
#[test]
fn blocked_key_counts_nothing_and_serves_the_rest() {
    let mut key = with_pin();
    block(&mut key);
    for protocol in Protocol::BOTH {
        for pin in ["1234", WRONG] {
            assert_eq!(by_all(&mut key, protocol, pin), [PIN_AUTH_BLOCKED; 3]);
            assert_eq!(key.retries(), 5);
        }
        let shared = key.agree(protocol);
        refused(&mut key, &set_pin_request(&shared, &padded("4321")), PIN_AUTH_INVALID);
    }
    still_works(&mut key);
    assert_eq!(key.send(&[command::SELECTION]), [SUCCESS]);
}

/// CP-31: a power cycle lifts the block; nothing else that a client can do does.
#[test]
fn power_cycle_lifts_the_block() {
    let mut key = with_pin();
    block(&mut key);
    key.init();
    let other = key.open_channel();
    key.switch_to(other);
    key.advance(std::time::Duration::from_hours(24));
    assert_eq!(key.pin_token(Protocol::Two, "1234"), Err(PIN_AUTH_BLOCKED));
    key.power_cycle();
    assert!(!power_cycle_needed(&mut key));
    assert_eq!(key.retries(), 5);
    key.pin_token(Protocol::Two, "1234").unwrap();
    assert_eq!(key.retries(), 8);
}

/// CP-32: at zero nothing but a reset helps.
/// CT-CP-retries-exhausted.
#[test]
fn exhausted_retries_are_final_until_reset() {
    let mut key = exhausted();
    for _ in 0..2 {
        for protocol in Protocol::BOTH {
            for pin in ["1234", WRONG] {
                assert_eq!(by_all(&mut key, protocol, pin), [PIN_BLOCKED; 3]);
            }
            let shared = key.agree(protocol);
            refused(&mut key, &set_pin_request(&shared, &padded("4321")), PIN_AUTH_INVALID);
        }
        assert_eq!(key.retries(), 0);
        key.power_cycle();
    }
    still_works(&mut key);
    assert_eq!(key.send(&[command::RESET]), [SUCCESS]);
    assert_eq!(key.retries(), 8);
    key.set_pin("4321");
    key.pin_token(Protocol::Two, "4321").unwrap();
}

/// CP-28: the wrong PIN that uses up the last try gives 0x32, also as the third in a row.
/// CT-CP-retries-block.
#[test]
fn last_try_gives_pin_blocked_also_as_the_third_in_a_row() {
    let mut key = with_pin();
    for round in [2, 3, 2] {
        for _ in 0..round {
            let _ = key.pin_token(Protocol::Two, WRONG);
        }
        key.power_cycle();
    }
    assert_eq!(key.retries(), 1);
    assert_eq!(key.pin_token(Protocol::Two, WRONG), Err(PIN_BLOCKED));
    let mut key = with_pin();
    for round in [2, 3] {
        for _ in 0..round {
            let _ = key.pin_token(Protocol::Two, WRONG);
        }
        key.power_cycle();
    }
    assert_eq!(key.retries(), 3);
    let statuses = [0; 3].map(|_| key.pin_token(Protocol::Two, WRONG).unwrap_err());
    assert_eq!(statuses, [PIN_INVALID, PIN_INVALID, PIN_BLOCKED]);
}

/// CP-33: the counter stays over power cycles.
#[test]
fn counter_survives_power_cycles() {
    let mut key = with_pin();
    for left in [7, 6, 5, 4] {
        assert_eq!(key.pin_token(Protocol::One, WRONG), Err(PIN_INVALID));
        key.power_cycle();
        assert_eq!(key.retries(), left);
    }
}

/// CP-34: after a wrong PIN the old shared secret is worth nothing, even with the right PIN, whose hash does not
/// come out of the decryption any more.
#[test]
fn old_shared_secret_fails_after_a_wrong_pin() {
    for protocol in Protocol::BOTH {
        let mut key = with_pin();
        let shared = key.agree(protocol);
        let wrong = pin_token_request(&shared, WRONG);
        assert_eq!(key.send(&wrong.bytes()), [PIN_INVALID]);
        let right = pin_token_request(&shared, "1234");
        assert_eq!(key.send(&right.bytes()), [PIN_INVALID]);
        assert_eq!(key.retries(), 6);
        key.pin_token(protocol, "1234").unwrap();
    }
}

/// CP-35: both protocols count on one counter and into one row.
#[test]
fn protocols_share_the_retries() {
    let mut key = with_pin();
    assert_eq!(key.pin_token(Protocol::One, WRONG), Err(PIN_INVALID));
    assert_eq!(key.pin_token(Protocol::Two, WRONG), Err(PIN_INVALID));
    assert_eq!(key.retries(), 6);
    assert_eq!(key.pin_token(Protocol::One, WRONG), Err(PIN_AUTH_BLOCKED));
    assert_eq!(key.pin_token(Protocol::Two, "1234"), Err(PIN_AUTH_BLOCKED));
}

/// CP-34: a hash that does not decrypt to a block counts as a wrong PIN.
#[test]
fn pin_hash_that_does_not_decrypt_costs_a_try() {
    for protocol in Protocol::BOTH {
        let mut key = with_pin();
        let shared = key.agree(protocol);
        let good = pin_token_request(&shared, "1234");
        let mut broken = good.member(cp::PIN_HASH_ENC).bytes().to_vec();
        broken.pop();
        assert_eq!(key.send(&good.with(cp::PIN_HASH_ENC, broken).bytes()), [PIN_INVALID]);
        assert_eq!(key.retries(), 7);
    }
}
