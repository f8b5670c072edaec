//! Every Rust file opens with what it owns, and none is longer than 500 lines without its tests.

use super::Finding;
use super::tokens::Outline;
use crate::house::{File, Tree};

/// No file has more lines of its own.
const CEILING: usize = 500;
/// No test module inside a file has more lines; a longer one moves to `tests.rs`.
const INLINE_TESTS: usize = 120;
/// A table that a program wrote says so in its opening, and may be as long as it is.
const GENERATED: &str = concat!("@", "generated");

/// Files that are too long.
pub(crate) fn lengths(tree: &Tree) -> Vec<Finding> {
    tree.rust().filter(|file| !is_generated(file)).flat_map(too_long).collect()
}

/// Files that do not say in their first line what they own.
pub(crate) fn openings(tree: &Tree) -> Vec<Finding> {
    let silent = |file: &&File| {
        let first = file.text.lines().next().unwrap_or_default();
        // A crate's README may be its documentation.
        !first.starts_with("//! ") && !first.starts_with("#![doc = include_str!(")
    };
    let finding = |file: &File| {
        Finding::new(&file.path, 1, "does not open with `//!` and what the file owns")
    };
    tree.rust().filter(silent).map(finding).collect()
}

fn is_generated(file: &File) -> bool {
    file.text.lines().take_while(|line| line.starts_with("//")).any(|line| line.contains(GENERATED))
}

fn too_long(file: &File) -> Vec<Finding> {
    // What cannot be read is told by the census of functions.
    let tests = Outline::of(&file.text).unwrap_or_default().tests;
    let mut findings = Vec::new();
    let mut own = file.text.lines().count();
    for module in tests {
        let length = 1 + module.end() - module.start();
        own = own.saturating_sub(length);
        if length > INLINE_TESTS {
            let what = format!(
                "a test module of {length} lines, over {INLINE_TESTS}: move it to tests.rs"
            );
            findings.push(Finding::new(&file.path, *module.start(), what));
        }
    }
    if own > CEILING {
        findings.push(Finding::new(
            &file.path,
            1,
            format!("{own} lines without tests, over {CEILING}"),
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(findings: &[Finding]) -> Vec<String> {
        findings.iter().map(Finding::to_string).collect()
    }

    #[test]
    fn tests_inside_a_file_do_not_count_but_may_not_grow_either() {
        let own = "//! Words.\n".to_owned() + &"fn a() {}\n".repeat(499);
        let module =
            |lines: usize| format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "\n".repeat(lines - 3));
        assert_eq!(lengths(&Tree::planted(&[("a.rs", &(own.clone() + &module(120)))])), []);
        let text = own.clone() + "fn b() {}\n" + &module(120);
        let findings = found(&lengths(&Tree::planted(&[("a.rs", &text)])));
        assert_eq!(findings, ["a.rs:1: 501 lines without tests, over 500"]);
        let findings = found(&lengths(&Tree::planted(&[("a.rs", &(own + &module(121)))])));
        assert_eq!(
            findings,
            ["a.rs:501: a test module of 121 lines, over 120: move it to tests.rs"]
        );
    }

    #[test]
    fn a_file_that_cannot_be_read_is_still_counted() {
        let findings = found(&lengths(&Tree::planted(&[("a.rs", &"}\n".repeat(501))])));
        assert_eq!(findings, ["a.rs:1: 501 lines without tests, over 500"]);
    }

    #[test]
    fn a_generated_table_may_be_long() {
        let text = format!("//! Table, {GENERATED} by a program.\n{}", "fn a() {}\n".repeat(600));
        assert_eq!(lengths(&Tree::planted(&[("a.rs", &text)])), []);
    }

    #[test]
    fn a_file_says_first_what_it_owns() {
        let tree = Tree::planted(&[
            ("good.rs", "//! Words.\n"),
            ("root.rs", "#![doc = include_str!(\"../README.md\")]\n"),
            ("late.rs", "#![no_std]\n//! Words.\n"),
            ("empty.rs", ""),
            ("bare.rs", "//!\nfn a() {}"),
        ]);
        let files: Vec<_> = openings(&tree).into_iter().map(|finding| finding.file).collect();
        assert_eq!(files, ["late.rs", "empty.rs", "bare.rs"]);
    }
}
