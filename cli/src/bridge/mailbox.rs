//! The memory that an emulated board shares with this machine, from this end. The firmware's end is
//! `firmware/emulated/src/shared.rs`; the map of it is [`softkey_board::emulated`].

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use softkey_board::emulated::{
    FLASH, HELD, HOLD, LEN, NEVER, SEED, THERE, TO_BOARD, TO_HOST, TOUCH, TOUCHED, WANTED, WORDS,
    WORDS_LEN, Word,
};
use softkey_ctap::Instant;
use softkey_ctap_hid::{REPORT_LEN, Report};

use super::emulator;

/// What the user does with the button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Press {
    /// A touch.
    Touch,
    /// Holding it for five seconds.
    Hold,
}

/// What a board that rests has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rest {
    /// When something is due next.
    pub due: Option<Instant>,
    /// The question that is open: the lower half of its number, and the press that it wants.
    pub question: Option<(u32, Press)>,
}

/// Bytes of memory, at the peak and in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measures {
    /// Of the heap.
    pub heap: (u32, u32),
    /// Of the stack.
    pub stack: (u32, u32),
}

/// A board's memory, which stays when the power goes.
#[derive(Debug)]
pub struct Mailbox {
    memory: File,
    path: PathBuf,
    /// The longest request that a board is to announce, in bytes; 0 if its own word stands.
    max_msg_size: u16,
}

impl Mailbox {
    /// Opens the memory of a board; if there is none, that of one that was never used.
    ///
    /// # Errors
    ///
    /// What the system says; `InvalidData` if the file is none, `PermissionDenied` if it is not its owner's alone.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let memory = options.open(path)?;
        let about = memory.metadata()?;
        if ![0, u64::from(LEN)].contains(&about.len()) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is not 16 MiB long"));
        }
        let mode = about.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            let why = format!("others can read or change it (mode {mode:03o})");
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        }
        let mailbox = Self { memory, path: path.to_owned(), max_msg_size: 0 };
        if about.len() == 0 {
            mailbox.make()?;
        }
        Ok(mailbox)
    }

    /// Makes an empty file the memory of a board that was never used.
    fn make(&self) -> io::Result<()> {
        self.lock()?;
        // The length comes last: it says that the rest is there.
        self.memory.write_all_at(&vec![0xFF; FLASH as usize], 0)?;
        self.memory.set_len(LEN.into())?;
        self.memory.unlock()
    }

    /// Keeps others from this memory until it is dropped: two boards on one flash would ruin it, and of two that speak with
    /// one board each would hear half.
    ///
    /// # Errors
    ///
    /// `ResourceBusy` if another has locked it, or what the system says.
    pub fn lock(&self) -> io::Result<()> {
        self.memory.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => {
                io::Error::new(io::ErrorKind::ResourceBusy, "another softkey bridge has it in use")
            }
            TryLockError::Error(error) => error,
        })
    }

    /// From now on boards are switched on to announce no longer requests than these, in bytes.
    pub fn limit(&mut self, max_msg_size: u16) {
        self.max_msg_size = max_msg_size;
    }

    /// Was the board that runs switched on with such a limit, or a lower one?
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn is_limited(&self, max_msg_size: u16) -> io::Result<bool> {
        Ok((1..=max_msg_size.into()).contains(&self.word(Word::MaxMsgSize)?))
    }

    /// Switches a board on: this firmware on an emulated Cortex-M4, with this seed for its noise. Killing the process is
    /// switching it off; it ends too when the thread ends that calls this.
    ///
    /// # Errors
    ///
    /// What the system says, `NotFound` if there is no `qemu-system-arm`.
    pub fn power_up(&self, firmware: &Path, seed: &[u8; 32]) -> io::Result<Child> {
        self.power_up_at(Instant::default(), firmware, seed)
    }

    /// The same, and the board's clock stands at this reading.
    ///
    /// # Errors
    ///
    /// As above.
    pub fn power_up_at(&self, now: Instant, firmware: &Path, seed: &[u8; 32]) -> io::Result<Child> {
        self.prepare(now, seed)?;
        emulator::command()?
            .args(["-M", "mps2-an386,memory-backend=shared", "-object"])
            .arg(emulator::memory(&self.path))
            .args(["-nographic", "-monitor", "none", "-serial", "none"])
            .args(["-semihosting-config", "enable=on,target=native", "-kernel"])
            .arg(firmware)
            .stdin(Stdio::null())
            .spawn()
    }

    /// Makes the memory what a board finds when the power comes.
    pub(super) fn prepare(&self, now: Instant, seed: &[u8; 32]) -> io::Result<()> {
        self.memory.write_all_at(seed, SEED.into())?;
        self.memory.write_all_at(&[0; WORDS_LEN as usize], WORDS.into())?;
        self.set_word(Word::MaxMsgSize, self.max_msg_size.into())?;
        self.set_clock(now)
    }

    fn word(&self, word: Word) -> io::Result<u32> {
        let mut bytes = [0; 4];
        self.memory.read_exact_at(&mut bytes, word.address().into())?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn set_word(&self, word: Word, value: u32) -> io::Result<()> {
        self.memory.write_all_at(&value.to_le_bytes(), word.address().into())
    }

    /// Does the firmware run?
    ///
    /// # Errors
    ///
    /// What the system says; so with all below.
    pub fn is_running(&self) -> io::Result<bool> {
        Ok(self.word(Word::Running)? == 1)
    }

    /// The board's clock.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn clock(&self) -> io::Result<Instant> {
        Ok(Instant::from_millis(self.word(Word::Clock)?.into()))
    }

    /// Sets the board's clock, which must not go back.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn set_clock(&self, now: Instant) -> io::Result<()> {
        self.set_word(Word::Clock, u32::try_from(now.as_millis()).unwrap_or(u32::MAX))
    }

    /// Hands the board a report; false if it has not taken the last one yet.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn send(&self, report: &Report) -> io::Result<bool> {
        if !self.is_taken()? {
            return Ok(false);
        }
        let sent = self.word(Word::SentToBoard)?;
        self.memory.write_all_at(report, TO_BOARD.into())?;
        self.set_word(Word::SentToBoard, sent.wrapping_add(1))?;
        Ok(true)
    }

    /// Has the board taken the last report?
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn is_taken(&self) -> io::Result<bool> {
        Ok(self.word(Word::TakenByBoard)? == self.word(Word::SentToBoard)?)
    }

    /// The board's next report, if there is one.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn receive(&self) -> io::Result<Option<Report>> {
        let sent = self.word(Word::SentToHost)?;
        if sent == self.word(Word::TakenByHost)? {
            return Ok(None);
        }
        let mut report = [0; REPORT_LEN];
        self.memory.read_exact_at(&mut report, TO_HOST.into())?;
        self.set_word(Word::TakenByHost, sent)?;
        Ok(Some(report))
    }

    /// Presses the button. The press is kept until a question uses it up.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn press(&self, press: Press) -> io::Result<()> {
        let value = match press {
            Press::Touch => TOUCHED,
            Press::Hold => HELD,
        };
        self.set_word(Word::Button, value)
    }

    /// Takes a press away that no question has used up.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn release(&self) -> io::Result<()> {
        self.set_word(Word::Button, 0)
    }

    /// Asks the board to say when it has done all that it was given: every report and press, and what is due by its clock.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn rouse(&self) -> io::Result<()> {
        self.set_word(Word::Roused, self.word(Word::Roused)?.wrapping_add(1))
    }

    /// The answer, once it is there.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn rest(&self) -> io::Result<Option<Rest>> {
        if self.word(Word::Rests)? != self.word(Word::Roused)? {
            return Ok(None);
        }
        let due = match self.word(Word::Due)? {
            NEVER => None,
            due => Some(Instant::from_millis(due.into())),
        };
        let press = match self.word(Word::Question)? {
            TOUCH => Some(Press::Touch),
            HOLD => Some(Press::Hold),
            _ => None,
        };
        let ask = self.word(Word::Ask)?;
        Ok(Some(Rest { due, question: press.map(|press| (ask, press)) }))
    }

    /// The flash as it is.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn flash(&self) -> io::Result<Vec<u8>> {
        let mut flash = vec![0; FLASH as usize];
        self.memory.read_exact_at(&mut flash, 0)?;
        Ok(flash)
    }

    /// Is the lamp lit?
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn is_lit(&self) -> io::Result<bool> {
        Ok(self.word(Word::Lamp)? == 1)
    }

    /// Asks what memory the firmware has taken since the power came.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn ask_measures(&self) -> io::Result<()> {
        self.set_word(Word::Measures, WANTED)
    }

    /// The answer, once it is there.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn measures(&self) -> io::Result<Option<Measures>> {
        if self.word(Word::Measures)? != THERE {
            return Ok(None);
        }
        let heap = (self.word(Word::HeapPeak)?, self.word(Word::Heap)?);
        Ok(Some(Measures { heap, stack: (self.word(Word::StackPeak)?, self.word(Word::Stack)?) }))
    }
}
