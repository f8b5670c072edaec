//! authenticatorBioEnrollment (BE).

mod authorization;
mod capturing;
mod fingers;
mod plants;
mod preview;
mod verification;

use softkey_tests::cbor::{Value, map};
use softkey_tests::key::{Profile, SAMPLES};
use softkey_tests::pin::{Protocol, Token};
use softkey_tests::platform::permission::BE;
use softkey_tests::request::be;
use softkey_tests::{Key, Request, User};

const PIN: &str = "1234";

/// Members of the answers.
const TEMPLATE_ID: i64 = 4;
const LAST_STATUS: i64 = 5;
const REMAINING: i64 = 6;
const TEMPLATE_INFOS: i64 = 7;

/// A key with a sensor, a PIN and no finger.
fn with_pin() -> Key {
    let mut key = Key::with_profile(Profile::Fingerprint);
    key.set_pin(PIN);
    key
}

fn be_token(key: &mut Key) -> Token {
    key.token(Protocol::Two, PIN, BE, None).unwrap()
}

fn begin_unsigned() -> Request {
    Request::bio_enrollment(be::ENROLL_BEGIN)
}

fn begin(token: &Token) -> Request {
    begin_unsigned().bio_authorized(token)
}

fn next_unsigned(id: &[u8]) -> Request {
    Request::bio_enrollment(be::ENROLL_CAPTURE_NEXT_SAMPLE)
        .with(be::PARAMS, map([(be::TEMPLATE_ID, id)]))
}

fn next(token: &Token, id: &[u8]) -> Request {
    next_unsigned(id).bio_authorized(token)
}

fn enumerate(token: &Token) -> Request {
    Request::bio_enrollment(be::ENUMERATE_ENROLLMENTS).bio_authorized(token)
}

fn rename_unsigned(id: &[u8], name: &str) -> Request {
    let params = map([(be::TEMPLATE_ID, Value::from(id)), (be::FRIENDLY_NAME, name.into())]);
    Request::bio_enrollment(be::SET_FRIENDLY_NAME).with(be::PARAMS, params)
}

fn rename(token: &Token, id: &[u8], name: &str) -> Request {
    rename_unsigned(id, name).bio_authorized(token)
}

fn remove_unsigned(id: &[u8]) -> Request {
    Request::bio_enrollment(be::REMOVE_ENROLLMENT).with(be::PARAMS, map([(be::TEMPLATE_ID, id)]))
}

fn remove(token: &Token, id: &[u8]) -> Request {
    remove_unsigned(id).bio_authorized(token)
}

/// enrollBegin with a good sample: the new template's id.
#[track_caller]
fn begun(key: &mut Key, token: &Token) -> Vec<u8> {
    let answer = key.ok(&begin(token));
    assert_eq!(answer.keys(), [TEMPLATE_ID, LAST_STATUS, REMAINING].map(Value::from));
    assert_eq!(answer.get(LAST_STATUS).uint(), 0);
    assert_eq!(answer.get(REMAINING).uint(), u64::from(SAMPLES) - 1);
    answer.get(TEMPLATE_ID).bytes().to_vec()
}

/// What enrollCaptureNextSample says: the sample's status, and how many good ones are still needed.
#[track_caller]
fn sampled(key: &mut Key, token: &Token, id: &[u8]) -> (u64, u64) {
    let answer = key.ok(&next(token, id));
    assert_eq!(answer.keys(), [LAST_STATUS, REMAINING].map(Value::from));
    (answer.get(LAST_STATUS).uint(), answer.get(REMAINING).uint())
}

/// Enrolls this finger and gives its template's id.
#[track_caller]
fn enroll(key: &mut Key, token: &Token, finger: u64) -> Vec<u8> {
    let user = key.current_user();
    key.user(User::Finger(finger));
    let id = begun(key, token);
    for remaining in (0..u64::from(SAMPLES) - 1).rev() {
        assert_eq!(sampled(key, token, &id), (0, remaining));
    }
    key.user(user);
    id
}

/// The templates with their names, as they are listed.
#[track_caller]
fn listed(key: &mut Key, token: &Token) -> Vec<(Vec<u8>, String)> {
    let answer = key.ok(&enumerate(token));
    assert_eq!(answer.keys(), [Value::from(TEMPLATE_INFOS)]);
    let infos = answer.get(TEMPLATE_INFOS).items();
    let info = |info: &Value| (info.get(1).bytes().to_vec(), info.get(2).text().to_owned());
    infos.iter().map(info).collect()
}
