//! Keys that offer what the default key does not.

use softkey_authenticator::{
    AuthenticatorTransport, Backup, Config, Enterprise, Extensions, FingerprintKind,
    FingerprintSensor, Generation, LargeBlobs, SignatureCounter, UserVerification,
};
use softkey_ctap::Secret;
use softkey_ctap::pin_uv::Protocol;

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
    /// With commands of vendorPrototype.
    Vendor,
    /// The extension largeBlob in the place of the large-blob array.
    LargeBlob,
    /// A fingerprint sensor on which [`FINGERS`] fingers can be enrolled, with [`SAMPLES`] samples each.
    Fingerprint,
    /// The same, and a finger's token may enroll another; the preview of the command is there too.
    FingerprintPreview,
    /// CTAP1 alone.
    U2f,
    /// CTAP 2.0.
    Ctap20,
    /// CTAP 2.0 with the previews of 2.1.
    Ctap20Previews,
    /// CTAP 2.1.
    Ctap21,
    /// CTAP 2.2.
    Ctap22,
    /// Little room for everything: see [`TINY`].
    Tiny,
    /// No PIN.
    NoPin,
    /// User verification always, from the factory on.
    AlwaysUv,
    /// CTAP 2.1 without a PIN: there is nothing that a client could configure.
    Ctap21NoPin,
    /// A long touch for a reset, from the factory on.
    LongTouch,
    /// A PIN is needed for each new credential.
    UvRequired,
    /// Credentials that are backed up.
    Synced,
    /// A signature counter that stays at zero.
    ZeroCounter,
    /// No discoverable credentials.
    NotDiscoverable,
    /// No extension, and no way to keep large blobs.
    Bare,
    /// CTAP2 without U2F.
    NoU2f,
    /// An AAGUID of its owner's choice ([`OTHER_AAGUID`]), other transports, protocol one before two, and a PIN complexity
    /// policy that can be turned on.
    Disguised,
    /// The profile of this name that the program brings along.
    BuiltIn(&'static str),
}

/// For how many fingers the sensor has room.
pub const FINGERS: u8 = 3;

/// How many good samples an enrollment takes.
pub const SAMPLES: u8 = 3;

/// The limits of [`Profile::Tiny`].
pub const TINY: Tiny = Tiny {
    message: 1024,
    list: 2,
    credentials: 2,
    pin: (6, 8),
    array: 1024,
    cred_blob: 32,
    rp_ids: 1,
};

/// Limits, in bytes, entries and code points.
#[derive(Clone, Copy, Debug)]
pub struct Tiny {
    /// The longest request.
    pub message: u16,
    /// The longest list.
    pub list: u8,
    /// Discoverable credentials.
    pub credentials: u64,
    /// The shortest and the longest PIN.
    pub pin: (u8, u8),
    /// The longest large-blob array.
    pub array: u16,
    /// The longest credBlob.
    pub cred_blob: u8,
    /// Relying parties of setMinPINLength.
    pub rp_ids: u8,
}

/// The model that [`Profile::Disguised`] claims to be.
pub const OTHER_AAGUID: [u8; 16] = [0xA5; 16];

/// The relying party that gets vendor-facilitated enterprise attestation.
pub const ENTERPRISE_RP: &str = "enterprise.example";

/// Where the PIN complexity policy is said to be described.
pub const POLICY_URL: &str = "https://policy.example/pin";

/// Certifications, in the order of their owner.
pub const CERTIFICATIONS: [(&str, u64); 3] = [("FIPS-CMVP-3", 2), ("FIDO", 1), ("CC-EAL", 4)];

/// The commands of vendorPrototype, in the order of their owner.
pub const VENDOR_COMMANDS: [u64; 3] = [1, 0xF00D, u64::MAX];

/// The certificate of enterprise attestation, in DER.
pub const ENTERPRISE_CERTIFICATE: &[u8] = include_bytes!("enterprise.der");

/// The private key that belongs to it; made for these tests.
const ENTERPRISE_KEY: [u8; 32] = [
    0xEC, 0x08, 0xC2, 0xF8, 0x3A, 0xC8, 0x89, 0x00, 0x29, 0xC8, 0xC9, 0x0E, 0xD2, 0x21, 0x3C, 0x0F,
    0xB9, 0x31, 0x68, 0x1E, 0x04, 0x52, 0x61, 0x09, 0xAC, 0x21, 0x02, 0xBF, 0xEB, 0x8C, 0x25, 0x10,
];

impl Profile {
    /// All of them.
    pub const ALL: [Self; 27] = [
        Self::Default,
        Self::Enterprise,
        Self::PinComplexity,
        Self::Preview,
        Self::Uvm,
        Self::Certified,
        Self::Vendor,
        Self::LargeBlob,
        Self::Fingerprint,
        Self::FingerprintPreview,
        Self::U2f,
        Self::Ctap20,
        Self::Ctap20Previews,
        Self::Ctap21,
        Self::Ctap22,
        Self::Tiny,
        Self::NoPin,
        Self::AlwaysUv,
        Self::Ctap21NoPin,
        Self::LongTouch,
        Self::UvRequired,
        Self::Synced,
        Self::ZeroCounter,
        Self::NotDiscoverable,
        Self::Bare,
        Self::NoU2f,
        Self::Disguised,
    ];

    /// Those that the program brings along.
    ///
    /// # Panics
    ///
    /// If one of them makes no sense.
    #[must_use]
    pub fn built_in() -> Vec<Self> {
        let profiles = softkey::profile::Profile::built_in().unwrap();
        let names = profiles.into_iter().map(|profile| &*profile.name.leak());
        names.map(Self::BuiltIn).collect()
    }

    /// What tests take that are not about one profile: the default, or what `SOFTKEY_TEST_PROFILE` names, which is
    /// `largeBlob` or nothing.
    ///
    /// # Panics
    ///
    /// If it names anything else.
    #[must_use]
    pub fn of_this_run() -> Self {
        match std::env::var("SOFTKEY_TEST_PROFILE") {
            Ok(name) if name == "largeBlob" => Self::LargeBlob,
            Ok(name) => panic!("SOFTKEY_TEST_PROFILE names no profile: {name}"),
            Err(_) => Self::Default,
        }
    }

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
            Self::Vendor => Config { vendor_commands: Some(VENDOR_COMMANDS.into()), ..default },
            Self::Preview => Config { credential_management_preview: true, ..default },
            Self::Uvm => Config { uvm: true, ..default },
            Self::LargeBlob => Config { large_blobs: LargeBlobs::Extension, ..default },
            Self::Fingerprint => Config { user_verification: Some(fingerprint(false)), ..default },
            Self::FingerprintPreview => Config {
                user_verification: Some(fingerprint(true)),
                bio_enrollment_preview: true,
                ..default
            },
            Self::U2f => Config { generation: Generation::U2f, ..default },
            Self::Ctap20 => Config { generation: Generation::Ctap20, ..default },
            Self::Ctap20Previews => Config {
                generation: Generation::Ctap20,
                credential_management_preview: true,
                ..default
            },
            Self::Ctap21 => Config { generation: Generation::Ctap21, ..default },
            Self::Ctap22 => Config { generation: Generation::Ctap22, ..default },
            Self::Tiny => TINY.config(),
            Self::NoPin => Config { client_pin: false, ..default },
            Self::AlwaysUv => Config { always_uv: true, ..default },
            Self::Ctap21NoPin => {
                Config { generation: Generation::Ctap21, client_pin: false, ..default }
            }
            Self::LongTouch => Config { long_touch_for_reset: true, ..default },
            Self::UvRequired => Config { make_cred_uv_not_required: false, ..default },
            Self::Synced => Config { backup: Backup::BackedUp, ..default },
            Self::ZeroCounter => Config { signature_counter: SignatureCounter::Zero, ..default },
            Self::NotDiscoverable => Config { max_discoverable: 0, ..default },
            Self::Bare => Config {
                extensions: Extensions {
                    cred_blob: false,
                    cred_protect: false,
                    hmac_secret: false,
                    hmac_secret_mc: false,
                    min_pin_length: false,
                    third_party_payment: false,
                },
                large_blobs: LargeBlobs::None,
                ..default
            },
            Self::BuiltIn(name) => softkey::profile::Profile::find(name).unwrap().config,
            Self::NoU2f => Config { u2f: false, ..default },
            Self::Disguised => Config {
                aaguid: OTHER_AAGUID,
                transports: vec![AuthenticatorTransport::Nfc, AuthenticatorTransport::Usb],
                pin_uv_auth_protocols: vec![Protocol::One, Protocol::Two],
                pin_complexity_policy: true,
                ..default
            },
        }
    }
}

impl Tiny {
    fn config(self) -> Config {
        Config {
            max_msg_size: self.message,
            max_request: self.message,
            max_list: self.list,
            max_credential_id_length: 128,
            max_discoverable: self.credentials,
            min_pin_length: self.pin.0,
            max_pin_length: self.pin.1,
            max_large_blob_array: self.array,
            large_blob_room: self.array,
            max_cred_blob: self.cred_blob,
            max_rp_ids: self.rp_ids,
            ..Config::default()
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
