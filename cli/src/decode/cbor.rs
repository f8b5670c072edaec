//! Any CBOR, read leniently so that what is wrong can still be shown, and judged strictly.

use ciborium::Value;
use softkey_ctap::attestation::OBJECT_LEVELS;
use softkey_ctap::cbor::{Key, check, check_within};

use super::node::{Explained, Name, Node};
use super::schema::{Form, Schema};
use crate::text::quoted;

/// One whole item with nothing behind it.
pub(super) fn parse(bytes: &[u8]) -> Option<Value> {
    let mut rest = bytes;
    let value = ciborium::from_reader(&mut rest).ok()?;
    rest.is_empty().then_some(value)
}

/// Any CBOR that is an array or a map: everything else may be anything.
pub(super) fn item(bytes: &[u8]) -> Option<Explained> {
    let value = parse(bytes)?;
    if !matches!(value, Value::Map(_) | Value::Array(_)) {
        return None;
    }
    let mut explained = Explained::new("cbor", "CBOR", node(&value, &Form::Any));
    explained.remarks.extend(verdict(bytes));
    Some(explained)
}

/// What the strict reader says against these bytes.
pub(super) fn verdict(bytes: &[u8]) -> Option<String> {
    check(bytes).err()?;
    Some(String::from(match check_within(bytes, OBJECT_LEVELS) {
        Ok(()) => "this has five levels of arrays and maps, and CTAP2 CBOR has four",
        Err(_) => NOT_CANONICAL,
    }))
}

/// The same for an attestation object, which may have a level more.
pub(super) fn verdict_on_object(bytes: &[u8]) -> Option<String> {
    check_within(bytes, OBJECT_LEVELS).is_err().then(|| String::from(NOT_CANONICAL))
}

const NOT_CANONICAL: &str = "this is not canonical CTAP2 CBOR";

/// A value in the form that its place gives it; one of another type is shown as it is.
pub(super) fn node(value: &Value, form: &Form) -> Node {
    match (form, value) {
        (Form::Map(schema) | Form::MapOrList(schema, _), Value::Map(members)) => {
            map(members, schema)
        }
        (Form::List(form) | Form::MapOrList(_, form), Value::Array(items)) => {
            Node::List(items.iter().map(|item| node(item, form)).collect())
        }
        (Form::Number(name), Value::Integer(number)) => {
            let number = i128::from(*number);
            Node::Int(number).may_mean(i64::try_from(number).ok().and_then(name))
        }
        (Form::Bits(names), Value::Integer(number)) => {
            let number = i128::from(*number);
            Node::Int(number).may_mean(i64::try_from(number).ok().and_then(names).as_deref())
        }
        (Form::Bytes(explain), Value::Bytes(bytes)) => {
            explain(bytes).unwrap_or_else(|| Node::bytes(bytes))
        }
        _ => plain(value),
    }
}

fn map(members: &[(Value, Value)], schema: &Schema) -> Node {
    let named = |(key, value): &(Value, Value)| match as_key(key).and_then(|k| schema.member(&k)) {
        Some((name, form)) => (label(key, &name), node(value, form)),
        None => (label(key, ""), plain(value)),
    };
    Node::Map(members.iter().map(named).collect())
}

/// The key as message tables have it; nothing for one that none has.
fn as_key(key: &Value) -> Option<Key<'_>> {
    match key {
        Value::Integer(number) => i64::try_from(i128::from(*number)).ok().map(Key::Int),
        Value::Text(text) => Some(Key::Text(text)),
        _ => None,
    }
}

/// The name of a member: the standard's, with its number if it has one.
fn label(key: &Value, name: &str) -> Name {
    match (key, name) {
        (Value::Integer(number), name) if !name.is_empty() => {
            Name { text: name.to_owned(), number: Some(i128::from(*number)) }
        }
        _ => plain_label(key),
    }
}

fn plain_label(key: &Value) -> Name {
    let text = match key {
        Value::Text(text) => return text_label(text),
        Value::Integer(number) => i128::from(*number).to_string(),
        other => format!("{other:?}"),
    };
    Name { text, number: None }
}

/// A text key; one that a terminal could act on is quoted.
pub(super) fn text_label(text: &str) -> Name {
    let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic());
    let text = if plain { text.to_owned() } else { quoted(text) };
    Name { text, number: None }
}

fn plain(value: &Value) -> Node {
    match value {
        Value::Null => Node::Null,
        Value::Bool(value) => Node::Bool(*value),
        Value::Integer(number) => Node::Int(i128::from(*number)),
        Value::Float(number) => Node::Float(*number),
        Value::Bytes(bytes) => Node::bytes(bytes),
        Value::Text(text) => Node::text(text),
        Value::Array(items) => Node::List(items.iter().map(plain).collect()),
        Value::Map(members) => {
            Node::Map(members.iter().map(|(key, value)| (plain_label(key), plain(value))).collect())
        }
        Value::Tag(tag, value) => plain(value).means(format!("tag {tag}")),
        _ => Node::text("unknown"),
    }
}
