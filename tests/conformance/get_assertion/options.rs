//! The options rk, up and uv, and the touch.

use std::time::Duration;

use softkey_tests::auth_data::{UP, UV};
use softkey_tests::checks::{refused, refused_after_prompt_and_unharmed};
use softkey_tests::pin::Protocol;
use softkey_tests::platform::permission::GA;
use softkey_tests::request::ga;
use softkey_tests::status::{
    INVALID_OPTION, KEEPALIVE_CANCEL, NO_CREDENTIALS, OPERATION_DENIED, PIN_INVALID, PIN_NOT_SET,
    SUCCESS, UNSUPPORTED_OPTION, USER_ACTION_TIMEOUT,
};
use softkey_tests::{Key, Request, User};

/// GA-13: the option rk does not belong here, true or false.
#[test]
fn option_rk_is_refused() {
    let mut key = Key::fresh();
    let made = key.make(&Request::make_credential().discoverable());
    for rk in [true, false] {
        refused(&mut key, &made.get().option("rk", rk), UNSUPPORTED_OPTION);
        refused(
            &mut key,
            &Request::get_assertion("example.com").option("rk", rk),
            UNSUPPORTED_OPTION,
        );
        refused(
            &mut key,
            &Request::get_assertion("nobody.example").option("rk", rk),
            UNSUPPORTED_OPTION,
        );
    }
}

/// GA-14: up false asks for no touch, whatever the user would say; UP is clear and the signature valid.
#[test]
fn up_false_signs_silently() {
    let mut key = Key::fresh();
    for rk in [false, true] {
        let made = key.make(&Request::make_credential().option("rk", rk));
        for user in [User::Refuses, User::StaysAway, User::Approves] {
            key.user(user);
            let prompts = key.prompts();
            let assertion = key.assertion_by(&made, &made.get().option("up", false));
            assert_eq!(assertion.auth_data.flags, 0);
            assert_eq!(key.prompts(), prompts);
        }
    }
}

/// GA-14: a silent assertion does not spend the token; UV is set by it all the same.
#[test]
fn up_false_does_not_spend_the_token() {
    let mut key = Key::fresh();
    let made = key.make(&Request::make_credential());
    key.set_pin("1234");
    let token = key.token(Protocol::Two, "1234", GA, Some("example.com")).unwrap();
    for _ in 0..3 {
        let silent =
            made.get().with(ga::CLIENT_DATA_HASH, [0; 32]).option("up", false).authorized(&token);
        assert_eq!(key.assertion_by(&made, &silent).auth_data.flags, UV);
    }
    let assertion = key.assertion_by(&made, &made.get().authorized(&token));
    assert_eq!(assertion.auth_data.flags, UP | UV);
}

/// GA-15: up true or absent asks for one touch and sets UP.
/// CT-GA-Req-2-up.
#[test]
fn up_true_or_absent_asks_for_touch() {
    let mut key = Key::fresh();
    let made = key.make(&Request::make_credential());
    for request in [made.get(), made.get().option("up", true)] {
        let prompts = key.prompts();
        assert_eq!(key.assertion_by(&made, &request).auth_data.flags, UP);
        assert_eq!(key.prompts(), prompts + 1);
    }
}

/// GA-16: uv true without built-in user verification, with and without a PIN.
#[test]
fn uv_true_without_built_in_verification_is_refused() {
    let mut key = Key::fresh();
    let made = key.make(&Request::make_credential());
    refused(&mut key, &made.get().option("uv", true), INVALID_OPTION);
    key.set_pin("1234");
    refused(&mut key, &made.get().option("uv", true), INVALID_OPTION);
    refused(&mut key, &made.get().option("uv", true).option("up", false), INVALID_OPTION);
}

/// GA-16: with a param, the option uv is ignored.
#[test]
fn uv_is_ignored_beside_a_param() {
    for uv in [true, false] {
        let mut key = Key::fresh();
        let made = key.make(&Request::make_credential());
        key.set_pin("1234");
        let token = key.token(Protocol::Two, "1234", GA, Some("example.com")).unwrap();
        let assertion = key.assertion_by(&made, &made.get().option("uv", uv).authorized(&token));
        assert_eq!(assertion.auth_data.flags, UP | UV);
    }
}

/// GA-17: options nobody knows are ignored.
/// CT-GA-Req-2-unknown.
#[test]
fn unknown_options_are_ignored() {
    let mut key = Key::fresh();
    let made = key.make(&Request::make_credential());
    for value in [true, false] {
        let request =
            made.get().option("softkeyUnknown", value).option("plat", value).option("uv", false);
        key.assertion_by(&made, &request);
    }
}

/// GA-31: nobody touches the key; the user refuses; the client cancels.
#[test]
fn touch_not_given_gives_no_signature() {
    let mut key = Key::fresh();
    let made = key.make(&Request::make_credential());
    key.user(User::StaysAway);
    refused_after_prompt_and_unharmed(&mut key, &made.get(), USER_ACTION_TIMEOUT);
    key.post(&made.get().bytes());
    key.advance(Duration::from_millis(29_999));
    assert_eq!(key.answer(), None, "a touch is waited for 30 s");
    assert_eq!(key.cancel(), Some(vec![KEEPALIVE_CANCEL]));
    assert_eq!(key.cancel(), None);
    key.user(User::Refuses);
    refused_after_prompt_and_unharmed(&mut key, &made.get(), OPERATION_DENIED);
    key.user(User::ApprovesAfter(Duration::from_secs(29)));
    assert_eq!(key.status(&made.get()), SUCCESS);
}

/// GA-20: a zero-length param asks for a touch, then says whether a PIN is set; nothing else is looked at.
#[test]
fn empty_param_asks_for_touch() {
    let mut key = Key::fresh();
    let request = Request::get_assertion("nobody.example").with(ga::PARAM, []);
    refused_after_prompt_and_unharmed(&mut key, &request, PIN_NOT_SET);
    key.set_pin("1234");
    for request in
        [request.clone(), request.clone().with(ga::PROTOCOL, 77), request.option("rk", true)]
    {
        refused_after_prompt_and_unharmed(&mut key, &request, PIN_INVALID);
    }
    key.user(User::Refuses);
    let request = Request::get_assertion("nobody.example").with(ga::PARAM, []);
    refused_after_prompt_and_unharmed(&mut key, &request, OPERATION_DENIED);
    key.user(User::StaysAway);
    refused_after_prompt_and_unharmed(&mut key, &request, USER_ACTION_TIMEOUT);
}

/// GA-12: what is not there is answered at once, without a touch.
#[test]
fn no_credentials_is_answered_untouched() {
    let mut key = Key::fresh();
    key.user(User::StaysAway);
    key.post(&Request::get_assertion("nobody.example").bytes());
    assert_eq!(key.answer(), Some(vec![NO_CREDENTIALS]));
}
