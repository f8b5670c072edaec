//! A key, the wire to it, and the person between key and client.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::ops::ControlFlow;
use std::time::Duration;

use serde_json::{Value, json};
use softkey::faults::Board;
use softkey_authenticator::{
    Answer, Authenticator, Config, Decision, Finger, MemoryStore, Question, RootKey, Sample,
    Session, Step, Transport, Via,
};
use softkey_client::driver::{DriveError, User, Waits, drive, reach};
use softkey_client::verify::{Authenticated, CredentialRecord, Expected, Registered};
use softkey_client::{
    Account, AuthenticationResponse, Cause, Ceremony, CreationOptions, Entropy, Origin, PinNeed,
    Progress, Reach, RegistrationResponse, RequestOptions, verify,
};
use softkey_ctap::{Instant, Secret};
use softkey_ctap_hid::{
    Application, ChannelId, Connection, Device, DeviceConfig, Event, Job, JobId, JobKind, Loopback,
    Status, Transport as _,
};
use zeroize::Zeroizing;

pub(crate) const ORIGIN: &str = "https://example.org";
pub(crate) const RP_ID: &str = "example.org";
const CHALLENGE: &[u8] = b"a challenge of 24 bytes.";

/// What the person does when the key asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hand {
    /// Touches it.
    Touches,
    /// Refuses.
    Refuses,
    /// Does nothing.
    StaysAway,
    /// Touches it as soon as the clock stands so.
    TouchesAt(Instant),
}

/// The key behind the wire.
pub(crate) struct Core {
    authenticator: Option<Authenticator<MemoryStore, Entropy>>,
    config: Config,
    number: u8,
    work: Option<JobId>,
    power_ups: u8,
    /// What getInfo says instead of the key's own answer.
    pub(crate) info: Option<Vec<u8>>,
    /// What it does wrong.
    pub(crate) board: Board,
    /// The faults that changed an answer.
    pub(crate) changed: Vec<String>,
    pub(crate) hand: Hand,
    /// Does the sensor recognise the finger?
    pub(crate) finger: bool,
    /// Which finger touches a fingerprint sensor on which fingers are enrolled, or how it does so badly.
    pub(crate) samples: VecDeque<Sample>,
    /// How often the key asked for a touch.
    pub(crate) touches: usize,
    /// When the last request came, and when one was last cancelled.
    pub(crate) asked_at: Option<Instant>,
    pub(crate) cancelled_at: Option<Instant>,
    /// Did the last question say that the registration shows which key this is?
    pub(crate) recognisable: bool,
    /// How often it asked for a finger.
    pub(crate) fingers: usize,
}

impl Core {
    /// A factory-fresh key, and a person who touches it.
    pub(crate) fn new(config: Config) -> Self {
        Self::numbered(config, 0)
    }

    /// The same; keys of different numbers have different secrets.
    pub(crate) fn numbered(config: Config, number: u8) -> Self {
        let mut core = Self {
            authenticator: None,
            config,
            number,
            work: None,
            power_ups: 0,
            info: None,
            board: Board::default(),
            changed: Vec::new(),
            hand: Hand::Touches,
            finger: true,
            samples: VecDeque::new(),
            touches: 0,
            asked_at: None,
            cancelled_at: None,
            recognisable: false,
            fingers: 0,
        };
        core.power_up(MemoryStore::default(), Instant::from_millis(0));
        core
    }

    /// Does it wait for the person?
    pub(crate) fn is_asking(&mut self) -> bool {
        self.key().asking().is_some()
    }

    fn power_up(&mut self, store: MemoryStore, now: Instant) {
        self.power_ups += 1;
        let mut seed = [self.power_ups; 32];
        seed[0] ^= self.number;
        let rng = Entropy::from_seed(&Secret::new(seed));
        let root = RootKey::new([1 + self.number; 32]);
        let key = Authenticator::open(store, root, rng, self.config.clone(), now);
        self.authenticator = Some(key.unwrap());
    }

    fn key(&mut self) -> &mut Authenticator<MemoryStore, Entropy> {
        self.authenticator.as_mut().unwrap()
    }

    fn job(&mut self, now: Instant, job: &Job, device: &mut Device) {
        self.asked_at = Some(now);
        let via = via(job.channel);
        if let (Some(info), [0x04]) = (&self.info, job.bytes.as_slice()) {
            return device.answer(now, job.id, info);
        }
        let signed = self.board.begin(job.kind, &job.bytes);
        self.key().set_faults(&signed);
        if job.kind == JobKind::Cbor {
            let step = match self.board.canned() {
                Some(status) => Step::Reply(vec![status]),
                None => self.key().begin(now, via, &job.bytes),
            };
            self.work = Some(job.id);
            return self.carry(now, step, device);
        }
        let mut answer = self.key().begin_u2f(now, via, &job.bytes);
        self.misbehave(&mut answer);
        device.answer(now, job.id, &answer);
        let Some(ask) = self.key().asking().map(|ask| ask.id) else {
            return;
        };
        if let Some(answer) = self.answer(now, &Question::Presence) {
            assert!(self.key().resume(now, Decision { ask, answer }).is_none());
        }
    }

    fn misbehave(&mut self, answer: &mut Vec<u8>) {
        let done = self.key().take_done();
        self.changed.extend(self.board.finish(answer, &done));
    }

    fn carry(&mut self, now: Instant, mut step: Step, device: &mut Device) {
        loop {
            match step {
                Step::Reply(mut bytes) => {
                    self.misbehave(&mut bytes);
                    let job = self.work.take().unwrap();
                    return device.answer(now, job, &bytes);
                }
                Step::Asking(ask) => {
                    device.status(now, Status::UserNeeded);
                    self.recognisable = ask.recognisable;
                    let Some(answer) = self.answer(now, &ask.question) else {
                        return;
                    };
                    step = self.key().resume(now, Decision { ask: ask.id, answer }).unwrap();
                }
            }
        }
    }

    /// Answers the open question of a CTAP2 request, if it is time.
    fn touch_late(&mut self, now: Instant, device: &mut Device) {
        let ask = self.key().asking().map(|ask| (ask.id, ask.question.clone()));
        if let (Hand::TouchesAt(at), Some((ask, question)), Some(_)) = (self.hand, ask, self.work)
            && at <= now
            && let Some(answer) = self.answer(now, &question)
            && let Some(step) = self.key().resume(now, Decision { ask, answer })
        {
            self.carry(now, step, device);
        }
    }

    fn answer(&mut self, now: Instant, question: &Question) -> Option<Answer> {
        let enrolled =
            self.config.user_verification.is_some_and(|method| method.enrollment.is_some());
        let verify = matches!(question, Question::Verify { .. });
        if matches!(question, Question::CaptureSample { .. }) || (enrolled && verify) {
            self.fingers += 1;
            return Some(match (self.hand, self.samples.pop_front()) {
                (Hand::StaysAway, _) => return None,
                (Hand::Refuses, _) => Answer::No,
                (_, sample) => Answer::Sample(sample.unwrap_or(Sample::Good(Finger(1)))),
            });
        }
        if verify {
            self.fingers += 1;
            let found = Answer::Verified { shows_presence: false };
            return Some(if self.finger { found } else { Answer::NotVerified });
        }
        self.touches += 1;
        match self.hand {
            Hand::Touches => Some(Answer::Yes),
            Hand::Refuses => Some(Answer::No),
            Hand::StaysAway => None,
            Hand::TouchesAt(at) => (at <= now).then_some(Answer::Yes),
        }
    }
}

fn session(channel: ChannelId) -> Session {
    Session(channel.as_u32().into())
}

fn via(channel: ChannelId) -> Via {
    Via { transport: Transport::Usb, session: session(channel) }
}

impl Application for Core {
    fn attend(&mut self, now: Instant, device: &mut Device) {
        while let Some(event) = device.poll_event() {
            match event {
                Event::Cancelled(_, channel) => {
                    self.cancelled_at = Some(now);
                    if let Some(step) = self.key().cancel(via(channel)) {
                        self.carry(now, step, device);
                    }
                }
                Event::Aborted(_, channel) => {
                    self.work = None;
                    self.key().session_ended(session(channel));
                }
                Event::SessionEnded(channel) => self.key().session_ended(session(channel)),
                Event::Wink => {}
            }
        }
        while let Some(job) = device.poll_job() {
            self.job(now, &job, device);
        }
        self.touch_late(now, device);
        if let Some(step) = self.key().handle_timeout(now) {
            self.carry(now, step, device);
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let key = self.authenticator.as_ref()?;
        let touch = match self.hand {
            Hand::TouchesAt(at) if self.work.is_some() && key.asking().is_some() => Some(at),
            _ => None,
        };
        [key.poll_timeout(), touch].into_iter().flatten().min()
    }
}

/// The person at the client.
#[derive(Default)]
pub(crate) struct Person {
    /// What they will type, in order.
    pub(crate) pins: VecDeque<&'static str>,
    /// What they were asked.
    pub(crate) asked: Vec<PinNeed>,
    /// The account they will choose.
    pub(crate) choice: Option<usize>,
    /// The accounts they saw.
    pub(crate) seen: Vec<Account>,
    /// How far they saw things go.
    pub(crate) progress: Vec<Progress>,
    /// After how many waits they give up.
    pub(crate) patience: Option<usize>,
    /// Waits for a touch so far.
    pub(crate) waits: usize,
}

impl User for Person {
    fn waits(&mut self, on: Waits) -> ControlFlow<()> {
        self.waits += usize::from(on == Waits::Touch);
        match self.patience {
            Some(patience) if self.waits > patience => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }

    fn pin(&mut self, need: PinNeed) -> Option<Zeroizing<String>> {
        self.asked.push(need);
        self.pins.pop_front().map(|pin| Zeroizing::new(pin.to_owned()))
    }

    fn account(&mut self, accounts: &[Account]) -> Option<usize> {
        self.seen = accounts.to_vec();
        self.choice
    }

    fn sees(&mut self, progress: Progress) {
        self.progress.push(progress);
    }
}

/// Everything: the client's connection, with the key behind it, and the person.
pub(crate) struct World {
    connection: Connection<Loopback<Core>>,
    pub(crate) person: Person,
    /// The protocols the client may use.
    pub(crate) reach: Reach,
    ceremonies: u8,
}

impl World {
    /// A factory-fresh key of the default configuration, and a person who touches it.
    pub(crate) fn new() -> Self {
        Self::with(Config::default())
    }

    pub(crate) fn with(config: Config) -> Self {
        let (ctap2, u2f) = (config.generation.speaks_ctap2(), config.u2f);
        let device = Device::new(DeviceConfig { ctap2, u2f, ..DeviceConfig::default() }, 7);
        let loopback = Loopback::new(device, Core::new(config), Instant::from_millis(0));
        let connection = Connection::open(loopback).unwrap();
        let reach = reach(&connection);
        Self { connection, person: Person::default(), reach, ceremonies: 0 }
    }

    /// A key with the PIN `1234`.
    pub(crate) fn with_pin() -> Self {
        let mut world = Self::new();
        world.protect();
        world
    }

    /// Sets the PIN `1234`.
    pub(crate) fn protect(&mut self) {
        let (reach, entropy) = (self.reach, self.entropy());
        let set = softkey_client::pin::set(softkey_client::pin::Pin::new("1234"), reach, entropy);
        self.run(set).unwrap();
    }

    /// Sends a CTAP2 message as it is.
    pub(crate) fn send(&mut self, message: &[u8]) -> Vec<u8> {
        self.connection.cbor(message, &mut |_| ControlFlow::Continue(())).unwrap()
    }

    /// Registers by CTAP1 for this `AppID`; gives the key handle in base64url.
    pub(crate) fn register_u2f(&mut self, app_id: &str) -> String {
        let application = softkey_client::client_data::hash(app_id.as_bytes());
        let apdu = [&[0, 1, 0, 0, 0, 0, 64][..], &[7; 32], &application, &[0, 0]].concat();
        loop {
            let answer = self.connection.msg(&apdu).unwrap();
            if let [.., 0x90, 0x00] = answer.as_slice() {
                let length = usize::from(answer[66]);
                return softkey_client::base64url::encode(&answer[67..67 + length]);
            }
        }
    }

    pub(crate) fn core(&mut self) -> &mut Core {
        self.connection.transport_mut().application_mut()
    }

    pub(crate) fn now(&mut self) -> Instant {
        self.connection.transport_mut().now()
    }

    pub(crate) fn advance(&mut self, time: Duration) {
        self.connection.transport_mut().advance(time);
    }

    /// The key is pulled out and put back.
    pub(crate) fn power_cycle(&mut self) {
        let now = self.now();
        self.connection.transport_mut().disconnect();
        let core = self.core();
        let store = core.authenticator.take().unwrap().into_store();
        core.power_up(store, now);
        self.connection.reopen().unwrap();
    }

    pub(crate) fn entropy(&mut self) -> Entropy {
        self.ceremonies += 1;
        Entropy::from_seed(&Secret::new([self.ceremonies; 32]))
    }

    pub(crate) fn run<T>(&mut self, ceremony: Ceremony<T>) -> Result<T, Cause> {
        drive(ceremony, &mut self.connection, &mut self.person).map_err(
            |error: DriveError<Infallible>| match error {
                DriveError::Cause(cause) => cause,
                DriveError::Connection(error) => panic!("the wire broke: {error:?}"),
            },
        )
    }

    /// create, with these members instead of or beside the usual ones.
    pub(crate) fn create(&mut self, extra: &Value) -> Result<RegistrationResponse, Cause> {
        let mut options = json!({
            "rp": {"id": RP_ID, "name": "Example"},
            "user": {"id": "AQID", "name": "ada", "displayName": "Ada"},
            "challenge": softkey_client::base64url::encode(CHALLENGE),
            "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
            "authenticatorSelection": {"userVerification": "discouraged"},
            "attestation": "direct",
        });
        merge(&mut options, extra);
        let options = CreationOptions::from_json(&options.to_string())?;
        let (reach, entropy) = (self.reach, self.entropy());
        self.run(softkey_client::create(options, Origin::parse(ORIGIN)?, reach, entropy))
    }

    /// get, likewise.
    pub(crate) fn get(&mut self, extra: &Value) -> Result<AuthenticationResponse, Cause> {
        let mut options = json!({
            "rpId": RP_ID,
            "challenge": softkey_client::base64url::encode(CHALLENGE),
            "userVerification": "discouraged",
        });
        merge(&mut options, extra);
        let options = RequestOptions::from_json(&options.to_string())?;
        let (reach, entropy) = (self.reach, self.entropy());
        self.run(softkey_client::get(options, Origin::parse(ORIGIN)?, reach, entropy))
    }
}

fn merge(options: &mut Value, extra: &Value) {
    for (member, value) in extra.as_object().unwrap() {
        options[member] = value.clone();
    }
}

/// The relying party's view of a registration.
pub(crate) fn registered(response: &RegistrationResponse, verified: bool) -> Registered {
    registration(response, verified).unwrap()
}

/// The same, which may complain.
pub(crate) fn registration(
    response: &RegistrationResponse,
    verified: bool,
) -> Result<Registered, verify::Fault> {
    let asked = [-7, -8, -35, -36, -47, -50, -52];
    verify::registration(response, &expected(verified), &asked)
}

/// The relying party's view of a sign-in.
pub(crate) fn authenticated(
    response: &AuthenticationResponse,
    record: &CredentialRecord,
    verified: bool,
) -> Authenticated {
    authentication(response, record, verified).unwrap()
}

/// The same, which may complain.
pub(crate) fn authentication(
    response: &AuthenticationResponse,
    record: &CredentialRecord,
    verified: bool,
) -> Result<Authenticated, verify::Fault> {
    verify::authentication(response, &expected(verified), record)
}

fn expected(user_verification: bool) -> Expected<'static> {
    Expected::new(CHALLENGE, ORIGIN, RP_ID).verified(user_verification)
}

/// A list that names these credentials.
pub(crate) fn list(ids: &[&str]) -> Value {
    ids.iter().map(|id| json!({"type": "public-key", "id": id})).collect()
}
