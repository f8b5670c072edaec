//! `IdentityProvider.getUserInfo()`: each failure in its order, and what it gives (fedcm.md section 1.4).

use std::time::Duration;

use serde_json::{Value, json};
use softkey_client::fedcm::{Connection, Endpoint, Failure, Fault, UserInfo, UserInfoOptions};
use softkey_client::{Cause, DomException, Feature, FetchFault, Frame, Operation, Page, Profile};

use crate::world::*;

fn options(config_url: &str) -> UserInfoOptions {
    UserInfoOptions { config_url: config_url.into(), client_id: "client".into() }
}

fn connect(profile: &Profile, embedder: &str) {
    profile.connect(Connection {
        embedder: embedder.into(),
        relying_party: embedder.into(),
        provider: IDP.into(),
        account: "1".into(),
    });
}

/// A frame of the provider's in the page, where an account is connected.
fn framed(profile: &Profile) -> World {
    connect(profile, RP);
    let own = Frame::new(IDP).allow(Feature::IdentityCredentialsGet);
    World::of(Page::framed(profile, [Frame::new(RP)], own))
}

fn ask(world: &mut World, config_url: &str) -> (Outcome, Vec<UserInfo>) {
    let (request, infos) = world.page.identity_user_info(&options(config_url));
    (world.outcome(request), infos.take())
}

#[test]
fn a_frame_of_the_provider_learns_who_is_there() {
    let mut world = framed(&Profile::new());
    let mut account = ada();
    account["given_name"] = json!("A.");
    account["picture"] = json!("/a.png");
    world.accounts(&[account, json!({"id": "2", "tel": "1"})]);
    let (outcome, infos) = ask(&mut world, CONFIG);
    assert_eq!(outcome, Ok(None));
    let expected = json!([
        {"email": "ada@idp.example", "name": "Ada", "givenName": "A.", "picture": "/a.png"},
        {},
    ]);
    assert_eq!(serde_json::to_value(infos).unwrap(), expected);
    assert_eq!(
        world.sent(),
        [format!("GET {WELL_KNOWN}"), format!("GET {CONFIG}"), format!("GET {ACCOUNTS}")]
    );
}

#[test]
fn the_order_of_failures() {
    let profile = Profile::new();
    profile.set(|settings| settings.fed_cm.off = true);
    let outcome = |page: Page, url: &str| ask(&mut World::of(page), url).0;
    let frame = |own: Frame| Page::framed(&profile, [Frame::new(RP)], own);
    let allowed = |origin: &str| Frame::new(origin).allow(Feature::IdentityCredentialsGet);
    let invalid = |failure| Err((DomException::InvalidStateError, Cause::Identity(failure)));

    let policy = Cause::PolicyRefuses(Feature::IdentityCredentialsGet);
    let refused = Err((DomException::NotAllowedError, policy));
    assert_eq!(outcome(frame(Frame::new(IDP)), "https://"), refused);
    assert_eq!(outcome(frame(allowed(IDP)), "https://"), network(Failure::NotConnected));
    connect(&profile, RP);
    assert_eq!(outcome(frame(allowed(IDP)), "https://"), invalid(Failure::NoUrl));
    let other = "https://idp.example/fedcm.json";
    let with_policy = |mut page: Page| {
        page.set_connect_src([RP]);
        page
    };
    let foreign = outcome(with_policy(frame(allowed(IDP))), other);
    assert_eq!(foreign, invalid(Failure::ForeignCaller));
    let refused = outcome(with_policy(frame(allowed(IDP))), CONFIG);
    assert_eq!(refused, network(Failure::ContentSecurityPolicy));
    connect(&profile, IDP);
    let top = Page::new(&profile, IDP);
    assert_eq!(outcome(top, CONFIG), network(Failure::TopLevel));
    assert_eq!(outcome(frame(allowed(IDP)), CONFIG), network(Failure::Disabled));
}

/// The config file and the accounts fail, or no account is eligible.
#[test]
fn answers_that_do_not_help() {
    let fails = |url: &str, answer, failure: Failure| {
        let mut world = framed(&Profile::new());
        world.route(url, answer);
        assert_eq!(ask(&mut world, CONFIG), (network(failure), Vec::new()));
    };
    let status = Fault::Status(401);
    fails(CONFIG, response(401, &[], ""), Failure::Answer(Endpoint::Config, status.clone()));
    fails(ACCOUNTS, response(401, &[], ""), Failure::Answer(Endpoint::Accounts, status));
    fails(
        WELL_KNOWN,
        response(404, &[], ""),
        Failure::Answer(Endpoint::WellKnown, Fault::Status(404)),
    );
    for (url, endpoint) in [(CONFIG, Endpoint::Config), (ACCOUNTS, Endpoint::Accounts)] {
        let mut world = framed(&Profile::new());
        world.breaks(url, FetchFault::TimedOut);
        let late = Failure::Late(endpoint, Duration::from_mins(1));
        assert_eq!(ask(&mut world, CONFIG), (network(late), Vec::new()));
    }
    let accounts = |list: Value| json_response(&json!({"accounts": list}));
    fails(ACCOUNTS, accounts(json!([])), Failure::NoneEligible);
    fails(ACCOUNTS, accounts(json!([{"id": "2", "name": "Bob"}])), Failure::NoneEligible);
    let mut revoked = ada();
    revoked["approved_clients"] = json!(["another"]);
    fails(ACCOUNTS, accounts(json!([revoked])), Failure::NoneEligible);
}

#[test]
fn the_argument_is_a_dictionary() {
    let text = r#"{"configURL": "https://idp.example/"}"#;
    let cause = UserInfoOptions::from_json(text).unwrap_err();
    assert!(matches!(cause, Cause::NotTheDictionary(_)), "{cause:?}");
    assert_eq!(cause.exception(Operation::Get), DomException::TypeError);
    let read =
        UserInfoOptions::from_json(&json!({"configURL": CONFIG, "clientId": "client"}).to_string());
    assert_eq!(read, Ok(options(CONFIG)));
}
