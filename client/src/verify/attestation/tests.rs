//! Each step of each format made to fail, from the vectors of WebAuthn Level 3.

use ciborium::Value as Cbor;

use super::super::tests::{Vector, place, spliced, vector};
use super::super::{Fault, Trust, TrustRoots};
use super::{Attestation, StatementFault};

/// Seconds since 1970, within the validity of the vectors' certificates.
const NOW: u64 = 1_800_000_000;

fn object(vector: &Vector) -> Vec<(Cbor, Cbor)> {
    let object = &vector.registration.response.attestation_object.0;
    let object: Cbor = ciborium::from_reader(object.as_slice()).unwrap();
    object.into_map().unwrap()
}

fn put(vector: &mut Vector, object: Vec<(Cbor, Cbor)>) {
    let bytes = &mut vector.registration.response.attestation_object.0;
    bytes.clear();
    ciborium::into_writer(&Cbor::Map(object), bytes).unwrap();
}

fn member<'c>(map: &'c mut [(Cbor, Cbor)], name: &str) -> &'c mut Cbor {
    &mut map.iter_mut().find(|(key, _)| key.as_text() == Some(name)).unwrap().1
}

/// What is wrong with a vector once its statement was changed.
fn changed(id: &str, change: impl FnOnce(&mut Vec<(Cbor, Cbor)>)) -> Fault {
    let mut vector = vector(id);
    let mut object = object(&vector);
    change(member(&mut object, "attStmt").as_map_mut().unwrap());
    put(&mut vector, object);
    vector.register().unwrap_err()
}

/// The same where bytes of one member are replaced by others of the same length, wherever they stand.
fn replaced(id: &str, name: &str, from: &[u8], to: &[u8]) -> Fault {
    changed(id, |statement| {
        let value = match name {
            "x5c" => &mut member(statement, "x5c").as_array_mut().unwrap()[0],
            name => member(statement, name),
        };
        replace(value.as_bytes_mut().unwrap(), from, to);
    })
}

fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len());
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    bytes[at..at + to.len()].copy_from_slice(to);
}

fn set(id: &str, name: &str, value: impl Into<Cbor>) -> Fault {
    changed(id, |statement| *member(statement, name) = value.into())
}

fn statement(fault: StatementFault) -> Fault {
    Fault::Statement(fault)
}

/// What comes of a vector in whose first certificate a value was replaced by others; nobody asks who signed that.
fn certified(id: &str, at: impl Fn(&[u8]) -> usize, length: usize, by: &[u8]) -> Result<(), Fault> {
    let mut vector = vector(id);
    let mut object = object(&vector);
    let statement = member(&mut object, "attStmt").as_map_mut().unwrap();
    let leaf = &mut member(statement, "x5c").as_array_mut().unwrap()[0];
    let leaf = leaf.as_bytes_mut().unwrap();
    *leaf = spliced(leaf, at(leaf), length, by);
    put(&mut vector, object);
    vector.register().map(drop)
}

/// Section 8.7.
#[test]
fn none_says_nothing() {
    let fault = changed("none-es256", |statement| statement.push(("sig".into(), 1.into())));
    assert_eq!(fault, statement(StatementFault::NotEmpty));
}

/// Section 8.2.
#[test]
fn each_step_of_packed_can_fail() {
    let id = "packed-es256";
    assert_eq!(set(id, "alg", "x"), statement(StatementFault::Form));
    assert_eq!(set(id, "x5c", Cbor::Array(vec![])), statement(StatementFault::NoCertificate));
    let unreadable = Cbor::Array(vec![Cbor::Bytes(vec![0x30])]);
    assert_eq!(set(id, "x5c", unreadable), statement(StatementFault::Certificate));
    assert_eq!(set(id, "alg", -35), statement(StatementFault::Algorithm));
    assert_eq!(set(id, "sig", Cbor::Bytes(vec![0x30])), statement(StatementFault::Signature));
    let unit = b"Authenticator Attestation";
    // The issuer's name has the same beginning, and stands first.
    let other = |from: &[u8], to: &[u8]| {
        changed(id, |statement| {
            let leaf = &mut member(statement, "x5c").as_array_mut().unwrap()[0];
            let leaf = leaf.as_bytes_mut().unwrap();
            let at = leaf.windows(from.len()).rposition(|window| window == from).unwrap();
            leaf[at..at + to.len()].copy_from_slice(to);
        })
    };
    assert_eq!(other(unit, b"Authenticator Attestatiom"), statement(StatementFault::Subject));
    assert_eq!(
        other(&[0x13, 2, b'A', b'A'], &[0x13, 2, b'A', b'1']),
        statement(StatementFault::Subject)
    );
    assert_eq!(
        replaced(id, "x5c", &[0xa0, 3, 2, 1, 2], &[0xa0, 3, 2, 1, 1]),
        statement(StatementFault::Version)
    );
    // The identifier of basicConstraints is changed to another.
    assert_eq!(
        replaced(id, "x5c", &[6, 3, 0x55, 29, 19], &[6, 3, 0x55, 29, 99]),
        statement(StatementFault::Authority)
    );
}

/// Section 8.2, self attestation.
#[test]
fn self_attestation_is_by_the_credentials_own_algorithm() {
    assert_eq!(set("packed-self-es256", "alg", -8), statement(StatementFault::SelfAlgorithm));
    let fault = set("packed-self-es256", "sig", Cbor::Bytes(vec![0x30]));
    assert_eq!(fault, statement(StatementFault::Signature));
}

/// The credential signs for itself by a key that is not checked here, which is no wrong signature.
#[test]
fn self_attestation_by_ed448_is_told_apart() {
    let fault = changed("packed-ed448", |statement| {
        statement.retain(|(name, _)| name.as_text() != Some("x5c"));
        *member(statement, "alg") = (-53).into();
    });
    assert_eq!(fault, statement(StatementFault::Ed448));
}

/// Section 8.6.
#[test]
fn each_step_of_fido_u2f_can_fail() {
    let id = "fido-u2f-es256";
    let twice = changed(id, |statement| {
        let chain = member(statement, "x5c").as_array_mut().unwrap();
        chain.push(chain[0].clone());
    });
    assert_eq!(twice, statement(StatementFault::SeveralCertificates));
    let p256 = [6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
    let other = [6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 6];
    assert_eq!(replaced(id, "x5c", &p256, &other), statement(StatementFault::CertificateKey));
    assert_eq!(set(id, "sig", Cbor::Bytes(vec![0x30])), statement(StatementFault::Signature));
    let mut other = vector("packed-es384");
    let mut taken = object(&other);
    let mut given = object(&vector(id));
    *member(&mut taken, "fmt") = "fido-u2f".into();
    *member(&mut taken, "attStmt") = member(&mut given, "attStmt").clone();
    put(&mut other, taken);
    assert_eq!(other.register().unwrap_err(), statement(StatementFault::CredentialKey));
}

/// Section 8.3.
#[test]
fn each_step_of_tpm_can_fail() {
    let id = "tpm-es256";
    assert_eq!(set(id, "ver", "1.2"), statement(StatementFault::TpmVersion));
    assert_eq!(set(id, "pubArea", Cbor::Bytes(vec![0])), statement(StatementFault::PubArea));
    assert_eq!(set(id, "certInfo", Cbor::Bytes(vec![0])), statement(StatementFault::CertInfo));
    let curve = replaced(id, "pubArea", &[0x00, 0x03, 0x00, 0x10], &[0x00, 0x04, 0x00, 0x10]);
    assert_eq!(curve, statement(StatementFault::PubAreaKey));
    // The attributes: the key is the same, its name is not.
    let attributes = replaced(id, "pubArea", &[0, 4, 0, 0], &[0, 4, 0, 1]);
    assert_eq!(attributes, statement(StatementFault::AttestedName));
    let magic = replaced(id, "certInfo", b"\xffTCG", b"\xffTCH");
    assert_eq!(magic, statement(StatementFault::Magic));
    let kind = replaced(id, "certInfo", &[0x80, 0x17], &[0x80, 0x18]);
    assert_eq!(kind, statement(StatementFault::Type));
    assert_eq!(
        replaced(id, "certInfo", &[0x27, 0x7d], &[0, 0]),
        statement(StatementFault::ExtraData)
    );
    assert_eq!(set(id, "alg", -8), statement(StatementFault::Algorithm));
    // The firmware's version, which nothing but the signature holds.
    let version = replaced(id, "certInfo", &[0x22, 0x33, 0, 0], &[0x22, 0x33, 0, 1]);
    assert_eq!(version, statement(StatementFault::Signature));
    let manufacturer = replaced(id, "x5c", b"id:00000000", b"ix:00000000");
    assert_eq!(manufacturer, statement(StatementFault::TpmNames));
    let usage = replaced(id, "x5c", &[0x67, 0x81, 5, 8, 3], &[0x67, 0x81, 5, 8, 1]);
    assert_eq!(usage, statement(StatementFault::ExtendedKeyUsage));
    assert_eq!(
        replaced(id, "x5c", &[6, 3, 0x55, 29, 19], &[6, 3, 0x55, 29, 99]),
        statement(StatementFault::Authority)
    );
}

/// Section 8.4.
#[test]
fn each_step_of_android_key_can_fail() {
    let id = "android-key-es256";
    assert_eq!(set(id, "sig", Cbor::Bytes(vec![0x30])), statement(StatementFault::Signature));
    let description = [0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 1];
    let fault = replaced(
        id,
        "x5c",
        &[&description[..], &[17]].concat(),
        &[&description[..], &[18]].concat(),
    );
    assert_eq!(fault, statement(StatementFault::KeyDescription));
    let fault = replaced(id, "x5c", &[0xb4, 0x35, 0x02], &[0xb4, 0x35, 0x03]);
    assert_eq!(fault, statement(StatementFault::Challenge));
}

/// Section 8.4, steps 3 and 5: what the lists of software and hardware say of the key, in either of them.
#[test]
fn each_authorization_of_android_key_counts() {
    let id = "android-key-es256";
    // The two lists, empty, stand behind an empty uniqueId.
    let lists = |leaf: &[u8]| place(leaf, &[4, 0, 0x30, 0, 0x30, 0]) + 2;
    let with = |authorization: &[u8]| {
        let length = u8::try_from(authorization.len()).unwrap();
        let list = [&[0x30, length], authorization].concat();
        let by_software = certified(id, lists, 2, &list);
        assert_eq!(certified(id, |leaf| lists(leaf) + 2, 2, &list), by_software);
        by_software
    };
    let fault = |fault| Err(statement(fault));
    assert_eq!(with(&[]), Ok(()));
    // allApplications [600] NULL; origin [702]: generated, imported; purpose [1]: sign, decrypt and sign, verify.
    assert_eq!(with(&[0xbf, 0x84, 0x58, 2, 5, 0]), fault(StatementFault::AllApplications));
    assert_eq!(with(&[0xbf, 0x85, 0x3e, 3, 2, 1, 0]), Ok(()));
    assert_eq!(with(&[0xbf, 0x85, 0x3e, 3, 2, 1, 2]), fault(StatementFault::KeyOrigin));
    assert_eq!(with(&[0xa1, 5, 0x31, 3, 2, 1, 2]), Ok(()));
    assert_eq!(with(&[0xa1, 8, 0x31, 6, 2, 1, 1, 2, 1, 2]), Ok(()));
    assert_eq!(with(&[0xa1, 5, 0x31, 3, 2, 1, 3]), fault(StatementFault::Purpose));
}

/// Section 8.4, step 2: whoever signs with another key than the credential's has a certificate of that one.
#[test]
fn android_key_is_certified_for_the_credentials_own_key() {
    use p256::ecdsa::signature::Signer;
    use sha2::{Digest, Sha256};
    let key = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
    let point = key.verifying_key().to_sec1_point(false);
    let mut vector = vector("android-key-es256");
    let mut object = object(&vector);
    let auth_data = member(&mut object, "authData").as_bytes().unwrap().clone();
    let hash = Sha256::digest(&vector.registration.response.client_data_json.0);
    let signature: p256::ecdsa::DerSignature = key.sign(&[auth_data.as_slice(), &hash].concat());
    let statement_map = member(&mut object, "attStmt").as_map_mut().unwrap();
    *member(statement_map, "sig") = Cbor::Bytes(signature.as_bytes().to_vec());
    let leaf = &mut member(statement_map, "x5c").as_array_mut().unwrap()[0];
    let leaf = leaf.as_bytes_mut().unwrap();
    let at = place(leaf, &[3, 0x42, 0, 4]) + 3;
    leaf[at..at + 65].copy_from_slice(point.as_bytes());
    put(&mut vector, object);
    assert_eq!(vector.register().unwrap_err(), statement(StatementFault::CertificateKey));
}

/// Sections 8.2.1 and 8.3.1: an extension that names the model names this one, and is not critical.
#[test]
fn certificates_are_for_the_model() {
    for id in ["packed-es256", "tpm-es256"] {
        let aaguid = vector(id).register().unwrap().aaguid;
        let extension = |critical: &[u8], aaguid: &[u8]| {
            let oid = [6, 11, 0x2b, 6, 1, 4, 1, 0x82, 0xe5, 0x1c, 1, 1, 4];
            let length = 33 + u8::try_from(critical.len()).unwrap();
            let value = [&[4, 18, 4, 16], aaguid].concat();
            [&[0x30, length], &oid[..], critical, value.as_slice()].concat()
        };
        // In front of basicConstraints, which is the first extension.
        let first = |leaf: &[u8]| place(leaf, &[0x30, 12, 6, 3, 0x55, 29, 19]);
        let with = |extension: &[u8]| certified(id, first, 0, extension);
        assert_eq!(with(&extension(&[], &aaguid)), Ok(()), "{id}");
        let fault = Err(statement(StatementFault::Model));
        assert_eq!(with(&extension(&[], &[7; 16])), fault, "{id}");
        assert_eq!(with(&extension(&[1, 1, 0xff], &aaguid)), fault, "{id}");
    }
}

/// Section 8.3.1: the subject is empty.
#[test]
fn a_tpms_certificate_has_no_subject() {
    let id = "tpm-es256";
    // Behind the validity; the public key follows.
    let subject = |leaf: &[u8]| place(leaf, &[0x30, 0, 0x30, 0x59]);
    let name = [0x30, 0x0e, 0x31, 0x0c, 0x30, 0x0a, 6, 3, 0x55, 4, 3, 0x0c, 3, b'T', b'P', b'M'];
    assert_eq!(certified(id, subject, 2, &[0x30, 0]), Ok(()));
    assert_eq!(certified(id, subject, 2, &name), Err(statement(StatementFault::TpmSubject)));
}

/// Section 8.8.
#[test]
fn each_step_of_apple_can_fail() {
    let id = "apple-es256";
    let oid = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x63, 0x64, 8];
    let fault = replaced(id, "x5c", &[&oid[..], &[2]].concat(), &[&oid[..], &[3]].concat());
    assert_eq!(fault, statement(StatementFault::NonceMissing));
    let fault = replaced(id, "x5c", &[0xa1, 0x22, 4, 0x20], &[0xa2, 0x22, 4, 0x20]);
    assert_eq!(fault, statement(StatementFault::NonceMissing));
    let mut other = vector(id);
    other.registration.response.client_data_json.0.push(b' ');
    assert_eq!(other.register().unwrap_err(), statement(StatementFault::Nonce));
    let fault = replaced(id, "x5c", &[0x04, 0x8a, 0x3d, 0x5b], &[0x04, 0x8a, 0x3d, 0x5c]);
    assert_eq!(fault, statement(StatementFault::CertificateKey));
}

/// The vector `id` with its statement as one of `count` equal elements of `compound`.
fn compound(id: &str, count: usize, format: &str) -> Vector {
    let mut vector = vector(id);
    let mut object = object(&vector);
    let statement = member(&mut object, "attStmt").clone();
    let element = Cbor::Map(vec![("fmt".into(), format.into()), ("attStmt".into(), statement)]);
    *member(&mut object, "attStmt") = Cbor::Array(vec![element; count]);
    *member(&mut object, "fmt") = "compound".into();
    put(&mut vector, object);
    vector
}

/// Section 8.9.
#[test]
fn each_step_of_compound_can_fail() {
    let registered = compound("apple-es256", 2, "apple").register().unwrap();
    assert_eq!(registered.attestation, Attestation::Certificate);
    assert_eq!(registered.trust_paths.len(), 2);
    assert!(registered.trust_paths.iter().all(|path| path.format == "apple"));
    let registered = compound("packed-self-es256", 2, "packed").register().unwrap();
    assert_eq!(registered.attestation, Attestation::SelfSigned);

    let fault = |vector: Vector| vector.register().unwrap_err();
    assert_eq!(fault(compound("apple-es256", 1, "apple")), statement(StatementFault::TooFew));
    assert_eq!(fault(compound("apple-es256", 2, "compound")), statement(StatementFault::Nested));
    assert_eq!(fault(compound("apple-es256", 2, "tpm")), statement(StatementFault::Form));
    let mut stale = compound("apple-es256", 2, "apple");
    stale.registration.response.client_data_json.0.push(b' ');
    assert_eq!(fault(stale), statement(StatementFault::Nonce));
}

/// What is not checked is refused by name.
#[test]
fn safetynet_and_unknown_formats_are_refused() {
    let named = |format: &str| {
        let mut vector = vector("packed-es256");
        let mut object = object(&vector);
        *member(&mut object, "fmt") = format.into();
        put(&mut vector, object);
        vector.register().unwrap_err()
    };
    assert_eq!(named("android-safetynet"), statement(StatementFault::SafetyNet));
    assert_eq!(named("Packed"), Fault::Format);
}

/// Every vector with a certificate leads to the vectors' root; the rest needs none.
#[test]
fn every_vector_leads_to_the_root() {
    let roots = TrustRoots::new(&[super::super::tests::root()]).unwrap();
    for (id, trust) in [
        ("none-es256", Trust::None),
        ("packed-self-es256", Trust::SelfSigned),
        ("packed-es256", Trust::Anchored),
        ("packed-es384", Trust::Anchored),
        ("packed-es512", Trust::Anchored),
        ("packed-rs256", Trust::Anchored),
        ("packed-eddsa", Trust::Anchored),
        ("packed-ed448", Trust::Anchored),
        ("tpm-es256", Trust::Anchored),
        ("android-key-es256", Trust::Anchored),
        ("apple-es256", Trust::Anchored),
        ("fido-u2f-es256", Trust::Anchored),
    ] {
        let registered = vector(id).register().unwrap();
        assert_eq!(roots.assess(&registered, NOW), Ok(trust), "{id}");
    }
}
