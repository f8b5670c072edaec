//! The examples of the reference pages with `identity`, as JSON and in Rust.

use serde_json::{Value, json};
use softkey_client::call::Mediation;
use softkey_client::fedcm::{DisconnectOptions, IdentityOptions, ProviderRequest};
use softkey_client::{
    AbortController, AbortReason, Cause, CredentialRequestOptions, DomException, Entropy,
};
use softkey_ctap::Secret;

use crate::world::*;

fn in_rust(world: &mut World, options: CredentialRequestOptions) -> Outcome {
    let entropy = Entropy::from_seed(&Secret::new([7; 32]));
    let now = world.now;
    let request = world.page.credentials().get(now, options, entropy);
    world.outcome(request)
}

fn provider() -> ProviderRequest {
    ProviderRequest { config_url: CONFIG.into(), client_id: "client".into(), ..Default::default() }
}

fn options(provider: ProviderRequest) -> CredentialRequestOptions {
    let identity = IdentityOptions { providers: vec![provider], ..Default::default() };
    CredentialRequestOptions { identity: Some(identity), ..Default::default() }
}

/// `navigator.credentials.get({identity: {providers: [{configURL, clientId, nonce}]}})`, then `.token`
#[test]
fn sign_in_with_a_nonce() {
    let mut world = World::new();
    let from_json = world.get(&with(&json!({"nonce": "******"})));
    let form = world.form();
    assert!(form.contains("&nonce=******&"), "{form}");
    let mut world = World::new();
    let from_rust = in_rust(
        &mut world,
        options(ProviderRequest { nonce: Some("******".into()), ..provider() }),
    );
    assert_eq!((from_json, form), (from_rust.clone(), world.form()));
    assert_eq!(token(from_rust), "a token");
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
    assert_eq!(in_rust(&mut world, same), from_json);
    assert_eq!(world.form(), form);
    assert!(form.contains("disclosure_shown_for=name%2Ctel"), "{form}");
}

/// The form with members at the wrong level: `get({providers: [...]})` and `get({configURL, clientId})`.
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
}

/// `mediation` of each kind.
#[test]
fn each_mediation() {
    let get = |world: &mut World, mediation: &str| {
        let mut options = identity();
        options["mediation"] = json!(mediation);
        world.get(&options)
    };
    let mut world = World::new();
    assert_eq!(get(&mut world, "silent").unwrap_err().0, DomException::NetworkError);
    assert_eq!(get(&mut world, "conditional").unwrap_err().0, DomException::TypeError);
    for (mediation, automatic) in [("optional", false), ("silent", true), ("optional", true)] {
        let credential = get(&mut world, mediation).unwrap().unwrap();
        assert_eq!(credential["isAutoSelected"], automatic, "{mediation}");
    }
    assert_eq!(get(&mut world, "required").unwrap().unwrap()["isAutoSelected"], false);
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
    let mut world = World::new();
    world.connect();
    let text = json!({"configURL": CONFIG, "clientId": "client", "accountHint": "ada"}).to_string();
    let options = DisconnectOptions::from_json(&text).unwrap();
    let request = world.page.disconnect_identity(options);
    assert_eq!(world.outcome(request), Ok(None::<Value>));
    assert_eq!(world.form(), "client_id=client&account_hint=ada");
}

/// The early pages' "sign out": `navigator.credentials.preventSilentAccess()`. The next sign-in asks, `silent` fails.
#[test]
fn sign_out() {
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
