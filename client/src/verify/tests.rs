//! The checks against the published vectors of WebAuthn Level 3, and each check made to fail.

use p256::ecdsa::signature::Signer;
use serde_json::Value;
use softkey_ctap::cose::algorithm::{
    ED448, EDDSA, ES256, ES384, ES512, ML_DSA_44, ML_DSA_65, ML_DSA_87, RS256,
};

use super::*;
use crate::response::{AssertionResponse, AttestationResponse, Bytes, PublicKeyCredential};

pub(super) struct Vector {
    pub(super) registration: RegistrationResponse,
    authentication: AuthenticationResponse,
    registration_challenge: Vec<u8>,
    authentication_challenge: Vec<u8>,
}

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../tests/vectors/webauthn-l3.json")).unwrap()
}

/// The root of all the vectors' certificates, in DER.
pub(super) fn root() -> Vec<u8> {
    unhex(vectors()["attestation_root"]["attestation_ca_cert"].as_str().unwrap())
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |i| u8::from_str_radix(&text[i..i + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

/// DER in which `length` bytes from `at` on, whole values, are replaced by others; the lengths around them follow. What
/// lies in an OCTET STRING is taken for DER, as it is in extensions.
pub(super) fn spliced(der: &[u8], at: usize, length: usize, by: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut from = 0;
    while from < der.len() {
        if from == at {
            return [&out, by, &der[at + length..]].concat();
        }
        let (head, content) = match usize::from(der[from + 1]) {
            short @ 0..=0x7f => (2, short),
            0x81 => (3, usize::from(der[from + 2])),
            _ => (4, usize::from(der[from + 2]) << 8 | usize::from(der[from + 3])),
        };
        let (start, end) = (from + head, from + head + content);
        if (start..end).contains(&at) {
            let inner = spliced(&der[start..end], at - start, length, by);
            let size = u16::try_from(inner.len()).unwrap().to_be_bytes();
            out.push(der[from]);
            match inner.len() {
                short @ 0..=0x7f => out.push(u8::try_from(short).unwrap()),
                0x80..=0xff => out.extend([0x81, size[1]]),
                _ => out.extend([0x82, size[0], size[1]]),
            }
            return [&out, inner.as_slice(), &der[end..]].concat();
        }
        out.extend(&der[from..end]);
        from = end;
    }
    panic!("there is no value at {at}");
}

/// Where these bytes stand.
pub(super) fn place(bytes: &[u8], wanted: &[u8]) -> usize {
    bytes.windows(wanted.len()).position(|window| window == wanted).unwrap()
}

pub(super) fn vector(id: &str) -> Vector {
    let file = vectors();
    let case = file["cases"].as_array().unwrap().iter().find(|case| case["id"] == id);
    let case = case.unwrap_or_else(|| panic!("no vector {id}"));
    let hex = |part: &str, member: &str| {
        let text = case[part][member].as_str().unwrap_or_else(|| panic!("{part}.{member}"));
        unhex(text)
    };
    let credential_id = hex("registration", "credential_id");
    Vector {
        registration: PublicKeyCredential::new(
            credential_id.clone(),
            AttestationResponse {
                client_data_json: Bytes(hex("registration", "clientDataJSON")),
                authenticator_data: Bytes::default(),
                transports: vec![],
                public_key: None,
                public_key_algorithm: 0,
                attestation_object: Bytes(hex("registration", "attestationObject")),
            },
            "cross-platform",
        ),
        authentication: PublicKeyCredential::new(
            credential_id,
            AssertionResponse {
                client_data_json: Bytes(hex("authentication", "clientDataJSON")),
                authenticator_data: Bytes(hex("authentication", "authenticatorData")),
                signature: Bytes(hex("authentication", "signature")),
                user_handle: None,
                attestation_object: None,
            },
            "cross-platform",
        ),
        registration_challenge: hex("registration", "challenge"),
        authentication_challenge: hex("authentication", "challenge"),
    }
}

fn expected(challenge: &[u8]) -> Expected<'_> {
    Expected::new(challenge, "https://example.org", "example.org")
}

impl Vector {
    pub(super) fn register(&self) -> Result<Registered, Fault> {
        let expected = expected(&self.registration_challenge);
        registration(&self.registration, &expected, &[ES256, EDDSA, ES384, ES512, RS256, ED448])
    }

    fn sign_in(&self, record: &CredentialRecord) -> Result<Authenticated, Fault> {
        authentication(&self.authentication, &expected(&self.authentication_challenge), record)
    }
}

/// Both ceremonies of a vector hold, and the attestation shows what it should; a changed signature does not.
fn holds(id: &str, attestation: Attestation) {
    let mut vector = vector(id);
    let registered = vector.register().unwrap();
    assert_eq!(registered.attestation, attestation);
    vector.sign_in(&registered.record).unwrap();
    let signature = &mut vector.authentication.response.signature.0;
    *signature.last_mut().unwrap() ^= 1;
    assert_eq!(vector.sign_in(&registered.record), Err(Fault::Signature));
}

#[test]
fn none_es256_holds() {
    holds("none-es256", Attestation::None);
}

#[test]
fn packed_self_es256_holds() {
    holds("packed-self-es256", Attestation::SelfSigned);
}

#[test]
fn packed_es256_holds() {
    holds("packed-es256", Attestation::Certificate);
}

#[test]
fn packed_es384_holds() {
    holds("packed-es384", Attestation::Certificate);
}

#[test]
fn packed_es512_holds() {
    holds("packed-es512", Attestation::Certificate);
}

#[test]
fn packed_rs256_holds() {
    holds("packed-rs256", Attestation::Certificate);
}

#[test]
fn packed_eddsa_holds() {
    holds("packed-eddsa", Attestation::Certificate);
}

#[test]
fn fido_u2f_es256_holds() {
    holds("fido-u2f-es256", Attestation::Certificate);
}

#[test]
fn a_credential_identifier_of_1023_bytes_holds() {
    holds("none-es256-long-credential-id", Attestation::None);
}

#[test]
fn a_frame_of_another_origin_is_refused() {
    assert_eq!(vector("none-es256-crossOrigin").register(), Err(Fault::CrossOrigin));
}

#[test]
fn tpm_es256_holds() {
    holds("tpm-es256", Attestation::Certificate);
}

#[test]
fn android_key_es256_holds() {
    holds("android-key-es256", Attestation::Certificate);
}

#[test]
fn apple_es256_holds() {
    holds("apple-es256", Attestation::Certificate);
}

/// The attestation, that is: signatures of Ed448 itself are not checked, for want of a released library.
#[test]
fn packed_ed448_registers_and_cannot_sign_in() {
    let vector = vector("packed-ed448");
    let registered = vector.register().unwrap();
    assert_eq!(registered.attestation, Attestation::Certificate);
    assert_eq!(vector.sign_in(&registered.record), Err(Fault::Ed448));
    assert_eq!(Fault::Ed448.to_string(), "Signatures of Ed448 are not checked here.");
}

/// Whether the algorithm or the curve alone says so; a key whose algorithm and curve differ is none at all.
#[test]
fn ed448_has_a_cause_of_its_own() {
    let fault = |alg, crv| {
        let key = PublicKey::Okp { alg, crv, x: &[0; 57] };
        signature::verify(&key, b"message", &[0; 114])
    };
    assert_eq!(fault(ED448, 7), Err(Fault::Ed448));
    assert_eq!(fault(EDDSA, 7), Err(Fault::Ed448));
    assert_eq!(fault(ED448, 6), Err(Fault::Key));
}

/// WebAuthn Level 3 section 7.1, steps 7 to 15.
#[test]
fn each_check_of_a_registration_can_fail() {
    let vector = vector("packed-self-es256");
    let fault = |expected: Expected<'_>, algorithms: &[i64]| {
        registration(&vector.registration, &expected, algorithms).unwrap_err()
    };
    let right = expected(&vector.registration_challenge);
    assert_eq!(fault(expected(&[0]), &[ES256]), Fault::Challenge);
    assert_eq!(fault(Expected { origin: "https://example.com", ..right }, &[ES256]), Fault::Origin);
    assert_eq!(fault(Expected { rp_id: "example.com", ..right }, &[ES256]), Fault::RpIdHash);
    assert_eq!(fault(right, &[EDDSA]), Fault::Algorithm(ES256));

    let mut other = vector.registration.clone();
    other.raw_id.0[0] ^= 1;
    assert_eq!(registration(&other, &right, &[ES256]), Err(Fault::OtherCredential));
    let mut other = vector.registration.clone();
    other.response.client_data_json = vector.authentication.response.client_data_json.clone();
    assert_eq!(registration(&other, &right, &[ES256]), Err(Fault::Type));
}

/// A statement that signs something else, or by another key, does not hold.
#[test]
fn a_changed_statement_is_refused() {
    for id in ["packed-self-es256", "packed-es256", "fido-u2f-es256"] {
        let mut vector = vector(id);
        let json = &mut vector.registration.response.client_data_json.0;
        // One more white space: the same meaning, another hash.
        json.push(b' ');
        assert_eq!(vector.register(), Err(StatementFault::Signature.into()), "{id}");
    }
}

/// WebAuthn Level 3 section 7.2, steps 17 to 22.
#[test]
fn each_check_of_a_sign_in_can_fail() {
    let vector = vector("none-es256");
    let record = vector.register().unwrap().record;
    let right = expected(&vector.authentication_challenge);
    let fault = |expected: Expected<'_>, record: &CredentialRecord| {
        authentication(&vector.authentication, &expected, record).unwrap_err()
    };
    let verified = Expected { user_verification: true, ..right };
    assert_eq!(fault(verified, &record), Fault::NotVerified);
    assert_eq!(fault(Expected { rp_id: "example.com", ..right }, &record), Fault::RpIdHash);
    let flipped = CredentialRecord { backup_eligible: !record.backup_eligible, ..record.clone() };
    assert_eq!(fault(right, &flipped), Fault::BackupFlags);
    let ahead = CredentialRecord { sign_count: 7, ..record.clone() };
    assert_eq!(fault(right, &ahead), Fault::Counter { last: 7, now: 0 });
    let other = CredentialRecord { id: vec![1], ..record };
    assert_eq!(fault(right, &other), Fault::OtherCredential);
}

/// A response of one ceremony is none of the other.
#[test]
fn a_response_is_of_its_ceremony() {
    let Vector { registration, authentication, .. } = vector("none-es256");
    let made = serde_json::to_value(&registration).unwrap();
    let signed = serde_json::to_value(&authentication).unwrap();
    let read_made = serde_json::from_value::<RegistrationResponse>;
    let read_signed = serde_json::from_value::<AuthenticationResponse>;
    assert_eq!(read_made(made.clone()).unwrap(), registration);
    assert_eq!(read_signed(signed.clone()).unwrap(), authentication);
    let fault = read_made(signed).unwrap_err().to_string();
    assert_eq!(fault, "missing field `attestationObject`");
    assert_eq!(read_signed(made).unwrap_err().to_string(), "missing field `signature`");
}

#[test]
fn what_cannot_be_read_is_refused() {
    let right = vector("none-es256");
    let record = right.register().unwrap().record;
    for json in [b"{\"type\": \"\xff\"}".as_slice(), b"{\"type\": 1}", b""] {
        let mut vector = vector("none-es256");
        vector.registration.response.client_data_json.0 = json.to_vec();
        vector.authentication.response.client_data_json.0 = json.to_vec();
        assert_eq!(vector.register(), Err(Fault::ClientData));
        assert_eq!(vector.sign_in(&record), Err(Fault::ClientData));
    }
    let mut vector = vector("none-es256");
    vector.registration.response.attestation_object.0.pop();
    assert!(matches!(vector.register(), Err(Fault::Unreadable(_))));
    vector.authentication.response.authenticator_data.0.pop();
    assert!(matches!(vector.sign_in(&record), Err(Fault::Unreadable(_))));
    let cut = CredentialRecord { public_key: record.public_key[1..].to_vec(), ..record };
    // That is no fault of the response.
    assert_eq!(right.sign_in(&cut), Err(Fault::Key));
}

/// Nothing has looked at the key where there is no statement, and nobody could sign in with it.
#[test]
fn a_key_off_its_curve_is_not_registered() {
    let mut vector = vector("none-es256");
    let last = vector.registration.response.attestation_object.0.last_mut().unwrap();
    *last ^= 1; // of the coordinate y
    assert_eq!(vector.register(), Err(Fault::Key));
}

/// The vector in a frame, whose page is `https://example.com`.
#[test]
fn a_page_around_the_page_is_expected_at_sign_in_too() {
    let vector = vector("none-es256-topOrigin");
    let tops = |frames| {
        let made = expected(&vector.registration_challenge);
        let made = Expected { frames: Some(&["https://example.com"]), ..made };
        let record = registration(&vector.registration, &made, &[ES256]).unwrap().record;
        let expected = Expected { frames, ..expected(&vector.authentication_challenge) };
        authentication(&vector.authentication, &expected, &record).map(drop)
    };
    assert_eq!(tops(Some(&["https://example.com"])), Ok(()));
    assert_eq!(tops(Some(&["https://example.net"])), Err(Fault::TopOrigin));
    assert_eq!(tops(None), Err(Fault::CrossOrigin));
}

/// Against the values that were read from the vectors' bytes elsewhere.
#[test]
fn the_record_is_what_was_registered() {
    for id in ["none-es256", "packed-self-es256", "packed-es384", "packed-rs256", "fido-u2f-es256"]
    {
        let mut vector = vector(id);
        vector.registration.response.transports = vec!["nfc".to_owned(), "usb".to_owned()];
        let file = vectors();
        let case = file["cases"].as_array().unwrap().iter().find(|case| case["id"] == id).unwrap();
        let (made, expected) = (&case["registration"], &case["expected"]);
        let flag = |name: &str| expected["registration_flags"][name].as_bool().unwrap();
        let record = CredentialRecord {
            id: unhex(made["credential_id"].as_str().unwrap()),
            public_key: unhex(expected["credential_public_key_cose"].as_str().unwrap()),
            sign_count: 0,
            uv_initialized: flag("UV"),
            transports: vec!["nfc".to_owned(), "usb".to_owned()],
            backup_eligible: flag("BE"),
            backup_state: flag("BS"),
        };
        assert_eq!(vector.register().unwrap().record, record, "{id}");
    }
}

/// A user who was verified later for the first time stays unverified in the record: that takes another factor.
#[test]
fn a_sign_in_changes_only_what_may_change() {
    for (id, initialized, verified, backed_up, now_backed_up) in
        [("packed-es384", false, true, true, false), ("packed-es512", true, false, false, true)]
    {
        let vector = vector(id);
        let record = vector.register().unwrap().record;
        assert_eq!((record.uv_initialized, record.backup_state), (initialized, backed_up), "{id}");
        let signed = vector.sign_in(&record).unwrap();
        let expected = CredentialRecord { backup_state: now_backed_up, ..record };
        assert_eq!(signed, Authenticated { record: expected, user_verified: verified }, "{id}");
    }
}

/// Members and signed outputs that nobody asked for, and none at all.
#[test]
fn extension_outputs_that_nobody_asked_for_do_no_harm() {
    let mut vector = vector("none-es256");
    let mut made = serde_json::to_value(&vector.registration).unwrap();
    made["clientExtensionResults"] = serde_json::json!({ "unheardOf": { "of": [1] } });
    vector.registration = serde_json::from_value(made.clone()).unwrap();
    vector.register().unwrap();
    made.as_object_mut().unwrap().remove("clientExtensionResults");
    vector.registration = serde_json::from_value(made).unwrap();
    vector.register().unwrap();

    let extended = |data: &[u8]| {
        let mut data = [data, b"\xa1\x69unheardOf\xf5"].concat();
        data[32] |= Flags::EXTENSIONS.0;
        data
    };
    let object = vector.registration.response.attestation_object.0.clone();
    let object: AttestationObject<'_> = cbor::decode_within(&object, OBJECT_LEVELS).unwrap();
    let auth_data = extended(object.auth_data);
    let object = AttestationObject { auth_data: &auth_data, ..object };
    vector.registration.response.attestation_object.0 = cbor::encode(&object);
    let record = vector.register().unwrap().record;

    let file = vectors();
    let secret = file["cases"][0]["registration"]["credential_private_key"].as_str().unwrap();
    let secret = p256::ecdsa::SigningKey::from_slice(&unhex(secret)).unwrap();
    let response = &mut vector.authentication.response;
    response.authenticator_data.0 = extended(&response.authenticator_data.0);
    let hash = hash(&response.client_data_json.0);
    let message = [response.authenticator_data.0.as_slice(), &hash].concat();
    let signature: p256::ecdsa::Signature = secret.sign(&message);
    response.signature.0 = signature.to_der().as_bytes().to_vec();
    vector.sign_in(&record).unwrap();
}

/// ML-DSA, for which WebAuthn has no vectors yet: a signature by the library's own signer holds, a changed one and one
/// with a context do not, and a key of another length is none.
fn ml_dsa_holds<P: ml_dsa::MlDsaParams>(alg: i64) {
    use ml_dsa::{Keypair, SigningKey};
    let signer = SigningKey::<P>::from_seed(&ml_dsa::B32::default());
    let public = signer.verifying_key().encode().to_vec();
    let sign = |context: &[u8]| {
        let signature = signer.expanded_key().sign_deterministic(b"message", context).unwrap();
        signature.encode().to_vec()
    };
    let verify = |public: &[u8], signature: &[u8]| {
        signature::verify(&PublicKey::Akp { alg, public }, b"message", signature)
    };
    let mut signature = sign(b"");
    assert_eq!(verify(&public, &signature), Ok(()));
    assert_eq!(verify(&public[1..], &signature), Err(Fault::Key));
    assert_eq!(verify(&public, &signature[1..]), Err(Fault::Signature));
    assert_eq!(verify(&public, &sign(b"context")), Err(Fault::Signature));
    signature[7] ^= 1;
    assert_eq!(verify(&public, &signature), Err(Fault::Signature));
}

#[test]
fn ml_dsa_44_holds() {
    ml_dsa_holds::<ml_dsa::MlDsa44>(ML_DSA_44);
}

#[test]
fn ml_dsa_65_holds() {
    ml_dsa_holds::<ml_dsa::MlDsa65>(ML_DSA_65);
}

#[test]
fn ml_dsa_87_holds() {
    ml_dsa_holds::<ml_dsa::MlDsa87>(ML_DSA_87);
}
