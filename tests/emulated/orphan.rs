//! A program that is killed leaves no emulator behind.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use softkey::bridge::mailbox::Mailbox;

use crate::board::{Board, PATIENCE, firmware};

/// The variable by which the test below starts itself as the program that is killed: it names the board's memory.
const MEMORY: &str = "SOFTKEY_EMULATED_MEMORY";

/// Before the number of the emulator's process, in what that program says.
const SAID: &str = "the emulator is process ";

/// Switches the board on and waits to be killed.
fn wait_with_a_board(memory: &str) {
    let mailbox = Mailbox::open(memory.as_ref()).unwrap();
    let mut child = mailbox.power_up(&firmware(), &[1; 32]).unwrap();
    let end = Instant::now() + PATIENCE;
    while !mailbox.is_running().unwrap() {
        if Instant::now() > end {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("the board does not start");
        }
        thread::yield_now();
    }
    println!("{SAID}{}", child.id());
    child.wait().unwrap();
}

/// Is there such a process? What is left of one that has ended has no command line.
fn runs(process: &str) -> bool {
    std::fs::read(format!("/proc/{process}/cmdline")).is_ok_and(|line| !line.is_empty())
}

#[test]
#[ignore = "needs the firmware and QEMU: cargo xtask firmware test"]
fn a_killed_program_takes_its_emulator_along() {
    if let Ok(memory) = std::env::var(MEMORY) {
        return wait_with_a_board(&memory);
    }
    let board = Board::new();
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["--ignored", "--nocapture", "--exact"]);
    program.arg("orphan::a_killed_program_takes_its_emulator_along");
    program.env(MEMORY, board.memory()).stdout(Stdio::piped());
    let mut program = program.spawn().unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines().map_while(Result::ok);
    let (tells, told) = mpsc::channel();
    thread::spawn(move || {
        let process = lines.find_map(|line| line.split_once(SAID).map(|(_, it)| it.to_owned()));
        // Nobody listens any more if it came too late.
        let _ = process.map(|process| tells.send(process));
    });
    // The program has its own patience with the board, and this much to start itself.
    let process = told.recv_timeout(2 * PATIENCE);
    let had_run = process.as_deref().is_ok_and(runs);
    program.kill().unwrap();
    program.wait().unwrap();
    let process = process.expect("the number of the emulator's process");
    assert!(had_run, "the emulator ended by itself");
    let end = Instant::now() + PATIENCE;
    while runs(&process) {
        assert!(Instant::now() < end, "the emulator outlives the program that started it");
        thread::yield_now();
    }
}
