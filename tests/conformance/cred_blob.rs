//! The extension credBlob (XB).

use softkey_tests::cbor::{Value, map};
use softkey_tests::checks::refused;
use softkey_tests::pin::Protocol;
use softkey_tests::platform::Made;
use softkey_tests::platform::permission::CM;
use softkey_tests::request::{cm, command, descriptor};
use softkey_tests::status::{CBOR_UNEXPECTED_TYPE, NO_CREDENTIALS, SUCCESS};
use softkey_tests::{Key, Request};

const RP: &str = "example.com";

/// maxCredBlobLength.
fn max(key: &mut Key) -> usize {
    usize::try_from(key.info().0.get(0x0F).uint()).unwrap()
}

fn with_blob(id: u8, blob: &[u8]) -> Request {
    Request::make_credential_for(RP, &[id]).discoverable().extension("credBlob", blob)
}

#[track_caller]
fn stored(made: &Made) -> bool {
    made.auth_data.extension("credBlob").expect("an output").bool()
}

#[track_caller]
fn blob_of(key: &mut Key, made: &Made) -> Vec<u8> {
    let assertion = key.assertion_by(made, &made.get().extension("credBlob", true));
    assertion.auth_data.extension("credBlob").expect("an output").bytes().to_vec()
}

/// XB-01, XB-04, GI-15: up to the maximum, nothing included, is stored and read back, over power cycles.
/// CT-XB-store.
#[test]
fn blob_up_to_the_maximum_is_kept() {
    let mut key = Key::fresh();
    let max = max(&mut key);
    assert!(max >= 32);
    for (id, length) in [(1, 0), (2, 1), (3, 32), (4, max - 1), (5, max)] {
        let blob = vec![id; length];
        let made = key.make(&with_blob(id, &blob));
        assert!(stored(&made), "{length} bytes");
        assert_eq!(blob_of(&mut key, &made), blob);
        key.power_cycle();
        assert_eq!(blob_of(&mut key, &made), blob);
        let found = key.assertion(&Request::get_assertion(RP).extension("credBlob", true));
        assert_eq!(found.auth_data.extension("credBlob"), Some(&Value::from(blob)));
    }
}

/// XB-02: a byte more than the maximum is not kept; the credential is made.
#[test]
fn longer_blob_is_not_kept() {
    let mut key = Key::fresh();
    let max = max(&mut key);
    for length in [max + 1, 1000, 6000] {
        let made = key.make(&with_blob(1, &vec![7; length]));
        assert!(!stored(&made), "{length} bytes");
        assert_eq!(blob_of(&mut key, &made), [0_u8; 0]);
    }
}

/// XB-03: a credential made without a blob gives no bytes; asked with false it gives no output.
/// CT-XB-none.
#[test]
fn credential_without_a_blob_gives_no_bytes() {
    let mut key = Key::fresh();
    for rk in [false, true] {
        let made = key.make(&Request::make_credential().option("rk", rk));
        assert_eq!(made.auth_data.extensions, None);
        assert_eq!(blob_of(&mut key, &made), [0_u8; 0]);
        let asked = key.assertion_by(&made, &made.get().extension("credBlob", false));
        assert_eq!(asked.auth_data.extensions, None);
    }
}

/// XB-05: a credential that is not discoverable is made, without its blob.
#[test]
fn non_discoverable_credential_keeps_no_blob() {
    let mut key = Key::fresh();
    let made = key.make(&Request::make_credential().extension("credBlob", [1; 8]));
    assert!(!stored(&made));
    assert_eq!(blob_of(&mut key, &made), [0_u8; 0]);
}

/// XB-06: other types, in both ceremonies.
#[test]
fn other_types_are_refused() {
    let mut key = Key::fresh();
    for value in [1.into(), true.into(), "blob".into(), Value::Null] {
        let request = Request::make_credential().discoverable().extension("credBlob", value);
        refused(&mut key, &request, CBOR_UNEXPECTED_TYPE);
    }
    for value in [1.into(), Value::from([1; 8]), "true".into(), Value::Null] {
        let request = Request::get_assertion(RP).extension("credBlob", value);
        refused(&mut key, &request, CBOR_UNEXPECTED_TYPE);
    }
}

/// XB-07: the blob ends with its credential: overwritten, deleted, reset. A new name leaves it.
#[test]
fn blob_ends_with_its_credential() {
    let mut key = Key::fresh();
    let first = key.make(&with_blob(1, b"first"));
    let second = key.make(&with_blob(1, b"second"));
    assert_eq!(key.status(&first.get().extension("credBlob", true)), NO_CREDENTIALS);
    assert_eq!(blob_of(&mut key, &second), b"second");
    let third = key.make(&Request::make_credential_for(RP, &[1]).discoverable());
    assert_eq!(blob_of(&mut key, &third), [0_u8; 0]);
    let kept = key.make(&with_blob(1, b"kept"));
    key.set_pin("1234");
    let token = key.token(Protocol::Two, "1234", CM, None).unwrap();
    let user = map([("id", Value::from([1])), ("name", "new".into())]);
    let rename = Request::credential_management(cm::UPDATE_USER_INFORMATION)
        .with(cm::PARAMS, map([(2, descriptor(kept.id())), (3, user)]));
    assert_eq!(key.status(&rename.managed(&token)), SUCCESS);
    assert_eq!(blob_of(&mut key, &kept), b"kept");
    // The assertion has spent the token.
    let token = key.token(Protocol::Two, "1234", CM, None).unwrap();
    let delete = Request::credential_management(cm::DELETE_CREDENTIAL)
        .with(cm::PARAMS, map([(2, descriptor(kept.id()))]));
    assert_eq!(key.status(&delete.managed(&token)), SUCCESS);
    assert_eq!(key.status(&kept.get().extension("credBlob", true)), NO_CREDENTIALS);
    key.power_cycle();
    assert_eq!(key.send(&[command::RESET]), [SUCCESS]);
    let again = key.make(&Request::make_credential_for(RP, &[1]).discoverable());
    assert_eq!(blob_of(&mut key, &again), [0_u8; 0]);
}

/// XB-01: each getNextAssertion gives the blob of its own credential.
#[test]
fn each_next_assertion_gives_its_own_blob() {
    let mut key = Key::fresh();
    key.make(&with_blob(1, b"one"));
    key.make(&Request::make_credential_for(RP, &[2]).discoverable());
    key.make(&with_blob(3, b"three"));
    let request = Request::get_assertion(RP).extension("credBlob", true);
    let mut answers = vec![key.assertion(&request)];
    answers.extend((0..2).map(|_| key.next_assertion(&request)));
    let blobs = answers.iter().map(|a| a.auth_data.extension("credBlob").unwrap().bytes());
    assert_eq!(blobs.collect::<Vec<_>>(), [&b"three"[..], b"", b"one"]);
}
