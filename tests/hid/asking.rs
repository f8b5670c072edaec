//! A request that waits for the user, as any client sees it, be the key a `Device` or a board: HID-22, HID-24, HID-35 to
//! HID-40, HID-43.

use crate::bench::{Bench, NONCE};
use crate::wire::{
    self, CANCEL, CBOR, CHANNEL_BUSY, Channel, INIT, PING, Report, go_on, keepalive, message, start,
};

const NOTHING: [Report; 0] = [];

/// For 400 ms there are keepalives and nothing else, and the application hears of nothing.
#[track_caller]
fn goes_on_waiting(bench: &mut Bench, channel: Channel) {
    let seen = bench.pass(400);
    assert!(seen.len() >= 3, "{} keepalives in 400 ms", seen.len());
    assert!(seen.iter().all(|(_, report)| *report == keepalive(channel, 2)), "{seen:02x?}");
    bench.tells_nothing();
}

/// HID-24, HID-40.
#[test]
fn others_are_told_busy_and_the_wait_goes_on() {
    let (mut bench, first) = Bench::asking();
    let second = bench.open();
    for command in [PING, CBOR, wire::MSG, wire::WINK, wire::LOCK, 0xA0] {
        for on in [first, second] {
            bench.refused(&[start(on, command, 1, &[1])], on, CHANNEL_BUSY);
        }
        assert_eq!(bench.send(&[go_on(second, 0, &[1; 59])]), NOTHING);
    }
    let mut last = 0;
    for (at, report) in bench.pass(3_000) {
        assert_eq!(report, keepalive(first, 2));
        assert!((1..=100).contains(&(at - last)), "{} ms between keepalives", at - last);
        last = at;
    }
    assert!(last > 2_900, "silence from {last} ms on");
}

/// HID-36, HID-38, HID-39: the request itself is answered, once.
#[test]
fn cancel_ends_the_wait() {
    let (mut bench, channel) = Bench::asking();
    let answer = bench.send_to_key(&[start(channel, CANCEL, 0, &[])]);
    assert_eq!(wire::read(&answer, channel, CBOR), Ok(vec![0x2D]));
    assert_eq!(bench.send_to_key(&[start(channel, CANCEL, 0, &[])]), NOTHING);
    assert_eq!(bench.pass(3_000), []);
    bench.alive(channel);
    bench.ask(channel);
}

/// HID-35.
#[test]
fn an_old_cancel_does_not_reach_a_new_request() {
    let (mut bench, channel) = Bench::opened();
    assert_eq!(bench.send(&[start(channel, CANCEL, 0, &[])]), NOTHING);
    bench.tells_nothing();
    bench.ask(channel);
    goes_on_waiting(&mut bench, channel);
}

/// HID-37.
#[test]
fn cancel_of_another_channel_ends_nothing() {
    let (mut bench, channel) = Bench::asking();
    let other = bench.open();
    assert_eq!(bench.send(&[start(other, CANCEL, 0, &[])]), NOTHING);
    bench.refused(&message(other, PING, b"x"), other, CHANNEL_BUSY);
    goes_on_waiting(&mut bench, channel);
}

/// HID-43.
#[test]
fn init_on_the_own_channel_ends_the_wait_without_an_answer() {
    let (mut bench, channel) = Bench::asking();
    let answer = bench.send_to_key(&message(channel, INIT, &NONCE));
    assert_eq!(wire::read(&answer, channel, INIT).unwrap()[..8], NONCE);
    assert_eq!(bench.pass(3_000), []);
    bench.alive(channel);
    bench.ask(channel);
}

/// HID-07: INIT of another program is answered, and the wait goes on.
#[test]
fn init_on_broadcast_disturbs_no_wait() {
    let (mut bench, channel) = Bench::asking();
    for _ in 0..10 {
        bench.open();
        goes_on_waiting(&mut bench, channel);
    }
    let answer = bench.send_to_key(&[start(channel, CANCEL, 0, &[])]);
    assert_eq!(wire::read(&answer, channel, CBOR), Ok(vec![0x2D]));
}
