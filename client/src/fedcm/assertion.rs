//! The id assertion endpoint, which gives the token, and the disconnect endpoint.

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use url::Url;
use url::form_urlencoded::Serializer;

use super::credential::Token;
use super::exchange::{Exchange, shape};
use super::{Endpoint, Fault, is_same_site, is_trustworthy};
use crate::fetch::{FetchFault, FetchResponse};

/// The fields of an account that a person can be told about.
const RECOGNIZED: [&str; 5] = ["name", "email", "tel", "username", "picture"];
/// What a relying party that says nothing asks for.
const DEFAULT_FIELDS: [&str; 3] = ["name", "email", "picture"];

/// What is posted to get a token.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AssertionRequest {
    /// The relying party, as the provider knows it.
    pub client_id: String,
    /// The account.
    pub account_id: String,
    /// Was the account chosen without asking?
    pub is_auto_selected: bool,
    /// The relying party's own parameters.
    pub params: Option<Value>,
    /// The member `nonce` of earlier pages.
    pub nonce: Option<String>,
    /// What it wants to know; absent is name, email and picture.
    pub fields: Option<Vec<String>>,
    /// Was the person told what it wants to know?
    pub disclosed: bool,
}

impl AssertionRequest {
    /// The form, in the order of the draft.
    #[must_use]
    pub fn form(&self) -> String {
        let fields = fields_or_default(self.fields.as_deref());
        let mut form = Serializer::new(String::new());
        form.append_pair("client_id", &self.client_id);
        if let Some(nonce) = &self.nonce {
            form.append_pair("nonce", nonce);
        }
        form.append_pair("account_id", &self.account_id);
        let automatic = if self.is_auto_selected { "true" } else { "false" };
        form.append_pair("is_auto_selected", automatic);
        if let Some(params) = &self.params {
            form.append_pair("params", &params.to_string());
        }
        if !fields.is_empty() {
            form.append_pair("fields", &fields.join(","));
        }
        let shown = shown(&fields);
        if self.disclosed && !shown.is_empty() {
            form.append_pair("disclosure_shown_for", &shown.join(","));
            if DEFAULT_FIELDS.iter().all(|field| shown.contains(field)) {
                form.append_pair("disclosure_text_shown", "true");
            }
        }
        form.finish()
    }

    /// Asks for a token, for the relying party of this origin.
    #[must_use]
    pub fn ask(&self, endpoint: &Url, origin: &str) -> Exchange {
        Exchange::post(Endpoint::IdAssertion, endpoint, origin, self.form())
    }
}

/// The fields that a relying party asks for.
pub(super) fn fields_or_default(asked: Option<&[String]>) -> Vec<String> {
    asked.map_or_else(|| DEFAULT_FIELDS.map(str::to_owned).to_vec(), <[String]>::to_vec)
}

/// Those of them that a person is told about.
pub(super) fn shown(fields: &[String]) -> Vec<&'static str> {
    let is_shown = |field: &&str| fields.iter().any(|other| other == field);
    RECOGNIZED.into_iter().filter(is_shown).collect()
}

/// What a provider gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Assertion {
    /// The token, whatever JSON it is, `null` too.
    Token(Token),
    /// A page on which the person has to go on first.
    ContinueOn(Url),
}

/// Why there is no token: what the page sees, and the reason that it does not. No answer in time,
/// [`FetchFault::TimedOut`], is for the page as everywhere else a `NetworkError` without any of this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssertionError {
    /// The member `error` of `IdentityCredentialError`.
    pub error: String,
    /// Its member `url`.
    pub url: String,
    /// Which rule the answer broke.
    pub fault: Fault,
}

impl From<Fault> for AssertionError {
    fn from(fault: Fault) -> Self {
        Self { error: String::new(), url: String::new(), fault }
    }
}

#[derive(Deserialize)]
struct Answer {
    error: Option<ErrorMembers>,
    #[serde(default, deserialize_with = "there")]
    token: Option<Value>,
    continue_on: Option<String>,
}

/// A member that is there, were it `null`.
fn there<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

#[derive(Deserialize)]
struct ErrorMembers {
    #[serde(default, alias = "code")]
    error: String,
    #[serde(default)]
    url: String,
}

impl Assertion {
    /// Reads the answer. The body of an error status is read as well, for it says why.
    ///
    /// # Errors
    ///
    /// What the page sees and why.
    pub fn read(
        exchange: &mut Exchange,
        answer: Result<&FetchResponse, FetchFault>,
        endpoint: &Url,
    ) -> Result<Self, AssertionError> {
        let status = answer.map(|response| response.status).map_err(Fault::NotFetched)?;
        let value = exchange.json(answer)?.ok_or(Fault::Redirect)?;
        let Answer { error, token, continue_on } = shape(value)?;
        if let Some(ErrorMembers { error, url }) = error {
            let url = endpoint.join(&url).ok().filter(|_| !url.is_empty());
            let url = url.filter(|url| is_same_site(url, endpoint) && is_trustworthy(url));
            let url = url.map(String::from).unwrap_or_default();
            return Err(AssertionError { error, url, fault: Fault::Refused });
        }
        if !(200..300).contains(&status) {
            let error = match status {
                500 => "server_error",
                503 => "temporarily_unavailable",
                _ => "",
            };
            return Err(AssertionError { error: error.to_owned(), ..Fault::Status(status).into() });
        }
        if let Some(token) = token {
            return Ok(Self::Token(Token::new(token)));
        }
        let next = continue_on.ok_or(Fault::NoToken)?;
        let next = endpoint.join(&next).ok().filter(|url| url.origin() == endpoint.origin());
        Ok(Self::ContinueOn(next.ok_or(Fault::NotSameOrigin("continue_on"))?))
    }
}

/// Asks the provider to end the connection of an account that it knows by this hint.
#[must_use]
pub fn ask_disconnect(endpoint: &Url, origin: &str, client_id: &str, hint: &str) -> Exchange {
    let mut form = Serializer::new(String::new());
    form.append_pair("client_id", client_id).append_pair("account_hint", hint);
    Exchange::post(Endpoint::Disconnect, endpoint, origin, form.finish())
}

#[derive(Deserialize)]
struct Disconnected {
    account_id: String,
}

/// Reads the answer: the identifier of the account whose connection ended.
///
/// # Errors
///
/// The rule that it breaks.
pub fn disconnected(
    exchange: &mut Exchange,
    answer: Result<&FetchResponse, FetchFault>,
) -> Result<String, Fault> {
    let answer: Option<Disconnected> = exchange.shaped(answer)?;
    answer.map(|answer| answer.account_id).ok_or(Fault::Redirect)
}
