//! Base64url without padding (RFC 4648 section 5), the form in which WebAuthn's JSON carries bytes.

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// The text for these bytes.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    BASE64URL.encode(bytes)
}

/// The bytes of this text; nothing if it has padding, white space, other characters than those of the
/// alphabet, or a length that no bytes give.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64URL.decode(text).ok()
}

/// Bytes as base64url in JSON, for members that are not [`Bytes`](crate::response::Bytes).
pub(crate) mod text {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&super::encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        super::decode(&text).ok_or_else(|| de::Error::custom("not base64url"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WebAuthn Level 3 section 5.1.8: what is not exactly base64url is refused.
    #[test]
    fn only_the_exact_alphabet_is_read() {
        assert_eq!(decode("-_8"), Some(vec![0xfb, 0xff]));
        assert_eq!(decode(""), Some(vec![]));
        for refused in ["+/8", "-_8=", "-_ 8", "A", "AAAAA", "-_8\n"] {
            assert_eq!(decode(refused), None, "{refused:?}");
        }
        assert_eq!(encode(&[0xfb, 0xff]), "-_8");
    }
}
