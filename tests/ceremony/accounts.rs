//! Discoverable credentials and several accounts of one relying party.

use serde_json::{Value, json};
use softkey_client::Cause;

use crate::world::{World, authenticated, registered};

fn account(id: &str, name: &str) -> Value {
    json!({
        "user": {"id": id, "name": name, "displayName": ""},
        "authenticatorSelection": {"residentKey": "required", "userVerification": "preferred"},
        "extensions": {"credProps": true},
    })
}

/// GN: all accounts are offered, the newest first, with names because the user was verified.
#[test]
fn the_user_chooses_among_accounts_newest_first() {
    let mut world = World::with_pin();
    world.person.pins = ["1234"; 4].into();
    let ada = world.create(&account("AQ", "ada")).unwrap();
    assert!(ada.client_extension_results.cred_props.unwrap().rk);
    world.create(&account("Ag", "bea")).unwrap();
    world.create(&account("Aw", "cleo")).unwrap();

    world.person.choice = Some(2);
    let signed = world.get(&json!({"userVerification": "preferred"})).unwrap();
    let names: Vec<_> = world.person.seen.iter().map(|seen| seen.name.clone().unwrap()).collect();
    assert_eq!(names, ["cleo", "bea", "ada"]);
    assert_eq!(signed.response.user_handle.as_ref().unwrap().0, [1]);
    assert_eq!(signed.id, ada.id);
    let verified = authenticated(&signed, &registered(&ada, true).record, true);
    assert!(verified.user_verified);
}

/// Without verification the key tells no names, and the choice is by user handle.
#[test]
fn without_verification_names_stay_on_the_key() {
    let mut world = World::new();
    world.create(&account("AQ", "ada")).unwrap();
    world.create(&account("Ag", "bea")).unwrap();
    world.person.choice = Some(0);
    let signed = world.get(&json!({})).unwrap();
    assert!(world.person.seen.iter().all(|seen| seen.name.is_none()));
    assert_eq!(signed.response.user_handle.unwrap().0, [2]);
}

#[test]
fn whoever_chooses_nothing_gives_up() {
    let mut world = World::new();
    world.create(&account("AQ", "ada")).unwrap();
    world.create(&account("Ag", "bea")).unwrap();
    assert_eq!(world.get(&json!({})), Err(Cause::Cancelled));
}

/// MC-58: the same account replaces the credential.
#[test]
fn the_same_account_has_one_credential() {
    let mut world = World::new();
    let old = world.create(&account("AQ", "ada")).unwrap();
    let new = world.create(&account("AQ", "ada")).unwrap();
    assert_ne!(old.id, new.id);
    let signed = world.get(&json!({})).unwrap();
    assert_eq!(signed.id, new.id);
    assert!(world.person.seen.is_empty(), "nothing was to choose");
}

/// A credential that is not discoverable is found by its identifier only.
#[test]
fn a_credential_that_is_not_discoverable_is_not_discovered() {
    let mut world = World::new();
    world.create(&json!({})).unwrap();
    assert_eq!(world.get(&json!({})), Err(Cause::NoCredentials));
}
