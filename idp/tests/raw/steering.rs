//! Steering a provider while it runs, which pages may not.

use serde_json::json;

use super::wire::*;

#[test]
fn faults_come_and_go_while_it_runs() {
    let world = World::new();
    let put = |body: &str| world.ask("PUT", "localhost", "/control/faults", &[], body);
    let faults = json!(["accounts:status=401", "config:media-type=text/html"]);
    assert_eq!(put(&faults.to_string()).json(), faults);
    assert_eq!(world.get("127.0.0.1", "/control/faults", &[]).json(), faults);
    assert_eq!(world.fetch("config", None).header("content-type"), Some("text/html"));
    for (wrong, why) in [("{}", "no JSON list"), (r#"["config:silent", "x:y"]"#, "no endpoint")] {
        let heard = put(wrong);
        assert_eq!(heard.status, 400);
        assert!(heard.json()["error"].as_str().unwrap().contains(why), "{}", heard.body);
        assert_eq!(world.get("localhost", "/control/faults", &[]).json(), faults);
    }
    assert_eq!(put("[]").json(), json!([]));
    assert_eq!(world.fetch("config", None).header("content-type"), Some("application/json"));
}

#[test]
fn the_log_is_read_and_emptied() {
    let world = World::new();
    world.fetch("config", None);
    let log = world.get("localhost", "/control/log", &[]).json();
    assert_eq!((log.as_array().unwrap().len(), &log[0]["endpoint"]), (1, &json!("config")));
    assert_eq!(world.ask("DELETE", "localhost", "/control/log", &[], "").status, 200);
    assert_eq!(world.get("localhost", "/control/log", &[]).json(), json!([]));
    assert_eq!(world.get("localhost", "/control/clock", &[]).status, 405);
    assert_eq!(world.get("localhost", "/", &[]).status, 404);
    assert_eq!(world.ask("PUT", "localhost", "/control/clock", &[], "{\"ahead\": -1}").status, 400);
}

/// A page of any site can send requests here; what a browser adds gives it away.
#[test]
fn pages_do_not_steer() {
    let world = World::new();
    for header in [
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "same-origin"),
        ("Sec-Fetch-Mode", "navigate"),
        ("Referer", "https://localhost/"),
    ] {
        let heard = world.ask("PUT", "localhost", "/control/faults", &[header], "[]");
        assert_eq!(heard.status, 403, "{header:?}");
    }
    // Under the provider's own names nothing is steered at all.
    assert_eq!(world.get(IDP, "/control/log", &[]).status, 404);
}
