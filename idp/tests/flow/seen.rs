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
    /// In which order it heard that, as far as it is not chance.
    pub(crate) orders: Vec<String>,
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

/// Where one request has to wait for another: it needs what that one gave, or the person's choice, which does. All other
/// requests may overlap.
const AFTER: [(Endpoint, Endpoint); 10] = [
    (Endpoint::Accounts, Endpoint::Config),
    (Endpoint::ClientMetadata, Endpoint::Config),
    (Endpoint::Picture, Endpoint::Accounts),
    (Endpoint::IdAssertion, Endpoint::WellKnown),
    (Endpoint::IdAssertion, Endpoint::Config),
    (Endpoint::IdAssertion, Endpoint::Accounts),
    (Endpoint::IdAssertion, Endpoint::ClientMetadata),
    (Endpoint::IdAssertion, Endpoint::Picture),
    (Endpoint::Disconnect, Endpoint::WellKnown),
    (Endpoint::Disconnect, Endpoint::Config),
];

/// Of requests in the order in which they arrived: how many to one endpoint came before each to another. Where the same
/// answer is asked for again each way of it counts, so that several calls in a row are told apart.
pub(crate) fn orders(arrived: &[Asked], provider: &str) -> Vec<String> {
    let order = |(then, first): (Endpoint, Endpoint)| {
        let mut before = 0;
        let mut counts = Vec::new();
        for asked in arrived {
            before += usize::from(asked.endpoint == first);
            if asked.endpoint == then {
                counts.push(before.to_string());
            }
        }
        let told = format!("{then} after {first} at {provider}: {}", counts.join(", "));
        (!counts.is_empty()).then_some(told)
    };
    AFTER.into_iter().filter_map(order).collect()
}

/// The requests of a log to the endpoints that a client asks by itself, as they arrived.
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
    log.iter().filter_map(of).collect()
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
