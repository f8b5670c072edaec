//! The fuzzer's bytes as a tape of choices, read from front to back.

/// A tape. Behind its end every choice is the first one and every text is empty, so that any prefix of an input
/// is an input too and the fuzzer can cut and splice.
#[derive(Clone, Debug)]
pub struct Tape<'a>(&'a [u8]);

impl<'a> Tape<'a> {
    /// A tape of these bytes.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Is everything read?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    /// A number below `limit`, which is not zero; one byte of tape.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::from(self.byte()) % limit
    }

    /// Yes or no; one byte of tape.
    pub fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// A number of two bytes.
    pub fn short(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    /// One of several; one byte of tape.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// So many bytes, or what is left.
    pub fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Bytes behind a length of one byte.
    pub fn piece(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte());
        self.take(length)
    }

    /// So many bytes, filled up with zeros.
    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        let taken = self.take(N);
        array[..taken.len()].copy_from_slice(taken);
        array
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_its_end_a_tape_is_zero() {
        let mut tape = Tape::new(&[7, 2, 1]);
        assert_eq!((tape.below(4), tape.piece()), (3, &[1][..]));
        assert!(tape.is_empty());
        assert_eq!((tape.byte(), tape.short(), tape.flag(), tape.piece()), (0, 0, false, &[][..]));
        assert_eq!(
            (tape.array::<2>(), tape.pick(&["a", "b"]), tape.rest()),
            ([0; 2], "a", &[][..])
        );
    }
}
