//! Attestation statements, and the batch key that makes them.

use alloc::vec;
use alloc::vec::Vec;

use softkey_ctap::attestation::{NONE_STATEMENT, PackedStatement, format};
use softkey_ctap::cbor::{self, List};
use softkey_ctap::cose::algorithm;

use crate::algorithm::Algorithm;
use crate::authenticator::MAX_MSG_SIZE;
use crate::config::Attestation;
use crate::enterprise::Enterprise;
use crate::key_pair::PrivateKey;
use crate::refusal::Refusal;

/// The certificate of the batch key in DER, the same in every installation.
pub const BATCH_CERTIFICATE: &[u8] = include_bytes!("attestation/batch.der");

/// The certificate in DER of the root that issued [`BATCH_CERTIFICATE`]; its private key no longer exists.
pub const BATCH_ROOT_CERTIFICATE: &[u8] = include_bytes!("attestation/batch-root.der");

/// The batch key. It is published here on purpose: a key made of software cannot prove what it is, and a secret
/// shared by all installations would be none. It serves clients that insist on a certificate.
const BATCH_KEY: [u8; 32] = [
    0xde, 0xa1, 0xba, 0x6a, 0x9b, 0xe8, 0x49, 0x9f, 0xb9, 0x69, 0x08, 0x29, 0xad, 0x84, 0x5f, 0x02,
    0xfd, 0x77, 0xd4, 0x8f, 0xd1, 0xfc, 0x23, 0xb3, 0xa3, 0x71, 0xf3, 0xa9, 0x10, 0xc1, 0x61, 0x9b,
];

/// Authenticator data and a signature of this length together, in bytes, fit into an answer with all that stands
/// around them. Where ML-DSA-87 and many extensions meet, self attestation would not: the batch key attests then.
const MAX_SELF_ATTESTED: usize = MAX_MSG_SIZE - 128;

/// The statement format to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Packed,
    None,
}

impl Format {
    /// Those named in getInfo, best first. `none` is never listed.
    pub(crate) const LISTED: [Self; 1] = [Self::Packed];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Packed => format::PACKED,
            Self::None => format::NONE,
        }
    }

    /// The first format of the list that this authenticator knows, else its own choice.
    pub(crate) fn prefer(preference: Option<&List<'_, &str>>) -> Self {
        let known = |name: &str| [Self::Packed, Self::None].into_iter().find(|f| f.name() == name);
        preference.and_then(|list| list.iter().find_map(known)).unwrap_or(Self::Packed)
    }
}

/// Who attests a new credential.
pub(crate) enum Attester<'a> {
    /// As for every credential.
    Ordinary(Attestation),
    /// A key that singles this authenticator out.
    Enterprise(&'a Enterprise),
}

/// The attestation statement over authenticator data and client data hash, encoded.
pub(crate) fn statement(
    format: Format,
    attester: &Attester<'_>,
    credential: (Algorithm, &PrivateKey),
    auth_data: &[u8],
    client_data_hash: &[u8; 32],
) -> Result<Vec<u8>, Refusal> {
    let message = [auth_data, client_data_hash.as_slice()];
    let (alg, sig, x5c) = match (format, attester) {
        (Format::None, _) => return Ok(NONE_STATEMENT.0.to_vec()),
        (Format::Packed, Attester::Enterprise(enterprise)) => {
            let sig = sign_by(enterprise.key().expose(), &message);
            (algorithm::ES256, sig, Some(List::from(vec![enterprise.certificate()])))
        }
        (Format::Packed, Attester::Ordinary(Attestation::Batch)) => {
            (algorithm::ES256, sign(&message), Some(List::from(vec![BATCH_CERTIFICATE])))
        }
        (Format::Packed, Attester::Ordinary(Attestation::SelfAttestation)) => {
            let sig = credential.1.sign(&message)?;
            if auth_data.len().saturating_add(sig.len()) > MAX_SELF_ATTESTED {
                (algorithm::ES256, sign(&message), Some(List::from(vec![BATCH_CERTIFICATE])))
            } else {
                (credential.0.id(), sig, None)
            }
        }
    };
    Ok(cbor::encode(&PackedStatement { alg, sig: &sig, x5c }))
}

/// A signature by the batch key over a message given in pieces, in DER.
pub(crate) fn sign(message: &[&[u8]]) -> Vec<u8> {
    // The constant above is a scalar, as the tests show.
    sign_by(&BATCH_KEY, message)
}

/// A signature on P-256, in DER; no bytes if the key is not a scalar.
fn sign_by(key: &[u8; 32], message: &[&[u8]]) -> Vec<u8> {
    PrivateKey::p256(key).and_then(|key| key.sign(message).ok()).unwrap_or_default()
}
