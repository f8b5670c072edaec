//! webauthn-rs as the relying party of every algorithm that it and the key have in common, and of each wrong way: it must
//! refuse them but for those that tests/interop/README.md tells.

mod attestation;

use std::collections::BTreeSet;
use std::time::Duration;

use serde::de::DeserializeOwned;
use softkey::browser::Browser;
use softkey_authenticator::{Algorithm, Algorithms, Config};
use softkey_client::driver::Script;
use softkey_client::wrong::{AUTHENTICATION, Deviations, REGISTRATION, WrongClient};
use softkey_client::{CreationOptions, Origin, Page, Profile, RequestOptions};
use webauthn_rs_core::WebauthnCore;
use webauthn_rs_core::error::WebauthnError;
use webauthn_rs_core::proto::{
    AttestationConveyancePreference, COSEAlgorithm, UserVerificationPolicy,
};
use webauthn_rs_core::proto::{Credential, RegistrationState};

const ORIGIN: &str = "https://login.example.org";

/// The wrong ways that it accepts: see tests/interop/README.md.
const KNOWN_REGISTRATIONS: &[&str] =
    &["credential-type", "long-credential-id", "none-with-statement", "other-id", "registered"];
const KNOWN_SIGN_INS: &[&str] = &["credential-type", "cross-origin", "top-origin", "user-handle"];

fn party() -> WebauthnCore {
    let origin = url::Url::parse(ORIGIN).unwrap();
    let timeout = Duration::from_secs(60);
    WebauthnCore::new_unsafe_experts_only(
        "Example",
        "example.org",
        vec![origin],
        timeout,
        None,
        None,
    )
}

fn creation(
    party: &WebauthnCore,
    algorithm: COSEAlgorithm,
    attestation: AttestationConveyancePreference,
) -> (String, RegistrationState) {
    let builder = party.new_challenge_register_builder(b"ada", "ada", "Ada").unwrap();
    let builder = builder
        .attestation(attestation)
        .user_verification_policy(UserVerificationPolicy::Required)
        .credential_algorithms(vec![algorithm]);
    let (options, state) = party.generate_challenge_register(builder).unwrap();
    (serde_json::to_string(&options).unwrap(), state)
}

/// What this client wrote, as that library reads it.
fn theirs<T: DeserializeOwned>(ours: &impl serde::Serialize) -> Result<T, serde_json::Error> {
    serde_json::to_value(ours).and_then(serde_json::from_value)
}

fn sign_in(
    party: &WebauthnCore,
    credential: &Credential,
    answer: impl FnOnce(&str) -> serde_json::Value,
) -> Result<(), Option<WebauthnError>> {
    let builder = party
        .new_challenge_authenticate_builder(
            vec![credential.clone()],
            Some(UserVerificationPolicy::Required),
        )
        .unwrap();
    let (options, state) = party.generate_challenge_authenticate(builder).unwrap();
    let response = answer(&serde_json::to_string(&options).unwrap());
    let response = serde_json::from_value(response).map_err(|_| None)?;
    party.authenticate_credential(&response, &state).map(drop).map_err(Some)
}

#[test]
fn every_common_algorithm_is_accepted() {
    let algorithms = Algorithms::new(&[Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256]);
    let config = Config { algorithms: algorithms.unwrap(), ..Config::default() };
    let page = Page::new(&Profile::new(), ORIGIN);
    let mut browser = Browser::with(page, config, Script::new()).unwrap();
    browser.set_pin("1234").unwrap();
    let party = party();
    // ES384 and ES512 it registers, and then has no check for their signatures at sign-in.
    for algorithm in [COSEAlgorithm::ES256, COSEAlgorithm::EDDSA, COSEAlgorithm::RS256] {
        for attestation in
            [AttestationConveyancePreference::None, AttestationConveyancePreference::Direct]
        {
            let (options, state) = creation(&party, algorithm, attestation.clone());
            let made = browser.create(&options).unwrap();
            let made = theirs(&made).unwrap();
            let credential = party.register_credential(&made, &state, None).unwrap();
            let signed = sign_in(&party, &credential, |options| {
                serde_json::to_value(browser.get(options).unwrap()).unwrap()
            });
            assert!(signed.is_ok(), "{algorithm:?}: {signed:?}");
            println!("webauthn-rs accepts {algorithm:?} with {attestation:?}");
        }
    }
}

/// Registers with the wrong client.
fn register(party: &WebauthnCore, way: &str, deviations: &Deviations) -> Option<Credential> {
    let algorithm = if way == "algorithm" { COSEAlgorithm::ES384 } else { COSEAlgorithm::ES256 };
    let (options, state) = creation(party, algorithm, AttestationConveyancePreference::Direct);
    let options = CreationOptions::from_json(&options).unwrap();
    let origin = Origin::parse(ORIGIN).unwrap();
    let made = WrongClient::new(1).create(&options, &origin, way.as_bytes(), deviations);
    party.register_credential(&theirs(&made).ok()?, &state, None).ok()
}

#[test]
fn wrong_ways_are_refused_but_for_the_known_ones() {
    let party = party();
    let mut accepted = BTreeSet::new();
    for variant in REGISTRATION {
        if variant.name == "registered" {
            // Somebody has it then.
            assert!(register(&party, variant.name, &variant.deviations()).is_some());
        }
        let refused = register(&party, variant.name, &variant.deviations()).is_none();
        let verdict = if refused { "refused" } else { "ACCEPTED" };
        println!("webauthn-rs registration: {}: {verdict}", variant.name);
        accepted.extend((!refused).then_some(variant.name));
    }
    let credential = register(&party, "nothing", &Deviations::default()).unwrap();
    let mut signed_in = BTreeSet::new();
    let mut try_sign_in = |name, deviations: &Deviations| {
        let result = sign_in(&party, &credential, |options| {
            let options = RequestOptions::from_json(options).unwrap();
            let origin = Origin::parse(ORIGIN).unwrap();
            let id = options.allow[0].id.clone();
            let signed = WrongClient::new(2).get(&options, &origin, &id, deviations);
            serde_json::to_value(signed).unwrap()
        });
        let verdict = if result.is_err() { "refused" } else { "ACCEPTED" };
        println!("webauthn-rs sign-in: {name}: {verdict}");
        signed_in.extend(result.is_ok().then_some(name));
    };
    try_sign_in("nothing", &Deviations::default());
    for variant in AUTHENTICATION {
        try_sign_in(variant.name, &variant.deviations());
    }
    assert!(signed_in.remove("nothing"));
    assert_eq!(accepted, KNOWN_REGISTRATIONS.iter().copied().collect());
    assert_eq!(signed_in, KNOWN_SIGN_INS.iter().copied().collect());
}
