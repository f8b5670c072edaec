//! Client data and their one serialization (WebAuthn Level 3 section 5.8.1): the bytes whose hash is signed.

use sha2::{Digest, Sha256};

use crate::base64url;

/// The client data of a ceremony.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientData<'a> {
    /// `webauthn.create` or `webauthn.get`.
    pub kind: &'a str,
    /// The challenge, raw.
    pub challenge: &'a [u8],
    /// The caller's origin, serialized.
    pub origin: &'a str,
    /// Is the caller in a frame of another origin?
    pub cross_origin: bool,
    /// The origin of the top-level page, serialized; only if `cross_origin`.
    pub top_origin: Option<&'a str>,
    /// Further members: a JSON object without white space, or nothing.
    pub extra: Option<&'a str>,
}

/// The type of client data at creation.
pub const CREATE: &str = "webauthn.create";
/// The type of client data at sign-in.
pub const GET: &str = "webauthn.get";

impl ClientData<'_> {
    /// The bytes: members in a fixed order, without white space, escaped in the one way the standard has.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut json = String::from("{\"type\":");
        string(&mut json, self.kind);
        json.push_str(",\"challenge\":");
        string(&mut json, &base64url::encode(self.challenge));
        json.push_str(",\"origin\":");
        string(&mut json, self.origin);
        json.push_str(",\"crossOrigin\":");
        json.push_str(if self.cross_origin { "true" } else { "false" });
        if let (true, Some(top_origin)) = (self.cross_origin, self.top_origin) {
            json.push_str(",\"topOrigin\":");
            string(&mut json, top_origin);
        }
        match self.extra.and_then(|extra| extra.strip_prefix('{')) {
            Some(members) if members != "}" => {
                json.push(',');
                json.push_str(members);
            }
            _ => json.push('}'),
        }
        json.into_bytes()
    }
}

/// SHA-256 of serialized client data.
#[must_use]
pub fn hash(client_data_json: &[u8]) -> [u8; 32] {
    Sha256::digest(client_data_json).into()
}

/// A string in quotes. Control characters have the long escape only, unlike in ordinary JSON writers.
fn string(json: &mut String, text: &str) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\0'..='\u{1f}' => {
                let code = u32::from(c);
                json.push_str("\\u00");
                json.extend(
                    [code >> 4, code & 0xf].iter().filter_map(|d| char::from_digit(*d, 16)),
                );
            }
            _ => json.push(c),
        }
    }
    json.push('"');
}
