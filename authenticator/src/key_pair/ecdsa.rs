//! ECDSA over the curves of COSE: deterministic nonces (RFC 6979), signatures in DER.

use core::ops::Add;

use alloc::vec::Vec;

use ecdsa::EcdsaCurve;
use ecdsa::der::{MaxOverhead, MaxSize};
use p256::elliptic_curve::array::ArraySize;
use p256::elliptic_curve::sec1::{FromSec1Point, ModulusSize, ToSec1Point};
use p256::elliptic_curve::{AffinePoint, CurveArithmetic, FieldBytes, FieldBytesSize};
use p256::elliptic_curve::{NonZeroScalar, PublicKey as CurvePoint};
use sha2::Digest;
use sha2::digest::block_api::BlockSizeUser;
use softkey_ctap::Secret;
use softkey_ctap::cose::key;
use zeroize::{Zeroize, Zeroizing};

use super::PublicKey;
use crate::keys::expand_into;

/// A curve that COSE and WebAuthn pair with one hash.
pub(crate) trait CoseCurve: EcdsaCurve + CurveArithmetic {
    /// The curve's COSE number.
    const CRV: i64;
    /// What its scalars are derived by name of.
    const LABEL: &'static [u8];
    /// The bits of a scalar's first byte that can be set.
    const TOP: u8;
    type Hash: Digest + BlockSizeUser;
}

impl CoseCurve for p256::NistP256 {
    const CRV: i64 = key::P256;
    const LABEL: &'static [u8] = b"P-256";
    const TOP: u8 = 0xff;
    type Hash = sha2::Sha256;
}

#[cfg(feature = "p384")]
impl CoseCurve for p384::NistP384 {
    const CRV: i64 = key::P384;
    const LABEL: &'static [u8] = b"P-384";
    const TOP: u8 = 0xff;
    type Hash = sha2::Sha384;
}

#[cfg(feature = "p521")]
impl CoseCurve for p521::NistP521 {
    const CRV: i64 = key::P521;
    const LABEL: &'static [u8] = b"P-521";
    const TOP: u8 = 0x01;
    type Hash = sha2::Sha512;
}

#[cfg(feature = "k256")]
impl CoseCurve for k256::Secp256k1 {
    const CRV: i64 = key::SECP256K1;
    const LABEL: &'static [u8] = b"secp256k1";
    const TOP: u8 = 0xff;
    type Hash = sha2::Sha256;
}

/// The bare scalar: a `SigningKey` would compute the public key first and cost as much again.
pub(crate) struct EcKey<C: CurveArithmetic>(NonZeroScalar<C>);

impl<C: CoseCurve> EcKey<C> {
    /// A uniformly distributed scalar: the first expansion of the seed that is one. The first nearly always is.
    pub(super) fn from_seed(seed: &Secret<32>) -> Self {
        let mut attempt = 0_u32;
        loop {
            let mut candidate = Zeroizing::new(FieldBytes::<C>::default());
            expand_into(seed, &[C::LABEL, &attempt.to_be_bytes()], &mut candidate);
            if let Some(first) = candidate.first_mut() {
                *first &= C::TOP;
            }
            if let Some(key) = Self::from_scalar(&candidate) {
                return key;
            }
            attempt = attempt.wrapping_add(1);
        }
    }

    /// The key with this scalar, big-endian, if it is one.
    pub(super) fn from_scalar(scalar: &[u8]) -> Option<Self> {
        NonZeroScalar::try_from(scalar).ok().map(Self)
    }

    pub(super) fn public(&self) -> PublicKey
    where
        AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
        FieldBytesSize<C>: ModulusSize,
    {
        let point = CurvePoint::<C>::from_secret_scalar(&self.0).to_sec1_point(false);
        PublicKey::Point { crv: C::CRV, sec1: point.as_bytes().to_vec() }
    }

    pub(super) fn sign(&self, message: &[&[u8]]) -> Vec<u8>
    where
        MaxSize<C>: ArraySize,
        <FieldBytesSize<C> as Add>::Output: Add<MaxOverhead> + ArraySize,
    {
        let mut digest = C::Hash::new();
        for piece in message {
            digest.update(piece);
        }
        let digest = digest.finalize();
        let (signature, _) =
            ecdsa::hazmat::sign_prehashed_rfc6979::<C, C::Hash>(&self.0, &digest, &[]);
        signature.to_der().as_bytes().to_vec()
    }
}

impl<C: CurveArithmetic> Drop for EcKey<C> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
