//! RS256, whose keys lie in the store even where the credential is not discoverable.

use softkey_tests::key::{Cut, Profile, Setup};
use softkey_tests::pin::Protocol;
use softkey_tests::platform::permission::CM;
use softkey_tests::request::cm;
use softkey_tests::status::{KEY_STORE_FULL, NO_CREDENTIALS, SUCCESS};
use softkey_tests::{Key, Request};

use super::{ES256, RS256};

/// ALG-12, MC-61: once the room is used up there is no further key to keep, though a credential that needs no room is
/// still made.
#[test]
fn kept_key_needs_room() {
    let mut key = Key::new(Setup { profile: Profile::Tiny, ..RS256.setup() });
    let made = key.make(&RS256.request());
    key.make(&ES256.request().discoverable());
    assert_eq!(key.info().0.get(0x14).uint(), 0);
    assert_eq!(key.status(&RS256.request()), KEY_STORE_FULL);
    key.make(&ES256.request());
    key.assertion_by(&made, &made.get());
}

/// ALG-12: the identifier tells nobody where the key lies; nothing lists it, and it takes room.
#[test]
fn kept_key_shows_in_the_room_only() {
    let mut key = Key::new(RS256.setup());
    let room = key.info().0.get(0x14).uint();
    let made = key.make(&RS256.request());
    let others =
        [ES256.request(), ES256.request().discoverable()].map(|request| key.make(&request));
    assert!(others.iter().all(|other| other.id().len() == made.id().len()));
    assert_eq!(key.info().0.get(0x14).uint(), room - 2, "one kept, one discoverable");
    key.set_pin("1234");
    let token = key.token(Protocol::Two, "1234", CM, None).unwrap();
    let metadata = Request::credential_management(cm::GET_CREDS_METADATA).managed(&token);
    assert_eq!(key.ok(&metadata).get(1).uint(), 1);
    assert_eq!(
        key.status(&Request::get_assertion("example.org").listing(&[made.id()])),
        NO_CREDENTIALS
    );
}

/// ALG-13, ST-01: a registration is whole or absent when the power goes, and without room there is none.
#[test]
fn kept_key_is_whole_or_absent() {
    let mut key = Key::new(RS256.setup());
    let old = key.make(&RS256.request());
    key.memory().full(true);
    assert_eq!(key.status(&RS256.request()), KEY_STORE_FULL);
    key.memory().full(false);
    for (cut, lost) in [(Cut::Before(0), true), (Cut::After(0), false)] {
        let room = key.info().0.get(0x14).uint();
        key.memory().cut_power(cut);
        key.send(&RS256.request().bytes());
        assert!(key.memory().is_dead(), "a registration writes");
        key.power_cycle();
        assert_eq!(key.info().0.get(0x14).uint(), room - u64::from(!lost));
        key.assertion_by(&old, &old.get());
    }
    assert_eq!(key.status(&RS256.request()), SUCCESS);
}
