//! The forms of keys and signatures, and signatures checked by the libraries' own verifiers.

use alloc::vec;

use p256::ecdsa::signature::Verifier;
use serde_json::Value;
use softkey_ctap::cbor;

use super::*;

const MESSAGE: [&[u8]; 2] = [b"authenticator data", b"client data hash"];

/// A key pair of each curve, from many seeds: the point has its full length, the signature verifies, and another
/// message's does not.
macro_rules! signs {
    ($name:ident, $curve:ident, $algorithm:ident, $crv:literal, $field:literal) => {
        #[test]
        fn $name() {
            for seed in 0..8 {
                let key =
                    PrivateKey::from_seed(Algorithm::$algorithm, &Secret::new([seed; 32])).unwrap();
                let PublicKey::Point { crv, sec1 } = key.public() else { panic!("no point") };
                assert_eq!((crv, sec1.len()), ($crv, 1 + 2 * $field));
                let verifier = $curve::ecdsa::VerifyingKey::from_sec1_bytes(&sec1).unwrap();
                let signature =
                    $curve::ecdsa::Signature::from_der(&key.sign(&MESSAGE).unwrap()).unwrap();
                verifier.verify(&MESSAGE.concat(), &signature).unwrap();
                assert!(verifier.verify(b"another", &signature).is_err());
            }
        }
    };
}

signs!(es256_signs, p256, Es256, 1, 32);
#[cfg(feature = "p384")]
signs!(es384_signs, p384, Es384, 2, 48);
#[cfg(feature = "p521")]
signs!(es512_signs, p521, Es512, 3, 66);
#[cfg(feature = "k256")]
signs!(es256k_signs, k256, Es256k, 8, 32);

#[test]
fn eddsa_signs() {
    let key = PrivateKey::from_seed(Algorithm::EdDsa, &Secret::new([7; 32])).unwrap();
    let PublicKey::Ed25519(x) = key.public() else { panic!("no Ed25519 key") };
    let verifier = ed25519_dalek::VerifyingKey::from_bytes(&x).unwrap();
    let signature = ed25519_dalek::Signature::from_slice(&key.sign(&MESSAGE).unwrap()).unwrap();
    verifier.verify_strict(&MESSAGE.concat(), &signature).unwrap();
}

/// Credential identifiers hold seeds: what a seed stands for can never change. The first bytes of the public keys
/// were computed apart, with HKDF-Expand of RFC 5869 and schoolbook arithmetic, those of ML-DSA as FIPS 204 derives
/// them. The primes of RS256 are kept, so its seeds stand for nothing once they are found.
#[test]
fn seeds_stand_for_these_keys_for_ever() {
    let seed = Secret::new([0x42; 32]);
    let beginning = |algorithm| {
        let public = PrivateKey::from_seed(algorithm, &seed).unwrap().public();
        let bytes = match &public {
            PublicKey::Point { sec1, .. } => &sec1[1..5],
            PublicKey::Ed25519(x) => &x[..4],
            #[cfg(feature = "rsa")]
            PublicKey::Rsa { n, .. } => &n[..4],
            #[cfg(feature = "ml-dsa")]
            PublicKey::MlDsa(public) => &public[..4],
        };
        <[u8; 4]>::try_from(bytes).unwrap()
    };
    assert_eq!(beginning(Algorithm::Es256), [0xbb, 0xd9, 0x72, 0x54]);
    assert_eq!(beginning(Algorithm::EdDsa), [0xd6, 0xb4, 0xa2, 0x8a]);
    #[cfg(feature = "p384")]
    assert_eq!(beginning(Algorithm::Es384), [0x9d, 0xd4, 0xa7, 0xe3]);
    #[cfg(feature = "p521")]
    assert_eq!(beginning(Algorithm::Es512), [0x00, 0xe7, 0xb9, 0xe9]);
    #[cfg(feature = "k256")]
    assert_eq!(beginning(Algorithm::Es256k), [0x6e, 0x99, 0x55, 0x4d]);
    #[cfg(feature = "ml-dsa")]
    assert_eq!(beginning(Algorithm::MlDsa44), [0x26, 0xa9, 0x89, 0x0e]);
    #[cfg(feature = "ml-dsa")]
    assert_eq!(beginning(Algorithm::MlDsa65), [0x32, 0x3e, 0xed, 0xf7]);
    #[cfg(feature = "ml-dsa")]
    assert_eq!(beginning(Algorithm::MlDsa87), [0xb6, 0x28, 0xc0, 0x08]);
}

/// What is kept gives the same key again, and anything else gives none.
#[cfg(feature = "rsa")]
#[test]
fn kept_primes_are_the_key() {
    let seed = Secret::new([9; 32]);
    let key = PrivateKey::from_seed(Algorithm::Rs256, &seed).unwrap();
    let kept = key.kept().unwrap();
    assert_eq!(kept.len(), 256);
    let again = PrivateKey::from_kept(Algorithm::Rs256, &seed, &kept).unwrap();
    let signature = key.sign(&MESSAGE).unwrap();
    assert_eq!((signature.len(), &signature), (256, &again.sign(&MESSAGE).unwrap()));
    let PublicKey::Rsa { n, e } = again.public() else { panic!("no RSA key") };
    assert_eq!((n.len(), n[0] >> 7, e), (256, 1, vec![1, 0, 1]));
    for wrong in [&kept[..255], &kept[..128], &[1; 256], &[2; 256], &[]] {
        let refused = PrivateKey::from_kept(Algorithm::Rs256, &seed, wrong);
        assert_eq!(refused.err(), Some(Refusal::Damaged));
    }
}

/// Each algorithm under its identifier, with its whole COSE key and one whole signature, as libraries of others made them:
/// `tests/vectors/signatures.py`. What a seed stands for and how it signs can never change.
#[test]
fn keys_and_signatures_are_those_of_others() {
    let file = include_str!("../../../tests/vectors/signatures.json");
    let file: Value = serde_json::from_str(file).unwrap();
    let message = hex(&file["message"]);
    let (first, second) = message.split_at(18);
    let seed = Secret::new(hex(&file["seed"]).try_into().unwrap());
    let mut left = Algorithm::ALL.to_vec();
    for vector in file["vectors"].as_array().unwrap() {
        // A build may be without it.
        let Some(algorithm) = Algorithm::from_id(vector["alg"].as_i64().unwrap()) else { continue };
        left.retain(|other| *other != algorithm);
        let key = if algorithm.keeps_key() {
            PrivateKey::from_kept(algorithm, &seed, &hex(&vector["primes"])).unwrap()
        } else {
            PrivateKey::from_seed(algorithm, &seed).unwrap()
        };
        let public = cbor::encode(&key.public().cose(algorithm));
        assert_eq!(public, hex(&vector["public_key"]), "{algorithm:?}");
        let signature = key.sign(&[first, second]).unwrap();
        assert_eq!(signature, hex(&vector["signature"]), "{algorithm:?}");
    }
    assert_eq!(left, [], "algorithms without a vector");
}

fn hex(value: &Value) -> Vec<u8> {
    let pairs = value.as_str().unwrap().as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap();
    pairs.map(byte).collect()
}
