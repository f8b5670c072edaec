//! Pages of identity providers, where the person signs in or goes on. They are fetched with the cookies of the browser
//! profile, forms are filled in as a file says, and no script of theirs runs: a login page has closed itself once nothing is
//! left to fill in, and a page to go on at has resolved with the token that it gives as JSON.
#![allow(
    clippy::doc_markdown,
    rustdoc::bare_urls,
    reason = "some of these comments are the text of --help, where backticks are noise"
)]

mod form;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;
use softkey_client::fedcm::{Token, is_same_site, is_trustworthy};
use softkey_client::fetch::Method;
use softkey_client::{
    Answer, Fetch, FetchFault, FetchRequest, FetchResponse, Page, Profile, Question,
};
use softkey_ctap::Instant;
use url::{Url, form_urlencoded};

use self::form::{Fields, Submission, forms};
use crate::error::{CliError, Exit};
use crate::text::{quoted, rp_id};

/// How many redirects are followed on the way to a page.
const MOST_REDIRECTS: usize = 20;
/// What a login page is asked for as.
const HTML: &str = "text/html";
/// And a page to go on at.
const JSON_OR_HTML: &str = "application/json, text/html;q=0.9";

/// How the person deals with identity providers.
#[derive(Clone, Debug, Default, Args)]
pub struct ProviderArgs {
    /// What to fill in on pages of identity providers: a JSON file such as {"https://login.example": [{"user": "ada",
    /// "password": ".."}]}
    ///
    /// For each origin the forms that may be sent from its pages, each at most once: a form of the page is meant that has
    /// all of these fields. Its other fields are sent as they are, and its first button is pressed unless one is named.
    /// No script of a page runs. With this, --yes or a terminal such pages are visited where one is needed: a login page
    /// counts as closed once nothing is left to fill in, and whether the person is signed in then is for its header
    /// Set-Login to say; a page to go on at must end with JSON that has the members token and, if it is another,
    /// account_id.
    #[arg(long, value_name = "FILE")]
    pub forms: Option<PathBuf>,

    /// Show each request to an identity provider with its headers, and which rule its answer broke; without cookies' values
    ///
    /// And how providers want to look where an account is chosen. On standard error; with --json as a line {"request": ..}
    /// or {"branding": ..} each.
    #[arg(long)]
    pub verbose: bool,
}

impl ProviderArgs {
    /// Reads the forms.
    ///
    /// # Errors
    ///
    /// [`Exit::BadInput`].
    pub(super) fn open(&self) -> Result<Forms, CliError> {
        self.forms.as_deref().map_or_else(|| Ok(Forms::default()), read)
    }
}

/// What may be filled in, by the origin of the page.
#[derive(Default)]
pub(super) struct Forms(BTreeMap<String, Vec<Fields>>);

/// A person's browser on its way through pages.
pub(super) struct Pages<'a> {
    pub(super) profile: &'a Profile,
    pub(super) fetch: &'a mut dyn Fetch,
    pub(super) forms: &'a mut Forms,
    /// What the clock says.
    pub(super) now: Instant,
    /// What the person is told, a line each.
    pub(super) told: Vec<String>,
}

/// Where the way ended.
struct Arrived {
    url: Url,
    response: FetchResponse,
}

/// Why a page cannot be had.
enum Stuck {
    Fetch(FetchFault),
    Redirects,
    /// It is neither `https` nor on this machine.
    Untrustworthy,
    /// What was filled in would go to another site.
    OtherSite,
}

impl Pages<'_> {
    /// The login page at this URL.
    pub(super) fn log_in(&mut self, url: &str) -> Answer {
        if self.visit(url, HTML).is_some() { Answer::Yes } else { Answer::No }
    }

    /// The page at this URL, on which the person goes on, as this question wants it.
    pub(super) fn go_on(&mut self, url: &str, question: &Question) -> Answer {
        let Some(Arrived { url, response }) = self.visit(url, JSON_OR_HTML) else {
            return Answer::No;
        };
        let members: Option<Value> = serde_json::from_slice(&response.body).ok();
        let member = |name: &str| members.as_ref()?.get(name).filter(|it| !it.is_null()).cloned();
        let Some(token) = member("token") else {
            self.told.push(format!("{} gave no JSON with a token.", place(&url)));
            return Answer::No;
        };
        let account_id = member("account_id").and_then(|id| id.as_str().map(str::to_owned));
        let mut page = Page::new(self.profile, &url.origin().ascii_serialization());
        page.show_for(question);
        page.resolve_identity(Token::new(token), account_id).unwrap_or_else(|rejection| {
            self.told.push(format!("{}: {}", place(&url), rejection.cause));
            Answer::No
        })
    }

    /// Goes to a page and on from it, as long as there is something to fill in.
    fn visit(&mut self, url: &str, accept: &str) -> Option<Arrived> {
        let mut url = Url::parse(url).ok()?;
        let mut request = self.profile.navigation(self.now, url.as_str());
        loop {
            let arrived = match self.go(url.clone(), request, accept) {
                Ok(arrived) => arrived,
                Err(stuck) => {
                    self.told.push(format!("{}: {}.", place(&url), stuck.text()));
                    return None;
                }
            };
            self.told.push(format!(
                "{} answered with {}.",
                place(&arrived.url),
                arrived.response.status
            ));
            let Some((fields, filled)) = self.fill_in(&arrived) else { return Some(arrived) };
            self.told.push(format!("Filled in {fields}."));
            match self.submit(&arrived.url, &filled) {
                Ok((next, form)) => (url, request) = (next, form),
                Err(stuck) => {
                    self.told.push(format!("{}: {}.", place(&arrived.url), stuck.text()));
                    return None;
                }
            }
        }
    }

    /// Sends a request and follows redirects, each with the cookies of its place.
    fn go(
        &mut self,
        mut url: Url,
        mut request: FetchRequest,
        accept: &str,
    ) -> Result<Arrived, Stuck> {
        for _ in 0..=MOST_REDIRECTS {
            if !is_trustworthy(&url) {
                return Err(Stuck::Untrustworthy);
            }
            let sent = request.clone().header("Accept", accept);
            let response = self.fetch.fetch(&sent).map_err(Stuck::Fetch)?;
            self.profile.navigated(self.now, url.as_str(), &response);
            let location = response.header("Location").and_then(|next| url.join(next).ok());
            let (Some(next), 301 | 302 | 303 | 307 | 308) = (location, response.status) else {
                return Ok(Arrived { url, response });
            };
            let again = matches!(response.status, 307 | 308) && request.method == Method::Post;
            if again && !is_same_site(&next, &url) {
                return Err(Stuck::OtherSite);
            }
            let onward = self.profile.navigation(self.now, next.as_str());
            let body = std::mem::take(&mut request.body);
            request = if again { posted(onward, &url, body) } else { onward };
            url = next;
        }
        Err(Stuck::Redirects)
    }

    /// The first form that fits what may be filled in here and was not yet, and the names of its fields for the person.
    fn fill_in(&mut self, arrived: &Arrived) -> Option<(String, Submission)> {
        let kind = arrived.response.header("Content-Type").unwrap_or_default();
        let known = self.forms.0.get_mut(&arrived.url.origin().ascii_serialization())?;
        let page = if kind.to_ascii_lowercase().starts_with(HTML) {
            forms(&arrived.response.body)
        } else {
            Vec::new()
        };
        let (place, filled) = known.iter().enumerate().find_map(|(place, fields)| {
            page.iter().find_map(|form| form.filled(fields)).map(|filled| (place, filled))
        })?;
        let names: Vec<_> = known.remove(place).keys().map(|name| quoted(name)).collect();
        let names = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
        Some((names, filled))
    }

    fn submit(&self, page: &Url, filled: &Submission) -> Result<(Url, FetchRequest), Stuck> {
        let mut url =
            page.join(&filled.action).map_err(|_| Stuck::Fetch(FetchFault::BadRequest))?;
        if !is_same_site(&url, page) {
            return Err(Stuck::OtherSite);
        }
        let mut form = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &filled.entries {
            form.append_pair(name, value.expose());
        }
        let form = form.finish();
        if !filled.post {
            url.set_query(Some(&form));
        }
        let request = self.profile.navigation(self.now, url.as_str());
        let request = if filled.post { posted(request, page, form.into_bytes()) } else { request };
        Ok((url, request))
    }
}

/// A POST of a form that a page of this URL had.
fn posted(request: FetchRequest, page: &Url, body: Vec<u8>) -> FetchRequest {
    let request = request
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("Origin", &page.origin().ascii_serialization());
    FetchRequest { method: Method::Post, body, ..request }
}

impl Stuck {
    fn text(&self) -> String {
        match self {
            Self::Fetch(fault) => fault.to_string(),
            Self::Redirects => "it redirects too often".into(),
            Self::Untrustworthy => "it leads to a page that is neither https nor local".into(),
            Self::OtherSite => "what was filled in would go to another site".into(),
        }
    }
}

/// A URL for people, without what may be secret.
fn place(url: &Url) -> String {
    rp_id(&format!("{}{}", url.origin().ascii_serialization(), url.path()))
}

fn read(path: &Path) -> Result<Forms, CliError> {
    let wrong = |why: &str| {
        CliError::new(
            Exit::BadInput,
            format!("The forms cannot be read from {}: {why}.", path.display()),
            "{\"https://login.example\": [{\"user\": \"ada\"}]}",
        )
    };
    let text = fs::read_to_string(path).map_err(|error| wrong(&error.to_string()))?;
    // What JSON says about it may quote a password, so only the place is told.
    let forms: BTreeMap<String, Vec<Fields>> = serde_json::from_str(&text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        wrong(&format!("it is no such JSON from line {line}, column {column} on"))
    })?;
    let mut by_origin: BTreeMap<String, Vec<Fields>> = BTreeMap::new();
    for (name, fields) in forms {
        let url = Url::parse(&name).ok();
        let is_origin =
            |url: &Url| url.path() == "/" && url.query().is_none() && is_trustworthy(url);
        let url = url.filter(is_origin);
        let url =
            url.ok_or_else(|| wrong(&format!("{} is no origin with https", quoted(&name))))?;
        by_origin.entry(url.origin().ascii_serialization()).or_default().extend(fields);
    }
    Ok(Forms(by_origin))
}

#[cfg(test)]
mod tests;
