//! What a key is asked for the page's extensions, and what its answers are for the page. Extensions that the key
//! does not list are not sent.

use softkey_ctap::cbor::{self, Lazy, Raw};
use softkey_ctap::extensions::{
    GetAssertionInputs, GetAssertionOutputs, MakeCredentialInputs, MakeCredentialOutputs, id,
};

use crate::cause::{Cause, WrongResponse};
use crate::info::Info;
use crate::response::{Bytes, ExtensionResults};

use super::prf::{Evaluation, PrfResults};
use super::{CreationInputs, PrfValues, RequestInputs};

impl CreationInputs {
    /// May this key serve? One that cannot protect is as if it were not there, if the page insists.
    pub(crate) fn admit(&self, info: Option<&Info>) -> Result<(), Cause> {
        let insists = self.protection.is_some_and(|wanted| wanted.enforced && wanted.level > 1);
        let protects = info.is_some_and(|info| info.has_extension(id::CRED_PROTECT));
        if insists && !protects { Err(Cause::NoCredProtect) } else { Ok(()) }
    }

    /// The inputs of prf that this key evaluates at creation.
    pub(crate) fn evaluated(&self, info: &Info) -> Option<&PrfValues> {
        let can = info.has_extension(id::HMAC_SECRET) && info.has_extension(id::HMAC_SECRET_MC);
        self.prf.as_ref().filter(|_| can && info.is_protected())?.eval.as_ref()
    }

    /// The inputs for the key; nothing if there are none.
    pub(crate) fn for_key<'b>(
        &'b self,
        info: &Info,
        rk: bool,
        evaluation: Option<&'b Evaluation>,
    ) -> Option<MakeCredentialInputs<'b>> {
        let has = |extension| info.has_extension(extension);
        let protection = self.protection.filter(|_| has(id::CRED_PROTECT));
        let blob = self.cred_blob.as_deref().filter(|_| rk && has(id::CRED_BLOB));
        let asked = |asks: bool| asks.then_some(Lazy::Value(true));
        let inputs = MakeCredentialInputs {
            uvm: None,
            cred_blob: blob.map(Lazy::Value),
            large_blob: None,
            cred_protect: protection.map(|wanted| Lazy::Value(wanted.level)),
            hmac_secret: asked(self.prf.is_some() && has(id::HMAC_SECRET)),
            large_blob_key: None,
            min_pin_length: asked(self.min_pin_length && has(id::MIN_PIN_LENGTH)),
            hmac_secret_mc: evaluation.map(|evaluation| Lazy::Value(evaluation.input())),
            third_party_payment: None,
            pin_complexity_policy: None,
        };
        let asks = inputs.cred_blob.is_some()
            || inputs.cred_protect.is_some()
            || inputs.hmac_secret.is_some()
            || inputs.min_pin_length.is_some();
        asks.then_some(inputs)
    }

    /// What the page learns; `signed` are the outputs in the authenticator data.
    pub(crate) fn results(
        &self,
        signed: Option<Raw<'_>>,
        evaluation: Option<&Evaluation>,
    ) -> Result<ExtensionResults, Cause> {
        let outputs: MakeCredentialOutputs<'_> = match signed {
            Some(signed) => cbor::decode(signed.0)?,
            None => MakeCredentialOutputs::default(),
        };
        if let (Some(wanted), Some(set)) = (self.protection, outputs.cred_protect)
            && set < wanted.level
        {
            return Err(WrongResponse::Protection.into());
        }
        let results = match (evaluation, outputs.hmac_secret_mc) {
            (Some(evaluation), Some(encrypted)) => Some(evaluation.outputs(encrypted)?),
            _ => None,
        };
        let enabled = Some(outputs.hmac_secret.unwrap_or(false));
        Ok(ExtensionResults {
            prf: self.prf.as_ref().map(|_| PrfResults { enabled, results }),
            cred_blob: self.cred_blob.as_ref().map(|_| outputs.cred_blob.unwrap_or(false)),
            ..ExtensionResults::default()
        })
    }
}

impl RequestInputs {
    /// Will something be evaluated at this key?
    pub(crate) fn evaluates(&self, info: &Info) -> bool {
        self.prf.as_ref().is_some_and(|prf| {
            let values = prf.eval.is_some() || prf.eval_by_credential.is_some();
            values && info.has_extension(id::HMAC_SECRET) && info.is_protected()
        })
    }

    /// The inputs for the key; nothing if there are none.
    pub(crate) fn for_key<'b>(
        &'b self,
        info: &Info,
        evaluation: Option<&'b Evaluation>,
    ) -> Option<GetAssertionInputs<'b>> {
        let blob = self.get_cred_blob && info.has_extension(id::CRED_BLOB);
        (blob || evaluation.is_some()).then(|| GetAssertionInputs {
            uvm: None,
            cred_blob: blob.then_some(Lazy::Value(true)),
            large_blob: None,
            hmac_secret: evaluation.map(|evaluation| Lazy::Value(evaluation.input())),
            large_blob_key: None,
            third_party_payment: None,
        })
    }

    /// What the page learns; `signed` are the outputs in the authenticator data.
    pub(crate) fn results(
        &self,
        signed: Option<Raw<'_>>,
        evaluation: Option<&Evaluation>,
    ) -> Result<ExtensionResults, Cause> {
        let outputs: GetAssertionOutputs<'_> = match signed {
            Some(signed) => cbor::decode(signed.0)?,
            None => GetAssertionOutputs::default(),
        };
        let results = match (evaluation, outputs.hmac_secret) {
            (Some(evaluation), Some(encrypted)) => Some(evaluation.outputs(encrypted)?),
            _ => None,
        };
        let blob = outputs.cred_blob.filter(|_| self.get_cred_blob);
        Ok(ExtensionResults {
            prf: self.prf.as_ref().map(|_| PrfResults { enabled: None, results }),
            get_cred_blob: blob.map(|blob| Bytes(blob.to_vec())),
            ..ExtensionResults::default()
        })
    }
}
