//! What a profile remembers for `FedCM`: who is signed in where, which accounts are connected, what the user closed, and
//! what was sent lately (Login Status; `FedCM` sections on connected accounts, cooldown and automatic sign-in).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;

use super::log::Log;
use crate::cookies::Jar;
use crate::origin::serialized;

/// What is known of a person at a provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoginStatus {
    /// Nothing.
    #[default]
    Unknown,
    /// They are signed in.
    LoggedIn,
    /// They are not.
    LoggedOut,
}

impl LoginStatus {
    /// The value of the header `Set-Login`, an item of a structured field: a token, whose parameters are passed over.
    #[must_use]
    pub fn from_header(value: &str) -> Option<Self> {
        Self::from_token(value.split(';').next()?.trim_matches(' '))
    }

    /// The argument of `navigator.login.setStatus()`.
    #[must_use]
    pub fn from_token(token: &str) -> Option<Self> {
        match token {
            "logged-in" => Some(Self::LoggedIn),
            "logged-out" => Some(Self::LoggedOut),
            _ => None,
        }
    }
}

/// An account that a page was signed in with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// The origin of the top-level page.
    pub embedder: String,
    /// The origin of the page that asked.
    pub relying_party: String,
    /// The origin of the config file.
    pub provider: String,
    /// The account, as the provider calls it.
    pub account: String,
}

impl Connection {
    /// The same with its origins as they are serialized.
    pub(super) fn serialized(self) -> Self {
        let Self { embedder, relying_party, provider, account } = self;
        let [embedder, relying_party, provider] =
            [embedder, relying_party, provider].map(|origin| serialized(&origin));
        Self { embedder, relying_party, provider, account }
    }
}

/// How long a site must not show a dialog again after the user closed one: the first time, and so on.
const COOLDOWNS: [Duration; 4] = [
    Duration::from_hours(2),
    Duration::from_hours(24),
    Duration::from_hours(7 * 24),
    Duration::from_hours(28 * 24),
];

/// Dialogs that were closed one after the other.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Closed {
    times: usize,
    /// When the last one was, in milliseconds since 1970.
    at: u64,
}

/// All of it. Times are in milliseconds since 1970.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Memory {
    pub(crate) login: BTreeMap<String, LoginStatus>,
    pub(crate) connected: BTreeSet<Connection>,
    /// Pages that asked for the user to be involved again, and were not signed in to by them since.
    pub(crate) signed_out: BTreeSet<String>,
    closed: BTreeMap<String, Closed>,
    automatic: BTreeMap<String, u64>,
    pub(crate) cookies: Jar,
    #[serde(skip)]
    pub(crate) log: Log,
}

impl Memory {
    /// Has the relying party to wait before it may show a dialog again?
    pub(super) fn is_cooling_down(&self, relying_party: &str, now: u64) -> bool {
        self.closed.get(relying_party).is_some_and(|closed| {
            let last = COOLDOWNS.len() - 1;
            let pause = COOLDOWNS.get(closed.times.saturating_sub(1).min(last));
            pause.is_some_and(|pause| is_within(now, closed.at, *pause))
        })
    }

    /// The user closed its dialog.
    pub(super) fn note_closed(&mut self, relying_party: &str, now: u64) {
        let closed = self.closed.entry(relying_party.to_owned()).or_default();
        *closed = Closed { times: closed.times.saturating_add(1), at: now };
    }

    /// Was the relying party signed in to without asking a short time ago?
    pub(super) fn is_throttled(&self, relying_party: &str, now: u64, pause: Duration) -> bool {
        self.automatic.get(relying_party).is_some_and(|at| is_within(now, *at, pause))
    }

    /// A person is signed in.
    pub(super) fn note_sign_in(&mut self, connection: Connection, automatic: bool, now: u64) {
        let party = connection.relying_party.clone();
        self.connected.insert(connection);
        self.closed.remove(&party);
        if automatic {
            self.automatic.insert(party, now);
        } else {
            self.signed_out.remove(&party);
        }
    }

    pub(super) fn reset_cooldown(&mut self) {
        self.closed.clear();
        self.automatic.clear();
    }

    /// Writes origins as they are serialized: somebody may have written the file by hand.
    pub(crate) fn serialize_origins(&mut self) {
        self.login = by_origin(std::mem::take(&mut self.login));
        self.closed = by_origin(std::mem::take(&mut self.closed));
        self.automatic = by_origin(std::mem::take(&mut self.automatic));
        self.signed_out = self.signed_out.iter().map(|origin| serialized(origin)).collect();
        let connected = std::mem::take(&mut self.connected).into_iter();
        self.connected = connected.map(Connection::serialized).collect();
    }

    /// Forgets what has to do with an origin.
    pub(crate) fn clear_site(&mut self, origin: &str) {
        self.login.remove(origin);
        self.signed_out.remove(origin);
        self.closed.remove(origin);
        self.automatic.remove(origin);
        self.connected.retain(|one| {
            let Connection { embedder, relying_party, provider, .. } = one;
            ![embedder, relying_party, provider].contains(&&origin.to_owned())
        });
        if let Ok(url) = Url::parse(origin)
            && let Some(host) = url.host_str()
        {
            let cleared = self.cookies.clear(host);
            self.login.retain(|origin, _| {
                !Url::parse(origin)
                    .is_ok_and(|url| cleared.iter().any(|cookie| cookie.reaches(&url)))
            });
        }
    }
}

fn by_origin<T>(map: BTreeMap<String, T>) -> BTreeMap<String, T> {
    map.into_iter().map(|(origin, value)| (serialized(&origin), value)).collect()
}

fn is_within(now: u64, at: u64, pause: Duration) -> bool {
    // A clock that was set back does not lengthen a pause.
    now >= at && Duration::from_millis(now - at) < pause
}
