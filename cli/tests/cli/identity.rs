//! `softkey get` for an account at `softkey serve idp`, each a process of its own: by a profile that is signed in there, by
//! pages of the provider's that are visited, and what is said about requests that fail.

use std::fs::{self, Permissions};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::UNIX_EPOCH;

use serde_json::{Value, json};
use softkey_client::Profile;
use softkey_client::fetch::http::{Http, Network};
use softkey_client::fetch::{Fetch, FetchRequest, Method};
use softkey_ctap::Instant;
use tempfile::TempDir;

use crate::harness::softkey_piped;
use crate::serve::Served;

const LOGIN: &str = "https://login.idp.example/login";
pub(crate) const CONFIG: &str = "https://login.idp.example/fedcm.json";

/// A provider, and a browser profile that may be signed in there.
pub(crate) struct World {
    folder: TempDir,
    address: SocketAddr,
    served: Served,
}

impl World {
    pub(crate) fn new(faults: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root.pem");
        let mut args = vec!["--write-root", root.to_str().unwrap()];
        args.extend(faults.iter().flat_map(|fault| ["--fault", fault]));
        let mut served = Served::start(&args);
        let address = served.event()["address"].as_str().unwrap().parse().unwrap();
        Self { folder, address, served }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A browser of this profile signs in at the provider with all accounts, or with this one.
    pub(crate) fn log_in(&self, account: &str) {
        let root = fs::read(self.path("root.pem")).unwrap();
        let network = Network::new().host("login.idp.example", 443, self.address);
        let network = network.roots_from_pem(&root).unwrap();
        let form = format!("account={account}").into_bytes();
        let request = FetchRequest { method: Method::Post, body: form, ..FetchRequest::get(LOGIN) };
        let response = Http::new(&network).fetch(&request).unwrap();
        let profile = Profile::new();
        profile.set_wall_clock(Instant::default(), UNIX_EPOCH.elapsed().unwrap());
        profile.navigated(Instant::default(), LOGIN, &response);
        fs::write(self.path("profile.json"), profile.to_text().as_bytes()).unwrap();
        fs::set_permissions(self.path("profile.json"), Permissions::from_mode(0o600)).unwrap();
    }

    pub(crate) fn softkey(&self, words: &[&str], input: &str) -> Output {
        let mut command = softkey_piped();
        command.current_dir(self.folder.path()).args(words);
        command.args(["--browser-profile", "profile.json"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command may end before it has read that; what it says is judged.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// The form of the next request that the provider has heard at this endpoint, by its own log; there must be one.
    fn heard(&mut self, endpoint: &str) -> Value {
        let mut requests = std::iter::repeat_with(|| self.served.event()["request"].take());
        let request = requests.find(|request| request["endpoint"] == endpoint).unwrap();
        request["form"].clone()
    }

    /// A page of the relying party ends the connection of an account.
    fn disconnect(&self, hint: &str, words: &[&str]) -> Output {
        let options = json!({"configURL": CONFIG, "clientId": "rp", "accountHint": hint});
        self.on_page("disconnect", &options, words)
    }

    /// A page of the relying party asks for an account.
    pub(crate) fn get(&self, mode: &str, mediation: &str, words: &[&str]) -> Output {
        let provider = json!({"configURL": CONFIG, "clientId": "rp"});
        let options =
            json!({"identity": {"mode": mode, "providers": [provider]}, "mediation": mediation});
        self.on_page("get", &options, words)
    }

    fn on_page(&self, command: &str, options: &Value, words: &[&str]) -> Output {
        let words = [&[command, "--origin", "https://rp.example"], words].concat();
        self.with_servers(&words, options)
    }

    /// A command that knows where the provider is.
    pub(crate) fn with_servers(&self, words: &[&str], options: &Value) -> Output {
        let places = ["login.idp.example", "idp.example"];
        let places = places.map(|host| format!("--resolve={host}:443:{}", self.address));
        let mut all = [words, &["--root-certificate", "root.pem"]].concat();
        all.extend(places.iter().map(String::as_str));
        self.softkey(&all, &options.to_string())
    }
}

/// What is printed, on both streams.
pub(crate) fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text)).concat()
}

#[track_caller]
pub(crate) fn given(output: &Output) -> Value {
    assert!(output.status.success(), "{}", said(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The account that is named is signed in with; from then on the page may have it without asking, in another process
/// too, until it calls preventSilentAccess.
#[test]
fn an_account_is_signed_in_with_and_remembered() {
    let world = World::new(&[]);
    world.log_in("*");
    let output = world.get("passive", "silent", &[]);
    assert_eq!(output.status.code(), Some(5), "{}", said(&output));
    let output = world.get("passive", "optional", &["--account", "2"]);
    let got = given(&output);
    assert_eq!((&got["type"], &got["isAutoSelected"]), (&json!("identity"), &json!(false)));
    assert_eq!(got["configURL"], "https://login.idp.example/fedcm.json");
    assert_eq!(subject(&output), "2");

    let again = given(&world.get("passive", "silent", &[]));
    assert_eq!(again["isAutoSelected"], true);
    let ask = ["prevent-silent-access", "--origin", "https://rp.example"];
    assert!(world.softkey(&ask, "").status.success());
    let output = world.get("passive", "silent", &[]);
    assert_eq!(output.status.code(), Some(5), "{}", said(&output));

    // What is forgotten of the provider goes with the cookies.
    let forget = ["passwords", "clear-site", "https://login.idp.example"];
    assert!(world.softkey(&forget, "").status.success());
    let left = fs::read_to_string(world.path("profile.json")).unwrap();
    assert!(!left.contains("login.idp.example"), "{left}");
    let output = world.softkey(&forget, "");
    assert!(said(&output).contains("Nothing is remembered of https://login.idp.example"));
    assert_eq!(output.status.code(), Some(3));
    world.log_in("1");
    assert!(world.softkey(&forget, "").status.success(), "the cookie alone, too");
}

#[track_caller]
pub(crate) fn refused(output: &Output, words: &[&str]) {
    assert_eq!((output.status.code(), output.stdout.len()), (Some(5), 0), "{}", said(output));
    for words in words {
        assert!(said(output).contains(words), "no {words:?} in {}", said(output));
    }
}

/// The claim of a token about whom it is for.
#[track_caller]
fn subject(output: &Output) -> String {
    let credential = given(output);
    let token = credential["token"].as_str().unwrap();
    let claims = token.split('.').nth(1).and_then(softkey_client::base64url::decode).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    claims["sub"].as_str().unwrap().to_owned()
}

/// Where a page of the provider is needed, and the person says nothing about it, that is told.
#[test]
fn a_page_of_the_provider_is_not_visited_by_default() {
    let world = World::new(&[]);
    let pages = "try: a --browser-profile that is signed in at the provider, or \"mode\": \"active\" with --forms";
    for why in ["accounts endpoint: the status is 401", "nobody is signed in there"] {
        let offered = "NetworkError: No provider has an account to offer";
        refused(&world.get("passive", "optional", &["--yes"]), &[offered, why, pages]);
    }
    refused(
        &world.get("active", "optional", &["--account", "1"]),
        &[
            "wants to show https://login.idp.example/login. Visit it? Nobody is there",
            "The user did not sign in",
            "try: --forms with what",
        ],
    );
    // Visited, and nothing is known to fill in.
    refused(
        &world.get("active", "optional", &["--yes"]),
        &["https://login.idp.example/login answered with 200.", "The user did not sign in"],
    );
}

/// From nothing to a token: the login page is visited and its form sent, and the session stays in the profile.
#[test]
fn a_login_page_is_filled_in() {
    let world = World::new(&[]);
    let forms = |account: &str| {
        let forms = json!({"https://login.idp.example": [{"account": account}]});
        fs::write(world.path("forms.json"), forms.to_string()).unwrap();
    };
    forms("1");
    let output = world.get("active", "optional", &["--forms", "forms.json", "--account", "1"]);
    assert_eq!(subject(&output), "1");
    for told in [
        "fedcm.json wants to show https://login.idp.example/login.",
        "Filled in \"account\".",
        "https://login.idp.example/login answered with 200.",
    ] {
        assert!(said(&output).contains(told), "no {told:?} in {}", said(&output));
    }
    // Signed in from now on, in another process.
    assert_eq!(subject(&world.get("passive", "silent", &[])), "1");
    // Nothing is asked of the person that was not put in their mouth.
    refused(
        &world.get("active", "required", &["--forms", "forms.json"]),
        &["1  \"ada@idp.example\" at https://login.idp.example/fedcm.json", "Nobody is there"],
    );

    // Whom the provider does not know is not signed in; each form is sent once.
    let forget = ["passwords", "clear-site", "https://login.idp.example"];
    assert!(world.softkey(&forget, "").status.success());
    forms("17");
    let output = world.get("active", "optional", &["--forms", "forms.json", "--yes"]);
    refused(&output, &["answered with 200", "The user did not sign in to the provider"]);
    assert!(!said(&output).contains("Filled in"), "{}", said(&output));
}

/// The session is over and the profile does not know it yet: the login that the dialog offers is taken, once.
#[test]
fn an_offered_login_is_taken_once() {
    let world = World::new(&["accounts:status=401"]);
    world.log_in("1");
    refused(
        &world.get("passive", "optional", &["--account", "1"]),
        &[
            "1  a login at https://login.idp.example",
            "Nobody is there",
            "The user closed the dialog",
        ],
    );
    fs::write(world.path("forms.json"), r#"{"https://login.idp.example": [{"account": "2"}]}"#)
        .unwrap();
    world.log_in("1");
    let output = world.get("passive", "optional", &["--forms", "forms.json", "--account", "2"]);
    refused(&output, &["Filled in \"account\"", "1  a login at", "The user closed the dialog"]);
    assert_eq!(said(&output).matches("wants to show").count(), 1, "{}", said(&output));
}

/// A page to go on at is visited with the person's word, and its token is the page's.
#[test]
fn a_page_to_go_on_at_is_visited() {
    let world = World::new(&["id-assertion:continue"]);
    world.log_in("2");
    let output = world.get("passive", "optional", &["--yes"]);
    assert_eq!(subject(&output), "2");
    let told = "wants to show https://login.idp.example/continue.";
    assert!(said(&output).contains(told), "{}", said(&output));
    assert!(!said(&output).contains("ticket="), "{}", said(&output));
    refused(
        &world.get("passive", "required", &["--account", "2"]),
        &[told, "Nobody is there", "closed without a token", "try: --forms with what"],
    );
}

/// fedcm.md sections 1.2 and 2.5: `nonce`, as earlier pages have it, and `params` out of the options reach the provider as
/// fields of the form; `params` as compact JSON, in which a nonce of its own stays. Without them there is no such field.
#[test]
fn nonce_and_params_reach_the_provider() {
    let mut world = World::new(&[]);
    world.log_in("1");
    let provider = json!({"configURL": CONFIG, "clientId": "rp", "nonce": "n &=\u{fc}",
        "params": {"nonce": "m", "scope": ["a b", {"c": null}]}});
    let options = json!({ "identity": { "providers": [provider] } });
    given(&world.on_page("get", &options, &["--yes"]));
    let form = world.heard("id-assertion");
    let field = |name: &str| {
        let mut its = form.as_array().unwrap().iter().filter(|field| field[0] == name);
        let its = (its.next(), its.next());
        assert_eq!(its.1, None, "{form}");
        its.0.map(|field| field[1].clone())
    };
    assert_eq!(field("nonce"), Some(json!("n &=\u{fc}")));
    assert_eq!(field("params"), Some(json!(r#"{"nonce":"m","scope":["a b",{"c":null}]}"#)));
    assert_eq!(field("client_id"), Some(json!("rp")));

    given(&world.get("passive", "required", &["--yes"]));
    let plain = world.heard("id-assertion").to_string();
    assert!(plain.contains("client_id") && !plain.contains("nonce") && !plain.contains("params"));
}

/// Whom the person chooses an account of is told in the provider's words, and in nothing but words.
#[test]
fn the_looks_of_a_provider_are_told() {
    let looks = r##"config:set=branding={"name":"\u202eIdp\u001b[2J","color":"white","background_color":"#205080","icons":[{"url":"/i.png","size":40},{"url":"http://elsewhere.example/"}]}"##;
    let world = World::new(&[looks]);
    world.log_in("*");
    let output = world.get("passive", "optional", &[]);
    let told = format!(
        "{CONFIG} calls itself {}; likes \"white\" on \"#205080\"; has the icons \
         https://login.idp.example/i.png (40 pixels).\n",
        r#""\u{202e}Idp\u{1b}[2J""#
    );
    refused(&output, &["1  \"ada@idp.example\" at", &told, "Nobody is there"]);
    let quiet = said(&world.get("passive", "optional", &["--account", "1"]));
    assert!(!quiet.contains("calls itself"), "{quiet}");
    // Once, whether or not the person is asked.
    for words in [&["--verbose"][..], &["--verbose", "--account", "1"]] {
        let verbose = said(&world.get("passive", "required", words));
        assert_eq!(verbose.matches(&told).count(), 1, "{verbose}");
    }

    let words = ["--account", "1", "--verbose", "--json"];
    let output = world.get("passive", "required", &words);
    let lines = String::from_utf8(output.stderr.clone()).unwrap();
    let line = lines.lines().find(|line| line.contains("\"branding\"")).unwrap();
    assert!(line.contains(r#""name":"\u202eIdp\u001b[2J""#), "{line}");
    let line: Value = serde_json::from_str(line).unwrap();
    let expected = json!({"provider": CONFIG, "name": "\u{202e}Idp\u{1b}[2J", "color": "white",
        "background_color": "#205080",
        "icons": [{"url": "https://login.idp.example/i.png", "size": 40}]});
    assert_eq!(line["branding"], expected);
}

/// Whoever wants to see what went wrong sees each request, and no cookie.
#[test]
fn requests_are_shown() {
    let world = World::new(&["id-assertion:no-cors"]);
    world.log_in("1");
    let quiet = world.get("passive", "optional", &["--yes"]);
    refused(&quiet, &["IdentityCredentialError", "try: --verbose"]);
    assert!(!said(&quiet).contains("Sec-Fetch-Dest"), "{}", said(&quiet));
    let output = world.get("passive", "optional", &["--yes", "--verbose"]);
    refused(
        &output,
        &[
            "well-known file: GET https://idp.example/.well-known/web-identity",
            "config file: GET https://login.idp.example/fedcm.json\n  Accept: application/json\n  Sec-Fetch-Dest: webidentity\n  answered with 200\n  accepted",
            "id assertion endpoint: POST https://login.idp.example/id-assertion",
            "Cookie: session=...",
            "client_id=rp&account_id=1&is_auto_selected=false",
            "refused: Access-Control-Allow-Origin is missing",
        ],
    );
    let profile = fs::read_to_string(world.path("profile.json")).unwrap();
    let profile: Value = serde_json::from_str(&profile).unwrap();
    let cookie = profile["fedCm"]["cookies"][0]["value"].as_str().unwrap();
    assert!(cookie.len() > 8 && !said(&output).contains(cookie), "{}", said(&output));
}

/// With --json the same requests are a line each on standard error, as the error is; no cookie's value there either.
#[test]
fn requests_are_shown_to_programs() {
    let world = World::new(&["id-assertion:no-cors"]);
    world.log_in("1");
    let output = world.get("passive", "optional", &["--yes", "--verbose", "--json"]);
    refused(&output, &[]);
    let lines = String::from_utf8(output.stderr.clone()).unwrap();
    let objects = lines.lines().filter(|line| line.starts_with('{'));
    let objects: Vec<Value> = objects.map(|line| serde_json::from_str(line).unwrap()).collect();
    let (error, requests) = objects.split_last().unwrap();
    assert!(error["error"]["what"].as_str().unwrap().starts_with("IdentityCredentialError"));
    let endpoints: Vec<_> = requests.iter().map(|it| &it["request"]["endpoint"]).collect();
    for endpoint in ["wellKnown", "config", "accounts", "clientMetadata"] {
        assert!(endpoints.contains(&&json!(endpoint)), "{endpoint}");
    }
    let last = &requests.last().unwrap()["request"];
    assert_eq!(last["endpoint"], "idAssertion");
    assert_eq!(last["url"], "https://login.idp.example/id-assertion");
    assert_eq!(last["fault"], json!({"allowOrigin": null}));
    assert!(last["headers"].to_string().contains("session=..."), "{last}");
    let profile = fs::read_to_string(world.path("profile.json")).unwrap();
    let profile: Value = serde_json::from_str(&profile).unwrap();
    let cookie = profile["fedCm"]["cookies"][0]["value"].as_str().unwrap();
    assert!(cookie.len() > 8 && !lines.contains(cookie), "{lines}");
    let quiet = world.get("passive", "optional", &["--yes", "--json"]);
    assert!(!said(&quiet).contains("\"request\""), "{}", said(&quiet));
}

/// Programs read what a page would: the exception's name, and a provider's word with its page; no private cause among it.
#[test]
fn the_error_of_a_provider_is_told_to_programs() {
    let seen = |fault: &str| {
        let world = World::new(&[fault]);
        world.log_in("1");
        let output = world.get("passive", "optional", &["--yes", "--json"]);
        refused(&output, &[]);
        let text = String::from_utf8(output.stderr).unwrap();
        let line: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        ["name", "message", "error", "url"].map(|member| line["error"][member].clone())
    };
    let name = "IdentityCredentialError";
    let identity = |error: &str, url: &str| [name, name, error, url].map(|member| json!(member));
    let url = "https://login.idp.example/error?code=busy";
    assert_eq!(seen("id-assertion:error=busy"), identity("busy", url));
    assert_eq!(seen("id-assertion:no-cors"), identity("", ""));
    let other = [json!("NetworkError"), Value::Null, Value::Null, Value::Null];
    assert_eq!(seen("accounts:status=401"), other);
}

/// The provider forgets the site: by the page's call, and the client with it; then the person is asked again.
#[test]
fn a_page_is_disconnected() {
    let world = World::new(&[]);
    world.log_in("*");
    for account in ["1", "2"] {
        assert_eq!(subject(&world.get("passive", "required", &["--account", account])), account);
    }
    let output = world.disconnect("bob@idp.example", &["--json", "--verbose"]);
    let gone = json!([{"embedder": "https://rp.example", "relyingParty": "https://rp.example",
        "provider": "https://login.idp.example", "account": "2"}]);
    assert_eq!(given(&output), json!({"disconnected": gone}));
    let last = String::from_utf8_lossy(&output.stderr).lines().last().map(str::to_owned).unwrap();
    let last: Value = serde_json::from_str(&last).unwrap();
    assert_eq!(last["request"]["endpoint"], "disconnect", "{}", said(&output));
    assert_eq!(last["request"]["url"], "https://login.idp.example/disconnect");
    assert_eq!(subject(&world.get("passive", "silent", &[])), "1");
    let output = world.disconnect("1", &[]);
    assert!(output.status.success(), "{}", said(&output));
    let told = "https://rp.example is no more connected with \"1\" at https://login.idp.example.\n";
    assert_eq!(String::from_utf8_lossy(&output.stdout), told);
    refused(&world.get("passive", "silent", &[]), &["no account is connected with the page"]);
    refused(
        &world.disconnect("1", &[]),
        &["NetworkError: No account of the provider is connected", "try: softkey get"],
    );
}

/// A provider that fails to answer ends all of its connections with the page, which is told.
#[test]
fn a_disconnect_that_fails() {
    let world = World::new(&["disconnect:status=500"]);
    world.log_in("*");
    for account in ["1", "2"] {
        given(&world.get("passive", "required", &["--account", account]));
    }
    refused(
        &world.disconnect("1", &[]),
        &[
            "is no more connected with \"1\"",
            "is no more connected with \"2\"",
            "NetworkError: The answer of the disconnect endpoint cannot be used: the status is 500",
            "try: --verbose",
        ],
    );
    refused(&world.disconnect("1", &[]), &["No account of the provider is connected"]);
}

/// What the provider says in the place of a token is told.
#[test]
fn an_error_of_the_provider_is_told() {
    let world = World::new(&["id-assertion:error=\u{1b}busy"]);
    world.log_in("1");
    let output = world.get("passive", "optional", &["--account", "ada@idp.example"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(5), 0));
    let said = said(&output);
    assert!(said.contains("says \"\\u{1b}busy\""), "{said}");
    assert!(said.contains("IdentityCredentialError: The provider gave no token"), "{said}");
    assert!(!said.contains('\u{1b}'), "{said}");
}
