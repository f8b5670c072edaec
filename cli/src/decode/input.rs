//! From the argument to bytes: a file, standard input or the argument itself; hex, base64url or binary.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use softkey_client::base64url;

use crate::error::{CliError, Exit};
use crate::text::quoted;

/// One way to read the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// The bytes.
    pub(super) bytes: Vec<u8>,
    /// Were they given as lines of 64 bytes each?
    pub(super) is_trace: bool,
}

impl Reading {
    fn of(bytes: Vec<u8>) -> Self {
        Self { bytes, is_trace: false }
    }
}

/// The longest input, in bytes: some hundred HID messages of full length, as hex.
const LONGEST: u64 = 16 << 20;

/// All ways to read the input, the likeliest first; there is at least one.
pub(super) fn read(argument: &str) -> Result<Vec<Reading>, CliError> {
    let (bytes, source) = if argument == "-" {
        (limited(io::stdin().lock()), "standard input")
    } else if Path::new(argument).is_file() {
        (fs::File::open(argument).and_then(limited), argument)
    } else {
        (Ok(argument.as_bytes().to_vec()), "")
    };
    let bytes = bytes.map_err(|error| {
        let what = format!("{source} cannot be read: {error}.");
        CliError::new(Exit::BadInput, what, "a file that you may read")
    })?;
    let readings = readings(&bytes, source.is_empty());
    if readings.is_empty() {
        return Err(unreadable(argument, &bytes));
    }
    Ok(readings)
}

fn limited(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(LONGEST.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|len| len > LONGEST) {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "more than 16 MiB"));
    }
    Ok(bytes)
}

fn unreadable(argument: &str, bytes: &[u8]) -> CliError {
    let what = if bytes.iter().all(u8::is_ascii_whitespace) {
        String::from("The input is empty.")
    } else if argument == "-" {
        String::from("The text is neither hex nor base64url.")
    } else {
        format!("{} is neither a file nor hex nor base64url.", quoted(argument))
    };
    CliError::new(Exit::BadInput, what, "hex such as 04, base64url, or the name of a file")
}

fn readings(bytes: &[u8], is_argument: bool) -> Vec<Reading> {
    let Some(text) = std::str::from_utf8(bytes).ok().map(str::trim) else {
        return vec![Reading::of(bytes.to_vec())];
    };
    if text.starts_with('{') {
        return vec![Reading::of(bytes.to_vec())];
    }
    let mut readings = Vec::new();
    readings.extend(trace(text).map(|bytes| Reading { bytes, is_trace: true }));
    readings.extend(hex(text).map(Reading::of));
    let solid: String = text.split_ascii_whitespace().collect();
    if !solid.is_empty() {
        let unpadded = solid.trim_end_matches('=');
        readings.extend(base64url::decode(unpadded).map(Reading::of));
        readings.extend(STANDARD.decode(&solid).ok().map(Reading::of));
    }
    // Short binary messages may be text by chance; an argument never is binary.
    if !is_argument && !bytes.is_empty() && !text.is_empty() {
        readings.push(Reading::of(bytes.to_vec()));
    }
    readings
}

/// Hex, with white space, colons, commas, dashes or `0x` between.
pub(crate) fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: String = text.replace("0x", "").chars().filter(|c| !is_separator(*c)).collect();
    if digits.is_empty() { None } else { unhex(digits.as_bytes()) }
}

fn is_separator(c: char) -> bool {
    c.is_ascii_whitespace() || matches!(c, ':' | ',' | '-')
}

fn unhex(digits: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let digit = |c: u8| char::from(c).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    pairs.iter().map(|[high, low]| Some((digit(*high)? << 4) | digit(*low)?)).collect()
}

/// Lines of one report each: 64 bytes in hex, or 65 with the report number 0 in front, behind words such as
/// `>` or `out`.
fn trace(text: &str) -> Option<Vec<u8>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let reports: Option<Vec<_>> = lines.map(report).collect();
    reports.filter(|reports| !reports.is_empty()).map(|reports| reports.concat())
}

fn report(line: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = line.bytes().filter(|c| !is_separator(char::from(*c))).collect();
    let start =
        digits.iter().rposition(|c| !c.is_ascii_hexdigit()).map_or(0, |at| at.saturating_add(1));
    let bytes = unhex(digits.get(start..)?)?;
    let bytes = match bytes.split_first() {
        Some((0, report)) if report.len() == 64 => report.to_vec(),
        _ => bytes,
    };
    (bytes.len() == 64).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> Option<Vec<u8>> {
        readings(text.as_bytes(), true).into_iter().next().map(|reading| reading.bytes)
    }

    #[test]
    fn hex_is_read_in_its_usual_dresses() {
        for text in ["01ab", "01 AB", "01:ab", "0x01, 0xab", "01-ab\n"] {
            assert_eq!(first(text), Some(vec![0x01, 0xab]), "{text:?}");
        }
    }

    #[test]
    fn base64url_and_base64_are_read() {
        assert_eq!(first("-_8"), Some(vec![0xfb, 0xff]));
        assert_eq!(first("+/8="), Some(vec![0xfb, 0xff]));
    }

    #[test]
    fn an_argument_that_is_neither_is_nothing() {
        assert_eq!(readings(b"what?", true), []);
        assert_eq!(readings(b"", true), []);
    }

    /// Reports are known by their length, with or without report number and direction.
    #[test]
    fn lines_of_64_bytes_are_a_trace() {
        let report = "ab".repeat(64);
        let text = format!("> {report}\n< 00{report}\n");
        let readings = readings(text.as_bytes(), false);
        let trace = readings.first().expect("a reading");
        assert_eq!((trace.is_trace, trace.bytes.len()), (true, 128));
    }
}
