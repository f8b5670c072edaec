//! How requests are read and answers written (CB).

use softkey_tests::cbor::{Value, array, bytes, head, head_of_width, map, map_as_given, raw};
use softkey_tests::checks::{refused, refused_and_unharmed, succeeds, three_accounts};
use softkey_tests::key::Profile;
use softkey_tests::parts::unhex;
use softkey_tests::pin::Protocol;
use softkey_tests::platform::{permission, set_pin_request};
use softkey_tests::request::{alg, algorithms, be, cf, cm, command, cp, ga, lb, mc};
use softkey_tests::status::{
    CBOR_UNEXPECTED_TYPE, INVALID_CBOR, INVALID_COMMAND, NO_CREDENTIALS, NOT_ALLOWED,
    REQUEST_TOO_LARGE, SUCCESS,
};
use softkey_tests::{Key, Request};

/// A makeCredential request with everything in it, so that its bytes cross every decoder.
fn rich_make_credential() -> Request {
    Request::make_credential()
        .with(mc::RP, map([("id", "example.com"), ("name", "Example")]))
        .with(
            mc::USER,
            map([("id", Value::from([7; 32])), ("name", "u".into()), ("displayName", "U".into())]),
        )
        .with(mc::PUB_KEY_CRED_PARAMS, algorithms(&[alg::EDDSA, alg::ES256]))
        .listing(&[&[9; 40]])
        .extension("credProtect", 1)
        .extension("hmac-secret", true)
        .discoverable()
}

/// A getAssertion request with everything in it that goes without a PIN.
fn rich_get_assertion() -> Request {
    Request::get_assertion("example.com").listing(&[&[9; 40]]).option("up", true).extension("x", 1)
}

/// CB-01, CB-02: getInfo, registration, assertion, clientPIN and their nested maps come canonical. (`ok`,
/// `make` and `assertion` walk every answer of every test with the same strictness.)
/// CT-GI-status.
#[test]
fn answers_are_canonical_at_every_depth() {
    let mut key = Key::fresh();
    let info = key.info();
    assert!(info.0.at(4).is_some(), "options are there to be walked");
    let made = key.make(&rich_make_credential());
    let outputs = made.auth_data.extensions.clone().unwrap();
    assert_eq!(outputs.keys(), [Value::from("credProtect"), "hmac-secret".into()]);
    key.assertion_by(&made, &made.get());
    key.key_agreement(Protocol::One);
    key.key_agreement(Protocol::Two);
    key.set_pin("1234");
    key.token(Protocol::Two, "1234", permission::GA, Some("example.com")).unwrap();
}

/// CB-03: bytes after the map are refused.
#[test]
fn trailing_bytes_are_refused() {
    let mut key = Key::fresh();
    for request in
        [rich_make_credential(), rich_get_assertion(), Request::client_pin(cp::GET_PIN_RETRIES)]
    {
        for trailing in [[0x00].as_slice(), &[0xA0], &[0xFF], &[0; 32]] {
            refused_and_unharmed(&mut key, &[&request.bytes(), trailing].concat(), INVALID_CBOR);
        }
    }
}

/// CB-04: a request cut at any byte is refused.
#[test]
fn request_cut_at_any_byte_is_refused() {
    let mut key = Key::fresh();
    let shared = key.agree(Protocol::Two);
    let set_pin = set_pin_request(&shared, &[0; 64]);
    for request in [rich_make_credential(), rich_get_assertion(), set_pin] {
        let bytes = request.bytes();
        for length in 1..bytes.len() {
            refused_and_unharmed(&mut key, &bytes[..length], INVALID_CBOR);
        }
    }
}

/// CB-05: a map, array or string of indefinite length is refused.
#[test]
fn indefinite_lengths_are_refused() {
    let mut key = Key::fresh();
    let good = Request::make_credential();
    let hash = [&[0x5F, 0x58, 32], [0xCD; 32].as_slice(), &[0xFF]].concat();
    refused(&mut key, &good.clone().with(mc::CLIENT_DATA_HASH, raw(&hash)), INVALID_CBOR);
    let rp =
        [unhex("bf"), map([("id", "example.com")]).encode()[1..].to_vec(), unhex("ff")].concat();
    refused(&mut key, &good.clone().with(mc::RP, raw(&rp)), INVALID_CBOR);
    let id = map([("id", raw(&unhex("7f6161ff")))]);
    refused(&mut key, &good.clone().with(mc::RP, id), INVALID_CBOR);
    let list =
        [unhex("9f"), algorithms(&[alg::ES256]).encode()[1..].to_vec(), unhex("ff")].concat();
    refused(&mut key, &good.clone().with(mc::PUB_KEY_CRED_PARAMS, raw(&list)), INVALID_CBOR);
    let mut whole = good.bytes();
    whole[1] = 0xBF;
    whole.push(0xFF);
    refused_and_unharmed(&mut key, &whole, INVALID_CBOR);
    refused(&mut key, &good.with(0x70, raw(&unhex("9fff"))), INVALID_CBOR);
}

/// CB-06: an integer or length that is not in its shortest form is refused.
#[test]
fn longer_forms_of_numbers_and_lengths_are_refused() {
    let mut key = Key::fresh();
    let good = Request::make_credential();
    for width in [1, 2, 4, 8] {
        let es256 = map([("alg", raw(&head_of_width(1, 6, width))), ("type", "public-key".into())]);
        refused(
            &mut key,
            &good.clone().with(mc::PUB_KEY_CRED_PARAMS, array([es256])),
            INVALID_CBOR,
        );
        let id = raw(&[head_of_width(3, 1, width), b"x".to_vec()].concat());
        refused(&mut key, &good.clone().with(mc::RP, map([("id", id)])), INVALID_CBOR);
        let id = raw(&[head_of_width(2, 1, width), vec![1]].concat());
        refused(&mut key, &good.clone().with(mc::USER, map([("id", id)])), INVALID_CBOR);
        let options = raw(&[head_of_width(5, 1, width), unhex("62726bf5")].concat());
        refused(&mut key, &good.clone().with(mc::OPTIONS, options), INVALID_CBOR);
        let list = raw(&head_of_width(4, 0, width));
        refused(&mut key, &good.clone().with(mc::EXCLUDE_LIST, list), INVALID_CBOR);
        let member = raw(&head_of_width(0, 0x70, width.max(2)));
        refused(&mut key, &good.clone().with(member, 0), INVALID_CBOR);
    }
    let sub_command = raw(&head_of_width(0, 1, 1));
    refused(&mut key, &Request::client_pin(1).with(cp::SUB_COMMAND, sub_command), INVALID_CBOR);
}

/// CB-07: a map key that stands twice is refused, at the top and inside.
#[test]
fn doubled_keys_are_refused() {
    let mut key = Key::fresh();
    let good = Request::make_credential();
    let doubled = map_as_given([(1, Value::from([0xCD; 32])), (1, [0xCD; 32].into())]);
    refused(&mut key, &Request::with_body(mc::COMMAND, doubled), INVALID_CBOR);
    let doubled = map_as_given([(cp::SUB_COMMAND, cp::GET_PIN_RETRIES); 2]);
    refused(&mut key, &Request::with_body(cp::COMMAND, doubled), INVALID_CBOR);
    let rp = map_as_given([("id", "example.com"), ("id", "example.com")]);
    refused(&mut key, &good.clone().with(mc::RP, rp), INVALID_CBOR);
    let options = map_as_given([("rk", true), ("rk", true)]);
    refused(&mut key, &good.clone().with(mc::OPTIONS, options), INVALID_CBOR);
    let unknown = map_as_given([("x", 1), ("x", 1)]);
    refused(&mut key, &good.clone().with(0x70, unknown.clone()), INVALID_CBOR);
    refused(&mut key, &good.with(mc::EXTENSIONS, map([("x", unknown)])), INVALID_CBOR);
}

/// CB-08: map keys out of canonical order are refused, at the top and inside.
#[test]
fn disordered_keys_are_refused() {
    let mut key = Key::fresh();
    let good = Request::make_credential();
    let body = [
        (2, good.member(mc::RP).clone()),
        (1, Value::from([0xCD; 32])),
        (3, good.member(mc::USER).clone()),
        (4, good.member(mc::PUB_KEY_CRED_PARAMS).clone()),
    ];
    refused(&mut key, &Request::with_body(mc::COMMAND, map_as_given(body)), INVALID_CBOR);
    let hash = (2, Value::from([0xCD; 32]));
    let disordered = map_as_given([hash, (1, "example.com".into())]);
    refused(&mut key, &Request::with_body(ga::COMMAND, disordered), INVALID_CBOR);
    let disordered = map_as_given([(cp::SUB_COMMAND, cp::GET_KEY_AGREEMENT), (cp::PROTOCOL, 1)]);
    refused(&mut key, &Request::with_body(cp::COMMAND, disordered), INVALID_CBOR);
    // Longer before shorter, and text before an integer.
    let rp = map_as_given([("name", "Example"), ("id", "example.com")]);
    refused(&mut key, &good.clone().with(mc::RP, rp), INVALID_CBOR);
    let type_first =
        map_as_given([("type", Value::from("public-key")), ("alg", alg::ES256.into())]);
    refused(
        &mut key,
        &good.clone().with(mc::PUB_KEY_CRED_PARAMS, array([type_first])),
        INVALID_CBOR,
    );
    let mixed = map_as_given([(Value::from("x"), 1), (1.into(), 1)]);
    refused(&mut key, &good.clone().with(0x70, mixed), INVALID_CBOR);
    let negative_first = map_as_given([(-1, 1), (300, 1)]);
    refused(&mut key, &good.with(0x70, negative_first), INVALID_CBOR);
}

/// CB-09: a text string that is not UTF-8 is refused, in fields the key knows and in those it does not.
#[test]
fn text_that_is_not_utf8_is_refused() {
    let mut key = Key::fresh();
    let good = Request::make_credential();
    for text in ["c3", "80", "ff", "c0af", "eda080", "f4908080", "e28a"] {
        let text = unhex(text);
        let text = raw(&[head(3, text.len() as u64), text].concat());
        let user = || good.member(mc::USER).clone();
        refused(&mut key, &good.clone().with(mc::RP, map([("id", text.clone())])), INVALID_CBOR);
        let rp = good.member(mc::RP).clone().with("name", text.clone());
        refused(&mut key, &good.clone().with(mc::RP, rp), INVALID_CBOR);
        refused(
            &mut key,
            &good.clone().with(mc::USER, user().with("name", text.clone())),
            INVALID_CBOR,
        );
        let named = user().with("displayName", text.clone());
        refused(&mut key, &good.clone().with(mc::USER, named), INVALID_CBOR);
        let entry = map([("alg", Value::from(alg::ES256)), ("type", text.clone())]);
        refused(
            &mut key,
            &good.clone().with(mc::PUB_KEY_CRED_PARAMS, array([entry])),
            INVALID_CBOR,
        );
        refused(
            &mut key,
            &good.clone().with(mc::OPTIONS, map([(text.clone(), true)])),
            INVALID_CBOR,
        );
        refused(
            &mut key,
            &good.clone().with(mc::EXTENSIONS, map([(text.clone(), 1)])),
            INVALID_CBOR,
        );
        refused(&mut key, &good.clone().with(0x70, text.clone()), INVALID_CBOR);
        refused(&mut key, &Request::get_assertion("x").with(ga::RP_ID, text), INVALID_CBOR);
    }
}

/// CB-10: tags, floats, undefined and reserved simple values are refused wherever they stand; null is only a
/// wrong type, and harmless in a member nobody knows.
#[test]
fn foreign_items_are_refused_wherever_they_stand() {
    let mut key = Key::fresh();
    let good = Request::make_credential();
    let items = [
        "c000",
        "c24101",
        "d9d9f700",
        "f90000",
        "f93c00",
        "fa00000000",
        "fb0000000000000000",
        "f7",
        "e0",
        "f3",
        "f800",
        "f818",
        "f8ff",
        "f815",
        "1c",
        "3d",
        "5e",
        "fc",
    ];
    for item in items {
        let item = raw(&unhex(item));
        for member in [
            mc::CLIENT_DATA_HASH,
            mc::RP,
            mc::OPTIONS,
            mc::EXTENSIONS,
            mc::ENTERPRISE_ATTESTATION,
            0x70,
        ] {
            refused(&mut key, &good.clone().with(member, item.clone()), INVALID_CBOR);
        }
        let rp = good.member(mc::RP).clone();
        refused(&mut key, &good.clone().with(mc::RP, rp.with("x", item.clone())), INVALID_CBOR);
        refused(
            &mut key,
            &good.clone().with(mc::OPTIONS, map([("x", item.clone())])),
            INVALID_CBOR,
        );
        refused(&mut key, &good.clone().extension("x", array([item.clone()])), INVALID_CBOR);
        refused(&mut key, &Request::with_body(mc::COMMAND, item.clone()), INVALID_CBOR);
        refused(&mut key, &Request::client_pin(1).with(0x70, item), INVALID_CBOR);
    }
    succeeds(&mut key, &good.clone().with(0x70, Value::Null));
    refused(&mut key, &good.with(mc::OPTIONS, Value::Null), CBOR_UNEXPECTED_TYPE);
}

/// CB-11: four levels are read, a fifth is refused, and thousands do no harm.
#[test]
fn fifth_level_is_refused() {
    let mut key = Key::fresh();
    let good = Request::make_credential();
    succeeds(&mut key, &good.clone().with(0x70, raw(&unhex("818180"))));
    succeeds(&mut key, &good.clone().extension("x", raw(&unhex("8180"))));
    refused(&mut key, &good.clone().with(0x70, raw(&unhex("81818180"))), INVALID_CBOR);
    refused(&mut key, &good.clone().with(0x70, raw(&unhex("a101a101a101a0"))), INVALID_CBOR);
    refused(&mut key, &good.clone().extension("x", raw(&unhex("818180"))), INVALID_CBOR);
    for byte in [0x81, 0xA1, 0x82, 0x9F, 0xC0] {
        refused_and_unharmed(
            &mut key,
            &[vec![mc::COMMAND], vec![byte; 7_000]].concat(),
            INVALID_CBOR,
        );
        refused(&mut key, &good.clone().with(0x70, raw(&[byte; 7_000])), INVALID_CBOR);
    }
}

/// CB-12: a body that is a good item but no map is refused by every command that takes parameters.
#[test]
fn body_that_is_no_map_is_refused() {
    let items =
        [1.into(), (-1).into(), bytes(b"x"), "x".into(), array([1]), true.into(), Value::Null];
    let others = [
        (Profile::Default, vec![cm::COMMAND, lb::COMMAND, cf::COMMAND]),
        (Profile::Preview, vec![cm::PREVIEW]),
        (Profile::FingerprintPreview, vec![be::COMMAND, be::PREVIEW]),
    ];
    let of_this_run = (Profile::of_this_run(), vec![mc::COMMAND, ga::COMMAND, cp::COMMAND]);
    for (profile, commands) in [of_this_run].into_iter().chain(others) {
        let mut key = Key::with_profile(profile);
        for command in commands {
            for item in &items {
                refused(&mut key, &Request::with_body(command, item.clone()), CBOR_UNEXPECTED_TYPE);
            }
        }
    }
}

/// CB-14: members nobody knows are ignored, at the top and inside, whatever their keys.
#[test]
fn unknown_members_are_ignored() {
    let mut key = Key::fresh();
    let unknown = |value: Value| {
        let value = value.with(0x70, 1).with(-100, "x").with("unknown", array([1]));
        value.with(bytes(b"k"), Value::Null)
    };
    let good = Request::make_credential();
    let entry = |value: &Value| unknown(value.items()[0].clone());
    let excluded = Request::make_credential().listing(&[&[9; 40]]);
    let made = key.make(
        &good
            .clone()
            .with(0x70, map([("x", 1)]))
            .with(-1, 1)
            .with("x", 1)
            .with(mc::RP, unknown(good.member(mc::RP).clone()))
            .with(mc::USER, unknown(good.member(mc::USER).clone()))
            .with(mc::PUB_KEY_CRED_PARAMS, array([entry(good.member(mc::PUB_KEY_CRED_PARAMS))]))
            .with(mc::EXCLUDE_LIST, array([entry(excluded.member(mc::EXCLUDE_LIST))]))
            .with(mc::EXTENSIONS, map([(Value::from(1), 1), ("x".into(), 1)]))
            .with(mc::OPTIONS, map([(Value::from("x"), true)])),
    );
    let listed = entry(made.get().member(ga::ALLOW_LIST));
    key.assertion_by(
        &made,
        &made.get().with(ga::ALLOW_LIST, array([listed])).with(0x70, 1).with("x", 1),
    );
    let retries = key.ok(&Request::client_pin(cp::GET_PIN_RETRIES).with(0x70, 1).with("x", true));
    assert_eq!(retries.get(3), &key.ok(&Request::client_pin(cp::GET_PIN_RETRIES)).get(3).clone());
}

/// CB-15: a length beyond the message's end is refused, however large.
#[test]
fn lengths_beyond_the_message_are_refused() {
    let mut key = Key::fresh();
    for length in [33, 0xFF, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF, 1 << 40, i64::MAX as u64, u64::MAX] {
        for major in 2..=5 {
            let claim = raw(&head(major, length));
            let start = |n: u64| [head(5, n), head(0, 1)].concat();
            let first = [start(4), claim.encode()].concat();
            let request = Request::with_body(mc::COMMAND, raw(&first));
            refused(&mut key, &request, INVALID_CBOR);
            let unknown = Request::make_credential().with(0x70, claim.clone());
            refused(&mut key, &unknown, INVALID_CBOR);
            refused(&mut key, &Request::with_body(ga::COMMAND, claim), INVALID_CBOR);
        }
    }
}

/// CB-16: a command without parameters ignores a body, good or bad, where it succeeds and where it is refused.
#[test]
fn body_behind_a_command_without_parameters_is_ignored() {
    let mut key = Key::fresh();
    let info = key.info();
    for body in ["a0", "a10101", "00", "ff", "9f", "1b00"] {
        let body = raw(&unhex(body));
        let with_body = |command| Request::with_body(command, body.clone());
        assert_eq!(key.ok(&with_body(command::GET_INFO)), info.0);
        assert_eq!(key.send(&with_body(command::SELECTION).bytes()), [SUCCESS]);
        let next = with_body(command::GET_NEXT_ASSERTION);
        assert_eq!(key.send(&next.bytes()), [NOT_ALLOWED]);
        let accounts = three_accounts(&mut key, "example.com");
        key.assertion(&Request::get_assertion("example.com"));
        for account in [&accounts[1], &accounts[0]] {
            assert_eq!(key.ok(&next).get(1).get("id").bytes(), account.id());
        }
        assert_eq!(key.send(&next.bytes()), [NOT_ALLOWED]);
        assert_eq!(key.send(&with_body(command::RESET).bytes()), [SUCCESS]);
    }
}

/// CB-17: a command byte that stands for nothing, and the whole vendor range.
#[test]
fn unknown_commands_are_refused() {
    let mut key = Key::fresh();
    let unknown = (0x0E..=0xFF).chain([0x00, 0x03, 0x05]);
    for command in unknown {
        refused_and_unharmed(&mut key, &[command], INVALID_COMMAND);
        refused_and_unharmed(&mut key, &[command, 0xA0], INVALID_COMMAND);
    }
}

/// CB-17: a command that getInfo does not offer is no command.
#[test]
fn commands_that_are_not_offered_are_refused() {
    let mut key = Key::fresh();
    let info = key.info();
    let commands =
        [(0x09, "bioEnroll"), (0x0A, "credMgmt"), (0x0C, "largeBlobs"), (0x0D, "authnrCfg")];
    for (command, option) in commands {
        if info.option(option).is_none() {
            refused_and_unharmed(&mut key, &[command], INVALID_COMMAND);
            refused(&mut key, &Request::with_body(command, map([(1, 1)])), INVALID_COMMAND);
        }
    }
}

/// CB-18: an error is one byte, whatever the command.
#[test]
fn error_answer_is_exactly_one_byte() {
    let mut key = Key::fresh();
    assert_eq!(key.send(&Request::get_assertion("nobody.example").bytes()), [NO_CREDENTIALS]);
    assert_eq!(key.send(&Request::bare(command::GET_NEXT_ASSERTION).bytes()), [NOT_ALLOWED]);
    assert_eq!(key.send(&[0xFF]), [INVALID_COMMAND]);
    assert_eq!(key.send(&[mc::COMMAND]), [INVALID_CBOR]);
    let wrong_type = Request::client_pin(1).with(cp::SUB_COMMAND, "x");
    assert_eq!(key.send(&wrong_type.bytes()), [CBOR_UNEXPECTED_TYPE]);
}

/// CB-19, GI-08: a request of exactly maxMsgSize is processed; a longer one that the transport still carries is
/// too large.
#[test]
fn longest_announced_message_is_processed() {
    const TRANSPORT: usize = 7_609;
    let mut key = Key::fresh();
    let max = usize::try_from(key.info().0.get(5).uint()).unwrap();
    assert!((1_024..=TRANSPORT).contains(&max), "maxMsgSize {max}");
    let of_length = |length: usize| {
        let short = Request::make_credential().with(0x70, vec![0; 300]);
        let padding = 300 + length - short.bytes().len();
        let request = short.with(0x70, vec![0; padding]);
        assert_eq!(request.bytes().len(), length);
        request
    };
    key.make(&of_length(max));
    if max < TRANSPORT {
        refused(&mut key, &of_length(max + 1), REQUEST_TOO_LARGE);
    }
}
