//! Each rule of the provider protocol, broken once.

use serde_json::{Value, json};
use url::Url;

use super::assertion::{ask_disconnect, disconnected};
use super::*;
use crate::fetch::{FetchResponse, Method};

const CONFIG: &str = "https://login.idp.example/fedcm.json";
const RP: &str = "https://rp.example";

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn response(status: u16, headers: &[(&str, &str)], body: &str) -> FetchResponse {
    let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    FetchResponse { status, headers, body: body.into() }
}

fn json_response(body: &Value) -> FetchResponse {
    response(200, &[("Content-Type", "application/json")], &body.to_string())
}

/// An answer that the relying party may read.
fn cors(status: u16, body: &Value) -> FetchResponse {
    let headers = [
        ("content-type", "application/json; charset=utf-8"),
        ("access-control-allow-origin", RP),
        ("access-control-allow-credentials", "true"),
    ];
    response(status, &headers, &body.to_string())
}

fn config_file() -> Value {
    json!({"accounts_endpoint": "/accounts", "id_assertion_endpoint": "/assert",
        "login_url": "/login", "disconnect_endpoint": "/disconnect"})
}

fn read_config(answer: &FetchResponse, well_known: Option<&Value>) -> Result<Config, Fault> {
    let config_url = url(CONFIG);
    let well_known = well_known.map(|value| serde_json::from_value(value.clone()).unwrap());
    let mut exchange = Config::ask(&config_url).unwrap();
    Config::read(&mut exchange, Ok(answer), &config_url, well_known.as_ref())
}

/// The config file with one member changed.
fn changed(member: &str, value: Value) -> FetchResponse {
    let mut file = config_file();
    file[member] = value;
    json_response(&file)
}

fn read_accounts(answer: Result<&FetchResponse, FetchFault>) -> Result<Vec<Account>, Fault> {
    let endpoint = url("https://login.idp.example/accounts");
    accounts(&mut Exchange::get(Endpoint::Accounts, &endpoint, RP), answer)
}

fn read_assertion(answer: Result<&FetchResponse, FetchFault>) -> Result<Assertion, AssertionError> {
    let endpoint = url("https://login.idp.example/assert");
    let mut exchange = AssertionRequest::default().ask(&endpoint, RP);
    Assertion::read(&mut exchange, answer, &endpoint)
}

/// The table of section 2: which request says what. None names a referrer, and none but three the origin.
#[test]
fn a_request_says_what_its_endpoint_may_learn() {
    let place = url("https://login.idp.example/x");
    let headers = |exchange: &Exchange| {
        let headers = exchange.request().headers.iter();
        headers.map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>()
    };
    let plain = ["Accept: application/json", "Sec-Fetch-Dest: webidentity"];
    for endpoint in [Endpoint::WellKnown, Endpoint::Config, Endpoint::Accounts] {
        assert_eq!(headers(&Exchange::get(endpoint, &place, RP)), plain, "{endpoint}");
    }
    let origin = "Origin: https://rp.example";
    let metadata = Exchange::get(Endpoint::ClientMetadata, &place, RP);
    assert_eq!(headers(&metadata), [plain[0], plain[1], origin]);
    let form = "Content-Type: application/x-www-form-urlencoded";
    for post in [AssertionRequest::default().ask(&place, RP), ask_disconnect(&place, RP, "c", "h")]
    {
        assert_eq!(headers(&post), [plain[0], plain[1], origin, form]);
        assert_eq!(post.request().method, Method::Post);
    }
    let all = [Endpoint::WellKnown, Endpoint::Config, Endpoint::ClientMetadata];
    assert!(!all.iter().any(|endpoint| endpoint.has_cookies()));
    let cookies = [Endpoint::Accounts, Endpoint::IdAssertion, Endpoint::Disconnect];
    assert!(cookies.iter().all(|endpoint| endpoint.has_cookies()));
}

/// Section 2.1: the registrable domain, without the port, and not at all for the site itself.
#[test]
fn the_well_known_file_is_of_the_registrable_domain() {
    let ask = |config: &str, party: &str| {
        WellKnown::ask(&url(config), &url(party)).map(|exchange| exchange.request().url.clone())
    };
    let place = |text: &str| Some(format!("{text}/.well-known/web-identity"));
    assert_eq!(ask(CONFIG, RP), place("https://idp.example"));
    assert_eq!(ask("https://a.b.co.uk:8443/x", RP), place("https://b.co.uk"));
    assert_eq!(ask("http://localhost:8000/x", RP), place("http://localhost"));
    assert_eq!(ask(CONFIG, "https://www.idp.example:444"), None);
    assert_eq!(ask(CONFIG, "http://www.idp.example"), place("https://idp.example"));
}

/// Section 2: the well-known file may be elsewhere; no other endpoint may.
#[test]
fn redirects_are_followed_to_the_well_known_file_only() {
    let to = |location| response(302, &[("Location", location)], "");
    let mut exchange = WellKnown::ask(&url(CONFIG), &url(RP)).unwrap();
    assert_eq!(WellKnown::read(&mut exchange, Ok(&to("https://www.idp.example/w"))), Ok(None));
    assert_eq!(exchange.request().url, "https://www.idp.example/w");
    let file = json_response(&json!({"provider_urls": [CONFIG]}));
    let read = WellKnown::read(&mut exchange, Ok(&file)).unwrap().unwrap();
    assert_eq!(read.provider_urls, [CONFIG]);
    assert_eq!(
        WellKnown::read(&mut exchange, Ok(&to("http://idp.example/"))),
        Err(Fault::Redirect)
    );
    let round = to("/w");
    let last = (0..30).map(|_| WellKnown::read(&mut exchange, Ok(&round))).find(Result::is_err);
    assert_eq!(last, Some(Err(Fault::Redirect)));

    assert_eq!(read_config(&to("/elsewhere"), None), Err(Fault::Redirect));
    assert_eq!(read_accounts(Ok(&to("/elsewhere"))), Err(Fault::Redirect));
    assert_eq!(read_assertion(Ok(&to("/elsewhere"))).unwrap_err().fault, Fault::Redirect);
}

/// Section 2: success, a JSON media type, JSON, the shape.
#[test]
fn an_answer_is_json_of_its_shape() {
    let of =
        |kind: &str, body: &str| read_accounts(Ok(&response(200, &[("Content-Type", kind)], body)));
    for kind in ["application/json", "text/json;charset=utf-8", "Application/Hal+JSON"] {
        assert_eq!(of(kind, r#"{"accounts": []}"#), Ok(Vec::new()), "{kind}");
    }
    for kind in ["text/html", "", "application/jsonp", "+json"] {
        assert_eq!(of(kind, r#"{"accounts": []}"#), Err(Fault::MediaType(kind.into())), "{kind}");
    }
    assert_eq!(of("text/json", "{"), Err(Fault::NotJson));
    assert!(
        matches!(of("text/json", "{}"), Err(Fault::Shape(detail)) if detail.contains("accounts"))
    );
    for status in [199, 300, 304, 401, 500] {
        let answer = response(status, &[("Content-Type", "text/html")], "");
        assert_eq!(read_accounts(Ok(&answer)), Err(Fault::Status(status)));
    }
    let late = FetchFault::TimedOut;
    assert_eq!(read_accounts(Err(late)), Err(Fault::NotFetched(late)));
}

/// Section 6, the config file alone.
#[test]
fn the_config_file_stays_in_its_origin() {
    let config = read_config(&json_response(&config_file()), None).unwrap();
    assert_eq!(config.login_url.as_str(), "https://login.idp.example/login");
    assert!(!config.supports_use_other_account);
    let required = ["login_url", "accounts_endpoint", "id_assertion_endpoint"];
    for member in required {
        for other in ["https://idp.example/", "http://login.idp.example/", "https://"] {
            let read = read_config(&changed(member, json!(other)), None);
            assert_eq!(read, Err(Fault::NotSameOrigin(member)), "{member} {other}");
        }
        let read = read_config(&changed(member, Value::Null), None);
        assert!(matches!(read, Err(Fault::Shape(_))), "{member}");
    }
    let foreign = changed("disconnect_endpoint", json!("https://idp.example/"));
    assert_eq!(read_config(&foreign, None).unwrap().disconnect_endpoint, None);
    let refused = Config::ask(&url("http://idp.example/")).map(drop);
    assert_eq!(refused, Err(Fault::NotTrustworthy("configURL")));
    for local in
        ["http://localhost:1/", "http://127.0.0.1/", "http://[::1]/", "http://a.localhost/"]
    {
        assert!(Config::ask(&url(local)).is_ok(), "{local}");
    }
}

/// Section 6, the config file against the well-known file.
#[test]
fn the_site_stands_behind_the_config_file() {
    let plain = json_response(&config_file());
    let with = |well_known: Value| read_config(&plain, Some(&well_known)).map(drop);
    assert_eq!(with(json!({"provider_urls": [CONFIG]})), Ok(()));
    assert_eq!(with(json!({"provider_urls": ["/fedcm.json"]})), Ok(()));
    let two = json!({"provider_urls": [CONFIG, CONFIG]});
    assert_eq!(with(two), Err(Fault::SeveralProviders(2)));
    assert_eq!(with(json!({})), Err(Fault::NoProvider));
    assert_eq!(with(json!({"accounts_endpoint": "/accounts"})), Err(Fault::NoProvider));
    assert_eq!(with(json!({"provider_urls": ["/other.json"]})), Err(Fault::OtherProvider));
    let foreign = json!({"provider_urls": ["https://idp.example/fedcm.json"]});
    assert_eq!(with(foreign), Err(Fault::NotSameOrigin("provider_urls")));

    let both =
        |accounts: &str, login: &str| json!({"accounts_endpoint": accounts, "login_url": login});
    assert_eq!(with(both("/accounts", "/login")), Ok(()));
    assert_eq!(with(both("/a", "/login")), Err(Fault::Differs("accounts_endpoint")));
    assert_eq!(with(both("/accounts", "/l")), Err(Fault::Differs("login_url")));
    let elsewhere = both("https://idp.example/accounts", "/login");
    assert_eq!(with(elsewhere), Err(Fault::NotSameOrigin("accounts_endpoint")));

    let metadata = changed("client_metadata_endpoint", json!("/metadata"));
    let short = json!({"provider_urls": [CONFIG]});
    assert_eq!(read_config(&metadata, Some(&short)), Err(Fault::WellKnownTooShort));
    assert!(read_config(&metadata, Some(&both("/accounts", "/login"))).is_ok());
}

/// Section 2.3, and the connection status of section 3.
#[test]
fn accounts_have_names_and_are_connected_or_not() {
    let read = |list: Value| read_accounts(Ok(&json_response(&json!({"accounts": list}))));
    for name in ["name", "email", "tel", "username"] {
        assert_eq!(read(json!([{"id": "1", name: "x"}])).unwrap().len(), 1, "{name}");
    }
    let nameless = json!([{"id": "1", "name": "x"}, {"id": "2", "given_name": "x", "name": ""}]);
    assert_eq!(read(nameless), Err(Fault::Nameless("2".into())));
    let twice = json!([{"id": "1", "name": "x"}, {"id": "1", "name": "y"}]);
    assert_eq!(read(twice), Err(Fault::Duplicate("1".into())));
    assert!(matches!(read(json!([{"name": "x"}])), Err(Fault::Shape(_))));

    let account = |clients: Option<&[&str]>| Account {
        approved_clients: clients.map(|clients| clients.iter().map(|one| (*one).into()).collect()),
        ..Account::default()
    };
    for (clients, remembered, connected, eligible) in [
        (None, false, false, false),
        (None, true, true, true),
        (Some(&["c"][..]), false, true, false),
        (Some(&["c"][..]), true, true, true),
        (Some(&["d"][..]), true, false, false),
    ] {
        let account = account(clients);
        assert_eq!(account.is_connected("c", remembered), connected, "{clients:?} {remembered}");
        assert_eq!(account.is_eligible("c", remembered), eligible, "{clients:?} {remembered}");
    }
}

/// Section 4, the hint filters.
#[test]
fn hints_thin_accounts_out() {
    let text = |text: &str| vec![text.to_owned()];
    let account =
        Account { login_hints: text("ada"), domain_hints: text("a.example"), ..Account::default() };
    let fit = |login: &str, domain: &str, label: &str| {
        Hints { login: login.into(), domain: domain.into(), label: label.into() }.fit(&account)
    };
    assert!(fit("", "", "") && fit("ada", "a.example", "") && fit("", "any", ""));
    assert!(!fit("eve", "", "") && !fit("", "b.example", "") && !fit("", "", "staff"));
    let homeless = Account::default();
    assert!(!Hints { domain: "any".into(), ..Hints::default() }.fit(&homeless));
}

/// Section 2.4.
#[test]
fn client_metadata_tells_the_embedder_across_sites() {
    let endpoint = url("https://login.idp.example/metadata?a=1");
    let ask = |embedder: &str| {
        ClientMetadata::ask(&endpoint, "c&d", &url(RP), &url(embedder)).request().url.clone()
    };
    let base = "https://login.idp.example/metadata?a=1&client_id=c%26d";
    assert_eq!(ask("https://www.rp.example"), base);
    let across = format!("{base}&top_level_origin=https%3A%2F%2Ftop.example");
    assert_eq!(ask("https://top.example/path"), across);
    let mut exchange = ClientMetadata::ask(&endpoint, "c", &url(RP), &url(RP));
    let read = ClientMetadata::read(&mut exchange, Ok(&json_response(&json!({})))).unwrap();
    assert_eq!(read, ClientMetadata::default());
}

/// Section 2.5, the form.
#[test]
fn the_form_has_the_fields_of_the_draft() {
    let request =
        AssertionRequest { client_id: "c".into(), account_id: "1 2".into(), ..Default::default() };
    let base = "client_id=c&account_id=1+2&is_auto_selected=false";
    assert_eq!(request.form(), format!("{base}&fields=name%2Cemail%2Cpicture"));
    let told = AssertionRequest { disclosed: true, ..request.clone() };
    let shown = "&disclosure_shown_for=name%2Cemail%2Cpicture&disclosure_text_shown=true";
    assert_eq!(told.form(), format!("{base}&fields=name%2Cemail%2Cpicture{shown}"));
    let fields = |fields: &[&str]| Some(fields.iter().map(|field| (*field).to_owned()).collect());
    let none = AssertionRequest { fields: fields(&[]), ..told.clone() };
    assert_eq!(none.form(), base);
    let some = AssertionRequest { fields: fields(&["shoe", "tel", "name"]), ..told };
    let shown = "&fields=shoe%2Ctel%2Cname&disclosure_shown_for=name%2Ctel";
    assert_eq!(some.form(), format!("{base}{shown}"));
    let more = AssertionRequest {
        params: Some(json!({"a": [1]})),
        nonce: Some("n".into()),
        is_auto_selected: true,
        fields: fields(&[]),
        ..request
    };
    let all =
        "client_id=c&nonce=n&account_id=1+2&is_auto_selected=true&params=%7B%22a%22%3A%5B1%5D%7D";
    assert_eq!(more.form(), all);
}

/// What is printed to find a mistake must not give the token away.
#[test]
fn a_token_is_not_printed() {
    let read = read_assertion(Ok(&cors(200, &json!({"token": "s3cret"}))));
    let shown = format!("{read:?}");
    assert!(shown.contains("Token") && !shown.contains("s3cret"), "{shown}");
}

/// Section 2.5, the answer: a token of any JSON, or a page to go on, in this order.
#[test]
fn a_token_comes_before_a_page() {
    let read = |value: Value| read_assertion(Ok(&cors(200, &value)));
    assert_eq!(read(json!({"token": "t"})), Ok(Assertion::Token(Token::new(json!("t")))));
    for token in [json!({"a": 1}), json!([]), json!(7), json!(""), json!(false), json!(null)] {
        let answer = json!({"token": token, "continue_on": "/c"});
        assert_eq!(read(answer), Ok(Assertion::Token(Token::new(token))));
    }
    let next = url("https://login.idp.example/c");
    assert_eq!(read(json!({"continue_on": "/c"})), Ok(Assertion::ContinueOn(next)));
    let fault = |value| read(value).unwrap_err();
    assert_eq!(
        fault(json!({"continue_on": "https://idp.example/c"})),
        Fault::NotSameOrigin("continue_on").into()
    );
    assert_eq!(fault(json!({})), Fault::NoToken.into());
}

/// Section 2.5: the provider's error goes to the page, whatever the status; its page only if of the same site.
#[test]
fn the_error_of_a_provider_is_passed_on() {
    let error = |status, value: Value| {
        let error = read_assertion(Ok(&cors(status, &value))).unwrap_err();
        (error.error, error.url, error.fault)
    };
    let denied = |url: &str| json!({"token": "t", "error": {"error": "access_denied", "url": url}});
    let with = |url: &str| ("access_denied".to_owned(), url.to_owned(), Fault::Refused);
    assert_eq!(error(400, denied("/why")), with("https://login.idp.example/why"));
    assert_eq!(error(200, denied("https://idp.example/why")), with("https://idp.example/why"));
    for other in ["https://evil.example/", "http://login.idp.example/", "", "https://"] {
        assert_eq!(error(401, denied(other)), with(""), "{other}");
    }
    let code = error(200, json!({"error": {"code": "odd"}}));
    assert_eq!(code, ("odd".into(), String::new(), Fault::Refused));
    let status = |status| error(status, json!({"token": "t"}));
    assert_eq!(status(500), ("server_error".into(), String::new(), Fault::Status(500)));
    assert_eq!(status(503), ("temporarily_unavailable".into(), String::new(), Fault::Status(503)));
    assert_eq!(status(404), (String::new(), String::new(), Fault::Status(404)));
}

/// Section 2, "cors": exactly the relying party's origin, and credentials. Nothing of such an answer gets through.
#[test]
fn an_answer_that_may_not_be_read_is_none() {
    let allowed = |headers: &[(&str, &str)]| {
        let headers = [&[("Content-Type", "application/json")], headers].concat();
        let body = r#"{"error": {"error": "access_denied"}}"#;
        read_assertion(Ok(&response(200, &headers, body))).unwrap_err()
    };
    let (origin, credentials) = ("Access-Control-Allow-Origin", "Access-Control-Allow-Credentials");
    assert_eq!(allowed(&[(credentials, "true")]), Fault::AllowOrigin(None).into());
    for other in ["*", "https://rp.example/", "https://other.example"] {
        let fault = allowed(&[(origin, other), (credentials, "true")]);
        assert_eq!(fault, Fault::AllowOrigin(Some(other.into())).into());
    }
    assert_eq!(allowed(&[(origin, RP)]), Fault::AllowCredentials.into());
    assert_eq!(allowed(&[(origin, RP), (credentials, "True")]), Fault::AllowCredentials.into());
}

/// Section 2.6.
#[test]
fn disconnecting_names_an_account() {
    let endpoint = url("https://login.idp.example/disconnect");
    let mut exchange = ask_disconnect(&endpoint, RP, "c", "ada@x");
    assert_eq!(exchange.request().body, b"client_id=c&account_hint=ada%40x");
    let answer = cors(200, &json!({"account_id": "1"}));
    assert_eq!(disconnected(&mut exchange, Ok(&answer)), Ok("1".into()));
    let bare = json_response(&json!({"account_id": "1"}));
    assert_eq!(disconnected(&mut exchange, Ok(&bare)), Err(Fault::AllowOrigin(None)));
    let refused = cors(403, &json!({"account_id": "1"}));
    assert_eq!(disconnected(&mut exchange, Ok(&refused)), Err(Fault::Status(403)));
}
