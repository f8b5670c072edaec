//! A key with little room for everything: each limit is told, kept, and really there.

use softkey_tests::cbor::Value;
use softkey_tests::checks::{refused, refused_after_prompt_and_unharmed, refused_and_unharmed};
use softkey_tests::key::{Profile, TINY};
use softkey_tests::pin::{Protocol, padded};
use softkey_tests::platform::set_pin_request;
use softkey_tests::request::{cf, mc};
use softkey_tests::status::{
    KEY_STORE_FULL, LARGE_BLOB_STORAGE_FULL, LIMIT_EXCEEDED, PIN_POLICY_VIOLATION,
    REQUEST_TOO_LARGE, SUCCESS,
};
use softkey_tests::{Key, Request};

use crate::large_blobs::{array_of, read, write};

fn key() -> Key {
    Key::with_profile(Profile::Tiny)
}

/// GI-08: a request of exactly maxMsgSize is processed; one byte more is refused.
#[test]
fn longest_request_is_as_told() {
    let mut key = key();
    let most = usize::from(TINY.message);
    assert_eq!(key.info().0.get(5).uint(), u64::from(TINY.message));
    let of_length = |length: usize| {
        let request = |pad: usize| {
            let user = Request::make_credential().member(mc::USER).clone();
            Request::make_credential().with(mc::USER, user.with("name", "n".repeat(pad))).bytes()
        };
        let pad = length - request(0).len();
        // The length of the name takes up to two bytes itself.
        (0..3).map(|less| request(pad - less)).find(|bytes| bytes.len() == length).unwrap()
    };
    assert_eq!(key.status_of(&of_length(most)), SUCCESS);
    refused_and_unharmed(&mut key, &of_length(most + 1), REQUEST_TOO_LARGE);
}

/// GI-09, GA-08: lists of maxCredentialCountInList are taken, longer ones refused before any touch.
#[test]
fn longest_list_is_as_told() {
    let mut key = key();
    let most = usize::from(TINY.list);
    assert_eq!((key.info().max_list(), key.info().max_id()), (most, 128));
    let made = key.make(&Request::make_credential());
    let id = [7; 128];
    let mut ids = vec![&id[..]; most - 1];
    ids.push(made.id());
    key.assertion_by(&made, &Request::get_assertion("example.com").listing(&ids));
    ids.insert(0, &id);
    refused(&mut key, &Request::get_assertion("example.com").listing(&ids), LIMIT_EXCEEDED);
    refused(&mut key, &Request::make_credential().listing(&ids), LIMIT_EXCEEDED);
}

/// GI-17, MC-61, MC-62: the room for discoverable credentials ends; others can still be made, and accounts be renewed.
#[test]
fn room_for_credentials_ends() {
    let mut key = key();
    let of = |user| Request::make_credential_for("full.example", &[user]).discoverable();
    for (user, left) in (1_u8..).zip((0..TINY.credentials).rev()) {
        key.make(&of(user));
        assert_eq!(key.info().0.get(0x14).uint(), left);
    }
    refused_after_prompt_and_unharmed(&mut key, &of(9), KEY_STORE_FULL);
    key.make(&of(1));
    key.make(&Request::make_credential_for("full.example", &[9]));
}

/// GI-13, GI-20, CP-09, CP-10, CF-06: the bounds of a PIN.
#[test]
fn bounds_of_pins_are_as_told() {
    let (min, max) = TINY.pin;
    let info = key().info();
    assert_eq!((info.0.get(0x0D).uint(), info.0.get(0x1D).uint()), (min.into(), max.into()));
    for (length, status) in [
        (min - 1, PIN_POLICY_VIOLATION),
        (min, SUCCESS),
        (max, SUCCESS),
        (max + 1, PIN_POLICY_VIOLATION),
    ] {
        let mut key = key();
        let shared = key.agree(Protocol::Two);
        let request = set_pin_request(&shared, &padded(&"7".repeat(length.into())));
        assert_eq!(key.status(&request), status, "{length} characters");
    }
    let params = |length: u8| {
        let params = softkey_tests::cbor::map([(cf::NEW_MIN_PIN_LENGTH, i64::from(length))]);
        Request::config(cf::SET_MIN_PIN_LENGTH).with(cf::PARAMS, params)
    };
    let mut key = key();
    refused(&mut key, &params(max + 1), PIN_POLICY_VIOLATION);
    assert_eq!(key.status(&params(max)), SUCCESS);
}

/// GI-16, CF-10: no more relying parties than told.
#[test]
fn longest_list_of_relying_parties_is_as_told() {
    let mut key = key();
    assert_eq!(key.info().0.get(0x10).uint(), u64::from(TINY.rp_ids));
    let request = |number: u8| {
        let names = (0..number).map(|n| Value::from(format!("rp{n}.example")));
        let params =
            softkey_tests::cbor::map([(cf::MIN_PIN_LENGTH_RP_IDS, Value::Array(names.collect()))]);
        Request::config(cf::SET_MIN_PIN_LENGTH).with(cf::PARAMS, params)
    };
    refused(&mut key, &request(TINY.rp_ids + 1), KEY_STORE_FULL);
    assert_eq!(key.status(&request(TINY.rp_ids)), SUCCESS);
}

/// GI-15, XB-02: a credBlob of maxCredBlobLength is kept, a longer one not.
#[test]
fn longest_cred_blob_is_as_told() {
    let mut key = key();
    assert_eq!(key.info().0.get(0x0F).uint(), u64::from(TINY.cred_blob));
    for (length, kept) in [(TINY.cred_blob, true), (TINY.cred_blob + 1, false)] {
        let blob = vec![3; length.into()];
        let request = Request::make_credential().discoverable().extension("credBlob", blob);
        let made = key.make(&request);
        assert_eq!(made.auth_data.extension("credBlob"), Some(&Value::Bool(kept)));
    }
}

/// GI-12, LB-08, LB-19: the large-blob array has the size that is told, and is kept.
#[test]
fn longest_array_is_as_told() {
    let mut key = key();
    let most = usize::from(TINY.array);
    assert_eq!(key.info().0.get(0x0B).uint(), u64::from(TINY.array));
    let too_long = Request::write_blobs(0, &[0; 100], Some(most + 1));
    refused(&mut key, &too_long, LARGE_BLOB_STORAGE_FULL);
    let array = array_of(most, 7);
    write(&mut key, None, &array, 900);
    key.power_cycle();
    assert_eq!([read(&mut key, 0, 900), read(&mut key, 900, 900)].concat(), array);
}
