//! Inputs and outputs of the extensions (`CTAP` 2.3; `uvm` is of WebAuthn Level 1).
//!
//! Inputs are [`Lazy`]: their types are looked at only by an authenticator that has the extension.

use crate::cbor::{Lazy, List};
use crate::cose::KeyAgreementKey;
use crate::message;

message! {
    /// Extension inputs of authenticatorMakeCredential.
    pub struct MakeCredentialInputs<'b>: Text {
        /// Return the user verification methods used.
        "uvm" => uvm: optional Lazy<'b, bool>,
        /// A blob to keep with the credential.
        "credBlob" => cred_blob: optional Lazy<'b, &'b [u8]>,
        /// `{"support": "required" | "preferred"}` ([`LargeBlobSupport`]).
        "largeBlob" => large_blob: optional Lazy<'b, LargeBlobSupport<'b>>,
        /// The level of protection wanted, 1 to 3.
        "credProtect" => cred_protect: optional Lazy<'b, u64>,
        /// Prepare the credential for hmac-secret.
        "hmac-secret" => hmac_secret: optional Lazy<'b, bool>,
        /// Return a key for the large-blob array.
        "largeBlobKey" => large_blob_key: optional Lazy<'b, bool>,
        /// Return the minimum PIN length.
        "minPinLength" => min_pin_length: optional Lazy<'b, bool>,
        /// hmac-secret at creation.
        "hmac-secret-mc" => hmac_secret_mc: optional Lazy<'b, HmacSecretInput<'b>>,
        /// Let others than the relying party use the credential for payment.
        "thirdPartyPayment" => third_party_payment: optional Lazy<'b, bool>,
        /// Return whether a PIN complexity policy is in force.
        "pinComplexityPolicy" => pin_complexity_policy: optional Lazy<'b, bool>,
    }
}

message! {
    /// Signed extension outputs of authenticatorMakeCredential, in the authenticator data.
    #[derive(Default)]
    pub struct MakeCredentialOutputs<'b>: Text {
        /// One to three triples of user verification method, key protection and matcher protection.
        "uvm" => uvm: optional List<'b, List<'b, u64>>,
        /// Was the blob stored?
        "credBlob" => cred_blob: optional bool,
        /// The level set, 1 to 3.
        "credProtect" => cred_protect: optional u64,
        /// The credential serves hmac-secret.
        "hmac-secret" => hmac_secret: optional bool,
        /// The minimum PIN length, in code points.
        "minPinLength" => min_pin_length: optional u64,
        /// The encrypted HMAC outputs: 32, 48, 64 or 80 bytes.
        "hmac-secret-mc" => hmac_secret_mc: optional &'b [u8],
        /// Is a PIN complexity policy in force?
        "pinComplexityPolicy" => pin_complexity_policy: optional bool,
    }
}

message! {
    /// Extension inputs of authenticatorGetAssertion.
    pub struct GetAssertionInputs<'b>: Text {
        /// Return the user verification methods used.
        "uvm" => uvm: optional Lazy<'b, bool>,
        /// Return the blob.
        "credBlob" => cred_blob: optional Lazy<'b, bool>,
        /// Read or write the credential's large blob ([`LargeBlobAccess`]).
        "largeBlob" => large_blob: optional Lazy<'b, LargeBlobAccess<'b>>,
        /// Salts for hmac-secret.
        "hmac-secret" => hmac_secret: optional Lazy<'b, HmacSecretInput<'b>>,
        /// Return the key for the large-blob array.
        "largeBlobKey" => large_blob_key: optional Lazy<'b, bool>,
        /// Return whether the credential is for third-party payment.
        "thirdPartyPayment" => third_party_payment: optional Lazy<'b, bool>,
    }
}

message! {
    /// Signed extension outputs of authenticatorGetAssertion, in the authenticator data.
    #[derive(Default)]
    pub struct GetAssertionOutputs<'b>: Text {
        /// One to three triples of user verification method, key protection and matcher protection.
        "uvm" => uvm: optional List<'b, List<'b, u64>>,
        /// The blob, empty if there is none.
        "credBlob" => cred_blob: optional &'b [u8],
        /// The encrypted HMAC outputs: 32, 48, 64 or 80 bytes.
        "hmac-secret" => hmac_secret: optional &'b [u8],
        /// Is the credential for third-party payment?
        "thirdPartyPayment" => third_party_payment: optional bool,
    }
}

message! {
    /// Unsigned extension outputs, beside the authenticator data.
    #[derive(Default)]
    pub struct UnsignedOutputs<'b>: Text {
        /// What came of the largeBlob extension.
        "largeBlob" => large_blob: optional LargeBlobOutput<'b>,
    }
}

message! {
    /// Input of hmac-secret in authenticatorGetAssertion and of hmac-secret-mc.
    pub struct HmacSecretInput<'b>: Int {
        /// The platform's key-agreement key.
        1 => key_agreement: required KeyAgreementKey<'b>,
        /// One or two salts of 32 bytes, encrypted: 32 or 64 bytes, 48 or 80 with protocol two.
        2 => salt_enc: required &'b [u8],
        /// authenticate(shared secret, saltEnc): 16 bytes, 32 with protocol two.
        3 => salt_auth: required &'b [u8],
        /// The PIN/UV auth protocol; one if absent.
        4 => pin_uv_auth_protocol: optional u64,
    }
}

message! {
    /// Input of largeBlob in authenticatorMakeCredential.
    pub struct LargeBlobSupport<'b>: Text {
        /// `required` or `preferred`.
        "support" => support: required &'b str,
    }
}

message! {
    /// Input of largeBlob in authenticatorGetAssertion: either `read`, or `write` with `originalSize`.
    pub struct LargeBlobAccess<'b>: Text {
        /// Return the blob.
        "read" => read: optional bool,
        /// The compressed blob to store.
        "write" => write: optional &'b [u8],
        /// Its length before compression, in bytes.
        "originalSize" => original_size: optional u64,
    }
}

message! {
    /// Output of largeBlob.
    #[derive(Default)]
    pub struct LargeBlobOutput<'b>: Text {
        /// The compressed blob.
        "blob" => blob: optional &'b [u8],
        /// Was the blob stored?
        "written" => written: optional bool,
        /// At creation: the credential can have a blob.
        "supported" => supported: optional bool,
        /// The blob's length before compression, in bytes.
        "originalSize" => original_size: optional u64,
    }
}

/// The identifiers of the extensions, in the canonical order of their outputs.
pub mod id {
    /// User verification methods.
    pub const UVM: &str = "uvm";
    /// A small blob with the credential.
    pub const CRED_BLOB: &str = "credBlob";
    /// A large blob with the credential (2.3).
    pub const LARGE_BLOB: &str = "largeBlob";
    /// Protection of the credential from use without user verification.
    pub const CRED_PROTECT: &str = "credProtect";
    /// Secrets from salts.
    pub const HMAC_SECRET: &str = "hmac-secret";
    /// A key for the large-blob array.
    pub const LARGE_BLOB_KEY: &str = "largeBlobKey";
    /// The minimum PIN length.
    pub const MIN_PIN_LENGTH: &str = "minPinLength";
    /// Secrets from salts at creation.
    pub const HMAC_SECRET_MC: &str = "hmac-secret-mc";
    /// Payment by third parties.
    pub const THIRD_PARTY_PAYMENT: &str = "thirdPartyPayment";
    /// The PIN complexity policy.
    pub const PIN_COMPLEXITY_POLICY: &str = "pinComplexityPolicy";
}

/// The identifiers in a list, as getInfo carries them.
pub type Identifiers<'b> = List<'b, &'b str>;
