//! The registry of credential types (Credential Management Level 1 sections 2.1 and 5.1): their names, members,
//! policies, and which may share one call.

use serde::{Deserialize, Serialize};

/// A type of credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialType {
    /// `PasswordCredential`.
    Password,
    /// `FederatedCredential`.
    Federated,
    /// `IdentityCredential`.
    Identity,
    /// `OTPCredential`.
    Otp,
    /// `PublicKeyCredential`.
    PublicKey,
}

/// Where credentials of a type come from: `[[discovery]]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discovery {
    /// The profile keeps them.
    CredentialStore,
    /// Somebody else does.
    Remote,
}

/// A feature that permission policies govern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feature {
    /// `publickey-credentials-create`
    PublicKeyCredentialsCreate,
    /// `publickey-credentials-get`
    PublicKeyCredentialsGet,
    /// `identity-credentials-get`
    IdentityCredentialsGet,
    /// `otp-credentials`
    OtpCredentials,
}

impl Feature {
    /// The name in the header `Permissions-Policy` and the attribute `allow`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PublicKeyCredentialsCreate => "publickey-credentials-create",
            Self::PublicKeyCredentialsGet => "publickey-credentials-get",
            Self::IdentityCredentialsGet => "identity-credentials-get",
            Self::OtpCredentials => "otp-credentials",
        }
    }
}

impl CredentialType {
    /// All types of the registry.
    pub const ALL: [Self; 5] =
        [Self::Password, Self::Federated, Self::Identity, Self::Otp, Self::PublicKey];

    /// The value of `type`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Federated => "federated",
            Self::Identity => "identity",
            Self::Otp => "otp",
            Self::PublicKey => "public-key",
        }
    }

    /// The member of the options of create and get that asks for it.
    #[must_use]
    pub const fn member(self) -> &'static str {
        match self {
            Self::PublicKey => "publicKey",
            other => other.as_str(),
        }
    }

    /// The policy that get needs.
    #[must_use]
    pub const fn get_policy(self) -> Option<Feature> {
        match self {
            Self::Password | Self::Federated => None,
            Self::Identity => Some(Feature::IdentityCredentialsGet),
            Self::Otp => Some(Feature::OtpCredentials),
            Self::PublicKey => Some(Feature::PublicKeyCredentialsGet),
        }
    }

    /// The policy that create needs.
    #[must_use]
    pub const fn create_policy(self) -> Option<Feature> {
        match self {
            Self::PublicKey => Some(Feature::PublicKeyCredentialsCreate),
            _ => None,
        }
    }

    /// Has create a member for it?
    #[must_use]
    pub const fn can_be_created(self) -> bool {
        matches!(self, Self::Password | Self::Federated | Self::PublicKey)
    }

    /// Where its credentials come from.
    #[must_use]
    pub const fn discovery(self) -> Discovery {
        match self {
            Self::Password | Self::Federated => Discovery::CredentialStore,
            Self::Identity | Self::Otp | Self::PublicKey => Discovery::Remote,
        }
    }

    /// May get be called with `mediation: "conditional"`?
    #[must_use]
    pub const fn is_conditional(self) -> bool {
        matches!(self, Self::PublicKey)
    }

    /// May one get ask for both? The same in both directions.
    #[must_use]
    pub fn mixes_with(self, other: Self) -> bool {
        let stored = |kind: Self| kind.discovery() == Discovery::CredentialStore;
        self == other || (stored(self) && stored(other))
    }
}

#[cfg(test)]
mod tests {
    use super::CredentialType::{Federated, Password};
    use super::*;

    /// Credential Management section 5.1: passwords and federated credentials mix, everything else is alone.
    #[test]
    fn only_types_of_the_credential_store_mix() {
        for one in CredentialType::ALL {
            for other in CredentialType::ALL {
                let stored = [Password, Federated];
                let expected = one == other || (stored.contains(&one) && stored.contains(&other));
                assert_eq!(one.mixes_with(other), expected, "{one:?} {other:?}");
            }
        }
    }
}
