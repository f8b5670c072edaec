//! `softkey verify`, and `--wrong` of create and get, each way of which it must refuse.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use softkey_client::wrong::{AUTHENTICATION, REGISTRATION};
use tempfile::TempDir;

use crate::harness::{Key, softkey};

const ORIGIN: &str = "https://example.org";

/// A folder with what a page asks for, and what came of it.
struct Site(TempDir);

impl Site {
    fn new() -> Self {
        let site = Self(tempfile::tempdir().unwrap());
        site.write(
            "create.json",
            r#"{"rp": {"name": "Example"}, "user": {"id": "AQID", "name": "ada", "displayName": "Ada"},
                "challenge": "AAECAwQF", "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
                "authenticatorSelection": {"userVerification": "required"}, "attestation": "direct"}"#,
        );
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn run(&self, words: &[&str]) -> Output {
        let mut command = softkey();
        command.current_dir(self.0.path()).args(words).args(["--origin", ORIGIN]);
        command.output().unwrap()
    }

    /// Runs a command that must succeed, and keeps what it prints.
    fn keep(&self, name: &str, words: &[&str]) {
        let output = self.run(words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        fs::write(self.path(name), output.stdout).unwrap();
    }

    /// What this command says when it refuses.
    fn refusal(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        assert!(output.stdout.is_empty());
        String::from_utf8(output.stderr).unwrap()
    }

    /// Options for a sign-in with what was made.
    fn allow(&self) {
        let made: serde_json::Value = read(&self.path("made.json"));
        let options = serde_json::json!({
            "challenge": "BQQDAgEA", "userVerification": "required",
            "allowCredentials": [{"type": "public-key", "id": made["id"]}],
        });
        self.write("get.json", &options.to_string());
    }
}

fn read(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// What is told of a response that is wrong in this way. At a registration it is the attestation statement that is signed.
fn told(way: &str, registration: bool) -> &'static str {
    let statement =
        registration.then_some("The attestation statement does not hold: its signature is wrong.");
    match way {
        "credential-type" => "The credential is not of the type public-key.",
        "type" => "The client data are of another ceremony.",
        "challenge" => "The response answers another challenge.",
        "origin" | "origin-of-no-page" => "The response comes from another origin.",
        "cross-origin" | "top-origin" => "The response comes from a frame of another origin.",
        "rp-id-hash" => "The response is for another relying party.",
        "not-present" => "The user was not present.",
        "not-verified" => "The user was not verified.",
        "backup-state-alone" | "backup-eligible" => {
            "The backup flags contradict each other or the record."
        }
        "no-credential" => "There is no new credential.",
        "algorithm" => "Nobody asked for the algorithm -9.",
        "format" => "The attestation format is not known here.",
        "none-with-statement" => "The attestation statement does not hold: none must say nothing.",
        "statement-algorithm" => {
            "The attestation statement does not hold: the algorithm is not the credential's."
        }
        "other-key" | "other-hash" => statement.unwrap_or("The signature is wrong."),
        "other-id" if registration => "The response is about another credential.",
        "other-id" => "The credential is not one of those that were allowed.",
        "registered" => "The credential is registered already.",
        "long-credential-id" => "The response cannot be read (",
        "counter" => "The signature counter went from ",
        "user-handle" => "The credential is another user's, or does not say whose it is.",
        other => panic!("nothing is known of {other}"),
    }
}

const CREATE: [&str; 3] = ["create", "--options", "create.json"];
const GET: [&str; 3] = ["get", "--options", "get.json"];
const REGISTERED: [&str; 4] = ["verify", "made.json", "--options", "create.json"];
const SIGNED_IN: [&str; 6] =
    ["verify", "signed.json", "--options", "get.json", "--record", "record.json"];

#[test]
fn every_wrong_way_is_refused_and_nothing_is_accepted() {
    let site = Site::new();
    // Right the first time, and then somebody has it.
    site.keep("made.json", &[&CREATE[..], &["--wrong", "registered"]].concat());
    site.keep("ada.json", &REGISTERED);
    let beside = [&REGISTERED[..], &["--registered", "ada.json"]].concat();
    for variant in REGISTRATION {
        site.keep("made.json", &[&CREATE[..], &["--wrong", variant.name]].concat());
        let said = site.refusal(&beside);
        let wrong = format!("softkey: The response does not hold: {}", told(variant.name, true));
        assert!(said.starts_with(&wrong), "{}: {said}", variant.name);
        assert!(said.contains("\n    try: "), "{said}");
    }
    site.keep("made.json", &[&CREATE[..], &["--wrong", "nothing"]].concat());
    site.keep("record.json", &beside);
    site.allow();
    for variant in AUTHENTICATION {
        site.keep("signed.json", &[&GET[..], &["--wrong", variant.name]].concat());
        let said = site.refusal(&[&SIGNED_IN[..], &["--user", "AQID"]].concat());
        let wrong = format!("softkey: The response does not hold: {}", told(variant.name, false));
        assert!(said.starts_with(&wrong), "{}: {said}", variant.name);
        assert!(said.contains("\n    try: "), "{said}");
    }
    site.keep("signed.json", &[&GET[..], &["--wrong", "nothing"]].concat());
    site.keep("later.json", &SIGNED_IN);
    let [before, after] = ["record.json", "later.json"].map(|name| read(&site.path(name)));
    let count = |record: &serde_json::Value| record["signCount"].as_u64().unwrap();
    assert!(count(&after) > count(&before), "{before} {after}");
    assert_eq!(after["publicKey"], before["publicKey"]);
}

#[test]
fn what_a_key_made_is_accepted_by_record_and_by_public_key() {
    let site = Site::new();
    let key = Key::forgetful("auto");
    let device = format!("udp:{}", key.address);
    let at = ["--device", device.as_str()];
    let set = softkey().args(["pin", "set"]).args(at).env("SOFTKEY_PIN", "1234").output().unwrap();
    assert!(set.status.success());
    site.write("pin.txt", "1234");
    let with = [&at[..], &["--pin-file", "pin.txt"]].concat();
    site.keep("made.json", &[&CREATE[..], &with].concat());
    site.keep("record.json", &REGISTERED);
    site.allow();
    site.keep("signed.json", &[&GET[..], &with].concat());
    site.keep("later.json", &SIGNED_IN);

    // A sign-in may have an attestation object, by a draft of level 3; it stays a sign-in.
    let mut signed = read(&site.path("signed.json"));
    signed["response"]["attestationObject"] = "omNmbXRkbm9uZWdhdHRTdG10oA".into();
    site.write("attested.json", &signed.to_string());
    site.keep("attested-record.json", &[&["verify", "attested.json"], &SIGNED_IN[2..]].concat());

    let record = read(&site.path("record.json"));
    assert_eq!(record["uvInitialized"], true);
    let public_key = record["publicKey"].as_str().unwrap();
    let verify = ["verify", "signed.json", "--options", "get.json", "--public-key", public_key];
    site.keep("later.json", &verify);
    let said = site.refusal(&[&verify[..], &["--counter", "4000000000"]].concat());
    assert!(said.contains("counter"), "{said}");
    // What is wrong with the key is not told of the response.
    let verify = ["verify", "signed.json", "--options", "get.json", "--public-key", "AAAA"];
    let said = site.refusal(&verify);
    assert!(said.contains("The public key") && said.contains("try: --public-key"), "{said}");
}

/// WebAuthn Level 3 section 7.1: presence is not asked of a credential that was made without asking, and of no other.
#[test]
fn a_conditional_create_needs_no_touch() {
    let site = Site::new();
    let bare = fs::read_to_string(site.path("create.json")).unwrap();
    site.keep("made.json", &[&CREATE[..], &["--wrong", "not-present"]].concat());
    for (mediation, accepted) in [("conditional", true), ("optional", false)] {
        let options = format!(r#"{{"publicKey": {bare}, "mediation": "{mediation}"}}"#);
        site.write("create.json", &options);
        if accepted {
            site.keep("record.json", &REGISTERED);
        } else {
            assert!(site.refusal(&REGISTERED).contains("The user was not present."));
        }
    }
}

/// The verdict on the attestation of a key by the owner's root: told, and with `--trust` demanded.
#[test]
fn an_attestation_is_told_and_can_be_demanded() {
    let site = Site::new();
    let attestation = |words: &[&str]| {
        let mut command = softkey();
        command.current_dir(site.0.path()).arg("attestation").args(words);
        let output = command.args(["--file", "root.json"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    attestation(&["new"]);
    fs::write(site.path("root.pem"), attestation(&["export"])).unwrap();
    let root = site.path("root.json");
    let args = ["--ephemeral", "--approve", "auto", "--uv", "simulated", "--attestation"];
    let key = Key::start(&[&args[..], &[root.to_str().unwrap()]].concat());
    let device = format!("udp:{}", key.address);
    site.keep("made.json", &[&CREATE[..], &["--device", &device]].concat());
    let verdict = |name: &str, words: &[&str]| {
        site.keep(name, words);
        read(&site.path(name))["attestation"].clone()
    };
    let expected = |trusted: bool, why: &str| serde_json::json!({"format": "packed", "type": "certificate", "trusted": trusted, "why": why});
    let told = verdict("record.json", &REGISTERED);
    assert_eq!(told, expected(false, "no certificate to trust was named"));
    let trusting = [&REGISTERED[..], &["--trust", "root.pem"]].concat();
    let told = verdict("record.json", &trusting);
    assert_eq!(told, expected(true, "its certificates lead to one that is trusted"));

    attestation(&["remove"]);
    attestation(&["new"]);
    fs::write(site.path("root.pem"), attestation(&["export"])).unwrap();
    let said = site.refusal(&trusting);
    let nowhere = "The attestation (packed) is not trusted: The certificates lead to no root that is trusted.";
    assert!(said.contains(nowhere), "{said}");

    // The record with the verdict in it serves the sign-in, which has none.
    site.allow();
    site.keep("signed.json", &[&GET[..], &["--device", &device]].concat());
    for words in [["--trust", "root.pem"], ["--registered", "record.json"]] {
        let output = site.run(&[&SIGNED_IN[..], &words].concat());
        assert_eq!(output.status.code(), Some(2));
    }
    site.keep("later.json", &SIGNED_IN);
    assert_eq!(read(&site.path("later.json")).get("attestation"), None);
}

/// What attests itself, or not at all, leads to nobody.
#[test]
fn what_attests_itself_is_not_trusted() {
    let site = Site::new();
    site.keep("made.json", &[&CREATE[..], &["--wrong", "nothing"]].concat());
    site.keep("record.json", &REGISTERED);
    let attestation = &read(&site.path("record.json"))["attestation"];
    assert_eq!((&attestation["type"], &attestation["trusted"]), (&"self".into(), &false.into()));
    let der = include_bytes!("../../../tests/src/key/enterprise.der");
    fs::write(site.path("root.der"), der).unwrap();
    let said = site.refusal(&[&REGISTERED[..], &["--trust", "root.der"]].concat());
    let itself = "The attestation (packed) is not trusted: the credential attests itself.";
    assert!(said.contains(itself), "{said}");
    assert!(said.contains("try: a key that attests with certificates, or no --trust"), "{said}");
    for (name, text) in [("root.pem", "-----BEGIN CERTIFICATE-----\nAA==\n"), ("root.der", "")] {
        site.write(name, text);
        let output = site.run(&[&REGISTERED[..], &["--trust", name]].concat());
        assert_eq!(output.status.code(), Some(3), "{name}");
    }
}

#[test]
fn what_cannot_be_read_is_bad_input() {
    let site = Site::new();
    site.write("made.json", "{}");
    site.write("get.json", r#"{"challenge": "AA"}"#);
    let output = site.run(&["verify", "made.json", "--options", "get.json"]);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    let output = site.run(&[&CREATE[..], &["--wrong", "in-every-way"]].concat());
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("nothing, credential-type, type, challenge, origin"), "{said}");
}
