//! Each fault of the provider: the name that the page sees, and the rule that the client's log has beside the answer. Where the
//! provider is slow or silent this is about the wall clock: the limit on a socket is sat out, and is long enough for the
//! answers that do come on a busy machine.

use std::thread;
use std::time::Duration;

use softkey_client::fedcm::{DisconnectOptions, Failure, LoginStatus};
use softkey_client::{Cause, DomException, Rejection};
use softkey_idp::{Endpoint, Fault, KINDS};

use crate::world::*;

const NETWORK: DomException = DomException::NetworkError;
const IDENTITY: DomException = DomException::IdentityCredentialError;

/// How long a late answer is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// Fault, what the page sees, the rule in the log.
const TABLE: [(&str, DomException, &str); 40] = [
    ("well-known:status=404", NETWORK, "the status is 404"),
    ("well-known:media-type", NETWORK, "the media type \"text/html\" is not JSON"),
    ("well-known:redirect=http://idp.example/", NETWORK, "the redirect is not followed"),
    ("well-known:bad-json", NETWORK, "the body is not JSON"),
    ("well-known:set=provider_urls=7", NETWORK, "the answer is not as it should be"),
    ("well-known:two-providers", NETWORK, "provider_urls has 2 entries"),
    ("well-known:other-accounts", NETWORK, "accounts_endpoint differs from the well-known file's"),
    ("well-known:drop=login_url", NETWORK, "client_metadata_endpoint needs accounts_endpoint"),
    ("well-known:too-long", NETWORK, "the answer is too long"),
    ("well-known:hang-up", NETWORK, "the server cannot be reached"),
    ("config:status=500", NETWORK, "the status is 500"),
    ("config:media-type=text/plain", NETWORK, "the media type \"text/plain\" is not JSON"),
    ("config:redirect", NETWORK, "the redirect is not followed"),
    ("config:bad-json", NETWORK, "the body is not JSON"),
    ("config:text=[]", NETWORK, "the answer is not as it should be"),
    ("config:drop=accounts_endpoint", NETWORK, "missing field `accounts_endpoint`"),
    ("config:foreign-login", NETWORK, "login_url is no URL of the config file's origin"),
    ("config:hang-up", NETWORK, "the server cannot be reached"),
    ("config:silent", NETWORK, "config file: the server did not answer in time"),
    ("accounts:status=401", NETWORK, "the status is 401"),
    ("accounts:redirect", NETWORK, "the redirect is not followed"),
    ("accounts:bad-json", NETWORK, "the body is not JSON"),
    ("accounts:media-type", NETWORK, "the media type \"text/html\" is not JSON"),
    ("accounts:nameless", NETWORK, "the account \"1\" has no name of any kind"),
    ("accounts:duplicate", NETWORK, "there are two accounts \"1\""),
    ("accounts:drop=accounts", NETWORK, "missing field `accounts`"),
    ("id-assertion:status=500", IDENTITY, "the status is 500"),
    ("id-assertion:redirect", IDENTITY, "the redirect is not followed"),
    ("id-assertion:media-type", IDENTITY, "the media type \"text/html\" is not JSON"),
    ("id-assertion:bad-json", IDENTITY, "the body is not JSON"),
    ("id-assertion:text=7", IDENTITY, "the answer is not as it should be"),
    ("id-assertion:drop=token", IDENTITY, "there is no token"),
    ("id-assertion:too-long", IDENTITY, "the answer is too long"),
    ("id-assertion:hang-up", IDENTITY, "the server cannot be reached"),
    (
        "id-assertion:slow=10000",
        NETWORK,
        "id assertion endpoint: the server did not answer in time",
    ),
    ("id-assertion:no-cors", IDENTITY, "Access-Control-Allow-Origin is missing"),
    ("id-assertion:allow-origin", IDENTITY, "Access-Control-Allow-Origin is \"*\""),
    ("id-assertion:allow-origin=https://evil.example", IDENTITY, "is \"https://evil.example\""),
    ("id-assertion:no-credentials", IDENTITY, "Access-Control-Allow-Credentials is not true"),
    ("id-assertion:error", IDENTITY, "the provider refused"),
];

/// The client waits so long and no longer.
fn be_patient(world: &World) {
    let limit = u64::try_from(PATIENCE.as_millis()).unwrap();
    world.page.profile().set(|settings| settings.fed_cm.time_limit = limit);
}

#[test]
fn each_fault_is_seen_and_told() {
    for (fault, exception, rule) in TABLE {
        let mut world = World::with(&[fault]);
        if fault.contains("silent") || fault.contains("slow") {
            be_patient(&world);
        }
        let rejection = world.get(&identity("n")).unwrap_err();
        assert_eq!(rejection.exception, exception, "{fault}: {rejection}");
        let told = world.log().into_iter().filter_map(|entry| Some((entry.endpoint, entry.fault?)));
        let told: Vec<String> = told.map(|(at, fault)| format!("{at}: {fault}")).collect();
        assert!(told.iter().any(|told| told.contains(rule)), "{fault}: {told:?}");
        assert!(world.page.profile().connections().is_empty(), "{fault}");
    }
}

/// A page of another origin to go on at is refused.
#[test]
fn a_foreign_page_to_go_on_at() {
    let faults =
        ["id-assertion:drop=token", "id-assertion:set=continue_on=\"https://evil.example/\""];
    let rejection = World::with(&faults).get(&identity("n")).unwrap_err();
    assert_eq!(rejection.exception, IDENTITY);
    assert!(rejection.to_string().contains("continue_on is no URL of the"), "{rejection}");
}

/// The provider's own error gets to the page, with the page about it.
#[test]
fn an_error_gets_to_the_page() {
    let mut world = World::with(&["id-assertion:error=temporarily_unavailable"]);
    let rejection = world.get(&identity("n")).unwrap_err();
    let Cause::Identity(Failure::NoToken(error)) = rejection.cause else { panic!("{rejection}") };
    assert_eq!(error.error, "temporarily_unavailable");
    assert_eq!(error.url, "https://login.idp.example/error?code=temporarily_unavailable");
}

/// What is no failure: another config file in a well-known file that names endpoints, a redirected well-known file, a
/// picture or client metadata that cannot be had, and a delay within the limit.
#[test]
fn some_faults_are_none_to_the_client() {
    for fault in [
        "well-known:other-provider",
        "well-known:redirect",
        "client-metadata:status=500",
        "client-metadata:hang-up",
        "picture:status=404",
        "accounts:slow=50",
    ] {
        let mut world = World::with(&[fault]);
        assert!(world.get(&identity("n")).is_ok(), "{fault}");
    }
}

/// Nobody in the list is nobody signed in.
#[test]
fn nobody_in_the_list() {
    let mut world = World::with(&["accounts:no-accounts"]);
    let rejection = world.get(&identity("n")).unwrap_err();
    assert_eq!(rejection.exception, NETWORK);
    assert!(rejection.to_string().contains("nobody is signed in there"), "{rejection}");
    assert!(world.asked.is_empty());
}

/// Faults at the endpoint that ends connections: the connections end all the same.
#[test]
fn a_disconnect_that_fails() {
    for (fault, rule) in [
        ("disconnect:status=500", "the status is 500"),
        ("disconnect:no-cors", "Access-Control-Allow-Origin is missing"),
        ("disconnect:bad-json", "the body is not JSON"),
        ("disconnect:hang-up", "the server cannot be reached"),
    ] {
        let mut world = World::with(&[fault]);
        world.get(&identity("n")).unwrap();
        let options = DisconnectOptions {
            config_url: CONFIG.into(),
            client_id: "rp".into(),
            account_hint: "1".into(),
        };
        let request = world.page.disconnect_identity(options);
        let rejection = world.settle(request).unwrap_err();
        assert_eq!(rejection.exception, NETWORK, "{fault}");
        assert!(rejection.to_string().contains(rule), "{fault}: {rejection}");
        assert!(world.page.profile().connections().is_empty(), "{fault}");
    }
}

/// How each fault is written for an endpoint, if it can be had there.
fn written(form: &str, endpoint: Endpoint) -> Option<String> {
    let (wrong, missing) = match endpoint {
        Endpoint::WellKnown => ("provider_urls=7", "login_url"),
        Endpoint::Config => ("accounts_endpoint=7", "accounts_endpoint"),
        Endpoint::Accounts => ("accounts=7", "accounts"),
        Endpoint::ClientMetadata => ("privacy_policy_url=7", "privacy_policy_url"),
        Endpoint::IdAssertion => ("error=7", "token"),
        Endpoint::Disconnect => ("account_id=7", "account_id"),
        Endpoint::Picture | Endpoint::Login => ("a=7", "a"),
    };
    let kind = form.split('[').next().unwrap();
    let kind = kind.replace("status=N", "status=500").replace("slow=MS", "slow=10000");
    let kind = kind.replace("set=NAME=JSON", &format!("set={wrong}"));
    let kind = kind.replace("drop=NAME", &format!("drop={missing}"));
    let fault = format!("{}:{kind}", endpoint.as_str());
    fault.parse::<Fault>().is_ok().then_some(fault)
}

/// What the page sees of a fault, and the rule in the log; by the endpoint alone where any unusable answer is the same.
fn expected(endpoint: Endpoint, kind: &str) -> (Option<DomException>, &'static str) {
    let is_late = matches!(kind, "slow" | "silent");
    let exception = match endpoint {
        // Extras: what cannot be had is not shown.
        Endpoint::ClientMetadata | Endpoint::Picture => None,
        Endpoint::IdAssertion if !is_late => Some(IDENTITY),
        _ => Some(NETWORK),
    };
    let rule = match (endpoint, kind) {
        // Both are found elsewhere; the endpoints that the file names are enough; what the member would have said is not
        // needed; the person goes on and gets a token.
        (Endpoint::WellKnown | Endpoint::Picture, "redirect")
        | (Endpoint::WellKnown, "other-provider")
        | (Endpoint::ClientMetadata, "drop")
        | (_, "continue") => return (None, ""),
        // A picture may be of any kind, and nobody is a list as well.
        (Endpoint::Picture, "media-type" | "bad-json" | "text") | (_, "no-accounts") => "",
        (_, "status") => "the status is 500",
        (_, "media-type") => "the media type \"text/html\" is not JSON",
        (_, "redirect") => "the redirect is not followed",
        (_, "bad-json" | "text") => "the body is not JSON",
        (_, "too-long") => "the answer is too long",
        (_, "slow" | "silent") => "the server did not answer in time",
        (_, "hang-up") => "the server cannot be reached",
        (_, "no-cors") => "Access-Control-Allow-Origin is missing",
        (_, "allow-origin") => "Access-Control-Allow-Origin is \"*\"",
        (_, "no-credentials") => "Access-Control-Allow-Credentials is not true",
        (Endpoint::IdAssertion, "drop") => "there is no token",
        (Endpoint::WellKnown, "drop") => "client_metadata_endpoint needs accounts_endpoint",
        (_, "set") => "the answer is not as it should be: invalid type: integer `7`",
        (_, "drop") => "the answer is not as it should be: missing field",
        (_, "two-providers") => "provider_urls has 2 entries",
        (_, "other-accounts") => "accounts_endpoint differs from the well-known file's",
        (_, "foreign-login") => "login_url is no URL of the config file's origin",
        (_, "nameless") => "the account \"1\" has no name of any kind",
        (_, "duplicate") => "there are two accounts \"1\"",
        (_, "error") => "the provider refused",
        (endpoint, kind) => panic!("what does {kind} do at {endpoint}?"),
    };
    (exception, rule)
}

/// The call that a fault at this endpoint meets.
fn call(world: &mut World, endpoint: Endpoint) -> Result<(), Rejection> {
    let signed_in = world.get(&identity("n")).map(drop);
    if endpoint != Endpoint::Disconnect {
        return signed_in;
    }
    signed_in.unwrap();
    let _ = world.log();
    let (config_url, client_id) = (CONFIG.into(), "rp".into());
    let options = DisconnectOptions { config_url, client_id, account_hint: "1".into() };
    let request = world.page.disconnect_identity(options);
    world.settle(request).map(drop)
}

/// Tries every fault that this endpoint can have: the exception, the private cause, and the rule in the log. How many were
/// there?
fn try_all(endpoint: Endpoint) -> usize {
    let mut tried = 0;
    for (form, _) in KINDS {
        let Some(fault) = written(form, endpoint) else { continue };
        let kind = form.split(['=', '[']).next().unwrap();
        let (exception, rule) = expected(endpoint, kind);
        let mut world = World::with(&[&fault]);
        if matches!(kind, "silent" | "slow") {
            be_patient(&world);
        }
        let rejection = call(&mut world, endpoint).err();
        assert_eq!(rejection.as_ref().map(|one| one.exception), exception, "{fault}");
        let cause = match kind {
            "no-accounts" => "nobody is signed in there",
            "slow" | "silent" => "did not answer within 1 seconds",
            _ => rule,
        };
        if let Some(rejection) = rejection {
            assert!(
                !cause.is_empty() && rejection.to_string().contains(cause),
                "{fault}: {rejection}"
            );
        }
        let log = world.log();
        let told = log.iter().filter_map(|entry| entry.fault.as_ref());
        let told: Vec<String> = told.map(ToString::to_string).collect();
        match rule {
            "" => assert_eq!(told, Vec::<String>::new(), "{fault}"),
            rule => assert!(told.len() == 1 && told[0].contains(rule), "{fault}: {told:?}"),
        }
        tried += 1;
    }
    tried
}

/// Every fault that there is, at every endpoint that can have it. The endpoints are tried side by side: waiting for
/// what comes too late takes a second each time.
#[test]
fn every_fault_at_every_endpoint() {
    let endpoints = Endpoint::ALL.into_iter().filter(|it| *it != Endpoint::Login);
    let threads: Vec<_> = endpoints.map(|it| thread::spawn(move || try_all(it))).collect();
    let tried: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(tried, 90, "the table of faults has changed: count again");
}

/// Faults of the login page: a page that came is heeded whatever else is wrong with it, for its header counts.
#[test]
fn every_fault_of_the_login_page() {
    let mut tried = 0;
    for (form, _) in KINDS {
        let Some(fault) = written(form, Endpoint::Login) else { continue };
        let kind = form.split(['=', '[']).next().unwrap();
        let mut world = World::with(&[&fault]);
        world.page.profile().set_login_status(IDP, LoginStatus::LoggedOut);
        world.page.activate();
        let mut options = identity("n");
        options["identity"]["mode"] = "active".into();
        if matches!(kind, "silent" | "slow") {
            world.patience = PATIENCE;
        }
        let came = !matches!(kind, "redirect" | "too-long" | "silent" | "slow" | "hang-up");
        match world.get(&options) {
            Ok(credential) => assert!(came && credential["token"].is_string(), "{fault}"),
            Err(rejection) => {
                assert!(!came, "{fault}: {rejection}");
                let cause = Cause::Identity(Failure::NotSignedIn);
                assert_eq!((rejection.exception, rejection.cause), (NETWORK, cause), "{fault}");
            }
        }
        tried += 1;
    }
    assert_eq!(tried, 9, "the table of faults has changed: count again");
}
