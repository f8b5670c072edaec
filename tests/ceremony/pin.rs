//! User verification: the PIN in all its fates, and built-in verification.

use serde_json::{Value, json};
use softkey_authenticator::{Config, UserVerification};
use softkey_client::cause::PinRule;
use softkey_client::pin::{Pin, Retries, change, retries, set};
use softkey_client::{Cause, DomException, Operation, PinNeed};

use crate::world::{World, authenticated, list, registered};

fn required() -> Value {
    json!({"authenticatorSelection": {"userVerification": "required"}})
}

/// A key that verifies whoever touches it by their finger.
pub(crate) fn fingerprint() -> Config {
    let user_verification =
        UserVerification { modality: 2, max_retries: 5, tries_per_request: 2, enrollment: None };
    Config { user_verification: Some(user_verification), ..Config::default() }
}

impl World {
    fn change_pin(&mut self, old: &str, new: &str) -> Result<(), Cause> {
        let (reach, entropy) = (self.reach, self.entropy());
        self.run(change(Pin::new(old), Pin::new(new), reach, entropy))
    }

    fn set_pin(&mut self, new: &str) -> Result<(), Cause> {
        let (reach, entropy) = (self.reach, self.entropy());
        self.run(set(Pin::new(new), reach, entropy))
    }

    fn retries(&mut self) -> Retries {
        let (reach, entropy) = (self.reach, self.entropy());
        self.run(retries(reach, entropy)).unwrap()
    }
}

/// CP: required verification asks for the PIN once and shows in the flags of both ceremonies.
#[test]
fn a_pin_verifies_the_user() {
    let mut world = World::with_pin();
    world.person.pins = ["1234", "1234"].into();
    let made = world.create(&required()).unwrap();
    let registered = registered(&made, true);
    assert!(registered.user_verified);
    let allow = json!({"userVerification": "required", "allowCredentials": list(&[&made.id])});
    let signed = world.get(&allow).unwrap();
    assert!(authenticated(&signed, &registered.record, true).user_verified);
    assert_eq!(world.person.asked, [PinNeed::default(); 2]);
}

/// Section 5.1.3: verification that is preferred is done where the key can, and not where it cannot.
#[test]
fn preferred_verification_depends_on_the_key() {
    let preferred = json!({"authenticatorSelection": {"userVerification": "preferred"}});
    let made = World::new().create(&preferred).unwrap();
    assert!(!registered(&made, false).user_verified);
    let mut world = World::with_pin();
    world.person.pins = ["1234"].into();
    assert!(registered(&world.create(&preferred).unwrap(), true).user_verified);
}

/// MC-38 and MC-39: a discoverable credential on a key with a PIN needs it though the page does not; others
/// do not.
#[test]
fn a_key_with_a_pin_wants_it_for_discoverable_credentials() {
    let mut world = World::with_pin();
    assert!(world.create(&json!({})).is_ok());
    assert!(world.person.asked.is_empty());
    let resident = json!({"authenticatorSelection":
        {"residentKey": "required", "userVerification": "discouraged"}});
    assert_eq!(world.create(&resident), Err(Cause::PinNotGiven));
    world.person.pins = ["1234"].into();
    assert!(world.create(&resident).is_ok());
}

#[test]
fn required_verification_without_a_pin_is_impossible() {
    let mut world = World::new();
    let cause = world.create(&required()).unwrap_err();
    assert_eq!(cause, Cause::NoUserVerification);
    assert_eq!(cause.exception(Operation::Create), DomException::ConstraintError);
    let cause = world.get(&json!({"userVerification": "required"})).unwrap_err();
    assert_eq!(cause.exception(Operation::Get), DomException::NotAllowedError);
}

/// CP: a wrong PIN is asked for again with what is left; the right one makes the count whole.
#[test]
fn a_wrong_pin_is_asked_for_again() {
    let mut world = World::with_pin();
    world.person.pins = ["0000", "9999", "1234"].into();
    assert!(world.create(&required()).is_ok());
    let wrong = |left| PinNeed { wrong: true, tries_left: Some(left) };
    assert_eq!(world.person.asked, [PinNeed::default(), wrong(7), wrong(6)]);
    assert_eq!(world.retries(), Retries { pin: Some(8), power_cycle: false, uv: None });
}

#[test]
fn whoever_gives_up_after_a_wrong_pin_learns_what_is_left() {
    let mut world = World::with_pin();
    world.person.pins = ["0000"].into();
    assert_eq!(world.create(&required()), Err(Cause::PinWrong(Some(7))));
}

/// CP: three wrong PINs in a row need a power cycle, eight in all a reset.
#[test]
fn wrong_pins_block_first_until_a_power_cycle_then_for_good() {
    let mut world = World::with_pin();
    let three = |world: &mut World| {
        world.person.pins = ["0000"; 3].into();
        world.create(&required()).unwrap_err()
    };
    assert_eq!(three(&mut world), Cause::PinAuthBlocked);
    assert_eq!(world.change_pin("1234", "4321"), Err(Cause::PinAuthBlocked));
    assert_eq!(world.retries(), Retries { pin: Some(5), power_cycle: true, uv: None });
    world.power_cycle();
    assert_eq!(three(&mut world), Cause::PinAuthBlocked);
    world.power_cycle();
    assert_eq!(three(&mut world), Cause::PinBlocked);
    world.power_cycle();
    world.person.pins = ["1234"].into();
    assert_eq!(world.create(&required()), Err(Cause::PinBlocked));

    let (reach, entropy) = (world.reach, world.entropy());
    world.run(softkey_client::manage::reset(reach, entropy)).unwrap();
    assert!(world.create(&json!({})).is_ok());
    assert_eq!(world.set_pin("1234"), Ok(()));
}

/// CP-20: after a change the old PIN is refused and the new one accepted.
#[test]
fn a_changed_pin_replaces_the_old_one() {
    let mut world = World::with_pin();
    assert_eq!(world.change_pin("0000", "4321"), Err(Cause::PinWrong(Some(7))));
    assert_eq!(world.change_pin("1234", "pässwörd"), Ok(()));
    world.person.pins = ["1234", "pa\u{308}sswo\u{308}rd"].into();
    assert!(world.create(&required()).is_ok(), "normal form C of what was typed is the PIN");
    assert_eq!(world.person.asked.len(), 2);
}

#[test]
fn a_pin_that_breaks_a_rule_is_not_sent() {
    let mut world = World::new();
    assert_eq!(world.set_pin("123"), Err(PinRule::TooShort(4).into()));
    assert_eq!(world.set_pin(&"1".repeat(64)), Err(PinRule::TooLong(63).into()));
    assert_eq!(world.change_pin("1234", "4321"), Err(Cause::PinNotSet));
    assert_eq!(world.set_pin("1234"), Ok(()));
    assert_eq!(world.set_pin("1234"), Err(Cause::PinSetAlready));
}

/// Section 16: built-in verification comes before the PIN.
#[test]
fn a_finger_verifies_the_user_without_a_pin() {
    let mut world = World::with(fingerprint());
    let made = world.create(&required()).unwrap();
    assert!(registered(&made, true).user_verified);
    assert!(world.person.asked.is_empty());
    assert_eq!(world.core().fingers, 1);
    assert_eq!(world.retries_without_pin(), Some(5));
}

impl World {
    /// What is left of the fingers, as getUVRetries has it.
    fn retries_without_pin(&mut self) -> Option<u64> {
        self.retries().uv
    }
}

/// Section 16 step 6: a finger that is not recognised gives way to the PIN.
#[test]
fn a_failed_finger_gives_way_to_the_pin() {
    let mut world = World::with(fingerprint());
    world.set_pin("1234").unwrap();
    world.core().finger = false;
    world.person.pins = ["1234"].into();
    let made = world.create(&required()).unwrap();
    assert!(registered(&made, true).user_verified);
    assert!(world.core().fingers >= 1);
    assert_eq!(world.person.asked, [PinNeed::default()]);
}

/// alwaysUv: the key verifies though the page discourages it, and without a PIN nothing works.
#[test]
fn a_key_that_always_verifies_does_so() {
    let mut world = World::with(Config { always_uv: true, ..Config::default() });
    assert_eq!(world.create(&json!({})), Err(Cause::NoUserVerification));
    world.set_pin("1234").unwrap();
    world.person.pins = ["1234", "1234"].into();
    let made = world.create(&json!({})).unwrap();
    assert!(registered(&made, true).user_verified);
    let allow = json!({"allowCredentials": list(&[&made.id])});
    assert!(world.get(&allow).is_ok());
}

/// One PIN entry serves a whole create, its silent look at the exclude list included.
#[test]
fn one_entry_serves_the_lists_too() {
    let mut world = World::with_pin();
    world.person.pins = ["1234"].into();
    let strangers = [[1; 64], [2; 64]].map(|id| softkey_client::base64url::encode(&id));
    let mut options = required();
    options["excludeCredentials"] = list(&[&strangers[0], &strangers[1]]);
    assert!(world.create(&options).is_ok());
    assert_eq!(world.person.asked.len(), 1);
}
