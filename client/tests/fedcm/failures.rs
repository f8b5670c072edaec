//! Every way in which get fails: what the page sees and the cause beside it (fedcm.md sections 1.2, 1.3, 2, 4 and 6).

use std::time::Duration;

use serde_json::{Value, json};
use softkey_client::fedcm::{AssertionError, Endpoint, Failure, Fault, LoginStatus, Unoffered};
use softkey_client::{
    Cause, CredentialRequestOptions, CredentialType, DomException, Feature, Fetch, FetchFault,
    FetchResponse, Frame, Page, Question, Rejection,
};

use crate::world::*;

const LIMIT: Duration = Duration::from_mins(1);

fn nothing(why: Unoffered) -> Outcome {
    network(Failure::NothingToOffer(vec![(CONFIG.into(), why)]))
}

/// The outcome when the answer of one endpoint is this.
fn when(url: &str, answer: FetchResponse) -> Outcome {
    let mut world = World::new();
    world.route(url, answer);
    world.get(&identity())
}

fn unusable(endpoint: Endpoint, fault: Fault) -> Outcome {
    nothing(Unoffered::Answer(endpoint, fault))
}

/// Section 4: an empty list.
#[test]
fn no_provider() {
    let options = json!({"identity": {"providers": []}});
    assert_eq!(World::new().get(&options), network(Failure::NoProviders));
}

/// Section 4 step 1: active with several providers, or without a click.
#[test]
fn active_needs_one_provider_and_a_click() {
    let mut world = World::new();
    assert_eq!(world.get(&active()), network(Failure::NoActivation));
    world.page.activate();
    assert_eq!(token(world.get(&active())), "a token");
    assert_eq!(world.get(&active()), network(Failure::NoActivation), "a click is for one call");
    let mut options = active();
    let other = json!({"configURL": "https://other.example/", "clientId": "c"});
    options["identity"]["providers"].as_array_mut().unwrap().push(other);
    world.page.activate();
    assert_eq!(world.get(&options), network(Failure::ActiveWithSeveral(2)));
}

/// Section 4 step 1: an active request takes the place of a passive one in the same tab, and in no other.
#[test]
fn active_takes_the_place_of_passive() {
    let mut world = World::new();
    let profile = world.page.profile().clone();
    let own = || Frame::new("https://login.idp.example").allow(Feature::IdentityCredentialsGet);
    let mut frame = Page::framed(&profile, [Frame::new(RP)], own());
    let passive = world.begin(&identity());
    let begin = |frame: &mut Page| {
        frame.activate();
        let options = CredentialRequestOptions::from_json(&active().to_string()).unwrap();
        let entropy = softkey_client::Entropy::from_seed(&softkey_ctap::Secret::new([1; 32]));
        frame.credentials().get(softkey_ctap::Instant::default(), options, entropy)
    };
    drop(begin(&mut frame));
    assert!(!passive.is_settled());
    frame.join_tab(&world.page);
    drop(begin(&mut frame));
    assert_eq!(world.outcome(passive), network(Failure::Superseded));
    assert_eq!(token(world.get(&identity())), "a token");

    // Also with the token on its way.
    let mut world = World::new();
    world.page.join_tab(&frame);
    let mut passive = Stepped::new(world.begin(&identity()));
    passive.until_asked(&mut world);
    passive.answer(&world, choice(0));
    let sent = passive.until_sent(&world);
    drop(begin(&mut frame));
    let answer = world.servers.fetch(&sent);
    passive.respond(&world, answer);
    assert_eq!(passive.finish(&mut world), network(Failure::Superseded));
    assert!(world.page.profile().connections().is_empty());
}

/// Section 4 step 2: two providers of one origin fail the call at once, before anything is sent.
#[test]
fn two_providers_of_one_origin() {
    let mut options = identity();
    let other = json!({"configURL": "https://login.idp.example/other.json", "clientId": "c"});
    options["identity"]["providers"].as_array_mut().unwrap().push(other);
    let mut world = World::new();
    assert_eq!(world.get(&options), network(Failure::SameProvider(IDP.into())));
    assert_eq!(world.sent(), Vec::<String>::new());
}

/// The user's switch, everywhere and for one site.
#[test]
fn fedcm_is_off() {
    let mut world = World::new();
    world.page.profile().set(|settings| settings.fed_cm.off = true);
    assert_eq!(world.get(&identity()), network(Failure::Disabled));
    let typed = "https://RP.example:443/";
    for (origin, off) in [(RP, true), (typed, true), ("https://other.example", false)] {
        let mut world = World::new();
        world.page.profile().set(|settings| {
            settings.fed_cm.off_for.insert(origin.into());
        });
        assert_eq!(world.get(&identity()) == network(Failure::Disabled), off, "{origin}");
    }
}

/// A client without the interface passes the member over.
#[test]
fn the_interface_may_be_absent() {
    let mut world = World::new();
    world.page.profile().set(|settings| {
        settings.absent.insert(CredentialType::Identity);
    });
    assert_eq!(world.get(&identity()), Err((DomException::NotSupportedError, Cause::NoType)));
}

/// Section 6, before anything is sent.
#[test]
fn a_config_url_that_cannot_be_asked() {
    let of = |url: &str| {
        let outcome = World::new().get(&with(&json!({"configURL": url})));
        match outcome {
            Err((DomException::NetworkError, Cause::Identity(Failure::NothingToOffer(why)))) => {
                why[0].1.clone()
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(of("https://"), Unoffered::NoUrl);
    let untrusted = Unoffered::Answer(Endpoint::Config, Fault::NotTrustworthy("configURL"));
    assert_eq!(of("http://login.idp.example/fedcm.json"), untrusted);
    let mut world = World::new();
    world.page.set_connect_src([RP]);
    assert_eq!(world.get(&identity()), nothing(Unoffered::ContentSecurityPolicy));
    assert_eq!(world.sent(), Vec::<String>::new());
    world.page.set_connect_src([RP, IDP]);
    assert_eq!(token(world.get(&identity())), "a token");
}

/// Section 2, for each endpoint that is asked by GET and must answer: redirects, status, media type, JSON, shape.
#[test]
fn answers_break_the_common_rules() {
    for (url, endpoint) in [(CONFIG, Endpoint::Config), (ACCOUNTS, Endpoint::Accounts)] {
        let fails = |answer: FetchResponse, fault: Fault| {
            assert_eq!(when(url, answer), unusable(endpoint, fault), "{url}");
        };
        fails(response(302, &[("Location", "/elsewhere")], ""), Fault::Redirect);
        fails(response(404, &[("Content-Type", "application/json")], "{}"), Fault::Status(404));
        let html = response(200, &[("Content-Type", "text/html")], "{}");
        fails(html, Fault::MediaType("text/html".into()));
        fails(response(200, &[("Content-Type", "text/json")], "{"), Fault::NotJson);
        let outcome = when(url, json_response(&json!({})));
        let Err((DomException::NetworkError, Cause::Identity(Failure::NothingToOffer(why)))) =
            outcome
        else {
            panic!()
        };
        let Unoffered::Answer(at, Fault::Shape(_)) = &why[0].1 else { panic!("{why:?}") };
        assert_eq!(*at, endpoint);
    }
}

/// Section 6, the well-known file by itself: its redirects are followed.
#[test]
fn the_well_known_file_fails() {
    let fails = |answer: FetchResponse, fault: Fault| {
        assert_eq!(when(WELL_KNOWN, answer), unusable(Endpoint::WellKnown, fault));
    };
    fails(response(404, &[], ""), Fault::Status(404));
    fails(
        response(200, &[("Content-Type", "text/plain")], "{}"),
        Fault::MediaType("text/plain".into()),
    );
    fails(response(200, &[("Content-Type", "text/json")], "no"), Fault::NotJson);
    fails(response(301, &[("Location", "http://idp.example/")], ""), Fault::Redirect);
    fails(response(301, &[("Location", WELL_KNOWN)], ""), Fault::Redirect);
    fails(response(301, &[], ""), Fault::Redirect);
    let outcome = when(WELL_KNOWN, json_response(&json!({"provider_urls": 7})));
    let Err((DomException::NetworkError, Cause::Identity(Failure::NothingToOffer(why)))) = outcome
    else {
        panic!()
    };
    let Unoffered::Answer(Endpoint::WellKnown, Fault::Shape(_)) = &why[0].1 else { panic!() };
    let mut world = World::new();
    let elsewhere = "https://www.idp.example/w";
    world.route(WELL_KNOWN, response(301, &[("Location", elsewhere)], ""));
    let known = json!({"provider_urls": [CONFIG],
        "accounts_endpoint": ACCOUNTS, "login_url": "https://login.idp.example/login"});
    world.route(elsewhere, json_response(&known));
    assert_eq!(token(world.get(&identity())), "a token");
    assert_eq!(world.sent()[1], format!("GET {elsewhere}"));
}

/// Section 2: there is no answer at all, for each reason that the network has.
#[test]
fn the_network_fails() {
    let faults = [
        FetchFault::BadRequest,
        FetchFault::NoSuchHost,
        FetchFault::Unreachable,
        FetchFault::Tls,
        FetchFault::NotHttp,
        FetchFault::TooLong,
    ];
    for fault in faults {
        for (url, endpoint) in [
            (WELL_KNOWN, Endpoint::WellKnown),
            (CONFIG, Endpoint::Config),
            (ACCOUNTS, Endpoint::Accounts),
        ] {
            let mut world = World::new();
            world.breaks(url, fault);
            let expected = unusable(endpoint, Fault::NotFetched(fault));
            assert_eq!(world.get(&identity()), expected, "{fault} at the {endpoint}");
        }
        let (_, (error, _, seen)) = no_token(Err(fault));
        assert_eq!((error, seen), (String::new(), Fault::NotFetched(fault)));
    }
}

/// Section 6, the config file against itself and against the well-known file.
#[test]
fn config_and_well_known_do_not_fit() {
    let config = |fault: Fault| unusable(Endpoint::Config, fault);
    for member in ["login_url", "accounts_endpoint", "id_assertion_endpoint"] {
        let mut world = World::new();
        world.config(member, json!("https://idp.example/"));
        assert_eq!(world.get(&identity()), config(Fault::NotSameOrigin(member)));
    }
    let known = |file: Value| when(WELL_KNOWN, json_response(&file));
    let two = json!({"provider_urls": [CONFIG, "https://login.idp.example/b.json"]});
    assert_eq!(known(two), config(Fault::SeveralProviders(2)));
    let short = json!({"provider_urls": [CONFIG]});
    assert_eq!(known(short.clone()), config(Fault::WellKnownTooShort));
    let login = "https://login.idp.example/login";
    let both = |accounts: &str, login: &str| {
        known(json!({"accounts_endpoint": accounts, "login_url": login}))
    };
    assert_eq!(token(both(ACCOUNTS, login)), "a token");
    assert_eq!(both(DISCONNECT, login), config(Fault::Differs("accounts_endpoint")));
    assert_eq!(both(ACCOUNTS, METADATA), config(Fault::Differs("login_url")));
    assert_eq!(
        both("https://idp.example/accounts", login),
        config(Fault::NotSameOrigin("accounts_endpoint"))
    );

    let plain = |file: Value| {
        let mut world = World::new();
        world.config("client_metadata_endpoint", Value::Null);
        world.route(WELL_KNOWN, json_response(&file));
        world.get(&identity())
    };
    assert_eq!(token(plain(short)), "a token");
    assert_eq!(plain(json!({})), config(Fault::NoProvider));
    let other = json!({"provider_urls": ["https://login.idp.example/b.json"]});
    assert_eq!(plain(other), config(Fault::OtherProvider));
}

/// Section 2.3.
#[test]
fn accounts_break_their_rules() {
    let accounts = |list: Value| when(ACCOUNTS, json_response(&json!({"accounts": list})));
    let nameless = json!([ada(), {"id": "2", "given_name": "Eve"}]);
    assert_eq!(accounts(nameless), unusable(Endpoint::Accounts, Fault::Nameless("2".into())));
    let twice = json!([ada(), ada()]);
    assert_eq!(accounts(twice), unusable(Endpoint::Accounts, Fault::Duplicate("1".into())));
}

/// Section 4 step 2: accounts that cannot be had, and none, are a logout; the status before it decides what is offered.
#[test]
fn without_accounts_the_user_is_logged_out() {
    let unauthorized = || response(401, &[("Content-Type", "application/json")], "{}");
    let mut world = World::new();
    world.route(ACCOUNTS, unauthorized());
    assert_eq!(world.get(&identity()), unusable(Endpoint::Accounts, Fault::Status(401)));
    assert_eq!(world.page.profile().login_status(IDP), LoginStatus::LoggedOut);
    assert_eq!(world.get(&identity()), nothing(Unoffered::LoggedOut), "and is not asked again");
    assert_eq!(world.sent().len(), 3);

    let mut world = World::new();
    world.accounts(&[]);
    assert_eq!(world.get(&identity()), nothing(Unoffered::LoggedOut));
    assert_eq!(world.page.profile().login_status(IDP), LoginStatus::LoggedOut);
}

#[test]
fn what_is_unknown_may_be_logged_out() {
    let mut world = World::new();
    world.page.profile().set(|settings| settings.fed_cm.unknown_is_logged_out = true);
    assert_eq!(world.get(&identity()), nothing(Unoffered::LoggedOut));
    assert_eq!(world.sent(), Vec::<String>::new());
}

/// Section 4 step 2: hints that leave none; the login status stays.
#[test]
fn hints_that_leave_none() {
    let mut world = World::new();
    assert_eq!(world.get(&with(&json!({"loginHint": "eve"}))), nothing(Unoffered::NoneFits));
    assert_eq!(world.page.profile().login_status(IDP), LoginStatus::LoggedIn);
}

/// Section 2.4: client metadata that cannot be had are no failure, nor are those that come too late.
#[test]
fn client_metadata_are_not_needed() {
    for fault in [FetchFault::Unreachable, FetchFault::TimedOut] {
        let mut world = World::new();
        world.breaks(METADATA, fault);
        assert_eq!(token(world.get(&identity())), "a token");
        let faults: Vec<_> = world.log().into_iter().filter_map(|entry| entry.fault).collect();
        assert_eq!(faults, [Fault::NotFetched(fault)]);
    }
}

/// A request whose id assertion ends so, with the world after it.
fn without_token(answer: Result<FetchResponse, FetchFault>) -> (World, Rejection) {
    let mut world = World::new();
    match answer {
        Ok(answer) => world.route(ASSERT, answer),
        Err(fault) => world.breaks(ASSERT, fault),
    }
    let rejection = world.try_get(&identity()).unwrap_err();
    (world, rejection)
}

fn no_token(answer: Result<FetchResponse, FetchFault>) -> (World, (String, String, Fault)) {
    let (world, rejection) = without_token(answer);
    assert_eq!(rejection.exception, DomException::IdentityCredentialError);
    assert_eq!(rejection.exception.name(), "IdentityCredentialError");
    let Cause::Identity(Failure::NoToken(AssertionError { error, url, fault })) = rejection.cause
    else {
        panic!("{rejection:?}")
    };
    (world, (error, url, fault))
}

/// Section 1.3: what the page reads of the exception is the provider's word and nothing of the private fault beside it; no
/// other exception has these members.
#[test]
fn the_page_reads_error_and_url() {
    let seen = |answer| serde_json::to_value(without_token(answer).1.identity_error()).unwrap();
    let name = "IdentityCredentialError";
    let silent = json!({"name": name, "message": name, "error": "", "url": ""});
    assert_eq!(seen(Err(FetchFault::Unreachable)), silent);
    assert_eq!(seen(Ok(cors(404, &json!({})))), silent);
    let refusal = json!({"error": {"code": "access_denied", "url": "/why"}});
    let url = format!("{IDP}/why");
    let told = json!({"name": name, "message": name, "error": "access_denied", "url": url});
    assert_eq!(seen(Ok(cors(401, &refusal))), told);

    let (_, late) = without_token(Err(FetchFault::TimedOut));
    assert_eq!((late.exception, late.identity_error()), (DomException::NetworkError, None));
}

/// Sections 1.3 and 2.5: `IdentityCredentialError`, with empty members or with the provider's, shown before it is thrown.
#[test]
fn the_id_assertion_endpoint_gives_no_token() {
    let empty = |fault: Fault| (String::new(), String::new(), fault);
    let unreachable = no_token(Err(FetchFault::Unreachable)).1;
    assert_eq!(unreachable, empty(Fault::NotFetched(FetchFault::Unreachable)));
    let token = json!({"token": "t"});
    let (_, seen) = no_token(Ok(json_response(&token)));
    assert_eq!(seen, empty(Fault::AllowOrigin(None)));
    let mut star = cors(200, &token);
    star.headers[1].1 = "*".into();
    assert_eq!(no_token(Ok(star)).1, empty(Fault::AllowOrigin(Some("*".into()))));
    let mut plain = cors(200, &token);
    plain.headers.pop();
    assert_eq!(no_token(Ok(plain)).1, empty(Fault::AllowCredentials));
    let mut html = cors(200, &token);
    html.headers[0].1 = "text/html".into();
    assert_eq!(no_token(Ok(html)).1, empty(Fault::MediaType("text/html".into())));
    let mut broken = cors(200, &token);
    broken.body = b"{".to_vec();
    assert_eq!(no_token(Ok(broken)).1, empty(Fault::NotJson));
    assert_eq!(no_token(Ok(response(307, &[("Location", "/t")], ""))).1, empty(Fault::Redirect));
    assert_eq!(no_token(Ok(cors(200, &json!({})))).1, empty(Fault::NoToken));
    assert_eq!(no_token(Ok(cors(404, &token))).1, empty(Fault::Status(404)));
    let foreign = json!({"continue_on": "https://idp.example/c"});
    assert_eq!(no_token(Ok(cors(200, &foreign))).1, empty(Fault::NotSameOrigin("continue_on")));
    let (_, seen) = no_token(Ok(cors(500, &json!({}))));
    assert_eq!(seen, ("server_error".into(), String::new(), Fault::Status(500)));

    let (_, seen) = no_token(Ok(cors(503, &json!({}))));
    assert_eq!(seen, ("temporarily_unavailable".into(), String::new(), Fault::Status(503)));
    let (_, (error, url, fault)) = no_token(Ok(cors(200, &json!(7))));
    assert!(error.is_empty() && url.is_empty() && matches!(fault, Fault::Shape(_)), "{fault}");
    let foreign = json!({"error": {"error": "odd", "url": "https://evil.example/"}});
    let (_, seen) = no_token(Ok(cors(200, &foreign)));
    assert_eq!(seen, ("odd".into(), String::new(), Fault::Refused), "its page is of another site");

    let error = json!({"error": {"error": "access_denied", "url": "/why"}, "token": "t"});
    let (world, seen) = no_token(Ok(cors(401, &error)));
    let why = format!("{IDP}/why");
    assert_eq!(seen, ("access_denied".into(), why.clone(), Fault::Refused));
    let expected = Question::ProviderError {
        provider: CONFIG.into(),
        error: "access_denied".into(),
        url: why,
    };
    assert_eq!(world.asked.last(), Some(&expected));
    assert!(world.page.profile().connections().is_empty());
}

/// Section 4.2: 60 seconds for each request, on the owner's clock; late is `NetworkError` at every endpoint.
#[test]
fn a_provider_that_is_late() {
    for (url, endpoint) in [
        (WELL_KNOWN, Endpoint::WellKnown),
        (CONFIG, Endpoint::Config),
        (ACCOUNTS, Endpoint::Accounts),
    ] {
        let mut world = World::new();
        world.breaks(url, FetchFault::TimedOut);
        assert_eq!(world.get(&identity()), nothing(Unoffered::Late(endpoint, LIMIT)));
    }
    let mut world = World::new();
    world.breaks(ASSERT, FetchFault::TimedOut);
    let late = Failure::Late(Endpoint::IdAssertion, LIMIT);
    assert_eq!(world.get(&identity()), network(late.clone()));
    let text = Cause::Identity(late).to_string();
    assert!(text.contains("id assertion endpoint") && text.contains("60 seconds"), "{text}");
    assert!(world.servers.sent.iter().all(|sent| sent.time_limit == LIMIT));
}

/// "Fail later": after a random time, if the owner wants one; "fail now" at once.
#[test]
fn nothing_to_offer_is_told_later() {
    let mut world = World::new();
    world.page.profile().set(|settings| settings.fed_cm.longest_delay = 120_000);
    let before = world.now;
    world.accounts(&[]);
    assert_eq!(world.get(&identity()), nothing(Unoffered::LoggedOut));
    let passed = world.now.duration_since(before);
    assert!(!passed.is_zero() && passed <= Duration::from_mins(2), "{passed:?}");

    world.page.profile().set_login_status(IDP, LoginStatus::Unknown);
    world.accounts(&[ada()]);
    world.person(|_, _| softkey_client::Answer::No);
    let before = world.now;
    assert_eq!(world.get(&identity()), network(Failure::Dismissed));
    assert_eq!(world.now, before);
}

/// A provider that fails is passed over as long as another one has something to offer; the cause names each.
#[test]
fn one_provider_is_enough() {
    let mut world = World::new();
    let mut options = identity();
    let other = json!({"configURL": "https://other.example/c.json", "clientId": "c"});
    options["identity"]["providers"].as_array_mut().unwrap().push(other);
    assert_eq!(token(world.get(&options)), "a token");
    world.breaks(CONFIG, FetchFault::Tls);
    let outcome = world.get(&options);
    let Err((_, Cause::Identity(Failure::NothingToOffer(why)))) = &outcome else { panic!() };
    let providers: Vec<_> = why.iter().map(|(provider, _)| provider.as_str()).collect();
    assert_eq!(providers, [CONFIG, "https://other.example/c.json"]);
    let text = outcome.unwrap_err().1.to_string();
    assert!(text.contains("config file: the server's certificate is not trusted"), "{text}");
}
