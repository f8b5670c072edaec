//! The board's end of the memory that it shares with the host: its flash, its entropy, and the mailbox for reports, clock
//! and button. The map of it is `softkey_board::emulated`.

use core::ptr;
use core::sync::atomic::{Ordering, compiler_fence};

use chacha20::ChaCha20Rng;
use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read,
    check_write,
};
use rand_core::{Rng as _, SeedableRng as _};
use softkey_authenticator::{Ask, Question};
use softkey_board::emulated::{
    FLASH, HELD, HOLD, NEVER, SEED, THERE, TO_BOARD, TO_HOST, TOUCH, WANTED, Word,
};
use softkey_board::{Claim, Noise, NoiseFailed};
use softkey_ctap::Instant;
use softkey_ctap_hid::Report;
use softkey_flash_store::Page;

/// Where QEMU maps the file that both ends share.
const BASE: usize = 0x2100_0000;

/// Where a part of it lies.
const fn at(part: u32) -> usize {
    BASE + part as usize
}

fn word(word: Word) -> u32 {
    // SAFETY: an aligned word of the board's RAM that nothing else in this program refers to.
    unsafe { ptr::read_volatile(at(word.address()) as *const u32) }
}

fn set_word(word: Word, value: u32) {
    // What was written before must be there before the word says so.
    compiler_fence(Ordering::SeqCst);
    // SAFETY: as above; each word is written either by the interrupt or by what it interrupts.
    unsafe { ptr::write_volatile(at(word.address()) as *mut u32, value) }
}

fn read_bytes(start: usize, into: &mut [u8]) {
    for (from, byte) in (start..).zip(into) {
        // SAFETY: each caller stays within the 16 MiB that QEMU maps here.
        *byte = unsafe { ptr::read_volatile(from as *const u8) };
    }
}

fn write_bytes(start: usize, bytes: &[u8]) {
    for (to, byte) in (start..).zip(bytes) {
        // SAFETY: each caller stays within the 16 MiB that QEMU maps here.
        unsafe { ptr::write_volatile(to as *mut u8, *byte) }
    }
}

/// Noise that the host chose: the board repeats itself where the host does. It is a test of the firmware, never a key.
pub(crate) struct SharedNoise(ChaCha20Rng);

impl SharedNoise {
    pub(crate) fn new() -> Self {
        let mut seed = [0; 32];
        read_bytes(at(SEED), &mut seed);
        Self(ChaCha20Rng::from_seed(seed))
    }
}

impl Noise for SharedNoise {
    const CLAIM: Claim = Claim::ONE_BIT;

    fn draw(&mut self, raw: &mut [u8]) -> Result<(), NoiseFailed> {
        self.0.fill_bytes(raw);
        Ok(())
    }
}

/// The clock, as the host sets it.
pub(crate) fn now() -> Instant {
    Instant::from_millis(u64::from(word(Word::Clock)))
}

/// The longest request that comes through whole, in bytes, as the host says.
pub(crate) fn max_msg_size() -> u16 {
    match word(Word::MaxMsgSize) {
        0 => u16::MAX,
        size => u16::try_from(size).unwrap_or(u16::MAX),
    }
}

/// Tells the host that the board runs.
pub(crate) fn announce() {
    set_word(Word::Running, 1);
}

/// Switches the lamp.
pub(crate) fn show(lit: bool) {
    set_word(Word::Lamp, u32::from(lit));
}

/// Does the host want to know what memory was taken?
pub(crate) fn wants_measures() -> bool {
    word(Word::Measures) == WANTED
}

/// Tells it, in bytes.
pub(crate) fn measured(heap: usize, heap_peak: u32, (stack_peak, stack): (u32, u32)) {
    set_word(Word::Heap, u32::try_from(heap).unwrap_or(u32::MAX));
    set_word(Word::HeapPeak, heap_peak);
    set_word(Word::StackPeak, stack_peak);
    set_word(Word::Stack, stack);
    set_word(Word::Measures, THERE);
}

/// A press of the button that is not used up yet: for at least 5 seconds?
pub(crate) fn button() -> Option<bool> {
    match word(Word::Button) {
        0 => None,
        press => Some(press == HELD),
    }
}

/// Uses the press up.
pub(crate) fn release_button() {
    set_word(Word::Button, 0);
}

/// How often the host has asked whether the board rests.
pub(crate) fn roused() -> u32 {
    word(Word::Roused)
}

/// The board rests, after the host has asked so often: what is due next, and what the user is asked.
pub(crate) fn rests(roused: u32, due: Option<Instant>, ask: Option<&Ask>) {
    let due = due.and_then(|due| u32::try_from(due.as_millis()).ok());
    set_word(Word::Due, due.unwrap_or(NEVER));
    let question = match ask.map(|ask| &ask.question) {
        Some(Question::LongPresence) => HOLD,
        Some(_) => TOUCH,
        None => 0,
    };
    set_word(Word::Question, question);
    if let Some(ask) = ask {
        // The host tells neighbours apart by it, which half of the number is enough for.
        set_word(Word::Ask, u32::try_from(ask.id.0 & u64::from(u32::MAX)).unwrap_or_default());
    }
    set_word(Word::Rests, roused);
}

/// Has the board taken every report of the host?
pub(crate) fn has_taken_all() -> bool {
    word(Word::SentToBoard) == word(Word::TakenByBoard)
}

/// The next report of the host.
pub(crate) fn receive() -> Option<Report> {
    let sent = word(Word::SentToBoard);
    if sent == word(Word::TakenByBoard) {
        return None;
    }
    let mut report = [0; 64];
    read_bytes(at(TO_BOARD), &mut report);
    set_word(Word::TakenByBoard, sent);
    Some(report)
}

/// Has the host taken the last report?
pub(crate) fn may_send() -> bool {
    word(Word::SentToHost) == word(Word::TakenByHost)
}

/// Sends a report; only when [`may_send`].
pub(crate) fn send(report: &Report) {
    write_bytes(at(TO_HOST), report);
    set_word(Word::SentToHost, word(Word::SentToHost).wrapping_add(1));
}

/// The flash image, with the manners of NOR flash.
pub(crate) struct SharedFlash;

/// The store used the flash in a way that a chip forbids.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Misuse(NorFlashErrorKind);

impl SharedFlash {
    pub(crate) const LEN: u32 = FLASH;
}

impl NorFlashError for Misuse {
    fn kind(&self) -> NorFlashErrorKind {
        self.0
    }
}

impl ErrorType for SharedFlash {
    type Error = Misuse;
}

impl ReadNorFlash for SharedFlash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Misuse> {
        check_read(self, offset, bytes.len()).map_err(Misuse)?;
        read_bytes(at(offset), bytes);
        Ok(())
    }

    fn capacity(&self) -> usize {
        Self::LEN as usize
    }
}

impl NorFlash for SharedFlash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = Page::LEN as usize;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Misuse> {
        check_erase(self, from, to).map_err(Misuse)?;
        for offset in from..to {
            write_bytes(at(offset), &[0xff]);
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Misuse> {
        check_write(self, offset, bytes.len()).map_err(Misuse)?;
        let mut old = [0];
        for place in (at(offset)..).take(bytes.len()) {
            read_bytes(place, &mut old);
            // Chips forbid to write a word again before it is erased.
            if old != [0xff] {
                return Err(Misuse(NorFlashErrorKind::Other));
            }
        }
        write_bytes(at(offset), bytes);
        Ok(())
    }
}
