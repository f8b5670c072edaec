//! The format `tpm`: what a Trusted Platform Module says about a key it holds (WebAuthn Level 3 section 8.3; TPM 2.0
//! Library, part 2).

use alloc::vec;
use alloc::vec::Vec;

use sha2::{Digest, Sha256};
use softkey_ctap::attestation::{TPM_VERSION, TpmStatement};
use softkey_ctap::cbor::{self, List};
use softkey_ctap::cose::{algorithm, key};

use super::root::AttestationRoot;
use super::{Statement, Subject, sign_by};
use crate::key_pair::PublicKey;
use crate::refusal::Refusal;

const GENERATED_VALUE: [u8; 4] = *b"\xffTCG";
const ATTEST_CERTIFY: [u8; 2] = [0x80, 0x17];
#[cfg(feature = "rsa")]
const ALG_RSA: [u8; 2] = [0x00, 0x01];
const ALG_SHA256: [u8; 2] = [0x00, 0x0b];
const ALG_NULL: [u8; 2] = [0x00, 0x10];
const ALG_ECC: [u8; 2] = [0x00, 0x23];
/// fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth and sign: a key for signatures that never leaves.
const ATTRIBUTES: [u8; 4] = [0x00, 0x04, 0x00, 0x72];

/// Can the key of a credential with this algorithm be one of a TPM?
pub(super) const fn suits(alg: i64) -> bool {
    matches!(
        alg,
        algorithm::ES256
            | algorithm::ESP256
            | algorithm::ES384
            | algorithm::ESP384
            | algorithm::ES512
            | algorithm::ESP512
            | algorithm::RS256
    )
}

/// The statement about a new credential. The attestation identity key signs with ES256.
pub(super) fn statement(
    root: &AttestationRoot,
    subject: &Subject<'_>,
) -> Result<Statement, Refusal> {
    let identity = root.attestation_identity(subject.aaguid);
    let pub_area = pub_area(subject.public).ok_or(Refusal::Signature)?;
    let cert_info = cert_info(subject, &pub_area, &identity.certificate);
    let sig = sign_by(identity.key.expose(), &[&cert_info]);
    Ok(cbor::encode(&TpmStatement {
        alg: algorithm::ES256,
        sig: &sig,
        ver: TPM_VERSION,
        x5c: List::from(vec![identity.certificate.as_slice()]),
        pub_area: &pub_area,
        cert_info: &cert_info,
    }))
}

/// A `TPMT_PUBLIC`.
fn pub_area(public: &PublicKey) -> Option<Vec<u8>> {
    let no_policy = sized(&[]);
    match public {
        PublicKey::Point { crv, .. } => {
            let curve: [u8; 2] = match *crv {
                key::P256 => [0x00, 0x03],
                key::P384 => [0x00, 0x04],
                key::P521 => [0x00, 0x05],
                _ => return None,
            };
            let coordinates = public.coordinates();
            let (x, y) = coordinates.split_at(coordinates.len() / 2);
            let (x, y) = (sized(x), sized(y));
            // Symmetric algorithm, scheme, curve, key derivation.
            let parts: [&[u8]; 10] = [
                &ALG_ECC,
                &ALG_SHA256,
                &ATTRIBUTES,
                &no_policy,
                &ALG_NULL,
                &ALG_NULL,
                &curve,
                &ALG_NULL,
                &x,
                &y,
            ];
            Some(parts.concat())
        }
        #[cfg(feature = "rsa")]
        PublicKey::Rsa { n, .. } => {
            let bits = u16::try_from(n.len().saturating_mul(8)).ok()?.to_be_bytes();
            let n = sized(n);
            // Symmetric algorithm, scheme, length, exponent: 0 is 65537.
            let parts: [&[u8]; 9] = [
                &ALG_RSA,
                &ALG_SHA256,
                &ATTRIBUTES,
                &no_policy,
                &ALG_NULL,
                &ALG_NULL,
                &bits,
                &[0; 4],
                &n,
            ];
            Some(parts.concat())
        }
        _ => None,
    }
}

/// A `TPMS_ATTEST` about the key of `pub_area`.
fn cert_info(subject: &Subject<'_>, pub_area: &[u8], identity: &[u8]) -> Vec<u8> {
    let mut hash = Sha256::new();
    for piece in subject.message() {
        hash.update(piece);
    }
    let extra_data = sized(&hash.finalize());
    let (signer, name) = (name(identity), name(pub_area));
    // A clock that never ran: clock, resetCount, restartCount, and whether the clock is safe.
    let (clock, firmware_version) = ([0; 17], [0, 0, 0, 0, 0, 0, 0, 1]);
    // The qualified name is the key's own, as of one without a parent.
    let parts: [&[u8]; 8] = [
        &GENERATED_VALUE,
        &ATTEST_CERTIFY,
        &signer,
        &extra_data,
        &clock,
        &firmware_version,
        &name,
        &name,
    ];
    parts.concat()
}

/// A `TPM2B_NAME`: the hash's algorithm and the hash.
fn name(of: &[u8]) -> Vec<u8> {
    sized(&[ALG_SHA256.as_slice(), &Sha256::digest(of)].concat())
}

/// Bytes behind their length, two bytes.
fn sized(bytes: &[u8]) -> Vec<u8> {
    let [.., high, low] = bytes.len().to_be_bytes();
    [&[high, low], bytes].concat()
}
