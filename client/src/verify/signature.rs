//! Signatures: ECDSA with P-256, P-384, P-521 and secp256k1, and Ed25519.

use p256::ecdsa::signature::Verifier;
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
                _ => es256(&point, message, signature),
            }
        }
        PublicKey::Okp { alg: algorithm::EDDSA | algorithm::ED25519, crv: key::ED25519, x } => {
            ed25519(x, message, signature)
        }
        _ => Err(Fault::Key),
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

/// ECDSA with the P-256 point in SEC1 form, over SHA-256 of the message; the signature in DER.
pub(super) fn es256(point: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Fault> {
    ecdsa!(p256, point, message, signature)
}

fn ed25519(key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Fault> {
    let key = key.try_into().map_err(|_| Fault::Key)?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(key).map_err(|_| Fault::Key)?;
    let signature =
        ed25519_dalek::Signature::from_slice(signature).map_err(|_| Fault::Signature)?;
    key.verify_strict(message, &signature).map_err(|_| Fault::Signature)
}
