//! `navigator.credentials.get({identity})`: from the page's options to the credential (`FedCM`, the algorithm of get).

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use rand_core::TryRng;
use url::Url;

use super::assertion::{Assertion, AssertionRequest};
use super::credential::{IdentityCredential, Token};
use super::desk::{Desk, Flow};
use super::dialog::{AccountChoice, AccountDialog};
use super::failure::{Failure, NotAutomatic};
use super::memory::LoginStatus;
use super::offer::{Offer, Terms};
use super::options::{IdentityOptions, Mode};
use super::party::Party;
use super::{AssertionError, Endpoint, Fault};
use crate::abort::AbortSignal;
use crate::call::Mediation;
use crate::cause::{Cause, Operation};
use crate::credential::Credential;
use crate::entropy::Entropy;
use crate::fetch::FetchFault;
use crate::page::{Mark, Page};
use crate::question::{Answer, Question};
use crate::request::Request;

/// How often a person may sign in to providers within one call: a script might do it for ever.
const MOST_LOGINS: usize = 32;

/// The call, once the container has let it in.
pub(crate) fn get(
    page: &mut Page,
    options: IdentityOptions,
    (mediation, signal): (Mediation, Option<AbortSignal>),
    (entropy, marks): (Entropy, Vec<Mark>),
) -> Result<Request, Cause> {
    if options.providers.is_empty() {
        return Err(Failure::NoProviders.into());
    }
    let party = Party::of(page);
    if party.is_disabled() {
        return Err(Failure::Disabled.into());
    }
    if options.mode == Mode::Active {
        let count = options.providers.len();
        if count > 1 {
            return Err(Failure::ActiveWithSeveral(count).into());
        }
        if !page.consume_activation() {
            return Err(Failure::NoActivation.into());
        }
    }
    let mut seen = BTreeSet::new();
    for provider in &options.providers {
        let Ok(url) = party.config_url(&provider.config_url) else { continue };
        let origin = url.origin().ascii_serialization();
        if !seen.insert(origin.clone()) {
            return Err(Failure::SameProvider(origin).into());
        }
    }
    let superseded = page.tab().enter(options.mode == Mode::Active);
    let flow = Flow::new(superseded, move |desk| {
        SignIn { party, desk, options, mediation, entropy }.run()
    });
    Ok(Request::of(Operation::Get, flow, signal, marks))
}

/// A call under way.
struct SignIn {
    party: Party,
    desk: Desk,
    options: IdentityOptions,
    mediation: Mediation,
    entropy: Entropy,
}

/// An account of an offer, by their places.
#[derive(Clone, Copy)]
struct Chosen {
    offer: usize,
    candidate: usize,
}

impl SignIn {
    async fn run(mut self) -> Result<Option<Credential>, Cause> {
        match self.attempt().await {
            Ok(credential) => Ok(Some(Credential::Identity(credential))),
            Err(failure) => {
                let late = matches!(
                    failure,
                    Failure::NothingToOffer(_) | Failure::NeedsUser(_) | Failure::CoolingDown
                );
                if late {
                    self.delay().await;
                }
                Err(failure.into())
            }
        }
    }

    /// Lets so much time pass that the page cannot tell this failure from a dialog that was closed.
    async fn delay(&mut self) {
        let longest = self.party.settings.longest_delay;
        let Ok::<_, Infallible>(random) = self.entropy.try_next_u64();
        let millis = random.checked_rem(longest.saturating_add(1)).unwrap_or_default();
        let until = self.desk.now() + Duration::from_millis(millis);
        self.desk.pause(until).await;
    }

    async fn attempt(&mut self) -> Result<IdentityCredential, Failure> {
        let silent = self.mediation == Mediation::Silent;
        let terms = Terms { mode: self.options.mode, silent };
        if self.is_cooling_down() {
            return Err(Failure::CoolingDown);
        }
        let (mut offers, mut reasons) = (Vec::new(), Vec::new());
        for request in std::mem::take(&mut self.options.providers) {
            let config_url = request.config_url.clone();
            match self.party.offer(&self.desk, request, terms).await? {
                Ok(offer) => offers.push(offer),
                Err(why) => reasons.push((config_url, why)),
            }
        }
        if offers.is_empty() {
            return Err(Failure::NothingToOffer(reasons));
        }
        let automatic = self.automatic(&offers);
        let chosen = match automatic {
            Ok(chosen) => chosen,
            Err(why) if silent => return Err(Failure::NeedsUser(why)),
            Err(_) => self.choose(&mut offers, terms).await?,
        };
        self.sign_in(&offers, chosen, automatic.is_ok()).await
    }

    fn is_cooling_down(&self) -> bool {
        let now = self.party.profile.wall(self.desk.now());
        self.party.settings.cooldown
            && self.options.mode == Mode::Passive
            && self.party.profile.fedcm(|memory| memory.is_cooling_down(&self.party.origin, now))
    }

    /// The account that is signed in without asking, if the user allows it and there is exactly one.
    fn automatic(&self, offers: &[Offer]) -> Result<Chosen, NotAutomatic> {
        let mut eligible = Vec::new();
        for (offer, one) in offers.iter().enumerate() {
            let places = one.candidates.iter().enumerate().filter(|(_, it)| it.eligible);
            eligible.extend(places.map(|(candidate, _)| Chosen { offer, candidate }));
        }
        let mismatch = offers.iter().any(Offer::is_mismatch);
        let (&[chosen], false) = (eligible.as_slice(), mismatch) else {
            return Err(NotAutomatic::Eligible(eligible.len()));
        };
        let provider = offers.get(chosen.offer).map(|offer| offer.url.origin());
        let provider = provider.map(|origin| origin.ascii_serialization()).unwrap_or_default();
        let party = &self.party;
        if self.mediation == Mediation::Required
            || party.profile.requires_mediation(&party.origin, &provider)
        {
            return Err(NotAutomatic::MediationRequired);
        }
        let now = party.profile.wall(self.desk.now());
        let pause = party.settings.throttle.map(Duration::from_millis);
        let throttled = pause.is_some_and(|pause| {
            party.profile.fedcm(|memory| memory.is_throttled(&party.origin, now, pause))
        });
        if throttled { Err(NotAutomatic::Throttled) } else { Ok(chosen) }
    }

    /// The account dialog, again after each login.
    async fn choose(&self, offers: &mut [Offer], terms: Terms) -> Result<Chosen, Failure> {
        let party = &self.party;
        for _ in 0..MOST_LOGINS {
            for offer in &mut *offers {
                party.learn_metadata(&self.desk, offer).await;
            }
            let (choices, places) = self.choices(offers);
            let dialog = AccountDialog {
                origin: party.origin.clone(),
                embedder: party.embedder.clone(),
                context: self.options.context,
                mode: self.options.mode,
                choices,
                brandings: offers.iter().map(Offer::branding).collect(),
            };
            let answer = self.desk.ask(Question::Account(dialog)).await;
            let place = match answer {
                Answer::Choice { index, .. } => places.get(index),
                _ => None,
            };
            match place {
                Some((offer, Some(candidate))) => {
                    return Ok(Chosen { offer: *offer, candidate: *candidate });
                }
                Some((offer, None)) => {
                    let Some(offer) = offers.get_mut(*offer) else { continue };
                    party.log_in(&self.desk, offer).await?;
                    // Whoever just signed in and has no account is asked again.
                    let status = LoginStatus::LoggedIn;
                    let _ = party.find_accounts(&self.desk, offer, status, terms).await;
                }
                None => return Err(self.dismissed()),
            }
        }
        Err(Failure::Logins(MOST_LOGINS))
    }

    fn dismissed(&self) -> Failure {
        let now = self.party.profile.wall(self.desk.now());
        if self.options.mode == Mode::Passive {
            self.party.profile.fedcm(|memory| memory.note_closed(&self.party.origin, now));
        }
        Failure::Dismissed
    }

    /// The entries of the dialog, and what each stands for: an account, or a login at an offer's provider.
    fn choices(&self, offers: &[Offer]) -> (Vec<AccountChoice>, Vec<(usize, Option<usize>)>) {
        let mut choices = Vec::new();
        let mut places = Vec::new();
        for (place, offer) in offers.iter().enumerate() {
            let provider = offer.url.as_str().to_owned();
            for (index, candidate) in offer.candidates.iter().enumerate() {
                choices.push(AccountChoice::Account {
                    provider: provider.clone(),
                    account: Box::new(candidate.account.clone()),
                    picture: candidate.picture.clone(),
                    connected: candidate.connected,
                    disclosure: offer.disclosure(candidate),
                });
                places.push((place, Some(index)));
            }
            if offer.is_mismatch() {
                choices.push(AccountChoice::LogIn { provider });
                places.push((place, None));
            } else if self.options.mode == Mode::Active && offer.config.supports_use_other_account {
                choices.push(AccountChoice::OtherAccount { provider });
                places.push((place, None));
            }
        }
        (choices, places)
    }

    /// Gets the token for the account, and remembers the sign-in.
    async fn sign_in(
        &self,
        offers: &[Offer],
        chosen: Chosen,
        automatic: bool,
    ) -> Result<IdentityCredential, Failure> {
        let offer = offers.get(chosen.offer).ok_or(Failure::Dismissed)?;
        let candidate = offer.candidates.get(chosen.candidate).ok_or(Failure::Dismissed)?;
        let ask = AssertionRequest {
            client_id: offer.request.client_id.clone(),
            account_id: candidate.account.id.clone(),
            is_auto_selected: automatic,
            params: offer.request.params.clone(),
            nonce: offer.request.nonce.clone(),
            fields: offer.request.fields.clone(),
            disclosed: offer.disclosure(candidate).is_some(),
        };
        let (token, changed) = match self.assert(offer, &ask).await {
            Err(Failure::NoToken(error)) => {
                let AssertionError { error: code, url, .. } = error.clone();
                let provider = offer.url.as_str().to_owned();
                self.desk.ask(Question::ProviderError { provider, error: code, url }).await;
                return Err(Failure::NoToken(error));
            }
            other => other?,
        };
        let account = changed.unwrap_or(ask.account_id);
        self.remember(&offer.url, &account, automatic);
        Ok(IdentityCredential::new(token, automatic, offer.request.config_url.clone()))
    }

    /// The id assertion endpoint, and the provider's page if it wants one shown.
    async fn assert(
        &self,
        offer: &Offer,
        ask: &AssertionRequest,
    ) -> Result<(Token, Option<String>), Failure> {
        let endpoint = &offer.config.id_assertion_endpoint;
        let mut exchange = ask.ask(endpoint, &self.party.origin);
        let (request, answer) = self.party.send(&self.desk, &exchange).await;
        let read =
            Assertion::read(&mut exchange, answer.as_ref().map_err(|fault| *fault), endpoint);
        let fault = read.as_ref().err().map(|error| &error.fault);
        self.party.note(Endpoint::IdAssertion, request, &answer, fault);
        match read {
            Ok(Assertion::Token(token)) => Ok((token, None)),
            Ok(Assertion::ContinueOn(url)) => self.go_on(&offer.url, url).await,
            Err(AssertionError { fault: Fault::NotFetched(FetchFault::TimedOut), .. }) => {
                Err(Failure::Late(Endpoint::IdAssertion, self.party.limit()))
            }
            Err(error) => Err(Failure::NoToken(error)),
        }
    }

    async fn go_on(&self, provider: &Url, url: Url) -> Result<(Token, Option<String>), Failure> {
        let provider = provider.as_str().to_owned();
        match self.desk.ask(Question::Continue { provider, url: url.into() }).await {
            Answer::Resolve { token, account_id } => Ok((token, account_id)),
            _ => Err(Failure::NotContinued),
        }
    }

    fn remember(&self, provider: &Url, account: &str, automatic: bool) {
        let Party { profile, origin, .. } = &self.party;
        let connection = self.party.connection(provider, account);
        let now = self.desk.now();
        let wall = profile.wall(now);
        if !automatic {
            profile.set_prevent_silent_access(&connection.provider, false);
            profile.note_sign_in(origin, now);
        }
        profile.fedcm(|memory| memory.note_sign_in(connection, automatic, wall));
    }
}
