//! What keeps a call out before any provider is looked at: the dictionary, and the container's rules (fedcm.md sections 1.1
//! and 1.2).

use serde_json::{Value, json};
use softkey_client::fedcm::Failure;
use softkey_client::headless::settle;
use softkey_client::{
    Cause, CredentialCreationOptions, CredentialRequestOptions, CredentialType, DomException,
    Entropy, Feature, Frame, Operation, Page, Profile, Request,
};
use softkey_ctap::Secret;

use crate::world::*;

/// Section 1.2: required members, their types, enumerations.
#[test]
fn what_is_no_such_dictionary_is_a_type_error() {
    let provider = json!({"configURL": CONFIG, "clientId": "c"});
    let cases = [
        json!(null),
        json!(7),
        json!({}),
        json!({"providers": null}),
        json!({"providers": [{}]}),
        json!({"providers": [{"configURL": CONFIG}]}),
        json!({"providers": [{"clientId": "c"}]}),
        json!({"providers": [provider], "mode": "loud"}),
        json!({"providers": [provider], "context": "leave"}),
        json!({"providers": [{"configURL": CONFIG, "clientId": "c", "fields": "name"}]}),
        json!({"configURL": CONFIG, "clientId": "c"}),
    ];
    for case in cases {
        let text = json!({"identity": case}).to_string();
        let cause = CredentialRequestOptions::from_json(&text).unwrap_err();
        assert!(matches!(cause, Cause::NotTheDictionary(_)), "{text}");
        assert_eq!(cause.exception(Operation::Get), DomException::TypeError, "{text}");
    }
}

/// Section 1.1: no create and no store.
#[test]
fn an_identity_is_neither_made_nor_stored() {
    let mut world = World::new();
    let credential = {
        let request = world.begin(&identity());
        settle(request, &mut world).into_result().unwrap().unwrap()
    };
    let refused = |request: Request, world: &mut World| world.outcome(request);
    let request = world.page.credentials().store(credential);
    let cause = Cause::CannotStore(CredentialType::Identity);
    assert_eq!(refused(request, &mut world), Err((DomException::NotSupportedError, cause)));
    let options = identity().to_string();
    let options = CredentialCreationOptions::from_json(&options).unwrap();
    let entropy = Entropy::from_seed(&Secret::new([1; 32]));
    let request = world.page.credentials().create(world.now, options, entropy);
    let expected = Err((DomException::NotSupportedError, Cause::NoType));
    assert_eq!(refused(request, &mut world), expected);
}

/// The container's rules: alone, once at a time, with the policy, not conditionally.
#[test]
fn the_container_lets_it_in() {
    let get = |options: &Value| World::new().get(options);
    let mut options = identity();
    options["otp"] = json!({"transport": ["sms"]});
    let cause = Cause::TypesDoNotMix(CredentialType::Identity, CredentialType::Otp);
    assert_eq!(get(&options), Err((DomException::NotSupportedError, cause)));
    let mut options = identity();
    options["mediation"] = json!("conditional");
    let cause = Cause::NotConditional(CredentialType::Identity);
    assert_eq!(get(&options), Err((DomException::TypeError, cause)));
    options["mediation"] = json!("optional");
    options["uiMode"] = json!("immediate");
    let cause = Cause::NotImmediate(CredentialType::Identity);
    assert_eq!(get(&options), Err((DomException::TypeError, cause)));

    let mut world = World::new();
    let first = world.begin(&identity());
    let cause = Cause::TypeActive(CredentialType::Identity);
    assert_eq!(world.get(&identity()), Err((DomException::NotAllowedError, cause)));
    drop(first);
    assert_eq!(token(world.get(&identity())), "a token");

    let frame = Page::framed(&Profile::new(), [Frame::new("https://top.example")], Frame::new(RP));
    let cause = Cause::PolicyRefuses(Feature::IdentityCredentialsGet);
    let refused = Err((DomException::NotAllowedError, cause));
    assert_eq!(World::of(frame).get(&identity()), refused);
}

/// The failures before the first request, each with all later ones beside it. A click is taken last of all that a page has
/// in its hands: what fails before leaves it for the next call.
#[test]
fn the_order_of_the_first_failures() {
    let mut world = World::new();
    let disabled = |world: &World, off| {
        world.page.profile().set(|settings| settings.fed_cm.off = off);
    };
    let twice = |options: &Value| {
        let mut options = options.clone();
        let providers = options["identity"]["providers"].as_array_mut().unwrap();
        providers.push(providers[0].clone());
        options
    };
    let mut nobody = active();
    nobody["identity"]["providers"] = json!([]);
    disabled(&world, true);
    assert_eq!(world.get(&nobody), network(Failure::NoProviders));
    assert_eq!(world.get(&twice(&active())), network(Failure::Disabled));
    assert_eq!(world.get(&twice(&identity())), network(Failure::Disabled));
    disabled(&world, false);
    assert_eq!(world.get(&twice(&active())), network(Failure::ActiveWithSeveral(2)));
    assert_eq!(world.get(&twice(&identity())), network(Failure::SameProvider(IDP.into())));
    assert_eq!(world.get(&active()), network(Failure::NoActivation));

    world.page.activate();
    disabled(&world, true);
    assert_eq!(world.get(&active()), network(Failure::Disabled));
    disabled(&world, false);
    assert_eq!(world.get(&twice(&active())), network(Failure::ActiveWithSeveral(2)));
    assert_eq!(world.sent(), Vec::<String>::new());
    assert_eq!(token(world.get(&active())), "a token", "the click is still there");
}
