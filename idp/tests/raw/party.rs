//! The relying party, from the nonce to the claims.

use serde_json::{Value, json};

use super::wire::*;

fn admit(world: &World, token: &str, nonce: &str) -> (u16, Value) {
    let body = json!({"token": token, "nonce": nonce}).to_string();
    let heard = world.ask("POST", RP, "/sign-in", &[], &body);
    (heard.status, heard.json())
}

fn token(world: &World, nonce: &str) -> String {
    let cookie = world.sign_in("account=1");
    let headers = [DEST, JSON, FORM, ORIGIN, ("Cookie", &cookie)];
    let answer =
        world.ask("POST", IDP, "/id-assertion", &headers, &format!("{ASSERTING}&nonce={nonce}"));
    answer.json()["token"].as_str().unwrap().to_owned()
}

fn nonce(world: &World) -> String {
    world.ask("POST", RP, "/nonce", &[], "").json()["nonce"].as_str().unwrap().to_owned()
}

/// A nonce is good once, a token until it expires, and only both together.
#[test]
fn a_token_signs_in_once() {
    let world = World::new();
    let first = nonce(&world);
    let good = token(&world, &first);
    let (status, body) = admit(&world, &good, &first);
    assert_eq!((status, &body["claims"]["sub"]), (200, &json!("1")));
    let refused = |got: (u16, Value), why: &str| assert_eq!(got, (401, json!({"error": why})));
    let again = admit(&world, &good, &first);
    refused(again, "the nonce is not from here, or was used");
    let second = nonce(&world);
    refused(admit(&world, &good, &second), "the token has another nonce");

    let third = nonce(&world);
    let late = token(&world, &third);
    let ahead = world.ask("PUT", "localhost", "/control/clock", &[], r#"{"ahead": 300}"#);
    assert_eq!(ahead.status, 200);
    refused(admit(&world, &late, &third), "the token has expired");
    for body in ["", "{}", "[]", "{\"token\": 1}"] {
        assert_eq!(world.ask("POST", RP, "/sign-in", &[], body).status, 400);
    }
}

#[test]
fn the_page_asks_for_its_own_client() {
    let world = World::new();
    let page = world.get(RP, "/", &[]);
    assert!(page.body.contains(r#""clientId":"rp""#), "{}", page.body);
    assert!(page.body.contains(r#""configURL":"https://login.idp.example/fedcm.json""#));
    assert_eq!(world.get(RP, "/privacy", &[]).status, 200);
    assert_eq!(world.get(RP, "/nonce", &[]).status, 405);
    assert_eq!(world.get(RP, "/fedcm.json", &[]).status, 404);
}

/// Documents stand before everything else at their place.
#[test]
fn documents_are_where_they_are_put() {
    let place = "https://rp.example/.well-known/webauthn";
    let list = r#"{"origins": []}"#;
    let setup = softkey_idp::Setup::default().document(place, "application/json", list);
    let setup = setup.document("https://other.example/", "text/plain", "hello");
    let setup = setup.document("https://Bare.example:443", "text/plain", "bare");
    let world = World::of(setup);
    assert_eq!(world.get(RP, "/.well-known/webauthn", &[]).json(), json!({"origins": []}));
    let other = world.get("other.example", "/", &[]);
    assert_eq!((other.body.as_str(), other.header("content-type")), ("hello", Some("text/plain")));
    assert_eq!(world.get("other.example", "/x", &[]).status, 421);
    for host in ["bare.example", "BARE.example", "bare.example:8443"] {
        let text = format!("GET /?a=b HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let heard = Heard::of(&world.say("bare.example", text.as_bytes()).unwrap());
        assert_eq!(heard.body, "bare", "{host}");
    }
}
