//! Deleting and renaming.

use std::collections::BTreeMap;

use softkey_tests::cbor::{Value, map};
use softkey_tests::checks::refused_and_token_kept;
use softkey_tests::parts::sha256;
use softkey_tests::request::{cm, mc};
use softkey_tests::status::{INVALID_PARAMETER, NO_CREDENTIALS, NOT_ALLOWED, SUCCESS};
use softkey_tests::{Key, Request};

use super::{
    PIN, account, cm_token, credentials, credentials_begin, delete, metadata, next, update_unsigned,
};

const RP: &str = "example.com";

/// CM-19, CM-21: first, middle and last of three: that one is gone for good, the others stay.
/// CT-CM-delete.
#[test]
fn deleted_credential_is_gone_and_no_other() {
    for victim in 0..3 {
        let mut key = Key::fresh();
        let made: Vec<_> = (1..=3).map(|id| account(&mut key, RP, id)).collect();
        key.set_pin(PIN);
        let token = cm_token(&mut key);
        assert_eq!(key.send(&delete(&token, made[victim].id()).bytes()), [SUCCESS]);
        for _ in 0..2 {
            for (place, made) in made.iter().enumerate() {
                if place == victim {
                    assert_eq!(key.status(&made.get()), NO_CREDENTIALS);
                } else {
                    key.assertion_by(made, &made.get());
                }
            }
            assert_eq!(key.assertion(&Request::get_assertion(RP)).answer.get(5).uint(), 2);
            key.power_cycle();
        }
        let token = cm_token(&mut key);
        assert_eq!(credentials(&mut key, &token, RP).len(), 2);
        assert_eq!(key.ok(&metadata(&token)).get(1).uint(), 2);
    }
}

/// CM-20: an id that is not there, that of a non-discoverable credential included.
#[test]
fn unknown_credential_cannot_be_deleted() {
    let mut key = Key::fresh();
    account(&mut key, RP, 1);
    let other = key.make(&Request::make_credential());
    key.set_pin(PIN);
    let token = cm_token(&mut key);
    for id in [other.id(), &[7; 32], &[]] {
        refused_and_token_kept(&mut key, &delete(&token, id), NO_CREDENTIALS);
    }
    key.assertion_by(&other, &other.get());
}

/// CM-16: a deletion ends an enumeration.
#[test]
fn deletion_ends_the_enumeration() {
    let mut key = Key::fresh();
    let made: Vec<_> = (1..=3).map(|id| account(&mut key, RP, id)).collect();
    key.set_pin(PIN);
    let token = cm_token(&mut key);
    key.ok(&credentials_begin(&token, RP));
    assert_eq!(key.status(&delete(&token, made[0].id())), SUCCESS);
    assert_eq!(key.status(&next(cm::ENUMERATE_CREDENTIALS_NEXT)), NOT_ALLOWED);
}

/// CM-23: names are replaced; absent and empty ones are removed; id, key and credential id stay.
/// CT-CM-update.
#[test]
fn update_replaces_and_removes_names() {
    let name = |name: &str| ("name", Value::from(name));
    let id = || ("id", Value::from([1]));
    let cases = [
        (
            map([id(), name("new"), ("displayName", "New".into())]),
            map([id(), name("new"), ("displayName", "New".into())]),
        ),
        (map([id(), name("only")]), map([id(), name("only")])),
        (map([id(), name(""), ("displayName", "".into())]), map([id()])),
        (map([id()]), map([id()])),
        (map([id(), name(&"x".repeat(100))]), map([id(), name(&"x".repeat(64))])),
    ];
    for (update, expected) in cases {
        let mut key = Key::fresh();
        let made = account(&mut key, RP, 1);
        key.set_pin(PIN);
        let token = cm_token(&mut key);
        assert_eq!(
            key.send(&update_unsigned(made.id(), update).managed(&token).bytes()),
            [SUCCESS]
        );
        key.power_cycle();
        let token = cm_token(&mut key);
        let entry = key.ok(&credentials_begin(&token, RP));
        assert_eq!(*entry.get(6), expected);
        assert_eq!(entry.get(7).get("id").bytes(), made.id());
        assert_eq!(entry.get(8), made.public_key());
        key.assertion_by(&made, &made.get());
    }
}

/// CM-24: another user id; a credential that is not there.
#[test]
fn update_of_another_account_is_refused() {
    let mut key = Key::fresh();
    let made = account(&mut key, RP, 1);
    key.set_pin(PIN);
    let token = cm_token(&mut key);
    let other_user = update_unsigned(made.id(), map([("id", [2])])).managed(&token);
    refused_and_token_kept(&mut key, &other_user, INVALID_PARAMETER);
    let unknown = update_unsigned(&[7; 32], map([("id", [1])])).managed(&token);
    refused_and_token_kept(&mut key, &unknown, NO_CREDENTIALS);
    let entry = key.ok(&credentials_begin(&token, RP));
    assert_eq!(entry.get(6).get("name").text(), "name1");
}

/// CM-25: an update does not make an account newer.
#[test]
fn update_does_not_reorder() {
    let mut key = Key::fresh();
    let made: Vec<_> = (1..=3).map(|id| account(&mut key, RP, id)).collect();
    key.set_pin(PIN);
    let token = cm_token(&mut key);
    let update =
        update_unsigned(made[0].id(), map([("id", Value::from([1])), ("name", "x".into())]));
    assert_eq!(key.status(&update.managed(&token)), SUCCESS);
    let request = Request::get_assertion(RP);
    let mut order = vec![key.assertion(&request).user_id()[0]];
    order.extend((0..2).map(|_| key.next_assertion(&request).user_id()[0]));
    assert_eq!(order, [3, 2, 1]);
}

/// CM-26: no room for the longer record: the old one stays.
#[test]
fn update_without_room_keeps_the_old_record() {
    let mut key = Key::fresh();
    let made = account(&mut key, RP, 1);
    key.set_pin(PIN);
    let token = cm_token(&mut key);
    key.memory().full(true);
    let longer = map([("id", Value::from([1])), ("name", "x".repeat(60).into())]);
    let update = update_unsigned(made.id(), longer).managed(&token);
    refused_and_token_kept(&mut key, &update, softkey_tests::status::KEY_STORE_FULL);
    let entry = key.ok(&credentials_begin(&token, RP));
    assert_eq!(entry.get(6).get("name").text(), "name1");
}

/// CM-22: fifty rounds of making, replacing, deleting and listing by chance: key and model agree throughout.
#[test]
fn random_changes_agree_with_a_model() {
    let mut key = Key::fresh();
    key.set_pin(PIN);
    let mut model: BTreeMap<(String, u8), Vec<u8>> = BTreeMap::new();
    for round in 0..50_u8 {
        let dice = sha256(&[round]);
        let (rp_id, user) = (format!("{}.example", dice[0] % 3), dice[1] % 4);
        let known = model.get(&(rp_id.clone(), user)).cloned();
        if let Some(id) = known.filter(|_| dice[2].is_multiple_of(3)) {
            let token = cm_token(&mut key);
            assert_eq!(key.status(&delete(&token, &id)), SUCCESS);
            model.remove(&(rp_id, user));
        } else {
            let token = key.pin_token(softkey_tests::pin::Protocol::Two, PIN).unwrap();
            let request = Request::make_credential_for(&rp_id, &[user]).discoverable();
            let named = request.member(mc::USER).clone().with("name", format!("round {round}"));
            let made = key.make(&request.with(mc::USER, named).authorized(&token));
            model.insert((rp_id, user), made.id().to_vec());
        }
        if dice[3].is_multiple_of(4) {
            key.power_cycle();
        }
        let token = cm_token(&mut key);
        assert_eq!(key.ok(&metadata(&token)).get(1).uint(), model.len() as u64);
        for party in ["0.example", "1.example", "2.example"] {
            let expected: BTreeMap<u8, Vec<u8>> = model
                .iter()
                .filter(|((rp, _), _)| rp == party)
                .map(|((_, user), id)| (*user, id.clone()))
                .collect();
            let listed = if expected.is_empty() {
                assert_eq!(key.status(&credentials_begin(&token, party)), NO_CREDENTIALS);
                Vec::new()
            } else {
                credentials(&mut key, &token, party)
            };
            let listed: BTreeMap<u8, Vec<u8>> = listed
                .iter()
                .map(|entry| {
                    (entry.get(6).get("id").bytes()[0], entry.get(7).get("id").bytes().to_vec())
                })
                .collect();
            assert_eq!(listed, expected, "{party} in round {round}");
        }
    }
}
