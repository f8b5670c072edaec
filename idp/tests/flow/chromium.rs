//! Chromium goes a way, headless, by the commands that the standard for drivers has for `FedCM`. About the wall clock: a
//! browser is asked again and again until it has something to say.

use std::collections::VecDeque;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::providers::Providers;
use crate::seen::{Seen, credential, exception};
use crate::walk::{Does, Place, Step, Walk};
use crate::webdriver::{Driver, Session};

/// How long a browser may take for one call of a page.
const PATIENCE: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(25);

/// Readies a call, which `start` makes, and leaves what became of it in `window.out`.
const CALL: &str = "const options = arguments[0];
    const ended = (error) => window.out = {failed: true, name: error.name,
        error: error.error ?? '', url: error.url ?? ''};
    window.out = null;
    window.controller = new AbortController();
    window.start = () => { try { CALLED.then((got) => window.out = got ?? {}, ended); }
        catch (error) { ended(error); } };";
const GET: &str = "navigator.credentials.get({...options, signal: window.controller.signal}).then(
    (got) => ({id: got.id, type: got.type, token: got.token, isAutoSelected: got.isAutoSelected,
        configURL: got.configURL}))";
/// Lets a click leave a mark in the address of the page, and say when it was.
const MARK: &str = "const mark = arguments[0];
    document.getElementById('go').onclick = (event) => {
        window.clicked = event.timeStamp;
        history.replaceState(null, '', mark);
    };";
/// Makes the call, unless most of the five seconds for which a click activates a page are over.
const START: &str = "const inTime = performance.now() - window.clicked < 2500;
    if (inTime) window.start();
    return inTime;";

struct Browser<'d> {
    session: Session<'d>,
    /// The tab of the page.
    tab: String,
    place: Place,
    does: VecDeque<Does>,
    dialogs: Vec<String>,
    /// How often the page was clicked.
    clicks: usize,
}

/// Goes a way in a browser of its own.
pub(crate) fn go(driver: &Driver, walk: &Walk) -> Seen {
    let providers = Providers::of(walk);
    let session = Session::open(driver, &providers.places());
    let mut browser = Browser {
        tab: session.get("/window").unwrap().as_str().unwrap().to_owned(),
        session,
        place: Place::Party,
        does: VecDeque::new(),
        dialogs: Vec::new(),
        clicks: 0,
    };
    let mut outcomes = Vec::new();
    for step in &walk.steps {
        if let Some((script, argument)) = called(step) {
            let clicks = matches!(step, Step::Clicked(_));
            outcomes.push(browser.call(script, &argument, clicks));
            continue;
        }
        match step {
            Step::LogIn(provider, account) => browser.log_in(provider, account),
            Step::Open(place) => browser.open(*place),
            Step::Faults(faults) => {
                let faults = faults.iter().map(|fault| fault.parse().unwrap());
                providers.first.set_faults(faults.collect());
            }
            Step::Person(does) => browser.does = does.iter().copied().collect(),
            Step::Reset => drop(browser.session.post("/fedcm/resetcooldown", &json!({})).unwrap()),
            _ => {
                outcomes.clear();
                browser.dialogs.clear();
                drop(providers.take_asked());
            }
        }
    }
    let (requests, orders) = providers.take_asked();
    Seen { outcomes, dialogs: browser.dialogs, requests, orders }
}

/// The script of a call, if the step is one, and its argument.
fn called(step: &Step) -> Option<(&'static str, Value)> {
    Some(match step {
        Step::Get(options) | Step::Clicked(options) => (GET, options.clone()),
        Step::Disconnect(options) => ("IdentityCredential.disconnect(options)", options.clone()),
        Step::UserInfo(options) => ("IdentityProvider.getUserInfo(options)", options.clone()),
        Step::Prevent => ("navigator.credentials.preventSilentAccess()", json!(null)),
        Step::SetStatus(status) => {
            ("Promise.resolve(navigator.login.setStatus(options))", json!(status))
        }
        Step::Resolve => ("IdentityProvider.resolve('t')", json!(null)),
        Step::Load => ("fetch('/logout', {method: 'POST'}).then(() => ({}))", json!(null)),
        _ => return None,
    })
}

impl Browser<'_> {
    fn log_in(&self, provider: &str, account: &str) {
        self.session.go(&format!("{provider}/login"));
        self.press(account);
        until(|| (self.session.get("/title").ok()? == "Signed in").then_some(()));
    }

    /// Presses the button of an account on the login page.
    fn press(&self, account: &str) {
        let click = format!("document.querySelector('button[value=\"{account}\"]').click()");
        self.session.run(&click, &json!([]));
    }

    fn open(&mut self, place: Place) {
        self.place = place;
        self.session.go(place.url());
        self.enter();
    }

    /// Turns to the page that calls.
    fn enter(&self) {
        if self.place.is_framed() {
            self.session.post("/frame", &json!({"id": 0})).unwrap();
        }
    }

    /// Carries one call of the page to its end.
    fn call(&mut self, script: &str, argument: &Value, clicks: bool) -> Value {
        self.session.run(&CALL.replace("CALLED", script), &json!([argument]));
        if clicks {
            self.start_by_a_click();
        } else {
            self.session.run("window.start()", &json!([]));
        }
        until(|| {
            let out = self.session.run("return window.out", &json!([]));
            if !out.is_null() {
                return Some(end(out));
            }
            if let Ok(kind) = self.session.get("/fedcm/getdialogtype") {
                let told = self.answer(kind.as_str().unwrap_or_default());
                self.dialogs.extend(told);
            }
            let told = self.look_at_pages();
            self.dialogs.extend(told);
            None
        })
    }

    /// Clicks on the page and makes the call. That a click activated a page and that the page calls, Chromium's own process
    /// hears by two pipes, and takes whichever is first: a page that calls at once, in the click, is at times told that
    /// nobody clicked. So the call waits until that process tells the mark in the page's address, which it hears by the
    /// same pipe as of the activation, and later.
    fn start_by_a_click(&mut self) {
        until(|| {
            self.clicks += 1;
            let mark = format!("#clicked-{}", self.clicks);
            self.session.run(MARK, &json!([mark]));
            self.session.click("#go");
            until(|| self.address()?.ends_with(&mark).then_some(()));
            (self.session.run(START, &json!([])) == true).then_some(())
        });
    }

    /// Where the tab is, by the process that takes the calls; `WebDriver` asks the page, which is no answer here.
    fn address(&self) -> Option<String> {
        let ask = json!({"cmd": "Page.getNavigationHistory", "params": {}});
        let history = self.session.post("/goog/cdp/execute", &ask).ok()?;
        let now = usize::try_from(history["currentIndex"].as_u64()?).ok()?;
        Some(history["entries"][now]["url"].as_str()?.to_owned())
    }

    /// Answers the dialog that is open; nothing if it is one that answers itself, or has just gone.
    fn answer(&mut self, kind: &str) -> Option<String> {
        match kind {
            "AccountChooser" => {
                let list = self.session.get("/fedcm/accountlist").ok()?;
                let told: Vec<String> = list.as_array()?.iter().map(entry).collect();
                match self.does.front() {
                    Some(Does::Close) => {
                        self.session.post("/fedcm/canceldialog", &json!({})).ok()?;
                    }
                    Some(Does::Abort) => {
                        self.session.run("window.controller.abort()", &json!([]));
                    }
                    next => {
                        let index = match next {
                            Some(Does::Choose(index)) => *index,
                            _ => 0,
                        };
                        let choice = json!({"accountIndex": index});
                        self.session.post("/fedcm/selectaccount", &choice).ok()?;
                    }
                }
                let done =
                    matches!(self.does.front(), Some(Does::Close | Does::Abort | Does::Choose(_)));
                if done {
                    self.does.pop_front();
                }
                Some(told.join(", "))
            }
            "ConfirmIdpLogin" => {
                if matches!(self.does.front(), Some(Does::LogIn(_))) {
                    self.press_button("ConfirmIdpLoginContinue")?;
                } else {
                    self.session.post("/fedcm/canceldialog", &json!({})).ok()?;
                }
                Some("login".to_owned())
            }
            "Error" => {
                self.press_button("ErrorGotIt")?;
                Some("error".to_owned())
            }
            _ => None,
        }
    }

    fn press_button(&self, button: &str) -> Option<()> {
        let button = json!({"dialogButton": button});
        self.session.post("/fedcm/clickdialogbutton", &button).ok().map(drop)
    }

    /// Does on the provider's page what the person does there, if one was opened.
    fn look_at_pages(&mut self) -> Option<String> {
        let tabs = self.session.get("/window/handles").ok()?;
        let tab = tabs.as_array()?.iter().find(|tab| **tab != self.tab)?.clone();
        self.session.post("/window", &json!({"handle": tab})).ok()?;
        let told = self.visit();
        let turn = |handle: &Value| self.session.post("/window", &json!({"handle": handle}));
        if told.is_some() {
            until(|| {
                let tabs = self.session.get("/window/handles").ok()?;
                (!tabs.as_array()?.contains(&tab)).then_some(())
            });
        }
        turn(&json!(self.tab)).unwrap();
        self.enter();
        told
    }

    fn visit(&mut self) -> Option<String> {
        let ready = "return document.readyState === 'complete' && location.href";
        let url = self.session.post("/execute/sync", &json!({"script": ready, "args": []})).ok()?;
        let url = url.as_str().filter(|url| url.starts_with("https://"))?.to_owned();
        let (page, _) = url.split_once("?ticket=").unwrap_or((&url, ""));
        match self.does.pop_front() {
            Some(Does::LogIn(account)) => self.press(account),
            Some(Does::GoOn) => self.session.click("#go"),
            Some(Does::Wait) => {
                // The window goes while the script runs in it.
                let close = json!({"script": "IdentityProvider.close()", "args": []});
                drop(self.session.post("/execute/sync", &close));
            }
            other => panic!("{other:?} on {url}"),
        }
        Some(format!("page {}", page.trim_start_matches("https://")))
    }
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
