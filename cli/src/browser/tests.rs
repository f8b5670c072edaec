//! What the user of a script does, and what a page sees of it.

use softkey_authenticator::AuthenticatorTransport;
use softkey_client::driver::Asked;
use softkey_client::related::Fetched;
use softkey_client::{Capability, CredentialType, DomException, PinNeed, fingers};
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
fn a_refusal_is_not_allowed() {
    let denied = Cause::Refused(StatusCode::OPERATION_DENIED);
    let refuses = Script::new().then(Act::Refuse);
    assert_eq!(refused(refuses), (DomException::NotAllowedError, denied));
}

/// The key's time ends it, of which nothing is waited for but on its clock.
#[test]
fn a_key_that_is_ignored_ends_by_itself() {
    let waited = Cause::Refused(StatusCode::USER_ACTION_TIMEOUT);
    let mut browser = browser(Script::new().then(Act::Ignore));
    let before = browser.keys.now();
    let rejection = browser.create(&creation("AQ")).unwrap_err();
    assert_eq!((rejection.exception, rejection.cause), (DomException::NotAllowedError, waited));
    assert_eq!(browser.keys.now().duration_since(before).as_secs(), 30);
}

#[test]
fn a_key_that_is_pulled_out_is_gone() {
    let pulls = Script::new().then(Act::Unplug);
    assert_eq!(refused(pulls), (DomException::NotAllowedError, Cause::KeyGone));
}

/// What a page writes beside `publicKey` counts: the mediation of Credential Management section 2.3.2, and other members of
/// the container as far as they are wrong.
#[test]
fn the_mediation_beside_the_options_counts() {
    let mut browser = browser(Script::new());
    let beside = |options: &str, more: &str| format!(r#"{{"publicKey": {options}, {more}}}"#);
    let create = |more| beside(&creation("AQ"), more);
    let refused = browser.create(&create(r#""mediation": "conditional""#)).unwrap_err();
    assert_eq!(refused.exception, DomException::NotAllowedError);
    assert_eq!(refused.cause, Cause::NoCreationConsent);
    let made = browser.create(&create(r#""mediation": "required""#)).unwrap();

    let get = |more| beside(REQUEST, more);
    let signed = browser.get(&get(r#""mediation": "conditional""#)).unwrap();
    assert_eq!(signed.id, made.id);
    let wrong = browser.get(&get(r#""mediation": "loud""#)).unwrap_err();
    assert_eq!(wrong.exception, DomException::TypeError);
    let _ = browser.user.take_asked();
    let options = CredentialRequestOptions::from_json(&get(r#""mediation": "silent""#)).unwrap();
    assert_eq!(browser.get_with(options).promise, Some(Ok(None)));
    let nobody = browser.get(&get(r#""mediation": "silent""#)).unwrap_err();
    assert_eq!(nobody.cause, Cause::NoKey);
    assert_eq!(browser.user.take_asked(), []);
}

/// WebAuthn Level 3 section 5.1.10: the key heeds what the site tells of its accounts, if the user lets it, and no page
/// tells of another's.
#[test]
fn a_site_tells_of_its_accounts() {
    let mut browser = browser(Script::new());
    let ada = browser.create(&creation("AQ")).unwrap();
    let unknown = |rp_id: &str, id: &str| {
        let text = format!(r#"{{"rpId": "{rp_id}", "credentialId": "{id}"}}"#);
        SignalOptions::unknown_credential(&text).unwrap()
    };
    // Without a PIN nobody manages a key's credentials.
    assert_eq!(browser.signal(unknown("example.org", &ada.id)), Ok(Vec::new()));
    browser.set_pin("1234").unwrap();
    let text =
        r#"{"rpId": "example.org", "userId": "AQ", "name": "ada.l", "displayName": "Ada L."}"#;
    let named = SignalOptions::current_user_details(text).unwrap();
    let renamed = browser.signal(named).unwrap();
    assert_eq!(renamed.iter().map(|it| it.name.as_deref()).collect::<Vec<_>>(), [Some("ada.l")]);
    assert_eq!(browser.signal(unknown("example.org", "AAAA")), Ok(Vec::new()));
    assert_eq!(browser.get(REQUEST).unwrap().id, ada.id);

    let refused = browser.signal(unknown("example.com", &ada.id)).unwrap_err();
    assert_eq!(refused.exception, DomException::SecurityError);
    browser.keys().set_fetch(|url| {
        assert_eq!(url, "https://example.com/.well-known/webauthn");
        let body = br#"{"origins": ["https://example.org"]}"#.to_vec();
        let content_type = String::from("application/json");
        Some(Fetched { status: 200, content_type, location: None, body })
    });
    // It may, and the credential is not example.com's.
    assert_eq!(browser.signal(unknown("example.com", &ada.id)), Ok(Vec::new()));

    let gone = browser.signal(unknown("example.org", &ada.id)).unwrap();
    assert_eq!(gone.len(), 1);
    assert_eq!(browser.get(REQUEST).unwrap_err().cause, Cause::NoCredentials);
}

/// The acts count at a sign-in as they do at a registration.
#[test]
fn a_sign_in_is_refused_ignored_and_pulled_out_too() {
    let acts = [
        (Act::Refuse, Cause::Refused(StatusCode::OPERATION_DENIED)),
        (Act::Ignore, Cause::Refused(StatusCode::USER_ACTION_TIMEOUT)),
        (Act::Unplug, Cause::KeyGone),
    ];
    for (act, cause) in acts {
        let mut browser = browser(Script::new().then(Act::Consent).then(act));
        browser.create(&creation("AQ")).unwrap();
        let rejection = browser.get(REQUEST).unwrap_err();
        assert_eq!((rejection.exception, rejection.cause), (DomException::NotAllowedError, cause));
    }
}

/// Nothing in a run depends on the machine: what was asked, what became of it and how long it took.
#[test]
fn the_same_script_plays_the_same() {
    let run = || {
        let script = Script::new().then(Act::Consent).then(Act::Ignore).then(Act::Consent);
        let mut browser = browser(script.then(Act::Refuse).account(1));
        browser.set_pin("1234").unwrap();
        browser.user = browser.user.clone().wrong_pins(1);
        let users = ["AQ", "Ag", "Aw"];
        let made = users.map(|user| browser.create(&creation(user)).map_err(|it| it.cause).is_ok());
        let signed = browser.get(REQUEST).map_err(|rejection| rejection.cause).map(drop);
        (made, signed, browser.user.take_asked(), browser.keys.now())
    };
    let first = run();
    assert_eq!(first.0, [true, false, true]);
    assert_eq!(run(), first);
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

/// Nobody can choose an account that is not in the list: as if the dialog were closed.
#[test]
fn an_account_that_is_not_there_is_none() {
    let mut browser = browser(Script::new().account(2).account(1));
    let first = browser.create(&creation("AQ")).unwrap();
    browser.create(&creation("Ag")).unwrap();
    assert_eq!(browser.get(REQUEST).unwrap_err().cause, Cause::Cancelled);
    assert_eq!(browser.get(REQUEST).unwrap().id, first.id);
}

#[test]
fn a_user_who_knows_no_pin_gives_none() {
    let mut browser = browser(Script::new());
    browser.set_pin("1234").unwrap();
    browser.user = Script::new();
    assert_eq!(browser.create(&creation("AQ")).unwrap_err().cause, Cause::PinNotGiven);
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

/// getClientCapabilities with the key that is there: what it is told of follows its getInfo, and a key that is pulled out
/// counts no more.
#[test]
fn capabilities_follow_the_key_and_the_profile() {
    let page = Page::new(&Profile::new(), "https://example.org");
    let transports = vec![AuthenticatorTransport::Hybrid];
    let config = Config { transports, ..Config::default() };
    let pulls = Script::new().then(Act::Unplug);
    let mut phone = Browser::with(page, config, pulls).unwrap();
    let capabilities = phone.client_capabilities().unwrap();
    assert!(capabilities["hybridTransport"] && capabilities["passkeyPlatformAuthenticator"]);
    assert!(!capabilities["userVerifyingPlatformAuthenticator"] && capabilities["extension:prf"]);
    assert_eq!(phone.create(&creation("AQ")).unwrap_err().cause, Cause::KeyGone);
    assert!(!phone.client_capabilities().unwrap()["hybridTransport"]);

    let mut usb = browser(Script::new());
    assert!(!usb.client_capabilities().unwrap()["hybridTransport"]);
    usb.page().profile().set(|settings| settings.lacks.extend([Capability::Prf]));
    assert!(!usb.client_capabilities().unwrap().contains_key("extension:prf"));
    usb.page().profile().set(|settings| settings.absent.extend([CredentialType::PublicKey]));
    let rejection = usb.client_capabilities().unwrap_err();
    assert_eq!(rejection.exception, DomException::NotSupportedError);
    assert_eq!(rejection.cause, Cause::NoType);
}
