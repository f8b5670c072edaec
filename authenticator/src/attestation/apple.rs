//! What the certificate of the format `apple` says about its credential (WebAuthn Level 3 section 8.8).

use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use super::Subject;
use super::certificate::octets;
use super::der::{context, sequence, value};

/// The extension's value: `SEQUENCE { [1] OCTET STRING }` with SHA-256 of authenticator data and client data hash.
pub(super) fn nonce(subject: &Subject<'_>) -> Vec<u8> {
    let mut hash = Sha256::new();
    for piece in subject.message() {
        hash.update(piece);
    }
    sequence(&[&value(context(1), &[&octets(&hash.finalize())])])
}
