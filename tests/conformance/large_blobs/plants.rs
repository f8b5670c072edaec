//! The test of the test: keys that mishandle the array are caught.

use softkey_tests::request::lb;
use softkey_tests::status::{INTEGRITY_FAILURE, INVALID_SEQ, SUCCESS};
use softkey_tests::{Key, Request};

use super::{array_of, fragments, stored, write};
use crate::planted_faults::caught_on;
use softkey_tests::key::Profile;

fn key() -> Key {
    Key::with_profile(Profile::Default)
}

fn writes_and_reads(key: &mut Key) {
    let array = array_of(100, 1);
    write(key, None, &array, 40);
    assert!(stored(key) == array, "the array is not what was written");
}

fn refuses_a_wrong_checksum(key: &mut Key) {
    let bad = [0; 17];
    let request = Request::write_blobs(0, &bad, Some(17));
    softkey_tests::checks::refused(key, &request, INTEGRITY_FAILURE);
}

fn refuses_a_gap(key: &mut Key) {
    let array = array_of(100, 1);
    let parts = fragments(&array, 40);
    assert_eq!(key.status(&parts[0]), SUCCESS);
    softkey_tests::checks::refused(key, &parts[2], INVALID_SEQ);
}

#[test]
fn changed_byte_is_seen() {
    caught_on(key, "not what was written", writes_and_reads, |request, answer| {
        if request[0] == lb::COMMAND && answer.len() > 50 {
            answer[50] ^= 1;
        }
    });
}

#[test]
fn old_array_after_a_write_is_seen() {
    caught_on(key, "not what was written", writes_and_reads, |request, answer| {
        if request[0] == lb::COMMAND && answer.len() > 50 {
            *answer = [&[0, 0xA1, 0x01, 0x51][..], &super::initial()].concat();
        }
    });
}

#[test]
fn wrong_checksum_taken_is_seen() {
    caught_on(key, "to 0c", refuses_a_wrong_checksum, |_, answer| {
        if answer[..] == [INTEGRITY_FAILURE] {
            answer[0] = SUCCESS;
        }
    });
}

#[test]
fn gap_taken_is_seen() {
    caught_on(key, "to 0c", refuses_a_gap, |_, answer| {
        if answer[..] == [INVALID_SEQ] {
            answer[0] = SUCCESS;
        }
    });
}

#[test]
fn body_behind_a_write_is_seen() {
    caught_on(key, "to ", writes_and_reads, |request, answer| {
        if request[0] == lb::COMMAND && answer[..] == [SUCCESS] {
            answer.extend([0xA1, 0x01, 0x40]);
        }
    });
}
