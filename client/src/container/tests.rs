//! Each step of the container's algorithms and of what precedes the keys, made to fail: the name that the page
//! sees and the cause beside it.

use serde_json::json;
use softkey_ctap::{Instant, Secret};

use super::*;
use crate::abort::{AbortController, AbortReason, AbortSignal};
use crate::cause::DomException;
use crate::options::{CreationOptions, RequestOptions};
use crate::page::Frame;
use crate::profile::{Profile, TimeoutRange};
use crate::registry::Feature::{PublicKeyCredentialsCreate, PublicKeyCredentialsGet};
use crate::related::RelatedFault;
use crate::request::Output;

const NOW: Instant = Instant::from_millis(1000);
const ORIGIN: &str = "https://example.org";

fn entropy() -> Entropy {
    Entropy::from_seed(&Secret::new([7; 32]))
}

fn page() -> Page {
    Page::new(&Profile::new(), ORIGIN)
}

/// A page of another origin inside another site, which may do everything.
fn frame() -> Page {
    let own = Frame::new(ORIGIN).allow(PublicKeyCredentialsCreate).allow(PublicKeyCredentialsGet);
    Page::framed(&Profile::new(), [Frame::new("https://shop.example")], own)
}

fn creation() -> CreationOptions {
    let json = json!({
        "rp": {"name": "Example"}, "user": {"id": "AQ", "name": "ada", "displayName": ""},
        "challenge": "AAEC", "pubKeyCredParams": [],
    });
    CreationOptions::from_value(json).unwrap()
}

fn request() -> RequestOptions {
    RequestOptions::from_value(json!({"challenge": "AAEC"})).unwrap()
}

/// How a request stands before any key is asked: pending, or settled.
fn outcome(mut request: Request) -> Option<Result<Option<Credential>, (DomException, Cause)>> {
    match request.poll_output(NOW)? {
        Output::Fetch { .. } => {
            // Nobody is there to give lists of related origins.
            request.handle_fetched(NOW, None);
            outcome(request)
        }
        Output::Settled(result) => {
            assert!(request.is_finished());
            Some(result.map_err(|rejection| (rejection.exception, rejection.cause)))
        }
        other => panic!("{other:?} without keys"),
    }
}

fn create(page: &mut Page, options: impl Into<CredentialCreationOptions>) -> Request {
    page.credentials().create(NOW, options.into(), entropy())
}

fn get(page: &mut Page, options: impl Into<CredentialRequestOptions>) -> Request {
    page.credentials().get(NOW, options.into(), entropy())
}

fn create_fails(page: &mut Page, options: impl Into<CredentialCreationOptions>) -> (String, Cause) {
    let (exception, cause) = outcome(create(page, options)).unwrap().unwrap_err();
    (exception.name().to_owned(), cause)
}

fn get_fails(page: &mut Page, options: impl Into<CredentialRequestOptions>) -> (String, Cause) {
    let (exception, cause) = outcome(get(page, options)).unwrap().unwrap_err();
    (exception.name().to_owned(), cause)
}

fn failure(name: &str, cause: Cause) -> (String, Cause) {
    (name.to_owned(), cause)
}

#[test]
fn a_page_may_ask() {
    assert_eq!(outcome(create(&mut page(), creation())), None);
    assert_eq!(outcome(get(&mut page(), request())), None);
}

#[test]
fn an_insecure_context_has_no_api() {
    let insecure = failure("SecurityError", Cause::InsecureOrigin);
    let mut http = Page::new(&Profile::new(), "http://example.org");
    assert_eq!(create_fails(&mut http, creation()), insecure);
    let mut marked = page();
    marked.set_secure(false);
    assert_eq!(get_fails(&mut marked, request()), insecure);
    let rejection = marked.credentials().prevent_silent_access().unwrap_err();
    assert_eq!(rejection.exception, DomException::SecurityError);
}

/// Secure Contexts section 3.1: a page of this machine has the API, by name or by address; a relying party is a domain.
#[test]
fn a_page_of_this_machine_has_the_api() {
    let mut named = Page::new(&Profile::new(), "http://localhost:8000");
    assert_eq!(outcome(create(&mut named, creation())), None);
    for origin in ["http://127.0.0.1:8000", "http://[::1]"] {
        let mut page = Page::new(&Profile::new(), origin);
        let passwords = CredentialRequestOptions { password: true, ..Default::default() };
        assert_eq!(outcome(get(&mut page, passwords)), Some(Ok(None)), "{origin}");
        let expected = failure("SecurityError", Cause::NotADomain);
        assert_eq!(create_fails(&mut page, creation()), expected);
        assert_eq!(get_fails(&mut page, request()), expected);
    }
}

/// get step 1, create step 1, store step 1, preventSilentAccess.
#[test]
fn a_page_that_is_not_fully_active_is_in_an_invalid_state() {
    let mut page = page();
    page.set_fully_active(false);
    let expected = failure("InvalidStateError", Cause::NotFullyActive);
    assert_eq!(create_fails(&mut page, creation()), expected);
    assert_eq!(get_fails(&mut page, request()), expected);
    let rejection = page.credentials().prevent_silent_access().unwrap_err();
    assert_eq!(rejection.cause, Cause::NotFullyActive);
}

/// get step 2, create step 4.
#[test]
fn a_signal_that_is_aborted_rejects_with_its_reason() {
    let with = |reason: AbortReason| {
        let signal = Some(AbortSignal::aborted(reason));
        CredentialRequestOptions { signal, ..request().into() }
    };
    let aborted = |name, reason: AbortReason| failure(name, Cause::Aborted(reason));
    let reason = AbortReason::Abort;
    assert_eq!(get_fails(&mut page(), with(reason.clone())), aborted("AbortError", reason));
    let reason = AbortReason::Timeout;
    assert_eq!(get_fails(&mut page(), with(reason.clone())), aborted("TimeoutError", reason));

    let signal = Some(AbortSignal::aborted(AbortReason::Value(json!({"why": 7}))));
    let options = CredentialCreationOptions { signal, ..creation().into() };
    let mut request = create(&mut page(), options);
    let Some(Output::Settled(Err(rejection))) = request.poll_output(NOW) else {
        panic!("an aborted call is settled");
    };
    assert_eq!(rejection.reason(), Some(&json!({"why": 7})));
}

/// get step 3, create step 2: nothing, or nothing that is known, is asked for.
#[test]
fn a_call_without_a_known_type_is_not_supported() {
    let expected = failure("NotSupportedError", Cause::NoType);
    let wrong_level = r#"{"protocols": ["openidconnect"], "providers": ["https://idp.example"]}"#;
    for text in ["{}", wrong_level, r#"{"digital": {"requests": []}}"#] {
        let options = CredentialRequestOptions::from_json(text).unwrap();
        assert_eq!(get_fails(&mut page(), options), expected, "{text}");
        let options = CredentialCreationOptions::from_json(text).unwrap();
        assert_eq!(create_fails(&mut page(), options), expected, "{text}");
    }
}

/// A missing interface: the site's fallback sees what an older browser gives.
#[test]
fn an_absent_type_is_not_supported() {
    let mut page = page();
    page.profile().set(|settings| settings.absent = [CredentialType::PublicKey].into());
    let expected = failure("NotSupportedError", Cause::NoType);
    assert_eq!(create_fails(&mut page, creation()), expected);
    assert_eq!(get_fails(&mut page, request()), expected);
}

/// get step 4, on the registry's own terms; `order` has the calls of a page.
#[test]
fn types_that_do_not_mix_are_not_supported() {
    let mut page = page();
    let container = page.credentials();
    let (key, otp) = (CredentialType::PublicKey, CredentialType::Otp);
    let refused = container.admit(&[key, otp], Mediation::Optional, None);
    assert_eq!(refused.map(drop), Err(Cause::TypesDoNotMix(key, otp)));
    let exception = Cause::TypesDoNotMix(key, otp).exception(Operation::Get);
    assert_eq!(exception, DomException::NotSupportedError);
    let (password, federated) = (CredentialType::Password, CredentialType::Federated);
    assert!(container.admit(&[password, federated], Mediation::Optional, None).is_ok());
}

/// get step 5: conditional mediation and the mode `immediate`, where the type has none.
#[test]
fn a_type_without_the_mediation_is_a_type_error() {
    let mut page = page();
    let otp = CredentialType::Otp;
    let refused = page.credentials().admit(&[otp], Mediation::Conditional, None);
    assert_eq!(refused.map(drop), Err(Cause::NotConditional(otp)));
    let exception = Cause::NotConditional(otp).exception(Operation::Get);
    assert_eq!(exception, DomException::TypeError);
    let options = CredentialRequestOptions { ui_mode: Some(UiMode::Immediate), ..request().into() };
    let expected = failure("TypeError", Cause::NotImmediate(CredentialType::PublicKey));
    assert_eq!(get_fails(&mut page, options), expected);
}

/// get step 5, create step 5, store step 2: one pending call for each type and page.
#[test]
fn a_second_call_of_a_type_is_not_allowed_until_the_first_is_settled() {
    let mut page = page();
    let expected = || failure("NotAllowedError", Cause::TypeActive(CredentialType::PublicKey));
    let mut pending = get(&mut page, request());
    assert_eq!(get_fails(&mut page, request()), expected());
    assert_eq!(create_fails(&mut page, creation()), expected());
    let mut other = Page::new(page.profile(), ORIGIN);
    assert_eq!(outcome(get(&mut other, request())), None, "another page is not concerned");

    pending.give_up(NOW);
    assert!(pending.is_settled());
    let dropped = create(&mut page, creation());
    assert_eq!(create_fails(&mut page, creation()), expected());
    drop(dropped);
    assert_eq!(outcome(create(&mut page, creation())), None);
}

/// The marks fall too when a step behind them refuses.
#[test]
fn a_refused_call_leaves_no_mark() {
    let own = Frame::new(ORIGIN).deny(PublicKeyCredentialsGet);
    let mut page = Page::framed(&Profile::new(), [], own);
    let expected = failure("NotAllowedError", Cause::PolicyRefuses(PublicKeyCredentialsGet));
    assert_eq!(get_fails(&mut page, request()), expected);
    assert_eq!(get_fails(&mut page, request()), expected);
    let bad_user = CreationOptions { user_id: vec![], ..creation() };
    assert_eq!(create_fails(&mut page, bad_user.clone()).1, Cause::UserIdLength(0));
    assert_eq!(create_fails(&mut page, bad_user).1, Cause::UserIdLength(0));
}

/// get step 6, create step 3.
#[test]
fn a_frame_needs_the_policy() {
    let own = Frame::new(ORIGIN);
    let mut page = Page::framed(&Profile::new(), [Frame::new("https://shop.example")], own);
    let refused = |feature| failure("NotAllowedError", Cause::PolicyRefuses(feature));
    assert_eq!(get_fails(&mut page, request()), refused(PublicKeyCredentialsGet));
    assert_eq!(create_fails(&mut page, creation()), refused(PublicKeyCredentialsCreate));
    assert_eq!(outcome(get(&mut frame(), request())), None);
}

/// get step 7 (c): without the user there is nothing to be had from a key.
#[test]
fn silent_mediation_resolves_with_null() {
    let options = CredentialRequestOptions { mediation: Mediation::Silent, ..request().into() };
    assert_eq!(outcome(get(&mut page(), options)), Some(Ok(None)));
}

#[test]
fn required_mediation_asks() {
    let options = CredentialRequestOptions { mediation: Mediation::Required, ..request().into() };
    assert_eq!(outcome(get(&mut page(), options)), None);
}

fn not_stored(page: &mut Page, credential: &Credential) -> Rejection {
    let mut request = page.credentials().store(credential.clone());
    match request.poll_output(NOW) {
        Some(Output::Settled(Err(rejection))) => rejection,
        other => panic!("{other:?} instead of a rejection"),
    }
}

#[test]
fn public_keys_are_not_stored() {
    let mut page = page();
    let bytes = crate::response::Bytes::default;
    let response = crate::response::AssertionResponse {
        client_data_json: bytes(),
        authenticator_data: bytes(),
        signature: bytes(),
        user_handle: None,
        attestation_object: None,
    };
    let signed = crate::response::PublicKeyCredential::new(vec![1], response, "platform");
    let credential = Credential::Authentication(Box::new(signed));
    let rejection = not_stored(&mut page, &credential);
    assert_eq!(rejection.exception, DomException::NotSupportedError);
    assert_eq!(rejection.cause, Cause::CannotStore(CredentialType::PublicKey));
    let _pending = get(&mut page, request());
    let rejection = not_stored(&mut page, &credential);
    assert_eq!(rejection.exception, DomException::NotAllowedError);
    page.set_fully_active(false);
    let rejection = not_stored(&mut page, &credential);
    assert_eq!(rejection.exception, DomException::InvalidStateError);
}

#[test]
fn prevent_silent_access_sets_the_flag_of_the_origin() {
    let mut page = page();
    page.profile().set_prevent_silent_access(ORIGIN, false);
    page.credentials().prevent_silent_access().unwrap();
    assert!(page.profile().prevents_silent_access(ORIGIN));
}

/// The page of 2016: calls inside frames resolve without effect, if the switch is on.
#[test]
fn frames_can_be_without_effect() {
    let mut frame = frame();
    frame.profile().set(|settings| settings.frames_without_effect = true);
    assert_eq!(outcome(create(&mut frame, CredentialCreationOptions::default())), Some(Ok(None)));
    assert_eq!(outcome(get(&mut frame, request())), Some(Ok(None)));
    assert_eq!(frame.credentials().prevent_silent_access(), Ok(()));
    let mut top = Page::new(frame.profile(), ORIGIN);
    let refused = failure("NotSupportedError", Cause::NoType);
    assert_eq!(create_fails(&mut top, CredentialCreationOptions::default()), refused);
}

/// WebAuthn section 5.1.3 step 1: a frame of another origin creates after a click, once, and never conditionally.
#[test]
fn a_frame_creates_after_a_click() {
    let mut frame = frame();
    let expected = failure("NotAllowedError", Cause::NoActivation);
    assert_eq!(create_fails(&mut frame, creation()), expected);
    frame.activate();
    assert_eq!(outcome(create(&mut frame, creation())), None);
    assert_eq!(create_fails(&mut frame, creation()), expected, "the click is used up");
    let options =
        CredentialCreationOptions { mediation: Mediation::Conditional, ..creation().into() };
    let expected = failure("NotAllowedError", Cause::ConditionalInFrame);
    assert_eq!(create_fails(&mut frame, options), expected);
}

/// Section 5.1.3 step 4: what the page asks and what it gets are both told.
#[test]
fn the_timeout_is_brought_into_the_range() {
    let mut page = page();
    let options = CreationOptions { timeout: Some(1000), ..creation() };
    let request = create(&mut page, options.clone());
    assert_eq!(request.timeout().asked, Some(1000));
    assert_eq!(request.poll_timeout(), Some(Instant::from_millis(301_000)));
    drop(request);
    page.profile().set(|settings| settings.timeout = TimeoutRange::literal());
    let mut request = create(&mut page, options);
    assert_eq!(request.poll_timeout(), Some(Instant::from_millis(2000)));
    request.handle_timeout(Instant::from_millis(1999));
    assert!(!request.is_settled());
    request.handle_timeout(Instant::from_millis(2000));
    assert_eq!(outcome(request), Some(Err((DomException::NotAllowedError, Cause::Timeout))));
}

/// Section 5.1.3 steps 5 to 10 in their order: what comes first wins.
#[test]
fn the_first_step_that_fails_names_the_exception() {
    let worst = CreationOptions {
        user_id: vec![7; 65],
        rp_id: Some(String::from("example.com")),
        algorithms: vec![],
        ..creation()
    };
    let mut opaque = Page::new(&Profile::new(), "null");
    let mut address = Page::new(&Profile::new(), "https://192.0.2.1");
    let user = failure("TypeError", Cause::UserIdLength(65));
    assert_eq!(create_fails(&mut opaque, worst.clone()), user);
    let bad = CreationOptions { user_id: vec![7; 64], ..worst };
    let expected = failure("NotAllowedError", Cause::OpaqueOrigin);
    assert_eq!(create_fails(&mut opaque, bad.clone()), expected);
    let expected = failure("SecurityError", Cause::NotADomain);
    assert_eq!(create_fails(&mut address, bad.clone()), expected);
    let expected = failure("SecurityError", Cause::RelatedOrigins(RelatedFault::NotFetched));
    assert_eq!(create_fails(&mut page(), bad.clone()), expected);
    let bad = CreationOptions { rp_id: None, ..bad };
    let expected = failure("NotSupportedError", Cause::NoKnownParameters);
    assert_eq!(create_fails(&mut page(), bad), expected);
}

/// Section 5.1.4: the same for get.
#[test]
fn a_sign_in_needs_an_origin_too() {
    let mut opaque = Page::new(&Profile::new(), "data:text/plain,");
    let opaque = get_fails(&mut opaque, request());
    // A data URL is no secure context either, but that its origin is opaque comes first.
    assert_eq!(opaque, failure("NotAllowedError", Cause::OpaqueOrigin));
    let mut address = Page::new(&Profile::new(), "https://[2001:db8::1]");
    let expected = failure("SecurityError", Cause::NotADomain);
    assert_eq!(get_fails(&mut address, request()), expected);
    let other = RequestOptions { rp_id: Some(String::new()), ..request() };
    let expected = failure("SecurityError", Cause::RpIdMismatch);
    assert_eq!(get_fails(&mut page(), other), expected);
}

/// Conditional create: consent and a recent sign-in, both.
#[test]
fn a_conditional_create_needs_consent_and_a_recent_sign_in() {
    let conditional =
        || CredentialCreationOptions { mediation: Mediation::Conditional, ..creation().into() };
    let mut page = page();
    let refused = failure("NotAllowedError", Cause::NoCreationConsent);
    assert_eq!(create_fails(&mut page, conditional()), refused);
    page.profile().set(|settings| settings.creation_consent = true);
    assert_eq!(create_fails(&mut page, conditional()), refused);
    page.profile().note_sign_in(ORIGIN, NOW);
    assert_eq!(outcome(create(&mut page, conditional())), None);
    let late = NOW + std::time::Duration::from_secs(301);
    let mut request = page.credentials().create(late, conditional(), entropy());
    let Some(Output::Settled(Err(rejection))) = request.poll_output(late) else {
        panic!("the sign-in is long ago");
    };
    assert_eq!(rejection.cause, Cause::NoCreationConsent);
}

/// A conditional get waits without end: giving up does not settle it, aborting does.
#[test]
fn a_conditional_get_waits_until_it_is_aborted() {
    let controller = AbortController::new();
    let options = CredentialRequestOptions {
        mediation: Mediation::Conditional,
        signal: Some(controller.signal()),
        ..request().into()
    };
    let mut request = get(&mut page(), options);
    assert_eq!(request.poll_timeout(), None);
    request.no_more_keys(NOW);
    request.give_up(NOW);
    assert!(request.is_stalled());
    controller.abort();
    let expected = (DomException::AbortError, Cause::Aborted(AbortReason::Abort));
    assert_eq!(outcome(request), Some(Err(expected)));
}

/// Step 13: a client that no key can reach ends at once.
#[test]
fn without_keys_nothing_is_allowed() {
    let mut request = create(&mut page(), creation());
    request.no_more_keys(NOW);
    assert_eq!(outcome(request), Some(Err((DomException::NotAllowedError, Cause::NoKey))));
}

#[test]
fn a_signal_with_a_time_aborts_by_itself() {
    let at = NOW + std::time::Duration::from_secs(2);
    let options =
        CredentialRequestOptions { signal: Some(AbortSignal::timeout(at)), ..request().into() };
    let mut request = get(&mut page(), options);
    assert_eq!(request.poll_timeout(), Some(at));
    request.handle_timeout(at);
    let expected = (DomException::TimeoutError, Cause::Aborted(AbortReason::Timeout));
    assert_eq!(outcome(request), Some(Err(expected)));
}
