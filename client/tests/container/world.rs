//! A page, a person who answers, and a clock that is set.

use serde_json::Value;
use softkey_client::federated::{FederatedCredential, FederatedInit};
use softkey_client::password::PasswordData;
use softkey_client::{
    Answer, Cause, Credential, CredentialCreationOptions, CredentialRequestOptions, DomException,
    Entropy, Frame, Output, Page, PasswordCredential, Profile, Question, Request, SecretText,
};
use softkey_ctap::{Instant, Secret};

pub(crate) const NOW: Instant = Instant::from_millis(1000);
pub(crate) const ORIGIN: &str = "https://account.example.com";

/// How a call ended: the credential as a page sees it, or the exception and its cause.
pub(crate) type Outcome = Result<Option<Value>, (DomException, Cause)>;

pub(crate) fn page() -> Page {
    Page::new(&Profile::new(), ORIGIN)
}

/// A page of [`ORIGIN`] in a frame of another site.
pub(crate) fn framed(profile: &Profile) -> Page {
    Page::framed(profile, [Frame::new("https://shop.example")], Frame::new(ORIGIN))
}

pub(crate) fn entropy() -> Entropy {
    Entropy::from_seed(&Secret::new([7; 32]))
}

pub(crate) fn password(id: &str, origin: &str, password: &str) -> Credential {
    let data = PasswordData {
        id: id.into(),
        name: String::new(),
        icon_url: String::new(),
        origin: origin.into(),
        password: SecretText::new(password),
    };
    Credential::Password(PasswordCredential::new(data).unwrap())
}

pub(crate) fn federated(id: &str, provider: &str, protocol: Option<&str>) -> Credential {
    let init = FederatedInit {
        id: id.into(),
        name: String::new(),
        icon_url: String::new(),
        origin: ORIGIN.into(),
        provider: provider.into(),
        protocol: protocol.map(Into::into),
    };
    Credential::Federated(FederatedCredential::new(init).unwrap())
}

pub(crate) fn get(page: &mut Page, options: &Value) -> Request {
    let options = CredentialRequestOptions::from_json(&options.to_string()).unwrap();
    page.credentials().get(NOW, options, entropy())
}

pub(crate) fn create(page: &mut Page, options: &Value) -> Outcome {
    let options = CredentialCreationOptions::from_json(&options.to_string()).unwrap();
    settled(&mut page.credentials().create(NOW, options, entropy()))
}

pub(crate) fn store(page: &mut Page, credential: Credential) -> Request {
    page.credentials().store(credential)
}

/// The outcome of a request that must be settled by now.
pub(crate) fn settled(request: &mut Request) -> Outcome {
    match request.poll_output(NOW) {
        Some(Output::Settled(result)) => {
            assert!(request.is_finished());
            assert_eq!(request.poll_output(NOW), None, "settled once");
            result
                .map(|credential| credential.map(|credential| credential.to_json()))
                .map_err(|rejection| (rejection.exception, rejection.cause))
        }
        other => panic!("{other:?} instead of a settled promise"),
    }
}

/// The question that a request must ask now.
pub(crate) fn question(request: &mut Request) -> Question {
    match request.poll_output(NOW) {
        Some(Output::Ask(question)) => question,
        other => panic!("{other:?} instead of a question"),
    }
}

/// The accounts that are offered.
pub(crate) fn offered(request: &mut Request) -> Vec<String> {
    match question(request) {
        Question::Choose { choices, .. } => choices.into_iter().map(|choice| choice.id).collect(),
        other => panic!("{other:?} instead of a choice"),
    }
}

pub(crate) fn chosen(index: usize) -> Answer {
    Answer::Choice { index, stay_signed_in: false }
}

/// Has the request ask and gives the answer.
pub(crate) fn answered(request: &mut Request, answer: Answer) -> Outcome {
    question(request);
    request.handle_answer(NOW, answer);
    settled(request)
}

pub(crate) fn ids(outcome: Outcome) -> Option<String> {
    outcome.unwrap().map(|credential| credential["id"].as_str().unwrap().to_owned())
}
