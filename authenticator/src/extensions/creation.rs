//! Extensions of authenticatorMakeCredential.

use alloc::vec::Vec;

use rand_core::TryCryptoRng;
use softkey_ctap::cbor;
use softkey_ctap::extensions::{
    HmacSecretInput, LargeBlobOutput, MakeCredentialInputs, MakeCredentialOutputs, UnsignedOutputs,
};

use super::hmac_secret::Salts;
use super::{asked, heard, large_blob, only_true, typed, uvm};
use crate::authenticator::Authenticator;
use crate::config::{Config, LargeBlobs};
use crate::credential::{Credential, Protection};
use crate::refusal::Refusal;
use crate::settings::Settings;
use crate::store::Store;

/// The inputs that this authenticator has an ear for, with their types checked.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each extension is asked for by itself")]
pub(crate) struct CreationInputs<'b> {
    uvm: bool,
    cred_blob: Option<&'b [u8]>,
    large_blob: bool,
    cred_protect: Option<u64>,
    hmac_secret: bool,
    large_blob_key: Option<bool>,
    min_pin_length: bool,
    hmac_secret_mc: Option<HmacSecretInput<'b>>,
    third_party_payment: bool,
    pin_complexity_policy: bool,
}

/// What is to be done for the new credential, all of which is possible.
#[expect(clippy::struct_excessive_bools, reason = "each extension is asked for by itself")]
pub(crate) struct CreationWishes {
    /// The userVerificationMethod to tell.
    uvm: Option<u64>,
    cred_blob: CredBlob,
    /// Will there be a blob? Nothing if that was not asked.
    large_blob: Option<bool>,
    /// The level asked for, which is then put out too.
    pub(crate) protection: Option<Protection>,
    hmac_secret: bool,
    pub(crate) large_blob_key: bool,
    min_pin_length: bool,
    salts: Option<Salts>,
    pub(crate) third_party_payment: bool,
    pin_complexity_policy: bool,
}

/// What becomes of credBlob.
enum CredBlob {
    NotGiven,
    /// It is too long, or the credential is not discoverable.
    NotKept,
    Kept(Vec<u8>),
}

impl<'b> CreationInputs<'b> {
    pub(crate) fn of(
        inputs: Option<&MakeCredentialInputs<'b>>,
        config: &Config,
    ) -> Result<Self, Refusal> {
        let Some(inputs) = inputs else {
            return Ok(Self::default());
        };
        let on = &config.extensions;
        let hmac_secret = asked(heard(on.hmac_secret, inputs.hmac_secret.as_ref()))?;
        let hmac_secret_mc = typed(heard(on.hmac_secret_mc, inputs.hmac_secret_mc.as_ref()))?;
        if hmac_secret_mc.is_some() && !hmac_secret {
            return Err(Refusal::MissingParameter);
        }
        let extension = config.large_blobs == LargeBlobs::Extension;
        let large_blob = heard(extension, inputs.large_blob.as_ref());
        let array = config.large_blobs == LargeBlobs::Array;
        Ok(Self {
            uvm: asked(heard(config.uvm, inputs.uvm.as_ref()))?,
            cred_blob: typed(heard(on.cred_blob, inputs.cred_blob.as_ref()))?,
            large_blob: large_blob.map(large_blob::support).transpose()?.is_some(),
            cred_protect: typed(heard(on.cred_protect, inputs.cred_protect.as_ref()))?,
            hmac_secret,
            large_blob_key: typed(heard(array, inputs.large_blob_key.as_ref()))?,
            min_pin_length: asked(heard(on.min_pin_length, inputs.min_pin_length.as_ref()))?,
            hmac_secret_mc,
            third_party_payment: asked(heard(
                on.third_party_payment,
                inputs.third_party_payment.as_ref(),
            ))?,
            pin_complexity_policy: asked(heard(
                config.pin_complexity_policy,
                inputs.pin_complexity_policy.as_ref(),
            ))?,
        })
    }
}

impl<S: Store, R: TryCryptoRng> Authenticator<S, R> {
    /// Judges the values. `method` is how the user was verified, as uvm tells it.
    pub(crate) fn check_creation_inputs(
        &mut self,
        inputs: &CreationInputs<'_>,
        discoverable: bool,
        method: u64,
    ) -> Result<CreationWishes, Refusal> {
        let level = |number| Protection::from_number(number).ok_or(Refusal::ProtectionLevel);
        let protection = inputs.cred_protect.map(level).transpose()?;
        let large_blob_key = only_true(inputs.large_blob_key)?;
        if large_blob_key && !discoverable {
            return Err(Refusal::LargeBlobKeyOption);
        }
        let salts = inputs.hmac_secret_mc.as_ref().map(|input| self.salts(input, true));
        let cred_blob = match inputs.cred_blob {
            None => CredBlob::NotGiven,
            Some(blob) if discoverable && blob.len() <= self.config.max_cred_blob.into() => {
                CredBlob::Kept(blob.to_vec())
            }
            Some(_) => CredBlob::NotKept,
        };
        Ok(CreationWishes {
            uvm: inputs.uvm.then_some(method),
            cred_blob,
            large_blob: inputs.large_blob.then_some(true),
            protection,
            hmac_secret: inputs.hmac_secret,
            large_blob_key,
            min_pin_length: inputs.min_pin_length,
            salts: salts.transpose()?,
            third_party_payment: inputs.third_party_payment,
            pin_complexity_policy: inputs.pin_complexity_policy,
        })
    }
}

impl CreationWishes {
    /// The blob to keep with the credential.
    pub(crate) fn cred_blob(&self) -> Option<Vec<u8>> {
        match &self.cred_blob {
            CredBlob::Kept(blob) => Some(blob.clone()),
            CredBlob::NotGiven | CredBlob::NotKept => None,
        }
    }

    /// The output map, encoded; nothing if it would be empty. The settings are given if this relying party may
    /// learn what they say of PINs.
    pub(crate) fn outputs<R: TryCryptoRng>(
        &self,
        rng: &mut R,
        credential: &Credential,
        verified: bool,
        settings: Option<&Settings>,
    ) -> Result<Option<Vec<u8>>, Refusal> {
        let salts = self.salts.as_ref();
        let secrets = salts.map(|salts| salts.outputs(rng, credential, verified)).transpose()?;
        let outputs = MakeCredentialOutputs {
            uvm: self.uvm.map(uvm::output),
            cred_blob: match self.cred_blob {
                CredBlob::NotGiven => None,
                CredBlob::NotKept => Some(false),
                CredBlob::Kept(_) => Some(true),
            },
            cred_protect: self.protection.map(|level| level.number().into()),
            hmac_secret: self.hmac_secret.then_some(true),
            min_pin_length: settings.filter(|_| self.min_pin_length).map(|set| set.min_pin_length),
            hmac_secret_mc: secrets.as_deref(),
            pin_complexity_policy: settings
                .filter(|_| self.pin_complexity_policy)
                .map(|set| set.pin_complexity_policy),
        };
        Ok((outputs != MakeCredentialOutputs::default()).then(|| cbor::encode(&outputs)))
    }

    /// The outputs that are not signed; nothing if there are none.
    pub(crate) fn unsigned_outputs(&self) -> Option<UnsignedOutputs<'static>> {
        let supported = Some(self.large_blob?);
        let output = LargeBlobOutput { supported, ..LargeBlobOutput::default() };
        Some(UnsignedOutputs { large_blob: Some(output) })
    }

    /// Grants another credProtect level, 1 to 3; true if that is one.
    #[cfg(feature = "faults")]
    pub(crate) fn force(&mut self, level: u8) -> bool {
        let level = Protection::from_number(level.into());
        let other = level.is_some() && level != self.protection;
        if other {
            self.protection = level;
        }
        other
    }

    /// Grants no large blob; true if one was asked for.
    #[cfg(feature = "faults")]
    pub(crate) fn deny_large_blob(&mut self) -> bool {
        let asked = self.large_blob == Some(true) || self.large_blob_key;
        self.large_blob = self.large_blob.map(|_| false);
        self.large_blob_key = false;
        asked
    }
}
