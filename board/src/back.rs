//! The half of the key that takes its time: the authenticator.

use rand_core::TryCryptoRng;
use softkey_authenticator::{Answer, Ask, Authenticator, Decision, Question, Step, Store};
use softkey_ctap::Instant;
use softkey_ctap_hid::{JobId, JobKind, Status};

use crate::front::{Notice, Order};
use crate::light::Signal;

/// The way to the [`Front`](crate::Front). It may wait until the front has taken something, which an interrupt does at once.
pub type Tell<'a> = &'a mut dyn FnMut(Notice);

/// An authenticator that is given orders, and tells the [`Front`](crate::Front) what comes of them.
///
/// Any of its methods may take as long as a signature or an erased page; nothing else waits for it meanwhile.
pub struct Back<S: Store, R> {
    authenticator: Authenticator<S, R>,
    /// The CTAP2 request that has no answer yet.
    at_work: Option<JobId>,
    shown: Signal,
}

impl<S: Store, R: TryCryptoRng> Back<S, R> {
    /// Puts the authenticator to work.
    pub const fn new(authenticator: Authenticator<S, R>) -> Self {
        Self { authenticator, at_work: None, shown: Signal::Idle }
    }

    /// Carries an order out.
    pub fn obey(&mut self, now: Instant, order: Order, tell: Tell<'_>) {
        match order {
            Order::Begin { job, via, kind: JobKind::Cbor, bytes } => {
                self.at_work = Some(job);
                let step = self.authenticator.begin(now, via, &bytes);
                self.take(step, tell);
            }
            Order::Begin { job, via, kind: JobKind::Msg, bytes } => {
                tell(Notice::Answer(job, self.authenticator.begin_u2f(now, via, &bytes)));
            }
            Order::Cancel(via) => {
                if let Some(step) = self.authenticator.cancel(via) {
                    self.take(step, tell);
                }
            }
            Order::Abort(job, via) => {
                self.at_work.take_if(|at_work| *at_work == job);
                self.authenticator.session_ended(via.session);
            }
            Order::SessionEnded(session) => self.authenticator.session_ended(session),
        }
        // The front shows work from handing a request over; whatever is true by now must be told.
        self.shown = Signal::Working;
        self.show(tell);
    }

    /// Does what is due: to be called every few milliseconds while there is no order. `word` is asked for the user's
    /// answer to an open question.
    pub fn turn(
        &mut self,
        now: Instant,
        word: impl FnOnce(&Ask) -> Option<Answer>,
        tell: Tell<'_>,
    ) {
        if self.authenticator.poll_timeout().is_some_and(|due| due <= now)
            && let Some(step) = self.authenticator.handle_timeout(now)
        {
            self.take(step, tell);
        }
        if let Some(ask) = self.authenticator.asking() {
            if let Some(answer) = word(ask) {
                let decision = Decision { ask: ask.id, answer };
                // A signature follows, which is no waiting for the user.
                tell(Notice::Status(Status::Processing));
                self.tell_signal(Signal::Working, tell);
                if let Some(step) = self.authenticator.resume(now, decision) {
                    self.take(step, tell);
                }
            }
        } else if self.at_work.is_none() {
            self.authenticator.sweep();
        }
        self.show(tell);
    }

    /// When [`Back::turn`] has something to do without an order or an answer.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.authenticator.poll_timeout()
    }

    /// The open question.
    pub fn asking(&self) -> Option<&Ask> {
        self.authenticator.asking()
    }

    fn take(&mut self, step: Step, tell: Tell<'_>) {
        match step {
            Step::Asking(_) => tell(Notice::Status(Status::UserNeeded)),
            Step::Reply(reply) => {
                if let Some(job) = self.at_work.take() {
                    tell(Notice::Answer(job, reply));
                }
            }
        }
    }

    fn show(&mut self, tell: Tell<'_>) {
        let signal = match self.authenticator.asking().map(|ask| &ask.question) {
            Some(Question::LongPresence) => Signal::Hold,
            Some(_) => Signal::Touch,
            None => Signal::Idle,
        };
        self.tell_signal(signal, tell);
    }

    fn tell_signal(&mut self, signal: Signal, tell: Tell<'_>) {
        if self.shown != signal {
            self.shown = signal;
            tell(Notice::Signal(signal));
        }
    }
}

#[cfg(test)]
mod tests;
