//! `PasswordCredential`: credential-management.md sections 3, 4 and 5, rule by rule.

use serde_json::json;
use softkey_client::cause::TypeFault;
use softkey_client::password::{FormElement, FormFields, PasswordData};
use softkey_client::{
    AbortController, AbortReason, Answer, Cause, Credential, CredentialCreationOptions,
    CredentialRequestOptions, CredentialType, DomException, Output, Page, PasswordCredential,
    Profile, Question, SecretText,
};

use crate::world::*;

fn with(profile: &Profile, ids: &[&str]) {
    for id in ids {
        profile.keep(&password(id, ORIGIN, "correct horse"));
    }
}

fn stays_signed_in(profile: &Profile) {
    profile.set_prevent_silent_access(ORIGIN, false);
}

const ASKED: &str = "password";

/// get step 7 (b): one credential, no flag: no user is involved.
#[test]
fn the_only_password_is_given_without_asking() {
    let mut page = page();
    with(page.profile(), &["ada"]);
    stays_signed_in(page.profile());
    for mediation in ["silent", "optional"] {
        let options = json!({ASKED: true, "mediation": mediation});
        let given = settled(&mut get(&mut page, &options)).unwrap().unwrap();
        let expected = json!({
            "id": "ada", "type": "password", "name": "", "iconURL": "", "password": "correct horse",
        });
        assert_eq!(given, expected, "{mediation}");
    }
}

/// Section 4: the flag "prevent silent access" is true by default.
#[test]
fn the_flag_makes_the_user_choose() {
    let mut page = page();
    with(page.profile(), &["ada"]);
    let mut request = get(&mut page, &json!({ASKED: true}));
    assert_eq!(offered(&mut request), ["ada"]);
    request.handle_answer(NOW, chosen(0));
    assert_eq!(ids(settled(&mut request)), Some("ada".into()));
    let silent = json!({ASKED: true, "mediation": "silent"});
    assert_eq!(
        settled(&mut get(&mut page, &silent)),
        Ok(None),
        "choosing once is no consent for ever"
    );
}

#[test]
fn who_stays_signed_in_is_not_asked_again_until_the_page_prevents_it() {
    let mut page = page();
    with(page.profile(), &["ada"]);
    let mut request = get(&mut page, &json!({ASKED: true}));
    question(&mut request);
    request.handle_answer(NOW, Answer::Choice { index: 0, stay_signed_in: true });
    settled(&mut request).unwrap();
    let silent = json!({ASKED: true, "mediation": "silent"});
    assert_eq!(ids(settled(&mut get(&mut page, &silent))), Some("ada".into()));
    let mut other = Page::new(page.profile(), "https://www.example.com");
    assert_eq!(settled(&mut get(&mut other, &silent)), Ok(None), "the flag is of one origin");
    page.credentials().prevent_silent_access().unwrap();
    assert_eq!(settled(&mut get(&mut page, &silent)), Ok(None));
}

/// get step 7 (b) and (c): of several none can be picked without doubt.
#[test]
fn of_several_passwords_the_user_chooses() {
    let mut page = page();
    with(page.profile(), &["ada", "bob"]);
    stays_signed_in(page.profile());
    let silent = json!({ASKED: true, "mediation": "silent"});
    assert_eq!(settled(&mut get(&mut page, &silent)), Ok(None));
    let mut request = get(&mut page, &json!({ASKED: true}));
    assert_eq!(offered(&mut request), ["ada", "bob"]);
    request.handle_answer(NOW, chosen(1));
    assert_eq!(ids(settled(&mut request)), Some("bob".into()));
}

/// get step 7 (g): nobody is chosen. An index behind the end chooses nobody.
#[test]
fn choosing_nobody_resolves_with_null() {
    let mut page = page();
    with(page.profile(), &["ada"]);
    for answer in [Answer::No, Answer::Yes, Answer::Never, chosen(1)] {
        let mut request = get(&mut page, &json!({ASKED: true}));
        assert_eq!(answered(&mut request, answer), Ok(None));
    }
}

/// Section 3: required mediation involves the user whatever the flag.
#[test]
fn required_mediation_asks_in_any_case() {
    let mut page = page();
    with(page.profile(), &["ada"]);
    stays_signed_in(page.profile());
    let mut request = get(&mut page, &json!({ASKED: true, "mediation": "required"}));
    assert_eq!(ids(answered(&mut request, chosen(0))), Some("ada".into()));
}

#[test]
fn nothing_kept_resolves_with_null() {
    for mediation in ["silent", "optional", "required"] {
        let outcome = settled(&mut get(&mut page(), &json!({ASKED: true, "mediation": mediation})));
        assert_eq!(outcome, Ok(None), "{mediation}");
    }
}

/// get step 5.
#[test]
fn conditional_mediation_is_a_type_error() {
    let outcome = settled(&mut get(&mut page(), &json!({ASKED: true, "mediation": "conditional"})));
    let cause = Cause::NotConditional(CredentialType::Password);
    assert_eq!(outcome, Err((DomException::TypeError, cause)));
    let outcome = settled(&mut get(&mut page(), &json!({ASKED: true, "uiMode": "immediate"})));
    let cause = Cause::NotImmediate(CredentialType::Password);
    assert_eq!(outcome, Err((DomException::TypeError, cause)));
}

/// get step 4.
#[test]
fn a_password_does_not_mix_with_remote_types() {
    let other = json!({ASKED: true, "otp": {"transport": ["sms"]}});
    let cause = Cause::TypesDoNotMix(CredentialType::Password, CredentialType::Otp);
    let expected = Err((DomException::NotSupportedError, cause));
    assert_eq!(settled(&mut get(&mut page(), &other)), expected);
    let other = json!({ASKED: true, "publicKey": {"challenge": "AA"}});
    let cause = Cause::TypesDoNotMix(CredentialType::Password, CredentialType::PublicKey);
    let expected = Err((DomException::NotSupportedError, cause));
    assert_eq!(settled(&mut get(&mut page(), &other)), expected);
}

/// Section 1.2: `password: false` is as good as absent, and so is what becomes false.
#[test]
fn a_false_member_is_absent() {
    for value in [json!(false), json!(null), json!(0), json!("")] {
        let expected = Err((DomException::NotSupportedError, Cause::NoType));
        assert_eq!(settled(&mut get(&mut page(), &json!({ASKED: value}))), expected);
    }
    assert_eq!(settled(&mut get(&mut page(), &json!({ASKED: 1}))), Ok(None));
}

/// get step 5: one pending call for each type; the mark falls with the promise.
#[test]
fn a_second_call_waits_for_the_first() {
    let mut page = page();
    with(page.profile(), &["ada"]);
    let mut first = get(&mut page, &json!({ASKED: true}));
    let cause = Cause::TypeActive(CredentialType::Password);
    let busy = Err((DomException::NotAllowedError, cause));
    assert_eq!(settled(&mut get(&mut page, &json!({ASKED: true}))), busy);
    assert_eq!(settled(&mut store(&mut page, password("eve", ORIGIN, "x"))), busy);
    let data = json!({"id": "a", "origin": ORIGIN, "password": "b"});
    assert_eq!(create(&mut page, &json!({ASKED: data})), busy);
    assert_eq!(answered(&mut first, Answer::No), Ok(None));
    assert!(create(&mut page, &json!({ASKED: data})).is_ok());
    assert_eq!(answered(&mut get(&mut page, &json!({ASKED: true})), Answer::No), Ok(None));
}

/// Abort while the chooser is open: the signal's reason, once, and the chooser is closed.
#[test]
fn an_abort_closes_the_chooser() {
    let mut page = page();
    with(page.profile(), &["ada"]);
    let controller = AbortController::new();
    let options = CredentialRequestOptions {
        password: true,
        signal: Some(controller.signal()),
        ..CredentialRequestOptions::default()
    };
    let mut request = page.credentials().get(NOW, options, entropy());
    question(&mut request);
    controller.abort_with(AbortReason::Value(json!("gone")));
    assert_eq!(request.poll_output(NOW), Some(Output::Withdraw));
    let cause = Cause::Aborted(AbortReason::Value(json!("gone")));
    assert_eq!(settled(&mut request), Err((DomException::AbortError, cause)));
    request.handle_answer(NOW, chosen(0));
    assert_eq!(request.poll_output(NOW), None, "a late answer changes nothing");
}

/// Section 5, collect and store: a frame of another origin may do neither.
#[test]
fn a_frame_of_another_origin_has_no_passwords() {
    let profile = Profile::new();
    with(&profile, &["ada"]);
    let mut frame = framed(&profile);
    let cause = Cause::Type(TypeFault::ForeignAncestors(CredentialType::Password));
    let expected = Err((DomException::NotAllowedError, cause));
    assert_eq!(settled(&mut get(&mut frame, &json!({ASKED: true}))), expected);
    assert_eq!(settled(&mut store(&mut frame, password("eve", ORIGIN, "x"))), expected);
    assert_eq!(profile.passwords().len(), 1, "the store is untouched");
}

/// An opaque origin is nobody's, though its serialization looks like everybody else's.
#[test]
fn an_opaque_origin_has_no_passwords() {
    let mut page = Page::new(&Profile::new(), "data:text/plain,");
    page.profile().keep(&password("ada", "null", "x"));
    let expected = Err((DomException::NotAllowedError, Cause::OpaqueOrigin));
    assert_eq!(settled(&mut get(&mut page, &json!({ASKED: true}))), expected);
}

/// store: the user saves, dismisses, or wants never to be asked again.
#[test]
fn what_is_stored_is_the_users_decision() {
    let mut page = page();
    let ada = || password("ada", ORIGIN, "one");
    assert_eq!(answered(&mut store(&mut page, ada()), Answer::No), Ok(None), "no error");
    assert!(page.profile().passwords().is_empty());
    let mut request = store(&mut page, ada());
    let Question::Keep { choice, update } = question(&mut request) else { panic!("not asked") };
    assert_eq!((choice.id.as_str(), choice.origin.as_str(), update), ("ada", ORIGIN, false));
    request.handle_answer(NOW, Answer::Yes);
    assert_eq!(settled(&mut request), Ok(None));
    assert_eq!(page.profile().passwords().len(), 1);
    assert_eq!(settled(&mut store(&mut page, ada())), Ok(None), "nothing changes, nobody is asked");

    let mut request = store(&mut page, password("ada", ORIGIN, "two"));
    assert!(matches!(question(&mut request), Question::Keep { update: true, .. }));
    request.handle_answer(NOW, Answer::No);
    assert_eq!(settled(&mut request), Ok(None), "an update that is dismissed is no error either");
    assert_eq!(page.profile().passwords()[0].password().expose(), "one", "and changes nothing");

    let mut request = store(&mut page, password("ada", ORIGIN, "two"));
    assert!(matches!(question(&mut request), Question::Keep { update: true, .. }));
    request.handle_answer(NOW, Answer::Yes);
    settled(&mut request).unwrap();
    let kept = page.profile().passwords();
    assert_eq!((kept.len(), kept[0].password().expose()), (1, "two"));

    let eve = || password("eve", ORIGIN, "three");
    assert_eq!(answered(&mut store(&mut page, eve()), Answer::Never), Ok(None));
    assert_eq!(settled(&mut store(&mut page, eve())), Ok(None), "not asked again");
    let update = settled(&mut store(&mut page, password("ada", ORIGIN, "four")));
    assert_eq!(update, Ok(None), "nor about one that is kept already");
    let kept = page.profile().passwords();
    assert_eq!((kept.len(), kept[0].password().expose()), (1, "two"), "which stays as it is");
    page.profile().set_never_keeps(ORIGIN, false);
    assert_eq!(answered(&mut store(&mut page, eve()), Answer::Yes), Ok(None));
    assert_eq!(page.profile().remove(CredentialType::Password, ORIGIN, "eve"), 1);
    assert_eq!(page.profile().passwords().len(), 1);
}

/// A page cannot plant a password for another site.
#[test]
fn a_password_of_another_origin_is_not_stored() {
    let mut page = page();
    for origin in ["https://bank.example", "https://www.example.com", "http://account.example.com"]
    {
        let outcome = settled(&mut store(&mut page, password("ada", origin, "x")));
        assert_eq!(
            outcome,
            Err((DomException::NotAllowedError, Cause::Type(TypeFault::ForeignCredential)))
        );
    }
    assert!(page.profile().passwords().is_empty());
}

/// Section 4, scope: siblings and what `http` stored may be offered, never given without the user, and never from a
/// secure origin to a less secure one.
#[test]
fn siblings_are_offered_and_never_given_silently() {
    let profile = Profile::new();
    stays_signed_in(&profile);
    let origins = [
        ("sibling", "https://www.example.com"),
        ("http", "http://account.example.com"),
        ("other", "https://example.org"),
    ];
    for (id, origin) in origins {
        profile.keep(&password(id, origin, "x"));
    }
    let mut page = Page::new(&profile, ORIGIN);
    let silent = json!({ASKED: true, "mediation": "silent"});
    assert_eq!(settled(&mut get(&mut page, &silent)), Ok(None));
    assert_eq!(offered(&mut get(&mut page, &json!({ASKED: true}))), ["sibling", "http"]);
    profile.keep(&password("own", ORIGIN, "x"));
    assert_eq!(
        ids(settled(&mut get(&mut page, &silent))),
        Some("own".into()),
        "siblings are no doubt"
    );
    profile.set(|settings| settings.offer_siblings = false);
    let required = json!({ASKED: true, "mediation": "required"});
    assert_eq!(offered(&mut get(&mut page, &required)), ["own"]);
}

#[test]
fn a_less_secure_page_gets_nothing_of_a_secure_one() {
    let profile = Profile::new();
    profile.keep(&password("ada", "https://app.localhost", "x"));
    let mut page = Page::new(&profile, "http://app.localhost");
    assert_eq!(settled(&mut get(&mut page, &json!({ASKED: true}))), Ok(None));
    let mut page = Page::new(&profile, "https://app.localhost:8443");
    assert_eq!(
        offered(&mut get(&mut page, &json!({ASKED: true}))),
        ["ada"],
        "another port is a sibling"
    );
}

/// Neighbours under a public suffix, and addresses that end alike, are strangers.
#[test]
fn a_public_suffix_is_no_site() {
    let pairs = [
        ("https://a.github.io", "https://b.github.io"),
        ("https://10.1.2.3", "https://9.1.2.3"),
        ("https://example.com", "https://notexample.com"),
    ];
    for (kept, asks) in pairs {
        let profile = Profile::new();
        profile.keep(&password("ada", kept, "x"));
        let mut page = Page::new(&profile, asks);
        assert_eq!(settled(&mut get(&mut page, &json!({ASKED: true}))), Ok(None), "{kept} {asks}");
    }
    // Another port of the same host is the same site, if nobody else can have a name there.
    let mut page = Page::new(&Profile::new(), "https://10.1.2.3");
    page.profile().keep(&password("ada", "https://10.1.2.3:8443", "x"));
    assert_eq!(offered(&mut get(&mut page, &json!({ASKED: true}))), ["ada"]);
}

/// Section 5, data.
#[test]
fn data_need_an_id_an_origin_and_a_password() {
    let whole = json!({"id": "ada", "origin": ORIGIN, "password": "x"});
    for member in ["id", "origin", "password"] {
        let mut data = whole.clone();
        data[member] = json!("");
        let expected = Err((DomException::TypeError, Cause::Type(TypeFault::EmptyMember(member))));
        assert_eq!(create(&mut page(), &json!({ASKED: data})), expected);
    }
    let mut data = whole.clone();
    data["iconURL"] = json!("http://example.com/ada.png");
    let expected = Err((DomException::SecurityError, Cause::Type(TypeFault::IconUrl)));
    assert_eq!(create(&mut page(), &json!({ASKED: data})), expected);
    assert_eq!(ids(create(&mut page(), &json!({ASKED: whole}))), Some("ada".into()));
}

fn element(name: &str, autocomplete: Option<&str>, value: Option<&str>) -> FormElement {
    let (name, autocomplete) = (name.to_owned(), autocomplete.map(Into::into));
    FormElement { name, autocomplete, value: value.map(SecretText::new) }
}

/// Section 5, form: the tokens of `autocomplete`.
#[test]
fn a_form_is_read_by_its_autocomplete_tokens() {
    let form = [
        element("user", Some("section-a USERNAME"), Some("ada")),
        element("who", Some("name"), Some("Ada Lovelace")),
        element("nick", Some("nickname"), Some("Ada")),
        element("pic", Some("photo"), Some("https://example.com/ada.png")),
        element("old", Some("current-password"), Some("old")),
        element("new", Some("new-password"), Some("new")),
        element("again", Some("current-password"), Some("older")),
        element("pin", None, Some("not autocompleted")),
        element("gone", Some("username"), None),
        element("", Some("username"), Some("nameless")),
    ];
    let made = PasswordCredential::from_form(&form, ORIGIN).unwrap();
    let PasswordData { id, name, icon_url, origin, password } = made.data();
    assert_eq!((id.as_str(), name.as_str(), password.expose()), ("ada", "Ada", "new"));
    assert_eq!((icon_url.as_str(), origin.as_str()), ("https://example.com/ada.png", ORIGIN));
    let result = PasswordCredential::from_form(&form[1..5], ORIGIN);
    assert_eq!(result, Err(Cause::Type(TypeFault::EmptyMember("id"))));
    let result = PasswordCredential::from_form(&form[..4], ORIGIN);
    assert_eq!(result, Err(Cause::Type(TypeFault::EmptyMember("password"))));
}

#[test]
fn a_form_has_a_json_form() {
    let elements = json!([
        {"name": "u", "autocomplete": "username", "value": "ada"},
        {"name": "p", "autocomplete": "current-password", "value": "x"},
    ]);
    let made = create(&mut page(), &json!({ASKED: {"elements": elements}}));
    assert_eq!(ids(made), Some("ada".into()));
}

/// The page of 2016: a credential handed to a fetch.
#[test]
fn a_password_is_posted_to_its_origin_only() {
    let Credential::Password(ada) = password("a&da", ORIGIN, "p=q \"\u{fc}") else { panic!() };
    let fields = FormFields {
        password_name: "pass".into(),
        additional: vec![("csrf".into(), "t1".into())],
        ..FormFields::default()
    };
    let url = format!("{ORIGIN}/signin");
    let post = ada.post_urlencoded(&url, &fields).unwrap();
    assert_eq!(
        (post.url, post.content_type.as_str()),
        (url.clone(), "application/x-www-form-urlencoded")
    );
    assert_eq!(&**post.body, b"csrf=t1&username=a%26da&pass=p%3Dq+%22%C3%BC");
    let post = ada.post_multipart(&url, &fields, "b1").unwrap();
    assert_eq!(post.content_type, "multipart/form-data; boundary=b1");
    let text = String::from_utf8(post.body.to_vec()).unwrap();
    let field = |name: &str, value: &str| {
        format!("--b1\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let expected =
        field("csrf", "t1") + &field("username", "a&da") + &field("pass", "p=q \"\u{fc}");
    assert_eq!(text, expected + "--b1--\r\n");
    let boundary = Cause::NotTheDictionary("the boundary does not separate the fields".into());
    let refused = ada.post_multipart(&url, &fields, "t1").map(drop);
    assert_eq!(refused, Err(boundary), "the boundary is in a field");
    let odd = FormFields { id_name: "a\"\r\nb".into(), ..FormFields::default() };
    let post = ada.post_multipart(&url, &odd, "b1").unwrap();
    let text = String::from_utf8(post.body.to_vec()).unwrap();
    assert!(text.contains("; name=\"a%22%0D%0Ab\"\r\n\r\n"), "{text}");
    for foreign in ["https://www.example.com/", "http://account.example.com/", "nowhere"] {
        let refused = ada.post_urlencoded(foreign, &fields).map(drop);
        assert_eq!(refused, Err(Cause::Type(TypeFault::ForeignCredential)), "{foreign}");
        let refused = ada.post_multipart(foreign, &fields, "b1").map(drop);
        assert_eq!(refused, Err(Cause::Type(TypeFault::ForeignCredential)), "{foreign}");
    }
}

/// Secrets: neither `Debug` nor an error about the options shows a password.
#[test]
fn a_password_is_shown_nowhere() {
    let mut page = page();
    let shown = format!("{:?}", password("ada", ORIGIN, "s3cret"));
    assert!(shown.contains("ada") && !shown.contains("s3cret"), "{shown}");
    page.profile().keep(&password("ada", ORIGIN, "s3cret"));
    let mut request = get(&mut page, &json!({ASKED: true}));
    let shown = format!("{:?} {:?}", page.profile(), request.poll_output(NOW));
    assert!(!shown.contains("s3cret"), "{shown}");
    for wrong in [
        json!("s3cret"),
        json!({"id": ["s3cret"], "origin": ORIGIN, "password": "s3cret"}),
        json!({"id": "ada", "origin": ORIGIN, "password": {"s3cret": 1}}),
        json!({"elements": ["s3cret"]}),
        json!({"elements": [{"name": "p", "autocomplete": ["s3cret"], "value": "s3cret"}]}),
    ] {
        let options = json!({ASKED: wrong}).to_string();
        let cause = CredentialCreationOptions::from_json(&options).unwrap_err();
        assert!(matches!(cause, Cause::NotTheDictionary(_)));
        assert!(!cause.to_string().contains("s3cret"), "{cause}");
    }
    let cause = CredentialCreationOptions::from_json(r#"{"password": {"id": "ada"}}"#).unwrap_err();
    assert!(cause.to_string().contains("missing field `origin`"), "{cause}");
}

/// A profile that is saved and loaded has its passwords, and a file that is not ours does no harm.
#[test]
fn a_profile_keeps_passwords() {
    let profile = Profile::new();
    profile.keep(&password("ada", ORIGIN, "x"));
    profile.set_never_keeps("https://never.example", true);
    let loaded = Profile::from_json(&profile.to_json().to_string()).unwrap();
    assert_eq!(loaded.passwords(), profile.passwords());
    assert!(loaded.never_keeps("https://never.example"));
    let text = r#"{"kept": {"passwords": [{"id": "", "origin": "x", "password": ""}]}}"#;
    assert_eq!(Profile::from_json(text).unwrap().passwords(), []);
}

/// A file that somebody wrote by hand says an origin as it likes; it is the one that the page has all the same.
#[test]
fn an_origin_is_compared_as_it_is_serialized() {
    let text = r#"{"kept": {
        "passwords": [{"id": "ada", "origin": "https://ACCOUNT.example.com/", "password": "old"}],
        "federated": [{"id": "ada", "origin": "https://account.example.com:443",
            "provider": "https://idp.example/"}]}}"#;
    let loaded = || Profile::from_json(text).unwrap();
    let profile = loaded();
    assert_eq!(profile.passwords()[0].origin(), ORIGIN);
    profile.keep(&password("ada", ORIGIN, "new"));
    let kept = profile.passwords();
    assert_eq!((kept.len(), kept[0].password().expose()), (1, "new"), "replaced");
    profile.keep(&federated("ada", "https://idp.example", None));
    assert_eq!(profile.federated().len(), 1, "replaced");
    let profile = loaded();
    for kind in [CredentialType::Password, CredentialType::Federated] {
        assert_eq!(profile.remove(kind, ORIGIN, "eve"), 0);
        assert_eq!(profile.remove(kind, "https://www.example.com", "ada"), 0);
        assert_eq!(profile.remove(kind, ORIGIN, "ada"), 1);
    }
    assert_eq!(loaded().remove(CredentialType::Password, "https://Account.example.com/", "ada"), 1);
}
