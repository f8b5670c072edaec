//! The authenticator, its user, the clock and the power; how a request is sent and what holds for every answer.

use std::time::Duration;

use softkey_authenticator::{
    Answer, Authenticator, Config, Decision, RootKey, Session, Step, TOUCH_TIMEOUT, Transport, Via,
};
use softkey_ctap::Instant;
use softkey_tests::cbor::{Value, walk};
use softkey_tests::key::{Cut, Entropy, Memory};
use softkey_tests::pin::{Protocol, Shared, Token};
use softkey_tests::request::{Request, cp};
use softkey_tests::status::{
    KEEPALIVE_CANCEL, OPERATION_DENIED, OTHER, SUCCESS, USER_ACTION_TIMEOUT,
};

use super::model::{Granted, Model};
use crate::{Subject, Tape};

/// What the user does when asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum User {
    Approves,
    ApprovesAfter(Duration),
    Refuses,
    StaysAway,
    /// Not the user but the client gives up.
    Cancels,
}

/// Everything.
pub(super) struct Desk {
    authenticator: Option<Authenticator<Memory, Entropy>>,
    memory: Memory,
    entropy: Entropy,
    subject: Subject,
    pub(super) now: Instant,
    user: User,
    draws: u64,
    pub(super) model: Model,
    /// A token that was in force once.
    former: Option<Token>,
}

/// What became of a request that had to succeed, or to be refused.
pub(super) enum Outcome {
    /// It succeeded with this body.
    Done(Value),
    /// It was refused, as foretold.
    Refused,
    /// The power went; was the write made?
    Lost(bool),
}

/// What shall authorize a request.
pub(super) enum By {
    Nothing,
    Token(Token),
}

impl Desk {
    pub(super) fn new(subject: Subject) -> Self {
        let now = Instant::from_millis(1_000);
        let mut desk = Self {
            authenticator: None,
            memory: Memory::default(),
            entropy: Entropy::from_seed(3),
            subject,
            now,
            user: User::Approves,
            draws: 0,
            model: Model::factory(now),
            former: None,
        };
        desk.power_up();
        desk
    }

    fn power_up(&mut self) {
        let (memory, entropy) = (self.memory.clone(), self.entropy.clone());
        let root = RootKey::new([9; 32]);
        let opened = Authenticator::open(memory, root, entropy, Config::default(), self.now);
        self.authenticator = Some(opened.unwrap_or_else(|_| panic!("the store does not open")));
    }

    /// Out and in again.
    pub(super) fn power_cycle(&mut self) {
        self.now += Duration::from_secs(1);
        self.memory.power_up();
        self.entropy.reseed();
        self.power_up();
        self.model.power_cycle(self.now);
    }

    /// Time passes; what a reset left behind is swept.
    pub(super) fn pass(&mut self, tape: &mut Tape<'_>) {
        let seconds = tape.pick(&[0, 1, 9, 10, 11, 29, 30, 31, 60, 570, 599, 600, 601]);
        let millis = tape.pick(&[0, 0, 1, 999]);
        self.now += Duration::from_secs(seconds) + Duration::from_millis(millis);
        while !self.key().sweep() {}
    }

    pub(super) fn user(&mut self, tape: &mut Tape<'_>) {
        let later = User::ApprovesAfter(Duration::from_secs(u64::from(tape.byte() % 30)));
        let all =
            [User::Approves, User::Approves, User::Refuses, User::StaysAway, User::Cancels, later];
        self.user = tape.pick(&all);
    }

    pub(super) fn key(&mut self) -> &mut Authenticator<Memory, Entropy> {
        self.authenticator.as_mut().unwrap()
    }

    /// The status that comes of asking the user, success if the user approves.
    pub(super) fn asked(&self) -> u8 {
        match self.user {
            User::Approves | User::ApprovesAfter(_) => SUCCESS,
            User::Refuses => OPERATION_DENIED,
            User::StaysAway => USER_ACTION_TIMEOUT,
            User::Cancels => KEEPALIVE_CANCEL,
        }
    }

    /// The status of an excluded credential: whatever the user does short of cancelling, it is the same.
    pub(super) fn asked_in_vain(&self, refusal: u8) -> u8 {
        if self.user == User::Cancels { KEEPALIVE_CANCEL } else { refusal }
    }

    /// Sends a request and carries it to its answer; true beside it if the user was asked.
    fn send(&mut self, session: u64, request: &[u8]) -> (Vec<u8>, bool) {
        let via = Via { transport: Transport::Usb, session: Session(session) };
        let (now, user) = (self.now, self.user);
        let mut step = self.key().begin(now, via, request);
        let mut was_asked = false;
        loop {
            let ask = match step {
                Step::Reply(answer) => return (answer, was_asked),
                Step::Asking(ask) => ask,
            };
            assert!(!was_asked, "one touch for one request");
            was_asked = true;
            assert_eq!(ask.deadline, self.now + TOUCH_TIMEOUT);
            let yes = Decision { ask: ask.id, answer: Answer::Yes };
            let next = match user {
                User::Approves => self.key().resume(now, yes),
                User::ApprovesAfter(time) => {
                    self.now += time;
                    let now = self.now;
                    self.key().resume(now, yes)
                }
                User::Refuses => {
                    self.key().resume(now, Decision { ask: ask.id, answer: Answer::No })
                }
                User::StaysAway => {
                    self.now = ask.deadline;
                    self.key().handle_timeout(ask.deadline)
                }
                User::Cancels => self.key().cancel(via),
            };
            step = next.expect("what the user does leads on");
        }
    }

    /// Sends a request whose status is foretold. A refusal must leave the store as it was, unless the request
    /// tries a PIN (`tries`); then only the record of the tries may change.
    pub(super) fn foretold(&mut self, request: &Request, status: u8, tries: bool) -> Outcome {
        let before = self.memory.dump();
        let (answer, _) = self.send(1, &request.bytes());
        if self.memory.is_dead() {
            return self.died(&answer, status, &before);
        }
        let (found, body) = answer.split_first().expect("a status");
        assert_eq!(*found, status, "the status of {request:?}; the model foretold {status:#04x}");
        if status == SUCCESS {
            let body = match body {
                [] => Value::Map(Vec::new()),
                body => walk(body).unwrap_or_else(|flaw| panic!("{flaw:?} in an answer")),
            };
            return Outcome::Done(body);
        }
        assert!(body.is_empty(), "a body beside status {status:#04x}");
        let kept = |records: Vec<(Vec<u8>, Vec<u8>)>| {
            records.into_iter().filter(|(name, _)| !(tries && name == b"st")).collect::<Vec<_>>()
        };
        assert!(kept(before) == kept(self.memory.dump()), "status {status:#04x} changed the store");
        Outcome::Refused
    }

    /// The power went at the request's write. Nobody was told of a success.
    fn died(&mut self, answer: &[u8], status: u8, before: &[(Vec<u8>, Vec<u8>)]) -> Outcome {
        assert_eq!(status, SUCCESS, "a refused request writes");
        assert_eq!(answer, [OTHER], "what could not be written is no success");
        let written = self.memory.dump() != before;
        self.power_cycle();
        Outcome::Lost(written)
    }

    /// Perhaps the power goes at the next write.
    pub(super) fn perhaps_cut(&mut self, tape: &mut Tape<'_>) {
        match tape.byte() {
            0xFE => self.memory.cut_power(Cut::Before(0)),
            0xFF => self.memory.cut_power(Cut::After(0)),
            _ => {}
        }
    }

    /// No cut is planned any more; what died was brought back already.
    pub(super) fn no_cut(&mut self) {
        self.memory.power_up();
    }

    /// A question that disturbs nobody, on a channel of its own.
    pub(super) fn aside(&mut self, request: &Request) -> Value {
        let (answer, asked) = self.send(2, &request.bytes());
        assert!(!asked, "a question without a touch");
        assert_eq!(answer.first(), Some(&SUCCESS), "the answer to {request:?}");
        walk(&answer[1..]).expect("a canonical answer")
    }

    /// The status of a request on a channel of its own.
    pub(super) fn status_aside(&mut self, request: &Request) -> (u8, Vec<u8>) {
        let (answer, _) = self.send(2, &request.bytes());
        (answer[0], answer[1..].to_vec())
    }

    /// The PIN's tries are those that the model counts.
    pub(super) fn counts_tries(&mut self) {
        let answer = self.aside(&Request::client_pin(cp::GET_PIN_RETRIES));
        let planted = u64::from(self.subject == Subject::Planted && self.model.retries < 8);
        let Model { retries, misses, .. } = self.model;
        assert_eq!(answer.get(3).uint() + planted, retries, "tries left");
        assert_eq!(answer.get(4).bool(), misses >= 3 && retries > 0, "powerCycleState");
    }

    /// A fresh shared secret, agreed upon aside.
    pub(super) fn agree(&mut self, protocol: Protocol) -> Shared {
        let request =
            Request::client_pin(cp::GET_KEY_AGREEMENT).with(cp::PROTOCOL, protocol.number());
        let theirs = self.aside(&request).get(1).clone();
        self.draws += 1;
        let private = softkey_tests::parts::sha256(&self.draws.to_be_bytes());
        Shared::agree(protocol, &theirs, &private)
    }

    /// Takes over a token that was just given.
    pub(super) fn granted(&mut self, granted: Granted) {
        self.former = self.model.token.take().map(|granted| granted.token).or(self.former.take());
        self.model.token = Some(granted);
        self.model.walk = None;
    }

    /// What authorizes the next request: nothing, the token, that of the other protocol, a former one, the
    /// persistent one.
    pub(super) fn by(&self, tape: &mut Tape<'_>) -> By {
        let token = self.model.token.as_ref().map(|granted| &granted.token);
        let token = match tape.below(8) {
            0 | 1 => None,
            2 => token.map(Token::under_other_protocol),
            3 => self.former.clone(),
            4 => self.model.persistent.clone(),
            _ => token.cloned(),
        };
        token.map_or(By::Nothing, By::Token)
    }

    /// Does this token authorize for one of these permissions? Being right, it counts as used.
    pub(super) fn serves(&mut self, token: &Token, permissions: i64) -> bool {
        self.expire();
        let Some(granted) = &mut self.model.token else { return false };
        if granted.token != *token {
            return false;
        }
        granted.used = true;
        granted.permissions & permissions != 0
    }

    /// Forgets a token that has lived long enough; any request is the occasion.
    pub(super) fn expire(&mut self) {
        let now = self.now;
        if let Some(dead) = self.model.token.take_if(|granted| !granted.is_alive(now)) {
            self.former = Some(dead.token);
        }
    }
}
