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

/// The program's exit code for arguments that make no sense.
const USAGE: i32 = 2;

/// The ways to write each fault that the program of the workspace at `root` knows.
pub(super) fn all(root: &Path, target: &Path) -> Result<Vec<String>> {
    let mut program = Command::new(env!("CARGO"));
    program.current_dir(root).env("CARGO_TARGET_DIR", target);
    let table =
        house::output_of(program.args(["run", "--quiet", "--package", "softkey", "--", "faults"]))?;
    let faults: Vec<String> =
        table.lines().filter_map(|line| line.split(' ').next()).flat_map(spellings).collect();
    if faults.is_empty() {
        return Err("softkey faults lists none".into());
    }
    // One that the key does not know would turn every test red, and prove nothing.
    for fault in &faults {
        let mut program = Command::new(target.join("debug/softkey"));
        program.arg("control").arg(root.join("no-socket")).args(["fault", "on", fault]);
        if program.output()?.status.code() == Some(USAGE) {
            return Err(format!("softkey does not know the fault {fault}").into());
        }
    }
    Ok(faults)
}

/// A fault with each argument that it knows: `x=a|b` is `x=a` and `x=b`, `x[=a]` is `x` and `x=a`.
fn spellings(form: &str) -> Vec<String> {
    let (name, optional, arguments) = match (form.split_once("[="), form.split_once('=')) {
        (Some((name, arguments)), _) => (name, true, arguments.trim_end_matches(']')),
        (None, Some((name, arguments))) => (name, false, arguments),
        (None, None) => return vec![form.to_owned()],
    };
    let arguments = arguments.split('|').flat_map(|argument| samples(argument, optional));
    let bare = optional.then(|| name.to_owned());
    bare.into_iter().chain(arguments.map(|argument| format!("{name}={argument}"))).collect()
}

/// What is written in the place of an argument. How much of something is left to the default where there is one.
fn samples(argument: &str, optional: bool) -> Vec<&str> {
    match argument {
        "[COMMAND:]HEX" => vec!["7e", "makeCredential:7e"],
        "HEX" => vec!["7e"],
        "COSE" => vec!["-257"],
        "K" => vec!["0"],
        "N" if !optional => vec!["1"],
        "N" | "MS" | "BYTES" => vec![],
        name => vec![name],
    }
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
        assert_eq!(spellings("silence"), ["silence"]);
        assert_eq!(
            spellings("wrong-counter=back|zero"),
            ["wrong-counter=back", "wrong-counter=zero"]
        );
        assert_eq!(spellings("status=[COMMAND:]HEX"), ["status=7e", "status=makeCredential:7e"]);
        assert_eq!(spellings("pin-retries=N"), ["pin-retries=1"]);
        assert_eq!(spellings("delay[=MS]"), ["delay"]);
        assert_eq!(spellings("drop-packet[=K]"), ["drop-packet", "drop-packet=0"]);
        assert_eq!(
            spellings("wrong-format[=tpm|none]"),
            ["wrong-format", "wrong-format=tpm", "wrong-format=none"]
        );
    }
}
