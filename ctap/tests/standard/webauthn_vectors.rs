//! WebAuthn Level 3, section Test Vectors: every attestation object and authenticator data by our types.

use ciborium::Value;
use serde_json::Value as Json;
use softkey_ctap::attestation::{
    AttestationObject, FidoU2fStatement, NONE_STATEMENT, PackedStatement,
};
use softkey_ctap::auth_data::{AuthenticatorData, Flags};
use softkey_ctap::cbor::{List, check, decode, encode};
use softkey_ctap::cose::PublicKey;

use crate::oracle::is_canonical;
use crate::vectors::{array, bytes, file};

/// Three tests per case of the file, named for it, and the list of all cases named.
macro_rules! cases {
    ($($name:ident: $id:literal;)*) => {
        $(
            mod $name {
                use super::*;

                #[test]
                fn attestation_object() {
                    super::attestation_object(&case($id));
                }

                #[test]
                fn credential_public_key() {
                    super::credential_public_key(&case($id));
                }

                #[test]
                fn authentication() {
                    super::authentication(&case($id));
                }
            }
        )*

        const NAMED: &[&str] = &[$($id),*];
    };
}

cases! {
    none_es256: "none-es256";
    packed_self_es256: "packed-self-es256";
    none_es256_cross_origin: "none-es256-crossOrigin";
    none_es256_top_origin: "none-es256-topOrigin";
    none_es256_long_credential_id: "none-es256-long-credential-id";
    packed_es256: "packed-es256";
    packed_es384: "packed-es384";
    packed_es512: "packed-es512";
    packed_rs256: "packed-rs256";
    packed_eddsa: "packed-eddsa";
    packed_ed448: "packed-ed448";
    tpm_es256: "tpm-es256";
    android_key_es256: "android-key-es256";
    apple_es256: "apple-es256";
    fido_u2f_es256: "fido-u2f-es256";
}

#[test]
fn each_case_of_the_file_has_its_tests() {
    let file = file("webauthn-l3.json");
    let cases: Vec<&str> =
        file["cases"].as_array().unwrap().iter().map(|case| case["id"].as_str().unwrap()).collect();
    assert_eq!(cases, NAMED);
}

fn case(id: &str) -> Json {
    let mut file = file("webauthn-l3.json");
    let cases = file["cases"].as_array_mut().unwrap();
    let at = cases.iter().position(|case| case["id"] == id).expect("a case of the file");
    cases.swap_remove(at)
}

fn attestation_object(case: &Json) {
    let expected = &case["expected"];
    let written = bytes(&case["registration"]["attestationObject"]);
    let object: AttestationObject<'_> = decode(&written).unwrap();
    assert_eq!(object.fmt, expected["fmt"]);
    assert_eq!(object.auth_data, bytes(&expected["registration_authData"]));
    assert_eq!(encode(&object), written);
    statement(&object, expected);

    let data = AuthenticatorData::from_bytes(object.auth_data).unwrap();
    assert_eq!(data.rp_id_hash, rp_id_hash());
    flags(data.flags, &expected["registration_flags"]);
    assert_eq!(u64::from(data.sign_count), expected["registration_signCount"].as_u64().unwrap());
    assert_eq!(data.extensions, None);
    let attested = data.attested.as_ref().unwrap();
    assert_eq!(attested.aaguid, array(&case["registration"]["aaguid"]));
    assert_eq!(attested.credential_id, bytes(&case["registration"]["credential_id"]));
    assert_eq!(encode(&attested.public_key), bytes(&expected["credential_public_key_cose"]));
    assert_eq!(data.to_bytes(), object.auth_data);
}

/// The members that the file names, by an independent reader; then the whole by our table, if there is one.
fn statement(object: &AttestationObject<'_>, expected: &Json) {
    let raw = object.att_stmt.0;
    assert_eq!(check(raw), Ok(()));
    assert!(is_canonical(raw));
    let members: Value = ciborium::from_reader(raw).unwrap();
    let member = |name: &str| {
        let entries = members.as_map().unwrap();
        entries.iter().find(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value)
    };
    let certificates = |list: &mut dyn Iterator<Item = &[u8]>| {
        let wanted = member("x5c").map(|x5c| x5c.as_array().unwrap().clone()).unwrap_or_default();
        let found: Vec<Value> = list.map(|der| Value::Bytes(der.to_vec())).collect();
        assert_eq!(found, wanted);
    };
    let mut names: Vec<&str> =
        members.as_map().unwrap().iter().map(|(key, _)| key.as_text().unwrap()).collect();
    names.sort_unstable();
    let wanted: Vec<&str> = expected["attStmt_members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n.as_str().unwrap())
        .collect();
    assert_eq!(names, wanted);
    match object.fmt {
        "none" => assert_eq!(object.att_stmt, NONE_STATEMENT),
        "packed" => {
            let packed: PackedStatement<'_> = decode(raw).unwrap();
            assert_eq!(Some(&Value::from(packed.alg)), member("alg"));
            assert_eq!(Some(&Value::Bytes(packed.sig.to_vec())), member("sig"));
            assert_eq!(packed.x5c.is_some(), member("x5c").is_some());
            certificates(&mut packed.x5c.iter().flat_map(List::iter));
            assert_eq!(encode(&packed), raw);
        }
        "fido-u2f" => {
            let u2f: FidoU2fStatement<'_> = decode(raw).unwrap();
            assert_eq!(Some(&Value::Bytes(u2f.sig.to_vec())), member("sig"));
            certificates(&mut u2f.x5c.iter());
            assert_eq!(u2f.x5c.len(), 1);
            assert_eq!(encode(&u2f), raw);
        }
        "tpm" | "android-key" | "apple" => {}
        other => panic!("no such format among the vectors: {other}"),
    }
}

fn credential_public_key(case: &Json) {
    let written = bytes(&case["expected"]["credential_public_key_cose"]);
    assert_eq!(check(&written), Ok(()));
    let key: PublicKey<'_> = decode(&written).unwrap();
    assert_eq!(encode(&key), written);
    assert_eq!(key.alg(), case["cose_alg"].as_i64().unwrap());
    // The other form of the key in the file ends with the same numbers.
    let spki = bytes(&case["expected"]["credential_public_key_spki"]);
    match key {
        PublicKey::Ec2 { crv, x, y, .. } => {
            assert_eq!((crv, x.len()), curve(key.alg()));
            assert!(spki.ends_with(&[&[0x04], x, y].concat()));
        }
        PublicKey::Okp { crv, x, .. } => {
            assert_eq!((crv, x.len()), curve(key.alg()));
            assert!(spki.ends_with(x));
        }
        PublicKey::Rsa { n, e, .. } => {
            let public_exponent = [&[0x02, 0x03][..], e].concat();
            assert!(spki.ends_with(&[n, &public_exponent].concat()));
        }
        PublicKey::Akp { .. } => panic!("no such key among the vectors"),
    }
}

/// Curve and length of a coordinate, in bytes.
fn curve(alg: i64) -> (i64, usize) {
    match alg {
        -7 => (1, 32),
        -35 => (2, 48),
        -36 => (3, 66),
        -8 => (6, 32),
        -53 => (7, 57),
        _ => panic!("no such algorithm among the vectors: {alg}"),
    }
}

fn authentication(case: &Json) {
    let expected = &case["expected"];
    let written = bytes(&case["authentication"]["authenticatorData"]);
    let data = AuthenticatorData::from_bytes(&written).unwrap();
    assert_eq!(data.rp_id_hash, rp_id_hash());
    flags(data.flags, &expected["authentication_flags"]);
    assert_eq!(u64::from(data.sign_count), expected["authentication_signCount"].as_u64().unwrap());
    assert_eq!((&data.attested, &data.extensions), (&None, &None));
    assert_eq!(data.to_bytes(), written);
    let signed = [data.to_bytes(), bytes(&expected["authentication_clientDataHash"])].concat();
    assert_eq!(signed, bytes(&expected["signed_bytes"]));
}

fn flags(flags: Flags, expected: &Json) {
    assert_eq!([flags.0], array(&expected["byte"]));
    let named = [
        ("UP", Flags::USER_PRESENT),
        ("UV", Flags::USER_VERIFIED),
        ("BE", Flags::BACKUP_ELIGIBLE),
        ("BS", Flags::BACKUP_STATE),
        ("AT", Flags::ATTESTED),
        ("ED", Flags::EXTENSIONS),
    ];
    for (name, flag) in named {
        assert_eq!(flags.contains(flag), expected[name], "{name}");
    }
}

/// SHA-256 of `example.org`, the relying party of all cases.
fn rp_id_hash() -> [u8; 32] {
    array(&"bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b5".into())
}
