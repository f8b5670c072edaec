//! A key of another profile, from outside.

use serde_json::json;

use crate::harness::{GET_INFO, Key, flags, make_credential, softkey};

/// While a profile is on, the key says so at the start and on each line; the default says nothing.
#[test]
fn a_profile_is_announced() {
    let key = Key::start(&["--ephemeral", "--approve", "deny", "--profile", "ctap2.0"]);
    assert_eq!(
        key.event("warning")["what"],
        "profile ctap2.0: this is not the key that softkey is by default"
    );
    let answer = key.host().cbor(&GET_INFO);
    let old = b"\x82\x66U2F_V2\x68FIDO_2_0";
    assert!(answer.windows(old.len()).any(|window| window == old), "{answer:x?}");
    assert_eq!(key.request()["pretended"], json!(["profile ctap2.0"]));
    let plain = Key::start(&["--ephemeral", "--approve", "deny", "--profile", "default"]);
    plain.host().cbor(&GET_INFO);
    assert_eq!(plain.request()["pretended"], json!([]));
}

/// A profile's certifications and vendor's commands are told; the manager has such a command carried out, and the line
/// about it has its number.
#[test]
fn a_vendors_command_is_carried_out_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("vendor.toml");
    std::fs::write(&file, "certifications = { FIDO = 2 }\nvendor-commands = [7, 0xf00d]\n")
        .unwrap();
    let profile = file.to_str().unwrap();
    let key = Key::start(&["--ephemeral", "--approve", "deny", "--profile", profile]);
    let device = format!("udp:{}", key.address);
    let run = |words: &[&str]| {
        let output = softkey().args(words).args(["--device", &device, "--json"]).output().unwrap();
        let told = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.code(), told)
    };
    let (_, info) = run(&["info"]);
    let info: serde_json::Value = serde_json::from_str(&info).unwrap();
    let told = info.to_string();
    assert!(told.contains(r#""certifications":{"FIDO":2}"#), "{told}");
    assert!(told.contains(r#""vendorPrototypeConfigCommands":[7,61453]"#), "{told}");
    let done = run(&["config", "vendor", "0xf00d", "--parameters", "a202f50a6178"]);
    assert_eq!(done, (Some(0), "{\"vendorCommandId\":61453}\n".to_owned()));
    let (code, told) = run(&["config", "vendor", "8"]);
    assert!(code != Some(0) && told.contains("does not have this command"), "{told}");
    for wrong in ["a10105", "80", "xyz", "a102", "a202f502f5"] {
        assert_eq!(run(&["config", "vendor", "7", "--parameters", wrong]).0, Some(2), "{wrong}");
    }
    loop {
        let request = key.request();
        if request["command"].as_str().is_some_and(|command| command.starts_with("config")) {
            assert_eq!(request["command"], "config vendorPrototype 0xf00d");
            break;
        }
    }
}

/// The faults of a profile are on from the start, before those of the command line: warned of, told on each line,
/// and named where they changed the answer.
#[test]
fn the_faults_of_a_profile_are_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("faulty.toml");
    std::fs::write(&file, "faults = [\"wrong-up\"]\n").unwrap();
    let profile = file.to_str().unwrap();
    let args = ["--ephemeral", "--approve", "auto", "--profile", profile, "--fault", "silence@9"];
    let key = Key::start(&args);
    let [_, warning] = [0; 2].map(|_| key.event("warning")["what"].clone());
    assert_eq!(warning, "fault wrong-up: the UP bit is the opposite of the truth, and signed");
    assert_eq!(flags(&key.host().cbor(&make_credential("ada", &[]))) & 1, 0);
    let line = key.request();
    assert_eq!((&line["status"], &line["faults"]), (&json!("00"), &json!(["wrong-up"])));
    let on = json!(["approve auto", "fault wrong-up", "fault silence@9"]);
    assert_eq!(line["pretended"], on);
    key.told(&["fault", "off", "wrong-up"]);
    assert_eq!(flags(&key.host().cbor(&make_credential("ada", &[]))) & 1, 1);
    assert_eq!(key.request()["faults"], json!([]));
}

/// A key of U2F alone says so in its answer to INIT, and CTAPHID refuses CBOR.
#[test]
fn a_key_of_u2f_alone_refuses_cbor() {
    let key = Key::start(&["--ephemeral", "--approve", "deny", "--profile", "u2f"]);
    let output = softkey()
        .args(["info", "--device", &format!("udp:{}", key.address), "--json"])
        .output()
        .unwrap();
    let told = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(told.contains("U2F"), "{told}");
}

/// A vault that was made with a profile is opened with that profile only.
#[test]
fn a_vault_stays_with_its_profile() {
    let folder = tempfile::tempdir().unwrap();
    let vault = folder.path().join("vault");
    let vault = vault.to_str().unwrap();
    let args = ["--approve", "deny", "--vault", vault];
    let key = Key::start(&[&args[..], &["--profile", "tiny"]].concat());
    key.told(&["stop"]);
    drop(key);
    for wrong in [&[][..], &["--profile", "ctap2.1"]] {
        let run = ["run", "--transport", "udp", "--listen", "127.0.0.1:0"];
        let output = softkey().args(run).args(args).args(wrong).output().unwrap();
        assert_eq!(output.status.code(), Some(7));
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains("was made with the profile tiny.\n    try: "), "{told}");
    }
    Key::start(&[&args[..], &["--profile", "tiny"]].concat());
}
