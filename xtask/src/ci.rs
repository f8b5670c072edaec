//! `cargo xtask ci`: everything CI does after the README's test command, in order, each step with a time limit.
//!
//! A step is a command. Its output goes through as it comes; afterwards one line says what it came to, how
//! many checks it counted if it counts, and how long it took. All steps run, whatever became of those before; how those
//! ended that failed is told once more at the end, as only the end of a long log may be kept.

mod step;

use crate::house::{self, Result};
use step::{Step, Verdict};

/// What `cargo xtask ci` may be told.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run only these steps
    #[arg(long, value_name = "STEP")]
    only: Vec<String>,
    /// Leave these steps out
    #[arg(long, value_name = "STEP")]
    skip: Vec<String>,
    /// Name the steps and run none
    #[arg(long)]
    list: bool,
}

/// The kinds of plants that CI tries. Statements that are left out (` forgets `) are tried by hand, as none of them survives
/// either and they take as long as all the others.
const SABOTAGE: [&str; 7] =
    ["fault ", "status ", " without ", " unfiltered", " always", " never", " swapped, "];

/// The steps in order: the quick ones first, the virtual machine last but for what looks for everyone's traces.
fn steps() -> Vec<Step> {
    let mut sabotage = vec!["conformance", "--sabotage"];
    sabotage.extend(SABOTAGE.iter().flat_map(|kind| ["--plant", kind]));
    vec![
        Step::cargo("fmt", 2, "fmt --all --check"),
        Step::cargo("fmt-boards", 2, "fmt --manifest-path firmware/Cargo.toml --all --check"),
        Step::cargo(
            "clippy",
            20,
            "clippy --workspace --all-targets --all-features --locked -- --deny warnings",
        ),
        // As boards build it: with all features some of what it says is not seen.
        Step::cargo(
            "clippy-core",
            10,
            "clippy --package softkey-authenticator --package softkey-flash-store \
             --no-default-features --locked -- --deny warnings",
        ),
        Step::task("tidy", 10),
        Step::task("no-std", 5),
        Step::cargo("docs", 15, "doc --workspace --no-deps --all-features --locked")
            .env("RUSTDOCFLAGS", "-Dwarnings"),
        Step::cargo("deny", 5, "deny --all-features --locked check bans licenses sources"),
        // The boards are a workspace of their own, with dependencies of their own.
        Step::cargo(
            "deny-boards",
            5,
            "deny --manifest-path firmware/Cargo.toml --config deny.toml --all-features --locked \
             check licenses sources",
        ),
        Step::cargo("advisories", 5, "deny --all-features --locked check advisories")
            .only_if("cargo deny fetch db", "the advisory database cannot be fetched from here"),
        Step::cargo(
            "advisories-boards",
            5,
            "deny --manifest-path firmware/Cargo.toml --config deny.toml --all-features --locked \
             check advisories",
        )
        .only_if("cargo deny fetch db", "the advisory database cannot be fetched from here"),
        Step::new("typos", 2, "typos", &[]),
        // Each benchmark once, as a test; figures are made by hand on a quiet machine.
        Step::cargo("benches", 30, "test --workspace --all-features --bench * --locked"),
        Step::cargo("fuzz-seeds", 10, "test --package softkey-fuzz --locked"),
        Step::task("fuzz-smoke", 30),
        // The same programs, each with a fault planted; it ends when that is found. What fuzz/FINDINGS.md claims, 60 seconds, is
        // measured on a quiet machine; a busy one has four times as long here.
        Step::task_with("fuzz-plants", 20, &["fuzz-smoke", "--planted", "--seconds", "240"]),
        Step::task("fuzz-coverage", 25),
        Step::task("conformance", 20),
        Step::task_with("sabotage", 30, &sabotage),
        // The README's figure about 10 000 credentials, which takes a minute.
        Step::cargo(
            "enumeration",
            20,
            "test --package softkey-tests --test conformance --locked ten_thousand -- --ignored",
        ),
        Step::cargo("memory", 20, "test --package softkey --test memory --locked -- --ignored"),
        // Where rustup cannot fetch the libraries of the boards' processors, these two make them first.
        Step::task_with("clippy-boards", 15, &["firmware", "clippy"]),
        Step::task_with("boards", 30, &["firmware", "build"]),
        // With ML-DSA-44 too.
        Step::task_with("boards-ml-dsa", 30, &["firmware", "build", "--ml-dsa"]),
        Step::task_with("board-sizes", 15, &["firmware", "size", "--board", "emulated"]),
        Step::task_with("firmware", 20, &["firmware", "test"]),
        Step::task_with("conformance-board", 20, &["conformance", "--board"]),
        Step::task("interop", 20),
        Step::task_with("interop-board", 10, &["interop", "--board"]),
        Step::cargo("fedcm", 25, "test --package softkey-idp --test flow --locked -- --ignored"),
        Step::cargo("modem", 15, "test --package softkey --test cli --locked modem -- --ignored"),
        Step::task("empty-root", 15),
        Step::task("vm", 45),
        Step::new(
            "tree-clean",
            1,
            "sh",
            &["-c", "status=$(git status --short) && echo \"$status\" && test -z \"$status\""],
        )
        .only_if("printenv CI", "only in CI"),
    ]
}

/// Runs the steps and prints what they came to; true if none failed.
pub(crate) fn run(args: &Args) -> Result<bool> {
    let steps = steps();
    if let Some(name) = args
        .only
        .iter()
        .chain(&args.skip)
        .find(|name| !steps.iter().any(|step| step.name == **name))
    {
        return Err(format!("there is no step `{name}`; --list names them").into());
    }
    if args.list {
        for step in &steps {
            println!("{}", step.name);
        }
        return Ok(true);
    }
    let root = house::root()?;
    let (mut passed, mut failed, mut skipped) = (0_usize, Vec::new(), 0_usize);
    let wanted = |step: &&Step| {
        (args.only.is_empty() || args.only.iter().any(|name| name == step.name))
            && !args.skip.iter().any(|name| name == step.name)
    };
    for step in steps.iter().filter(wanted) {
        println!("== {}", step.name);
        let verdict = step.run(&root);
        println!("== {}: {verdict}", step.name);
        match verdict {
            Verdict::Passed { .. } => passed += 1,
            Verdict::Failed { last, .. } => failed.push((step.name, last)),
            Verdict::Skipped { .. } => skipped += 1,
        }
    }
    for (name, last) in &failed {
        println!("failed: {name}, whose output ended so:");
        for line in last {
            println!("    {line}");
        }
    }
    println!("steps: {passed} passed, {} failed, {skipped} skipped", failed.len());
    Ok(failed.is_empty())
}
