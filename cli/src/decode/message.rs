//! CTAP2 requests and responses.

use ciborium::Value;
use softkey_ctap::{Command, StatusCode};

use super::Answering;
use super::cbor::{node, parse, verdict};
use super::node::{Explained, Node};
use super::schema::{self, Form};

/// A request: a known command byte, and nothing or one map behind it.
pub(super) fn request(bytes: &[u8]) -> Option<Explained> {
    let (&command, parameters) = bytes.split_first()?;
    let command = Command(command);
    let title = format!("{} request", command.name()?);
    if parameters.is_empty() {
        return Some(Explained::new("request", title, Node::Map(Vec::new())));
    }
    let value = parse(parameters).filter(Value::is_map)?;
    let schema = schema::request(command, &value);
    let form = schema.map_or(Form::Any, Form::Map);
    let mut explained = Explained::new("request", title, node(&value, &form));
    explained.remarks.extend(verdict(parameters));
    if schema.is_none() {
        explained.remarks.push(String::from("this command has no parameters"));
    }
    Some(explained)
}

/// One byte: a status, and perhaps a request without parameters too.
pub(super) fn status_alone(bytes: &[u8]) -> Option<Explained> {
    let &[byte] = bytes else {
        return None;
    };
    let no_parameters =
        [Command::GET_INFO, Command::RESET, Command::GET_NEXT_ASSERTION, Command::SELECTION];
    let request = no_parameters.contains(&Command(byte)).then(|| Command(byte).name()).flatten();
    let status = StatusCode(byte);
    match (request, status.name()) {
        (Some(request), name) => {
            let title = format!("{request} request");
            let mut explained = Explained::new("request", title, Node::Map(Vec::new()));
            let other = name.map(|name| format!("as a response it would be the status {name}"));
            explained.remarks.extend(other);
            Some(explained)
        }
        (None, Some(_)) => Some(Explained::new("status", "CTAP2 status", self::status(status))),
        (None, None) => None,
    }
}

/// A response: a status byte, and one map behind a success.
pub(super) fn response(bytes: &[u8], answering: Answering) -> Option<Explained> {
    let (&byte, body) = bytes.split_first()?;
    let status = StatusCode(byte);
    let of = |command: Command| command.name().map_or(String::new(), |name| format!("{name} "));
    if body.is_empty() {
        status.name()?;
        let title = format!("{}response", answering.map_or(String::new(), of));
        return Some(Explained::new("status", title, self::status(status)));
    }
    if status != StatusCode::OK {
        return None;
    }
    let value = parse(body).filter(Value::is_map)?;
    let command = answering.or_else(|| guess(&value));
    let form = command.and_then(schema::response).map_or(Form::Any, Form::Map);
    let title = command.map_or_else(|| String::from("CTAP2 response"), |c| of(c) + "response");
    let mut explained = Explained::new("response", title, node(&value, &form));
    explained.remarks.extend(verdict(body));
    if answering.is_none() {
        explained.remarks.push(String::from("the command was guessed from the members"));
    }
    Some(explained)
}

fn status(status: StatusCode) -> Node {
    let name = status.name().unwrap_or("no name");
    Node::Int(status.0.into()).means(format!("{name} (0x{:02x}): {}", status.0, status.meaning()))
}

/// Which command gives a response with such members.
fn guess(value: &Value) -> Option<Command> {
    let members = value.as_map()?;
    let member = |key: i64| {
        let found = members.iter().find(|(own, _)| *own == Value::from(key));
        found.map(|(_, value)| value)
    };
    let is = |key: i64, test: fn(&Value) -> bool| member(key).is_some_and(test);
    let only = |keys: &[i64]| {
        members.iter().all(|(key, _)| keys.iter().any(|allowed| *key == Value::from(*allowed)))
    };
    let keyed = |value: &Value| {
        value.as_map().is_some_and(|map| map.iter().any(|(key, _)| *key == Value::from(1)))
    };
    Some(if is(1, Value::is_text) && is(2, Value::is_bytes) {
        Command::MAKE_CREDENTIAL
    } else if is(2, Value::is_bytes) && is(3, Value::is_bytes) {
        Command::GET_ASSERTION
    } else if is(1, Value::is_array) && is(3, Value::is_bytes) {
        Command::GET_INFO
    } else if is(1, Value::is_bytes) && only(&[1]) {
        Command::LARGE_BLOBS
    } else if (member(1).is_some_and(keyed) && only(&[1]))
        || (is(2, Value::is_bytes) && only(&[2]))
        || (is(3, Value::is_integer) && only(&[3, 4]))
        || (is(5, Value::is_integer) && only(&[5]))
    {
        Command::CLIENT_PIN
    } else if is(3, Value::is_map)
        || is(6, Value::is_map)
        || (is(1, Value::is_integer) && is(2, Value::is_integer) && only(&[1, 2]))
    {
        Command::CREDENTIAL_MANAGEMENT
    } else if is(4, Value::is_bytes)
        || is(7, Value::is_array)
        || is(6, Value::is_integer)
        || (is(1, Value::is_integer) && only(&[1, 2, 3, 8]))
    {
        Command::BIO_ENROLLMENT
    } else {
        return None;
    })
}
