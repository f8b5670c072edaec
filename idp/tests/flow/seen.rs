//! What was seen of a sign-in, in a form in which two clients can be compared.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use softkey_idp::{Endpoint, Entry};

/// A way that was gone.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// What the page got of each call: the credential with the claims of its token, or the exception.
    pub(crate) outcomes: Vec<Value>,
    /// What the person was asked.
    pub(crate) dialogs: Vec<String>,
    /// What the provider heard, in the order of endpoints.
    pub(crate) requests: Vec<Asked>,
}

/// A request to one of the endpoints, as far as the draft says what it looks like.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Asked {
    pub(crate) endpoint: Endpoint,
    pub(crate) method: String,
    pub(crate) place: String,
    /// `Accept`, `Content-Type`, `Origin`, `Referer`, `Sec-Fetch-Dest` and the names of the cookies.
    pub(crate) headers: BTreeMap<&'static str, String>,
    pub(crate) form: BTreeMap<String, String>,
    /// What the provider held against it.
    pub(crate) objections: Vec<String>,
}

/// On one line: method and place, and each on its own whatever else there is.
impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.place)?;
        self.headers.iter().try_for_each(|(name, value)| write!(f, " | {name}: {value}"))?;
        self.form.iter().try_for_each(|(name, value)| write!(f, " | {name}={value}"))?;
        self.objections.iter().try_for_each(|objection| write!(f, " | objection: {objection}"))
    }
}

const HEADERS: [&str; 6] =
    ["accept", "content-type", "cookie", "origin", "referer", "sec-fetch-dest"];

/// The requests of a log to the endpoints that a client asks by itself.
pub(crate) fn asked(log: &[Entry]) -> Vec<Asked> {
    let of = |entry: &Entry| {
        let endpoint = entry.endpoint.filter(|endpoint| *endpoint != Endpoint::Login)?;
        let header = |name: &&'static str| Some((*name, entry.header(name)?.to_owned()));
        Some(Asked {
            endpoint,
            method: entry.method.clone(),
            place: format!("{}{}", entry.host, entry.path),
            headers: HEADERS.iter().filter_map(header).collect(),
            form: entry.form.iter().cloned().collect(),
            objections: entry.objections.iter().map(ToString::to_string).collect(),
        })
    };
    let mut all: Vec<_> = log.iter().filter_map(of).collect();
    all.sort();
    all
}

/// A credential as both tell it; of a signed token the claims.
pub(crate) fn credential(mut members: Value) -> Value {
    let claims = members["token"].as_str().and_then(|token| {
        let claims = token.split('.').nth(1)?;
        serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    });
    if let Some(claims) = claims {
        members["token"] = claims;
    }
    members
}

/// An exception as both tell it.
pub(crate) fn exception(name: &str, error: &str, url: &str) -> Value {
    json!({"name": name, "error": error, "url": url})
}
