//! The person at the terminal: told when to touch, asked for the PIN and for an account.
#![allow(
    clippy::doc_markdown,
    reason = "some of these comments are the text of --help, where backticks are noise"
)]

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use signal_hook::consts::SIGINT;
use signal_hook::flag;
use softkey_client::driver::{User, Waits};
use softkey_client::{Account, Answer, PinNeed, Progress, Question};
use softkey_ctap::bio_enrollment::SampleStatus;
use zeroize::Zeroizing;

use super::consent::Consent;
use crate::environment::variable;
use crate::error::{CliError, Exit};
use crate::output::Output;
use crate::text::quoted;
use crate::tty;

/// Where a PIN comes from. It never stands in an argument, where other processes could read it.
#[derive(Clone, Debug, Default, Args)]
pub struct PinArgs {
    /// Read the PIN from the first line of this file
    ///
    /// Without it the PIN comes from the environment variable SOFTKEY_PIN or from a prompt.
    #[arg(long, value_name = "FILE")]
    pub pin_file: Option<PathBuf>,
}

impl PinArgs {
    /// The PIN, if it comes without asking.
    ///
    /// # Errors
    ///
    /// [`Exit::BadInput`] if the file, or the variable, cannot be read.
    pub fn given(&self) -> Result<Option<Zeroizing<String>>, CliError> {
        match &self.pin_file {
            Some(path) => first_line(path).map(Some),
            None => variable("SOFTKEY_PIN"),
        }
    }
}

/// The first line of a file, without its end.
///
/// # Errors
///
/// [`Exit::BadInput`] if the file cannot be read or is no text.
pub fn first_line(path: &PathBuf) -> Result<Zeroizing<String>, CliError> {
    let text = fs::read_to_string(path).map(Zeroizing::new).map_err(|error| {
        CliError::new(
            Exit::BadInput,
            format!("The PIN cannot be read from {}: {error}.", path.display()),
            "a text file that you may read, with the PIN on its first line",
        )
    })?;
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}

/// Asks for a PIN at the terminal, wherever standard input comes from; nothing without one.
#[must_use]
pub fn prompt(question: &str) -> Option<Zeroizing<String>> {
    if tty::is_at_hand() { tty::ask(&format!("{question}: ")).ok() } else { None }
}

/// The person during one command.
pub struct Person<'o, 'w> {
    output: &'o mut Output<'w>,
    given: Option<Zeroizing<String>>,
    consent: Consent,
    /// Was the touch asked for that is waited for now?
    told: bool,
    /// How many keys wait for one.
    keys: usize,
    interrupts: Option<Interrupts>,
}

impl<'o, 'w> Person<'o, 'w> {
    /// A person who is spoken to through the notes of `output`, and whose PIN is `given` if it is known.
    #[must_use]
    pub fn new(output: &'o mut Output<'w>, given: Option<Zeroizing<String>>) -> Self {
        let (consent, interrupts) = (Consent::unknown(), Interrupts::heed());
        Self { output, given, consent, told: false, keys: 1, interrupts }
    }

    /// The same person before so many keys, of which one is to be touched.
    #[must_use]
    pub fn before(mut self, keys: usize) -> Self {
        self.keys = keys;
        self
    }

    /// The same person with a mind that is known.
    #[must_use]
    pub fn with(mut self, consent: Consent) -> Self {
        self.consent = consent;
        self
    }

    /// Says something to the person.
    pub(super) fn note(&mut self, text: &str) {
        self.output.note(text);
    }

    /// While the key waits Ctrl-C cancels its request; otherwise it ends the program.
    fn key_waits(&self, waits: bool) {
        if let Some(interrupts) = &self.interrupts {
            interrupts.deadly.store(!waits, Ordering::SeqCst);
        }
    }
}

/// What Ctrl-C does.
struct Interrupts {
    /// Does it end the program at once?
    deadly: Arc<AtomicBool>,
    /// Did it come?
    came: Arc<AtomicBool>,
}

impl Interrupts {
    /// Nothing if signals cannot be heeded; then Ctrl-C ends the program, and the key waits in vain.
    fn heed() -> Option<Self> {
        let (deadly, came) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false)));
        let code = Exit::Interrupted.code().into();
        flag::register_conditional_shutdown(SIGINT, code, Arc::clone(&deadly)).ok()?;
        flag::register(SIGINT, Arc::clone(&came)).ok()?;
        Some(Self { deadly, came })
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        self.deadly.store(true, Ordering::SeqCst);
    }
}

impl Drop for Person<'_, '_> {
    fn drop(&mut self) {
        self.output.progress("");
    }
}

impl User for Person<'_, '_> {
    fn waits(&mut self, on: Waits) -> ControlFlow<()> {
        if on == Waits::Touch && !self.told {
            self.told = true;
            match self.keys {
                1 => self.output.note("Touch the key."),
                keys => self.output.note(format!("Touch one of the {keys} keys.")),
            }
        }
        self.key_waits(true);
        let interrupted = self.interrupts.as_ref().is_some_and(|i| i.came.load(Ordering::SeqCst));
        if interrupted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// A PIN that was given is tried once: a second wrong one would cost a try for nothing.
    fn pin(&mut self, need: PinNeed) -> Option<Zeroizing<String>> {
        self.key_waits(false);
        // Of several keys one was touched to say whose PIN is meant. Its next touch is another one.
        (self.told, self.keys) = (false, 1);
        let mut question = String::from("PIN");
        if need.wrong {
            let left =
                need.tries_left.map(|left| format!(" {left} tries are left.")).unwrap_or_default();
            let told = format!("The PIN is wrong.{left}");
            // Whoever is asked again reads it where they are asked: the notes may go to a file.
            if tty::is_at_hand() {
                question.insert_str(0, &format!("{told}\n"));
            } else {
                self.output.note(told);
            }
        }
        self.given.take().or_else(|| prompt(&question).filter(|pin| !pin.is_empty()))
    }

    fn answer(&mut self, question: &Question) -> Answer {
        self.key_waits(false);
        self.consent.answer(question, self.output)
    }

    fn sees(&mut self, progress: Progress) {
        match progress {
            Progress::Sample { status, remaining } => {
                // The touch asked for was this one; the next is asked for here.
                self.told = true;
                self.output.note(sample(status, remaining));
            }
            Progress::RelyingParties { read, total } => {
                self.output.progress(&format!("{read} of {total} relying parties"));
            }
            Progress::Credentials { read, parties, total } => {
                let of = format!("of {parties} of {total} relying parties");
                self.output.progress(&format!("{read} credentials, {of}"));
            }
        }
    }

    /// Without a terminal nobody can choose, and the newest account is taken, which is the first.
    fn account(&mut self, accounts: &[Account]) -> Option<usize> {
        self.key_waits(false);
        if let Some(name) = &self.consent.account {
            return accounts.iter().position(|account| account.name.as_ref() == Some(name));
        }
        if !io::stdin().is_terminal() {
            return Some(0);
        }
        for (number, it) in (1..).zip(accounts) {
            let named = account(&it.user_id, it.name.as_deref(), it.display_name.as_deref());
            self.output.note(format!("{number}  {named}"));
        }
        let _ = write!(io::stderr(), "Account: ");
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).ok()?;
        let number: usize = line.trim().parse().ok()?;
        number.checked_sub(1).filter(|index| *index < accounts.len())
    }
}

/// How a sample was, and how many more are needed.
fn sample(status: SampleStatus, remaining: u64) -> String {
    let mut meaning = status.meaning().chars();
    let first = meaning.next().map(|first| first.to_ascii_uppercase());
    let said: String = first.into_iter().chain(meaning).collect();
    match remaining {
        0 => format!("{said}, and the last one."),
        1 => format!("{said}. Lift the finger and touch the sensor again; one more."),
        _ => format!("{said}. Lift the finger and touch the sensor again; {remaining} more."),
    }
}

/// An account as people know it: by its names, or else by its user handle.
#[must_use]
pub fn account(user_id: &[u8], name: Option<&str>, display_name: Option<&str>) -> String {
    match (name, display_name) {
        (Some(name), Some(display_name)) => format!("{} ({})", quoted(name), quoted(display_name)),
        (Some(name), None) | (None, Some(name)) => quoted(name),
        (None, None) => format!("user {}", softkey_client::base64url::encode(user_id)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Form;

    /// A wrong PIN from a file or the environment is not tried again.
    #[test]
    fn a_given_pin_is_tried_once() {
        let mut notes = Vec::new();
        let mut output = Output::new(Vec::new(), &mut notes, Form::Plain);
        let mut person = Person::new(&mut output, Some(String::from("1234").into()));
        assert_eq!(person.pin(PinNeed::default()).as_deref().map(String::as_str), Some("1234"));
        assert!(person.given.is_none());
    }

    #[test]
    fn a_sample_is_told_in_words() {
        let told = |status, remaining| sample(status, remaining);
        assert_eq!(told(SampleStatus::GOOD, 0), "A good sample, and the last one.");
        let again = "Lift the finger and touch the sensor again";
        let high = format!("The finger was too high. {again}; 3 more.");
        assert_eq!(told(SampleStatus::TOO_HIGH, 3), high);
        assert_eq!(told(SampleStatus::GOOD, 1), format!("A good sample. {again}; one more."));
        for status in SampleStatus::ALL {
            let words = told(*status, 2);
            assert!(words.len() > again.len() + 10, "{words}");
        }
    }

    /// How far an enumeration has come stands on the terminal while it lasts; nothing of it is left.
    #[test]
    fn an_enumeration_shows_how_far_it_has_come() {
        let told = |form| {
            let mut notes = Vec::new();
            {
                let mut output = Output::new(Vec::new(), &mut notes, form).watched();
                let mut person = Person::new(&mut output, None);
                person.sees(Progress::RelyingParties { read: 2, total: 3 });
                person.sees(Progress::Credentials { read: 5, parties: 1, total: 3 });
            }
            String::from_utf8(notes).unwrap()
        };
        let lines = ["2 of 3 relying parties", "5 credentials, of 1 of 3 relying parties", ""];
        assert_eq!(told(Form::Plain), lines.map(|line| format!("\r\x1b[K{line}")).concat());
        assert_eq!(told(Form::Json), "");
    }

    /// The touch is told once, however many keepalives come.
    #[test]
    fn the_touch_is_told_once() {
        let mut notes = Vec::new();
        {
            let mut output = Output::new(Vec::new(), &mut notes, Form::Plain);
            let mut person = Person::new(&mut output, None);
            for on in [Waits::Key, Waits::Touch, Waits::Touch] {
                assert!(person.waits(on).is_continue());
            }
        }
        assert_eq!(notes, b"Touch the key.\n");
    }
}
