//! What an enrolled finger is good for.

use softkey_tests::auth_data::{UP, UV};
use softkey_tests::cbor::Value;
use softkey_tests::checks::refused;
use softkey_tests::key::{Profile, SAMPLES};
use softkey_tests::pin::{Protocol, Token};
use softkey_tests::platform::permission::{BE, GA, MC};
use softkey_tests::request::{cf, cp};
use softkey_tests::status::{
    INVALID_OPTION, NOT_ALLOWED, PUAT_REQUIRED, SUCCESS, UNAUTHORIZED_PERMISSION, UV_BLOCKED,
    UV_INVALID,
};
use softkey_tests::{Key, Request, User};

use super::{PIN, be_token, begun, enroll, remove, sampled, with_pin};

const RP: &str = "example.com";

/// getPinUvAuthTokenUsingUvWithPermissions.
fn token(key: &mut Key, permissions: i64) -> Result<Token, u8> {
    key.token_by_uv(Protocol::Two, permissions, Some(RP))
}

fn uv_retries(key: &mut Key) -> u64 {
    key.ok(&Request::client_pin(cp::GET_UV_RETRIES)).get(5).uint()
}

/// BE-02, BE-18, MC-31, GA-16: without a finger there is nothing to verify by: the option uv, the token and alwaysUv.
#[test]
fn without_a_finger_nobody_is_verified() {
    let mut key = Key::with_profile(Profile::Fingerprint);
    let info = key.info();
    assert_eq!((info.option("bioEnroll"), info.option("uv")), (Some(false), Some(false)));
    assert_eq!(info.0.get(0x12), &Value::from(2));
    refused(&mut key, &Request::make_credential().option("uv", true), INVALID_OPTION);
    refused(&mut key, &Request::get_assertion(RP).option("uv", true), INVALID_OPTION);
    let prompts = key.prompts();
    assert_eq!(token(&mut key, MC | GA), Err(NOT_ALLOWED));
    assert_eq!(token(&mut key, BE), Err(UNAUTHORIZED_PERMISSION), "uvBioEnroll is not there");
    assert_eq!(uv_retries(&mut key), 5);
    assert_eq!(key.prompts(), prompts, "no finger was asked for");
    key.make(&Request::make_credential().discoverable());
    assert_eq!(key.status(&Request::config(cf::TOGGLE_ALWAYS_UV)), SUCCESS);
    assert_eq!(key.status(&Request::make_credential()), PUAT_REQUIRED);
}

/// BE-18: that no finger is enrolled is said before that the sensor is blocked.
#[test]
fn missing_finger_is_found_before_a_blocked_sensor() {
    let mut key = with_pin();
    let enrolling = be_token(&mut key);
    let id = enroll(&mut key, &enrolling, 7);
    key.user(User::Finger(8));
    for left in (1..5).rev() {
        assert_eq!(token(&mut key, GA), Err(UV_INVALID));
        assert_eq!(uv_retries(&mut key), left);
    }
    assert_eq!(token(&mut key, GA), Err(UV_BLOCKED));
    assert_eq!(key.send(&remove(&enrolling, &id).bytes()), [SUCCESS]);
    assert_eq!(uv_retries(&mut key), 0);
    assert_eq!(token(&mut key, GA), Err(NOT_ALLOWED));
}

/// BE-18: the enrolled finger verifies and shows presence, by option and by token; another one fails and is counted.
#[test]
fn enrolled_finger_verifies() {
    let mut key = with_pin();
    let enrolling = be_token(&mut key);
    enroll(&mut key, &enrolling, 7);
    assert_eq!(key.info().option("uv"), Some(true));
    key.user(User::Finger(7));
    let prompts = key.prompts();
    let made = key.make(&Request::make_credential().discoverable().option("uv", true));
    assert!(made.auth_data.has(UP | UV));
    assert_eq!(key.prompts(), prompts + 1, "the finger is the touch");
    let granted = token(&mut key, GA).unwrap();
    let assertion = key.assertion_by(&made, &made.get().authorized(&granted));
    assert_eq!(assertion.auth_data.flags, UP | UV);
    assert_eq!(key.prompts(), prompts + 2);
    for wrong in [User::Finger(8), User::Smudges(7)] {
        key.user(wrong);
        let before = uv_retries(&mut key);
        assert_eq!(token(&mut key, GA), Err(UV_INVALID));
        assert_eq!(uv_retries(&mut key), before - 1);
        assert_eq!(key.status(&made.get().option("uv", true)), PUAT_REQUIRED);
        key.user(User::Finger(7));
        token(&mut key, GA).unwrap();
        assert_eq!(uv_retries(&mut key), 5);
    }
}

/// BE-17: a finger that was removed verifies nobody; the others do, over a power cycle too.
#[test]
fn removed_finger_does_not_verify() {
    let mut key = with_pin();
    let enrolling = be_token(&mut key);
    let gone = enroll(&mut key, &enrolling, 1);
    enroll(&mut key, &enrolling, 2);
    assert_eq!(key.status(&remove(&enrolling, &gone)), SUCCESS);
    for _ in 0..2 {
        key.user(User::Finger(1));
        assert_eq!(token(&mut key, GA), Err(UV_INVALID));
        key.user(User::Finger(2));
        token(&mut key, GA).unwrap();
        key.power_cycle();
    }
}

/// BE-18, GA-19: with alwaysUv on, a finger verifies by itself.
#[test]
fn finger_verifies_where_verification_is_always_asked_for() {
    let mut key = with_pin();
    let enrolling = be_token(&mut key);
    enroll(&mut key, &enrolling, 1);
    let acfg = softkey_tests::platform::permission::ACFG;
    let config = key.token(Protocol::Two, PIN, acfg, None).unwrap();
    assert_eq!(key.status(&Request::config(cf::TOGGLE_ALWAYS_UV).managed(&config)), SUCCESS);
    let made = key.make(&Request::make_credential());
    assert!(made.auth_data.has(UP | UV));
    key.user(User::Finger(9));
    assert_eq!(key.status(&Request::make_credential()), PUAT_REQUIRED);
}

/// BE-20, PT-08: a finger's token enrolls only where getInfo says so.
#[test]
fn finger_enrolls_another_where_it_may() {
    let mut key = with_pin();
    let enrolling = be_token(&mut key);
    enroll(&mut key, &enrolling, 1);
    assert_eq!(key.info().option("uvBioEnroll"), None);
    assert_eq!(token(&mut key, BE), Err(UNAUTHORIZED_PERMISSION));

    let mut key = Key::with_profile(Profile::FingerprintPreview);
    key.set_pin(PIN);
    let enrolling = be_token(&mut key);
    enroll(&mut key, &enrolling, 1);
    assert_eq!(key.info().option("uvBioEnroll"), Some(true));
    let enrolling = token(&mut key, BE).unwrap();
    key.user(User::Finger(2));
    let id = begun(&mut key, &enrolling);
    for remaining in (0..u64::from(SAMPLES) - 1).rev() {
        assert_eq!(sampled(&mut key, &enrolling, &id), (0, remaining));
    }
    token(&mut key, GA).unwrap();
}
