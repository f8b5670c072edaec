//! Extensions of authenticatorMakeCredential.

use alloc::vec::Vec;

use softkey_ctap::cbor;
use softkey_ctap::extensions::{MakeCredentialInputs, MakeCredentialOutputs};

use super::{asked, only_true, typed};
use crate::config::Config;
use crate::credential::Protection;
use crate::refusal::Refusal;
use crate::settings::Settings;

/// The inputs that this authenticator has an ear for, with their types checked.
#[derive(Default)]
pub(crate) struct CreationInputs {
    cred_protect: Option<u64>,
    hmac_secret: bool,
    large_blob_key: Option<bool>,
    min_pin_length: bool,
    pin_complexity_policy: bool,
}

/// What is to be done for the new credential, all of which is possible.
#[expect(clippy::struct_excessive_bools, reason = "each extension is asked for by itself")]
pub(crate) struct CreationWishes {
    /// The level asked for, which is then put out too.
    pub(crate) protection: Option<Protection>,
    hmac_secret: bool,
    pub(crate) large_blob_key: bool,
    min_pin_length: bool,
    pin_complexity_policy: bool,
}

impl CreationInputs {
    pub(crate) fn of(
        inputs: Option<&MakeCredentialInputs<'_>>,
        config: &Config,
    ) -> Result<Self, Refusal> {
        let Some(inputs) = inputs else {
            return Ok(Self::default());
        };
        Ok(Self {
            cred_protect: typed(inputs.cred_protect.as_ref())?,
            hmac_secret: asked(inputs.hmac_secret.as_ref())?,
            large_blob_key: typed(inputs.large_blob_key.as_ref())?,
            min_pin_length: asked(inputs.min_pin_length.as_ref())?,
            pin_complexity_policy: config.pin_complexity_policy
                && asked(inputs.pin_complexity_policy.as_ref())?,
        })
    }

    /// Judges the values.
    pub(crate) fn check(&self, discoverable: bool) -> Result<CreationWishes, Refusal> {
        let level = |number| Protection::from_number(number).ok_or(Refusal::ProtectionLevel);
        let large_blob_key = only_true(self.large_blob_key)?;
        if large_blob_key && !discoverable {
            return Err(Refusal::LargeBlobKeyOption);
        }
        Ok(CreationWishes {
            protection: self.cred_protect.map(level).transpose()?,
            hmac_secret: self.hmac_secret,
            large_blob_key,
            min_pin_length: self.min_pin_length,
            pin_complexity_policy: self.pin_complexity_policy,
        })
    }
}

impl CreationWishes {
    /// The output map, encoded; nothing if it would be empty. The settings are given if this relying party may
    /// learn what they say of PINs.
    pub(crate) fn outputs(&self, settings: Option<&Settings>) -> Option<Vec<u8>> {
        let outputs = MakeCredentialOutputs {
            cred_protect: self.protection.map(|level| level.number().into()),
            hmac_secret: self.hmac_secret.then_some(true),
            min_pin_length: settings.filter(|_| self.min_pin_length).map(|set| set.min_pin_length),
            pin_complexity_policy: settings
                .filter(|_| self.pin_complexity_policy)
                .map(|set| set.pin_complexity_policy),
            ..MakeCredentialOutputs::default()
        };
        (outputs != MakeCredentialOutputs::default()).then(|| cbor::encode(&outputs))
    }
}
