//! The extension thirdPartyPayment (XT).

use softkey_tests::cbor::{Value, map};
use softkey_tests::checks::refused;
use softkey_tests::parts::sha256;
use softkey_tests::pin::Protocol;
use softkey_tests::platform::Made;
use softkey_tests::platform::permission::CM;
use softkey_tests::request::cm;
use softkey_tests::status::CBOR_UNEXPECTED_TYPE;
use softkey_tests::{Key, Request};

const RP: &str = "example.com";

#[track_caller]
fn told(key: &mut Key, made: &Made) -> bool {
    let assertion = key.assertion_by(made, &made.get().extension("thirdPartyPayment", true));
    let outputs = assertion.auth_data.extensions.as_ref().expect("outputs");
    assert_eq!(outputs.keys(), [Value::from("thirdPartyPayment")]);
    outputs.get("thirdPartyPayment").bool()
}

/// XT-01, XT-02, XT-03: the flag that was set at creation, which itself tells nothing; discoverable or not, over
/// power cycles.
/// CT-XT-creation, CT-XT-true, CT-XT-false.
#[test]
fn flag_is_told_as_it_was_set() {
    let mut key = Key::fresh();
    for rk in [false, true] {
        for wanted in [None, Some(false), Some(true)] {
            let request = Request::make_credential().option("rk", rk);
            let request = match wanted {
                Some(flag) => request.extension("thirdPartyPayment", flag),
                None => request,
            };
            let made = key.make(&request);
            assert_eq!(made.auth_data.extensions, None);
            assert_eq!(told(&mut key, &made), wanted == Some(true), "rk {rk}, {wanted:?}");
            key.power_cycle();
            assert_eq!(told(&mut key, &made), wanted == Some(true));
        }
    }
}

/// XT-01, XT-06: false and nothing tell nothing.
#[test]
fn flag_is_not_told_unasked() {
    let mut key = Key::fresh();
    let made = key.make(&Request::make_credential().extension("thirdPartyPayment", true));
    let asked = made.get().extension("thirdPartyPayment", false);
    for request in [made.get(), asked] {
        assert_eq!(key.assertion_by(&made, &request).auth_data.extensions, None);
    }
}

/// XT-01: each next assertion tells its own flag.
#[test]
fn each_next_assertion_tells_its_own_flag() {
    let mut key = Key::fresh();
    for (id, flag) in [(1, true), (2, false), (3, true)] {
        let request = Request::make_credential_for(RP, &[id]).discoverable();
        key.make(&request.extension("thirdPartyPayment", flag));
    }
    let request = Request::get_assertion(RP).extension("thirdPartyPayment", true);
    let mut answers = vec![key.assertion(&request)];
    answers.extend((0..2).map(|_| key.next_assertion(&request)));
    let flags = answers.iter().map(|a| a.auth_data.extension("thirdPartyPayment").unwrap().bool());
    assert_eq!(flags.collect::<Vec<_>>(), [true, false, true]);
}

/// CM-14: credential management always tells the flag.
#[test]
fn credential_management_tells_the_flag() {
    let mut key = Key::fresh();
    for (id, flag) in [(1, true), (2, false)] {
        let request = Request::make_credential_for(RP, &[id]).discoverable();
        key.make(&request.extension("thirdPartyPayment", flag));
    }
    key.set_pin("1234");
    let token = key.token(Protocol::Two, "1234", CM, None).unwrap();
    let begin = Request::credential_management(cm::ENUMERATE_CREDENTIALS_BEGIN)
        .with(cm::PARAMS, map([(1, sha256(RP.as_bytes()))]))
        .managed(&token);
    assert!(!key.ok(&begin).get(0x0C).bool());
    let next = Request::credential_management(cm::ENUMERATE_CREDENTIALS_NEXT);
    assert!(key.ok(&next).get(0x0C).bool());
}

/// XT-03, CB-13: other types, in both ceremonies.
#[test]
fn other_types_are_refused() {
    let mut key = Key::fresh();
    for value in [1.into(), "true".into(), Value::Null, Value::from([1])] {
        let make = Request::make_credential().extension("thirdPartyPayment", value.clone());
        refused(&mut key, &make, CBOR_UNEXPECTED_TYPE);
        let get = Request::get_assertion(RP).extension("thirdPartyPayment", value);
        refused(&mut key, &get, CBOR_UNEXPECTED_TYPE);
    }
}
