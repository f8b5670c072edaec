//! A key that misbehaves, and who notices: the client, or the relying party's checks, each for the reason that the
//! fault is made for.

use serde_json::{Value, json};
use softkey_authenticator::Config;
use softkey_client::verify::{Fault, StatementFault};
use softkey_client::{AuthenticationResponse, Cause, RegistrationResponse, WrongResponse};
use softkey_ctap::StatusCode;
use softkey_ctap::cbor::DecodeError;

use crate::world::{World, authenticated, authentication, list, registered, registration};

/// Who complains of what.
#[derive(Debug, PartialEq)]
enum Complaint {
    /// The client.
    Client(Cause),
    /// The relying party.
    Party(Fault),
    /// Nobody.
    None,
}

use Complaint::{Client, Party};

/// The signature of an attestation statement is wrong.
const UNSIGNED: Fault = Fault::Statement(StatementFault::Signature);

impl World {
    /// The key has this fault from now on.
    pub(crate) fn fault(&mut self, fault: &str) {
        self.core().board.switch_on(fault.parse().unwrap());
    }

    /// This fault, and no other, changed answers.
    fn changed_by(&mut self, fault: &str) {
        let changed = self.changed();
        assert!(!changed.is_empty() && changed.iter().all(|name| name == fault), "{changed:?}");
    }

    /// What changed an answer since this was asked last.
    fn changed(&mut self) -> Vec<String> {
        std::mem::take(&mut self.core().changed)
    }
}

fn at_registration(made: Result<RegistrationResponse, Cause>, verified: bool) -> Complaint {
    match made.map(|made| registration(&made, verified)) {
        Err(cause) => Client(cause),
        Ok(Err(fault)) => Party(fault),
        Ok(Ok(_)) => Complaint::None,
    }
}

/// A registration with this fault. It must be what changed the answer, and nothing else.
fn registers(fault: &str, extra: &Value) -> Complaint {
    let mut world = World::new();
    world.fault(fault);
    let made = world.create(extra);
    world.changed_by(fault);
    at_registration(made, false)
}

/// A registration without and a sign-in with this fault.
fn signs_in(fault: &str) -> Complaint {
    let mut world = World::new();
    let made = world.create(&json!({})).unwrap();
    let record = registered(&made, false).record;
    world.fault(fault);
    let got: Result<AuthenticationResponse, Cause> =
        world.get(&json!({"allowCredentials": list(&[&made.id])}));
    world.changed_by(fault);
    match got.map(|got| authentication(&got, &record, false)) {
        Err(cause) => Client(cause),
        Ok(Err(fault)) => Party(fault),
        Ok(Ok(_)) => Complaint::None,
    }
}

/// What the client says that looks at the meaning of an answer.
fn wrong(what: WrongResponse) -> Complaint {
    Client(Cause::WrongResponse(what))
}

fn bad(error: DecodeError) -> Complaint {
    Client(Cause::BadResponse(error))
}

/// What is wrong with a registration is found: by the client as far as it looks, else by the relying party.
#[test]
fn registrations_with_a_fault_are_refused_for_its_reason() {
    let level = json!({"extensions": {
        "credentialProtectionPolicy": "userVerificationRequired", "enforceCredentialProtectionPolicy": true}});
    for (fault, extra, complaint) in [
        ("wrong-up", json!({}), wrong(WrongResponse::NotPresent)),
        ("wrong-rp-hash", json!({}), wrong(WrongResponse::RpIdHash)),
        ("wrong-bs", json!({}), Party(Fault::BackupFlags)),
        ("wrong-be", json!({}), Complaint::None),
        ("reserved-flag", json!({}), Complaint::None),
        ("wrong-algorithm", json!({}), wrong(WrongResponse::Algorithm)),
        ("wrong-algorithm=-257", json!({}), wrong(WrongResponse::Algorithm)),
        ("wrong-aaguid", json!({}), Party(Fault::Statement(StatementFault::Model))),
        ("wrong-attested-credential", json!({}), Complaint::None),
        ("off-curve-key", json!({}), Party(Fault::Key)),
        ("unasked-enterprise", json!({}), Complaint::None),
        ("unasked-extension", json!({}), Complaint::None),
        ("unasked-extension=credProtect", json!({}), bad(DecodeError::UnexpectedType)),
        ("missing-extensions", level.clone(), wrong(WrongResponse::Protection)),
        ("force-cred-protect=1", level, wrong(WrongResponse::Protection)),
        ("trailing-auth-data", json!({}), bad(DecodeError::Length)),
        ("stale-client-data", json!({}), Party(UNSIGNED)),
        ("wrong-signature", json!({}), Party(UNSIGNED)),
        ("malformed-signature", json!({}), Party(UNSIGNED)),
        ("wrong-format", json!({}), Party(Fault::Format)),
        ("wrong-format=fido-u2f", json!({}), Party(UNSIGNED)),
        ("oversize-answer", json!({}), Complaint::None),
        ("empty-answer", json!({}), Client(Cause::EmptyResponse)),
    ] {
        assert_eq!(registers(fault, &extra), complaint, "{fault}");
    }
}

/// What is wrong with a sign-in is found.
#[test]
fn sign_ins_with_a_fault_are_refused_for_its_reason() {
    for (fault, complaint) in [
        ("wrong-up", wrong(WrongResponse::NotPresent)),
        ("wrong-rp-hash", wrong(WrongResponse::RpIdHash)),
        ("wrong-bs", Party(Fault::BackupFlags)),
        ("wrong-be", Party(Fault::BackupFlags)),
        ("attested-in-assertion", wrong(WrongResponse::Attested)),
        ("trailing-auth-data", bad(DecodeError::Length)),
        ("stale-client-data", Party(Fault::Signature)),
        ("wrong-signature", Party(Fault::Signature)),
        ("malformed-signature", Party(Fault::Signature)),
        ("wrong-credential", wrong(WrongResponse::Credential)),
        ("missing-credential", Complaint::None),
        ("oversize-answer", Complaint::None),
    ] {
        assert_eq!(signs_in(fault), complaint, "{fault}");
    }
}

/// A counter that runs backwards is found at the second sign-in.
#[test]
fn a_counter_that_runs_backwards_is_found() {
    let mut world = World::new();
    let made = world.create(&json!({})).unwrap();
    let record = registered(&made, false).record;
    world.fault("wrong-counter=back");
    let allow = json!({"allowCredentials": list(&[&made.id])});
    let first = authenticated(&world.get(&allow).unwrap(), &record, false);
    let got = world.get(&allow).unwrap();
    let fault = authentication(&got, &first.record, false).unwrap_err();
    let last = 0x7FFF_FFFF - 1;
    assert_eq!(fault, Fault::Counter { last, now: last - 1 });
}

/// UV is claimed where nobody was verified, and denied where somebody was.
#[test]
fn the_uv_bit_is_a_lie_either_way() {
    let mut world = World::new();
    world.fault("wrong-uv");
    let made = world.create(&json!({})).unwrap();
    assert!(registered(&made, true).user_verified);
    let mut world = World::with_pin();
    world.fault("wrong-uv");
    world.person.pins.push_back("1234");
    let made = world.create(&json!({"authenticatorSelection": {"userVerification": "required"}}));
    assert_eq!(
        at_registration(made, true),
        Client(Cause::WrongResponse(WrongResponse::NotVerified))
    );
}

/// Signatures that are wrong, and those that are none.
#[test]
fn signatures_do_not_verify() {
    for fault in ["wrong-signature", "malformed-signature"] {
        assert_eq!(registers(fault, &json!({})), Party(UNSIGNED), "{fault}");
        assert_eq!(signs_in(fault), Party(Fault::Signature), "{fault}");
    }
}

/// What can be read of an answer, and what cannot.
#[test]
fn bytes_that_are_no_canonical_answer_are_refused_by_the_client() {
    let malformed = || Client(Cause::BadResponse(DecodeError::Malformed));
    // Keys on the market send unsorted maps.
    assert_eq!(registers("non-canonical=order", &json!({})), Complaint::None);
    for form in ["length", "duplicate", "indefinite"] {
        assert_eq!(registers(&format!("non-canonical={form}"), &json!({})), malformed(), "{form}");
    }
    for fault in ["trailing-byte", "truncated-answer"] {
        assert_eq!(registers(fault, &json!({})), malformed(), "{fault}");
        assert_eq!(signs_in(fault), malformed(), "{fault}");
    }
}

/// What keys on the market decide otherwise than the standard has it, the client copes with.
#[test]
fn keys_that_decide_otherwise_serve_all_the_same() {
    let absent = json!([{"type": "public-key", "id": "AAEC"}]);
    for (fault, touches) in
        [("no-credentials-status", 0), ("late-no-credentials", 1), ("missing-credential=lone", 0)]
    {
        let mut world = World::new();
        world.fault(fault);
        let discoverable = world.get(&json!({}));
        assert_eq!(discoverable, Err(Cause::NoCredentials), "{fault}");
        assert_eq!(world.core().touches, touches, "{fault}");
        let made = world.create(&json!({"excludeCredentials": absent})).unwrap();
        let record = registered(&made, false).record;
        let got = world.get(&json!({"allowCredentials": list(&[&made.id])})).unwrap();
        authenticated(&got, &record, false);
        let strange = world.get(&json!({"allowCredentials": absent}));
        assert_eq!(strange, Err(Cause::NoCredentials), "{fault}");
    }
}

/// A key that wants the user verified before it says what it has is told who the user is first.
#[test]
fn a_key_that_shows_nothing_unverified_serves_verified_users() {
    let mut world = World::with(Config { always_uv: true, ..Config::default() });
    world.protect();
    world.fault("always-uv-when-silent");
    world.person.pins = ["1234", "1234"].into();
    let made = world.create(&json!({})).unwrap();
    let record = registered(&made, true).record;
    let listed = list(&["AAEC", &made.id]);
    let got = world.get(&json!({"allowCredentials": listed})).unwrap();
    assert!(authenticated(&got, &record, true).user_verified);
    // Who looked silently had a token: no answer was another one.
    assert_eq!(world.changed(), [""; 0]);
}

/// Where the key has asked which account, the client asks no more.
#[test]
fn an_account_that_the_key_chose_is_not_asked_for_again() {
    let mut world = World::new();
    let mut made = Vec::new();
    for id in ["AQ", "Ag"] {
        let user = json!({"id": id, "name": id, "displayName": ""});
        let extra = json!({"user": user, "authenticatorSelection": {"residentKey": "required"}});
        made.push(world.create(&extra).unwrap());
    }
    world.person.choice = Some(0);
    assert_eq!(world.get(&json!({})).unwrap().id, made[1].id);
    assert_eq!(world.person.seen.len(), 2);
    world.person.seen.clear();
    world.fault("account-chooser=2");
    let record = registered(&made[0], false).record;
    authenticated(&world.get(&json!({})).unwrap(), &record, false);
    assert_eq!(world.person.seen, []);
    world.changed_by("account-chooser=2");
}

/// The status of the fault is the one that the client is told.
#[test]
fn a_canned_status_comes_in_the_place_of_the_command() {
    let status = |code: u8| Client(Cause::Refused(StatusCode(code)));
    assert_eq!(registers("status=makeCredential:7f", &json!({})), status(0x7F));
    assert_eq!(signs_in("status=getAssertion:0x14"), status(0x14));
    let mut world = World::new();
    world.fault("status=getAssertion:14");
    assert!(world.create(&json!({})).is_ok(), "another command");
    assert_eq!(world.changed(), [""; 0]);
}

/// N counts the requests that the fault is about.
#[test]
fn a_fault_can_be_counted() {
    let mut world = World::new();
    let made = world.create(&json!({})).unwrap();
    let record = registered(&made, false).record;
    let allow = json!({"allowCredentials": list(&[&made.id])});
    let mut seen = |fault: &str| {
        world.core().board.switch_off(None);
        world.fault(fault);
        let mut good = Vec::new();
        for _ in 0..3 {
            // The client looks first without a touch, which is a request as well.
            let got = world.get(&allow).unwrap();
            good.push(authentication(&got, &record, false).is_ok());
        }
        (good, world.changed().len())
    };
    assert_eq!(seen("wrong-signature@2").1, 1);
    assert_eq!(seen("wrong-signature@..2").1, 2);
    assert_eq!(seen("wrong-signature").0, [false; 3]);
    assert_eq!(seen("wrong-signature@99"), (vec![true; 3], 0));
}
