//! Related origins from the program: the list comes over real TLS from a server on loopback.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::{fs, thread};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::harness::{Key, softkey};

const LIST: &str = r#"{"origins": ["https://example.com"]}"#;

/// `example.org`: says which of the world's origins are its own. Gives its address and certificate.
fn example_org() -> (String, String) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["example.org".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for socket in listener.incoming() {
            let connection = ServerConnection::new(config.clone()).unwrap();
            let mut stream = StreamOwned::new(connection, socket.unwrap());
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
                head.push(byte[0]);
            }
            let found = head.starts_with(b"GET /.well-known/webauthn HTTP/1.1\r\n");
            let status = if found { "200 OK" } else { "404 Not Found" };
            let kind = "Content-Type: application/json\r\nConnection: close";
            let length = LIST.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\n{kind}\r\nContent-Length: {length}\r\n\r\n{LIST}"
            );
            let _ = stream.flush();
        }
    });
    (address, cert.pem())
}

fn sign_up(key: &Key, origin: &str, more: &[&str]) -> Output {
    let mut command = softkey();
    command.args(["create", "--origin", origin, "--device", &format!("udp:{}", key.address)]);
    let mut child = command
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
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
    let (address, certificate) = example_org();
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root.pem");
    fs::write(&root, certificate).unwrap();
    let place = format!("example.org:443:{address}");
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
