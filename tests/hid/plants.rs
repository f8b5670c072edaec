//! The test of the test: faults planted between device and bench must be seen by the suite's own check.

use crate::bench::Bench;
use crate::wire::{CBOR, Fault, Report, read};

/// A link that spoils what crosses it in one way.
fn through(reports: &[Report], plant: impl Fn(&mut Vec<Report>)) -> Vec<Report> {
    let mut spoilt = reports.to_vec();
    plant(&mut spoilt);
    spoilt
}

/// HID-42's check finds each of the faults it is there for.
#[test]
fn the_check_of_an_answer_sees_every_planted_fault() {
    let (mut bench, channel, job) = Bench::working();
    let now = bench.now();
    bench.device.answer(now, job.id, &[5; 200]);
    let good = bench.sent();
    assert_eq!(read(&good, channel, CBOR), Ok(vec![5; 200]));

    let sequence = through(&good, |reports| reports[2][4] = 2);
    assert_eq!(read(&sequence, channel, CBOR), Err(Fault::WrongSequence { expected: 1, found: 2 }));
    let swapped = through(&good, |reports| reports.swap(1, 2));
    assert_eq!(read(&swapped, channel, CBOR), Err(Fault::WrongSequence { expected: 0, found: 1 }));
    let lost = through(&good, |reports| {
        reports.remove(1);
    });
    assert_eq!(
        read(&lost, channel, CBOR),
        Err(Fault::WrongNumberOfReports { expected: 4, found: 3 })
    );
    let doubled = through(&good, |reports| reports.insert(3, reports[3]));
    assert_eq!(
        read(&doubled, channel, CBOR),
        Err(Fault::WrongNumberOfReports { expected: 4, found: 5 })
    );
    let channel_changed = through(&good, |reports| reports[3][0] ^= 1);
    assert_eq!(read(&channel_changed, channel, CBOR), Err(Fault::WrongChannel));
    let command = through(&good, |reports| reports[0][4] = 0x81);
    assert_eq!(read(&command, channel, CBOR), Err(Fault::WrongCommand));
    let padding = through(&good, |reports| reports[3][63] = 1);
    assert_eq!(read(&padding, channel, CBOR), Err(Fault::PaddingNotZero));
    assert_eq!(read(&[], channel, CBOR), Err(Fault::Nothing));
}
