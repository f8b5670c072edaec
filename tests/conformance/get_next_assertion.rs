//! authenticatorGetNextAssertion (GN).

use std::time::Duration;

use softkey_tests::auth_data::{UP, UV};
use softkey_tests::checks::three_accounts;
use softkey_tests::pin::Protocol;
use softkey_tests::platform::Made;
use softkey_tests::platform::permission::GA;
use softkey_tests::request::{command, cp};
use softkey_tests::status::{NO_CREDENTIALS, NOT_ALLOWED, OPERATION_DENIED, SUCCESS};
use softkey_tests::{Key, Request, User};

const RP: &str = "example.com";

fn begun() -> (Key, Vec<Made>, Request) {
    let mut key = Key::fresh();
    let made = three_accounts(&mut key, RP);
    let request = Request::get_assertion(RP);
    assert_eq!(key.assertion(&request).answer.get(5).uint(), 3);
    (key, made, request)
}

/// GN-01: without a getAssertion before it; after one without further accounts; after one that failed.
#[test]
fn needs_an_assertion_with_more_to_come() {
    let mut key = Key::fresh();
    assert_eq!(key.next_assertion_status(), NOT_ALLOWED);
    key.make(&Request::make_credential().discoverable());
    assert_eq!(key.next_assertion_status(), NOT_ALLOWED);
    key.assertion(&Request::get_assertion(RP));
    assert_eq!(key.next_assertion_status(), NOT_ALLOWED);
    assert_eq!(key.status(&Request::get_assertion("nobody.example")), NO_CREDENTIALS);
    assert_eq!(key.next_assertion_status(), NOT_ALLOWED);
}

/// GN-01: a first call that the user refused leaves nothing to go on with.
#[test]
fn refused_first_call_leaves_no_state() {
    let (mut key, _, request) = begun();
    key.user(User::Refuses);
    assert_eq!(key.status(&request), OPERATION_DENIED);
    assert_eq!(key.next_assertion_status(), NOT_ALLOWED);
}

/// GN-02, GN-03: n-1 calls succeed without a touch and without a count, newest to oldest; the n-th fails.
/// CT-RK-two-uv.
#[test]
fn continues_newest_to_oldest_and_ends() {
    let (mut key, made, request) = begun();
    let prompts = key.prompts();
    for made in made.iter().rev().skip(1) {
        key.next_assertion(&request).verify(made);
    }
    assert_eq!(key.prompts(), prompts, "one touch serves the whole enumeration");
    for _ in 0..3 {
        assert_eq!(key.next_assertion_status(), NOT_ALLOWED);
    }
}

/// GN-04: any other command in between on the same channel drops the state, a refused one too, U2F too.
#[test]
fn other_command_in_between_drops_the_state() {
    let between: [&[u8]; 5] = [
        &[command::GET_INFO],
        &Request::client_pin(cp::GET_PIN_RETRIES).bytes(),
        &Request::get_assertion("nobody.example").bytes(),
        &[command::SELECTION],
        &[0xFF],
    ];
    for request in between {
        let (mut key, ..) = begun();
        key.send(request);
        assert_eq!(key.next_assertion_status(), NOT_ALLOWED, "after {request:?}");
    }
    let (mut key, ..) = begun();
    key.u2f(&[0, 3, 0, 0, 0, 0, 0]);
    assert_eq!(key.next_assertion_status(), NOT_ALLOWED, "after U2F VERSION");
    let (mut key, ..) = begun();
    key.init();
    assert_eq!(key.next_assertion_status(), NOT_ALLOWED, "after INIT");
}

/// GN-04: a command on another channel keeps the state, unless it begins one itself.
#[test]
fn harmless_command_on_another_channel_keeps_the_state() {
    let (mut key, made, request) = begun();
    let (owner, other) = (key.channel(), key.open_channel());
    key.switch_to(other);
    key.info();
    key.retries();
    assert_eq!(key.status(&Request::get_assertion("nobody.example")), NO_CREDENTIALS);
    assert_eq!(key.send(&[command::SELECTION]), [SUCCESS]);
    key.u2f(&[0, 3, 0, 0, 0, 0, 0]);
    key.switch_to(owner);
    key.next_assertion(&request).verify(&made[1]);
}

/// GN-04: one enumeration at a time in the whole key: another channel's takes over.
#[test]
fn enumeration_on_another_channel_takes_over() {
    let (mut key, made, request) = begun();
    let (owner, other) = (key.channel(), key.open_channel());
    key.switch_to(other);
    key.assertion(&request);
    key.switch_to(owner);
    assert_eq!(key.next_assertion_status(), NOT_ALLOWED);
    key.switch_to(other);
    key.next_assertion(&request).verify(&made[1]);
}

/// GN-04: a change of credentials, of the PIN or of tokens on another channel ends the enumeration.
#[test]
fn change_on_another_channel_drops_the_state() {
    type Change = fn(&mut Key);
    let changes: [(&str, Change); 4] = [
        ("a credential", |key| {
            key.make(&Request::make_credential_for(RP, &[9]).discoverable());
        }),
        ("the PIN", |key| key.set_pin("1234")),
        ("tokens", |key| drop(key.token(Protocol::Two, "0000", GA, Some(RP)).unwrap())),
        ("reset", |key| assert_eq!(key.send(&[command::RESET]), [SUCCESS])),
    ];
    for (name, change) in changes {
        let (mut key, _, request) = begun();
        if name == "tokens" {
            key.set_pin("0000");
            key.assertion(&request);
        }
        let (owner, other) = (key.channel(), key.open_channel());
        key.switch_to(other);
        change(&mut key);
        key.switch_to(owner);
        assert_eq!(key.next_assertion_status(), NOT_ALLOWED, "after a change of {name}");
    }
}

/// GN-05: another channel's call is refused, and the owner goes on.
#[test]
fn another_channel_is_refused_and_the_owner_goes_on() {
    let (mut key, made, request) = begun();
    let (owner, other) = (key.channel(), key.open_channel());
    for made in [&made[1], &made[0]] {
        key.switch_to(other);
        assert_eq!(key.next_assertion_status(), NOT_ALLOWED);
        key.switch_to(owner);
        key.next_assertion(&request).verify(made);
    }
}

/// GN-06: 29 s between two calls are in time, each anew; more than 30 s are not.
#[test]
fn state_ends_after_thirty_seconds() {
    let (mut key, made, request) = begun();
    for made in [&made[1], &made[0]] {
        key.advance(Duration::from_secs(29));
        key.next_assertion(&request).verify(made);
    }
    let (mut key, ..) = begun();
    key.advance(Duration::from_millis(30_001));
    assert_eq!(key.next_assertion_status(), NOT_ALLOWED);
    let (mut key, made, request) = begun();
    key.advance(Duration::from_secs(29));
    key.next_assertion(&request).verify(&made[1]);
    key.advance(Duration::from_millis(30_001));
    assert_eq!(key.next_assertion_status(), NOT_ALLOWED);
}

/// GN-07: UP and UV follow the first request.
#[test]
fn flags_follow_the_first_request() {
    let mut key = Key::fresh();
    let made = three_accounts(&mut key, RP);
    key.set_pin("1234");
    for (up, uv) in [(true, false), (false, false), (true, true), (false, true)] {
        let request = Request::get_assertion(RP).option("up", up);
        let request = if uv {
            request.authorized(&key.token(Protocol::Two, "1234", GA, Some(RP)).unwrap())
        } else {
            request
        };
        let flags = if up { UP } else { 0 } | if uv { UV } else { 0 };
        let first = key.assertion_by(&made[2], &request);
        let next = key.next_assertion(&request);
        next.verify(&made[1]);
        assert_eq!((first.auth_data.flags, next.auth_data.flags), (flags, flags));
    }
}

/// GN-08: a power cycle drops the state.
#[test]
fn power_cycle_drops_the_state() {
    let (mut key, ..) = begun();
    key.power_cycle();
    assert_eq!(key.next_assertion_status(), NOT_ALLOWED);
}

/// GA-30: a next assertion counts up its own credential.
#[test]
fn next_assertion_counts_its_own_credential() {
    let (mut key, made, request) = begun();
    let first = key.next_assertion(&request).auth_data.sign_count;
    let again = key.assertion_by(&made[1], &made[1].get()).auth_data.sign_count;
    assert!(again > first || (again, first) == (0, 0), "{again} after {first}");
}
