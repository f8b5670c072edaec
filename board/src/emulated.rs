//! The memory that the emulated board shares with the machine that emulates it. One end of it is the firmware, the other
//! `softkey bridge`; who counts or sets what is said at each word.
//!
//! ```text
//! 0x000000  the flash
//! 0xE00000  the seed of this run's noise, 32 bytes
//! 0xF00000  words of four bytes, little-endian
//! 0xF00080  a report to the board, 64 bytes
//! 0xF000C0  a report of the board, 64 bytes
//! ```

use crate::Regions;

/// Bytes of the memory.
pub const LEN: u32 = 16 << 20;
/// Bytes of the flash.
pub const FLASH: u32 = Regions::LEN;
/// Where the seed of the noise lies.
pub const SEED: u32 = 0xE0_0000;
/// Where the words lie.
pub const WORDS: u32 = 0xF0_0000;
/// Bytes of the words, of which some are for later.
pub const WORDS_LEN: u32 = 0x80;
/// Where reports to the board lie.
pub const TO_BOARD: u32 = WORDS + WORDS_LEN;
/// Where reports of the board lie.
pub const TO_HOST: u32 = TO_BOARD + 0x40;

/// The button is touched.
pub const TOUCHED: u32 = 1;
/// The button is held for five seconds.
pub const HELD: u32 = 2;
/// The board asks for a touch.
pub const TOUCH: u32 = 1;
/// The board asks for a touch of five seconds.
pub const HOLD: u32 = 2;
/// Nothing is due.
pub const NEVER: u32 = u32::MAX;
/// The host wants measures.
pub const WANTED: u32 = 1;
/// The measures are there.
pub const THERE: u32 = 2;

/// The words, in their order. All are 0 when the power comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// How many reports the host has sent.
    SentToBoard,
    /// How many of them the board has taken.
    TakenByBoard,
    /// How many reports the board has sent.
    SentToHost,
    /// How many of them the host has taken.
    TakenByHost,
    /// The clock, in milliseconds; set by the host.
    Clock,
    /// [`TOUCHED`] or [`HELD`] by the host, until the board has used it up.
    Button,
    /// 1 while the board runs.
    Running,
    /// 1 while the lamp is lit.
    Lamp,
    /// [`WANTED`] by the host, then [`THERE`] by the board.
    Measures,
    /// Bytes of the heap that were in use at its fullest.
    HeapPeak,
    /// Bytes of the heap in all.
    Heap,
    /// Bytes of the stack that were in use at its deepest.
    StackPeak,
    /// Bytes of the stack in all.
    Stack,
    /// Counted up by the host when it wants to know whether the board has done all that it was given.
    Roused,
    /// The last number there, once the board rests: it has taken every report, has none to send, and nothing is due. The
    /// words below are true at that moment.
    Rests,
    /// When something is due next, in milliseconds, or [`NEVER`].
    Due,
    /// The lower half of the number of the question that is open, or of the last one.
    Ask,
    /// What is asked: [`TOUCH`], [`HOLD`], or 0.
    Question,
    /// The longest request that the board announces, in bytes, or 0 if its own word stands; set by the host before the
    /// power comes.
    MaxMsgSize,
}

impl Word {
    /// Where the word lies.
    #[must_use]
    pub const fn address(self) -> u32 {
        WORDS + 4 * self as u32
    }
}

const _: () = assert!(Word::MaxMsgSize.address() < TO_BOARD, "the words end before the reports");
