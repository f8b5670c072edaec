//! The extension credProtect (XP).

use softkey_tests::cbor::{Value, map};
use softkey_tests::checks::{no_account, refused};
use softkey_tests::key::{Sensor, Setup};
use softkey_tests::pin::Protocol;
use softkey_tests::platform::Made;
use softkey_tests::platform::permission::GA;
use softkey_tests::request::cp;
use softkey_tests::status::{INVALID_OPTION, NO_CREDENTIALS, NOT_ALLOWED, word};
use softkey_tests::{Key, Request, u2f};

const RP: &str = "example.com";

fn request(level: u8, rk: bool) -> Request {
    let request = Request::make_credential_for(RP, &[level]).option("rk", rk);
    request.extension("credProtect", i64::from(level))
}

/// Discoverable credentials of levels 1, 2 and 3, made in this order.
fn three_levels(key: &mut Key) -> [Made; 3] {
    [1, 2, 3].map(|level| key.make(&request(level, true)))
}

fn verified(key: &mut Key, request: &Request) -> Request {
    if key.info().option("clientPin") == Some(false) {
        key.set_pin("1234");
    }
    let token = key.token(Protocol::Two, "1234", GA, Some(RP)).unwrap();
    request.clone().authorized(&token)
}

/// XP-01, XP-10: levels 1 to 3 are echoed, and nothing is output unasked.
/// CT-XP-levels.
#[test]
fn level_is_echoed_when_asked_for() {
    let mut key = Key::fresh();
    for rk in [false, true] {
        for level in 1..=3 {
            let made = key.make(&request(level, rk));
            assert_eq!(made.auth_data.extensions, Some(map([("credProtect", i64::from(level))])));
        }
        let made = key.make(&Request::make_credential().option("rk", rk));
        assert_eq!(made.auth_data.extensions, None);
    }
}

/// XP-02: a level that does not exist makes no credential.
#[test]
fn level_out_of_range_is_refused() {
    let mut key = Key::fresh();
    for level in [0, 4, 255, 1_i64 << 32] {
        let request = Request::make_credential().discoverable().extension("credProtect", level);
        refused(&mut key, &request, INVALID_OPTION);
    }
    no_account(&mut key, RP);
}

/// XP-04: level 2 is hidden without a list and without user verification, and found otherwise.
#[test]
fn level_two_needs_a_list_or_verification() {
    let mut key = Key::fresh();
    let made = key.make(&request(2, true));
    refused(&mut key, &Request::get_assertion(RP), NO_CREDENTIALS);
    key.assertion_by(&made, &made.get());
    key.assertion_by(&made, &made.get().option("up", false));
    let found = verified(&mut key, &Request::get_assertion(RP));
    key.assertion_by(&made, &found);
}

/// XP-05, XP-07: level 3 is hidden without user verification, listed or not, silent or not.
#[test]
fn level_three_needs_verification() {
    let mut key = Key::fresh();
    let made = key.make(&request(3, true));
    for up in [true, false] {
        refused(&mut key, &Request::get_assertion(RP).option("up", up), NO_CREDENTIALS);
        refused(&mut key, &made.get().option("up", up), NO_CREDENTIALS);
    }
    for up in [false, true] {
        let listed = verified(&mut key, &made.get().option("up", up));
        key.assertion_by(&made, &listed);
        let found = verified(&mut key, &Request::get_assertion(RP).option("up", up));
        key.assertion_by(&made, &found);
    }
}

/// XP-05: built-in verification finds level 3 as the PIN does, by the option and by a token.
#[test]
fn built_in_verification_finds_level_three() {
    let sensor = Some(Sensor { max_retries: 5, tries_per_request: 1, shows_presence: true });
    let mut key = Key::new(Setup { sensor, ..Setup::default() });
    let made = key.make(&request(3, true).option("uv", true));
    for request in [made.get(), Request::get_assertion(RP)] {
        refused(&mut key, &request, NO_CREDENTIALS);
        key.assertion_by(&made, &request.clone().option("uv", true));
        let token = key.token_by_uv(Protocol::Two, GA, Some(RP)).unwrap();
        key.assertion_by(&made, &request.authorized(&token));
    }
}

/// XP-06: the count is of those visible.
#[test]
fn only_visible_credentials_are_counted() {
    let mut key = Key::fresh();
    let [first, ..] = three_levels(&mut key);
    let unprotected = key.make(&Request::make_credential_for(RP, &[9]).discoverable());
    let request = Request::get_assertion(RP);
    let assertion = key.assertion_by(&unprotected, &request);
    assert_eq!(assertion.answer.get(5).uint(), 2);
    key.next_assertion(&request).verify(&first);
    assert_eq!(key.next_assertion_status(), NOT_ALLOWED);
    let request = verified(&mut key, &request);
    assert_eq!(key.assertion_by(&unprotected, &request).answer.get(5).uint(), 4);
    let users: Vec<_> = (0..3).map(|_| key.next_assertion(&request).user_id()[0]).collect();
    assert_eq!(users, [3, 2, 1]);
}

/// XP-06: one visible credential among hidden ones is alone: no count, no next.
#[test]
fn one_visible_credential_is_not_counted() {
    let mut key = Key::fresh();
    let [first, ..] = three_levels(&mut key);
    let assertion = key.assertion_by(&first, &Request::get_assertion(RP));
    assert_eq!(assertion.answer.at(5), None);
    assert_eq!(key.next_assertion_status(), NOT_ALLOWED);
}

/// XP-08: levels stay over a power cycle.
/// CT-XP-listed-levels.
#[test]
fn levels_survive_a_power_cycle() {
    let mut key = Key::fresh();
    let [first, second, third] = three_levels(&mut key);
    key.power_cycle();
    key.assertion_by(&first, &Request::get_assertion(RP));
    key.assertion_by(&second, &second.get());
    refused(&mut key, &third.get(), NO_CREDENTIALS);
}

/// XP-04, XP-09: a credential of level 3 is no key handle; one of level 2, which a handle names, is.
#[test]
fn level_three_is_unusable_over_u2f() {
    let mut key = Key::fresh();
    let application = softkey_tests::parts::sha256(RP.as_bytes());
    let found = word::CONDITIONS_NOT_SATISFIED;
    for (level, expected) in [(1, found), (2, found), (3, word::WRONG_DATA)] {
        let made = key.make(&request(level, false));
        assert!(made.id().len() <= 255, "short enough for a key handle");
        for p1 in [u2f::CHECK_ONLY, u2f::ENFORCE] {
            let apdu = u2f::authenticate(p1, &application, &[1; 32], made.id());
            assert_eq!(u2f::status_word(&key.u2f(&apdu)), expected, "level {level}");
        }
    }
    let made = key.make(&request(3, false));
    let apdu = u2f::authenticate(u2f::DONT_ENFORCE, &application, &[1; 32], made.id());
    assert_eq!(u2f::status_word(&key.u2f(&apdu)), word::WRONG_DATA);
}

/// XP-11: non-discoverable credentials obey levels too: 2 is found by its id, 3 only with verification.
#[test]
fn non_discoverable_credentials_obey_levels() {
    let mut key = Key::fresh();
    let [_, second, third] = [1, 2, 3].map(|level| key.make(&request(level, false)));
    key.assertion_by(&second, &second.get());
    refused(&mut key, &third.get(), NO_CREDENTIALS);
    let both = Request::get_assertion(RP).listing(&[third.id(), second.id()]);
    key.assertion_by(&second, &both);
    let found = verified(&mut key, &third.get());
    key.assertion_by(&third, &found);
}

/// XP-05: a level 3 credential that was made with the PIN in hand hides from who has it not.
#[test]
fn level_three_made_with_a_token_hides_without_one() {
    let mut key = Key::fresh();
    key.set_pin("1234");
    let token = key.pin_token(Protocol::Two, "1234").unwrap();
    let made = key.make(&request(3, true).authorized(&token));
    refused(&mut key, &made.get(), NO_CREDENTIALS);
    refused(&mut key, &Request::get_assertion(RP), NO_CREDENTIALS);
    assert_eq!(key.ok(&Request::client_pin(cp::GET_PIN_RETRIES)).get(3), &Value::from(8));
}
