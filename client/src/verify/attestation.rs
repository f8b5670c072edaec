//! Attestation statements of every format (WebAuthn Level 3 section 8), and what each shows. Whether whoever issued
//! their certificates is trusted is another question: see [`TrustRoots`](super::TrustRoots).

mod android_key;
mod apple;
mod fault;
mod tlv;
mod tpm;

use softkey_ctap::attestation::{
    AttestationObject, CompoundElement, FidoU2fStatement, NONE_STATEMENT, PackedStatement, format,
};
use softkey_ctap::auth_data::{AttestedCredential, AuthenticatorData};
use softkey_ctap::cbor::{self, List, Raw};
use softkey_ctap::cose::{PublicKey, algorithm};
use x509_cert::Certificate;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::oid::db::rfc4519::{
    COMMON_NAME, COUNTRY_NAME, ORGANIZATION_NAME, ORGANIZATIONAL_UNIT_NAME,
};
use x509_cert::der::{Decode, asn1::OctetStringRef};
use x509_cert::ext::pkix::BasicConstraints;

pub use self::fault::StatementFault;

use super::{Fault, certificate, signature};

/// What an attestation statement showed (section 6.5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attestation {
    /// There is none.
    None,
    /// The credential's own key signed.
    SelfSigned,
    /// A certificate's key signed, or a certificate is about the credential. Whose it is was not checked.
    Certificate,
}

/// The certificates of one statement, from the one that attests towards a trust anchor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustPath {
    /// The statement's format.
    pub format: String,
    /// The certificates in DER; at least one.
    pub certificates: Vec<Vec<u8>>,
}

/// What a statement showed: its kind, and the trust paths to assess.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) attestation: Attestation,
    pub(super) trust_paths: Vec<TrustPath>,
}

/// What statements are about.
#[derive(Clone, Copy)]
struct Subject<'a> {
    data: &'a AuthenticatorData<'a>,
    attested: &'a AttestedCredential<'a>,
    client_data_hash: &'a [u8; 32],
    /// Authenticator data and client data hash.
    message: &'a [u8],
}

/// The extension that carries the model: id-fido-gen-ce-aaguid.
const AAGUID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.45724.1.1.4");

/// Steps 21 and 22 of section 7.1.
pub(super) fn verify(
    object: &AttestationObject<'_>,
    data: &AuthenticatorData<'_>,
    attested: &AttestedCredential<'_>,
    client_data_hash: &[u8; 32],
) -> Result<Shown, Fault> {
    let message = [object.auth_data, client_data_hash].concat();
    let subject = Subject { data, attested, client_data_hash, message: &message };
    statement(object.fmt, object.att_stmt, subject)
}

fn statement(fmt: &str, statement: Raw<'_>, subject: Subject<'_>) -> Result<Shown, Fault> {
    let certificates = match fmt {
        format::NONE if statement == NONE_STATEMENT => {
            return Ok(Shown { attestation: Attestation::None, trust_paths: Vec::new() });
        }
        format::NONE => return Err(StatementFault::NotEmpty.into()),
        format::PACKED => packed(statement, subject)?,
        format::FIDO_U2F => fido_u2f(statement, subject)?,
        format::TPM => tpm::verify(statement, subject)?,
        format::ANDROID_KEY => android_key::verify(statement, subject)?,
        format::APPLE => apple::verify(statement, subject)?,
        format::COMPOUND => return compound(statement, subject),
        format::ANDROID_SAFETYNET => return Err(StatementFault::SafetyNet.into()),
        _ => return Err(Fault::Format),
    };
    Ok(if certificates.is_empty() {
        Shown { attestation: Attestation::SelfSigned, trust_paths: Vec::new() }
    } else {
        let path = TrustPath { format: fmt.to_owned(), certificates };
        Shown { attestation: Attestation::Certificate, trust_paths: vec![path] }
    })
}

/// Section 8.9. Every element must hold, which is the strictest policy that the standard leaves to the relying party.
fn compound(list: Raw<'_>, subject: Subject<'_>) -> Result<Shown, Fault> {
    let elements: List<'_, CompoundElement<'_>> = form(list)?;
    if elements.len() < 2 {
        return Err(StatementFault::TooFew.into());
    }
    let mut shown = Shown { attestation: Attestation::None, trust_paths: Vec::new() };
    for element in elements.iter() {
        if element.fmt == format::COMPOUND {
            return Err(StatementFault::Nested.into());
        }
        let one = statement(element.fmt, element.att_stmt, subject)?;
        shown.attestation = match (shown.attestation, one.attestation) {
            (Attestation::None, other) | (other, Attestation::None) => other,
            (Attestation::SelfSigned, Attestation::SelfSigned) => Attestation::SelfSigned,
            _ => Attestation::Certificate,
        };
        shown.trust_paths.extend(one.trust_paths);
    }
    Ok(shown)
}

/// A statement read by its format's table.
fn form<'b, T: cbor::Decode<'b>>(statement: Raw<'b>) -> Result<T, StatementFault> {
    cbor::decode(statement.0).map_err(|_| StatementFault::Form)
}

/// The first certificate of a list, and the whole list.
fn chain(x5c: &List<'_, &[u8]>) -> Result<(Certificate, Vec<Vec<u8>>), StatementFault> {
    let all: Vec<Vec<u8>> = x5c.iter().map(<[u8]>::to_vec).collect();
    let leaf = all.first().ok_or(StatementFault::NoCertificate)?;
    Ok((certificate::read(leaf).ok_or(StatementFault::Certificate)?, all))
}

/// Is `signature` by the certificate's key, with the algorithm that the statement names?
fn signed_by_leaf(
    leaf: &Certificate,
    alg: i64,
    message: &[u8],
    signature: &[u8],
) -> Result<(), StatementFault> {
    let key = certificate::key(leaf, alg).ok_or(StatementFault::Algorithm)?;
    signed_by(&key, message, signature)
}

fn signed_by(key: &PublicKey<'_>, message: &[u8], signature: &[u8]) -> Result<(), StatementFault> {
    signature::verify(key, message, signature).map_err(|fault| match fault {
        Fault::Signature => StatementFault::Signature,
        Fault::Ed448 => StatementFault::Ed448,
        _ => StatementFault::Algorithm,
    })
}

/// Section 8.2.
fn packed(statement: Raw<'_>, subject: Subject<'_>) -> Result<Vec<Vec<u8>>, StatementFault> {
    let statement: PackedStatement<'_> = form(statement)?;
    let Some(x5c) = &statement.x5c else {
        let key = &subject.attested.public_key;
        if statement.alg != key.alg() {
            return Err(StatementFault::SelfAlgorithm);
        }
        signed_by(key, subject.message, statement.sig)?;
        return Ok(Vec::new());
    };
    let (leaf, certificates) = chain(x5c)?;
    signed_by_leaf(&leaf, statement.alg, subject.message, statement.sig)?;
    packed_leaf(&leaf)?;
    model(&leaf, subject.attested.aaguid)?;
    Ok(certificates)
}

/// Section 8.2.1: the form of the certificate.
fn packed_leaf(leaf: &Certificate) -> Result<(), StatementFault> {
    let attribute = |oid: ObjectIdentifier| {
        let found = leaf.tbs_certificate().subject().iter().find(|name| name.oid == oid);
        found.map(|name| name.value.value().to_vec()).unwrap_or_default()
    };
    let country = attribute(COUNTRY_NAME);
    let is_country = country.len() == 2 && country.iter().all(u8::is_ascii_uppercase);
    let names = [attribute(ORGANIZATION_NAME), attribute(COMMON_NAME)];
    let unit = attribute(ORGANIZATIONAL_UNIT_NAME);
    if !is_country || names.iter().any(Vec::is_empty) || unit != b"Authenticator Attestation" {
        return Err(StatementFault::Subject);
    }
    leaf_rules(leaf)
}

/// What the certificates of `packed` and `tpm` have in common: version 3, and no right to issue others.
fn leaf_rules(leaf: &Certificate) -> Result<(), StatementFault> {
    let leaf = leaf.tbs_certificate();
    if leaf.version() != x509_cert::Version::V3 {
        return Err(StatementFault::Version);
    }
    match leaf.get_extension::<BasicConstraints>() {
        Ok(Some((_, BasicConstraints { ca: false, .. }))) => Ok(()),
        _ => Err(StatementFault::Authority),
    }
}

/// The extension that names the model, if it is there, names this one.
fn model(leaf: &Certificate, aaguid: [u8; 16]) -> Result<(), StatementFault> {
    let Some(model) = certificate::extension(leaf, AAGUID) else {
        return Ok(());
    };
    match <&OctetStringRef>::from_der(model.extn_value.as_bytes()) {
        Ok(inner) if !model.critical && inner.as_bytes() == aaguid => Ok(()),
        _ => Err(StatementFault::Model),
    }
}

/// Section 8.6.
fn fido_u2f(statement: Raw<'_>, subject: Subject<'_>) -> Result<Vec<Vec<u8>>, StatementFault> {
    let statement: FidoU2fStatement<'_> = form(statement)?;
    let (leaf, certificates) = chain(&statement.x5c)?;
    if certificates.len() != 1 {
        return Err(StatementFault::SeveralCertificates);
    }
    let leaf_key = certificate::key(&leaf, algorithm::ES256);
    let leaf_key = leaf_key.filter(is_es256).ok_or(StatementFault::CertificateKey)?;
    let attested = subject.attested;
    let PublicKey::Ec2 { x, y, .. } = attested.public_key else {
        return Err(StatementFault::CredentialKey);
    };
    if !is_es256(&attested.public_key) {
        return Err(StatementFault::CredentialKey);
    }
    let (rp_id_hash, hash) = (subject.data.rp_id_hash, subject.client_data_hash);
    let message =
        [&[0x00], rp_id_hash.as_slice(), hash, attested.credential_id, &[0x04], x, y].concat();
    signed_by(&leaf_key, &message, statement.sig)?;
    Ok(certificates)
}

/// Is it a key of ES256?
fn is_es256(key: &PublicKey<'_>) -> bool {
    use softkey_ctap::cose::key::P256;
    let PublicKey::Ec2 { alg, crv, x, y } = key else { return false };
    (*alg, *crv, x.len(), y.len()) == (algorithm::ES256, P256, 32, 32)
}

#[cfg(test)]
mod tests;
