//! The extension hmac-secret-mc (XH).

use softkey_tests::auth_data::UV;
use softkey_tests::cbor::Value;
use softkey_tests::checks::{no_account, refused};
use softkey_tests::key::{Sensor, Setup};
use softkey_tests::pin::{Protocol, Shared, cose_key_agreement};
use softkey_tests::platform::Made;
use softkey_tests::platform::permission::{GA, MC};
use softkey_tests::status::{
    CBOR_UNEXPECTED_TYPE, CREDENTIAL_EXCLUDED, INVALID_PARAMETER, MISSING_PARAMETER,
    PIN_AUTH_INVALID,
};
use softkey_tests::{Key, Request};

use crate::hmac_secret::{SALT_1, SALT_2, input, input_of};

const RP: &str = "example.com";

fn asking(request: Request, shared: &Shared, salts: &[u8]) -> Request {
    request.extension("hmac-secret", true).extension("hmac-secret-mc", input(shared, salts))
}

#[track_caller]
fn at_creation(shared: &Shared, made: &Made) -> Vec<u8> {
    let outputs = made.auth_data.extensions.as_ref().expect("outputs");
    assert_eq!(outputs.keys(), [Value::from("hmac-secret"), "hmac-secret-mc".into()]);
    assert!(outputs.get("hmac-secret").bool());
    shared.decrypt(outputs.get("hmac-secret-mc").bytes())
}

#[track_caller]
fn at_sign_in(key: &mut Key, made: &Made, request: Request, salts: &[u8]) -> Vec<u8> {
    let shared = key.agree(Protocol::Two);
    let request = request.extension("hmac-secret", input(&shared, salts));
    let assertion = key.assertion_by(made, &request);
    shared.decrypt(assertion.auth_data.extension("hmac-secret").unwrap().bytes())
}

/// XH-16: what creation gives is what a later assertion without verification gives, for one salt and two, by both
/// protocols, discoverable or not, over a power cycle.
/// CT-XHM-equal.
#[test]
fn creation_and_sign_in_agree() {
    let mut key = Key::fresh();
    for protocol in Protocol::BOTH {
        for rk in [false, true] {
            for salts in [SALT_1.to_vec(), [SALT_1, SALT_2].concat()] {
                let shared = key.agree(protocol);
                let request = Request::make_credential().option("rk", rk);
                let made = key.make(&asking(request, &shared, &salts));
                let secrets = at_creation(&shared, &made);
                assert_eq!(secrets.len(), salts.len());
                key.power_cycle();
                assert_eq!(at_sign_in(&mut key, &made, made.get(), &salts), secrets);
            }
        }
    }
}

/// XH-16, XH-05: a verified creation agrees with verified assertions and with no other.
/// CT-XHM-uv.
#[test]
fn verified_creation_agrees_with_verified_sign_in() {
    let mut key = Key::fresh();
    key.set_pin("1234");
    let shared = key.agree(Protocol::Two);
    let token = key.token(Protocol::Two, "1234", MC, Some(RP)).unwrap();
    let request = Request::make_credential().discoverable().authorized(&token);
    let made = key.make(&asking(request, &shared, &SALT_1));
    assert!(made.auth_data.has(UV));
    let secret = at_creation(&shared, &made);
    let token = key.token(Protocol::Two, "1234", GA, Some(RP)).unwrap();
    assert_eq!(at_sign_in(&mut key, &made, made.get().authorized(&token), &SALT_1), secret);
    assert_ne!(at_sign_in(&mut key, &made, made.get(), &SALT_1), secret);
}

/// XH-05, XH-16: the secret of a verified user is one, whether the PIN or the key itself verified: at creation and at
/// sign-in.
#[test]
fn built_in_verification_gives_the_secrets_of_the_pin() {
    let sensor = Some(Sensor { max_retries: 5, tries_per_request: 1, shows_presence: true });
    let mut key = Key::new(Setup { sensor, ..Setup::default() });
    key.set_pin("1234");
    let salts = [SALT_1, SALT_2].concat();
    let shared = key.agree(Protocol::Two);
    let request = Request::make_credential().discoverable().option("uv", true);
    let made = key.make(&asking(request, &shared, &salts));
    assert!(made.auth_data.has(UV));
    let secret = at_creation(&shared, &made);
    assert_eq!(at_sign_in(&mut key, &made, made.get().option("uv", true), &salts), secret);
    for by_pin in [true, false] {
        let token = if by_pin {
            key.token(Protocol::Two, "1234", GA, Some(RP)).unwrap()
        } else {
            key.token_by_uv(Protocol::Two, GA, Some(RP)).unwrap()
        };
        assert_eq!(at_sign_in(&mut key, &made, made.get().authorized(&token), &salts), secret);
    }
    assert_ne!(at_sign_in(&mut key, &made, made.get(), &salts), secret);
}

/// XH-15: without hmac-secret, or with false there.
/// CT-XHM-alone.
#[test]
fn hmac_secret_must_be_asked_for_too() {
    let mut key = Key::fresh();
    let shared = key.agree(Protocol::Two);
    let alone = Request::make_credential().extension("hmac-secret-mc", input(&shared, &SALT_1));
    refused(&mut key, &alone, MISSING_PARAMETER);
    refused(&mut key, &alone.extension("hmac-secret", false), MISSING_PARAMETER);
}

/// XH-17, XH-09, XH-10: a wrong saltAuth, salts of a wrong length, an unknown protocol, a key that is no point: no
/// credential is made.
/// CT-XHM-malformed, CT-XHM-short.
#[test]
fn faulty_inputs_make_no_credential() {
    let mut key = Key::fresh();
    for protocol in Protocol::BOTH {
        let shared = key.agree(protocol);
        let base = Request::make_credential().discoverable().extension("hmac-secret", true);
        let good = input(&shared, &SALT_1);
        let with = |input: Value| base.clone().extension("hmac-secret-mc", input);
        let mut auth = good.get(3).bytes().to_vec();
        auth[0] ^= 1;
        refused(&mut key, &with(good.clone().with(3, auth)), PIN_AUTH_INVALID);
        for length in [0, 16, 48, 80, 96] {
            refused(&mut key, &with(input(&shared, &vec![1; length])), INVALID_PARAMETER);
        }
        refused(&mut key, &with(input_of(&shared, &[1; 33])), INVALID_PARAMETER);
        refused(&mut key, &with(good.clone().with(4, 3)), INVALID_PARAMETER);
        let no_point = cose_key_agreement(&[1; 32], &[2; 32]);
        refused(&mut key, &with(good.clone().with(1, no_point)), INVALID_PARAMETER);
    }
    no_account(&mut key, RP);
}

/// XH-09: missing members and wrong types are found while decoding; other faults after the exclude list.
#[test]
fn order_of_faults() {
    let mut key = Key::fresh();
    let old = key.make(&Request::make_credential());
    let shared = key.agree(Protocol::Two);
    let excluded = Request::make_credential().listing(&[old.id()]).extension("hmac-secret", true);
    let with = |input: Value| excluded.clone().extension("hmac-secret-mc", input);
    let good = input(&shared, &SALT_1);
    for member in [1, 2, 3] {
        refused(&mut key, &with(good.clone().without(member)), MISSING_PARAMETER);
    }
    for bad in
        [true.into(), Value::from([1; 32]), good.clone().with(2, "x"), good.clone().with(4, -1)]
    {
        refused(&mut key, &with(bad), CBOR_UNEXPECTED_TYPE);
    }
    // Of two inputs of a wrong form the one that stands first.
    let both = with(good.clone().without(1)).extension("hmac-secret", 1);
    refused(&mut key, &both, CBOR_UNEXPECTED_TYPE);
    assert_eq!(key.status(&with(good.with(3, [0; 32]))), CREDENTIAL_EXCLUDED);
}
