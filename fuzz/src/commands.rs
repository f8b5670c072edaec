//! Lists of CTAP2 requests as bytes against one living authenticator that has a PIN and credentials.
//!
//! Claim: every answer is a status, alone or with one canonical map; a refusal changes nothing that is stored but
//! the counted tries of the PIN; without the PIN nobody lists, changes or deletes; after all of it the credential
//! that was made first still signs, unless a reset was allowed. Planted: a key that answers a refusal with a body.

use std::time::Duration;

use softkey_tests::cbor::walk;
use softkey_tests::request::{cf, command};
use softkey_tests::status::SUCCESS;
use softkey_tests::{Key, Request, User};

use crate::{Subject, Tape};

/// Requests behind their lengths; the user approves one in two.
pub fn run(data: &[u8], subject: Subject) {
    let mut key = Key::fresh();
    let request = Request::make_credential().discoverable();
    let made = key.make(&request);
    let wrapped = key.make(&Request::make_credential_for("other.example", &[2]));
    key.set_pin("1234");
    if subject == Subject::Planted {
        key.plant(|_, answer| {
            if answer.len() == 1 && answer[0] == 0x14 {
                answer.push(0xA0);
            }
        });
    }
    let mut tape = Tape::new(data);
    let mut reset = false;
    for _ in 0..24 {
        if tape.is_empty() {
            break;
        }
        let how = tape.byte();
        key.user(if how & 1 == 0 { User::Approves } else { User::Refuses });
        if how & 2 != 0 {
            key.advance(Duration::from_secs(u64::from(how >> 2)));
        }
        let length = usize::from(tape.short()) % 1024;
        let request = tape.take(length);
        if !request.is_empty() {
            reset |= sends(&mut key, request, reset);
        }
    }
    key.user(User::Approves);
    if !reset {
        key.assertion_by(&made, &made.get());
        key.assertion_by(&wrapped, &wrapped.get());
    }
}

/// Sends a request, perhaps to a key that was reset and has no PIN any more; true if it was a reset that succeeded.
fn sends(key: &mut Key, request: &[u8], reset: bool) -> bool {
    let before = records(key);
    let answer = key.send(request);
    let (status, body) = answer.split_first().expect("a status");
    if *status == SUCCESS {
        if !body.is_empty() {
            let map = walk(body).unwrap_or_else(|flaw| panic!("{flaw:?} in an answer"));
            assert!(!map.entries().is_empty(), "an empty map as body");
        }
        // A pinUvAuthParam cannot be guessed, and the PIN not be encrypted, by who mutates bytes. Where there is
        // no PIN, authenticatorConfig asks for none.
        let open = reset && request[0] == cf::COMMAND;
        assert!(open || !matches!(request[0], 0x0A | 0x41 | 0x0D), "managed without the PIN");
        return request[0] == command::RESET;
    }
    assert!(body.is_empty(), "a body beside status {status:#04x}");
    assert!(before == records(key), "status {status:#04x} changed what is stored");
    false
}

/// What is stored, without the record of the PIN's tries.
fn records(key: &Key) -> Vec<(Vec<u8>, Vec<u8>)> {
    key.memory().dump().into_iter().filter(|(name, _)| name != b"st").collect()
}
