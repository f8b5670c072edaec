//! setPIN.

use softkey_tests::checks::refused;
use softkey_tests::pin::{Protocol, padded};
use softkey_tests::platform::{permission, set_pin_request};
use softkey_tests::request::cp;
use softkey_tests::status::{
    INVALID_PARAMETER, MISSING_PARAMETER, PIN_AUTH_INVALID, PIN_INVALID, PIN_NOT_SET,
    PIN_POLICY_VIOLATION, SUCCESS,
};
use softkey_tests::{Key, Request};

/// A setPIN request with this plaintext for this key.
fn request(key: &mut Key, protocol: Protocol, plaintext: &[u8]) -> Request {
    set_pin_request(&key.agree(protocol), plaintext)
}

#[track_caller]
fn refused_plaintext(plaintext: &[u8], status: u8) {
    for protocol in Protocol::BOTH {
        let mut key = Key::fresh();
        let request = request(&mut key, protocol, plaintext);
        refused(&mut key, &request, status);
        assert_eq!(key.info().option("clientPin"), Some(false));
    }
}

#[track_caller]
fn accepted(pin: &str) {
    for protocol in Protocol::BOTH {
        let mut key = Key::fresh();
        let request = request(&mut key, protocol, &padded(pin));
        assert_eq!(key.send(&request.bytes()), [SUCCESS]);
        assert_eq!(key.info().option("clientPin"), Some(true));
        for protocol in Protocol::BOTH {
            key.token(protocol, pin, permission::GA, Some("example.com")).unwrap();
        }
        assert_eq!(key.pin_token(protocol, "another PIN"), Err(PIN_INVALID));
    }
}

/// CP-08: each member it needs.
#[test]
fn each_missing_member_is_refused() {
    let mut key = Key::fresh();
    let good = request(&mut key, Protocol::Two, &padded("1234"));
    for member in [cp::PROTOCOL, cp::KEY_AGREEMENT, cp::PARAM, cp::NEW_PIN_ENC] {
        refused(&mut key, &good.clone().without(member), MISSING_PARAMETER);
    }
    assert_eq!(key.status(&good), SUCCESS);
}

/// CP-09: the shortest and the longest PIN of ASCII.
/// CT-CP-set-valid.
#[test]
fn four_and_sixty_three_bytes_are_accepted() {
    accepted("1234");
    accepted(&"p".repeat(63));
    accepted("correct horse battery staple");
}

/// CP-10: three characters are too few, however many bytes they take.
/// CT-CP-set-short, CT-CP-set-multibyte.
#[test]
fn three_characters_are_too_few() {
    for pin in [
        "1",
        "123",
        "\u{E4}\u{F6}\u{FC}",
        "\u{20AC}\u{20AC}\u{20AC}",
        "\u{1F511}\u{1F511}\u{1F511}",
    ] {
        refused_plaintext(&padded(pin), PIN_POLICY_VIOLATION);
    }
}

/// CP-11: four characters are enough, of two, three and four bytes.
#[test]
fn four_multi_byte_characters_are_enough() {
    for character in ["\u{E4}", "\u{20AC}", "\u{1F511}"] {
        accepted(&character.repeat(4));
    }
}

/// CP-12: 64 bytes without a zero at the end.
/// CT-CP-set-64.
#[test]
fn sixty_four_bytes_of_content_are_too_many() {
    refused_plaintext(&[b'1'; 64], PIN_POLICY_VIOLATION);
    let mut zero_inside = [b'1'; 64];
    zero_inside[10] = 0;
    refused_plaintext(&zero_inside, PIN_POLICY_VIOLATION);
}

/// CP-13: plaintext of another length than 64.
/// CT-CP-set-long.
#[test]
fn plaintext_of_other_length_is_refused() {
    let plaintext = |length: usize| {
        let mut plaintext = vec![0; length];
        plaintext[..4].copy_from_slice(b"1234");
        plaintext
    };
    for length in [16, 32, 48] {
        refused_plaintext(&plaintext(length), INVALID_PARAMETER);
    }
    for length in [80, 128, 256] {
        refused_plaintext(&plaintext(length), PIN_POLICY_VIOLATION);
    }
}

/// CP-13: ciphertext that is no whole number of blocks does not decrypt.
#[test]
fn ciphertext_of_broken_blocks_is_refused() {
    for protocol in Protocol::BOTH {
        let mut key = Key::fresh();
        let shared = key.agree(protocol);
        for tail in [1, 15] {
            let mut broken = shared.encrypt(&padded("1234"));
            broken.truncate(broken.len() - tail);
            let request = set_pin_request(&shared, &padded("1234"))
                .with(cp::PARAM, shared.authenticate(&broken))
                .with(cp::NEW_PIN_ENC, broken);
            refused(&mut key, &request, PIN_AUTH_INVALID);
        }
    }
}

/// CP-14: an empty PIN.
#[test]
fn empty_pin_is_refused() {
    refused_plaintext(&[0; 64], PIN_POLICY_VIOLATION);
}

/// CP-15: a PIN that is not UTF-8.
#[test]
fn pin_that_is_not_utf8_is_refused() {
    for bytes in [b"12\xFF4".as_slice(), b"1234\xC3", b"\x80\x80\x80\x80", b"12\xED\xA0\x8034"] {
        let mut plaintext = bytes.to_vec();
        plaintext.resize(64, 0);
        refused_plaintext(&plaintext, PIN_POLICY_VIOLATION);
    }
}

/// CP-16: a param that is wrong, cut or extended sets no PIN.
#[test]
fn wrong_param_sets_no_pin() {
    for protocol in Protocol::BOTH {
        let mut key = Key::fresh();
        let good = request(&mut key, protocol, &padded("1234"));
        let param = good.member(cp::PARAM).bytes().to_vec();
        let mut flipped = param.clone();
        flipped[0] ^= 1;
        for bad in [
            flipped,
            param[1..].to_vec(),
            [&param, [0].as_slice()].concat(),
            vec![0; param.len()],
            vec![],
        ] {
            refused(&mut key, &good.clone().with(cp::PARAM, bad), PIN_AUTH_INVALID);
        }
        assert_eq!(key.info().option("clientPin"), Some(false));
        assert_eq!(key.pin_token(protocol, "1234"), Err(PIN_NOT_SET));
    }
}

/// CP-17: a PIN is set already; it stays.
#[test]
fn second_set_pin_is_refused() {
    for protocol in Protocol::BOTH {
        let mut key = Key::fresh();
        key.set_pin("1234");
        let again = request(&mut key, protocol, &padded("4321"));
        refused(&mut key, &again, PIN_AUTH_INVALID);
        refused(&mut key, &again.with(cp::PARAM, [0; 16]), PIN_AUTH_INVALID);
        key.pin_token(protocol, "1234").unwrap();
    }
}

/// CP-18: only trailing zeros are stripped; what stands behind an inner zero belongs to the PIN.
#[test]
fn only_trailing_zeros_are_stripped() {
    let mut key = Key::fresh();
    let request = request(&mut key, Protocol::Two, &padded("12\u{0}4"));
    assert_eq!(key.status(&request), SUCCESS);
    assert_eq!(key.pin_token(Protocol::Two, "12"), Err(PIN_INVALID));
    key.pin_token(Protocol::Two, "12\u{0}4").unwrap();
    refused_plaintext(&padded("12\u{0}"), PIN_POLICY_VIOLATION);
}

/// CP-05, CP-33: a PIN that was set survives a power cycle.
#[test]
fn pin_survives_a_power_cycle() {
    let mut key = Key::fresh();
    key.set_pin("1234");
    key.power_cycle();
    assert_eq!(key.info().option("clientPin"), Some(true));
    assert_eq!(key.pin_token(Protocol::Two, "4321"), Err(PIN_INVALID));
    key.pin_token(Protocol::Two, "1234").unwrap();
}
