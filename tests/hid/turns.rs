//! One transaction in the whole device: what others get meanwhile. HID-22 to HID-24, and who is answered
//! where over a transport with several addresses.

use crate::bench::{Bench, NONCE};
use crate::wire::{self, BROADCAST, CBOR, CHANNEL_BUSY, INIT, PING, go_on, message, start};

/// HID-22.
#[test]
fn a_second_channel_is_told_busy_at_once_and_the_first_message_completes() {
    let (mut bench, first) = Bench::opened();
    let second = bench.open();
    let whole = message(first, PING, &[7; 100]);
    bench.send(&whole[..1]);
    for command in [PING, CBOR, wire::MSG, wire::WINK, wire::LOCK, 0xA0] {
        bench.refused(&[start(second, command, 1, &[1])], second, CHANNEL_BUSY);
    }
    assert_eq!(wire::read(&bench.send(&whole[1..]), first, PING), Ok(vec![7; 100]));
    bench.alive(second);
}

/// HID-22: the refusals do not keep the first message's clock from running.
#[test]
fn a_second_channel_does_not_extend_the_first_ones_deadline() {
    let (mut bench, first) = Bench::opened();
    let second = bench.open();
    bench.send(&message(first, PING, &[7; 100])[..1]);
    bench.pass(300);
    bench.refused(&message(second, PING, b"x"), second, CHANNEL_BUSY);
    bench.send(&[go_on(second, 0, &[1; 59])]);
    bench.send(&[start(first, wire::CANCEL, 0, &[])]);
    assert_eq!(bench.pass(1_000), [(200, wire::error(first, wire::MSG_TIMEOUT))]);
}

/// HID-23.
#[test]
fn a_foreign_continuation_is_ignored() {
    let (mut bench, first) = Bench::opened();
    let second = bench.open();
    let whole = message(first, PING, &[7; 150]);
    bench.send(&whole[..2]);
    for sequence in [0, 1, 2] {
        assert_eq!(bench.send(&[go_on(second, sequence, &[9; 59])]), [[0; 64]; 0]);
    }
    assert_eq!(wire::read(&bench.send(&whole[2..]), first, PING), Ok(vec![7; 150]));
}

/// HID-24; a PING is a request like any other.
#[test]
fn a_wait_for_the_user_keeps_others_out_and_goes_on() {
    let (mut bench, first, job) = Bench::working();
    let second = bench.open();
    for command in [PING, CBOR, wire::MSG, wire::WINK, wire::LOCK, 0xA0] {
        bench.refused(&[start(second, command, 1, &[1])], second, CHANNEL_BUSY);
        assert_eq!(bench.send(&[go_on(second, 0, &[1; 59])]), [[0; 64]; 0]);
    }
    assert_eq!(bench.answer(first, CBOR, job.id, &[0]), [0]);
    bench.alive(second);
}

/// Checklist section 0: a starting packet on the channel whose own request is in work.
#[test]
fn a_second_request_of_the_working_channel_is_refused_and_the_work_goes_on() {
    let (mut bench, channel, job) = Bench::working();
    for command in [PING, CBOR, wire::MSG, wire::WINK, wire::LOCK, 0xA0] {
        bench.refused(&[start(channel, command, 1, &[1])], channel, CHANNEL_BUSY);
    }
    assert_eq!(bench.send(&[go_on(channel, 0, &[1; 59])]), [[0; 64]; 0]);
    bench.tells_nothing();
    assert_eq!(bench.answer(channel, CBOR, job.id, &[0]), [0]);
    bench.has_no_job();
}

/// A host that sends its next request before it has read the answer gets the answer whole, then busy.
#[test]
fn a_request_in_the_middle_of_the_own_answer_is_refused_after_it() {
    let (mut bench, channel, job) = Bench::working();
    let now = bench.now();
    bench.device.answer(now, job.id, &[5; 200]);
    let mut reports = vec![bench.device.poll_report().unwrap().report];
    reports.extend(bench.send(&message(channel, PING, b"x")));
    let refusal = reports.pop().unwrap();
    assert_eq!(wire::read(&reports, channel, CBOR), Ok(vec![5; 200]));
    assert_eq!(refusal, wire::error(channel, CHANNEL_BUSY));
    bench.alive(channel);
}

/// INIT from a second program overtakes a long answer, which still leaves whole.
#[test]
fn init_is_answered_amid_a_long_answer_to_another() {
    let (mut bench, channel, job) = Bench::working();
    let now = bench.now();
    bench.device.answer(now, job.id, &[5; 7_609]);
    let mut reports = vec![bench.device.poll_report().unwrap().report];
    bench.device.receive(now, &start(BROADCAST, INIT, 8, &NONCE));
    let overtaking = bench.device.poll_report().unwrap().report;
    assert_eq!(overtaking[..5], [0xFF, 0xFF, 0xFF, 0xFF, INIT]);
    reports.extend(bench.sent());
    assert_eq!(wire::read(&reports, channel, CBOR), Ok(vec![5; 7_609]));
}

/// INIT on the own channel drops the rest of an answer the host did not want.
#[test]
fn init_drops_the_unread_rest_of_the_own_answer() {
    let (mut bench, channel, job) = Bench::working();
    let now = bench.now();
    bench.device.answer(now, job.id, &[5; 200]);
    bench.device.poll_report().unwrap();
    let answer = bench.send(&message(channel, INIT, &NONCE));
    assert_eq!(wire::read(&answer, channel, INIT).unwrap()[..8], NONCE);
    bench.alive(channel);
}

/// An owner that cannot take a job now refuses it.
#[test]
fn a_job_the_owner_cannot_take_is_refused_busy() {
    let (mut bench, channel, job) = Bench::working();
    let now = bench.now();
    bench.device.busy(now, job.id);
    assert_eq!(bench.sent(), [wire::error(channel, CHANNEL_BUSY)]);
    bench.device.answer(now, job.id, &[0]);
    assert_eq!(bench.sent(), [[0; 64]; 0]);
    bench.alive(channel);
}

/// Two UDP clients that use broadcast INIT each get their own answer.
#[test]
fn every_answer_goes_to_the_peer_that_asked() {
    let mut bench = Bench::new();
    bench.send_from(11, &message(BROADCAST, INIT, &NONCE));
    bench.send_from(22, &message(BROADCAST, INIT, &[9; 8]));
    let answers = bench.sent_to();
    assert_eq!(answers.iter().map(|(to, _)| *to).collect::<Vec<_>>(), [11, 22]);
    assert_eq!(answers[0].1[7..15], NONCE);
    assert_eq!(answers[1].1[7..15], [9; 8]);
}

/// The whole answer and its keepalives go to the peer whose packet opened the transaction, errors to the
/// peer whose packet was wrong.
#[test]
fn a_transaction_belongs_to_the_peer_that_opened_it() {
    let (mut bench, first) = Bench::opened();
    let second = bench.open();
    bench.send_from(11, &message(first, CBOR, &[1; 100]));
    assert_eq!(bench.device.transaction_peer().unwrap().0, 11);
    let job = bench.device.poll_job().unwrap();
    bench.send_from(22, &message(second, PING, b"x"));
    assert_eq!(bench.sent_to(), [(22, wire::error(second, CHANNEL_BUSY))]);
    let now = bench.now();
    bench.device.status(now, softkey_ctap_hid::Status::UserNeeded);
    assert_eq!(bench.sent_to(), [(11, wire::keepalive(first, 2))]);
    bench.device.answer(now, job.id, &[0; 100]);
    assert!(bench.sent_to().iter().all(|(to, _)| *to == 11));
    assert_eq!(bench.device.transaction_peer(), None);

    bench.send_from(11, &message(first, PING, &[1; 100])[..1]);
    assert_eq!(bench.pass(500).len(), 1);
    bench.send_from(33, &message(first, PING, &[1; 100])[..1]);
    bench.send_from(44, &message(first, PING, &[1; 100])[1..]);
    assert!(bench.sent_to().iter().all(|(to, _)| *to == 33));
}
