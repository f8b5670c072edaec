//! Client extensions: what a page asks for and what is wrong with it (WebAuthn Level 3 section 10, `CTAP` 2.3
//! section 12). How it stands in JSON is in `members.rs`, how keys are asked and what they answer in `inputs.rs`
//! and `outputs.rs`.

pub(crate) mod app_id;
mod inputs;
mod large_blob;
mod members;
mod outputs;
pub(crate) mod payment;
mod prf;
mod secret;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::base64url;
use crate::capabilities::Capability;
use crate::cause::Cause;
use crate::options::Credential;

pub use self::large_blob::{LargeBlobInputs, LargeBlobResults, Support};
pub use self::payment::PaymentInputs;
pub use self::prf::{HmacSecretOutputs, PrfOutputs, PrfResults};

pub(crate) use self::inputs::Prepared;
pub(crate) use self::large_blob::LargeBlobs;
pub(crate) use self::members::Members;
pub(crate) use self::outputs::Outputs;
pub(crate) use self::prf::Evaluation;

/// The extension inputs of create.
#[allow(clippy::struct_excessive_bools, reason = "each is an extension of its own")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreationInputs {
    /// `credProps`: tell whether a discoverable credential was asked for.
    pub cred_props: bool,
    /// `prf`: secrets from inputs of the page.
    pub prf: Option<PrfInputs>,
    /// `hmacCreateSecret`: prepare the credential for secrets from raw salts.
    pub hmac_create_secret: bool,
    /// `largeBlob`: have room for data with the credential.
    pub large_blob: Option<LargeBlobInputs>,
    /// `credProtect`: a level of protection.
    pub protection: Option<Protection>,
    /// `credBlob`: bytes to keep with a discoverable credential.
    pub cred_blob: Option<Vec<u8>>,
    /// `minPinLength`: have the key tell its shortest PIN, in the signed data.
    pub min_pin_length: bool,
    /// `pinComplexityPolicy`: have the key tell whether it minds how complex a PIN is, likewise.
    pub pin_complexity_policy: bool,
    /// `appidExclude`: credentials that were registered for this `AppID` count in the exclude list too.
    pub app_id_exclude: Option<String>,
    /// `payment`: others than the relying party may use the credential for payment.
    pub payment: bool,
    /// `uvm`: tell how the user was verified.
    pub uvm: bool,
}

/// The extension inputs of get.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestInputs {
    /// `prf`: secrets from inputs of the page.
    pub prf: Option<PrfInputs>,
    /// `hmacGetSecret`: secrets from raw salts.
    pub hmac_get_secret: Option<HmacSalts>,
    /// `largeBlob`: read or write the data with the credential.
    pub large_blob: Option<LargeBlobInputs>,
    /// `getCredBlob`: the bytes kept with the credential.
    pub get_cred_blob: bool,
    /// `appid`: credentials that were registered for this `AppID` will do.
    pub app_id: Option<String>,
    /// `payment`: the assertion stands for a payment.
    pub payment: Option<PaymentInputs>,
    /// `uvm`: tell how the user was verified.
    pub uvm: bool,
}

/// `AuthenticationExtensionsPRFInputs`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrfInputs {
    /// For whichever credential is used.
    pub eval: Option<PrfValues>,
    /// For single credentials, by their identifiers in base64url; not for create.
    pub eval_by_credential: Option<BTreeMap<String, PrfValues>>,
}

/// `AuthenticationExtensionsPRFValues`: inputs of any length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrfValues {
    /// The first input.
    pub first: Vec<u8>,
    /// The second input, if there is one.
    pub second: Option<Vec<u8>>,
}

/// The salts of `hmacGetSecret`: 32 bytes each, which is checked when they are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HmacSalts {
    /// The first salt.
    pub salt1: Vec<u8>,
    /// The second salt, if there is one.
    pub salt2: Option<Vec<u8>>,
}

/// A level of protection that the page asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protection {
    /// 1: verification is optional; 2: optional with a list that names the credential; 3: required.
    pub level: u64,
    /// Are keys that cannot protect as if they were not there?
    pub enforced: bool,
}

impl CreationInputs {
    /// What the extensions' own texts reject.
    pub(crate) fn check(&self) -> Result<(), Cause> {
        if self.prf.as_ref().is_some_and(|prf| prf.eval_by_credential.is_some()) {
            return Err(Cause::PrfByCredentialAtCreation);
        }
        self.large_blob.as_ref().map_or(Ok(()), LargeBlobInputs::check_creation)
    }

    /// Passes over the extensions that the client does not have.
    pub(crate) fn retain(&mut self, has: impl Fn(Capability) -> bool) {
        self.cred_props &= has(Capability::CredProps);
        self.prf.take_if(|_| !has(Capability::Prf));
        self.hmac_create_secret &= has(Capability::HmacCreateSecret);
        self.large_blob.take_if(|_| !has(Capability::LargeBlob));
        self.protection.take_if(|_| !has(Capability::CredProtect));
        self.cred_blob.take_if(|_| !has(Capability::CredBlob));
        self.min_pin_length &= has(Capability::MinPinLength);
        self.pin_complexity_policy &= has(Capability::PinComplexityPolicy);
        self.app_id_exclude.take_if(|_| !has(Capability::AppIdExclude));
        self.payment &= has(Capability::Payment);
        self.uvm &= has(Capability::Uvm);
    }
}

impl RequestInputs {
    /// What the extensions' own texts reject, in a request for these credentials.
    pub(crate) fn check(&self, allow: &[Credential]) -> Result<(), Cause> {
        self.check_prf(allow)?;
        self.hmac_get_secret.as_ref().map_or(Ok(()), HmacSalts::check)?;
        self.large_blob.as_ref().map_or(Ok(()), |blob| blob.check_request(allow))
    }

    fn check_prf(&self, allow: &[Credential]) -> Result<(), Cause> {
        let by_credential = self.prf.as_ref().and_then(|prf| prf.eval_by_credential.as_ref());
        let Some(by_credential) = by_credential.filter(|entries| !entries.is_empty()) else {
            return Ok(());
        };
        if allow.is_empty() {
            return Err(Cause::PrfWithoutList);
        }
        let listed = |name: &String| {
            let id = base64url::decode(name).filter(|id| !id.is_empty());
            id.is_some_and(|id| allow.iter().any(|credential| credential.id == id))
        };
        match by_credential.keys().find(|name| !listed(name)) {
            Some(stranger) => Err(Cause::PrfCredential(stranger.clone())),
            None => Ok(()),
        }
    }

    /// Passes over the extensions that the client does not have.
    pub(crate) fn retain(&mut self, has: impl Fn(Capability) -> bool) {
        self.prf.take_if(|_| !has(Capability::Prf));
        self.hmac_get_secret.take_if(|_| !has(Capability::HmacGetSecret));
        self.large_blob.take_if(|_| !has(Capability::LargeBlob));
        self.get_cred_blob &= has(Capability::CredBlob);
        self.app_id.take_if(|_| !has(Capability::AppId));
        self.payment.take_if(|_| !has(Capability::Payment));
        self.uvm &= has(Capability::Uvm);
    }
}

impl PrfInputs {
    /// The values for this credential.
    pub(crate) fn values_for(&self, credential: Option<&[u8]>) -> Option<&PrfValues> {
        let entries = self.eval_by_credential.as_ref();
        let entry = credential.and_then(|id| entries?.get(&base64url::encode(id)));
        entry.or(self.eval.as_ref())
    }
}

impl HmacSalts {
    fn check(&self) -> Result<(), Cause> {
        let mut salts = [Some(&self.salt1), self.salt2.as_ref()].into_iter().flatten();
        match salts.find(|salt| salt.len() != 32) {
            Some(salt) => Err(Cause::SaltLength(salt.len())),
            None => Ok(()),
        }
    }
}
