//! The format `apple` (WebAuthn Level 3 section 8.8).

use sha2::{Digest, Sha256};
use softkey_ctap::attestation::AppleStatement;
use softkey_ctap::cbor::Raw;
use x509_cert::der::oid::ObjectIdentifier;

use super::{StatementFault, Subject, chain, form, tlv};
use crate::verify::certificate;

const NONCE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113635.100.8.2");

/// The certificates, if the first is about this credential and this registration.
pub(super) fn verify(
    statement: Raw<'_>,
    subject: Subject<'_>,
) -> Result<Vec<Vec<u8>>, StatementFault> {
    let statement: AppleStatement<'_> = form(statement)?;
    let (leaf, certificates) = chain(&statement.x5c)?;
    let extension = certificate::extension(&leaf, NONCE).ok_or(StatementFault::NonceMissing)?;
    let nonce = tlv::only(tlv::SEQUENCE, extension.extn_value.as_bytes())
        .and_then(|inner| tlv::only(tlv::context(1), inner))
        .and_then(|inner| tlv::only(tlv::OCTET_STRING, inner))
        .ok_or(StatementFault::NonceMissing)?;
    if nonce != Sha256::digest(subject.message).as_slice() {
        return Err(StatementFault::Nonce);
    }
    let key = &subject.attested.public_key;
    if certificate::key(&leaf, key.alg()).as_ref() != Some(key) {
        return Err(StatementFault::CertificateKey);
    }
    Ok(certificates)
}
