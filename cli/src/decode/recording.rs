//! Recordings of `softkey run --record`: what was done with a key and what came of it, line by line, each message
//! explained.

use softkey_ctap::{Command, StatusCode, bio_enrollment::SampleStatus};

use super::node::{Explained, Node};
use super::{message, u2f, u2f_command, u2f_status};
use crate::error::CliError;
use crate::replay::transcript::{Call, Entry, Header, Message, Open, Outcome, Said};

/// Is the input a recording? It is one if its first line says so, in whatever form.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let value: Option<serde_json::Value> = serde_json::from_slice(line).ok();
    value.is_some_and(|value| value.get("softkey_recording").is_some())
}

/// Explains a recording.
///
/// # Errors
///
/// If the first line is not that of a recording in the form that is known here. A later line that makes no sense is
/// shown as it stands.
pub(super) fn explain(bytes: &[u8]) -> Result<Explained, CliError> {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines();
    let header = Header::parse("The input", lines.next().unwrap_or_default())?;
    let mut session = Session::default();
    let mut calls = Vec::new();
    let mut remarks = Vec::new();
    // The header is line 1.
    for (number, line) in (2_u32..).zip(lines) {
        match serde_json::from_str::<Entry>(line) {
            Ok(entry) => calls.push(session.call(number, &entry)),
            Err(_) => remarks.push(format!("line {number} is cut off, or is none of a recording")),
        }
    }
    let title = format!("recording of softkey {}, {} calls", header.version, calls.len());
    let value = Node::map([("key", key(&header)), ("calls", Node::List(calls))]);
    Ok(Explained { remarks, ..Explained::new("recording", title, value) })
}

/// What the key was.
fn key(header: &Header) -> Node {
    let mut members = vec![("profile".into(), Node::text(&header.profile))];
    if let Some(seed) = header.seed {
        members.push(("seed".into(), Node::Int(seed.into())));
    }
    if header.virtual_clock {
        members.push(("clock".into(), Node::text("virtual")));
    }
    members.push(("uv".into(), Node::text(&header.uv)));
    let messages = if header.bodies { "whole" } else { "what they are, and how long" };
    members.push(("messages".into(), Node::text(messages)));
    Node::Map(members)
}

/// What later lines are understood by.
#[derive(Default)]
struct Session {
    /// The command that waits for the user.
    waiting: Option<Command>,
    /// The number of the question that was shown last.
    shown: Option<u64>,
}

impl Session {
    fn call(&mut self, line: u32, entry: &Entry) -> Node {
        let mut members = vec![
            ("line".into(), Node::Int(line.into())),
            ("at".into(), Node::Int(entry.at.into()).means("ms")),
            ("call".into(), Node::Text(entry.call.to_string())),
        ];
        let mut add = |name: &str, node: Node| members.push((name.into(), node));
        let mut answering = self.waiting;
        match &entry.call {
            Call::Begin { session, request } => {
                add("session", Node::Int((*session).into()));
                add("request", self::request(request));
                answering = request.first().map(Command);
            }
            Call::BeginU2f { session, request } => {
                add("session", Node::Int((*session).into()));
                add("request", apdu(request));
            }
            Call::Decide { answer, .. } => add("answer", said(answer)),
            Call::Cancel { session } | Call::SessionEnded { session } => {
                add("session", Node::Int((*session).into()));
            }
            Call::Faults { on } => {
                add("on", Node::List(on.iter().map(|fault| Node::text(fault)).collect()));
            }
            Call::PowerUp | Call::Timeout | Call::BlockVerification | Call::Sweep => {}
        }
        let Outcome { reply, refusal, open, swept } = &entry.outcome;
        if let Some(reply) = reply {
            let is_u2f = matches!(entry.call, Call::BeginU2f { .. });
            add("response", if is_u2f { word(reply) } else { response(reply, answering) });
        }
        if let Some(refusal) = refusal {
            add("refusal", Node::text(refusal));
        }
        if let Some(swept) = swept {
            add("swept", Node::Bool(*swept));
        }
        // A question stands in every line as long as it is open.
        if let Some(open) = open.as_ref().filter(|open| self.shown != Some(open.ask)) {
            add("question", question(open));
        }
        self.follow(entry, answering);
        Node::Map(members)
    }

    /// What waits after this line. Another request meanwhile is answered at once.
    fn follow(&mut self, entry: &Entry, answering: Option<Command>) {
        let Outcome { reply, open, .. } = &entry.outcome;
        self.shown = open.as_ref().map(|open| open.ask);
        self.waiting = match &entry.call {
            Call::Begin { .. } if reply.is_some() => self.waiting,
            Call::Begin { .. } => answering,
            Call::BeginU2f { .. } => self.waiting,
            _ if reply.is_some() || open.is_none() => None,
            _ => self.waiting,
        };
    }
}

/// A question to the user.
fn question(open: &Open) -> Node {
    let mut members = vec![
        ("number".into(), Node::Int(open.ask.into())),
        ("asks".into(), Node::text(&open.asks)),
        ("operation".into(), Node::text(&open.operation)),
    ];
    members.extend(open.rp.as_ref().map(|rp| ("rp".into(), Node::text(rp))));
    members.extend(open.account.as_ref().map(|name| ("account".into(), Node::text(name))));
    if open.recognisable {
        members.push(("recognisable".into(), Node::Bool(true)));
    }
    members.push(("until".into(), Node::Int(open.deadline.into()).means("ms")));
    Node::Map(members)
}

/// What the user answered.
fn said(answer: &Said) -> Node {
    match answer {
        Said::Yes => Node::text("yes"),
        Said::No => Node::text("no"),
        Said::Verified { shows_presence: true } => Node::text("verified, which shows presence"),
        Said::Verified { shows_presence: false } => Node::text("verified"),
        Said::NotVerified => Node::text("not verified"),
        Said::Finger(number) => Node::Text(format!("finger {number}")),
        Said::BadSample(status) => {
            Node::Text(format!("a bad sample: {}", SampleStatus(*status).meaning()))
        }
    }
}

/// A message, explained if it is whole. Of one that was cut no more was written down than tells what it is.
fn explained(
    message: &Message,
    whole: impl FnOnce(&[u8]) -> Option<Explained>,
    what: impl FnOnce(&[u8]) -> Option<String>,
) -> Node {
    let Some(shown) = message.shown() else { return Node::Text(message.to_string()) };
    if let Some(from) = message.cut_from().filter(|from| *from > shown.len()) {
        let what = what(&shown).unwrap_or_else(|| "unknown".to_owned());
        return Node::Bytes(shown)
            .means(format!("{what}; of its {from} bytes no more was recorded"));
    }
    whole(&shown).map_or_else(|| Node::Bytes(shown), Explained::into_node)
}

fn request(message: &Message) -> Node {
    explained(message, message::request, |shown| {
        let name = shown.first().and_then(|code| Command(*code).name())?;
        Some(format!("{name} request"))
    })
}

fn response(message: &Message, answering: Option<Command>) -> Node {
    let whole = |bytes: &[u8]| message::response(bytes, answering);
    explained(message, whole, |shown| shown.first().map(|code| StatusCode(*code).to_string()))
}

fn apdu(message: &Message) -> Node {
    explained(message, u2f::command, |shown| Some(format!("{} command", u2f_command(shown)?)))
}

fn word(message: &Message) -> Node {
    explained(message, u2f::response, |shown| u2f_status(shown).map(str::to_owned))
}
