//! Damaged stores under an authenticator: records changed, cut, exchanged, lost, brought back from the past.
//!
//! Claim: the authenticator opens such a store or refuses; what signs is the key that was registered under that
//! identifier, or nothing does; what was not touched signs as before; and where the store opens, a reset leaves a
//! key that works. Planted: a key that signs with another credential's key.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use softkey_authenticator::{
    Answer, Authenticator, Change, Config, Decision, Key as StoreKey, MemoryStore, RootKey,
    Session, Step, Store, Transport, Via,
};
use softkey_ctap::Instant;
use softkey_tests::Key;
use softkey_tests::auth_data::AuthData;
use softkey_tests::cbor::{Value, walk};
use softkey_tests::key::Entropy;
use softkey_tests::request::{CLIENT_DATA_HASH, Request, command};
use softkey_tests::status::SUCCESS;
use softkey_tests::verify::signature_verifies;

use crate::{Subject, Tape};

type Records = BTreeMap<Vec<u8>, Vec<u8>>;

/// A tape of damages.
pub fn run(data: &[u8], subject: Subject) {
    let base = base();
    let mut tape = Tape::new(data);
    let mut records = base.records.clone();
    let mut damages = 0;
    while !tape.is_empty() && damages < 8 {
        damages += 1;
        damage(&mut records, base, &mut tape);
    }
    let whole = records == base.records;
    let Some(mut desk) = Desk::open(&records) else {
        assert!(!whole, "a whole store does not open");
        return;
    };
    desk.send(&Request::bare(command::GET_INFO));
    for (number, made) in base.made.iter().enumerate() {
        let signing = match subject {
            Subject::Real => made,
            Subject::Planted => &base.made[(number + 1) % 2],
        };
        let signed = desk.signs(signing, &made.public_key);
        assert!(signed || !whole, "credential {number} of a whole store does not sign");
    }
    desk.signs_in_unnamed(base);
    for _ in 0..8 {
        desk.key.sweep();
    }
    if desk.send(&Request::bare(command::RESET)).0 == SUCCESS {
        for _ in 0..8 {
            desk.key.sweep();
        }
        desk.registers_anew();
    }
}

struct Made {
    rp_id: &'static str,
    id: Vec<u8>,
    public_key: Value,
}

/// A store with something in it, what is in it, and the same store at earlier times.
struct Base {
    records: Records,
    made: Vec<Made>,
    former: Vec<Records>,
}

fn base() -> &'static Base {
    static BASE: OnceLock<Base> = OnceLock::new();
    BASE.get_or_init(|| {
        let mut key = Key::fresh();
        let mut made = Vec::new();
        let mut former = Vec::new();
        let parties = [("example.com", true), ("example.com", true), ("example.org", false)];
        for (user, (rp_id, discoverable)) in (1..).zip(parties) {
            former.push(key.memory().dump().into_iter().collect());
            let request = Request::make_credential_for(rp_id, &[user]);
            let request = if discoverable { request.discoverable() } else { request };
            let answer = key.make(&request);
            let (id, public_key) = (answer.id().to_vec(), answer.public_key().clone());
            made.push(Made { rp_id, id, public_key });
        }
        former.push(key.memory().dump().into_iter().collect());
        key.set_pin("1234");
        Base { records: key.memory().dump().into_iter().collect(), made, former }
    })
}

fn damage(records: &mut Records, base: &Base, tape: &mut Tape<'_>) {
    let names: Vec<Vec<u8>> = records.keys().cloned().collect();
    if names.is_empty() {
        return;
    }
    let name = names[tape.below(names.len())].clone();
    let other = names[tape.below(names.len())].clone();
    let value = records.get_mut(&name).expect("a record of this name");
    match tape.below(8) {
        0 | 1 => {
            let at = usize::from(tape.short()) % value.len().max(1);
            if let Some(byte) = value.get_mut(at) {
                *byte ^= 1 << tape.below(8);
            }
        }
        2 => value.truncate(usize::from(tape.short()) % (value.len() + 1)),
        3 => value.extend(tape.piece()),
        4 => {
            records.remove(&name);
        }
        5 => {
            let (value, other_value) = (records[&name].clone(), records[&other].clone());
            records.extend([(name, other_value), (other, value)]);
        }
        6 => {
            let former = &base.former[tape.below(base.former.len())];
            match former.get(&name) {
                Some(value) => records.insert(name, value.clone()),
                None => records.remove(&name),
            };
        }
        _ => {
            let mut key = tape.piece().to_vec();
            key.truncate(StoreKey::MAX);
            let value = records[&name].clone();
            records.insert(key, value);
        }
    }
}

struct Desk {
    key: Authenticator<MemoryStore, Entropy>,
    now: Instant,
}

impl Desk {
    fn open(records: &Records) -> Option<Self> {
        let mut store = MemoryStore::default();
        for (name, value) in records {
            let name = StoreKey::new(name).expect("a short name");
            store.commit(&[Change::Put(name, value)]).expect("memory takes everything");
        }
        let (now, rng) = (Instant::from_millis(5), Entropy::from_seed(99));
        let root = RootKey::new([0x5A; 32]);
        let key = Authenticator::open(store, root, rng, Config::default(), now).ok()?;
        Some(Self { key, now })
    }

    /// Sends a request; the user approves.
    fn send(&mut self, request: &Request) -> (u8, Vec<u8>) {
        let via = Via { transport: Transport::Usb, session: Session(1) };
        let mut step = self.key.begin(self.now, via, &request.bytes());
        for _ in 0..3 {
            match step {
                Step::Reply(answer) => {
                    let (status, body) = answer.split_first().expect("a status");
                    assert!(*status == SUCCESS || body.is_empty(), "a body beside {status:#04x}");
                    return (*status, body.to_vec());
                }
                Step::Asking(ask) => {
                    let decision = Decision { ask: ask.id, answer: Answer::Yes };
                    step = self.key.resume(self.now, decision).expect("approval leads on");
                }
            }
        }
        panic!("asked without end");
    }

    /// Does this credential sign, and with this key only?
    fn signs(&mut self, made: &Made, public_key: &Value) -> bool {
        let request = Request::get_assertion(made.rp_id).listing(&[&made.id]);
        let (status, body) = self.send(&request);
        if status != SUCCESS {
            return false;
        }
        let answer = walk(&body).expect("a canonical answer");
        assert_eq!(answer.get(1).get("id").bytes(), made.id, "the credential that was named");
        let data = AuthData::parse(answer.get(2).bytes());
        let signed = [data.bytes.as_slice(), &CLIENT_DATA_HASH].concat();
        let verifies = signature_verifies(public_key, &signed, answer.get(3).bytes());
        assert!(verifies, "signed with another key than the registered one");
        true
    }

    /// A sign-in that names nobody finds one of those that were made, or none.
    fn signs_in_unnamed(&mut self, base: &Base) {
        let (status, body) = self.send(&Request::get_assertion("example.com"));
        if status == SUCCESS {
            let answer = walk(&body).expect("a canonical answer");
            let id = answer.get(1).get("id").bytes();
            let known = base.made.iter().find(|made| made.id == id).expect("a known credential");
            assert_eq!(known.rp_id, "example.com", "another party's credential");
        }
    }

    /// After a reset the key is as good as new.
    fn registers_anew(&mut self) {
        let request = Request::make_credential_for("anew.example", &[1]).discoverable();
        let (status, body) = self.send(&request);
        assert_eq!(status, SUCCESS, "a registration after a reset");
        let answer = walk(&body).expect("a canonical answer");
        let data = AuthData::parse(answer.get(2).bytes());
        let attested = data.attested.expect("a credential");
        let made = Made { rp_id: "anew.example", id: attested.id, public_key: attested.public_key };
        assert!(self.signs(&made, &made.public_key), "a sign-in after a reset");
    }
}
