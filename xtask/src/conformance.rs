//! `cargo xtask conformance`: which lines of the checklist are proved, by which tests, with what result.
//!
//! A test claims lines of `tests/conformance/checklist.md` by naming their ids in its doc comment, in whatever
//! crate it stands. This task runs the claiming tests, and only those.

mod claims;
mod programs;
mod sabotage;

use std::collections::BTreeMap;
use std::fs;

use crate::house::{self, Result, Tree};
use claims::Claim;
use programs::{Outcome, Program};

/// Where the lines and their ids stand.
const CHECKLIST: &str = "tests/conformance/checklist.md";

/// What `cargo xtask conformance` may be told.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only lines whose ids begin so, such as `MC` or `MC-12`
    prefix: Option<String>,
    /// Instead, plant faults into a copy of the key one by one, and show which test each turns red
    #[arg(long, conflicts_with = "prefix")]
    sabotage: bool,
    /// Only plants whose names hold this text
    #[arg(long, value_name = "TEXT", requires = "sabotage")]
    plant: Option<String>,
}

/// One test that ran.
struct Proof {
    test: String,
    outcome: Outcome,
}

/// Runs the claiming tests and prints the table; true if none failed and no claim is empty.
pub(crate) fn run(args: &Args) -> Result<bool> {
    let root = house::root()?;
    if args.sabotage {
        return sabotage::run(&root, args.plant.as_deref().unwrap_or_default());
    }
    let checklist = ids_of(&fs::read_to_string(root.join(CHECKLIST))?);
    let prefix = args.prefix.as_deref().unwrap_or_default();
    let wanted: Vec<&str> =
        checklist.iter().map(String::as_str).filter(|id| id.starts_with(prefix)).collect();
    if wanted.is_empty() {
        return Err(format!("no id in {CHECKLIST} begins with {prefix}").into());
    }
    let mut claims: Vec<Claim> = Tree::read(&root)?.rust().flat_map(Claim::in_file).collect();
    let mut sound = true;
    for (claim, id) in claims.iter().flat_map(|claim| claim.ids.iter().map(move |id| (claim, id))) {
        if !checklist.contains(id) {
            println!("{}:{}: claims {id}, which is not in {CHECKLIST}", claim.file, claim.line);
            sound = false;
        }
    }
    claims.retain(|claim| claim.ids.iter().any(|id| wanted.contains(&id.as_str())));
    let (proofs, all_found) = prove(&claims, &programs::build(&root)?)?;
    Ok(report(&wanted, &proofs) && all_found && sound)
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
                proofs.entry(id).or_default().push(Proof { test: test.clone(), outcome });
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

/// Prints the table, the ids without a test and the totals; true if tests passed and none failed.
fn report(wanted: &[&str], proofs: &BTreeMap<&str, Vec<Proof>>) -> bool {
    let (mut passed, mut failed, mut proved) = (0_usize, 0_usize, 0_usize);
    let mut without = Vec::new();
    for id in wanted {
        let rows = proofs.get(id).map(Vec::as_slice).unwrap_or_default();
        for proof in rows {
            println!("{id:<7} {:<8} {}", proof.outcome.word(), proof.test);
            match proof.outcome {
                Outcome::Passed => passed += 1,
                Outcome::Failed => failed += 1,
                Outcome::Ignored => {}
            }
        }
        if rows.iter().any(|proof| proof.outcome == Outcome::Passed) {
            proved += 1;
        } else {
            without.push(*id);
        }
    }
    println!("{proved} of {} lines have a test that passed", wanted.len());
    for section in without.chunk_by(|one, next| section_of(one) == section_of(next)) {
        println!("without: {}", section.join(" "));
    }
    println!("conformance: {passed} passed, {failed} failed");
    // A table without a test that passed proves nothing.
    failed == 0 && passed > 0
}

/// The ids of the checklist, in its order.
fn ids_of(checklist: &str) -> Vec<String> {
    let lines = checklist.lines().filter_map(|line| line.strip_prefix("- "));
    let ids = lines.filter_map(|line| line.split(' ').next()).filter(|word| is_id(word));
    ids.map(str::to_owned).collect()
}

/// The letters of an id.
fn section_of(id: &str) -> &str {
    id.split('-').next().unwrap_or(id)
}

/// Whether a word is the id of a line: two or three capitals, a hyphen, two digits.
fn is_id(word: &str) -> bool {
    word.split_once('-').is_some_and(|(section, number)| {
        (2..=3).contains(&section.len())
            && section.bytes().all(|byte| byte.is_ascii_uppercase())
            && number.len() == 2
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_lines_of_the_checklist_are_ids() {
        let text =
            "- \"token\" = x\n- MC-12 A thing, see CP-01.\nGA-01 no\n- SHA-256\n- HID-40 More.\n";
        assert_eq!(ids_of(text), ["MC-12", "HID-40"]);
    }

    #[test]
    fn every_id_of_the_real_checklist_is_there_once() {
        let text = fs::read_to_string(house::root().unwrap().join(CHECKLIST)).unwrap();
        let mut ids = ids_of(&text);
        let count = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), count);
        for section in [
            "HID", "CB", "GI", "MC", "EA", "GA", "GN", "CP", "PT", "SE", "RS", "CM", "LB", "CF",
            "UF", "ST",
        ] {
            let first = format!("{section}-01");
            assert!(ids.contains(&first), "{first}");
        }
    }

    #[test]
    fn one_failure_is_enough_and_ignoring_proves_nothing() {
        let proof = |outcome| Proof { test: "a".into(), outcome };
        let mut proofs =
            BTreeMap::from([("MC-01", vec![proof(Outcome::Passed), proof(Outcome::Ignored)])]);
        assert!(report(&["MC-01", "MC-02"], &proofs));
        assert!(!report(&["MC-02"], &proofs));
        proofs.entry("MC-02").or_default().push(proof(Outcome::Failed));
        assert!(!report(&["MC-01", "MC-02"], &proofs));
    }
}
