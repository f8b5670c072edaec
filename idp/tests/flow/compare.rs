//! Every scenario by the client of this project and by Chromium, and the list of where they part.

use std::collections::BTreeSet;

use softkey_idp::Endpoint;

use crate::scenarios;
use crate::seen::{Asked, Seen};
use crate::webdriver::Driver;
use crate::{chromium, ours};

/// Why they part, scenario by scenario.
const README: &str = include_str!("README.md");

/// What parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Outcome,
    Dialogs,
    Requests,
}

/// Where they part. Whatever is not here must be the same, and what is here must not.
const PARTS: &[(&str, Part)] = &[
    ("a_login_hint", Part::Requests),
    ("a_login_hint_of_nobody", Part::Requests),
    ("assertion_with_a_foreign_page", Part::Dialogs),
    ("assertion_with_a_foreign_page", Part::Outcome),
    ("config_with_a_label", Part::Requests),
    ("picture_elsewhere", Part::Requests),
    ("silently_one_of_two", Part::Requests),
    ("well_known_too_short", Part::Dialogs),
    ("well_known_too_short", Part::Outcome),
    ("well_known_too_short", Part::Requests),
    ("well_known_with_two_providers", Part::Dialogs),
    ("well_known_with_two_providers", Part::Outcome),
    ("well_known_with_two_providers", Part::Requests),
];

/// How Chromium's requests differ everywhere: with the form of an assertion it sends `mode`, and says so if not all of
/// the disclosure was shown; and it fetches pictures as if they were JSON.
fn as_the_draft_has_it(mut asked: Asked) -> Asked {
    match asked.endpoint {
        Endpoint::IdAssertion => {
            assert_eq!(asked.form.remove("mode").as_deref(), Some("passive"));
            let shown = asked.form.get("disclosure_text_shown").is_none_or(|text| text == "true");
            if !shown {
                asked.form.remove("disclosure_text_shown");
            }
        }
        Endpoint::Picture => {
            assert_eq!(asked.headers.remove("accept").as_deref(), Some("application/json"));
            let dest = asked.headers.insert("sec-fetch-dest", "image".to_owned());
            assert_eq!(dest.as_deref(), Some("webidentity"));
        }
        _ => {}
    }
    asked
}

/// In what two ways of the same scenario differ.
fn parts(ours: &Seen, theirs: &Seen) -> Vec<Part> {
    let mut parts = Vec::new();
    parts.extend((ours.outcome != theirs.outcome).then_some(Part::Outcome));
    parts.extend((ours.dialogs != theirs.dialogs).then_some(Part::Dialogs));
    parts.extend((ours.requests != theirs.requests).then_some(Part::Requests));
    parts
}

/// For whoever has to find out why.
fn report(name: &str, ours: &Seen, theirs: &Seen) {
    println!("{name}, softkey:\n  {}\n  {:?}", ours.outcome, ours.dialogs);
    println!("{name}, Chromium:\n  {}\n  {:?}", theirs.outcome, theirs.dialogs);
    for (who, some, others) in [("softkey", ours, theirs), ("Chromium", theirs, ours)] {
        for asked in some.requests.iter().filter(|asked| !others.requests.contains(asked)) {
            println!("  only {who}: {asked:?}");
        }
    }
}

#[test]
#[ignore = "needs chromium and chromium-driver: cargo xtask ci --only fedcm"]
fn chromium_goes_the_same_way() {
    let driver = Driver::start();
    let known: BTreeSet<_> = PARTS.iter().copied().collect();
    let mut found = BTreeSet::new();
    for scenario in scenarios::all() {
        let (ours, _) = ours::run(&scenario);
        let mut theirs = chromium::run(&driver, &scenario);
        theirs.requests = theirs.requests.into_iter().map(as_the_draft_has_it).collect();
        theirs.requests.sort();
        if scenario.faults.iter().any(|fault| fault.ends_with(":hang-up")) {
            // Once more, where a connection that was used before ended.
            theirs.requests.dedup();
        }
        let parts = parts(&ours, &theirs);
        if parts.iter().any(|part| !known.contains(&(scenario.name, *part))) {
            report(scenario.name, &ours, &theirs);
        }
        found.extend(parts.into_iter().map(|part| (scenario.name, part)));
    }
    let new: Vec<_> = found.difference(&known).collect();
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(new.is_empty() && gone.is_empty(), "they part in {new:?}, and no more in {gone:?}");
}

/// Each of the list has its reason, and is a scenario.
#[test]
fn where_they_part_is_explained() {
    let all: Vec<_> = scenarios::all().into_iter().map(|scenario| scenario.name).collect();
    for (name, _) in PARTS {
        assert!(all.contains(name), "{name}");
        assert!(README.contains(&format!("`{name}`")), "{name}");
    }
}

/// The plant: a client that does something else is found out, whatever it is.
#[test]
fn a_difference_is_noticed() {
    let scenario = &scenarios::all()[0];
    let seen = || ours::run(scenario).0;
    assert_eq!(parts(&seen(), &seen()), []);
    let changed = |change: fn(&mut Seen)| {
        let mut other = seen();
        change(&mut other);
        parts(&seen(), &other)
    };
    assert_eq!(changed(|seen| seen.outcome["token"]["sub"] = "2".into()), [Part::Outcome]);
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
}
