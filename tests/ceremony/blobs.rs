//! Large blobs: kept, read, replaced, deleted, beside other credentials' and within the key's room.

use std::collections::VecDeque;

use softkey_client::blobs::{self, Blobs};
use softkey_client::stored::Stored;
use softkey_client::{Cause, base64url};
use softkey_ctap::cose::algorithm::ES256;
use softkey_ctap::entities::{PUBLIC_KEY, Parameters, RelyingParty, User};
use softkey_ctap::make_credential::{Options, Request};
use softkey_ctap::{Command, cbor};

use crate::world::{RP_ID, World};

impl World {
    /// Registers a discoverable credential with or without a key for large blobs.
    fn make(&mut self, user: u8, with_key: bool) {
        let id = [user];
        let request = Request {
            client_data_hash: [0; 32],
            rp: RelyingParty { id: RP_ID.try_into().unwrap(), name: None },
            user: User { id: id.as_slice().try_into().unwrap(), name: None, display_name: None },
            pub_key_cred_params: vec![Parameters { alg: ES256, kind: PUBLIC_KEY }].into(),
            exclude_list: None,
            extensions: with_key.then(|| cbor::decode(b"\xa1\x6clargeBlobKey\xf5").unwrap()),
            options: Some(Options { rk: Some(true), ..Options::default() }),
            pin_uv_auth_param: None,
            pin_uv_auth_protocol: None,
            enterprise_attestation: None,
            attestation_formats_preference: None,
        };
        let message = [vec![Command::MAKE_CREDENTIAL.0], cbor::encode(&request)].concat();
        assert_eq!(self.send(&message)[0], 0);
    }

    fn blobs(&mut self) -> Blobs {
        let (reach, entropy) = (self.reach, self.entropy());
        self.run(blobs::list(reach, entropy)).unwrap()
    }

    /// The identifier of this user's credential.
    fn id(&mut self, user: u8) -> String {
        let (reach, entropy) = (self.reach, self.entropy());
        let all = self.run(softkey_client::stored::list(None, reach, entropy)).unwrap();
        base64url::encode(&all.iter().find(|stored| stored.user_id == [user]).unwrap().id)
    }

    fn blob(&mut self, user: u8) -> Result<Vec<u8>, Cause> {
        let (id, reach, entropy) = (self.id(user), self.reach, self.entropy());
        self.run(blobs::get(id, reach, entropy))
    }

    fn set_blob(&mut self, user: u8, data: &[u8]) -> Result<Stored, Cause> {
        let (id, reach, entropy) = (self.id(user), self.reach, self.entropy());
        self.run(blobs::set(id, data.to_vec(), reach, entropy))
    }

    fn delete_blob(&mut self, user: u8) -> Result<Stored, Cause> {
        let (id, reach, entropy) = (self.id(user), self.reach, self.entropy());
        self.run(blobs::delete(id, reach, entropy))
    }
}

/// Users 1 and 2 can have blobs, user 3 cannot; the person types the PIN as often as it is asked for.
fn world() -> World {
    let mut world = World::new();
    for (user, with_key) in [(1, true), (2, true), (3, false)] {
        world.make(user, with_key);
    }
    world.protect();
    world.person.pins = VecDeque::from(["1234"; 60]);
    world
}

/// LB: each credential has its own, also after a power cycle; a new one replaces the old.
#[test]
fn each_credential_has_its_own_blob() {
    let mut world = world();
    assert_eq!(world.blob(1), Err(Cause::NoLargeBlob));
    world.set_blob(1, b"one").unwrap();
    world.set_blob(2, b"two").unwrap();
    world.set_blob(1, b"another one").unwrap();
    world.power_cycle();
    assert_eq!(world.blob(1).as_deref(), Ok(&b"another one"[..]));
    assert_eq!(world.blob(2).as_deref(), Ok(&b"two"[..]));
    let blobs = world.blobs();
    let lengths: Vec<_> =
        blobs.credentials.iter().map(|(it, length)| (it.user_id[0], *length)).collect();
    assert_eq!(lengths, [(2, Some(3)), (1, Some(11))], "user 3 can have none");
    assert_eq!((blobs.others, blobs.capacity), (0, Some(4096)));
    world.delete_blob(1).unwrap();
    assert_eq!(world.delete_blob(1), Err(Cause::NoLargeBlob));
    assert_eq!(world.blob(2).as_deref(), Ok(&b"two"[..]));
}

/// A credential made without a key for large blobs has none.
#[test]
fn without_its_key_there_is_no_blob() {
    let mut world = world();
    assert_eq!(world.set_blob(3, b"x"), Err(Cause::NoLargeBlobKey));
    assert_eq!(world.blob(3), Err(Cause::NoLargeBlobKey));
    assert_eq!(world.blobs().used, 17);
}

/// LB: what does not fit is refused before anything is written, and the old data stays.
#[test]
fn a_blob_without_room_leaves_the_old_one() {
    let mut world = world();
    world.set_blob(1, b"old").unwrap();
    // Numbers that do not compress.
    let mut state = 1_u32;
    let mut noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    });
    let large: Vec<u8> = noise.by_ref().take(4096).collect();
    assert_eq!(world.set_blob(1, &large), Err(Cause::NoRoomForBlob));
    assert_eq!(world.blob(1).as_deref(), Ok(&b"old"[..]));
    let fits: Vec<u8> = noise.take(3900).collect();
    world.set_blob(1, &fits).unwrap();
    assert_eq!(world.blob(1), Ok(fits));
}

/// An entry whose credential is gone stays until somebody removes it, and is counted.
#[test]
fn entries_of_nobody_are_counted_and_kept() {
    let mut world = world();
    world.set_blob(1, b"one").unwrap();
    let (id, reach, entropy) = (world.id(1), world.reach, world.entropy());
    world.run(softkey_client::stored::delete(id, reach, entropy)).unwrap();
    world.set_blob(2, b"two").unwrap();
    assert_eq!(world.blobs().others, 1);
}
