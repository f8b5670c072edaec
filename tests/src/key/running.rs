//! What goes on inside a [`Key`]: packets to the device, its jobs to the authenticator, questions to the user,
//! and everything that time brings.

use std::time::Duration;

use softkey::faults::Board;
use softkey_authenticator::{Finger, Question as Asked, Sample, Step};
use softkey_ctap::bio_enrollment::SampleStatus;
use softkey_ctap_hid::Reports;

use super::{
    Answer, AskId, Authenticator, Decision, Edge, Entropy, Event, Instant, Job, JobKind, Keepalive,
    Key, Memory, Question, Session, Status, Transport, User, Via, wire,
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

    /// When something is due next: the user's answer, or a deadline of the device or the authenticator.
    pub(super) fn next_event(&self) -> Option<Instant> {
        let touch = self.question.as_ref().and_then(|question| question.answer).map(|(due, _)| due);
        let hid = [self.device.poll_timeout(), self.wire.poll_timeout()];
        let deadlines = [touch, hid[0], hid[1], self.authenticator.poll_timeout()];
        deadlines.into_iter().flatten().min()
    }

    /// Does what is due now.
    pub(super) fn happen(&mut self) {
        let due = |question: &mut Question| question.answer.is_some_and(|(due, _)| due <= self.now);
        if let Some(question) = self.question.take_if(due)
            && let Some((_, answer)) = question.answer
        {
            self.decide(question.ask, answer);
        }
        let now = self.now;
        if self.authenticator.poll_timeout().is_some_and(|due| due <= now)
            && let Some(step) = self.core(Edge::GoesOn, |core| core.handle_timeout(now))
        {
            self.follow(step);
        }
        self.device.handle_timeout(self.now);
        self.wire.handle_timeout(self.now);
        self.run();
    }

    /// The user is asked and acts. A touch answers the question for a long one only if it lasts 5 s.
    pub(super) fn ask(&mut self, ask: AskId, asked: &Asked) {
        self.prompts += 1;
        self.last_asked = Some(ask);
        let (verify, long) = (matches!(asked, Asked::Verify { .. }), *asked == Asked::LongPresence);
        let yes = self.approval(asked);
        let later = |time| Some((self.now + time, yes));
        let answer = match self.user {
            User::Refuses => return self.decide(ask, Answer::No),
            User::FailsVerification if verify => return self.decide(ask, Answer::NotVerified),
            User::Holds(time) if long => later(LONG_TOUCH).filter(|_| time >= LONG_TOUCH),
            User::Approves
            | User::FailsVerification
            | User::Holds(_)
            | User::Finger(_)
            | User::Smudges(_)
                if !long =>
            {
                return self.decide(ask, yes);
            }
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
            self.device.receive(self.now, &packet);
            self.run();
        }
    }

    /// Carries everything between device, authenticator and clients until all is quiet.
    fn run(&mut self) {
        loop {
            if let Some(event) = self.device.poll_event() {
                self.hear(event);
            } else if let Some(job) = self.device.poll_job() {
                self.work(job);
            } else if let Some(outgoing) = self.wire.around(&mut self.device).poll_report() {
                self.deliver(&outgoing.report);
            } else {
                break;
            }
        }
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Cancelled(_, channel) => {
                let via = via(channel.as_u32());
                if let Some(step) = self.core(Edge::GoesOn, |core| core.cancel(via)) {
                    self.follow(step);
                }
            }
            Event::Aborted(..) => {
                self.job = None;
                self.question = None;
            }
            Event::SessionEnded(channel) => {
                let session = via(channel.as_u32()).session;
                self.core(Edge::GoesOn, |core| core.session_ended(session));
            }
            Event::Wink => {}
        }
    }

    fn work(&mut self, job: Job) {
        let (now, via) = (self.now, via(job.channel.as_u32()));
        let signed = self.board.begin(job.kind, &job.bytes);
        self.authenticator.set_faults(&signed);
        match job.kind {
            JobKind::Cbor => {
                let step = match self.board.canned() {
                    Some(status) => Step::Reply(vec![status]),
                    None => self.core(Edge::Begins, |core| core.begin(now, via, &job.bytes)),
                };
                self.job = Some(job);
                self.follow(step);
            }
            JobKind::Msg => {
                let answer = self.core(Edge::Begins, |core| core.begin_u2f(now, via, &job.bytes));
                self.reply(&job, answer);
            }
        }
    }

    fn follow(&mut self, step: Step) {
        match step {
            Step::Reply(answer) => {
                self.question = None;
                let job = self.job.take().expect("an answer belongs to a request");
                self.reply(&job, answer);
            }
            Step::Asking(ask) => {
                self.device.status(self.now, Status::UserNeeded);
                self.ask(ask.id, &ask.question);
            }
        }
    }

    fn reply(&mut self, job: &Job, mut answer: Vec<u8>) {
        if let Some(fault) = &mut self.fault {
            fault(&job.bytes, &mut answer);
        }
        self.board.finish(&mut answer, &self.authenticator.take_done());
        self.wire.handle_timeout(self.now);
        self.wire.arm(self.board.armed_packets());
        self.device.answer(self.now, job.id, &answer);
    }

    fn decide(&mut self, ask: AskId, answer: Answer) {
        let (now, decision) = (self.now, Decision { ask, answer });
        if let Some(step) = self.core(Edge::GoesOn, |core| core.resume(now, decision)) {
            self.follow(step);
        }
        self.run();
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

/// The fault that `cargo xtask conformance --sabotage` wants every key to have, if it does.
pub(super) fn board() -> Board {
    let mut board = Board::default();
    if let Ok(fault) = std::env::var("SOFTKEY_FAULT") {
        board.switch_on(fault.parse().unwrap_or_else(|error| panic!("{fault}: {error}")));
    }
    board
}

fn via(channel: u32) -> Via {
    Via { transport: Transport::Usb, session: Session(channel.into()) }
}
