//! Related origins from the program: the list comes over real TLS from a server on loopback.

use std::fs;
use std::io::Write;
use std::process::{Output, Stdio};

use softkey_idp::{Server, Setup};

use crate::harness::{Key, softkey_piped};

/// `example.org`: says which of the world's origins are its own.
fn example_org() -> Server {
    let place = "https://example.org/.well-known/webauthn";
    let list = r#"{"origins": ["https://example.com"]}"#;
    Server::start(Setup::default().document(place, "application/json", list)).unwrap()
}

fn sign_up(key: &Key, origin: &str, more: &[&str]) -> Output {
    let mut command = softkey_piped();
    command.args(["create", "--origin", origin, "--device", &format!("udp:{}", key.address)]);
    let mut child =
        command.args(more).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let options = br#"{"rp": {"name": "Example", "id": "example.org"}, "challenge": "AAECAwQF",
        "user": {"id": "AQID", "name": "ada", "displayName": "Ada"},
        "pubKeyCredParams": [{"type": "public-key", "alg": -7}]}"#;
    // What refuses its arguments may not have read this.
    let _ = child.stdin.take().unwrap().write_all(options);
    child.wait_with_output().unwrap()
}

/// WebAuthn Level 3 section 5.11: an origin of the list may use the identifier, any other may not, and a server
/// that is not trusted says nothing.
#[test]
fn an_origin_of_the_list_may_use_the_identifier() {
    let key = Key::forgetful("auto");
    let server = example_org();
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root.pem");
    fs::write(&root, server.root_pem()).unwrap();
    let place = format!("example.org:443:{}", server.address());
    let trusting = ["--resolve", &place, "--root-certificate", root.to_str().unwrap()];

    let made = sign_up(&key, "https://example.com", &trusting);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));

    let refused = |output: Output, why: &str| {
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{text}");
        assert!(text.starts_with("softkey: SecurityError: ") && text.contains(why), "{text}");
    };
    refused(sign_up(&key, "https://example.net", &trusting), "not in the list");
    refused(sign_up(&key, "https://example.com", &trusting[..2]), "cannot be fetched");
}
