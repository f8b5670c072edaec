//! A key on any store, and registrations that a process makes on it until it is killed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;

use rand_core::TryCryptoRng;
use softkey_authenticator::{
    Answer, Authenticator, Config, Decision, RootKey, Session, Step, Store, Transport, Via,
};
use softkey_ctap::{Instant, Secret};

use crate::auth_data::AuthData;
use crate::cbor::{Value, walk};
use crate::pin::{Protocol, Shared, Token, padded};
use crate::platform::{set_pin_request, token_request};
use crate::request::{Request, command, cp};
use crate::status::{NO_CREDENTIALS, SUCCESS};

/// A key with power, on some store, whose user approves everything.
pub struct KeyOn<S: Store, R> {
    authenticator: Authenticator<S, R>,
}

const PIN: &str = "1234";
const NOW: Instant = Instant::from_millis(1_000);
const VIA: Via = Via { transport: Transport::Usb, session: Session(1) };

impl<S: Store, R: TryCryptoRng> KeyOn<S, R> {
    /// Powers a key up.
    #[must_use]
    pub fn open(store: S, root_key: &Secret<32>, rng: R) -> Self {
        Self::open_as(store, root_key, rng, Config::default())
    }

    /// Powers a key of this kind up.
    #[must_use]
    pub fn open_as(store: S, root_key: &Secret<32>, rng: R, config: Config) -> Self {
        let root_key = RootKey::new(*root_key.expose());
        let opened = Authenticator::open(store, root_key, rng, config, NOW);
        Self { authenticator: opened.unwrap_or_else(|error| panic!("does not open: {error:?}")) }
    }

    /// Sends a request and gives the answer.
    pub fn send(&mut self, request: &[u8]) -> Vec<u8> {
        let mut step = self.authenticator.begin(NOW, VIA, request);
        loop {
            match step {
                Step::Reply(answer) => return answer,
                Step::Asking(ask) => {
                    let yes = Decision { ask: ask.id, answer: Answer::Yes };
                    step = self.authenticator.resume(NOW, yes).expect("the question is open");
                }
            }
        }
    }

    /// Sends a request that must succeed, and gives the map in its answer.
    #[track_caller]
    pub fn ok(&mut self, request: &Request) -> Value {
        let answer = self.send(&request.bytes());
        assert_eq!(answer[0], SUCCESS, "{request:?}");
        if answer.len() == 1 { Value::Map(Vec::new()) } else { walk(&answer[1..]).unwrap() }
    }

    /// A relying party's accounts, newest first: user id and credential id of each.
    #[track_caller]
    pub fn accounts(&mut self, rp_id: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
        let request = Request::get_assertion(rp_id);
        let answer = self.send(&request.bytes());
        if answer == [NO_CREDENTIALS] {
            return Vec::new();
        }
        assert_eq!(answer[0], SUCCESS);
        let first = walk(&answer[1..]).unwrap();
        let more = first.at(5).map_or(1, Value::uint);
        let mut assertions = vec![first];
        for _ in 1..more {
            assertions.push(self.ok(&Request::bare(command::GET_NEXT_ASSERTION)));
        }
        let account = |assertion: &Value| {
            let id = |member| assertion.get(member).get("id").bytes().to_vec();
            (id(4), id(1))
        };
        assertions.iter().map(account).collect()
    }

    /// Sets the PIN of a key that has none, and gives a token with these permissions.
    #[track_caller]
    pub fn token(&mut self, permissions: i64) -> Token {
        self.set_pin();
        self.pin_token(permissions, None)
    }

    /// Sets the PIN of a key that has none.
    #[track_caller]
    pub fn set_pin(&mut self) {
        self.agreed(|shared| set_pin_request(shared, &padded(PIN)));
    }

    /// Gives a token with these permissions, perhaps for one relying party, for that PIN.
    #[track_caller]
    pub fn pin_token(&mut self, permissions: i64, rp_id: Option<&str>) -> Token {
        let (shared, answer) = self.agreed(|shared| token_request(shared, PIN, permissions, rp_id));
        Token::new(shared.protocol(), shared.decrypt(answer.get(2).bytes()))
    }

    /// Sends a request made with a shared secret that is agreed on for it.
    #[track_caller]
    fn agreed(&mut self, request: impl FnOnce(&Shared) -> Request) -> (Shared, Value) {
        let protocol = Protocol::Two;
        let ask = Request::client_pin(cp::GET_KEY_AGREEMENT).with(cp::PROTOCOL, protocol.number());
        let shared = Shared::agree(protocol, self.ok(&ask).get(1), &[0x21; 32]);
        let answer = self.ok(&request(&shared));
        (shared, answer)
    }

    /// Removes what a reset left behind.
    pub fn sweep(&mut self) {
        while !self.authenticator.sweep() {}
    }

    /// Powers the key down.
    #[must_use]
    pub fn into_store(self) -> S {
        self.authenticator.into_store()
    }
}

/// So many relying parties, with so many users each, are registered in turn, again and again.
const PARTIES: u32 = 4;
const USERS: u32 = 2;

fn rp_id(party: u32) -> String {
    format!("party-{party}.example")
}

/// Whom the registration of this number is for: the relying party, and the user's id.
fn whom(number: u32) -> (u32, Vec<u8>) {
    (number % PARTIES, vec![u8::try_from(number / PARTIES % USERS).expect("a few users")])
}

/// Registers one account after another from this number on, and writes the number and credential id of each,
/// once its registration is answered, as a line. Ends when nobody listens any more.
pub fn register_forever<S: Store, R: TryCryptoRng>(
    key: &mut KeyOn<S, R>,
    first: u32,
    mut out: impl Write,
) {
    for number in first.. {
        let (party, user) = whom(number);
        let request = Request::make_credential_for(&rp_id(party), &user).discoverable();
        let answer = key.ok(&request);
        let auth_data = AuthData::parse(answer.get(2).bytes());
        let id = auth_data.attested.expect("a new credential").id;
        let mut line = format!("{number} ");
        for byte in id {
            write!(line, "{byte:02x}").expect("room for a line");
        }
        if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

/// What the registrations up to some number leave: each relying party's accounts, oldest first, with the
/// credential ids that are known.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    number: u32,
    parties: BTreeMap<u32, Vec<Account>>,
}

type Account = (Vec<u8>, Option<Vec<u8>>);

impl Accounts {
    /// The number of the last registration in it.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// One more registration, with its credential id if that was answered.
    pub fn register(&mut self, id: Option<Vec<u8>>) {
        self.number += 1;
        let (party, user) = whom(self.number);
        let accounts = self.parties.entry(party).or_default();
        accounts.retain(|account| account.0 != user);
        accounts.push((user, id));
    }

    /// Does this key have these accounts, no other, and in this order? If not, goes on by one: that
    /// registration may have been durable before it was answered. False if it is not that either.
    pub fn meets<S: Store, R: TryCryptoRng>(&mut self, key: &mut KeyOn<S, R>) -> bool {
        let found: Vec<_> = (0..PARTIES).map(|party| key.accounts(&rp_id(party))).collect();
        self.are(&found) || {
            self.register(None);
            self.are(&found)
        }
    }

    fn are(&self, found: &[Vec<(Vec<u8>, Vec<u8>)>]) -> bool {
        (0..).zip(found).all(|(party, found)| {
            let expected = self.parties.get(&party).map_or(&[][..], Vec::as_slice);
            let same = |((user, id), known): (&(Vec<u8>, Vec<u8>), &Account)| {
                *user == known.0 && known.1.as_ref().is_none_or(|known| known == id)
            };
            expected.len() == found.len() && found.iter().zip(expected.iter().rev()).all(same)
        })
    }
}
