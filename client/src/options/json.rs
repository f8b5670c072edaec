//! The options as they stand in JSON. Unknown members are passed over; `null` is as good as absent.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::cause::Cause;
use crate::extensions::Members;

/// JSON, whatever it holds.
pub(crate) fn parse(text: &str) -> Result<Value, Cause> {
    serde_json::from_str(text).map_err(|error| Cause::NotTheDictionary(error.to_string()))
}

/// The member `publicKey` of an object that has it, else the value itself.
pub(super) fn unwrapped(mut value: Value) -> Value {
    match value.get_mut("publicKey") {
        Some(inner) => inner.take(),
        None => value,
    }
}

/// Reads a dictionary. What is wrong is told with the member that it is wrong in.
pub(crate) fn read<T: DeserializeOwned>(value: Value) -> Result<T, Cause> {
    let read = serde_path_to_error::deserialize(value).map(|Dictionary(value)| value);
    read.map_err(|error| match error.path().to_string().as_str() {
        "." => Cause::NotTheDictionary(error.inner().to_string()),
        path => Cause::NotTheDictionary(format!("{path}: {}", error.inner())),
    })
}

/// A dictionary of Web IDL, which an object alone is. serde would read its members out of a list, one after the other.
struct Dictionary<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Dictionary<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Object(PhantomData)).map(Self)
    }
}

struct Object<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members))
    }
}

/// A required member that is a dictionary.
fn dictionary<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Dictionary::deserialize(from).map(|Dictionary(value)| value)
}

/// A required member that is a list of dictionaries.
pub(crate) fn dictionaries<'de, D, T>(from: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let listed: Vec<Dictionary<T>> = Deserialize::deserialize(from)?;
    Ok(listed.into_iter().map(|Dictionary(value)| value).collect())
}

/// The same, which may be absent.
fn dictionaries_or_none<'de, D, T>(from: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let listed: Option<Vec<Dictionary<T>>> = Deserialize::deserialize(from)?;
    Ok(listed.into_iter().flatten().map(|Dictionary(value)| value).collect())
}

/// A member that is a dictionary and may be absent.
fn dictionary_or_none<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let value: Option<Dictionary<T>> = Deserialize::deserialize(from)?;
    Ok(value.map(|Dictionary(value)| value))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Creation {
    #[serde(deserialize_with = "dictionary")]
    pub(super) rp: RelyingParty,
    #[serde(deserialize_with = "dictionary")]
    pub(super) user: User,
    pub(super) challenge: String,
    #[serde(deserialize_with = "dictionaries")]
    pub(super) pub_key_cred_params: Vec<Parameters>,
    pub(super) timeout: Option<u64>,
    #[serde(default, deserialize_with = "dictionaries_or_none")]
    pub(super) exclude_credentials: Vec<Descriptor>,
    #[serde(default, deserialize_with = "dictionary_or_none")]
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
    #[serde(default, deserialize_with = "dictionaries_or_none")]
    pub(super) allow_credentials: Vec<Descriptor>,
    pub(super) user_verification: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) hints: Vec<String>,
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
