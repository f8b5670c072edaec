//! The statements that are judged, and how a rule is shown to see what breaks it.

use std::sync::OnceLock;

use serde_json::Value;

use crate::harness::softkey;

/// In the place of a value: what stands there is taken away.
pub(super) const GONE: &str = "(gone)";

/// Keys that claim CTAP 2.3 and keep their credentials: arguments that `softkey run` knows too.
pub(super) const KEYS: [&[&str]; 8] = [
    &[],
    &["--profile", "large-blob"],
    &["--profile", "always-uv"],
    &["--profile", "previews"],
    &["--profile", "uvm-policy"],
    &["--profile", "enterprise"],
    &["--uv", "fingerprint"],
    &["--algorithms", "ES256,RS256,ML-DSA-44"],
];

/// The statement about the key of these arguments.
#[track_caller]
pub(super) fn statement(args: &[&str]) -> Value {
    let output = softkey().arg("metadata").args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn statements() -> &'static [Value] {
    static STATEMENTS: OnceLock<Vec<Value>> = OnceLock::new();
    STATEMENTS.get_or_init(|| KEYS.iter().map(|args| statement(args)).collect())
}

/// Each key's statement keeps the rule, and none does in which one of these places holds this value instead.
#[track_caller]
pub(super) fn rule(holds: impl Fn(&Value) -> bool, plants: &[(&str, Value)]) {
    for (args, statement) in KEYS.iter().zip(statements()) {
        assert!(holds(statement), "{args:?}: {statement:#}");
    }
    assert!(!plants.is_empty());
    for (place, wrong) in plants {
        let mut statement = statements()[0].clone();
        plant(&mut statement, place, wrong);
        assert!(!holds(&statement), "{wrong} goes unnoticed at {place}");
    }
}

fn plant(statement: &mut Value, place: &str, wrong: &Value) {
    let (parent, name) = place.rsplit_once('/').unwrap();
    match statement.pointer_mut(parent).unwrap() {
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = wrong.clone(),
        Value::Object(members) if wrong == GONE => drop(members.remove(name).unwrap()),
        Value::Object(members) => drop(members.insert(name.to_owned(), wrong.clone())),
        other => panic!("{place}: {other}"),
    }
}

/// The texts of a list; what is none is the empty text.
pub(super) fn texts(list: &Value) -> Vec<&str> {
    let items = list.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().map(|item| item.as_str().unwrap_or_default()).collect()
}
