//! The cases of `webauthn-prf.json` that give outputs, each against a key that evaluates, and one that does not. The
//! errors are unit tests of the client.

use serde_json::{Value, json};
use softkey::profile::Profile;
use softkey_client::base64url;

use crate::world::{World, list};

fn file() -> Value {
    serde_json::from_str(include_str!("../vectors/webauthn-prf.json")).unwrap()
}

fn case(number: usize) -> Value {
    file()["api_cases"][number].clone()
}

/// A key whose user can be verified: it evaluates at creation too.
fn evaluating() -> World {
    let mut world = World::with_pin();
    world.person.pins = ["1234"; 20].into();
    world
}

/// A key that never heard of hmac-secret.
fn ignorant() -> World {
    World::with(Profile::find("u2f").unwrap().config)
}

/// What the page gets, with secrets as the file writes them.
fn shape(mut output: Value) -> Value {
    let results = output.pointer_mut("/prf/results").and_then(Value::as_object_mut);
    for secret in results.into_iter().flat_map(serde_json::Map::values_mut) {
        assert_eq!(base64url::decode(secret.as_str().unwrap()).unwrap().len(), 32);
        *secret = json!("<32 bytes>");
    }
    output
}

fn made(world: &mut World, input: &Value) -> Value {
    let made = world.create(&json!({ "extensions": input })).unwrap();
    shape(serde_json::to_value(made.client_extension_results).unwrap())
}

fn credential(world: &mut World) -> String {
    world.create(&json!({"extensions": {"prf": {}}})).unwrap().id
}

fn signed(world: &mut World, input: &Value, allow: &[&str]) -> Value {
    let options = json!({"allowCredentials": list(allow), "extensions": input});
    serde_json::to_value(world.get(&options).unwrap().client_extension_results).unwrap()
}

#[test]
fn no_inputs_at_creation() {
    let case = case(0);
    let allowed = &case["allowed_outputs"];
    assert_eq!(made(&mut evaluating(), &case["input"]), allowed[0]);
    assert_eq!(made(&mut ignorant(), &case["input"]), allowed[1]);
}

#[test]
fn no_inputs_at_sign_in() {
    let case = case(1);
    for mut world in [evaluating(), ignorant()] {
        let id = credential(&mut world);
        assert_eq!(signed(&mut world, &case["input"], &[&id]), case["allowed_outputs"][0]);
    }
}

#[test]
fn one_input_at_creation() {
    let case = case(2);
    let allowed = &case["allowed_outputs"];
    assert_eq!(made(&mut World::new(), &case["input"]), allowed[0], "nobody can be verified");
    assert_eq!(made(&mut ignorant(), &case["input"]), allowed[1]);
    assert_eq!(made(&mut evaluating(), &case["input"]), allowed[2]);
}

#[test]
fn one_input_at_sign_in() {
    let case = case(3);
    let allowed = &case["allowed_outputs"];
    for (mut world, output) in [(World::new(), 0), (evaluating(), 1)] {
        let id = credential(&mut world);
        assert_eq!(shape(signed(&mut world, &case["input"], &[&id])), allowed[output]);
    }
}

/// The file's credential is on no key of ours: there it is a stranger, or another one stands in its place.
#[test]
fn an_input_for_one_credential_at_sign_in() {
    const STRANGER: &str = "e02eZ9lPp0UdkF4vGRO4-NxlhWBkL1FCmsmb1tTfRyE";
    let case = case(4);
    let mut world = evaluating();
    let id = credential(&mut world);
    let otherwise = shape(signed(&mut world, &case["input"], &[STRANGER, &id]));
    assert_eq!(otherwise, case["allowed_outputs_otherwise"][1]);
    let input = case["input"].to_string().replace(STRANGER, &id);
    let used = shape(signed(&mut world, &serde_json::from_str(&input).unwrap(), &[&id]));
    assert_eq!(used, case["allowed_outputs_if_listed_credential_used"][0]);

    let mut world = World::new();
    let id = credential(&mut world);
    let otherwise = shape(signed(&mut world, &case["input"], &[STRANGER, &id]));
    assert_eq!(otherwise, case["allowed_outputs_otherwise"][0]);
}

#[test]
fn equal_inputs_give_equal_outputs() {
    assert_eq!(
        case(5)["rule"],
        "equal first and second inputs give equal first and second outputs"
    );
    let mut world = evaluating();
    let id = credential(&mut world);
    let input =
        |first: &str, second: &str| json!({"prf": {"eval": {"first": first, "second": second}}});
    let equal = signed(&mut world, &input("AQIDBA", "AQIDBA"), &[&id]);
    assert_eq!(equal["prf"]["results"]["first"], equal["prf"]["results"]["second"]);
    let other = signed(&mut world, &input("AQIDBA", "AQIDBQ"), &[&id]);
    assert_eq!(other["prf"]["results"]["first"], equal["prf"]["results"]["first"]);
    assert_ne!(other["prf"]["results"]["second"], equal["prf"]["results"]["second"]);
}

/// Behind the cases with outputs come those that are errors only.
#[test]
fn every_case_with_outputs_has_a_test() {
    let file = file();
    let cases = file["api_cases"].as_array().unwrap();
    let errors = cases.iter().position(|case| case.get("error").is_some());
    assert_eq!(errors, Some(6));
    assert!(cases[6..].iter().all(|case| case.get("error").is_some()));
}

/// The comparison sees an output that is not allowed.
#[test]
#[should_panic(expected = "assertion `left == right` failed")]
fn another_output() {
    assert_eq!(made(&mut ignorant(), &case(0)["input"]), case(0)["allowed_outputs"][0]);
}
