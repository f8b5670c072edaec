//! Why a message, or the template of one, is not as it should be.

use std::fmt;

use crate::suffix::ascii_domain;

use super::message::{BoundCode, last_line};

/// The longest message that goes into one SMS, in bytes.
const ONE_SMS: usize = 140;

/// What is wrong with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is nothing in the last line, as when the message ends with a line break.
    LastLineEmpty,
    /// The last line is not the one for programs, but an earlier one is.
    NotTheLastLine,
    /// The last line does not begin with `@`.
    NoAt,
    /// No host stands behind `@`.
    NoHost,
    /// Behind the host there is not exactly one space and then `#`.
    NoHash,
    /// No code stands behind `#`.
    NoCode,
    /// This host is no domain, or has a port or a path: no page will match it.
    Host(String),
    /// Behind the code stands this, which is no embedded host and is passed over.
    Passed(String),
    /// The code has other characters than letters and digits of ASCII.
    CodeCharacters,
    /// No text for people stands in front.
    NoText,
    /// The message has so many bytes, more than one SMS.
    Long(usize),
}

impl Fault {
    /// The name of the rule that the message breaks, for programs. The rules are those of the format (origin-bound
    /// one-time codes section 3.3) and what the same text advises senders.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::LastLineEmpty => "last-line-empty",
            Self::NotTheLastLine => "not-the-last-line",
            Self::NoAt => "no-at",
            Self::NoHost => "no-host",
            Self::NoHash => "no-hash",
            Self::NoCode => "no-code",
            Self::Host(_) => "host-no-domain",
            Self::Passed(_) => "passed-over",
            Self::CodeCharacters => "code-characters",
            Self::NoText => "no-text",
            Self::Long(_) => "longer-than-one-sms",
        }
    }

    /// Does it keep browsers from reading the message? The others are advice.
    #[must_use]
    pub const fn is_fatal(&self) -> bool {
        !matches!(self, Self::Passed(_) | Self::CodeCharacters | Self::NoText | Self::Long(_))
    }
}

/// What is wrong with a message. Placeholders of templates, `{{..}}`, `${..}`, `{..}`, `%s` and `%d`, stand for a code of
/// six digits.
#[must_use]
pub fn lint(template: &str) -> Vec<Fault> {
    let message = filled(template);
    let line = last_line(&message);
    let Some(bound) = BoundCode::parse_line(line) else { return vec![fatal(&message, line)] };
    let mut faults = Vec::new();
    for host in [Some(&bound.top_host), bound.embedded_host.as_ref()].into_iter().flatten() {
        if ascii_domain(host).is_none() {
            faults.push(Fault::Host(host.clone()));
        }
    }
    let embedded = bound.embedded_host.as_ref().map(|host| format!(" @{host}"));
    let code = bound.code.expose();
    let read = format!("@{} #{code}{}", bound.top_host, embedded.unwrap_or_default());
    let rest = line.strip_prefix(&read).unwrap_or_default().trim();
    if !rest.is_empty() {
        faults.push(Fault::Passed(rest.to_owned()));
    }
    if !code.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        faults.push(Fault::CodeCharacters);
    }
    if message.trim() == line.trim() {
        faults.push(Fault::NoText);
    }
    if message.len() > ONE_SMS {
        faults.push(Fault::Long(message.len()));
    }
    faults
}

fn fatal(message: &str, line: &str) -> Fault {
    let earlier = message.split(['\n', '\r']).any(|line| BoundCode::parse_line(line).is_some());
    if earlier {
        return Fault::NotTheLastLine;
    }
    if line.is_empty() {
        return Fault::LastLineEmpty;
    }
    let Some(rest) = line.strip_prefix('@') else { return Fault::NoAt };
    let end = rest.find(|letter: char| letter.is_ascii_whitespace()).unwrap_or(rest.len());
    match rest.split_at_checked(end) {
        Some(("", _)) | None => Fault::NoHost,
        Some((_, rest)) if rest.starts_with(" #") => Fault::NoCode,
        Some(_) => Fault::NoHash,
    }
}

/// The template with six digits for each placeholder.
fn filled(template: &str) -> String {
    let mut filled = String::new();
    let mut rest = template;
    while let Some(start) = rest.find(['{', '$', '%']) {
        let (before, at) = rest.split_at_checked(start).unwrap_or((rest, ""));
        filled.push_str(before);
        let length = ["{{", "${", "{"].into_iter().find_map(|open| {
            let close = if open == "{{" { "}}" } else { "}" };
            let inner = at.strip_prefix(open)?;
            let end = inner
                .find(close)
                .filter(|end| !inner.get(..*end).is_some_and(|it| it.contains('\n')))?;
            Some(open.len() + end + close.len())
        });
        let length =
            length.or_else(|| ["%s", "%d"].iter().any(|it| at.starts_with(it)).then_some(2));
        filled.push_str(if length.is_some() { "123456" } else { at.get(..1).unwrap_or_default() });
        rest = at.get(length.unwrap_or(1)..).unwrap_or_default();
    }
    filled + rest
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LastLineEmpty => {
                "the last line is empty; the message must not end with a line break"
            }
            Self::NotTheLastLine => "the line for programs is not the last one",
            Self::NoAt => "the last line does not begin with @ and a host",
            Self::NoHost => "no host stands behind the @",
            Self::NoHash => "behind the host there must be one space, a # and the code",
            Self::NoCode => "no code stands behind the #",
            Self::Host(host) => return write!(f, "{host:?} is no domain, so no page matches"),
            Self::Passed(rest) => return write!(f, "{rest:?} behind the code is passed over"),
            Self::CodeCharacters => "the code has more than ASCII letters and digits",
            Self::NoText => "no text for people stands in front",
            Self::Long(length) => {
                return write!(f, "{length} bytes do not fit into one SMS of 140");
            }
        })
    }
}
