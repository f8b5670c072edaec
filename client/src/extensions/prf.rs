//! `prf` over hmac-secret (WebAuthn Level 3 section 10.1.4, `CTAP` 2.3 section 12.7): always the secret that goes
//! with user verification, so nothing is evaluated where the user was not verified. And hmac-secret with the page's
//! own salts, which may be either secret.

use core::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use softkey_ctap::Secret;
use softkey_ctap::extensions::HmacSecretInput;
#[cfg(test)]
use softkey_ctap::pin_uv::{KeyAgreement, SharedSecret};
use zeroize::Zeroizing;

use crate::cause::{Cause, WrongResponse};
use crate::info::Info;
use crate::session::{Agreement, Session};

use super::{HmacSalts, PrfValues};

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
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrfOutputs {
    /// From the first input.
    #[serde(with = "super::secret")]
    pub first: Secret<32>,
    /// From the second input, if there was one.
    #[serde(default, with = "super::secret::optional", skip_serializing_if = "Option::is_none")]
    pub second: Option<Secret<32>>,
}

/// The secrets from one or two raw salts: the output of `hmacGetSecret`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HmacSecretOutputs {
    /// From the first salt.
    #[serde(with = "super::secret")]
    pub output1: Secret<32>,
    /// From the second salt, if there was one.
    #[serde(default, with = "super::secret::optional", skip_serializing_if = "Option::is_none")]
    pub output2: Option<Secret<32>>,
}

impl fmt::Debug for PrfOutputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.second.is_some() { "PrfOutputs(2)" } else { "PrfOutputs(1)" })
    }
}

impl fmt::Debug for HmacSecretOutputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let both = self.output2.is_some();
        f.write_str(if both { "HmacSecretOutputs(2)" } else { "HmacSecretOutputs(1)" })
    }
}

/// The salt that stands for an input of the page.
pub(super) fn salt(input: &[u8]) -> [u8; 32] {
    let hash = Sha256::new_with_prefix(b"WebAuthn PRF\0");
    hash.chain_update(input).finalize().into()
}

/// One or two salts for hmac-secret.
pub(crate) struct Salts {
    /// 32 or 64 bytes.
    bytes: Zeroizing<Vec<u8>>,
    /// Did the page give the salts themselves?
    raw: bool,
}

impl From<&PrfValues> for Salts {
    fn from(values: &PrfValues) -> Self {
        let inputs = [Some(&values.first), values.second.as_ref()];
        let bytes: Vec<u8> = inputs.into_iter().flatten().flat_map(|input| salt(input)).collect();
        Self { bytes: bytes.into(), raw: false }
    }
}

impl From<&HmacSalts> for Salts {
    fn from(salts: &HmacSalts) -> Self {
        let second = salts.salt2.as_deref().unwrap_or_default();
        Self { bytes: [&salts.salt1, second].concat().into(), raw: true }
    }
}

/// Salts on their way to a key, and the secret under which its answer comes back.
pub(crate) struct Evaluation {
    agreement: Agreement,
    salt_enc: Vec<u8>,
    salt_auth: Vec<u8>,
    both: bool,
    raw: bool,
}

impl Session {
    /// Encrypts the salts.
    pub(crate) async fn evaluation(
        &mut self,
        info: &Info,
        salts: Salts,
    ) -> Result<Evaluation, Cause> {
        let agreement = self.agree(Session::protocol(info)?).await?;
        let Ok(salt_enc) = agreement.secret.encrypt(&mut self.entropy, &salts.bytes);
        let salt_auth = agreement.secret.authenticate(&[&salt_enc]);
        let both = salts.bytes.len() > 32;
        Ok(Evaluation { agreement, salt_enc, salt_auth, both, raw: salts.raw })
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
        Self { agreement: Agreement { ours, secret }, salt_enc, salt_auth, both, raw: false }
    }

    /// Did the page give the salts themselves?
    pub(super) const fn is_raw(&self) -> bool {
        self.raw
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
