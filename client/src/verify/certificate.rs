//! X.509 certificates as attestation uses them: their keys, their extensions, and who signed them.

use p256::ecdsa::signature::Verifier;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rsa::{BoxedUint, Pkcs1v15Sign, RsaPublicKey};
use sha2::{Digest, Sha256, Sha384, Sha512};
use softkey_ctap::cose::{PublicKey, key};
use x509_cert::Certificate;
use x509_cert::der::asn1::{AnyRef, UintRef};
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::oid::db::rfc5912::{
    ECDSA_WITH_SHA_256, ECDSA_WITH_SHA_384, ECDSA_WITH_SHA_512, ID_EC_PUBLIC_KEY, RSA_ENCRYPTION,
    SECP_256_R_1, SECP_384_R_1, SECP_521_R_1, SHA_256_WITH_RSA_ENCRYPTION,
    SHA_384_WITH_RSA_ENCRYPTION, SHA_512_WITH_RSA_ENCRYPTION,
};
use x509_cert::der::oid::db::rfc8410::ID_ED_25519;
use x509_cert::der::{Decode, Reader, SliceReader};
use x509_cert::ext::Extension;

const SECP_256_K_1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.10");

/// A certificate in DER.
pub(super) fn read(der: &[u8]) -> Option<Certificate> {
    Certificate::from_der(der).ok()
}

/// An extension by its identifier.
pub(super) fn extension(certificate: &Certificate, oid: ObjectIdentifier) -> Option<&Extension> {
    let mut all = certificate.tbs_certificate().extensions().into_iter().flatten();
    all.find(|extension| extension.extn_id == oid)
}

/// The certificate's public key, as COSE has it under the identifier `alg`; nothing if it is of no kind that is
/// known here. Whether it goes with the algorithm is for who verifies to say.
pub(super) fn key(certificate: &Certificate, alg: i64) -> Option<PublicKey<'_>> {
    let info = certificate.tbs_certificate().subject_public_key_info();
    let bits = info.subject_public_key.as_bytes()?;
    match info.algorithm.oid {
        ID_EC_PUBLIC_KEY => {
            let curve = info.algorithm.parameters.as_ref()?.decode_as::<ObjectIdentifier>().ok()?;
            let crv = match curve {
                SECP_256_R_1 => key::P256,
                SECP_384_R_1 => key::P384,
                SECP_521_R_1 => key::P521,
                SECP_256_K_1 => key::SECP256K1,
                _ => return None,
            };
            let coordinates = bits.strip_prefix(&[0x04])?;
            let (x, y) = coordinates.split_at_checked(coordinates.len() / 2)?;
            Some(PublicKey::Ec2 { alg, crv, x, y })
        }
        RSA_ENCRYPTION => {
            let (n, e) = rsa_numbers(bits)?;
            Some(PublicKey::Rsa { alg, n, e })
        }
        ID_ED_25519 => Some(PublicKey::Okp { alg, crv: key::ED25519, x: bits }),
        _ => None,
    }
}

/// Modulus and exponent of an `RSAPublicKey`.
fn rsa_numbers(bits: &[u8]) -> Option<(&[u8], &[u8])> {
    let content = AnyRef::from_der(bits).ok()?.value();
    let mut reader = SliceReader::new(content).ok()?;
    let (n, e) = (UintRef::decode(&mut reader).ok()?, UintRef::decode(&mut reader).ok()?);
    reader.is_finished().then_some((n.as_bytes(), e.as_bytes()))
}

/// Did the holder of the issuer's key sign this certificate, which lies in `der`?
pub(super) fn is_signed_by(certificate: &Certificate, der: &[u8], issuer: &Certificate) -> bool {
    let Some(body) = body(der) else { return false };
    let Some(signature) = certificate.signature().as_bytes() else { return false };
    let algorithm = certificate.signature_algorithm().oid;
    // The algorithm within what was signed, too: nobody may swap it.
    if certificate.tbs_certificate().signature() != certificate.signature_algorithm() {
        return false;
    }
    let digest = match algorithm {
        ECDSA_WITH_SHA_256 | SHA_256_WITH_RSA_ENCRYPTION => Sha256::digest(body).to_vec(),
        ECDSA_WITH_SHA_384 | SHA_384_WITH_RSA_ENCRYPTION => Sha384::digest(body).to_vec(),
        ECDSA_WITH_SHA_512 | SHA_512_WITH_RSA_ENCRYPTION => Sha512::digest(body).to_vec(),
        _ => Vec::new(),
    };
    let padding = match algorithm {
        SHA_256_WITH_RSA_ENCRYPTION => Some(Pkcs1v15Sign::new::<Sha256>()),
        SHA_384_WITH_RSA_ENCRYPTION => Some(Pkcs1v15Sign::new::<Sha384>()),
        SHA_512_WITH_RSA_ENCRYPTION => Some(Pkcs1v15Sign::new::<Sha512>()),
        _ => None,
    };
    let by_ecdsa =
        [ECDSA_WITH_SHA_256, ECDSA_WITH_SHA_384, ECDSA_WITH_SHA_512].contains(&algorithm);
    match key(issuer, 0) {
        Some(PublicKey::Ec2 { crv, x, y, .. }) if by_ecdsa => {
            let point = [&[0x04], x, y].concat();
            ecdsa(crv, &point, &digest, signature)
        }
        Some(PublicKey::Rsa { n, e, .. }) => {
            padding.is_some_and(|padding| rsa(n, e, padding, &digest, signature))
        }
        Some(PublicKey::Okp { x, .. }) if algorithm == ID_ED_25519 => ed25519(x, body, signature),
        _ => false,
    }
}

/// The part of a certificate that is signed, as it lies there.
fn body(der: &[u8]) -> Option<&[u8]> {
    let content = AnyRef::from_der(der).ok()?.value();
    SliceReader::new(content).ok()?.tlv_bytes().ok()
}

macro_rules! ecdsa {
    ($curve:ident, $point:expr, $digest:expr, $signature:expr) => {{
        let key = $curve::ecdsa::VerifyingKey::from_sec1_bytes($point);
        let signature = $curve::ecdsa::Signature::from_der($signature);
        key.is_ok_and(|key| signature.is_ok_and(|it| key.verify_prehash($digest, &it).is_ok()))
    }};
}

fn ecdsa(crv: i64, point: &[u8], digest: &[u8], signature: &[u8]) -> bool {
    match crv {
        key::P256 => ecdsa!(p256, point, digest, signature),
        key::P384 => ecdsa!(p384, point, digest, signature),
        key::P521 => ecdsa!(p521, point, digest, signature),
        _ => false,
    }
}

fn rsa(n: &[u8], e: &[u8], padding: Pkcs1v15Sign, digest: &[u8], signature: &[u8]) -> bool {
    let n = BoxedUint::from_be_slice_vartime(n);
    let long_enough = n.bits() >= 2048;
    let key = RsaPublicKey::new(n, BoxedUint::from_be_slice_vartime(e));
    long_enough && key.is_ok_and(|key| key.verify(padding, digest, signature).is_ok())
}

fn ed25519(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let key = key.try_into().ok().and_then(|x| ed25519_dalek::VerifyingKey::from_bytes(x).ok());
    let signature = ed25519_dalek::Signature::from_slice(signature).ok();
    key.zip(signature).is_some_and(|(key, signature)| key.verify(message, &signature).is_ok())
}
