//! The worker with a key that does as it is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::event::{PollFd, PollFlags};
use softkey_authenticator::{Answer, Operation, Question, Transport};
use softkey_ctap_hid::WallClock;

use super::*;
use crate::error::Exit;

/// Answers `[1, n]` at once with `[0, n]`, asks for anything else and answers `[0]` to yes, `[0x27]` to no.
#[derive(Default)]
struct Fake {
    open: Option<Ask>,
    last: u64,
    deadline: Option<Instant>,
    alive: Option<Arc<AtomicU32>>,
}

impl Fake {
    fn ask(&mut self, now: Instant) -> Ask {
        self.last += 1;
        let deadline = now + Duration::from_millis(50);
        self.deadline = Some(deadline);
        let ask = Ask {
            id: AskId(self.last),
            question: Question::Presence,
            operation: Operation::Selection,
            rp_id: None,
            account: None,
            recognisable: false,
            deadline,
        };
        self.open = Some(ask.clone());
        ask
    }

    fn close(&mut self, status: u8) -> Option<Step> {
        self.deadline = None;
        self.open.take().map(|_| Step::Reply(vec![status]))
    }
}

impl Engine for Fake {
    fn begin(&mut self, now: Instant, _: Via, request: &[u8]) -> Step {
        match request {
            [1, n] => Step::Reply(vec![0, *n]),
            _ => Step::Asking(self.ask(now)),
        }
    }

    fn begin_u2f(&mut self, now: Instant, _: Via, _: &[u8]) -> Vec<u8> {
        self.ask(now);
        vec![0x69, 0x85]
    }

    fn asking(&self) -> Option<&Ask> {
        self.open.as_ref()
    }

    fn resume(&mut self, _: Instant, decision: Decision) -> Option<Step> {
        self.close(if decision.answer == Answer::Yes { 0 } else { 0x27 })
    }

    fn cancel(&mut self, _: Via) -> Option<Step> {
        self.close(0x2d)
    }

    fn session_ended(&mut self, _: Session) {
        self.close(0);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }

    fn block_user_verification(&mut self) {
        self.close(0x3c);
    }

    fn set_faults(&mut self, _: &[Fault]) {}

    fn take_done(&mut self) -> Vec<Fault> {
        Vec::new()
    }

    fn handle_timeout(&mut self, now: Instant) -> Option<Step> {
        if self.deadline.is_some_and(|at| now >= at) { self.close(0x2f) } else { None }
    }

    fn refusal(&self) -> Option<Refusal> {
        None
    }

    fn take_store_error(&mut self) -> Option<String> {
        None
    }

    fn sweep(&mut self) -> bool {
        true
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        if let Some(alive) = &self.alive {
            alive.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

const VIA: Via = Via { transport: Transport::Usb, session: Session(7) };

fn powered() -> Worker {
    let power_up: PowerUp = Box::new(|_| Ok(Box::new(Fake::default())));
    let mut worker = Worker::start(KeyClock::Wall(WallClock::start()), power_up).unwrap();
    worker.order(Order::PowerUp);
    assert!(matches!(next(&mut worker), Report::Powered(Ok(()))));
    worker
}

/// Waits for the bell, as the hub does.
fn next(worker: &mut Worker) -> Report {
    loop {
        worker.quiet();
        if let Some(report) = worker.poll().unwrap() {
            return report;
        }
        let mut fds = [PollFd::from_borrowed_fd(worker.descriptor(), PollFlags::IN)];
        rustix::event::poll(&mut fds, None).unwrap();
    }
}

fn begin(worker: &Worker, kind: JobKind, bytes: &[u8]) {
    worker.order(Order::Begin { via: VIA, kind, bytes: bytes.to_vec() });
}

fn question(worker: &mut Worker, of: JobKind) -> Option<AskId> {
    match next(worker) {
        Report::Question { ask, kind } if kind == of => ask.map(|ask| ask.id),
        other => panic!("{other:?}"),
    }
}

fn answer(worker: &mut Worker) -> Vec<u8> {
    match next(worker) {
        Report::Answer { bytes, refusal: None, .. } => bytes,
        other => panic!("{other:?}"),
    }
}

/// The question comes before the answer, and is closed before it.
#[test]
fn a_request_asks_and_is_answered() {
    let mut worker = powered();
    begin(&worker, JobKind::Cbor, &[1, 9]);
    assert_eq!(answer(&mut worker), [0, 9]);
    begin(&worker, JobKind::Cbor, &[2]);
    let ask = question(&mut worker, JobKind::Cbor).unwrap();
    worker.order(Order::Decide(Decision { ask, answer: Answer::No }));
    assert_eq!(question(&mut worker, JobKind::Cbor), None);
    assert_eq!(answer(&mut worker), [0x27]);
    worker.stop();
}

/// A U2F message is answered at once while its question stays open, and the later answer to the question is
/// nobody's reply.
#[test]
fn a_u2f_question_outlives_its_message() {
    let mut worker = powered();
    begin(&worker, JobKind::Msg, &[0, 1]);
    let ask = question(&mut worker, JobKind::Msg).unwrap();
    assert_eq!(answer(&mut worker), [0x69, 0x85]);
    worker.order(Order::Decide(Decision { ask, answer: Answer::Yes }));
    assert_eq!(question(&mut worker, JobKind::Msg), None);
    begin(&worker, JobKind::Cbor, &[1, 1]);
    assert_eq!(answer(&mut worker), [0, 1]);
}

/// The authenticator's own deadline ends a request without an order from anybody.
#[test]
fn the_engines_deadline_is_kept() {
    let mut worker = powered();
    begin(&worker, JobKind::Cbor, &[2]);
    assert!(question(&mut worker, JobKind::Cbor).is_some());
    assert_eq!(question(&mut worker, JobKind::Cbor), None);
    assert_eq!(answer(&mut worker), [0x2f]);
}

/// A clock that stands is moved by an order alone, from deadline to deadline, and what was due comes before the word that
/// the time has passed.
#[test]
fn a_standing_clock_is_moved_by_order() {
    let clock = KeyClock::standing();
    let power_up: PowerUp = Box::new(|_| Ok(Box::new(Fake::default())));
    let mut worker = Worker::start(clock.clone(), power_up).unwrap();
    worker.order(Order::PowerUp);
    assert!(matches!(next(&mut worker), Report::Powered(Ok(()))));
    begin(&worker, JobKind::Cbor, &[2]);
    assert!(question(&mut worker, JobKind::Cbor).is_some());
    worker.order(Order::Advance(Duration::from_millis(49)));
    assert!(matches!(next(&mut worker), Report::Advanced));
    assert_eq!(clock.now(), Instant::from_millis(49));
    worker.order(Order::Advance(Duration::from_hours(1)));
    assert_eq!(question(&mut worker, JobKind::Cbor), None);
    assert_eq!(answer(&mut worker), [0x2f]);
    assert!(matches!(next(&mut worker), Report::Advanced));
    assert_eq!(clock.now(), Instant::from_millis(3_600_049));
    worker.stop();
}

/// Power comes back to a new engine, made when the old one is gone; what waited is forgotten.
#[test]
fn a_power_cycle_forgets_what_was_going_on() {
    let alive = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&alive);
    let mut worker = Worker::start(
        KeyClock::Wall(WallClock::start()),
        Box::new(move |_| {
            if count.fetch_add(1, Ordering::SeqCst) > 0 {
                return Err(CliError::new(Exit::Failed, "The old engine still lives.", ""));
            }
            let mut fake = Fake::default();
            fake.alive = Some(Arc::clone(&count));
            Ok(Box::new(fake))
        }),
    )
    .unwrap();
    worker.order(Order::PowerUp);
    begin(&worker, JobKind::Cbor, &[2]);
    worker.order(Order::PowerUp);
    begin(&worker, JobKind::Cbor, &[1, 3]);
    assert!(matches!(next(&mut worker), Report::Powered(Ok(()))));
    assert!(question(&mut worker, JobKind::Cbor).is_some());
    assert!(matches!(next(&mut worker), Report::Powered(Ok(()))));
    assert_eq!(answer(&mut worker), [0, 3]);
    worker.stop();
    assert_eq!(alive.load(Ordering::SeqCst), 0);
}
