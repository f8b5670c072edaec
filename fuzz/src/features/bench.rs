//! The key, what was made with it, and how a request is sent.

use std::time::Duration;

use softkey_tests::auth_data::AuthData;
use softkey_tests::cbor::{Value, walk_answer};
use softkey_tests::key::{ENTERPRISE_RP, Profile, Sensor, Setup};
use softkey_tests::pin::{Protocol, Shared, Token};
use softkey_tests::request::{command, cp};
use softkey_tests::status::{OTHER, SUCCESS};
use softkey_tests::{Key, Request, User};

use super::fingers::Hand;
use super::pins::Pins;
use crate::{Subject, Tape};

/// Relying parties: some that may read the minimum PIN length once configured so, one for enterprise attestation, and one
/// whose name is too long to be kept whole.
pub(super) const PARTIES: [&str; 4] = [
    "example.com",
    "policy.example",
    ENTERPRISE_RP,
    "sign-in.accounts.a-relying-party-of-some-length.example",
];

/// What a key may offer. A new one goes to the end, so that inputs that are kept go on meaning what they meant.
pub const PROFILES: [Profile; 27] = [
    Profile::Default,
    Profile::Enterprise,
    Profile::PinComplexity,
    Profile::Preview,
    Profile::Uvm,
    Profile::Certified,
    Profile::LargeBlob,
    Profile::Fingerprint,
    Profile::FingerprintPreview,
    Profile::U2f,
    Profile::Ctap20,
    Profile::Ctap20Previews,
    Profile::Ctap21,
    Profile::Ctap22,
    Profile::Tiny,
    Profile::NoPin,
    Profile::AlwaysUv,
    Profile::Ctap21NoPin,
    Profile::LongTouch,
    Profile::UvRequired,
    Profile::Synced,
    Profile::ZeroCounter,
    Profile::NotDiscoverable,
    Profile::Bare,
    Profile::NoU2f,
    Profile::Disguised,
    Profile::Vendor,
];

/// Lists of algorithms that a key may have.
const ALGORITHMS: [&[i64]; 3] = [&[], &[-7, -8, -35, -36, -47], &[-48, -49, -50, -7]];

/// For a key that makes RS256 key pairs too, which takes so long that it must be seldom.
const RARE: u8 = 0xFF;

/// Lists of the statement formats of the owner's root; the first: there is none.
const FORMATS: [&[&str]; 7] = [
    &[],
    &["packed", "fido-u2f", "tpm", "android-key", "apple", "compound", "none"],
    &["compound", "fido-u2f"],
    &["tpm", "apple"],
    &["android-key"],
    &["packed-self", "none"],
    &["none", "packed-self"],
];

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
    /// What it gave for [`super::inputs::SALTS`], without and with verification.
    pub(super) secrets: [Option<Vec<u8>>; 2],
}

impl Kept {
    /// It gives the secrets that it always gave, for both salts or for the first; others where the user is verified.
    pub(super) fn gives(&mut self, verified: bool, secrets: Vec<u8>) {
        let before = &mut self.secrets[usize::from(verified)];
        let shared = before.as_ref().map_or(0, |before| before.len().min(secrets.len()));
        let same = before.as_ref().is_none_or(|before| before[..shared] == secrets[..shared]);
        assert!(same, "another secret than before");
        if shared < secrets.len() {
            *before = Some(secrets);
        }
        let [plain, with] =
            self.secrets.each_ref().map(|known| known.as_ref().map(|all| &all[..32]));
        assert!(plain.is_none() || plain != with, "verification changes the secret");
    }
}

/// What goes wrong beneath the key at the next request.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// There is no room for more.
    Full,
    /// So many records can be read, and then none.
    Illegible(u64),
    NoEntropy,
}

/// The key and its owner's notes.
pub(super) struct Bench {
    pub(super) key: Key,
    pub(super) subject: Subject,
    pub(super) setup: Setup,
    pub(super) kept: Vec<Kept>,
    pub(super) token: Option<Token>,
    pub(super) pins: Pins,
    pub(super) hand: Hand,
    /// The large-blob array as last written whole; absent on a key without one.
    pub(super) array: Option<Vec<u8>>,
    /// getInfo after power-up; absent on a key of CTAP1.
    info: Option<Value>,
    trouble: Option<Trouble>,
}

impl Bench {
    pub(super) fn new(tape: &mut Tape<'_>, subject: Subject) -> Self {
        let sensor = Sensor { max_retries: 5, tries_per_request: 2, shows_presence: tape.flag() };
        let profile = tape.pick(&PROFILES);
        let sensor = tape.flag().then_some(sensor);
        let algorithms = match tape.byte() {
            RARE => &[-257, -7],
            other => ALGORITHMS[usize::from(other) % ALGORITHMS.len()],
        };
        let attestation = tape.byte();
        let setup = Setup {
            profile,
            sensor,
            algorithms,
            self_attestation: attestation & 1 == 1,
            formats: FORMATS[usize::from(attestation >> 1) % FORMATS.len()],
            ..Setup::default()
        };
        let mut bench = Self {
            key: Key::new(setup),
            subject,
            setup,
            kept: Vec::new(),
            token: None,
            pins: Pins::default(),
            hand: Hand::default(),
            array: None,
            info: None,
            trouble: None,
        };
        bench.look();
        bench.array = bench.offers("largeBlobs").then(super::blobs::initial);
        if tape.flag() {
            bench.set_first_pin();
        }
        bench
    }

    /// Reads what the key says of itself.
    pub(super) fn look(&mut self) {
        self.info = self.send_well(&Request::bare(command::GET_INFO)).ok();
        let speaks = self.setup.profile != Profile::U2f;
        assert_eq!(self.info.is_some(), speaks, "getInfo");
    }

    /// Is this option there, and on?
    pub(super) fn offers(&self, option: &str) -> bool {
        let options = self.info.as_ref().and_then(|info| info.at(4));
        options.and_then(|options| options.at(option)).is_some_and(Value::bool)
    }

    /// Out and in again.
    pub(super) fn power_cycle(&mut self) {
        self.trouble = None;
        self.key.power_cycle();
        self.token = None;
        self.pins.power_cycle();
        self.hand.forget();
        self.look();
    }

    pub(super) fn user(&mut self, tape: &mut Tape<'_>) {
        self.key.user(tape.pick(&[
            User::Approves,
            User::FailsVerification,
            User::Refuses,
            User::ApprovesAfter(Duration::from_secs(5)),
            User::Holds(Duration::from_secs(6)),
            User::Finger(2),
            User::Finger(3),
            User::Smudges(1),
            User::StaysAway,
        ]));
    }

    /// Time passes.
    pub(super) fn pass(&mut self, tape: &mut Tape<'_>) {
        self.key.advance(Duration::from_secs(tape.pick(&[1, 9, 11, 29, 31, 601])));
    }

    /// Something goes wrong beneath the key at the next request, and is well again then.
    pub(super) fn trouble(&mut self, tape: &mut Tape<'_>) {
        let reads = u64::from(tape.byte() % 16);
        self.trouble =
            Some(tape.pick(&[Trouble::Full, Trouble::Illegible(reads), Trouble::NoEntropy]));
    }

    /// Is nothing wrong beneath the key?
    pub(super) fn is_well(&self) -> bool {
        self.trouble.is_none()
    }

    /// Sends a request and gives the body of a success. A refusal has none, and stores nothing but tries.
    pub(super) fn send(&mut self, request: &Request) -> Result<Value, u8> {
        let before = self.records();
        self.breaks();
        let answer = self.key.try_send(&request.bytes());
        self.mends();
        // A key of CTAP1 refuses the command itself.
        let Ok(answer) = answer else {
            assert_eq!(self.setup.profile, Profile::U2f, "a CTAPHID error");
            return Err(OTHER);
        };
        let (status, body) = answer.split_first().expect("a status");
        if *status != SUCCESS {
            assert!(body.is_empty(), "a body beside status {status:#04x}");
            assert!(before == self.records(), "status {status:#04x} changed what is stored");
            return Err(*status);
        }
        if body.is_empty() {
            return Ok(Value::Map(Vec::new()));
        }
        Ok(walk_answer(body).unwrap_or_else(|flaw| panic!("{flaw:?} in an answer")))
    }

    /// The same, with everything well beneath the key.
    pub(super) fn send_well(&mut self, request: &Request) -> Result<Value, u8> {
        self.trouble = None;
        self.send(request)
    }

    fn breaks(&mut self) {
        let (memory, entropy) = (self.key.memory(), self.key.entropy());
        match self.trouble {
            Some(Trouble::Full) => memory.full(true),
            Some(Trouble::Illegible(reads)) => memory.fail_reads_after(Some(reads)),
            Some(Trouble::NoEntropy) => entropy.fail(true),
            None => {}
        }
    }

    fn mends(&mut self) {
        self.trouble = None;
        let (memory, entropy) = (self.key.memory(), self.key.entropy());
        memory.full(false);
        memory.fail_reads_after(None);
        entropy.fail(false);
    }

    /// What is stored but the tries.
    pub(super) fn records(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.key.memory().dump().into_iter().filter(|(name, _)| name != b"st").collect()
    }

    /// authenticatorSelection, or the old way with an empty pinUvAuthParam.
    pub(super) fn select(&mut self, tape: &mut Tape<'_>) {
        let request = match tape.below(4) {
            0 => Request::make_credential().with_param(&[], 1),
            1 => Request::get_assertion(PARTIES[0]).with_param(&[], 1),
            _ => Request::bare(command::SELECTION),
        };
        let _ = self.send(&request);
    }

    /// The factory's state again, where the key may be reset now.
    pub(super) fn reset(&mut self) {
        if self.send(&Request::bare(command::RESET)).is_err() {
            return;
        }
        self.kept.clear();
        self.token = None;
        self.pins = Pins::default();
        self.hand = Hand::default();
        self.look();
        self.array = self.array.is_some().then(super::blobs::initial);
        // What the reset left lies about until it is swept.
        self.key.advance(Duration::from_secs(1));
    }

    /// A fresh shared secret, where the key agrees to one.
    pub(super) fn agree(&mut self, protocol: Protocol) -> Option<Shared> {
        let request =
            Request::client_pin(cp::GET_KEY_AGREEMENT).with(cp::PROTOCOL, protocol.number());
        let trouble = self.trouble.take();
        let body = self.send(&request).ok()?;
        self.trouble = trouble;
        Some(Shared::agree(protocol, body.get(1), &self.key.draw()))
    }

    /// Nothing is put out that was not asked for.
    pub(super) fn only_asked_for(asked: &[&str], data: &AuthData) {
        let Some(outputs) = &data.extensions else { return };
        for name in outputs.keys() {
            assert!(asked.contains(&name.text()), "{name:?} was not asked for");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_is_tried() {
        let missing = Profile::ALL.into_iter().find(|profile| !PROFILES.contains(profile));
        assert_eq!(missing, None);
    }
}
