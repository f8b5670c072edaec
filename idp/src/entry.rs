//! The log: what was asked, what the provider held against it, and what it said. Values of cookies and tokens never
//! stand there.

use std::fmt;

use serde::Serialize;

use crate::endpoint::Endpoint;
use crate::fault::Fault;
use crate::message::{MOST_FIELDS, Request};

/// What a request does wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Objection {
    /// `Sec-Fetch-Dest` is this, and not what it has to be.
    FetchDest(Option<String>),
    /// The method is another.
    Method,
    /// The body is no form.
    ContentType,
    /// `Accept` does not ask for JSON.
    Accept,
    /// There is a `Referer`.
    Referrer,
    /// It tells an origin that is not to be told.
    OriginTold,
    /// It tells no origin where one is to be told.
    NoOrigin,
    /// The origin is not one of the client's.
    OtherOrigin,
    /// It has cookies where none belong.
    Cookies,
    /// It has no cookie of a session.
    NoSession,
    /// There is no client of this name.
    UnknownClient(String),
    /// The form has more fields than any client sends.
    TooManyFields,
    /// A field is missing.
    Missing(&'static str),
    /// A field has this name and is not known, or came twice.
    Surplus(String),
    /// A field of this name has no such value.
    Value(&'static str),
    /// There is nothing of this name in this session.
    UnknownAccount(String),
    /// There is no such host here.
    UnknownHost,
    /// There is no such path.
    UnknownPath,
    /// It comes from a page, which may not steer the provider.
    FromPage,
}

impl Objection {
    /// Is the request refused for that, with this status? Else the provider answers and remarks on it only.
    pub(crate) const fn status(&self) -> Option<u16> {
        match self {
            Self::FetchDest(_)
            | Self::ContentType
            | Self::UnknownClient(_)
            | Self::TooManyFields
            | Self::Missing(_)
            | Self::Value(_)
            | Self::UnknownAccount(_) => Some(400),
            Self::NoSession => Some(401),
            Self::NoOrigin | Self::OtherOrigin | Self::FromPage => Some(403),
            Self::UnknownPath => Some(404),
            Self::Method => Some(405),
            Self::UnknownHost => Some(421),
            Self::Accept | Self::Referrer | Self::OriginTold | Self::Cookies | Self::Surplus(_) => {
                None
            }
        }
    }
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FetchDest(None) => f.write_str("Sec-Fetch-Dest is missing"),
            Self::FetchDest(Some(other)) => write!(f, "Sec-Fetch-Dest is {other}"),
            Self::Method => f.write_str("the method is wrong"),
            Self::ContentType => f.write_str("the body is no form"),
            Self::Accept => f.write_str("Accept does not ask for JSON"),
            Self::Referrer => f.write_str("there is a Referer"),
            Self::OriginTold => f.write_str("there is an Origin where none belongs"),
            Self::NoOrigin => f.write_str("Origin is missing"),
            Self::OtherOrigin => f.write_str("the Origin is not the client's"),
            Self::Cookies => f.write_str("there are cookies where none belong"),
            Self::NoSession => f.write_str("nobody is signed in"),
            Self::UnknownClient(id) => write!(f, "there is no client {id:?}"),
            Self::TooManyFields => write!(f, "the form has more than {MOST_FIELDS} fields"),
            Self::Missing(name) => write!(f, "{name} is missing"),
            Self::Surplus(name) => write!(f, "{name:?} is not known, or came twice"),
            Self::Value(name) => write!(f, "{name} has no such value"),
            Self::UnknownAccount(id) => write!(f, "nobody is signed in as {id:?}"),
            Self::UnknownHost => f.write_str("there is no such host here"),
            Self::UnknownPath => f.write_str("there is no such path"),
            Self::FromPage => f.write_str("pages may not steer the provider"),
        }
    }
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// When, in seconds since 1970 on the provider's clock.
    pub at: u64,
    /// Which endpoint, if one of the protocol's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// The method.
    pub method: String,
    /// The host, with its port if it is not the usual one.
    pub host: String,
    /// The path and the query.
    pub path: String,
    /// The headers in their order, names in small letters; of cookies the names only.
    pub headers: Vec<(String, String)>,
    /// The fields of the form, if there was one; of too many the first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub form: Vec<(String, String)>,
    /// What the provider held against it.
    #[serde(serialize_with = "texts", skip_serializing_if = "Vec::is_empty")]
    pub objections: Vec<Objection>,
    /// Which faults changed the answer.
    #[serde(serialize_with = "texts", skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// The status of the answer, whether or not it was sent.
    pub status: u16,
}

fn texts<T: fmt::Display, S: serde::Serializer>(list: &[T], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(list.iter().map(ToString::to_string))
}

impl Entry {
    /// The first part of an entry.
    pub(crate) fn about(at: u64, request: &Request, endpoint: Option<Endpoint>) -> Self {
        let query = if request.query.is_empty() { "" } else { "?" };
        let form = endpoint.filter(|endpoint| endpoint.is_posted()).map(|_| {
            let mut form = request.form();
            form.truncate(MOST_FIELDS);
            form
        });
        let headers = request.headers.iter().map(|(name, value)| match name.as_str() {
            "cookie" => (name.clone(), names_of(request)),
            "authorization" => (name.clone(), String::new()),
            _ => (name.clone(), value.clone()),
        });
        Self {
            at,
            endpoint,
            method: request.method.clone(),
            host: request.host.clone(),
            path: format!("{}{query}{}", request.path, request.query),
            headers: headers.collect(),
            form: form.unwrap_or_default(),
            objections: Vec::new(),
            faults: Vec::new(),
            status: 0,
        }
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        let pairs = self.headers.iter().chain(&self.form);
        let pairs =
            pairs.map(|(name, value)| size_of::<(String, String)>() + name.len() + value.len());
        let rest = [&self.method, &self.host, &self.path].map(String::len).iter().sum::<usize>();
        // What is said in an objection has an end of its own.
        let lists = size_of_val(&*self.objections) + size_of_val(&*self.faults);
        size_of::<Self>() + pairs.sum::<usize>() + rest + lists
    }

    /// The first header of this name, which is given in small letters.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The first field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.form.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

fn names_of(request: &Request) -> String {
    request.cookies().map(|(name, _)| name).collect::<Vec<_>>().join("; ")
}

/// What somebody said, on its way to a terminal: nothing in it may move the cursor or end the line.
fn visible(text: &str) -> String {
    let is_plain = |c: char| c == ' ' || c.is_ascii_graphic();
    let shown = |c: char| if is_plain(c) { c.to_string() } else { c.escape_default().to_string() };
    text.chars().map(shown).collect()
}

/// One line of printable ASCII.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = format!("{} https://{}{}", self.method, self.host, self.path);
        write!(f, "{} -> {}", visible(&place), self.status)?;
        for objection in &self.objections {
            write!(f, "; {}", visible(&objection.to_string()))?;
        }
        for fault in &self.faults {
            write!(f, "; fault {}", visible(&fault.to_string()))?;
        }
        Ok(())
    }
}
