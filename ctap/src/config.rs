//! authenticatorConfig (`CTAP` 2.3).

use crate::cbor::{List, RawMap};
use crate::message;

message! {
    /// The parameters of authenticatorConfig. It has no response.
    pub struct Request<'b>: Int {
        /// The subcommand ([`subcommand`]).
        1 => sub_command: required u64,
        /// The subcommand's parameters, whose form the subcommand decides; the pinUvAuthParam covers their
        /// bytes as received.
        2 => sub_command_params: optional RawMap<'b>,
        /// The PIN/UV auth protocol.
        3 => pin_uv_auth_protocol: optional u64,
        /// authenticate(token, 32 bytes of 0xff, 0x0d, subCommand, with subCommandParams behind it if there are
        /// any).
        4 => pin_uv_auth_param: optional &'b [u8],
    }
}

message! {
    /// The parameters of setMinPINLength.
    #[derive(Default)]
    pub struct SetMinPinLength<'b>: Int {
        /// The new minimum, in code points.
        1 => new_min_pin_length: optional u64,
        /// Relying parties that may learn it.
        2 => min_pin_length_rp_ids: optional List<'b, &'b str>,
        /// Must the PIN be changed?
        3 => force_change_pin: optional bool,
        /// Turn the PIN complexity policy on.
        4 => pin_complexity_policy: optional bool,
    }
}

message! {
    /// The parameters of vendorPrototype.
    #[derive(Copy)]
    pub struct VendorPrototype: Int {
        /// The vendor's command.
        1 => vendor_command_id: required u64,
    }
}

/// The subcommands of authenticatorConfig.
pub mod subcommand {
    /// enableEnterpriseAttestation.
    pub const ENABLE_ENTERPRISE_ATTESTATION: u64 = 0x01;
    /// toggleAlwaysUv.
    pub const TOGGLE_ALWAYS_UV: u64 = 0x02;
    /// setMinPINLength.
    pub const SET_MIN_PIN_LENGTH: u64 = 0x03;
    /// enableLongTouchForReset.
    pub const ENABLE_LONG_TOUCH_FOR_RESET: u64 = 0x04;
    /// vendorPrototype.
    pub const VENDOR_PROTOTYPE: u64 = 0xff;
}
