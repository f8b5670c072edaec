//! The options rk, up and uv without a PIN.

use softkey_tests::auth_data::{UP, UV};
use softkey_tests::checks::{refused, succeeds};
use softkey_tests::request::command;
use softkey_tests::status::{INVALID_OPTION, NO_CREDENTIALS, SUCCESS};
use softkey_tests::{Key, Request};

/// MC-29: up may be true or absent, not false.
/// CT-MC-Req-6-up-true, CT-MC-Req-6-up-false.
#[test]
fn up_false_is_refused() {
    let mut key = Key::fresh();
    succeeds(&mut key, &Request::make_credential().option("up", true));
    refused(&mut key, &Request::make_credential().option("up", false), INVALID_OPTION);
}

/// MC-30: only rk true makes a credential that is found without its id.
/// CT-RK-create.
#[test]
fn only_rk_true_makes_a_discoverable_credential() {
    let mut key = Key::fresh();
    let bare = key.make(&Request::make_credential());
    let explicit = key.make(&Request::make_credential_for("example.com", &[2]).option("rk", false));
    assert_eq!(key.status(&Request::get_assertion("example.com")), NO_CREDENTIALS);
    for made in [&bare, &explicit] {
        key.assertion_by(made, &made.get());
    }
    let discoverable = key.make(&Request::make_credential_for("example.com", &[3]).discoverable());
    key.assertion_by(&discoverable, &Request::get_assertion("example.com"));
    key.assertion_by(&discoverable, &discoverable.get());
}

/// MC-31: uv true without built-in user verification.
#[test]
fn uv_true_without_built_in_verification_is_refused() {
    let mut key = Key::fresh();
    assert_eq!(key.info().option("uv"), None);
    refused(&mut key, &Request::make_credential().option("uv", true), INVALID_OPTION);
    key.set_pin("1234");
    refused(&mut key, &Request::make_credential().option("uv", true), INVALID_OPTION);
    refused(
        &mut key,
        &Request::make_credential().discoverable().option("uv", true),
        INVALID_OPTION,
    );
}

/// MC-32: uv false is accepted with any other option.
#[test]
fn uv_false_is_accepted() {
    let mut key = Key::fresh();
    for rk in [false, true] {
        let made = key.make(&Request::make_credential().option("uv", false).option("rk", rk));
        assert!(!made.auth_data.has(UV));
    }
}

/// MC-37: without a PIN, credentials of both kinds are made by touch alone, UP set and UV clear.
#[test]
fn without_a_pin_a_touch_is_enough() {
    let mut key = Key::fresh();
    for rk in [false, true] {
        let prompts = key.prompts();
        let made = key.make(&Request::make_credential().option("rk", rk));
        assert!(made.auth_data.has(UP) && !made.auth_data.has(UV));
        assert_eq!(key.prompts(), prompts + 1);
    }
    assert_eq!(key.status(&Request::bare(command::RESET)), SUCCESS);
}
