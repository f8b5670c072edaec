//! `softkey metadata` against the metadata cases of the conformance tool (`tests/conformance/cases.md`), for the default
//! key and others; and each rule against a statement that breaks it.

mod agreement;
mod keys;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use self::keys::{GONE, rule, statement, texts};
use crate::harness::softkey;

const MEMBERS: [&str; 34] = [
    "legalHeader",
    "aaid",
    "aaguid",
    "attestationCertificateKeyIdentifiers",
    "friendlyNames",
    "description",
    "alternativeDescriptions",
    "authenticatorVersion",
    "protocolFamily",
    "schema",
    "upv",
    "authenticationAlgorithms",
    "publicKeyAlgAndEncodings",
    "attestationTypes",
    "userVerificationDetails",
    "keyProtection",
    "isKeyRestricted",
    "isFreshUserVerificationRequired",
    "matcherProtection",
    "cryptoStrength",
    "attachmentHint",
    "tcDisplay",
    "tcDisplayContentType",
    "tcDisplayPNGCharacteristics",
    "attestationRootCertificates",
    "ecdaaTrustAnchors",
    "icon",
    "iconDark",
    "providerLogoLight",
    "providerLogoDark",
    "supportedExtensions",
    "multiDeviceCredentialSupport",
    "authenticatorGetInfo",
    "cxConfigURL",
];

/// The FIDO registry's methods of user verification, but `all`, which no statement may name.
const METHODS: [&str; 12] = [
    "presence_internal",
    "fingerprint_internal",
    "passcode_internal",
    "voiceprint_internal",
    "faceprint_internal",
    "location_internal",
    "eyeprint_internal",
    "pattern_internal",
    "handprint_internal",
    "passcode_external",
    "pattern_external",
    "none",
];

/// Is everything in this list of texts among these, nothing twice, and something there?
fn among(list: &Value, known: &[&str]) -> bool {
    let names = texts(list);
    let twice = names.iter().enumerate().any(|(at, name)| names[..at].contains(name));
    !names.is_empty() && !twice && names.iter().all(|name| known.contains(name))
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null),
        _ => false,
    }
}

/// A text of 1 to 200 characters.
fn is_description(value: &Value) -> bool {
    value.as_str().is_some_and(|text| (1..=200).contains(&text.chars().count()))
}

/// Texts by language: two letters, perhaps a region of two capitals.
fn by_language(value: &Value) -> bool {
    let is_tag = |tag: &str| {
        let (language, region) = tag.split_once('-').unwrap_or((tag, "XX"));
        let two =
            |part: &str, fits: fn(&u8) -> bool| part.len() == 2 && part.bytes().all(|b| fits(&b));
        two(language, u8::is_ascii_lowercase) && two(region, u8::is_ascii_uppercase)
    };
    let sound = |(tag, text): (&String, &Value)| is_tag(tag) && is_description(text);
    value.as_object().is_some_and(|texts| !texts.is_empty() && texts.iter().all(sound))
}

/// A data URL of a PNG image: signature, header first, and the end at the end.
fn is_png(value: &Value) -> bool {
    let url = value.as_str().and_then(|text| text.strip_prefix("data:image/png;base64,"));
    let image = url.and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
    image.starts_with(b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR")
        && image.ends_with(b"\x00\x00\x00\x00IEND\xae\x42\x60\x82")
}

/// CT-META-object: one JSON object, in which nothing is null.
#[test]
fn statement_is_an_object_without_nulls() {
    let nothing = [("/icon", json!([null])), ("/authenticatorGetInfo/options/rk", Value::Null)];
    rule(|it| it.is_object() && !has_null(it), &nothing);
}

/// CT-META-members: no member but those of the standard.
#[test]
fn members_are_those_of_the_standard() {
    let known = |it: &Value| it.as_object().unwrap().keys().all(|key| MEMBERS.contains(&&**key));
    rule(known, &[("/isSecondFactorOnly", json!(false)), ("/operatingEnv", json!(""))]);
}

/// CT-META-legal-header: it tells which agreement is accepted.
#[test]
fn legal_header_names_the_agreement() {
    let names = |it: &Value| {
        let text = it["legalHeader"].as_str().unwrap_or_default();
        text.contains("accept") && text.contains("https://fidoalliance.org/metadata/")
    };
    rule(names, &[("/legalHeader", json!("")), ("/legalHeader", json!(GONE))]);
}

/// CT-META-aaguid: the model as a UUID in lower case, the same as in getInfo.
#[test]
fn aaguid_is_the_models() {
    let same = |it: &Value| {
        let uuid = it["aaguid"].as_str().unwrap_or_default();
        let lengths: Vec<_> = uuid.split('-').map(str::len).collect();
        let digits = uuid.replace('-', "");
        let hex = |digit: char| digit.is_ascii_digit() || ('a'..='f').contains(&digit);
        lengths == [8, 4, 4, 4, 12]
            && digits.chars().all(hex)
            && it["authenticatorGetInfo"]["aaguid"] == digits
    };
    let other = json!("8d318330-5de2-4c08-b308-0eb21b343278");
    rule(same, &[("/aaguid", other), ("/aaguid", json!("8d3183305de24c08b3080eb21b343277"))]);
}

/// CT-META-example: not the statement that the standard shows as an example.
#[test]
fn statement_is_not_the_standards_example() {
    let own = |it: &Value| {
        it["aaguid"] != "0132d110-bf4e-4208-a403-ab4f5f12efe5"
            && it["description"] != "FIDO Alliance Sample FIDO2 Authenticator"
    };
    let example = json!("0132d110-bf4e-4208-a403-ab4f5f12efe5");
    rule(own, &[("/aaguid", example)]);
}

/// CT-META-fido2-only: nothing of UAF and U2F.
#[test]
fn nothing_of_other_families_is_there() {
    let others = ["aaid", "attestationCertificateKeyIdentifiers", "supportedExtensions"];
    let more = ["assertionScheme", "ecdaaTrustAnchors"];
    let none = |it: &Value| others.iter().chain(&more).all(|name| it.get(name).is_none());
    rule(none, &[("/aaid", json!("1234#5678")), ("/supportedExtensions", json!([]))]);
}

/// CT-META-description: 1 to 200 characters of ASCII.
#[test]
fn description_is_ascii() {
    let is = |it: &Value| {
        is_description(&it["description"]) && it["description"].as_str().unwrap().is_ascii()
    };
    let long = json!("x".repeat(201));
    rule(
        is,
        &[
            ("/description", json!("Schlüssel")),
            ("/description", long),
            ("/description", json!("")),
        ],
    );
}

/// CT-META-alternative-descriptions: texts by language.
#[test]
fn alternative_descriptions_have_languages() {
    let plants = [("/alternativeDescriptions", json!({"German": "x"}))];
    rule(|it| by_language(&it["alternativeDescriptions"]), &plants);
}

/// CT-META-friendly-names: names by language.
#[test]
fn friendly_names_have_languages() {
    let plants = [("/friendlyNames", json!("softkey")), ("/friendlyNames", json!({"en_US": "x"}))];
    rule(|it| by_language(&it["friendlyNames"]), &plants);
}

/// CT-META-authenticator-version: not negative, and the firmwareVersion of getInfo.
#[test]
fn authenticator_version_is_the_firmwares() {
    let same = |it: &Value| {
        let version = it["authenticatorVersion"].as_u64().filter(|it| u32::try_from(*it).is_ok());
        version.is_some() && version == it["authenticatorGetInfo"]["firmwareVersion"].as_u64()
    };
    rule(same, &[("/authenticatorVersion", json!(-1)), ("/authenticatorVersion", json!(7))]);
}

/// CT-META-protocol-family: `fido2`.
#[test]
fn family_is_fido2() {
    rule(|it| it["protocolFamily"] == "fido2", &[("/protocolFamily", json!("u2f"))]);
}

/// CT-META-schema: 3.
#[test]
fn schema_is_three() {
    rule(|it| it["schema"] == 3, &[("/schema", json!(2)), ("/schema", json!("3"))]);
}

/// CT-META-public-key-encodings: `cose` is among them.
#[test]
fn public_keys_are_cose() {
    let known = ["ecc_x962_raw", "ecc_x962_der", "rsa_2048_raw", "rsa_2048_der", "cose"];
    let cose = |it: &Value| {
        let encodings = &it["publicKeyAlgAndEncodings"];
        among(encodings, &known) && texts(encodings).contains(&"cose")
    };
    rule(cose, &[("/publicKeyAlgAndEncodings", json!(["ecc_x962_raw"]))]);
}

/// CT-META-user-verification-details: ways of methods that go together, none empty, each with what describes it.
#[test]
fn verification_methods_are_registered() {
    let sound = |method: &Value| {
        let name = method["userVerificationMethod"].as_str().unwrap_or_default();
        let code = name.starts_with("passcode_");
        let finger = name.ends_with("print_internal");
        let positive = |value: &Value| value.as_u64().is_some_and(|number| number > 0);
        METHODS.contains(&name)
            && method.get("caDesc").is_some() == code
            && method.get("baDesc").is_some() == finger
            && (!code
                || (positive(&method["caDesc"]["base"])
                    && positive(&method["caDesc"]["minLength"])))
            && (!finger || positive(&method["baDesc"]["maxRetries"]))
    };
    let details = |it: &Value| {
        let ways = it["userVerificationDetails"].as_array().unwrap();
        let way = |way: &Value| {
            way.as_array().is_some_and(|way| !way.is_empty() && way.iter().all(sound))
        };
        !ways.is_empty() && ways.iter().all(way)
    };
    let plants = [
        ("/userVerificationDetails", json!([])),
        ("/userVerificationDetails/0", json!([])),
        ("/userVerificationDetails/0/0/userVerificationMethod", json!("all")),
        ("/userVerificationDetails/1/0/caDesc", json!({"base": 10, "minLength": 4})),
        ("/userVerificationDetails/2/0/caDesc/minLength", json!(0)),
    ];
    rule(details, &plants);
}

/// CT-META-key-protection: registered, and not both in software and in hardware.
#[test]
fn keys_are_protected_in_one_way() {
    let known = ["software", "hardware", "tee", "secure_element", "remote_handle"];
    let one = |it: &Value| {
        let ways = texts(&it["keyProtection"]);
        among(&it["keyProtection"], &known)
            && ways.contains(&"software") != ways.contains(&"hardware")
    };
    rule(
        one,
        &[("/keyProtection", json!(["software", "hardware"])), ("/keyProtection", json!([]))],
    );
}

/// CT-META-key-restricted: a boolean.
#[test]
fn key_restriction_is_a_boolean() {
    rule(|it| it["isKeyRestricted"].is_boolean(), &[("/isKeyRestricted", json!("true"))]);
}

/// CT-META-fresh-verification: a boolean; false, since an assertion can be had without the user.
#[test]
fn fresh_verification_is_not_required() {
    let place = "/isFreshUserVerificationRequired";
    rule(|it| it["isFreshUserVerificationRequired"] == false, &[(place, json!(1))]);
}

/// CT-META-matcher-protection: one value, or one for each method.
#[test]
fn matchers_are_protected_in_one_way_or_each_in_its_own() {
    let sound = |it: &Value| {
        let ways = texts(&it["matcherProtection"]);
        let details = it["userVerificationDetails"].as_array().unwrap().iter();
        let methods: usize = details.map(|way| way.as_array().unwrap().len()).sum();
        let known = ["software", "tee", "on_chip"];
        ways.iter().all(|way| known.contains(way)) && (ways.len() == 1 || ways.len() == methods)
    };
    let plants = [json!([]), json!(["software", "software"]), json!(["hardware"])];
    rule(sound, &plants.map(|wrong| ("/matcherProtection", wrong)));
}

/// CT-META-crypto-strength: above 0, and that of the weakest algorithm.
#[test]
fn strength_is_the_weakest_algorithms() {
    let sound = |it: &Value| {
        let rsa = texts(&it["authenticationAlgorithms"]).iter().any(|name| name.starts_with("rsa"));
        it["cryptoStrength"] == if rsa { 112 } else { 128 }
    };
    rule(sound, &[("/cryptoStrength", json!(0)), ("/cryptoStrength", json!(256))]);
}

/// CT-META-attachment-hint: `internal` alone, or external with how.
#[test]
fn attachment_is_internal_or_external() {
    let sound = |it: &Value| {
        let hints = texts(&it["attachmentHint"]);
        let known = ["external", "wired", "wireless", "nfc", "bluetooth", "network"];
        hints == ["internal"]
            || (hints.contains(&"external")
                && hints.len() > 1
                && among(&it["attachmentHint"], &known))
    };
    let plants = [json!(["external"]), json!(["internal", "wired"]), json!(["wired"])];
    rule(sound, &plants.map(|wrong| ("/attachmentHint", wrong)));
}

/// CT-META-tc-display: the key has no display, and says nothing of what it would show.
#[test]
fn there_is_no_display() {
    let none = |it: &Value| {
        let more = ["tcDisplayContentType", "tcDisplayPNGCharacteristics"];
        it["tcDisplay"] == json!([]) && more.iter().all(|name| it.get(name).is_none())
    };
    let content = ("/tcDisplayContentType", json!("image/png"));
    rule(none, &[("/tcDisplay", json!(["any"])), ("/tcDisplay", json!(GONE)), content]);
}

/// CT-META-icon: a PNG image in a data URL.
#[test]
fn icon_is_an_image() {
    let short = json!("data:image/png;base64,iVBORw0KGgo=");
    rule(|it| is_png(&it["icon"]), &[("/icon", short), ("/icon", json!("icon.png"))]);
}

/// CT-META-icon-dark: the same for dark grounds, another image.
#[test]
fn dark_icon_is_another_image() {
    let sound = |it: &Value| is_png(&it["iconDark"]) && it["iconDark"] != it["icon"];
    rule(sound, &[("/iconDark", json!(""))]);
}

/// CT-META-provider-logos: images for light and for dark grounds.
#[test]
fn provider_logos_are_images() {
    let sound = |it: &Value| {
        is_png(&it["providerLogoLight"])
            && is_png(&it["providerLogoDark"])
            && it["providerLogoLight"] != it["providerLogoDark"]
    };
    rule(sound, &[("/providerLogoLight", json!(1)), ("/providerLogoDark", json!(GONE))]);
}

/// CT-META-key-scope: 3.1.1 has it no longer.
#[test]
fn there_is_no_key_scope() {
    rule(|it| it.get("keyScope").is_none(), &[("/keyScope", json!("device"))]);
}

/// CT-META-export-url: nothing is exported over the credential exchange.
#[test]
fn there_is_no_address_for_exports() {
    let none = |it: &Value| it.get("cxpConfigURL").is_none() && it.get("cxConfigURL").is_none();
    rule(none, &[("/cxpConfigURL", json!("https://example.com/"))]);
}

/// CT-META-multi-device: what the flag BE says.
#[test]
fn multi_device_support_is_what_the_flags_say() {
    let not = |it: &Value| it["multiDeviceCredentialSupport"] == "unsupported";
    rule(not, &[("/multiDeviceCredentialSupport", json!("explicit"))]);
    let synced = statement(&["--profile", "passkey"]);
    assert_eq!(synced["multiDeviceCredentialSupport"], "explicit");
}

/// A key of U2F alone has no AAGUID that a statement could be about.
#[test]
fn a_key_of_u2f_alone_has_no_statement() {
    let output = softkey().args(["metadata", "--profile", "u2f"]).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(3), 0));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("softkey: A key that speaks U2F alone has no AAGUID"), "{said}");
}
