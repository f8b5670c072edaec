//! What makes one authenticator differ from another: everything its owner decides before it starts.

use alloc::string::String;
use alloc::vec::Vec;

use crate::algorithm::Algorithms;
use crate::enterprise::Enterprise;

/// The model's identifier, the same in every installation of the program.
pub const AAGUID: [u8; 16] = [
    0x8d, 0x31, 0x83, 0x30, 0x5d, 0xe2, 0x4c, 0x08, 0xb3, 0x08, 0x0e, 0xb2, 0x1b, 0x34, 0x32, 0x77,
];

/// The package's version as a number: 1.2.3 is 10203.
const FIRMWARE_VERSION: u64 = number(env!("CARGO_PKG_VERSION_MAJOR")) * 10_000
    + number(env!("CARGO_PKG_VERSION_MINOR")) * 100
    + number(env!("CARGO_PKG_VERSION_PATCH"));

const fn number(digits: &str) -> u64 {
    match u64::from_str_radix(digits, 10) {
        Ok(number) => number,
        Err(_) => 0,
    }
}

/// How an authenticator is set up. The default is the key that `softkey run` shows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a feature of its own")]
pub struct Config {
    /// The model's identifier.
    pub aaguid: [u8; 16],
    /// Grows with every change of the code; above 0. The default is made of the package's version, two digits for
    /// each part.
    pub firmware_version: u64,
    /// How long a request platforms may send, in bytes: 1024 to 7609. A transport with little room says less; requests
    /// up to 7609 bytes are taken all the same.
    pub max_msg_size: u16,
    /// For how many discoverable credentials there is room.
    pub max_discoverable: u64,
    /// Is user verification always asked for, from the factory on?
    pub always_uv: bool,
    /// The shortest PIN from the factory on, in code points, 4 to 63.
    pub min_pin_length: u8,
    /// Built-in user verification, if the owner has a real verifier.
    pub user_verification: Option<UserVerification>,
    /// How new credentials are attested.
    pub attestation: Attestation,
    /// What enterprise attestation is made with; without it the feature is not offered.
    pub enterprise: Option<Enterprise>,
    /// Can a PIN complexity policy be turned on?
    pub pin_complexity_policy: bool,
    /// Where that policy is described, a URL; told only beside it.
    pub pin_complexity_policy_url: Option<String>,
    /// Certifications by their names in the standard, with their levels; the default has none.
    pub certifications: Vec<(String, u64)>,
    /// Is the extension `uvm` offered, which tells relying parties how the user was verified?
    pub uvm: bool,
    /// How large blobs are kept.
    pub large_blobs: LargeBlobs,
    /// Is the preview of authenticatorCredentialManagement (0x41) offered, and `FIDO_2_1_PRE` with it?
    pub credential_management_preview: bool,
    /// Is the preview of authenticatorBioEnrollment (0x40) offered where fingers can be enrolled, and `FIDO_2_1_PRE`
    /// with it?
    pub bio_enrollment_preview: bool,
    /// What new credentials sign with.
    pub algorithms: Algorithms,
}

impl Config {
    /// The sensor on which fingers are enrolled, if there is one.
    pub(crate) fn fingerprint_sensor(&self) -> Option<FingerprintSensor> {
        self.user_verification.and_then(|method| method.enrollment)
    }

    /// Is the preview of authenticatorBioEnrollment offered?
    pub(crate) fn previews_bio_enrollment(&self) -> bool {
        self.bio_enrollment_preview && self.fingerprint_sensor().is_some()
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            aaguid: AAGUID,
            firmware_version: FIRMWARE_VERSION,
            max_msg_size: 7609,
            max_discoverable: 100_000,
            always_uv: false,
            min_pin_length: 4,
            user_verification: None,
            attestation: Attestation::Batch,
            enterprise: None,
            pin_complexity_policy: false,
            pin_complexity_policy_url: None,
            certifications: Vec::new(),
            uvm: false,
            large_blobs: LargeBlobs::Array,
            credential_management_preview: false,
            bio_enrollment_preview: false,
            algorithms: Algorithms::default(),
        }
    }
}

/// A built-in method of user verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserVerification {
    /// The method, as bits of the FIDO registry of user verification methods; fingerprint is 2.
    pub modality: u64,
    /// After how many failures in all the method is blocked, 1 to 25.
    pub max_retries: u8,
    /// How many tries one request gives the user, 1 to 5.
    pub tries_per_request: u8,
    /// The sensor, if users must enroll a finger before the method is ready (authenticatorBioEnrollment); without it
    /// the method is ready always.
    pub enrollment: Option<FingerprintSensor>,
}

/// A fingerprint sensor on which fingers are enrolled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FingerprintSensor {
    /// How it is used.
    pub kind: FingerprintKind,
    /// How many good samples an enrollment takes, from 1 on.
    pub samples: u8,
    /// For how many fingers there is room.
    pub max_fingers: u8,
    /// May a token that was got by an enrolled finger enroll further ones (`uvBioEnroll`)? A token by PIN always may.
    pub by_verification: bool,
}

/// How a fingerprint sensor is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FingerprintKind {
    /// The finger is put on it.
    Touch,
    /// The finger is drawn over it.
    Swipe,
}

impl FingerprintKind {
    /// fingerprintKind on the wire.
    pub(crate) const fn number(self) -> u64 {
        match self {
            Self::Touch => 1,
            Self::Swipe => 2,
        }
    }
}

/// How large blobs are kept; the standard allows one way only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LargeBlobs {
    /// In one array that platforms read and write (authenticatorLargeBlobs), with a key for each credential that
    /// wants one (`largeBlobKey`).
    Array,
    /// By the authenticator, one for each credential (the extension `largeBlob` of CTAP 2.3).
    Extension,
}

/// How new credentials are attested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attestation {
    /// By the batch key and certificate that every installation shares.
    Batch,
    /// By the new credential itself.
    SelfAttestation,
}
