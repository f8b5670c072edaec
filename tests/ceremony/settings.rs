//! What the owner sets on a key for good.

use softkey_authenticator::{Config, UserVerification};
use softkey_client::cause::{OwnerFault, PinRule};
use softkey_client::settings::{Setting, set};
use softkey_client::{Cause, Info};
use softkey_ctap::StatusCode;

use crate::world::World;

impl World {
    fn set(&mut self, setting: Setting) -> Result<(), Cause> {
        let (reach, entropy) = (self.reach, self.entropy());
        self.run(set(setting, reach, entropy))
    }

    fn info(&mut self) -> Info {
        let (reach, entropy) = (self.reach, self.entropy());
        match self.run(softkey_client::manage::about(reach, entropy)).unwrap() {
            softkey_client::manage::About::Ctap2(info) => *info,
            softkey_client::manage::About::U2f(_) => panic!("a key of CTAP2"),
        }
    }
}

fn at_least(length: u64) -> Setting {
    Setting::MinPinLength { length: Some(length), rp_ids: vec![] }
}

/// CF: without a PIN anybody may configure; with one, its owner.
#[test]
fn a_pin_guards_the_settings() {
    let mut world = World::new();
    world.set(Setting::LongTouchForReset).unwrap();
    assert_eq!(world.info().long_touch_for_reset, Some(true));
    let mut world = World::with_pin();
    assert_eq!(world.set(at_least(6)), Err(Cause::PinNotGiven));
    world.person.pins = ["1234"].into();
    world.set(at_least(6)).unwrap();
    let info = world.info();
    assert_eq!((info.min_pin_length, info.force_pin_change), (6, true), "1234 is too short now");
}

/// A token by built-in user verification may not configure a key without uvAcfg: the owner is asked for the PIN at once,
/// and where there is none the key cannot be configured.
#[test]
fn built_in_verification_does_not_stand_for_the_pin() {
    let user_verification =
        UserVerification { modality: 2, max_retries: 5, tries_per_request: 1, enrollment: None };
    let config = Config { user_verification: Some(user_verification), ..Config::default() };
    let mut world = World::with(config.clone());
    world.protect();
    world.person.pins = ["1234"].into();
    world.set(Setting::LongTouchForReset).unwrap();
    assert_eq!(world.info().long_touch_for_reset, Some(true));
    assert_eq!((world.person.asked.len(), world.core().fingers), (1, 0));
    let mut world = World::with(config);
    assert_eq!(world.set(Setting::LongTouchForReset), Err(Cause::NoUserVerification));
    assert_eq!(world.core().fingers, 0);
}

/// alwaysUv goes on and off, and what is so already asks for nothing.
#[test]
fn always_uv_is_a_state_not_a_switch() {
    let mut world = World::with_pin();
    assert_eq!(world.set(Setting::AlwaysUv(false)), Ok(()));
    assert!(world.person.asked.is_empty());
    for on in [true, false] {
        world.person.pins = ["1234"].into();
        world.set(Setting::AlwaysUv(on)).unwrap();
        assert_eq!(world.info().options.always_uv, Some(on));
    }
}

/// The minimum only rises, and parties that may learn it need an extension that the key has.
#[test]
fn the_minimum_only_rises() {
    let mut world = World::new();
    world.set(at_least(8)).unwrap();
    assert_eq!(world.set(at_least(7)), Err(PinRule::MinimumOnlyRises(8).into()));
    let rp_ids = vec!["example.org".to_owned(), "example.com".to_owned()];
    world.set(Setting::MinPinLength { length: None, rp_ids }).unwrap();
    assert_eq!(world.info().min_pin_length, 8);
}

/// A minimum above what the key takes is another mistake than one below what it has.
#[test]
fn the_minimum_stays_below_the_maximum() {
    let mut world = World::with(Config { max_pin_length: 20, ..Config::default() });
    assert_eq!(world.set(at_least(21)), Err(OwnerFault::MinimumTooHigh(20).into()));
    world.set(at_least(20)).unwrap();
}

/// The list of parties has an end, and that is what its owner is told.
#[test]
fn the_list_of_parties_has_an_end() {
    let mut world = World::with(Config { max_rp_ids: 1, ..Config::default() });
    let rp_ids = vec!["example.org".to_owned(), "example.com".to_owned()];
    let listed = |rp_ids| Setting::MinPinLength { length: Some(4), rp_ids };
    assert_eq!(world.set(listed(rp_ids.clone())), Err(OwnerFault::PartiesFull.into()));
    world.set(listed(rp_ids[..1].to_vec())).unwrap();
}

/// A status means what it does for the setting that was asked for, and nothing where it means nothing.
#[test]
fn a_status_is_told_by_the_setting_that_it_refuses() {
    let of = |status: u8, setting: Setting| {
        let config = Config { pin_complexity_policy: true, always_uv: true, ..Config::default() };
        let mut world = World::with(config);
        world.fault(&format!("status=config:{status:x}"));
        world.set(setting)
    };
    let plain = |status| Err(Cause::Refused(StatusCode(status)));
    let parties = || Setting::MinPinLength { length: None, rp_ids: vec!["example.org".into()] };
    assert_eq!(of(0x37, at_least(3)), Err(PinRule::MinimumOnlyRises(4).into()));
    assert_eq!(of(0x37, at_least(64)), Err(OwnerFault::MinimumTooHigh(63).into()));
    // A key that refuses what is between the two has a rule of its own, and other settings set no minimum.
    assert_eq!(of(0x37, at_least(8)), plain(0x37));
    assert_eq!(of(0x37, parties()), plain(0x37));
    assert_eq!(of(0x37, Setting::PinComplexityPolicy), plain(0x37));
    assert_eq!(of(0x37, Setting::ForceChangePin), plain(0x37));
    assert_eq!(of(0x28, parties()), Err(OwnerFault::PartiesFull.into()));
    assert_eq!(of(0x28, at_least(8)), plain(0x28));
    assert_eq!(of(0x28, Setting::LongTouchForReset), plain(0x28));
    assert_eq!(of(0x27, Setting::AlwaysUv(false)), Err(OwnerFault::AlwaysUvStays.into()));
    assert_eq!(of(0x27, Setting::LongTouchForReset), plain(0x27));
    assert_eq!(of(0x35, Setting::ForceChangePin), Err(Cause::PinNotSet));
}

/// CF-11. A key that can hold new PINs to more than their length is told so by its owner; no other key is asked.
#[test]
fn new_pins_are_held_to_more_than_their_length() {
    let config = Config { pin_complexity_policy: true, ..Config::default() };
    let mut world = World::with(config);
    assert_eq!(world.info().pin_complexity_policy, Some(false));
    world.set(Setting::PinComplexityPolicy).unwrap();
    assert_eq!(world.info().pin_complexity_policy, Some(true));
    let mut world = World::with_pin();
    assert_eq!(world.info().pin_complexity_policy, None);
    assert_eq!(world.set(Setting::PinComplexityPolicy), Err(Cause::NoSuchCommand));
    assert!(world.person.asked.is_empty());
}

/// A PIN that must be changed gives no token any more.
#[test]
fn a_change_of_pin_is_forced() {
    let mut world = World::new();
    assert_eq!(world.set(Setting::ForceChangePin), Err(Cause::PinNotSet));
    let mut world = World::with_pin();
    world.person.pins = ["1234", "1234"].into();
    world.set(Setting::ForceChangePin).unwrap();
    assert!(world.info().force_pin_change);
    assert_eq!(world.set(Setting::AlwaysUv(true)), Err(Cause::PinChangeRequired));
}

/// What a key does not have is refused before anybody is asked.
#[test]
fn enterprise_attestation_is_not_offered_by_default() {
    let mut world = World::with_pin();
    assert_eq!(world.set(Setting::EnterpriseAttestation), Err(Cause::NoSuchCommand));
    assert!(world.person.asked.is_empty());
}
