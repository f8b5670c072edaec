//! Public keys in DER, as `getPublicKey()` gives them (WebAuthn Level 3 section 5.2.1.1).

use softkey_ctap::cose::PublicKey;

/// `SubjectPublicKeyInfo` of a COSE key; nothing for algorithms that are not known here.
#[must_use]
pub fn subject_public_key_info(key: &PublicKey<'_>) -> Option<Vec<u8>> {
    let (algorithm, bits) = match *key {
        PublicKey::Ec2 { crv, x, y, .. } => (ec_algorithm(crv)?, [&[0x04], x, y].concat()),
        PublicKey::Okp { crv: 6, x, .. } => (tlv(SEQUENCE, ED25519), x.to_vec()),
        PublicKey::Rsa { n, e, .. } => {
            let key = tlv(SEQUENCE, &[unsigned(n), unsigned(e)].concat());
            (tlv(SEQUENCE, RSA_ENCRYPTION), key)
        }
        PublicKey::Okp { .. } | PublicKey::Akp { .. } => return None,
    };
    let bits = tlv(BIT_STRING, &[&[0], bits.as_slice()].concat());
    Some(tlv(SEQUENCE, &[algorithm, bits].concat()))
}

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// 1.3.101.112
const ED25519: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];
/// 1.2.840.113549.1.1.1 and NULL
const RSA_ENCRYPTION: &[u8] =
    &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
/// 1.2.840.10045.2.1
const EC_PUBLIC_KEY: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];

fn ec_algorithm(crv: i64) -> Option<Vec<u8>> {
    let curve: &[u8] = match crv {
        1 => &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
        2 => &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22],
        3 => &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23],
        8 => &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a],
        _ => return None,
    };
    Some(tlv(SEQUENCE, &[EC_PUBLIC_KEY, curve].concat()))
}

/// A DER INTEGER that is never negative, whatever its first bit.
fn unsigned(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let number = number.get(zeros..).unwrap_or(&[]);
    match number.first() {
        Some(..=0x7f) => tlv(INTEGER, number),
        _ => tlv(INTEGER, &[&[0], number].concat()),
    }
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut item = vec![tag];
    if let Ok(len @ ..=0x7f) = u8::try_from(content.len()) {
        item.push(len);
    } else {
        let len = content.len().to_be_bytes();
        let zeros = len.iter().take_while(|byte| **byte == 0).count();
        let len = len.get(zeros..).unwrap_or(&[]);
        item.push(0x80 | u8::try_from(len.len()).unwrap_or(0));
        item.extend_from_slice(len);
    }
    item.extend_from_slice(content);
    item
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The prefixes that WebAuthn Level 3 gives for P-256 and Ed25519.
    #[test]
    fn p256_and_ed25519_have_the_forms_of_the_standard() {
        let key = PublicKey::Ec2 { alg: -7, crv: 1, x: &[1; 32], y: &[2; 32] };
        let der = subject_public_key_info(&key).unwrap();
        let prefix = [
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
            0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
        ];
        assert_eq!(der, [&prefix[..], &[1; 32], &[2; 32]].concat());

        let key = PublicKey::Okp { alg: -8, crv: 6, x: &[3; 32] };
        let prefix = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
        assert_eq!(subject_public_key_info(&key).unwrap(), [&prefix[..], &[3; 32]].concat());
    }

    /// A modulus with its first bit set stays positive, and a length over 127 has the long form.
    #[test]
    fn rsa_is_readable_by_an_independent_parser() {
        use x509_cert::der::Decode;
        use x509_cert::spki::SubjectPublicKeyInfoRef;
        let n = [0xc5; 256];
        let key = PublicKey::Rsa { alg: -257, n: &n, e: &[1, 0, 1] };
        let der = subject_public_key_info(&key).unwrap();
        let info = SubjectPublicKeyInfoRef::from_der(&der).unwrap();
        assert_eq!(info.algorithm.oid.to_string(), "1.2.840.113549.1.1.1");
        let bits = info.subject_public_key.as_bytes().unwrap();
        assert_eq!(bits[..9], [0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00]);
        assert_eq!(bits[bits.len() - 5..], [0x02, 0x03, 1, 0, 1]);
    }

    #[test]
    fn an_unknown_curve_has_no_form() {
        let key = PublicKey::Okp { alg: -53, crv: 7, x: &[0; 57] };
        assert_eq!(subject_public_key_info(&key), None);
    }
}
