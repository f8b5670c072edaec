//! The large-blob array.

use softkey_tests::Request;
use softkey_tests::parts::sha256;

use super::bench::Bench;
use crate::{Subject, Tape};

/// As much as one request may write or read.
const FRAGMENT: usize = 960;

/// The array of a fresh key.
pub(super) fn initial() -> Vec<u8> {
    array(&[0x80])
}

fn array(content: &[u8]) -> Vec<u8> {
    [content, &sha256(content)[..16]].concat()
}

impl Bench {
    /// Writes an array in fragments; perhaps one is lost, its checksum wrong, or the token none.
    pub(super) fn write_array(&mut self, tape: &mut Tape<'_>) {
        let length = 1 + usize::from(tape.short()) % 4200;
        let mut whole = array(&vec![tape.byte(); length]);
        let (how, size) = (tape.byte(), 1 + usize::from(tape.short()) % FRAGMENT);
        if how & 0x0F == 1 {
            whole[0] ^= 1;
        }
        let token = self.token.clone().filter(|_| how & 0xF0 != 0x10);
        let mut offset = 0;
        for (number, part) in whole.chunks(size).enumerate() {
            if how & 0x0F == 2 && number == 1 {
                continue;
            }
            let total = (offset == 0).then_some(whole.len());
            let mut request = Request::write_blobs(offset, part, total);
            if let Some(token) = &token {
                request = request.blob_authorized(token);
            }
            offset += part.len();
            if self.send(&request).is_err() {
                return self.read_all();
            }
        }
        // Without the lost part it is not whole yet, and nothing has changed.
        if offset == whole.len() {
            assert_ne!(how & 0x0F, 1, "an array with a wrong checksum was taken");
            assert!(self.array.is_some(), "a key without an array takes one");
            self.array = Some(whole);
        }
        self.read_all();
    }

    /// Reads a piece from somewhere.
    pub(super) fn read_array(&mut self, tape: &mut Tape<'_>) {
        let (offset, length) = (usize::from(tape.short()), usize::from(tape.short()));
        let well = self.is_well();
        let answer = self.send(&Request::read_blobs(offset as u64, length as u64));
        let Ok(body) = answer else {
            let fits = |array: &Vec<u8>| offset <= array.len() && length <= FRAGMENT;
            assert!(!(well && self.array.as_ref().is_some_and(fits)), "a piece is refused");
            return;
        };
        let array = self.array.as_ref().expect("a key without an array has none to read");
        let end = array.len().min(offset + length);
        assert_eq!(body.get(1).bytes(), &array[offset..end], "a piece of the array");
    }

    fn read_all(&mut self) {
        let Some(array) = self.array.clone() else { return };
        let mut read = Vec::new();
        while read.len() < array.len() {
            let request = Request::read_blobs(read.len() as u64, FRAGMENT as u64);
            let body = self.send_well(&request).expect("the array can be read");
            assert!(!body.get(1).bytes().is_empty(), "the array ends too early");
            read.extend_from_slice(body.get(1).bytes());
        }
        if self.subject == Subject::Planted {
            read[0] ^= 1;
        }
        assert!(read == array, "the array is not the one that was written");
    }
}
