//! A request and what becomes of it, as plain data, so that no test of the provider's mind needs a socket.

use std::time::Duration;

use serde_json::Value;
use url::form_urlencoded;

/// The most fields that a form may have: no client sends half as many.
pub(crate) const MOST_FIELDS: usize = 64;

/// One HTTP request, as it was heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// The header `Host`: a name, and a port if it is not the usual one.
    pub host: String,
    /// The path, percent-encoded.
    pub path: String,
    /// What stands behind the question mark; empty without one.
    pub query: String,
    /// The headers in their order, names in small letters.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// The first header of this name, which is given in small letters.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The host's name alone.
    #[must_use]
    pub fn host_name(&self) -> &str {
        let without_port = self.host.rsplit_once(':').filter(|(_, port)| {
            !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit())
        });
        without_port.map_or(self.host.as_str(), |(name, _)| name)
    }

    /// The first member of this name in the query.
    pub(crate) fn asked(&self, name: &str) -> Option<String> {
        first(form_urlencoded::parse(self.query.as_bytes()).into_owned(), name)
    }

    /// The first field of this name in a posted form.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        first(self.form().into_iter(), name)
    }

    /// The fields of a posted form; of too many, one more than there may be.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(&self.body).into_owned().take(MOST_FIELDS + 1).collect()
    }

    /// The cookies that came along.
    pub(crate) fn cookies(&self) -> impl Iterator<Item = (&str, &str)> {
        let headers = self.headers.iter().filter(|(name, _)| name == "cookie");
        let pairs = headers.flat_map(|(_, value)| value.split(';'));
        pairs.filter_map(|pair| pair.trim().split_once('='))
    }
}

fn first(mut pairs: impl Iterator<Item = (String, String)>, name: &str) -> Option<String> {
    pairs.find(|(other, _)| other == name).map(|(_, value)| value)
}

/// One HTTP response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What is said.
    pub response: Response,
    /// When.
    pub delivery: Delivery,
}

/// When something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// At once.
    AtOnce,
    /// After so long.
    After(Duration),
    /// Not at all; the connection stays open until the client has enough.
    Never,
    /// Not at all; the connection is closed.
    HangUp,
}

/// An answer in the making: faults change it before it is written out.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) status: u16,
    pub(crate) media_type: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
    pub(crate) delivery: Delivery,
}

/// What an answer holds.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Json(Value),
    Bytes(Vec<u8>),
}

impl Draft {
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self::new(status, "application/json", Body::Json(body))
    }

    pub(crate) fn html(status: u16, body: String) -> Self {
        Self::new(status, "text/html; charset=utf-8", Body::Bytes(body.into_bytes()))
    }

    pub(crate) fn new(status: u16, media_type: &str, body: Body) -> Self {
        let media_type = media_type.to_owned();
        Self { status, media_type, headers: Vec::new(), body, delivery: Delivery::AtOnce }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Takes every header of this name away.
    pub(crate) fn without(&mut self, name: &str) {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        match &self.body {
            Body::Json(value) => value.to_string().into_bytes(),
            Body::Bytes(bytes) => bytes.clone(),
        }
    }

    pub(crate) fn finish(self) -> Answer {
        let body = self.bytes();
        let mut headers = vec![("Content-Type".to_owned(), self.media_type)];
        headers.extend(self.headers);
        headers.push(("Cache-Control".to_owned(), "no-store".to_owned()));
        let response = Response { status: self.status, headers, body };
        Answer { response, delivery: self.delivery }
    }
}
