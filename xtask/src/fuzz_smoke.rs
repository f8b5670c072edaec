//! `cargo xtask fuzz-smoke`: each fuzz target for a bounded time, from its seeds, as cargo-fuzz builds it.
//!
//! Needs cargo-fuzz and a C++ compiler, and no nightly: without a sanitizer cargo-fuzz passes stable flags only,
//! and there is no `unsafe` here for a sanitizer to judge. A run begins with the seeds and with the inputs kept in
//! `fuzz/corpora`. New inputs go to `target/fuzz/corpus`, and with `--keep` the fewest that reach the same are kept;
//! what breaks a claim goes to `target/fuzz/artifacts`; `fuzz/FINDINGS.md` says what to do with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use crate::house::{self, Result};

/// What `cargo xtask fuzz-smoke` may be told.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How long each target runs
    #[arg(long, value_name = "N", default_value_t = 10)]
    seconds: u64,
    /// Only these targets
    #[arg(long, value_name = "TARGET")]
    only: Vec<String>,
    /// Plant a fault into each target, which must be found in the time, beginning with nothing
    #[arg(long)]
    planted: bool,
    /// Keep the fewest inputs that reach what all of them reach, in `fuzz/corpora`
    #[arg(long, conflicts_with = "planted")]
    keep: bool,
}

/// A target as the library lists it.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    name: String,
    /// The longest input worth trying, in bytes.
    longest: String,
}

/// Builds all targets and runs them one after the other; true if all claims held, or all plants were found.
pub(crate) fn run(args: &Args) -> Result<bool> {
    let root = house::root()?;
    let programs = build(&root)?;
    let work = root.join("target/fuzz");
    let targets = targets(&root, &work)?;
    if let Some(name) = args.only.iter().find(|name| !targets.iter().any(|t| t.name == **name)) {
        return Err(format!("there is no target `{name}`").into());
    }
    let (mut passed, mut failed) = (0_usize, 0_usize);
    for target in targets.iter().filter(|t| args.only.is_empty() || args.only.contains(&t.name)) {
        let begun = Instant::now();
        let output = fuzz(&root, &work, &programs, target, args)?;
        let log = String::from_utf8_lossy(&output.stderr);
        let found = broken_by(&log).filter(|_| !output.status.success());
        let well = match found {
            Some(input) if args.planted => {
                is_of_the_plant(&root, &programs, target, Path::new(input))?
            }
            _ => !args.planted && output.status.success(),
        };
        if well {
            passed += 1;
        } else {
            failed += 1;
            println!("{}", end_of(&log));
        }
        let verdict = match (found, output.status.success()) {
            (Some(_), _) if args.planted && !well => "what was found is not the plant",
            (Some(_), _) => "a claim is broken",
            (None, true) => "all claims held",
            (None, false) => "the fuzzer failed",
        };
        let seconds = begun.elapsed().as_secs();
        println!("{}: {verdict}; {} runs in {seconds} s", target.name, runs_in(&log));
        if args.keep && well {
            keep(&root, &work, &programs, target)?;
        }
    }
    println!("fuzz-smoke: {passed} passed, {failed} failed");
    Ok(failed == 0)
}

/// Builds the targets; the folder that they are in.
fn build(root: &Path) -> Result<PathBuf> {
    let host = house::output_of(Command::new("rustc").arg("-vV"))?;
    let host =
        host.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("rustc has no host")?;
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root).args(["fuzz", "build", "--fuzz-dir", "fuzz", "--sanitizer", "none"]);
    // Optimising over crates takes longer than the run.
    cargo.env("CARGO_PROFILE_RELEASE_LTO", "false");
    let status = cargo.stdin(Stdio::null()).status()?;
    if !status.success() {
        let hint = "cargo-fuzz is had by `cargo install cargo-fuzz`, a C++ compiler by `apt-get install g++`";
        return Err(format!("the targets were not built: {status} ({hint})").into());
    }
    let target = house::members(root)?.target_directory.into_std_path_buf();
    Ok(target.join(host).join("release"))
}

/// The targets and, in `work`, their dictionaries: both from the library.
fn targets(root: &Path, work: &Path) -> Result<Vec<Target>> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root).args(["run", "--quiet", "--locked", "--package", "softkey-fuzz"]);
    let listing = house::output_of(cargo.args(["--example", "dictionaries", "--"]).arg(work))?;
    Ok(listed(&listing))
}

fn listed(listing: &str) -> Vec<Target> {
    let words = listing.lines().filter_map(|line| line.split_once(' '));
    words.map(|(name, longest)| Target { name: name.into(), longest: longest.into() }).collect()
}

/// Runs one target to its end or to the first broken claim.
fn fuzz(root: &Path, work: &Path, programs: &Path, target: &Target, args: &Args) -> Result<Output> {
    let Target { name, longest } = target;
    let place = |folder: &str| -> Result<PathBuf> {
        let place = work.join(folder).join(name);
        fs::create_dir_all(&place)?;
        Ok(place)
    };
    let artifacts = place("artifacts")?;
    let mut fuzzer = Command::new(programs.join(name));
    fuzzer.current_dir(root).stdin(Stdio::null());
    if args.planted {
        let nothing = place("nothing")?;
        fs::remove_dir_all(&nothing)?;
        fs::create_dir_all(&nothing)?;
        fuzzer.env("SOFTKEY_FUZZ_PLANT", "1").arg(nothing);
    } else {
        let corpus = place("corpus")?;
        corpora(root, "unpack", &pack_of(root, name), &corpus)?;
        fuzzer.arg(corpus).arg(root.join("fuzz/seeds").join(name));
    }
    // libFuzzer takes no dictionary without words.
    let dictionary = work.join(format!("{name}.dict"));
    if fs::metadata(&dictionary).is_ok_and(|file| file.len() > 0) {
        fuzzer.arg(format!("-dict={}", dictionary.display()));
    }
    fuzzer
        .arg(format!("-max_total_time={}", args.seconds))
        .arg(format!("-max_len={longest}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .args(["-print_final_stats=1", "-timeout=30", "-rss_limit_mb=2048"]);
    let output = fuzzer.stdout(Stdio::null()).stderr(Stdio::piped()).output();
    output.map_err(|error| format!("{name} cannot be started: {error}").into())
}

/// The file of the input that broke a claim, as libFuzzer's log names it. An input that took too long or too much memory lies
/// in a file of another name, and a fuzzer that could not begin has written none.
fn broken_by(log: &str) -> Option<&str> {
    let named = log.lines().filter_map(|line| line.split_once("Test unit written to "));
    let is_crash = |file: &&str| {
        let name = Path::new(file).file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with("crash-"))
    };
    named.map(|(_, file)| file.trim()).find(is_crash)
}

/// Does this input break a claim with the plant, and none without?
fn is_of_the_plant(root: &Path, programs: &Path, target: &Target, input: &Path) -> Result<bool> {
    let replay = || {
        let mut program = Command::new(programs.join(&target.name));
        program.current_dir(root).arg(input).stdin(Stdio::null());
        program.stdout(Stdio::null()).stderr(Stdio::null());
        program
    };
    let planted = replay().env("SOFTKEY_FUZZ_PLANT", "1").status()?.success();
    Ok(!planted && replay().env_remove("SOFTKEY_FUZZ_PLANT").status()?.success())
}

/// Where a target's kept inputs are.
fn pack_of(root: &Path, name: &str) -> PathBuf {
    root.join("fuzz/corpora").join(format!("{name}.pack"))
}

/// Packs or unpacks, by the library's own hand.
fn corpora(root: &Path, what: &str, from: &Path, to: &Path) -> Result<()> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root).args(["run", "--quiet", "--locked", "--package", "softkey-fuzz"]);
    house::output_of(cargo.args(["--example", "corpora", "--", what]).arg(from).arg(to)).map(drop)
}

/// Keeps as few of a target's inputs as reach what all reach beside its seeds.
fn keep(root: &Path, work: &Path, programs: &Path, target: &Target) -> Result<()> {
    let fewest = work.join("fewest").join(&target.name);
    if fewest.exists() {
        fs::remove_dir_all(&fewest)?;
    }
    fs::create_dir_all(&fewest)?;
    let mut fuzzer = Command::new(programs.join(&target.name));
    fuzzer.current_dir(root).arg("-set_cover_merge=1").arg(format!("-max_len={}", target.longest));
    fuzzer.arg(&fewest).arg(work.join("corpus").join(&target.name));
    house::output_of(&mut fuzzer)?;
    fs::create_dir_all(root.join("fuzz/corpora"))?;
    corpora(root, "pack", &fewest, &pack_of(root, &target.name))
}

/// How often the body ran, as libFuzzer counts.
fn runs_in(log: &str) -> &str {
    let count = log.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    count.map_or("?", str::trim)
}

/// The end of a log, where the broken claim and the input's file are named.
fn end_of(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines.split_at(lines.len().saturating_sub(60)).1.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_from_the_library_s_list() {
        let target =
            |name: &str, longest: &str| Target { name: name.into(), longest: longest.into() };
        assert_eq!(listed("link 512\nu2f 64\n"), [target("link", "512"), target("u2f", "64")]);
    }

    #[test]
    fn only_a_broken_claim_counts_as_found() {
        let log = |file: &str| {
            format!(
                "SUMMARY: libFuzzer\n0x1,\nartifact_prefix='/t/crash-/'; Test unit written to /t/crash-/{file}\nBase64: AA==\n"
            )
        };
        assert_eq!(broken_by(&log("crash-0123")), Some("/t/crash-/crash-0123"));
        for other in ["timeout-0123", "oom-0123", "slow-unit-0123", "leak-0123"] {
            assert_eq!(broken_by(&log(other)), None, "{other}");
        }
        let both = log("slow-unit-0123") + &log("crash-4567");
        assert_eq!(broken_by(&both), Some("/t/crash-/crash-4567"));
        assert_eq!(broken_by("#2 INITED\nDone 4711 runs in 1 second(s)"), None);
        assert_eq!(broken_by("error while loading shared libraries: /t/crash-0123"), None);
    }

    #[test]
    fn the_runs_are_read_from_the_fuzzer_s_closing_words() {
        let log = "#2 INITED\nstat::number_of_executed_units: 4711\nstat::new_units_added: 3";
        assert_eq!(runs_in(log), "4711");
        assert_eq!(runs_in("thread panicked"), "?");
    }
}
