//! The faults by which a key decides otherwise than it should, in bytes: what each does, and that without it the same
//! requests go well. `cargo xtask conformance --sabotage` shows which checks notice them.

use softkey_tests::cbor::{Value, map};
use softkey_tests::key::{Profile, User};
use softkey_tests::parts::sha256;
use softkey_tests::pin::Protocol;
use softkey_tests::platform::Made;
use softkey_tests::platform::permission::{ACFG, CM};
use softkey_tests::request::{cf, cm, mc};
use softkey_tests::status::{
    CREDENTIAL_EXCLUDED, KEY_STORE_FULL, NO_CREDENTIALS, NOT_ALLOWED, PUAT_REQUIRED, SUCCESS, word,
};
use softkey_tests::u2f::{Registration, authenticate, register, status_word};
use softkey_tests::{Key, Request};

const RP: &str = "example.com";
const PIN: &str = "1234";
const CHALLENGE: [u8; 32] = [7; 32];

/// U2F's control byte check-only.
const CHECK_ONLY: u8 = 0x07;

/// A key that misbehaves in this way.
fn with(fault: &str) -> Key {
    let mut key = Key::fresh();
    key.misbehave(fault);
    key
}

/// An assertion by a credential that nobody has.
fn unknown() -> Request {
    Request::get_assertion(RP).listing(&[&[5; 64]])
}

/// Three accounts of one party, the oldest first, with names.
fn accounts(key: &mut Key) -> Vec<Made> {
    let account = |id: u8| {
        let user = map([("id", Value::from([id])), ("name", format!("name{id}").into())]);
        Request::make_credential_for(RP, &[id]).with(mc::USER, user).discoverable()
    };
    (1..=3).map(|id| key.make(&account(id))).collect()
}

fn u2f_registered(key: &mut Key) -> Registration {
    let application = sha256(RP.as_bytes());
    let answer = key.u2f_polling(&register(&application, &CHALLENGE));
    Registration::parse(&answer, &application, &CHALLENGE)
}

/// Another status, at once.
#[test]
fn that_there_is_no_credential_has_another_status() {
    for (fault, status) in [("no-credentials-status", 0x22), ("no-credentials-status=7f", 0x7F)] {
        let mut key = with(fault);
        assert_eq!(key.send(&unknown().bytes()), [status]);
        assert_eq!(key.send(&Request::get_assertion(RP).bytes()), [status]);
        assert_eq!(key.prompts(), 0);
        let made = key.make(&Request::make_credential());
        key.assertion_by(&made, &made.get());
    }
    assert_eq!(Key::fresh().send(&unknown().bytes()), [NO_CREDENTIALS]);
}

/// The right status, after a touch, unless none was to be asked for; whatever the user answers.
#[test]
fn that_there_is_no_credential_is_told_after_a_touch() {
    for user in [User::Approves, User::Refuses] {
        let mut key = with("late-no-credentials");
        key.user(user);
        assert_eq!(key.send(&unknown().bytes()), [NO_CREDENTIALS]);
        assert_eq!(key.prompts(), 1);
        assert_eq!(key.send(&unknown().option("up", false).bytes()), [NO_CREDENTIALS]);
        assert_eq!(key.prompts(), 1);
    }
    let mut both = with("late-no-credentials");
    both.misbehave("no-credentials-status");
    assert_eq!((both.send(&unknown().bytes()), both.prompts()), (vec![0x22], 1));
}

/// A U2F credential is as good as none for CTAP2, and works on for U2F.
#[test]
fn credentials_of_u2f_are_unknown_to_ctap2() {
    let mut key = Key::fresh();
    let registration = u2f_registered(&mut key);
    let get = Request::get_assertion(RP).listing(&[&registration.handle]);
    let exclude = Request::make_credential().listing(&[&registration.handle]);
    assert_eq!(key.status(&get), SUCCESS);
    assert_eq!(key.status(&exclude), CREDENTIAL_EXCLUDED);
    key.misbehave("ignore-u2f");
    assert_eq!(key.send(&get.bytes()), [NO_CREDENTIALS]);
    let made = key.make(&exclude);
    key.assertion_by(&made, &made.get());
    let check = authenticate(CHECK_ONLY, &sha256(RP.as_bytes()), &CHALLENGE, &registration.handle);
    assert_eq!(status_word(&key.u2f(&check)), word::CONDITIONS_NOT_SATISFIED);
}

/// A CTAP2 credential is as good as none for U2F, and U2F's own work on.
#[test]
fn credentials_of_ctap2_are_unknown_to_u2f() {
    let mut key = Key::fresh();
    let registration = u2f_registered(&mut key);
    let made = key.make(&Request::make_credential());
    let check = |id| authenticate(CHECK_ONLY, &sha256(RP.as_bytes()), &CHALLENGE, id);
    assert_eq!(status_word(&key.u2f(&check(made.id()))), word::CONDITIONS_NOT_SATISFIED);
    key.misbehave("ignore-ctap2");
    assert_eq!(status_word(&key.u2f(&check(made.id()))), word::WRONG_DATA);
    let own = check(&registration.handle);
    assert_eq!(status_word(&key.u2f(&own)), word::CONDITIONS_NOT_SATISFIED);
    key.assertion_by(&made, &made.get());
}

/// One account, said to be the user's choice; no number of accounts, and none to fetch.
#[test]
fn the_key_chooses_the_account() {
    for (fault, chosen) in [
        ("account-chooser", 3),
        ("account-chooser=1", 3),
        ("account-chooser=2", 2),
        ("account-chooser=3", 1),
        ("account-chooser=4", 1),
    ] {
        let mut key = Key::fresh();
        let made = accounts(&mut key);
        let plain = key.assertion(&Request::get_assertion(RP));
        assert_eq!((plain.answer.at(5), plain.answer.at(6)), (Some(&3.into()), None));
        key.misbehave(fault);
        let assertion = key.assertion(&Request::get_assertion(RP));
        assertion.verify(&made[chosen - 1]);
        let answer = &assertion.answer;
        assert_eq!(answer.keys(), [Value::from(1), 2.into(), 3.into(), 4.into(), 6.into()]);
        assert_eq!(answer.get(4), &map([("id", [u8::try_from(chosen).unwrap()])]), "{fault}");
        assert_eq!(answer.get(6), &true.into());
        assert_eq!(key.next_assertion_status(), NOT_ALLOWED);
        let named = key.assertion_by(&made[0], &made[0].get());
        assert_eq!(named.answer.at(6), None, "nothing to choose from");
        let silent = key.assertion(&Request::get_assertion(RP).option("up", false));
        assert_eq!((silent.answer.at(5), silent.answer.at(6)), (Some(&3.into()), None));
    }
}

/// alwaysUv asks for verification of those too who only look; without alwaysUv it is no fault.
#[test]
fn looking_silently_needs_verification() {
    let mut key = with("always-uv-when-silent");
    let made = key.make(&Request::make_credential());
    let silent = made.get().option("up", false);
    assert_eq!(key.assertion_by(&made, &silent).auth_data.flags, 0);
    key.set_pin(PIN);
    let token = key.token(Protocol::Two, PIN, ACFG, None).unwrap();
    assert_eq!(key.status(&Request::config(cf::TOGGLE_ALWAYS_UV).managed(&token)), SUCCESS);
    assert_eq!(key.send(&silent.bytes()), [PUAT_REQUIRED]);
}

/// largeBlobKey gives no key, at creation and later.
#[test]
fn no_large_blob_key_is_given() {
    let wish = Request::make_credential().discoverable().extension("largeBlobKey", true);
    let mut key = Key::with_profile(Profile::Default);
    let before = key.make(&wish);
    let get = before.get().extension("largeBlobKey", true);
    assert!(key.assertion_by(&before, &get).answer.at(7).is_some());
    key.misbehave("no-large-blob");
    assert_eq!(key.assertion_by(&before, &get).answer.at(7), None);
    assert_eq!(key.make(&wish).answer.at(5), None);
}

/// largeBlob says that there will be no blob, reads none and writes none.
#[test]
fn no_large_blob_is_supported() {
    let mut key = Key::with_profile(Profile::LargeBlob);
    let wish = map([("support", "preferred")]);
    let wish = Request::make_credential().extension("largeBlob", wish);
    let before = key.make(&wish);
    let write = map([("write", Value::from([1, 2])), ("originalSize", 3.into())]);
    let write = before.get().extension("largeBlob", write);
    let read = before.get().extension("largeBlob", map([("read", true)]));
    let written = |written: bool| map([("largeBlob", map([("written", written)]))]);
    assert_eq!(key.assertion_by(&before, &write).answer.at(8), Some(&written(true)));
    assert!(key.assertion_by(&before, &read).answer.at(8).is_some());
    key.misbehave("no-large-blob");
    assert_eq!(key.assertion_by(&before, &write).answer.at(8), Some(&written(false)));
    assert_eq!(key.assertion_by(&before, &read).answer.at(8), None);
    let supported = map([("largeBlob", map([("supported", false)]))]);
    assert_eq!(key.make(&wish).answer.at(6), Some(&supported));
}

/// One more request to a key with this fault, from a user who refuses and from one who approves: what the key told its
/// owner of it each time.
fn told(key: &mut Key, fault: &str, request: &Request) -> [Vec<String>; 2] {
    key.misbehave(fault);
    [User::Refuses, User::Approves].map(|user| {
        key.user(user);
        key.told();
        key.send(&request.bytes());
        key.told()
    })
}

/// A decision is told with the answer that it changed: not when the user refused, to whom it made no difference.
#[test]
fn decisions_are_told_with_the_answers_that_they_change() {
    let only_after_a_touch = |key: &mut Key, fault: &str, request: &Request| {
        assert_eq!(told(key, fault, request), [vec![], vec![fault.to_owned()]], "{fault}");
    };
    let plain = Request::make_credential();
    only_after_a_touch(&mut Key::fresh(), "force-cred-protect=3", &plain);
    only_after_a_touch(&mut Key::fresh(), "default-cred-protect=2", &plain);
    only_after_a_touch(&mut Key::fresh(), "wrong-up", &plain);
    let mut key = Key::with_profile(Profile::Default);
    let wish = Request::make_credential().discoverable().extension("largeBlobKey", true);
    let made = key.make(&wish);
    let get = made.get().extension("largeBlobKey", true);
    only_after_a_touch(&mut key, "no-large-blob", &get);
    only_after_a_touch(&mut key, "no-large-blob", &wish);
    let mut key = Key::fresh();
    accounts(&mut key);
    only_after_a_touch(&mut key, "account-chooser=2", &Request::get_assertion(RP));
    let mut key = Key::fresh();
    let registration = u2f_registered(&mut key);
    let own = key.make(&plain);
    let both = Request::get_assertion(RP).listing(&[&registration.handle, own.id()]);
    only_after_a_touch(&mut key, "ignore-u2f", &both);
}

/// Where the answer is the one that it would have been, nothing is told.
#[test]
fn decisions_that_change_nothing_are_not_told() {
    let nothing = |key: &mut Key, fault: &str, request: &Request| {
        assert_eq!(told(key, fault, request), [const { Vec::<String>::new() }; 2], "{fault}");
    };
    let asked = Request::make_credential().extension("credProtect", 2_i64);
    nothing(&mut Key::fresh(), "force-cred-protect=2", &asked);
    nothing(&mut Key::fresh(), "default-cred-protect=3", &asked);
    nothing(&mut Key::fresh(), "no-large-blob", &Request::make_credential());
    // A credential that has no key for a large blob gives none anyway.
    let mut key = Key::with_profile(Profile::Default);
    let made = key.make(&Request::make_credential().discoverable());
    nothing(&mut key, "no-large-blob", &made.get().extension("largeBlobKey", true));
    // Another of the listed credentials is excluded all the same.
    let mut key = Key::fresh();
    let registration = u2f_registered(&mut key);
    let own = key.make(&Request::make_credential());
    let exclude = Request::make_credential().listing(&[&registration.handle, own.id()]);
    nothing(&mut key, "ignore-u2f", &exclude);
    assert_eq!(key.send(&exclude.bytes()), [CREDENTIAL_EXCLUDED]);
}

/// Of a level that is forced and one for who asks for none, the first is granted, in whatever order they were switched on.
#[test]
fn a_forced_protection_outdoes_that_by_default() {
    for order in [
        ["force-cred-protect=3", "default-cred-protect=2"],
        ["default-cred-protect=2", "force-cred-protect=3"],
    ] {
        let mut key = Key::fresh();
        for fault in order {
            key.misbehave(fault);
        }
        let made = key.make(&Request::make_credential());
        assert_eq!(made.auth_data.extensions, Some(map([("credProtect", 3_i64)])));
        assert_eq!(key.told(), ["force-cred-protect=3"]);
    }
}

/// With largeBlob: what there would have been to read, and to write, is told of; no more.
#[test]
fn a_large_blob_is_told_as_denied_where_there_is_one() {
    let mut key = Key::with_profile(Profile::LargeBlob);
    let wish = map([("support", "preferred")]);
    let made = key.make(&Request::make_credential().extension("largeBlob", wish));
    let read = made.get().extension("largeBlob", map([("read", true)]));
    let write = map([("write", Value::from([1, 2])), ("originalSize", 3.into())]);
    let write = made.get().extension("largeBlob", write);
    let nothing = || vec![];
    let denied = || vec!["no-large-blob".to_owned()];
    assert_eq!(told(&mut key, "no-large-blob", &read), [nothing(), nothing()]);
    // Without presence nothing is written anyway.
    let silent = write.clone().option("up", false);
    assert_eq!(told(&mut key, "no-large-blob", &silent), [nothing(), nothing()]);
    assert_eq!(told(&mut key, "no-large-blob", &write), [nothing(), denied()]);
    key.misbehave("no-large-blob@2");
    key.assertion_by(&made, &write);
    assert_eq!(told(&mut key, "no-large-blob", &read), [nothing(), denied()]);
}

/// Who found no room learns of no fault: the status is what it would have been.
#[test]
fn a_refusal_in_the_end_is_no_fault_of_the_key() {
    let mut key = with("wrong-up");
    key.misbehave("force-cred-protect=3");
    key.memory().full(true);
    let full = Request::make_credential().discoverable();
    assert_eq!(key.send(&full.bytes()), [KEY_STORE_FULL]);
    assert_eq!(key.told(), [""; 0]);
}

/// A level where none was asked for; another that was asked for is granted.
#[test]
fn protection_comes_unasked() {
    for level in [2_i64, 3] {
        let mut key = with(&format!("default-cred-protect={level}"));
        let outputs = |level: i64| Some(map([("credProtect", level)]));
        assert_eq!(key.make(&Request::make_credential()).auth_data.extensions, outputs(level));
        let asked = Request::make_credential().extension("credProtect", 1_i64);
        assert_eq!(key.make(&asked).auth_data.extensions, outputs(1));
    }
}

/// An enumeration of nothing is none, or one of 0; by the preview of the command too.
#[test]
fn an_empty_enumeration_succeeds() {
    let begin = Request::credential_management(cm::ENUMERATE_RPS_BEGIN);
    for (profile, begin) in
        [(Profile::Default, begin.clone()), (Profile::Preview, begin.previewed())]
    {
        let mut key = Key::with_profile(profile);
        key.set_pin(PIN);
        let token = match profile {
            Profile::Preview => key.pin_token(Protocol::One, PIN),
            _ => key.token(Protocol::Two, PIN, CM, None),
        };
        let begin = begin.managed(&token.unwrap());
        assert_eq!(key.send(&begin.bytes()), [NO_CREDENTIALS]);
        key.misbehave("empty-enumeration");
        assert_eq!(key.send(&begin.bytes()), [0x00, 0xA1, 0x05, 0x00]);
        assert_eq!(key.told(), ["empty-enumeration"]);
    }
}
