//! The excludeList.

use std::time::Duration;

use softkey_tests::auth_data::UV;
use softkey_tests::cbor::{Value, array, map};
use softkey_tests::checks::{refused, succeeds};
use softkey_tests::parts::sha256;
use softkey_tests::pin::Protocol;
use softkey_tests::platform::permission;
use softkey_tests::request::{descriptor, mc};
use softkey_tests::status::{
    CBOR_UNEXPECTED_TYPE, CREDENTIAL_EXCLUDED, KEEPALIVE_CANCEL, LIMIT_EXCEEDED, NO_CREDENTIALS,
    SUCCESS,
};
use softkey_tests::{Key, Request, User, u2f};

fn excluding(entries: Value) -> Request {
    Request::make_credential_for("example.com", &[2]).with(mc::EXCLUDE_LIST, entries)
}

/// MC-18: a descriptor lacks `id` or `type`. (Wrong types are in the table of all commands.)
/// CT-MC-Req-5-type-missing, CT-MC-Req-5-id-missing.
#[test]
fn descriptor_without_id_or_type_is_refused() {
    let mut key = Key::fresh();
    let bad =
        [map([("type", "public-key")]), map([("id", [1; 32])]), Value::Map(Vec::new()), 1.into()];
    for bad in bad {
        refused(&mut key, &excluding(array([bad.clone()])), CBOR_UNEXPECTED_TYPE);
        refused(&mut key, &excluding(array([descriptor(&[1; 32]), bad])), CBOR_UNEXPECTED_TYPE);
    }
}

/// MC-19: an entry of an unknown type is ignored, even with the id of a credential here.
/// CT-MC-Req-5-unknown-type.
#[test]
fn entry_of_unknown_type_is_ignored() {
    let mut key = Key::fresh();
    let made = key.make(&Request::make_credential());
    let entry = descriptor(made.id()).with("type", "passphrase");
    succeeds(&mut key, &excluding(array([entry.clone()])));
    let both = Value::Array(vec![entry, descriptor(made.id())]);
    assert_eq!(key.status(&excluding(both)), CREDENTIAL_EXCLUDED);
}

/// MC-20: an empty list, and one of ids from nowhere.
#[test]
fn list_without_own_credentials_is_harmless() {
    let mut key = Key::fresh();
    succeeds(&mut key, &excluding(Value::Array(Vec::new())));
    let lengths = [0, 1, 16, 32, 64, 100, 255];
    succeeds(&mut key, &excluding(Value::Array(lengths.map(|n| descriptor(&vec![7; n])).into())));
}

/// MC-21: an own credential is answered 0x19 after a prompt, whatever came of the prompt; CANCEL apart.
/// CT-MC-Req-5-excluded.
#[test]
fn excluded_credential_asks_for_touch_then_refuses() {
    for discoverable in [false, true] {
        let mut key = Key::fresh();
        let made = key.make(&Request::make_credential().option("rk", discoverable));
        let request = excluding(array([descriptor(made.id())])).discoverable();
        let users = [
            User::Approves,
            User::Refuses,
            User::StaysAway,
            User::ApprovesAfter(Duration::from_secs(5)),
        ];
        for user in users {
            key.user(user);
            let prompts = key.prompts();
            assert_eq!(key.status(&request), CREDENTIAL_EXCLUDED, "{user:?}");
            assert_eq!(key.prompts(), prompts + 1, "{user:?}");
        }
        key.user(User::StaysAway);
        key.post(&request.bytes());
        assert_eq!(key.answer(), None, "it waits for the touch");
        assert_eq!(key.cancel(), Some(vec![KEEPALIVE_CANCEL]));
        key.user(User::Approves);
        let status = key.status(&Request::get_assertion("example.com"));
        assert_eq!(status, if discoverable { SUCCESS } else { NO_CREDENTIALS });
        let again = Request::make_credential_for("example.com", &[2]).discoverable();
        succeeds(&mut key, &again);
    }
}

/// MC-22: the same entry under another party excludes nothing.
#[test]
fn other_party_is_not_excluded() {
    let mut key = Key::fresh();
    for discoverable in [false, true] {
        let made = key.make(&Request::make_credential().option("rk", discoverable));
        let request = Request::make_credential_for("other.example", &[1]).listing(&[made.id()]);
        succeeds(&mut key, &request);
    }
}

/// MC-23, GI-09: an own credential is found anywhere in a list of maximal length with ids of maximal length.
#[test]
fn own_credential_is_found_anywhere_in_a_maximal_list() {
    let mut key = Key::fresh();
    let info = key.info();
    let (count, length) = (info.max_list(), info.max_id());
    let made = key.make(&Request::make_credential());
    let foreign = |i: usize| vec![u8::try_from(i).unwrap(); length];
    for place in [0, 1, count / 2, count - 2, count - 1] {
        let ids: Vec<_> =
            (0..count).map(|i| if i == place { made.id().to_vec() } else { foreign(i) }).collect();
        let list = Value::Array(ids.iter().map(|id| descriptor(id)).collect());
        assert_eq!(key.status(&excluding(list)), CREDENTIAL_EXCLUDED, "place {place}");
    }
    let list = Value::Array((0..count).map(|i| descriptor(&foreign(i))).collect());
    succeeds(&mut key, &excluding(list));
}

/// GA-08: a list longer than announced is refused before any touch.
#[test]
fn list_over_the_announced_count_is_refused() {
    let mut key = Key::fresh();
    let count = key.info().max_list();
    let list = Value::Array((0..=count).map(|_| descriptor(&[9; 32])).collect());
    refused(&mut key, &excluding(list), LIMIT_EXCEEDED);
}

/// MC-24: a `transports` member is accepted and changes nothing.
#[test]
fn transports_of_an_entry_are_ignored() {
    let mut key = Key::fresh();
    let made = key.make(&Request::make_credential());
    for transports in
        [array(["usb"]), array(["nfc", "ble"]), array(["unknown"]), Value::Array(Vec::new())]
    {
        let entry = descriptor(made.id()).with("transports", transports);
        assert_eq!(key.status(&excluding(array([entry]))), CREDENTIAL_EXCLUDED);
    }
}

/// MC-25: at credProtect level 3 a credential excludes only a user who is verified.
#[test]
fn level_three_excludes_only_with_user_verification() {
    for discoverable in [false, true] {
        let mut key = Key::fresh();
        let request = Request::make_credential().option("rk", discoverable);
        let made = key.make(&request.extension("credProtect", 3));
        let request = excluding(array([descriptor(made.id())]));
        succeeds(&mut key, &request);
        key.set_pin("1234");
        succeeds(&mut key, &request);
        let token = key.token(Protocol::Two, "1234", permission::MC, Some("example.com")).unwrap();
        assert_eq!(key.status(&request.clone().authorized(&token)), CREDENTIAL_EXCLUDED);
        let spared = Request::make_credential_for("example.com", &[3]).authorized(&token);
        assert!(
            key.make(&spared).auth_data.has(UV),
            "an excluded request does not spend the token"
        );
    }
}

/// MC-25: levels 1 and 2 exclude without user verification.
#[test]
fn levels_one_and_two_exclude_without_user_verification() {
    let mut key = Key::fresh();
    for level in [1, 2] {
        let made = key.make(&Request::make_credential().extension("credProtect", level));
        assert_eq!(key.status(&excluding(array([descriptor(made.id())]))), CREDENTIAL_EXCLUDED);
    }
}

/// MC-26: a credential made over U2F excludes under the same party's hash, and under no other.
#[test]
fn u2f_credential_excludes() {
    let mut key = Key::fresh();
    let application = sha256(b"example.com");
    let answer = key.u2f_polling(&u2f::register(&application, &[1; 32]));
    let registration = u2f::Registration::parse(&answer, &application, &[1; 32]);
    let list = || array([descriptor(&registration.handle)]);
    assert_eq!(key.status(&excluding(list())), CREDENTIAL_EXCLUDED);
    let other = Request::make_credential_for("other.example", &[1]).with(mc::EXCLUDE_LIST, list());
    succeeds(&mut key, &other);
}
