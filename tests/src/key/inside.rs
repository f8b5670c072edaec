//! A key in this process: the device, the authenticator beneath it, the store and the entropy, all in the test's hand.

use std::collections::VecDeque;

use softkey::faults::wire::Wire;
use softkey::faults::{Board, Spec};
use softkey_authenticator::{
    Algorithm, Algorithms, Answer, AskId, Attestation, Authenticator, Config, Decision, RootKey,
    Session, Step, Transport, UserVerification, Via,
};
use softkey_ctap::Instant;
use softkey_ctap_hid::{Device, DeviceConfig, Event, Job, JobKind, Reports as _, Status};

use super::{Edge, Entropy, Fault, Happening, Memory, Setup, root, wire};

/// A device and an authenticator, joined.
pub(super) struct Inside {
    authenticator: Authenticator<Memory, Entropy>,
    device: Device,
    job: Option<Job>,
    pub(super) memory: Memory,
    pub(super) entropy: Entropy,
    /// What has happened and is not told yet.
    untold: VecDeque<Happening>,
    last_asked: Option<AskId>,
    pub(super) fault: Option<Fault>,
    pub(super) watcher: Option<Box<dyn FnMut(Edge)>>,
    board: Board,
    /// The faults that changed an answer.
    pub(super) told: Vec<String>,
    wire: Wire,
}

impl Inside {
    /// A factory-fresh key, just plugged in.
    pub(super) fn new(setup: &Setup, now: Instant) -> Self {
        let (memory, entropy) = (Memory::default(), Entropy::from_seed(setup.seed));
        Self {
            authenticator: open(setup, &memory, &entropy, now),
            device: device(setup, now),
            job: None,
            memory,
            entropy,
            untold: VecDeque::new(),
            last_asked: None,
            fault: None,
            watcher: None,
            board: board(),
            told: Vec::new(),
            wire: Wire::default(),
        }
    }

    /// The power was gone, and has come back.
    pub(super) fn power_up(&mut self, setup: &Setup, now: Instant) {
        self.memory.power_up();
        self.entropy.reseed();
        self.authenticator = open(setup, &self.memory, &self.entropy, now);
        self.device = device(setup, now);
        self.wire.reset();
        self.job = None;
        self.untold.clear();
        self.last_asked = None;
    }

    /// A packet of a client arrives.
    pub(super) fn receive(&mut self, now: Instant, packet: &wire::Report) {
        self.device.receive(now, packet);
    }

    /// Carries everything between device and authenticator until something happens that others must know of.
    pub(super) fn poll(&mut self, now: Instant) -> Option<Happening> {
        loop {
            if let Some(happening) = self.untold.pop_front() {
                return Some(happening);
            }
            if let Some(event) = self.device.poll_event() {
                self.hear(now, event);
            } else if let Some(job) = self.device.poll_job() {
                self.work(now, job);
            } else if let Some(outgoing) = self.wire.around(&mut self.device).poll_report() {
                return Some(Happening::Report(outgoing.report));
            } else {
                return self.asks_u2f();
            }
        }
    }

    /// When something is due next.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let hid = [self.device.poll_timeout(), self.wire.poll_timeout()];
        hid.into_iter().chain([self.authenticator.poll_timeout()]).flatten().min()
    }

    /// Does what is due.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.authenticator.poll_timeout().is_some_and(|due| due <= now)
            && let Some(step) = self.core(Edge::GoesOn, |core| core.handle_timeout(now))
        {
            self.follow(now, step);
        }
        self.device.handle_timeout(now);
        self.wire.handle_timeout(now);
    }

    /// The user's answer.
    pub(super) fn decide(&mut self, now: Instant, ask: AskId, answer: Answer) {
        let decision = Decision { ask, answer };
        if let Some(step) = self.core(Edge::GoesOn, |core| core.resume(now, decision)) {
            self.follow(now, step);
        }
    }

    /// Time has passed; an idle key tidies its store.
    pub(super) fn rest(&mut self) {
        if self.job.is_none() {
            self.authenticator.sweep();
        }
    }

    /// Has this fault from now on.
    pub(super) fn misbehave(&mut self, fault: &str) {
        self.board.switch_on(spec(fault));
    }

    /// A U2F question is told after the answer that it came with.
    fn asks_u2f(&mut self) -> Option<Happening> {
        let ask = self.authenticator.asking().filter(|ask| self.last_asked != Some(ask.id))?;
        self.last_asked = Some(ask.id);
        Some(Happening::Asks(ask.id, ask.question.clone()))
    }

    fn hear(&mut self, now: Instant, event: Event) {
        match event {
            Event::Cancelled(_, channel) => {
                let via = via(channel.as_u32());
                if let Some(step) = self.core(Edge::GoesOn, |core| core.cancel(via)) {
                    self.follow(now, step);
                }
            }
            Event::Aborted(..) => {
                self.job = None;
                self.untold.push_back(Happening::AsksNoMore);
            }
            Event::SessionEnded(channel) => {
                let session = via(channel.as_u32()).session;
                self.core(Edge::GoesOn, |core| core.session_ended(session));
            }
            Event::Wink => {}
        }
    }

    fn work(&mut self, now: Instant, job: Job) {
        let via = via(job.channel.as_u32());
        let signed = self.board.begin(job.kind, &job.bytes);
        self.authenticator.set_faults(&signed);
        match job.kind {
            JobKind::Cbor => {
                let step = match self.board.canned() {
                    Some(status) => Step::Reply(vec![status]),
                    None => self.core(Edge::Begins, |core| core.begin(now, via, &job.bytes)),
                };
                self.job = Some(job);
                self.follow(now, step);
            }
            JobKind::Msg => {
                let answer = self.core(Edge::Begins, |core| core.begin_u2f(now, via, &job.bytes));
                self.reply(now, &job, answer);
            }
        }
    }

    fn follow(&mut self, now: Instant, step: Step) {
        match step {
            Step::Reply(answer) => {
                self.untold.push_back(Happening::AsksNoMore);
                let job = self.job.take().expect("an answer belongs to a request");
                self.reply(now, &job, answer);
            }
            Step::Asking(ask) => {
                self.device.status(now, Status::UserNeeded);
                self.last_asked = Some(ask.id);
                self.untold.push_back(Happening::Asks(ask.id, ask.question));
            }
        }
    }

    fn reply(&mut self, now: Instant, job: &Job, mut answer: Vec<u8>) {
        if let Some(fault) = &mut self.fault {
            fault(&job.bytes, &mut answer);
        }
        self.told.extend(self.board.finish(&mut answer, &self.authenticator.take_done()));
        self.wire.handle_timeout(now);
        self.wire.arm(self.board.armed_packets());
        self.device.answer(now, job.id, &answer);
    }

    /// One call of the authenticator, under the eyes of the watcher.
    fn core<T>(
        &mut self,
        edge: Edge,
        call: impl FnOnce(&mut Authenticator<Memory, Entropy>) -> T,
    ) -> T {
        let mut tell = |edge| self.watcher.iter_mut().for_each(|watcher| watcher(edge));
        tell(edge);
        let outcome = call(&mut self.authenticator);
        tell(Edge::Returns);
        outcome
    }
}

/// The fault that `cargo xtask conformance --sabotage` wants every key to have, if it does.
fn board() -> Board {
    let mut board = Board::default();
    if let Ok(fault) = std::env::var("SOFTKEY_FAULT") {
        board.switch_on(spec(&fault));
    }
    board
}

fn spec(fault: &str) -> Spec {
    fault.parse().unwrap_or_else(|error| panic!("{fault}: {error}"))
}

fn via(channel: u32) -> Via {
    Via { transport: Transport::Usb, session: Session(channel.into()) }
}

fn device(setup: &Setup, now: Instant) -> Device {
    let seed = u32::try_from(now.as_millis() % 0x1_0000_0000).unwrap();
    let Config { generation, u2f, .. } = setup.profile.config();
    let config = DeviceConfig { ctap2: generation.speaks_ctap2(), u2f, ..DeviceConfig::default() };
    Device::new(config, seed)
}

fn open(
    setup: &Setup,
    memory: &Memory,
    entropy: &Entropy,
    now: Instant,
) -> Authenticator<Memory, Entropy> {
    let sensor = setup.sensor.map(|sensor| UserVerification {
        modality: 2,
        max_retries: sensor.max_retries,
        tries_per_request: sensor.tries_per_request,
        enrollment: None,
    });
    let config = setup.profile.config();
    let user_verification = sensor.or(config.user_verification);
    let mut config = Config { user_verification, ..config };
    if !setup.algorithms.is_empty() {
        let listed = setup.algorithms.iter().filter_map(|id| Algorithm::from_id(*id));
        config.algorithms = Algorithms::new(&listed.collect::<Vec<_>>()).expect("a list");
    }
    if setup.self_attestation {
        config.attestation = Attestation::SelfAttestation;
    }
    if !setup.formats.is_empty() {
        config.attestation = Attestation::Root(root::of(setup.formats));
    }
    let root_key = RootKey::new(setup.root_key);
    Authenticator::open(memory.clone(), root_key, entropy.clone(), config, now)
        .unwrap_or_else(|_| panic!("the key does not open its store"))
}
