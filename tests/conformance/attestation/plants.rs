//! The test of the test: faults in a statement of several, each of which the checks must find.

use softkey_tests::cbor::{Value, array};
use softkey_tests::request::mc;
use softkey_tests::{Key, Request};

use crate::planted_faults::{caught_on, in_body};

fn compound() -> Key {
    super::key(&["compound"])
}

/// A registration whose list of statements was changed.
#[track_caller]
fn seen(complaint: &str, change: fn(&mut Vec<Value>)) {
    let makes = |key: &mut Key| {
        key.make(&Request::make_credential());
    };
    let fault = in_body(mc::COMMAND, move |body| {
        let mut elements = body.get(3).items().to_vec();
        change(&mut elements);
        body.clone().with(3, array(elements))
    });
    caught_on(compound, complaint, makes, fault);
}

/// The statement of an element with another member in the place of one.
fn with(element: &Value, name: &str, value: impl Into<Value>) -> Value {
    element.clone().with("attStmt", element.get("attStmt").clone().with(name, value))
}

#[test]
fn compound_that_forgets_a_statement_is_seen() {
    seen("two elements or more", |elements| drop(elements.pop()));
    seen("two elements or more", |elements| drop(elements.remove(0)));
    seen("two elements or more", Vec::clear);
}

#[test]
fn compound_that_forgets_to_sign_is_seen() {
    seen("the attestation verifies", |elements| {
        elements[0] = with(&elements[0], "sig", elements[1].get("attStmt").get("sig").clone());
    });
    seen("signature", |elements| {
        elements[1] = with(&elements[1], "sig", elements[0].get("attStmt").get("sig").clone());
    });
}

#[test]
fn compound_with_one_statement_twice_is_seen() {
    seen("packed stands there twice", |elements| elements[1] = elements[0].clone());
}

#[test]
fn compound_within_compound_is_seen() {
    seen("an element is compound itself", |elements| {
        elements[1] = elements[1].clone().with("fmt", "compound");
    });
}

#[test]
fn compound_with_a_member_too_many_is_seen() {
    seen("members of an element", |elements| elements[0] = elements[0].clone().with("ver", "2.0"));
}

#[test]
fn compound_that_forgets_a_certificate_is_seen() {
    seen("self attestation", |elements| {
        let statement = elements[0].get("attStmt");
        let members = ["alg", "sig"].map(|name| (Value::from(name), statement.get(name).clone()));
        let members = softkey_tests::cbor::map(members);
        elements[0] = elements[0].clone().with("attStmt", members);
    });
}
