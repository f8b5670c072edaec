//! What a page asks the container for and what a text message says to it.
//!
//! Claim: of any options get and create foretell, by an independent look at the JSON, which step of Credential Management
//! Level 1 refuses them, and no refused call leaves a mark on the page; a password or federated credential that create
//! makes has what was said; a message has the code that a reading letter by letter of the format finds, a message composed
//! of it says the same again, the linter finds no fatal fault in what a page can read and one in what none can; and a page
//! is offered the code of its own site only. Planted: a message's line break at the end is dropped before it is read.

use serde_json::Value;
use softkey_client::otp::BoundCode;
use softkey_client::otp::lint::{Fault, lint};
use softkey_client::{
    Answer, Cause, CredentialCreationOptions, CredentialRequestOptions, Entropy, Output, Page,
    Profile, Question, Request,
};
use softkey_ctap::{Instant, Secret};

use crate::{Subject, Tape};

const NOW: Instant = Instant::from_millis(1000);
const ORIGIN: &str = "https://www.example.com";
/// The members of get, in the order of the registry, and whether their types are of the credential store.
const TYPES: [(&str, bool); 5] = [
    ("password", true),
    ("federated", true),
    ("identity", false),
    ("otp", false),
    ("publicKey", false),
];

/// Which kind, then the text.
pub fn run(data: &[u8], subject: Subject) {
    let mut tape = Tape::new(data);
    let kind = tape.below(3);
    let text = String::from_utf8_lossy(tape.rest()).into_owned();
    match kind {
        0 => get(&text),
        1 => create(&text),
        _ => message(&text, subject),
    }
}

fn page() -> Page {
    Page::new(&Profile::new(), ORIGIN)
}

fn entropy() -> Entropy {
    Entropy::from_seed(&Secret::new([7; 32]))
}

/// Why a request is refused, if it is by now.
fn refused(request: &mut Request) -> Option<Cause> {
    match request.poll_output(NOW) {
        Some(Output::Settled(Err(rejection))) => Some(rejection.cause),
        _ => None,
    }
}

fn get(json: &str) {
    let Ok(options) = CredentialRequestOptions::from_json(json) else { return };
    let value: Value = serde_json::from_str(json).expect("what was read is JSON");
    let there = |(member, _): &&(&str, bool)| match (*member, value.get(*member)) {
        ("password", password) => password.is_some_and(truth),
        (_, other) => other.is_some(),
    };
    let asked: Vec<_> = TYPES.iter().filter(there).collect();
    let (mediation, immediate) = (&value["mediation"], !value["uiMode"].is_null());
    let aborted = value["signal"]["aborted"] == true;
    let mut page = page();
    let mut ask = |options| refused(&mut page.credentials().get(NOW, options, entropy()));
    let cause = ask(options.clone());
    let mixed = asked.len() > 1 && asked.iter().any(|(_, stored)| !stored);
    let conditional = asked.iter().any(|(member, _)| *member != "publicKey");
    match &cause {
        Some(Cause::Aborted(_)) => assert!(aborted),
        Some(Cause::NoType) => assert!(!aborted && asked.is_empty()),
        Some(Cause::TypesDoNotMix(..)) => assert!(!aborted && mixed),
        Some(Cause::NotConditional(_)) => {
            assert!(!aborted && !mixed && mediation == "conditional" && conditional);
        }
        Some(Cause::NotImmediate(_)) => assert!(!aborted && !mixed && immediate),
        other => {
            assert!(!aborted && !asked.is_empty() && !mixed && !immediate, "{other:?}");
            assert!(mediation != "conditional" || !conditional, "{other:?}");
        }
    }
    if cause.is_some() {
        assert_eq!(ask(options), cause, "a refused call leaves no mark");
    }
}

/// What ECMAScript takes for true.
fn truth(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        _ => true,
    }
}

fn create(json: &str) {
    let Ok(options) = CredentialCreationOptions::from_json(json) else { return };
    let value: Value = serde_json::from_str(json).expect("what was read is JSON");
    let members = ["password", "federated", "publicKey"];
    let asked: Vec<_> = members.into_iter().filter(|member| value.get(member).is_some()).collect();
    let mut page = page();
    let mut request = page.credentials().create(NOW, options.clone(), entropy());
    let outcome = request.poll_output(NOW);
    let aborted = value["signal"]["aborted"] == true;
    if let Some(Output::Settled(Err(rejection))) = &outcome {
        let cause = refused(&mut page.credentials().create(NOW, options, entropy()));
        assert_eq!(cause.as_ref(), Some(&rejection.cause), "a refused call leaves no mark");
        match rejection.cause {
            Cause::NoType => assert!(asked.is_empty()),
            Cause::Aborted(_) => assert!(aborted && asked.len() == 1),
            _ => assert!(!asked.is_empty()),
        }
        return;
    }
    assert!(asked.len() == 1 && !aborted, "{asked:?}");
    let Some(Output::Settled(Ok(Some(made)))) = outcome else { return };
    let (made, said) = (made.to_json(), &value[asked[0]]);
    if said.get("elements").is_some() {
        return;
    }
    let own = if asked[0] == "password" { "password" } else { "protocol" };
    for member in ["id", "name", "iconURL", own] {
        let (made, said) = (made[member].as_str(), said[member].as_str());
        assert_eq!(made.unwrap_or_default(), said.unwrap_or_default(), "{member}");
    }
}

fn message(text: &str, subject: Subject) {
    let given = if subject == Subject::Planted { text.trim_end_matches('\n') } else { text };
    let bound = BoundCode::parse(given);
    let found = bound.as_ref().map(|bound| {
        let embedded = bound.embedded_host.clone();
        (bound.top_host.clone(), bound.code.expose().to_owned(), embedded)
    });
    assert_eq!(found, read(text), "{text:?}");
    // Placeholders of templates are filled in first.
    if !text.contains(['{', '$', '%']) {
        let fatal = lint(text).iter().any(Fault::is_fatal);
        let readable = bound.as_ref().is_some_and(|bound| bound.origins().is_some());
        assert_eq!(fatal, !readable, "{text:?}");
    }
    let Some(bound) = bound else { return };
    assert_eq!(BoundCode::parse(&bound.compose("Your code.")).as_ref(), Some(&bound));
    offered(text, &bound);
}

/// The last line, letter by letter: host, code, and the host of the frame.
fn read(text: &str) -> Option<(String, String, Option<String>)> {
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    let letters: Vec<char> = lines.split('\n').next_back()?.chars().collect();
    let mut at = 0;
    let mut marked = |marks: &str| {
        let mut place = at;
        for mark in marks.chars() {
            if letters.get(place) != Some(&mark) {
                return None;
            }
            place += 1;
        }
        let is_word = |letter: &&char| !matches!(letter, '\t' | '\u{c}' | ' ');
        let word: String = letters[place..].iter().take_while(is_word).collect();
        at = place + word.chars().count();
        Some(word).filter(|word| !word.is_empty())
    };
    let (host, code) = (marked("@")?, marked(" #")?);
    Some((host, code, marked(" @")))
}

/// A page that waits is offered the code if the message is for its site, and gets it when the person says yes.
fn offered(text: &str, bound: &BoundCode) {
    let mut page = page();
    let options = CredentialRequestOptions::from_json(r#"{"otp": {"transport": ["sms"]}}"#);
    let options = options.expect("options");
    let mut request = page.credentials().get(NOW, options, entropy());
    assert_eq!(request.poll_output(NOW), None);
    page.profile().inbox().push(text);
    let asked = request.poll_output(NOW);
    // No top-level domain of example.com's is a public suffix.
    let host = bound.top_host.to_ascii_lowercase();
    let plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    let own = host == "example.com" || host.ends_with(".example.com");
    match asked {
        Some(Output::Ask(Question::Code { origin, embedded, .. })) => {
            assert_eq!((origin.as_str(), embedded), (ORIGIN, None));
            assert!(own || !plain, "a code of {host} is offered to {ORIGIN}");
            request.handle_answer(NOW, Answer::Yes);
            let Some(Output::Settled(Ok(Some(given)))) = request.poll_output(NOW) else {
                panic!("not given")
            };
            assert_eq!(given.to_json()["code"], bound.code.expose());
        }
        None => {
            let exact = host == "www.example.com" && bound.embedded_host.is_none();
            assert!(!exact, "a code of the page's own is not offered");
        }
        other => panic!("{other:?}"),
    }
}
