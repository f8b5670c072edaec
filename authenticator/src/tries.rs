//! The tries that are left, as they are stored: a record of their own.
//!
//! It is written twice for each PIN, more often than all else, and everybody may know what is in it. So it is not sealed but
//! has a tag, by which it wears a flash half as much: `version (1) | PIN (1) | built-in user verification (1) | attempts at
//! it (4, big-endian) | tag (16)`, always as long.

use alloc::vec::Vec;

use softkey_ctap::{Secret, message};
use zeroize::Zeroizing;

use crate::config::Config;
use crate::keys::{RootKey, prf, truncate};
use crate::pin;
use crate::refusal::Refusal;

/// The tries that are left, and the attempts there were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tries {
    /// Wrong PINs until only a reset helps.
    pub(crate) pin: u8,
    /// Failures left to built-in user verification; 25 where there is no method.
    pub(crate) uv: u8,
    /// Attempts at built-in user verification since the last right PIN.
    pub(crate) uv_attempts: u32,
}

impl Tries {
    /// All of them.
    pub(crate) fn all(config: &Config) -> Self {
        Self { pin: pin::MAX_RETRIES, uv: pin::max_uv_retries(config), uv_attempts: 0 }
    }

    /// As it is stored.
    pub(crate) fn stored(self) -> [u8; 6] {
        let [a, b, c, d] = self.uv_attempts.to_be_bytes();
        [self.pin, self.uv, a, b, c, d]
    }

    /// Of what is stored.
    pub(crate) fn from_stored(bytes: &[u8]) -> Result<Self, Refusal> {
        let [pin, uv, attempts @ ..] = *bytes.as_array::<6>().ok_or(Refusal::Damaged)?;
        Ok(Self { pin, uv, uv_attempts: u32::from_be_bytes(attempts) })
    }
}

message! {
    /// The tries that are left, as former builds have them in the record of the PIN.
    pub(crate) struct FormerTries: Int {
        3 => retries: required u64,
        4 => uv_retries: required u64,
        8 => uv_attempts: optional u64,
    }
}

impl From<FormerTries> for Tries {
    fn from(former: FormerTries) -> Self {
        let narrow = |number: u64| u8::try_from(number).unwrap_or_default();
        let uv_attempts = former.uv_attempts.unwrap_or_default();
        Self {
            pin: narrow(former.retries),
            uv: narrow(former.uv_retries),
            uv_attempts: u32::try_from(uv_attempts).unwrap_or(u32::MAX),
        }
    }
}

/// The value that is stored for these tries.
pub(crate) fn signed(root: &RootKey, version: u8, tries: &[u8]) -> Vec<u8> {
    [&[version], tries, tag(root, version, tries).expose()].concat()
}

/// The tries of a value; nothing if it is not as it was written.
pub(crate) fn opened(root: &RootKey, version: u8, value: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (tries, found) = value.strip_prefix(&[version])?.split_last_chunk()?;
    (tag(root, version, tries) == Secret::new(*found)).then(|| Zeroizing::new(tries.to_vec()))
}

fn tag(root: &RootKey, version: u8, tries: &[u8]) -> Secret<16> {
    Secret::new(truncate(&prf(&root.tries_key(), &[&[version], tries])))
}
