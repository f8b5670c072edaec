//! Authenticator data, attestation objects, client data, COSE keys, and the JSON that pages send.

use ciborium::Value;
use softkey_client::base64url;
use softkey_ctap::auth_data::{AttestedCredential, AuthenticatorData, Flags};

use super::cbor::{node, parse, text_label, verdict, verdict_on_object};
use super::node::{Explained, Node, hex};
use super::schema::{self, Form};

/// Authenticator data: at least 37 bytes whose flags fit what follows.
pub(super) fn authenticator_data(bytes: &[u8]) -> Option<Explained> {
    let value = auth_data_node(bytes)?;
    Some(Explained::new("authenticatorData", "authenticator data", value))
}

/// The parts of authenticator data.
pub(super) fn auth_data_node(bytes: &[u8]) -> Option<Node> {
    let data = AuthenticatorData::from_bytes(bytes).ok()?;
    let mut members = vec![
        ("rpIdHash".into(), Node::bytes(&data.rp_id_hash)),
        ("flags".into(), Node::Int(data.flags.0.into()).means(flag_names(data.flags))),
        ("signCount".into(), Node::Int(data.sign_count.into())),
    ];
    if let Some(attested) = &data.attested {
        members.push(("attestedCredentialData".into(), attested_node(attested, bytes)));
    }
    if let Some(extensions) = data.extensions.and_then(|raw| parse(raw.0)) {
        let form = Form::Map(&schema::CREATE_OUTPUTS);
        members.push(("extensions".into(), node(&extensions, &form)));
    }
    Some(Node::Map(members))
}

fn attested_node(attested: &AttestedCredential<'_>, bytes: &[u8]) -> Node {
    // The key stands behind 37 bytes, the model, the length and the identifier.
    let start = attested.credential_id.len().saturating_add(37 + 16 + 2);
    let key = bytes.get(start..).and_then(first_item);
    Node::map([
        ("aaguid", aaguid_node(&attested.aaguid).unwrap_or(Node::Null)),
        ("credentialId", Node::bytes(attested.credential_id)),
        ("credentialPublicKey", key.map_or(Node::Null, |key| node(&key, &COSE_KEY))),
    ])
}

fn first_item(bytes: &[u8]) -> Option<Value> {
    ciborium::from_reader(bytes).ok()
}

const COSE_KEY: Form = Form::Map(&schema::COSE);

fn flag_names(flags: Flags) -> String {
    let names = [
        (Flags::USER_PRESENT, "UP"),
        (Flags::USER_VERIFIED, "UV"),
        (Flags::BACKUP_ELIGIBLE, "BE"),
        (Flags::BACKUP_STATE, "BS"),
        (Flags::ATTESTED, "AT"),
        (Flags::EXTENSIONS, "ED"),
    ];
    let set = names.iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, name)| *name);
    let mut words: Vec<_> = set.collect();
    if flags.0 & 0x22 != 0 {
        words.push("reserved bits");
    }
    words.join(" ")
}

/// A model identifier in its usual writing.
pub(super) fn aaguid_node(bytes: &[u8]) -> Option<Node> {
    let text = hex(bytes);
    let part = |range| text.get(range);
    let groups = [part(0..8)?, part(8..12)?, part(12..16)?, part(16..20)?, part(20..32)?];
    (bytes.len() == 16).then(|| Node::Text(groups.join("-")))
}

/// An attestation object: a map with `fmt`, `attStmt` and `authData`; the one of a sign-in is without the latter.
pub(super) fn attestation_object(bytes: &[u8]) -> Option<Explained> {
    let value = parse(bytes)?;
    let has = |name: &str| value.as_map()?.iter().find(|(key, _)| *key == Value::from(name));
    has("fmt").and(has("attStmt"))?;
    let value = node(&value, &Form::Map(&schema::ATTESTATION));
    let mut explained = Explained::new("attestationObject", "attestation object", value);
    explained.remarks.extend(verdict_on_object(bytes));
    Some(explained)
}

/// A public key: a map with a key type and an algorithm.
pub(super) fn cose_key(bytes: &[u8]) -> Option<Explained> {
    let value = parse(bytes)?;
    let has = |label: i64| value.as_map()?.iter().find(|(key, _)| *key == Value::from(label));
    has(1).and(has(3)).and(has(-1))?;
    let mut explained = Explained::new("coseKey", "COSE key", node(&value, &COSE_KEY));
    explained.remarks.extend(verdict(bytes));
    Some(explained)
}

/// Client data, or a credential as `toJSON` gives it.
pub(super) fn json(bytes: &[u8]) -> Option<Explained> {
    client_data(bytes).or_else(|| credential(bytes))
}

/// Client data: a JSON object with type, challenge and origin.
pub(super) fn client_data(bytes: &[u8]) -> Option<Explained> {
    let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let object = value.as_object()?;
    object.get("challenge").and(object.get("origin"))?.as_str()?;
    let members = object.iter().map(|(name, value)| {
        let node = match (name.as_str(), value.as_str().and_then(base64url::decode)) {
            ("challenge", Some(challenge)) => Node::Bytes(challenge),
            _ => json_node(value),
        };
        (text_label(name), node)
    });
    let mut value = Node::Map(members.collect());
    if let Node::Map(members) = &mut value {
        let hash = softkey_client::client_data::hash(bytes);
        members.push(("SHA-256 (clientDataHash)".into(), Node::bytes(&hash)));
    }
    Some(Explained::new("clientData", "client data", value))
}

/// A registration or authentication response in JSON.
fn credential(bytes: &[u8]) -> Option<Explained> {
    let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let response = value.get("response")?.as_object()?;
    value.get("rawId").or_else(|| value.get("id"))?;
    let parts = response.iter().map(|(name, value)| {
        let bytes = value.as_str().and_then(base64url::decode);
        let explained = bytes.and_then(|bytes| match name.as_str() {
            "clientDataJSON" => client_data(&bytes),
            "attestationObject" => attestation_object(&bytes),
            "authenticatorData" => authenticator_data(&bytes),
            _ => None,
        });
        (text_label(name), explained.map_or_else(|| json_node(value), |part| part.value))
    });
    let parts = Node::Map(parts.collect());
    let members = value.as_object()?.iter().map(|(name, value)| match name.as_str() {
        "response" => (text_label(name), parts.clone()),
        _ => (text_label(name), json_node(value)),
    });
    Some(Explained::new("credential", "public-key credential", Node::Map(members.collect())))
}

fn json_node(value: &serde_json::Value) -> Node {
    match value {
        serde_json::Value::Null => Node::Null,
        serde_json::Value::Bool(value) => Node::Bool(*value),
        serde_json::Value::Number(number) => match (number.as_i128(), number.as_f64()) {
            (Some(number), _) => Node::Int(number),
            (None, Some(number)) => Node::Float(number),
            (None, None) => Node::Text(number.to_string()),
        },
        serde_json::Value::String(text) => Node::text(text),
        serde_json::Value::Array(items) => Node::List(items.iter().map(json_node).collect()),
        serde_json::Value::Object(members) => Node::Map(
            members.iter().map(|(name, value)| (text_label(name), json_node(value))).collect(),
        ),
    }
}
