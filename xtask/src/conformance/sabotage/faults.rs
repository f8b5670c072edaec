//! The faults that the key has for its owners, each on for the whole conformance suite.

use std::path::Path;
use std::process::Command;

use super::super::programs::Program;
use super::hunt::{self, Fate};
use crate::house::{self, Result};

/// The test program that is to notice.
const SUITE: &str = "conformance";

/// The variable from which the tests' desk takes a fault.
const VARIABLE: &str = "SOFTKEY_FAULT";

/// One way to write each fault that the program of the workspace at `root` knows.
pub(super) fn all(root: &Path, target: &Path) -> Result<Vec<String>> {
    let mut program = Command::new(env!("CARGO"));
    program.current_dir(root).env("CARGO_TARGET_DIR", target);
    let table =
        house::output_of(program.args(["run", "--quiet", "--package", "softkey", "--", "faults"]))?;
    let faults: Vec<String> =
        table.lines().filter_map(|line| line.split(' ').next()).map(written).collect();
    if faults.is_empty() {
        return Err("softkey faults lists none".into());
    }
    Ok(faults)
}

/// A fault with an argument if it needs one: `x=a|b` is written `x=a`, `x[=a]` is written `x`.
fn written(form: &str) -> String {
    if let Some((name, _)) = form.split_once("[=") {
        return name.to_owned();
    }
    let first = form.split('|').next().unwrap_or(form);
    first.replace("[COMMAND:]", "").replace("HEX", "7e").replace("=N", "=1")
}

/// Runs the suite with a fault on until a test turns red. Tests of tests have faults of their own.
pub(super) fn hunt(programs: &[Program], fault: &str) -> Result<Fate> {
    let mut tests = Vec::new();
    for (number, program) in programs.iter().enumerate().filter(|(_, it)| it.name() == SUITE) {
        let names = program.names()?.into_iter().filter(|name| !name.contains("plant"));
        tests.extend(names.map(|name| (number, name)));
    }
    hunt::hunt(programs, (VARIABLE, fault), &tests)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_written_with_what_it_needs() {
        assert_eq!(written("silence"), "silence");
        assert_eq!(written("wrong-counter=back|zero"), "wrong-counter=back");
        assert_eq!(written("status=[COMMAND:]HEX"), "status=7e");
        assert_eq!(written("pin-retries=N"), "pin-retries=1");
        assert_eq!(written("delay[=MS]"), "delay");
    }
}
