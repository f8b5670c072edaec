//! The key, what was made with it, and how a request is sent.

use std::time::Duration;

use softkey_tests::auth_data::AuthData;
use softkey_tests::cbor::{Value, walk};
use softkey_tests::key::{Profile, Sensor, Setup};
use softkey_tests::pin::{Protocol, Shared, Token};
use softkey_tests::platform::permission::{ACFG, CM, GA, LBW, MC};
use softkey_tests::request::{cf, command, cp};
use softkey_tests::status::SUCCESS;
use softkey_tests::{Key, Request, User};

use crate::{Subject, Tape};

/// Beginning with this PIN.
const PIN: &str = "1234";

/// Relying parties; the last may read the minimum PIN length once configured so.
pub(super) const PARTIES: [&str; 2] = ["example.com", "policy.example"];

/// What a key may offer beside the default; all of them have a PIN and the commands of CTAP 2.3.
const PROFILES: [Profile; 7] = [
    Profile::Default,
    Profile::Enterprise,
    Profile::PinComplexity,
    Profile::Preview,
    Profile::Uvm,
    Profile::Certified,
    Profile::LargeBlob,
];

/// Lists of algorithms that a key may have.
const ALGORITHMS: [&[i64]; 3] = [&[], &[-7, -8, -35, -36, -47], &[-48, -7]];

/// For a key that makes RS256 key pairs too, which takes so long that it must be seldom.
const RARE: u8 = 0xFF;

/// A credential and what is known of it.
pub(super) struct Kept {
    pub(super) party: &'static str,
    pub(super) user: u8,
    pub(super) id: Vec<u8>,
    pub(super) public_key: Value,
    pub(super) discoverable: bool,
    pub(super) level: u64,
    /// By credBlob.
    pub(super) small_blob: Option<Vec<u8>>,
    pub(super) large_blob_key: Option<Vec<u8>>,
    /// By the extension largeBlob: the blob and its size before compression.
    pub(super) large_blob: Option<(Vec<u8>, u64)>,
    /// What it gave for [`super::ceremonies::SALTS`], without and with verification.
    pub(super) secrets: [Option<Vec<u8>>; 2],
}

/// The key and its owner's notes.
pub(super) struct Bench {
    pub(super) key: Key,
    pub(super) subject: Subject,
    pub(super) setup: Setup,
    pub(super) kept: Vec<Kept>,
    pub(super) token: Option<Token>,
    /// The large-blob array as last written whole; absent on a key without one.
    pub(super) array: Option<Vec<u8>>,
    has_pin: bool,
}

impl Bench {
    pub(super) fn new(tape: &mut Tape<'_>, subject: Subject) -> Self {
        let sensor = Sensor { max_retries: 5, tries_per_request: 2, shows_presence: tape.flag() };
        let setup = Setup {
            profile: tape.pick(&PROFILES),
            sensor: tape.flag().then_some(sensor),
            algorithms: match tape.byte() {
                RARE => &[-257, -7],
                other => ALGORITHMS[usize::from(other) % ALGORITHMS.len()],
            },
            self_attestation: tape.flag(),
            ..Setup::default()
        };
        let mut key = Key::new(setup);
        let has_pin = tape.flag();
        if has_pin {
            key.set_pin(PIN);
        }
        let array = (setup.profile != Profile::LargeBlob).then(super::blobs::initial);
        Self { key, subject, setup, kept: Vec::new(), token: None, array, has_pin }
    }

    /// Out and in again.
    pub(super) fn power_cycle(&mut self) {
        self.key.power_cycle();
        self.token = None;
    }

    pub(super) fn user(&mut self, tape: &mut Tape<'_>) {
        self.key.user(tape.pick(&[
            User::Approves,
            User::FailsVerification,
            User::Refuses,
            User::ApprovesAfter(Duration::from_secs(5)),
        ]));
    }

    /// Sends a request and gives the body of a success. A refusal has none, and stores nothing but tries.
    pub(super) fn send(&mut self, request: &Request) -> Result<Value, u8> {
        let before = self.records();
        let answer = self.key.send(&request.bytes());
        let (status, body) = answer.split_first().expect("a status");
        if *status != SUCCESS {
            assert!(body.is_empty(), "a body beside status {status:#04x}");
            assert!(before == self.records(), "status {status:#04x} changed what is stored");
            return Err(*status);
        }
        if body.is_empty() {
            return Ok(Value::Map(Vec::new()));
        }
        Ok(walk(body).unwrap_or_else(|flaw| panic!("{flaw:?} in an answer")))
    }

    /// What is stored but the tries.
    fn records(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.key.memory().dump().into_iter().filter(|(name, _)| name != b"sp").collect()
    }

    /// A token with all permissions, by the PIN or the sensor.
    pub(super) fn authorize(&mut self, tape: &mut Tape<'_>) {
        let protocol = tape.pick(&Protocol::BOTH);
        let party = PARTIES[tape.below(PARTIES.len())];
        let by_sensor = tape.flag();
        // The array is a permission only where there is one.
        let blobs = if self.array.is_some() { LBW } else { 0 };
        let shared = self.key.agree(protocol);
        let request = if by_sensor {
            Request::client_pin(cp::GET_TOKEN_USING_UV)
                .with(cp::PROTOCOL, protocol.number())
                .with(cp::KEY_AGREEMENT, &shared.platform_key)
                .with(cp::PERMISSIONS, MC | GA | blobs)
                .with(cp::RP_ID, party)
        } else {
            let permissions = MC | GA | CM | ACFG | blobs;
            softkey_tests::platform::token_request(&shared, PIN, permissions, Some(party))
        };
        let Ok(body) = self.send(&request) else {
            assert!(by_sensor || !self.has_pin, "the right PIN is refused");
            return;
        };
        assert!(!by_sensor || self.setup.sensor.is_some(), "verified by no sensor");
        self.token = Some(Token::new(protocol, shared.decrypt(body.get(2).bytes())));
    }

    /// A setting of authenticatorConfig, with the token.
    pub(super) fn configure(&mut self, tape: &mut Tape<'_>) {
        let Some(token) = self.token.clone() else { return };
        let request = Request::config(tape.pick(&[
            cf::ENABLE_ENTERPRISE_ATTESTATION,
            cf::TOGGLE_ALWAYS_UV,
            cf::SET_MIN_PIN_LENGTH,
        ]));
        let request = if request.member(cf::SUB_COMMAND).uint() == u64::from(cf::SET_MIN_PIN_LENGTH)
        {
            let rp_ids = softkey_tests::cbor::array([PARTIES[1]]);
            request
                .with(cf::PARAMS, softkey_tests::cbor::map([(cf::MIN_PIN_LENGTH_RP_IDS, rp_ids)]))
        } else {
            request
        };
        let _ = self.send(&request.managed(&token));
        let info = self.send(&Request::bare(command::GET_INFO)).expect("getInfo");
        assert!(info.at(1).is_some(), "versions");
    }

    /// A fresh shared secret.
    pub(super) fn agree(&mut self, tape: &mut Tape<'_>) -> Shared {
        let protocol = tape.pick(&Protocol::BOTH);
        self.key.agree(protocol)
    }

    /// Nothing is put out that was not asked for.
    pub(super) fn only_asked_for(asked: &[&str], data: &AuthData) {
        let Some(outputs) = &data.extensions else { return };
        for name in outputs.keys() {
            assert!(asked.contains(&name.text()), "{name:?} was not asked for");
        }
    }
}
