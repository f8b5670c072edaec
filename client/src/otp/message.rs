//! The format of origin-bound one-time codes: the last line of a message.

use std::fmt;

use crate::secret_text::SecretText;
use crate::suffix::ascii_domain;

/// What a message says in its last line. `Debug` leaves the code out.
#[derive(Clone, PartialEq, Eq)]
pub struct BoundCode {
    /// The host of the top-level origin, as it was written.
    pub top_host: String,
    /// The host of the frame, as it was written, if there is one.
    pub embedded_host: Option<String>,
    /// The code.
    pub code: SecretText,
}

impl BoundCode {
    /// Parses a message; nothing if it is not of the format.
    #[must_use]
    pub fn parse(message: &str) -> Option<Self> {
        Self::parse_line(last_line(message))
    }

    /// Parses a line of its own.
    pub(super) fn parse_line(line: &str) -> Option<Self> {
        let (top_host, rest) = token(line.strip_prefix('@')?)?;
        let (code, rest) = token(rest.strip_prefix(" #")?)?;
        let embedded = rest.strip_prefix(" @").and_then(token).map(|(host, _)| host.to_owned());
        Some(Self {
            top_host: top_host.to_owned(),
            embedded_host: embedded,
            code: SecretText::new(code),
        })
    }

    /// The origins that the hosts stand for, `https` at its own port; nothing if a host is no domain, or has a port.
    #[must_use]
    pub fn origins(&self) -> Option<(String, Option<String>)> {
        let origin = |host: &str| Some(format!("https://{}", ascii_domain(host)?));
        let embedded = match &self.embedded_host {
            Some(host) => Some(origin(host)?),
            None => None,
        };
        Some((origin(&self.top_host)?, embedded))
    }

    /// The message that a server sends: a text for people, an empty line, and the line for programs.
    #[must_use]
    pub fn compose(&self, text: &str) -> String {
        let embedded = self.embedded_host.as_ref().map(|host| format!(" @{host}"));
        let (host, code) = (&self.top_host, self.code.expose());
        format!("{text}\n\n@{host} #{code}{}", embedded.unwrap_or_default())
    }
}

impl fmt::Debug for BoundCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundCode")
            .field("top_host", &self.top_host)
            .field("embedded_host", &self.embedded_host)
            .finish_non_exhaustive()
    }
}

/// What stands behind the last CR or LF.
pub(super) fn last_line(message: &str) -> &str {
    message.rsplit(['\n', '\r']).next().unwrap_or(message)
}

/// Everything up to ASCII white space, if there is something, and the rest.
fn token(text: &str) -> Option<(&str, &str)> {
    let end = text.find(['\t', '\n', '\u{c}', '\r', ' ']).unwrap_or(text.len());
    text.split_at_checked(end).filter(|(token, _)| !token.is_empty())
}
