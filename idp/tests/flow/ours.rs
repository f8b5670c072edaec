//! The client of this project goes through a scenario, over real sockets and on a clock that stands.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use softkey_client::fedcm::{AccountChoice, Connection, DisconnectOptions, Failure, Fault};
use softkey_client::fetch::Method;
use softkey_client::fetch::http::{Http, Network};
use softkey_client::headless::{Surroundings, settle};
use softkey_client::{
    Answer, Cause, CredentialRequestOptions, Entropy, Fetch, FetchRequest, Page, Profile, Question,
    Rejection, Request,
};
use softkey_ctap::{Instant, Secret};
use softkey_idp::{Server, Setup};

use crate::scenarios::{Act, CONFIG, Expected, Scenario};
use crate::seen::{Seen, asked, credential, exception};

pub(crate) const RP: &str = "https://rp.example";
pub(crate) const IDP: &str = "https://login.idp.example";

/// A provider whose clock stands, so that tokens can be compared.
pub(crate) fn provider() -> Server {
    let address = "127.0.0.1:0".parse().unwrap();
    Server::start_at(address, Setup::default(), Arc::new(|| 1_800_000_000)).unwrap()
}

struct World {
    page: Page,
    http: Http,
    dialogs: Vec<String>,
}

impl Surroundings for World {
    fn now(&mut self) -> Instant {
        Instant::from_millis(1000)
    }

    fn sleep_until(&mut self, at: Instant) {
        panic!("nothing here waits until {at:?}");
    }

    /// The first account, and no more of anything else.
    fn answer(&mut self, question: &Question) -> Answer {
        self.dialogs.push(told(question));
        match question {
            Question::Account(dialog)
                if matches!(dialog.choices.first(), Some(AccountChoice::Account { .. })) =>
            {
                Answer::Choice { index: 0, stay_signed_in: false }
            }
            _ => Answer::No,
        }
    }

    fn fetch(&mut self) -> &mut dyn Fetch {
        &mut self.http
    }
}

/// A dialog in words.
fn told(question: &Question) -> String {
    let Question::Account(dialog) = question else {
        return match question {
            Question::ProviderError { .. } => "error".to_owned(),
            other => format!("{other:?}"),
        };
    };
    let entry = |choice: &AccountChoice| match choice {
        AccountChoice::Account { account, connected, disclosure, .. } => {
            let links = disclosure.as_ref().is_some_and(|one| one.privacy_policy_url.is_some());
            let state = if *connected { "SignIn" } else { "SignUp" };
            format!("{} {state}{}", account.id, if links { " with links" } else { "" })
        }
        AccountChoice::LogIn { .. } => "login".to_owned(),
        AccountChoice::OtherAccount { .. } => "other".to_owned(),
    };
    dialog.choices.iter().map(entry).collect::<Vec<_>>().join(", ")
}

impl World {
    fn new(server: &Server, time_limit: Option<Duration>) -> Self {
        let mut network = Network::new().root(server.root_der());
        for host in ["login.idp.example", "idp.example"] {
            network = network.host(host, 443, server.address());
        }
        let profile = Profile::new();
        if let Some(limit) = time_limit {
            let limit = u64::try_from(limit.as_millis()).unwrap();
            profile.set(|settings| settings.fed_cm.time_limit = limit);
        }
        Self { page: Page::new(&profile, RP), http: Http::new(&network), dialogs: Vec::new() }
    }

    fn log_in(&mut self, form: &str) {
        let url = format!("{IDP}/login");
        let request = FetchRequest {
            method: Method::Post,
            body: form.as_bytes().to_vec(),
            ..FetchRequest::get(&url)
        };
        let response = self.http.fetch(&request).unwrap();
        assert_eq!(response.status, 200);
        let now = self.now();
        self.page.profile().navigated(now, &url, &response);
    }

    fn get(&mut self, scenario: &Scenario) -> Result<Value, Rejection> {
        let options = options(scenario).to_string();
        let options = CredentialRequestOptions::from_json(&options).unwrap();
        let (now, entropy) = (self.now(), Entropy::from_seed(&Secret::new([7; 32])));
        let request = self.page.credentials().get(now, options, entropy);
        self.settle(request)
    }

    fn settle(&mut self, request: Request) -> Result<Value, Rejection> {
        let promise = settle(request, self).promise.expect("a promise that is settled");
        promise.map(|got| got.map_or(json!({}), |got| got.to_json()))
    }
}

/// The options of a scenario, as a page writes them.
pub(crate) fn options(scenario: &Scenario) -> Value {
    let mut provider = json!({"configURL": CONFIG, "clientId": "rp"});
    for (name, value) in scenario.provider.as_object().unwrap() {
        provider[name] = value.clone();
    }
    json!({"identity": {"providers": [provider]}, "mediation": scenario.mediation})
}

/// Goes through a scenario.
pub(crate) fn run(scenario: &Scenario) -> (Seen, Expected) {
    run_within(scenario, None)
}

/// With so much time for each answer.
pub(crate) fn run_within(scenario: &Scenario, time_limit: Option<Duration>) -> (Seen, Expected) {
    let server = provider();
    let mut world = World::new(&server, time_limit);
    if !scenario.login.is_empty() {
        world.log_in(scenario.login);
    }
    if scenario.act != Act::Get {
        let first = Scenario { mediation: "optional", ..scenario.clone() };
        world.get(&first).unwrap();
    }
    finish(scenario, &server, world)
}

/// With these accounts connected beforehand, by a person who stays signed in.
pub(crate) fn run_connected(scenario: &Scenario, accounts: &[&str]) -> (Seen, Expected) {
    let server = provider();
    let mut world = World::new(&server, None);
    world.log_in(scenario.login);
    world.get(&Scenario { mediation: "optional", ..scenario.clone() }).unwrap();
    for account in accounts {
        world.page.profile().connect(Connection {
            embedder: RP.to_owned(),
            relying_party: RP.to_owned(),
            provider: IDP.to_owned(),
            account: (*account).to_owned(),
        });
    }
    finish(scenario, &server, world)
}

fn finish(scenario: &Scenario, server: &Server, mut world: World) -> (Seen, Expected) {
    server.take_log();
    world.dialogs.clear();
    let _ = world.page.profile().take_fedcm_log();
    server.set_faults(scenario.faults.iter().map(|fault| fault.parse().unwrap()).collect());
    let outcome = if scenario.act == Act::Disconnect {
        let (config_url, client_id) = (CONFIG.to_owned(), "rp".to_owned());
        let options = DisconnectOptions { config_url, client_id, account_hint: "1".to_owned() };
        let request = world.page.disconnect_identity(options);
        world.settle(request)
    } else {
        world.get(scenario)
    };
    let refused = world.page.profile().take_fedcm_log().into_iter();
    let refused = refused.filter_map(|entry| Some((entry.endpoint, textless(entry.fault?))));
    let mut found = Expected { failure: None, refused: refused.collect() };
    let outcome = match outcome {
        Ok(got) => credential(got),
        Err(Rejection { exception: name, cause: Cause::Identity(failure), .. }) => {
            let (error, url) = match &failure {
                Failure::NoToken(error) => (error.error.clone(), error.url.clone()),
                _ => Default::default(),
            };
            found.failure = Some((name, without_texts(failure)));
            exception(name.name(), &error, &url)
        }
        Err(other) => panic!("{other}"),
    };
    let requests = asked(&server.take_log());
    (Seen { outcome, dialogs: world.dialogs, requests }, found)
}

/// What a JSON library says in detail is not compared.
fn textless(fault: Fault) -> Fault {
    if matches!(fault, Fault::Shape(_)) { Fault::Shape(String::new()) } else { fault }
}

fn without_texts(failure: Failure) -> Failure {
    use softkey_client::fedcm::Unoffered;
    let plain = |why| match why {
        Unoffered::Answer(endpoint, fault) => Unoffered::Answer(endpoint, textless(fault)),
        other => other,
    };
    match failure {
        Failure::NothingToOffer(reasons) => {
            let reasons = reasons.into_iter().map(|(provider, why)| (provider, plain(why)));
            Failure::NothingToOffer(reasons.collect())
        }
        other => other,
    }
}
