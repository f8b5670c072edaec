//! Rust source as tokens: where the functions are, and which lines are tests.
//!
//! Tokens, not a syntax tree, so that functions inside macro calls (`proptest! { ... }`, instantiated suites)
//! are seen too.

use std::ops::RangeInclusive;

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

/// One function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: String,
    /// From the `fn` to the closing brace.
    pub(crate) lines: RangeInclusive<usize>,
    /// Whether it stands in a module that only tests compile.
    pub(crate) in_tests: bool,
}

impl Function {
    /// Lines from the signature to the closing brace.
    pub(crate) fn length(&self) -> usize {
        1 + self.lines.end() - self.lines.start()
    }
}

/// What a file holds.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    /// Every function with a body, those in macro calls and inside other functions too.
    pub(crate) functions: Vec<Function>,
    /// The lines of the modules written out under `#[cfg(test)]`.
    pub(crate) tests: Vec<RangeInclusive<usize>>,
}

impl Outline {
    /// Reads a file's text.
    ///
    /// # Errors
    ///
    /// The line where it stops being Rust.
    pub(crate) fn of(text: &str) -> Result<Self, usize> {
        let stream = parse(text)?;
        let mut outline = Self::default();
        outline.read(stream, false);
        Ok(outline)
    }

    fn read(&mut self, stream: TokenStream, in_tests: bool) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        let mut rest = tokens.as_slice();
        while let [first, after @ ..] = rest {
            rest = after;
            if let Some((module, after)) = test_module(first, after) {
                self.tests.push(line(first)..=end_line(module));
                self.read(module.stream(), true);
                rest = after;
                continue;
            }
            if let Some((name, body)) = function(first, after) {
                let lines = line(first)..=end_line(body);
                self.functions.push(Function { name: name.to_string(), lines, in_tests });
            }
            if let TokenTree::Group(group) = first {
                self.read(group.stream(), in_tests);
            }
        }
    }
}

/// A file's tokens, or the line where it stops being Rust.
pub(crate) fn parse(text: &str) -> Result<TokenStream, usize> {
    text.parse::<TokenStream>().map_err(|error| error.span().start().line)
}

/// The line a token begins on.
pub(crate) fn line(token: &TokenTree) -> usize {
    token.span().start().line
}

/// Whether a token is this mark.
pub(crate) fn is_punct(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark)
}

/// Whether a token is this word.
pub(crate) fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

/// The inside of an attribute whose `#` is `first`.
pub(crate) fn attribute<'a>(
    first: &TokenTree,
    after: &'a [TokenTree],
) -> Option<(&'a Group, &'a [TokenTree])> {
    match after {
        [TokenTree::Group(group), after @ ..]
            if is_punct(first, '#') && group.delimiter() == Delimiter::Bracket =>
        {
            Some((group, after))
        }
        _ => None,
    }
}

fn end_line(group: &Group) -> usize {
    group.span_close().end().line
}

/// The body of `#[cfg(test)] mod name { ... }` whose `#` is `first`, and what follows it.
pub(crate) fn test_module<'a>(
    first: &TokenTree,
    after: &'a [TokenTree],
) -> Option<(&'a Group, &'a [TokenTree])> {
    let (cfg, mut rest) = attribute(first, after)?;
    if cfg.stream().to_string().replace(' ', "") != "cfg(test)" {
        return None;
    }
    while let [hash, after @ ..] = rest {
        let Some((_, behind)) = attribute(hash, after) else { break };
        rest = behind;
    }
    match rest {
        [word, TokenTree::Ident(_), TokenTree::Group(body), after @ ..] if is_word(word, "mod") => {
            Some((body, after))
        }
        _ => None,
    }
}

/// The name and the body of the function whose `fn` is `first`; none for a type, a declaration or a pattern
/// of a macro.
pub(crate) fn function<'a>(
    first: &TokenTree,
    after: &'a [TokenTree],
) -> Option<(&'a Ident, &'a Group)> {
    let [TokenTree::Ident(name), signature @ ..] = after else { return None };
    if !is_word(first, "fn") {
        return None;
    }
    // A brace between `<` and `>` is a constant argument, not the body.
    let mut angles = 0_usize;
    let mut arrow = false;
    for token in signature {
        match token {
            TokenTree::Group(body) if body.delimiter() == Delimiter::Brace && angles == 0 => {
                return Some((name, body));
            }
            TokenTree::Punct(punct) => match punct.as_char() {
                ';' => return None,
                '<' => angles += 1,
                '>' if !arrow => angles = angles.saturating_sub(1),
                _ => {}
            },
            _ => {}
        }
        arrow = is_punct(token, '-');
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str) -> Vec<(String, usize, bool)> {
        let outline = Outline::of(text).unwrap();
        outline.functions.into_iter().map(|f| (f.name.clone(), f.length(), f.in_tests)).collect()
    }

    #[test]
    fn a_function_counts_from_its_signature_to_its_closing_brace() {
        let text = "/// Words\n#[inline]\nfn a(\n    x: u8,\n) -> [u8; { 1 + 1 }] {\n    [x; 2]\n}\nfn b();";
        assert_eq!(seen(text), [("a".into(), 5, false)]);
    }

    #[test]
    fn a_constant_argument_is_no_body() {
        let text = "fn a() -> Vec<Array<{ 2 }>>\nwhere\n    A: Fn() -> u8,\n{\n}";
        assert_eq!(seen(text), [("a".into(), 5, false)]);
    }

    #[test]
    fn functions_in_macros_and_in_functions_are_seen() {
        let text =
            "proptest! {\n fn p(x in 0..2) {\n }\n}\nimpl T {\n fn outer() { fn inner() {} }\n}";
        let names: Vec<_> = seen(text).into_iter().map(|(name, ..)| name).collect();
        assert_eq!(names, ["p", "outer", "inner"]);
    }

    #[test]
    fn the_lines_of_a_test_module_are_known() {
        let text = "fn a() {}\n#[cfg(test)]\n#[allow(x)]\nmod tests {\n    fn b() {}\n}\n#[cfg(test)]\nmod far;";
        assert_eq!(seen(text), [("a".into(), 1, false), ("b".into(), 1, true)]);
        assert_eq!(Outline::of(text).unwrap().tests, [2..=6]);
    }

    #[test]
    fn the_line_of_broken_text_is_told() {
        assert_eq!(Outline::of("fn a() {}\n\n}").unwrap_err(), 3);
    }
}
