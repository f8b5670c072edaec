//! What goes on around a [`Key`]: packets of the clients and for them, questions to the user, and everything that time
//! brings.

use std::time::Duration;

use softkey_authenticator::{Finger, Question as Asked, Sample};
use softkey_ctap::bio_enrollment::SampleStatus;

use super::{
    Answer, AskId, Board, Body, Happening, Inside, Instant, Keepalive, Key, Profile, Question,
    Setup, User, board, wire,
};

/// How long a long touch lasts.
const LONG_TOUCH: Duration = Duration::from_secs(5);

impl Key {
    /// The number of the channel in use.
    pub(super) fn number(&self) -> u32 {
        self.desk.numbers[self.desk.channel.0]
    }

    /// Sends a message on the channel in use.
    pub(super) fn transmit(&mut self, command: u8, message: &[u8]) {
        self.transmit_on(self.number(), command, message);
    }

    /// INIT on broadcast: a channel number.
    pub(super) fn allocate(&mut self) -> u32 {
        let nonce = self.nonce();
        self.transmit_on(wire::BROADCAST, wire::INIT, &nonce);
        let answer = self.desk.arrived.remove(&wire::BROADCAST).expect("INIT is answered");
        assert_eq!((answer.len(), &answer[..8]), (17, &nonce[..]));
        u32::from_be_bytes(answer[8..12].try_into().unwrap())
    }

    pub(super) fn nonce(&mut self) -> [u8; 8] {
        self.draw()[..8].try_into().unwrap()
    }

    /// When something is due next: the user's answer, or a deadline of the key.
    pub(super) fn next_event(&self) -> Option<Instant> {
        let touch = self.question.as_ref().and_then(|question| question.answer).map(|(due, _)| due);
        [touch, self.body.poll_timeout()].into_iter().flatten().min()
    }

    /// Does what is due now.
    pub(super) fn happen(&mut self) {
        let due = |question: &mut Question| question.answer.is_some_and(|(due, _)| due <= self.now);
        if let Some(question) = self.question.take_if(due)
            && let Some((_, answer)) = question.answer
        {
            self.body.decide(self.now, question.ask, answer);
            self.run();
        }
        self.body.handle_timeout(self.now);
        self.run();
    }

    /// The user is asked and acts. A touch answers the question for a long one only if it lasts 5 s; but a board wants it
    /// always, and its user does too where the test is not about that.
    fn ask(&mut self, ask: AskId, asked: &Asked) {
        self.prompts += 1;
        self.question = None;
        let patient =
            matches!(self.body, Body::Board(_)) && self.setup.profile != Profile::LongTouch;
        let long = *asked == Asked::LongPresence && !patient;
        let verify = matches!(asked, Asked::Verify { .. });
        let yes = self.approval(asked);
        let later = |time| Some((self.now + time, yes));
        let at_once = match self.user {
            User::Refuses => Some(Answer::No),
            User::FailsVerification if verify => Some(Answer::NotVerified),
            User::Approves
            | User::FailsVerification
            | User::Holds(_)
            | User::Finger(_)
            | User::Smudges(_)
                if !long =>
            {
                Some(yes)
            }
            _ => None,
        };
        if let Some(answer) = at_once {
            return self.body.decide(self.now, ask, answer);
        }
        let answer = match self.user {
            User::Holds(time) if long => later(LONG_TOUCH).filter(|_| time >= LONG_TOUCH),
            User::ApprovesAfter(time) if !long => later(time),
            _ => None,
        };
        self.question = Some(Question { ask, answer });
    }

    /// What the user's touch means.
    fn approval(&self, asked: &Asked) -> Answer {
        let finger = match self.user {
            User::Finger(finger) => finger,
            _ => 1,
        };
        let sample = match self.user {
            User::Smudges(status) => Sample::Bad(SampleStatus(status)),
            _ => Sample::Good(Finger(finger)),
        };
        match (asked, self.setup.sensor) {
            (Asked::Presence | Asked::LongPresence, _) => Answer::Yes,
            (Asked::Verify { .. }, Some(sensor)) => {
                Answer::Verified { shows_presence: sensor.shows_presence }
            }
            _ => Answer::Sample(sample),
        }
    }

    fn transmit_on(&mut self, channel: u32, command: u8, message: &[u8]) {
        for packet in wire::packets(channel, command, message) {
            self.body.receive(self.now, &packet);
            self.run();
        }
    }

    /// Carries everything between key, user and clients until all is quiet.
    fn run(&mut self) {
        while let Some(happening) = self.body.poll(self.now) {
            match happening {
                Happening::Report(report) => self.deliver(&report),
                Happening::Asks(ask, asked) => self.ask(ask, &asked),
                Happening::AsksNoMore => self.question = None,
            }
        }
    }

    /// A packet reaches the clients.
    fn deliver(&mut self, report: &wire::Report) {
        let Some(heard) = self.desk.assembly.take(report) else { return };
        match heard.command {
            wire::KEEPALIVE => {
                assert_eq!(heard.bytes.len(), 1, "a keepalive is one byte");
                self.desk.keepalives.push(Keepalive { at: self.now, status: heard.bytes[0] });
            }
            wire::ERROR => {
                assert_eq!(heard.bytes.len(), 1, "an error is one byte");
                self.desk.errors.insert(heard.channel, heard.bytes[0]);
                self.desk.waiting.remove(&heard.channel);
            }
            wire::CBOR | wire::MSG | wire::INIT => {
                if heard.command == wire::CBOR {
                    let asked = self.desk.waiting.remove(&heard.channel);
                    assert!(asked.is_some(), "an answer that nobody waits for");
                }
                self.desk.arrived.insert(heard.channel, heard.bytes);
            }
            other => panic!("the key sends command {other:#04x}"),
        }
    }
}

impl Body {
    pub(super) fn new(setup: &Setup, now: Instant) -> Self {
        match board::firmware() {
            Some(firmware) => Self::Board(Box::new(Board::new(firmware, setup, now))),
            None => Self::Inside(Box::new(Inside::new(setup, now))),
        }
    }

    pub(super) fn power_up(&mut self, setup: &Setup, now: Instant) {
        match self {
            Self::Inside(inside) => inside.power_up(setup, now),
            Self::Board(board) => board.power_up(setup, now),
        }
    }

    pub(super) fn rest(&mut self) {
        match self {
            Self::Inside(inside) => inside.rest(),
            // It does so by itself.
            Self::Board(_) => {}
        }
    }

    fn receive(&mut self, now: Instant, packet: &wire::Report) {
        match self {
            Self::Inside(inside) => inside.receive(now, packet),
            Self::Board(board) => board.receive(now, packet),
        }
    }

    fn poll(&mut self, now: Instant) -> Option<Happening> {
        match self {
            Self::Inside(inside) => inside.poll(now),
            Self::Board(board) => board.poll(now),
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Self::Inside(inside) => inside.poll_timeout(),
            Self::Board(board) => board.poll_timeout(),
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        match self {
            Self::Inside(inside) => inside.handle_timeout(now),
            Self::Board(board) => board.handle_timeout(),
        }
    }

    fn decide(&mut self, now: Instant, ask: AskId, answer: Answer) {
        match self {
            Self::Inside(inside) => inside.decide(now, ask, answer),
            Self::Board(board) => board.decide(now, ask, answer),
        }
    }
}
