//! The signal methods, heeded by a key that manages its credentials.

use serde_json::json;
use softkey_client::stored::Stored;
use softkey_client::{Cause, Page, Profile, Reach, Sending, SignalOptions};

use crate::world::{ORIGIN, RP_ID, World};

fn world() -> World {
    let mut world = World::with_pin();
    world.person.pins = ["1234"; 20].into();
    world
}

/// Registers a discoverable credential for this user handle, in base64url, and these names.
fn account(world: &mut World, user: &str, name: &str, display: &str) -> String {
    let made = world.create(&json!({
        "user": {"id": user, "name": name, "displayName": display},
        "authenticatorSelection": {"residentKey": "required"},
    }));
    made.unwrap().id
}

fn ada(world: &mut World) -> String {
    account(world, "AQ", "ada", "Ada")
}

fn bob(world: &mut World) -> String {
    account(world, "Ag", "bob", "Bob")
}

fn send(options: Result<SignalOptions, Cause>) -> Sending {
    Page::new(&Profile::new(), ORIGIN).signal(options.unwrap()).unwrap()
}

/// What a key did that heard it.
fn heeded(world: &mut World, sending: &Sending) -> usize {
    let (reach, entropy) = (world.reach, world.entropy());
    world.run(sending.ceremony(reach, entropy)).unwrap().len()
}

/// What the key keeps, by user handle.
fn stored(world: &mut World) -> Vec<Stored> {
    let (reach, entropy) = (world.reach, world.entropy());
    let mut all = world.run(softkey_client::stored::list(None, reach, entropy)).unwrap();
    all.sort_unstable_by_key(|stored| stored.user_id.clone());
    all
}

/// WebAuthn Level 3 section 5.1.10.2: the credential that nobody knows goes, and no other.
#[test]
fn an_unknown_credential_is_deleted() {
    let mut world = world();
    let (ada, _bob) = (ada(&mut world), bob(&mut world));
    let before = stored(&mut world);
    let options = json!({"rpId": RP_ID, "credentialId": ada}).to_string();
    let sending = send(SignalOptions::unknown_credential(&options));
    assert_eq!(heeded(&mut world, &sending), 1);
    assert_eq!(heeded(&mut world, &sending), 0);
    assert_eq!((stored(&mut world), before.len()), (before[1..].to_vec(), 2));
}

/// Section 5.1.10.3: what is not listed for this account goes; other accounts stay.
#[test]
fn a_credential_that_is_no_longer_accepted_is_deleted() {
    let mut world = world();
    let (ada, _bob) = (ada(&mut world), bob(&mut world));
    let mut accepted = json!({"rpId": RP_ID, "userId": "AQ", "allAcceptedCredentialIds": [ada]});
    let sending = send(SignalOptions::all_accepted_credentials(&accepted.to_string()));
    assert_eq!(heeded(&mut world, &sending), 0);
    let before = stored(&mut world);
    accepted["allAcceptedCredentialIds"] = json!([]);
    let sending = send(SignalOptions::all_accepted_credentials(&accepted.to_string()));
    assert_eq!(heeded(&mut world, &sending), 1);
    assert_eq!((stored(&mut world), before.len()), (before[1..].to_vec(), 2));
}

/// Section 5.1.10.4: the names of this account are replaced.
#[test]
fn an_account_gets_its_present_names() {
    let mut world = world();
    let _ = (ada(&mut world), bob(&mut world));
    let mut before = stored(&mut world);
    assert_eq!(before[1].name.as_deref(), Some("bob"));
    let options =
        json!({"rpId": RP_ID, "userId": "Ag", "name": "bea", "displayName": "Bea"}).to_string();
    let sending = send(SignalOptions::current_user_details(&options));
    assert_eq!(heeded(&mut world, &sending), 1);
    let (name, display_name) = (Some("bea".to_owned()), Some("Bea".to_owned()));
    before[1] = Stored { name, display_name, ..before[1].clone() };
    assert_eq!(stored(&mut world), before);
}

/// A key that manages nothing is left as it is.
#[test]
fn a_ctap1_key_cannot_heed() {
    let mut world = world();
    let options = json!({"rpId": RP_ID, "credentialId": "AQ"}).to_string();
    let sending = send(SignalOptions::unknown_credential(&options));
    let (reach, entropy) = (Reach { ctap2: false, u2f: true }, world.entropy());
    assert_eq!(world.run(sending.ceremony(reach, entropy)), Err(Cause::NoSuchCommand));
}
