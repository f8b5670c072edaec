//! Values made from the tables: good ones, harmless ones, and faulty ones with what is wrong with them.

use ciborium::Value;
use softkey_ctap::cbor::DecodeError;

use crate::tables::{Kind, Label, Table};

/// A value that a place of this kind takes, with every member that a map can have.
pub(crate) fn full(kind: Kind) -> Value {
    match kind {
        Kind::Uint | Kind::Int => 7.into(),
        Kind::Bytes | Kind::UserHandle => Value::Bytes(vec![1, 2, 3]),
        Kind::Fixed(len) => Value::Bytes(vec![9; len]),
        Kind::Text | Kind::TextNotEmpty => "text".into(),
        Kind::Bool => true.into(),
        Kind::List(element) => Value::Array(vec![full(*element), full(*element)]),
        Kind::Map(table) => Value::Map(members(table).map(|(l, k)| (label(l), full(k))).collect()),
        Kind::AnyMap | Kind::Any => Value::Map(vec![("any".into(), 1.into())]),
        Kind::Lazy(kind) => full(*kind),
    }
}

/// Good values with something left out: in each map each optional member, and all of them; lists without
/// elements.
pub(crate) fn thinner(kind: Kind) -> Vec<Value> {
    match kind {
        Kind::Int => vec![Value::from(-70)],
        Kind::Any => types().into_iter().map(|(_, value)| value).collect(),
        Kind::List(element) => {
            let nested = thinner(*element).into_iter().map(|thin| Value::Array(vec![thin]));
            nested.chain([Value::Array(vec![])]).collect()
        }
        Kind::Map(table) => {
            let mut thin = vec![keep(table, |_| false)];
            for (out, kind) in table.optional {
                thin.push(keep(table, |member| member != *out));
                thin.extend(thinner(*kind).into_iter().map(|value| with(table, *out, value)));
            }
            for (at, kind) in table.required {
                thin.extend(thinner(*kind).into_iter().map(|value| with(table, *at, value)));
            }
            thin
        }
        Kind::Lazy(kind) => thinner(*kind),
        _ => vec![],
    }
}

/// The full value with members in it that nobody knows, at each level.
pub(crate) fn with_unknown_members(kind: Kind) -> Vec<Value> {
    match kind {
        Kind::List(element) => {
            let nested = with_unknown_members(*element).into_iter();
            nested.map(|value| Value::Array(vec![value, full(*element)])).collect()
        }
        Kind::Map(table) => {
            let mut out: Vec<Value> = unknown().map(|entry| and(full(kind), entry)).collect();
            for (at, kind) in members(table) {
                let nested = with_unknown_members(kind).into_iter();
                out.extend(nested.map(|value| with(table, at, value)));
            }
            out
        }
        Kind::Lazy(kind) => with_unknown_members(*kind),
        _ => vec![],
    }
}

/// Faulty values, each with one fault: where it is, the value, what the reader must say.
pub(crate) fn faults(kind: Kind, look_at_lazy: bool) -> Vec<(String, Value, DecodeError)> {
    if let Kind::Lazy(kind) = kind {
        return if look_at_lazy { faults(*kind, true) } else { vec![] };
    }
    let mut out: Vec<(String, Value, DecodeError)> = types()
        .into_iter()
        .filter(|(name, _)| !takes(kind, name))
        .map(|(name, value)| (format!(" is {name}"), value, DecodeError::UnexpectedType))
        .collect();
    let mut lengths = |wrong: &[usize]| {
        for len in wrong {
            let value = Value::Bytes(vec![1; *len]);
            out.push((format!(" has {len} bytes"), value, DecodeError::Length));
        }
    };
    match kind {
        Kind::Fixed(len) => lengths(&[0, len - 1, len + 1]),
        Kind::UserHandle => lengths(&[0, 65]),
        Kind::TextNotEmpty => out.push((" is empty".into(), "".into(), DecodeError::Value)),
        Kind::List(element) => {
            for (what, value, error) in faults(*element, look_at_lazy) {
                out.push((format!("[1]{what}"), Value::Array(vec![full(*element), value]), error));
            }
        }
        Kind::Map(table) => {
            for (at, kind) in members(table) {
                for (what, value, error) in faults(kind, look_at_lazy) {
                    out.push((format!(".{at:?}{what}"), with(table, at, value), error));
                }
            }
            for (at, _) in table.required {
                let value = without(table, *at);
                out.push((format!(".{at:?} is missing"), value, table.missing));
            }
        }
        _ => {}
    }
    out
}

/// One value of each type that CTAP2 knows.
fn types() -> [(&'static str, Value); 8] {
    [
        ("unsigned", 5.into()),
        ("negative", Value::from(-5)),
        ("bytes", Value::Bytes(vec![5; 5])),
        ("text", "five".into()),
        ("array", Value::Array(vec![])),
        ("map", Value::Map(vec![])),
        ("boolean", false.into()),
        ("null", Value::Null),
    ]
}

fn takes(kind: Kind, name: &str) -> bool {
    match kind {
        Kind::Uint => name == "unsigned",
        Kind::Int => matches!(name, "unsigned" | "negative"),
        Kind::Bytes | Kind::Fixed(_) | Kind::UserHandle => name == "bytes",
        Kind::Text | Kind::TextNotEmpty => name == "text",
        Kind::Bool => name == "boolean",
        Kind::List(_) => name == "array",
        Kind::Map(_) | Kind::AnyMap => name == "map",
        Kind::Any | Kind::Lazy(_) => true,
    }
}

/// Keys of every type; the last ones are like known keys, but for the type or a letter.
fn unknown() -> impl Iterator<Item = (Value, Value)> {
    let keys: [Value; 9] = [
        0.into(),
        200.into(),
        u64::MAX.into(),
        Value::from(-200),
        Value::Bytes(b"id".to_vec()),
        "unknown".into(),
        "ID".into(),
        "1".into(),
        Value::Bool(true),
    ];
    let values = types().map(|(_, value)| value).into_iter().cycle();
    keys.into_iter().zip(values)
}

pub(crate) fn members(table: &Table) -> impl Iterator<Item = (Label, Kind)> {
    table.required.iter().chain(table.optional).copied()
}

fn label(label: Label) -> Value {
    match label {
        Label::I(number) => number.into(),
        Label::T(text) => text.into(),
    }
}

/// The full map with another value in one place.
fn with(table: &Table, at: Label, value: Value) -> Value {
    let mut value = Some(value);
    let entries = members(table).map(|(l, kind)| {
        let value = if l == at { value.take() } else { None };
        (label(l), value.unwrap_or_else(|| full(kind)))
    });
    Value::Map(entries.collect())
}

fn without(table: &Table, at: Label) -> Value {
    let entries = members(table).filter(|(l, _)| *l != at);
    Value::Map(entries.map(|(l, kind)| (label(l), full(kind))).collect())
}

/// All required members and some of the optional ones.
fn keep(table: &Table, optional: impl Fn(Label) -> bool) -> Value {
    let optional = table.optional.iter().filter(|(l, _)| optional(*l));
    let entries = table.required.iter().chain(optional);
    Value::Map(entries.map(|(l, kind)| (label(*l), full(*kind))).collect())
}

fn and(map: Value, entry: (Value, Value)) -> Value {
    let Value::Map(mut entries) = map else { panic!("a map") };
    entries.push(entry);
    Value::Map(entries)
}
