//! The state machine: one request at a time, from its bytes to its answer.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use core::time::Duration;

use rand_core::TryCryptoRng;
use softkey_ctap::bio_enrollment::SampleStatus;
use softkey_ctap::cbor::{self, Decode, Encode, Encoder};
use softkey_ctap::{Command, Instant, StatusCode};

use crate::bio_enrollment;
use crate::config::{Config, LargeBlobs};
use crate::counter::{Counters, Lease};
use crate::credential_management::Edition;
use crate::fingers::Template;
use crate::get_assertion;
use crate::keys::RootKey;
use crate::large_blobs::PendingArray;
use crate::make_credential;
use crate::records::{self, Batch, EpochRecord, PinRecord, Records, Totals};
use crate::refusal::Refusal;
use crate::settings::Settings;
use crate::state::State;
use crate::step::{Answer, Ask, AskId, Decision, Operation, Question, Sample, Session, Step, Via};
use crate::store::Store;
use crate::token::Tokens;
use crate::tries::Tries;
use crate::u2f::OpenQuestion;
use crate::user_verification::{self, Verification};
use crate::walk::Walk;

/// The longest request, in bytes: what CTAPHID can carry.
pub const MAX_MSG_SIZE: usize = 7609;

/// How long the user is waited for.
pub const TOUCH_TIMEOUT: Duration = Duration::from_secs(30);

/// An authenticator: storage, keys and rules, without a clock, a user or a wire of its own.
///
/// Requests go in with [`begin`](Self::begin) and [`begin_u2f`](Self::begin_u2f). Of CTAP2 requests one is at
/// work at a time: [`Step::Reply`] ends it; after [`Step::Asking`] the owner puts the question to the user and
/// goes on with one of
///
/// - [`resume`](Self::resume), when the user has decided;
/// - [`cancel`](Self::cancel), when the client cancels;
/// - [`session_ended`](Self::session_ended), when the client is gone (no answer is due then);
/// - [`handle_timeout`](Self::handle_timeout), when [`poll_timeout`](Self::poll_timeout) has come.
///
/// What comes first wins. A U2F message never waits; it may leave a question open, which
/// [`asking`](Self::asking) shows like any other.
///
/// `now` must not run backwards. Making an authenticator is its power-up; a power cycle is
/// [`into_store`](Self::into_store) and [`open`](Self::open).
pub struct Authenticator<S: Store, R> {
    pub(crate) records: Records<S>,
    pub(crate) rng: R,
    pub(crate) config: Config,
    pub(crate) power_up: Instant,
    pub(crate) pin: PinRecord,
    pub(crate) tries: Tries,
    pub(crate) settings: Settings,
    pub(crate) totals: Totals,
    pub(crate) swept: bool,
    pub(crate) epoch: u64,
    pub(crate) tokens: Tokens,
    /// Wrong PINs in a row since power-up.
    pub(crate) misses: u8,
    pub(crate) counters: Counters,
    pub(crate) walk: Option<Walk>,
    pub(crate) pending_array: Option<PendingArray>,
    pub(crate) fingers: Vec<Template>,
    pub(crate) enrollment: Option<bio_enrollment::Enrollment>,
    pub(crate) u2f: Option<OpenQuestion>,
    #[cfg(feature = "faults")]
    pub(crate) faults: crate::faults::Faults,
    pending: Option<Pending>,
    last_ask: u64,
    refusal: Option<Refusal>,
}

/// A request that waits for the user.
struct Pending {
    via: Via,
    ask: Ask,
    then: Then,
}

/// What the user's answer leads to.
pub(crate) enum Then {
    MakeCredential(make_credential::Checked),
    GetAssertion(get_assertion::Checked),
    Reset,
    /// Nothing but success: authenticatorSelection.
    Succeed,
    /// This refusal once presence is shown.
    Refuse(Refusal),
    /// This refusal whatever the user does.
    RefuseAnyway(Refusal),
    Verify(user_verification::Waiting),
    Capture(bio_enrollment::Capture),
}

/// How far a request got.
pub(crate) enum Outcome {
    /// It succeeded; the answer behind the status byte.
    Reply(Vec<u8>),
    /// The user is asked.
    Ask(Box<Consent>),
}

/// What the user is asked, for whom, and what the answer leads to.
pub(crate) struct Consent {
    pub(crate) question: Question,
    pub(crate) requester: Requester,
    /// How long the user is waited for.
    pub(crate) timeout: Duration,
    pub(crate) then: Then,
}

impl Consent {
    /// Asks for presence.
    pub(crate) fn presence(requester: Requester, then: Then) -> Outcome {
        let (question, timeout) = (Question::Presence, TOUCH_TIMEOUT);
        Outcome::Ask(Box::new(Self { question, requester, timeout, then }))
    }
}

/// Who asks the user.
#[derive(Clone)]
pub(crate) struct Requester {
    pub(crate) operation: Operation,
    pub(crate) rp_id: Option<String>,
    pub(crate) account: Option<String>,
    pub(crate) recognisable: bool,
}

impl Requester {
    pub(crate) const fn nobody(operation: Operation) -> Self {
        Self { operation, rp_id: None, account: None, recognisable: false }
    }
}

pub(crate) type Progress = Result<Outcome, Refusal>;

/// Why an authenticator could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError<E> {
    /// The store failed.
    Store(Option<E>),
    /// A record does not open: the root key is not the one the store was made with, or the store is damaged.
    WrongKeyOrDamaged,
    /// The store has records, but not the one that all others hang on.
    Incomplete,
    /// The source of entropy failed.
    Entropy,
}

impl<S: Store, R: TryCryptoRng> Authenticator<S, R> {
    /// Powers an authenticator up, with its configuration [`settled`](Config::settled). A store with nothing in it becomes a new authenticator, in one commit.
    ///
    /// # Errors
    ///
    /// See [`OpenError`]. Nothing was written, except that a new authenticator may have been made.
    pub fn open(
        store: S,
        root_key: RootKey,
        mut rng: R,
        config: Config,
        now: Instant,
    ) -> Result<Self, OpenError<S::Error>> {
        let config = config.settled();
        let mut records = Records::new(store, root_key);
        let state = State::load(&mut records, &mut rng, &config);
        let state = state.map_err(|refusal| match refusal {
            Refusal::Entropy => OpenError::Entropy,
            Refusal::NoState => OpenError::Incomplete,
            Refusal::Store | Refusal::StoreFull => OpenError::Store(records.take_failure()),
            _ => OpenError::WrongKeyOrDamaged,
        })?;
        Ok(Self {
            records,
            rng,
            config,
            power_up: now,
            pin: state.pin,
            tries: state.tries,
            settings: state.settings,
            totals: state.totals,
            swept: state.epoch.swept,
            epoch: state.epoch.number,
            tokens: Tokens::default(),
            misses: 0,
            counters: Counters::new(Lease::resumed(state.counter_ceiling)),
            walk: None,
            pending_array: None,
            fingers: state.fingers,
            enrollment: None,
            u2f: None,
            #[cfg(feature = "faults")]
            faults: crate::faults::Faults::default(),
            pending: None,
            last_ask: 0,
            refusal: None,
        })
    }

    /// Powers the authenticator down.
    pub fn into_store(self) -> S {
        self.records.into_store()
    }

    /// The store, to look at.
    pub fn store(&self) -> &S {
        self.records.store()
    }

    /// The question that is open, of a waiting request or of U2F.
    #[must_use]
    pub fn asking(&self) -> Option<&Ask> {
        let pending = self.pending.as_ref().map(|pending| &pending.ask);
        pending.or_else(|| self.u2f.as_ref().and_then(OpenQuestion::ask))
    }

    /// Why the last CTAP2 request was refused; nothing if it succeeded or still waits.
    #[must_use]
    pub const fn refusal(&self) -> Option<Refusal> {
        self.refusal
    }

    /// What the store said when it failed last, once.
    pub fn take_store_error(&mut self) -> Option<S::Error> {
        self.records.take_failure()
    }

    /// Starts a CTAP2 request: the command byte, and its parameters behind it.
    ///
    /// While another request waits for the user, the answer is `CTAP1_ERR_CHANNEL_BUSY`.
    pub fn begin(&mut self, now: Instant, via: Via, request: &[u8]) -> Step {
        if self.pending.is_some() {
            return Step::Reply(alloc::vec![Refusal::Busy.status().0]);
        }
        self.tokens.expire(now);
        let progress = self.dispatch(now, via, request);
        self.step(now, via, progress)
    }

    /// Goes on with what the user decided. Nothing follows if the question is not open any more, was U2F's, or
    /// if the answer does not fit it.
    pub fn resume(&mut self, now: Instant, decision: Decision) -> Option<Step> {
        if let Some(question) = self.u2f.as_mut().filter(|question| question.is(decision.ask)) {
            question.answered(now, decision.answer);
            return None;
        }
        let fits = |pending: &mut Pending| {
            pending.ask.id == decision.ask && fits(&pending.ask.question, decision.answer)
        };
        let Pending { via, then, .. } = self.pending.take_if(fits)?;
        let progress = self.decided(now, via, then, decision.answer);
        Some(self.step(now, via, progress))
    }

    /// The client cancelled its request. Nothing follows if none of this client waits.
    pub fn cancel(&mut self, via: Via) -> Option<Step> {
        self.pending.take_if(|pending| pending.via == via)?;
        self.refusal = Some(Refusal::Cancelled);
        Some(Step::Reply(alloc::vec![Refusal::Cancelled.status().0]))
    }

    /// The client is gone, or starts anew: what it had under way ends without an answer.
    pub fn session_ended(&mut self, session: Session) {
        self.pending.take_if(|pending| pending.via.session == session);
        self.walk.take_if(|walk| walk.session == session);
        self.pending_array.take_if(|pending| pending.is_of(session));
        self.enrollment.take_if(|enrollment| enrollment.is_of(session));
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let pending = self.pending.as_ref().map(|pending| pending.ask.deadline);
        let u2f = self.u2f.as_ref().map(OpenQuestion::ends);
        pending.into_iter().chain(u2f).min()
    }

    /// Withdraws questions that nobody answered in time.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<Step> {
        self.u2f.take_if(|question| now >= question.ends());
        let Pending { via, then, .. } =
            self.pending.take_if(|pending| now >= pending.ask.deadline)?;
        let progress = match then {
            Then::RefuseAnyway(refusal) => Err(refusal),
            Then::Capture(capture) => {
                let nobody = Sample::Bad(SampleStatus::NO_USER_ACTIVITY);
                self.captured(capture, Answer::Sample(nobody))
            }
            _ => Err(Refusal::UserTimeout),
        };
        Some(self.step(now, via, progress))
    }

    /// Does a piece of housekeeping, to be called now and then while nothing else is to be done: removes some
    /// records that a reset left behind, in one or two commits. Gives true when there is nothing left to do.
    pub fn sweep(&mut self) -> bool {
        if self.swept {
            return true;
        }
        // A failure is no harm: the next call tries again, and nothing depends on it.
        if self.records.sweep() == Ok(true) {
            self.swept = self.note_swept().is_ok();
        }
        self.swept
    }

    fn note_swept(&mut self) -> Result<(), Refusal> {
        let plaintext = self.records.load(&records::EPOCH)?.ok_or(Refusal::Damaged)?;
        let record: EpochRecord = records::parse(&plaintext)?;
        let mut batch = Batch::default();
        batch.put(records::EPOCH, &EpochRecord { swept: true, ..record });
        self.records.commit(&mut self.rng, batch)
    }

    fn dispatch(&mut self, now: Instant, via: Via, request: &[u8]) -> Progress {
        let command = request.first().map(|code| Command(*code)).ok_or(Refusal::UnknownCommand)?;
        // Any command ends what this client was walking through, but the one that goes on with it.
        let walk = self.walk.take_if(|walk| walk.session == via.session);
        if request.len() > usize::from(self.config.max_request) {
            return Err(Refusal::TooLarge);
        }
        if !self.config.generation.knows(command) {
            return Err(Refusal::UnknownCommand);
        }
        let body = request.get(1..).unwrap_or_default();
        match command {
            Command::MAKE_CREDENTIAL => self.make_credential(body, Verification::NOT_DONE),
            Command::GET_ASSERTION => self.get_assertion(now, via, body, Verification::NOT_DONE),
            Command::GET_INFO => self.get_info(),
            Command::CLIENT_PIN if self.config.has_client_pin_command() => {
                self.client_pin(now, body)
            }
            Command::RESET => self.reset(now),
            Command::GET_NEXT_ASSERTION => self.get_next_assertion(now, walk),
            Command::CREDENTIAL_MANAGEMENT if self.config.manages_credentials() => {
                self.credential_management(via, Edition::Final, body, walk.as_ref())
            }
            Command::CREDENTIAL_MANAGEMENT_PREVIEW if self.config.credential_management_preview => {
                self.credential_management(via, Edition::Preview, body, walk.as_ref())
            }
            Command::BIO_ENROLLMENT | Command::BIO_ENROLLMENT_PREVIEW => {
                self.bio_enrollment(via, command, body)
            }
            Command::LARGE_BLOBS if self.config.large_blobs == LargeBlobs::Array => {
                self.large_blobs(via, body)
            }
            Command::CONFIG if self.offers_config() => self.configure(body),
            Command::SELECTION => {
                let requester = Requester::nobody(Operation::Selection);
                Ok(Consent::presence(requester, Then::Succeed))
            }
            _ => Err(Refusal::UnknownCommand),
        }
    }

    /// The user answered what was asked.
    fn decided(&mut self, now: Instant, via: Via, then: Then, answer: Answer) -> Progress {
        if let Then::RefuseAnyway(refusal) = then {
            return Err(refusal);
        }
        if answer == Answer::No {
            return Err(Refusal::UserRefused);
        }
        match then {
            Then::MakeCredential(checked) => self.commit_credential(&checked),
            Then::GetAssertion(checked) => self.assert(now, via, checked),
            Then::Reset => self.commit_reset(),
            Then::Succeed => Ok(Outcome::Reply(Vec::new())),
            Then::Refuse(refusal) | Then::RefuseAnyway(refusal) => Err(refusal),
            Then::Capture(capture) => self.captured(capture, answer),
            Then::Verify(waiting) => self.verified(now, via, waiting, answer),
        }
    }

    fn step(&mut self, now: Instant, via: Via, progress: Progress) -> Step {
        self.refusal = None;
        match progress {
            Ok(Outcome::Reply(body)) => {
                let mut reply = Vec::with_capacity(body.len().saturating_add(1));
                reply.push(StatusCode::OK.0);
                reply.extend_from_slice(&body);
                Step::Reply(reply)
            }
            Ok(Outcome::Ask(consent)) => {
                let Consent { question, requester, timeout, then } = *consent;
                // One question at a time: a waiting request takes the place of U2F's.
                self.u2f = None;
                let deadline = now + timeout;
                let ask = Ask { deadline, ..self.ask(now, question, requester) };
                self.pending = Some(Pending { via, ask: ask.clone(), then });
                Step::Asking(ask)
            }
            Err(refusal) => {
                self.refusal = Some(refusal);
                Step::Reply(alloc::vec![self.config.generation.status(refusal).0])
            }
        }
    }

    /// A new question to the user.
    pub(crate) fn ask(&mut self, now: Instant, question: Question, requester: Requester) -> Ask {
        self.last_ask = self.last_ask.wrapping_add(1);
        Ask {
            id: AskId(self.last_ask),
            question,
            operation: requester.operation,
            rp_id: requester.rp_id,
            account: requester.account,
            recognisable: requester.recognisable,
            deadline: now + TOUCH_TIMEOUT,
        }
    }

    /// Does a request wait for the user?
    pub(crate) const fn is_waiting(&self) -> bool {
        self.pending.is_some()
    }
}

/// Is the answer one to this question?
const fn fits(question: &Question, answer: Answer) -> bool {
    match question {
        Question::Presence | Question::LongPresence => matches!(answer, Answer::Yes | Answer::No),
        Question::Verify { .. } => !matches!(answer, Answer::Yes),
        Question::CaptureSample { .. } => matches!(answer, Answer::Sample(_) | Answer::No),
    }
}

/// Reads the parameters of a command.
pub(crate) fn parameters<'b, T: Decode<'b>>(body: &'b [u8]) -> Result<T, Refusal> {
    Ok(cbor::decode(body)?)
}

/// A response.
pub(crate) fn reply<T: Encode>(response: &T) -> Outcome {
    let mut encoder = Encoder::new();
    response.encode(&mut encoder);
    Outcome::Reply(encoder.into_bytes())
}

#[cfg(test)]
mod tests;
