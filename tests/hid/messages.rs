//! Messages whole, broken and late: HID-13 to HID-23, HID-25 to HID-29, HID-42.

use softkey_ctap_hid::{DeviceConfig, JobKind};

use crate::bench::Bench;
use crate::wire::{
    self, CBOR, ERROR, INVALID_CMD, INVALID_LEN, INVALID_SEQ, KEEPALIVE, MSG, MSG_TIMEOUT, OTHER,
    PING, go_on, message, start,
};

fn pattern(length: usize) -> Vec<u8> {
    (1..=251).cycle().take(length).collect()
}

/// HID-13.
/// CT-HID-ping.
#[test]
fn ping_echoes_every_length() {
    let (mut bench, channel) = Bench::opened();
    for length in [0, 1, 57, 58, 116, 117, 1024, 7608, 7609] {
        assert_eq!(
            bench.exchange(channel, PING, &pattern(length)),
            pattern(length),
            "{length} bytes"
        );
    }
}

/// HID-14.
/// CT-HID-ping-zero.
#[test]
fn ping_keeps_zeros_at_both_ends() {
    let (mut bench, channel) = Bench::opened();
    for length in [1, 57, 58, 116, 200] {
        let mut payload = pattern(length);
        payload[0] = 0;
        payload[length - 1] = 0;
        assert_eq!(bench.exchange(channel, PING, &payload), payload);
        assert_eq!(bench.exchange(channel, PING, &vec![0; length]), vec![0; length]);
    }
}

/// HID-15.
#[test]
fn a_message_announced_too_long_is_refused_at_once() {
    for command in [PING, CBOR, MSG] {
        for length in [7610, 0x8000, 0xFFFF] {
            let (mut bench, channel) = Bench::opened();
            bench.refused(&[start(channel, command, length, &[1; 57])], channel, INVALID_LEN);
            assert_eq!(bench.send(&[go_on(channel, 0, &[1; 59])]), [[0; 64]; 0]);
            bench.alive(channel);
        }
    }
}

/// HID-17.
/// CT-HID-stray.
#[test]
fn a_continuation_nobody_announced_is_ignored() {
    let (mut bench, channel) = Bench::opened();
    for sequence in [0, 1, 0x7F] {
        for on in [channel, [0, 0, 0, 5]] {
            assert_eq!(bench.send(&[go_on(on, sequence, &[1; 59])]), [[0; 64]; 0]);
        }
    }
    assert_eq!(bench.pass(3_000), []);
    bench.alive(channel);
}

/// HID-18, HID-19: skipped, repeated and reordered continuations at each position of a long message.
/// CT-HID-sequence.
#[test]
fn a_continuation_out_of_order_ends_the_message() {
    let reports = message([0; 4], PING, &pattern(300)).len();
    for at in 1..reports {
        for wrong in (0..reports).filter(|wrong| *wrong != at) {
            let (mut bench, channel) = Bench::opened();
            let whole = message(channel, PING, &pattern(300));
            assert_eq!(bench.send(&whole[..at]), [[0; 64]; 0]);
            let packet = if wrong == 0 { go_on(channel, 0x7F, &[1; 59]) } else { whole[wrong] };
            bench.refused(&[packet], channel, INVALID_SEQ);
            assert_eq!(bench.send(&whole[at..]), [[0; 64]; 0], "the rest is nobody's");
            assert_eq!(bench.pass(3_000), []);
            bench.alive(channel);
        }
    }
}

/// HID-20.
#[test]
fn a_second_start_in_mid_message_is_refused_and_not_executed() {
    for command in [PING, CBOR, MSG, wire::WINK, wire::LOCK, 0xA0] {
        let (mut bench, channel) = Bench::opened();
        let whole = message(channel, PING, &pattern(100));
        bench.send(&whole[..1]);
        bench.refused(&[start(channel, command, 1, &[1])], channel, INVALID_SEQ);
        assert_eq!(bench.send(&whole[1..]), [[0; 64]; 0]);
        bench.has_no_job();
        bench.tells_nothing();
        bench.alive(channel);
    }
}

/// HID-21: exactly 500 ms after the last packet, not the first.
#[test]
fn a_message_that_stops_half_way_times_out_once() {
    let (mut bench, channel) = Bench::opened();
    let whole = message(channel, PING, &pattern(300));
    bench.send(&whole[..1]);
    assert_eq!(bench.pass(499), []);
    bench.send(&whole[1..2]);
    assert_eq!(bench.pass(3_000), [(500, wire::error(channel, MSG_TIMEOUT))]);
    assert_eq!(bench.send(&whole[2..3]), [[0; 64]; 0]);
    bench.alive(channel);
}

/// HID-21: an owner that oversleeps cannot revive the message, and other channels find the device idle.
#[test]
fn a_packet_at_the_deadline_is_too_late_even_if_the_owner_overslept() {
    for (late, alive) in [(499, true), (500, false), (60_000, false)] {
        let (mut bench, channel) = Bench::opened();
        let whole = message(channel, PING, &pattern(100));
        bench.send(&whole[..1]);
        bench.oversleep(late);
        if alive {
            assert_eq!(wire::read(&bench.send(&whole[1..]), channel, PING), Ok(pattern(100)));
        } else {
            bench.refused(&whole[1..], channel, MSG_TIMEOUT);
        }
        bench.alive(channel);
    }
}

/// HID-25.
/// CT-HID-unknown.
#[test]
fn an_unknown_command_is_refused_whatever_its_length() {
    let (mut bench, channel) = Bench::opened();
    for command in [0x80, 0x82, 0x85, 0x87, 0xA0, 0xC0, 0xFF] {
        for length in [0, 1, 500] {
            bench.refused(&[start(channel, command, length, &[1; 57])], channel, INVALID_CMD);
        }
    }
    bench.alive(channel);
}

/// HID-26.
#[test]
fn keepalive_and_error_from_a_host_are_refused() {
    let (mut bench, channel) = Bench::opened();
    for command in [KEEPALIVE, ERROR] {
        bench.refused(&[start(channel, command, 1, &[1])], channel, INVALID_CMD);
    }
}

/// HID-27, HID-28.
#[test]
fn an_empty_request_for_the_application_is_refused() {
    let (mut bench, channel) = Bench::opened();
    for command in [CBOR, MSG] {
        bench.refused(&[start(channel, command, 0, &[])], channel, INVALID_LEN);
        bench.has_no_job();
    }
}

/// HID-28.
#[test]
fn msg_is_unknown_where_u2f_is_not_offered() {
    let mut bench = Bench::with(DeviceConfig { u2f: false, ..DeviceConfig::default() });
    let channel = bench.open();
    for length in [0, 1, 7, 500] {
        bench.refused(&[start(channel, MSG, length, &[1; 57])], channel, INVALID_CMD);
    }
}

/// HID-28: a device of U2F alone says so in its capabilities, and does not know CBOR.
#[test]
fn cbor_is_unknown_where_ctap2_is_not_offered() {
    let mut bench = Bench::with(DeviceConfig { ctap2: false, ..DeviceConfig::default() });
    let channel = bench.open();
    for length in [0, 1, 7, 500] {
        bench.refused(&[start(channel, CBOR, length, &[4; 57])], channel, INVALID_CMD);
    }
    bench.has_no_job();
}

/// HID-29.
#[test]
fn padding_may_hold_anything() {
    let (mut bench, channel) = Bench::opened();
    let answer = bench.send(&[start(channel, PING, 3, &[0xEE; 57])]);
    assert_eq!(wire::read(&answer, channel, PING), Ok(vec![0xEE; 3]));
    let answer =
        bench.send(&[start(channel, PING, 60, &[0xEE; 57]), go_on(channel, 0, &[0xEE; 59])]);
    assert_eq!(wire::read(&answer, channel, PING), Ok(vec![0xEE; 60]));
}

/// HID-29.
#[test]
fn padding_does_not_reach_the_application() {
    let (mut bench, channel) = Bench::opened();
    bench.is_application();
    let job = bench.send(&[start(channel, CBOR, 1, &[0x04; 57])]);
    assert_eq!(job, [[0; 64]; 0]);
    assert_eq!(bench.device.poll_job().unwrap().bytes, [0x04]);
}

/// HID-42, and the kinds of job.
#[test]
fn requests_reach_the_application_whole_and_answers_of_every_length_leave_whole() {
    let (mut bench, channel) = Bench::opened();
    for (command, kind) in [(CBOR, JobKind::Cbor), (MSG, JobKind::Msg)] {
        for length in [1, 57, 58, 116, 117, 1_200, 7_609] {
            let job = bench.start_job(channel, command, &pattern(length));
            assert_eq!(job.kind, kind);
            assert_eq!(job.channel.as_u32().to_be_bytes(), channel);
            assert_eq!(bench.answer(channel, command, job.id, &pattern(length)), pattern(length));
        }
    }
}

/// An answer CTAPHID cannot carry ends the transaction with an error, not with a broken message.
#[test]
fn an_answer_too_long_for_the_wire_becomes_an_error() {
    let (mut bench, channel, job) = Bench::working();
    let now = bench.now();
    bench.device.answer(now, job.id, &[0; 7_610]);
    assert_eq!(bench.sent(), [wire::error(channel, OTHER)]);
    bench.alive(channel);
}

/// Lost and doubled packets: the message comes whole or ends in one error, and the next request works.
#[test]
fn losing_or_doubling_any_one_packet_never_yields_a_wrong_message() {
    for at in 0..3 {
        let (mut bench, channel) = Bench::opened();
        let mut lossy = message(channel, PING, &pattern(150));
        lossy.remove(at);
        let answer = bench.send(&lossy);
        let late = bench.pass(1_000);
        match at {
            0 => assert_eq!((answer.len(), late.len()), (0, 0)),
            1 => assert_eq!(answer, [wire::error(channel, INVALID_SEQ)]),
            _ => assert_eq!(late, [(500, wire::error(channel, MSG_TIMEOUT))]),
        }
        bench.alive(channel);

        let mut doubled = message(channel, PING, &pattern(150));
        doubled.insert(at, doubled[at]);
        let answer = bench.send(&doubled);
        match at {
            // A doubled last packet is one that nobody announced.
            2 => assert_eq!(wire::read(&answer, channel, PING), Ok(pattern(150))),
            _ => assert_eq!(answer, [wire::error(channel, INVALID_SEQ)]),
        }
        bench.alive(channel);
    }
}
