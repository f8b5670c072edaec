//! `IdentityCredential`, and the token in it.

use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::registry::CredentialType;

/// What a provider gives for the page, whatever JSON it is. It is as good as a password for a while, so `Debug` leaves
/// it out.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Value);

impl Token {
    /// A token.
    #[must_use]
    pub const fn new(value: Value) -> Self {
        Self(value)
    }

    /// The token itself.
    #[must_use]
    pub const fn expose(&self) -> &Value {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// A sign-in with an account at a provider. It serializes as a page sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityCredential {
    token: Token,
    is_auto_selected: bool,
    config_url: String,
}

impl IdentityCredential {
    pub(super) const fn new(token: Token, is_auto_selected: bool, config_url: String) -> Self {
        Self { token, is_auto_selected, config_url }
    }

    /// The member `token`, as the provider sent it.
    #[must_use]
    pub const fn token(&self) -> &Token {
        &self.token
    }

    /// The member `isAutoSelected`: was the account chosen without asking?
    #[must_use]
    pub const fn is_auto_selected(&self) -> bool {
        self.is_auto_selected
    }

    /// The member `configURL`, as the page gave it.
    #[must_use]
    pub fn config_url(&self) -> &str {
        &self.config_url
    }
}

impl Serialize for IdentityCredential {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut object = to.serialize_struct("IdentityCredential", 5)?;
        object.serialize_field("id", "")?;
        object.serialize_field("type", CredentialType::Identity.as_str())?;
        object.serialize_field("token", &self.token.0)?;
        object.serialize_field("isAutoSelected", &self.is_auto_selected)?;
        object.serialize_field("configURL", &self.config_url)?;
        object.end()
    }
}
