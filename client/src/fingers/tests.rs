//! Enrollment with scripted keys, and when it is given up.

use super::*;
use crate::script::{self, CTAP2, entropy, play};

/// A key without the command is not asked for a PIN, nor is one without a PIN.
#[test]
fn a_key_without_the_command_or_a_pin_is_left_alone() {
    let without = script::info(&[("clientPin", true)]);
    let (result, sent) = play(list(CTAP2, entropy()), &[without]);
    assert_eq!(result, Err(Cause::NoSuchCommand));
    assert_eq!(sent.len(), 1);
    let unprotected = script::info(&[("bioEnroll", false), ("clientPin", false)]);
    let (result, _) = play(list(CTAP2, entropy()), &[unprotected]);
    assert_eq!(result, Err(Cause::NoUserVerification));
}

/// An enrolled finger enrolls no other unless the key says so, whatever it verifies otherwise.
#[test]
fn a_finger_alone_does_not_enroll_another() {
    let options = [("uv", true), ("bioEnroll", true), ("pinUvAuthToken", true)];
    let (result, sent) = play(list(CTAP2, entropy()), &[script::info(&options)]);
    assert_eq!(result, Err(Cause::NoUserVerification));
    assert_eq!(sent.len(), 1);
}

#[test]
fn fingers_are_called_by_name_or_identifier() {
    let finger = Finger { id: vec![0xab, 0x0c], name: Some("left thumb".into()) };
    for which in ["left thumb", "a", "AB0", "ab0c"] {
        assert!(finger.is_called(which), "{which}");
    }
    for which in ["left", "ab0c0", "b", "", "Left thumb"] {
        assert!(!finger.is_called(which), "{which}");
    }
    let nameless = Finger { id: vec![1], name: None };
    assert!(!nameless.is_called(""));
}

/// Samples that are of no use are borne with for a while; a good one makes up for those before.
#[test]
fn patience_has_an_end() {
    let after = |statuses: &[SampleStatus]| {
        let mut luck = Luck::default();
        statuses.iter().try_for_each(|status| luck.after(*status))
    };
    let (good, high) = (SampleStatus::GOOD, SampleStatus::TOO_HIGH);
    let nobody = SampleStatus::NO_USER_ACTIVITY;
    assert_eq!(after(&[nobody, high, nobody, good, nobody]), Ok(()));
    assert_eq!(after(&[nobody, nobody]), Err(Cause::Timeout));
    assert_eq!(after(&[high; 19]), Ok(()));
    assert_eq!(after(&[high; 20]), Err(FingerFault::BadSamples(20).into()));
    assert_eq!(after(&[&[high; 19][..], &[good], &[high; 19]].concat()), Ok(()));
    assert_eq!(after(&[SampleStatus::EXISTS]), Err(FingerFault::Enrolled.into()));
    let full = Err(Cause::Refused(StatusCode::FP_DATABASE_FULL));
    assert_eq!(after(&[SampleStatus::DATABASE_FULL]), full);
}
