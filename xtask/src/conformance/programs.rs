//! The test programs that cargo builds, and what their tests come to.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cargo_metadata::Message;

use super::claims::Claim;
use crate::house::{self, Result};

/// What a test of what no board has says on the board, before it says what that is.
const APART: &str = "not on the board: ";

/// What a test came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Failed,
    Ignored,
    /// It needs something that no board has.
    Apart(String),
}

impl Outcome {
    /// The word for the table.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "FAILED",
            Self::Ignored => "ignored",
            Self::Apart(_) => "apart",
        }
    }
}

/// One test program.
pub(crate) struct Program {
    executable: PathBuf,
    /// The package's folder, where cargo would run it.
    package: PathBuf,
    /// The folder of its root file, from the workspace's root, and that file's name.
    folder: String,
    root_file: String,
    target: String,
    /// A variable that its tests are to see.
    pub(crate) environment: Option<(&'static str, OsString)>,
}

/// Builds the workspace's test programs as `cargo test --workspace` does.
pub(crate) fn build(root: &Path) -> Result<Vec<Program>> {
    let mut cargo = Command::new(env!("CARGO"));
    build_by(cargo.args(["test", "--workspace"]), root)
}

/// Builds the test programs of these packages of the workspace at `root`, in this target folder.
pub(crate) fn build_some(root: &Path, packages: &[&str], target: &Path) -> Result<Vec<Program>> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.arg("test").env("CARGO_TARGET_DIR", target);
    for package in packages {
        cargo.args(["--package", package]);
    }
    build_by(&mut cargo, root)
}

fn build_by(cargo: &mut Command, root: &Path) -> Result<Vec<Program>> {
    cargo.current_dir(root).args([
        "--no-run",
        "--quiet",
        "--message-format=json-render-diagnostics",
    ]);
    let messages = house::output_of(cargo)?;
    let mut programs = Vec::new();
    for message in Message::parse_stream(messages.as_bytes()) {
        let Message::CompilerArtifact(artifact) = message? else { continue };
        let (Some(executable), true) = (artifact.executable, artifact.profile.test) else {
            continue;
        };
        let source = artifact.target.src_path.strip_prefix(root.to_string_lossy().as_ref())?;
        let package = artifact.manifest_path.parent().ok_or("a manifest in no folder")?;
        programs.push(Program {
            executable: executable.into(),
            package: package.into(),
            folder: source.parent().map(ToString::to_string).unwrap_or_default(),
            root_file: source.file_name().unwrap_or_default().to_owned(),
            target: artifact.target.name,
            environment: None,
        });
    }
    Ok(programs)
}

impl Program {
    /// Runs the tests that these claims stand for, one for each or, where a macro makes several, all. Gives the
    /// number of the claim, the test and what it came to; nothing for claims that this program has no test for.
    pub(crate) fn results_of(&self, claims: &[Claim]) -> Result<Vec<(usize, String, Outcome)>> {
        let names = self.names()?;
        let mut wanted = Vec::new();
        for (number, claim) in claims.iter().enumerate() {
            if let Some(modules) = module_path(&claim.file, &self.folder, &self.root_file) {
                let pattern = format!("{modules}{}", claim.name);
                wanted.extend(
                    names
                        .iter()
                        .filter(|name| stands_for(&pattern, name))
                        .map(|name| (number, name)),
                );
            }
        }
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let mut once: Vec<&String> = wanted.iter().map(|(_, name)| *name).collect();
        once.sort();
        once.dedup();
        let output = self.command().arg("--exact").args(once).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let results = outcomes(&text);
        let apart = |outcome: &Outcome| matches!(outcome, Outcome::Apart(_));
        if !output.status.success() && !results.values().any(apart)
            || results.values().any(|outcome| *outcome == Outcome::Failed)
        {
            println!("{text}{}", String::from_utf8_lossy(&output.stderr));
        }
        // A test that took its whole program down has no line, and has failed.
        let outcome =
            |name: &String| results.get(name.as_str()).cloned().unwrap_or(Outcome::Failed);
        let row = |(number, name)| (number, format!("{}::{name}", self.target), outcome(name));
        Ok(wanted.into_iter().map(row).collect())
    }

    /// Links the executable into this folder, where no later build replaces it, and runs it from there.
    pub(crate) fn keep_in(&mut self, folder: &Path) -> Result<()> {
        let file = self.executable.file_name().ok_or("a program without a name")?;
        let kept = folder.join(file);
        if fs::hard_link(&self.executable, &kept).is_err() {
            fs::copy(&self.executable, &kept)?;
        }
        self.executable = kept;
        Ok(())
    }

    /// The name of its target.
    pub(crate) fn name(&self) -> &str {
        &self.target
    }

    /// The names of its tests.
    pub(crate) fn names(&self) -> Result<Vec<String>> {
        let listing = house::output_of(self.command().args(["--list", "--format", "terse"]))?;
        Ok(listing
            .lines()
            .filter_map(|line| line.strip_suffix(": test"))
            .map(str::to_owned)
            .collect())
    }

    /// The program, to be run as cargo would.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.executable);
        command
            .current_dir(&self.package)
            .env("CARGO_MANIFEST_DIR", &self.package)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }
}

/// The modules that a file holds in the program whose root file lies in `folder`, each with `::` behind it;
/// none if the file is not below that folder.
fn module_path(file: &str, folder: &str, root_file: &str) -> Option<String> {
    let inside = file.strip_prefix(folder)?.strip_prefix('/')?;
    if inside == root_file {
        return Some(String::new());
    }
    let modules = inside.strip_suffix(".rs")?;
    let modules = modules.strip_suffix("/mod").unwrap_or(modules);
    Some(modules.replace('/', "::") + "::")
}

/// Whether a claim's pattern names this test, or a module that a macro made of it. `*` is any one module.
fn stands_for(pattern: &str, name: &str) -> bool {
    let mut parts = name.split("::");
    pattern
        .split("::")
        .all(|wanted| parts.next().is_some_and(|part| wanted == "*" || wanted == part))
}

/// The results in what a test program prints.
fn outcomes(text: &str) -> BTreeMap<&str, Outcome> {
    let mut results = BTreeMap::new();
    for line in text.lines() {
        let Some((name, word)) =
            line.strip_prefix("test ").and_then(|line| line.split_once(" ... "))
        else {
            continue;
        };
        let name = name.strip_suffix(" - should panic").unwrap_or(name);
        let outcome = match word {
            "ok" => Outcome::Passed,
            word if word.starts_with("ignored") => Outcome::Ignored,
            _ => Outcome::Failed,
        };
        results.insert(name, outcome);
    }
    // What each test that failed has said follows at the end.
    let mut said_by = None;
    for line in text.lines() {
        if let Some(name) =
            line.strip_prefix("---- ").and_then(|line| line.strip_suffix(" stdout ----"))
        {
            said_by = Some(name);
        } else if let (Some(why), Some(name)) = (line.strip_prefix(APART), said_by) {
            results.insert(name, Outcome::Apart(why.to_owned()));
        }
    }
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_the_modules_of_its_path() {
        let path = |file| module_path(file, "tests/conformance", "main.rs");
        assert_eq!(path("tests/conformance/main.rs").as_deref(), Some(""));
        assert_eq!(path("tests/conformance/reset.rs").as_deref(), Some("reset::"));
        assert_eq!(path("tests/conformance/pin/mod.rs").as_deref(), Some("pin::"));
        assert_eq!(path("tests/conformance/pin/set.rs").as_deref(), Some("pin::set::"));
        assert_eq!(path("tests/conformance_other/reset.rs"), None);
    }

    #[test]
    fn a_pattern_stands_for_a_test_and_for_what_a_macro_made_of_it() {
        assert!(stands_for("a::b", "a::b"));
        assert!(stands_for("a::b", "a::b::with_protocol_two"));
        assert!(stands_for("a::*::b", "a::reset::b"));
        assert!(!stands_for("a::b", "a::bc"));
        assert!(!stands_for("a::b", "a"));
        assert!(!stands_for("a::*::b", "a::b"));
    }

    #[test]
    fn results_are_read_from_what_a_test_program_prints() {
        let text = "\nrunning 3 tests\ntest a::b ... ok\ntest c ... FAILED\ntest d ... ignored, no kernel\n\
                    test e - should panic ... ok\ntest result: FAILED. 2 passed; 1 failed\n";
        let expected = [
            ("a::b", Outcome::Passed),
            ("c", Outcome::Failed),
            ("d", Outcome::Ignored),
            ("e", Outcome::Passed),
        ];
        assert_eq!(outcomes(text), BTreeMap::from(expected));
    }

    #[test]
    fn a_test_of_what_no_board_has_is_apart_and_one_that_failed_is_not() {
        let text = "test a ... FAILED\ntest b ... FAILED\n\nfailures:\n\n---- a stdout ----\n\nthread 'a' \
                    panicked at x.rs:1:2:\nnot on the board: a sensor\n\n---- b stdout ----\n\nthread 'b' \
                    panicked at x.rs:3:4:\nit is not on the board: b\n\n";
        let expected = [("a", Outcome::Apart("a sensor".into())), ("b", Outcome::Failed)];
        assert_eq!(outcomes(text), BTreeMap::from(expected));
    }
}
