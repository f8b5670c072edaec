//! The program as scripts see it: each file of `tests/cli` is a transcript that is played against the binary.
//!
//! A line begins with a word: `$` a command's arguments (in single quotes if they hold spaces), and behind it
//! what goes in, `env NAME=VALUE`, `in` a line of standard input, and what must come out, `out` and `err` a
//! line each, `exit` the code unless it is 0. `[..]` stands for anything within a line. Before the first
//! command, `key` starts a key on UDP for the file, which the commands take as theirs; `deny` one that refuses
//! every touch, `hold` one that is never touched. `gone` closes the reader of standard output before the command ends. Standard input is
//! closed unless there is an `in`. `#` and empty lines are passed over.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a suite speaks through panics"
)]

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const SOFTKEY: &str = env!("CARGO_BIN_EXE_softkey");

#[test]
fn every_transcript_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cli");
    let mut files: Vec<PathBuf> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "case"));
    files.sort();
    assert!(files.len() >= 10, "the transcripts are in {}", folder.display());
    let mut faults = String::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if let Err(fault) = play(&fs::read_to_string(&file).unwrap(), &folder) {
            writeln!(faults, "{name}: {fault}").unwrap();
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

/// The test of the test: each way in which a program can differ from its transcript is seen.
#[test]
fn a_transcript_that_does_not_hold_is_found() {
    let folder = Path::new(".");
    for wrong in [
        "$ decode 31\nout something else\n",
        "$ decode 31\n",
        "$ decode 31\nout CTAP2 status 49[..]\nout and more\n",
        "$ decode 31\nout CTAP2 status 49[..]\nexit 1\n",
        "$ decode 31\nout CTAP2 status 49[..]\nerr what\n",
    ] {
        assert!(play(wrong, folder).is_err(), "{wrong:?}");
    }
    assert_eq!(play("$ decode 31\nout CTAP2 status 49[..]\n", folder), Ok(()));
}

#[derive(Default)]
struct Step {
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    input: Option<String>,
    out: String,
    err: String,
    exit: i32,
    gone: bool,
}

fn play(transcript: &str, folder: &Path) -> Result<(), String> {
    let (key, steps) = parse(transcript)?;
    let key = key.map(Key::start);
    steps.iter().try_for_each(|step| step.check(folder, key.as_ref()))
}

/// The approval of the key that the file wants, and its commands.
fn parse(transcript: &str) -> Result<(Option<&'static str>, Vec<Step>), String> {
    let (mut key, mut steps) = (None, Vec::<Step>::new());
    for line in transcript.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match (word, steps.last_mut()) {
            ("key", None) => key = Some("auto"),
            ("deny", None) => key = Some("deny"),
            ("hold", None) => key = Some("hold"),
            ("$", _) => steps.push(Step { arguments: split(rest), ..Step::default() }),
            ("env", Some(step)) => {
                let (name, value) = rest.split_once('=').ok_or(line)?;
                step.environment.push((name.to_owned(), value.to_owned()));
            }
            ("in", Some(step)) => step.input.get_or_insert_default().extend([rest, "\n"]),
            ("out", Some(step)) => step.out.extend([rest, "\n"]),
            ("err", Some(step)) => step.err.extend([rest, "\n"]),
            ("exit", Some(step)) => step.exit = rest.parse().map_err(|_| line)?,
            ("gone", Some(step)) => step.gone = true,
            _ => return Err(format!("this line means nothing: {line}")),
        }
    }
    Ok((key, steps))
}

/// Arguments at spaces, except inside single quotes.
fn split(line: &str) -> Vec<String> {
    let mut arguments = Vec::new();
    for (at, part) in line.split('\'').enumerate() {
        if at % 2 == 1 {
            arguments.push(part.to_owned());
        } else {
            arguments.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    arguments
}

impl Step {
    fn check(&self, folder: &Path, key: Option<&Key>) -> Result<(), String> {
        let mut command = Command::new(SOFTKEY);
        command.args(&self.arguments).current_dir(folder);
        for name in ["SOFTKEY_DEVICE", "SOFTKEY_PIN", "SOFTKEY_NEW_PIN"] {
            command.env_remove(name);
        }
        command.envs(key.map(|key| ("SOFTKEY_DEVICE", &key.device)));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        // A command whose reader goes away is held at its input until it has gone.
        let held = self.input.is_some() || self.gone;
        command.stdin(if held { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        if self.gone {
            drop(child.stdout.take());
        }
        let input = self.input.as_deref().unwrap_or_default();
        if let Some(mut stdin) = child.stdin.take() {
            // The command may end without reading it.
            let _ = stdin.write_all(input.as_bytes());
        }
        let output = child.wait_with_output().unwrap();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        let exit = output.status.code().unwrap_or(-1);
        if matches(&self.out, &out) && matches(&self.err, &err) && exit == self.exit {
            return Ok(());
        }
        Err(format!("$ {}\n{out}{err}exit {exit}\n", self.arguments.join(" ")))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn matches(expected: &str, actual: &str) -> bool {
    expected.lines().count() == actual.lines().count()
        && expected.lines().zip(actual.lines()).all(|(expected, actual)| line(expected, actual))
}

/// Does the line hold the pieces between `[..]` in order, and nothing else outside them?
fn line(expected: &str, actual: &str) -> bool {
    let Some((first, later)) = expected.split_once("[..]") else {
        return expected == actual;
    };
    let Some(mut rest) = actual.strip_prefix(first) else {
        return false;
    };
    let mut pieces: Vec<_> = later.split("[..]").collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        let Some(at) = rest.find(piece) else {
            return false;
        };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

/// A key of our own on UDP; it ends with its owner.
struct Key {
    process: Child,
    device: String,
}

impl Key {
    fn start(approve: &str) -> Self {
        let arguments = ["run", "--transport", "udp", "--listen", "127.0.0.1:0", "--ephemeral"];
        let mut process = Command::new(SOFTKEY)
            .args(arguments)
            .args(["--json", "--approve", approve])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let ready = lines.next().expect("the key says that it is ready").unwrap();
        let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
        let device = ready["devices"][0].as_str().unwrap().replace(' ', ":");
        // Whoever writes and is not read blocks.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, device }
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
