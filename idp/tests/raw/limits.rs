//! What nobody may do to the server: fill it up, hold it up, or stop it.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use super::wire::*;

fn status(heard: &[u8]) -> u16 {
    Heard::of(heard).status
}

#[test]
fn heads_and_bodies_have_limits() {
    let world = World::new();
    let head = |more: &str| {
        let start =
            "GET /fedcm.json HTTP/1.1\r\nConnection: close\r\nSec-Fetch-Dest: webidentity\r\n";
        world.say(IDP, format!("{start}Host: {IDP}\r\n{more}\r\n").as_bytes())
    };
    assert_eq!(status(&head("").unwrap()), 200);
    assert_eq!(status(&head(&"A: a\r\n".repeat(100)).unwrap()), 431);
    // It may be gone before it has heard everything, and then its answer is lost.
    match head(&format!("A: {}\r\n", "a".repeat(1 << 20))) {
        Ok(answer) => assert_eq!(status(&answer), 431),
        Err(error) => assert!(
            matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
            "{error}"
        ),
    }
    assert_eq!(status(&head("").unwrap()), 200);
    let body = |length: usize, text: &str| {
        let headers = format!("Host: {IDP}\r\nConnection: close\r\nContent-Length: {length}\r\n");
        let text = format!("POST /login HTTP/1.1\r\n{headers}\r\n{text}");
        status(&world.say(IDP, text.as_bytes()).unwrap())
    };
    assert_eq!(body(64 << 10, &"a".repeat(64 << 10)), 400);
    assert_eq!(body((64 << 10) + 1, ""), 413);
}

/// Garbage on one connection, in TLS or before it, is no other connection's trouble.
#[test]
fn garbage_stops_nothing() {
    let world = World::new();
    for garbage in
        ["", "\r\n\r\n", "SSH-2.0-x\r\n", "GET", "GET / HTTP/9.9\r\n\r\n", "\0\u{ff}\r\n\r\n"]
    {
        let mut socket = TcpStream::connect(world.server.address()).unwrap();
        socket.write_all(garbage.as_bytes()).unwrap();
        drop(socket);
        let mut stream = world.connect(IDP);
        stream.write_all(garbage.as_bytes()).unwrap();
    }
    for path in ["/%", "/%ff", "//", "/..", "/?%", "/client-metadata?%ff=%", "/continue?ticket"] {
        let status = world.get(IDP, path, &[DEST, JSON, ORIGIN]).status;
        assert!((200..500).contains(&status), "{path} {status}");
    }
    assert_eq!(world.fetch("config", None).status, 200);
}

/// Only the hosts that it is are answered for: another name that leads here is somebody's trick.
#[test]
fn a_host_is_known_or_refused() {
    let world = World::new();
    let ask = |host: &str| {
        let text = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        status(&world.say(IDP, text.as_bytes()).unwrap())
    };
    assert_eq!((ask(IDP), ask("LOGIN.idp.example:8443"), ask(RP)), (200, 200, 200));
    for host in ["evil.example", "idp.example.evil.example", "", "xlogin.idp.example", ":443"] {
        assert_eq!(ask(host), 421, "{host:?}");
    }
    assert_eq!(world.objections(), ["there is no such host here"]);
}

/// The oldest sessions go first, and the log has an end.
#[test]
fn memory_has_an_end() {
    use softkey_idp::{Provider, Request, Setup};
    let mut provider = Provider::new(Setup::default()).unwrap();
    let login = Request {
        method: "POST".into(),
        host: IDP.into(),
        path: "/login".into(),
        body: b"account=1".to_vec(),
        ..Request::default()
    };
    let mut sign_in = || {
        let headers = provider.answer(0, &login).response.headers;
        let cookie = headers.into_iter().find(|(name, _)| name == "Set-Cookie").unwrap().1;
        cookie.split(';').next().unwrap().to_owned()
    };
    let first = sign_in();
    let last = (0..1024).map(|_| sign_in()).last().unwrap();
    let mut accounts = |cookie: &str| {
        let headers =
            vec![("sec-fetch-dest".into(), "webidentity".into()), ("cookie".into(), cookie.into())];
        let request =
            Request { method: "GET".into(), path: "/accounts".into(), headers, ..login.clone() };
        provider.answer(0, &request).response.status
    };
    assert_eq!((accounts(&last), accounts(&first)), (200, 401));
    let nowhere = Request { path: "/nowhere".into(), ..login.clone() };
    for _ in 0..10_000 {
        provider.answer(0, &nowhere);
    }
    assert_eq!(provider.log().count(), 10_000);
}

/// A form of 32 768 fields costs the log no more than another, at whichever endpoint.
#[test]
fn a_form_of_too_many_fields_is_refused_and_kept_in_part() {
    use softkey_idp::{Provider, Request, Setup};
    let mut provider = Provider::new(Setup::default()).unwrap();
    let mut ask = |path: &str, body: String| {
        let headers = [
            ("sec-fetch-dest", "webidentity"),
            ("content-type", "application/x-www-form-urlencoded"),
            ("accept", "application/json"),
            ("origin", "https://rp.example"),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let (method, host, path) = ("POST".into(), IDP.into(), path.into());
        let request =
            Request { method, host, path, headers, body: body.into(), ..Request::default() };
        let status = provider.answer(0, &request).response.status;
        let entry = provider.log().last().unwrap();
        let objections: Vec<_> = entry.objections.iter().map(ToString::to_string).collect();
        let len = serde_json::to_string(entry).unwrap().len();
        (status, objections, entry.form.len(), len)
    };
    for (path, kept) in [("/id-assertion", 64), ("/disconnect", 64), ("/login", 0)] {
        let (status, objections, fields, len) = ask(path, "a&".repeat(32 << 10));
        assert_eq!((status, fields), (400, kept), "{path}");
        assert_eq!(objections, ["the form has more than 64 fields"], "{path}");
        assert!(len < 4096, "{path} {len}");
    }
    // What is held against single fields does not repeat them at length.
    let (status, objections, ..) = ask("/id-assertion", "x".repeat(60_000));
    assert_eq!(status, 400);
    assert!(objections.iter().map(String::len).sum::<usize>() < 1000, "{objections:?}");
}

/// The log has an end in bytes, too: long entries drive old ones out before there are ten thousand.
#[test]
fn the_log_has_an_end_in_bytes() {
    use softkey_idp::{Provider, Request, Setup};
    let mut provider = Provider::new(Setup::default()).unwrap();
    for at in 0..1200 {
        let (method, host, path) = ("POST".into(), IDP.into(), "/id-assertion".into());
        let body = vec![b'x'; 64 << 10];
        provider.answer(at, &Request { method, host, path, body, ..Request::default() });
    }
    let kept: Vec<_> = provider.log().collect();
    let bytes: usize = kept.iter().flat_map(|entry| &entry.form).map(|(name, _)| name.len()).sum();
    assert!((32 << 20..=64 << 20).contains(&bytes), "{bytes} bytes");
    assert_eq!(kept.last().unwrap().at, 1199);
    assert!(kept.windows(2).all(|two| two[0].at + 1 == two[1].at), "the oldest went");
}

/// A server that is dropped is gone, whoever is connected.
#[test]
fn it_ends_when_it_is_dropped() {
    let world = World::new();
    let address = world.server.address();
    let mut held = world.connect(IDP);
    held.write_all(b"GET").unwrap();
    drop(world.server);
    // Tickets of TLS may have come before the end.
    let end = loop {
        match held.sock.read(&mut [0; 4096]) {
            Ok(1..) => {}
            other => break other.map_err(|error| error.kind()),
        }
    };
    assert!(matches!(end, Ok(0) | Err(ErrorKind::ConnectionReset)), "{end:?}");
    // Somebody else may have been given the port by now, who has not the certificate.
    let again = TcpStream::connect(address).and_then(|socket| {
        socket.set_read_timeout(Some(Duration::from_secs(10)))?;
        tls(&world.tls, IDP, socket).write_all(b"GET")
    });
    assert!(again.is_err());
}
