//! A server on loopback that takes a message as the body of a POST. Programs of this machine may send, pages of browsers
//! may not: what they could do is refused by the headers that they cannot leave out. Everything has a limit.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{HOST, HeaderMap, ORIGIN};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use zeroize::{Zeroize as _, Zeroizing};

use super::{Arrival, LONGEST, WAITING, spawn};

/// The longest head, all headers together.
const MOST_HEAD: usize = 8 << 10;
/// The most connections at once; others wait.
const MOST_CONNECTIONS: usize = 8;
/// How long a head, and how long a body, may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long it is before the next connection is taken when one could not be.
const PAUSE: Duration = Duration::from_millis(50);

/// Listens there; gives the address with the port that it got.
pub(super) fn open(address: SocketAddr, send: SyncSender<Arrival>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    spawn(send, move |send| runtime.block_on(serve(listener, send)))?;
    Ok(address)
}

async fn serve(listener: TcpListener, send: &SyncSender<Arrival>) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let waiting = Arc::new(Semaphore::new(WAITING));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return Ok(()) };
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, or the peer was quicker gone than taken.
            sleep(PAUSE).await;
            continue;
        };
        let (send, waiting) = (send.clone(), Arc::clone(&waiting));
        tokio::spawn(async move {
            if let Some(message) = converse(stream, &waiting).await {
                // There is room for it, unless another source is faster than its reader.
                let _ = send.try_send(message);
            }
            drop(place);
        });
    }
}

/// One request on one connection. The message is handed over when the sender has its answer: the reader may end the
/// process at once.
async fn converse(stream: TcpStream, waiting: &Arc<Semaphore>) -> Option<Arrival> {
    let taken = Mutex::new(None);
    let keep = |message| {
        *taken.lock().unwrap_or_else(PoisonError::into_inner) = Some(message);
        StatusCode::NO_CONTENT
    };
    let service = service_fn(async |request| {
        let answer = answer(request, waiting).await.map_or_else(|refused| refused, keep);
        Ok::<_, Infallible>(empty(answer))
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(PATIENCE).max_buf_size(MOST_HEAD);
    http.keep_alive(false);
    // Whoever went away is not told.
    let _ = timeout(PATIENCE * 3, http.serve_connection(TokioIo::new(stream), service)).await;
    taken.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn empty(status: StatusCode) -> Response<Empty<Bytes>> {
    let mut response = Response::new(Empty::new());
    *response.status_mut() = status;
    response
}

/// The message of a request, or why there is none.
async fn answer(
    request: Request<Incoming>,
    waiting: &Arc<Semaphore>,
) -> Result<Arrival, StatusCode> {
    judge(request.method(), request.uri().path(), request.headers())?;
    let most = u64::try_from(LONGEST).unwrap_or(u64::MAX);
    if request.body().size_hint().lower() > most {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let body = Limited::new(request.into_body(), LONGEST).collect();
    let read = timeout(PATIENCE, body).await.map_err(|_| StatusCode::REQUEST_TIMEOUT)?;
    let body = read.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
    let text = text(body.to_bytes());
    if text.is_empty() {
        return Err(StatusCode::BAD_REQUEST);
    }
    let room = Arc::clone(waiting).try_acquire_owned();
    let room = room.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(Arrival::Message(text.into(), Some(room)))
}

/// The body as a text, which may hold a code: no copy of it is left here. Empty if it is none.
fn text(body: Bytes) -> Zeroizing<String> {
    let text = std::str::from_utf8(&body).unwrap_or_default().to_owned();
    // What the connection still reads from is not ours.
    if let Ok(mut body) = body.try_into_mut() {
        body.zeroize();
    }
    Zeroizing::new(text)
}

/// Is it a message, and from no page? A page's POST has an `Origin`, and a page whose name was bound to this address
/// asks under that name.
fn judge(method: &Method, path: &str, headers: &HeaderMap) -> Result<(), StatusCode> {
    let ours = headers.get(HOST).and_then(|host| host.to_str().ok()).is_some_and(is_loopback);
    if !ours || headers.contains_key(ORIGIN) || headers.contains_key("sec-fetch-site") {
        return Err(StatusCode::FORBIDDEN);
    }
    if path != "/" {
        return Err(StatusCode::NOT_FOUND);
    }
    if *method == Method::POST { Ok(()) } else { Err(StatusCode::METHOD_NOT_ALLOWED) }
}

/// Is it an address or the name of this machine, with a port or, as clients write it for port 80, without?
fn is_loopback(host: &str) -> bool {
    if let Ok(address) = host.parse::<SocketAddr>() {
        return address.ip().is_loopback();
    }
    if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return inner.parse().is_ok_and(|address: Ipv6Addr| address.is_loopback());
    }
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return address.is_loopback();
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name).eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream as Socket;
    use std::sync::mpsc::sync_channel;

    use super::*;

    /// Sends this and gives the status; what is written when the server has answered already may fail.
    fn said(address: SocketAddr, request: &str) -> String {
        let mut socket = Socket::connect(address).unwrap();
        let _ = socket.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        answer.split(' ').nth(1).unwrap_or("nothing").to_owned()
    }

    fn post(address: SocketAddr, headers: &str, body: &str) -> String {
        let length = body.len();
        said(
            address,
            &format!("POST / HTTP/1.1\r\nContent-Length: {length}\r\n{headers}\r\n{body}"),
        )
    }

    #[test]
    fn a_post_is_a_message_and_pages_cannot_send_one() {
        let (send, arrivals) = sync_channel(2);
        let address = open("127.0.0.1:0".parse().unwrap(), send).unwrap();
        let host = format!("Host: {address}\r\n");
        assert_eq!(post(address, &host, "Code.\n\n@a.example #1"), "204");
        let Ok(Arrival::Message(text, _)) = arrivals.recv() else { panic!("no message") };
        assert_eq!(*text.content, "Code.\n\n@a.example #1");
        let named = format!("Host: localhost:{}\r\n", address.port());
        assert_eq!(post(address, &named, "x"), "204");
        assert!(arrivals.recv().is_ok());

        let page = |header: &str| post(address, &format!("{host}{header}\r\n"), "x");
        assert_eq!(page("Origin: https://evil.example"), "403");
        assert_eq!(page("Origin: null"), "403");
        assert_eq!(page("Sec-Fetch-Site: same-origin"), "403");
        assert_eq!(post(address, "Host: evil.example\r\n", "x"), "403");
        assert_eq!(post(address, "", "x"), "403");
        assert!(arrivals.try_recv().is_err());
    }

    /// On port 80 clients leave the port out.
    #[test]
    fn a_host_is_this_machine_with_and_without_a_port() {
        for own in ["127.0.0.1", "127.8.9.1:80", "[::1]", "[::1]:8080", "localhost", "LocalHost:80"]
        {
            assert!(is_loopback(own), "{own}");
        }
        let others = ["192.0.2.1", "192.0.2.1:80", "[::2]", "::1", "evil.example", "[localhost]"];
        for other in others.into_iter().chain(["", "[127.0.0.1]", "127.0.0.1.evil.example", "[]"]) {
            assert!(!is_loopback(other), "{other}");
        }
    }

    #[test]
    fn what_is_no_message_is_refused_with_a_reason() {
        let (send, arrivals) = sync_channel(WAITING);
        let address = open("127.0.0.1:0".parse().unwrap(), send).unwrap();
        let host = format!("Host: {address}\r\n");
        let with = |line: &str| said(address, &format!("{line} HTTP/1.1\r\n{host}\r\n"));
        assert_eq!(with("GET /"), "405");
        assert_eq!(with("POST /other"), "404");
        assert_eq!(with("POST /"), "400");
        assert_eq!(post(address, &host, &"x".repeat(LONGEST + 1)), "413");
        let chunked = format!(
            "POST / HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n20000\r\n{}\r\n0\r\n\r\n",
            "x".repeat(0x20000)
        );
        assert_eq!(said(address, &chunked), "413");
        assert_eq!(post(address, &host, &"x".repeat(LONGEST)), "204");
        for _ in 1..WAITING {
            assert_eq!(post(address, &host, "x"), "204");
        }
        assert_eq!(post(address, &host, "one too many"), "503");
        assert!(arrivals.recv().is_ok());
    }
}
