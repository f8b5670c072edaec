//! `navigator.credentials`: the algorithms that all types share (Credential Management Level 1 section 2.5).

#[cfg(test)]
mod tests;

use softkey_ctap::Instant;

use crate::call::{CredentialCreationOptions, CredentialRequestOptions, Mediation, UiMode};
use crate::capabilities::Capability;
use crate::cause::{Cause, Operation, TypeFault};
use crate::credential::{Credential, Rejection};
use crate::entropy::Entropy;
use crate::fedcm;
use crate::federated::{FederatedCredential, FederatedInit};
use crate::kept::{self, Wanted};
use crate::otp;
use crate::page::{Mark, Page};
use crate::public_key;
use crate::registry::{CredentialType, Discovery};
use crate::request::{Request, aborted};

/// `CredentialsContainer`: a page's `navigator.credentials`.
///
/// A call gives a [`Request`], which a driver carries to its end: `driver::settle` does it with any number of
/// keys over CTAPHID. What the page gets wrong has settled the request before a key is asked.
#[derive(Debug)]
pub struct CredentialsContainer<'p> {
    page: &'p mut Page,
}

impl<'p> CredentialsContainer<'p> {
    pub(crate) const fn new(page: &'p mut Page) -> Self {
        Self { page }
    }

    /// `create(options)`. The clock reading starts the timeout.
    #[must_use]
    pub fn create(
        &mut self,
        now: Instant,
        options: CredentialCreationOptions,
        entropy: Entropy,
    ) -> Request {
        if self.is_without_effect() {
            return Request::settled(Operation::Create, Ok(None));
        }
        self.begin_create(now, options, entropy).unwrap_or_else(|cause| {
            let rejection = Rejection::new(cause, Operation::Create);
            Request::settled(Operation::Create, Err(rejection))
        })
    }

    /// `get(options)`.
    #[must_use]
    pub fn get(
        &mut self,
        now: Instant,
        options: CredentialRequestOptions,
        entropy: Entropy,
    ) -> Request {
        if self.is_without_effect() {
            return Request::settled(Operation::Get, Ok(None));
        }
        self.begin_get(now, options, entropy).unwrap_or_else(|cause| {
            let rejection = Rejection::new(cause, Operation::Get);
            Request::settled(Operation::Get, Err(rejection))
        })
    }

    /// `store(credential)`. The promise resolves with nothing, whatever the user decided.
    ///
    /// Rejected with `InvalidStateError`, with `NotAllowedError` while a call for the type is pending, and with
    /// `NotSupportedError` for a type that the client does not keep, as public keys are.
    #[must_use]
    pub fn store(&mut self, credential: Credential) -> Request {
        if self.is_without_effect() {
            return Request::settled(Operation::Store, Ok(None));
        }
        self.begin_store(credential).unwrap_or_else(|cause| {
            Request::settled(Operation::Store, Err(Rejection::new(cause, Operation::Store)))
        })
    }

    /// `preventSilentAccess()`.
    ///
    /// # Errors
    ///
    /// `InvalidStateError` if the page is not fully active.
    pub fn prevent_silent_access(&mut self) -> Result<(), Rejection> {
        if self.is_without_effect() {
            return Ok(());
        }
        self.check_page().map_err(|cause| Rejection::new(cause, Operation::Get))?;
        self.page.profile().prevent_silent_access(self.page.serialized_origin());
        Ok(())
    }

    /// The algorithm of create, up to the internal method `[[Create]]` of the type.
    fn begin_create(
        &mut self,
        now: Instant,
        options: CredentialCreationOptions,
        entropy: Entropy,
    ) -> Result<Request, Cause> {
        self.check_page()?;
        let kind = self.to_create(&options)?;
        if let Some(feature) = kind.create_policy()
            && !self.page.allows(feature)
        {
            return Err(Cause::PolicyRefuses(feature));
        }
        aborted(options.signal.as_ref(), now)?;
        let mark = self.page.active().mark(kind)?;
        let CredentialCreationOptions { mediation, signal, password, federated, public_key } =
            options;
        let origin = self.page.serialized_origin();
        let made = match (kind, password, federated, public_key) {
            (CredentialType::Password, Some(init), ..) => {
                Credential::Password(init.create(origin)?)
            }
            (CredentialType::Federated, _, Some(init), _) => {
                let init = FederatedInit { origin: origin.to_owned(), ..init };
                Credential::Federated(FederatedCredential::new(init)?)
            }
            (_, _, _, Some(options)) => {
                let terms = public_key::Terms { mediation, signal };
                return public_key::create(self.page, now, options, terms, (entropy, mark));
            }
            _ => return Err(Cause::NoType),
        };
        Ok(Request::settled(Operation::Create, Ok(Some(made))))
    }

    /// The one type that create is asked for.
    fn to_create(&self, options: &CredentialCreationOptions) -> Result<CredentialType, Cause> {
        let members = [
            (CredentialType::Password, options.password.is_some()),
            (CredentialType::Federated, options.federated.is_some()),
            (CredentialType::PublicKey, options.public_key.is_some()),
        ];
        let mut asked = members.into_iter().filter(|(kind, there)| *there && self.has(*kind));
        let (kind, _) = asked.next().ok_or(Cause::NoType)?;
        if asked.next().is_some() { Err(Cause::Type(TypeFault::SeveralTypes)) } else { Ok(kind) }
    }

    /// The algorithm of get, up to what the types do by themselves.
    fn begin_get(
        &mut self,
        now: Instant,
        options: CredentialRequestOptions,
        entropy: Entropy,
    ) -> Result<Request, Cause> {
        self.check_page()?;
        aborted(options.signal.as_ref(), now)?;
        let asked = self.to_get(&options);
        let marks = self.admit(&asked, options.mediation, options.ui_mode)?;
        let stored = |kind: &CredentialType| kind.discovery() == Discovery::CredentialStore;
        if asked.iter().all(stored) {
            return self.collect(&asked, options, marks);
        }
        // Step 7 (c). IdentityCredential has a silent mediation of its own.
        if options.mediation == Mediation::Silent && !asked.contains(&CredentialType::Identity) {
            return Ok(Request::settled(Operation::Get, Ok(None)));
        }
        self.discover(now, options, (entropy, marks))
    }

    /// `[[DiscoverFromExternalSource]]` of the one remote type that is asked for.
    fn discover(
        &mut self,
        now: Instant,
        options: CredentialRequestOptions,
        (entropy, mut marks): (Entropy, Vec<Mark>),
    ) -> Result<Request, Cause> {
        let CredentialRequestOptions { mediation, signal, identity, otp, public_key, .. } = options;
        if let Some(identity) = identity.filter(|_| self.has(CredentialType::Identity)) {
            let work = (entropy, marks);
            return fedcm::get::get(self.page, identity, (mediation, signal), work);
        }
        if let Some(otp) = otp.filter(|_| self.has(CredentialType::Otp)) {
            let waiting = otp::Waiting::begin(self.page, now, &otp)?;
            return Ok(Request::of(Operation::Get, waiting, signal, marks));
        }
        let (Some(public_key), Some(mark)) = (public_key, marks.pop()) else {
            return Err(Cause::NoType);
        };
        let terms = public_key::Terms { mediation, signal };
        public_key::get(self.page, now, public_key, terms, (entropy, mark))
    }

    /// Which types get is asked for.
    fn to_get(&self, options: &CredentialRequestOptions) -> Vec<CredentialType> {
        let members = [
            (CredentialType::Password, options.password),
            (CredentialType::Federated, options.federated.is_some()),
            (CredentialType::Identity, options.identity.is_some()),
            (CredentialType::Otp, options.otp.is_some()),
            (CredentialType::PublicKey, options.public_key.is_some()),
        ];
        let asked = members.into_iter().filter(|(kind, there)| *there && self.has(*kind));
        asked.map(|(kind, _)| kind).collect()
    }

    /// Step 7 of get for types of the credential store, up to the chooser.
    fn collect(
        &self,
        asked: &[CredentialType],
        options: CredentialRequestOptions,
        marks: Vec<Mark>,
    ) -> Result<Request, Cause> {
        let wanted = Wanted {
            password: asked.contains(&CredentialType::Password),
            federated: options.federated.filter(|_| asked.contains(&CredentialType::Federated)),
        };
        let mut collected = wanted.collect(self.page)?;
        let origin = self.page.serialized_origin();
        let mediated = options.mediation == Mediation::Required
            || self.page.profile().prevents_silent_access(origin);
        let given = if mediated { None } else { collected.only_one() };
        if given.is_some() || options.mediation == Mediation::Silent {
            return Ok(Request::settled(Operation::Get, Ok(given)));
        }
        Ok(match collected.chooser(self.page) {
            Some(chooser) => Request::of(Operation::Get, chooser, options.signal, marks),
            None => Request::settled(Operation::Get, Ok(None)),
        })
    }

    fn begin_store(&self, credential: Credential) -> Result<Request, Cause> {
        self.check_page()?;
        let kind = credential.credential_type();
        let mark = self.page.active().mark(kind)?;
        if !self.has(kind) {
            return Err(Cause::CannotStore(kind));
        }
        Ok(match kept::keeper(self.page, credential)? {
            Some(keeper) => Request::of(Operation::Store, keeper, None, vec![mark]),
            None => Request::settled(Operation::Store, Ok(None)),
        })
    }

    /// Steps 3 to 6 of get: may these types be asked for, together and here? The marks fall when the request is
    /// settled, or here if it is refused.
    fn admit(
        &self,
        asked: &[CredentialType],
        mediation: Mediation,
        ui_mode: Option<UiMode>,
    ) -> Result<Vec<Mark>, Cause> {
        if asked.is_empty() {
            return Err(Cause::NoType);
        }
        for one in asked {
            if let Some(other) = asked.iter().find(|other| !one.mixes_with(**other)) {
                return Err(Cause::TypesDoNotMix(*one, *other));
            }
        }
        let mut marks = Vec::new();
        for kind in asked {
            if mediation == Mediation::Conditional && !self.is_conditional(*kind) {
                return Err(Cause::NotConditional(*kind));
            }
            if ui_mode == Some(UiMode::Immediate) {
                return Err(Cause::NotImmediate(*kind));
            }
            marks.push(self.page.active().mark(*kind)?);
        }
        let refused = asked.iter().filter_map(|kind| kind.get_policy());
        for feature in refused {
            if !self.page.allows(feature) {
                return Err(Cause::PolicyRefuses(feature));
            }
        }
        Ok(marks)
    }

    /// The API exists in secure contexts only, and works on fully active pages only.
    fn check_page(&self) -> Result<(), Cause> {
        self.page.check()
    }

    /// Is the interface there?
    fn has(&self, kind: CredentialType) -> bool {
        !self.page.profile().settings().absent.contains(&kind)
    }

    /// Is there a conditional get for it?
    fn is_conditional(&self, kind: CredentialType) -> bool {
        kind.is_conditional() && self.page.profile().settings().can(Capability::ConditionalGet)
    }

    /// The rule of 2016 for frames, if it is switched on.
    fn is_without_effect(&self) -> bool {
        self.page.is_framed() && self.page.profile().settings().frames_without_effect
    }
}
