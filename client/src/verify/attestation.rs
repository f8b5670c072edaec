//! Attestation statements: `none`, `packed` and `fido-u2f` (WebAuthn Level 3 section 8).

use softkey_ctap::attestation::{
    AttestationObject, FidoU2fStatement, NONE_STATEMENT, PackedStatement, format,
};
use softkey_ctap::auth_data::{AttestedCredential, AuthenticatorData};
use softkey_ctap::cbor;
use softkey_ctap::cose::{PublicKey, algorithm};
use x509_cert::Certificate;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::oid::db::rfc4519::ORGANIZATIONAL_UNIT_NAME;
use x509_cert::der::{Decode, asn1::OctetStringRef};
use x509_cert::ext::pkix::BasicConstraints;

use super::{Fault, signature};

/// What an attestation statement showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attestation {
    /// There is none.
    None,
    /// The credential's own key signed.
    SelfSigned,
    /// A certificate's key signed. Whose it is was not checked.
    Certificate,
}

/// The extension that carries the model: id-fido-gen-ce-aaguid.
const AAGUID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.45724.1.1.4");

pub(super) fn verify(
    object: &AttestationObject<'_>,
    data: &AuthenticatorData<'_>,
    attested: &AttestedCredential<'_>,
    client_data_hash: &[u8; 32],
) -> Result<Attestation, Fault> {
    match object.fmt {
        format::NONE if object.att_stmt == NONE_STATEMENT => Ok(Attestation::None),
        format::NONE => Err(Fault::Statement),
        format::PACKED => {
            let message = [object.auth_data, client_data_hash].concat();
            packed(object, attested, &message)
        }
        format::FIDO_U2F => fido_u2f(object, data, attested, client_data_hash),
        _ => Err(Fault::Format),
    }
}

/// Section 8.2.
fn packed(
    object: &AttestationObject<'_>,
    attested: &AttestedCredential<'_>,
    message: &[u8],
) -> Result<Attestation, Fault> {
    let statement: PackedStatement<'_> =
        cbor::decode(object.att_stmt.0).map_err(|_| Fault::Statement)?;
    let Some(x5c) = &statement.x5c else {
        if statement.alg != attested.public_key.alg() {
            return Err(Fault::Statement);
        }
        signature::verify(&attested.public_key, message, statement.sig)?;
        return Ok(Attestation::SelfSigned);
    };
    if statement.alg != algorithm::ES256 {
        return Err(Fault::Algorithm(statement.alg));
    }
    let leaf = x5c.iter().next().ok_or(Fault::Statement)?;
    let leaf = Certificate::from_der(leaf).map_err(|_| Fault::Certificate)?;
    signature::es256(point(&leaf)?, message, statement.sig)?;
    packed_leaf(&leaf, attested.aaguid)?;
    Ok(Attestation::Certificate)
}

/// Section 8.2.1: the form of the certificate.
fn packed_leaf(leaf: &Certificate, aaguid: [u8; 16]) -> Result<(), Fault> {
    let leaf = leaf.tbs_certificate();
    let unit = leaf.subject().iter().find(|name| name.oid == ORGANIZATIONAL_UNIT_NAME);
    if unit.is_none_or(|unit| unit.value.value() != b"Authenticator Attestation") {
        return Err(Fault::Certificate);
    }
    let constraints = leaf.get_extension::<BasicConstraints>();
    if !matches!(constraints, Ok(Some((_, BasicConstraints { ca: false, .. })))) {
        return Err(Fault::Certificate);
    }
    let model = leaf.extensions().into_iter().flatten().find(|ext| ext.extn_id == AAGUID);
    let Some(model) = model else {
        return Ok(());
    };
    let inner = <&OctetStringRef>::from_der(model.extn_value.as_bytes());
    match inner {
        Ok(inner) if !model.critical && inner.as_bytes() == aaguid => Ok(()),
        _ => Err(Fault::Certificate),
    }
}

/// Section 8.6.
fn fido_u2f(
    object: &AttestationObject<'_>,
    data: &AuthenticatorData<'_>,
    attested: &AttestedCredential<'_>,
    client_data_hash: &[u8; 32],
) -> Result<Attestation, Fault> {
    let statement: FidoU2fStatement<'_> =
        cbor::decode(object.att_stmt.0).map_err(|_| Fault::Statement)?;
    let mut certificates = statement.x5c.iter();
    let (Some(leaf), None) = (certificates.next(), certificates.next()) else {
        return Err(Fault::Statement);
    };
    let PublicKey::Ec2 { alg: algorithm::ES256, x, y, .. } = attested.public_key else {
        return Err(Fault::Key);
    };
    let leaf = Certificate::from_der(leaf).map_err(|_| Fault::Certificate)?;
    let message = [
        &[0x00],
        data.rp_id_hash.as_slice(),
        client_data_hash,
        attested.credential_id,
        &[0x04],
        x,
        y,
    ]
    .concat();
    signature::es256(point(&leaf)?, &message, statement.sig)?;
    Ok(Attestation::Certificate)
}

/// The public key of a certificate, which must be a point of P-256 in SEC1 form.
fn point(certificate: &Certificate) -> Result<&[u8], Fault> {
    let info = certificate.tbs_certificate().subject_public_key_info();
    info.subject_public_key.as_bytes().ok_or(Fault::Certificate)
}
