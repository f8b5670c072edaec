//! What the options alone are refused for, before a key is asked: the dictionaries, and what extensions reject.

use serde_json::{Value, json};
use softkey_client::{
    AuthenticationResponse, Capability, Cause, Credential, CredentialCreationOptions,
    CredentialRequestOptions, CredentialType, DomException, Operation, RegistrationResponse,
    base64url,
};

use crate::key::{Failure, Key, auth_data, create, get, good, list, page, settle, settled, signed};

fn create_fails(extra: &Value) -> Failure {
    settled(&mut create(&mut page(), extra)).unwrap_err()
}

fn get_fails(extra: &Value) -> Failure {
    settled(&mut get(&mut page(), extra)).unwrap_err()
}

/// Web IDL: a dictionary without a required member, or with one of another type.
#[test]
fn what_is_no_dictionary_is_a_type_error() {
    for text in ["7", r#"{"publicKey": {}}"#, r#"{"publicKey": 7}"#, r#"{"mediation": "loud"}"#] {
        for (cause, operation) in [
            (CredentialCreationOptions::from_json(text).map(drop), Operation::Create),
            (CredentialRequestOptions::from_json(text).map(drop), Operation::Get),
        ] {
            let cause = cause.unwrap_err();
            assert!(matches!(cause, Cause::NotTheDictionary(_)), "{cause:?}");
            assert_eq!(cause.exception(operation), DomException::TypeError);
        }
    }
}

/// Sections 5.1.8 and 5.1.9: a text that is no base64url, in each member, which is named.
#[test]
fn what_is_no_base64url_is_an_encoding_error() {
    let cause = |extra: Value| {
        let mut options = json!({
            "rp": {"name": "Example"}, "user": {"id": "AQ", "name": "ada", "displayName": ""},
            "challenge": "AAEC", "pubKeyCredParams": [],
        });
        for (member, value) in extra.as_object().unwrap() {
            options[member] = value.clone();
        }
        let text = json!({ "publicKey": options }).to_string();
        let cause = CredentialCreationOptions::from_json(&text).unwrap_err();
        assert_eq!(cause.exception(Operation::Create), DomException::EncodingError);
        cause
    };
    for (member, extra) in [
        ("challenge", json!({"challenge": "a+"})),
        ("user.id", json!({"user": {"id": "AQ=", "name": "", "displayName": ""}})),
        ("excludeCredentials", json!({"excludeCredentials": list(&["A"])})),
        ("extensions.prf first", json!({"extensions": {"prf": {"eval": {"first": "a/"}}}})),
        ("extensions.credBlob", json!({"extensions": {"credBlob": " AA"}})),
    ] {
        assert_eq!(cause(extra), Cause::NotBase64Url(member));
    }
    for (member, extra) in [
        ("challenge", r#""challenge": "a+""#),
        (
            "allowCredentials",
            r#""challenge": "", "allowCredentials": [{"type": "public-key", "id": "!"}]"#,
        ),
        (
            "extensions.largeBlob.write",
            r#""challenge": "", "extensions": {"largeBlob": {"write": "="}}"#,
        ),
    ] {
        let text = format!(r#"{{"publicKey": {{{extra}}}}}"#);
        let cause = CredentialRequestOptions::from_json(&text).unwrap_err();
        assert_eq!(cause, Cause::NotBase64Url(member));
        assert_eq!(cause.exception(Operation::Get), DomException::EncodingError);
    }
}

/// Section 5.1.3 step 10, and before it an empty list, which stands for two algorithms.
#[test]
fn parameters_of_unknown_types_are_not_supported() {
    let unknown = json!({"pubKeyCredParams": [{"type": "password", "alg": -7}]});
    assert_eq!(create_fails(&unknown), ("NotSupportedError", Cause::NoKnownParameters));
    assert!(settle(create(&mut page(), &json!({})), &mut Key::new(&[], &[good()])).is_ok());
}

/// Sections 10.1.1 and 10.1.2.
#[test]
fn an_app_id_of_another_site_is_a_security_error() {
    let extensions = |name: &str| json!({"extensions": {name: "https://example.com/app"}});
    let refused = ("SecurityError", Cause::AppIdRefused);
    assert_eq!(create_fails(&extensions("appidExclude")), refused);
    assert_eq!(get_fails(&extensions("appid")), refused);
}

/// Section 10.1.4.
#[test]
fn prf_has_its_errors() {
    let by = |entries: Value| json!({"extensions": {"prf": {"evalByCredential": entries}}});
    let failure = create_fails(&by(json!({})));
    assert_eq!(failure, ("NotSupportedError", Cause::PrfByCredentialAtCreation));
    let values = json!({"first": "AQ"});
    let failure = get_fails(&by(json!({ "BQ": values })));
    assert_eq!(failure, ("NotSupportedError", Cause::PrfWithoutList));
    for key in ["", "A+/=", "Bg"] {
        let mut options = by(json!({ key: values }));
        options["allowCredentials"] = list(&["BQ"]);
        assert_eq!(get_fails(&options), ("SyntaxError", Cause::PrfCredential(key.into())));
    }
}

/// Section 10.1.5: at creation, and at sign-in.
#[test]
fn large_blob_has_its_error() {
    let misuse = ("NotSupportedError", Cause::LargeBlobMisuse);
    let asked = |inputs: Value| json!({"extensions": {"largeBlob": inputs}});
    assert_eq!(create_fails(&asked(json!({"read": true}))), misuse);
    assert_eq!(create_fails(&asked(json!({"write": "AQ"}))), misuse);
    assert_eq!(get_fails(&asked(json!({"support": "preferred"}))), misuse);
    assert_eq!(get_fails(&asked(json!({"read": true, "write": "AQ"}))), misuse);
    assert_eq!(get_fails(&asked(json!({"write": "AQ"}))), misuse);
}

/// FIDO client extensions, where the profile lets pages have it; elsewhere it is an unknown extension.
#[test]
fn a_raw_salt_of_another_length_is_a_type_error() {
    let mut page = page();
    let salts = json!({"extensions": {"hmacGetSecret": {"salt1": "AQ"}}, "allowCredentials": list(&["BQ"])});
    let answer = signed(Some(5), auth_data("example.org", 1, &[]), false);
    assert!(settle(get(&mut page, &salts), &mut Key::new(&[], &[answer])).is_ok());
    page.profile().set(|settings| settings.hmac_secret = true);
    let failure = settled(&mut get(&mut page, &salts)).unwrap_err();
    assert_eq!(failure, ("TypeError", Cause::SaltLength(1)));
}

/// An unknown extension is passed over (sections 5.1.3 and 5.1.4). `remoteClientDataJSON` is one here: what it would sign
/// is the caller's own text for any relying party. So it is not told of, has no output and no error of its own, and what
/// is signed stays the page's own client data, of a relying party that is the page's.
#[test]
fn client_data_of_another_machine_are_passed_over() {
    let foreign = r#"{"type":"webauthn.get","challenge":"AA","origin":"https://bank.example"}"#;
    for text in [json!(foreign), json!("no JSON"), json!(7)] {
        let asked = json!({"extensions": {"remoteClientDataJSON": text}});
        let mut page = page();
        assert!(page.client_capabilities(&[]).unwrap().keys().all(|key| !key.contains("remote")));
        let made = settle(create(&mut page, &asked), &mut Key::new(&[], &[good()])).unwrap();
        let answer = signed(Some(5), auth_data("example.org", 1, &[]), true);
        let signed_in = settle(get(&mut page, &asked), &mut Key::new(&[], &[answer])).unwrap();
        for (credential, kind) in [(made, "webauthn.create"), (signed_in, "webauthn.get")] {
            let credential = credential.to_json();
            assert_eq!(credential["clientExtensionResults"], json!({}), "{kind}");
            let data = credential["response"]["clientDataJSON"].as_str().unwrap();
            let data: Value = serde_json::from_slice(&base64url::decode(data).unwrap()).unwrap();
            let own = json!({
                "type": kind, "challenge": "AAEC", "origin": "https://example.org",
                "crossOrigin": false,
            });
            assert_eq!(data, own);
        }
        let elsewhere = json!({"rpId": "bank.example", "extensions": asked["extensions"]});
        page.profile().set(|settings| settings.lacks.extend([Capability::RelatedOrigins]));
        let failure = settled(&mut get(&mut page, &elsewhere)).unwrap_err();
        assert_eq!(failure, ("SecurityError", Cause::RpIdMismatch));
    }
}

/// Secure Payment Confirmation.
#[test]
fn payment_has_its_errors() {
    let asked = json!({"extensions": {"payment": {"isPayment": true}}});
    assert_eq!(create_fails(&asked), ("NotSupportedError", Cause::PaymentNeeds));
    assert_eq!(get_fails(&asked), ("NotAllowedError", Cause::NotPaymentHandler));
}

/// A profile that plays the payment handler: what is paid stands in the client data, of the type `payment.get`, and whose
/// credential signs is not the page's to be.
#[test]
fn a_payment_is_signed_for_the_payment_handler() {
    let mut page = page();
    page.profile().set(|settings| settings.payment_handler = true);
    let payment = json!({
        "isPayment": true, "payeeName": "Shop", "total": {"currency": "EUR", "value": "1.00"},
    });
    let extensions = json!({"payment": payment});
    let asked = json!({"rpId": "bank.example", "extensions": extensions});
    let answer = signed(Some(5), auth_data("bank.example", 1, &[]), true);
    let paid = settle(get(&mut page, &asked), &mut Key::new(&[], &[answer])).unwrap();
    let paid = paid.authentication().unwrap();
    let json: Value = serde_json::from_slice(&paid.response.client_data_json.0).unwrap();
    assert_eq!(
        json,
        json!({
            "type": "payment.get", "challenge": "AAEC", "origin": "https://example.org",
            "crossOrigin": false, "payment": {
                "rpId": "bank.example", "topOrigin": "https://example.org", "payeeName": "Shop",
                "total": {"currency": "EUR", "value": "1.00"},
            },
        })
    );
    let nobodys = settled(&mut get(&mut page, &json!({"extensions": extensions}))).unwrap_err();
    assert_eq!(nobodys, ("SecurityError", Cause::RpIdMismatch));
}

/// Credential Management: store takes no public keys, whichever ceremony gave them.
#[test]
fn a_public_key_is_not_stored() {
    let mut page = page();
    let made = settle(create(&mut page, &json!({})), &mut Key::new(&[], &[good()])).unwrap();
    let answer = signed(Some(5), auth_data("example.org", 1, &[]), true);
    let signed_in = settle(get(&mut page, &json!({})), &mut Key::new(&[], &[answer])).unwrap();
    for credential in [made.clone(), signed_in] {
        let failure = settled(&mut page.credentials().store(credential)).unwrap_err();
        let cause = Cause::CannotStore(CredentialType::PublicKey);
        assert_eq!(failure, ("NotSupportedError", cause));
    }
    let pending = get(&mut page, &json!({}));
    let failure = settled(&mut page.credentials().store(made.clone())).unwrap_err();
    let cause = Cause::TypeActive(CredentialType::PublicKey);
    assert_eq!(failure, ("NotAllowedError", cause));
    drop(pending);
    page.set_fully_active(false);
    let failure = settled(&mut page.credentials().store(made.clone())).unwrap_err();
    assert_eq!(failure, ("InvalidStateError", Cause::NotFullyActive));
    page.set_secure(false);
    let failure = settled(&mut page.credentials().store(made)).unwrap_err();
    assert_eq!(failure, ("SecurityError", Cause::InsecureOrigin));
}

/// Sections 5.1.8 and 5.1.9: what a page sends to its server comes back as it was, unknown members passed over.
#[test]
fn the_json_of_responses_is_read_again() {
    let mut page = page();
    let made = settle(create(&mut page, &json!({})), &mut Key::new(&[], &[good()])).unwrap();
    let mut text = made.to_json();
    text["surprise"] = json!({"deep": [1]});
    text["response"]["surprise"] = json!(1);
    let read: RegistrationResponse = serde_json::from_value(text).unwrap();
    assert_eq!(Credential::Registration(Box::new(read)).to_json(), made.to_json());
    let answer = signed(Some(5), auth_data("example.org", 1, &[]), true);
    let signed_in = settle(get(&mut page, &json!({})), &mut Key::new(&[], &[answer])).unwrap();
    let mut text = signed_in.to_json();
    text["surprise"] = json!(1);
    let read: AuthenticationResponse = serde_json::from_value(text).unwrap();
    assert_eq!(Credential::Authentication(Box::new(read)).to_json(), signed_in.to_json());
}
