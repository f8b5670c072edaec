//! Who may write: the permission lbw, and what its param covers.

use std::time::Duration;

use softkey_tests::cbor::Value;
use softkey_tests::checks::{refused, refused_and_token_kept};
use softkey_tests::key::Profile;
use softkey_tests::pin::Protocol;
use softkey_tests::platform::permission::{ACFG, CM, GA, LBW, MC};
use softkey_tests::request::{cf, lb};
use softkey_tests::status::{
    INVALID_PARAMETER, INVALID_SEQ, LARGE_BLOB_STORAGE_FULL, MISSING_PARAMETER, PIN_AUTH_INVALID,
    PUAT_REQUIRED, SUCCESS,
};
use softkey_tests::{Key, Request};

use super::{PIN, array_of, initial, lbw_token, stored, with_pin, write};

/// LB-15: with a PIN set: no param, no protocol, an unknown one, a wrong param, a token without lbw.
#[test]
fn pin_guards_writing() {
    let (mut key, token) = with_pin();
    let array = array_of(80, 1);
    let plain = Request::write_blobs(0, &array, Some(80));
    refused(&mut key, &plain, PUAT_REQUIRED);
    refused(&mut key, &plain.clone().with(lb::PROTOCOL, 2), PUAT_REQUIRED);
    let good = plain.clone().blob_authorized(&token);
    refused(&mut key, &good.clone().without(lb::PROTOCOL), MISSING_PARAMETER);
    for unknown in [0, 3] {
        refused(&mut key, &good.clone().with(lb::PROTOCOL, unknown), INVALID_PARAMETER);
    }
    let param = good.member(lb::PARAM).bytes().to_vec();
    let mut flipped = param.clone();
    flipped[0] ^= 1;
    for wrong in [flipped, param[..31].to_vec(), [&param[..], &[0]].concat(), vec![0; 32], vec![]] {
        refused(&mut key, &good.clone().with(lb::PARAM, wrong), PIN_AUTH_INVALID);
    }
    refused(&mut key, &good.clone().with(lb::PROTOCOL, 1), PIN_AUTH_INVALID);
    for (permissions, rp_id) in [(MC | GA, Some("example.com")), (CM, None), (ACFG, None)] {
        let other = key.token(Protocol::Two, PIN, permissions, rp_id).unwrap();
        refused(&mut key, &plain.clone().blob_authorized(&other), PIN_AUTH_INVALID);
    }
    let legacy = key.pin_token(Protocol::Two, PIN).unwrap();
    refused(&mut key, &plain.blob_authorized(&legacy), PIN_AUTH_INVALID);
    refused(&mut key, &good, PIN_AUTH_INVALID);
    assert_eq!(stored(&mut key), initial());
}

/// LB-08, LB-09, LB-10, LB-15: length and offset are judged before the param, the end of the fragment after it.
#[test]
fn lengths_and_param_are_judged_in_order() {
    let (mut key, token) = with_pin();
    let array = array_of(80, 1);
    for (offset, length, status) in [
        (0, None, INVALID_PARAMETER),
        (0, Some(16), INVALID_PARAMETER),
        (0, Some(1 << 20), LARGE_BLOB_STORAGE_FULL),
        (5, None, INVALID_SEQ),
        (5, Some(80), INVALID_PARAMETER),
    ] {
        refused(&mut key, &Request::write_blobs(offset, &array, length), status);
    }
    let overrun = Request::write_blobs(0, &array, Some(40));
    refused(&mut key, &overrun, PUAT_REQUIRED);
    let good = overrun.blob_authorized(&token);
    refused(&mut key, &good.clone().with(lb::PARAM, [7; 32]), PIN_AUTH_INVALID);
    refused(&mut key, &good, INVALID_PARAMETER);
}

/// LB-15: both protocols authorize, and an rpId in the token's request does not matter.
#[test]
fn both_protocols_authorize() {
    for protocol in Protocol::BOTH {
        for rp_id in [None, Some("example.com")] {
            let (mut key, _) = with_pin();
            let token = key.token(protocol, PIN, LBW, rp_id).unwrap();
            let array = array_of(300, 4);
            write(&mut key, Some(&token), &array, 128);
            assert_eq!(stored(&mut key), array);
        }
    }
}

/// LB-16: each fragment needs its own param, over its own offset and bytes.
#[test]
fn each_fragment_needs_its_own_param() {
    let (mut key, token) = with_pin();
    let array = array_of(96, 1);
    let first = Request::write_blobs(0, &array[..48], Some(96)).blob_authorized(&token);
    let second = Request::write_blobs(48, &array[48..], None);
    let authorized = second.clone().blob_authorized(&token);
    assert_eq!(key.status(&first), SUCCESS);
    refused_and_token_kept(&mut key, &second, PUAT_REQUIRED);
    let with_param = |request: &Request, from: &Request| {
        let param = from.member(lb::PARAM).clone();
        request.clone().with(lb::PARAM, param).with(lb::PROTOCOL, 2)
    };
    refused_and_token_kept(&mut key, &with_param(&second, &first), PIN_AUTH_INVALID);
    let at_zero = Request::write_blobs(0, &array[48..], Some(48)).blob_authorized(&token);
    refused_and_token_kept(&mut key, &with_param(&second, &at_zero), PIN_AUTH_INVALID);
    let other_bytes = Request::write_blobs(48, &[0; 48], None);
    refused_and_token_kept(&mut key, &with_param(&other_bytes, &authorized), PIN_AUTH_INVALID);
    assert_eq!(key.status(&authorized), SUCCESS);
    assert_eq!(stored(&mut key), array);
}

/// LB-18, MC-49: a token for mc, ga and lbw still writes after it was spent on an assertion or a credential.
#[test]
fn lbw_outlives_the_spent_permissions() {
    let mut key = Key::with_profile(Profile::Default);
    let made = key.make(&Request::make_credential());
    key.set_pin(PIN);
    for permissions in [GA | LBW, MC | LBW] {
        let token = key.token(Protocol::Two, PIN, permissions, Some("example.com")).unwrap();
        if permissions & GA == 0 {
            key.make(&Request::make_credential().authorized(&token));
        } else {
            key.assertion_by(&made, &made.get().authorized(&token));
        }
        let again = made.get().authorized(&token);
        refused_and_token_kept(&mut key, &again, PIN_AUTH_INVALID);
        let array = array_of(64, u8::try_from(permissions).unwrap());
        write(&mut key, Some(&token), &array, 32);
        assert_eq!(stored(&mut key), array);
    }
}

/// LB-15: alwaysUv asks for a token though no PIN is set; there is none to be had then.
#[test]
fn always_uv_guards_writing_without_a_pin() {
    let mut key = Key::with_profile(Profile::Default);
    assert_eq!(key.status(&Request::config(cf::TOGGLE_ALWAYS_UV)), SUCCESS);
    let array = array_of(40, 1);
    let plain = Request::write_blobs(0, &array, Some(40));
    // (`refused` makes a credential without a token afterwards, which alwaysUv forbids.)
    refused_and_token_kept(&mut key, &plain, PUAT_REQUIRED);
    let param = plain.with(lb::PARAM, Value::from([1; 32]));
    refused_and_token_kept(&mut key, &param, MISSING_PARAMETER);
    refused_and_token_kept(&mut key, &param.with(lb::PROTOCOL, 2), PIN_AUTH_INVALID);
    assert_eq!(stored(&mut key), initial());
}

/// LB-14: a transfer ends with the token that authorized it: replaced, expired or voided by a new PIN.
#[test]
fn transfer_ends_with_its_token() {
    type End = fn(&mut Key);
    let ends: [(&str, End); 3] = [
        ("replaced", |key| drop(lbw_token(key))),
        ("expired", |key| key.advance(Duration::from_secs(601))),
        ("PIN changed", |key| assert_eq!(key.change_pin(PIN, "4321"), SUCCESS)),
    ];
    for (name, end) in ends {
        let (mut key, token) = with_pin();
        let array = array_of(96, 1);
        let first = Request::write_blobs(0, &array[..48], Some(96)).blob_authorized(&token);
        assert_eq!(key.status(&first), SUCCESS, "{name}");
        end(&mut key);
        let pin = if name == "PIN changed" { "4321" } else { PIN };
        let token = key.token(Protocol::Two, pin, LBW, None).unwrap();
        let second = Request::write_blobs(48, &array[48..], None).blob_authorized(&token);
        refused_and_token_kept(&mut key, &second, INVALID_SEQ);
        assert_eq!(stored(&mut key), initial(), "{name}");
        write(&mut key, Some(&token), &array, 48);
        assert_eq!(stored(&mut key), array, "{name}");
    }
}

/// PT-08: lbw is to be had, by PIN, alone and with others.
#[test]
fn lbw_is_granted() {
    let (mut key, _) = with_pin();
    key.token(Protocol::One, PIN, LBW, None).unwrap();
    key.token(Protocol::Two, PIN, LBW | CM | ACFG, None).unwrap();
}
