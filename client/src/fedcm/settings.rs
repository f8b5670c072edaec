//! What a user or a tester sets about `FedCM`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// Part of [`crate::profile::Settings`]. The defaults are those of the draft, without the throttles and delays that
/// browsers add for people in front of a screen.
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FedCmSettings {
    /// `FedCM` is off.
    pub off: bool,
    /// It is off on top-level pages of these origins.
    pub off_for: BTreeSet<String>,
    /// How long a provider may take for one answer, in milliseconds.
    pub time_limit: u64,
    /// The longest random delay, in milliseconds, before a page learns that nothing was offered, so that it cannot tell
    /// that from a dialog that was closed. Zero in a client without people.
    pub longest_delay: u64,
    /// Has a page to wait after the user closed its dialog, 2 hours, a day, a week, 4 weeks?
    pub cooldown: bool,
    /// For how long after an automatic sign-in there is no other one, in milliseconds; browsers have ten minutes.
    pub throttle: Option<u64>,
    /// Are people signed out where nothing is known of them?
    pub unknown_is_logged_out: bool,
    /// Where the well-known file is for providers, by the origin of their config file, that are not at the registrable
    /// domain: on a port, or under a name whose suffix is not on the public list.
    pub well_known: BTreeMap<String, String>,
    /// Are the pictures of accounts fetched?
    pub pictures: bool,
}

impl Default for FedCmSettings {
    fn default() -> Self {
        Self {
            off: false,
            off_for: BTreeSet::new(),
            time_limit: 60_000,
            longest_delay: 0,
            cooldown: false,
            throttle: None,
            unknown_is_logged_out: false,
            well_known: BTreeMap::new(),
            pictures: true,
        }
    }
}
