//! Keys that offer what the default key does not.

use softkey_authenticator::{
    Config, Enterprise, FingerprintKind, FingerprintSensor, LargeBlobs, UserVerification,
};
use softkey_ctap::Secret;

/// What a key offers beside the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Nothing.
    #[default]
    Default,
    /// Enterprise attestation, vendor-facilitated for [`ENTERPRISE_RP`].
    Enterprise,
    /// A PIN complexity policy that can be turned on.
    PinComplexity,
    /// The preview of authenticatorCredentialManagement.
    Preview,
    /// The extension uvm.
    Uvm,
    /// [`CERTIFICATIONS`], and the address of a policy that it has not.
    Certified,
    /// The extension largeBlob in the place of the large-blob array.
    LargeBlob,
    /// A fingerprint sensor on which [`FINGERS`] fingers can be enrolled, with [`SAMPLES`] samples each.
    Fingerprint,
    /// The same, and a finger's token may enroll another; the preview of the command is there too.
    FingerprintPreview,
}

/// For how many fingers the sensor has room.
pub const FINGERS: u8 = 3;

/// How many good samples an enrollment takes.
pub const SAMPLES: u8 = 3;

/// The relying party that gets vendor-facilitated enterprise attestation.
pub const ENTERPRISE_RP: &str = "enterprise.example";

/// Where the PIN complexity policy is said to be described.
pub const POLICY_URL: &str = "https://policy.example/pin";

/// Certifications, in the order of their owner.
pub const CERTIFICATIONS: [(&str, u64); 3] = [("FIPS-CMVP-3", 2), ("FIDO", 1), ("CC-EAL", 4)];

/// The certificate of enterprise attestation, in DER.
pub const ENTERPRISE_CERTIFICATE: &[u8] = include_bytes!("enterprise.der");

/// The private key that belongs to it; made for these tests.
const ENTERPRISE_KEY: [u8; 32] = [
    0xEC, 0x08, 0xC2, 0xF8, 0x3A, 0xC8, 0x89, 0x00, 0x29, 0xC8, 0xC9, 0x0E, 0xD2, 0x21, 0x3C, 0x0F,
    0xB9, 0x31, 0x68, 0x1E, 0x04, 0x52, 0x61, 0x09, 0xAC, 0x21, 0x02, 0xBF, 0xEB, 0x8C, 0x25, 0x10,
];

impl Profile {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Default,
        Self::Enterprise,
        Self::PinComplexity,
        Self::Preview,
        Self::Uvm,
        Self::Certified,
        Self::LargeBlob,
        Self::Fingerprint,
        Self::FingerprintPreview,
    ];

    /// The authenticator's configuration.
    #[must_use]
    pub fn config(self) -> Config {
        let default = Config::default();
        match self {
            Self::Default => default,
            Self::Enterprise => Config { enterprise: Some(enterprise()), ..default },
            Self::PinComplexity => Config {
                pin_complexity_policy: true,
                pin_complexity_policy_url: Some(POLICY_URL.to_owned()),
                ..default
            },
            Self::Certified => Config {
                certifications: CERTIFICATIONS.map(|(name, level)| (name.to_owned(), level)).into(),
                pin_complexity_policy_url: Some(POLICY_URL.to_owned()),
                ..default
            },
            Self::Preview => Config { credential_management_preview: true, ..default },
            Self::Uvm => Config { uvm: true, ..default },
            Self::LargeBlob => Config { large_blobs: LargeBlobs::Extension, ..default },
            Self::Fingerprint => Config { user_verification: Some(fingerprint(false)), ..default },
            Self::FingerprintPreview => Config {
                user_verification: Some(fingerprint(true)),
                bio_enrollment_preview: true,
                ..default
            },
        }
    }
}

fn fingerprint(by_verification: bool) -> UserVerification {
    let kind = if by_verification { FingerprintKind::Swipe } else { FingerprintKind::Touch };
    let enrollment =
        FingerprintSensor { kind, samples: SAMPLES, max_fingers: FINGERS, by_verification };
    UserVerification {
        modality: 2,
        max_retries: 5,
        tries_per_request: 2,
        enrollment: Some(enrollment),
    }
}

fn enterprise() -> Enterprise {
    let certificate = ENTERPRISE_CERTIFICATE.to_vec();
    let rp_ids = vec!["other.example".to_owned(), ENTERPRISE_RP.to_owned()];
    Enterprise::new(Secret::new(ENTERPRISE_KEY), certificate, rp_ids).unwrap()
}
