//! What was sent to providers and what became of it: what browsers hide.

use std::collections::VecDeque;
use std::fmt;

use super::{Endpoint, Fault};
use crate::fetch::FetchRequest;

/// How many entries are kept.
const ROOM: usize = 256;

/// One request and its end. The values of cookies are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// What was asked.
    pub endpoint: Endpoint,
    /// What was sent, with its headers and its form.
    pub request: FetchRequest,
    /// The status of the answer, if one came.
    pub status: Option<u16>,
    /// The rule that refused the answer, if one did.
    pub fault: Option<Fault>,
}

impl fmt::Display for LogEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, request, status, fault } = self;
        write!(f, "{endpoint}: {} {}", request.method.as_str(), request.url)?;
        for (name, value) in &request.headers {
            write!(f, "\n  {name}: {value}")?;
        }
        if !request.body.is_empty() {
            write!(f, "\n  {}", String::from_utf8_lossy(&request.body))?;
        }
        if let Some(status) = status {
            write!(f, "\n  answered with {status}")?;
        }
        match fault {
            Some(fault) => write!(f, "\n  refused: {fault}"),
            None => f.write_str("\n  accepted"),
        }
    }
}

/// The last requests of a profile, the oldest first.
#[derive(Default)]
pub(crate) struct Log(VecDeque<LogEntry>);

impl Log {
    pub(super) fn note(&mut self, mut entry: LogEntry) {
        for (name, value) in &mut entry.request.headers {
            if name == "Cookie" {
                *value = without_values(value);
            }
        }
        self.0.push_back(entry);
        if self.0.len() > ROOM {
            self.0.pop_front();
        }
    }

    pub(super) fn take(&mut self) -> Vec<LogEntry> {
        self.0.drain(..).collect()
    }
}

/// The names of the cookies alone.
fn without_values(header: &str) -> String {
    let name = |pair: &str| format!("{}=...", pair.split('=').next().unwrap_or_default());
    header.split("; ").map(name).collect::<Vec<_>>().join("; ")
}
