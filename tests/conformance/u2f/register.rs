//! `U2F_REGISTER`.

use std::time::{Duration, SystemTime};

use softkey_tests::status::word;
use softkey_tests::u2f::{REGISTER, extended, register, status_word};
use softkey_tests::verify::{certificate_point, valid_at};
use softkey_tests::{Key, User};

use super::{CHALLENGE, application, registered};

/// UF-06: data of another length than 64.
#[test]
fn data_of_other_length_is_refused() {
    let mut key = Key::fresh();
    for length in [0, 1, 32, 63, 65, 128, 300] {
        assert_eq!(key.u2f(&extended(REGISTER, 0, &vec![1; length])), [0x67, 0x00], "{length}");
    }
    assert_eq!(key.prompts(), 0);
}

/// UF-07: without a touch 6985, as often as it is asked, and one prompt for all of it.
#[test]
fn untouched_key_asks_for_patience() {
    let mut key = Key::fresh();
    key.user(User::StaysAway);
    for _ in 0..20 {
        let word = status_word(&key.u2f(&register(&application(), &CHALLENGE)));
        assert_eq!(word, word::CONDITIONS_NOT_SATISFIED);
        key.advance(Duration::from_millis(300));
    }
    assert_eq!(key.prompts(), 1, "polls for the same keep one question open");
}

/// UF-07: one touch, one success; the next registration asks again.
#[test]
fn one_touch_serves_one_registration() {
    let mut key = Key::fresh();
    let request = register(&application(), &CHALLENGE);
    for asked in 1..=3 {
        assert_eq!(status_word(&key.u2f(&request)), word::CONDITIONS_NOT_SATISFIED);
        assert_eq!(status_word(&key.u2f(&request)), word::NO_ERROR);
        assert_eq!(key.prompts(), asked);
    }
}

/// UF-07: a touch is good for 10 s.
#[test]
fn touch_is_good_for_ten_seconds() {
    for (wait, expected) in [(9_900, word::NO_ERROR), (10_100, word::CONDITIONS_NOT_SATISFIED)] {
        let mut key = Key::fresh();
        let request = register(&application(), &CHALLENGE);
        assert_eq!(status_word(&key.u2f(&request)), word::CONDITIONS_NOT_SATISFIED);
        key.advance(Duration::from_millis(wait));
        assert_eq!(status_word(&key.u2f_once(&request)), expected, "after {wait} ms");
    }
}

/// UF-07: 2 s without a poll withdraw the question; a touch after that is for nothing.
#[test]
fn question_is_withdrawn_when_nobody_polls() {
    let mut key = Key::fresh();
    key.user(User::ApprovesAfter(Duration::from_millis(2_100)));
    let request = register(&application(), &CHALLENGE);
    assert_eq!(status_word(&key.u2f(&request)), word::CONDITIONS_NOT_SATISFIED);
    key.advance(Duration::from_millis(2_200));
    key.user(User::StaysAway);
    assert_eq!(status_word(&key.u2f(&request)), word::CONDITIONS_NOT_SATISFIED);
    assert_eq!(key.prompts(), 2);
    key.power_cycle();
    key.user(User::ApprovesAfter(Duration::from_millis(2_100)));
    for _ in 0..2 {
        assert_eq!(status_word(&key.u2f(&request)), word::CONDITIONS_NOT_SATISFIED);
        key.advance(Duration::from_millis(1_900));
    }
    assert_eq!(status_word(&key.u2f(&request)), word::NO_ERROR, "the poll in between kept it open");
}

/// UF-07: a refusal is no touch, and a touch for one party serves no other.
#[test]
fn refusal_and_touch_for_another_party_do_not_count() {
    let mut key = Key::fresh();
    key.user(User::Refuses);
    let request = register(&application(), &CHALLENGE);
    for _ in 0..3 {
        assert_eq!(status_word(&key.u2f(&request)), word::CONDITIONS_NOT_SATISFIED);
    }
    key.user(User::Approves);
    assert_eq!(status_word(&key.u2f(&request)), word::CONDITIONS_NOT_SATISFIED);
    key.user(User::StaysAway);
    let other = register(&[7; 32], &CHALLENGE);
    assert_eq!(status_word(&key.u2f(&other)), word::CONDITIONS_NOT_SATISFIED);
}

/// UF-07: a client that asks for something else has given up what it asked for before: the user is asked anew, and
/// a touch not yet fetched is gone.
#[test]
fn client_that_moves_on_is_asked_for_anew() {
    for user in [User::StaysAway, User::Refuses, User::Approves] {
        let mut key = Key::fresh();
        key.user(user);
        let first = register(&application(), &CHALLENGE);
        assert_eq!(status_word(&key.u2f(&first)), word::CONDITIONS_NOT_SATISFIED);
        key.user(User::Approves);
        let second = register(&[7; 32], &CHALLENGE);
        assert_eq!(status_word(&key.u2f(&second)), word::CONDITIONS_NOT_SATISFIED);
        assert_eq!(key.prompts(), 2, "{user:?}");
        assert_eq!(status_word(&key.u2f(&second)), word::NO_ERROR);
        assert_eq!(status_word(&key.u2f_once(&first)), word::CONDITIONS_NOT_SATISFIED);
    }
}

/// UF-07: another client's question does not take the place of one that is polled for, nor use its touch; once
/// nobody has polled for 2 s it does.
#[test]
fn another_clients_question_waits_for_its_turn() {
    let mut key = Key::fresh();
    let (owner, other) = (key.channel(), key.open_channel());
    key.user(User::ApprovesAfter(Duration::from_millis(1_500)));
    let (first, second) = (register(&application(), &CHALLENGE), register(&[7; 32], &CHALLENGE));
    for _ in 0..4 {
        key.switch_to(owner);
        assert_eq!(status_word(&key.u2f(&first)), word::CONDITIONS_NOT_SATISFIED);
        key.switch_to(other);
        assert_eq!(status_word(&key.u2f(&second)), word::CONDITIONS_NOT_SATISFIED);
        key.advance(Duration::from_millis(450));
    }
    assert_eq!(key.prompts(), 1);
    key.switch_to(owner);
    assert_eq!(status_word(&key.u2f(&first)), word::NO_ERROR);
    // The next question is answered at once, and nobody fetches the touch.
    key.user(User::Approves);
    assert_eq!(status_word(&key.u2f(&first)), word::CONDITIONS_NOT_SATISFIED);
    key.switch_to(other);
    key.advance(Duration::from_millis(1_900));
    assert_eq!(status_word(&key.u2f(&second)), word::CONDITIONS_NOT_SATISFIED);
    assert_eq!(key.prompts(), 2);
    key.advance(Duration::from_millis(200));
    assert_eq!(status_word(&key.u2f(&second)), word::CONDITIONS_NOT_SATISFIED);
    assert_eq!(key.prompts(), 3);
    assert_eq!(status_word(&key.u2f(&second)), word::NO_ERROR);
}

/// UF-08, UF-09: the parts are all there, the signature verifies, and no two registrations are alike.
#[test]
fn registrations_verify_and_differ() {
    let mut key = Key::fresh();
    let mut seen = Vec::new();
    for _ in 0..4 {
        let registration = registered(&mut key, &application());
        assert!((1..=255).contains(&registration.handle.len()));
        assert!(!seen.contains(&registration.handle) && !seen.contains(&registration.public_key));
        seen.extend([registration.handle, registration.public_key]);
    }
}

/// UF-13: the first parameter is ignored, 0x03 of old clients and any other.
#[test]
fn first_parameter_is_ignored() {
    let mut key = Key::fresh();
    let data = [CHALLENGE, application()].concat();
    for p1 in [0x03, 0x07, 0x80, 0xFF] {
        let answer = key.u2f_polling(&extended(REGISTER, p1, &data));
        let _ = softkey_tests::u2f::Registration::parse(&answer, &application(), &CHALLENGE);
    }
}

/// UF-23: a PIN that is set changes nothing.
#[test]
fn pin_changes_nothing() {
    let mut key = Key::fresh();
    key.set_pin("1234");
    registered(&mut key, &application());
}

/// UF-24: the certificate has a key on P-256 and is valid on this day of the real calendar.
#[test]
fn certificate_is_on_p256_and_valid() {
    let mut key = Key::fresh();
    let registration = registered(&mut key, &application());
    assert_eq!(certificate_point(&registration.certificate).len(), 65);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    assert!(valid_at(&registration.certificate, now));
    assert!(valid_at(&registration.certificate, now + 365 * 24 * 3_600), "and for a year to come");
}
