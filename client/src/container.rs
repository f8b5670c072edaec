//! `navigator.credentials`: the algorithms that all types share (Credential Management Level 1 section 2.5).

#[cfg(test)]
mod tests;

use softkey_ctap::Instant;

use crate::call::{CredentialCreationOptions, CredentialRequestOptions, Mediation, UiMode};
use crate::cause::{Cause, Operation};
use crate::credential::{Credential, Rejection};
use crate::entropy::Entropy;
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

    /// `store(credential)`.
    ///
    /// # Errors
    ///
    /// The rejection: `InvalidStateError`, `NotAllowedError` while a call for the type is pending, and
    /// `NotSupportedError` for a type that the client does not keep, as public keys are.
    pub fn store(&mut self, credential: &Credential) -> Result<(), Rejection> {
        if self.is_without_effect() {
            return Ok(());
        }
        let kind = credential.credential_type();
        let stored = self.check_page().and_then(|()| {
            let _mark = self.page.active().mark(kind)?;
            Err(Cause::CannotStore(kind))
        });
        // What the container itself rejects has the same name in every operation.
        stored.map_err(|cause| Rejection::new(cause, Operation::Get))
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
        self.page.profile().set_prevent_silent_access(self.page.serialized_origin(), true);
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
        let public_key = options.public_key.filter(|_| self.has(CredentialType::PublicKey));
        let public_key = public_key.ok_or(Cause::NoType)?;
        let kind = CredentialType::PublicKey;
        if let Some(feature) = kind.create_policy()
            && !self.page.allows(feature)
        {
            return Err(Cause::PolicyRefuses(feature));
        }
        aborted(options.signal.as_ref(), now)?;
        let mark = self.page.active().mark(kind)?;
        let terms = public_key::Terms { mediation: options.mediation, signal: options.signal };
        public_key::create(self.page, now, public_key, terms, (entropy, mark))
    }

    /// The algorithm of get, up to the internal method `[[DiscoverFromExternalSource]]` of the type.
    fn begin_get(
        &mut self,
        now: Instant,
        options: CredentialRequestOptions,
        entropy: Entropy,
    ) -> Result<Request, Cause> {
        self.check_page()?;
        aborted(options.signal.as_ref(), now)?;
        let public_key = options.public_key.filter(|_| self.has(CredentialType::PublicKey));
        let asked = public_key.as_ref().map(|_| CredentialType::PublicKey);
        let asked: Vec<_> = asked.into_iter().collect();
        let mut marks = self.admit(&asked, options.mediation, options.ui_mode)?;
        // Step 7: nothing is kept in the client for these types, so there is nothing to collect.
        let remote = |kind: &CredentialType| kind.discovery() == Discovery::Remote;
        let (Some(public_key), Some(mark)) = (public_key, marks.pop()) else {
            return Err(Cause::NoType);
        };
        if options.mediation == Mediation::Silent && asked.iter().all(remote) {
            return Ok(Request::settled(Operation::Get, Ok(None)));
        }
        let terms = public_key::Terms { mediation: options.mediation, signal: options.signal };
        public_key::get(self.page, now, public_key, terms, (entropy, mark))
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
            if mediation == Mediation::Conditional && !kind.is_conditional() {
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
        kind.is_built() && !self.page.profile().settings().absent.contains(&kind)
    }

    /// The rule of 2016 for frames, if it is switched on.
    fn is_without_effect(&self) -> bool {
        self.page.is_framed() && self.page.profile().settings().frames_without_effect
    }
}
