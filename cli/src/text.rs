//! Text from a client, a relying party or a key on its way to a terminal: nothing in it may move the cursor,
//! turn the direction of writing or end the line.

use std::fmt::Write;

use serde::Serialize;

/// Characters shown of one text at most.
const SHOWN: usize = 128;

/// The text in quotation marks, every character that is not plainly visible as an escape, cut after 128
/// characters.
#[must_use]
pub fn quoted(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?} (cut)", text.get(..end).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}

/// A relying party identifier: bare if it is the ordinary domain name it should be, else as [`quoted`] has it.
#[must_use]
pub fn rp_id(text: &str) -> String {
    let ordinary = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '_' | '/');
    if !text.is_empty() && text.len() <= SHOWN && text.chars().all(ordinary) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// One line of whatever length, every character that is not plainly visible as an escape.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if is_plain(c) { line.push(c) } else { line.extend(c.escape_default()) }
    }
    line
}

/// One JSON object on one line, with every character escaped that a terminal would act on. `None` if the
/// value has no JSON form.
#[must_use]
pub fn json_line<T: Serialize + ?Sized>(value: &T) -> Option<String> {
    let json = serde_json::to_string(value).ok()?;
    if json.chars().all(is_plain) {
        return Some(json);
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if is_plain(c) {
            escaped.push(c);
        } else {
            // Outside strings JSON is plain, so this stands inside one.
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        }
    }
    Some(escaped)
}

fn is_plain(c: char) -> bool {
    matches!(c, ' '..='~') || (!c.is_ascii() && c.escape_debug().next() == Some(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_escaped() {
        assert_eq!(quoted("a\u{1b}[2Jb\r\n"), r#""a\u{1b}[2Jb\r\n""#);
        assert_eq!(quoted("x\u{202e}gpj"), r#""x\u{202e}gpj""#);
        assert_eq!(quoted("\u{9b}1m\u{7f}"), r#""\u{9b}1m\u{7f}""#);
        assert_eq!(quoted(r#"a" says "b"#), r#""a\" says \"b""#);
        assert_eq!(quoted("Grüße, 世界"), "\"Grüße, 世界\"");
        assert_eq!(quoted(&"ä".repeat(129)), format!("\"{}\" (cut)", "ä".repeat(128)));
    }

    #[test]
    fn a_line_is_shown_whole() {
        assert_eq!(visible("GET \"ü\" a\u{1b}[2J\u{202e}\r"), "GET \"ü\" a\\u{1b}[2J\\u{202e}\\r");
    }

    #[test]
    fn an_ordinary_domain_name_stands_bare() {
        assert_eq!(rp_id("login.example.com"), "login.example.com");
        assert_eq!(rp_id(""), "\"\"");
        assert_eq!(rp_id("example.com approved"), "\"example.com approved\"");
        assert_eq!(rp_id("exаmple.com"), "\"exаmple.com\"");
    }

    /// The escaped line reads back as the same value.
    #[test]
    fn json_stays_the_same_value() {
        let value = serde_json::json!({"name": "ä\u{9b}\u{202e}\u{e0041}\u{7f}\n"});
        let line = json_line(&value).unwrap();
        assert_eq!(line, r#"{"name":"ä\u009b\u202e\udb40\udc41\u007f\n"}"#);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), value);
    }
}
