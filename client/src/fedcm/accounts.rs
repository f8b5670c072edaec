//! The list of accounts, and the hints that thin it out.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::Fault;
use super::exchange::Exchange;
use crate::fetch::{FetchFault, FetchResponse};

/// An account at a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Account {
    /// Its identifier.
    pub id: String,
    /// The person's name.
    pub name: Option<String>,
    /// Their address.
    pub email: Option<String>,
    /// Their number.
    pub tel: Option<String>,
    /// What they are called there.
    pub username: Option<String>,
    /// What they are called by friends.
    pub given_name: Option<String>,
    /// The URL of a picture.
    pub picture: Option<String>,
    /// Which relying parties the account is connected with, if the provider says so.
    pub approved_clients: Option<Vec<String>>,
    /// What a relying party may call the account.
    #[serde(default)]
    pub login_hints: Vec<String>,
    /// Which domains it is of.
    #[serde(default)]
    pub domain_hints: Vec<String>,
    /// Which labels it has.
    #[serde(default)]
    pub label_hints: Vec<String>,
}

impl Account {
    /// Is it connected with this relying party? `remembered`: is it among the connected accounts of the profile?
    #[must_use]
    pub fn is_connected(&self, client_id: &str, remembered: bool) -> bool {
        self.approves(client_id).unwrap_or(remembered)
    }

    /// Could it be signed in without asking?
    #[must_use]
    pub fn is_eligible(&self, client_id: &str, remembered: bool) -> bool {
        remembered && self.approves(client_id).unwrap_or(true)
    }

    fn approves(&self, client_id: &str) -> Option<bool> {
        let clients = self.approved_clients.as_ref()?;
        Some(clients.iter().any(|client| client == client_id))
    }

    fn is_nameless(&self) -> bool {
        let names = [&self.name, &self.email, &self.tel, &self.username];
        names.iter().all(|name| name.as_deref().unwrap_or_default().is_empty())
    }
}

#[derive(Deserialize)]
struct List {
    accounts: Vec<Account>,
}

/// Reads the answer of the accounts endpoint.
///
/// # Errors
///
/// The rule that it breaks. One account that is wrong makes the whole list wrong.
pub fn accounts(
    exchange: &mut Exchange,
    answer: Result<&FetchResponse, FetchFault>,
) -> Result<Vec<Account>, Fault> {
    let list: Option<List> = exchange.shaped(answer)?;
    let List { accounts } = list.ok_or(Fault::Redirect)?;
    let mut seen = BTreeSet::new();
    for account in &accounts {
        if account.is_nameless() {
            return Err(Fault::Nameless(account.id.clone()));
        }
        if !seen.insert(&account.id) {
            return Err(Fault::Duplicate(account.id.clone()));
        }
    }
    Ok(accounts)
}

/// Which accounts are wanted; an empty text is no hint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// The relying party's `loginHint`.
    pub login: String,
    /// Its `domainHint`; `any` is whatever domain.
    pub domain: String,
    /// The config file's `account_label`.
    pub label: String,
}

impl Hints {
    /// Is it one of those?
    #[must_use]
    pub fn fit(&self, account: &Account) -> bool {
        let has =
            |hint: &str, hints: &[String]| hint.is_empty() || hints.iter().any(|one| one == hint);
        let any_domain = self.domain == "any" && !account.domain_hints.is_empty();
        has(&self.login, &account.login_hints)
            && (any_domain || has(&self.domain, &account.domain_hints))
            && has(&self.label, &account.label_hints)
    }
}
