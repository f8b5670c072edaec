//! The PIN complexity policy (CF), and the extension that tells of it (XM).

use softkey_tests::cbor::{Value, array, map};
use softkey_tests::checks::refused;
use softkey_tests::key::Profile;
use softkey_tests::pin::{Protocol, padded};
use softkey_tests::platform::permission::ACFG;
use softkey_tests::platform::set_pin_request;
use softkey_tests::request::{cf, command};
use softkey_tests::status::{CBOR_UNEXPECTED_TYPE, PIN_POLICY_VIOLATION, SUCCESS};
use softkey_tests::{Key, Request};

use super::set_min_pin_length;

const WEAK: [&str; 5] = ["1111", "1234", "4321", "7878787878", "password"];
const STRONG: [&str; 3] = ["7391", "12341235", "correct horse"];

fn turn_on() -> Request {
    set_min_pin_length(map([(cf::PIN_COMPLEXITY_POLICY, true)]))
}

/// pinComplexityPolicy, if getInfo has it.
fn policy(key: &mut Key) -> Option<bool> {
    key.info().0.at(0x1B).map(Value::bool)
}

fn change_forced(key: &mut Key) -> bool {
    key.info().0.get(0x0C).bool()
}

#[track_caller]
fn set_pin_status(key: &mut Key, pin: &str) -> u8 {
    let shared = key.agree(Protocol::Two);
    key.status(&set_pin_request(&shared, &padded(pin)))
}

/// CF-11, CF-16, RS-06: off from the factory; the subcommand turns it on for good, nothing but a reset off.
/// CT-CF-complexity.
#[test]
fn policy_is_turned_on_for_good() {
    let mut key = Key::with_profile(Profile::PinComplexity);
    assert_eq!(policy(&mut key), Some(false));
    assert_eq!(key.send(&turn_on().bytes()), [SUCCESS]);
    assert_eq!(policy(&mut key), Some(true));
    let off = set_min_pin_length(map([(cf::PIN_COMPLEXITY_POLICY, false)]));
    assert_eq!(key.send(&off.bytes()), [SUCCESS]);
    key.power_cycle();
    assert_eq!(policy(&mut key), Some(true));
    assert_eq!(key.send(&[command::RESET]), [SUCCESS]);
    assert_eq!(policy(&mut key), Some(false));
    assert_eq!(set_pin_status(&mut key, "1111"), SUCCESS);
}

/// CF-11: with the policy on, weak PINs are refused by setPIN and changePIN.
#[test]
fn weak_pins_are_refused() {
    let mut key = Key::with_profile(Profile::PinComplexity);
    assert_eq!(key.status(&turn_on()), SUCCESS);
    for weak in WEAK {
        assert_eq!(set_pin_status(&mut key, weak), PIN_POLICY_VIOLATION, "{weak}");
    }
    assert_eq!(key.info().option("clientPin"), Some(false));
    assert_eq!(set_pin_status(&mut key, STRONG[0]), SUCCESS);
    for weak in WEAK {
        assert_eq!(key.change_pin(STRONG[0], weak), PIN_POLICY_VIOLATION, "{weak}");
    }
    for two in STRONG.windows(2) {
        assert_eq!(key.change_pin(two[0], two[1]), SUCCESS, "{two:?}");
    }
    assert_eq!(key.retries(), 8);
}

/// CF-11, CF-07: turning the policy on forces a change of a PIN that would not pass, and of no other.
#[test]
fn weak_present_pin_must_be_changed() {
    for (pin, forced) in [("1111", true), ("7391", false)] {
        let mut key = Key::with_profile(Profile::PinComplexity);
        key.set_pin(pin);
        key.power_cycle();
        let token = key.token(Protocol::Two, pin, ACFG, None).unwrap();
        assert_eq!(key.status(&turn_on().managed(&token)), SUCCESS);
        assert_eq!(change_forced(&mut key), forced, "{pin}");
        if forced {
            assert_eq!(key.change_pin(pin, "2222"), PIN_POLICY_VIOLATION);
            assert_eq!(key.change_pin(pin, STRONG[0]), SUCCESS);
            assert!(!change_forced(&mut key));
        }
    }
}

/// CF-11: a key without a policy has no member for it and ignores the parameter.
#[test]
fn key_without_a_policy_ignores_the_parameter() {
    let mut key = Key::fresh();
    assert_eq!(key.send(&turn_on().bytes()), [SUCCESS]);
    assert_eq!(policy(&mut key), None);
    assert!(!key.info().has_extension("pinComplexityPolicy"));
    assert_eq!(set_pin_status(&mut key, "1111"), SUCCESS);
    assert!(!change_forced(&mut key));
}

/// XM-06: listed parties are told whether a policy is in force, others and those that ask for nothing are not.
/// CT-XMP-listed, CT-XMP-other.
#[test]
fn listed_parties_are_told_the_policy() {
    let mut key = Key::with_profile(Profile::PinComplexity);
    assert!(key.info().has_extension("pinComplexityPolicy"));
    let told = |key: &mut Key, rp_id: &str, asked: bool| {
        let request = Request::make_credential_for(rp_id, &[1]);
        let made = key.make(&request.extension("pinComplexityPolicy", asked));
        made.auth_data.extensions.map(|outputs| outputs.get("pinComplexityPolicy").bool())
    };
    assert_eq!(told(&mut key, "a.example", true), None);
    let list = set_min_pin_length(map([(cf::MIN_PIN_LENGTH_RP_IDS, array(["a.example"]))]));
    assert_eq!(key.status(&list), SUCCESS);
    assert_eq!(told(&mut key, "a.example", true), Some(false));
    assert_eq!(key.status(&turn_on()), SUCCESS);
    assert_eq!(told(&mut key, "a.example", true), Some(true));
    assert_eq!(told(&mut key, "a.example", false), None);
    assert_eq!(told(&mut key, "b.example", true), None);
    let both = Request::make_credential_for("a.example", &[2])
        .extension("pinComplexityPolicy", true)
        .extension("minPinLength", true);
    let outputs = key.make(&both).auth_data.extensions.unwrap();
    assert_eq!(outputs.keys(), [Value::from("minPinLength"), "pinComplexityPolicy".into()]);
}

/// XM-04, XM-06: another type.
#[test]
fn input_of_wrong_type_is_refused() {
    let mut key = Key::with_profile(Profile::PinComplexity);
    for value in [1.into(), "true".into(), Value::Null] {
        let request = Request::make_credential().extension("pinComplexityPolicy", value);
        refused(&mut key, &request, CBOR_UNEXPECTED_TYPE);
    }
}
