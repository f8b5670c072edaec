//! The platform's side: every number of the published vectors, both protocols.

use super::*;
use crate::parts::{hex, unhex};
use serde_json::Value as Json;

fn vectors() -> Json {
    serde_json::from_str(include_str!("../../vectors/ctap-pin-protocol.json")).unwrap()
}

fn field(json: &Json, name: &str) -> Vec<u8> {
    unhex(json[name].as_str().unwrap_or_else(|| panic!("no {name}")))
}

fn agree(protocol: Protocol) -> Shared {
    let vectors = vectors();
    let theirs = &vectors["authenticator_public_key"];
    let private = field(&vectors, "platform_private_key").try_into().unwrap();
    Shared::agree(protocol, &cose_key_agreement(&field(theirs, "x"), &field(theirs, "y")), &private)
}

/// PT-20: the shared secrets.
#[test]
fn key_agreement_gives_the_published_secrets_and_public_key() {
    let vectors = vectors();
    let ours = &vectors["platform_public_key"];
    let one = agree(Protocol::One);
    assert_eq!(one.platform_key, cose_key_agreement(&field(ours, "x"), &field(ours, "y")));
    assert_eq!(one.secret, field(&vectors["protocol1"], "shared_secret"));
    let two = agree(Protocol::Two);
    assert_eq!(two.secret, field(&vectors["protocol2"], "shared_secret_hmac_key_then_aes_key"));
    assert_eq!(one.secret, Protocol::One.kdf(&field(&vectors, "ecdh_z")));
}

/// The IV is in front of the published ciphertext.
fn encrypts_as_published(shared: &Shared, plaintext: &[u8], ciphertext: &[u8]) {
    let iv = if shared.protocol == Protocol::Two { &ciphertext[..16] } else { &[0; 16] };
    let ours = shared.protocol.encrypt(&shared.secret, iv.try_into().unwrap(), plaintext);
    assert_eq!(hex(&ours), hex(ciphertext));
    assert_eq!(shared.decrypt(ciphertext), plaintext);
}

/// PT-20: encrypt and authenticate with a shared secret.
#[test]
fn setting_changing_and_using_a_pin_gives_the_published_bytes() {
    let vectors = vectors();
    for (protocol, name) in [(Protocol::One, "protocol1"), (Protocol::Two, "protocol2")] {
        let (shared, numbers) = (agree(protocol), &vectors[name]);
        encrypts_as_published(
            &shared,
            &field(numbers, "pin_token"),
            &field(numbers, "pin_token_enc"),
        );

        let set = &numbers["set_pin"];
        let new_pin_enc = field(set, "new_pin_enc");
        encrypts_as_published(&shared, &padded("1234"), &new_pin_enc);
        assert_eq!(shared.authenticate(&new_pin_enc), field(set, "pin_uv_auth_param"));

        let change = &numbers["change_pin"];
        let (new, old) = (field(change, "new_pin_enc"), field(change, "pin_hash_enc"));
        encrypts_as_published(&shared, &padded("4321"), &new);
        encrypts_as_published(&shared, &pin_hash("1234"), &old);
        assert_eq!(shared.authenticate(&[new, old].concat()), field(change, "pin_uv_auth_param"));
    }
}

/// PT-20: authenticate with a token.
#[test]
fn pin_uv_auth_param_is_as_published() {
    let vectors = vectors();
    let cases = [
        (Protocol::One, &vectors["protocol1"]["computed_authenticate_client_data_hash"]),
        (Protocol::Two, &vectors["protocol2"]["authenticate_client_data_hash"]),
    ];
    for (protocol, case) in cases {
        let token = Token::new(protocol, field(case, "token"));
        assert_eq!(token.authenticate(&field(case, "message")), field(case, "param"));
    }
    for case in vectors["hmac_cases"].as_array().unwrap() {
        let protocol = if case["protocol"] == 1 { Protocol::One } else { Protocol::Two };
        let key = protocol.kdf(&field(case, "ecdh_z"));
        assert_eq!(protocol.authenticate(&key, &field(case, "message")), field(case, "param"));
    }
}
