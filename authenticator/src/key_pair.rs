//! Key pairs from seeds, and signatures.

mod ecdsa;
#[cfg(feature = "ml-dsa")]
mod ml_dsa;
#[cfg(feature = "rsa")]
mod rsa;

#[cfg(any(feature = "ml-dsa", feature = "rsa"))]
use alloc::boxed::Box;
use alloc::vec::Vec;

use ed25519_dalek::Signer;
use softkey_ctap::Secret;
use softkey_ctap::cose::{self, key};
use zeroize::Zeroizing;

use self::ecdsa::EcKey;
#[cfg(feature = "ml-dsa")]
use self::ml_dsa::MlDsaKey;
#[cfg(feature = "rsa")]
use self::rsa::RsaKey;
use crate::algorithm::Algorithm;
use crate::keys::expand;
use crate::refusal::Refusal;

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
    #[cfg(feature = "rsa")]
    Rsa(Box<RsaKey>),
    #[cfg(feature = "ml-dsa")]
    MlDsa44(Box<MlDsaKey<::ml_dsa::MlDsa44>>),
    #[cfg(feature = "ml-dsa")]
    MlDsa65(Box<MlDsaKey<::ml_dsa::MlDsa65>>),
    #[cfg(feature = "ml-dsa")]
    MlDsa87(Box<MlDsaKey<::ml_dsa::MlDsa87>>),
}

impl PrivateKey {
    /// The private key that belongs to this seed. Where [`Algorithm::keeps_key`] this takes long.
    #[cfg_attr(
        not(any(feature = "rsa", feature = "ml-dsa")),
        expect(
            clippy::unnecessary_wraps,
            reason = "ECDSA and Ed25519 cannot fail, other algorithms can"
        )
    )]
    pub(crate) fn from_seed(algorithm: Algorithm, seed: &Secret<32>) -> Result<Self, Refusal> {
        Ok(match algorithm {
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
            #[cfg(feature = "rsa")]
            Algorithm::Rs256 => Self::Rsa(Box::new(RsaKey::generate(seed)?)),
            #[cfg(feature = "ml-dsa")]
            Algorithm::MlDsa44 => Self::MlDsa44(Box::new(MlDsaKey::from_seed(seed))),
            #[cfg(feature = "ml-dsa")]
            Algorithm::MlDsa65 => Self::MlDsa65(Box::new(MlDsaKey::from_seed(seed))),
            #[cfg(feature = "ml-dsa")]
            Algorithm::MlDsa87 => Self::MlDsa87(Box::new(MlDsaKey::from_seed(seed))),
        })
    }

    /// The same with what [`kept`](Self::kept) gave then, which spares the long time.
    pub(crate) fn from_kept(
        algorithm: Algorithm,
        seed: &Secret<32>,
        #[cfg_attr(not(feature = "rsa"), allow(unused_variables, reason = "nothing is kept"))]
        numbers: &[u8],
    ) -> Result<Self, Refusal> {
        match algorithm {
            #[cfg(feature = "rsa")]
            Algorithm::Rs256 => Ok(Self::Rsa(Box::new(RsaKey::from_primes(numbers, seed)?))),
            // Nothing is ever kept for these.
            _ => Self::from_seed(algorithm, seed),
        }
    }

    /// What must be kept beside the seed, if anything must.
    pub(crate) fn kept(&self) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            #[cfg(feature = "rsa")]
            Self::Rsa(key) => Some(key.primes()),
            _ => None,
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
            #[cfg(feature = "rsa")]
            Self::Rsa(key) => key.public(),
            #[cfg(feature = "ml-dsa")]
            Self::MlDsa44(key) => key.public(),
            #[cfg(feature = "ml-dsa")]
            Self::MlDsa65(key) => key.public(),
            #[cfg(feature = "ml-dsa")]
            Self::MlDsa87(key) => key.public(),
        }
    }

    /// The signature over a message given in pieces, in the form that WebAuthn asks for.
    #[cfg_attr(
        not(any(feature = "rsa", feature = "ml-dsa")),
        expect(
            clippy::unnecessary_wraps,
            reason = "ECDSA and Ed25519 cannot fail, other algorithms can"
        )
    )]
    pub(crate) fn sign(&self, message: &[&[u8]]) -> Result<Vec<u8>, Refusal> {
        Ok(match self {
            Self::P256(key) => key.sign(message),
            #[cfg(feature = "p384")]
            Self::P384(key) => key.sign(message),
            #[cfg(feature = "p521")]
            Self::P521(key) => key.sign(message),
            #[cfg(feature = "k256")]
            Self::Secp256k1(key) => key.sign(message),
            Self::Ed25519(key) => key.sign(&message.concat()).to_bytes().to_vec(),
            #[cfg(feature = "rsa")]
            Self::Rsa(key) => key.sign(message)?,
            #[cfg(feature = "ml-dsa")]
            Self::MlDsa44(key) => key.sign(message)?,
            #[cfg(feature = "ml-dsa")]
            Self::MlDsa65(key) => key.sign(message)?,
            #[cfg(feature = "ml-dsa")]
            Self::MlDsa87(key) => key.sign(message)?,
        })
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
    /// Modulus and exponent, big-endian.
    #[cfg(feature = "rsa")]
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    #[cfg(feature = "ml-dsa")]
    MlDsa(Vec<u8>),
}

impl PublicKey {
    /// Both coordinates of a point; nothing of a key that is none.
    pub(crate) fn coordinates(&self) -> &[u8] {
        if let Self::Point { sec1, .. } = self { sec1.get(1..).unwrap_or_default() } else { &[] }
    }

    /// The key as COSE has it, under the identifier of `algorithm`.
    pub(crate) fn cose(&self, algorithm: Algorithm) -> cose::PublicKey<'_> {
        let alg = algorithm.id();
        match self {
            Self::Point { crv, .. } => {
                let coordinates = self.coordinates();
                let (x, y) = coordinates.split_at(coordinates.len() / 2);
                cose::PublicKey::Ec2 { alg, crv: *crv, x, y }
            }
            Self::Ed25519(x) => cose::PublicKey::Okp { alg, crv: key::ED25519, x },
            #[cfg(feature = "rsa")]
            Self::Rsa { n, e } => cose::PublicKey::Rsa { alg, n, e },
            #[cfg(feature = "ml-dsa")]
            Self::MlDsa(public) => cose::PublicKey::Akp { alg, public },
        }
    }
}

#[cfg(test)]
mod tests;
