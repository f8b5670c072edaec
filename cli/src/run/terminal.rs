//! The person at the terminal: what they type, line by line.
//!
//! Nothing here waits. A line counts only if it was typed after the question came: what was typed before is thrown away
//! then.

use std::io::IsTerminal;
use std::os::fd::BorrowedFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::QueueSelector;

use super::sensor::Touched;

/// Lines longer than this mean nothing; their beginning is enough to know.
const MAX_LINE: usize = 64;

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Approve.
    Yes,
    /// Refuse.
    No,
    /// Unplug the key and plug it in again.
    Replug,
    /// A finger on the simulated sensor.
    Finger(Touched),
    /// An empty line.
    Nothing,
    /// Something else.
    Unknown,
}

/// Standard input, if it and standard error are a terminal.
#[derive(Debug)]
pub struct Terminal {
    line: Lines,
}

impl Terminal {
    /// The terminal, if there is one to ask at.
    #[must_use]
    pub fn find() -> Option<Self> {
        let both = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        both.then(|| Self { line: Lines::default() })
    }

    /// Readable when a line was typed.
    #[must_use]
    pub fn descriptor(&self) -> BorrowedFd<'static> {
        rustix::stdio::stdin()
    }

    /// May this process read now? In the background the terminal belongs to another, and reading would stop
    /// this process. A terminal that controls no process of this session stops none.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        match rustix::termios::tcgetpgrp(self.descriptor()) {
            Ok(foreground) => foreground == rustix::process::getpgrp(),
            Err(error) => error == Errno::NOTTY,
        }
    }

    /// Throws away what was typed and not read.
    pub fn forget_typed(&mut self) {
        self.line = Lines::default();
        if self.is_ours() {
            let _ = rustix::termios::tcflush(self.descriptor(), QueueSelector::IFlush);
        }
    }

    /// What was typed; call when the descriptor was readable. `None` when the terminal is gone.
    pub fn read(&mut self) -> Option<Vec<Word>> {
        self.line.read(self.descriptor())
    }
}

/// Bytes on their way to become lines.
#[derive(Debug, Default)]
struct Lines {
    begun: Vec<u8>,
}

impl Lines {
    /// Reads what is there. That may be nothing: what made the terminal readable may have been thrown away since.
    fn read(&mut self, from: BorrowedFd<'_>) -> Option<Vec<Word>> {
        let mut bytes = [0; 256];
        match poll(&mut [PollFd::new(&from, PollFlags::IN)], Some(&Timespec::default())) {
            Ok(0) | Err(Errno::INTR) => return Some(Vec::new()),
            Ok(_) => {}
            Err(_) => return None,
        }
        match rustix::io::read(from, &mut bytes) {
            Ok(0) => None,
            Ok(len) => Some(self.feed(bytes.get(..len).unwrap_or_default())),
            Err(Errno::INTR | Errno::AGAIN) => Some(Vec::new()),
            Err(_) => None,
        }
    }

    fn feed(&mut self, bytes: &[u8]) -> Vec<Word> {
        let mut words = Vec::new();
        for &byte in bytes {
            if byte == b'\n' {
                words.push(word(&std::mem::take(&mut self.begun)));
            } else if self.begun.len() <= MAX_LINE {
                self.begun.push(byte);
            }
        }
        words
    }
}

fn word(line: &[u8]) -> Word {
    match line.trim_ascii().to_ascii_lowercase().as_slice() {
        b"" => Word::Nothing,
        b"y" | b"yes" => Word::Yes,
        b"n" | b"no" => Word::No,
        b"r" | b"replug" => Word::Replug,
        other => {
            let touched = str::from_utf8(other).ok().and_then(|text| text.parse().ok());
            touched.map_or(Word::Unknown, Word::Finger)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Write, pipe};
    use std::os::fd::AsFd;

    use super::*;

    /// Where nothing is left to read the hub goes on, and does not wait for another line.
    #[test]
    fn what_was_thrown_away_is_not_waited_for() {
        let (from, mut to) = pipe().unwrap();
        let mut lines = Lines::default();
        assert_eq!(lines.read(from.as_fd()), Some(Vec::new()));
        to.write_all(b"y\n").unwrap();
        assert_eq!(lines.read(from.as_fd()), Some(vec![Word::Yes]));
        drop(to);
        assert_eq!(lines.read(from.as_fd()), None);
    }

    #[test]
    fn lines_are_words_however_they_arrive() {
        let mut lines = Lines::default();
        assert_eq!(lines.feed(b"y"), []);
        assert_eq!(
            lines.feed(b"es\nN\n\n r \r\nyep\n"),
            [Word::Yes, Word::No, Word::Nothing, Word::Replug, Word::Unknown]
        );
        assert_eq!(lines.feed(&[b'y'; 10_000]), []);
        assert!(lines.begun.len() <= MAX_LINE + 1);
        assert_eq!(lines.feed(b"\ny\n"), [Word::Unknown, Word::Yes]);
        let fingers = [Word::Finger(Touched::Finger(10)), Word::Unknown];
        assert_eq!(lines.feed(b"10\n11\n"), fingers);
        let too_high = Touched::Badly(softkey_ctap::bio_enrollment::SampleStatus::TOO_HIGH);
        assert_eq!(lines.feed(b"too-HIGH\n"), [Word::Finger(too_high)]);
    }
}
