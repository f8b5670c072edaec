//! The machine under each call of `FedCM`: a straight-line `async` function that awaits nothing but its owner, who brings
//! answers of servers, answers of a person, and the clock.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use softkey_ctap::Instant;

use super::Failure;
use crate::cause::Cause;
use crate::credential::Credential;
use crate::fetch::{FetchFault, FetchRequest, FetchResponse};
use crate::question::{Answer, Question};
use crate::request::{Machine, Output, Progress};

type Work = Pin<Box<dyn Future<Output = Result<Option<Credential>, Cause>> + Send>>;

/// A call under way.
pub(super) struct Flow {
    work: Work,
    desk: Desk,
    state: State,
    /// Did another call of the tab take its place?
    superseded: Arc<AtomicBool>,
}

enum State {
    New,
    Asked,
    Sent {
        until: Instant,
    },
    /// The time for an answer has passed, and the request was withdrawn.
    Late {
        since: Instant,
    },
    Pause {
        until: Instant,
    },
}

impl Flow {
    pub(super) fn new<F>(superseded: Arc<AtomicBool>, work: impl FnOnce(Desk) -> F) -> Self
    where
        F: Future<Output = Result<Option<Credential>, Cause>> + Send + 'static,
    {
        let desk = Desk::default();
        Self { work: Box::pin(work(desk.clone())), desk, state: State::New, superseded }
    }

    fn run(&mut self, now: Instant, brought: Option<Brought>) -> Progress {
        let mut papers = self.desk.lock();
        papers.now = now;
        papers.brought = brought;
        drop(papers);
        let polled = self.work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let want = self.desk.lock().want.take();
        match (polled, want) {
            (Poll::Ready(result), _) => Progress::Done(result),
            (Poll::Pending, Some(Want::Answer(question))) => {
                self.state = State::Asked;
                Progress::Wants(Output::Ask(question))
            }
            (Poll::Pending, Some(Want::Response(request))) => {
                self.state = State::Sent { until: now + request.time_limit };
                Progress::Wants(Output::Send(request))
            }
            (Poll::Pending, Some(Want::Pause(until))) if until <= now => {
                self.run(now, Some(Brought::Passed))
            }
            (Poll::Pending, Some(Want::Pause(until))) => {
                self.state = State::Pause { until };
                Progress::Waits
            }
            // Nothing here awaits anything but the desk; whatever else it were, nobody could bring it.
            (Poll::Pending, None) => Progress::Done(Err(Cause::Cancelled)),
        }
    }
}

impl Machine for Flow {
    fn next(&mut self, now: Instant, answer: Option<Answer>) -> Progress {
        if self.superseded.load(Ordering::SeqCst) {
            return Progress::Done(Err(Failure::Superseded.into()));
        }
        match (&self.state, answer) {
            (State::New, _) => self.run(now, None),
            (State::Asked, Some(answer)) => self.run(now, Some(Brought::Answer(answer))),
            (State::Sent { until }, _) if *until <= now => {
                self.state = State::Late { since: *until };
                Progress::Wants(Output::Withdraw)
            }
            (State::Late { .. }, _) => self.late(now),
            (State::Pause { until }, _) if *until <= now => self.run(now, Some(Brought::Passed)),
            _ => Progress::Waits,
        }
    }

    fn receive(&mut self, now: Instant, response: Result<FetchResponse, FetchFault>) -> Progress {
        if self.superseded.load(Ordering::SeqCst) {
            return Progress::Done(Err(Failure::Superseded.into()));
        }
        match self.state {
            State::Sent { until } if until <= now => self.late(now),
            State::Sent { .. } => self.run(now, Some(Brought::Response(response))),
            _ => Progress::Waits,
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::New | State::Asked => None,
            State::Sent { until } | State::Pause { until } => Some(until),
            State::Late { since } => Some(since),
        }
    }
}

impl Flow {
    fn late(&mut self, now: Instant) -> Progress {
        self.run(now, Some(Brought::Response(Err(FetchFault::TimedOut))))
    }
}

/// The inside of the machine.
#[derive(Clone, Default)]
pub(super) struct Desk(Arc<Mutex<Papers>>);

#[derive(Default)]
struct Papers {
    now: Instant,
    want: Option<Want>,
    brought: Option<Brought>,
}

enum Want {
    Answer(Question),
    Response(FetchRequest),
    Pause(Instant),
}

enum Brought {
    Answer(Answer),
    Response(Result<FetchResponse, FetchFault>),
    Passed,
}

impl Desk {
    /// The clock.
    pub(super) fn now(&self) -> Instant {
        self.lock().now
    }

    /// Asks the person.
    pub(super) async fn ask(&self, question: Question) -> Answer {
        match self.want(Want::Answer(question)).await {
            Brought::Answer(answer) => answer,
            // The flow brings to each want what it is for.
            Brought::Response(_) | Brought::Passed => Answer::No,
        }
    }

    /// Sends a request.
    pub(super) async fn send(&self, request: FetchRequest) -> Result<FetchResponse, FetchFault> {
        match self.want(Want::Response(request)).await {
            Brought::Response(response) => response,
            Brought::Answer(_) | Brought::Passed => Err(FetchFault::Unreachable),
        }
    }

    /// Lets time pass.
    pub(super) async fn pause(&self, until: Instant) {
        self.want(Want::Pause(until)).await;
    }

    async fn want(&self, want: Want) -> Brought {
        let mut want = Some(want);
        poll_fn(|_| {
            let mut papers = self.lock();
            if let Some(want) = want.take() {
                papers.want = Some(want);
                return Poll::Pending;
            }
            papers.brought.take().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    fn lock(&self) -> MutexGuard<'_, Papers> {
        // A panic elsewhere leaves these options as good as they were.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
