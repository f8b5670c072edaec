//! setMinPINLength: the minimum, the forced change, and the parties that may know (CF, XM, and the forced
//! change in CP and PT).

use softkey_tests::cbor::{Value, array, map};
use softkey_tests::checks::{refused, refused_and_token_kept};
use softkey_tests::pin::{Protocol, padded};
use softkey_tests::platform::permission::{ACFG, GA, MC, PCMR};
use softkey_tests::platform::set_pin_request;
use softkey_tests::request::{cf, cm, command};
use softkey_tests::status::{
    KEY_STORE_FULL, PIN_AUTH_INVALID, PIN_INVALID, PIN_NOT_SET, PIN_POLICY_VIOLATION, SUCCESS,
};
use softkey_tests::{Key, Request};

use super::{PIN, acfg_token, set_min_pin_length, with_pin};

fn minimum(key: &mut Key) -> u64 {
    key.info().0.get(0x0D).uint()
}

fn change_forced(key: &mut Key) -> bool {
    key.info().0.at(0x0C).is_some_and(Value::bool)
}

fn to(length: i64) -> Request {
    set_min_pin_length(map([(cf::NEW_MIN_PIN_LENGTH, length)]))
}

fn force() -> Request {
    set_min_pin_length(map([(cf::FORCE_CHANGE_PIN, true)]))
}

fn parties(ids: impl IntoIterator<Item = String>) -> Request {
    set_min_pin_length(map([(cf::MIN_PIN_LENGTH_RP_IDS, array(ids))]))
}

/// CF-06, GI-13, CF-16: higher is stored, equal changes nothing, lower and over 63 are refused.
/// CT-CF-min-length.
#[test]
fn minimum_only_rises() {
    let mut key = Key::fresh();
    assert_eq!(key.send(&to(6).bytes()), [SUCCESS]);
    assert_eq!(minimum(&mut key), 6);
    assert_eq!(key.send(&to(6).bytes()), [SUCCESS]);
    for refused_length in [0, 4, 5, 64, 255, 1_000] {
        refused(&mut key, &to(refused_length), PIN_POLICY_VIOLATION);
    }
    key.power_cycle();
    assert_eq!(minimum(&mut key), 6);
    assert_eq!(key.send(&to(63).bytes()), [SUCCESS]);
    assert_eq!(minimum(&mut key), 63);
    assert_eq!(key.send(&[command::RESET]), [SUCCESS]);
    assert_eq!(minimum(&mut key), 4, "RS-06: the factory's value");
}

/// CF-17: a minimum raised before there is a PIN binds setPIN, in characters.
#[test]
fn minimum_binds_set_pin() {
    let mut key = Key::fresh();
    assert_eq!(key.status(&to(6)), SUCCESS);
    for (pin, status) in [
        ("12345", PIN_POLICY_VIOLATION),
        ("\u{20AC}\u{20AC}\u{20AC}", PIN_POLICY_VIOLATION),
        ("123456", SUCCESS),
    ] {
        let shared = key.agree(Protocol::Two);
        assert_eq!(key.status(&set_pin_request(&shared, &padded(pin))), status, "{pin}");
    }
    assert_eq!(key.change_pin("123456", "12345"), PIN_POLICY_VIOLATION);
}

/// CF-07, GI-14: a PIN that is too short now must be changed; one that is long enough must not.
/// CT-CF-min-length.
#[test]
fn short_pin_must_be_changed() {
    for (length, forced) in [(4, false), (5, true)] {
        let mut key = with_pin();
        let token = acfg_token(&mut key);
        assert_eq!(key.status(&to(length).managed(&token)), SUCCESS);
        assert_eq!(change_forced(&mut key), forced);
        key.power_cycle();
        assert_eq!(change_forced(&mut key), forced);
    }
}

/// CF-07: the PIN's length is counted in characters.
#[test]
fn length_of_the_present_pin_is_in_characters() {
    let mut key = Key::fresh();
    key.set_pin("\u{20AC}\u{20AC}\u{20AC}\u{20AC}");
    let token = key.token(Protocol::Two, "\u{20AC}\u{20AC}\u{20AC}\u{20AC}", ACFG, None).unwrap();
    assert_eq!(key.status(&to(5).managed(&token)), SUCCESS);
    assert!(change_forced(&mut key), "four characters in twelve bytes are too short");
}

/// CF-08: forceChangePin with a PIN, and without one, where the new minimum is not applied either.
/// CT-CF-force.
#[test]
fn forced_change_needs_a_pin() {
    let mut key = Key::fresh();
    refused(&mut key, &force(), PIN_NOT_SET);
    let both = map([(cf::NEW_MIN_PIN_LENGTH, Value::from(6)), (cf::FORCE_CHANGE_PIN, true.into())]);
    refused(&mut key, &set_min_pin_length(both), PIN_NOT_SET);
    assert_eq!(minimum(&mut key), 4);
    let mut key = with_pin();
    let token = acfg_token(&mut key);
    assert_eq!(key.status(&force().managed(&token)), SUCCESS);
    assert!(change_forced(&mut key));
}

/// CF-08: forceChangePin false is as absent.
#[test]
fn force_change_false_forces_nothing() {
    let mut key = Key::fresh();
    let request = set_min_pin_length(map([(cf::FORCE_CHANGE_PIN, false)]));
    assert_eq!(key.status(&request), SUCCESS);
    key.set_pin(PIN);
    let token = acfg_token(&mut key);
    assert_eq!(key.status(&request.managed(&token)), SUCCESS);
    assert!(!change_forced(&mut key));
}

/// CF-09: a lower minimum is told before the missing PIN.
#[test]
fn policy_violation_comes_before_the_missing_pin() {
    let mut key = Key::fresh();
    assert_eq!(key.status(&to(6)), SUCCESS);
    let both = map([(cf::NEW_MIN_PIN_LENGTH, Value::from(4)), (cf::FORCE_CHANGE_PIN, true.into())]);
    refused(&mut key, &set_min_pin_length(both), PIN_POLICY_VIOLATION);
}

/// CF-12, PT-16: a forced change voids all tokens, the persistent one too.
#[test]
fn forced_change_voids_tokens() {
    let mut key = with_pin();
    let persistent = key.token(Protocol::Two, PIN, PCMR, None).unwrap();
    let token = key.token(Protocol::Two, PIN, ACFG | MC, Some("example.com")).unwrap();
    assert_eq!(key.status(&force().managed(&token)), SUCCESS);
    let metadata = Request::credential_management(cm::GET_CREDS_METADATA);
    refused_and_token_kept(
        &mut key,
        &Request::make_credential().authorized(&token),
        PIN_AUTH_INVALID,
    );
    refused(&mut key, &metadata.managed(&persistent), PIN_AUTH_INVALID);
}

/// PT-05: while a change is forced no token is given: 0x31 by getPinToken, 0x37 with permissions; the right PIN
/// costs no try.
/// CT-CP-forced-legacy, CT-CP-forced.
#[test]
fn forced_change_stops_tokens() {
    let mut key = with_pin();
    let token = acfg_token(&mut key);
    assert_eq!(key.status(&force().managed(&token)), SUCCESS);
    for protocol in Protocol::BOTH {
        assert_eq!(key.pin_token(protocol, PIN), Err(PIN_INVALID));
        let permitted = key.token(protocol, PIN, GA, Some("example.com"));
        assert_eq!(permitted, Err(PIN_POLICY_VIOLATION));
        assert_eq!(key.token(protocol, PIN, PCMR, None), Err(PIN_POLICY_VIOLATION));
        assert_eq!(key.retries(), 8);
    }
}

/// CP-25, GI-14: with a forced change the same PIN is refused, and another clears the flag.
/// CT-CP-change-clears.
#[test]
fn forced_change_wants_another_pin() {
    let mut key = with_pin();
    let token = acfg_token(&mut key);
    assert_eq!(key.status(&force().managed(&token)), SUCCESS);
    assert_eq!(key.change_pin(PIN, PIN), PIN_POLICY_VIOLATION);
    assert!(change_forced(&mut key));
    assert_eq!(key.change_pin(PIN, "4321"), SUCCESS);
    assert!(!change_forced(&mut key));
    key.pin_token(Protocol::Two, "4321").unwrap();
}

/// CF-10, GI-16, XM-01, XM-02, XM-03, XM-05: listed parties are told the minimum, others and those that ask for
/// nothing are not; the list is replaced whole, and an empty or absent one changes nothing.
/// CT-XM-listed, CT-XM-other.
#[test]
fn listed_parties_are_told_the_minimum() {
    let mut key = Key::fresh();
    let told = |key: &mut Key, rp_id: &str| {
        let made =
            key.make(&Request::make_credential_for(rp_id, &[1]).extension("minPinLength", true));
        made.auth_data.extension("minPinLength").map(Value::uint)
    };
    assert_eq!(told(&mut key, "a.example"), None);
    assert_eq!(key.status(&parties(["a.example".to_owned()])), SUCCESS);
    assert_eq!((told(&mut key, "a.example"), told(&mut key, "b.example")), (Some(4), None));
    let asking_false =
        Request::make_credential_for("a.example", &[1]).extension("minPinLength", false);
    assert_eq!(key.make(&asking_false).auth_data.extensions, None);
    for unchanged in [parties([]), to(4)] {
        assert_eq!(key.status(&unchanged), SUCCESS);
        assert_eq!(told(&mut key, "a.example"), Some(4));
    }
    assert_eq!(key.status(&to(7)), SUCCESS);
    assert_eq!(told(&mut key, "a.example"), Some(7), "XM-05: it follows");
    assert_eq!(key.status(&parties(["b.example".to_owned()])), SUCCESS);
    key.power_cycle();
    assert_eq!((told(&mut key, "a.example"), told(&mut key, "b.example")), (None, Some(7)));
    assert_eq!(key.send(&[command::RESET]), [SUCCESS]);
    assert_eq!(told(&mut key, "b.example"), None, "RS-06: the list is gone");
}

/// CF-10, GI-16: as many parties as announced are taken, one more is refused and changes nothing.
/// CT-CF-rp-list.
#[test]
fn as_many_parties_as_announced_are_taken() {
    let mut key = Key::fresh();
    let max = key.info().0.get(0x10).uint();
    let names = |n: u64| (0..n).map(|i| format!("{i}.{}.example", "x".repeat(60)));
    assert_eq!(key.status(&parties(names(max))), SUCCESS);
    let one_more = map([
        (cf::NEW_MIN_PIN_LENGTH, Value::from(9)),
        (cf::MIN_PIN_LENGTH_RP_IDS, array(names(max + 1))),
    ]);
    refused(&mut key, &set_min_pin_length(one_more), KEY_STORE_FULL);
    assert_eq!(minimum(&mut key), 4);
    let last = names(max).next_back().unwrap();
    let request = Request::make_credential_for(&last, &[1]).extension("minPinLength", true);
    assert_eq!(key.make(&request).auth_data.extension("minPinLength"), Some(&Value::from(4)));
}

/// CB-13: members of a wrong type.
#[test]
fn members_of_wrong_type_are_refused() {
    let mut key = Key::fresh();
    let params = [
        map([(cf::NEW_MIN_PIN_LENGTH, "6")]),
        map([(cf::NEW_MIN_PIN_LENGTH, -6)]),
        map([(cf::MIN_PIN_LENGTH_RP_IDS, "a.example")]),
        map([(cf::MIN_PIN_LENGTH_RP_IDS, array([1]))]),
        map([(cf::FORCE_CHANGE_PIN, 1)]),
        map([(cf::PIN_COMPLEXITY_POLICY, 1)]),
        Value::from(1),
    ];
    for params in params {
        let request = set_min_pin_length(params);
        refused(&mut key, &request, softkey_tests::status::CBOR_UNEXPECTED_TYPE);
    }
}
