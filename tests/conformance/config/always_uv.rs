//! alwaysUv: switching it, and what it does to the other commands.

use softkey_tests::auth_data::{UP, UV};
use softkey_tests::checks::refused_and_token_kept;
use softkey_tests::pin::Protocol;
use softkey_tests::platform::permission::{GA, MC};
use softkey_tests::request::{cf, command};
use softkey_tests::status::{
    INVALID_OPTION, LIMIT_EXCEEDED, PIN_AUTH_INVALID, PIN_NOT_SET, PUAT_REQUIRED, SUCCESS,
    UNSUPPORTED_OPTION, word,
};
use softkey_tests::{Key, Request, u2f};

use super::{PIN, acfg_token, with_pin};

fn toggle() -> Request {
    Request::config(cf::TOGGLE_ALWAYS_UV)
}

/// A key with a PIN and alwaysUv on, and a credential made before.
fn always_uv() -> (Key, softkey_tests::platform::Made) {
    let mut key = with_pin();
    let made = key.make(&Request::make_credential());
    let token = acfg_token(&mut key);
    assert_eq!(key.status(&toggle().managed(&token)), SUCCESS);
    (key, made)
}

/// CF-05, GI-26: it flips each time, stays over power cycles, and takes makeCredUvNotRqd and `U2F_V2` along.
/// CT-CF-always-uv.
#[test]
fn toggle_flips_and_persists() {
    let mut key = with_pin();
    for on in [true, false, true] {
        let token = acfg_token(&mut key);
        assert_eq!(key.send(&toggle().managed(&token).bytes()), [SUCCESS]);
        for _ in 0..2 {
            let info = key.info();
            assert_eq!(info.option("alwaysUv"), Some(on));
            assert_eq!(info.option("makeCredUvNotRqd").unwrap_or(false), !on);
            assert_eq!(info.has_version("U2F_V2"), !on);
            key.power_cycle();
        }
    }
    assert_eq!(key.send(&[command::RESET]), [SUCCESS]);
    assert_eq!(key.info().option("alwaysUv"), Some(false), "RS-06: the factory's value");
}

/// CF-03: on a key without PIN alwaysUv can be turned on and off again without a token, though on it guards the
/// other subcommands.
#[test]
fn toggle_works_unprotected() {
    let mut key = Key::fresh();
    assert_eq!(key.send(&toggle().bytes()), [SUCCESS]);
    let other = super::set_min_pin_length(softkey_tests::cbor::map([(cf::NEW_MIN_PIN_LENGTH, 6)]));
    assert_eq!(key.send(&other.bytes()), [PUAT_REQUIRED]);
    assert_eq!(key.send(&toggle().bytes()), [SUCCESS]);
    assert_eq!(key.info().option("alwaysUv"), Some(false));
}

/// MC-40: makeCredential without a param, with a PIN and without one.
#[test]
fn make_credential_needs_verification() {
    let (mut key, _) = always_uv();
    let mut unprotected = Key::fresh();
    assert_eq!(unprotected.status(&toggle()), SUCCESS);
    for key in [&mut key, &mut unprotected] {
        for rk in [false, true] {
            let asked = key.prompts();
            let request = Request::make_credential().option("rk", rk);
            assert_eq!(key.send(&request.bytes()), [PUAT_REQUIRED]);
            assert_eq!(key.prompts(), asked);
        }
    }
    let token = key.token(Protocol::Two, PIN, MC, Some("example.com")).unwrap();
    assert!(key.make(&Request::make_credential().authorized(&token)).auth_data.has(UP | UV));
    let with_param = Request::make_credential().with_param(&[1; 32], 2);
    assert_eq!(unprotected.send(&with_param.bytes()), [PIN_NOT_SET], "MC-65 comes first");
}

/// GA-19: getAssertion without a param: 0x36 with up true; silent look-ups go on working, UV clear.
#[test]
fn get_assertion_needs_verification_unless_silent() {
    let (mut key, made) = always_uv();
    assert_eq!(key.send(&made.get().bytes()), [PUAT_REQUIRED]);
    assert_eq!(key.send(&made.get().option("up", true).bytes()), [PUAT_REQUIRED]);
    let silent = key.assertion_by(&made, &made.get().option("up", false));
    assert_eq!(silent.auth_data.flags, 0);
    let token = key.token(Protocol::Two, PIN, GA, Some("example.com")).unwrap();
    refused_and_token_kept(&mut key, &made.get().with_param(&[0; 32], 2), PIN_AUTH_INVALID);
    let verified = key.assertion_by(&made, &made.get().authorized(&token));
    assert_eq!(verified.auth_data.flags, UP | UV);
}

/// GA-13, GA-08, GA-16: the options and the length of the list are judged before alwaysUv asks for verification
/// (section 6.2.2, steps 4 and 5); MC-31 and GA-08 likewise in makeCredential.
#[test]
fn options_and_lists_are_judged_before_always_uv() {
    let (mut key, made) = always_uv();
    let mut unprotected = Key::fresh();
    assert_eq!(unprotected.status(&toggle()), SUCCESS);
    let too_many = vec![made.id(); key.info().max_list() + 1];
    for key in [&mut key, &mut unprotected] {
        for rk in [false, true] {
            assert_eq!(key.send(&made.get().option("rk", rk).bytes()), [UNSUPPORTED_OPTION]);
        }
        let get = Request::get_assertion("example.com").listing(&too_many);
        assert_eq!(key.send(&get.bytes()), [LIMIT_EXCEEDED]);
        assert_eq!(key.send(&get.option("uv", true).bytes()), [INVALID_OPTION]);
        assert_eq!(key.send(&made.get().option("uv", true).bytes()), [INVALID_OPTION]);
        let excluding = Request::make_credential().listing(&too_many);
        assert_eq!(key.send(&excluding.bytes()), [LIMIT_EXCEEDED]);
        assert_eq!(key.send(&excluding.option("uv", true).bytes()), [INVALID_OPTION]);
    }
}

/// UF-21: every U2F message is refused, VERSION too, before anything in it is looked at; back when off.
#[test]
fn u2f_is_refused_whole() {
    let (mut key, made) = always_uv();
    let application = softkey_tests::parts::sha256(b"example.com");
    let messages = [
        vec![0, 3, 0, 0, 0, 0, 0],
        u2f::register(&application, &[1; 32]),
        u2f::authenticate(u2f::CHECK_ONLY, &application, &[1; 32], made.id()),
        u2f::authenticate(u2f::ENFORCE, &application, &[1; 32], made.id()),
        u2f::authenticate(u2f::DONT_ENFORCE, &application, &[1; 32], made.id()),
        vec![0, 0x55, 0, 0],
        vec![0x80, 3, 0, 0],
        vec![0],
    ];
    for message in messages {
        assert_eq!(key.u2f(&message), [0x69, 0x86], "{message:?}");
    }
    let token = acfg_token(&mut key);
    assert_eq!(key.status(&toggle().managed(&token)), SUCCESS);
    assert_eq!(u2f::split(&key.u2f(&[0, 3, 0, 0])), (b"U2F_V2".as_slice(), word::NO_ERROR));
}
