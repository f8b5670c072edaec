//! Each variant against the checks of this crate, which must fail at the step that it names.

use serde_json::json;

use super::*;
use crate::verify::{
    CredentialRecord, Expected, Fault, Identified, Registered, StatementFault, authentication,
    registration,
};

const CHALLENGE: &[u8] = b"a challenge of 24 bytes.";
const USER: &[u8] = b"ada";

fn origin() -> Origin {
    Origin::parse("https://example.org").unwrap()
}

fn expected() -> Expected<'static> {
    Expected::new(CHALLENGE, "https://example.org", "example.org").verified(true)
}

fn creation() -> CreationOptions {
    CreationOptions::from_value(json!({
        "rp": {"name": "Example"}, "user": {"id": "AQ", "name": "ada", "displayName": ""},
        "challenge": base64url::encode(CHALLENGE), "attestation": "direct",
        "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
    }))
    .unwrap()
}

/// Registers with a relying party that has these credentials.
fn register_beside(registered: &[&[u8]], deviations: &Deviations) -> Result<Registered, Fault> {
    let made = WrongClient::new(1).create(&creation(), &origin(), b"seed", deviations);
    registration(&made, &Expected { registered, ..expected() }, &[ES256])
}

fn register(deviations: &Deviations) -> Result<Registered, Fault> {
    register_beside(&[], deviations)
}

fn sign_in(record: &CredentialRecord, deviations: &Deviations) -> Result<(), Fault> {
    let options = json!({ "challenge": base64url::encode(CHALLENGE) });
    let options = RequestOptions::from_value(options).unwrap();
    let mut client = WrongClient::new(record.sign_count);
    let signed = client.get(&options, &origin(), &record.id, deviations);
    let expected = Expected { user: Some((USER, Identified::Before)), ..expected() };
    authentication(&signed, &expected, record).map(drop)
}

/// The control: without a deviation nothing is wrong.
#[test]
fn what_deviates_in_nothing_is_accepted() {
    let record = register(&Deviations::default()).unwrap().record;
    assert_eq!(sign_in(&record, &Deviations::default()), Ok(()));
}

#[test]
fn each_variant_of_a_registration_fails_at_its_step() {
    for variant in REGISTRATION {
        let fault = register_beside(&[&SAME_CREDENTIAL], &variant.deviations()).unwrap_err();
        let right = match variant.name {
            "credential-type" => fault == Fault::CredentialType,
            "type" => fault == Fault::Type,
            "challenge" => fault == Fault::Challenge,
            "origin" | "origin-of-no-page" => fault == Fault::Origin,
            "cross-origin" | "top-origin" => fault == Fault::CrossOrigin,
            "rp-id-hash" => fault == Fault::RpIdHash,
            "not-present" => fault == Fault::NotPresent,
            "not-verified" => fault == Fault::NotVerified,
            "backup-state-alone" => fault == Fault::BackupFlags,
            "no-credential" => fault == Fault::NoCredential,
            "algorithm" => matches!(fault, Fault::Algorithm(ESP256)),
            "format" => fault == Fault::Format,
            "none-with-statement" => fault == StatementFault::NotEmpty.into(),
            "statement-algorithm" => fault == StatementFault::SelfAlgorithm.into(),
            "other-key" | "other-hash" => fault == StatementFault::Signature.into(),
            "other-id" => fault == Fault::OtherCredential,
            "registered" => fault == Fault::Registered,
            "long-credential-id" => matches!(fault, Fault::Unreadable(_)),
            other => panic!("no expectation for {other}"),
        };
        assert!(right, "{}: {fault:?}", variant.name);
    }
}

/// Section 7.1 step 26: nothing is wrong with it but that somebody has it already.
#[test]
fn the_same_credential_is_right_once() {
    let variant = REGISTRATION.iter().find(|variant| variant.name == "registered").unwrap();
    let record = register(&variant.deviations()).unwrap().record;
    assert_eq!(record.id, SAME_CREDENTIAL);
    assert_eq!(sign_in(&record, &Deviations::default()), Ok(()));
    let again = register_beside(&[b"another", &record.id], &variant.deviations());
    assert_eq!(again, Err(Fault::Registered));
}

#[test]
fn each_variant_of_a_sign_in_fails_at_its_step() {
    let record = register(&Deviations::default()).unwrap().record;
    for variant in AUTHENTICATION {
        let fault = sign_in(&record, &variant.deviations()).unwrap_err();
        let right = match variant.name {
            "credential-type" => fault == Fault::CredentialType,
            "type" => fault == Fault::Type,
            "challenge" => fault == Fault::Challenge,
            "origin" | "origin-of-no-page" => fault == Fault::Origin,
            "cross-origin" | "top-origin" => fault == Fault::CrossOrigin,
            "rp-id-hash" => fault == Fault::RpIdHash,
            "not-present" => fault == Fault::NotPresent,
            "not-verified" => fault == Fault::NotVerified,
            "backup-state-alone" | "backup-eligible" => fault == Fault::BackupFlags,
            "other-key" | "other-hash" => fault == Fault::Signature,
            "counter" => matches!(fault, Fault::Counter { last: 2, now: 1 }),
            "other-id" => fault == Fault::OtherCredential,
            "user-handle" => fault == Fault::UserHandle,
            other => panic!("no expectation for {other}"),
        };
        assert!(right, "{}: {fault:?}", variant.name);
    }
}

/// In frames: where a relying party expects them, the top-level origin still has to be one of its own list.
#[test]
fn an_expected_frame_must_be_in_an_expected_page() {
    let framed = Deviations {
        cross_origin: true,
        top_origin: Some("https://shop.example".to_owned()),
        ..Deviations::default()
    };
    let made = WrongClient::new(1).create(&creation(), &origin(), b"seed", &framed);
    let within = |tops: &'static [&'static str]| {
        let expected = Expected { frames: Some(tops), ..expected() };
        registration(&made, &expected, &[ES256]).map(drop)
    };
    assert_eq!(within(&["https://shop.example"]), Ok(()));
    assert_eq!(within(&["https://other.example"]), Err(Fault::TopOrigin));
}

/// Section 7.1 steps 17 and 26, section 7.2 steps 5 and 6: what a relying party may expect besides.
#[test]
fn what_a_relying_party_may_expect_besides() {
    let made = WrongClient::new(1).create(&creation(), &origin(), b"seed", &Deviations::default());
    let check = |expected: Expected<'_>| registration(&made, &expected, &[ES256]).map(drop);
    let own: &[&[u8]] = &[&made.raw_id.0];
    assert_eq!(check(Expected { registered: own, ..expected() }), Err(Fault::Registered));
    let eligible = Expected { backup_eligible: Some(true), ..expected() };
    assert_eq!(check(eligible), Err(Fault::BackupPolicy));
    let elsewhere = Expected { origin: "https://a.example", ..expected() };
    assert_eq!(check(elsewhere), Err(Fault::Origin));
    assert_eq!(check(Expected { other_origins: &["https://example.org"], ..elsewhere }), Ok(()));
    let absent = Deviations { flags: Some(Flags::USER_VERIFIED), ..Deviations::default() };
    let absent = WrongClient::new(1).create(&creation(), &origin(), b"seed", &absent);
    let conditional = Expected { user_presence: false, ..expected() };
    assert!(registration(&absent, &conditional, &[ES256]).is_ok());

    let record = registration(&made, &expected(), &[ES256]).unwrap().record;
    let options = json!({ "challenge": base64url::encode(CHALLENGE) });
    let options = RequestOptions::from_value(options).unwrap();
    let get = |deviations: &Deviations, expected: Expected<'_>| {
        let signed = WrongClient::new(2).get(&options, &origin(), &record.id, deviations);
        authentication(&signed, &expected, &record).map(drop)
    };
    let right = Deviations::default();
    let others: &[&[u8]] = &[b"another"];
    assert_eq!(get(&right, Expected { allowed: others, ..expected() }), Err(Fault::NotAllowed));
    assert_eq!(get(&right, Expected { allowed: own, ..expected() }), Ok(()));
    let by_response = Expected { user: Some((USER, Identified::ByResponse)), ..expected() };
    assert_eq!(get(&right, by_response), Err(Fault::UserHandle));
    let named = Deviations { user_handle: Some(USER.to_vec()), ..Deviations::default() };
    assert_eq!(get(&named, by_response), Ok(()));

    let by_app_id = Deviations { rp_id: Some("https://example.org/a".into()), ..right };
    let mut signed = WrongClient::new(2).get(&options, &origin(), &record.id, &by_app_id);
    let with = Expected { app_id: Some("https://example.org/a"), ..expected() };
    assert_eq!(authentication(&signed, &with, &record).unwrap_err(), Fault::RpIdHash);
    signed.client_extension_results.app_id = Some(true);
    assert!(authentication(&signed, &with, &record).is_ok());
    assert_eq!(authentication(&signed, &expected(), &record).unwrap_err(), Fault::RpIdHash);
}

/// Section 7.1 step 6: a byte order mark is stripped, and then it must be JSON.
#[test]
fn a_byte_order_mark_does_no_harm() {
    let none = CreationOptions { attestation: Conveyance::None, ..creation() };
    let mut made = WrongClient::new(1).create(&none, &origin(), b"seed", &Deviations::default());
    let json = made.response.client_data_json.0.clone();
    made.response.client_data_json.0 = [b"\xef\xbb\xbf", json.as_slice()].concat();
    assert!(registration(&made, &expected(), &[ES256]).is_ok());
    made.response.client_data_json.0 = [b"\xef\xbb\xbf\xef\xbb\xbf", json.as_slice()].concat();
    assert_eq!(registration(&made, &expected(), &[ES256]), Err(Fault::ClientData));
}
