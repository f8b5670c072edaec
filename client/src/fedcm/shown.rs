//! A page of a provider's that is shown because a call asked for it: `IdentityProvider.close()` and `resolve()`.

use url::Url;

use super::credential::Token;
use super::failure::Failure;
use crate::cause::{Cause, Operation};
use crate::credential::Rejection;
use crate::page::Page;
use crate::question::{Answer, Question};

/// What a page is shown for.
#[derive(Debug)]
pub(crate) struct Shown {
    /// The origin of the provider that wanted it.
    provider: String,
    /// Is it a page to go on at, instead of one to sign in at?
    goes_on: bool,
}

impl Shown {
    fn by(question: &Question) -> Option<Self> {
        let (provider, goes_on) = match question {
            Question::LogIn { provider, .. } => (provider, false),
            Question::Continue { provider, .. } => (provider, true),
            Question::Choose { .. }
            | Question::Keep { .. }
            | Question::Code { .. }
            | Question::Account(_)
            | Question::ProviderError { .. } => return None,
        };
        let provider = Url::parse(provider).ok()?.origin().ascii_serialization();
        Some(Self { provider, goes_on })
    }
}

impl Page {
    /// The page is in the dialog that this question asks to be shown, [`Question::LogIn`] or [`Question::Continue`], as
    /// the first one there or a later one. Other questions show no page.
    pub fn show_for(&mut self, question: &Question) {
        self.set_shown(Shown::by(question));
    }

    /// `IdentityProvider.close()`: how the question is to be answered that the page is shown for. Nothing where there is
    /// none, or the page is not the provider's: there the call has no effect.
    #[must_use]
    pub fn close_identity(&self) -> Option<Answer> {
        let shown = self.shown_by_own()?;
        // To close what only a token can end is to give up.
        Some(if shown.goes_on { Answer::No } else { Answer::Yes })
    }

    /// `IdentityProvider.resolve(token, {accountId})`: how the question is to be answered that the page is shown for.
    ///
    /// # Errors
    ///
    /// `NotAllowedError` for a page that is not shown to go on at, or is not the provider's.
    pub fn resolve_identity(
        &self,
        token: Token,
        account_id: Option<String>,
    ) -> Result<Answer, Rejection> {
        let rejected = |cause| Rejection::new(cause, Operation::Get);
        self.check().map_err(rejected)?;
        let shown = self.shown_by_own().filter(|shown| shown.goes_on);
        let failure = || rejected(Cause::Identity(Failure::NoContinuation));
        shown.ok_or_else(failure).map(|_| Answer::Resolve { token, account_id })
    }

    /// What it is shown for, if it is of the provider's origin.
    fn shown_by_own(&self) -> Option<&Shown> {
        self.shown().filter(|shown| shown.provider == self.serialized_origin())
    }
}
