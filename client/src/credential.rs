//! What a promise of create or get resolves with, and what it is rejected with.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::abort::AbortReason;
use crate::cause::{Cause, DomException, Operation};
use crate::fedcm::{IdentityCredential, IdentityCredentialError};
use crate::federated::FederatedCredential;
use crate::otp::OtpCredential;
use crate::password::PasswordCredential;
use crate::registry::CredentialType;
use crate::request::KeyId;
use crate::response::{AuthenticationResponse, RegistrationResponse};

/// A `Credential`. It serializes as `toJSON()` gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Credential {
    /// A `PublicKeyCredential` that create made.
    Registration(Box<RegistrationResponse>),
    /// A `PublicKeyCredential` that get gave.
    Authentication(Box<AuthenticationResponse>),
    /// A password.
    Password(PasswordCredential),
    /// An account at a provider.
    Federated(FederatedCredential),
    /// A sign-in with an account at an identity provider.
    Identity(IdentityCredential),
    /// A code out of a message.
    Otp(OtpCredential),
}

impl Credential {
    /// The member `id`.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Registration(credential) => &credential.id,
            Self::Authentication(credential) => &credential.id,
            Self::Password(credential) => credential.id(),
            Self::Federated(credential) => credential.id(),
            Self::Identity(_) | Self::Otp(_) => "",
        }
    }

    /// The member `type`.
    #[must_use]
    pub const fn credential_type(&self) -> CredentialType {
        match self {
            Self::Registration(_) | Self::Authentication(_) => CredentialType::PublicKey,
            Self::Password(_) => CredentialType::Password,
            Self::Federated(_) => CredentialType::Federated,
            Self::Identity(_) => CredentialType::Identity,
            Self::Otp(_) => CredentialType::Otp,
        }
    }

    /// The slot `[[origin]]` of types that have it: passwords and federated credentials.
    #[must_use]
    pub fn origin(&self) -> Option<&str> {
        match self {
            Self::Password(credential) => Some(credential.origin()),
            Self::Federated(credential) => Some(credential.origin()),
            Self::Registration(_) | Self::Authentication(_) | Self::Identity(_) | Self::Otp(_) => {
                None
            }
        }
    }

    /// The password, if it is one.
    #[must_use]
    pub fn password(self) -> Option<PasswordCredential> {
        match self {
            Self::Password(credential) => Some(credential),
            _ => None,
        }
    }

    /// The federated credential, if it is one.
    #[must_use]
    pub fn federated(self) -> Option<FederatedCredential> {
        match self {
            Self::Federated(credential) => Some(credential),
            _ => None,
        }
    }

    /// The sign-in with an account at a provider, if it is one.
    #[must_use]
    pub fn identity(self) -> Option<IdentityCredential> {
        match self {
            Self::Identity(credential) => Some(credential),
            _ => None,
        }
    }

    /// The one-time code, if it is one.
    #[must_use]
    pub fn otp(self) -> Option<OtpCredential> {
        match self {
            Self::Otp(credential) => Some(credential),
            _ => None,
        }
    }

    /// The registration, if it is one.
    #[must_use]
    pub fn registration(self) -> Option<RegistrationResponse> {
        match self {
            Self::Registration(credential) => Some(*credential),
            _ => None,
        }
    }

    /// The sign-in, if it is one.
    #[must_use]
    pub fn authentication(self) -> Option<AuthenticationResponse> {
        match self {
            Self::Authentication(credential) => Some(*credential),
            _ => None,
        }
    }

    /// What `toJSON()` gives; for passwords, codes and sign-ins at providers, which
    /// have none, their members, the secret among them.
    #[must_use]
    pub fn to_json(&self) -> Value {
        // These types have text keys only, so they cannot fail to be JSON.
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// Why a promise was rejected: the exception that the page sees, and beside it what only a tester may know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The exception.
    pub exception: DomException,
    /// The private reason; where each key had its own, the one that decided.
    pub cause: Cause,
    /// What became of each key, in the order in which they dropped out.
    pub keys: Vec<(KeyId, Cause)>,
}

impl Rejection {
    /// A rejection before any key was asked.
    #[must_use]
    pub const fn new(cause: Cause, operation: Operation) -> Self {
        Self { exception: cause.exception(operation), cause, keys: Vec::new() }
    }

    /// The value itself that the page sees, if it aborted with a reason of its own; then there is no exception.
    #[must_use]
    pub const fn reason(&self) -> Option<&Value> {
        match &self.cause {
            Cause::Aborted(AbortReason::Value(value)) => Some(value),
            _ => None,
        }
    }

    /// The members of the exception that the page sees, if it is an `IdentityCredentialError`.
    #[must_use]
    pub const fn identity_error(&self) -> Option<IdentityCredentialError<'_>> {
        IdentityCredentialError::of(&self.cause)
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.exception.name(), self.cause)
    }
}

impl std::error::Error for Rejection {}
