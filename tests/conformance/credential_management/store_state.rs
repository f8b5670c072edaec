//! encIdentifier and encCredStoreState in getInfo (GI-23, GI-24), which belong to the persistent token.

use softkey_tests::cbor::{Value, map};
use softkey_tests::pin::{Token, decrypt_info_member};
use softkey_tests::request::command;
use softkey_tests::status::SUCCESS;
use softkey_tests::{Key, Request};

use super::{PIN, account, cm_token, delete, pcmr_token, update_unsigned, with_pin};

const IDENTIFIER: (i64, &str) = (0x19, "encIdentifier");
const STORE_STATE: (i64, &str) = (0x1E, "encCredStoreState");

#[track_caller]
fn plaintext(key: &mut Key, token: &Token, (member, info): (i64, &str)) -> [u8; 16] {
    let value = key.info().0.get(member).bytes().to_vec();
    assert_eq!(value.len(), 32);
    decrypt_info_member(token, info, &value)
}

/// GI-23: they come with the persistent token and go with it; each call has its own bytes for the same text.
/// CT-GI-encrypted.
#[test]
fn members_live_with_the_persistent_token() {
    let mut key = with_pin();
    let absent = |key: &mut Key| {
        [IDENTIFIER, STORE_STATE].map(|(member, _)| key.info().0.at(member).is_none())
    };
    assert_eq!(absent(&mut key), [true; 2]);
    let token = pcmr_token(&mut key);
    for which in [IDENTIFIER, STORE_STATE] {
        let first = key.info().0.get(which.0).clone();
        assert_ne!(*key.info().0.get(which.0), first, "the IV is new each time");
        let text = plaintext(&mut key, &token, which);
        assert_eq!(plaintext(&mut key, &token, which), text);
        key.power_cycle();
        assert_eq!(plaintext(&mut key, &token, which), text);
    }
    assert_ne!(plaintext(&mut key, &token, IDENTIFIER), plaintext(&mut key, &token, STORE_STATE));
    assert_eq!(key.change_pin(PIN, "4321"), SUCCESS);
    assert_eq!(absent(&mut key), [true; 2]);
}

/// GI-24: the store state changes when an account is made, replaced, deleted or renamed, and by nothing else; the
/// identifier changes by none of these.
/// CT-RK-store-state, CT-CM-store-state.
#[test]
fn store_state_follows_the_accounts() {
    let mut key = with_pin();
    let token = pcmr_token(&mut key);
    let identifier = plaintext(&mut key, &token, IDENTIFIER);
    let mut state = plaintext(&mut key, &token, STORE_STATE);
    let mut changed = |key: &mut Key| {
        let now = plaintext(key, &token, STORE_STATE);
        std::mem::replace(&mut state, now) != now
    };
    let create = |key: &mut Key| {
        let token = key.pin_token(softkey_tests::pin::Protocol::Two, PIN).unwrap();
        key.make(&Request::make_credential().discoverable().authorized(&token))
    };
    create(&mut key);
    assert!(changed(&mut key), "created");
    let made = create(&mut key);
    assert!(changed(&mut key), "replaced");
    key.assertion_by(&made, &made.get());
    key.make(&Request::make_credential());
    key.power_cycle();
    assert!(!changed(&mut key), "an assertion, a non-discoverable credential, a power cycle");
    let manager = cm_token(&mut key);
    let update = update_unsigned(made.id(), map([("id", Value::from([1])), ("name", "x".into())]));
    assert_eq!(key.status(&update.managed(&manager)), SUCCESS);
    assert!(changed(&mut key), "renamed");
    assert_eq!(key.status(&delete(&manager, made.id())), SUCCESS);
    assert!(changed(&mut key), "deleted");
    assert_eq!(plaintext(&mut key, &token, IDENTIFIER), identifier);
}

/// GI-24: a reset gives another identifier and another state.
/// CT-GI-encrypted.
#[test]
fn reset_gives_another_identifier() {
    let mut key = Key::fresh();
    account(&mut key, "example.com", 1);
    let mut seen = Vec::new();
    for _ in 0..3 {
        key.set_pin(PIN);
        let token = pcmr_token(&mut key);
        seen.extend([IDENTIFIER, STORE_STATE].map(|which| plaintext(&mut key, &token, which)));
        assert_eq!(key.send(&[command::RESET]), [SUCCESS]);
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 6);
}

/// GI-24: the state is a fresh one, not a count: of two different changes to one and the same store, which was put back from
/// a copy, each gives another state.
#[test]
fn store_put_back_has_no_state_twice() {
    let mut key = Key::fresh();
    let made = account(&mut key, "example.com", 2);
    key.set_pin(PIN);
    let token = pcmr_token(&mut key);
    let copy = key.memory().copy();
    let create = |key: &mut Key, user: u8| {
        let token = key.pin_token(softkey_tests::pin::Protocol::Two, PIN).unwrap();
        let request = Request::make_credential_for("example.com", &[user]).discoverable();
        key.make(&request.authorized(&token));
    };
    let changes: [&dyn Fn(&mut Key); 4] = [
        &|key| create(key, 1),
        &|key| create(key, 2),
        &|key| {
            let manager = cm_token(key);
            assert_eq!(key.status(&delete(&manager, made.id())), SUCCESS);
        },
        &|key| {
            let manager = cm_token(key);
            let user = map([("id", Value::from([2])), ("name", "x".into())]);
            assert_eq!(key.status(&update_unsigned(made.id(), user).managed(&manager)), SUCCESS);
        },
    ];
    let mut states = vec![plaintext(&mut key, &token, STORE_STATE)];
    for change in changes {
        key.memory().put_back(copy.clone());
        key.power_cycle();
        change(&mut key);
        let state = plaintext(&mut key, &token, STORE_STATE);
        assert!(!states.contains(&state), "{states:02x?}");
        states.push(state);
    }
}
