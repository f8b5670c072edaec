//! Hosts that send anything, read nothing, or vanish: HID-45, and bounded memory.

use softkey_ctap_hid::{ChannelId, DeviceConfig, Event, Status};

use crate::bench::{Bench, NONCE};
use crate::wire::{self, BROADCAST, CBOR, INIT, PING, Report, message, start};

/// A small generator of our own (xorshift), so that a seed gives the same packets for ever.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[3]
    }

    /// A report that often gets deep: mostly live channels, real commands, likely lengths.
    fn report(&mut self, channels: &[wire::Channel]) -> Report {
        let mut report: Report = std::array::from_fn(|_| self.byte());
        let last = u64::try_from(channels.len()).expect("few channels");
        match self.below(8) {
            0 => {}
            1 => report[..4].copy_from_slice(&BROADCAST),
            _ => {
                let pick = usize::try_from(self.below(last)).expect("few channels");
                report[..4].copy_from_slice(&channels[pick]);
            }
        }
        if self.below(4) != 0 {
            let kinds = [0, 1, 2, 0x81, 0x83, 0x84, 0x86, 0x88, 0x90, 0x91, 0xBB, 0xBF];
            report[4] = kinds[usize::try_from(self.below(12)).expect("twelve kinds")];
            let lengths = [0, 1, 8, 8, 57, 58, 116, 200, 7609, 7610];
            let length: u16 = lengths[usize::try_from(self.below(10)).expect("ten lengths")];
            report[5..7].copy_from_slice(&length.to_be_bytes());
        }
        report
    }
}

/// HID-45: after each packet the device's word is kept: at most one job, only known reports, bounded
/// tables; and at the end it still works.
#[test]
fn ten_thousand_random_packets_leave_a_working_device() {
    for seed in 1..=5 {
        let mut random = Random(0x9E37_79B9_7F4A_7C15 ^ seed);
        let mut bench = Bench::with(DeviceConfig { max_channels: 4, ..DeviceConfig::default() });
        let mut channels = vec![bench.open(), bench.open(), bench.open()];
        let mut running = None;
        for _ in 0..10_000 {
            let report = random.report(&channels);
            for sent in bench.send(&[report]) {
                assert!(is_of_a_device(&sent), "{sent:02x?}");
                if sent[4] == INIT && random.below(4) == 0 {
                    channels[0] = sent[15..19].try_into().expect("four bytes");
                }
            }
            for event in bench.events() {
                if let Event::Aborted(job, _) = event {
                    assert_eq!(running.take(), Some(job), "only the running job can be aborted");
                }
            }
            if let Some(job) = bench.device.poll_job() {
                assert_eq!(running.replace(job.id), None, "one job at a time");
            }
            match random.below(12) {
                0 => bench
                    .pass(random.below(700))
                    .iter()
                    .for_each(|(_, sent)| assert!(is_of_a_device(sent))),
                1 => bench
                    .status(Status::UserNeeded)
                    .iter()
                    .for_each(|sent| assert!(is_of_a_device(sent))),
                2 => {
                    if let Some(job) = running.take() {
                        let now = bench.now();
                        bench.device.answer(now, job, &[0; 300]);
                        assert_eq!(bench.sent().len(), 6);
                    }
                }
                _ => {}
            }
            assert!(bench.device.channel_count() <= 4);
        }
        bench.pass(11_000);
        let channel = bench.open();
        bench.exchange(channel, INIT, &NONCE);
        if let Some(job) = running {
            let now = bench.now();
            bench.device.answer(now, job, &[0]);
            bench.sent();
        }
        bench.alive(channel);
    }
}

/// HID-45: the same without a look inside, so on a board too: after so many packets, and again so many, a whole key still
/// answers. On a board the heap was not fuller the second time; in a process, which many tests share, `tests/bounds` sees
/// to that.
#[test]
fn random_packets_leave_a_key_that_answers_and_a_board_that_does_not_grow() {
    let mut random = Random(0x5DEE_CE66_D1CE_4E5B);
    let mut bench = Bench::new();
    let mut channels = vec![bench.open(), bench.open(), bench.open()];
    let mut peaks = Vec::new();
    for _ in 0..2 {
        for _ in 0..5_000 {
            for sent in bench.send_to_key(&[random.report(&channels)]) {
                assert!(is_of_a_device(&sent), "{sent:02x?}");
                if sent[4] == INIT && random.below(4) == 0 {
                    channels[0] = sent[15..19].try_into().expect("four bytes");
                }
            }
            if random.below(12) == 0 {
                for (_, sent) in bench.pass(random.below(700)) {
                    assert!(is_of_a_device(&sent), "{sent:02x?}");
                }
            }
        }
        // Longer than a lock lasts, and than anybody is waited for.
        bench.pass(40_000);
        let channel = bench.open();
        bench.alive(channel);
        peaks.extend(bench.heap_peak());
    }
    match peaks[..] {
        [] => bench.is_application(),
        [first, second] => {
            println!("heap at its fullest: {first}, then {second}");
            assert!(second <= first + 512, "{first}, then {second}");
        }
        _ => panic!("a board measures twice: {peaks:?}"),
    }
}

/// Only what a device may send: INIT, PING, LOCK, WINK, KEEPALIVE, ERROR with a known code, or a
/// continuation.
fn is_of_a_device(report: &Report) -> bool {
    let length = u16::from_be_bytes([report[5], report[6]]);
    match report[4] {
        0x00..=0x7F => true,
        PING | CBOR | wire::MSG => length <= 7609,
        INIT => length == 17,
        wire::LOCK | wire::WINK => length == 0,
        wire::KEEPALIVE => length == 1 && matches!(report[7], 1 | 2),
        wire::ERROR => length == 1 && matches!(report[7], 1..=6 | 0x0B),
        _ => false,
    }
}

/// A host that never reads: what waits for it has a limit, and the newest answers are kept.
#[test]
fn a_host_that_never_reads_costs_bounded_memory() {
    let mut bench = Bench::new();
    let now = bench.now();
    for _ in 0..100_000 {
        bench.device.receive(now, &start([0, 0, 0, 9], PING, 1, &[1]));
    }
    bench.device.receive(now, &start(BROADCAST, INIT, 8, &NONCE));
    let waiting = bench.sent();
    assert!(waiting.len() <= 16, "{} reports wait", waiting.len());
    assert_eq!(waiting.last().unwrap()[4], INIT);
}

/// Errors that another program provokes do not crowd out the answer to INIT, by which a client learns that what it
/// was sent before is broken off; answers to INIT on the broadcast channel crowd out errors only.
#[test]
fn an_answer_to_init_outlasts_a_flood() {
    let mut bench = Bench::new();
    let (channel, now) = (bench.open(), bench.now());
    bench.device.receive(now, &start(channel, INIT, 8, &NONCE));
    for _ in 0..100 {
        bench.device.receive(now, &start(BROADCAST, PING, 1, &[1]));
    }
    let waiting = bench.sent();
    assert_eq!(waiting.len(), 16);
    assert_eq!(wire::read(&waiting[..1], channel, INIT).unwrap()[..8], NONCE);
    bench.device.receive(now, &start(channel, INIT, 8, &NONCE));
    bench.device.receive(now, &start(BROADCAST, PING, 1, &[1]));
    for _ in 0..100 {
        bench.device.receive(now, &start(BROADCAST, INIT, 8, &NONCE));
    }
    let waiting = bench.sent();
    let commands: Vec<u8> = waiting.iter().map(|report| report[4]).collect();
    assert_eq!(commands, [INIT; 16]);
    assert_eq!(wire::read(&waiting[..1], channel, INIT).unwrap()[..8], NONCE);
}

/// The same during a wait for the user: unread keepalives do not pile up.
#[test]
fn unread_keepalives_do_not_pile_up() {
    let (mut bench, channel, job) = Bench::working();
    for _ in 0..1_000 {
        bench.oversleep(100);
        let now = bench.now();
        bench.device.handle_timeout(now);
        bench.device.status(now, Status::UserNeeded);
    }
    assert_eq!(bench.sent(), [wire::keepalive(channel, 2)]);
    assert_eq!(bench.answer(channel, CBOR, job.id, &[0]), [0]);
}

/// An answer nobody reads keeps the device busy, not growing; INIT on its channel frees it.
#[test]
fn an_unread_answer_blocks_only_until_its_channel_is_resynchronised() {
    let (mut bench, channel, job) = Bench::working();
    let other = bench.open();
    let now = bench.now();
    bench.device.answer(now, job.id, &[0; 7_609]);
    for _ in 0..1_000 {
        for report in
            message(other, PING, &[1; 100]).iter().chain(&message(channel, CBOR, &[1; 100]))
        {
            bench.device.receive(now, report);
        }
    }
    bench.device.receive(now, &start(channel, INIT, 8, &NONCE));
    let waiting = bench.sent();
    assert!(waiting.len() <= 16);
    assert_eq!(wire::read(&waiting[waiting.len() - 1..], channel, INIT).unwrap()[..8], NONCE);
    bench.alive(other);
}

/// An owner that never polls events: their number has a limit, and none is lost; packets are. Each INIT that is answered has
/// ended a session, and no other has.
#[test]
fn unpolled_events_have_a_limit_and_none_is_lost() {
    let (mut bench, channel) = Bench::opened();
    let mut answered = 0;
    for _ in 0..100_000 {
        let now = bench.now();
        bench.device.receive(now, &start(channel, INIT, 8, &NONCE));
        answered += usize::from(bench.device.poll_report().is_some());
    }
    assert!((1..=34).contains(&answered), "{answered} INITs were answered");
    let session = ChannelId::from_u32(u32::from_be_bytes(channel));
    assert_eq!(bench.events(), vec![Event::SessionEnded(session); answered]);
    bench.alive(channel);
}

/// A host that vanishes in the middle of anything leaves the key usable for the next one.
#[test]
fn a_host_that_vanishes_at_any_packet_leaves_a_usable_key() {
    let packets = message([0; 4], CBOR, &[1; 500]).len();
    for sent in 0..=packets {
        let (mut bench, channel) = Bench::opened();
        bench.send(&message(channel, CBOR, &[1; 500])[..sent]);
        let job = bench.device.poll_job();
        bench.pass(1_000);
        let next = bench.open();
        match job {
            None => bench.alive(next),
            Some(job) => {
                bench.refused(&message(next, PING, b"x"), next, wire::CHANNEL_BUSY);
                let now = bench.now();
                bench.device.answer(now, job.id, &[0]);
                bench.sent();
                bench.alive(next);
            }
        }
    }
}
