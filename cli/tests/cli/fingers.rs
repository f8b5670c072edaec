//! A simulated fingerprint sensor: fingers enrolled by the manager, put on the sensor over the control socket or at
//! the terminal, and what they are good for.

use std::process::{Child, Output, Stdio};
use std::thread;

use serde_json::{Value, json};

use crate::harness::{Key, flags, make_credential, softkey};
use crate::terminal::Seat;

fn key(approve: &str) -> Key {
    Key::start(&["--ephemeral", "--approve", approve, "--uv", "fingerprint"])
}

fn started(key: &Key, words: &[&str]) -> Child {
    let mut command = softkey();
    command.args(words).arg("--device").arg(format!("udp:{}", key.address));
    command.env("SOFTKEY_PIN", "1234").stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn run(key: &Key, words: &[&str]) -> Output {
    started(key, words).wait_with_output().unwrap()
}

/// Runs a command that must succeed; gives what it prints.
fn told(key: &Key, words: &[&str]) -> String {
    let output = run(key, words);
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command that must fail with this exit code; gives what it complains of.
fn refused(key: &Key, words: &[&str], code: i32) -> String {
    let output = run(key, words);
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{words:?}: {complaint}");
    complaint
}

fn listed(key: &Key) -> Vec<Value> {
    let lines = told(key, &["fingers", "list", "--json"]);
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The whole life of fingers, with auto touching the sensor: named as they are enrolled or later, listed, removed.
#[test]
fn fingers_are_enrolled_listed_renamed_and_removed() {
    let key = key("auto");
    assert!(refused(&key, &["fingers", "list"], 6).contains("softkey pin set"));
    told(&key, &["pin", "set"]);
    let output = run(&key, &["fingers", "list"]);
    assert_eq!(output.stderr, b"No fingers are enrolled.\n");
    let added = run(&key, &["fingers", "add", "--name", "left \u{1b}thumb"]);
    assert!(added.status.success());
    let steps = String::from_utf8(added.stderr).unwrap();
    assert!(steps.contains("A good sample. Lift the finger"), "{steps}");
    assert!(steps.ends_with("A good sample, and the last one.\nEnrolled:\n"), "{steps}");
    assert!(refused(&key, &["fingers", "add"], 5).contains("another finger"));
    key.told(&["finger", "2"]);
    told(&key, &["fingers", "add", "--json"]);
    let all = listed(&key);
    assert_eq!((&all[0]["name"], &all[1]["name"]), (&json!("left \u{1b}thumb"), &Value::Null));
    let second = all[1]["id"].as_str().unwrap();
    told(&key, &["fingers", "rename", second, "index"]);
    let plain = told(&key, &["fingers", "list"]);
    assert!(plain.contains("  \"left \\u{1b}thumb\"\n") && plain.ends_with("  \"index\"\n"));
    assert!(refused(&key, &["fingers", "rename", "middle", "x"], 5).contains("fingers list"));
    let long = "x".repeat(65);
    assert!(refused(&key, &["fingers", "rename", "index", &long], 3).contains("64 bytes"));
    assert!(refused(&key, &["fingers", "add", "--name", &long], 3).contains("64 bytes"));
    told(&key, &["fingers", "remove", "index"]);
    assert_eq!(listed(&key).len(), 1);
    let json = told(&key, &["fingers", "remove", "left \u{1b}thumb", "--json"]);
    assert!(json.contains("\"name\":\"left \\u001bthumb\""), "{json}");
    assert!(listed(&key).is_empty());
}

/// The sensor is announced as a pretence; only an enrolled finger sets the UV bit, and no approval does.
#[test]
fn an_enrolled_finger_verifies_and_a_click_does_not() {
    let key = key("auto");
    for what in ["approve auto", "uv fingerprint"] {
        let warning = key.event("warning");
        assert!(warning["what"].as_str().unwrap().starts_with(what), "{warning}");
    }
    let mut host = key.host();
    assert_eq!(host.cbor(&make_credential("ada", &[("uv", true)])), [0x2c]);
    assert_eq!(flags(&host.cbor(&make_credential("ada", &[]))) & 0x05, 0x01);
    told(&key, &["pin", "set"]);
    told(&key, &["fingers", "add"]);
    let verified = host.cbor(&make_credential("ada", &[("uv", true)]));
    assert_eq!((verified[0], flags(&verified) & 0x05), (0, 0x05));
    key.told(&["finger", "9"]);
    assert_eq!(host.cbor(&make_credential("ada", &[("uv", true)])), [0x36]);
    key.told(&["replug"]);
    key.told(&["finger", "1"]);
    let mut host = key.host();
    let verified = host.cbor(&make_credential("ada", &[("uv", true)]));
    assert_eq!((verified[0], flags(&verified) & 0x05), (0, 0x05));
    assert_eq!(
        (key.status()["uv"].clone(), key.status()["finger"].clone()),
        (json!("ok"), json!(1))
    );
    key.told(&["uv", "fail"]);
    assert_eq!(host.cbor(&make_credential("ada", &[("uv", true)])), [0x36]);
}

/// Samples one by one over the socket, good and bad; the manager tells of each.
#[test]
fn samples_are_given_over_the_socket() {
    let key = key("hold");
    told(&key, &["pin", "set"]);
    let adding = started(&key, &["fingers", "add", "--name", "thumb"]);
    let touches = ["3", "too-high", "4", "3", "poor-quality", "3", "3"];
    for touch in touches {
        let question = key.event("question");
        assert_eq!(
            (&question["asks"], &question["operation"]),
            (&json!("sample"), &json!("enroll a finger"))
        );
        assert_eq!(key.control(&["touch"]).status.code(), Some(1), "a touch is no finger");
        key.told(&["finger", touch]);
    }
    let output = adding.wait_with_output().unwrap();
    assert!(output.status.success());
    let told_of = String::from_utf8(output.stderr).unwrap();
    for part in ["too high", "not look like the finger before", "could not see the finger well"] {
        assert!(told_of.contains(part), "{told_of}");
    }
    assert!(String::from_utf8(output.stdout).unwrap().ends_with("\"thumb\"\n"));
}

/// Whoever refuses a sample ends the enrollment, and nothing is left of it.
#[test]
fn a_refused_sample_ends_the_enrollment() {
    let key = key("hold");
    told(&key, &["pin", "set"]);
    let adding = started(&key, &["fingers", "add"]);
    key.event("question");
    key.told(&["finger", "1"]);
    key.event("question");
    key.told(&["approve", "deny"]);
    let output = adding.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    assert!(listed(&key).is_empty());
}

/// A key without that sensor has no such command, and its owner no such order.
#[test]
fn a_key_without_a_sensor_says_so() {
    for uv in ["none", "simulated"] {
        let key = Key::start(&["--ephemeral", "--approve", "auto", "--uv", uv]);
        assert!(refused(&key, &["fingers", "list"], 1).contains("does not have this command"));
        let order = key.control(&["finger", "1"]);
        assert_eq!(order.status.code(), Some(1));
        assert!(String::from_utf8(order.stderr).unwrap().contains("--uv fingerprint"));
    }
    let key = key("auto");
    assert_eq!(key.control(&["finger", "11"]).status.code(), Some(2));
}

/// At the terminal a finger is named; y is none.
#[test]
fn the_person_at_the_terminal_names_the_finger() {
    let mut seat = Seat::start(&["--uv", "fingerprint"]);
    let address = seat.address();
    let manager = |words: &[&str]| {
        let mut command = softkey();
        command.args(words).arg("--device").arg(format!("udp:{address}"));
        command.env("SOFTKEY_PIN", "1234").stdin(Stdio::null()).output().unwrap()
    };
    assert!(manager(&["pin", "set"]).status.success());
    thread::scope(|scope| {
        let adding = scope.spawn(|| manager(&["fingers", "add", "--json"]));
        seat.see("a program asks to enroll a finger");
        seat.see("which finger? [1-10/n]");
        seat.type_line("y");
        seat.see("y is no finger");
        for _ in 0..4 {
            seat.see("which finger? [1-10/n]");
            seat.type_line("5");
            seat.see("by you,");
        }
        assert!(adding.join().unwrap().status.success());
    });
}
