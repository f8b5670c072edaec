//! A key of some make, used with every command, every extension, its sensor and its large blobs, beside what it must
//! remember.
//!
//! Claim: what a credential gives for the same salts, at creation or later, is always the same, and another with
//! verification than without; a blob comes back as it was stored last, and the large-blob array as it was last
//! written whole; a key for large blobs never changes; nothing is put out that was not asked for; every attestation
//! verifies; what is listed is each account once and each finger once, as they were named; a verified answer says so,
//! another does not, and no finger verifies that is not enrolled; a wrong PIN gives no token, and the right one does; and
//! a refusal changes nothing that is stored but tries, whatever fails beneath the key. Planted: a large-blob array whose
//! first byte is wrong.

mod bench;
mod blobs;
mod ceremonies;
mod ctap1;
mod fingers;
mod inputs;
mod listing;
mod pins;
mod settings;

use crate::{Subject, Tape};
use bench::Bench;
pub use bench::PROFILES;

/// A tape: how the key is made, then what is done with it.
pub fn run(data: &[u8], subject: Subject) {
    let mut tape = Tape::new(data);
    let mut bench = Bench::new(&mut tape, subject);
    let mut steps = 0;
    while !tape.is_empty() && steps < 32 {
        steps += 1;
        match tape.below(32) {
            0..=3 => bench.make(&mut tape),
            4..=7 => bench.sign_in(&mut tape),
            8 => bench.write_array(&mut tape),
            9 => bench.read_array(&mut tape),
            10 | 16 => bench.authorize(&mut tape),
            11 => bench.user(&mut tape),
            12 => bench.list(&mut tape),
            13 => bench.rename_or_delete(&mut tape),
            14 => bench.configure(&mut tape),
            15 => bench.power_cycle(),
            17 => bench.set_pin(&mut tape),
            18 => bench.change_pin(&mut tape),
            19 => bench.ask_for_tries(),
            20 | 21 => bench.enroll(&mut tape),
            22 => bench.list_fingers(&mut tape),
            23 => bench.rename_or_remove_finger(&mut tape),
            24 => bench.ask_the_sensor(&mut tape),
            25 => bench.reset(),
            26 => bench.pass(&mut tape),
            27 => bench.trouble(&mut tape),
            28 => bench.select(&mut tape),
            29 => bench.register_by_u2f(&mut tape),
            30 => bench.sign_by_u2f(&mut tape),
            _ => bench.sign_in_unnamed(&mut tape),
        }
    }
}
