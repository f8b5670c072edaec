//! A call that asks no key: one machine behind it, whose type decides what is asked of the person.

use std::collections::VecDeque;

use softkey_ctap::Instant;

use crate::abort::AbortSignal;
use crate::cause::{Cause, Operation};
use crate::credential::{Credential, Rejection};
use crate::fetch::{FetchFault, FetchResponse};
use crate::page::Mark;
use crate::question::Answer;

use super::Output;

/// What a type does once the container has let the call in: a machine without clock, input or output. Here a type
/// that has needs of its own hooks in: its outputs are variants of [`Output`], and what is brought a variant of
/// [`Answer`].
pub(crate) trait Machine: Send {
    /// Goes on as far as it can at this instant, with an answer if one was brought.
    fn next(&mut self, now: Instant, answer: Option<Answer>) -> Progress;

    /// Goes on with what [`Output::Send`] asked for.
    fn receive(&mut self, _: Instant, _: Result<FetchResponse, FetchFault>) -> Progress {
        Progress::Waits
    }

    /// When it must be called again though nothing was brought.
    fn deadline(&self) -> Option<Instant> {
        None
    }
}

/// How far a machine came.
pub(crate) enum Progress {
    /// It waits for what it asked for before, or for what comes from elsewhere.
    Waits,
    /// It wants this done, and then waits for the answer; [`Output::Withdraw`] voids what it waits for.
    Wants(Output),
    /// It is done.
    Done(Result<Option<Credential>, Cause>),
}

pub(super) struct Call {
    operation: Operation,
    /// Until the promise is settled.
    running: Option<Running>,
    outputs: VecDeque<Output>,
}

struct Running {
    machine: Box<dyn Machine>,
    signal: Option<AbortSignal>,
    asked: Asked,
    _marks: Vec<Mark>,
}

/// What stands out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Nothing,
    Answer,
    Response,
}

impl Call {
    pub(super) fn settled(
        operation: Operation,
        result: Result<Option<Credential>, Rejection>,
    ) -> Self {
        Self { operation, running: None, outputs: [Output::Settled(result)].into() }
    }

    pub(super) fn new(
        operation: Operation,
        machine: Box<dyn Machine>,
        signal: Option<AbortSignal>,
        marks: Vec<Mark>,
    ) -> Self {
        let running = Some(Running { machine, signal, asked: Asked::Nothing, _marks: marks });
        Self { operation, running, outputs: VecDeque::new() }
    }

    pub(super) const fn is_settled(&self) -> bool {
        self.running.is_none()
    }

    pub(super) fn is_stalled(&self) -> bool {
        let waits = |running: &Running| {
            running.asked == Asked::Nothing && running.machine.deadline().is_none()
        };
        self.running.as_ref().is_some_and(waits)
    }

    pub(super) fn give_up(&mut self, now: Instant) {
        self.look_at_signal(now);
        self.settle(Err(Cause::Cancelled));
    }

    pub(super) fn handle_answer(&mut self, now: Instant, answer: Answer) {
        self.look_at_signal(now);
        if let Some(running) = &mut self.running
            && running.asked == Asked::Answer
        {
            // The owner brought an answer, so it has seen the question.
            running.asked = Asked::Nothing;
            let progress = running.machine.next(now, Some(answer));
            self.take(progress);
        }
    }

    pub(super) fn handle_response(
        &mut self,
        now: Instant,
        response: Result<FetchResponse, FetchFault>,
    ) {
        self.look_at_signal(now);
        if let Some(running) = &mut self.running
            && running.asked == Asked::Response
        {
            running.asked = Asked::Nothing;
            let progress = running.machine.receive(now, response);
            self.take(progress);
        }
    }

    /// Lets the machine look at what came from elsewhere, and at the clock.
    pub(super) fn advance(&mut self, now: Instant) {
        self.look_at_signal(now);
        if let Some(running) = &mut self.running {
            let progress = running.machine.next(now, None);
            self.take(progress);
        }
    }

    pub(super) fn poll_output(&mut self, now: Instant) -> Option<Output> {
        self.advance(now);
        self.outputs.pop_front()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let running = self.running.as_ref()?;
        let signal = running.signal.as_ref().and_then(AbortSignal::at);
        [running.machine.deadline(), signal].into_iter().flatten().min()
    }

    pub(super) fn look_at_signal(&mut self, now: Instant) {
        let signal = self.running.as_ref().and_then(|running| running.signal.as_ref());
        if let Some(reason) = signal.and_then(|signal| signal.reason(now)) {
            self.settle(Err(Cause::Aborted(reason)));
        }
    }

    fn take(&mut self, progress: Progress) {
        match progress {
            Progress::Waits => {}
            Progress::Wants(output) => {
                let asked = match output {
                    Output::Send(_) => Asked::Response,
                    Output::Withdraw => Asked::Nothing,
                    _ => Asked::Answer,
                };
                if let Some(running) = &mut self.running {
                    running.asked = asked;
                }
                self.outputs.push_back(output);
            }
            Progress::Done(result) => self.settle(result),
        }
    }

    fn settle(&mut self, result: Result<Option<Credential>, Cause>) {
        // With it go the marks: the page may call again.
        let Some(running) = self.running.take() else { return };
        if running.asked != Asked::Nothing {
            // What the owner was not told yet needs no withdrawing.
            let told = self.outputs.is_empty();
            self.outputs.clear();
            self.outputs.extend(told.then_some(Output::Withdraw));
        }
        let result = result.map_err(|cause| Rejection::new(cause, self.operation));
        self.outputs.push_back(Output::Settled(result));
    }
}
