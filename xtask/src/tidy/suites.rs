//! Conformance tests speak bytes: of this project's crates they know only the simulated world.
//!
//! Were they to use the project's own message types, a mistake made in both directions would hide.

use proc_macro2::{TokenStream, TokenTree};

use super::{Finding, tokens};
use crate::house::Tree;

/// Where the conformance suite lies.
const SUITE: &str = "tests/conformance/";
/// The one crate of this project that the suite may name.
const WORLD: &str = "softkey_tests";

/// Names of this project's other crates in the conformance suite.
pub(crate) fn imports(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust().filter(|file| file.path.starts_with(SUITE)) {
        // What cannot be read is told by the census of functions.
        if let Ok(stream) = tokens::parse(&file.text) {
            search(stream, &mut |line, name| {
                let what =
                    format!("names `{name}`: a conformance test speaks bytes, by way of `{WORLD}`");
                findings.push(Finding::new(&file.path, line, what));
            });
        }
    }
    findings
}

fn search(stream: TokenStream, found: &mut dyn FnMut(usize, &str)) {
    for token in stream {
        match &token {
            TokenTree::Ident(ident) => {
                let name = ident.to_string();
                if (name == "softkey" || name.starts_with("softkey_")) && name != WORLD {
                    found(tokens::line(&token), &name);
                }
            }
            TokenTree::Group(group) => search(group.stream(), found),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        imports(&Tree::planted(&[(path, text)])).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn the_world_and_other_peoples_crates_are_free() {
        let text = "//! A key made of softkey_ctap would not do.\nuse softkey_tests::World;\nuse p256::ecdsa;";
        assert_eq!(found("tests/conformance/reset.rs", text), [""; 0]);
    }

    #[test]
    fn the_code_under_test_is_not() {
        let text = "use std::fmt;\nuse softkey_ctap::StatusCode;\nfn a() { b!(softkey_authenticator::Step) }";
        let what = "a conformance test speaks bytes, by way of `softkey_tests`";
        assert_eq!(
            found("tests/conformance/reset.rs", text),
            [
                format!("tests/conformance/reset.rs:2: names `softkey_ctap`: {what}"),
                format!("tests/conformance/reset.rs:3: names `softkey_authenticator`: {what}")
            ]
        );
        assert_eq!(found("tests/ceremony/main.rs", text), [""; 0]);
    }
}
