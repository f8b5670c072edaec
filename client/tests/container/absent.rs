//! Each type can be missing, as an interface is missing from an older browser: a site's way without it.

use serde_json::{Value, json};
use softkey_client::cause::TypeFault;
use softkey_client::{Cause, CredentialType, DomException, Page, Profile};

use crate::world::{ORIGIN, create, federated, get, offered, page, password, settled, store};

/// A page of a profile without this type.
fn without(kind: CredentialType) -> Page {
    let profile = Profile::new();
    profile.set(|settings| settings.absent = [kind].into());
    Page::new(&profile, ORIGIN)
}

/// What asks for it in get, and in create if it can be created.
fn asking(kind: CredentialType) -> (Value, Option<Value>) {
    let idp = "https://idp.example";
    let provider = json!({"configURL": "https://idp.example/fedcm.json", "clientId": "1"});
    match kind {
        CredentialType::Password => {
            (json!(true), Some(json!({"id": "ada", "origin": ORIGIN, "password": "x"})))
        }
        CredentialType::Federated => {
            (json!({"providers": [idp]}), Some(json!({"id": "ada", "provider": idp})))
        }
        CredentialType::Identity => (json!({"providers": [provider]}), None),
        CredentialType::Otp => (json!({"transport": ["sms"]}), None),
        CredentialType::PublicKey => {
            let user = json!({"id": "AQ", "name": "ada", "displayName": ""});
            let options =
                json!({"rp": {"name": ""}, "user": user, "challenge": "", "pubKeyCredParams": []});
            (json!({"challenge": ""}), Some(options))
        }
    }
}

/// Credential Management, get step 3 and create step 2: `NotSupportedError` in every call for it; with the type there it
/// is not that.
#[test]
fn each_type_can_be_absent() {
    let expected = Err((DomException::NotSupportedError, Cause::NoType));
    for kind in CredentialType::ALL {
        let (in_get, in_create) = asking(kind);
        let options = json!({kind.member(): in_get});
        assert_eq!(settled(&mut get(&mut without(kind), &options)), expected, "{kind:?}");
        let mut there = get(&mut page(), &options);
        assert!(!there.is_settled() || settled(&mut there) != expected, "{kind:?}");
        assert_eq!(in_create.is_some(), kind.can_be_created());
        if let Some(in_create) = in_create {
            let options = json!({kind.member(): in_create});
            assert_eq!(create(&mut without(kind), &options), expected, "{kind:?}");
        }
    }
}

/// store step 3: what is not there is not stored.
#[test]
fn an_absent_type_is_not_stored() {
    let idp = "https://idp.example";
    for credential in [password("ada", ORIGIN, "x"), federated("ada", idp, None)] {
        let kind = credential.credential_type();
        let mut page = without(kind);
        let expected = Err((DomException::NotSupportedError, Cause::CannotStore(kind)));
        assert_eq!(settled(&mut store(&mut page, credential)), expected);
        assert!(page.profile().passwords().is_empty() && page.profile().federated().is_empty());
    }
}

/// Its member is passed over beside another's, in get and in create.
#[test]
fn an_absent_type_is_passed_over_beside_another() {
    let both = json!({
        "password": {"id": "ada", "origin": ORIGIN, "password": "x"},
        "federated": {"id": "bob", "provider": "https://idp.example"},
    });
    let several = Err((DomException::NotSupportedError, Cause::Type(TypeFault::SeveralTypes)));
    assert_eq!(create(&mut page(), &both), several);
    let made = create(&mut without(CredentialType::Password), &both).unwrap().unwrap();
    assert_eq!(made["id"], "bob");

    let mut page = without(CredentialType::Federated);
    page.profile().keep(&password("ada", ORIGIN, "x"));
    page.profile().keep(&federated("bob", "https://idp.example", None));
    let options = json!({"password": true, "federated": {"providers": ["https://idp.example"]}});
    assert_eq!(offered(&mut get(&mut page, &options)), ["ada"]);
}
