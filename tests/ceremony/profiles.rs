//! The client against keys that are something else than the default: older generations, U2F alone, little room, no PIN,
//! synced passkeys.

use serde_json::{Value, json};
use softkey::profile::Profile;
use softkey_client::cause::NotWithU2f;
use softkey_client::{Cause, Reach, base64url};

use crate::world::{World, authenticated, list, registered};

fn world(profile: &str) -> World {
    World::with(Profile::find(profile).unwrap().config)
}

fn required() -> Value {
    json!({"authenticatorSelection": {"userVerification": "required"}})
}

/// With every built-in profile a registration and a sign-in with it satisfy the relying party, whatever the client
/// must do for it.
#[test]
fn every_profile_registers_and_signs_in() {
    for profile in Profile::built_in().unwrap() {
        println!("{}", profile.name);
        let mut world = World::with(profile.config);
        let made = world.create(&json!({})).unwrap();
        let registered = registered(&made, false);
        let signed = world.get(&json!({"allowCredentials": list(&[&made.id])})).unwrap();
        authenticated(&signed, &registered.record, false);
        let again = world.create(&json!({"excludeCredentials": list(&[&made.id])}));
        assert_eq!(again, Err(Cause::Excluded), "{}", profile.name);
    }
}

/// With a key of CTAP 2.0 the client gets its tokens by getPinToken and PIN protocol one, for what is required
/// and for what only such a key requires.
#[test]
fn ctap20_is_served_by_the_pin_token() {
    let mut world = world("ctap2.0");
    let bound = world.create(&json!({})).unwrap();
    world.protect();
    world.person.pins = ["1234"; 4].into();
    let made = world.create(&required()).unwrap();
    let registered_ = registered(&made, true);
    let allow = json!({"userVerification": "required", "allowCredentials": list(&[&made.id])});
    authenticated(&world.get(&allow).unwrap(), &registered_.record, true);
    // No more was asked for than a touch, but a key of 2.0 with a PIN makes no credential without it.
    let other =
        world.create(&json!({"user": {"id": "Ag", "name": "b", "displayName": "B"}})).unwrap();
    assert!(registered(&other, false).user_verified);
    assert_eq!(world.person.asked.len(), 3);
    let allow = json!({"allowCredentials": list(&[&bound.id])});
    world.get(&allow).unwrap();
    assert_eq!(world.person.asked.len(), 3, "a sign-in without verification needs none");
}

/// A wrong PIN costs a try with CTAP 2.0 too, and the person is asked again.
#[test]
fn ctap20_asks_again_after_a_wrong_pin() {
    let mut world = world("ctap2.0");
    world.protect();
    world.person.pins = ["4321", "1234"].into();
    assert!(registered(&world.create(&required()).unwrap(), true).user_verified);
    assert_eq!(world.person.asked.len(), 2);
}

/// A key of U2F alone says so in its answer to INIT, and the client speaks CTAP1 with it; what U2F cannot do is
/// refused without a word to the key.
#[test]
fn u2f_key_is_spoken_to_in_ctap1() {
    let mut world = world("u2f");
    assert_eq!(world.reach, Reach { ctap2: false, u2f: true });
    let made = world.create(&json!({})).unwrap();
    assert_eq!(registered(&made, false).aaguid, [0; 16]);
    let resident = json!({"authenticatorSelection": {"residentKey": "required"}});
    for (impossible, why) in
        [(required(), NotWithU2f::UserVerification), (resident, NotWithU2f::DiscoverableCredential)]
    {
        let touches = world.core().touches;
        assert_eq!(world.create(&impossible), Err(Cause::NotWithU2f(why)), "{impossible}");
        assert_eq!(world.core().touches, touches);
    }
}

/// Lists that are too long for a key are cut by the client, and what is behind the cut is found.
#[test]
fn long_lists_are_cut_for_a_tiny_key() {
    let mut world = world("tiny");
    let made = world.create(&json!({})).unwrap();
    let others: Vec<String> = (0..9).map(|n| base64url::encode(&[n; 100])).collect();
    let too_long = base64url::encode(&[9; 200]);
    let mut ids: Vec<&str> = others.iter().map(String::as_str).collect();
    ids.extend([too_long.as_str(), &made.id]);
    let signed = world.get(&json!({"allowCredentials": list(&ids)})).unwrap();
    assert_eq!(signed.id, made.id);
    authenticated(&signed, &registered(&made, false).record, false);
    let again = world.create(&json!({"excludeCredentials": list(&ids)}));
    assert_eq!(again, Err(Cause::Excluded));
    ids.pop();
    world.create(&json!({"excludeCredentials": list(&ids)})).unwrap();
}

/// Verification that is required cannot be had of a key without a PIN; what is preferred is left out.
#[test]
fn key_without_a_pin_verifies_nobody() {
    let mut world = world("no-pin");
    assert_eq!(world.create(&required()), Err(Cause::NoUserVerification));
    assert_eq!(world.core().touches, 0);
    let preferred = json!({"authenticatorSelection": {"userVerification": "preferred", "residentKey": "required"}});
    let made = world.create(&preferred).unwrap();
    assert!(!registered(&made, false).user_verified);
    assert!(world.person.asked.is_empty());
}
