//! Keepalive, CANCEL and abort while a request is in work: HID-35 to HID-41, HID-43.

use softkey_ctap_hid::{ChannelId, Event, JobId, Status};

use crate::bench::{Bench, NONCE};
use crate::wire::{self, CANCEL, CBOR, INIT, MSG, PING, Report, keepalive, message, start};

const KEEPALIVE_CANCEL: u8 = 0x2D;

fn id(channel: wire::Channel) -> ChannelId {
    ChannelId::from_u32(u32::from_be_bytes(channel))
}

/// HID-40: the first within 100 ms of the request, then no gap over 100 ms, as long as it takes.
fn assert_steady(seen: &[(u64, Report)], expected: &Report, over: u64) {
    let mut last = 0;
    for (at, report) in seen {
        assert_eq!(report, expected);
        assert!((1..=100).contains(&(at - last)), "{} ms between keepalives", at - last);
        last = *at;
    }
    assert!(over - last < 100, "silence for the last {} ms", over - last);
}

/// HID-35.
#[test]
fn cancel_with_nothing_pending_is_silent() {
    let (mut bench, channel) = Bench::opened();
    assert_eq!(bench.send(&[start(channel, CANCEL, 0, &[])]), [[0; 64]; 0]);
    assert_eq!(bench.pass(400), []);
    bench.tells_nothing();
    let job = bench.start_job(channel, CBOR, &[4]);
    assert_eq!(bench.events(), [], "an old CANCEL does not reach a new request");
    assert_eq!(bench.answer(channel, CBOR, job.id, &[0]), [0]);
}

/// HID-36, HID-38, HID-39 as far as the transport goes: the owner hears of it once and answers 0x2D.
/// CT-HID-cancel.
#[test]
fn cancel_is_told_to_the_owner_once_and_answered_by_the_request_itself() {
    let (mut bench, channel, job) = Bench::working();
    bench.status(Status::UserNeeded);
    assert_eq!(bench.send(&[start(channel, CANCEL, 0, &[])]), [[0; 64]; 0]);
    assert_eq!(bench.events(), [Event::Cancelled(job.id, id(channel))]);
    assert_eq!(bench.send(&[start(channel, CANCEL, 0, &[])]), [[0; 64]; 0]);
    bench.tells_nothing();
    assert_eq!(bench.answer(channel, CBOR, job.id, &[KEEPALIVE_CANCEL]), [KEEPALIVE_CANCEL]);
    assert_eq!(bench.send(&[start(channel, CANCEL, 0, &[])]), [[0; 64]; 0]);
    assert_eq!(bench.pass(3_000), []);
    bench.alive(channel);
}

/// HID-36: a CANCEL that overtakes the owner is not lost, and comes after the job it is about.
#[test]
fn cancel_before_the_owner_has_taken_the_job_comes_after_the_job() {
    let (mut bench, channel) = Bench::opened();
    bench.send(&message(channel, CBOR, &[1]));
    bench.send(&[start(channel, CANCEL, 0, &[])]);
    bench.tells_nothing();
    let job = bench.device.poll_job().unwrap();
    assert_eq!(bench.events(), [Event::Cancelled(job.id, id(channel))]);
}

/// HID-37.
#[test]
fn cancel_from_another_channel_has_no_effect() {
    let (mut bench, channel, job) = Bench::working();
    let other = bench.open();
    assert_eq!(bench.send(&[start(other, CANCEL, 0, &[])]), [[0; 64]; 0]);
    bench.tells_nothing();
    assert_eq!(bench.answer(channel, CBOR, job.id, &[0]), [0]);
}

/// Section 11.2.9.1.5: CANCEL is for CBOR requests and carries nothing.
#[test]
fn cancel_of_a_u2f_message_or_with_data_has_no_effect() {
    let (mut bench, channel, job) = Bench::working();
    assert_eq!(bench.send(&[start(channel, CANCEL, 1, &[1])]), [[0; 64]; 0]);
    bench.tells_nothing();
    bench.answer(channel, CBOR, job.id, &[0]);
    let job = bench.start_job(channel, MSG, &[0, 1, 3, 0]);
    assert_eq!(bench.send(&[start(channel, CANCEL, 0, &[])]), [[0; 64]; 0]);
    bench.tells_nothing();
    assert_eq!(bench.answer(channel, MSG, job.id, &[0x69, 0x85]), [0x69, 0x85]);
}

/// Checklist section 0: CANCEL in the middle of a half-sent message.
#[test]
fn cancel_in_mid_message_is_ignored_and_the_message_goes_on() {
    let (mut bench, channel) = Bench::opened();
    let whole = message(channel, CBOR, &[1; 100]);
    bench.send(&whole[..1]);
    assert_eq!(bench.send(&[start(channel, CANCEL, 0, &[])]), [[0; 64]; 0]);
    bench.send(&whole[1..]);
    assert_eq!(bench.device.poll_job().unwrap().bytes, [1; 100]);
    bench.tells_nothing();
}

/// HID-40: a keepalive that is overdue leaves as soon as the owner says anything, though that changes nothing.
#[test]
fn overdue_keepalive_leaves_with_the_next_call() {
    let (mut bench, channel, _) = Bench::working();
    bench.oversleep(90);
    assert_eq!(bench.status(Status::Processing), [keepalive(channel, 1)]);
    assert_eq!(bench.status(Status::Processing), [[0; 64]; 0]);
}

/// HID-40: so it does when the owner comes, late, with the answer or the refusal of a request that is over.
#[test]
fn overdue_keepalive_leaves_with_a_call_about_another_job() {
    let answer: fn(&mut Bench, JobId) = |bench, job| {
        let now = bench.now();
        bench.device.answer(now, job, &[0]);
    };
    let busy: fn(&mut Bench, JobId) = |bench, job| {
        let now = bench.now();
        bench.device.busy(now, job);
    };
    for late in [answer, busy] {
        let (mut bench, channel, over) = Bench::working();
        assert_eq!(bench.answer(channel, CBOR, over.id, &[0]), [0]);
        let job = bench.start_job(channel, CBOR, &[4]);
        bench.oversleep(90);
        late(&mut bench, over.id);
        assert_eq!(bench.sent(), [keepalive(channel, 1)]);
        assert_eq!(bench.answer(channel, CBOR, job.id, &[0]), [0]);
    }
}

/// HID-40.
#[test]
fn keepalives_come_in_time_as_long_as_a_request_takes() {
    let (mut bench, channel, job) = Bench::working();
    let processing = bench.pass(2_000);
    assert_steady(&processing, &keepalive(channel, 1), 2_000);
    assert_eq!(bench.status(Status::UserNeeded), [keepalive(channel, 2)]);
    let waiting = bench.pass(30_000);
    assert_steady(&waiting, &keepalive(channel, 2), 30_000);
    assert_eq!(bench.answer(channel, CBOR, job.id, &[0]), [0]);
    assert_eq!(bench.pass(3_000), []);
}

/// HID-40: the clock starts with the request, whether or not the owner has taken it.
#[test]
fn keepalives_do_not_wait_for_the_owner() {
    let (mut bench, channel) = Bench::opened();
    bench.is_application();
    bench.send(&message(channel, CBOR, &[1]));
    let seen = bench.pass(1_000);
    assert_steady(&seen, &keepalive(channel, 1), 1_000);
}

/// HID-40: a request answered in time has none.
#[test]
fn a_quick_answer_comes_without_keepalives() {
    let (mut bench, channel, job) = Bench::working();
    assert_eq!(bench.pass(50), []);
    assert_eq!(bench.answer(channel, CBOR, job.id, &[0]), [0]);
}

/// HID-41: a change is told at once and starts the interval again; no change is no news.
#[test]
fn a_change_of_status_is_told_at_once() {
    let (mut bench, channel, _) = Bench::working();
    assert_eq!(bench.status(Status::Processing), [[0; 64]; 0]);
    assert_eq!(bench.status(Status::UserNeeded), [keepalive(channel, 2)]);
    bench.pass(30);
    assert_eq!(bench.status(Status::UserNeeded), [[0; 64]; 0]);
    assert_eq!(bench.status(Status::Processing), [keepalive(channel, 1)]);
    let next = bench.pass(100);
    assert_eq!(next.len(), 1);
    assert_eq!(next[0].1, keepalive(channel, 1));
}

/// Section 11.2.9.1.7: keepalives belong to CBOR requests.
#[test]
fn a_u2f_message_has_no_keepalives() {
    let (mut bench, channel) = Bench::opened();
    let job = bench.start_job(channel, MSG, &[0, 3, 0, 0]);
    assert_eq!(bench.status(Status::UserNeeded), [[0; 64]; 0]);
    assert_eq!(bench.pass(3_000), []);
    assert_eq!(bench.answer(channel, MSG, job.id, &[0x90, 0]), [0x90, 0]);
}

/// HID-43, and the owner is told to stop.
#[test]
fn init_on_the_own_channel_aborts_the_request_without_an_answer() {
    let (mut bench, channel, job) = Bench::working();
    bench.status(Status::UserNeeded);
    let answer = bench.send(&message(channel, INIT, &NONCE));
    assert_eq!(wire::read(&answer, channel, INIT).unwrap()[..8], NONCE);
    assert_eq!(
        bench.events(),
        [Event::Aborted(job.id, id(channel)), Event::SessionEnded(id(channel))]
    );
    let now = bench.now();
    bench.device.answer(now, job.id, &[0]);
    bench.device.status(now, Status::Processing);
    assert_eq!(bench.pass(3_000), []);
    bench.alive(channel);
}

/// HID-43: the late answer to an aborted request does not answer the next one.
#[test]
fn a_late_answer_never_answers_another_request() {
    let (mut bench, channel, old) = Bench::working();
    bench.send(&message(channel, INIT, &NONCE));
    let new = bench.start_job(channel, CBOR, &[4]);
    assert_ne!(old.id, new.id);
    let now = bench.now();
    bench.device.answer(now, old.id, &[1; 100]);
    bench.device.busy(now, old.id);
    assert_eq!(bench.sent(), [[0; 64]; 0]);
    assert_eq!(bench.answer(channel, CBOR, new.id, &[0]), [0]);
}

/// HID-43: a request aborted before the owner has seen it never reaches the owner.
#[test]
fn a_request_aborted_unseen_is_never_handed_out() {
    let (mut bench, channel) = Bench::opened();
    bench.send(&message(channel, CBOR, &[1]));
    bench.send(&message(channel, INIT, &NONCE));
    bench.has_no_job();
    assert_eq!(bench.events(), [Event::SessionEnded(id(channel))]);
}

/// INIT of another program while this one waits for the user: answered, and the wait goes on.
#[test]
fn init_on_broadcast_leaves_a_wait_alone() {
    let (mut bench, channel, job) = Bench::working();
    bench.status(Status::UserNeeded);
    for _ in 0..10 {
        bench.open();
        bench.pass(50);
    }
    bench.tells_nothing();
    assert_eq!(bench.answer(channel, CBOR, job.id, &[0]), [0]);
    assert_eq!(bench.exchange(channel, PING, b"x"), b"x");
}

/// An INIT that is no INIT (wrong length) does not end the wait.
#[test]
fn a_malformed_init_does_not_abort() {
    let (mut bench, channel, job) = Bench::working();
    bench.refused(&[start(channel, INIT, 7, &NONCE)], channel, wire::INVALID_LEN);
    bench.tells_nothing();
    assert_eq!(bench.answer(channel, CBOR, job.id, &[0]), [0]);
}

/// HID-08 in mid-message: the host reads the error as the end of its message, so it is the end.
#[test]
fn a_malformed_init_ends_a_half_sent_message() {
    let (mut bench, channel) = Bench::opened();
    let whole = message(channel, CBOR, &[1; 100]);
    bench.send(&whole[..1]);
    bench.refused(&[start(channel, INIT, 7, &NONCE)], channel, wire::INVALID_LEN);
    assert_eq!(bench.send(&whole[1..]), [[0; 64]; 0]);
    bench.has_no_job();
    assert_eq!(bench.pass(3_000), []);
    bench.alive(channel);
}
