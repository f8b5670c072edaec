//! `cargo xtask conformance --sabotage`: is every wrong answer noticed?
//!
//! A copy of the house is made under `target/` in which the key can be sabotaged in some hundred ways, each by
//! its name: a check left out, two steps swapped, another status for a reason ([`points`]). None of it is in the
//! house itself, so no product can hold it. The tests of the copy are built once. They run once with nothing
//! planted, and it is noted which test comes by which plant; then one plant after the other is switched on and the
//! tests that come by it run until one turns red. A plant that no test notices is a survivor: a test is missing.

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

/// The packages whose tests are to notice.
const PACKAGES: [&str; 3] = ["softkey-tests", "softkey-authenticator", "softkey-ctap-hid"];

/// Test programs that take long and say little of answers.
const SLOW: [&str; 2] = ["persistence", "bounds"];

/// Plants one fault after the other and prints the table; true if every one was noticed or has an excuse.
pub(crate) fn run(root: &Path, wanted: &str) -> Result<bool> {
    let start = Instant::now();
    let seconds = || start.elapsed().as_secs();
    let workshop = Workshop::set_up(root)?;
    let mut programs = programs::build_some(&workshop.root, &PACKAGES, &root.join("target"))?;
    programs.retain(|program| !SLOW.contains(&program.name()));
    println!("{} test programs, built in {} s", programs.len(), seconds());
    let trails = Trails::follow(&programs, &root.join("target/sabotage/trails"))?;
    println!("nothing planted: all tests pass ({} s)", seconds());
    let excuses = excuses();
    let mut report = Report::default();
    let known = |name: &str| trails.has(name) || workshop.plants.iter().any(|plant| plant == name);
    for name in excuses.keys().filter(|name| !known(name)) {
        println!("there is no plant `{name}` to excuse");
        report.sound = false;
    }
    for plant in plants(&workshop, &trails).into_iter().filter(|name| name.contains(wanted)) {
        let fate = trails.hunt(&programs, &plant)?;
        report.add(&plant, &fate, excuses.get(plant.as_str()).copied());
    }
    println!("sabotage done in {} s", seconds());
    Ok(report.close())
}

/// What can be planted, each once: what the source was given, and the statuses that tests came by.
fn plants(workshop: &Workshop, trails: &Trails) -> Vec<String> {
    let mut all = workshop.plants.clone();
    all.extend(trails.plants().filter(|plant| !workshop.plants.contains(plant)).cloned());
    all
}

/// The excused plants and why nobody can notice them.
fn excuses() -> BTreeMap<&'static str, &'static str> {
    let lines = EXCUSES.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(" = ")).collect()
}

/// The table's end.
struct Report {
    noticed: usize,
    excused: usize,
    survivors: Vec<String>,
    sound: bool,
}

impl Default for Report {
    fn default() -> Self {
        Self { noticed: 0, excused: 0, survivors: Vec::new(), sound: true }
    }
}

impl Report {
    fn add(&mut self, plant: &str, fate: &Fate, excuse: Option<&str>) {
        match (fate, excuse) {
            (Fate::Noticed(test), None) => {
                self.noticed += 1;
                println!("{plant}\n    noticed by {test}");
            }
            (Fate::Noticed(test), Some(_)) => {
                self.sound = false;
                println!("{plant}\n    noticed by {test}, and needs no excuse any more");
            }
            (Fate::Survived(_), Some(excuse)) => {
                self.excused += 1;
                println!("{plant}\n    excused: {excuse}");
            }
            (Fate::Survived(tests), None) => {
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
        self.sound && self.survivors.is_empty() && self.noticed > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_survivor_fails_and_an_excuse_must_be_needed() {
        let noticed = Fate::Noticed("a".into());
        let mut report = Report::default();
        report.add("x", &noticed, None);
        report.add("y", &Fate::Survived(3), Some("why"));
        assert!(report.close());
        report.add("z", &noticed, Some("why"));
        assert!(!report.close());
        let mut report = Report::default();
        report.add("x", &noticed, None);
        report.add("y", &Fate::Survived(0), None);
        assert!(!report.close());
        assert!(!Report::default().close());
    }

    #[test]
    fn excuses_have_a_name_and_a_reason() {
        let lines = EXCUSES.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        assert_eq!(lines.count(), excuses().len());
    }
}
