//! The lists of what is to be proved: the checklist and the cases of the conformance tool, and which of their lines do
//! not apply, with the reason.

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
    /// Why it does not apply, if it does not.
    pub(crate) excuse: Option<String>,
}

/// All lines, in the order of the lists.
pub(crate) fn read(root: &Path) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for list in LISTS {
        lines.extend(lines_of(&fs::read_to_string(root.join(list))?).map_err(|id| {
            format!("{list}: {id} is excused and stands on no line, or is excused twice")
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
        let Some((id, why)) = row.split_once(" | ").filter(|(id, _)| is_id(id)) else { continue };
        let line = lines.iter_mut().find(|line| line.id == id && line.excuse.is_none());
        line.ok_or(id)?.excuse = Some(why.to_owned());
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
        let text =
            "- NF-01 x\n- NF-02 y\n\n| case | why |\n|---|---|\n| NF-01 | no NFC |\n| CF | z |\n";
        let lines = lines_of(text).unwrap();
        assert_eq!(lines[0].excuse.as_deref(), Some("no NFC"));
        assert_eq!(lines[1].excuse, None);
        assert_eq!(lines_of("- NF-01 x\n| NF-02 | no NFC |\n"), Err("NF-02".into()));
        assert_eq!(lines_of("- NF-01 x\n| NF-01 | a |\n| NF-01 | b |\n"), Err("NF-01".into()));
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
