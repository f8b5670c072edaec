//! Signatures: ECDSA with P-256, P-384, P-521 and secp256k1, Ed25519, RS256, and ML-DSA.

use ml_dsa::{EncodedVerifyingKey, MlDsa44, MlDsa65, MlDsa87, MlDsaParams};
use p256::ecdsa::signature::Verifier;
use rsa::{BoxedUint, Pkcs1v15Sign, RsaPublicKey};
use sha2::{Digest, Sha256};
use softkey_ctap::cose::{PublicKey, algorithm, key};

use super::Fault;

/// Does a DER signature over the message verify with this point of a curve, in SEC1 form?
macro_rules! ecdsa {
    ($curve:ident, $point:expr, $message:expr, $signature:expr) => {{
        let key = $curve::ecdsa::VerifyingKey::from_sec1_bytes($point).map_err(|_| Fault::Key)?;
        let signature =
            $curve::ecdsa::Signature::from_der($signature).map_err(|_| Fault::Signature)?;
        // Verifiers of secp256k1 may want the smaller of the two values that `s` can have; signers of COSE need not.
        key.verify($message, &signature.normalize_s()).map_err(|_| Fault::Signature)
    }};
}

/// Is `signature` the key's over `message`?
pub(super) fn verify(
    public_key: &PublicKey<'_>,
    message: &[u8],
    signature: &[u8],
) -> Result<(), Fault> {
    match *public_key {
        PublicKey::Ec2 { alg, crv, x, y } => {
            let field = field_bytes(alg, crv).ok_or(Fault::Key)?;
            if (x.len(), y.len()) != (field, field) {
                return Err(Fault::Key);
            }
            let point = [&[0x04], x, y].concat();
            match crv {
                key::P384 => ecdsa!(p384, &point, message, signature),
                key::P521 => ecdsa!(p521, &point, message, signature),
                key::SECP256K1 => ecdsa!(k256, &point, message, signature),
                _ => ecdsa!(p256, &point, message, signature),
            }
        }
        PublicKey::Okp { alg: algorithm::EDDSA | algorithm::ED25519, crv: key::ED25519, x } => {
            ed25519(x, message, signature)
        }
        PublicKey::Okp { alg: algorithm::EDDSA | algorithm::ED448, crv: key::ED448, .. } => {
            Err(Fault::Ed448)
        }
        PublicKey::Rsa { alg: algorithm::RS256, n, e } => rs256(n, e, message, signature),
        PublicKey::Akp { alg: algorithm::ML_DSA_44, public } => {
            ml_dsa::<MlDsa44>(public, message, signature)
        }
        PublicKey::Akp { alg: algorithm::ML_DSA_65, public } => {
            ml_dsa::<MlDsa65>(public, message, signature)
        }
        PublicKey::Akp { alg: algorithm::ML_DSA_87, public } => {
            ml_dsa::<MlDsa87>(public, message, signature)
        }
        _ => Err(Fault::Key),
    }
}

/// Could a signature ever verify with this key: is the algorithm one that is checked here, and does the key fit it, as a
/// point of its curve? Verifiers look at the key before the signature, so one that is none serves.
pub(super) fn check_key(public_key: &PublicKey<'_>) -> Result<(), Fault> {
    match verify(public_key, &[], &[]) {
        Err(Fault::Key) => Err(Fault::Key),
        _ => Ok(()),
    }
}

/// The length of a coordinate, in bytes, if the algorithm goes with the curve.
const fn field_bytes(alg: i64, crv: i64) -> Option<usize> {
    match (alg, crv) {
        (algorithm::ES256 | algorithm::ESP256, key::P256) | (algorithm::ES256K, key::SECP256K1) => {
            Some(32)
        }
        (algorithm::ES384 | algorithm::ESP384, key::P384) => Some(48),
        (algorithm::ES512 | algorithm::ESP512, key::P521) => Some(66),
        _ => None,
    }
}

fn ed25519(key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Fault> {
    let key = key.try_into().map_err(|_| Fault::Key)?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(key).map_err(|_| Fault::Key)?;
    let signature =
        ed25519_dalek::Signature::from_slice(signature).map_err(|_| Fault::Signature)?;
    key.verify_strict(message, &signature).map_err(|_| Fault::Signature)
}

/// RSASSA-PKCS1-v1_5 with SHA-256, and a modulus of 2048 to 4096 bits.
fn rs256(n: &[u8], e: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Fault> {
    let n = BoxedUint::from_be_slice_vartime(n);
    if n.bits() < 2048 {
        return Err(Fault::Key);
    }
    let key = RsaPublicKey::new(n, BoxedUint::from_be_slice_vartime(e)).map_err(|_| Fault::Key)?;
    let digest = Sha256::digest(message);
    key.verify(Pkcs1v15Sign::new::<Sha256>(), &digest, signature).map_err(|_| Fault::Signature)
}

/// Pure ML-DSA with an empty context.
fn ml_dsa<P: MlDsaParams>(public: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Fault> {
    let key = EncodedVerifyingKey::<P>::try_from(public).map_err(|_| Fault::Key)?;
    let signature = ml_dsa::Signature::<P>::try_from(signature).map_err(|_| Fault::Signature)?;
    let key = ml_dsa::VerifyingKey::<P>::decode(&key);
    key.verify(message, &signature).map_err(|_| Fault::Signature)
}
