//! The order of checks in the subcommands that set a PIN or give a token: of two faults the first in the standard's
//! steps is answered.

use softkey_tests::key::{Profile, Sensor, Setup, times};
use softkey_tests::pin::{Protocol, padded};
use softkey_tests::platform::permission::{ACFG, BE, GA};
use softkey_tests::platform::{
    change_pin_request, pin_token_request, set_pin_request, token_request,
};
use softkey_tests::request::cp;
use softkey_tests::status::{
    INVALID_PARAMETER, MISSING_PARAMETER, NOT_ALLOWED, PIN_AUTH_BLOCKED, PIN_AUTH_INVALID,
    PIN_BLOCKED, PIN_INVALID, PIN_NOT_SET, SUCCESS, UNAUTHORIZED_PERMISSION, UV_BLOCKED,
    UV_INVALID,
};
use softkey_tests::{Key, Request, User};

const PIN: &str = "1234";
const RP: &str = "example.com";

/// What is wrong with a request: its name, the status for it, and the change.
type Fault = (&'static str, u8, fn(Request) -> Request);

const UNKNOWN_PROTOCOL: Fault =
    ("unknown protocol", INVALID_PARAMETER, |request| request.with(cp::PROTOCOL, 3));
const NO_PIN_HASH: Fault =
    ("no pinHashEnc", MISSING_PARAMETER, |request| request.without(cp::PIN_HASH_ENC));
const NO_PLATFORM_KEY: Fault =
    ("no platform key", MISSING_PARAMETER, |request| request.without(cp::KEY_AGREEMENT));
/// Only mc and ga need one.
const NO_RP_ID: Fault = ("no rpId", MISSING_PARAMETER, |request| {
    request.with(cp::PERMISSIONS, GA | BE | ACFG).without(cp::RP_ID)
});
const NO_PERMISSIONS: Fault =
    ("no permissions", INVALID_PARAMETER, |request| request.with(cp::PERMISSIONS, 0));
const OFF_CURVE: Fault = ("platform key off the curve", INVALID_PARAMETER, |request| {
    let mut y = request.member(cp::KEY_AGREEMENT).get(-3).bytes().to_vec();
    y[31] ^= 1;
    let key = request.member(cp::KEY_AGREEMENT).clone().with(-3, y);
    request.with(cp::KEY_AGREEMENT, key)
});
const WRONG_PARAM: Fault =
    ("wrong param", PIN_AUTH_INVALID, |request| request.with(cp::PARAM, [7; 32]));
const WRONG_PIN: Fault =
    ("wrong PIN", PIN_INVALID, |request| request.with(cp::PIN_HASH_ENC, [7; 32]));

/// A state of the key that is a fault by itself, or none: its status, and how such a key comes about.
type State = (u8, fn() -> Key);

/// Each of two faults in one request, and the key's state between those found before it and those found after it. The
/// key is a new one each time.
#[track_caller]
fn in_order(
    (state, new): State,
    request: fn(&mut Key) -> Request,
    before: &[Fault],
    after: &[Fault],
) {
    let send = |faults: &[&Fault]| {
        let mut key = new();
        let good = request(&mut key);
        let prompts = key.prompts();
        // The later fault first, so that the earlier one is whole where both change the same member.
        let bad = faults.iter().rev().fold(good, |request, (_, _, change)| change(request));
        (key.status(&bad), key.prompts() - prompts)
    };
    assert_eq!(send(&[]).0, state, "without a fault of the request");
    let all: Vec<&Fault> = before.iter().chain(after).collect();
    for (place, first) in all.iter().enumerate() {
        let own = place < before.len() || state == SUCCESS;
        let expected = (if own { first.1 } else { state }, 0);
        assert_eq!(send(&[first]), expected, "{}", first.0);
        // On a board each fault with the one that comes next; the steps between follow from that.
        for second in all[place + 1..].iter().take(times(all.len(), 1)) {
            assert_eq!(send(&[first, second]), expected, "{} and {}", first.0, second.0);
        }
    }
}

fn with_pin() -> Key {
    let mut key = Key::fresh();
    key.set_pin(PIN);
    key
}

fn latched() -> Key {
    let mut key = with_pin();
    for status in [PIN_INVALID, PIN_INVALID, PIN_AUTH_BLOCKED] {
        assert_eq!(key.pin_token(Protocol::Two, "9999"), Err(status));
    }
    key
}

fn blocked() -> Key {
    let mut key = with_pin();
    for _ in 0..8 {
        match key.pin_token(Protocol::Two, "9999") {
            Err(PIN_BLOCKED) => return key,
            Err(PIN_AUTH_BLOCKED) => key.power_cycle(),
            other => assert_eq!(other, Err(PIN_INVALID)),
        }
    }
    panic!("more than eight tries");
}

/// Where a PIN is asked for: it is right, there is none, none is left, or no more is taken until a power cycle.
const PIN_STATES: [State; 4] = [
    (SUCCESS, with_pin),
    (PIN_NOT_SET, Key::fresh),
    (PIN_BLOCKED, blocked),
    (PIN_AUTH_BLOCKED, latched),
];

/// CP-06, CP-08, CP-16, CP-17: setPIN, step by step.
#[test]
fn set_pin_is_checked_in_order() {
    let request = |key: &mut Key| set_pin_request(&key.agree(Protocol::Two), &padded(PIN));
    let missing: Fault =
        ("no newPinEnc", MISSING_PARAMETER, |request| request.without(cp::NEW_PIN_ENC));
    for state in [(SUCCESS, Key::fresh as fn() -> Key), (PIN_AUTH_INVALID, with_pin)] {
        in_order(state, request, &[missing, UNKNOWN_PROTOCOL], &[OFF_CURVE, WRONG_PARAM]);
    }
    // A PIN that breaks the rules is found out last: only who shares the secret learns of them.
    let short = |key: &mut Key| {
        let request = set_pin_request(&key.agree(Protocol::Two), &padded("1"));
        request.with(cp::PARAM, [7; 32])
    };
    in_order((PIN_AUTH_INVALID, Key::fresh), short, &[missing, UNKNOWN_PROTOCOL, OFF_CURVE], &[]);
}

/// CP-06, CP-19, CP-22, CP-30, CP-32: changePIN, step by step.
#[test]
fn change_pin_is_checked_in_order() {
    let request = |key: &mut Key| {
        let shared = key.agree(Protocol::Two);
        change_pin_request(&shared, PIN, &padded("4321"))
    };
    for state in PIN_STATES {
        let before = [NO_PIN_HASH, UNKNOWN_PROTOCOL];
        in_order(state, request, &before, &[OFF_CURVE, WRONG_PARAM]);
    }
    // The new PIN is looked at only after the old one.
    let wrong_and_short =
        |key: &mut Key| change_pin_request(&key.agree(Protocol::Two), "9999", &padded("1"));
    let before = [NO_PIN_HASH, UNKNOWN_PROTOCOL, OFF_CURVE, WRONG_PARAM];
    in_order((PIN_INVALID, with_pin), wrong_and_short, &before, &[]);
}

/// PT-02, PT-04, CP-30, CP-32: getPinToken, step by step.
#[test]
fn pin_token_is_checked_in_order() {
    let request = |key: &mut Key| pin_token_request(&key.agree(Protocol::Two), PIN);
    let unexpected: Fault =
        ("permissions", INVALID_PARAMETER, |request| request.with(cp::PERMISSIONS, GA));
    for state in PIN_STATES {
        let before = [NO_PIN_HASH, UNKNOWN_PROTOCOL, unexpected];
        in_order(state, request, &before, &[OFF_CURVE, WRONG_PIN]);
    }
}

/// PT-04, PT-06, PT-07, PT-08, CP-30, CP-32: getPinUvAuthTokenUsingPinWithPermissions, step by step.
#[test]
fn token_using_pin_is_checked_in_order() {
    let request = |key: &mut Key| token_request(&key.agree(Protocol::Two), PIN, GA, Some(RP));
    let unauthorized: Fault =
        ("be", UNAUTHORIZED_PERMISSION, |request| request.with(cp::PERMISSIONS, BE));
    for state in PIN_STATES {
        let before = [NO_PIN_HASH, NO_RP_ID, UNKNOWN_PROTOCOL, NO_PERMISSIONS, unauthorized];
        in_order(state, request, &before, &[OFF_CURVE, WRONG_PIN]);
    }
}

fn with_sensor() -> Key {
    let sensor = Sensor { max_retries: 3, tries_per_request: 1, shows_presence: true };
    Key::new(Setup { sensor: Some(sensor), ..Setup::default() })
}

fn token_by_verification(key: &mut Key) -> Request {
    let shared = key.agree(Protocol::Two);
    Request::client_pin(cp::GET_TOKEN_USING_UV)
        .with(cp::PROTOCOL, 2)
        .with(cp::KEY_AGREEMENT, &shared.platform_key)
        .with(cp::PERMISSIONS, GA)
        .with(cp::RP_ID, RP)
}

fn sensor_blocked() -> Key {
    let mut key = with_sensor();
    key.user(User::FailsVerification);
    for expected in [UV_INVALID, UV_INVALID, UV_BLOCKED] {
        let request = token_by_verification(&mut key);
        assert_eq!(key.status(&request), expected);
    }
    key
}

/// PT-06, PT-07, PT-08: getPinUvAuthTokenUsingUvWithPermissions, step by step; the user is asked last.
#[test]
fn token_using_uv_is_checked_in_order() {
    let unauthorized: Fault =
        ("acfg", UNAUTHORIZED_PERMISSION, |request| request.with(cp::PERMISSIONS, ACFG));
    let before = [NO_PLATFORM_KEY, NO_RP_ID, UNKNOWN_PROTOCOL, NO_PERMISSIONS, unauthorized];
    let no_finger = || Key::with_profile(Profile::Fingerprint);
    for state in [
        (SUCCESS, with_sensor as fn() -> Key),
        (NOT_ALLOWED, no_finger),
        (UV_BLOCKED, sensor_blocked),
    ] {
        in_order(state, token_by_verification, &before, &[OFF_CURVE]);
    }
}
