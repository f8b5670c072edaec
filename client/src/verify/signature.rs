//! Signatures: ECDSA with P-256 and SHA-256, and Ed25519.

use p256::ecdsa::signature::Verifier;
use softkey_ctap::cose::{PublicKey, algorithm, key};

use super::Fault;

/// Is `signature` the key's over `message`?
pub(super) fn verify(
    public_key: &PublicKey<'_>,
    message: &[u8],
    signature: &[u8],
) -> Result<(), Fault> {
    match *public_key {
        PublicKey::Ec2 { alg: algorithm::ES256 | algorithm::ESP256, crv: key::P256, x, y }
            if x.len() == 32 && y.len() == 32 =>
        {
            es256(&[&[0x04], x, y].concat(), message, signature)
        }
        PublicKey::Okp { alg: algorithm::EDDSA | algorithm::ED25519, crv: key::ED25519, x } => {
            ed25519(x, message, signature)
        }
        _ => Err(Fault::Key),
    }
}

/// ECDSA with the P-256 point in SEC1 form, over SHA-256 of the message; the signature in DER.
pub(super) fn es256(point: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Fault> {
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point).map_err(|_| Fault::Key)?;
    let signature = p256::ecdsa::Signature::from_der(signature).map_err(|_| Fault::Signature)?;
    key.verify(message, &signature).map_err(|_| Fault::Signature)
}

fn ed25519(key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Fault> {
    let key = key.try_into().map_err(|_| Fault::Key)?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(key).map_err(|_| Fault::Key)?;
    let signature =
        ed25519_dalek::Signature::from_slice(signature).map_err(|_| Fault::Signature)?;
    key.verify_strict(message, &signature).map_err(|_| Fault::Signature)
}
