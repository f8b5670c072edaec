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
