//! Extensions of authenticatorGetAssertion and authenticatorGetNextAssertion.

use alloc::vec::Vec;

use rand_core::TryCryptoRng;
use softkey_ctap::cbor;
use softkey_ctap::extensions::{GetAssertionInputs, GetAssertionOutputs, HmacSecretInput};

use super::hmac_secret::Salts;
use super::large_blob::{self, Access, Wish};
use super::{asked, heard, only_true, typed, uvm};
use crate::algorithm::Algorithm;
use crate::authenticator::Authenticator;
use crate::config::{Config, LargeBlobs};
use crate::credential::Credential;
use crate::refusal::Refusal;
use crate::store::Store;

/// The inputs that this authenticator has an ear for, with their types checked.
#[derive(Default)]
pub(crate) struct AssertionInputs<'b> {
    uvm: bool,
    cred_blob: bool,
    large_blob: Option<Access<'b>>,
    hmac_secret: Option<HmacSecretInput<'b>>,
    large_blob_key: Option<bool>,
    third_party_payment: bool,
}

/// What is to be done for each assertion, all of which is possible.
pub(crate) struct AssertionWishes {
    /// The userVerificationMethod to tell.
    uvm: Option<u64>,
    cred_blob: bool,
    pub(crate) large_blob: Wish,
    salts: Option<Salts>,
    pub(crate) large_blob_key: bool,
    third_party_payment: bool,
}

/// What the request is like beside its extensions.
pub(crate) struct Circumstances {
    /// Does it name the credential?
    pub(crate) listed: bool,
    /// Will presence be tested?
    pub(crate) up: bool,
    /// What the credential signs with.
    pub(crate) algorithm: Algorithm,
    /// How the user was verified, as uvm tells it.
    pub(crate) method: u64,
}

impl<'b> AssertionInputs<'b> {
    pub(crate) fn of(
        inputs: Option<&GetAssertionInputs<'b>>,
        config: &Config,
    ) -> Result<Self, Refusal> {
        let Some(inputs) = inputs else {
            return Ok(Self::default());
        };
        let on = &config.extensions;
        let extension = config.large_blobs == LargeBlobs::Extension;
        let large_blob = heard(extension, inputs.large_blob.as_ref());
        let array = config.large_blobs == LargeBlobs::Array;
        Ok(Self {
            uvm: asked(heard(config.uvm, inputs.uvm.as_ref()))?,
            cred_blob: asked(heard(on.cred_blob, inputs.cred_blob.as_ref()))?,
            large_blob: large_blob.map(large_blob::access).transpose()?,
            hmac_secret: typed(heard(on.hmac_secret, inputs.hmac_secret.as_ref()))?,
            large_blob_key: typed(heard(array, inputs.large_blob_key.as_ref()))?,
            third_party_payment: asked(heard(
                on.third_party_payment,
                inputs.third_party_payment.as_ref(),
            ))?,
        })
    }
}

impl AssertionWishes {
    /// The output map for this credential, encoded; nothing if it would be empty.
    pub(crate) fn outputs<R: TryCryptoRng>(
        &self,
        rng: &mut R,
        credential: &Credential,
        verified: bool,
    ) -> Result<Option<Vec<u8>>, Refusal> {
        let salts = self.salts.as_ref();
        let secrets = salts.map(|salts| salts.outputs(rng, credential, verified)).transpose()?;
        let cred_blob = credential.cred_blob.as_deref().unwrap_or_default();
        let outputs = GetAssertionOutputs {
            uvm: self.uvm.map(uvm::output),
            cred_blob: self.cred_blob.then_some(cred_blob),
            hmac_secret: secrets.as_deref(),
            third_party_payment: self.third_party_payment.then_some(credential.third_party_payment),
        };
        Ok((outputs != GetAssertionOutputs::default()).then(|| cbor::encode(&outputs)))
    }
}

impl<S: Store, R: TryCryptoRng> Authenticator<S, R> {
    /// Judges the values.
    pub(crate) fn check_assertion_inputs(
        &mut self,
        inputs: &AssertionInputs<'_>,
        request: &Circumstances,
    ) -> Result<AssertionWishes, Refusal> {
        let large_blob_key = only_true(inputs.large_blob_key)?;
        let salts =
            inputs.hmac_secret.as_ref().map(|input| self.salts(input, request.up)).transpose()?;
        Ok(AssertionWishes {
            uvm: inputs.uvm.then_some(request.method),
            cred_blob: inputs.cred_blob,
            large_blob: Wish::of(inputs.large_blob.as_ref(), request),
            salts,
            large_blob_key,
            third_party_payment: inputs.third_party_payment,
        })
    }
}
