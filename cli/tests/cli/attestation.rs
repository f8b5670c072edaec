//! A root of the owner's: its file, and what a key that attests by it makes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use softkey_client::RegistrationResponse;
use softkey_client::verify::{Expected, Registered, Trust, TrustFault, TrustRoots, registration};
use tempfile::TempDir;

use crate::harness::{Key, make_credential, softkey};

const ORIGIN: &str = "https://example.org";
const RP_ID: &str = "example.org";
/// Within the validity of every root that is made from now on.
pub(crate) const NOW: u64 = 1_900_000_000;

/// A folder with a root in it.
pub(crate) struct Owner(TempDir);

impl Owner {
    /// Makes a root.
    pub(crate) fn new() -> Self {
        let owner = Self(tempfile::tempdir().unwrap());
        owner.told(&["new"]);
        owner
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.path().join("root.json")
    }

    fn attestation(&self, words: &[&str]) -> Output {
        let mut command = softkey();
        command.arg("attestation").args(words).arg("--file").arg(self.file()).output().unwrap()
    }

    /// What an order that must succeed prints.
    pub(crate) fn told(&self, words: &[&str]) -> String {
        let output = self.attestation(words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The private key as the file has it.
    fn private_key(&self) -> String {
        read(&self.file())["privateKey"].as_str().unwrap().to_owned()
    }

    /// A key that attests by the root.
    pub(crate) fn key(&self, more: &[&str]) -> Key {
        let file = self.file();
        let args = ["--ephemeral", "--approve", "auto", "--attestation", file.to_str().unwrap()];
        Key::start(&[&args[..], more].concat())
    }

    /// What the sites trust.
    pub(crate) fn roots(&self) -> TrustRoots {
        let pem = self.told(&["export"]);
        let lines = pem.lines().filter(|line| !line.starts_with("-----"));
        let der = STANDARD.decode(lines.collect::<String>()).unwrap();
        TrustRoots::new(&[&der]).unwrap()
    }
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// A registration with this key by `softkey create`, checked as a relying party does.
pub(crate) fn registered(key: &Key, alg: i64) -> Registered {
    let folder = tempfile::tempdir().unwrap();
    let options = folder.path().join("create.json");
    let text = json!({
        "rp": {"name": "Example"}, "user": {"id": "AQID", "name": "ada", "displayName": "Ada"},
        "challenge": "AAECAwQF", "pubKeyCredParams": [{"type": "public-key", "alg": alg}],
        "attestation": "direct",
    });
    fs::write(&options, text.to_string()).unwrap();
    let device = format!("udp:{}", key.address);
    let mut command = softkey();
    command.args(["create", "--origin", ORIGIN, "--device", &device, "--options"]).arg(&options);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let response: RegistrationResponse = serde_json::from_slice(&output.stdout).unwrap();
    let expected = Expected::new(&[0, 1, 2, 3, 4, 5], ORIGIN, RP_ID);
    registration(&response, &expected, &[alg]).unwrap()
}

/// The file is its owner's alone, also after a change, and whatever is printed says nothing of the private key.
#[test]
fn the_private_key_stays_in_its_file() {
    let owner = Owner(tempfile::tempdir().unwrap());
    let mut printed = String::new();
    for words in [
        &["new"][..],
        &["show"],
        &["show", "--json"],
        &["export"],
        &["export", "--json"],
        &["format", "tpm", "none"],
        &["enterprise", "example.org"],
        &["new"],
    ] {
        let output = owner.attestation(words);
        printed.push_str(&String::from_utf8(output.stdout).unwrap());
        printed.push_str(&String::from_utf8(output.stderr).unwrap());
        let mode = fs::metadata(owner.file()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{words:?}");
    }
    let key = owner.private_key();
    assert_eq!(key.len(), 43);
    assert!(!printed.contains(&key));
    let bytes = softkey_client::base64url::decode(&key).unwrap();
    assert!(!printed.contains(&STANDARD.encode(&bytes)));
    let left = fs::read_dir(owner.0.path()).unwrap().count();
    assert_eq!(left, 1, "nothing else is left behind");
}

/// What others can read is not used, and what is another file is neither used nor removed.
#[test]
fn a_file_that_is_no_root_is_left_alone() {
    let owner = Owner::new();
    fs::set_permissions(owner.file(), fs::Permissions::from_mode(0o640)).unwrap();
    let output = owner.attestation(&["show"]);
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("others can read or change") && said.contains("mode 640"), "{said}");

    for text in ["", "{}", "{\"softkeyAttestationRoot\": 2}", "a letter"] {
        fs::remove_file(owner.file()).unwrap();
        fs::write(owner.file(), text).unwrap();
        fs::set_permissions(owner.file(), fs::Permissions::from_mode(0o600)).unwrap();
        let output = owner.attestation(&["remove"]);
        assert_eq!(output.status.code(), Some(3), "{text:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("is not the file of an attestation root."), "{said}");
        assert_eq!(fs::read_to_string(owner.file()).unwrap(), text);
    }
}

/// Each format leads to the exported root, and to no other; the owner is told at the start.
#[test]
fn each_format_leads_to_the_exported_root() {
    let owner = Owner::new();
    let (roots, other) = (owner.roots(), Owner::new().roots());
    for (format, identifier) in [
        ("packed", "packed"),
        ("fido-u2f", "fido-u2f"),
        ("tpm", "tpm"),
        ("android-key", "android-key"),
        ("apple", "apple"),
        ("compound", "packed"),
    ] {
        owner.told(&["format", format]);
        let key = owner.key(&[]);
        let what = key.early[0]["what"].as_str().unwrap();
        assert!(what.contains("sites can recognise this key"), "{what}");
        let registered = registered(&key, -7);
        assert_eq!(registered.trust_paths[0].format, identifier);
        assert_eq!(roots.assess(&registered, NOW), Ok(Trust::Anchored), "{format}");
        assert_eq!(other.assess(&registered, NOW), Err(TrustFault::NoAnchor), "{format}");
    }
    for (format, trust) in [(&["self"][..], Trust::SelfSigned), (&["none", "tpm"], Trust::None)] {
        owner.told(&[&["format"], format].concat());
        let registered = registered(&owner.key(&[]), -7);
        assert_eq!(roots.assess(&registered, NOW), Ok(trust), "{format:?}");
    }
}

/// A root beside the vault is used when it is asked for, and only then.
#[test]
fn a_root_beside_the_vault_waits_to_be_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let vault = folder.path().join("vault");
    let vault = vault.to_str().unwrap();
    let made = softkey().args(["attestation", "new", "--vault", vault]).output().unwrap();
    assert!(made.status.success());
    assert!(folder.path().join("vault.attestation").exists());
    let issuers = |more: &[&str]| {
        let args = ["--approve", "auto", "--vault", vault];
        let key = Key::start(&[&args[..], more].concat());
        let chain = registered(&key, -7).trust_paths;
        key.told(&["stop"]);
        let holds = |text: &[u8]| chain[0].certificates[0].windows(text.len()).any(|it| it == text);
        holds(b"softkey test root")
    };
    assert!(!issuers(&[]));
    assert!(issuers(&["--attestation"]));
    assert!(!issuers(&[]));
}

/// Enterprise attestation is off until the owner offers it and a client turns it on in the key; mode 1 is for those
/// that are listed, mode 2 for all.
#[test]
fn enterprise_attestation_is_for_those_that_the_owner_names() {
    let owner = Owner::new();
    let turn_on = |key: &Key| {
        let device = format!("udp:{}", key.address);
        let config = ["config", "enterprise-attestation", "--device", &device];
        softkey().args(config).output().unwrap().status.success()
    };
    assert!(!turn_on(&owner.key(&[])), "not offered");
    owner.told(&["enterprise", "example.com"]);
    let serial = read(&owner.file())["enterprise"]["serialNumber"].as_str().unwrap().to_owned();
    let serial = softkey_client::base64url::decode(&serial).unwrap();
    let asking = |key: &Key, mode: u8| {
        let mut request = make_credential("ada", &[]);
        // One member more, in the last place: enterpriseAttestation.
        request[1] += 1;
        request.extend([0x0a, mode]);
        key.host().cbor(&request)
    };
    let tells = |answer: &[u8]| answer.windows(16).any(|window| window == serial);

    let key = owner.key(&[]);
    assert_eq!(asking(&key, 1), [0x02], "CTAP1_ERR_INVALID_PARAMETER before it is turned on");
    assert!(turn_on(&key));
    assert!(tells(&asking(&key, 1)) && tells(&asking(&key, 2)));

    owner.told(&["enterprise", "example.net"]);
    let key = owner.key(&[]);
    assert!(turn_on(&key));
    let answer = asking(&key, 1);
    assert_eq!(answer[0], 0);
    assert!(!tells(&answer));
    assert!(tells(&asking(&key, 2)), "the serial number stays");

    owner.told(&["enterprise", "--off"]);
    assert!(!turn_on(&owner.key(&[])));
}

/// The profile `enterprise` shows what it is like with a serial number that is no secret, once a client has turned it on.
#[test]
fn the_enterprise_profile_tells_a_published_serial_number() {
    let key = Key::start(&["--ephemeral", "--approve", "auto", "--profile", "enterprise"]);
    let device = format!("udp:{}", key.address);
    let request = {
        let mut request = make_credential("ada", &[]);
        request[1] += 1;
        request.extend([0x0a, 2]);
        request
    };
    assert_eq!(key.host().cbor(&request), [0x02]);
    let config = ["config", "enterprise-attestation", "--device", &device];
    assert!(softkey().args(config).output().unwrap().status.success());
    let answer = key.host().cbor(&request);
    let holds = |text: &[u8]| answer.windows(text.len()).any(|window| window == text);
    assert!(holds(b"softkey published test root") && holds(b"published"));
    assert!(holds(&[0x04, 0xf5]), "epAtt");
}

/// Whoever approves is told before, and over the control socket too; a sign-in tells nobody.
#[test]
fn the_owner_is_told_before_each_registration() {
    let owner = Owner::new();
    let key = owner.key(&[]);
    key.told(&["approve", "hold"]);
    let mut host = key.host();
    let answer = std::thread::scope(|scope| {
        let asking = scope.spawn(|| host.cbor(&make_credential("ada", &[("rk", true)])));
        let question = key.event("question");
        assert_eq!(
            (&question["rp"], &question["recognisable"]),
            (&json!("example.com"), &json!(true))
        );
        assert_eq!(key.status()["question"]["recognisable"], true);
        key.told(&["touch"]);
        asking.join().unwrap()
    });
    assert_eq!(answer[0], 0);
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| host.cbor(&crate::harness::get_assertion(&[])));
        assert_eq!(key.event("question")["recognisable"], false);
        key.told(&["touch"]);
        assert_eq!(asking.join().unwrap()[0], 0);
    });
}

/// A recording would lack the private key, so it could not be run again.
#[test]
fn a_seeded_recording_has_no_root() {
    let owner = Owner::new();
    let (file, record) = (owner.file(), owner.0.path().join("session"));
    let mut command = softkey();
    command.args(["run", "--ephemeral", "--seed", "1", "--record"]).arg(&record);
    let output = command.arg("--attestation").arg(file).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("the root's private key does not stand in it"), "{said}");
    assert!(!record.exists());
}
