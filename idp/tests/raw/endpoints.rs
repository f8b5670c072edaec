//! Each endpoint as the draft wants it (digest section 2), and each request that it may not look like.

use serde_json::{Value, json};
use softkey_idp::{Account, Expected, Setup, verify};

use super::wire::*;

/// Section 2.1: one config file, which the site stands behind; found at the site and nowhere else.
#[test]
fn the_well_known_file_names_the_config_file() {
    let world = World::new();
    let file = world.fetch("well-known", None);
    assert_eq!((file.status, file.header("content-type")), (200, Some("application/json")));
    let wanted = json!({"provider_urls": ["https://login.idp.example/fedcm.json"],
        "accounts_endpoint": "https://login.idp.example/accounts",
        "login_url": "https://login.idp.example/login"});
    assert_eq!(file.json(), wanted);
    assert_eq!(world.objections(), [""; 0]);
    assert_eq!(world.get(SITE, "/fedcm.json", &[DEST, JSON]).status, 404);
    assert_eq!(world.objections(), ["there is no such path"]);
}

/// Section 2.2.
#[test]
fn the_config_file_names_the_endpoints() {
    let world = World::new();
    let config = world.fetch("config", None).json();
    for (member, path) in [
        ("accounts_endpoint", "/accounts"),
        ("client_metadata_endpoint", "/client-metadata"),
        ("id_assertion_endpoint", "/id-assertion"),
        ("disconnect_endpoint", "/disconnect"),
        ("login_url", "/login"),
    ] {
        assert_eq!(config[member], path);
    }
    assert_eq!(world.objections(), [""; 0]);
}

/// Section 2.3: whoever is signed in, with 401 as the usual answer for nobody.
#[test]
fn accounts_are_those_who_are_signed_in() {
    let world = World::new();
    assert_eq!(world.fetch("accounts", None).status, 401);
    assert_eq!(world.objections(), ["nobody is signed in"]);
    assert_eq!(world.fetch("accounts", Some("session=guessed")).status, 401);

    let ada = world.sign_in("account=1");
    let list = world.fetch("accounts", Some(&ada)).json();
    let wanted = json!({"accounts": [{"id": "1", "name": "Ada Lovelace", "given_name": "Ada",
        "email": "ada@idp.example", "picture": "https://login.idp.example/picture",
        "login_hints": ["1", "ada@idp.example"], "domain_hints": ["idp.example"]}]});
    assert_eq!(list, wanted);
    assert_eq!(world.objections(), [""; 0]);

    let both = world.ask("POST", IDP, "/login", &[FORM, ("Cookie", &ada)], "account=2");
    let both = both.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let list = world.fetch("accounts", Some(&both)).json();
    assert_eq!(list["accounts"].as_array().unwrap().len(), 2);
}

/// Section 1.5: the page sets the cookie for other sites' requests, and the login status.
#[test]
fn signing_in_and_out_is_told_by_header() {
    let world = World::new();
    let form = world.fetch("login", None);
    assert!(form.body.contains("<button name=account value=\"1\">Ada Lovelace</button>"));
    assert_eq!(form.header("referrer-policy"), Some("same-origin"));
    let own = ("Origin", "https://login.idp.example");
    assert_eq!(world.ask("POST", IDP, "/login", &[FORM, own], "account=1").status, 200);
    let hinted = world.get(IDP, "/login?login_hint=bob%40idp.example", &[]);
    assert!(!hinted.body.contains("Ada") && hinted.body.contains("Bob"));

    let page = world.ask("POST", IDP, "/login", &[FORM], "account=*");
    assert_eq!(page.header("set-login"), Some("logged-in"));
    assert!(page.body.contains("IdentityProvider"));
    let cookie = page.header("set-cookie").unwrap();
    assert!(cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=None"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    assert_eq!(world.fetch("accounts", Some(cookie)).status, 200);

    let gone = world.ask("POST", IDP, "/logout", &[FORM, ("Cookie", cookie)], "");
    assert_eq!(gone.header("set-login"), Some("logged-out"));
    assert!(gone.header("set-cookie").unwrap().ends_with("Max-Age=0"));
    assert_eq!(world.fetch("accounts", Some(cookie)).status, 401);

    for (form, status) in [("account=3", 400), ("", 400)] {
        let page = world.ask("POST", IDP, "/login", &[FORM], form);
        assert_eq!((page.status, page.header("set-cookie")), (status, None), "{form}");
    }
    let foreign = world.ask("POST", IDP, "/login", &[FORM, ORIGIN], "account=1");
    assert_eq!((foreign.status, foreign.header("set-cookie")), (403, None));
    assert_eq!(world.objections(), ["the Origin is not the client's"]);
    assert_eq!(world.ask("POST", IDP, "/logout", &[FORM, ORIGIN], "").status, 403);
}

/// Section 2.4.
#[test]
fn client_metadata_is_for_the_client() {
    let world = World::new();
    let links = json!({"privacy_policy_url": "https://rp.example/privacy",
        "terms_of_service_url": "https://rp.example/terms"});
    assert_eq!(world.fetch("client-metadata", None).json(), links);
    assert_eq!(world.objections(), [""; 0]);
    let ask = |query: &str, origin: (&str, &str)| {
        world.get(IDP, &format!("/client-metadata{query}"), &[DEST, JSON, origin])
    };
    let foreign = |top: &str| {
        let query = format!("?client_id=rp&top_level_origin={top}");
        ask(&query, ORIGIN).json()["client_is_third_party_to_top_frame_origin"].clone()
    };
    assert_eq!(foreign("https%3A%2F%2Ftop.example"), json!(true));
    assert_eq!(foreign("https%3A%2F%2Frp.example"), json!(false));
    for (query, origin, status, why) in [
        ("", ORIGIN, 400, "client_id is missing"),
        ("?client_id=x", ORIGIN, 400, "there is no client \"x\""),
        (
            "?client_id=rp",
            ("Origin", "https://evil.example"),
            403,
            "the Origin is not the client's",
        ),
        ("?client_id=rp", ("Origin", "null"), 403, "Origin is missing"),
    ] {
        assert_eq!(ask(query, origin).status, status);
        assert_eq!(world.objections()[0], why);
    }
}

fn claims(world: &World, answer: &Value, nonce: Option<&str>) -> Value {
    let issuer = "https://login.idp.example";
    let expected = Expected { issuer, audience: "rp", nonce, now: NOW };
    let keys = world.get(IDP, "/jwks", &[]).json();
    verify(answer["token"].as_str().unwrap(), &keys, &expected).unwrap()
}

/// Section 2.5: a token for the account, with the nonce of wherever it stands, and what was disclosed.
#[test]
fn an_assertion_is_a_signed_token() {
    let world = World::new();
    let cookie = world.sign_in("account=1");
    let answer = world.fetch("id-assertion", Some(&cookie));
    assert_eq!(world.objections(), [""; 0]);
    assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN.1));
    assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
    let wanted = json!({"iss": "https://login.idp.example", "aud": "rp", "sub": "1",
        "iat": NOW, "exp": NOW + 300, "is_auto_selected": false});
    assert_eq!(claims(&world, &answer.json(), None), wanted);

    let headers = [DEST, JSON, FORM, ORIGIN, ("Cookie", &cookie)];
    let more = |more: &str| {
        let form = format!("client_id=rp&account_id=1&is_auto_selected=true{more}");
        let answer = world.ask("POST", IDP, "/id-assertion", &headers, &form);
        assert_eq!(world.objections(), [""; 0], "{more}");
        answer.json()
    };
    let shown = "&nonce=n&mode=active&fields=name,email,tel&disclosure_shown_for=name%2Cemail";
    let told = claims(&world, &more(shown), Some("n"));
    assert_eq!(told["name"], "Ada Lovelace");
    assert_eq!((&told["email"], &told["picture"]), (&json!("ada@idp.example"), &Value::Null));
    assert_eq!(told["is_auto_selected"], true);
    let picture = claims(&world, &more("&disclosure_shown_for=picture"), None);
    assert_eq!(picture["picture"], "https://login.idp.example/picture");
    claims(&world, &more("&params=%7B%22nonce%22%3A%22m%22%7D&nonce=n"), Some("m"));
}

/// Section 2: an identity provider must check these, and answers nobody who breaks them; others it only remarks on.
#[test]
fn a_request_is_looked_at() {
    let world = World::new();
    let cookie = world.sign_in("account=1");
    let cookie = ("Cookie", cookie.as_str());
    let post = |headers: &[(&str, &str)], form: &str| {
        let answer = world.ask("POST", IDP, "/id-assertion", headers, form);
        (answer.status, answer.json()["error"]["error"].clone(), world.objections())
    };
    let all = [DEST, JSON, FORM, ORIGIN, cookie];
    let is = |got: (u16, Value, Vec<String>), status, error: &str, why: &str| {
        assert_eq!((got.0, &got.1, &got.2[0][..]), (status, &json!(error), why));
    };
    let empty = ("X-Empty", "");
    let with = |at: usize, header| {
        let mut headers = all;
        headers[at] = header;
        post(&headers, ASSERTING)
    };
    let invalid = "invalid_request";
    is(with(0, empty), 400, invalid, "Sec-Fetch-Dest is missing");
    is(with(0, ("Sec-Fetch-Dest", "empty")), 400, invalid, "Sec-Fetch-Dest is empty");
    is(with(2, ("Content-Type", "text/plain")), 400, invalid, "the body is no form");
    is(with(3, empty), 403, invalid, "Origin is missing");
    let evil = with(3, ("Origin", "https://evil.example"));
    is(evil, 403, "unauthorized_client", "the Origin is not the client's");
    is(with(4, empty), 401, "access_denied", "nobody is signed in");
    let form = |form: &str| post(&all, form);
    is(form("account_id=1&is_auto_selected=true"), 400, invalid, "client_id is missing");
    is(form("client_id=rp&is_auto_selected=true"), 400, invalid, "account_id is missing");
    is(form("client_id=rp&account_id=1"), 400, invalid, "is_auto_selected is missing");
    is(form(&format!("{ASSERTING}&mode=x")), 400, invalid, "mode has no such value");
    is(form(&format!("{ASSERTING}&params=x")), 400, invalid, "params has no such value");
    let unknown = form("client_id=x&account_id=1&is_auto_selected=true");
    is(unknown, 400, "unauthorized_client", "there is no client \"x\"");
    let other = form("client_id=rp&account_id=2&is_auto_selected=true");
    is(other, 400, "access_denied", "nobody is signed in as \"2\"");

    let remarked = |headers: &[(&str, &str)], form: &str, why: &str| {
        let (status, _, objections) = post(headers, form);
        assert_eq!((status, &objections[..]), (200, &[why.to_owned()][..]));
    };
    let surplus = "\"client_id\" is not known, or came twice";
    remarked(&all, &format!("{ASSERTING}&client_id=rp"), surplus);
    remarked(&all, &format!("{ASSERTING}&x=y"), "\"x\" is not known, or came twice");
    let referred = [&all[..], &[("Referer", "https://rp.example/")]].concat();
    remarked(&referred, ASSERTING, "there is a Referer");
    remarked(&[DEST, FORM, ORIGIN, cookie], ASSERTING, "Accept does not ask for JSON");

    for (endpoint, path) in [(SITE, "/.well-known/web-identity"), (IDP, "/fedcm.json")] {
        assert_eq!(world.get(endpoint, path, &[DEST, JSON, cookie, ORIGIN]).status, 200);
        let why = ["there is an Origin where none belongs", "there are cookies where none belong"];
        assert_eq!(world.objections(), why);
        let posted = world.ask("POST", endpoint, path, &[DEST, JSON, FORM], "a=b");
        assert_eq!((posted.status, world.objections()), (405, vec!["the method is wrong".into()]));
    }
    assert_eq!(world.get(IDP, "/picture", &[("Sec-Fetch-Dest", "empty")]).status, 400);
    assert_eq!(world.get(IDP, "/picture", &[DEST]).status, 200);
    let picture = world.fetch("picture", None);
    assert_eq!((picture.status, picture.header("content-type")), (200, Some("image/png")));
}

/// What a page may not read is not made readable to it by a refusal.
#[test]
fn a_refusal_is_read_by_the_client_only() {
    let world = World::new();
    let ask = |origin| {
        let headers = [DEST, JSON, FORM, ("Origin", origin)];
        let answer = world.ask("POST", IDP, "/id-assertion", &headers, ASSERTING);
        answer.header("access-control-allow-origin").map(str::to_owned)
    };
    assert_eq!(ask("https://rp.example"), Some("https://rp.example".to_owned()));
    assert_eq!(ask("https://evil.example"), None);
}

/// Section 2.6, and section 3: a provider that tells whom it is connected with keeps count.
#[test]
fn connections_are_made_and_ended() {
    let mut setup = Setup::default();
    setup.accounts[0].approved_clients = Some(Vec::new());
    let world = World::of(setup);
    let cookie = world.sign_in("account=1");
    let approved =
        || world.fetch("accounts", Some(&cookie)).json()["accounts"][0]["approved_clients"].clone();
    assert_eq!(approved(), json!([]));
    world.fetch("id-assertion", Some(&cookie));
    assert_eq!(approved(), json!(["rp"]));
    let gone = world.fetch("disconnect", Some(&cookie));
    assert_eq!(gone.json(), json!({"account_id": "1"}));
    assert_eq!(world.objections(), [""; 0]);
    assert_eq!(gone.header("access-control-allow-origin"), Some(ORIGIN.1));
    assert_eq!(approved(), json!([]));

    let headers = [DEST, JSON, FORM, ORIGIN, ("Cookie", &cookie)];
    let bob = "client_id=rp&account_hint=bob%40idp.example";
    assert_eq!(world.ask("POST", IDP, "/disconnect", &headers, bob).status, 400);
    assert_eq!(world.ask("POST", IDP, "/disconnect", &headers, "client_id=rp").status, 400);
    assert_eq!(world.objections(), ["account_hint is missing"]);
}

/// A log line says what was sent, without the secrets.
#[test]
fn the_log_tells_each_request() {
    let world = World::new();
    let cookie = world.sign_in("account=1");
    world.server.take_log();
    world.fetch("id-assertion", Some(&cookie));
    let log = world.server.take_log();
    let [entry] = &log[..] else { panic!("{log:?}") };
    assert_eq!(entry.header("origin"), Some(ORIGIN.1));
    assert_eq!(entry.header("cookie"), Some("session"));
    assert_eq!(entry.field("account_id"), Some("1"));
    assert_eq!((entry.at, entry.status), (NOW, 200));
    let line = serde_json::to_value(entry).unwrap();
    assert_eq!(
        (&line["endpoint"], &line["path"]),
        (&json!("id-assertion"), &json!("/id-assertion"))
    );
    assert!(!line.to_string().contains(cookie.split_once('=').unwrap().1));
    assert_eq!(entry.to_string(), "POST https://login.idp.example/id-assertion -> 200");
    world.get(IDP, "/fedcm.json", &[("Sec-Fetch-Dest", "\u{9b}1m")]);
    let line = world.server.take_log()[0].to_string();
    assert!(
        line.ends_with("-> 400; Sec-Fetch-Dest is \\u{9b}1m; Accept does not ask for JSON"),
        "{line}"
    );
    world.fault("config:text=\u{e4}\n\u{9b}1m");
    world.fetch("config", None);
    let line = world.server.take_log()[0].to_string();
    assert!(line.ends_with("-> 200; fault config:text=\\u{e4}\\n\\u{9b}1m"), "{line}");
}

/// A file in either notation; what is wrong with it is told.
#[test]
fn a_setup_comes_from_a_file() {
    let toml = "origin = \"https://a.test\"\n[[accounts]]\nid = \"7\"\nname = \"<b>\"\n";
    let json = r#"{"origin": "https://a.test", "accounts": [{"id": "7", "name": "<b>"}]}"#;
    let setup = Setup::read(toml).unwrap();
    assert_eq!(setup, Setup::read(json).unwrap());
    assert_eq!(setup.names().unwrap(), ["a.test", "rp.example"]);
    let account = Account { id: "7".into(), name: Some("<b>".into()), ..Account::default() };
    assert_eq!(setup.accounts, [account]);
    let page = World::of(setup).get("a.test", "/login", &[]);
    assert!(page.body.contains("&lt;b&gt;") && !page.body.contains("<b>"));
    for (wrong, why) in [
        ("accounts = 1", "invalid type"),
        ("surprise = 1", "unknown field"),
        ("{", "EOF"),
        ("[[accounts]]\nname = \"a\"", "missing field `id`"),
    ] {
        let error = Setup::read(wrong).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    let start = |setup: &str| softkey_idp::Server::start(Setup::read(setup).unwrap());
    for (wrong, why) in [
        ("origin = \"http://a.test\"", "no https origin"),
        ("origin = \"https://127.0.0.1\"", "no https origin"),
        ("accounts = []", "there is no account"),
        ("[[accounts]]\nid = \"1\"\n[[accounts]]\nid = \"1\"", "two accounts"),
        (
            "[[clients]]\nid = \"1\"\norigins = []\n[[clients]]\nid = \"1\"\norigins = []",
            "two clients",
        ),
        ("[[clients]]\nid = \"1\"\norigins = [\"x\"]", "no https origin"),
    ] {
        let error = start(wrong).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}
