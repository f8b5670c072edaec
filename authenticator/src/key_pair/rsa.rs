//! RSASSA-PKCS1-v1_5 with SHA-256 and a modulus of 2048 bits.
//!
//! A key pair follows from its seed, but finding its primes takes as long as a hundred signatures and more: they are
//! found once, and kept. Private operations are blinded, and checked against faults by the library.

use alloc::vec::Vec;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use rsa::pkcs1v15::SigningKey;
use rsa::signature::{RandomizedMultipartSigner, SignatureEncoding};
use rsa::traits::{PrivateKeyParts, PublicKeyParts};
use rsa::{BoxedUint, RsaPrivateKey};
use sha2::{Digest, Sha256};
use softkey_ctap::Secret;
use zeroize::Zeroizing;

use super::PublicKey;
use crate::keys::expand;
use crate::refusal::Refusal;

const MODULUS_BITS: usize = 2048;
const PRIME_BITS: u32 = 1024;
const PRIME_LEN: usize = 128;
const EXPONENT: u64 = 65_537;

/// A key pair, and the seed that its blinding follows from.
pub(crate) struct RsaKey {
    key: RsaPrivateKey,
    seed: Secret<32>,
}

impl RsaKey {
    /// Finds the primes that follow from the seed. This takes long.
    pub(super) fn generate(seed: &Secret<32>) -> Result<Self, Refusal> {
        let mut rng = ChaCha20Rng::from_seed(*expand(seed, &[b"RS256"]).expose());
        let key = RsaPrivateKey::new(&mut rng, MODULUS_BITS).map_err(|_| Refusal::Signature)?;
        Ok(Self { key, seed: seed.clone() })
    }

    /// The key pair with these primes, as [`primes`](Self::primes) gave them.
    pub(super) fn from_primes(primes: &[u8], seed: &Secret<32>) -> Result<Self, Refusal> {
        let (p, q) = primes.split_at_checked(PRIME_LEN).ok_or(Refusal::Damaged)?;
        let (p, q) = (prime(p).ok_or(Refusal::Damaged)?, prime(q).ok_or(Refusal::Damaged)?);
        let key = RsaPrivateKey::from_p_q(p, q, EXPONENT.into()).map_err(|_| Refusal::Damaged)?;
        Ok(Self { key, seed: seed.clone() })
    }

    /// Both primes, 128 bytes each, big-endian.
    pub(super) fn primes(&self) -> Zeroizing<Vec<u8>> {
        let mut primes = Zeroizing::new(Vec::with_capacity(2 * PRIME_LEN));
        for prime in self.key.primes() {
            let bytes = Zeroizing::new(prime.to_be_bytes());
            primes.extend_from_slice(&bytes);
        }
        primes
    }

    pub(super) fn public(&self) -> PublicKey {
        PublicKey::Rsa { n: self.key.n_bytes().into_vec(), e: self.key.e_bytes().into_vec() }
    }

    pub(super) fn sign(&self, message: &[&[u8]]) -> Result<Vec<u8>, Refusal> {
        let mut digest = Sha256::new();
        for piece in message {
            digest.update(piece);
        }
        // What blinds must be unknown outside, and need not be fresh for a message that was signed before.
        let blinding = expand(&self.seed, &[b"RS256 blinding", &digest.finalize()]);
        let mut rng = ChaCha20Rng::from_seed(*blinding.expose());
        let key = SigningKey::<Sha256>::new(self.key.clone());
        let signature = key.try_multipart_sign_with_rng(&mut rng, message);
        Ok(signature.map_err(|_| Refusal::Signature)?.to_vec())
    }
}

/// The library stops the program at even numbers.
fn prime(bytes: &[u8]) -> Option<BoxedUint> {
    let odd = bytes.last().is_some_and(|last| last % 2 == 1);
    (bytes.len() == PRIME_LEN && odd).then(|| BoxedUint::from_be_slice(bytes, PRIME_BITS).ok())?
}
