//! The README shows the program's help text and exit codes as they are.

use std::path::Path;
use std::process::Command;

use super::Finding;
use crate::house::{self, Result, Tree};

/// The file that shows it.
const README: &str = "README.md";
/// The file where the exit codes are documented.
const EXIT_CODES: &str = "cli/src/error.rs";
const BEGIN: &str = "<!-- help:begin -->";
const END: &str = "<!-- help:end -->";

/// What `softkey --help` prints into a pipe.
pub(crate) fn help_of_the_program(root: &Path) -> Result<String> {
    let mut program = Command::new(env!("CARGO"));
    program.current_dir(root).args(["run", "--quiet", "--package", "softkey", "--", "--help"]);
    // The width must not depend on the terminal that tidy runs in.
    house::output_of(program.env_remove("COLUMNS").env("NO_COLOR", "1"))
}

/// The README's block and `help`, compared.
pub(crate) fn in_step(tree: &Tree, help: &str) -> Option<Finding> {
    let Some(file) = tree.files.iter().find(|file| file.path == README) else {
        return Some(Finding::new(README, 1, "is missing"));
    };
    let Some((before, block, _)) = parts(&file.text) else {
        return Some(Finding::new(
            README,
            1,
            format!("has no block between `{BEGIN}` and `{END}`"),
        ));
    };
    let stale = block != block_of(help);
    let line = before.lines().count();
    stale.then(|| {
        Finding::new(
            README,
            line,
            "the help block is not what `softkey --help` prints: `cargo xtask tidy --fix`",
        )
    })
}

/// The table of exit codes in the README, compared with the one that documents the type.
pub(crate) fn exit_codes(tree: &Tree) -> Vec<Finding> {
    let text_of = |path: &str| {
        tree.files.iter().find(|file| file.path == path).map_or("", |file| file.text.as_str())
    };
    let shown = rows(text_of(README).lines(), 2);
    let source = text_of(EXIT_CODES);
    let meant = rows(source.lines().filter_map(|line| line.strip_prefix("/// ")), 3);
    let missing = meant.iter().filter(|row| !shown.contains(row)).map(|row| ("lacks", row));
    let stale = shown
        .iter()
        .filter(|row| !meant.contains(row))
        .map(|row| ("has, and the program lacks,", row));
    let finding = |(verb, (code, meaning)): (&str, &(&str, &str))| {
        Finding::new(README, 1, format!("{verb} the exit code {code}: {meaning}"))
    };
    missing.chain(stale).map(finding).collect()
}

/// The first and last cells of the table rows of so many cells that begin with a number.
fn rows<'a>(lines: impl Iterator<Item = &'a str>, cells: usize) -> Vec<(&'a str, &'a str)> {
    let cells_of = |line: &'a str| -> Option<(&'a str, &'a str)> {
        let row: Vec<&str> = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect();
        let (code, meaning) = (row.first()?, row.last()?);
        (row.len() == cells && code.parse::<u8>().is_ok()).then_some((*code, *meaning))
    };
    lines.filter_map(cells_of).collect()
}

/// Rewrites the README's block.
pub(crate) fn fix(root: &Path, help: &str) -> Result<()> {
    let place = root.join(README);
    let text = std::fs::read_to_string(&place)?;
    let (before, _, after) = parts(&text)
        .ok_or_else(|| format!("{README} has no block between `{BEGIN}` and `{END}`"))?;
    Ok(std::fs::write(place, format!("{before}{}{after}", block_of(help)))?)
}

/// The text up to and with the first mark, between the marks, and from the second mark on.
fn parts(text: &str) -> Option<(&str, &str, &str)> {
    let start = text.find(BEGIN)? + BEGIN.len();
    let length = text.get(start..)?.find(END)?;
    let end = start + length;
    Some((text.get(..start)?, text.get(start..end)?, text.get(end..)?))
}

fn block_of(help: &str) -> String {
    let lines: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    format!("\n```text\n{}\n```\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_block(block: &str) -> String {
        format!("# softkey\n\n{BEGIN}{block}{END}\n\nmore\n")
    }

    #[test]
    fn the_block_must_be_the_help_text() {
        let text = with_block("\n```text\nUsage: softkey\n```\n");
        assert_eq!(in_step(&Tree::planted(&[(README, &text)]), "Usage: softkey  \n"), None);
        let finding = in_step(&Tree::planted(&[(README, &text)]), "Usage: softkey run\n").unwrap();
        assert_eq!(
            finding.to_string(),
            "README.md:3: the help block is not what `softkey --help` prints: `cargo xtask tidy --fix`"
        );
    }

    #[test]
    fn a_readme_without_a_block_is_found() {
        let finding = |files: &[(&str, &str)]| in_step(&Tree::planted(files), "x").unwrap().what;
        assert_eq!(finding(&[]), "is missing");
        assert_eq!(
            finding(&[(README, END)]),
            format!("has no block between `{BEGIN}` and `{END}`")
        );
    }

    #[test]
    fn the_table_of_exit_codes_must_be_the_programs() {
        let source = "/// | code | name | meaning |\n/// |---|---|---|\n/// | 0 | [`Exit::Success`] | done |\n\
                      /// | 130 | [`Exit::Interrupted`] | Ctrl-C |\n";
        let found = |readme: &str| {
            let findings = exit_codes(&Tree::planted(&[(README, readme), (EXIT_CODES, source)]));
            findings.into_iter().map(|finding| finding.what).collect::<Vec<_>>()
        };
        assert_eq!(
            found("| exit code | meaning |\n|---|---|\n| 0 | done |\n| 130 | Ctrl-C |\n"),
            [""; 0]
        );
        assert_eq!(
            found("| 0 | all well |\n| 130 | Ctrl-C |\n"),
            [
                "lacks the exit code 0: done",
                "has, and the program lacks, the exit code 0: all well"
            ]
        );
    }

    #[test]
    fn fixing_changes_the_block_only() {
        let place = tempfile::tempdir().unwrap();
        let readme = place.path().join(README);
        std::fs::write(&readme, with_block("old")).unwrap();
        fix(place.path(), "new\n").unwrap();
        assert_eq!(std::fs::read_to_string(&readme).unwrap(), with_block("\n```text\nnew\n```\n"));
    }
}
