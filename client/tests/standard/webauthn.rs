//! `webauthn-l3.json`: each pair of ceremonies made again by a page of the vectors' origin, with a key that has the
//! vectors' authenticator data and private keys, and signs what the client sends it. What comes out is compared byte for
//! byte (WebAuthn Level 3, Test Vectors).

use ciborium::Value as Cbor;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use softkey_client::base64url;
use softkey_client::client_data::ClientData;
use softkey_client::{
    Credential, CredentialCreationOptions, CredentialRequestOptions, Entropy, Feature, Frame,
    Input, KeyId, Need, Output, Page, Profile, Reach, Request,
};
use softkey_ctap::{Instant, Secret};

use crate::signer::Signer;
use crate::vectors::{cases, parse, unhex};

const NOW: Instant = Instant::from_millis(0);

pub(crate) fn file() -> Value {
    parse(include_str!("../../../tests/vectors/webauthn-l3.json"))
}

pub(crate) fn check(case: &Value) {
    let id = registers(case);
    signs_in(case, &id);
}

/// The registration; the credential's identifier.
fn registers(case: &Value) -> String {
    let registration = &case["registration"];
    let options = json!({"publicKey": {
        "rp": {"id": "example.org", "name": "Example"},
        "user": {"id": "AQ", "name": "ada", "displayName": "Ada"},
        "challenge": base64url::encode(&unhex(&registration["challenge"])),
        "pubKeyCredParams": [{"type": "public-key", "alg": case["cose_alg"]}],
        "authenticatorSelection": {"userVerification": "discouraged"},
        "attestation": "direct",
    }});
    let options = CredentialCreationOptions::from_json(&options.to_string()).unwrap();
    let mut page = page(registration);
    page.activate();
    let request = page.credentials().create(NOW, options, entropy());
    let object = unhex(&registration["attestationObject"]);
    let made = serve(request, |message| made(&Signer(case), &object, message));
    let made = made.registration().unwrap();
    same_client_data(&made.response.client_data_json.0, registration);
    assert_eq!(made.response.attestation_object.0, object);
    assert_eq!(made.raw_id.0, unhex(&registration["credential_id"]));
    assert_eq!(made.response.public_key_algorithm, case["cose_alg"].as_i64().unwrap());
    made.id
}

/// The sign-in.
fn signs_in(case: &Value, id: &str) {
    let authentication = &case["authentication"];
    let options = json!({"publicKey": {
        "rpId": "example.org",
        "challenge": base64url::encode(&unhex(&authentication["challenge"])),
        "allowCredentials": [{"type": "public-key", "id": id}],
        "userVerification": "discouraged",
    }});
    let options = CredentialRequestOptions::from_json(&options.to_string()).unwrap();
    let mut page = page(authentication);
    let request = page.credentials().get(NOW, options, entropy());
    let data = unhex(&authentication["authenticatorData"]);
    let signature = unhex(&authentication["signature"]);
    let sign = |hash: &[u8]| {
        Signer(case).sign(&[&data, hash].concat()).unwrap_or_else(|| {
            // Nobody signs by Ed448 here: the vector's signature only shows that it gets through.
            assert_eq!(case["id"], "packed-ed448");
            signature.clone()
        })
    };
    let signed = serve(request, |message| {
        let signature = sign(&client_data_hash(message, 2));
        map(&[(2, Cbor::Bytes(data.clone())), (3, Cbor::Bytes(signature))])
    });
    let signed = signed.authentication().unwrap();
    let client_data_json = &signed.response.client_data_json.0;
    same_client_data(client_data_json, authentication);
    assert_eq!(signed.response.authenticator_data.0, data);
    // The page's own client data are the vector's in all cases but the one of level 2.
    assert_eq!(signed.response.signature.0, sign(&Sha256::digest(client_data_json)));
    let given = unhex(&authentication["clientDataJSON"]);
    assert_eq!(sign(&Sha256::digest(given)), signature);
    assert_eq!(signed.id, id);
}

fn entropy() -> Entropy {
    Entropy::from_seed(&Secret::new([1; 32]))
}

fn client_data(part: &Value) -> Value {
    serde_json::from_slice(&unhex(&part["clientDataJSON"])).unwrap()
}

/// The page whose client data the vector has: its frames and its further member.
fn page(part: &Value) -> Page {
    let client_data = client_data(part);
    let profile = Profile::new();
    if let Some(extra) = client_data.get("extraData") {
        let extra = json!({ "extraData": extra }).as_object().cloned();
        profile.set(|settings| settings.client_data_extra = extra);
    }
    let own = Frame::new("https://example.org")
        .allow(Feature::PublicKeyCredentialsCreate)
        .allow(Feature::PublicKeyCredentialsGet);
    let top = client_data["topOrigin"].as_str().map(Frame::new);
    Page::framed(&profile, top, own)
}

/// One case is of level 2: in a frame of another origin, but without `topOrigin`, which a page of this client always
/// has there. Its bytes are compared without a page.
fn same_client_data(made: &[u8], part: &Value) {
    let expected = unhex(&part["clientDataJSON"]);
    let data = client_data(part);
    if data["crossOrigin"] == true && data.get("topOrigin").is_none() {
        let extra = json!({ "extraData": data["extraData"] }).to_string();
        let level_2 = ClientData {
            kind: data["type"].as_str().unwrap(),
            challenge: &unhex(&part["challenge"]),
            origin: data["origin"].as_str().unwrap(),
            cross_origin: true,
            top_origin: None,
            extra: data.get("extraData").map(|_| extra.as_str()),
        };
        return assert_eq!(level_2.to_json(), expected);
    }
    assert_eq!(String::from_utf8_lossy(made), String::from_utf8_lossy(&expected));
}

fn map(members: &[(i64, Cbor)]) -> Vec<u8> {
    let members = members.iter().map(|(key, value)| (Cbor::from(*key), value.clone())).collect();
    let mut bytes = vec![0];
    ciborium::into_writer(&Cbor::Map(members), &mut bytes).unwrap();
    bytes
}

/// The client data hash in a message to the key: a member of another number in each command.
fn client_data_hash(message: &[u8], key: i64) -> Vec<u8> {
    let request: Cbor = ciborium::from_reader(&message[1..]).unwrap();
    let members = request.into_map().unwrap();
    let member = members.into_iter().find(|(name, _)| *name == key.into());
    member.unwrap().1.into_bytes().unwrap()
}

/// The response to this authenticatorMakeCredential, for what this attestation object has, but signed anew.
fn made(signer: &Signer<'_>, object: &[u8], message: &[u8]) -> Vec<u8> {
    let object: Cbor = ciborium::from_reader(object).unwrap();
    let member = |name: &str| {
        let members = object.as_map().unwrap();
        members.iter().find(|(key, _)| key.as_text() == Some(name)).unwrap().1.clone()
    };
    let (fmt, data) = (member("fmt"), member("authData"));
    let hash = client_data_hash(message, 1);
    let (text, bytes) = (fmt.as_text().unwrap(), data.as_bytes().unwrap());
    let statement = signer.statement(text, &member("attStmt"), bytes, &hash);
    map(&[(1, fmt), (2, data), (3, statement)])
}

/// Serves a request with one key that gives this answer to a message.
fn serve(mut request: Request, answer: impl Fn(&[u8]) -> Vec<u8>) -> Credential {
    let key = KeyId(0);
    let info = map(&[
        (1, Cbor::Array(vec!["FIDO_2_1".into()])),
        (3, Cbor::Bytes(vec![0; 16])),
        (5, 7609.into()),
    ]);
    request.add_key(NOW, key, Reach { ctap2: true, u2f: false });
    request.no_more_keys(NOW);
    loop {
        match request.poll_output(NOW) {
            Some(Output::Needs { need: Need::Cbor(message), .. }) => {
                let answer = if message == [4] { info.clone() } else { answer(&message) };
                request.handle_input(NOW, key, Input::Response(answer));
            }
            Some(Output::Settled(result)) => return result.unwrap().unwrap(),
            other => panic!("{other:?}"),
        }
    }
}

cases! { file, check:
    none_es256 = 0,
    packed_self_es256 = 1,
    none_es256_crossorigin = 2,
    none_es256_toporigin = 3,
    none_es256_long_credential_id = 4,
    packed_es256 = 5,
    packed_es384 = 6,
    packed_es512 = 7,
    packed_rs256 = 8,
    packed_eddsa = 9,
    packed_ed448 = 10,
    tpm_es256 = 11,
    android_key_es256 = 12,
    apple_es256 = 13,
    fido_u2f_es256 = 14,
}
