//! How a command fails: what happened, what to try, and the exit code. Nothing else in the program decides
//! exit codes.

use std::fmt;
use std::io::{self, Write};

use serde_json::{Map, Value, json};

/// The exit codes of the program. Scripts depend on them.
///
/// | code | name | when |
/// |---|---|---|
/// | 0 | [`Exit::Success`] | done, or the reader of the output went away |
/// | 1 | [`Exit::Failed`] | the operation failed for another reason than those below |
/// | 2 | [`Exit::Usage`] | the arguments make no sense |
/// | 3 | [`Exit::BadInput`] | a file, standard input or an argument's value cannot be read |
/// | 4 | [`Exit::NoKey`] | no key was found, several were, or the key cannot be reached |
/// | 5 | [`Exit::Refused`] | the key refused, with a CTAP status or a U2F status word; or the person did, or an identity provider |
/// | 6 | [`Exit::Pin`] | a PIN is missing, wrong, blocked or not allowed |
/// | 7 | [`Exit::Vault`] | the vault cannot be opened, is damaged or is in use |
/// | 130 | [`Exit::Interrupted`] | Ctrl-C before it was done; what runs until Ctrl-C ends with 0 |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Success = 0,
    /// The operation failed.
    Failed = 1,
    /// The arguments make no sense.
    Usage = 2,
    /// The input cannot be read.
    BadInput = 3,
    /// No key was found, or it cannot be reached.
    NoKey = 4,
    /// The key refused, or the person, or an identity provider.
    Refused = 5,
    /// A problem with the PIN.
    Pin = 6,
    /// A problem with the vault.
    Vault = 7,
    /// Ctrl-C.
    Interrupted = 130,
}

impl Exit {
    /// The number the process ends with.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// Why a command failed, for the person at the terminal. No secret may enter either part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CliError {
    what: String,
    try_this: String,
    exit: Exit,
    /// What a page sees of it, for programs.
    seen: Map<String, Value>,
}

impl CliError {
    /// An error in two parts: `what` happened, one sentence, and what to `try_this` time, one sentence or a
    /// command line.
    #[must_use]
    pub fn new(exit: Exit, what: impl Into<String>, try_this: impl Into<String>) -> Self {
        Self { what: what.into(), try_this: try_this.into(), exit, seen: Map::new() }
    }

    /// The same, with what a page sees of it as further members of the JSON form.
    #[must_use]
    pub fn seen_as(mut self, seen: Map<String, Value>) -> Self {
        self.seen = seen;
        self
    }

    /// The way out when nobody reads the output any more: ends the command, prints nothing, is success.
    #[must_use]
    pub fn reader_gone() -> Self {
        Self::new(Exit::Success, "", "")
    }

    /// What happened.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// What to try.
    #[must_use]
    pub fn try_this(&self) -> &str {
        &self.try_this
    }

    /// The exit code.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        self.exit
    }

    /// Writes the error for `main`: two lines, or one JSON object
    /// `{"error":{"exit":4,"what":"...","try":"..."}}`; where a page's promise is rejected, with the exception's `name`
    /// besides, and with what else the page may read of it: `message`, `error` and `url` of an `IdentityCredentialError`,
    /// or in place of all the `reason` with which it aborted. Success writes nothing.
    ///
    /// # Errors
    ///
    /// What `to` gives.
    pub fn report(&self, to: &mut dyn Write, json: bool) -> io::Result<()> {
        if self.exit == Exit::Success {
            return Ok(());
        }
        if json {
            let mut error = self.seen.clone();
            error.insert("exit".into(), self.exit.code().into());
            error.insert("what".into(), self.what.as_str().into());
            error.insert("try".into(), self.try_this.as_str().into());
            return writeln!(to, "{}", json!({ "error": error }));
        }
        writeln!(to, "softkey: {}", self.what)?;
        if self.try_this.is_empty() { Ok(()) } else { writeln!(to, "    try: {}", self.try_this) }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if self.try_this.is_empty() { Ok(()) } else { write!(f, " (try: {})", self.try_this) }
    }
}

impl std::error::Error for CliError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(error: &CliError, json: bool) -> String {
        let mut out = Vec::new();
        error.report(&mut out, json).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// The two parts stand on two lines, and the JSON form is one line.
    #[test]
    fn an_error_has_two_parts() {
        let error = CliError::new(Exit::NoKey, "No key was found.", "plug one in");
        assert_eq!(reported(&error, false), "softkey: No key was found.\n    try: plug one in\n");
        assert_eq!(
            reported(&error, true),
            "{\"error\":{\"exit\":4,\"try\":\"plug one in\",\"what\":\"No key was found.\"}}\n"
        );
    }

    /// What a page sees stands beside the two parts, and cannot take their place.
    #[test]
    fn what_a_page_sees_is_for_programs() {
        let seen = json!({"name": "NetworkError", "exit": 0, "what": ""});
        let seen = seen.as_object().cloned().unwrap();
        let error = CliError::new(Exit::Refused, "NetworkError: No.", "").seen_as(seen);
        assert_eq!(reported(&error, false), "softkey: NetworkError: No.\n");
        assert_eq!(
            reported(&error, true),
            "{\"error\":{\"exit\":5,\"name\":\"NetworkError\",\"try\":\"\",\"what\":\"NetworkError: No.\"}}\n"
        );
    }

    /// A reader that went away is no failure and gets no message.
    #[test]
    fn a_gone_reader_is_silent_success() {
        let error = CliError::reader_gone();
        assert_eq!(error.exit().code(), 0);
        assert_eq!(reported(&error, false), "");
        assert_eq!(reported(&error, true), "");
    }
}
