//! authenticatorBioEnrollment: the fingers that the built-in sensor knows, enrolled sample by sample.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use rand_core::TryCryptoRng;
use softkey_ctap::Command;
use softkey_ctap::bio_enrollment::{
    FINGERPRINT, Params, Request, Response, SampleStatus, TemplateInfo, subcommand,
};
use softkey_ctap::client_pin::Permissions;

use crate::authenticator::{
    Authenticator, Consent, Outcome, Progress, Requester, TOUCH_TIMEOUT, Then, parameters, reply,
};
use crate::authorization::Param;
use crate::config::FingerprintSensor;
use crate::fingers::Template;
use crate::refusal::Refusal;
use crate::step::{Answer, Finger, Operation, Question, Sample, Session, Via};
use crate::store::Store;

/// The longest name of a finger, in bytes.
pub(crate) const MAX_NAME: usize = 64;

/// The length of the identifier of a template, in bytes.
pub(crate) const TEMPLATE_ID: usize = 16;

/// Which form of the command.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edition {
    /// 0x09.
    Final,
    /// 0x40: getPinToken gives the tokens.
    Preview,
}

/// A finger of which some samples have come. There is one at most, and nothing of it is stored.
#[derive(Clone)]
pub(crate) struct Enrollment {
    session: Session,
    /// The token that authorized it; it ends with the token.
    token: u64,
    template_id: [u8; TEMPLATE_ID],
    /// Whose the good samples are.
    finger: Option<Finger>,
    /// How many good samples are still needed.
    remaining: u64,
}

impl Enrollment {
    pub(crate) fn is_of(&self, session: Session) -> bool {
        self.session == session
    }
}

/// A sample that is waited for.
pub(crate) struct Capture {
    enrollment: Enrollment,
    /// Is it the first, so that the answer names the template?
    first: bool,
}

impl<S: Store, R: TryCryptoRng> Authenticator<S, R> {
    pub(crate) fn bio_enrollment(&mut self, via: Via, command: Command, body: &[u8]) -> Progress {
        let edition = match command {
            Command::BIO_ENROLLMENT => Edition::Final,
            _ if self.config.bio_enrollment_preview => Edition::Preview,
            _ => return Err(Refusal::UnknownCommand),
        };
        let sensor = self.config.fingerprint_sensor().ok_or(Refusal::UnknownCommand)?;
        let request: Request<'_> = parameters(body)?;
        if request.get_modality == Some(true) {
            return Ok(reply(&Response { modality: Some(FINGERPRINT), ..Response::default() }));
        }
        match request.sub_command.ok_or(Refusal::MissingParameter)? {
            subcommand::CANCEL_CURRENT_ENROLLMENT => {
                self.enrollment.take_if(|enrollment| enrollment.is_of(via.session));
                Ok(Outcome::Reply(Vec::new()))
            }
            subcommand::GET_FINGERPRINT_SENSOR_INFO => {
                modality(&request)?;
                Ok(sensor_info(sensor))
            }
            sub_command @ subcommand::ENROLL_BEGIN..=subcommand::REMOVE_ENROLLMENT => {
                let token = self.authorize_enrollment(edition, &request, sub_command)?;
                self.authorized_enrollment(via, sensor, &request, token)
            }
            _ => Err(Refusal::UnknownSubcommand),
        }
    }

    /// Carries out what has been authorized by the token with this number.
    fn authorized_enrollment(
        &mut self,
        via: Via,
        sensor: FingerprintSensor,
        request: &Request<'_>,
        token: u64,
    ) -> Progress {
        let none = Params::default();
        let params = request.sub_command_params.as_ref().map_or(&none, |params| &params.value);
        let template_id = params.template_id.unwrap_or_default();
        match request.sub_command {
            Some(subcommand::ENROLL_BEGIN) => self.enroll_begin(via, sensor, params, token),
            Some(subcommand::ENROLL_CAPTURE_NEXT_SAMPLE) => {
                let under_way = self.enrollment.as_ref().filter(|enrollment| {
                    enrollment.is_of(via.session)
                        && enrollment.token == token
                        && enrollment.template_id == template_id
                });
                let enrollment = under_way.ok_or(Refusal::UnknownTemplate)?.clone();
                Ok(capture(params, Capture { enrollment, first: false }))
            }
            Some(subcommand::ENUMERATE_ENROLLMENTS) => self.enumerate_enrollments(),
            Some(subcommand::SET_FRIENDLY_NAME) => {
                let name = params.template_friendly_name.unwrap_or_default();
                self.name_finger(template_id, name)
            }
            _ => self.remove_finger(template_id),
        }
    }

    /// Everything that is checked before a subcommand with a token is carried out. Gives the token's number.
    fn authorize_enrollment(
        &mut self,
        edition: Edition,
        request: &Request<'_>,
        sub_command: u64,
    ) -> Result<u64, Refusal> {
        let bytes = request.pin_uv_auth_param.ok_or(Refusal::TokenRequired)?;
        let given = request.modality.ok_or(Refusal::MissingParameter)?;
        let params = request.sub_command_params.as_ref();
        parameters_given(sub_command, params.map(|params| &params.value))?;
        if request.pin_uv_auth_protocol.is_none() {
            return Err(Refusal::ProtocolMissing);
        }
        modality(request)?;
        let param = Param::of(&self.config, Some(bytes), request.pin_uv_auth_protocol)?;
        let param = param.ok_or(Refusal::TokenRequired)?;
        let name = params.and_then(|params| params.value.template_friendly_name);
        if sub_command == subcommand::SET_FRIENDLY_NAME && name.is_some_and(too_long) {
            return Err(Refusal::FingerNameTooLong);
        }
        let number = |number: u64| u8::try_from(number).unwrap_or_default();
        let covered = params.map_or(&[][..], |params| params.bytes);
        let message = [&[number(given), number(sub_command)][..], covered];
        let need = Permissions::BIO_ENROLLMENT;
        let token = match edition {
            Edition::Final => self.tokens.verify(param.protocol, &message, param.bytes, need),
            Edition::Preview => {
                self.tokens.verify_for_preview(param.protocol, &message, param.bytes, need)
            }
        };
        Ok(token?.serial())
    }

    /// A new enrollment takes the place of one that was under way, and begins once its first sample is there.
    fn enroll_begin(
        &mut self,
        via: Via,
        sensor: FingerprintSensor,
        params: &Params<'_>,
        token: u64,
    ) -> Progress {
        if self.fingers.len() >= sensor.max_fingers.into() {
            return Err(Refusal::FingersFull);
        }
        let mut template_id = [0; TEMPLATE_ID];
        self.rng.try_fill_bytes(&mut template_id).map_err(|_| Refusal::Entropy)?;
        self.enrollment = None;
        let remaining = sensor.samples.into();
        let session = via.session;
        let enrollment = Enrollment { session, token, template_id, finger: None, remaining };
        Ok(capture(params, Capture { enrollment, first: true }))
    }

    /// A sample came, or none did in time.
    pub(crate) fn captured(&mut self, capture: Capture, answer: Answer) -> Progress {
        let Capture { mut enrollment, first } = capture;
        let status = match answer {
            Answer::Sample(Sample::Good(finger)) => self.judge(&enrollment, finger),
            Answer::Sample(Sample::Bad(status)) => status,
            _ => SampleStatus::NO_USER_ACTIVITY,
        };
        if let (SampleStatus::GOOD, Answer::Sample(Sample::Good(finger))) = (status, answer) {
            enrollment.finger = Some(finger);
            enrollment.remaining = enrollment.remaining.saturating_sub(1);
            if enrollment.remaining == 0 {
                let id = enrollment.template_id.to_vec();
                self.add_finger(Template { id, name: alloc::string::String::new(), finger })?;
            }
        }
        let (template_id, remaining) = (enrollment.template_id, enrollment.remaining);
        self.enrollment = (remaining > 0).then_some(enrollment);
        Ok(reply(&Response {
            template_id: first.then_some(&template_id),
            last_enroll_sample_status: Some(status.0),
            remaining_samples: Some(remaining),
            ..Response::default()
        }))
    }

    /// Is this a finger that may be enrolled, and the same as before?
    fn judge(&self, enrollment: &Enrollment, finger: Finger) -> SampleStatus {
        if self.knows_finger(finger) {
            SampleStatus::EXISTS
        } else if enrollment.finger.is_some_and(|before| before != finger) {
            SampleStatus::MERGE_FAILURE
        } else {
            SampleStatus::GOOD
        }
    }

    /// A finger without a name is listed with an empty one: older platforms expect the member.
    fn enumerate_enrollments(&self) -> Progress {
        if self.fingers.is_empty() {
            return Err(Refusal::UnknownTemplate);
        }
        let infos = self.fingers.iter().map(|template| TemplateInfo {
            template_id: &template.id,
            template_friendly_name: Some(&template.name),
        });
        Ok(reply(&Response { template_infos: Some(infos.collect()), ..Response::default() }))
    }
}

/// Asks for a sample; the platform may say for how long, up to the usual time.
fn capture(params: &Params<'_>, capture: Capture) -> Outcome {
    let wanted = params.timeout_milliseconds.map_or(TOUCH_TIMEOUT, Duration::from_millis);
    Outcome::Ask(Box::new(Consent {
        question: Question::CaptureSample { remaining: capture.enrollment.remaining },
        requester: Requester::nobody(Operation::Enroll),
        timeout: wanted.min(TOUCH_TIMEOUT),
        then: Then::Capture(capture),
    }))
}

fn sensor_info(sensor: FingerprintSensor) -> Outcome {
    reply(&Response {
        fingerprint_kind: Some(sensor.kind.number()),
        max_capture_samples_required_for_enroll: Some(sensor.samples.into()),
        max_template_friendly_name: u64::try_from(MAX_NAME).ok(),
        ..Response::default()
    })
}

/// The modality, which must be fingerprint.
fn modality(request: &Request<'_>) -> Result<(), Refusal> {
    match request.modality {
        Some(FINGERPRINT) => Ok(()),
        Some(_) => Err(Refusal::ModalityUnsupported),
        None => Err(Refusal::MissingParameter),
    }
}

/// What a subcommand cannot do without.
fn parameters_given(sub_command: u64, params: Option<&Params<'_>>) -> Result<(), Refusal> {
    let id = params.is_some_and(|params| params.template_id.is_some());
    let name = params.is_some_and(|params| params.template_friendly_name.is_some());
    let enough = match sub_command {
        subcommand::ENROLL_CAPTURE_NEXT_SAMPLE | subcommand::REMOVE_ENROLLMENT => id,
        subcommand::SET_FRIENDLY_NAME => id && name,
        _ => true,
    };
    if enough { Ok(()) } else { Err(Refusal::MissingParameter) }
}

const fn too_long(name: &str) -> bool {
    name.len() > MAX_NAME
}
