//! Registration and sign-in as the relying party sees them.

use serde_json::json;
use softkey_authenticator::AAGUID;
use softkey_client::verify::Attestation;
use softkey_client::{Cause, DomException, Operation, base64url};

use crate::world::{World, authenticated, list, registered};

/// WebAuthn Level 3 sections 7.1 and 7.2, for each algorithm that is checked.
fn registers_and_signs_in(alg: i64) {
    let mut world = World::new();
    let only = json!({"pubKeyCredParams": [{"type": "public-key", "alg": alg}]});
    let made = world.create(&only).unwrap();
    let registered = registered(&made, false);
    assert_eq!(registered.attestation, Attestation::Certificate);
    assert_eq!(registered.aaguid, AAGUID);
    assert!(!registered.user_verified);
    assert_eq!(made.response.transports, ["usb"]);
    assert_eq!(made.response.public_key_algorithm, alg);

    let allow = json!({"allowCredentials": list(&[&made.id])});
    let first = world.get(&allow).unwrap();
    let first = authenticated(&first, &registered.record, false);
    let second = world.get(&allow).unwrap();
    let second = authenticated(&second, &first.record, false);
    assert!(second.record.sign_count > first.record.sign_count, "the counter grows");
    assert_eq!(world.core().touches, 3);
}

#[test]
fn es256_registers_and_signs_in() {
    registers_and_signs_in(-7);
}

#[test]
fn eddsa_registers_and_signs_in() {
    registers_and_signs_in(-8);
}

#[test]
fn es384_registers_and_signs_in() {
    registers_and_signs_in(-35);
}

#[test]
fn es512_registers_and_signs_in() {
    registers_and_signs_in(-36);
}

#[test]
fn es256k_registers_and_signs_in() {
    registers_and_signs_in(-47);
}

#[test]
fn a_fully_specified_algorithm_registers_and_signs_in() {
    registers_and_signs_in(-52);
}

#[test]
fn the_first_algorithm_that_the_key_has_is_used() {
    let parameters = json!([
        {"type": "public-key", "alg": -257}, {"type": "public-key", "alg": -8},
        {"type": "public-key", "alg": -7}]);
    let made = World::new().create(&json!({"pubKeyCredParams": parameters})).unwrap();
    assert_eq!(made.response.public_key_algorithm, -8);
}

/// WebAuthn Level 3 section 5.1.3 step 14, and `attestationFormatsPreference` of CTAP 2.2.
#[test]
fn no_attestation_is_what_a_page_gets_unless_it_asks() {
    let made = World::new().create(&json!({"attestation": "none"})).unwrap();
    assert_eq!(registered(&made, false).attestation, Attestation::None);
    assert_eq!(registered(&made, false).aaguid, AAGUID);
}

/// MC: an excluded credential is told after a touch; it is found in a list longer than the key takes.
#[test]
fn an_excluded_credential_is_found_in_a_long_list() {
    let mut world = World::new();
    let made = world.create(&json!({})).unwrap();
    let mut ids: Vec<_> = (0..40_u8).map(|n| base64url::encode(&[n; 64])).collect();
    ids.push(made.id);
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    let cause = world.create(&json!({"excludeCredentials": list(&ids)})).unwrap_err();
    assert_eq!(cause, Cause::Excluded);
    assert_eq!(cause.exception(Operation::Create), DomException::InvalidStateError);
    assert_eq!(world.core().touches, 2, "one for each create");
}

#[test]
fn strangers_in_the_exclude_list_do_no_harm() {
    let ids = [base64url::encode(&[1; 64]), base64url::encode(&[2; 64])];
    let made = World::new().create(&json!({"excludeCredentials": list(&[&ids[0], &ids[1]])}));
    assert!(made.is_ok());
}

/// GA: of a list longer than the key takes the one credential is used that it has.
#[test]
fn the_allowed_credential_is_found_in_a_long_list() {
    let mut world = World::new();
    let made = world.create(&json!({})).unwrap();
    let mut ids: Vec<_> = (0..40_u8).map(|n| base64url::encode(&[n; 64])).collect();
    ids.insert(33, made.id.clone());
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    let signed = world.get(&json!({"allowCredentials": list(&ids)})).unwrap();
    authenticated(&signed, &registered(&made, false).record, false);
    assert_eq!(signed.id, made.id);
}

#[test]
fn a_credential_of_another_relying_party_is_not_there() {
    let mut world = World::new();
    let made = world.create(&json!({})).unwrap();
    let foreign = world.get(&json!({"allowCredentials": list(&[&made.id]), "rpId": "example.com"}));
    assert_eq!(foreign, Err(Cause::RpIdMismatch));
    let stranger = base64url::encode(&[1; 64]);
    let cause = world.get(&json!({"allowCredentials": list(&[&stranger])})).unwrap_err();
    assert_eq!(cause, Cause::NoCredentials);
    assert_eq!(cause.exception(Operation::Get), DomException::NotAllowedError);
}

#[test]
fn an_algorithm_that_the_key_lacks_is_named() {
    let unknown = json!({"pubKeyCredParams": [{"type": "public-key", "alg": -65000}]});
    let cause = World::new().create(&unknown).unwrap_err();
    assert_eq!(cause.exception(Operation::Create), DomException::NotSupportedError);
}

#[test]
fn credentials_survive_a_power_cycle_and_die_with_a_reset() {
    let mut world = World::new();
    let resident = json!({"authenticatorSelection":
        {"residentKey": "required", "userVerification": "discouraged"}});
    let kept = world.create(&resident).unwrap();
    world.power_cycle();
    let signed = world.get(&json!({})).unwrap();
    authenticated(&signed, &registered(&kept, false).record, false);

    world.power_cycle();
    let (reach, entropy) = (world.reach, world.entropy());
    world.run(softkey_client::manage::reset(reach, entropy)).unwrap();
    assert_eq!(world.get(&json!({})), Err(Cause::NoCredentials));
    let allow = json!({"allowCredentials": list(&[&kept.id])});
    assert_eq!(world.get(&allow), Err(Cause::NoCredentials));
}
