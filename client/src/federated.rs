//! `FederatedCredential` (Credential Management Level 1 section 4): which provider a person signs in with.

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use crate::cause::{Cause, TypeFault};
use crate::origin::serialized;
use crate::password::check_icon;
use crate::question::Choice;
use crate::registry::CredentialType;

/// An account at a provider. It serializes as a page sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FederatedCredential(FederatedInit);

/// `FederatedCredentialInit`, which is also the form in which a profile keeps such a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FederatedInit {
    /// The account's name.
    pub id: String,
    /// The person's name; empty if there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The address of a picture; empty if there is none.
    #[serde(rename = "iconURL", default, skip_serializing_if = "String::is_empty")]
    pub icon_url: String,
    /// The origin of the page; create puts the caller's here.
    #[serde(default)]
    pub origin: String,
    /// The origin of the provider's sign-in page, such as `https://accounts.example`.
    pub provider: String,
    /// The protocol, such as `openidconnect`, if it is said.
    #[serde(default)]
    pub protocol: Option<String>,
}

/// `FederatedCredentialRequestOptions`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct FederatedRequest {
    /// Origins of providers, if only some will do.
    pub providers: Option<Vec<String>>,
    /// Protocols, if only some will do.
    pub protocols: Option<Vec<String>>,
}

impl FederatedCredential {
    /// `new FederatedCredential(init)`. A slash behind the provider's origin is dropped.
    ///
    /// # Errors
    ///
    /// [`TypeFault::EmptyMember`] for an empty id or provider; [`TypeFault::IconUrl`].
    pub fn new(mut init: FederatedInit) -> Result<Self, Cause> {
        for (member, value) in [("id", &init.id), ("provider", &init.provider)] {
            if value.is_empty() {
                return Err(Cause::Type(TypeFault::EmptyMember(member)));
            }
        }
        check_icon(&init.icon_url)?;
        init.provider = provider(&init.provider);
        init.origin = serialized(&init.origin);
        Ok(Self(init))
    }

    /// The account's name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// The origin of the page that it is for.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.0.origin
    }

    /// The provider's origin.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.0.provider
    }

    /// The protocol, if it is said.
    #[must_use]
    pub fn protocol(&self) -> Option<&str> {
        self.0.protocol.as_deref()
    }

    /// All of it.
    #[must_use]
    pub const fn init(&self) -> &FederatedInit {
        &self.0
    }

    pub(crate) fn choice(&self) -> Choice {
        let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        Choice {
            kind: CredentialType::Federated,
            id: self.0.id.clone(),
            name: given(&self.0.name),
            icon_url: given(&self.0.icon_url),
            provider: Some(self.0.provider.clone()),
            origin: self.0.origin.clone(),
        }
    }
}

impl FederatedRequest {
    /// Will this credential do?
    pub(crate) fn matches(&self, credential: &FederatedCredential) -> bool {
        let among = |list: &Option<Vec<String>>, is: &dyn Fn(&String) -> bool| {
            list.as_ref().is_none_or(|list| list.iter().any(is))
        };
        among(&self.providers, &|one| provider(one) == credential.0.provider)
            && among(&self.protocols, &|one| credential.protocol() == Some(one))
    }
}

/// A provider's name without the slash behind its origin.
pub(crate) fn provider(text: &str) -> String {
    text.strip_suffix('/').unwrap_or(text).to_owned()
}

impl Serialize for FederatedCredential {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut object = to.serialize_struct("FederatedCredential", 6)?;
        object.serialize_field("id", &self.0.id)?;
        object.serialize_field("type", CredentialType::Federated.as_str())?;
        object.serialize_field("name", &self.0.name)?;
        object.serialize_field("iconURL", &self.0.icon_url)?;
        object.serialize_field("provider", &self.0.provider)?;
        object.serialize_field("protocol", &self.0.protocol)?;
        object.end()
    }
}
