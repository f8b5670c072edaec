//! The form of a recording: JSON lines. The first says what the key was, each other one what was done with it and what
//! came of that, with the clock's reading.

use std::fmt;

use serde::{Deserialize, Serialize};
use softkey_authenticator::{Answer, AskId, Config, Decision, Finger, Sample, Step};
use softkey_ctap::bio_enrollment::SampleStatus;

use crate::args::{RunArgs, Verifier};
use crate::decode::node::hex;
use crate::error::{CliError, Exit};
use crate::profile::Profile;
use crate::run::algorithms;
use crate::run::event::Asked;
use crate::run::memory::Setup;
use crate::run::worker::Engine;

/// The version of this form.
const FORMAT: u32 = 1;

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    softkey_recording: u32,
    /// Of the program that recorded.
    pub(crate) version: String,
    /// What all randomness was drawn from, if from a number.
    pub(crate) seed: Option<u64>,
    /// Its name.
    pub(crate) profile: String,
    /// Its text; empty without a seed.
    profile_toml: String,
    /// How the key verified its user by itself.
    pub(crate) uv: String,
    algorithms: Option<Vec<i64>>,
    over_uhid: bool,
    /// Did its clock stand still between the owner's orders?
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub(crate) virtual_clock: bool,
    /// Are messages whole, or only what tells what they are?
    pub(crate) bodies: bool,
}

impl Header {
    /// Of a key that is set up so. Messages are kept whole if that is asked for, or if they follow from a seed.
    #[must_use]
    pub fn new(setup: &Setup<'_>, args: &RunArgs) -> Self {
        let (seed, bodies) = (args.seed, args.record_secrets);
        let listed = setup.algorithms.map(|list| list.listed().iter().map(|it| it.id()).collect());
        Self {
            softkey_recording: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed,
            profile: setup.profile.name.clone(),
            // It may name relying parties, and serves only to run the session again.
            profile_toml: seed.map_or_else(String::new, |_| setup.profile.text.clone()),
            uv: uv_name(setup.uv).to_owned(),
            algorithms: listed,
            over_uhid: setup.over_uhid,
            virtual_clock: args.virtual_clock,
            bodies: bodies || seed.is_some(),
        }
    }

    /// Reads the first line of the file of this name.
    pub(crate) fn parse(name: &str, line: &str) -> Result<Self, CliError> {
        let foreign = || {
            let what = format!("{name} is no recording of softkey run.");
            CliError::new(Exit::BadInput, what, "softkey run --seed N --record FILE makes one")
        };
        let value: serde_json::Value = serde_json::from_str(line).map_err(|_| foreign())?;
        let format = value.get("softkey_recording").and_then(serde_json::Value::as_u64);
        if format.ok_or_else(foreign)? != u64::from(FORMAT) {
            let what =
                format!("{name} was recorded by another version of softkey, in another form.");
            return Err(CliError::new(Exit::BadInput, what, "use the softkey that recorded it"));
        }
        serde_json::from_value(value).map_err(|_| foreign())
    }

    /// How the key was set up.
    pub(super) fn config(&self, name: &str) -> Result<Config, CliError> {
        let profile = Profile::parse(&self.profile, &self.profile_toml)?;
        let uv = [Verifier::None, Verifier::Simulated, Verifier::Fingerprint];
        let uv = uv.into_iter().find(|it| uv_name(*it) == self.uv);
        let algorithms = self.algorithms.as_ref().map(|listed| {
            let listed: Vec<_> = listed.iter().map(ToString::to_string).collect();
            algorithms::parse(&listed.join(",")).ok()
        });
        let (Some(uv), None | Some(Some(_))) = (uv, &algorithms) else {
            let what = format!("The first line of {name} names what this softkey does not have.");
            return Err(CliError::new(Exit::BadInput, what, "use the softkey that recorded it"));
        };
        let algorithms = algorithms.flatten();
        let setup = Setup {
            profile: &profile,
            uv,
            algorithms: algorithms.as_ref(),
            attester: None,
            over_uhid: self.over_uhid,
        };
        Ok(setup.config())
    }
}

const fn uv_name(verifier: Verifier) -> &'static str {
    match verifier {
        Verifier::None => "none",
        Verifier::Simulated => "simulated",
        Verifier::Fingerprint => "fingerprint",
    }
}

/// A later line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The clock's reading, in milliseconds.
    pub at: u64,
    /// What was done.
    #[serde(flatten)]
    pub call: Call,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What is done with an authenticator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is a method of Engine, and its arguments")]
pub enum Call {
    PowerUp,
    Begin {
        session: u64,
        request: Message,
    },
    BeginU2f {
        session: u64,
        request: Message,
    },
    Decide {
        ask: u64,
        answer: Said,
    },
    Cancel {
        session: u64,
    },
    SessionEnded {
        session: u64,
    },
    Timeout,
    BlockVerification,
    Sweep,
    /// From here on the authenticator misbehaves in these ways, as `softkey faults` writes them, and in no others.
    /// Faults that act on an answer or on its packets are none of an authenticator's calls.
    Faults {
        on: Vec<String>,
    },
}

impl Call {
    /// Is it a request of a client?
    pub(super) const fn is_request(&self) -> bool {
        matches!(self, Self::Begin { .. } | Self::BeginU2f { .. })
    }
}

/// The user's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is an Answer")]
pub enum Said {
    Yes,
    No,
    Verified { shows_presence: bool },
    NotVerified,
    Finger(u64),
    BadSample(u64),
}

impl Said {
    /// The form of an answer; nothing for one that is not known here.
    #[must_use]
    pub const fn of(answer: Answer) -> Option<Self> {
        Some(match answer {
            Answer::Yes => Self::Yes,
            Answer::No => Self::No,
            Answer::Verified { shows_presence } => Self::Verified { shows_presence },
            Answer::NotVerified => Self::NotVerified,
            Answer::Sample(Sample::Good(Finger(number))) => Self::Finger(number),
            Answer::Sample(Sample::Bad(SampleStatus(status))) => Self::BadSample(status),
            _ => return None,
        })
    }

    pub(super) const fn decision(&self, ask: u64) -> Decision {
        let answer = match *self {
            Self::Yes => Answer::Yes,
            Self::No => Answer::No,
            Self::Verified { shows_presence } => Answer::Verified { shows_presence },
            Self::NotVerified => Answer::NotVerified,
            Self::Finger(number) => Answer::Sample(Sample::Good(Finger(number))),
            Self::BadSample(status) => Answer::Sample(Sample::Bad(SampleStatus(status))),
        };
        Decision { ask: AskId(ask), answer }
    }
}

/// A message: whole in hexadecimal, or only the bytes that tell what it is, and how long it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    hex: String,
    /// Absent if it is whole.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    cut_from: Option<usize>,
}

impl Message {
    /// The whole message, or `part` of it.
    pub(crate) fn new(bytes: &[u8], part: &[u8], whole: bool) -> Self {
        let shown = if whole { bytes } else { part };
        Self { hex: hex(shown), cut_from: (!whole).then_some(bytes.len()) }
    }

    /// A CTAP2 request or answer: its first byte is the command or the status.
    pub(crate) fn ctap2(bytes: &[u8], whole: bool) -> Self {
        Self::new(bytes, bytes.get(..1).unwrap_or_default(), whole)
    }

    /// A U2F request: class and instruction stand first.
    pub(crate) fn apdu(bytes: &[u8], whole: bool) -> Self {
        Self::new(bytes, bytes.get(..2).unwrap_or_default(), whole)
    }

    /// A U2F answer: the status word stands last.
    pub(crate) fn u2f(bytes: &[u8], whole: bool) -> Self {
        let word = bytes.last_chunk::<2>().map_or(&[][..], |word| word);
        Self::new(bytes, word, whole)
    }

    /// The bytes, if it is whole.
    pub(super) fn bytes(&self) -> Option<Vec<u8>> {
        if self.cut_from.is_none() { self.shown() } else { None }
    }

    /// How long it was, if it is not whole.
    pub(crate) const fn cut_from(&self) -> Option<usize> {
        self.cut_from
    }

    /// What is there of it; nothing if that is not hexadecimal.
    pub(crate) fn shown(&self) -> Option<Vec<u8>> {
        if !self.hex.is_ascii() || !self.hex.len().is_multiple_of(2) {
            return None;
        }
        let digits = |at: usize| self.hex.get(at..at.checked_add(2)?);
        let byte = |at| u8::from_str_radix(digits(at)?, 16).ok();
        (0..self.hex.len()).step_by(2).map(byte).collect()
    }

    /// The first byte of what is there.
    pub(crate) fn first(&self) -> Option<u8> {
        u8::from_str_radix(self.hex.get(..2)?, 16).ok()
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex)
    }
}

/// What came of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The whole answer, if the request is finished.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) reply: Option<Message>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) refusal: Option<String>,
    /// The question that is open now.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) open: Option<Open>,
    /// Is there no housekeeping left?
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) swept: Option<bool>,
}

/// An open question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// Its number.
    pub(crate) ask: u64,
    /// What the user is to do.
    pub(crate) asks: String,
    /// What the client wants to do.
    pub(crate) operation: String,
    /// For which relying party.
    pub(crate) rp: Option<String>,
    /// For which account.
    pub(crate) account: Option<String>,
    /// Will the relying party tell this key from all others?
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub(crate) recognisable: bool,
    /// When it is withdrawn, in milliseconds.
    pub(crate) deadline: u64,
}

impl fmt::Display for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} to {}, until {} ms", self.ask, self.asks, self.operation, self.deadline)?;
        let texts = self.rp.iter().chain(&self.account);
        texts.map(|text| crate::text::quoted(text)).try_for_each(|text| write!(f, " {text}"))
    }
}

impl Outcome {
    /// Of a CTAP2 step, and what is open after it.
    pub(crate) fn of(engine: &dyn Engine, step: Option<&Step>, whole: bool) -> Self {
        let reply = match step {
            Some(Step::Reply(bytes)) => Some(Message::ctap2(bytes, whole)),
            _ => None,
        };
        let refusal = reply.as_ref().and_then(|_| engine.refusal());
        Self {
            refusal: refusal.map(|refusal| format!("{refusal:?}")),
            reply,
            open: open(engine, whole),
            swept: None,
        }
    }

    /// Of a piece of housekeeping: is none left?
    pub(crate) fn of_sweep(swept: bool) -> Self {
        Self { swept: Some(swept), ..Self::default() }
    }

    /// Of a U2F message.
    pub(crate) fn of_u2f(engine: &dyn Engine, reply: &[u8], whole: bool) -> Self {
        let reply = Some(Message::u2f(reply, whole));
        Self { reply, open: open(engine, whole), ..Self::default() }
    }
}

/// The open question; who asks is told only if messages are kept whole.
fn open(engine: &dyn Engine, whole: bool) -> Option<Open> {
    let ask = engine.asking()?;
    let Asked { asks, operation, rp, account, recognisable } = Asked::of(ask);
    Some(Open {
        ask: ask.id.0,
        asks: asks.to_owned(),
        operation: operation.to_owned(),
        rp: rp.filter(|_| whole),
        account: account.filter(|_| whole),
        recognisable,
        deadline: ask.deadline.as_millis(),
    })
}
