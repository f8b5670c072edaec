//! One request to a provider and the rules that hold for the answers of all its endpoints.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::{Endpoint, Fault, is_trustworthy};
use crate::fetch::{FetchFault, FetchRequest, FetchResponse, Method};

/// How many redirects are followed where any are.
const MAX_REDIRECTS: usize = 20;

/// What came of a request.
pub(super) type Answered<'a> = Result<&'a FetchResponse, FetchFault>;

/// A request to a provider: to be sent, and to judge the answer of.
#[derive(Clone)]
pub struct Exchange {
    endpoint: Endpoint,
    url: Url,
    request: FetchRequest,
    /// The relying party's, if the endpoint is told.
    origin: Option<String>,
    redirects: usize,
}

impl Exchange {
    /// A GET of this endpoint; `origin` is the relying party's, which is sent only where the endpoint is told it.
    #[must_use]
    pub fn get(endpoint: Endpoint, url: &Url, origin: &str) -> Self {
        let request = FetchRequest::get(url.as_str());
        let request = match endpoint {
            Endpoint::Picture => request.header("Sec-Fetch-Dest", "image"),
            _ => {
                request.header("Accept", "application/json").header("Sec-Fetch-Dest", "webidentity")
            }
        };
        let mut exchange = Self { endpoint, url: url.clone(), request, origin: None, redirects: 0 };
        if endpoint.names_origin() {
            exchange.request = exchange.request.header("Origin", origin);
            exchange.origin = Some(origin.to_owned());
        }
        exchange
    }

    /// A POST of a form to this endpoint.
    #[must_use]
    pub fn post(endpoint: Endpoint, url: &Url, origin: &str, form: String) -> Self {
        let mut exchange = Self::get(endpoint, url, origin);
        let request = exchange.request.header("Content-Type", "application/x-www-form-urlencoded");
        exchange.request =
            FetchRequest { method: Method::Post, body: form.into_bytes(), ..request };
        exchange
    }

    /// What is asked.
    #[must_use]
    pub const fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// What to send; cookies are to be added where the endpoint has them.
    #[must_use]
    pub const fn request(&self) -> &FetchRequest {
        &self.request
    }

    /// Where it goes, by now.
    pub(super) const fn url(&self) -> &Url {
        &self.url
    }

    /// Judges an answer that must be a success, and gives its body, whatever it is; nothing if there is another request
    /// to send first.
    pub(super) fn body(&mut self, answer: Answered<'_>) -> Result<Option<Vec<u8>>, Fault> {
        let response = answer.map_err(Fault::NotFetched)?;
        if is_redirect(response.status) {
            return self.redirect(response.header("Location")).map(|()| None);
        }
        let success = (200..300).contains(&response.status);
        success.then(|| Some(response.body.clone())).ok_or(Fault::Status(response.status))
    }

    /// Judges an answer and gives its body as JSON; nothing if there is another request to send first, for the
    /// well-known file may be elsewhere.
    ///
    /// # Errors
    ///
    /// The first rule that it breaks. Of statuses only redirects are looked at before the body is read.
    pub(super) fn json(&mut self, answer: Answered<'_>) -> Result<Option<Value>, Fault> {
        let response = answer.map_err(Fault::NotFetched)?;
        if is_redirect(response.status) {
            self.redirect(response.header("Location"))?;
            return Ok(None);
        }
        self.check_cors(response)?;
        let kind = response.header("Content-Type").unwrap_or_default();
        if !is_json(kind) {
            return Err(Fault::MediaType(kind.to_owned()));
        }
        serde_json::from_slice(&response.body).map(Some).map_err(|_| Fault::NotJson)
    }

    /// Judges an answer that must be a success, of this shape.
    pub(super) fn shaped<T: DeserializeOwned>(
        &mut self,
        answer: Answered<'_>,
    ) -> Result<Option<T>, Fault> {
        if let Ok(FetchResponse { status, .. }) = answer
            && !(200..300).contains(status)
            && !is_redirect(*status)
        {
            return Err(Fault::Status(*status));
        }
        self.json(answer)?.map(shape).transpose()
    }

    fn redirect(&mut self, location: Option<&str>) -> Result<(), Fault> {
        let url = location.and_then(|location| self.url.join(location).ok());
        let url = url.filter(is_trustworthy).ok_or(Fault::Redirect)?;
        self.redirects += 1;
        if !self.endpoint.may_be_elsewhere() || self.redirects > MAX_REDIRECTS {
            return Err(Fault::Redirect);
        }
        url.as_str().clone_into(&mut self.request.url);
        self.url = url;
        Ok(())
    }

    fn check_cors(&self, response: &FetchResponse) -> Result<(), Fault> {
        if !self.endpoint.needs_cors() {
            return Ok(());
        }
        let allowed = response.header("Access-Control-Allow-Origin");
        if allowed.is_none() || allowed != self.origin.as_deref() {
            return Err(Fault::AllowOrigin(allowed.map(str::to_owned)));
        }
        let credentials = response.header("Access-Control-Allow-Credentials");
        if credentials == Some("true") { Ok(()) } else { Err(Fault::AllowCredentials) }
    }
}

/// Without what the query says, as [`FetchRequest`] itself.
impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.endpoint, self.request)
    }
}

/// Is it a redirect status (Fetch section 2.2.3)?
const fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// Reads a value as this type.
pub(super) fn shape<T: DeserializeOwned>(value: Value) -> Result<T, Fault> {
    serde_json::from_value(value).map_err(|error| Fault::Shape(without_quote(&error.to_string())))
}

/// What is wrong with a value, without the text that stands there: it may be a token in the wrong place.
fn without_quote(error: &str) -> String {
    let quote = error.split_once(" \"").zip(error.rsplit_once("\", expected "));
    match quote {
        Some(((what, _), (_, wanted))) => format!("{what}, expected {wanted}"),
        None => error.to_owned(),
    }
}

/// Is it a JSON media type (MIME Sniffing section 4.6)?
fn is_json(kind: &str) -> bool {
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(essence.as_str(), "application/json" | "text/json")
        || essence.split_once('/').is_some_and(|(_, sub)| sub.ends_with("+json"))
}
