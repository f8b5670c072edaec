//! What a page learns from a key's extension outputs, the signed ones and those beside them.

use softkey_ctap::cbor::{self, List, Raw};
use softkey_ctap::extensions::{GetAssertionOutputs, MakeCredentialOutputs, UnsignedOutputs};

use crate::cause::{Cause, WrongResponse};
use crate::info::Info;
use crate::response::{Bytes, ExtensionResults};

use super::large_blob::{LargeBlobResults, LargeBlobs};
use super::prf::{Evaluation, HmacSecretOutputs, PrfResults};
use super::{CreationInputs, RequestInputs};

/// A key's outputs, as they stand in its response.
#[derive(Clone, Copy, Default)]
pub(crate) struct Outputs<'r, 'b> {
    /// In the authenticator data.
    pub(crate) signed: Option<Raw<'b>>,
    /// Beside them.
    pub(crate) unsigned: Option<&'r UnsignedOutputs<'b>>,
}

impl CreationInputs {
    /// What the page learns. `has_blob`: has the credential room for a large blob, as far as the key says?
    pub(crate) fn results(
        &self,
        signed: Option<Raw<'_>>,
        has_blob: bool,
        evaluation: Option<&Evaluation>,
    ) -> Result<ExtensionResults, Cause> {
        let outputs: MakeCredentialOutputs<'_> = match signed {
            Some(signed) => cbor::decode(signed.0)?,
            None => MakeCredentialOutputs::default(),
        };
        // A key that says nothing has set the lowest level, which must not pass for what the page insists on.
        let silent = self.protection.filter(|wanted| wanted.enforced).map(|_| 1);
        if let (Some(wanted), Some(set)) = (self.protection, outputs.cred_protect.or(silent))
            && set < wanted.level
        {
            return Err(WrongResponse::Protection.into());
        }
        if self.large_blob.as_ref().is_some_and(super::LargeBlobInputs::is_required) && !has_blob {
            return Err(WrongResponse::LargeBlob.into());
        }
        let results = match (evaluation, outputs.hmac_secret_mc) {
            (Some(evaluation), Some(encrypted)) => Some(evaluation.outputs(encrypted)?),
            _ => None,
        };
        let enabled = outputs.hmac_secret.unwrap_or(false);
        let supported = |_| LargeBlobResults { supported: Some(has_blob), ..<_>::default() };
        Ok(ExtensionResults {
            prf: self.prf.as_ref().map(|_| PrfResults { enabled: Some(enabled), results }),
            hmac_create_secret: self.hmac_create_secret.then_some(enabled),
            large_blob: self.large_blob.as_ref().map(supported),
            cred_blob: self.cred_blob.as_ref().map(|_| outputs.cred_blob.unwrap_or(false)),
            app_id_exclude: self.app_id_exclude.as_ref().map(|_| true),
            uvm: outputs.uvm.filter(|_| self.uvm).as_ref().map(methods),
            ..ExtensionResults::default()
        })
    }
}

impl RequestInputs {
    /// What the page learns. Of large blobs only what the extension `largeBlob` of this key gave; the array is read
    /// later. `by_app_id`: was the credential one of the `AppID`'s?
    pub(crate) fn results(
        &self,
        info: Option<&Info>,
        outputs: Outputs<'_, '_>,
        evaluation: Option<&Evaluation>,
        by_app_id: bool,
    ) -> Result<ExtensionResults, Cause> {
        let signed: GetAssertionOutputs<'_> = match outputs.signed {
            Some(signed) => cbor::decode(signed.0)?,
            None => GetAssertionOutputs::default(),
        };
        let secrets = match (evaluation, signed.hmac_secret) {
            (Some(evaluation), Some(encrypted)) => Some(evaluation.outputs(encrypted)?),
            _ => None,
        };
        let (raw, derived) = match evaluation {
            Some(evaluation) if evaluation.is_raw() => (secrets, None),
            _ => (None, secrets),
        };
        let extension =
            info.is_some_and(|info| LargeBlobs::of(info) == Some(LargeBlobs::Extension));
        let output = outputs.unsigned.filter(|_| extension);
        let output = output.and_then(|unsigned| unsigned.large_blob.as_ref());
        let blob = signed.cred_blob.filter(|_| self.get_cred_blob);
        Ok(ExtensionResults {
            prf: self.prf.as_ref().map(|_| PrfResults { enabled: None, results: derived }),
            hmac_get_secret: raw.map(|secrets| HmacSecretOutputs {
                output1: secrets.first,
                output2: secrets.second,
            }),
            large_blob: self.large_blob.as_ref().map(|inputs| inputs.results(output)),
            get_cred_blob: blob.map(|blob| Bytes(blob.to_vec())),
            app_id: self.app_id.as_ref().map(|_| by_app_id),
            uvm: signed.uvm.filter(|_| self.uvm).as_ref().map(methods),
            ..ExtensionResults::default()
        })
    }
}

/// Triples of user verification method, key protection and matcher protection.
fn methods(list: &List<'_, List<'_, u64>>) -> Vec<Vec<u64>> {
    list.iter().map(|entry| entry.iter().collect()).collect()
}
