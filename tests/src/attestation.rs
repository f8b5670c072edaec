//! Attestation statements of every format, checked byte by byte against what the standard says they hold (WebAuthn
//! Level 3 section 8). Who issued the certificates is not asked here: [`issued_by`] tells.

use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};

use crate::auth_data::AuthData;
use crate::cbor::Value;
use crate::parts::sha256;
use crate::request::alg;
use crate::verify::{
    certificate_point, extension, p256_verifies, packed_attestation, signature_verifies,
};

/// What a statement is about.
#[derive(Clone, Copy)]
pub struct Attested<'a> {
    /// The authenticator data.
    pub auth_data: &'a AuthData,
    /// SHA-256 of the client data.
    pub client_data_hash: &'a [u8],
    /// The credential's key.
    pub public_key: &'a Value,
    /// `authData || clientDataHash`.
    pub signed: &'a [u8],
}

/// Checks the statement of a format.
#[track_caller]
pub fn check(format: &str, statement: &Value, attested: &Attested<'_>) {
    match format {
        "none" => assert_eq!(*statement, Value::Map(Vec::new()), "the statement of `none`"),
        "packed" => {
            let aaguid = attested.auth_data.attested.as_ref().unwrap().aaguid;
            let (signed, key) = (attested.signed, attested.public_key);
            let chain = packed_attestation(statement, signed, key, &aaguid);
            assert!(chain.len() <= 1, "one certificate, or none");
        }
        "fido-u2f" => fido_u2f(statement, attested),
        "tpm" => tpm(statement, attested),
        "android-key" => android_key(statement, attested),
        "apple" => apple(statement, attested),
        "compound" => compound(statement, attested),
        other => panic!("attestation statement format {other}"),
    }
}

/// The certificate of a statement, or the first of several.
#[must_use]
#[track_caller]
pub fn leaf(statement: &Value) -> Certificate {
    let bytes = statement.get("x5c").items()[0].bytes();
    let leaf = Certificate::from_der(bytes).expect("a certificate");
    assert_eq!(leaf.to_der().unwrap(), bytes, "strict DER");
    assert_eq!(leaf.tbs_certificate().version(), x509_cert::Version::V3, "version 3");
    leaf
}

/// The certificate of a statement that holds no other.
#[track_caller]
fn sole(statement: &Value) -> Certificate {
    assert_eq!(statement.get("x5c").items().len(), 1, "x5c holds one certificate");
    leaf(statement)
}

/// Did the holder of this root's key issue the certificate, under the root's name?
#[must_use]
pub fn issued_by(leaf: &Certificate, root: &[u8]) -> bool {
    let root = Certificate::from_der(root).unwrap();
    let body = leaf.tbs_certificate();
    body.issuer() == root.tbs_certificate().subject()
        && p256_verifies(
            &certificate_point(&root),
            &body.to_der().unwrap(),
            leaf.signature().raw_bytes(),
        )
}

/// Section 8.6, and section 6.1.2 of CTAP for the AAGUID.
#[track_caller]
fn fido_u2f(statement: &Value, attested: &Attested<'_>) {
    assert_eq!(statement.keys(), [Value::from("sig"), "x5c".into()], "members");
    let data = attested.auth_data.attested.as_ref().unwrap();
    assert_eq!(data.aaguid, [0; 16], "U2F knows no model");
    assert_eq!(attested.public_key.get(3).int(), alg::ES256);
    let (x, y) = (attested.public_key.get(-2).bytes(), attested.public_key.get(-3).bytes());
    let hash = &attested.auth_data.rp_id_hash;
    let message = [&[0], hash.as_slice(), attested.client_data_hash, &data.id, &[4], x, y].concat();
    let point = certificate_point(&sole(statement));
    assert!(p256_verifies(&point, &message, statement.get("sig").bytes()), "signature");
}

/// Section 8.3; TPM 2.0 Library, part 2, 10.12.8 and 12.2.4.
#[track_caller]
fn tpm(statement: &Value, attested: &Attested<'_>) {
    let members = ["alg", "sig", "ver", "x5c", "pubArea", "certInfo"].map(Value::from);
    assert_eq!(statement.keys(), members, "members");
    assert_eq!(statement.get("ver").text(), "2.0");
    assert_eq!(statement.get("alg").int(), alg::ES256);
    let (area, info) = (statement.get("pubArea").bytes(), statement.get("certInfo").bytes());

    let mut read = Reader(area);
    let kind = read.number(2);
    assert_eq!(read.number(2), 0x000b, "nameAlg is SHA-256");
    let sign = 0x0004_0000;
    assert_eq!(read.number(4) & sign, sign, "a key that signs");
    assert!(read.sized().is_empty(), "no policy");
    assert_eq!((read.number(2), read.number(2)), (0x10, 0x10), "TPM_ALG_NULL");
    if kind == 0x0023 {
        let curve = [(1, 3), (2, 4), (3, 5)].into_iter();
        let mut curve = curve.filter(|(cose, _)| attested.public_key.get(-1).int() == *cose);
        assert_eq!(read.number(2), curve.next().expect("a NIST curve").1, "curveID");
        assert_eq!(read.number(2), 0x10, "TPM_ALG_NULL");
        assert_eq!(read.sized(), attested.public_key.get(-2).bytes(), "x");
        assert_eq!(read.sized(), attested.public_key.get(-3).bytes(), "y");
    } else {
        assert_eq!(kind, 0x0001, "TPM_ALG_RSA");
        assert_eq!((read.number(2), read.number(4)), (2048, 0), "keyBits, exponent 65537");
        assert_eq!(read.sized(), attested.public_key.get(-1).bytes(), "n");
    }
    assert!(read.0.is_empty(), "pubArea ends");

    let name = [&[0x00, 0x0b], sha256(area).as_slice()].concat();
    let mut read = Reader(info);
    assert_eq!(read.number(4), 0xff54_4347, "TPM_GENERATED_VALUE");
    assert_eq!(read.number(2), 0x8017, "TPM_ST_ATTEST_CERTIFY");
    assert_eq!(read.sized()[..2], [0x00, 0x0b], "qualifiedSigner");
    assert_eq!(read.sized(), sha256(attested.signed), "extraData");
    let _ = (read.number(8), read.number(4), read.number(4), read.number(1), read.number(8));
    assert_eq!(read.sized(), name, "attested name");
    let _ = read.sized();
    assert!(read.0.is_empty(), "certInfo ends");

    let identity = sole(statement);
    let point = certificate_point(&identity);
    assert!(p256_verifies(&point, info, statement.get("sig").bytes()), "signature");
    assert!(identity.tbs_certificate().subject().is_empty(), "an empty subject");
    let (critical, names) = extension(&identity, "2.5.29.17").expect("subjectAltName");
    assert!(critical, "it stands for the subject");
    for attribute in ["id:FFFFF1D0", "softkey", "id:00000001"] {
        let text = attribute.as_bytes();
        assert!(names.windows(text.len()).any(|window| window == text), "{attribute}");
    }
    let (_, usage) = extension(&identity, "2.5.29.37").expect("extKeyUsage");
    assert_eq!(usage, [0x30, 7, 6, 5, 0x67, 0x81, 5, 8, 3], "tcg-kp-AIKCertificate");
}

/// Section 8.4.
#[track_caller]
fn android_key(statement: &Value, attested: &Attested<'_>) {
    assert_eq!(statement.keys(), ["alg", "sig", "x5c"].map(Value::from), "members");
    assert_eq!(statement.get("alg").int(), attested.public_key.get(3).int());
    let signature = statement.get("sig").bytes();
    assert!(signature_verifies(attested.public_key, attested.signed, signature), "signature");
    let [_, root] = statement.get("x5c").items() else { panic!("a certificate and its root") };
    let leaf = leaf(statement);
    assert!(issued_by(&leaf, root.bytes()), "the root behind it");
    is_the_credentials(&leaf, attested.public_key);
    let (critical, description) =
        extension(&leaf, "1.3.6.1.4.1.11129.2.1.17").expect("the key description");
    assert!(!critical);
    let expected = [
        // Versions and security levels.
        &[0x30, 0x42, 2, 1, 3, 10, 1, 1, 2, 1, 3, 10, 1, 1, 4, 32],
        attested.client_data_hash,
        // No uniqueId, nothing in software; in hardware: purpose sign, origin generated.
        &[4, 0, 0x30, 0, 0x30, 14, 0xa1, 5, 0x31, 3, 2, 1, 2, 0xbf, 0x85, 0x3e, 3, 2, 1, 0],
    ];
    assert_eq!(description, expected.concat(), "the key description");
}

/// Section 8.8.
#[track_caller]
fn apple(statement: &Value, attested: &Attested<'_>) {
    assert_eq!(statement.keys(), [Value::from("x5c")], "members");
    let leaf = sole(statement);
    is_the_credentials(&leaf, attested.public_key);
    let (_, nonce) = extension(&leaf, "1.2.840.113635.100.8.2").expect("the nonce");
    let expected = [&[0x30, 0x24, 0xa1, 0x22, 4, 32], &sha256(attested.signed)[..]].concat();
    assert_eq!(nonce, expected, "the nonce");
}

/// Section 8.9: two statements or more, each of them whole, of different formats, and none of them `compound`.
#[track_caller]
fn compound(statement: &Value, attested: &Attested<'_>) {
    let elements = statement.items();
    assert!(elements.len() >= 2, "two elements or more");
    let mut formats = Vec::new();
    for element in elements {
        assert_eq!(element.keys(), ["fmt", "attStmt"].map(Value::from), "members of an element");
        let format = element.get("fmt").text();
        assert_ne!(format, "compound", "an element is compound itself");
        assert!(!formats.contains(&format), "{format} stands there twice");
        formats.push(format);
        check(format, element.get("attStmt"), attested);
    }
}

/// Is the certificate's key the credential's?
#[track_caller]
fn is_the_credentials(leaf: &Certificate, public_key: &Value) {
    let key = leaf.tbs_certificate().subject_public_key_info();
    let bits = key.subject_public_key.raw_bytes();
    match public_key.get(1).int() {
        1 => assert_eq!(bits, public_key.get(-2).bytes(), "the credential's key"),
        2 => {
            let (x, y) = (public_key.get(-2).bytes(), public_key.get(-3).bytes());
            assert_eq!(bits, [&[4], x, y].concat(), "the credential's key");
        }
        _ => {
            let n = public_key.get(-1).bytes();
            let head: [&[u8]; 3] = [&[0x30, 0x82, 1, 10, 2, 0x82, 1, 1, 0], n, &[2, 3, 1, 0, 1]];
            assert_eq!(bits, head.concat(), "the credential's key");
        }
    }
}

/// Reads a TPM's structures from their beginning.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    #[track_caller]
    fn take(&mut self, length: usize) -> &'b [u8] {
        let (taken, rest) = self.0.split_at_checked(length).expect("enough bytes");
        self.0 = rest;
        taken
    }

    #[track_caller]
    fn number(&mut self, length: usize) -> u64 {
        self.take(length).iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// Bytes behind their length.
    #[track_caller]
    fn sized(&mut self) -> &'b [u8] {
        let length = self.number(2);
        self.take(length.try_into().unwrap())
    }
}
