//! Signing in without asking: when it happens, what forbids it, and the throttles of browsers (fedcm.md sections 3, 4
//! and 4.2).

use std::time::Duration;

use serde_json::{Value, json};
use softkey_client::fedcm::{Connection, Failure, NotAutomatic, Unoffered};
use softkey_client::{
    Answer, Cause, CredentialCreationOptions, DomException, Entropy, Output, Page, Question,
};
use softkey_ctap::Secret;

use crate::world::*;

/// Options that create a public key without asking.
const CONDITIONAL: &str = r#"{"mediation": "conditional", "publicKey": {"rp": {"name": "RP"}, "challenge": "AA",
    "user": {"id": "AA", "name": "ada", "displayName": "Ada"},
    "pubKeyCredParams": [{"type": "public-key", "alg": -7}]}}"#;

fn connected() -> World {
    let mut world = World::new();
    world.connect();
    world
}

fn selected(outcome: Outcome) -> Value {
    outcome.unwrap().unwrap()["isAutoSelected"].clone()
}

fn unoffered(why: Unoffered) -> Outcome {
    network(Failure::NothingToOffer(vec![(CONFIG.into(), why)]))
}

#[test]
fn a_second_sign_in_asks_nobody() {
    let mut world = connected();
    assert_eq!(selected(world.get(&identity())), json!(true));
    assert!(world.asked.is_empty());
    let form = "client_id=client&account_id=1&is_auto_selected=true\
        &fields=name%2Cemail%2Cpicture";
    assert_eq!(world.form(), form);
}

/// `required` asks, `silent` does not.
#[test]
fn mediation_decides() {
    let mut world = connected();
    let mut options = identity();
    options["mediation"] = json!("required");
    assert_eq!(selected(world.get(&options)), json!(false));
    assert_eq!(world.asked.len(), 1);
    assert_eq!(selected(world.get(&silent())), json!(true));
    assert_eq!(world.asked.len(), 1);
}

/// Without a connected account `silent` sends nothing at all.
#[test]
fn silent_without_a_connection_sends_nothing() {
    let mut world = World::new();
    assert_eq!(world.get(&silent()), unoffered(Unoffered::NotConnected));
    assert_eq!(world.sent(), Vec::<String>::new());
}

/// The flag of the provider's origin is true until the user confirms a sign-in.
#[test]
fn a_connection_alone_does_not_do() {
    let mut world = World::new();
    let connection = Connection {
        embedder: RP.into(),
        relying_party: RP.into(),
        provider: IDP.into(),
        account: "1".into(),
    };
    world.page.profile().connect(connection);
    assert_eq!(world.get(&silent()), unoffered(Unoffered::MediationRequired));
    assert_eq!(world.sent(), Vec::<String>::new());
    assert_eq!(selected(world.get(&identity())), json!(false));
    assert_eq!(selected(world.get(&silent())), json!(true));
}

/// Two accounts that could be signed in are one too many.
#[test]
fn it_takes_exactly_one_account() {
    let mut world = connected();
    let bob = json!({"id": "2", "name": "Bob"});
    world.accounts(&[ada(), bob.clone()]);
    assert_eq!(selected(world.get(&identity())), json!(true), "Bob is not connected");
    let mut options = identity();
    options["mediation"] = json!("required");
    world.person(|_, _| choice(1));
    world.get(&options).unwrap();
    let several = network(Failure::NeedsUser(NotAutomatic::Eligible(2)));
    assert_eq!(world.get(&silent()), several);
    assert_eq!(selected(world.get(&identity())), json!(false));
    world.accounts(&[bob]);
    assert_eq!(selected(world.get(&silent())), json!(true));
}

/// Section 3: `approved_clients` without this client makes an account new, and with it connected, but not eligible.
#[test]
fn the_provider_knows_its_clients() {
    let account = |clients: &[&str]| {
        let mut account = ada();
        account["approved_clients"] = json!(clients);
        account
    };
    let mut world = connected();
    world.accounts(&[account(&["another"])]);
    assert_eq!(world.get(&silent()), network(Failure::NeedsUser(NotAutomatic::Eligible(0))));
    world.get(&identity()).unwrap();
    assert!(world.form().contains("disclosure_text_shown=true"), "a sign-up");

    let mut world = World::new();
    world.accounts(&[account(&["client"])]);
    assert_eq!(selected(world.get(&identity())), json!(false));
    assert!(!world.form().contains("disclosure"), "connected, says the provider");
    assert_eq!(selected(world.get(&silent())), json!(true), "and signed in here before");
}

/// Section 3: the account was not signed in with here, so it is not eligible, though the provider knows it, and another one
/// of the provider's was.
#[test]
fn what_only_the_provider_remembers_is_asked_about() {
    let mut world = connected();
    world.accounts(&[json!({"id": "2", "name": "Bob", "approved_clients": ["client"]})]);
    assert_eq!(world.get(&silent()), network(Failure::NeedsUser(NotAutomatic::Eligible(0))));
    assert_eq!(selected(world.get(&identity())), json!(false));
    assert_eq!(world.asked.len(), 1);
}

/// A provider that wants its login back stands in the way of another one's account.
#[test]
fn a_mismatch_forbids_it() {
    let mut world = connected();
    let options = world.and_another(response(401, &[], ""), "none");
    let logged_in = softkey_client::fedcm::LoginStatus::LoggedIn;
    world.page.profile().set_login_status("https://other.example", logged_in);
    assert_eq!(selected(world.get(&options)), json!(false));
    let Question::Account(dialog) = &world.asked[0] else { panic!("no dialog") };
    assert_eq!(dialog.choices.len(), 2);
}

/// The page's own sign-out: the next sign-in asks, and only one that the user confirms ends that.
#[test]
fn a_page_may_prevent_it() {
    let mut world = connected();
    world.page.credentials().prevent_silent_access().unwrap();
    assert_eq!(world.get(&silent()), unoffered(Unoffered::MediationRequired));
    world.person(|_, _| Answer::No);
    assert_eq!(world.get(&identity()), network(Failure::Dismissed));
    assert_eq!(world.get(&silent()), unoffered(Unoffered::MediationRequired));
    world.person(|_, _| choice(0));
    assert_eq!(selected(world.get(&identity())), json!(false));
    assert_eq!(selected(world.get(&silent())), json!(true));
}

/// The page signs out while its silent call is under way: it must not be signed in any more.
#[test]
fn a_sign_out_overtakes_a_silent_call() {
    let mut world = connected();
    let mut step = Stepped::new(world.begin(&silent()));
    for url in [WELL_KNOWN, CONFIG] {
        assert_eq!(step.until_sent(&world).url, url);
        step.respond(&world, world.servers.routes_for(url));
    }
    assert_eq!(step.until_sent(&world).url, ACCOUNTS);
    world.page.credentials().prevent_silent_access().unwrap();
    step.respond(&world, world.servers.routes_for(ACCOUNTS));
    let expected = network(Failure::NeedsUser(NotAutomatic::MediationRequired));
    assert_eq!(step.finish(&mut world), expected);
}

/// The same while the token is on its way. The page gets it, but nobody has decided anything: the next time asks.
#[test]
fn a_sign_out_outlasts_a_token_on_its_way() {
    for origin in [RP, IDP] {
        let mut world = connected();
        let mut step = Stepped::new(world.begin(&silent()));
        for url in [WELL_KNOWN, CONFIG, ACCOUNTS] {
            assert_eq!(step.until_sent(&world).url, url);
            step.respond(&world, world.servers.routes_for(url));
        }
        assert_eq!(step.until_sent(&world).url, ASSERT);
        let mut other = Page::new(world.page.profile(), origin);
        other.credentials().prevent_silent_access().unwrap();
        step.respond(&world, world.servers.routes_for(ASSERT));
        assert_eq!(selected(step.finish(&mut world)), json!(true));
        assert_eq!(world.get(&silent()), unoffered(Unoffered::MediationRequired), "{origin}");
    }
}

/// credential-management.md section 3, mediation values: a sign-in that the client mediated lets the page create a public key
/// conditionally; one that asked nobody does not.
#[test]
fn who_was_asked_has_just_signed_in() {
    let refusal = |world: &mut World| {
        let options = CredentialCreationOptions::from_json(CONDITIONAL).unwrap();
        let now = world.now;
        let entropy = Entropy::from_seed(&Secret::new([7; 32]));
        let mut request = world.page.credentials().create(now, options, entropy);
        match request.poll_output(now) {
            Some(Output::Settled(Err(rejection))) => Some((rejection.exception, rejection.cause)),
            _ => None,
        }
    };
    let mut world = connected();
    world.page.profile().set(|settings| settings.creation_consent = true);
    assert_eq!(refusal(&mut world), None);
    world.pass(Duration::from_secs(301));
    assert_eq!(selected(world.get(&silent())), json!(true));
    let refused = (DomException::NotAllowedError, Cause::NoCreationConsent);
    assert_eq!(refusal(&mut world), Some(refused));
    let mut options = identity();
    options["mediation"] = json!("required");
    assert_eq!(selected(world.get(&options)), json!(false));
    assert_eq!(refusal(&mut world), None);
}

/// Section 4 step 2: `silent` shows no login page, not even after a click.
#[test]
fn a_click_does_not_make_silent_loud() {
    let mut world = connected();
    let logged_out = softkey_client::fedcm::LoginStatus::LoggedOut;
    world.page.profile().set_login_status(IDP, logged_out);
    world.page.activate();
    let mut options = active();
    options["mediation"] = json!("silent");
    assert_eq!(world.get(&options), unoffered(Unoffered::LoggedOut));
    assert_eq!((world.sent(), world.asked.len()), (Vec::<String>::new(), 0));
}

/// The throttle of browsers, off by default: within ten minutes the user is asked, and `silent` fails.
#[test]
fn it_is_throttled() {
    let mut world = connected();
    assert_eq!(selected(world.get(&silent())), json!(true));
    assert_eq!(selected(world.get(&silent())), json!(true), "off by default");
    world.page.profile().set(|settings| settings.fed_cm.throttle = Some(600_000));
    world.pass(Duration::from_secs(599));
    assert_eq!(world.get(&silent()), network(Failure::NeedsUser(NotAutomatic::Throttled)));
    assert_eq!(selected(world.get(&identity())), json!(false));
    world.pass(Duration::from_secs(1));
    assert_eq!(selected(world.get(&silent())), json!(true));
    assert_eq!(world.get(&silent()), network(Failure::NeedsUser(NotAutomatic::Throttled)));
    world.page.profile().reset_cooldown();
    assert_eq!(selected(world.get(&silent())), json!(true));
}

/// Section 4.2: it is about the passive mode. Whoever clicked and closed the dialog is not left alone for that.
#[test]
fn a_dialog_after_a_click_is_not_counted() {
    let mut world = World::new();
    world.person(|_, _| Answer::No);
    world.page.profile().set(|settings| settings.fed_cm.cooldown = true);
    for _ in 0..2 {
        world.page.activate();
        assert_eq!(world.get(&active()), network(Failure::Dismissed));
    }
    assert_eq!(world.get(&identity()), network(Failure::Dismissed), "the first that counts");
    world.pass(Duration::from_hours(2));
    assert_eq!(world.get(&identity()), network(Failure::Dismissed), "after the first pause");
}

/// The cooldown of browsers, off by default: 2 hours, a day, a week, 4 weeks, 4 weeks; a sign-in begins anew.
#[test]
fn who_closes_the_dialog_is_left_alone() {
    let mut world = World::new();
    world.person(|_, _| Answer::No);
    world.page.profile().set(|settings| settings.fed_cm.cooldown = true);
    let hours = |hours: u64| Duration::from_hours(hours);
    for pause in [hours(2), hours(24), hours(7 * 24), hours(28 * 24), hours(28 * 24)] {
        assert_eq!(world.get(&identity()), network(Failure::Dismissed), "{pause:?}");
        world.sent();
        let closed = world.now;
        world.pass(pause.mul_f32(0.99));
        assert_eq!(world.get(&identity()), network(Failure::CoolingDown), "{pause:?}");
        assert_eq!(world.sent(), Vec::<String>::new(), "nothing is sent");
        world.now = closed + pause;
    }
    assert_eq!(world.get(&identity()), network(Failure::Dismissed));
    world.page.activate();
    assert_eq!(world.get(&active()), network(Failure::Dismissed), "a click is heeded");
    world.person(|_, _| choice(0));
    world.page.activate();
    assert_eq!(token(world.get(&active())), "a token");
    world.person(|_, _| Answer::No);
    let mut options = identity();
    options["mediation"] = json!("required");
    assert_eq!(world.get(&options), network(Failure::Dismissed), "the sign-in ended the pause");
    world.pass(hours(2));
    assert_eq!(world.get(&options), network(Failure::Dismissed), "and began the count anew");
    world.page.profile().reset_cooldown();
    assert_eq!(world.get(&options), network(Failure::Dismissed));
    world.page.profile().set(|settings| settings.fed_cm.cooldown = false);
    assert_eq!(world.get(&options), network(Failure::Dismissed));
}
