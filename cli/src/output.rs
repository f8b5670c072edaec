//! Where a command's results go: plain lines for people, or one JSON object a line for programs. Only results
//! go here; prompts, progress and errors go to standard error.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::error::{CliError, Exit};
use crate::text::json_line;

/// The form of the results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Text for people.
    Plain,
    /// One JSON object a line, stable.
    Json,
}

/// The results of a command. Each write is flushed, so a reader at the other end of a pipe sees it at once;
/// when that reader has gone the write gives [`CliError::reader_gone`], which ends the command as a success.
pub struct Output<'w> {
    results: Box<dyn Write + 'w>,
    notes: Box<dyn Write + 'w>,
    form: Form,
    /// Is there a person who sees the notes at once?
    watched: bool,
    /// Stands a line of progress on their terminal?
    progress: bool,
}

impl Output<'static> {
    /// Results to standard output, notes to standard error.
    #[must_use]
    pub fn stdout(form: Form) -> Self {
        let output = Self::new(io::stdout(), io::stderr(), form);
        if io::stderr().is_terminal() { output.watched() } else { output }
    }
}

impl<'w> Output<'w> {
    /// Results and notes to these writers; nobody watches.
    pub fn new(results: impl Write + 'w, notes: impl Write + 'w, form: Form) -> Self {
        let (results, notes) = (Box::new(results), Box::new(notes));
        Self { results, notes, form, watched: false, progress: false }
    }

    /// The same, with a person before the terminal to which the notes go.
    #[must_use]
    pub fn watched(mut self) -> Self {
        self.watched = true;
        self
    }

    /// The form asked for.
    #[must_use]
    pub const fn form(&self) -> Form {
        self.form
    }

    /// One result that knows both forms: its `Display` in plain text, its `Serialize` in JSON.
    ///
    /// # Errors
    ///
    /// As [`Output::line`].
    pub fn record<R: Serialize + Display>(&mut self, record: &R) -> Result<(), CliError> {
        match self.form {
            Form::Plain => self.line(record),
            Form::Json => self.object(record),
        }
    }

    /// One line of text, whatever the form: for commands whose output is a document of its own.
    ///
    /// # Errors
    ///
    /// [`CliError::reader_gone`] if nobody reads any more, [`Exit::Failed`] if the write fails otherwise.
    pub fn line(&mut self, text: impl Display) -> Result<(), CliError> {
        self.bytes(format!("{text}\n").as_bytes())
    }

    /// One JSON object on one line, whatever the form.
    ///
    /// # Errors
    ///
    /// As [`Output::line`].
    pub fn object<R: Serialize + ?Sized>(&mut self, value: &R) -> Result<(), CliError> {
        let text = json_line(value).ok_or_else(|| failed(&"it has no JSON form"))?;
        self.bytes(format!("{text}\n").as_bytes())
    }

    /// Bytes as they are, whatever the form.
    ///
    /// # Errors
    ///
    /// As [`Output::line`].
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        // They may go to the same terminal.
        self.progress("");
        let written = self.results.write_all(bytes).and_then(|()| self.results.flush());
        written.map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => CliError::reader_gone(),
            _ => failed(&error),
        })
    }

    /// A word to the person, such as "touch the key": to standard error, and never a reason to fail.
    pub fn note(&mut self, text: impl Display) {
        self.progress("");
        let _ = writeln!(self.notes, "{text}");
        let _ = self.notes.flush();
    }

    /// How far long work has come: one line of at most 79 characters that replaces the one before, and gives way to
    /// whatever is written next; no text removes it. It is for a person's eyes alone: a pipe gets none, and neither does
    /// who asked for JSON.
    pub fn progress(&mut self, text: &str) {
        let shown = self.watched && self.form == Form::Plain;
        if shown && (self.progress || !text.is_empty()) {
            let _ = write!(self.notes, "\r\x1b[K{text}");
            let _ = self.notes.flush();
            self.progress = !text.is_empty();
        }
    }
}

fn failed(error: &dyn Display) -> CliError {
    CliError::new(
        Exit::Failed,
        format!("The result cannot be written: {error}."),
        "write to a place with room that you may write to",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A closed pipe ends the command as a success; any other failure to write is one.
    #[test]
    fn a_closed_pipe_is_success_and_a_full_disk_is_not() {
        let exit = |kind| {
            let mut output = Output::new(Broken(kind), io::sink(), Form::Plain);
            output.line("lost").map_err(|error| error.exit())
        };
        assert_eq!(exit(io::ErrorKind::BrokenPipe), Err(Exit::Success));
        assert_eq!(exit(io::ErrorKind::StorageFull), Err(Exit::Failed));
    }

    /// Notes never mix with results.
    #[test]
    fn notes_stay_out_of_the_results() {
        let (mut results, mut notes) = (Vec::new(), Vec::new());
        {
            let mut output = Output::new(&mut results, &mut notes, Form::Json);
            output.note("touch the key");
            output.object(&serde_json::json!({"a": 1})).unwrap();
        }
        assert_eq!(results, b"{\"a\":1}\n");
        assert_eq!(notes, b"touch the key\n");
    }

    /// What is written while long work goes on, to one terminal.
    fn written(form: Form, watched: bool) -> (Vec<u8>, Vec<u8>) {
        let (mut results, mut notes) = (Vec::new(), Vec::new());
        {
            let output = Output::new(&mut results, &mut notes, form);
            let mut output = if watched { output.watched() } else { output };
            output.progress("1 of 2");
            output.progress("2 of 2");
            output.note("done");
            output.progress("1 of 1");
            output.bytes(b"result\n").unwrap();
            output.progress("");
        }
        (results, notes)
    }

    /// Progress is one line, which whatever comes next replaces; who sees no terminal, or reads JSON, gets none.
    #[test]
    fn progress_is_for_a_persons_eyes() {
        let (results, notes) = written(Form::Plain, true);
        assert_eq!(results, b"result\n");
        let expected: &[u8] = b"\r\x1b[K1 of 2\r\x1b[K2 of 2\r\x1b[Kdone\n\r\x1b[K1 of 1\r\x1b[K";
        assert_eq!(notes, expected);
        for (form, watched) in [(Form::Plain, false), (Form::Json, true), (Form::Json, false)] {
            let expected = (b"result\n".to_vec(), b"done\n".to_vec());
            assert_eq!(written(form, watched), expected, "{form:?}");
        }
    }
}
