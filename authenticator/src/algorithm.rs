//! The signature algorithms: key pairs from seeds, and signatures.

use alloc::vec::Vec;

use ed25519_dalek::Signer;
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::{NistP256, NonZeroScalar, PublicKey};
use sha2::{Digest, Sha256};
use softkey_ctap::Secret;
use softkey_ctap::cose::{self, algorithm, key};

use crate::keys::expand;

/// A supported algorithm, under the identifier that the relying party asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Es256,
    Esp256,
    EdDsa,
    Ed25519,
}

impl Algorithm {
    /// Those named in getInfo, best first; their fully specified twins are accepted too.
    pub(crate) const LISTED: [Self; 2] = [Self::Es256, Self::EdDsa];

    pub(crate) const fn from_id(id: i64) -> Option<Self> {
        match id {
            algorithm::ES256 => Some(Self::Es256),
            algorithm::ESP256 => Some(Self::Esp256),
            algorithm::EDDSA => Some(Self::EdDsa),
            algorithm::ED25519 => Some(Self::Ed25519),
            _ => None,
        }
    }

    pub(crate) const fn id(self) -> i64 {
        match self {
            Self::Es256 => algorithm::ES256,
            Self::Esp256 => algorithm::ESP256,
            Self::EdDsa => algorithm::EDDSA,
            Self::Ed25519 => algorithm::ED25519,
        }
    }

    /// The private key that belongs to this seed.
    pub(crate) fn private_key(self, seed: &Secret<32>) -> PrivateKey {
        match self {
            Self::Es256 | Self::Esp256 => PrivateKey::P256(scalar(seed)),
            Self::EdDsa | Self::Ed25519 => {
                let secret = expand(seed, &[b"Ed25519"]);
                PrivateKey::Ed25519(ed25519_dalek::SigningKey::from_bytes(secret.expose()))
            }
        }
    }
}

/// A private key, ready to sign. The public key is computed only when asked for.
pub(crate) enum PrivateKey {
    P256(NonZeroScalar),
    Ed25519(ed25519_dalek::SigningKey),
}

impl PrivateKey {
    pub(crate) fn public(&self) -> PublicPoint {
        match self {
            Self::P256(secret) => {
                let point = PublicKey::from_secret_scalar(secret).to_sec1_point(false);
                let mut bytes = [0; 65];
                bytes.copy_from_slice(point.as_bytes());
                PublicPoint::P256(bytes)
            }
            Self::Ed25519(key) => PublicPoint::Ed25519(key.verifying_key().to_bytes()),
        }
    }

    /// The signature over a message given in pieces, in the form that WebAuthn asks for.
    pub(crate) fn sign(&self, message: &[&[u8]]) -> Vec<u8> {
        match self {
            Self::P256(secret) => {
                let mut digest = Sha256::new();
                for piece in message {
                    digest.update(piece);
                }
                sign_p256(secret, &digest.finalize().into())
            }
            Self::Ed25519(key) => key.sign(&message.concat()).to_bytes().to_vec(),
        }
    }
}

impl Drop for PrivateKey {
    fn drop(&mut self) {
        match self {
            Self::P256(secret) => zeroize::Zeroize::zeroize(secret),
            // Wipes itself.
            Self::Ed25519(_) => {}
        }
    }
}

/// ECDSA with the nonce of RFC 6979, in DER. It takes the bare scalar, since a `SigningKey` would compute the
/// public key first and cost as much again.
fn sign_p256(secret: &NonZeroScalar, digest: &[u8; 32]) -> Vec<u8> {
    let (signature, _) =
        ecdsa::hazmat::sign_prehashed_rfc6979::<NistP256, Sha256>(secret, digest, &[]);
    signature.to_der().as_bytes().to_vec()
}

/// A uniformly distributed scalar: the first expansion of the seed that is one. The first nearly always is.
fn scalar(seed: &Secret<32>) -> NonZeroScalar {
    let mut attempt = 0_u32;
    loop {
        let candidate = expand(seed, &[b"P-256", &attempt.to_be_bytes()]);
        if let Ok(scalar) = NonZeroScalar::try_from(candidate.expose().as_slice()) {
            return scalar;
        }
        attempt = attempt.wrapping_add(1);
    }
}

/// The bytes of a public key.
pub(crate) enum PublicPoint {
    /// 0x04, then both coordinates.
    P256([u8; 65]),
    Ed25519([u8; 32]),
}

impl PublicPoint {
    /// The key as COSE has it, under the identifier of `algorithm`.
    pub(crate) fn cose(&self, algorithm: Algorithm) -> cose::PublicKey<'_> {
        let alg = algorithm.id();
        match self {
            Self::P256(bytes) => {
                let (x, y) = bytes[1..].split_at(32);
                cose::PublicKey::Ec2 { alg, crv: key::P256, x, y }
            }
            Self::Ed25519(x) => cose::PublicKey::Okp { alg, crv: key::ED25519, x },
        }
    }
}
