//! Extensions of authenticatorGetAssertion and authenticatorGetNextAssertion.

use alloc::vec::Vec;

use rand_core::TryCryptoRng;
use softkey_ctap::cbor;
use softkey_ctap::extensions::{GetAssertionInputs, GetAssertionOutputs, HmacSecretInput};

use super::hmac_secret::Salts;
use super::{only_true, typed};
use crate::authenticator::Authenticator;
use crate::credential::Credential;
use crate::refusal::Refusal;
use crate::store::Store;

/// The inputs that this authenticator has an ear for, with their types checked.
#[derive(Default)]
pub(crate) struct AssertionInputs<'b> {
    hmac_secret: Option<HmacSecretInput<'b>>,
    large_blob_key: Option<bool>,
}

/// What is to be done for each assertion, all of which is possible.
pub(crate) struct AssertionWishes {
    salts: Option<Salts>,
    pub(crate) large_blob_key: bool,
}

impl<'b> AssertionInputs<'b> {
    pub(crate) fn of(inputs: Option<&GetAssertionInputs<'b>>) -> Result<Self, Refusal> {
        let Some(inputs) = inputs else {
            return Ok(Self::default());
        };
        Ok(Self {
            hmac_secret: typed(inputs.hmac_secret.as_ref())?,
            large_blob_key: typed(inputs.large_blob_key.as_ref())?,
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
        let hmac_secret =
            salts.map(|salts| salts.outputs(rng, credential, verified)).transpose()?;
        let outputs = GetAssertionOutputs {
            hmac_secret: hmac_secret.as_deref(),
            ..GetAssertionOutputs::default()
        };
        Ok((outputs != GetAssertionOutputs::default()).then(|| cbor::encode(&outputs)))
    }
}

impl<S: Store, R: TryCryptoRng> Authenticator<S, R> {
    /// Judges the values; `up` says whether presence will be tested.
    pub(crate) fn check_assertion_inputs(
        &mut self,
        inputs: &AssertionInputs<'_>,
        up: bool,
    ) -> Result<AssertionWishes, Refusal> {
        let large_blob_key = only_true(inputs.large_blob_key)?;
        let salts = inputs.hmac_secret.as_ref().map(|input| self.salts(input, up)).transpose()?;
        Ok(AssertionWishes { salts, large_blob_key })
    }
}
