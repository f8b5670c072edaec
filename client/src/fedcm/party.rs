//! Who asks, and how it speaks with providers: each request with its cookies, its time and its entry in the log, and the
//! fetch of a config file with all that belongs to it.

use std::time::Duration;

use url::Url;

use super::desk::Desk;
use super::exchange::Answered;
use super::log::LogEntry;
use super::memory::Connection;
use super::settings::FedCmSettings;
use super::{Config, Endpoint, Exchange, Failure, Fault, WellKnown, is_same_site};
use crate::cookies::Reach;
use crate::fetch::{FetchFault, FetchRequest, FetchResponse};
use crate::origin::serialized;
use crate::page::Page;
use crate::profile::Profile;

/// A page as a client of providers.
pub(super) struct Party {
    pub(super) profile: Profile,
    pub(super) settings: FedCmSettings,
    /// The serialized origin of the page.
    pub(super) origin: String,
    /// The serialized origin of the top-level page.
    pub(super) embedder: String,
    connect_src: Option<Vec<String>>,
}

impl Party {
    pub(super) fn of(page: &Page) -> Self {
        Self {
            profile: page.profile().clone(),
            settings: page.profile().settings().fed_cm,
            origin: page.serialized_origin().to_owned(),
            embedder: page.top_origin().to_owned(),
            connect_src: page.connect_src().map(<[String]>::to_vec),
        }
    }

    /// Is `FedCM` off here?
    pub(super) fn is_disabled(&self) -> bool {
        let is_here = |origin: &String| serialized(origin) == self.embedder;
        self.settings.off || self.settings.off_for.iter().any(is_here)
    }

    /// How long one answer may take.
    pub(super) const fn limit(&self) -> Duration {
        Duration::from_millis(self.settings.time_limit)
    }

    /// Is the page of the site of this URL? A page without an origin is of none.
    pub(super) fn is_of_site(&self, url: &Url) -> bool {
        Url::parse(&self.origin).is_ok_and(|own| is_same_site(&own, url))
    }

    /// Is the page of another site than the top-level page around it?
    pub(super) fn is_foreign(&self) -> bool {
        !Url::parse(&self.embedder).is_ok_and(|embedder| self.is_of_site(&embedder))
    }

    /// `configURL` as a URL, relative to the page.
    pub(super) fn config_url(&self, text: &str) -> Result<Url, Failure> {
        Url::options()
            .base_url(Url::parse(&self.origin).ok().as_ref())
            .parse(text)
            .map_err(|_| Failure::NoUrl)
    }

    /// May the page connect there?
    pub(super) fn check_connect_src(&self, url: &Url) -> Result<(), Failure> {
        let origin = url.origin().ascii_serialization();
        let allowed = |listed: &Vec<String>| listed.contains(&origin);
        if self.connect_src.as_ref().is_none_or(allowed) {
            Ok(())
        } else {
            Err(Failure::ContentSecurityPolicy)
        }
    }

    /// The connection of an account.
    pub(super) fn connection(&self, provider: &Url, account: &str) -> Connection {
        Connection {
            embedder: self.embedder.clone(),
            relying_party: self.origin.clone(),
            provider: provider.origin().ascii_serialization(),
            account: account.to_owned(),
        }
    }

    /// The accounts of a provider that are connected with the page.
    pub(super) fn connections(&self, provider: &Url) -> Vec<Connection> {
        let like = self.connection(provider, "");
        let mut all = self.profile.connections();
        all.retain(|one| Connection { account: String::new(), ..one.clone() } == like);
        all
    }

    /// Fetches the config file, and the well-known file if one is needed, and compares them.
    pub(super) async fn configured(&self, desk: &Desk, url: &Url) -> Result<Config, Failure> {
        self.check_connect_src(url)?;
        // The one rule that it can break.
        let ask = Config::ask(url).map_err(|_| Failure::NotTrustworthy)?;
        let well_known = match self.ask_well_known(url) {
            Some(exchange) => Some(self.fetch(desk, exchange, WellKnown::read).await),
            None => None,
        };
        let file = well_known.as_ref().and_then(|fetched| fetched.as_ref().ok());
        let read = |exchange: &mut Exchange, answer: Answered<'_>| {
            Config::read(exchange, answer, url, file).map(Some)
        };
        let config = self.fetch(desk, ask, read).await?;
        if let Some(Err(failure)) = well_known {
            return Err(failure);
        }
        Ok(config)
    }

    fn ask_well_known(&self, config_url: &Url) -> Option<Exchange> {
        if self.is_of_site(config_url) {
            return None;
        }
        let provider = config_url.origin().ascii_serialization();
        let mut places = self.settings.well_known.iter();
        let elsewhere = places.find(|(origin, _)| serialized(origin) == provider);
        match elsewhere.and_then(|(_, place)| Url::parse(place).ok()) {
            Some(place) => Some(Exchange::get(Endpoint::WellKnown, &place, "")),
            None => WellKnown::at_site(config_url),
        }
    }

    /// Carries an exchange to its end.
    pub(super) async fn fetch<T>(
        &self,
        desk: &Desk,
        mut exchange: Exchange,
        read: impl Fn(&mut Exchange, Answered<'_>) -> Result<Option<T>, Fault>,
    ) -> Result<T, Failure> {
        loop {
            let (request, answer) = self.send(desk, &exchange).await;
            let read = read(&mut exchange, answer.as_ref().map_err(|fault| *fault));
            self.note(exchange.endpoint(), request, &answer, read.as_ref().err());
            match read {
                Ok(Some(value)) => return Ok(value),
                Ok(None) => {}
                Err(fault) => return Err(Failure::of(exchange.endpoint(), fault, self.limit())),
            }
        }
    }

    /// Sends what an exchange wants sent, with cookies where it has them; gives what was sent as well.
    pub(super) async fn send(
        &self,
        desk: &Desk,
        exchange: &Exchange,
    ) -> (FetchRequest, Result<FetchResponse, FetchFault>) {
        let mut request = exchange.request().clone();
        request.time_limit = self.limit();
        let credentials = exchange.endpoint().has_cookies();
        let cookies = self.profile.cookies(desk.now(), exchange.url(), Reach::CrossSite);
        if let Some(cookies) = cookies.filter(|_| credentials) {
            request = request.header("Cookie", &cookies);
        }
        let answer = desk.send(request.clone()).await;
        if let (true, Ok(response)) = (credentials, &answer) {
            self.profile.keep_cookies(desk.now(), exchange.url(), response);
        }
        (request, answer)
    }

    /// Writes into the log.
    pub(super) fn note(
        &self,
        endpoint: Endpoint,
        request: FetchRequest,
        answer: &Result<FetchResponse, FetchFault>,
        fault: Option<&Fault>,
    ) {
        let status = answer.as_ref().ok().map(|response| response.status);
        let entry = LogEntry { endpoint, request, status, fault: fault.cloned() };
        self.profile.fedcm(|memory| memory.log.note(entry));
    }
}
