//! credential-management.md section 3: of several steps that would refuse a call, the first one names the exception.

use serde_json::{Value, json};
use softkey_client::cause::TypeFault;
use softkey_client::{
    AbortReason, Cause, CredentialType, DomException, Feature, Frame, Page, Profile,
};

use crate::world::*;

fn aborted() -> Cause {
    Cause::Aborted(AbortReason::Abort)
}

/// A page in a frame that may use nothing, with a call for a password under way.
fn hopeless(active: bool) -> (Page, softkey_client::Request) {
    let profile = Profile::new();
    profile.keep(&password("ada", ORIGIN, "x"));
    let mut page = Page::framed(&profile, [Frame::new(ORIGIN)], Frame::new(ORIGIN));
    let pending = get(&mut page, &json!({"password": true}));
    assert!(!pending.is_settled());
    page.set_fully_active(active);
    (page, pending)
}

fn ends(page: &mut Page, options: &Value) -> (DomException, Cause) {
    settled(&mut get(page, options)).unwrap_err()
}

/// get: fully active, the signal, no type, types that do not mix, the mediation, the mark, each before the next.
#[test]
fn the_first_step_of_get_that_fails_names_the_exception() {
    let all = json!({
        "password": true, "otp": {}, "mediation": "conditional", "signal": {"aborted": true},
    });
    let (mut page, _pending) = hopeless(false);
    let cause = Cause::NotFullyActive;
    assert_eq!(ends(&mut page, &all), (DomException::InvalidStateError, cause));
    let (mut page, _pending) = hopeless(true);
    assert_eq!(ends(&mut page, &all), (DomException::AbortError, aborted()));
    let none = json!({"mediation": "conditional", "signal": {"aborted": true}});
    assert_eq!(ends(&mut page, &none), (DomException::AbortError, aborted()));
    let none = json!({"mediation": "conditional", "uiMode": "immediate"});
    assert_eq!(ends(&mut page, &none), (DomException::NotSupportedError, Cause::NoType));
    let mixed = json!({"password": true, "otp": {}, "mediation": "conditional"});
    let (exception, cause) = ends(&mut page, &mixed);
    assert_eq!(exception, DomException::NotSupportedError);
    assert!(matches!(cause, Cause::TypesDoNotMix(..)), "{cause:?}");
    let conditional = json!({"password": true, "mediation": "conditional", "uiMode": "immediate"});
    let cause = Cause::NotConditional(CredentialType::Password);
    assert_eq!(ends(&mut page, &conditional), (DomException::TypeError, cause));
    let immediate = json!({"password": true, "uiMode": "immediate"});
    let cause = Cause::NotImmediate(CredentialType::Password);
    assert_eq!(ends(&mut page, &immediate), (DomException::TypeError, cause));
    let cause = Cause::TypeActive(CredentialType::Password);
    let again = json!({"password": true, "federated": {}, "mediation": "silent"});
    assert_eq!(ends(&mut page, &again), (DomException::NotAllowedError, cause));
    // The mark that the second type got meanwhile fell with the refusal.
    let other = settled(&mut get(&mut page, &json!({"federated": {}})));
    assert_eq!(other, Ok(None));
}

/// Every pair of types that do not mix, in either order; those of the store do.
#[test]
fn each_pair_of_types_mixes_or_not() {
    let members = [
        ("password", json!(true)),
        ("federated", json!({})),
        (
            "identity",
            json!({"providers": [{"configURL": "https://idp.example/c", "clientId": "1"}]}),
        ),
        ("otp", json!({"transport": ["sms"]})),
        ("publicKey", json!({"challenge": "AA"})),
    ];
    for (one, its_options) in &members {
        for (other, options) in members.iter().filter(|(other, _)| other != one) {
            let both = json!({*one: its_options, *other: options, "mediation": "silent"});
            let outcome = settled(&mut get(&mut page(), &both));
            if [one, other].iter().all(|it| ["password", "federated"].contains(it)) {
                assert_eq!(outcome, Ok(None));
                continue;
            }
            let (exception, cause) = outcome.unwrap_err();
            assert_eq!(exception, DomException::NotSupportedError, "{one}, {other}");
            assert!(matches!(cause, Cause::TypesDoNotMix(..)), "{one}, {other}: {cause:?}");
        }
    }
}

/// get: a refused policy comes before a message or a key is looked for, and after the mediation.
#[test]
fn the_policy_comes_after_the_mediation() {
    let mut page = framed(&Profile::new());
    let otp = |mediation| json!({"otp": {"transport": ["sms"]}, "mediation": mediation});
    let cause = Cause::PolicyRefuses(Feature::OtpCredentials);
    for mediation in ["silent", "optional"] {
        assert_eq!(
            ends(&mut page, &otp(mediation)),
            (DomException::NotAllowedError, cause.clone())
        );
    }
    let cause = Cause::NotConditional(CredentialType::Otp);
    assert_eq!(ends(&mut page, &otp("conditional")), (DomException::TypeError, cause));
}

/// create: fully active, the types, the signal, the mark, and what the type itself says.
#[test]
fn the_first_step_of_create_that_fails_names_the_exception() {
    let empty = json!({"id": "", "origin": ORIGIN, "password": "x"});
    let several = json!({"password": empty, "federated": {"id": "", "provider": ""},
        "signal": {"aborted": true}});
    let (mut page, _pending) = hopeless(false);
    let inactive = Err((DomException::InvalidStateError, Cause::NotFullyActive));
    assert_eq!(create(&mut page, &several), inactive);
    let (mut page, _pending) = hopeless(true);
    let cause = Cause::Type(TypeFault::SeveralTypes);
    assert_eq!(create(&mut page, &several), Err((DomException::NotSupportedError, cause)));
    let none = Err((DomException::NotSupportedError, Cause::NoType));
    assert_eq!(create(&mut page, &json!({"signal": {"aborted": true}})), none);
    let one = json!({"password": empty, "signal": {"aborted": true}});
    assert_eq!(create(&mut page, &one), Err((DomException::AbortError, aborted())));
    let one = json!({"password": empty});
    let cause = Cause::TypeActive(CredentialType::Password);
    assert_eq!(create(&mut page, &one), Err((DomException::NotAllowedError, cause)));
    let cause = Cause::Type(TypeFault::EmptyMember("id"));
    assert_eq!(create(&mut crate::world::page(), &one), Err((DomException::TypeError, cause)));
}

/// create: `identity` and `otp` have no member there and are passed over, alone and beside another.
#[test]
fn remote_types_have_no_member_in_create() {
    let none = Err((DomException::NotSupportedError, Cause::NoType));
    for member in ["identity", "otp", "digital"] {
        assert_eq!(create(&mut page(), &json!({member: {"any": 1}})), none, "{member}");
        let beside =
            json!({member: 7, "federated": {"id": "ada", "provider": "https://idp.example"}});
        let made = create(&mut page(), &beside).unwrap().unwrap();
        assert_eq!(made["id"], "ada", "{member}");
    }
}

/// store: fully active, then the mark, then what the type says; in a frame of another origin nothing is kept.
#[test]
fn the_first_step_of_store_that_fails_names_the_exception() {
    let foreign = || password("eve", "https://other.example", "x");
    let (mut page, _pending) = hopeless(false);
    let inactive = Err((DomException::InvalidStateError, Cause::NotFullyActive));
    assert_eq!(settled(&mut store(&mut page, foreign())), inactive);
    let (mut page, _pending) = hopeless(true);
    let cause = Cause::TypeActive(CredentialType::Password);
    let outcome = settled(&mut store(&mut page, foreign()));
    assert_eq!(outcome, Err((DomException::NotAllowedError, cause)));
    for (credential, kind) in [
        (foreign(), CredentialType::Password),
        (federated("ada", "https://idp.example", None), CredentialType::Federated),
    ] {
        let profile = Profile::new();
        let outcome = settled(&mut store(&mut framed(&profile), credential));
        let cause = Cause::Type(TypeFault::ForeignAncestors(kind));
        assert_eq!(outcome, Err((DomException::NotAllowedError, cause)));
        assert!(profile.passwords().is_empty() && profile.federated().is_empty());
    }
}

/// preventSilentAccess: nothing happens on a page that is not fully active.
#[test]
fn a_page_that_is_gone_prevents_nothing() {
    let mut page = page();
    page.profile().set_prevent_silent_access(ORIGIN, false);
    page.set_fully_active(false);
    let rejection = page.credentials().prevent_silent_access().unwrap_err();
    assert_eq!(rejection.exception, DomException::InvalidStateError);
    assert_eq!(rejection.cause, Cause::NotFullyActive);
    assert!(!page.profile().prevents_silent_access(ORIGIN));
}

/// The deprecated boolean of 2016 means nothing.
#[test]
fn unmediated_is_passed_over() {
    let mut page = page();
    page.profile().keep(&password("ada", ORIGIN, "x"));
    let old = json!({"password": true, "unmediated": true});
    assert_eq!(ids(answered(&mut get(&mut page, &old), chosen(0))), Some("ada".into()));
}
