//! largeBlob, the alternative to largeBlobKey: this authenticator keeps one blob for each credential by itself.

use alloc::vec::Vec;

use rand_core::TryCryptoRng;
use softkey_ctap::cbor::{self, Decode, Encode, Lazy};
use softkey_ctap::extensions::{
    LargeBlobAccess, LargeBlobOutput, LargeBlobSupport, UnsignedOutputs,
};
use softkey_ctap::message;
use zeroize::Zeroizing;

use super::Circumstances;
use crate::algorithm::Algorithm;
use crate::authenticator::{Authenticator, MAX_MSG_SIZE};
use crate::credential::Credential;
use crate::records::{self, Batch};
use crate::refusal::Refusal;
use crate::store::{Key, Store};

/// The longest blob, in bytes: what fits a record.
const MAX_BLOB: usize = 4000;

/// The most that stands around blob and signature in an answer, in bytes: the identifier, the authenticator data with all
/// other extensions, the user with both names, and the heads and names of it all. They come to less than 800.
const AROUND: usize = 1024;

/// The longest blob that a credential with this algorithm gives back: the answer must fit a message.
fn longest(algorithm: Algorithm) -> usize {
    MAX_BLOB.min(MAX_MSG_SIZE.saturating_sub(AROUND + algorithm.longest_signature()))
}

message! {
    /// A credential's blob as it is stored.
    pub(crate) struct BlobRecord<'b>: Int {
        1 => blob: required &'b [u8],
        2 => original_size: required u64,
    }
}

/// What an assertion does with the blob.
pub(crate) enum Access<'b> {
    Read,
    Write(BlobRecord<'b>),
}

/// The same, once it is clear what is possible.
pub(crate) enum Wish {
    Nothing,
    Read,
    /// The record to store; none if nothing can be written.
    Write(Option<Zeroizing<Vec<u8>>>),
}

/// What came of it.
pub(crate) enum Outcome {
    Nothing,
    Read(Zeroizing<Vec<u8>>),
    Written(bool),
}

/// Is the input of makeCredential what it must be: a map of `support` alone, `required` or `preferred`?
pub(super) fn support(input: &Lazy<'_, LargeBlobSupport<'_>>) -> Result<(), Refusal> {
    match exact(input)?.support {
        "required" | "preferred" => Ok(()),
        _ => Err(Refusal::LargeBlobInput),
    }
}

/// The input of getAssertion: `read`, which is true, or `write` with `originalSize`.
pub(super) fn access<'b>(input: &Lazy<'b, LargeBlobAccess<'b>>) -> Result<Access<'b>, Refusal> {
    let LargeBlobAccess { read, write, original_size } = exact(input)?;
    match (read, write, original_size) {
        (Some(true), None, None) => Ok(Access::Read),
        (None, Some(blob), Some(original_size)) => {
            Ok(Access::Write(BlobRecord { blob, original_size }))
        }
        _ => Err(Refusal::LargeBlobInput),
    }
}

/// An input with no member but those of its table. Every fault of it has the same status.
fn exact<'b, T: Decode<'b> + Encode + Clone>(input: &Lazy<'b, T>) -> Result<T, Refusal> {
    let value = input.value().map_err(|_| Refusal::LargeBlobInput)?;
    match input {
        Lazy::Raw(bytes) if cbor::encode(&value) != *bytes => Err(Refusal::LargeBlobInput),
        _ => Ok(value),
    }
}

impl Wish {
    /// A blob is written only for a credential that the platform named, and only if presence will be tested.
    pub(super) fn of(access: Option<&Access<'_>>, request: &Circumstances) -> Self {
        match access {
            None => Self::Nothing,
            Some(Access::Read) => Self::Read,
            Some(Access::Write(record)) => {
                let fits = record.blob.len() <= longest(request.algorithm);
                let possible = request.listed && request.up && fits;
                Self::Write(possible.then(|| Zeroizing::new(cbor::encode(record))))
            }
        }
    }
}

impl Outcome {
    /// The unsigned outputs; nothing if there are none.
    pub(crate) fn outputs(&self) -> Result<Option<UnsignedOutputs<'_>>, Refusal> {
        let output = match self {
            Self::Nothing => return Ok(None),
            Self::Read(plaintext) => {
                let BlobRecord { blob, original_size } = records::parse(plaintext)?;
                LargeBlobOutput {
                    blob: Some(blob),
                    original_size: Some(original_size),
                    ..LargeBlobOutput::default()
                }
            }
            Self::Written(written) => {
                LargeBlobOutput { written: Some(*written), ..LargeBlobOutput::default() }
            }
        };
        Ok(Some(UnsignedOutputs { large_blob: Some(output) }))
    }
}

impl<S: Store, R: TryCryptoRng> Authenticator<S, R> {
    /// Does what is wished with the blob of this credential. A blob that cannot be stored is not written; that
    /// is an answer and no error.
    pub(crate) fn access_large_blob(
        &mut self,
        wish: &Wish,
        rp_id_hash: &[u8; 32],
        credential: &Credential,
    ) -> Result<Outcome, Refusal> {
        match wish {
            Wish::Nothing => Ok(Outcome::Nothing),
            Wish::Read => {
                let key = self.blob_key(&self.records.keys().rp16(rp_id_hash), &credential.id);
                let plaintext = self.records.load(&key)?;
                #[cfg(feature = "faults")]
                let plaintext = plaintext.filter(|_| !self.faults.denies_large_blob());
                Ok(plaintext.map_or(Outcome::Nothing, Outcome::Read))
            }
            Wish::Write(None) => Ok(Outcome::Written(false)),
            #[cfg(feature = "faults")]
            Wish::Write(Some(_)) if self.faults.denies_large_blob() => Ok(Outcome::Written(false)),
            Wish::Write(Some(record)) => {
                let key = self.blob_key(&self.records.keys().rp16(rp_id_hash), &credential.id);
                let mut batch = Batch::default();
                batch.put(key, &cbor::Raw(record));
                let written = self.records.commit(&mut self.rng, batch).is_ok();
                Ok(Outcome::Written(written))
            }
        }
    }

    /// Adds to a batch what a credential's end means for its blob, which may be of a time when the key offered the
    /// extension.
    pub(crate) fn drop_large_blob(&self, batch: &mut Batch, rp16: &[u8; 16], id: &[u8]) {
        batch.delete(self.blob_key(rp16, id));
    }

    fn blob_key(&self, rp16: &[u8; 16], id: &[u8]) -> Key {
        records::blob_key(rp16, &self.records.keys().blob16(id))
    }
}
