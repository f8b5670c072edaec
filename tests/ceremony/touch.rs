//! The touch: refused, never given, given up on; and the commands that are nothing but a touch.

use std::time::Duration;

use serde_json::json;
use softkey_client::cause::OwnerFault;
use softkey_client::{Cause, DomException, Operation, manage};
use softkey_ctap::StatusCode;

use crate::world::{Hand, World};

#[test]
fn a_refusal_is_not_allowed() {
    let mut world = World::new();
    world.core().hand = Hand::Refuses;
    let cause = world.create(&json!({})).unwrap_err();
    assert_eq!(cause, Cause::Refused(StatusCode::OPERATION_DENIED));
    assert_eq!(cause.exception(Operation::Create), DomException::NotAllowedError);
}

/// The key waits for thirty seconds, and says all along that it does.
#[test]
fn nobody_touches() {
    let mut world = World::new();
    world.core().hand = Hand::StaysAway;
    let begun = world.now();
    let cause = world.create(&json!({})).unwrap_err();
    assert_eq!(cause, Cause::Refused(StatusCode::USER_ACTION_TIMEOUT));
    assert_eq!(world.now().duration_since(begun).as_secs(), 30);
    assert!(world.person.waits >= 300, "{} keepalives", world.person.waits);
}

/// Giving up sends CANCEL, and the key makes nothing.
#[test]
fn the_person_gives_up() {
    let mut world = World::new();
    world.core().hand = Hand::StaysAway;
    world.person.patience = Some(5);
    let resident = json!({"authenticatorSelection":
        {"residentKey": "required", "userVerification": "discouraged"}});
    let begun = world.now();
    let cause = world.create(&resident).unwrap_err();
    assert_eq!(cause, Cause::Refused(StatusCode::KEEPALIVE_CANCEL));
    assert!(world.now().duration_since(begun) < Duration::from_secs(2));
    world.core().hand = Hand::Touches;
    world.person.patience = None;
    assert_eq!(world.get(&json!({})), Err(Cause::NoCredentials));
}

/// SE-01 to SE-03.
#[test]
fn a_selection_is_a_touch() {
    let mut world = World::new();
    let (reach, entropy) = (world.reach, world.entropy());
    assert_eq!(world.run(manage::select(reach, entropy)), Ok(()));
    world.core().hand = Hand::Refuses;
    let entropy = world.entropy();
    let refused = world.run(manage::select(reach, entropy));
    assert_eq!(refused, Err(Cause::Refused(StatusCode::OPERATION_DENIED)));
    world.core().hand = Hand::StaysAway;
    let (begun, entropy) = (world.now(), world.entropy());
    let missed = world.run(manage::select(reach, entropy));
    assert_eq!(missed, Err(Cause::Refused(StatusCode::USER_ACTION_TIMEOUT)));
    assert_eq!(world.now().duration_since(begun).as_secs(), 30);
}

/// Ten seconds after power-up the window for a reset is closed.
#[test]
fn a_late_reset_is_refused() {
    let mut world = World::new();
    world.advance(Duration::from_millis(10_001));
    let (reach, entropy) = (world.reach, world.entropy());
    let late = world.run(manage::reset(reach, entropy));
    assert_eq!(late, Err(OwnerFault::TooLateForReset.into()));
    world.power_cycle();
    let entropy = world.entropy();
    assert_eq!(world.run(manage::reset(reach, entropy)), Ok(()));
}
