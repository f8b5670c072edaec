//! A key whose clock stands until its owner moves it.

use std::fs;
use std::path::Path;
use std::thread;

use serde_json::json;

use crate::harness::{GET_INFO, Key, RESET, SELECTION, get_assertion, make_credential, softkey};
use crate::harness::{u2f_poll, u2f_register};

/// A key with such a clock, and these arguments besides.
fn standing(more: &[&str]) -> Key {
    Key::start(&[&["--ephemeral", "--virtual-clock"], more].concat())
}

/// Has the same session whenever it is called, with so many looks at the key between its steps: a registration, a touch
/// that never comes, a reset too late and one in time, U2F, a request that waits while the key loses its power.
fn session(file: &Path, looks: usize) {
    let file = file.to_str().unwrap();
    let key = standing(&["--approve", "auto", "--seed", "21", "--record", file]);
    let look = || (0..looks).for_each(|_| assert!(key.status()["clock_ms"].is_u64()));
    let mut host = key.host();
    host.cbor(&GET_INFO);
    assert_eq!(host.cbor(&make_credential("ada", &[("rk", true)]))[0], 0);
    look();
    key.told(&["approve", "hold"]);
    let waiting = thread::spawn(move || (host.cbor(&SELECTION), host));
    key.event("question");
    key.told(&["advance", "29s"]);
    look();
    assert_eq!(key.status()["question"]["left_ms"], 1000);
    key.told(&["advance", "1s"]);
    let (answer, _) = waiting.join().unwrap();
    assert_eq!(answer, [0x2f]);
    key.told(&["approve", "auto"]);
    key.told(&["replug"]);
    key.told(&["advance", "10001ms"]);
    assert_eq!(key.host().cbor(&RESET), [0x30]);
    key.told(&["replug"]);
    look();
    key.told(&["advance", "9s"]);
    let mut host = key.host();
    assert_eq!(host.cbor(&RESET), [0]);
    assert_eq!(host.cbor(&get_assertion(&[])), [0x2e]);
    look();
    let registered = u2f_poll(&mut host, &u2f_register(0x44));
    assert_eq!(registered[registered.len() - 2..], [0x90, 0]);
    assert_eq!(host.cbor(&make_credential("eve", &[("rk", true)]))[0], 0);
    look();
    assert_eq!(host.cbor(&get_assertion(&[]))[0], 0);
    assert_eq!(key.status()["clock_ms"], 49_001);
    key.told(&["stop"]);
    assert!(key.wait().success());
}

/// With a seed, two runs in which the same happens in the same order write the same bytes, however fast they were; and
/// the recording is the same again.
#[test]
fn two_runs_are_the_same_recording() {
    let folder = tempfile::tempdir().unwrap();
    let [quick, slow] = ["quick", "slow"].map(|name| folder.path().join(name));
    session(&quick, 0);
    session(&slow, 15);
    let text = fs::read_to_string(&quick).unwrap();
    assert!(
        text.starts_with("{\"softkey_recording\":1,") && text.contains("\"virtual_clock\":true")
    );
    let second = fs::read_to_string(&slow).unwrap();
    let differs = text.lines().zip(second.lines()).find(|(a, b)| a != b);
    assert_eq!(differs, None);
    assert_eq!(text.len(), second.len());
    for file in [quick, slow] {
        let output = softkey().arg("replay").arg(file).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

/// Without the option the clock is the machine's, and no order moves it.
#[test]
fn the_machines_clock_cannot_be_moved() {
    let key = Key::forgetful("auto");
    let output = key.control(&["advance", "1h"]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("goes by the machine's clock.\n    try: start softkey run"), "{told}");
    assert!(key.status().get("clock_ms").is_none());
}

/// A standing clock is told at the start, on each request's line and by the status.
#[test]
fn a_standing_clock_is_told() {
    let key = standing(&["--approve", "deny"]);
    let warning = key.event("warning");
    assert!(warning["what"].as_str().unwrap().starts_with("virtual clock: "), "{warning}");
    key.host().cbor(&GET_INFO);
    assert_eq!(key.request()["pretended"], json!(["virtual clock"]));
    key.told(&["advance", "2h"]);
    let output = key.control(&["status"]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("clock         stands at 7200000 ms\n"), "{told}");
}
