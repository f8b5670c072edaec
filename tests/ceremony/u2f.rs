//! The client with CTAP1 alone, and credentials that cross from one protocol to the other.

use serde_json::json;
use softkey_authenticator::Config;
use softkey_client::manage::{About, about};
use softkey_client::verify::Attestation;
use softkey_client::{Cause, Reach, base64url};
use softkey_ctap::u2f::StatusWord;

use crate::world::{Hand, World, authenticated, list, registered};

const U2F: Reach = Reach { ctap2: false, u2f: true };

fn world() -> World {
    let mut world = World::new();
    world.reach = U2F;
    world
}

/// UF: registration and sign-in by REGISTER and AUTHENTICATE satisfy the relying party.
#[test]
fn a_ctap1_registration_and_sign_in_verify() {
    let mut world = world();
    let made = world.create(&json!({})).unwrap();
    let registered = registered(&made, false);
    assert_eq!(registered.attestation, Attestation::Certificate);
    assert_eq!(registered.aaguid, [0; 16]);
    let allow = json!({"allowCredentials": list(&[&base64url::encode(&[1; 64]), &made.id])});
    let signed = world.get(&allow).unwrap();
    authenticated(&signed, &registered.record, false);
    assert!(world.person.waits >= 2, "the client waited for each touch");
}

/// UF-19: made by CTAP1, used by CTAP2.
#[test]
fn a_ctap1_credential_serves_ctap2() {
    let mut world = world();
    let made = world.create(&json!({})).unwrap();
    world.reach = Reach { ctap2: true, u2f: true };
    let signed = world.get(&json!({"allowCredentials": list(&[&made.id])})).unwrap();
    authenticated(&signed, &registered(&made, false).record, false);
}

/// UF-20: made by CTAP2, used by CTAP1.
#[test]
fn a_ctap2_credential_serves_ctap1() {
    let mut world = World::new();
    let made = world.create(&json!({})).unwrap();
    world.reach = U2F;
    let signed = world.get(&json!({"allowCredentials": list(&[&made.id])})).unwrap();
    authenticated(&signed, &registered(&made, false).record, false);
}

#[test]
fn an_excluded_credential_is_told_after_a_touch() {
    let mut world = world();
    let made = world.create(&json!({})).unwrap();
    let again = world.create(&json!({"excludeCredentials": list(&[&made.id])}));
    assert_eq!(again, Err(Cause::Excluded));
}

#[test]
fn the_time_of_the_page_ends_the_wait_for_a_touch() {
    let mut world = world();
    world.core().hand = Hand::StaysAway;
    let begun = world.now();
    assert_eq!(world.create(&json!({"timeout": 20_000})), Err(Cause::Timeout));
    assert_eq!(world.now().duration_since(begun).as_secs(), 20);
}

#[test]
fn the_person_gives_up() {
    let mut world = world();
    world.core().hand = Hand::StaysAway;
    world.person.patience = Some(3);
    assert_eq!(world.create(&json!({})), Err(Cause::Cancelled));
}

/// A key that always verifies refuses every CTAP1 command.
#[test]
fn a_key_that_always_verifies_refuses() {
    let mut world = World::with(Config { always_uv: true, ..Config::default() });
    world.reach = U2F;
    let refused = Cause::RefusedU2f(StatusWord::COMMAND_NOT_ALLOWED);
    assert_eq!(world.create(&json!({})), Err(refused));
}

#[test]
fn a_ctap1_key_gives_its_version() {
    let mut world = world();
    let entropy = world.entropy();
    assert_eq!(world.run(about(U2F, entropy)), Ok(About::U2f(String::from("U2F_V2"))));
}
