//! The extensions: which are offered, what is wrong with their inputs, and what they give.
//!
//! Types are judged while decoding, before anything else of the request; values after the exclude list or the
//! credentials were looked up; outputs are made once presence was shown.

mod assertion;
mod creation;
mod hmac_secret;
mod large_blob;
mod uvm;

use alloc::vec::Vec;

use softkey_ctap::cbor::{Decode, Lazy};
use softkey_ctap::extensions::id;

use crate::config::{Config, LargeBlobs};
use crate::refusal::Refusal;

pub(crate) use assertion::{AssertionInputs, AssertionWishes, Circumstances};
pub(crate) use creation::{CreationInputs, CreationWishes};
pub(crate) use uvm::method;

/// The longest credBlob that can be configured, in bytes.
pub(crate) const MAX_CRED_BLOB: u8 = 128;

/// The extensions offered.
pub(crate) fn listed(config: &Config) -> Vec<&'static str> {
    let on = &config.extensions;
    let all = [
        (id::CRED_BLOB, on.cred_blob),
        (id::CRED_PROTECT, on.cred_protect),
        (id::HMAC_SECRET, on.hmac_secret),
        (id::HMAC_SECRET_MC, on.hmac_secret_mc),
        (id::LARGE_BLOB_KEY, config.large_blobs == LargeBlobs::Array),
        (id::LARGE_BLOB, config.large_blobs == LargeBlobs::Extension),
        (id::MIN_PIN_LENGTH, on.min_pin_length),
        (id::THIRD_PARTY_PAYMENT, on.third_party_payment),
        (id::PIN_COMPLEXITY_POLICY, config.pin_complexity_policy),
        (id::UVM, config.uvm),
    ];
    all.into_iter().filter(|(_, offered)| *offered).map(|(identifier, _)| identifier).collect()
}

/// The input of an extension, if that is offered.
fn heard<'i, 'b, T>(offered: bool, input: Option<&'i Lazy<'b, T>>) -> Option<&'i Lazy<'b, T>> {
    input.filter(|_| offered)
}

/// An input of the right type, if the extension is in the request.
fn typed<'b, T: Decode<'b> + Clone>(input: Option<&Lazy<'b, T>>) -> Result<Option<T>, Refusal> {
    Ok(input.map(Lazy::value).transpose()?)
}

/// The input of an extension that is asked for with `true`; `false` is as if it were absent.
fn asked(input: Option<&Lazy<'_, bool>>) -> Result<bool, Refusal> {
    Ok(typed(input)?.unwrap_or_default())
}

/// The input of largeBlobKey, which may only be `true`.
fn only_true(input: Option<bool>) -> Result<bool, Refusal> {
    match input {
        Some(false) => Err(Refusal::LargeBlobKeyOption),
        given => Ok(given.is_some()),
    }
}
