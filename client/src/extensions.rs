//! Client extensions: what a page asks for and what is wrong with it (WebAuthn Level 3 section 10, `CTAP` 2.3
//! section 12). How keys are asked stands in `prf.rs` and `inputs.rs`.

mod inputs;
mod prf;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::base64url;
use crate::cause::Cause;
use crate::options::Credential;

pub(crate) use self::prf::Evaluation;
pub use self::prf::{PrfOutputs, PrfResults};

/// The extension inputs of create.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreationInputs {
    /// `credProps`: tell whether a discoverable credential was asked for.
    pub cred_props: bool,
    /// `prf`: secrets from inputs of the page.
    pub prf: Option<PrfInputs>,
    /// `credProtect`: a level of protection.
    pub protection: Option<Protection>,
    /// `credBlob`: bytes to keep with a discoverable credential.
    pub cred_blob: Option<Vec<u8>>,
    /// `minPinLength`: have the key tell its shortest PIN, in the signed data.
    pub min_pin_length: bool,
}

/// The extension inputs of get.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestInputs {
    /// `prf`: secrets from inputs of the page.
    pub prf: Option<PrfInputs>,
    /// `getCredBlob`: the bytes kept with the credential.
    pub get_cred_blob: bool,
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

/// A level of protection that the page asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protection {
    /// 1: verification is optional; 2: optional with a list that names the credential; 3: required.
    pub level: u64,
    /// Are keys that cannot protect as if they were not there?
    pub enforced: bool,
}

/// The members of `extensions`, in create and get.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Members {
    cred_props: Option<bool>,
    prf: Option<Prf>,
    credential_protection_policy: Option<String>,
    enforce_credential_protection_policy: Option<bool>,
    cred_blob: Option<String>,
    min_pin_length: Option<bool>,
    get_cred_blob: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Prf {
    eval: Option<Values>,
    eval_by_credential: Option<BTreeMap<String, Values>>,
}

#[derive(Deserialize)]
struct Values {
    first: String,
    second: Option<String>,
}

impl CreationInputs {
    pub(crate) fn new(members: Members) -> Result<Self, Cause> {
        let policy = members.credential_protection_policy.as_deref();
        let level = match policy {
            Some("userVerificationOptional") => Some(1),
            Some("userVerificationOptionalWithCredentialIDList") => Some(2),
            Some("userVerificationRequired") => Some(3),
            _ => None,
        };
        let enforced = members.enforce_credential_protection_policy.unwrap_or(false);
        let blob = members.cred_blob.map(|text| bytes("extensions.credBlob", &text));
        Ok(Self {
            cred_props: members.cred_props.unwrap_or(false),
            prf: members.prf.map(PrfInputs::new).transpose()?,
            protection: level.map(|level| Protection { level, enforced }),
            cred_blob: blob.transpose()?,
            min_pin_length: members.min_pin_length.unwrap_or(false),
        })
    }

    /// What the extensions' own texts reject.
    pub(crate) fn check(&self) -> Result<(), Cause> {
        let by_credential = self.prf.as_ref().is_some_and(|prf| prf.eval_by_credential.is_some());
        if by_credential { Err(Cause::PrfByCredentialAtCreation) } else { Ok(()) }
    }
}

impl RequestInputs {
    pub(crate) fn new(members: Members) -> Result<Self, Cause> {
        let prf = members.prf.map(PrfInputs::new).transpose()?;
        Ok(Self { prf, get_cred_blob: members.get_cred_blob.unwrap_or(false) })
    }

    /// What the extensions' own texts reject, in a request for these credentials.
    pub(crate) fn check(&self, allow: &[Credential]) -> Result<(), Cause> {
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
}

impl PrfInputs {
    fn new(members: Prf) -> Result<Self, Cause> {
        let by_credential = members.eval_by_credential.map(|entries| {
            let entry = |(id, values)| Ok::<_, Cause>((id, PrfValues::new(values)?));
            entries.into_iter().map(entry).collect()
        });
        Ok(Self {
            eval: members.eval.map(PrfValues::new).transpose()?,
            eval_by_credential: by_credential.transpose()?,
        })
    }

    /// The values for this credential.
    pub(crate) fn values_for(&self, credential: Option<&[u8]>) -> Option<&PrfValues> {
        let entries = self.eval_by_credential.as_ref();
        let entry = credential.and_then(|id| entries?.get(&base64url::encode(id)));
        entry.or(self.eval.as_ref())
    }
}

impl PrfValues {
    fn new(values: Values) -> Result<Self, Cause> {
        let second = values.second.map(|text| bytes("extensions.prf second", &text));
        Ok(Self {
            first: bytes("extensions.prf first", &values.first)?,
            second: second.transpose()?,
        })
    }
}

fn bytes(member: &'static str, text: &str) -> Result<Vec<u8>, Cause> {
    base64url::decode(text).ok_or(Cause::NotBase64Url(member))
}
