//! `related-origins.json`: a page that uses the identifier of another origin's relying party (WebAuthn Level 3
//! section 5.11), through the container.

use serde_json::{Value, json};
use softkey_client::cause::Cause;
use softkey_client::related::{Fetched, MAX_DOCUMENT, RelatedFault};
use softkey_client::{
    CredentialRequestOptions, DomException, Entropy, KeyId, Output, Page, Profile, Reach, Request,
};
use softkey_ctap::{Instant, Secret};

use crate::vectors::{cases, parse};

const NOW: Instant = Instant::from_millis(0);
const URL: &str = "https://relying.party.example/.well-known/webauthn";
const KEY: KeyId = KeyId(0);

pub(crate) fn file() -> Value {
    parse(include_str!("../../../tests/vectors/related-origins.json"))
}

/// A page of this origin asks for credentials of `relying.party.example`; a key is there already.
fn request(origin: &str, extra: &Value) -> Request {
    let mut public_key = json!({"challenge": "", "rpId": "relying.party.example"});
    for (member, value) in extra.as_object().unwrap() {
        public_key[member] = value.clone();
    }
    let options = json!({ "publicKey": public_key }).to_string();
    let options = CredentialRequestOptions::from_json(&options).unwrap();
    let mut page = Page::new(&Profile::new(), origin);
    let entropy = Entropy::from_seed(&Secret::new([1; 32]));
    let mut request = page.credentials().get(NOW, options, entropy);
    request.add_key(NOW, KEY, Reach { ctap2: true, u2f: false });
    request.no_more_keys(NOW);
    request
}

fn document(origins: &Value) -> Fetched {
    Fetched {
        status: 200,
        content_type: String::from("application/json"),
        location: None,
        body: json!({ "origins": origins }).to_string().into_bytes(),
    }
}

/// What became of the request once this was fetched: nothing if its key is asked.
fn judged(mut request: Request, fetched: Option<&Fetched>) -> Option<Cause> {
    let fetch = Output::Fetch { url: URL.to_owned() };
    assert_eq!(request.poll_output(NOW), Some(fetch));
    assert_eq!(request.poll_output(NOW), None, "the key waits");
    request.handle_fetched(NOW, fetched);
    end(&mut request)
}

fn end(request: &mut Request) -> Option<Cause> {
    match request.poll_output(NOW) {
        Some(Output::Needs { key: KEY, .. }) => None,
        Some(Output::Settled(Err(rejection))) => {
            assert_eq!(rejection.exception, DomException::SecurityError);
            Some(rejection.cause)
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) fn check(case: &Value) {
    let request = request(case["caller_origin"].as_str().unwrap(), &json!({}));
    let result = judged(request, Some(&document(&case["origins"])));
    let refused = Some(Cause::RelatedOrigins(RelatedFault::NotListed));
    assert_eq!(result, if case["result"] == true { None } else { refused }, "{case}");
}

cases! { file, check:
    a_listed_origin = 0,
    the_fourth_label = 1,
    an_origin_that_is_not_listed = 2,
    a_subdomain_of_a_listed_origin = 3,
    another_port = 4,
    port_and_path_that_do_not_matter = 5,
    the_sixth_label_is_passed_over = 6,
    a_label_that_was_seen_counts_behind_the_limit = 7,
    the_fifth_label = 8,
    entries_that_are_of_no_use_are_passed_over = 9,
    an_empty_list = 10,
}

/// The answer that a case of `document_errors` describes, otherwise in order; and what the file expects.
fn document_error(number: usize) -> (Option<Cause>, String) {
    let error = &file()["document_errors"][number];
    let mut fetched = document(&json!(["https://page.example"]));
    if let Some(body) = error["body"].as_str() {
        fetched.body = body.as_bytes().to_vec();
    }
    if let Some(content_type) = error["content_type"].as_str() {
        content_type.clone_into(&mut fetched.content_type);
    }
    if let Some(status) = error["status"].as_u64() {
        fetched.status = u16::try_from(status).unwrap();
    }
    if let Some(scheme) = error["redirect_to"].as_str() {
        fetched.status = 302;
        fetched.location = Some(format!("{scheme}relying.party.example/elsewhere"));
    }
    let cause = judged(request("https://page.example", &json!({})), Some(&fetched));
    (cause, error["expect"].as_str().unwrap().to_owned())
}

fn refused(number: usize, fault: RelatedFault) {
    let (cause, expected) = document_error(number);
    assert_eq!(expected, "SecurityError");
    assert_eq!(cause, Some(Cause::RelatedOrigins(fault)));
}

#[test]
fn an_array_is_no_document() {
    refused(0, RelatedFault::NoList);
}

#[test]
fn a_document_without_origins() {
    refused(1, RelatedFault::NoList);
}

#[test]
fn origins_that_are_no_array() {
    refused(2, RelatedFault::NoList);
}

#[test]
fn origins_that_are_not_all_strings() {
    refused(3, RelatedFault::NoList);
}

#[test]
fn another_media_type() {
    refused(4, RelatedFault::MediaType);
}

#[test]
fn parameters_of_the_media_type_do_not_matter() {
    assert_eq!(document_error(5), (None, String::from("ok")));
}

#[test]
fn another_status() {
    refused(6, RelatedFault::Status(404));
}

#[test]
fn a_redirect_away_from_https() {
    refused(7, RelatedFault::Redirect);
    assert_eq!(file()["document_errors"].as_array().unwrap().len(), 8, "every case has a test");
}

#[test]
fn a_network_that_is_down() {
    let cause = judged(request("https://page.example", &json!({})), None);
    assert_eq!(cause, Some(Cause::RelatedOrigins(RelatedFault::NotFetched)));
}

#[test]
fn a_document_that_is_too_long() {
    let mut fetched = document(&json!(["https://page.example"]));
    fetched.body.resize(MAX_DOCUMENT + 1, b' ');
    let cause = judged(request("https://page.example", &json!({})), Some(&fetched));
    assert_eq!(cause, Some(Cause::RelatedOrigins(RelatedFault::TooLong)));
    fetched.body.truncate(MAX_DOCUMENT);
    assert_eq!(judged(request("https://page.example", &json!({})), Some(&fetched)), None);
}

/// Redirects are followed five times; the sixth is too many.
#[test]
fn redirects_within_https_are_followed() {
    let mut request = request("https://page.example", &json!({}));
    request.poll_output(NOW);
    for hop in 1..=5 {
        let location = Some(format!("/hop/{hop}"));
        let hop_to = Fetched { status: 301, location, ..document(&json!([])) };
        request.handle_fetched(NOW, Some(&hop_to));
        let url = format!("https://relying.party.example/hop/{hop}");
        assert_eq!(request.poll_output(NOW), Some(Output::Fetch { url }));
    }
    let location = Some(String::from("https://elsewhere.example/"));
    let again = Fetched { status: 307, location, ..document(&json!([])) };
    request.handle_fetched(NOW, Some(&again));
    let cause = Some(Cause::RelatedOrigins(RelatedFault::TooManyRedirects));
    assert_eq!(end(&mut request), cause);
}

/// An identifier that is no domain has no list.
#[test]
fn what_is_no_domain_is_not_looked_up() {
    for rp_id in ["", "relying.party.example:443", "192.0.2.1"] {
        let mut request = request("https://page.example", &json!({"rpId": rp_id}));
        assert_eq!(end(&mut request), Some(Cause::RpIdMismatch), "{rp_id}");
    }
}
