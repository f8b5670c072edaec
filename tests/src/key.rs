//! One security key on a virtual desk: CTAPHID packets in and out, with the user, the clock, the power and the
//! store in the test's hand.
//!
//! Everything a suite does goes through [`Key::send`], [`Key::post`], [`Key::answer`], [`Key::cancel`],
//! [`Key::u2f`], [`Key::init`], [`Key::advance`] and [`Key::power_cycle`], so that another world can stand in for this
//! one: with `SOFTKEY_TEST_BOARD` each key is a board that QEMU emulates. A test that needs more than a board has fails
//! there, with words that say so.

mod board;
mod entropy;
mod inside;
mod memory;
mod profile;
mod root;
mod running;
mod setup;
mod wire;

use std::collections::BTreeMap;
use std::time::Duration;

use softkey_authenticator::{Answer, AskId};
use softkey_ctap::Instant;

use board::Board;
use inside::Inside;

pub use board::{Bare, beyond_a_board, times};
pub use entropy::Entropy;
pub use memory::{Cut, Memory};
pub use profile::{
    CERTIFICATIONS, ENTERPRISE_CERTIFICATE, ENTERPRISE_RP, FINGERS, OTHER_AAGUID, POLICY_URL,
    Profile, SAMPLES, TINY, Tiny, VENDOR_COMMANDS,
};
pub use root::root_certificate;
pub use setup::{Sensor, Setup};

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

/// A security key. See the module.
pub struct Key {
    setup: Setup,
    body: Body,
    now: Instant,
    user: User,
    prompts: u32,
    question: Option<Question>,
    draws: u64,
    /// Has it ever made credentials that may be backed up?
    backs_up: bool,
    refusals: u32,
    desk: Desk,
}

/// Where the key is.
enum Body {
    Inside(Box<Inside>),
    Board(Box<Board>),
}

/// What a key does that others must know of.
enum Happening {
    /// A packet leaves for the clients.
    Report(wire::Report),
    /// The user is asked.
    Asks(AskId, softkey_authenticator::Question),
    /// No answer is wanted any more.
    AsksNoMore,
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
        let now = Instant::from_millis(1_000);
        let mut key = Self {
            body: Body::new(&setup, now),
            setup,
            now,
            user: User::Approves,
            prompts: 0,
            question: None,
            draws: setup.seed << 32,
            backs_up: setup.profile == Profile::Synced,
            refusals: 0,
            desk: Desk::new(),
        };
        key.open_channel();
        key
    }

    /// Sends a CTAP2 message on the channel in use and gives the answer, however long it takes. The test fails
    /// on a CTAPHID error.
    #[track_caller]
    pub fn send(&mut self, request: &[u8]) -> Vec<u8> {
        self.try_send(request).unwrap_or_else(|error| panic!("CTAPHID error {error:#04x}"))
    }

    /// The same, for a key that may not take such messages.
    ///
    /// # Errors
    ///
    /// The CTAPHID error that came in the place of an answer.
    #[track_caller]
    pub fn try_send(&mut self, request: &[u8]) -> Result<Vec<u8>, u8> {
        self.post(request);
        loop {
            if let Some(answer) = self.answer() {
                return Ok(answer);
            }
            if let Some(error) = self.error() {
                return Err(error);
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
        let answer = self.try_u2f(apdu);
        answer.unwrap_or_else(|error| panic!("no answer at once, error {error:02x?}"))
    }

    /// The same, for a key that may not speak CTAP1.
    ///
    /// # Errors
    ///
    /// The CTAPHID error that came in the place of an answer, if one did.
    pub fn try_u2f(&mut self, apdu: &[u8]) -> Result<Vec<u8>, Option<u8>> {
        self.transmit(wire::MSG, apdu);
        self.answer().ok_or_else(|| self.error())
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
        self.body.rest();
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
        self.body.power_up(&self.setup, self.now);
        self.question = None;
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
        match &self.body {
            Body::Inside(inside) => &inside.memory,
            Body::Board(_) => board::apart("a look into the store, or a store that fails"),
        }
    }

    /// How many writes the store under the key has seen. On a board, how often they were looked for and there were some.
    pub fn commits(&mut self) -> u64 {
        match &mut self.body {
            Body::Inside(inside) => inside.memory.commits(),
            Body::Board(board) => board.commits(),
        }
    }

    /// The key's source of entropy.
    #[must_use]
    pub fn entropy(&self) -> &Entropy {
        match &self.body {
            Body::Inside(inside) => &inside.entropy,
            Body::Board(_) => board::apart("a source of entropy that fails"),
        }
    }

    /// Plants a fault into the link: it sees and may change every answer from now on.
    pub fn plant(&mut self, fault: impl FnMut(&[u8], &mut Vec<u8>) + 'static) {
        match &mut self.body {
            Body::Inside(inside) => inside.fault = Some(Box::new(fault)),
            Body::Board(_) => board::apart("a planted fault"),
        }
    }

    /// Switches on a fault of those that the key has for its owners, as `softkey faults` writes it.
    pub fn misbehave(&mut self, fault: &str) {
        match &mut self.body {
            Body::Inside(inside) => inside.misbehave(fault),
            Body::Board(_) => board::apart("a fault of the key"),
        }
    }

    /// The faults that changed answers since this was asked last, as the key tells its owner.
    pub fn told(&mut self) -> Vec<String> {
        match &mut self.body {
            Body::Inside(inside) => std::mem::take(&mut inside.told),
            Body::Board(_) => board::apart("what a key tells its owner"),
        }
    }

    /// Has every call of the authenticator watched from now on.
    pub fn watch(&mut self, watcher: impl FnMut(Edge) + 'static) {
        match &mut self.body {
            Body::Inside(inside) => inside.watcher = Some(Box::new(watcher)),
            Body::Board(_) => board::apart("a watcher of the authenticator"),
        }
    }

    /// After a refusal: is the key to show that it works still? On a board, where the signatures for it take as long as a
    /// hundred refusals, after the first, the second, the fourth and so on.
    pub(crate) fn is_worth_a_proof(&mut self) -> bool {
        self.refusals += 1;
        matches!(self.body, Body::Inside(_)) || self.refusals.is_power_of_two()
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
