//! Ceremonies of the client with an authenticator over a link with faults.
//!
//! Claim: every ceremony ends; over a link that only loses reports, what the client takes for a success the
//! relying party accepts, and no try of the PIN is lost; and once the link is whole again a registration and a
//! sign-in succeed, whatever was lost, doubled, exchanged, changed or late before. Planted: a link that changes a
//! bit in the last report of long answers and does not count as one that does.

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::time::Duration;

use softkey_authenticator::hid::Attendant;
use softkey_authenticator::{Answer, Ask, Authenticator, Config, MemoryStore, RootKey};
use softkey_client::driver::{User, Waits, drive, reach};
use softkey_client::pin::{self, Pin};
use softkey_client::verify::{self, Expected};
use softkey_client::{
    Account, Ceremony, CreationOptions, Entropy, Origin, PinNeed, RegistrationResponse,
    RequestOptions, base64url,
};
use softkey_ctap::{Instant, Secret};
use softkey_ctap_hid::{Connection, Device, DeviceConfig, Loopback, Report, Transport};
use zeroize::Zeroizing;

use crate::{Subject, Tape};

const ORIGIN: &str = "https://example.org";
const RP_ID: &str = "example.org";
const PIN: &str = "1234";

/// What the link may do, then what is done over it, then what happens to each report.
pub fn run(data: &[u8], subject: Subject) {
    let mut tape = Tape::new(data);
    let only_loses = tape.flag();
    let with_pin = tape.flag();
    let wanted: Vec<u8> = (0..=tape.below(4)).map(|_| tape.byte()).collect();
    let mut world = World::new(Tape::new(&[]), only_loses, subject);
    if with_pin {
        world.run(|reach, entropy| pin::set(Pin::new(PIN), reach, entropy)).expect("a PIN is set");
    }
    world.link().faults = tape;
    let mut known = None;
    for what in wanted {
        known = world.ceremony(what, with_pin, known, only_loses);
    }
    world.heals(with_pin && only_loses);
}

type Core = Attendant<MemoryStore, Entropy, fn(Instant, &Ask) -> Option<Answer>>;

/// A link on whose reports a tape decides.
struct Link<'t> {
    inner: Loopback<Core>,
    faults: Tape<'t>,
    only_loses: bool,
    subject: Subject,
    /// A report to the key that waits for the next one to pass it.
    held: Option<Report>,
}

enum Fate {
    Passes,
    Lost,
    Doubled,
    Changed(usize, u8),
    Late(Duration),
    Overtaken,
}

impl Link<'_> {
    fn fate(&mut self) -> Fate {
        if self.faults.is_empty() {
            return Fate::Passes;
        }
        match self.faults.byte() {
            0..=0xBF => Fate::Passes,
            0xC0..=0xCF => Fate::Lost,
            _ if self.only_loses => Fate::Passes,
            0xD0..=0xDF => Fate::Doubled,
            0xE0..=0xEF => Fate::Changed(self.faults.below(64), 1 << self.faults.below(8)),
            0xF0..=0xF7 => Fate::Late(Duration::from_millis(u64::from(self.faults.byte()) * 10)),
            0xF8..=0xFF => Fate::Overtaken,
        }
    }

    /// The plant: the last report of a long answer, told by its sequence number.
    fn spoil(&self, mut report: Report) -> Report {
        if self.subject == Subject::Planted && (3..0x80).contains(&report[4]) {
            report[8] ^= 1;
        }
        report
    }
}

impl Transport for Link<'_> {
    type Error = Infallible;

    fn now(&self) -> Instant {
        self.inner.now()
    }

    fn nonce(&mut self) -> Result<[u8; 8], Infallible> {
        self.inner.nonce()
    }

    fn send(&mut self, report: &Report) -> Result<(), Infallible> {
        let mut report = *report;
        match self.fate() {
            Fate::Passes => {}
            Fate::Lost => return Ok(()),
            Fate::Doubled => self.inner.send(&report)?,
            Fate::Changed(at, bit) => report[at] ^= bit,
            Fate::Late(time) => self.inner.advance(time),
            Fate::Overtaken => {
                self.held = Some(report);
                return Ok(());
            }
        }
        self.inner.send(&report)?;
        match self.held.take() {
            Some(held) => self.inner.send(&held),
            None => Ok(()),
        }
    }

    fn receive(&mut self, timeout: Duration) -> Result<Option<Report>, Infallible> {
        let end = self.now() + timeout;
        loop {
            let left = end.duration_since(self.now());
            let Some(mut report) = self.inner.receive(left)? else { return Ok(None) };
            match self.fate() {
                Fate::Lost => {}
                Fate::Changed(at, bit) => {
                    report[at] ^= bit;
                    return Ok(Some(report));
                }
                Fate::Late(time) => {
                    self.inner.advance(time);
                    return Ok(Some(report));
                }
                Fate::Passes | Fate::Doubled | Fate::Overtaken => {
                    return Ok(Some(self.spoil(report)));
                }
            }
        }
    }
}

/// Touches and types at once.
struct Person {
    waits: usize,
}

impl User for Person {
    fn waits(&mut self, _: Waits) -> ControlFlow<()> {
        self.waits += 1;
        assert!(self.waits < 10_000, "a ceremony without an end");
        ControlFlow::Continue(())
    }

    fn pin(&mut self, need: PinNeed) -> Option<Zeroizing<String>> {
        (!need.wrong).then(|| Zeroizing::new(PIN.to_owned()))
    }

    fn account(&mut self, accounts: &[Account]) -> Option<usize> {
        accounts.len().checked_sub(1)
    }
}

struct World<'t> {
    connection: Connection<Link<'t>>,
    ceremonies: u8,
}

impl<'t> World<'t> {
    fn new(faults: Tape<'t>, only_loses: bool, subject: Subject) -> Self {
        let now = Instant::from_millis(0);
        let (root, rng) = (RootKey::new([1; 32]), entropy(0xFF));
        let store = MemoryStore::default();
        let Ok(key) = Authenticator::open(store, root, rng, Config::default(), now) else {
            panic!("an empty store opens");
        };
        let touches: fn(Instant, &Ask) -> Option<Answer> = |_, _| Some(Answer::Yes);
        let device = Device::new(DeviceConfig::default(), 7);
        let inner = Loopback::new(device, Attendant::new(key, touches), now);
        let link = Link { inner, faults, only_loses, subject, held: None };
        let connection = Connection::open(link).expect("the link is whole at first");
        Self { connection, ceremonies: 0 }
    }

    fn link(&mut self) -> &mut Link<'t> {
        self.connection.transport_mut()
    }

    /// Runs a ceremony; nothing if it failed, for whatever reason.
    fn run<T>(
        &mut self,
        ceremony: impl FnOnce(softkey_client::Reach, Entropy) -> Ceremony<T>,
    ) -> Option<T> {
        if self.connection.device().is_none() {
            self.connection.reopen().ok()?;
        }
        self.ceremonies += 1;
        let ceremony = ceremony(reach(&self.connection), entropy(self.ceremonies));
        let begun = self.link().now();
        let outcome = drive(ceremony, &mut self.connection, &mut Person { waits: 0 });
        let took = self.link().now().duration_since(begun);
        assert!(took < Duration::from_mins(10), "a ceremony took {took:?}");
        outcome.ok()
    }

    fn challenge(&self) -> Vec<u8> {
        vec![self.ceremonies.wrapping_add(1); 20]
    }

    /// A create or a get with what was created last; gives what is known afterwards.
    fn ceremony(
        &mut self,
        what: u8,
        verified: bool,
        known: Option<RegistrationResponse>,
        sound: bool,
    ) -> Option<RegistrationResponse> {
        let discoverable = what & 2 != 0 && verified;
        match known {
            Some(known) if what & 1 == 1 => {
                self.get(&known, verified, sound);
                Some(known)
            }
            known => self.create(verified, discoverable, sound).or(known),
        }
    }

    fn create(
        &mut self,
        verified: bool,
        discoverable: bool,
        sound: bool,
    ) -> Option<RegistrationResponse> {
        let challenge = self.challenge();
        let options = serde_json::json!({
            "rp": {"id": RP_ID, "name": "Example"},
            "user": {"id": "AQID", "name": "ada", "displayName": "Ada"},
            "challenge": base64url::encode(&challenge),
            "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
            "authenticatorSelection": {
                "userVerification": if verified { "required" } else { "discouraged" },
                "residentKey": if discoverable { "required" } else { "discouraged" },
            },
            "attestation": "direct",
        });
        let options = CreationOptions::from_json(&options.to_string()).expect("good options");
        let origin = Origin::parse(ORIGIN).expect("a good origin");
        let made = self.run(|reach, rng| softkey_client::create(options, origin, reach, rng))?;
        if sound {
            let accepted = verify::registration(&made, &expected(&challenge, verified), &[-7]);
            assert!(accepted.is_ok(), "the relying party: {accepted:?}");
        }
        Some(made)
    }

    fn get(&mut self, known: &RegistrationResponse, verified: bool, sound: bool) -> Option<()> {
        let challenge = self.challenge();
        let options = serde_json::json!({
            "rpId": RP_ID,
            "challenge": base64url::encode(&challenge),
            "allowCredentials": [{"type": "public-key", "id": known.id}],
            "userVerification": if verified { "required" } else { "discouraged" },
        });
        let options = RequestOptions::from_json(&options.to_string()).expect("good options");
        let origin = Origin::parse(ORIGIN).expect("a good origin");
        let response = self.run(|reach, rng| softkey_client::get(options, origin, reach, rng))?;
        if sound {
            let made = &known.response;
            let record = verify::CredentialRecord {
                id: known.raw_id.0.clone(),
                public_key: cose(&made.authenticator_data.0),
                sign_count: 0,
                ..verify::CredentialRecord::default()
            };
            let accepted =
                verify::authentication(&response, &expected(&challenge, verified), &record);
            assert!(accepted.is_ok(), "the relying party: {accepted:?}");
        }
        Some(())
    }

    /// The link is whole again.
    fn heals(&mut self, counts: bool) {
        let link = self.link();
        (link.faults, link.held) = (Tape::new(&[]), None);
        self.connection.reopen().expect("a channel over a whole link");
        let made = self.create(false, false, true).expect("a registration over a whole link");
        self.get(&made, false, true).expect("a sign-in over a whole link");
        if counts {
            let retries = self.run(pin::retries).expect("tries are counted");
            assert_eq!(retries.pin, Some(8), "a try of the PIN was lost");
        }
    }
}

fn entropy(seed: u8) -> Entropy {
    Entropy::from_seed(&Secret::new([seed; 32]))
}

fn expected(challenge: &[u8], user_verification: bool) -> Expected<'_> {
    Expected::new(challenge, ORIGIN, RP_ID).verified(user_verification)
}

/// The public key in authenticator data, as bytes.
fn cose(auth_data: &[u8]) -> Vec<u8> {
    let data = softkey_tests::auth_data::AuthData::parse(auth_data);
    data.attested.expect("a credential").public_key.encode()
}
