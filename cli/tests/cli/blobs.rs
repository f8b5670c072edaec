//! `softkey blobs` on a key with two credentials, one of which can have a blob.

use std::fs;
use std::io::Write;
use std::process::{Output, Stdio};

use crate::harness::{Key, make_credential, softkey_piped};

/// A discoverable credential with the extension largeBlobKey.
fn with_large_blob_key(user: &str) -> Vec<u8> {
    let mut request = make_credential(user, &[("rk", true)]);
    request[1] += 1;
    let options = request.len() - 6;
    request.splice(options..options, *b"\x06\xa1\x6clargeBlobKey\xf5");
    request
}

fn key() -> Key {
    let key = Key::forgetful("auto");
    let mut host = key.host();
    assert_eq!(host.cbor(&with_large_blob_key("ada"))[0], 0);
    assert_eq!(host.cbor(&make_credential("bob", &[("rk", true)]))[0], 0);
    let set = run(&key, &["pin", "set"], b"");
    assert!(set.status.success());
    key
}

fn run(key: &Key, words: &[&str], input: &[u8]) -> Output {
    let mut command = softkey_piped();
    command.args(words).arg("--device").arg(format!("udp:{}", key.address));
    command.env("SOFTKEY_PIN", "1234");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that does not read its input closes it.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

/// Runs a command that must succeed; gives what it prints.
fn told(key: &Key, words: &[&str], input: &[u8]) -> String {
    let output = run(key, words, input);
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The identifier of this user's credential.
fn id(key: &Key, user: &str) -> String {
    let listed = told(key, &["credentials", "list", "--json"], b"");
    let one = listed.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let one = one.into_iter().find(|it| it["name"] == user).unwrap();
    one["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_blob_is_kept_read_and_deleted() {
    let key = key();
    let ada = id(&key, "ada");
    let empty = told(&key, &["blobs", "list"], b"");
    assert!(empty.starts_with("example.com  \"ada\": none\n"), "{empty}");
    assert!(empty.ends_with("17 of 4096 bytes used, 0 entries of no credential here\n"), "{empty}");
    assert_eq!(
        told(&key, &["blobs", "set", &ada, "-"], b"a\0secret\n"),
        "example.com  \"ada\": 9 bytes\n"
    );
    assert_eq!(told(&key, &["blobs", "get", &ada], b""), "a\0secret\n");
    assert_eq!(told(&key, &["blobs", "get", &ada, "--json"], b""), "{\"blob\":\"YQBzZWNyZXQK\"}\n");
    let listed = told(&key, &["blobs", "list", "--json"], b"");
    assert!(listed.contains("\"length\":9"), "{listed}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out");
    let name = file.to_str().unwrap();
    told(&key, &["blobs", "get", &ada, "--out", name], b"");
    assert_eq!(fs::read(&file).unwrap(), b"a\0secret\n");
    let again = run(&key, &["blobs", "get", &ada, "--out", name], b"");
    assert_eq!(again.status.code(), Some(3), "an existing file is not written over");
    let other = folder.path().join("other");
    let name = other.to_str().unwrap();
    let kept = told(&key, &["blobs", "get", &ada, "--out", name, "--json"], b"");
    let kept: serde_json::Value = serde_json::from_str(&kept).unwrap();
    assert_eq!(kept, serde_json::json!({"file": name, "length": 9}));
    assert_eq!(fs::read(&other).unwrap(), b"a\0secret\n");
    assert_eq!(told(&key, &["blobs", "delete", &ada], b""), "example.com  \"ada\": no blob\n");
    assert_eq!(run(&key, &["blobs", "get", &ada], b"").status.code(), Some(5));
}

#[test]
fn what_cannot_be_kept_is_said() {
    let key = key();
    let bob = id(&key, "bob");
    let output = run(&key, &["blobs", "set", &bob, "-"], b"x");
    assert_eq!(output.status.code(), Some(5));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("made without a key for large blobs"), "{said}");
    assert_eq!(run(&key, &["blobs", "set", &bob, "no such file"], b"").status.code(), Some(3));
}
