//! How long, as it is written in `advance 30s`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The units, the longest first, and their milliseconds.
const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// A time in whole milliseconds, more than none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(u64);

impl Span {
    /// The same as a duration.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_millis(self.0)
    }
}

/// No time is written so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSpan;

impl fmt::Display for NoSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time is a whole number with its unit, such as 500ms, 30s, 10m or 1h")
    }
}

impl std::error::Error for NoSpan {}

impl FromStr for Span {
    type Err = NoSpan;

    fn from_str(text: &str) -> Result<Self, NoSpan> {
        let digits = text.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
        let unit = text.strip_prefix(digits).unwrap_or_default();
        let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit).ok_or(NoSpan)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NoSpan);
        }
        let number: u64 = digits.parse().map_err(|_| NoSpan)?;
        number.checked_mul(*millis).filter(|millis| *millis > 0).map(Self).ok_or(NoSpan)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS.iter().find(|(_, millis)| self.0.is_multiple_of(*millis));
        let (unit, millis) = whole.unwrap_or(&("ms", 1));
        write!(f, "{}{unit}", self.0 / millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_back() {
        for (text, millis) in
            [("1ms", 1), ("1500ms", 1500), ("30s", 30_000), ("10m", 600_000), ("2h", 7_200_000)]
        {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.duration(), Duration::from_millis(millis), "{text}");
            assert_eq!(span.to_string(), text);
        }
        assert_eq!("60s".parse::<Span>().unwrap().to_string(), "1m");
        for wrong in
            ["", "s", "5", "0s", "-1s", "+1s", "1.5s", "1 s", "1d", "1sm", "9999999999999999h"]
        {
            assert_eq!(wrong.parse::<Span>(), Err(NoSpan), "{wrong:?}");
        }
    }
}
