//! Sealing: what leaves for the store or for a relying party is unreadable and cannot be changed or moved.

use alloc::vec::Vec;

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, Tag, XChaCha20Poly1305};
use rand_core::TryCryptoRng;
use softkey_ctap::Secret;
use zeroize::Zeroizing;

/// Bytes that sealing adds: a random nonce in front and a tag behind.
pub(crate) const OVERHEAD: usize = NONCE + TAG;

pub(crate) const NONCE: usize = 24;
const TAG: usize = 16;

/// XChaCha20-Poly1305: its nonces are long enough to be drawn at random for ever.
pub struct Sealer(XChaCha20Poly1305);

impl Sealer {
    pub(crate) fn new(key: &Secret<32>) -> Self {
        Self(XChaCha20Poly1305::new(key.expose().into()))
    }

    /// Appends nonce (24 bytes), ciphertext and tag (16 bytes) to `out`. `bound` must be the same to open it again.
    ///
    /// # Errors
    ///
    /// What the source of randomness gives; nothing was appended then.
    pub fn seal<R: TryCryptoRng>(
        &self,
        rng: &mut R,
        bound: &[&[u8]],
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), R::Error> {
        let mut nonce = [0; NONCE];
        rng.try_fill_bytes(&mut nonce)?;
        self.seal_under(&nonce, bound, plaintext, out);
        Ok(())
    }

    /// The same under a nonce that was never used for anything else.
    pub(crate) fn seal_under(
        &self,
        nonce: &[u8; NONCE],
        bound: &[&[u8]],
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) {
        out.extend_from_slice(nonce);
        let start = out.len();
        out.extend_from_slice(plaintext);
        let buffer = out.get_mut(start..).unwrap_or_default();
        let sealed = self.0.encrypt_inout_detached(nonce.into(), &bound.concat(), buffer.into());
        // It refuses only messages of 256 GiB and more; an empty tag then makes the record unreadable.
        out.extend_from_slice(&sealed.unwrap_or_default());
    }

    /// What was sealed; nothing if `sealed` or `bound` differ in any way from then.
    #[must_use]
    pub fn open(&self, bound: &[&[u8]], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE>()?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG>()?;
        let mut plaintext = Zeroizing::new(ciphertext.to_vec());
        let buffer = plaintext.as_mut_slice();
        self.0
            .decrypt_inout_detached(nonce.into(), &bound.concat(), buffer.into(), &Tag::from(*tag))
            .ok()?;
        Some(plaintext)
    }
}
