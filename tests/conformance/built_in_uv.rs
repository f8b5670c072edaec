//! Built-in user verification: a key with a fingerprint sensor (MC-31, GA-16, PT-15, PT-17 and their kin).

use std::time::Duration;

use softkey_tests::auth_data::{UP, UV};
use softkey_tests::cbor::{Value, array};
use softkey_tests::checks::refused;
use softkey_tests::key::{Sensor, Setup};
use softkey_tests::pin::{Protocol, Token};
use softkey_tests::platform::permission::{GA, MC};
use softkey_tests::request::{command, cp, descriptor, mc};
use softkey_tests::status::{
    CREDENTIAL_EXCLUDED, INVALID_PARAMETER, KEEPALIVE_CANCEL, MISSING_PARAMETER, OPERATION_DENIED,
    PIN_AUTH_INVALID, PUAT_REQUIRED, SUCCESS, USER_ACTION_TIMEOUT, UV_BLOCKED, UV_INVALID,
};
use softkey_tests::{Key, Request, User};

const RP: &str = "example.com";

fn with_sensor(shows_presence: bool) -> Key {
    let sensor = Sensor { max_retries: 5, tries_per_request: 1, shows_presence };
    Key::new(Setup { sensor: Some(sensor), ..Setup::default() })
}

fn uv_retries(key: &mut Key) -> u64 {
    let answer = key.ok(&Request::client_pin(cp::GET_UV_RETRIES));
    assert_eq!(answer.keys(), [Value::from(5)], "members of getUVRetries' answer");
    answer.get(5).uint()
}

/// getPinUvAuthTokenUsingUvWithPermissions.
fn token(key: &mut Key, protocol: Protocol, permissions: i64) -> Result<Token, u8> {
    key.token_by_uv(protocol, permissions, Some(RP))
}

/// GI-04, GI-18: getInfo says that the sensor is there and ready, and what it is.
#[test]
fn get_info_tells_of_the_sensor() {
    let info = with_sensor(true).info();
    assert_eq!(info.option("uv"), Some(true));
    assert_eq!(info.0.get(0x12).uint(), 2, "uvModality: a fingerprint");
    assert!(info.0.at(0x11).is_none_or(|attempts| attempts.uint() > 0));
    assert_eq!(info.option("pinUvAuthToken"), Some(true));
}

/// GI-18: uvCountSinceLastPinEntry counts each attempt, failed or not, over power cycles; the right PIN ends the
/// count, and so does a reset.
#[test]
fn attempts_since_the_last_pin_are_counted() {
    let mut key = with_sensor(true);
    let count = |key: &mut Key| key.info().0.get(0x17).uint();
    assert_eq!(count(&mut key), 0);
    key.set_pin("1234");
    token(&mut key, Protocol::Two, GA).unwrap();
    key.user(User::FailsVerification);
    assert_eq!(token(&mut key, Protocol::Two, GA), Err(UV_INVALID));
    assert_eq!(count(&mut key), 2);
    key.user(User::Approves);
    key.power_cycle();
    key.make(&Request::make_credential().option("uv", true));
    assert_eq!(count(&mut key), 3);
    assert_eq!(key.pin_token(Protocol::Two, "4321"), Err(softkey_tests::status::PIN_INVALID));
    assert_eq!(count(&mut key), 3, "a wrong PIN ends nothing");
    key.pin_token(Protocol::Two, "1234").unwrap();
    assert_eq!(count(&mut key), 0);
    token(&mut key, Protocol::Two, GA).unwrap();
    key.power_cycle();
    assert_eq!(key.send(&[command::RESET]), [SUCCESS]);
    assert_eq!(count(&mut key), 0);
}

/// MC-31, GA-16: the option uv verifies the user: UV is set, and a gesture that shows presence is the touch.
/// CT-MC-Req-6-uv, CT-GA-Req-2-uv.
#[test]
fn option_uv_verifies_the_user() {
    for (shows_presence, asked) in [(true, 1), (false, 2)] {
        let mut key = with_sensor(shows_presence);
        let made = key.make(&Request::make_credential().discoverable().option("uv", true));
        assert!(made.auth_data.has(UP | UV));
        assert_eq!(key.prompts(), asked);
        let assertion = key.assertion_by(&made, &made.get().option("uv", true));
        assert_eq!(assertion.auth_data.flags, UP | UV);
        assert_eq!(key.prompts(), 2 * asked);
        let without = key.assertion_by(&made, &made.get());
        assert_eq!(without.auth_data.flags, UP);
    }
}

/// MC-38: a key that can verify its user is protected without a PIN: a discoverable credential needs it.
#[test]
fn discoverable_credential_needs_verification() {
    refused(&mut with_sensor(true), &Request::make_credential().discoverable(), OPERATION_DENIED);
    let mut key = with_sensor(true);
    key.set_pin("1234");
    refused(&mut key, &Request::make_credential().discoverable(), PUAT_REQUIRED);
}

/// GA-14: verified silently: UP stays clear unless the gesture shows presence.
#[test]
fn silent_verified_assertion_tells_what_was_shown() {
    for shows_presence in [false, true] {
        let mut key = with_sensor(shows_presence);
        let made = key.make(&Request::make_credential());
        let asked = key.prompts();
        let request = made.get().option("up", false).option("uv", true);
        let assertion = key.assertion_by(&made, &request);
        let shown = if shows_presence { UP } else { 0 };
        assert_eq!(assertion.auth_data.flags, UV | shown);
        assert_eq!(key.prompts(), asked + 1, "for the finger, not for a touch");
    }
}

/// PT-17: a token by the sensor serves as one by the PIN does, under both protocols.
#[test]
fn token_by_verification_serves() {
    for protocol in Protocol::BOTH {
        let mut key = with_sensor(true);
        let token = token(&mut key, protocol, MC | GA).unwrap();
        assert_eq!(token.bytes().len(), 32);
        let made = key.make(&Request::make_credential().discoverable().authorized(&token));
        assert!(made.auth_data.has(UP | UV));
        let again = Request::make_credential().discoverable().authorized(&token);
        refused(&mut key, &again, PIN_AUTH_INVALID);
    }
}

/// PT-15, MC-48: presence that the gesture showed serves one request without a further touch, for 30 s.
#[test]
fn presence_in_the_token_serves_for_thirty_seconds() {
    for (wait, asked) in [(29_900, 0), (30_100, 1)] {
        let mut key = with_sensor(true);
        let made = key.make(&Request::make_credential());
        let token = token(&mut key, Protocol::Two, GA).unwrap();
        // A silent use keeps the token alive beyond its first 30 s.
        key.assertion_by(&made, &made.get().option("up", false).authorized(&token));
        key.advance(Duration::from_millis(wait));
        let before = key.prompts();
        let assertion = key.assertion_by(&made, &made.get().authorized(&token));
        assert_eq!(assertion.auth_data.flags, UP | UV);
        assert_eq!(key.prompts(), before + asked, "after {wait} ms");
    }
}

/// MC-21, MC-48: where the token carries presence, an excluded credential is refused without a further touch, and the
/// presence is still there for another request.
#[test]
fn presence_in_the_token_serves_for_an_excluded_credential() {
    let mut key = with_sensor(true);
    let made = key.make(&Request::make_credential());
    let token = token(&mut key, Protocol::Two, MC).unwrap();
    let asked = key.prompts();
    let request = Request::make_credential();
    let excluding = request.clone().with(mc::EXCLUDE_LIST, array([descriptor(made.id())]));
    assert_eq!(key.status(&excluding.authorized(&token)), CREDENTIAL_EXCLUDED);
    key.make(&request.authorized(&token));
    assert_eq!(key.prompts(), asked);
}

/// PT-15: a gesture that shows no presence leaves the touch to be asked for.
#[test]
fn token_without_presence_asks_for_touch() {
    let mut key = with_sensor(false);
    let made = key.make(&Request::make_credential());
    let token = token(&mut key, Protocol::Two, GA).unwrap();
    let asked = key.prompts();
    key.assertion_by(&made, &made.get().authorized(&token));
    assert_eq!(key.prompts(), asked + 1);
}

/// PT-06, PT-07: what the subcommand needs.
#[test]
fn missing_members_are_refused() {
    let mut key = with_sensor(true);
    let shared = key.agree(Protocol::Two);
    let good = Request::client_pin(cp::GET_TOKEN_USING_UV)
        .with(cp::PROTOCOL, 2)
        .with(cp::KEY_AGREEMENT, &shared.platform_key)
        .with(cp::PERMISSIONS, GA)
        .with(cp::RP_ID, RP);
    for member in [cp::PROTOCOL, cp::KEY_AGREEMENT, cp::PERMISSIONS, cp::RP_ID] {
        refused(&mut key, &good.clone().without(member), MISSING_PARAMETER);
    }
    refused(&mut key, &good.clone().with(cp::PROTOCOL, 3), INVALID_PARAMETER);
    refused(&mut key, &good.clone().with(cp::PERMISSIONS, 0), INVALID_PARAMETER);
    refused(&mut key, &good.with(cp::PERMISSIONS, 0x80), INVALID_PARAMETER);
}

/// PT-17: a failure costs one of the tries and 0x3F; the last one blocks with 0x3C; success restores them.
#[test]
fn failures_are_counted_and_block() {
    let mut key = with_sensor(true);
    assert_eq!(uv_retries(&mut key), 5);
    key.user(User::FailsVerification);
    assert_eq!(token(&mut key, Protocol::Two, GA), Err(UV_INVALID));
    assert_eq!(uv_retries(&mut key), 4);
    key.user(User::Approves);
    token(&mut key, Protocol::Two, GA).unwrap();
    assert_eq!(uv_retries(&mut key), 5);
    key.user(User::FailsVerification);
    for left in [4, 3, 2, 1] {
        assert_eq!(token(&mut key, Protocol::Two, GA), Err(UV_INVALID));
        assert_eq!(uv_retries(&mut key), left);
    }
    assert_eq!(token(&mut key, Protocol::Two, GA), Err(UV_BLOCKED));
    assert_eq!(uv_retries(&mut key), 0);
    key.user(User::Approves);
    let asked = key.prompts();
    assert_eq!(token(&mut key, Protocol::Two, GA), Err(UV_BLOCKED));
    key.power_cycle();
    assert_eq!((uv_retries(&mut key), token(&mut key, Protocol::Two, GA)), (0, Err(UV_BLOCKED)));
    assert_eq!(key.prompts(), asked, "blocked is blocked, whoever touches");
}

/// CP-26, PT-17: the right PIN gives the tries of the sensor back, and so does a reset.
#[test]
fn right_pin_and_reset_restore_the_tries() {
    let mut key = with_sensor(true);
    key.set_pin("1234");
    key.user(User::FailsVerification);
    for status in [UV_INVALID, UV_INVALID, UV_INVALID, UV_INVALID, UV_BLOCKED] {
        assert_eq!(token(&mut key, Protocol::Two, GA), Err(status));
    }
    assert_eq!(uv_retries(&mut key), 0);
    key.user(User::Approves);
    key.pin_token(Protocol::Two, "1234").unwrap();
    assert_eq!(uv_retries(&mut key), 5);
    key.user(User::FailsVerification);
    assert_eq!(token(&mut key, Protocol::Two, GA), Err(UV_INVALID));
    key.user(User::Approves);
    assert_eq!(key.send(&[command::RESET]), [SUCCESS]);
    assert_eq!(uv_retries(&mut key), 5);
}

/// PT-17: once the PIN is exhausted the sensor is blocked with it, unasked, whatever tries it had, for a token and for
/// the option uv; only a reset helps.
#[test]
fn exhausted_pin_blocks_the_sensor() {
    let exhausted = || {
        let mut key = with_sensor(true);
        key.set_pin("1234");
        for left in (0..8).rev() {
            key.pin_token(Protocol::Two, "4321").unwrap_err();
            assert_eq!(key.retries(), left);
            if left % 3 == 2 {
                key.power_cycle();
            }
        }
        assert_eq!(uv_retries(&mut key), 5);
        key
    };
    let option = Request::make_credential().option("uv", true);
    for by_token in [true, false] {
        let mut key = exhausted();
        let asked = key.prompts();
        if by_token {
            assert_eq!(token(&mut key, Protocol::Two, GA), Err(UV_BLOCKED));
        } else {
            assert_eq!(key.send(&option.bytes()), [PUAT_REQUIRED]);
        }
        assert_eq!(key.prompts(), asked, "nobody is asked for a finger");
        key.power_cycle();
        assert_eq!(uv_retries(&mut key), 0);
        assert_eq!(key.send(&[command::RESET]), [SUCCESS]);
        token(&mut key, Protocol::Two, GA).unwrap();
    }
}

/// MC-31: a failed verification makes nothing: 0x36 if a PIN could help, else 0x27.
#[test]
fn failed_verification_makes_nothing() {
    for (pin, status) in [(false, OPERATION_DENIED), (true, PUAT_REQUIRED)] {
        let mut key = with_sensor(true);
        if pin {
            key.set_pin("1234");
        }
        key.user(User::FailsVerification);
        let request = Request::make_credential().discoverable().option("uv", true);
        assert_eq!(key.send(&request.bytes()), [status]);
        key.user(User::Approves);
        softkey_tests::checks::no_account(&mut key, RP);
    }
}

/// PT-17: nobody comes to the sensor, and the client cancels.
#[test]
fn verification_ends_by_timeout_and_cancel() {
    let mut key = with_sensor(true);
    key.user(User::StaysAway);
    assert_eq!(token(&mut key, Protocol::Two, GA), Err(USER_ACTION_TIMEOUT));
    let request = Request::make_credential().option("uv", true);
    assert_eq!(key.send(&request.bytes()), [USER_ACTION_TIMEOUT]);
    key.post(&request.bytes());
    assert_eq!(key.cancel(), Some(vec![KEEPALIVE_CANCEL]));
}

/// MC-36, GA-15: presence that a token carries serves requests made with the token. One without it, from
/// whomever, asks for its own touch.
#[test]
fn presence_in_a_token_serves_no_request_without_it() {
    let mut key = with_sensor(true);
    let made = key.make(&Request::make_credential());
    token(&mut key, Protocol::Two, MC | GA).unwrap();
    let other = key.open_channel();
    key.switch_to(other);
    let elsewhere = Request::make_credential_for("other.example", &[1]);
    let excluding = Request::make_credential().listing(&[made.id()]);
    let all = [
        (made.get(), OPERATION_DENIED),
        (elsewhere, OPERATION_DENIED),
        // That it is excluded is told after the touch, whatever the user does.
        (excluding, CREDENTIAL_EXCLUDED),
    ];
    for (request, status) in all {
        key.user(User::Refuses);
        let asked = key.prompts();
        let answer = key.send(&request.bytes());
        assert_eq!(key.prompts(), asked + 1, "{request:?}");
        assert_eq!(answer, [status], "{request:?}");
    }
}

/// GA-14: a silent assertion spends no token, although the gesture that verified its user showed presence; one that is not
/// silent does.
#[test]
fn silent_assertion_spends_no_token() {
    for (up, status) in [(false, SUCCESS), (true, PIN_AUTH_INVALID)] {
        let mut key = with_sensor(true);
        let made = key.make(&Request::make_credential());
        let token = token(&mut key, Protocol::Two, GA).unwrap();
        let other = key.open_channel();
        let own = key.channel();
        key.switch_to(other);
        let assertion = made.get().option("uv", true).option("up", up);
        assert!(key.assertion_by(&made, &assertion).auth_data.has(UP | UV));
        key.switch_to(own);
        assert_eq!(key.status(&made.get().authorized(&token)), status, "up {up}");
    }
}

/// PT-17: the option uv gives the user as many tries as one request may; a token by the sensor gives more than
/// one only where getInfo leaves no further attempts to the platform.
#[test]
fn tries_within_one_request_are_counted() {
    let sensor = Sensor { max_retries: 8, tries_per_request: 3, shows_presence: true };
    let mut key = Key::new(Setup { sensor: Some(sensor), ..Setup::default() });
    let attempts = key.info().0.at(0x11).map(Value::uint);
    key.user(User::FailsVerification);
    let asked = key.prompts();
    let request = Request::make_credential().option("uv", true);
    assert_eq!(key.send(&request.bytes()), [OPERATION_DENIED]);
    assert_eq!((key.prompts(), uv_retries(&mut key)), (asked + 3, 5));
    assert_eq!(token(&mut key, Protocol::Two, GA), Err(UV_INVALID));
    let tries = if attempts == Some(1) { 3 } else { 1 };
    assert_eq!(uv_retries(&mut key), 5 - tries);
}

/// PT-17: a sensor that a used key gets later has all its tries, those of its own kind, PIN or no PIN; and the
/// tries spent on it are not given back by a power cycle without it.
#[test]
fn sensor_fitted_later_has_its_tries() {
    let sensor = Sensor { max_retries: 5, tries_per_request: 1, shows_presence: true };
    for pin in [false, true] {
        let mut key = Key::fresh();
        if pin {
            key.set_pin("1234");
            key.pin_token(Protocol::Two, "1234").unwrap();
        }
        key.fit(Some(sensor));
        key.power_cycle();
        assert_eq!(uv_retries(&mut key), 5);
        token(&mut key, Protocol::Two, GA).unwrap();
        key.user(User::FailsVerification);
        assert_eq!(token(&mut key, Protocol::Two, GA), Err(UV_INVALID));
        key.fit(None);
        key.power_cycle();
        key.fit(Some(sensor));
        key.power_cycle();
        assert_eq!(uv_retries(&mut key), 4);
    }
}
