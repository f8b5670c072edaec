//! authenticatorBioEnrollment and its preview (`CTAP` 2.3).

use crate::cbor::{List, Received};
use crate::codes::{codes, subcommands};
use crate::message;

message! {
    /// The parameters of authenticatorBioEnrollment.
    pub struct Request<'b>: Int {
        /// 1: fingerprint.
        1 => modality: optional u64,
        /// The subcommand ([`subcommand`]).
        2 => sub_command: optional u64,
        /// The subcommand's parameters; the pinUvAuthParam covers their bytes as received.
        3 => sub_command_params: optional Received<'b, Params<'b>>,
        /// The PIN/UV auth protocol.
        4 => pin_uv_auth_protocol: optional u64,
        /// authenticate(token, modality, subCommand, with subCommandParams behind them if there are any).
        5 => pin_uv_auth_param: optional &'b [u8],
        /// Return the modality, and nothing else.
        6 => get_modality: optional bool,
    }
}

message! {
    /// The parameters of the subcommands.
    #[derive(Default)]
    pub struct Params<'b>: Int {
        /// The template meant.
        1 => template_id: optional &'b [u8],
        /// Its name.
        2 => template_friendly_name: optional &'b str,
        /// How long to wait for a sample, in milliseconds.
        3 => timeout_milliseconds: optional u64,
    }
}

message! {
    /// The response of authenticatorBioEnrollment, by subcommand.
    #[derive(Default)]
    pub struct Response<'b>: Int {
        /// 1: fingerprint.
        1 => modality: optional u64,
        /// 1: touch sensor, 2: swipe sensor.
        2 => fingerprint_kind: optional u64,
        /// How many good samples an enrollment takes at most.
        3 => max_capture_samples_required_for_enroll: optional u64,
        /// The template.
        4 => template_id: optional &'b [u8],
        /// How the last sample was; 0 is good.
        5 => last_enroll_sample_status: optional u64,
        /// How many good samples are still needed.
        6 => remaining_samples: optional u64,
        /// The templates there are.
        7 => template_infos: optional List<'b, TemplateInfo<'b>>,
        /// The longest name of a template, in bytes.
        8 => max_template_friendly_name: optional u64,
    }
}

message! {
    /// A template and its name.
    #[derive(Copy)]
    pub struct TemplateInfo<'b>: Int {
        /// The template.
        1 => template_id: required &'b [u8],
        /// Its name.
        2 => template_friendly_name: optional &'b str,
    }
}

/// The modality that is defined: fingerprint.
pub const FINGERPRINT: u64 = 1;

/// How a sample was (lastEnrollSampleStatus). Every value is legal; known ones have names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SampleStatus(pub u64);

codes! {
    SampleStatus
    /// The sample counts.
    GOOD = 0x00, "FP_GOOD", "a good sample";
    /// The finger lay too high.
    TOO_HIGH = 0x01, "FP_TOO_HIGH", "the finger was too high";
    /// The finger lay too low.
    TOO_LOW = 0x02, "FP_TOO_LOW", "the finger was too low";
    /// The finger lay too far left.
    TOO_LEFT = 0x03, "FP_TOO_LEFT", "the finger was too far left";
    /// The finger lay too far right.
    TOO_RIGHT = 0x04, "FP_TOO_RIGHT", "the finger was too far right";
    /// The finger moved too fast.
    TOO_FAST = 0x05, "FP_TOO_FAST", "the finger was too fast";
    /// The finger moved too slowly.
    TOO_SLOW = 0x06, "FP_TOO_SLOW", "the finger was too slow";
    /// The sensor could not see enough.
    POOR_QUALITY = 0x07, "FP_POOR_QUALITY", "the sensor could not see the finger well";
    /// The finger lay askew.
    TOO_SKEWED = 0x08, "FP_TOO_SKEWED", "the finger lay askew";
    /// The touch, or the swipe, was too short.
    TOO_SHORT = 0x09, "FP_TOO_SHORT", "the touch was too short";
    /// The sample does not belong to those before it.
    MERGE_FAILURE = 0x0a, "FP_MERGE_FAILURE", "this does not look like the finger before";
    /// The finger is enrolled already.
    EXISTS = 0x0b, "FP_EXISTS", "this finger is enrolled already";
    /// The sensor has no room for another finger; the standard has left the value unused since.
    DATABASE_FULL = 0x0c, "FP_DATABASE_FULL", "the sensor has no room for another finger";
    /// Nobody touched the sensor.
    NO_USER_ACTIVITY = 0x0d, "NO_USER_ACTIVITY", "nobody touched the sensor";
    /// The finger was not taken off the sensor before.
    NO_USER_PRESENCE_TRANSITION = 0x0e, "NO_USER_PRESENCE_TRANSITION",
        "the finger was not lifted between two samples";
    _: _ => "the sample was not used, for a reason of the key's own",
}

subcommands! {
    "authenticatorBioEnrollment"
    /// enrollBegin.
    ENROLL_BEGIN = 0x01, "enrollBegin";
    /// enrollCaptureNextSample.
    ENROLL_CAPTURE_NEXT_SAMPLE = 0x02, "enrollCaptureNextSample";
    /// cancelCurrentEnrollment.
    CANCEL_CURRENT_ENROLLMENT = 0x03, "cancelCurrentEnrollment";
    /// enumerateEnrollments.
    ENUMERATE_ENROLLMENTS = 0x04, "enumerateEnrollments";
    /// setFriendlyName.
    SET_FRIENDLY_NAME = 0x05, "setFriendlyName";
    /// removeEnrollment.
    REMOVE_ENROLLMENT = 0x06, "removeEnrollment";
    /// getFingerprintSensorInfo.
    GET_FINGERPRINT_SENSOR_INFO = 0x07, "getFingerprintSensorInfo";
}
