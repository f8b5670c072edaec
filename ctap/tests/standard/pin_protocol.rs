//! The PIN/UV auth protocols where no vector leads: what they refuse, and where entropy goes.

use core::fmt;

use rand_core::{TryCryptoRng, TryRng};
use softkey_ctap::Secret;
use softkey_ctap::cose::{KeyAgreementKey, algorithm};
use softkey_ctap::pin_uv::{KeyAgreement, Protocol, SharedSecret};

/// Entropy of one byte over and over, or none at all.
struct Source(Option<u8>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Dry;

impl fmt::Display for Dry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no entropy")
    }
}

impl std::error::Error for Dry {}

impl TryRng for Source {
    type Error = Dry;

    fn try_next_u32(&mut self) -> Result<u32, Dry> {
        self.0.map(|byte| u32::from_be_bytes([byte; 4])).ok_or(Dry)
    }

    fn try_next_u64(&mut self) -> Result<u64, Dry> {
        self.0.map(|byte| u64::from_be_bytes([byte; 8])).ok_or(Dry)
    }

    fn try_fill_bytes(&mut self, into: &mut [u8]) -> Result<(), Dry> {
        into.fill(self.0.ok_or(Dry)?);
        Ok(())
    }
}

impl TryCryptoRng for Source {}

fn pair(private: u8) -> KeyAgreement {
    KeyAgreement::from_bytes(&Secret::new([private; 32])).unwrap()
}

fn secret(protocol: Protocol) -> SharedSecret {
    SharedSecret::from_z(protocol, &Secret::new([5; 32])).unwrap()
}

#[test]
fn both_ends_come_to_one_secret() {
    for protocol in Protocol::ALL {
        let (ours, theirs) = (pair(1), pair(2));
        let here = ours.shared_secret(protocol, &theirs.public()).unwrap();
        let there = theirs.shared_secret(protocol, &ours.public()).unwrap();
        let sent = here.encrypt(&mut Source(Some(3)), &[4; 48]).unwrap();
        assert_eq!(there.decrypt(&sent).unwrap().as_slice(), [4; 48]);
        assert!(there.verify(&[b"m"], &here.authenticate(&[b"m"])));
        let stranger = pair(6).shared_secret(protocol, &theirs.public()).unwrap();
        assert!(!stranger.verify(&[b"m"], &here.authenticate(&[b"m"])));
    }
}

/// Points off the curve and other key types give no secret (0x02 on the wire).
#[test]
fn only_points_of_p_256_are_keys() {
    let (ours, theirs) = (pair(1), pair(2));
    let good = theirs.public();
    let (x, y) = good.coordinates().unwrap();
    let mut off = *y;
    off[31] ^= 1;
    let not_below_the_prime = [0xff; 32];
    let refused = [
        ("off the curve", KeyAgreementKey::new(x, &off)),
        ("the origin", KeyAgreementKey::new(&[0; 32], &[0; 32])),
        ("x beyond the field", KeyAgreementKey::new(&not_below_the_prime, y)),
        ("OKP", KeyAgreementKey { kty: Some(1), ..good.clone() }),
        ("no key type", KeyAgreementKey { kty: None, ..good.clone() }),
        ("P-384", KeyAgreementKey { crv: Some(2), ..good.clone() }),
        ("no curve", KeyAgreementKey { crv: None, ..good.clone() }),
        ("no x", KeyAgreementKey { x: None, ..good.clone() }),
        ("no y", KeyAgreementKey { y: None, ..good.clone() }),
        ("short x", KeyAgreementKey { x: Some(&x[..31]), ..good.clone() }),
        ("long y", KeyAgreementKey { y: Some(&[0; 33]), ..good.clone() }),
    ];
    for protocol in Protocol::ALL {
        assert!(ours.shared_secret(protocol, &good).is_some());
        for (name, key) in &refused {
            assert!(ours.shared_secret(protocol, key).is_none(), "{name}");
        }
        // The algorithm only decorates.
        let undecorated = KeyAgreementKey { alg: None, ..good.clone() };
        assert!(ours.shared_secret(protocol, &undecorated).is_some());
    }
    assert_eq!(good.alg, Some(algorithm::ECDH_ES_HKDF_256));
}

#[test]
fn private_keys_are_numbers_of_the_group() {
    assert!(KeyAgreement::from_bytes(&Secret::new([0; 32])).is_none());
    assert!(KeyAgreement::from_bytes(&Secret::new([0xff; 32])).is_none());
    // Generated from entropy, and the entropy's failure is passed on.
    let generated = KeyAgreement::generate(&mut Source(Some(7))).unwrap();
    assert!(generated.shared_secret(Protocol::Two, &pair(1).public()).is_some());
    assert_eq!(KeyAgreement::generate(&mut Source(None)).err(), Some(Dry));
}

/// decrypt fails on broken blocks, and for protocol two without a whole initialization vector.
#[test]
fn only_whole_blocks_decrypt() {
    for len in 0..=80_usize {
        let ciphertext = vec![0; len];
        let one = secret(Protocol::One).decrypt(&ciphertext).map(|plain| plain.len());
        assert_eq!(one, (len % 16 == 0).then_some(len), "one, {len}");
        let two = secret(Protocol::Two).decrypt(&ciphertext).map(|plain| plain.len());
        assert_eq!(two, (len >= 16 && len % 16 == 0).then(|| len - 16), "two, {len}");
    }
}

#[test]
fn protocol_two_draws_its_initialization_vector_and_protocol_one_draws_nothing() {
    let two = secret(Protocol::Two);
    let (first, second) = (
        two.encrypt(&mut Source(Some(1)), &[0; 32]).unwrap(),
        two.encrypt(&mut Source(Some(2)), &[0; 32]).unwrap(),
    );
    assert_eq!((&first[..16], &second[..16]), (&[1; 16][..], &[2; 16][..]));
    assert_ne!(first[16..], second[16..]);
    assert_eq!(two.encrypt(&mut Source(None), &[0; 32]), Err(Dry));
    let one = secret(Protocol::One).encrypt(&mut Source(None), &[0; 32]).unwrap();
    assert_eq!(one.len(), 32);
}

#[test]
fn protocols_have_the_numbers_one_and_two() {
    let numbers: Vec<Option<Protocol>> = (0..=3).map(Protocol::from_number).collect();
    assert_eq!(numbers, [None, Some(Protocol::One), Some(Protocol::Two), None]);
    assert_eq!(Protocol::ALL.map(Protocol::number), [1, 2]);
}
