//! Everything `softkey run` prints, written by a thread of its own.
//!
//! A terminal that is stopped, or a pipe that nobody reads, must not stop the key: lines wait in a queue of
//! bounded length, and those that find no room are counted and the count is printed instead. A reader that has
//! gone away costs the lines and nothing else.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::thread;
use std::time::Duration;

use super::event::Event;
use crate::output::Form;
use crate::text;

/// Lines that wait for a slow reader.
const QUEUE: usize = 1024;
/// How long the end of the program waits for a slow reader.
const PATIENCE: Duration = Duration::from_millis(500);
/// To the beginning of the terminal's line, and clear it.
const CLEAR_LINE: &str = "\r\x1b[K";

/// Where events and the prompt go.
#[derive(Debug)]
pub struct Screen {
    form: Form,
    /// `None` once the thread has gone.
    queue: Option<SyncSender<Output>>,
    finished: Receiver<()>,
    left_out: u64,
}

enum Output {
    /// A line of results.
    Line(String),
    /// A line for the person at the terminal.
    Note(String),
    /// What stands in the terminal's last line from now on.
    Prompt(Option<String>),
}

impl Screen {
    /// Starts the thread: results to one writer, the prompt to the other.
    ///
    /// # Errors
    ///
    /// If the system gives no thread.
    pub fn start(
        form: Form,
        results: impl Write + Send + 'static,
        prompts: impl Write + Send + 'static,
    ) -> io::Result<Self> {
        let (queue, inbox) = mpsc::sync_channel(QUEUE);
        let (done, finished) = mpsc::channel();
        thread::Builder::new().name("screen".into()).spawn(move || {
            Writer { results, prompts, prompt: None }.serve(&inbox);
            let _ = done.send(());
        })?;
        Ok(Self { form, queue: Some(queue), finished, left_out: 0 })
    }

    /// Prints an event.
    pub fn event(&mut self, event: &Event) {
        let line = match self.form {
            Form::Plain => event.to_string(),
            Form::Json => text::json_line(event).unwrap_or_default(),
        };
        if self.left_out > 0 {
            let what = format!("{} lines were left out, the output is not read", self.left_out);
            let note = Event::Notice { what };
            let line = match self.form {
                Form::Plain => note.to_string(),
                Form::Json => text::json_line(&note).unwrap_or_default(),
            };
            if self.send(Output::Line(line)) {
                self.left_out = 0;
            }
        }
        if !self.send(Output::Line(line)) {
            self.left_out += 1;
        }
    }

    /// Prints a line for the person at the terminal.
    pub fn note(&mut self, line: impl Into<String>) {
        self.send(Output::Note(line.into()));
    }

    /// Puts this into the terminal's last line; `None` clears it.
    pub fn prompt(&mut self, prompt: Option<String>) {
        self.send(Output::Prompt(prompt));
    }

    /// Ends the thread when all is written; a reader that does not read is not waited for.
    pub fn stop(mut self) {
        self.queue = None;
        let _: Result<(), RecvTimeoutError> = self.finished.recv_timeout(PATIENCE);
    }

    /// False if there is no room.
    fn send(&mut self, output: Output) -> bool {
        let Some(queue) = &self.queue else { return true };
        match queue.try_send(output) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => false,
            Err(TrySendError::Disconnected(_)) => {
                self.queue = None;
                true
            }
        }
    }
}

struct Writer<R, P> {
    results: R,
    prompts: P,
    prompt: Option<String>,
}

impl<R: Write, P: Write> Writer<R, P> {
    fn serve(&mut self, inbox: &Receiver<Output>) {
        for output in inbox {
            // Failures to write are the reader's loss.
            let _ = self.write(output);
        }
        let _ = self.show(None);
    }

    fn write(&mut self, output: Output) -> io::Result<()> {
        match output {
            Output::Prompt(prompt) => self.show(prompt),
            Output::Line(line) => {
                let prompt = self.prompt.take();
                self.clear(prompt.is_some())?;
                let _ = self.results.write_all(with_line_feed(line).as_bytes());
                let _ = self.results.flush();
                self.show(prompt)
            }
            Output::Note(line) => {
                let prompt = self.prompt.take();
                self.clear(prompt.is_some())?;
                self.prompts.write_all(with_line_feed(line).as_bytes())?;
                self.show(prompt)
            }
        }
    }

    fn clear(&mut self, shown: bool) -> io::Result<()> {
        if shown {
            self.prompts.write_all(CLEAR_LINE.as_bytes())?;
            self.prompts.flush()?;
        }
        Ok(())
    }

    fn show(&mut self, prompt: Option<String>) -> io::Result<()> {
        let mut text = String::new();
        if self.prompt.is_some() {
            text.push_str(CLEAR_LINE);
        }
        if let Some(prompt) = &prompt {
            let _ = write!(text, "{prompt}");
        }
        self.prompt = prompt;
        self.prompts.write_all(text.as_bytes())?;
        self.prompts.flush()
    }
}

/// One write for one line, so that lines of two writers do not mix.
fn with_line_feed(mut line: String) -> String {
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, MutexGuard};

    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Shared {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn wink(device: &str) -> Event {
        Event::Wink { device: device.into() }
    }

    /// A line clears the prompt it would be written into, and the prompt stands below it afterwards.
    #[test]
    fn lines_and_prompt_share_a_terminal() {
        let terminal = Shared::default();
        let mut screen = Screen::start(Form::Plain, terminal.clone(), terminal.clone()).unwrap();
        screen.prompt(Some("approve? ".into()));
        screen.event(&wink("udp"));
        screen.prompt(None);
        screen.note("done");
        screen.stop();
        assert_eq!(
            terminal.text(),
            "approve? \r\u{1b}[Kwink: a client on udp looks for this key\napprove? \r\u{1b}[Kdone\n"
        );
    }

    /// A writer that blocks until it is let go.
    struct Gate(Arc<Mutex<()>>, Shared);

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _open: MutexGuard<'_, ()> = self.0.lock().unwrap();
            self.1.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A reader that does not read stops nobody: what has no room is counted, and the end does not wait.
    #[test]
    fn a_reader_that_does_not_read_costs_lines_only() {
        let (gate, read) = (Arc::new(Mutex::new(())), Shared::default());
        let closed = gate.lock().unwrap();
        let results = Gate(Arc::clone(&gate), read.clone());
        let mut screen = Screen::start(Form::Json, results, io::sink()).unwrap();
        for _ in 0..QUEUE + 50 {
            screen.event(&wink("udp"));
        }
        let left_out = screen.left_out;
        assert!((1..=50).contains(&left_out), "{left_out}");
        drop(closed);
        // The next line that finds room brings the count with it.
        while screen.left_out > 0 {
            screen.event(&wink("again"));
        }
        screen.stop();
        assert!(read.text().contains("lines were left out"), "{}", read.text());
    }
}
