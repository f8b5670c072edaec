//! How long a pinUvAuthToken lives.

use std::time::Duration;

use softkey_tests::auth_data::UV;
use softkey_tests::checks::{refused, refused_and_token_kept};
use softkey_tests::pin::{Protocol, Token};
use softkey_tests::platform::Made;
use softkey_tests::platform::permission::{GA, MC};
use softkey_tests::request::command;
use softkey_tests::status::{
    INVALID_PARAMETER, PIN_AUTH_INVALID, PIN_INVALID, PIN_NOT_SET, SUCCESS,
};
use softkey_tests::{Key, Request};

const PIN: &str = "1234";
const RP: &str = "example.com";

/// A key with a credential, a PIN, and a fresh token for it.
fn with_token(protocol: Protocol) -> (Key, Made, Token) {
    let mut key = Key::fresh();
    let made = key.make(&Request::make_credential());
    key.set_pin(PIN);
    let token = key.token(protocol, PIN, MC | GA, Some(RP)).unwrap();
    (key, made, token)
}

/// A use of the token that does not spend it.
fn silent(made: &Made, token: &Token) -> Request {
    made.get().option("up", false).authorized(token)
}

fn alive(key: &mut Key, made: &Made, token: &Token) -> bool {
    let answer = key.send(&silent(made, token).bytes());
    assert!(answer[0] == SUCCESS || answer == [PIN_AUTH_INVALID], "status {:#04x}", answer[0]);
    answer[0] == SUCCESS
}

/// PT-11: a new token voids the one before, of the other protocol too, by whichever subcommand.
#[test]
fn new_token_voids_the_former() {
    for former in Protocol::BOTH {
        for latter in Protocol::BOTH {
            for legacy in [false, true] {
                let (mut key, made, token) = with_token(former);
                let new = if legacy {
                    key.pin_token(latter, PIN).unwrap()
                } else {
                    key.token(latter, PIN, GA, Some(RP)).unwrap()
                };
                refused_and_token_kept(&mut key, &silent(&made, &token), PIN_AUTH_INVALID);
                assert!(alive(&mut key, &made, &new));
            }
        }
    }
}

/// PT-11: a request for a token that fails leaves the former one as it is.
#[test]
fn failed_request_for_a_token_voids_nothing() {
    let (mut key, made, token) = with_token(Protocol::Two);
    assert_eq!(key.pin_token(Protocol::One, "9999"), Err(PIN_INVALID));
    assert_eq!(key.token(Protocol::Two, PIN, 0, Some(RP)), Err(INVALID_PARAMETER));
    assert!(alive(&mut key, &made, &token));
}

/// PT-13: never used, it dies after 30 s.
#[test]
fn unused_token_dies_after_thirty_seconds() {
    for protocol in Protocol::BOTH {
        let (mut key, made, token) = with_token(protocol);
        key.advance(Duration::from_millis(29_900));
        assert!(alive(&mut key, &made, &token));
        let (mut key, made, token) = with_token(protocol);
        key.advance(Duration::from_millis(30_100));
        refused(&mut key, &silent(&made, &token), PIN_AUTH_INVALID);
    }
}

/// PT-13: used in time, it lives for 600 s in all, used again or not.
#[test]
fn used_token_lives_for_six_hundred_seconds() {
    for uses in [1, 5] {
        let (mut key, made, token) = with_token(Protocol::Two);
        for _ in 0..uses {
            key.advance(Duration::from_secs(5));
            assert!(alive(&mut key, &made, &token));
        }
        key.advance(Duration::from_millis(599_900 - 5_000 * uses));
        assert!(alive(&mut key, &made, &token));
        key.advance(Duration::from_millis(200));
        refused(&mut key, &silent(&made, &token), PIN_AUTH_INVALID);
    }
}

/// PT-13: a request that was authorized in time is served though the token dies while the user is asked.
#[test]
fn touch_after_the_token_died_is_in_time() {
    let (mut key, made, token) = with_token(Protocol::Two);
    key.advance(Duration::from_secs(5));
    assert!(alive(&mut key, &made, &token));
    key.advance(Duration::from_secs(585));
    key.user(softkey_tests::User::ApprovesAfter(Duration::from_secs(25)));
    assert!(key.assertion_by(&made, &made.get().authorized(&token)).auth_data.has(UV));
    assert!(!alive(&mut key, &made, &token));
}

/// PT-14: a power cycle voids it.
#[test]
fn token_dies_with_the_power() {
    for protocol in Protocol::BOTH {
        let (mut key, made, token) = with_token(protocol);
        key.power_cycle();
        refused(&mut key, &silent(&made, &token), PIN_AUTH_INVALID);
    }
}

/// RS-08: a reset voids it, and without a PIN a param is answered 0x35.
#[test]
fn token_dies_with_a_reset() {
    let (mut key, _, token) = with_token(Protocol::Two);
    assert_eq!(key.send(&[command::RESET]), [SUCCESS]);
    refused(&mut key, &Request::make_credential().authorized(&token), PIN_NOT_SET);
    key.set_pin(PIN);
    refused(&mut key, &Request::make_credential().authorized(&token), PIN_AUTH_INVALID);
}

/// PT-11: a token belongs to the key, not to the channel that asked for it.
#[test]
fn token_serves_any_channel() {
    let (mut key, made, token) = with_token(Protocol::Two);
    let other = key.open_channel();
    key.switch_to(other);
    assert!(alive(&mut key, &made, &token));
}
