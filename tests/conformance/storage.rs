//! Storage, power and hygiene (ST).

use softkey_tests::cbor::map;
use softkey_tests::checks::{still_works, three_accounts};
use softkey_tests::key::{Cut, Memory};
use softkey_tests::parts::sha256;
use softkey_tests::pin::{Protocol, padded, pin_hash};
use softkey_tests::platform::{
    change_pin_request, permission, pin_token_request, set_pin_request, token_request,
};
use softkey_tests::request::{cm, command, mc};
use softkey_tests::status::{KEY_STORE_FULL, NO_CREDENTIALS, OTHER, SUCCESS, word};
use softkey_tests::{Key, Request, u2f};

const RP: &str = "example.com";

/// What a client can see of a key: PIN or not, the retries, the accounts, and which PIN holds.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    client_pin: Option<bool>,
    retries: u64,
    users: Vec<Vec<u8>>,
    pin: Option<&'static str>,
}

fn look(key: &mut Key) -> Seen {
    let (client_pin, retries) = (key.info().option("clientPin"), key.retries());
    let mut users = Vec::new();
    let request = Request::get_assertion(RP);
    if key.status(&request) == SUCCESS {
        let first = key.assertion(&request);
        users.push(first.user_id().to_vec());
        let more = first.answer.at(5).map_or(1, softkey_tests::Value::uint);
        users.extend((1..more).map(|_| key.next_assertion(&request).user_id().to_vec()));
    }
    let holds = |key: &mut Key, pin| key.pin_token(Protocol::Two, pin).is_ok();
    let pin = ["1234", "4321"].into_iter().find(|pin| holds(key, pin));
    Seen { client_pin, retries, users, pin }
}

/// A command that writes, made for the key as it stands.
type Writer = fn(&mut Key);

fn writers() -> Vec<(&'static str, bool, Writer)> {
    fn send(key: &mut Key, request: &Request) {
        key.send(&request.bytes());
    }
    vec![
        ("new account", false, |key| {
            send(key, &Request::make_credential_for(RP, &[4]).discoverable());
        }),
        ("same account", false, |key| {
            send(key, &Request::make_credential_for(RP, &[2]).discoverable());
        }),
        ("first of a party", false, |key| {
            send(key, &Request::make_credential_for("new.example", &[1]).discoverable());
        }),
        ("non-discoverable", false, |key| send(key, &Request::make_credential())),
        ("assertion", false, |key| send(key, &Request::get_assertion(RP))),
        ("setPIN", false, |key| {
            let shared = key.agree(Protocol::Two);
            send(key, &set_pin_request(&shared, &padded("1234")));
        }),
        ("changePIN", true, |key| {
            let shared = key.agree(Protocol::Two);
            send(key, &change_pin_request(&shared, "1234", &padded("4321")));
        }),
        ("wrong PIN", true, |key| {
            let shared = key.agree(Protocol::Two);
            send(key, &pin_token_request(&shared, "9999"));
        }),
        ("U2F register", false, |key| {
            key.u2f_polling(&u2f::register(&[1; 32], &[2; 32]));
        }),
    ]
}

fn prepared(pin: bool) -> Key {
    let mut key = Key::fresh();
    three_accounts(&mut key, RP);
    if pin {
        key.set_pin("1234");
    }
    key.power_cycle();
    key
}

/// ST-01: the power is cut at every write of every command: afterwards the key shows the state before the
/// command or the one after it (or, in a PIN check, a try spent), and works.
#[test]
fn power_cut_at_any_write_shows_before_or_after() {
    for (name, pin, write) in writers() {
        let before = look(&mut prepared(pin));
        let mut done = prepared(pin);
        write(&mut done);
        done.power_cycle();
        let after = look(&mut done);
        for cut in (0..).flat_map(|n| [Cut::Before(n), Cut::After(n)]) {
            let mut key = prepared(pin);
            key.memory().cut_power(cut);
            write(&mut key);
            if !key.memory().is_dead() {
                break;
            }
            key.power_cycle();
            let mut seen = look(&mut key);
            if pin && seen.retries + 1 == before.retries {
                seen.retries += 1;
            }
            let spent = Seen { retries: before.retries, users: after.users.clone(), ..after };
            assert!(seen == before || seen == after || seen == spent, "{name}, {cut:?}: {seen:?}");
            still_works(&mut key);
        }
    }
}

/// ST-02: the store is full: a command succeeds or answers 0x28 or 0x7F, nothing that was there is lost, and
/// a reset works.
#[test]
fn full_store_loses_nothing_and_can_be_reset() {
    for (name, pin, write) in writers() {
        let before = look(&mut prepared(pin));
        let mut key = prepared(pin);
        key.memory().full(true);
        write(&mut key);
        let seen = look(&mut key);
        assert_eq!(seen.client_pin, before.client_pin, "{name}");
        let kept = before.users.iter().filter(|user| !seen.users.contains(user)).count();
        assert_eq!(kept, 0, "{name}: an account is lost");
        key.power_cycle();
        assert_eq!(key.send(&[command::RESET]), [SUCCESS], "{name}");
        assert_eq!(key.status(&Request::get_assertion(RP)), NO_CREDENTIALS);
    }
    let mut key = prepared(false);
    key.memory().full(true);
    let status = key.status(&Request::make_credential_for(RP, &[4]).discoverable());
    assert_eq!(status, KEY_STORE_FULL);
}

/// ST-03: from any read of a request on the medium cannot be read: the request fails with 0x7F, for no part of what it
/// looks at passes for the whole. Nothing is written, and once the medium is back everything is there.
#[test]
fn unreadable_store_passes_for_no_other() {
    let mut key = prepared(true);
    let before = look(&mut key);
    let by_id = key.assertion(&Request::get_assertion(RP));
    let token = key.token(Protocol::Two, "1234", permission::CM, None).unwrap();
    let of_rp = map([(1, sha256(RP.as_bytes()))]);
    let managing = Request::credential_management;
    // The touches come last, for they end what the token may do.
    let requests = [
        managing(cm::GET_CREDS_METADATA).managed(&token),
        managing(cm::ENUMERATE_RPS_BEGIN).managed(&token),
        managing(cm::ENUMERATE_CREDENTIALS_BEGIN).with(cm::PARAMS, of_rp).managed(&token),
        Request::get_assertion(RP),
        Request::get_assertion(RP).listing(&[by_id.id()]),
    ];
    let mut refused = [0; 5];
    for (request, refused) in requests.iter().zip(&mut refused) {
        loop {
            let (reads, commits) = (key.memory().reads(), key.memory().commits());
            key.memory().fail_reads_after(Some(*refused));
            let answer = key.send(&request.bytes());
            key.memory().fail_reads_after(None);
            if key.memory().reads() - reads <= *refused {
                assert_eq!(answer[0], SUCCESS);
                break;
            }
            assert_eq!(answer, [OTHER], "read {refused} fails: {request:?}");
            assert_eq!(key.memory().commits(), commits);
            *refused += 1;
        }
    }
    assert!(refused[1] > 0 && refused[2] > 0 && refused[3] >= 3, "records are read: {refused:?}");
    assert_eq!(look(&mut key), before);
}

/// ST-07: a non-discoverable credential's id holds nothing readable of party or user.
#[test]
fn credential_ids_reveal_nothing() {
    let mut key = Key::fresh();
    let user = [0xAB; 16];
    let rp_id = "a-rather-long-name.example";
    for rk in [false, true] {
        let made = key.make(&Request::make_credential_for(rp_id, &user).option("rk", rk));
        let hash = sha256(rp_id.as_bytes());
        for part in [&hash[..8], &hash[8..16], &hash[24..], b"a-rather", &user[..8], b"example"] {
            assert!(!made.id().windows(part.len()).any(|window| window == part));
        }
    }
}

/// ST-07, ST-05: the store holds nothing readable: no RP ID or its hash, no user id or name, no PIN hash, no
/// credential public key; before and after a reset.
#[test]
fn store_holds_nothing_readable() {
    let mut key = Key::fresh();
    let user = map([
        ("id", softkey_tests::Value::from(b"user-id-of-the-account")),
        ("name", "name-of-the-account".into()),
        ("displayName", "Display Name Of The Account".into()),
    ]);
    let request = Request::make_credential_for("reveal-nothing.example", &[1]).discoverable();
    let made = key.make(&request.with(mc::USER, user));
    key.set_pin("123456");
    let hash = sha256(b"reveal-nothing.example");
    let secrets: Vec<Vec<u8>> = vec![
        b"reveal-nothing".to_vec(),
        hash[..8].to_vec(),
        b"user-id-of-the".to_vec(),
        b"name-of-the".to_vec(),
        b"Display Name".to_vec(),
        pin_hash("123456")[..8].to_vec(),
        b"123456".to_vec(),
        made.public_key().get(-2).bytes()[..8].to_vec(),
        made.id()[..8].to_vec(),
    ];
    let assert_hidden = |memory: &Memory| {
        for (record, value) in memory.dump() {
            for secret in &secrets {
                let found =
                    |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret);
                assert!(!found(&record) && !found(&value), "{:?}", String::from_utf8_lossy(secret));
            }
        }
    };
    assert!(!key.memory().dump().is_empty());
    assert_hidden(key.memory());
    assert_eq!(key.send(&[command::RESET]), [SUCCESS]);
    assert_hidden(key.memory());
}

/// ST-08: without entropy nothing is made and nothing is written; with it back everything works.
#[test]
fn failing_entropy_makes_operations_fail() {
    let mut key = Key::fresh();
    let commits = key.commits();
    key.entropy().fail(true);
    for rk in [false, true] {
        assert_eq!(key.status(&Request::make_credential().option("rk", rk)), OTHER);
    }
    let answer = key.u2f_polling(&u2f::register(&[1; 32], &[2; 32]));
    assert_ne!(u2f::status_word(&answer), word::NO_ERROR);
    assert_eq!(key.commits(), commits, "nothing is written");
    key.entropy().fail(false);
    still_works(&mut key);
    key.set_pin("1234");
    let shared = key.agree(Protocol::Two);
    key.entropy().fail(true);
    let token = token_request(&shared, "1234", permission::GA, Some(RP));
    assert_eq!(key.status(&token), OTHER, "no token without entropy");
    key.entropy().fail(false);
    key.token(Protocol::Two, "1234", permission::GA, Some(RP)).unwrap();
}

/// Everything a key answers to a day's work.
fn transcript(seed: u64) -> Vec<Vec<u8>> {
    let mut key = Key::with_seed(seed);
    let mut answers = Vec::new();
    for rk in [false, true] {
        answers.push(key.send(&Request::make_credential().option("rk", rk).bytes()));
    }
    answers.push(key.send(&Request::get_assertion(RP).bytes()));
    answers.push(key.send(&[command::GET_INFO]));
    answers.push(key.key_agreement(Protocol::One).encode());
    key.set_pin("1234");
    answers.push(key.pin_token(Protocol::Two, "1234").unwrap().bytes().to_vec());
    answers.push(key.u2f_polling(&u2f::register(&[1; 32], &[2; 32])));
    answers
}

/// ST-09: one seed, one transcript; another seed, another.
#[test]
fn seeded_transcripts_are_identical() {
    assert_eq!(transcript(1), transcript(1));
    let (one, two) = (transcript(1), transcript(2));
    for place in [0, 1, 2, 4, 5, 6] {
        assert_ne!(one[place], two[place], "answer {place}");
    }
}

/// ST-10: a thousand registrations and assertions leave the store with the records of ten.
#[test]
fn thousand_operations_leave_no_trace() {
    let mut key = Key::fresh();
    let mut work = |times: u32| {
        for _ in 0..times {
            let made = key.make(&Request::make_credential());
            key.assertion_by(&made, &made.get());
            let made = key.make(&Request::make_credential().discoverable());
            key.assertion_by(&made, &Request::get_assertion(RP));
        }
        let dump = key.memory().dump();
        (dump.len(), dump.iter().map(|(record, value)| record.len() + value.len()).sum::<usize>())
    };
    let (records, bytes) = work(10);
    let (records_later, bytes_later) = work(500);
    assert_eq!(records_later, records);
    assert!(
        bytes_later < bytes + 32,
        "{bytes_later} bytes after {bytes}: more than counters that grew"
    );
}

/// ST-11: two programs on two channels do their ceremonies step by step in turn, and both finish.
#[test]
fn two_programs_in_turn_both_finish() {
    let mut key = Key::fresh();
    let channels = [key.channel(), key.open_channel()];
    let parties = ["one.example", "two.example"];
    let mut made = Vec::new();
    for (channel, party) in channels.into_iter().zip(parties) {
        key.switch_to(channel);
        key.info();
        made.push(key.make(&Request::make_credential_for(party, &[1]).discoverable()));
    }
    for (channel, made) in channels.into_iter().zip(&made) {
        key.switch_to(channel);
        key.assertion_by(made, &Request::get_assertion(&made.rp_id));
    }
}
