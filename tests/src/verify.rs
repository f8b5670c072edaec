//! Signatures and certificates, checked with the libraries a relying party would use.

use p256::ecdsa::signature::Verifier;
use x509_cert::Certificate;
use x509_cert::der::asn1::{ObjectIdentifier, OctetString};
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::BasicConstraints;

use crate::cbor::{Value, map};
use crate::request::alg;

/// Does `signature` over `message` verify with this COSE key? The key's form is checked on the way.
#[must_use]
#[track_caller]
pub fn signature_verifies(public_key: &Value, message: &[u8], signature: &[u8]) -> bool {
    match public_key.get(3).int() {
        alg::ES256 | alg::ESP256 => p256_verifies(&p256_point(public_key), message, signature),
        alg::ES384 | alg::ESP384 => p384_verifies(&point(public_key, 2, 48), message, signature),
        alg::ES512 | alg::ESP512 => p521_verifies(&point(public_key, 3, 66), message, signature),
        alg::ES256K => secp256k1_verifies(&point(public_key, 8, 32), message, signature),
        alg::EDDSA | alg::ED25519 => ed25519_verifies(public_key, message, signature),
        alg::RS256 => rs256_verifies(public_key, message, signature),
        alg::ML_DSA_44 => ml_dsa_verifies::<ml_dsa::MlDsa44>(public_key, message, signature),
        alg::ML_DSA_65 => ml_dsa_verifies::<ml_dsa::MlDsa65>(public_key, message, signature),
        alg::ML_DSA_87 => ml_dsa_verifies::<ml_dsa::MlDsa87>(public_key, message, signature),
        other => panic!("no means to verify algorithm {other}"),
    }
}

/// The uncompressed point of an EC2 key on P-256, members exactly as the standard lists them.
#[must_use]
#[track_caller]
pub fn p256_point(public_key: &Value) -> [u8; 65] {
    point(public_key, 1, 32).try_into().unwrap()
}

/// The uncompressed point of an EC2 key on this curve, whose coordinates have this length, members exactly as the
/// standard lists them.
#[track_caller]
fn point(public_key: &Value, curve: i64, field: usize) -> Vec<u8> {
    let (x, y) = (public_key.get(-2).bytes(), public_key.get(-3).bytes());
    assert_eq!((x.len(), y.len()), (field, field), "coordinates of full length");
    let expected = map([
        (1, Value::from(2)),
        (3, public_key.get(3).clone()),
        (-1, Value::from(curve)),
        (-2, Value::from(x)),
        (-3, Value::from(y)),
    ]);
    assert_eq!(public_key.encode(), expected.encode(), "members of an EC2 key");
    [&[4], x, y].concat()
}

macro_rules! ecdsa_verifier {
    ($name:ident, $curve:ident) => {
        /// Does a DER signature verify with this uncompressed point?
        #[must_use]
        pub fn $name(point: &[u8], message: &[u8], signature: &[u8]) -> bool {
            let Ok(key) = $curve::ecdsa::VerifyingKey::from_sec1_bytes(point) else { return false };
            $curve::ecdsa::Signature::from_der(signature).is_ok_and(|parsed| {
                parsed.to_der().as_bytes() == signature && key.verify(message, &parsed).is_ok()
            })
        }
    };
}

ecdsa_verifier!(p256_verifies, p256);
ecdsa_verifier!(p384_verifies, p384);
ecdsa_verifier!(p521_verifies, p521);
ecdsa_verifier!(secp256k1_verifies, k256);

#[track_caller]
fn ed25519_verifies(public_key: &Value, message: &[u8], signature: &[u8]) -> bool {
    let x = public_key.get(-2).bytes();
    let expected = map([
        (1, Value::from(1)),
        (3, public_key.get(3).clone()),
        (-1, Value::from(6)),
        (-2, Value::from(x)),
    ]);
    assert_eq!(public_key.encode(), expected.encode(), "members of an OKP key");
    let key =
        ed25519_dalek::VerifyingKey::from_bytes(x.try_into().expect("32 bytes of x")).unwrap();
    ed25519_dalek::Signature::from_slice(signature)
        .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok())
}

/// RSASSA-PKCS1-v1_5 by hand, so that nothing is shared with the signer but the raw power: the padding of RFC 8017
/// section 9.2 around SHA-256 is compared whole.
#[track_caller]
fn rs256_verifies(public_key: &Value, message: &[u8], signature: &[u8]) -> bool {
    const SHA_256: [u8; 19] = [
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
        0x05, 0x00, 0x04, 0x20,
    ];
    let (n, e) = (public_key.get(-1).bytes(), public_key.get(-2).bytes());
    let expected = map([
        (1, Value::from(3)),
        (3, public_key.get(3).clone()),
        (-1, Value::from(n)),
        (-2, Value::from(e)),
    ]);
    assert_eq!(public_key.encode(), expected.encode(), "members of an RSA key");
    assert!(n.len() == 256 && n[0] >= 0x80 && n[255] % 2 == 1, "a modulus of 2048 bits");
    assert_eq!(e, [1, 0, 1]);
    let digest = crate::parts::sha256(message);
    let padding = vec![0xff; 256 - 3 - SHA_256.len() - digest.len()];
    let padded = [&[0, 1], padding.as_slice(), &[0], &SHA_256, &digest].concat();
    signature.len() == 256 && power_65537(signature, n) == padded
}

/// `base` to the power 65537, modulo `n`, all of 256 bytes, big-endian.
fn power_65537(base: &[u8], n: &[u8]) -> Vec<u8> {
    let number = |bytes: &[u8]| rsa::BoxedUint::from_be_slice(bytes, 2048).unwrap();
    let (base, n) = (number(base), rsa::BoxedUint::from_be_slice(n, 2048).unwrap());
    let n = n.to_nz().unwrap();
    let squared = (0..16).fold(base.clone(), |power, _| power.mul_mod(&power, &n));
    squared.mul_mod(&base, &n).to_be_bytes().to_vec()
}

#[track_caller]
fn ml_dsa_verifies<P: ml_dsa::MlDsaParams>(
    public_key: &Value,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let public = public_key.get(-1).bytes();
    let expected =
        map([(1, Value::from(7)), (3, public_key.get(3).clone()), (-1, Value::from(public))]);
    assert_eq!(public_key.encode(), expected.encode(), "members of an AKP key");
    let encoded = ml_dsa::EncodedVerifyingKey::<P>::try_from(public).expect("a key's length");
    let key = ml_dsa::VerifyingKey::<P>::decode(&encoded);
    ml_dsa::Signature::<P>::try_from(signature)
        .is_ok_and(|signature| key.verify_with_context(message, &[], &signature))
}

/// Checks an attestation statement of the format `packed` (WebAuthn, section 8.2) over
/// `authData || clientDataHash` and gives its certificates, none for self attestation.
#[must_use]
#[track_caller]
pub fn packed_attestation(
    statement: &Value,
    signed: &[u8],
    public_key: &Value,
    aaguid: &[u8; 16],
) -> Vec<Vec<u8>> {
    let (algorithm, signature) = (statement.get("alg").int(), statement.get("sig").bytes());
    let Some(chain) = statement.at("x5c") else {
        assert_eq!(
            statement.keys(),
            [Value::from("alg"), "sig".into()],
            "members of self attestation"
        );
        assert_eq!(
            algorithm,
            public_key.get(3).int(),
            "self attestation by the credential's algorithm"
        );
        assert!(signature_verifies(public_key, signed, signature), "self attestation verifies");
        return Vec::new();
    };
    assert_eq!(statement.keys(), [Value::from("alg"), "sig".into(), "x5c".into()], "members");
    let chain: Vec<_> = chain.items().iter().map(|item| item.bytes().to_vec()).collect();
    let leaf = Certificate::from_der(chain.first().expect("x5c holds a certificate")).unwrap();
    assert_eq!(algorithm, alg::ES256, "the attestation key's algorithm");
    assert!(
        p256_verifies(&certificate_point(&leaf), signed, signature),
        "the attestation verifies"
    );
    packed_leaf_rules(&leaf, aaguid);
    chain
}

/// The rules for a leaf certificate of the format `packed` (WebAuthn, section 8.2.1).
#[track_caller]
fn packed_leaf_rules(leaf: &Certificate, aaguid: &[u8; 16]) {
    let body = leaf.tbs_certificate();
    assert_eq!(body.version(), x509_cert::Version::V3, "version 3");
    let subject = |oid: &str| subject_attribute(leaf, oid);
    let country = subject("2.5.4.6").expect("subject C");
    assert!(country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase()), "C = {country}");
    assert!(!subject("2.5.4.10").expect("subject O").is_empty(), "O is not empty");
    assert_eq!(subject("2.5.4.11").as_deref(), Some("Authenticator Attestation"), "OU");
    assert!(!subject("2.5.4.3").expect("subject CN").is_empty(), "CN is not empty");

    let (_, constraints) = body
        .get_extension::<BasicConstraints>()
        .expect("parses")
        .expect("Basic Constraints are there");
    assert!(!constraints.ca, "CA is false");

    if let Some((critical, model)) = extension(leaf, "1.3.6.1.4.1.45724.1.1.4") {
        assert!(!critical, "the AAGUID extension is not critical");
        let inner = OctetString::from_der(&model).unwrap();
        assert_eq!(inner.as_bytes(), aaguid, "the AAGUID extension is the model's");
    }
}

/// Whether an extension of a certificate is critical, and its value.
#[must_use]
pub fn extension(certificate: &Certificate, oid: &str) -> Option<(bool, Vec<u8>)> {
    let oid = ObjectIdentifier::new_unwrap(oid);
    let mut all = certificate.tbs_certificate().extensions().into_iter().flatten();
    let found = all.find(|extension| extension.extn_id == oid)?;
    Some((found.critical, found.extn_value.as_bytes().to_vec()))
}

fn subject_attribute(certificate: &Certificate, oid: &str) -> Option<String> {
    let oid = ObjectIdentifier::new_unwrap(oid);
    let subject = certificate.tbs_certificate().subject();
    let attribute = subject.iter().find(|attribute| attribute.oid == oid)?;
    Some(String::from_utf8(attribute.value.value().to_vec()).expect("subject text"))
}

/// The public key of a certificate: the uncompressed point of a key on P-256.
#[must_use]
#[track_caller]
pub fn certificate_point(certificate: &Certificate) -> Vec<u8> {
    let key = certificate.tbs_certificate().subject_public_key_info();
    assert_eq!(key.algorithm.oid.to_string(), "1.2.840.10045.2.1", "an elliptic curve key");
    let curve = key.algorithm.parameters.as_ref().expect("a named curve");
    assert_eq!(curve.decode_as::<ObjectIdentifier>().unwrap().to_string(), "1.2.840.10045.3.1.7");
    key.subject_public_key.raw_bytes().to_vec()
}

/// Splits one certificate off the front of `bytes` by its own DER length.
#[must_use]
#[track_caller]
pub fn split_certificate(bytes: &[u8]) -> (Certificate, &[u8]) {
    let (certificate, rest) = Certificate::from_der_partial(bytes).expect("a certificate");
    let length = bytes.len() - rest.len();
    assert_eq!(certificate.to_der().unwrap(), &bytes[..length], "the certificate is strict DER");
    (certificate, rest)
}

/// Is the certificate valid at this time, seconds since 1970?
#[must_use]
pub fn valid_at(certificate: &Certificate, seconds: u64) -> bool {
    let validity = certificate.tbs_certificate().validity();
    let at = |time: x509_cert::time::Time| time.to_unix_duration().as_secs();
    at(validity.not_before) <= seconds && seconds <= at(validity.not_after)
}
