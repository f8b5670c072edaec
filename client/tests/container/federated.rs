//! `FederatedCredential`: credential-management.md section 6.

use serde_json::json;
use softkey_client::cause::TypeFault;
use softkey_client::federated::FederatedInit;
use softkey_client::{
    Answer, Cause, Credential, CredentialType, DomException, FederatedCredential, Profile,
};

use crate::world::*;

const IDP: &str = "https://accounts.example";

fn profile() -> Profile {
    let profile = Profile::new();
    profile.keep(&federated("ada", IDP, Some("openidconnect")));
    profile.keep(&federated("bob", "https://login.example", None));
    profile
}

fn page() -> softkey_client::Page {
    softkey_client::Page::new(&profile(), ORIGIN)
}

/// Collect: providers and protocols are filters, if they are given.
#[test]
fn providers_and_protocols_are_filters() {
    let asked = |options: serde_json::Value| {
        offered(&mut get(&mut page(), &json!({"federated": options, "mediation": "required"})))
    };
    assert_eq!(asked(json!({})), ["ada", "bob"]);
    assert_eq!(asked(json!(null)), ["ada", "bob"], "null is an empty dictionary");
    assert_eq!(asked(json!({"providers": [IDP]})), ["ada"]);
    assert_eq!(
        asked(json!({"providers": ["https://accounts.example/"]})),
        ["ada"],
        "a slash is dropped"
    );
    assert_eq!(asked(json!({"protocols": ["openidconnect"]})), ["ada"]);
    assert_eq!(asked(json!({"providers": ["https://login.example"]})), ["bob"]);
    for none in [json!({"providers": []}), json!({"protocols": ["saml"]})] {
        let outcome = settled(&mut get(&mut page(), &json!({"federated": none})));
        assert_eq!(outcome, Ok(None));
    }
}

#[test]
fn a_federated_credential_mixes_with_passwords() {
    let mut page = page();
    page.profile().keep(&password("eve", ORIGIN, "x"));
    let options = json!({"password": true, "federated": {"providers": [IDP]}});
    let mut request = get(&mut page, &options);
    assert_eq!(offered(&mut request), ["eve", "ada"]);
    let busy = settled(&mut get(&mut page, &json!({"federated": {}})));
    let cause = Cause::TypeActive(CredentialType::Federated);
    assert_eq!(busy, Err((DomException::NotAllowedError, cause)));
    request.handle_answer(NOW, chosen(1));
    let given = settled(&mut request).unwrap().unwrap();
    let expected = json!({
        "id": "ada", "type": "federated", "name": "", "iconURL": "", "provider": IDP,
        "protocol": "openidconnect",
    });
    assert_eq!(given, expected);
    page.profile().set_prevent_silent_access(ORIGIN, false);
    let silent = json!({"password": true, "federated": {}, "mediation": "silent"});
    assert_eq!(settled(&mut get(&mut page, &silent)), Ok(None), "three are too many");
}

#[test]
fn create_puts_the_callers_origin_in() {
    let init = json!({
        "id": "ada", "provider": "https://accounts.example/", "protocol": "openidconnect",
        "origin": "https://evil.example",
    });
    let made = create(&mut page(), &json!({"federated": init})).unwrap().unwrap();
    assert_eq!((&made["provider"], &made["protocol"]), (&json!(IDP), &json!("openidconnect")));
    for member in ["id", "provider"] {
        let mut init = init.clone();
        init[member] = json!("");
        let expected = Err((DomException::TypeError, Cause::Type(TypeFault::EmptyMember(member))));
        assert_eq!(create(&mut page(), &json!({"federated": init})), expected);
    }
    let mut init = init;
    init["iconURL"] = json!("nothing");
    let expected = Err((DomException::SecurityError, Cause::Type(TypeFault::IconUrl)));
    assert_eq!(create(&mut page(), &json!({"federated": init})), expected);
}

/// create step 2.
#[test]
fn create_makes_one_credential() {
    let both = json!({
        "federated": {"id": "a", "provider": IDP},
        "password": {"id": "a", "origin": ORIGIN, "password": "x"},
    });
    let expected = Err((DomException::NotSupportedError, Cause::Type(TypeFault::SeveralTypes)));
    assert_eq!(create(&mut page(), &both), expected);
    let expected = Err((DomException::NotSupportedError, Cause::NoType));
    assert_eq!(create(&mut page(), &json!({"otp": {}, "identity": {}})), expected);
}

/// Store: known ones do not change, new ones are the user's decision.
#[test]
fn there_is_no_update() {
    let mut page = page();
    let same = federated("ada", IDP, Some("saml"));
    assert_eq!(settled(&mut store(&mut page, same)), Ok(None));
    assert_eq!(page.profile().federated()[0].protocol(), Some("openidconnect"));
    let new = federated("eve", IDP, None);
    assert_eq!(answered(&mut store(&mut page, new.clone()), Answer::No), Ok(None));
    assert_eq!(page.profile().federated().len(), 2);
    assert_eq!(answered(&mut store(&mut page, new), Answer::Yes), Ok(None));
    assert_eq!(page.profile().federated().len(), 3);
    assert_eq!(page.profile().remove(CredentialType::Federated, ORIGIN, "eve"), 1);
    assert_eq!(page.profile().federated().len(), 2);
}

/// Store: the same name at another provider is another account, and both are kept.
#[test]
fn the_provider_tells_accounts_apart() {
    let mut page = page();
    let other = federated("ada", "https://login.example", None);
    assert_eq!(answered(&mut store(&mut page, other), Answer::Yes), Ok(None));
    let kept = page.profile().federated();
    let providers: Vec<_> =
        kept.iter().filter(|it| it.id() == "ada").map(FederatedCredential::provider).collect();
    assert_eq!(providers, [IDP, "https://login.example"]);
}

/// The origin of the credential is compared as browsers write it.
#[test]
fn an_origin_is_compared_as_it_is_serialized() {
    let written = FederatedInit {
        id: "ada".into(),
        name: String::new(),
        icon_url: String::new(),
        origin: "HTTPS://Account.Example.com:443/".into(),
        provider: IDP.into(),
        protocol: None,
    };
    let mut page = softkey_client::Page::new(&Profile::new(), ORIGIN);
    let credential = Credential::Federated(FederatedCredential::new(written).unwrap());
    assert_eq!(answered(&mut store(&mut page, credential), Answer::Yes), Ok(None));
    assert_eq!(page.profile().federated()[0].origin(), ORIGIN);
}

#[test]
fn a_frame_of_another_origin_has_none() {
    let mut frame = framed(&profile());
    let cause = Cause::Type(TypeFault::ForeignAncestors(CredentialType::Federated));
    let expected = Err((DomException::NotAllowedError, cause));
    assert_eq!(settled(&mut get(&mut frame, &json!({"federated": {}}))), expected);
    assert_eq!(settled(&mut store(&mut frame, federated("eve", IDP, None))), expected);
}
