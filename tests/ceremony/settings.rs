//! What the owner sets on a key for good.

use softkey_authenticator::{Config, UserVerification};
use softkey_client::cause::PinRule;
use softkey_client::settings::{Setting, set};
use softkey_client::{Cause, Info};

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
