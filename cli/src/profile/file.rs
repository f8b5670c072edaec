//! The TOML of a profile: its keys, and what they make of a configuration.

use std::collections::BTreeMap;

use serde::Deserialize;
use softkey_authenticator::{
    AAGUID, Algorithms, Attestation, AuthenticatorTransport, Backup, CERTIFICATIONS, Config,
    Enterprise, Extensions, Generation, LargeBlobs, SignatureCounter, UserVerification,
};
use softkey_ctap::pin_uv::Protocol;

use crate::attestation::published;
use crate::faults::{Spec, SpecError};
use crate::run::algorithms;
use crate::run::memory::{FINGERPRINT_SENSOR, SIMULATED_SENSOR};

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flaw {
    /// One clause.
    pub(super) what: String,
    /// Counted from 1.
    pub(super) line: usize,
}

/// Defines the keys of a profile: for each the field of the configuration, and how its value gets there.
macro_rules! keys {
    ($($key:literal $name:ident: $type:ty => $field:ident, $convert:expr;)*) => {
        /// A profile as it is written.
        #[derive(Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            summary: Option<String>,
            faults: Option<Vec<String>>,
            $(#[serde(rename = $key)] $name: Option<$type>,)*
        }

        /// The configuration that a file asks for, and the keys whose values would not be kept.
        fn configure(file: File) -> Result<Config, Unfit> {
            let mut wanted = Config::default();
            let mut given = Vec::new();
            $(if let Some(value) = file.$name {
                let convert: fn($type) -> Result<_, String> = $convert;
                wanted.$field = convert(value).map_err(|what| Unfit { key: $key, what })?;
                given.push($key);
            })*
            wanted.max_request = wanted.max_msg_size;
            // The certificate names the model.
            if let Some(enterprise) = &wanted.enterprise {
                wanted.enterprise = published::enterprise(&wanted.aaguid, enterprise.rp_ids());
            }
            let settled = wanted.clone().settled();
            $(if given.contains(&$key) && wanted.$field != settled.$field {
                let what = "this value cannot be had, by itself or with what else the profile says";
                return Err(Unfit { key: $key, what: what.to_owned() });
            })*
            Ok(settled)
        }
    };
}

keys! {
    "generation" generation: GenerationName => generation, |name| Ok(name.into());
    "u2f" u2f: bool => u2f, Ok;
    "aaguid" aaguid: String => aaguid, |text| aaguid(&text);
    "attestation" attestation: AttestationName => attestation, |name| Ok(name.into());
    "enterprise" enterprise: Vec<String> => enterprise, |rp_ids| enterprise(&rp_ids);
    "transports" transports: Vec<String> => transports, |names| transports(&names);
    "firmware-version" firmware_version: u32 => firmware_version, |version| Ok(version.into());
    "max-msg-size" max_msg_size: u16 => max_msg_size, Ok;
    "max-list" max_list: u8 => max_list, Ok;
    "max-credential-id-length" max_credential_id_length: u16 => max_credential_id_length, Ok;
    "max-credentials" max_credentials: u32 => max_discoverable, |most| Ok(most.into());
    "client-pin" client_pin: bool => client_pin, Ok;
    "min-pin-length" min_pin_length: u8 => min_pin_length, Ok;
    "max-pin-length" max_pin_length: u8 => max_pin_length, Ok;
    "max-rp-ids" max_rp_ids: u8 => max_rp_ids, Ok;
    "pin-complexity-policy" pin_complexity_policy: bool => pin_complexity_policy, Ok;
    "pin-complexity-policy-url" policy_url: String => pin_complexity_policy_url, |url| Ok(Some(url));
    "pin-protocols" pin_protocols: Vec<u64> => pin_uv_auth_protocols, |list| protocols(&list);
    "built-in-uv" built_in_uv: UvName => user_verification, |name| Ok(name.into());
    "make-cred-uv-not-required" uv_not_required: bool => make_cred_uv_not_required, Ok;
    "always-uv" always_uv: bool => always_uv, Ok;
    "long-touch-for-reset" long_touch: bool => long_touch_for_reset, Ok;
    "extensions" extensions: Vec<String> => extensions, |names| extensions(&names);
    "certifications" certifications: BTreeMap<String, u64> => certifications, |given| certified(given);
    "vendor-commands" vendor_commands: Vec<u64> => vendor_commands, |numbers| vendor_commands(numbers);
    "uvm" uvm: bool => uvm, Ok;
    "max-cred-blob" max_cred_blob: u8 => max_cred_blob, Ok;
    "large-blobs" large_blobs: LargeBlobsName => large_blobs, |name| Ok(name.into());
    "max-large-blob-array" max_array: u16 => max_large_blob_array, Ok;
    "credential-management-preview" preview: bool => credential_management_preview, Ok;
    "bio-enrollment-preview" bio_preview: bool => bio_enrollment_preview, Ok;
    "algorithms" algorithms: Vec<String> => algorithms, |names| listed(&names);
    "backup" backup: BackupName => backup, |name| Ok(name.into());
    "counter" counter: CounterName => signature_counter, |name| Ok(name.into());
}

/// Defines the names that stand for a value.
macro_rules! names {
    ($name:ident for $target:ty: $($variant:ident $text:literal => $value:expr,)*) => {
        #[derive(Debug, Deserialize)]
        enum $name {
            $(#[serde(rename = $text)] $variant,)*
        }

        impl From<$name> for $target {
            fn from(name: $name) -> Self {
                match name {
                    $($name::$variant => $value,)*
                }
            }
        }
    };
}

names! { GenerationName for Generation:
    U2f "u2f" => Self::U2f,
    Ctap20 "2.0" => Self::Ctap20,
    Ctap21 "2.1" => Self::Ctap21,
    Ctap22 "2.2" => Self::Ctap22,
    Ctap23 "2.3" => Self::Ctap23,
}

names! { AttestationName for Attestation:
    Packed "packed" => Self::Batch,
    Own "self" => Self::SelfAttestation,
}

names! { UvName for Option<UserVerification>:
    None "none" => None,
    Simulated "simulated" => Some(SIMULATED_SENSOR),
    Fingerprint "fingerprint" => Some(FINGERPRINT_SENSOR),
}

names! { LargeBlobsName for LargeBlobs:
    Array "array" => Self::Array,
    Extension "extension" => Self::Extension,
    None "none" => Self::None,
}

names! { BackupName for Backup:
    Never "never" => Self::Never,
    Eligible "eligible" => Self::Eligible,
    BackedUp "backed-up" => Self::BackedUp,
}

names! { CounterName for SignatureCounter:
    Signatures "signatures" => Self::Signatures,
    Zero "zero" => Self::Zero,
}

/// A key whose value is not one.
struct Unfit {
    key: &'static str,
    what: String,
}

/// What a profile says.
pub(super) struct Contents {
    pub(super) summary: String,
    pub(super) faults: Vec<Spec>,
    pub(super) config: Config,
}

/// Reads a profile.
pub(super) fn read(text: &str) -> Result<Contents, Flaw> {
    let mut file: File = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        // The list of what was expected is long, and `profiles show default` is clearer.
        let what = error.message().split(", expected one of").next().unwrap_or_default();
        Flaw { what: what.to_owned(), line: line_at(text, at) }
    })?;
    let summary = file.summary.take().unwrap_or_default();
    let faults = file.faults.take().unwrap_or_default();
    let faults: Result<Vec<Spec>, _> = faults.iter().map(|spec| spec.parse()).collect();
    let faults =
        faults.map_err(|error: SpecError| Unfit { key: "faults", what: error.to_string() });
    let contents =
        faults.and_then(|faults| Ok(Contents { summary, faults, config: configure(file)? }));
    contents.map_err(|Unfit { key, what }| Flaw {
        what: format!("`{key}`: {what}"),
        line: line_of(text, key),
    })
}

fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

fn line_of(text: &str, key: &str) -> usize {
    let is_key = |line: &str| {
        let line = line.trim_start().trim_start_matches('"');
        line.strip_prefix(key)
            .is_some_and(|rest| rest.trim_start_matches(['"', ' ', '\t']).starts_with('='))
    };
    text.lines().position(is_key).map_or(1, |before| before + 1)
}

/// 32 hexadecimal digits, with or without the hyphens of a UUID.
fn aaguid(text: &str) -> Result<[u8; 16], String> {
    let digits: String = text.chars().filter(|digit| *digit != '-').collect();
    let number = u128::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 32);
    let number = number.filter(|_| !digits.starts_with('+'));
    number.map(u128::to_be_bytes).ok_or_else(|| format!("{text:?} is no UUID"))
}

fn enterprise(rp_ids: &[String]) -> Result<Option<Enterprise>, String> {
    unique(rp_ids)?;
    Ok(published::enterprise(&AAGUID, rp_ids))
}

fn transports(names: &[String]) -> Result<Vec<AuthenticatorTransport>, String> {
    let find = |name: &String| {
        let found = AuthenticatorTransport::ALL.into_iter().find(|it| it.name() == name);
        found.ok_or_else(|| format!("there is no transport {name:?}"))
    };
    unique(names)?;
    names.iter().map(find).collect()
}

fn protocols(numbers: &[u64]) -> Result<Vec<Protocol>, String> {
    let find = |number: &u64| {
        Protocol::from_number(*number).ok_or_else(|| format!("there is no protocol {number}"))
    };
    unique(numbers)?;
    numbers.iter().map(find).collect()
}

fn certified(given: BTreeMap<String, u64>) -> Result<Vec<(String, u64)>, String> {
    for (name, level) in &given {
        let known = CERTIFICATIONS.iter().find(|(known, _)| known == name);
        let (_, highest) = known.ok_or_else(|| {
            let names = CERTIFICATIONS.map(|(name, _)| name);
            format!("{name:?} is not one of {}", names.join(", "))
        })?;
        if !(1..=*highest).contains(level) {
            return Err(format!("{name} has the levels 1 to {highest}"));
        }
    }
    Ok(given.into_iter().collect())
}

fn vendor_commands(numbers: Vec<u64>) -> Result<Option<Vec<u64>>, String> {
    unique(&numbers)?;
    Ok(Some(numbers))
}

fn listed(names: &[String]) -> Result<Algorithms, String> {
    algorithms::parse(&names.join(","))
}

fn extensions(names: &[String]) -> Result<Extensions, String> {
    let has = |name: &str| names.iter().any(|named| named == name);
    let known = [
        "credBlob",
        "credProtect",
        "hmac-secret",
        "hmac-secret-mc",
        "minPinLength",
        "thirdPartyPayment",
    ];
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(format!("{unknown:?} is not one of {}", known.join(", ")));
    }
    Ok(Extensions {
        cred_blob: has("credBlob"),
        cred_protect: has("credProtect"),
        hmac_secret: has("hmac-secret"),
        hmac_secret_mc: has("hmac-secret-mc"),
        min_pin_length: has("minPinLength"),
        third_party_payment: has("thirdPartyPayment"),
    })
}

fn unique<T: PartialEq + std::fmt::Debug>(list: &[T]) -> Result<(), String> {
    let twice =
        list.iter().enumerate().find(|(at, it)| list.iter().take(*at).any(|other| other == *it));
    twice.map_or(Ok(()), |(_, it)| Err(format!("{it:?} stands there twice")))
}
