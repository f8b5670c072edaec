//! A provider by table, a person by script, and a clock that is set.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use softkey_client::fedcm::{Failure, LogEntry};
use softkey_client::headless::{Surroundings, settle};
use softkey_client::{
    Answer, Cause, CredentialRequestOptions, DomException, Entropy, Fetch, FetchFault,
    FetchRequest, FetchResponse, Output, Page, Profile, Question, Rejection, Request,
};
use softkey_ctap::{Instant, Secret};

use crate::judge::judge;

pub(crate) const RP: &str = "https://rp.example";
pub(crate) const IDP: &str = "https://login.idp.example";
pub(crate) const CONFIG: &str = "https://login.idp.example/fedcm.json";
/// The config file of another provider.
pub(crate) const OTHER: &str = "https://other.example/config.json";
pub(crate) const WELL_KNOWN: &str = "https://idp.example/.well-known/web-identity";
pub(crate) const ACCOUNTS: &str = "https://login.idp.example/accounts";
pub(crate) const ASSERT: &str = "https://login.idp.example/assert";
pub(crate) const METADATA: &str = "https://login.idp.example/metadata";
pub(crate) const DISCONNECT: &str = "https://login.idp.example/disconnect";

/// How a call ended: the credential as a page sees it, or the exception and its cause.
pub(crate) type Outcome = Result<Option<Value>, (DomException, Cause)>;
type Person = Box<dyn FnMut(&Question, &Profile) -> Answer + Send>;

/// Servers by URL without query.
pub(crate) struct Servers {
    routes: BTreeMap<String, Result<FetchResponse, FetchFault>>,
    pub(crate) sent: Vec<FetchRequest>,
}

impl Servers {
    pub(crate) fn routes_for(&self, url: &str) -> Result<FetchResponse, FetchFault> {
        self.routes.get(url).cloned().unwrap_or(Err(FetchFault::NoSuchHost))
    }
}

impl Fetch for Servers {
    fn fetch(&mut self, request: &FetchRequest) -> Result<FetchResponse, FetchFault> {
        judge(request).unwrap();
        self.sent.push(request.clone());
        let url = request.url.split('?').next().unwrap();
        self.routes_for(url)
    }
}

pub(crate) fn response(status: u16, headers: &[(&str, &str)], body: &str) -> FetchResponse {
    let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    FetchResponse { status, headers, body: body.into() }
}

pub(crate) fn json_response(body: &Value) -> FetchResponse {
    response(200, &[("Content-Type", "application/json")], &body.to_string())
}

/// An answer that [`RP`] may read.
pub(crate) fn cors(status: u16, body: &Value) -> FetchResponse {
    let headers = [
        ("Content-Type", "application/json"),
        ("Access-Control-Allow-Origin", RP),
        ("Access-Control-Allow-Credentials", "true"),
    ];
    response(status, &headers, &body.to_string())
}

pub(crate) fn config_file() -> Value {
    json!({"accounts_endpoint": "/accounts", "id_assertion_endpoint": "/assert",
        "login_url": "/login", "disconnect_endpoint": "/disconnect",
        "client_metadata_endpoint": "/metadata"})
}

pub(crate) fn ada() -> Value {
    json!({"id": "1", "name": "Ada", "email": "ada@idp.example", "login_hints": ["ada"]})
}

pub(crate) struct World {
    pub(crate) page: Page,
    pub(crate) servers: Servers,
    pub(crate) now: Instant,
    pub(crate) asked: Vec<Question>,
    person: Person,
}

impl World {
    /// A provider that works, with one account, and a person who takes the first choice.
    pub(crate) fn new() -> Self {
        Self::of(Page::new(&Profile::new(), RP))
    }

    pub(crate) fn of(page: Page) -> Self {
        let servers = Servers { routes: BTreeMap::new(), sent: Vec::new() };
        let person: Person = Box::new(|_, _| choice(0));
        let now = Instant::from_millis(1000);
        let mut world = Self { page, servers, now, asked: Vec::new(), person };
        let well_known = json!({"provider_urls": [CONFIG],
            "accounts_endpoint": ACCOUNTS, "login_url": "https://login.idp.example/login"});
        world.route(WELL_KNOWN, json_response(&well_known));
        world.route(CONFIG, json_response(&config_file()));
        world
            .route(METADATA, json_response(&json!({"privacy_policy_url": "https://rp.example/p"})));
        world.accounts(&[ada()]);
        world.route(ASSERT, cors(200, &json!({"token": "a token"})));
        world.route(DISCONNECT, cors(200, &json!({"account_id": "1"})));
        world
    }

    pub(crate) fn route(&mut self, url: &str, response: FetchResponse) {
        self.servers.routes.insert(url.into(), Ok(response));
    }

    /// Another provider, which gives `token` for what `accounts` lists; the options that name both.
    pub(crate) fn and_another(&mut self, accounts: FetchResponse, token: &str) -> Value {
        let known = json!({"provider_urls": [OTHER]});
        self.route("https://other.example/.well-known/web-identity", json_response(&known));
        let file =
            json!({"accounts_endpoint": "a", "id_assertion_endpoint": "t", "login_url": "l"});
        self.route(OTHER, json_response(&file));
        self.route("https://other.example/a", accounts);
        self.route("https://other.example/t", cors(200, &json!({"token": token})));
        let mut options = identity();
        let provider = json!({"configURL": OTHER, "clientId": "c2"});
        options["identity"]["providers"].as_array_mut().unwrap().push(provider);
        options
    }

    pub(crate) fn breaks(&mut self, url: &str, fault: FetchFault) {
        self.servers.routes.insert(url.into(), Err(fault));
    }

    pub(crate) fn accounts(&mut self, accounts: &[Value]) {
        self.route(ACCOUNTS, json_response(&json!({"accounts": accounts})));
    }

    /// The config file with one member changed.
    pub(crate) fn config(&mut self, member: &str, value: Value) {
        let mut file = config_file();
        file[member] = value;
        self.route(CONFIG, json_response(&file));
    }

    pub(crate) fn person(
        &mut self,
        person: impl FnMut(&Question, &Profile) -> Answer + Send + 'static,
    ) {
        self.person = Box::new(person);
    }

    pub(crate) fn get(&mut self, options: &Value) -> Outcome {
        self.try_get(options).map_err(|rejection| (rejection.exception, rejection.cause))
    }

    pub(crate) fn try_get(&mut self, options: &Value) -> Result<Option<Value>, Rejection> {
        let request = self.begin(options);
        self.settle(request)
    }

    pub(crate) fn begin(&mut self, options: &Value) -> Request {
        let options = CredentialRequestOptions::from_json(&options.to_string()).unwrap();
        let now = self.now;
        self.page.credentials().get(now, options, Entropy::from_seed(&Secret::new([7; 32])))
    }

    pub(crate) fn settle(&mut self, request: Request) -> Result<Option<Value>, Rejection> {
        let settlement = settle(request, self);
        let promise = settlement.promise.expect("a promise that is settled");
        promise.map(|credential| credential.map(|credential| credential.to_json()))
    }

    pub(crate) fn outcome(&mut self, request: Request) -> Outcome {
        self.settle(request).map_err(|rejection| (rejection.exception, rejection.cause))
    }

    /// One sign-in that the user confirms, after which the account is connected.
    pub(crate) fn connect(&mut self) {
        self.get(&identity()).unwrap();
        self.servers.sent.clear();
        self.asked.clear();
        let _ = self.page.profile().take_fedcm_log();
    }

    /// What was sent since the last call, as `METHOD URL`.
    pub(crate) fn sent(&mut self) -> Vec<String> {
        let line = |sent: FetchRequest| format!("{} {}", sent.method.as_str(), sent.url);
        self.servers.sent.drain(..).map(line).collect()
    }

    /// The form of the last POST.
    pub(crate) fn form(&self) -> String {
        String::from_utf8(self.servers.sent.last().unwrap().body.clone()).unwrap()
    }

    pub(crate) fn log(&self) -> Vec<LogEntry> {
        self.page.profile().take_fedcm_log()
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.now += time;
    }
}

impl Surroundings for World {
    fn now(&mut self) -> Instant {
        self.now
    }

    fn sleep_until(&mut self, at: Instant) {
        self.now = self.now.max(at);
    }

    fn answer(&mut self, question: &Question) -> Answer {
        self.asked.push(question.clone());
        (self.person)(question, self.page.profile())
    }

    fn fetch(&mut self) -> &mut dyn Fetch {
        &mut self.servers
    }
}

pub(crate) fn choice(index: usize) -> Answer {
    Answer::Choice { index, stay_signed_in: false }
}

/// The plain request.
pub(crate) fn identity() -> Value {
    with(&json!({}))
}

/// The plain request with these members of the provider.
pub(crate) fn with(members: &Value) -> Value {
    let mut provider = json!({"configURL": CONFIG, "clientId": "client"});
    for (name, value) in members.as_object().unwrap() {
        provider[name] = value.clone();
    }
    json!({"identity": {"providers": [provider]}})
}

/// The plain request in this mode.
pub(crate) fn active() -> Value {
    let mut options = identity();
    options["identity"]["mode"] = json!("active");
    options
}

pub(crate) fn silent() -> Value {
    let mut options = identity();
    options["mediation"] = json!("silent");
    options
}

pub(crate) fn network(failure: Failure) -> Outcome {
    Err((DomException::NetworkError, Cause::Identity(failure)))
}

pub(crate) fn token(outcome: Outcome) -> String {
    outcome.unwrap().unwrap()["token"].as_str().unwrap().to_owned()
}

/// A request that is carried on step by step, so that the world can change between.
pub(crate) struct Stepped(Request);

impl Stepped {
    pub(crate) const fn new(request: Request) -> Self {
        Self(request)
    }

    /// Goes on to the next question.
    pub(crate) fn until_asked(&mut self, world: &mut World) -> Question {
        loop {
            match self.0.poll_output(world.now) {
                Some(Output::Send(sent)) => {
                    let response = world.servers.fetch(&sent);
                    self.0.handle_response(world.now, response);
                }
                Some(Output::Ask(question)) => return question,
                other => panic!("{other:?} instead of a question"),
            }
        }
    }

    /// Goes on to where it sends nothing and asks nothing.
    pub(crate) fn until_quiet(&mut self, world: &mut World) {
        while let Some(output) = self.0.poll_output(world.now) {
            let Output::Send(sent) = output else { panic!("{output:?} instead of a request") };
            let response = world.servers.fetch(&sent);
            self.0.handle_response(world.now, response);
        }
    }

    /// What it sends next.
    pub(crate) fn until_sent(&mut self, world: &World) -> FetchRequest {
        match self.0.poll_output(world.now) {
            Some(Output::Send(sent)) => sent,
            other => panic!("{other:?} instead of a request"),
        }
    }

    pub(crate) fn respond(&mut self, world: &World, response: Result<FetchResponse, FetchFault>) {
        self.0.handle_response(world.now, response);
    }

    pub(crate) fn answer(&mut self, world: &World, answer: Answer) {
        self.0.handle_answer(world.now, answer);
    }

    pub(crate) fn finish(self, world: &mut World) -> Outcome {
        world.outcome(self.0)
    }
}
