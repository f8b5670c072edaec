//! Work that a process does until it is killed, and what must be found in its vault afterwards.

use std::io::Write;

use softkey_authenticator::{Change, Store};

use super::contract::{Records, apply, key};

/// Under this is the number of the last batch.
const COUNT: &[u8] = b"count";

/// The batch of this number: every record of it holds the number, so that half a batch shows.
fn batch(number: u32) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    let length = usize::try_from(number * 37 % 900).expect("below 900");
    let value: Vec<u8> = number.to_be_bytes().into_iter().cycle().take(4 + length).collect();
    let place = |of: u32| u8::try_from(number % of).expect("below 256");
    let mut batch = vec![
        (COUNT.to_vec(), Some(number.to_be_bytes().to_vec())),
        (vec![b'a', place(61)], Some(value.clone())),
        (vec![b'b', place(13)], Some(value)),
        (vec![b'a', place(59)], None),
    ];
    batch.sort();
    batch.dedup_by(|one, other| one.0 == other.0);
    batch
}

fn changes(batch: &[(Vec<u8>, Option<Vec<u8>>)]) -> Vec<Change<'_>> {
    batch
        .iter()
        .map(|(name, value)| match value {
            Some(value) => Change::Put(key(name), value),
            None => Change::Delete(key(name)),
        })
        .collect()
}

/// Commits batch after batch and writes the number of each, once it is acknowledged, as a line. Ends with an
/// error of the store or when nobody listens any more.
///
/// # Errors
///
/// The store's.
pub fn commit_forever<S: Store>(store: &mut S, mut out: impl Write) -> Result<(), S::Error> {
    let mut count = Vec::new();
    store.load(&key(COUNT), &mut count)?;
    let last = count.try_into().map_or(0, u32::from_be_bytes);
    for number in last + 1.. {
        store.commit(&changes(&batch(number)))?;
        if writeln!(out, "{number}").and_then(|()| out.flush()).is_err() {
            break;
        }
    }
    Ok(())
}

/// What the batches up to some number leave.
#[derive(Debug, Default)]
pub struct Expected {
    number: u32,
    records: Records,
}

impl Expected {
    /// Goes on to this number.
    pub fn advance(&mut self, number: u32) {
        while self.number < number {
            self.number += 1;
            apply(&mut self.records, &changes(&batch(self.number)));
        }
    }

    /// The number of the last batch in it.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The records after it.
    #[must_use]
    pub fn records(&self) -> &Records {
        &self.records
    }

    /// Are these the records after the last batch? If not, goes on by one: that one may have been durable
    /// before it was acknowledged. False if it is not that either.
    pub fn meets(&mut self, found: &Records) -> bool {
        self.records == *found || {
            self.advance(self.number + 1);
            self.records == *found
        }
    }
}
