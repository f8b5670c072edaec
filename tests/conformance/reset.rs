//! authenticatorReset (RS).

use std::time::Duration;

use softkey_tests::cbor::{array, map};
use softkey_tests::checks::{no_account, refused, still_works, three_accounts};
use softkey_tests::key::{Cut, Profile, beyond_a_board};
use softkey_tests::parts::sha256;
use softkey_tests::pin::{Protocol, padded};
use softkey_tests::platform::permission::ACFG;
use softkey_tests::platform::set_pin_request;
use softkey_tests::request::{cf, command};
use softkey_tests::status::{
    KEEPALIVE_CANCEL, NO_CREDENTIALS, NOT_ALLOWED, OPERATION_DENIED, OTHER, PIN_AUTH_BLOCKED,
    PIN_AUTH_INVALID, PIN_BLOCKED, PIN_INVALID, SUCCESS, USER_ACTION_TIMEOUT, word,
};
use softkey_tests::{Key, Request, User, Value, u2f};

const RESET: [u8; 1] = [command::RESET];

/// A key with a PIN, an account, a non-discoverable credential and a U2F one, just plugged in.
struct Used {
    key: Key,
    account: softkey_tests::platform::Made,
    other: softkey_tests::platform::Made,
    handle: Vec<u8>,
    application: [u8; 32],
}

fn used() -> Used {
    let mut key = Key::fresh();
    let account = key.make(&Request::make_credential().discoverable());
    let other = key.make(&Request::make_credential_for("example.org", &[2]));
    let application = sha256(b"https://example.net");
    let answer = key.u2f_polling(&u2f::register(&application, &[1; 32]));
    let handle = u2f::Registration::parse(&answer, &application, &[1; 32]).handle;
    key.set_pin("1234");
    key.power_cycle();
    Used { key, account, other, handle, application }
}

impl Used {
    #[track_caller]
    fn is_intact(&mut self) {
        self.key.user(User::Approves);
        self.key.assertion_by(&self.account, &Request::get_assertion("example.com"));
        self.key.assertion_by(&self.other, &self.other.get());
        assert_eq!(u2f::status_word(&self.check_handle()), word::CONDITIONS_NOT_SATISFIED);
        assert_eq!(self.key.info().option("clientPin"), Some(true));
        self.key.pin_token(Protocol::Two, "1234").unwrap();
    }

    #[track_caller]
    fn is_fresh(&mut self) {
        self.key.user(User::Approves);
        no_account(&mut self.key, "example.com");
        refused(&mut self.key, &self.account.get(), NO_CREDENTIALS);
        refused(&mut self.key, &self.other.get(), NO_CREDENTIALS);
        let by_u2f = Request::get_assertion("https://example.net").listing(&[&self.handle]);
        refused(&mut self.key, &by_u2f, NO_CREDENTIALS);
        assert_eq!(u2f::status_word(&self.check_handle()), word::WRONG_DATA);
        assert_eq!(self.key.info().option("clientPin"), Some(false));
        assert_eq!(self.key.retries(), 8);
    }

    fn check_handle(&mut self) -> Vec<u8> {
        let apdu = u2f::authenticate(u2f::CHECK_ONLY, &self.application, &[2; 32], &self.handle);
        self.key.u2f(&apdu)
    }
}

/// RS-01, RS-04, RS-05: within the window and touched, everything is gone for good and the PIN too.
/// CT-RS-reset.
#[test]
fn within_the_window_a_touch_erases_everything() {
    let mut used = used();
    used.key.advance(Duration::from_secs(9));
    assert_eq!(used.key.send(&RESET), [SUCCESS]);
    used.is_fresh();
    used.key.power_cycle();
    used.is_fresh();
    used.key.set_pin("4321");
    used.key.pin_token(Protocol::Two, "4321").unwrap();
}

/// RS-01, RS-02: exactly 10 s after power-up still passes, a millisecond more does not, and nothing is lost then.
#[test]
fn window_closes_after_ten_seconds() {
    let mut used = used();
    used.key.advance(Duration::from_millis(10_001));
    refused(&mut used.key, &Request::bare(command::RESET), NOT_ALLOWED);
    used.is_intact();
    used.key.power_cycle();
    used.key.advance(Duration::from_secs(10));
    assert_eq!(used.key.send(&RESET), [SUCCESS]);
    used.is_fresh();
}

/// RS-02: INIT and new channels do not open the window again.
#[test]
fn clients_cannot_open_the_window() {
    let mut used = used();
    used.key.advance(Duration::from_secs(11));
    used.key.init();
    refused(&mut used.key, &Request::bare(command::RESET), NOT_ALLOWED);
    let other = used.key.open_channel();
    used.key.switch_to(other);
    refused(&mut used.key, &Request::bare(command::RESET), NOT_ALLOWED);
    used.is_intact();
}

/// RS-01: the request must come within the window; the touch may come later.
#[test]
fn touch_may_come_after_the_window() {
    let mut used = used();
    used.key.user(User::ApprovesAfter(Duration::from_secs(25)));
    used.key.advance(Duration::from_secs(9));
    assert_eq!(used.key.send(&RESET), [SUCCESS]);
    used.is_fresh();
}

/// RS-03: no touch, and a refusal: nothing is lost.
#[test]
fn no_touch_or_a_refusal_loses_nothing() {
    for (user, status) in
        [(User::StaysAway, USER_ACTION_TIMEOUT), (User::Refuses, OPERATION_DENIED)]
    {
        let mut used = used();
        used.key.user(user);
        let (prompts, commits) = (used.key.prompts(), used.key.commits());
        assert_eq!(used.key.send(&RESET), [status]);
        assert_eq!((used.key.prompts(), used.key.commits()), (prompts + 1, commits));
        used.is_intact();
    }
}

/// HID-39: a cancelled reset loses nothing.
#[test]
fn cancelled_reset_loses_nothing() {
    let mut used = used();
    used.key.user(User::StaysAway);
    used.key.post(&RESET);
    assert_eq!(used.key.cancel(), Some(vec![KEEPALIVE_CANCEL]));
    used.is_intact();
}

/// RS-05: a PIN that is blocked, until a power cycle or for good, is gone, and so is the block.
#[test]
fn blocked_pin_is_unset() {
    let until_a_power_cycle = [PIN_INVALID, PIN_INVALID, PIN_AUTH_BLOCKED];
    for tries in [&until_a_power_cycle[..], &[PIN_INVALID, PIN_BLOCKED]] {
        let mut key = Key::fresh();
        key.set_pin("1234");
        if tries.last() == Some(&PIN_BLOCKED) {
            for _ in 0..2 {
                for status in until_a_power_cycle {
                    assert_eq!(key.pin_token(Protocol::Two, "9999"), Err(status));
                }
                key.power_cycle();
            }
        }
        for status in tries {
            assert_eq!(key.pin_token(Protocol::Two, "9999"), Err(*status));
        }
        assert_eq!(key.send(&RESET), [SUCCESS]);
        assert_eq!(key.info().option("clientPin"), Some(false));
        assert_eq!(key.retries(), 8);
        key.set_pin("4321");
        key.pin_token(Protocol::Two, "4321").unwrap();
    }
}

/// RS-06, RS-11: every setting is the factory's again, over a power cycle too.
#[test]
fn settings_are_those_of_the_factory() {
    let mut key = Key::fresh();
    let factory = key.info();
    three_accounts(&mut key, "example.com");
    key.set_pin("1234");
    let mut change = |request: Request| {
        let token = key.token(Protocol::Two, "1234", ACFG, None).unwrap();
        assert_eq!(key.status(&request.managed(&token)), SUCCESS);
    };
    change(Request::config(cf::TOGGLE_ALWAYS_UV));
    change(Request::config(cf::ENABLE_LONG_TOUCH_FOR_RESET));
    // The last, for it ends all tokens.
    let params = map([
        (cf::NEW_MIN_PIN_LENGTH, Value::from(6)),
        (cf::MIN_PIN_LENGTH_RP_IDS, array(["example.com"])),
        (cf::FORCE_CHANGE_PIN, true.into()),
    ]);
    change(Request::config(cf::SET_MIN_PIN_LENGTH).with(cf::PARAMS, params));
    let changed = key.info();
    assert_eq!((changed.option("alwaysUv"), changed.option("clientPin")), (Some(true), Some(true)));
    for (member, value) in [(0x0C, true.into()), (0x0D, Value::from(6)), (0x18, true.into())] {
        assert_eq!(changed.0.get(member), &value, "{member:#x}");
    }
    key.power_cycle();
    key.user(User::Holds(Duration::from_secs(6)));
    assert_eq!(key.send(&RESET), [SUCCESS]);
    for _ in 0..2 {
        assert_eq!(key.info(), factory);
        let made = key.make(&Request::make_credential().extension("minPinLength", true));
        assert_eq!(made.auth_data.extensions, None, "the list of parties");
        key.power_cycle();
    }
}

/// RS-08: key agreement keys are new; a secret agreed before is worth nothing.
#[test]
fn key_agreement_keys_are_new() {
    for protocol in Protocol::BOTH {
        let mut key = Key::fresh();
        let before = key.key_agreement(protocol);
        let shared = key.agree(protocol);
        assert_eq!(key.send(&RESET), [SUCCESS]);
        assert_ne!(key.key_agreement(protocol), before);
        let set_pin = set_pin_request(&shared, &padded("1234"));
        refused(&mut key, &set_pin, PIN_AUTH_INVALID);
        assert_eq!(key.info().option("clientPin"), Some(false));
    }
}

/// RS-08: an enumeration that was begun ends with the reset.
#[test]
fn enumeration_ends() {
    let mut key = Key::fresh();
    three_accounts(&mut key, "example.com");
    key.assertion(&Request::get_assertion("example.com"));
    assert_eq!(key.send(&RESET), [SUCCESS]);
    assert_eq!(key.next_assertion_status(), NOT_ALLOWED);
}

/// RS-09: model and attestation stay.
#[test]
fn model_and_attestation_stay() {
    let mut key = Key::fresh();
    let aaguid = key.info().aaguid();
    let certificate = |key: &mut Key| {
        let made = key.make(&Request::make_credential());
        made.answer.get(3).get("x5c").items()[0].clone()
    };
    let before = certificate(&mut key);
    assert_eq!(key.send(&RESET), [SUCCESS]);
    assert_eq!((key.info().aaguid(), certificate(&mut key)), (aaguid, before));
}

/// RS-12: the power is cut at each write of a reset: everything is there, or the key is fresh; never
/// credentials without their PIN. The reset can be had again after.
#[test]
fn power_cut_leaves_all_or_nothing() {
    let mut writes = 0;
    for number in 0.. {
        let mut cuts = 0;
        for cut in [Cut::Before(number), Cut::After(number)] {
            let mut used = used();
            used.key.memory().cut_power(cut);
            used.key.send(&RESET);
            if !used.key.memory().is_dead() {
                break;
            }
            cuts += 1;
            used.key.power_cycle();
            if used.key.info().option("clientPin") == Some(true) {
                used.is_intact();
            } else {
                used.is_fresh();
            }
            used.key.power_cycle();
            assert_eq!(used.key.send(&RESET), [SUCCESS]);
            used.is_fresh();
            still_works(&mut used.key);
        }
        if cuts == 0 {
            break;
        }
        writes += 1;
    }
    assert!(writes > 0, "a reset writes");
}

/// RS-12: where the write of a reset fails and the key goes on, everything is there.
#[test]
fn failed_write_loses_nothing() {
    let mut used = used();
    used.key.memory().cut_power(Cut::Before(0));
    assert_eq!(used.key.send(&RESET), [OTHER]);
    used.key.memory().power_up();
    used.is_intact();
}

/// RS-11: with longTouchForReset on, a short touch is not enough; one of 5 s is. After it, the factory's value.
#[test]
fn long_touch_is_wanted_when_turned_on() {
    beyond_a_board("another configuration");
    let mut key = Key::fresh();
    let enable = Request::config(cf::ENABLE_LONG_TOUCH_FOR_RESET);
    assert_eq!(key.status(&enable), SUCCESS);
    let made = key.make(&Request::make_credential());
    for user in [User::Approves, User::Holds(Duration::from_millis(4_900))] {
        key.power_cycle();
        key.user(user);
        assert_eq!(key.send(&RESET), [USER_ACTION_TIMEOUT], "{user:?}");
        key.user(User::Approves);
        key.assertion_by(&made, &made.get());
    }
    key.power_cycle();
    key.user(User::Holds(Duration::from_secs(6)));
    assert_eq!(key.send(&RESET), [SUCCESS]);
    assert_eq!(*key.info().0.get(0x18), Value::from(false));
}

/// RS-11, GI-21: a key whose factory value is a long touch says so and takes no other, before a reset and after it.
#[test]
fn long_touch_from_the_factory_on() {
    let mut key = Key::with_profile(Profile::LongTouch);
    for _ in 0..2 {
        assert_eq!(*key.info().0.get(0x18), Value::from(true));
        key.power_cycle();
        key.user(User::Approves);
        assert_eq!(key.send(&RESET), [USER_ACTION_TIMEOUT]);
        key.power_cycle();
        key.user(User::Holds(Duration::from_secs(5)));
        assert_eq!(key.send(&RESET), [SUCCESS]);
    }
}

/// RS-13: two resets in a row.
#[test]
fn two_resets_in_a_row() {
    let mut used = used();
    assert_eq!(used.key.send(&RESET), [SUCCESS]);
    assert_eq!(used.key.send(&RESET), [SUCCESS]);
    used.is_fresh();
}

/// RS-04: what is made after a reset is found and what was made before is not, though party and user are the
/// same.
#[test]
fn new_credentials_take_the_place_of_old_ones() {
    let mut used = used();
    assert_eq!(used.key.send(&RESET), [SUCCESS]);
    let new = used.key.make(&Request::make_credential().discoverable());
    assert_ne!(new.id(), used.account.id());
    let assertion = used.key.assertion_by(&new, &Request::get_assertion("example.com"));
    assert_eq!(assertion.answer.at(5), None);
    refused(&mut used.key, &used.account.get(), NO_CREDENTIALS);
}

/// MC-64, GA-30: what was counted before a reset counts for nothing after it, and the counters of new credentials do not
/// run backwards over a power cycle.
#[test]
fn counters_begin_anew() {
    let mut key = Key::fresh();
    let old = key.make(&Request::make_credential().discoverable());
    for _ in 0..40 {
        key.assertion_by(&old, &old.get());
    }
    assert_eq!(key.send(&RESET), [SUCCESS]);
    let new = key.make(&Request::make_credential().discoverable());
    let before = key.assertion_by(&new, &new.get()).auth_data.sign_count;
    assert_eq!(before, new.auth_data.sign_count + 1);
    key.power_cycle();
    assert!(key.assertion_by(&new, &new.get()).auth_data.sign_count > before);
}
