//! Attestation objects and statements (WebAuthn Level 3, Attestation).

use crate::cbor::{List, Raw};
use crate::message;

/// Levels of arrays and maps in an attestation object, and in the response of authenticatorMakeCredential that it is
/// made of: one more than in CTAP's other messages, which the statement `compound` takes if there are certificates in it.
pub const OBJECT_LEVELS: u8 = 5;

/// The statement formats by name.
pub mod format {
    /// The statement form made for WebAuthn.
    pub const PACKED: &str = "packed";
    /// No statement.
    pub const NONE: &str = "none";
    /// The statement of U2F registrations.
    pub const FIDO_U2F: &str = "fido-u2f";
    /// The statement of a Trusted Platform Module.
    pub const TPM: &str = "tpm";
    /// The statement of Android's key store.
    pub const ANDROID_KEY: &str = "android-key";
    /// The statement of Android's `SafetyNet`, which is no longer made.
    pub const ANDROID_SAFETYNET: &str = "android-safetynet";
    /// The statement of Apple's anonymous attestation.
    pub const APPLE: &str = "apple";
    /// Several statements about one credential.
    pub const COMPOUND: &str = "compound";
}

message! {
    /// The attestation object of WebAuthn, which a platform makes from the response of
    /// authenticatorMakeCredential.
    #[derive(Copy)]
    pub struct AttestationObject<'b>: Text {
        /// The statement format.
        "fmt" => fmt: required &'b str,
        /// The statement.
        "attStmt" => att_stmt: required Raw<'b>,
        /// The authenticator data.
        "authData" => auth_data: required &'b [u8],
    }
}

message! {
    /// The attestation object of a sign-in, as a draft of level 3 had it (of 27 September 2023): without the
    /// authenticator data, which stand beside it.
    #[derive(Copy)]
    pub struct AssertionAttestationObject<'b>: Text {
        /// The statement format.
        "fmt" => fmt: required &'b str,
        /// The statement.
        "attStmt" => att_stmt: required Raw<'b>,
    }
}

message! {
    /// The statement of the format `packed`: with certificates it is basic, without them self attestation.
    pub struct PackedStatement<'b>: Text {
        /// The algorithm of the key that signed.
        "alg" => alg: required i64,
        /// The signature over authenticator data and client data hash.
        "sig" => sig: required &'b [u8],
        /// The certificates in DER, the one of the key that signed first.
        "x5c" => x5c: optional List<'b, &'b [u8]>,
    }
}

message! {
    /// The statement of the format `fido-u2f`.
    pub struct FidoU2fStatement<'b>: Text {
        /// The signature as REGISTER makes it.
        "sig" => sig: required &'b [u8],
        /// Exactly one certificate in DER.
        "x5c" => x5c: required List<'b, &'b [u8]>,
    }
}

message! {
    /// The statement of the format `tpm`.
    pub struct TpmStatement<'b>: Text {
        /// The algorithm of the attestation identity key.
        "alg" => alg: required i64,
        /// Its signature over `cert_info`.
        "sig" => sig: required &'b [u8],
        /// The version of the TPM specification, [`TPM_VERSION`].
        "ver" => ver: required &'b str,
        /// The certificates in DER, the one of the attestation identity key first.
        "x5c" => x5c: required List<'b, &'b [u8]>,
        /// The credential's public key, a `TPMT_PUBLIC`.
        "pubArea" => pub_area: required &'b [u8],
        /// What was signed, a `TPMS_ATTEST`.
        "certInfo" => cert_info: required &'b [u8],
    }
}

/// The only version of the TPM specification that the format `tpm` knows.
pub const TPM_VERSION: &str = "2.0";

message! {
    /// The statement of the format `android-key`.
    pub struct AndroidKeyStatement<'b>: Text {
        /// The algorithm of the credential, whose key signed.
        "alg" => alg: required i64,
        /// The signature over authenticator data and client data hash.
        "sig" => sig: required &'b [u8],
        /// The certificates in DER, the one of the credential first.
        "x5c" => x5c: required List<'b, &'b [u8]>,
    }
}

message! {
    /// The statement of the format `apple`.
    pub struct AppleStatement<'b>: Text {
        /// The certificates in DER, the one of the credential first.
        "x5c" => x5c: required List<'b, &'b [u8]>,
    }
}

message! {
    /// One element of the statement of the format `compound`, which is a list of them.
    #[derive(Copy)]
    pub struct CompoundElement<'b>: Text {
        /// The element's format, not `compound`.
        "fmt" => fmt: required &'b str,
        /// Its statement.
        "attStmt" => att_stmt: required Raw<'b>,
    }
}

/// The statement of the format `none`: an empty map.
pub const NONE_STATEMENT: Raw<'static> = Raw(&[0xa0]);
