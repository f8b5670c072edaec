//! The provider's mind: a request comes in, an answer goes out, and an entry is written. No sockets and no clock.

mod assertion;
mod check;
mod login;
mod party;

use std::fmt;

use serde_json::{Map, Value, json};
use url::Url;

use crate::control;
use crate::endpoint::Endpoint;
use crate::entry::{Entry, Objection};
use crate::fault::{Fault, REDIRECTED};
use crate::log::Log;
use crate::message::{Answer, Body, Draft, Request};
use crate::recent::Recent;
use crate::setup::{Client, Setup, SetupError, host, origin, site};
use crate::token::Seal;

use assertion::Claimed;

/// How many sessions, nonces and tickets are remembered.
const MOST_REMEMBERED: usize = 1024;
/// A picture of one grey pixel.
const PICTURE: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0\x3a\x7e\x9b\x55\
    \0\0\0\nIDATx\x9cch\0\0\0\x82\0\x81w\xcdr\xb6\0\0\0\0IEND\xaeB`\x82";

/// A scripted identity provider, and the relying parties that it knows.
#[derive(Debug)]
pub struct Provider {
    pub(crate) setup: Setup,
    /// The provider's origin as browsers write it.
    origin: String,
    /// The name of its host, and of the host of the well-known file.
    name: String,
    site: String,
    seal: Seal,
    /// The accounts that are signed in, by the session's cookie.
    sessions: Recent<Vec<String>>,
    /// What a continuation ends with.
    tickets: Recent<Claimed>,
    /// What relying parties gave out.
    nonces: Recent<()>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) log: Log,
    /// How far the provider's clock is ahead, in seconds.
    pub(crate) ahead: u64,
}

/// Why there is no provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProviderError {
    /// The setup is wrong.
    Setup(SetupError),
    /// The system has no entropy.
    Entropy,
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setup(error) => write!(f, "{error}"),
            Self::Entropy => f.write_str("the system has no entropy"),
        }
    }
}

impl std::error::Error for ProviderError {}

/// Who answers at a host.
enum Role {
    Provider,
    Site,
    Party(Client),
    Control,
    Nobody,
}

impl Provider {
    /// A provider with a key of its own.
    ///
    /// # Errors
    ///
    /// [`ProviderError`].
    pub fn new(setup: Setup) -> Result<Self, ProviderError> {
        setup.check().map_err(ProviderError::Setup)?;
        let name = host(&setup.origin).map_err(ProviderError::Setup)?;
        Ok(Self {
            origin: origin(&setup.origin),
            site: site(&name).to_owned(),
            name,
            seal: Seal::generate().ok_or(ProviderError::Entropy)?,
            sessions: Recent::new(MOST_REMEMBERED),
            tickets: Recent::new(MOST_REMEMBERED),
            nonces: Recent::new(MOST_REMEMBERED),
            faults: Vec::new(),
            log: Log::default(),
            ahead: 0,
            setup,
        })
    }

    /// The URL of the config file.
    #[must_use]
    pub fn config_url(&self) -> String {
        self.url(Endpoint::Config.path())
    }

    /// The JWK set with the key of the tokens.
    #[must_use]
    pub fn keys(&self) -> Value {
        self.seal.keys()
    }

    /// The faults that are on.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// From now on these faults are on, and no others. Several at one endpoint change its answer one after the other.
    pub fn set_faults(&mut self, faults: Vec<Fault>) {
        self.faults = faults;
    }

    /// The last requests, the oldest first: ten thousand, or fewer if they are long.
    pub fn log(&self) -> impl Iterator<Item = &Entry> {
        self.log.iter()
    }

    /// Forgets them.
    pub fn clear_log(&mut self) {
        self.log.clear();
    }

    /// Answers a request; `now` is in seconds since 1970.
    pub fn answer(&mut self, now: u64, request: &Request) -> Answer {
        self.answer_noted(now, request).0
    }

    /// The same, and the entry about it; there is none about orders to the provider itself.
    pub(crate) fn answer_noted(&mut self, now: u64, request: &Request) -> (Answer, Option<&Entry>) {
        let role = self.role(request);
        if matches!(role, Role::Control) {
            return (control::answer(self, request).finish(), None);
        }
        let now = now.saturating_add(self.ahead);
        let endpoint = match role {
            Role::Provider => Endpoint::at(&request.path),
            Role::Site => Endpoint::at(&request.path).filter(|at| *at == Endpoint::WellKnown),
            _ => None,
        };
        let mut entry = Entry::about(now, request, endpoint);
        let draft = if let Some(document) = self.document(request) {
            document
        } else if let Some(endpoint) = endpoint {
            self.endpoint(now, endpoint, request, &mut entry)
        } else {
            let page = match role {
                Role::Provider => self.page(now, request),
                Role::Party(client) => self.party(now, &client, request),
                Role::Site => Err(Objection::UnknownPath),
                Role::Control | Role::Nobody => Err(Objection::UnknownHost),
            };
            page.unwrap_or_else(|objection| refusal(objection, &mut entry))
        };
        entry.status = draft.status;
        self.log.push(entry);
        (draft.finish(), self.log.last())
    }

    fn role(&self, request: &Request) -> Role {
        let name = request.host_name().to_ascii_lowercase();
        let is_at = |place: &String| host(place).is_ok_and(|host| host == name);
        if name == self.name {
            return Role::Provider;
        }
        if name == self.site {
            return Role::Site;
        }
        let party = self.setup.clients.iter().find(|client| client.origins.iter().any(is_at));
        match (party, name.as_str()) {
            (Some(client), _) => Role::Party(client.clone()),
            (None, "localhost" | "127.0.0.1" | "[::1]") => Role::Control,
            (None, _) => Role::Nobody,
        }
    }

    fn document(&self, request: &Request) -> Option<Draft> {
        let asked = Url::parse(&format!("https://{}{}", request.host_name(), request.path)).ok()?;
        let is_there = |url: Url| (url.host(), url.path()) == (asked.host(), asked.path());
        let mut documents = self.setup.documents.iter();
        let document = documents.find(|document| Url::parse(&document.url).is_ok_and(is_there))?;
        let body = Body::Bytes(document.body.clone().into_bytes());
        Some(Draft::new(200, &document.media_type, body))
    }

    /// One of the protocol's endpoints, with its faults.
    fn endpoint(
        &mut self,
        now: u64,
        endpoint: Endpoint,
        request: &Request,
        entry: &mut Entry,
    ) -> Draft {
        entry.objections = self.check(endpoint, request);
        let refused = entry.objections.iter().find(|objection| objection.status().is_some());
        let mut ticket = None;
        let mut draft = match refused.cloned() {
            Some(objection) => refused_with(&objection),
            None => self.good(now, endpoint, request, &mut ticket),
        };
        let reader = request.header("origin").filter(|origin| self.may_read(request, origin));
        if let Some(origin) = reader.filter(|_| endpoint.is_posted()) {
            draft = draft
                .header("Access-Control-Allow-Origin", origin)
                .header("Access-Control-Allow-Credentials", "true")
                .header("Vary", "Origin");
        }
        if request.asked(REDIRECTED).is_none() {
            let here = self.faults.iter().filter(|fault| fault.endpoint == endpoint);
            for fault in here {
                fault.apply(&mut draft, ticket.as_deref());
                entry.faults.push(fault.clone());
            }
        }
        draft
    }

    /// May pages of this origin read what the client that is named is told?
    fn may_read(&self, request: &Request, origin: &str) -> bool {
        let client = request.field("client_id");
        client.and_then(|id| self.client(&id)).is_some_and(|client| is_of(client, origin))
    }

    /// The answer of an endpoint to a request that nothing is wrong with.
    fn good(
        &mut self,
        now: u64,
        endpoint: Endpoint,
        request: &Request,
        ticket: &mut Option<String>,
    ) -> Draft {
        match endpoint {
            Endpoint::WellKnown => Draft::json(
                200,
                json!({
                    "provider_urls": [self.config_url()],
                    "accounts_endpoint": self.url(Endpoint::Accounts.path()),
                    "login_url": self.url(Endpoint::Login.path()),
                }),
            ),
            Endpoint::Config => Draft::json(200, config()),
            Endpoint::Accounts => Draft::json(200, json!({"accounts": self.accounts(request)})),
            Endpoint::ClientMetadata => Draft::json(200, self.metadata(request)),
            Endpoint::IdAssertion => self.assertion(now, request, ticket),
            Endpoint::Disconnect => self.disconnect(request),
            Endpoint::Picture => Draft::new(200, "image/png", Body::Bytes(PICTURE.to_vec())),
            Endpoint::Login => self.login(request),
        }
    }

    /// Those who are signed in in the session of this request.
    fn accounts(&self, request: &Request) -> Value {
        let ids = self.session(request);
        let accounts = self.setup.accounts.iter().filter(|account| ids.contains(&account.id));
        let mut accounts: Vec<Value> =
            accounts.filter_map(|account| serde_json::to_value(account).ok()).collect();
        for account in &mut accounts {
            if let Some(picture) = account.get("picture").and_then(Value::as_str)
                && picture.starts_with('/')
            {
                let picture = json!(self.url(picture));
                if let Some(members) = account.as_object_mut() {
                    members.insert("picture".to_owned(), picture);
                }
            }
        }
        Value::Array(accounts)
    }

    fn metadata(&self, request: &Request) -> Value {
        let id = request.asked("client_id").unwrap_or_default();
        let Some(client) = self.client(&id) else { return json!({}) };
        // As the draft calls it, and as Chromium does.
        let top = request.asked("top_level_origin").or_else(|| request.asked("top_frame_origin"));
        let mut metadata = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                metadata.insert(name.to_owned(), value);
            }
        };
        put("privacy_policy_url", client.privacy_policy_url.as_deref().map(Value::from));
        put("terms_of_service_url", client.terms_of_service_url.as_deref().map(Value::from));
        let foreign = top.map(|top| Value::from(!is_of(client, &top)));
        put("client_is_third_party_to_top_frame_origin", foreign);
        Value::Object(metadata)
    }

    fn client(&self, id: &str) -> Option<&Client> {
        self.setup.clients.iter().find(|client| client.id == id)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }
}

/// Is this origin one of the client's?
fn is_of(client: &Client, other: &str) -> bool {
    client.origins.iter().any(|one| origin(one) == other)
}

fn config() -> Value {
    json!({
        "accounts_endpoint": Endpoint::Accounts.path(),
        "client_metadata_endpoint": Endpoint::ClientMetadata.path(),
        "id_assertion_endpoint": Endpoint::IdAssertion.path(),
        "disconnect_endpoint": Endpoint::Disconnect.path(),
        "login_url": Endpoint::Login.path(),
        "branding": {"name": "A scripted provider", "color": "white", "background_color": "#205080"},
    })
}

fn refusal(objection: Objection, entry: &mut Entry) -> Draft {
    let draft = refused_with(&objection);
    entry.objections.push(objection);
    draft
}

/// What is said to a request that something is wrong with.
fn refused_with(objection: &Objection) -> Draft {
    let code = match objection {
        Objection::UnknownClient(_) | Objection::OtherOrigin => "unauthorized_client",
        Objection::UnknownAccount(_) | Objection::NoSession | Objection::FromPage => {
            "access_denied"
        }
        _ => "invalid_request",
    };
    Draft::json(objection.status().unwrap_or(400), json!({"error": {"error": code}}))
}
