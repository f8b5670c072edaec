//! The thread that owns the one authenticator.
//!
//! Signatures and disk writes take their time here while the hub goes on answering INIT and sending
//! keepalives. Orders are carried out one after the other, in the order of their coming; what comes of them
//! goes back to the hub, which is woken by a byte on a socket it waits for.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use softkey_authenticator::{Ask, AskId, Decision, Fault, Refusal, Session, Step, Via};
use softkey_ctap::Instant;
use softkey_ctap_hid::JobKind;

use super::key_clock::KeyClock;
use crate::error::CliError;
use crate::faults::{Board, Spec};

/// How long nobody must have asked for anything before housekeeping begins.
const LULL: Duration = Duration::from_millis(100);

/// An authenticator, whatever its store and its source of randomness are.
///
/// The methods are those of [`Authenticator`](softkey_authenticator::Authenticator).
pub trait Engine {
    /// Begins one CTAP2 request.
    fn begin(&mut self, now: Instant, via: Via, request: &[u8]) -> Step;
    /// Answers one U2F message; never waits.
    fn begin_u2f(&mut self, now: Instant, via: Via, apdu: &[u8]) -> Vec<u8>;
    /// The open question.
    fn asking(&self) -> Option<&Ask>;
    /// Hands in the user's answer; a step if a CTAP2 request goes on by it.
    fn resume(&mut self, now: Instant, decision: Decision) -> Option<Step>;
    /// Ends the request that this session waits with.
    fn cancel(&mut self, via: Via) -> Option<Step>;
    /// Nobody talks in this session any more.
    fn session_ended(&mut self, session: Session);
    /// When [`Engine::handle_timeout`] must be called next.
    fn poll_timeout(&self) -> Option<Instant>;
    /// Does what is due.
    fn handle_timeout(&mut self, now: Instant) -> Option<Step>;
    /// Why the last CTAP2 request was refused.
    fn refusal(&self) -> Option<Refusal>;
    /// What the store said when it failed last, once.
    fn take_store_error(&mut self) -> Option<String>;
    /// Makes no further try at built-in user verification.
    fn block_user_verification(&mut self);
    /// What is to be done wrong from now on.
    fn set_faults(&mut self, faults: &[Fault]);
    /// The faults that have changed an answer since this was asked last.
    fn take_done(&mut self) -> Vec<Fault>;
    /// Does a piece of housekeeping; true when none is left.
    fn sweep(&mut self) -> bool;
}

/// Makes the authenticator of a key that has just got power, from what it has stored. Called once at the start
/// and once for each power cycle, after the engine before it was dropped.
pub type PowerUp = Box<dyn FnMut(Instant) -> Result<Box<dyn Engine>, CliError> + Send>;

/// What the hub wants of the authenticator.
#[derive(Debug)]
pub enum Order {
    /// Get power, or lose it and get it again.
    PowerUp,
    /// Begin this request. There is none in work.
    Begin {
        /// Who asks.
        via: Via,
        /// What the bytes are.
        kind: JobKind,
        /// The request.
        bytes: Vec<u8>,
    },
    /// The user has decided.
    Decide(Decision),
    /// Misbehave so, too.
    FaultOn(Spec),
    /// Do not misbehave so any more, or in no way.
    FaultOff(Option<String>),
    /// The sensor has locked itself.
    BlockVerification,
    /// Let this time pass on a clock that stands still.
    Advance(Duration),
    /// The request in work is no longer wanted.
    Cancel(Via),
    /// A session is over.
    SessionEnded(Session),
}

/// What comes back.
#[derive(Debug)]
pub enum Report {
    /// The key has power; or why it has none.
    Powered(Result<(), CliError>),
    /// The open question is another one now, or none is open.
    Question {
        /// The question.
        ask: Option<Ask>,
        /// Which kind of request asks.
        kind: JobKind,
    },
    /// The whole answer to the request in work.
    Answer {
        /// Status byte and CBOR, or data and status word.
        bytes: Vec<u8>,
        /// The private reason, where a CTAP2 request was refused.
        refusal: Option<Refusal>,
        /// The faults that changed it.
        faults: Vec<String>,
    },
    /// The time that was to pass has passed, with everything that was due.
    Advanced,
    /// The store has failed, in these words.
    StoreFailed(String),
}

/// The hub's end of the worker.
#[derive(Debug)]
pub struct Worker {
    orders: Option<Sender<Order>>,
    reports: Receiver<Report>,
    bell: UnixStream,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts the thread; the key has no power yet.
    ///
    /// # Errors
    ///
    /// If the system gives no thread or no socket.
    pub fn start(clock: KeyClock, power_up: PowerUp) -> io::Result<Self> {
        let (orders, inbox) = mpsc::channel();
        let (outbox, reports) = mpsc::channel();
        let (bell, ringer) = UnixStream::pair()?;
        bell.set_nonblocking(true)?;
        ringer.set_nonblocking(true)?;
        let thread = thread::Builder::new().name("authenticator".into()).spawn(move || {
            let hub = Outbox { reports: outbox, bell: ringer };
            let (engine, at_work, asked, swept) = (None, None, None, true);
            let board = Board::default();
            Bench { clock, power_up, engine, at_work, hub, asked, swept, board }.serve(&inbox);
        })?;
        Ok(Self { orders: Some(orders), reports, bell, thread: Some(thread) })
    }

    /// Hands an order over; it is carried out when those before it are.
    pub fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            // A worker that is gone is found out by `poll`.
            let _ = orders.send(order);
        }
    }

    /// The next report, if there is one.
    ///
    /// # Errors
    ///
    /// [`Gone`] if the thread has ended by itself, which it never should.
    pub fn poll(&mut self) -> Result<Option<Report>, Gone> {
        match self.reports.try_recv() {
            Ok(report) => Ok(Some(report)),
            Err(mpsc::TryRecvError::Empty) => Ok(None),
            Err(mpsc::TryRecvError::Disconnected) => Err(Gone),
        }
    }

    /// Forgets that the bell has rung; call it before [`Worker::poll`].
    pub fn quiet(&mut self) {
        let mut sink = [0; 64];
        while self.bell.read(&mut sink).is_ok_and(|len| len == sink.len()) {}
    }

    /// Becomes readable when there are reports.
    #[must_use]
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }

    /// Ends the thread once it has done what it is doing, which is waited for up to two seconds. What it writes
    /// after that is whole or not written at all.
    pub fn stop(mut self) {
        self.orders = None;
        let Some(thread) = self.thread.take() else { return };
        // The thread's end of the bell closes when it ends.
        let ended = self.bell.set_nonblocking(false).and_then(|()| {
            self.bell.set_read_timeout(Some(Duration::from_secs(2)))?;
            io::copy(&mut self.bell, &mut io::sink())
        });
        if ended.is_ok() {
            let _ = thread.join();
        }
    }
}

/// The worker's thread is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

/// The thread's way to the hub.
struct Outbox {
    reports: Sender<Report>,
    bell: UnixStream,
}

impl Outbox {
    fn tell(&mut self, report: Report) {
        if self.reports.send(report).is_ok() {
            // A bell that is full has been rung often enough.
            let _ = self.bell.write(&[0]);
        }
    }
}

/// What the thread works with.
struct Bench {
    clock: KeyClock,
    power_up: PowerUp,
    engine: Option<Box<dyn Engine>>,
    /// The kind of the request that has no answer yet.
    at_work: Option<JobKind>,
    hub: Outbox,
    /// The question the hub knows of.
    asked: Option<AskId>,
    /// There is no housekeeping to do.
    swept: bool,
    /// What it does wrong.
    board: Board,
}

impl Bench {
    fn serve(&mut self, inbox: &Receiver<Order>) {
        loop {
            let order = match self.wake() {
                Some(at) => inbox.recv_timeout(at.duration_since(self.clock.now())),
                None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            let now = self.clock.now();
            match order {
                Ok(order) => {
                    self.obey(now, order);
                    if self.clock.is_virtual() {
                        // There is no lull on this clock; and housekeeping draws randomness, so its place must be certain.
                        self.sweep();
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.go_on(|engine| engine.handle_timeout(now));
                    self.sweep();
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// When there is something to do without an order.
    fn wake(&self) -> Option<Instant> {
        if self.clock.is_virtual() {
            return None;
        }
        let deadline = self.engine.as_ref()?.poll_timeout();
        let sweep = (!self.swept && self.at_work.is_none()).then(|| self.clock.now() + LULL);
        deadline.into_iter().chain(sweep).min()
    }

    /// Housekeeping, a piece at a time and only while nobody asks for anything.
    fn sweep(&mut self) {
        if !self.swept
            && self.at_work.is_none()
            && let Some(engine) = &mut self.engine
        {
            self.swept = engine.sweep();
        }
    }

    fn obey(&mut self, now: Instant, order: Order) {
        match order {
            Order::PowerUp => self.power_up(now),
            Order::Begin { via, kind: JobKind::Cbor, bytes } => {
                self.at_work = Some(JobKind::Cbor);
                let canned = self.arm(JobKind::Cbor, &bytes);
                self.go_on(|engine| match canned {
                    Some(status) => Some(Step::Reply(vec![status])),
                    None => Some(engine.begin(now, via, &bytes)),
                });
            }
            Order::Begin { via, kind: JobKind::Msg, bytes } => {
                self.at_work = Some(JobKind::Msg);
                self.arm(JobKind::Msg, &bytes);
                self.go_on(|engine| Some(Step::Reply(engine.begin_u2f(now, via, &bytes))));
            }
            Order::FaultOn(spec) => self.board.switch_on(spec),
            Order::FaultOff(name) => {
                self.board.switch_off(name.as_deref());
            }
            Order::Decide(decision) => self.go_on(|engine| engine.resume(now, decision)),
            Order::BlockVerification => {
                self.go_on(|engine| {
                    engine.block_user_verification();
                    None
                });
                self.tell_failure();
            }
            Order::Advance(by) => self.advance(now + by),
            Order::Cancel(via) => self.go_on(|engine| engine.cancel(via)),
            Order::SessionEnded(session) => self.go_on(|engine| {
                engine.session_ended(session);
                None
            }),
        }
    }

    /// Sets the faults of a request that begins; the status that comes in its place, if one does.
    fn arm(&mut self, kind: JobKind, request: &[u8]) -> Option<u8> {
        let signed = self.board.begin(kind, request);
        if let Some(engine) = &mut self.engine {
            engine.set_faults(&signed);
        }
        self.board.canned()
    }

    /// Moves the clock, from one deadline to the next; nothing on the machine's own.
    fn advance(&mut self, until: Instant) {
        while self.clock.is_virtual()
            && let Some(due) = self.engine.as_ref().and_then(|engine| engine.poll_timeout())
            && due <= until
        {
            self.clock.move_to(due);
            let now = self.clock.now();
            self.go_on(|engine| engine.handle_timeout(now));
        }
        self.clock.move_to(until);
        self.hub.tell(Report::Advanced);
    }

    fn power_up(&mut self, now: Instant) {
        // What the old engine holds must be free before the new one takes it.
        self.engine = None;
        (self.at_work, self.asked, self.swept) = (None, None, false);
        let powered = (self.power_up)(now).map(|engine| self.engine = Some(engine));
        self.hub.tell(Report::Powered(powered));
    }

    /// Takes one step and tells the hub what came of it: the question first, then the answer.
    fn go_on(&mut self, step: impl FnOnce(&mut dyn Engine) -> Option<Step>) {
        let Some(engine) = &mut self.engine else { return };
        let step = step(engine.as_mut());
        let ask = engine.asking();
        if ask.map(|ask| ask.id) != self.asked {
            self.asked = ask.map(|ask| ask.id);
            let kind = self.at_work.unwrap_or(JobKind::Msg);
            let ask = ask.cloned();
            self.hub.tell(Report::Question { ask, kind });
        }
        if let Some(Step::Reply(mut bytes)) = step
            && let Some(kind) = self.at_work.take()
        {
            // A status in the place of a command has no reason of the authenticator's.
            let own = kind == JobKind::Cbor && self.board.canned().is_none();
            let refusal = if own { engine.refusal() } else { None };
            let faults = self.board.finish(&mut bytes, &engine.take_done());
            self.swept = false;
            self.tell_failure();
            self.hub.tell(Report::Answer { bytes, refusal, faults });
        }
    }

    /// Tells the hub what the store said when it failed.
    fn tell_failure(&mut self) {
        if let Some(error) = self.engine.as_mut().and_then(|engine| engine.take_store_error()) {
            self.hub.tell(Report::StoreFailed(error));
        }
    }
}

#[cfg(test)]
mod tests;
