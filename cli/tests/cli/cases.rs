//! Cases as data: each file in `tests/cases` has a command line, an exit code and the expected output. Every
//! case runs with its standard input closed, an empty home of its own, and no terminal.
//!
//! ```text
//! softkey control /nonexistent touch
//! exit 4
//! --- stdout
//! --- stderr
//! softkey: No key can be reached ...
//! ```
//!
//! In expected output `[..]` stands for anything in a line and a line `...` for any lines.

use std::fs;
use std::path::Path;

use crate::harness::softkey;

#[test]
fn every_case_comes_out_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut cases: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() >= 10, "the cases are missing");
    let wrong: Vec<String> = cases.iter().filter_map(|case| run(case).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The plant: a case that is wrong in any part is found out.
#[test]
fn a_wrong_case_is_found_out() {
    assert!(matches("a\n...\nz\n", "a\nb\nc\nz\n"));
    assert!(matches("a [..] c\n", "a b c\n"));
    assert!(!matches("a\n", "a\nb\n"));
    assert!(!matches("a\n...\nz\n", "a\nb\n"));
    assert!(!matches("a [..] d\n", "a b c\n"));
    assert!(!matches("", "a\n"));
}

fn run(case: &Path) -> Result<(), String> {
    let text = fs::read_to_string(case).unwrap();
    let (head, rest) = text.split_once("--- stdout\n").expect("a case has a part stdout");
    let (stdout, stderr) = rest.split_once("--- stderr\n").expect("a case has a part stderr");
    let mut head = head.lines();
    let command = head.next().unwrap().strip_prefix("softkey").unwrap();
    let exit = head.next().unwrap().strip_prefix("exit ").unwrap();
    let home = tempfile::tempdir().unwrap();
    let output = softkey()
        .args(command.split_whitespace())
        .env("HOME", home.path())
        .env_remove("XDG_DATA_HOME")
        .env_remove("XDG_CONFIG_HOME")
        .output()
        .unwrap();
    let code = output.status.code().map_or_else(|| "by a signal".into(), |code| code.to_string());
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if line_matches(exit, &code) && matches(stdout, &out) && matches(stderr, &err) {
        return Ok(());
    }
    let name = case.file_name().unwrap().display();
    Err(format!("{name}: exit {code}\n--- stdout\n{out}--- stderr\n{err}"))
}

fn matches(expected: &str, seen: &str) -> bool {
    let (expected, seen): (Vec<_>, Vec<_>) = (expected.lines().collect(), seen.lines().collect());
    lines_match(&expected, &seen)
}

fn lines_match(expected: &[&str], seen: &[&str]) -> bool {
    match (expected, seen) {
        ([], []) => true,
        (["...", rest @ ..], _) => (0..=seen.len()).any(|at| lines_match(rest, &seen[at..])),
        ([first, rest @ ..], [line, more @ ..]) => {
            line_matches(first, line) && lines_match(rest, more)
        }
        _ => false,
    }
}

fn line_matches(expected: &str, line: &str) -> bool {
    match expected.split_once("[..]") {
        None => expected == line,
        Some((before, after)) => line.strip_prefix(before).is_some_and(|rest| {
            let mut ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            ends.any(|at| line_matches(after, &rest[at..]))
        }),
    }
}
