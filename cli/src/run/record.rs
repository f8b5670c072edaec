//! `softkey run --record`: an authenticator that writes down what is done with it and what comes of that, one line for
//! each call, written before anybody learns of the answer. What a process that was killed has left is whole lines, but
//! for the last.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use softkey_authenticator::{Ask, Decision, Fault, Refusal, Session, Step, Via};
use softkey_ctap::Instant;

use super::worker::{Engine, PowerUp};
use crate::error::{CliError, Exit};
use crate::faults::Spec;
use crate::replay::transcript::{Call, Entry, Header, Message, Outcome, Said};

/// The file that is written, over all power cycles.
#[derive(Clone)]
struct Tape(Arc<Mutex<Reel>>);

struct Reel {
    /// None once it could not be written.
    file: Option<File>,
    /// Why it could not, until that was told.
    failure: Option<String>,
    /// Are messages written whole?
    whole: bool,
}

/// Checks that a recording can be a new file. What else a start makes comes after this.
///
/// # Errors
///
/// [`Exit::BadInput`] if the file is there already.
pub fn expect_new(path: &Path) -> Result<(), CliError> {
    match path.symlink_metadata() {
        Ok(_) => Err(unusable(path, &io::ErrorKind::AlreadyExists.into())),
        Err(_) => Ok(()),
    }
}

/// Removes the recording of a key that could not be shown, so that the same command can be given again; one that holds more
/// than the beginning stays.
pub fn withdraw(path: &Path) {
    let lines = File::open(path).map(|file| BufReader::new(file).split(b'\n').take(3).count());
    if lines.is_ok_and(|lines| lines < 3) {
        let _ = fs::remove_file(path);
    }
}

fn unusable(path: &Path, error: &io::Error) -> CliError {
    let what = format!("The recording {} cannot be begun: {error}.", path.display());
    CliError::new(Exit::BadInput, what, "name a file that is not there yet, in a folder that is")
}

/// Begins a recording in a new file, and has everything written there that is done with this key.
///
/// # Errors
///
/// [`Exit::BadInput`] if the file is there already or cannot be written.
pub fn record(path: &Path, header: &Header, mut power_up: PowerUp) -> Result<PowerUp, CliError> {
    let unusable = |error: io::Error| unusable(path, &error);
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let file = Some(made.map_err(unusable)?);
    let tape = Tape(Arc::new(Mutex::new(Reel { file, failure: None, whole: header.bodies })));
    tape.write(header);
    if let Some(failure) = tape.take_failure() {
        return Err(unusable(io::Error::other(failure)));
    }
    Ok(Box::new(move |now| {
        let inner = power_up(now)?;
        let (tape, whole) = (tape.clone(), tape.whole());
        let mut recorded = Recorded { inner, tape, whole, faults: Vec::new(), last: now };
        recorded.note(now, Call::PowerUp, Outcome::default());
        Ok(Box::new(recorded))
    }))
}

impl Tape {
    fn with<T>(&self, use_it: impl FnOnce(&mut Reel) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// One line in one write, so that a kill leaves no more than one cut off.
    fn write(&self, line: &impl Serialize) {
        self.with(|reel| {
            let Some(file) = &mut reel.file else { return };
            let text = serde_json::to_string(line).map_err(io::Error::from);
            if let Err(error) = text.and_then(|text| file.write_all(format!("{text}\n").as_bytes()))
            {
                reel.file = None;
                reel.failure = Some(format!("the recording ends here: {error}"));
            }
        });
    }

    fn take_failure(&self) -> Option<String> {
        self.with(|reel| reel.failure.take())
    }

    fn whole(&self) -> bool {
        self.with(|reel| reel.whole)
    }
}

/// An authenticator that is recorded.
struct Recorded {
    inner: Box<dyn Engine>,
    tape: Tape,
    whole: bool,
    /// The faults that are on.
    faults: Vec<Fault>,
    /// The last reading of the clock. What comes without one stands there.
    last: Instant,
}

impl Recorded {
    fn note(&mut self, now: Instant, call: Call, outcome: Outcome) {
        self.last = now;
        self.tape.write(&Entry { at: now.as_millis(), call, outcome });
    }

    fn note_step(&mut self, now: Instant, call: Call, step: Option<&Step>) {
        let outcome = Outcome::of(self.inner.as_ref(), step, self.whole);
        self.note(now, call, outcome);
    }
}

impl Engine for Recorded {
    fn begin(&mut self, now: Instant, via: Via, request: &[u8]) -> Step {
        let call =
            Call::Begin { session: via.session.0, request: Message::ctap2(request, self.whole) };
        let step = self.inner.begin(now, via, request);
        self.note_step(now, call, Some(&step));
        step
    }

    fn begin_u2f(&mut self, now: Instant, via: Via, apdu: &[u8]) -> Vec<u8> {
        let call =
            Call::BeginU2f { session: via.session.0, request: Message::apdu(apdu, self.whole) };
        let reply = self.inner.begin_u2f(now, via, apdu);
        let outcome = Outcome::of_u2f(self.inner.as_ref(), &reply, self.whole);
        self.note(now, call, outcome);
        reply
    }

    fn asking(&self) -> Option<&Ask> {
        self.inner.asking()
    }

    fn resume(&mut self, now: Instant, decision: Decision) -> Option<Step> {
        let step = self.inner.resume(now, decision);
        if let Some(answer) = Said::of(decision.answer) {
            self.note_step(now, Call::Decide { ask: decision.ask.0, answer }, step.as_ref());
        }
        step
    }

    fn cancel(&mut self, via: Via) -> Option<Step> {
        let step = self.inner.cancel(via);
        self.note_step(self.last, Call::Cancel { session: via.session.0 }, step.as_ref());
        step
    }

    fn session_ended(&mut self, session: Session) {
        self.inner.session_ended(session);
        self.note_step(self.last, Call::SessionEnded { session: session.0 }, None);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.inner.poll_timeout()
    }

    fn handle_timeout(&mut self, now: Instant) -> Option<Step> {
        let due = self.inner.poll_timeout().is_some_and(|due| due <= now);
        let step = self.inner.handle_timeout(now);
        // The worker looks in more often than something is due.
        if due {
            self.note_step(now, Call::Timeout, step.as_ref());
        }
        step
    }

    fn refusal(&self) -> Option<Refusal> {
        self.inner.refusal()
    }

    fn take_store_error(&mut self) -> Option<String> {
        self.inner.take_store_error().or_else(|| self.tape.take_failure())
    }

    fn block_user_verification(&mut self) {
        self.inner.block_user_verification();
        self.note_step(self.last, Call::BlockVerification, None);
    }

    fn set_faults(&mut self, faults: &[Fault]) {
        if faults != self.faults {
            faults.clone_into(&mut self.faults);
            let on = faults.iter().filter_map(|fault| Spec::of_signed(*fault));
            let on = on.map(|spec| spec.to_string()).collect();
            self.note(self.last, Call::Faults { on }, Outcome::default());
        }
        self.inner.set_faults(faults);
    }

    fn take_done(&mut self) -> Vec<Fault> {
        self.inner.take_done()
    }

    fn sweep(&mut self) -> bool {
        let swept = self.inner.sweep();
        self.note(self.last, Call::Sweep, Outcome::of_sweep(swept));
        swept
    }
}
