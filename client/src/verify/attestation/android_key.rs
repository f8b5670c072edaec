//! The format `android-key` (WebAuthn Level 3 section 8.4).

use softkey_ctap::attestation::AndroidKeyStatement;
use softkey_ctap::cbor::Raw;
use x509_cert::Certificate;
use x509_cert::der::oid::ObjectIdentifier;

use super::{StatementFault, Subject, chain, form, signed_by_leaf, tlv};
use crate::verify::certificate;

const KEY_DESCRIPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.1.17");

/// The tags of an `AuthorizationList`.
const PURPOSE: u32 = tlv::context(1);
const ALL_APPLICATIONS: u32 = tlv::context(600);
const ORIGIN: u32 = tlv::context(702);

/// `KM_PURPOSE_SIGN` and `KM_ORIGIN_GENERATED`, as INTEGER.
const SIGN: [u8; 3] = [2, 1, 2];
const GENERATED: [u8; 3] = [2, 1, 0];

/// The certificates, if the first describes a key that is this credential's.
pub(super) fn verify(
    statement: Raw<'_>,
    subject: Subject<'_>,
) -> Result<Vec<Vec<u8>>, StatementFault> {
    let statement: AndroidKeyStatement<'_> = form(statement)?;
    let (leaf, certificates) = chain(&statement.x5c)?;
    signed_by_leaf(&leaf, statement.alg, subject.message, statement.sig)?;
    let key = &subject.attested.public_key;
    if certificate::key(&leaf, key.alg()).as_ref() != Some(key) {
        return Err(StatementFault::CertificateKey);
    }
    let description = Description::of(&leaf).ok_or(StatementFault::KeyDescription)?;
    if description.challenge != subject.client_data_hash {
        return Err(StatementFault::Challenge);
    }
    description.authorizations()?;
    Ok(certificates)
}

/// The members of `KeyDescription` that count.
struct Description<'b> {
    challenge: &'b [u8],
    /// The union of what software and what hardware enforces.
    authorizations: Vec<(u32, &'b [u8])>,
}

impl<'b> Description<'b> {
    fn of(leaf: &'b Certificate) -> Option<Self> {
        let extension = certificate::extension(leaf, KEY_DESCRIPTION)?;
        let members = tlv::all(tlv::only(tlv::SEQUENCE, extension.extn_value.as_bytes())?)?;
        // Versions and security levels of attestation and key master come first.
        let [_, _, _, _, challenge, _, software, hardware] = members.as_slice() else {
            return None;
        };
        let [challenge, software, hardware] =
            [(challenge, tlv::OCTET_STRING), (software, tlv::SEQUENCE), (hardware, tlv::SEQUENCE)]
                .map(|((tag, content), wanted)| (*tag == wanted).then_some(*content));
        let mut authorizations = tlv::all(software?)?;
        authorizations.extend(tlv::all(hardware?)?);
        Some(Self { challenge: challenge?, authorizations })
    }

    /// The last steps of the procedure. A list that does not mention origin or purpose is not held against the key:
    /// the standard's own example has both lists empty.
    fn authorizations(&self) -> Result<(), StatementFault> {
        for (tag, content) in &self.authorizations {
            match *tag {
                ALL_APPLICATIONS => return Err(StatementFault::AllApplications),
                ORIGIN if *content != GENERATED => return Err(StatementFault::KeyOrigin),
                PURPOSE if !signs(content) => return Err(StatementFault::Purpose),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Is signing among these purposes, a SET of INTEGER?
fn signs(purposes: &[u8]) -> bool {
    const SET: u32 = 0x31;
    let purposes = tlv::only(SET, purposes).and_then(tlv::all).unwrap_or_default();
    let (tag, value) = (u32::from(SIGN[0]), &SIGN[2..]);
    purposes.contains(&(tag, value))
}
