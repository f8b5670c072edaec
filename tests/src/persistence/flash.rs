//! A chip's flash in memory, which counts what is done to it, loses power at any operation, and fails.

use std::cell::RefCell;
use std::rc::Rc;

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};
use softkey_flash_store::Page;
use softkey_flash_store::ram::{Misuse, RamFlash};

/// The flash; clones share it.
#[derive(Clone)]
pub struct Chip(Rc<RefCell<State>>);

struct State {
    flash: RamFlash,
    operations: usize,
    erases: usize,
    fault: Option<Fault>,
}

/// What happens at one operation: a write or an erase, counted from the setting of the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// So many operations go well first.
    pub after: usize,
    /// How much of the next one is done.
    pub done: Done,
    /// Do later ones go well again? If not, the power is gone.
    pub once: bool,
}

/// How much of an operation is done before it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// Nothing.
    Nothing,
    /// The first bytes whole, one in part, by this number of 0 to 255; of an erase a part of the bits.
    Part(u8),
    /// The last bytes, without the first.
    Tail,
    /// All of it; only the answer is lost.
    All,
}

/// Why an operation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChipError {
    /// The store uses the flash wrongly.
    Misuse(Misuse),
    /// The fault that was set.
    Fault,
}

impl Chip {
    /// So many erased pages.
    #[must_use]
    pub fn new(pages: usize) -> Self {
        Self::holding(RamFlash::new(pages))
    }

    /// This flash, with power.
    #[must_use]
    pub fn holding(flash: RamFlash) -> Self {
        Self(Rc::new(RefCell::new(State { flash, operations: 0, erases: 0, fault: None })))
    }

    /// The flash as it lies there.
    #[must_use]
    pub fn content(&self) -> RamFlash {
        self.0.borrow().flash.clone()
    }

    /// Sets or mends a fault; counting starts anew.
    pub fn set_fault(&self, fault: Option<Fault>) {
        let mut state = self.0.borrow_mut();
        state.operations = 0;
        state.fault = fault;
    }

    /// Writes and erases since the fault was set.
    #[must_use]
    pub fn operations(&self) -> usize {
        self.0.borrow().operations
    }

    /// Erases in all.
    #[must_use]
    pub fn erases(&self) -> usize {
        self.0.borrow().erases
    }

    /// Does `whole`, or what the fault leaves of it.
    fn change(
        &self,
        offset: u32,
        len: usize,
        whole: impl FnOnce(&mut RamFlash) -> Result<(), Misuse>,
    ) -> Result<(), ChipError> {
        let state = &mut *self.0.borrow_mut();
        let fault = state.fault.filter(|fault| {
            fault.after == state.operations || (fault.after < state.operations && !fault.once)
        });
        state.operations += 1;
        let Some(fault) = fault else {
            return whole(&mut state.flash).map_err(ChipError::Misuse);
        };
        if fault.after + 1 < state.operations {
            return Err(ChipError::Fault);
        }
        let mut before = state.flash.clone();
        whole(&mut state.flash).map_err(ChipError::Misuse)?;
        let start = offset as usize;
        let old = &before.bytes_mut()[start..start + len];
        let new = &mut state.flash.bytes_mut()[start..start + len];
        match fault.done {
            Done::Nothing => new.copy_from_slice(old),
            Done::All => {}
            Done::Tail => new[..len / 2].copy_from_slice(&old[..len / 2]),
            Done::Part(part) => {
                let at = len * usize::from(part) / 256;
                // Of the byte in work only some bits have changed.
                new[at] = old[at] ^ ((old[at] ^ new[at]) & part.rotate_left(3));
                new[at + 1..].copy_from_slice(&old[at + 1..]);
            }
        }
        Err(ChipError::Fault)
    }
}

impl NorFlashError for ChipError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::Misuse(misuse) => misuse.kind(),
            Self::Fault => NorFlashErrorKind::Other,
        }
    }
}

impl ErrorType for Chip {
    type Error = ChipError;
}

impl ReadNorFlash for Chip {
    const READ_SIZE: usize = RamFlash::READ_SIZE;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), ChipError> {
        self.0.borrow_mut().flash.read(offset, bytes).map_err(ChipError::Misuse)
    }

    fn capacity(&self) -> usize {
        self.0.borrow().flash.capacity()
    }
}

impl NorFlash for Chip {
    const WRITE_SIZE: usize = RamFlash::WRITE_SIZE;
    const ERASE_SIZE: usize = Page::LEN as usize;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), ChipError> {
        self.0.borrow_mut().erases += 1;
        self.change(from, (to - from) as usize, |flash| flash.erase(from, to))
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), ChipError> {
        self.change(offset, bytes.len(), |flash| flash.write(offset, bytes))
    }
}
