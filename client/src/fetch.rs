//! What a client asks of the network, as plain data: the machine asks, the owner answers.
//!
//! [`Fetch`] is the seam between them. A test answers from a table; `http::Http`, behind the feature `http`, asks real
//! servers. Whoever implements it adds nothing of its own to a request: no cookies, no referrer, no ambient proxy.

#[cfg(feature = "http")]
pub mod http;

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::related::{Fetched, MAX_DOCUMENT};

/// How long one request may take unless its caller says otherwise.
pub const TIME_LIMIT: Duration = Duration::from_mins(1);

/// One HTTP request. `Debug` leaves out what may be secret: the query, the body, and all headers but those that are known
/// to be harmless.
#[derive(Clone, PartialEq, Eq)]
pub struct FetchRequest {
    /// The method.
    pub method: Method,
    /// The whole URL.
    pub url: String,
    /// The headers as they are sent, beside `Host` and those of the transfer.
    pub headers: Vec<(String, String)>,
    /// The body of a POST.
    pub body: Vec<u8>,
    /// When to give up, from the sending on.
    pub time_limit: Duration,
    /// The longest body of a response, in bytes.
    pub max_body: usize,
}

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET
    Get,
    /// POST
    Post,
}

impl Method {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// The response to it, of whatever status. A redirect is a response as well; it was not followed. `Debug` leaves out what
/// may be secret, as with [`FetchRequest`].
#[derive(Clone, PartialEq, Eq)]
pub struct FetchResponse {
    /// The status.
    pub status: u16,
    /// The headers in their order; one that came several times is there several times.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why there is no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum FetchFault {
    /// The URL or a header is none.
    BadRequest,
    /// There is no server of this name.
    NoSuchHost,
    /// The server cannot be reached, or went away.
    Unreachable,
    /// The server's certificate is not to be trusted, or there is no common TLS.
    Tls,
    /// The time has passed.
    TimedOut,
    /// What the server said is not HTTP.
    NotHttp,
    /// The body is longer than is read.
    TooLong,
}

impl fmt::Display for FetchFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadRequest => "the URL or a header is malformed",
            Self::NoSuchHost => "there is no server of this name",
            Self::Unreachable => "the server cannot be reached",
            Self::Tls => "the server's certificate is not trusted",
            Self::TimedOut => "the server did not answer in time",
            Self::NotHttp => "the server's answer is not HTTP",
            Self::TooLong => "the answer is too long",
        })
    }
}

impl std::error::Error for FetchFault {}

/// Answers requests.
pub trait Fetch {
    /// Sends one request and waits for its response. No redirect is followed.
    ///
    /// # Errors
    ///
    /// Why there is no response.
    fn fetch(&mut self, request: &FetchRequest) -> Result<FetchResponse, FetchFault>;
}

impl FetchRequest {
    /// A GET without headers, with the usual limits.
    #[must_use]
    pub fn get(url: &str) -> Self {
        Self {
            method: Method::Get,
            url: url.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            time_limit: TIME_LIMIT,
            max_body: MAX_DOCUMENT,
        }
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

impl FetchResponse {
    /// The first header of this name, whatever its case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for FetchRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.url.find(['?', '#']).unwrap_or(self.url.len());
        let (place, rest) = self.url.split_at(end);
        let url = if rest.is_empty() { place.to_owned() } else { format!("{place}?..") };
        f.debug_struct("FetchRequest")
            .field("method", &self.method)
            .field("url", &url)
            .field("headers", &harmless(&self.headers))
            .field("body", &format_args!("{} bytes", self.body.len()))
            .field("time_limit", &self.time_limit)
            .field("max_body", &self.max_body)
            .finish()
    }
}

impl fmt::Debug for FetchResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchResponse")
            .field("status", &self.status)
            .field("headers", &harmless(&self.headers))
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish()
    }
}

/// Headers whose values anybody may read.
const HARMLESS: [&str; 9] = [
    "accept",
    "access-control-allow-credentials",
    "access-control-allow-origin",
    "content-length",
    "content-type",
    "origin",
    "sec-fetch-dest",
    "set-login",
    "vary",
];

/// The headers, those with a value that may be secret without it.
fn harmless(headers: &[(String, String)]) -> Vec<(&str, &str)> {
    let known = |name: &str| HARMLESS.iter().any(|known| known.eq_ignore_ascii_case(name));
    let shown = |name, value| (name, if known(name) { value } else { ".." });
    headers.iter().map(|(name, value)| shown(name.as_str(), value.as_str())).collect()
}

/// Fetches a list of related origins, or one hop on the way to it (WebAuthn Level 3 section 5.11.1): what
/// `driver::Keys::set_fetch` wants.
///
/// # Errors
///
/// Why there is no response.
pub fn related_origins(fetch: &mut dyn Fetch, url: &str) -> Result<Fetched, FetchFault> {
    let response = fetch.fetch(&FetchRequest::get(url).header("Accept", "application/json"))?;
    Ok(Fetched {
        status: response.status,
        content_type: response.header("Content-Type").unwrap_or_default().to_owned(),
        location: response.header("Location").map(str::to_owned),
        body: response.body,
    })
}
