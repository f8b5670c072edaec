//! credential-management.md section 3: of several steps that would refuse a call, the first one names the exception. Each
//! algorithm is a list of steps, every set of faults that a call can have at once is tried, and the list foretells the end.
//! Plants: a list with two steps the wrong way round, or without one, is found out, and so is each other rule turned round.

use serde_json::{Value, json};
use softkey_client::cause::TypeFault;
use softkey_client::{
    AbortReason, Cause, CredentialType, DomException, Feature, Frame, Output, Page, Profile,
    Request,
};

use crate::world::*;

/// What is wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Inactive,
    Aborted,
    NoType,
    Several,
    Conditional,
    Immediate,
    Active,
    Policy,
    /// The page is in a frame of another site.
    Framed,
    /// What the type itself refuses.
    Own,
}
use Wrong::{
    Aborted, Active, Conditional, Framed, Immediate, Inactive, NoType, Own, Policy, Several,
};

/// The exception that a page sees, and the cause; nothing if the call is not refused.
type End = Option<(DomException, Cause)>;

/// A method of the container.
struct Algorithm {
    /// What is heeded, in the order of the steps, and how the call ends there.
    steps: Vec<(Wrong, DomException, Cause)>,
    /// What no call can have at once.
    apart: &'static [(Wrong, Wrong)],
    /// Makes a call with which this is wrong.
    call: fn(&[Wrong]) -> End,
}

impl Algorithm {
    fn are_apart(&self, one: Wrong, other: Wrong) -> bool {
        self.apart.iter().any(|pair| *pair == (one, other) || *pair == (other, one))
    }

    /// Each set of faults that can be.
    fn sets(&self) -> Vec<Vec<Wrong>> {
        let mut sets = vec![Vec::new()];
        for (wrong, ..) in &self.steps {
            let with: Vec<Vec<Wrong>> = sets
                .iter()
                .filter(|set| !set.iter().any(|other| self.are_apart(*wrong, *other)))
                .map(|set| [&set[..], &[*wrong]].concat())
                .collect();
            sets.extend(with);
        }
        sets
    }

    /// Does each of these sets end as the steps say?
    fn check(&self, sets: &[Vec<Wrong>]) -> Result<(), String> {
        for set in sets {
            let first = self.steps.iter().find(|(wrong, ..)| set.contains(wrong));
            let expected = first.map(|(_, exception, cause)| (*exception, cause.clone()));
            let end = (self.call)(set);
            if end != expected {
                return Err(format!("{set:?}: {end:?} instead of {expected:?}"));
            }
        }
        Ok(())
    }
}

fn get_steps() -> Algorithm {
    let otp = CredentialType::Otp;
    let mixed = Cause::TypesDoNotMix(CredentialType::Password, otp);
    let steps = vec![
        (Inactive, DomException::InvalidStateError, Cause::NotFullyActive),
        (Aborted, DomException::AbortError, Cause::Aborted(AbortReason::Abort)),
        (NoType, DomException::NotSupportedError, Cause::NoType),
        (Several, DomException::NotSupportedError, mixed),
        (Conditional, DomException::TypeError, Cause::NotConditional(otp)),
        (Immediate, DomException::TypeError, Cause::NotImmediate(otp)),
        (Active, DomException::NotAllowedError, Cause::TypeActive(otp)),
        (Policy, DomException::NotAllowedError, Cause::PolicyRefuses(Feature::OtpCredentials)),
    ];
    // Where the policy refuses a type, no call for it can be under way.
    Algorithm {
        steps,
        apart: &[(NoType, Several), (Active, Policy), (NoType, Policy)],
        call: call_get,
    }
}

fn call_get(wrong: &[Wrong]) -> End {
    let is = |one| wrong.contains(&one);
    let profile = Profile::new();
    let mut page = if is(Policy) { framed(&profile) } else { Page::new(&profile, ORIGIN) };
    let otp = json!({"transport": ["sms"]});
    let _pending = is(Active).then(|| waiting(&mut page, &json!({"otp": otp})));
    let mut options = json!({});
    let members = [
        (!is(NoType), "otp", otp),
        (is(Several), "password", json!(true)),
        (is(Conditional), "mediation", json!("conditional")),
        (is(Immediate), "uiMode", json!("immediate")),
        (is(Aborted), "signal", json!({"aborted": true})),
    ];
    for (_, name, value) in members.into_iter().filter(|(there, ..)| *there) {
        options[name] = value;
    }
    page.set_fully_active(!is(Inactive));
    end(&mut get(&mut page, &options))
}

fn create_steps() -> Algorithm {
    let policy = Cause::PolicyRefuses(Feature::PublicKeyCredentialsCreate);
    let steps = vec![
        (Inactive, DomException::InvalidStateError, Cause::NotFullyActive),
        (NoType, DomException::NotSupportedError, Cause::NoType),
        (Several, DomException::NotSupportedError, Cause::Type(TypeFault::SeveralTypes)),
        (Policy, DomException::NotAllowedError, policy),
        (Aborted, DomException::AbortError, Cause::Aborted(AbortReason::Abort)),
        (Active, DomException::NotAllowedError, Cause::TypeActive(CredentialType::Password)),
        (Own, DomException::TypeError, Cause::Type(TypeFault::EmptyMember("id"))),
    ];
    // The type with a policy is publicKey, the one with a call under way and a fault of its own is password.
    let apart = &[
        (NoType, Several),
        (NoType, Policy),
        (NoType, Active),
        (NoType, Own),
        (Policy, Active),
        (Policy, Own),
    ];
    Algorithm { steps, apart, call: call_create }
}

fn call_create(wrong: &[Wrong]) -> End {
    let is = |one| wrong.contains(&one);
    let profile = Profile::new();
    profile.keep(&password("ada", ORIGIN, "x"));
    let mut page = if is(Policy) { framed(&profile) } else { Page::new(&profile, ORIGIN) };
    let _pending = is(Active).then(|| waiting(&mut page, &json!({"password": true})));
    let id = if is(Own) { "" } else { "ada" };
    let mut options = json!({});
    let members = [
        (
            !is(NoType) && !is(Policy),
            "password",
            json!({"id": id, "origin": ORIGIN, "password": "x"}),
        ),
        (is(Policy), "publicKey", public_key()),
        (is(Several), "federated", json!({"id": "", "provider": ""})),
        (is(Aborted), "signal", json!({"aborted": true})),
    ];
    for (_, name, value) in members.into_iter().filter(|(there, ..)| *there) {
        options[name] = value;
    }
    page.set_fully_active(!is(Inactive));
    create(&mut page, &options).err()
}

fn public_key() -> Value {
    json!({"rp": {"name": ""}, "user": {"id": "AQ", "name": "", "displayName": ""},
        "challenge": "AA", "pubKeyCredParams": []})
}

fn store_steps() -> Algorithm {
    let active = Cause::TypeActive(CredentialType::Password);
    let foreign = TypeFault::ForeignAncestors(CredentialType::Password);
    let steps = vec![
        (Inactive, DomException::InvalidStateError, Cause::NotFullyActive),
        (Active, DomException::NotAllowedError, active),
        (Framed, DomException::NotAllowedError, Cause::Type(foreign)),
        (Own, DomException::NotAllowedError, Cause::Type(TypeFault::ForeignCredential)),
    ];
    // In such a frame no call for a password can be under way.
    Algorithm { steps, apart: &[(Active, Framed)], call: call_store }
}

fn call_store(wrong: &[Wrong]) -> End {
    let is = |one| wrong.contains(&one);
    let profile = Profile::new();
    profile.keep(&password("ada", ORIGIN, "x"));
    let mut page = if is(Framed) { framed(&profile) } else { Page::new(&profile, ORIGIN) };
    let _pending = is(Active).then(|| waiting(&mut page, &json!({"password": true})));
    page.set_fully_active(!is(Inactive));
    let origin = if is(Own) { "https://other.example" } else { ORIGIN };
    let end = end(&mut store(&mut page, password("bob", origin, "x")));
    assert_eq!(profile.passwords().len(), 1);
    end
}

fn prevent_steps() -> Algorithm {
    let steps = vec![(Inactive, DomException::InvalidStateError, Cause::NotFullyActive)];
    Algorithm { steps, apart: &[], call: call_prevent }
}

fn call_prevent(wrong: &[Wrong]) -> End {
    let mut page = page();
    page.profile().set_prevent_silent_access(ORIGIN, false);
    page.set_fully_active(wrong.is_empty());
    let outcome = page.credentials().prevent_silent_access();
    assert_eq!(page.profile().prevents_silent_access(ORIGIN), outcome.is_ok());
    outcome.err().map(|rejection| (rejection.exception, rejection.cause))
}

/// A call that waits for the person.
fn waiting(page: &mut Page, options: &Value) -> Request {
    let pending = get(page, options);
    assert!(!pending.is_settled());
    pending
}

/// How a call was refused, if it was.
fn end(request: &mut Request) -> End {
    match request.poll_output(NOW) {
        Some(Output::Settled(result)) => {
            result.err().map(|rejection| (rejection.exception, rejection.cause))
        }
        _ => None,
    }
}

fn algorithms() -> [Algorithm; 4] {
    [get_steps(), create_steps(), store_steps(), prevent_steps()]
}

#[track_caller]
fn holds(algorithm: &Algorithm) {
    assert_eq!(algorithm.check(&algorithm.sets()), Ok(()));
}

/// get: fully active, the signal, no type, types that do not mix, the mediation, the mark, the policy, each before the next.
#[test]
fn the_first_step_of_get_that_fails_names_the_exception() {
    holds(&get_steps());
}

/// create: fully active, the types, the policy, the signal, the mark, and what the type itself says.
#[test]
fn the_first_step_of_create_that_fails_names_the_exception() {
    holds(&create_steps());
}

/// store: fully active, the mark, the frame, and what the type itself says; nothing is kept.
#[test]
fn the_first_step_of_store_that_fails_names_the_exception() {
    holds(&store_steps());
}

/// preventSilentAccess: nothing happens on a page that is not fully active.
#[test]
fn a_page_that_is_gone_prevents_nothing() {
    holds(&prevent_steps());
}

/// Planted: each two steps the wrong way round, and each step left out.
#[test]
fn another_order_and_a_forgotten_step_are_found() {
    for algorithm in algorithms() {
        let sets = algorithm.sets();
        let count = algorithm.steps.len();
        for at in 0..count {
            let mut planted = Algorithm { steps: algorithm.steps.clone(), ..algorithm };
            let (wrong, ..) = planted.steps.remove(at);
            let found = planted.check(&sets).unwrap_err();
            assert!(found.starts_with(&format!("[{wrong:?}]")), "{found}");
            for other in at + 1..count {
                let mut planted = Algorithm { steps: algorithm.steps.clone(), ..algorithm };
                planted.steps.swap(at, other);
                let (one, other) = (algorithm.steps[at].0, algorithm.steps[other].0);
                if !algorithm.are_apart(one, other) {
                    let found = planted.check(&sets).unwrap_err();
                    assert!(found.starts_with(&format!("[{one:?}, ")), "{other:?}: {found}");
                }
            }
        }
    }
}

/// A refused call leaves no mark, not even of the type that was let in before the one that was refused.
#[test]
fn a_refusal_gives_the_marks_back() {
    let profile = Profile::new();
    profile.keep(&password("ada", ORIGIN, "x"));
    let mut page = Page::new(&profile, ORIGIN);
    let pending = waiting(&mut page, &json!({"federated": {}, "password": true}));
    let active = Cause::TypeActive(CredentialType::Password);
    let both = json!({"password": true, "federated": {}, "mediation": "silent"});
    assert_eq!(end(&mut get(&mut page, &both)), Some((DomException::NotAllowedError, active)));
    drop(pending);
    let _password = waiting(&mut page, &json!({"password": true}));
    let again = json!({"federated": {}, "password": true});
    assert!(end(&mut get(&mut page, &again)).is_some());
    assert_eq!(settled(&mut get(&mut page, &json!({"federated": {}}))), Ok(None));
}

/// Which types may be asked for together.
const MIXING: &[[&str; 2]] = &[["federated", "password"], ["password", "federated"]];

/// Each pair of types, in either order, mixes if it stands there.
fn mixes(mixing: &[[&str; 2]]) -> Result<(), String> {
    let providers = json!([{"configURL": "https://idp.example/c", "clientId": "1"}]);
    let members = [
        ("password", json!(true)),
        ("federated", json!({})),
        ("identity", json!({"providers": providers})),
        ("otp", json!({"transport": ["sms"]})),
        ("publicKey", json!({"challenge": "AA"})),
    ];
    for (one, its_options) in &members {
        for (other, options) in members.iter().filter(|(other, _)| other != one) {
            let both = json!({*one: its_options, *other: options, "mediation": "silent"});
            let mixed = match settled(&mut get(&mut page(), &both)) {
                Ok(None) => true,
                Err((DomException::NotSupportedError, Cause::TypesDoNotMix(..))) => false,
                outcome => return Err(format!("{one}, {other}: {outcome:?}")),
            };
            if mixed != mixing.contains(&[one, other]) {
                return Err(format!("{one}, {other}"));
            }
        }
    }
    Ok(())
}

/// Every pair of types that do not mix, in either order; those of the store do. Planted: another table.
#[test]
fn each_pair_of_types_mixes_or_not() {
    assert_eq!(mixes(MIXING), Ok(()));
    assert_eq!(mixes(&MIXING[..1]), Err("password, federated".into()));
    let more = [MIXING, &[["otp", "identity"]]].concat();
    assert_eq!(mixes(&more), Err("otp, identity".into()));
}

/// get: a refused policy comes before a message is looked for, even silently. Planted: a frame that is allowed to.
#[test]
fn the_policy_comes_after_the_mediation() {
    let refused = |own: Frame, mediation: &str| {
        let mut page = Page::framed(&Profile::new(), [Frame::new("https://shop.example")], own);
        let otp = json!({"otp": {"transport": ["sms"]}, "mediation": mediation});
        end(&mut get(&mut page, &otp))
    };
    let policy = Cause::PolicyRefuses(Feature::OtpCredentials);
    let conditional = Cause::NotConditional(CredentialType::Otp);
    let allowed = || Frame::new(ORIGIN).allow(Feature::OtpCredentials);
    for (mediation, exception, cause) in [
        ("silent", DomException::NotAllowedError, policy.clone()),
        ("optional", DomException::NotAllowedError, policy),
        ("conditional", DomException::TypeError, conditional),
    ] {
        assert_eq!(refused(Frame::new(ORIGIN), mediation), Some((exception, cause)), "{mediation}");
        assert_eq!(refused(allowed(), mediation).is_some(), mediation == "conditional");
    }
}

/// Is this member passed over in create, alone and beside another?
fn is_passed_over(member: &str) -> bool {
    let federated = |id: &str| json!({"id": id, "provider": "https://idp.example"});
    let alone = create(&mut page(), &json!({member: federated("bob")}));
    let beside = create(&mut page(), &json!({member: 7, "federated": federated("ada")}));
    alone == Err((DomException::NotSupportedError, Cause::NoType))
        && beside.is_ok_and(|made| made.is_some_and(|made| made["id"] == "ada"))
}

/// create: `identity` and `otp` have no member there. Planted: one that there is.
#[test]
fn remote_types_have_no_member_in_create() {
    for member in ["identity", "otp", "digital"] {
        assert!(is_passed_over(member), "{member}");
    }
    assert!(!is_passed_over("federated"));
}

/// The deprecated boolean of 2016 means nothing. Planted: what it meant, which is another end.
#[test]
fn unmediated_is_passed_over() {
    let asked = |options: &Value| {
        let mut page = page();
        page.profile().keep(&password("ada", ORIGIN, "x"));
        end_of(&mut get(&mut page, options))
    };
    let plain = asked(&json!({"password": true}));
    assert_eq!(asked(&json!({"password": true, "unmediated": true})), plain);
    assert_ne!(asked(&json!({"password": true, "mediation": "silent"})), plain);
}

/// Whose account was given when the person chose the first one; nothing if nobody was asked.
fn end_of(request: &mut Request) -> Option<String> {
    (!request.is_settled()).then(|| ids(answered(request, chosen(0))))?
}
