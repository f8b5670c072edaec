//! `OTPCredential`: webotp.md sections 1, 2 and 4, through the container.

use std::time::Duration;

use serde_json::json;
use softkey_client::cause::TypeFault;
use softkey_client::otp::{Grade, grade};
use softkey_client::{
    AbortController, AbortReason, Answer, Cause, CredentialRequestOptions, CredentialType,
    DomException, Feature, Frame, Output, Page, Profile, Question, Request,
};

use crate::world::*;

const TEXT: &str = "Your code.\n\n@account.example.com #747723";

fn sms() -> serde_json::Value {
    json!({"otp": {"transport": ["sms"]}})
}

fn waiting(page: &mut Page) -> Request {
    let mut request = get(page, &sms());
    assert_eq!(request.poll_output(NOW), None);
    assert!(!request.is_settled() && request.is_stalled());
    request
}

#[test]
fn a_message_for_the_page_gives_its_code() {
    let mut page = page();
    let mut request = waiting(&mut page);
    page.profile().inbox().push("Nothing for programs.");
    page.profile().inbox().push("@other.example #1");
    assert_eq!(request.poll_output(NOW), None);
    page.profile().inbox().push(TEXT);
    let expected = Question::Code {
        origin: ORIGIN.into(),
        top: ORIGIN.into(),
        embedded: None,
        grade: Grade::Origin,
    };
    assert_eq!(question(&mut request), expected);
    request.handle_answer(NOW, Answer::Yes);
    let given = settled(&mut request).unwrap().unwrap();
    assert_eq!(given, json!({"id": "", "type": "otp", "code": "747723"}));
}

#[test]
fn what_came_before_the_call_is_not_considered() {
    let mut page = page();
    page.profile().inbox().push(TEXT);
    waiting(&mut page);
}

/// A code is for one call.
#[test]
fn a_message_is_consumed() {
    let profile = Profile::new();
    let (mut one, mut two) = (Page::new(&profile, ORIGIN), Page::new(&profile, ORIGIN));
    let (mut first, mut second) = (waiting(&mut one), waiting(&mut two));
    profile.inbox().push(TEXT);
    assert_eq!(answered(&mut first, Answer::Yes).map(|code| code.is_some()), Ok(true));
    assert_eq!(second.poll_output(NOW), None);
}

#[test]
fn a_user_who_says_no_rejects() {
    let mut page = page();
    let mut request = waiting(&mut page);
    page.profile().inbox().push(TEXT);
    let expected = Err((DomException::NotAllowedError, Cause::Type(TypeFault::CodeRefused)));
    assert_eq!(answered(&mut request, Answer::No), expected);
}

/// Section 4: a sibling's message is asked about with its origins.
#[test]
fn a_message_of_the_site_names_its_origin() {
    let mut page = page();
    let mut request = waiting(&mut page);
    page.profile().inbox().push("@EXAMPLE.com #1");
    let Question::Code { top, grade, .. } = question(&mut request) else { panic!("not asked") };
    assert_eq!((top.as_str(), grade), ("https://example.com", Grade::Site));
}

#[test]
fn a_frame_needs_the_policy_and_an_embedded_host() {
    let profile = Profile::new();
    let cause = Cause::PolicyRefuses(Feature::OtpCredentials);
    let expected = Err((DomException::NotAllowedError, cause));
    assert_eq!(settled(&mut get(&mut framed(&profile), &sms())), expected);
    let own = Frame::new(ORIGIN).allow(Feature::OtpCredentials);
    let mut frame = Page::framed(&profile, [Frame::new("https://shop.example")], own);
    let mut request = waiting(&mut frame);
    profile.inbox().push(TEXT);
    assert_eq!(request.poll_output(NOW), None, "the message is for a top-level page");
    profile.inbox().push("@shop.example #2 @account.example.com");
    assert_eq!(answered(&mut request, Answer::Yes).unwrap().unwrap()["code"], "2");
}

/// Section 4: each frame between is of the one origin or of the other, for the grade of an origin, or at least of one's site.
#[test]
fn a_frame_between_is_of_one_of_both() {
    let (top, embedded) = ("https://shop.example", "https://bank.example");
    let graded = |between: &str| grade(top, Some(embedded), &[top, between, embedded]);
    assert_eq!([graded(top), graded(embedded)], [Some(Grade::Origin); 2]);
    for sibling in ["https://www.shop.example", "https://www.bank.example"] {
        assert_eq!(graded(sibling), Some(Grade::Site), "{sibling}");
    }
    for stranger in ["https://evil.example", "http://shop.example", "null"] {
        assert_eq!(graded(stranger), None, "{stranger}");
    }
}

/// Section 1: at least one transport that is known.
#[test]
fn a_call_needs_a_known_transport() {
    for otp in [json!({}), json!(null), json!({"transport": []}), json!({"transport": ["pigeon"]})]
    {
        let expected = Err((DomException::NotSupportedError, Cause::Type(TypeFault::NoTransport)));
        assert_eq!(settled(&mut get(&mut page(), &json!({"otp": otp}))), expected, "{otp}");
    }
    let mixed = json!({"otp": {"transport": ["pigeon", "sms"]}});
    assert!(!get(&mut page(), &mixed).is_settled());
}

#[test]
fn mediation_is_silent_or_not_conditional() {
    let with = |mediation: &str| {
        let mut options = sms();
        options["mediation"] = json!(mediation);
        let mut page = page();
        let mut request = get(&mut page, &options);
        page.profile().inbox().push(TEXT);
        request.poll_output(NOW)
    };
    assert_eq!(with("silent"), Some(Output::Settled(Ok(None))));
    assert!(matches!(with("required"), Some(Output::Ask(_))));
    let Some(Output::Settled(Err(rejection))) = with("conditional") else { panic!("not refused") };
    assert_eq!(rejection.exception, DomException::TypeError);
    assert_eq!(rejection.cause, Cause::NotConditional(CredentialType::Otp));
}

/// Section 2 steps 1 and 2.
#[test]
fn the_caller_needs_a_domain() {
    let mut opaque = Page::new(&Profile::new(), "data:text/plain,");
    let expected = Err((DomException::NotAllowedError, Cause::OpaqueOrigin));
    assert_eq!(settled(&mut get(&mut opaque, &sms())), expected);
    let mut address = Page::new(&Profile::new(), "https://192.0.2.1");
    let expected = Err((DomException::SecurityError, Cause::NotADomain));
    assert_eq!(settled(&mut get(&mut address, &sms())), expected);
}

/// Section 2 step 6: the limit is the profile's, and off by default. It ends the prompt too.
#[test]
fn a_limit_ends_the_wait() {
    let mut page = page();
    page.profile().set(|settings| settings.otp_limit = Some(300_000));
    let end = NOW + Duration::from_mins(5);
    let expected = Err((DomException::NotAllowedError, Cause::Type(TypeFault::NoMessage)));
    let mut request = get(&mut page, &sms());
    assert_eq!(request.poll_timeout(), Some(end));
    request.handle_timeout(end);
    assert_eq!(settled(&mut request), expected);

    let mut request = get(&mut page, &sms());
    page.profile().inbox().push(TEXT);
    question(&mut request);
    request.handle_timeout(end);
    assert_eq!(request.poll_output(end), Some(Output::Withdraw));
    assert_eq!(settled(&mut request), expected);
}

/// A call with a signal, and its other end.
fn with_signal(page: &mut Page) -> (Request, AbortController) {
    let controller = AbortController::new();
    let options = CredentialRequestOptions::from_json(&sms().to_string()).unwrap();
    let options = CredentialRequestOptions { signal: Some(controller.signal()), ..options };
    let mut request = page.credentials().get(NOW, options, entropy());
    assert_eq!(request.poll_output(NOW), None);
    (request, controller)
}

/// Section 2 step 5: the page's reason ends the wait, and the page may ask again at once. A message that comes then is not
/// used up: it is for the call that waits.
#[test]
fn an_abort_ends_the_wait() {
    let own = AbortReason::Value(json!("the user typed it"));
    for reason in [AbortReason::Abort, own] {
        let mut page = page();
        let (mut request, controller) = with_signal(&mut page);
        controller.abort_with(reason.clone());
        let expected = Err((DomException::AbortError, Cause::Aborted(reason)));
        assert_eq!(settled(&mut request), expected);

        let mut again = waiting(&mut page);
        page.profile().inbox().push(TEXT);
        assert_eq!(request.poll_output(NOW), None, "the promise is settled");
        assert_eq!(answered(&mut again, Answer::Yes).unwrap().unwrap()["code"], "747723");
    }
}

/// The same with the question open: it is withdrawn, and its answer comes too late. The message was used up when it was
/// asked about; the page's next call needs another.
#[test]
fn an_abort_withdraws_the_question() {
    let mut page = page();
    let (mut request, controller) = with_signal(&mut page);
    page.profile().inbox().push(TEXT);
    question(&mut request);
    controller.abort();
    assert_eq!(request.poll_output(NOW), Some(Output::Withdraw));
    let expected = Err((DomException::AbortError, Cause::Aborted(AbortReason::Abort)));
    assert_eq!(settled(&mut request), expected);

    let mut again = waiting(&mut page);
    request.handle_answer(NOW, Answer::Yes);
    assert_eq!(request.poll_output(NOW), None, "a late answer gives no code");
    assert_eq!(again.poll_output(NOW), None, "nor is it for the next call");
    page.profile().inbox().push("@account.example.com #2");
    assert_eq!(answered(&mut again, Answer::Yes).unwrap().unwrap()["code"], "2");
}

/// An answer that comes after the abort, though the request was not looked at in between, is late too.
#[test]
fn an_answer_after_the_abort_is_late() {
    let mut page = page();
    let (mut request, controller) = with_signal(&mut page);
    page.profile().inbox().push(TEXT);
    question(&mut request);
    controller.abort();
    request.handle_answer(NOW, Answer::Yes);
    assert_eq!(request.poll_output(NOW), Some(Output::Withdraw));
    let expected = Err((DomException::AbortError, Cause::Aborted(AbortReason::Abort)));
    assert_eq!(settled(&mut request), expected);
}

/// The page of one call is told of another's abort by nothing: a second page that waits gets the message.
#[test]
fn an_abort_is_of_one_call() {
    let profile = Profile::new();
    let (mut one, mut two) = (Page::new(&profile, ORIGIN), Page::new(&profile, ORIGIN));
    let (mut first, controller) = with_signal(&mut one);
    let mut second = waiting(&mut two);
    controller.abort();
    profile.inbox().push(TEXT);
    // The message and the abort are both there when this one looks, and the abort is looked at first.
    let expected = Err((DomException::AbortError, Cause::Aborted(AbortReason::Abort)));
    assert_eq!(settled(&mut first), expected);
    assert_eq!(answered(&mut second, Answer::Yes).unwrap().unwrap()["code"], "747723");
}

#[test]
fn a_code_cannot_be_made_nor_stored() {
    let mut page = page();
    let mut request = waiting(&mut page);
    page.profile().inbox().push(TEXT);
    question(&mut request);
    request.handle_answer(NOW, Answer::Yes);
    let Some(Output::Settled(Ok(Some(code)))) = request.poll_output(NOW) else { panic!("no code") };
    assert!(!format!("{code:?}").contains("747723"));
    let expected = Err((DomException::NotSupportedError, Cause::CannotStore(CredentialType::Otp)));
    assert_eq!(settled(&mut store(&mut page, code)), expected);
}

/// A flood of messages neither grows the inbox nor hides the newest.
#[test]
fn the_inbox_is_bounded() {
    let mut page = page();
    let mut request = waiting(&mut page);
    page.profile().inbox().push(TEXT);
    for _ in 0..64 {
        page.profile().inbox().push("noise");
    }
    assert_eq!(request.poll_output(NOW), None, "the oldest was forgotten");
    page.profile().inbox().push(TEXT);
    question(&mut request);
}
