//! The sockets: one thread with TLS and HTTP/1.1. Heads, bodies, handshakes and the number of connections have limits;
//! how slowly a peer reads an answer has none, which is one of the reasons to listen on loopback only.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, UNIX_EPOCH};

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, oneshot};
use tokio_rustls::TlsAcceptor;

use crate::certificate::Authority;
use crate::entry::Entry;
use crate::fault::Fault;
use crate::message::{Answer, Delivery, Request};
use crate::provider::{Provider, ProviderError};
use crate::setup::Setup;

/// The longest body that is read.
const MOST_BODY: usize = 64 << 10;
/// The longest head, all headers together.
const MOST_HEAD: usize = 32 << 10;
/// The most headers.
const MOST_HEADERS: usize = 64;
/// The most connections at once; others wait.
const MOST_CONNECTIONS: usize = 256;
/// How long a handshake, a head, a body, and the pause between two requests may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long an answer that never comes does not come.
const SILENCE: Duration = Duration::from_mins(10);

/// Tells the time, in seconds since 1970.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Something that reads the log as it is written.
type Listener = Box<dyn Fn(&Entry) + Send>;

/// A provider that can be reached. It ends when it is dropped.
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    root: String,
    root_der: Vec<u8>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    provider: Mutex<Provider>,
    listener: Mutex<Option<Listener>>,
    clock: Clock,
}

/// Why a server does not start.
#[derive(Debug)]
pub enum StartError {
    /// The provider cannot be made.
    Provider(ProviderError),
    /// There is no certificate for its names.
    Certificate(String),
    /// The address cannot be had.
    Socket(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Provider(error) => write!(f, "{error}"),
            Self::Certificate(why) => write!(f, "there is no certificate: {why}"),
            Self::Socket(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for StartError {}

impl Server {
    /// A provider on a free port of loopback, on the system's clock.
    ///
    /// # Errors
    ///
    /// [`StartError`].
    pub fn start(setup: Setup) -> Result<Self, StartError> {
        let clock = || UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_secs());
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into(), setup, Arc::new(clock))
    }

    /// A provider on this address and clock.
    ///
    /// # Errors
    ///
    /// [`StartError`].
    pub fn start_at(address: SocketAddr, setup: Setup, clock: Clock) -> Result<Self, StartError> {
        let mut names =
            setup.names().map_err(ProviderError::Setup).map_err(StartError::Provider)?;
        let provider = Provider::new(setup).map_err(StartError::Provider)?;
        names.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
        let root = Authority::new().map_err(|error| StartError::Certificate(error.to_string()))?;
        let tls = root.server(&names).map_err(StartError::Certificate)?;
        let listener = TcpListener::bind(address).map_err(StartError::Socket)?;
        listener.set_nonblocking(true).map_err(StartError::Socket)?;
        let address = listener.local_addr().map_err(StartError::Socket)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(StartError::Socket)?;
        let shared =
            Arc::new(Shared { provider: Mutex::new(provider), listener: Mutex::new(None), clock });
        let (stop, stopped) = oneshot::channel();
        let ours = Arc::clone(&shared);
        let serve = move || serve(&runtime, listener, tls, ours, stopped);
        let thread = thread::Builder::new().name("idp".to_owned()).spawn(serve);
        Ok(Self {
            shared,
            address,
            root: root.pem(),
            root_der: root.der().to_vec(),
            stop: Some(stop),
            thread: Some(thread.map_err(StartError::Socket)?),
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate of the root that vouches for it, in PEM.
    #[must_use]
    pub fn root_pem(&self) -> &str {
        &self.root
    }

    /// The same in DER.
    #[must_use]
    pub fn root_der(&self) -> &[u8] {
        &self.root_der
    }

    /// The provider itself: its keys, its faults, its log. No request is answered meanwhile.
    pub fn provider(&self) -> MutexGuard<'_, Provider> {
        locked(&self.shared.provider)
    }

    /// From now on these faults are on, and no others.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        self.provider().set_faults(faults);
    }

    /// What was asked so far, the oldest first. It is forgotten here, which may be all that is wanted.
    #[allow(clippy::must_use_candidate, reason = "see above")]
    pub fn take_log(&self) -> Vec<Entry> {
        let mut provider = self.provider();
        let entries = provider.log().cloned().collect();
        provider.clear_log();
        entries
    }

    /// From now on this is told each entry, on the server's thread.
    pub fn on_entry(&self, listener: impl Fn(&Entry) + Send + 'static) {
        *locked(&self.shared.listener) = Some(Box::new(listener));
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed; there is nobody to hand it to.
            let _ = thread.join();
        }
    }
}

/// A panic while it was held leaves nothing half done that matters here.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(
    runtime: &Runtime,
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    shared: Arc<Shared>,
    stopped: oneshot::Receiver<()>,
) {
    let accept = async move {
        let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
        let (tls, room) = (TlsAcceptor::from(tls), Arc::new(Semaphore::new(MOST_CONNECTIONS)));
        loop {
            let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
            let Ok((socket, _)) = listener.accept().await else {
                // Out of descriptors, or the peer was quicker gone than taken.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let (tls, shared) = (tls.clone(), Arc::clone(&shared));
            tokio::spawn(async move {
                connection(socket, tls, shared).await;
                drop(place);
            });
        }
    };
    // What is under way when it stops ends with the runtime.
    runtime.block_on(async {
        tokio::spawn(accept);
        let _ = stopped.await;
    });
}

/// One connection to its end. What goes wrong on it is the peer's business.
async fn connection(socket: TcpStream, tls: TlsAcceptor, shared: Arc<Shared>) {
    let _ = socket.set_nodelay(true);
    let Ok(Ok(stream)) = tokio::time::timeout(PATIENCE, tls.accept(socket)).await else { return };
    let service = service_fn(move |request| respond(Arc::clone(&shared), request));
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(MOST_HEAD)
        .max_headers(MOST_HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// The connection is to be closed without an answer.
#[derive(Debug)]
struct HangUp;

impl fmt::Display for HangUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hanging up")
    }
}

impl std::error::Error for HangUp {}

async fn respond(
    shared: Arc<Shared>,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<Full<Bytes>>, HangUp> {
    let (head, body) = request.into_parts();
    if body.size_hint().lower() > u64::try_from(MOST_BODY).unwrap_or(u64::MAX) {
        return Ok(plain(413));
    }
    let body = Limited::new(body, MOST_BODY).collect();
    let Ok(body) = tokio::time::timeout(PATIENCE, body).await else { return Err(HangUp) };
    let Ok(body) = body else { return Ok(plain(413)) };
    let text =
        |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let request = Request {
        method: head.method.as_str().to_owned(),
        host: head.headers.get("host").map(text).unwrap_or_default(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers.iter().map(|(n, value)| (n.to_string(), text(value))).collect(),
        body: body.to_bytes().to_vec(),
    };
    let answer = shared.answer(&request);
    match answer.delivery {
        Delivery::AtOnce => {}
        Delivery::After(delay) => tokio::time::sleep(delay).await,
        Delivery::Never => {
            tokio::time::sleep(SILENCE).await;
            return Err(HangUp);
        }
        Delivery::HangUp => return Err(HangUp),
    }
    written(answer).map_or_else(|| Ok(plain(500)), Ok)
}

impl Shared {
    fn answer(&self, request: &Request) -> Answer {
        let now = (self.clock)();
        let mut provider = locked(&self.provider);
        let (answer, entry) = provider.answer_noted(now, request);
        let entry = entry.cloned();
        drop(provider);
        if let (Some(entry), Some(tell)) = (entry, &*locked(&self.listener)) {
            tell(&entry);
        }
        answer
    }
}

fn written(answer: Answer) -> Option<hyper::Response<Full<Bytes>>> {
    let mut builder = hyper::Response::builder().status(answer.response.status);
    for (name, value) in &answer.response.headers {
        builder = builder.header(name, value);
    }
    builder.body(Full::new(Bytes::from(answer.response.body))).ok()
}

fn plain(status: u16) -> hyper::Response<Full<Bytes>> {
    let mut response = hyper::Response::new(Full::new(Bytes::new()));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    response
}
