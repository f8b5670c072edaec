//! The extension largeBlobKey (XL).

use std::collections::BTreeSet;

use softkey_tests::cbor::{Value, map};
use softkey_tests::checks::{no_account, refused};
use softkey_tests::key::Profile;
use softkey_tests::parts::sha256;
use softkey_tests::pin::Protocol;
use softkey_tests::platform::Made;
use softkey_tests::platform::permission::CM;
use softkey_tests::request::{cm, command};
use softkey_tests::status::{CBOR_UNEXPECTED_TYPE, INVALID_OPTION, NO_CREDENTIALS, SUCCESS};
use softkey_tests::{Key, Request};

const RP: &str = "example.com";

fn with_key(id: u8) -> Request {
    Request::make_credential_for(RP, &[id]).discoverable().extension("largeBlobKey", true)
}

#[track_caller]
fn key_of(made: &Made) -> Vec<u8> {
    let key = made.answer.get(5).bytes().to_vec();
    assert_eq!(key.len(), 32);
    key
}

/// XL-01: true with rk: 32 bytes in the answer, nothing in authData.
#[test]
fn key_stands_in_the_answer() {
    let made = Key::with_profile(Profile::Default).make(&with_key(1));
    key_of(&made);
    assert_eq!(made.auth_data.extensions, None);
}

/// XL-02, XL-07: each credential has a key of its own, one that replaces another too.
/// CT-XLK-two.
#[test]
fn each_credential_has_its_own_key() {
    let mut key = Key::with_profile(Profile::Default);
    let mut seen: BTreeSet<_> = (1..=3).map(|id| key_of(&key.make(&with_key(id)))).collect();
    seen.insert(key_of(&key.make(&with_key(3))));
    assert_eq!(key.send(&[command::RESET]), [SUCCESS]);
    seen.insert(key_of(&key.make(&with_key(3))));
    assert_eq!(seen.len(), 5);
}

/// XL-03, XL-05: false, and true for a credential that is not discoverable; the exclude list comes first.
/// CT-XLK-mc-false.
#[test]
fn false_and_non_discoverable_are_refused() {
    let mut key = Key::with_profile(Profile::Default);
    let plain = Request::make_credential_for(RP, &[1]);
    for bad in [
        plain.clone().discoverable().extension("largeBlobKey", false),
        plain.clone().extension("largeBlobKey", false),
        plain.clone().extension("largeBlobKey", true),
        plain.clone().option("rk", false).extension("largeBlobKey", true),
    ] {
        refused(&mut key, &bad, INVALID_OPTION);
    }
    no_account(&mut key, RP);
    let made = key.make(&plain);
    let excluded = plain.listing(&[made.id()]).extension("largeBlobKey", true);
    assert_eq!(key.status(&excluded), softkey_tests::status::CREDENTIAL_EXCLUDED);
}

/// XL-04: not a boolean, at creation and in an assertion.
/// CT-XLK-mc-type, CT-XLK-ga-type.
#[test]
fn other_types_are_refused() {
    let mut key = Key::with_profile(Profile::Default);
    for value in [1.into(), "true".into(), Value::Null, Value::from([1; 32]), map([(1, true)])] {
        let make = Request::make_credential().discoverable();
        refused(&mut key, &make.extension("largeBlobKey", value.clone()), CBOR_UNEXPECTED_TYPE);
        let get = Request::get_assertion(RP).extension("largeBlobKey", value);
        refused(&mut key, &get, CBOR_UNEXPECTED_TYPE);
    }
}

/// XL-06: an assertion gives the same key when asked with true, listed or found, over power cycles; none otherwise.
/// CT-XLK-assertion.
#[test]
fn assertion_gives_the_same_key() {
    let mut key = Key::with_profile(Profile::Default);
    let made = key.make(&with_key(1));
    let listed = made.get().extension("largeBlobKey", true);
    let found = Request::get_assertion(RP).extension("largeBlobKey", true);
    for request in [&listed, &found] {
        let assertion = key.assertion_by(&made, request);
        assert_eq!(assertion.answer.get(7).bytes(), key_of(&made));
        assert_eq!(assertion.auth_data.extensions, None);
        key.power_cycle();
    }
    assert_eq!(key.assertion_by(&made, &made.get()).answer.at(7), None, "not asked for");
    let silent = listed.option("up", false);
    assert_eq!(key.assertion_by(&made, &silent).answer.get(7).bytes(), key_of(&made));
}

/// XL-06: a credential made without a key has none, discoverable or not.
#[test]
fn credential_made_without_a_key_has_none() {
    for rk in [false, true] {
        let mut key = Key::with_profile(Profile::Default);
        let made = key.make(&Request::make_credential().option("rk", rk));
        assert_eq!(made.answer.at(5), None);
        let request = made.get().extension("largeBlobKey", true);
        assert_eq!(key.assertion_by(&made, &request).answer.at(7), None);
    }
}

/// XL-03: false in an assertion, after the look-up.
/// CT-XLK-ga-false.
#[test]
fn false_in_an_assertion_is_refused() {
    let mut key = Key::with_profile(Profile::Default);
    let made = key.make(&with_key(1));
    refused(&mut key, &made.get().extension("largeBlobKey", false), INVALID_OPTION);
    let nobody = Request::get_assertion("nobody.example").extension("largeBlobKey", false);
    refused(&mut key, &nobody, NO_CREDENTIALS);
}

/// XL-06: each getNextAssertion gives the key of its own credential, or none.
#[test]
fn each_next_assertion_gives_its_own_key() {
    let mut key = Key::with_profile(Profile::Default);
    let first = key.make(&with_key(1));
    key.make(&Request::make_credential_for(RP, &[2]).discoverable());
    let third = key.make(&with_key(3));
    let request = Request::get_assertion(RP).extension("largeBlobKey", true);
    assert_eq!(key.assertion_by(&third, &request).answer.get(7).bytes(), key_of(&third));
    assert_eq!(key.next_assertion(&request).answer.at(7), None);
    assert_eq!(key.next_assertion(&request).answer.get(7).bytes(), key_of(&first));
}

/// CM-14: credential management shows the key where there is one; a new name leaves it.
#[test]
fn credential_management_shows_the_key() {
    let mut key = Key::with_profile(Profile::Default);
    let with = key.make(&with_key(1));
    let without = key.make(&Request::make_credential_for(RP, &[2]).discoverable());
    key.set_pin("1234");
    let token = key.token(Protocol::Two, "1234", CM, None).unwrap();
    let begin = Request::credential_management(cm::ENUMERATE_CREDENTIALS_BEGIN)
        .with(cm::PARAMS, map([(1, sha256(RP.as_bytes()))]))
        .managed(&token);
    let rename = Request::credential_management(cm::UPDATE_USER_INFORMATION)
        .with(
            cm::PARAMS,
            map([
                (2, softkey_tests::request::descriptor(with.id())),
                (3, map([("id", Value::from([1])), ("name", "new".into())])),
            ]),
        )
        .managed(&token);
    for _ in 0..2 {
        let newest = key.ok(&begin);
        assert_eq!(newest.get(7).get("id").bytes(), without.id());
        assert_eq!(newest.at(0x0B), None);
        let oldest = key.ok(&Request::credential_management(cm::ENUMERATE_CREDENTIALS_NEXT));
        assert_eq!(oldest.get(0x0B).bytes(), key_of(&with));
        assert_eq!(key.status(&rename), SUCCESS);
    }
}
