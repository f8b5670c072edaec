//! The second column of the table: what the tests come to with a key on the emulated board.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::claims::Claim;
use super::programs::{Outcome, Program};
use super::{Proof, SUITE, prove};
use crate::firmware;
use crate::house::Result;

/// The variable that has the tests take the board for their keys.
const VARIABLE: &str = "SOFTKEY_TEST_BOARD";

/// The tests of reports that are about a device on their bench, which may be a board.
const BENCH: [&str; 7] = [
    "tests/hid/asking.rs",
    "tests/hid/channels.rs",
    "tests/hid/hostile.rs",
    "tests/hid/lock_and_wink.rs",
    "tests/hid/messages.rs",
    "tests/hid/turns.rs",
    "tests/hid/waiting.rs",
];

/// What each test came to on the board. Tests that make no key in the suite's way are not among them.
pub(crate) struct Column(BTreeMap<String, Outcome>);

impl Column {
    /// Builds the board and runs the tests of these claims on it, of the suite and of reports.
    pub(crate) fn run(root: &Path, claims: &[Claim], programs: &mut [Program]) -> Result<Self> {
        let board = firmware::emulated(root)?;
        let of_board =
            |claim: &&Claim| claim.file.starts_with(SUITE) || BENCH.contains(&claim.file.as_str());
        let claims: Vec<Claim> = claims.iter().filter(of_board).cloned().collect();
        for program in &mut *programs {
            program.environment = Some((VARIABLE, board.clone().into_os_string()));
        }
        let (proofs, _) = prove(&claims, programs)?;
        for program in programs {
            program.environment = None;
        }
        let rows = proofs.into_values().flatten().map(|proof| (proof.test, proof.outcome));
        Ok(Self(rows.collect()))
    }

    /// What a test came to on the board.
    pub(crate) fn of(&self, test: &str) -> Option<&Outcome> {
        self.0.get(test)
    }

    /// Prints how many lines the board proves, and which tests are apart there and why; true if some passed and none failed.
    pub(crate) fn report(&self, proofs: &BTreeMap<&str, Vec<Proof>>) -> bool {
        let passed = |proof: &Proof| self.of(&proof.test) == Some(&Outcome::Passed);
        let proved = proofs.values().filter(|rows| rows.iter().any(passed)).count();
        let count = |wanted: &Outcome| self.0.values().filter(|outcome| *outcome == wanted).count();
        let (passed, failed) = (count(&Outcome::Passed), count(&Outcome::Failed));
        let mut apart: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (test, outcome) in &self.0 {
            if let Outcome::Apart(why) = outcome {
                apart.entry(why).or_default().insert(test);
            }
        }
        let left_out: usize = apart.values().map(BTreeSet::len).sum();
        println!("on the board {proved} of {} lines have a test that passed", proofs.len());
        for (why, tests) in apart {
            println!("apart from the board, {} tests: {why}", tests.len());
        }
        println!("board: {passed} passed, {failed} failed, {left_out} apart");
        failed == 0 && passed > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(rows: &[(&str, Outcome)]) -> Column {
        Column(rows.iter().map(|(test, outcome)| ((*test).to_owned(), outcome.clone())).collect())
    }

    /// What is apart proves nothing, and is no failure.
    #[test]
    fn a_board_on_which_everything_is_apart_proves_nothing() {
        let proofs = BTreeMap::new();
        let apart = || Outcome::Apart("a sensor".into());
        assert!(!column(&[("a", apart())]).report(&proofs));
        assert!(column(&[("a", apart()), ("b", Outcome::Passed)]).report(&proofs));
        assert!(!column(&[("a", Outcome::Failed), ("b", Outcome::Passed)]).report(&proofs));
    }
}
