//! The platform's half of the PIN/UV auth protocols one and two (CTAP 2.3, section 6.5), written from the
//! standard.

use aes::Aes256;
use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use p256::{PublicKey, SecretKey};
use sha2::Sha256;

use crate::cbor::{Value, map};
use crate::parts::{hmac_sha256, sha256};
use crate::verify::p256_point;

/// A PIN/UV auth protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Protocol one.
    One,
    /// Protocol two.
    Two,
}

impl Protocol {
    /// Both, for tests that hold for each.
    pub const BOTH: [Self; 2] = [Self::One, Self::Two];

    /// The number on the wire.
    #[must_use]
    pub fn number(self) -> i64 {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::One => Self::Two,
            Self::Two => Self::One,
        }
    }

    /// The protocol's key derivation from the ECDH result: 32 or 64 bytes.
    #[must_use]
    pub fn kdf(self, z: &[u8]) -> Vec<u8> {
        match self {
            Self::One => sha256(z).to_vec(),
            Self::Two => {
                let derive = |info: &[u8]| {
                    let mut key = [0; 32];
                    hkdf::Hkdf::<Sha256>::new(Some(&[0; 32]), z).expand(info, &mut key).unwrap();
                    key
                };
                [derive(b"CTAP2 HMAC key"), derive(b"CTAP2 AES key")].concat()
            }
        }
    }

    /// The protocol's `authenticate`: 16 or 32 bytes.
    #[must_use]
    pub fn authenticate(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        match self {
            Self::One => hmac_sha256(key, message)[..16].to_vec(),
            Self::Two => hmac_sha256(&key[..32], message).to_vec(),
        }
    }

    /// The protocol's `encrypt`; `iv` is what protocol two takes from a random source. A message that is no
    /// whole number of blocks is passed through as it is, for tests of what the other side makes of it.
    #[must_use]
    pub fn encrypt(self, key: &[u8], iv: [u8; 16], message: &[u8]) -> Vec<u8> {
        let whole = message.len() / 16 * 16;
        let (blocks, tail) = message.split_at(whole);
        match self {
            Self::One => [&cbc_encrypt(key, [0; 16], blocks), tail].concat(),
            Self::Two => [&iv, cbc_encrypt(&key[32..], iv, blocks).as_slice(), tail].concat(),
        }
    }

    /// The protocol's `decrypt`; the test fails if the length is impossible.
    #[must_use]
    #[track_caller]
    pub fn decrypt(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        assert!(message.len().is_multiple_of(16), "{} bytes of ciphertext", message.len());
        match self {
            Self::One => cbc_decrypt(key, [0; 16], message),
            Self::Two => {
                let (iv, message) = message.split_at_checked(16).expect("an IV");
                cbc_decrypt(&key[32..], iv.try_into().unwrap(), message)
            }
        }
    }
}

/// What `encapsulate` gives: the shared secret, and the platform's public key to send along.
#[derive(Clone, Debug)]
pub struct Shared {
    protocol: Protocol,
    secret: Vec<u8>,
    iv: [u8; 16],
    /// The platform's key agreement key in COSE form.
    pub platform_key: Value,
}

impl Shared {
    /// Agrees on a secret with the authenticator's key, from 32 bytes that serve as private key and source of
    /// IVs.
    #[must_use]
    #[track_caller]
    pub fn agree(protocol: Protocol, authenticator_key: &Value, private: &[u8; 32]) -> Self {
        let theirs = PublicKey::from_sec1_bytes(&p256_point(authenticator_key)).expect("a point");
        let ours = SecretKey::from_slice(private).unwrap();
        let secret = protocol.kdf(ours.diffie_hellman(&theirs).raw_secret_bytes());
        let iv = sha256(private)[..16].try_into().unwrap();
        Self { protocol, secret, iv, platform_key: key_agreement_key(&ours) }
    }

    /// The protocol this secret belongs to.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// [`Protocol::encrypt`] with this secret.
    #[must_use]
    pub fn encrypt(&self, message: &[u8]) -> Vec<u8> {
        self.protocol.encrypt(&self.secret, self.iv, message)
    }

    /// [`Protocol::decrypt`] with this secret.
    #[must_use]
    #[track_caller]
    pub fn decrypt(&self, message: &[u8]) -> Vec<u8> {
        self.protocol.decrypt(&self.secret, message)
    }

    /// [`Protocol::authenticate`] with this secret.
    #[must_use]
    pub fn authenticate(&self, message: &[u8]) -> Vec<u8> {
        self.protocol.authenticate(&self.secret, message)
    }
}

/// A pinUvAuthToken in the platform's hands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    protocol: Protocol,
    bytes: Vec<u8>,
}

impl Token {
    /// A token of this protocol.
    #[must_use]
    pub fn new(protocol: Protocol, bytes: Vec<u8>) -> Self {
        Self { protocol, bytes }
    }

    /// The protocol it was got by.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The same bytes claimed for the other protocol.
    #[must_use]
    pub fn under_other_protocol(&self) -> Self {
        Self { protocol: self.protocol.other(), bytes: self.bytes.clone() }
    }

    /// The token itself.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A pinUvAuthParam over `message`.
    #[must_use]
    pub fn authenticate(&self, message: &[u8]) -> Vec<u8> {
        self.protocol.authenticate(&self.bytes, message)
    }
}

/// The plaintext of encIdentifier or encCredStoreState (the name is `info`) under a persistent token: an IV, then
/// one block of AES-128-CBC.
#[must_use]
#[track_caller]
pub fn decrypt_info_member(token: &Token, info: &str, value: &[u8]) -> [u8; 16] {
    let mut key = [0; 16];
    hkdf::Hkdf::<Sha256>::new(Some(&[0; 32]), token.bytes())
        .expand(info.as_bytes(), &mut key)
        .unwrap();
    let (iv, ciphertext) = value.split_at(16);
    let mut plaintext = [0; 16];
    cbc::Decryptor::<aes::Aes128>::new_from_slices(&key, iv)
        .unwrap()
        .decrypt_padded_b2b::<NoPadding>(ciphertext, &mut plaintext)
        .unwrap();
    plaintext
}

/// The COSE form of a key agreement key.
#[must_use]
pub fn key_agreement_key(private: &SecretKey) -> Value {
    let point = p256::Sec1Point::from(private.public_key());
    cose_key_agreement(&point.as_bytes()[1..33], &point.as_bytes()[33..])
}

/// A key agreement key with these coordinates, on the curve or not.
#[must_use]
pub fn cose_key_agreement(x: &[u8], y: &[u8]) -> Value {
    map([
        (1, Value::from(2)),
        (3, Value::from(-25)),
        (-1, Value::from(1)),
        (-2, Value::from(x)),
        (-3, Value::from(y)),
    ])
}

/// A PIN padded with zeros to 64 bytes.
#[must_use]
pub fn padded(pin: &str) -> Vec<u8> {
    let mut padded = pin.as_bytes().to_vec();
    padded.resize(64, 0);
    padded
}

/// The first 16 bytes of a PIN's SHA-256.
#[must_use]
pub fn pin_hash(pin: &str) -> Vec<u8> {
    sha256(pin.as_bytes())[..16].to_vec()
}

fn cbc_encrypt(key: &[u8], iv: [u8; 16], message: &[u8]) -> Vec<u8> {
    let mut out = vec![0; message.len()];
    cbc::Encryptor::<Aes256>::new_from_slices(key, &iv)
        .unwrap()
        .encrypt_padded_b2b::<NoPadding>(message, &mut out)
        .unwrap();
    out
}

fn cbc_decrypt(key: &[u8], iv: [u8; 16], message: &[u8]) -> Vec<u8> {
    let mut out = vec![0; message.len()];
    cbc::Decryptor::<Aes256>::new_from_slices(key, &iv)
        .unwrap()
        .decrypt_padded_b2b::<NoPadding>(message, &mut out)
        .unwrap();
    out
}

#[cfg(test)]
mod tests;
