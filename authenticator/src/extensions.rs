//! The extensions: which are offered, what is wrong with their inputs, and what they give.
//!
//! Types are judged while decoding, before anything else of the request; values after the exclude list or the
//! credentials were looked up; outputs are made once presence was shown.

mod hmac_secret;

use alloc::vec::Vec;

use rand_core::TryCryptoRng;
use softkey_ctap::cbor::{self, Encode};
use softkey_ctap::extensions::{
    GetAssertionInputs, GetAssertionOutputs, HmacSecretInput, MakeCredentialInputs,
    MakeCredentialOutputs, id,
};

use crate::authenticator::Authenticator;
use crate::credential::{Credential, Protection};
use crate::refusal::Refusal;
use crate::store::Store;

pub(crate) use hmac_secret::Salts;

/// The extensions offered.
pub(crate) const LISTED: [&str; 3] = [id::CRED_PROTECT, id::HMAC_SECRET, id::MIN_PIN_LENGTH];

/// The inputs of makeCredential that this authenticator has an ear for, with their types checked.
#[derive(Clone, Copy, Default)]
pub(crate) struct CreationInputs {
    cred_protect: Option<u64>,
    pub(crate) hmac_secret: bool,
    pub(crate) min_pin_length: bool,
}

impl CreationInputs {
    pub(crate) fn of(inputs: Option<&MakeCredentialInputs<'_>>) -> Result<Self, Refusal> {
        let Some(inputs) = inputs else {
            return Ok(Self::default());
        };
        let cred_protect = inputs.cred_protect.as_ref().map(cbor::Lazy::value).transpose()?;
        let hmac_secret = inputs.hmac_secret.as_ref().map(cbor::Lazy::value).transpose()?;
        let min_pin_length = inputs.min_pin_length.as_ref().map(cbor::Lazy::value).transpose()?;
        Ok(Self {
            cred_protect,
            hmac_secret: hmac_secret.unwrap_or_default(),
            min_pin_length: min_pin_length.unwrap_or_default(),
        })
    }

    /// The level that credProtect asks for, if it does.
    pub(crate) fn protection(&self) -> Result<Option<Protection>, Refusal> {
        let level = |number| Protection::from_number(number).ok_or(Refusal::ProtectionLevel);
        self.cred_protect.map(level).transpose()
    }
}

/// The output map of makeCredential, encoded; nothing if it would be empty.
pub(crate) fn creation_outputs(
    protection: Option<Protection>,
    hmac_secret: bool,
    min_pin_length: Option<u64>,
) -> Option<Vec<u8>> {
    let outputs = MakeCredentialOutputs {
        cred_protect: protection.map(|level| level.number().into()),
        hmac_secret: hmac_secret.then_some(true),
        min_pin_length,
        ..MakeCredentialOutputs::default()
    };
    (outputs != MakeCredentialOutputs::default()).then(|| encoded(&outputs))
}

/// The inputs of getAssertion that this authenticator has an ear for, with their types checked.
pub(crate) fn assertion_input<'b>(
    inputs: Option<&GetAssertionInputs<'b>>,
) -> Result<Option<HmacSecretInput<'b>>, Refusal> {
    let hmac_secret = inputs.and_then(|inputs| inputs.hmac_secret.as_ref());
    Ok(hmac_secret.map(cbor::Lazy::value).transpose()?)
}

impl<S: Store, R: TryCryptoRng> Authenticator<S, R> {
    /// The output map of getAssertion for this credential, encoded; nothing if it would be empty.
    pub(crate) fn assertion_outputs(
        &mut self,
        credential: &Credential,
        verified: bool,
        salts: Option<&Salts>,
    ) -> Result<Option<Vec<u8>>, Refusal> {
        let Some(salts) = salts else {
            return Ok(None);
        };
        let encrypted = salts.outputs(&mut self.rng, credential, verified)?;
        let outputs =
            GetAssertionOutputs { hmac_secret: Some(&encrypted), ..GetAssertionOutputs::default() };
        Ok(Some(encoded(&outputs)))
    }
}

fn encoded<T: Encode>(outputs: &T) -> Vec<u8> {
    cbor::encode(outputs)
}
