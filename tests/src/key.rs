//! One security key on a virtual desk: CTAPHID packets in and out, with the user, the clock, the power and the
//! store in the test's hand.
//!
//! Everything a suite does goes through [`Key::send`], [`Key::post`], [`Key::answer`], [`Key::cancel`],
//! [`Key::u2f`], [`Key::init`], [`Key::advance`] and [`Key::power_cycle`], so that another world (a process
//! behind UDP) can stand in for this one.

mod entropy;
mod memory;
mod profile;
mod root;
mod running;
mod wire;

use std::collections::BTreeMap;
use std::time::Duration;

use softkey::faults::Board;
use softkey::faults::wire::Wire;
use softkey_authenticator::{
    Algorithm, Algorithms, Answer, AskId, Attestation, Authenticator, Config, Decision, RootKey,
    Session, Transport, UserVerification, Via,
};
use softkey_ctap::Instant;
use softkey_ctap_hid::{Device, DeviceConfig, Event, Job, JobKind, Status};

pub use entropy::Entropy;
pub use memory::{Cut, Memory};
pub use profile::{
    CERTIFICATIONS, ENTERPRISE_CERTIFICATE, ENTERPRISE_RP, FINGERS, OTHER_AAGUID, POLICY_URL,
    Profile, SAMPLES, TINY, Tiny,
};
pub use root::root_certificate;

/// A client of the key: it has a channel of its own, a new one after each power cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Channel(usize);

/// What the user does when asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum User {
    /// Touches the key at once; asked to be verified, is.
    Approves,
    /// Refuses at once.
    Refuses,
    /// Does nothing.
    StaysAway,
    /// Touches the key after this time; asked to be verified, is.
    ApprovesAfter(Duration),
    /// Touches the key at once; asked to be verified, fails.
    FailsVerification,
    /// Touches the key at once and holds the finger there for this time.
    Holds(Duration),
    /// Touches the key at once with this finger; who approves otherwise does so with finger 1.
    Finger(u64),
    /// Touches the key at once; the fingerprint sensor finds the sample bad, with this status.
    Smudges(u64),
}

/// Changes an answer on its way; the request comes first.
pub type Fault = Box<dyn FnMut(&[u8], &mut Vec<u8>)>;

/// What a watcher of the authenticator sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// The authenticator is given a request.
    Begins,
    /// The authenticator is told of an answer, a CANCEL, a deadline or the end of a session.
    GoesOn,
    /// The call has returned.
    Returns,
}

/// A KEEPALIVE as a client hears it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keepalive {
    /// When, on the desk's clock.
    pub at: Instant,
    /// 1: processing; 2: user presence needed.
    pub status: u8,
}

/// How a key is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setup {
    /// Determines all entropy.
    pub seed: u64,
    /// The root key of the store's sealing.
    pub root_key: [u8; 32],
    /// Is there a fingerprint sensor? It shows presence as it verifies if the second value is true.
    pub sensor: Option<Sensor>,
    /// What it offers beside the default.
    pub profile: Profile,
    /// The COSE algorithms that getInfo lists, best first; empty: those of the default.
    pub algorithms: &'static [i64],
    /// Do new credentials attest themselves, instead of the batch key?
    pub self_attestation: bool,
    /// The statement formats of the owner's root, by their identifiers (`packed-self` for self attestation), best
    /// first; empty: there is no such root.
    pub formats: &'static [&'static str],
}

/// A built-in method of user verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sensor {
    /// After how many failures in all it is blocked.
    pub max_retries: u8,
    /// How many tries one request gives the user.
    pub tries_per_request: u8,
    /// Does the gesture itself show presence?
    pub shows_presence: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            seed: 1,
            root_key: [0x5A; 32],
            sensor: None,
            profile: Profile::of_this_run(),
            algorithms: &[],
            self_attestation: false,
            formats: &[],
        }
    }
}

/// A security key. See the module.
pub struct Key {
    setup: Setup,
    authenticator: Authenticator<Memory, Entropy>,
    device: Device,
    job: Option<Job>,
    memory: Memory,
    entropy: Entropy,
    now: Instant,
    user: User,
    prompts: u32,
    question: Option<Question>,
    last_asked: Option<AskId>,
    fault: Option<Fault>,
    watcher: Option<Box<dyn FnMut(Edge)>>,
    draws: u64,
    /// Has it ever made credentials that may be backed up?
    backs_up: bool,
    board: Board,
    wire: Wire,
    desk: Desk,
}

/// The clients' side: their channels, and what has arrived on them.
struct Desk {
    channel: Channel,
    numbers: Vec<u32>,
    side: Option<Channel>,
    assembly: wire::Assembly,
    waiting: BTreeMap<u32, Vec<u8>>,
    arrived: BTreeMap<u32, Vec<u8>>,
    errors: BTreeMap<u32, u8>,
    keepalives: Vec<Keepalive>,
}

/// A question that the user has not answered yet, and when the answer comes.
struct Question {
    ask: AskId,
    answer: Option<(Instant, Answer)>,
}

impl Key {
    /// A factory-fresh key, just plugged in, with a user who approves: the default one, or the one that this run of the
    /// tests is about ([`Profile::of_this_run`]).
    #[must_use]
    pub fn fresh() -> Self {
        Self::new(Setup::default())
    }

    /// A factory-fresh key whose entropy is determined by `seed`.
    #[must_use]
    pub fn with_seed(seed: u64) -> Self {
        Self::new(Setup { seed, ..Setup::default() })
    }

    /// A factory-fresh key that offers what the default key does not.
    #[must_use]
    pub fn with_profile(profile: Profile) -> Self {
        Self::new(Setup { profile, ..Setup::default() })
    }

    /// A factory-fresh key, just plugged in, with a user who approves.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let (memory, entropy) = (Memory::default(), Entropy::from_seed(setup.seed));
        let now = Instant::from_millis(1_000);
        let mut key = Self {
            authenticator: open(&setup, &memory, &entropy, now),
            device: device(&setup, now),
            setup,
            job: None,
            memory,
            entropy,
            now,
            user: User::Approves,
            prompts: 0,
            question: None,
            last_asked: None,
            fault: None,
            watcher: None,
            draws: setup.seed << 32,
            backs_up: setup.profile == Profile::Synced,
            board: running::board(),
            wire: Wire::default(),
            desk: Desk::new(),
        };
        key.open_channel();
        key
    }

    /// Sends a CTAP2 message on the channel in use and gives the answer, however long it takes. The test fails
    /// on a CTAPHID error.
    #[track_caller]
    pub fn send(&mut self, request: &[u8]) -> Vec<u8> {
        self.post(request);
        loop {
            if let Some(answer) = self.answer() {
                return answer;
            }
            if let Some(error) = self.error() {
                panic!("CTAPHID error {error:#04x}");
            }
            let next = self.next_event().expect("a request waits but nothing will happen");
            self.advance(next.duration_since(self.now));
        }
    }

    /// Sends a CTAP2 message on the channel in use without waiting for the answer.
    #[track_caller]
    pub fn post(&mut self, request: &[u8]) {
        let number = self.number();
        let busy = self.desk.waiting.insert(number, request.to_vec());
        assert!(busy.is_none(), "this channel waits for an answer already");
        self.transmit(wire::CBOR, request);
    }

    /// The answer that has arrived on the channel in use, if one has.
    pub fn answer(&mut self) -> Option<Vec<u8>> {
        let number = self.number();
        self.desk.arrived.remove(&number)
    }

    /// The CTAPHID error that has arrived on the channel in use, if one has.
    pub fn error(&mut self) -> Option<u8> {
        let number = self.number();
        self.desk.errors.remove(&number)
    }

    /// The keepalives since this was asked last.
    pub fn keepalives(&mut self) -> Vec<Keepalive> {
        std::mem::take(&mut self.desk.keepalives)
    }

    /// CTAPHID CANCEL on the channel in use; gives the answer that it brings about.
    pub fn cancel(&mut self) -> Option<Vec<u8>> {
        self.transmit(wire::CANCEL, &[]);
        self.answer()
    }

    /// Sends one CTAP1 message on the channel in use and gives the answer. If the key asks for a touch, the
    /// user acts after the answer.
    pub fn u2f(&mut self, apdu: &[u8]) -> Vec<u8> {
        self.transmit(wire::MSG, apdu);
        let asked = self.authenticator.asking().cloned();
        if let Some(ask) = asked.filter(|ask| self.last_asked != Some(ask.id)) {
            self.ask(ask.id, &ask.question);
        }
        self.answer().expect("U2F messages are answered at once")
    }

    /// Sends one CTAP1 message while the user looks away: a question it raises stays unanswered.
    pub fn u2f_once(&mut self, apdu: &[u8]) -> Vec<u8> {
        let user = std::mem::replace(&mut self.user, User::StaysAway);
        let answer = self.u2f(apdu);
        self.user = user;
        answer
    }

    /// Sends a CTAP1 message as clients do: again every 200 ms while the answer is 6985, for a second.
    pub fn u2f_polling(&mut self, apdu: &[u8]) -> Vec<u8> {
        let mut answer = self.u2f(apdu);
        for _ in 0..5 {
            if answer != [0x69, 0x85] {
                break;
            }
            self.advance(Duration::from_millis(200));
            answer = self.u2f(apdu);
        }
        answer
    }

    /// CTAPHID INIT on the channel in use: what is under way on it ends, the channel stays.
    pub fn init(&mut self) {
        let nonce = self.nonce();
        self.transmit(wire::INIT, &nonce);
        let number = self.number();
        let answer = self.answer().expect("INIT is answered");
        assert_eq!((&answer[..8], &answer[8..12]), (&nonce[..], &number.to_be_bytes()[..]));
        self.desk.waiting.remove(&number);
    }

    /// A new client with a channel of its own; the one in use stays in use.
    pub fn open_channel(&mut self) -> Channel {
        let number = self.allocate();
        self.desk.numbers.push(number);
        Channel(self.desk.numbers.len() - 1)
    }

    /// The channel of a client that looks on from the side, always the same.
    pub fn side_channel(&mut self) -> Channel {
        let side = self.desk.side.unwrap_or_else(|| self.open_channel());
        *self.desk.side.insert(side)
    }

    /// The channel in use.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.desk.channel
    }

    /// Uses another channel from now on.
    pub fn switch_to(&mut self, channel: Channel) {
        self.desk.channel = channel;
    }

    /// Lets time pass; what is due on the way happens in order.
    pub fn advance(&mut self, time: Duration) {
        let end = self.now + time;
        let mut idle_rounds = 0;
        while let Some(next) = self.next_event().filter(|next| *next <= end) {
            idle_rounds = if next > self.now { 0 } else { idle_rounds + 1 };
            assert!(idle_rounds < 100, "the key wants to be woken at {next:?} for ever");
            self.now = self.now.max(next);
            self.happen();
        }
        self.now = end;
        if self.job.is_none() {
            self.authenticator.sweep();
        }
    }

    /// Unplugs the key and plugs it in again. What was written to its store stays; each client gets a new
    /// channel.
    pub fn power_cycle(&mut self) {
        self.power_cycle_as(self.setup);
    }

    /// The same, and its owner has set it up in another way since. Seed and root key must be the old ones.
    pub fn power_cycle_as(&mut self, setup: Setup) {
        self.setup = setup;
        self.backs_up |= setup.profile == Profile::Synced;
        self.now += Duration::from_secs(1);
        self.memory.power_up();
        self.entropy.reseed();
        self.authenticator = open(&self.setup, &self.memory, &self.entropy, self.now);
        self.device = device(&self.setup, self.now);
        self.wire.reset();
        self.job = None;
        self.question = None;
        self.last_asked = None;
        let Desk { channel, side, .. } = self.desk;
        let numbers = std::mem::take(&mut self.desk.numbers);
        self.desk = Desk { channel, numbers, side, ..Desk::new() };
        for client in 0..self.desk.numbers.len() {
            self.desk.numbers[client] = self.allocate();
        }
    }

    /// From the next power cycle on the key has this sensor, or none.
    pub fn fit(&mut self, sensor: Option<Sensor>) {
        self.setup.sensor = sensor;
    }

    /// Fails the test if these flags tell of a backup, unless credentials of this key may be backed up.
    #[track_caller]
    pub(crate) fn check_backup(&self, flags: u8) {
        let backup = flags & (crate::auth_data::BE | crate::auth_data::BS);
        assert!(backup == 0 || self.backs_up, "backup flags in {flags:#04x}");
    }

    /// Tells the user what to do from now on.
    pub fn user(&mut self, user: User) {
        self.user = user;
    }

    /// What the user does at present.
    #[must_use]
    pub fn current_user(&self) -> User {
        self.user
    }

    /// How often the user has been asked since the key was made.
    #[must_use]
    pub fn prompts(&self) -> u32 {
        self.prompts
    }

    /// The store under the key.
    #[must_use]
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The key's source of entropy.
    #[must_use]
    pub fn entropy(&self) -> &Entropy {
        &self.entropy
    }

    /// Plants a fault into the link: it sees and may change every answer from now on.
    pub fn plant(&mut self, fault: impl FnMut(&[u8], &mut Vec<u8>) + 'static) {
        self.fault = Some(Box::new(fault));
    }

    /// Has every call of the authenticator watched from now on.
    pub fn watch(&mut self, watcher: impl FnMut(Edge) + 'static) {
        self.watcher = Some(Box::new(watcher));
    }

    /// 32 bytes that differ from call to call, for the platform's own keys.
    pub fn draw(&mut self) -> [u8; 32] {
        self.draws += 1;
        crate::parts::sha256(&self.draws.to_be_bytes())
    }
}

impl Desk {
    fn new() -> Self {
        Self {
            channel: Channel(0),
            numbers: Vec::new(),
            side: None,
            assembly: wire::Assembly::default(),
            waiting: BTreeMap::new(),
            arrived: BTreeMap::new(),
            errors: BTreeMap::new(),
            keepalives: Vec::new(),
        }
    }
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
