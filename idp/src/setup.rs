//! What a provider knows before anybody asks it: its origin, accounts and clients; in code, or read from a file.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// Who a provider is and whom it knows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Setup {
    /// The origin of its endpoints. The well-known file is at the registrable domain.
    pub origin: String,
    /// The people.
    pub accounts: Vec<Account>,
    /// The relying parties.
    pub clients: Vec<Client>,
    /// Whatever else is to be found on one of these hosts, or on another.
    pub documents: Vec<Document>,
    /// How long a token is good, in seconds.
    pub token_lifetime: u64,
}

/// A person's account, as the accounts endpoint tells of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// What the provider calls it.
    pub id: String,
    /// The person's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Their address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Their number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tel: Option<String>,
    /// What they are called there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// What friends call them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Where their picture is; `/picture` is one that the provider has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    /// Which clients it is connected with. Absent, the provider does not tell; else it keeps the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_clients: Option<Vec<String>>,
    /// What fits a `loginHint`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub login_hints: Vec<String>,
    /// What fits a `domainHint`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub domain_hints: Vec<String>,
    /// What fits the config file's `account_label`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub label_hints: Vec<String>,
}

/// A relying party that the provider knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// Its `client_id`.
    pub id: String,
    /// Where its pages are.
    pub origins: Vec<String>,
    /// Its privacy policy.
    pub privacy_policy_url: Option<String>,
    /// Its terms of service.
    pub terms_of_service_url: Option<String>,
}

/// Something to be found at a URL, whoever asks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Where, by host and path.
    pub url: String,
    /// Its media type.
    pub media_type: String,
    /// What.
    pub body: String,
}

impl Default for Setup {
    /// `https://login.idp.example` with the accounts `1`, Ada, and `2`, Bob, and the client `rp` at
    /// `https://rp.example`.
    fn default() -> Self {
        let text = |text: &str| Some(text.to_owned());
        let person = |id: &str, name: &str, given: &str, email: &str| Account {
            id: id.to_owned(),
            name: text(name),
            given_name: text(given),
            email: text(email),
            picture: text("/picture"),
            login_hints: vec![id.to_owned(), email.to_owned()],
            domain_hints: vec!["idp.example".to_owned()],
            ..Account::default()
        };
        Self {
            origin: "https://login.idp.example".to_owned(),
            accounts: vec![
                person("1", "Ada Lovelace", "Ada", "ada@idp.example"),
                person("2", "Bob Frankston", "Bob", "bob@idp.example"),
            ],
            clients: vec![Client {
                id: "rp".to_owned(),
                origins: vec!["https://rp.example".to_owned()],
                privacy_policy_url: text("https://rp.example/privacy"),
                terms_of_service_url: text("https://rp.example/terms"),
            }],
            documents: Vec::new(),
            token_lifetime: 300,
        }
    }
}

/// What is wrong with a [`Setup`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetupError {
    /// The text is not TOML, or not JSON, or has another shape; the text says where.
    Unreadable(String),
    /// This is no origin of a web server.
    Origin(String),
    /// Two accounts have this identifier.
    Account(String),
    /// Two clients have this identifier.
    Client(String),
    /// There is no account.
    Empty,
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(why) => f.write_str(why.trim_end()),
            Self::Origin(text) => {
                write!(f, "{text:?} is no https origin such as https://a.example")
            }
            Self::Account(id) => write!(f, "two accounts have the id {id:?}"),
            Self::Client(id) => write!(f, "two clients have the id {id:?}"),
            Self::Empty => f.write_str("there is no account"),
        }
    }
}

impl std::error::Error for SetupError {}

impl Setup {
    /// Reads a file: JSON if its first character says so, else TOML. What is absent is as by default.
    ///
    /// # Errors
    ///
    /// [`SetupError::Unreadable`].
    pub fn read(text: &str) -> Result<Self, SetupError> {
        if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(|error| SetupError::Unreadable(error.to_string()))
        } else {
            toml::from_str(text).map_err(|error| SetupError::Unreadable(error.to_string()))
        }
    }

    /// With one more document.
    #[must_use]
    pub fn document(mut self, url: &str, media_type: &str, body: &str) -> Self {
        let (url, media_type, body) = (url.to_owned(), media_type.to_owned(), body.to_owned());
        self.documents.push(Document { url, media_type, body });
        self
    }

    /// Everything in place?
    pub(crate) fn check(&self) -> Result<(), SetupError> {
        let mut seen = BTreeSet::new();
        if let Some(account) = self.accounts.iter().find(|account| !seen.insert(&account.id)) {
            return Err(SetupError::Account(account.id.clone()));
        }
        seen.clear();
        if let Some(client) = self.clients.iter().find(|client| !seen.insert(&client.id)) {
            return Err(SetupError::Client(client.id.clone()));
        }
        self.names().map(drop)?;
        if self.accounts.is_empty() { Err(SetupError::Empty) } else { Ok(()) }
    }

    /// The names of all hosts: the provider's first, its site's second.
    ///
    /// # Errors
    ///
    /// [`SetupError::Origin`].
    pub fn names(&self) -> Result<Vec<String>, SetupError> {
        let mut names = vec![host(&self.origin)?];
        names.extend(names.first().map(|name| site(name).to_owned()));
        for origin in self.clients.iter().flat_map(|client| &client.origins) {
            names.push(host(origin)?);
        }
        for document in &self.documents {
            names.push(host(&document.url)?);
        }
        let mut seen = BTreeSet::new();
        names.retain(|name| seen.insert(name.clone()));
        Ok(names)
    }
}

/// The name of the host of an origin or another URL.
pub(crate) fn host(origin: &str) -> Result<String, SetupError> {
    let url = Url::parse(origin).ok().filter(|url| url.scheme() == "https");
    match url.as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => Ok(name.to_owned()),
        _ => Err(SetupError::Origin(origin.to_owned())),
    }
}

/// The registrable domain, or the whole name if it has none.
pub(crate) fn site(name: &str) -> &str {
    psl::domain_str(name).unwrap_or(name)
}

/// An origin as browsers write it.
pub(crate) fn origin(text: &str) -> String {
    Url::parse(text).map_or_else(|_| text.to_owned(), |url| url.origin().ascii_serialization())
}
