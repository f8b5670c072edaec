//! PINs against the numbers of `ctap-pin-protocol.json`, and the rules for new ones.

use std::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};
use serde_json::Value;
use softkey_ctap::cose::KeyAgreementKey;
use softkey_ctap::pin_uv::{KeyAgreement, Protocol, SharedSecret};

use super::*;
use crate::script::{self, CTAP2, entropy, play};

pub(crate) fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../tests/vectors/ctap-pin-protocol.json")).unwrap()
}

pub(crate) fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap();
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

/// Gives the initialization vector that the expected ciphertext starts with.
struct Iv(Vec<u8>);

impl TryRng for Iv {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        panic!("only bytes are asked for")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        panic!("only bytes are asked for")
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        dst.copy_from_slice(&self.0[..dst.len()]);
        Ok(())
    }
}

impl TryCryptoRng for Iv {}

fn shared(protocol: Protocol) -> SharedSecret {
    let vectors = vectors();
    let ours = Secret::from_slice(&bytes(&vectors["platform_private_key"])).unwrap();
    let theirs = &vectors["authenticator_public_key"];
    let (x, y) = (bytes(&theirs["x"]), bytes(&theirs["y"]));
    let theirs =
        KeyAgreementKey::new(x.as_slice().try_into().unwrap(), y.as_slice().try_into().unwrap());
    let ours = KeyAgreement::from_bytes(&ours).unwrap();
    ours.shared_secret(protocol, &theirs).unwrap()
}

fn messages_are_those_of(protocol: Protocol, name: &str) {
    let vectors = vectors();
    let vectors = &vectors[name];
    let shared = shared(protocol);
    let encrypts_to = |plain: &[u8], expected: &Value| {
        let expected = bytes(expected);
        let Ok(cipher) = shared.encrypt(&mut Iv(expected.clone()), plain);
        assert_eq!(cipher, expected);
        cipher
    };
    let info = Info::from_bytes(script::info(&[])[1..].to_vec()).unwrap();

    let token = &vectors["get_pin_token"];
    let pin = Pin::new(token["pin"].as_str().unwrap());
    encrypts_to(pin.hash().expose(), &token["pin_hash_enc"]);

    let set = &vectors["set_pin"];
    let new = Pin::new(set["new_pin"].as_str().unwrap());
    let new_enc = encrypts_to(new.padded(&info).ok().unwrap().expose(), &set["new_pin_enc"]);
    assert_eq!(shared.authenticate(&[&new_enc]), bytes(&set["pin_uv_auth_param"]));

    let change = &vectors["change_pin"];
    let new = Pin::new(change["new_pin"].as_str().unwrap());
    let old = Pin::new(change["old_pin"].as_str().unwrap());
    let new_enc = encrypts_to(new.padded(&info).ok().unwrap().expose(), &change["new_pin_enc"]);
    let old_enc = encrypts_to(old.hash().expose(), &change["pin_hash_enc"]);
    let param = shared.authenticate(&[&new_enc, &old_enc]);
    assert_eq!(param, bytes(&change["pin_uv_auth_param"]));
}

#[test]
fn protocol_one_messages_are_those_of_the_vectors() {
    messages_are_those_of(Protocol::One, "protocol1");
}

#[test]
fn protocol_two_messages_are_those_of_the_vectors() {
    messages_are_those_of(Protocol::Two, "protocol2");
}

/// CTAP 2.3 section 6.5.1: code points count, not bytes, and normal form C is hashed.
#[test]
fn a_new_pin_is_judged_by_code_points_in_normal_form() {
    let info = Info::from_bytes(script::info(&[])[1..].to_vec()).unwrap();
    let rule = |pin: &str| Pin::new(pin).padded(&info).err();
    assert_eq!(rule("1234"), None);
    assert_eq!(rule("ééé"), Some(PinRule::TooShort(4)));
    assert_eq!(rule("e\u{301}e\u{301}e\u{301}"), Some(PinRule::TooShort(4)));
    assert_eq!(rule(&"1".repeat(63)), None);
    assert_eq!(rule(&"1".repeat(64)), Some(PinRule::TooLong(63)));
    assert_eq!(rule(&"é".repeat(32)), Some(PinRule::TooLong(63)));
    assert_eq!(rule("12\u{0}34"), Some(PinRule::Zero));
    assert!(Pin::new("e\u{301}").hash() == Pin::new("\u{e9}").hash());
}

#[test]
fn a_pin_is_set_only_where_none_is_and_changed_only_where_one_is() {
    let pin = || Pin::new("1234");
    let unset = script::info(&[("clientPin", false)]);
    let (result, _) = play(change(pin(), pin(), CTAP2, entropy()), &[unset]);
    assert_eq!(result, Err(Cause::PinNotSet));
    let is_set = script::info(&[("clientPin", true)]);
    let (result, _) = play(set(pin(), CTAP2, entropy()), &[is_set]);
    assert_eq!(result, Err(Cause::PinSetAlready));
    let (result, _) = play(set(pin(), CTAP2, entropy()), &[script::info(&[])]);
    assert_eq!(result, Err(Cause::NoSuchCommand));
}

#[test]
fn what_is_left_of_the_tries_is_counted() {
    let answers =
        [script::info(&[("clientPin", true)]), script::ok(vec![(3, 5.into()), (4, true.into())])];
    let (result, sent) = play(retries(CTAP2, entropy()), &answers);
    assert_eq!(result, Ok(Retries { pin: Some(5), power_cycle: true, uv: None }));
    assert_eq!((sent[1].command, sent[1].get(2)), (6, Some(&1.into())));
}
