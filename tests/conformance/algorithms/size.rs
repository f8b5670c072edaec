//! The longest answers there are.

use softkey_tests::key::Setup;
use softkey_tests::pin::Protocol;
use softkey_tests::{Key, Request};

use super::{Kind, ML_DSA_87, hmac_secret};

/// What CTAPHID can carry.
const MAX_MSG_SIZE: usize = 7609;

/// Every extension that is offered, and which makes an answer longer.
fn with_extensions(key: &mut Key, kind: Kind) -> Request {
    let mut request = kind.request().discoverable().extension("hmac-secret", true);
    request = request.extension("credProtect", 2);
    let info = key.info();
    if info.has_extension("credBlob") {
        request = request.extension("credBlob", [1; 32]);
    }
    if info.has_extension("largeBlobKey") {
        request = request.extension("largeBlobKey", true);
    }
    if info.has_extension("hmac-secret-mc") {
        let shared = key.agree(Protocol::Two);
        request = request.extension("hmac-secret-mc", hmac_secret::input(&shared, &[1; 64]));
    }
    request
}

/// ALG-14: the longest registration fits into a message, attested by the batch key or by itself.
#[test]
fn longest_registration_fits() {
    for self_attestation in [false, true] {
        let mut key = Key::new(Setup { self_attestation, ..ML_DSA_87.setup() });
        let plain = key.send(&ML_DSA_87.request().bytes());
        let request = with_extensions(&mut key, ML_DSA_87);
        let full = key.send(&request.bytes());
        for answer in [&plain, &full] {
            assert!(answer[0] == 0 && answer.len() <= MAX_MSG_SIZE, "{} bytes", answer.len());
        }
        let made = key.make(&request);
        key.assertion_by(&made, &made.get());
    }
}
