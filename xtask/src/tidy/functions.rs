//! No function over 80 lines; of the code and of the tests, each for itself, 95 % at most 40.

use std::fmt;

use super::Finding;
use super::tokens::Outline;
use crate::house::{File, Tree};

/// No function has more lines.
const CEILING: usize = 80;
/// Most functions have no more lines.
const USUAL: usize = 40;
/// Of a hundred functions, so many must be usual.
const USUAL_PERCENT: usize = 95;

/// The lengths of all functions.
pub(crate) struct Census {
    code: Share,
    tests: Share,
    faults: Vec<Finding>,
}

#[derive(Default)]
struct Share {
    functions: usize,
    longest: usize,
    /// Those over the usual length.
    long: Vec<Finding>,
}

impl Census {
    /// Counts the functions of every Rust file.
    pub(crate) fn of(tree: &Tree) -> Self {
        let mut census =
            Self { code: Share::default(), tests: Share::default(), faults: Vec::new() };
        for file in tree.rust() {
            census.count(file);
        }
        census
    }

    /// What breaks the rule.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let mut findings = self.faults.clone();
        for share in [&self.code, &self.tests] {
            if share.usual() * 100 < share.functions * USUAL_PERCENT {
                findings.extend(share.long.iter().cloned());
            }
        }
        findings
    }

    fn count(&mut self, file: &File) {
        let outline = match Outline::of(&file.text) {
            Ok(outline) => outline,
            Err(line) => {
                return self.faults.push(Finding::new(&file.path, line, "cannot be read as Rust"));
            }
        };
        for function in outline.functions {
            let length = function.length();
            let is_test = function.in_tests || holds_tests(&file.path);
            let share = if is_test { &mut self.tests } else { &mut self.code };
            share.functions += 1;
            share.longest = share.longest.max(length);
            let finding = |ceiling| {
                let what = format!("`{}` has {length} lines, over {ceiling}", function.name);
                Finding::new(&file.path, *function.lines.start(), what)
            };
            if length > USUAL {
                share.long.push(finding(USUAL));
            }
            if length > CEILING {
                self.faults.push(finding(CEILING));
            }
        }
    }
}

impl fmt::Display for Census {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, share) in [("code", &self.code), ("tests", &self.tests)] {
            let (all, usual) = (share.functions, share.usual());
            let longest = share.longest;
            writeln!(
                formatter,
                "{name}: {usual} of {all} functions have at most {USUAL} lines, the longest {longest}"
            )?;
        }
        Ok(())
    }
}

impl Share {
    fn usual(&self) -> usize {
        self.functions - self.long.len()
    }
}

/// Whether a whole file is tests: the suites, the benchmarks, and the test modules beside the code.
fn holds_tests(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.split('/').any(|part| matches!(part, "tests" | "benches"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(name: &str, lines: usize) -> String {
        format!("fn {name}() {{\n{}}}\n", "\n".repeat(lines - 2) + "    ")
    }

    fn findings(files: &[(&str, &str)]) -> Vec<String> {
        Census::of(&Tree::planted(files)).findings().iter().map(Finding::to_string).collect()
    }

    #[test]
    fn eighty_lines_pass_and_one_more_does_not() {
        let usual: String = (0..40).map(|n| function(&format!("f{n}"), 2)).collect();
        let at = usual.clone() + &function("long", 80);
        assert_eq!(findings(&[("a.rs", &at)]), [""; 0]);
        let over = usual + &function("long", 81);
        assert_eq!(findings(&[("a.rs", &over)]), ["a.rs:81: `long` has 81 lines, over 80"]);
    }

    #[test]
    fn one_in_twenty_may_be_over_forty() {
        let nineteen: String = (0..19).map(|n| function(&format!("f{n}"), 40)).collect();
        let text = nineteen.clone() + &function("a", 41);
        assert_eq!(findings(&[("x.rs", &text)]), [""; 0]);
        let text = nineteen + &function("a", 41) + &function("b", 41);
        assert_eq!(
            findings(&[("x.rs", &text)]),
            ["x.rs:761: `a` has 41 lines, over 40", "x.rs:802: `b` has 41 lines, over 40"]
        );
    }

    #[test]
    fn short_tests_make_no_room_for_long_code() {
        let tests: String = (0..100).map(|n| function(&format!("f{n}"), 2)).collect();
        let files = [("tests/hid/main.rs", tests.as_str()), ("x.rs", &function("a", 41))];
        assert_eq!(findings(&files), ["x.rs:1: `a` has 41 lines, over 40"]);
    }

    #[test]
    fn a_file_that_is_not_rust_is_a_finding() {
        assert_eq!(findings(&[("x.rs", "fn a() {\n")]).len(), 1);
    }
}
