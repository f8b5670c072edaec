//! What a request to one of the endpoints may not look like.

use super::{Provider, is_of};
use crate::endpoint::Endpoint;
use crate::entry::Objection;
use crate::message::{MOST_FIELDS, Request};

/// The fields of a form that gets a token.
const ASSERTION: [&str; 9] = [
    "client_id",
    "nonce",
    "account_id",
    "is_auto_selected",
    "mode",
    "params",
    "fields",
    "disclosure_shown_for",
    "disclosure_text_shown",
];
/// The fields of a form that ends a connection.
const DISCONNECT: [&str; 2] = ["client_id", "account_hint"];

impl Provider {
    /// Everything that is wrong with it: what every endpoint minds first, then what this one does.
    pub(super) fn check(&self, endpoint: Endpoint, request: &Request) -> Vec<Objection> {
        let has_form = endpoint.is_posted() || endpoint == Endpoint::Login;
        if has_form && request.form().len() > MOST_FIELDS {
            return vec![Objection::TooManyFields];
        }
        let mut wrong = common(endpoint, request);
        match endpoint {
            Endpoint::Accounts => wrong.extend(self.no_session(request)),
            Endpoint::ClientMetadata => {
                let id = request.asked("client_id");
                wrong.extend(self.client_wrong(id.as_deref(), request));
            }
            Endpoint::IdAssertion | Endpoint::Disconnect => {
                self.form_wrong(endpoint == Endpoint::IdAssertion, request, &mut wrong);
            }
            Endpoint::Login if request.method == "POST" => {
                let page = request.header("origin").filter(|origin| *origin != self.origin);
                wrong.extend(page.map(|_| Objection::OtherOrigin));
            }
            Endpoint::WellKnown | Endpoint::Config | Endpoint::Picture | Endpoint::Login => {}
        }
        wrong
    }

    fn no_session(&self, request: &Request) -> Option<Objection> {
        self.session(request).is_empty().then_some(Objection::NoSession)
    }

    /// Does the origin belong to the client?
    fn client_wrong(&self, id: Option<&str>, request: &Request) -> Option<Objection> {
        let Some(id) = id else { return Some(Objection::Missing("client_id")) };
        let Some(client) = self.client(id) else {
            return Some(Objection::UnknownClient(brief(id)));
        };
        let origin = request.header("origin")?;
        (!is_of(client, origin)).then_some(Objection::OtherOrigin)
    }

    fn form_wrong(&self, is_assertion: bool, request: &Request, wrong: &mut Vec<Objection>) {
        let form = request.form();
        let field = |wanted: &str| {
            form.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
        };
        wrong.extend(self.client_wrong(field("client_id"), request));
        wrong.extend(self.no_session(request));
        let account = if is_assertion { "account_id" } else { "account_hint" };
        match field(account) {
            None => wrong.push(Objection::Missing(account)),
            Some(id) if is_assertion && !self.session(request).iter().any(|one| one == id) => {
                wrong.push(Objection::UnknownAccount(brief(id)));
            }
            Some(_) => {}
        }
        if is_assertion {
            wrong.extend(values_wrong(&field));
        }
        let known: &[&str] = if is_assertion { &ASSERTION } else { &DISCONNECT };
        let mut seen = Vec::new();
        for (name, _) in &form {
            if !known.contains(&name.as_str()) || seen.contains(&name) {
                wrong.push(Objection::Surplus(brief(name)));
            }
            seen.push(name);
        }
    }
}

/// Enough of what a client said to know it again: an objection does not repeat it at length.
fn brief(text: &str) -> String {
    const MOST: usize = 100;
    text.chars().take(MOST).collect()
}

fn values_wrong<'f>(field: &impl Fn(&str) -> Option<&'f str>) -> Vec<Objection> {
    let one_of = |name: &'static str, values: &[&str]| {
        let wrong = field(name).is_some_and(|value| !values.contains(&value));
        wrong.then_some(Objection::Value(name))
    };
    let automatic = match field("is_auto_selected") {
        None => Some(Objection::Missing("is_auto_selected")),
        Some(_) => one_of("is_auto_selected", &["true", "false"]),
    };
    let params = field("params")
        .filter(|text| serde_json::from_str::<serde_json::Value>(text).is_err())
        .map(|_| Objection::Value("params"));
    let rest = [
        one_of("mode", &["passive", "active"]),
        one_of("disclosure_text_shown", &["true", "false"]),
        params,
    ];
    automatic.into_iter().chain(rest.into_iter().flatten()).collect()
}

/// The rules that hold everywhere.
fn common(endpoint: Endpoint, request: &Request) -> Vec<Objection> {
    let mut wrong = Vec::new();
    let method = match endpoint {
        Endpoint::Login => matches!(request.method.as_str(), "GET" | "POST"),
        _ => request.method == if endpoint.is_posted() { "POST" } else { "GET" },
    };
    if !method {
        wrong.push(Objection::Method);
    }
    if endpoint == Endpoint::Login {
        return wrong;
    }
    let dest = request.header("sec-fetch-dest");
    // The draft has the former for pictures, Chromium sends the latter.
    let image = endpoint == Endpoint::Picture && dest == Some("image");
    if dest != Some("webidentity") && !image {
        wrong.push(Objection::FetchDest(dest.map(brief)));
    }
    let kind = request.header("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if endpoint.is_posted() && !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        wrong.push(Objection::ContentType);
    }
    let origin = request.header("origin").filter(|origin| *origin != "null");
    if endpoint.has_origin() && origin.is_none() {
        wrong.push(Objection::NoOrigin);
    }
    if !endpoint.has_origin() && origin.is_some() {
        wrong.push(Objection::OriginTold);
    }
    let accept = request.header("accept").unwrap_or_default();
    if endpoint != Endpoint::Picture && !accept.contains("application/json") {
        wrong.push(Objection::Accept);
    }
    if request.header("referer").is_some() {
        wrong.push(Objection::Referrer);
    }
    if !endpoint.has_cookies() && request.header("cookie").is_some() {
        wrong.push(Objection::Cookies);
    }
    wrong
}
