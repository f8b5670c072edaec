//! What makes one authenticator differ from another: everything its owner decides before it starts.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use softkey_ctap::pin_uv::Protocol;

use crate::algorithm::Algorithms;
#[cfg(feature = "attestation-formats")]
use crate::attestation::AttestationRoot;
use crate::enterprise::Enterprise;
use crate::generation::Generation;

/// The model's identifier, the same in every installation of the program.
pub const AAGUID: [u8; 16] = [
    0x8d, 0x31, 0x83, 0x30, 0x5d, 0xe2, 0x4c, 0x08, 0xb3, 0x08, 0x0e, 0xb2, 0x1b, 0x34, 0x32, 0x77,
];

/// The certifications that the standard has names for, each with its highest level (CTAP 2.3, authenticator
/// certifications); the lowest is 1.
pub const CERTIFICATIONS: [(&str, u64); 7] = [
    ("FIPS-CMVP-2", 4),
    ("FIPS-CMVP-3", 4),
    ("FIPS-CMVP-2-PHY", 4),
    ("FIPS-CMVP-3-PHY", 4),
    ("CC-EAL", 7),
    ("FIDO", 6),
    ("CCN-CPSTIC", 1),
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
///
/// Fields may contradict each other; [`settled`](Self::settled) says what is made of them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a feature of its own")]
pub struct Config {
    /// Which generation of the protocol it speaks.
    pub generation: Generation,
    /// Does it speak U2F (CTAP1)? While user verification is always asked for it does not.
    pub u2f: bool,
    /// The model's identifier. With another than [`AAGUID`] the batch key, whose certificate names that, cannot
    /// attest; new credentials attest themselves then, or nobody does where that makes an answer too long.
    pub aaguid: [u8; 16],
    /// Grows with every change of the code; above 0. The default is made of the package's version, two digits for
    /// each part.
    pub firmware_version: u64,
    /// How long a request platforms may send, in bytes: 1024 to 7609. A transport with little room says less; requests
    /// up to 7609 bytes are taken all the same.
    pub max_msg_size: u16,
    /// The longest request that is taken, in bytes: `max_msg_size` to 7609.
    pub max_request: u16,
    /// The longest exclude or allow list, at least 1.
    pub max_list: u8,
    /// The longest credential identifier that getInfo tells of, in bytes, at most 1023; not below what identifiers
    /// have here.
    pub max_credential_id_length: u16,
    /// For how many discoverable credentials there is room; if for none, they are not offered.
    pub max_discoverable: u64,
    /// Is there a PIN?
    pub client_pin: bool,
    /// PIN/UV auth protocols, best first.
    pub pin_uv_auth_protocols: Vec<Protocol>,
    /// May a key with a PIN or with built-in user verification make non-discoverable credentials for a touch alone?
    pub make_cred_uv_not_required: bool,
    /// Is user verification always asked for, from the factory on?
    pub always_uv: bool,
    /// Does a reset take a touch of at least 5 seconds, from the factory on? CTAP 2.2 and later.
    pub long_touch_for_reset: bool,
    /// The shortest PIN from the factory on, in code points, 4 to 63.
    pub min_pin_length: u8,
    /// The longest PIN, in code points, 8 to 63.
    pub max_pin_length: u8,
    /// How many relying parties setMinPINLength takes, up to 8.
    pub max_rp_ids: u8,
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
    /// Certifications by their names in the standard, with their levels ([`CERTIFICATIONS`]); the default has none.
    pub certifications: Vec<(String, u64)>,
    /// The commands of vendorPrototype, by their numbers; without it that subcommand is not offered. They check who
    /// asks, as any configuration, and change nothing.
    pub vendor_commands: Option<Vec<u64>>,
    /// The extensions that are offered beside those that are features of their own here.
    pub extensions: Extensions,
    /// The longest credBlob, in bytes, 32 to 128.
    pub max_cred_blob: u8,
    /// Is the extension `uvm` offered, which tells relying parties how the user was verified?
    pub uvm: bool,
    /// How large blobs are kept.
    pub large_blobs: LargeBlobs,
    /// The longest serialized large-blob array, in bytes, 1024 to 4096.
    pub max_large_blob_array: u16,
    /// How much of it credentials leave room for in a store that can be full, in bytes, up to `max_large_blob_array`; 0 where
    /// there is room for all.
    pub large_blob_room: u16,
    /// Is the preview of authenticatorCredentialManagement (0x41) offered, and `FIDO_2_1_PRE` with it?
    pub credential_management_preview: bool,
    /// Is the preview of authenticatorBioEnrollment (0x40) offered where fingers can be enrolled, and `FIDO_2_1_PRE`
    /// with it?
    pub bio_enrollment_preview: bool,
    /// What new credentials sign with.
    pub algorithms: Algorithms,
    /// May credentials be backed up, and are they? The first is fixed for each credential when it is made.
    pub backup: Backup,
    /// What the signature counter counts.
    pub signature_counter: SignatureCounter,
    /// How it says it can be reached; at least one.
    pub transports: Vec<AuthenticatorTransport>,
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
            generation: Generation::Ctap23,
            u2f: true,
            aaguid: AAGUID,
            firmware_version: FIRMWARE_VERSION,
            max_msg_size: 7609,
            max_request: 7609,
            max_list: 16,
            max_credential_id_length: 255,
            max_discoverable: 100_000,
            client_pin: true,
            pin_uv_auth_protocols: vec![Protocol::Two, Protocol::One],
            make_cred_uv_not_required: true,
            always_uv: false,
            long_touch_for_reset: false,
            min_pin_length: 4,
            max_pin_length: 63,
            max_rp_ids: 8,
            user_verification: None,
            attestation: Attestation::Batch,
            enterprise: None,
            pin_complexity_policy: false,
            pin_complexity_policy_url: None,
            certifications: Vec::new(),
            vendor_commands: None,
            extensions: Extensions::default(),
            max_cred_blob: 128,
            uvm: false,
            large_blobs: LargeBlobs::Array,
            max_large_blob_array: 4096,
            large_blob_room: 0,
            credential_management_preview: false,
            bio_enrollment_preview: false,
            algorithms: Algorithms::default(),
            backup: Backup::Never,
            signature_counter: SignatureCounter::Signatures,
            transports: vec![AuthenticatorTransport::Usb],
        }
    }
}

/// A built-in method of user verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserVerification {
    /// The method, as bits of the FIDO registry of user verification methods; fingerprint is 2. Those of external methods
    /// do not count.
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
    /// For how many fingers there is room, 1 to 40.
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
    /// Not at all.
    None,
}

/// Extensions that can be taken away. The default has them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an extension of its own")]
pub struct Extensions {
    /// `credBlob`; not without credProtect.
    pub cred_blob: bool,
    /// `credProtect`.
    pub cred_protect: bool,
    /// `hmac-secret`.
    pub hmac_secret: bool,
    /// `hmac-secret-mc`; not without hmac-secret.
    pub hmac_secret_mc: bool,
    /// `minPinLength`, and the subcommand setMinPINLength with it.
    pub min_pin_length: bool,
    /// `thirdPartyPayment`.
    pub third_party_payment: bool,
}

impl Default for Extensions {
    fn default() -> Self {
        Self {
            cred_blob: true,
            cred_protect: true,
            hmac_secret: true,
            hmac_secret_mc: true,
            min_pin_length: true,
            third_party_payment: true,
        }
    }
}

/// The flags BE and BS of new credentials (WebAuthn Level 3, credential backup state).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backup {
    /// They stay on this key.
    Never,
    /// They may be backed up, and are not yet.
    Eligible,
    /// They are backed up, like a synced passkey.
    BackedUp,
}

/// What the signature counter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureCounter {
    /// Signatures.
    Signatures,
    /// Nothing: it is 0 always.
    Zero,
}

/// How an authenticator can be reached (WebAuthn Level 3, `AuthenticatorTransport`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthenticatorTransport {
    /// USB.
    Usb,
    /// NFC.
    Nfc,
    /// Bluetooth.
    Ble,
    /// Smart card with contacts.
    SmartCard,
    /// Hybrid.
    Hybrid,
    /// Part of the client's machine.
    Internal,
}

impl AuthenticatorTransport {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Usb, Self::Nfc, Self::Ble, Self::SmartCard, Self::Hybrid, Self::Internal];

    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Usb => "usb",
            Self::Nfc => "nfc",
            Self::Ble => "ble",
            Self::SmartCard => "smart-card",
            Self::Hybrid => "hybrid",
            Self::Internal => "internal",
        }
    }
}

/// How new credentials are attested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attestation {
    /// By the batch key and certificate that every installation shares.
    Batch,
    /// By the new credential itself.
    SelfAttestation,
    /// By a root that the owner made, in the formats that it lists. Relying parties can recognise the key by it.
    #[cfg(feature = "attestation-formats")]
    Root(AttestationRoot),
}
