//! `cargo xtask conformance`: which lines of the checklist and which cases of the conformance tool are proved, by which
//! tests, with what result; first with the default key, then with the one that keeps large blobs in the other way. With
//! `--board` the table has a second column: what the same tests come to with the firmware on the emulated board.
//!
//! A test claims lines of `tests/conformance/checklist.md` and `cases.md` by naming their ids in its doc comment, in
//! whatever crate it stands. This task runs the claiming tests, and only those. A line without a test must say there
//! that it does not apply and why, or what shows it instead.

mod board;
mod claims;
mod lists;
mod programs;
mod sabotage;

use std::collections::BTreeMap;

use crate::house::{self, Result, Tree};
use board::Column;
use claims::Claim;
use lists::{Kind, Line, is_id, section_of};
use programs::{Outcome, Program};

/// The suite that is run with another key too, and that key: tests that are not of one profile take theirs from there.
const SUITE: &str = "tests/conformance/";
const OTHER_KEY: (&str, &str) = ("SOFTKEY_TEST_PROFILE", "largeBlob");

/// What `cargo xtask conformance` may be told.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only lines whose ids begin so, such as `MC`, `MC-12` or `CT-MC`
    prefix: Option<String>,
    /// With a second column, instead of the run with another key: the firmware on the emulated board (needs
    /// qemu-system-arm, and takes minutes)
    #[arg(long)]
    board: bool,
    /// Instead, plant faults into a copy of the key one by one, and show which test each turns red
    #[arg(long, conflicts_with_all = ["prefix", "board"])]
    sabotage: bool,
    /// Only plants whose names hold this text, or one of them; those of the key's own faults begin with `fault `
    #[arg(long, value_name = "TEXT", requires = "sabotage")]
    plant: Vec<String>,
}

/// One test that ran.
struct Proof {
    test: String,
    outcome: Outcome,
}

/// Runs the claiming tests and prints the table; true if none failed, no claim is empty and no line without a test.
pub(crate) fn run(args: &Args) -> Result<bool> {
    let root = house::root()?;
    if args.sabotage {
        return sabotage::run(&root, &args.plant);
    }
    let lines = lists::read(&root)?;
    let prefix = args.prefix.as_deref().unwrap_or_default();
    let wanted: Vec<&Line> = lines.iter().filter(|line| line.id.starts_with(prefix)).collect();
    if wanted.is_empty() {
        return Err(format!("no id begins with {prefix}").into());
    }
    let mut claims: Vec<Claim> = Tree::read(&root)?.rust().flat_map(Claim::in_file).collect();
    let mut sound = true;
    for (claim, id) in claims.iter().flat_map(|claim| claim.ids.iter().map(move |id| (claim, id))) {
        if !lines.iter().any(|line| line.id == *id) {
            println!("{}:{}: claims {id}, which stands on no list", claim.file, claim.line);
            sound = false;
        }
    }
    claims.retain(|claim| claim.ids.iter().any(|id| wanted.iter().any(|line| line.id == *id)));
    let mut programs = programs::build(&root)?;
    let (proofs, all_found) = prove(&claims, &programs)?;
    let board = args.board.then(|| Column::run(&root, &claims, &mut programs)).transpose()?;
    sound &= report(&wanted, &proofs, board.as_ref()) && all_found;
    claims.retain(|claim| claim.file.starts_with(SUITE));
    if claims.is_empty() || args.board {
        // What was asked for is proved elsewhere, by tests that choose their keys themselves; or it is about the board.
        return Ok(sound);
    }
    for program in &mut programs {
        program.environment = Some((OTHER_KEY.0, OTHER_KEY.1.into()));
    }
    println!("\nwith the key of {} {}:", OTHER_KEY.0, OTHER_KEY.1);
    Ok(again(&prove(&claims, &programs)?.0) && sound)
}

/// Runs what the claims name. What each id came to, and whether all claims are of tests that run.
fn prove<'a>(
    claims: &'a [Claim],
    programs: &[Program],
) -> Result<(BTreeMap<&'a str, Vec<Proof>>, bool)> {
    let mut proofs: BTreeMap<&str, Vec<Proof>> = BTreeMap::new();
    let mut found = vec![false; claims.len()];
    for program in programs {
        for (number, test, outcome) in program.results_of(claims)? {
            let Some((claim, found)) = claims.get(number).zip(found.get_mut(number)) else {
                continue;
            };
            *found = true;
            for id in &claim.ids {
                let proof = Proof { test: test.clone(), outcome: outcome.clone() };
                proofs.entry(id).or_default().push(proof);
            }
        }
    }
    for (claim, _) in claims.iter().zip(&found).filter(|(_, found)| !**found) {
        let ids = claim.ids.join(", ");
        println!(
            "{}:{}: `{}` claims {ids} but is no test that runs",
            claim.file, claim.line, claim.name
        );
    }
    Ok((proofs, found.iter().all(|found| *found)))
}

/// Prints the table, the ids without a test and the totals; true if tests passed, none failed, and each line without a
/// test says why, which a line with one must not.
fn report(wanted: &[&Line], proofs: &BTreeMap<&str, Vec<Proof>>, board: Option<&Column>) -> bool {
    let (mut passed, mut failed, mut proved) = (0_usize, 0_usize, 0_usize);
    let (mut excused, mut without, mut sound) = (Vec::new(), Vec::new(), true);
    for Line { id, excuse } in wanted {
        let rows = proofs.get(id.as_str()).map(Vec::as_slice).unwrap_or_default();
        for proof in rows {
            println!("{}", row(id, proof, board));
            match proof.outcome {
                Outcome::Passed => passed += 1,
                Outcome::Failed => failed += 1,
                Outcome::Ignored | Outcome::Apart(_) => {}
            }
        }
        match (rows.iter().any(|proof| proof.outcome == Outcome::Passed), excuse) {
            (true, None) => proved += 1,
            (true, Some(_)) => {
                println!("{id}: has a test, and is said to have none");
                sound = false;
            }
            (false, Some(excuse)) => {
                println!("{id:<28} {:<8} {}: {}", "apart", excuse.kind.word(), excuse.why);
                excused.push(excuse.kind);
            }
            (false, None) => without.push(id.as_str()),
        }
    }
    println!("{proved} of {} lines have a test that passed; {}", wanted.len(), apart(&excused));
    for section in without.chunk_by(|one, next| section_of(one) == section_of(next)) {
        println!("without: {}", section.join(" "));
    }
    println!("conformance: {passed} passed, {failed} failed");
    // A table without a test that passed proves nothing.
    sound &= failed == 0 && passed > 0 && without.is_empty();
    board.is_none_or(|board| board.report(proofs)) && sound
}

/// What the lines without a test come to.
fn apart(excused: &[Kind]) -> String {
    let count = |kind: Kind| excused.iter().filter(|it| **it == kind).count();
    let (review, others) = (count(Kind::Review), count(Kind::OtherPrograms));
    format!(
        "{} do not apply, {} are shown in another way: {review} {}, {others} {}",
        count(Kind::DoesNotApply),
        review + others,
        Kind::Review.word(),
        Kind::OtherPrograms.word(),
    )
}

/// A row of the table: the line, what the test came to, on the board too if there is that column, and the test.
fn row(id: &str, proof: &Proof, board: Option<&Column>) -> String {
    let Proof { test, outcome } = proof;
    let outcome = outcome.word();
    match board.map(|board| board.of(test)) {
        None => format!("{id:<28} {outcome:<8} {test}"),
        Some(Some(Outcome::Apart(why))) => {
            format!("{id:<28} {outcome:<8} {:<8} {test} ({why})", "apart")
        }
        Some(on_board) => {
            let on_board = on_board.map_or("-", Outcome::word);
            format!("{id:<28} {outcome:<8} {on_board:<8} {test}")
        }
    }
}

/// Prints what came of the tests with another key: those that failed, and the totals; true if some passed and none
/// failed.
fn again(proofs: &BTreeMap<&str, Vec<Proof>>) -> bool {
    let (mut passed, mut failed) = (0_usize, 0_usize);
    for (id, proof) in proofs.iter().flat_map(|(id, all)| all.iter().map(move |one| (id, one))) {
        match proof.outcome {
            Outcome::Passed => passed += 1,
            Outcome::Failed => {
                println!("{id:<28} {:<8} {}", proof.outcome.word(), proof.test);
                failed += 1;
            }
            Outcome::Ignored | Outcome::Apart(_) => {}
        }
    }
    println!("{} lines, {passed} passed, {failed} failed", proofs.len());
    failed == 0 && passed > 0
}

#[cfg(test)]
mod tests {
    use super::lists::Excuse;
    use super::*;

    fn proof(outcome: Outcome) -> Proof {
        Proof { test: "a".into(), outcome }
    }

    fn line(id: &str, excuse: Option<&str>) -> Line {
        let excuse = excuse.map(|why| Excuse { kind: Kind::DoesNotApply, why: why.into() });
        Line { id: id.into(), excuse }
    }

    #[test]
    fn one_failure_is_enough_and_ignoring_proves_nothing() {
        let mut proofs =
            BTreeMap::from([("MC-01", vec![proof(Outcome::Passed), proof(Outcome::Ignored)])]);
        let (first, second) = (line("MC-01", None), line("MC-02", Some("of another kind")));
        assert!(report(&[&first, &second], &proofs, None));
        assert!(!report(&[&second], &proofs, None));
        assert!(again(&proofs));
        proofs.entry("MC-02").or_default().push(proof(Outcome::Failed));
        assert!(!report(&[&first, &second], &proofs, None));
        assert!(!again(&proofs));
    }

    /// What does not apply is one thing, and what is shown in another way is another.
    #[test]
    fn excuses_are_counted_by_their_kinds() {
        let kinds = [Kind::OtherPrograms, Kind::DoesNotApply, Kind::OtherPrograms, Kind::Review];
        assert_eq!(
            apart(&kinds),
            "1 do not apply, 3 are shown in another way: 1 by review, 2 by other programs"
        );
    }

    /// A line must have a test or an excuse, and not both.
    #[test]
    fn lines_need_a_test_or_an_excuse() {
        let proofs = BTreeMap::from([("MC-01", vec![proof(Outcome::Passed)])]);
        let first = line("MC-01", None);
        assert!(report(&[&first], &proofs, None));
        assert!(!report(&[&first, &line("MC-02", None)], &proofs, None));
        assert!(!report(&[&line("MC-01", Some("of another kind"))], &proofs, None));
    }
}
