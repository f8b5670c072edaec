//! What a key is asked for the page's extensions. Those that the key does not list are not sent.

use softkey_ctap::cbor::Lazy;
use softkey_ctap::extensions::{GetAssertionInputs, LargeBlobSupport, MakeCredentialInputs, id};

use crate::cause::Cause;
use crate::info::Info;

use super::large_blob::LargeBlobs;
use super::prf::{Evaluation, Salts};
use super::{CreationInputs, PrfValues, RequestInputs};

/// What has to be computed before the inputs can be written.
#[derive(Default)]
pub(crate) struct Prepared {
    /// Salts, encrypted.
    pub(crate) evaluation: Option<Evaluation>,
    /// Data for the extension `largeBlob`, compressed, and how long they were.
    compressed: Option<(Vec<u8>, u64)>,
}

fn asked<'b>(asks: bool) -> Option<Lazy<'b, bool>> {
    asks.then_some(Lazy::Value(true))
}

impl CreationInputs {
    /// May this key serve? One that cannot do what the page insists on is as if it were not there.
    pub(crate) fn admit(&self, info: Option<&Info>) -> Result<(), Cause> {
        let insists = self.protection.is_some_and(|wanted| wanted.enforced && wanted.level > 1);
        let protects = info.is_some_and(|info| info.has_extension(id::CRED_PROTECT));
        if insists && !protects { Err(Cause::NoCredProtect) } else { Ok(()) }
    }

    /// Likewise for large blobs, which may need a discoverable credential.
    pub(crate) fn admit_blobs(&self, info: Option<&Info>, rk: bool) -> Result<(), Cause> {
        let insists = self.large_blob.as_ref().is_some_and(super::LargeBlobInputs::is_required);
        let keeps = info.is_some_and(|info| LargeBlobs::for_new(info, rk).is_some());
        if insists && !keeps { Err(Cause::NoLargeBlobs) } else { Ok(()) }
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
        let large = self.large_blob.as_ref().zip(LargeBlobs::for_new(info, rk));
        let support = large.as_ref().filter(|(_, kept)| *kept == LargeBlobs::Extension);
        let support =
            support.map(|(wanted, _)| if wanted.is_required() { "required" } else { "preferred" });
        let key = large.is_some_and(|(_, kept)| kept == LargeBlobs::Array);
        let secret = self.prf.is_some() || self.hmac_create_secret;
        let inputs = MakeCredentialInputs {
            uvm: asked(self.uvm && has(id::UVM)),
            cred_blob: blob.map(Lazy::Value),
            large_blob: support.map(|support| Lazy::Value(LargeBlobSupport { support })),
            cred_protect: protection.map(|wanted| Lazy::Value(wanted.level)),
            hmac_secret: asked(secret && has(id::HMAC_SECRET)),
            large_blob_key: asked(key),
            min_pin_length: asked(self.min_pin_length && has(id::MIN_PIN_LENGTH)),
            hmac_secret_mc: evaluation.map(|evaluation| Lazy::Value(evaluation.input())),
            third_party_payment: asked(self.payment && has(id::THIRD_PARTY_PAYMENT)),
            pin_complexity_policy: asked(
                self.pin_complexity_policy && has(id::PIN_COMPLEXITY_POLICY),
            ),
        };
        let asks = inputs.cred_blob.is_some()
            || inputs.large_blob.is_some()
            || inputs.cred_protect.is_some()
            || [
                &inputs.uvm,
                &inputs.hmac_secret,
                &inputs.large_blob_key,
                &inputs.min_pin_length,
                &inputs.third_party_payment,
                &inputs.pin_complexity_policy,
            ]
            .into_iter()
            .any(Option::is_some);
        asks.then_some(inputs)
    }
}

impl RequestInputs {
    /// Will something be evaluated at this key that needs the user to be verified?
    pub(crate) fn evaluates(&self, info: &Info) -> bool {
        self.prf.as_ref().is_some_and(|prf| {
            let values = prf.eval.is_some() || prf.eval_by_credential.is_some();
            values && info.has_extension(id::HMAC_SECRET) && info.is_protected()
        })
    }

    /// Will the large-blob array of this key be written?
    pub(crate) fn writes_array(&self, info: &Info) -> bool {
        let writes = self.large_blob.as_ref().is_some_and(|blob| blob.write.is_some());
        writes && LargeBlobs::of(info) == Some(LargeBlobs::Array)
    }

    /// The salts to evaluate with this credential; those of prf come first, if the user is verified.
    pub(crate) fn salts(&self, info: &Info, used: Option<&[u8]>, verified: bool) -> Option<Salts> {
        let prf = self.prf.as_ref().filter(|_| verified && self.evaluates(info));
        if let Some(values) = prf.and_then(|prf| prf.values_for(used)) {
            return Some(values.into());
        }
        let raw = self.hmac_get_secret.as_ref().filter(|_| info.has_extension(id::HMAC_SECRET));
        raw.map(Salts::from)
    }

    /// Does what has to precede [`RequestInputs::for_key`].
    pub(crate) fn prepared(&self, info: &Info, evaluation: Option<Evaluation>) -> Prepared {
        let kept = LargeBlobs::of(info).filter(|kept| *kept == LargeBlobs::Extension);
        let blob = self.large_blob.as_ref().filter(|_| kept.is_some());
        Prepared { evaluation, compressed: blob.and_then(super::LargeBlobInputs::compressed) }
    }

    /// The inputs for the key; nothing if there are none.
    pub(crate) fn for_key<'b>(
        &'b self,
        info: &Info,
        prepared: &'b Prepared,
    ) -> Option<GetAssertionInputs<'b>> {
        let has = |extension| info.has_extension(extension);
        let large = self.large_blob.as_ref();
        let access = large.filter(|_| LargeBlobs::of(info) == Some(LargeBlobs::Extension));
        let access = access.and_then(|blob| blob.access(prepared.compressed.as_ref()));
        let uses = large.is_some_and(|blob| blob.reads() || blob.write.is_some());
        let by_key = uses && LargeBlobs::of(info) == Some(LargeBlobs::Array);
        let salts = prepared.evaluation.as_ref().map(|evaluation| Lazy::Value(evaluation.input()));
        let inputs = GetAssertionInputs {
            uvm: asked(self.uvm && has(id::UVM)),
            cred_blob: asked(self.get_cred_blob && has(id::CRED_BLOB)),
            large_blob: access.map(Lazy::Value),
            hmac_secret: salts,
            large_blob_key: asked(by_key),
            third_party_payment: asked(self.payment.is_some() && has(id::THIRD_PARTY_PAYMENT)),
        };
        let asks = inputs.large_blob.is_some()
            || inputs.hmac_secret.is_some()
            || [
                &inputs.uvm,
                &inputs.cred_blob,
                &inputs.large_blob_key,
                &inputs.third_party_payment,
            ]
            .into_iter()
            .any(Option::is_some);
        asks.then_some(inputs)
    }
}
