//! Ways that take more than one call, another page, another provider, or a person who does more than take the first
//! account. Each is a test of the client of this project; `compare.rs` holds them against Chromium.

use serde_json::json;
use softkey_client::fedcm::{AssertionError, Endpoint, Failure, Fault, NotAutomatic, Unoffered};
use softkey_client::{AbortReason, Cause, CredentialType, DomException, Feature, FetchFault};

use crate::ours::{self, Ended};
use crate::walk::{
    CONFIG, Does, IDP, OTHER, OTHER_CONFIG, Place, Step, Walk, active, connected, identity, leave,
    mediated, plain, provider, signed_in,
};

const OK: Ended = Ok(());

fn network(failure: Failure) -> Ended {
    Err((DomException::NetworkError, Cause::Identity(failure)))
}

fn unoffered(why: Unoffered) -> Ended {
    network(Failure::NothingToOffer(vec![(CONFIG.to_owned(), why)]))
}

fn invalid(failure: Failure) -> Ended {
    Err((DomException::InvalidStateError, Cause::Identity(failure)))
}

fn refused() -> Ended {
    let cause = Cause::PolicyRefuses(Feature::IdentityCredentialsGet);
    Err((DomException::NotAllowedError, cause))
}

fn type_error() -> Ended {
    Err((DomException::TypeError, Cause::NotTheDictionary(String::new())))
}

fn answer(endpoint: Endpoint, status: u16) -> Ended {
    network(Failure::Answer(endpoint, Fault::Status(status)))
}

/// The provider that the other steps are about, and another one.
fn both() -> serde_json::Value {
    identity(&[provider(&json!({})), json!({"configURL": OTHER_CONFIG, "clientId": "rp"})])
}

/// Signed in to both.
fn at_both() -> Vec<Step> {
    vec![Step::LogIn(OTHER, "9"), Step::LogIn(IDP, "1"), Step::Open(Place::Party)]
}

/// The status of the provider's origin is this, though nobody has a session there.
fn with_status(status: &'static str) -> Vec<Step> {
    vec![Step::Open(Place::Provider), Step::SetStatus(status), Step::Open(Place::Party)]
}

/// The plain options with these members of the provider.
fn with(members: &serde_json::Value) -> serde_json::Value {
    identity(&[provider(members)])
}

/// Connected, and then in a frame of the provider in the page.
fn in_frame() -> Vec<Step> {
    [connected(), vec![Step::Open(Place::ProviderFramed(true))]].concat()
}

/// A table of ways: `name [steps before] then [steps] => [how each of these calls ends]`. Each becomes a test.
macro_rules! walks {
    ($($name:ident [$before:expr] then $steps:expr => $expected:expr;)*) => {
        /// All of them.
        pub(crate) fn all() -> Vec<Walk> {
            use Step::*;
            vec![$({
                let (before, steps): (Vec<Step>, Vec<Step>) = ($before, $steps.to_vec());
                let steps = [before, vec![Mark], steps].concat();
                Walk { name: stringify!($name), steps }
            }),*]
        }

        $(
            #[test]
            fn $name() {
                let walk = all().into_iter().find(|one| one.name == stringify!($name));
                let (_, ended, _) = ours::go(&walk.unwrap(), None);
                assert_eq!(ended, $expected);
            }
        )*
    };
}

walks! {
    two_providers [at_both()] then [Person(vec![Does::Choose(1)]), Get(both())] => [OK];
    two_providers_of_which_one_is_signed_in [signed_in()] then [Get(both())] => [OK];
    two_providers_of_which_one_fails [at_both()] then
        [Faults(vec!["config:status=500"]), Get(both())] => [OK];
    two_providers_of_which_none_is_left [signed_in()] then
        [Faults(vec!["config:status=500"]), Get(both())] =>
        [network(Failure::NothingToOffer(vec![
            (CONFIG.to_owned(), Unoffered::Answer(Endpoint::Config, Fault::Status(500))),
            (OTHER_CONFIG.to_owned(), Unoffered::Answer(Endpoint::Accounts, Fault::Status(401))),
        ]))];
    two_providers_of_which_one_is_connected [[at_both(), connected()].concat()] then
        [Get(both())] => [OK];
    two_providers_of_which_one_wants_a_login [[at_both(), connected()].concat()] then
        [Faults(vec!["accounts:status=401"]), Get(identity(&[
            json!({"configURL": OTHER_CONFIG, "clientId": "rp"}), provider(&json!({}))]))] => [OK];
    one_provider_twice [signed_in()] then
        [Get(identity(&[provider(&json!({})), provider(&json!({}))]))] =>
        [network(Failure::SameProvider(IDP.to_owned()))];

    leaving_by_another_name [connected()] then [Disconnect(leave("ada@idp.example"))] => [OK];
    leaving_and_coming_back [connected()] then [Disconnect(leave("1")), Get(plain())] => [OK, OK];
    leaving_as_nobody [connected()] then
        [Disconnect(leave("nobody")), Get(mediated("silent"))] =>
        [answer(Endpoint::Disconnect, 400), unoffered(Unoffered::NotConnected)];
    leaving_without_a_connection [signed_in()] then [Disconnect(leave("1"))] =>
        [network(Failure::NotConnected)];
    leaving_from_nowhere [connected()] then
        [Disconnect(provider(&json!({"accountHint": "1", "configURL": "https://"}))),
         Disconnect(provider(&json!({"accountHint": "1", "configURL": "http://idp.example/"}))),
         Disconnect(provider(&json!({})))] =>
        [invalid(Failure::NoUrl), network(Failure::NotTrustworthy), type_error()];
    leaving_from_a_frame [[connected(), vec![Open(Place::PartyFramed(false))]].concat()] then
        [Disconnect(leave("1"))] => [refused()];

    who_is_there [in_frame()] then [UserInfo(provider(&json!({})))] => [OK];
    who_is_there_of_two [[vec![LogIn(IDP, "*")], connected(),
        vec![Open(Place::ProviderFramed(true))]].concat()] then
        [UserInfo(provider(&json!({})))] => [OK];
    who_is_there_without_a_connection [[signed_in(),
        vec![Open(Place::ProviderFramed(true))]].concat()] then [UserInfo(provider(&json!({})))] =>
        [network(Failure::NotConnected)];
    who_is_there_asked_wrongly [in_frame()] then
        [UserInfo(provider(&json!({"configURL": "https://"}))),
         UserInfo(provider(&json!({"configURL": "https://idp.example/fedcm.json"}))),
         UserInfo(json!({"clientId": "rp"}))] =>
        [invalid(Failure::NoUrl), invalid(Failure::ForeignCaller), type_error()];
    who_is_there_for_no_client [in_frame()] then [UserInfo(json!({"configURL": CONFIG}))] =>
        [type_error()];
    who_is_there_not_in_a_frame [[connected(), vec![Open(Place::Provider)]].concat()] then
        [UserInfo(provider(&json!({})))] => [network(Failure::NotConnected)];
    who_is_there_without_the_policy [[connected(),
        vec![Open(Place::ProviderFramed(false))]].concat()] then
        [UserInfo(provider(&json!({})))] => [refused()];
    who_is_there_without_config [in_frame()] then
        [Faults(vec!["config:status=500"]), UserInfo(provider(&json!({})))] =>
        [answer(Endpoint::Config, 500)];
    who_is_there_without_accounts [in_frame()] then
        [Faults(vec!["accounts:status=401"]), UserInfo(provider(&json!({})))] =>
        [answer(Endpoint::Accounts, 401)];
    who_is_there_but_another [in_frame()] then
        [Faults(vec![r#"accounts:set=accounts=[{"id": "2", "name": "Bob"}]"#]),
         UserInfo(provider(&json!({})))] => [network(Failure::NoneEligible)];

    going_on [signed_in()] then
        [Faults(vec!["id-assertion:continue"]), Person(vec![Does::Choose(0), Does::GoOn]),
         Get(plain()), Faults(vec![]), Get(mediated("silent"))] => [OK, OK];
    going_on_unasked [connected()] then
        [Faults(vec!["id-assertion:continue"]), Person(vec![Does::GoOn]), Get(plain())] => [OK];
    going_on_to_no_end [signed_in()] then
        [Faults(vec!["id-assertion:continue"]), Person(vec![Does::Choose(0), Does::Wait]),
         Get(plain())] => [network(Failure::NotContinued)];
    going_on_in_no_dialog [vec![Open(Place::Provider)]] then [Resolve] =>
        [Err((DomException::NotAllowedError, Cause::Identity(Failure::NoContinuation)))];

    clicked [signed_in()] then [Clicked(active(plain()))] => [OK];
    clicked_again [connected()] then [Clicked(active(plain()))] => [OK];
    clicked_with_another_account [[vec![LogIn(IDP, "*")], signed_in()].concat()] then
        [Faults(vec!["config:set=supports_use_other_account=true"]), Person(vec![Does::Choose(1)]),
         Clicked(active(plain()))] => [OK];
    clicked_after_a_close [signed_in()] then
        [Person(vec![Does::Close]), Clicked(active(plain())), Clicked(active(plain()))] =>
        [network(Failure::Dismissed), OK];
    clicked_while_signed_out [with_status("logged-out")] then
        [Person(vec![Does::LogIn("1")]), Clicked(active(plain()))] => [OK];
    clicked_with_hints_while_signed_out [with_status("logged-out")] then
        [Person(vec![Does::LogIn("2")]), Clicked(active(with(&json!({
            "loginHint": "bob@idp.example", "domainHint": "idp.example"}))))] => [OK];
    clicked_while_signed_out_and_no_config [with_status("logged-out")] then
        [Faults(vec!["config:status=404"]), Clicked(active(plain()))] =>
        [answer(Endpoint::Config, 404)];
    not_clicked [signed_in()] then [Get(active(plain()))] => [network(Failure::NoActivation)];
    clicked_for_two [signed_in()] then [Clicked(active(both()))] =>
        [network(Failure::ActiveWithSeveral(2))];

    in_a_frame [[signed_in(), vec![Open(Place::PartyFramed(true))]].concat()] then
        [Get(plain()), Reset, Get(plain())] => [OK, OK];
    in_a_frame_without_fields [[signed_in(), vec![Open(Place::PartyFramed(true))]].concat()] then
        [Get(with(&json!({"fields": []})))] => [OK];
    in_a_frame_without_the_policy [[signed_in(),
        vec![Open(Place::PartyFramed(false))]].concat()] then [Get(plain())] => [refused()];
    in_a_frame_and_then_not [[signed_in(), vec![Open(Place::PartyFramed(true)), Get(plain()),
        Open(Place::Party)]].concat()] then
        [Get(mediated("silent")), Get(plain())] => [unoffered(Unoffered::NotConnected), OK];

    signed_out_by_a_script [[signed_in(), with_status("logged-out")].concat()] then
        [Get(plain())] => [unoffered(Unoffered::LoggedOut)];
    signed_in_by_a_script [with_status("logged-in")] then [Get(plain())] =>
        [network(Failure::Dismissed)];
    signed_in_after_all [with_status("logged-in")] then
        [Person(vec![Does::LogIn("1"), Does::Choose(0)]), Get(plain())] => [OK];
    signed_in_after_all_by_a_hint [with_status("logged-in")] then
        [Person(vec![Does::LogIn("2"), Does::Choose(0)]),
         Get(with(&json!({"loginHint": "bob@idp.example"})))] => [OK];
    a_status_that_there_is_not [vec![Open(Place::Provider)]] then [SetStatus("gone")] =>
        [type_error()];
    signed_out_in_a_frame [[signed_in(), vec![Open(Place::ProviderFramed(true))]].concat()] then
        [SetStatus("logged-out"), Open(Place::Party), Get(plain())] =>
        [Err((DomException::SecurityError, Cause::Identity(Failure::ForeignSite))), OK];
    signed_out_by_a_header [[signed_in(), vec![Open(Place::Provider)]].concat()] then
        [Load, Open(Place::Party), Get(plain())] => [OK, unoffered(Unoffered::LoggedOut)];
    signed_out_by_a_header_in_a_frame [[signed_in(),
        vec![Open(Place::ProviderFramed(true))]].concat()] then
        [Load, Open(Place::Party), Get(plain())] => [OK, OK];

    silent_access_prevented [[connected(), vec![Prevent]].concat()] then
        [Get(mediated("silent")), Get(plain()), Get(mediated("silent"))] =>
        [unoffered(Unoffered::MediationRequired), OK, OK];
    silent_and_two_connected [[vec![LogIn(IDP, "*")], connected(), vec![
        Person(vec![Does::Choose(1)]), Get(mediated("required")), Reset]].concat()] then
        [Get(mediated("silent")), Get(plain())] =>
        [network(Failure::NeedsUser(NotAutomatic::Eligible(2))), OK];
    silent_and_signed_out [[connected(), with_status("logged-out")].concat()] then
        [Get(mediated("silent"))] => [unoffered(Unoffered::LoggedOut)];
    approved_and_not_connected [signed_in()] then
        [Faults(vec![r#"accounts:set=accounts=[{"id": "1", "name": "Ada", "approved_clients": ["rp"]}]"#]),
         Get(plain())] => [OK];
    connected_and_not_approved [connected()] then
        [Faults(vec![r#"accounts:set=accounts=[{"id": "1", "name": "Ada", "approved_clients": []}]"#]),
         Get(plain())] => [OK];

    closed [signed_in()] then [Person(vec![Does::Close]), Get(plain())] =>
        [network(Failure::Dismissed)];
    aborted [signed_in()] then [Person(vec![Does::Abort]), Get(plain())] =>
        [Err((DomException::AbortError, Cause::Aborted(AbortReason::Abort)))];
    fields_of_all_kinds [signed_in()] then
        [Get(with(&json!({"fields": ["name", "tel", "username", "shoe"]})))] => [OK];
    params_of_other_kinds [signed_in()] then
        [Get(with(&json!({"params": "a text"}))), Get(with(&json!({"params": {"nonce": "m"},
            "nonce": "n"})))] => [OK, OK];
    no_such_dictionary [signed_in()] then
        [Get(active(plain())["identity"].clone()),
         Get(json!({"identity": {"providers": [provider(&json!({}))], "mode": "loud"}})),
         Get(json!({"identity": {"providers": [provider(&json!({}))], "context": "leave"}})),
         Get(json!({"identity": {}})),
         Get(identity(&[json!({"configURL": CONFIG})])),
         Get(identity(&[json!({"clientId": "rp"})]))] =>
        [Err((DomException::NotSupportedError, Cause::NoType)), type_error(), type_error(),
         type_error(), type_error(), type_error()];
    an_insecure_config [signed_in()] then
        [Get(with(&json!({"configURL": "http://login.idp.example/fedcm.json"})))] =>
        [unoffered_at("http://login.idp.example/fedcm.json")];
    no_config [signed_in()] then [Get(with(&json!({"configURL": "https://"})))] =>
        [network(Failure::NothingToOffer(vec![("https://".to_owned(), Unoffered::NoUrl)]))];
    no_provider [signed_in()] then [Get(identity(&[]))] => [network(Failure::NoProviders)];
    late_but_in_time [signed_in()] then each(&["well-known:slow=50", "config:slow=50",
        "accounts:slow=50", "client-metadata:slow=50", "picture:slow=50", "id-assertion:slow=50"],
        &[Get(mediated("required"))]) => [OK, OK, OK, OK, OK, OK];
    more_faults_of_config [signed_in()] then each(&["config:text=7",
        "config:set=accounts_endpoint=7", "config:too-long"], &[Get(plain())]) =>
        [config_fault(shape()), config_fault(shape()),
         config_fault(Fault::NotFetched(FetchFault::TooLong))];
    more_faults_of_accounts [vec![]] then each(&["accounts:text", "accounts:set=accounts=7",
        "accounts:too-long"], &anew()) =>
        [network(Failure::Dismissed), network(Failure::Dismissed), network(Failure::Dismissed)];
    more_faults_of_metadata [signed_in()] then each(&["client-metadata:bad-json",
        "client-metadata:text", "client-metadata:set=privacy_policy_url=7",
        "client-metadata:drop=privacy_policy_url", "client-metadata:too-long"],
        &[Get(plain()), Disconnect(leave("1"))]) =>
        [OK, OK, OK, OK, OK, OK, OK, OK, OK, OK];
    more_faults_of_pictures [signed_in()] then each(&["picture:media-type", "picture:bad-json",
        "picture:text", "picture:too-long"], &[Get(mediated("required"))]) => [OK, OK, OK, OK];
    more_faults_of_assertions [signed_in()] then each(&["id-assertion:text=7",
        "id-assertion:too-long", "id-assertion:set=error={}"], &[Get(plain())]) =>
        [no_token(shape()), no_token(Fault::NotFetched(FetchFault::TooLong)),
         no_token(Fault::Refused)];
    more_faults_of_leaving [signed_in()] then each(&["disconnect:text", "disconnect:set=account_id=7",
        "disconnect:drop=account_id", "disconnect:too-long",
        "disconnect:allow-origin", "disconnect:no-credentials", "disconnect:slow=50"],
        &[Get(plain()), Disconnect(leave("1"))]) =>
        [OK, not_disconnected(Fault::NotJson), OK, not_disconnected(shape()),
         OK, not_disconnected(shape()), OK, not_disconnected(Fault::NotFetched(FetchFault::TooLong)),
         OK, not_disconnected(Fault::AllowOrigin(Some("*".to_owned()))),
         OK, not_disconnected(Fault::AllowCredentials), OK, OK];
    conditional [signed_in()] then [Get(mediated("conditional"))] =>
        [Err((DomException::TypeError, Cause::NotConditional(CredentialType::Identity)))];
}

/// Each of these goes wrong once, and the same call meets it.
fn each(faults: &[&'static str], calls: &[Step]) -> Vec<Step> {
    let one = |fault: &&'static str| [vec![Step::Faults(vec![fault])], calls.to_vec()].concat();
    faults.iter().flat_map(one).collect()
}

fn config_fault(fault: Fault) -> Ended {
    unoffered(Unoffered::Answer(Endpoint::Config, fault))
}

fn no_token(fault: Fault) -> Ended {
    let error = AssertionError { error: String::new(), url: String::new(), fault };
    let failure = Failure::NoToken(error);
    Err((DomException::IdentityCredentialError, Cause::Identity(failure)))
}

fn not_disconnected(fault: Fault) -> Ended {
    network(Failure::Answer(Endpoint::Disconnect, fault))
}

fn shape() -> Fault {
    Fault::Shape(String::new())
}

/// Signed in to the provider anew, whatever became of it before.
fn anew() -> Vec<Step> {
    [signed_in(), vec![Step::Reset, Step::Get(plain())]].concat()
}

fn unoffered_at(config_url: &str) -> Ended {
    let why = Unoffered::Answer(Endpoint::Config, Fault::NotTrustworthy("configURL"));
    network(Failure::NothingToOffer(vec![(config_url.to_owned(), why)]))
}
