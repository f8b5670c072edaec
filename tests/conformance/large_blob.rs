//! The extension largeBlob of CTAP 2.3 (XL), of keys that offer it in the place of the array.

use softkey_tests::cbor::{Value, array, map};
use softkey_tests::checks::{refused, succeeds};
use softkey_tests::key::{Cut, Profile, Setup};
use softkey_tests::pin::Protocol;
use softkey_tests::platform::permission::{CM, LBW};
use softkey_tests::platform::{Assertion, Made};
use softkey_tests::request::{cm, command, descriptor};
use softkey_tests::status::{
    INVALID_CBOR, INVALID_COMMAND, NO_CREDENTIALS, SUCCESS, UNAUTHORIZED_PERMISSION,
};
use softkey_tests::{Key, Request};

const RP: &str = "example.com";

fn key() -> Key {
    Key::with_profile(Profile::LargeBlob)
}

fn made(key: &mut Key, rk: bool) -> Made {
    let input = map([("support", "required")]);
    key.make(&Request::make_credential().option("rk", rk).extension("largeBlob", input))
}

fn writing(request: Request, blob: &[u8], size: u64) -> Request {
    let input = map([("write", Value::from(blob)), ("originalSize", size.into())]);
    request.extension("largeBlob", input)
}

fn reading(request: Request) -> Request {
    request.extension("largeBlob", map([("read", true)]))
}

/// The output of the extension; it is not signed.
#[track_caller]
fn output(assertion: &Assertion) -> Option<Value> {
    assert_eq!(assertion.auth_data.extensions, None);
    let outputs = assertion.answer.at(8)?;
    assert_eq!(outputs.keys(), [Value::from("largeBlob")]);
    Some(outputs.get("largeBlob").clone())
}

#[track_caller]
fn write(key: &mut Key, made: &Made, request: Request, blob: &[u8]) -> bool {
    let output = output(&key.assertion_by(made, &writing(request, blob, 9))).expect("an output");
    assert_eq!(output.keys(), [Value::from("written")]);
    output.get("written").bool()
}

/// The blob, and its size before compression.
#[track_caller]
fn read(key: &mut Key, made: &Made) -> Option<(Vec<u8>, u64)> {
    let output = output(&key.assertion_by(made, &reading(made.get())))?;
    assert_eq!(output.keys(), [Value::from("blob"), "originalSize".into()]);
    Some((output.get("blob").bytes().to_vec(), output.get("originalSize").uint()))
}

/// XL-08, GI-12: such a key has no array, no key for it and no permission to write it.
#[test]
fn extension_excludes_the_array() {
    let mut key = key();
    let info = key.info();
    assert!(info.has_extension("largeBlob") && !info.has_extension("largeBlobKey"));
    assert_eq!((info.option("largeBlobs"), info.0.at(0x0B)), (None, None));
    refused(&mut key, &Request::read_blobs(0, 17), INVALID_COMMAND);
    let asking = Request::make_credential().discoverable().extension("largeBlobKey", true);
    assert_eq!(key.make(&asking).answer.at(5), None);
    key.set_pin("1234");
    assert_eq!(key.token(Protocol::Two, "1234", LBW, None), Err(UNAUTHORIZED_PERMISSION));
    assert!(!Key::with_profile(Profile::Default).info().has_extension("largeBlob"));
}

/// XL-08: both kinds of support are told, unsigned; unasked nothing is.
/// CT-XL-preferred, CT-XL-required.
#[test]
fn support_is_told() {
    let mut key = key();
    for rk in [false, true] {
        for kind in ["required", "preferred"] {
            let request = Request::make_credential().option("rk", rk);
            let made = key.make(&request.extension("largeBlob", map([("support", kind)])));
            let supported = map([("largeBlob", map([("supported", true)]))]);
            assert_eq!(made.answer.at(6), Some(&supported));
            assert_eq!(made.auth_data.extensions, None);
        }
    }
    assert_eq!(key.make(&Request::make_credential()).answer.at(6), None);
}

/// XL-08: anything else in the map of makeCredential, or no map.
/// CT-XL-mc-malformed.
#[test]
fn other_inputs_at_creation_are_refused() {
    let mut key = key();
    let support = || map([("support", "required")]);
    for input in [
        Value::Map(Vec::new()),
        map([("support", "maybe")]),
        map([("support", true)]),
        map([("support", 1)]),
        map([("Support", "required")]),
        support().with("x", 1),
        support().with("read", true),
        support().with(1, 1),
        true.into(),
        "required".into(),
        array(["support", "required"]),
        Value::Null,
    ] {
        let request = Request::make_credential().discoverable().extension("largeBlob", input);
        refused(&mut key, &request, INVALID_CBOR);
    }
}

/// XL-09: what was written is read, byte for byte and with its size, over power cycles; a later write replaces.
/// CT-XL-write.
#[test]
fn blob_is_read_as_it_was_written() {
    for rk in [false, true] {
        let mut key = key();
        let made = made(&mut key, rk);
        assert_eq!(read(&mut key, &made), None, "nothing is stored yet");
        for (blob, size) in
            [(&b"hello"[..], 5_u64), (&[7; 3000], 1 << 40), (&[], 0), (&[1; 40], 41)]
        {
            let request = writing(made.get(), blob, size);
            let written = output(&key.assertion_by(&made, &request)).unwrap();
            assert_eq!(written, map([("written", true)]));
            key.power_cycle();
            assert_eq!(read(&mut key, &made), Some((blob.to_vec(), size)));
        }
    }
}

/// XL-09: credentials made without asking for the extension have a blob too, each its own.
/// CT-XL-default.
#[test]
fn each_credential_has_its_own_blob() {
    let mut key = key();
    let all = [1, 2].map(|id| key.make(&Request::make_credential_for(RP, &[id]).discoverable()));
    for (made, blob) in all.iter().zip([b"one", b"two"]) {
        assert!(write(&mut key, made, made.get(), blob));
    }
    assert_eq!(read(&mut key, &all[0]), Some((b"one".to_vec(), 9)));
    let request = reading(Request::get_assertion(RP));
    let newest = output(&key.assertion_by(&all[1], &request)).unwrap();
    assert_eq!(newest.get("blob").bytes(), b"two");
    let next = key.next_assertion(&request);
    assert_eq!(output(&next).unwrap().get("blob").bytes(), b"one");
}

/// XL-09: without an allow list, silently, or more than fits: not written, and the blob stays.
#[test]
fn blob_that_cannot_be_written_is_not() {
    let mut key = key();
    let made = made(&mut key, true);
    assert!(write(&mut key, &made, made.get(), b"old"));
    assert!(!write(&mut key, &made, Request::get_assertion(RP), b"new"));
    assert!(!write(&mut key, &made, Request::get_assertion(RP).listing(&[]), b"new"));
    assert!(!write(&mut key, &made, made.get().option("up", false), b"new"));
    assert!(!write(&mut key, &made, made.get(), &[1; 6000]));
    key.memory().full(true);
    assert!(!write(&mut key, &made, made.get(), &[1; 3000]));
    key.memory().full(false);
    assert_eq!(read(&mut key, &made), Some((b"old".to_vec(), 9)));
}

/// XL-09: read and write together, neither, half of a write, another member or type.
/// CT-XL-ga-malformed.
#[test]
fn other_inputs_in_an_assertion_are_refused() {
    let mut key = key();
    let made = made(&mut key, true);
    let write = || map([("write", Value::from([1])), ("originalSize", 1.into())]);
    for input in [
        Value::Map(Vec::new()),
        map([("read", false)]),
        map([("read", 1)]),
        map([("write", [1])]),
        map([("originalSize", 1)]),
        write().with("read", true),
        write().with("write", "text"),
        write().with("originalSize", -1),
        write().with("x", 1),
        map([("read", true), ("x", true)]),
        map([("support", "required")]),
        true.into(),
        Value::Null,
    ] {
        refused(&mut key, &made.get().extension("largeBlob", input), INVALID_CBOR);
    }
}

/// XL-09: the blob ends with its credential: overwritten, deleted, reset; nothing of it is left in the store.
#[test]
fn blob_ends_with_its_credential() {
    let mut key = key();
    let empty = key.memory().dump().len();
    let first = made(&mut key, true);
    let records = key.memory().dump().len();
    assert!(write(&mut key, &first, first.get(), b"first"));
    assert_eq!(key.memory().dump().len(), records + 1);
    let second = made(&mut key, true);
    assert_eq!(key.memory().dump().len(), records);
    assert_eq!(key.status(&reading(first.get())), NO_CREDENTIALS);
    assert_eq!(read(&mut key, &second), None);
    assert!(write(&mut key, &second, second.get(), b"second"));
    key.set_pin("1234");
    let token = key.token(Protocol::Two, "1234", CM, None).unwrap();
    let delete = Request::credential_management(cm::DELETE_CREDENTIAL)
        .with(cm::PARAMS, map([(2, descriptor(second.id()))]));
    succeeds(&mut key, &delete.managed(&token));
    assert_eq!(key.memory().dump().len(), empty);
    key.power_cycle();
    assert_eq!(key.send(&[command::RESET]), [SUCCESS]);
    let third = made(&mut key, false);
    assert!(write(&mut key, &third, third.get(), b"third"));
    assert_eq!(key.send(&[command::RESET]), [SUCCESS]);
    for _ in 0..3 {
        key.advance(std::time::Duration::from_mins(1));
    }
    assert_eq!(key.memory().dump().len(), empty, "a reset sweeps blobs too");
}

/// XL-09: wherever the power is cut, a blob that the answer does not tell of as written is not there.
#[test]
fn what_is_not_told_as_written_is_not() {
    for (rk, cut) in [true, false].into_iter().flat_map(|rk| [0, 1].map(|cut| (rk, cut))) {
        let mut key = key();
        let made = made(&mut key, rk);
        key.power_cycle();
        key.memory().cut_power(Cut::Before(cut));
        let answer = key.send(&writing(made.get(), b"new", 3).bytes());
        assert!(key.memory().is_dead(), "two writes");
        let told = answer[0] == SUCCESS && {
            let answer = softkey_tests::cbor::walk(&answer[1..]).unwrap();
            answer.get(8).get("largeBlob").get("written").bool()
        };
        assert!(!told, "rk {rk}, {cut}");
        key.power_cycle();
        assert_eq!(read(&mut key, &made), None, "rk {rk}, {cut}");
    }
}

/// XL-09: the blob ends with its credential also while the key does not offer the extension.
#[test]
fn blob_ends_with_its_credential_under_another_profile() {
    let another = Setup { profile: Profile::Default, ..Setup::default() };
    for replaced in [true, false] {
        let mut key = key();
        let empty = key.memory().dump().len();
        let first = made(&mut key, true);
        let records = key.memory().dump().len();
        assert!(write(&mut key, &first, first.get(), b"first"));
        key.power_cycle_as(another);
        if replaced {
            key.make(&Request::make_credential().discoverable());
            assert_eq!(key.memory().dump().len(), records);
        } else {
            key.set_pin("1234");
            let token = key.token(Protocol::Two, "1234", CM, None).unwrap();
            let delete = Request::credential_management(cm::DELETE_CREDENTIAL)
                .with(cm::PARAMS, map([(2, descriptor(first.id()))]));
            succeeds(&mut key, &delete.managed(&token));
            assert_eq!(key.memory().dump().len(), empty);
        }
    }
}
