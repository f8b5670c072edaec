//! The program as scripts see it: each file of `tests/cases` is a transcript that is played against the binary,
//! with an empty home of its own and no terminal.
//!
//! A line begins with a word: `$` a command's arguments (in single quotes if they hold spaces), and behind it
//! what goes in, `env NAME=VALUE`, `in` a line of standard input, and what must come out, `out` and `err` a
//! line each, `exit` the code unless it is 0. `[..]` stands for anything within a line and a line `...` for any
//! lines. Before the first command `key auto` starts a key of that approval on UDP, and `key auto uvm-policy` one of
//! that profile, which the commands take as theirs. `gone` closes the reader of standard output before the command
//! gets its input. Standard input is closed unless there is an `in`. `#` and empty lines are passed over.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use crate::harness::{Key, softkey, softkey_piped};

#[test]
fn every_transcript_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|it| it.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "case"));
    files.sort();
    assert!(files.len() >= 30, "transcripts are missing");
    let faults = files.iter().filter_map(|file| {
        let fault = play(&fs::read_to_string(file).unwrap(), &folder).err()?;
        Some(format!("{}: {fault}", file.file_name().unwrap().display()))
    });
    let faults: Vec<_> = faults.collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// The plant: a transcript that differs from the program in any part is found out.
#[test]
fn a_wrong_transcript_is_found_out() {
    let folder = Path::new(".");
    for wrong in [
        "$ decode 31\nout something else\n",
        "$ decode 31\n",
        "$ decode 31\nout CTAP2 status 49[..]\nout and more\n",
        "$ decode 31\nout CTAP2 status 49[..]\nexit 1\n",
        "$ decode 31\nout CTAP2 status 49[..]\nerr what\n",
        "$ decode 31\nout ...\nout end\n",
        "out before any command\n",
    ] {
        assert!(play(wrong, folder).is_err(), "{wrong:?}");
    }
    assert_eq!(play("$ decode 31\nout CTAP2 [..] 49[..]\n", folder), Ok(()));
    assert_eq!(play("$ decode 31\nout ...\nexit [..]\n", folder), Ok(()));
}

struct Step {
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    input: Option<String>,
    out: Vec<String>,
    err: Vec<String>,
    exit: String,
    gone: bool,
}

fn play(transcript: &str, folder: &Path) -> Result<(), String> {
    let (wanted, steps) = parse(transcript)?;
    let key = wanted.map(|wanted| {
        let (approval, profile) = wanted.split_once(' ').unwrap_or((&wanted, "default"));
        Key::start(&["--ephemeral", "--approve", approval, "--profile", profile])
    });
    let home = tempfile::tempdir().unwrap();
    steps.iter().try_for_each(|step| step.check(folder, home.path(), key.as_ref()))
}

/// The approval of the key that the file wants, with its profile if it names one, and its commands.
fn parse(transcript: &str) -> Result<(Option<String>, Vec<Step>), String> {
    let (mut key, mut steps) = (None, Vec::<Step>::new());
    for line in transcript.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match (word, steps.last_mut()) {
            ("key", None) => key = Some(rest.to_owned()),
            ("$", _) => steps.push(Step::new(rest)),
            ("env", Some(step)) => {
                let (name, value) = rest.split_once('=').ok_or(line)?;
                step.environment.push((name.to_owned(), value.to_owned()));
            }
            ("in", Some(step)) => step.input.get_or_insert_default().extend([rest, "\n"]),
            ("out", Some(step)) => step.out.push(rest.to_owned()),
            ("err", Some(step)) => step.err.push(rest.to_owned()),
            ("exit", Some(step)) => rest.clone_into(&mut step.exit),
            ("gone", Some(step)) => step.gone = true,
            _ => return Err(format!("this line means nothing: {line}")),
        }
    }
    Ok((key, steps))
}

impl Step {
    fn new(arguments: &str) -> Self {
        Self {
            arguments: split(arguments),
            environment: Vec::new(),
            input: None,
            out: Vec::new(),
            err: Vec::new(),
            exit: String::from("0"),
            gone: false,
        }
    }

    fn check(&self, folder: &Path, home: &Path, key: Option<&Key>) -> Result<(), String> {
        let mut command = if self.input.is_some() { softkey_piped() } else { softkey() };
        command.args(&self.arguments).current_dir(folder).env("HOME", home);
        for name in
            ["XDG_DATA_HOME", "XDG_CONFIG_HOME", "SOFTKEY_DEVICE", "SOFTKEY_PIN", "SOFTKEY_NEW_PIN"]
        {
            command.env_remove(name);
        }
        command.envs(key.map(|key| ("SOFTKEY_DEVICE", format!("udp:{}", key.address))));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        if self.gone {
            drop(child.stdout.take());
        }
        if let (Some(input), Some(mut stdin)) = (&self.input, child.stdin.take()) {
            // The command may end without reading it.
            let _ = stdin.write_all(input.as_bytes());
        }
        let output = child.wait_with_output().unwrap();
        let code = output.status.code();
        let code = code.map_or_else(|| String::from("by a signal"), |code| code.to_string());
        let (out, err) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let fits = line_matches(&self.exit, &code)
            && lines_match(&self.out, &out.lines().collect::<Vec<_>>())
            && lines_match(&self.err, &err.lines().collect::<Vec<_>>());
        if fits {
            return Ok(());
        }
        Err(format!("$ {}\n{out}{err}exit {code}\n", self.arguments.join(" ")))
    }
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

fn lines_match(expected: &[String], seen: &[&str]) -> bool {
    match (expected, seen) {
        ([], []) => true,
        ([dots, rest @ ..], _) if dots == "..." => {
            (0..=seen.len()).any(|at| lines_match(rest, &seen[at..]))
        }
        ([first, rest @ ..], [line, more @ ..]) => {
            line_matches(first, line) && lines_match(rest, more)
        }
        _ => false,
    }
}

fn line_matches(expected: &str, line: &str) -> bool {
    match expected.split_once("[..]") {
        None => expected == line,
        Some((before, after)) => line.strip_prefix(before).is_some_and(|rest| {
            let mut ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            ends.any(|at| line_matches(after, &rest[at..]))
        }),
    }
}
