//! What holds for every request that goes to a provider, whatever the test is about (fedcm.md section 2, the table), told
//! by the paths of the scripted provider and not by the client's own notion of endpoints; and plants that show that the
//! judge refuses what breaks it.

use softkey_client::FetchRequest;
use softkey_client::fetch::Method;

/// The headers that a request must have, those that it may have, and its method.
fn rule(url: &str) -> (&'static [&'static str], &'static [&'static str], Method) {
    const FORM: &[&str] = &["Accept", "Sec-Fetch-Dest", "Origin", "Content-Type"];
    let path = url.split('?').next().unwrap().rsplit('/').next().unwrap();
    match path {
        "accounts" | "a" => (&["Accept", "Sec-Fetch-Dest"], &["Cookie"], Method::Get),
        "metadata" => (&["Accept", "Sec-Fetch-Dest", "Origin"], &[], Method::Get),
        "assert" | "t" | "disconnect" => (FORM, &["Cookie"], Method::Post),
        "ada.png" | "ada" | "gone" => (&["Sec-Fetch-Dest"], &[], Method::Get),
        _ => (&["Accept", "Sec-Fetch-Dest"], &[], Method::Get),
    }
}

/// Which rule a request breaks.
pub(crate) fn judge(request: &FetchRequest) -> Result<(), String> {
    let (must, may, method) = rule(&request.url);
    let names: Vec<&str> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
    let fails = |what: &str| Err(format!("{what}: {} {names:?}", request.url));
    if request.method != method {
        return fails("another method");
    }
    if must.iter().any(|name| names.iter().filter(|other| other == &name).count() != 1) {
        return fails("a header is missing or there twice");
    }
    if names.iter().any(|name| !must.contains(name) && !may.contains(name)) {
        return fails("a header too much");
    }
    for (name, value) in &request.headers {
        let picture = must.len() == 1;
        let right = match name.as_str() {
            "Accept" => value == "application/json",
            "Sec-Fetch-Dest" => value == if picture { "image" } else { "webidentity" },
            "Content-Type" => value == "application/x-www-form-urlencoded",
            "Origin" => !value.ends_with('/'),
            _ => true,
        };
        if !right {
            return fails("a header has another value");
        }
    }
    if request.body.is_empty() != (method == Method::Get) {
        return fails("a body");
    }
    let trusted = request.url.starts_with("https://");
    if trusted { Ok(()) } else { fails("an untrusted way") }
}

/// Planted: each rule broken once.
#[test]
fn the_judge_refuses_what_breaks_a_rule() {
    let config = || {
        FetchRequest::get("https://login.idp.example/fedcm.json")
            .header("Accept", "application/json")
            .header("Sec-Fetch-Dest", "webidentity")
    };
    assert_eq!(judge(&config()), Ok(()));
    let refused = |request: FetchRequest, what: &str| {
        let verdict = judge(&request).unwrap_err();
        assert!(verdict.starts_with(what), "{verdict}");
    };
    for extra in ["Cookie", "Origin", "Referer"] {
        refused(config().header(extra, "https://rp.example"), "a header too much");
    }
    refused(config().header("Accept", "application/json"), "a header is missing or there twice");
    let mut bare = config();
    bare.headers.pop();
    refused(bare, "a header is missing");
    let mut other = config();
    other.headers[1].1 = "empty".into();
    refused(other, "a header has another value");
    refused(FetchRequest { method: Method::Post, ..config() }, "another method");
    refused(FetchRequest { body: b"x".to_vec(), ..config() }, "a body");
    refused(FetchRequest { url: "http://idp.example/x".into(), ..config() }, "an untrusted way");
}
