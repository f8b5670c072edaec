//! What one provider has to offer to a call of get: its config file, its accounts and who of them is connected
//! (`FedCM`, the algorithm of get, the part that is done for each provider).

use url::Url;

use super::accounts::{self, Account, Hints};
use super::assertion::fields_or_default;
use super::branding::Branding;
use super::config::{ClientMetadata, Config};
use super::desk::Desk;
use super::dialog::Disclosure;
use super::exchange::Answered;
use super::failure::{Failure, Unoffered};
use super::memory::{Connection, LoginStatus};
use super::options::{Mode, ProviderRequest};
use super::party::Party;
use super::{Endpoint, Exchange, is_trustworthy};
use crate::question::{Answer, Question};

/// What the page wants of every provider.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    pub(super) mode: Mode,
    /// Must the user not be involved?
    pub(super) silent: bool,
}

/// A provider that can be chosen.
pub(super) struct Offer {
    pub(super) request: ProviderRequest,
    pub(super) url: Url,
    pub(super) config: Config,
    /// The accounts that fit; none if the user has to sign in to the provider again.
    pub(super) candidates: Vec<Candidate>,
    metadata: ClientMetadata,
}

/// An account that can be chosen.
pub(super) struct Candidate {
    pub(super) account: Account,
    pub(super) connected: bool,
    /// Could it be signed in without asking?
    pub(super) eligible: bool,
    pub(super) picture: Option<Vec<u8>>,
}

impl Party {
    /// Looks what a provider has to offer. The outer failure ends the whole call.
    pub(super) async fn offer(
        &self,
        desk: &Desk,
        request: ProviderRequest,
        terms: Terms,
    ) -> Result<Result<Offer, Unoffered>, Failure> {
        let url = match self.config_url(&request.config_url) {
            Ok(url) => url,
            Err(failure) => return Ok(Err(Unoffered::of(failure))),
        };
        if terms.silent && self.connections(&url).is_empty() {
            return Ok(Err(Unoffered::NotConnected));
        }
        let origin = url.origin().ascii_serialization();
        let status = self.profile.login_status(&origin);
        let unknown = status == LoginStatus::Unknown && self.settings.unknown_is_logged_out;
        let logged_out = unknown || status == LoginStatus::LoggedOut;
        let logs_in = logged_out && terms.mode == Mode::Active && !terms.silent;
        if logged_out && !logs_in {
            return Ok(Err(Unoffered::LoggedOut));
        }
        if terms.silent && self.profile.requires_mediation(&self.origin, &origin) {
            return Ok(Err(Unoffered::MediationRequired));
        }
        let config = match self.configured(desk, &url).await {
            Ok(config) => config,
            // Who clicked, and is to be shown a login page, learns at once that there is none.
            Err(failure) if logs_in => return Err(failure),
            Err(failure) => return Ok(Err(Unoffered::of(failure))),
        };
        let (candidates, metadata) = (Vec::new(), ClientMetadata::default());
        let mut offer = Offer { request, url, config, candidates, metadata };
        if logs_in {
            self.log_in(desk, &offer).await?;
        }
        let status = if logs_in { LoginStatus::LoggedIn } else { status };
        Ok(self.find_accounts(desk, &mut offer, status, terms).await.map(|()| offer))
    }

    /// Fetches the accounts and thins them out. `status` is that at the start. No accounts, and no reason why: the user
    /// seems to be signed in there, and is not.
    pub(super) async fn find_accounts(
        &self,
        desk: &Desk,
        offer: &mut Offer,
        status: LoginStatus,
        terms: Terms,
    ) -> Result<(), Unoffered> {
        offer.candidates.clear();
        let ask = Exchange::get(Endpoint::Accounts, &offer.config.accounts_endpoint, "");
        let read = |exchange: &mut Exchange, answer: Answered<'_>| {
            accounts::accounts(exchange, answer).map(Some)
        };
        let found = match self.fetch(desk, ask, read).await {
            Ok(accounts) if accounts.is_empty() => Err(Unoffered::LoggedOut),
            Ok(accounts) => Ok(accounts),
            Err(failure) => Err(Unoffered::of(failure)),
        };
        let origin = offer.url.origin().ascii_serialization();
        let is_signed_in =
            if found.is_ok() { LoginStatus::LoggedIn } else { LoginStatus::LoggedOut };
        self.profile.set_login_status(&origin, is_signed_in);
        let mut why = Unoffered::NoneFits;
        match found {
            Ok(accounts) => self.consider(desk, offer, accounts).await,
            Err(unoffered) => why = unoffered,
        }
        let mismatch = status == LoginStatus::LoggedIn && !terms.silent;
        if offer.candidates.is_empty() && !mismatch { Err(why) } else { Ok(()) }
    }

    /// Fetches the pictures, and keeps the accounts that fit the hints.
    async fn consider(&self, desk: &Desk, offer: &mut Offer, accounts: Vec<Account>) {
        let hints = Hints {
            login: offer.request.login_hint.clone(),
            domain: offer.request.domain_hint.clone(),
            label: offer.config.account_label.clone().unwrap_or_default(),
        };
        let connections = self.connections(&offer.url);
        for account in accounts {
            let picture = self.picture(desk, offer, &account).await;
            if hints.fit(&account) {
                offer.candidates.push(offer.candidate(account, picture, &connections));
            }
        }
    }

    /// A picture that cannot be had is none.
    async fn picture(&self, desk: &Desk, offer: &Offer, account: &Account) -> Option<Vec<u8>> {
        let picture = account.picture.as_ref().filter(|_| self.settings.pictures)?;
        let url = offer.url.join(picture).ok().filter(is_trustworthy)?;
        let ask = Exchange::get(Endpoint::Picture, &url, "");
        self.fetch(desk, ask, Exchange::body).await.ok()
    }

    /// Fetches what the provider knows of the page, if there is somebody to tell it and something to tell.
    pub(super) async fn learn_metadata(&self, desk: &Desk, offer: &mut Offer) {
        let asks = !fields_or_default(offer.request.fields.as_deref()).is_empty();
        let new = offer.candidates.iter().any(|candidate| !candidate.connected);
        let foreign = self.is_foreign();
        let Some(endpoint) = &offer.config.client_metadata_endpoint else { return };
        if !((asks && new) || foreign) {
            return;
        }
        let embedder = foreign.then_some(self.embedder.as_str());
        let client_id = &offer.request.client_id;
        let ask = ClientMetadata::ask_as(endpoint, client_id, &self.origin, embedder);
        let read = |exchange: &mut Exchange, answer: Answered<'_>| {
            ClientMetadata::read(exchange, answer).map(Some)
        };
        offer.metadata = self.fetch(desk, ask, read).await.unwrap_or_default();
    }

    /// The login dialog.
    pub(super) async fn log_in(&self, desk: &Desk, offer: &Offer) -> Result<(), Failure> {
        let mut url = offer.config.login_url.clone();
        let ProviderRequest { login_hint, domain_hint, .. } = &offer.request;
        for (name, hint) in [("login_hint", login_hint), ("domain_hint", domain_hint)] {
            if !hint.is_empty() {
                url.query_pairs_mut().append_pair(name, hint);
            }
        }
        let provider = offer.url.as_str().to_owned();
        let answer = desk.ask(Question::LogIn { provider, url: url.into() }).await;
        let status = self.profile.login_status(&offer.url.origin().ascii_serialization());
        if answer == Answer::Yes && status == LoginStatus::LoggedIn {
            Ok(())
        } else {
            Err(Failure::NotSignedIn)
        }
    }
}

impl Offer {
    /// Does the user have to sign in to the provider again?
    pub(super) const fn is_mismatch(&self) -> bool {
        self.candidates.is_empty()
    }

    /// Its config file, and how it wants to look.
    pub(super) fn branding(&self) -> (String, Branding) {
        (self.url.as_str().to_owned(), self.config.branding.clone())
    }

    fn candidate(
        &self,
        account: Account,
        picture: Option<Vec<u8>>,
        connections: &[Connection],
    ) -> Candidate {
        let remembered = connections.iter().any(|one| one.account == account.id);
        let client_id = &self.request.client_id;
        Candidate {
            connected: account.is_connected(client_id, remembered),
            eligible: account.is_eligible(client_id, remembered),
            account,
            picture,
        }
    }

    /// What must be said before the account is connected.
    pub(super) fn disclosure(&self, candidate: &Candidate) -> Option<Disclosure> {
        let fields = fields_or_default(self.request.fields.as_deref());
        let shown = super::assertion::shown(&fields);
        (!candidate.connected && !shown.is_empty()).then(|| Disclosure {
            fields: shown.into_iter().map(str::to_owned).collect(),
            privacy_policy_url: self.metadata.privacy_policy_url.clone(),
            terms_of_service_url: self.metadata.terms_of_service_url.clone(),
        })
    }
}
