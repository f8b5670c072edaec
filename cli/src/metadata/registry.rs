//! The names that the FIDO Registry of Predefined Values has for what a key does.

use serde::Serialize;
use softkey_authenticator::{AttestationFormat, AuthenticatorTransport, UserVerification};
use softkey_ctap::cose::algorithm;
use softkey_ctap::get_info::Response;

use crate::decode::verification_method_names;

/// A version of the protocol family: major 1 is CTAP2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Version {
    major: u16,
    minor: u16,
}

/// Those that stand for these versions of getInfo. CTAP1 belongs to another family.
pub(super) fn protocol_versions(versions: &[&str]) -> Vec<Version> {
    let minor = |version: &&str| match *version {
        "FIDO_2_0" => Some(0),
        "FIDO_2_1_PRE" | "FIDO_2_1" => Some(1),
        "FIDO_2_3" => Some(3),
        _ => None,
    };
    let minors = versions.iter().filter_map(minor);
    once(minors.map(|minor| Version { major: 1, minor }).collect())
}

/// The registered names of these COSE algorithms (section 3.6.1). ML-DSA has none yet.
pub(super) fn algorithms(listed: &[i64]) -> Vec<&'static str> {
    let name = |id: &i64| {
        Some(match *id {
            algorithm::ES256 | algorithm::ESP256 => "secp256r1_ecdsa_sha256_raw",
            algorithm::ES384 | algorithm::ESP384 => "secp384r1_ecdsa_sha384_raw",
            algorithm::ES512 | algorithm::ESP512 => "secp521r1_ecdsa_sha512_raw",
            algorithm::ES256K => "secp256k1_ecdsa_sha256_raw",
            algorithm::EDDSA | algorithm::ED25519 => "ed25519_eddsa_sha512_raw",
            algorithm::RS256 => "rsassa_pkcsv15_sha256_raw",
            _ => return None,
        })
    };
    once(listed.iter().filter_map(name).collect())
}

/// The strength of the weakest of these algorithms, in bits (NIST SP 800-57 part 1, 5.6.1).
pub(super) fn strength(listed: &[i64]) -> u16 {
    let bits = |id: &i64| match *id {
        algorithm::RS256 => 112,
        algorithm::ES384 | algorithm::ESP384 | algorithm::ML_DSA_65 => 192,
        algorithm::ES512 | algorithm::ESP512 | algorithm::ML_DSA_87 => 256,
        _ => 128,
    };
    listed.iter().map(bits).min().unwrap_or(128)
}

/// The types of what a format shows (section 3.7), none for `none`, and none of its own for `compound`.
pub(super) const fn attestation_types(format: AttestationFormat) -> &'static [&'static str] {
    match format {
        AttestationFormat::Packed | AttestationFormat::FidoU2f | AttestationFormat::AndroidKey => {
            &["basic_full"]
        }
        AttestationFormat::PackedSelf => &["basic_surrogate"],
        AttestationFormat::Tpm => &["attca"],
        AttestationFormat::Apple => &["anonca"],
        AttestationFormat::Compound | AttestationFormat::None => &[],
    }
}

/// How a key with these transports is attached (section 3.4): inside the client's machine alone, or outside.
pub(super) fn attachment(transports: &[AuthenticatorTransport]) -> Vec<&'static str> {
    let hints = |transport: &AuthenticatorTransport| -> &'static [&'static str] {
        match transport {
            AuthenticatorTransport::Usb | AuthenticatorTransport::SmartCard => &["wired"],
            AuthenticatorTransport::Nfc => &["wireless", "nfc"],
            AuthenticatorTransport::Ble => &["wireless", "bluetooth"],
            AuthenticatorTransport::Hybrid => &["wireless", "network"],
            AuthenticatorTransport::Internal => &[],
        }
    };
    let outside: Vec<_> = transports.iter().flat_map(hints).copied().collect();
    if outside.is_empty() {
        return vec!["internal"];
    }
    once([&["external"], outside.as_slice()].concat())
}

/// A way to verify the user (section 3.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    user_verification_method: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ca_desc: Option<CodeAccuracy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ba_desc: Option<BiometricAccuracy>,
}

/// How a code is made and guarded (section 3.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct CodeAccuracy {
    base: u16,
    min_length: u64,
    max_retries: u16,
    block_slowdown: u16,
}

/// How a biometric method is guarded (section 3.3); what a pretended sensor is worth is not claimed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct BiometricAccuracy {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_templates: Option<u8>,
    max_retries: u8,
    block_slowdown: u16,
}

/// The printable characters of ASCII. PINs take any other, too.
const PIN_BASE: u16 = 95;
/// Tries of a PIN (CTAP 2.3 section 6.5.2).
const PIN_RETRIES: u16 = 8;

/// The ways in which a key with this getInfo and this built-in method verifies its user: not at all (`up` false), by
/// presence, and by each method alone or with presence.
pub(super) fn verification(
    info: &Response<'_>,
    method: Option<UserVerification>,
) -> Vec<Vec<Descriptor>> {
    let named = |name: &str| Descriptor {
        user_verification_method: name.to_owned(),
        ca_desc: None,
        ba_desc: None,
    };
    let presence = named("presence_internal");
    let mut methods = Vec::new();
    if info.options.is_some_and(|options| options.client_pin.is_some()) {
        let ca_desc = CodeAccuracy {
            base: PIN_BASE,
            min_length: info.min_pin_length.unwrap_or(4),
            max_retries: PIN_RETRIES,
            block_slowdown: 0,
        };
        methods.push(Descriptor { ca_desc: Some(ca_desc), ..named("passcode_external") });
    }
    if let Some(method) = method {
        for name in verification_method_names(method.modality) {
            let is_biometric = name.ends_with("print_internal");
            let accuracy = || BiometricAccuracy {
                max_templates: method.enrollment.map(|sensor| sensor.max_fingers),
                max_retries: method.max_retries,
                block_slowdown: 0,
            };
            methods.push(Descriptor { ba_desc: is_biometric.then(accuracy), ..named(name) });
        }
    }
    let mut ways = vec![vec![named("none")], vec![presence.clone()]];
    for method in methods {
        ways.push(vec![method.clone()]);
        ways.push(vec![method, presence.clone()]);
    }
    ways
}

/// The same in the same order, each once.
pub(super) fn once<T: PartialEq>(list: Vec<T>) -> Vec<T> {
    let mut seen = Vec::with_capacity(list.len());
    for item in list {
        if !seen.contains(&item) {
            seen.push(item);
        }
    }
    seen
}
