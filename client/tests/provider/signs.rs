//! Sign-ins that go well: the token holds, the provider objects to nothing, and what is remembered serves the next one.

use serde_json::{Value, json};
use softkey_client::fedcm::{DisconnectOptions, LoginStatus};
use softkey_client::{Question, Rejection};
use softkey_idp::{Expected, verify};

use crate::world::*;

fn claims(world: &World, credential: &Value, nonce: &str) -> Value {
    let expected = Expected { issuer: IDP, audience: "rp", nonce: Some(nonce), now: now() };
    let keys = world.server.provider().keys();
    verify(credential["token"].as_str().unwrap(), &keys, &expected).unwrap()
}

/// No request of the client's is refused or remarked on by the provider.
fn assert_no_objection(world: &World) {
    for entry in world.server.take_log() {
        assert!(entry.objections.is_empty(), "{entry}");
    }
}

#[test]
fn a_token_is_accepted_by_the_relying_party() {
    let mut world = World::with(&[]);
    let credential = world.get(&identity("n-1")).unwrap();
    let claims = claims(&world, &credential, "n-1");
    assert_eq!((&claims["sub"], &claims["email"]), (&json!("1"), &json!("ada@idp.example")));
    let order: Vec<_> = world.log().iter().map(|entry| entry.endpoint.to_string()).collect();
    let expected = [
        "well-known file",
        "config file",
        "accounts endpoint",
        "picture",
        "client metadata endpoint",
        "id assertion endpoint",
    ];
    assert_eq!(order, expected);
    assert_no_objection(&world);
}

/// The second time nobody is asked; after a sign-out somebody is.
#[test]
fn the_next_sign_in_is_automatic() {
    let mut world = World::with(&[]);
    world.get(&identity("a")).unwrap();
    let credential = world.get(&identity("b")).unwrap();
    assert_eq!(credential["isAutoSelected"], true);
    assert_eq!(claims(&world, &credential, "b")["is_auto_selected"], true);
    assert_eq!(world.asked.len(), 1);
    world.page.credentials().prevent_silent_access().unwrap();
    assert_eq!(world.get(&identity("c")).unwrap()["isAutoSelected"], false);
    assert_no_objection(&world);
}

/// Who is signed out there, and clicks, is led through the provider's login page.
#[test]
fn a_click_leads_through_the_login_page() {
    let mut world = World::new();
    world.page.profile().set_login_status(IDP, LoginStatus::LoggedOut);
    world.page.activate();
    let mut options = identity("n");
    options["identity"]["mode"] = json!("active");
    let credential = world.get(&options).unwrap();
    assert_eq!(claims(&world, &credential, "n")["sub"], "2");
    assert!(matches!(world.asked.as_slice(), [Question::LogIn { .. }, Question::Account(_)]));
    assert_no_objection(&world);
}

/// The provider wants the person to go on at a page of its own, which gives the token.
#[test]
fn a_sign_in_goes_on_at_the_provider() {
    let mut world = World::with(&["id-assertion:continue"]);
    let credential = world.get(&identity("n")).unwrap();
    assert_eq!(claims(&world, &credential, "n")["sub"], "1");
    let Some(Question::Continue { url, .. }) = world.asked.last() else { panic!("not continued") };
    assert!(url.starts_with("https://login.idp.example/continue?ticket="), "{url}");
    assert_eq!(world.page.profile().connections()[0].account, "1");
}

#[test]
fn a_connection_ends_at_the_provider_too() -> Result<(), Rejection> {
    let mut world = World::with(&[]);
    world.get(&identity("n"))?;
    let options = DisconnectOptions {
        config_url: CONFIG.into(),
        client_id: "rp".into(),
        account_hint: "ada@idp.example".into(),
    };
    let request = world.page.disconnect_identity(options);
    assert_eq!(world.settle(request)?, None);
    assert!(world.page.profile().connections().is_empty());
    assert_no_objection(&world);
    Ok(())
}
