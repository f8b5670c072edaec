//! authenticatorBioEnrollment, and which fingers may verify.

use softkey_tests::cbor::{Value, bytes, map};
use softkey_tests::key::{FINGERS, Profile, SAMPLES};
use softkey_tests::request::be;
use softkey_tests::{Request, User};

use super::bench::Bench;
use crate::Tape;

/// The fingers that the key should know.
#[derive(Default)]
pub(super) struct Hand {
    enrolled: Vec<Finger>,
    /// The template of an enrollment that is perhaps under way, and the good samples of it so far.
    under_way: Option<(Vec<u8>, u64)>,
}

struct Finger {
    number: u64,
    template: Vec<u8>,
    name: String,
}

impl Hand {
    /// No enrollment outlives the power.
    pub(super) fn forget(&mut self) {
        self.under_way = None;
    }

    fn knows(&self, finger: u64) -> bool {
        self.enrolled.iter().any(|known| known.number == finger)
    }
}

impl Bench {
    /// Does the core itself know fingers?
    pub(super) fn has_fingers(&self) -> bool {
        let profile = self.setup.profile;
        let fingerprints = matches!(profile, Profile::Fingerprint | Profile::FingerprintPreview);
        fingerprints && self.setup.sensor.is_none()
    }

    fn touching(&self) -> u64 {
        match self.key.current_user() {
            User::Finger(finger) => finger,
            _ => 1,
        }
    }

    /// The user was verified by the sensor: with one of the fingers.
    pub(super) fn was_verified(&self) {
        if self.has_fingers() {
            assert!(self.hand.knows(self.touching()), "verified by a finger that nobody enrolled");
        } else {
            assert!(self.setup.sensor.is_some(), "verified by no sensor");
        }
    }

    fn enrolling(&self, tape: &mut Tape<'_>, sub_command: u8, params: Option<Value>) -> Request {
        let how = tape.byte();
        let mut request = Request::bio_enrollment(sub_command);
        if let Some(params) = params {
            request = request.with(be::PARAMS, params);
        }
        if how >> 4 == 0xF {
            request = request.with(be::MODALITY, 2);
        }
        let token = self.token.as_ref().filter(|_| how & 0x0E != 0x0E);
        let request = match token {
            Some(token) => request.bio_authorized(token),
            None => request,
        };
        let request = match how >> 4 {
            0xE => request.without(be::MODALITY),
            0xD if token.is_some() => request.without(be::PROTOCOL),
            _ => request,
        };
        if how & 1 == 1 { request.previewed() } else { request }
    }

    /// The first sample of a finger, or the next one.
    pub(super) fn enroll(&mut self, tape: &mut Tape<'_>) {
        let begins = tape.flag() || self.hand.under_way.is_none();
        let timeout = tape.pick(&[5_000_u64, 0, 60_000]);
        let (template, good) = match self.hand.under_way.take() {
            Some((template, good)) if !begins => (Some(template), good),
            _ => (None, 0),
        };
        let (sub_command, params) = match &template {
            None => (be::ENROLL_BEGIN, map([(be::TIMEOUT_MILLISECONDS, timeout)])),
            Some(id) => (
                be::ENROLL_CAPTURE_NEXT_SAMPLE,
                map([(be::TEMPLATE_ID, bytes(id)), (be::TIMEOUT_MILLISECONDS, timeout.into())]),
            ),
        };
        let request = self.enrolling(tape, sub_command, Some(params));
        let Ok(body) = self.send(&request) else {
            self.hand.under_way = template.map(|template| (template, good));
            return;
        };
        assert!(self.has_fingers() && self.token.is_some(), "enrolled by nobody");
        let template = template.unwrap_or_else(|| body.get(4).bytes().to_vec());
        let (status, left) = (body.get(5).uint(), body.get(6).uint());
        let good = if status == 0 { good + 1 } else { good };
        assert_eq!(left, u64::from(SAMPLES) - good, "the samples that are left");
        if left > 0 {
            self.hand.under_way = Some((template, good));
            return;
        }
        let number = self.touching();
        assert!(!self.hand.knows(number), "a finger twice");
        self.hand.enrolled.push(Finger { number, template, name: String::new() });
        assert!(
            self.hand.enrolled.len() <= usize::from(FINGERS),
            "more fingers than there is room"
        );
    }

    /// What is listed is what was enrolled.
    pub(super) fn list_fingers(&mut self, tape: &mut Tape<'_>) {
        let request = self.enrolling(tape, be::ENUMERATE_ENROLLMENTS, None);
        let Ok(body) = self.send(&request) else { return };
        let listed = body.get(7).items().iter();
        let listed: Vec<_> = listed
            .map(|info| (info.get(1).bytes().to_vec(), info.get(2).text().to_owned()))
            .collect();
        let known = self.hand.enrolled.iter();
        let known: Vec<_> =
            known.map(|known| (known.template.clone(), known.name.clone())).collect();
        assert_eq!(listed, known, "the fingers listed");
    }

    pub(super) fn rename_or_remove_finger(&mut self, tape: &mut Tape<'_>) {
        let number = tape.below(4);
        let known = self.hand.enrolled.get(number);
        let template = known.map_or_else(|| vec![7; 16], |known| known.template.clone());
        let is_known = known.is_some();
        let name = tape.flag().then(|| "n".repeat(usize::from(tape.byte() % 80)));
        let params = map([(be::TEMPLATE_ID, bytes(&template))]);
        let (sub_command, params) = match &name {
            Some(name) => (be::SET_FRIENDLY_NAME, params.with(be::FRIENDLY_NAME, name.as_str())),
            None => (be::REMOVE_ENROLLMENT, params),
        };
        let request = self.enrolling(tape, sub_command, Some(params));
        if self.send(&request).is_err() {
            return;
        }
        assert!(is_known, "a finger was changed that is not there");
        match name {
            Some(name) => self.hand.enrolled[number].name = name,
            None => drop(self.hand.enrolled.remove(number)),
        }
    }

    /// What the sensor is, or the end of an enrollment, or something that no key has.
    pub(super) fn ask_the_sensor(&mut self, tape: &mut Tape<'_>) {
        let sub_command = tape.pick(&[
            be::GET_FINGERPRINT_SENSOR_INFO,
            be::CANCEL_CURRENT_ENROLLMENT,
            0,
            9,
            be::SET_FRIENDLY_NAME,
            be::REMOVE_ENROLLMENT,
        ]);
        let mut request = self.enrolling(tape, sub_command, None);
        if sub_command == 0 {
            request = request.without(be::SUB_COMMAND).with(be::GET_MODALITY, true);
        }
        let Ok(body) = self.send(&request) else { return };
        assert!(self.has_fingers(), "a sensor that is not there");
        match sub_command {
            be::GET_FINGERPRINT_SENSOR_INFO => {
                assert_eq!(body.get(3).uint(), u64::from(SAMPLES), "samples of an enrollment");
            }
            be::CANCEL_CURRENT_ENROLLMENT => self.hand.under_way = None,
            0 => assert_eq!(body.get(1).uint(), 1, "the modality"),
            other => panic!("subcommand {other} without parameters"),
        }
    }
}
