//! A client that says what it is told to, and gives what it hears.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;
use softkey_idp::{Fault, Server, Setup};

pub(crate) const IDP: &str = "login.idp.example";
pub(crate) const SITE: &str = "idp.example";
pub(crate) const RP: &str = "rp.example";
pub(crate) const ORIGIN: (&str, &str) = ("Origin", "https://rp.example");
pub(crate) const DEST: (&str, &str) = ("Sec-Fetch-Dest", "webidentity");
pub(crate) const JSON: (&str, &str) = ("Accept", "application/json");
pub(crate) const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// TLS over this socket under this name; the handshake is made by the first write.
pub(crate) fn tls(
    config: &Arc<ClientConfig>,
    name: &str,
    socket: TcpStream,
) -> StreamOwned<ClientConnection, TcpStream> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    StreamOwned::new(ClientConnection::new(config.clone(), name).unwrap(), socket)
}

/// A running provider whose clock stands still.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) tls: Arc<ClientConfig>,
}

pub(crate) const NOW: u64 = 1_800_000_000;

impl World {
    pub(crate) fn new() -> Self {
        Self::of(Setup::default())
    }

    pub(crate) fn of(setup: Setup) -> Self {
        let address = "127.0.0.1:0".parse().unwrap();
        let server = Server::start_at(address, setup, Arc::new(|| NOW)).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(server.root_der().to_vec())).unwrap();
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(ring)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { server, tls: Arc::new(tls) }
    }

    /// With this fault on, and no other.
    pub(crate) fn fault(&self, text: &str) {
        self.server.set_faults(vec![text.parse::<Fault>().unwrap()]);
    }

    /// A TLS connection under this name.
    pub(crate) fn connect(&self, name: &str) -> StreamOwned<ClientConnection, TcpStream> {
        let socket = TcpStream::connect(self.server.address()).unwrap();
        socket.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        tls(&self.tls, name, socket)
    }

    /// Says this and gives everything that comes until the connection ends.
    pub(crate) fn say(&self, name: &str, text: &[u8]) -> io::Result<Vec<u8>> {
        let mut stream = self.connect(name);
        stream.write_all(text)?;
        let mut heard = Vec::new();
        match stream.read_to_end(&mut heard) {
            // A peer that is done may leave out the farewell of TLS.
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
            _ => Ok(heard),
        }
    }

    pub(crate) fn get(&self, host: &str, path: &str, headers: &[(&str, &str)]) -> Heard {
        self.ask("GET", host, path, headers, "")
    }

    pub(crate) fn ask(
        &self,
        method: &str,
        host: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Heard {
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
        for (name, value) in headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        if !body.is_empty() {
            let _ = write!(text, "Content-Length: {}\r\n", body.len());
        }
        let heard = self.say(host, format!("{text}\r\n{body}").as_bytes()).unwrap();
        Heard::of(&heard)
    }

    /// One of the endpoints, asked as a browser does; with the cookie if there is one.
    pub(crate) fn fetch(&self, endpoint: &str, cookie: Option<&str>) -> Heard {
        let (host, path) = match endpoint {
            "well-known" => (SITE, "/.well-known/web-identity"),
            "config" => (IDP, "/fedcm.json"),
            "client-metadata" => (IDP, "/client-metadata?client_id=rp"),
            "accounts" => (IDP, "/accounts"),
            "picture" => (IDP, "/picture"),
            "login" => (IDP, "/login"),
            "id-assertion" => (IDP, "/id-assertion"),
            "disconnect" => (IDP, "/disconnect"),
            other => panic!("no endpoint {other}"),
        };
        let mut headers = vec![DEST, JSON];
        if endpoint == "picture" {
            headers = vec![("Sec-Fetch-Dest", "image")];
        }
        headers.extend(cookie.map(|cookie| ("Cookie", cookie)));
        match endpoint {
            "client-metadata" => headers.push(ORIGIN),
            "id-assertion" | "disconnect" => {
                headers.extend([ORIGIN, FORM]);
                let body = if endpoint == "disconnect" { LEAVING } else { ASSERTING };
                return self.ask("POST", host, path, &headers, body);
            }
            _ => {}
        }
        self.get(host, path, &headers)
    }

    /// Signs in, and gives the cookie.
    pub(crate) fn sign_in(&self, form: &str) -> String {
        let page = self.ask("POST", IDP, "/login", &[FORM], form);
        assert_eq!(page.status, 200, "{}", page.body);
        let cookie = page.header("set-cookie").unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    /// The objections to the last request.
    pub(crate) fn objections(&self) -> Vec<String> {
        let log = self.server.take_log();
        log.last().unwrap().objections.iter().map(ToString::to_string).collect()
    }
}

pub(crate) const ASSERTING: &str = "client_id=rp&account_id=1&is_auto_selected=false";
pub(crate) const LEAVING: &str = "client_id=rp&account_hint=ada%40idp.example";

/// An HTTP response.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Heard {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head: {text}"));
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let pair = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_ascii_lowercase(), value.to_owned())
        };
        Self { status, headers: lines.map(pair).collect(), body: body.to_owned() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}
