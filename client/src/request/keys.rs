//! A call for public keys, over any number of keys (WebAuthn Level 3 sections 5.1.3 steps 12 to 15 and 5.1.4 steps
//! 17 to 21).

use std::collections::{BTreeMap, VecDeque};

use softkey_ctap::{Instant, StatusCode};

use crate::abort::AbortSignal;
use crate::cause::{Cause, DomException, Operation};
use crate::ceremony::{Ceremony, Input, Need, Step};
use crate::create;
use crate::credential::{Credential, Rejection};
use crate::entropy::Entropy;
use crate::get;
use crate::page::Mark;
use crate::profile::Profile;
use crate::related::{Fetched, Lookup};
use crate::session::Reach;

use super::slot::{Slot, Turn};
use super::{KeyId, Output, Timeout};

/// A call for public keys.
pub(super) struct KeysCall {
    operation: Operation,
    plan: Option<Plan>,
    timeout: Timeout,
    deadline: Option<Instant>,
    keys: BTreeMap<KeyId, Slot>,
    /// Keys that came while a list was looked up.
    early: Vec<(KeyId, Reach)>,
    /// Keys that the page's hint is not about: they are asked when none is left that it is about.
    aside: Vec<(KeyId, Reach)>,
    failures: Vec<(KeyId, Cause)>,
    complete: bool,
    outputs: VecDeque<Output>,
}

/// What a request that was not settled at once goes by, until it is settled.
pub(crate) struct Plan {
    pub(crate) work: Work,
    /// A list of related origins that decides first, and what comes after it.
    pub(crate) pending: Option<Pending>,
    pub(crate) signal: Option<AbortSignal>,
    pub(crate) entropy: Entropy,
    /// Of a conditional get: credential identifiers to choose from; none: any.
    pub(crate) conditional: Option<Vec<Vec<u8>>>,
    pub(crate) profile: Profile,
    pub(crate) origin: String,
    pub(crate) _mark: Mark,
}

/// A lookup, and what the steps behind it have decided already.
pub(crate) type Pending = (Lookup, Result<(), Cause>);

/// What each key is asked.
pub(crate) enum Work {
    /// To make a credential.
    Create(Box<create::Wish>),
    /// To sign.
    Get(Box<get::Wish>),
}

impl Work {
    /// Does a hint of the page's count?
    const fn is_hinted(&self) -> bool {
        match self {
            Self::Create(wish) => wish.hinted.is_some(),
            Self::Get(wish) => wish.hinted.is_some(),
        }
    }

    fn forget_hint(&mut self) {
        match self {
            Self::Create(wish) => wish.hinted = None,
            Self::Get(wish) => wish.hinted = None,
        }
    }

    fn ceremony(&self, reach: Reach, entropy: Entropy) -> Ceremony<Credential> {
        match self {
            Self::Create(wish) => {
                let wish = wish.as_ref().clone();
                Ceremony::new(async move |desk| {
                    let made = create::with_key(desk, wish, reach, entropy).await?;
                    Ok(Credential::Registration(Box::new(made)))
                })
            }
            Self::Get(wish) => {
                let wish = wish.as_ref().clone();
                Ceremony::new(async move |desk| {
                    let signed = get::with_key(desk, wish, reach, entropy).await?;
                    Ok(Credential::Authentication(Box::new(signed)))
                })
            }
        }
    }
}

impl KeysCall {
    /// A call that waits for keys.
    pub(super) fn new(operation: Operation, now: Instant, plan: Plan, timeout: Timeout) -> Self {
        let fetch = plan.pending.as_ref().map(|(lookup, _)| Output::Fetch { url: lookup.url() });
        Self {
            operation,
            plan: Some(plan),
            timeout,
            deadline: timeout.effective.map(|time| now + time),
            keys: BTreeMap::new(),
            early: Vec::new(),
            aside: Vec::new(),
            failures: Vec::new(),
            complete: false,
            outputs: fetch.into_iter().collect(),
        }
    }

    /// The time that the call has.
    pub(super) const fn timeout(&self) -> Timeout {
        self.timeout
    }

    /// Is the promise settled?
    pub(super) const fn is_settled(&self) -> bool {
        self.plan.is_none()
    }

    /// Is there nothing left to do? Outputs may still be waiting.
    pub(super) fn is_finished(&self) -> bool {
        self.is_settled() && self.keys.is_empty()
    }

    /// Will the promise stay pending unless it is aborted? A conditional get without keys does.
    pub(super) fn is_stalled(&self) -> bool {
        let waits = self.is_looking_up() || !self.keys.is_empty() || self.deadline.is_some();
        !self.is_settled() && self.complete && !waits
    }

    /// A key is there. Keys that come after the promise is settled are not asked.
    pub(super) fn add_key(&mut self, now: Instant, key: KeyId, reach: Reach) {
        self.look_at_signal(now);
        if self.is_looking_up() {
            self.early.push((key, reach));
        } else if let Some(plan) = &mut self.plan {
            let ceremony = plan.work.ceremony(reach, plan.entropy.fork());
            self.keys.insert(key, Slot::new(reach));
            self.carry(now, key, ceremony.start());
        }
    }

    /// A key is gone. The others go on.
    pub(super) fn remove_key(&mut self, now: Instant, key: KeyId) {
        self.look_at_signal(now);
        self.early.retain(|(early, _)| *early != key);
        let aside = self.aside.len();
        self.aside.retain(|(aside, _)| *aside != key);
        if self.aside.len() < aside {
            return self.dropped(key, Cause::KeyGone);
        }
        if let Some(slot) = self.keys.remove(&key)
            && !slot.is_cancelled()
        {
            self.dropped(key, Cause::KeyGone);
        }
    }

    /// No key will come any more: the call ends when the last one has dropped out.
    pub(super) fn no_more_keys(&mut self, now: Instant) {
        self.look_at_signal(now);
        self.complete = true;
        self.end_if_nobody_is_left();
    }

    /// The user gives the whole call up. A conditional get stays pending all the same.
    pub(super) fn give_up(&mut self, now: Instant) {
        self.look_at_signal(now);
        if self.plan.as_ref().is_some_and(|plan| plan.conditional.is_none()) {
            self.reject(Cause::Cancelled);
        }
    }

    /// Brings what a key's ceremony needed.
    pub(super) fn handle_input(&mut self, now: Instant, key: KeyId, input: Input) {
        self.look_at_signal(now);
        let turn = self.keys.get_mut(&key).map_or(Turn::Nothing, |slot| slot.next(input));
        match turn {
            Turn::Nothing => {}
            Turn::Ceremony(step) => self.carry(now, key, step),
            Turn::Selection(step) => self.carry_selection(key, step),
        }
    }

    /// Brings what [`Output::Fetch`] asked for; nothing if it could not be fetched.
    pub(super) fn handle_fetched(&mut self, now: Instant, fetched: Option<&Fetched>) {
        self.look_at_signal(now);
        let Some(plan) = &mut self.plan else { return };
        let Some((lookup, rest)) = &mut plan.pending else { return };
        match lookup.judge(fetched) {
            Ok(false) => self.outputs.push_back(Output::Fetch { url: lookup.url() }),
            Err(fault) => self.reject(Cause::RelatedOrigins(fault)),
            Ok(true) => {
                if let Err(cause) = rest.clone() {
                    return self.reject(cause);
                }
                plan.pending = None;
                for (key, reach) in std::mem::take(&mut self.early) {
                    self.add_key(now, key, reach);
                }
                self.end_if_nobody_is_left();
            }
        }
    }

    /// Does what is due at this instant.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.look_at_signal(now);
        if self.deadline.is_some_and(|deadline| deadline <= now) && !self.is_settled() {
            self.reject(Cause::Timeout);
        }
    }

    /// The next thing to do.
    pub(super) fn poll_output(&mut self, now: Instant) -> Option<Output> {
        self.look_at_signal(now);
        if self.outputs.is_empty() && !self.aside.is_empty() && !self.is_anybody_asked() {
            self.ask_those_aside(now);
        }
        self.outputs.pop_front()
    }

    /// When [`Request::handle_timeout`] must be called next.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let signal = self.plan.as_ref()?.signal.as_ref().and_then(AbortSignal::at);
        [self.deadline, signal].into_iter().flatten().min()
    }

    fn look_at_signal(&mut self, now: Instant) {
        let signal = self.plan.as_ref().and_then(|plan| plan.signal.as_ref());
        if let Some(reason) = signal.and_then(|signal| signal.reason(now)) {
            self.reject(Cause::Aborted(reason));
        }
    }

    /// Takes a key's ceremony one step on.
    fn carry(&mut self, now: Instant, key: KeyId, step: Step<Credential>) {
        let cancelled = self.keys.get(&key).is_none_or(Slot::is_cancelled);
        match step {
            // A cancelled ceremony that wants more is over.
            Step::Needs(..) if cancelled => drop(self.keys.remove(&key)),
            Step::Needs(need, ceremony) => self.needs(key, need, ceremony),
            Step::Done(result) => {
                let slot = self.keys.remove(&key);
                match result {
                    Ok(credential) if cancelled => {
                        self.outputs.push_back(Output::Late { key, credential });
                    }
                    Ok(credential) => self.succeeded(now, key, credential),
                    Err(_) if cancelled => {}
                    Err(Cause::AttachmentMismatch) if self.is_hinted() => {
                        self.aside.extend(slot.map(|slot| (key, slot.reach())));
                    }
                    Err(cause) => self.failed(key, cause),
                }
            }
        }
    }

    fn needs(&mut self, key: KeyId, need: Need, ceremony: Ceremony<Credential>) {
        let rivals = self.keys.iter().any(|(other, slot)| *other != key && !slot.is_cancelled());
        let (Some(slot), Some(plan)) = (self.keys.get_mut(&key), &mut self.plan) else { return };
        slot.wait(need.clone(), ceremony);
        if rivals && matches!(need, Need::Pin(_)) {
            let step = slot.select(plan.entropy.fork());
            return self.carry_selection(key, step);
        }
        if matches!(need, Need::Account(_)) {
            // The key was touched.
            self.cancel_all_but(Some(key));
        }
        self.outputs.push_back(Output::Needs { key, need });
    }

    /// Takes the selection of a key one step on; touched, it goes on with what it needed, and alone.
    fn carry_selection(&mut self, key: KeyId, step: Step<()>) {
        let Some(slot) = self.keys.get_mut(&key) else { return };
        match step {
            _ if slot.is_cancelled() => drop(self.keys.remove(&key)),
            Step::Needs(need, selection) => {
                slot.wait_for_selection(&need, selection);
                self.outputs.push_back(Output::Needs { key, need });
            }
            Step::Done(Ok(())) => {
                let need = slot.selected();
                self.cancel_all_but(Some(key));
                self.outputs.extend(need.map(|need| Output::Needs { key, need }));
            }
            Step::Done(Err(cause)) => {
                self.keys.remove(&key);
                self.failed(key, cause);
            }
        }
    }

    fn succeeded(&mut self, now: Instant, key: KeyId, credential: Credential) {
        let Some(plan) = &self.plan else { return };
        if let (Some(filter), Credential::Authentication(signed)) = (&plan.conditional, &credential)
            && !filter.is_empty()
            && !filter.contains(&signed.raw_id.0)
        {
            return self.dropped(key, Cause::OutsideFilter);
        }
        if self.operation == Operation::Get {
            plan.profile.note_sign_in(&plan.origin, now);
        }
        self.settle(Ok(Some(credential)));
    }

    /// A key's ceremony failed: the whole call ends if the user meant it to, or a credential is excluded.
    fn failed(&mut self, key: KeyId, cause: Cause) {
        let denied = cause == Cause::Refused(StatusCode::OPERATION_DENIED);
        let ends = match self.operation {
            Operation::Create => denied || cause == Cause::Excluded,
            Operation::Get | Operation::Store => false,
        };
        let gave_up = matches!(cause, Cause::Cancelled | Cause::PinNotGiven)
            || matches!(cause, Cause::PinWrong(_));
        if ends || (gave_up && !self.is_conditional()) {
            self.failures.push((key, cause.clone()));
            self.reject(cause);
        } else {
            self.dropped(key, cause);
        }
    }

    /// The hint has helped as far as it could, and is forgotten.
    fn ask_those_aside(&mut self, now: Instant) {
        if let Some(plan) = &mut self.plan {
            plan.work.forget_hint();
        }
        for (key, reach) in std::mem::take(&mut self.aside) {
            self.add_key(now, key, reach);
        }
    }

    fn dropped(&mut self, key: KeyId, cause: Cause) {
        self.failures.push((key, cause));
        self.end_if_nobody_is_left();
    }

    fn is_looking_up(&self) -> bool {
        self.plan.as_ref().is_some_and(|plan| plan.pending.is_some())
    }

    fn is_hinted(&self) -> bool {
        self.plan.as_ref().is_some_and(|plan| plan.work.is_hinted())
    }

    fn is_conditional(&self) -> bool {
        self.plan.as_ref().is_some_and(|plan| plan.conditional.is_some())
    }

    fn is_anybody_asked(&self) -> bool {
        self.keys.values().any(|slot| !slot.is_cancelled())
    }

    fn end_if_nobody_is_left(&mut self) {
        let left = self.is_anybody_asked() || !self.aside.is_empty();
        let waits = self.is_looking_up() || self.is_conditional();
        if self.complete && !left && !self.is_settled() && !waits {
            self.reject(self.deciding());
        }
    }

    /// What the page hears when every key has dropped out: what all have in common, else nothing in particular.
    fn deciding(&self) -> Cause {
        let names = |cause: &Cause| cause.exception(self.operation);
        let Some((_, first)) = self.failures.first() else { return Cause::NoKey };
        if self.failures.iter().all(|(_, cause)| names(cause) == names(first)) {
            return first.clone();
        }
        let vague = |(_, cause): &&(KeyId, Cause)| names(cause) == DomException::NotAllowedError;
        self.failures.iter().find(vague).map_or(Cause::KeysDiffer, |(_, cause)| cause.clone())
    }

    fn reject(&mut self, cause: Cause) {
        let rejection = Rejection::new(cause, self.operation);
        let keys = std::mem::take(&mut self.failures);
        self.settle(Err(Rejection { keys, ..rejection }));
    }

    fn settle(&mut self, result: Result<Option<Credential>, Rejection>) {
        // With the plan goes the mark: the page may call again.
        if self.plan.take().is_some() {
            self.cancel_all_but(None);
            self.outputs.retain(|output| !matches!(output, Output::Fetch { .. }));
            self.outputs.push_back(Output::Settled(result));
        }
    }

    fn cancel_all_but(&mut self, winner: Option<KeyId>) {
        self.aside.clear();
        let outputs = &mut self.outputs;
        self.keys.retain(|key, slot| {
            if Some(*key) == winner {
                return true;
            }
            // What the owner was not told yet needs no cancelling.
            let told = outputs.len();
            outputs.retain(|output| !matches!(output, Output::Needs { key: of, .. } if of == key));
            if outputs.len() < told {
                return false;
            }
            if !slot.is_cancelled() {
                outputs.push_back(Output::Cancel { key: *key });
                return slot.cancel();
            }
            true
        });
    }
}
