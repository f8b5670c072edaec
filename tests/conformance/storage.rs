//! Storage, power and hygiene (ST).

mod writes;

use std::time::Duration;

use softkey_tests::cbor::map;
use softkey_tests::checks::{still_works, three_accounts};
use softkey_tests::key::{Memory, Profile};
use softkey_tests::parts::sha256;
use softkey_tests::pin::{Protocol, pin_hash};
use softkey_tests::platform::{Made, permission, token_request};
use softkey_tests::request::{cm, command, mc};
use softkey_tests::status::{OTHER, SUCCESS};
use softkey_tests::{Key, Request, User, u2f};

use writes::look;

const RP: &str = "example.com";

/// A key, just plugged in, with three accounts, a credential that is not discoverable and a U2F one.
struct Prepared {
    key: Key,
    other: Made,
    u2f: u2f::Registration,
}

fn prepared(profile: Profile, pin: bool) -> Prepared {
    let mut key = Key::with_profile(profile);
    three_accounts(&mut key, RP);
    let other = Request::make_credential_for("other.example", &[1]);
    let other = if key.info().has_extension("largeBlob") {
        other.extension("largeBlob", map([("support", "required")]))
    } else {
        other
    };
    let other = key.make(&other);
    let answer = key.u2f_polling(&u2f::register(&[1; 32], &[2; 32]));
    let u2f = u2f::Registration::parse(&answer, &[1; 32], &[2; 32]);
    if pin {
        key.set_pin("1234");
    }
    key.power_cycle();
    Prepared { key, other, u2f }
}

/// ST-03: from any read of a request on the medium cannot be read: the request fails with 0x7F, for no part of what it
/// looks at passes for the whole. Nothing is written, and once the medium is back everything is there.
#[test]
fn unreadable_store_passes_for_no_other() {
    let mut prepared = prepared(Profile::of_this_run(), true);
    let before = look(&mut prepared);
    let key = &mut prepared.key;
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
    prepared.key.power_cycle();
    let seen = look(&mut prepared);
    assert_eq!(seen.counted_after(&before), before.without_counts());
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
    assert_eq!(u2f::status_word(&answer), 0x6F00);
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

/// ST-10: a thousand registrations and assertions leave the store with the records of ten, and the next ones read no more
/// of it.
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
        let bytes = dump.iter().map(|(record, value)| record.len() + value.len()).sum::<usize>();
        (dump.len(), bytes, key.memory().reads())
    };
    let (records, bytes, reads) = work(10);
    let (_, _, ten_more) = work(10);
    let (records_later, bytes_later, reads_later) = work(480);
    let (_, _, ten_later) = work(10);
    assert_eq!(records_later, records);
    assert_eq!(ten_later - reads_later, ten_more - reads, "reads of ten operations");
    assert!(
        bytes_later < bytes + 32,
        "{bytes_later} bytes after {bytes}: more than counters that grew"
    );
}

/// ST-11: two programs on two channels do their ceremonies step by step in turn, and both finish; the one that comes while
/// the other waits for a slow user is told so, and finishes later.
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
    key.user(User::ApprovesAfter(Duration::from_secs(5)));
    key.switch_to(channels[0]);
    key.post(&Request::get_assertion(parties[0]).bytes());
    key.switch_to(channels[1]);
    for _ in 0..4 {
        let busy = key.try_send(&Request::get_assertion(parties[1]).bytes());
        assert_eq!(busy, Err(0x06));
        key.advance(Duration::from_secs(1));
    }
    key.advance(Duration::from_secs(1));
    key.assertion_by(&made[1], &Request::get_assertion(parties[1]));
    key.switch_to(channels[0]);
    assert_eq!(key.answer().unwrap()[0], SUCCESS);
}
