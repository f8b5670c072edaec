//! Several keys at once behind one page: of CTAP 2.3, of CTAP 2.0, and one that speaks CTAP1 only.

use std::time::Duration;

use serde_json::json;
use softkey_authenticator::Config;
use softkey_client::driver::{Keys, Settlement};
use softkey_client::{
    Cause, CreationOptions, CredentialCreationOptions, DomException, Entropy, KeyId, Page, Profile,
    Reach, base64url,
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

/// getInfo as keys of CTAP 2.0 give it: no tokens with permissions, no limits.
fn info_2_0() -> Vec<u8> {
    let mut info = b"\x00\xa4\x01\x81\x68FIDO_2_0\x03\x50".to_vec();
    info.extend(softkey_authenticator::AAGUID);
    info.extend(b"\x04\xa3\x62rk\xf5\x62up\xf5\x69clientPin\xf4\x06\x81\x01");
    info
}

struct Desk {
    keys: Keys<Cable>,
    person: Person,
}

impl Desk {
    /// The three keys, none of which is touched.
    fn new() -> Self {
        let mut keys = Keys::new((0..3).map(|_| {
            let device = Device::new(DeviceConfig::default(), 7);
            let core = Core::new(Config::default());
            let loopback = Loopback::new(device, core, Instant::from_millis(0));
            Connection::open(Cable { loopback, pulled_at: None }).unwrap()
        }));
        keys.set_reach(U2F, Reach { ctap2: false, u2f: true });
        let mut desk = Self { keys, person: Person::default() };
        for key in [NEW, OLD, U2F] {
            desk.core(key).hand = Hand::StaysAway;
        }
        desk.core(OLD).info = Some(info_2_0());
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
}

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// Touching any of the three ends the call, and the other two within 200 ms.
fn wins(winner: KeyId) {
    let mut desk = Desk::new();
    desk.core(winner).hand = Hand::TouchesAt(at(2000));
    let settlement = desk.create(60_000);
    let made = settlement.promise.unwrap().unwrap().unwrap().registration().unwrap();
    assert_eq!(made.response.public_key_algorithm, -7);
    assert_eq!(settlement.late, []);
    // A CTAP1 key learns of a touch when it is asked again, each 250 ms.
    let touched = if winner == U2F { 2250 } else { 2000 };
    let took = desk.keys.now().as_millis();
    assert!((2000..=touched + 200).contains(&took), "all was over after {took} ms");
    assert!([NEW, OLD, U2F].into_iter().all(|key| desk.keys.take_failure(key).is_none()));
    // A CTAP1 key gives its question up by itself once nobody asks again.
    assert!([NEW, OLD].into_iter().all(|key| !desk.core(key).is_asking()));
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
    let settlement = desk.create(60_000);
    assert!(settlement.promise.unwrap().is_ok());
    let late: Vec<_> = settlement.late.iter().map(|(key, _)| *key).collect();
    assert_eq!(late, [OLD]);
}

#[test]
fn an_unplugged_key_changes_nothing_for_the_rest() {
    let mut desk = Desk::new();
    desk.cable(NEW).pulled_at = Some(at(1000));
    desk.core(OLD).hand = Hand::TouchesAt(at(2000));
    let settlement = desk.create(60_000);
    assert!(settlement.promise.unwrap().is_ok());
    assert_eq!(desk.keys.take_failure(NEW), Some(ConnectionError::Transport(Pulled)));
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
