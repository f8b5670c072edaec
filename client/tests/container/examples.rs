//! The examples of the reference pages for these types, as JSON and in Rust.

use serde_json::json;
use softkey_client::call::Mediation;
use softkey_client::extensions::RequestInputs;
use softkey_client::federated::FederatedRequest;
use softkey_client::options::{Conveyance, Credential as KeyCredential, UserVerification};
use softkey_client::otp::OtpOptions;
use softkey_client::password::PasswordData;
use softkey_client::{
    AbortController, AbortReason, AbortSignal, Answer, Cause, Credential,
    CredentialCreationOptions, CredentialRequestOptions, CredentialType, DomException, Output,
    PasswordCredential, Request, RequestOptions, SecretText,
};

use crate::world::*;

fn in_rust(page: &mut softkey_client::Page, options: CredentialRequestOptions) -> Request {
    page.credentials().get(NOW, options, entropy())
}

/// What create has made.
fn created(request: &mut Request) -> Credential {
    match request.poll_output(NOW) {
        Some(Output::Settled(Ok(Some(made)))) => made,
        other => panic!("{other:?} instead of a credential"),
    }
}

/// `navigator.credentials.get({password: true})`
#[test]
fn get_a_password() {
    let mut page = page();
    page.profile().keep(&password("ada", ORIGIN, "x"));
    let from_json = answered(&mut get(&mut page, &json!({"password": true})), chosen(0));
    let options = CredentialRequestOptions { password: true, ..Default::default() };
    assert_eq!(answered(&mut in_rust(&mut page, options), chosen(0)), from_json);
    assert_eq!(ids(from_json), Some("ada".into()));
}

/// `navigator.credentials.get({password: true, mediation: ...})`, each value.
#[test]
fn get_a_password_by_each_mediation() {
    let mut page = page();
    page.profile().keep(&password("ada", ORIGIN, "x"));
    page.profile().set_prevent_silent_access(ORIGIN, false);
    for (text, mediation) in [("silent", Mediation::Silent), ("optional", Mediation::Optional)] {
        let from_json = settled(&mut get(&mut page, &json!({"password": true, "mediation": text})));
        let options = CredentialRequestOptions { password: true, mediation, ..Default::default() };
        assert_eq!(settled(&mut in_rust(&mut page, options)), from_json);
        assert_eq!(ids(from_json), Some("ada".into()), "{text}");
    }
    let by =
        |mediation| CredentialRequestOptions { password: true, mediation, ..Default::default() };
    let required = json!({"password": true, "mediation": "required"});
    let from_json = answered(&mut get(&mut page, &required), chosen(0));
    assert_eq!(answered(&mut in_rust(&mut page, by(Mediation::Required)), chosen(0)), from_json);
    assert_eq!(ids(from_json), Some("ada".into()));
    let conditional = json!({"password": true, "mediation": "conditional"});
    let cause = Cause::NotConditional(CredentialType::Password);
    let expected = Err((DomException::TypeError, cause));
    assert_eq!(settled(&mut get(&mut page, &conditional)), expected);
    assert_eq!(settled(&mut in_rust(&mut page, by(Mediation::Conditional))), expected);
    let unknown =
        CredentialRequestOptions::from_json(r#"{"password": true, "mediation": "maybe"}"#);
    assert!(matches!(unknown, Err(Cause::NotTheDictionary(_))));
}

/// `navigator.credentials.get({federated: {providers: [...], protocols: [...]}})`
#[test]
fn get_a_federated_credential() {
    let mut page = page();
    page.profile().keep(&federated("ada", "https://accounts.google.com", Some("openidconnect")));
    let lists = json!({
        "protocols": ["openidconnect"],
        "providers": ["https://accounts.google.com", "https://www.facebook.com/"],
    });
    let from_json = answered(&mut get(&mut page, &json!({"federated": lists})), chosen(0));
    let federated = FederatedRequest {
        providers: Some(vec!["https://accounts.google.com".into()]),
        protocols: Some(vec!["openidconnect".into()]),
    };
    let options = CredentialRequestOptions { federated: Some(federated), ..Default::default() };
    assert_eq!(answered(&mut in_rust(&mut page, options), chosen(0)), from_json);
    assert_eq!(ids(from_json), Some("ada".into()));
}

/// The malformed one: `navigator.credentials.get({protocols: [...], providers: [...]})`; in Rust it cannot be written, and what
/// is left of it is a call for nothing, as `get()` is.
#[test]
fn members_at_the_wrong_level() {
    let wrong =
        json!({"protocols": ["openidconnect"], "providers": ["https://accounts.google.com"]});
    let expected = Err((DomException::NotSupportedError, Cause::NoType));
    assert_eq!(settled(&mut get(&mut page(), &wrong)), expected);
    let expected_empty = settled(&mut get(&mut page(), &json!({})));
    assert_eq!(expected_empty, expected, "get() likewise");
    let options = CredentialRequestOptions::default();
    assert_eq!(settled(&mut in_rust(&mut page(), options)), expected);
}

/// `navigator.credentials.get({otp: {transport: ["sms"]}, signal: ac.signal})`
#[test]
fn get_a_one_time_code() {
    let asked = json!({"otp": {"transport": ["sms"]}, "signal": {}}).to_string();
    let from_json = CredentialRequestOptions::from_json(&asked).unwrap();
    let otp = Some(OtpOptions { transport: vec!["sms".into()] });
    let signal = Some(AbortController::new().signal());
    let rust = CredentialRequestOptions { otp, signal, ..Default::default() };
    for options in [from_json, rust] {
        // The page aborts once its form is sent: too late here, in time there.
        let ac = AbortController::new();
        let signal = options.signal.clone().map(|_| ac.signal());
        let options = CredentialRequestOptions { signal, ..options };
        let mut page = page();
        let mut request = in_rust(&mut page, options.clone());
        page.profile().inbox().push("Code\n\n@account.example.com #42");
        let given = answered(&mut request, Answer::Yes).unwrap().unwrap();
        assert_eq!((&given["code"], &given["type"]), (&json!("42"), &json!("otp")));
        let mut request = in_rust(&mut page, options);
        assert_eq!(request.poll_output(NOW), None);
        ac.abort();
        let aborted = Err((DomException::AbortError, Cause::Aborted(AbortReason::Abort)));
        assert_eq!(settled(&mut request), aborted);
    }
}

/// `signal` that is aborted already, with a reason and without.
#[test]
fn a_signal() {
    let with = |signal: serde_json::Value| {
        settled(&mut get(&mut page(), &json!({"password": true, "signal": signal})))
    };
    let plain = Err((DomException::AbortError, Cause::Aborted(AbortReason::Abort)));
    assert_eq!(with(json!({"aborted": true})), plain);
    assert_eq!(with(json!({"aborted": false})), Ok(None));
    let reason = AbortReason::Value(json!("navigated away"));
    let named = Err((DomException::AbortError, Cause::Aborted(reason)));
    assert_eq!(with(json!({"aborted": true, "reason": "navigated away"})), named);
    let signal = Some(AbortSignal::aborted(AbortReason::Abort));
    let options = CredentialRequestOptions { password: true, signal, ..Default::default() };
    assert_eq!(settled(&mut in_rust(&mut page(), options)), plain);
}

/// `navigator.credentials.get({publicKey: {challenge, rpId, allowCredentials, userVerification}})`: the same question to
/// keys, whose answer is a matter of the ceremonies.
#[test]
fn get_a_public_key() {
    let asked = json!({"publicKey": {
        "challenge": "AAAA", "rpId": "example.com", "userVerification": "required", "timeout": 60_000,
        "allowCredentials": [{"type": "public-key", "id": "AQID", "transports": ["usb"]}],
    }});
    let options = RequestOptions {
        rp_id: Some("example.com".into()),
        challenge: vec![0, 0, 0],
        allow: vec![KeyCredential { id: vec![1, 2, 3], transports: vec!["usb".into()] }],
        only_unknown: false,
        hinted: None,
        user_verification: UserVerification::Required,
        attestation: Conveyance::None,
        // No attestation is a format, too.
        attestation_formats: vec!["none".into()],
        extensions: RequestInputs::default(),
        timeout: Some(60_000),
    };
    let read = CredentialRequestOptions::from_json(&asked.to_string()).unwrap().public_key;
    assert_eq!(read.as_ref(), Some(&options));
    let (mut one, mut other) = (page(), page());
    let (from_json, in_rust) =
        (get(&mut one, &asked), in_rust(&mut other, CredentialRequestOptions::from(options)));
    assert!(from_json.asks_keys() && in_rust.asks_keys());
}

/// `new PasswordCredential({id, name, origin, password})`, then `navigator.credentials.store(credential)`.
#[test]
fn create_and_store_a_password() {
    let mut page = page();
    let data = json!({
        "id": "example-username", "name": "Carina Anand", "origin": ORIGIN,
        "password": "correct horse battery staple",
    });
    let options = json!({"password": data}).to_string();
    let options = CredentialCreationOptions::from_json(&options).unwrap();
    let mut made = page.credentials().create(NOW, options, entropy());
    let made = created(&mut made);
    let data = PasswordData {
        id: "example-username".into(),
        name: "Carina Anand".into(),
        icon_url: String::new(),
        origin: ORIGIN.into(),
        password: SecretText::new("correct horse battery staple"),
    };
    assert_eq!(Credential::Password(PasswordCredential::new(data).unwrap()), made);
    assert_eq!(answered(&mut store(&mut page, made), Answer::Yes), Ok(None));
    assert_eq!(page.profile().passwords()[0].name(), "Carina Anand");
}

/// `new FederatedCredential({id, provider, protocol})`, then store.
#[test]
fn create_and_store_a_federated_credential() {
    let mut page = page();
    let init =
        json!({"id": "ada", "provider": "https://account.google.com", "protocol": "openidconnect"});
    let options = json!({"federated": init}).to_string();
    let options = CredentialCreationOptions::from_json(&options).unwrap();
    let mut made = page.credentials().create(NOW, options, entropy());
    let made = created(&mut made);
    assert_eq!(federated("ada", "https://account.google.com", Some("openidconnect")), made);
    assert_eq!(answered(&mut store(&mut page, made), Answer::Yes), Ok(None));
    assert_eq!(page.profile().federated()[0].origin(), ORIGIN);
}

/// After a sign-out: `navigator.credentials.preventSilentAccess()`.
#[test]
fn sign_out() {
    let mut page = page();
    page.profile().keep(&password("ada", ORIGIN, "x"));
    page.profile().set_prevent_silent_access(ORIGIN, false);
    let silent = json!({"password": true, "mediation": "silent"});
    assert_eq!(ids(settled(&mut get(&mut page, &silent))), Some("ada".into()));
    page.credentials().prevent_silent_access().unwrap();
    assert_eq!(settled(&mut get(&mut page, &silent)), Ok(None));
}
