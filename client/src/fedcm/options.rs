//! What a page asks of `IdentityCredential`: the member `identity` of the options of get, and the arguments of
//! `disconnect` and `getUserInfo`.

use serde::Deserialize;
use serde_json::Value;

use crate::cause::Cause;
use crate::options::json;

/// `IdentityCredentialRequestOptions`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct IdentityOptions {
    /// The providers that will do, in the page's order of preference.
    #[serde(deserialize_with = "json::dictionaries")]
    pub providers: Vec<ProviderRequest>,
    /// What the person is told that they do.
    #[serde(default)]
    pub context: Context,
    /// How the person is asked.
    #[serde(default)]
    pub mode: Mode,
}

impl IdentityOptions {
    /// Reads the member `identity` as it stands in JSON.
    ///
    /// # Errors
    ///
    /// [`Cause::NotTheDictionary`], for which the page sees `TypeError`: a required member is missing, a value is of
    /// another type or unknown.
    pub fn from_value(value: Value) -> Result<Self, Cause> {
        json::read(value)
    }
}

/// `IdentityProviderRequestOptions`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProviderRequest {
    /// Where the provider's config file is; relative to the page's origin.
    #[serde(rename = "configURL")]
    pub config_url: String,
    /// The page, as the provider knows it.
    pub client_id: String,
    /// Only accounts that have this hint; empty for all.
    #[serde(default)]
    pub login_hint: String,
    /// Only accounts of this domain, or of any for `any`; empty for all.
    #[serde(default)]
    pub domain_hint: String,
    /// What the page wants to know of the person; absent is name, email and picture.
    pub fields: Option<Vec<String>>,
    /// The page's own parameters, which go to the provider as they are.
    pub params: Option<Value>,
    /// The member `nonce` of earlier pages.
    pub nonce: Option<String>,
}

/// What the person is told that they do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Context {
    /// Sign in.
    #[default]
    SignIn,
    /// Sign up.
    SignUp,
    /// Use an account.
    Use,
    /// Continue.
    Continue,
}

/// How the person is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// As it suits, and as they allow.
    #[default]
    Passive,
    /// At once, for they clicked.
    Active,
}

/// `IdentityCredentialDisconnectOptions`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DisconnectOptions {
    /// Where the provider's config file is.
    #[serde(rename = "configURL")]
    pub config_url: String,
    /// The page, as the provider knows it.
    pub client_id: String,
    /// Which account; what it means is between page and provider.
    pub account_hint: String,
}

impl DisconnectOptions {
    /// Reads the argument as it stands in JSON.
    ///
    /// # Errors
    ///
    /// [`Cause::NotTheDictionary`].
    pub fn from_json(text: &str) -> Result<Self, Cause> {
        json::read(json::parse(text)?)
    }
}

/// `IdentityProviderConfig`, the argument of `getUserInfo`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserInfoOptions {
    /// Where the provider's config file is.
    #[serde(rename = "configURL")]
    pub config_url: String,
    /// The relying party, as the provider knows it.
    pub client_id: String,
}

impl UserInfoOptions {
    /// Reads the argument as it stands in JSON.
    ///
    /// # Errors
    ///
    /// [`Cause::NotTheDictionary`].
    pub fn from_json(text: &str) -> Result<Self, Cause> {
        json::read(json::parse(text)?)
    }
}
