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
const PATIENCE: Duration = Duration::from_mins(1);

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
    speed: u32,
    /// When the power goes.
    ends: Option<Instant>,
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
        Powered { _board: self, mailbox, child, clock, nonces: 0, speed: 1, ends }
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

    /// Lets the board's clock run so many times faster.
    pub(crate) const fn hurry(&mut self, times: u32) {
        self.speed = times;
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
        if self.ends.is_some_and(|ends| Instant::now() >= ends) {
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
        softkey_ctap::Instant::from_millis(self.clock.now().as_millis() * u64::from(self.speed))
    }

    fn nonce(&mut self) -> io::Result<[u8; 8]> {
        self.nonces += 1;
        Ok(self.nonces.to_be_bytes())
    }

    fn send(&mut self, report: &Report) -> io::Result<()> {
        while !self.mailbox.send(report)? {
            self.turn()?;
        }
        Ok(())
    }

    fn receive(&mut self, timeout: Duration) -> io::Result<Option<Report>> {
        let end = Instant::now() + timeout;
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
