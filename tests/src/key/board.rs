//! A key on the emulated board: the firmware's ARM code in QEMU, with the test's clock and its finger on the button.

use std::collections::VecDeque;
use std::hint;
use std::path::PathBuf;
use std::process::Child;
use std::thread;
use std::time::{self, Duration};

use softkey::bridge::mailbox::{Mailbox, Press, Rest};
use softkey_authenticator::{Answer, AskId, Question};
use softkey_ctap::Instant;
use tempfile::TempDir;

use super::{Happening, Profile, Setup, wire};

/// The variable that names the firmware's ELF file; with it every key of the tests is one on the board.
const FIRMWARE: &str = "SOFTKEY_TEST_BOARD";

/// With what the panic of a test begins that needs what no board has. `cargo xtask conformance` looks for it.
const APART: &str = "not on the board: ";

/// Longer than any start or answer takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// So many looks at the mailbox follow each other at once; then the processor is left to the emulator.
const EAGER: u32 = 30;

/// How long it is left to it.
const NAP: Duration = Duration::from_micros(20);

/// Ends a test here on a board, since it needs this, which no board has.
#[track_caller]
pub fn beyond_a_board(what: &str) {
    if firmware().is_some() {
        apart(what);
    }
}

/// How often a test repeats what is slow: on a board, which takes tenths of a second to sign, less often.
#[must_use]
pub fn times(inside: usize, on_a_board: usize) -> usize {
    if firmware().is_some() { on_a_board } else { inside }
}

/// Ends a test that needs what no board has.
#[track_caller]
pub(super) fn apart(why: &str) -> ! {
    panic!("{APART}{why}")
}

/// The firmware of the board that this run of the tests is about.
pub(super) fn firmware() -> Option<PathBuf> {
    std::env::var_os(FIRMWARE).map(PathBuf::from)
}

/// A board by itself, with its reports and its clock in the test's hand.
pub struct Bare(Board);

impl Bare {
    /// One that was never used, just plugged in, if this run of the tests is about the board.
    #[must_use]
    pub fn of_this_run(now: Instant) -> Option<Self> {
        Some(Self(Board::new(firmware()?, &Setup::default(), now)))
    }

    /// Ends a test that needs what no board has.
    #[track_caller]
    pub fn lacks(what: &str) -> ! {
        apart(what)
    }

    /// A report arrives.
    pub fn receive(&mut self, now: Instant, report: &[u8; 64]) {
        self.0.receive(now, report);
    }

    /// The next report that leaves. None if nothing more will leave now.
    pub fn poll_report(&mut self, now: Instant) -> Option<[u8; 64]> {
        loop {
            if let Happening::Report(report) = self.0.poll(now)? {
                return Some(report);
            }
        }
    }

    /// When something is due next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.0.poll_timeout()
    }

    /// Lets the board do what is due.
    pub fn handle_timeout(&mut self) {
        self.0.handle_timeout();
    }

    /// The bytes of the heap that were in use at its fullest.
    pub fn heap_peak(&mut self) -> u32 {
        self.0.mailbox.ask_measures().unwrap();
        self.0.wait(|mailbox| mailbox.measures().unwrap()).heap.0
    }
}

/// A board with power.
pub(super) struct Board {
    /// Where its memory lies.
    _folder: TempDir,
    mailbox: Mailbox,
    firmware: PathBuf,
    child: Child,
    seed: u64,
    runs: u64,
    /// The board's clock.
    clock: Instant,
    /// What it sent while its clock was set.
    early: VecDeque<wire::Report>,
    /// Was it given something since it rested last?
    roused: bool,
    due: Option<Instant>,
    /// The question that was told, and the press that it wants.
    question: Option<(u32, Press)>,
    /// The flash as it was seen last, and how often it had changed by then.
    flash: (Vec<u8>, u64),
}

impl Board {
    /// A board that was never used, just plugged in. Ends the test if no board is set up so.
    pub(super) fn new(firmware: PathBuf, setup: &Setup, now: Instant) -> Self {
        check(setup);
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let mailbox = Mailbox::open(&folder.path().join("memory")).unwrap();
        let flash = (mailbox.flash().unwrap(), 0);
        let child = start(&mailbox, &firmware, now, (setup.seed, 0));
        let mut board = Self {
            _folder: folder,
            mailbox,
            firmware,
            child,
            seed: setup.seed,
            runs: 0,
            clock: now,
            early: VecDeque::new(),
            roused: true,
            due: None,
            question: None,
            flash,
        };
        board.come_up();
        board
    }

    /// The power was gone, and has come back.
    pub(super) fn power_up(&mut self, setup: &Setup, now: Instant) {
        check(setup);
        self.switch_off();
        self.runs += 1;
        self.child = start(&self.mailbox, &self.firmware, now, (self.seed, self.runs));
        self.clock = now;
        self.early.clear();
        self.question = None;
        self.come_up();
    }

    /// A packet of a client arrives.
    pub(super) fn receive(&mut self, now: Instant, packet: &wire::Report) {
        self.set_clock(now);
        assert!(self.mailbox.send(packet).unwrap(), "the board has not taken the last report");
        self.wait(|mailbox| mailbox.is_taken().unwrap().then_some(()));
        self.roused = true;
    }

    /// Waits until something happens that others must know of, or the board rests.
    pub(super) fn poll(&mut self, now: Instant) -> Option<Happening> {
        if let Some(report) = self.early.pop_front() {
            return Some(Happening::Report(report));
        }
        if !self.roused {
            return None;
        }
        self.set_clock(now);
        if let Some(report) = self.early.pop_front() {
            return Some(Happening::Report(report));
        }
        match self.hear() {
            Ok(report) => Some(Happening::Report(report)),
            Err(rest) => self.rest(rest),
        }
    }

    /// When something is due next.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// Lets the board do what is due.
    pub(super) fn handle_timeout(&mut self) {
        self.roused = true;
    }

    /// The user's answer: the button, or nothing that a board has.
    pub(super) fn decide(&mut self, now: Instant, ask: AskId, answer: Answer) {
        self.set_clock(now);
        let Some((open, press)) = self.question else { return };
        if u64::from(open) != ask.0 {
            return;
        }
        match answer {
            Answer::Yes => self.mailbox.press(press).unwrap(),
            _ => apart("a user who says no"),
        }
        self.roused = true;
    }

    /// How often the flash was seen changed.
    pub(super) fn commits(&mut self) -> u64 {
        let (seen, changes) = &mut self.flash;
        let flash = self.mailbox.flash().unwrap();
        if *seen != flash {
            *changes += 1;
            *seen = flash;
        }
        *changes
    }

    fn rest(&mut self, rest: Rest) -> Option<Happening> {
        self.roused = false;
        self.due = rest.due;
        if self.question == rest.question {
            return None;
        }
        self.question = rest.question;
        Some(match rest.question {
            Some((ask, press)) => {
                let question = match press {
                    Press::Touch => Question::Presence,
                    Press::Hold => Question::LongPresence,
                };
                Happening::Asks(AskId(ask.into()), question)
            }
            None => Happening::AsksNoMore,
        })
    }

    /// Sets the clock, and waits until the board has looked at it: what comes next must not come at the old time.
    fn set_clock(&mut self, now: Instant) {
        if self.clock == now {
            return;
        }
        self.clock = now;
        self.mailbox.set_clock(now).unwrap();
        self.roused = true;
        while let Ok(report) = self.hear() {
            self.early.push_back(report);
        }
    }

    /// The next report, or the board rests.
    fn hear(&mut self) -> Result<wire::Report, Rest> {
        self.mailbox.rouse().unwrap();
        self.wait(|mailbox| match mailbox.receive().unwrap() {
            Some(report) => Some(Ok(report)),
            None => mailbox.rest().unwrap().map(Err),
        })
    }

    fn come_up(&mut self) {
        self.wait(|mailbox| mailbox.is_running().unwrap().then_some(()));
        self.roused = true;
    }

    /// Looks at the mailbox until there is what is looked for.
    fn wait<T>(&mut self, look: impl Fn(&Mailbox) -> Option<T>) -> T {
        let end = time::Instant::now() + PATIENCE;
        let mut looks = 0_u32;
        loop {
            if let Some(found) = look(&self.mailbox) {
                return found;
            }
            looks = looks.wrapping_add(1);
            if looks < EAGER {
                hint::spin_loop();
                continue;
            }
            thread::sleep(NAP);
            if looks.is_multiple_of(EAGER) {
                let ended = self.child.try_wait().unwrap();
                assert!(ended.is_none(), "the firmware stopped by itself");
                assert!(time::Instant::now() < end, "the board does not answer");
            }
        }
    }

    fn switch_off(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        self.switch_off();
    }
}

/// Ends the test if no board is set up so.
fn check(setup: &Setup) {
    let Setup { seed: _, root_key, sensor, profile, algorithms, self_attestation, formats } = setup;
    if !matches!(profile, Profile::Default | Profile::LongTouch) {
        apart("another configuration");
    }
    if sensor.is_some() || *self_attestation || !algorithms.is_empty() || !formats.is_empty() {
        apart("another configuration");
    }
    if *root_key != Setup::default().root_key {
        apart("another device secret");
    }
}

fn start(mailbox: &Mailbox, firmware: &std::path::Path, now: Instant, seed: (u64, u64)) -> Child {
    let mut noise = [0; 32];
    noise[..8].copy_from_slice(&seed.0.to_be_bytes());
    noise[8..16].copy_from_slice(&seed.1.to_be_bytes());
    mailbox.power_up_at(now, firmware, &noise).expect("qemu-system-arm starts")
}
