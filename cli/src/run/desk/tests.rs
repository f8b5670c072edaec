//! Warnings, modes and the countdown on a clock that jumps.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use softkey_authenticator::{Answer, AskId, Operation, Question};

use super::super::approval::By;
use super::super::sensor::Sensor;
use super::*;
use crate::output::Form;

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn desk(mode: Mode, sensor: Option<Sensor>, auto_allowed: bool) -> (Desk, Shared) {
    let printed = Shared::default();
    let screen = Screen::start(Form::Plain, printed.clone(), io::sink()).unwrap();
    (Desk::new(Approval::new(mode, false, sensor), screen, None, false, auto_allowed), printed)
}

fn at(seconds: u64) -> Instant {
    Instant::from_millis(seconds * 1000)
}

fn ask(id: u64) -> Ask {
    Ask {
        id: AskId(id),
        question: Question::Presence,
        operation: Operation::Reset,
        rp_id: None,
        account: None,
        recognisable: false,
        deadline: at(30),
    }
}

/// What no real key does is said at the start and each minute, as long as it is on.
#[test]
fn the_owner_is_reminded_each_minute() {
    let (desk, printed) = desk(Mode::Auto, Some(Sensor::plain()), true);
    let mut desk = desk.with_profile(Some("tiny".into()));
    assert_eq!(desk.poll_timeout(at(0)), None);
    desk.fault_on(at(0), "wrong-up".parse().unwrap());
    assert_eq!(desk.poll_timeout(at(0)), Some(at(60)));
    desk.handle_timeout(at(59));
    desk.handle_timeout(at(60));
    assert_eq!(desk.poll_timeout(at(60)), Some(at(120)));
    assert_eq!(desk.set_mode(at(61), Mode::Deny), Ok(None));
    assert!(desk.fault_off(at(90), None));
    desk.handle_timeout(at(150));
    desk.stop();
    let warnings: Vec<_> = printed.lines();
    let of = |what: &str| {
        let line = format!("warning: {what}");
        warnings.iter().filter(|warning| warning.starts_with(&line)).count()
    };
    // The rest is told again whenever one of them changes.
    assert_eq!((of("approve auto"), of("fault wrong-up")), (2, 3));
    assert_eq!((of("uv simulated"), of("profile tiny")), (5, 5));
}

/// A mode that cannot be is refused and changes nothing.
#[test]
fn modes_that_cannot_be_are_refused() {
    let (mut desk, printed) = desk(Mode::Hold, None, false);
    assert_eq!(desk.set_mode(at(0), Mode::Ask), Err(NotThatMode::NoTerminal));
    assert_eq!(desk.set_mode(at(0), Mode::Auto), Err(NotThatMode::Exposed));
    assert_eq!((desk.approval().mode(), desk.pretended()), (Mode::Hold, Vec::<String>::new()));
    desk.stop();
    assert!(printed.lines().is_empty());
}

/// A question is announced once where somebody may answer it, and not where the mode has answered.
#[test]
fn a_question_is_announced_once() {
    let (mut desk, printed) = desk(Mode::Hold, None, true);
    assert_eq!(desk.question(at(0), Some(&ask(1))), None);
    assert_eq!(desk.question(at(0), Some(&ask(1))), None);
    let verdict = desk.touch(at(1), Touch::Short).unwrap();
    assert_eq!((verdict.decision.answer, verdict.by), (Answer::Yes, By::Control));
    desk.question(at(1), None);
    desk.set_mode(at(2), Mode::Deny).unwrap();
    assert!(desk.question(at(2), Some(&ask(2))).is_some_and(|verdict| !verdict.approves()));
    desk.stop();
    assert_eq!(printed.lines(), ["waiting: a program asks to reset", "approve deny from now on"]);
}
