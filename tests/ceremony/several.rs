//! Several keys at once behind one page: of CTAP 2.3, of CTAP 2.0, and one that speaks CTAP1 only.

use std::time::Duration;

use serde_json::json;
use softkey::profile::Profile as Model;
use softkey_client::driver::{Keys, Settlement};
use softkey_client::{
    Cause, CreationOptions, Credential, CredentialCreationOptions, DomException, Entropy, KeyId,
    Page, Profile, Reach, RequestOptions, base64url, verify,
};
use softkey_ctap::{Instant, Secret, StatusCode};
use softkey_ctap_hid::{
    Connection, ConnectionError, Device, DeviceConfig, Loopback, Report, Transport,
};

use crate::world::{Core, Hand, ORIGIN, Person};

const NEW: KeyId = KeyId(0);
const OLD: KeyId = KeyId(1);
const U2F: KeyId = KeyId(2);

/// A wire in memory that can be pulled.
struct Cable {
    loopback: Loopback<Core>,
    pulled_at: Option<Instant>,
}

#[derive(Debug, PartialEq)]
struct Pulled;

impl Cable {
    fn intact(&self) -> Result<(), Pulled> {
        let pulled = self.pulled_at.is_some_and(|at| at <= self.loopback.now());
        if pulled { Err(Pulled) } else { Ok(()) }
    }
}

impl Transport for Cable {
    type Error = Pulled;

    fn now(&self) -> Instant {
        self.loopback.now()
    }

    fn nonce(&mut self) -> Result<[u8; 8], Pulled> {
        Ok(self.loopback.nonce().unwrap())
    }

    fn send(&mut self, report: &Report) -> Result<(), Pulled> {
        self.intact()?;
        let Ok(()) = self.loopback.send(report);
        Ok(())
    }

    fn receive(&mut self, timeout: Duration) -> Result<Option<Report>, Pulled> {
        self.intact()?;
        let Ok(report) = self.loopback.receive(timeout);
        Ok(report)
    }
}

/// The profiles that the keys are, in the order of their numbers.
const MODELS: [&str; 3] = ["ctap2.3", "ctap2.0", "u2f"];

/// How long the keys that were not touched may go on (issue 4), in virtual time.
const SOON: Duration = Duration::from_millis(200);

struct Desk {
    keys: Keys<Cable>,
    person: Person,
}

impl Desk {
    /// The three keys, none of which is touched.
    fn new() -> Self {
        let keys = Keys::new((0..).zip(MODELS).map(|(number, model)| {
            let config = Model::find(model).unwrap().config;
            let (ctap2, u2f) = (config.generation.speaks_ctap2(), config.u2f);
            let device = Device::new(DeviceConfig { ctap2, u2f, ..DeviceConfig::default() }, 7);
            let loopback =
                Loopback::new(device, Core::numbered(config, number), Instant::from_millis(0));
            Connection::open(Cable { loopback, pulled_at: None }).unwrap()
        }));
        let mut desk = Self { keys, person: Person::default() };
        for key in [NEW, OLD, U2F] {
            desk.core(key).hand = Hand::StaysAway;
        }
        assert_eq!(desk.keys.reach(U2F), Some(Reach { ctap2: false, u2f: true }));
        desk
    }

    fn core(&mut self, key: KeyId) -> &mut Core {
        self.cable(key).loopback.application_mut()
    }

    fn cable(&mut self, key: KeyId) -> &mut Cable {
        self.keys.connection_mut(key).unwrap().transport_mut()
    }

    fn create(&mut self, timeout: u64) -> Settlement {
        let options = json!({
            "rp": {"name": "Example"},
            "user": {"id": "AQID", "name": "ada", "displayName": "Ada"},
            "challenge": base64url::encode(b"several"),
            "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
            "authenticatorSelection": {"userVerification": "discouraged"},
            "timeout": timeout,
        });
        let options: CredentialCreationOptions =
            CreationOptions::from_value(options).unwrap().into();
        let profile = Profile::new();
        profile.set(|settings| settings.timeout = softkey_client::profile::TimeoutRange::literal());
        let mut page = Page::new(&profile, ORIGIN);
        let entropy = Entropy::from_seed(&Secret::new([9; 32]));
        let request = page.credentials().create(self.keys.now(), options, entropy);
        self.keys.settle(request, &mut self.person)
    }

    fn get(&mut self, id: &str) -> Settlement {
        let options = json!({
            "challenge": base64url::encode(b"several"),
            "allowCredentials": [{"type": "public-key", "id": id}],
            "userVerification": "discouraged",
        });
        let options = RequestOptions::from_value(options).unwrap().into();
        let entropy = Entropy::from_seed(&Secret::new([8; 32]));
        let mut page = Page::new(&Profile::new(), ORIGIN);
        let request = page.credentials().get(self.keys.now(), options, entropy);
        self.core(OLD).hand = Hand::Touches;
        self.keys.settle(request, &mut self.person)
    }
}

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn made(settlement: Settlement) -> Credential {
    settlement.promise.unwrap().unwrap().unwrap()
}

/// What the relying party makes of a registration: it must be good, whoever's it is.
fn record(made: Credential) -> (String, verify::CredentialRecord) {
    let made = made.registration().unwrap();
    let expected = verify::Expected::new(b"several", ORIGIN, "example.org");
    let record = verify::registration(&made, &expected, &[-7]).unwrap().record;
    (made.id, record)
}

/// Touching any of the three ends the call, and the other two within 200 ms.
fn wins(winner: KeyId) {
    let mut desk = Desk::new();
    desk.core(winner).hand = Hand::TouchesAt(at(2000));
    let settlement = desk.create(60_000);
    assert_eq!(settlement.late, []);
    record(made(settlement));
    // A CTAP1 key is asked again each 250 ms: once until this hand touches it, and once until it tells.
    let won = if winner == U2F { desk.core(U2F).asked_at.unwrap() } else { at(2000) };
    assert!(won.duration_since(at(2000)) <= Duration::from_millis(500), "{won:?}");
    for other in [NEW, OLD, U2F].into_iter().filter(|key| *key != winner) {
        // CTAP1 has nothing to cancel: it is no longer asked, and gives its question up by itself.
        let core = desk.core(other);
        let ended = if other == U2F { core.asked_at } else { core.cancelled_at };
        let took = ended.unwrap().duration_since(won);
        println!("{other:?} was over {} ms after {winner:?} had won", took.as_millis());
        assert!(took <= SOON, "{other:?} took {took:?}");
        assert!(other == U2F || !core.is_asking());
    }
    let took = desk.keys.now().duration_since(won);
    assert!(took <= SOON, "all was over after {took:?}");
    assert!([NEW, OLD, U2F].into_iter().all(|key| desk.keys.take_failure(key).is_none()));
}

#[test]
fn the_key_of_ctap_2_3_is_touched_first() {
    wins(NEW);
}

#[test]
fn the_key_of_ctap_2_0_is_touched_first() {
    wins(OLD);
}

#[test]
fn the_ctap1_key_is_touched_first() {
    wins(U2F);
}

/// Two keys touched in the same instant: one wins, and what the other made is reported.
#[test]
fn a_late_success_is_reported() {
    let mut desk = Desk::new();
    desk.core(NEW).hand = Hand::TouchesAt(at(2000));
    desk.core(OLD).hand = Hand::TouchesAt(at(2000));
    let mut settlement = desk.create(60_000);
    let [(OLD, late)] = &mut settlement.late[..] else { panic!("{:?}", settlement.late) };
    let (late_id, late_record) = record(late.clone());
    let (id, _) = record(made(settlement));
    assert_ne!(late_id, id);

    // It is not lost: whoever keeps it signs in with it, at the key that was late.
    let now = desk.keys.now();
    for key in [NEW, U2F] {
        desk.cable(key).pulled_at = Some(now);
    }
    let signed = desk.get(&late_id).promise.unwrap().unwrap().unwrap().authentication().unwrap();
    let expected = verify::Expected::new(b"several", ORIGIN, "example.org");
    verify::authentication(&signed, &expected, &late_record).unwrap();
}

/// Whichever key is pulled out while all wait: what the page gets of another one, and when, is the same to the byte.
#[test]
fn an_unplugged_key_changes_nothing_for_the_rest() {
    for (pulled, winner) in [(NEW, OLD), (NEW, U2F), (OLD, NEW), (OLD, U2F), (U2F, NEW), (U2F, OLD)]
    {
        let run = |pulled: Option<KeyId>| {
            let mut desk = Desk::new();
            desk.core(winner).hand = Hand::TouchesAt(at(2000));
            if let Some(key) = pulled {
                desk.cable(key).pulled_at = Some(at(1000));
            }
            let settlement = desk.create(60_000);
            let failures = [NEW, OLD, U2F].map(|key| desk.keys.take_failure(key));
            assert_eq!(settlement.late, []);
            (made(settlement), desk.keys.now(), failures)
        };
        let (whole, whole_end, failures) = run(None);
        assert!(failures.iter().all(Option::is_none));
        let (torn, torn_end, failures) = run(Some(pulled));
        assert_eq!(torn, whole, "{pulled:?} pulled out, {winner:?} touched");
        let apart = torn_end.max(whole_end).duration_since(torn_end.min(whole_end));
        assert!(apart <= Duration::from_millis(20), "{apart:?} apart");
        for (key, failure) in [NEW, OLD, U2F].into_iter().zip(failures) {
            let broken = (key == pulled).then_some(ConnectionError::Transport(Pulled));
            assert_eq!(failure, broken, "{key:?}");
        }
    }
}

#[test]
fn when_all_are_unplugged_nothing_is_allowed() {
    let mut desk = Desk::new();
    for key in [NEW, OLD, U2F] {
        desk.cable(key).pulled_at = Some(at(1000));
    }
    let rejection = desk.create(60_000).promise.unwrap().unwrap_err();
    assert_eq!(rejection.exception, DomException::NotAllowedError);
    assert!(rejection.keys.iter().all(|(_, cause)| *cause == Cause::KeyGone));
    assert_eq!(rejection.keys.len(), 3);
}

/// Section 5.1.3 step 13: the page's time ends the call for every key.
#[test]
fn the_time_of_the_page_ends_it_for_all() {
    let mut desk = Desk::new();
    let rejection = desk.create(5000).promise.unwrap().unwrap_err();
    assert_eq!(rejection.cause, Cause::Timeout);
    let took = desk.keys.now().as_millis();
    assert!((5000..=5200).contains(&took), "all was over after {took} ms");
    assert!([NEW, OLD].into_iter().all(|key| !desk.core(key).is_asking()));
}

#[test]
fn a_refusal_at_one_key_ends_it_for_all() {
    let mut desk = Desk::new();
    desk.core(NEW).hand = Hand::Refuses;
    let rejection = desk.create(60_000).promise.unwrap().unwrap_err();
    assert_eq!(rejection.cause, Cause::Refused(StatusCode::OPERATION_DENIED));
    assert!(!desk.core(OLD).is_asking());
}

/// The person gives up, not at a key but at the page.
#[test]
fn giving_up_cancels_every_key() {
    let mut desk = Desk::new();
    desk.person.patience = Some(20);
    let rejection = desk.create(60_000).promise.unwrap().unwrap_err();
    assert_eq!(rejection.cause, Cause::Cancelled);
    assert!([NEW, OLD].into_iter().all(|key| !desk.core(key).is_asking()));
}
