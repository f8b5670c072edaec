//! authenticatorGetInfo (`CTAP` 2.3). It has no parameters.

use crate::cbor::{List, RawMap};
use crate::entities::Parameters;
use crate::message;

message! {
    /// The response of authenticatorGetInfo.
    pub struct Response<'b>: Int {
        /// `U2F_V2`, `FIDO_2_0`, `FIDO_2_1_PRE`, `FIDO_2_1`, `FIDO_2_3`.
        1 => versions: required List<'b, &'b str>,
        /// The extensions supported.
        2 => extensions: optional List<'b, &'b str>,
        /// The authenticator's model.
        3 => aaguid: required [u8; 16],
        /// What it can do and what is set up.
        4 => options: optional Options,
        /// The longest request, in bytes; 1024 if absent.
        5 => max_msg_size: optional u64,
        /// PIN/UV auth protocols, best first.
        6 => pin_uv_auth_protocols: optional List<'b, u64>,
        /// The longest exclude or allow list.
        7 => max_credential_count_in_list: optional u64,
        /// The longest credential identifier, in bytes.
        8 => max_credential_id_length: optional u64,
        /// How it can be reached.
        9 => transports: optional List<'b, &'b str>,
        /// Algorithms, best first.
        10 => algorithms: optional List<'b, Parameters<'b>>,
        /// The longest serialized large-blob array, in bytes.
        11 => max_serialized_large_blob_array: optional u64,
        /// Must the PIN be changed before it gives tokens?
        12 => force_pin_change: optional bool,
        /// The shortest PIN, in code points.
        13 => min_pin_length: optional u64,
        /// The firmware's version.
        14 => firmware_version: optional u64,
        /// The longest credBlob, in bytes.
        15 => max_cred_blob_length: optional u64,
        /// How many relying parties setMinPINLength takes.
        16 => max_rp_ids_for_set_min_pin_length: optional u64,
        /// How often the platform should try built-in user verification before the PIN.
        17 => preferred_platform_uv_attempts: optional u64,
        /// Methods of built-in user verification, as bits of the FIDO registry.
        18 => uv_modality: optional u64,
        /// Certifications: a map of name to level.
        19 => certifications: optional RawMap<'b>,
        /// For how many more discoverable credentials there is room.
        20 => remaining_discoverable_credentials: optional u64,
        /// Vendor prototype subcommands of authenticatorConfig.
        21 => vendor_prototype_config_commands: optional List<'b, u64>,
        /// Attestation statement formats, best first, never `none`.
        22 => attestation_formats: optional List<'b, &'b str>,
        /// Attempts at built-in user verification since the last correct PIN.
        23 => uv_count_since_last_pin_entry: optional u64,
        /// Does a reset need a long touch?
        24 => long_touch_for_reset: optional bool,
        /// The device identifier, encrypted under the persistent token: 32 bytes.
        25 => enc_identifier: optional [u8; 32],
        /// Over which transports a reset is possible.
        26 => transports_for_reset: optional List<'b, &'b str>,
        /// Is a PIN complexity policy in force?
        27 => pin_complexity_policy: optional bool,
        /// Where that policy is described: a URL in UTF-8.
        28 => pin_complexity_policy_url: optional &'b [u8],
        /// The longest PIN, in code points.
        29 => max_pin_length: optional u64,
        /// The state of the credential store, encrypted under the persistent token: 32 bytes.
        30 => enc_cred_store_state: optional [u8; 32],
        /// Subcommands of authenticatorConfig.
        31 => authenticator_config_commands: optional List<'b, u64>,
    }
}

message! {
    /// The options in getInfo. For many, absent means unsupported, false supported but not set up, true set up.
    #[derive(Copy, Default)]
    pub struct Options: Text {
        /// Enterprise attestation.
        "ep" => ep: optional bool,
        /// Discoverable credentials.
        "rk" => rk: optional bool,
        /// User presence; true if absent.
        "up" => up: optional bool,
        /// Built-in user verification.
        "uv" => uv: optional bool,
        /// Part of the platform.
        "plat" => plat: optional bool,
        /// Tokens by built-in user verification may configure.
        "uvAcfg" => uv_acfg: optional bool,
        /// User verification always.
        "alwaysUv" => always_uv: optional bool,
        /// authenticatorCredentialManagement.
        "credMgmt" => cred_mgmt: optional bool,
        /// authenticatorConfig.
        "authnrCfg" => authnr_cfg: optional bool,
        /// authenticatorBioEnrollment; true once a fingerprint is enrolled.
        "bioEnroll" => bio_enroll: optional bool,
        /// A PIN; true once it is set.
        "clientPin" => client_pin: optional bool,
        /// authenticatorLargeBlobs.
        "largeBlobs" => large_blobs: optional bool,
        /// Tokens by built-in user verification may enroll.
        "uvBioEnroll" => uv_bio_enroll: optional bool,
        /// The permission pcmr.
        "perCredMgmtRO" => per_cred_mgmt_ro: optional bool,
        /// Tokens with permissions.
        "pinUvAuthToken" => pin_uv_auth_token: optional bool,
        /// setMinPINLength.
        "setMinPINLength" => set_min_pin_length: optional bool,
        /// Non-discoverable credentials without user verification.
        "makeCredUvNotRqd" => make_cred_uv_not_rqd: optional bool,
        /// The preview of authenticatorCredentialManagement.
        "credentialMgmtPreview" => credential_mgmt_preview: optional bool,
        /// The preview of authenticatorBioEnrollment.
        "userVerificationMgmtPreview" => user_verification_mgmt_preview: optional bool,
        /// Tokens by PIN never make credentials or assertions.
        "noMcGaPermissionsWithClientPin" => no_mc_ga_permissions_with_client_pin: optional bool,
    }
}
