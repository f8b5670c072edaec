//! getKeyAgreement, getPINRetries, and what every subcommand checks first.

use softkey_tests::cbor::{Value, map};
use softkey_tests::checks::refused;
use softkey_tests::pin::{Protocol, cose_key_agreement, padded};
use softkey_tests::platform::{permission, pin_token_request, set_pin_request, token_request};
use softkey_tests::request::cp;
use softkey_tests::status::{
    INVALID_PARAMETER, INVALID_SUBCOMMAND, MISSING_PARAMETER, PIN_AUTH_INVALID, PIN_INVALID,
    SUCCESS,
};
use softkey_tests::{Key, Request};

/// CP-01: kty 2, alg -25, crv 1, x and y of 32 bytes, a point on the curve (else nothing could be
/// agreed), and nothing else.
/// CT-CP-key-agreement.
#[test]
fn key_is_ec2_on_p256_for_key_agreement() {
    let mut key = Key::fresh();
    for protocol in Protocol::BOTH {
        let cose = key.key_agreement(protocol);
        assert_eq!(cose.get(3).int(), -25);
        let expected = cose_key_agreement(cose.get(-2).bytes(), cose.get(-3).bytes());
        assert_eq!(cose.encode(), expected.encode());
        key.agree(protocol);
    }
}

/// CP-02: the protocol is missing, or does not exist.
#[test]
fn protocol_is_missing_or_unknown() {
    let mut key = Key::fresh();
    let request = Request::client_pin(cp::GET_KEY_AGREEMENT);
    refused(&mut key, &request, MISSING_PARAMETER);
    for protocol in [0, 3, 255, 1_i64 << 40] {
        refused(&mut key, &request.clone().with(cp::PROTOCOL, protocol), INVALID_PARAMETER);
    }
}

/// CP-02: every subcommand with a protocol checks that it exists.
#[test]
fn unknown_protocol_is_refused_by_every_subcommand() {
    let mut key = Key::fresh();
    let shared = key.agree(Protocol::Two);
    let requests = [
        set_pin_request(&shared, &padded("1234")),
        softkey_tests::platform::change_pin_request(&shared, "1234", &padded("4321")),
        pin_token_request(&shared, "1234"),
        token_request(&shared, "1234", permission::GA, Some("example.com")),
    ];
    for request in requests {
        refused(&mut key, &request.with(cp::PROTOCOL, 3), INVALID_PARAMETER);
    }
}

/// CP-03: the key is the same between calls, and new after a wrong PIN (of that protocol) and a power cycle.
#[test]
fn key_changes_with_a_wrong_pin_and_a_power_cycle_only() {
    for protocol in Protocol::BOTH {
        let mut key = Key::fresh();
        key.set_pin("1234");
        let (first, other) = (key.key_agreement(protocol), key.key_agreement(protocol.other()));
        assert_ne!(first, other, "each protocol has its own");
        key.token(protocol, "1234", permission::GA, Some("example.com")).unwrap();
        assert_eq!(key.key_agreement(protocol), first);
        assert_eq!(key.pin_token(protocol, "9999"), Err(PIN_INVALID));
        let second = key.key_agreement(protocol);
        assert_ne!(second, first);
        assert_eq!(
            key.key_agreement(protocol.other()),
            other,
            "the pair of the other protocol stays"
        );
        key.power_cycle();
        assert_ne!(key.key_agreement(protocol), second);
        assert_ne!(key.key_agreement(protocol.other()), other);
    }
}

/// CP-04: a message made for one protocol fails under the other.
#[test]
fn protocols_do_not_mix() {
    let mut key = Key::fresh();
    for protocol in Protocol::BOTH {
        let shared = key.agree(protocol);
        let request = set_pin_request(&shared, &padded("1234"));
        let mixed = request.with(cp::PROTOCOL, protocol.other().number());
        refused(&mut key, &mixed, PIN_AUTH_INVALID);
    }
}

/// CP-05: the retries of a factory-fresh key, and none needed for it.
/// CT-CP-retries-max.
#[test]
fn retries_start_at_the_maximum_without_a_pin() {
    let mut key = Key::fresh();
    let answer = key.ok(&Request::client_pin(cp::GET_PIN_RETRIES));
    assert_eq!(answer.get(3).uint(), 8);
    assert!(answer.at(4).is_none_or(|power_cycle| !power_cycle.bool()));
    assert!(answer.keys().iter().all(|member| [3, 4].map(Value::from).contains(member)));
    for protocol in [1, 2] {
        let request = Request::client_pin(cp::GET_PIN_RETRIES).with(cp::PROTOCOL, protocol);
        assert_eq!(key.ok(&request).get(3).uint(), 8, "the protocol is optional");
    }
    key.set_pin("1234");
    assert_eq!(key.retries(), 8);
}

fn bad_platform_keys(good: &Value) -> Vec<Value> {
    let (x, y) = (good.get(-2).bytes(), good.get(-3).bytes());
    let mut off_curve = y.to_vec();
    off_curve[31] ^= 1;
    let longer = |coordinate: &[u8]| [&[0], coordinate].concat();
    vec![
        cose_key_agreement(x, &off_curve),
        cose_key_agreement(&[0; 32], &[0; 32]),
        cose_key_agreement(&[0xFF; 32], y),
        cose_key_agreement(&x[1..], y),
        cose_key_agreement(x, &y[..31]),
        cose_key_agreement(&longer(x), y),
        cose_key_agreement(x, &longer(y)),
        cose_key_agreement(&[], &[]),
        good.clone().with(1, 1),
        good.clone().with(1, 3),
        good.clone().with(-1, 2),
        good.clone().with(-1, 8),
    ]
}

/// CP-06: a platform key that is no point on P-256, in every subcommand that takes one.
#[test]
fn bad_platform_key_is_refused() {
    let mut key = Key::fresh();
    let shared = key.agree(Protocol::Two);
    for bad in bad_platform_keys(&shared.platform_key) {
        let request = set_pin_request(&shared, &padded("1234")).with(cp::KEY_AGREEMENT, bad);
        refused(&mut key, &request, INVALID_PARAMETER);
    }
    key.set_pin("1234");
    let requests = [
        softkey_tests::platform::change_pin_request(&shared, "1234", &padded("4321")),
        pin_token_request(&shared, "1234"),
        token_request(&shared, "1234", permission::GA, Some("example.com")),
    ];
    for request in requests {
        for bad in bad_platform_keys(&shared.platform_key) {
            refused(&mut key, &request.clone().with(cp::KEY_AGREEMENT, bad), INVALID_PARAMETER);
        }
    }
    assert_eq!(key.retries(), 8);
}

/// CP-06: members a platform key need not have are ignored, as everywhere.
#[test]
fn unknown_members_of_a_platform_key_are_ignored() {
    let mut key = Key::fresh();
    let shared = key.agree(Protocol::Two);
    let more = shared.platform_key.clone().with(2, "kid").with("x", map([(1, 1)]));
    let request = set_pin_request(&shared, &padded("1234")).with(cp::KEY_AGREEMENT, more);
    assert_eq!(key.status(&request), SUCCESS);
}

/// CP-07: a subcommand nobody knows, before anything else is asked for; the subcommand is missing.
#[test]
fn unknown_or_missing_subcommand_is_refused() {
    let mut key = Key::fresh();
    for sub_command in [0, 8, 10, 255, 1_i64 << 40] {
        refused(&mut key, &Request::client_pin(sub_command), INVALID_SUBCOMMAND);
    }
    let empty = Request::with_body(cp::COMMAND, Value::Map(Vec::new()));
    refused(&mut key, &empty, MISSING_PARAMETER);
    refused(
        &mut key,
        &Request::with_body(cp::COMMAND, map([(cp::PROTOCOL, 1)])),
        MISSING_PARAMETER,
    );
}

/// PT-17: the subcommands of built-in user verification, without it.
#[test]
fn built_in_verification_subcommands_are_unknown_without_it() {
    let mut key = Key::fresh();
    assert_eq!(key.info().option("uv"), None);
    refused(&mut key, &Request::client_pin(cp::GET_UV_RETRIES), INVALID_SUBCOMMAND);
    refused(&mut key, &Request::client_pin(cp::GET_TOKEN_USING_UV), INVALID_SUBCOMMAND);
    let shared = key.agree(Protocol::Two);
    let request = token_request(&shared, "1234", permission::GA, Some("example.com"))
        .with(cp::SUB_COMMAND, cp::GET_TOKEN_USING_UV);
    refused(&mut key, &request, INVALID_SUBCOMMAND);
}
