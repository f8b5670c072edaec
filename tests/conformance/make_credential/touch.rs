//! The touch: asked for once, late, and in vain.

use std::time::Duration;

use softkey_tests::cbor::{Value, map};
use softkey_tests::checks::{no_account, refused, refused_after_prompt_and_unharmed, succeeds};
use softkey_tests::request::{algorithms, mc};
use softkey_tests::status::{
    CBOR_UNEXPECTED_TYPE, INVALID_OPTION, KEEPALIVE_CANCEL, MISSING_PARAMETER, OPERATION_DENIED,
    PIN_NOT_SET, UNSUPPORTED_ALGORITHM, USER_ACTION_TIMEOUT,
};
use softkey_tests::{Key, Request, User};

const TOUCH_TIMEOUT: Duration = Duration::from_secs(30);

fn request() -> Request {
    Request::make_credential().discoverable()
}

/// MC-33: nobody touches the key for 30 s.
#[test]
fn no_touch_in_time_makes_nothing() {
    let mut key = Key::fresh();
    key.user(User::StaysAway);
    refused_after_prompt_and_unharmed(&mut key, &request(), USER_ACTION_TIMEOUT);
    key.user(User::Approves);
    no_account(&mut key, "example.com");
}

/// MC-33: the touch is waited for 30 s: a touch just before is in time, and the answer of a wait in vain comes
/// at its end.
#[test]
fn touch_is_waited_for_thirty_seconds() {
    let mut key = Key::fresh();
    key.user(User::ApprovesAfter(TOUCH_TIMEOUT.checked_sub(Duration::from_millis(1)).unwrap()));
    succeeds(&mut key, &request());
    key.user(User::StaysAway);
    key.post(&request().bytes());
    key.advance(TOUCH_TIMEOUT.checked_sub(Duration::from_millis(1)).unwrap());
    assert_eq!(key.answer(), None);
    key.advance(Duration::from_millis(1));
    assert_eq!(key.answer(), Some(vec![USER_ACTION_TIMEOUT]));
}

/// MC-34: the user refuses.
#[test]
fn refusal_makes_nothing() {
    let mut key = Key::fresh();
    key.user(User::Refuses);
    refused_after_prompt_and_unharmed(&mut key, &request(), OPERATION_DENIED);
    key.user(User::Approves);
    no_account(&mut key, "example.com");
}

/// HID-39: a cancelled request makes nothing.
#[test]
fn cancelled_request_makes_nothing() {
    let mut key = Key::fresh();
    key.user(User::StaysAway);
    let commits = key.commits();
    key.post(&request().bytes());
    assert_eq!(key.cancel(), Some(vec![KEEPALIVE_CANCEL]));
    assert_eq!(key.cancel(), None, "a second CANCEL is silent");
    assert_eq!(key.commits(), commits);
    key.user(User::Approves);
    no_account(&mut key, "example.com");
    succeeds(&mut key, &request());
}

/// HID-37: CANCEL from another client has no effect on the wait.
#[test]
fn cancel_from_another_client_is_ignored() {
    let mut key = Key::fresh();
    let (owner, other) = (key.channel(), key.open_channel());
    key.user(User::ApprovesAfter(Duration::from_secs(3)));
    key.post(&request().bytes());
    key.switch_to(other);
    assert_eq!(key.cancel(), None);
    key.advance(Duration::from_secs(3));
    assert_eq!(key.answer(), None);
    key.switch_to(owner);
    assert_eq!(key.answer().unwrap()[0], 0);
}

/// HID-43: INIT on the waiting channel ends the wait, and no answer comes late.
#[test]
fn init_ends_the_wait_in_silence() {
    let mut key = Key::fresh();
    key.user(User::ApprovesAfter(Duration::from_secs(3)));
    key.post(&request().bytes());
    key.init();
    key.advance(Duration::from_mins(1));
    assert_eq!(key.answer(), None);
    key.user(User::Approves);
    no_account(&mut key, "example.com");
    succeeds(&mut key, &request());
}

/// MC-35: a request that is refused anyway does not bother the user. (`refused` counts the prompts; the
/// refusals of all other tests are counted too.)
#[test]
fn faulty_requests_ask_for_no_touch() {
    let mut key = Key::fresh();
    let good = Request::make_credential;
    refused(&mut key, &good().with(mc::CLIENT_DATA_HASH, 1), CBOR_UNEXPECTED_TYPE);
    refused(&mut key, &good().without(mc::USER), MISSING_PARAMETER);
    let unsupported = good().with(mc::PUB_KEY_CRED_PARAMS, algorithms(&[-1]));
    refused(&mut key, &unsupported, UNSUPPORTED_ALGORITHM);
    refused(&mut key, &good().with_param(&[0; 32], 2), PIN_NOT_SET);
    refused(&mut key, &good().extension("credProtect", 4), INVALID_OPTION);
    refused(&mut key, &good().extension("hmac-secret", 1), CBOR_UNEXPECTED_TYPE);
    let no_rp_id = good().with(mc::RP, map([("name", Value::from("x"))]));
    refused(&mut key, &no_rp_id, MISSING_PARAMETER);
}

/// MC-36: one touch serves one request; the next asks again.
#[test]
fn each_request_asks_for_its_own_touch() {
    let mut key = Key::fresh();
    for done in 1..=3 {
        succeeds(&mut key, &Request::make_credential());
        assert_eq!(key.prompts(), done);
    }
    key.user(User::StaysAway);
    key.post(&request().bytes());
    assert_eq!(key.answer(), None, "the touches before do not count");
    assert_eq!(key.cancel(), Some(vec![KEEPALIVE_CANCEL]));
}

/// HID-40: while the user is awaited, a keepalive with status 2 comes within 100 ms and at least every 100 ms.
/// CT-HID-keepalive.
#[test]
fn keepalives_say_that_the_user_is_needed() {
    let (mut key, patience) = (Key::fresh(), Duration::from_secs(5));
    key.user(User::ApprovesAfter(patience));
    key.post(&request().bytes());
    key.advance(Duration::from_millis(100));
    let mut heard = key.keepalives();
    assert!(!heard.is_empty(), "silence for 100 ms");
    key.advance(patience);
    assert_eq!(key.answer().unwrap()[0], 0);
    heard.extend(key.keepalives());
    for pair in heard.windows(2) {
        let again = pair[0].status == pair[1].status;
        assert!(!again || pair[0].at < pair[1].at, "the same twice at once: {pair:?}");
    }
    let touched = heard[0].at + patience;
    // From the touch on the key may say that it is at work.
    heard.retain(|keepalive| keepalive.at < touched);
    assert!(heard.iter().all(|keepalive| keepalive.status == 2), "{heard:?}");
    assert!(heard.len() >= 50, "{} in 5 s", heard.len());
    for pair in heard.windows(2) {
        assert!(pair[1].at.duration_since(pair[0].at) <= Duration::from_millis(100), "{pair:?}");
    }
}

/// HID-24: while the user is awaited, another client is told to come back later, and the wait goes on.
#[test]
fn another_client_is_told_to_wait() {
    const CHANNEL_BUSY: u8 = 0x06;
    let mut key = Key::fresh();
    let (owner, other) = (key.channel(), key.open_channel());
    key.user(User::ApprovesAfter(Duration::from_secs(3)));
    key.post(&request().bytes());
    key.switch_to(other);
    key.post(&[softkey_tests::request::command::GET_INFO]);
    assert_eq!((key.answer(), key.error()), (None, Some(CHANNEL_BUSY)));
    key.switch_to(owner);
    key.advance(Duration::from_secs(3));
    assert_eq!(key.answer().unwrap()[0], 0);
    key.switch_to(other);
    key.info();
}
