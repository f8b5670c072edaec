//! `softkey demo`.

use std::process::Stdio;

use serde_json::Value;
use softkey_client::verify::{Expected, Trust, registration};
use softkey_client::{RegistrationResponse, base64url};

use crate::attestation::{NOW, Owner};
use crate::harness::softkey;

fn ceremonies(args: &[&str]) -> String {
    let output = softkey().args(["demo", "--json"]).args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Two runs differ in everything random, two with one seed in nothing.
#[test]
fn a_seed_repeats_the_demo() {
    assert_eq!(ceremonies(&["--seed", "1"]), ceremonies(&["--seed", "1"]));
    assert_ne!(ceremonies(&["--seed", "1"]), ceremonies(&["--seed", "2"]));
    let [first, second] = [ceremonies(&[]), ceremonies(&[])];
    let challenge = |text: &str| {
        let line: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        line["challenge"].as_str().unwrap().to_owned()
    };
    assert_ne!(challenge(&first), challenge(&second));
}

/// Each line has what a relying party checks.
#[test]
fn the_json_form_has_what_a_relying_party_checks() {
    let text = ceremonies(&[]);
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [registration, authentication] = lines.as_slice() else { panic!("{text}") };
    for name in
        ["challenge", "clientDataJSON", "attestationObject", "authenticatorData", "publicKey"]
    {
        assert!(registration[name].is_string(), "{name}");
    }
    for name in ["challenge", "clientDataJSON", "authenticatorData", "signature", "userHandle"] {
        assert!(authentication[name].is_string(), "{name}");
    }
    assert_eq!(registration["credentialId"], authentication["credentialId"]);
    assert_eq!(registration["credential"]["id"], registration["credentialId"]);
}

/// The story is told to the end, in order.
#[test]
fn the_story_goes_from_init_to_the_signature() {
    let output = softkey().arg("demo").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut rest = text.as_str();
    for part in [
        "CTAPHID",
        "Registration",
        "authenticatorMakeCredential",
        "touched by the demo itself",
        "CTAP2_OK",
        "attestation        packed",
        "keeps the public key",
        "attestation        signed by the batch key that every softkey shares",
        "Sign-in",
        "authenticatorGetAssertion",
        "signature",
        "Ada is in",
    ] {
        let at = rest.find(part).unwrap_or_else(|| panic!("no {part:?} in {rest}"));
        rest = &rest[at..];
    }
}

/// A root of the owner's attests in the demo, too, and the story says what that tells.
#[test]
fn a_root_attests_the_demos_credential() {
    let owner = Owner::new();
    owner.told(&["format", "android-key"]);
    let file = owner.file();
    let root = ["--attestation", file.to_str().unwrap()];
    let output = softkey().arg("demo").args(root).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "it can tell this key from all others then",
        "attestation        android-key",
        "attestation        leads to the root of the key's owner",
    ] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    let line = ceremonies(&root);
    let line: Value = serde_json::from_str(line.lines().next().unwrap()).unwrap();
    let response: RegistrationResponse =
        serde_json::from_value(line["credential"].clone()).unwrap();
    let (challenge, origin) =
        (line["challenge"].as_str().unwrap(), line["origin"].as_str().unwrap());
    let challenge = base64url::decode(challenge).unwrap();
    let expected = Expected::new(&challenge, origin, line["rpId"].as_str().unwrap());
    let registered = registration(&response, &expected, &[-7, -8]).unwrap();
    assert_eq!(owner.roots().assess(&registered, NOW), Ok(Trust::Anchored));
    let missing = softkey().args(["demo", "--attestation", "/nowhere/root"]).output().unwrap();
    assert_eq!((missing.status.code(), missing.stdout.len()), (Some(3), 0));
}

/// Each built-in profile is a key that registers and signs in; one without accounts is asked by identifier.
#[test]
fn every_profile_goes_through_the_demo() {
    let listed = softkey().args(["profiles", "list"]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let names: Vec<&str> = listed.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.len() > 20 && names.contains(&"u2f"), "{listed}");
    for name in names {
        let text = ceremonies(&["--seed", "1", "--profile", name]);
        let lines: Vec<Value> = text.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
        let kinds: Vec<&Value> = lines.iter().map(|line| &line["ceremony"]).collect();
        assert_eq!(kinds, ["registration", "authentication"], "{name}");
        assert_eq!(lines[0]["credentialId"], lines[1]["credentialId"], "{name}");
        let keeps_accounts = !["u2f", "not-discoverable"].contains(&name);
        assert_eq!(lines[1]["userHandle"].is_string(), keeps_accounts, "{name}");
    }
}

fn told(args: &[&str]) -> (Option<i32>, String, String) {
    let output = softkey().arg("demo").args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The story of a key of U2F alone, and of one that keeps no accounts.
#[test]
fn the_story_is_that_of_the_profile() {
    let (_, text, _) = told(&["--profile", "u2f"]);
    for part in
        ["MSG (U2F)", "U2F_REGISTER, ", "6985, a touch is needed", "9000, success", "Ada is in"]
    {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    assert!(!text.contains("CBOR"), "{text}");
    let (_, text, _) = told(&["--profile", "not-discoverable"]);
    assert!(text.contains("allow list") && !text.contains("any discoverable"), "{text}");
    let (_, text, _) = told(&["--profile", "always-uv"]);
    assert!(text.contains("user verified"), "{text}");
}

/// A file may be a profile too. What cannot be taken through the demo is told before anything happens.
#[test]
fn a_profile_that_the_demo_cannot_play_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    let name = file.to_str().unwrap();
    std::fs::write(&file, "algorithms = [\"ES384\"]\n").unwrap();
    let (code, text, _) = told(&["--profile", name]);
    assert_eq!(code, Some(0));
    assert!(text.contains("ES384 (-35)"), "{text}");
    for (toml, why) in [
        ("faults = [\"wrong-signature\"]", "has faults"),
        ("always-uv = true", "always wants its user verified"),
        ("always-uv = true\nbuilt-in-uv = \"fingerprint\"", "always wants its user verified"),
        ("nonsense = 1", "makes no sense in line 1"),
    ] {
        std::fs::write(&file, format!("{toml}\n")).unwrap();
        let (code, text, error) = told(&["--profile", name]);
        assert_eq!((code, text.as_str()), (Some(3), ""), "{toml}");
        assert!(error.contains(why) && error.contains("\n    try: "), "{error}");
    }
    assert_eq!(told(&["--profile", "no-such-key"]).0, Some(3));
}

/// A reader that goes away is no failure.
#[test]
fn a_closed_pipe_is_success() {
    let mut child =
        softkey().arg("demo").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
