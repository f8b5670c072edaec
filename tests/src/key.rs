//! One security key on a virtual desk: bytes in, bytes out, with the user, the clock, the power and the store
//! in the test's hand.
//!
//! Everything a suite does goes through [`Key::send`], [`Key::post`], [`Key::answer`], [`Key::cancel`],
//! [`Key::u2f`], [`Key::init`], [`Key::advance`] and [`Key::power_cycle`], so that another world (a process
//! behind UDP) can stand in for this one.

mod entropy;
mod memory;

use std::collections::BTreeMap;
use std::time::Duration;

use softkey_authenticator::{
    Answer, AskId, Authenticator, Config, Decision, RootKey, Session, Step, Transport, Via,
};
use softkey_ctap::Instant;

pub use entropy::Entropy;
pub use memory::{Cut, Memory};

/// A client's channel to the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Channel(u32);

/// What the user does when asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum User {
    /// Touches the key at once.
    Approves,
    /// Refuses at once.
    Refuses,
    /// Does nothing.
    StaysAway,
    /// Touches the key after this time.
    ApprovesAfter(Duration),
}

/// Changes an answer on its way; the request comes first.
pub type Fault = Box<dyn FnMut(&[u8], &mut Vec<u8>)>;

/// A security key. See the module.
pub struct Key {
    authenticator: Authenticator<Memory, Entropy>,
    root: [u8; 32],
    memory: Memory,
    entropy: Entropy,
    now: Instant,
    user: User,
    prompts: u32,
    channel: Channel,
    channels: u32,
    question: Option<Question>,
    last_asked: Option<AskId>,
    arrived: BTreeMap<Channel, Vec<u8>>,
    waiting: BTreeMap<Channel, Vec<u8>>,
    fault: Option<Fault>,
    draws: u64,
}

/// A question that the user has not answered yet.
struct Question {
    channel: Channel,
    ask: AskId,
    due: Option<Instant>,
}

impl Key {
    /// A factory-fresh key, just plugged in, with a user who approves.
    #[must_use]
    pub fn fresh() -> Self {
        Self::with_seed(1)
    }

    /// A factory-fresh key whose entropy is determined by `seed`.
    #[must_use]
    pub fn with_seed(seed: u64) -> Self {
        Self::new(seed, [0x5A; 32])
    }

    /// Another factory-fresh key of the same model: other entropy and another root key.
    #[must_use]
    pub fn with_other_root(seed: u64) -> Self {
        Self::new(seed, [0xA5; 32])
    }

    fn new(seed: u64, root_key: [u8; 32]) -> Self {
        let (memory, entropy) = (Memory::default(), Entropy::from_seed(seed));
        let now = Instant::from_millis(1_000);
        Self {
            authenticator: open(&memory, root_key, &entropy, now),
            root: root_key,
            memory,
            entropy,
            now,
            user: User::Approves,
            prompts: 0,
            channel: Channel(1),
            channels: 1,
            question: None,
            last_asked: None,
            arrived: BTreeMap::new(),
            waiting: BTreeMap::new(),
            fault: None,
            draws: seed << 32,
        }
    }

    /// Sends a CTAP2 message on the channel in use and gives the answer, however long it takes.
    #[track_caller]
    pub fn send(&mut self, request: &[u8]) -> Vec<u8> {
        self.post(request);
        while !self.arrived.contains_key(&self.channel) {
            let next = self.next_event().expect("a request waits but nothing will happen");
            self.advance(next.duration_since(self.now));
        }
        self.answer().unwrap()
    }

    /// Sends a CTAP2 message on the channel in use without waiting for the answer.
    #[track_caller]
    pub fn post(&mut self, request: &[u8]) {
        let channel = self.channel;
        let busy = self.waiting.insert(channel, request.to_vec());
        assert!(busy.is_none(), "this channel waits for an answer already");
        self.arrived.remove(&channel);
        let step = self.authenticator.begin(self.now, self.via(), request);
        self.follow(channel, step);
    }

    /// The answer that has arrived on the channel in use, if one has.
    pub fn answer(&mut self) -> Option<Vec<u8>> {
        self.arrived.remove(&self.channel)
    }

    /// CTAPHID CANCEL on the channel in use; gives the answer that it brings about.
    pub fn cancel(&mut self) -> Option<Vec<u8>> {
        let step = self.authenticator.cancel(self.via())?;
        self.follow(self.channel, step);
        self.answer()
    }

    /// Sends one CTAP1 message on the channel in use and gives the answer. If the key asks for a touch, the
    /// user acts after the answer.
    pub fn u2f(&mut self, apdu: &[u8]) -> Vec<u8> {
        let mut answer = self.authenticator.begin_u2f(self.now, self.via(), apdu);
        let ask = self.authenticator.asking().map(|ask| ask.id);
        if let Some(ask) = ask.filter(|ask| self.last_asked != Some(*ask)) {
            self.ask(self.channel, ask);
        }
        if let Some(fault) = &mut self.fault {
            fault(apdu, &mut answer);
        }
        answer
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

    /// CTAPHID INIT on the channel in use: the session on it ends, the channel stays.
    pub fn init(&mut self) {
        self.authenticator.session_ended(self.via().session);
        self.waiting.remove(&self.channel);
        self.arrived.remove(&self.channel);
        self.question = self.question.take().filter(|question| question.channel != self.channel);
    }

    /// A new client's channel; the one in use stays in use.
    pub fn open_channel(&mut self) -> Channel {
        self.channels += 1;
        Channel(self.channels)
    }

    /// The channel in use.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.channel
    }

    /// Uses another channel from now on.
    pub fn switch_to(&mut self, channel: Channel) {
        self.channel = channel;
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
        if self.waiting.is_empty() {
            self.authenticator.sweep();
        }
    }

    /// Unplugs the key and plugs it in again. What was written to its store stays; channels are new.
    pub fn power_cycle(&mut self) {
        self.now += Duration::from_secs(1);
        self.memory.power_up();
        self.entropy.reseed();
        self.authenticator = open(&self.memory, self.root, &self.entropy, self.now);
        self.question = None;
        self.last_asked = None;
        self.arrived.clear();
        self.waiting.clear();
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

    /// 32 bytes that differ from call to call, for the platform's own keys.
    pub fn draw(&mut self) -> [u8; 32] {
        self.draws += 1;
        crate::parts::sha256(&self.draws.to_be_bytes())
    }

    fn via(&self) -> Via {
        Via { transport: Transport::Usb, session: Session(self.channel.0.into()) }
    }

    /// When something is due next: the user's touch or the key's own deadline.
    fn next_event(&self) -> Option<Instant> {
        let touch = self.question.as_ref().and_then(|question| question.due);
        touch.into_iter().chain(self.authenticator.poll_timeout()).min()
    }

    fn happen(&mut self) {
        let due = self.question.take_if(|question| question.due.is_some_and(|due| due <= self.now));
        if let Some(question) = due {
            self.decide(question.channel, question.ask, Answer::Yes);
        }
        if self.authenticator.poll_timeout().is_some_and(|due| due <= self.now)
            && let Some(step) = self.authenticator.handle_timeout(self.now)
        {
            let question = self.question.take().expect("only a waiting request ends by a deadline");
            self.follow(question.channel, step);
        }
    }

    fn follow(&mut self, channel: Channel, step: Step) {
        match step {
            Step::Reply(mut answer) => {
                self.question = None;
                let request = self.waiting.remove(&channel).unwrap_or_default();
                if let Some(fault) = &mut self.fault {
                    fault(&request, &mut answer);
                }
                self.arrived.insert(channel, answer);
            }
            Step::Asking(ask) => self.ask(channel, ask.id),
        }
    }

    fn ask(&mut self, channel: Channel, ask: AskId) {
        self.prompts += 1;
        self.last_asked = Some(ask);
        match self.user {
            User::Approves => self.decide(channel, ask, Answer::Yes),
            User::Refuses => self.decide(channel, ask, Answer::No),
            User::StaysAway => self.question = Some(Question { channel, ask, due: None }),
            User::ApprovesAfter(time) => {
                self.question = Some(Question { channel, ask, due: Some(self.now + time) });
            }
        }
    }

    fn decide(&mut self, channel: Channel, ask: AskId, answer: Answer) {
        if let Some(step) = self.authenticator.resume(self.now, Decision { ask, answer }) {
            self.follow(channel, step);
        }
    }
}

fn open(
    memory: &Memory,
    root_key: [u8; 32],
    entropy: &Entropy,
    now: Instant,
) -> Authenticator<Memory, Entropy> {
    let root_key = RootKey::new(root_key);
    Authenticator::open(memory.clone(), root_key, entropy.clone(), Config::default(), now)
        .unwrap_or_else(|_| panic!("the key does not open its store"))
}
