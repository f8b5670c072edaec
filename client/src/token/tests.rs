//! Tokens against the numbers of `ctap-pin-protocol.json`.

use serde_json::Value;
use softkey_ctap::pin_uv::Protocol;

use super::*;
use crate::pin::tests::{bytes, vectors};

fn token_signs(protocol: Protocol, name: &str, case: &str) {
    let vectors: Value = vectors();
    let case = &vectors[name][case];
    let token = Token::from_bytes(protocol, &bytes(&case["token"])).unwrap();
    assert_eq!(token.authenticate(&[&bytes(&case["message"])]), bytes(&case["param"]));
    assert_eq!(token.protocol_number(), protocol.number());
}

/// A token of 16 bytes, as keys of protocol one may give it.
#[test]
fn protocol_one_signs_with_a_short_token() {
    token_signs(Protocol::One, "protocol1", "computed_authenticate_client_data_hash");
}

#[test]
fn protocol_two_signs() {
    token_signs(Protocol::Two, "protocol2", "authenticate_client_data_hash");
}

#[test]
fn tokens_of_other_lengths_are_none() {
    assert!(Token::from_bytes(Protocol::Two, &[1; 16]).is_none());
    assert!(Token::from_bytes(Protocol::One, &[1; 48]).is_none());
    assert!(Token::from_bytes(Protocol::One, &[]).is_none());
}
