//! The format `tpm` (WebAuthn Level 3 section 8.3; TPM 2.0 Library, part 2).

use sha2::{Digest, Sha256, Sha384, Sha512};
use softkey_ctap::attestation::{TPM_VERSION, TpmStatement};
use softkey_ctap::cbor::Raw;
use softkey_ctap::cose::{PublicKey, algorithm, key};
use x509_cert::Certificate;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{ExtendedKeyUsage, SubjectAltName};
use x509_cert::name::Name;

use super::{StatementFault, Subject, chain, form, leaf_rules, model, signed_by_leaf};

const GENERATED_VALUE: &[u8] = b"\xffTCG";
const ATTEST_CERTIFY: u16 = 0x8017;
const ALG_RSA: u16 = 0x0001;
const ALG_NULL: u16 = 0x0010;
const ALG_ECC: u16 = 0x0023;

const AIK_CERTIFICATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.23.133.8.3");
const MANUFACTURER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.23.133.2.1");
const MODEL: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.23.133.2.2");
const VERSION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.23.133.2.3");

/// The certificates, if the first belongs to a TPM that says it holds this credential's key.
pub(super) fn verify(
    statement: Raw<'_>,
    subject: Subject<'_>,
) -> Result<Vec<Vec<u8>>, StatementFault> {
    let statement: TpmStatement<'_> = form(statement)?;
    if statement.ver != TPM_VERSION {
        return Err(StatementFault::TpmVersion);
    }
    let area = PubArea::read(statement.pub_area).ok_or(StatementFault::PubArea)?;
    if !area.is_of(&subject.attested.public_key) {
        return Err(StatementFault::PubAreaKey);
    }
    let info = CertInfo::read(statement.cert_info).ok_or(StatementFault::CertInfo)?;
    if info.magic != GENERATED_VALUE {
        return Err(StatementFault::Magic);
    }
    if info.kind != ATTEST_CERTIFY {
        return Err(StatementFault::Type);
    }
    let hash = hash_of(statement.alg).ok_or(StatementFault::Algorithm)?;
    if info.extra_data != hash(subject.message) {
        return Err(StatementFault::ExtraData);
    }
    if Some(info.name.to_vec()) != name(area.name_alg, statement.pub_area) {
        return Err(StatementFault::AttestedName);
    }
    let (identity, certificates) = chain(&statement.x5c)?;
    signed_by_leaf(&identity, statement.alg, statement.cert_info, statement.sig)?;
    identity_certificate(&identity)?;
    model(&identity, subject.attested.aaguid)?;
    Ok(certificates)
}

/// Section 8.3.1.
fn identity_certificate(identity: &Certificate) -> Result<(), StatementFault> {
    let body = identity.tbs_certificate();
    if !body.subject().is_empty() {
        return Err(StatementFault::TpmSubject);
    }
    let names = body.get_extension::<SubjectAltName>().ok().flatten();
    if names.is_none_or(|(_, names)| !names_a_tpm(&names)) {
        return Err(StatementFault::TpmNames);
    }
    let usage = body.get_extension::<ExtendedKeyUsage>().ok().flatten();
    if usage.is_none_or(|(_, usage)| !usage.0.contains(&AIK_CERTIFICATE)) {
        return Err(StatementFault::ExtendedKeyUsage);
    }
    leaf_rules(identity)
}

/// Are manufacturer (`id:` and eight hexadecimal digits), model and version there?
fn names_a_tpm(names: &SubjectAltName) -> bool {
    let attribute = |oid: ObjectIdentifier| {
        let names = names.0.iter().filter_map(|name| match name {
            GeneralName::DirectoryName(name) => Some(name),
            _ => None,
        });
        names.flat_map(Name::iter).find(|found| found.oid == oid)
    };
    let manufacturer = attribute(MANUFACTURER).and_then(|it| it.value.value().strip_prefix(b"id:"));
    let is_id = |id: &[u8]| id.len() == 8 && id.iter().all(u8::is_ascii_hexdigit);
    manufacturer.is_some_and(is_id) && attribute(MODEL).is_some() && attribute(VERSION).is_some()
}

type Hash = fn(&[u8]) -> Vec<u8>;

/// The hash of a signature algorithm.
const fn hash_of(alg: i64) -> Option<Hash> {
    match alg {
        algorithm::ES256 | algorithm::ESP256 | algorithm::RS256 => Some(sha256),
        algorithm::ES384 | algorithm::ESP384 => Some(sha384),
        algorithm::ES512 | algorithm::ESP512 => Some(sha512),
        _ => None,
    }
}

fn sha256(of: &[u8]) -> Vec<u8> {
    Sha256::digest(of).to_vec()
}

fn sha384(of: &[u8]) -> Vec<u8> {
    Sha384::digest(of).to_vec()
}

fn sha512(of: &[u8]) -> Vec<u8> {
    Sha512::digest(of).to_vec()
}

/// The name of what lies in this area: the number of the hash, and the hash (part 1, 16).
fn name(name_alg: u16, area: &[u8]) -> Option<Vec<u8>> {
    let hash: Hash = match name_alg {
        0x000b => sha256,
        0x000c => sha384,
        0x000d => sha512,
        _ => return None,
    };
    Some([name_alg.to_be_bytes().as_slice(), &hash(area)].concat())
}

/// A `TPMT_PUBLIC` of a key (part 2, 12.2.4).
struct PubArea<'b> {
    name_alg: u16,
    key: AreaKey<'b>,
}

enum AreaKey<'b> {
    Ecc { crv: i64, x: &'b [u8], y: &'b [u8] },
    Rsa { n: &'b [u8], e: u32 },
}

impl<'b> PubArea<'b> {
    fn read(bytes: &'b [u8]) -> Option<Self> {
        let mut from = Reader(bytes);
        let kind = from.u16()?;
        let name_alg = from.u16()?;
        let (_attributes, _policy) = (from.take(4)?, from.sized()?);
        from.symmetric()?;
        from.scheme()?;
        let key = match kind {
            ALG_ECC => {
                let crv = match from.u16()? {
                    0x0003 => key::P256,
                    0x0004 => key::P384,
                    0x0005 => key::P521,
                    _ => return None,
                };
                from.scheme()?;
                AreaKey::Ecc { crv, x: from.sized()?, y: from.sized()? }
            }
            ALG_RSA => {
                let _bits = from.u16()?;
                let exponent = match from.take(4)?.try_into().map(u32::from_be_bytes).ok()? {
                    0 => 65537,
                    other => other,
                };
                AreaKey::Rsa { n: from.sized()?, e: exponent }
            }
            _ => return None,
        };
        from.0.is_empty().then_some(Self { name_alg, key })
    }

    /// Is it the same key? A TPM may leave leading zeros out.
    fn is_of(&self, credential: &PublicKey<'_>) -> bool {
        match (&self.key, credential) {
            (AreaKey::Ecc { crv, x, y }, PublicKey::Ec2 { crv: its, x: its_x, y: its_y, .. }) => {
                crv == its && bare(x) == bare(its_x) && bare(y) == bare(its_y)
            }
            (AreaKey::Rsa { n, e }, PublicKey::Rsa { n: its_n, e: its_e, .. }) => {
                bare(n) == bare(its_n) && bare(&e.to_be_bytes()) == bare(its_e)
            }
            _ => false,
        }
    }
}

/// Without leading zeros.
fn bare(number: &[u8]) -> &[u8] {
    let first = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    number.get(first..).unwrap_or_default()
}

/// A `TPMS_ATTEST` (part 2, 10.12.8), as far as it counts.
struct CertInfo<'b> {
    magic: &'b [u8],
    kind: u16,
    extra_data: &'b [u8],
    name: &'b [u8],
}

impl<'b> CertInfo<'b> {
    fn read(bytes: &'b [u8]) -> Option<Self> {
        let mut from = Reader(bytes);
        let (magic, kind) = (from.take(4)?, from.u16()?);
        let (_signer, extra_data) = (from.sized()?, from.sized()?);
        let (_clock, _firmware_version) = (from.take(17)?, from.take(8)?);
        let (name, _qualified_name) = (from.sized()?, from.sized()?);
        from.0.is_empty().then_some(Self { magic, kind, extra_data, name })
    }
}

/// Reads numbers and lengths, big-endian.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_be_bytes)
    }

    fn sized(&mut self) -> Option<&'b [u8]> {
        let length = self.u16()?;
        self.take(length.into())
    }

    /// A `TPMT_SYM_DEF_OBJECT`: none, or algorithm, bits and mode.
    fn symmetric(&mut self) -> Option<()> {
        if self.u16()? != ALG_NULL {
            self.take(4)?;
        }
        Some(())
    }

    /// A scheme: none, or one with its hash.
    fn scheme(&mut self) -> Option<()> {
        if self.u16()? != ALG_NULL {
            self.take(2)?;
        }
        Some(())
    }
}
