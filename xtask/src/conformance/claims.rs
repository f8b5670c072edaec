//! Which tests name lines of the checklist in their doc comments.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use super::is_id;
use crate::house::File;
use crate::tidy::tokens;

/// A test and the lines it says it proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    /// The file it stands in, from the root.
    pub(crate) file: String,
    /// Where it begins.
    pub(crate) line: usize,
    /// The modules inside the file, and its name; `*` for a module that a macro names.
    pub(crate) name: String,
    /// What it claims; never empty.
    pub(crate) ids: Vec<String>,
}

impl Claim {
    /// The claims in a file: of functions marked as tests, and of functions in macro calls, which make tests
    /// of them.
    pub(crate) fn in_file(file: &File) -> Vec<Self> {
        let mut reader = Reader { file, claims: Vec::new() };
        // A file that is not Rust is a finding of tidy.
        if let Ok(stream) = tokens::parse(&file.text) {
            reader.read(stream, "", false);
        }
        reader.claims
    }
}

struct Reader<'a> {
    file: &'a File,
    claims: Vec<Claim>,
}

impl Reader<'_> {
    fn read(&mut self, stream: TokenStream, modules: &str, in_macro: bool) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        let mut rest = tokens.as_slice();
        let mut words = String::new();
        let mut is_test = in_macro;
        let mut after_mark = false;
        while let [first, after @ ..] = rest {
            rest = after;
            if let Some((attribute, after)) = tokens::attribute(first, after) {
                words += &doc_of(attribute.stream());
                is_test |= matches!(attribute.stream().into_iter().last(), Some(word) if tokens::is_word(&word, "test"));
                rest = after;
                continue;
            }
            if let Some((name, body, after)) = module(first, after) {
                self.read(body.stream(), &format!("{modules}{name}::"), in_macro);
                (rest, is_test) = (after, in_macro);
                words.clear();
                continue;
            }
            match (first, after) {
                (word, [TokenTree::Ident(name), ..]) if tokens::is_word(word, "fn") => {
                    let ids = ids_in(&std::mem::take(&mut words));
                    if is_test && !ids.is_empty() {
                        let (file, name) = (self.file.path.clone(), format!("{modules}{name}"));
                        self.claims.push(Claim { file, line: tokens::line(word), name, ids });
                    }
                }
                (TokenTree::Group(group), _) => {
                    self.read(group.stream(), modules, in_macro || after_mark);
                    // `pub(crate)` stands between a doc comment and its function; a body ends an item.
                    if group.delimiter() == Delimiter::Brace {
                        words.clear();
                        is_test = in_macro;
                    }
                }
                _ => {}
            }
            after_mark = tokens::is_punct(first, '!');
        }
    }
}

/// The name and body of the module whose `mod` is `first`, and what follows; `*` if a macro names it.
fn module<'a>(
    first: &TokenTree,
    after: &'a [TokenTree],
) -> Option<(String, &'a Group, &'a [TokenTree])> {
    match after {
        _ if !tokens::is_word(first, "mod") => None,
        [TokenTree::Ident(name), TokenTree::Group(body), after @ ..] => {
            Some((name.to_string(), body, after))
        }
        [mark, TokenTree::Ident(_), TokenTree::Group(body), after @ ..]
            if tokens::is_punct(mark, '$') =>
        {
            Some(("*".into(), body, after))
        }
        _ => None,
    }
}

/// The text of an attribute that is a doc comment, as it is quoted; else nothing.
fn doc_of(attribute: TokenStream) -> String {
    let tokens: Vec<TokenTree> = attribute.into_iter().collect();
    match tokens.as_slice() {
        [word, _, TokenTree::Literal(text)] if tokens::is_word(word, "doc") => format!("{text} "),
        _ => String::new(),
    }
}

fn ids_in(words: &str) -> Vec<String> {
    let parts = words.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    parts.filter(|part| is_id(part)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(text: &str) -> Vec<(String, usize, Vec<String>)> {
        let file = File { path: "tests/conformance/reset.rs".into(), text: text.into() };
        Claim::in_file(&file).into_iter().map(|claim| (claim.name, claim.line, claim.ids)).collect()
    }

    #[test]
    fn a_test_claims_the_ids_of_its_doc_comment() {
        let text = "/// MC-12, MC-13: words of `SHA-256`.\n/// CTAP 6.1; HID-01.\n#[test]\nfn a() {}\n#[test]\nfn b() {}";
        assert_eq!(
            claims(text),
            [("a".into(), 4, vec!["MC-12".into(), "MC-13".into(), "HID-01".into()])]
        );
    }

    #[test]
    fn a_function_that_is_no_test_claims_nothing() {
        assert_eq!(
            claims("/// MC-12\nfn a() {}\n#[test]\nfn b() {}\n/// MC-13\npub(crate) fn c() {}"),
            []
        );
    }

    #[test]
    fn modules_and_macro_calls_are_looked_into() {
        let text = "mod m {\n    each_protocol! {\n        /// CP-01\n        fn a() {}\n    }\n    /// CP-02\n    \
                    #[test]\n    fn b() {}\n}";
        let ids = |id: &str| vec![id.to_owned()];
        assert_eq!(
            claims(text),
            [("m::a".into(), 4, ids("CP-01")), ("m::b".into(), 8, ids("CP-02"))]
        );
        let text = "macro_rules! each {\n ($name:ident) => { mod $name {\n /// CP-03\n #[test]\n fn c() {} } } }";
        assert_eq!(claims(text), [("*::c".into(), 5, ids("CP-03"))]);
    }
}
