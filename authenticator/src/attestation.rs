//! Attestation statements: which format a new credential gets, and who makes it. Every build has the batch key and
//! self attestation; a root that the owner makes, and the formats beside `packed`, are behind a feature.

#[cfg(feature = "attestation-formats")]
mod android_key;
#[cfg(feature = "attestation-formats")]
mod apple;
#[cfg(feature = "attestation-formats")]
mod certificate;
#[cfg(feature = "attestation-formats")]
mod der;
#[cfg(feature = "attestation-formats")]
mod root;
#[cfg(feature = "attestation-formats")]
mod tpm;

use alloc::vec;
use alloc::vec::Vec;

use softkey_ctap::attestation::{NONE_STATEMENT, PackedStatement, format};
use softkey_ctap::cbor::{self, List};
use softkey_ctap::cose::algorithm;

use crate::algorithm::Algorithm;
use crate::authenticator::MAX_MSG_SIZE;
use crate::config::{AAGUID, Attestation, Config};
use crate::enterprise::Enterprise;
use crate::key_pair::{PrivateKey, PublicKey};
use crate::refusal::Refusal;

#[cfg(feature = "attestation-formats")]
pub use self::root::{AttestationFormat, AttestationRoot, RootError, RootName, RootValidity};

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

/// Authenticator data and the credential's own signature of this length together, in bytes, fit into an answer with all
/// that stands around them, largeBlobKey included.
const MAX_SELF_ATTESTED: usize = MAX_MSG_SIZE - 64;

/// An attestation statement, encoded.
pub(crate) type Statement = Vec<u8>;

/// The statement to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Packed,
    None,
    /// By the owner's root.
    #[cfg(feature = "attestation-formats")]
    Root(AttestationFormat),
}

impl Format {
    /// Those named in getInfo, best first. `none` is never listed.
    pub(crate) fn listed(config: &Config) -> Vec<&'static str> {
        match &config.attestation {
            Attestation::Batch | Attestation::SelfAttestation => vec![format::PACKED],
            #[cfg(feature = "attestation-formats")]
            Attestation::Root(root) => {
                let own = root.formats().iter().map(|format| format.identifier());
                let mut listed: Vec<_> = own.filter(|name| *name != format::NONE).collect();
                // Some credentials get `packed` although the owner does not name it.
                let mut algorithms = config.algorithms.listed().iter();
                let is_made = config.enterprise.is_some()
                    || algorithms.any(|it| root.best(*it) == AttestationFormat::Packed);
                if is_made && !listed.contains(&format::PACKED) {
                    listed.push(format::PACKED);
                }
                listed
            }
        }
    }

    /// The first format of the list that can be made for a credential of this algorithm, else this authenticator's
    /// own choice. Enterprise attestation, if that is granted, has one form.
    pub(crate) fn prefer(
        preference: Option<&List<'_, &str>>,
        attestation: &Attestation,
        algorithm: Algorithm,
        enterprise: bool,
    ) -> Self {
        let known = |name: &str| match name {
            format::NONE => Some(Self::None),
            format::PACKED if enterprise => Some(Self::Packed),
            name => Self::find(name, attestation, algorithm),
        };
        let preferred = preference.and_then(|list| list.iter().find_map(known));
        let chosen = preferred.unwrap_or_else(|| Self::best(attestation, algorithm));
        if enterprise && chosen != Self::None { Self::Packed } else { chosen }
    }

    #[cfg_attr(
        not(feature = "attestation-formats"),
        allow(unused_variables, reason = "all make the same format")
    )]
    fn find(name: &str, attestation: &Attestation, algorithm: Algorithm) -> Option<Self> {
        match attestation {
            Attestation::Batch | Attestation::SelfAttestation => {
                (name == format::PACKED).then_some(Self::Packed)
            }
            #[cfg(feature = "attestation-formats")]
            Attestation::Root(root) => root.find(name, algorithm).map(Self::Root),
        }
    }

    #[cfg_attr(
        not(feature = "attestation-formats"),
        allow(unused_variables, reason = "all make the same format")
    )]
    fn best(attestation: &Attestation, algorithm: Algorithm) -> Self {
        match attestation {
            Attestation::Batch | Attestation::SelfAttestation => Self::Packed,
            #[cfg(feature = "attestation-formats")]
            Attestation::Root(root) => Self::Root(root.best(algorithm)),
        }
    }

    /// Does the statement show which key made it?
    pub(crate) fn is_recognisable(self, enterprise: bool) -> bool {
        match self {
            Self::Packed => enterprise,
            Self::None => false,
            #[cfg(feature = "attestation-formats")]
            Self::Root(format) => format.is_recognisable(),
        }
    }

    /// The model to name in the authenticator data: U2F knows none.
    pub(crate) const fn aaguid(self, aaguid: [u8; 16]) -> [u8; 16] {
        match self {
            #[cfg(feature = "attestation-formats")]
            Self::Root(AttestationFormat::FidoU2f) => [0; 16],
            _ => aaguid,
        }
    }
}

/// What is attested: a new credential, with its authenticator data.
#[cfg_attr(
    not(feature = "attestation-formats"),
    allow(dead_code, reason = "`packed` needs less than other formats")
)]
pub(crate) struct Subject<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) key: &'a PrivateKey,
    pub(crate) public: &'a PublicKey,
    pub(crate) aaguid: &'a [u8; 16],
    pub(crate) rp_id_hash: &'a [u8; 32],
    pub(crate) credential_id: &'a [u8],
    pub(crate) auth_data: &'a [u8],
    pub(crate) client_data_hash: &'a [u8; 32],
}

impl<'a> Subject<'a> {
    /// What most formats sign, in pieces.
    fn message(&self) -> [&'a [u8]; 2] {
        [self.auth_data, self.client_data_hash]
    }
}

/// The attestation statement over a new credential, encoded, behind the identifier of its format. `enterprise` is who
/// attests if that was granted.
pub(crate) fn statement(
    format: Format,
    attestation: &Attestation,
    enterprise: Option<&Enterprise>,
    subject: &Subject<'_>,
) -> Result<(&'static str, Statement), Refusal> {
    match (format, enterprise, attestation) {
        (Format::None, _, _) => Ok(no_attestation()),
        (Format::Packed, Some(enterprise), _) => {
            let sig = sign_by(enterprise.key().expose(), &subject.message());
            Ok((format::PACKED, packed(&sig, enterprise.certificate())))
        }
        #[cfg(feature = "attestation-formats")]
        (Format::Root(format), _, Attestation::Root(root)) => root.statement(format, subject),
        (_, _, Attestation::SelfAttestation) => self_attestation(subject),
        (_, _, _) => Ok(batch_attestation(subject)),
    }
}

fn no_attestation() -> (&'static str, Statement) {
    (format::NONE, NONE_STATEMENT.0.to_vec())
}

fn batch_attestation(subject: &Subject<'_>) -> (&'static str, Statement) {
    (format::PACKED, packed(&sign(&subject.message()), BATCH_CERTIFICATE))
}

/// Where ML-DSA-87 and nearly all extensions meet, the credential's own signature makes the answer too long. Then the
/// batch key attests, or nobody where its certificate names another model (WebAuthn Level 3 section 8.2.1).
fn self_attestation(subject: &Subject<'_>) -> Result<(&'static str, Statement), Refusal> {
    let sig = subject.key.sign(&subject.message())?;
    if subject.auth_data.len().saturating_add(sig.len()) > MAX_SELF_ATTESTED {
        let is_of_the_batch = *subject.aaguid == AAGUID;
        return Ok(if is_of_the_batch { batch_attestation(subject) } else { no_attestation() });
    }
    let statement = PackedStatement { alg: subject.algorithm.id(), sig: &sig, x5c: None };
    Ok((format::PACKED, cbor::encode(&statement)))
}

/// The statement `packed` with a certificate of a key on P-256.
fn packed(sig: &[u8], certificate: &[u8]) -> Statement {
    let x5c = Some(List::from(vec![certificate]));
    cbor::encode(&PackedStatement { alg: algorithm::ES256, sig, x5c })
}

/// The signature of a U2F registration over a message given in pieces, and the certificate that goes with it.
pub(crate) fn register(attestation: &Attestation, message: &[&[u8]]) -> (Vec<u8>, Vec<u8>) {
    match attestation {
        Attestation::Batch | Attestation::SelfAttestation => {
            (sign(message), BATCH_CERTIFICATE.to_vec())
        }
        #[cfg(feature = "attestation-formats")]
        Attestation::Root(root) => root.register(message),
    }
}

/// Does such a registration show which key made it?
pub(crate) const fn is_recognisable_by_u2f(attestation: &Attestation) -> bool {
    !matches!(attestation, Attestation::Batch | Attestation::SelfAttestation)
}

/// May a registration by CTAP2 show which key made it? `enterprise` is whether that attestation is turned on.
pub(crate) fn may_be_recognisable(attestation: &Attestation, enterprise: bool) -> bool {
    match attestation {
        Attestation::Batch | Attestation::SelfAttestation => enterprise,
        #[cfg(feature = "attestation-formats")]
        Attestation::Root(root) => {
            enterprise || root.formats().iter().any(|format| format.is_recognisable())
        }
    }
}

/// A signature by the batch key over a message given in pieces, in DER.
fn sign(message: &[&[u8]]) -> Vec<u8> {
    // The constant above is a scalar, as the tests show.
    sign_by(&BATCH_KEY, message)
}

/// A signature on P-256, in DER; no bytes if the key is not a scalar.
fn sign_by(key: &[u8; 32], message: &[&[u8]]) -> Vec<u8> {
    PrivateKey::p256(key).and_then(|key| key.sign(message).ok()).unwrap_or_default()
}
