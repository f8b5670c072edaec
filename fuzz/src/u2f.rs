//! U2F: APDUs both ways, and lists of messages against one living authenticator.
//!
//! Claim: an APDU that can be read is written and read again as the same; a registration or an enforced
//! signature comes only where the user touched for just that within ten seconds, and then it comes; a signature is
//! by the key that was registered, for its application only, with a counter that rises; a handle that was changed
//! is unknown; a refusal is a status word alone and changes nothing that is stored. Planted: an owner who lets
//! every question be answered with yes.

use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use softkey_authenticator::{
    Answer, Authenticator, Config, Decision, MemoryStore, Operation, RootKey, Session, Transport,
    Via,
};
use softkey_ctap::Instant;
use softkey_ctap::u2f::{
    Apdu, AuthenticateRequest, AuthenticateResponse, Body, RegisterRequest, RegisterResponse,
};
use softkey_tests::key::Entropy;
use softkey_tests::parts::hex;
use softkey_tests::u2f::{
    self, AUTHENTICATE, CHECK_ONLY, DONT_ENFORCE, ENFORCE, REGISTER, Registration, VERSION,
};

use crate::{Subject, Tape};

/// How long presence counts (and one poll interval of U2F, after which an unasked question is withdrawn).
const PRESENCE: Duration = Duration::from_secs(10);
const CHALLENGE: [u8; 32] = [0xC4; 32];

/// A tape of messages, touches and time.
pub fn run(data: &[u8], subject: Subject) {
    codec(data);
    let mut tape = Tape::new(data);
    let mut desk = Desk::new(subject);
    let mut steps = 0;
    while !tape.is_empty() && steps < 60 {
        steps += 1;
        desk.step(&mut tape);
    }
}

/// APDUs and what is in them, both ways.
fn codec(data: &[u8]) {
    if let Some(request) = RegisterRequest::from_bytes(data) {
        assert_eq!(request.to_bytes(), data);
    }
    if let Some(request) = AuthenticateRequest::from_bytes(data) {
        assert_eq!(request.to_bytes().as_deref(), Some(data));
    }
    if let Some(response) = RegisterResponse::from_bytes(data) {
        assert_eq!(response.to_bytes().as_deref(), Some(data));
    }
    if let Some(response) = AuthenticateResponse::from_bytes(data) {
        assert_eq!(response.to_bytes(), data);
    }
    if let Some(apdu) = Apdu::from_bytes(data) {
        let bytes = apdu.to_bytes();
        match apdu.data {
            Body::Data(body) => {
                assert!(body.len() + 4 <= data.len(), "more data than there are");
                assert_eq!(Apdu::from_bytes(&bytes), Some(apdu));
            }
            Body::WrongLength => assert_eq!(bytes, [0_u8; 0], "contradiction has no bytes"),
        }
    }
    if let Ok(made) = Apdu::arbitrary(&mut Unstructured::new(data))
        && made.data != Body::WrongLength
    {
        assert_eq!(Apdu::from_bytes(&made.to_bytes()), Some(made));
    }
}

struct Made {
    application: [u8; 32],
    handle: Vec<u8>,
    public_key: Vec<u8>,
}

struct Desk {
    authenticator: Authenticator<MemoryStore, Entropy>,
    entropy: Entropy,
    subject: Subject,
    now: Instant,
    made: Vec<Made>,
    counter: u32,
    /// The touch that was made last: for what, for whom, when.
    touch: Option<(Operation, [u8; 32], Instant)>,
}

impl Desk {
    fn new(subject: Subject) -> Self {
        let entropy = Entropy::from_seed(7);
        let now = Instant::from_millis(1_000);
        let authenticator = power_up(MemoryStore::default(), &entropy, now);
        Self { authenticator, entropy, subject, now, made: Vec::new(), counter: 0, touch: None }
    }

    fn step(&mut self, tape: &mut Tape<'_>) {
        match tape.below(10) {
            0 | 1 => self.register(tape.below(3)),
            2 | 3 => {
                let (application, which) = (tape.below(3), tape.byte());
                self.authenticate(application, usize::from(which), ENFORCE);
            }
            4 => {
                let control = tape.pick(&[CHECK_ONLY, DONT_ENFORCE, 0, 0xFF]);
                let (application, which) = (tape.below(3), tape.byte());
                self.authenticate(application, usize::from(which), control);
            }
            5 => self.touch(if tape.below(4) == 0 { Answer::No } else { Answer::Yes }),
            6 => self.pass(u64::from(tape.byte()) * 50),
            7 => self.changed_handle(tape),
            8 if tape.below(8) == 0 => self.power_cycle(),
            8 => {
                let answer = self.send(&u2f::extended(VERSION, 0, &[]));
                assert_eq!(answer, b"U2F_V2\x90\x00");
            }
            _ => {
                let apdu = tape.piece();
                let harmless = !matches!(apdu, [0, REGISTER | AUTHENTICATE, ..]);
                if harmless {
                    self.send(apdu);
                }
            }
        }
    }

    /// Sends a message and checks what holds for every answer.
    fn send(&mut self, apdu: &[u8]) -> Vec<u8> {
        let before = self.authenticator.store().clone();
        let via = Via { transport: Transport::Usb, session: Session(1) };
        let answer = self.authenticator.begin_u2f(self.now, via, apdu);
        let (body, word) = answer.split_last_chunk::<2>().expect("a status word");
        if *word != [0x90, 0] {
            let known = [0x6985, 0x6A80, 0x6700, 0x6E00, 0x6D00];
            assert!(known.contains(&u16::from_be_bytes(*word)), "status word {word:02x?}");
            assert_eq!(body, [0_u8; 0], "a body beside a refusal");
            assert!(&before == self.authenticator.store(), "a refusal changed what is stored");
        }
        if self.subject == Subject::Planted
            && let Some(ask) = self.authenticator.asking().map(|ask| ask.id)
        {
            let decision = Decision { ask, answer: Answer::Yes };
            assert!(self.authenticator.resume(self.now, decision).is_none());
        }
        answer
    }

    /// Was there a touch for this? It is spent by being asked about, and dropped by asking for something else.
    fn touched(&mut self, operation: Operation, application: &[u8; 32]) -> bool {
        self.touch.take().is_some_and(|(what, whose, at)| {
            let in_time = self.now.duration_since(at) < PRESENCE;
            in_time && (what, &whose) == (operation, application)
        })
    }

    fn register(&mut self, application: usize) {
        let application = application_of(application);
        let touched = self.touched(Operation::MakeCredential, &application);
        let answer = self.send(&u2f::register(&application, &CHALLENGE));
        assert_eq!(answer.ends_with(&[0x90, 0]), touched, "registered with and only with a touch");
        if touched {
            let made = Registration::parse(&answer, &application, &CHALLENGE);
            let Registration { public_key, handle, .. } = made;
            self.made.push(Made { application, handle, public_key });
        }
    }

    fn authenticate(&mut self, application: usize, which: usize, control: u8) {
        let application = application_of(application);
        if self.made.is_empty() {
            return;
        }
        let which = which % self.made.len();
        let Made { application: owner, handle, public_key } = &self.made[which];
        let (own, handle, public_key) = (*owner == application, handle.clone(), public_key.clone());
        let expected = match control {
            CHECK_ONLY if own => 0x6985,
            ENFORCE if own && !self.touched(Operation::GetAssertion, &application) => 0x6985,
            ENFORCE | DONT_ENFORCE if own => 0x9000,
            _ => 0x6A80,
        };
        let apdu = u2f::authenticate(control, &application, &CHALLENGE, &handle);
        let answer = self.send(&apdu);
        let (_, word) = u2f::split(&answer);
        assert_eq!(word, expected, "control byte {control:#04x}, own: {own}");
        if word == 0x9000 {
            let (flags, counter) =
                u2f::authentication(&answer, &application, &CHALLENGE, &public_key);
            assert_eq!(flags, u8::from(control == ENFORCE), "presence as it was shown");
            assert!(counter > self.counter, "the counter rises");
            self.counter = counter;
        }
    }

    fn changed_handle(&mut self, tape: &mut Tape<'_>) {
        let Some(Made { application, handle, .. }) = self.made.last() else { return };
        let (application, mut handle) = (*application, handle.clone());
        let at = tape.below(handle.len());
        handle[at] ^= 1 << tape.below(8);
        handle.truncate(handle.len() - tape.below(4) / 3);
        let control = tape.pick(&[ENFORCE, DONT_ENFORCE, CHECK_ONLY]);
        let answer = self.send(&u2f::authenticate(control, &application, &CHALLENGE, &handle));
        assert_eq!(u2f::split(&answer).1, 0x6A80, "a changed handle is unknown");
    }

    /// The user answers the question that is open.
    fn touch(&mut self, answer: Answer) {
        let Some(ask) = self.authenticator.asking().cloned() else { return };
        let names = |application: &[u8; 32]| {
            ask.rp_id.as_deref() == Some(&format!("sha256:{}", hex(application)))
        };
        let application = (0..3).map(application_of).find(names).expect("a known application");
        let step = self.authenticator.resume(self.now, Decision { ask: ask.id, answer });
        assert!(step.is_none(), "nothing waits for U2F's question");
        if answer == Answer::Yes {
            self.touch = Some((ask.operation, application, self.now));
        }
    }

    fn pass(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        while let Some(due) = self.authenticator.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            assert!(self.authenticator.handle_timeout(self.now).is_none(), "no request waits");
        }
        self.now = end;
    }

    fn power_cycle(&mut self) {
        let Self { authenticator, entropy, now, .. } = self;
        entropy.reseed();
        *now += Duration::from_secs(1);
        let fresh = power_up(MemoryStore::default(), entropy, *now);
        let store = std::mem::replace(authenticator, fresh).into_store();
        *authenticator = power_up(store, entropy, *now);
        self.touch = None;
    }
}

fn application_of(number: usize) -> [u8; 32] {
    [u8::try_from(number).unwrap(); 32]
}

fn power_up(
    store: MemoryStore,
    entropy: &Entropy,
    now: Instant,
) -> Authenticator<MemoryStore, Entropy> {
    let root = RootKey::new([1; 32]);
    let opened = Authenticator::open(store, root, entropy.clone(), Config::default(), now);
    opened.unwrap_or_else(|_| panic!("the key does not open its store"))
}
