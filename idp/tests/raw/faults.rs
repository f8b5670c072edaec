//! Each fault: what it makes of the answer, byte for byte where that matters, and that the log names it.

use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::wire::*;

/// A world with someone signed in.
fn signed_in() -> (World, String) {
    let world = World::new();
    let cookie = world.sign_in("account=*");
    world.server.take_log();
    (world, cookie)
}

const EVERYWHERE: [&str; 8] = [
    "well-known",
    "config",
    "accounts",
    "client-metadata",
    "id-assertion",
    "disconnect",
    "picture",
    "login",
];

/// A fault is of one endpoint: there it changes the answer, and nowhere else.
#[test]
fn a_fault_is_of_one_endpoint() {
    let (world, cookie) = signed_in();
    for spoiled in EVERYWHERE {
        world.fault(&format!("{spoiled}:status=418"));
        for endpoint in EVERYWHERE {
            let wanted = if endpoint == spoiled { 418 } else { 200 };
            let heard = world.fetch(endpoint, Some(&cookie));
            assert_eq!(heard.status, wanted, "{spoiled} {endpoint}");
            let log = world.server.take_log();
            let faults: Vec<_> = log[0].faults.iter().map(ToString::to_string).collect();
            let named =
                if endpoint == spoiled { vec![format!("{spoiled}:status=418")] } else { vec![] };
            assert_eq!(faults, named);
        }
    }
}

#[test]
fn the_answer_is_called_something_else() {
    let (world, cookie) = signed_in();
    for endpoint in EVERYWHERE {
        world.fault(&format!("{endpoint}:media-type"));
        let heard = world.fetch(endpoint, Some(&cookie));
        assert_eq!(heard.header("content-type"), Some("text/html"), "{endpoint}");
        world.fault(&format!("{endpoint}:media-type=application/x"));
        let heard = world.fetch(endpoint, Some(&cookie));
        assert_eq!(heard.header("content-type"), Some("application/x"), "{endpoint}");
    }
}

/// Behind the redirect all is well, so that only the rule about redirects can fail a client.
#[test]
fn the_answer_is_elsewhere() {
    let (world, cookie) = signed_in();
    world.fault("accounts:redirect");
    let heard = world.fetch("accounts", Some(&cookie));
    let place = heard.header("location").unwrap();
    assert_eq!((heard.status, place), (302, "/accounts?redirected=1"));
    let there = world.get(IDP, place, &[DEST, JSON, ("Cookie", &cookie)]);
    assert_eq!((there.status, there.json()["accounts"][1]["id"].as_str()), (200, Some("2")));
    world.fault("accounts:redirect=https://elsewhere.example/");
    let heard = world.fetch("accounts", Some(&cookie));
    assert_eq!(heard.header("location"), Some("https://elsewhere.example/"));
}

#[test]
fn the_body_is_spoiled() {
    let (world, cookie) = signed_in();
    let accounts = |fault: &str| {
        world.fault(fault);
        world.fetch("accounts", Some(&cookie)).body
    };
    let broken = accounts("accounts:bad-json");
    assert!(broken.starts_with("{\"accounts\":[") && !broken.ends_with('}'));
    assert_eq!(accounts("accounts:text=hello"), "hello");
    assert_eq!(accounts("accounts:text"), "");
    let long = accounts("accounts:too-long");
    assert!(long.len() > 4 << 20 && serde_json::from_str::<Value>(&long).is_ok());
    let read = |fault| serde_json::from_str::<Value>(&accounts(fault)).unwrap();
    assert_eq!(read("accounts:set=accounts=7"), json!({"accounts": 7}));
    assert_eq!(read("accounts:drop=accounts"), json!({}));
    assert_eq!(read("accounts:no-accounts"), json!({"accounts": []}));
    let nameless = read("accounts:nameless");
    let first = &nameless["accounts"][0];
    assert!(first["name"].is_null() && first["email"].is_null() && first["id"] == "1");
    assert_eq!(nameless["accounts"][1]["name"], "Bob Frankston");
    let ids = read("accounts:duplicate");
    let ids: Vec<_> = ids["accounts"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, ["1", "2", "1"]);
}

#[test]
fn the_files_do_not_fit() {
    let (world, _) = signed_in();
    let read = |endpoint: &str, kind: &str| {
        world.fault(&format!("{endpoint}:{kind}"));
        world.fetch(endpoint, None).json()
    };
    let two = read("well-known", "two-providers");
    assert_eq!(
        two["provider_urls"],
        json!(["https://login.idp.example/fedcm.json", "/other.json"])
    );
    let other = read("well-known", "other-provider");
    assert_eq!(other["provider_urls"], json!(["/other.json"]));
    assert_eq!(read("well-known", "other-accounts")["accounts_endpoint"], "/other");
    assert_eq!(read("config", "foreign-login")["login_url"], "https://elsewhere.example/login");
}

#[test]
fn nobody_may_read_it() {
    let (world, cookie) = signed_in();
    for endpoint in ["id-assertion", "disconnect"] {
        let cors = |kind: &str| {
            world.fault(&format!("{endpoint}:{kind}"));
            let heard = world.fetch(endpoint, Some(&cookie));
            let header = |name| heard.header(name).map(str::to_owned);
            (header("access-control-allow-origin"), header("access-control-allow-credentials"))
        };
        let (own, yes) = (|| Some(ORIGIN.1.to_owned()), || Some("true".to_owned()));
        assert_eq!(cors("slow=0"), (own(), yes()));
        assert_eq!(cors("no-cors"), (None, None));
        assert_eq!(cors("allow-origin"), (Some("*".into()), yes()));
        assert_eq!(
            cors("allow-origin=https://a.example"),
            (Some("https://a.example".into()), yes())
        );
        assert_eq!(cors("no-credentials"), (own(), None));
    }
}

#[test]
fn there_is_no_token() {
    let (world, cookie) = signed_in();
    world.fault("id-assertion:error");
    let heard = world.fetch("id-assertion", Some(&cookie));
    let wanted = json!({"error": {"error": "access_denied", "url": "/error?code=access_denied"}});
    assert_eq!((heard.status, heard.json()), (400, wanted));
    assert_eq!(heard.header("access-control-allow-origin"), Some(ORIGIN.1));
    world.fault("id-assertion:error=server_error");
    let heard = world.fetch("id-assertion", Some(&cookie));
    assert_eq!(heard.json()["error"]["error"], "server_error");
    // Whatever the code is, the page is about all of it.
    world.fault("id-assertion:error=a&b #c+d");
    let heard = world.fetch("id-assertion", Some(&cookie)).json();
    assert_eq!(heard["error"]["error"], "a&b #c+d");
    let page = world.get(IDP, heard["error"]["url"].as_str().unwrap(), &[]);
    assert!(page.body.contains("a&amp;b #c+d</p>"), "{}", page.body);
    let page = world.get(IDP, "/error?code=%3Cb%3E", &[]);
    assert!(page.body.contains("&lt;b&gt;"));
}

/// A continuation is of one person and ends once.
#[test]
fn the_person_goes_on_elsewhere() {
    let (world, cookie) = signed_in();
    world.fault("id-assertion:continue");
    let go = || {
        let answer = world.fetch("id-assertion", Some(&cookie)).json();
        assert_eq!(answer.as_object().unwrap().len(), 1);
        answer["continue_on"].as_str().unwrap().to_owned()
    };
    let place = go();
    assert!(place.starts_with("/continue?ticket="));
    let stranger = world.get(IDP, &place, &[JSON]);
    assert_eq!((stranger.status, world.objections()), (401, vec!["nobody is signed in".into()]));
    let end = world.get(IDP, &place, &[JSON, ("Cookie", &cookie)]).json();
    assert_eq!(end["account_id"], "1");
    assert_eq!(end["token"].as_str().unwrap().split('.').count(), 3);
    assert_eq!(world.get(IDP, &place, &[JSON, ("Cookie", &cookie)]).status, 400);
    let page = world.get(IDP, &go(), &[("Cookie", &cookie)]);
    assert!(page.body.contains("IdentityProvider.resolve(\"ey"), "{}", page.body);
}

/// About the wall clock: the answer comes no earlier than it may, or not at all.
#[test]
fn the_answer_is_late() {
    let (world, _) = signed_in();
    world.fault("config:slow=60");
    let start = Instant::now();
    assert_eq!(world.fetch("config", None).status, 200);
    assert!(start.elapsed() >= Duration::from_millis(60));

    world.fault("config:silent");
    let mut stream = world.connect(IDP);
    let text = format!("GET /fedcm.json HTTP/1.1\r\nHost: {IDP}\r\n\r\n");
    stream.write_all(text.as_bytes()).unwrap();
    // The handshake, behind us now, may have taken longer.
    stream.sock.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let silence = stream.read(&mut [0]).unwrap_err();
    assert!(matches!(silence.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{silence}");

    world.fault("config:hang-up");
    let heard = world.say(IDP, text.as_bytes()).unwrap();
    assert_eq!(heard, b"");
}
