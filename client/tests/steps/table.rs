//! `STEPS.md` and `FEDCM.md`, held to what they say: every test is there and names the exception and the cause of its line,
//! every step of the algorithms has a line, and so has every cause that a page's call can have and every fault that a
//! relying party can find. `EXAMPLES.md` likewise, with the members of each example in JSON and in Rust.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A line of the list.
struct Line {
    step: String,
    /// What its tests must name: what the page sees and why, or the members of an example in both forms.
    words: Vec<String>,
    tests: Vec<String>,
}

/// The functions of one file, each with its text; those with `#[test]` are tests.
#[derive(Default)]
struct Functions {
    bodies: BTreeMap<String, String>,
    tests: BTreeSet<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The cells of the tables in a list, without their heads.
fn rows(text: &str) -> impl Iterator<Item = [&str; 5]> {
    let rows = text.lines().filter(|line| line.starts_with('|'));
    let heads = ["|---", "| step", "| page |"];
    let rows = rows.filter(move |line| !heads.iter().any(|head| line.starts_with(head)));
    rows.map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        cells.try_into().unwrap_or_else(|_| panic!("five cells: {row}"))
    })
}

fn line([step, _, some, more, tests]: [&str; 5]) -> Line {
    let list = |cell: &str| -> Vec<String> {
        let items = cell.split(", ").map(|item| item.trim_matches('`').to_owned());
        items.filter(|item| !item.is_empty()).collect()
    };
    Line { step: step.to_owned(), words: [list(some), list(more)].concat(), tests: list(tests) }
}

fn lines(text: &str) -> Vec<Line> {
    let checked = rows(text).inspect(|[step, _, exceptions, causes, _]| {
        assert_eq!(exceptions.is_empty(), causes.is_empty(), "both or neither: {step}");
    });
    checked.map(line).collect()
}

/// The examples; the page stands for the step.
fn examples() -> Vec<Line> {
    let text = read(&root().join("EXAMPLES.md"));
    let checked = rows(&text).inspect(|[page, example, _, in_rust, _]| {
        assert!(!in_rust.is_empty(), "{page}: {example} has no form in Rust");
    });
    checked.map(line).collect()
}

/// The Rust files below a folder.
fn files(folder: &Path, into: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// A module's name: the file's, or the folder's of a file `tests.rs`.
fn module(path: &Path) -> String {
    let name = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
    match name(path) {
        stem if stem == "tests" => name(path.parent().unwrap()),
        stem => stem,
    }
}

/// A function begins at `fn` and ends with the brace that closes at the same depth.
fn functions(text: &str) -> Functions {
    let mut functions = Functions::default();
    let lines: Vec<&str> = text.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let Some(rest) = line.trim_start().strip_prefix("pub(crate) fn ").or_else(|| {
            let line = line.trim_start();
            line.strip_prefix("pub(super) fn ").or_else(|| line.strip_prefix("fn "))
        }) else {
            continue;
        };
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let end = format!("{}}}", " ".repeat(indent));
        let body = lines[at..].iter().take_while(|line| **line != end);
        let body: String = body.flat_map(|line| [*line, "\n"]).collect();
        if at > 0 && lines[at - 1].trim() == "#[test]" {
            functions.tests.insert(name.clone());
        }
        functions.bodies.insert(name, body);
    }
    for (_, list) in text.split("\ncases! {").skip(1).filter_map(|rest| rest.split_once('\n')) {
        // Each of these is a test that calls `check` with a case of a file.
        for case in list.lines().take_while(|line| *line != "}") {
            if let Some((name, _)) = case.trim().split_once(" = ") {
                functions.bodies.insert(name.to_owned(), "check".to_owned());
                functions.tests.insert(name.to_owned());
            }
        }
    }
    functions
}

/// The words of a test and of what it calls in its own file or its suite's world, however deep.
fn words(functions: &Functions, test: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let mut open = vec![test.to_owned()];
    let mut seen = BTreeSet::new();
    while let Some(name) = open.pop() {
        let Some(body) = functions.bodies.get(&name) else { continue };
        if !seen.insert(name) {
            continue;
        }
        for word in body.split(|c: char| !c.is_alphanumeric() && c != '_') {
            if functions.bodies.contains_key(word) {
                open.push(word.to_owned());
            }
            words.insert(word.to_owned());
        }
    }
    words
}

/// Every file with tests that the list may name, by module.
fn modules() -> BTreeMap<String, Vec<Functions>> {
    let mut paths = Vec::new();
    for folder in ["src", "tests", "../tests/ceremony"] {
        files(&root().join(folder), &mut paths);
    }
    let mut modules: BTreeMap<String, Vec<Functions>> = BTreeMap::new();
    for path in paths {
        let mut file = functions(&read(&path));
        let world = path.with_file_name("world.rs");
        if world.exists() {
            for (name, body) in functions(&read(&world)).bodies {
                file.bodies.entry(name).or_insert(body);
            }
        }
        modules.entry(module(&path)).or_default().push(file);
    }
    modules
}

/// What is wrong with a list.
fn faults(lines: &[Line]) -> Vec<String> {
    let modules = modules();
    let mut faults = Vec::new();
    for line in lines {
        if line.tests.is_empty() {
            faults.push(format!("{}: no test", line.step));
        }
        for test in &line.tests {
            let (module, name) = test.split_once("::").unwrap_or(("", test));
            let found = modules.get(module).into_iter().flatten();
            let found: Vec<_> = found.filter(|file| file.tests.contains(name)).collect();
            let [file] = found[..] else {
                faults.push(format!("{}: {} tests are called {test}", line.step, found.len()));
                continue;
            };
            let words = words(file, name);
            for word in line.words.iter().filter(|word| !words.contains(*word)) {
                faults.push(format!("{}: {test} does not name {word}", line.step));
            }
        }
    }
    faults
}

fn steps() -> String {
    read(&root().join("STEPS.md"))
}

/// The same of `IdentityCredential`.
fn fedcm() -> String {
    read(&root().join("FEDCM.md"))
}

#[test]
fn each_line_has_its_tests() {
    assert_eq!(faults(&lines(&steps())), Vec::<String>::new());
    assert_eq!(faults(&lines(&fedcm())), Vec::<String>::new());
    assert_eq!(faults(&examples()), Vec::<String>::new());
}

/// No example is shown without being listed, in the files that are for nothing else.
#[test]
fn each_example_has_a_line() {
    let listed: BTreeSet<_> = examples().into_iter().flat_map(|line| line.tests).collect();
    let files = modules().remove("examples").unwrap();
    assert_eq!(files.len(), 2, "the files are read");
    let shown: BTreeSet<_> = files.into_iter().flat_map(|file| file.tests).collect();
    let missing: Vec<_> =
        shown.iter().filter(|test| !listed.contains(&format!("examples::{test}"))).collect();
    assert_eq!(missing, Vec::<&String>::new(), "add a line to client/EXAMPLES.md");
}

/// Does the line belong to a relying party's operation?
fn of_relying_party(line: &Line) -> bool {
    ["registration ", "authentication "].iter().any(|name| line.step.starts_with(name))
}

/// The steps of the relying party's operations that no line has.
fn missing_verification(lines: &[Line]) -> Vec<String> {
    let there: BTreeSet<_> = lines.iter().map(|line| line.step.as_str()).collect();
    let operations = [("registration", 23), ("authentication", 12)];
    let wanted = operations
        .iter()
        .flat_map(|(name, count)| (1..=*count).map(move |step| format!("{name} {step}")));
    wanted.filter(|step| !there.contains(step.as_str())).collect()
}

/// The faults of a relying party's that no line has.
fn missing_faults(lines: &[Line]) -> Vec<String> {
    let folder = root().join("src/verify");
    let enumerations = [
        ("Fault", "fault.rs", 25),
        ("StatementFault", "attestation/fault.rs", 36),
        ("TrustFault", "trust.rs", 8),
    ];
    let mut missing = Vec::new();
    for (kind, file, count) in enumerations {
        let variants = variants(&read(&folder.join(file)), kind);
        assert!(variants.len() >= count, "{kind} is read: {}", variants.len());
        let of_kind = |line: &&Line| line.words.first().is_some_and(|word| word == kind);
        let lines = lines.iter().filter(|line| of_relying_party(line)).filter(of_kind);
        let named: BTreeSet<_> = lines.flat_map(|line| line.words.iter().skip(1)).collect();
        let unnamed = variants.iter().filter(|variant| !named.contains(variant));
        missing.extend(unnamed.map(|variant| format!("{kind}::{variant}")));
    }
    missing
}

#[test]
fn each_step_and_each_fault_of_a_relying_party_has_a_line() {
    let lines = lines(&steps());
    assert_eq!(missing_verification(&lines), Vec::<String>::new(), "add a line to client/STEPS.md");
    assert_eq!(missing_faults(&lines), Vec::<String>::new(), "add a line to client/STEPS.md");
}

/// A step or a fault whose line is taken out is missed.
#[test]
fn a_gap_in_what_a_relying_party_verifies_is_found() {
    let without = |word: &str| {
        let text = steps();
        let kept = text.lines().filter(|line| !line.contains(word));
        lines(&kept.collect::<Vec<_>>().join("\n"))
    };
    let lines = without("| registration 14 |");
    assert_eq!(missing_verification(&lines), ["registration 14"]);
    assert_eq!(missing_faults(&lines), ["Fault::BackupPolicy"]);
    let lines = without("| authentication 12 |");
    assert_eq!(missing_verification(&lines), ["authentication 12"]);
    assert_eq!(missing_faults(&without("| TrustFault | Signature |")), ["TrustFault::Signature"]);
}

/// The numbered steps, counted from the algorithms.
#[test]
fn each_step_has_a_line() {
    let numbered = |name: &str, steps: &[&str]| -> Vec<String> {
        steps.iter().map(|step| format!("{name} {step}")).collect()
    };
    let get = ["1", "2", "3", "4", "5", "6", "7 a", "7 b", "7 c", "7 d", "7 e", "7 f", "7 g", "8"];
    let made = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "13", "14", "15"];
    let each = ["12 a", "12 b", "12 c", "12 d", "12 e", "12 f", "12 g", "12 h", "12 i", "12 j"];
    let wanted = [
        numbered("get", &get),
        numbered("create", &["1", "2", "3", "4", "5", "6", "7"]),
        numbered("store", &["1", "2", "3", "4"]),
        numbered("preventSilentAccess", &["1", "2"]),
        numbered("related", &["1", "2", "3", "4", "5"]),
        numbered("5.1.3", &made),
        numbered("5.1.3", &each),
        numbered("5.1.4", &["1", "2", "3", "4", "5", "6", "7", "8"]),
    ]
    .concat();
    let there: BTreeSet<_> = lines(&steps()).into_iter().map(|line| line.step).collect();
    let missing: Vec<_> = wanted.iter().filter(|step| !there.contains(*step)).collect();
    assert_eq!(missing, Vec::<&String>::new());
}

/// The variants of an enumeration, as the source declares them.
fn variants(text: &str, name: &str) -> Vec<String> {
    let body = text.split_once(&format!("pub enum {name} {{")).unwrap().1;
    let body = body.lines().take_while(|line| *line != "}");
    let names = body.filter_map(|line| line.strip_prefix("    "));
    let names = names.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
    names.map(|line| line.chars().take_while(|c| c.is_alphanumeric()).collect()).collect()
}

/// Causes that no call of a page's has: of the manager alone, or of another type's own suite.
const ELSEWHERE: [&str; 13] = [
    "Type",     // each fault of it has a line of its own
    "Identity", // each failure of it has a line in the other list
    "NoSuchCommand",
    "PinNotSet",
    "PinSetAlready",
    "PinRule",
    "SeveralCredentials",
    "NoLargeBlobKey",
    "NoLargeBlob",
    "NoRoomForBlob",
    "LargeBlobArray", // a page gets no blob then, and no exception
    "Finger",
    "Owner",
];

#[test]
fn each_cause_has_a_line() {
    let lines = lines(&steps());
    let of_page = lines.iter().filter(|line| !of_relying_party(line));
    let named: BTreeSet<_> = of_page.flat_map(|line| line.words.iter()).collect();
    let source = read(&root().join("src/cause.rs"));
    let related = read(&root().join("src/related.rs"));
    let wanted = [
        variants(&source, "Cause"),
        variants(&source, "TypeFault"),
        variants(&source, "NotWithU2f"),
        variants(&source, "WrongResponse"),
        variants(&related, "RelatedFault"),
    ]
    .concat();
    assert!(wanted.len() > 60, "the enumerations are read");
    let missing: Vec<_> = wanted
        .iter()
        .filter(|cause| !named.contains(cause) && !ELSEWHERE.contains(&cause.as_str()))
        .collect();
    assert_eq!(missing, Vec::<&String>::new(), "add a line to client/STEPS.md");
}

/// Every failure, every reason why a provider is passed over, every rule about answers and every endpoint that must answer.
#[test]
fn each_failure_of_fedcm_has_a_line() {
    let lines = lines(&fedcm());
    let named: BTreeSet<_> = lines.iter().flat_map(|line| line.words.iter()).collect();
    let failure = read(&root().join("src/fedcm/failure.rs"));
    let fedcm = read(&root().join("src/fedcm.rs"));
    let wanted = [
        variants(&failure, "Failure"),
        variants(&failure, "Unoffered"),
        variants(&failure, "NotAutomatic"),
        variants(&fedcm, "Fault"),
        variants(&fedcm, "Endpoint"),
        variants(&read(&root().join("src/fetch.rs")), "FetchFault"),
    ]
    .concat();
    assert!(wanted.len() > 60, "the enumerations are read: {}", wanted.len());
    // What cannot be had of these two is no failure.
    let extras = ["ClientMetadata", "Picture"];
    let missing: Vec<_> = wanted
        .iter()
        .filter(|cause| !named.contains(cause) && !extras.contains(&cause.as_str()))
        .collect();
    assert_eq!(missing, Vec::<&String>::new(), "add a line to client/FEDCM.md");
    let steps: BTreeSet<_> = lines.iter().map(|line| &line.step).collect();
    assert_eq!(steps.len(), lines.len(), "each step has one line");
}

/// The check sees a test that is not there, one that shows something else, and a line without any.
#[test]
fn a_wrong_list_is_found() {
    let line = |page: &str, cause: &str, test: &str| {
        faults(&lines(&format!("| x 1 | what | {page} | {cause} | {test} |")))
    };
    let test = "`waiting::the_timer_cancels_every_key`";
    assert_eq!(line("NotAllowedError", "Timeout", test), Vec::<String>::new());
    let other = line("SecurityError", "Timeout", test);
    assert_eq!(other, ["x 1: waiting::the_timer_cancels_every_key does not name SecurityError"]);
    let other = line("NotAllowedError", "KeysDiffer", test);
    assert_eq!(other, ["x 1: waiting::the_timer_cancels_every_key does not name KeysDiffer"]);
    let absent = line("", "", "`waiting::nothing`");
    assert_eq!(absent, ["x 1: 0 tests are called waiting::nothing"]);
    assert_eq!(line("", "", ""), ["x 1: no test"]);
}
