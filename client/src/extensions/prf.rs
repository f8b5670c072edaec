//! `prf` over hmac-secret (WebAuthn Level 3 section 10.1.4, `CTAP` 2.3 section 12.7): always the secret that goes
//! with user verification, so nothing is evaluated where the user was not verified.

use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};
use softkey_ctap::Secret;
use softkey_ctap::extensions::HmacSecretInput;
#[cfg(test)]
use softkey_ctap::pin_uv::{KeyAgreement, SharedSecret};
use zeroize::Zeroizing;

use crate::base64url;
use crate::cause::{Cause, WrongResponse};
use crate::info::Info;
use crate::session::{Agreement, Session};

use super::PrfValues;

/// `AuthenticationExtensionsPRFOutputs`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrfResults {
    /// At creation: can the credential be used with `prf`?
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// The secrets, if the inputs were evaluated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub results: Option<PrfOutputs>,
}

/// The secrets from one or two inputs, 32 bytes each.
#[derive(Clone, PartialEq, Eq)]
pub struct PrfOutputs {
    /// From the first input.
    pub first: Secret<32>,
    /// From the second input, if there was one.
    pub second: Option<Secret<32>>,
}

impl fmt::Debug for PrfOutputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.second.is_some() { "PrfOutputs(2)" } else { "PrfOutputs(1)" })
    }
}

/// The secrets on their way to the page or from it: whoever has the JSON has them.
#[derive(Serialize, Deserialize)]
struct Texts {
    first: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    second: Option<String>,
}

impl Serialize for PrfOutputs {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let text = |secret: &Secret<32>| base64url::encode(secret.expose());
        Texts { first: text(&self.first), second: self.second.as_ref().map(text) }.serialize(to)
    }
}

impl<'de> Deserialize<'de> for PrfOutputs {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let texts = Texts::deserialize(from)?;
        let secret = |text: String| {
            let bytes = base64url::decode(&text).map(Zeroizing::new);
            let secret = bytes.and_then(|bytes| Secret::from_slice(&bytes));
            secret.ok_or_else(|| de::Error::custom("not 32 bytes in base64url"))
        };
        Ok(Self { first: secret(texts.first)?, second: texts.second.map(secret).transpose()? })
    }
}

/// The salt that stands for an input of the page.
pub(super) fn salt(input: &[u8]) -> [u8; 32] {
    let hash = Sha256::new_with_prefix(b"WebAuthn PRF\0");
    hash.chain_update(input).finalize().into()
}

/// Salts on their way to a key, and the secret under which its answer comes back.
pub(crate) struct Evaluation {
    agreement: Agreement,
    salt_enc: Vec<u8>,
    salt_auth: Vec<u8>,
    both: bool,
}

impl Session {
    /// Encrypts the salts for these values.
    pub(crate) async fn evaluation(
        &mut self,
        info: &Info,
        values: &PrfValues,
    ) -> Result<Evaluation, Cause> {
        let agreement = self.agree(Session::protocol(info)?).await?;
        let inputs = [Some(&values.first), values.second.as_ref()];
        let salts: Vec<u8> = inputs.into_iter().flatten().flat_map(|input| salt(input)).collect();
        let Ok(salt_enc) = agreement.secret.encrypt(&mut self.entropy, &salts);
        let salt_auth = agreement.secret.authenticate(&[&salt_enc]);
        Ok(Evaluation { agreement, salt_enc, salt_auth, both: values.second.is_some() })
    }
}

impl Evaluation {
    #[cfg(test)]
    pub(super) fn new(
        ours: KeyAgreement,
        secret: SharedSecret,
        salt_enc: Vec<u8>,
        both: bool,
    ) -> Self {
        let salt_auth = secret.authenticate(&[&salt_enc]);
        Self { agreement: Agreement { ours, secret }, salt_enc, salt_auth, both }
    }

    /// The input of hmac-secret and hmac-secret-mc.
    pub(super) fn input(&self) -> HmacSecretInput<'_> {
        HmacSecretInput {
            key_agreement: self.agreement.ours.public(),
            salt_enc: &self.salt_enc,
            salt_auth: &self.salt_auth,
            pin_uv_auth_protocol: Some(self.agreement.secret.protocol().number()),
        }
    }

    /// Reads the output of hmac-secret.
    pub(super) fn outputs(&self, encrypted: &[u8]) -> Result<PrfOutputs, Cause> {
        let bytes = self.agreement.secret.decrypt(encrypted).ok_or(WrongResponse::HmacSecret)?;
        let (first, second) = bytes.split_at_checked(32).ok_or(WrongResponse::HmacSecret)?;
        let first = Secret::from_slice(first).ok_or(WrongResponse::HmacSecret)?;
        let second = match (self.both, second) {
            (false, []) => None,
            (true, second) => Some(Secret::from_slice(second).ok_or(WrongResponse::HmacSecret)?),
            (false, _) => return Err(WrongResponse::HmacSecret.into()),
        };
        Ok(PrfOutputs { first, second })
    }
}
