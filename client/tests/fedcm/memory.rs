//! What a profile remembers: login status, cookies, connections; how it is set, saved and cleared (fedcm.md sections 1.5
//! and 3).

use std::time::Duration;

use serde_json::json;
use softkey_client::fedcm::{Connection, Failure, LoginStatus, NotAutomatic};
use softkey_client::{Answer, Cause, DomException, Frame, Page, Profile};
use softkey_ctap::Instant;

use crate::world::*;

const NOW: Instant = Instant::from_millis(1000);

fn login(value: &str) -> softkey_client::FetchResponse {
    response(200, &[("Set-Login", value)], "")
}

/// The header is an item of a structured field; whatever is none is passed over.
#[test]
fn a_navigation_sets_the_login_status() {
    let after = |url: &str, value: &str| {
        let profile = Profile::new();
        profile.navigated(NOW, url, &login(value));
        profile.login_status(IDP)
    };
    let url = "https://login.idp.example/deep?a#b";
    assert_eq!(after(url, "logged-in"), LoginStatus::LoggedIn);
    assert_eq!(after(url, " logged-out;x=\"1\""), LoginStatus::LoggedOut);
    for wrong in ["", "Logged-In", "\"logged-in\"", "logged-in, logged-out", "unknown"] {
        assert_eq!(after(url, wrong), LoginStatus::Unknown, "{wrong}");
    }
    let elsewhere =
        ["https://idp.example/", "https://login.idp.example:444/", "http://login.idp.example/"];
    for other in elsewhere {
        assert_eq!(after(other, "logged-in"), LoginStatus::Unknown, "{other}");
    }
    // Whoever sits on the line says nothing, not even about the origin that they play.
    let profile = Profile::new();
    profile.navigated(NOW, elsewhere[2], &login("logged-in"));
    assert_eq!(profile.login_status("http://login.idp.example"), LoginStatus::Unknown);
}

/// Subresources count if everything around them is of their site.
#[test]
fn a_subresource_sets_it_within_its_site() {
    let after = |frames: &[&str]| {
        let profile = Profile::new();
        profile.loaded(frames, &format!("{IDP}/pixel"), &login("logged-in"));
        profile.login_status(IDP)
    };
    assert_eq!(after(&["https://www.idp.example"]), LoginStatus::LoggedIn);
    assert_eq!(after(&["https://idp.example", IDP]), LoginStatus::LoggedIn);
    for frames in [&[RP][..], &[RP, IDP], &[IDP, RP], &["http://idp.example"], &[]] {
        assert_eq!(after(frames), LoginStatus::Unknown, "{frames:?}");
    }
}

/// `navigator.login.setStatus()`.
#[test]
fn a_page_sets_its_own_status() {
    let profile = Profile::new();
    let page = Page::new(&profile, IDP);
    page.set_login_status("logged-in").unwrap();
    assert_eq!(profile.login_status(IDP), LoginStatus::LoggedIn);
    page.set_login_status("logged-out").unwrap();
    assert_eq!(profile.login_status(IDP), LoginStatus::LoggedOut);
    let rejection = page.set_login_status("unknown").unwrap_err();
    assert_eq!(rejection.exception, DomException::TypeError);
    assert!(matches!(rejection.cause, Cause::NotTheDictionary(_)), "{rejection}");

    let sibling = [Frame::new("https://www.idp.example")];
    Page::framed(&profile, sibling, Frame::new(IDP)).set_login_status("logged-in").unwrap();
    assert_eq!(profile.login_status(IDP), LoginStatus::LoggedIn);
    let foreign = Page::framed(&profile, [Frame::new(RP)], Frame::new(IDP));
    let rejection = foreign.set_login_status("logged-out").unwrap_err();
    assert_eq!(rejection.exception, DomException::SecurityError);
    let expected = Cause::Identity(Failure::ForeignSite);
    assert_eq!(rejection.cause, expected);
    assert_eq!(profile.login_status(IDP), LoginStatus::LoggedIn);
}

/// A navigation has all cookies, and keeps those it gets.
#[test]
fn a_navigation_has_cookies() {
    let profile = Profile::new();
    let url = format!("{IDP}/login");
    let cookies =
        response(200, &[("Set-Cookie", "a=1"), ("set-cookie", "b=2; SameSite=Strict")], "");
    profile.navigated(NOW, &url, &cookies);
    let request = profile.navigation(NOW, &url);
    let expected =
        [("Sec-Fetch-Dest".into(), "document".into()), ("Cookie".into(), "a=1; b=2".into())];
    assert_eq!((request.url.as_str(), request.headers.as_slice()), (url.as_str(), &expected[..]));
    assert_eq!(profile.navigation(NOW, RP).headers.len(), 1);
}

/// All of it is in a saved profile, in times of the wall clock.
#[test]
fn a_saved_profile_goes_on() {
    let mut world = World::new();
    world.page.profile().set_wall_clock(world.now, Duration::from_secs(1_700_000_000));
    world.page.profile().set(|settings| settings.fed_cm.throttle = Some(600_000));
    let cookie =
        response(200, &[("Set-Cookie", "s=1; SameSite=None; Secure; Max-Age=100; Path=/")], "");
    world.page.profile().navigated(world.now, IDP, &cookie);
    world.connect();
    world.get(&silent()).unwrap();
    let saved = world.page.profile().to_json().to_string();

    let profile = Profile::from_json(&saved).unwrap();
    assert_eq!(profile.connections(), world.page.profile().connections());
    assert_eq!(profile.login_status(IDP), LoginStatus::LoggedIn);
    let mut later = World::of(Page::new(&profile, RP));
    // Another process, with a clock of its own, 99 seconds later.
    profile.set_wall_clock(later.now, Duration::from_secs(1_700_000_099));
    let mut options = identity();
    options["mediation"] = json!("optional");
    assert_eq!(later.get(&options).unwrap().unwrap()["isAutoSelected"], false, "throttled");
    let sent = later.servers.sent.last().unwrap();
    assert!(sent.headers.contains(&("Cookie".into(), "s=1".into())));
    later.pass(Duration::from_secs(501));
    assert_eq!(later.get(&silent()).unwrap().unwrap()["isAutoSelected"], true);
    let sent = later.servers.sent.last().unwrap();
    assert!(!sent.headers.iter().any(|(name, _)| name == "Cookie"), "it has expired");
}

/// A profile that was saved before there was any of it.
#[test]
fn an_older_profile_is_read() {
    let profile = Profile::from_json(r#"{"settings": {"frameswithouteffect": true}}"#).unwrap();
    assert_eq!(profile.login_status(IDP), LoginStatus::Unknown);
    assert!(profile.connections().is_empty());
}

/// Section 3: clearing the site of any of the three origins ends a connection.
#[test]
fn clearing_a_site_forgets() {
    let connection = |embedder: &str, relying_party: &str| Connection {
        embedder: embedder.into(),
        relying_party: relying_party.into(),
        provider: IDP.into(),
        account: "1".into(),
    };
    for (site, left) in [
        ("https://top.example", vec![connection(RP, RP)]),
        (RP, vec![]),
        (IDP, vec![]),
        ("https://idp.example", vec![connection("https://top.example", RP), connection(RP, RP)]),
    ] {
        let profile = Profile::new();
        profile.connect(connection("https://top.example", RP));
        profile.connect(connection(RP, RP));
        profile.clear_site(site);
        let mut connections = profile.connections();
        connections.reverse();
        assert_eq!(connections, left, "{site}");
    }
    let profile = Profile::new();
    let answer = response(200, &[("Set-Login", "logged-in"), ("Set-Cookie", "a=1; Path=/")], "");
    profile.navigated(NOW, IDP, &answer);
    profile.clear_site(RP);
    assert_eq!(profile.navigation(NOW, IDP).headers.len(), 2);
    profile.clear_site(IDP);
    assert_eq!(profile.login_status(IDP), LoginStatus::Unknown);
    assert_eq!(profile.navigation(NOW, IDP).headers.len(), 1);
}

/// What a site did, and what the user decided about it, goes with its data: nothing tells that they were there.
#[test]
fn a_cleared_relying_party_leaves_no_trace() {
    let mut world = World::new();
    world.page.profile().set(|settings| settings.fed_cm.cooldown = true);
    let before = world.page.profile().to_text();
    world.connect();
    world.get(&silent()).unwrap();
    world.page.credentials().prevent_silent_access().unwrap();
    world.person(|_, _| Answer::No);
    world.get(&identity()).unwrap_err();
    for origin in [RP, IDP] {
        world.page.profile().clear_site(origin);
    }
    assert_eq!(*world.page.profile().to_text(), *before);
}

/// A clock that was set back does not lengthen a pause: what was noted later than now was noted by another clock.
#[test]
fn a_pause_ends_with_the_clock_that_began_it() {
    let mut world = World::new();
    world.connect();
    world.page.profile().set(|settings| settings.fed_cm.throttle = Some(600_000));
    world.page.profile().set_wall_clock(world.now, Duration::from_secs(1_000_000));
    world.get(&silent()).unwrap();
    assert_eq!(world.get(&silent()), network(Failure::NeedsUser(NotAutomatic::Throttled)));
    world.page.profile().set_wall_clock(world.now, Duration::from_secs(999_999));
    world.get(&silent()).unwrap();
}

/// Section 1.5: with cookies goes the login status of every origin that one of them could have been sent to.
#[test]
fn clearing_a_site_clears_where_its_cookies_reach() {
    let origins = [
        IDP,
        "https://login.idp.example:8443",
        "https://idp.example",
        "https://www.idp.example",
        "http://www.idp.example",
        "https://www.login.idp.example",
        "https://other.example",
    ];
    let left = |cookie: Option<&str>, site: &str| -> Vec<&str> {
        let profile = Profile::new();
        if let Some(cookie) = cookie {
            profile.navigated(NOW, IDP, &response(200, &[("Set-Cookie", cookie)], ""));
        }
        for origin in origins {
            profile.set_login_status(origin, LoginStatus::LoggedIn);
        }
        profile.clear_site(site);
        let status = |origin: &str| profile.login_status(origin);
        origins.into_iter().filter(|it| status(it) == LoginStatus::LoggedIn).collect()
    };
    assert_eq!(left(None, IDP), origins[1..]);
    assert_eq!(left(Some("a=1"), IDP), origins[2..]);
    assert_eq!(
        left(Some("a=1; Domain=login.idp.example"), IDP),
        [&origins[2..5], &origins[6..]].concat()
    );
    assert_eq!(left(Some("a=1; Domain=idp.example"), IDP), origins[6..]);
    assert_eq!(
        left(Some("a=1; Domain=idp.example; Secure"), IDP),
        ["http://www.idp.example", "https://other.example"]
    );
    // A cookie of a path reaches the origin all the same; one that is not removed counts for nothing.
    assert_eq!(left(Some("a=1; Path=/deep"), IDP), origins[2..]);
    assert_eq!(left(Some("a=1"), "https://other.example"), origins[..6]);
}

/// What is remembered of a site is found however its origin is written, in a file and by the owner.
#[test]
fn origins_are_compared_as_they_are_serialized() {
    let odd = "HTTPS://Login.IDP.example:443/page";
    let profile = Profile::new();
    profile.set_login_status(odd, LoginStatus::LoggedIn);
    assert_eq!(profile.login_status(IDP), LoginStatus::LoggedIn);
    profile.set_prevent_silent_access(odd, false);
    assert!(!profile.prevents_silent_access(IDP));
    profile.set_never_keeps(odd, true);
    assert!(profile.never_keeps(IDP));
    assert_eq!(profile.silent_origins(), [IDP]);
    assert_eq!(profile.never_keeping_origins(), [IDP]);
    profile.set_never_keeps(IDP, false);
    let connection = |origin: &str| Connection {
        embedder: origin.into(),
        relying_party: origin.into(),
        provider: origin.into(),
        account: "1".into(),
    };
    profile.connect(connection(odd));
    assert_eq!(profile.connections(), [connection(IDP)]);
    assert!(profile.remove_connection(&connection(odd)));
    profile.connect(connection(IDP));
    profile.clear_site(odd);
    assert_eq!(*profile.to_text(), *Profile::new().to_text());

    // Somebody wrote the file by hand.
    let file = json!({
        "silentAccess": [odd],
        "kept": {"never": [odd]},
        "fedCm": {
            "login": {odd: "logged-in"},
            "signedOut": [odd],
            "connected": [connection(odd)],
        },
    });
    let profile = Profile::from_json(&file.to_string()).unwrap();
    assert!(!profile.prevents_silent_access(IDP) && profile.never_keeps(IDP));
    assert_eq!(profile.login_status(IDP), LoginStatus::LoggedIn);
    assert_eq!(profile.connections(), [connection(IDP)]);
    assert_eq!(profile.to_json()["fedCm"]["signedOut"], json!([IDP]));
}

/// Connections are the owner's to remove one by one.
#[test]
fn a_connection_can_be_removed() {
    let mut world = World::new();
    world.connect();
    let connections = world.page.profile().connections();
    assert!(world.page.profile().remove_connection(&connections[0]));
    assert!(!world.page.profile().remove_connection(&connections[0]));
    assert!(world.page.profile().connections().is_empty());
}
