//! Accounts: which answer, in what order, with what of the user, and the counter.

use softkey_tests::cbor::{Value, map};
use softkey_tests::checks::three_accounts;
use softkey_tests::pin::Protocol;
use softkey_tests::platform::permission::GA;
use softkey_tests::request::mc;
use softkey_tests::status::NOT_ALLOWED;
use softkey_tests::{Key, Request};

const RP: &str = "example.com";

/// GA-25: a discoverable credential names its user, another one does not.
#[test]
fn user_is_named_for_discoverable_credentials_only() {
    let mut key = Key::fresh();
    let discoverable = key.make(&Request::make_credential().discoverable());
    let other = key.make(&Request::make_credential_for(RP, &[2]));
    for request in
        [discoverable.get(), Request::get_assertion(RP), discoverable.get().option("up", false)]
    {
        let assertion = key.assertion_by(&discoverable, &request);
        assert_eq!(*assertion.answer.get(4), map([("id", [1])]));
    }
    assert_eq!(key.assertion_by(&other, &other.get()).answer.at(4), None);
}

/// GA-26: without user verification the user map holds only the id, with one account and with several.
/// CT-RK-three.
#[test]
fn without_uv_only_the_user_id_is_told() {
    let mut key = Key::fresh();
    let made = three_accounts(&mut key, RP);
    let request = Request::get_assertion(RP);
    let first = key.assertion(&request);
    assert_eq!(*first.answer.get(4), map([("id", [3])]));
    for id in [2, 1] {
        assert_eq!(*key.next_assertion(&request).answer.get(4), map([("id", [id])]));
    }
    assert_eq!(*key.assertion(&made[0].get()).answer.get(4), map([("id", [1])]));
    key.set_pin("1234");
    assert_eq!(*key.assertion(&request).answer.get(4), map([("id", [3])]));
}

/// GA-27: with user verification and several accounts the names come exactly as stored.
/// CT-RK-two-uv.
#[test]
fn with_uv_and_several_accounts_names_are_told() {
    let mut key = Key::fresh();
    three_accounts(&mut key, RP);
    key.set_pin("1234");
    let token = key.token(Protocol::Two, "1234", GA, Some(RP)).unwrap();
    let request = Request::get_assertion(RP).authorized(&token);
    let user = |id: u8| {
        map([
            ("id", Value::from([id])),
            ("name", format!("user{id}").into()),
            ("displayName", format!("User {id}").into()),
        ])
    };
    assert_eq!(key.assertion(&request).answer.get(4).encode(), user(3).encode());
    for id in [2, 1] {
        assert_eq!(key.next_assertion(&request).answer.get(4).encode(), user(id).encode());
    }
}

/// GA-27: with user verification and one account, or one that was listed, the id alone is told; members the
/// party never gave do not appear.
#[test]
fn with_uv_and_one_account_only_the_id_is_told() {
    let mut key = Key::fresh();
    let user = map([("id", Value::from([1])), ("name", "n".into()), ("displayName", "d".into())]);
    let made = key.make(&Request::make_credential().discoverable().with(mc::USER, user));
    key.set_pin("1234");
    for request in [Request::get_assertion(RP), made.get()] {
        let token = key.token(Protocol::Two, "1234", GA, Some(RP)).unwrap();
        assert_eq!(*key.assertion(&request.authorized(&token)).answer.get(4), map([("id", [1])]));
    }
}

/// GA-27: an account stored without names has none to tell.
#[test]
fn absent_names_are_not_told() {
    let mut key = Key::fresh();
    let named = map([("id", Value::from([1])), ("name", "n".into())]);
    key.make(&Request::make_credential().discoverable().with(mc::USER, named.clone()));
    key.make(&Request::make_credential_for(RP, &[2]).discoverable());
    key.set_pin("1234");
    let token = key.token(Protocol::Two, "1234", GA, Some(RP)).unwrap();
    let request = Request::get_assertion(RP).authorized(&token);
    assert_eq!(*key.assertion(&request).answer.get(4), map([("id", [2])]));
    assert_eq!(*key.next_assertion(&request).answer.get(4), named);
}

/// GA-29: without an allowList the newest account answers first and the count says how many there are; one
/// account is not counted.
/// CT-RK-three.
#[test]
fn accounts_are_counted_and_come_newest_first() {
    let mut key = Key::fresh();
    let request = Request::get_assertion(RP);
    for n in 1..=5_u8 {
        key.make(&Request::make_credential_for(RP, &[n]).discoverable());
        key.make(&Request::make_credential_for(RP, &[100 + n]));
        key.make(&Request::make_credential_for("other.example", &[n]).discoverable());
        let first = key.assertion(&request);
        assert_eq!(first.user_id(), [n]);
        let counted = first.answer.at(5).map(Value::uint);
        assert_eq!(counted, (n > 1).then_some(u64::from(n)));
    }
    // Made again, an account is the newest.
    key.make(&Request::make_credential_for(RP, &[2]).discoverable());
    let mut order = vec![key.assertion(&request).user_id().to_vec()];
    order.extend((1..5).map(|_| key.next_assertion(&request).user_id().to_vec()));
    assert_eq!(order.concat(), [2, 5, 4, 3, 1]);
    key.power_cycle();
    assert_eq!(key.assertion(&request).user_id(), [2]);
}

/// GA-30: the counter grows with each assertion of a credential, silent ones included, and over power cycles.
/// CT-GA-Resp-1-counter.
#[test]
fn counter_grows_with_each_assertion_and_over_power_cycles() {
    let mut key = Key::fresh();
    let credentials = [
        key.make(&Request::make_credential()),
        key.make(&Request::make_credential_for(RP, &[2]).discoverable()),
    ];
    let mut last = credentials.each_ref().map(|made| made.auth_data.sign_count);
    let constant_zero =
        last == [0, 0] && key.assertion(&credentials[0].get()).auth_data.sign_count == 0;
    for round in 0..80 {
        for (made, last) in credentials.iter().zip(&mut last) {
            let request = made.get().option("up", round % 3 != 0);
            let count = key.assertion_by(made, &request).auth_data.sign_count;
            assert!(
                count > *last || (constant_zero && count == 0),
                "{count} after {last} in round {round}"
            );
            *last = count;
        }
        if round % 7 == 0 {
            key.power_cycle();
        }
    }
}

/// GA-34: a hundred accounts of one party all come out, each once.
#[test]
fn hundred_accounts_all_come_out() {
    let mut key = Key::fresh();
    for n in 0..100 {
        key.make(&Request::make_credential_for(RP, &[n]).discoverable());
    }
    let request = Request::get_assertion(RP);
    let first = key.assertion(&request);
    assert_eq!(first.answer.get(5).uint(), 100);
    let mut users = vec![first.user_id()[0]];
    users.extend((1..100).map(|_| key.next_assertion(&request).user_id()[0]));
    assert_eq!(users, (0..100).rev().collect::<Vec<_>>());
    assert_eq!(key.next_assertion_status(), NOT_ALLOWED);
}

/// GA-28: no answer carries an empty user id, whatever was tried. (`assertion` checks every user map.)
#[test]
fn empty_user_id_cannot_come_into_being() {
    let mut key = Key::fresh();
    for id in [vec![], vec![1; 65]] {
        let request = Request::make_credential().discoverable().with(mc::USER, map([("id", id)]));
        assert_eq!(key.send(&request.bytes()), [softkey_tests::status::INVALID_LENGTH]);
    }
    let user = map([("name", "x")]);
    let request = Request::make_credential().discoverable().with(mc::USER, user);
    assert_eq!(key.send(&request.bytes()), [softkey_tests::status::MISSING_PARAMETER]);
    softkey_tests::checks::no_account(&mut key, RP);
}
