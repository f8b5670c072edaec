//! INIT and the channels it gives: HID-01 to HID-12, HID-44.

use std::collections::HashSet;

use softkey_ctap_hid::{ChannelId, DeviceConfig, Event};
use softkey_tests::key::beyond_a_board;

use crate::bench::{Bench, NONCE};
use crate::wire::{
    self, BROADCAST, CHANNEL_BUSY, Channel, INIT, INVALID_CHANNEL, INVALID_LEN, PING, RESERVED,
    go_on, message, start,
};

fn id(channel: Channel) -> ChannelId {
    ChannelId::from_u32(u32::from_be_bytes(channel))
}

/// HID-01.
/// CT-HID-idle.
#[test]
fn an_idle_key_is_silent() {
    let (mut bench, _) = Bench::opened();
    assert_eq!(bench.pass(3_000), []);
    assert_eq!(bench.device.poll_timeout(), None);
}

/// HID-02, HID-03.
/// CT-HID-init.
#[test]
fn init_on_broadcast_answers_on_broadcast_with_nonce_channel_version_and_capabilities() {
    let config = DeviceConfig { version: [3, 1, 4], ..DeviceConfig::default() };
    let mut bench = Bench::with(config);
    let answer = bench.send(&message(BROADCAST, INIT, &NONCE));
    let [report] = answer.as_slice() else { panic!("one report, not {}", answer.len()) };
    assert_eq!(report[..7], [0xFF, 0xFF, 0xFF, 0xFF, 0x86, 0, 17]);
    assert_eq!(report[7..15], NONCE);
    let channel: Channel = report[15..19].try_into().unwrap();
    assert!(channel != RESERVED && channel != BROADCAST);
    assert_eq!(report[19..24], [2, 3, 1, 4, 0x05]);
    assert_eq!(report[24..], [0; 40]);
}

/// HID-03: the capability byte for each configuration; bit 0x02 stays clear though LOCK works.
#[test]
fn capability_bits_follow_the_configuration() {
    for (wink, ctap2, u2f, bits) in [
        (true, true, true, 0x05),
        (false, true, true, 0x04),
        (true, true, false, 0x0D),
        (false, true, false, 0x0C),
        (true, false, true, 0x01),
        (false, false, true, 0x00),
    ] {
        let mut bench = Bench::with(DeviceConfig { wink, ctap2, u2f, ..DeviceConfig::default() });
        assert_eq!(bench.exchange(BROADCAST, INIT, &NONCE)[16], bits);
    }
}

/// HID-04; and two devices of one seed hand out the same numbers.
/// CT-HID-three.
#[test]
fn each_init_gives_another_channel_and_the_seed_decides_which() {
    let mut bench = Bench::new();
    let channels = [bench.open(), bench.open(), bench.open()];
    assert_eq!(HashSet::from(channels).len(), 3);
    let mut twin = Bench::new();
    assert_eq!([twin.open(), twin.open(), twin.open()], channels);
}

/// HID-05.
/// CT-HID-second.
#[test]
fn init_on_an_own_channel_confirms_it_and_ends_its_session() {
    let (mut bench, channel) = Bench::opened();
    let answer = bench.exchange(channel, INIT, &[9; 8]);
    assert_eq!(answer[..8], [9; 8]);
    assert_eq!(answer[8..12], channel);
    assert_eq!(bench.events(), [Event::SessionEnded(id(channel))]);
    bench.alive(channel);
}

/// HID-06.
/// CT-HID-init-aborts.
#[test]
fn init_drops_the_half_sent_message_of_its_channel() {
    let (mut bench, channel) = Bench::opened();
    assert_eq!(bench.send(&[start(channel, PING, 200, &[1; 57])]), [[0; 64]; 0]);
    let answer = bench.send(&message(channel, INIT, &NONCE));
    assert_eq!(wire::read(&answer, channel, INIT).unwrap()[8..12], channel);
    assert_eq!(bench.send(&[go_on(channel, 0, &[1; 59])]), [[0; 64]; 0]);
    assert_eq!(bench.pass(3_000), []);
    bench.alive(channel);
}

/// HID-06: what an earlier packet of the channel earned and the host has not read is not sent any more.
#[test]
fn init_drops_unread_errors_of_its_channel_alone() {
    let (mut bench, channel) = Bench::opened();
    let now = bench.now();
    let unknown = [0, 0, 0, 9];
    for on in [channel, unknown] {
        bench.device.receive(now, &start(on, 0xA0, 0, &[]));
    }
    let sent = bench.send(&message(channel, INIT, &NONCE));
    assert_eq!(sent[0], wire::error(unknown, INVALID_CHANNEL));
    assert_eq!(wire::read(&sent[1..], channel, INIT).unwrap()[..8], NONCE);
}

/// HID-07.
#[test]
fn init_on_broadcast_is_answered_amid_another_channels_message() {
    let (mut bench, channel) = Bench::opened();
    let ping: Vec<u8> = (0..150).collect();
    let [first, second, third] = message(channel, PING, &ping).try_into().unwrap();
    bench.send(&[first]);
    let other = bench.open();
    assert_ne!(other, channel);
    bench.send(&[second]);
    assert_eq!(wire::read(&bench.send(&[third]), channel, PING), Ok(ping));
}

/// HID-08; no channel comes of it, and nothing is aborted on other channels.
#[test]
fn init_of_a_wrong_length_is_refused() {
    for length in [0, 7, 9, 57, 58, 7609, 7610, 0xFFFF] {
        let (mut bench, channel) = Bench::opened();
        for on in [BROADCAST, channel, [0, 0, 0x77, 0x77]] {
            bench.refused(&[start(on, INIT, length, &[1; 57])], on, INVALID_LEN);
        }
        assert_eq!(bench.device.channel_count(), 1);
        bench.alive(channel);
    }
}

/// HID-09, HID-10, HID-11.
/// CT-HID-channel-0, CT-HID-broadcast.
#[test]
fn channel_zero_and_broadcast_carry_nothing_but_init_on_broadcast() {
    let (mut bench, channel) = Bench::opened();
    bench.refused(&message(RESERVED, INIT, &NONCE), RESERVED, INVALID_CHANNEL);
    for command in [PING, wire::CBOR, wire::MSG, wire::LOCK, wire::WINK, wire::CANCEL, 0xA0] {
        for on in [RESERVED, BROADCAST] {
            bench.refused(&[start(on, command, 1, &[1])], on, INVALID_CHANNEL);
        }
    }
    bench.alive(channel);
}

/// HID-12.
/// CT-HID-second.
#[test]
fn a_number_never_handed_out_works_only_after_init_on_it() {
    let (mut bench, channel) = Bench::opened();
    let made_up = [0xDE, 0xAD, 0xBE, 0xEF];
    for command in [PING, wire::CBOR, wire::CANCEL, wire::LOCK] {
        bench.refused(&[start(made_up, command, 1, &[1])], made_up, INVALID_CHANNEL);
    }
    assert_eq!(bench.exchange(made_up, INIT, &NONCE)[8..12], made_up);
    bench.alive(made_up);
    bench.alive(channel);
    bench.tells_nothing();
}

/// HID-12: the wrong channel is told before busy.
#[test]
fn an_unknown_channel_is_told_so_while_another_works() {
    let (mut bench, _, _) = Bench::working();
    let unknown = [0, 0, 0, 9];
    bench.refused(&message(unknown, PING, b"x"), unknown, INVALID_CHANNEL);
}

/// HID-44.
#[test]
fn the_least_recently_used_idle_channel_is_given_up_and_its_session_ends() {
    let mut bench = Bench::with(DeviceConfig { max_channels: 3, ..DeviceConfig::default() });
    let [first, second, third] = [bench.open(), bench.open(), bench.open()];
    bench.alive(first);
    bench.tells_nothing();
    let fourth = bench.open();
    assert_eq!(bench.events(), [Event::SessionEnded(id(second))]);
    bench.refused(&message(second, PING, b"x"), second, INVALID_CHANNEL);
    for channel in [first, third, fourth] {
        bench.alive(channel);
    }
}

/// HID-44: the packets by which a message goes on use its channel as its first one does.
#[test]
fn a_continuation_is_a_use_of_its_channel() {
    let mut bench = Bench::with(DeviceConfig { max_channels: 2, ..DeviceConfig::default() });
    let [talker, other] = [bench.open(), bench.open()];
    let whole = message(talker, PING, &[7; 100]);
    bench.send(&whole[..1]);
    bench.refused(&message(other, PING, b"x"), other, CHANNEL_BUSY);
    assert_eq!(wire::read(&bench.send(&whole[1..]), talker, PING), Ok(vec![7; 100]));
    bench.open();
    assert_eq!(bench.events(), [Event::SessionEnded(id(other))]);
    bench.alive(talker);
}

/// HID-44: a channel at work is not idle.
#[test]
fn a_working_channel_is_never_given_up() {
    let mut bench = Bench::with(DeviceConfig { max_channels: 2, ..DeviceConfig::default() });
    let [worker, idle] = [bench.open(), bench.open()];
    let job = bench.start_job(worker, wire::CBOR, &[4]);
    let newer = bench.open();
    bench.refused(&message(idle, PING, b"x"), idle, INVALID_CHANNEL);
    assert_eq!(bench.answer(worker, wire::CBOR, job.id, &[0]), [0]);

    bench.alive(newer);

    let mut tiny = Bench::with(DeviceConfig { max_channels: 0, ..DeviceConfig::default() });
    let only = tiny.open();
    let job = tiny.start_job(only, wire::CBOR, &[4]);
    tiny.refused(&message(BROADCAST, INIT, &NONCE), BROADCAST, CHANNEL_BUSY);
    assert_eq!(tiny.answer(only, wire::CBOR, job.id, &[0]), [0]);
    let next = tiny.open();
    tiny.refused(&message(only, PING, b"x"), only, INVALID_CHANNEL);
    tiny.alive(next);
}

/// HID-44: a thousand programs at once keep a channel each.
#[test]
fn a_thousand_channels_are_all_different_and_all_work() {
    beyond_a_board("a thousand channels");
    let mut bench = Bench::new();
    let channels: HashSet<Channel> = (0..1_000).map(|_| bench.open()).collect();
    assert_eq!(channels.len(), 1_000);
    for channel in channels {
        bench.alive(channel);
    }
    bench.tells_nothing();
}

/// HID-44: a hundred thousand INITs leave no more channels than allowed.
#[test]
fn the_table_never_outgrows_its_limit() {
    let mut bench = Bench::with(DeviceConfig { max_channels: 8, ..DeviceConfig::default() });
    for _ in 0..100_000 {
        bench.open();
        bench.events();
        assert!(bench.device.channel_count() <= 8);
    }
    let channel = bench.open();
    bench.alive(channel);
}

/// The last reader's end: everything is dropped and the owner hears of all of it.
#[test]
fn disconnecting_aborts_the_job_and_frees_every_channel() {
    let (mut bench, first, job) = Bench::working();
    let second = bench.open();
    let now = bench.now();
    bench.device.disconnect();
    let aborted = Event::Aborted(job.id, id(first));
    assert_eq!(
        bench.events(),
        [aborted, Event::SessionEnded(id(first)), Event::SessionEnded(id(second))]
    );
    bench.device.answer(now, job.id, &[0]);
    assert_eq!(bench.pass(3_000), []);
    bench.refused(&message(first, PING, b"x"), first, INVALID_CHANNEL);
    let third = bench.open();
    bench.alive(third);
}

/// What the last reader has not read is not for the next one.
#[test]
fn disconnecting_drops_what_waits_to_leave() {
    let (mut bench, channel) = Bench::opened();
    let now = bench.now();
    bench.device.receive(now, &start(channel, 0xA0, 0, &[]));
    bench.device.receive(now, &start(BROADCAST, INIT, 8, &NONCE));
    bench.device.disconnect();
    assert_eq!(bench.sent(), [[0; 64]; 0]);
}
