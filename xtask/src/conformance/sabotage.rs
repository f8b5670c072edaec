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
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use super::programs::{self, Program};
use crate::house::Result;
use hunt::{Fate, Trails};
use workshop::Workshop;

/// Plants that nobody can notice, each with the reason.
const EXCUSES: &str = include_str!("sabotage/excuses.txt");

/// The kinds of plants in the order in which they are tried.
const KINDS: [&str; 7] =
    ["status ", " without ", " unfiltered", " always", " never", " swapped, ", " forgets "];

/// How the names of the faults begin that the key has for its owners.
const FAULT: &str = "fault ";

/// The packages whose tests are to notice.
const PACKAGES: [&str; 3] = ["softkey-tests", "softkey-authenticator", "softkey-ctap-hid"];

/// Test programs that take long and say little of answers, or are about a key of another build.
const SLOW: [&str; 3] = ["persistence", "bounds", "emulated"];

/// Plants one fault after the other and prints the table; true if every one was noticed or has an excuse. Tried is what
/// holds one of the wanted texts.
pub(crate) fn run(root: &Path, wanted: &[String]) -> Result<bool> {
    let start = Instant::now();
    let seconds = || start.elapsed().as_secs();
    let workshop = Workshop::set_up(root)?;
    let programs = build(&workshop, root)?;
    println!("{} test programs, built in {} s", programs.len(), seconds());
    let mut report = Report { excuses: excuses(), ..Report::default() };
    let (mut all, mut trails) = (Vec::new(), Trails::default());
    if wanted.is_empty() || wanted.iter().any(|text| text.starts_with(FAULT)) {
        let faults = faults::all(&workshop.root, &root.join("target"))?;
        all.extend(faults.iter().map(|fault| format!("{FAULT}{fault}")));
    }
    if wanted.is_empty() || wanted.iter().any(|text| !text.starts_with(FAULT)) {
        trails = Trails::follow(&programs, &root.join("target/sabotage/trails"))?;
        println!("nothing planted: all tests pass ({} s)", seconds());
        all.extend(plants(&workshop, &trails));
        let known = |name: &str| name.starts_with(FAULT) || all.iter().any(|plant| plant == name);
        if let Some(name) = report.excuses.keys().find(|name| !known(name)) {
            return Err(format!("there is no plant `{name}` to excuse").into());
        }
    }
    all.retain(|plant| report.wants(plant, wanted));
    let report = hunt_all(&all, report, |plant| match plant.strip_prefix(FAULT) {
        Some(fault) => faults::hunt(&programs, fault),
        None => trails.hunt(&programs, plant),
    })?;
    println!("sabotage done in {} s", seconds());
    Ok(report.close())
}

/// Builds the test programs that are to notice. Cargo takes the copy for the house, so the next build there would
/// replace them: they are run from a folder of their own.
fn build(workshop: &Workshop, root: &Path) -> Result<Vec<Program>> {
    let mut programs = programs::build_some(&workshop.root, &PACKAGES, &root.join("target"))?;
    programs.retain(|program| !SLOW.contains(&program.name()));
    let folder = root.join("target/sabotage/programs");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    programs.iter_mut().try_for_each(|program| program.keep_in(&folder))?;
    Ok(programs)
}

/// Hunts for all of these plants, as many at a time as there are processors.
fn hunt_all(
    plants: &[String],
    report: Report,
    hunt: impl Fn(&str) -> Result<Fate> + Sync,
) -> Result<Report> {
    let next = AtomicUsize::new(0);
    let report = Mutex::new(report);
    let work = || -> std::result::Result<(), String> {
        while let Some(plant) = plants.get(next.fetch_add(1, Ordering::Relaxed)) {
            let fate = hunt(plant).map_err(|error| format!("{plant}: {error}"))?;
            report.lock().unwrap_or_else(PoisonError::into_inner).add(plant, &fate);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..hunt::cores()).map(|_| scope.spawn(work)).collect();
        let joined =
            workers.into_iter().map(|worker| worker.join().map_err(|_| "a hunter fell")?);
        joined.collect::<std::result::Result<Vec<()>, String>>()
    })?;
    Ok(report.into_inner().unwrap_or_else(PoisonError::into_inner))
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
    // A plant's name may hold an assignment.
    lines.filter_map(|line| line.rsplit_once(" = ")).collect()
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
    fn wants(&mut self, plant: &str, wanted: &[String]) -> bool {
        if !wanted.is_empty() && !wanted.iter().any(|text| plant.contains(text)) {
            return false;
        }
        match self.excuses.get(plant) {
            Some(excuse) if !wanted.iter().any(|text| text == plant) => {
                self.excused += 1;
                println!("{plant}\n    excused: {excuse}");
                false
            }
            _ => true,
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
        let wanted = |text: &str| vec![text.to_owned()];
        assert!(report.wants("b", &[]) && report.wants("b", &wanted("b")));
        assert!(!report.wants("a", &wanted("b")) && !report.wants("b excused", &wanted("b")));
        assert!(report.wants("b excused", &wanted("b excused")));
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
