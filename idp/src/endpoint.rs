//! The endpoints of the provider protocol, their names and their paths.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// An endpoint that can be made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// `/.well-known/web-identity` of the registrable domain.
    WellKnown,
    /// The config file.
    Config,
    /// The accounts.
    Accounts,
    /// What the provider knows of a client.
    ClientMetadata,
    /// Gives tokens.
    IdAssertion,
    /// Ends connections.
    Disconnect,
    /// The picture of an account.
    Picture,
    /// The page where people sign in.
    Login,
}

impl Endpoint {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::WellKnown,
        Self::Config,
        Self::Accounts,
        Self::ClientMetadata,
        Self::IdAssertion,
        Self::Disconnect,
        Self::Picture,
        Self::Login,
    ];

    /// What it is called in faults and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WellKnown => "well-known",
            Self::Config => "config",
            Self::Accounts => "accounts",
            Self::ClientMetadata => "client-metadata",
            Self::IdAssertion => "id-assertion",
            Self::Disconnect => "disconnect",
            Self::Picture => "picture",
            Self::Login => "login",
        }
    }

    /// Where it is.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::WellKnown => "/.well-known/web-identity",
            Self::Config => "/fedcm.json",
            Self::Accounts => "/accounts",
            Self::ClientMetadata => "/client-metadata",
            Self::IdAssertion => "/id-assertion",
            Self::Disconnect => "/disconnect",
            Self::Picture => "/picture",
            Self::Login => "/login",
        }
    }

    /// The one that is there.
    pub(crate) fn at(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|endpoint| endpoint.path() == path)
    }

    /// Does it hear forms, rather than questions?
    pub(crate) const fn is_posted(self) -> bool {
        matches!(self, Self::IdAssertion | Self::Disconnect)
    }

    /// Is it told the origin of the relying party?
    pub(crate) const fn has_origin(self) -> bool {
        matches!(self, Self::ClientMetadata | Self::IdAssertion | Self::Disconnect)
    }

    /// Do the person's cookies belong here?
    pub(crate) const fn has_cookies(self) -> bool {
        matches!(self, Self::Accounts | Self::IdAssertion | Self::Disconnect | Self::Login)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Endpoint {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|endpoint| endpoint.as_str() == text);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join(", ");
            format!("there is no endpoint {text:?}; there are {names}")
        })
    }
}
