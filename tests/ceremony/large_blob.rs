//! The extension largeBlob of a page, on keys of both generations: with the array of CTAP 2.1, and with the extension of
//! CTAP 2.3.

use serde_json::{Value, json};
use softkey_authenticator::{Config, LargeBlobs};
use softkey_client::base64url;
use softkey_client::extensions::LargeBlobResults;

use crate::world::{World, list};

const DATA: &[u8] = b"what a relying party keeps, keeps, keeps and keeps with a credential";

fn worlds() -> [World; 2] {
    let extension = Config { large_blobs: LargeBlobs::Extension, ..Config::default() };
    [World::new(), World::with(extension)]
}

fn made(world: &mut World, resident: &str, support: &str) -> (String, LargeBlobResults) {
    let made = world.create(&json!({
        "authenticatorSelection": {"residentKey": resident, "userVerification": "discouraged"},
        "extensions": {"largeBlob": {"support": support}},
    }));
    let made = made.unwrap();
    (made.id, made.client_extension_results.large_blob.unwrap())
}

fn used(world: &mut World, id: &str, inputs: &Value) -> LargeBlobResults {
    let options = json!({"allowCredentials": list(&[id]), "extensions": {"largeBlob": inputs}});
    world.get(&options).unwrap().client_extension_results.large_blob.unwrap()
}

fn write(world: &mut World, id: &str, data: &[u8]) -> bool {
    let results = used(world, id, &json!({"write": base64url::encode(data)}));
    assert_eq!(results.blob, None);
    results.written.unwrap()
}

fn read(world: &mut World, id: &str) -> Option<Vec<u8>> {
    let results = used(world, id, &json!({"read": true}));
    assert_eq!(results.written, None);
    results.blob.map(|blob| blob.0)
}

/// WebAuthn Level 3 section 10.1.5: written, read and replaced, each credential's own.
#[test]
fn data_are_written_read_and_replaced() {
    for mut world in worlds() {
        let (ada, results) = made(&mut world, "required", "required");
        assert_eq!(results.supported, Some(true));
        assert_eq!(read(&mut world, &ada), None);
        assert!(write(&mut world, &ada, DATA));
        assert_eq!(read(&mut world, &ada).as_deref(), Some(DATA));
        assert!(write(&mut world, &ada, b""));
        assert_eq!(read(&mut world, &ada).as_deref(), Some(&b""[..]));
    }
}

/// A key with a PIN lets the array be written with the token of the sign-in itself: one PIN, one touch.
#[test]
fn a_protected_key_asks_once() {
    for mut world in worlds() {
        world.protect();
        world.person.pins = ["1234"; 4].into();
        let (id, _) = made(&mut world, "required", "required");
        let (asked, touches) = (world.person.asked.len(), world.core().touches);
        assert!(write(&mut world, &id, DATA));
        assert!(world.person.asked.len() <= asked + 1);
        assert_eq!(world.core().touches, touches + 1);
        assert_eq!(read(&mut world, &id).as_deref(), Some(DATA));
    }
}

/// Only the extension of CTAP 2.3 serves credentials that are not discoverable.
#[test]
fn the_array_serves_discoverable_credentials_only() {
    let supported = worlds().map(|mut world| {
        let (id, results) = made(&mut world, "discouraged", "preferred");
        let written = write(&mut world, &id, DATA);
        assert_eq!(results.supported, Some(written));
        assert_eq!(read(&mut world, &id).is_some(), written);
        written
    });
    assert!(!supported[0] && supported[1]);
}

/// What the key has no room for is not written, and the sign-in is as good as any.
#[test]
fn data_that_do_not_fit_are_not_written() {
    let [mut world, _] = worlds();
    let (id, _) = made(&mut world, "required", "required");
    assert!(write(&mut world, &id, DATA));
    // A keystream, so that it does not shrink: more than the array has room for.
    let hash = |n: u8| softkey_client::client_data::hash(&[n]);
    let noise: Vec<u8> = (0..150).flat_map(hash).collect();
    assert!(!write(&mut world, &id, &noise));
    assert_eq!(read(&mut world, &id).as_deref(), Some(DATA));
}
