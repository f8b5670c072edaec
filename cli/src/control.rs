//! The language of the control socket, and `softkey control`, which speaks it.
//!
//! A connection carries lines of text. The client sends an order, the key answers with one line before the
//! next order is looked at:
//!
//! ```text
//! approve ask|auto|deny|hold    ok
//! touch                         ok, or an error unless a presence question is open
//! touch long                    the same for 5 seconds, as a reset may want it
//! uv ok|fail|lock               ok, or an error unless the key has a simulated sensor
//! finger 1|2|...|too-high|...   ok, or an error unless that sensor is for fingerprints
//! fault on NAME[=ARG][@N]       ok; a fault of the same name that is on already ends
//! fault off [NAME]              ok, or an error if the fault is not on
//! fault list                    ok and one JSON object ([`FaultsOn`])
//! replug                        ok, once the key is plugged in again
//! advance 500ms|30s|10m|1h      ok, once that time has passed for the key, or an error unless its clock is virtual
//! status                        ok and one JSON object ([`Status`])
//! stop                          ok; then the key is unplugged and the process ends
//! ```
//!
//! An answer is `ok`, `ok` with a JSON object behind a space, or `error` with what happened and what to try,
//! divided by a tab. Lines are at most [`MAX_LINE`] bytes long.

mod client;
mod span;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use client::{perform, send};
pub use span::Span;

use crate::faults::Spec;
use crate::run::Mode;
use crate::run::approval::Touch;
use crate::run::sensor::{Finds, Touched};

/// The longest order, in bytes, its line feed included.
pub const MAX_LINE: usize = 256;

/// What a running key can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Change who answers.
    Approve(Mode),
    /// Answer the open presence question with yes, if such a touch does.
    Touch(Touch),
    /// Let the simulated sensor find this from now on.
    Verify(Finds),
    /// Put this finger on the simulated fingerprint sensor, or one that the sensor cannot read.
    Finger(Touched),
    /// Misbehave so from now on.
    FaultOn(Spec),
    /// Do not misbehave so any more, or in no way.
    FaultOff(Option<String>),
    /// Name the faults that are on.
    FaultList,
    /// Unplug the key and plug it in again.
    Replug,
    /// Let this time pass for a key with a virtual clock.
    Advance(Span),
    /// Say what the key is doing.
    Status,
    /// Unplug the key and end.
    Stop,
}

/// The orders as they are written, but for those with an argument of their own.
const ORDERS: [(&str, Order); 14] = [
    ("approve ask", Order::Approve(Mode::Ask)),
    ("approve auto", Order::Approve(Mode::Auto)),
    ("approve deny", Order::Approve(Mode::Deny)),
    ("approve hold", Order::Approve(Mode::Hold)),
    ("touch", Order::Touch(Touch::Short)),
    ("touch long", Order::Touch(Touch::Long)),
    ("uv ok", Order::Verify(Finds::Ok)),
    ("uv fail", Order::Verify(Finds::Fail)),
    ("uv lock", Order::Verify(Finds::Lock)),
    ("fault off", Order::FaultOff(None)),
    ("fault list", Order::FaultList),
    ("replug", Order::Replug),
    ("status", Order::Status),
    ("stop", Order::Stop),
];

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finger(touched) => return write!(f, "finger {touched}"),
            Self::Advance(span) => return write!(f, "advance {span}"),
            Self::FaultOn(spec) => return write!(f, "fault on {spec}"),
            Self::FaultOff(Some(name)) => return write!(f, "fault off {name}"),
            _ => {}
        }
        let written = ORDERS.iter().find(|(_, order)| order == self);
        f.write_str(written.map_or("", |(written, _)| written))
    }
}

/// No order is written so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownOrder;

impl FromStr for Order {
    type Err = UnknownOrder;

    /// Reads an order; any white space may divide its words.
    fn from_str(line: &str) -> Result<Self, UnknownOrder> {
        if let Some(fault) = behind(line, ["fault", "on"]) {
            return fault.parse().map(Self::FaultOn).map_err(|_| UnknownOrder);
        }
        if let Some(name) = behind(line, ["fault", "off"]) {
            return Ok(Self::FaultOff(Some(name.to_owned())));
        }
        let mut words = line.split_ascii_whitespace();
        let (first, second) = (words.next().unwrap_or_default(), words.next());
        let written = second.map_or_else(|| first.to_owned(), |second| format!("{first} {second}"));
        if words.next().is_some() {
            return Err(UnknownOrder);
        }
        let order = match (first, second) {
            ("finger", Some(finger)) => finger.parse().ok().map(Self::Finger),
            ("advance", Some(span)) => span.parse().ok().map(Self::Advance),
            _ => ORDERS.iter().find(|(known, _)| *known == written).map(|(_, order)| order.clone()),
        };
        order.ok_or(UnknownOrder)
    }
}

/// What stands behind these words, white space within it and all.
fn behind<'l>(line: &'l str, words: [&str; 2]) -> Option<&'l str> {
    words.into_iter().try_fold(line.trim_ascii(), |line, word| {
        let rest = line.strip_prefix(word)?;
        rest.starts_with(|letter: char| letter.is_ascii_whitespace())
            .then(|| rest.trim_ascii_start())
    })
}

/// What the key answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// Done.
    Done,
    /// What the key is doing.
    Status(Box<Status>),
    /// The faults that are on.
    Faults(FaultsOn),
    /// Not done.
    Error {
        /// What happened.
        what: String,
        /// What to try.
        try_this: String,
    },
}

impl Reply {
    /// An order that was not carried out.
    pub fn error(what: impl Into<String>, try_this: impl Into<String>) -> Self {
        Self::Error { what: what.into(), try_this: try_this.into() }
    }

    /// The answer's line, without its line feed.
    #[must_use]
    pub fn to_line(&self) -> String {
        match self {
            Self::Done => "ok".to_owned(),
            Self::Status(status) => {
                format!("ok {}", crate::text::json_line(status).unwrap_or_default())
            }
            Self::Faults(faults) => {
                format!("ok {}", crate::text::json_line(faults).unwrap_or_default())
            }
            Self::Error { what, try_this } => format!("error {what}\t{try_this}"),
        }
    }

    /// Reads an answer's line; nothing if it is of another form.
    #[must_use]
    pub fn from_line(line: &str) -> Option<Self> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match (word, rest) {
            ("ok", "") => Some(Self::Done),
            ("ok", json) => {
                let status = serde_json::from_str(json).ok().map(Box::new).map(Self::Status);
                status.or_else(|| serde_json::from_str(json).ok().map(Self::Faults))
            }
            ("error", rest) => {
                let (what, try_this) = rest.split_once('\t').unwrap_or((rest, ""));
                Some(Self::error(what, try_this))
            }
            _ => None,
        }
    }
}

/// The faults that are on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultsOn {
    /// Each as it was switched on.
    pub faults: Vec<String>,
}

impl fmt::Display for FaultsOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.faults.is_empty() {
            return f.write_str("no fault is on");
        }
        f.write_str(&self.faults.join("\n"))
    }
}

/// What a key is doing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Where the key is shown, such as `udp 127.0.0.1:8111`.
    pub devices: Vec<String>,
    /// The mode of approval: `ask`, `auto`, `deny` or `hold`.
    pub approve: String,
    /// The simulated sensor: `ok`, `fail`, `lock`, or absent without one.
    pub uv: Option<String>,
    /// The finger that touches the simulated sensor; absent if it is not for fingerprints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finger: Option<u64>,
    /// The faults that are on.
    #[serde(default)]
    pub faults: Vec<String>,
    /// Is a request in work?
    pub working: bool,
    /// The open question.
    pub question: Option<OpenQuestion>,
    /// Times the key was plugged in, the first included.
    pub power_cycles: u64,
    /// Requests answered since the process began.
    pub requests: u64,
    /// Where its virtual clock stands, in milliseconds; absent if it goes by the machine's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_ms: Option<u64>,
}

/// A question that waits for an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenQuestion {
    /// `presence`, `long_presence`, `verification` or `sample`.
    pub asks: String,
    /// What the client wants to do, such as `register`.
    pub operation: String,
    /// The relying party, if one asks.
    pub rp: Option<String>,
    /// The account, if it is known.
    pub account: Option<String>,
    /// Will the relying party be able to tell this key from all others?
    #[serde(default)]
    pub recognisable: bool,
    /// Milliseconds until the question is withdrawn.
    pub left_ms: u64,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "shown on      {}", self.devices.join(", "))?;
        writeln!(f, "approve       {}", self.approve)?;
        if let Some(uv) = &self.uv {
            writeln!(f, "simulated uv  {uv}")?;
        }
        if let Some(finger) = self.finger {
            writeln!(f, "finger        {finger}")?;
        }
        if !self.faults.is_empty() {
            writeln!(f, "faults        {}", self.faults.join(", "))?;
        }
        writeln!(f, "requests      {}", self.requests)?;
        writeln!(f, "power cycles  {}", self.power_cycles)?;
        if let Some(clock) = self.clock_ms {
            writeln!(f, "clock         stands at {clock} ms")?;
        }
        match &self.question {
            Some(question) => write!(f, "waits for     {question}"),
            None if self.working => write!(f, "works on a request"),
            None => write!(f, "idle"),
        }
    }
}

impl fmt::Display for OpenQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.asks.replace('_', " "), self.operation)?;
        if let Some(rp) = &self.rp {
            write!(f, " for {}", crate::text::rp_id(rp))?;
        }
        if let Some(account) = &self.account {
            write!(f, " as {}", crate::text::quoted(account))?;
        }
        if self.recognisable {
            write!(f, ", which can tell this key from all others then")?;
        }
        write!(f, ", {} ms more", self.left_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_read_back() {
        for (written, order) in ORDERS {
            assert_eq!(order.to_string(), written);
            assert_eq!(written.parse(), Ok(order));
        }
        for written in [
            "fault on wrong-signature",
            "fault on delay=20@..3",
            "fault on status=credentialManagement (preview):2e@1",
            "fault off delay",
            "advance 30s",
        ] {
            assert_eq!(written.parse::<Order>().unwrap().to_string(), written);
        }
        assert_eq!("  approve\t hold ".parse(), Ok(Order::Approve(Mode::Hold)));
        for wrong in [
            "",
            "touch me",
            "approve",
            "approve auto now",
            "Touch",
            "uv block",
            "finger",
            "finger 0",
            "finger 1 2",
            "fault on no-such",
            "fault",
            "advance",
            "advance 0s",
            "advance 1s 1s",
        ] {
            assert_eq!(wrong.parse::<Order>(), Err(UnknownOrder), "{wrong:?}");
        }
        for finger in ["1", "10", "too-skewed"] {
            let order = Order::Finger(finger.parse().unwrap());
            assert_eq!(order.to_string(), format!("finger {finger}"));
            assert_eq!(order.to_string().parse(), Ok(order));
        }
        assert!(ORDERS.iter().all(|(written, _)| written.len() < MAX_LINE));
    }

    #[test]
    fn answers_read_back() {
        let status = Status {
            devices: vec!["udp 127.0.0.1:8111".into()],
            approve: "hold".into(),
            uv: None,
            finger: None,
            faults: vec!["delay=5@2".into()],
            working: true,
            question: Some(OpenQuestion {
                asks: "presence".into(),
                operation: "register".into(),
                rp: Some("example.com".into()),
                account: Some("a\n\u{9b}".into()),
                recognisable: true,
                left_ms: 29_000,
            }),
            power_cycles: 1,
            requests: 2,
            clock_ms: Some(30_000),
        };
        for reply in [
            Reply::Done,
            Reply::Status(Box::new(status)),
            Reply::error("No.", "touch it"),
            Reply::Faults(FaultsOn { faults: vec!["silence".into()] }),
        ] {
            let line = reply.to_line();
            assert!(!line.contains('\n'));
            assert_eq!(Reply::from_line(&line), Some(reply));
        }
        assert_eq!(Reply::from_line("okay"), None);
        assert_eq!(Reply::from_line("ok {}"), None);
    }
}
