//! Attestation objects and statements (WebAuthn Level 3, Attestation).

use crate::cbor::{List, Raw};
use crate::message;

/// The statement formats by name.
pub mod format {
    /// The statement form made for WebAuthn.
    pub const PACKED: &str = "packed";
    /// No statement.
    pub const NONE: &str = "none";
    /// The statement of U2F registrations.
    pub const FIDO_U2F: &str = "fido-u2f";
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

/// The statement of the format `none`: an empty map.
pub const NONE_STATEMENT: Raw<'static> = Raw(&[0xa0]);
