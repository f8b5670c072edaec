//! The lists of what is to be proved: the checklist and the cases of the conformance tool, and which of their lines have
//! no test: they do not apply, or are shown in another way, with the reason.

use std::fs;
use std::path::Path;

use crate::house::Result;

/// Where the lines and their ids stand.
const LISTS: [&str; 2] = ["tests/conformance/checklist.md", "tests/conformance/cases.md"];

/// What the ids of cases begin with, which are words; those of the checklist are letters and a number.
const CASE: &str = "CT-";

/// A line of a list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) id: String,
    /// Why it has no test, if it has none.
    pub(crate) excuse: Option<Excuse>,
}

/// Why a line has no test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Excuse {
    pub(crate) kind: Kind,
    /// The reason, or what shows it.
    pub(crate) why: String,
}

/// What a line without a test is, or what shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It is about what the key does not have.
    DoesNotApply,
    /// Whoever reads the code sees it, and no test can.
    Review,
    /// `cargo xtask interop` or `cargo xtask vm` shows it, with what others have written.
    OtherPrograms,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::DoesNotApply, Self::Review, Self::OtherPrograms];

    /// How the lists say it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::DoesNotApply => "does not apply",
            Self::Review => "by review",
            Self::OtherPrograms => "by other programs",
        }
    }
}

/// All lines, in the order of the lists.
pub(crate) fn read(root: &Path) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for list in LISTS {
        lines.extend(lines_of(&fs::read_to_string(root.join(list))?).map_err(|id| {
            format!("{list}: {id} stands on no line, or is excused twice, or in no known way")
        })?);
    }
    Ok(lines)
}

/// The lines of one list: those that begin with an id, and the table rows that excuse some of them. An excuse for
/// nothing is an error, by its id.
fn lines_of(text: &str) -> std::result::Result<Vec<Line>, String> {
    let listed = text.lines().filter_map(|line| line.strip_prefix("- "));
    let ids = listed.filter_map(|line| line.split(' ').next()).filter(|word| is_id(word));
    let mut lines: Vec<Line> = ids.map(|id| Line { id: id.to_owned(), excuse: None }).collect();
    for row in text.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")) {
        let Some((id, excuse)) = row.split_once(" | ").filter(|(id, _)| is_id(id)) else {
            continue;
        };
        let (word, why) = excuse.split_once(" | ").ok_or(id)?;
        let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word).ok_or(id)?;
        let line = lines.iter_mut().find(|line| line.id == id && line.excuse.is_none());
        line.ok_or(id)?.excuse = Some(Excuse { kind, why: why.to_owned() });
    }
    Ok(lines)
}

/// What ids of one part of a list have in common: their letters, or the first word of a case.
pub(crate) fn section_of(id: &str) -> &str {
    let start = if id.starts_with(CASE) { CASE.len() } else { 0 };
    let end = id.get(start..).and_then(|rest| rest.find('-')).map_or(id.len(), |at| start + at);
    id.get(..end).unwrap_or(id)
}

/// Whether a word is the id of a line: two or three capitals, a hyphen, two digits; or that of a case.
pub(crate) fn is_id(word: &str) -> bool {
    if let Some(case) = word.strip_prefix(CASE) {
        return case.bytes().next().is_some_and(|first| first.is_ascii_uppercase());
    }
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
    use crate::house;

    fn ids(text: &str) -> Vec<String> {
        lines_of(text).unwrap().into_iter().map(|line| line.id).collect()
    }

    #[test]
    fn only_the_lines_of_a_list_are_ids() {
        let text = "- \"token\" = x\n- MC-12 A thing, see CP-01.\nGA-01 no\n- SHA-256\n- HID-40 More.\n- CT-MC-Req-1-valid x\n- CT-x\n";
        assert_eq!(ids(text), ["MC-12", "HID-40", "CT-MC-Req-1-valid"]);
    }

    #[test]
    fn lines_are_excused_by_rows_of_a_table() {
        let text = "- NF-01 x\n- NF-02 y\n- NF-03 z\n\n| case | | why |\n|---|---|---|\n| NF-01 | does not apply | no NFC |\n| NF-02 | by review | so | it is |\n| CF | z |\n";
        let lines = lines_of(text).unwrap();
        let excuse = |kind, why: &str| Some(Excuse { kind, why: why.into() });
        assert_eq!(lines[0].excuse, excuse(Kind::DoesNotApply, "no NFC"));
        assert_eq!(lines[1].excuse, excuse(Kind::Review, "so | it is"));
        assert_eq!(lines[2].excuse, None);
        for (rows, wrong) in [
            ("| NF-02 | by review | a |\n", "NF-02"),
            ("| NF-01 | by review | a |\n| NF-01 | by review | b |\n", "NF-01"),
            ("| NF-01 | by magic | a |\n", "NF-01"),
            ("| NF-01 | by review |\n", "NF-01"),
        ] {
            assert_eq!(lines_of(&format!("- NF-01 x\n{rows}")), Err(wrong.into()), "{rows}");
        }
    }

    #[test]
    fn every_id_of_the_real_lists_is_there_once() {
        let lines = read(&house::root().unwrap()).unwrap();
        let mut ids: Vec<_> = lines.iter().map(|line| line.id.as_str()).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
        for section in [
            "HID", "CB", "GI", "MC", "EA", "GA", "GN", "CP", "PT", "SE", "RS", "CM", "LB", "CF",
            "UF", "ST", "BE",
        ] {
            let first = format!("{section}-01");
            assert!(ids.contains(&first.as_str()), "{first}");
        }
        assert!(ids.contains(&"CT-MC-Req-1-valid"));
    }

    #[test]
    fn sections_are_letters_or_the_first_word_of_a_case() {
        assert_eq!(section_of("HID-01"), "HID");
        assert_eq!(section_of("CT-MC-Req-1-valid"), "CT-MC");
        assert_eq!(section_of("CT-META"), "CT-META");
    }
}
