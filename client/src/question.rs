//! What a person is asked on behalf of a page, and what they may answer. No secret is in a question.

use crate::fedcm::{AccountDialog, Token};
use crate::otp::Grade;
use crate::registry::CredentialType;

/// A question, with all that a prompt must show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Which of these credentials is the page to get? Answered by [`Answer::Choice`], or [`Answer::No`] for none.
    Choose {
        /// The serialization of the page's origin.
        origin: String,
        /// What there is; never empty.
        choices: Vec<Choice>,
    },
    /// May the profile keep this credential? Answered by [`Answer::Yes`], [`Answer::No`] or [`Answer::Never`].
    Keep {
        /// The credential.
        choice: Choice,
        /// Does it replace one that the profile keeps already?
        update: bool,
    },
    /// May the page have the code of a message? Answered by [`Answer::Yes`] or [`Answer::No`].
    Code {
        /// The serialization of the page's origin.
        origin: String,
        /// The origins that the message names: the top-level one, and that of the frame it is for.
        top: String,
        /// Likewise.
        embedded: Option<String>,
        /// How well they fit the page; for [`Grade::Site`] a prompt names them.
        grade: Grade,
    },
    /// Which account at a provider is the page to be signed in with? Answered by [`Answer::Choice`]; whatever else closes
    /// the dialog.
    Account(AccountDialog),
    /// The provider's login page is to be shown, as a page of its own. Answered by [`Answer::Yes`] once the page has
    /// called `IdentityProvider.close()` ([`crate::Page::close_identity`]), and by [`Answer::No`] if the person closed it. It helps only if the profile's
    /// login status for the provider then says that they are signed in; [`crate::Profile::navigated`] heeds what the
    /// page's answer says of that.
    LogIn {
        /// The config file of the provider.
        provider: String,
        /// The page.
        url: String,
    },
    /// The provider's page is to be shown on which the person goes on. Answered by [`Answer::Resolve`] once the page has
    /// called `IdentityProvider.resolve()` ([`crate::Page::resolve_identity`]); whatever else is a page that closed without a token.
    Continue {
        /// The config file of the provider.
        provider: String,
        /// The page.
        url: String,
    },
    /// The provider gave an error, which the person is shown before the page gets it. Any answer closes it.
    ProviderError {
        /// The config file of the provider.
        provider: String,
        /// What it said, such as `access_denied`; empty if nothing.
        error: String,
        /// Where it says more; empty if nowhere.
        url: String,
    },
}

/// A credential as a person sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its type.
    pub kind: CredentialType,
    /// The account's name.
    pub id: String,
    /// The person's name.
    pub name: Option<String>,
    /// The address of a picture.
    pub icon_url: Option<String>,
    /// The provider of a federated credential.
    pub provider: Option<String>,
    /// The origin that it was stored for, which may be a sibling of the page's.
    pub origin: String,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This one.
    Choice {
        /// Its place in the list. An index behind the end chooses none.
        index: usize,
        /// From now on the page may sign this person in without asking.
        stay_signed_in: bool,
    },
    /// Yes.
    Yes,
    /// No, this time.
    No,
    /// No, and this site must not ask again.
    Never,
    /// The provider's page called `IdentityProvider.resolve(token, {accountId})`.
    Resolve {
        /// The token.
        token: Token,
        /// The account, if it is another than the one that was chosen.
        account_id: Option<String>,
    },
}
