//! Chromium goes through a scenario, headless, by the commands that the standard for drivers has for `FedCM`. About the wall clock: a
//! browser is asked again and again until it has something to say.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use softkey_idp::Server;

use crate::ours::{self, IDP, RP};
use crate::scenarios::{Act, CONFIG, Scenario};
use crate::seen::{Seen, asked, credential, exception};
use crate::webdriver::{Driver, Session};

/// How long a browser may take for one call of a page.
const PATIENCE: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(50);

/// Starts a call and leaves what became of it in `window.out`.
const GET: &str = "window.out = null;
    navigator.credentials.get(arguments[0]).then(
        (got) => window.out = {id: got.id, type: got.type, token: got.token,
            isAutoSelected: got.isAutoSelected, configURL: got.configURL},
        (error) => window.out = {failed: true, name: error.name,
            error: error.error ?? '', url: error.url ?? ''});";
const DISCONNECT: &str = "window.out = null;
    IdentityCredential.disconnect(arguments[0]).then(
        () => window.out = {},
        (error) => window.out = {failed: true, name: error.name, error: '', url: ''});";

/// Goes through a scenario in a browser of its own.
pub(crate) fn run(driver: &Driver, scenario: &Scenario) -> Seen {
    let server = ours::provider();
    let session = Session::open(driver, server.address().port());
    if !scenario.login.is_empty() {
        log_in(&session, scenario.login);
    }
    session.go(&format!("{RP}/"));
    let mut dialogs = Vec::new();
    if scenario.act != Act::Get {
        let first = Scenario { mediation: "optional", ..scenario.clone() };
        let got = call(&session, GET, &ours::options(&first), &mut dialogs);
        assert!(got.get("token").is_some(), "{}: {got}", scenario.name);
        dialogs.clear();
        // What the throttle of automatic sign-ins remembers is forgotten.
        session.post("/fedcm/resetcooldown", &json!({})).unwrap();
    }
    finish(scenario, &server, &session, dialogs)
}

fn finish(
    scenario: &Scenario,
    server: &Server,
    session: &Session<'_>,
    mut dialogs: Vec<String>,
) -> Seen {
    server.take_log();
    server.set_faults(scenario.faults.iter().map(|fault| fault.parse().unwrap()).collect());
    let outcome = if scenario.act == Act::Disconnect {
        let options = json!({"configURL": CONFIG, "clientId": "rp", "accountHint": "1"});
        call(session, DISCONNECT, &options, &mut dialogs)
    } else {
        call(session, GET, &ours::options(scenario), &mut dialogs)
    };
    Seen { outcome, dialogs, requests: asked(&server.take_log()) }
}

fn log_in(session: &Session<'_>, form: &str) {
    let account = form.strip_prefix("account=").unwrap();
    session.go(&format!("{IDP}/login"));
    let click = format!("document.querySelector('button[value=\"{account}\"]').click()");
    session.run(&click, &json!([]));
    until(|| (session.get("/title").ok()? == "Signed in").then_some(()));
}

/// Carries one call of the page to its end, and answers every dialog as the scenarios' person does.
fn call(session: &Session<'_>, script: &str, options: &Value, dialogs: &mut Vec<String>) -> Value {
    session.run(script, &json!([options]));
    until(|| {
        let out = session.run("return window.out", &json!([]));
        if !out.is_null() {
            return Some(end(out));
        }
        if let Ok(kind) = session.get("/fedcm/getdialogtype") {
            dialogs.extend(answer(session, kind.as_str().unwrap_or_default()));
        }
        None
    })
}

fn end(mut out: Value) -> Value {
    if out["failed"] == true {
        let text = |name: &str| out[name].as_str().unwrap_or_default().to_owned();
        return exception(&text("name"), &text("error"), &text("url"));
    }
    if out.get("token").is_some() {
        out = credential(out);
    }
    out
}

/// Answers the dialog that is open; nothing if it is one that answers itself, or has just gone.
fn answer(session: &Session<'_>, kind: &str) -> Option<String> {
    match kind {
        "AccountChooser" => {
            let list = session.get("/fedcm/accountlist").ok()?;
            let told: Vec<String> = list.as_array()?.iter().map(entry).collect();
            session.post("/fedcm/selectaccount", &json!({"accountIndex": 0})).ok()?;
            Some(told.join(", "))
        }
        "ConfirmIdpLogin" => {
            session.post("/fedcm/canceldialog", &json!({})).ok()?;
            Some("login".to_owned())
        }
        "Error" => {
            let button = json!({"dialogButton": "ErrorGotIt"});
            session.post("/fedcm/clickdialogbutton", &button).ok()?;
            Some("error".to_owned())
        }
        _ => None,
    }
}

fn entry(account: &Value) -> String {
    let text = |name: &str| account[name].as_str().unwrap_or_default();
    let links = if text("privacyPolicyUrl").is_empty() { "" } else { " with links" };
    format!("{} {}{links}", text("accountId"), text("loginState"))
}

fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "the browser says nothing");
        thread::sleep(PAUSE);
    }
}
