//! Extensions against scripted keys, and the numbers of `webauthn-prf.json`.

use core::convert::Infallible;

use ciborium::Value as Cbor;
use rand_core::{TryCryptoRng, TryRng};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use softkey_ctap::Secret;
use softkey_ctap::cose::KeyAgreementKey;
use softkey_ctap::pin_uv::{KeyAgreement, Protocol};

use super::*;
use crate::cause::{DomException, Operation, WrongResponse};
use crate::ceremony::Ceremony;
use crate::options::{CreationOptions, RequestOptions};
use crate::origin::Origin;
use crate::response::{AuthenticationResponse, RegistrationResponse};
use crate::script::{CTAP2, attested, auth_data, entropy, ok, play, texts};

const RP: &str = "example.org";

fn origin() -> Origin {
    Origin::parse("https://example.org").unwrap()
}

fn create(extensions: &Value) -> Ceremony<RegistrationResponse> {
    let options = json!({
        "rp": {"name": "Example"}, "user": {"id": "AQ", "name": "ada", "displayName": ""},
        "challenge": "AAEC", "pubKeyCredParams": [],
        "authenticatorSelection": {"userVerification": "discouraged", "residentKey": "preferred"},
        "extensions": extensions,
    });
    let options = CreationOptions::from_value(options).unwrap();
    crate::create(options, origin(), CTAP2, entropy())
}

fn get(extensions: &Value, allow: &[&str]) -> Ceremony<AuthenticationResponse> {
    let allow: Vec<_> = allow.iter().map(|id| json!({"type": "public-key", "id": id})).collect();
    let options = json!({"challenge": "AAEC", "userVerification": "discouraged",
        "allowCredentials": allow, "extensions": extensions});
    let options = RequestOptions::from_value(options).unwrap();
    crate::get(options, origin(), CTAP2, entropy())
}

/// getInfo of a key that makes discoverable credentials and has these extensions.
fn info(extensions: &[&str]) -> Vec<u8> {
    ok(vec![
        (1, Cbor::Array(vec!["FIDO_2_1".into()])),
        (2, Cbor::Array(extensions.iter().map(|name| (*name).into()).collect())),
        (3, Cbor::Bytes(vec![0xaa; 16])),
        (4, texts(&[("rk", true.into()), ("makeCredUvNotRqd", true.into())])),
    ])
}

/// A new credential, with these signed outputs.
fn made(outputs: Option<Cbor>) -> Vec<u8> {
    let mut rest = attested(5, b"id");
    let flags = if outputs.is_some() { 0xc1 } else { 0x41 };
    if let Some(outputs) = outputs {
        ciborium::into_writer(&outputs, &mut rest).unwrap();
    }
    let data = Cbor::Bytes(auth_data(RP, flags, &rest));
    ok(vec![(1, "none".into()), (2, data), (3, Cbor::Map(vec![]))])
}

#[test]
fn an_extension_that_the_key_lacks_is_not_sent() {
    let asked = json!({"prf": {}, "credBlob": "AQID", "minPinLength": true,
        "credentialProtectionPolicy": "userVerificationRequired", "unheardOf": 7});
    let (result, sent) = play(create(&asked), &[info(&[]), made(None)]);
    assert_eq!(sent[1].get(6), None);
    let results = serde_json::to_value(result.unwrap().client_extension_results).unwrap();
    assert_eq!(results, json!({"prf": {"enabled": false}, "credBlob": false}));
}

#[test]
fn what_the_key_has_is_sent_and_its_outputs_are_told() {
    let asked = json!({"prf": {"eval": {"first": "AQ"}}, "credBlob": "AQID", "minPinLength": true,
        "credentialProtectionPolicy": "userVerificationOptionalWithCredentialIDList"});
    let listed = ["credBlob", "credProtect", "hmac-secret", "minPinLength", "hmac-secret-mc"];
    let outputs = texts(&[
        ("credBlob", true.into()),
        ("credProtect", 2.into()),
        ("hmac-secret", true.into()),
        ("minPinLength", 6.into()),
    ]);
    let (result, sent) = play(create(&asked), &[info(&listed), made(Some(outputs))]);
    let expected = texts(&[
        ("credBlob", Cbor::Bytes(vec![1, 2, 3])),
        ("credProtect", 2.into()),
        ("hmac-secret", true.into()),
        ("minPinLength", true.into()),
    ]);
    assert_eq!(sent[1].get(6), Some(&expected), "salts only go with verification");
    let results = serde_json::to_value(result.unwrap().client_extension_results).unwrap();
    assert_eq!(results, json!({"prf": {"enabled": true}, "credBlob": true}));
}

/// The key is as if it were not there.
#[test]
fn protection_that_is_enforced_needs_a_key_that_protects() {
    let asked = |policy: &str| json!({"credentialProtectionPolicy": policy, "enforceCredentialProtectionPolicy": true});
    let (result, _) = play(create(&asked("userVerificationRequired")), &[info(&[])]);
    assert_eq!(result.unwrap_err(), Cause::NoCredProtect);
    assert_eq!(Cause::NoCredProtect.exception(Operation::Create), DomException::NotAllowedError);
    let harmless = create(&asked("userVerificationOptional"));
    assert!(play(harmless, &[info(&[]), made(None)]).0.is_ok());
}

#[test]
fn protection_below_what_was_asked_is_a_wrong_response() {
    let asked = json!({"credentialProtectionPolicy": "userVerificationRequired"});
    let weaker = made(Some(texts(&[("credProtect", 2.into())])));
    let (result, _) = play(create(&asked), &[info(&["credProtect"]), weaker]);
    assert_eq!(result.unwrap_err(), Cause::WrongResponse(WrongResponse::Protection));
}

#[test]
fn the_blob_of_a_credential_is_told() {
    let answer = |outputs: Cbor| {
        let mut rest = Vec::new();
        ciborium::into_writer(&outputs, &mut rest).unwrap();
        let data = Cbor::Bytes(auth_data(RP, 0x81, &rest));
        ok(vec![(2, data), (3, Cbor::Bytes(vec![1]))])
    };
    let blob = texts(&[("credBlob", Cbor::Bytes(vec![7, 8]))]);
    let asked = get(&json!({"getCredBlob": true}), &["BQ"]);
    let (result, sent) = play(asked, &[info(&["credBlob"]), answer(blob)]);
    assert_eq!(sent[1].get(4), Some(&texts(&[("credBlob", true.into())])));
    let results = serde_json::to_value(result.unwrap().client_extension_results).unwrap();
    assert_eq!(results, json!({"getCredBlob": "Bwg"}));
}

fn prf() -> Value {
    serde_json::from_str(include_str!("../../../tests/vectors/webauthn-prf.json")).unwrap()
}

fn unhex(json: &Value) -> Vec<u8> {
    let hex = json.as_str().unwrap();
    let digit = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digit).collect()
}

/// Entropy that gives these bytes and nothing else.
struct Given(Vec<u8>);

impl TryRng for Given {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        panic!("nobody draws numbers")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        panic!("nobody draws numbers")
    }

    fn try_fill_bytes(&mut self, into: &mut [u8]) -> Result<(), Infallible> {
        into.copy_from_slice(&self.0);
        Ok(())
    }
}

impl TryCryptoRng for Given {}

/// One case of `hmac_secret_cases`: from the page's inputs to the salts on the wire, and back to the secrets.
fn numbers(number: usize) {
    let file = prf();
    let case = &file["hmac_secret_cases"][number];
    let protocol = Protocol::from_number(case["pin_protocol"].as_u64().unwrap()).unwrap();
    let ours = unhex(&file["platform_key_agreement_private_key"]);
    let ours = KeyAgreement::from_bytes(&Secret::from_slice(&ours).unwrap()).unwrap();
    let theirs = &file["authenticator_key_agreement_public_key"];
    let (x, y) = (unhex(&theirs["x"]), unhex(&theirs["y"]));
    let theirs = KeyAgreementKey::new(x[..].try_into().unwrap(), y[..].try_into().unwrap());
    let secret = ours.shared_secret(protocol, &theirs).unwrap();

    let inputs = case["prf_inputs"].as_array().unwrap();
    let salts: Vec<u8> = inputs.iter().flat_map(|input| prf::salt(&unhex(input))).collect();
    let expected: Vec<u8> = case["salts"].as_array().unwrap().iter().flat_map(unhex).collect();
    assert_eq!(salts, expected);
    let both = inputs.len() == 2;
    let seed = file["seed_ascii"].as_str().unwrap().as_bytes();
    let iv = Sha256::digest([seed, &[if both { 8 } else { 7 }]].concat())[..16].to_vec();
    let Ok(salt_enc) = secret.encrypt(&mut Given(iv), &salts);
    assert_eq!(salt_enc, unhex(&case["salt_enc"]));
    assert_eq!(secret.authenticate(&[&salt_enc]), unhex(&case["salt_auth"]));

    let evaluation = Evaluation::new(ours, secret, salt_enc, both);
    let outputs = evaluation.outputs(&unhex(&case["output_enc"])).unwrap();
    let results = &case["prf_results"];
    assert_eq!(outputs.first.expose().as_slice(), unhex(&results[0]));
    let second = outputs.second.map(|second| second.expose().to_vec());
    assert_eq!(second, both.then(|| unhex(&results[1])));
    let short = unhex(&case["output_enc"])[..16].to_vec();
    let wrong = Cause::WrongResponse(WrongResponse::HmacSecret);
    assert_eq!(evaluation.outputs(&short), Err(wrong));
}

#[test]
fn one_input_by_protocol_two() {
    numbers(0);
}

#[test]
fn two_inputs_by_protocol_two() {
    numbers(1);
}

#[test]
fn one_input_by_protocol_one() {
    numbers(2);
}

#[test]
fn two_inputs_by_protocol_one() {
    numbers(3);
    assert_eq!(prf()["hmac_secret_cases"].as_array().unwrap().len(), 4);
}

/// The cases of `api_cases` that are errors, each with its name. The others are those of the suite `ceremony`.
fn refused(number: usize, cause: &Cause) {
    let vector = &prf()["api_cases"][number];
    let (failed, operation) = if vector["ceremony"] == "create" {
        (play(create(&vector["input"]), &[]).0.unwrap_err(), Operation::Create)
    } else {
        let allow = vector["allowCredentials"].as_array().unwrap();
        let allow: Vec<_> = allow.iter().map(|id| id.as_str().unwrap()).collect();
        (play(get(&vector["input"], &allow), &[]).0.unwrap_err(), Operation::Get)
    };
    assert_eq!(&failed, cause);
    assert_eq!(failed.exception(operation).name(), vector["error"].as_str().unwrap());
}

#[test]
fn eval_by_credential_at_creation_is_not_supported() {
    refused(6, &Cause::PrfByCredentialAtCreation);
}

#[test]
fn eval_by_credential_without_a_list_is_not_supported() {
    refused(7, &Cause::PrfWithoutList);
}

#[test]
fn an_empty_credential_is_a_syntax_error() {
    refused(8, &Cause::PrfCredential(String::new()));
}

#[test]
fn a_credential_that_is_not_listed_is_a_syntax_error() {
    refused(9, &Cause::PrfCredential(String::from("BAUG")));
}

#[test]
fn a_credential_that_is_not_base64url_is_a_syntax_error() {
    refused(10, &Cause::PrfCredential(String::from("A+/=")));
    assert_eq!(prf()["api_cases"].as_array().unwrap().len(), 11);
}

/// What a page that asks for this at creation is told at once.
fn rejected_creation(extensions: &Value, cause: &Cause, name: &str) {
    let failed = play(create(extensions), &[]).0.unwrap_err();
    assert_eq!(&failed, cause, "{extensions}");
    assert_eq!(failed.exception(Operation::Create).name(), name);
}

fn rejected_request(extensions: &Value, allow: &[&str], cause: &Cause, name: &str) {
    let failed = play(get(extensions, allow), &[]).0.unwrap_err();
    assert_eq!(&failed, cause, "{extensions}");
    assert_eq!(failed.exception(Operation::Get).name(), name);
}

/// Section 10.1.5: members that have no meaning here, or not beside each other.
#[test]
fn large_blob_inputs_that_make_no_sense_are_not_supported() {
    for inputs in [json!({"read": true}), json!({"write": "AQ"}), json!({"read": false})] {
        let asked = json!({ "largeBlob": inputs });
        rejected_creation(&asked, &Cause::LargeBlobMisuse, "NotSupportedError");
    }
    let wrong: [(Value, &[&str]); 4] = [
        (json!({"support": "preferred"}), &["BQ"]),
        (json!({"read": true, "write": "AQ"}), &["BQ"]),
        (json!({"write": "AQ"}), &[]),
        (json!({"write": "AQ"}), &["BQ", "Bg"]),
    ];
    for (inputs, allow) in wrong {
        let asked = json!({ "largeBlob": inputs });
        rejected_request(&asked, allow, &Cause::LargeBlobMisuse, "NotSupportedError");
    }
}

#[test]
fn a_key_without_large_blobs_is_passed_over_if_they_are_required() {
    let asked = json!({"largeBlob": {"support": "required"}});
    let (result, _) = play(create(&asked), &[info(&[])]);
    let failed = result.unwrap_err();
    assert_eq!(failed, Cause::NoLargeBlobs);
    assert_eq!(failed.exception(Operation::Create).name(), "NotAllowedError");
    let (result, sent) = play(create(&json!({"largeBlob": {}})), &[info(&[]), made(None)]);
    assert_eq!(sent[1].get(6), None);
    let results = serde_json::to_value(result.unwrap().client_extension_results).unwrap();
    assert_eq!(results, json!({"largeBlob": {"supported": false}}));
}

/// A key that lists the extension and then does not do it.
#[test]
fn support_that_was_required_and_is_not_there_is_a_wrong_response() {
    let asked = json!({"largeBlob": {"support": "required"}});
    let (result, sent) = play(create(&asked), &[info(&["largeBlob"]), made(None)]);
    let expected = texts(&[("largeBlob", texts(&[("support", "required".into())]))]);
    assert_eq!(sent[1].get(6), Some(&expected));
    assert_eq!(result.unwrap_err(), Cause::WrongResponse(WrongResponse::LargeBlob));
}

/// FIDO client extensions: a salt has 32 bytes.
#[test]
fn a_salt_of_another_length_is_a_type_error() {
    let salt = base64url::encode(&[1; 32]);
    let long = base64url::encode(&[1; 33]);
    let first = json!({"hmacGetSecret": {"salt1": long}});
    rejected_request(&first, &["BQ"], &Cause::SaltLength(33), "TypeError");
    let second = json!({"hmacGetSecret": {"salt1": salt, "salt2": "AQ"}});
    rejected_request(&second, &["BQ"], &Cause::SaltLength(1), "TypeError");
}

/// Sections 10.1.1 and 10.1.2: a page may use the `AppID`s of its own site.
#[test]
fn an_app_id_of_another_site_is_a_security_error() {
    let url = "https://example.com/app-id.json";
    rejected_creation(&json!({"appidExclude": url}), &Cause::AppIdRefused, "SecurityError");
    rejected_request(&json!({"appid": url}), &["BQ"], &Cause::AppIdRefused, "SecurityError");
}

/// Secure Payment Confirmation: attachment, discoverability and verification must be asked for.
#[test]
fn payment_at_creation_needs_a_platform_credential() {
    let asked = json!({"payment": {"isPayment": true}});
    rejected_creation(&asked, &Cause::PaymentNeeds, "NotSupportedError");
    let nothing = json!({"payment": {"isPayment": false}});
    assert!(play(create(&nothing), &[info(&[]), made(None)]).0.is_ok());
}

#[test]
fn how_the_user_was_verified_is_told_from_the_signed_outputs() {
    let triple = Cbor::Array(vec![Cbor::Array(vec![2.into(), 1.into(), 1.into()])]);
    let asked = json!({"uvm": true, "pinComplexityPolicy": true});
    let outputs = texts(&[("uvm", triple), ("pinComplexityPolicy", false.into())]);
    let answers = [info(&["uvm", "pinComplexityPolicy"]), made(Some(outputs))];
    let (result, sent) = play(create(&asked), &answers);
    let expected = texts(&[("uvm", true.into()), ("pinComplexityPolicy", true.into())]);
    assert_eq!(sent[1].get(6), Some(&expected));
    let results = serde_json::to_value(result.unwrap().client_extension_results).unwrap();
    assert_eq!(results, json!({"uvm": [[2, 1, 1]]}));
}
