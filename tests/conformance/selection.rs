//! authenticatorSelection (SE).

use std::time::Duration;

use softkey_tests::checks::{refused_after_prompt_and_unharmed, snapshot};
use softkey_tests::pin::Protocol;
use softkey_tests::request::command;
use softkey_tests::status::{
    KEEPALIVE_CANCEL, OPERATION_DENIED, PIN_AUTH_BLOCKED, PIN_INVALID, SUCCESS, USER_ACTION_TIMEOUT,
};
use softkey_tests::{Key, Request, User};

const SELECTION: [u8; 1] = [command::SELECTION];

/// SE-01: a touch, at once or late, gives success without a body.
#[test]
fn touch_gives_success_without_a_body() {
    let mut key = Key::fresh();
    for (asked, user) in [(1, User::Approves), (2, User::ApprovesAfter(Duration::from_secs(29)))] {
        key.user(user);
        assert_eq!(key.send(&SELECTION), [SUCCESS]);
        assert_eq!(key.prompts(), asked);
    }
}

/// SE-02: nobody touches the key for 30 s.
#[test]
fn no_touch_in_time() {
    let mut key = Key::fresh();
    key.user(User::StaysAway);
    key.post(&SELECTION);
    key.advance(Duration::from_millis(29_999));
    assert_eq!(key.answer(), None);
    key.advance(Duration::from_millis(1));
    assert_eq!(key.answer(), Some(vec![USER_ACTION_TIMEOUT]));
    refused_after_prompt_and_unharmed(
        &mut key,
        &Request::bare(command::SELECTION),
        USER_ACTION_TIMEOUT,
    );
}

/// SE-03: the user refuses.
#[test]
fn refusal() {
    let mut key = Key::fresh();
    key.user(User::Refuses);
    refused_after_prompt_and_unharmed(
        &mut key,
        &Request::bare(command::SELECTION),
        OPERATION_DENIED,
    );
}

/// SE-04: the client cancels; HID-38.
/// CT-HID-cancel-selection.
#[test]
fn cancel() {
    let mut key = Key::fresh();
    key.user(User::StaysAway);
    key.post(&SELECTION);
    assert_eq!(key.cancel(), Some(vec![KEEPALIVE_CANCEL]));
    assert_eq!(key.cancel(), None);
    key.user(User::Approves);
    assert_eq!(key.send(&SELECTION), [SUCCESS]);
}

/// SE-05: it changes nothing, and works with the PIN blocked.
#[test]
fn changes_nothing_and_works_with_the_pin_blocked() {
    let mut key = Key::fresh();
    key.set_pin("1234");
    for status in [PIN_INVALID, PIN_INVALID, PIN_AUTH_BLOCKED] {
        assert_eq!(key.pin_token(Protocol::Two, "9999"), Err(status));
    }
    let (before, commits) = (snapshot(&mut key), key.commits());
    assert_eq!(key.send(&SELECTION), [SUCCESS]);
    assert_eq!((snapshot(&mut key), key.commits()), (before, commits));
}
