//! The emulated board as a wire: QEMU behind the mailbox that it shares with `softkey bridge`.

use std::io;
use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant};

use softkey::bridge::mailbox::{Mailbox, Measures, Press};
use softkey_ctap_hid::{Report, Transport, WallClock};
use tempfile::TempDir;

/// The variable that names the firmware's ELF file; `cargo xtask firmware test` sets it.
const FIRMWARE: &str = "SOFTKEY_EMULATED_FIRMWARE";

/// Longer than any start or answer takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// How often a board at work says so.
const KEEPALIVE: Duration = Duration::from_millis(100);

/// The firmware under test.
pub(crate) fn firmware() -> PathBuf {
    std::env::var_os(FIRMWARE).expect("run by `cargo xtask firmware test`").into()
}

/// A board, whose memory stays when the power goes.
pub(crate) struct Board {
    folder: TempDir,
    runs: u8,
}

/// A board with power.
pub(crate) struct Powered<'b> {
    /// Keeps others from switching the same board on.
    _board: &'b Board,
    mailbox: Mailbox,
    child: Child,
    clock: WallClock,
    nonces: u64,
    /// The board's clock, where it goes on with each report only.
    halted: Option<softkey_ctap::Instant>,
    /// When the power goes.
    ends: Option<Instant>,
    /// How many requests that change something come before the one in which it goes.
    spared: Option<usize>,
    /// The flash before that request: the power goes as soon as it is another.
    flash: Option<Vec<u8>>,
}

impl Board {
    /// A board that was never used.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        Self { folder, runs: 0 }
    }

    /// The file of its memory.
    pub(crate) fn memory(&self) -> PathBuf {
        self.folder.path().join("memory")
    }

    /// Switches the power on, for so long.
    pub(crate) fn power_up(&mut self, lasts: Option<Duration>) -> Powered<'_> {
        self.runs += 1;
        let mailbox = Mailbox::open(&self.memory()).unwrap();
        let child =
            mailbox.power_up(&firmware(), &[self.runs; 32]).expect("qemu-system-arm starts");
        let ends = lasts.map(|lasts| Instant::now() + lasts);
        let clock = WallClock::start();
        let (halted, spared, flash) = (None, None, None);
        Powered { _board: self, mailbox, child, clock, nonces: 0, halted, ends, spared, flash }
    }

    /// Switches the power on; it goes as soon as a request changes the flash, but not in the first of them.
    pub(crate) fn power_up_until_a_change(&mut self, spared: usize) -> Powered<'_> {
        let mut powered = self.power_up(None);
        powered.spared = Some(spared);
        powered
    }
}

impl Powered<'_> {
    /// Waits until the key is there. False if the power went before.
    pub(crate) fn is_up(&mut self) -> bool {
        let end = Instant::now() + PATIENCE;
        while !self.mailbox.is_running().unwrap() {
            assert!(Instant::now() < end, "the board does not start");
            if self.turn().is_err() {
                return false;
            }
        }
        true
    }

    /// Presses the button: the next question is answered with yes, if it wants no more than that.
    pub(crate) fn press(&self, press: Press) {
        self.mailbox.press(press).unwrap();
    }

    /// The next request changes something.
    pub(crate) fn changes_follow(&mut self) {
        if self.spared == Some(0) {
            self.flash = Some(self.mailbox.flash().unwrap());
        }
        self.spared = self.spared.and_then(|spared| spared.checked_sub(1));
    }

    /// From now on the board's clock stands still, but for a step of 100 ms whenever a report of the board is waited for:
    /// how fast this machine is, and how busy, the board cannot tell.
    pub(crate) fn halt_clock(&mut self) {
        self.halted = Some(self.now());
    }

    /// Is the lamp lit?
    pub(crate) fn is_lit(&self) -> bool {
        self.mailbox.is_lit().unwrap()
    }

    /// The memory that the firmware has taken since the power came.
    pub(crate) fn measures(&mut self) -> Measures {
        self.mailbox.ask_measures().unwrap();
        loop {
            self.turn().unwrap();
            if let Some(measures) = self.mailbox.measures().unwrap() {
                return measures;
            }
        }
    }

    /// One turn of a waiting loop: the board's clock goes on, and perhaps the power goes.
    pub(crate) fn turn(&mut self) -> io::Result<()> {
        self.mailbox.set_clock(self.now())?;
        let changed = match &self.flash {
            Some(before) => self.mailbox.flash()? != *before,
            None => false,
        };
        if changed || self.ends.is_some_and(|ends| Instant::now() >= ends) {
            self.child.kill()?;
            self.child.wait()?;
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        assert!(self.child.try_wait()?.is_none(), "the firmware stopped by itself");
        std::thread::yield_now();
        Ok(())
    }
}

impl Drop for Powered<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Transport for Powered<'_> {
    type Error = io::Error;

    fn now(&self) -> softkey_ctap::Instant {
        self.halted.unwrap_or_else(|| self.clock.now())
    }

    fn nonce(&mut self) -> io::Result<[u8; 8]> {
        self.nonces += 1;
        Ok(self.nonces.to_be_bytes())
    }

    fn send(&mut self, report: &Report) -> io::Result<()> {
        while !self.mailbox.send(report)? {
            self.turn()?;
        }
        // Before the clock goes on.
        while !self.mailbox.is_taken()? {
            self.turn()?;
        }
        Ok(())
    }

    fn receive(&mut self, timeout: Duration) -> io::Result<Option<Report>> {
        let end = Instant::now() + timeout;
        self.halted = self.halted.map(|halted| halted + KEEPALIVE);
        loop {
            self.turn()?;
            if let Some(report) = self.mailbox.receive()? {
                return Ok(Some(report));
            }
            if Instant::now() >= end {
                return Ok(None);
            }
        }
    }
}
