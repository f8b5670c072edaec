//! Certificates that an attestation root issues (RFC 5280), and their extensions.

use alloc::vec::Vec;

use sha2::{Digest, Sha256};
use softkey_ctap::cose::key;

use super::der::{self, bits, context, sequence, unsigned, value};
use crate::key_pair::PublicKey;

/// Object identifiers, without tag and length.
pub(super) mod oid {
    pub(in super::super) const COUNTRY: &[u8] = &[0x55, 4, 6];
    pub(in super::super) const ORGANIZATION: &[u8] = &[0x55, 4, 10];
    pub(in super::super) const ORGANIZATIONAL_UNIT: &[u8] = &[0x55, 4, 11];
    pub(in super::super) const COMMON_NAME: &[u8] = &[0x55, 4, 3];
    pub(in super::super) const SUBJECT_ALT_NAME: &[u8] = &[0x55, 29, 17];
    pub(in super::super) const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 29, 37];
    /// id-fido-gen-ce-aaguid, 1.3.6.1.4.1.45724.1.1.4.
    pub(in super::super) const AAGUID: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0xe5, 0x1c, 1, 1, 4];
    /// id-fido-gen-ce-sernum, 1.3.6.1.4.1.45724.1.1.2.
    pub(in super::super) const SERIAL_NUMBER: &[u8] =
        &[0x2b, 6, 1, 4, 1, 0x82, 0xe5, 0x1c, 1, 1, 2];
    /// The key description of Android, 1.3.6.1.4.1.11129.2.1.17.
    pub(in super::super) const KEY_DESCRIPTION: &[u8] = &[0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 1, 17];
    /// The nonce of Apple, 1.2.840.113635.100.8.2.
    pub(in super::super) const APPLE_NONCE: &[u8] =
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x63, 0x64, 8, 2];
    /// tcg-kp-AIKCertificate, 2.23.133.8.3.
    pub(in super::super) const AIK_CERTIFICATE: &[u8] = &[0x67, 0x81, 5, 8, 3];
    /// tcg-at-tpmManufacturer, tcg-at-tpmModel, tcg-at-tpmVersion: 2.23.133.2.1 to 3.
    pub(in super::super) const TPM_MANUFACTURER: &[u8] = &[0x67, 0x81, 5, 2, 1];
    pub(in super::super) const TPM_MODEL: &[u8] = &[0x67, 0x81, 5, 2, 2];
    pub(in super::super) const TPM_VERSION: &[u8] = &[0x67, 0x81, 5, 2, 3];
    pub(super) const BASIC_CONSTRAINTS: &[u8] = &[0x55, 29, 19];
    pub(super) const KEY_USAGE: &[u8] = &[0x55, 29, 15];
    pub(super) const SUBJECT_KEY_ID: &[u8] = &[0x55, 29, 14];
    pub(super) const AUTHORITY_KEY_ID: &[u8] = &[0x55, 29, 35];
    pub(super) const ECDSA_WITH_SHA_256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
    pub(super) const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
    pub(super) const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
    pub(super) const P384: &[u8] = &[0x2b, 0x81, 4, 0, 34];
    pub(super) const P521: &[u8] = &[0x2b, 0x81, 4, 0, 35];
    pub(super) const SECP256K1: &[u8] = &[0x2b, 0x81, 4, 0, 10];
    pub(super) const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
    #[cfg(feature = "rsa")]
    pub(super) const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
}

/// May other certificates be issued with the key of this one?
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Root,
    Leaf,
}

/// What a certificate says, without the signature under it.
pub(super) struct Template<'a> {
    pub(super) role: Role,
    /// Names in DER.
    pub(super) issuer: &'a [u8],
    pub(super) subject: &'a [u8],
    /// The value `Validity` in DER.
    pub(super) validity: &'a [u8],
    /// The issuer's key, as [`spki`] gives it.
    pub(super) issuer_key: &'a [u8],
    pub(super) subject_key: &'a [u8],
    /// Extensions beside those of every certificate.
    pub(super) extensions: &'a [Vec<u8>],
}

impl Template<'_> {
    /// The certificate, signed by `sign` with ECDSA on P-256 and SHA-256.
    pub(super) fn issue(&self, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<u8> {
        let algorithm = sequence(&[&value(der::OID, &[oid::ECDSA_WITH_SHA_256])]);
        let extensions = self.extensions();
        let version = value(context(0), &[&unsigned(&[2])]);
        let parts = [self.issuer, self.validity, self.subject, self.subject_key, &extensions];
        let body = sequence(&[
            &version,
            &serial_number(&parts),
            &algorithm,
            self.issuer,
            self.validity,
            self.subject,
            self.subject_key,
            &extensions,
        ]);
        sequence(&[&body, &algorithm, &bits(&sign(&body))])
    }

    fn extensions(&self) -> Vec<u8> {
        let critical = true;
        let (constraints, usage) = match self.role {
            // keyCertSign, cRLSign.
            Role::Root => (sequence(&[&der::TRUE]), [1, 0x06]),
            // digitalSignature.
            Role::Leaf => (sequence(&[]), [7, 0x80]),
        };
        let issuer = value(0x80, &[&key_id(self.issuer_key)]);
        let mut all = [
            extension(oid::BASIC_CONSTRAINTS, critical, &constraints),
            extension(oid::KEY_USAGE, critical, &value(der::BIT_STRING, &[&usage])),
            extension(oid::SUBJECT_KEY_ID, false, &octets(&key_id(self.subject_key))),
            extension(oid::AUTHORITY_KEY_ID, false, &sequence(&[&issuer])),
        ]
        .concat();
        all.extend(self.extensions.iter().flatten());
        value(context(3), &[&sequence(&[&all])])
    }
}

/// 16 bytes that differ where certificates differ, positive.
fn serial_number(parts: &[&[u8]]) -> Vec<u8> {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    let [first, rest @ ..]: [u8; 32] = hash.finalize().into();
    let (rest, _) = rest.split_at(15);
    value(der::INTEGER, &[&[first & 0x3f | 0x40], rest])
}

/// The identifier of a key (RFC 7093 section 2, method 1, over the whole `SubjectPublicKeyInfo`).
fn key_id(spki: &[u8]) -> [u8; 20] {
    let hash: [u8; 32] = Sha256::digest(spki).into();
    let (id, _) = hash.split_at(20);
    id.try_into().unwrap_or_default()
}

/// An extension with its value in DER.
pub(super) fn extension(id: &[u8], critical: bool, content: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &der::TRUE } else { &[] };
    sequence(&[&value(der::OID, &[id]), critical, &octets(content)])
}

pub(super) fn octets(bytes: &[u8]) -> Vec<u8> {
    value(der::OCTET_STRING, &[bytes])
}

/// A relative distinguished name of one attribute.
pub(super) fn rdn(id: &[u8], tag: u8, text: &str) -> Vec<u8> {
    value(der::SET, &[&attribute(id, tag, text)])
}

/// The attribute of a name.
pub(super) fn attribute(id: &[u8], tag: u8, text: &str) -> Vec<u8> {
    sequence(&[&value(der::OID, &[id]), &value(tag, &[text.as_bytes()])])
}

/// The public key as certificates have it (`SubjectPublicKeyInfo`); nothing for ML-DSA, whose certificates would be
/// long and which no such format knows.
pub(super) fn spki(public: &PublicKey) -> Option<Vec<u8>> {
    Some(match public {
        PublicKey::Point { crv, sec1 } => {
            let curve = match *crv {
                key::P256 => oid::P256,
                key::P384 => oid::P384,
                key::P521 => oid::P521,
                key::SECP256K1 => oid::SECP256K1,
                _ => return None,
            };
            let kind =
                sequence(&[&value(der::OID, &[oid::EC_PUBLIC_KEY]), &value(der::OID, &[curve])]);
            sequence(&[&kind, &bits(sec1)])
        }
        PublicKey::Ed25519(x) => {
            sequence(&[&sequence(&[&value(der::OID, &[oid::ED25519])]), &bits(x)])
        }
        #[cfg(feature = "rsa")]
        PublicKey::Rsa { n, e } => {
            let kind = sequence(&[&value(der::OID, &[oid::RSA]), &der::NULL]);
            sequence(&[&kind, &bits(&sequence(&[&unsigned(n), &unsigned(e)]))])
        }
        #[cfg(feature = "ml-dsa")]
        PublicKey::MlDsa(_) => return None,
    })
}
