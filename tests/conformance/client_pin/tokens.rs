//! Getting a pinUvAuthToken.

use softkey_tests::auth_data::UV;
use softkey_tests::checks::{refused, refused_and_token_kept};
use softkey_tests::pin::Protocol;
use softkey_tests::platform::permission::{ACFG, BE, CM, GA, LBW, MC, PCMR};
use softkey_tests::platform::{pin_token_request, token_request};
use softkey_tests::request::cp;
use softkey_tests::status::{
    INVALID_PARAMETER, MISSING_PARAMETER, PIN_AUTH_INVALID, PIN_NOT_SET, SUCCESS,
    UNAUTHORIZED_PERMISSION,
};
use softkey_tests::{Key, Request};

const PIN: &str = "1234";
const RP: &str = "example.com";

fn with_pin() -> Key {
    let mut key = Key::fresh();
    key.set_pin(PIN);
    key
}

/// PT-01: 32 bytes, under both protocols; no two alike.
/// CT-CP-token-length.
#[test]
fn token_has_thirty_two_bytes() {
    let mut key = with_pin();
    let mut seen = Vec::new();
    for protocol in Protocol::BOTH {
        for _ in 0..3 {
            let tokens = [
                key.pin_token(protocol, PIN).unwrap(),
                key.token(protocol, PIN, GA, Some(RP)).unwrap(),
            ];
            for token in tokens {
                assert_eq!(token.bytes().len(), 32);
                assert!(!seen.contains(&token.bytes().to_vec()));
                seen.push(token.bytes().to_vec());
            }
        }
    }
}

/// PT-01: the members getPinToken and its successor need.
#[test]
fn missing_members_are_refused() {
    let mut key = with_pin();
    let shared = key.agree(Protocol::Two);
    for good in [pin_token_request(&shared, PIN), token_request(&shared, PIN, GA, Some(RP))] {
        for member in [cp::PROTOCOL, cp::KEY_AGREEMENT, cp::PIN_HASH_ENC] {
            refused(&mut key, &good.clone().without(member), MISSING_PARAMETER);
        }
    }
}

/// PT-02: permissions or an rpId in getPinToken.
#[test]
fn permissions_in_get_pin_token_are_refused() {
    let mut key = with_pin();
    let shared = key.agree(Protocol::Two);
    let good = pin_token_request(&shared, PIN);
    refused(&mut key, &good.clone().with(cp::PERMISSIONS, GA), INVALID_PARAMETER);
    refused(&mut key, &good.clone().with(cp::RP_ID, RP), INVALID_PARAMETER);
    refused(
        &mut key,
        &good.clone().with(cp::PERMISSIONS, GA).with(cp::RP_ID, RP),
        INVALID_PARAMETER,
    );
    assert_eq!(key.status(&good), SUCCESS);
}

/// PT-03: a token of getPinToken may make a credential, and another one get an assertion.
/// CT-CP-legacy-mc, CT-CP-legacy-ga.
#[test]
fn legacy_token_serves_mc_and_ga() {
    for protocol in Protocol::BOTH {
        let mut key = with_pin();
        let token = key.pin_token(protocol, PIN).unwrap();
        let made = key.make(&Request::make_credential().discoverable().authorized(&token));
        let token = key.pin_token(protocol, PIN).unwrap();
        key.assertion_by(&made, &made.get().authorized(&token));
    }
}

/// PT-04: no PIN, no token; the retries stay.
#[test]
fn without_a_pin_there_is_no_token() {
    let mut key = Key::fresh();
    for protocol in Protocol::BOTH {
        let shared = key.agree(protocol);
        refused(&mut key, &pin_token_request(&shared, PIN), PIN_NOT_SET);
        refused(&mut key, &token_request(&shared, PIN, GA, Some(RP)), PIN_NOT_SET);
    }
}

/// PT-06: permissions missing or zero.
#[test]
fn missing_or_zero_permissions_are_refused() {
    let mut key = with_pin();
    let shared = key.agree(Protocol::Two);
    let good = token_request(&shared, PIN, GA, Some(RP));
    refused(&mut key, &good.clone().without(cp::PERMISSIONS), MISSING_PARAMETER);
    refused(&mut key, &good.clone().with(cp::PERMISSIONS, 0), INVALID_PARAMETER);
    refused(&mut key, &good.without(cp::RP_ID).with(cp::PERMISSIONS, 0), INVALID_PARAMETER);
}

/// PT-07: mc or ga without an rpId, before the PIN is looked at.
#[test]
fn mc_and_ga_need_an_rp_id() {
    let mut key = with_pin();
    let shared = key.agree(Protocol::Two);
    for permissions in [MC, GA, MC | GA] {
        refused(&mut key, &token_request(&shared, PIN, permissions, None), MISSING_PARAMETER);
    }
    assert_eq!(key.retries(), 8);
}

/// PT-08: a permission whose feature is absent; no PIN is looked at for that.
#[test]
fn permission_without_its_feature_is_refused() {
    let mut key = with_pin();
    let info = key.info();
    let shared = key.agree(Protocol::Two);
    let features = [
        (CM, info.option("credMgmt") == Some(true)),
        (BE, info.option("bioEnroll").is_some()),
        (LBW, info.option("largeBlobs") == Some(true)),
        (ACFG, info.option("authnrCfg") == Some(true)),
        (PCMR, info.option("perCredMgmtRO") == Some(true)),
    ];
    let mut absent = 0;
    for (permission, _) in features.into_iter().filter(|(_, offered)| !offered) {
        for pin in [PIN, "9999"] {
            let alone = token_request(&shared, pin, permission, None);
            refused(&mut key, &alone, UNAUTHORIZED_PERMISSION);
            let among = token_request(&shared, pin, GA | permission, Some(RP));
            refused(&mut key, &among, UNAUTHORIZED_PERMISSION);
        }
        absent += 1;
    }
    assert!(absent > 0, "a key without sensor has no bioEnroll");
}

/// PT-09: undefined bits are ignored; nothing but undefined bits is zero.
#[test]
fn undefined_permission_bits_are_ignored() {
    let mut key = with_pin();
    let made = key.make(&Request::make_credential());
    let shared = key.agree(Protocol::Two);
    for undefined in [0x80, 0x100, 0xFF80] {
        refused(&mut key, &token_request(&shared, PIN, undefined, Some(RP)), INVALID_PARAMETER);
        let token = key.token(Protocol::Two, PIN, GA | undefined, Some(RP)).unwrap();
        let creating = Request::make_credential().authorized(&token);
        refused_and_token_kept(&mut key, &creating, PIN_AUTH_INVALID);
        let assertion = key.assertion_by(&made, &made.get().authorized(&token));
        assert!(assertion.auth_data.has(UV), "{undefined:#x}");
    }
}

/// PT-10: pcmr goes with no other permission.
#[test]
fn pcmr_goes_alone() {
    let mut key = with_pin();
    let shared = key.agree(Protocol::Two);
    for permissions in [PCMR | GA, PCMR | MC, PCMR | CM, 0x7F] {
        let request = token_request(&shared, PIN, permissions, Some(RP));
        refused(&mut key, &request, UNAUTHORIZED_PERMISSION);
    }
}

/// PT-12: a token of one protocol does not verify under the other.
#[test]
fn tokens_do_not_change_protocols() {
    for protocol in Protocol::BOTH {
        let mut key = with_pin();
        let token = key.token(protocol, PIN, MC, Some(RP)).unwrap();
        let request = Request::make_credential().authorized(&token.under_other_protocol());
        refused_and_token_kept(&mut key, &request, PIN_AUTH_INVALID);
        key.make(&Request::make_credential().authorized(&token));
    }
}

/// PT-19: protocol two encrypts the same under a random IV: no two answers are alike, IV included.
#[test]
fn protocol_two_draws_an_iv_for_each_token() {
    let mut key = with_pin();
    let shared = key.agree(Protocol::Two);
    let request = pin_token_request(&shared, PIN).bytes();
    let mut seen = Vec::new();
    for _ in 0..4 {
        let answer = key.send(&request);
        let answer = softkey_tests::cbor::walk(&answer[1..]).unwrap();
        let encrypted = answer.get(2).bytes().to_vec();
        assert_eq!(encrypted.len(), 48);
        assert!(!seen.contains(&encrypted[..16].to_vec()), "an IV came twice");
        seen.push(encrypted[..16].to_vec());
    }
    let shared = key.agree(Protocol::One);
    let answer = key.ok(&pin_token_request(&shared, PIN));
    assert_eq!(answer.get(2).bytes().len(), 32);
}
