//! Each fault of the provider: the name that the page sees, and the rule that the client's log has beside the answer.

use std::collections::BTreeSet;

use softkey_client::fedcm::DisconnectOptions;
use softkey_client::{Cause, DomException};
use softkey_idp::KINDS;

use crate::world::*;

const NETWORK: DomException = DomException::NetworkError;
const IDENTITY: DomException = DomException::IdentityCredentialError;

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

#[test]
fn each_fault_is_seen_and_told() {
    for (fault, exception, rule) in TABLE {
        let mut world = World::with(&[fault]);
        if fault.contains("silent") || fault.contains("slow") {
            world.page.profile().set(|settings| settings.fed_cm.time_limit = 200);
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
    let Cause::Identity(softkey_client::fedcm::Failure::NoToken(error)) = rejection.cause else {
        panic!("{rejection}")
    };
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

/// No kind of fault is left out above.
#[test]
fn every_kind_is_tried() {
    let source = include_str!("faults.rs");
    let kinds = KINDS.iter().map(|(form, _)| form.split(['=', '[']).next().unwrap());
    let kinds: BTreeSet<_> = kinds.filter(|kind| *kind != "continue").collect();
    let missing: Vec<_> =
        kinds.into_iter().filter(|kind| !source.contains(&format!(":{kind}"))).collect();
    assert_eq!(missing, Vec::<&str>::new());
}
