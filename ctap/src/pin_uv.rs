//! The mathematics of the PIN/UV auth protocols (`CTAP` 2.3, authenticatorClientPIN), which both ends of the
//! wire share.

use alloc::vec::Vec;

use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use p256::elliptic_curve::Generate;
use p256::elliptic_curve::sec1::{FromSec1Point, ToSec1Point};
use p256::{NonZeroScalar, PublicKey, Sec1Point};
use rand_core::TryCryptoRng;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::Secret;
use crate::cose::KeyAgreementKey;

type Encryptor = cbc::Encryptor<aes::Aes256>;
type Decryptor = cbc::Decryptor<aes::Aes256>;

const BLOCK: usize = 16;

/// A PIN/UV auth protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum Protocol {
    /// Protocol one: zero initialization vector, signatures of 16 bytes.
    One,
    /// Protocol two: random initialization vector, signatures of 32 bytes.
    Two,
}

impl Protocol {
    /// Both protocols, in the order of their numbers.
    pub const ALL: [Self; 2] = [Self::One, Self::Two];

    /// The protocol with this number.
    #[must_use]
    pub const fn from_number(number: u64) -> Option<Self> {
        match number {
            1 => Some(Self::One),
            2 => Some(Self::Two),
            _ => None,
        }
    }

    /// The protocol's number.
    #[must_use]
    pub const fn number(self) -> u64 {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }

    /// authenticate(key, message): 16 bytes for protocol one, 32 for protocol two. The message is given in
    /// pieces. The key is a pinUvAuthToken or a shared secret: 32 bytes, or with protocol one the 16 bytes of a
    /// token by a CTAP 2.0 authenticator. Of a longer key protocol two takes the first 32 bytes.
    #[must_use]
    pub fn authenticate(self, key: &[u8], message: &[&[u8]]) -> Vec<u8> {
        let key = match self {
            Self::One => key,
            Self::Two => key.get(..32).unwrap_or(key),
        };
        // HMAC takes keys of any length, so this cannot fail.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
            return Vec::new();
        };
        for piece in message {
            mac.update(piece);
        }
        let mut tag = mac.finalize().into_bytes().to_vec();
        tag.truncate(self.tag_len());
        tag
    }

    /// Is `tag` authenticate(key, message)? Compared in constant time; a tag of another length is not.
    #[must_use]
    pub fn verify(self, key: &[u8], message: &[&[u8]], tag: &[u8]) -> bool {
        let wanted = self.authenticate(key, message);
        wanted.len() == self.tag_len() && bool::from(wanted.as_slice().ct_eq(tag))
    }

    const fn tag_len(self) -> usize {
        match self {
            Self::One => 16,
            Self::Two => 32,
        }
    }
}

/// One end's key pair.
pub struct KeyAgreement {
    secret: NonZeroScalar,
    x: [u8; 32],
    y: [u8; 32],
}

impl KeyAgreement {
    /// A fresh key pair.
    ///
    /// # Errors
    ///
    /// What the source of entropy gives.
    pub fn generate<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, R::Error> {
        Ok(Self::from_secret(NonZeroScalar::try_generate_from_rng(rng)?))
    }

    /// The key pair with this private key, 32 bytes, big-endian: for vectors and replays. Nothing if it is
    /// zero or not below the order of the group.
    #[must_use]
    pub fn from_bytes(secret: &Secret<32>) -> Option<Self> {
        let scalar = NonZeroScalar::try_from(secret.expose().as_slice()).ok()?;
        Some(Self::from_secret(scalar))
    }

    fn from_secret(secret: NonZeroScalar) -> Self {
        let point = PublicKey::from_secret_scalar(&secret).to_sec1_point(false);
        let coordinate = |bytes: Option<&p256::FieldBytes>| bytes.map_or([0; 32], |b| (*b).into());
        Self { x: coordinate(point.x()), y: coordinate(point.y()), secret }
    }

    /// The public key, as it goes over the wire.
    #[must_use]
    pub const fn public(&self) -> KeyAgreementKey<'_> {
        KeyAgreementKey::new(&self.x, &self.y)
    }

    /// decapsulate, and encapsulate likewise: the secret shared with the other end. Nothing if its key is not a
    /// point of P-256.
    #[must_use]
    pub fn shared_secret(
        &self,
        protocol: Protocol,
        peer: &KeyAgreementKey<'_>,
    ) -> Option<SharedSecret> {
        let (x, y) = peer.coordinates()?;
        let point = Sec1Point::from_affine_coordinates(&(*x).into(), &(*y).into(), false);
        let peer = Option::from(PublicKey::from_sec1_point(&point))?;
        let z = p256::ecdh::diffie_hellman(&self.secret, PublicKey::as_affine(&peer));
        let z = Secret::from_slice(z.raw_secret_bytes())?;
        SharedSecret::from_z(protocol, &z)
    }
}

impl Drop for KeyAgreement {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.secret);
    }
}

/// The secret that both ends share, and what it is for.
pub struct SharedSecret {
    protocol: Protocol,
    hmac_key: Secret<32>,
    aes_key: Secret<32>,
}

impl SharedSecret {
    /// kdf(Z), where Z is the x-coordinate of the shared point.
    #[must_use]
    pub fn from_z(protocol: Protocol, z: &Secret<32>) -> Option<Self> {
        let (hmac_key, aes_key) = match protocol {
            Protocol::One => {
                let key = Secret::new(Sha256::digest(z.expose()).into());
                (key.clone(), key)
            }
            Protocol::Two => {
                let hkdf = Hkdf::<Sha256>::new(Some(&[0; 32]), z.expose());
                let expand = |info: &[u8]| Secret::try_make(|key| hkdf.expand(info, key)).ok();
                (expand(b"CTAP2 HMAC key")?, expand(b"CTAP2 AES key")?)
            }
        };
        Some(Self { protocol, hmac_key, aes_key })
    }

    /// The protocol this secret belongs to.
    #[must_use]
    pub const fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// encrypt(shared secret, plaintext). The plaintext is a whole number of blocks of 16 bytes; what is
    /// beyond the last whole block is left out. Protocol two puts its initialization vector in front.
    ///
    /// # Errors
    ///
    /// What the source of entropy gives.
    pub fn encrypt<R: TryCryptoRng + ?Sized>(
        &self,
        rng: &mut R,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, R::Error> {
        let mut iv = [0; BLOCK];
        let mut out = Vec::new();
        if self.protocol == Protocol::Two {
            rng.try_fill_bytes(&mut iv)?;
            out.extend_from_slice(&iv);
        }
        let start = out.len();
        out.extend(plaintext.iter().take(plaintext.len() / BLOCK * BLOCK));
        let cipher = Encryptor::new(self.aes_key.expose().into(), &iv.into());
        if let Some(blocks) = out.get_mut(start..) {
            let len = blocks.len();
            // Whole blocks need no padding, so this cannot fail.
            let _ = cipher.encrypt_padded::<NoPadding>(blocks, len);
        }
        Ok(out)
    }

    /// decrypt(shared secret, ciphertext); nothing unless it is a whole number of blocks, with protocol two
    /// behind an initialization vector.
    #[must_use]
    pub fn decrypt(&self, ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (iv, blocks) = match self.protocol {
            Protocol::One => (&[0; BLOCK], ciphertext),
            Protocol::Two => ciphertext.split_first_chunk::<BLOCK>()?,
        };
        let mut plaintext = Zeroizing::new(blocks.to_vec());
        let cipher = Decryptor::new(self.aes_key.expose().into(), iv.into());
        cipher.decrypt_padded::<NoPadding>(&mut plaintext).ok()?;
        Some(plaintext)
    }

    /// authenticate(shared secret, message); the message is given in pieces.
    #[must_use]
    pub fn authenticate(&self, message: &[&[u8]]) -> Vec<u8> {
        self.protocol.authenticate(self.hmac_key.expose(), message)
    }

    /// verify(shared secret, message, tag).
    #[must_use]
    pub fn verify(&self, message: &[&[u8]], tag: &[u8]) -> bool {
        self.protocol.verify(self.hmac_key.expose(), message, tag)
    }
}

/// What getInfo shows to holders of the persistent pinUvAuthToken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateKind {
    /// encIdentifier: which authenticator it is.
    Identifier,
    /// encCredStoreState: which state its credential store is in.
    CredStoreState,
}

impl StateKind {
    /// HKDF-SHA-256 of the token with a salt of 32 zero bytes, 16 bytes.
    fn key(self, token: &Secret<32>) -> Secret<16> {
        let info: &[u8] = match self {
            Self::Identifier => b"encIdentifier",
            Self::CredStoreState => b"encCredStoreState",
        };
        let hkdf = Hkdf::<Sha256>::new(Some(&[0; 32]), token.expose());
        // HKDF gives up to 8160 bytes, so 16 cannot fail.
        Secret::try_make(|key| hkdf.expand(info, key)).unwrap_or(Secret::new([0; 16]))
    }
}

/// An initialization vector, and behind it the value under AES-128-CBC.
///
/// # Errors
///
/// What the source of entropy gives.
pub fn encrypt_state<R: TryCryptoRng + ?Sized>(
    rng: &mut R,
    token: &Secret<32>,
    kind: StateKind,
    value: [u8; BLOCK],
) -> Result<[u8; 2 * BLOCK], R::Error> {
    let mut iv = [0; BLOCK];
    rng.try_fill_bytes(&mut iv)?;
    let mut block = value.into();
    let mut cipher =
        cbc::Encryptor::<aes::Aes128>::new(kind.key(token).expose().into(), &iv.into());
    cipher.encrypt_blocks(core::slice::from_mut(&mut block));
    let mut out = [0; 2 * BLOCK];
    out.iter_mut().zip(iv.iter().chain(block.iter())).for_each(|(out, byte)| *out = *byte);
    Ok(out)
}

/// The value that [`encrypt_state`] was given.
#[must_use]
pub fn decrypt_state(
    token: &Secret<32>,
    kind: StateKind,
    encrypted: &[u8; 2 * BLOCK],
) -> Option<[u8; BLOCK]> {
    let (iv, block) = encrypted.split_first_chunk::<BLOCK>()?;
    let mut block = <[u8; BLOCK]>::try_from(block).ok()?.into();
    let mut cipher = cbc::Decryptor::<aes::Aes128>::new(kind.key(token).expose().into(), iv.into());
    cipher.decrypt_blocks(core::slice::from_mut(&mut block));
    Some(block.into())
}

/// The first 16 bytes of SHA-256 of a PIN in UTF-8, without padding.
#[must_use]
pub fn pin_hash(pin: &[u8]) -> Secret<16> {
    let mut digest: [u8; 32] = Sha256::digest(pin).into();
    let hash = Secret::from_slice(digest.get(..16).unwrap_or(&[])).unwrap_or(Secret::new([0; 16]));
    zeroize::Zeroize::zeroize(&mut digest);
    hash
}
