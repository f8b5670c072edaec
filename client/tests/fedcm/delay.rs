//! Which failures are told after a random time and which at once (fedcm.md section 4, "fail later" and "fail now").

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use softkey_client::fedcm::{Failure, LoginStatus, NotAutomatic, Unoffered};
use softkey_client::{
    AbortController, AbortReason, Answer, Cause, CredentialRequestOptions, DomException, Entropy,
};
use softkey_ctap::Secret;

use crate::world::*;

const LONGEST: Duration = Duration::from_mins(2);

/// A world whose owner wants a delay.
fn delaying() -> World {
    let world = World::new();
    let longest = u64::try_from(LONGEST.as_millis()).unwrap();
    world.page.profile().set(|settings| settings.fed_cm.longest_delay = longest);
    world
}

/// How long it took to fail in this way.
fn fails(world: &mut World, options: &Value, failure: &Failure) -> Duration {
    let before = world.now;
    assert_eq!(world.get(options), network(failure.clone()));
    world.now.duration_since(before)
}

fn fails_later(world: &mut World, options: &Value, failure: &Failure) {
    let passed = fails(world, options, failure);
    assert!(!passed.is_zero() && passed <= LONGEST, "{passed:?}: {failure:?}");
}

fn fails_now(world: &mut World, options: &Value, failure: &Failure) {
    assert_eq!(fails(world, options, failure), Duration::ZERO, "{failure:?}");
}

fn with_several(mut options: Value) -> Value {
    let other = json!({"configURL": OTHER, "clientId": "c2"});
    options["identity"]["providers"].as_array_mut().unwrap().push(other);
    options
}

/// Step 4: `silent`, and one account alone would do.
#[test]
fn who_would_have_to_be_asked_is_not_betrayed() {
    let mut world = delaying();
    world.connect();
    world.accounts(&[json!({"id": "1", "name": "Ada", "approved_clients": ["another"]})]);
    fails_later(&mut world, &silent(), &Failure::NeedsUser(NotAutomatic::Eligible(0)));
    assert!(world.asked.is_empty());
}

/// Step 3 for those that send nothing at all, and a pause that browsers make.
#[test]
fn what_is_not_even_asked_for_is_told_later() {
    let mut world = delaying();
    let nothing = Failure::NothingToOffer(vec![(CONFIG.into(), Unoffered::NotConnected)]);
    fails_later(&mut world, &silent(), &nothing);

    world.page.profile().set(|settings| settings.fed_cm.cooldown = true);
    world.person(|_, _| Answer::No);
    fails_now(&mut world, &identity(), &Failure::Dismissed);
    fails_later(&mut world, &identity(), &Failure::CoolingDown);
    assert_eq!(world.asked.len(), 1);
}

/// Steps 1 and 2: what the page did wrong itself tells it nothing.
#[test]
fn what_the_page_did_wrong_is_told_now() {
    let mut world = delaying();
    let mut none = identity();
    none["identity"]["providers"] = json!([]);
    fails_now(&mut world, &none, &Failure::NoProviders);
    let mut twice = identity();
    twice["identity"]["providers"] = json!([
        {"configURL": CONFIG, "clientId": "client"},
        {"configURL": format!("{IDP}/other.json"), "clientId": "client"},
    ]);
    fails_now(&mut world, &twice, &Failure::SameProvider(IDP.into()));
    fails_now(&mut world, &with_several(active()), &Failure::ActiveWithSeveral(2));
    fails_now(&mut world, &active(), &Failure::NoActivation);
    assert_eq!(world.sent(), Vec::<String>::new());
}

/// Steps 2 and 5: the page's user saw a dialog and closed it, with an account in it or with a login.
#[test]
fn what_the_user_saw_is_told_now() {
    let mut world = delaying();
    world.page.profile().set_login_status(IDP, LoginStatus::LoggedOut);
    world.page.activate();
    world.person(|_, _| Answer::No);
    fails_now(&mut world, &active(), &Failure::NotSignedIn);
    assert_eq!(world.asked.len(), 1);

    world.page.profile().set_login_status(IDP, LoginStatus::LoggedIn);
    fails_now(&mut world, &identity(), &Failure::Dismissed);
    assert_eq!(world.asked.len(), 2);
}

/// An abort need not wait for the delay to end.
#[test]
fn an_abort_ends_the_delay() {
    let mut world = delaying();
    world.accounts(&[]);
    let controller = AbortController::new();
    let mut options = CredentialRequestOptions::from_json(&identity().to_string()).unwrap();
    options.signal = Some(controller.signal());
    let entropy = Entropy::from_seed(&Secret::new([7; 32]));
    let before = world.now;
    let request = world.page.credentials().get(before, options, entropy);
    let mut request = Stepped::new(request);
    request.until_quiet(&mut world);
    controller.abort();
    let expected = Err((DomException::AbortError, Cause::Aborted(AbortReason::Abort)));
    assert_eq!(request.finish(&mut world), expected);
    assert_eq!(world.now, before);
}

/// Section 4, "fail later": after a random time, which a page cannot subtract.
#[test]
fn the_delay_is_random() {
    let passed = |seed: u8| {
        let mut world = delaying();
        world.accounts(&[]);
        let options = CredentialRequestOptions::from_json(&identity().to_string()).unwrap();
        let (before, entropy) = (world.now, Entropy::from_seed(&Secret::new([seed; 32])));
        let request = world.page.credentials().get(before, options, entropy);
        assert!(matches!(world.outcome(request), Err((DomException::NetworkError, _))));
        world.now.duration_since(before)
    };
    let delays: BTreeSet<_> = (0..8).map(passed).collect();
    assert!(delays.len() > 1 && delays.iter().all(|delay| *delay <= LONGEST), "{delays:?}");
}
