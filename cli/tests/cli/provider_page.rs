//! What pages of an identity provider call, through the program: `softkey get-user-info` and `softkey set-login-status`.

use std::fs;
use std::process::Output;

use serde_json::{Value, json};

use crate::identity::{CONFIG, World, given, refused, said};

const FRAME: [&str; 4] =
    ["--origin", "https://login.idp.example", "--top-origin", "https://rp.example"];

/// A frame of the provider's asks.
fn user_info(world: &World, words: &[&str]) -> Output {
    let words = [&["get-user-info"], &FRAME[..], words].concat();
    world.with_servers(&words, &json!({"configURL": CONFIG, "clientId": "rp"}))
}

fn set_status(world: &World, words: &[&str]) -> Output {
    world.softkey(&[&["set-login-status"], words].concat(), "")
}

/// Once an account is connected with the page, the frame learns who is there, and each request can be looked at; before, and
/// in a page with which none is connected, it learns nothing and nothing is asked.
#[test]
fn a_frame_of_the_provider_learns_who_is_there() {
    let world = World::new(&[]);
    world.log_in("*");
    let nobody = "NetworkError: No account of the provider is connected";
    refused(&user_info(&world, &["--verbose"]), &[nobody]);
    assert!(!said(&user_info(&world, &["--verbose"])).contains("GET "));
    given(&world.get("passive", "required", &["--account", "1"]));

    let output = user_info(&world, &["--json", "--verbose"]);
    assert!(output.status.success(), "{}", said(&output));
    let infos = String::from_utf8(output.stdout.clone()).unwrap();
    let infos: Vec<Value> = infos.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    assert_eq!(infos.len(), 2, "those that are not connected, too");
    assert_eq!(
        (&infos[0]["email"], &infos[0]["name"]),
        (&json!("ada@idp.example"), &json!("Ada Lovelace"))
    );
    let log = String::from_utf8(output.stderr).unwrap();
    let asked = |line: &str| {
        Some(serde_json::from_str::<Value>(line).unwrap()["request"]["endpoint"].clone())
    };
    let asked: Vec<_> = log.lines().filter_map(asked).collect();
    assert_eq!(asked, ["wellKnown", "config", "accounts"]);

    let output = user_info(&world, &[]);
    assert!(output.status.success(), "{}", said(&output));
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.starts_with("email \"ada@idp.example\", name \"Ada Lovelace\""), "{told}");
    let words = ["get-user-info", FRAME[0], FRAME[1], "--top-origin", "https://other.example"];
    let options = json!({"configURL": CONFIG, "clientId": "rp"});
    refused(&world.with_servers(&words, &options), &[nobody]);
}

/// The caller is in a frame, and the provider's; the options are a dictionary: else the exception is named.
#[test]
fn a_call_for_user_info_that_fails() {
    let world = World::new(&[]);
    world.log_in("*");
    given(&world.get("passive", "required", &["--account", "1"]));
    let options = json!({"configURL": CONFIG, "clientId": "rp"});
    let output =
        world.with_servers(&["get-user-info", "--origin", "https://login.idp.example"], &options);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    for (options, code, told) in [
        (json!({"configURL": "https://idp.example/c", "clientId": "rp"}), 1, "InvalidStateError: "),
        (
            json!({"configURL": "https://idp.example/c", "clientId": "rp"}),
            1,
            "try: --origin with the origin of the config file",
        ),
        (json!({"clientId": "rp"}), 3, "TypeError: "),
        (json!([]), 3, "TypeError: "),
        (json!("x"), 3, "TypeError: "),
    ] {
        let output = world.with_servers(&[&["get-user-info"], &FRAME[..]].concat(), &options);
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        assert!(output.stdout.is_empty() && said(&output).contains(told), "{}", said(&output));
    }
}

/// A provider that stops answering after somebody was connected.
#[test]
fn a_provider_that_fails_tells_nothing() {
    let before = World::new(&[]);
    before.log_in("*");
    given(&before.get("passive", "required", &["--account", "1"]));
    let world = World::new(&["accounts:status=500"]);
    fs::copy(before.path("profile.json"), world.path("profile.json")).unwrap();
    refused(
        &user_info(&world, &[]),
        &[
            "NetworkError: The answer of the accounts endpoint cannot be used: the status is 500",
            "try: --verbose",
        ],
    );
}

/// What a provider's page says of its login is heeded by the next sign-in, in another process.
#[test]
fn a_login_status_is_heeded() {
    let world = World::new(&[]);
    world.log_in("1");
    let own = ["--origin", "https://login.idp.example"];
    // As people write it.
    let typed = ["logged-out", "--origin", "HTTPS://Login.IDP.example:443/"];
    let output = set_status(&world, &typed);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "https://login.idp.example says \"logged-out\".\n"
    );
    refused(&world.get("passive", "optional", &["--yes"]), &["nobody is signed in there"]);
    let output = set_status(&world, &[&["logged-in", "--json"], &own[..]].concat());
    let told = json!({"origin": "https://login.idp.example", "loginStatus": "logged-in"});
    assert_eq!(given(&output), told);
    given(&world.get("passive", "optional", &["--yes"]));
}

/// Another word, a frame of another site: told with the exception, and the status stays.
#[test]
fn a_login_status_that_is_refused() {
    let world = World::new(&[]);
    world.log_in("1");
    let own = ["--origin", "https://login.idp.example"];
    for (word, code, words, told) in [
        ("signed-out", 3, &[][..], "TypeError: "),
        ("", 3, &[], "TypeError: "),
        (
            "logged-out",
            1,
            &["--top-origin", "https://rp.example"],
            "try: --top-origin of the same site",
        ),
    ] {
        let output = set_status(&world, &[&[word], &own[..], words].concat());
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        assert!(said(&output).contains(told) && output.stdout.is_empty(), "{}", said(&output));
    }
    let nowhere = set_status(&world, &["logged-out", "--origin", "login.idp.example"]);
    assert_eq!(nowhere.status.code(), Some(3));
    let told = "try: scheme and host, such as https://login.idp.example";
    assert!(said(&nowhere).contains(told), "{}", said(&nowhere));
    given(&world.get("passive", "optional", &["--yes"]));
    // A frame of the same site may.
    let words = [&["logged-out"], &own[..], &["--top-origin", "https://www.idp.example"]].concat();
    assert!(set_status(&world, &words).status.success());
    refused(&world.get("passive", "optional", &["--yes"]), &["nobody is signed in there"]);
}
