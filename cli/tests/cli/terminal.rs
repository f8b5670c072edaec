//! `softkey run` at a terminal: the question, the countdown, the answer, and `r`.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Instant;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use softkey_ctap_hid::{Connection, UdpTransport};

use crate::harness::{GET_INFO, Host, PATIENCE, SELECTION, softkey, was_cut_off};

/// A command at a terminal of its own.
pub(crate) struct Seat {
    child: Child,
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    seen: String,
}

impl Seat {
    /// A key.
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut command = softkey();
        command.args(["run", "--transport", "udp", "--listen", "127.0.0.1:0", "--ephemeral"]);
        command.args(args);
        Self::of(command)
    }

    pub(crate) fn of(mut command: Command) -> Self {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        let name = ptsname(&terminal, Vec::new()).unwrap();
        let side = || {
            let path = std::path::Path::new(name.to_str().unwrap());
            let file = File::options().read(true).write(true).open(path).unwrap();
            Stdio::from(file)
        };
        let child = command.stdin(side()).stdout(side()).stderr(side()).spawn().unwrap();
        let keyboard = File::from(terminal);
        let mut from = keyboard.try_clone().unwrap();
        let (send, screen) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(len @ 1..) = from.read(&mut bytes) {
                if send.send(bytes[..len].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { child, keyboard, screen, seen: String::new() }
    }

    /// Waits until this text is on the screen; returns what came before it and forgets both.
    pub(crate) fn see(&mut self, text: &str) -> String {
        loop {
            if let Some(at) = self.seen.find(text) {
                let before = self.seen[..at].to_owned();
                self.seen.drain(..at + text.len());
                return before;
            }
            let more = self.screen.recv_timeout(PATIENCE);
            let more = more.unwrap_or_else(|_| panic!("no {text:?} after {:?}", self.seen));
            self.seen.push_str(&String::from_utf8_lossy(&more));
        }
    }

    /// Types a line once the terminal does not show what is typed.
    pub(crate) fn type_unseen(&mut self, line: &str) {
        self.await_silence();
        self.type_line(line);
    }

    /// Presses Ctrl-C at a prompt for a secret, and waits for the end of the command.
    pub(crate) fn interrupt_unseen(&mut self) -> ExitStatus {
        self.await_silence();
        self.keyboard.write_all(b"\x03").unwrap();
        self.child.wait().unwrap()
    }

    /// Does the terminal show what is typed, line by line, and heed Ctrl-C?
    pub(crate) fn is_sane(&self) -> bool {
        let modes = tcgetattr(&self.keyboard).unwrap().local_modes;
        modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG)
    }

    fn await_silence(&self) {
        let shown = |modes: LocalModes| modes.contains(LocalModes::ECHO);
        let end = Instant::now() + PATIENCE;
        while shown(tcgetattr(&self.keyboard).unwrap().local_modes) {
            assert!(Instant::now() < end, "what is typed is shown, after {:?}", self.seen);
            thread::yield_now();
        }
    }

    pub(crate) fn type_line(&mut self, line: &str) {
        self.keyboard.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// Where the key is shown.
    pub(crate) fn address(&mut self) -> String {
        self.see("ready");
        self.see("udp ");
        self.see(";")
    }

    fn host(&mut self) -> Host {
        let address = self.address();
        Host(Connection::open(UdpTransport::connect(address).unwrap()).unwrap())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The question says who asks and counts down; y approves, n refuses, anything else explains itself.
#[test]
fn the_person_at_the_terminal_decides() {
    let mut seat = Seat::start(&[]);
    let mut host = seat.host();
    for (typed, status) in [(&["y"][..], 0x00), (&["n"], 0x27), (&["perhaps", "YES"], 0x00)] {
        let asking = thread::spawn(move || {
            let answer = host.cbor(&SELECTION);
            (host, answer)
        });
        seat.see("a program asks to choose this key");
        // The first of what is left may be 30 s, and a busy machine skips some of the others.
        seat.see("approve? [y/n] ");
        seat.see("approve? [y/n] 2");
        for line in typed {
            seat.type_line(line);
            if *line == "perhaps" {
                seat.see("y: approve, n: refuse");
            }
        }
        let (back, answer) = asking.join().unwrap();
        host = back;
        assert_eq!(answer, [status], "{typed:?}");
        seat.see("by you,");
    }
    // Nothing is asked any more, so no prompt stands below what is printed next.
    for _ in 0..2 {
        seat.type_line("hello");
        let between = seat.see("r: unplug and plug in again, Ctrl-C: stop\r\n");
        assert!(!between.contains("approve?"), "{between:?}");
    }
}

/// A word typed before the question is no answer to it; `r` unplugs and plugs in again.
#[test]
fn an_early_yes_is_no_answer_and_r_replugs() {
    let mut seat = Seat::start(&[]);
    let mut host = seat.host();
    seat.type_line("y");
    assert_eq!(host.cbor(&GET_INFO)[0], 0);
    seat.see("getInfo");
    let asking = thread::spawn(move || {
        host.0.cbor(&SELECTION, &mut |_| std::ops::ControlFlow::Continue(()))
    });
    seat.see("approve? [y/n] ");
    seat.type_line("r");
    seat.see("ready again");
    // The waiting request died with the power.
    was_cut_off(&asking.join().unwrap());
}

/// When the terminal goes away, its question is refused and the key goes on.
#[test]
fn the_end_of_the_terminal_refuses() {
    let mut seat = Seat::start(&[]);
    let mut host = seat.host();
    let asking = thread::spawn(move || host.cbor(&SELECTION));
    seat.see("approve? [y/n]");
    // Ctrl-D at the beginning of a line: the end of the input.
    seat.keyboard.write_all(&[4]).unwrap();
    assert_eq!(asking.join().unwrap(), [0x27]);
    seat.see("the terminal is gone");
}
