//! Counting and listing.

use std::collections::BTreeMap;
use std::time::Duration;

use softkey_tests::cbor::{Value, map};
use softkey_tests::checks::{refused, refused_and_token_kept};
use softkey_tests::parts::sha256;
use softkey_tests::pin::{Protocol, Token};
use softkey_tests::platform::Made;
use softkey_tests::platform::permission::{ACFG, CM};
use softkey_tests::request::{alg, algorithms, cf, cm, command, mc};
use softkey_tests::status::{NO_CREDENTIALS, NOT_ALLOWED, SUCCESS};
use softkey_tests::{Key, Request, u2f};

use super::{
    PIN, account, cm_token, credentials, credentials_begin, delete, metadata, next, pcmr_token,
    rps_begin, update_unsigned, with_pin,
};

/// All parties, as the enumeration gives them: id and hash.
#[track_caller]
fn parties(key: &mut Key, begin: &Request) -> BTreeMap<String, Vec<u8>> {
    let first = key.ok(begin);
    let total = first.get(5).uint();
    let mut all = vec![first];
    for _ in 1..total {
        let entry = key.ok(&next(cm::ENUMERATE_RPS_NEXT));
        assert_eq!(entry.keys(), [Value::from(3), 4.into()]);
        all.push(entry);
    }
    let parties: BTreeMap<_, _> = all
        .iter()
        .map(|entry| (entry.get(3).get("id").text().to_owned(), entry.get(4).bytes().to_vec()))
        .collect();
    assert_eq!(parties.len(), all.len(), "a party came twice");
    parties
}

/// CM-05, CM-06: an empty store is counted, and has no parties.
#[test]
fn empty_store_is_counted_and_has_no_parties() {
    let mut key = with_pin();
    let token = cm_token(&mut key);
    let counts = key.ok(&metadata(&token));
    assert_eq!(counts.keys(), [Value::from(1), 2.into()]);
    assert_eq!(counts.get(1).uint(), 0);
    assert!(counts.get(2).uint() > 0);
    refused_and_token_kept(&mut key, &rps_begin(&token), NO_CREDENTIALS);
    refused(&mut key, &credentials_begin(&token, "example.com"), NO_CREDENTIALS);
}

/// CM-05: existing and remaining move together; replacing and non-discoverable credentials move nothing.
/// CT-CM-counts.
#[test]
fn metadata_counts_accounts() {
    let mut key = Key::fresh();
    let mut made = Vec::new();
    for id in 1..=5 {
        made.push(account(&mut key, "example.com", id));
        key.make(&Request::make_credential_for("example.com", &[id]));
    }
    made[4] = account(&mut key, "example.com", 5);
    key.set_pin(PIN);
    let token = cm_token(&mut key);
    let counts = |key: &mut Key| {
        let counts = key.ok(&metadata(&token));
        (counts.get(1).uint(), counts.get(2).uint())
    };
    let (existing, remaining) = counts(&mut key);
    assert_eq!(existing, 5);
    if let Some(announced) = key.info().0.at(0x14) {
        assert_eq!(announced.uint(), remaining);
    }
    for (deleted, made) in (1..).zip(&made) {
        assert_eq!(key.status(&delete(&token, made.id())), SUCCESS);
        assert_eq!(counts(&mut key), (existing - deleted, remaining + deleted));
    }
}

/// CM-07: one party: a total of one, and no next.
#[test]
fn one_party_has_no_next() {
    let mut key = Key::fresh();
    account(&mut key, "example.com", 1);
    key.set_pin(PIN);
    let token = cm_token(&mut key);
    let first = key.ok(&rps_begin(&token));
    assert_eq!(first.keys(), [Value::from(3), 4.into(), 5.into()]);
    assert_eq!(first.get(5).uint(), 1);
    assert_eq!(first.get(4).bytes(), sha256(b"example.com"));
    assert_eq!(key.status(&next(cm::ENUMERATE_RPS_NEXT)), NOT_ALLOWED);
}

/// CM-08, CM-09, CM-10: each party once, whole up to 255 bytes, with the hash of its full id; longer ids are cut
/// as the standard says.
/// CT-CM-rps.
#[test]
fn parties_come_once_with_id_and_hash() {
    let mut key = Key::fresh();
    let mut ids: Vec<String> =
        [1, 32, 33, 64, 255].map(|n| "abcdefgh".repeat(32)[..n].to_owned()).into();
    ids.extend(
        ["example.com", "b\u{FC}cher.example", "https://a.example/app-id"].map(str::to_owned),
    );
    for id in &ids {
        account(&mut key, id, 1);
        account(&mut key, id, 2);
    }
    key.set_pin(PIN);
    let token = cm_token(&mut key);
    let expected: BTreeMap<_, _> =
        ids.iter().map(|id| (id.clone(), sha256(id.as_bytes()).to_vec())).collect();
    assert_eq!(parties(&mut key, &rps_begin(&token)), expected);
}

/// CM-09: an id of more than 255 bytes: its protocol up to the colon, an ellipsis and its end, in 32 bytes; the
/// hash is that of the full id.
#[test]
fn overlong_party_id_is_cut_and_its_hash_is_not() {
    for (id, kept) in [
        (format!("https://{}", "x".repeat(300)), format!("https:\u{2026}{}", "x".repeat(23))),
        ("y".repeat(300), format!("\u{2026}{}", "y".repeat(29))),
    ] {
        let mut key = Key::fresh();
        let made = account(&mut key, &id, 1);
        key.set_pin(PIN);
        let token = cm_token(&mut key);
        let expected = BTreeMap::from([(kept, sha256(id.as_bytes()).to_vec())]);
        assert_eq!(parties(&mut key, &rps_begin(&token)), expected);
        assert_eq!(credentials(&mut key, &token, &id).len(), 1);
        key.assertion_by(&made, &Request::get_assertion(&id));
    }
}

/// CM-10: a party vanishes with its last account.
#[test]
fn party_vanishes_with_its_last_account() {
    let mut key = Key::fresh();
    let made = [1, 2].map(|id| account(&mut key, "example.com", id));
    account(&mut key, "other.example", 1);
    key.set_pin(PIN);
    let token = cm_token(&mut key);
    for (made, left) in made.iter().zip([2, 1]) {
        assert_eq!(key.status(&delete(&token, made.id())), SUCCESS);
        assert_eq!(parties(&mut key, &rps_begin(&token)).len(), left);
    }
    refused(&mut key, &credentials_begin(&token, "example.com"), NO_CREDENTIALS);
}

/// CM-11: credentials that are not discoverable, U2F's among them, are not listed.
#[test]
fn only_discoverable_credentials_are_listed() {
    let mut key = Key::fresh();
    key.make(&Request::make_credential());
    let application = sha256(b"example.com");
    let answer = key.u2f_polling(&u2f::register(&application, &[1; 32]));
    let _ = u2f::Registration::parse(&answer, &application, &[1; 32]);
    key.set_pin(PIN);
    let token = cm_token(&mut key);
    assert_eq!(key.ok(&metadata(&token)).get(1).uint(), 0);
    refused_and_token_kept(&mut key, &rps_begin(&token), NO_CREDENTIALS);
    refused(&mut key, &credentials_begin(&token, "example.com"), NO_CREDENTIALS);
}

/// CM-13, CM-14, CM-15, XP-08: an entry holds user, id, key and level, and nothing that was not asked for.
/// CT-CM-credentials.
#[test]
fn entry_holds_what_it_must() {
    for (algorithm, level) in [(alg::ES256, 1), (alg::EDDSA, 2), (alg::ESP256, 3)] {
        let mut key = Key::fresh();
        let user = map([
            ("id", Value::from([7; 20])),
            ("name", "n\u{E4}me".into()),
            ("displayName", "The Name".into()),
        ]);
        let request = Request::make_credential()
            .discoverable()
            .with(mc::USER, user.clone())
            .with(mc::PUB_KEY_CRED_PARAMS, algorithms(&[algorithm]))
            .extension("credProtect", level);
        let made = key.make(&request);
        key.set_pin(PIN);
        key.power_cycle();
        let token = cm_token(&mut key);
        let entry = key.ok(&credentials_begin(&token, "example.com"));
        assert_eq!(*entry.get(6), user);
        assert_eq!(*entry.get(7), softkey_tests::request::descriptor(made.id()));
        assert_eq!(entry.get(8).encode(), made.public_key().encode());
        assert_eq!((entry.get(9).uint(), entry.get(10).uint()), (1, u64::try_from(level).unwrap()));
        assert_eq!(entry.at(11), None, "no largeBlobKey");
        let payment = key.info().has_extension("thirdPartyPayment").then_some(Value::from(false));
        assert_eq!(entry.at(12), payment.as_ref());
    }
}

/// CM-13: a credential made without credProtect is of level 1, and an account without names has none.
#[test]
fn defaults_are_told() {
    let mut key = Key::fresh();
    key.make(&Request::make_credential().discoverable());
    key.set_pin(PIN);
    let token = cm_token(&mut key);
    let entry = key.ok(&credentials_begin(&token, "example.com"));
    assert_eq!((entry.get(6), entry.get(10)), (&map([("id", [1])]), &Value::from(1)));
}

/// CM-16: next after the last, without a begin, and of the other kind.
#[test]
fn next_needs_its_own_begin_and_ends() {
    let mut key = Key::fresh();
    for rp_id in ["a.example", "b.example"] {
        for id in 1..=2 {
            account(&mut key, rp_id, id);
        }
    }
    key.set_pin(PIN);
    let token = cm_token(&mut key);
    let kinds = [
        (rps_begin(&token), cm::ENUMERATE_RPS_NEXT, cm::ENUMERATE_CREDENTIALS_NEXT),
        (
            credentials_begin(&token, "a.example"),
            cm::ENUMERATE_CREDENTIALS_NEXT,
            cm::ENUMERATE_RPS_NEXT,
        ),
    ];
    for (begin, own, other) in kinds {
        assert_eq!(key.status(&next(own)), NOT_ALLOWED);
        key.ok(&begin);
        key.ok(&next(own));
        for _ in 0..2 {
            assert_eq!(key.status(&next(own)), NOT_ALLOWED);
        }
        key.ok(&begin);
        assert_eq!(key.status(&next(other)), NOT_ALLOWED);
        key.ok(&begin);
        assert_eq!(key.next_assertion_status(), NOT_ALLOWED);
    }
}

/// CM-17, CM-18: a command on the same channel ends the enumeration; one on another does not, unless it begins
/// one itself; another channel's next is refused.
#[test]
fn other_commands_end_the_enumeration_as_they_should() {
    let mut key = Key::fresh();
    for id in 1..=3 {
        account(&mut key, "example.com", id);
    }
    key.set_pin(PIN);
    let token = cm_token(&mut key);
    let (owner, other) = (key.channel(), key.open_channel());
    let begin = credentials_begin(&token, "example.com");
    let own_next = next(cm::ENUMERATE_CREDENTIALS_NEXT);
    for between in
        [vec![command::GET_INFO], rps_begin(&token).bytes(), vec![0xFF], metadata(&token).bytes()]
    {
        key.ok(&begin);
        key.send(&between);
        assert_eq!(key.status(&own_next), NOT_ALLOWED);
    }
    key.ok(&begin);
    key.init();
    assert_eq!(key.status(&own_next), NOT_ALLOWED);
    key.ok(&begin);
    key.switch_to(other);
    assert_eq!(key.status(&own_next), NOT_ALLOWED);
    key.info();
    key.ok(&metadata(&token));
    key.switch_to(owner);
    key.ok(&own_next);
    key.switch_to(other);
    key.ok(&Request::get_assertion("example.com").option("up", false));
    key.switch_to(owner);
    assert_eq!(key.status(&own_next), NOT_ALLOWED);
    assert_eq!(credentials(&mut key, &token, "example.com").len(), 3, "nothing stored is lost");
}

/// CM-18, PT-13: an enumeration ends with its token, though its next steps bring none.
#[test]
fn enumeration_ends_with_its_token() {
    let mut key = Key::fresh();
    for id in 1..=3 {
        account(&mut key, "example.com", id);
        account(&mut key, &format!("rp{id}.example"), id);
    }
    key.set_pin(PIN);
    for (subcommand, begin) in [
        (cm::ENUMERATE_RPS_NEXT, rps_begin as fn(&Token) -> Request),
        (cm::ENUMERATE_CREDENTIALS_NEXT, |token| credentials_begin(token, "example.com")),
    ] {
        let token = cm_token(&mut key);
        key.ok(&begin(&token));
        key.advance(Duration::from_secs(590));
        key.ok(&next(subcommand));
        key.advance(Duration::from_secs(11));
        refused(&mut key, &next(subcommand), NOT_ALLOWED);
    }
}

/// What a client does to a key, with a token for everything and a credential that is there.
type Change = fn(&mut Key, &Token, &Made);

/// CM-18, GN-04: whoever changes credentials, PIN or tokens ends what another client is walking through, which has no
/// token of its own or the persistent one.
#[test]
fn changes_by_others_end_the_enumeration() {
    let changes: [Change; 5] = [
        |key, _, _| assert_eq!(key.change_pin(PIN, "5678"), SUCCESS),
        |key, token, _| {
            let forced = Request::config(cf::SET_MIN_PIN_LENGTH).with(cf::PARAMS, map([(3, true)]));
            assert_eq!(key.status(&forced.managed(token)), SUCCESS);
        },
        |key, token, made| assert_eq!(key.status(&delete(token, made.id())), SUCCESS),
        |key, token, made| {
            let update = update_unsigned(made.id(), map([("id", [9])]));
            assert_eq!(key.status(&update.managed(token)), SUCCESS);
        },
        |key, _, _| drop(cm_token(key)),
    ];
    for (change, by_persistent_token) in changes.iter().flat_map(|it| [(it, true), (it, false)]) {
        let mut key = Key::fresh();
        for id in 1..=3 {
            account(&mut key, "example.com", id);
        }
        let made = account(&mut key, "example.org", 9);
        key.set_pin(PIN);
        let token = key.token(Protocol::Two, PIN, CM | ACFG, None).unwrap();
        let (begin, next) = if by_persistent_token {
            let begin = credentials_begin(&pcmr_token(&mut key), "example.com");
            (begin, next(cm::ENUMERATE_CREDENTIALS_NEXT).bytes())
        } else {
            // Silently, since a touch would spend the token.
            let begin = Request::get_assertion("example.com").option("up", false);
            (begin, vec![command::GET_NEXT_ASSERTION])
        };
        let (owner, other) = (key.channel(), key.open_channel());
        key.ok(&begin);
        key.switch_to(other);
        key.info();
        key.switch_to(owner);
        assert_eq!(key.status_of(&next), SUCCESS);
        key.switch_to(other);
        change(&mut key, &token, &made);
        key.switch_to(owner);
        assert_eq!(key.status_of(&next), NOT_ALLOWED);
    }
}

/// How many records a key with so many credentials of one party reads for each that it lists, and for each party of as
/// many others.
fn reads_for_each(count: u16) -> (u64, u64) {
    let mut key = Key::fresh();
    for n in 0..count {
        let (user, party) = (n.to_be_bytes(), format!("rp{n}.example"));
        key.ok(&Request::make_credential_for("one.example", &user).discoverable());
        key.ok(&Request::make_credential_for(&party, &user).discoverable());
    }
    key.set_pin(PIN);
    let token = cm_token(&mut key);
    let before = key.memory().reads();
    assert_eq!(credentials(&mut key, &token, "one.example").len(), usize::from(count));
    let between = key.memory().reads();
    let total = key.ok(&rps_begin(&token)).get(5).uint();
    assert_eq!(total, u64::from(count) + 1);
    for _ in 1..total {
        key.ok(&next(cm::ENUMERATE_RPS_NEXT));
    }
    let after = key.memory().reads();
    ((between - before) / u64::from(count), (after - between) / total)
}

/// CM-07: a list costs the same for each entry, however long it is.
#[test]
fn enumeration_is_linear() {
    let few = reads_for_each(10);
    assert_eq!(reads_for_each(150), few);
    assert!(few.0 <= 2 && few.1 <= 2, "{few:?}");
}

/// The same with 10 000 credentials, for the README's figure.
#[test]
#[ignore = "makes 10 000 credentials: cargo xtask ci --only enumeration"]
fn enumeration_is_linear_with_ten_thousand() {
    let few = reads_for_each(10);
    let many = reads_for_each(5_000);
    println!("records read for each credential and each party: {many:?} of 10 000, {few:?} of 20");
    assert_eq!(many, few);
}
