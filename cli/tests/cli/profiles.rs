//! A key of another profile, from outside.

use serde_json::json;

use crate::harness::{GET_INFO, Key, softkey};

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
