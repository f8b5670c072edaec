//! A profile as `FedCM` knows it: login status, connected accounts, cookies, cooldown, the log.

use softkey_ctap::Instant;
use std::time::Duration;
use url::Url;

use super::log::LogEntry;
use super::memory::{Connection, LoginStatus};
use super::{is_same_site, is_trustworthy};
use crate::cookies::Reach;
use crate::fetch::{FetchRequest, FetchResponse};
use crate::origin::serialized;
use crate::profile::Profile;

impl Profile {
    /// Tells what a wall clock says at an instant of the calls' clock: the time since the beginning of 1970. Cookies,
    /// cooldown and throttles go by it, also in a saved profile. Without it the calls' clock began then.
    pub fn set_wall_clock(&self, now: Instant, since_1970: Duration) {
        let millis = u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX);
        self.set_epoch(millis.saturating_sub(now.as_millis()));
    }

    /// Is the person signed in to the provider of this origin?
    #[must_use]
    pub fn login_status(&self, origin: &str) -> LoginStatus {
        let origin = serialized(origin);
        self.fedcm(|memory| memory.login.get(&origin).copied().unwrap_or_default())
    }

    /// Says so.
    pub fn set_login_status(&self, origin: &str, status: LoginStatus) {
        let origin = serialized(origin);
        self.fedcm(|memory| match status {
            LoginStatus::Unknown => memory.login.remove(&origin),
            status => memory.login.insert(origin, status),
        });
    }

    /// A page called `preventSilentAccess()`: the user is involved in its next sign-in, also with a provider.
    pub(crate) fn prevent_silent_access(&self, origin: &str) {
        self.set_prevent_silent_access(origin, true);
        self.fedcm(|memory| memory.signed_out.insert(origin.to_owned()));
    }

    /// The connected accounts, for their owner to look through.
    #[must_use]
    pub fn connections(&self) -> Vec<Connection> {
        self.fedcm(|memory| memory.connected.iter().cloned().collect())
    }

    /// Connects an account, as a sign-in does.
    pub fn connect(&self, connection: Connection) {
        self.fedcm(|memory| memory.connected.insert(connection.serialized()));
    }

    /// Forgets a connected account; was there one?
    #[allow(clippy::must_use_candidate, reason = "who removes need not know")]
    pub fn remove_connection(&self, connection: &Connection) -> bool {
        self.fedcm(|memory| memory.connected.remove(&connection.clone().serialized()))
    }

    /// Ends the pauses after dialogs that were closed and after automatic sign-ins.
    pub fn reset_cooldown(&self) {
        self.fedcm(super::memory::Memory::reset_cooldown);
    }

    /// What was sent to providers since the last call, the oldest first; not more than the last 256 requests.
    #[must_use]
    pub fn take_fedcm_log(&self) -> Vec<LogEntry> {
        self.fedcm(|memory| memory.log.take())
    }

    /// What the user's way to a page is asked with: a GET with the cookies that they have there.
    #[must_use]
    pub fn navigation(&self, now: Instant, url: &str) -> FetchRequest {
        let request = FetchRequest::get(url).header("Sec-Fetch-Dest", "document");
        match Url::parse(url).ok().and_then(|url| self.cookies(now, &url, Reach::Everywhere)) {
            Some(cookies) => request.header("Cookie", &cookies),
            None => request,
        }
    }

    /// The user went to a page: its cookies and its header `Set-Login` are heeded.
    pub fn navigated(&self, now: Instant, url: &str, response: &FetchResponse) {
        let Ok(url) = Url::parse(url) else { return };
        self.keep_cookies(now, &url, response);
        self.heed_login(&url, response);
    }

    /// A frame of this origin, with these around it, loaded something: its header `Set-Login` is heeded if all of them
    /// are of the site that it is of.
    pub fn loaded(&self, frames: &[&str], url: &str, response: &FetchResponse) {
        let Ok(url) = Url::parse(url) else { return };
        let is_same =
            |frame: &&str| Url::parse(frame).is_ok_and(|frame| is_same_site(&frame, &url));
        if !frames.is_empty() && frames.iter().all(is_same) {
            self.heed_login(&url, response);
        }
    }

    fn heed_login(&self, url: &Url, response: &FetchResponse) {
        let status = response.header("Set-Login").and_then(LoginStatus::from_header);
        if let Some(status) = status.filter(|_| is_trustworthy(url)) {
            self.set_login_status(&url.origin().ascii_serialization(), status);
        }
    }

    /// Heeds the cookies of an answer.
    pub(crate) fn keep_cookies(&self, now: Instant, url: &Url, response: &FetchResponse) {
        let seconds = self.wall(now) / 1000;
        self.fedcm(|memory| {
            for (name, value) in &response.headers {
                if name.eq_ignore_ascii_case("Set-Cookie") {
                    memory.cookies.set(seconds, url, value);
                }
            }
        });
    }

    /// The value of the header `Cookie`.
    pub(crate) fn cookies(&self, now: Instant, url: &Url, reach: Reach) -> Option<String> {
        let seconds = self.wall(now) / 1000;
        let header = self.fedcm(|memory| memory.cookies.header(seconds, url, reach));
        header.map(|header| header.expose().to_owned())
    }

    /// Must the user be asked before this page is signed in to with this provider? So until they once confirmed a
    /// sign-in with the provider, and again after the page called `preventSilentAccess()`, until they confirm one there.
    pub(super) fn requires_mediation(&self, relying_party: &str, provider: &str) -> bool {
        self.prevents_silent_access(provider)
            || self.fedcm(|memory| memory.signed_out.contains(relying_party))
    }
}
