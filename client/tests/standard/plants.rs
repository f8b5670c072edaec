//! The checks of this suite see what is wrong: each against a case that was changed.

use serde_json::{Value, json};

use crate::{client_data, public_suffix, related_origins, rp_id, webauthn};

fn changed(file: &Value, number: usize, member: &str, value: Value) -> Value {
    let mut case = file["cases"][number].clone();
    assert_ne!(case[member], value);
    case[member] = value;
    case
}

#[test]
#[should_panic(expected = "assertion `left == right` failed")]
fn another_origin_in_the_client_data() {
    client_data::check(&changed(&client_data::file(), 0, "origin", json!("https://a.example")));
}

#[test]
#[should_panic(expected = "assertion `left == right` failed")]
fn another_decision_about_an_identifier() {
    rp_id::check(&changed(&rp_id::file(), 0, "expect", json!("SecurityError")));
}

#[test]
#[should_panic(expected = "assertion `left == right` failed")]
fn another_registrable_domain() {
    let case = changed(&public_suffix::file(), 2, "registrable_domain", json!("www.example.com"));
    public_suffix::check(&case);
}

#[test]
#[should_panic(expected = "assertion `left == right` failed")]
fn another_list_of_origins() {
    related_origins::check(&changed(&related_origins::file(), 0, "origins", json!([])));
}

#[test]
#[should_panic(expected = "assertion `left == right` failed")]
fn another_challenge() {
    let mut case = webauthn::file()["cases"][5].clone();
    case["registration"]["challenge"] = json!("00");
    webauthn::check(&case);
}

/// A signature by another key than the vector's, at sign-in and under an attestation.
fn another_private_key(number: usize, name: &str) {
    let mut case = webauthn::file()["cases"][number].clone();
    assert!(case["registration"][name].is_string());
    case["registration"][name] = json!("01".repeat(32));
    webauthn::check(&case);
}

#[test]
#[should_panic(expected = "assertion `left == right` failed")]
fn another_private_key_of_a_credential() {
    another_private_key(0, "credential_private_key");
}

#[test]
#[should_panic(expected = "assertion `left == right` failed")]
fn another_private_key_of_ed25519() {
    another_private_key(9, "private_key");
}

#[test]
#[should_panic(expected = "assertion `left == right` failed")]
fn another_private_key_of_an_attestation() {
    another_private_key(11, "attestation_private_key");
}
