//! A recorded key, a client that speaks bytes to it, and its user.

use std::path::Path;
use std::time::Duration;

use clap::Parser;
use softkey::args::{Args, Command};
use softkey::error::Exit;
use softkey::output::{Form, Output};
use softkey::profile::Profile;
use softkey::replay::{self, ReplayArgs};
use softkey::run::memory;
use softkey::run::worker::{Engine, PowerUp};
use softkey_authenticator::{Answer, Decision, Question, Transport, Via};
use softkey_authenticator::{Session as Channel, Step};
use softkey_ctap::Instant;
use softkey_tests::cbor::{Value, walk_answer};
use softkey_tests::pin::{Protocol, Shared};
use softkey_tests::request::{Request, cp};
use softkey_tests::status::SUCCESS;

const VIA: Via = Via { transport: Transport::Usb, session: Channel(7) };

/// What was said, in order: is it U2F, the request, the answer if it has come.
pub(crate) type Said = (bool, Vec<u8>, Option<Vec<u8>>);

/// A recorded session.
pub(crate) struct Session {
    power_up: PowerUp,
    engine: Option<Box<dyn Engine>>,
    now: Instant,
    pub(crate) said: Vec<Said>,
    /// The client draws its own randomness from here.
    draws: u8,
}

impl Session {
    /// A key that was just plugged in at this reading of the clock.
    pub(crate) fn start(file: &Path, more: &str, at: u64) -> Self {
        let mut words = vec!["softkey", "run", "--ephemeral", "--record", file.to_str().unwrap()];
        words.extend(more.split_whitespace());
        let Command::Run(args) = Args::try_parse_from(words).unwrap().command else {
            panic!("other arguments")
        };
        let memory = memory::open(&args, &Profile::default(), false).unwrap();
        let (power_up, now) = (memory.power_up, Instant::from_millis(at));
        let mut session = Self { power_up, engine: None, now, said: Vec::new(), draws: 0 };
        session.power_cycle();
        session
    }

    /// Takes the power away and gives it back.
    pub(crate) fn power_cycle(&mut self) {
        self.engine = None;
        self.engine = Some((self.power_up)(self.now).unwrap());
    }

    fn engine(&mut self) -> &mut dyn Engine {
        self.engine.as_mut().unwrap().as_mut()
    }

    /// Lets time pass, with everything that is due meanwhile; the answer that came of it.
    pub(crate) fn advance(&mut self, time: Duration) -> Option<Vec<u8>> {
        let until = self.now + time;
        let mut answer = None;
        while let Some(due) = self.engine().poll_timeout()
            && due <= until
        {
            if let Some(Step::Reply(bytes)) = self.engine().handle_timeout(due) {
                self.said.last_mut().unwrap().2 = Some(bytes.clone());
                answer = Some(bytes);
            }
        }
        self.now = until;
        answer
    }

    /// Sends a request to which nobody answers the questions.
    pub(crate) fn begin(&mut self, request: &[u8]) -> Step {
        let now = self.now;
        let step = self.engine().begin(now, VIA, request);
        let answer = if let Step::Reply(answer) = &step { Some(answer.clone()) } else { None };
        self.said.push((false, request.to_vec(), answer));
        step
    }

    /// Sends a request, with a user who touches the key.
    pub(crate) fn send(&mut self, request: &[u8]) -> Vec<u8> {
        let mut step = self.begin(request);
        loop {
            let ask = match step {
                Step::Reply(answer) => {
                    self.said.last_mut().unwrap().2 = Some(answer.clone());
                    return answer;
                }
                Step::Asking(ask) => ask,
            };
            assert_eq!(ask.question, Question::Presence);
            let (now, decision) = (self.now, Decision { ask: ask.id, answer: Answer::Yes });
            step = self.engine().resume(now, decision).unwrap();
        }
    }

    /// A request that must succeed, and its answer's map.
    #[track_caller]
    pub(crate) fn ok(&mut self, request: &Request) -> Value {
        let answer = self.send(&request.bytes());
        assert_eq!(answer[0], SUCCESS, "{request:?}");
        if answer.len() == 1 { Value::Map(Vec::new()) } else { walk_answer(&answer[1..]).unwrap() }
    }

    /// A U2F message that is sent again after the touch.
    pub(crate) fn u2f(&mut self, apdu: &[u8]) -> Vec<u8> {
        loop {
            let now = self.now;
            let answer = self.engine().begin_u2f(now, VIA, apdu);
            self.said.push((true, apdu.to_vec(), Some(answer.clone())));
            let Some(ask) = self.engine().asking().map(|ask| ask.id) else { return answer };
            self.engine().resume(now, Decision { ask, answer: Answer::Yes });
        }
    }

    /// Agrees on a secret with the key.
    pub(crate) fn agree(&mut self) -> Shared {
        let protocol = Protocol::Two;
        let request =
            Request::client_pin(cp::GET_KEY_AGREEMENT).with(cp::PROTOCOL, protocol.number());
        let theirs = self.ok(&request).get(1).clone();
        self.draws += 1;
        Shared::agree(protocol, &theirs, &[self.draws; 32])
    }
}

/// What `softkey replay` says of this file.
pub(crate) fn replayed(file: &Path) -> (Exit, String) {
    let mut told = Vec::new();
    let args = ReplayArgs { file: file.to_owned(), json: false };
    let exit = {
        let mut output = Output::new(&mut told, std::io::sink(), Form::Plain);
        replay::run(&args, &mut output).unwrap()
    };
    (exit, String::from_utf8(told).unwrap())
}

/// It is the same again.
#[track_caller]
pub(crate) fn is_same_again(file: &Path) {
    let (exit, told) = replayed(file);
    assert_eq!(exit, Exit::Success, "{told}");
    assert!(told.starts_with("the same: "), "{told}");
}
