//! The key hierarchy: one root key, and everything derived from it by name.
//!
//! ```text
//! root key ─┬─ "softkey/1 device record"                      seals settings, PIN state, the epoch
//!           ├─ "softkey/1 tries"                              signs the tries that are left
//!           ├─ "softkey/1 beside" with a name               seals what an owner keeps for itself
//!           └─ with the epoch secret ─┬─ "credential index"   hides relying parties and users in keys
//!                                     ├─ "credential record"  seals credentials
//!                                     └─ "credential id"      seals credential identifiers
//! ```
//!
//! A reset replaces the epoch secret; what the former one sealed is dead in that instant, in the store and in
//! every credential identifier out there.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use softkey_ctap::Secret;

use crate::seal::Sealer;

/// The key that everything else hangs on: 32 uniformly random bytes, kept apart from the store.
pub struct RootKey(Secret<32>);

impl RootKey {
    /// The root key with these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(Secret::new(bytes))
    }

    /// What seals the thing of this name that an owner keeps under a root key: no two names, and no name and the
    /// authenticator, share a key.
    #[must_use]
    pub fn sealer(&self, name: &str) -> Sealer {
        Sealer::new(&expand(&self.0, &[b"softkey/1 beside ", name.as_bytes()]))
    }

    pub(crate) fn device_record_key(&self) -> Secret<32> {
        expand(&self.0, &[b"softkey/1 device record"])
    }

    pub(crate) fn tries_key(&self) -> Secret<32> {
        expand(&self.0, &[b"softkey/1 tries"])
    }

    pub(crate) fn epoch_keys(&self, epoch_secret: &Secret<32>) -> EpochKeys {
        let base = prf(&self.0, &[b"softkey/1 epoch", epoch_secret.expose()]);
        EpochKeys {
            index: expand(&base, &[b"credential index"]),
            record: expand(&base, &[b"credential record"]),
            credential_id: expand(&base, &[b"credential id"]),
        }
    }
}

/// The keys that die with a reset.
pub(crate) struct EpochKeys {
    pub(crate) index: Secret<32>,
    pub(crate) record: Secret<32>,
    pub(crate) credential_id: Secret<32>,
}

impl EpochKeys {
    /// Stands for a relying party in the keys of records.
    pub(crate) fn rp16(&self, rp_id_hash: &[u8; 32]) -> [u8; 16] {
        truncate(&prf(&self.index, &[b"rp", rp_id_hash]))
    }

    /// Stands for a credential in the key of its large blob.
    pub(crate) fn blob16(&self, credential_id: &[u8]) -> [u8; 16] {
        truncate(&prf(&self.index, &[b"large blob", credential_id]))
    }

    /// Stands for a user of a relying party in the keys of records.
    pub(crate) fn user16(&self, rp_id_hash: &[u8; 32], user_id: &[u8]) -> [u8; 16] {
        truncate(&prf(&self.index, &[b"user", rp_id_hash, user_id]))
    }
}

impl EpochKeys {
    /// Stands for a credential identifier in the keys of records.
    pub(crate) fn id16(&self, id: &[u8]) -> [u8; 16] {
        truncate(&prf(&self.index, &[b"credential id", id]))
    }

    /// Identifies this authenticator until its reset, to those who have the persistent token.
    pub(crate) fn device_identifier(&self) -> [u8; 16] {
        truncate(&prf(&self.index, &[b"device identifier"]))
    }

    /// Stands for what is stored: of no meaning by itself, and after each change another one, for the change is a random
    /// number.
    pub(crate) fn store_state(&self, change: u64) -> [u8; 16] {
        truncate(&prf(&self.index, &[b"store state", &change.to_be_bytes()]))
    }
}

/// HKDF-Expand with SHA-256 to 32 bytes; the info is given in pieces. Every key here is uniformly random, so
/// nothing has to be extracted first.
pub(crate) fn expand(key: &Secret<32>, info: &[&[u8]]) -> Secret<32> {
    block(key, &[], info, 1)
}

/// The same to any length up to 8160 bytes; what is behind them stays as it was.
pub(crate) fn expand_into(key: &Secret<32>, info: &[&[u8]], out: &mut [u8]) {
    let mut last: Option<Secret<32>> = None;
    for (number, piece) in (1..=u8::MAX).zip(out.chunks_mut(32)) {
        let previous = last.as_ref().map_or([].as_slice(), |block| block.expose().as_slice());
        let next = block(key, previous, info, number);
        piece.iter_mut().zip(next.expose()).for_each(|(to, from)| *to = *from);
        last = Some(next);
    }
}

/// One block of HKDF-Expand (RFC 5869 section 2.3).
fn block(key: &Secret<32>, previous: &[u8], info: &[&[u8]], number: u8) -> Secret<32> {
    let mut mac = hmac(key);
    mac.update(previous);
    for piece in info {
        mac.update(piece);
    }
    mac.update(&[number]);
    Secret::new(mac.finalize().into_bytes().into())
}

/// HMAC-SHA-256 of a message given in pieces.
pub(crate) fn prf(key: &Secret<32>, message: &[&[u8]]) -> Secret<32> {
    let mut mac = hmac(key);
    for piece in message {
        mac.update(piece);
    }
    Secret::new(mac.finalize().into_bytes().into())
}

fn hmac(key: &Secret<32>) -> Hmac<Sha256> {
    // HMAC pads a shorter key with zeros to its block itself, but takes such a key only with a `Result`.
    let mut block = zeroize::Zeroizing::new([0; 64]);
    block.iter_mut().zip(key.expose()).for_each(|(padded, byte)| *padded = *byte);
    Hmac::new((&*block).into())
}

pub(crate) fn truncate(full: &Secret<32>) -> [u8; 16] {
    let (short, _) = full.expose().split_at(16);
    short.try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use chacha20::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    /// What one name seals no other opens, nor another root key, nor the key of the authenticator's own records.
    #[test]
    fn a_name_seals_for_itself() {
        let root = RootKey::new([7; 32]);
        let mut sealed = Vec::new();
        let mut rng = ChaCha20Rng::seed_from_u64(7);
        assert!(root.sealer("one").seal(&mut rng, &[b"bound"], b"text", &mut sealed).is_ok());
        let open = |sealer: &Sealer, bound: &[u8]| {
            sealer.open(&[bound], &sealed).map(|text| text.to_vec())
        };
        assert_eq!(open(&root.sealer("one"), b"bound").as_deref(), Some(&b"text"[..]));
        assert_eq!(open(&root.sealer("one"), b"other"), None);
        assert_eq!(open(&root.sealer("two"), b"bound"), None);
        assert_eq!(open(&RootKey::new([8; 32]).sealer("one"), b"bound"), None);
        assert_eq!(open(&Sealer::new(&root.device_record_key()), b"bound"), None);
    }

    /// XH-18: a fixed `CredRandom` and a fixed salt give the fixed HMAC-SHA-256, computed elsewhere.
    #[test]
    fn fixed_secret_and_salt_give_the_fixed_hmac() {
        let mut secret = [0; 32];
        secret.iter_mut().zip(0..).for_each(|(byte, n)| *byte = n);
        let output = prf(&Secret::new(secret), &[&[0x22; 32]]);
        let known = [
            0x65, 0x2c, 0xf3, 0x64, 0x46, 0xa9, 0x60, 0x64, 0x92, 0x09, 0x7f, 0x64, 0xea, 0x1b,
            0xb8, 0xd0, 0x3c, 0x93, 0x19, 0x2c, 0xeb, 0x80, 0x82, 0xc2, 0xf5, 0xc1, 0xc2, 0x9d,
            0xa6, 0xf2, 0x2a, 0xb4,
        ];
        assert_eq!(output.expose(), &known);
    }
}
