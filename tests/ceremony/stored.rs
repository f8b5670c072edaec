//! What is stored on a key: counted, listed, renamed, deleted.

use std::collections::VecDeque;

use serde_json::json;
use softkey_authenticator::Config;
use softkey_client::cause::OwnerFault;
use softkey_client::stored::{self, Names, Room, Stored};
use softkey_client::{Cause, CreationOptions, Origin, PinNeed, base64url};
use softkey_ctap::StatusCode;

use crate::world::World;

const PIN: &str = "1234";

impl World {
    /// Registers a discoverable credential of this account at `https://{rp_id}`.
    fn keep(&mut self, rp_id: &str, user: &str) -> String {
        let options = json!({
            "rp": {"id": rp_id, "name": "Example"},
            "user": {"id": base64url::encode(user.as_bytes()), "name": user, "displayName": user.to_uppercase()},
            "challenge": "AAAA",
            "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
            "authenticatorSelection": {"residentKey": "required"},
        });
        let options = CreationOptions::from_json(&options.to_string()).unwrap();
        let origin = Origin::parse(&format!("https://{rp_id}")).unwrap();
        let (reach, entropy) = (self.reach, self.entropy());
        self.person.pins.push_front(PIN);
        self.run(softkey_client::create(options, origin, reach, entropy)).unwrap().id
    }

    fn list(&mut self, rp_id: Option<&str>) -> Result<Vec<Stored>, Cause> {
        let (reach, entropy) = (self.reach, self.entropy());
        self.run(stored::list(rp_id.map(str::to_owned), reach, entropy))
    }

    fn delete(&mut self, id: &str) -> Result<Stored, Cause> {
        let (reach, entropy) = (self.reach, self.entropy());
        self.run(stored::delete(id.to_owned(), reach, entropy))
    }

    fn rename(&mut self, id: &str, names: Names) -> Result<Stored, Cause> {
        let (reach, entropy) = (self.reach, self.entropy());
        self.run(stored::rename(id.to_owned(), names, reach, entropy))
    }

    fn count(&mut self) -> Result<Room, Cause> {
        let (reach, entropy) = (self.reach, self.entropy());
        self.run(stored::count(reach, entropy))
    }
}

/// The identifier as it is typed.
fn name_of(stored: &Stored) -> String {
    base64url::encode(&stored.id)
}

/// A world whose person types the right PIN as often as it is asked for.
fn patient() -> World {
    let mut world = World::with_pin();
    world.person.pins = VecDeque::from([PIN; 20]);
    world
}

/// An empty key has an empty list; each credential is listed with its party, and can be listed by it.
#[test]
fn what_is_stored_is_listed() {
    let mut world = patient();
    assert_eq!(world.list(None), Ok(vec![]));
    let ids = [world.keep("one.example", "ada"), world.keep("two.example", "ada")];
    let third = world.keep("two.example", "bob");
    let all = world.list(None).unwrap();
    assert_eq!(all.len(), 3);
    let ada = all.iter().find(|stored| name_of(stored) == ids[0]).unwrap();
    assert_eq!((ada.party.id.as_str(), ada.user_id.as_slice()), ("one.example", &b"ada"[..]));
    assert_eq!((ada.name.as_deref(), ada.display_name.as_deref()), (Some("ada"), Some("ADA")));
    assert_eq!((ada.algorithm, ada.protection), (Some(-7), Some(1)));
    let two: Vec<_> =
        world.list(Some("two.example")).unwrap().into_iter().map(|it| name_of(&it)).collect();
    assert_eq!(two, [third, ids[1].clone()], "the newest first");
    assert_eq!(world.list(Some("three.example")), Ok(vec![]));
}

/// Deleting leaves the others and makes room.
#[test]
fn the_deleted_one_is_gone() {
    let mut world = patient();
    let (first, second) = (world.keep("one.example", "ada"), world.keep("one.example", "bob"));
    let before = world.count().unwrap();
    assert_eq!(before.stored, 2);
    assert_eq!(world.delete(&first).unwrap().name.as_deref(), Some("ada"));
    let left: Vec<_> = world.list(None).unwrap().into_iter().map(|it| name_of(&it)).collect();
    assert_eq!(left, [second]);
    let after = world.count().unwrap();
    assert_eq!(after, Room { stored: 1, free: before.free + 1 });
    assert_eq!(world.delete(&first), Err(OwnerFault::UnknownCredential.into()));
}

/// A beginning will do if only one identifier begins so; nothing is deleted if several do.
#[test]
fn the_beginning_of_an_identifier_must_fit_one() {
    let mut world = patient();
    for user in ["ada", "bob"] {
        world.keep("one.example", user);
    }
    assert_eq!(world.delete("A"), Err(Cause::SeveralCredentials(2)));
    assert_eq!(world.delete("*"), Err(OwnerFault::UnknownCredential.into()));
    assert_eq!(world.count().unwrap().stored, 2);
    let id = name_of(&world.list(None).unwrap()[0]);
    assert!(world.delete(&id[..12]).is_ok());
}

/// New names replace old ones, what is not named stays, and an empty text removes.
#[test]
fn names_are_changed_one_by_one() {
    let mut world = patient();
    let id = world.keep("one.example", "ada");
    let name = Names { name: Some("countess".into()), display_name: None };
    let told = world.rename(&id, name).unwrap();
    let stored = world.list(None).unwrap().remove(0);
    assert_eq!(told, stored);
    assert_eq!(stored.name.as_deref(), Some("countess"));
    assert_eq!(stored.display_name.as_deref(), Some("ADA"));
    let none = Names { name: None, display_name: Some(String::new()) };
    assert_eq!(world.rename(&id, none).unwrap().display_name, None);
    let stored = world.list(None).unwrap().remove(0);
    assert_eq!((stored.name.as_deref(), stored.display_name), (Some("countess"), None));
}

/// What the key made of long names is told, which is not what was sent: it cuts them, behind the last whole character.
#[test]
fn names_are_told_as_the_key_keeps_them() {
    let mut world = patient();
    let id = world.keep("one.example", "ada");
    world.keep("two.example", "ada");
    let name = Names { name: Some("ä".repeat(40)), display_name: Some("x".repeat(70)) };
    let told = world.rename(&id[..20], name).unwrap();
    assert_eq!(told.name, Some("ä".repeat(32)));
    assert_eq!(told.display_name, Some("x".repeat(64)));
    assert!(world.list(None).unwrap().contains(&told));
}

/// A credential that somebody else deleted meanwhile is unknown, and a key without room for names says that of the names.
#[test]
fn a_refused_change_is_told_by_what_was_to_change() {
    let mut world = patient();
    let id = world.keep("one.example", "ada");
    let name = || Names { name: Some("countess".into()), display_name: None };
    // The requests before this one are those of the list: two with a token, and none between.
    for (status, deleted, renamed) in [
        (0x2E, OwnerFault::UnknownCredential.into(), OwnerFault::UnknownCredential.into()),
        (0x28, Cause::Refused(StatusCode(0x28)), OwnerFault::NamesFull.into()),
        (0x30, Cause::Refused(StatusCode(0x30)), Cause::Refused(StatusCode(0x30))),
    ] {
        let fault = format!("status=credentialManagement:{status:x}@3");
        world.fault(&fault);
        assert_eq!(world.delete(&id), Err(deleted));
        world.fault(&fault);
        assert_eq!(world.rename(&id, name()), Err(renamed));
        assert_eq!(world.list(None).unwrap()[0].name.as_deref(), Some("ada"));
    }
}

/// The PIN is asked for once, and a wrong one says what is left.
#[test]
fn the_pin_is_asked_for_once() {
    let mut world = World::with_pin();
    world.keep("one.example", "ada");
    world.person.asked.clear();
    world.person.pins = [PIN].into();
    assert_eq!(world.list(None).unwrap().len(), 1);
    assert_eq!(world.person.asked, [PinNeed::default()]);
    world.person.pins = ["9999"].into();
    assert_eq!(world.list(None), Err(Cause::PinWrong(Some(7))));
    let mut world = World::with(Config::default());
    assert_eq!(world.list(None), Err(Cause::NoUserVerification), "no PIN is set");
}
