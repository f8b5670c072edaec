//! Key pairs from seeds, and signatures.

mod ecdsa;

use alloc::vec::Vec;

use ed25519_dalek::Signer;
use softkey_ctap::Secret;
use softkey_ctap::cose::{self, key};

use self::ecdsa::EcKey;
use crate::algorithm::Algorithm;
use crate::keys::expand;

/// A private key, ready to sign. The public key is computed only when asked for: that costs as much as a
/// signature.
pub(crate) enum PrivateKey {
    P256(EcKey<p256::NistP256>),
    #[cfg(feature = "p384")]
    P384(EcKey<p384::NistP384>),
    #[cfg(feature = "p521")]
    P521(EcKey<p521::NistP521>),
    #[cfg(feature = "k256")]
    Secp256k1(EcKey<k256::Secp256k1>),
    Ed25519(ed25519_dalek::SigningKey),
}

impl PrivateKey {
    /// The private key that belongs to this seed.
    pub(crate) fn from_seed(algorithm: Algorithm, seed: &Secret<32>) -> Self {
        match algorithm {
            Algorithm::Es256 | Algorithm::Esp256 => Self::P256(EcKey::from_seed(seed)),
            #[cfg(feature = "p384")]
            Algorithm::Es384 | Algorithm::Esp384 => Self::P384(EcKey::from_seed(seed)),
            #[cfg(feature = "p521")]
            Algorithm::Es512 | Algorithm::Esp512 => Self::P521(EcKey::from_seed(seed)),
            #[cfg(feature = "k256")]
            Algorithm::Es256k => Self::Secp256k1(EcKey::from_seed(seed)),
            Algorithm::EdDsa | Algorithm::Ed25519 => {
                let secret = expand(seed, &[b"Ed25519"]);
                Self::Ed25519(ed25519_dalek::SigningKey::from_bytes(secret.expose()))
            }
        }
    }

    /// The key of P-256 with this scalar, 32 bytes, if it is one.
    pub(crate) fn p256(scalar: &[u8]) -> Option<Self> {
        EcKey::from_scalar(scalar).map(Self::P256)
    }

    pub(crate) fn public(&self) -> PublicKey {
        match self {
            Self::P256(key) => key.public(),
            #[cfg(feature = "p384")]
            Self::P384(key) => key.public(),
            #[cfg(feature = "p521")]
            Self::P521(key) => key.public(),
            #[cfg(feature = "k256")]
            Self::Secp256k1(key) => key.public(),
            Self::Ed25519(key) => PublicKey::Ed25519(key.verifying_key().to_bytes()),
        }
    }

    /// The signature over a message given in pieces, in the form that WebAuthn asks for.
    pub(crate) fn sign(&self, message: &[&[u8]]) -> Vec<u8> {
        match self {
            Self::P256(key) => key.sign(message),
            #[cfg(feature = "p384")]
            Self::P384(key) => key.sign(message),
            #[cfg(feature = "p521")]
            Self::P521(key) => key.sign(message),
            #[cfg(feature = "k256")]
            Self::Secp256k1(key) => key.sign(message),
            Self::Ed25519(key) => key.sign(&message.concat()).to_bytes().to_vec(),
        }
    }
}

/// The numbers of a public key.
pub(crate) enum PublicKey {
    /// 0x04, then both coordinates, of a point on this COSE curve.
    Point {
        crv: i64,
        sec1: Vec<u8>,
    },
    Ed25519([u8; 32]),
}

impl PublicKey {
    /// The key as COSE has it, under the identifier of `algorithm`.
    pub(crate) fn cose(&self, algorithm: Algorithm) -> cose::PublicKey<'_> {
        let alg = algorithm.id();
        match self {
            Self::Point { crv, sec1 } => {
                let coordinates = sec1.get(1..).unwrap_or_default();
                let (x, y) = coordinates.split_at(coordinates.len() / 2);
                cose::PublicKey::Ec2 { alg, crv: *crv, x, y }
            }
            Self::Ed25519(x) => cose::PublicKey::Okp { alg, crv: key::ED25519, x },
        }
    }
}

#[cfg(test)]
mod tests;
