//! What a page gives the client and what goes to the relying party: options in JSON, origins, base64url, client
//! data.
//!
//! Claim: options mean the same bare, as `publicKey` and beside members that nobody knows, and say what an
//! independent look at the JSON says; an origin is read again as itself, and lends its domain's suffixes only, at
//! a boundary; base64url is one text for one value; client data are JSON that says exactly what went in. Planted:
//! client data whose strings are not escaped.

use serde_json::Value;
use softkey_client::client_data::ClientData;
use softkey_client::options::Credential;
use softkey_client::{CreationOptions, Origin, RequestOptions, base64url};

use crate::{Subject, Tape};

/// Which kind, then the text.
pub fn run(data: &[u8], subject: Subject) {
    let mut tape = Tape::new(data);
    match tape.below(5) {
        0 => creation(&text(tape.rest())),
        1 => request(&text(tape.rest())),
        2 => origin(&mut tape),
        3 => base64(tape.rest()),
        _ => client_data(&mut tape, subject),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The options bare and in other clothes; the value itself if it is an object without `publicKey`.
fn clothes(json: &str) -> Option<(Value, [String; 2])> {
    let value: Value = serde_json::from_str(json).ok()?;
    let mut more = value.clone();
    if value.get("publicKey").is_some() {
        return None;
    }
    more.as_object_mut()?.insert("fuzz".into(), Value::Array(vec![]));
    let wrapped = serde_json::json!({"publicKey": value, "signal": {}});
    Some((value, [more.to_string(), wrapped.to_string()]))
}

fn creation(json: &str) {
    let options = CreationOptions::from_json(json);
    let Some((value, others)) = clothes(json) else { return };
    for other in &others {
        let again = CreationOptions::from_json(other);
        assert_eq!(options.is_ok(), again.is_ok(), "{other}");
        assert!(options.is_err() || options == again, "{other}");
    }
    let Ok(options) = options else { return };
    assert_eq!(Some(options.user_id), bytes(&value["user"]["id"]));
    assert_eq!(Some(options.challenge), bytes(&value["challenge"]));
    assert_eq!(options.rp_id.as_deref(), value["rp"]["id"].as_str());
    assert_eq!(Some(options.user_name.as_str()), value["user"]["name"].as_str());
    let listed = value["pubKeyCredParams"].as_array().expect("a list");
    let known = listed.iter().filter(|entry| entry["type"] == "public-key");
    let known: Vec<i64> = known.filter_map(|entry| entry["alg"].as_i64()).collect();
    assert!(listed.is_empty() || options.algorithms == known, "the algorithms in their order");
    assert_eq!(options.exclude, credentials(&value["excludeCredentials"]));
    assert_eq!(options.timeout, value["timeout"].as_u64());
}

fn request(json: &str) {
    let options = RequestOptions::from_json(json);
    let Some((value, others)) = clothes(json) else { return };
    for other in &others {
        let again = RequestOptions::from_json(other);
        assert_eq!(options.is_ok(), again.is_ok(), "{other}");
        assert!(options.is_err() || options == again, "{other}");
    }
    let Ok(options) = options else { return };
    assert_eq!(Some(options.challenge), bytes(&value["challenge"]));
    assert_eq!(options.rp_id.as_deref(), value["rpId"].as_str());
    assert_eq!(options.allow, credentials(&value["allowCredentials"]));
    let listed = value["allowCredentials"].as_array().is_some_and(|listed| !listed.is_empty());
    let only_unknown = listed && options.allow.is_empty();
    assert_eq!(options.only_unknown, only_unknown, "a list that names nobody means another thing");
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    base64url::decode(value.as_str()?)
}

fn credentials(value: &Value) -> Vec<Credential> {
    let listed = value.as_array().into_iter().flatten();
    let known = listed.filter(|entry| entry["type"] == "public-key");
    let words = |value: &Value| value.as_array().into_iter().flatten().cloned().collect::<Vec<_>>();
    let word = |value: Value| value.as_str().expect("a word").to_owned();
    known
        .map(|entry| Credential {
            id: bytes(&entry["id"]).expect("an identifier"),
            transports: words(&entry["transports"]).into_iter().map(word).collect(),
        })
        .collect()
}

fn origin(tape: &mut Tape<'_>) {
    let asked = text(tape.piece());
    let Ok(origin) = Origin::parse(&text(tape.rest())) else { return };
    assert_eq!(Origin::parse(origin.as_str()).as_ref(), Ok(&origin), "read again as itself");
    let domain = origin.domain();
    assert_eq!(origin.rp_id(None).as_deref(), Ok(domain));
    assert_eq!(origin.rp_id(Some(domain)).as_deref(), Ok(domain), "an origin is its own party");
    if let Ok(lent) = origin.rp_id(Some(&asked)) {
        let labels = lent.split('.').collect::<Vec<_>>();
        let own = domain.split('.').collect::<Vec<_>>();
        assert!(own.ends_with(&labels), "{lent} is no suffix of {domain}");
        assert!(labels.len() > 1 || lent == domain, "a whole top level for {domain}");
    }
}

fn base64(data: &[u8]) {
    let encoded = base64url::encode(data);
    assert_eq!(base64url::decode(&encoded).as_deref(), Some(data));
    let text = text(data);
    if let Some(decoded) = base64url::decode(&text) {
        let again = base64url::encode(&decoded);
        // The last letter may have bits that mean nothing.
        let but_last = text.len().saturating_sub(1);
        assert_eq!((again.len(), &again[..but_last]), (text.len(), &text[..but_last]));
    }
}

fn client_data(tape: &mut Tape<'_>, subject: Subject) {
    let cross_origin = tape.flag();
    let challenge = tape.piece();
    let (kind, top) = (text(tape.piece()), tape.flag().then(|| text(tape.piece())));
    let origin = text(tape.rest());
    let data = ClientData {
        kind: &kind,
        challenge,
        origin: &origin,
        cross_origin,
        top_origin: top.as_deref(),
        extra: Some("{\"extra\":[1]}"),
    };
    let mut json = data.to_json();
    if subject == Subject::Planted {
        json.retain(|byte| *byte != b'\\');
    }
    let value: Value = serde_json::from_slice(&json).expect("client data are JSON");
    let mut expected = serde_json::json!({
        "type": kind, "challenge": base64url::encode(challenge), "origin": origin,
        "crossOrigin": cross_origin, "extra": [1],
    });
    if let Some(top) = top.filter(|_| cross_origin) {
        expected["topOrigin"] = top.into();
    }
    assert_eq!(value, expected, "client data say what went in");
    let head = format!("{{\"type\":{}", serde_json::to_string(&kind).expect("a string"));
    let plain = !kind.chars().any(char::is_control);
    assert!(!plain || json.starts_with(head.as_bytes()), "the type comes first");
}
