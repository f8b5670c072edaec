//! What the provider signs: JSON Web Tokens with ES256 (RFC 7515, 7518 and 7519), and how a relying party checks them.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use serde_json::{Value, json};

use crate::entropy;

/// The identifier of the one key.
const KEY_ID: &str = "1";

/// The provider's key.
pub(crate) struct Seal(SigningKey);

impl Seal {
    /// A new key; nothing if the system has no entropy.
    pub(crate) fn generate() -> Option<Self> {
        // All but one in 2^32 strings of 32 bytes are a key.
        (0..4).find_map(|_| SigningKey::from_slice(&entropy::bytes::<32>()?).ok()).map(Self)
    }

    /// A compact JWS over these claims.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let header = json!({"alg": "ES256", "kid": KEY_ID, "typ": "JWT"});
        let part = |value: &Value| BASE64URL.encode(value.to_string());
        let text = format!("{}.{}", part(&header), part(claims));
        let signature: Signature = self.0.sign(text.as_bytes());
        format!("{text}.{}", BASE64URL.encode(signature.to_bytes()))
    }

    /// The JWK set with the public key.
    pub(crate) fn keys(&self) -> Value {
        let point = self.0.verifying_key().to_sec1_point(false);
        let half =
            |half: Option<_>| half.map_or_else(String::new, |half: &_| BASE64URL.encode(half));
        json!({"keys": [{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": KEY_ID,
            "x": half(point.x()), "y": half(point.y())}]})
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal")
    }
}

/// What a relying party expects of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected<'e> {
    /// The provider's origin.
    pub issuer: &'e str,
    /// The party's own `client_id`.
    pub audience: &'e str,
    /// The nonce that it gave, if it did.
    pub nonce: Option<&'e str>,
    /// Now, in seconds since 1970.
    pub now: u64,
}

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// It is no compact JWS with JSON in it.
    Malformed,
    /// It is signed otherwise than with ES256, or with a key that is not in the set.
    Key,
    /// The signature is not the key's.
    Signature,
    /// It is from somebody else.
    Issuer,
    /// It is for somebody else.
    Audience,
    /// It is good no more.
    Expired,
    /// It was made for another sign-in.
    Nonce,
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the token is no compact JWS",
            Self::Key => "the token is signed with a key that is not the provider's",
            Self::Signature => "the token's signature is wrong",
            Self::Issuer => "the token is from another provider",
            Self::Audience => "the token is for another client",
            Self::Expired => "the token has expired",
            Self::Nonce => "the token has another nonce",
        })
    }
}

impl std::error::Error for TokenError {}

/// Checks a token as a relying party has to, with the provider's JWK set, and gives its claims.
///
/// # Errors
///
/// The first thing that is wrong with it.
pub fn verify(token: &str, keys: &Value, expected: &Expected<'_>) -> Result<Value, TokenError> {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts.as_slice() else { return Err(TokenError::Malformed) };
    let header_value = object(header)?;
    let key = key_of(&header_value, keys).ok_or(TokenError::Key)?;
    let bytes = BASE64URL.decode(signature).map_err(|_| TokenError::Malformed)?;
    let signature = Signature::from_slice(&bytes).map_err(|_| TokenError::Signature)?;
    let text = format!("{header}.{claims}");
    key.verify(text.as_bytes(), &signature).map_err(|_| TokenError::Signature)?;
    let claims = object(claims)?;
    let is = |name: &str, wanted: &str| claims.get(name).and_then(Value::as_str) == Some(wanted);
    if !is("iss", expected.issuer) {
        Err(TokenError::Issuer)
    } else if !is("aud", expected.audience) {
        Err(TokenError::Audience)
    } else if claims.get("exp").and_then(Value::as_u64).is_none_or(|exp| exp <= expected.now) {
        Err(TokenError::Expired)
    } else if expected.nonce.is_some_and(|nonce| !is("nonce", nonce)) {
        Err(TokenError::Nonce)
    } else {
        Ok(claims)
    }
}

/// The key that a header names.
fn key_of(header: &Value, keys: &Value) -> Option<VerifyingKey> {
    let text = |value: &Value, name: &str| value.get(name)?.as_str().map(str::to_owned);
    let id = text(header, "kid")?;
    let mut all = keys.get("keys")?.as_array()?.iter();
    let key = all.find(|key| text(key, "kid").as_ref() == Some(&id))?;
    if text(header, "alg")? != "ES256" || text(key, "crv")? != "P-256" {
        return None;
    }
    let mut point = vec![4];
    for half in ["x", "y"] {
        point.extend(BASE64URL.decode(text(key, half)?).ok()?);
    }
    VerifyingKey::from_sec1_bytes(&point).ok()
}

fn object(part: &str) -> Result<Value, TokenError> {
    let bytes = BASE64URL.decode(part).map_err(|_| TokenError::Malformed)?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|_| TokenError::Malformed)?;
    if value.is_object() { Ok(value) } else { Err(TokenError::Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPECTED: Expected<'_> =
        Expected { issuer: "https://i.example", audience: "rp", nonce: Some("n"), now: 100 };

    fn claims() -> Value {
        json!({"iss": "https://i.example", "aud": "rp", "nonce": "n", "exp": 101, "sub": "1"})
    }

    /// Each claim that is wrong, alone, has its own reason.
    #[test]
    fn a_token_is_good_for_one_sign_in() {
        let seal = Seal::generate().unwrap();
        let check = |claims: &Value| verify(&seal.sign(claims), &seal.keys(), &EXPECTED);
        assert_eq!(check(&claims()), Ok(claims()));
        for (name, value, error) in [
            ("iss", json!("https://j.example"), TokenError::Issuer),
            ("aud", json!("other"), TokenError::Audience),
            ("aud", json!(["rp"]), TokenError::Audience),
            ("exp", json!(100), TokenError::Expired),
            ("exp", Value::Null, TokenError::Expired),
            ("nonce", json!("m"), TokenError::Nonce),
            ("nonce", Value::Null, TokenError::Nonce),
        ] {
            let mut changed = claims();
            changed[name] = value;
            assert_eq!(check(&changed), Err(error), "{changed}");
        }
    }

    /// Nobody else's signature counts, and none of another algorithm.
    #[test]
    fn a_token_is_the_providers() {
        let (seal, other) = (Seal::generate().unwrap(), Seal::generate().unwrap());
        let check = |token: &str| verify(token, &seal.keys(), &EXPECTED).unwrap_err();
        assert_eq!(check(&other.sign(&claims())), TokenError::Signature);
        let good = seal.sign(&claims());
        let (_, rest) = good.split_once('.').unwrap();
        for header in [r#"{"alg":"none","kid":"1"}"#, r#"{"alg":"ES256","kid":"2"}"#, "{}"] {
            let header = BASE64URL.encode(header);
            assert_eq!(check(&format!("{header}.{rest}")), TokenError::Key, "{header}");
        }
        for malformed in ["", "a.b", "..", &good[1..], &format!("{good}.x")] {
            assert_eq!(check(malformed), TokenError::Malformed, "{malformed}");
        }
        assert_eq!(check(&good[..good.len() - 2]), TokenError::Signature);
    }
}
