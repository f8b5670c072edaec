//! One key, two protocols: credentials that cross over.

use softkey_tests::auth_data::{UP, UV};
use softkey_tests::cbor::{Value, array, map};
use softkey_tests::checks::{no_account, refused};
use softkey_tests::key::Profile;
use softkey_tests::parts::sha256;
use softkey_tests::pin::{Protocol, cose_key_agreement};
use softkey_tests::platform::permission::GA;
use softkey_tests::request::{alg, algorithms, mc};
use softkey_tests::status::{NO_CREDENTIALS, word};
use softkey_tests::u2f::{
    CHECK_ONLY, DONT_ENFORCE, ENFORCE, authenticate, authentication, status_word,
};
use softkey_tests::verify::p256_point;
use softkey_tests::{Key, Request};

use super::{CHALLENGE, registered};
use crate::hmac_secret;

const RP: &str = "example.com";

/// The COSE form of a U2F public key.
fn cose(point: &[u8]) -> Value {
    cose_key_agreement(&point[1..33], &point[33..]).with(3, alg::ES256)
}

/// UF-19: a U2F credential answers getAssertion by allowList, with and without UV, names no user, and is never
/// found without the list.
#[test]
fn u2f_credential_works_in_get_assertion_when_listed() {
    let mut key = Key::fresh();
    let registration = registered(&mut key, &sha256(RP.as_bytes()));
    no_account(&mut key, RP);
    let listed = Request::get_assertion(RP).listing(&[&registration.handle]);
    let assertion = key.assertion(&listed);
    assertion.verify_with(&cose(&registration.public_key));
    assert_eq!((assertion.auth_data.flags, assertion.answer.at(4)), (UP, None));
    let elsewhere = Request::get_assertion("other.example").listing(&[&registration.handle]);
    refused(&mut key, &elsewhere, NO_CREDENTIALS);
    key.set_pin("1234");
    let token = key.token(Protocol::Two, "1234", GA, Some(RP)).unwrap();
    let assertion = key.assertion(&listed.authorized(&token));
    assertion.verify_with(&cose(&registration.public_key));
    assert_eq!(assertion.auth_data.flags, UP | UV);
}

/// UF-19, XB-03, XT-01, XL-06: a U2F credential has what a plain one has: an empty credBlob, no payment flag, no key for the
/// large-blob array.
#[test]
fn u2f_credential_has_the_outputs_of_a_plain_one() {
    let mut key = Key::with_profile(Profile::Default);
    let registration = registered(&mut key, &sha256(RP.as_bytes()));
    let asking = Request::get_assertion(RP)
        .listing(&[&registration.handle])
        .extension("credBlob", true)
        .extension("thirdPartyPayment", true)
        .extension("largeBlobKey", true);
    let assertion = key.assertion(&asking);
    assertion.verify_with(&cose(&registration.public_key));
    let outputs =
        map([("credBlob", Value::Bytes(Vec::new())), ("thirdPartyPayment", false.into())]);
    assert_eq!((assertion.auth_data.extensions, assertion.answer.at(7)), (Some(outputs), None));
    let mut key = Key::with_profile(Profile::Uvm);
    let registration = registered(&mut key, &sha256(RP.as_bytes()));
    let asking = Request::get_assertion(RP).listing(&[&registration.handle]).extension("uvm", true);
    let presence = array([array([1, 1, 1])]);
    assert_eq!(key.assertion(&asking).auth_data.extensions, Some(map([("uvm", presence)])));
}

/// UF-19, XH-02, XH-05: a U2F credential has secrets for hmac-secret: 32 bytes for each salt, and others once the user is
/// verified.
#[test]
fn u2f_credential_has_secrets() {
    let mut key = Key::fresh();
    let registration = registered(&mut key, &sha256(RP.as_bytes()));
    let listed = Request::get_assertion(RP).listing(&[&registration.handle]);
    let secret = |key: &mut Key, request: &Request, salts: &[u8]| {
        let shared = key.agree(Protocol::Two);
        let input = hmac_secret::input(&shared, salts);
        let assertion = key.assertion(&request.clone().extension("hmac-secret", input));
        assertion.verify_with(&cose(&registration.public_key));
        shared.decrypt(assertion.auth_data.extension("hmac-secret").unwrap().bytes())
    };
    let (one, two) = (hmac_secret::SALT_1, [hmac_secret::SALT_1, hmac_secret::SALT_2].concat());
    let touched = secret(&mut key, &listed, &two);
    assert_eq!((touched.len(), secret(&mut key, &listed, &one)), (64, touched[..32].to_vec()));
    key.set_pin("1234");
    let token = key.token(Protocol::Two, "1234", GA, Some(RP)).unwrap();
    let verified = secret(&mut key, &listed.authorized(&token), &two);
    assert_eq!(verified.len(), 64);
    assert!(verified[..32] != touched[..32] && verified[32..] != touched[32..]);
}

/// UF-19, XL-09: a U2F credential has a blob, which is read as it was written.
#[test]
fn u2f_credential_has_a_blob() {
    let mut key = Key::with_profile(Profile::LargeBlob);
    let registration = registered(&mut key, &sha256(RP.as_bytes()));
    let listed = Request::get_assertion(RP).listing(&[&registration.handle]);
    let mut access = |input: Value| {
        let assertion = key.assertion(&listed.clone().extension("largeBlob", input));
        assertion.verify_with(&cose(&registration.public_key));
        assertion.answer.at(8).cloned()
    };
    let read = || map([("read", true)]);
    assert_eq!(access(read()), None);
    let write = map([("write", Value::from(b"blob")), ("originalSize", 9.into())]);
    let written = map([("largeBlob", map([("written", true)]))]);
    assert_eq!(access(write), Some(written));
    let blob = map([("blob", Value::from(b"blob")), ("originalSize", 9.into())]);
    assert_eq!(access(read()), Some(map([("largeBlob", blob)])));
}

/// UF-19: the `AppID` extension: a handle made for an `AppID` answers under it as RP ID.
#[test]
fn app_id_serves_as_rp_id() {
    let mut key = Key::fresh();
    let app_id = "https://example.com/app-id.json";
    let registration = registered(&mut key, &sha256(app_id.as_bytes()));
    let assertion = key.assertion(&Request::get_assertion(app_id).listing(&[&registration.handle]));
    assertion.verify_with(&cose(&registration.public_key));
}

/// UF-20: a non-discoverable ES256 credential is a key handle.
#[test]
fn ctap2_credential_works_in_u2f() {
    let mut key = Key::fresh();
    let application = sha256(RP.as_bytes());
    let made = key.make(&Request::make_credential());
    assert!(made.id().len() <= 255);
    let point = p256_point(made.public_key());
    for (p1, flags) in [(ENFORCE, 1), (DONT_ENFORCE, 0)] {
        let answer = key.u2f_polling(&authenticate(p1, &application, &CHALLENGE, made.id()));
        assert_eq!(authentication(&answer, &application, &CHALLENGE, &point).0, flags);
    }
    let other = authenticate(CHECK_ONLY, &sha256(b"other.example"), &CHALLENGE, made.id());
    assert_eq!(status_word(&key.u2f(&other)), word::WRONG_DATA);
}

/// UF-20: a credential of another algorithm is none.
#[test]
fn credential_of_another_algorithm_is_no_handle() {
    let mut key = Key::fresh();
    let application = sha256(RP.as_bytes());
    let request =
        Request::make_credential().with(mc::PUB_KEY_CRED_PARAMS, algorithms(&[alg::EDDSA]));
    let made = key.make(&request);
    for p1 in [CHECK_ONLY, ENFORCE, DONT_ENFORCE] {
        let answer = key.u2f(&authenticate(p1, &application, &CHALLENGE, made.id()));
        assert_eq!(status_word(&answer), word::WRONG_DATA);
    }
}

/// UF-17: one credential's counter grows over both protocols.
#[test]
fn counter_grows_over_both_protocols() {
    let mut key = Key::fresh();
    let application = sha256(RP.as_bytes());
    let made = key.make(&Request::make_credential());
    let point = p256_point(made.public_key());
    let mut last = made.auth_data.sign_count;
    for round in 0..20 {
        let count = if round % 2 == 0 {
            key.assertion_by(&made, &made.get()).auth_data.sign_count
        } else {
            let answer = key.u2f(&authenticate(DONT_ENFORCE, &application, &CHALLENGE, made.id()));
            authentication(&answer, &application, &CHALLENGE, &point).1
        };
        assert!(count > last, "{count} after {last}");
        last = count;
        if round % 6 == 5 {
            key.power_cycle();
        }
    }
}

/// UF-19, MC-58: an account made over CTAP2 and a U2F credential of the same party do not meet.
#[test]
fn u2f_credential_is_no_account() {
    let mut key = Key::fresh();
    registered(&mut key, &sha256(RP.as_bytes()));
    key.make(&Request::make_credential().discoverable());
    let assertion = key.assertion(&Request::get_assertion(RP));
    assert_eq!((assertion.answer.at(5), assertion.answer.get(4)), (None, &map([("id", [1])])));
}

/// UF-07: a touch given for U2F serves no CTAP2 request, and the other way round.
#[test]
fn touches_do_not_cross_over() {
    let mut key = Key::fresh();
    let application = sha256(RP.as_bytes());
    let register = softkey_tests::u2f::register(&application, &CHALLENGE);
    assert_eq!(status_word(&key.u2f(&register)), word::CONDITIONS_NOT_SATISFIED);
    let asked = key.prompts();
    key.make(&Request::make_credential());
    assert_eq!(key.prompts(), asked + 1);
    assert_eq!(status_word(&key.u2f_once(&register)), word::CONDITIONS_NOT_SATISFIED);
}
