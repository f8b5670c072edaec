//! What the authenticator should know and have, in the plainest form.

use std::time::Duration;

use softkey_ctap::Instant;
use softkey_tests::cbor::Value;
use softkey_tests::pin::Token;

/// The PINs that people choose here. The last three break a rule.
pub(super) const PINS: [&str; 6] = ["1234", "123456", "p\u{e4}ssw\u{f6}rd", "123", "", TOO_LONG];
const TOO_LONG: &str = "0123456789012345678901234567890123456789012345678901234567890123";

/// The relying parties.
pub(super) const PARTIES: [&str; 3] = ["example.com", "example.org", "login.example.org"];

pub(super) const MC: i64 = 0x01;
pub(super) const GA: i64 = 0x02;
pub(super) const CM: i64 = 0x04;
pub(super) const ACFG: i64 = 0x20;
pub(super) const PCMR: i64 = 0x40;

pub(super) const MAX_RETRIES: u64 = 8;

/// A credential that was made.
#[derive(Clone)]
pub(super) struct Credential {
    pub(super) party: &'static str,
    pub(super) user: u8,
    /// Unknown if the power went before the answer left.
    pub(super) id: Option<Vec<u8>>,
    pub(super) public_key: Option<Value>,
    pub(super) discoverable: bool,
    /// The level of credProtect.
    pub(super) level: u8,
    pub(super) alive: bool,
    /// The signature counter as last seen.
    pub(super) count: u32,
}

impl Credential {
    /// May a request see it that was or was not verified, and names it or does not?
    pub(super) fn visible(&self, verified: bool, listed: bool) -> bool {
        self.alive && (self.level == 1 || verified || (self.level == 2 && listed))
    }
}

/// The pinUvAuthToken in force.
#[derive(Clone)]
pub(super) struct Granted {
    pub(super) token: Token,
    pub(super) permissions: i64,
    pub(super) party: Option<&'static str>,
    pub(super) issued: Instant,
    pub(super) used: bool,
}

impl Granted {
    /// Dead after 30 s without use and after 10 minutes.
    pub(super) fn is_alive(&self, now: Instant) -> bool {
        let age = now.duration_since(self.issued);
        age <= Duration::from_secs(if self.used { 600 } else { 30 })
    }
}

/// The assertions that getNextAssertion still has to give.
#[derive(Clone)]
pub(super) struct Walk {
    /// Credentials by number, the next one last.
    pub(super) left: Vec<usize>,
    pub(super) last: Instant,
    pub(super) verified: bool,
    pub(super) present: bool,
    /// Does it hang on the token?
    pub(super) by_token: bool,
}

/// The whole authenticator.
#[derive(Clone)]
pub(super) struct Model {
    pub(super) pin: Option<&'static str>,
    pub(super) retries: u64,
    /// Wrong PINs in a row since power-up.
    pub(super) misses: u8,
    pub(super) force_change: bool,
    pub(super) min_pin_length: u64,
    pub(super) always_uv: bool,
    pub(super) long_touch: bool,
    pub(super) token: Option<Granted>,
    pub(super) persistent: Option<Token>,
    /// In the order they were made.
    pub(super) credentials: Vec<Credential>,
    pub(super) walk: Option<Walk>,
    pub(super) power_up: Instant,
}

impl Model {
    pub(super) fn factory(power_up: Instant) -> Self {
        Self {
            pin: None,
            retries: MAX_RETRIES,
            misses: 0,
            force_change: false,
            min_pin_length: 4,
            always_uv: false,
            long_touch: false,
            token: None,
            persistent: None,
            credentials: Vec::new(),
            walk: None,
            power_up,
        }
    }

    /// What a reset leaves: every credential that ever was is dead.
    pub(super) fn reset(&mut self) {
        let mut credentials = std::mem::take(&mut self.credentials);
        for credential in &mut credentials {
            credential.alive = false;
        }
        *self = Self { credentials, ..Self::factory(self.power_up) };
    }

    /// What a power cycle leaves.
    pub(super) fn power_cycle(&mut self, now: Instant) {
        (self.misses, self.token, self.walk, self.power_up) = (0, None, None, now);
    }

    /// May this be the new PIN?
    pub(super) fn takes(&self, pin: &str) -> bool {
        pin.len() < 64 && pin.chars().count() as u64 >= self.min_pin_length
    }

    /// The discoverable credentials of a party that a request may see unnamed, oldest first.
    pub(super) fn accounts(&self, party: &str, verified: bool) -> Vec<usize> {
        let sees = |(_, credential): &(usize, &Credential)| {
            credential.discoverable
                && credential.party == party
                && credential.visible(verified, false)
        };
        self.credentials.iter().enumerate().filter(sees).map(|(number, _)| number).collect()
    }

    /// All living discoverable credentials of a party, or of all.
    pub(super) fn stored(&self, party: Option<&str>) -> Vec<&Credential> {
        let kept = |credential: &&Credential| {
            credential.alive
                && credential.discoverable
                && party.is_none_or(|party| party == credential.party)
        };
        self.credentials.iter().filter(kept).collect()
    }
}
