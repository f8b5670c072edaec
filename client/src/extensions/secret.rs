//! Secrets of 32 bytes in JSON, as base64url: whoever has the JSON has them.

use serde::{Deserialize, Deserializer, Serializer, de};
use softkey_ctap::Secret;
use zeroize::Zeroizing;

use crate::base64url;

pub(super) fn serialize<S: Serializer>(secret: &Secret<32>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&base64url::encode(secret.expose()))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Secret<32>, D::Error> {
    let text = Zeroizing::new(String::deserialize(from)?);
    let bytes = base64url::decode(&text).map(Zeroizing::new);
    let secret = bytes.and_then(|bytes| Secret::from_slice(&bytes));
    secret.ok_or_else(|| de::Error::custom("not 32 bytes in base64url"))
}

/// The same for a secret that may be absent.
pub(super) mod optional {
    use super::{Deserialize, Deserializer, Secret, Serializer};

    #[allow(clippy::ref_option, reason = "serde gives the field by reference")]
    pub(in super::super) fn serialize<S: Serializer>(
        secret: &Option<Secret<32>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match secret {
            Some(secret) => super::serialize(secret, to),
            None => to.serialize_none(),
        }
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Secret<32>>, D::Error> {
        #[derive(Deserialize)]
        struct Present(#[serde(with = "super")] Secret<32>);
        Ok(Option::<Present>::deserialize(from)?.map(|Present(secret)| secret))
    }
}
