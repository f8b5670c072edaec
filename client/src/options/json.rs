//! The options as they stand in JSON. Unknown members are passed over; `null` is as good as absent.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::cause::Cause;
use crate::extensions::Members;

/// JSON, whatever it holds.
pub(crate) fn parse(text: &str) -> Result<Value, Cause> {
    serde_json::from_str(text).map_err(|error| fault(&error))
}

/// The member `publicKey` of an object that has it, else the value itself.
pub(super) fn unwrapped(mut value: Value) -> Value {
    match value.get_mut("publicKey") {
        Some(inner) => inner.take(),
        None => value,
    }
}

/// Reads a dictionary.
pub(crate) fn read<T: DeserializeOwned>(value: Value) -> Result<T, Cause> {
    serde_json::from_value(value).map_err(|error| fault(&error))
}

fn fault(error: &serde_json::Error) -> Cause {
    Cause::NotTheDictionary(error.to_string())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Creation {
    pub(super) rp: RelyingParty,
    pub(super) user: User,
    pub(super) challenge: String,
    pub(super) pub_key_cred_params: Vec<Parameters>,
    pub(super) timeout: Option<u64>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) exclude_credentials: Vec<Descriptor>,
    pub(super) authenticator_selection: Option<Selection>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) hints: Vec<String>,
    pub(super) attestation: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) attestation_formats: Vec<String>,
    pub(super) extensions: Option<Members>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    pub(super) challenge: String,
    pub(super) timeout: Option<u64>,
    pub(super) rp_id: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) allow_credentials: Vec<Descriptor>,
    pub(super) user_verification: Option<String>,
    pub(super) attestation: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) attestation_formats: Vec<String>,
    pub(super) extensions: Option<Members>,
}

#[derive(Deserialize)]
pub(super) struct RelyingParty {
    pub(super) id: Option<String>,
    pub(super) name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct User {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) display_name: String,
}

#[derive(Deserialize)]
pub(super) struct Parameters {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) alg: i64,
}

#[derive(Deserialize)]
pub(super) struct Descriptor {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) transports: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Selection {
    pub(super) authenticator_attachment: Option<String>,
    pub(super) resident_key: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) require_resident_key: bool,
    pub(super) user_verification: Option<String>,
}

fn or_default<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::deserialize(from).map(Option::unwrap_or_default)
}
