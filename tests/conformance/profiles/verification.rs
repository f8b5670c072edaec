//! Keys that verify their users in another way than the default, or not at all.

use softkey_tests::auth_data::UV;
use softkey_tests::checks::succeeds;
use softkey_tests::key::{Profile, Sensor, Setup};
use softkey_tests::pin::Protocol;
use softkey_tests::platform::permission::{ACFG, CM, GA, LBW, MC};
use softkey_tests::request::cp;
use softkey_tests::status::{
    INVALID_COMMAND, INVALID_PARAMETER, INVALID_SUBCOMMAND, PIN_NOT_SET, PUAT_REQUIRED,
    UNAUTHORIZED_PERMISSION,
};
use softkey_tests::{Key, Request};

const PIN: &str = "739164";

const SENSOR: Sensor = Sensor { max_retries: 5, tries_per_request: 3, shows_presence: true };

/// GI-02, GI-05: a key that can verify nobody offers nothing that wants it, and claims no level that demands it.
#[test]
fn key_without_a_pin_offers_nothing_that_needs_one() {
    let mut key = Key::with_profile(Profile::NoPin);
    let info = key.info();
    assert_eq!(info.texts(1), ["U2F_V2", "FIDO_2_0"]);
    for absent in ["clientPin", "pinUvAuthToken", "credMgmt", "alwaysUv", "setMinPINLength"] {
        assert_eq!(info.option(absent), None, "{absent}");
    }
    for absent in [0x0C, 0x0D, 0x10, 0x1D] {
        assert!(info.0.at(absent).is_none(), "{absent:#x}");
    }
    for command in [0x0A, 0x41] {
        assert_eq!(key.status(&Request::bare(command)), INVALID_COMMAND);
    }
    key.make(&Request::make_credential().discoverable());
    assert_eq!(key.status(&Request::make_credential().with_param(&[1; 32], 2)), PIN_NOT_SET);
    let toggle = key.status(&Request::config(2));
    assert_eq!(toggle, INVALID_PARAMETER, "alwaysUv would lock its user out");
}

/// CP-07: without a PIN clientPIN is there for the key agreement of hmac-secret alone; without that, not at all.
#[test]
fn key_without_a_pin_agrees_on_keys_for_hmac_secret() {
    let mut key = Key::with_profile(Profile::NoPin);
    key.key_agreement(Protocol::Two);
    for subcommand in [1, cp::SET_PIN, cp::CHANGE_PIN, cp::GET_PIN_TOKEN, 6, 7, 9] {
        let status = key.status(&Request::client_pin(subcommand));
        assert_eq!(status, INVALID_SUBCOMMAND, "{subcommand}");
    }
}

/// GI-05: a key with a sensor and no PIN has tokens by the sensor.
#[test]
fn key_with_a_sensor_and_no_pin_has_tokens() {
    let setup = Setup { profile: Profile::NoPin, sensor: Some(SENSOR), ..Setup::default() };
    let mut key = Key::new(setup);
    let info = key.info();
    assert_eq!((info.option("uv"), info.option("clientPin")), (Some(true), None));
    assert_eq!((info.option("pinUvAuthToken"), info.option("credMgmt")), (Some(true), Some(true)));
    assert!(info.has_version("FIDO_2_3"));
    assert_eq!(key.status(&Request::client_pin(cp::SET_PIN)), INVALID_SUBCOMMAND);
    succeeds(&mut key, &Request::client_pin(7));
    let made = key.make(&Request::make_credential().discoverable().option("uv", true));
    assert!(made.auth_data.has(UV));
}

/// CF-05, GI-26: alwaysUv from the factory on; before a PIN is set it can be turned off without one.
#[test]
fn always_uv_holds_from_the_factory_on() {
    let mut key = Key::with_profile(Profile::AlwaysUv);
    let info = key.info();
    assert_eq!(
        (info.option("alwaysUv"), info.option("makeCredUvNotRqd")),
        (Some(true), Some(false))
    );
    assert!(!info.has_version("U2F_V2"));
    assert_eq!(key.status(&Request::make_credential()), PUAT_REQUIRED);
    key.set_pin(PIN);
    let token = key.token(Protocol::Two, PIN, MC | GA, Some("example.com")).unwrap();
    assert!(key.make(&Request::make_credential().authorized(&token)).auth_data.has(UV));
    let acfg = key.token(Protocol::Two, PIN, ACFG, None).unwrap();
    succeeds(&mut key, &Request::config(2).managed(&acfg));
    assert_eq!(key.info().option("alwaysUv"), Some(false));
}

/// MC-39: where makeCredUvNotRqd is false, a key with a PIN makes no credential without it.
#[test]
fn verification_can_be_required_for_each_new_credential() {
    let mut key = Key::with_profile(Profile::UvRequired);
    assert_eq!(key.info().option("makeCredUvNotRqd"), Some(false));
    let made = key.make(&Request::make_credential());
    key.set_pin(PIN);
    assert_eq!(key.status(&Request::make_credential()), PUAT_REQUIRED);
    key.assertion_by(&made, &made.get());
    let token = key.token(Protocol::Two, PIN, MC, Some("example.com")).unwrap();
    key.make(&Request::make_credential().authorized(&token));
}

/// PT-08: permissions of features that the key has not are not given.
#[test]
fn permissions_of_absent_features_are_not_given() {
    let mut key = Key::with_profile(Profile::NotDiscoverable);
    key.set_pin(PIN);
    for permission in [CM, LBW] {
        let refused = key.token(Protocol::Two, PIN, permission, None).unwrap_err();
        assert_eq!(refused, UNAUTHORIZED_PERMISSION, "{permission:#x}");
    }
    key.token(Protocol::Two, PIN, ACFG, None).unwrap();
}
