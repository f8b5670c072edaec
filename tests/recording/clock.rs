//! Time in recordings: what ends by the clock ends again at the same reading, and the same session is the same bytes.

use std::fs;
use std::path::Path;
use std::time::Duration;

use softkey::error::Exit;
use softkey_authenticator::Step;
use softkey_tests::Request;
use softkey_tests::platform::permission::MC;
use softkey_tests::request::command;
use softkey_tests::status::{NOT_ALLOWED, PIN_AUTH_INVALID, SUCCESS, USER_ACTION_TIMEOUT};

use crate::session::{Session, is_same_again, replayed};
use crate::story::{self, PIN};

const SECOND: Duration = Duration::from_secs(1);

/// A session in which a token, a question and the time for a reset end by the clock, and nearly end before.
fn timed(file: &Path, at: u64) -> Session {
    let mut session = Session::start(file, "--seed 5", at);
    story::set_pin(&mut session, PIN);
    let register = |session: &mut Session, token| {
        session.send(&Request::make_credential().authorized(token).bytes())
    };
    // PT-13: a token that is not used for 30 s is none any more.
    let token = story::token(&mut session, MC);
    session.advance(SECOND * 29);
    assert_eq!(register(&mut session, &token)[0], SUCCESS);
    let token = story::token(&mut session, MC);
    session.advance(SECOND * 31);
    assert_eq!(register(&mut session, &token), [PIN_AUTH_INVALID]);
    // A question is withdrawn after 30 s.
    assert!(matches!(session.begin(&[command::SELECTION]), Step::Asking(_)));
    assert_eq!(session.advance(SECOND * 29), None);
    assert_eq!(session.advance(SECOND), Some(vec![USER_ACTION_TIMEOUT]));
    // RS-02: a reset is for the first 10 s after power-up.
    session.power_cycle();
    session.advance(SECOND * 11);
    assert_eq!(session.send(&[command::RESET]), [NOT_ALLOWED]);
    session.power_cycle();
    session.advance(SECOND * 9);
    assert_eq!(session.send(&[command::RESET]), [SUCCESS]);
    session
}

/// What ended by the clock ends again, and what did not does not.
#[test]
fn a_session_in_which_things_end_by_the_clock_is_the_same_again() {
    let folder = tempfile::tempdir().unwrap();
    for at in [0, 77_777] {
        let file = folder.path().join(at.to_string());
        timed(&file, at);
        is_same_again(&file);
    }
}

/// The replay goes by the readings in the file: where one is earlier the token is still good, and this is told.
#[test]
fn a_reading_that_was_changed_is_a_difference() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("session");
    timed(&file, 0);
    let text = fs::read_to_string(&file).unwrap();
    // The token of 29 s was refused at 60 s.
    let refused = text.lines().find(|line| line.contains("\"reply\":{\"hex\":\"33\"")).unwrap();
    assert!(refused.starts_with("{\"at\":60000,"), "{refused}");
    let earlier = refused.replacen("60000", "58000", 1);
    fs::write(&file, text.replacen(refused, &earlier, 1)).unwrap();
    let (exit, told) = replayed(&file);
    assert_eq!(exit, Exit::Failed);
    assert!(told.contains(", at 58000 ms: authenticatorMakeCredential"), "{told}");
    // The same with the deadline of the question: it is still open a second before.
    let ended = text.lines().find(|line| line.contains("\"do\":\"timeout\"")).unwrap();
    let earlier = ended.replacen("90000", "89999", 1);
    fs::write(&file, text.replacen(ended, &earlier, 1)).unwrap();
    let (exit, told) = replayed(&file);
    assert_eq!(exit, Exit::Failed);
    assert!(told.contains(", at 89999 ms: a deadline"), "{told}");
}

/// The same seed, the same requests and the same readings are the same bytes; another seed gives others.
#[test]
fn the_same_session_is_the_same_recording() {
    let folder = tempfile::tempdir().unwrap();
    let recording = |name: &str, seed: &str| {
        let file = folder.path().join(name);
        let mut session = Session::start(&file, seed, 0);
        story::all(&mut session);
        drop(session);
        is_same_again(&file);
        fs::read_to_string(&file).unwrap()
    };
    let first = recording("first", "--seed 11");
    assert!(first == recording("second", "--seed 11"), "the same seed, another recording");
    assert!(first != recording("third", "--seed 12"));
    let timed_file = |name: &str| {
        let file = folder.path().join(name);
        drop(timed(&file, 0));
        fs::read_to_string(file).unwrap()
    };
    assert!(timed_file("fourth") == timed_file("fifth"), "the same readings, another recording");
}
