//! `IdentityProvider.close()` and `resolve()`, as pages of a provider call them (fedcm.md section 1.4).

use serde_json::json;
use softkey_client::fedcm::{Failure, LoginStatus, Token};
use softkey_client::{Answer, Cause, DomException, Page, Profile, Question};

use crate::world::*;

fn log_in() -> Question {
    Question::LogIn { provider: CONFIG.into(), url: format!("{IDP}/login") }
}

fn go_on() -> Question {
    Question::Continue { provider: CONFIG.into(), url: format!("{IDP}/more") }
}

/// A page of this origin in the dialog of this question.
fn shown(origin: &str, question: &Question) -> Page {
    let mut page = Page::new(&Profile::new(), origin);
    page.show_for(question);
    page
}

fn resolve(page: &Page) -> Result<Answer, (DomException, Cause)> {
    let token = Token::new(json!("t"));
    let resolved = page.resolve_identity(token, Some("2".into()));
    resolved.map_err(|rejection| (rejection.exception, rejection.cause))
}

/// Only a page of the provider's, and only one that is shown to go on at, resolves.
#[test]
fn resolve_outside_of_its_dialog_is_not_allowed() {
    let refused = Err((DomException::NotAllowedError, Cause::Identity(Failure::NoContinuation)));
    assert_eq!(resolve(&Page::new(&Profile::new(), IDP)), refused);
    assert_eq!(resolve(&shown(IDP, &log_in())), refused);
    for other in [RP, "https://idp.example", "https://login.idp.example:444", "null"] {
        assert_eq!(resolve(&shown(other, &go_on())), refused, "{other}");
    }
    let provider = CONFIG.into();
    let error = Question::ProviderError { provider, error: String::new(), url: String::new() };
    let mut page = shown(IDP, &go_on());
    let answer = Answer::Resolve { token: Token::new(json!("t")), account_id: Some("2".into()) };
    assert_eq!(resolve(&page), Ok(answer));
    page.show_for(&error);
    assert_eq!(resolve(&page), refused, "no page is shown for that");

    let mut page = shown(IDP, &go_on());
    page.set_fully_active(false);
    let inactive = Err((DomException::InvalidStateError, Cause::NotFullyActive));
    assert_eq!(resolve(&page), inactive);
    let insecure = shown("http://login.idp.example", &go_on());
    assert_eq!(resolve(&insecure), Err((DomException::SecurityError, Cause::InsecureOrigin)));
}

#[test]
fn close_ends_the_dialog_that_the_page_is_in() {
    assert_eq!(shown(IDP, &log_in()).close_identity(), Some(Answer::Yes));
    assert_eq!(shown(IDP, &go_on()).close_identity(), Some(Answer::No));
    assert_eq!(Page::new(&Profile::new(), IDP).close_identity(), None);
    assert_eq!(shown(RP, &log_in()).close_identity(), None);
}

/// A whole sign-in, in which the provider's pages call what ends them.
#[test]
fn pages_carry_a_sign_in_to_its_end() {
    let mut world = World::new();
    world.page.profile().set_login_status(IDP, LoginStatus::LoggedOut);
    world.route(ASSERT, cors(200, &json!({"continue_on": "/more"})));
    world.person(|question, profile| {
        let mut page = Page::new(profile, IDP);
        page.show_for(question);
        match question {
            Question::LogIn { .. } => {
                page.set_login_status("logged-in").unwrap();
                page.close_identity().unwrap()
            }
            Question::Continue { .. } => {
                page.resolve_identity(Token::new(json!("later")), None).unwrap()
            }
            _ => choice(0),
        }
    });
    world.page.activate();
    assert_eq!(token(world.get(&active())), "later");
    assert_eq!(world.asked.len(), 3);
}
