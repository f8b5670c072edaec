//! Time is virtual: no library and no suite waits for the wall clock or reads it, and sockets of tests are on loopback.
//!
//! Where it cannot be otherwise a file stands in a table with the reason. The program and its own tests are free: a program
//! lives by the wall clock.
//!
//! A wait that hides in the time limit of a socket cannot be seen here. The files with tests that sit out such a limit stand in
//! a table as well, and each of them says that it is about the wall clock.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};

use super::{Finding, tokens};
use crate::house::{File, Tree};

/// What the rule is about.
const FOLDERS: [&str; 8] =
    ["authenticator/", "board/", "client/", "ctap-hid/", "ctap/", "flash-store/", "idp/", "tests/"];

/// What reads the wall clock or waits for it, as the last two names of a path.
const CLOCKS: [[&str; 2]; 8] = [
    ["Instant", "now"],
    ["SystemTime", "now"],
    ["thread", "sleep"],
    ["thread", "sleep_until"],
    ["thread", "park_timeout"],
    ["time", "sleep"],
    ["time", "sleep_until"],
    ["time", "interval"],
];

/// Who may, and why.
const MAY: [(&str, &str); 12] = [
    ("ctap-hid/src/port.rs", "it is the wall clock that owners of a device hand in"),
    ("idp/src/server.rs", "a provider that is slow on demand, for clients with a wall clock"),
    ("idp/tests/flow/chromium.rs", "a browser"),
    ("idp/tests/raw/faults.rs", "a provider on a socket that is to be slow"),
    ("tests/conformance/u2f/register.rs", "a certificate that is to be valid today"),
    ("tests/emulated/board.rs", "an emulator in a process of its own"),
    ("tests/emulated/orphan.rs", "an emulator whose process is to end"),
    ("tests/emulated/udp.rs", "an emulator in a process of its own"),
    ("tests/hid/udp.rs", "sockets, whose time limits are the system's"),
    ("tests/persistence/browser_profile.rs", "a process that is killed at any moment"),
    ("tests/persistence/kill.rs", "a process that is killed at any moment"),
    ("tests/src/key/board.rs", "an emulator in a process of its own"),
];

/// Whose tests sit out the time limit of a socket, and why: the limit itself is what they are about.
const SIT_OUT: [(&str, &str); 4] = [
    ("client/src/fetch/http/tests.rs", "a server that accepts and says nothing, 20 ms"),
    ("client/tests/provider/faults.rs", "what each endpoint may be late with, 1 s each"),
    ("idp/tests/flow/scenarios.rs", "what Chromium cannot end, 2 s each"),
    ("idp/tests/raw/faults.rs", "a provider that is silent on demand, 100 ms"),
];

/// Readings of the wall clock, and sockets of tests that others can reach.
pub(crate) fn readings(tree: &Tree) -> Vec<Finding> {
    let mut findings = judged(tree, &MAY);
    findings.extend(untold(tree, &SIT_OUT));
    findings
}

/// Those that sit out a limit and do not say so, or are no longer there.
fn untold(tree: &Tree, sit_out: &[(&str, &str)]) -> Vec<Finding> {
    let says = |file: &File| {
        let mut comments = file.text.lines().map(str::trim).filter(|line| line.starts_with("//"));
        comments.any(|line| line.contains("wall clock"))
    };
    let tells = |path: &str| tree.rust().any(|file| file.path == path && says(file));
    let silent = sit_out.iter().filter(|(path, _)| !tells(path));
    let what = "stands in `SIT_OUT`, and no comment in it says that it is about the wall clock";
    silent.map(|(path, _)| Finding::new(path, 1, what)).collect()
}

fn judged(tree: &Tree, may: &[(&str, &str)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut used = BTreeSet::new();
    let governed = |file: &&File| FOLDERS.iter().any(|folder| file.path.starts_with(folder));
    for file in tree.rust().filter(governed) {
        // What cannot be read is told by the census of functions.
        let Ok(stream) = tokens::parse(&file.text) else { continue };
        let mut seen = Vec::new();
        search(stream, None, &mut seen);
        let is_test = file.path.starts_with("tests/") || file.path.contains("/tests/");
        for (line, what) in seen {
            match what {
                Seen::Clock(_) if may.iter().any(|(path, _)| *path == file.path) => {
                    used.insert(file.path.as_str());
                }
                Seen::Clock(name) => {
                    let what = format!(
                        "`{name}`: time is virtual here; who cannot do without stands in `MAY` with the reason"
                    );
                    findings.push(Finding::new(&file.path, line, what));
                }
                Seen::Everywhere if is_test => {
                    let what = "a socket that others can reach: tests stay on loopback";
                    findings.push(Finding::new(&file.path, line, what));
                }
                Seen::Everywhere => {}
            }
        }
    }
    let idle = may.iter().filter(|(path, _)| !used.contains(path));
    findings.extend(idle.map(|(path, _)| {
        Finding::new(path, 1, "stands in `MAY`, and has no need of the wall clock")
    }));
    findings
}

enum Seen {
    /// The path's two names.
    Clock(String),
    /// The address of every interface.
    Everywhere,
}

/// What is in these tokens; `before` is the name of the path that a group of names stands behind.
fn search(stream: TokenStream, before: Option<&str>, seen: &mut Vec<(usize, Seen)>) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    // The name in front of `::`.
    let mut parent = before.map(str::to_owned);
    let mut rest = tokens.as_slice();
    while let [first, after @ ..] = rest {
        rest = after;
        match first {
            TokenTree::Ident(ident) => {
                let name = ident.to_string();
                let clock = CLOCKS
                    .iter()
                    .find(|[of, clock]| parent.as_deref() == Some(*of) && name == *clock);
                if let Some([of, clock]) = clock {
                    seen.push((tokens::line(first), Seen::Clock(format!("{of}::{clock}"))));
                }
                if name == "UNSPECIFIED" {
                    seen.push((tokens::line(first), Seen::Everywhere));
                }
                if let [one, other, after @ ..] = after
                    && tokens::is_punct(one, ':')
                    && tokens::is_punct(other, ':')
                {
                    (parent, rest) = (Some(name), after);
                    continue;
                }
            }
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                if text.contains("0.0.0.0") || text.contains("[::]") {
                    seen.push((tokens::line(first), Seen::Everywhere));
                }
            }
            TokenTree::Group(group) => search(group.stream(), parent.as_deref(), seen),
            TokenTree::Punct(_) => {}
        }
        parent = before.map(str::to_owned);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        found_but_for(&[], path, text)
    }

    fn found_but_for(may: &[(&str, &str)], path: &str, text: &str) -> Vec<String> {
        judged(&Tree::planted(&[(path, text)]), may).iter().map(Finding::to_string).collect()
    }

    fn clock(place: &str, name: &str) -> String {
        format!(
            "{place}: `{name}`: time is virtual here; who cannot do without stands in `MAY` with the reason"
        )
    }

    #[test]
    fn each_clock_is_found_however_it_is_named() {
        for [of, name] in CLOCKS {
            let expected = [clock("client/src/a.rs:2", &format!("{of}::{name}"))];
            for text in [
                format!("fn a() {{\n    std::x::{of}::{name}(b);\n}}"),
                format!("use std::fmt;\nuse x::{of}::{name};"),
                format!("fn a() {{ b!(\n{of}::{name}) }}"),
                format!("use y::z;\nuse x::{{y, {of}::{{self, {name}}}, z}};"),
            ] {
                assert_eq!(found("client/src/a.rs", &text), expected, "{text}");
            }
        }
    }

    #[test]
    fn words_alone_are_free_and_so_is_the_program() {
        let text =
            "//! thread::sleep\nfn sleep() { now(); a.sleep(); Clock::now(); Instant::of(now) }";
        assert_eq!(found("tests/hid/a.rs", text), [""; 0]);
        assert_eq!(found("cli/src/a.rs", "fn a() { thread::sleep(b) }"), [""; 0]);
    }

    #[test]
    fn who_may_has_the_need() {
        let may = [("idp/tests/a.rs", "a browser")];
        assert_eq!(found_but_for(&may, "idp/tests/a.rs", "fn a() { Instant::now() }"), [""; 0]);
        let idle = "idp/tests/a.rs:1: stands in `MAY`, and has no need of the wall clock";
        assert_eq!(found_but_for(&may, "idp/tests/a.rs", "fn a() {}"), [idle]);
    }

    #[test]
    fn who_sits_out_a_limit_says_so() {
        let sit_out = [("idp/tests/a.rs", "silence")];
        let found = |path: &str, text: &str| {
            let findings = untold(&Tree::planted(&[(path, text)]), &sit_out);
            findings.iter().map(Finding::to_string).collect::<Vec<_>>()
        };
        let said = "/// About the wall clock: it is silent.\nfn a() {}";
        assert_eq!(found("idp/tests/a.rs", said), [""; 0]);
        let untold = "idp/tests/a.rs:1: stands in `SIT_OUT`, and no comment in it says that it is about the wall clock";
        assert_eq!(found("idp/tests/a.rs", "fn a() { b(\"wall clock\") }"), [untold]);
        assert_eq!(found("idp/tests/b.rs", said), [untold]);
    }

    #[test]
    fn tests_stay_on_loopback() {
        let what = "a socket that others can reach: tests stay on loopback";
        for text in ["a(\"0.0.0.0:80\")", "a(Ipv4Addr::UNSPECIFIED)", "a(\"[::]:0\")"] {
            let text = format!("fn b() {{ {text} }}");
            assert_eq!(found("tests/hid/a.rs", &text), [format!("tests/hid/a.rs:1: {what}")]);
            assert_eq!(found("idp/tests/a.rs", &text), [format!("idp/tests/a.rs:1: {what}")]);
            assert_eq!(found("ctap-hid/src/a.rs", &text), [""; 0]);
        }
        assert_eq!(found("tests/hid/a.rs", "fn b() { a(\"127.0.0.1:0\") }"), [""; 0]);
    }
}
