//! Reading the array.

use softkey_tests::cbor::map;
use softkey_tests::checks::refused;
use softkey_tests::key::Profile;
use softkey_tests::request::lb;
use softkey_tests::status::{INVALID_LENGTH, INVALID_PARAMETER};
use softkey_tests::{Key, Request, User};

use super::{array_of, capacity, initial, max_fragment, read, stored, with_pin, write};

/// LB-01: a fresh key has the empty array of 17 bytes, and tells it without touch, PIN or token.
/// CT-LB-initial.
#[test]
fn fresh_key_has_the_empty_array() {
    let mut key = Key::with_profile(Profile::Default);
    key.user(User::Refuses);
    assert_eq!(stored(&mut key), initial());
    let (mut key, _) = with_pin();
    assert_eq!(stored(&mut key), initial());
    assert_eq!(key.prompts(), 0);
}

/// LB-02: the offset is needed, and exactly one of get and set.
#[test]
fn offset_and_one_direction_are_needed() {
    let mut key = Key::with_profile(Profile::Default);
    let empty = Request::with_body(lb::COMMAND, map([(0x70, 1)]));
    refused(&mut key, &empty, INVALID_PARAMETER);
    refused(&mut key, &Request::read_blobs(0, 17).without(lb::OFFSET), INVALID_PARAMETER);
    let write = Request::write_blobs(0, &initial(), Some(17));
    refused(&mut key, &write.clone().without(lb::OFFSET), INVALID_PARAMETER);
    refused(&mut key, &write.clone().with(lb::GET, 17), INVALID_PARAMETER);
    refused(&mut key, &write.without(lb::SET), INVALID_PARAMETER);
    refused(&mut key, &Request::read_blobs(0, 17).without(lb::GET), INVALID_PARAMETER);
}

/// LB-03: length, param and protocol have no place in a read.
#[test]
fn parameters_of_writing_are_refused() {
    for mut key in [Key::with_profile(Profile::Default), with_pin().0] {
        let read = Request::read_blobs(0, 17);
        refused(&mut key, &read.clone().with(lb::LENGTH, 17), INVALID_PARAMETER);
        refused(&mut key, &read.clone().with(lb::PARAM, [1; 32]), INVALID_PARAMETER);
        refused(&mut key, &read.clone().with(lb::PROTOCOL, 2), INVALID_PARAMETER);
        let both = read.with(lb::PARAM, [1; 32]).with(lb::PROTOCOL, 2);
        refused(&mut key, &both, INVALID_PARAMETER);
    }
}

/// LB-04: as much as a fragment may hold can be asked for, and no more.
#[test]
fn fragment_limit_holds_for_reads() {
    let mut key = Key::with_profile(Profile::Default);
    let limit = max_fragment(&mut key);
    assert_eq!(key.ok(&Request::read_blobs(0, limit)).get(1).bytes(), initial());
    for beyond in [limit + 1, 1 << 20, u64::MAX] {
        refused(&mut key, &Request::read_blobs(0, beyond), INVALID_LENGTH);
    }
    refused(&mut key, &Request::read_blobs(18, limit + 1), INVALID_LENGTH);
}

/// LB-05, LB-06: at the end of the array there are no bytes, behind it nothing can be read; reading nothing gives
/// nothing.
/// CT-LB-zero.
#[test]
fn end_of_the_array_is_empty_and_behind_it_is_nothing() {
    let mut key = Key::with_profile(Profile::Default);
    for (offset, get) in [(17, 0), (17, 1), (17, 7000), (0, 0), (5, 0)] {
        assert_eq!(read(&mut key, offset, get), [] as [u8; 0], "{get} at {offset}");
    }
    for offset in [18, 4096, 1 << 32, u64::MAX] {
        for get in [0, 1] {
            refused(&mut key, &Request::read_blobs(offset, get), INVALID_PARAMETER);
        }
    }
}

/// LB-07: reads at any offset and of any length are the slice.
#[test]
fn reads_are_slices() {
    let mut key = Key::with_profile(Profile::Default);
    let array = array_of(capacity(&mut key), 7);
    write(&mut key, None, &array, array.len());
    assert_eq!(stored(&mut key), array);
    for n in 0..200_usize {
        let draw = key.draw();
        let number = |at| usize::from(u16::from_be_bytes([draw[at], draw[at + 1]]));
        let (offset, get) = (number(0) % (array.len() + 1), number(2) % 5000);
        let end = (offset + get).min(array.len());
        assert_eq!(read(&mut key, offset, get), array[offset..end], "{n}: {get} at {offset}");
    }
    for offset in [2047, 2048, 2049, 4095] {
        assert_eq!(read(&mut key, offset, 1), array[offset..=offset]);
    }
}
