//! What a program prints by accident, `Debug` above all, holds no cookie, no token and no form.

use serde_json::json;
use softkey_client::fedcm::{Endpoint, Exchange};
use softkey_client::fetch::Method;
use softkey_client::{FetchRequest, Output};

use crate::world::*;

/// Headers that are known to be harmless are shown, of all others the names; of bodies the length; of a URL all but
/// what the query says.
#[test]
fn debug_leaves_secrets_of_requests_out() {
    let request = FetchRequest {
        method: Method::Post,
        body: b"nonce=secret-1".to_vec(),
        ..FetchRequest::get("https://idp.example/continue?ticket=secret-2#secret-3")
            .header("Cookie", "session=secret-4")
            .header("authorization", "Bearer secret-5")
            .header("origin", RP)
    };
    let url = url::Url::parse("https://idp.example/t?k=secret-6").unwrap();
    let exchange = Exchange::post(Endpoint::IdAssertion, &url, RP, "params=secret-7".into());
    let sent = Output::Send(request.clone());
    for text in [format!("{request:?}"), format!("{request:#?}"), format!("{sent:?}")] {
        assert!(!text.contains("secret"), "{text}");
        for told in ["Post", "https://idp.example/continue?..", "Cookie", "authorization", RP] {
            assert!(text.contains(told), "no {told} in {text}");
        }
        assert!(text.contains("14 bytes"), "{text}");
    }
    let text = format!("{exchange:?}");
    assert!(!text.contains("secret") && text.contains("https://idp.example/t"), "{text}");
    let plain = format!("{:?}", FetchRequest::get("https://a.example/x"));
    assert!(plain.contains("\"https://a.example/x\""), "{plain}");
}

#[test]
fn debug_leaves_secrets_of_responses_out() {
    let headers = [
        ("Set-Cookie", "session=secret-1; Path=/"),
        ("Location", "/next?code=secret-2"),
        ("X-Token", "secret-3"),
        ("content-type", "text/plain"),
        ("Set-Login", "logged-in"),
    ];
    let text = format!("{:?}", response(200, &headers, "{\"token\": \"secret-4\"}"));
    assert!(!text.contains("secret"), "{text}");
    for told in ["200", "Set-Cookie", "Location", "X-Token", "text/plain", "logged-in", "21 bytes"]
    {
        assert!(text.contains(told), "no {told} in {text}");
    }
}

/// A provider that answers with the bare token: the log and the error say that it is a text, not which.
#[test]
fn a_wrong_shape_is_told_without_what_stands_there() {
    let answers = [
        json!("secret-token"),
        json!({"token": null, "continue_on": ["secret-token"]}),
        json!({"error": "secret-token\", expected"}),
        json!({"error": {"error": {"secret-token": 1}}}),
    ];
    for answer in answers {
        let mut world = World::new();
        world.route(ASSERT, cors(200, &answer));
        let rejection = world.try_get(&identity()).unwrap_err();
        let log = world.log();
        let readable: Vec<String> = log.iter().map(ToString::to_string).collect();
        let machine = serde_json::to_string(&log).unwrap();
        let told = format!("{rejection} {rejection:?} {} {machine}", readable.join("\n"));
        assert!(!told.contains("secret"), "{told}");
        assert!(told.contains("the answer is not as it should be: invalid type: "), "{told}");
    }
}
