//! Enterprise attestation (EA).

use softkey_tests::cbor::Value;
use softkey_tests::checks::{no_account, refused, refused_and_token_kept};
use softkey_tests::key::{ENTERPRISE_CERTIFICATE, ENTERPRISE_RP, Profile};
use softkey_tests::pin::Protocol;
use softkey_tests::platform::Made;
use softkey_tests::platform::permission::ACFG;
use softkey_tests::request::{cf, command, mc};
use softkey_tests::status::{
    CBOR_UNEXPECTED_TYPE, INVALID_OPTION, INVALID_PARAMETER, PUAT_REQUIRED, SUCCESS,
};
use softkey_tests::{Key, Request};

fn asking(rp_id: &str, kind: i64) -> Request {
    Request::make_credential_for(rp_id, &[1]).with(mc::ENTERPRISE_ATTESTATION, kind)
}

fn enable() -> Request {
    Request::config(cf::ENABLE_ENTERPRISE_ATTESTATION)
}

fn enabled() -> Key {
    let mut key = Key::with_profile(Profile::Enterprise);
    assert_eq!(key.send(&enable().bytes()), [SUCCESS]);
    key
}

fn certificate(made: &Made) -> &[u8] {
    let chain = made.answer.get(3).get("x5c").items();
    assert_eq!(chain.len(), 1, "the certificate alone");
    chain[0].bytes()
}

/// The attestation singles the key out. (`make` has verified the statement by the certificate's key.)
#[track_caller]
fn is_enterprise(made: &Made) {
    assert_eq!(made.answer.at(4), Some(&Value::from(true)), "epAtt");
    assert_eq!(made.format, "packed");
    assert_eq!(certificate(made), ENTERPRISE_CERTIFICATE);
}

#[track_caller]
fn is_ordinary(made: &Made) {
    assert_eq!(made.answer.at(4), None, "epAtt");
    assert_ne!(certificate(made), ENTERPRISE_CERTIFICATE);
}

/// EA-01: a key that does not offer it refuses any number.
/// CT-EA-consumer-mode-1, CT-EA-consumer-mode-2.
#[test]
fn key_that_does_not_offer_it_refuses_any_number() {
    let mut key = Key::fresh();
    assert_eq!(key.info().option("ep"), None);
    for kind in [0, 1, 2, 3, 1 << 40] {
        refused(&mut key, &asking(ENTERPRISE_RP, kind), INVALID_PARAMETER);
    }
    no_account(&mut key, ENTERPRISE_RP);
}

/// EA-02, GI-22, CF-16: off from the factory and refused then; the subcommand turns it on, for good.
/// CT-EA-enable, CT-CF-ep.
#[test]
fn it_is_off_until_enabled() {
    let mut key = Key::with_profile(Profile::Enterprise);
    assert_eq!(key.info().option("ep"), Some(false));
    let listed = key.info().0.get(0x1F).clone();
    assert_eq!(listed, softkey_tests::cbor::array([1, 2, 3, 4]));
    for kind in [0, 1, 2, 3] {
        refused(&mut key, &asking(ENTERPRISE_RP, kind), INVALID_PARAMETER);
    }
    assert_eq!(key.send(&enable().bytes()), [SUCCESS]);
    assert_eq!(key.info().option("ep"), Some(true));
    key.power_cycle();
    assert_eq!(key.info().option("ep"), Some(true));
}

/// CF-13, CF-02: enabling needs a token where there is a PIN, and can be done again.
#[test]
fn enabling_is_guarded_and_can_be_repeated() {
    let mut key = Key::with_profile(Profile::Enterprise);
    key.set_pin("1234");
    refused(&mut key, &enable(), PUAT_REQUIRED);
    let token = key.token(Protocol::Two, "1234", ACFG, None).unwrap();
    for request in [enable(), enable().with(cf::PARAMS, softkey_tests::cbor::map([(1, 1)]))] {
        assert_eq!(key.send(&request.managed(&token).bytes()), [SUCCESS]);
        assert_eq!(key.info().option("ep"), Some(true));
    }
}

/// EA-03, EA-04: vendor-facilitated attestation is for listed parties; others get the ordinary one.
/// CT-EA-mode-1, CT-EA-mode-1-other.
#[test]
fn vendor_facilitated_attestation_is_for_listed_parties() {
    let mut key = enabled();
    for rk in [false, true] {
        is_enterprise(&key.make(&asking(ENTERPRISE_RP, 1).option("rk", rk)));
        for other in ["example.com", "sub.enterprise.example", "nterprise.example"] {
            is_ordinary(&key.make(&asking(other, 1).option("rk", rk)));
        }
    }
}

/// EA-05: platform-managed attestation is for any party.
/// CT-EA-mode-2.
#[test]
fn platform_managed_attestation_is_for_any_party() {
    let mut key = enabled();
    for party in [ENTERPRISE_RP, "example.com"] {
        is_enterprise(&key.make(&asking(party, 2)));
    }
}

/// EA-01: who does not ask gets the ordinary attestation, and so does who wants none or has no word for it.
#[test]
fn unasked_attestation_is_ordinary() {
    let mut key = enabled();
    is_ordinary(&key.make(&Request::make_credential_for(ENTERPRISE_RP, &[1])));
    let none = Value::Array(vec!["none".into()]);
    let made = key.make(&asking(ENTERPRISE_RP, 2).with(mc::ATTESTATION_FORMATS_PREFERENCE, none));
    assert_eq!((made.format.as_str(), made.answer.at(4)), ("none", None));
}

/// EA-06: other numbers, and what is no number.
/// CT-EA-type, CT-EA-mode-3.
#[test]
fn other_kinds_are_refused() {
    let mut key = enabled();
    for kind in [0, 3, 255, 1 << 40] {
        refused(&mut key, &asking(ENTERPRISE_RP, kind), INVALID_OPTION);
    }
    for value in ["1".into(), true.into(), (-1).into(), Value::Null] {
        let request = Request::make_credential().with(mc::ENTERPRISE_ATTESTATION, value);
        refused(&mut key, &request, CBOR_UNEXPECTED_TYPE);
    }
}

/// EA-07, RS-06: a reset turns it off.
/// CT-EA-enable.
#[test]
fn reset_turns_it_off() {
    let mut key = enabled();
    assert_eq!(key.send(&[command::RESET]), [SUCCESS]);
    assert_eq!(key.info().option("ep"), Some(false));
    refused_and_token_kept(&mut key, &asking(ENTERPRISE_RP, 2), INVALID_PARAMETER);
}
