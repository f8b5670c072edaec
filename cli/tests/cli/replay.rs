//! A session is recorded, and run again.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::process::{Signal, kill_process};
use serde_json::Value;

use crate::harness::{GET_INFO, Key, RESET, make_credential, softkey};

/// Records a session with this seed: registrations, a refusal, a power cycle, U2F, a reset.
fn recorded(file: &Path, more: &[&str]) -> Key {
    let file = file.to_str().unwrap();
    let args = ["--ephemeral", "--approve", "auto", "--record", file];
    let key = Key::start(&[&args[..], more].concat());
    let mut host = key.host();
    host.cbor(&GET_INFO);
    host.cbor(&make_credential("ada", &[("rk", true)]));
    host.cbor(&[0x7E]);
    host.msg(&[0, 3, 0, 0, 0, 0, 0]);
    key.told(&["approve", "deny"]);
    host.cbor(&make_credential("bob", &[]));
    key.told(&["approve", "auto"]);
    key.told(&["replug"]);
    let mut host = key.host();
    host.cbor(&RESET);
    host.cbor(&make_credential("eve", &[("rk", true)]));
    key
}

fn replayed(file: &Path, more: &[&str]) -> (Option<i32>, String, String) {
    let output = softkey().arg("replay").arg(file).args(more).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn lines(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A seeded session gives the same again, byte for byte, of whatever profile.
#[test]
fn a_seeded_session_is_the_same_again() {
    let folder = tempfile::tempdir().unwrap();
    for (name, more) in [
        ("plain", &["--seed", "7"][..]),
        ("old", &["--seed", "8", "--profile", "ctap2.0"]),
        ("other", &["--seed", "9", "--uv", "simulated", "--algorithms", "EdDSA,ES256"]),
    ] {
        let file = folder.path().join(name);
        recorded(&file, more).told(&["stop"]);
        let (code, out, err) = replayed(&file, &[]);
        assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
        assert!(out.starts_with("the same: 7 requests, in "), "{out}");
        let (code, out, _) = replayed(&file, &["--json"]);
        let told: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, &told["same"], &told["requests"]), (Some(0), &true.into(), &7.into()));
    }
}

/// A key that could not be shown leaves no recording behind, so that the same command can be given again; and where a
/// recording is, nothing is begun.
#[test]
fn a_start_that_fails_leaves_no_recording() {
    let folder = tempfile::tempdir().unwrap();
    let (file, vault) = (folder.path().join("recording"), folder.path().join("vault"));
    let other = Key::forgetful("auto");
    let start = |more: &[&str]| {
        let mut command = softkey();
        command.args(["run", "--transport", "udp", "--approve", "auto", "--record"]).arg(&file);
        let output = command.args(more).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let place = other.address.clone();
    for _ in 0..2 {
        let (code, err) = start(&["--ephemeral", "--listen", &place]);
        assert_eq!(code, Some(1), "{err}");
        let told = format!("The key cannot be shown at udp {place}: Address already in use");
        assert!(err.contains(&told), "{err}");
        assert!(!file.exists());
    }
    fs::write(&file, "one\ntwo\nthree\n").unwrap();
    let (code, err) = start(&["--listen", "127.0.0.1:0", "--vault", vault.to_str().unwrap()]);
    assert_eq!(code, Some(3), "{err}");
    assert!(err.contains("cannot be begun"), "{err}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing but that file");
}

/// A recording that was changed anywhere differs from there on, and the difference is shown.
#[test]
fn the_first_difference_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("session");
    recorded(&file, &["--seed", "7"]).told(&["stop"]);
    let text = fs::read_to_string(&file).unwrap();
    // Another seed: the first answer that depends on it is the first registration's.
    fs::write(&file, text.replacen("\"seed\":7", "\"seed\":8", 1)).unwrap();
    let (code, out, _) = replayed(&file, &[]);
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("authenticatorMakeCredential") || out.contains("answer to"), "{out}");
    assert!(out.contains("the answer differs from byte "), "{out}");
    let (code, out, _) = replayed(&file, &["--json"]);
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &told["same"], &told["what"]), (Some(1), &false.into(), &"answer".into()));
    assert_ne!(told["recorded"], told["replayed"]);
    // Another reason, in the line of the unknown command.
    assert!(text.contains("\"UnknownCommand\""));
    fs::write(&file, text.replacen("\"UnknownCommand\"", "\"Busy\"", 1)).unwrap();
    let (code, out, _) = replayed(&file, &[]);
    assert_eq!(code, Some(1));
    assert!(out.contains("reason, recorded: Busy") && out.contains("UnknownCommand"), "{out}");
}

/// What kill -9 leaves is run up to its last whole line.
#[test]
fn a_killed_session_is_readable_to_its_last_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("session");
    let key = recorded(&file, &["--seed", "7"]);
    kill_process(key.id(), Signal::KILL).unwrap();
    drop(key);
    let (code, out, _) = replayed(&file, &[]);
    assert_eq!(code, Some(0), "{out}");
    // A line that was cut off in the middle.
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, &text[..text.len() - 20]).unwrap();
    let (code, out, err) = replayed(&file, &[]);
    assert_eq!(code, Some(0), "{out}");
    assert!(out.starts_with("the same: ") && err.contains("is cut off"), "{err}");
}

/// Without a seed neither bodies nor names are written, unless they are asked for; the file is its owner's alone, and
/// cannot be run again.
#[test]
fn secrets_stay_out_unless_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let bare = folder.path().join("bare");
    recorded(&bare, &[]).told(&["stop"]);
    assert_eq!(fs::metadata(&bare).unwrap().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&bare).unwrap();
    for told in ["example.com", "ada", "6578616d706c65"] {
        assert!(!text.contains(told), "{told} in {text}");
    }
    let begun: Vec<_> = lines(&bare).into_iter().filter(|line| line["do"] == "begin").collect();
    assert_eq!(begun.len(), 6, "each CTAP2 request of recorded()");
    for line in begun {
        assert_eq!(line["request"]["hex"].as_str().unwrap().len(), 2, "{line}");
        assert!(line["request"]["cut_from"].is_u64(), "{line}");
    }
    let (code, _, err) = replayed(&bare, &[]);
    assert_eq!(code, Some(3));
    assert!(err.contains("without --seed") && err.contains("\n    try: "), "{err}");
    let whole = folder.path().join("whole");
    recorded(&whole, &["--record-secrets"]).told(&["stop"]);
    assert!(fs::read_to_string(&whole).unwrap().contains("6578616d706c65"));
}

/// Without a seed nothing is run again, so nothing stands there of a profile's file but its path: it may name relying
/// parties.
#[test]
fn a_profiles_text_stands_in_seeded_recordings_alone() {
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("profile.toml");
    fs::write(&profile, "enterprise = [\"hidden.example\"]\n").unwrap();
    for (name, seed, told) in [("bare", &[][..], false), ("seeded", &["--seed", "7"], true)] {
        let file = folder.path().join(name);
        let args = [&["--profile", profile.to_str().unwrap()], seed].concat();
        recorded(&file, &args).told(&["stop"]);
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(text.contains("hidden.example"), told, "{text}");
    }
}

/// A recording of another version is run with a note, and one that names what this one does not have is not run.
#[test]
fn what_the_first_line_names_is_heeded() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("session");
    recorded(&file, &["--seed", "7"]).told(&["stop"]);
    let text = fs::read_to_string(&file).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    let changed = |member: &str, value: Value| {
        let mut header: Value = serde_json::from_str(first).unwrap();
        header[member] = value;
        fs::write(&file, format!("{header}\n{rest}")).unwrap();
        replayed(&file, &[])
    };
    let (code, _, err) = changed("version", "0.0.1".into());
    assert_eq!((code, err.as_str()), (Some(0), "note: recorded by softkey 0.0.1\n"));
    for (member, value) in [("uv", "iris".into()), ("algorithms", vec![-7, -1].into())] {
        let (code, _, err) = changed(member, value);
        assert_eq!(code, Some(3), "{member}");
        assert!(err.contains("names what this softkey does not have.\n    try: "), "{err}");
    }
}

fn decoded(file: &Path, more: &[&str]) -> (Option<i32>, String, String) {
    let output = softkey().arg("decode").arg(file).args(more).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// A recording can be read: what was done, for whom, each message by the names of the standard, and why it was refused.
#[test]
fn a_recording_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("session");
    recorded(&file, &["--seed", "7"]).told(&["stop"]);
    let (code, out, _) = decoded(&file, &["--json"]);
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &told["kind"]), (Some(0), &"recording".into()));
    assert_eq!(told["value"]["key"]["seed"], 7);
    let calls = told["value"]["calls"].as_array().unwrap();
    assert_eq!(calls.len(), lines(&file).len() - 1);
    let begun: Vec<&Value> = calls.iter().filter(|call| call["request"].is_object()).collect();
    let title = |message: &Value| message["means"].as_str().unwrap_or_default().to_owned();
    assert_eq!(title(&begun[0]["request"]), "authenticatorGetInfo request");
    assert_eq!(title(&begun[0]["response"]), "authenticatorGetInfo response");
    assert_eq!(begun[1]["request"]["value"]["user"]["name"], "ada");
    // The answer came with the user's.
    assert_eq!(begun[1]["question"]["rp"], "example.com");
    let answers: Vec<&Value> = calls.iter().filter(|call| call["answer"].is_string()).collect();
    assert_eq!(answers[0]["answer"], "yes");
    assert_eq!(title(&answers[0]["response"]), "authenticatorMakeCredential response");
    assert_eq!(answers[0]["response"]["value"]["fmt"], "packed");
    assert_eq!(
        (&answers[1]["answer"], &answers[1]["refusal"]),
        (&"no".into(), &"UserRefused".into())
    );
    let powered = calls.iter().filter(|call| call["call"] == "power up");
    assert_eq!(powered.count(), 2);
    let (code, out, _) = decoded(&file, &["--as", "recording"]);
    assert_eq!(code, Some(0));
    for part in ["recording of softkey ", "U2F_VERSION command", "CTAP2_ERR_OPERATION_DENIED"] {
        assert!(out.contains(part), "no {part:?} in {out}");
    }
}

/// Of messages that were not written whole it is told what they were and how long; of a line that is cut off, which.
#[test]
fn a_recording_without_messages_is_explained_as_far_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("session");
    recorded(&file, &[]).told(&["stop"]);
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, &text[..text.len() - 20]).unwrap();
    let (code, out, _) = decoded(&file, &[]);
    assert_eq!(code, Some(0));
    for part in [
        "authenticatorMakeCredential request; of its ",
        "U2F_VERSION command; of its 7 bytes no more was recorded",
        "CTAP2_OK (0x00); of its ",
    ] {
        assert!(out.contains(part), "no {part:?} in {out}");
    }
    let last = format!("note: line {} is cut off", text.lines().count());
    assert!(out.contains(&last), "no {last:?} in {out}");
    fs::write(&file, "{\"softkey_recording\":2}\n").unwrap();
    let (code, _, err) = decoded(&file, &[]);
    assert_eq!(code, Some(3));
    assert!(err.contains("recorded by another version of softkey"), "{err}");
    fs::write(&file, "04\n").unwrap();
    let (code, _, err) = decoded(&file, &["--as", "recording"]);
    assert_eq!(code, Some(3));
    assert!(err.contains("The input is no recording of softkey run.\n    try: "), "{err}");
}

/// Files that are no recordings, damaged ones, ones with unknown faults, and a file that is there already.
#[test]
fn what_cannot_be_run_again_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("session");
    for foreign in ["", "hello\n", "{}\n", "{\"softkey_recording\":1}\n"] {
        fs::write(&file, foreign).unwrap();
        let (code, _, err) = replayed(&file, &[]);
        assert_eq!(code, Some(3), "{foreign:?}");
        assert!(err.contains("is no recording of softkey run.\n    try: "), "{err}");
    }
    fs::write(&file, "{\"softkey_recording\":2}\n").unwrap();
    assert!(replayed(&file, &[]).2.contains("another version of softkey"));
    let run = ["run", "--ephemeral", "--seed", "1", "--approve", "deny", "--record"];
    let output = softkey().args(run).arg(&file).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(fs::read_to_string(&file).unwrap(), "{\"softkey_recording\":2}\n");
    fs::remove_file(&file).unwrap();
    assert!(replayed(&file, &[]).2.contains("cannot be read"));
    recorded(&file, &["--seed", "7"]).told(&["stop"]);
    let text = fs::read_to_string(&file).unwrap();
    let spoilt: Vec<_> =
        text.lines().map(|line| line.replace("\"session\"", "\"sessoin\"")).collect();
    fs::write(&file, spoilt.join("\n") + "\n").unwrap();
    let (code, _, err) = replayed(&file, &[]);
    assert_eq!(code, Some(3));
    assert!(err.contains("is not what softkey run --record writes"), "{err}");
    let odd = r#"{"at":4000000000,"do":"faults","on":["odd"]}"#;
    fs::write(&file, format!("{text}{odd}\n")).unwrap();
    let (code, _, err) = replayed(&file, &[]);
    assert_eq!(code, Some(3));
    assert!(err.contains("is not what softkey run --record writes"), "{err}");
}

/// A session with faults is the same again: those of the authenticator are switched as they were, the others change
/// only what leaves it.
#[test]
fn a_session_with_faults_is_the_same_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("session");
    let faults = ["wrong-up@2", "wrong-counter=zero", "unasked-extension=uvm", "wrong-signature"];
    let mut args = vec!["--seed", "7"];
    args.extend(faults.iter().flat_map(|fault| ["--fault", fault]));
    recorded(&file, &args).told(&["stop"]);
    let (code, out, err) = replayed(&file, &[]);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    let lines = lines(&file);
    let on: Vec<&Value> = lines.iter().filter_map(|line| line.get("on")).collect();
    assert!(on.contains(&&serde_json::json!(["wrong-counter=zero", "unasked-extension=uvm"])));
    assert!(on.contains(&&serde_json::json!([])), "they are about ceremonies only");
    // Without the fault the answers are others, so it is the fault that is run again.
    let text = fs::read_to_string(&file).unwrap().replace(",\"unasked-extension=uvm\"", "");
    fs::write(&file, text).unwrap();
    let (code, out, _) = replayed(&file, &[]);
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("the answer differs from byte"), "{out}");
}
