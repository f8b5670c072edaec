//! The person's finger on the board's button, from what is typed at the terminal. As on every key, a press is for the question
//! that is open when it begins: one that comes before agrees to nothing, and one that is not used up ends with its question.

use std::io::{self, BufRead as _};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use super::mailbox::{Mailbox, Press};

/// Who presses the button.
pub(super) enum Finger {
    /// Nobody: it holds itself.
    Held,
    /// Whoever types at the terminal.
    Typing {
        typed: Receiver<Press>,
        /// The question that was open when the board rested last.
        open: Option<u32>,
        /// The question that the button was pressed for, as far as is known.
        pressed: Pressed,
    },
}

/// What the button is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pressed {
    /// Perhaps pressed, by a bridge before this one.
    Unknown,
    Not,
    For(u32),
}

impl Finger {
    /// What is typed from now on.
    pub(super) fn at_the_terminal() -> Self {
        let (sender, typed) = mpsc::channel();
        // Ends with the process: reading a terminal cannot be interrupted.
        thread::spawn(move || {
            for line in io::stdin().lock().lines().map_while(Result::ok) {
                let press = if line.trim() == "hold" { Press::Hold } else { Press::Touch };
                if sender.send(press).is_err() {
                    return;
                }
            }
        });
        Self::typing(typed)
    }

    fn typing(typed: Receiver<Press>) -> Self {
        Self::Typing { typed, open: None, pressed: Pressed::Unknown }
    }

    /// Does what the person does.
    pub(super) fn turn(&mut self, mailbox: &Mailbox) -> io::Result<()> {
        let Self::Typing { typed, open, pressed } = self else {
            return mailbox.press(Press::Hold);
        };
        if let Some(rest) = mailbox.rest()? {
            *open = rest.question.map(|(ask, _)| ask);
            mailbox.rouse()?;
        }
        let is_over = match *pressed {
            Pressed::Unknown => true,
            Pressed::Not => false,
            Pressed::For(ask) => *open != Some(ask),
        };
        if is_over {
            mailbox.release()?;
            *pressed = Pressed::Not;
        }
        while let Ok(press) = typed.try_recv() {
            if let Some(ask) = *open {
                mailbox.press(press)?;
                *pressed = Pressed::For(ask);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::FileExt as _;
    use std::sync::mpsc::Sender;

    use softkey_board::emulated::{HELD, HOLD, TOUCH, TOUCHED, Word};

    use super::*;

    /// A finger, and a board that is played by hand.
    struct World {
        _folder: tempfile::TempDir,
        mailbox: Mailbox,
        board: File,
        terminal: Sender<Press>,
        finger: Finger,
    }

    impl World {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("memory");
            let mailbox = Mailbox::open(&path).unwrap();
            let board = File::options().read(true).write(true).open(&path).unwrap();
            let (terminal, typed) = mpsc::channel();
            Self { _folder: folder, mailbox, board, terminal, finger: Finger::typing(typed) }
        }

        fn word(&self, word: Word) -> u32 {
            let mut bytes = [0; 4];
            self.board.read_exact_at(&mut bytes, word.address().into()).unwrap();
            u32::from_le_bytes(bytes)
        }

        fn set(&self, word: Word, value: u32) {
            self.board.write_all_at(&value.to_le_bytes(), word.address().into()).unwrap();
        }

        /// The board comes to rest with this question open, of this number; 0 is none.
        fn rests(&self, question: u32, ask: u32) {
            self.set(Word::Question, question);
            self.set(Word::Ask, ask);
            self.set(Word::Rests, self.word(Word::Roused));
        }

        /// What the button is after a turn.
        fn button(&mut self) -> u32 {
            self.finger.turn(&self.mailbox).unwrap();
            self.word(Word::Button)
        }

        fn types(&mut self, press: Press) -> u32 {
            self.terminal.send(press).unwrap();
            self.button()
        }
    }

    /// Who presses before anything is asked agrees to nothing.
    #[test]
    fn a_press_is_for_the_question_that_is_open() {
        let mut world = World::new();
        world.rests(0, 0);
        assert_eq!(world.button(), 0);
        assert_eq!(world.types(Press::Touch), 0, "nothing is asked");
        assert_eq!(world.types(Press::Hold), 0, "the board is at work");
        world.rests(TOUCH, 1);
        assert_eq!(world.button(), 0, "what was typed before is forgotten");
        assert_eq!(world.types(Press::Touch), TOUCHED);
        // A touch is too short for a reset, and gives way to what is long enough.
        world.set(Word::Button, 0);
        world.rests(HOLD, 2);
        assert_eq!(world.button(), 0);
        assert_eq!(world.types(Press::Touch), TOUCHED);
        assert_eq!(world.types(Press::Hold), HELD);
    }

    /// A press that its question did not use up, since it was cancelled or wants more, ends with it.
    #[test]
    fn a_press_ends_with_its_question() {
        for (question, ask) in [(0, 1), (TOUCH, 2)] {
            let mut world = World::new();
            world.rests(HOLD, 1);
            assert_eq!(world.button(), 0);
            assert_eq!(world.types(Press::Touch), TOUCHED);
            world.rests(question, ask);
            assert_eq!(world.button(), 0, "{question}");
        }
    }

    /// What a bridge before this one left on the button is taken away.
    #[test]
    fn a_press_of_former_times_is_none() {
        let mut world = World::new();
        world.set(Word::Button, HELD);
        assert_eq!(world.button(), 0);
    }

    #[test]
    fn a_button_that_holds_itself_needs_no_terminal() {
        let mut world = World::new();
        world.finger = Finger::Held;
        assert_eq!(world.button(), HELD);
    }
}
