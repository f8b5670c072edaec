//! Which subcommands there are, and who may use them.

use softkey_tests::cbor::{Value, map};
use softkey_tests::checks::{refused, refused_and_token_kept};
use softkey_tests::key::{Profile, Sensor, Setup};
use softkey_tests::pin::Protocol;
use softkey_tests::platform::permission::{ACFG, CM, GA};
use softkey_tests::request::cf;
use softkey_tests::status::{
    INVALID_PARAMETER, INVALID_SUBCOMMAND, MISSING_PARAMETER, PIN_AUTH_INVALID, PUAT_REQUIRED,
    SUCCESS, UNAUTHORIZED_PERMISSION,
};
use softkey_tests::{Key, Request};

use super::{PIN, acfg_token, listed, set_min_pin_length, with_pin};

/// The subcommands that getInfo lists, harmless ones of each.
fn offered(key: &mut Key) -> Vec<Request> {
    let commands = listed(key).unwrap();
    let all = [
        Request::config(cf::ENABLE_ENTERPRISE_ATTESTATION),
        Request::config(cf::TOGGLE_ALWAYS_UV),
        set_min_pin_length(map([(cf::NEW_MIN_PIN_LENGTH, 4)])),
        Request::config(cf::ENABLE_LONG_TOUCH_FOR_RESET),
    ];
    let offered: Vec<_> = all
        .into_iter()
        .filter(|request| commands.contains(&request.member(cf::SUB_COMMAND).uint()))
        .collect();
    assert_eq!(offered.len(), commands.len(), "of {commands:?}");
    assert!(!offered.is_empty());
    offered
}

/// CF-01: missing, undefined, defined but not offered.
#[test]
fn subcommand_is_missing_undefined_or_not_offered() {
    let mut key = Key::fresh();
    let empty = Request::with_body(cf::COMMAND, Value::Map(Vec::new()));
    refused(&mut key, &empty, MISSING_PARAMETER);
    for undefined in [0, 5, 6, 0x7F, 0xFE] {
        refused(&mut key, &Request::config(undefined), INVALID_SUBCOMMAND);
    }
    let listed = listed(&mut key).unwrap();
    for defined in
        [1, 2, 3, 4, 0xFF].into_iter().filter(|command| !listed.contains(&u64::from(*command)))
    {
        refused(&mut key, &Request::config(defined), INVALID_PARAMETER);
    }
}

/// CF-01: setMinPINLength without parameters; with an empty map it changes nothing.
#[test]
fn set_min_pin_length_needs_its_parameters() {
    let mut key = Key::fresh();
    refused(&mut key, &Request::config(cf::SET_MIN_PIN_LENGTH), MISSING_PARAMETER);
    let before = key.info();
    assert_eq!(key.send(&set_min_pin_length(Value::Map(Vec::new())).bytes()), [SUCCESS]);
    assert_eq!(key.info(), before);
}

/// CF-01, CF-02: on a protected key the param is missed first, then the parameters, whatever the param proves.
#[test]
fn missing_param_is_found_before_missing_parameters() {
    let mut key = with_pin();
    let token = acfg_token(&mut key);
    let bare = Request::config(cf::SET_MIN_PIN_LENGTH);
    refused_and_token_kept(&mut key, &bare, PUAT_REQUIRED);
    let good = bare.managed(&token);
    refused_and_token_kept(&mut key, &good.clone().with(cf::PROTOCOL, 3), INVALID_PARAMETER);
    refused_and_token_kept(&mut key, &good.clone().with(cf::PARAM, [7; 32]), MISSING_PARAMETER);
    refused_and_token_kept(&mut key, &good, MISSING_PARAMETER);
}

/// GI-22, CF-15: those listed are those that work; vendorPrototype is not among them.
#[test]
fn listed_subcommands_work() {
    let listed = listed(&mut Key::fresh()).unwrap();
    assert!(listed.is_sorted_by(|a, b| a < b), "{listed:?}");
    assert!(!listed.contains(&0xFF));
    for request in offered(&mut Key::fresh()) {
        let mut key = with_pin();
        let token = acfg_token(&mut key);
        assert_eq!(key.send(&request.managed(&token).bytes()), [SUCCESS], "{listed:?}");
    }
    refused(&mut Key::fresh(), &Request::config(cf::VENDOR_PROTOTYPE), INVALID_PARAMETER);
}

/// CF-02: with a PIN set: no param, no protocol, an unknown one, a wrong param, a token without acfg.
#[test]
fn pin_guards_every_subcommand() {
    for request in offered(&mut Key::fresh()) {
        let mut key = with_pin();
        refused(&mut key, &request, PUAT_REQUIRED);
        let token = acfg_token(&mut key);
        let good = request.managed(&token);
        refused_and_token_kept(&mut key, &good.clone().without(cf::PROTOCOL), MISSING_PARAMETER);
        refused_and_token_kept(&mut key, &good.clone().with(cf::PROTOCOL, 3), INVALID_PARAMETER);
        let mut wrong = good.member(cf::PARAM).bytes().to_vec();
        wrong[31] ^= 1;
        refused_and_token_kept(&mut key, &good.clone().with(cf::PARAM, wrong), PIN_AUTH_INVALID);
        for (permission, rp_id) in [(CM, None), (GA, Some("example.com"))] {
            let other = key.token(Protocol::Two, PIN, permission, rp_id).unwrap();
            let unsigned = good.clone().without(cf::PARAM).without(cf::PROTOCOL);
            refused(&mut key, &unsigned.managed(&other), PIN_AUTH_INVALID);
        }
        let legacy = key.pin_token(Protocol::One, PIN).unwrap();
        let unsigned = good.without(cf::PARAM).without(cf::PROTOCOL);
        refused(&mut key, &unsigned.managed(&legacy), PIN_AUTH_INVALID);
    }
}

/// CF-03: without a PIN and with alwaysUv off no token is needed, and a param is not looked at.
#[test]
fn without_a_pin_no_token_is_needed() {
    for request in offered(&mut Key::fresh()) {
        let mut key = Key::fresh();
        assert_eq!(key.send(&request.bytes()), [SUCCESS]);
        let mut key = Key::fresh();
        assert_eq!(
            key.send(&request.with(cf::PARAM, [1; 16]).with(cf::PROTOCOL, 1).bytes()),
            [SUCCESS]
        );
    }
}

/// GI-22, PT-17: on a key that has no PIN the sensor's tokens configure (uvAcfg), and every subcommand that is listed
/// works. Where there is a PIN they do not.
#[test]
fn the_sensor_guards_where_there_is_no_pin() {
    let sensor = Some(Sensor { max_retries: 5, tries_per_request: 1, shows_presence: true });
    let with = |profile| Key::new(Setup { sensor, profile, ..Setup::default() });
    for (profile, subcommands) in [(Profile::NoPin, &[2, 4][..]), (Profile::Ctap21NoPin, &[2])] {
        let mut key = with(profile);
        assert_eq!(key.info().option("uvAcfg"), Some(true), "{profile:?}");
        let listed = listed(&mut key);
        assert!(listed.is_none_or(|listed| listed == subcommands), "{profile:?}");
        for subcommand in subcommands {
            let mut key = with(profile);
            let request = Request::config(u8::try_from(*subcommand).unwrap());
            assert_eq!(key.status(&request), PUAT_REQUIRED);
            let token = key.token_by_uv(Protocol::Two, ACFG, None).unwrap();
            assert_eq!(key.status(&request.managed(&token)), SUCCESS, "{profile:?} {subcommand}");
        }
    }
    let mut key = with(Profile::Default);
    assert_eq!(key.info().option("uvAcfg"), None);
    assert_eq!(key.token_by_uv(Protocol::Two, ACFG, None), Err(UNAUTHORIZED_PERMISSION));
}

/// CF-04: the param covers 32 bytes of 0xFF, the command, the subcommand and the parameters as received.
#[test]
fn param_covers_prefix_and_parameters_as_received() {
    let mut key = with_pin();
    let token = acfg_token(&mut key);
    let request = set_min_pin_length(map([(cf::NEW_MIN_PIN_LENGTH, 4)]));
    let without_prefix = token.authenticate(&request.covered()[33..]);
    let bare = request.clone().with(cf::PROTOCOL, 2).with(cf::PARAM, without_prefix);
    refused_and_token_kept(&mut key, &bare, PIN_AUTH_INVALID);
    let swapped =
        request.clone().managed(&token).with(cf::PARAMS, map([(cf::NEW_MIN_PIN_LENGTH, 6)]));
    refused_and_token_kept(&mut key, &swapped, PIN_AUTH_INVALID);
    let more =
        map([(Value::from(cf::NEW_MIN_PIN_LENGTH), Value::from(4)), (0x70.into(), "x".into())]);
    assert_eq!(key.status(&set_min_pin_length(more).managed(&token)), SUCCESS);
    assert_eq!(key.status(&request.managed(&token)), SUCCESS, "the token is not spent");
}

/// CF-14: enableLongTouchForReset twice; its parameters are ignored but covered by the param.
/// CT-CF-long-touch.
#[test]
fn long_touch_for_reset_is_turned_on_once_and_for_all() {
    assert!(listed(&mut Key::fresh()).unwrap().contains(&4));
    let mut key = with_pin();
    let token = acfg_token(&mut key);
    let request = Request::config(cf::ENABLE_LONG_TOUCH_FOR_RESET);
    for request in [request.clone(), request.with(cf::PARAMS, map([(1, "ignored")]))] {
        assert_eq!(key.send(&request.managed(&token).bytes()), [SUCCESS]);
        assert_eq!(key.info().0.get(0x18), &Value::from(true));
    }
    key.power_cycle();
    assert_eq!(key.info().0.get(0x18), &Value::from(true));
}
