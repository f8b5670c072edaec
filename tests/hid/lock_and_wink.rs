//! LOCK and WINK: HID-30 to HID-34.

use softkey_ctap_hid::{DeviceConfig, Event};

use crate::bench::{Bench, NONCE};
use crate::wire::{
    BROADCAST, CANCEL, CBOR, CHANNEL_BUSY, INIT, INVALID_CHANNEL, INVALID_CMD, INVALID_LEN,
    INVALID_PAR, LOCK, PING, WINK, message, start,
};

/// HID-30.
/// CT-HID-wink.
#[test]
fn wink_is_answered_empty_and_told_to_the_owner() {
    let (mut bench, channel) = Bench::opened();
    assert_eq!(bench.exchange(channel, WINK, &[]), [0; 0]);
    assert_eq!(bench.events(), [Event::Wink]);
    bench.refused(&message(channel, WINK, &[1]), channel, INVALID_LEN);
    bench.tells_nothing();
}

/// HID-30.
#[test]
fn wink_is_unknown_where_it_is_not_offered() {
    let mut bench = Bench::with(DeviceConfig { wink: false, ..DeviceConfig::default() });
    let channel = bench.open();
    bench.refused(&message(channel, WINK, &[]), channel, INVALID_CMD);
    bench.tells_nothing();
}

/// HID-31.
/// CT-HID-lock-0.
#[test]
fn releasing_succeeds_with_and_without_a_lock() {
    let (mut bench, channel) = Bench::opened();
    for seconds in [0, 10, 0, 0] {
        assert_eq!(bench.exchange(channel, LOCK, &[seconds]), [0; 0]);
    }
}

/// HID-32: everything from others is busy, INIT included, and CANCEL stays without an answer.
/// CT-HID-lock-8.
#[test]
fn a_lock_keeps_every_other_channel_out_until_released() {
    let (mut bench, owner) = Bench::opened();
    let other = bench.open();
    bench.exchange(owner, LOCK, &[8]);
    bench.refused(&message(other, INIT, &NONCE), other, CHANNEL_BUSY);
    bench.refused(&message(BROADCAST, INIT, &NONCE), BROADCAST, CHANNEL_BUSY);
    let made_up = [0, 0, 0, 9];
    bench.refused(&message(made_up, INIT, &NONCE), made_up, CHANNEL_BUSY);
    bench.refused(&message(made_up, PING, b"x"), made_up, INVALID_CHANNEL);
    for command in [PING, CBOR, LOCK, WINK, 0xA0] {
        bench.refused(&[start(other, command, 1, &[1])], other, CHANNEL_BUSY);
    }
    assert_eq!(bench.send(&[start(other, CANCEL, 0, &[])]), [[0; 64]; 0]);
    bench.tells_nothing();
    bench.alive(owner);
    assert_eq!(bench.exchange(owner, INIT, &NONCE)[8..12], owner);
    bench.refused(&message(other, PING, b"x"), other, CHANNEL_BUSY);

    bench.exchange(owner, LOCK, &[0]);
    bench.alive(other);
    bench.open();
}

/// HID-33; a refused LOCK changes nothing.
#[test]
fn a_lock_of_more_than_ten_seconds_or_of_a_wrong_length_is_refused() {
    let (mut bench, channel) = Bench::opened();
    let other = bench.open();
    for seconds in [11, 12, 0xFF] {
        bench.refused(&message(channel, LOCK, &[seconds]), channel, INVALID_PAR);
    }
    for length in [0, 2, 57, 100] {
        bench.refused(&[start(channel, LOCK, length, &[1; 57])], channel, INVALID_LEN);
    }
    bench.alive(other);
    bench.exchange(channel, LOCK, &[3]);
    bench.refused(&message(channel, LOCK, &[11]), channel, INVALID_PAR);
    bench.refused(&message(other, PING, b"x"), other, CHANNEL_BUSY);
}

/// HID-34.
#[test]
fn a_lock_ends_by_itself_and_each_lock_restarts_it() {
    let (mut bench, owner) = Bench::opened();
    let other = bench.open();
    bench.exchange(owner, LOCK, &[2]);
    bench.oversleep(1_500);
    bench.exchange(owner, LOCK, &[2]);
    bench.oversleep(1_999);
    bench.refused(&message(other, PING, b"x"), other, CHANNEL_BUSY);
    bench.oversleep(1);
    bench.alive(other);
    bench.exchange(other, LOCK, &[10]);
    bench.oversleep(9_999);
    bench.refused(&message(owner, PING, b"x"), owner, CHANNEL_BUSY);
    bench.oversleep(1);
    bench.alive(owner);
}

/// HID-44: the holder of the lock is not idle, so INIT on broadcast cannot cost it its channel.
#[test]
fn the_locks_holder_keeps_its_channel() {
    let mut bench = Bench::with(DeviceConfig { max_channels: 1, ..DeviceConfig::default() });
    let owner = bench.open();
    bench.exchange(owner, LOCK, &[1]);
    bench.refused(&message(BROADCAST, INIT, &NONCE), BROADCAST, CHANNEL_BUSY);
    bench.alive(owner);
    bench.oversleep(1_000);
    bench.open();
    bench.refused(&message(owner, PING, b"x"), owner, INVALID_CHANNEL);
}

/// A vanished holder does not keep the key locked for the next reader.
#[test]
fn disconnecting_ends_the_lock() {
    let (mut bench, owner) = Bench::opened();
    bench.exchange(owner, LOCK, &[10]);
    bench.device.disconnect();
    let next = bench.open();
    bench.alive(next);
}
