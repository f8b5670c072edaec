//! What belongs to no credential: `IdentityCredential.disconnect()`, `IdentityProvider.getUserInfo()` and
//! `navigator.login.setStatus()`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use url::Url;

use super::accounts::{self, Account};
use super::assertion::{ask_disconnect, disconnected};
use super::desk::{Desk, Flow};
use super::exchange::Answered;
use super::failure::Failure;
use super::memory::LoginStatus;
use super::options::{DisconnectOptions, UserInfoOptions};
use super::party::Party;
use super::{Endpoint, Exchange, is_same_site, is_trustworthy};
use crate::cause::{Cause, Operation};
use crate::credential::Rejection;
use crate::page::Page;
use crate::registry::Feature;
use crate::request::Request;

impl Page {
    /// `IdentityCredential.disconnect(options)`: the provider forgets that the account is connected with this page. The
    /// promise resolves with nothing.
    ///
    /// Rejected with `NotAllowedError` by the permission policy, with `InvalidStateError` for a `configURL` that is no
    /// URL, else with `NetworkError`. A provider that fails to answer ends all of its connections with this page.
    #[must_use]
    pub fn disconnect_identity(&mut self, options: DisconnectOptions) -> Request {
        self.begin_disconnect(options).unwrap_or_else(rejected)
    }

    /// `IdentityProvider.getUserInfo(options)`, for a frame of the provider's: the accounts of the person, once the
    /// request has resolved with nothing.
    ///
    /// Rejected with `NotAllowedError`, `InvalidStateError` and `NetworkError`, likewise.
    #[must_use]
    pub fn identity_user_info(&mut self, options: &UserInfoOptions) -> (Request, UserInfos) {
        let infos = UserInfos::default();
        let request = self.begin_user_info(options, &infos).unwrap_or_else(rejected);
        (request, infos)
    }

    /// `navigator.login.setStatus(status)`.
    ///
    /// # Errors
    ///
    /// `TypeError` for a status that there is not, `SecurityError` inside a frame of another site.
    pub fn set_login_status(&self, status: &str) -> Result<(), Rejection> {
        let rejected = |cause| Rejection::new(cause, Operation::Get);
        self.check().map_err(rejected)?;
        let wrong = || Cause::NotTheDictionary(format!("there is no login status {status:?}"));
        let status = LoginStatus::from_token(status).ok_or_else(wrong).map_err(rejected)?;
        let own = Url::parse(self.serialized_origin());
        let same = |origin: &String| {
            let other = Url::parse(origin);
            matches!((&own, &other), (Ok(own), Ok(other)) if is_same_site(own, other))
        };
        if !self.frame_origins().iter().all(same) {
            return Err(rejected(Failure::ForeignSite.into()));
        }
        self.profile().set_login_status(self.serialized_origin(), status);
        Ok(())
    }

    fn begin_disconnect(&self, options: DisconnectOptions) -> Result<Request, Cause> {
        let party = self.party()?;
        let url = party.config_url(&options.config_url)?;
        party.check_connect_src(&url)?;
        let pending = Pending::begin(self.disconnecting())?;
        if !is_trustworthy(&url) {
            return Err(Failure::NotTrustworthy.into());
        }
        if party.is_disabled() {
            return Err(Failure::Disabled.into());
        }
        if party.connections(&url).is_empty() {
            return Err(Failure::NotConnected.into());
        }
        let flow = Flow::new(Arc::default(), move |desk| async move {
            let done = party.end_connection(&desk, &url, &options).await;
            drop(pending);
            done.map(|()| None).map_err(Cause::from)
        });
        Ok(Request::of(Operation::Get, flow, None, Vec::new()))
    }

    fn begin_user_info(
        &self,
        options: &UserInfoOptions,
        infos: &UserInfos,
    ) -> Result<Request, Cause> {
        // Between the person's browser and the provider: the page around this frame is the relying party.
        let mut party = self.party()?;
        let own = std::mem::replace(&mut party.origin, self.top_origin().to_owned());
        if !Url::parse(&own).is_ok_and(|own| !party.connections(&own).is_empty()) {
            return Err(Failure::NotConnected.into());
        }
        let url = Url::parse(&options.config_url).map_err(|_| Failure::NoUrl)?;
        if url.origin().ascii_serialization() != own {
            return Err(Failure::ForeignCaller.into());
        }
        party.check_connect_src(&url)?;
        if !self.is_framed() {
            return Err(Failure::TopLevel.into());
        }
        if party.is_disabled() {
            return Err(Failure::Disabled.into());
        }
        let (client_id, infos) = (options.client_id.clone(), infos.clone());
        let flow = Flow::new(Arc::default(), move |desk| async move {
            let accounts = party.eligible(&desk, &url, &client_id).await?;
            infos.fill(accounts.into_iter().map(UserInfo::of).collect());
            Ok(None)
        });
        Ok(Request::of(Operation::Get, flow, None, Vec::new()))
    }

    /// The page as a client of providers, if the permission policy lets it be one.
    fn party(&self) -> Result<Party, Cause> {
        self.check()?;
        let feature = Feature::IdentityCredentialsGet;
        if self.allows(feature) { Ok(Party::of(self)) } else { Err(Cause::PolicyRefuses(feature)) }
    }
}

fn rejected(cause: Cause) -> Request {
    Request::settled(Operation::Get, Err(Rejection::new(cause, Operation::Get)))
}

impl Party {
    async fn end_connection(
        &self,
        desk: &Desk,
        url: &Url,
        options: &DisconnectOptions,
    ) -> Result<(), Failure> {
        let config = self.configured(desk, url).await?;
        let endpoint = config.disconnect_endpoint.ok_or(Failure::CannotDisconnect)?;
        let DisconnectOptions { client_id, account_hint, .. } = options;
        let ask = ask_disconnect(&endpoint, &self.origin, client_id, account_hint);
        let read = |exchange: &mut Exchange, answer: Answered<'_>| {
            disconnected(exchange, answer).map(Some)
        };
        let answer = self.fetch(desk, ask, read).await;
        let named = answer.as_ref().ok().map(|account| self.connection(url, account));
        if !named.is_some_and(|connection| self.profile.remove_connection(&connection)) {
            for connection in self.connections(url) {
                self.profile.remove_connection(&connection);
            }
        }
        answer.map(drop)
    }

    /// The accounts of a provider, if one of them could be signed in without asking.
    async fn eligible(
        &self,
        desk: &Desk,
        url: &Url,
        client_id: &str,
    ) -> Result<Vec<Account>, Failure> {
        let config = self.configured(desk, url).await?;
        let ask = Exchange::get(Endpoint::Accounts, &config.accounts_endpoint, "");
        let read = |exchange: &mut Exchange, answer: Answered<'_>| {
            accounts::accounts(exchange, answer).map(Some)
        };
        let accounts = self.fetch(desk, ask, read).await?;
        let connections = self.connections(url);
        let eligible = |account: &Account| {
            let remembered = connections.iter().any(|one| one.account == account.id);
            account.is_eligible(client_id, remembered)
        };
        if accounts.iter().any(eligible) { Ok(accounts) } else { Err(Failure::NoneEligible) }
    }
}

/// A call of disconnect that is pending on a page.
struct Pending(Arc<AtomicBool>);

impl Pending {
    fn begin(flag: &Arc<AtomicBool>) -> Result<Self, Failure> {
        if flag.swap(true, Ordering::SeqCst) {
            return Err(Failure::Disconnecting);
        }
        Ok(Self(Arc::clone(flag)))
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

/// `IdentityUserInfo`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserInfo {
    /// The person's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Their name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What friends call them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// The URL of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
}

impl UserInfo {
    fn of(account: Account) -> Self {
        let Account { email, name, given_name, picture, .. } = account;
        Self { email, name, given_name, picture }
    }
}

/// What [`Page::identity_user_info`] finds. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct UserInfos(Arc<Mutex<Vec<UserInfo>>>);

impl UserInfos {
    /// The accounts; none before the request has resolved.
    #[must_use]
    pub fn take(&self) -> Vec<UserInfo> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn fill(&self, infos: Vec<UserInfo>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = infos;
    }
}
