//! The provider's pages: signing in and out, going on, reading about an error; and its keys.

use std::fmt::Write;

use serde_json::json;

use super::Provider;
use crate::entropy;
use crate::entry::Objection;
use crate::message::{Draft, Request};

/// The cookie of a session.
const COOKIE: &str = "session";
/// What the pages may do.
const POLICY: &str =
    "default-src 'none'; script-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'";

impl Provider {
    /// The accounts that are signed in in the session that a request is of.
    pub(super) fn session(&self, request: &Request) -> &[String] {
        let mut names = request.cookies().filter(|(name, _)| *name == COOKIE);
        let found = names.find_map(|(_, value)| self.sessions.get(value));
        found.map_or(&[], Vec::as_slice)
    }

    /// A page that is none of the protocol's endpoints.
    pub(super) fn page(&mut self, now: u64, request: &Request) -> Result<Draft, Objection> {
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/") => Ok(self.front(request)),
            ("GET", "/jwks") => Ok(Draft::json(200, self.seal.keys())),
            ("GET", "/continue") => self.go_on(now, request),
            ("GET", "/error") => {
                let code = escaped(&request.asked("code").unwrap_or_default());
                Ok(page("What went wrong", &format!("<p>The provider said: {code}</p>")))
            }
            ("POST", "/logout") => self.logout(request),
            (_, "/" | "/jwks" | "/continue" | "/error" | "/logout") => Err(Objection::Method),
            _ => Err(Objection::UnknownPath),
        }
    }

    fn front(&self, request: &Request) -> Draft {
        let names = self.session(request).join(", ");
        let who = if names.is_empty() { "nobody".to_owned() } else { escaped(&names) };
        let body = format!(
            "<p>Signed in: {who}</p><p><a href=/login>Sign in</a></p>\
             <form method=post action=/logout><button>Sign out</button></form>"
        );
        page("A scripted identity provider", &body)
    }

    /// The page with a button for each account, and what they do.
    pub(super) fn login(&mut self, request: &Request) -> Draft {
        if request.method == "POST" {
            return self.sign_in(request);
        }
        let hint = request.asked("login_hint").unwrap_or_default();
        let mut buttons = String::new();
        for account in &self.setup.accounts {
            if !hint.is_empty() && !account.login_hints.contains(&hint) {
                continue;
            }
            let name = account.name.as_ref().unwrap_or(&account.id);
            let (id, name) = (escaped(&account.id), escaped(name));
            let _ = write!(buttons, "<p><button name=account value=\"{id}\">{name}</button></p>");
        }
        let all = "<p><button name=account value=\"*\">Everybody</button></p>";
        let form = format!("<form method=post action=/login>{buttons}{all}</form>");
        page("Sign in", &form)
    }

    /// Signs in whoever is named, besides those who are.
    fn sign_in(&mut self, request: &Request) -> Draft {
        let mut ids = self.session(request).to_vec();
        let form = request.form();
        let wanted: Vec<_> = form.iter().filter(|(name, _)| name == "account").collect();
        for account in &self.setup.accounts {
            let is_meant = wanted.iter().any(|(_, value)| value == "*" || *value == account.id);
            if is_meant && !ids.contains(&account.id) {
                ids.push(account.id.clone());
            }
        }
        let known = |value: &String| value == "*" || ids.contains(value);
        let name = entropy::name().filter(|_| !ids.is_empty());
        let (true, Some(name)) = (wanted.iter().all(|(_, value)| known(value)), name) else {
            return refusal_page(400);
        };
        self.sessions.insert(name.clone(), ids);
        let cookie = format!("{COOKIE}={name}; Path=/; Secure; HttpOnly; SameSite=None");
        let close = "<p>You are signed in.</p>\
            <script>globalThis.IdentityProvider?.close?.()</script>";
        page("Signed in", close).header("Set-Login", "logged-in").header("Set-Cookie", &cookie)
    }

    fn logout(&mut self, request: &Request) -> Result<Draft, Objection> {
        if request.header("origin").is_some_and(|origin| origin != self.origin) {
            return Err(Objection::OtherOrigin);
        }
        let names = request.cookies().filter(|(name, _)| *name == COOKIE);
        let names: Vec<String> = names.map(|(_, value)| value.to_owned()).collect();
        for name in names {
            self.sessions.take(&name);
        }
        let cookie = format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=None; Max-Age=0");
        let page = page("Signed out", "<p>You are signed out.</p>");
        Ok(page.header("Set-Login", "logged-out").header("Set-Cookie", &cookie))
    }

    /// Ends a continuation, by a script of the page; or with JSON for who asks for that and runs no scripts.
    fn go_on(&mut self, now: u64, request: &Request) -> Result<Draft, Objection> {
        let (token, account) = self.continuation(now, request)?;
        let accept = request.header("accept").unwrap_or_default();
        let mut kinds = accept.split(',').filter_map(|range| range.split(';').next());
        if kinds.any(|kind| kind.trim() == "application/json") {
            return Ok(Draft::json(200, json!({"token": token, "account_id": account})));
        }
        let (token, account) = (script_text(&token), script_text(&account));
        let body = format!(
            "<p><button id=go>Go on</button></p><script>\
             document.getElementById('go').onclick = () => \
             IdentityProvider.resolve({token}, {{accountId: {account}}});</script>"
        );
        Ok(page("One more step", &body))
    }
}

/// A text as a literal of a script inside a page.
fn script_text(text: &str) -> String {
    json!(text).to_string().replace('<', "\\u003c")
}

fn refusal_page(status: u16) -> Draft {
    let mut page = page("That did not work", "<p>Nobody of that name is known here.</p>");
    page.status = status;
    page
}

/// A page of HTML; the body is safe already.
pub(super) fn page(title: &str, body: &str) -> Draft {
    let text = format!(
        "<!doctype html><meta charset=utf-8><title>{title}</title><h1>{title}</h1>{body}\n"
    );
    Draft::html(200, text)
        .header("Content-Security-Policy", POLICY)
        // With less, browsers would send the page's own forms with `Origin: null`.
        .header("Referrer-Policy", "same-origin")
}

/// A text as it may stand in a page and in its attributes.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}
