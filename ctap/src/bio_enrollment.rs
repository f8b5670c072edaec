//! authenticatorBioEnrollment and its preview (`CTAP` 2.3).

use crate::cbor::{List, Received};
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

/// The subcommands of authenticatorBioEnrollment.
pub mod subcommand {
    /// enrollBegin.
    pub const ENROLL_BEGIN: u64 = 0x01;
    /// enrollCaptureNextSample.
    pub const ENROLL_CAPTURE_NEXT_SAMPLE: u64 = 0x02;
    /// cancelCurrentEnrollment.
    pub const CANCEL_CURRENT_ENROLLMENT: u64 = 0x03;
    /// enumerateEnrollments.
    pub const ENUMERATE_ENROLLMENTS: u64 = 0x04;
    /// setFriendlyName.
    pub const SET_FRIENDLY_NAME: u64 = 0x05;
    /// removeEnrollment.
    pub const REMOVE_ENROLLMENT: u64 = 0x06;
    /// getFingerprintSensorInfo.
    pub const GET_FINGERPRINT_SENSOR_INFO: u64 = 0x07;
}
