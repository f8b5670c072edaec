//! Fingers on a key with a sensor of its own: enrolled, listed, renamed, removed, and what they verify.

use std::collections::VecDeque;

use serde_json::json;
use softkey_authenticator::{
    AttestationFormat, Config, Finger as Touching, FingerprintKind, FingerprintSensor, Sample,
    UserVerification,
};
use softkey_client::cause::FingerFault;
use softkey_client::fingers::{self, Finger};
use softkey_client::{Cause, PinNeed, Progress};
use softkey_ctap::StatusCode;
use softkey_ctap::bio_enrollment::SampleStatus;

use crate::attestation::new_root;
use crate::world::{Hand, World, list, registered};

const PIN: &str = "1234";

fn config(bio_enrollment_preview: bool) -> Config {
    let (kind, samples, max_fingers) = (FingerprintKind::Touch, 3, 2);
    let enrollment = FingerprintSensor { kind, samples, max_fingers, by_verification: false };
    let user_verification = UserVerification {
        modality: 2,
        max_retries: 5,
        tries_per_request: 1,
        enrollment: Some(enrollment),
    };
    Config {
        user_verification: Some(user_verification),
        bio_enrollment_preview,
        ..Config::default()
    }
}

/// A key with a sensor and a PIN, which its person types as often as it is asked for.
fn world() -> World {
    let mut world = World::with(config(false));
    world.protect();
    world.person.pins = VecDeque::from([PIN; 20]);
    world
}

impl World {
    fn enroll(&mut self, name: Option<&str>) -> Result<Finger, Cause> {
        let (reach, entropy) = (self.reach, self.entropy());
        self.run(fingers::add(name.map(str::to_owned), reach, entropy))
    }

    fn known_fingers(&mut self) -> Result<Vec<Finger>, Cause> {
        let (reach, entropy) = (self.reach, self.entropy());
        self.run(fingers::list(reach, entropy))
    }

    fn call(&mut self, which: &str, name: &str) -> Result<Finger, Cause> {
        let (reach, entropy) = (self.reach, self.entropy());
        self.run(fingers::rename(which.to_owned(), name.to_owned(), reach, entropy))
    }

    fn forget(&mut self, which: &str) -> Result<Finger, Cause> {
        let (reach, entropy) = (self.reach, self.entropy());
        self.run(fingers::remove(which.to_owned(), reach, entropy))
    }

    fn touch_with(&mut self, samples: &[Sample]) {
        self.core().samples = samples.iter().copied().collect();
    }
}

const fn good(finger: u64) -> Sample {
    Sample::Good(Touching(finger))
}

/// Each sample is seen; a bad one does not count; the finger has its name at the end.
#[test]
fn a_finger_is_enrolled_sample_by_sample() {
    let mut world = world();
    assert_eq!(world.known_fingers(), Ok(vec![]));
    world.touch_with(&[good(1), Sample::Bad(SampleStatus::TOO_FAST), good(2), good(1), good(1)]);
    let finger = world.enroll(Some("thumb")).unwrap();
    assert_eq!(finger.name.as_deref(), Some("thumb"));
    let seen = |status, remaining| Progress::Sample { status, remaining };
    let expected = [
        seen(SampleStatus::GOOD, 2),
        seen(SampleStatus::TOO_FAST, 2),
        seen(SampleStatus::MERGE_FAILURE, 2),
        seen(SampleStatus::GOOD, 1),
        seen(SampleStatus::GOOD, 0),
    ];
    assert_eq!(world.person.progress, expected);
    assert_eq!(world.known_fingers(), Ok(vec![finger]));
}

/// A finger that somebody else removed meanwhile is unknown.
#[test]
fn a_finger_that_is_gone_is_unknown() {
    let mut world = world();
    let id = world.enroll(None).unwrap().hex_id();
    // Behind the list of them, and before that how long names may be.
    world.fault("status=bioEnrollment:2c@3");
    assert_eq!(world.call(&id, "thumb"), Err(FingerFault::Unknown.into()));
    world.fault("status=bioEnrollment:2c@2");
    assert_eq!(world.forget(&id), Err(FingerFault::Unknown.into()));
    assert_eq!(world.known_fingers().unwrap()[0].name, None);
}

/// By name or by the beginning of the identifier; names that several have name none.
#[test]
fn fingers_are_renamed_and_removed() {
    let mut world = world();
    let first = world.enroll(None).unwrap();
    world.touch_with(&[good(2), good(2), good(2)]);
    let second = world.enroll(Some("index")).unwrap();
    assert_eq!(world.call("thumb", "x"), Err(FingerFault::Unknown.into()));
    let renamed = world.call(&first.hex_id(), "index").unwrap();
    assert_eq!(renamed.name.as_deref(), Some("index"));
    assert_eq!(world.call("index", "x"), Err(FingerFault::Several(2).into()));
    assert_eq!(world.forget("index"), Err(FingerFault::Several(2).into()));
    assert_eq!(world.call(&second.hex_id(), "").unwrap().name, None);
    assert_eq!(world.forget("index").unwrap().id, first.id);
    let rest = world.known_fingers().unwrap();
    assert_eq!(rest, [Finger { id: second.id, name: None }]);
    let long = "x".repeat(65);
    assert_eq!(world.call("", "y"), Err(FingerFault::Unknown.into()), "nothing is called nothing");
    assert_eq!(world.call(&rest[0].hex_id(), &long), Err(FingerFault::NameTooLong(64).into()));
    assert_eq!(world.enroll(Some(&long)), Err(FingerFault::NameTooLong(64).into()));
}

/// Whatever ends an enrollment early, nothing is left of it, and the next one begins at once.
#[test]
fn an_enrollment_that_fails_leaves_nothing() {
    let mut world = world();
    world.core().hand = Hand::Refuses;
    let refused = Cause::Refused(StatusCode::OPERATION_DENIED);
    assert_eq!(world.enroll(None), Err(refused));
    world.core().hand = Hand::StaysAway;
    assert_eq!(world.enroll(None), Err(Cause::Timeout));
    world.person.patience = Some(world.person.waits + 3);
    let cancelled = Cause::Refused(StatusCode::KEEPALIVE_CANCEL);
    assert_eq!(world.enroll(None), Err(cancelled));
    world.person.patience = None;
    world.core().hand = Hand::Touches;
    assert_eq!(world.known_fingers(), Ok(vec![]));
    world.touch_with(&[Sample::Bad(SampleStatus::POOR_QUALITY); 20]);
    assert_eq!(world.enroll(None), Err(FingerFault::BadSamples(20).into()));
    world.enroll(None).unwrap();
    assert_eq!(world.enroll(None), Err(FingerFault::Enrolled.into()));
    world.touch_with(&[good(2); 3]);
    world.enroll(None).unwrap();
    assert_eq!(world.enroll(None), Err(Cause::Refused(StatusCode::FP_DATABASE_FULL)));
    assert_eq!(world.known_fingers().unwrap().len(), 2);
}

/// The PIN enrolls, even where a finger verifies otherwise; a key without one says what is missing.
#[test]
fn the_pin_enrolls_and_a_finger_does_not() {
    let mut without = World::with(config(false));
    assert_eq!(without.enroll(None), Err(Cause::NoUserVerification));
    let mut world = world();
    world.enroll(None).unwrap();
    let (asked, fingers) = (world.person.asked.len(), world.core().fingers);
    world.known_fingers().unwrap();
    assert_eq!(world.person.asked[asked..], [PinNeed::default()]);
    assert_eq!(world.core().fingers, fingers, "no finger is asked for");
}

/// An enrolled finger verifies a registration without a PIN; a strange one falls back to it.
#[test]
fn an_enrolled_finger_verifies() {
    let mut world = world();
    world.enroll(None).unwrap();
    let required = json!({"authenticatorSelection": {"userVerification": "required"}});
    let asked = world.person.asked.len();
    assert!(registered(&world.create(&required).unwrap(), true).user_verified);
    assert_eq!(world.person.asked.len(), asked, "no PIN is asked for");
    world.touch_with(&[good(9); 5]);
    assert!(registered(&world.create(&required).unwrap(), true).user_verified);
    assert_eq!(world.person.asked.len(), asked + 1, "the PIN serves instead");
}

/// A finger's token is all that a registration takes, so the question for the finger says that the relying party may be
/// able to tell this key from all others.
#[test]
fn the_only_question_says_that_the_key_is_recognisable() {
    let by_root = |formats: &[AttestationFormat]| {
        softkey_authenticator::Attestation::Root(new_root(7, formats).unwrap())
    };
    let by_batch = softkey_authenticator::Attestation::Batch;
    let required = json!({"authenticatorSelection": {"userVerification": "required"}});
    for (attestation, enterprise, expected) in [
        (by_root(&[AttestationFormat::None, AttestationFormat::Packed]), false, true),
        (by_root(&[AttestationFormat::None, AttestationFormat::PackedSelf]), false, false),
        (by_batch.clone(), false, false),
        (by_batch, true, true),
    ] {
        let root = new_root(7, &[AttestationFormat::Packed]).unwrap();
        let config = Config { attestation, ..config(false) };
        let enterprise_key = root.enterprise(b"serial 1", &config.aaguid, Vec::new());
        let mut world = World::with(Config { enterprise: enterprise_key, ..config });
        if enterprise {
            // authenticatorConfig, enableEnterpriseAttestation.
            assert_eq!(world.send(&[0x0d, 0xa1, 0x01, 0x01]), [0]);
        }
        world.protect();
        world.person.pins = VecDeque::from([PIN; 20]);
        world.enroll(None).unwrap();
        let touches = world.core().touches;
        let made = world.create(&required).unwrap();
        assert_eq!(world.core().touches, touches, "the finger is the only question");
        assert_eq!(world.core().recognisable, expected);
        let sign_in =
            json!({"userVerification": "required", "allowCredentials": list(&[&made.id])});
        world.get(&sign_in).unwrap();
        assert!(!world.core().recognisable, "signing in shows nothing");
    }
}

/// Keys of the preview have the command under another number; this one has both, and the proper one is used.
#[test]
fn a_key_with_the_preview_is_managed_too() {
    let mut world = World::with(config(true));
    world.protect();
    world.person.pins = VecDeque::from([PIN; 3]);
    let finger = world.enroll(Some("thumb")).unwrap();
    assert_eq!(world.known_fingers(), Ok(vec![finger]));
}
