//! A key of some make, used with every extension, its sensor and its large blobs, beside what it must remember.
//!
//! Claim: what a credential gives for the same salts, at creation or later, is always the same, and another with
//! verification than without; a blob comes back as it was stored last, and the large-blob array as it was last
//! written whole; a key for large blobs never changes; nothing is put out that was not asked for; what is listed is
//! each account once; a verified answer says so, another does not; and a refusal changes nothing that is stored but
//! tries. Planted: a large-blob array whose first byte is wrong.

mod bench;
mod blobs;
mod ceremonies;
mod listing;

use crate::{Subject, Tape};
use bench::Bench;

/// A tape: how the key is made, then what is done with it.
pub fn run(data: &[u8], subject: Subject) {
    let mut tape = Tape::new(data);
    let mut bench = Bench::new(&mut tape, subject);
    let mut steps = 0;
    while !tape.is_empty() && steps < 32 {
        steps += 1;
        match tape.below(16) {
            0..=3 => bench.make(&mut tape),
            4..=7 => bench.sign_in(&mut tape),
            8 => bench.write_array(&mut tape),
            9 => bench.read_array(&mut tape),
            10 => bench.authorize(&mut tape),
            11 => bench.user(&mut tape),
            12 => bench.list(),
            13 => bench.rename_or_delete(&mut tape),
            14 => bench.configure(&mut tape),
            _ => bench.power_cycle(),
        }
    }
}
