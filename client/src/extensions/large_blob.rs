//! `largeBlob`: data that a relying party keeps with a credential (WebAuthn Level 3 section 10.1.5). Keys have it in
//! two generations: the extension `largeBlob` of `CTAP` 2.3, or a key for entries of one array that platforms write.

use serde::{Deserialize, Serialize};
use softkey_ctap::Secret;
use softkey_ctap::extensions::{LargeBlobAccess, LargeBlobOutput, id};

use crate::blobs::{self, deflate, inflate};
use crate::cause::Cause;
use crate::info::Info;
use crate::options::Credential;
use crate::response::Bytes;
use crate::session::Session;
use crate::token::Token;

/// `AuthenticationExtensionsLargeBlobInputs`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LargeBlobInputs {
    /// At creation: how much it matters.
    pub support: Option<Support>,
    /// At sign-in: read the data.
    pub read: Option<bool>,
    /// At sign-in: write these data instead of any that there are.
    pub write: Option<Vec<u8>>,
}

/// `LargeBlobSupport`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// Keys that cannot keep data are as if they were not there.
    Required,
    /// If the key can.
    Preferred,
}

/// `AuthenticationExtensionsLargeBlobOutputs`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LargeBlobResults {
    /// At creation: can the credential have data?
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supported: Option<bool>,
    /// The data that were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blob: Option<Bytes>,
    /// Were the data written?
    #[serde(skip_serializing_if = "Option::is_none")]
    pub written: Option<bool>,
}

/// How a key keeps such data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LargeBlobs {
    /// By the extension `largeBlob`.
    Extension,
    /// In the array, for discoverable credentials.
    Array,
}

impl LargeBlobs {
    /// How this key does, if it does.
    pub(crate) fn of(info: &Info) -> Option<Self> {
        let array =
            info.has_extension(id::LARGE_BLOB_KEY) && info.options.large_blobs == Some(true);
        if info.has_extension(id::LARGE_BLOB) {
            Some(Self::Extension)
        } else {
            array.then_some(Self::Array)
        }
    }

    /// How this key does for a new credential.
    pub(crate) fn for_new(info: &Info, rk: bool) -> Option<Self> {
        Self::of(info).filter(|kept| rk || *kept == Self::Extension)
    }
}

impl LargeBlobInputs {
    pub(super) const fn check_creation(&self) -> Result<(), Cause> {
        if self.read.is_some() || self.write.is_some() {
            return Err(Cause::LargeBlobMisuse);
        }
        Ok(())
    }

    pub(super) const fn check_request(&self, allow: &[Credential]) -> Result<(), Cause> {
        let both = self.read.is_some() && self.write.is_some();
        let writes_one = self.write.is_none() || allow.len() == 1;
        if self.support.is_some() || both || !writes_one {
            return Err(Cause::LargeBlobMisuse);
        }
        Ok(())
    }

    pub(crate) fn is_required(&self) -> bool {
        self.support == Some(Support::Required)
    }

    pub(crate) fn reads(&self) -> bool {
        self.read == Some(true)
    }

    /// What the extension `largeBlob` is to be given: the compressed data, and how long they were.
    pub(super) fn compressed(&self) -> Option<(Vec<u8>, u64)> {
        let data = self.write.as_ref()?;
        Some((deflate(data), u64::try_from(data.len()).ok()?))
    }

    /// The input of the extension.
    pub(super) fn access<'b>(
        &self,
        compressed: Option<&'b (Vec<u8>, u64)>,
    ) -> Option<LargeBlobAccess<'b>> {
        let nothing = LargeBlobAccess { read: None, write: None, original_size: None };
        match compressed {
            Some((data, size)) => {
                Some(LargeBlobAccess { write: Some(data), original_size: Some(*size), ..nothing })
            }
            None => self.reads().then_some(LargeBlobAccess { read: Some(true), ..nothing }),
        }
    }

    /// What the page learns from the output of the extension; what cannot be read is not there.
    pub(super) fn results(&self, output: Option<&LargeBlobOutput<'_>>) -> LargeBlobResults {
        if self.write.is_some() {
            let written = output.and_then(|output| output.written).unwrap_or(false);
            return LargeBlobResults { written: Some(written), ..LargeBlobResults::default() };
        }
        let blob = output.filter(|_| self.reads()).and_then(inflated).map(Bytes);
        LargeBlobResults { blob, ..LargeBlobResults::default() }
    }
}

fn inflated(output: &LargeBlobOutput<'_>) -> Option<Vec<u8>> {
    inflate(output.blob?, output.original_size?)
}

impl Session {
    /// Reads or writes the entry of the array that this key opens. What fails leaves the sign-in as good as it was.
    pub(crate) async fn use_array(
        &mut self,
        info: &Info,
        inputs: &LargeBlobInputs,
        key: Option<&Secret<32>>,
        token: Option<&Token>,
    ) -> LargeBlobResults {
        let nothing = LargeBlobResults::default();
        match (&inputs.write, key) {
            (Some(_), None) => LargeBlobResults { written: Some(false), ..nothing },
            (Some(data), Some(key)) => {
                let written = self.write_entry(info, key, data, token).await.is_ok();
                LargeBlobResults { written: Some(written), ..nothing }
            }
            (None, Some(key)) if inputs.reads() => {
                let array = blobs::read(self, info).await.ok();
                let blob = array.and_then(|array| array.get(key)).map(Bytes);
                LargeBlobResults { blob, ..nothing }
            }
            (None, _) => nothing,
        }
    }

    async fn write_entry(
        &mut self,
        info: &Info,
        key: &Secret<32>,
        data: &[u8],
        token: Option<&Token>,
    ) -> Result<(), Cause> {
        let mut array = blobs::read(self, info).await?;
        array.set(key, data, &mut self.entropy);
        blobs::replace(self, info, token, &array).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(blob: &[u8], size: u64) -> LargeBlobOutput<'_> {
        LargeBlobOutput {
            blob: Some(blob),
            original_size: Some(size),
            ..LargeBlobOutput::default()
        }
    }

    /// Section 10.1.5: what is no such data is as if there were none.
    #[test]
    fn only_data_of_the_size_that_is_told_are_read() {
        let inputs = LargeBlobInputs { read: Some(true), ..LargeBlobInputs::default() };
        let deflated = deflate(b"twelve bytes");
        let read = |blob: &[u8], size| inputs.results(Some(&output(blob, size))).blob;
        assert_eq!(read(&deflated, 12), Some(Bytes(b"twelve bytes".to_vec())));
        for size in [0, 11, 13, u64::MAX] {
            assert_eq!(read(&deflated, size), None, "{size}");
        }
        assert_eq!(read(b"\xff\xff", 2), None);
        assert_eq!(inputs.results(None), LargeBlobResults::default());
    }
}
