//! `softkey get` for an account at `softkey serve idp`, each a process of its own: by a profile that is signed in there,
//! and what is said where a login page would have to be shown.

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

use crate::harness::softkey;
use crate::serve::Served;

const LOGIN: &str = "https://login.idp.example/login";

/// A provider, and a browser profile that may be signed in there.
struct World {
    folder: TempDir,
    address: SocketAddr,
    _served: Served,
}

impl World {
    fn new(faults: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root.pem");
        let mut args = vec!["--write-root", root.to_str().unwrap()];
        args.extend(faults.iter().flat_map(|fault| ["--fault", fault]));
        let mut served = Served::start(&args);
        let address = served.event()["address"].as_str().unwrap().parse().unwrap();
        Self { folder, address, _served: served }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A browser of this profile signs in at the provider with all accounts, or with this one.
    fn log_in(&self, account: &str) {
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

    fn softkey(&self, words: &[&str], input: &str) -> Output {
        let mut command = softkey();
        command.current_dir(self.folder.path()).args(words);
        command.args(["--browser-profile", "profile.json"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// A page of the relying party asks for an account.
    fn get(&self, mode: &str, mediation: &str, words: &[&str]) -> Output {
        let provider =
            json!({"configURL": "https://login.idp.example/fedcm.json", "clientId": "rp"});
        let options =
            json!({"identity": {"mode": mode, "providers": [provider]}, "mediation": mediation});
        let places = ["login.idp.example", "idp.example"];
        let places = places.map(|host| format!("--resolve={host}:443:{}", self.address));
        let mut all =
            vec!["get", "--origin", "https://rp.example", "--root-certificate", "root.pem"];
        all.extend(places.iter().map(String::as_str).chain(words.iter().copied()));
        self.softkey(&all, &options.to_string())
    }
}

/// What is printed, on both streams.
fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text)).concat()
}

#[track_caller]
fn given(output: &Output) -> Value {
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
    let got = given(&world.get("passive", "optional", &["--account", "2"]));
    assert_eq!((&got["type"], &got["isAutoSelected"]), (&json!("identity"), &json!(false)));
    assert_eq!(got["configURL"], "https://login.idp.example/fedcm.json");
    let token = got["token"].as_str().unwrap();
    let claims = token.split('.').nth(1).and_then(softkey_client::base64url::decode).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!((&claims["sub"], &claims["aud"]), (&json!("2"), &json!("rp")));

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

/// No page of a provider is shown: where one is needed, that is said, whatever the person would agree to.
#[test]
fn what_takes_a_page_of_the_provider_is_refused_in_words() {
    let refused = |output: &Output, words: [&str; 3]| {
        assert_eq!((output.status.code(), output.stdout.len()), (Some(5), 0));
        for words in words {
            assert!(said(output).contains(words), "no {words:?} in {}", said(output));
        }
    };
    let world = World::new(&[]);
    let pages =
        "try: a --browser-profile that is signed in at the provider; its pages are not shown here";
    for why in ["accounts endpoint: the status is 401", "nobody is signed in there"] {
        let offered = "NetworkError: No provider has an account to offer";
        refused(&world.get("passive", "optional", &["--yes"]), [offered, why, pages]);
    }
    refused(
        &world.get("active", "optional", &["--yes"]),
        ["wants to show https://login.idp.example/login", "The user did not sign in", pages],
    );
    // The session is over, and the profile does not know it yet.
    let world = World::new(&["accounts:status=401"]);
    world.log_in("1");
    refused(
        &world.get("passive", "optional", &["--yes"]),
        ["1  a login at https://login.idp.example", "which takes a browser", "Nobody is there"],
    );
    let world = World::new(&["id-assertion:continue"]);
    world.log_in("1");
    refused(
        &world.get("passive", "optional", &["--yes"]),
        ["wants to show \"https://login.idp.example/continue?", "closed without a token", pages],
    );
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
