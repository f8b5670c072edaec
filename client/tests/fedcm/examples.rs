//! The examples of the reference pages with `identity`, as JSON and in Rust.

use serde_json::{Value, json};
use softkey_client::call::Mediation;
use softkey_client::fedcm::options::{Context, Mode};
use softkey_client::fedcm::{
    DisconnectOptions, IdentityOptions, LoginStatus, ProviderRequest, Token, UserInfo,
    UserInfoOptions,
};
use softkey_client::headless::settle;
use softkey_client::{
    AbortController, AbortReason, Answer, Cause, Credential, CredentialRequestOptions,
    DomException, Entropy, Feature, Frame, Page, Profile, Question, Rejection,
};
use softkey_ctap::Secret;

use crate::world::*;

fn in_rust(world: &mut World, options: CredentialRequestOptions) -> Outcome {
    let promise = try_in_rust(world, options);
    let seen = promise.map(|credential| credential.map(|credential| credential.to_json()));
    seen.map_err(|rejection| (rejection.exception, rejection.cause))
}

fn try_in_rust(
    world: &mut World,
    options: CredentialRequestOptions,
) -> Result<Option<Credential>, Rejection> {
    let entropy = Entropy::from_seed(&Secret::new([7; 32]));
    let now = world.now;
    let request = world.page.credentials().get(now, options, entropy);
    settle(request, world).promise.expect("a promise that is settled")
}

fn provider() -> ProviderRequest {
    ProviderRequest { config_url: CONFIG.into(), client_id: "client".into(), ..Default::default() }
}

fn options(provider: ProviderRequest) -> CredentialRequestOptions {
    let identity = IdentityOptions { providers: vec![provider], ..Default::default() };
    CredentialRequestOptions { identity: Some(identity), ..Default::default() }
}

/// `navigator.credentials.get({identity: {providers: [{configURL, clientId, nonce, params}]}})`, then `.token`
#[test]
fn sign_in_with_a_nonce() {
    let params = json!({"scope": "calendar"});
    let mut world = World::new();
    let from_json = world.get(&with(&json!({"nonce": "******", "params": params})));
    let form = world.form();
    assert!(form.contains("&nonce=******&"), "{form}");
    assert!(form.contains("&params=%7B%22scope%22%3A%22calendar%22%7D"), "{form}");
    let mut world = World::new();
    let nonce = Some("******".into());
    let provider = ProviderRequest { nonce, params: Some(params), ..provider() };
    let from_rust = in_rust(&mut world, options(provider));
    assert_eq!((from_json, form), (from_rust.clone(), world.form()));
    assert_eq!(token(from_rust), "a token");
}

/// `{identity: {context: "signup", providers: [{configURL, clientId, nonce, loginHint}]}}`
#[test]
fn sign_up_with_a_login_hint() {
    let world = || {
        let mut world = World::new();
        world.accounts(&[json!({"id": "2", "name": "Bob"}), ada()]);
        world
    };
    let offered = |world: &World| {
        let Question::Account(dialog) = &world.asked[0] else { panic!("{:?}", world.asked) };
        assert_eq!(dialog.choices.len(), 1, "the hint leaves one");
        dialog.context
    };
    let mut one = world();
    let mut asked = with(&json!({"nonce": "******", "loginHint": "ada"}));
    asked["identity"]["context"] = json!("signup");
    let from_json = one.get(&asked);
    let form = one.form();
    assert!(form.contains("&account_id=1&") && form.contains("&nonce=******&"), "{form}");
    assert_eq!(offered(&one), Context::SignUp);

    let provider =
        ProviderRequest { nonce: Some("******".into()), login_hint: "ada".into(), ..provider() };
    let identity = IdentityOptions {
        context: Context::SignUp,
        providers: vec![provider],
        mode: Mode::Passive,
    };
    let options = CredentialRequestOptions { identity: Some(identity), ..Default::default() };
    let mut other = world();
    assert_eq!(in_rust(&mut other, options), from_json);
    assert_eq!((other.form(), offered(&other)), (form, Context::SignUp));
    assert_eq!(token(from_json), "a token");
}

/// `catch (e) { e.error, e.url }`: the Error API, with the provider's member of either name.
#[test]
fn the_error_of_a_provider() {
    for member in ["error", "code"] {
        let mut world = World::new();
        let refusal = json!({"error": {member: "access_denied", "url": "/why?code=42"}});
        world.route(ASSERT, cors(401, &refusal));
        let from_json = world.try_get(&identity()).unwrap_err();
        let in_rust = try_in_rust(&mut world, options(provider())).unwrap_err();
        assert_eq!(in_rust, from_json);
        let error = in_rust.identity_error().unwrap();
        assert_eq!((error.name, error.message), ("IdentityCredentialError", error.name));
        let url = "https://login.idp.example/why?code=42";
        assert_eq!((error.error, error.url), ("access_denied", url));
    }
}

/// `get({identity: {...}, mediation: "optional"})`, then `.isAutoSelected`: a person who was here once is not asked again.
#[test]
fn sign_in_again_without_asking() {
    let mut asked = identity();
    asked["mediation"] = json!("optional");
    let (mut one, mut other) = (World::new(), World::new());
    for automatic in [false, true] {
        let from_json = one.get(&asked);
        let same =
            CredentialRequestOptions { mediation: Mediation::Optional, ..options(provider()) };
        let credential = try_in_rust(&mut other, same).unwrap().unwrap();
        assert_eq!(from_json.unwrap().unwrap()["isAutoSelected"], automatic);
        let credential = credential.identity().unwrap();
        assert_eq!(credential.is_auto_selected(), automatic);
        assert_eq!(credential.token(), &Token::new(json!("a token")));
    }
    assert_eq!((one.asked.len(), other.asked.len()), (1, 1));
}

/// `{identity: {context: "signup", providers: [{configURL, clientId, params: {...}, fields: [...]}]}, mediation}`
#[test]
fn sign_up_with_params_and_fields() {
    let members = json!({"params": {"nonce": "n", "scope": "calendar"}, "fields": ["name", "tel"]});
    let mut asked = with(&members);
    asked["identity"]["context"] = json!("signup");
    asked["mediation"] = json!("required");
    let mut world = World::new();
    let from_json = world.get(&asked);
    let form = world.form();
    let mut world = World::new();
    let fields = Some(vec!["name".into(), "tel".into()]);
    let params = Some(members["params"].clone());
    let mut same = options(ProviderRequest { fields, params, ..provider() });
    same.mediation = Mediation::Required;
    same.identity.as_mut().unwrap().context = Context::SignUp;
    assert_eq!(in_rust(&mut world, same), from_json);
    assert_eq!(world.form(), form);
    assert!(form.contains("disclosure_shown_for=name%2Ctel"), "{form}");
}

/// The form with members at the wrong level: `get({providers: [...]})` and `get({configURL, clientId})`; in Rust it cannot be
/// written, and what is left of it is a call for nothing.
#[test]
fn members_of_identity_at_the_wrong_level() {
    let expected = Err((DomException::NotSupportedError, Cause::NoType));
    let provider = json!({"configURL": CONFIG, "clientId": "client"});
    for wrong in [
        json!({"providers": [provider]}),
        json!({"configURL": CONFIG, "clientId": "client"}),
        json!({"identityProviders": [provider], "mode": "active"}),
    ] {
        assert_eq!(World::new().get(&wrong), expected, "{wrong}");
    }
    assert_eq!(in_rust(&mut World::new(), CredentialRequestOptions::default()), expected);
}

/// `mediation` of each kind, then `.isAutoSelected`.
#[test]
fn each_mediation() {
    let get = |worlds: &mut [World; 2], word: &str, mediation: Mediation| {
        let [one, other] = worlds;
        let mut asked = identity();
        asked["mediation"] = json!(word);
        let from_json = one.get(&asked);
        let same = CredentialRequestOptions { mediation, ..options(provider()) };
        assert_eq!(in_rust(other, same), from_json, "{word}");
        from_json
    };
    let mut worlds = [World::new(), World::new()];
    let refused = get(&mut worlds, "silent", Mediation::Silent).unwrap_err().0;
    assert_eq!(refused, DomException::NetworkError);
    let refused = get(&mut worlds, "conditional", Mediation::Conditional).unwrap_err().0;
    assert_eq!(refused, DomException::TypeError);
    for (word, mediation, automatic) in [
        ("optional", Mediation::Optional, false),
        ("silent", Mediation::Silent, true),
        ("optional", Mediation::Optional, true),
        ("required", Mediation::Required, false),
    ] {
        let credential = get(&mut worlds, word, mediation).unwrap().unwrap();
        assert_eq!(credential["isAutoSelected"], automatic, "{word}");
    }
}

/// `signal`: aborted before, and while the dialog is open.
#[test]
fn a_signal_ends_the_dialog() {
    let mut options = identity();
    options["signal"] = json!({"aborted": true, "reason": "gone"});
    let reason = AbortReason::Value(json!("gone"));
    let expected = Err((DomException::AbortError, Cause::Aborted(reason)));
    assert_eq!(World::new().get(&options), expected);

    let controller = AbortController::new();
    let mut world = World::new();
    let aborts = controller.clone();
    world.person(move |_, _| {
        aborts.abort();
        choice(0)
    });
    let mut same = self::options(provider());
    same.signal = Some(controller.signal());
    let expected = Err((DomException::AbortError, Cause::Aborted(AbortReason::Abort)));
    assert_eq!(in_rust(&mut world, same), expected);
    assert!(!world.sent().iter().any(|line| line.contains(ASSERT)), "no token was asked for");
}

/// `IdentityCredential.disconnect({configURL, clientId, accountHint})`
#[test]
fn disconnect() {
    let text = json!({"configURL": CONFIG, "clientId": "client", "accountHint": "ada"}).to_string();
    let from_json = DisconnectOptions::from_json(&text).unwrap();
    let in_rust = DisconnectOptions {
        config_url: CONFIG.into(),
        client_id: "client".into(),
        account_hint: "ada".into(),
    };
    for options in [from_json, in_rust] {
        let mut world = World::new();
        world.connect();
        let request = world.page.disconnect_identity(options);
        assert_eq!(world.outcome(request), Ok(None::<Value>));
        assert_eq!(world.form(), "client_id=client&account_hint=ada");
        assert!(world.page.profile().connections().is_empty());
    }
}

/// `navigator.login.setStatus("logged-in")` and `("logged-out")`, on a page of the provider's.
#[test]
fn set_the_login_status() {
    let mut world = World::new();
    let provider = Page::new(world.page.profile(), IDP);
    provider.set_login_status("logged-out").unwrap();
    assert_eq!(world.get(&identity()).unwrap_err().0, DomException::NetworkError);
    assert!(world.sent().is_empty(), "who is signed out is not looked for");
    provider.set_login_status("logged-in").unwrap();
    assert_eq!(token(world.get(&identity())), "a token");
}

/// `IdentityProvider.close()`, on the page where the person signs in.
#[test]
fn close_the_login_page() {
    let mut world = World::new();
    world.page.profile().set_login_status(IDP, LoginStatus::LoggedOut);
    world.person(|question, profile| {
        let mut page = Page::new(profile, IDP);
        page.show_for(question);
        page.set_login_status("logged-in").unwrap();
        page.close_identity().unwrap_or(choice(0))
    });
    world.page.activate();
    assert_eq!(token(world.get(&active())), "a token");
    let url = format!("{IDP}/login");
    assert_eq!(world.asked[0], Question::LogIn { provider: CONFIG.into(), url });
}

/// `IdentityProvider.resolve(token)`, on the page where the person goes on.
#[test]
fn resolve_a_token() {
    let mut world = World::new();
    world.route(ASSERT, cors(200, &json!({"continue_on": "/more"})));
    world.person(|question, profile| {
        let mut page = Page::new(profile, IDP);
        page.show_for(question);
        let resolved: Result<Answer, _> = page.resolve_identity(Token::new(json!("later")), None);
        resolved.unwrap_or(choice(0))
    });
    assert_eq!(token(world.get(&identity())), "later");
}

/// `IdentityProvider.getUserInfo({configURL, clientId})`, in a frame of the provider's.
#[test]
fn get_user_info() {
    let profile = Profile::new();
    let mut world = World::of(Page::new(&profile, RP));
    world.connect();
    let own = Frame::new(IDP).allow(Feature::IdentityCredentialsGet);
    world.page = Page::framed(&profile, [Frame::new(RP)], own);
    let text = json!({"configURL": CONFIG, "clientId": "client"}).to_string();
    let from_json = UserInfoOptions::from_json(&text).unwrap();
    let in_rust = UserInfoOptions { config_url: CONFIG.into(), client_id: "client".into() };
    let ada = UserInfo {
        email: Some("ada@idp.example".into()),
        name: Some("Ada".into()),
        ..Default::default()
    };
    for options in [from_json, in_rust] {
        let (request, infos) = world.page.identity_user_info(&options);
        assert_eq!(world.outcome(request), Ok(None));
        assert_eq!(infos.take(), std::slice::from_ref(&ada));
    }
}

/// The early pages' "sign out": `navigator.credentials.preventSilentAccess()`. The next sign-in asks, `silent` fails.
#[test]
fn sign_out_of_an_account() {
    let mut world = World::new();
    world.connect();
    assert_eq!(world.get(&silent()).unwrap().unwrap()["isAutoSelected"], true);
    world.page.credentials().prevent_silent_access().unwrap();
    assert_eq!(world.get(&silent()).unwrap_err().0, DomException::NetworkError);
    assert_eq!(world.get(&identity()).unwrap().unwrap()["isAutoSelected"], false);
    assert_eq!(world.get(&silent()).unwrap().unwrap()["isAutoSelected"], true);
}

/// The early pages' "revoke": `IdentityCredential.disconnect()`. The account is a new one afterwards.
#[test]
fn revoke() {
    let mut world = World::new();
    world.connect();
    let options = DisconnectOptions {
        config_url: CONFIG.into(),
        client_id: "client".into(),
        account_hint: "1".into(),
    };
    let request = world.page.disconnect_identity(options);
    world.settle(request).unwrap();
    assert!(world.page.profile().connections().is_empty());
    assert_eq!(world.get(&silent()).unwrap_err().0, DomException::NetworkError);
    world.get(&identity()).unwrap();
    assert!(world.form().contains("disclosure_text_shown=true"), "a sign-up again");
}
