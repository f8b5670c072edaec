//! What a key says of itself, as a metadata statement repeats it (section 3.13): the same members by their names in the
//! standard, in JSON.

use std::collections::BTreeMap;

use ciborium::Value as Cbor;
use serde_json::Value as Json;
use softkey_ctap::cbor::Key;
use softkey_ctap::get_info::{Options, Response};

use crate::decode::info_member;
use crate::decode::node::hex;

/// The member that is bytes even where they make a text.
const AAGUID: i64 = 0x03;

/// The members of this answer; nothing if it is none. `info` is the same answer, read.
pub(super) fn members(answer: &[u8], info: &Response<'_>) -> Option<BTreeMap<String, Json>> {
    let answer: Cbor = ciborium::from_reader(answer).ok()?;
    let mut members = BTreeMap::new();
    for (number, value) in answer.as_map()? {
        let number = number.as_integer()?.try_into().ok()?;
        let value = match value {
            Cbor::Bytes(aaguid) if number == AAGUID => hex(aaguid).into(),
            value => json(value)?,
        };
        members.insert(info_member(&Key::Int(number))?, value);
    }
    // These two are there once somebody holds a persistent token, and differ from key to key: they stand empty here.
    if info.options.and_then(|options: Options| options.per_cred_mgmt_ro) == Some(true) {
        members.insert("encIdentifier".to_owned(), Json::from(""));
        if info.versions.iter().any(|version| version == "FIDO_2_3") {
            members.insert("encCredStoreState".to_owned(), Json::from(""));
        }
    }
    Some(members)
}

/// A value in JSON. Bytes are a text where they are one (the URL of a policy), else hexadecimal.
fn json(value: &Cbor) -> Option<Json> {
    Some(match value {
        Cbor::Integer(number) => i64::try_from(*number).ok()?.into(),
        Cbor::Bool(flag) => (*flag).into(),
        Cbor::Text(text) => text.as_str().into(),
        Cbor::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => text.into(),
            Err(_) => hex(bytes).into(),
        },
        Cbor::Array(items) => Json::Array(items.iter().map(json).collect::<Option<_>>()?),
        Cbor::Map(entries) => {
            let entries =
                entries.iter().map(|(key, value)| Some((key.as_text()?.to_owned(), json(value)?)));
            Json::Object(entries.collect::<Option<_>>()?)
        }
        _ => return None,
    })
}
