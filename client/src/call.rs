//! The options of a call on the container: `CredentialCreationOptions` and `CredentialRequestOptions`
//! (Credential Management Level 1 sections 2.3 and 2.4).

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::abort::{AbortReason, AbortSignal};
use crate::cause::Cause;
use crate::fedcm::IdentityOptions;
use crate::federated::{FederatedInit, FederatedRequest};
use crate::options::{CreationOptions, RequestOptions, json};
use crate::otp::OtpOptions;
use crate::password::PasswordInit;

/// How far the user may be involved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mediation {
    /// Not at all.
    Silent,
    /// As far as needed.
    #[default]
    Optional,
    /// When the user picks a credential of their own accord, without a dialog that stands in the way.
    Conditional,
    /// In any case.
    Required,
}

/// How a request is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UiMode {
    /// Now, if there is something to choose; else the call ends.
    Immediate,
}

/// The options of create.
#[derive(Clone, Debug, Default)]
pub struct CredentialCreationOptions {
    /// How far the user may be involved; for create only `conditional` has a meaning.
    pub mediation: Mediation,
    /// Withdraws the call.
    pub signal: Option<AbortSignal>,
    /// A password credential is to be made.
    pub password: Option<PasswordInit>,
    /// A federated credential is to be made.
    pub federated: Option<FederatedInit>,
    /// A public-key credential is to be made.
    pub public_key: Option<CreationOptions>,
}

/// The options of get.
#[derive(Clone, Debug, Default)]
pub struct CredentialRequestOptions {
    /// How far the user may be involved.
    pub mediation: Mediation,
    /// How it is shown.
    pub ui_mode: Option<UiMode>,
    /// Withdraws the call.
    pub signal: Option<AbortSignal>,
    /// A password will do.
    pub password: bool,
    /// A federated credential will do.
    pub federated: Option<FederatedRequest>,
    /// An account at an identity provider will do.
    pub identity: Option<IdentityOptions>,
    /// A one-time code will do.
    pub otp: Option<OtpOptions>,
    /// A public-key credential will do.
    pub public_key: Option<RequestOptions>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Members {
    #[serde(default)]
    mediation: Mediation,
    ui_mode: Option<UiMode>,
    signal: Option<SignalMembers>,
    #[serde(default, deserialize_with = "present")]
    password: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    federated: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    identity: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    otp: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    public_key: Option<Value>,
}

/// What can be said of a signal in JSON: that it is aborted, and why.
#[derive(Deserialize)]
struct SignalMembers {
    #[serde(default)]
    aborted: bool,
    reason: Option<Value>,
}

impl SignalMembers {
    fn signal(self) -> AbortSignal {
        if !self.aborted {
            return AbortSignal::default();
        }
        AbortSignal::aborted(self.reason.map_or(AbortReason::Abort, AbortReason::Value))
    }
}

/// What becomes of a value where Web IDL has a boolean.
fn boolean(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

/// A dictionary without required members, which null becomes too.
fn dictionary<T: DeserializeOwned + Default>(value: Value) -> Result<T, Cause> {
    if value.is_null() { Ok(T::default()) } else { json::read(value) }
}

/// A member that is there counts, though it be null.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

impl CredentialCreationOptions {
    /// Reads the argument of `navigator.credentials.create()` with the options of each type in their JSON form.
    /// Members of types that this client does not have are passed over, as any unknown ones are.
    ///
    /// # Errors
    ///
    /// [`Cause::NotTheDictionary`], [`Cause::NotBase64Url`].
    pub fn from_json(text: &str) -> Result<Self, Cause> {
        let members: Members = json::read(json::parse(text)?)?;
        Ok(Self {
            mediation: members.mediation,
            signal: members.signal.map(SignalMembers::signal),
            password: members.password.map(PasswordInit::from_value).transpose()?,
            federated: members.federated.map(json::read).transpose()?,
            public_key: members.public_key.map(CreationOptions::from_value).transpose()?,
        })
    }
}

impl CredentialRequestOptions {
    /// Reads the argument of `navigator.credentials.get()`, likewise.
    ///
    /// # Errors
    ///
    /// As [`CredentialCreationOptions::from_json`].
    pub fn from_json(text: &str) -> Result<Self, Cause> {
        let members: Members = json::read(json::parse(text)?)?;
        Ok(Self {
            mediation: members.mediation,
            ui_mode: members.ui_mode,
            signal: members.signal.map(SignalMembers::signal),
            password: members.password.as_ref().is_some_and(boolean),
            federated: members.federated.map(dictionary).transpose()?,
            identity: members.identity.map(IdentityOptions::from_value).transpose()?,
            otp: members.otp.map(dictionary).transpose()?,
            public_key: members.public_key.map(RequestOptions::from_value).transpose()?,
        })
    }
}

impl From<CreationOptions> for CredentialCreationOptions {
    fn from(public_key: CreationOptions) -> Self {
        Self { public_key: Some(public_key), ..Self::default() }
    }
}

impl From<RequestOptions> for CredentialRequestOptions {
    fn from(public_key: RequestOptions) -> Self {
        Self { public_key: Some(public_key), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::{DomException, Operation};

    #[test]
    fn the_members_of_the_container_are_read() {
        let text =
            r#"{"mediation": "conditional", "publicKey": {"challenge": "AA"}, "digital": 7}"#;
        let options = CredentialRequestOptions::from_json(text).unwrap();
        assert_eq!(options.mediation, Mediation::Conditional);
        assert_eq!(options.public_key.unwrap().challenge, [0]);
        let options = CredentialRequestOptions::from_json("{}").unwrap();
        assert_eq!(options.mediation, Mediation::Optional);
        assert!(options.public_key.is_none());
    }

    /// Web IDL: mediation is an enumeration, and null becomes a dictionary without its required members.
    #[test]
    fn what_is_no_such_dictionary_is_a_type_error() {
        for text in [r#"{"mediation": "sometimes"}"#, r#"{"publicKey": null}"#, "7"] {
            let cause = CredentialCreationOptions::from_json(text).unwrap_err();
            assert_eq!(cause.exception(Operation::Create), DomException::TypeError, "{text}");
        }
        assert!(CredentialRequestOptions::from_json(r#"{"uiMode": "loud"}"#).is_err());
    }
}
