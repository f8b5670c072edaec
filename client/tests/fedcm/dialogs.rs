//! What the person is asked, and what comes of each answer: accounts, logins, the provider's own page (fedcm.md
//! sections 2.5, 4 and 4.1).

use serde_json::{Value, json};
use softkey_client::fedcm::options::{Context, Mode};
use softkey_client::fedcm::{
    AccountChoice, Endpoint, Failure, Fault, LoginStatus, NotAutomatic, Token, Unoffered,
};
use softkey_client::{Answer, FetchResponse, Question};

use crate::world::*;

fn login() -> String {
    format!("{IDP}/login")
}

/// A world in which the user seems to be signed in at the provider, and is not.
fn mismatch() -> World {
    let mut world = World::new();
    world.page.profile().set_login_status(IDP, LoginStatus::LoggedIn);
    world.accounts(&[]);
    world
}

fn choices(question: &Question) -> &[AccountChoice] {
    match question {
        Question::Account(dialog) => &dialog.choices,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_dialog_says_who_asks_for_what() {
    let mut world = World::new();
    let mut options = active();
    options["identity"]["context"] = json!("signup");
    world.page.activate();
    world.get(&options).unwrap();
    let Question::Account(dialog) = &world.asked[0] else { panic!("no dialog") };
    assert_eq!((dialog.context, dialog.mode), (Context::SignUp, Mode::Active));
}

/// Closing the dialog, or naming what is not in it, fails now.
#[test]
fn a_dialog_that_is_closed() {
    for answer in [Answer::No, Answer::Yes, Answer::Never, choice(1)] {
        let mut world = World::new();
        world.person(move |_, _| answer.clone());
        assert_eq!(world.get(&identity()), network(Failure::Dismissed));
        assert!(world.page.profile().connections().is_empty());
    }
}

/// Section 4 step 2: "mismatch" offers the login; the page that closes with the user signed in leads on.
#[test]
fn who_seems_signed_in_is_offered_the_login() {
    let mut world = mismatch();
    let mut logged_in = false;
    world.person(move |question, profile| match question {
        Question::LogIn { .. } => {
            profile.set_login_status(IDP, LoginStatus::LoggedIn);
            logged_in = true;
            Answer::Yes
        }
        _ if logged_in => Answer::No,
        _ => choice(0),
    });
    let hints = with(&json!({"loginHint": "ada", "domainHint": "any"}));
    assert_eq!(world.get(&hints), network(Failure::Dismissed), "the dialog came again");
    assert_eq!(choices(&world.asked[0]), [AccountChoice::LogIn { provider: CONFIG.into() }]);
    let url = format!("{}?login_hint=ada&domain_hint=any", login());
    assert_eq!(world.asked[1], Question::LogIn { provider: CONFIG.into(), url });
    assert_eq!(choices(&world.asked[2]), choices(&world.asked[0]), "still without an account");
    assert_eq!(world.page.profile().login_status(IDP), LoginStatus::LoggedOut);
}

/// The same, and the provider has the account then: only the sign-in to the provider was missing.
#[test]
fn a_login_leads_to_the_account() {
    let mut world = World::new();
    world.page.profile().set_login_status(IDP, LoginStatus::LoggedIn);
    let options = with(&json!({"loginHint": "ada"}));
    // Without a cookie this provider has nobody.
    world.accounts(&[json!({"id": "0", "name": "Nobody"})]);
    let request = world.begin(&options);
    world.person(|question, profile| match question {
        Question::LogIn { .. } => {
            profile.set_login_status(IDP, LoginStatus::LoggedIn);
            Answer::Yes
        }
        _ => choice(0),
    });
    let mut step = Stepped::new(request);
    let asked = step.until_asked(&mut world);
    assert_eq!(choices(&asked), [AccountChoice::LogIn { provider: CONFIG.into() }]);
    assert_eq!(
        world.page.profile().login_status(IDP),
        LoginStatus::LoggedIn,
        "hints are no logout"
    );
    step.answer(&world, choice(0));
    assert!(matches!(step.until_asked(&mut world), Question::LogIn { .. }));
    world.accounts(&[ada()]);
    step.answer(&world, Answer::Yes);
    let asked = step.until_asked(&mut world);
    assert!(matches!(choices(&asked), [AccountChoice::Account { .. }]));
    step.answer(&world, choice(0));
    assert_eq!(token(step.finish(&mut world)), "a token");
}

/// Section 4.1: success only if the page closed itself and the user is signed in then.
#[test]
fn a_login_that_fails() {
    for (answer, status) in [
        (Answer::No, LoginStatus::LoggedIn),
        (Answer::Yes, LoginStatus::LoggedOut),
        (Answer::Yes, LoginStatus::Unknown),
    ] {
        let mut world = mismatch();
        world.person(move |question, profile| match question {
            Question::LogIn { .. } => {
                profile.set_login_status(IDP, status);
                answer.clone()
            }
            _ => choice(0),
        });
        assert_eq!(world.get(&identity()), network(Failure::NotSignedIn));
    }
}

/// Section 4 step 2: who is signed out is shown the login at once if they clicked, and passed over if not.
#[test]
fn a_click_leads_to_the_login() {
    let signed_out = || {
        let mut world = World::new();
        world.page.profile().set_login_status(IDP, LoginStatus::LoggedOut);
        world.page.activate();
        world
    };
    let mut world = signed_out();
    let why = Failure::NothingToOffer(vec![(CONFIG.into(), Unoffered::LoggedOut)]);
    assert_eq!(world.get(&identity()), network(why));
    assert!(world.asked.is_empty());

    let mut world = signed_out();
    world.person(|question, profile| match question {
        Question::LogIn { url, .. } => {
            // What a browser does with the provider's login page.
            let page = response(200, &[("Set-Login", "logged-in; a=1")], "");
            profile.navigated(softkey_ctap::Instant::default(), url, &page);
            Answer::Yes
        }
        _ => choice(0),
    });
    assert_eq!(token(world.get(&active())), "a token");
    assert_eq!(world.asked[0], Question::LogIn { provider: CONFIG.into(), url: login() });

    let mut world = signed_out();
    world.person(|_, _| Answer::No);
    assert_eq!(world.get(&active()), network(Failure::NotSignedIn));

    let mut world = signed_out();
    world.route(CONFIG, response(404, &[], ""));
    let fault = Fault::Status(404);
    let failure = Failure::Answer(Endpoint::Config, fault);
    assert_eq!(world.get(&active()), network(failure), "and at once, if there is no login page");
}

/// Section 4 step 2: who signed in after a click counts as signed in. Without an account they are offered the login again.
#[test]
fn a_login_after_a_click_may_lead_to_nobody() {
    let mut world = World::new();
    world.page.profile().set_login_status(IDP, LoginStatus::LoggedOut);
    world.page.activate();
    world.accounts(&[]);
    world.person(|question, profile| match question {
        Question::LogIn { .. } => {
            profile.set_login_status(IDP, LoginStatus::LoggedIn);
            Answer::Yes
        }
        _ => Answer::No,
    });
    assert_eq!(world.get(&active()), network(Failure::Dismissed));
    let [Question::LogIn { .. }, dialog] = world.asked.as_slice() else {
        panic!("{:?}", world.asked)
    };
    assert_eq!(choices(dialog), [AccountChoice::LogIn { provider: CONFIG.into() }]);
}

/// Section 4 step 5: another account, in the active mode and where the provider has it.
#[test]
fn another_account_can_be_used() {
    let offered = |options: &Value, supported: bool| {
        let mut world = World::new();
        world.config("supports_use_other_account", json!(supported));
        world.page.activate();
        world.get(options).unwrap();
        choices(&world.asked[0]).len()
    };
    assert_eq!(offered(&active(), true), 2);
    assert_eq!(offered(&active(), false), 1);
    assert_eq!(offered(&identity(), true), 1);

    let mut world = World::new();
    world.config("supports_use_other_account", json!(true));
    world.page.activate();
    let mut step = Stepped::new(world.begin(&active()));
    step.until_asked(&mut world);
    step.answer(&world, choice(1));
    assert!(matches!(step.until_asked(&mut world), Question::LogIn { .. }));
    world.accounts(&[ada(), json!({"id": "2", "name": "Bob"})]);
    step.answer(&world, Answer::Yes);
    assert_eq!(choices(&step.until_asked(&mut world)).len(), 3);
    step.answer(&world, choice(1));
    assert_eq!(token(step.finish(&mut world)), "a token");
    assert!(world.form().contains("account_id=2"));
}

/// A script that signs in to the provider again and again comes to an end.
#[test]
fn a_person_who_only_logs_in_gets_nowhere() {
    let mut world = mismatch();
    let mut logins = 0;
    world.person(move |question, profile| match question {
        Question::LogIn { .. } => {
            logins += 1;
            assert!(logins < 1000, "no end");
            profile.set_login_status(IDP, LoginStatus::LoggedIn);
            Answer::Yes
        }
        _ => choice(0),
    });
    assert_eq!(world.get(&identity()), network(Failure::Logins(32)));
    let logins = world.asked.iter().filter(|asked| matches!(asked, Question::LogIn { .. }));
    assert_eq!(logins.count(), 32);
    assert!(world.page.profile().connections().is_empty());
}

fn continued() -> FetchResponse {
    cors(200, &json!({"continue_on": "/more"}))
}

/// Section 2.5: the provider's page ends the sign-in, maybe with another account.
#[test]
fn a_sign_in_goes_on_at_the_provider() {
    for (account_id, connected) in [(None, "1"), (Some("2".to_owned()), "2")] {
        let mut world = World::new();
        world.route(ASSERT, continued());
        world.person(move |question, _| match question {
            Question::Continue { .. } => Answer::Resolve {
                token: Token::new(json!("later")),
                account_id: account_id.clone(),
            },
            _ => choice(0),
        });
        assert_eq!(token(world.get(&identity())), "later");
        let expected = Question::Continue { provider: CONFIG.into(), url: format!("{IDP}/more") };
        assert_eq!(world.asked.last(), Some(&expected));
        assert_eq!(world.page.profile().connections()[0].account, connected);
    }
}

/// `close()` and the user closing the page are failures; nothing is remembered.
#[test]
fn a_provider_page_that_closes() {
    for answer in [Answer::No, Answer::Yes, choice(0)] {
        let mut world = World::new();
        world.route(ASSERT, continued());
        world.person(move |question, _| match question {
            Question::Continue { .. } => answer.clone(),
            _ => choice(0),
        });
        assert_eq!(world.get(&identity()), network(Failure::NotContinued));
        assert!(world.page.profile().connections().is_empty());
    }
}

/// `resolve()` where there is no such page open resolves nothing.
#[test]
fn a_token_out_of_turn_is_nothing() {
    let mut world = World::new();
    world.person(|_, _| Answer::Resolve { token: Token::new(json!("forged")), account_id: None });
    assert_eq!(world.get(&identity()), network(Failure::Dismissed));
}

/// Section 4: `silent` asks nobody, whatever the login status says.
#[test]
fn silent_asks_nobody() {
    let mut world = mismatch();
    world.page.profile().connect(softkey_client::fedcm::Connection {
        embedder: RP.into(),
        relying_party: RP.into(),
        provider: IDP.into(),
        account: "1".into(),
    });
    world.page.profile().set_prevent_silent_access(IDP, false);
    let why = Failure::NothingToOffer(vec![(CONFIG.into(), Unoffered::LoggedOut)]);
    assert_eq!(world.get(&silent()), network(why));
    world.accounts(&[json!({"id": "2", "name": "Bob"})]);
    world.page.profile().set_login_status(IDP, LoginStatus::LoggedIn);
    let why = Failure::NeedsUser(NotAutomatic::Eligible(0));
    assert_eq!(world.get(&silent()), network(why));
    assert!(world.asked.is_empty());
}

/// Section 2.2: an endpoint of another origin is none. The sign-in goes on without links, and the well-known file has to
/// name its endpoints all the same.
#[test]
fn foreign_client_metadata_are_not_asked_for() {
    let foreign = json!("https://elsewhere.example/metadata");
    let mut world = World::new();
    world.config("client_metadata_endpoint", foreign.clone());
    assert_eq!(token(world.get(&identity())), "a token");
    assert!(world.sent().iter().all(|line| !line.contains("metadata")), "nobody was asked");
    let Some(Question::Account(dialog)) = world.asked.first() else { panic!("{:?}", world.asked) };
    let AccountChoice::Account { disclosure: Some(said), .. } = &dialog.choices[0] else {
        panic!("{dialog:?}")
    };
    assert_eq!((&said.privacy_policy_url, &said.terms_of_service_url), (&None, &None));

    let mut world = World::new();
    world.config("client_metadata_endpoint", foreign);
    world.route(WELL_KNOWN, json_response(&json!({"provider_urls": [CONFIG]})));
    let why = Unoffered::Answer(Endpoint::Config, Fault::WellKnownTooShort);
    let nothing = Failure::NothingToOffer(vec![(CONFIG.into(), why)]);
    assert_eq!(world.get(&identity()), network(nothing));
}
