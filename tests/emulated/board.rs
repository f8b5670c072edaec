//! The emulated board as a wire: QEMU, and the other end of the memory that `firmware/emulated/src/shared.rs` describes.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use softkey_ctap_hid::{Report, Transport, WallClock};
use tempfile::TempDir;

/// The variable that names the firmware's ELF file; `cargo xtask firmware test` sets it.
const FIRMWARE: &str = "SOFTKEY_EMULATED_FIRMWARE";

const LEN: usize = 16 << 20;
const ENTROPY: u64 = 0xE0_0000;
const MAILBOX: u64 = 0xF0_0000;
const TO_BOARD: u64 = MAILBOX + 0x40;
const TO_HOST: u64 = MAILBOX + 0x80;
/// Longer than any start or answer takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// Words of the mailbox.
#[derive(Clone, Copy)]
enum Word {
    SentToBoard,
    TakenByBoard,
    SentToHost,
    TakenByHost,
    Clock,
    Button,
    Running,
    Lamp,
}

/// A board's memory, which stays when the power goes.
pub(crate) struct Board {
    folder: TempDir,
    memory: File,
    runs: u8,
}

/// A board with power.
pub(crate) struct Powered<'b> {
    board: &'b Board,
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
        let path = folder.path().join("memory");
        let memory = File::options().read(true).write(true).create_new(true).open(path).unwrap();
        memory.write_all_at(&vec![0xFF; LEN], 0).unwrap();
        Self { folder, memory, runs: 0 }
    }

    fn word(&self, word: Word) -> u32 {
        let mut bytes = [0; 4];
        self.memory.read_exact_at(&mut bytes, MAILBOX + 4 * word as u64).unwrap();
        u32::from_le_bytes(bytes)
    }

    fn set_word(&self, word: Word, value: u32) {
        self.memory.write_all_at(&value.to_le_bytes(), MAILBOX + 4 * word as u64).unwrap();
    }

    /// Switches the power on, for so long.
    pub(crate) fn power_up(&mut self, lasts: Option<Duration>) -> Powered<'_> {
        let firmware = std::env::var_os(FIRMWARE).expect("run by `cargo xtask firmware test`");
        self.runs += 1;
        self.memory.write_all_at(&[self.runs; 32], ENTROPY).unwrap();
        self.memory.write_all_at(&[0; 32], MAILBOX).unwrap();
        let memory = self.folder.path().join("memory");
        let memory = format!(
            "memory-backend-file,id=shared,size=16M,mem-path={},share=on",
            memory.display()
        );
        let child = Command::new("qemu-system-arm")
            .args(["-M", "mps2-an386,memory-backend=shared", "-object", &memory])
            .args(["-nographic", "-monitor", "none", "-serial", "none"])
            .args(["-semihosting-config", "enable=on,target=native", "-kernel"])
            .arg(firmware)
            .stdin(Stdio::null())
            .spawn()
            .expect("qemu-system-arm starts");
        let ends = lasts.map(|lasts| Instant::now() + lasts);
        Powered { board: self, child, clock: WallClock::start(), nonces: 0, speed: 1, ends }
    }
}

impl Powered<'_> {
    /// Waits until the key is there. False if the power went before.
    pub(crate) fn is_up(&mut self) -> bool {
        let end = Instant::now() + PATIENCE;
        while self.board.word(Word::Running) == 0 {
            assert!(Instant::now() < end, "the board does not start");
            if self.turn().is_err() {
                return false;
            }
        }
        true
    }

    /// Touches the button: the next question is answered with yes, if it wants no more than that.
    pub(crate) fn touch(&self) {
        self.board.set_word(Word::Button, 1);
    }

    /// Holds the button for five seconds.
    pub(crate) fn hold(&self) {
        self.board.set_word(Word::Button, 2);
    }

    /// Lets the board's clock run so many times faster.
    pub(crate) const fn hurry(&mut self, times: u32) {
        self.speed = times;
    }

    /// Is the lamp lit?
    pub(crate) fn is_lit(&self) -> bool {
        self.board.word(Word::Lamp) == 1
    }

    /// One turn of a waiting loop: the board's clock goes on, and perhaps the power goes.
    pub(crate) fn turn(&mut self) -> io::Result<()> {
        let now = u32::try_from(self.now().as_millis()).unwrap_or(u32::MAX);
        self.board.set_word(Word::Clock, now);
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
        while self.board.word(Word::TakenByBoard) != self.board.word(Word::SentToBoard) {
            self.turn()?;
        }
        self.board.memory.write_all_at(report, TO_BOARD)?;
        self.board.set_word(Word::SentToBoard, self.board.word(Word::SentToBoard) + 1);
        Ok(())
    }

    fn receive(&mut self, timeout: Duration) -> io::Result<Option<Report>> {
        let end = Instant::now() + timeout;
        loop {
            self.turn()?;
            let sent = self.board.word(Word::SentToHost);
            if sent != self.board.word(Word::TakenByHost) {
                let mut report = [0; 64];
                self.board.memory.read_exact_at(&mut report, TO_HOST)?;
                self.board.set_word(Word::TakenByHost, sent);
                return Ok(Some(report));
            }
            if Instant::now() >= end {
                return Ok(None);
            }
        }
    }
}
