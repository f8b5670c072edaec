//! Tests of the half behind USB, with the other half beside it.

extern crate std;

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use chacha20::ChaCha20Rng;
use rand_core::SeedableRng as _;
use softkey_authenticator::{Config, MemoryStore, RootKey};
use softkey_ctap_hid::Report;

use super::*;
use crate::front::Front;

/// authenticatorSelection, which is one question and no more; authenticatorGetInfo; authenticatorReset.
const SELECTION: &[u8] = &[0x0B];
const GET_INFO: &[u8] = &[0x04];
const RESET: &[u8] = &[0x07];
const CBOR: u8 = 0x90;
const CANCEL: u8 = 0x91;
const KEEPALIVE: u8 = 0xBB;

/// Both halves, with queues between them that the test empties when it likes.
struct Key {
    front: Front,
    back: Back<MemoryStore, ChaCha20Rng>,
    notices: VecDeque<Notice>,
    channel: [u8; 4],
    now: u64,
}

impl Key {
    fn new() -> Self {
        let rng = ChaCha20Rng::from_seed([4; 32]);
        let now = Instant::from_millis(1000);
        let authenticator = Authenticator::open(
            MemoryStore::default(),
            RootKey::new([5; 32]),
            rng,
            Config { long_touch_for_reset: true, ..Config::default() },
            now,
        );
        let back = Back::new(authenticator.unwrap());
        let front = Front::new([0; 3], 7);
        let (notices, channel) = (VecDeque::new(), [0xFF; 4]);
        let mut key = Self { front, back, notices, channel, now: 1000 };
        key.send(0x86, &[1, 2, 3, 4, 5, 6, 7, 8]);
        key.channel = key.report().unwrap()[15..19].try_into().unwrap();
        key
    }

    fn instant(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    fn send(&mut self, command: u8, bytes: &[u8]) {
        let mut report: Report = [0; 64];
        report[..4].copy_from_slice(&self.channel);
        report[4] = command;
        report[6] = u8::try_from(bytes.len()).unwrap();
        report[7..7 + bytes.len()].copy_from_slice(bytes);
        self.front.receive(self.instant(), &report);
    }

    fn report(&mut self) -> Option<Report> {
        self.front.handle_timeout(self.instant());
        self.front.poll_report()
    }

    /// The back does all that it was told, and what it tells waits.
    fn obey(&mut self) -> usize {
        let (now, notices) = (self.instant(), &mut self.notices);
        let mut orders = 0;
        while let Some(order) = self.front.poll_order(now) {
            self.back.obey(now, order, &mut |notice| notices.push_back(notice));
            orders += 1;
        }
        orders
    }

    fn turn(&mut self, answer: Option<Answer>) {
        let (now, notices) = (self.instant(), &mut self.notices);
        self.back.turn(now, |_| answer, &mut |notice| notices.push_back(notice));
    }

    fn hear(&mut self) {
        while let Some(notice) = self.notices.pop_front() {
            self.front.hear(self.instant(), notice);
        }
    }

    /// Command and payload's first byte of every report that waits to leave.
    fn reports(&mut self) -> Vec<(u8, u8)> {
        core::iter::from_fn(|| self.report()).map(|report| (report[4], report[7])).collect()
    }

    fn lit(&self) -> [bool; 2] {
        [0, 250].map(|later| self.front.is_lit(Instant::from_millis(self.now + later)))
    }
}

#[test]
fn a_request_goes_to_the_back_and_its_answer_to_the_host() {
    let mut key = Key::new();
    key.send(CBOR, GET_INFO);
    assert_eq!(key.obey(), 1);
    assert_eq!(key.reports(), []);
    key.hear();
    assert_eq!(key.reports()[0], (CBOR, 0));
}

/// HID-40. However long the back takes, the host hears every 100 ms that it is at work.
#[test]
fn keepalives_leave_while_the_back_is_at_work() {
    let mut key = Key::new();
    key.send(CBOR, GET_INFO);
    assert_eq!(key.obey(), 1);
    let mut heard = 0;
    for _ in 0..100 {
        key.now += 10;
        let reports = key.reports();
        assert!(reports.iter().all(|report| *report == (KEEPALIVE, 1)), "{reports:?}");
        heard += reports.len();
    }
    assert!(heard >= 10, "{heard} in a second");
    key.hear();
    assert_eq!(key.reports()[0], (CBOR, 0));
}

#[test]
fn the_host_and_the_light_are_told_of_waiting_and_of_the_work_after_it() {
    let mut key = Key::new();
    assert_eq!(key.lit(), [false, false]);
    key.send(CBOR, SELECTION);
    key.obey();
    assert_eq!(key.lit(), [true, true], "at work");
    key.hear();
    assert_eq!(key.reports(), [(KEEPALIVE, 2)]);
    assert_eq!(key.lit(), [true, false], "touch me");
    key.turn(None);
    assert!(key.notices.is_empty());
    key.turn(Some(Answer::Yes));
    let told: Vec<_> = key.notices.iter().take(2).cloned().collect();
    assert_eq!(told, [Notice::Status(Status::Processing), Notice::Signal(Signal::Working)]);
    key.hear();
    assert_eq!(key.reports(), [(CBOR, 0)]);
    assert_eq!(key.lit(), [false, false]);
}

#[test]
fn a_reset_asks_for_a_long_press() {
    let mut key = Key::new();
    key.send(CBOR, RESET);
    key.obey();
    assert!(key.notices.contains(&Notice::Signal(Signal::Hold)));
}

#[test]
fn a_cancelled_question_is_over() {
    let mut key = Key::new();
    key.send(CBOR, SELECTION);
    key.obey();
    key.hear();
    key.reports();
    key.send(CANCEL, &[]);
    assert_eq!(key.obey(), 1);
    key.hear();
    assert_eq!(key.reports(), [(CBOR, 0x2D)]);
    assert!(key.back.asking().is_none());
}

#[test]
fn nobody_answers_when_the_cable_is_out() {
    let mut key = Key::new();
    key.send(CBOR, SELECTION);
    key.obey();
    key.hear();
    key.reports();
    key.front.disconnect();
    assert_eq!(key.obey(), 2, "the request is given up, and the session over");
    assert!(key.back.asking().is_none());
    key.turn(Some(Answer::Yes));
    key.hear();
    assert_eq!(key.reports(), []);
    assert_eq!(key.lit(), [false, false]);
}

#[test]
fn a_question_that_nobody_answers_ends_by_itself() {
    let mut key = Key::new();
    key.send(CBOR, SELECTION);
    key.obey();
    key.hear();
    key.now += 60_000;
    key.turn(None);
    key.hear();
    assert_eq!(key.reports(), [(CBOR, 0x2F)]);
}

#[test]
fn a_wink_reaches_the_light_and_not_the_back() {
    let mut key = Key::new();
    key.send(0x88, &[]);
    assert_eq!(key.obey(), 0);
    assert_eq!(key.reports(), [(0x88, 0)]);
    assert!(key.front.is_lit(key.instant()));
}
