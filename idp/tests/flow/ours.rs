//! The client of this project goes a way, over real sockets and on a clock that stands.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};
use softkey_client::fedcm::{
    AccountChoice, DisconnectOptions, Endpoint, Failure, Fault, Token, Unoffered, UserInfoOptions,
};
use softkey_client::fetch::Method;
use softkey_client::fetch::http::{Http, Network};
use softkey_client::headless::{Surroundings, settle};
use softkey_client::{
    AbortController, Answer, Cause, CredentialRequestOptions, DomException, Entropy, Feature,
    Fetch, FetchRequest, FetchResponse, Frame, Operation, Page, Profile, Question, Rejection,
    Request,
};
use softkey_ctap::{Instant, Secret};

use crate::providers::Providers;
use crate::scenarios::{Expected, Scenario};
use crate::seen::{Seen, credential, exception};
use crate::walk::{Does, IDP, Place, RP, Step, TOP, Walk};

const NOW: Instant = Instant::from_millis(1000);

/// How a call ended: the exception and the private cause, if with one.
pub(crate) type Ended = Result<(), (DomException, Cause)>;

struct World {
    page: Page,
    place: Place,
    http: Http,
    does: VecDeque<Does>,
    controller: AbortController,
    dialogs: Vec<String>,
}

impl Surroundings for World {
    fn now(&mut self) -> Instant {
        NOW
    }

    fn sleep_until(&mut self, at: Instant) {
        panic!("nothing here waits until {at:?}");
    }

    fn answer(&mut self, question: &Question) -> Answer {
        self.dialogs.push(told(question));
        match question {
            Question::Account(dialog) => self.choose(&dialog.choices),
            Question::LogIn { url, .. } => match self.does.pop_front() {
                Some(Does::LogIn(account)) => {
                    self.log_in(url, account);
                    Answer::Yes
                }
                _ => Answer::No,
            },
            Question::Continue { url, .. } => match self.does.pop_front() {
                Some(Does::GoOn) => self.go_on(url),
                _ => Answer::No,
            },
            _ => Answer::No,
        }
    }

    fn fetch(&mut self) -> &mut dyn Fetch {
        &mut self.http
    }
}

/// A dialog in words.
fn told(question: &Question) -> String {
    let page = |url: &str| format!("page {}", url.trim_start_matches("https://"));
    let dialog = match question {
        Question::Account(dialog) => dialog,
        Question::ProviderError { .. } => return "error".to_owned(),
        Question::LogIn { url, .. } => return page(url),
        // The rest is a name that nobody can guess.
        Question::Continue { url, .. } => return page(url.split('?').next().unwrap()),
        other => return format!("{other:?}"),
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
    fn new(providers: &Providers, time_limit: Option<Duration>) -> Self {
        let mut network = Network::new().root(providers.first.root_der());
        network = providers.other.iter().fold(network, |all, one| all.root(one.root_der()));
        for (host, address) in providers.places() {
            network = network.host(host, 443, address);
        }
        let profile = Profile::new();
        if let Some(limit) = time_limit {
            let limit = u64::try_from(limit.as_millis()).unwrap();
            profile.set(|settings| settings.fed_cm.time_limit = limit);
        }
        Self {
            page: Page::new(&profile, RP),
            place: Place::Party,
            http: Http::new(&network),
            does: VecDeque::new(),
            controller: AbortController::new(),
            dialogs: Vec::new(),
        }
    }

    /// The next thing that the person does, or the first account.
    fn choose(&mut self, choices: &[AccountChoice]) -> Answer {
        let is_account = |choice: &AccountChoice| matches!(choice, AccountChoice::Account { .. });
        let index = match self.does.front() {
            Some(Does::LogIn(_)) => choices.iter().position(|choice| !is_account(choice)),
            Some(Does::Choose(_) | Does::Close | Does::Abort) => match self.does.pop_front() {
                Some(Does::Choose(index)) => Some(index),
                Some(Does::Abort) => {
                    self.controller.abort();
                    None
                }
                _ => None,
            },
            _ => choices.first().filter(|choice| is_account(choice)).map(|_| 0),
        };
        index.map_or(Answer::No, |index| Answer::Choice { index, stay_signed_in: false })
    }

    fn open(&mut self, place: Place) {
        let profile = self.page.profile().clone();
        let frame = |allow: bool, origin: &str| {
            let frame = Frame::new(origin);
            if allow { frame.allow(Feature::IdentityCredentialsGet) } else { frame }
        };
        self.place = place;
        self.page = match place {
            Place::Party => Page::new(&profile, RP),
            Place::PartyFramed(allow) => {
                Page::framed(&profile, [Frame::new(TOP)], frame(allow, RP))
            }
            Place::Provider => Page::new(&profile, IDP),
            Place::ProviderFramed(allow) => {
                Page::framed(&profile, [Frame::new(RP)], frame(allow, IDP))
            }
        };
    }

    /// A POST with the cookies that the person has there.
    fn post(&mut self, url: &str, body: &str) -> FetchResponse {
        let request = FetchRequest {
            method: Method::Post,
            body: body.as_bytes().to_vec(),
            ..self.page.profile().navigation(NOW, url)
        };
        let response = self.http.fetch(&request).unwrap();
        assert_eq!(response.status, 200);
        response
    }

    fn log_in(&mut self, url: &str, account: &str) {
        let response = self.post(url, &format!("account={account}"));
        self.page.profile().navigated(NOW, url, &response);
    }

    /// What the page's button does.
    fn go_on(&mut self, url: &str) -> Answer {
        let request = self.page.profile().navigation(NOW, url);
        let request = request.header("Accept", "application/json");
        let response = self.http.fetch(&request).unwrap();
        let mut body: Value = serde_json::from_slice(&response.body).unwrap();
        let account_id = body["account_id"].as_str().map(str::to_owned);
        Answer::Resolve { token: Token::new(body["token"].take()), account_id }
    }

    fn get(&mut self, options: &Value) -> Result<Value, Rejection> {
        let refused = |cause| Rejection::new(cause, Operation::Get);
        let options = CredentialRequestOptions::from_json(&options.to_string());
        let mut options = options.map_err(refused)?;
        self.controller = AbortController::new();
        options.signal = Some(self.controller.signal());
        let entropy = Entropy::from_seed(&Secret::new([7; 32]));
        let request = self.page.credentials().get(NOW, options, entropy);
        self.settle(request)
    }

    fn settle(&mut self, request: Request) -> Result<Value, Rejection> {
        let promise = settle(request, self).promise.expect("a promise that is settled");
        promise.map(|got| got.map_or(json!({}), |got| credential(got.to_json())))
    }

    /// A call of the page, if the step is one: what it gets.
    fn call(&mut self, step: &Step) -> Option<Result<Value, Rejection>> {
        let refused = |cause| Rejection::new(cause, Operation::Get);
        Some(match step {
            Step::Get(options) => self.get(options),
            Step::Clicked(options) => {
                self.page.activate();
                self.get(options)
            }
            Step::Disconnect(options) => match DisconnectOptions::from_json(&options.to_string()) {
                Ok(options) => {
                    let request = self.page.disconnect_identity(options);
                    self.settle(request)
                }
                Err(cause) => Err(refused(cause)),
            },
            Step::UserInfo(options) => match UserInfoOptions::from_json(&options.to_string()) {
                Ok(options) => {
                    let (request, infos) = self.page.identity_user_info(&options);
                    self.settle(request).map(|_| json!(infos.take()))
                }
                Err(cause) => Err(refused(cause)),
            },
            Step::Prevent => self.page.credentials().prevent_silent_access().map(|()| json!({})),
            Step::SetStatus(status) => self.page.set_login_status(status).map(|()| json!({})),
            Step::Resolve => {
                self.page.resolve_identity(Token::new(json!("t")), None).map(|_| json!({}))
            }
            Step::Load => Ok(self.load()),
            _ => return None,
        })
    }

    /// What the page loads says that the person is signed out.
    fn load(&mut self) -> Value {
        let url = format!("{IDP}/logout");
        // A frame of another site has none of the cookies.
        let framed = self.place.is_framed();
        let request = self.page.profile().navigation(NOW, &url);
        let request = if framed { FetchRequest::get(&url) } else { request };
        let request = FetchRequest { method: Method::Post, ..request };
        let response = self.http.fetch(&request.header("Origin", IDP)).unwrap();
        let around: &[&str] = if framed { &[RP, IDP] } else { &[IDP] };
        self.page.profile().loaded(around, &url, &response);
        json!({})
    }
}

/// Goes through a scenario.
pub(crate) fn run(scenario: &Scenario) -> Expected {
    run_within(scenario, None)
}

/// With so much time for each answer.
pub(crate) fn run_within(scenario: &Scenario, time_limit: Option<Duration>) -> Expected {
    let (_, mut ended, refused) = go(&scenario.walk(), time_limit);
    let failure = match ended.pop() {
        Some(Ok(())) => None,
        Some(Err((name, Cause::Identity(failure)))) => Some((name, failure)),
        other => panic!("{other:?}"),
    };
    Expected { failure, refused }
}

/// Goes a way: what can be compared, how each call ended, and which answers were refused by which rule.
pub(crate) fn go(
    walk: &Walk,
    time_limit: Option<Duration>,
) -> (Seen, Vec<Ended>, Vec<(Endpoint, Fault)>) {
    let providers = Providers::of(walk);
    let mut world = World::new(&providers, time_limit);
    let (mut outcomes, mut ended) = (Vec::new(), Vec::new());
    for step in &walk.steps {
        if let Some(result) = world.call(step) {
            outcomes.push(seen(&result));
            let why = |rejection: Rejection| (rejection.exception, textless(rejection.cause));
            ended.push(result.map(drop).map_err(why));
            continue;
        }
        match step {
            Step::LogIn(provider, account) => world.log_in(&format!("{provider}/login"), account),
            Step::Open(place) => world.open(*place),
            Step::Faults(faults) => {
                let faults = faults.iter().map(|fault| fault.parse().unwrap());
                providers.first.set_faults(faults.collect());
            }
            Step::Person(does) => world.does = does.iter().copied().collect(),
            Step::Reset => world.page.profile().reset_cooldown(),
            _ => {
                outcomes.clear();
                ended.clear();
                world.dialogs.clear();
                drop((providers.take_asked(), world.page.profile().take_fedcm_log()));
            }
        }
    }
    let refused = world.page.profile().take_fedcm_log().into_iter();
    let refused = refused.filter_map(|entry| Some((entry.endpoint, plain(entry.fault?)))).collect();
    let (requests, orders) = providers.take_asked();
    (Seen { outcomes, dialogs: world.dialogs, requests, orders }, ended, refused)
}

/// What the page sees.
fn seen(result: &Result<Value, Rejection>) -> Value {
    match result {
        Ok(value) => value.clone(),
        Err(rejection) => {
            let (error, url) = match &rejection.cause {
                Cause::Identity(Failure::NoToken(error)) => {
                    (error.error.as_str(), error.url.as_str())
                }
                _ => Default::default(),
            };
            exception(rejection.exception.name(), error, url)
        }
    }
}

/// What a JSON library says in detail is not compared.
fn plain(fault: Fault) -> Fault {
    if matches!(fault, Fault::Shape(_)) { Fault::Shape(String::new()) } else { fault }
}

fn textless(cause: Cause) -> Cause {
    let reason = |why| match why {
        Unoffered::Answer(endpoint, fault) => Unoffered::Answer(endpoint, plain(fault)),
        other => other,
    };
    match cause {
        Cause::NotTheDictionary(_) => Cause::NotTheDictionary(String::new()),
        Cause::Identity(Failure::NothingToOffer(reasons)) => {
            let reasons = reasons.into_iter().map(|(provider, why)| (provider, reason(why)));
            Cause::Identity(Failure::NothingToOffer(reasons.collect()))
        }
        Cause::Identity(Failure::Answer(endpoint, fault)) => {
            Cause::Identity(Failure::Answer(endpoint, plain(fault)))
        }
        Cause::Identity(Failure::NoToken(mut error)) => {
            error.fault = plain(error.fault);
            Cause::Identity(Failure::NoToken(error))
        }
        other => other,
    }
}
