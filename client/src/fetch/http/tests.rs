//! The client against servers on loopback that say what they are told to.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;
use crate::fetch::related_origins;

/// A server that takes one connection, says this, and gives what it heard. `Some`: over TLS with this certificate.
fn server(
    says: &'static str,
    identity: Option<CertifiedKey<rcgen::KeyPair>>,
) -> (SocketAddr, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        let Some(CertifiedKey { cert, signing_key }) = identity else { return talk(socket, says) };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(ring)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        talk(StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), socket), says)
    });
    (address, server)
}

/// Hears a request's head and a body of ten bytes if there is one. A client that refuses the certificate is heard
/// no further.
fn talk(mut stream: impl Read + Write, says: &str) -> String {
    let (mut heard, mut byte) = (Vec::new(), [0]);
    while !heard.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => heard.push(byte[0]),
            _ => return String::from_utf8(heard).unwrap(),
        }
    }
    if heard.starts_with(b"POST") {
        let mut body = [0; 10];
        stream.read_exact(&mut body).unwrap();
        heard.extend(body);
    }
    let _ = stream.write_all(says.as_bytes());
    let _ = stream.flush();
    String::from_utf8(heard).unwrap()
}

fn identity(name: &str) -> CertifiedKey<rcgen::KeyPair> {
    generate_simple_self_signed([name.to_owned()]).unwrap()
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

/// The host map leads a name to loopback, the extra root makes its certificate good, and nothing is sent that the
/// request does not say.
#[test]
fn a_name_can_be_a_process_on_loopback() {
    let identity = identity("idp.example");
    let root = identity.cert.der().to_vec();
    let (address, server) = server(OK, Some(identity));
    let network = Network::new().host("IDP.example", 443, address).root(&root);
    let request = FetchRequest::get("https://idp.example/a?b").header("Accept", "text/x");
    let response = Http::new(&network).fetch(&request).unwrap();
    assert_eq!((response.status, &response.body[..]), (200, &b"{}"[..]));
    assert_eq!(response.header("content-TYPE"), Some("application/json"));
    let heard = server.join().unwrap();
    let mut lines: Vec<_> = heard.trim_end().split("\r\n").map(str::to_lowercase).collect();
    assert_eq!(lines.remove(0), "get /a?b http/1.1");
    lines.sort_unstable();
    let agent = concat!("user-agent: softkey/", env!("CARGO_PKG_VERSION"));
    assert_eq!(lines, ["accept: text/x", "host: idp.example", agent]);
}

/// A certificate that nobody vouches for, and a good one for another name.
#[test]
fn a_certificate_is_checked() {
    let fetch =
        |network: Network| Http::new(&network).fetch(&FetchRequest::get("https://idp.example"));
    let (address, _) = server(OK, Some(identity("idp.example")));
    assert_eq!(fetch(Network::new().host("idp.example", 443, address)), Err(FetchFault::Tls));

    let other = identity("other.example");
    let root = other.cert.der().to_vec();
    let (address, _) = server(OK, Some(other));
    let network = Network::new().host("idp.example", 443, address).root(&root);
    assert_eq!(fetch(network), Err(FetchFault::Tls));
}

/// A redirect comes back as it is, so that whoever asked judges it; likewise every status.
#[test]
fn a_redirect_is_a_response() {
    let moved = "HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n";
    let (address, server) = server(moved, None);
    let network = Network::new().host("rp.example", 80, address);
    let fetched = related_origins(&mut Http::new(&network), "http://rp.example/a").unwrap();
    assert_eq!((fetched.status, fetched.location.as_deref()), (302, Some("/b")));
    assert!(server.join().unwrap().starts_with("GET /a "));
}

#[test]
fn a_body_is_posted_and_an_error_page_read() {
    let sorry =
        "HTTP/1.1 503 Sorry\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 1\r\n\r\nx";
    let (address, server) = server(sorry, None);
    let network = Network::new().host("rp.example", 8000, address);
    let request = FetchRequest {
        method: Method::Post,
        body: b"0123456789".to_vec(),
        ..FetchRequest::get("http://rp.example:8000/")
    };
    let response = Http::new(&network).fetch(&request).unwrap();
    assert_eq!((response.status, &response.body[..]), (503, &b"x"[..]));
    let cookies = response.headers.iter().filter(|(name, _)| name == "set-cookie").count();
    assert_eq!(cookies, 2);
    assert!(server.join().unwrap().ends_with("\r\n\r\n0123456789"));
}

#[test]
fn each_failure_has_its_name() {
    let ask = |address, request: FetchRequest| {
        Http::new(&Network::new().host("a.example", 80, address)).fetch(&request)
    };
    let get = || FetchRequest::get("http://a.example/");
    let (address, _) = server(OK, None);
    assert_eq!(ask(address, FetchRequest { max_body: 1, ..get() }), Err(FetchFault::TooLong));
    let (address, _) = server(OK, None);
    assert!(ask(address, FetchRequest { max_body: 2, ..get() }).is_ok());
    let (address, _) = server("SSH-2.0-x\r\n\r\n", None);
    assert_eq!(ask(address, get()), Err(FetchFault::NotHttp));
    assert_eq!(ask(address, get().header("a b", "")), Err(FetchFault::BadRequest));
    assert_eq!(ask(address, FetchRequest::get("nowhere")), Err(FetchFault::BadRequest));

    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(ask(closed, get()), Err(FetchFault::Unreachable));
    let none = FetchRequest::get("http://none.invalid/");
    assert_eq!(ask(closed, none), Err(FetchFault::NoSuchHost));
}

/// No name server is asked about `invalid`; what one of them could not tell is a host that is not there.
#[test]
fn a_name_that_nobody_has_is_not_looked_up() {
    for invalid in ["invalid", "none.invalid", "none.invalid."] {
        assert!(is_invalid(invalid), "{invalid}");
    }
    for other in ["", "invalid.example", "notinvalid", "none.notinvalid"] {
        assert!(!is_invalid(other), "{other}");
    }
    let lookup = Error::Io(io::Error::other("no answer"));
    assert!(matches!(lookup_fault(lookup), Error::HostNotFound));
    assert!(matches!(lookup_fault(Error::ConnectionFailed), Error::ConnectionFailed));
}

/// About the wall clock: a server that accepts and says nothing is given up in the time asked for.
#[test]
fn silence_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let network = Network::new().host("a.example", 80, listener.local_addr().unwrap());
    let time_limit = Duration::from_millis(20);
    let request = FetchRequest { time_limit, ..FetchRequest::get("http://a.example/") };
    assert_eq!(Http::new(&network).fetch(&request), Err(FetchFault::TimedOut));
}

#[test]
fn roots_come_from_pem() {
    let two = format!("{}{}", identity("a.example").cert.pem(), identity("b.example").cert.pem());
    assert_eq!(Network::new().roots_from_pem(two.as_bytes()).unwrap().roots.len(), 2);
    let none = Network::new().roots_from_pem(b"surprise");
    assert!(matches!(none, Err(pem::Error::NoItemsFound)));
}
