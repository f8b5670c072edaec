//! The vault's header: the root key, wrapped, and what must be known to unwrap it. It owns the byte format.
//!
//! | bytes | content |
//! |---|---|
//! | 0..16 | `softkey-vault`, CR, LF, 1A: spoilt by whatever spoils binary files |
//! | 16 | version of this format: 1 |
//! | 17 | what wraps the root key: 1 a passphrase, 2 a key file |
//! | 18..30 | Argon2id: memory in KiB, passes, lanes, 4 bytes each, little-endian; 0 with a key file |
//! | 30..62 | salt |
//! | 62..78 | identity of the database that this header belongs to |
//! | 78..102 | nonce |
//! | 102..150 | the root key, sealed by XChaCha20-Poly1305 with bytes 0..78 as associated data |
//! | 150..182 | SHA-256 of all before it, which tells damage from a wrong passphrase |
//!
//! The wrapping key is Argon2id (version 0x13) of the passphrase, or HKDF-SHA-256 of the key file's 32 bytes.

use std::mem::size_of;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305};
use hkdf::Hkdf;
use rand_core::TryCryptoRng;
use sha2::{Digest, Sha256};
use softkey_ctap::Secret;
use zeroize::Zeroizing;

use super::store::Identity;

const MAGIC: &[u8; 16] = b"softkey-vault\r\n\x1a";
const VERSION: u8 = 1;
const PASSPHRASE: u8 = 1;
const KEY_FILE: u8 = 2;
const ASSOCIATED: usize = 78;
const SUMMED: usize = 150;

/// Bytes of a header.
pub(super) const LEN: usize = SUMMED + 32;

/// What wraps the root key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// A passphrase, by Argon2id with this effort.
    Passphrase(Effort),
    /// A key file: whoever reads the user's files can copy the keys.
    KeyFile,
}

/// What one guess at a passphrase costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Memory, in KiB.
    pub memory: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes that could be worked on at once.
    pub lanes: u32,
}

impl Effort {
    /// That of a key file.
    const NONE: Self = Self { memory: 0, passes: 0, lanes: 0 };
    /// The most that a header may ask for: it is read before anything proves that it is ours.
    const MOST: Self = Self { memory: 1 << 20, passes: 64, lanes: 16 };

    fn is_bearable(self) -> bool {
        let Self { memory, passes, lanes } = Self::MOST;
        self.memory <= memory && self.passes <= passes && self.lanes <= lanes
    }
}

impl Default for Effort {
    /// 64 MiB, three passes, one lane: about a fifth of a second.
    fn default() -> Self {
        Self { memory: 64 << 10, passes: 3, lanes: 1 }
    }
}

/// A passphrase: wiped when dropped, never printed.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Takes a passphrase. None if it is empty.
    #[must_use]
    pub fn new(text: String) -> Option<Self> {
        let text = Zeroizing::new(text);
        (!text.is_empty()).then_some(Self(text))
    }
}

/// What unwraps a root key: the passphrase, or the bytes of the key file.
pub(super) enum Opener<'a> {
    Passphrase(&'a Passphrase),
    KeyFile(&'a Secret<32>),
}

/// Why bytes are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    Foreign,
    Truncated,
    Damaged,
    Newer(u8),
}

/// Why a root key was not unwrapped or wrapped.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum WrapError {
    /// This is not what it was wrapped with.
    WrongKey,
    /// The wrapping key could not be worked out, most likely for want of memory.
    Derivation,
    /// The source of randomness failed.
    Entropy,
}

/// A header, read.
#[derive(Clone)]
pub(super) struct Header {
    pub(super) protection: Protection,
    pub(super) identity: Identity,
    salt: [u8; 32],
    nonce: [u8; 24],
    sealed: [u8; 32],
    tag: [u8; 16],
}

impl Header {
    /// Reads a header and checks its sum.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Flaw> {
        let mut fields = Fields(bytes);
        let magic: [u8; 16] = fields.take().ok_or(if MAGIC.starts_with(bytes) {
            Flaw::Truncated
        } else {
            Flaw::Foreign
        })?;
        if magic != *MAGIC {
            return Err(Flaw::Foreign);
        }
        match fields.take().ok_or(Flaw::Truncated)? {
            [VERSION] => {}
            [newer] if newer > VERSION => return Err(Flaw::Newer(newer)),
            [_] => return Err(Flaw::Damaged),
        }
        let (summed, sum) = bytes.split_at_checked(SUMMED).ok_or(Flaw::Truncated)?;
        if sum.len() < LEN - SUMMED {
            return Err(Flaw::Truncated);
        }
        if Sha256::digest(summed).as_slice() != sum {
            return Err(Flaw::Damaged);
        }
        Self::fields(&mut fields).ok_or(Flaw::Damaged)
    }

    /// The fields behind the version.
    fn fields(fields: &mut Fields<'_>) -> Option<Self> {
        let [kind] = fields.take()?;
        let mut number = || fields.take().map(u32::from_le_bytes);
        let effort = Effort { memory: number()?, passes: number()?, lanes: number()? };
        let protection = match kind {
            PASSPHRASE if effort.is_bearable() => Protection::Passphrase(effort),
            // Whatever else stood there would be covered by no seal.
            KEY_FILE if effort == Effort::NONE => Protection::KeyFile,
            _ => return None,
        };
        Some(Self {
            protection,
            salt: fields.take()?,
            identity: fields.take()?,
            nonce: fields.take()?,
            sealed: fields.take()?,
            tag: fields.take()?,
        })
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.associated();
        bytes.extend_from_slice(&self.nonce);
        bytes.extend_from_slice(&self.sealed);
        bytes.extend_from_slice(&self.tag);
        let sum = Sha256::digest(&bytes);
        bytes.extend_from_slice(&sum);
        bytes
    }

    fn associated(&self) -> Vec<u8> {
        let (kind, effort) = match self.protection {
            Protection::Passphrase(effort) => (PASSPHRASE, effort),
            Protection::KeyFile => (KEY_FILE, Effort::NONE),
        };
        let mut bytes = Vec::with_capacity(ASSOCIATED);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&[VERSION, kind]);
        for number in [effort.memory, effort.passes, effort.lanes] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&self.salt);
        bytes.extend_from_slice(&self.identity);
        bytes
    }

    /// Wraps a root key, with a new salt and nonce.
    pub(super) fn wrap<R: TryCryptoRng>(
        root_key: &Secret<32>,
        identity: Identity,
        opener: &Opener<'_>,
        rng: &mut R,
    ) -> Result<Self, WrapError> {
        let protection = match opener {
            Opener::Passphrase(_) => Protection::Passphrase(Effort::default()),
            Opener::KeyFile(_) => Protection::KeyFile,
        };
        let mut header = Self {
            protection,
            identity,
            salt: [0; 32],
            nonce: [0; 24],
            sealed: [0; 32],
            tag: [0; 16],
        };
        rng.try_fill_bytes(&mut header.salt).map_err(|_| WrapError::Entropy)?;
        rng.try_fill_bytes(&mut header.nonce).map_err(|_| WrapError::Entropy)?;
        let cipher = header.cipher(opener)?;
        let mut sealed = Zeroizing::new(*root_key.expose());
        header.tag = cipher
            .encrypt_inout_detached(
                &header.nonce.into(),
                &header.associated(),
                sealed.as_mut_slice().into(),
            )
            .map_err(|_| WrapError::Derivation)?
            .into();
        header.sealed = *sealed;
        Ok(header)
    }

    /// The root key.
    pub(super) fn unwrap(&self, opener: &Opener<'_>) -> Result<Secret<32>, WrapError> {
        let cipher = self.cipher(opener)?;
        Secret::try_make(|root_key| {
            root_key.copy_from_slice(&self.sealed);
            cipher
                .decrypt_inout_detached(
                    &self.nonce.into(),
                    &self.associated(),
                    root_key.as_mut_slice().into(),
                    &self.tag.into(),
                )
                .map_err(|_| WrapError::WrongKey)
        })
    }

    /// The cipher under the wrapping key.
    fn cipher(&self, opener: &Opener<'_>) -> Result<XChaCha20Poly1305, WrapError> {
        let key = Secret::<32>::try_make(|key| match (opener, self.protection) {
            (Opener::Passphrase(Passphrase(text)), Protection::Passphrase(effort)) => {
                Params::new(effort.memory, effort.passes, effort.lanes, Some(size_of::<[u8; 32]>()))
                    .map(|params| Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
                    .and_then(|argon2| argon2.hash_password_into(text.as_bytes(), &self.salt, key))
                    .map_err(|_| WrapError::Derivation)
            }
            (Opener::KeyFile(bytes), Protection::KeyFile) => {
                Hkdf::<Sha256>::new(Some(&self.salt), bytes.expose())
                    .expand(b"softkey vault, key file, 1", key)
                    .map_err(|_| WrapError::Derivation)
            }
            (Opener::Passphrase(_), Protection::KeyFile)
            | (Opener::KeyFile(_), Protection::Passphrase(_)) => Err(WrapError::WrongKey),
        })?;
        Ok(XChaCha20Poly1305::new(key.expose().into()))
    }
}

/// Bytes that are taken off from the front.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }
}
