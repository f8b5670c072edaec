//! `softkey replay`: runs a recorded session again, on a clock that the recording sets and from the seed that it was
//! drawn from, and shows the first difference.

pub mod transcript;

use std::fmt;
use std::fs;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use softkey_authenticator::{Session, Transport, Via};
use softkey_ctap::{Command, Instant};

use self::transcript::{Call, Entry, Header, Outcome};
use crate::error::{CliError, Exit};
use crate::faults::Spec;
use crate::output::Output;
use crate::run::memory::{self, Entropy};
use crate::run::worker::{Engine, PowerUp};

/// The arguments of `softkey replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// What softkey run --seed N --record FILE has written
    pub file: PathBuf,

    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Finding {
    Same { same: bool, calls: usize, requests: usize },
    Different(Box<Difference>),
}

/// The first difference.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Difference {
    same: bool,
    /// Of the recording, from 1.
    line: usize,
    /// The clock's reading, in milliseconds.
    at: u64,
    /// What was done.
    call: String,
    /// What differs.
    what: &'static str,
    recorded: String,
    replayed: String,
}

/// Carries `softkey replay` out: [`Exit::Failed`] if something differs.
///
/// # Errors
///
/// [`Exit::BadInput`] if the file is no recording, is damaged, or has nothing to run again from.
pub fn run(args: &ReplayArgs, output: &mut Output) -> Result<Exit, CliError> {
    let name = args.file.display().to_string();
    let text = fs::read_to_string(&args.file).map_err(|error| {
        let what = format!("The recording {name} cannot be read: {error}.");
        CliError::new(Exit::BadInput, what, "softkey run --seed N --record FILE makes one")
    })?;
    let whole = text.ends_with('\n');
    let mut lines = text.lines();
    let header = Header::parse(&name, lines.next().unwrap_or_default())?;
    if header.version != env!("CARGO_PKG_VERSION") {
        output.note(format!("note: recorded by softkey {}", header.version));
    }
    let mut replay = Replay { power_up: header.power_up(&name)?, engine: None, last: 0 };
    let (mut calls, mut requests) = (0, 0);
    let entries: Vec<&str> = lines.collect();
    for (index, line) in entries.iter().enumerate() {
        // The header is line 1.
        let number = index + 2;
        let Ok(entry) = serde_json::from_str::<Entry>(line) else {
            if index + 1 == entries.len() && !whole {
                output
                    .note(format!("note: line {number} is cut off; what stands before it was run"));
                break;
            }
            return Err(damaged(&name, number));
        };
        let outcome = replay.perform(&entry).ok_or_else(|| damaged(&name, number))??;
        if let Some(difference) = difference(number, &entry, &outcome) {
            output.record(&Finding::Different(Box::new(difference)))?;
            return Ok(Exit::Failed);
        }
        calls += 1;
        requests += usize::from(entry.call.is_request());
    }
    output.record(&Finding::Same { same: true, calls, requests })?;
    Ok(Exit::Success)
}

/// The key that is run again.
struct Replay {
    power_up: PowerUp,
    engine: Option<Box<dyn Engine>>,
    last: u64,
}

impl Replay {
    /// Does what the line says, and gives what came of it; nothing if a line cannot stand here.
    fn perform(&mut self, entry: &Entry) -> Option<Result<Outcome, CliError>> {
        if entry.at < self.last {
            return None;
        }
        self.last = entry.at;
        let now = Instant::from_millis(entry.at);
        if let Call::PowerUp = entry.call {
            self.engine = None;
            return Some((self.power_up)(now).map(|engine| {
                self.engine = Some(engine);
                Outcome::default()
            }));
        }
        let engine = self.engine.as_mut()?.as_mut();
        Some(Ok(call(engine, now, &entry.call)?))
    }
}

fn call(engine: &mut dyn Engine, now: Instant, call: &Call) -> Option<Outcome> {
    let via = |session: u64| Via { transport: Transport::Usb, session: Session(session) };
    let step = match call {
        Call::PowerUp => return None,
        Call::Faults { on } => {
            let signed = |text: &String| text.parse::<Spec>().ok()?.signed();
            engine.set_faults(&on.iter().map(signed).collect::<Option<Vec<_>>>()?);
            return Some(Outcome::default());
        }
        Call::Begin { session, request } => {
            Some(engine.begin(now, via(*session), &request.bytes()?))
        }
        Call::BeginU2f { session, request } => {
            let reply = engine.begin_u2f(now, via(*session), &request.bytes()?);
            return Some(Outcome::of_u2f(engine, &reply, true));
        }
        Call::Decide { ask, answer } => engine.resume(now, answer.decision(*ask)),
        Call::Cancel { session } => engine.cancel(via(*session)),
        Call::SessionEnded { session } => {
            engine.session_ended(Session(*session));
            None
        }
        Call::Timeout => engine.handle_timeout(now),
        Call::BlockVerification => {
            engine.block_user_verification();
            None
        }
        Call::Sweep => return Some(Outcome::of_sweep(engine.sweep())),
    };
    Some(Outcome::of(engine, step.as_ref(), true))
}

/// The first thing that differs between what was recorded and what came of it now.
fn difference(line: usize, entry: &Entry, now: &Outcome) -> Option<Difference> {
    let then = &entry.outcome;
    let text = |value: Option<String>| value.unwrap_or_else(|| "nothing".to_owned());
    let hex = |outcome: &Outcome| text(outcome.reply.as_ref().map(ToString::to_string));
    let open = |outcome: &Outcome| text(outcome.open.as_ref().map(ToString::to_string));
    let refusal = |outcome: &Outcome| text(outcome.refusal.clone());
    let swept = |outcome: &Outcome| text(outcome.swept.map(|done| done.to_string()));
    let (what, recorded, replayed) = if then.refusal != now.refusal {
        ("reason", refusal(then), refusal(now))
    } else if then.reply != now.reply {
        ("answer", hex(then), hex(now))
    } else if then.open != now.open {
        ("question", open(then), open(now))
    } else if then.swept != now.swept {
        ("housekeeping", swept(then), swept(now))
    } else {
        return None;
    };
    let (at, call) = (entry.at, entry.call.to_string());
    Some(Difference { same: false, line, at, call, what, recorded, replayed })
}

impl Header {
    /// The key, without power.
    fn power_up(&self, name: &str) -> Result<PowerUp, CliError> {
        let Some(seed) = self.seed else {
            return Err(CliError::new(
                Exit::BadInput,
                format!(
                    "{name} was recorded without --seed, so there is nothing to run it again from."
                ),
                "record a key that is run with --ephemeral and --seed",
            ));
        };
        memory::in_memory(Entropy::seeded(seed), self.config(name)?)
    }
}

fn damaged(name: &str, line: usize) -> CliError {
    CliError::new(
        Exit::BadInput,
        format!("Line {line} of {name} is not what softkey run --record writes."),
        "give the file as it was recorded",
    )
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PowerUp => f.write_str("power up"),
            Self::Begin { request, .. } => {
                let code = request.first().unwrap_or_default();
                match Command(code).name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, "CTAP2 command {code:#04x}"),
                }
            }
            Self::BeginU2f { .. } => f.write_str("a U2F message"),
            Self::Decide { ask, .. } => write!(f, "the answer to question {ask}"),
            Self::Cancel { .. } => f.write_str("CANCEL"),
            Self::SessionEnded { .. } => f.write_str("the end of a session"),
            Self::Timeout => f.write_str("a deadline"),
            Self::BlockVerification => f.write_str("the sensor's lock"),
            Self::Sweep => f.write_str("housekeeping"),
            Self::Faults { .. } => f.write_str("faults"),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same { calls, requests, .. } => {
                write!(f, "the same: {requests} requests, in {calls} steps")
            }
            Self::Different(it) => {
                let Difference { line, at, call, what, recorded, replayed, .. } = it.as_ref();
                let same = recorded.bytes().zip(replayed.bytes()).take_while(|(a, b)| a == b);
                let byte = same.count() / 2;
                writeln!(f, "different in line {line}, at {at} ms: {call}")?;
                if *what == "answer" {
                    writeln!(f, "  the {what} differs from byte {byte} on")?;
                }
                writeln!(f, "  {what}, recorded: {recorded}")?;
                write!(f, "  {what}, now:      {replayed}")
            }
        }
    }
}
