//! What the user of a script does, and what a page sees of it.

use softkey_client::driver::Asked;
use softkey_client::{DomException, PinNeed, fingers};
use softkey_ctap::StatusCode;

use super::*;
use crate::run::memory::FINGERPRINT_SENSOR;

fn browser(user: Script) -> Browser {
    let page = Page::new(&Profile::new(), "https://example.org");
    Browser::with(page, Config::default(), user).unwrap()
}

/// Options of create for this user handle, with a discoverable credential.
fn creation(user: &str) -> String {
    format!(
        r#"{{"rp": {{"name": "Example"}}, "challenge": "AAECAwQF", "pubKeyCredParams": [],
        "user": {{"id": "{user}", "name": "{user}", "displayName": ""}},
        "authenticatorSelection": {{"residentKey": "required"}}}}"#
    )
}

const REQUEST: &str = r#"{"challenge": "AAECAwQF"}"#;

fn refused(user: Script) -> (DomException, Cause) {
    let rejection = browser(user).create(&creation("AQ")).unwrap_err();
    (rejection.exception, rejection.cause)
}

#[test]
fn consent_is_given_and_told() {
    let mut browser = browser(Script::new());
    let made = browser.create(&creation("AQ")).unwrap();
    assert_eq!(browser.get(REQUEST).unwrap().id, made.id);
    let touches = [Asked::Touch(Act::Consent), Asked::Touch(Act::Consent)];
    assert_eq!(browser.user.take_asked(), touches);
}

/// One act for each touch, in order; then what is always done.
#[test]
fn each_step_has_its_act() {
    let script = Script::new().then(Act::Consent).then(Act::Refuse).always(Act::Ignore);
    let mut browser = browser(script);
    browser.create(&creation("AQ")).unwrap();
    let denied = browser.create(&creation("Ag")).unwrap_err();
    assert_eq!(denied.cause, Cause::Refused(StatusCode::OPERATION_DENIED));
    for _ in 0..2 {
        let ignored = browser.create(&creation("Ag")).unwrap_err();
        assert_eq!(ignored.cause, Cause::Refused(StatusCode::USER_ACTION_TIMEOUT));
    }
}

#[test]
fn what_a_page_sees_of_a_refusal_a_wait_and_a_pulled_key_is_the_same() {
    let not_allowed = |cause| (DomException::NotAllowedError, cause);
    let script = Script::new();
    let denied = Cause::Refused(StatusCode::OPERATION_DENIED);
    assert_eq!(refused(script.clone().then(Act::Refuse)), not_allowed(denied));
    let waited = Cause::Refused(StatusCode::USER_ACTION_TIMEOUT);
    assert_eq!(refused(script.clone().then(Act::Ignore)), not_allowed(waited));
    assert_eq!(refused(script.then(Act::Unplug)), not_allowed(Cause::KeyGone));
}

/// A key that was pulled out stays out until it is put back; what it keeps is still there.
#[test]
fn a_key_that_is_put_back_is_as_it_was() {
    let mut browser = browser(Script::new().then(Act::Consent).then(Act::Unplug));
    let made = browser.create(&creation("AQ")).unwrap();
    assert_eq!(browser.get(REQUEST).unwrap_err().cause, Cause::KeyGone);
    assert_eq!(browser.get(REQUEST).unwrap_err().cause, Cause::KeyGone);
    browser.plug_in().unwrap();
    assert_eq!(browser.get(REQUEST).unwrap().id, made.id);
}

#[test]
fn a_pin_is_mistyped_as_often_as_the_script_says() {
    let mut browser = browser(Script::new());
    browser.set_pin("1234").unwrap();
    browser.user = browser.user.clone().wrong_pins(2);
    browser.create(&creation("AQ")).unwrap();
    let pin = |wrong, tries_left| Asked::Pin(PinNeed { wrong, tries_left });
    let asked = browser.user.take_asked();
    let pins = [pin(false, None), pin(true, Some(7)), pin(true, Some(6))];
    assert_eq!(asked[..3], pins);
    assert_eq!(asked[3..], [Asked::Touch(Act::Consent)]);

    browser.user = browser.user.clone().wrong_pins(3);
    let blocked = browser.create(&creation("AQ")).unwrap_err();
    assert_eq!(blocked.cause, Cause::PinAuthBlocked);
}

#[test]
fn an_account_is_chosen_as_the_script_says() {
    let mut browser = browser(Script::new().account(1));
    let first = browser.create(&creation("AQ")).unwrap();
    let second = browser.create(&creation("Ag")).unwrap();
    // The newest comes first.
    assert_eq!(browser.get(REQUEST).unwrap().id, first.id);
    assert_eq!(browser.get(REQUEST).unwrap().id, second.id);
}

/// A hand that consents puts a finger on a sensor, too.
#[test]
fn a_finger_is_enrolled_and_verifies() {
    let page = Page::new(&Profile::new(), "https://example.org");
    let config = Config { user_verification: Some(FINGERPRINT_SENSOR), ..Config::default() };
    let mut browser = Browser::with(page, config, Script::new()).unwrap();
    browser.set_pin("1234").unwrap();
    let (reach, entropy) = (browser.keys.reach(KEY).unwrap(), browser.entropy.fork());
    let connection = browser.keys.connection_mut(KEY).unwrap();
    let mut enroll =
        |user: &mut Script, entropy| drive(fingers::add(None, reach, entropy), connection, user);
    enroll(&mut browser.user, entropy).unwrap();
    let _ = browser.user.take_asked();
    browser.create(&creation("AQ")).unwrap();
    assert_eq!(
        browser.user.take_asked(),
        [Asked::Touch(Act::Consent)],
        "by the finger, not by PIN"
    );
}
