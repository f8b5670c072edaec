//! A NOR flash in memory, for tests and examples: writing clears bits, erasing sets whole pages.

use alloc::vec;
use alloc::vec::Vec;

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read,
    check_write,
};

use crate::page::Page;

/// A flash of whole pages that are written in words of four bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RamFlash(Vec<u8>);

/// A word is written again without having been erased, or an access lies outside the flash or across its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misuse(NorFlashErrorKind);

impl RamFlash {
    /// So many erased pages.
    #[must_use]
    pub fn new(pages: usize) -> Self {
        Self(vec![0xff; pages * Page::LEN as usize])
    }

    /// Its bytes, to look at and to damage.
    pub const fn bytes_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl NorFlashError for Misuse {
    fn kind(&self) -> NorFlashErrorKind {
        self.0
    }
}

impl ErrorType for RamFlash {
    type Error = Misuse;
}

/// The bytes of an access, which was checked.
fn span(offset: u32, len: usize) -> core::ops::Range<usize> {
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    start..start.saturating_add(len)
}

impl ReadNorFlash for RamFlash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Misuse> {
        check_read(self, offset, bytes.len()).map_err(Misuse)?;
        let from = self.0.get(span(offset, bytes.len())).unwrap_or_default();
        for (to, from) in bytes.iter_mut().zip(from) {
            *to = *from;
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.0.len()
    }
}

impl NorFlash for RamFlash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = Page::LEN as usize;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Misuse> {
        check_erase(self, from, to).map_err(Misuse)?;
        let len = usize::try_from(to - from).unwrap_or_default();
        self.0.get_mut(span(from, len)).unwrap_or_default().fill(0xff);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Misuse> {
        check_write(self, offset, bytes.len()).map_err(Misuse)?;
        let to = self.0.get_mut(span(offset, bytes.len())).unwrap_or_default();
        // Chips forbid to write a word again before it is erased.
        if to.iter().any(|byte| *byte != 0xff) {
            return Err(Misuse(NorFlashErrorKind::Other));
        }
        to.copy_from_slice(bytes);
        Ok(())
    }
}
