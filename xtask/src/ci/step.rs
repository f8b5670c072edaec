//! One step of CI: a command with a time limit, and what it came to.

use std::collections::VecDeque;
use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// The code with which `timeout` says that it had to end the command.
const TIMED_OUT: i32 = 124;

/// How many lines of a step that failed are told again.
const LAST_LINES: usize = 40;

/// A command with a time limit.
pub(crate) struct Step {
    /// One word.
    pub(crate) name: &'static str,
    limit: Duration,
    command: Vec<String>,
    variable: Option<(&'static str, &'static str)>,
    condition: Option<Condition>,
}

/// What must succeed first for a step to make sense.
struct Condition {
    command: Vec<String>,
    /// Why the step is skipped if it does not.
    otherwise: &'static str,
}

/// What a step came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It ended with code 0.
    Passed {
        /// The checks it counted, if it counts.
        checks: usize,
        /// How long it took.
        took: Duration,
    },
    /// It ended otherwise, or not in time.
    Failed {
        /// In words.
        why: String,
        /// How long it took.
        took: Duration,
        /// The end of its output.
        last: VecDeque<String>,
    },
    /// Its condition does not hold here.
    Skipped {
        /// In words.
        why: &'static str,
    },
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed { checks: 0, took } => write!(formatter, "ok ({} s)", took.as_secs()),
            Self::Passed { checks, took } => {
                write!(formatter, "ok, {checks} passed ({} s)", took.as_secs())
            }
            Self::Failed { why, took, .. } => {
                write!(formatter, "FAILED, {why} ({} s)", took.as_secs())
            }
            Self::Skipped { why } => write!(formatter, "skipped: {why}"),
        }
    }
}

impl Step {
    /// A command and its arguments, at most so many minutes long.
    pub(crate) fn new(name: &'static str, minutes: u64, program: &str, arguments: &[&str]) -> Self {
        let command = std::iter::once(&program).chain(arguments).map(ToString::to_string).collect();
        let limit = Duration::from_secs(60 * minutes);
        Self { name, limit, command, variable: None, condition: None }
    }

    /// A cargo command, its arguments in one text.
    pub(crate) fn cargo(name: &'static str, minutes: u64, arguments: &str) -> Self {
        Self::new(name, minutes, env!("CARGO"), &arguments.split(' ').collect::<Vec<_>>())
    }

    /// A task of this program by its name.
    pub(crate) fn task(name: &'static str, minutes: u64) -> Self {
        Self::task_with(name, minutes, &[name])
    }

    /// A task of this program, by its name and arguments.
    pub(crate) fn task_with(name: &'static str, minutes: u64, task: &[&str]) -> Self {
        let own = std::env::current_exe().unwrap_or_else(|_| "xtask".into());
        Self::new(name, minutes, &own.to_string_lossy(), task)
    }

    /// The same step with a variable in its environment.
    pub(crate) fn env(self, name: &'static str, value: &'static str) -> Self {
        Self { variable: Some((name, value)), ..self }
    }

    /// The same step, skipped where `command` fails, for the reason given.
    pub(crate) fn only_if(self, command: &str, otherwise: &'static str) -> Self {
        let command = command.split(' ').map(str::to_owned).collect();
        Self { condition: Some(Condition { command, otherwise }), ..self }
    }

    /// Runs it in `folder`, its output going through as it comes.
    pub(crate) fn run(&self, folder: &Path) -> Verdict {
        let start = Instant::now();
        if let Some(Condition { command, otherwise }) = &self.condition {
            let holds =
                self.limited(command, folder).stdout(Stdio::null()).stderr(Stdio::null()).status();
            if !holds.is_ok_and(|status| status.success()) {
                return Verdict::Skipped { why: otherwise };
            }
        }
        let mut output = Output::default();
        let done = self.watch(folder, &mut output);
        let took = start.elapsed();
        let why = match done {
            Ok(status) if status.success() => {
                return Verdict::Passed { checks: output.checks, took };
            }
            Ok(status) if status.code() == Some(TIMED_OUT) => {
                format!("not done in {} minutes", self.limit.as_secs() / 60)
            }
            Ok(status) => status.to_string(),
            Err(error) => format!("cannot be started: {error}"),
        };
        Verdict::Failed { why, took, last: output.last }
    }

    /// Runs the command and lets its output through.
    fn watch(&self, folder: &Path, seen: &mut Output) -> std::io::Result<ExitStatus> {
        let mut command = self.limited(&self.command, folder);
        command.envs(self.variable);
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        if let Some(output) = child.stdout.take() {
            for line in BufReader::new(output).split(b'\n') {
                let line = line?;
                let text = String::from_utf8_lossy(&line);
                println!("{text}");
                seen.add(&text);
            }
        }
        child.wait()
    }

    /// `timeout` ends the whole process group, which a child's own kill would not.
    fn limited(&self, command: &[String], folder: &Path) -> Command {
        let mut limited = Command::new("timeout");
        limited.arg("--kill-after=10").arg(format!("{}s", self.limit.as_secs())).args(command);
        limited.current_dir(folder).stdin(Stdio::null());
        limited
    }
}

/// What is kept of a step's output.
#[derive(Default)]
struct Output {
    /// The sum of what its closing lines count.
    checks: usize,
    /// The last lines.
    last: VecDeque<String>,
}

impl Output {
    fn add(&mut self, line: &str) {
        self.checks += passed_in(line);
        if self.last.len() == LAST_LINES {
            self.last.pop_front();
        }
        self.last.push_back(line.to_owned());
    }
}

/// The number in a closing line: `test result: ok. 3 passed; ...`, `3 passed, 0 failed`, `word: 3 passed, ...`.
fn passed_in(line: &str) -> usize {
    let counts = match line.strip_prefix("test result: ") {
        Some(rest) => rest.split_once(". ").map(|(_, counts)| counts),
        None => Some(line.split_once(": ").map_or(line, |(_, counts)| counts)),
    };
    let number = counts
        .and_then(|counts| counts.split_once(" passed"))
        .filter(|(_, rest)| rest.starts_with([',', ';']));
    number.and_then(|(number, _)| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict_of(script: &str) -> Verdict {
        Step::new("x", 1, "sh", &["-c", script]).run(Path::new("."))
    }

    #[test]
    fn the_exit_code_decides_and_closing_lines_are_summed() {
        let script =
            "echo 'test result: ok. 3 passed; 0 failed; 1 ignored'; echo 'vm: 4 passed, 0 failed'";
        assert!(matches!(verdict_of(script), Verdict::Passed { checks: 7, .. }));
        assert!(
            matches!(verdict_of("echo 9 passed, 0 failed; exit 3"), Verdict::Failed { why, .. } if why == "exit status: 3")
        );
    }

    #[test]
    fn a_command_that_is_not_there_fails_and_does_not_pass() {
        let step = Step::new("x", 1, "no-such-program", &[]);
        assert!(
            matches!(step.run(Path::new(".")), Verdict::Failed { why, .. } if why == "exit status: 127")
        );
        assert!(matches!(
            Step::new("x", 1, "test", &["-n", "yes"]).run(Path::new(".")),
            Verdict::Passed { .. }
        ));
    }

    #[test]
    fn a_step_that_takes_too_long_is_ended() {
        let step = Step { limit: Duration::from_secs(1), ..Step::new("x", 0, "sleep", &["60"]) };
        assert!(
            matches!(step.run(Path::new(".")), Verdict::Failed { why, .. } if why == "not done in 0 minutes")
        );
    }

    #[test]
    fn a_step_whose_condition_fails_is_skipped_and_says_why() {
        let step = Step::new("x", 1, "true", &[]).only_if("false", "no net");
        assert_eq!(step.run(Path::new(".")).to_string(), "skipped: no net");
        let step = Step::new("x", 1, "false", &[]).only_if("true", "no net");
        assert!(matches!(step.run(Path::new(".")), Verdict::Failed { .. }));
    }

    #[test]
    fn the_end_of_a_failure_s_output_is_kept() {
        let Verdict::Failed { last, .. } = verdict_of("seq 100; exit 1") else {
            panic!("it passed");
        };
        assert_eq!(last.len(), LAST_LINES);
        assert_eq!((last[0].as_str(), last[LAST_LINES - 1].as_str()), ("61", "100"));
    }

    #[test]
    fn only_closing_lines_count() {
        assert_eq!(passed_in("7 passed, 0 failed"), 7);
        assert_eq!(passed_in("conformance: 12 passed, 1 failed"), 12);
        assert_eq!(passed_in("test a::b ... ok"), 0);
        assert_eq!(passed_in("453 of 453 lines have a test that passed"), 0);
    }
}
