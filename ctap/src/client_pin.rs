//! authenticatorClientPIN (`CTAP` 2.3).

use crate::codes::subcommands;
use crate::cose::KeyAgreementKey;
use crate::entities::RpId;
use crate::message;

message! {
    /// The parameters of authenticatorClientPIN.
    pub struct Request<'b>: Int {
        /// The PIN/UV auth protocol.
        1 => pin_uv_auth_protocol: optional u64,
        /// The subcommand ([`subcommand`]).
        2 => sub_command: required u64,
        /// The platform's key-agreement key.
        3 => key_agreement: optional KeyAgreementKey<'b>,
        /// authenticate(shared secret, newPinEnc, with pinHashEnc behind it for changePIN).
        4 => pin_uv_auth_param: optional &'b [u8],
        /// The new PIN, padded with zeros to 64 bytes, encrypted.
        5 => new_pin_enc: optional &'b [u8],
        /// The first 16 bytes of SHA-256 of the present PIN, encrypted.
        6 => pin_hash_enc: optional &'b [u8],
        /// The permissions wanted ([`Permissions`]).
        9 => permissions: optional u64,
        /// The relying party that mc and ga are for.
        10 => rp_id: optional RpId<'b>,
    }
}

message! {
    /// The response of authenticatorClientPIN, by subcommand.
    #[derive(Default)]
    pub struct Response<'b>: Int {
        /// The authenticator's key-agreement key.
        1 => key_agreement: optional KeyAgreementKey<'b>,
        /// The token, encrypted: 16 or 32 bytes with protocol one, 48 with protocol two.
        2 => pin_uv_auth_token: optional &'b [u8],
        /// How many wrong PINs are left until only a reset helps.
        3 => pin_retries: optional u64,
        /// Is a power cycle needed before another try?
        4 => power_cycle_state: optional bool,
        /// How many failures of built-in user verification are left.
        5 => uv_retries: optional u64,
    }
}

subcommands! {
    "authenticatorClientPIN"
    /// getPINRetries.
    GET_PIN_RETRIES = 0x01, "getPINRetries";
    /// getKeyAgreement.
    GET_KEY_AGREEMENT = 0x02, "getKeyAgreement";
    /// setPIN.
    SET_PIN = 0x03, "setPIN";
    /// changePIN.
    CHANGE_PIN = 0x04, "changePIN";
    /// getPinToken, which tokens with permissions supersede.
    GET_PIN_TOKEN = 0x05, "getPinToken";
    /// getPinUvAuthTokenUsingUvWithPermissions.
    GET_TOKEN_USING_UV = 0x06, "getPinUvAuthTokenUsingUvWithPermissions";
    /// getUVRetries.
    GET_UV_RETRIES = 0x07, "getUVRetries";
    /// getPinUvAuthTokenUsingPinWithPermissions.
    GET_TOKEN_USING_PIN = 0x09, "getPinUvAuthTokenUsingPinWithPermissions";
}

/// What a pinUvAuthToken may do, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions(u8);

impl Permissions {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// mc: authenticatorMakeCredential.
    pub const MAKE_CREDENTIAL: Self = Self(0x01);
    /// ga: authenticatorGetAssertion.
    pub const GET_ASSERTION: Self = Self(0x02);
    /// cm: authenticatorCredentialManagement.
    pub const CREDENTIAL_MANAGEMENT: Self = Self(0x04);
    /// be: authenticatorBioEnrollment.
    pub const BIO_ENROLLMENT: Self = Self(0x08);
    /// lbw: writing the large-blob array.
    pub const LARGE_BLOB_WRITE: Self = Self(0x10);
    /// acfg: authenticatorConfig.
    pub const AUTHENTICATOR_CONFIG: Self = Self(0x20);
    /// pcmr: reading by authenticatorCredentialManagement with the persistent token.
    pub const PERSISTENT_CREDENTIAL_MANAGEMENT_READ_ONLY: Self = Self(0x40);

    /// The defined permissions among these bits; undefined bits are passed over.
    #[must_use]
    pub fn from_bits(bits: u64) -> Self {
        Self(u8::try_from(bits & 0x7f).unwrap_or_default())
    }

    /// The bits.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Both sets together if the condition holds, else this one.
    #[must_use]
    pub const fn with_if(self, condition: bool, other: Self) -> Self {
        if condition { self.with(other) } else { self }
    }

    /// Those of this set that are in `other` too.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Have the sets anything in common?
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Is the set empty?
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}
