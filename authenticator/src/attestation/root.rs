//! A root that the owner makes, which attests new credentials in the formats that relying parties test for. Whoever
//! sees its certificates recognises the key by them; nothing here is used unless an owner asks for it.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use p256::NonZeroScalar;
use softkey_ctap::Secret;
use softkey_ctap::attestation::{
    AndroidKeyStatement, AppleStatement, CompoundElement, FidoU2fStatement, format,
};
use softkey_ctap::cbor::{self, List, Raw};
use softkey_ctap::cose::algorithm;

use super::certificate::{self, Role, Template, attribute, extension, octets, oid, rdn};
use super::der::{self, sequence, value};
use super::{Statement, Subject, android_key, apple, sign_by, tpm};
use crate::algorithm::Algorithm;
use crate::enterprise::Enterprise;
use crate::key_pair::PrivateKey;
use crate::keys::expand;
use crate::refusal::Refusal;

/// The longest text of a name, in characters (RFC 5280 appendix A.1).
const MAX_NAME: usize = 64;
/// The longest serial number of a key, in bytes. Certificates go into messages of 1024 bytes, too.
const MAX_SERIAL_NUMBER: usize = 64;

/// A statement format that an [`AttestationRoot`] makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttestationFormat {
    /// `packed`, by a key with a certificate of the model.
    Packed,
    /// `packed`, by the credential itself: this one shows nothing of the root.
    PackedSelf,
    /// `fido-u2f`; for ES256 only, and with an AAGUID of zeros.
    FidoU2f,
    /// `tpm`; for ECDSA on the NIST curves, and RS256.
    Tpm,
    /// `android-key`; for all but ML-DSA.
    AndroidKey,
    /// `apple`; for all but ML-DSA.
    Apple,
    /// `compound` of two: `packed` by a key with a certificate of the model, and `tpm`, or where no TPM knows the
    /// algorithm `android-key`; for all but ML-DSA. The answer has five levels of arrays and maps, where other messages of
    /// CTAP have four at most, so some platforms may not take it.
    Compound,
    /// `none`, which is never listed in getInfo and shows nothing of the root.
    None,
}

impl AttestationFormat {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Packed,
        Self::PackedSelf,
        Self::FidoU2f,
        Self::Tpm,
        Self::AndroidKey,
        Self::Apple,
        Self::Compound,
        Self::None,
    ];

    /// The identifier of the format (WebAuthn Level 3 section 8.1).
    #[must_use]
    pub const fn identifier(self) -> &'static str {
        match self {
            Self::Packed | Self::PackedSelf => format::PACKED,
            Self::FidoU2f => format::FIDO_U2F,
            Self::Tpm => format::TPM,
            Self::AndroidKey => format::ANDROID_KEY,
            Self::Apple => format::APPLE,
            Self::Compound => format::COMPOUND,
            Self::None => format::NONE,
        }
    }

    /// Does such a statement lead to the root?
    pub(super) const fn is_recognisable(self) -> bool {
        !matches!(self, Self::PackedSelf | Self::None)
    }

    /// Is there such a statement about a credential of this algorithm?
    fn suits(self, algorithm: Algorithm) -> bool {
        match self {
            Self::Packed | Self::PackedSelf | Self::None => true,
            Self::FidoU2f => algorithm.id() == algorithm::ES256,
            Self::Tpm => tpm::suits(algorithm.id()),
            Self::AndroidKey | Self::Apple | Self::Compound => !matches!(
                algorithm.id(),
                algorithm::ML_DSA_44 | algorithm::ML_DSA_65 | algorithm::ML_DSA_87
            ),
        }
    }

    /// The two that `compound` is made of for a credential of this algorithm.
    fn compounded(algorithm: Algorithm) -> [Self; 2] {
        let by_tpm = Self::Tpm.suits(algorithm);
        [Self::Packed, if by_tpm { Self::Tpm } else { Self::AndroidKey }]
    }
}

/// What the root is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootName {
    /// The country, two capital letters (ISO 3166).
    pub country: String,
    /// Who made the key, in law; 1 to 64 characters.
    pub organization: String,
    /// The root's own name, 1 to 64 characters.
    pub common_name: String,
}

/// From when until when the root's certificates are valid, both as `YYYYMMDDhhmmssZ` in UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootValidity {
    /// The first second.
    pub not_before: String,
    /// The last second.
    pub not_after: String,
}

/// Why there is no such root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootError {
    /// The private key is zero or not below the order of the group.
    Key,
    /// The country is not two capital letters.
    Country,
    /// A name is empty, or longer than 64 characters.
    Name,
    /// A time is not of the form `YYYYMMDDhhmmssZ` or on no calendar, or the last one is not behind the first.
    Validity,
    /// There is no format beside `none`, one twice, or both kinds of `packed`.
    Formats,
}

/// A root of attestation. The same private key, name and times give the same certificates always: the keys of all
/// leaves are derived from the root's.
#[derive(Clone, PartialEq, Eq)]
pub struct AttestationRoot {
    key: Secret<32>,
    organization: String,
    country: String,
    /// In DER.
    name: Vec<u8>,
    validity: Vec<u8>,
    spki: Vec<u8>,
    certificate: Vec<u8>,
    formats: Vec<AttestationFormat>,
}

/// The key stays out.
impl fmt::Debug for AttestationRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttestationRoot").field("formats", &self.formats).finish_non_exhaustive()
    }
}

/// A key below the root, and its certificate in DER.
pub(super) struct Leaf {
    pub(super) key: Secret<32>,
    pub(super) certificate: Vec<u8>,
}

impl AttestationRoot {
    /// The root with this private key on P-256 (32 bytes, big-endian), and the formats it makes, best first.
    ///
    /// # Errors
    ///
    /// The first of these arguments that cannot be one.
    pub fn new(
        key: Secret<32>,
        name: &RootName,
        validity: &RootValidity,
        formats: &[AttestationFormat],
    ) -> Result<Self, RootError> {
        let spki = spki_of(&key).ok_or(RootError::Key)?;
        let country = &name.country;
        if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(RootError::Country);
        }
        let fits = |text: &str| (1..=MAX_NAME).contains(&text.chars().count());
        if !fits(&name.organization) || !fits(&name.common_name) {
            return Err(RootError::Name);
        }
        let RootValidity { not_before, not_after } = validity;
        if !is_time(not_before) || !is_time(not_after) || not_before >= not_after {
            return Err(RootError::Validity);
        }
        if !can_be_listed(formats) {
            return Err(RootError::Formats);
        }
        let common = rdn(oid::COMMON_NAME, der::UTF8_STRING, &name.common_name);
        let mut root = Self {
            key,
            organization: name.organization.clone(),
            country: country.clone(),
            name: Vec::new(),
            validity: sequence(&[&time(not_before), &time(not_after)]),
            spki,
            certificate: Vec::new(),
            formats: formats.to_vec(),
        };
        root.name = sequence(&[&root.vendor(), &common]);
        root.certificate = root.issue(Role::Root, &root.name, &root.spki, &[]);
        Ok(root)
    }

    /// The root's own certificate, in DER: the trust anchor of all that it makes.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The formats it makes, best first.
    #[must_use]
    pub fn formats(&self) -> &[AttestationFormat] {
        &self.formats
    }

    /// The formats of the statements that there may be about a credential of this algorithm, one of which may come again.
    /// Instead of `compound` there are those that it is made of.
    #[must_use]
    pub fn statements(&self, algorithm: Algorithm) -> Vec<AttestationFormat> {
        let suitable = self.formats.iter().copied().filter(|format| format.suits(algorithm));
        let mut made: Vec<_> = suitable.collect();
        made.push(self.best(algorithm));
        let parts = |format| match format {
            AttestationFormat::Compound => AttestationFormat::compounded(algorithm).to_vec(),
            format => vec![format],
        };
        made.into_iter().flat_map(parts).collect()
    }

    /// What enterprise attestation is made with: a key and a certificate of the model `aaguid` that carries the
    /// serial number of this one key, and the relying parties that are told without the platform's word. Nothing if
    /// the serial number is not of 1 to 64 bytes.
    #[must_use]
    pub fn enterprise(
        &self,
        serial_number: &[u8],
        aaguid: &[u8; 16],
        rp_ids: Vec<String>,
    ) -> Option<Enterprise> {
        if !(1..=MAX_SERIAL_NUMBER).contains(&serial_number.len()) {
            return None;
        }
        let serial = extension(oid::SERIAL_NUMBER, false, &octets(serial_number));
        let subject = self.model_name("softkey enterprise attestation");
        let leaf = self.leaf(b"enterprise", &subject, &[model(aaguid), serial]);
        Enterprise::new(leaf.key, leaf.certificate, rp_ids)
    }

    /// The first format with this identifier that can be made for a credential of this algorithm.
    pub(super) fn find(&self, identifier: &str, algorithm: Algorithm) -> Option<AttestationFormat> {
        // The best may be one that the list has not.
        let made = self.formats.iter().copied().chain([self.best(algorithm)]);
        let mut found = made.filter(|format| format.identifier() == identifier);
        found.find(|format| format.suits(algorithm))
    }

    /// The best format for a credential of this algorithm; where none of the list suits it, `packed` does.
    pub(super) fn best(&self, algorithm: Algorithm) -> AttestationFormat {
        let mut suitable = self.formats.iter().filter(|format| format.suits(algorithm));
        suitable.next().copied().unwrap_or(AttestationFormat::Packed)
    }

    /// The statement of one format about a new credential, behind its identifier.
    pub(super) fn statement(
        &self,
        format: AttestationFormat,
        subject: &Subject<'_>,
    ) -> Result<(&'static str, Statement), Refusal> {
        let statement = match format {
            AttestationFormat::Packed => self.packed(subject),
            AttestationFormat::PackedSelf => return super::self_attestation(subject),
            AttestationFormat::None => return Ok(super::no_attestation()),
            AttestationFormat::FidoU2f => {
                let coordinates = subject.public.coordinates();
                let point = [&[0x04], coordinates].concat();
                let message: [&[u8]; 5] = [
                    &[0],
                    subject.rp_id_hash,
                    subject.client_data_hash,
                    subject.credential_id,
                    &point,
                ];
                let (sig, certificate) = self.register(&message);
                let x5c = List::from(vec![certificate.as_slice()]);
                cbor::encode(&FidoU2fStatement { sig: &sig, x5c })
            }
            AttestationFormat::Tpm => tpm::statement(self, subject)?,
            AttestationFormat::AndroidKey => {
                let description =
                    extension(oid::KEY_DESCRIPTION, false, &android_key::description(subject));
                let certificate = self.credential_certificate(subject, &description)?;
                let sig = subject.key.sign(&subject.message())?;
                // Android's key store puts the root behind, and relying parties look for it there.
                let x5c = List::from(vec![certificate.as_slice(), &self.certificate]);
                let alg = subject.algorithm.id();
                cbor::encode(&AndroidKeyStatement { alg, sig: &sig, x5c })
            }
            AttestationFormat::Apple => {
                let nonce = extension(oid::APPLE_NONCE, false, &apple::nonce(subject));
                let certificate = self.credential_certificate(subject, &nonce)?;
                let x5c = List::from(vec![certificate.as_slice()]);
                cbor::encode(&AppleStatement { x5c })
            }
            AttestationFormat::Compound => self.compound(subject)?,
        };
        Ok((format.identifier(), statement))
    }

    /// Two statements about the same credential (section 8.9).
    fn compound(&self, subject: &Subject<'_>) -> Result<Statement, Refusal> {
        let [first, second] = AttestationFormat::compounded(subject.algorithm);
        let ((first, by_first), (second, by_second)) =
            (self.statement(first, subject)?, self.statement(second, subject)?);
        let elements = vec![
            CompoundElement { fmt: first, att_stmt: Raw(&by_first) },
            CompoundElement { fmt: second, att_stmt: Raw(&by_second) },
        ];
        Ok(cbor::encode(&List::from(elements)))
    }

    fn packed(&self, subject: &Subject<'_>) -> Statement {
        let name = self.model_name("softkey attestation");
        let leaf = self.leaf(b"packed", &name, &[model(subject.aaguid)]);
        super::packed(&sign_by(leaf.key.expose(), &subject.message()), &leaf.certificate)
    }

    /// The signature under a registration as U2F has it, and the certificate in DER.
    pub(crate) fn register(&self, message: &[&[u8]]) -> (Vec<u8>, Vec<u8>) {
        let leaf = self.leaf(b"fido-u2f", &self.model_name("softkey U2F attestation"), &[]);
        (sign_by(leaf.key.expose(), message), leaf.certificate)
    }

    /// The key of a TPM that attests others, with a certificate as the profile for such keys asks (section 8.3.1).
    pub(super) fn attestation_identity(&self, aaguid: &[u8; 16]) -> Leaf {
        // The identifier that FIDO's own tests use for a TPM of nobody.
        let attributes = [
            attribute(oid::TPM_MANUFACTURER, der::UTF8_STRING, "id:FFFFF1D0"),
            attribute(oid::TPM_MODEL, der::UTF8_STRING, "softkey"),
            attribute(oid::TPM_VERSION, der::UTF8_STRING, "id:00000001"),
        ];
        let name = attributes.map(|attribute| value(der::SET, &[&attribute])).concat();
        let directory_name = value(der::context(4), &[&sequence(&[&name])]);
        let usage = sequence(&[&value(der::OID, &[oid::AIK_CERTIFICATE])]);
        let extensions = [
            extension(oid::SUBJECT_ALT_NAME, true, &sequence(&[&directory_name])),
            extension(oid::EXTENDED_KEY_USAGE, false, &usage),
            model(aaguid),
        ];
        self.leaf(b"tpm", &sequence(&[]), &extensions)
    }

    /// A certificate of the credential itself.
    fn credential_certificate(
        &self,
        subject: &Subject<'_>,
        extension: &[u8],
    ) -> Result<Vec<u8>, Refusal> {
        let spki = certificate::spki(subject.public).ok_or(Refusal::Signature)?;
        let name = self.model_name("softkey credential");
        Ok(self.issue(Role::Leaf, &name, &spki, &[extension.to_vec()]))
    }

    /// A key of this name below the root, and its certificate.
    fn leaf(&self, label: &[u8], subject: &[u8], extensions: &[Vec<u8>]) -> Leaf {
        let mut attempt = 0_u8;
        loop {
            let key = expand(&self.key, &[b"attestation", label, &[attempt]]);
            // The first nearly always is a scalar.
            if let Some(spki) = spki_of(&key) {
                let certificate = self.issue(Role::Leaf, subject, &spki, extensions);
                return Leaf { key, certificate };
            }
            attempt = attempt.wrapping_add(1);
        }
    }

    fn issue(&self, role: Role, subject: &[u8], spki: &[u8], extensions: &[Vec<u8>]) -> Vec<u8> {
        let template = Template {
            role,
            issuer: &self.name,
            subject,
            validity: &self.validity,
            issuer_key: &self.spki,
            subject_key: spki,
            extensions,
        };
        template.issue(|body| sign_by(self.key.expose(), &[body]))
    }

    /// The subject of an attestation certificate (section 8.2.1).
    fn model_name(&self, common_name: &str) -> Vec<u8> {
        let unit = rdn(oid::ORGANIZATIONAL_UNIT, der::UTF8_STRING, "Authenticator Attestation");
        sequence(&[&self.vendor(), &unit, &rdn(oid::COMMON_NAME, der::UTF8_STRING, common_name)])
    }

    /// Country and organization, the beginning of every name.
    fn vendor(&self) -> Vec<u8> {
        let country = rdn(oid::COUNTRY, der::PRINTABLE_STRING, &self.country);
        [country, rdn(oid::ORGANIZATION, der::UTF8_STRING, &self.organization)].concat()
    }
}

/// The extension that names the model.
fn model(aaguid: &[u8; 16]) -> Vec<u8> {
    extension(oid::AAGUID, false, &octets(aaguid))
}

/// The public key of this private key, as certificates have it, if it is one.
fn spki_of(key: &Secret<32>) -> Option<Vec<u8>> {
    NonZeroScalar::try_from(key.expose().as_slice()).ok()?;
    certificate::spki(&PrivateKey::p256(key.expose())?.public())
}

fn can_be_listed(formats: &[AttestationFormat]) -> bool {
    let twice = (1..formats.len()).any(|i| {
        let (before, rest) = formats.split_at(i);
        // Both kinds of `packed` have one name.
        let name = rest.first().map(|format| format.identifier());
        before.iter().any(|format| Some(format.identifier()) == name)
    });
    let listed = formats.iter().any(|format| *format != AttestationFormat::None);
    listed && !twice
}

fn is_time(text: &str) -> bool {
    let digits = text.strip_suffix('Z').filter(|digits| digits.len() == 14);
    let Some(digits) = digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_digit())) else {
        return false;
    };
    let number = |range: Range<usize>| digits.get(range).and_then(|text| text.parse::<u16>().ok());
    let between = |range, least: u16, most: u16| {
        number(range).is_some_and(|number| (least..=most).contains(&number))
    };
    let year = number(0..4).unwrap_or_default();
    let last_day = match number(4..6) {
        Some(2) if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        Some(2) => 28,
        Some(4 | 6 | 9 | 11) => 30,
        _ => 31,
    };
    between(4..6, 1, 12)
        && between(6..8, 1, last_day)
        && between(8..10, 0, 23)
        && between(10..12, 0, 59)
        && between(12..14, 0, 59)
}

/// A time in the form that its year asks for (RFC 5280 section 4.1.2.5).
fn time(text: &str) -> Vec<u8> {
    let short = text.get(2..).filter(|_| ("1950".."2050").contains(&text.get(..4).unwrap_or("")));
    match short {
        Some(short) => value(der::UTC_TIME, &[short.as_bytes()]),
        None => value(der::GENERALIZED_TIME, &[text.as_bytes()]),
    }
}
