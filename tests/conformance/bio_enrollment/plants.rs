//! The test of the test: keys that mishandle enrollment are caught.

use softkey_tests::Key;
use softkey_tests::cbor::{Value, walk};
use softkey_tests::checks::refused;
use softkey_tests::request::be;
use softkey_tests::status::{PUAT_REQUIRED, SUCCESS};

use super::{
    LAST_STATUS, REMAINING, TEMPLATE_INFOS, be_token, begin_unsigned, enroll, listed, with_pin,
};
use crate::planted_faults::caught_on;

fn enrolls(key: &mut Key) {
    let token = be_token(key);
    let id = enroll(key, &token, 1);
    assert_eq!(listed(key, &token), [(id, String::new())], "the list");
    assert_eq!(key.info().option("uv"), Some(true), "the option uv");
}

/// A fault in the answers with this member.
fn in_answers_with(
    member: i64,
    change: impl Fn(Value) -> Value,
) -> impl FnMut(&[u8], &mut Vec<u8>) {
    move |request, answer| {
        if request[0] == be::COMMAND && answer.len() > 1 {
            let body = walk(&answer[1..]).unwrap();
            if body.at(member).is_some() {
                *answer = [vec![SUCCESS], change(body).encode()].concat();
            }
        }
    }
}

#[test]
fn count_that_does_not_fall_is_seen() {
    let stuck = in_answers_with(REMAINING, |body| body.with(REMAINING, 2));
    caught_on(with_pin, "left: (0, 2)", enrolls, stuck);
}

#[test]
fn bad_sample_that_counts_is_seen() {
    let bad = in_answers_with(LAST_STATUS, |body| body.with(LAST_STATUS, 7));
    caught_on(with_pin, "left: 7", enrolls, bad);
}

#[test]
fn finger_that_is_not_listed_is_seen() {
    let empty =
        in_answers_with(TEMPLATE_INFOS, |body| body.with(TEMPLATE_INFOS, Value::Array(Vec::new())));
    caught_on(with_pin, "the list", enrolls, empty);
}

#[test]
fn option_that_stays_false_is_seen() {
    caught_on(with_pin, "the option uv", enrolls, |request, answer| {
        if request[0] == 0x04
            && let Some(at) =
                answer.windows(4).position(|window| window == [0x62, b'u', b'v', 0xF5])
        {
            answer[at + 3] = 0xF4;
        }
    });
}

#[test]
fn enrollment_without_a_token_is_seen() {
    fn refuses(key: &mut Key) {
        refused(key, &begin_unsigned(), PUAT_REQUIRED);
    }
    caught_on(with_pin, "to 09", refuses, |request, answer| {
        if request[0] == be::COMMAND && answer[..] == [PUAT_REQUIRED] {
            *answer = vec![SUCCESS];
        }
    });
}
