//! The provider protocol of `FedCM`: what a client asks an identity provider, and how it judges what comes back (draft
//! of 2026-05-15, the HTTP API of providers).
//!
//! An [`Exchange`] says what to send, its owner sends it and hands the answer in, and what is wrong with the answer has a
//! name, [`Fault`], which a browser hides. On it stand the calls of a page, each a machine on the question seam: `get`,
//! `disconnect` and `getUserInfo`. Who is signed in where, cookies and connected accounts are in the
//! [`Profile`](crate::Profile).

pub mod accounts;
pub mod assertion;
mod branding;
pub mod config;
mod credential;
mod desk;
mod dialog;
mod error;
mod exchange;
mod failure;
pub(crate) mod get;
mod log;
pub(crate) mod memory;
mod offer;
pub mod options;
mod party;
mod profile;
pub(crate) mod settings;
pub(crate) mod shown;
mod site;
mod statics;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::Serialize;

pub use accounts::{Account, Hints, accounts};
pub use assertion::{Assertion, AssertionError, AssertionRequest};
pub use branding::{Branding, Icon};
pub use config::{ClientMetadata, Config, WellKnown};
pub use credential::{IdentityCredential, Token};
pub use dialog::{AccountChoice, AccountDialog, Disclosure};
pub use error::IdentityCredentialError;
pub use exchange::Exchange;
pub use failure::{Failure, NotAutomatic, Unoffered};
pub use log::LogEntry;
pub use memory::{Connection, LoginStatus};
pub use options::{DisconnectOptions, IdentityOptions, ProviderRequest, UserInfoOptions};
pub use settings::FedCmSettings;
pub use site::{is_same_site, is_trustworthy};
pub use statics::{UserInfo, UserInfos};

use crate::fetch::FetchFault;

/// An endpoint of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Endpoint {
    /// `/.well-known/web-identity` of the registrable domain.
    WellKnown,
    /// The config file.
    Config,
    /// The accounts of the person who is signed in there.
    Accounts,
    /// What the provider knows of the relying party.
    ClientMetadata,
    /// The picture of an account, wherever it is.
    Picture,
    /// Gives the token.
    IdAssertion,
    /// Ends the connection of an account.
    Disconnect,
}

impl Endpoint {
    /// Are the provider's cookies sent along, those with `SameSite=None`?
    #[must_use]
    pub const fn has_cookies(self) -> bool {
        matches!(self, Self::Accounts | Self::IdAssertion | Self::Disconnect)
    }

    /// Does the provider learn the origin of the relying party from the request?
    #[must_use]
    pub const fn names_origin(self) -> bool {
        matches!(self, Self::ClientMetadata | Self::IdAssertion | Self::Disconnect)
    }

    /// Is a redirect followed?
    const fn may_be_elsewhere(self) -> bool {
        matches!(self, Self::WellKnown | Self::Picture)
    }

    /// Must the answer allow the relying party's origin to read it?
    const fn needs_cors(self) -> bool {
        matches!(self, Self::IdAssertion | Self::Disconnect)
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::WellKnown => "well-known file",
            Self::Config => "config file",
            Self::Accounts => "accounts endpoint",
            Self::ClientMetadata => "client metadata endpoint",
            Self::Picture => "picture",
            Self::IdAssertion => "id assertion endpoint",
            Self::Disconnect => "disconnect endpoint",
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which rule an answer broke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Fault {
    /// There is no answer.
    NotFetched(FetchFault),
    /// It is a redirect where none is followed, or one that leads nowhere, to plain HTTP or too far.
    Redirect,
    /// Its status is not one of success.
    Status(u16),
    /// `Access-Control-Allow-Origin` is not the relying party's origin.
    AllowOrigin(Option<String>),
    /// `Access-Control-Allow-Credentials` is not `true`.
    AllowCredentials,
    /// Its media type is not one of JSON.
    MediaType(String),
    /// Its body is not JSON.
    NotJson,
    /// It is JSON of another shape; the text says where.
    Shape(String),
    /// This member is no URL of the config file's origin.
    NotSameOrigin(&'static str),
    /// This URL, or member, is neither `https` nor on this machine.
    NotTrustworthy(&'static str),
    /// `provider_urls` has so many entries.
    SeveralProviders(usize),
    /// The well-known file has neither `provider_urls` nor both `accounts_endpoint` and `login_url`.
    NoProvider,
    /// `provider_urls` names another config file.
    OtherProvider,
    /// This member of the well-known file and of the config file differ.
    Differs(&'static str),
    /// A config file with `client_metadata_endpoint` needs a well-known file with `accounts_endpoint` and `login_url`.
    WellKnownTooShort,
    /// This account has neither name, email, tel nor username.
    Nameless(String),
    /// Two accounts have this identifier.
    Duplicate(String),
    /// The provider gives an error instead of a token.
    Refused,
    /// There is neither a token nor anything else.
    NoToken,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFetched(fault) => write!(f, "{fault}"),
            Self::Redirect => f.write_str("the redirect is not followed"),
            Self::Status(status) => write!(f, "the status is {status}"),
            Self::AllowOrigin(None) => f.write_str("Access-Control-Allow-Origin is missing"),
            Self::AllowOrigin(Some(origin)) => {
                write!(f, "Access-Control-Allow-Origin is {origin:?}, not the relying party's origin")
            }
            Self::AllowCredentials => f.write_str("Access-Control-Allow-Credentials is not true"),
            Self::MediaType(kind) => write!(f, "the media type {kind:?} is not JSON"),
            Self::NotJson => f.write_str("the body is not JSON"),
            Self::Shape(detail) => write!(f, "the answer is not as it should be: {detail}"),
            Self::NotSameOrigin(member) => {
                write!(f, "{member} is no URL of the config file's origin")
            }
            Self::NotTrustworthy(member) => write!(f, "{member} is neither https nor local"),
            Self::SeveralProviders(count) => write!(f, "provider_urls has {count} entries"),
            Self::NoProvider => f.write_str(
                "there is neither provider_urls nor both accounts_endpoint and login_url",
            ),
            Self::OtherProvider => f.write_str("provider_urls names another config file"),
            Self::Differs(member) => write!(f, "{member} differs from the well-known file's"),
            Self::WellKnownTooShort => f.write_str(
                "client_metadata_endpoint needs accounts_endpoint and login_url in the well-known file",
            ),
            Self::Nameless(id) => write!(f, "the account {id:?} has no name of any kind"),
            Self::Duplicate(id) => write!(f, "there are two accounts {id:?}"),
            Self::Refused => f.write_str("the provider refused"),
            Self::NoToken => f.write_str("there is no token"),
        }
    }
}

impl std::error::Error for Fault {}
