//! CTAP1 / U2F (UF).

mod authenticate;
mod framing;
mod register;
mod with_ctap2;

use softkey_tests::Key;
use softkey_tests::parts::sha256;
use softkey_tests::u2f::{Registration, register};

const CHALLENGE: [u8; 32] = [0xC4; 32];

fn application() -> [u8; 32] {
    sha256(b"https://example.com")
}

/// A registration as clients make it.
#[track_caller]
fn registered(key: &mut Key, application: &[u8; 32]) -> Registration {
    let answer = key.u2f_polling(&register(application, &CHALLENGE));
    Registration::parse(&answer, application, &CHALLENGE)
}
