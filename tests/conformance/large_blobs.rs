//! authenticatorLargeBlobs (LB).

mod authorization;
mod plants;
mod reading;
mod storage;
mod writing;

use softkey_tests::cbor::Value;
use softkey_tests::key::Profile;
use softkey_tests::parts::{checked, unhex};
use softkey_tests::pin::{Protocol, Token};
use softkey_tests::platform::permission::LBW;
use softkey_tests::status::SUCCESS;
use softkey_tests::{Key, Request};

const PIN: &str = "1234";

/// A serialized array of `length` bytes whose content differs with `fill`: content, then the first 16 bytes of its
/// SHA-256.
pub(crate) fn array_of(length: usize, fill: u8) -> Vec<u8> {
    let mut state = fill;
    let array: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(5).wrapping_add(fill | 1);
        state
    })
    .take(length - 16)
    .collect();
    checked(&array)
}

fn initial() -> Vec<u8> {
    unhex("8076be8b528d0075f7aae98d6fa57a6d3c")
}

/// maxSerializedLargeBlobArray.
fn capacity(key: &mut Key) -> usize {
    let info = key.info();
    assert_eq!(info.option("largeBlobs"), Some(true));
    usize::try_from(info.0.get(0x0B).uint()).unwrap()
}

/// maxFragmentLength.
fn max_fragment(key: &mut Key) -> u64 {
    key.info().0.at(5).map_or(1024, Value::uint) - 64
}

#[track_caller]
pub(crate) fn read(key: &mut Key, offset: usize, get: usize) -> Vec<u8> {
    let request = Request::read_blobs(u64::try_from(offset).unwrap(), u64::try_from(get).unwrap());
    let answer = key.ok(&request);
    assert_eq!(answer.keys(), [Value::from(1)]);
    answer.get(1).bytes().to_vec()
}

/// The whole stored array.
#[track_caller]
pub(crate) fn stored(key: &mut Key) -> Vec<u8> {
    read(key, 0, 7000)
}

/// The requests that write an array in fragments of at most `size` bytes.
fn fragments(array: &[u8], size: usize) -> Vec<Request> {
    let mut offset = 0;
    let mut requests = Vec::new();
    for fragment in array.chunks(size) {
        let length = (offset == 0).then_some(array.len());
        requests.push(Request::write_blobs(offset, fragment, length));
        offset += fragment.len();
    }
    requests
}

/// Writes an array, with a token if there is one; each fragment must succeed with a bare status.
#[track_caller]
pub(crate) fn write(key: &mut Key, token: Option<&Token>, array: &[u8], size: usize) {
    for request in fragments(array, size) {
        let request = match token {
            Some(token) => request.blob_authorized(token),
            None => request,
        };
        assert_eq!(key.send(&request.bytes()), [SUCCESS], "to {request:?}");
    }
}

fn with_pin() -> (Key, Token) {
    let mut key = Key::with_profile(Profile::Default);
    key.set_pin(PIN);
    let token = lbw_token(&mut key);
    (key, token)
}

fn lbw_token(key: &mut Key) -> Token {
    key.token(Protocol::Two, PIN, LBW, None).unwrap()
}
