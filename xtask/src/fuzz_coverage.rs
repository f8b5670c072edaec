//! `cargo xtask fuzz-coverage`: how many lines of the `no_std` crates the kept inputs of the fuzz targets reach.
//!
//! The targets are built as programs that replay files, instrumented by the compiler, and run on what is in
//! `fuzz/seeds` and `fuzz/corpora`. The compiler writes raw profiles in a form of its own LLVM, so that the tools
//! that read them must be of the same generation: `llvm-profdata` and `llvm-cov` are taken from Debian's package of
//! that number.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::debian;
use crate::house::{self, Result};

/// What is measured, and the part of its lines that must be reached, in hundredths.
const CRATES: [(&str, u64); 3] = [("authenticator", 90), ("ctap", 90), ("ctap-hid", 90)];

/// What no input reaches, because it moves bytes to and from the system: the adapters of `ctap-hid` behind its
/// features, and what drives them in threads. `tests/hid` and `cargo xtask vm` are about them.
const ADAPTERS: [&str; 6] = [
    "ctap-hid/src/connection.rs",
    "ctap-hid/src/keys.rs",
    "ctap-hid/src/port.rs",
    "ctap-hid/src/readers.rs",
    "ctap-hid/src/udp/",
    "ctap-hid/src/uhid/",
];

/// What `cargo xtask fuzz-coverage` may be told.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Print each file's figures too
    #[arg(long)]
    files: bool,
}

/// Lines that can be reached, and those that were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Lines {
    found: u64,
    hit: u64,
}

impl Lines {
    fn add(&mut self, other: Self) {
        self.found += other.found;
        self.hit += other.hit;
    }

    /// Tenths of a percent, rounded down.
    fn permille(self) -> u64 {
        (self.hit * 1000).checked_div(self.found).unwrap_or(0)
    }
}

/// Replays all seeds and prints the table; true if each crate reaches its part.
pub(crate) fn run(args: &Args) -> Result<bool> {
    let root = house::root()?;
    let work = house::members(&root)?.target_directory.into_std_path_buf().join("fuzz-coverage");
    let tools = Tools::find()?;
    let programs = build(&root, &work)?;
    let profiles = work.join("profiles");
    if profiles.exists() {
        fs::remove_dir_all(&profiles)?;
    }
    for (name, program) in &programs {
        let kept = root.join("fuzz/corpora").join(format!("{name}.pack"));
        let inputs = [root.join("fuzz/seeds").join(name), kept];
        replay(program, &inputs, &profiles.join(name))?;
    }
    let report = tools.report(&programs, &profiles, &work.join("all.profdata"))?;
    let files = by_file(&report, &root);
    if args.files {
        for (file, lines) in &files {
            println!("{file}: {}", percent(*lines));
        }
    }
    Ok(judge(&files))
}

/// Prints each crate's part; true if all reach theirs.
fn judge(files: &BTreeMap<String, Lines>) -> bool {
    let mut well = true;
    let (mut passed, mut failed) = (0, 0);
    for (name, least) in CRATES {
        let mut all = Lines::default();
        for (_, lines) in files.iter().filter(|(file, _)| file.starts_with(&format!("{name}/"))) {
            all.add(*lines);
        }
        let enough = all.permille() >= least * 10;
        println!("{name}: {}{}", percent(all), if enough { "" } else { ", too little" });
        well &= enough;
        if enough { passed += 1 } else { failed += 1 }
    }
    println!("fuzz-coverage: {passed} passed, {failed} failed");
    well
}

fn percent(lines: Lines) -> String {
    let permille = lines.permille();
    format!("{}.{} % of {} lines", permille / 10, permille % 10, lines.found)
}

/// The programs that read profiles.
struct Tools {
    profdata: String,
    cov: String,
}

impl Tools {
    /// Those that belong to the compiler; installed if they are not there and can be.
    fn find() -> Result<Self> {
        let version = house::output_of(Command::new("rustc").arg("-vV"))?;
        let number = llvm_of(&version).ok_or("rustc does not name its LLVM")?;
        let tools =
            Self { profdata: format!("llvm-profdata-{number}"), cov: format!("llvm-cov-{number}") };
        let there = |tool: &str| house::output_of(Command::new(tool).arg("--version")).is_ok();
        if !(there(&tools.profdata) && there(&tools.cov)) {
            debian::prepare(&[&format!("llvm-{number}")])?;
        }
        Ok(tools)
    }

    /// What all profiles say together, as lcov has it.
    fn report(
        &self,
        programs: &[(String, PathBuf)],
        profiles: &Path,
        merged: &Path,
    ) -> Result<String> {
        let mut merge = Command::new(&self.profdata);
        merge.args(["merge", "--sparse", "--output"]).arg(merged);
        for (name, _) in programs {
            merge.arg(profiles.join(name));
        }
        house::output_of(&mut merge)?;
        let mut export = Command::new(&self.cov);
        export.args(["export", "--format=lcov", "--summary-only", "--instr-profile"]).arg(merged);
        for (_, program) in programs {
            export.arg("--object").arg(program);
        }
        house::output_of(&mut export)
    }
}

/// The number of the LLVM of a compiler that describes itself so.
fn llvm_of(version: &str) -> Option<&str> {
    let number = version.lines().find_map(|line| line.strip_prefix("LLVM version: "))?;
    number.split('.').next()
}

/// Builds the instrumented programs; each target's name and program.
fn build(root: &Path, work: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root).args(["build", "--quiet", "--locked", "--package", "softkey-fuzz"]);
    cargo.args(["--bins", "--target-dir"]).arg(work).env("RUSTFLAGS", "-Cinstrument-coverage");
    // Build scripts are instrumented too, and would leave their profiles where they run.
    cargo.env("LLVM_PROFILE_FILE", "/dev/null");
    let status = cargo.stdin(Stdio::null()).status()?;
    if !status.success() {
        return Err(format!("the targets were not built: {status}").into());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(root.join("fuzz/seeds"))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let program = |name: String| (name.clone(), work.join("debug").join(name));
    Ok(names.into_iter().map(program).collect())
}

/// Runs a target on those of its inputs that are there.
fn replay(program: &Path, inputs: &[PathBuf], profile: &Path) -> Result<()> {
    let mut replay = Command::new(program);
    replay.args(inputs.iter().filter(|path| path.exists())).env("LLVM_PROFILE_FILE", profile);
    house::output_of(&mut replay).map(drop)
}

/// The figures of the measured crates' own files, from a report in lcov's form.
fn by_file(report: &str, root: &Path) -> BTreeMap<String, Lines> {
    let mut files = BTreeMap::new();
    let mut current: Option<String> = None;
    for line in report.lines() {
        if let Some(path) = line.strip_prefix("SF:") {
            let path = Path::new(path).strip_prefix(root).ok();
            current = path.map(|path| path.to_string_lossy().into_owned()).filter(|p| measured(p));
        } else if let Some(file) = &current {
            let lines: &mut Lines = files.entry(file.clone()).or_default();
            let number = |text: &str| text.parse().unwrap_or(0);
            if let Some(found) = line.strip_prefix("LF:") {
                lines.found = number(found);
            } else if let Some(hit) = line.strip_prefix("LH:") {
                lines.hit = number(hit);
            }
        }
    }
    files
}

fn measured(path: &str) -> bool {
    let ours = CRATES.iter().any(|(name, _)| path.starts_with(&format!("{name}/src/")));
    ours && !ADAPTERS.iter().any(|adapter| path.starts_with(adapter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_measured_files_of_a_report_count() {
        let report = "SF:/house/ctap/src/cose.rs\nFNF:3\nLF:10\nLH:9\nend_of_record\n\
                      SF:/house/ctap-hid/src/udp/host.rs\nLF:100\nLH:0\nend_of_record\n\
                      SF:/other/ctap/src/cose.rs\nLF:100\nLH:0\nend_of_record\n";
        let files = by_file(report, Path::new("/house"));
        let expected = [("ctap/src/cose.rs".to_owned(), Lines { found: 10, hit: 9 })];
        assert_eq!(files, expected.into());
    }

    /// A crate with one line too few fails, and so does one without a line.
    #[test]
    fn too_little_fails() {
        let all =
            |hit| CRATES.map(|(name, _)| (format!("{name}/src/a.rs"), Lines { found: 100, hit }));
        assert!(judge(&all(90).into()));
        assert!(!judge(&all(89).into()));
        assert!(!judge(&BTreeMap::new()));
    }

    #[test]
    fn the_tools_are_those_of_the_compiler() {
        assert_eq!(llvm_of("rustc 1.95.0\nhost: x\nLLVM version: 22.1.2\n"), Some("22"));
        assert_eq!(llvm_of("rustc 1.95.0\n"), None);
    }
}
