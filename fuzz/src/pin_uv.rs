//! The mathematics of the PIN/UV auth protocols, against the tests' own as oracle.
//!
//! Claim: both agree on a secret wherever the other end's key is a point, and `ctap` agrees on none where it is
//! not; what either encrypts the other decrypts; what is no whole number of blocks, or lacks its initialization
//! vector, is not decrypted; a tag is right if and only if the oracle makes it; the members that getInfo encrypts
//! can be read by who has the token. Planted: a tag of which the last byte is not compared.

use softkey_ctap::Secret;
use softkey_ctap::cbor::{decode, encode};
use softkey_ctap::cose::KeyAgreementKey;
use softkey_ctap::pin_uv::{
    KeyAgreement, Protocol, SharedSecret, StateKind, decrypt_state, encrypt_state, pin_hash,
};
use softkey_tests::cbor::walk;
use softkey_tests::key::Entropy;
use softkey_tests::parts::sha256;
use softkey_tests::pin::{self as oracle, Shared, Token, decrypt_info_member};

use crate::{Subject, Tape};

/// Private keys, a protocol, and messages.
pub fn run(data: &[u8], subject: Subject) {
    let mut tape = Tape::new(data);
    let protocol = tape.pick(&Protocol::ALL);
    let (ours, theirs): ([u8; 32], [u8; 32]) = (sha256(tape.take(4)), tape.array());
    foreign_point(&ours, &theirs, &mut tape);
    agreed(protocol, &ours, &theirs, &mut tape, subject);
    state(&ours, &mut tape);
    let text = String::from_utf8_lossy(tape.rest()).into_owned();
    assert_eq!(pin_hash(text.as_bytes()).expose().as_slice(), oracle::pin_hash(&text));
}

/// The same protocol in the oracle's words.
fn spoken(protocol: Protocol) -> oracle::Protocol {
    match protocol {
        Protocol::One => oracle::Protocol::One,
        Protocol::Two => oracle::Protocol::Two,
    }
}

/// A peer's key whose coordinates are anything.
fn foreign_point(ours: &[u8; 32], x: &[u8; 32], tape: &mut Tape<'_>) {
    let y: [u8; 32] = tape.array();
    let Some(ours) = KeyAgreement::from_bytes(&Secret::new(*ours)) else { return };
    let peer = KeyAgreementKey::new(x, &y);
    let point = [&[4][..], x, &y].concat();
    let on_curve = p256::PublicKey::from_sec1_bytes(&point).is_ok();
    for protocol in Protocol::ALL {
        assert_eq!(ours.shared_secret(protocol, &peer).is_some(), on_curve, "{point:02x?}");
    }
}

fn agreed(
    protocol: Protocol,
    ours: &[u8; 32],
    theirs: &[u8; 32],
    tape: &mut Tape<'_>,
    subject: Subject,
) {
    let valid = p256::SecretKey::from_slice(theirs).is_ok();
    let made = KeyAgreement::from_bytes(&Secret::new(*theirs));
    assert_eq!(made.is_some(), valid, "a private key is between 1 and the order");
    let (Some(key), true) = (KeyAgreement::from_bytes(&Secret::new(*ours)), valid) else { return };
    assert_eq!(Protocol::from_number(protocol.number()), Some(protocol));
    let public = walk(&encode(&key.public())).expect("a canonical key");
    let other = Shared::agree(spoken(protocol), &public, theirs);
    let platform_key = other.platform_key.encode();
    let peer: KeyAgreementKey<'_> = decode(&platform_key).expect("the oracle's key");
    let secret = key.shared_secret(protocol, &peer).expect("a point");
    assert_eq!(secret.protocol(), protocol);
    crossing(&secret, &other, tape);
    tags(&secret, &other, tape, subject);
}

/// What one end encrypts, the other decrypts.
fn crossing(secret: &SharedSecret, other: &Shared, tape: &mut Tape<'_>) {
    let message = tape.piece();
    let blocks = &message[..message.len() / 16 * 16];
    let encrypted = secret.encrypt(&mut Entropy::from_seed(5), message).expect("entropy");
    assert_eq!(other.decrypt(&encrypted), blocks, "what ctap encrypted");
    let decrypted = secret.decrypt(&other.encrypt(blocks)).expect("whole blocks");
    assert_eq!(decrypted.as_slice(), blocks, "what the oracle encrypted");
    let header = if secret.protocol() == Protocol::Two { 16 } else { 0 };
    let whole = message.len() >= header && message.len().is_multiple_of(16);
    let read = secret.decrypt(message);
    assert_eq!(read.is_some(), whole, "{} bytes", message.len());
    assert!(read.is_none_or(|read| *read == other.decrypt(message)), "any ciphertext");
}

/// Only the right tag is right, of messages in pieces as of whole ones.
fn tags(secret: &SharedSecret, other: &Shared, tape: &mut Tape<'_>, subject: Subject) {
    let (message, changed) = (tape.piece(), tape.short());
    let mut tag = other.authenticate(message);
    let (head, tail) = message.split_at(usize::from(changed) % (message.len() + 1));
    assert_eq!(secret.authenticate(&[head, tail]), tag, "the tag");
    assert!(secret.verify(&[head, tail], &tag), "the right tag");
    let at = usize::from(changed) % tag.len();
    tag[at] ^= 1 << (changed >> 13);
    let taken =
        secret.verify(&[message], &tag) || (subject == Subject::Planted && at + 1 == tag.len());
    assert!(!taken, "a changed tag is taken");
    tag[at] ^= 1 << (changed >> 13);
    tag.truncate(at);
    assert!(!secret.verify(&[message], &tag), "a short tag is taken");
}

/// The members of getInfo that only the holder of the persistent token can read.
fn state(token: &[u8; 32], tape: &mut Tape<'_>) {
    let value: [u8; 16] = tape.array();
    let names = [
        (StateKind::Identifier, "encIdentifier"),
        (StateKind::CredStoreState, "encCredStoreState"),
    ];
    for (kind, name) in names {
        let secret = Secret::new(*token);
        let sealed = encrypt_state(&mut Entropy::from_seed(7), &secret, kind, value);
        let sealed = sealed.expect("entropy");
        assert_eq!(decrypt_state(&secret, kind, &sealed), Some(value));
        let holder = Token::new(oracle::Protocol::Two, token.to_vec());
        assert_eq!(decrypt_info_member(&holder, name, &sealed), value, "{name}");
    }
}
