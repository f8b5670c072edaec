//! `IdentityCredential.disconnect()`: each failure in its order, and what is forgotten (fedcm.md sections 2.6 and 5).

use std::time::Duration;

use serde_json::json;
use softkey_client::fedcm::{Connection, DisconnectOptions, Endpoint, Failure, Fault};
use softkey_client::{
    Cause, DomException, Feature, FetchFault, FetchResponse, Frame, Operation, Output, Page,
    Profile,
};

use crate::world::*;

fn options() -> DisconnectOptions {
    DisconnectOptions {
        config_url: CONFIG.into(),
        client_id: "client".into(),
        account_hint: "ada".into(),
    }
}

fn to(config_url: &str) -> DisconnectOptions {
    DisconnectOptions { config_url: config_url.into(), ..options() }
}

fn disconnect(world: &mut World, options: DisconnectOptions) -> Outcome {
    let request = world.page.disconnect_identity(options);
    world.outcome(request)
}

/// Two accounts, 1 and 2, are connected.
fn connected() -> World {
    let mut world = World::new();
    world.connect();
    let one = world.page.profile().connections()[0].clone();
    world.page.profile().connect(Connection { account: "2".into(), ..one });
    world
}

fn accounts(world: &World) -> Vec<String> {
    world.page.profile().connections().into_iter().map(|one| one.account).collect()
}

#[test]
fn the_account_that_is_named_is_disconnected() {
    let mut world = connected();
    assert_eq!(disconnect(&mut world, options()), Ok(None));
    assert_eq!(accounts(&world), ["2"]);
    let sent = world.servers.sent.last().unwrap();
    assert!(sent.headers.contains(&("Origin".into(), RP.into())));
    assert!(sent.headers.contains(&("Sec-Fetch-Dest".into(), "webidentity".into())));
    let lines =
        [format!("GET {WELL_KNOWN}"), format!("GET {CONFIG}"), format!("POST {DISCONNECT}")];
    assert_eq!(world.sent(), lines);
}

/// An account that is not connected stands for all.
#[test]
fn an_unknown_account_disconnects_all() {
    let mut world = connected();
    let foreign = Connection {
        embedder: RP.into(),
        relying_party: RP.into(),
        provider: "https://other.example".into(),
        account: "1".into(),
    };
    world.page.profile().connect(foreign.clone());
    world.route(DISCONNECT, cors(200, &json!({"account_id": "3"})));
    assert_eq!(disconnect(&mut world, options()), Ok(None));
    assert_eq!(world.page.profile().connections(), [foreign]);
}

/// An answer that fails disconnects all, and rejects.
#[test]
fn an_answer_that_fails_disconnects_all() {
    let fails = |answer: Result<FetchResponse, FetchFault>, failure: Failure| {
        let mut world = connected();
        match answer {
            Ok(answer) => world.route(DISCONNECT, answer),
            Err(fault) => world.breaks(DISCONNECT, fault),
        }
        assert_eq!(disconnect(&mut world, options()), network(failure));
        assert!(accounts(&world).is_empty());
    };
    let answer = |fault: Fault| Failure::Answer(Endpoint::Disconnect, fault);
    let body = json!({"account_id": "1"});
    fails(Ok(cors(500, &body)), answer(Fault::Status(500)));
    fails(Ok(json_response(&body)), answer(Fault::AllowOrigin(None)));
    fails(Ok(response(302, &[("Location", "/")], "")), answer(Fault::Redirect));
    fails(Err(FetchFault::Unreachable), answer(Fault::NotFetched(FetchFault::Unreachable)));
    let late = Failure::Late(Endpoint::Disconnect, Duration::from_mins(1));
    fails(Err(FetchFault::TimedOut), late);
    let mut broken = cors(200, &body);
    broken.body = b"no".to_vec();
    fails(Ok(broken), answer(Fault::NotJson));
    let mut star = cors(200, &body);
    star.headers[1].1 = "*".into();
    fails(Ok(star), answer(Fault::AllowOrigin(Some("*".into()))));
    let mut plain = cors(200, &body);
    plain.headers.pop();
    fails(Ok(plain), answer(Fault::AllowCredentials));
    let mut html = cors(200, &body);
    html.headers[0].1 = "text/html".into();
    fails(Ok(html), answer(Fault::MediaType("text/html".into())));
    let shape = "invalid type: integer `7`, expected a string";
    fails(Ok(cors(200, &json!({"account_id": 7}))), answer(Fault::Shape(shape.into())));
}

/// The failures before the first request, each with all later ones beside it.
#[test]
fn the_order_of_failures() {
    let profile = Profile::new();
    let frame = |profile: &Profile| {
        Page::framed(profile, [Frame::new("https://top.example")], Frame::new(RP))
    };
    profile.set(|settings| settings.fed_cm.off = true);
    let mut world = World::of(frame(&profile));
    let policy = Cause::PolicyRefuses(Feature::IdentityCredentialsGet);
    assert_eq!(
        disconnect(&mut world, to("https://")),
        Err((DomException::NotAllowedError, policy))
    );

    let mut world = World::of(Page::new(&profile, RP));
    world.page.set_connect_src([RP]);
    let no_url = Err((DomException::InvalidStateError, Cause::Identity(Failure::NoUrl)));
    assert_eq!(disconnect(&mut world, to("https://")), no_url);
    let insecure = "http://login.idp.example/";
    let refused = network(Failure::ContentSecurityPolicy);
    assert_eq!(disconnect(&mut world, to(insecure)), refused);

    let mut world = World::of(Page::new(&profile, RP));
    assert_eq!(disconnect(&mut world, to(insecure)), network(Failure::NotTrustworthy));
    assert_eq!(disconnect(&mut world, options()), network(Failure::Disabled));
    profile.set(|settings| settings.fed_cm.off = false);
    assert_eq!(disconnect(&mut world, options()), network(Failure::NotConnected));
    assert_eq!(world.sent(), Vec::<String>::new());
}

/// One at a time for each page, whatever provider; the mark falls with the request.
#[test]
fn one_at_a_time() {
    let mut world = connected();
    let mut first = world.page.disconnect_identity(options());
    assert!(matches!(first.poll_output(world.now), Some(Output::Send(_))));
    assert_eq!(disconnect(&mut world, to("http://x.example/")), network(Failure::Disconnecting));
    // The Content Security Policy comes before the pending call, and what it refuses is none.
    world.page.set_connect_src([IDP]);
    let refused = network(Failure::ContentSecurityPolicy);
    assert_eq!(disconnect(&mut world, to("https://x.example/")), refused);
    assert_eq!(disconnect(&mut world, options()), network(Failure::Disconnecting));
    drop(first);
    assert_eq!(disconnect(&mut world, to("https://x.example/")), refused);
    assert_eq!(disconnect(&mut world, options()), Ok(None));
    assert_eq!(disconnect(&mut world, options()), Ok(None));
    assert_eq!(disconnect(&mut world, options()), network(Failure::NotConnected));
}

/// A config file that fails, or has no endpoint that can be used, leaves the connections.
#[test]
fn a_provider_that_cannot_disconnect() {
    for endpoint in [json!(null), json!("https://idp.example/d")] {
        let mut world = connected();
        world.config("disconnect_endpoint", endpoint);
        assert_eq!(disconnect(&mut world, options()), network(Failure::CannotDisconnect));
        assert_eq!(accounts(&world), ["1", "2"]);
    }
    for (url, endpoint) in [(CONFIG, Endpoint::Config), (WELL_KNOWN, Endpoint::WellKnown)] {
        let mut world = connected();
        world.route(url, response(404, &[], ""));
        let failure = Failure::Answer(endpoint, Fault::Status(404));
        assert_eq!(disconnect(&mut world, options()), network(failure));
        world.breaks(url, FetchFault::TimedOut);
        let late = Failure::Late(endpoint, Duration::from_mins(1));
        assert_eq!(disconnect(&mut world, options()), network(late));
        assert_eq!(accounts(&world), ["1", "2"]);
    }
}

#[test]
fn the_argument_is_a_dictionary() {
    let text = json!({"configURL": CONFIG, "clientId": "c"}).to_string();
    let cause = DisconnectOptions::from_json(&text).unwrap_err();
    assert!(matches!(cause, Cause::NotTheDictionary(_)));
    assert_eq!(cause.exception(Operation::Get), DomException::TypeError);
}
