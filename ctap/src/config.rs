//! authenticatorConfig (`CTAP` 2.3).

use crate::cbor::{List, RawMap};
use crate::codes::subcommands;
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

subcommands! {
    "authenticatorConfig"
    /// enableEnterpriseAttestation.
    ENABLE_ENTERPRISE_ATTESTATION = 0x01, "enableEnterpriseAttestation";
    /// toggleAlwaysUv.
    TOGGLE_ALWAYS_UV = 0x02, "toggleAlwaysUv";
    /// setMinPINLength.
    SET_MIN_PIN_LENGTH = 0x03, "setMinPINLength";
    /// enableLongTouchForReset.
    ENABLE_LONG_TOUCH_FOR_RESET = 0x04, "enableLongTouchForReset";
    /// vendorPrototype.
    VENDOR_PROTOTYPE = 0xff, "vendorPrototype";
}
