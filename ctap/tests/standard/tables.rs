//! Every message written down a second time, from the standard, so that a slip in the crate's own tables shows.

use softkey_ctap::cbor::DecodeError;

use self::Kind::{
    Any, AnyMap, Bool, Bytes, Fixed, Int, Lazy, List, Map, Text, TextNotEmpty, Uint, UserHandle,
};
use self::Label::{I, T};

/// The members of a map.
pub(crate) struct Table {
    pub(crate) required: &'static [(Label, Kind)],
    pub(crate) optional: &'static [(Label, Kind)],
    /// What the absence of a required member is.
    pub(crate) missing: DecodeError,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    I(i64),
    T(&'static str),
}

/// What may stand in a place.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Uint,
    Int,
    Bytes,
    /// A byte string of this length; others are [`DecodeError::Length`].
    Fixed(usize),
    /// A byte string of 1 to 64 bytes; others are [`DecodeError::Length`].
    UserHandle,
    Text,
    /// The empty text is [`DecodeError::Value`].
    TextNotEmpty,
    Bool,
    List(&'static Kind),
    Map(&'static Table),
    /// A map whose content is for somebody else to judge.
    AnyMap,
    /// What another member, or somebody else, decides.
    Any,
    /// Judged only when it is looked at.
    Lazy(&'static Kind),
}

const fn table(required: &'static [(Label, Kind)], optional: &'static [(Label, Kind)]) -> Table {
    Table { required, optional, missing: DecodeError::Missing }
}

// Common data forms

pub(crate) static RP: Table = table(&[(T("id"), TextNotEmpty)], &[(T("name"), Text)]);
pub(crate) static USER: Table =
    table(&[(T("id"), UserHandle)], &[(T("name"), Text), (T("displayName"), Text)]);
pub(crate) static DESCRIPTOR: Table = Table {
    required: &[(T("id"), Bytes), (T("type"), Text)],
    optional: &[(T("transports"), List(&Text))],
    missing: DecodeError::UnexpectedType,
};
pub(crate) static PARAMETERS: Table = table(&[(T("alg"), Int), (T("type"), Text)], &[]);
pub(crate) static KEY_AGREEMENT: Table =
    table(&[], &[(I(1), Int), (I(3), Int), (I(-1), Int), (I(-2), Bytes), (I(-3), Bytes)]);

// authenticatorMakeCredential and authenticatorGetAssertion

pub(crate) static OPTIONS: Table = table(&[], &[(T("rk"), Bool), (T("up"), Bool), (T("uv"), Bool)]);
pub(crate) static MAKE_CREDENTIAL: Table = table(
    &[(I(1), Fixed(32)), (I(2), Map(&RP)), (I(3), Map(&USER)), (I(4), List(&Map(&PARAMETERS)))],
    &[
        (I(5), List(&Map(&DESCRIPTOR))),
        (I(6), Map(&MC_INPUTS)),
        (I(7), Map(&OPTIONS)),
        (I(8), Bytes),
        (I(9), Uint),
        (I(0x0a), Uint),
        (I(0x0b), List(&Text)),
    ],
);
pub(crate) static MAKE_CREDENTIAL_RESPONSE: Table = table(
    &[(I(1), Text), (I(2), Bytes)],
    &[(I(3), Any), (I(4), Bool), (I(5), Fixed(32)), (I(6), Map(&UNSIGNED_OUTPUTS))],
);
pub(crate) static GET_ASSERTION: Table = table(
    &[(I(1), TextNotEmpty), (I(2), Fixed(32))],
    &[
        (I(3), List(&Map(&DESCRIPTOR))),
        (I(4), Map(&GA_INPUTS)),
        (I(5), Map(&OPTIONS)),
        (I(6), Bytes),
        (I(7), Uint),
        (I(8), Any),
        (I(9), Any),
    ],
);
pub(crate) static GET_ASSERTION_RESPONSE: Table = table(
    &[(I(2), Bytes), (I(3), Bytes)],
    &[
        (I(1), Map(&DESCRIPTOR)),
        (I(4), Map(&USER)),
        (I(5), Uint),
        (I(6), Bool),
        (I(7), Fixed(32)),
        (I(8), Map(&UNSIGNED_OUTPUTS)),
        (I(9), Any),
        (I(10), Any),
    ],
);

// authenticatorGetInfo

pub(crate) static GET_INFO_RESPONSE: Table = table(
    &[(I(0x01), List(&Text)), (I(0x03), Fixed(16))],
    &[
        (I(0x02), List(&Text)),
        (I(0x04), Map(&GET_INFO_OPTIONS)),
        (I(0x05), Uint),
        (I(0x06), List(&Uint)),
        (I(0x07), Uint),
        (I(0x08), Uint),
        (I(0x09), List(&Text)),
        (I(0x0a), List(&Map(&PARAMETERS))),
        (I(0x0b), Uint),
        (I(0x0c), Bool),
        (I(0x0d), Uint),
        (I(0x0e), Uint),
        (I(0x0f), Uint),
        (I(0x10), Uint),
        (I(0x11), Uint),
        (I(0x12), Uint),
        (I(0x13), AnyMap),
        (I(0x14), Uint),
        (I(0x15), List(&Uint)),
        (I(0x16), List(&Text)),
        (I(0x17), Uint),
        (I(0x18), Bool),
        (I(0x19), Fixed(32)),
        (I(0x1a), List(&Text)),
        (I(0x1b), Bool),
        (I(0x1c), Bytes),
        (I(0x1d), Uint),
        (I(0x1e), Fixed(32)),
        (I(0x1f), List(&Uint)),
    ],
);
pub(crate) static GET_INFO_OPTIONS: Table = table(
    &[],
    &[
        (T("ep"), Bool),
        (T("rk"), Bool),
        (T("up"), Bool),
        (T("uv"), Bool),
        (T("plat"), Bool),
        (T("uvAcfg"), Bool),
        (T("alwaysUv"), Bool),
        (T("credMgmt"), Bool),
        (T("authnrCfg"), Bool),
        (T("bioEnroll"), Bool),
        (T("clientPin"), Bool),
        (T("largeBlobs"), Bool),
        (T("uvBioEnroll"), Bool),
        (T("perCredMgmtRO"), Bool),
        (T("pinUvAuthToken"), Bool),
        (T("setMinPINLength"), Bool),
        (T("makeCredUvNotRqd"), Bool),
        (T("credentialMgmtPreview"), Bool),
        (T("userVerificationMgmtPreview"), Bool),
        (T("noMcGaPermissionsWithClientPin"), Bool),
    ],
);

// authenticatorClientPIN

pub(crate) static CLIENT_PIN: Table = table(
    &[(I(2), Uint)],
    &[
        (I(1), Uint),
        (I(3), Map(&KEY_AGREEMENT)),
        (I(4), Bytes),
        (I(5), Bytes),
        (I(6), Bytes),
        (I(9), Uint),
        (I(0x0a), TextNotEmpty),
    ],
);
pub(crate) static CLIENT_PIN_RESPONSE: Table = table(
    &[],
    &[(I(1), Map(&KEY_AGREEMENT)), (I(2), Bytes), (I(3), Uint), (I(4), Bool), (I(5), Uint)],
);

// authenticatorCredentialManagement

pub(crate) static CREDENTIAL_MANAGEMENT: Table = table(
    &[(I(1), Uint)],
    &[(I(2), Map(&CREDENTIAL_MANAGEMENT_PARAMS)), (I(3), Uint), (I(4), Bytes)],
);
pub(crate) static CREDENTIAL_MANAGEMENT_PARAMS: Table =
    table(&[], &[(I(1), Fixed(32)), (I(2), Map(&DESCRIPTOR)), (I(3), Map(&USER))]);
pub(crate) static CREDENTIAL_MANAGEMENT_RESPONSE: Table = table(
    &[],
    &[
        (I(1), Uint),
        (I(2), Uint),
        (I(3), Map(&RP)),
        (I(4), Fixed(32)),
        (I(5), Uint),
        (I(6), Map(&USER)),
        (I(7), Map(&DESCRIPTOR)),
        (I(8), AnyMap),
        (I(9), Uint),
        (I(0x0a), Uint),
        (I(0x0b), Fixed(32)),
        (I(0x0c), Bool),
    ],
);

// authenticatorBioEnrollment

pub(crate) static BIO_ENROLLMENT: Table = table(
    &[],
    &[
        (I(1), Uint),
        (I(2), Uint),
        (I(3), Map(&BIO_ENROLLMENT_PARAMS)),
        (I(4), Uint),
        (I(5), Bytes),
        (I(6), Bool),
    ],
);
pub(crate) static BIO_ENROLLMENT_PARAMS: Table =
    table(&[], &[(I(1), Bytes), (I(2), Text), (I(3), Uint)]);
pub(crate) static BIO_ENROLLMENT_RESPONSE: Table = table(
    &[],
    &[
        (I(1), Uint),
        (I(2), Uint),
        (I(3), Uint),
        (I(4), Bytes),
        (I(5), Uint),
        (I(6), Uint),
        (I(7), List(&Map(&TEMPLATE_INFO))),
        (I(8), Uint),
    ],
);
pub(crate) static TEMPLATE_INFO: Table = table(&[(I(1), Bytes)], &[(I(2), Text)]);

// authenticatorConfig and authenticatorLargeBlobs

pub(crate) static CONFIG: Table =
    table(&[(I(1), Uint)], &[(I(2), AnyMap), (I(3), Uint), (I(4), Bytes)]);
pub(crate) static SET_MIN_PIN_LENGTH: Table =
    table(&[], &[(I(1), Uint), (I(2), List(&Text)), (I(3), Bool), (I(4), Bool)]);
pub(crate) static VENDOR_PROTOTYPE: Table = table(&[(I(1), Uint)], &[]);
pub(crate) static LARGE_BLOBS: Table = table(
    &[],
    &[(I(1), Uint), (I(2), Bytes), (I(3), Uint), (I(4), Uint), (I(5), Bytes), (I(6), Uint)],
);
pub(crate) static LARGE_BLOBS_RESPONSE: Table = table(&[], &[(I(1), Bytes)]);
pub(crate) static LARGE_BLOB_ENTRY: Table =
    table(&[(I(1), Bytes), (I(2), Fixed(12)), (I(3), Uint)], &[]);

// Extensions

pub(crate) static MC_INPUTS: Table = table(
    &[],
    &[
        (T("uvm"), Lazy(&Bool)),
        (T("credBlob"), Lazy(&Bytes)),
        (T("largeBlob"), Lazy(&Map(&LARGE_BLOB_SUPPORT))),
        (T("credProtect"), Lazy(&Uint)),
        (T("hmac-secret"), Lazy(&Bool)),
        (T("largeBlobKey"), Lazy(&Bool)),
        (T("minPinLength"), Lazy(&Bool)),
        (T("hmac-secret-mc"), Lazy(&Map(&HMAC_SECRET))),
        (T("thirdPartyPayment"), Lazy(&Bool)),
        (T("pinComplexityPolicy"), Lazy(&Bool)),
    ],
);
pub(crate) static MC_OUTPUTS: Table = table(
    &[],
    &[
        (T("uvm"), List(&List(&Uint))),
        (T("credBlob"), Bool),
        (T("credProtect"), Uint),
        (T("hmac-secret"), Bool),
        (T("minPinLength"), Uint),
        (T("hmac-secret-mc"), Bytes),
        (T("pinComplexityPolicy"), Bool),
    ],
);
pub(crate) static GA_INPUTS: Table = table(
    &[],
    &[
        (T("uvm"), Lazy(&Bool)),
        (T("credBlob"), Lazy(&Bool)),
        (T("largeBlob"), Lazy(&Map(&LARGE_BLOB_ACCESS))),
        (T("hmac-secret"), Lazy(&Map(&HMAC_SECRET))),
        (T("largeBlobKey"), Lazy(&Bool)),
        (T("thirdPartyPayment"), Lazy(&Bool)),
    ],
);
pub(crate) static GA_OUTPUTS: Table = table(
    &[],
    &[
        (T("uvm"), List(&List(&Uint))),
        (T("credBlob"), Bytes),
        (T("hmac-secret"), Bytes),
        (T("thirdPartyPayment"), Bool),
    ],
);
pub(crate) static UNSIGNED_OUTPUTS: Table = table(&[], &[(T("largeBlob"), Map(&LARGE_BLOB))]);
pub(crate) static HMAC_SECRET: Table =
    table(&[(I(1), Map(&KEY_AGREEMENT)), (I(2), Bytes), (I(3), Bytes)], &[(I(4), Uint)]);
pub(crate) static LARGE_BLOB_SUPPORT: Table = table(&[(T("support"), Text)], &[]);
pub(crate) static LARGE_BLOB_ACCESS: Table =
    table(&[], &[(T("read"), Bool), (T("write"), Bytes), (T("originalSize"), Uint)]);
pub(crate) static LARGE_BLOB: Table = table(
    &[],
    &[(T("blob"), Bytes), (T("written"), Bool), (T("supported"), Bool), (T("originalSize"), Uint)],
);

// Attestation objects and statements

pub(crate) static ATTESTATION_OBJECT: Table =
    table(&[(T("fmt"), Text), (T("attStmt"), Any), (T("authData"), Bytes)], &[]);
pub(crate) static PACKED: Table =
    table(&[(T("alg"), Int), (T("sig"), Bytes)], &[(T("x5c"), List(&Bytes))]);
pub(crate) static FIDO_U2F: Table = table(&[(T("sig"), Bytes), (T("x5c"), List(&Bytes))], &[]);
