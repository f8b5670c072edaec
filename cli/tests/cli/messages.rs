//! One-time codes from the program: a message comes by HTTP or by a file while the page waits.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::harness::softkey_piped;

const TEXT: &str = "Your code.\n\n@example.org #747723";

/// A page of example.org that waits for a code.
fn waiting(more: &[&str]) -> Child {
    let mut command = softkey_piped();
    command.args(["get", "--origin", "https://example.org", "--otp-timeout", "60"]).args(more);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut options = child.stdin.take().unwrap();
    options.write_all(br#"{"otp": {"transport": ["sms"]}}"#).unwrap();
    child
}

fn given(child: Child) -> Value {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_code_comes_by_http() {
    let mut child = waiting(&["--yes", "--inbox", "http:127.0.0.1:0"]);
    let mut notes = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    notes.read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("POST messages to http://").unwrap();
    let address = address.strip_suffix('/').unwrap();
    for text in ["@elsewhere.example #1", TEXT] {
        let mut socket = TcpStream::connect(address).unwrap();
        let length = text.len();
        let head =
            format!("POST / HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n\r\n");
        socket.write_all((head + text).as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
    }
    assert_eq!(given(child), json!({"id": "", "type": "otp", "code": "747723"}));
    let mut rest = String::new();
    notes.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "May https://example.org have the code?\n");
}

/// Sources are opened in their order: the address of the second says that the file is watched.
#[test]
fn a_code_comes_by_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sms");
    let file = format!("file:{}", path.display());
    let mut child = waiting(&["--yes", "--inbox", &file, "--inbox", "http:127.0.0.1:0"]);
    let mut notes = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    notes.read_line(&mut line).unwrap();
    assert!(line.starts_with("POST messages to http://"), "{line}");
    fs::write(&path, TEXT).unwrap();
    assert_eq!(given(child)["code"], "747723");
}

/// Without a word of the person the page gets nothing.
#[test]
fn a_code_is_not_given_by_default() {
    let mut child = waiting(&["--inbox", "http:127.0.0.1:0"]);
    let mut notes = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    notes.read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("POST messages to http://").unwrap();
    let address = address.strip_suffix('/').unwrap();
    let mut socket = TcpStream::connect(address).unwrap();
    let length = TEXT.len();
    let head = format!("POST / HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n\r\n");
    socket.write_all((head + TEXT).as_bytes()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(5));
    let mut rest = String::new();
    notes.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("NotAllowedError") && !rest.contains("747723"), "{rest}");
}
