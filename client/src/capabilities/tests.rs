//! Each entry of the standard's list, told as true and as false, and what the client does then.

use serde_json::{Value, json};
use softkey_ctap::Instant;

use super::*;
use crate::call::{CredentialCreationOptions, CredentialRequestOptions, Mediation};
use crate::cause::DomException;
use crate::extensions::{CreationInputs, RequestInputs};
use crate::options::{CreationOptions, RequestOptions};
use crate::profile::Profile;
use crate::request::{Output, Request};
use crate::script::entropy;
use crate::signal::SignalOptions;

const NOW: Instant = Instant::from_millis(0);

/// A page whose client lacks these.
fn page(lacks: &[Capability]) -> Page {
    let profile = Profile::new();
    profile.set(|settings| settings.lacks = lacks.iter().copied().collect());
    Page::new(&profile, "https://www.example.org")
}

fn told(page: &Page, keys: &[Info], capability: &str) -> Option<bool> {
    page.client_capabilities(keys).unwrap().get(capability).copied()
}

/// Told as true by a client that has it, and else as false.
fn both_ways(capability: Capability) -> [Page; 2] {
    let [with, without] = [page(&[]), page(&[capability])];
    assert_eq!(told(&with, &[], capability.as_str()), Some(true));
    assert_eq!(told(&without, &[], capability.as_str()), Some(false));
    [with, without]
}

fn creation(extra: &Value) -> CredentialCreationOptions {
    let mut options = json!({
        "rp": {"name": "Example"}, "user": {"id": "AQ", "name": "ada", "displayName": ""},
        "challenge": "AAEC", "pubKeyCredParams": [],
    });
    for (member, value) in extra.as_object().unwrap() {
        options[member] = value.clone();
    }
    CreationOptions::from_value(options).unwrap().into()
}

fn end(mut request: Request) -> (DomException, Cause) {
    match request.poll_output(NOW) {
        Some(Output::Settled(Err(rejection))) => (rejection.exception, rejection.cause),
        other => panic!("{other:?} instead of a rejection"),
    }
}

/// A key with these options, reached in these ways.
fn key(options: &[&str], transports: &[&str]) -> Info {
    let mut bytes = b"\xa2\x01\x81\x68FIDO_2_1\x03\x50".to_vec();
    bytes.extend([7; 16]);
    let mut info = Info::from_bytes(bytes).unwrap();
    let has = |option| options.contains(&option).then_some(true);
    (info.options.plat, info.options.uv) = (has("plat"), has("uv"));
    (info.options.rk, info.options.client_pin) = (has("rk"), has("clientPin"));
    info.transports = transports.iter().copied().map(str::to_owned).collect();
    info
}

/// Section 5.8.8 and 5.1.7: these keys in this order, and no others but the extensions that are there.
#[test]
fn the_keys_are_those_of_the_standard() {
    let capabilities = page(&[]).client_capabilities(&[]).unwrap();
    assert!(capabilities.keys().is_sorted());
    let (extensions, others): (Vec<&str>, Vec<&str>) =
        capabilities.keys().copied().partition(|key| key.starts_with("extension:"));
    assert_eq!(
        others,
        [
            "conditionalCreate",
            "conditionalGet",
            "hybridTransport",
            "passkeyPlatformAuthenticator",
            "relatedOrigins",
            "signalAllAcceptedCredentials",
            "signalCurrentUserDetails",
            "signalUnknownCredential",
            "userVerifyingPlatformAuthenticator",
        ]
    );
    assert_eq!(extensions.len(), 11, "{extensions:?}");
}

/// Without the interface there is nobody to ask.
#[test]
fn a_profile_without_public_keys_has_no_capabilities() {
    let page = page(&[]);
    page.profile().set(|settings| settings.absent.extend([CredentialType::PublicKey]));
    for cause in [
        page.client_capabilities(&[]).unwrap_err(),
        page.is_conditional_mediation_available().unwrap_err(),
        page.is_user_verifying_platform_authenticator_available(&[]).unwrap_err(),
    ] {
        assert_eq!(
            (cause.exception, cause.cause),
            (DomException::NotSupportedError, Cause::NoType)
        );
    }
    let insecure = Page::new(&Profile::new(), "http://example.org");
    let rejection = insecure.client_capabilities(&[]).unwrap_err();
    assert_eq!(rejection.exception, DomException::SecurityError);
    assert_eq!(rejection.cause, Cause::InsecureOrigin);
}

/// A client without it does not know the member `mediation` of create, and asks as always.
#[test]
fn conditional_create() {
    let [mut with, mut without] = both_ways(Capability::ConditionalCreate);
    let options =
        || CredentialCreationOptions { mediation: Mediation::Conditional, ..creation(&json!({})) };
    let refused = with.credentials().create(NOW, options(), entropy());
    assert_eq!(end(refused), (DomException::NotAllowedError, Cause::NoCreationConsent));
    let mut asks = without.credentials().create(NOW, options(), entropy());
    assert_eq!(asks.poll_output(NOW), None, "it waits for keys");
}

/// Credential Management, get step 5: a `TypeError` from an interface without conditional mediation.
#[test]
fn conditional_get() {
    let [mut with, mut without] = both_ways(Capability::ConditionalGet);
    assert_eq!(with.is_conditional_mediation_available(), Ok(true));
    assert_eq!(without.is_conditional_mediation_available(), Ok(false));
    let options = || {
        let options = RequestOptions::from_value(json!({"challenge": ""})).unwrap();
        CredentialRequestOptions { mediation: Mediation::Conditional, ..options.into() }
    };
    assert!(!with.credentials().get(NOW, options(), entropy()).is_settled());
    let refused = without.credentials().get(NOW, options(), entropy());
    let cause = Cause::NotConditional(CredentialType::PublicKey);
    assert_eq!(end(refused), (DomException::TypeError, cause));
}

/// A client without them does not look another's identifier up.
#[test]
fn related_origins() {
    let [mut with, mut without] = both_ways(Capability::RelatedOrigins);
    let options = || creation(&json!({"rp": {"id": "example.com", "name": "Example"}}));
    let mut looks_up = with.credentials().create(NOW, options(), entropy());
    assert!(matches!(looks_up.poll_output(NOW), Some(Output::Fetch { .. })));
    let expected = (DomException::SecurityError, Cause::RpIdMismatch);
    assert_eq!(end(without.credentials().create(NOW, options(), entropy())), expected);

    let limit = page(&[]);
    limit.profile().set(|settings| settings.related_origin_labels = 0);
    assert_eq!(told(&limit, &[], "relatedOrigins"), Some(false), "of a list none is read");
}

/// The method is not there: a `TypeError`, whatever else would be wrong.
fn has_no_method(capability: Capability, options: &SignalOptions) {
    let [with, without] = both_ways(capability);
    assert!(with.signal(options.clone()).is_ok());
    let elsewhere = SignalOptions { rp_id: String::from("10.0.0.1"), ..options.clone() };
    for options in [options, &elsewhere] {
        let rejection = without.signal(options.clone()).unwrap_err();
        assert_eq!(rejection.exception, DomException::TypeError);
        assert_eq!(rejection.cause, Cause::NoMethod(capability));
    }
    without.profile().set(|settings| settings.absent.extend([CredentialType::PublicKey]));
    let rejection = without.signal(options.clone()).unwrap_err();
    assert_eq!(rejection.exception, DomException::NotSupportedError);
    assert_eq!(rejection.cause, Cause::NoType);
}

#[test]
fn signal_unknown_credential() {
    let options = r#"{"rpId": "example.org", "credentialId": "AQ"}"#;
    let options = SignalOptions::unknown_credential(options).unwrap();
    has_no_method(Capability::SignalUnknownCredential, &options);
}

#[test]
fn signal_all_accepted_credentials() {
    let options = r#"{"rpId": "example.org", "userId": "AQ", "allAcceptedCredentialIds": []}"#;
    let options = SignalOptions::all_accepted_credentials(options).unwrap();
    has_no_method(Capability::SignalAllAcceptedCredentials, &options);
}

#[test]
fn signal_current_user_details() {
    let options = r#"{"rpId": "example.org", "userId": "AQ", "name": "a", "displayName": "A"}"#;
    let options = SignalOptions::current_user_details(options).unwrap();
    has_no_method(Capability::SignalCurrentUserDetails, &options);
}

/// Section 5.8.8: a phone that is reached by hybrid transport, as its getInfo says.
#[test]
fn hybrid_transport() {
    let told = |keys: &[Info]| told(&page(&[]), keys, "hybridTransport").unwrap();
    assert!(!told(&[]));
    assert!(!told(&[key(&["plat", "uv", "rk"], &["internal"]), key(&["rk"], &["usb", "nfc"])]));
    assert!(told(&[key(&[], &["usb"]), key(&["rk"], &["hybrid", "internal"])]));
}

/// A part of the machine that verifies its user, by whatever means.
#[test]
fn user_verifying_platform_authenticator() {
    let page = page(&[]);
    for (options, there) in [
        (&["plat", "uv"][..], true),
        (&["plat", "clientPin"], true),
        (&["plat"], false),
        (&["plat", "rk"], false),
        (&["uv", "clientPin", "rk"], false),
    ] {
        let keys = [key(&[], &["usb"]), key(options, &[])];
        let told = told(&page, &keys, "userVerifyingPlatformAuthenticator");
        assert_eq!(told, Some(there), "{options:?}");
        let available = page.is_user_verifying_platform_authenticator_available(&keys);
        assert_eq!(available, Ok(there), "{options:?}");
    }
    assert_eq!(told(&page, &[], "userVerifyingPlatformAuthenticator"), Some(false));
}

/// Such a part that keeps discoverable credentials, or a phone in its place.
#[test]
fn passkey_platform_authenticator() {
    let told = |keys: &[Info]| told(&page(&[]), keys, "passkeyPlatformAuthenticator").unwrap();
    assert!(told(&[key(&["plat", "uv", "rk"], &["internal"])]));
    assert!(!told(&[key(&["plat", "uv"], &["internal"])]));
    assert!(!told(&[key(&["plat", "rk"], &["internal"])]));
    assert!(!told(&[key(&["uv", "rk"], &["usb"])]));
    assert!(told(&[key(&["uv", "rk"], &["hybrid"])]));
}

/// The members of `extensions` in create that go with an extension, and those in get.
fn members(extension: Capability) -> [&'static [&'static str]; 2] {
    match extension {
        Capability::AppId => [&[], &["appid"]],
        Capability::AppIdExclude => [&["appidExclude"], &[]],
        Capability::CredBlob => [&["credBlob"], &["getCredBlob"]],
        Capability::CredProps => [&["credProps"], &[]],
        Capability::CredProtect => {
            [&["credentialProtectionPolicy", "enforceCredentialProtectionPolicy"], &[]]
        }
        Capability::HmacCreateSecret => [&["hmacCreateSecret"], &[]],
        Capability::HmacGetSecret => [&[], &["hmacGetSecret"]],
        Capability::LargeBlob => [&["largeBlob"], &["largeBlob"]],
        Capability::MinPinLength => [&["minPinLength"], &[]],
        Capability::Payment => [&["payment"], &["payment"]],
        Capability::PinComplexityPolicy => [&["pinComplexityPolicy"], &[]],
        Capability::Prf => [&["prf"], &["prf"]],
        Capability::Uvm => [&["uvm"], &["uvm"]],
        _ => [&[], &[]],
    }
}

/// Everything that can be asked for, in create and in get.
fn everything() -> [Value; 2] {
    let salt = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let payment = json!({
        "isPayment": true, "rpId": "bank.example", "topOrigin": "https://shop.example",
        "payeeName": "Shop", "total": {"currency": "EUR", "value": "1.00"},
        "instrument": {"displayName": "Card", "icon": "https://bank.example/card.png"},
    });
    let create = json!({
        "credProps": true, "prf": {"eval": {"first": "AQ"}}, "hmacCreateSecret": true,
        "largeBlob": {"support": "preferred"}, "credentialProtectionPolicy": "userVerificationRequired",
        "enforceCredentialProtectionPolicy": true, "credBlob": "AQ", "minPinLength": true,
        "pinComplexityPolicy": true, "appidExclude": "https://www.example.org/app", "uvm": true,
        "payment": {"isPayment": true},
    });
    let get = json!({
        "prf": {"eval": {"first": "AQ"}}, "hmacGetSecret": {"salt1": salt}, "largeBlob": {"read": true},
        "getCredBlob": true, "appid": "https://www.example.org/app", "payment": payment, "uvm": true,
    });
    [create, get]
}

fn without(value: &Value, members: &[&str]) -> Value {
    let mut value = value.clone();
    for member in members {
        value.as_object_mut().unwrap().remove(*member).expect("a member to leave out");
    }
    value
}

/// Section 9: a client without an extension passes its input over, and only that; it is not named then.
#[test]
fn each_extension() {
    let create = |extensions: &Value| -> CreationInputs {
        creation(&json!({"extensions": extensions})).public_key.unwrap().extensions
    };
    let get = |extensions: &Value| -> RequestInputs {
        let options = json!({"challenge": "", "extensions": extensions});
        RequestOptions::from_value(options).unwrap().extensions
    };
    let [creating, getting] = everything();
    let extensions = Capability::ALL.into_iter().filter(|one| one.is_extension());
    let mut names = 0;
    for extension in extensions {
        let [in_create, in_get] = members(extension);
        assert!(!in_create.is_empty() || !in_get.is_empty(), "{extension:?}");
        names += in_create.len() + in_get.len();
        let (mut made, mut signed) = (create(&creating), get(&getting));
        made.retain(|one| one != extension);
        signed.retain(|one| one != extension);
        assert_eq!(made, create(&without(&creating, in_create)), "{extension:?}");
        assert_eq!(signed, get(&without(&getting, in_get)), "{extension:?}");

        let lacking = page(&[extension]);
        lacking.profile().set(|settings| settings.hmac_secret = true);
        assert_eq!(told(&lacking, &[], extension.as_str()), None);
        lacking.profile().set(|settings| settings.lacks.clear());
        assert_eq!(told(&lacking, &[], extension.as_str()), Some(true));
    }
    let all: usize = [creating, getting].iter().map(|all| all.as_object().unwrap().len()).sum();
    assert_eq!(names, all, "each member belongs to an extension");
}

/// The switch for native programs opens what it opens, and nothing is told of it before.
#[test]
fn raw_salts_are_told_of_where_they_are_open() {
    let page = page(&[]);
    for capability in [Capability::HmacCreateSecret, Capability::HmacGetSecret] {
        page.profile().set(|settings| settings.hmac_secret = false);
        assert_eq!(told(&page, &[], capability.as_str()), None);
        page.profile().set(|settings| settings.hmac_secret = true);
        assert_eq!(told(&page, &[], capability.as_str()), Some(true));
    }
}

/// What a page gets wrong in an extension that the client does not know is not noticed.
#[test]
fn an_absent_extension_has_no_errors() {
    let misuse = || creation(&json!({"extensions": {"prf": {"evalByCredential": {}}}}));
    let refused = page(&[]).credentials().create(NOW, misuse(), entropy());
    let expected = (DomException::NotSupportedError, Cause::PrfByCredentialAtCreation);
    assert_eq!(end(refused), expected);
    let request = page(&[Capability::Prf]).credentials().create(NOW, misuse(), entropy());
    assert!(!request.is_settled());
}

#[test]
fn a_profile_keeps_what_it_lacks_by_the_names_of_the_standard() {
    let lacking = page(&[Capability::RelatedOrigins, Capability::Prf]);
    let saved = lacking.profile().to_json();
    assert_eq!(saved["settings"]["lacks"], json!(["extension:prf", "relatedOrigins"]));
    let loaded = Profile::from_json(&saved.to_string()).unwrap();
    assert_eq!(loaded.settings(), lacking.profile().settings());
    let unknown = json!({"settings": {"lacks": ["telepathy"]}}).to_string();
    let error = Profile::from_json(&unknown).unwrap_err().to_string();
    assert!(error.starts_with("no capability of a client is called telepathy"), "{error}");
}
