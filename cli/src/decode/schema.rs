//! What stands where in each message: the tables of the `ctap` crate, with what numbers and bytes mean.

use ciborium::Value;
use softkey_ctap::cbor::Key;
use softkey_ctap::client_pin::{self, Permissions};
use softkey_ctap::cose::{KeyAgreementKey, algorithm};
use softkey_ctap::{
    Command, attestation, bio_enrollment, config, credential_management, entities, extensions,
    get_assertion, get_info, large_blobs, make_credential,
};

use super::node::Node;
use super::{blobs, webauthn};

/// How a place is to be shown.
pub(super) enum Form {
    /// As it is.
    Any,
    /// A map with named members.
    Map(&'static Schema),
    /// An array of one form.
    List(&'static Form),
    /// A map with named members, or an array of another form.
    MapOrList(&'static Schema, &'static Form),
    /// A number that may have a name.
    Number(fn(i64) -> Option<&'static str>),
    /// A number whose bits have names.
    Bits(fn(i64) -> Option<String>),
    /// Bytes that may have parts.
    Bytes(fn(&[u8]) -> Option<Node>),
}

/// A table of members: keys and names from the message's own table, forms where they are more than plain.
pub(super) struct Schema {
    keys: &'static [Key<'static>],
    names: &'static [&'static str],
    forms: &'static [(&'static str, Form)],
}

impl Schema {
    /// The standard's name and the form of a member.
    pub(super) fn member(&self, key: &Key<'_>) -> Option<(String, &'static Form)> {
        let mut members = self.keys.iter().zip(self.names);
        let (_, name) = members.find(|(own, _)| *own == key)?;
        let form = self.forms.iter().find(|(field, _)| field == name);
        Some((standard_name(name), form.map_or(&Form::Any, |(_, form)| form)))
    }
}

/// The parameters of a command, of which these are some.
pub(super) fn request(command: Command, parameters: &Value) -> Option<&'static Schema> {
    let asks = |subcommand: u64| {
        let asked = (Value::from(1), Value::from(subcommand));
        parameters.as_map().is_some_and(|members| members.contains(&asked))
    };
    match command {
        Command::CONFIG if asks(config::subcommand::VENDOR_PROTOTYPE) => Some(&VENDOR_CONFIG),
        Command::MAKE_CREDENTIAL => Some(&MAKE_CREDENTIAL),
        Command::GET_ASSERTION => Some(&GET_ASSERTION),
        Command::CLIENT_PIN => Some(&CLIENT_PIN),
        Command::BIO_ENROLLMENT | Command::BIO_ENROLLMENT_PREVIEW => Some(&BIO_ENROLLMENT),
        Command::CREDENTIAL_MANAGEMENT | Command::CREDENTIAL_MANAGEMENT_PREVIEW => {
            Some(&CREDENTIAL_MANAGEMENT)
        }
        Command::LARGE_BLOBS => Some(&LARGE_BLOBS),
        Command::CONFIG => Some(&CONFIG),
        _ => None,
    }
}

/// The response to a command.
pub(super) fn response(command: Command) -> Option<&'static Schema> {
    match command {
        Command::MAKE_CREDENTIAL => Some(&MADE),
        Command::GET_ASSERTION | Command::GET_NEXT_ASSERTION => Some(&ASSERTED),
        Command::GET_INFO => Some(&INFO),
        Command::CLIENT_PIN => Some(&PIN_ANSWER),
        Command::BIO_ENROLLMENT | Command::BIO_ENROLLMENT_PREVIEW => Some(&BIO_ANSWER),
        Command::CREDENTIAL_MANAGEMENT | Command::CREDENTIAL_MANAGEMENT_PREVIEW => {
            Some(&CREDENTIALS_ANSWER)
        }
        Command::LARGE_BLOBS => Some(&BLOBS_ANSWER),
        _ => None,
    }
}

macro_rules! schema {
    ($($name:ident = $table:ty { $($field:literal: $form:expr),* $(,)? };)*) => {
        $(pub(super) static $name: Schema = Schema {
            keys: <$table>::KEYS,
            names: <$table>::NAMES,
            forms: &[$(($field, $form)),*],
        };)*
    };
}

schema! {
    MAKE_CREDENTIAL = make_credential::Request<'static> {
        "pub_key_cred_params": Form::List(&Form::Map(&PARAMETERS)),
        "extensions": Form::Map(&CREATE_INPUTS),
        "enterprise_attestation": Form::Number(enterprise),
    };
    MADE = make_credential::Response<'static> {
        "auth_data": Form::Bytes(webauthn::auth_data_node),
        "att_stmt": Form::MapOrList(&STATEMENT, &Form::Map(&ELEMENT)),
    };
    GET_ASSERTION = get_assertion::Request<'static> { "extensions": Form::Map(&GET_INPUTS) };
    ASSERTED = get_assertion::Response<'static> {
        "auth_data": Form::Bytes(webauthn::auth_data_node),
    };
    INFO = get_info::Response<'static> {
        "algorithms": Form::List(&Form::Map(&PARAMETERS)),
        "aaguid": Form::Bytes(webauthn::aaguid_node),
        "uv_modality": Form::Bits(verification_methods),
        "pin_complexity_policy_url": Form::Bytes(utf8),
        "authenticator_config_commands": Form::List(&Form::Number(config_command)),
    };
    CLIENT_PIN = client_pin::Request<'static> {
        "sub_command": Form::Number(pin_command),
        "key_agreement": Form::Map(&COSE),
        "permissions": Form::Bits(permissions),
    };
    PIN_ANSWER = client_pin::Response<'static> { "key_agreement": Form::Map(&COSE) };
    BIO_ENROLLMENT = bio_enrollment::Request<'static> {
        "modality": Form::Number(modality),
        "sub_command": Form::Number(bio_command),
        "sub_command_params": Form::Map(&BIO_PARAMS),
    };
    BIO_PARAMS = bio_enrollment::Params<'static> {};
    BIO_ANSWER = bio_enrollment::Response<'static> {
        "modality": Form::Number(modality),
        "fingerprint_kind": Form::Number(fingerprint_kind),
        "last_enroll_sample_status": Form::Number(sample_status),
        "template_infos": Form::List(&Form::Map(&TEMPLATE)),
    };
    TEMPLATE = bio_enrollment::TemplateInfo<'static> {};
    CREDENTIAL_MANAGEMENT = credential_management::Request<'static> {
        "sub_command": Form::Number(credentials_command),
        "sub_command_params": Form::Map(&CREDENTIALS_PARAMS),
    };
    CREDENTIALS_PARAMS = credential_management::Params<'static> {};
    CREDENTIALS_ANSWER = credential_management::Response<'static> {
        "public_key": Form::Map(&COSE),
        "cred_protect": Form::Number(protection),
    };
    LARGE_BLOBS = large_blobs::Request<'static> { "set": Form::Bytes(blobs::array_node) };
    BLOBS_ANSWER = large_blobs::Response<'static> { "config": Form::Bytes(blobs::array_node) };
    BLOB_ENTRY = large_blobs::Entry<'static> {};
    CONFIG = config::Request<'static> {
        "sub_command": Form::Number(config_command),
        "sub_command_params": Form::Map(&MIN_PIN_LENGTH),
    };
    MIN_PIN_LENGTH = config::SetMinPinLength<'static> {};
    VENDOR_CONFIG = config::Request<'static> {
        "sub_command": Form::Number(config_command),
        "sub_command_params": Form::Map(&VENDOR_PROTOTYPE),
    };
    VENDOR_PROTOTYPE = config::VendorPrototype {};
    PARAMETERS = entities::Parameters<'static> { "alg": Form::Number(algorithm::name) };
    CREATE_INPUTS = extensions::MakeCredentialInputs<'static> {
        "cred_protect": Form::Number(protection),
        "hmac_secret_mc": Form::Map(&HMAC_SECRET),
    };
    CREATE_OUTPUTS = extensions::MakeCredentialOutputs<'static> {
        "cred_protect": Form::Number(protection),
    };
    GET_INPUTS = extensions::GetAssertionInputs<'static> { "hmac_secret": Form::Map(&HMAC_SECRET) };
    HMAC_SECRET = extensions::HmacSecretInput<'static> { "key_agreement": Form::Map(&COSE) };
    STATEMENT = attestation::PackedStatement<'static> { "alg": Form::Number(algorithm::name) };
    ELEMENT = attestation::CompoundElement<'static> { "att_stmt": Form::Map(&STATEMENT) };
    ATTESTATION = attestation::AttestationObject<'static> {
        "att_stmt": Form::MapOrList(&STATEMENT, &Form::Map(&ELEMENT)),
        "auth_data": Form::Bytes(webauthn::auth_data_node),
    };
    COSE = KeyAgreementKey<'static> {
        "kty": Form::Number(key_type),
        "alg": Form::Number(algorithm::name),
        "crv": Form::Number(curve),
    };
}

/// The standard writes these otherwise than camel case would.
const STANDARD_NAMES: &[(&str, &str)] = &[
    ("force_pin_change", "forcePINChange"),
    ("min_pin_length", "minPINLength"),
    ("max_pin_length", "maxPINLength"),
    ("max_rp_ids_for_set_min_pin_length", "maxRPIDsForSetMinPINLength"),
    ("pin_complexity_policy_url", "pinComplexityPolicyURL"),
    ("new_min_pin_length", "newMinPINLength"),
    ("min_pin_length_rp_ids", "minPinLengthRPIDs"),
    ("rp_id_hash", "rpIDHash"),
    ("credential_id", "credentialID"),
    ("total_rps", "totalRPs"),
];

fn standard_name(field: &str) -> String {
    if let Some((_, name)) = STANDARD_NAMES.iter().find(|(own, _)| *own == field) {
        return (*name).to_owned();
    }
    let mut words = field.split('_');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

fn key_type(kty: i64) -> Option<&'static str> {
    Some(match kty {
        1 => "OKP",
        2 => "EC2",
        3 => "RSA",
        7 => "AKP",
        _ => return None,
    })
}

fn curve(crv: i64) -> Option<&'static str> {
    Some(match crv {
        1 => "P-256",
        2 => "P-384",
        3 => "P-521",
        6 => "Ed25519",
        7 => "Ed448",
        8 => "secp256k1",
        _ => return None,
    })
}

fn enterprise(value: i64) -> Option<&'static str> {
    Some(match value {
        1 => "vendor-facilitated",
        2 => "platform-managed",
        _ => return None,
    })
}

fn protection(level: i64) -> Option<&'static str> {
    Some(match level {
        1 => "userVerificationOptional",
        2 => "userVerificationOptionalWithCredentialIDList",
        3 => "userVerificationRequired",
        _ => return None,
    })
}

fn permissions(bits: i64) -> Option<String> {
    let bits = u64::try_from(bits).ok()?;
    let known = Permissions::from_bits(bits);
    let names = [
        (Permissions::MAKE_CREDENTIAL, "mc"),
        (Permissions::GET_ASSERTION, "ga"),
        (Permissions::CREDENTIAL_MANAGEMENT, "cm"),
        (Permissions::BIO_ENROLLMENT, "be"),
        (Permissions::LARGE_BLOB_WRITE, "lbw"),
        (Permissions::AUTHENTICATOR_CONFIG, "acfg"),
        (Permissions::PERSISTENT_CREDENTIAL_MANAGEMENT_READ_ONLY, "pcmr"),
    ];
    let held = names.iter().filter(|(permission, _)| known.intersects(*permission));
    let mut words: Vec<_> = held.map(|(_, name)| *name).collect();
    if bits != u64::from(known.bits()) {
        words.push("undefined bits");
    }
    Some(words.join(" "))
}

/// Methods of user verification by the FIDO registry of predefined values, from bit 0 on.
const VERIFICATION_METHODS: [&str; 13] = [
    "presence_internal",
    "fingerprint_internal",
    "passcode_internal",
    "voiceprint_internal",
    "faceprint_internal",
    "location_internal",
    "eyeprint_internal",
    "pattern_internal",
    "handprint_internal",
    "none",
    "all",
    "passcode_external",
    "pattern_external",
];

/// The names of these bits, as far as they have any.
pub(crate) fn verification_method_names(bits: u64) -> impl Iterator<Item = &'static str> {
    let set = move |place: usize| bits >> place & 1 == 1;
    let names = VERIFICATION_METHODS.iter().enumerate();
    names.filter(move |(place, _)| set(*place)).map(|(_, name)| *name)
}

fn verification_methods(bits: i64) -> Option<String> {
    let mut words: Vec<_> = verification_method_names(u64::try_from(bits).ok()?).collect();
    if bits >> VERIFICATION_METHODS.len() != 0 {
        words.push("undefined bits");
    }
    (!words.is_empty()).then(|| words.join(" "))
}

fn pin_command(number: i64) -> Option<&'static str> {
    client_pin::subcommand::name(u64::try_from(number).ok()?)
}

fn bio_command(number: i64) -> Option<&'static str> {
    bio_enrollment::subcommand::name(u64::try_from(number).ok()?)
}

fn modality(number: i64) -> Option<&'static str> {
    (u64::try_from(number) == Ok(bio_enrollment::FINGERPRINT)).then_some("fingerprint")
}

fn fingerprint_kind(number: i64) -> Option<&'static str> {
    Some(match number {
        1 => "touch",
        2 => "swipe",
        _ => return None,
    })
}

fn sample_status(number: i64) -> Option<&'static str> {
    let status = bio_enrollment::SampleStatus(u64::try_from(number).ok()?);
    status.name().map(|_| status.meaning())
}

fn credentials_command(number: i64) -> Option<&'static str> {
    credential_management::subcommand::name(u64::try_from(number).ok()?)
}

fn config_command(number: i64) -> Option<&'static str> {
    config::subcommand::name(u64::try_from(number).ok()?)
}

fn utf8(bytes: &[u8]) -> Option<Node> {
    std::str::from_utf8(bytes).ok().map(Node::text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verification_methods_are_spelled_out() {
        assert_eq!(verification_methods(0x802).unwrap(), "fingerprint_internal passcode_external");
        assert_eq!(verification_methods(1 << 20).unwrap(), "undefined bits");
        assert_eq!(verification_methods(0), None);
    }

    #[test]
    fn samples_are_put_into_words() {
        assert_eq!(sample_status(1), Some("the finger was too high"));
        assert_eq!(sample_status(0x0f), None);
        assert_eq!((modality(1), modality(2)), (Some("fingerprint"), None));
        assert_eq!((fingerprint_kind(2), fingerprint_kind(0)), (Some("swipe"), None));
    }

    #[test]
    fn fields_have_the_names_of_the_standard() {
        for (field, name) in [
            ("client_data_hash", "clientDataHash"),
            ("min_pin_length", "minPINLength"),
            ("pin_uv_auth_param", "pinUvAuthParam"),
            ("rp", "rp"),
        ] {
            assert_eq!(standard_name(field), name);
        }
    }

    /// CTAP 2.3 section 6.5.5.7: each bit has its name, and a bit without one is not hidden.
    #[test]
    fn permissions_are_spelled_out() {
        assert_eq!(permissions(0x05).as_deref(), Some("mc cm"));
        assert_eq!(permissions(0x7f).as_deref(), Some("mc ga cm be lbw acfg pcmr"));
        assert_eq!(permissions(0x82).as_deref(), Some("ga undefined bits"));
    }
}
