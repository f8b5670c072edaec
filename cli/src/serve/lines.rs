//! What a server prints, written by a thread of its own: a reader that does not read must not keep the server from ending.
//! Lines wait in a queue that is bounded in number and in bytes; those that find no room are counted, and the count is printed
//! when there is room again.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::error::CliError;
use crate::output::{Form, Output};

/// Lines that wait for a reader.
const MOST_LINES: usize = 1024;
/// How many bytes they may have together.
const MOST_BYTES: usize = 8 << 20;
/// How long the end of the program waits for a slow reader.
const PATIENCE: Duration = Duration::from_millis(500);

/// Where lines are handed over, from any thread.
#[derive(Clone)]
pub(super) struct Lines {
    queue: SyncSender<String>,
    waiting: Arc<Waiting>,
}

#[derive(Default)]
struct Waiting {
    bytes: AtomicUsize,
    left_out: AtomicU64,
}

/// The thread, which ends when all [`Lines`] are dropped, or when nobody reads any more.
pub(super) struct Writer(Receiver<Result<(), CliError>>);

impl Lines {
    /// Starts the thread; `ended` is called when it has ended.
    pub(super) fn start(
        form: Form,
        results: impl Write + Send + 'static,
        ended: impl FnOnce() + Send + 'static,
    ) -> io::Result<(Self, Writer)> {
        let (queue, lines) = sync_channel(MOST_LINES);
        let (done, written) = mpsc::channel();
        let waiting = Arc::new(Waiting::default());
        let ours = Arc::clone(&waiting);
        thread::Builder::new().name("lines".to_owned()).spawn(move || {
            let mut output = Output::new(results, io::sink(), form);
            let _ = done.send(ours.write(&lines, &mut output));
            ended();
        })?;
        Ok((Self { queue, waiting }, Writer(written)))
    }

    /// Prints this line, or counts it.
    pub(super) fn line(&self, line: String) {
        let waiting = &self.waiting;
        let len = line.len();
        let before = waiting.bytes.fetch_add(len, Ordering::Relaxed);
        if before.saturating_add(len) > MOST_BYTES || self.queue.try_send(line).is_err() {
            waiting.bytes.fetch_sub(len, Ordering::Relaxed);
            waiting.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Waiting {
    fn write(&self, lines: &Receiver<String>, output: &mut Output<'_>) -> Result<(), CliError> {
        for line in lines {
            output.line(&line)?;
            self.bytes.fetch_sub(line.len(), Ordering::Relaxed);
            let left_out = self.left_out.swap(0, Ordering::Relaxed);
            if left_out > 0 {
                let what = format!("{left_out} lines were left out, the output is not read");
                match output.form() {
                    Form::Plain => output.line(format!("note: {what}"))?,
                    Form::Json => output.object(&json!({"event": "notice", "what": what}))?,
                }
            }
        }
        Ok(())
    }
}

impl Writer {
    /// Waits until all is written, but not for a reader that does not read.
    pub(super) fn finish(self) -> Result<(), CliError> {
        match self.0.recv_timeout(PATIENCE) {
            Ok(written) => written,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, MutexGuard};

    use super::*;

    /// A writer that blocks until it is let go.
    #[derive(Clone, Default)]
    struct Gate(Arc<Mutex<()>>, Arc<Mutex<Vec<u8>>>);

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _open: MutexGuard<'_, ()> = self.0.lock().unwrap();
            self.1.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A writer whose reader has gone.
    struct Gone;

    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Hands lines over while nobody reads, and gives what is read in the end.
    fn read(form: Form, lines: &[String]) -> Vec<String> {
        let gate = Gate::default();
        let closed = gate.0.lock().unwrap();
        let (queue, writer) = Lines::start(form, gate.clone(), || ()).unwrap();
        for line in lines {
            queue.line(line.clone());
        }
        drop(closed);
        drop(queue);
        // However long a busy machine takes.
        writer.0.recv().unwrap().unwrap();
        let text = String::from_utf8(gate.1.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn what_finds_no_room_is_counted_and_told() {
        let lines: Vec<_> = (0..MOST_LINES + 50).map(|number| number.to_string()).collect();
        let read = read(Form::Plain, &lines);
        let (notes, kept): (Vec<&String>, Vec<_>) =
            read.iter().partition(|line| line.starts_with("note: "));
        // The writer may have taken one line already.
        let left_out = lines.len() - kept.len();
        assert!((49..=50).contains(&left_out), "{left_out}");
        assert_eq!(
            notes,
            [&format!("note: {left_out} lines were left out, the output is not read")]
        );
        assert!(kept.iter().zip(&lines).all(|(kept, line)| *kept == line));
    }

    #[test]
    fn long_lines_fill_the_queue_sooner() {
        let lines = vec!["x".repeat(1 << 20); 20];
        let read = read(Form::Json, &lines);
        assert_eq!(read.iter().filter(|line| line.starts_with('x')).count(), 8);
        let note = r#"{"event":"notice","what":"12 lines were left out, the output is not read"}"#;
        assert_eq!(read.iter().find(|line| line.starts_with('{')).unwrap(), note);
    }

    /// A reader that does not read is not waited for, and one that has gone ends it as a success.
    #[test]
    fn the_end_does_not_wait_for_a_reader() {
        let gate = Gate::default();
        let closed = gate.0.lock().unwrap();
        let (queue, writer) = Lines::start(Form::Plain, gate.clone(), || ()).unwrap();
        queue.line("never read".to_owned());
        drop(queue);
        writer.finish().unwrap();
        drop(closed);

        let (tell, told) = mpsc::channel();
        let (queue, writer) =
            Lines::start(Form::Plain, Gone, move || tell.send(()).unwrap()).unwrap();
        queue.line("for nobody".to_owned());
        told.recv().unwrap();
        assert_eq!(writer.finish().unwrap_err().exit(), crate::error::Exit::Success);
    }
}
