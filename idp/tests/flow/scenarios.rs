//! The scenarios: what the provider does wrong, and what becomes of the sign-in. Each is a test of the client of this
//! project; `compare.rs` takes them all through Chromium.

use serde_json::{Value, json};
use softkey_client::fedcm::{AssertionError, Endpoint, Failure, Fault, Unoffered};
use softkey_client::{DomException, FetchFault};

use crate::ours;
use crate::walk::{self, CONFIG, IDP, Place, Step, Walk};

/// What happens before, and what the page does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// `navigator.credentials.get()`.
    Get,
    /// The same after a sign-in.
    GetAgain,
    /// `IdentityCredential.disconnect()` after a sign-in.
    Disconnect,
}

/// A way in which a sign-in goes.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) faults: &'static [&'static str],
    pub(crate) act: Act,
    /// The account that signs in, `*` for all, empty for none.
    pub(crate) login: &'static str,
    /// Members of the provider in the options.
    pub(crate) provider: Value,
    pub(crate) mediation: &'static str,
}

impl Scenario {
    /// The steps.
    pub(crate) fn walk(&self) -> Walk {
        let mut steps = Vec::new();
        if !self.login.is_empty() {
            steps.push(Step::LogIn(IDP, self.login));
        }
        steps.push(Step::Open(Place::Party));
        let options = |mediation: &str| {
            let mut options = walk::identity(&[walk::provider(&self.provider)]);
            options["mediation"] = json!(mediation);
            options
        };
        if self.act != Act::Get {
            steps.extend([Step::Get(options("optional")), Step::Reset]);
        }
        steps.extend([Step::Mark, Step::Faults(self.faults.to_vec())]);
        steps.push(match self.act {
            Act::Get | Act::GetAgain => Step::Get(options(self.mediation)),
            Act::Disconnect => Step::Disconnect(walk::leave("1")),
        });
        Walk { name: self.name, steps }
    }
}

/// What the client of this project makes of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Expected {
    /// The exception and its cause, or nothing for a credential.
    pub(crate) failure: Option<(DomException, Failure)>,
    /// Which answers were refused by which rule.
    pub(crate) refused: Vec<(Endpoint, Fault)>,
}

impl Expected {
    fn and(mut self, endpoint: Endpoint, fault: Fault) -> Self {
        self.refused.push((endpoint, fault));
        self
    }
}

/// The page gets a credential.
fn token() -> Expected {
    Expected { failure: None, refused: Vec::new() }
}

fn network(failure: Failure) -> Expected {
    Expected { failure: Some((DomException::NetworkError, failure)), refused: Vec::new() }
}

fn unoffered(why: Unoffered) -> Expected {
    network(Failure::NothingToOffer(vec![(CONFIG.to_owned(), why)]))
}

/// No provider is left, since this answer breaks a rule.
fn config(endpoint: Endpoint, fault: Fault) -> Expected {
    unoffered(Unoffered::Answer(endpoint, fault.clone())).and(endpoint, fault)
}

/// The provider says that somebody is signed in, but has nobody to offer: the person may sign in again, and does not.
fn mismatch(fault: Fault) -> Expected {
    network(Failure::Dismissed).and(Endpoint::Accounts, fault)
}

/// No token; the page sees `error` and `url`.
fn no_token(error: &str, url: &str, fault: Fault) -> Expected {
    let (error, url) = (error.to_owned(), url.to_owned());
    let failure = Failure::NoToken(AssertionError { error, url, fault: fault.clone() });
    Expected {
        failure: Some((DomException::IdentityCredentialError, failure)),
        refused: vec![(Endpoint::IdAssertion, fault)],
    }
}

fn disconnected(fault: Fault) -> Expected {
    network(Failure::Answer(Endpoint::Disconnect, fault.clone())).and(Endpoint::Disconnect, fault)
}

fn html() -> Fault {
    Fault::MediaType("text/html".to_owned())
}

/// The text is not compared.
fn shape() -> Fault {
    Fault::Shape(String::new())
}

fn plain(name: &'static str, faults: &'static [&'static str]) -> Scenario {
    let (login, mediation) = ("1", "optional");
    Scenario { name, faults, act: Act::Get, login, provider: json!({}), mediation }
}

fn signed_in_as(login: &'static str, scenario: Scenario) -> Scenario {
    Scenario { login, ..scenario }
}

fn with(provider: Value, mut scenario: Scenario) -> Scenario {
    scenario.provider = provider;
    scenario
}

fn again(scenario: Scenario) -> Scenario {
    Scenario { act: Act::GetAgain, ..scenario }
}

fn mediated(mediation: &'static str, scenario: Scenario) -> Scenario {
    Scenario { mediation, ..scenario }
}

fn leaving(scenario: Scenario) -> Scenario {
    Scenario { act: Act::Disconnect, ..scenario }
}

/// A table of scenarios: `name [faults] => expected`, with what else is special before the name. Each becomes a test.
macro_rules! scenarios {
    ($($(@ $special:expr =>)? $name:ident [$($fault:literal),*] => $expected:expr;)*) => {
        /// All of them.
        pub(crate) fn all() -> Vec<Scenario> {
            vec![$({
                let scenario = plain(stringify!($name), &[$($fault),*]);
                $(let special: fn(Scenario) -> Scenario = $special; let scenario = special(scenario);)?
                scenario
            }),*]
        }

        $(
            #[test]
            fn $name() {
                let scenario = all().into_iter().find(|one| one.name == stringify!($name));
                let found = ours::run(&scenario.unwrap());
                assert_eq!(found, $expected);
            }
        )*
    };
}

scenarios! {
    all_is_well [] => token();
    @ |s| signed_in_as("*", s) => the_first_of_two [] => token();
    @ |s| signed_in_as("", s) => nobody_ever_signed_in [] =>
        config(Endpoint::Accounts, Fault::Status(401));
    @ |s| with(json!({"nonce": "n", "params": {"b": 1, "a": [true, "x&y"]}}), s) =>
        nonce_and_params [] => token();
    @ |s| with(json!({"fields": []}), s) => no_fields [] => token();
    @ |s| with(json!({"fields": ["name", "email"]}), s) => two_fields [] => token();
    @ |s| signed_in_as("*", with(json!({"loginHint": "bob@idp.example"}), s)) =>
        a_login_hint [] => token();
    @ |s| with(json!({"loginHint": "eve@idp.example"}), s) => a_login_hint_of_nobody [] =>
        network(Failure::Dismissed);
    @ |s| with(json!({"domainHint": "any"}), s) => any_domain [] => token();
    @ |s| mediated("silent", s) => silently_without_a_connection [] =>
        unoffered(Unoffered::NotConnected);
    @ again => automatically [] => token();
    @ |s| again(mediated("required", s)) => again_but_asked [] => token();
    @ |s| again(mediated("silent", s)) => silently [] => token();
    @ |s| again(mediated("silent", signed_in_as("*", s))) => silently_one_of_two [] => token();

    well_known_missing ["well-known:status=404"] => config(Endpoint::WellKnown, Fault::Status(404));
    well_known_of_another_type ["well-known:media-type"] => config(Endpoint::WellKnown, html());
    well_known_broken ["well-known:bad-json"] => config(Endpoint::WellKnown, Fault::NotJson);
    well_known_empty ["well-known:text"] => config(Endpoint::WellKnown, Fault::NotJson);
    well_known_of_another_shape ["well-known:set=provider_urls=7"] =>
        config(Endpoint::WellKnown, shape());
    well_known_cut_off ["well-known:hang-up"] =>
        config(Endpoint::WellKnown, Fault::NotFetched(FetchFault::Unreachable));
    well_known_too_long ["well-known:too-long"] =>
        config(Endpoint::WellKnown, Fault::NotFetched(FetchFault::TooLong));
    well_known_elsewhere ["well-known:redirect"] => token();
    well_known_with_two_providers ["well-known:two-providers"] =>
        config(Endpoint::Config, Fault::SeveralProviders(2));
    well_known_with_other_accounts ["well-known:other-accounts"] =>
        config(Endpoint::Config, Fault::Differs("accounts_endpoint"));
    well_known_of_another_provider ["config:drop=client_metadata_endpoint",
        "well-known:drop=accounts_endpoint", "well-known:other-provider"] =>
        config(Endpoint::Config, Fault::OtherProvider);
    well_known_without_provider ["config:drop=client_metadata_endpoint",
        "well-known:drop=accounts_endpoint", "well-known:drop=provider_urls"] =>
        config(Endpoint::Config, Fault::NoProvider);
    well_known_too_short ["well-known:drop=accounts_endpoint"] =>
        config(Endpoint::Config, Fault::WellKnownTooShort);
    well_known_with_one_url ["config:drop=client_metadata_endpoint",
        "well-known:drop=accounts_endpoint", "well-known:drop=login_url"] => token();

    config_missing ["config:status=500"] => config(Endpoint::Config, Fault::Status(500));
    config_of_another_type ["config:media-type"] => config(Endpoint::Config, html());
    config_broken ["config:bad-json"] => config(Endpoint::Config, Fault::NotJson);
    config_elsewhere ["config:redirect"] => config(Endpoint::Config, Fault::Redirect);
    config_cut_off ["config:hang-up"] =>
        config(Endpoint::Config, Fault::NotFetched(FetchFault::Unreachable));
    config_without_accounts ["config:drop=accounts_endpoint"] => config(Endpoint::Config, shape());
    config_without_assertion ["config:drop=id_assertion_endpoint"] => config(Endpoint::Config, shape());
    config_without_login ["config:drop=login_url"] => config(Endpoint::Config, shape());
    config_with_foreign_login ["config:foreign-login"] =>
        config(Endpoint::Config, Fault::NotSameOrigin("login_url"));
    config_with_foreign_accounts ["config:set=accounts_endpoint=\"https://idp.example/accounts\""] =>
        config(Endpoint::Config, Fault::NotSameOrigin("accounts_endpoint"));
    config_without_metadata ["config:drop=client_metadata_endpoint"] => token();
    config_with_a_label ["config:set=account_label=\"staff\""] => network(Failure::Dismissed);

    accounts_signed_out ["accounts:status=401"] => mismatch(Fault::Status(401));
    accounts_failing ["accounts:status=500"] => mismatch(Fault::Status(500));
    accounts_of_another_type ["accounts:media-type"] => mismatch(html());
    accounts_broken ["accounts:bad-json"] => mismatch(Fault::NotJson);
    accounts_elsewhere ["accounts:redirect"] => mismatch(Fault::Redirect);
    accounts_cut_off ["accounts:hang-up"] =>
        mismatch(Fault::NotFetched(FetchFault::Unreachable));
    accounts_of_nobody ["accounts:no-accounts"] => network(Failure::Dismissed);
    accounts_nameless ["accounts:nameless"] => mismatch(Fault::Nameless("1".to_owned()));
    accounts_twice ["accounts:duplicate"] => mismatch(Fault::Duplicate("1".to_owned()));
    accounts_of_another_shape ["accounts:drop=accounts"] => mismatch(shape());

    metadata_missing ["client-metadata:status=404"] =>
        token().and(Endpoint::ClientMetadata, Fault::Status(404));
    metadata_of_another_type ["client-metadata:media-type"] =>
        token().and(Endpoint::ClientMetadata, html());
    metadata_elsewhere ["client-metadata:redirect"] =>
        token().and(Endpoint::ClientMetadata, Fault::Redirect);
    metadata_cut_off ["client-metadata:hang-up"] =>
        token().and(Endpoint::ClientMetadata, Fault::NotFetched(FetchFault::Unreachable));
    picture_cut_off ["picture:hang-up"] =>
        token().and(Endpoint::Picture, Fault::NotFetched(FetchFault::Unreachable));
    picture_missing ["picture:status=404"] => token().and(Endpoint::Picture, Fault::Status(404));
    picture_elsewhere ["picture:redirect=https://login.idp.example/picture?redirected=1"] => token();

    assertion_failing ["id-assertion:status=500"] => no_token("server_error", "", Fault::Status(500));
    assertion_overloaded ["id-assertion:status=503"] =>
        no_token("temporarily_unavailable", "", Fault::Status(503));
    assertion_missing ["id-assertion:status=404"] => no_token("", "", Fault::Status(404));
    assertion_of_another_type ["id-assertion:media-type"] => no_token("", "", html());
    assertion_broken ["id-assertion:bad-json"] => no_token("", "", Fault::NotJson);
    assertion_elsewhere ["id-assertion:redirect"] => no_token("", "", Fault::Redirect);
    assertion_cut_off ["id-assertion:hang-up"] =>
        no_token("", "", Fault::NotFetched(FetchFault::Unreachable));
    assertion_without_cors ["id-assertion:no-cors"] => no_token("", "", Fault::AllowOrigin(None));
    assertion_for_anybody ["id-assertion:allow-origin"] =>
        no_token("", "", Fault::AllowOrigin(Some("*".to_owned())));
    assertion_for_another ["id-assertion:allow-origin=https://other.example"] =>
        no_token("", "", Fault::AllowOrigin(Some("https://other.example".to_owned())));
    assertion_without_credentials ["id-assertion:no-credentials"] =>
        no_token("", "", Fault::AllowCredentials);
    assertion_denied ["id-assertion:error"] =>
        no_token("access_denied", "https://login.idp.example/error?code=access_denied", Fault::Refused);
    assertion_with_an_odd_error ["id-assertion:error=odd"] =>
        no_token("odd", "https://login.idp.example/error?code=odd", Fault::Refused);
    assertion_error_of_a_foreign_page
        ["id-assertion:set=error={\"error\": \"odd\", \"url\": \"https://elsewhere.example/\"}"] =>
        no_token("odd", "", Fault::Refused);
    assertion_error_as_code ["id-assertion:set=error={\"code\": \"odd\"}"] =>
        no_token("odd", "", Fault::Refused);
    assertion_without_token ["id-assertion:drop=token"] => no_token("", "", Fault::NoToken);
    assertion_of_null ["id-assertion:set=token=null"] => token();
    assertion_of_a_number ["id-assertion:set=token=7"] => token();
    assertion_of_no_text ["id-assertion:set=token=\"\""] => token();
    assertion_of_falsehood ["id-assertion:set=token=false"] => token();
    assertion_of_a_list ["id-assertion:set=token=[1, null]"] => token();
    assertion_of_an_object ["id-assertion:set=token={\"a\": [1]}"] => token();
    assertion_of_null_and_a_page ["id-assertion:set=token=null",
        "id-assertion:set=continue_on=\"/continue\""] => token();
    assertion_of_null_and_an_error ["id-assertion:set=token=null", "id-assertion:set=error=null"] =>
        token();
    assertion_with_a_foreign_page ["id-assertion:drop=token",
        "id-assertion:set=continue_on=\"https://elsewhere.example/\""] =>
        no_token("", "", Fault::NotSameOrigin("continue_on"));

    @ leaving => leaving_well [] => token();
    @ leaving => leaving_failing ["disconnect:status=500"] => disconnected(Fault::Status(500));
    @ leaving => leaving_of_another_type ["disconnect:media-type"] => disconnected(html());
    @ leaving => leaving_broken ["disconnect:bad-json"] => disconnected(Fault::NotJson);
    @ leaving => leaving_without_cors ["disconnect:no-cors"] =>
        disconnected(Fault::AllowOrigin(None));
    @ leaving => leaving_elsewhere ["disconnect:redirect"] => disconnected(Fault::Redirect);
    @ leaving => leaving_cut_off ["disconnect:hang-up"] =>
        disconnected(Fault::NotFetched(FetchFault::Unreachable));
    @ leaving => leaving_without_endpoint ["config:drop=disconnect_endpoint"] =>
        network(Failure::CannotDisconnect);
    @ leaving => leaving_without_config ["config:status=404"] =>
        network(Failure::Answer(Endpoint::Config, Fault::Status(404)))
            .and(Endpoint::Config, Fault::Status(404));
}

/// The one that Chromium, which has no limit of its own here, could not end: no answer within the client's time. About the
/// wall clock; the limit leaves the answers that do come time enough on a busy machine.
#[test]
fn nothing_comes_in_time() {
    let limit = std::time::Duration::from_secs(2);
    for (faults, endpoint) in [
        (&["well-known:silent"], Endpoint::WellKnown),
        (&["config:silent"], Endpoint::Config),
        (&["id-assertion:silent"], Endpoint::IdAssertion),
    ] {
        let found = ours::run_within(&plain("silent", faults), Some(limit));
        let failure = if endpoint == Endpoint::IdAssertion {
            Failure::Late(endpoint, limit)
        } else {
            let why = Unoffered::Late(endpoint, limit);
            Failure::NothingToOffer(vec![(CONFIG.to_owned(), why)])
        };
        let late = Fault::NotFetched(FetchFault::TimedOut);
        assert_eq!(found, network(failure).and(endpoint, late));
    }
}
