//! The preview command 0x40, and that it is there only when wanted.

use softkey_tests::checks::{refused, refused_and_token_kept};
use softkey_tests::key::Profile;
use softkey_tests::pin::Protocol;
use softkey_tests::platform::permission::BE;
use softkey_tests::request::{be, cm};
use softkey_tests::status::{
    INVALID_COMMAND, INVALID_OPTION, INVALID_SUBCOMMAND, PIN_AUTH_INVALID, PUAT_REQUIRED, SUCCESS,
};
use softkey_tests::{Key, Request};

use super::{
    LAST_STATUS, PIN, REMAINING, TEMPLATE_ID, TEMPLATE_INFOS, begin, begin_unsigned, enumerate,
    next, remove, rename, with_pin,
};

fn key() -> Key {
    let mut key = Key::with_profile(Profile::FingerprintPreview);
    key.set_pin(PIN);
    key
}

/// BE-22, GI-02: a key with a sensor alone has no preview; one that has it says so, by its state.
#[test]
fn preview_is_announced_where_it_is() {
    let mut plain = with_pin();
    let info = plain.info();
    assert!(!info.has_version("FIDO_2_1_PRE"));
    assert_eq!(info.option("userVerificationMgmtPreview"), None);
    let sensor = Request::bio_enrollment(be::GET_FINGERPRINT_SENSOR_INFO).previewed();
    refused(&mut plain, &sensor, INVALID_COMMAND);

    let mut key = key();
    let info = key.info();
    assert!(info.has_version("FIDO_2_1_PRE") && info.has_version("FIDO_2_3"));
    assert_eq!(info.option("userVerificationMgmtPreview"), Some(false));
    assert_eq!(info.option("credentialMgmtPreview"), None);
    assert_eq!(key.ok(&sensor).get(3).uint(), 3);
    let metadata = Request::credential_management(cm::GET_CREDS_METADATA).previewed();
    refused(&mut key, &metadata, INVALID_COMMAND);
}

/// BE-22: with a token of getPinToken, by both protocols, and with one that has be: enroll, list, name, remove.
#[test]
fn preview_takes_tokens_of_get_pin_token() {
    for protocol in Protocol::BOTH {
        let mut key = key();
        refused(&mut key, &begin_unsigned().previewed(), PUAT_REQUIRED);
        let pin_token = key.pin_token(protocol, PIN).unwrap();
        refused_and_token_kept(&mut key, &begin(&pin_token), PIN_AUTH_INVALID);
        for token in [None, Some(())] {
            let token = match token {
                None => pin_token.clone(),
                Some(()) => key.token(protocol, PIN, BE, None).unwrap(),
            };
            let first = key.ok(&begin(&token).previewed());
            assert_eq!((first.get(LAST_STATUS).uint(), first.get(REMAINING).uint()), (0, 2));
            let id = first.get(TEMPLATE_ID).bytes();
            key.ok(&next(&token, id).previewed());
            assert_eq!(key.ok(&next(&token, id).previewed()).get(REMAINING).uint(), 0);
            assert_eq!(key.info().option("userVerificationMgmtPreview"), Some(true));
            assert_eq!(key.status(&rename(&token, id, "thumb").previewed()), SUCCESS);
            let infos = key.ok(&enumerate(&token).previewed());
            assert_eq!(infos.get(TEMPLATE_INFOS).items()[0].get(2).text(), "thumb");
            assert_eq!(key.status(&remove(&token, id).previewed()), SUCCESS);
            refused_and_token_kept(&mut key, &enumerate(&token).previewed(), INVALID_OPTION);
            let unknown = Request::bio_enrollment(8).bio_authorized(&token).previewed();
            refused_and_token_kept(&mut key, &unknown, INVALID_SUBCOMMAND);
        }
    }
}

/// BE-22: a registration spends such a token for the preview too.
#[test]
fn spent_token_is_refused_by_the_preview() {
    let mut key = key();
    let token = key.pin_token(Protocol::Two, PIN).unwrap();
    key.make(&Request::make_credential().authorized(&token));
    refused(&mut key, &begin(&token).previewed(), PIN_AUTH_INVALID);
}
