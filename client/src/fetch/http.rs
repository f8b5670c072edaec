//! HTTP/1.1 over TCP and, for `https`, TLS 1.2 or 1.3 by rustls with ring. Blocking, one request at a time.
//!
//! Names are looked up in the host map first, so that `https://idp.example` can be a process on loopback; its
//! certificate is then checked as everybody else's, against the public roots and the extra ones.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};
use ureq::config::Config;
use ureq::http::{self, Uri};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Body, Error};

use super::{Fetch, FetchFault, FetchRequest, FetchResponse, Method};

/// Where servers are, and which certificates to trust, beyond what everybody knows.
#[derive(Clone, Debug, Default)]
pub struct Network {
    hosts: BTreeMap<(String, u16), SocketAddr>,
    roots: Vec<Vec<u8>>,
}

impl Network {
    /// Nothing beyond what everybody knows.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What is asked of this name and port goes to this address.
    #[must_use]
    pub fn host(mut self, name: &str, port: u16, address: SocketAddr) -> Self {
        self.hosts.insert((name.to_ascii_lowercase(), port), address);
        self
    }

    /// Trusts what this certificate, in DER, has signed.
    #[must_use]
    pub fn root(mut self, certificate: &[u8]) -> Self {
        self.roots.push(certificate.to_vec());
        self
    }

    /// Trusts every certificate of a PEM file; gives how many these are as well.
    ///
    /// # Errors
    ///
    /// What is wrong with the PEM; a text without any certificate is wrong too.
    pub fn roots_from_pem(mut self, text: &[u8]) -> Result<Self, pem::Error> {
        let before = self.roots.len();
        for certificate in CertificateDer::pem_slice_iter(text) {
            self.roots.push(certificate?.to_vec());
        }
        if self.roots.len() == before { Err(pem::Error::NoItemsFound) } else { Ok(self) }
    }
}

/// A client that speaks HTTP. It keeps nothing between two requests but open connections.
#[derive(Debug)]
pub struct Http(Agent);

impl Http {
    /// A client in this network.
    #[must_use]
    pub fn new(network: &Network) -> Self {
        let extra = network.roots.iter().map(|root| Certificate::from_der(root).to_owned());
        let public = webpki_root_certs::TLS_SERVER_ROOT_CERTS;
        let public = public.iter().map(|root| Certificate::from_der(root).to_owned());
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::from(public.chain(extra)))
            .unversioned_rustls_crypto_provider(ring)
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .user_agent(concat!("softkey/", env!("CARGO_PKG_VERSION")))
            .accept("")
            .accept_encoding("")
            .build();
        let resolver = HostMap { hosts: network.hosts.clone(), rest: DefaultResolver::default() };
        Self(Agent::with_parts(config, DefaultConnector::default(), resolver))
    }

    fn send(&self, request: &FetchRequest) -> Result<http::Response<Body>, Error> {
        let mut builder = http::Request::builder().method(request.method.as_str());
        builder = builder.uri(&request.url);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let limit = Some(request.time_limit);
        match request.method {
            Method::Get => {
                let request = self.0.configure_request(builder.body(())?);
                self.0.run(request.timeout_global(limit).build())
            }
            Method::Post => {
                let request = self.0.configure_request(builder.body(request.body.clone())?);
                self.0.run(request.timeout_global(limit).build())
            }
        }
    }
}

impl Fetch for Http {
    fn fetch(&mut self, request: &FetchRequest) -> Result<FetchResponse, FetchFault> {
        let mut response = self.send(request).map_err(|error| fault(&error))?;
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into();
        let headers = response.headers();
        let headers = headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let limit = u64::try_from(request.max_body).unwrap_or(u64::MAX);
        let body = response.body_mut().with_config().limit(limit).read_to_vec();
        let body = body.map_err(|error| fault(&error))?;
        Ok(FetchResponse { status: response.status().as_u16(), headers, body })
    }
}

/// The reason in our words. What is left when all else has a name is that the server did not speak HTTP.
fn fault(error: &Error) -> FetchFault {
    match error {
        Error::Http(_) | Error::BadUri(_) => FetchFault::BadRequest,
        Error::HostNotFound => FetchFault::NoSuchHost,
        Error::Tls(_) | Error::Rustls(_) => FetchFault::Tls,
        Error::Timeout(_) => FetchFault::TimedOut,
        Error::BodyExceedsLimit(_) => FetchFault::TooLong,
        Error::ConnectionFailed => FetchFault::Unreachable,
        Error::Io(error) => io_fault(error),
        _ => FetchFault::NotHttp,
    }
}

/// rustls hands its own errors up through the socket's.
fn io_fault(error: &io::Error) -> FetchFault {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match (inner, error.kind()) {
        (Some(_), _) => FetchFault::Tls,
        (None, io::ErrorKind::TimedOut) => FetchFault::TimedOut,
        (None, _) => FetchFault::Unreachable,
    }
}

/// A lookup that fails is reported like a socket that does.
fn lookup_fault(error: Error) -> Error {
    match error {
        Error::Io(_) => Error::HostNotFound,
        other => other,
    }
}

/// A name below `invalid`, in lower case: nobody has it, and no name server is asked about it (RFC 6761 section 6.4).
fn is_invalid(host: &str) -> bool {
    host.trim_end_matches('.').rsplit('.').next() == Some("invalid")
}

/// Names that are given, before those that are looked up.
#[derive(Debug)]
struct HostMap {
    hosts: BTreeMap<(String, u16), SocketAddr>,
    rest: DefaultResolver,
}

impl Resolver for HostMap {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        let name =
            uri.host().map(|host| (host.to_ascii_lowercase(), uri.port_u16().unwrap_or(default)));
        let Some(address) = name.as_ref().and_then(|name| self.hosts.get(name)) else {
            if name.is_some_and(|(host, _)| is_invalid(&host)) {
                return Err(Error::HostNotFound);
            }
            return self.rest.resolve(uri, config, timeout).map_err(lookup_fault);
        };
        let mut addresses = self.empty();
        addresses.push(*address);
        Ok(addresses)
    }
}
