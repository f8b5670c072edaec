//! No interleaving of calls on one page settles a promise twice, leaks an active mark, or hands a credential to a wrong
//! origin. All types without keys, a second page in the same tab, answers of a provider and of a person that come at any time
//! or when nobody asked, aborts, navigation and the clock. A model foretells the marks; plants show that the property can fail.

mod provider;

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::json;
use softkey_client::fedcm::{DisconnectOptions, LoginStatus, Token};
use softkey_client::{
    AbortController, Answer, Cause, Credential, CredentialRequestOptions, CredentialType,
    FetchRequest, Output, Page, Profile, Question, Request,
};
use softkey_ctap::Instant;

use self::provider::Manner;
use crate::world::*;

const EVIL: &str = "https://evil.example";
/// The pages: the one that all is about, and another one in its tab.
const PAGES: [&str; 2] = [ORIGIN, EVIL];

#[derive(Clone, Debug)]
enum Order {
    /// Of each type: is it asked for?
    Get {
        types: [bool; 3],
        identity: bool,
        mediation: u8,
        page: usize,
    },
    /// For an account at the provider alone, where the others would not mix with it.
    Identity {
        active: bool,
        mediation: u8,
        page: usize,
    },
    Store {
        federated: bool,
    },
    Disconnect {
        page: usize,
    },
    Message {
        own: bool,
    },
    Poll(usize),
    Answer(usize, u8),
    /// The provider answers, whether it was asked or not.
    Respond(usize, Manner),
    Abort(usize),
    Drop(usize),
    Navigate {
        page: usize,
        away: bool,
    },
    Click(usize),
    Login(bool),
    Pass(u8),
    PreventSilentAccess,
}

fn order() -> impl Strategy<Value = Order> {
    let at = || prop_oneof![4 => Just(0_usize), 2 => Just(1), 1 => 2..8_usize];
    let page = || prop_oneof![3 => Just(0_usize), 1 => Just(1_usize)];
    let mediation = prop_oneof![1 => Just(0_u8), 4 => Just(1), 2 => Just(2), 1 => Just(3)];
    let answer = prop_oneof![5 => Just(0_u8), 2 => Just(4), 3 => 1..4_u8];
    let manner = prop_oneof![
        8 => Just(Manner::Well),
        4 => Just(Manner::Once),
        2 => Just(Manner::GoOn),
        1 => Just(Manner::Refusing),
        1 => Just(Manner::Status(401)),
        1 => Just(Manner::Unreachable),
    ];
    prop_oneof![
        3 => (any::<[bool; 3]>(), prop::bool::weighted(0.1), 0..4_u8, page())
            .prop_map(|(types, identity, mediation, page)| Order::Get { types, identity, mediation, page }),
        5 => (prop::bool::weighted(0.3), mediation, page())
            .prop_map(|(active, mediation, page)| Order::Identity { active, mediation, page }),
        2 => any::<bool>().prop_map(|federated| Order::Store { federated }),
        1 => page().prop_map(|page| Order::Disconnect { page }),
        2 => any::<bool>().prop_map(|own| Order::Message { own }),
        4 => at().prop_map(Order::Poll),
        9 => (at(), answer).prop_map(|(at, answer)| Order::Answer(at, answer)),
        12 => (at(), manner).prop_map(|(at, manner)| Order::Respond(at, manner)),
        1 => at().prop_map(Order::Abort),
        1 => at().prop_map(Order::Drop),
        1 => (page(), prop::bool::weighted(0.4)).prop_map(|(page, away)| Order::Navigate { page, away }),
        1 => page().prop_map(Order::Click),
        1 => any::<bool>().prop_map(Order::Login),
        1 => (0..90_u8).prop_map(Order::Pass),
        1 => Just(Order::PreventSilentAccess),
    ]
}

fn orders() -> impl Strategy<Value = Vec<Order>> {
    proptest::collection::vec(order(), 0..60)
}

struct Pending {
    request: Request,
    page: usize,
    types: Vec<CredentialType>,
    /// Was one of them active when it was called?
    busy: bool,
    nonce: u32,
    controller: AbortController,
    /// What a provider was asked, until it answers.
    sent: Option<FetchRequest>,
    /// Is the person on a page to go on at?
    goes_on: bool,
    settled: u32,
}

struct World {
    pages: [Page; 2],
    pending: Vec<Pending>,
    now: Instant,
    calls: u32,
    plant: Plant,
    /// How many tokens were given: a property about none would say nothing.
    tokens: u32,
}

/// What is planted.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Plant {
    Nothing,
    /// A password whose kept origin is not where it came from.
    ForeignPassword,
    /// A token for the other page, as if answers were brought to the wrong one.
    ForeignToken,
    /// A call for a code, and one for an account, that is never let go.
    ForgottenMark,
    ForgottenIdentity,
    /// A promise whose settlement is brought twice.
    SettledTwice,
}

impl World {
    fn new(plant: Plant) -> Self {
        let profile = Profile::new();
        for (id, origin) in [("ada", ORIGIN), ("eve", EVIL)] {
            let planted = plant == Plant::ForeignPassword && id == "eve";
            profile.keep(&password(id, if planted { ORIGIN } else { origin }, "x"));
        }
        profile.keep(&federated("ada", "https://idp.example", None));
        profile.set_prevent_silent_access(ORIGIN, false);
        let pages = PAGES.map(|origin| Page::new(&profile, origin));
        let [own, mut other] = pages;
        other.join_tab(&own);
        let (pages, pending, now) = ([own, other], Vec::new(), NOW);
        Self { pages, pending, now, calls: 0, plant, tokens: 0 }
    }

    /// A call by its distance from the newest, those first that are open.
    fn at(&self, back: usize) -> Option<usize> {
        let places = || (0..self.pending.len()).rev();
        let is_open = |at: &usize| !self.pending[*at].request.is_settled();
        let open = places().filter(is_open);
        open.chain(places().filter(|at| !is_open(at))).nth(back)
    }

    /// The types that must be marked on a page: those of its calls that are not settled.
    fn marked(&self, page: usize) -> BTreeSet<CredentialType> {
        let its = self.pending.iter().filter(|pending| pending.page == page);
        its.filter(|pending| !pending.request.is_settled())
            .flat_map(|pending| pending.types.clone())
            .collect()
    }

    fn call(
        &mut self,
        page: usize,
        types: Vec<CredentialType>,
        controller: AbortController,
        make: impl FnOnce(&mut Page) -> Request,
    ) {
        let busy = types.iter().any(|kind| self.marked(page).contains(kind));
        let request = make(&mut self.pages[page]);
        let (nonce, sent) = (self.calls, None);
        let goes_on = false;
        let mut pending =
            Pending { request, page, types, busy, nonce, controller, sent, goes_on, settled: 0 };
        if busy {
            let Some(Output::Settled(Err(rejection))) = pending.request.poll_output(self.now)
            else {
                panic!("a type is active twice")
            };
            assert!(MAY_COME_FIRST.iter().any(|fits| fits(&rejection.cause)), "{rejection:?}");
            pending.settled += 1;
        }
        self.pending.push(pending);
        self.take(self.pending.len() - 1);
    }

    /// Takes all that a call wants and gives.
    fn take(&mut self, at: usize) {
        let Some(pending) = self.pending.get_mut(at) else { return };
        while let Some(output) = pending.request.poll_output(self.now) {
            match output {
                Output::Send(request) => pending.sent = Some(request),
                Output::Withdraw => pending.sent = None,
                Output::Ask(question) => {
                    pending.goes_on = matches!(question, Question::Continue { .. });
                }
                Output::Settled(result) => {
                    pending.settled += 1;
                    if self.plant == Plant::SettledTwice {
                        pending.settled += 1;
                    }
                    assert_eq!(pending.settled, 1, "a promise is settled once");
                    if let Err(rejection) = &result {
                        let active = matches!(rejection.cause, Cause::TypeActive(_));
                        assert!(!active || pending.busy, "a mark leaked: {rejection:?}");
                    }
                    if let Ok(Some(credential)) = result {
                        self.tokens += u32::from(pending.is_due(&credential));
                    }
                }
                _ => {}
            }
        }
    }

    fn play(&mut self, order: &Order) {
        match *order {
            Order::Get { types, identity, mediation, page } => {
                self.get(types, identity, mediation, page);
            }
            Order::Identity { active, mediation, page } => {
                self.calls += 1;
                if active {
                    self.pages[page].activate();
                }
                let options = json!({"identity": provider::options(self.calls, active),
                    "mediation": MEDIATIONS[usize::from(mediation)]});
                self.get_with(&options, vec![CredentialType::Identity], page);
            }
            Order::Store { federated } => {
                let credential =
                    if federated { federated_new() } else { password("ada", ORIGIN, "y") };
                let types = vec![credential.credential_type()];
                self.call(0, types, AbortController::new(), |page| store(page, credential));
            }
            Order::Disconnect { page } => {
                let options = json!({"configURL": format!("{}/config.json", provider::IDP),
                    "clientId": "client", "accountHint": "1"});
                let options = DisconnectOptions::from_json(&options.to_string()).unwrap();
                self.call(page, Vec::new(), AbortController::new(), |page| {
                    page.disconnect_identity(options)
                });
            }
            Order::Message { own } => {
                let host = if own { "@account.example.com #1" } else { "@evil.example #2" };
                self.pages[0].profile().inbox().push(host);
            }
            Order::Poll(back) => self.with(back, Self::take),
            Order::Answer(back, answer) => self.with(back, |world, at| world.answer(at, answer)),
            Order::Respond(back, manner) => self.with(back, |world, at| world.respond(at, manner)),
            Order::Abort(back) => self.with(back, |world, at| {
                world.pending[at].controller.abort();
                world.take(at);
            }),
            Order::Drop(back) => self.with(back, |world, at| drop(world.pending.remove(at))),
            Order::Navigate { page, away } => self.pages[page].set_fully_active(!away),
            Order::Click(page) => self.pages[page].activate(),
            Order::Login(there) => {
                let status = if there { LoginStatus::LoggedIn } else { LoginStatus::LoggedOut };
                self.pages[0].profile().set_login_status(provider::IDP, status);
            }
            Order::Pass(seconds) => self.pass(seconds),
            Order::PreventSilentAccess => {
                // Refused on a page that is gone.
                let _ = self.pages[0].credentials().prevent_silent_access();
            }
        }
    }

    fn get(
        &mut self,
        [password, federated, otp]: [bool; 3],
        identity: bool,
        mediation: u8,
        page: usize,
    ) {
        self.calls += 1;
        let mut options =
            json!({"password": password, "mediation": MEDIATIONS[usize::from(mediation)]});
        let members = [
            (federated, "federated", json!({})),
            (otp, "otp", json!({"transport": ["sms"]})),
            (identity, "identity", provider::options(self.calls, false)),
        ];
        for (_, name, value) in members.into_iter().filter(|(there, ..)| *there) {
            options[name] = value;
        }
        let kinds = [
            (password, CredentialType::Password),
            (federated, CredentialType::Federated),
            (otp, CredentialType::Otp),
            (identity, CredentialType::Identity),
        ];
        let types = kinds.into_iter().filter(|(there, _)| *there).map(|(_, kind)| kind).collect();
        self.get_with(&options, types, page);
    }

    fn get_with(&mut self, options: &serde_json::Value, types: Vec<CredentialType>, page: usize) {
        let controller = AbortController::new();
        let mut options = CredentialRequestOptions::from_json(&options.to_string()).unwrap();
        options.signal = Some(controller.signal());
        let now = self.now;
        self.call(page, types, controller, |page| page.credentials().get(now, options, entropy()));
    }

    fn with(&mut self, back: usize, work: impl FnOnce(&mut Self, usize)) {
        if let Some(at) = self.at(back) {
            work(self, at);
        }
    }

    fn answer(&mut self, at: usize, answer: u8) {
        let Some(pending) = self.pending.get_mut(at) else { return };
        let own = provider::token(PAGES[pending.page], pending.nonce);
        let resolve = if pending.goes_on { own } else { "unasked".into() };
        let resolve = Answer::Resolve { token: Token::new(json!(resolve)), account_id: None };
        let answers = [chosen(0), Answer::Yes, Answer::No, chosen(1), resolve];
        pending.request.handle_answer(self.now, answers[usize::from(answer)].clone());
        self.take(at);
    }

    /// The provider answers what it is asked, until it is asked no more or once; what nobody asked for is the token of another call.
    fn respond(&mut self, at: usize, manner: Manner) {
        let planted = self.plant == Plant::ForeignToken;
        for _ in 0..8 {
            let pending = &mut self.pending[at];
            let planted = planted.then_some(PAGES[1 - pending.page]);
            let response = match pending.sent.take() {
                Some(sent) => provider::answer(&sent, manner, planted),
                None => Ok(provider::unasked()),
            };
            pending.request.handle_response(self.now, response);
            self.take(at);
            if manner == Manner::Once || self.pending[at].sent.is_none() {
                return;
            }
        }
    }

    fn pass(&mut self, seconds: u8) {
        self.now += Duration::from_secs(seconds.into());
        for at in 0..self.pending.len() {
            self.pending[at].request.handle_timeout(self.now);
            self.take(at);
        }
    }

    /// When all is over, every type can be asked for again.
    fn end(&mut self) {
        let now = self.now;
        self.pages[0].set_fully_active(true);
        let identity = json!({"identity": provider::options(0, false)});
        let otp = json!({"otp": {"transport": ["sms"]}});
        let asked = |page: &mut Page, options: &serde_json::Value| {
            let options = CredentialRequestOptions::from_json(&options.to_string()).unwrap();
            page.credentials().get(now, options, entropy())
        };
        let kept = match self.plant {
            Plant::ForgottenMark => Some(asked(&mut self.pages[0], &otp)),
            Plant::ForgottenIdentity => Some(asked(&mut self.pages[0], &identity)),
            _ => None,
        };
        self.pending.clear();
        for options in [json!({"password": true, "federated": {}}), otp, identity] {
            let output = asked(&mut self.pages[0], &options).poll_output(now);
            let leaked = matches!(&output, Some(Output::Settled(Err(rejection)))
                if matches!(rejection.cause, Cause::TypeActive(_)));
            assert!(!leaked, "a mark leaked: {output:?}");
        }
        drop(kept);
    }
}

impl Pending {
    /// Is what was given this page's, and this call's? Is it a token?
    fn is_due(&self, credential: &Credential) -> bool {
        match credential {
            Credential::Password(given) => assert_eq!(given.id(), ["ada", "eve"][self.page]),
            Credential::Federated(given) => assert_eq!((given.id(), self.page), ("ada", 0)),
            Credential::Otp(given) => {
                assert_eq!(given.code().expose(), ["1", "2"][self.page]);
            }
            Credential::Identity(_) => {
                let due = provider::token(PAGES[self.page], self.nonce);
                assert_eq!(credential.to_json()["token"], due);
                return true;
            }
            _ => panic!("nobody asked for {credential:?}"),
        }
        false
    }
}

const MEDIATIONS: [&str; 4] = ["silent", "optional", "required", "conditional"];

/// What may refuse a call before its type that is active does, or does itself.
const MAY_COME_FIRST: [fn(&Cause) -> bool; 4] = [
    |cause| matches!(cause, Cause::TypesDoNotMix(..)),
    |cause| matches!(cause, Cause::TypeActive(_)),
    |cause| matches!(cause, Cause::NotConditional(_)),
    |cause| matches!(cause, Cause::NotFullyActive),
];

fn federated_new() -> Credential {
    federated("bob", "https://idp.example", None)
}

/// How many tokens were given on the way.
fn check(orders: &[Order], plant: Plant) -> u32 {
    let mut world = World::new(plant);
    for order in orders {
        world.play(order);
    }
    for at in 0..world.pending.len() {
        world.take(at);
    }
    world.end();
    world.tokens
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    #[test]
    fn every_interleaving_is_safe(orders in orders()) {
        check(&orders, Plant::Nothing);
    }
}

fn runner() -> TestRunner {
    let config = Config { failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

fn is_found(plant: Plant) -> bool {
    let result = runner().run(&orders(), |orders| {
        let played = std::panic::catch_unwind(|| check(&orders, plant));
        prop_assert!(played.is_ok());
        Ok(())
    });
    result.is_err()
}

/// Planted faults are found.
#[test]
fn what_is_planted_is_found() {
    for plant in [
        Plant::ForeignPassword,
        Plant::ForeignToken,
        Plant::ForgottenMark,
        Plant::ForgottenIdentity,
        Plant::SettledTwice,
    ] {
        assert!(is_found(plant), "{plant:?}");
    }
}

/// Enough of the interleavings give a token for the property to say something about tokens.
#[test]
fn interleavings_come_to_their_end() {
    let tokens = std::cell::Cell::new(0);
    runner()
        .run(&orders(), |orders| {
            tokens.set(tokens.get() + check(&orders, Plant::Nothing));
            Ok(())
        })
        .unwrap();
    assert!(tokens.get() >= 20, "{} tokens", tokens.get());
}
