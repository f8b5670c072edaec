//! Related origins: a relying party's own list of the origins that may use its identifier (WebAuthn Level 3
//! section 5.11).
//!
//! The lookup says which URL to fetch and judges what comes; fetching is the owner's, one hop at a time.

use serde::Deserialize;
use url::Url;

use crate::cause::Cause;
use crate::origin::Origin;
use crate::suffix::registrable_label;

/// The longest document that is read, in bytes.
pub const MAX_DOCUMENT: usize = 256 * 1024;

/// How many redirects are followed.
const MAX_REDIRECTS: usize = 5;

/// The answer to one GET, without cookies and referrer and without a redirect followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The HTTP status.
    pub status: u16,
    /// The header `Content-Type`, empty if there is none.
    pub content_type: String,
    /// The header `Location`, if there is one.
    pub location: Option<String>,
    /// The body; whoever fetches may stop reading behind [`MAX_DOCUMENT`].
    pub body: Vec<u8>,
}

/// What is wrong with a list of related origins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelatedFault {
    /// It could not be fetched.
    NotFetched,
    /// The server answered with this status.
    Status(u16),
    /// A redirect leads away from `https`, or nowhere.
    Redirect,
    /// There are too many redirects.
    TooManyRedirects,
    /// It is not `application/json`.
    MediaType,
    /// It is longer than is read.
    TooLong,
    /// It is no object with an array of strings as `origins`.
    NoList,
    /// The page's origin is not in it, or behind too many others.
    NotListed,
}

/// A lookup under way.
#[derive(Clone, Debug)]
pub(crate) struct Lookup {
    url: Url,
    redirects: usize,
    caller: Origin,
    max_labels: usize,
}

impl Lookup {
    /// Looks the caller up in the list of this relying party, which must be a domain.
    pub(crate) fn new(rp_id: &str, caller: &Origin, max_labels: usize) -> Result<Self, Cause> {
        let url = Url::parse(&format!("https://{rp_id}/.well-known/webauthn"));
        let url = url.map_err(|_| Cause::RpIdMismatch)?;
        Ok(Self { url, redirects: 0, caller: caller.clone(), max_labels })
    }

    /// What to fetch.
    pub(crate) fn url(&self) -> String {
        self.url.to_string()
    }

    /// Judges an answer: true if the caller is in the list, false if there is another URL to fetch first.
    pub(crate) fn judge(&mut self, fetched: Option<&Fetched>) -> Result<bool, RelatedFault> {
        let fetched = fetched.ok_or(RelatedFault::NotFetched)?;
        if matches!(fetched.status, 301 | 302 | 303 | 307 | 308) {
            self.redirect(fetched.location.as_deref())?;
            return Ok(false);
        }
        if fetched.status != 200 {
            return Err(RelatedFault::Status(fetched.status));
        }
        let essence = fetched.content_type.split(';').next().unwrap_or_default();
        if !essence.trim().eq_ignore_ascii_case("application/json") {
            return Err(RelatedFault::MediaType);
        }
        if fetched.body.len() > MAX_DOCUMENT {
            return Err(RelatedFault::TooLong);
        }
        if lists(&fetched.body, &self.caller, self.max_labels)? {
            Ok(true)
        } else {
            Err(RelatedFault::NotListed)
        }
    }

    fn redirect(&mut self, location: Option<&str>) -> Result<(), RelatedFault> {
        let url = location.and_then(|location| self.url.join(location).ok());
        let url = url.filter(|url| url.scheme() == "https").ok_or(RelatedFault::Redirect)?;
        self.redirects += 1;
        if self.redirects > MAX_REDIRECTS {
            return Err(RelatedFault::TooManyRedirects);
        }
        self.url = url;
        Ok(())
    }
}

#[derive(Deserialize)]
struct Document {
    origins: Vec<String>,
}

/// Is the caller in this document? Of its origins those count that belong to the first `max_labels` registrable
/// labels; the others are passed over.
fn lists(document: &[u8], caller: &Origin, max_labels: usize) -> Result<bool, RelatedFault> {
    let document: Document = serde_json::from_slice(document).map_err(|_| RelatedFault::NoList)?;
    let mut seen: Vec<String> = Vec::new();
    for entry in &document.origins {
        let Ok(url) = Url::parse(entry) else { continue };
        let Some(label) = url.domain().and_then(registrable_label) else { continue };
        let known = seen.iter().any(|seen| seen == label);
        if !known && seen.len() >= max_labels {
            continue;
        }
        if url.origin().ascii_serialization() == caller.as_str() {
            return Ok(true);
        }
        if !known {
            seen.push(label.to_owned());
        }
    }
    Ok(false)
}
