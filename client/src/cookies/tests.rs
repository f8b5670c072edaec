//! Each rule of the jar.

use super::*;

const NOW: u64 = 1_700_000_000;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn jar(from: &str, headers: &[&str]) -> Jar {
    let mut jar = Jar::default();
    for header in headers {
        jar.set(NOW, &url(from), header);
    }
    jar
}

fn sent(jar: &Jar, now: u64, to: &str, reach: Reach) -> Option<String> {
    jar.header(now, &url(to), reach).map(|header| header.expose().to_owned())
}

fn all(jar: &Jar, to: &str) -> Option<String> {
    sent(jar, NOW, to, Reach::Everywhere)
}

const IDP: &str = "https://login.idp.example/a/b";

#[test]
fn a_cookie_goes_to_its_host_and_path() {
    let kept = jar(IDP, &["s=1", "t=2; Path=/", "u=3; path=a/b"]);
    assert_eq!(all(&kept, "https://login.idp.example/a/x").as_deref(), Some("s=1; u=3; t=2"));
    assert_eq!(all(&kept, "https://login.idp.example/ab").as_deref(), Some("t=2"));
    assert_eq!(all(&kept, "https://login.idp.example/a").as_deref(), Some("s=1; u=3; t=2"));
    for other in ["https://idp.example/a/x", "https://a.login.idp.example/a/x"] {
        assert_eq!(all(&kept, other), None, "{other}");
    }
}

#[test]
fn a_domain_reaches_down_and_never_over_a_public_suffix() {
    let kept = jar(IDP, &["s=1; Domain=.IDP.example; Path=/"]);
    for to in ["https://idp.example/", "https://a.b.idp.example/"] {
        assert_eq!(all(&kept, to).as_deref(), Some("s=1"), "{to}");
    }
    assert_eq!(all(&kept, "https://evilidp.example/"), None);
    for foreign in ["other.example", "example", "a.login.idp.example"] {
        assert_eq!(jar(IDP, &[&format!("s=1; Domain={foreign}")]), Jar::default(), "{foreign}");
    }
    let local = jar("http://localhost:1/", &["s=1; Domain=localhost"]);
    assert_eq!(all(&local, "http://localhost:2/").as_deref(), Some("s=1"));
    let address = jar("https://192.0.2.1/", &["s=1; Domain=0.2.1"]);
    assert_eq!(address, Jar::default());
}

/// Only `SameSite=None` goes along when another site asks, and that must be `Secure`.
#[test]
fn other_sites_reach_only_what_is_meant_for_them() {
    let headers = [
        "a=1; SameSite=None; Secure",
        "b=2",
        "c=3; SameSite=Lax",
        "d=4; SameSite=Strict",
        "e=5; SameSite=None",
    ];
    let kept = jar(IDP, &headers);
    assert_eq!(sent(&kept, NOW, IDP, Reach::CrossSite).as_deref(), Some("a=1"));
    assert_eq!(all(&kept, IDP).as_deref(), Some("a=1; b=2; c=3; d=4"));
}

#[test]
fn secure_cookies_stay_on_trustworthy_ways() {
    let mut kept = jar(IDP, &["s=1; Secure; Path=/"]);
    assert_eq!(all(&kept, "http://login.idp.example/"), None);
    let plain = url("http://login.idp.example/");
    for header in ["s=2; Path=/", "s=2; Path=/; Secure"] {
        kept.set(NOW, &plain, header);
    }
    assert_eq!(all(&kept, "https://login.idp.example/").as_deref(), Some("s=1"));
    // Section 5.7: nor may they be put in front of them, by a longer path or another domain.
    for header in [
        "s=2; Path=/a",
        "s=2; Path=/; Domain=idp.example",
        "s=2; Path=/a; Domain=login.idp.example",
    ] {
        kept.set(NOW, &plain, header);
    }
    kept.set(NOW, &url("http://idp.example/"), "s=2; Path=/; Domain=idp.example");
    kept.set(NOW, &url("http://a.login.idp.example/"), "s=2; Path=/; Domain=login.idp.example");
    let to = "https://login.idp.example/a";
    assert_eq!(all(&kept, to).as_deref(), Some("s=1"));
    // Another name, or what lies above, is nobody's.
    kept.set(NOW, &plain, "t=2; Path=/");
    assert_eq!(all(&kept, to).as_deref(), Some("s=1; t=2"));
    let mut deep = jar(IDP, &["s=1; Secure; Path=/a"]);
    deep.set(NOW, &plain, "s=2; Path=/");
    assert_eq!(all(&deep, to).as_deref(), Some("s=1; s=2"));
    let local = jar("http://localhost:1/", &["s=1; Secure; SameSite=None"]);
    let to = "http://localhost:1/";
    assert_eq!(sent(&local, NOW, to, Reach::CrossSite).as_deref(), Some("s=1"));
}

#[test]
fn prefixes_promise_what_they_say() {
    let refused =
        ["__Secure-a=1", "__host-a=1; Path=/", "__Host-a=1; Secure; Path=/; Domain=idp.example"];
    assert_eq!(jar(IDP, &refused), Jar::default());
    let kept = jar(IDP, &["__Host-a=1; Secure; Path=/", "__Secure-b=2; Secure; Path=/"]);
    assert_eq!(all(&kept, IDP).as_deref(), Some("__Host-a=1; __Secure-b=2"));
}

/// By the owner's clock; `Max-Age` wins over `Expires`.
#[test]
fn a_cookie_expires() {
    let kept = jar(IDP, &["a=1; Max-Age=10; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]);
    assert_eq!(sent(&kept, NOW + 9, IDP, Reach::Everywhere).as_deref(), Some("a=1"));
    assert_eq!(sent(&kept, NOW + 10, IDP, Reach::Everywhere), None);
    let dated = jar(IDP, &["a=1; Expires=Tue, 14 Nov 2023 22:13:30 GMT"]);
    assert_eq!(sent(&dated, NOW + 9, IDP, Reach::Everywhere).as_deref(), Some("a=1"));
    assert_eq!(sent(&dated, NOW + 10, IDP, Reach::Everywhere), None);
    let long = jar(IDP, &["a=1; Max-Age=99999999999"]);
    assert_eq!(sent(&long, NOW + LONGEST, IDP, Reach::Everywhere), None);
    for gone in ["a=1; Max-Age=0", "a=1; Max-Age=-5", "a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]
    {
        assert_eq!(jar(IDP, &["a=1", gone]), Jar::default(), "{gone}");
    }
}

#[test]
fn a_cookie_is_replaced_and_cleared() {
    let mut kept = jar(IDP, &["a=1", "a=2", "b=1; Domain=idp.example", "=3", "a=\u{7f}"]);
    assert_eq!(all(&kept, IDP).as_deref(), Some("a=2; b=1"));
    kept.clear("other.example");
    assert_eq!(all(&kept, IDP).as_deref(), Some("a=2; b=1"));
    kept.clear("login.idp.example");
    assert_eq!(kept, Jar::default());
}

#[test]
fn a_flood_of_cookies_is_bounded() {
    let headers: Vec<_> = (0..MAX_EACH + 5).map(|number| format!("c{number}=1")).collect();
    let headers: Vec<_> = headers.iter().map(String::as_str).collect();
    let kept = jar(IDP, &headers);
    assert_eq!(kept.0.len(), MAX_EACH);
    assert_eq!(kept.0[0].name, "c5", "the oldest gave way");
    let long = format!("a={}", "x".repeat(MAX_BYTES));
    assert_eq!(jar(IDP, &[&long]), Jar::default());
    assert!(!format!("{kept:?}").contains("=1"), "no value is printed");
}
