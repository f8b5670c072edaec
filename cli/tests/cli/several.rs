//! `create` and `get` before several keys: whichever is touched first serves, and the others are let go.

use std::io::Write;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

use crate::harness::{Key, softkey, softkey_piped};

const ORIGIN: &str = "https://example.org";

fn device(key: &Key) -> String {
    format!("udp:{}", key.address)
}

/// `softkey WORD` for a page of [`ORIGIN`] before these keys.
fn command(word: &str, keys: &[&Key]) -> Command {
    let mut command = softkey_piped();
    command.args([word, "--origin", ORIGIN]);
    for key in keys {
        command.args(["--device", &device(key)]);
    }
    command
}

/// Starts it with these options.
fn begin(mut command: Command, options: &Value) -> Child {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command may end before it has read that; what it says is judged.
    let _ = child.stdin.take().unwrap().write_all(options.to_string().as_bytes());
    child
}

fn creation() -> Value {
    json!({
        "rp": {"name": "Example"}, "challenge": "AAECAwQF",
        "user": {"id": "AQID", "name": "ada", "displayName": "Ada"},
        "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
    })
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What it printed.
fn given(child: Child) -> (Value, String) {
    let output = child.wait_with_output().unwrap();
    let notes = stderr(&output);
    assert!(output.status.success(), "{notes}");
    (serde_json::from_slice(&output.stdout).unwrap(), notes)
}

/// The key's line about a request that was cancelled: 0x2d, and the user decided nothing.
fn was_cancelled(key: &Key, command: &str) {
    let line = loop {
        let line = key.request();
        if line["command"] == command {
            break line;
        }
    };
    assert_eq!((&line["decided"], &line["status"]), (&json!("unanswered"), &json!("2d")));
}

#[test]
fn the_key_that_is_touched_first_serves() {
    let (one, other) = (Key::forgetful("hold"), Key::forgetful("hold"));
    let child = begin(command("create", &[&one, &other]), &creation());
    one.event("question");
    other.event("question");
    other.told(&["touch"]);
    let (made, notes) = given(child);
    assert_eq!(notes, "Touch one of the 2 keys.\n");
    was_cancelled(&one, "makeCredential");
    assert_eq!(one.status()["question"], Value::Null);

    // The other signs in with it. The one that does not know it has no part in that, though it is touched.
    one.told(&["approve", "auto"]);
    other.told(&["approve", "auto"]);
    let options = json!({"challenge": "AAECAwQF", "allowCredentials": [{"type": "public-key", "id": made["id"]}]});
    let (signed, _) = given(begin(command("get", &[&one, &other]), &options));
    assert_eq!(signed["id"], made["id"]);
}

/// The PIN of a key is asked for once a touch has shown that it is meant, and the second touch is told as the first was.
#[test]
fn a_touch_says_whose_pin_is_meant() {
    let folder = tempfile::tempdir().unwrap();
    let pin = folder.path().join("pin");
    std::fs::write(&pin, "1234\n").unwrap();
    let keys = [Key::forgetful("hold"), Key::forgetful("hold")];
    for key in &keys {
        let set = softkey().args(["pin", "set", &device(key), "--pin-file"]).arg(&pin).output();
        assert!(set.unwrap().status.success());
    }
    let [one, other] = &keys;
    let mut command = command("create", &[one, other]);
    command.arg("--pin-file").arg(&pin);
    let child = begin(command, &creation());
    for key in &keys {
        assert_eq!(key.event("question")["operation"], "choose this key");
    }
    other.told(&["touch"]);
    assert_eq!(other.event("question")["operation"], "register");
    was_cancelled(one, "selection");
    other.told(&["touch"]);
    let (_, notes) = given(child);
    assert_eq!(notes, "Touch one of the 2 keys.\nTouch the key.\n");
}

/// Why each key fails is told by its name, when all do.
#[test]
fn each_key_says_why_it_fails() {
    let (one, other) = (Key::forgetful("auto"), Key::start(&["--ephemeral", "--profile", "u2f"]));
    let mut options = creation();
    options["authenticatorSelection"] = json!({"userVerification": "required"});
    let output = begin(command("create", &[&one, &other]), &options).wait_with_output().unwrap();
    let notes = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{notes}");
    for key in [&one, &other] {
        assert!(notes.contains(&format!("{}: ", device(key))), "{notes}");
    }
    assert!(notes.contains("ConstraintError"), "{notes}");
}

/// A key that was named must be there, whatever others are; named twice it is one.
#[test]
fn each_named_key_must_be_there() {
    let key = Key::forgetful("auto");
    let mut absent = command("create", &[&key]);
    absent.args(["--device", "udp:127.0.0.1:1"]);
    let output = begin(absent, &creation()).wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert!(
        stderr(&output).contains("\"udp:127.0.0.1:1\" cannot be reached"),
        "{}",
        stderr(&output)
    );

    let (_, notes) = given(begin(command("create", &[&key, &key]), &creation()));
    assert_eq!(notes, "Touch the key.\n");
}

/// A key that goes away changes nothing for the rest.
#[test]
fn a_key_may_go_away_meanwhile() {
    let (one, other) = (Key::forgetful("hold"), Key::forgetful("hold"));
    let child = begin(command("create", &[&one, &other]), &creation());
    one.event("question");
    other.event("question");
    drop(one);
    other.told(&["touch"]);
    given(child);
}
