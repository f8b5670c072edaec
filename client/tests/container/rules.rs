//! Rules of credential-management.md section 3 that hold for all types: what an abort may change and when, that marks are each
//! type's own, and what mediation means where it says nothing.

use serde_json::{Value, json};
use softkey_client::{
    AbortController, AbortReason, Answer, Cause, Credential, CredentialCreationOptions,
    CredentialRequestOptions, CredentialType, DomException, Output, Page, Profile, Request,
};

use crate::world::*;

/// What a page asks for, with the member's own answer; each waits for something.
fn calls() -> [(CredentialType, Value); 5] {
    let provider = json!({"configURL": "https://idp.example/c", "clientId": "1"});
    [
        (CredentialType::Password, json!({"password": true})),
        (CredentialType::Federated, json!({"federated": {}})),
        (CredentialType::Identity, json!({"identity": {"providers": [provider]}})),
        (CredentialType::Otp, json!({"otp": {"transport": ["sms"]}})),
        (CredentialType::PublicKey, json!({"publicKey": {"challenge": "AA"}})),
    ]
}

fn full() -> Page {
    let profile = Profile::new();
    profile.keep(&password("ada", ORIGIN, "x"));
    profile.keep(&federated("ada", "https://idp.example", None));
    Page::new(&profile, ORIGIN)
}

fn with_signal(page: &mut Page, options: &Value) -> (Request, AbortController) {
    let controller = AbortController::new();
    let mut options = CredentialRequestOptions::from_json(&options.to_string()).unwrap();
    options.signal = Some(controller.signal());
    (page.credentials().get(NOW, options, entropy()), controller)
}

/// What comes of a request in the end, with everything before that passed over.
fn end(request: &mut Request) -> Option<Outcome> {
    std::iter::from_fn(|| request.poll_output(NOW)).find_map(|output| match output {
        Output::Settled(result) => Some(
            result
                .map(|credential| credential.map(|credential| credential.to_json()))
                .map_err(|rejection| (rejection.exception, rejection.cause)),
        ),
        _ => None,
    })
}

/// Abort: each type hears it while it waits, with the page's own reason, is settled by it once, and is free again. Planted: no
/// abort, which settles none.
#[test]
fn each_type_hears_an_abort_while_it_waits() {
    for (kind, options) in calls() {
        let mut page = full();
        let (mut request, controller) = with_signal(&mut page, &options);
        assert_eq!(end(&mut request), None, "{kind:?} waits");
        controller.abort_with(AbortReason::Value(json!("gone")));
        let reason = Cause::Aborted(AbortReason::Value(json!("gone")));
        assert_eq!(end(&mut request), Some(Err((DomException::AbortError, reason))), "{kind:?}");
        controller.abort();
        assert_eq!(end(&mut request), None, "{kind:?}");
        let again = end(&mut get(&mut page, &options));
        assert_eq!(again, None, "{kind:?} may be asked for");
    }
}

/// Abort: after the end it has no effect, on what was given or on the next call.
#[test]
fn an_abort_after_the_end_changes_nothing() {
    let mut page = full();
    let (mut request, controller) = with_signal(&mut page, &json!({"password": true}));
    question(&mut request);
    request.handle_answer(NOW, chosen(0));
    controller.abort();
    // Aborted before the page looked, but after the person had chosen: the promise was settled by then.
    assert_eq!(ids(end(&mut request).unwrap()), Some("ada".into()));
    assert_eq!(end(&mut request), None);
    let mut next = get(&mut page, &json!({"password": true}));
    assert_eq!(ids(answered(&mut next, chosen(0))), Some("ada".into()));
}

/// Marks are of a page and a type: all types may wait at once on one page, none of them twice, and on another page again.
#[test]
fn each_type_has_a_mark_of_its_own() {
    let mut page = full();
    let mut other = Page::new(page.profile(), ORIGIN);
    let waiting = calls().map(|(_, options)| get(&mut page, &options));
    for (kind, options) in calls() {
        let active = Some(Err((DomException::NotAllowedError, Cause::TypeActive(kind))));
        assert_eq!(end(&mut get(&mut page, &options)), active);
        assert_eq!(end(&mut get(&mut other, &options)), None, "{kind:?} on another page");
    }
    drop(waiting);
    for (kind, options) in calls() {
        assert_eq!(end(&mut get(&mut page, &options)), None, "{kind:?} is free");
    }
}

/// Mediation has no meaning for what create makes of data, and `silent` and `required` none for what keys make.
#[test]
fn create_makes_the_same_by_any_mediation() {
    let data = json!({"id": "ada", "origin": ORIGIN, "password": "x"});
    let federated = json!({"id": "ada", "provider": "https://idp.example"});
    for options in [json!({ "password": data }), json!({ "federated": federated })] {
        let made = |mediation: &str| {
            let mut options = options.clone();
            options["mediation"] = mediation.into();
            create(&mut page(), &options).unwrap().unwrap()
        };
        for mediation in ["silent", "required", "optional"] {
            assert_eq!(made(mediation)["id"], "ada");
            assert_eq!(made(mediation), made("optional"), "{mediation}");
        }
    }
    for mediation in ["silent", "required", "optional"] {
        let options = json!({"mediation": mediation, "publicKey": {
            "rp": {"name": ""}, "user": {"id": "AQ", "name": "", "displayName": ""},
            "challenge": "AA", "pubKeyCredParams": []}});
        let options = CredentialCreationOptions::from_json(&options.to_string()).unwrap();
        let mut request = page().credentials().create(NOW, options, entropy());
        assert_eq!(end(&mut request), None, "{mediation}: keys are asked");
    }
}

/// Mediation values, `conditional` in create: whoever chose a password has just signed in, and who was asked nothing has not.
#[test]
fn a_choice_is_a_sign_in() {
    let refused = |page: &mut Page| {
        let options = json!({"mediation": "conditional", "publicKey": {
            "rp": {"name": ""}, "user": {"id": "AQ", "name": "", "displayName": ""},
            "challenge": "AA", "pubKeyCredParams": []}});
        let options = CredentialCreationOptions::from_json(&options.to_string()).unwrap();
        end(&mut page.credentials().create(NOW, options, entropy()))
    };
    for options in [json!({"password": true}), json!({"federated": {}})] {
        let mut page = full();
        page.profile().set(|settings| settings.creation_consent = true);
        page.profile().set_prevent_silent_access(ORIGIN, false);
        assert_eq!(ids(settled(&mut get(&mut page, &options))), Some("ada".into()), "unasked");
        let no_sign_in = (DomException::NotAllowedError, Cause::NoCreationConsent);
        assert_eq!(refused(&mut page), Some(Err(no_sign_in)));
        let mut required = options;
        required["mediation"] = json!("required");
        assert_eq!(ids(answered(&mut get(&mut page, &required), chosen(0))), Some("ada".into()));
        assert_eq!(refused(&mut page), None, "keys are asked");
    }
}

/// An unknown mediation is a `TypeError`, in get and in create.
#[test]
fn an_unknown_mediation_is_a_type_error() {
    let text = json!({"password": true, "mediation": "loud"}).to_string();
    let cause = CredentialRequestOptions::from_json(&text).unwrap_err();
    assert_eq!(cause.exception(softkey_client::Operation::Get), DomException::TypeError);
    assert!(matches!(cause, Cause::NotTheDictionary(_)), "{cause:?}");
    let data = json!({"id": "ada", "origin": ORIGIN, "password": "x"});
    let text = json!({"password": data, "mediation": "loud"}).to_string();
    let cause = CredentialCreationOptions::from_json(&text).unwrap_err();
    assert!(matches!(cause, Cause::NotTheDictionary(_)), "{cause:?}");
}

/// store and abort: a call that stores has no signal, and what is answered late keeps nothing.
#[test]
fn a_store_that_is_dropped_keeps_nothing() {
    let mut page = page();
    let credential = password("ada", ORIGIN, "x");
    let mut request = store(&mut page, credential.clone());
    question(&mut request);
    request.give_up(NOW);
    request.handle_answer(NOW, Answer::Yes);
    assert!(page.profile().passwords().is_empty());
    drop(request);
    let mut again = store(&mut page, credential);
    assert_eq!(answered(&mut again, Answer::Yes), Ok(None));
    let kept: Vec<_> = page.profile().passwords().into_iter().map(Credential::Password).collect();
    assert_eq!(kept.len(), 1);
}
