//! Nothing unfinished is left lying, and no test is ignored without a reason.

use proc_macro2::{TokenStream, TokenTree};

use super::{Finding, tokens};
use crate::house::{File, Tree};

/// Words that promise later work. (Written in two halves, so that this file passes its own rule.)
const WORDS: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];
/// Macros that promise later work.
const MACROS: [&str; 2] = [concat!("to", "do"), concat!("unimple", "mented")];

/// Marks of unfinished work in any text file, and in Rust macros that stand for it and tests without a reason
/// not to run.
pub(crate) fn unfinished(tree: &Tree) -> Vec<Finding> {
    tree.files.iter().flat_map(|file| [words(file), macros(file)]).flatten().collect()
}

fn words(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let mut parts = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        if let Some(word) = parts.find(|part| WORDS.contains(part)) {
            let what = format!("`{word}`: do it, or write an issue");
            findings.push(Finding::new(&file.path, index + 1, what));
        }
    }
    findings
}

fn macros(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    // What cannot be read is told by the census of functions.
    if let Some(stream) = file.is_rust().then(|| tokens::parse(&file.text).ok()).flatten() {
        search(stream, &mut |line, what| findings.push(Finding::new(&file.path, line, what)));
    }
    findings
}

fn search(stream: TokenStream, found: &mut dyn FnMut(usize, String)) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    let mut rest = tokens.as_slice();
    while let [first, after @ ..] = rest {
        rest = after;
        if let Some((attribute, _)) = tokens::attribute(first, after)
            && ignores_without_reason(attribute.stream())
        {
            found(tokens::line(first), "a test is ignored without a reason".into());
        }
        match (first, after) {
            (TokenTree::Ident(name), [mark, ..])
                if tokens::is_punct(mark, '!') && MACROS.iter().any(|known| name == known) =>
            {
                found(tokens::line(first), format!("`{name}!`: do it, or write an issue"));
            }
            (TokenTree::Group(group), _) => search(group.stream(), found),
            _ => {}
        }
    }
}

/// Whether an attribute is a bare `ignore`, alone or behind a `cfg_attr`.
fn ignores_without_reason(attribute: TokenStream) -> bool {
    let tokens: Vec<TokenTree> = attribute.into_iter().collect();
    match tokens.as_slice() {
        [word] => tokens::is_word(word, "ignore"),
        [word, TokenTree::Group(group)] if tokens::is_word(word, "cfg_attr") => {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            let parts = inner.split(|token| tokens::is_punct(token, ','));
            parts.skip(1).any(|part| matches!(part, [word] if tokens::is_word(word, "ignore")))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        unfinished(&Tree::planted(&[(path, text)])).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn a_promise_is_found_in_any_file() {
        let [first, second] = WORDS;
        assert_eq!(
            found("a.sh", &format!("x\n# {first}: y")),
            [format!("a.sh:2: `{first}`: do it, or write an issue")]
        );
        assert_eq!(
            found("a.rs", &format!("// {second}(me)")),
            [format!("a.rs:1: `{second}`: do it, or write an issue")]
        );
        assert_eq!(found("a.md", &format!("MY{first}S and {first}_X")), [""; 0]);
    }

    #[test]
    fn a_promising_macro_is_found_wherever_it_stands() {
        for name in MACROS {
            let text = format!("fn a() {{\n    b({name}!());\n}}");
            assert_eq!(
                found("a.rs", &text),
                [format!("a.rs:2: `{name}!`: do it, or write an issue")]
            );
        }
        assert_eq!(found("a.rs", &format!("let {} = 1;", MACROS[0])), [""; 0]);
    }

    #[test]
    fn ignoring_needs_a_reason() {
        let what = "a.rs:2: a test is ignored without a reason";
        assert_eq!(found("a.rs", "#[test]\n#[ignore]\nfn a() {}"), [what]);
        assert_eq!(found("a.rs", "mod m {\n#[cfg_attr(miri, ignore)]\nfn a() {} }"), [what]);
        assert_eq!(found("a.rs", "#[test]\n#[ignore = \"needs a kernel\"]\nfn a() {}"), [""; 0]);
    }
}
