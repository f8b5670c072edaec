//! A sign-in from beginning to end: what is sent, with which headers, what is asked, what the page gets and what is
//! remembered (fedcm.md sections 1.1, 2 and 4).

use serde_json::{Value, json};
use softkey_client::fedcm::Endpoint::{Accounts, ClientMetadata, Config, IdAssertion, WellKnown};
use softkey_client::fedcm::{
    AccountChoice, Branding, Connection, Disclosure, Fault, Icon, LoginStatus,
};
use softkey_client::{FetchFault, Frame, Page, Profile, Question};

use crate::world::*;

fn headers(world: &World, url: &str) -> Vec<String> {
    let sent = world.servers.sent.iter().find(|sent| sent.url.starts_with(url)).unwrap();
    sent.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect()
}

/// Cookies that the user has at the provider.
fn visit(world: &World, cookies: &[&str]) {
    let headers: Vec<_> = cookies.iter().map(|cookie| ("Set-Cookie", *cookie)).collect();
    let answer = response(200, &headers, "");
    world.page.profile().navigated(world.now, &format!("{IDP}/login"), &answer);
}

#[test]
fn a_page_gets_a_token() {
    let mut world = World::new();
    let expected = json!({"id": "", "type": "identity", "token": "a token",
        "isAutoSelected": false, "configURL": CONFIG});
    assert_eq!(world.get(&identity()), Ok(Some(expected)));
    let form = "client_id=client&account_id=1&is_auto_selected=false&fields=name%2Cemail%2Cpicture\
        &disclosure_shown_for=name%2Cemail%2Cpicture&disclosure_text_shown=true";
    assert_eq!(world.form(), form);
    let order = [
        format!("GET {WELL_KNOWN}"),
        format!("GET {CONFIG}"),
        format!("GET {ACCOUNTS}"),
        format!("GET {METADATA}?client_id=client"),
        format!("POST {ASSERT}"),
    ];
    assert_eq!(world.sent(), order);
    let connection = Connection {
        embedder: RP.into(),
        relying_party: RP.into(),
        provider: IDP.into(),
        account: "1".into(),
    };
    assert_eq!(world.page.profile().connections(), [connection]);
    assert_eq!(world.page.profile().login_status(IDP), LoginStatus::LoggedIn);
}

/// Section 2, the table: cookies, `Origin` and the other headers of each request.
#[test]
fn each_request_has_its_headers() {
    let mut world = World::new();
    visit(&world, &["s=1; SameSite=None; Secure; Path=/", "lax=2; Path=/"]);
    world.get(&identity()).unwrap();
    let plain = ["Accept: application/json", "Sec-Fetch-Dest: webidentity"];
    let (origin, cookie) = ("Origin: https://rp.example", "Cookie: s=1");
    let form = "Content-Type: application/x-www-form-urlencoded";
    assert_eq!(headers(&world, WELL_KNOWN), plain);
    assert_eq!(headers(&world, CONFIG), plain);
    assert_eq!(headers(&world, ACCOUNTS), [plain[0], plain[1], cookie]);
    assert_eq!(headers(&world, METADATA), [plain[0], plain[1], origin]);
    assert_eq!(headers(&world, ASSERT), [plain[0], plain[1], origin, form, cookie]);
}

/// Cookies of answers are kept where the request had cookies, and nowhere else; `Set-Login` there is nothing.
#[test]
fn answers_set_cookies_where_they_are_sent() {
    let mut world = World::new();
    let mut answer = json_response(&json!({"accounts": [ada()]}));
    answer.headers.push(("Set-Cookie".into(), "a=1; SameSite=None; Secure; Path=/".into()));
    answer.headers.push(("Set-Login".into(), "logged-out".into()));
    world.route(ACCOUNTS, answer);
    let mut file = json_response(&config_file());
    file.headers.push(("Set-Cookie".into(), "c=1; SameSite=None; Secure; Path=/".into()));
    world.route(CONFIG, file);
    world.get(&identity()).unwrap();
    assert_eq!(headers(&world, ASSERT).last().unwrap(), "Cookie: a=1");
    assert_eq!(world.page.profile().login_status(IDP), LoginStatus::LoggedIn);
}

/// The log says what was sent and which rule refused the answer, without the values of cookies.
#[test]
fn the_log_tells_what_browsers_hide() {
    let mut world = World::new();
    visit(&world, &["s=4711; SameSite=None; Secure; Path=/"]);
    world.route(ASSERT, json_response(&json!({"token": "t"})));
    world.get(&identity()).unwrap_err();
    let log = world.log();
    let endpoints: Vec<_> = log.iter().map(|entry| entry.endpoint).collect();
    assert_eq!(endpoints, [WellKnown, Config, Accounts, ClientMetadata, IdAssertion]);
    let last = log.last().unwrap();
    assert_eq!((last.status, last.fault.clone()), (Some(200), Some(Fault::AllowOrigin(None))));
    let text = last.to_string();
    assert!(
        text.contains("POST https://login.idp.example/assert") && text.contains("account_id=1")
    );
    assert!(text.contains("Cookie: s=...") && !text.contains("4711"), "{text}");
    assert!(text.ends_with("refused: Access-Control-Allow-Origin is missing"), "{text}");
    assert!(world.log().is_empty());
}

/// The log as JSON has each part of the readable one in a member of its own, and the rule by its name.
#[test]
fn the_log_is_there_for_programs_too() {
    let mut world = World::new();
    visit(&world, &["s=4711; SameSite=None; Secure; Path=/"]);
    world.route(ASSERT, json_response(&json!({"token": "t"})));
    world.get(&identity()).unwrap_err();
    let log = serde_json::to_value(world.log()).unwrap();
    assert_eq!(
        log[1],
        json!({"endpoint": "config", "method": "GET", "url": CONFIG, "headers": [
            {"name": "Accept", "value": "application/json"},
            {"name": "Sec-Fetch-Dest", "value": "webidentity"},
        ], "body": "", "status": 200, "fault": null, "refused": null})
    );
    let last = &log[4];
    assert_eq!((&last["endpoint"], &last["method"]), (&json!("idAssertion"), &json!("POST")));
    assert!(last["body"].as_str().unwrap().contains("account_id=1"), "{last}");
    assert_eq!(last["fault"], json!({"allowOrigin": null}));
    assert_eq!(last["refused"], "Access-Control-Allow-Origin is missing");
    let cookie = json!({"name": "Cookie", "value": "s=..."});
    assert!(last["headers"].as_array().unwrap().contains(&cookie), "{last}");
    assert!(!log.to_string().contains("4711"), "{log}");

    world.breaks(WELL_KNOWN, FetchFault::NoSuchHost);
    world.get(&identity()).unwrap_err();
    let log = serde_json::to_value(world.log()).unwrap();
    assert_eq!(log[0]["status"], json!(null));
    assert_eq!(log[0]["fault"], json!({"notFetched": "noSuchHost"}));
}

/// It has the last 256 requests: a page that asks again and again fills no memory.
#[test]
fn the_log_has_an_end() {
    let mut world = World::new();
    for _ in 0..52 {
        world.get(&identity()).unwrap();
        world.page.profile().clear_site(RP);
    }
    let last = world.servers.sent.last().unwrap().url.clone();
    let log = world.log();
    assert!(world.servers.sent.len() > 256);
    assert_eq!((log.len(), &log[255].request.url), (256, &last));
}

/// Section 2.5: what the person is told is what they were shown; a connected account is not told again.
#[test]
fn a_sign_up_discloses_what_it_gives() {
    let mut world = World::new();
    world.get(&with(&json!({"fields": ["tel", "shoe"]}))).unwrap();
    let Question::Account(dialog) = &world.asked[0] else { panic!("no dialog") };
    assert_eq!((dialog.origin.as_str(), dialog.embedder.as_str()), (RP, RP));
    let AccountChoice::Account { connected, disclosure, account, .. } = &dialog.choices[0] else {
        panic!("no account")
    };
    assert_eq!((account.id.as_str(), *connected), ("1", false));
    let expected = Disclosure {
        fields: vec!["tel".into()],
        privacy_policy_url: Some("https://rp.example/p".into()),
        terms_of_service_url: None,
    };
    assert_eq!(disclosure.as_ref(), Some(&expected));
    assert!(world.form().ends_with("&fields=tel%2Cshoe&disclosure_shown_for=tel"));

    let mut required = identity();
    required["mediation"] = json!("required");
    world.get(&required).unwrap();
    let Question::Account(dialog) = &world.asked[1] else { panic!("no dialog") };
    let AccountChoice::Account { connected, disclosure, .. } = &dialog.choices[0] else {
        panic!("no account")
    };
    assert_eq!((*connected, disclosure), (true, &None));
    assert!(!world.form().contains("disclosure"));
    let asked = world.sent().iter().filter(|line| line.contains(METADATA)).count();
    assert_eq!(asked, 1, "links are for those who sign up");
}

/// Section 2.5: `fields: []` asks for nothing, so nothing is said and no metadata are fetched.
#[test]
fn no_fields_no_disclosure() {
    let mut world = World::new();
    world.get(&with(&json!({"fields": []}))).unwrap();
    assert_eq!(world.form(), "client_id=client&account_id=1&is_auto_selected=false");
    assert!(!world.sent().iter().any(|line| line.contains(METADATA)));
    let Question::Account(dialog) = &world.asked[0] else { panic!("no dialog") };
    assert!(matches!(dialog.choices[0], AccountChoice::Account { disclosure: None, .. }));
}

/// Section 2.4: across sites the provider is told the embedder, whatever the fields.
#[test]
fn a_foreign_frame_names_its_embedder() {
    let own = Frame::new(RP).allow(softkey_client::Feature::IdentityCredentialsGet);
    let frames = [Frame::new("https://top.example")];
    let mut world = World::of(Page::framed(&Profile::new(), frames, own));
    world.get(&with(&json!({"fields": []}))).unwrap();
    let metadata =
        format!("GET {METADATA}?client_id=client&top_level_origin=https%3A%2F%2Ftop.example");
    assert!(world.sent().contains(&metadata));
    let connection = &world.page.profile().connections()[0];
    assert_eq!(connection.embedder, "https://top.example");
    assert_eq!(connection.relying_party, RP);
}

/// Section 1.2: `params` go as compact JSON, the legacy `nonce` as a field of its own.
#[test]
fn params_and_nonce_reach_the_provider() {
    let mut world = World::new();
    let members = json!({"nonce": "n 1", "params": {"nonce": "m", "scope": ["a"]}, "fields": []});
    world.get(&with(&members)).unwrap();
    let expected = "client_id=client&nonce=n+1&account_id=1&is_auto_selected=false\
        &params=%7B%22nonce%22%3A%22m%22%2C%22scope%22%3A%5B%22a%22%5D%7D";
    assert_eq!(world.form(), expected);
}

/// Section 1.1: a token is any JSON.
#[test]
fn a_token_is_whatever_the_provider_sends() {
    for token in
        [json!({"a": [1, null]}), json!(["a"]), json!(7), json!(""), json!(false), json!(null)]
    {
        let mut world = World::new();
        world.route(ASSERT, cors(200, &json!({"token": token})));
        let got = world.get(&identity()).unwrap().unwrap();
        assert_eq!(got.get("token"), Some(&token));
    }
}

/// Section 2.1: no well-known file for the site itself; elsewhere if the owner says so.
#[test]
fn the_well_known_file_is_where_it_is_said_to_be() {
    let mut world = World::of(Page::new(&Profile::new(), "https://www.idp.example"));
    world.get(&identity()).unwrap_err();
    assert_eq!(world.sent()[0], format!("GET {CONFIG}"));

    let mut world = World::new();
    let place = "https://login.idp.example:8443/w";
    let known = json!({"provider_urls": [], "accounts_endpoint": ACCOUNTS,
        "login_url": "https://login.idp.example/login"});
    world.route(place, json_response(&known));
    world.page.profile().set(|settings| {
        settings.fed_cm.well_known.insert(IDP.into(), place.into());
    });
    world.get(&identity()).unwrap();
    assert_eq!(world.sent()[0], format!("GET {place}"));
}

/// Section 2, pictures: without cookies, redirects followed, and one that cannot be had, or not be trusted on its way, is none.
#[test]
fn pictures_are_fetched() {
    let mut world = World::new();
    let mut account = ada();
    account["picture"] = json!("/ada.png");
    let mut other = ada();
    other["id"] = json!("2");
    other["picture"] = json!("https://pictures.example/gone");
    let mut plain = ada();
    plain["id"] = json!("3");
    plain["picture"] = json!("http://pictures.example/plain");
    world.accounts(&[account, other, plain]);
    visit(&world, &["s=1; SameSite=None; Secure; Path=/"]);
    let to = "https://pictures.example/ada";
    world.route(&format!("{IDP}/ada.png"), response(302, &[("Location", to)], ""));
    world.route(to, response(200, &[("Content-Type", "image/png")], "PNG"));
    world.route("https://pictures.example/gone", response(404, &[], "none"));
    world.get(&identity()).unwrap();
    assert_eq!(headers(&world, &format!("{IDP}/ada.png")), ["Sec-Fetch-Dest: image"]);
    let Question::Account(dialog) = &world.asked[0] else { panic!("no dialog") };
    let pictures: Vec<_> = dialog.choices.iter().map(picture).collect();
    assert_eq!(pictures, [Some(b"PNG".to_vec()), None, None]);
    assert!(!world.sent().iter().any(|line| line.contains("plain")), "it was not asked for");

    // Before the hints are looked at: who has which account is not told by what is fetched (section 4 step 2).
    world.get(&with(&json!({"loginHint": "nobody"}))).unwrap_err();
    assert!(world.sent().iter().any(|line| line.ends_with("/ada.png")));
    world.page.profile().set(|settings| settings.fed_cm.pictures = false);
    world.get(&identity()).unwrap();
    assert!(!world.sent().iter().any(|line| line.contains("ada.png")));
}

fn picture(choice: &AccountChoice) -> Option<Vec<u8>> {
    match choice {
        AccountChoice::Account { picture, .. } => picture.clone(),
        _ => None,
    }
}

/// Section 4 step 2: the hints of the page and the label of the config file.
#[test]
fn hints_and_label_thin_accounts_out() {
    let account = |id: &str| {
        json!({"id": id, "name": id, "login_hints": [id], "domain_hints": [format!("{id}.example")],
            "label_hints": ["staff"]})
    };
    let plain = json!({"id": "plain", "name": "plain"});
    let offered = |members: Value, label: Option<&str>| {
        let mut world = World::new();
        world.accounts(&[account("a"), account("b"), plain.clone()]);
        if let Some(label) = label {
            world.config("account_label", json!(label));
        }
        world.get(&with(&members)).unwrap();
        let Question::Account(dialog) = world.asked.remove(0) else { panic!("no dialog") };
        let ids = dialog.choices.into_iter().map(|choice| match choice {
            AccountChoice::Account { account, .. } => account.id,
            other => panic!("{other:?}"),
        });
        ids.collect::<Vec<_>>()
    };
    assert_eq!(offered(json!({}), None), ["a", "b", "plain"]);
    assert_eq!(offered(json!({"loginHint": "b"}), None), ["b"]);
    assert_eq!(offered(json!({"domainHint": "a.example"}), None), ["a"]);
    assert_eq!(offered(json!({"domainHint": "any"}), None), ["a", "b"]);
    assert_eq!(offered(json!({}), Some("staff")), ["a", "b"]);
}

/// Section 2.2: the label as Chrome once nested it; the member of today comes first, and a filter may be empty.
#[test]
fn the_label_may_be_nested() {
    let offered = |file: Value| {
        let mut world = World::new();
        let staff = json!({"id": "2", "name": "Bob", "label_hints": ["staff"]});
        world.accounts(&[ada(), staff]);
        let mut all = config_file();
        all.as_object_mut().unwrap().extend(file.as_object().unwrap().clone());
        world.route(CONFIG, json_response(&all));
        world.get(&identity()).unwrap();
        let Question::Account(dialog) = world.asked.remove(0) else { panic!("no dialog") };
        dialog.choices.len()
    };
    assert_eq!(offered(json!({"accounts": {"include": "staff"}})), 1);
    assert_eq!(offered(json!({"accounts": {}})), 2);
    assert_eq!(offered(json!({"accounts": {"include": ""}})), 2);
    assert_eq!(offered(json!({"accounts": {"include": "gone"}, "account_label": "staff"})), 1);
}

/// Section 2.2: what the provider wants to look like is there for who shows the dialog. Icons are resolved against the
/// config file, may be of any origin, and are gone if they cannot be trusted on their way; none is fetched.
#[test]
fn the_dialog_has_the_branding() {
    let mut world = World::new();
    let icons = json!([
        {"url": "icon.png", "size": 40}, {"url": "https://pictures.example/i"},
        {"url": "http://pictures.example/i"}, {"url": "https://"}, {"url": "data:image/png,x"},
    ]);
    let branding = json!({"background_color": "#205080", "color": "white", "icons": icons,
        "name": "The provider", "of_tomorrow": 1});
    world.config("branding", branding);
    world.get(&identity()).unwrap();
    let Question::Account(dialog) = &world.asked[0] else { panic!("no dialog") };
    let icon = |url: &str, size| Icon { url: url.into(), size };
    let expected = Branding {
        background_color: Some("#205080".into()),
        color: Some("white".into()),
        icons: vec![
            icon("https://login.idp.example/icon.png", Some(40)),
            icon("https://pictures.example/i", None),
        ],
        name: Some("The provider".into()),
    };
    assert_eq!(dialog.brandings, [(CONFIG.to_owned(), expected)].into());
    assert!(!world.sent().iter().any(|line| line.contains("icon") || line.contains("pictures")));
}

/// Section 2.2: what nobody needs to sign in spoils no sign-in. Where it is of another type it is as if it were not there,
/// each member and each icon for itself.
#[test]
fn a_config_member_of_another_type_is_left_out() {
    let dialog = |member: &str, value: Value| {
        let mut world = World::new();
        world.config(member, value);
        world.get(&identity()).unwrap();
        let Question::Account(dialog) = world.asked.remove(0) else { panic!("no dialog") };
        dialog
    };
    let plain = dialog("of_tomorrow", json!(1));
    for (member, value) in [
        ("branding", json!("blue")),
        ("branding", json!([])),
        ("branding", json!(["blue", "white", [], "The provider"])),
        ("branding", json!(null)),
        ("branding", json!({"icons": null, "color": null})),
        ("branding", json!({"icons": {"url": "i"}, "name": ["The", "provider"]})),
        ("branding", json!({"icons": [null, "i", 7, {"size": 40}, {"url": 7}, ["i", 40]]})),
        ("accounts", json!("staff")),
        ("accounts", json!(["staff"])),
        ("accounts", json!({"include": ["staff"]})),
        ("account_label", json!(["staff"])),
        ("account_label", json!(null)),
        ("supports_use_other_account", json!("yes")),
        ("supports_use_other_account", json!(null)),
    ] {
        assert_eq!(dialog(member, value.clone()), plain, "{member}: {value}");
    }
    let some = json!({"color": 7, "background_color": "blue", "name": "The provider", "icons": [
        {"size": 40}, {"url": "a", "size": -1}, {"url": "b", "size": "large"}, {"url": "c", "size": 40},
    ]});
    let icon = |name: &str, size| Icon { url: format!("https://login.idp.example/{name}"), size };
    let expected = Branding {
        background_color: Some("blue".into()),
        color: None,
        icons: vec![icon("a", None), icon("b", None), icon("c", Some(40))],
        name: Some("The provider".into()),
    };
    assert_eq!(dialog("branding", some).brandings, [(CONFIG.to_owned(), expected)].into());
}

/// Several providers share one dialog; the account's own provider is asked for the token.
#[test]
fn several_providers_are_offered_together() {
    let mut world = World::new();
    let bob = json!({"accounts": [{"id": "9", "email": "bob@other.example"}]});
    let options = world.and_another(json_response(&bob), "bob's");
    world.person(|_, _| choice(1));
    let credential = world.get(&options).unwrap().unwrap();
    assert_eq!((&credential["token"], &credential["configURL"]), (&json!("bob's"), &json!(OTHER)));
    let Question::Account(dialog) = &world.asked[0] else { panic!("no dialog") };
    assert_eq!(dialog.choices.len(), 2);
}

/// `configURL` is relative to the page, and given back as it was.
#[test]
fn a_config_url_may_be_relative() {
    let mut world = World::of(Page::new(&Profile::new(), IDP));
    let mut options = with(&json!({"configURL": "/fedcm.json"}));
    options["identity"]["context"] = json!("continue");
    let mut answer = cors(200, &json!({"token": "t"}));
    answer.headers[1].1 = IDP.into();
    world.route(ASSERT, answer);
    assert_eq!(world.get(&options).unwrap().unwrap()["configURL"], "/fedcm.json");
}

/// A page without an origin is `null` to the provider.
#[test]
fn an_opaque_page_is_null() {
    let own = Frame::new("null").allow(softkey_client::Feature::IdentityCredentialsGet);
    let mut world = World::of(Page::framed(&Profile::new(), [Frame::new(RP)], own));
    world.page.set_secure(true);
    let mut answer = cors(200, &json!({"token": "t"}));
    answer.headers[1].1 = "null".into();
    world.route(ASSERT, answer);
    assert_eq!(token(world.get(&identity())), "t");
    assert!(headers(&world, ASSERT).contains(&"Origin: null".to_owned()));
}
