//! Every way by the client of this project and by Chromium, and the list of where they part.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread;

use softkey_idp::{Endpoint, Fault, KINDS};

use crate::record::{self, Lines, RECORD};
use crate::seen::{self, Asked, Seen};
use crate::walk::{Step, Walk};
use crate::webdriver::Driver;
use crate::{chromium, ours, scenarios, walks};

/// Why they part, way by way.
const README: &str = include_str!("README.md");
/// Browsers at once; each waits more than it works.
const AT_ONCE: usize = 4;
/// The variable that has the browser's run write its record anew: the beginning of the names of the ways, empty for all.
const WRITES: &str = "SOFTKEY_RECORD_CHROMIUM";

/// What parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Outcome,
    Dialogs,
    Requests,
    Order,
}

/// Where they part. Whatever is not here must be the same, and what is here must not.
const PARTS: &[(&str, Part)] = &[
    ("a_login_hint", Part::Requests),
    ("a_login_hint_of_nobody", Part::Requests),
    ("assertion_with_a_foreign_page", Part::Dialogs),
    ("assertion_with_a_foreign_page", Part::Outcome),
    ("clicked_for_two", Part::Outcome),
    ("clicked_while_signed_out", Part::Requests),
    ("clicked_with_another_account", Part::Dialogs),
    ("clicked_with_hints_while_signed_out", Part::Dialogs),
    ("clicked_with_hints_while_signed_out", Part::Requests),
    ("conditional", Part::Outcome),
    ("config_with_a_label", Part::Requests),
    ("fields_of_all_kinds", Part::Requests),
    ("going_on_unasked", Part::Dialogs),
    ("going_on_unasked", Part::Outcome),
    ("in_a_frame", Part::Requests),
    ("in_a_frame_without_fields", Part::Dialogs),
    ("no_config", Part::Outcome),
    ("no_provider", Part::Outcome),
    ("picture_elsewhere", Part::Requests),
    ("signed_out_by_a_header", Part::Dialogs),
    ("signed_out_by_a_header", Part::Requests),
    ("signed_out_in_a_frame", Part::Outcome),
    ("silent_and_two_connected", Part::Dialogs),
    ("silent_and_two_connected", Part::Outcome),
    ("silent_and_two_connected", Part::Requests),
    ("silently_one_of_two", Part::Requests),
    ("two_providers_of_which_one_is_connected", Part::Requests),
    ("two_providers_of_which_one_wants_a_login", Part::Dialogs),
    ("well_known_too_short", Part::Dialogs),
    ("well_known_too_short", Part::Outcome),
    ("well_known_too_short", Part::Requests),
    ("well_known_with_two_providers", Part::Dialogs),
    ("well_known_with_two_providers", Part::Outcome),
    ("well_known_with_two_providers", Part::Requests),
    ("who_is_there_for_no_client", Part::Outcome),
    ("who_is_there_for_no_client", Part::Requests),
];

/// All ways, by the client as by the browser.
fn all() -> Vec<Walk> {
    let scenarios = scenarios::all().into_iter().map(|scenario| scenario.walk());
    scenarios.chain(walks::all()).collect()
}

/// A request of this client in Chromium's words, where these differ everywhere: with the form of an assertion it sends
/// `mode`, and says so if not all of the disclosure was shown; it fetches pictures as if they were JSON; and it calls the
/// page around a frame otherwise. Words are exchanged, so that a client which has Chromium's already is seen to differ too.
fn as_chromium_has_it(mut asked: Asked, mode: &str) -> Asked {
    match asked.endpoint {
        Endpoint::IdAssertion => {
            exchange(&mut asked.form, "mode".to_owned(), [None, Some(mode)]);
            exchange(&mut asked.form, "disclosure_text_shown".to_owned(), [None, Some("false")]);
        }
        Endpoint::Picture => {
            exchange(&mut asked.headers, "accept", [None, Some("application/json")]);
            exchange(&mut asked.headers, "sec-fetch-dest", [Some("image"), Some("webidentity")]);
        }
        Endpoint::ClientMetadata => {
            let [ours, theirs] = ["&top_level_origin=", "&top_frame_origin="];
            let [from, to] =
                if asked.place.contains(ours) { [ours, theirs] } else { [theirs, ours] };
            asked.place = asked.place.replace(from, to);
        }
        _ => {}
    }
    asked
}

/// Puts one of these values in the place of the other; any third one stays.
fn exchange<N: Ord>(members: &mut BTreeMap<N, String>, name: N, [one, other]: [Option<&str>; 2]) {
    let there = members.remove(&name);
    let then = match there.as_deref() {
        value if value == one => other,
        value if value == other => one,
        value => value,
    };
    if let Some(then) = then {
        members.insert(name, then.to_owned());
    }
}

/// Goes a way by the client of this project, and tells it in Chromium's words.
fn by_softkey(walk: &Walk) -> Vec<String> {
    let mut seen = ours::go(walk, None).0;
    let requests = seen.requests.into_iter().map(|asked| as_chromium_has_it(asked, walk.mode()));
    seen.requests = requests.collect();
    seen.requests.sort();
    if hangs_up(walk) {
        seen.orders.clear();
    }
    record::lines(&seen)
}

/// Goes a way in Chromium, and tells it as it was.
fn by_chromium(driver: &Driver, walk: &Walk) -> Vec<String> {
    let mut seen = chromium::go(driver, walk);
    if hangs_up(walk) {
        // Once more, where a connection that was used before ended.
        seen.requests.dedup();
        seen.orders.clear();
    }
    record::lines(&seen)
}

/// Does the provider end connections?
fn hangs_up(walk: &Walk) -> bool {
    format!("{:?}", walk.steps).contains(":hang-up")
}

/// In what two runs of the same way differ. The order is looked at where both ask the same.
fn parts(ours: &[String], theirs: &[String]) -> Vec<Part> {
    let kinds = [
        ("outcome ", Part::Outcome),
        ("dialog ", Part::Dialogs),
        ("request ", Part::Requests),
        ("order ", Part::Order),
    ];
    let of = |lines: &[String], kind: &str| -> Vec<String> {
        lines.iter().filter(|line| line.starts_with(kind)).cloned().collect()
    };
    let differs = kinds.into_iter().filter(|(kind, _)| of(ours, kind) != of(theirs, kind));
    let mut parts: Vec<_> = differs.map(|(_, part)| part).collect();
    if parts.contains(&Part::Requests) {
        parts.retain(|part| *part != Part::Order);
    }
    parts
}

/// For whoever has to find out why: what only one of the two did.
fn difference(name: &str, (one, a): (&str, &[String]), (other, b): (&str, &[String])) -> String {
    let mut text = format!("{name}:\n");
    for (who, some, others) in [(one, a, b), (other, b, a)] {
        let mut others = others.to_vec();
        for line in some {
            match others.iter().position(|other| other == line) {
                Some(same) => drop(others.remove(same)),
                None => text.extend(["  only ", who, ": ", line, "\n"]),
            }
        }
    }
    text
}

/// All of them side by side, each by one of several walkers.
fn side_by_side<W>(walks: &[Walk], walker: impl Fn() -> W + Sync) -> Lines
where
    W: FnMut(&Walk) -> Vec<String>,
{
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Lines::new()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let mut go = walker();
                while let Some(walk) = walks.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let lines = go(walk);
                    done.lock().unwrap().insert(walk.name.to_owned(), lines);
                }
            });
        }
    });
    done.into_inner().unwrap()
}

/// Held against what Chromium did when its run was recorded.
#[test]
fn softkey_goes_as_chromium_went() {
    let (_, theirs) = record::read(RECORD);
    let ours = side_by_side(&all(), || by_softkey);
    let names = |lines: &Lines| lines.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&ours), names(&theirs), "have the browser go all ways again: README.md");
    let mut found = BTreeSet::new();
    let mut report = String::new();
    for (name, ours) in &ours {
        let parts = parts(ours, &theirs[name]);
        if parts.iter().any(|part| !PARTS.contains(&(name, *part))) {
            report += &difference(name, ("softkey", ours), ("Chromium", &theirs[name]));
        }
        found.extend(parts.into_iter().map(|part| (name.as_str(), part)));
    }
    let known: BTreeSet<_> = PARTS.iter().copied().collect();
    let new: Vec<_> = found.difference(&known).collect();
    let gone: Vec<_> = known.difference(&found).collect();
    let message = format!("they part in {new:?}, and no more in {gone:?}\n{report}");
    assert!(new.is_empty() && gone.is_empty(), "{message}");
}

/// What a run of the browser is to the record: nothing if it went as recorded, else how it went.
fn verdict(
    version: &str,
    recorded: &str,
    theirs: &Lines,
    record: &Lines,
) -> Result<String, String> {
    let differ = theirs.iter().filter(|(name, lines)| record.get(*name) != Some(lines));
    let report: Vec<_> = differ
        .map(|(name, lines)| {
            let before = record.get(name).map_or(&[][..], Vec::as_slice);
            difference(name, ("now", lines), ("as recorded", before))
        })
        .collect();
    let (all, other) = (theirs.len(), report.len());
    if report.is_empty() {
        return Ok(format!("Chromium {version} goes all {all} ways as recorded of {recorded}"));
    }
    let text = format!(
        "the ways were recorded of Chromium {recorded}; this is {version}, and goes {other} of \
         {all} otherwise:\n{}",
        report.concat()
    );
    let major = |version: &str| version.split('.').next().map(str::to_owned);
    if major(version) == major(recorded) { Err(text) } else { Ok(text) }
}

/// The record with what was gone anew, without the ways that are no more. All of it is of one version: a part of another
/// one than the rest's would stand under a name that is not its own.
fn anew(
    version: &str,
    (recorded, mut record): (&str, Lines),
    theirs: Lines,
) -> Result<Lines, String> {
    let all: BTreeSet<_> = all().into_iter().map(|walk| walk.name).collect();
    record.retain(|name, _| all.contains(name.as_str()));
    if version != recorded && record.keys().any(|name| !theirs.contains_key(name)) {
        return Err(format!(
            "the ways were recorded of Chromium {recorded}, and this is {version}: record all of them \
             anew, with {WRITES}= and no name"
        ));
    }
    record.extend(theirs);
    Ok(record)
}

/// Does Chromium still go as recorded? Of the same version it must. Of another one it is told what changed, and that is
/// no failure: whether softkey goes as it should, the record says as before.
#[test]
#[ignore = "needs chromium and chromium-driver: cargo xtask ci --only fedcm"]
fn chromium_goes_as_recorded() {
    let (opened, mut walks) = (OnceLock::new(), all());
    let (recorded, record) = record::read(RECORD);
    let writes = std::env::var(WRITES).ok();
    walks.retain(|walk| writes.as_ref().is_none_or(|names| walk.name.starts_with(names)));
    let walker = || {
        let (mut driver, opened) = (Driver::start(), &opened);
        move |walk: &Walk| {
            // A browser may crash, or its driver; not twice on one way.
            let once = catch_unwind(AssertUnwindSafe(|| by_chromium(&driver, walk)));
            let lines = once.unwrap_or_else(|_| {
                driver = Driver::start();
                by_chromium(&driver, walk)
            });
            opened.get_or_init(|| driver.version());
            lines
        }
    };
    let theirs = side_by_side(&walks, walker);
    let version = opened.into_inner().expect("a browser was opened");
    if writes.is_some() {
        let record = anew(&version, (recorded, record), theirs);
        return record::write(&version, &record.unwrap_or_else(|text| panic!("{text}")));
    }
    match verdict(&version, recorded, &theirs, &record) {
        // Past the harness, which keeps to itself what a test that passes prints.
        Ok(text) => writeln!(std::io::stderr(), "{text}").unwrap(),
        Err(text) => panic!("{text}"),
    }
}

/// Each of the list has its reason, and is a way.
#[test]
fn where_they_part_is_explained() {
    let all: Vec<_> = all().into_iter().map(|walk| walk.name).collect();
    let names: BTreeSet<_> = all.iter().collect();
    assert_eq!(names.len(), all.len(), "a name is there twice");
    for (name, _) in PARTS {
        assert!(all.contains(name), "{name}");
        assert!(README.contains(&format!("`{name}`")), "{name}");
    }
}

/// Every fault of the provider at every endpoint that can have it, but those that a browser cannot be held to: it has no
/// limit of its own that would end `silent`, and the login page is a page, which it shows whatever is wrong with it.
#[test]
fn every_fault_is_compared() {
    let walks = all();
    let steps = walks.iter().flat_map(|walk| &walk.steps);
    let faults = steps.filter_map(|step| match step {
        Step::Faults(faults) => Some(faults),
        _ => None,
    });
    let compared: BTreeSet<&str> =
        faults.flatten().map(|fault| fault.split('=').next().unwrap()).collect();
    let mut there = BTreeSet::new();
    for (form, _) in KINDS {
        let kind = form.split('[').next().unwrap().replace("NAME=JSON", "a=1");
        let kind = kind.replace("NAME", "a").replace("=N", "=500").replace("=MS", "=50");
        for endpoint in Endpoint::ALL.into_iter().filter(|one| *one != Endpoint::Login) {
            let fault = format!("{endpoint}:{kind}");
            if fault.parse::<Fault>().is_ok() {
                there.insert(fault.split('=').next().unwrap().to_owned());
            }
        }
    }
    assert_eq!(there.len(), 90, "the table of faults has changed: count again");
    there.retain(|fault| !fault.ends_with(":silent") && !compared.contains(fault.as_str()));
    assert_eq!(there, BTreeSet::new());
}

/// The plant: a client that does something else is found out, whatever it is.
#[test]
fn a_difference_is_noticed() {
    let walk = scenarios::all()[0].walk();
    let seen = || ours::go(&walk, None).0;
    let own = record::lines(&seen());
    assert_eq!(parts(&own, &own), []);
    let changed = |change: fn(&mut Seen)| {
        let mut other = seen();
        change(&mut other);
        parts(&own, &record::lines(&other))
    };
    assert_eq!(changed(|seen| seen.outcomes[0]["token"]["sub"] = "2".into()), [Part::Outcome]);
    assert_eq!(changed(|seen| seen.dialogs.push("login".into())), [Part::Dialogs]);
    assert_eq!(changed(|seen| drop(seen.requests.pop())), [Part::Requests]);
    let field = |seen: &mut Seen| {
        let assertion = seen.requests.iter_mut().find(|one| one.endpoint == Endpoint::IdAssertion);
        assertion.unwrap().form.insert("fields".into(), "name".into());
    };
    assert_eq!(changed(field), [Part::Requests]);
    let cookie = |seen: &mut Seen| {
        seen.requests[0].headers.insert("cookie", "session".into());
    };
    assert_eq!(changed(cookie), [Part::Requests]);
    // The assertion last, and the accounts before the config file that says where they are.
    let last = |seen: &mut Seen| {
        seen.requests.sort_by_key(|asked| asked.endpoint == Endpoint::IdAssertion);
        seen.orders = seen::orders(&seen.requests, "login.idp.example");
        seen.requests.sort();
    };
    assert_eq!(changed(last), []);
    let early = |seen: &mut Seen| {
        seen.requests.sort_by_key(|asked| asked.endpoint == Endpoint::IdAssertion);
        seen.requests.sort_by_key(|asked| asked.endpoint != Endpoint::Accounts);
        seen.orders = seen::orders(&seen.requests, "login.idp.example");
        seen.requests.sort();
    };
    assert_eq!(changed(early), [Part::Order]);
}

/// The same for what differs everywhere: a client that comes to say it as Chromium does is found out.
#[test]
fn a_difference_that_goes_away_is_noticed() {
    let walks = all();
    let walk = walks.iter().find(|walk| walk.name == "in_a_frame").unwrap();
    let requests = ours::go(walk, None).0.requests;
    let mut changed = BTreeSet::new();
    for asked in requests {
        let theirs = as_chromium_has_it(asked.clone(), walk.mode());
        if theirs != asked {
            changed.insert(asked.endpoint);
        }
        // What says it as they do already.
        assert_eq!(as_chromium_has_it(theirs, walk.mode()), asked);
    }
    let everywhere = [Endpoint::ClientMetadata, Endpoint::IdAssertion, Endpoint::Picture];
    assert_eq!(changed, everywhere.into());
}

/// The same for the browser: it fails what the recorded version does otherwise, and tells it of another version.
#[test]
fn a_browser_that_changed_is_noticed() {
    let (recorded, record) = record::read("# Chromium 156.0.1\n\n== a\noutcome 1\ndialog x\n");
    let other = Lines::from([("a".to_owned(), vec!["outcome 2".to_owned()])]);
    assert!(verdict("156.0.2", recorded, &record, &record).unwrap().contains("as recorded of"));
    let failed = verdict("156.0.2", recorded, &other, &record).unwrap_err();
    assert!(
        failed.contains("only now: outcome 2") && failed.contains("only as recorded: dialog x")
    );
    let told = verdict("157.0.1", recorded, &other, &record).unwrap();
    assert!(told.starts_with(
        "the ways were recorded of Chromium 156.0.1; this is 157.0.1, and goes 1 of 1 otherwise:"
    ));
}

/// A part of the record is written anew by the version that the rest is of, and by no other; the whole by any.
#[test]
fn a_record_is_of_one_version() {
    let way = |name: &str, line: &str| (name.to_owned(), vec![line.to_owned()]);
    let names: Vec<_> = all().into_iter().take(2).map(|walk| walk.name).collect();
    let [one, other] = names[..] else { panic!("two ways") };
    let record = || Lines::from([way(one, "1"), way(other, "1"), way("gone", "1")]);
    let part = || Lines::from([way(one, "2")]);
    let both = Lines::from([way(one, "2"), way(other, "1")]);
    assert_eq!(anew("156.0.1", ("156.0.1", record()), part()), Ok(both));
    for version in ["156.0.2", "157.0.1"] {
        let refused = anew(version, ("156.0.1", record()), part()).unwrap_err();
        assert!(refused.contains("of Chromium 156.0.1, and this is"), "{refused}");
        let whole = Lines::from([way(one, "2"), way(other, "2")]);
        assert_eq!(anew(version, ("156.0.1", record()), whole.clone()), Ok(whole));
    }
}
