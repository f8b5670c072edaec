//! The dialogs of `FedCM`, as a prompt needs them.

use std::collections::BTreeMap;

use super::accounts::Account;
use super::branding::Branding;
use super::options::{Context, Mode};

/// Which account is the page to be signed in with?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountDialog {
    /// The origin of the page that asks.
    pub origin: String,
    /// The origin of the top-level page around it.
    pub embedder: String,
    /// What the person does by it.
    pub context: Context,
    /// Did they ask for it by a click?
    pub mode: Mode,
    /// What there is to choose; never empty.
    pub choices: Vec<AccountChoice>,
    /// How the providers want to look, by their config files as the choices name them.
    pub brandings: BTreeMap<String, Branding>,
}

/// An entry of the dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountChoice {
    /// An account.
    Account {
        /// The config file of its provider.
        provider: String,
        /// The account.
        account: Box<Account>,
        /// Its picture as it was fetched, of whatever format.
        picture: Option<Vec<u8>>,
        /// Was the page signed in to with it before? Then choosing it is a sign-in, else a sign-up.
        connected: bool,
        /// What must be said about a sign-up.
        disclosure: Option<Disclosure>,
    },
    /// The provider says that the person is signed in, and has no account for the page: sign in there again.
    LogIn {
        /// The config file of the provider.
        provider: String,
    },
    /// Sign in to the provider with another account.
    OtherAccount {
        /// The config file of the provider.
        provider: String,
    },
}

/// What a person must be told before they sign up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disclosure {
    /// What the provider gives to the page: `name`, `email`, `tel`, `username`, `picture`.
    pub fields: Vec<String>,
    /// The page's privacy policy.
    pub privacy_policy_url: Option<String>,
    /// Its terms of service.
    pub terms_of_service_url: Option<String>,
}
