//! Which tests come by a plant, and which of them is the first to turn red once it is on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::super::programs::Program;
use crate::house::Result;

/// How long no test may end. Longer means that the plant makes one of them run for ever, which is noticed too.
const PATIENCE: Duration = Duration::from_secs(90);

/// How many tests are run at first, and by how much more each time that all of them stay green.
const FIRST_BATCH: usize = 6;
const GROWTH: usize = 4;

/// A test: its program's number, and its name there.
type Test = (usize, String);

/// Which tests come by which plant.
#[derive(Default)]
pub(super) struct Trails {
    /// For each plant its tests; those that come by few plants first.
    trails: BTreeMap<String, Vec<Test>>,
}

/// What became of a plant.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// This test turned red.
    Noticed(String),
    /// So many tests come by, and all stay green.
    Survived(usize),
}

impl Trails {
    /// Runs every test with all plants off, which must be green, and notes what each comes by.
    pub(super) fn follow(programs: &[Program], notes: &Path) -> Result<Self> {
        let mut all = Vec::new();
        for (number, program) in programs.iter().enumerate() {
            let _ = fs::remove_file(notes);
            // The name of a test is that of its thread, which it has only beside others.
            let mut command = program.command();
            command.env("SOFTKEY_SABOTAGE_TRACE", notes).arg(threads(cores().max(2)));
            let output = command.output()?;
            if !output.status.success() {
                let text = String::from_utf8_lossy(&output.stdout);
                return Err(format!("{text}\n{} is red without any plant", program.name()).into());
            }
            let known: BTreeSet<String> = program.names()?.into_iter().collect();
            let mut plants_of: BTreeMap<String, Vec<String>> = BTreeMap::new();
            let text = fs::read_to_string(notes).unwrap_or_default();
            for (test, plant) in text.lines().filter_map(|line| line.split_once('\t')) {
                if known.contains(test) {
                    plants_of.entry(test.to_owned()).or_default().push(plant.to_owned());
                }
            }
            all.extend(plants_of.into_iter().map(|(test, plants)| ((number, test), plants)));
        }
        all.sort_by_key(|(_, plants)| plants.len());
        let mut trails: BTreeMap<String, Vec<Test>> = BTreeMap::new();
        for (test, plants) in all {
            for plant in plants {
                trails.entry(plant).or_default().push(test.clone());
            }
        }
        Ok(Self { trails })
    }

    /// The plants that some test comes by.
    pub(super) fn plants(&self) -> impl Iterator<Item = &String> {
        self.trails.keys()
    }

    /// Switches a plant on and runs the tests that come by it until one turns red.
    pub(super) fn hunt(&self, programs: &[Program], plant: &str) -> Result<Fate> {
        // Tests named like the plant's module are the likeliest to notice.
        let module = plant.split([' ', ':']).next().unwrap_or_default();
        let tests = self.trails.get(plant).map(Vec::as_slice).unwrap_or_default();
        let (near, far): (Vec<Test>, Vec<Test>) =
            tests.iter().cloned().partition(|(_, test)| test.contains(module));
        hunt(programs, ("SOFTKEY_SABOTAGE", plant), &[near, far].concat())
    }
}

/// How many tests run at once, all programs taken together.
pub(super) fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

fn threads(number: usize) -> String {
    format!("--test-threads={number}")
}

/// Runs these tests with a variable set, some first and then more, until one turns red.
pub(super) fn hunt(
    programs: &[Program],
    variable: (&str, &str),
    mut tests: &[Test],
) -> Result<Fate> {
    let all = tests.len();
    let mut batch = FIRST_BATCH;
    while !tests.is_empty() {
        let (now, later) = tests.split_at(batch.min(tests.len()));
        for (number, program) in programs.iter().enumerate() {
            let names = now.iter().filter(|(of, _)| *of == number).map(|(_, name)| name.as_str());
            let names: Vec<&str> = names.collect();
            if names.is_empty() {
                continue;
            }
            if let Some(test) = first_red(program, variable, &names)? {
                return Ok(Fate::Noticed(format!("{}::{test}", program.name())));
            }
        }
        tests = later;
        batch *= GROWTH;
    }
    Ok(Fate::Survived(all))
}

/// Runs these tests with a variable set, one after the other, until one turns red: its name, or what else became of
/// the program.
fn first_red(
    program: &Program,
    (variable, value): (&str, &str),
    tests: &[&str],
) -> Result<Option<String>> {
    let mut command = program.command();
    command.env(variable, value).args([&threads(1), "--exact"]).args(tests);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let red = watch(&mut child);
    let ended = child.try_wait()?;
    let _ = child.kill();
    let status = ended.map_or_else(|| child.wait(), Ok)?;
    Ok(match red {
        Red::Test(name) => Some(name),
        Red::Nothing if status.success() => None,
        Red::Nothing => Some(format!("(the program ends with {status})")),
        Red::Late => Some("(a test does not end)".to_owned()),
    })
}

/// What is seen of a program.
#[derive(Debug, PartialEq, Eq)]
enum Red {
    Test(String),
    Nothing,
    Late,
}

/// Reads results as they come.
fn watch(child: &mut Child) -> Red {
    let Some(output) = child.stdout.take() else { return Red::Nothing };
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(std::io::Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    loop {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) => {
                if let Some(test) = failed(&line) {
                    return Red::Test(test.to_owned());
                }
            }
            Err(RecvTimeoutError::Disconnected) => {
                // Its output is closed: the program is about to end.
                let _ = child.wait();
                return Red::Nothing;
            }
            Err(RecvTimeoutError::Timeout) => return Red::Late,
        }
    }
}

/// The test that a line says has failed.
fn failed(line: &str) -> Option<&str> {
    let name = line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?;
    Some(name.strip_suffix(" - should panic").unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_red_test_is_known_by_its_line() {
        assert_eq!(failed("test a::b ... FAILED"), Some("a::b"));
        assert_eq!(failed("test a - should panic ... FAILED"), Some("a"));
        assert_eq!(failed("test a::b ... ok"), None);
        assert_eq!(failed("test result: FAILED. 1 passed; 1 failed"), None);
    }
}
