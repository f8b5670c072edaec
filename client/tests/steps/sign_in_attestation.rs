//! `attestation` and `attestationFormats` at sign-in, where the profile's switch has them honoured: what a key is asked,
//! and what the page gets. Without the switch they do nothing, which `get/tests.rs` shows.

use ciborium::Value as Cbor;
use serde_json::{Value, json};
use softkey_client::{Cause, Page, Profile, base64url};
use softkey_ctap::cbor::DecodeError;

use crate::key::{Failure, Key, RP, auth_data, find, get, list, page, settle, signed, texts};

fn strings(names: &[&str]) -> Cbor {
    Cbor::Array(names.iter().map(|name| Cbor::from(*name)).collect())
}

fn statement() -> Cbor {
    texts(&[("alg", (-7).into()), ("sig", Cbor::Bytes(vec![9; 70]))])
}

/// An answer to getAssertion with this as its attestation statement.
fn attested(statement: Option<Cbor>) -> Vec<u8> {
    let plain = signed(Some(5), auth_data(RP, 1, &[]), true);
    let Cbor::Map(mut members) = ciborium::from_reader(&plain[1..]).unwrap() else { panic!() };
    members.extend(statement.map(|statement| (10.into(), statement)));
    let mut bytes = vec![0];
    ciborium::into_writer(&Cbor::Map(members), &mut bytes).unwrap();
    bytes
}

/// A page whose profile honours the members.
fn honouring() -> Page {
    let profile = Profile::new();
    profile.set(|settings| settings.attestation_at_sign_in = true);
    Page::new(&profile, "https://example.org")
}

/// A key with these formats.
fn key(formats: &[&str], answer: &[u8]) -> Key {
    let members = [(0x16, strings(formats))];
    let members = if formats.is_empty() { &[][..] } else { &members };
    Key::with(members, &[("ep", true)], &[answer.to_vec()])
}

/// The request's members 8 and 9, and what the page gets.
fn signs(page: &mut Page, extra: &Value, mut key: Key) -> (Option<Cbor>, Option<Cbor>, Value) {
    let mut options = json!({"allowCredentials": list(&["BQ"])});
    options.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    let request = get(page, &options);
    let credential = settle(request, &mut key).unwrap();
    let sent = &key.sent[0].1;
    (find(sent, 8).cloned(), find(sent, 9).cloned(), credential.to_json()["response"].take())
}

/// The attestation object of a response; its members in their order.
fn object(response: &Value) -> Vec<(Cbor, Cbor)> {
    let bytes = base64url::decode(response["attestationObject"].as_str().unwrap()).unwrap();
    ciborium::from_reader::<Cbor, _>(&bytes[..]).unwrap().into_map().unwrap()
}

fn direct() -> Value {
    json!({"attestation": "direct", "attestationFormats": ["tpm", "packed"]})
}

/// A draft of level 3 (27 September 2023): the attestation object has no `authData`, which stand beside it.
#[test]
fn a_profile_may_let_pages_have_it() {
    let answer = attested(Some(statement()));
    let formats = ["packed", "none"];
    let (enterprise, asked, response) = signs(&mut honouring(), &direct(), key(&formats, &answer));
    assert_eq!((enterprise, asked), (None, Some(strings(&["tpm", "packed"]))));
    let expected = [("fmt".into(), "packed".into()), ("attStmt".into(), statement())];
    assert_eq!(object(&response), expected);
    assert!(response["authenticatorData"].is_string() && response["signature"].is_string());

    let (.., response) = signs(&mut page(), &direct(), key(&formats, &answer));
    assert!(response.get("attestationObject").is_none(), "the switch is off by default");
}

/// The page's wish decides too, and so does what the key has; who is not asked gives nothing.
#[test]
fn it_is_asked_of_keys_with_formats_if_the_page_wants_it() {
    let answer = attested(Some(statement()));
    for (extra, formats) in [
        (json!({}), &["packed"][..]),
        (json!({"attestation": "none"}), &["packed"]),
        (direct(), &[]),
    ] {
        let signed = signs(&mut honouring(), &extra, key(formats, &answer));
        assert_eq!((signed.0, signed.1), (None, None), "{extra} {formats:?}");
        assert!(signed.2.get("attestationObject").is_none(), "{extra} {formats:?}");
    }
    let any = json!({"attestation": "indirect"});
    let (_, asked, response) = signs(&mut honouring(), &any, key(&["tpm", "packed"], &answer));
    assert_eq!(asked, Some(strings(&["tpm", "packed"])), "no preference: the key's own");
    assert_eq!(object(&response)[0].1, "tpm".into());
}

/// Keys do not name the format; it follows from what was asked and what they have.
#[test]
fn the_format_is_the_first_that_the_key_has() {
    let format = |wanted: Value, has: &[&str], answer: Option<Cbor>| {
        let extra = json!({"attestation": "direct", "attestationFormats": wanted});
        let (.., response) = signs(&mut honouring(), &extra, key(has, &attested(answer)));
        object(&response)[0].1.as_text().unwrap().to_owned()
    };
    let full = || Some(statement());
    assert_eq!(format(json!(["apple", "packed"]), &["tpm", "packed"], full()), "packed");
    assert_eq!(format(json!(["apple"]), &["tpm", "packed"], full()), "tpm");
    assert_eq!(format(json!(["none", "packed"]), &["packed"], Some(texts(&[]))), "none");
    assert_eq!(format(json!(["none", "packed"]), &["packed"], full()), "packed");
}

/// WebAuthn section 8.9: a list of statements is `compound`, with one level more than CTAP's other messages if there are
/// certificates in it; no other statement is, whatever was asked first.
#[test]
fn a_list_of_statements_is_compound() {
    let certified = texts(&[
        ("alg", (-7).into()),
        ("sig", Cbor::Bytes(vec![9; 70])),
        ("x5c", Cbor::Array(vec![Cbor::Bytes(vec![0x30; 300])])),
    ]);
    let element = |fmt: &str| texts(&[("fmt", fmt.into()), ("attStmt", certified.clone())]);
    let list = Cbor::Array(vec![element("packed"), element("android-key")]);
    let given = |wanted: &[&str], has: &[&str], answer: &Cbor| {
        let extra = json!({"attestation": "direct", "attestationFormats": wanted});
        let answer = attested(Some(answer.clone()));
        object(&signs(&mut honouring(), &extra, key(has, &answer)).2)
    };
    let expected = |fmt: &str, statement: &Cbor| {
        vec![("fmt".into(), fmt.into()), ("attStmt".into(), statement.clone())]
    };
    let compound = expected("compound", &list);
    assert_eq!(given(&["compound"], &["compound"], &list), compound);
    assert_eq!(given(&["packed", "compound"], &["packed", "compound"], &list), compound);
    let packed = expected("packed", &certified);
    assert_eq!(given(&["compound", "packed"], &["compound", "packed"], &certified), packed);
}

/// A key that makes no statement after all signs in all the same.
#[test]
fn a_key_without_a_statement_signs_in() {
    let (_, asked, response) =
        signs(&mut honouring(), &direct(), key(&["packed"], &attested(None)));
    assert!(asked.is_some());
    assert!(response.get("attestationObject").is_none());
}

/// Enterprise attestation is for the relying parties of the client's policy, as in create.
#[test]
fn an_enterprise_asks_by_policy() {
    let answer = attested(Some(statement()));
    let extra = json!({"attestation": "enterprise", "attestationFormats": ["packed"]});
    let mut page = honouring();
    let (enterprise, asked, _) = signs(&mut page, &extra, key(&["packed"], &answer));
    assert_eq!((enterprise, asked), (None, Some(strings(&["packed"]))));
    page.profile().set(|settings| settings.enterprise = [RP.to_owned()].into());
    let (enterprise, ..) = signs(&mut page, &extra, key(&["packed"], &answer));
    assert_eq!(enterprise, Some(2.into()));
}

/// What is asked for and cannot be taken drops the key; what is not asked for may be anything.
#[test]
fn what_is_no_statement_drops_the_key() {
    let wrong = || key(&["packed"], &attested(Some(7.into())));
    let mut extra = direct();
    extra["allowCredentials"] = list(&["BQ"]);
    let failure: Failure = settle(get(&mut honouring(), &extra), &mut wrong()).unwrap_err();
    assert_eq!(failure, ("NotAllowedError", Cause::BadResponse(DecodeError::UnexpectedType)));
    signs(&mut page(), &direct(), wrong());
}
