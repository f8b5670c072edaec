//! Cases of the conformance tool that no other file proves on its way (`cases.md`).

use softkey_tests::auth_data::UP;
use softkey_tests::cbor::map;
use softkey_tests::checks::refused;
use softkey_tests::key::Profile;
use softkey_tests::pin::{Protocol, Token};
use softkey_tests::platform::permission::{ACFG, BE, CM, GA, LBW, MC, PCMR};
use softkey_tests::request::{be, cf, cm};
use softkey_tests::status::{NO_CREDENTIALS, PIN_AUTH_INVALID, SUCCESS};
use softkey_tests::{Key, Request};

use crate::large_blobs::{array_of, stored, write};

const PIN: &str = "1234";
const RP: &str = "example.com";

fn with_pin(profile: Profile) -> Key {
    let mut key = Key::with_profile(profile);
    key.set_pin(PIN);
    key
}

/// A key with a PIN and an enrolled finger, which touches it from now on.
fn with_finger() -> Key {
    let mut key = with_pin(Profile::FingerprintPreview);
    let token = key.token(Protocol::Two, PIN, BE, None).unwrap();
    let begun = key.ok(&Request::bio_enrollment(be::ENROLL_BEGIN).bio_authorized(&token));
    let next = Request::bio_enrollment(be::ENROLL_CAPTURE_NEXT_SAMPLE)
        .with(be::PARAMS, map([(be::TEMPLATE_ID, begun.get(4).bytes())]))
        .bio_authorized(&token);
    let mut remaining = begun.get(6).uint();
    while remaining > 0 {
        remaining = key.ok(&next).get(6).uint();
    }
    assert_eq!(key.info().option("uv"), Some(true));
    key
}

/// getPinUvAuthTokenUsingUvWithPermissions.
fn token_by_uv(key: &mut Key, protocol: Protocol, permissions: i64) -> Result<Token, u8> {
    key.token_by_uv(protocol, permissions, Some(RP))
}

fn rps_begin(token: &Token) -> Request {
    Request::credential_management(cm::ENUMERATE_RPS_BEGIN).managed(token)
}

fn enumerate_fingers(token: &Token) -> Request {
    Request::bio_enrollment(be::ENUMERATE_ENROLLMENTS).bio_authorized(token)
}

/// Everything that this token's permissions are for works with it, what spends it last. The token is bound to a party,
/// so it lists that party's credentials only.
fn serves_everything(key: &mut Key, token: &Token, configures: bool) {
    let array = array_of(40, 1);
    write(key, Some(token), &array, 40);
    assert_eq!(stored(key), array);
    let party = map([(1, softkey_tests::parts::sha256(RP.as_bytes()))]);
    let list = Request::credential_management(cm::ENUMERATE_CREDENTIALS_BEGIN);
    assert_eq!(key.status(&list.with(cm::PARAMS, party).managed(token)), NO_CREDENTIALS);
    if configures {
        let config = Request::config(cf::ENABLE_LONG_TOUCH_FOR_RESET).managed(token);
        assert_eq!(key.status(&config), SUCCESS);
    }
    let made = key.make(&Request::make_credential().authorized(token));
    refused(key, &made.get().authorized(token), PIN_AUTH_INVALID);
}

/// CT-CP-permissions-all: one token has every permission that the key advertises, with bioEnrollment and without.
#[test]
fn one_token_has_every_advertised_permission() {
    for protocol in Protocol::BOTH {
        let mut key = with_pin(Profile::Default);
        let token = key.token(protocol, PIN, MC | GA | CM | LBW | ACFG, Some(RP)).unwrap();
        serves_everything(&mut key, &token, true);
        let mut key = with_finger();
        let token = key.token(protocol, PIN, MC | GA | CM | LBW | ACFG | BE, Some(RP)).unwrap();
        assert_eq!(key.status(&enumerate_fingers(&token)), SUCCESS);
        serves_everything(&mut key, &token, true);
    }
}

/// CT-CP-uv-permissions-all: the same by built-in user verification, which may enroll here and may not configure.
#[test]
fn one_token_by_the_sensor_has_every_advertised_permission() {
    for protocol in Protocol::BOTH {
        let mut key = with_finger();
        assert_eq!(key.info().option("uvBioEnroll"), Some(true));
        assert_eq!(key.info().option("uvAcfg"), None);
        let token = token_by_uv(&mut key, protocol, MC | GA | CM | LBW | BE).unwrap();
        assert_eq!(key.status(&enumerate_fingers(&token)), SUCCESS);
        serves_everything(&mut key, &token, false);
    }
}

/// A token for mc alone makes a credential and signs nothing; one for ga alone, the other way round.
fn one_permission_each(key: &mut Key, token: impl Fn(&mut Key, i64) -> Result<Token, u8>) {
    let for_mc = token(key, MC).unwrap();
    let made = key.make(&Request::make_credential());
    let for_mc_again = token(key, MC).unwrap();
    assert_ne!(for_mc, for_mc_again);
    assert_eq!(key.status(&made.get().authorized(&for_mc_again)), PIN_AUTH_INVALID);
    let made = key.make(&Request::make_credential().authorized(&for_mc_again));
    let for_ga = token(key, GA).unwrap();
    assert_eq!(key.status(&Request::make_credential().authorized(&for_ga)), PIN_AUTH_INVALID);
    key.assertion_by(&made, &made.get().authorized(&for_ga));
}

/// CT-CP-permissions-mc: by PIN.
#[test]
fn token_for_mc_alone_is_followed_by_one_for_ga() {
    for protocol in Protocol::BOTH {
        let mut key = with_pin(Profile::Default);
        one_permission_each(&mut key, |key, wanted| key.token(protocol, PIN, wanted, Some(RP)));
    }
}

/// CT-CP-uv-permissions-mc: by built-in user verification.
#[test]
fn token_by_the_sensor_for_mc_alone_is_followed_by_one_for_ga() {
    for protocol in Protocol::BOTH {
        let mut key = with_finger();
        one_permission_each(&mut key, |key, wanted| token_by_uv(key, protocol, wanted));
    }
}

/// CT-CP-uv-permissions-pcmr: a persistent token by built-in user verification reads, after a power cycle too.
#[test]
fn persistent_token_by_the_sensor_reads_the_metadata() {
    let mut key = with_finger();
    let token = token_by_uv(&mut key, Protocol::Two, PCMR).unwrap();
    for _ in 0..2 {
        let metadata = Request::credential_management(cm::GET_CREDS_METADATA).managed(&token);
        assert_eq!(key.ok(&metadata).get(1).uint(), 0);
        key.power_cycle();
    }
}

/// CT-CP-change-persistent: a persistent token from before a change lists nothing any more.
#[test]
fn changed_pin_voids_the_persistent_token_for_listing() {
    for protocol in Protocol::BOTH {
        let mut key = with_pin(Profile::Default);
        let token = key.token(protocol, PIN, PCMR, None).unwrap();
        assert_eq!(key.status(&rps_begin(&token)), NO_CREDENTIALS);
        assert_eq!(key.change_pin(PIN, "4321"), SUCCESS);
        refused(&mut key, &rps_begin(&token), PIN_AUTH_INVALID);
    }
}

/// CT-CP-legacy-lbw, CT-CP-legacy-acfg: what a token of getPinToken is not for.
#[test]
fn legacy_token_writes_no_large_blob_and_configures_nothing() {
    for protocol in Protocol::BOTH {
        let mut key = with_pin(Profile::Default);
        let token = key.pin_token(protocol, PIN).unwrap();
        let array = array_of(40, 1);
        let write = Request::write_blobs(0, &array, Some(array.len())).blob_authorized(&token);
        refused(&mut key, &write, PIN_AUTH_INVALID);
        let token = key.pin_token(protocol, PIN).unwrap();
        let config = Request::config(cf::ENABLE_LONG_TOUCH_FOR_RESET).managed(&token);
        refused(&mut key, &config, PIN_AUTH_INVALID);
    }
}

/// CT-XP-silent-listed, CT-XP-silent-unlisted: what silent assertions find at each level, without verification.
#[test]
fn silent_assertions_see_levels_as_they_should() {
    for level in 1..=3_i64 {
        let mut key = Key::fresh();
        let request = Request::make_credential().discoverable().extension("credProtect", level);
        let made = key.make(&request);
        let listed = made.get().option("up", false);
        let unlisted = Request::get_assertion(RP).option("up", false);
        if level < 3 {
            assert!(!key.assertion_by(&made, &listed).auth_data.has(UP));
        } else {
            refused(&mut key, &listed, NO_CREDENTIALS);
        }
        if level == 1 {
            key.assertion_by(&made, &unlisted);
        } else {
            refused(&mut key, &unlisted, NO_CREDENTIALS);
        }
    }
}

/// CT-LB-write: a write with a token, read in full and in part.
#[test]
fn authorized_array_is_read_in_full_and_in_part() {
    let mut key = with_pin(Profile::Default);
    let token = key.token(Protocol::Two, PIN, LBW, None).unwrap();
    let array = array_of(100, 7);
    write(&mut key, Some(&token), &array, 64);
    assert_eq!(stored(&mut key), array);
    let part = key.ok(&Request::read_blobs(30, 20));
    assert_eq!(part.get(1).bytes(), &array[30..50]);
}
