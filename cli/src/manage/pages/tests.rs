//! A person on a provider's pages, against servers by table: where they are led, what is filled in, and what never is.

use std::collections::BTreeMap;

use softkey_client::SecretText;
use softkey_client::fedcm::LoginStatus;

use super::*;

const IDP: &str = "https://login.idp.example";

/// Pages by `METHOD URL`.
#[derive(Default)]
struct Servers {
    routes: BTreeMap<String, FetchResponse>,
    sent: Vec<FetchRequest>,
}

impl Servers {
    fn on(mut self, line: &str, status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let mut headers: Vec<(String, String)> =
            headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        headers.push(("Content-Type".into(), "text/html; charset=utf-8".into()));
        self.routes.insert(line.into(), FetchResponse { status, headers, body: body.into() });
        self
    }

    /// What was sent, as `METHOD URL body`.
    fn lines(&self) -> Vec<String> {
        let line = |it: &FetchRequest| {
            let body = String::from_utf8_lossy(&it.body);
            format!("{} {} {body}", it.method.as_str(), it.url).trim_end().to_owned()
        };
        self.sent.iter().map(line).collect()
    }
}

impl Fetch for Servers {
    fn fetch(&mut self, request: &FetchRequest) -> Result<FetchResponse, FetchFault> {
        self.sent.push(request.clone());
        let line = format!("{} {}", request.method.as_str(), request.url);
        self.routes.get(&line).cloned().ok_or(FetchFault::NoSuchHost)
    }
}

fn forms(list: &[(&str, &[(&str, &str)])]) -> Forms {
    let mut forms = Forms::default();
    for (origin, fields) in list {
        let fields = fields.iter().map(|(name, value)| ((*name).into(), SecretText::new(*value)));
        forms.0.entry((*origin).into()).or_default().push(fields.collect());
    }
    forms
}

/// The answer about the login page, the login status after it, and what the person is told.
fn log_in(servers: &mut Servers, forms: &mut Forms) -> (Answer, LoginStatus, String) {
    let profile = Profile::new();
    let (now, told) = (Instant::default(), Vec::new());
    let mut pages = Pages { profile: &profile, fetch: servers, forms, now, told };
    let answer = pages.log_in(&format!("{IDP}/login"));
    let told = pages.told.join("\n");
    (answer, profile.login_status(IDP), told)
}

const FORM: &str = "<form method=post action=/in><input type=hidden name=csrf value=x>\
    <input name=user><input type=password name=password><button>In</button></form>";

/// A login over a redirect, two forms and a redirect back, with cookies as they come.
#[test]
fn a_login_goes_from_page_to_page() {
    let code = "<form method=post action='https://www.idp.example/code'><input name=code></form>";
    let mut servers = Servers::default()
        .on("GET https://login.idp.example/login", 302, &[("Location", "/real")], "")
        .on("GET https://login.idp.example/real", 200, &[("Set-Cookie", "a=1; Path=/")], FORM)
        .on("POST https://login.idp.example/in", 200, &[], code)
        .on("POST https://www.idp.example/code", 303, &[("Location", IDP)], "")
        .on(
            "GET https://login.idp.example/",
            200,
            &[("Set-Login", "logged-in")],
            "<form><input name=code></form>",
        );
    let mut forms = forms(&[
        (IDP, &[("code", "123456")]),
        (IDP, &[("user", "ada"), ("password", "hunter2")]),
        ("https://www.idp.example", &[("code", "1")]),
    ]);
    let (answer, status, told) = log_in(&mut servers, &mut forms);
    assert_eq!((answer, status), (Answer::Yes, LoginStatus::LoggedIn), "{told}");
    let expected = [
        "GET https://login.idp.example/login",
        "GET https://login.idp.example/real",
        "POST https://login.idp.example/in csrf=x&user=ada&password=hunter2",
        "POST https://www.idp.example/code code=123456",
        "GET https://login.idp.example/",
    ];
    assert_eq!(servers.lines(), expected, "each form is sent once");
    let header = |index: usize, name: &str| {
        let mut headers = servers.sent[index].headers.iter();
        headers.find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    };
    assert_eq!((header(2, "Origin"), header(2, "Cookie")), (Some(IDP), Some("a=1")));
    assert_eq!((header(3, "Origin"), header(3, "Cookie")), (Some(IDP), None));
    assert_eq!((header(4, "Origin"), header(4, "Cookie")), (None, Some("a=1")));
    assert!(told.contains("Filled in \"password\", \"user\"."), "{told}");
    assert!(!told.contains("hunter2") && !told.contains("123456"), "{told}");
}

/// What the person knows for one origin is filled in at no other, and what they filled in goes to no other site.
#[test]
fn nothing_is_filled_in_elsewhere() {
    let page =
        |body: &str| Servers::default().on("GET https://login.idp.example/login", 200, &[], body);
    let known: &[(&str, &str)] = &[("user", "ada"), ("password", "hunter2")];
    let (mut servers, mut other) = (page(FORM), forms(&[("https://idp.example", known)]));
    let (answer, status, _) = log_in(&mut servers, &mut other);
    assert_eq!((answer, status), (Answer::Yes, LoginStatus::Unknown));
    assert_eq!(servers.sent.len(), 1);

    let away = FORM.replace("/in", "https://evil.example/in");
    for (mut servers, why) in [
        (page(&away), "would go to another site"),
        (
            page(FORM).on(
                "POST https://login.idp.example/in",
                307,
                &[("Location", "https://evil.example/")],
                "",
            ),
            "would go to another site",
        ),
        (page(&FORM.replace("/in", "http://login.idp.example/in")), "would go to another site"),
        (
            page(FORM).on(
                "POST https://login.idp.example/in",
                302,
                &[("Location", "http://login.idp.example/")],
                "",
            ),
            "neither https nor local",
        ),
        (page(FORM), "there is no server of this name"),
    ] {
        let (answer, _, told) = log_in(&mut servers, &mut forms(&[(IDP, known)]));
        assert_eq!(answer, Answer::No, "{told}");
        assert!(told.contains(why), "no {why:?} in {told}");
        let foreign = |it: &FetchRequest| it.url.contains("evil") || it.url.starts_with("http:");
        assert!(!servers.sent.iter().any(foreign), "{:?}", servers.lines());
    }
}

/// Redirects come to an end; what is no page has no forms; a page that fails is heeded as a page.
#[test]
fn pages_that_lead_nowhere() {
    let login = "GET https://login.idp.example/login";
    let mut servers = Servers::default().on(login, 307, &[("Location", "/login")], "");
    let (answer, _, told) = log_in(&mut servers, &mut Forms::default());
    assert_eq!((answer, servers.sent.len()), (Answer::No, 21));
    assert!(told.contains("https://login.idp.example/login: it redirects too often."), "{told}");

    let mut servers = Servers::default().on(login, 500, &[("Set-Login", "logged-out")], "");
    let (answer, status, told) = log_in(&mut servers, &mut Forms::default());
    assert_eq!((answer, status), (Answer::Yes, LoginStatus::LoggedOut));
    assert!(told.contains("answered with 500"), "{told}");

    let mut servers = Servers::default().on(login, 200, &[], FORM);
    servers.routes.get_mut(login).unwrap().headers[0].1 = "text/plain".into();
    log_in(&mut servers, &mut forms(&[(IDP, &[])]));
    assert_eq!(servers.sent.len(), 1);
}

/// The answer about a page to go on at, and what the person is told.
fn go_on(mut servers: Servers) -> (Answer, String) {
    let (profile, mut forms) = (Profile::new(), Forms::default());
    let (now, told) = (Instant::default(), Vec::new());
    let mut pages = Pages { profile: &profile, fetch: &mut servers, forms: &mut forms, now, told };
    let url = format!("{IDP}/more?t=1");
    let question = Question::Continue { provider: format!("{IDP}/fedcm.json"), url: url.clone() };
    let answer = pages.go_on(&url, &question);
    (answer, pages.told.join("\n"))
}

/// A page to go on at ends with JSON; without it there is no token.
#[test]
fn a_page_to_go_on_at_gives_its_token() {
    let go_on = |body: &str| {
        go_on(Servers::default().on("GET https://login.idp.example/more?t=1", 200, &[], body))
    };
    let resolved = |token: Value, account: Option<&str>| Answer::Resolve {
        token: Token::new(token),
        account_id: account.map(str::to_owned),
    };
    assert_eq!(go_on(r#"{"token": {"a": 1}}"#).0, resolved(serde_json::json!({"a": 1}), None));
    let both = go_on(r#"{"token": "t", "account_id": "2"}"#);
    assert_eq!(both.0, resolved("t".into(), Some("2")));
    assert!(!both.1.contains('?'), "{}", both.1);
    for nothing in ["<p>One more step", "{}", r#"{"token": null}"#, "[]", ""] {
        let (answer, told) = go_on(nothing);
        assert_eq!(answer, Answer::No, "{nothing}");
        assert!(told.contains("gave no JSON with a token"), "{told}");
    }
}

/// What another origin's page calls a token is none of the provider's.
#[test]
fn a_token_of_another_origin_is_none() {
    let away = [("Location", "https://www.idp.example/more")];
    let servers = Servers::default()
        .on("GET https://login.idp.example/more?t=1", 302, &away, "")
        .on("GET https://www.idp.example/more", 200, &[], r#"{"token": "t"}"#);
    let (answer, told) = go_on(servers);
    assert_eq!(answer, Answer::No);
    assert!(told.contains("https://www.idp.example/more: The page is not one of"), "{told}");
}

/// Origins are read as they may be written; errors tell the place and no secret.
#[test]
fn the_file_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("forms.json");
    let read = |text: &str| {
        fs::write(&path, text).unwrap();
        read(&path).map_err(|error| error.what().to_owned())
    };
    let good =
        read(r#"{"HTTPS://Login.idp.example:443/": [{"user": "ada"}], "http://localhost:80": []}"#)
            .unwrap_or_default();
    assert_eq!(good.0.keys().collect::<Vec<_>>(), ["http://localhost", IDP]);
    assert_eq!(good.0[IDP].len(), 1);
    let why = |text: &str| read(text).map(|_| ()).unwrap_err();
    for wrong in
        ["login.idp.example", "http://login.idp.example", "https://a.example/login", "data:,", ""]
    {
        assert!(why(&format!("{{{wrong:?}: []}}")).contains("is no origin with https"), "{wrong}");
    }
    for wrong in [
        r#"{"https://a.example": ["secret"]}"#,
        r#"{"https://a.example": [{"a": ["secret"]}]}"#,
        "secret",
    ] {
        let why = why(wrong);
        assert!(why.contains("line 1, column") && !why.contains("secret"), "{why}");
    }
}
