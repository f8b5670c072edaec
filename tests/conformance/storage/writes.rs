//! Every command that writes, made while the power is cut at each of its writes, or while the store is full.

use std::collections::BTreeMap;

use softkey_tests::cbor::{Value, array, map};
use softkey_tests::checks::{stable_info, still_works};
use softkey_tests::key::{Cut, Profile};
use softkey_tests::parts::sha256;
use softkey_tests::pin::{Protocol, padded};
use softkey_tests::platform::permission::{ACFG, CM, PCMR};
use softkey_tests::platform::{
    change_pin_request, pin_token_request, set_pin_request, token_request,
};
use softkey_tests::request::{cf, cm, command, descriptor};
use softkey_tests::status::{
    KEY_STORE_FULL, LARGE_BLOB_STORAGE_FULL, NO_CREDENTIALS, OTHER, PIN_INVALID, SUCCESS,
};
use softkey_tests::{Key, Request, User, u2f};

use super::{Prepared, RP, prepared};
use crate::large_blobs::{array_of, stored};

const PIN: &str = "1234";
const NEW_PIN: &str = "4321";
const NEW_RP: &str = "new.example";

/// A party that a command lists for minPinLength.
const LISTED_RP: &str = "listed.example";

/// Signature counts, by whose they are.
type Counts = BTreeMap<String, u32>;

/// What a client can see of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// Settings, whether there is a PIN, the room that is left.
    info: Value,
    /// A persistent token is alive.
    persistent: bool,
    retries: u64,
    /// What is said to the old PIN and to the new one.
    pins: [u8; 2],
    /// Identifiers of credential and user, by party, newest first.
    accounts: Vec<(Vec<u8>, Vec<u8>)>,
    /// The users as they are stored, where the PIN lets them be seen.
    users: Vec<Value>,
    /// The minimum that a party is told that a command lists.
    told: Option<Value>,
    blob: Option<Value>,
    array: Option<Vec<u8>>,
    /// The status word with which the U2F credential signs, without a touch.
    u2f: u16,
    /// The next counts: of each account by its credential, of the credential that is not discoverable, of the U2F one.
    counts: Counts,
}

impl Seen {
    /// The same but for the counts, which may run ahead, and must never fall behind `last`.
    #[track_caller]
    pub(super) fn counted_after(self, last: &Self) -> Self {
        for (of, count) in &self.counts {
            assert!(
                count >= last.counts.get(of).unwrap_or(&0),
                "{of}: {count} after {:?}",
                last.counts
            );
        }
        self.without_counts()
    }

    pub(super) fn without_counts(self) -> Self {
        Self { counts: Counts::new(), ..self }
    }
}

fn accounts(key: &mut Key, rp_id: &str, counts: &mut Counts) -> Vec<(Vec<u8>, Vec<u8>)> {
    let request = Request::get_assertion(rp_id).option("up", false);
    // An assertion counts, so this one is made for the party only that may have no account.
    if rp_id != RP && key.status(&request) == NO_CREDENTIALS {
        return Vec::new();
    }
    let first = key.assertion(&request);
    let more = first.answer.at(5).map_or(1, Value::uint);
    let mut all = vec![first];
    all.extend((1..more).map(|_| key.next_assertion(&request)));
    for one in &all {
        counts.insert(format!("{:?}", one.id()), one.auth_data.sign_count);
    }
    all.iter().map(|one| (one.id().to_vec(), one.user_id().to_vec())).collect()
}

fn users(key: &mut Key, token: &softkey_tests::pin::Token) -> Vec<Value> {
    let mut users = Vec::new();
    for rp_id in [RP, NEW_RP] {
        let of_rp = map([(1, sha256(rp_id.as_bytes()))]);
        let begin = Request::credential_management(cm::ENUMERATE_CREDENTIALS_BEGIN);
        let begin = begin.with(cm::PARAMS, of_rp).managed(token);
        if key.status(&begin) == NO_CREDENTIALS {
            continue;
        }
        let first = key.ok(&begin);
        let next = Request::credential_management(cm::ENUMERATE_CREDENTIALS_NEXT);
        users.push(first.get(6).clone());
        users.extend((1..first.get(9).uint()).map(|_| key.ok(&next).get(6).clone()));
    }
    users
}

/// What can be seen of a key that was just plugged in.
pub(super) fn look(prepared: &mut Prepared) -> Seen {
    let Prepared { key, other, u2f: registration } = prepared;
    let (info, persistent) = (key.info(), key.info().0.at(0x19).is_some());
    let retries = key.retries();
    let mut counts = Counts::new();
    let accounts = [RP, NEW_RP].map(|rp_id| accounts(key, rp_id, &mut counts)).concat();
    let silent = other.get().option("up", false);
    counts.insert(
        "not discoverable".to_owned(),
        key.assertion_by(other, &silent).auth_data.sign_count,
    );
    let sign = u2f::authenticate(u2f::DONT_ENFORCE, &[1; 32], &[2; 32], &registration.handle);
    let answer = key.u2f(&sign);
    let (data, word) = u2f::split(&answer);
    if !data.is_empty() {
        let point = &registration.public_key;
        counts.insert("U2F".to_owned(), u2f::authentication(&answer, &[1; 32], &[2; 32], point).1);
    }
    let mut seen_users = Vec::new();
    let pins = [PIN, NEW_PIN].map(|pin| match key.token(Protocol::Two, pin, CM, None) {
        Ok(token) => {
            seen_users = users(key, &token);
            SUCCESS
        }
        Err(status) => status,
    });
    let ask = Request::make_credential_for(LISTED_RP, &[1]).extension("minPinLength", true);
    let told = (info.option("alwaysUv") != Some(true)).then(|| key.make(&ask));
    let told = told.and_then(|made| made.auth_data.extension("minPinLength").cloned());
    let read = other.get().extension("largeBlob", map([("read", true)]));
    let blob = info.has_extension("largeBlob") && info.option("alwaysUv") != Some(true);
    Seen {
        info: stable_info(key),
        persistent,
        retries,
        pins,
        accounts,
        users: seen_users,
        told,
        blob: blob.then(|| key.assertion(&read)).and_then(|read| read.answer.at(8).cloned()),
        array: (info.option("largeBlobs") == Some(true)).then(|| stored(key)),
        u2f: word,
        counts,
    }
}

/// What a client sends.
enum Message {
    Ctap(Request),
    U2f(Vec<u8>),
}

impl Message {
    /// Sends it and gives the status: a byte, or a word.
    fn send(&self, key: &mut Key) -> Vec<u8> {
        match self {
            Self::Ctap(request) => vec![key.send(&request.bytes())[0]],
            Self::U2f(apdu) => key.u2f_polling(apdu).last_chunk::<2>().unwrap().to_vec(),
        }
    }
}

/// A command that writes.
struct Writer {
    name: &'static str,
    profile: Profile,
    /// Is the PIN set before?
    pin: bool,
    /// Does whatever comes before the command, and gives it.
    ready: fn(&mut Prepared) -> Message,
    /// The status when nothing is in its way.
    status: &'static [u8],
}

impl Writer {
    /// The key and the command, and what is to be seen before it.
    fn ready(&self) -> (Prepared, Message) {
        let mut prepared = prepared(self.profile, self.pin);
        let message = (self.ready)(&mut prepared);
        (prepared, message)
    }

    /// What is seen before the command and after it.
    fn before_and_after(&self) -> (Seen, Seen) {
        let (mut prepared, _) = self.ready();
        prepared.key.power_cycle();
        let before = look(&mut prepared);
        let (mut prepared, message) = self.ready();
        assert_eq!(message.send(&mut prepared.key), self.status, "{}", self.name);
        prepared.key.power_cycle();
        let after = look(&mut prepared);
        assert_ne!(before, after, "{} changes nothing that is looked at", self.name);
        (before, after)
    }
}

fn writer(name: &'static str, pin: bool, ready: fn(&mut Prepared) -> Message) -> Writer {
    Writer { name, profile: Profile::of_this_run(), pin, ready, status: &[SUCCESS] }
}

fn writers() -> Vec<Writer> {
    [credentials(), assertions(), pins(), managed(), settings(), blobs()]
        .into_iter()
        .flatten()
        .collect()
}

fn credentials() -> Vec<Writer> {
    fn account(rp_id: &str, user: u8) -> Message {
        Message::Ctap(Request::make_credential_for(rp_id, &[user]).discoverable())
    }
    vec![
        writer("new account", false, |_| account(RP, 4)),
        writer("same account", false, |_| account(RP, 2)),
        writer("first of a party", false, |_| account(NEW_RP, 1)),
    ]
}

/// What writes a counter only.
fn assertions() -> Vec<Writer> {
    fn get() -> Request {
        Request::get_assertion(RP)
    }
    fn u2f_sign(prepared: &mut Prepared) -> Message {
        let handle = &prepared.u2f.handle;
        Message::U2f(u2f::authenticate(u2f::ENFORCE, &[1; 32], &[2; 32], handle))
    }
    vec![
        writer("assertion", false, |_| Message::Ctap(get())),
        writer("getNextAssertion", false, |prepared| {
            prepared.key.assertion(&get());
            Message::Ctap(Request::bare(command::GET_NEXT_ASSERTION))
        }),
        Writer { status: &[0x90, 0], ..writer("U2F authenticate", false, u2f_sign) },
    ]
}

fn pins() -> Vec<Writer> {
    vec![
        writer("setPIN", false, |prepared| {
            let shared = prepared.key.agree(Protocol::Two);
            Message::Ctap(set_pin_request(&shared, &padded(PIN)))
        }),
        writer("changePIN", true, |prepared| {
            prepared.key.token(Protocol::Two, PIN, PCMR, None).unwrap();
            let shared = prepared.key.agree(Protocol::Two);
            Message::Ctap(change_pin_request(&shared, PIN, &padded(NEW_PIN)))
        }),
        Writer {
            status: &[PIN_INVALID],
            ..writer("wrong PIN", true, |prepared| {
                let shared = prepared.key.agree(Protocol::Two);
                Message::Ctap(pin_token_request(&shared, "9999"))
            })
        },
        writer("right PIN after a wrong one", true, |prepared| {
            let wrong = prepared.key.pin_token(Protocol::Two, "9999");
            assert_eq!(wrong.unwrap_err(), PIN_INVALID);
            let shared = prepared.key.agree(Protocol::Two);
            Message::Ctap(pin_token_request(&shared, PIN))
        }),
        writer("persistent token", true, |prepared| {
            let shared = prepared.key.agree(Protocol::Two);
            Message::Ctap(token_request(&shared, PIN, PCMR, None))
        }),
    ]
}

fn managed() -> Vec<Writer> {
    /// A subcommand about the second of the three accounts.
    fn second(prepared: &mut Prepared, sub_command: u8, user: Option<Value>) -> Message {
        let key = &mut prepared.key;
        let accounts = accounts(key, RP, &mut Counts::new());
        let params = map([(2, descriptor(&accounts[1].0))]);
        let params = user.map_or(params.clone(), |user| params.with(3, user));
        let token = key.token(Protocol::Two, PIN, CM, None).unwrap();
        let request = Request::credential_management(sub_command).with(cm::PARAMS, params);
        Message::Ctap(request.managed(&token))
    }
    vec![
        writer("deleteCredential", true, |prepared| second(prepared, cm::DELETE_CREDENTIAL, None)),
        writer("updateUserInformation", true, |prepared| {
            let user = map([("id", Value::from([2])), ("name", "another name".into())]);
            second(prepared, cm::UPDATE_USER_INFORMATION, Some(user))
        }),
    ]
}

fn settings() -> Vec<Writer> {
    fn params<const N: usize>(params: [(i64, Value); N]) -> Request {
        Request::config(cf::SET_MIN_PIN_LENGTH).with(cf::PARAMS, map(params))
    }
    fn with_pin(prepared: &mut Prepared, request: Request) -> Message {
        let token = prepared.key.token(Protocol::Two, PIN, ACFG, None).unwrap();
        Message::Ctap(request.managed(&token))
    }
    vec![
        Writer {
            profile: Profile::Enterprise,
            ..writer("enableEnterpriseAttestation", false, |_| {
                Message::Ctap(Request::config(cf::ENABLE_ENTERPRISE_ATTESTATION))
            })
        },
        writer("toggleAlwaysUv", false, |_| Message::Ctap(Request::config(cf::TOGGLE_ALWAYS_UV))),
        writer("toggleAlwaysUv with a PIN", true, |prepared| {
            with_pin(prepared, Request::config(cf::TOGGLE_ALWAYS_UV))
        }),
        writer("setMinPINLength", false, |_| {
            let listed = array([LISTED_RP]);
            let both = [(cf::NEW_MIN_PIN_LENGTH, 6.into()), (cf::MIN_PIN_LENGTH_RP_IDS, listed)];
            Message::Ctap(params(both))
        }),
        writer("setMinPINLength beyond the PIN", true, |prepared| {
            with_pin(prepared, params([(cf::NEW_MIN_PIN_LENGTH, 6.into())]))
        }),
        writer("forceChangePin", true, |prepared| {
            prepared.key.token(Protocol::Two, PIN, PCMR, None).unwrap();
            with_pin(prepared, params([(cf::FORCE_CHANGE_PIN, true.into())]))
        }),
        Writer {
            profile: Profile::PinComplexity,
            ..writer("pinComplexityPolicy", false, |_| {
                Message::Ctap(params([(cf::PIN_COMPLEXITY_POLICY, true.into())]))
            })
        },
        writer("enableLongTouchForReset", false, |_| {
            Message::Ctap(Request::config(cf::ENABLE_LONG_TOUCH_FOR_RESET))
        }),
    ]
}

fn blobs() -> Vec<Writer> {
    vec![
        Writer {
            profile: Profile::Default,
            ..writer("largeBlobs", false, |_| {
                let array = array_of(900, 1);
                Message::Ctap(Request::write_blobs(0, &array, Some(array.len())))
            })
        },
        Writer {
            profile: Profile::LargeBlob,
            ..writer("largeBlob", false, |prepared| {
                let blob = map([("write", Value::from([7; 900])), ("originalSize", 9.into())]);
                Message::Ctap(prepared.other.get().extension("largeBlob", blob))
            })
        },
    ]
}

/// ST-01: the power is cut at every write of every command: afterwards the key shows the state before the
/// command or the one after it (or, in a PIN check, a try spent), and works.
#[test]
fn power_cut_at_any_write_shows_before_or_after() {
    for writer in writers() {
        let name = writer.name;
        let (before, after) = writer.before_and_after();
        let possible = possible(&before, &after);
        let mut cuts = 0;
        for cut in (0..).flat_map(|n| [Cut::Before(n), Cut::After(n)]) {
            let (mut prepared, message) = writer.ready();
            prepared.key.memory().cut_power(cut);
            let status = message.send(&mut prepared.key);
            if !prepared.key.memory().is_dead() {
                assert_eq!(status, writer.status, "{name}");
                break;
            }
            cuts += 1;
            prepared.key.power_cycle();
            let seen = look(&mut prepared).counted_after(&before);
            assert!(possible.contains(&seen), "{name}, {cut:?}: {seen:#?} of {possible:#?}");
            if seen.info.get(4).at("alwaysUv") != Some(&Value::from(true)) {
                still_works(&mut prepared.key);
            }
        }
        assert!(cuts >= 2, "{name} writes nothing");
    }
}

/// What may be seen when a command has been interrupted or has failed: all of it or nothing, or a try spent if it
/// checks the PIN.
fn possible(before: &Seen, after: &Seen) -> [Seen; 3] {
    let [before, after] = [before, after].map(|seen| seen.clone().without_counts());
    let spent = Seen { retries: before.retries - 1, ..before.clone() };
    [before, after, spent]
}

/// ST-02: the store is full: a command succeeds or answers 0x28 or 0x7F (an array that has no room 0x18), and its effect
/// is there or nothing is; nothing that was there is lost, and a reset works.
#[test]
fn full_store_loses_nothing_and_can_be_reset() {
    let mut refused = Vec::new();
    for writer in writers() {
        let name = writer.name;
        let (before, after) = writer.before_and_after();
        let (mut prepared, message) = writer.ready();
        prepared.key.memory().full(true);
        let status = message.send(&mut prepared.key);
        prepared.key.memory().full(false);
        prepared.key.power_cycle();
        let seen = look(&mut prepared).counted_after(&before);
        let [nothing, all, spent] = possible(&before, &after);
        if status != writer.status {
            let known: &[&[u8]] = match name {
                "largeBlobs" => &[&[LARGE_BLOB_STORAGE_FULL]],
                "U2F authenticate" => &[&[0x6F, 0]],
                _ => &[&[KEY_STORE_FULL], &[OTHER]],
            };
            assert!(known.contains(&status.as_slice()), "{name}: {status:02x?}");
            refused.push(name);
            assert!(seen == nothing || seen == spent, "{name}: {seen:#?} and not {nothing:#?}");
        } else if name == "largeBlob" {
            // It says that it has not written.
            assert_eq!(seen, nothing);
        } else {
            assert_eq!(seen, all, "{name}");
        }
        prepared.key.memory().full(true);
        prepared.key.power_cycle();
        prepared.key.user(User::Holds(std::time::Duration::from_secs(6)));
        assert_eq!(prepared.key.send(&[command::RESET]), [SUCCESS], "{name}");
        assert_eq!(prepared.key.status(&Request::get_assertion(RP)), NO_CREDENTIALS);
    }
    for name in ["new account", "first of a party", "largeBlobs"] {
        assert!(refused.contains(&name), "there is room for {name}");
    }
    let (mut prepared, message) = writer("new account", false, |_| {
        Message::Ctap(Request::make_credential_for(RP, &[4]).discoverable())
    })
    .ready();
    prepared.key.memory().full(true);
    assert_eq!(message.send(&mut prepared.key), [KEY_STORE_FULL]);
}

/// ST-02: what is written nowhere needs no room.
#[test]
fn credentials_that_are_not_stored_need_no_room() {
    let Prepared { mut key, .. } = prepared(Profile::of_this_run(), false);
    key.memory().full(true);
    let commits = key.commits();
    key.make(&Request::make_credential());
    let answer = key.u2f_polling(&u2f::register(&[1; 32], &[2; 32]));
    let _ = u2f::Registration::parse(&answer, &[1; 32], &[2; 32]);
    assert_eq!(key.commits(), commits);
}
