//! The preview command 0x41, and that it is there only when wanted.

use softkey_tests::checks::refused;
use softkey_tests::key::Profile;
use softkey_tests::pin::Protocol;
use softkey_tests::platform::permission::{CM, GA, MC};
use softkey_tests::request::cm;
use softkey_tests::status::{
    INVALID_COMMAND, INVALID_SUBCOMMAND, NOT_ALLOWED, PIN_AUTH_INVALID, PUAT_REQUIRED, SUCCESS,
};
use softkey_tests::{Key, Request};

use super::{
    PIN, account, credentials_begin, delete, metadata, next, pcmr_token, rps_begin, update_unsigned,
};

fn key() -> Key {
    let mut key = Key::with_profile(Profile::Preview);
    account(&mut key, "a.example", 1);
    account(&mut key, "b.example", 2);
    account(&mut key, "b.example", 3);
    key.set_pin(PIN);
    key
}

/// CM-30, CB-17: the default key has neither command nor option nor version.
#[test]
fn default_key_has_no_preview() {
    let mut key = super::with_pin();
    let info = key.info();
    assert!(!info.has_version("FIDO_2_1_PRE"));
    assert_eq!(info.option("credentialMgmtPreview"), None);
    let token = super::cm_token(&mut key);
    refused(&mut key, &metadata(&token).previewed(), INVALID_COMMAND);
}

/// CM-30, GI-02: the key that has the preview says so, and still has the command itself.
#[test]
fn preview_is_announced() {
    let info = key().info();
    assert!(info.has_version("FIDO_2_1_PRE") && info.has_version("FIDO_2_3"));
    assert_eq!(info.option("credentialMgmtPreview"), Some(true));
    assert_eq!(info.option("credMgmt"), Some(true));
}

/// CM-30: with a token of getPinToken, by both protocols: count, list, delete.
#[test]
fn preview_takes_tokens_of_get_pin_token() {
    for protocol in Protocol::BOTH {
        let mut key = key();
        let token = key.pin_token(protocol, PIN).unwrap();
        assert_eq!(key.ok(&metadata(&token).previewed()).get(1).uint(), 3);
        assert_eq!(key.ok(&rps_begin(&token).previewed()).get(5).uint(), 2);
        key.ok(&next(cm::ENUMERATE_RPS_NEXT).previewed());
        assert_eq!(key.status(&next(cm::ENUMERATE_RPS_NEXT).previewed()), NOT_ALLOWED);
        let first = key.ok(&credentials_begin(&token, "b.example").previewed());
        assert_eq!(first.get(9).uint(), 2);
        let second = key.ok(&next(cm::ENUMERATE_CREDENTIALS_NEXT).previewed());
        for entry in [first, second] {
            let id = entry.get(7).get("id").bytes();
            assert_eq!(key.status(&delete(&token, id).previewed()), SUCCESS);
        }
        assert_eq!(key.ok(&metadata(&token).previewed()).get(1).uint(), 1);
    }
}

/// CM-30: a token with cm serves the preview too; one for mc and ga with permissions does not, nor the persistent one.
#[test]
fn permissions_hold_for_the_preview() {
    let mut key = key();
    let token = key.token(Protocol::Two, PIN, CM, None).unwrap();
    key.ok(&metadata(&token).previewed());
    let limited = key.token(Protocol::Two, PIN, MC | GA, Some("a.example")).unwrap();
    refused(&mut key, &metadata(&limited).previewed(), PIN_AUTH_INVALID);
    let persistent = pcmr_token(&mut key);
    refused(&mut key, &metadata(&persistent).previewed(), PIN_AUTH_INVALID);
    key.ok(&metadata(&persistent));
}

/// PT-03, CM-03: the tokens of getPinToken serve nothing else on that account, and not after they were spent.
#[test]
fn tokens_of_get_pin_token_stay_limited() {
    let mut key = key();
    let token = key.pin_token(Protocol::Two, PIN).unwrap();
    let begin = softkey_tests::checks::refused_and_token_kept;
    begin(&mut key, &metadata(&token), PIN_AUTH_INVALID);
    key.ok(&metadata(&token).previewed());
    key.make(&Request::make_credential().authorized(&token));
    refused(&mut key, &metadata(&token).previewed(), PIN_AUTH_INVALID);
}

/// CM-01, CM-30: no param; updateUserInformation was not in the preview.
#[test]
fn preview_has_six_subcommands() {
    let mut key = key();
    let bare = Request::credential_management(cm::GET_CREDS_METADATA).previewed();
    refused(&mut key, &bare, PUAT_REQUIRED);
    let user = softkey_tests::cbor::map([("id", softkey_tests::Value::from([1]))]);
    let update = update_unsigned(&[1; 97], user).previewed();
    refused(&mut key, &update, INVALID_SUBCOMMAND);
    refused(&mut key, &Request::credential_management(8).previewed(), INVALID_SUBCOMMAND);
}
