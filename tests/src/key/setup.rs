//! How a key is made.

use super::Profile;

/// How a key is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setup {
    /// Determines all entropy.
    pub seed: u64,
    /// The root key of the store's sealing.
    pub root_key: [u8; 32],
    /// Is there a fingerprint sensor? It shows presence as it verifies if the second value is true.
    pub sensor: Option<Sensor>,
    /// What it offers beside the default.
    pub profile: Profile,
    /// The COSE algorithms that getInfo lists, best first; empty: those of the default.
    pub algorithms: &'static [i64],
    /// Do new credentials attest themselves, instead of the batch key?
    pub self_attestation: bool,
    /// The statement formats of the owner's root, by their identifiers (`packed-self` for self attestation), best
    /// first; empty: there is no such root.
    pub formats: &'static [&'static str],
}

/// A built-in method of user verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sensor {
    /// After how many failures in all it is blocked.
    pub max_retries: u8,
    /// How many tries one request gives the user.
    pub tries_per_request: u8,
    /// Does the gesture itself show presence?
    pub shows_presence: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            seed: 1,
            root_key: [0x5A; 32],
            sensor: None,
            profile: Profile::of_this_run(),
            algorithms: &[],
            self_attestation: false,
            formats: &[],
        }
    }
}
