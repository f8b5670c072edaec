//! The authenticators of `webauthn-l3.json`: what they sign, computed from the private keys that the file has.
//!
//! Each of its signatures can be had again to the byte, because none takes randomness: ECDSA is by RFC 6979, Ed25519 by
//! RFC 8032, and RS256 is padded the same each time. The one exception is the sign-in of `packed-ed448`: Ed448 is as
//! deterministic, but there is no released library that signs by it, so [`Signer::sign`] has nothing for that vector.

use ciborium::Value as Cbor;
use ed25519_dalek::Signer as _;
use rsa::{BoxedUint, Pkcs1v15Sign, RsaPrivateKey};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::vectors::unhex;

/// The authenticator of one case.
pub(crate) struct Signer<'a>(pub(crate) &'a Value);

/// A signature in DER; the file leaves out zeros in front of a scalar.
macro_rules! ecdsa {
    ($curve:ident, $length:literal, $secret:expr, $message:expr) => {{
        let secret = $secret;
        let secret = [vec![0; $length - secret.len()], secret].concat();
        let key = $curve::ecdsa::SigningKey::from_slice(&secret).unwrap();
        let signature: $curve::ecdsa::Signature = key.sign($message);
        signature.to_der().as_bytes().to_vec()
    }};
}

impl Signer<'_> {
    fn secret(&self, name: &str) -> Vec<u8> {
        unhex(&self.0["registration"][name])
    }

    /// The credential's signature.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let ecdsa = "credential_private_key";
        Some(match self.0["cose_alg"].as_i64().unwrap() {
            -7 => ecdsa!(p256, 32, self.secret(ecdsa), message),
            -35 => ecdsa!(p384, 48, self.secret(ecdsa), message),
            -36 => ecdsa!(p521, 66, self.secret(ecdsa), message),
            -8 => {
                let seed = self.secret("private_key").try_into().unwrap();
                ed25519_dalek::SigningKey::from_bytes(&seed).sign(message).to_vec()
            }
            -257 => rs256(message),
            -53 => return None,
            other => panic!("nobody signs by {other}"),
        })
    }

    /// The signature of who attests, whichever algorithm the credential is of.
    fn attest(&self, message: &[u8]) -> Vec<u8> {
        ecdsa!(p256, 32, self.secret("attestation_private_key"), message)
    }

    /// The attestation statement of a registration: the vector's, whose other members are checked where they depend on
    /// what is attested, with a signature of one's own (section 8).
    pub(crate) fn statement(&self, fmt: &str, given: &Cbor, data: &[u8], hash: &[u8]) -> Cbor {
        let mut statement = given.clone();
        let members = statement.as_map_mut().unwrap().iter_mut();
        let mut members = members.map(|(name, value)| (name.as_text().unwrap(), value));
        match (self.statement_signature(fmt, given, data, hash), members.find(|it| it.0 == "sig")) {
            (Some(signature), Some((_, value))) => *value = Cbor::Bytes(signature),
            (None, None) => {}
            (signature, member) => panic!("{signature:?} for {member:?}"),
        }
        statement
    }

    /// Its signature; `none` and `apple` have none.
    fn statement_signature(
        &self,
        fmt: &str,
        given: &Cbor,
        data: &[u8],
        hash: &[u8],
    ) -> Option<Vec<u8>> {
        let signed = [data, hash].concat();
        let member = |name| {
            let members = given.as_map().unwrap();
            members.iter().find(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value)
        };
        match fmt {
            "none" => None,
            "packed" if member("x5c").is_some() => Some(self.attest(&signed)),
            "packed" | "android-key" => self.sign(&signed),
            "fido-u2f" => {
                let secret = self.secret("credential_private_key");
                let secret = p256::ecdsa::SigningKey::from_slice(&secret).unwrap();
                let point = secret.verifying_key().to_sec1_point(false);
                let id = unhex(&self.0["registration"]["credential_id"]);
                Some(self.attest(&[&[0], &data[..32], hash, &id, point.as_bytes()].concat()))
            }
            "tpm" => {
                let info = member("certInfo").unwrap().as_bytes().unwrap();
                assert!(contains(info, &Sha256::digest(&signed)), "extraData");
                Some(self.attest(info))
            }
            "apple" => {
                let leaf = member("x5c").unwrap().as_array().unwrap()[0].as_bytes().unwrap();
                assert!(contains(leaf, &Sha256::digest(&signed)), "the nonce");
                None
            }
            other => panic!("nobody attests by {other}"),
        }
    }
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// RSASSA-PKCS1-v1_5 with SHA-256 by the vectors' one key of RSA, whose primes are 2^1279 - 1 and 2^2203 - 1.
fn rs256(message: &[u8]) -> Vec<u8> {
    // One width for all of them: that of the modulus, in whole words.
    let number = |bytes: &[u8]| BoxedUint::from_be_slice(bytes, 3520).unwrap();
    let mersenne = |exponent: usize| {
        let mut bytes = vec![0xff; exponent.div_ceil(8)];
        bytes[0] >>= bytes.len() * 8 - exponent;
        number(&bytes)
    };
    let (p, q, one) = (mersenne(1279), mersenne(2203), number(&[1]));
    let public = number(&[1, 0, 1]);
    let totient = p.wrapping_sub(&one).wrapping_mul(q.wrapping_sub(&one));
    let private = public.invert_mod(&totient.to_nz().unwrap()).unwrap();
    let (modulus, primes) = (p.wrapping_mul(&q), vec![p, q]);
    // Its primes are of too different lengths for the usual way.
    let key = RsaPrivateKey::from_components_with_wide_primes(modulus, public, private, primes);
    let key = key.unwrap();
    key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message)).unwrap()
}
