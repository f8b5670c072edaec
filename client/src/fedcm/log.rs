//! What was sent to providers and what became of it: what browsers hide.

use std::collections::VecDeque;
use std::fmt;

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

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

/// `{"endpoint", "method", "url", "headers": [{"name", "value"}], "body", "status", "fault", "refused"}`: the same as in
/// the readable form. `fault` is the rule by its name, with what belongs to it, and `refused` the same in words; both are
/// `null` if the answer was accepted.
impl Serialize for LogEntry {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Header<'a> {
            name: &'a str,
            value: &'a str,
        }
        let Self { endpoint, request, status, fault } = self;
        let headers = request.headers.iter().map(|(name, value)| Header { name, value });
        let mut object = to.serialize_struct("LogEntry", 8)?;
        object.serialize_field("endpoint", endpoint)?;
        object.serialize_field("method", request.method.as_str())?;
        object.serialize_field("url", &request.url)?;
        object.serialize_field("headers", &headers.collect::<Vec<_>>())?;
        object.serialize_field("body", &String::from_utf8_lossy(&request.body))?;
        object.serialize_field("status", status)?;
        object.serialize_field("fault", fault)?;
        object.serialize_field("refused", &fault.as_ref().map(ToString::to_string))?;
        object.end()
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
