//! CTAP1 beside everything else: what it makes signs by CTAP2 too, and the other way round.

use softkey_tests::cbor::{Value, map};
use softkey_tests::key::Profile;
use softkey_tests::parts::sha256;
use softkey_tests::status::word;
use softkey_tests::u2f::{self, CHECK_ONLY, DONT_ENFORCE, ENFORCE, Registration};

use super::bench::{Bench, Kept, PARTIES};
use crate::Tape;

const CHALLENGE: [u8; 32] = [0xC4; 32];

impl Bench {
    /// Sends an APDU, again after the touch that it waits for. A refusal changes nothing that is stored.
    fn by_u2f(&mut self, apdu: &[u8]) -> Option<Vec<u8>> {
        for _ in 0..2 {
            let before = self.records();
            let answer = match self.key.try_u2f(apdu) {
                Ok(answer) => answer,
                Err(error) => {
                    assert_eq!(self.setup.profile, Profile::NoU2f, "CTAPHID error {error:?}");
                    return None;
                }
            };
            let (data, sw) = u2f::split(&answer);
            if sw == word::NO_ERROR {
                return Some(answer);
            }
            assert!(data.is_empty(), "data beside {sw:#06x}");
            assert!(before == self.records(), "{sw:#06x} changed what is stored");
        }
        None
    }

    pub(super) fn register_by_u2f(&mut self, tape: &mut Tape<'_>) {
        let party = PARTIES[tape.below(PARTIES.len())];
        let application = sha256(party.as_bytes());
        let apdu = match tape.below(4) {
            0 => u2f::extended(u2f::VERSION, 0, &[]),
            _ => u2f::register(&application, &CHALLENGE),
        };
        let Some(answer) = self.by_u2f(&apdu) else { return };
        if answer == b"U2F_V2\x90\x00" {
            return;
        }
        let made = Registration::parse(&answer, &application, &CHALLENGE);
        self.kept.push(Kept {
            party,
            user: 0,
            id: made.handle,
            public_key: es256(&made.public_key),
            discoverable: false,
            level: 1,
            small_blob: None,
            large_blob_key: None,
            large_blob: None,
            secrets: [None, None],
        });
    }

    /// Signs with whatever credential; only one of its algorithm and party can.
    pub(super) fn sign_by_u2f(&mut self, tape: &mut Tape<'_>) {
        if self.kept.is_empty() {
            return;
        }
        let number = tape.below(self.kept.len());
        let control = tape.pick(&[ENFORCE, DONT_ENFORCE, CHECK_ONLY, 0]);
        let party = if tape.below(4) == 3 { PARTIES[0] } else { self.kept[number].party };
        let (id, public_key) = (self.kept[number].id.clone(), self.kept[number].public_key.clone());
        let Ok(length) = u8::try_from(id.len()) else { return };
        let application = sha256(party.as_bytes());
        let data = [&CHALLENGE[..], &application, &[length], &id].concat();
        let Some(answer) = self.by_u2f(&u2f::extended(u2f::AUTHENTICATE, control, &data)) else {
            return;
        };
        assert_eq!(party, self.kept[number].party, "signed for another party");
        assert!(self.kept[number].level < 3, "signed without the verification that it asks for");
        let point = softkey_tests::verify::p256_point(&public_key);
        let _ = u2f::authentication(&answer, &application, &CHALLENGE, &point);
    }
}

/// A point of P-256 as a COSE key.
fn es256(point: &[u8]) -> Value {
    map([
        (1, Value::from(2)),
        (3, (-7).into()),
        (-1, 1.into()),
        (-2, point[1..33].into()),
        (-3, point[33..].into()),
    ])
}
