//! A provider, a client with a profile, and a person who signs in to the provider.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};
use softkey_client::fedcm::{LogEntry, LoginStatus, Token};
use softkey_client::fetch::Method;
use softkey_client::fetch::http::{Http, Network};
use softkey_client::headless::{Surroundings, settle};
use softkey_client::{
    Answer, CredentialRequestOptions, Entropy, Fetch, FetchRequest, FetchResponse, Page, Profile,
    Question, Rejection, Request,
};
use softkey_ctap::{Instant, Secret};
use softkey_idp::{Server, Setup};

pub(crate) const RP: &str = "https://rp.example";
pub(crate) const IDP: &str = "https://login.idp.example";
pub(crate) const CONFIG: &str = "https://login.idp.example/fedcm.json";

pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) page: Page,
    pub(crate) asked: Vec<Question>,
    /// How long the person waits for the login page.
    pub(crate) patience: Duration,
    http: Http,
}

impl World {
    /// Nobody is signed in.
    pub(crate) fn new() -> Self {
        let server = Server::start(Setup::default()).unwrap();
        let mut network = Network::new().root(server.root_der());
        for name in ["idp.example", "login.idp.example", "rp.example"] {
            network = network.host(name, 443, server.address());
        }
        let profile = Profile::new();
        profile.set_wall_clock(Instant::default(), UNIX_EPOCH.elapsed().unwrap());
        profile.set(|settings| settings.fed_cm.time_limit = 5_000);
        let page = Page::new(&profile, RP);
        Self {
            server,
            page,
            asked: Vec::new(),
            patience: Duration::from_mins(1),
            http: Http::new(&network),
        }
    }

    /// The person signs in to the provider with this account, or `*`.
    pub(crate) fn log_in(&mut self, account: &str) {
        assert!(self.try_to_log_in(account), "no answer");
    }

    /// Likewise; did an answer come?
    fn try_to_log_in(&mut self, account: &str) -> bool {
        let url = format!("{IDP}/login");
        let form = self.page.profile().navigation(Instant::default(), &url);
        let form = FetchRequest {
            method: Method::Post,
            body: format!("account={account}").into_bytes(),
            time_limit: self.patience,
            ..form.header("Content-Type", "application/x-www-form-urlencoded")
        };
        let Ok(answer) = self.http.fetch(&form) else { return false };
        self.page.profile().navigated(Instant::default(), &url, &answer);
        true
    }

    /// With Ada signed in, of which the client knows nothing but the cookie, and these faults.
    pub(crate) fn with(faults: &[&str]) -> Self {
        let mut world = Self::new();
        world.log_in("1");
        // Else accounts that fail would be a reason to offer the login, again and again.
        world.page.profile().set_login_status(IDP, LoginStatus::Unknown);
        let faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
        world.server.set_faults(faults);
        let _ = world.server.take_log();
        world
    }

    pub(crate) fn begin(&mut self, options: &Value) -> Request {
        let options = CredentialRequestOptions::from_json(&options.to_string()).unwrap();
        let entropy = Entropy::from_seed(&Secret::new([7; 32]));
        self.page.credentials().get(Instant::default(), options, entropy)
    }

    pub(crate) fn get(&mut self, options: &Value) -> Result<Value, Rejection> {
        let request = self.begin(options);
        self.settle(request).map(Option::unwrap)
    }

    pub(crate) fn settle(&mut self, request: Request) -> Result<Option<Value>, Rejection> {
        let credential = settle(request, self).into_result()?;
        Ok(credential.map(|credential| credential.to_json()))
    }

    /// The client's log since the last call.
    pub(crate) fn log(&self) -> Vec<LogEntry> {
        self.page.profile().take_fedcm_log()
    }

    /// Goes to a page of the provider's with the person's cookies.
    pub(crate) fn visit(&mut self, url: &str) -> FetchResponse {
        let request = self.page.profile().navigation(Instant::default(), url);
        self.http.fetch(&request.header("Accept", "application/json")).unwrap()
    }
}

impl Surroundings for World {
    fn now(&mut self) -> Instant {
        Instant::default()
    }

    fn sleep_until(&mut self, at: Instant) {
        panic!("nothing waits until {at:?}");
    }

    fn answer(&mut self, question: &Question) -> Answer {
        self.asked.push(question.clone());
        match question {
            Question::Account(_) => Answer::Choice { index: 0, stay_signed_in: false },
            Question::LogIn { .. } => {
                if self.try_to_log_in("2") {
                    Answer::Yes
                } else {
                    Answer::No
                }
            }
            Question::Continue { url, .. } => {
                let page: Value = serde_json::from_slice(&self.visit(url).body).unwrap();
                let account_id = page["account_id"].as_str().map(str::to_owned);
                Answer::Resolve { token: Token::new(page["token"].clone()), account_id }
            }
            _ => Answer::No,
        }
    }

    fn fetch(&mut self) -> &mut dyn Fetch {
        &mut self.http
    }
}

/// What a page of the client asks for.
pub(crate) fn identity(nonce: &str) -> Value {
    let provider = json!({"configURL": CONFIG, "clientId": "rp", "params": {"nonce": nonce}});
    json!({"identity": {"providers": [provider]}})
}

/// The seconds since 1970.
pub(crate) fn now() -> u64 {
    UNIX_EPOCH.elapsed().unwrap_or(Duration::ZERO).as_secs()
}
