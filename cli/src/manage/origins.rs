//! The origin that a person types, as a profile has it: they write it as they see it in a browser, and it is compared as
//! browsers compare it.

use url::{Origin, Url};

use crate::error::{CliError, Exit};
use crate::text::quoted;

/// The serialization of a typed origin: scheme and host in lower case, the host in ASCII, no default port, and nothing of
/// a path. What is written in a profile exactly so stays as it is, even if it is no origin: it must be possible to remove it.
///
/// # Errors
///
/// [`Exit::BadInput`] for what is no origin.
pub(super) fn typed<'a>(
    text: &str,
    mut known: impl Iterator<Item = &'a str>,
) -> Result<String, CliError> {
    if known.any(|known| known == text) {
        return Ok(text.to_owned());
    }
    match Url::parse(text).map(|url| url.origin()) {
        Ok(origin @ Origin::Tuple(..)) => Ok(origin.ascii_serialization()),
        _ => Err(none(text)),
    }
}

/// The same for a page, of which no profile knows yet.
///
/// # Errors
///
/// As [`typed`].
pub(super) fn of_page(text: &str) -> Result<String, CliError> {
    typed(text, std::iter::empty())
}

fn none(text: &str) -> CliError {
    let what = format!("{} is no origin.", quoted(text));
    // Who types a bare host means what they see in the bar of a browser.
    let guess = Url::parse(&format!("https://{text}")).ok();
    let guess = guess.map(|url| url.origin().ascii_serialization());
    let guess = guess.filter(|_| !text.contains('/') && !text.ends_with(':'));
    let guess = guess.unwrap_or_else(|| "https://example.org".into());
    CliError::new(Exit::BadInput, what, format!("scheme and host, such as {guess}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, CliError> {
        typed(text, ["null", "HTTPS://odd.example"].into_iter())
    }

    #[test]
    fn an_origin_is_compared_as_browsers_do() {
        for (text, origin) in [
            ("https://example.org", "https://example.org"),
            ("HTTPS://Example.ORG", "https://example.org"),
            ("https://example.org/", "https://example.org"),
            ("https://example.org:443", "https://example.org"),
            ("http://example.org:80/", "http://example.org"),
            ("https://example.org:8443/", "https://example.org:8443"),
            ("http://example.org:443", "http://example.org:443"),
            ("https://ada@example.org/login?next=/#top", "https://example.org"),
            (" https://example.org\n", "https://example.org"),
            ("https://Bücher.example", "https://xn--bcher-kva.example"),
            ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
            ("https://ＥＸＡＭＰＬＥ.org", "https://example.org"),
            ("https://[0:0::1]:443", "https://[::1]"),
            ("http://127.1", "http://127.0.0.1"),
        ] {
            assert_eq!(read(text), Ok(origin.into()), "{text}");
        }
    }

    /// Another scheme, port or host stays another one.
    #[test]
    fn what_differs_stays_different() {
        let origin = read("https://example.org").unwrap();
        for other in ["http://example.org", "https://example.org:80", "https://www.example.org"] {
            assert_ne!(read(other).unwrap(), origin, "{other}");
        }
    }

    #[test]
    fn what_is_no_origin_is_told() {
        for (text, guess) in [
            ("example.org", "https://example.org"),
            ("Example.org:8443", "https://example.org:8443"),
            ("localhost", "https://localhost"),
            ("", "https://example.org"),
            ("//example.org", "https://example.org"),
            ("https://", "https://example.org"),
            ("https://exa mple.org", "https://example.org"),
            ("https://example.org:99999", "https://example.org"),
            ("file:///home/ada", "https://example.org"),
            ("data:text/plain,x", "https://example.org"),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(error.exit(), Exit::BadInput, "{text}");
            assert_eq!(error.what(), format!("{text:?} is no origin."));
            assert_eq!(error.try_this(), format!("scheme and host, such as {guess}"));
        }
        assert_eq!(read("\u{1b}[2J").unwrap_err().what(), "\"\\u{1b}[2J\" is no origin.");
    }

    /// What somebody wrote into a profile by hand can be named as it stands there.
    #[test]
    fn what_a_profile_has_can_be_named() {
        assert_eq!(read("null"), Ok("null".into()));
        assert_eq!(read("HTTPS://odd.example"), Ok("HTTPS://odd.example".into()));
    }
}
