//! One call of create, get or store: a state machine without clock, input or output, whatever the type. Public keys
//! have a machine over any number of keys (`keys.rs`), the other types one over questions to a person (`call.rs`).

mod call;
mod keys;
mod slot;
#[cfg(test)]
mod tests;

use std::time::Duration;

use softkey_ctap::Instant;

use crate::abort::{AbortReason, AbortSignal};
use crate::cause::{Cause, Operation};
use crate::ceremony::{Input, Need};
use crate::credential::{Credential, Rejection};
use crate::fetch::{FetchFault, FetchRequest, FetchResponse};
use crate::page::Mark;
use crate::question::{Answer, Question};
use crate::related::Fetched;
use crate::session::Reach;

use self::call::Call;
use self::keys::KeysCall;

pub(crate) use self::call::{Machine, Progress};
pub(crate) use self::keys::{Pending, Plan, Work};

/// A key, by a number of its owner's choice. One number serves one key through one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub u32);

/// A call that a page has made. Its methods form four families:
///
/// - getters: [`timeout`](Self::timeout), [`asks_keys`](Self::asks_keys), [`is_settled`](Self::is_settled),
///   [`is_finished`](Self::is_finished), [`is_stalled`](Self::is_stalled);
/// - what arrives: [`handle_input`](Self::handle_input), [`handle_fetched`](Self::handle_fetched),
///   [`handle_answer`](Self::handle_answer), [`handle_response`](Self::handle_response),
///   [`handle_timeout`](Self::handle_timeout);
/// - the owner's commands: [`add_key`](Self::add_key), [`remove_key`](Self::remove_key),
///   [`no_more_keys`](Self::no_more_keys), [`give_up`](Self::give_up);
/// - what to do, and when to wake: [`poll_output`](Self::poll_output), [`poll_timeout`](Self::poll_timeout).
///
/// After each call of the second and third family, do what `poll_output` gives until it gives nothing; then
/// wait for an answer, or until the instant of `poll_timeout`. A signal that another thread aborts is seen at
/// the next call of `poll_output`. The request is over when `is_finished`: then the promise is settled and every
/// key that was cancelled has answered.
///
/// Keys that the page's hint is not about are asked once none is left that it is about: a hint is no requirement.
///
/// The first key whose user touched it wins, and the others are cancelled. If a key needs a PIN while others
/// wait, it is asked for a touch first, so that the user shows which one is meant. A success that comes from a
/// cancelled key is not lost: it is [`Output::Late`].
///
/// A call for the other types asks no key: it asks the person, by [`Output::Ask`], and servers, by [`Output::Send`].
pub struct Request(Inner);

enum Inner {
    Keys(Box<KeysCall>),
    Call(Box<Call>),
}

impl Request {
    /// A call that was settled at once.
    pub(crate) fn settled(
        operation: Operation,
        result: Result<Option<Credential>, Rejection>,
    ) -> Self {
        Self(Inner::Call(Box::new(Call::settled(operation, result))))
    }

    /// A call that waits for keys.
    pub(crate) fn new(operation: Operation, now: Instant, plan: Plan, timeout: Timeout) -> Self {
        Self(Inner::Keys(Box::new(KeysCall::new(operation, now, plan, timeout))))
    }

    /// A call that some machine carries out; the marks fall when it is settled.
    pub(crate) fn of(
        operation: Operation,
        machine: impl Machine + 'static,
        signal: Option<AbortSignal>,
        marks: Vec<Mark>,
    ) -> Self {
        Self(Inner::Call(Box::new(Call::new(operation, Box::new(machine), signal, marks))))
    }

    /// The time that the call has; of public keys only.
    #[must_use]
    pub fn timeout(&self) -> Timeout {
        match &self.0 {
            Inner::Keys(call) => call.timeout(),
            Inner::Call(_) => Timeout::default(),
        }
    }

    /// Does the call ask keys? The others ask the person, or wait for what comes from elsewhere.
    #[must_use]
    pub const fn asks_keys(&self) -> bool {
        matches!(self.0, Inner::Keys(_))
    }

    /// Is the promise settled?
    #[must_use]
    pub fn is_settled(&self) -> bool {
        match &self.0 {
            Inner::Keys(call) => call.is_settled(),
            Inner::Call(call) => call.is_settled(),
        }
    }

    /// Is there nothing left to do? Outputs may still be waiting.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        match &self.0 {
            Inner::Keys(call) => call.is_finished(),
            Inner::Call(call) => call.is_settled(),
        }
    }

    /// Will the promise stay pending unless it is aborted, or something comes that is not asked for? A conditional get
    /// without keys does, and a call that waits for a message without a limit.
    #[must_use]
    pub fn is_stalled(&self) -> bool {
        match &self.0 {
            Inner::Keys(call) => call.is_stalled(),
            Inner::Call(call) => call.is_stalled(),
        }
    }

    /// A key is there. Keys that come after the promise is settled are not asked.
    pub fn add_key(&mut self, now: Instant, key: KeyId, reach: Reach) {
        match &mut self.0 {
            Inner::Keys(call) => call.add_key(now, key, reach),
            Inner::Call(call) => call.look_at_signal(now),
        }
    }

    /// A key is gone. The others go on.
    pub fn remove_key(&mut self, now: Instant, key: KeyId) {
        match &mut self.0 {
            Inner::Keys(call) => call.remove_key(now, key),
            Inner::Call(call) => call.look_at_signal(now),
        }
    }

    /// No key will come any more: the call ends when the last one has dropped out.
    pub fn no_more_keys(&mut self, now: Instant) {
        match &mut self.0 {
            Inner::Keys(call) => call.no_more_keys(now),
            Inner::Call(call) => call.look_at_signal(now),
        }
    }

    /// The user gives the whole call up. A conditional get stays pending all the same.
    pub fn give_up(&mut self, now: Instant) {
        match &mut self.0 {
            Inner::Keys(call) => call.give_up(now),
            Inner::Call(call) => call.give_up(now),
        }
    }

    /// Brings what a key's ceremony needed.
    pub fn handle_input(&mut self, now: Instant, key: KeyId, input: Input) {
        match &mut self.0 {
            Inner::Keys(call) => call.handle_input(now, key, input),
            Inner::Call(call) => call.look_at_signal(now),
        }
    }

    /// Brings what [`Output::Fetch`] asked for; nothing if it could not be fetched.
    pub fn handle_fetched(&mut self, now: Instant, fetched: Option<&Fetched>) {
        match &mut self.0 {
            Inner::Keys(call) => call.handle_fetched(now, fetched),
            Inner::Call(call) => call.look_at_signal(now),
        }
    }

    /// Brings what [`Output::Ask`] asked for. An answer that nobody asked for is ignored.
    pub fn handle_answer(&mut self, now: Instant, answer: Answer) {
        if let Inner::Call(call) = &mut self.0 {
            call.handle_answer(now, answer);
        }
    }

    /// Brings what [`Output::Send`] asked for. A response that nobody asked for is ignored.
    pub fn handle_response(&mut self, now: Instant, response: Result<FetchResponse, FetchFault>) {
        if let Inner::Call(call) = &mut self.0 {
            call.handle_response(now, response);
        }
    }

    /// Does what is due at this instant.
    pub fn handle_timeout(&mut self, now: Instant) {
        match &mut self.0 {
            Inner::Keys(call) => call.handle_timeout(now),
            Inner::Call(call) => call.advance(now),
        }
    }

    /// The next thing to do.
    pub fn poll_output(&mut self, now: Instant) -> Option<Output> {
        match &mut self.0 {
            Inner::Keys(call) => call.poll_output(now),
            Inner::Call(call) => call.poll_output(now),
        }
    }

    /// When [`Request::handle_timeout`] must be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.0 {
            Inner::Keys(call) => call.poll_timeout(),
            Inner::Call(call) => call.poll_timeout(),
        }
    }
}

/// What an owner has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Bring what this key's ceremony needs, by [`Request::handle_input`].
    Needs {
        /// For which key.
        key: KeyId,
        /// What.
        need: Need,
    },
    /// Cancel what this key has in work. If that is a CTAP2 request, its answer is still to be brought; all
    /// else is forgotten.
    Cancel {
        /// Which key.
        key: KeyId,
    },
    /// GET this URL, without cookies and referrer and without following redirects, and bring the answer by
    /// [`Request::handle_fetched`].
    Fetch {
        /// An `https` URL.
        url: String,
    },
    /// Send this, without adding or following anything, and bring the response by [`Request::handle_response`].
    Send(FetchRequest),
    /// Put this to the person, and bring the answer by [`Request::handle_answer`].
    Ask(Question),
    /// What was asked of the person or sent last is void: the promise is settled without it, or a server took too long.
    /// An answer must not be brought any more.
    Withdraw,
    /// The promise is settled. This comes once.
    Settled(Result<Option<Credential>, Rejection>),
    /// A cancelled key had succeeded before it heard of it.
    Late {
        /// Which key.
        key: KeyId,
        /// What it made or signed.
        credential: Credential,
    },
}

/// The time that a call has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeout {
    /// What the page asked for, in milliseconds.
    pub asked: Option<u64>,
    /// What it gets; nothing if the call waits without end.
    pub effective: Option<Duration>,
}

/// The reason with which a signal is aborted already, as a cause.
pub(crate) fn aborted(signal: Option<&AbortSignal>, now: Instant) -> Result<(), Cause> {
    let reason: Option<AbortReason> = signal.and_then(|signal| signal.reason(now));
    reason.map_or(Ok(()), |reason| Err(Cause::Aborted(reason)))
}
