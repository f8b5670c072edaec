//! The control socket from outside.

use std::os::unix::fs::MetadataExt;

use crate::harness::{Key, softkey};

/// The socket is the owner's alone, and `status` shows what the orders change.
#[test]
fn orders_change_what_status_shows() {
    let key = Key::forgetful("hold");
    let mode = std::fs::symlink_metadata(key.socket()).unwrap().mode();
    assert_eq!(mode & 0o777, 0o600);
    for mode in ["auto", "deny", "hold"] {
        key.told(&["approve", mode]);
        assert_eq!(key.event("approve")["approve"], mode);
        assert_eq!(key.status()["approve"], mode);
    }
    let text = String::from_utf8(key.control(&["status"]).stdout).unwrap();
    let expected = format!(
        "shown on      udp {}\napprove       hold\nrequests      0\npower cycles  1\nidle\n",
        key.address
    );
    assert_eq!(text, expected);
}

/// An order that cannot be carried out fails with both parts of an error.
#[test]
fn orders_that_cannot_be_carried_out_say_why() {
    let key = Key::forgetful("hold");
    for (order, part) in [
        (&["approve", "ask"][..], "no terminal"),
        (&["touch"], "does not wait for a touch"),
        (&["uv", "ok"], "no sensor"),
    ] {
        let output = key.control(order);
        assert_eq!(output.status.code(), Some(1), "{order:?}");
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains(part) && told.contains("\n    try: "), "{told}");
    }
}

/// Where others can reach the key, approval by nobody needs a key that forgets, at the start and later.
#[test]
fn auto_is_refused_where_others_can_reach_the_vault() {
    let folder = tempfile::tempdir().unwrap();
    let vault = folder.path().join("vault");
    let output = softkey()
        .args([
            "run",
            "--transport",
            "udp",
            "--listen",
            "0.0.0.0:0",
            "--approve",
            "auto",
            "--vault",
        ])
        .arg(&vault)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(!vault.exists(), "nothing was made");
    let key = Key::start(&[
        "--listen",
        "0.0.0.0:0",
        "--vault",
        vault.to_str().unwrap(),
        "--approve",
        "hold",
    ]);
    assert_eq!(key.control(&["approve", "auto"]).status.code(), Some(1));
    assert_eq!(key.status()["approve"], "hold");
}
