//! Samples, good and bad, and how an enrollment ends.

use std::time::Duration;

use softkey_tests::cbor::map;
use softkey_tests::checks::{refused_and_token_kept, still_works};
use softkey_tests::key::{Cut, FINGERS, Profile};
use softkey_tests::pin::Protocol;
use softkey_tests::platform::permission::BE;
use softkey_tests::request::{be, command};
use softkey_tests::status::{
    FP_DATABASE_FULL, INVALID_OPTION, KEEPALIVE_CANCEL, OPERATION_DENIED, PIN_AUTH_INVALID, SUCCESS,
};
use softkey_tests::{Key, Request, User};

use super::{
    LAST_STATUS, PIN, REMAINING, TEMPLATE_ID, be_token, begin, begin_unsigned, begun, enroll,
    enumerate, listed, next, next_unsigned, sampled, with_pin,
};

/// No activity on the sensor.
const NO_USER_ACTIVITY: u64 = 0x0D;

fn cancel_enrollment(key: &mut Key) -> u8 {
    key.status(&Request::bio_enrollment(be::CANCEL_CURRENT_ENROLLMENT))
}

/// BE-08: a finger is stored with its last sample, in one write; until then nothing is.
/// CT-BE-enroll.
#[test]
fn finger_is_stored_with_its_last_sample() {
    let mut key = with_pin();
    let token = be_token(&mut key);
    let commits = key.commits();
    let prompts = key.prompts();
    let id = begun(&mut key, &token);
    assert!(!id.is_empty());
    assert_eq!(sampled(&mut key, &token, &id), (0, 1));
    assert_eq!(key.status(&enumerate(&token)), INVALID_OPTION);
    assert_eq!(key.info().option("bioEnroll"), Some(false));
    assert_eq!(key.commits(), commits);
    assert_eq!(sampled(&mut key, &token, &id), (0, 0));
    assert_eq!(key.commits(), commits + 1);
    assert_eq!(key.prompts(), prompts + 3, "each sample is asked for");
    assert_eq!(listed(&mut key, &token), [(id.clone(), String::new())]);
    assert_eq!(key.info().option("bioEnroll"), Some(true));
    refused_and_token_kept(&mut key, &next(&token, &id), INVALID_OPTION);
    assert_ne!(enroll(&mut key, &token, 2), id);
}

/// BE-09: a bad sample is no error: its status is told, and as many good ones are needed as before.
#[test]
fn bad_samples_do_not_count() {
    let mut key = with_pin();
    let token = be_token(&mut key);
    for status in 1..=0x0E {
        key.user(User::Smudges(status));
        let answer = key.ok(&begin(&token));
        assert_eq!(answer.get(LAST_STATUS).uint(), status);
        assert_eq!(answer.get(REMAINING).uint(), 3);
        let id = answer.get(TEMPLATE_ID).bytes().to_vec();
        key.user(User::Approves);
        assert_eq!(sampled(&mut key, &token, &id), (0, 2));
        key.user(User::Smudges(status));
        assert_eq!(sampled(&mut key, &token, &id), (status, 2));
    }
    assert_eq!(key.status(&enumerate(&token)), INVALID_OPTION);
}

/// BE-10: the samples must be of one finger, and of one that is not enrolled yet.
#[test]
fn other_fingers_and_known_ones_do_not_count() {
    let mut key = with_pin();
    let token = be_token(&mut key);
    let first = enroll(&mut key, &token, 1);
    let answer = key.ok(&begin(&token));
    assert_eq!((answer.get(LAST_STATUS).uint(), answer.get(REMAINING).uint()), (0x0B, 3));
    let second = answer.get(TEMPLATE_ID).bytes().to_vec();
    key.user(User::Finger(2));
    assert_eq!(sampled(&mut key, &token, &second), (0, 2));
    key.user(User::Finger(3));
    assert_eq!(sampled(&mut key, &token, &second), (0x0A, 2));
    key.user(User::Finger(1));
    assert_eq!(sampled(&mut key, &token, &second), (0x0B, 2));
    key.user(User::Finger(2));
    assert_eq!(sampled(&mut key, &token, &second), (0, 1));
    assert_eq!(sampled(&mut key, &token, &second), (0, 0));
    let ids: Vec<_> = listed(&mut key, &token).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, [first, second]);
}

/// BE-11: nobody touches the sensor: the platform says for how long that is waited for, up to 30 s.
#[test]
fn nobody_there_is_told_after_the_platforms_time() {
    let mut key = with_pin();
    let token = be_token(&mut key);
    key.user(User::StaysAway);
    let cases = [(Some(5_000), 5_000), (Some(0), 0), (Some(90_000), 30_000), (None, 30_000)];
    for (asked, waited) in cases {
        let request = match asked {
            Some(ms) => begin_unsigned().with(be::PARAMS, map([(be::TIMEOUT_MILLISECONDS, ms)])),
            None => begin_unsigned(),
        };
        key.post(&request.bio_authorized(&token).bytes());
        if waited > 0 {
            key.advance(Duration::from_millis(waited - 1));
            assert_eq!(key.answer(), None);
        }
        key.advance(Duration::from_millis(1));
        let answer = key.answer().expect("the time is over");
        assert_eq!(answer[0], SUCCESS);
        let answer = softkey_tests::cbor::walk(&answer[1..]).unwrap();
        assert_eq!(answer.get(LAST_STATUS).uint(), NO_USER_ACTIVITY);
        assert_eq!(answer.get(REMAINING).uint(), 3);
        let id = answer.get(TEMPLATE_ID).bytes().to_vec();
        let params = map([(1, softkey_tests::cbor::Value::from(&id[..])), (3, 1_000.into())]);
        key.post(&next_unsigned(&id).with(be::PARAMS, params).bio_authorized(&token).bytes());
        key.advance(Duration::from_secs(1));
        assert!(key.answer().is_some_and(|answer| answer[0] == SUCCESS));
        key.user(User::Approves);
        assert_eq!(sampled(&mut key, &token, &id), (0, 2));
        key.user(User::StaysAway);
    }
}

/// BE-11: a refusal and a CANCEL end the request, not the enrollment; before the first sample there is none.
#[test]
fn refused_or_cancelled_sample_leaves_the_enrollment() {
    let mut key = with_pin();
    let token = be_token(&mut key);
    key.user(User::Refuses);
    assert_eq!(key.status(&begin(&token)), OPERATION_DENIED);
    key.user(User::Approves);
    let id = begun(&mut key, &token);
    key.user(User::Refuses);
    assert_eq!(key.status(&next(&token, &id)), OPERATION_DENIED);
    key.user(User::StaysAway);
    key.post(&next(&token, &id).bytes());
    assert!(key.keepalives().iter().any(|keepalive| keepalive.status == 2));
    assert_eq!(key.cancel(), Some(vec![KEEPALIVE_CANCEL]));
    key.user(User::Approves);
    assert_eq!(sampled(&mut key, &token, &id), (0, 1));
    assert_eq!(sampled(&mut key, &token, &id), (0, 0));
}

/// BE-12: cancelCurrentEnrollment succeeds always, without a token; what was under way on this channel
/// is over, on another it goes on.
/// CT-BE-cancel.
#[test]
fn enrollment_can_be_cancelled() {
    let mut key = with_pin();
    assert_eq!(cancel_enrollment(&mut key), SUCCESS);
    let token = be_token(&mut key);
    let id = begun(&mut key, &token);
    assert_eq!(cancel_enrollment(&mut key), SUCCESS);
    refused_and_token_kept(&mut key, &next(&token, &id), INVALID_OPTION);
    let id = begun(&mut key, &token);
    let (own, other) = (key.channel(), key.open_channel());
    key.switch_to(other);
    assert_eq!(cancel_enrollment(&mut key), SUCCESS);
    refused_and_token_kept(&mut key, &next(&token, &id), INVALID_OPTION);
    key.switch_to(own);
    assert_eq!(sampled(&mut key, &token, &id), (0, 1));
    assert_eq!(cancel_enrollment(&mut key), SUCCESS);
    assert_eq!(key.status(&enumerate(&token)), INVALID_OPTION);
    assert_eq!(cancel_enrollment(&mut key), SUCCESS);
}

/// BE-13: an enrollment is over when another begins, when its token is void, and when its client starts anew.
#[test]
fn enrollment_ends_with_what_began_it() {
    let mut key = with_pin();
    let token = be_token(&mut key);
    let first = begun(&mut key, &token);
    refused_and_token_kept(&mut key, &next(&token, &[0; 16]), INVALID_OPTION);
    let second = begun(&mut key, &token);
    refused_and_token_kept(&mut key, &next(&token, &first), INVALID_OPTION);
    assert_eq!(sampled(&mut key, &token, &second), (0, 1));
    let other = be_token(&mut key);
    refused_and_token_kept(&mut key, &next(&token, &second), PIN_AUTH_INVALID);
    refused_and_token_kept(&mut key, &next(&other, &second), INVALID_OPTION);
    let third = begun(&mut key, &other);
    key.init();
    refused_and_token_kept(&mut key, &next(&other, &third), INVALID_OPTION);
    let fourth = begun(&mut key, &other);
    key.power_cycle();
    let token = be_token(&mut key);
    refused_and_token_kept(&mut key, &next(&token, &fourth), INVALID_OPTION);
    assert_eq!(key.status(&enumerate(&token)), INVALID_OPTION);
}

/// BE-13: an enrollment is over when another is asked for, though the user refuses its first sample.
#[test]
fn enrollment_ends_with_another_that_is_refused() {
    let mut key = with_pin();
    let token = be_token(&mut key);
    let first = begun(&mut key, &token);
    key.user(User::Refuses);
    assert_eq!(key.status(&begin(&token)), OPERATION_DENIED);
    key.user(User::Approves);
    refused_and_token_kept(&mut key, &next(&token, &first), INVALID_OPTION);
}

/// BE-13: other commands in between, on any channel, are no harm.
#[test]
fn enrollment_outlives_other_commands() {
    let mut key = with_pin();
    let token = be_token(&mut key);
    let id = begun(&mut key, &token);
    key.info();
    let (own, other) = (key.channel(), key.open_channel());
    key.switch_to(other);
    assert_eq!(key.send(&[command::SELECTION]), [SUCCESS]);
    key.switch_to(own);
    assert_eq!(sampled(&mut key, &token, &id), (0, 1));
    assert_eq!(key.retries(), 8);
    assert_eq!(sampled(&mut key, &token, &id), (0, 0));
}

/// BE-14: there is room for so many; removing one makes room.
#[test]
fn full_sensor_takes_no_further_finger() {
    let mut key = with_pin();
    let token = be_token(&mut key);
    let ids: Vec<_> =
        (1..=u64::from(FINGERS)).map(|finger| enroll(&mut key, &token, finger)).collect();
    refused_and_token_kept(&mut key, &begin(&token), FP_DATABASE_FULL);
    assert_eq!(listed(&mut key, &token).len(), ids.len());
    assert_eq!(key.status(&super::remove(&token, &ids[0])), SUCCESS);
    enroll(&mut key, &token, 9);
}

/// BE-23, ST-01: a power cut in the write of the last sample: the finger is enrolled or it is not.
#[test]
fn power_cut_leaves_a_finger_or_none() {
    for (cut, enrolled) in [(Cut::Before(0), false), (Cut::After(0), true)] {
        let mut key = with_pin();
        let token = be_token(&mut key);
        let id = begun(&mut key, &token);
        assert_eq!(sampled(&mut key, &token, &id), (0, 1));
        key.memory().cut_power(cut);
        key.send(&next(&token, &id).bytes());
        key.power_cycle();
        assert_eq!(key.info().option("bioEnroll"), Some(enrolled));
        let token = be_token(&mut key);
        assert_eq!(key.status(&enumerate(&token)) == SUCCESS, enrolled);
        still_works(&mut key);
    }
}

/// BE-13, BE-19: a reset ends an enrollment and removes the fingers.
#[test]
fn reset_removes_fingers() {
    for protocol in Protocol::BOTH {
        let mut key = Key::with_profile(Profile::Fingerprint);
        key.set_pin(PIN);
        let token = key.token(protocol, PIN, BE, None).unwrap();
        enroll(&mut key, &token, 1);
        key.user(User::Finger(2));
        begun(&mut key, &token);
        key.user(User::Approves);
        key.power_cycle();
        assert_eq!(key.info().option("bioEnroll"), Some(true));
        assert_eq!(key.send(&[command::RESET]), [SUCCESS]);
        let info = key.info();
        assert_eq!((info.option("bioEnroll"), info.option("uv")), (Some(false), Some(false)));
        for _ in 0..20 {
            key.advance(Duration::from_secs(1));
        }
        key.power_cycle();
        key.set_pin(PIN);
        let token = be_token(&mut key);
        assert_eq!(key.status(&enumerate(&token)), INVALID_OPTION);
        enroll(&mut key, &token, 1);
    }
}
