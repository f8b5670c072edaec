//! `cargo xtask conformance --sabotage`: is every wrong answer noticed?
//!
//! A copy of the house is made under `target/` in which the key can be sabotaged in some hundred ways, each by
//! its name: a check left out, two steps swapped, another status for a reason ([`points`]). None of it is in the
//! house itself, so no product can hold it. The tests of the copy are built once. They run once with nothing
//! planted, and it is noted which test comes by which plant; then one plant after the other is switched on and the
//! tests that come by it run until one turns red. After that come the faults that the key has for its owners, which
//! the desk of the tests takes from a variable ([`faults`]). A plant that no test notices is a survivor: a test is missing.

mod faults;
mod hunt;
mod points;
mod workshop;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use super::programs;
use crate::house::Result;
use hunt::{Fate, Trails};
use workshop::Workshop;

/// Plants that nobody can notice, each with the reason.
const EXCUSES: &str = include_str!("sabotage/excuses.txt");

/// The kinds of plants in the order in which they are tried.
const KINDS: [&str; 7] =
    ["status ", " without ", " unfiltered", " always", " never", " swapped, ", " forgets "];

/// The packages whose tests are to notice.
const PACKAGES: [&str; 3] = ["softkey-tests", "softkey-authenticator", "softkey-ctap-hid"];

/// Test programs that take long and say little of answers, or are about a key of another build.
const SLOW: [&str; 3] = ["persistence", "bounds", "emulated"];

/// Plants one fault after the other and prints the table; true if every one was noticed or has an excuse.
pub(crate) fn run(root: &Path, wanted: &str) -> Result<bool> {
    let start = Instant::now();
    let seconds = || start.elapsed().as_secs();
    let workshop = Workshop::set_up(root)?;
    let mut programs = programs::build_some(&workshop.root, &PACKAGES, &root.join("target"))?;
    programs.retain(|program| !SLOW.contains(&program.name()));
    println!("{} test programs, built in {} s", programs.len(), seconds());
    let mut trails = Trails::default();
    if !wanted.starts_with("fault ") {
        trails = Trails::follow(&programs, &root.join("target/sabotage/trails"))?;
        println!("nothing planted: all tests pass ({} s)", seconds());
    }
    let mut report = Report { excuses: excuses(), ..Report::default() };
    let known = |name: &str| {
        trails.has(name)
            || wanted.starts_with("fault ")
            || name.starts_with("fault ")
            || name.starts_with("status ")
            || workshop.plants.iter().any(|plant| plant == name)
    };
    if let Some(name) = report.excuses.keys().find(|name| !known(name)) {
        return Err(format!("there is no plant `{name}` to excuse").into());
    }
    for fault in faults::all(&workshop.root, &root.join("target"))? {
        let plant = format!("fault {fault}");
        if report.wants(&plant, wanted) {
            report.add(&plant, &faults::hunt(&programs, &fault)?);
        }
    }
    for plant in plants(&workshop, &trails) {
        if report.wants(&plant, wanted) {
            report.add(&plant, &trails.hunt(&programs, &plant)?);
        }
    }
    println!("sabotage done in {} s", seconds());
    Ok(report.close())
}

/// What can be planted, each once: what the source was given, and the statuses that tests came by.
fn plants(workshop: &Workshop, trails: &Trails) -> Vec<String> {
    let mut all = workshop.plants.clone();
    all.extend(trails.plants().filter(|plant| !workshop.plants.contains(plant)).cloned());
    all.sort_by_key(|plant| KINDS.iter().position(|kind| plant.contains(kind)));
    all
}

/// The excused plants and why nobody can notice them.
fn excuses() -> BTreeMap<&'static str, &'static str> {
    let lines = EXCUSES.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(" = ")).collect()
}

/// The table and its end.
#[derive(Default)]
struct Report {
    excuses: BTreeMap<&'static str, &'static str>,
    noticed: usize,
    excused: usize,
    survivors: Vec<String>,
}

impl Report {
    /// Is this plant to be tried? One with an excuse is only told of, unless it is asked for by its whole name.
    fn wants(&mut self, plant: &str, wanted: &str) -> bool {
        match self.excuses.get(plant) {
            Some(excuse) if plant != wanted => {
                self.excused += usize::from(plant.contains(wanted));
                if plant.contains(wanted) {
                    println!("{plant}\n    excused: {excuse}");
                }
                false
            }
            _ => plant.contains(wanted),
        }
    }

    fn add(&mut self, plant: &str, fate: &Fate) {
        match fate {
            Fate::Noticed(test) => {
                self.noticed += 1;
                println!("{plant}\n    noticed by {test}");
            }
            Fate::Survived(tests) => {
                println!("{plant}\n    SURVIVES {tests} tests");
                self.survivors.push(plant.to_owned());
            }
        }
    }

    /// Prints the totals; true if all is well.
    fn close(&self) -> bool {
        if !self.survivors.is_empty() {
            println!("survivors, each a test that is missing:");
        }
        for survivor in &self.survivors {
            println!("    {survivor}");
        }
        println!("{} excused", self.excused);
        println!("sabotage: {} passed, {} failed", self.noticed, self.survivors.len());
        self.survivors.is_empty() && self.noticed > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_survivor_fails_and_an_excused_plant_is_not_tried() {
        let excuses = BTreeMap::from([("b excused", "why")]);
        let mut report = Report { excuses, ..Report::default() };
        assert!(report.wants("b", "") && report.wants("b", "b") && !report.wants("a", "b"));
        assert!(!report.wants("b excused", "b") && report.wants("b excused", "b excused"));
        report.add("b", &Fate::Noticed("a".into()));
        assert!(report.close());
        report.add("c", &Fate::Survived(3));
        assert!(!report.close());
        assert!(!Report::default().close(), "nothing planted proves nothing");
    }

    #[test]
    fn excuses_have_a_name_and_a_reason() {
        let lines = EXCUSES.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        assert_eq!(lines.count(), excuses().len());
    }
}
