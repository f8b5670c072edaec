//! authenticatorConfig (CF), and what its settings do to the other commands.

mod always_uv;
mod authorization;
mod min_pin_length;
mod pin_complexity;
mod vendor;

use softkey_tests::cbor::Value;
use softkey_tests::pin::{Protocol, Token};
use softkey_tests::platform::permission::ACFG;
use softkey_tests::request::cf;
use softkey_tests::{Key, Request};

const PIN: &str = "1234";

fn with_pin() -> Key {
    let mut key = Key::fresh();
    assert_eq!(key.info().option("authnrCfg"), Some(true));
    key.set_pin(PIN);
    key
}

fn acfg_token(key: &mut Key) -> Token {
    key.token(Protocol::Two, PIN, ACFG, None).unwrap()
}

fn set_min_pin_length(params: Value) -> Request {
    Request::config(cf::SET_MIN_PIN_LENGTH).with(cf::PARAMS, params)
}

/// authenticatorConfigCommands, if getInfo lists them.
fn listed(key: &mut Key) -> Option<Vec<u64>> {
    Some(key.info().0.at(0x1F)?.items().iter().map(Value::uint).collect())
}
