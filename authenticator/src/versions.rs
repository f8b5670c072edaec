//! The levels that getInfo names, each with what it demands. A level is claimed if all of that is there.

use alloc::vec::Vec;

use softkey_ctap::config::subcommand;
use softkey_ctap::extensions::id;
use softkey_ctap::get_info::Options;
use softkey_ctap::pin_uv::Protocol;

use crate::config::Config;
use crate::config_command::subcommands;
use crate::generation::Generation;

/// What an authenticator offers, as far as a level may demand it.
#[derive(Clone)]
pub(crate) struct Features<'a> {
    generation: Generation,
    u2f: bool,
    options: Options,
    extensions: &'a [&'static str],
    protocols: &'a [Protocol],
    /// Is there the subcommand enableEnterpriseAttestation?
    enables_enterprise: bool,
    /// Is there the subcommand setMinPINLength?
    sets_min_pin_length: bool,
}

impl<'a> Features<'a> {
    pub(crate) fn of(
        config: &'a Config,
        options: &Options,
        extensions: &'a [&'static str],
    ) -> Self {
        let offers = |subcommand| subcommands(config).any(|offered| offered == subcommand);
        Self {
            generation: config.generation,
            u2f: config.u2f,
            options: *options,
            extensions,
            protocols: &config.pin_uv_auth_protocols,
            enables_enterprise: offers(subcommand::ENABLE_ENTERPRISE_ATTESTATION),
            sets_min_pin_length: offers(subcommand::SET_MIN_PIN_LENGTH),
        }
    }

    fn has(&self, extension: &str) -> bool {
        self.extensions.contains(&extension)
    }

    /// Is there a way to verify the user, ready or not?
    fn can_verify(&self) -> bool {
        self.options.client_pin.is_some() || self.options.uv.is_some()
    }

    fn discoverable(&self) -> bool {
        self.options.rk == Some(true)
    }
}

/// Something that a level demands.
type Demand = fn(&Features<'_>) -> bool;

/// A level, and everything that it demands.
struct Level {
    name: &'static str,
    demands: &'static [Demand],
}

/// In the order in which they are named.
const LEVELS: [Level; 5] = [
    Level {
        name: "U2F_V2",
        demands: &[
            |features| features.u2f,
            // U2F cannot verify the user.
            |features| features.options.always_uv != Some(true),
        ],
    },
    Level { name: "FIDO_2_0", demands: &[|features| features.generation >= Generation::Ctap20] },
    Level {
        name: "FIDO_2_1_PRE",
        demands: &[|features| {
            features.options.credential_mgmt_preview.is_some()
                || features.options.user_verification_mgmt_preview.is_some()
        }],
    },
    Level { name: "FIDO_2_1", demands: &FIDO_2_1 },
    Level { name: "FIDO_2_3", demands: &FIDO_2_3 },
];

/// The mandatory features of CTAP 2.1.
const FIDO_2_1: [Demand; 9] = [
    |features| features.generation >= Generation::Ctap21,
    |features| features.has(id::HMAC_SECRET),
    // Discoverable credentials can be protected, and managed.
    |features| !features.discoverable() || features.can_verify(),
    |features| !features.discoverable() || features.options.cred_mgmt == Some(true),
    |features| !features.can_verify() || features.has(id::CRED_PROTECT),
    |features| !features.can_verify() || features.options.pin_uv_auth_token == Some(true),
    |features| features.protocols.contains(&Protocol::Two),
    |features| features.has(id::MIN_PIN_LENGTH) == features.sets_min_pin_length,
    |features| features.options.ep.is_none() || features.enables_enterprise,
];

/// Those of CTAP 2.3: the same of a key that knows all of it.
const FIDO_2_3: [Demand; 9] = {
    let mut demands = FIDO_2_1;
    demands[0] = |features| features.generation >= Generation::Ctap23;
    demands
};

/// The levels whose demands are met.
pub(crate) fn claimed(features: &Features<'_>) -> Vec<&'static str> {
    let met = |level: &&Level| level.demands.iter().all(|demand| demand(features));
    LEVELS.iter().filter(met).map(|level| level.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXTENSIONS: [&str; 3] = [id::CRED_PROTECT, id::HMAC_SECRET, id::MIN_PIN_LENGTH];

    /// Everything that any level demands.
    fn complete() -> Features<'static> {
        let options = Options {
            ep: Some(false),
            rk: Some(true),
            cred_mgmt: Some(true),
            client_pin: Some(false),
            pin_uv_auth_token: Some(true),
            credential_mgmt_preview: Some(true),
            ..Options::default()
        };
        Features {
            generation: Generation::Ctap23,
            u2f: true,
            options,
            extensions: &EXTENSIONS,
            protocols: &[Protocol::Two],
            enables_enterprise: true,
            sets_min_pin_length: true,
        }
    }

    /// The levels that are lost if this is taken away.
    fn lost(change: impl FnOnce(&mut Features<'static>)) -> Vec<&'static str> {
        let mut features = complete();
        change(&mut features);
        let left = claimed(&features);
        claimed(&complete()).into_iter().filter(|level| !left.contains(level)).collect()
    }

    #[test]
    fn a_complete_key_claims_every_level_in_order() {
        let all = ["U2F_V2", "FIDO_2_0", "FIDO_2_1_PRE", "FIDO_2_1", "FIDO_2_3"];
        assert_eq!(claimed(&complete()), all);
    }

    #[test]
    fn u2f_is_claimed_where_it_is_spoken() {
        assert_eq!(lost(|key| key.u2f = false), ["U2F_V2"]);
        assert_eq!(lost(|key| key.options.always_uv = Some(true)), ["U2F_V2"]);
        assert_eq!(lost(|key| key.options.always_uv = Some(false)), [""; 0]);
    }

    #[test]
    fn generations_end_what_can_be_claimed() {
        let of = |generation| lost(|key| key.generation = generation);
        assert_eq!(of(Generation::Ctap22), ["FIDO_2_3"]);
        assert_eq!(of(Generation::Ctap21), ["FIDO_2_3"]);
        assert_eq!(of(Generation::Ctap20), ["FIDO_2_1", "FIDO_2_3"]);
        assert_eq!(of(Generation::U2f), ["FIDO_2_0", "FIDO_2_1", "FIDO_2_3"]);
    }

    #[test]
    fn the_preview_is_claimed_with_its_options() {
        assert_eq!(lost(|key| key.options.credential_mgmt_preview = None), ["FIDO_2_1_PRE"]);
        let other = |key: &mut Features<'_>| {
            key.options.credential_mgmt_preview = None;
            key.options.user_verification_mgmt_preview = Some(false);
        };
        assert_eq!(lost(other), [""; 0]);
    }

    /// Each mandatory feature of 2.1 and 2.3 is missed when it alone is not there.
    #[test]
    fn each_mandatory_feature_is_demanded() {
        let both = ["FIDO_2_1", "FIDO_2_3"];
        assert_eq!(lost(|key| key.extensions = &[id::CRED_PROTECT, id::MIN_PIN_LENGTH]), both);
        assert_eq!(lost(|key| key.extensions = &[id::HMAC_SECRET, id::MIN_PIN_LENGTH]), both);
        assert_eq!(lost(|key| key.extensions = &[id::HMAC_SECRET, id::CRED_PROTECT]), both);
        assert_eq!(lost(|key| key.sets_min_pin_length = false), both);
        assert_eq!(lost(|key| key.enables_enterprise = false), both);
        assert_eq!(lost(|key| key.protocols = &[Protocol::One]), both);
        assert_eq!(lost(|key| key.options.cred_mgmt = None), both);
        assert_eq!(lost(|key| key.options.pin_uv_auth_token = None), both);
        assert_eq!(lost(|key| key.options.client_pin = None), both);
    }

    /// Without discoverable credentials nobody need be verified.
    #[test]
    fn what_is_not_offered_demands_nothing() {
        let without = |key: &mut Features<'_>| {
            key.options = Options { credential_mgmt_preview: Some(true), ..Options::default() };
            key.extensions = &[id::HMAC_SECRET];
            key.sets_min_pin_length = false;
            key.enables_enterprise = false;
        };
        assert_eq!(lost(without), [""; 0]);
    }
}
