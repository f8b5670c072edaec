//! What Chromium did: a file with a section for each way, written by the browser's own run and read by every other test.
//! So the client is held against a browser also where there is none, and a browser of another version against this one.

use std::collections::BTreeMap;
use std::path::Path;

use crate::seen::Seen;

/// The file.
pub(crate) const RECORD: &str = include_str!("chromium.txt");

/// Ways by their names, each as lines.
pub(crate) type Lines = BTreeMap<String, Vec<String>>;

/// A way as lines: `outcome`, `dialog`, `request` and `order`, each with its text.
pub(crate) fn lines(seen: &Seen) -> Vec<String> {
    let outcomes = seen.outcomes.iter().map(|outcome| format!("outcome {outcome}"));
    let dialogs = seen.dialogs.iter().map(|dialog| format!("dialog {dialog}"));
    let requests = seen.requests.iter().map(|request| format!("request {request}"));
    let orders = seen.orders.iter().map(|order| format!("order {order}"));
    outcomes.chain(dialogs).chain(requests).chain(orders).collect()
}

/// Reads the file: the browser's version, and what it did.
pub(crate) fn read(text: &str) -> (&str, Lines) {
    let version = text.lines().find_map(|line| line.strip_prefix("# Chromium ")).unwrap();
    let mut all = Lines::new();
    for section in text.split("\n== ").skip(1) {
        let mut lines = section.lines().map(str::to_owned);
        let name = lines.next().unwrap();
        let before = all.insert(name, lines.collect());
        assert_eq!(before, None, "a way is there twice");
    }
    (version, all)
}

/// Writes it anew.
pub(crate) fn write(version: &str, all: &Lines) {
    let mut text = format!("# Chromium {version}\n");
    for (name, lines) in all {
        text.extend(["\n== ", name]);
        text.extend(lines.iter().map(|line| format!("\n{line}")));
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/flow/chromium.txt");
    std::fs::write(file, text + "\n").unwrap();
}
