//! vendorPrototype, on a key whose owner gave it commands (CF-15).

use softkey_tests::cbor::{Value, map};
use softkey_tests::checks::{refused, refused_and_token_kept, stable_info};
use softkey_tests::key::{Profile, VENDOR_COMMANDS};
use softkey_tests::pin::Protocol;
use softkey_tests::platform::permission::CM;
use softkey_tests::request::cf;
use softkey_tests::status::{
    CBOR_UNEXPECTED_TYPE, INVALID_PARAMETER, MISSING_PARAMETER, PIN_AUTH_INVALID, PUAT_REQUIRED,
    SUCCESS,
};
use softkey_tests::{Key, Request};

use super::{PIN, acfg_token, listed};

fn key() -> Key {
    Key::with_profile(Profile::Vendor)
}

fn with_params(params: impl Into<Value>) -> Request {
    Request::config(cf::VENDOR_PROTOTYPE).with(cf::PARAMS, params)
}

fn vendor(command: u64) -> Request {
    with_params(map([(1, command)]))
}

/// CF-15, GI-22: its commands are announced, of 64 bits too, and the subcommand with them; a key without any has
/// neither member nor subcommand.
#[test]
fn commands_are_announced() {
    let mut key = key();
    let info = key.info();
    let told: Vec<_> = info.0.get(0x15).items().iter().map(Value::uint).collect();
    assert_eq!(told, VENDOR_COMMANDS);
    assert_eq!(listed(&mut key).unwrap().last(), Some(&0xFF));
    let mut fresh = Key::fresh();
    assert_eq!(fresh.info().0.at(0x15), None);
    assert!(!listed(&mut fresh).unwrap().contains(&0xFF));
    refused(&mut fresh, &vendor(VENDOR_COMMANDS[0]), INVALID_PARAMETER);
    // Parameters of a subcommand that is not there are not looked at.
    refused(&mut fresh, &with_params(map([(1, "1")])), INVALID_PARAMETER);
}

/// CF-03, CF-15: without a PIN a command needs no token; it succeeds with an empty answer and changes nothing, whatever
/// stands beside its number.
#[test]
fn known_commands_succeed() {
    let mut key = key();
    let before = stable_info(&mut key);
    for command in VENDOR_COMMANDS {
        assert_eq!(key.send(&vendor(command).bytes()), [SUCCESS]);
        let more = with_params(map([(1, Value::from(command)), (2, [1, 2].into())]));
        assert_eq!(key.send(&more.bytes()), [SUCCESS]);
    }
    assert_eq!((stable_info(&mut key), key.prompts()), (before, 0));
}

/// CF-15: an unknown number is refused, the neighbours of known ones too; a number that is missing, and parameters that
/// are.
#[test]
fn unknown_commands_are_refused() {
    let mut key = key();
    for command in [0, 2, 0xF00C, 0xF00E, u64::MAX - 1] {
        refused(&mut key, &vendor(command), INVALID_PARAMETER);
    }
    refused(&mut key, &Request::config(cf::VENDOR_PROTOTYPE), MISSING_PARAMETER);
    refused(&mut key, &with_params(Value::Map(Vec::new())), MISSING_PARAMETER);
    refused(&mut key, &with_params(map([(2, 1)])), MISSING_PARAMETER);
    refused(&mut key, &with_params(map([(1, "1")])), CBOR_UNEXPECTED_TYPE);
    refused(&mut key, &with_params(map([(1, -1)])), CBOR_UNEXPECTED_TYPE);
    refused(&mut key, &with_params(1), CBOR_UNEXPECTED_TYPE);
}

/// CF-02, CF-04, CF-15: with a PIN a command takes a token with acfg, whose param covers the parameters; whether the
/// command is known is told only to who has one.
#[test]
fn pin_guards_vendor_commands() {
    let mut key = key();
    key.set_pin(PIN);
    let (known, unknown) = (vendor(VENDOR_COMMANDS[1]), vendor(5));
    for request in [&known, &unknown] {
        refused(&mut key, request, PUAT_REQUIRED);
        let other = key.token(Protocol::Two, PIN, CM, None).unwrap();
        refused(&mut key, &request.clone().managed(&other), PIN_AUTH_INVALID);
    }
    refused(&mut key, &Request::config(cf::VENDOR_PROTOTYPE), PUAT_REQUIRED);
    // Types are judged while the request is read.
    refused(&mut key, &with_params(map([(1, "1")])), CBOR_UNEXPECTED_TYPE);
    let token = acfg_token(&mut key);
    let good = known.managed(&token);
    let uncovered = good.clone().with(cf::PARAMS, map([(1, VENDOR_COMMANDS[0])]));
    refused_and_token_kept(&mut key, &uncovered, PIN_AUTH_INVALID);
    refused_and_token_kept(&mut key, &unknown.managed(&token), INVALID_PARAMETER);
    for _ in 0..2 {
        assert_eq!(key.send(&good.bytes()), [SUCCESS], "the token serves on");
    }
}
